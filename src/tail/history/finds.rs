//! How many lines were found, and where: counted per generation, as files are still being discovered and may grow.
//!
//! Does not know what was found.

use crate::tail::follower::Follower;
use crate::tail::generation::Generation;
use crate::tail::history::extent::Extent;
use crate::tail::history::job::BUCKETS;
use crate::tail::standing::GenerationId;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Finds {
    count: u64,
    of: Vec<InOne>,
}

#[derive(Debug)]
struct InOne {
    id: GenerationId,
    start: u64,
    // Bytes for each of the counts; what is behind belongs to the last.
    width: u64,
    counts: Box<[u64; BUCKETS]>,
}

impl Finds {
    /// A generation in which something may be found.
    pub(crate) fn enter(&mut self, id: GenerationId, follower: &Follower) {
        if self.of.iter().any(|one| one.id == id) {
            return;
        }
        let span = |generation: &Generation| (generation.start(), generation.end());
        let (start, end) = follower.lineage.get(id).map_or((0, 0), span);
        let width = (end - start).div_ceil(BUCKETS as u64).max(1);
        self.of.push(InOne { id, start, width, counts: Box::new([0; BUCKETS]) });
    }

    /// A line at this offset of a generation that was entered; of one entered last, at once.
    pub(crate) fn add(&mut self, id: GenerationId, offset: u64) {
        self.count += 1;
        if let Some(one) = self.of.iter_mut().rev().find(|one| one.id == id) {
            let bucket = usize::try_from((offset - one.start) / one.width).unwrap_or(BUCKETS);
            one.counts[bucket.min(BUCKETS - 1)] += 1;
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The counts along the whole history.
    pub(crate) fn map(&self, extent: &Extent) -> Vec<u64> {
        let mut map = vec![0; BUCKETS];
        for one in &self.of {
            for (i, &count) in one.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                // The middle of what was counted together.
                let share = extent.share(one.id, one.start + one.width * i as u64 + one.width / 2);
                let bucket = (share * BUCKETS as f64) as usize;
                map[bucket.min(BUCKETS - 1)] += count;
            }
        }
        map
    }
}
