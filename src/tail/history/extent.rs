//! How much there is of a log in all, and where in it something lies.
//!
//! Does not read anything: what is known of the generations must do.

use crate::tail::follower::Follower;
use crate::tail::generation::Generation;
use crate::tail::standing::GenerationId;

/// The generations that have bytes, oldest first, as one stretch of bytes.
#[derive(Debug)]
pub(crate) struct Extent {
    parts: Vec<Part>,
    total: u64,
}

/// One generation of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) id: GenerationId,
    /// The offset of its first byte in its file, and of what is behind its last.
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// So many bytes lie before it.
    pub(crate) before: u64,
}

impl Extent {
    /// Of all that is known. O(generations).
    pub(crate) fn of(follower: &Follower) -> Self {
        let (mut parts, mut total) = (Vec::new(), 0);
        for id in follower.lineage.ids_from(follower.lineage.oldest()) {
            let Some(generation) = follower.lineage.get(id).filter(|generation| has_bytes(generation)) else {
                continue;
            };
            let (start, end) = (generation.start(), generation.end());
            parts.push(Part { id, start, end, before: total });
            total += end - start;
        }
        Self { parts, total }
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// How many bytes lie before this offset of a generation.
    pub(crate) fn before(&self, id: GenerationId, offset: u64) -> u64 {
        let part = self.parts.iter().find(|part| part.id == id);
        part.map_or(0, |part| part.before + offset.clamp(part.start, part.end) - part.start)
    }

    /// Where in the whole that is, from 0 to 1.
    pub(crate) fn share(&self, id: GenerationId, offset: u64) -> f64 {
        if self.total == 0 { 0.0 } else { self.before(id, offset) as f64 / self.total as f64 }
    }

    /// The generation and offset that so many bytes lie before.
    pub(crate) fn at(&self, before: u64) -> Option<(GenerationId, u64)> {
        let part = self.parts.iter().rev().find(|part| part.before <= before)?;
        Some((part.id, (part.start + (before - part.before)).min(part.end)))
    }
}

fn has_bytes(generation: &Generation) -> bool {
    !generation.is_void() && generation.end() > generation.start() && !generation.is_gone()
}
