//! Whatever happens to a log, and whatever its viewers do: each of them has every byte once, or was told what it
//! misses.
//!
//! Random operations on a real file, and random viewers that connect, read a little, stall, leave and return by their
//! cursor, also after the whole feed was closed. Time is an argument, so nobody sleeps.
#![cfg(feature = "tool")]

#[path = "support/history.rs"]
mod history;

use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use history::{Log, Operation, Record, operation};
use proptest::prelude::*;
use tempfile::TempDir;
use wiretail::tail::beneath::Root;
use wiretail::tail::{Feed, Position, Start, Step};

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
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

struct Scene {
    folder: TempDir,
    log: Log,
    feed: Option<Feed<()>>,
    viewers: Vec<(Record, Option<Position>)>,
    begun: Instant,
}

const MOST_VIEWERS: usize = 4;

impl Scene {
    fn new(dated: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::new(folder.path(), dated);
        Self { folder, log, feed: None, viewers: Vec::new(), begun: Instant::now() }
    }

    fn now(&self) -> Instant {
        self.begun + self.log.clock()
    }

    fn feed(&mut self) -> &mut Feed<()> {
        let now = self.now();
        let root = || Rc::new(Root::open(self.folder.path()).unwrap());
        self.feed.get_or_insert_with(|| Feed::open(root(), Path::new("app.log").to_owned(), now))
    }

    fn play(&mut self, event: &Event) -> Result<(), String> {
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
    fn finish(&mut self) -> Result<(), String> {
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

fn event() -> impl Strategy<Value = Event> {
    let start = prop_oneof![
        3 => (0..50_usize).prop_map(Start::Lines),
        1 => Just(Start::Beginning),
        1 => Just(Start::End),
    ];
    prop_oneof![
        10 => operation().prop_map(Event::Log),
        6 => any::<bool>().prop_map(Event::Look),
        2 => start.prop_map(Event::Connect),
        8 => (any::<usize>(), 1..6_usize).prop_map(|(viewer, most)| Event::Read(viewer, most)),
        2 => any::<usize>().prop_map(Event::LeaveOrReturn),
        1 => Just(Event::Restart),
    ]
}

proptest! {
    // The shortest history that fails is printed. PROPTEST_CASES asks for more than these.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(256),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_viewer_has_every_byte_once_or_was_told_what_it_misses(
        dated in any::<bool>(),
        events in prop::collection::vec(event(), 1..80),
    ) {
        let mut scene = Scene::new(dated);
        for event in &events {
            scene.play(event).map_err(TestCaseError::fail)?;
        }
        scene.finish().map_err(TestCaseError::fail)?;
    }
}
