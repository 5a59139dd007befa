//! Random histories of a log: what is done to its file, what was written in each generation, and what each viewer
//! should therefore have received.
//!
//! Knows nothing of who reads: a [`Record`] is fed with pieces, wherever they came from.
#![allow(dead_code, reason = "each test program uses the part it needs")]

mod packing;
mod record;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wiretail::tail::cursor::{GuardPrint, HeadPrint, Place};

pub(crate) use packing::{Format, Packing};
pub(crate) use record::Record;

/// A late line comes within this time after the last, so that the file is surely still followed (it is for 5 s): by the
/// clock of the log, and by that of a server that knows no other.
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
    /// A rotated file is compressed: the last one, or one of those before. The plain one goes when that is done.
    Compress(usize, Packing),
    /// A rotated file is deleted, compressed or not: the oldest one.
    DeleteOldest,
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

/// One generation as it was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// All its bytes, whether they still exist or not.
    pub(crate) bytes: Vec<u8>,
    /// What became of them.
    pub(crate) fate: Fate,
    pub(crate) inode: u64,
    /// Something was in it when somebody looked at the path.
    pub(crate) was_seen: bool,
    file: File,
    active: (Duration, Instant),
}

/// Where the bytes of a generation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// In a file in the folder.
    Kept,
    /// In an archive in the folder.
    Packed,
    /// In a copy, made before the file was cut; it may be an archive by now.
    Copied,
    /// Nowhere: the file was cut.
    Cut,
    /// Nowhere, once all handles are closed.
    Deleted,
}

/// A file that the log was rotated to.
#[derive(Debug)]
struct Rotated {
    generation: usize,
    number: u32,
    is_plain: bool,
    archive: Option<Format>,
}

/// A log and all that was ever written to it.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    /// Oldest first.
    pub(crate) generations: Vec<Written>,
    pub(crate) current: Option<usize>,
    renamed: Vec<usize>,
    /// The inodes of copies, and what they are copies of.
    copies: Vec<(u64, usize)>,
    /// The rotated files, oldest first.
    rotated: Vec<Rotated>,
    dated: bool,
    rotations: u32,
    clock: Duration,
}

