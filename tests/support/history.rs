//! Random histories of a log: what is done to its file, what was written in each generation, and what each viewer
//! should therefore have received.
//!
//! Knows nothing of who reads: a [`Record`] is fed with pieces, wherever they came from.
#![allow(dead_code, reason = "each test program uses the part it needs")]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use wiretail::tail::cursor::{ENOUGH, GuardPrint, HeadPrint, Place};
use wiretail::tail::{Cursor, PieceKind};

/// A late line comes within this time after the last, so that the file is surely still followed (it is for 5 s).
const LATE: Duration = Duration::from_secs(4);

/// ... and only to one of the last generations: four renamed files are followed beside the newest.
const RECENT: usize = 4;

/// What can happen to a log.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// Bytes are added; if there is no file, it is created.
    Append(Bytes),
    /// Bytes are added to a file that was renamed a moment ago: the last one, or the one before.
    Late(usize, Bytes),
    /// The file is renamed, and a new one created.
    Rotate,
    /// The file is copied and then cut to nothing.
    CopyTruncate,
    /// The file is cut to nothing.
    Truncate,
    /// The file is removed.
    Delete,
    /// Another file is renamed over it.
    Replace(Bytes),
    /// Nothing happens for so many milliseconds.
    Pause(u64),
}

/// What is written: the kind of text and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes {
    /// Lines, characters of several bytes without a newline, or any bytes.
    pub(crate) kind: u8,
    /// Where it ends, so that lines and characters are cut anywhere.
    pub(crate) len: usize,
    /// What makes it different from others.
    pub(crate) seed: u64,
}

impl Bytes {
    fn make(self) -> Vec<u8> {
        let mut state = self.seed;
        let mut bytes = Vec::new();
        while bytes.len() < self.len {
            // SplitMix64, to be repeatable anywhere.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            match self.kind % 3 {
                0 => bytes.extend_from_slice(format!("{word:016x} a line\n").as_bytes()),
                1 => bytes.extend_from_slice(format!("\u{e9}{}\u{20ac}\u{1f600}", word % 1000).as_bytes()),
                _ => bytes.extend_from_slice(&word.to_be_bytes()),
            }
        }
        bytes.truncate(self.len);
        bytes
    }
}

fn bytes() -> impl Strategy<Value = Bytes> {
    let len = prop_oneof![6 => 0..100_usize, 3 => 0..2_000_usize, 1 => 0..200_000_usize];
    (any::<u8>(), len, any::<u64>()).prop_map(|(kind, len, seed)| Bytes { kind, len, seed })
}

/// Any operation, the likelier ones more often.
pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        10 => bytes().prop_map(Operation::Append),
        4 => (0..2_usize, bytes()).prop_map(|(back, bytes)| Operation::Late(back, bytes)),
        3 => Just(Operation::Rotate),
        2 => Just(Operation::CopyTruncate),
        1 => Just(Operation::Truncate),
        1 => Just(Operation::Delete),
        1 => bytes().prop_map(Operation::Replace),
        4 => (0..2_000_u64).prop_map(Operation::Pause),
    ]
}

/// One generation as it was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// All its bytes, whether they still exist or not.
    pub(crate) bytes: Vec<u8>,
    /// What became of them.
    pub(crate) fate: Fate,
    inode: u64,
    file: File,
    active: Duration,
}

/// Where the bytes of a generation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// In a file in the folder.
    Kept,
    /// In a copy, made before the file was cut.
    Copied,
    /// Nowhere: the file was cut.
    Cut,
    /// Nowhere, once all handles are closed.
    Deleted,
}

/// A log and all that was ever written to it.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    /// Oldest first.
    pub(crate) generations: Vec<Written>,
    current: Option<usize>,
    renamed: Vec<usize>,
    dated: bool,
    rotations: u32,
    clock: Duration,
}

impl Log {
    /// `app.log` in `folder`, which does not exist yet. Rotated files get dates or numbers.
    pub(crate) fn new(folder: &Path, dated: bool) -> Self {
        let (generations, renamed) = (Vec::new(), Vec::new());
        let folder = folder.to_owned();
        Self { folder, generations, current: None, renamed, dated, rotations: 0, clock: Duration::ZERO }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("app.log")
    }

    /// How much time has passed.
    pub(crate) fn clock(&self) -> Duration {
        self.clock
    }

