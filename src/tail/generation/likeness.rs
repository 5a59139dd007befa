//! Whether a file holds a generation, as far as that can be known.
//!
//! ```text
//!   0       256                 offset               end
//!   |  head  |     ...     | tail |        ...    | last |
//! ```
//!
//! Known are the first bytes, those just before the place up to which it was read, and the last ones that were in its
//! file when that was closed. What lies between was never kept, so two files that agree in all of this are taken for
//! the same. Names and numbers say nothing: they are used again.
//!
//! Does not know where files come from, nor what follows from the answer.

use std::io;
use std::time::Duration;

use super::{Bytes, Generation};
use crate::tail::archive::Seen;
use crate::tail::beneath::Stat;
use crate::tail::cursor::{ENOUGH, GUARD, HEAD};
use crate::tail::disk::File;
use crate::tail::reading::{before, holds, stat_of};
use crate::tail::window::GapReason;

/// Programs that compress keep the time of the last change in whole seconds, some of them.
const SAME_TIME: Duration = Duration::from_secs(2);

/// It is as cheap to unpack an archive of this size (in bytes) as to guess.
const SMALL: u64 = 16 * 1024;

/// How far a file agrees with what is known of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// In all of it, which is more than the first bytes.
    Same,
    /// In its first bytes, and nobody knows more.
    Alike,
    /// As far as the file goes, which is not to the end of what is known; perhaps as far as it was read.
    Shorter {
        /// It is.
        held: bool,
    },
    /// Not at all.
    Other,
}

impl Generation {
    /// True if `file` holds all of this generation that was read.
    pub(crate) fn is_held_by(&self, file: &File) -> io::Result<bool> {
        let whole = stat_of(file)?.size >= self.position();
        Ok(whole && self.is_unchanged(file, &[])?)
    }

    /// There is enough of this generation to know it by its content alone.
    pub(crate) fn is_recognisable(&self) -> bool {
        self.head.len() >= ENOUGH
    }

    /// Nothing of it has been seen.
    pub(crate) fn is_blank(&self) -> bool {
        self.head.is_empty()
    }

    /// `file` begins with the same bytes.
    pub(crate) fn begins_like(&self, file: &File) -> io::Result<bool> {
        holds(file, 0, &self.head)
    }

    /// True if `file` holds it though it is another file: there is enough of it to be sure, or there is no more in the
    /// file than that.
    pub(crate) fn is_surely_held_by(&self, file: &File) -> io::Result<bool> {
        let is_all = self.head.len() < HEAD && stat_of(file)?.size == self.position() && !self.is_blank();
        let is_sure = is_all || self.is_recognisable();
        Ok(is_sure && self.is_held_by(file)? && self.likeness(file)? != Likeness::Other)
    }

    /// How far `file` agrees with it. A few small reads.
    pub(crate) fn likeness(&self, file: &File) -> io::Result<Likeness> {
        let size = stat_of(file)?.size;
        if size < self.position() {
            let alike = self.begins_like(file)?;
            return Ok(if alike { Likeness::Shorter { held: false } } else { Likeness::Other });
        }
        if !self.is_unchanged(file, &[])? {
            return Ok(Likeness::Other);
        }
        match self.last() {
            Some((end, _)) if size < end => Ok(Likeness::Shorter { held: true }),
            Some((end, last)) if !holds(file, end - last.len() as u64, &last)? => Ok(Likeness::Other),
            Some((end, _)) if end >= ENOUGH as u64 || end == size => Ok(Likeness::Same),
            // It has been read beyond its first bytes, or it is exactly as long.
            None if self.offset >= (HEAD + GUARD) as u64 || self.end() == size => Ok(Likeness::Same),
            _ => Ok(Likeness::Alike),
        }
    }

    /// It was written to after this archive was made, which is another one's then. To know that, nobody has to look into it.
    pub(crate) fn is_younger_than(&self, archive: &Stat) -> bool {
        archive.modified + SAME_TIME < self.modified
    }

    /// An archive of which this was seen may hold it.
    pub(crate) fn begins_as(&self, seen: &Seen) -> bool {
        let first = &seen.first[..];
        let common = first.len().min(self.head.len());
        // Of what was first seen in an archive, nothing more will be written. Of a damaged one, it is a matter of luck how
        // much can be unpacked.
        let as_long = match self.is_unpacked() {
            true => first.len() == self.head.len() || self.is_torn,
            false => first.len() >= self.head.len(),
        };
        as_long && first[..common] == self.head[..common]
    }

    /// Whether an archive holds it, if that can be told without unpacking it: who unpacks gigabytes to learn that they are
    /// known keeps everybody waiting for what is new.
    ///
    /// It does, if it begins alike and says that it is as long, or that it was last changed in the same instant.
    pub(crate) fn is_told_by(&self, seen: &Seen, archive: &Stat, same_file: bool) -> Option<bool> {
        if !self.begins_as(seen) {
            return Some(false);
        }
        let as_new = archive.modified == self.modified;
        let as_long = seen.says.is_some_and(|says| says.is(self.end()));
        let told = if archive.size <= SMALL { same_file && as_new } else { as_new || as_long };
        told.then_some(true)
    }

    /// Whether what was unpacked of an archive is this generation, and not one to be read beside it. Where that cannot be
    /// told, it is not read again.
    pub(crate) fn is_that(&self, likeness: Likeness, is_torn: bool) -> bool {
        match likeness {
            Likeness::Same | Likeness::Alike => true,
            // A copy may have been made before the last bytes were read.
            Likeness::Shorter { .. } => is_torn || self.loss == GapReason::Truncated,
            Likeness::Other => false,
        }
    }

    /// Whether what was unpacked of an archive may be read as this generation. Where that cannot be told, its bytes count as
    /// missing.
    pub(crate) fn is_readable_as(&self, likeness: Likeness, is_torn: bool) -> bool {
        match likeness {
            Likeness::Same => true,
            // As far as it was read, it is there.
            Likeness::Shorter { held } => {
                held && self.offset >= ENOUGH as u64 && (is_torn || self.loss == GapReason::Truncated)
            }
            Likeness::Alike | Likeness::Other => false,
        }
    }

    /// The last bytes that were in its file, and where they end.
    fn last(&self) -> Option<(u64, Vec<u8>)> {
        match &self.bytes {
            Bytes::Open(file) => self.last_in(file),
            Bytes::Closed | Bytes::Gone => self.seen_last.clone(),
        }
    }

    /// The same of `file`, which may hold something else by now. Where that cannot be read, what else is known must do.
    pub(super) fn last_in(&self, file: &File) -> Option<(u64, Vec<u8>)> {
        let is_held = self.is_held_by(file).ok()?;
        let last = before(file, self.size).ok().filter(|last| is_held && !last.is_empty())?;
        Some((self.size, last))
    }
}
