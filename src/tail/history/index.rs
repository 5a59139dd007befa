//! Which line of its file a byte lies in, and where a line begins: newlines counted once, block by block.
//!
//! An index is made from the file's first byte on as far as somebody has asked ([`numbers`](super::numbers) asks for lines that
//! were told without a number), and kept as long as the log is watched. It is of a generation, so it is never asked about other
//! content than it was made of. Lines are counted within one file.
//!
//! Does not know what is done with the numbers.

use crate::tail::follower::Follower;
use crate::tail::generation::Generation;
use crate::tail::history::job::Bench;
use crate::tail::history::view::{lens_of, newlines};
use crate::tail::lens::Lens;
use crate::tail::reread::{Reread, reread};
use crate::tail::standing::GenerationId;

/// The newlines are known before each multiple of this offset.
const BLOCK: u64 = 256 * 1024;

/// So many generations have an index at a time: as many as files are looked at beside a log. One of a file of 100 GB takes
/// 3 MB.
const MOST: usize = 64;

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    of: Vec<Index>,
}

#[derive(Debug)]
struct Index {
    id: GenerationId,
    // How many newlines lie before each block's first byte.
    before: Vec<u64>,
    // So far was counted, and so many there were.
    counted: u64,
    newlines: u64,
    // Up to here there is no newline more, but perhaps half of one.
    seen: u64,
}

/// What came of counting on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// There is more to count.
    More,
    /// All that is there has been counted.
    All,
    /// It cannot be read at the moment.
    Later,
}

impl Indexes {
    /// The lines before this offset have been counted.
    pub(crate) fn covers(&self, id: GenerationId, offset: u64) -> bool {
        self.get(id).is_some_and(|index| offset <= index.seen)
    }

    /// Counts bytes that somebody has read for another reason, whole characters, if they are the next to count.
    pub(crate) fn count_too(&mut self, id: GenerationId, from: u64, lens: &Lens, bytes: &[u8]) {
        if from == 0 || self.get(id).is_some_and(|index| index.counted == from) {
            let mut index = self.take(id);
            if index.counted == from {
                index.add(lens, bytes);
            }
            self.put(index);
        }
    }

    fn get(&self, id: GenerationId) -> Option<&Index> {
        self.of.iter().find(|index| index.id == id)
    }

    fn take(&mut self, id: GenerationId) -> Index {
        let new = || Index { id, before: vec![0], counted: 0, newlines: 0, seen: 0 };
        self.of.iter().position(|index| index.id == id).map_or_else(new, |at| self.of.remove(at))
    }

    /// The one used last is at the end.
    fn put(&mut self, index: Index) {
        self.of.push(index);
        let surplus = self.of.len().saturating_sub(MOST);
        self.of.drain(..surplus);
    }
}

impl Index {
    /// Counts what follows what was counted.
    fn add(&mut self, lens: &Lens, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = usize::try_from(BLOCK - self.counted % BLOCK).unwrap_or(bytes.len());
            let (block, rest) = bytes.split_at(room.min(bytes.len()));
            self.newlines += newlines(lens, self.counted, block);
            self.counted += block.len() as u64;
            if self.counted.is_multiple_of(BLOCK) {
                self.before.push(self.newlines);
            }
            bytes = rest;
        }
        self.seen = self.counted;
    }

    /// The last block that so many newlines, or fewer, lie before: its offset, and how many.
    fn block_before(&self, newlines: u64) -> (u64, u64) {
        let block = self.before.partition_point(|&before| before <= newlines).saturating_sub(1);
        (block as u64 * BLOCK, self.before[block])
    }
}

