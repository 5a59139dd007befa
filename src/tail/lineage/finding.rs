//! Finding what a cursor names: among the generations that are known, and among the files beside the log.
//!
//! Does not know who asks.

use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Lineage;
use crate::tail::beneath::OpenError;
use crate::tail::cursor::{ENOUGH, HeadPrint, Place, Seal, head_len};
use crate::tail::disk::File;
use crate::tail::generation::Generation;
use crate::tail::holder::Holder;
use crate::tail::reading::{before, read_exactly, stat_of};
use crate::tail::siblings::{self, Sibling};
use crate::tail::standing::GenerationId;

impl Lineage {
    /// The generation that a place of a cursor names: one that we know, or one that is still in the folder; then it
    /// and those that came after it are put before those that we know. An error if nobody can tell for now.
    ///
    /// Bounded by the number of generations and siblings; only those that may be the one are opened.
    pub(crate) fn find(&mut self, place: &Place, now: Instant) -> Result<Option<GenerationId>, OpenError> {
        for id in self.ids_from(self.first).rev() {
            if !self.get(id).is_some_and(|generation| generation.could_be_at(place)) {
                continue;
            }
            let opened = self.make_open(id, now)?;
            let Some(generation) = self.get(id) else { continue };
            let named = match generation.file().filter(|_| opened) {
                Some(file) => is_named_by(place, file, place.inode == generation.inode(), self.lens.seal())?,
                // Its bytes are gone, so what we remember of them must do.
                None => true,
            };
            if named {
                return Ok(Some(id));
            }
        }
        self.find_sibling(place, now)
    }

    fn find_sibling(&mut self, place: &Place, now: Instant) -> Result<Option<GenerationId>, OpenError> {
        self.archives.borrow_mut().begin_step();
        let siblings = self.siblings(now)?;
        let mut found = None;
        for (i, sibling) in siblings.iter().enumerate().rev() {
            let numbered = self.number(sibling, now).map(|number| number == place.inode);
            let same_file = self.patience.bear(&sibling.rel, numbered, now)?.unwrap_or(false);
            if !self.could_be_in(place, sibling, same_file, now)? {
                continue;
            }
            let named = |file: &File| is_named_by(place, file, same_file, self.lens.seal());
            if let Some((_, _, true)) = self.ask_sibling(sibling, now, named)?
                && !self.is_known(sibling, now)?
            {
                found = Some(i);
                break;
            }
        }
        let Some(found) = found else {
            return Ok(None);
        };
        let current = self.current()?.map(|stat| Holder::plain(&stat));
        if found >= self.older(&siblings, current, now)? {
            // What is younger is for the follower to find; until it has, nobody can tell.
            let to_come = self.between(&siblings, current, now)?;
            let is_to_come = to_come.iter().any(|sibling| sibling.rel == siblings[found].rel);
            return if is_to_come { Err(io::Error::from(io::ErrorKind::Other).into()) } else { Ok(None) };
        }
        let mut chain = vec![siblings[found].clone()];
        // Up to the first that we know.
        for sibling in siblings::younger_than(&siblings, found) {
            if Some(sibling.holder()) == current || self.is_known(&sibling, now)? {
                break;
            }
            chain.push(sibling);
        }
        let mut oldest = None;
        for sibling in chain.iter().rev() {
            oldest = self.prepend(sibling, now)?;
            // If one could not be opened, the way from the place to here is broken.
            if oldest.is_none() {
                break;
            }
        }
        Ok(oldest)
    }

    /// An archive is unpacked only if its first bytes are those that the place names.
    fn could_be_in(
        &self,
        place: &Place,
        sibling: &Sibling,
        same_file: bool,
        now: Instant,
    ) -> Result<bool, OpenError> {
        let Some(format) = sibling.format else {
            return Ok(true);
        };
        let covered = head_len(place.offset);
        if !same_file && covered < ENOUGH {
            return Ok(false);
        }
        let mut archives = self.archives.borrow_mut();
        let asked = archives.see(&self.root, sibling, format, now);
        let named = asked.map(|seen| {
            seen.first.len() >= covered && self.lens.seal().head(&seen.first, place.offset) == place.head
        });
        Ok(self.patience.bear(&sibling.rel, named, now)?.unwrap_or(false))
    }

    /// Where a reader goes on who came when there was no file, nor anything that could be read as it is: with the first
    /// generation that came after that. None if there is none.
    ///
    /// The `void` names the file that was the youngest. What is older than that is old, whatever was written to it since.
    /// If it is gone, what is older went before it, or was changed before.
    pub(crate) fn after_void(
        &mut self,
        void: &Place,
        now: Instant,
    ) -> Result<Option<GenerationId>, OpenError> {
        let is_it = |generation: &Generation| generation.is_void() && generation.start_place() == *void;
        if let Some(void) = self.ids_from(self.first).find(|&id| self.get(id).is_some_and(is_it)) {
            return Ok(Some(void));
        }
        let is_there = self.is_there(|number| names_youngest(void, number), now)?;
        let since = UNIX_EPOCH + Duration::from_nanos(void.offset);
        let is_old = |number: u64, modified: SystemTime| match is_there {
            true => names_youngest(void, number),
            false => modified < since,
        };
        let was_old = |generation: &Generation| is_old(generation.inode(), generation.modified());
        if let Some(old) = self.ids_from(self.first).rev().find(|&id| self.get(id).is_some_and(was_old)) {
            return Ok(self.get(old.next()).map(|_| old.next()));
        }
        while let Some(older) = self.next_older(now)? {
            let number = self.patience.bear(&older.rel, self.number(&older, now), now)?;
            if is_old(number.unwrap_or(0), older.stat.modified) || self.prepend(&older, now)?.is_none() {
                break;
            }
        }
        Ok(Some(self.first))
    }

    /// Is a file with such a number known, or among the siblings?
    fn is_there(&self, is_it: impl Fn(u64) -> bool, now: Instant) -> Result<bool, OpenError> {
        if self.generations.iter().any(|generation| is_it(generation.inode())) {
            return Ok(true);
        }
        self.archives.borrow_mut().begin_step();
        for sibling in self.siblings(now)?.iter().rev().filter(|sibling| sibling.is_in_order()) {
            let number = self.patience.bear(&sibling.rel, self.number(sibling, now), now)?;
            if number.is_some_and(&is_it) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Is this the number of the file after which the place of a void lies? If there was none, it lies at 0.
fn names_youngest(void: &Place, number: u64) -> bool {
    void.offset > 0 && number > 0 && HeadPrint::of(&number.to_be_bytes(), void.offset) == void.head
}

/// Does `place` name what is in `file`? Its first bytes and those before the offset must be the same; if it is not
/// the `same_file`, there must be enough of them.
fn is_named_by(place: &Place, file: &File, same_file: bool, seal: &Seal) -> io::Result<bool> {
    if stat_of(file)?.size < place.offset || (!same_file && head_len(place.offset) < ENOUGH) {
        return Ok(false);
    }
    let head = read_exactly(file, 0, head_len(place.offset))?;
    let guard = before(file, place.offset)?;
    Ok(seal.head(&head, place.offset) == place.head && seal.guard(&guard, place.offset) == place.guard)
}
