//! Where a viewer with a filter begins: before the last lines that pass. They have to be looked for, in slices.
//!
//! Knows logs; not the viewer.

use std::rc::Rc;
use std::time::Instant;

use super::wire::Frames;
use crate::tail::history::job::{Found, Job, Task, Work};
use crate::tail::pattern::Filter;
use crate::tail::{Cursor, Feed, Position, Start};

/// So many slices are spent on it, of 256 KiB each at most: 64 MiB in all.
const MOST_SLICES: usize = 256;

/// Somebody of whom it is not known yet where to begin.
#[derive(Debug)]
pub struct Beginning {
    filter: Rc<Filter>,
    job: Job,
    slices: usize,
    /// Before the lines found so far; where it was asked, as long as there are none: what is written meanwhile is due.
    found: Cursor,
    /// The cursor it came with, if that could not be read.
    pub unreadable: Option<String>,
    /// How many lines it asked for.
    pub lines: usize,
}

/// How it stands with that.
#[derive(Debug)]
pub enum Begun {
    /// It is not known yet.
    NotYet,
    /// Here. If `bounded`, fewer lines than wanted were found, and it was not looked further back.
    Here {
        /// The position, with the filter.
        position: Position,
        /// See above.
        bounded: bool,
    },
}

impl Beginning {
    /// Looks for the place before the last `lines` lines that pass `filter`.
    pub fn new(
        lines: usize,
        filter: Rc<Filter>,
        unreadable: Option<String>,
        feed: &mut Feed<Frames>,
    ) -> Self {
        let end = feed.start(&Start::End);
        let before = feed.cursor(&end);
        let task = Task::Older { before: before.clone(), lines };
        let job = Job::new(task, Some(Rc::clone(&filter)));
        Self { filter, job, slices: 0, found: before, unreadable, lines }
    }

    /// One slice.
    pub fn look(&mut self, feed: &mut Feed<Frames>, now: Instant) -> Begun {
        self.slices += 1;
        let bounded = match feed.work(&mut self.job, now) {
            Work::Found(found) => {
                if let Found::Lines { from, text, .. } = found
                    && !text.is_empty()
                {
                    self.found = from;
                }
                None
            }
            Work::Again => None,
            Work::Done(_) => Some(false),
            // It is better to begin with fewer lines than not to begin.
            Work::Later => Some(true),
        };
        match bounded {
            None if self.slices < MOST_SLICES => Begun::NotYet,
            bounded => {
                let position = feed.start(&Start::Cursor(self.found.clone()));
                let position = feed.filtered(&position, Some(Rc::clone(&self.filter)), now);
                Begun::Here { position, bounded: bounded.unwrap_or(true) }
            }
        }
    }
}
