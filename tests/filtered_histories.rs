//! Whatever happens to a log, and however its viewers switch their filters, leave and return: what each of them is shown
//! under a filter is what `grep` makes of the lines that ended between the places where the filter was put on and where the
//! viewer is now.
//!
//! Random histories of a real file, as in `histories.rs`; time is an argument, so nobody sleeps. No bytes are lost here:
//! that those which are lost are told, filter or not, is held there.
#![cfg(feature = "tool")]

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tempfile::TempDir;
use wiretail::tail::beneath::Root;
use wiretail::tail::pattern::{Filter, FilterSpec};
use wiretail::tail::{Cursor, Feed, PieceKind, Position, Start, Step};

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    /// So many bytes of lines are written, wherever that ends.
    Append(usize),
    /// The same, to the file that was renamed last.
    Late(usize),
    Rotate,
    Look(bool),
    Pause(u64),
    /// A viewer reads so many pieces.
    Read(usize, usize),
    /// A viewer wants other lines: those with this in them, or all.
    Switch(usize, Option<&'static str>),
    /// A viewer comes back by its cursor, with the filter it had.
    Return(usize),
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    let pattern = prop::sample::select(vec![None, Some("ox"), Some("o"), Some(COSTLY), Some("never")]);
    prop_oneof![
        10 => (1..60_usize).prop_map(Event::Append),
        1 => (1..200_000_usize).prop_map(Event::Append),
        3 => (1..30_usize).prop_map(Event::Late),
        2 => Just(Event::Rotate),
        6 => any::<bool>().prop_map(Event::Look),
        4 => (0..1000_u64).prop_map(Event::Pause),
        10 => (0..VIEWERS, 1..6_usize).prop_map(|(viewer, most)| Event::Read(viewer, most)),
        4 => (0..VIEWERS, pattern).prop_map(|(viewer, pattern)| Event::Switch(viewer, pattern)),
        2 => (0..VIEWERS).prop_map(Event::Return),
        1 => Just(Event::Restart),
    ]
}

const VIEWERS: usize = 3;

/// Looked for by an expression of many places, so that pieces are judged a KiB at a time.
const COSTLY: &str = "dog";

/// A renamed file is followed for five seconds after it was last written to.
const LATE: Duration = Duration::from_secs(4);

/// One incarnation of the file.
struct Generation {
    file: File,
    inode: u64,
    text: String,
    written: Duration,
}

/// Somebody who watches.
struct Viewer {
    position: Option<Position>,
    cursor: Cursor,
    filter: Option<&'static str>,
    /// Where the filter was put on, and what was shown since.
    since: Cursor,
    shown: String,
}

