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

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use super::Generation;
use crate::tail::archive::Seen;
use crate::tail::beneath::Stat;
use crate::tail::cursor::{ENOUGH, GUARD, HEAD, head_len};
use crate::tail::disk::File;
use crate::tail::reading::{before, holds, read_exactly, stat_of};
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

    /// `file` holds all that is known of it, however little that is.
    pub(crate) fn may_be_held_by(&self, file: &File) -> io::Result<bool> {
        Ok(matches!(self.likeness(file)?, Likeness::Same | Likeness::Alike))
    }

    /// How far `file` agrees with it. A few small reads.
    pub(crate) fn likeness(&self, file: &File) -> io::Result<Likeness> {
        if let Some(own) = self.own() {
            return likeness_to(own, file);
        }
        let size = stat_of(file)?.size;
        if size < self.position() {
            let alike = self.begins_like(file)?;
            return Ok(if alike { Likeness::Shorter { held: false } } else { Likeness::Other });
        }
        if !self.is_unchanged(file, &[])? {
            return Ok(Likeness::Other);
        }
        match &self.seen_last {
            Some((end, _)) if size < *end => Ok(Likeness::Shorter { held: true }),
            Some((end, last)) if !holds(file, end - last.len() as u64, last)? => Ok(Likeness::Other),
            Some((end, _)) if *end >= ENOUGH as u64 || *end == size => Ok(Likeness::Same),
            // It has been read beyond its first bytes, or it is exactly as long.
            None if self.offset >= (HEAD + GUARD) as u64 || self.end() == size => Ok(Likeness::Same),
            _ => Ok(Likeness::Alike),
        }
    }

    /// Its own file, if that is open and still holds it.
    fn own(&self) -> Option<&File> {
        self.file().filter(|own| self.is_held_by(own).unwrap_or(false))
    }

    /// Its first bytes; of what was written and not read yet, those in its file.
    pub(crate) fn first(&self) -> Cow<'_, [u8]> {
        let own = self.own().filter(|_| self.head.len() < HEAD);
        let first = own.and_then(|own| read_exactly(own, 0, head_len(stat_of(own).ok()?.size)).ok());
        first.map_or(Cow::Borrowed(&self.head), Cow::Owned)
    }

    /// Before its file is closed: what was written to that and not read is known all the same. Where it cannot be read, what
    /// else is known must do.
    pub(super) fn see_last(&mut self) {
        let first = self.first().into_owned();
        let last_of = |own: &File| {
            let end = stat_of(own).ok()?.size;
            before(own, end).ok().filter(|last| !last.is_empty()).map(|last| (end, last))
        };
        self.seen_last = self.own().and_then(last_of);
        self.know_head(first);
    }

    /// It was written to after this archive was made, which is another one's then. To know that, nobody has to look into it.
    pub(crate) fn is_younger_than(&self, archive: &Stat) -> bool {
        archive.modified + SAME_TIME < self.modified
    }

    /// An archive of which this was seen may hold it.
    pub(crate) fn begins_as(&self, seen: &Seen) -> bool {
        let (first, own) = (&seen.first[..], self.first());
        let common = first.len().min(own.len());
        // Of what was first seen in an archive, nothing more will be written. Of a damaged one, it is a matter of luck how
        // much can be unpacked. And what is written to a file that has been compressed is in no archive.
        let as_long = match self.is_unpacked() {
            true => first.len() == own.len() || self.is_torn,
            false => first.len() >= self.head.len(),
        };
        as_long && first[..common] == own[..common]
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
}

/// How far what is in `file` agrees with what is in `own`: one of them may have been made before all was written.
fn likeness_to(own: &File, file: &File) -> io::Result<Likeness> {
    let sizes = [stat_of(own)?.size, stat_of(file)?.size];
    let common = sizes[0].min(sizes[1]);
    let first = read_exactly(own, 0, head_len(common))?;
    if !holds(file, 0, &first)? || before(own, common)? != before(file, common)? {
        return Ok(Likeness::Other);
    }
    let told = common >= ENOUGH as u64 || sizes[0] == sizes[1];
    Ok(if told { Likeness::Same } else { Likeness::Alike })
}
