//! A log that things happen to, and viewers who read it through a feed.
//!
//! Nobody sleeps: time is an argument. Who makes the things happen, at random, is for the programs that use this.

use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use tempfile::TempDir;
use wiretail::tail::beneath::Root;
use wiretail::tail::{Feed, Position, Start, Step};

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
}

/// One log, its feed while somebody needs it, and its viewers with what they have received.
pub(crate) struct Scene {
    folder: TempDir,
    log: Log,
    feed: Option<Feed<()>>,
    viewers: Vec<(Record, Option<Position>)>,
    begun: Instant,
}

const MOST_VIEWERS: usize = 4;

impl Scene {
    /// `app.log` in an empty folder; see [`Log::new`].
    pub(crate) fn new(folder: TempDir, dated: bool) -> Self {
        let log = Log::new(folder.path(), dated);
        Self { folder, log, feed: None, viewers: Vec::new(), begun: Instant::now() }
    }

    fn now(&self) -> Instant {
        self.begun + self.log.clock()
    }

    fn feed(&mut self) -> &mut Feed<()> {
        let now = self.now();
        let root = || Rc::new(Root::open(self.folder.path()).unwrap());
        self.feed
            .get_or_insert_with(|| Feed::open(root(), Path::new("app.log").to_owned(), Rc::default(), now))
    }

    /// Lets it happen.
    pub(crate) fn play(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Log(operation) => {
                if let Operation::CopyTruncate = operation {
                    self.viewers.iter_mut().for_each(|(record, _)| record.before_copy(&self.log));
                }
                self.log.apply(operation);
            }
            Event::Look(hinted) => {
                let now = self.now();
                if *hinted {
                    self.feed().look_now(now)
                } else {
                    self.feed().look(now)
                };
            }
            Event::Connect(start) => {
                if self.viewers.len() < MOST_VIEWERS {
                    let position = self.feed().start(start);
                    let mut record = Record::default();
                    let cursor = self.feed().cursor(&position);
                    record.begin(&self.log, cursor);
                    self.viewers.push((record, Some(position)));
                }
            }
            Event::Read(viewer, most) if !self.viewers.is_empty() => {
                self.read(viewer % self.viewers.len(), *most)?;
            }
            Event::LeaveOrReturn(viewer) if !self.viewers.is_empty() => {
                let viewer = viewer % self.viewers.len();
                if self.viewers[viewer].1.take().is_none() {
                    self.come_back(viewer);
                }
            }
            Event::Read(..) | Event::LeaveOrReturn(_) => {}
            Event::Restart => {
                self.feed = None;
                self.viewers.iter_mut().for_each(|(_, position)| *position = None);
            }
        }
        Ok(())
    }

    fn come_back(&mut self, viewer: usize) {
        // Through its text, as a browser would bring it.
        let token = self.viewers[viewer].0.come_back().to_string();
        let position = self.feed().start(&Start::Cursor(token.parse().unwrap()));
        self.viewers[viewer].1 = Some(position);
    }

    fn read(&mut self, viewer: usize, most: usize) -> Result<usize, String> {
        let now = self.now();
        for count in 0..most {
            let Some(position) = self.viewers[viewer].1.clone() else {
                return Ok(count);
            };
            let Step::Piece(piece, position) = self.feed().next(&position, now) else {
                return Ok(count);
            };
            let (record, at) = &mut self.viewers[viewer];
            record
                .receive(&self.log, &piece.kind)
                .map_err(|why| format!("viewer {viewer}: {why}: {piece:?}"))?;
            *at = Some(position);
        }
        Ok(most)
    }

    /// Everybody returns and reads to the end; long enough that nothing more is expected of renamed files.
    pub(crate) fn finish(&mut self) -> Result<(), String> {
        for _ in 0..30 {
            self.log.apply(&Operation::Pause(300));
            self.play(&Event::Look(true))?;
            for viewer in 0..self.viewers.len() {
                if self.viewers[viewer].1.is_none() {
                    self.come_back(viewer);
                }
                if self.read(viewer, 10_000)? == 10_000 {
                    return Err(format!("viewer {viewer} never comes to the end"));
                }
            }
        }
        let checked = |(viewer, (record, _)): (usize, &(Record, _))| {
            record.check(&self.log).map_err(|why| format!("viewer {viewer}: {why}"))
        };
        self.viewers.iter().enumerate().try_for_each(checked)
    }
}
