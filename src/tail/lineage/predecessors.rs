//! What came before all that is known: one older file after the other, as somebody asks for it.
//!
//! Does not know who asks.

use std::time::Instant;

use super::{Lineage, MOST};
use crate::tail::beneath::OpenError;
use crate::tail::generation::Generation;
use crate::tail::holder::Holder;
use crate::tail::siblings::Sibling;
use crate::tail::standing::GenerationId;

impl Lineage {
    /// Takes in the next older sibling as the generation before all others. None if there is none that can be read, or
    /// if [`MOST`] are known; an error if nobody can tell for now. Bounded by the number of siblings.
    pub(crate) fn extend_back(&mut self, now: Instant) -> Result<Option<GenerationId>, OpenError> {
        self.next_older(now)?.map_or(Ok(None), |sibling| self.prepend(&sibling, now))
    }

    /// The sibling that came before all that we know.
    pub(super) fn next_older(&mut self, now: Instant) -> Result<Option<Sibling>, OpenError> {
        self.archives.borrow_mut().begin_step();
        let siblings = self.siblings(now)?;
        let current = self.current()?.map(|stat| Holder::plain(&stat));
        for sibling in siblings[..self.older(&siblings, current, now)?].iter().rev() {
            let is_current = Some(sibling.holder()) == current;
            if sibling.is_in_order() && !is_current && !self.is_known(sibling, now)? {
                return Ok(Some(sibling.clone()));
            }
        }
        Ok(None)
    }

    /// How many of `siblings` are older than all that we know: those before the first that holds a known generation.
    pub(super) fn older(
        &self,
        siblings: &[Sibling],
        current: Option<Holder>,
        now: Instant,
    ) -> Result<usize, OpenError> {
        for generation in self.generations.iter().filter(|g| Some(g.holder()) != current) {
            // First those that need not be looked into.
            for packed in [false, true] {
                for (place, sibling) in siblings.iter().enumerate() {
                    let same_file = sibling.holder() == generation.holder();
                    let is_likely = if packed { sibling.format.is_some() } else { same_file };
                    if is_likely && self.may_hold(sibling, generation, now)? {
                        return Ok(place);
                    }
                }
            }
        }
        let last = self.generations.back();
        if last.is_some_and(|last| Some(last.holder()) == current) {
            return Ok(siblings.len());
        }
        // The name of the last one is gone. What was changed after our last look came after it, unless we saw it then: two
        // files that were written one after the other may have the same time.
        let border = last.map(Generation::modified);
        for (place, sibling) in siblings.iter().enumerate().rev() {
            let before = border.is_none_or(|border| sibling.stat.modified < border);
            if before || self.was_there(sibling, now)? {
                return Ok(place + 1);
            }
        }
        Ok(0)
    }

    /// Puts what is in the file before all that we know; if it has been unreadable for too long, as something of which no
    /// more is known than its size. None if there is no room, or no such file.
    pub(super) fn prepend(
        &mut self,
        sibling: &Sibling,
        now: Instant,
    ) -> Result<Option<GenerationId>, OpenError> {
        if self.generations.len() == MOST {
            return Ok(None);
        }
        let opened = self
            .open_sibling(sibling, now)
            .and_then(|(file, glance)| Ok(Generation::at_end(file, glance, &self.lens, now)?));
        let unreadable = opened.as_ref().is_err_and(OpenError::tells_nothing);
        let mut generation = match self.patience.bear(&sibling.rel, opened, now)? {
            Some(generation) => generation,
            None if unreadable => Generation::unread(sibling.holder(), &sibling.stat, &self.lens, now),
            None => return Ok(None),
        };
        self.make_room();
        generation.end_now();
        self.generations.push_front(generation);
        self.first = self.first.before();
        Ok(Some(self.first))
    }
}
