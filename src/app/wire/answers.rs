//! What a job has found, in the words of `wiretail.v1`.
//!
//! Knows the log's past and the messages; not who asked.

use std::rc::Rc;

use super::{Activity, Begins, FromServer, Hit, Place, Progress, Stretch};
use crate::net::Bytes;
use crate::tail::history::job::{self, Doing, Found};

/// What `older` and `newer` are answered with, which differ in their name only.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    /// Before the place that was named.
    Older,
    /// Behind it.
    Newer,
}

/// One message of an answer, and the log text that belongs to it.
#[derive(Debug)]
pub struct Answer {
    /// What is said.
    pub message: FromServer,
    /// The text of `older` and `newer`; they have none where there is a gap.
    pub text: Option<Rc<[u8]>>,
}

impl From<FromServer> for Answer {
    fn from(message: FromServer) -> Self {
        Self { message, text: None }
    }
}

impl Answer {
    /// What was found by request `id`.
    pub fn of(id: u32, side: Side, found: Found) -> Self {
        match found {
            Found::Lines { from, to, text, bytes, begins } => {
                let (from, to, begins) = (from.to_string(), to.to_string(), begins.map(Begins::from));
                let stretch = Stretch { id, from, to, bytes: Some(bytes), begins, gap: None };
                Self { message: side.says(stretch), text: Some(text) }
            }
            Found::Gap { from, to, bytes, why } => {
                let (from, to, gap) = (from.to_string(), to.to_string(), Some(why.into()));
                side.says(Stretch { id, from, to, bytes, begins: None, gap }).into()
            }
            Found::Hits(hits) => {
                FromServer::Hits { id, hits: hits.into_iter().map(Hit::from).collect() }.into()
            }
            Found::Numbers(numbers) => {
                let lines = numbers.into_iter().map(|(which, line)| [which as u64, line]).collect();
                FromServer::Numbers { id, lines }.into()
            }
            Found::Place(place) => FromServer::Place(place_of(id, &place)).into(),
        }
    }

    /// As a text frame, in one or two runs of bytes.
    pub fn into_frame(self) -> impl Iterator<Item = Bytes> {
        let front = match &self.text {
            Some(text) => self.message.before_text(text.len()),
            None => self.message.to_frame(),
        };
        std::iter::once(Bytes::Own(front)).chain(self.text.map(Bytes::Shared))
    }
}

impl Side {
    fn says(self, stretch: Stretch) -> FromServer {
        match self {
            Self::Older => FromServer::Older(stretch),
            Self::Newer => FromServer::Newer(stretch),
        }
    }
}

/// How far request `id` has come.
pub fn progress_of(id: Option<u32>, progress: job::Progress) -> FromServer {
    let job::Progress { what, done, total, count, map } = progress;
    let (count, what) = ((!map.is_empty()).then_some(count), what.into());
    let map = map.into_iter().map(|count| u32::try_from(count).unwrap_or(u32::MAX)).collect();
    FromServer::Progress(Progress { id, what, done, total, count, map })
}

fn place_of(id: u32, place: &job::Place) -> Place {
    let job::Place { cursor, line, byte, file, exact } = place;
    let (cursor, file) = (cursor.to_string(), file.to_string());
    Place { id, cursor, line: *line, byte: *byte, file, exact: *exact }
}

impl From<job::Hit> for Hit {
    fn from(hit: job::Hit) -> Self {
        let job::Hit { cursor, line, byte, file, text, marks, at } = hit;
        // No text has so many characters; it is 1 KiB long at most.
        let unit = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let marks = marks.into_iter().map(|[from, to]| [unit(from), unit(to)]).collect();
        // Four digits are finer than any scrollbar.
        let at = (at * 1e4).round() / 1e4;
        Self { cursor: cursor.to_string(), line, byte, file: file.to_string(), text, marks, at }
    }
}

impl From<crate::tail::Begins> for Begins {
    fn from(begins: crate::tail::Begins) -> Self {
        match begins {
            crate::tail::Begins::Rotated => Self::Rotated,
            crate::tail::Begins::Truncated => Self::Truncated,
        }
    }
}

impl From<Doing> for Activity {
    fn from(doing: Doing) -> Self {
        match doing {
            Doing::Searching => Self::Searching,
            Doing::Counting => Self::Counting,
            Doing::Unpacking => Self::Unpacking,
        }
    }
}
