//! Which archive beside a log holds which generation.
//!
//! An archive is looked into before anything follows from it: where many logs begin with the same banner, its first bytes
//! tell nothing, and its name and number never do. What can be told without unpacking it is told so.
//!
//! Does not know how an archive is unpacked, nor who wants to know.

use std::io;
use std::time::Instant;

use super::Lineage;
use super::passed::Passed;
use super::search::Sign;
use crate::tail::archive::Content;
use crate::tail::beneath::OpenError;
use crate::tail::cursor::HEAD;
use crate::tail::disk::File;
use crate::tail::generation::{Generation, Glance, Likeness};
use crate::tail::siblings::Sibling;

impl Lineage {
    /// Does the file hold a generation that we know? An inode alone says little: it may be used again, and a file may
    /// be copied over. [`OpenError::Packed`] if more of it has to be unpacked to tell.
    pub(super) fn is_known(&self, sibling: &Sibling, now: Instant) -> Result<bool, OpenError> {
        let mut undecided = None;
        for generation in &self.generations {
            match self.may_hold(sibling, generation, now) {
                // Another one may be known without that.
                Err(why @ (OpenError::Packed | OpenError::Crowded)) => undecided = Some(why),
                Ok(false) => {}
                told => return told,
            }
        }
        undecided.map_or(Ok(false), Err)
    }

    /// Is this the generation's file? Where nobody can tell, it is not taken for something new. [`OpenError::Packed`] if
    /// more of it has to be unpacked to tell.
    pub(super) fn may_hold(
        &self,
        sibling: &Sibling,
        generation: &Generation,
        now: Instant,
    ) -> Result<bool, OpenError> {
        if generation.is_void() {
            return Ok(false);
        }
        let same_file = sibling.holder() == generation.holder();
        let Some(format) = sibling.format else {
            let held = |file: &File| generation.is_held_by(file);
            return Ok(same_file && self.ask(&sibling.rel, now, held)?.is_none_or(|(_, held)| held));
        };
        if !same_file && (generation.first().is_empty() || generation.is_younger_than(&sibling.stat)) {
            return Ok(false);
        }
        let mut archives = self.archives.borrow_mut();
        let asked = archives.see(&self.root, sibling, format, now);
        let told = asked.map(|seen| generation.is_told_by(seen, &sibling.stat, same_file));
        let known = (generation.place(), generation.end());
        // One that cannot be read is not taken for another.
        match self.patience.bear(&sibling.rel, told, now)?.unwrap_or(Some(same_file)) {
            Some(told) => return Ok(told),
            None => {
                if let Some(told) = archives.told(sibling, known) {
                    return Ok(told);
                }
            }
        }
        drop(archives);
        let compare = |file: &File| generation.likeness(file);
        let Some((_, glance, likeness)) = self.ask_sibling(sibling, now, compare)? else {
            return Ok(false);
        };
        let told = generation.is_that(likeness, glance.is_torn());
        self.archives.borrow_mut().remember(sibling, known, told);
        Ok(told)
    }

    /// An archive that begins like the generation.
    pub(super) fn begins_as(
        &self,
        sibling: &Sibling,
        generation: &Generation,
        now: Instant,
    ) -> Result<bool, OpenError> {
        let Some(format) = sibling.format.filter(|_| !generation.is_blank()) else {
            return Ok(false);
        };
        let mut archives = self.archives.borrow_mut();
        let asked = archives.see(&self.root, sibling, format, now);
        let begins = asked.map(|seen| generation.begins_as(seen));
        Ok(self.patience.bear(&sibling.rel, begins, now)?.unwrap_or(false))
    }

    /// Is this what a file was compressed to that was there before anybody looked, and that nobody waits for?
    /// [`OpenError::Packed`] if more of it has to be unpacked to tell.
    pub(super) fn was_passed(&self, sibling: &Sibling, now: Instant) -> Result<bool, OpenError> {
        let Some(format) = sibling.format else {
            return Ok(false);
        };
        let mut archives = self.archives.borrow_mut();
        let asked = archives.see(&self.root, sibling, format, now).map(|seen| seen.first.clone());
        let first = self.patience.bear(&sibling.rel, asked, now)?.unwrap_or_default();
        drop(archives);
        let may_be: Vec<&Passed> =
            self.passed_over.iter().flatten().filter(|passed| passed.may_be_in(&first)).collect();
        if may_be.is_empty() || may_be.iter().any(|passed| passed.is_as_new_as(sibling)) {
            return Ok(!may_be.is_empty());
        }
        let compare =
            |file: &File| may_be.iter().try_fold(false, |told, passed| Ok(told || passed.is_in(file)?));
        Ok(self.ask_sibling(sibling, now, compare)?.is_some_and(|(_, _, told)| told))
    }

    /// What is in an archive, if the generation may be read from it.
    pub(super) fn search_archive(
        &self,
        sibling: &Sibling,
        generation: &Generation,
        sign: Sign,
        now: Instant,
    ) -> Result<Option<(File, Glance)>, OpenError> {
        if !self.begins_as(sibling, generation, now)? {
            return Ok(None);
        }
        let compare = |file: &File| Ok((generation.is_held_by(file)?, generation.likeness(file)?));
        let Some((file, glance, (held, likeness))) = self.ask_sibling(sibling, now, compare)? else {
            return Ok(None);
        };
        let found = match sign {
            Sign::Expected if held => true,
            Sign::Heir if likeness == Likeness::Alike => true,
            _ => generation.is_readable_as(likeness, glance.is_torn()),
        };
        Ok(found.then_some((file, glance)))
    }

    /// As [`ask`](Self::ask), of what is in a sibling. [`OpenError::Packed`] if more of it has to be unpacked first.
    pub(super) fn ask_sibling<T>(
        &self,
        sibling: &Sibling,
        now: Instant,
        question: impl FnOnce(&File) -> io::Result<T>,
    ) -> Result<Option<(File, Glance, T)>, OpenError> {
        let asked = self.open_sibling(sibling, now).and_then(|(file, glance)| {
            let answer = question(&file)?;
            Ok((file, glance, answer))
        });
        self.patience.bear(&sibling.rel, asked, now)
    }

    /// The number by which the places of a generation name it that was first seen in this file.
    pub(super) fn number(&self, sibling: &Sibling, now: Instant) -> Result<u64, OpenError> {
        let inode = sibling.stat.inode;
        let Some(format) = sibling.format else {
            return Ok(inode);
        };
        let mut archives = self.archives.borrow_mut();
        let seen = archives.see(&self.root, sibling, format, now)?;
        Ok(self.lens.seal().head(&seen.first, HEAD as u64).in_archive(inode))
    }

    pub(super) fn open_sibling(&self, sibling: &Sibling, now: Instant) -> Result<(File, Glance), OpenError> {
        let Some(format) = sibling.format else {
            let file = self.root.open_file(&sibling.rel)?;
            let glance = Glance::at(&file)?;
            return Ok((file, glance));
        };
        let number = self.number(sibling, now)?;
        match self.archives.borrow_mut().unpack(&self.root, sibling, format, now)? {
            Content::Ready { file, whole } => {
                let glance = Glance::at(&file)?.in_archive(number, &sibling.stat, !whole);
                Ok((file, glance))
            }
            Content::Unpacking => Err(OpenError::Packed),
        }
    }
}
