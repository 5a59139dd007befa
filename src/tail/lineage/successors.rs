//! What has come after all that is known: files that were rotated in and out again while nobody looked, and what is at the
//! path now.
//!
//! Does not know what follows from that, nor who reads.

use std::io;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::Lineage;
use super::passed::{Passed, pass};
use crate::tail::beneath::{OpenError, Stat};
use crate::tail::disk::File;
use crate::tail::generation::{Begins, Generation, Glance};
use crate::tail::holder::Holder;
use crate::tail::reading::holds;
use crate::tail::siblings::{self, Sibling};

impl Lineage {
    /// Adds what has come after the last generation: files that were rotated in and out again while nobody looked, and
    /// what is at the path now; if that cannot be read, the answer is why. An error if nobody can tell: then nothing has
    /// changed.
    pub(crate) fn find_successors(&mut self, now: Instant) -> Result<Option<OpenError>, OpenError> {
        self.archives.borrow_mut().begin_step();
        // First the file at the path, then its siblings: were it the other way round, a file could be renamed between
        // the two, and be seen by neither.
        let opened = self.root.open_file(&self.rel).and_then(|file| Ok((Stat::of(&file)?, file)));
        let current = opened.as_ref().ok().map(|(stat, _)| Holder::plain(stat));
        let last = self.get(self.last()).filter(|last| last.file().is_some());
        if current.is_some() && last.map(Generation::holder) == current {
            return Ok(None);
        }
        let (opened, nothing) = match opened {
            Ok(opened) => (Some(opened), None),
            Err(why) if why.tells_nothing() => return Err(why),
            Err(why) => (None, Some(why)),
        };
        let opened = match opened {
            Some((stat, file)) if self.is_closed_last(&stat, &file)? => {
                let (last, glance) = (self.last(), Glance::at(&file)?);
                if let Some(last) = self.get_mut(last) {
                    last.take_up(file, glance, now);
                }
                return Ok(None);
            }
            opened => opened,
        };
        let siblings = self.siblings(now)?;
        let mut between = self.between(&siblings, current, now)?;
        let last = self.last();
        if !between.is_empty() && self.get(last).is_some_and(Generation::is_closed) {
            // A copy of the last one did not come after it. To know it, one must know where the last one is now.
            self.make_open(last, now)?;
            between = self.between(&siblings, current, now)?;
        }
        let mut found = self.open_all(&between, Begins::Rotated, now)?;
        if let Some((stat, file)) = opened {
            found.push(self.entering(file, &stat, now)?);
        }
        self.push_all(found);
        self.pass_over(&siblings);
        Ok(nothing)
    }

    /// Is this the file of the last generation, which was closed as it could not be read for a moment?
    fn is_closed_last(&self, stat: &Stat, file: &File) -> io::Result<bool> {
        match self.get(self.last()) {
            Some(last) if last.is_closed() && last.holder() == Holder::plain(stat) => last.is_held_by(file),
            _ => Ok(false),
        }
    }

    /// Those of `siblings` that hold what was written after the last generation and before what is at the path.
    pub(super) fn between(
        &self,
        siblings: &[Sibling],
        current: Option<Holder>,
        now: Instant,
    ) -> Result<Vec<Sibling>, OpenError> {
        let mut between = self.after_last(siblings, now)?;
        between.retain(|sibling| Some(sibling.holder()) != current);
        self.unseen(between, now)
    }

    /// Those of `siblings` that hold what was written after the last generation.
    fn after_last(&self, siblings: &[Sibling], now: Instant) -> Result<Vec<Sibling>, OpenError> {
        let Some(last) = self.get(self.last()) else {
            return Ok(Vec::new());
        };
        for (found, sibling) in siblings.iter().enumerate() {
            if self.may_hold(sibling, last, now)? {
                return Ok(siblings::younger_than(siblings, found));
            }
        }
        // Its name is gone; then what was changed after our last look came after it.
        self.changed_since(self.changed_then.min(last.modified()), siblings, now)
    }

    /// Those of `siblings` that were changed since then, and are younger than all that were there when we last looked: late
    /// lines may have changed an older one, which has been compressed, so that nobody can tell what it was.
    pub(super) fn changed_since(
        &self,
        time: SystemTime,
        siblings: &[Sibling],
        now: Instant,
    ) -> Result<Vec<Sibling>, OpenError> {
        let mut changed = Vec::new();
        for sibling in siblings.iter().rev().filter(|sibling| sibling.is_in_order()) {
            if self.was_there(sibling, now)? {
                break;
            }
            if sibling.stat.modified >= time {
                changed.push(sibling.clone());
            }
        }
        changed.reverse();
        Ok(changed)
    }

    /// The generation that begins with the file at the path: a new one, or one that was moved away and has come back.
    fn entering(&mut self, file: File, current: &Stat, now: Instant) -> io::Result<Generation> {
        for generation in self.generations.iter_mut().rev() {
            let same = generation.holder() == Holder::plain(current) && generation.offset() > 0;
            if same && generation.is_held_by(&file)? {
                return generation.come_back(file, now);
            }
        }
        // The file that the last one was in, which had a handle that was good for nothing any more.
        let cut = |last: &Generation| {
            !last.has_ended() && !last.is_blank() && last.holder() == Holder::plain(current)
        };
        let is_cut = self.get(self.last()).is_some_and(cut);
        let begins = if is_cut { Begins::Truncated } else { Begins::Rotated };
        Generation::open(file, begins, 0, &self.lens, now)
    }

    /// Those of `siblings` that are in order and that we have never read.
    pub(super) fn unseen(&self, siblings: Vec<Sibling>, now: Instant) -> Result<Vec<Sibling>, OpenError> {
        let mut unseen = Vec::new();
        for sibling in siblings {
            let is_new = sibling.is_in_order()
                && !self.was_there(&sibling, now)?
                && !self.is_known(&sibling, now)?
                && !self.was_passed(&sibling, now)?;
            if is_new {
                unseen.push(sibling);
            }
        }
        Ok(unseen)
    }

    /// These are there now, and nobody waits for them.
    pub(super) fn pass_over(&mut self, siblings: &[Sibling]) {
        self.passed_over = Some(pass(&self.root, siblings));
        self.changed_then = self.generations.back().map_or(UNIX_EPOCH, Generation::modified);
    }

    /// Was the file there when we last looked, and is older than the last generation therefore?
    pub(super) fn was_there(&self, sibling: &Sibling, now: Instant) -> Result<bool, OpenError> {
        let same = |passed: &&Passed| passed.may_be(sibling);
        match self.passed_over.iter().flatten().find(same) {
            Some(passed) if !passed.head.is_empty() => {
                let same = self.ask(&sibling.rel, now, |file| holds(file, 0, &passed.head))?;
                Ok(same.is_none_or(|(_, same)| same))
            }
            passed => Ok(passed.is_some()),
        }
    }
}
