//! What a viewer asks for beside the stream: heard at once, done in slices when its turn comes.
//!
//! ```text
//!   heard --> Asked --- first slice ---> Working --- slices ---> done, or an error
//!               '------- another of the kind, or a cancel ------> done, cancelled
//! ```
//!
//! Of each kind there is one at a time, the latest, so a thousand requests cost no more than one. Nothing is answered into
//! a connection that has not taken what it was sent before.
//!
//! Knows logs and messages; the connection and the stream are the viewer's.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use super::logs::Logs;
use super::turns::Slice;
use super::wire::answers::{self, Side};
use super::wire::{Code, Done, FromServer, FromViewer, Goal, Patterns, Refusal};
use crate::net::Bytes;
use crate::tail::history::job::{Job, SeekTo, Task, Work};
use crate::tail::{Cursor, Position};

/// So many ends of requests wait to be told. Who asks for more than that before listening is told of the last ones.
const MOST_ENDED: usize = 8;
/// How often, at most, a viewer is told how far its request has come.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// The most lines that `older` and `newer` give, and the most hits that are listed.
const MOST_LINES: usize = 10_000;
const MOST_HITS: usize = 10_000;
const LOST: &str = "The place that was asked for is not there any more.";
const LOST_FROM: &str = "The place to begin at is not there any more: this search began at the end.";

/// The requests of one viewer that have not been answered.
#[derive(Debug, Default)]
pub struct Requests {
    filter: Option<Patterns>,
    search: Option<Request>,
    other: Option<Request>,
    ended: VecDeque<FromServer>,
    turn: Turn,
}

/// Which of two requests is worked on next.
#[derive(Clone, Copy, Debug, Default)]
enum Turn {
    Search,
    #[default]
    Other,
}

#[derive(Debug)]
struct Request {
    id: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Asked(FromViewer),
    Working(Box<Working>),
    /// It is done; lines that were told of are still to have their numbers, when there is nothing else to do.
    Numbering(Box<Job>),
}

/// A request that has begun.
#[derive(Debug)]
struct Working {
    job: Job,
    side: Side,
    is_search: bool,
    /// When it was last told how far it has come.
    told: Instant,
}

/// What a slice of work has come to.
pub struct Worked {
    /// What is to be sent.
    pub answer: Vec<Bytes>,
    /// What is left to do.
    pub slice: Slice,
}

impl Requests {
    /// Whether there is nothing to be done.
    pub fn are_idle(&self) -> bool {
        self.filter.is_none() && self.search.is_none() && self.other.is_none() && self.ended.is_empty()
    }

    /// A request. It takes the place of one of its kind.
    pub fn hear(&mut self, message: FromViewer) {
        let (id, slot) = match &message {
            FromViewer::Pause {}
            | FromViewer::Resume {}
            | FromViewer::Stop {}
            | FromViewer::Start {}
            | FromViewer::Say { .. }
            | FromViewer::Ping {} => return,
            FromViewer::Filter(patterns) => return self.filter = Some(patterns.clone()),
            FromViewer::Cancel { id } => return self.cancel(*id),
            FromViewer::Search(search) => (search.id, &mut self.search),
            FromViewer::Older { id, .. } | FromViewer::Newer { id, .. } | FromViewer::Seek { id, .. } => {
                (*id, &mut self.other)
            }
        };
        let before = slot.replace(Request { id, state: State::Asked(message) });
        if let Some(before) = before.filter(|before| !before.is_done()) {
            self.end(cancelled(before.id));
        }
    }

    fn cancel(&mut self, id: u32) {
        let named = |request: &mut Request| request.id == id;
        let cancelled_one = self.search.take_if(named).or_else(|| self.other.take_if(named));
        if cancelled_one.is_some_and(|request| !request.is_done()) {
            self.end(cancelled(id));
        }
    }

    /// All of them end here: what is still to be said of that.
    pub fn give_up(self) -> impl Iterator<Item = FromServer> {
        let unanswered = [self.search, self.other].into_iter().flatten();
        self.ended.into_iter().chain(unanswered.map(|request| cancelled(request.id)))
    }

    fn end(&mut self, answer: FromServer) {
        if self.ended.len() == MOST_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(answer);
    }

    /// The filter that was asked for last, if it is new.
    pub fn take_filter(&mut self) -> Option<Patterns> {
        self.filter.take()
    }

    /// One slice of the request whose turn it is, of a viewer that is at `position` of `log`.
    pub fn work(&mut self, log: &Rc<str>, position: &Position, logs: &mut Logs, now: Instant) -> Worked {
        if let Some(ended) = self.ended.pop_front() {
            return Worked { answer: vec![Bytes::Own(ended.to_frame())], slice: Slice::More };
        }
        let waited_for = |request: &Option<Request>| request.as_ref().map(|request| !request.is_done());
        let searches = match (waited_for(&self.search), waited_for(&self.other)) {
            (None, None) => return Worked { answer: Vec::new(), slice: Slice::Done },
            (Some(search), Some(other)) if search == other => matches!(self.turn, Turn::Search),
            // One that nobody waits for any more comes last.
            (Some(search), other) => search || other.is_none(),
            (None, Some(_)) => false,
        };
        self.turn = if searches { Turn::Other } else { Turn::Search };
        let slot = if searches { &mut self.search } else { &mut self.other };
        let Some(request) = slot else { return Worked { answer: Vec::new(), slice: Slice::Done } };
        let worked = request.work(log, position, logs, now);
        if worked.slice == Slice::Done {
            *slot = None;
        }
        let slice = match worked.slice {
            Slice::Done if !self.are_idle() => Slice::More,
            slice => slice,
        };
        Worked { slice, ..worked }
    }
}