impl Bench<'_> {
    /// Counts on in a generation: one read.
    pub(crate) fn count_on(&mut self, id: GenerationId) -> Counted {
        let mut index = self.indexes.take(id);
        let end = self.follower.lineage.get(id).map_or(0, Generation::end);
        let len =
            usize::try_from(end.saturating_sub(index.counted)).unwrap_or(usize::MAX).min(self.scratch.len());
        let counted = if len == 0 {
            Counted::All
        } else {
            match reread(self.follower, id, index.counted, &mut self.scratch[..len], self.now) {
                Reread::Bytes(read) => {
                    let (lens, bytes) = (lens_of(self.follower, id), &self.scratch[..read]);
                    // The other half of a newline may still be to come.
                    let torn = if lens.newline_len() > 1 { lens.unfinished(index.counted, bytes) } else { 0 };
                    index.add(&lens, &bytes[..read - torn]);
                    index.seen += torn as u64;
                    if read < len || read == torn { Counted::All } else { Counted::More }
                }
                Reread::Again | Reread::Packed => Counted::More,
                Reread::Gone => Counted::All,
                Reread::Later => Counted::Later,
            }
        };
        self.indexes.put(index);
        counted
    }

    /// How many newlines have been counted in a generation, and in how many bytes.
    pub(crate) fn counted(&self, id: GenerationId) -> (u64, u64) {
        self.indexes.get(id).map_or((0, 0), |index| (index.newlines, index.counted))
    }

    /// The number of the line that this byte lies in, if that was counted. Reads one block at most.
    pub(crate) fn line_at(&mut self, id: GenerationId, offset: u64) -> Option<u64> {
        let index = self.indexes.get(id).filter(|index| offset <= index.seen)?;
        let offset = offset.min(index.counted);
        let block = usize::try_from(offset / BLOCK).ok()?;
        let lens = lens_of(self.follower, id);
        let (mut at, mut line) = (block as u64 * BLOCK, index.before[block] + 1);
        while at < offset {
            let bytes = self.part(id, at, offset)?;
            line += newlines(&lens, at, bytes);
            at += bytes.len() as u64;
        }
        Some(line)
    }

    /// The numbers of the lines that these offsets lie in, which ascend and have all been counted: of as many of them as lie in
    /// the block of the first one. Reads that block.
    pub(crate) fn lines_at(&mut self, id: GenerationId, offsets: &[u64]) -> Option<Vec<u64>> {
        let (&first, lens) = (offsets.first()?, lens_of(self.follower, id));
        let counted = self.counted(id).1;
        let (mut line, mut at) = (self.line_at(id, first)?, first.min(counted));
        let end = (at / BLOCK + 1) * BLOCK;
        let within = offsets.partition_point(|&offset| offset < end).max(1);
        let mut lines = Vec::with_capacity(within);
        for &offset in &offsets[..within] {
            while at < offset.min(counted) {
                let bytes = self.part(id, at, offset.min(counted))?;
                (line, at) = (line + newlines(&lens, at, bytes), at + bytes.len() as u64);
            }
            lines.push(line);
        }
        Some(lines)
    }

    /// The offset where a line begins that so many newlines lie before, if they were counted. Reads one block at most.
    pub(crate) fn after_newlines(&mut self, id: GenerationId, wanted: u64) -> Option<u64> {
        let index = self.indexes.get(id).filter(|index| wanted <= index.newlines)?;
        if wanted == 0 {
            return Some(0);
        }
        // The newline itself lies in a block that fewer lie before.
        let (mut at, before) = index.block_before(wanted - 1);
        let mut missing = wanted - before;
        let lens = lens_of(self.follower, id);
        let counted = index.counted;
        loop {
            let bytes = self.part(id, at, counted)?;
            let here = newlines(&lens, at, bytes);
            if here >= missing {
                let mut passed = 0;
                for _ in 0..missing {
                    passed += lens.after_first_newline(at + passed as u64, &bytes[passed..])?;
                }
                return Some(at + passed as u64);
            }
            missing -= here;
            at += bytes.len() as u64;
        }
    }

    /// Bytes of a generation, at least one, from an offset on.
    fn part(&mut self, id: GenerationId, from: u64, to: u64) -> Option<&[u8]> {
        let len = usize::try_from(to.checked_sub(from)?).unwrap_or(usize::MAX).min(self.scratch.len());
        match reread(self.follower, id, from, &mut self.scratch[..len], self.now) {
            Reread::Bytes(read) if read > 0 => Some(&self.scratch[..read]),
            _ => None,
        }
    }
}

/// How much of a generation there is to count.
pub(crate) fn to_count(follower: &Follower, id: GenerationId) -> u64 {
    follower.lineage.get(id).map_or(0, Generation::end)
}
