//! What a viewer asks for beside the stream: heard at once, done in slices when its turn comes.
//!
//! Of each kind there is one at a time, the latest, so a thousand requests cost no more than one: another of the kind, or a
//! `cancel`, ends it. Nothing is answered into a connection that has not taken what it was sent before.
//!
//! Knows who asks what; the connection and the stream are the viewer's.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use super::logs::Logs;
use super::request::{Request, Worked, cancelled};
use super::turns::Slice;
use super::wire::{FromServer, FromViewer, Patterns};
use crate::tail::Position;

/// So many ends of requests wait to be told. Who asks for more than that before listening is told of the last ones.
const MOST_ENDED: usize = 8;

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
        let before = slot.replace(Request::asked(id, message));
        if let Some(before) = before.filter(|before| !before.is_done()) {
            self.end(cancelled(before.id()));
        }
    }

    fn cancel(&mut self, id: u32) {
        let named = |request: &mut Request| request.id() == id;
        let cancelled_one = self.search.take_if(named).or_else(|| self.other.take_if(named));
        if cancelled_one.is_some_and(|request| !request.is_done()) {
            self.end(cancelled(id));
        }
    }

    /// All of them end here: what is still to be said of that.
    pub fn give_up(self) -> impl Iterator<Item = FromServer> {
        let unanswered = [self.search, self.other].into_iter().flatten();
        self.ended.into_iter().chain(unanswered.map(|request| cancelled(request.id())))
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
            return Worked { answers: vec![ended.into()], slice: Slice::More };
        }
        let waited_for = |request: &Option<Request>| request.as_ref().map(|request| !request.is_done());
        let searches = match (waited_for(&self.search), waited_for(&self.other)) {
            (None, None) => return Worked { answers: Vec::new(), slice: Slice::Done },
            (Some(search), Some(other)) if search == other => matches!(self.turn, Turn::Search),
            // One that nobody waits for any more comes last.
            (Some(search), other) => search || other.is_none(),
            (None, Some(_)) => false,
        };
        self.turn = if searches { Turn::Other } else { Turn::Search };
        let slot = if searches { &mut self.search } else { &mut self.other };
        let Some(request) = slot else { return Worked { answers: Vec::new(), slice: Slice::Done } };
        let worked = request.work(log, position.filter(), logs, now);
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
