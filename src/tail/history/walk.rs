//! Going through all of a log, from one file into the next, upwards or downwards.
//!
//! ```text
//!   app.log.2        app.log.1        app.log
//!   |==|=====|==|    |===|====|==|    |==|=====|==|        blocks of whole lines
//!               ^                ^          *              * where the reader stands
//!              up: left at its first byte, down: entered
//! ```
//!
//! A reader may stand in several generations at once, as long as renamed files are written to. Up from there lies what
//! it has had of each, down what it has not: every byte lies in one of the two, once.
//!
//! Does not know what is looked for.

use std::time::Instant;

use crate::tail::beneath::OpenError;
use crate::tail::follower::Follower;
use crate::tail::generation::{Begins, Generation};
use crate::tail::lens::Lens;
use crate::tail::reread::{Reread, reread};
use crate::tail::standing::{GenerationId, Standing};
use crate::tail::window::GapReason;

/// The next part of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Block<'a> {
    /// Bytes of one generation, at least one. Whole lines, but for the first and the last of all, and for lines longer
    /// than a block; those are cut between two characters.
    Lines {
        /// The generation.
        id: GenerationId,
        /// The offset of the first byte.
        from: u64,
        /// As they are in the file.
        bytes: &'a [u8],
    },
    /// The first byte of a generation that is not the oldest: upwards it is left, downwards entered.
    Border {
        /// The generation.
        id: GenerationId,
        /// How it took the place of the one before.
        begins: Begins,
    },
    /// Bytes that cannot be had.
    Gap {
        /// The generation.
        id: GenerationId,
        /// The offset of the first of them.
        from: u64,
        /// How many, if that is known.
        bytes: Option<u64>,
        /// Why.
        why: GapReason,
    },
    /// Nothing yet: ask again.
    Again,
    /// It cannot be read at the moment.
    Later,
    /// There is nothing more. Downwards there may be later.
    End,
}

/// In bytes, in any encoding.
const LONGEST_CHARACTER: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// On its way through a log.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    direction: Direction,
    id: GenerationId,
    offset: u64,
    // Where the reader stood in the generations that are still to come: the next one last.
    listed: Vec<(GenerationId, u64)>,
    // The youngest one it had entered.
    newest: GenerationId,
    // Upwards: that the end of this one is missing is still to be told.
    is_torn: bool,
}

impl Walk {
    /// Through everything before `standing`: the last line first.
    pub(crate) fn up(standing: &Standing) -> Self {
        Self::new(Direction::Up, standing, standing.spots().iter().map(|s| (s.id, s.place.offset)).collect())
    }

    /// Through everything after `standing`.
    pub(crate) fn down(standing: &Standing) -> Self {
        let spots = standing.spots().iter().rev().map(|s| (s.id, s.place.offset)).collect();
        Self::new(Direction::Down, standing, spots)
    }

    fn new(direction: Direction, standing: &Standing, mut listed: Vec<(GenerationId, u64)>) -> Self {
        let (id, offset) = listed.pop().expect("a standing has at least one spot");
        Self { direction, id, offset, listed, newest: standing.newest().id, is_torn: false }
    }

