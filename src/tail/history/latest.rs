//! The time of the last line that has one: read back from the end.
//!
//! ```text
//!   before   |  . . . . . . . . |  end       one read, from which the last line with a time is taken
//!        |  . . . . . . . . |                the next one; they overlap, as a line may begin in one and be read in the other
//! ```
//!
//! Does not know what for.

use crate::tail::follower::Follower;
use crate::tail::history::bisect::{Bisected, Probe, READ, part_at};
use crate::tail::history::extent::Extent;
use crate::tail::history::job::Bench;
use crate::tail::history::timestamps::{ENOUGH, Stamp};

/// See the module.
#[derive(Debug)]
pub(crate) struct Latest {
    extent: Extent,
    /// What lies behind has been looked at.
    end: u64,
}

/// What came of a step.
pub(crate) enum Looked {
    /// Nothing yet; so many bytes were read.
    NotYet(u64),
    /// It cannot be read at the moment.
    Later,
    /// This is it.
    At(Stamp),
    /// No line has one.
    Nowhere,
}

impl Latest {
    pub(crate) fn new(follower: &Follower) -> Self {
        let extent = Extent::of(follower);
        let end = extent.total();
        Self { extent, end }
    }

    /// One read.
    pub(crate) fn step(&mut self, bench: &mut Bench<'_>) -> Looked {
        let Some(part) = self.end.checked_sub(1).and_then(|last| part_at(&self.extent, last)) else {
            return Looked::Nowhere;
        };
        let most = READ.min(bench.scratch.len()) as u64;
        let begin = self.end.saturating_sub(most).max(part.before);
        let probe = match Probe::read(part, begin, false, bench) {
            Ok(probe) => probe,
            Err(Bisected::NotYet(read)) => return Looked::NotYet(read),
            Err(_) => return Looked::Later,
        };
        if let Some(stamp) = probe.lines().filter_map(|(start, line)| probe.stamp(start, line)).last() {
            return Looked::At(stamp);
        }
        let read = probe.len() as u64;
        // A line that begins here may have been too short to be understood.
        self.end = if begin == part.before { begin } else { (begin + ENOUGH as u64).min(self.end - 1) };
        Looked::NotYet(read)
    }
}
