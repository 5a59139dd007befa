//! The first line that was not written before a time, by halving: sixteen reads or so for a log of gigabytes.
//!
//! It is taken that later lines have later times. Where a few do not, some line near the time is found. Lines without a
//! time belong to the one before them.
//!
//! ```text
//!   lo              middle             hi
//!   |  earlier  .  .  |  ?   |  .  .  not earlier      read at the middle: the first line there that has a time
//! ```
//!
//! Does not know who asks.

use std::rc::Rc;

use crate::tail::follower::Follower;
use crate::tail::history::extent::{Extent, Part};
use crate::tail::history::job::Bench;
use crate::tail::history::timestamps::{ENOUGH, Stamp, TimeSpec};
use crate::tail::history::view::lens_of;
use crate::tail::lens::{Lens, Stretch};
use crate::tail::reread::{Reread, reread};
use crate::tail::standing::GenerationId;

/// So much is read at once.
pub(super) const READ: usize = 64 * 1024;

/// When no more than this is left, its lines are looked at one after the other.
const FEW: u64 = 64 * 1024;

/// Positions are counted over all generations, as [`Extent`] has them.
#[derive(Debug)]
pub(crate) struct Bisect {
    goal: TimeSpec,
    extent: Extent,
    // The line that begins here, and all before it, are earlier; or it is the first of all.
    lo: u64,
    // From here on, nothing is earlier.
    hi: u64,
    reading: Reading,
}

/// Where it reads on.
#[derive(Clone, Copy, Debug)]
enum Reading {
    /// In the middle; the next step says where that is.
    Middle,
    /// From `middle` on nothing had a time, up to here.
    Beyond { middle: u64, at: u64 },
    /// Line by line; at the beginning of a line, or somewhere in one.
    Lines { at: u64, begins: bool },
}

/// What came of a step.
#[derive(Debug)]
pub(crate) enum Bisected {
    /// Nothing yet; so many bytes were read.
    NotYet(u64),
    /// It cannot be read at the moment.
    Later,
    /// It is this line.
    At(GenerationId, u64),
    /// All lines are earlier.
    Behind,
}

impl Bisect {
    pub(crate) fn new(goal: TimeSpec, follower: &Follower) -> Self {
        let extent = Extent::of(follower);
        let hi = extent.total();
        Self { goal, extent, lo: 0, hi, reading: Reading::Middle }
    }

    /// One read.
    pub(crate) fn step(&mut self, bench: &mut Bench<'_>) -> Bisected {
        match self.reading {
            Reading::Middle if self.hi - self.lo <= FEW => {
                self.reading = Reading::Lines { at: self.lo, begins: true };
                Bisected::NotYet(0)
            }
            Reading::Middle => {
                let middle = self.lo + (self.hi - self.lo) / 2;
                self.reading = Reading::Beyond { middle, at: middle };
                Bisected::NotYet(0)
            }
            Reading::Beyond { middle, at } => self.halve(middle, at, bench),
            Reading::Lines { at, begins } => self.go_through(at, begins, bench),
        }
    }

    fn halve(&mut self, middle: u64, at: u64, bench: &mut Bench<'_>) -> Bisected {
        let Some(part) = part_at(&self.extent, at).filter(|_| at < self.hi) else {
            (self.hi, self.reading) = (middle, Reading::Middle);
            return Bisected::NotYet(0);
        };
        let probe = match Probe::read(part, at, false, bench) {
            Ok(probe) => probe,
            Err(later) => return later,
        };
        let read = probe.bytes.len() as u64;
        match probe.lines().find_map(|(start, line)| Some((start, probe.stamp(start, line)?))) {
            Some((start, stamp)) if self.goal.is_after(&stamp) => {
                (self.lo, self.reading) = (at + start as u64, Reading::Middle);
            }
            Some(_) => (self.hi, self.reading) = (middle, Reading::Middle),
            None => self.reading = Reading::Beyond { middle, at: at + probe.step().0 },
        }
        if self.lo >= self.hi {
            self.reading = Reading::Lines { at: self.lo, begins: true };
        }
        Bisected::NotYet(read)
    }

