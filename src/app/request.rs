//! One question about a log's past, from its first slice to its last answer.
//!
//! ```text
//!   Asked --- first slice ---> Working --- slices ---> done, or an error
//!                                             '------> Numbering --- when there is nothing else to do ---> over
//! ```
//!
//! Knows logs and messages; not who asks, nor by which way the answers go.

use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use super::logs::Logs;
use super::turns::Slice;
use super::wire::answers::{self, Answer, Side};
use super::wire::{Code, Done, FromServer, FromViewer, Goal, Refusal};
use crate::tail::Cursor;
use crate::tail::history::job::{Job, SeekTo, Task, Work};
use crate::tail::pattern::Filter;

/// How often, at most, who asks is told how far it has come.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// The most lines that `older` and `newer` give, and the most hits that are listed.
const MOST_LINES: usize = 10_000;
const MOST_HITS: usize = 10_000;
const LOST: &str = "The place that was asked for is not there any more.";
const LOST_FROM: &str = "The place to begin at is not there any more: this search began at the end.";

/// See the module.
#[derive(Debug)]
pub struct Request {
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
    pub answers: Vec<Answer>,
    /// What is left to do.
    pub slice: Slice,
}

/// What is said of a request that was given up.
pub fn cancelled(id: u32) -> FromServer {
    FromServer::Done(Done { id, more: false, count: None, cancelled: true, note: None })
}

impl Request {
    /// Asked for, and not looked at yet: what is wrong with it will be its answer.
    pub fn asked(id: u32, message: FromViewer) -> Self {
        Self { id, state: State::Asked(message) }
    }

    /// Asked for by somebody who sees only what `own` shows, and looked at.
    ///
    /// # Errors
    /// Why it cannot be answered.
    pub fn begin(
        message: &FromViewer,
        own: Option<Rc<Filter>>,
        logs: &mut Logs,
        now: Instant,
    ) -> Result<Self, Refusal> {
        let working = begin(message, own, logs, now)?;
        Ok(Self { id: message.id().unwrap_or_default(), state: State::Working(Box::new(working)) })
    }

    /// The number that it was given.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Nobody waits for its end any more.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Numbering(_))
    }

    /// One step, for somebody who sees only what `own` shows of `log`. `Done` if that was the last one.
    pub fn work(&mut self, log: &Rc<str>, own: Option<Rc<Filter>>, logs: &mut Logs, now: Instant) -> Worked {
        let id = self.id;
        match &mut self.state {
            State::Asked(message) => match begin(message, own, logs, now) {
                Ok(working) => {
                    self.state = State::Working(Box::new(working));
                    Worked { answers: Vec::new(), slice: Slice::More }
                }
                Err(refusal) => Worked::last(refusal.answer(Some(id))),
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
                let mut worked = Worked { answers: Vec::new(), slice: Slice::More };
                match logs.watched(log).map(|watched| watched.feed.work(numbers, now)) {
                    Some(Work::Again) => {}
                    Some(Work::Later) => worked.slice = Slice::Later,
                    Some(Work::Found(found)) => worked.answers.push(Answer::of(id, Side::Older, found)),
                    Some(Work::Done(_)) | None => worked.slice = Slice::Done,
                }
                worked
            }
        }
    }
}

impl Worked {
    /// The end of a request.
    fn last(answer: FromServer) -> Self {
        Self { answers: vec![answer.into()], slice: Slice::Done }
    }
}

impl Working {
    fn step(&mut self, id: u32, log: &Rc<str>, logs: &mut Logs, now: Instant) -> Worked {
        let Some(watched) = logs.watched(log) else { return Worked::last(cancelled(id)) };
        let mut worked = Worked { answers: Vec::new(), slice: Slice::More };
        match watched.feed.work(&mut self.job, now) {
            Work::Again => {}
            Work::Later => worked.slice = Slice::Later,
            Work::Found(found) => worked.answers.push(Answer::of(id, self.side, found)),
            Work::Done(summary) => {
                if self.is_search {
                    // So that the map is that of all that was found.
                    let progress = watched.feed.progress(&self.job);
                    worked.answers.push(answers::progress_of(Some(id), progress).into());
                }
                let count = self.is_search.then_some(summary.count);
                let note = if self.is_search { LOST_FROM } else { LOST };
                let note = summary.lost.then(|| note.to_owned());
                let done = Done { id, more: summary.more, count, cancelled: false, note };
                worked.answers.push(FromServer::Done(done).into());
                worked.slice = Slice::Done;
                return worked;
            }
        }
        if now >= self.told + PROGRESS_EVERY {
            self.told = now;
            let progress = watched.feed.progress(&self.job);
            worked.answers.push(answers::progress_of(Some(id), progress).into());
        }
        worked
    }
}

/// Checks what is asked for, and begins with it.
fn begin(
    message: &FromViewer,
    own: Option<Rc<Filter>>,
    logs: &mut Logs,
    now: Instant,
) -> Result<Working, Refusal> {
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
