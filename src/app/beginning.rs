//! Where somebody begins to read, and how that is told. With a filter it is before the last lines that pass: they have to be
//! looked for, in slices.
//!
//! Knows logs and what was asked for; not who looks.

use std::rc::Rc;
use std::time::Instant;

use super::Context;
use super::viewer::Wish;
use super::wire::{Frames, FromServer, GapWhy, SERVER};
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
    /// If what `wish` asks for has to be looked for: so it is.
    pub fn of(wish: &Wish, feed: &mut Feed<Frames>, now: Instant) -> Option<Box<Self>> {
        match (&wish.filter, &wish.start) {
            (Some(filter), Start::Lines(lines)) if *lines > 0 => {
                Some(Box::new(Self::new(*lines, Rc::clone(filter), wish.unreadable.clone(), feed, now)))
            }
            _ => None,
        }
    }

    /// Looks for the place before the last `lines` lines that pass `filter`.
    fn new(
        lines: usize,
        filter: Rc<Filter>,
        unreadable: Option<String>,
        feed: &mut Feed<Frames>,
        now: Instant,
    ) -> Self {
        let end = feed.start(&Start::End, now);
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
                let position = feed.start(&Start::Cursor(self.found.clone()), now);
                let position = feed.filtered(&position, Some(Rc::clone(&self.filter)), now);
                Begun::Here { position, bounded: bounded.unwrap_or(true) }
            }
        }
    }
}

/// What is said first to somebody who begins at `position`: what this log is, and if the cursor that came along cannot be
/// read, that it does not go on there.
pub fn greeting(
    log: &Rc<str>,
    position: &Position,
    lines: usize,
    unreadable: Option<String>,
    bounded: bool,
    context: &mut Context<'_>,
) -> Vec<FromServer> {
    let writable = context.logs.is_room(log) && context.visitor().may_write();
    let Some(watched) = context.logs.watched(log) else { return Vec::new() };
    let (cursor, lens) = (watched.feed.cursor(position).to_string(), watched.feed.lens());
    let hello = FromServer::Hello {
        name: log.to_string(),
        cursor: cursor.clone(),
        size: watched.feed.size(),
        lines,
        server: SERVER.to_owned(),
        encoding: lens.encoding().to_owned(),
        redacted: lens.redacts(),
        writable,
        filter: position.is_filtered(),
        bounded,
    };
    let gap = |from| FromServer::Gap { from, to: cursor, bytes: None, why: GapWhy::Unknown };
    std::iter::once(hello).chain(unreadable.map(gap)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;
    use std::path::PathBuf;

    use super::*;
    use crate::tail::beneath::Root;
    use crate::tail::pattern::FilterSpec;
    use crate::tail::{PieceKind, Step};

    /// What a viewer of `feed` who begins at `position` is shown of what is there, and how many gaps.
    fn shown(feed: &mut Feed<Frames>, mut position: Position, now: Instant) -> (String, usize) {
        let (mut text, mut gaps) = (String::new(), 0);
        while let Step::Piece(piece, next) = feed.next(&position, now) {
            position = next;
            match &piece.kind {
                PieceKind::Lines { text: lines, .. } => text += std::str::from_utf8(lines).unwrap(),
                PieceKind::Gap { .. } => gaps += 1,
                _ => {}
            }
        }
        (text, gaps)
    }

    /// Begins in a log with `before` in it, to which `meanwhile` is written while the place is looked for.
    fn begins(before: Option<&str>, meanwhile: &str) -> (String, usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        before.into_iter().for_each(|text| fs::write(&path, text).unwrap());
        let mut now = Instant::now();
        let root = Rc::new(Root::open(folder.path()).unwrap());
        let mut feed = Feed::open(root, PathBuf::from("app.log"), Rc::default(), now);
        let spec = FilterSpec { grep: vec!["x".to_owned()], ..FilterSpec::default() };
        let filter = Rc::new(Filter::new(&spec).unwrap());
        let mut beginning = Beginning::new(2, filter, None, &mut feed, now);
        let mut log = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        log.write_all(meanwhile.as_bytes()).unwrap();
        loop {
            now += std::time::Duration::from_secs(1);
            feed.look(now);
            if let Begun::Here { position, .. } = beginning.look(&mut feed, now) {
                return shown(&mut feed, position, now);
            }
        }
    }

    #[test]
    fn what_is_written_while_the_place_is_looked_for_is_not_skipped() {
        let none = (String::new(), 0);
        assert_eq!(begins(Some("one\n"), "two\n"), none);
        assert_eq!(begins(Some("one\n"), "x2\n"), ("x2\n".to_owned(), 0), "nothing passed before");
        assert_eq!(begins(Some("x1\none"), " x\nx2\n"), ("x1\none x\nx2\n".to_owned(), 0));
        assert_eq!(begins(None, "x2\n"), ("x2\n".to_owned(), 0), "there was no file");
    }
}
