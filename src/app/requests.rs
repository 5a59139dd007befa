//! What a viewer asks for beside the stream: heard at once, done in slices when its turn comes.
//!
//! Of each kind there is one at a time, the latest, so a thousand requests cost no more than one. Nothing is answered into
//! a connection that has not taken what it was sent before.
//!
//! Knows the messages; the connection and the stream are the viewer's.

use std::collections::VecDeque;
use std::time::Instant;

use super::wire::{Done, FromServer, FromViewer, Patterns};

/// So many ends of requests wait to be told. Who asks for more than that before listening is told of the last ones.
const MOST_ENDED: usize = 8;

/// The requests of one viewer that have not been answered.
#[derive(Debug, Default)]
pub struct Requests {
    filter: Option<Patterns>,
    ended: VecDeque<FromServer>,
}

impl Requests {
    /// Whether there is nothing to be done.
    pub fn are_idle(&self) -> bool {
        self.filter.is_none() && self.ended.is_empty()
    }

    /// A request, at `now`.
    pub fn hear(&mut self, request: FromViewer, _now: Instant) {
        match request {
            FromViewer::Filter(patterns) => self.filter = Some(patterns),
            FromViewer::Older { id, .. } | FromViewer::Newer { id, .. } | FromViewer::Seek { id, .. } => {
                self.not_yet(id);
            }
            FromViewer::Search(search) => self.not_yet(search.id),
            FromViewer::Cancel { id } => {
                self.end(FromServer::Done(Done { id, more: false, count: None, cancelled: true }));
            }
            FromViewer::Pause {} | FromViewer::Resume {} | FromViewer::Ping {} => {}
        }
    }

    fn not_yet(&mut self, id: u32) {
        let message = "This is understood, but not done yet.".to_owned();
        self.end(FromServer::Error { id: Some(id), message });
    }

    /// The filter that was asked for last, if it is new.
    pub fn take_filter(&mut self) -> Option<Patterns> {
        self.filter.take()
    }

    /// The next end of a request that is to be told.
    pub fn take_ended(&mut self) -> Option<FromServer> {
        self.ended.pop_front()
    }

    fn end(&mut self, answer: FromServer) {
        if self.ended.len() == MOST_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(answer);
    }
}