    /// Does it. An operation that is impossible now does nothing.
    pub(crate) fn apply(&mut self, operation: &Operation) {
        self.clock += Duration::from_millis(1);
        match *operation {
            Operation::Append(bytes) => self.append(bytes),
            Operation::Late(back, bytes) => self.append_late(back, bytes),
            Operation::Rotate => self.rotate(),
            Operation::CopyTruncate if self.current.is_some() => {
                let copy = self.make_room();
                fs::copy(self.path(), copy).unwrap();
                self.cut(Fate::Copied);
            }
            Operation::CopyTruncate => {}
            Operation::Truncate => self.cut(Fate::Cut),
            Operation::Delete => {
                if let Some(current) = self.current.take() {
                    fs::remove_file(self.path()).unwrap();
                    self.generations[current].fate = Fate::Deleted;
                }
            }
            Operation::Replace(bytes) => self.replace(bytes),
            Operation::Pause(millis) => self.clock += Duration::from_millis(millis),
        }
    }

    fn append(&mut self, bytes: Bytes) {
        let current = match self.current {
            Some(current) => current,
            None => {
                let file = create(&self.path());
                self.begin(file)
            }
        };
        self.write(current, bytes);
    }

    fn append_late(&mut self, back: usize, bytes: Bytes) {
        let Some(&late) = self.renamed.iter().rev().nth(back % 2) else {
            return;
        };
        let recent = self.generations.len() - late <= RECENT;
        if recent && self.clock - self.generations[late].active < LATE {
            self.write(late, bytes);
        }
    }

    /// What is written first in a generation is like nothing else, so that it can be told from all others.
    fn write(&mut self, generation: usize, bytes: Bytes) {
        let (clock, written) = (self.clock, &mut self.generations[generation]);
        let mut text = Vec::new();
        if written.bytes.is_empty() {
            text.extend_from_slice(format!("<{generation}:{:016x}>", bytes.seed).as_bytes());
        }
        text.extend_from_slice(&bytes.make());
        written.file.write_all(&text).unwrap();
        written.bytes.extend_from_slice(&text);
        written.active = clock;
    }

    fn rotate(&mut self) {
        let Some(current) = self.current else {
            return;
        };
        let old = self.make_room();
        fs::rename(self.path(), old).unwrap();
        self.generations[current].active = self.clock;
        self.renamed.push(current);
        let file = create(&self.path());
        self.begin(file);
    }

    /// The name of the next rotated file; the others move on.
    fn make_room(&mut self) -> PathBuf {
        self.rotations += 1;
        if self.dated {
            return self.folder.join(format!("app.log-2026{:010}", self.rotations));
        }
        let name = |number: u32| self.folder.join(format!("app.log.{number}"));
        for number in (1..self.rotations).rev() {
            if name(number).exists() {
                fs::rename(name(number), name(number + 1)).unwrap();
            }
        }
        name(1)
    }

    fn cut(&mut self, fate: Fate) {
        let Some(current) = self.current else {
            return;
        };
        let file = self.generations[current].file.try_clone().unwrap();
        file.set_len(0).unwrap();
        self.generations[current].fate = fate;
        self.begin(file);
    }

    fn replace(&mut self, bytes: Bytes) {
        let beside = self.folder.join("new");
        let file = create(&beside);
        if let Some(current) = self.current {
            self.generations[current].fate = Fate::Deleted;
        }
        let next = self.begin(file);
        self.write(next, bytes);
        fs::rename(beside, self.path()).unwrap();
    }

    fn begin(&mut self, file: File) -> usize {
        let inode = file.metadata().unwrap().ino();
        let written = Written { bytes: Vec::new(), fate: Fate::Kept, inode, file, active: self.clock };
        self.generations.push(written);
        self.current = Some(self.generations.len() - 1);
        self.generations.len() - 1
    }

    /// A copy that is too short to be recognised counts as a generation of its own; so somebody may be told that the
    /// file was cut after having read the copy.
    fn has_short_copy(&self, place: &Place) -> bool {
        let short = |written: &&Written| written.bytes.len() < ENOUGH && written.fate == Fate::Copied;
        self.generations.iter().filter(short).any(|written| written.inode == place.inode)
    }

    /// The generation that a place names. One at offset 0 says too little.
    fn named(&self, place: &Place) -> Option<usize> {
        let offset = usize::try_from(place.offset).ok().filter(|&offset| offset > 0)?;
        self.generations.iter().rposition(|written| {
            written.bytes.get(..offset).is_some_and(|before| {
                HeadPrint::of(before, place.offset) == place.head && GuardPrint::of(before) == place.guard
            })
        })
    }
}

