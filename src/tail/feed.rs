//! What viewers read a log from (skeleton: signatures only, so that others can build against them).

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::tail::beneath::Root;
use crate::tail::cursor::{Cursor, GuardPrint, HeadPrint, Place};
use crate::tail::window::{Piece, PieceKind};

/// One log as viewers read it: follower and shared window.
#[derive(Debug)]
pub struct Feed<E> {
    root: Rc<Root>,
    rel: PathBuf,
    encoded: PhantomData<E>,
}

/// Where a viewer begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// So many lines before the end.
    Lines(usize),
    /// Where it left off.
    Cursor(Cursor),
    /// At the first byte of the file.
    Beginning,
    /// With what is written from now on.
    End,
}

/// Where a viewer is. Cheap to clone, of constant size.
#[derive(Clone, Debug)]
pub struct Position {
    _seq: u64,
}

/// What [`Feed::next`] found.
#[derive(Debug)]
pub enum Step<E> {
    /// A piece, and where the viewer stands after it.
    Piece(Rc<Piece<E>>, Position),
    /// Nothing for now.
    UpToDate,
}

impl<E: Default> Feed<E> {
    /// Opens the log. Never fails: a file that cannot be read is waited for.
    pub fn open(root: Rc<Root>, rel: PathBuf, _now: Instant) -> Self {
        Self { root, rel, encoded: PhantomData }
    }

    /// The tick. True if viewers at the head have something to read.
    pub fn look(&mut self, _now: Instant) -> bool {
        false
    }

    /// As [`look`](Self::look), but looks at the path at once: something was heard of it.
    pub fn look_now(&mut self, now: Instant) -> bool {
        self.look(now)
    }

    /// When the feed wants to be looked at again.
    pub fn next_look(&self, now: Instant) -> Instant {
        now + Duration::from_millis(250)
    }

    /// The position of a viewer that begins at `start`.
    pub fn start(&mut self, _start: &Start) -> Position {
        Position { _seq: 0 }
    }

    /// The next piece for a viewer at `position`. At most one read of 64 KiB.
    pub fn next(&mut self, _position: &Position, _now: Instant) -> Step<E> {
        let _skeleton = Piece::<E>::new(PieceKind::Back);
        Step::UpToDate
    }

    /// How many bytes a viewer at `position` has still to get.
    pub fn lag(&self, _position: &Position) -> u64 {
        0
    }

    /// The token for `position`.
    pub fn cursor(&self, _position: &Position) -> Cursor {
        let place = Place { inode: 0, head: HeadPrint::of(b"", 0), guard: GuardPrint::of(b""), offset: 0 };
        Cursor::new(vec![place])
    }

    /// The file's size, if there is one.
    pub fn size(&self) -> Option<u64> {
        None
    }

    /// newest
    pub fn newest(&self) -> u64 {
        0
    }

    /// Why the file cannot be read now, if so.
    pub fn missing(&self) -> Option<&str> {
        None
    }

    /// The folder to watch (inotify) for hints.
    pub fn watch_path(&self) -> PathBuf {
        self.root.path().join(self.rel.parent().unwrap_or(Path::new("")))
    }
}