impl Log {
    /// `app.log` in `folder`, which does not exist yet. Rotated files get dates or numbers.
    pub(crate) fn new(folder: &Path, dated: bool) -> Self {
        let (generations, renamed) = (Vec::new(), Vec::new());
        let (copies, rotated) = (Vec::new(), Vec::new());
        let folder = folder.to_owned();
        Self {
            folder,
            generations,
            current: None,
            renamed,
            copies,
            rotated,
            dated,
            rotations: 0,
            clock: Duration::ZERO,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("app.log")
    }

    /// How much time has passed.
    pub(crate) fn clock(&self) -> Duration {
        self.clock
    }

    fn now(&self) -> (Duration, Instant) {
        (self.clock, Instant::now())
    }

    /// Does it. An operation that is impossible now does nothing.
    pub(crate) fn apply(&mut self, operation: &Operation) {
        self.clock += Duration::from_millis(1);
        match *operation {
            Operation::Append(bytes) => self.append(bytes),
            Operation::Late(back, bytes) => self.append_late(back, bytes),
            Operation::Rotate => self.rotate(),
            Operation::CopyTruncate => {
                if let Some(current) = self.current {
                    let copy = self.make_room(current);
                    fs::copy(self.path(), &copy).unwrap();
                    self.copies.push((fs::metadata(copy).unwrap().ino(), current));
                    self.cut(Fate::Copied);
                }
            }
            Operation::Compress(back, packing) => self.compress(back, packing),
            Operation::DeleteOldest => self.delete_oldest(),
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
        // What is written to a file while it is compressed is lost, and nobody can help it.
        let recent = self.generations.len() - late <= RECENT && self.generations[late].fate == Fate::Kept;
        let (by_clock, really) = self.generations[late].active;
        if recent && self.clock - by_clock < LATE && really.elapsed() < LATE {
            self.write(late, bytes);
        }
    }

    /// What is written first in a generation is like nothing else, so that it can be told from all others.
    fn write(&mut self, generation: usize, bytes: Bytes) {
        let (now, written) = (self.now(), &mut self.generations[generation]);
        let mut text = Vec::new();
        if written.bytes.is_empty() {
            text.extend_from_slice(format!("<{generation}:{:016x}>", bytes.seed).as_bytes());
        }
        text.extend_from_slice(&bytes.make());
        written.file.write_all(&text).unwrap();
        written.bytes.extend_from_slice(&text);
        written.active = now;
    }

    fn rotate(&mut self) {
        let Some(current) = self.current else {
            return;
        };
        let old = self.make_room(current);
        fs::rename(self.path(), old).unwrap();
        self.generations[current].active = self.now();
        self.renamed.push(current);
        let file = create(&self.path());
        self.begin(file);
    }

    /// The name of the next rotated file, which `generation` goes to; the others move on.
    fn make_room(&mut self, generation: usize) -> PathBuf {
        self.rotations += 1;
        if !self.dated {
            for at in 0..self.rotated.len() {
                let number = self.rotated[at].number;
                for extension in self.rotated[at].extensions() {
                    fs::rename(self.name(number, extension), self.name(number + 1, extension)).unwrap();
                }
                self.rotated[at].number += 1;
            }
        }
        let number = if self.dated { self.rotations } else { 1 };
        self.rotated.push(Rotated { generation, number, is_plain: true, archive: None });
        self.name(number, "")
    }

    fn name(&self, number: u32, extension: &str) -> PathBuf {
        self.folder.join(match self.dated {
            true => format!("app.log-2026{number:010}{extension}"),
            false => format!("app.log.{number}{extension}"),
        })
    }

    /// As gzip and zstd do it: the archive is written beside the plain file, gets its time, and then that is removed.
    fn compress(&mut self, back: usize, packing: Packing) {
        let plain = (0..self.rotated.len()).rev().filter(|&at| self.rotated[at].is_plain);
        let Some(at) = plain.take(3).nth(back % 3) else {
            return;
        };
        let (generation, number) = (self.rotated[at].generation, self.rotated[at].number);
        let (plain, format) = (self.name(number, ""), packing.format());
        if let Some(earlier) = self.rotated[at].archive.replace(format) {
            fs::remove_file(self.name(number, earlier.extension())).unwrap();
        }
        let mut archive = format.pack(&fs::read(&plain).unwrap());
        if let Packing::Half(_) = packing {
            archive.truncate(archive.len() / 2);
        }
        let path = self.name(number, format.extension());
        fs::write(&path, archive).unwrap();
        if let Packing::Done(_) = packing {
            let modified = fs::metadata(&plain).unwrap().modified().unwrap();
            File::options().append(true).open(path).unwrap().set_modified(modified).unwrap();
            fs::remove_file(plain).unwrap();
            self.rotated[at].is_plain = false;
            let written = &mut self.generations[generation];
            written.fate = if written.fate == Fate::Kept { Fate::Packed } else { written.fate };
        }
    }

    fn delete_oldest(&mut self) {
        if self.rotated.is_empty() {
            return;
        }
        let oldest = self.rotated.remove(0);
        for extension in oldest.extensions() {
            fs::remove_file(self.name(oldest.number, extension)).unwrap();
        }
        let written = &mut self.generations[oldest.generation];
        written.fate = if written.fate == Fate::Copied { Fate::Cut } else { Fate::Deleted };
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
        let (bytes, fate, active) = (Vec::new(), Fate::Kept, self.now());
        let written = Written { bytes, fate, inode, was_seen: false, file, active };
        self.generations.push(written);
        self.current = Some(self.generations.len() - 1);
        self.generations.len() - 1
    }

    /// Somebody has looked at the path.
    pub(crate) fn see(&mut self) {
        if let Some(current) = self.current {
            self.generations[current].was_seen |= !self.generations[current].bytes.is_empty();
        }
    }

    /// The youngest generation that was in this file.
    pub(crate) fn in_file(&self, inode: u64) -> Option<usize> {
        let written = self.generations.iter().rposition(|written| written.inode == inode);
        let copied =
            self.copies.iter().rev().find(|(copy, _)| *copy == inode).map(|(_, generation)| *generation);
        written.max(copied)
    }

    /// Whether a generation was in this file: its own, or a copy.
    pub(crate) fn was_in(&self, generation: usize, inode: u64) -> bool {
        self.generations[generation].inode == inode || self.copies.contains(&(inode, generation))
    }

    /// The generation that a place names. One at offset 0 says too little.
    pub(crate) fn named(&self, place: &Place) -> Option<usize> {
        let offset = usize::try_from(place.offset).ok().filter(|&offset| offset > 0)?;
        self.generations.iter().rposition(|written| {
            written.bytes.get(..offset).is_some_and(|before| {
                HeadPrint::of(before, place.offset) == place.head && GuardPrint::of(before) == place.guard
            })
        })
    }
}

impl Rotated {
    /// What the names of its files have in the end.
    fn extensions(&self) -> Vec<&'static str> {
        let plain = self.is_plain.then_some("");
        plain.into_iter().chain(self.archive.map(Format::extension)).collect()
    }
}

fn create(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}
