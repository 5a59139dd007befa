//! How a lineage begins: with what is there when somebody first looks.
//!
//! Does not know what comes later, nor who reads.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Instant, UNIX_EPOCH};

use super::Lineage;
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
        let found = match found {
            Some(found) => found,
            None => self.void_after(&siblings, now)?,
        };
        self.generations = VecDeque::from([found]);
        // What is as old as the youngest may be new later: the times of files have ticks. What is there now is not.
        self.pass_over(&siblings);
        let predecessor = match self.extend_back(now) {
            // Compressed, it would be new later.
            Err(why @ OpenError::Io(_)) => {
                self.generations = VecDeque::from([Generation::void(0, UNIX_EPOCH, now)]);
                self.passed_over = None;
                return Err(why);
            }
            told => told,
        };
        Ok(Begun { nothing, predecessor })
    }

    /// Whether it [has begun](Self::begin).
    pub(crate) fn has_begun(&self) -> bool {
        self.passed_over.is_some()
    }

    /// What comes next is younger than all of `siblings`, of which none can be read as it is.
    fn void_after(&self, siblings: &[Sibling], now: Instant) -> Result<Generation, OpenError> {
        let in_order = || siblings.iter().filter(|sibling| sibling.is_in_order());
        // One that cannot be looked into is known by its time alone.
        let number = match in_order().next_back() {
            Some(youngest) => {
                self.patience.bear(&youngest.rel, self.number(youngest, now), now)?.unwrap_or(0)
            }
            None => 0,
        };
        let last = in_order().map(|sibling| sibling.stat.modified).max();
        Ok(Generation::void(number, last.unwrap_or(UNIX_EPOCH), now))
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