    fn go_through(&mut self, at: u64, begins: bool, bench: &mut Bench<'_>) -> Bisected {
        let Some(part) = part_at(&self.extent, at) else {
            return Bisected::Behind;
        };
        let probe = match Probe::read(part, at, begins, bench) {
            Ok(probe) => probe,
            Err(later) => return later,
        };
        let is_it = |stamp: Stamp| !self.goal.is_after(&stamp);
        if let Some((start, _)) =
            probe.lines().find(|&(start, line)| probe.stamp(start, line).is_some_and(is_it))
        {
            return Bisected::At(part.id, probe.offset + start as u64);
        }
        let (step, begins) = probe.step();
        self.reading = Reading::Lines { at: at + step, begins };
        Bisected::NotYet(probe.bytes.len() as u64)
    }
}

/// The part that the position lies in.
pub(super) fn part_at(extent: &Extent, at: u64) -> Option<Part> {
    let end = |part: &Part| part.before + (part.end - part.start);
    extent.parts().iter().copied().find(|part| part.before <= at && at < end(part))
}

/// What was read at some place.
pub(super) struct Probe<'a> {
    lens: Rc<Lens>,
    bytes: &'a [u8],
    // Of the first byte, in its file.
    offset: u64,
    // So many bytes of the file there are from there on.
    left: u64,
    // A line begins with the first byte.
    begins: bool,
}

impl<'a> Probe<'a> {
    /// Reads from `at` on. Where nothing can be had any more, nothing.
    pub(super) fn read(
        part: Part,
        at: u64,
        begins: bool,
        bench: &'a mut Bench<'_>,
    ) -> Result<Self, Bisected> {
        let offset = part.start + (at - part.before);
        let (left, most) = (part.end - offset, READ.min(bench.scratch.len()));
        let len = usize::try_from(left).map_or(most, |left| left.min(most));
        let lens = lens_of(bench.follower, part.id);
        let bytes = match reread(bench.follower, part.id, offset, &mut bench.scratch[..len], bench.now) {
            Reread::Bytes(read) => &bench.scratch[..read],
            Reread::Gone => &[],
            Reread::Again | Reread::Packed => return Err(Bisected::NotYet(0)),
            Reread::Later => return Err(Bisected::Later),
        };
        Ok(Self { lens, bytes, offset, left, begins: begins || offset == part.start })
    }

    /// How many bytes were read.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn is_last(&self) -> bool {
        self.bytes.len() as u64 >= self.left
    }

    /// Where the line ends that `at` lies in, if it ends here.
    fn behind(&self, at: usize) -> Option<usize> {
        let rest = &self.bytes[at..];
        self.lens.after_first_newline(self.offset + at as u64, rest).map(|len| at + len)
    }

    /// The lines that begin here, and where. Of one that goes on, enough must be there to see its time.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &'a [u8])> {
        let first = if self.begins { Some(0) } else { self.behind(0) };
        let starts = std::iter::successors(first, |&at| self.behind(at));
        starts.take_while(|&at| at < self.bytes.len()).filter_map(|at| {
            let end = self.behind(at);
            let enough = end.is_some() || self.is_last() || self.bytes.len() - at >= ENOUGH;
            enough.then(|| (at, &self.bytes[at..end.unwrap_or(self.bytes.len())]))
        })
    }

    /// The time of a line, as far as it is shown.
    pub(super) fn stamp(&self, at: usize, line: &[u8]) -> Option<Stamp> {
        if self.lens.is_plain() {
            return Stamp::find(line);
        }
        let at = self.offset + at as u64;
        Stamp::find(&self.lens.text(&Stretch { at, bytes: line, begins_line: true, is_last: false }))
    }

    /// How far to go on, and whether a line begins there: behind the last line that is here as a whole, or behind all if
    /// there is none.
    fn step(&self) -> (u64, bool) {
        // At the end of a file, and where its bytes are gone, the next file comes.
        if self.bytes.is_empty() || self.is_last() {
            return (self.left, true);
        }
        match self.lens.after_last_newline(self.offset, self.bytes) {
            Some(behind) => (behind as u64, true),
            None => (self.bytes.len() as u64, false),
        }
    }
}