    /// The next part: at most one read of as many bytes as `scratch` has room for, or one look through the folder.
    pub(crate) fn next<'a>(
        &mut self,
        follower: &mut Follower,
        scratch: &'a mut [u8],
        now: Instant,
    ) -> Block<'a> {
        match self.direction {
            Direction::Up => self.next_up(follower, scratch, now),
            Direction::Down => self.next_down(follower, scratch, now),
        }
    }

    /// As [`next`](Self::next), but with no more than `part` bytes, unless one line is longer.
    pub(crate) fn next_part<'a>(
        &mut self,
        part: usize,
        follower: &mut Follower,
        scratch: &'a mut [u8],
        now: Instant,
    ) -> Block<'a> {
        let mut room = part.min(scratch.len());
        while room < scratch.len() && self.clone().cuts_a_line(follower, &mut scratch[..room], now) {
            room = (2 * room).min(scratch.len());
        }
        self.next(follower, &mut scratch[..room], now)
    }

    /// Is there so little room that the next block is a part of a line? (Or one line exactly, now and then.)
    fn cuts_a_line(mut self, follower: &mut Follower, scratch: &mut [u8], now: Instant) -> bool {
        let room = scratch.len();
        let Block::Lines { id, from, bytes } = self.next(follower, scratch, now) else { return false };
        let end =
            follower.lineage.get(id).map(Generation::lens).and_then(|l| l.after_first_newline(from, bytes));
        // At a cut, some bytes of a character may have been left.
        bytes.len() + LONGEST_CHARACTER > room && end.is_none_or(|end| end == bytes.len())
    }

    fn next_up<'a>(&mut self, follower: &mut Follower, scratch: &'a mut [u8], now: Instant) -> Block<'a> {
        let Some(generation) = follower.lineage.get(self.id) else {
            return Block::End;
        };
        let start = generation.start();
        if std::mem::take(&mut self.is_torn) {
            return Block::Gap { id: self.id, from: self.offset, bytes: None, why: GapReason::Archive };
        }
        if self.offset > start {
            return self.read_up(start, follower, scratch, now);
        }
        let (id, begins) = (self.id, generation.begins());
        let older = match self.older(follower, now) {
            Ok(Some(older)) => older,
            Ok(None) => return Block::End,
            Err(OpenError::Packed) => return Block::Again,
            Err(_) => return Block::Later,
        };
        // What is unpacked takes up room as long as it is open.
        if let Some(left) = follower.lineage.get_mut(id).filter(|left| left.is_in_archive()) {
            left.close();
        }
        self.id = older;
        self.is_torn = follower.lineage.get(older).is_some_and(Generation::is_torn);
        self.offset = match self.listed.pop_if(|(listed, _)| *listed == older) {
            Some((_, offset)) => offset,
            None => follower.lineage.get(older).map_or(0, had),
        };
        Block::Border { id, begins }
    }

    /// Upwards, at the first byte of a generation: how it took the place of the one before it, if there is one. One that
    /// is still to be unpacked is one. An error if nobody can tell for now.
    pub(crate) fn border(&self, follower: &mut Follower, now: Instant) -> Result<Option<Begins>, OpenError> {
        let is_there = match self.older(follower, now) {
            Err(OpenError::Packed | OpenError::Crowded) => true,
            older => older?.is_some(),
        };
        Ok(follower.lineage.get(self.id).map(Generation::begins).filter(|_| is_there))
    }

    /// The generation before this one. The void before the first file is none.
    fn older(&self, follower: &mut Follower, now: Instant) -> Result<Option<GenerationId>, OpenError> {
        let mut id = Some(self.id);
        while let Some(younger) = id {
            id = match younger.before() {
                known if known >= follower.lineage.oldest() => Some(known),
                _ => follower.extend_back(now)?,
            };
            let is_void = |id| follower.lineage.get(id).is_some_and(Generation::is_void);
            if !id.is_some_and(is_void) {
                break;
            }
        }
        Ok(id)
    }

    fn read_up<'a>(
        &mut self,
        start: u64,
        follower: &mut Follower,
        scratch: &'a mut [u8],
        now: Instant,
    ) -> Block<'a> {
        let (id, to) = (self.id, self.offset);
        let len = usize::try_from(to - start).map_or(scratch.len(), |left| left.min(scratch.len()));
        let from = to - len as u64;
        match reread(follower, id, from, &mut scratch[..len], now) {
            Reread::Again | Reread::Packed => Block::Again,
            Reread::Later => Block::Later,
            Reread::Gone => self.gap_up(start, loss(follower, id)),
            Reread::Bytes(read) if read < len => self.gap_up(from + read as u64, loss(follower, id)),
            Reread::Bytes(_) => {
                let bytes = &scratch[..len];
                let generation = follower.lineage.get(id);
                if let Some(hole) = generation.and_then(|generation| generation.hole_before(to, bytes)) {
                    return self.gap_up(hole.max(start), GapReason::Hole);
                }
                let lens = generation.map(Generation::lens).filter(|_| from > start);
                let cut = lens.map_or(0, |lens| first_line(lens, from, bytes));
                self.offset = from + cut as u64;
                Block::Lines { id, from: self.offset, bytes: &scratch[cut..len] }
            }
        }
    }

    fn gap_up(&mut self, from: u64, why: GapReason) -> Block<'static> {
        let bytes = Some(self.offset - from);
        self.offset = from;
        Block::Gap { id: self.id, from, bytes, why }
    }

    fn next_down<'a>(&mut self, follower: &mut Follower, scratch: &'a mut [u8], now: Instant) -> Block<'a> {
        let Some(generation) = follower.lineage.get(self.id) else {
            return self.past_forgotten(follower);
        };
        let end = generation.end();
        if self.offset < end {
            return self.read_down(end, follower, scratch, now);
        }
        if let Some((id, offset)) = self.listed.pop() {
            (self.id, self.offset) = (id, offset);
            return Block::Again;
        }
        self.enter(self.newest.next(), follower)
    }

    /// The generation is the newest one from now on.
    fn enter(&mut self, id: GenerationId, follower: &Follower) -> Block<'static> {
        let Some(generation) = follower.lineage.get(id) else {
            return Block::End;
        };
        let after_void = follower.lineage.get(self.id).is_some_and(Generation::is_void);
        let after_torn = follower.lineage.get(self.id).is_some_and(Generation::is_torn);
        let gap = Block::Gap { id: self.id, from: self.offset, bytes: None, why: GapReason::Archive };
        (self.newest, self.id, self.offset) = (id, id, generation.start());
        if after_torn {
            // It stands for the border as well.
            return gap;
        }
        if after_void { Block::Again } else { Block::Border { id, begins: generation.begins() } }
    }

    /// So many rotations ago that nothing is known of it any more.
    fn past_forgotten(&mut self, follower: &Follower) -> Block<'static> {
        let gap = Block::Gap { id: self.id, from: self.offset, bytes: None, why: GapReason::Rotated };
        match self.listed.pop() {
            Some((id, offset)) => (self.id, self.offset) = (id, offset),
            None => drop(self.enter(follower.lineage.oldest(), follower)),
        }
        gap
    }

    fn read_down<'a>(
        &mut self,
        end: u64,
        follower: &mut Follower,
        scratch: &'a mut [u8],
        now: Instant,
    ) -> Block<'a> {
        let (id, from) = (self.id, self.offset);
        let len = usize::try_from(end - from).map_or(scratch.len(), |left| left.min(scratch.len()));
        match reread(follower, id, from, &mut scratch[..len], now) {
            Reread::Again | Reread::Packed => Block::Again,
            Reread::Later => Block::Later,
            Reread::Gone | Reread::Bytes(0) => self.gap_down(end, loss(follower, id)),
            Reread::Bytes(read) => {
                let bytes = &scratch[..read];
                let generation = follower.lineage.get(id);
                if let Some(hole) = generation.and_then(|generation| generation.hole_after(from, bytes)) {
                    return self.gap_down(hole.min(end), GapReason::Hole);
                }
                let more_to_come = read == len && from + (len as u64) < end;
                let lens = generation.map(Generation::lens).filter(|_| more_to_come);
                let cut = lens.map_or(read, |lens| whole_lines(lens, from, bytes));
                self.offset = from + cut as u64;
                Block::Lines { id, from, bytes: &scratch[..cut] }
            }
        }
    }

    fn gap_down(&mut self, to: u64, why: GapReason) -> Block<'static> {
        let (from, bytes) = (self.offset, Some(to - self.offset));
        self.offset = to;
        Block::Gap { id: self.id, from, bytes, why }
    }
}

/// How much of an older generation a reader has had that does not stand in it.
fn had(generation: &Generation) -> u64 {
    if generation.has_ended() { generation.end() } else { generation.joined() }
}

fn loss(follower: &Follower, id: GenerationId) -> GapReason {
    follower.lineage.get(id).map_or(GapReason::Unknown, Generation::loss)
}

/// Where the first line begins that begins in here. If none does, where the first character does.
fn first_line(lens: &Lens, from: u64, bytes: &[u8]) -> usize {
    match lens.after_first_newline(from, bytes) {
        Some(begin) if begin < bytes.len() => begin,
        _ => lens.first_border(from, bytes),
    }
}

/// Where the last line ends that ends in here. If none does, where the last character does.
fn whole_lines(lens: &Lens, from: u64, bytes: &[u8]) -> usize {
    match lens.after_last_newline(from, bytes) {
        Some(end) => end,
        None => match bytes.len() - lens.unfinished(from, bytes) {
            0 => bytes.len(),
            whole => whole,
        },
    }
}

#[cfg(test)]
mod tests;