fn cancelled(id: u32) -> FromServer {
    FromServer::Done(Done { id, more: false, count: None, cancelled: true, note: None })
}

impl Request {
    /// Nobody waits for its end any more.
    fn is_done(&self) -> bool {
        matches!(self.state, State::Numbering(_))
    }

    /// One step. `Done` if that was the last one.
    fn work(&mut self, log: &Rc<str>, position: &Position, logs: &mut Logs, now: Instant) -> Worked {
        let last =
            |answer: FromServer| Worked { answer: vec![Bytes::Own(answer.to_frame())], slice: Slice::Done };
        let id = self.id;
        match &mut self.state {
            State::Asked(message) => match begin(message, position, logs, now) {
                Ok(working) => {
                    self.state = State::Working(Box::new(working));
                    Worked { answer: Vec::new(), slice: Slice::More }
                }
                Err(refusal) => last(refusal.answer(Some(id))),
            },
            State::Working(working) => {
                let mut worked = working.step(id, log, logs, now);
                if worked.slice == Slice::Done
                    && let Some(numbers) = working.job.numbers()
                {
                    self.state = State::Numbering(Box::new(numbers));
                    worked.slice = Slice::More;
                }
                worked
            }
            State::Numbering(numbers) => {
                let mut worked = Worked { answer: Vec::new(), slice: Slice::More };
                match logs.watched(log).map(|watched| watched.feed.work(numbers, now)) {
                    Some(Work::Again) => {}
                    Some(Work::Later) => worked.slice = Slice::Later,
                    Some(Work::Found(found)) => worked.answer = answers::frame_of(id, Side::Older, found),
                    Some(Work::Done(_)) | None => worked.slice = Slice::Done,
                }
                worked
            }
        }
    }
}

impl Working {
    fn step(&mut self, id: u32, log: &Rc<str>, logs: &mut Logs, now: Instant) -> Worked {
        let Some(watched) = logs.watched(log) else {
            let answer = vec![Bytes::Own(cancelled(id).to_frame())];
            return Worked { answer, slice: Slice::Done };
        };
        let mut worked = Worked { answer: Vec::new(), slice: Slice::More };
        match watched.feed.work(&mut self.job, now) {
            Work::Again => {}
            Work::Later => worked.slice = Slice::Later,
            Work::Found(found) => worked.answer = answers::frame_of(id, self.side, found),
            Work::Done(summary) => {
                if self.is_search {
                    // So that the map is that of all that was found.
                    let progress = answers::progress_of(Some(id), watched.feed.progress(&self.job));
                    worked.answer.push(Bytes::Own(progress.to_frame()));
                }
                let count = self.is_search.then_some(summary.count);
                let note = if self.is_search { LOST_FROM } else { LOST };
                let note = summary.lost.then(|| note.to_owned());
                let done = Done { id, more: summary.more, count, cancelled: false, note };
                worked.answer.push(Bytes::Own(FromServer::Done(done).to_frame()));
                worked.slice = Slice::Done;
                return worked;
            }
        }
        if now >= self.told + PROGRESS_EVERY {
            self.told = now;
            let progress = answers::progress_of(Some(id), watched.feed.progress(&self.job));
            worked.answer.push(Bytes::Own(progress.to_frame()));
        }
        worked
    }
}

/// Checks what is asked for, and begins with it.
fn begin(
    message: &FromViewer,
    position: &Position,
    logs: &mut Logs,
    now: Instant,
) -> Result<Working, Refusal> {
    let own = position.filter();
    let (task, filter) = match message {
        FromViewer::Older { before, lines, .. } => {
            (Task::Older { before: cursor(before)?, lines: (*lines).min(MOST_LINES) }, own)
        }
        FromViewer::Newer { after, lines, .. } => {
            (Task::Newer { after: cursor(after)?, lines: (*lines).min(MOST_LINES) }, own)
        }
        FromViewer::Seek { to, .. } => (Task::Seek(goal(to)?), None),
        FromViewer::Search(search) => {
            let patterns = search.patterns();
            if patterns.is_empty() {
                return Err(Refusal::new(Code::NoPattern, "A search needs a pattern."));
            }
            let filter = logs.filters.get(patterns.spec(), now)?;
            let from = search.from.as_deref().map(cursor).transpose()?;
            (Task::Search { filter, from, most: search.most.min(MOST_HITS) }, None)
        }
        _ => return Err(Refusal::new(Code::Message, "This is no request.")),
    };
    let job = Job::new(task, filter);
    let side = if matches!(message, FromViewer::Newer { .. }) { Side::Newer } else { Side::Older };
    Ok(Working { job, side, is_search: matches!(message, FromViewer::Search(_)), told: now })
}

fn cursor(token: &str) -> Result<Cursor, Refusal> {
    const DAMAGED: &str = "This names no place in any log: the cursor, or the link it is in, is damaged.";
    token.parse().map_err(|_| Refusal::new(Code::Cursor, DAMAGED))
}

fn goal(to: &Goal) -> Result<SeekTo, Refusal> {
    Ok(match to {
        Goal::Start {} => SeekTo::Start,
        Goal::End {} => SeekTo::End,
        Goal::Percent(percent) if (0.0..=100.0).contains(percent) => SeekTo::Percent(*percent),
        Goal::Percent(percent) => {
            return Err(Refusal::new(Code::Percent, format!("{percent} is no percentage: 0 to 100.")));
        }
        Goal::Line(0) => return Err(Refusal::new(Code::Line, "The first line is line 1.")),
        Goal::Line(line) => SeekTo::Line(*line),
        Goal::Time(time) => SeekTo::time(time, SystemTime::now())
            .map_err(|error| Refusal::new(Code::Time, format!("{error}.")))?,
        Goal::Cursor(token) => SeekTo::Cursor(cursor(token)?),
    })
}
