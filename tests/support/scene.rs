//! A log that things happen to, and viewers who read it through a feed.
//!
//! Nobody sleeps: time is an argument. Who makes the things happen, at random, is for the programs that use this.
#![allow(dead_code, reason = "each test program uses the part it needs")]

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;
use wiretail::tail::beneath::Root;
use wiretail::tail::disk::{Disk, Fault, Faults};
use wiretail::tail::{Feed, PieceKind, Position, Start, Step};

use super::history::{Log, Operation, Record};

/// What happens next.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// To the log.
    Log(Operation),
    /// The server looks at it; at its path too, if it was told to.
    Look(bool),
    /// A viewer comes.
    Connect(Start),
    /// A viewer reads so many pieces.
    Read(usize, usize),
    /// A viewer goes, if it is there, and otherwise returns with its cursor.
    LeaveOrReturn(usize),
    /// The server goes, and comes back when it is next needed. Its viewers have to return.
    Restart,
    /// The disk will fail, see [`Faults::begin`].
    Fail(Fault, u64, u64),
}

/// One log, its feed while somebody needs it, and its viewers with what they have received.
pub(crate) struct Scene {
    folder: TempDir,
    faults: Arc<Faults>,
    log: Log,
    feed: Option<Feed<()>>,
    viewers: Vec<Viewer>,
    begun: Instant,
    has_failed: bool,
    // From a fault on that takes them away.
    handles_lost: bool,
}

/// Somebody who reads the log, and at times goes away.
#[derive(Default)]
struct Viewer {
    record: Record,
    position: Option<Position>,
    // Why it cannot read, as it was told since it came; and how often it was told such a thing.
    missing: Option<String>,
    outages: usize,
}

const MOST_VIEWERS: usize = 4;

impl Scene {
    /// `app.log` in an empty folder; see [`Log::new`].
    pub(crate) fn new(folder: TempDir, dated: bool) -> Self {
        let log = Log::new(folder.path(), dated);
        let (faults, viewers, begun) = (Faults::anywhere(), Vec::new(), Instant::now());
        Self { folder, faults, log, feed: None, viewers, begun, has_failed: false, handles_lost: false }
    }

    /// What befalls the disk.
    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// How often a viewer was told at most that the log cannot be read.
    pub(crate) fn outages(&self) -> usize {
        self.viewers.iter().map(|viewer| viewer.outages).max().unwrap_or(0)
    }

    fn now(&self) -> Instant {
        self.begun + self.log.clock()
    }

    fn feed(&mut self) -> &mut Feed<()> {
        let now = self.now();
        let root = || Rc::new(Root::wait_for(&Disk::with(&self.faults), self.folder.path()));
        self.feed
            .get_or_insert_with(|| Feed::open(root(), Path::new("app.log").to_owned(), Rc::default(), now))
    }

    /// Lets it happen.
    pub(crate) fn play(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Log(operation) => {
                if let Operation::CopyTruncate = operation {
                    self.viewers.iter_mut().for_each(|viewer| viewer.record.before_copy(&self.log));
                }
                self.log.apply(operation);
            }
            Event::Look(hinted) => {
                let (now, met) = (self.now(), self.faults.met());
                if *hinted {
                    self.feed().look_now(now)
                } else {
                    self.feed().look(now)
                };
                if *hinted && self.faults.met() == met {
                    self.log.see();
                }
            }
            Event::Connect(start) => {
                if self.viewers.len() < MOST_VIEWERS {
                    let now = self.now();
                    let position = self.feed().start(start, now);
                    let mut record = Record::default();
                    let cursor = self.feed().cursor(&position);
                    record.begin(&self.log, cursor);
                    if self.has_failed {
                        record.after_faults();
                    }
                    if self.handles_lost {
                        record.before_handles_are_lost();
                    }
                    self.viewers.push(Viewer { record, position: Some(position), ..Viewer::default() });
                }
            }
            Event::Read(viewer, most) if !self.viewers.is_empty() => {
                self.read(viewer % self.viewers.len(), *most)?;
            }
            Event::LeaveOrReturn(viewer) if !self.viewers.is_empty() => {
                let viewer = viewer % self.viewers.len();
                if self.viewers[viewer].position.take().is_none() {
                    self.come_back(viewer);
                }
            }
            Event::Read(..) | Event::LeaveOrReturn(_) => {}
            Event::Restart => {
                self.feed = None;
                self.viewers.iter_mut().for_each(|viewer| viewer.position = None);
            }
            Event::Fail(fault, first, times) => {
                self.has_failed = true;
                if *fault == Fault::Stale {
                    self.handles_lost = true;
                    self.viewers.iter_mut().for_each(|viewer| viewer.record.before_handles_are_lost());
                }
                self.faults.begin(*fault, *first, *times);
            }
        }
        Ok(())
    }

    fn come_back(&mut self, viewer: usize) {
        // Through its text, as a browser would bring it.
        let token = self.viewers[viewer].record.come_back().to_string();
        let now = self.now();
        let position = self.feed().start(&Start::Cursor(token.parse().unwrap()), now);
        self.viewers[viewer].position = Some(position);
        self.viewers[viewer].missing = None;
    }

    fn read(&mut self, viewer: usize, most: usize) -> Result<usize, String> {
        let now = self.now();
        for count in 0..most {
            let Some(position) = self.viewers[viewer].position.clone() else {
                return Ok(count);
            };
            let Step::Piece(piece, position) = self.feed().next(&position, now) else {
                return Ok(count);
            };
            self.viewers[viewer]
                .receive(&self.log, &piece.kind)
                .map_err(|why| format!("viewer {viewer}: {why}: {piece:?}"))?;
            self.viewers[viewer].position = Some(position);
        }
        Ok(most)
    }

    /// The disk is well, everybody returns and reads to the end; long enough that nothing more is expected of renamed
    /// files.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        self.faults.end();
        for _ in 0..30 {
            self.log.apply(&Operation::Pause(300));
            self.play(&Event::Look(true))?;
            for viewer in 0..self.viewers.len() {
                if self.viewers[viewer].position.is_none() {
                    self.come_back(viewer);
                }
                if self.read(viewer, 10_000)? == 10_000 {
                    return Err(format!("viewer {viewer} never comes to the end"));
                }
            }
        }
        let checked = |(number, viewer): (usize, &Viewer)| {
            viewer.check(&self.log).map_err(|why| format!("viewer {number}: {why}"))
        };
        self.viewers.iter().enumerate().try_for_each(checked)
    }
}

impl Viewer {
    fn receive(&mut self, log: &Log, piece: &PieceKind) -> Result<(), String> {
        match piece {
            PieceKind::Missing { why } if self.missing.as_ref() == Some(why) => {
                return Err("it is told twice that the log cannot be read".into());
            }
            PieceKind::Missing { why } => {
                self.missing = Some(why.clone());
                self.outages += 1;
            }
            PieceKind::Back if self.missing.take().is_none() => {
                return Err("the log is back, and never was away".into());
            }
            _ => {}
        }
        self.record.receive(log, piece)
    }

    fn check(&self, log: &Log) -> Result<(), String> {
        match &self.missing {
            Some(why) if log.current.is_some() => Err(format!("is left with {why:?}, and the file is there")),
            _ => self.record.check(log),
        }
    }
}