fn create(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// What one viewer received, put together by cursor.
#[derive(Debug, Default)]
pub(crate) struct Record {
    cursor: Option<Cursor>,
    // Where the viewer began, or began again after a gap of unknown size.
    begun: BTreeMap<usize, u64>,
    first: usize,
    // Standing before the first byte of a generation, all of it and of later ones is to be had. Which one it is of
    // those that were in this inode, its place does not say; the first bytes will.
    vague: Option<u64>,
    spans: BTreeMap<usize, Vec<Span>>,
    // How much it had of a generation when that was copied and cut.
    had_when_copied: BTreeMap<usize, u64>,
    truncations: usize,
    excused: usize,
}

#[derive(Debug)]
struct Span {
    from: u64,
    to: u64,
    /// None for a gap.
    text: Option<Vec<u8>>,
}

impl Record {
    /// The viewer begins here.
    pub(crate) fn begin(&mut self, log: &Log, cursor: Cursor) {
        let known = cursor.places().iter().filter_map(|place| Some((log.named(place)?, place.offset)));
        self.begun = known.collect();
        let newest = cursor.places().last().copied().unwrap();
        let in_file = || log.generations.iter().rposition(|written| written.inode == newest.inode);
        // Before there was a file (inode 0), everything is to be had that comes.
        let to_come = log.current.unwrap_or(log.generations.len());
        self.first = log.named(&newest).or_else(in_file).unwrap_or(to_come);
        self.vague = (newest.offset == 0).then_some(newest.inode);
        self.cursor = Some(cursor);
    }

    /// The viewer returns: with this cursor.
    pub(crate) fn come_back(&mut self) -> Cursor {
        let cursor = self.cursor.clone().expect("it has begun");
        let newest = cursor.places().last().unwrap();
        self.vague = self.vague.or((newest.offset == 0).then_some(newest.inode));
        cursor
    }

    /// To be told before a [`Operation::CopyTruncate`]: a copy can only be recognised by what was read of the file.
    pub(crate) fn before_copy(&mut self, log: &Log) {
        if let Some(current) = log.current {
            self.had_when_copied.insert(current, self.end(current));
        }
    }

    fn end(&self, generation: usize) -> u64 {
        let last = self.spans.get(&generation).and_then(|spans| spans.last());
        last.map_or(self.begun.get(&generation).copied().unwrap_or(0), |span| span.to)
    }

    /// A piece has arrived.
    pub(crate) fn receive(&mut self, log: &Log, piece: &PieceKind) -> Result<(), String> {
        match piece {
            PieceKind::Lines { from, to, text, bytes } => {
                let place = moved(from, to)?;
                let generation = log.named(&place).ok_or("lines of a generation that never was")?;
                self.add(log, generation, place.offset, *bytes, Some(text.to_vec()))?;
                self.cursor = Some(to.clone());
            }
            PieceKind::Gap { from, to, bytes: Some(bytes), .. } => {
                let place = moved(from, to)?;
                let starts = |p: &&Place| p.inode == place.inode && p.offset + bytes == place.offset;
                let before = from.places().iter().find(starts);
                let before = before.ok_or("a gap whose size is not the way between its ends")?;
                let generation = log.named(before).or_else(|| self.lost_at_once(log, &place));
                self.cursor = Some(to.clone());
                if generation.is_none() && log.has_short_copy(&place) {
                    return Ok(());
                }
                let generation = generation.ok_or("a gap in a generation that never was")?;
                if log.generations[generation].fate == Fate::Kept {
                    return Err(format!("a gap of {bytes} in generation {generation}, which exists"));
                }
                self.add(log, generation, place.offset, *bytes, None)?;
            }
            PieceKind::Gap { from, to, bytes: None, .. } => {
                self.check_unknown_gap(log, from)?;
                self.begin(log, to.clone());
                // Of all that came before the file that is there now, anything may be missing.
                self.excused = log.current.unwrap_or(log.generations.len());
            }
            PieceKind::Rotated { at } => self.cursor = Some(at.clone()),
            PieceKind::Truncated { at } => {
                self.truncations += 1;
                self.cursor = Some(at.clone());
            }
            PieceKind::Missing { .. } | PieceKind::Back => {}
        }
        Ok(())
    }

    /// A generation of which not a byte was read before it was gone.
    fn lost_at_once(&self, log: &Log, place: &Place) -> Option<usize> {
        let last = self.spans.keys().last().max(self.begun.keys().last());
        (last.map_or(0, |last| last + 1)..log.generations.len()).find(|&generation| {
            let written = &log.generations[generation];
            written.inode == place.inode
                && written.fate != Fate::Kept
                && written.bytes.len() as u64 >= place.offset
        })
    }

    /// "Something is missing, and nobody knows how much": only where the viewer stood in something that is gone, or
    /// in what was copied when too little of it had been read to recognise the copy.
    fn check_unknown_gap(&self, log: &Log, from: &Cursor) -> Result<(), String> {
        let excused = from.places().iter().any(|place| match log.named(place) {
            None => true,
            Some(generation) => match log.generations[generation].fate {
                Fate::Kept => false,
                Fate::Copied => place.offset < ENOUGH as u64,
                Fate::Cut | Fate::Deleted => true,
            },
        });
        if excused { Ok(()) } else { Err("an unknown gap, though everything exists".into()) }
    }

    fn add(
        &mut self,
        log: &Log,
        generation: usize,
        to: u64,
        bytes: u64,
        text: Option<Vec<u8>>,
    ) -> Result<(), String> {
        let from = to - bytes;
        if self.vague == Some(log.generations[generation].inode) && from == 0 {
            self.first = self.first.min(generation);
        }
        // A place before the first byte names no more than an inode. If something else is in there when the viewer
        // returns, it is taken for that.
        let from_start = generation > self.first || (generation == self.first && self.vague.is_some());
        let mistaken = self.vague.is_some() && log.generations[generation].fate != Fate::Kept;
        let expected = match self.spans.get(&generation).and_then(|spans| spans.last()) {
            Some(span) => Some(span.to),
            // Of one that was older when the viewer came, only late lines arrive, from wherever they begin.
            None if from_start && !mistaken => Some(self.begun.get(&generation).copied().unwrap_or(0)),
            None => self.begun.get(&generation).copied(),
        };
        let skipped = |expected| from > expected && generation >= self.excused;
        if expected.is_some_and(|expected| from < expected || skipped(expected)) {
            return Err(format!("generation {generation} goes on at {from} instead of {expected:?}"));
        }
        if to > log.generations[generation].bytes.len() as u64 {
            return Err(format!("generation {generation} has no offset {to}"));
        }
        self.spans.entry(generation).or_default().push(Span { from, to, text });
        Ok(())
    }

    /// After everything has been read: is all there that was written, and nothing else?
    pub(crate) fn check(&self, log: &Log) -> Result<(), String> {
        for (&generation, spans) in &self.spans {
            let written = &log.generations[generation].bytes;
            for run in spans.chunk_by(|a, b| a.text.is_some() && b.text.is_some() && a.to == b.from) {
                let text: Vec<u8> =
                    run.iter().filter_map(|span| span.text.as_deref()).flatten().copied().collect();
                let (from, to) = (run[0].from as usize, run[run.len() - 1].to as usize);
                if run[0].text.is_some() && text != String::from_utf8_lossy(&written[from..to]).as_bytes() {
                    return Err(format!("generation {generation} from {from} to {to} reads differently"));
                }
            }
        }
        for generation in self.first.max(self.excused)..log.generations.len() {
            self.check_whole(log, generation)?;
        }
        Ok(())
    }

    fn check_whole(&self, log: &Log, generation: usize) -> Result<(), String> {
        let (written, had) = (&log.generations[generation], self.end(generation));
        let rest = &written.bytes[had as usize..];
        // The last character may be unfinished, as long as more can come.
        let unfinished = std::str::from_utf8(rest).is_err_and(|error| error.error_len().is_none());
        if rest.is_empty() || (unfinished && rest.len() <= 3 && log.current == Some(generation)) {
            return Ok(());
        }
        let excused = match written.fate {
            Fate::Kept => false,
            // What came and went before anybody looked was never seen. What was seen is delivered, or counted, to
            // its last byte, unless it was cut: of what was written between the last look and the cut, nobody knows.
            // The mark says so.
            Fate::Deleted => had == 0,
            Fate::Cut => had == 0 || self.truncations > 0,
            Fate::Copied => self.had_when_copied.get(&generation).is_none_or(|&had| had < ENOUGH as u64),
        };
        if excused {
            return Ok(());
        }
        let (len, fate) = (written.bytes.len(), written.fate);
        Err(format!("generation {generation} ({fate:?}, {len} bytes) was read to {had} only"))
    }
}

/// The one place that lies further on in `to` than in `from`.
fn moved(from: &Cursor, to: &Cursor) -> Result<Place, String> {
    let moved: Vec<&Place> = to.places().iter().filter(|place| !from.places().contains(place)).collect();
    match moved[..] {
        [place] => Ok(*place),
        _ => Err(format!("from {from} to {to} is not a step in one generation")),
    }
}
