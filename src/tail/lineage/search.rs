//! Where the bytes of a known generation are: in its file, by whatever name, or in a copy or an archive of that.
//!
//! Does not know what came before or after it, nor who reads.

use std::ptr;
use std::time::Instant;

use super::Lineage;
use crate::tail::beneath::{OpenError, Stat};
use crate::tail::disk::File;
use crate::tail::generation::{Generation, Glance};
use crate::tail::holder::Holder;
use crate::tail::siblings::{self, Sibling};
use crate::tail::standing::GenerationId;

/// What speaks for a file to hold a generation, before it is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It is the same file, or may be a copy that was made before that was cut: as much as was read is enough.
    Expected,
    /// Nothing else can be what became of it: all that is known must be in there, however little that is.
    Heir,
    /// Nothing: there must be enough to tell.
    None,
}

impl Lineage {
    /// The file that holds `generation` now, and a glance at it: the same file by any name, or else a copy.
    pub(super) fn search(
        &self,
        generation: &Generation,
        now: Instant,
    ) -> Result<Option<(File, Glance)>, OpenError> {
        let siblings = self.siblings(now)?;
        let at_path = self.current()?.is_some_and(|stat| Holder::plain(&stat) == generation.holder());
        if at_path {
            let holds = |file: &File| Ok((generation.is_held_by(file)?, Glance::at(file)?));
            if let Some((file, (true, glance))) = self.ask(&self.rel, now, holds)? {
                return Ok(Some((file, glance)));
            }
        }
        let is_itself = |s: &&Sibling| s.holder() == generation.holder();
        let (itself, others): (Vec<_>, Vec<_>) = siblings.iter().partition(is_itself);
        // If its file is there and does not hold it any more, it was cut, and a copy may have been made just before.
        let is_cut = (at_path || !itself.is_empty()) && !generation.is_blank();
        for sibling in itself.iter().chain(&others) {
            let recent = sibling.stat.modified >= generation.modified();
            let sign = match is_itself(sibling) || is_cut && recent {
                true => Sign::Expected,
                false if !is_cut && self.may_be_heir(sibling, generation, now)? => Sign::Heir,
                false => Sign::None,
            };
            if sibling.format.is_some() {
                let found = self.search_archive(sibling, generation, sign, now)?;
                if found.is_some() {
                    return Ok(found);
                }
                continue;
            }
            let holds = |file: &File| match sign {
                Sign::Expected => generation.is_held_by(file),
                Sign::Heir => generation.may_be_held_by(file),
                Sign::None => generation.is_surely_held_by(file),
            };
            if let Some((file, glance, true)) = self.ask_sibling(sibling, now, holds)? {
                return Ok(Some((file, glance)));
            }
        }
        Ok(None)
    }

    /// The file of a generation that was still followed is nowhere. What a rotation has made of it has been changed since it
    /// was last looked at, and is nothing else that is known.
    fn may_be_heir(
        &self,
        sibling: &Sibling,
        generation: &Generation,
        now: Instant,
    ) -> Result<bool, OpenError> {
        let followed = !generation.is_blank() && !generation.has_ended();
        if !followed || !sibling.is_in_order() || sibling.stat.modified < generation.modified() {
            return Ok(false);
        }
        let mut others = self.generations.iter().filter(|other| !ptr::eq(*other, generation));
        others.try_fold(true, |may_be, other| Ok(may_be && !self.may_hold(sibling, other, now)?))
    }

    /// After the file of a generation was truncated: the copy among its siblings that holds what was in it, and those
    /// that hold what was written, copied and cut again since, until what is in the file now.
    pub(crate) fn find_copies(
        &self,
        id: GenerationId,
        now: Instant,
    ) -> Result<(Option<File>, Vec<Sibling>), OpenError> {
        self.archives.borrow_mut().begin_step();
        let Some(cut) = self.get(id) else {
            return Ok((None, Vec::new()));
        };
        let siblings = self.siblings(now)?;
        // The truncated file itself may have been renamed since. It is no copy, and what came after it is no matter now.
        // If it has been removed, its time is the border; what is as old counts as younger, to be found later.
        let itself = |sibling: &Sibling| sibling.holder() == cut.holder();
        let current = self.current()?.map(|stat| Holder::plain(&stat));
        let removed = !siblings.iter().any(itself) && current != Some(cut.holder());
        let time = cut.file().filter(|_| removed).map(Stat::of).transpose()?;
        let earlier = |s: &Sibling| !itself(s) && time.is_none_or(|own| s.stat.modified < own.modified);
        let copy = self.copy_of(cut, &siblings, now)?;
        let later = match &copy {
            Some((found, _)) => siblings::younger_than(&siblings, *found),
            None => self.changed_since(cut.modified(), &siblings, now)?,
        };
        let later = later.into_iter().take_while(earlier).collect();
        Ok((copy.map(|(_, file)| file), self.unseen(later, now)?))
    }

    /// If there are several copies, the youngest that has all we read; else the youngest that was written after our last
    /// look, as it may have been made before we read the last bytes.
    fn copy_of(
        &self,
        cut: &Generation,
        siblings: &[Sibling],
        now: Instant,
    ) -> Result<Option<(usize, File)>, OpenError> {
        let mut partial = None;
        for (i, sibling) in siblings.iter().enumerate().rev() {
            // What is too short to be known by its content alone is still known by its time: a copy is made just
            // before the cut.
            let recent = sibling.stat.modified >= cut.modified();
            let is_candidate = sibling.holder() != cut.holder() && !cut.is_blank();
            let is_other = match sibling.format {
                None => self.is_known(sibling, now)?,
                Some(_) => !self.begins_as(sibling, cut, now)?,
            };
            if !is_candidate || !(recent || cut.is_recognisable()) || is_other {
                continue;
            }
            let compare = |file: &File| Ok((cut.begins_like(file)?, cut.is_held_by(file)?));
            match self.ask_sibling(sibling, now, compare)? {
                Some((file, _, (_, true))) => return Ok(Some((i, file))),
                Some((file, _, (true, false)))
                    if recent && sibling.stat.size < cut.offset() && partial.is_none() =>
                {
                    partial = Some((i, file));
                }
                _ => {}
            }
        }
        Ok(partial)
    }
}