struct Scene {
    folder: TempDir,
    generations: Vec<Generation>,
    feed: Option<Feed<()>>,
    /// By the text that they look for. Who wants the same has the same.
    filters: HashMap<&'static str, Rc<Filter>>,
    viewers: Vec<Viewer>,
    begun: Instant,
    clock: Duration,
    lines: usize,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (begun, clock) = (Instant::now(), Duration::ZERO);
        let (generations, viewers) = (Vec::new(), Vec::new());
        let filters = HashMap::new();
        let mut scene = Self { folder, generations, feed: None, filters, viewers, begun, clock, lines: 0 };
        scene.begin();
        // What tells it from all others.
        scene.append(0, 100);
        let start = scene.feed().start(&Start::Beginning, begun);
        let cursor = scene.feed().cursor(&start);
        for _ in 0..VIEWERS {
            let (since, cursor) = (cursor.clone(), cursor.clone());
            let position = Some(start.clone());
            scene.viewers.push(Viewer { position, cursor, filter: None, since, shown: String::new() });
        }
        scene
    }

    fn path(&self, number: usize) -> PathBuf {
        match number {
            0 => self.folder.path().join("app.log"),
            number => self.folder.path().join(format!("app.log.{number}")),
        }
    }

    fn begin(&mut self) {
        let file = OpenOptions::new().create(true).append(true).open(self.path(0)).unwrap();
        let inode = file.metadata().unwrap().ino();
        self.generations.push(Generation { file, inode, text: String::new(), written: self.clock });
    }

    fn now(&self) -> Instant {
        self.begun + self.clock
    }

    fn feed(&mut self) -> &mut Feed<()> {
        let now = self.now();
        let root = || Rc::new(Root::open(self.folder.path()).unwrap());
        self.feed
            .get_or_insert_with(|| Feed::open(root(), Path::new("app.log").to_owned(), Rc::default(), now))
    }

    /// Lines with and without an ox, all different; the last of them may be cut.
    fn append(&mut self, generation: usize, len: usize) {
        let mut text = String::new();
        let written = &mut self.generations[generation];
        if written.text.is_empty() {
            text = format!(
                "generation {generation} of this log begins here, and is like no other that there is\n"
            );
        }
        let end = text.len() + len;
        while text.len() < end {
            self.lines += 1;
            let beast = ["ox", "dog", "\u{20ac}", "fox"][self.lines % 4];
            text += &format!("{beast} {} {}\n", self.lines, "x".repeat(self.lines * 7 % 13));
        }
        // Between two characters.
        let cut = (0..=end.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap();
        text.truncate(cut);
        written.file.write_all(text.as_bytes()).unwrap();
        written.text += &text;
        written.written = self.clock;
    }

    fn play(&mut self, event: &Event) -> Result<(), String> {
        self.clock += Duration::from_millis(1);
        let newest = self.generations.len() - 1;
        match *event {
            Event::Append(len) => self.append(newest, len),
            Event::Late(len) => {
                if newest > 0 && self.generations[newest - 1].written + LATE > self.clock {
                    self.append(newest - 1, len);
                }
            }
            Event::Rotate => {
                for number in (0..=newest).rev() {
                    fs::rename(self.path(number), self.path(number + 1)).unwrap();
                }
                self.generations[newest].written = self.clock;
                self.begin();
                self.append(newest + 1, 1);
            }
            Event::Look(hinted) => {
                let now = self.now();
                if hinted {
                    self.feed().look_now(now)
                } else {
                    self.feed().look(now)
                };
            }
            Event::Pause(millis) => self.clock += Duration::from_millis(millis),
            Event::Read(viewer, most) => drop(self.read(viewer, most)?),
            Event::Switch(viewer, filter) => self.switch(viewer, filter)?,
            Event::Return(viewer) => self.viewers[viewer].position = None,
            Event::Restart => {
                self.feed = None;
                self.viewers.iter_mut().for_each(|viewer| viewer.position = None);
            }
        }
        Ok(())
    }

    fn position(&mut self, viewer: usize) -> Position {
        if let Some(position) = &self.viewers[viewer].position {
            return position.clone();
        }
        // Through its text, as a browser would bring it.
        let start = Start::Cursor(self.viewers[viewer].cursor.to_string().parse().unwrap());
        let now = self.now();
        let position = self.feed().start(&start, now);
        self.filtered(&position, self.viewers[viewer].filter)
    }

    fn filtered(&mut self, position: &Position, text: Option<&'static str>) -> Position {
        let now = self.now();
        let filter =
            text.map(|text| Rc::clone(self.filters.entry(text).or_insert_with(|| looking_for(text))));
        self.feed().filtered(position, filter, now)
    }

    fn read(&mut self, viewer: usize, most: usize) -> Result<usize, String> {
        for count in 0..most {
            let (position, now) = (self.position(viewer), self.now());
            let step = self.feed().next(&position, now);
            let Step::Piece(piece, position) = step else { return Ok(count) };
            let viewer = &mut self.viewers[viewer];
            viewer.position = Some(position);
            // As a client does, which knows no more than this.
            match &piece.kind {
                PieceKind::Lines { text, to, .. } => {
                    viewer.shown += std::str::from_utf8(text).unwrap();
                    viewer.cursor = to.clone();
                }
                PieceKind::Rotated { at } | PieceKind::Truncated { at } => viewer.cursor = at.clone(),
                PieceKind::Gap { .. } => return Err(format!("nothing is lost here: {piece:?}")),
                PieceKind::Missing { .. } | PieceKind::Back => {}
            }
        }
        Ok(most)
    }

    fn switch(&mut self, viewer: usize, filter: Option<&'static str>) -> Result<(), String> {
        self.check(viewer)?;
        let position = self.position(viewer);
        let position = self.filtered(&position, filter);
        let cursor = self.feed().cursor(&position);
        let viewer = &mut self.viewers[viewer];
        viewer.position = Some(position);
        (viewer.filter, viewer.since, viewer.cursor) = (filter, cursor.clone(), cursor);
        viewer.shown.clear();
        Ok(())
    }

    /// How far a generation was read at a cursor; all of it, if nothing more is expected of it.
    fn offset(&self, generation: usize, cursor: &Cursor) -> Option<usize> {
        let at = |inode| self.generations.iter().position(|generation| generation.inode == inode).unwrap();
        let place = cursor.places().iter().find(|place| at(place.inode) == generation);
        match place {
            Some(place) => Some(usize::try_from(place.offset).unwrap()),
            None if generation > at(cursor.places().last().unwrap().inode) => Some(0),
            None => None,
        }
    }

    /// The naive twin.
    fn check(&self, number: usize) -> Result<(), String> {
        let viewer = &self.viewers[number];
        let Some(pattern) = viewer.filter else { return Ok(()) };
        let mut expected = Vec::new();
        for (number, generation) in self.generations.iter().enumerate() {
            let (Some(from), to) = (self.offset(number, &viewer.since), self.offset(number, &viewer.cursor))
            else {
                continue;
            };
            let mut begun = 0;
            for line in generation.text.split_inclusive('\n') {
                let end = begun + line.len();
                // Half a line is over when its generation is, and that was not so where the filter was put on.
                let over = match line.ends_with('\n') {
                    true => end > from && to.is_none_or(|to| end <= to),
                    false => to.is_none(),
                };
                if over && line.contains(pattern) {
                    expected.push(line.trim_end_matches('\n'));
                }
                begun = end;
            }
        }
        // Late lines come between those of the successor.
        let mut shown: Vec<&str> = viewer.shown.lines().collect();
        shown.sort_unstable();
        expected.sort_unstable();
        if shown == expected {
            return Ok(());
        }
        let differs = shown.iter().zip(&expected).find(|(shown, expected)| shown != expected);
        Err(format!("viewer {number}: {} lines shown, {} expected; {differs:?}", shown.len(), expected.len()))
    }

    /// Everybody reads to the end; long enough that nothing more is expected of renamed files.
    fn finish(&mut self) -> Result<(), String> {
        for _ in 0..30 {
            self.play(&Event::Pause(300))?;
            self.play(&Event::Look(true))?;
            for viewer in 0..VIEWERS {
                if self.read(viewer, 100_000)? == 100_000 {
                    return Err(format!("viewer {viewer} never comes to the end"));
                }
            }
        }
        for viewer in 0..VIEWERS {
            self.check(viewer)?;
            let newest = self.generations.last().unwrap();
            let place = self.viewers[viewer].cursor.places().last().copied().unwrap();
            if (place.inode, place.offset) != (newest.inode, newest.text.len() as u64) {
                return Err(format!("viewer {viewer} is at {place:?}, not at the end"));
            }
        }
        Ok(())
    }
}

fn looking_for(text: &str) -> Rc<Filter> {
    let pattern = match text {
        COSTLY => format!("{text}|{}!", "(?:a|b)".repeat(130)),
        text => text.to_owned(),
    };
    let spec = FilterSpec { grep: vec![pattern], ..FilterSpec::default() };
    let filter = Filter::new(&spec).unwrap();
    assert_eq!(filter.part().is_some_and(|part| part <= 1024), text == COSTLY);
    Rc::new(filter)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(256),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn under_a_filter_every_line_that_passes_is_shown_once(events in prop::collection::vec(event(), 1..80)) {
        let mut scene = Scene::new();
        for event in &events {
            scene.play(event).map_err(TestCaseError::fail)?;
        }
        scene.finish().map_err(TestCaseError::fail)?;
    }
}
