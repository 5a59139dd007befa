//! How a lineage begins: with what is there when somebody first looks.
//!
//! Does not know what comes later, nor who reads.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use super::{Lineage, nanoseconds};
use crate::tail::beneath::OpenError;
use crate::tail::generation::{Begins, Generation};
use crate::tail::siblings::Sibling;
use crate::tail::standing::GenerationId;

/// What was found.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Why what is at the path cannot be read.
    pub(crate) nothing: Option<OpenError>,
    /// What came before; an error if that cannot be read for now.
    pub(crate) predecessor: Result<Option<GenerationId>, OpenError>,
}

impl Lineage {
    /// What is there now, at its end. If that cannot be read, the youngest rotated file that can; if
    /// there is none either, the void.
    ///
    /// An error if nobody can tell for now what lies beside the log: then nothing has begun. What is there already would
    /// be taken for new later, or the other way round.
    pub(crate) fn begin(&mut self, now: Instant) -> Result<Begun, OpenError> {
        let opened = self.open_at_end(&self.rel, now);
        let siblings = self.siblings(now)?;
        let (found, nothing) = match opened {
            Ok(generation) => (Some(generation), None),
            Err(why) => (self.youngest(&siblings, now)?, Some(why)),
        };
        let found = found.unwrap_or_else(|| {
            let youngest = siblings.iter().filter(|s| s.is_in_order()).map(|s| s.stat.modified).max();
            Generation::void(youngest.map_or(0, |last| nanoseconds(last) + 1), now)
        });
        self.generations = VecDeque::from([found]);
        let predecessor = match self.extend_back(now) {
            // Compressed, it would be new later.
            Err(why @ OpenError::Io(_)) => {
                self.generations = VecDeque::from([Generation::void(0, now)]);
                return Err(why);
            }
            told => told,
        };
        self.pass_over(&siblings);
        Ok(Begun { nothing, predecessor })
    }

    /// Whether it [has begun](Self::begin).
    pub(crate) fn has_begun(&self) -> bool {
        self.passed_over.is_some()
    }

    /// The youngest of `siblings` that can be read, unless that would have to be unpacked.
    fn youngest(&self, siblings: &[Sibling], now: Instant) -> Result<Option<Generation>, OpenError> {
        let in_order = siblings.iter().rev().filter(|sibling| sibling.is_in_order());
        for Sibling { rel, .. } in in_order.take_while(|sibling| sibling.format.is_none()) {
            let opened = self.patience.bear(rel, self.open_at_end(rel, now), now)?;
            if opened.is_some() {
                return Ok(opened);
            }
        }
        Ok(None)
    }

    pub(super) fn open_at_end(&self, rel: &Path, now: Instant) -> Result<Generation, OpenError> {
        let file = self.root.open_file(rel)?;
        Ok(Generation::open(file, Begins::Rotated, u64::MAX, &self.lens, now)?)
    }
}
