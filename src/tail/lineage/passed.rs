//! Files beside a log that nobody waits for: they were there before anybody looked.
//!
//! Does not know generations.

use std::io;
use std::time::SystemTime;

use crate::tail::beneath::{Root, Stat};
use crate::tail::cursor::ENOUGH;
use crate::tail::disk::File;
use crate::tail::holder::Holder;
use crate::tail::reading::{before, holds, read_exactly, stat_of};
use crate::tail::siblings::Sibling;

/// A file that was passed over. The system may give its inode to another one as soon as it has been compressed, so it is
/// known by its first bytes as well.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) holder: Holder,
    pub(super) size: u64,
    modified: SystemTime,
    /// Its first bytes; none of an archive.
    pub(super) head: Vec<u8>,
    // Its last bytes; none of an archive.
    last: Vec<u8>,
}

impl Passed {
    /// Nothing tells that it is another file. A log may have grown since; an archive that has is another one.
    pub(super) fn may_be(&self, sibling: &Sibling) -> bool {
        let (size, modified) = (sibling.stat.size, sibling.stat.modified);
        let since = match sibling.format {
            None => size >= self.size && modified >= self.modified,
            Some(_) => size == self.size && modified == self.modified,
        };
        self.holder == sibling.holder() && since
    }

    /// An archive of which these are the first bytes may be what it was compressed to.
    pub(super) fn may_be_in(&self, first: &[u8]) -> bool {
        !self.head.is_empty() && first.starts_with(&self.head)
    }

    /// It was last changed in the same instant, as that is kept.
    pub(super) fn is_as_new_as(&self, archive: &Sibling) -> bool {
        self.modified == archive.stat.modified
    }

    /// What was unpacked of such an archive is what was in it, or begins with that, if it was enough to tell.
    pub(super) fn is_in(&self, file: &File) -> io::Result<bool> {
        let size = stat_of(file)?.size;
        let enough = self.size >= ENOUGH as u64 && size >= self.size || size == self.size;
        Ok(enough && holds(file, self.size - self.last.len() as u64, &self.last)?)
    }
}

/// These are passed over.
pub(super) fn pass(root: &Root, siblings: &[Sibling]) -> Vec<Passed> {
    let pass = |sibling: &Sibling| {
        let ends = || -> Option<(Vec<u8>, Vec<u8>)> {
            let file = root.open_file(&sibling.rel).ok()?;
            let len = sibling.stat.size.min(ENOUGH as u64);
            let head = read_exactly(&file, 0, usize::try_from(len).ok()?).ok()?;
            Some((head, before(&file, sibling.stat.size).ok()?))
        };
        // There is no need to look into an archive: it is the same only as long as nothing about it changes.
        let (head, last) =
            if sibling.format.is_none() { ends().unwrap_or_default() } else { Default::default() };
        let Stat { size, modified, .. } = sibling.stat;
        Passed { holder: sibling.holder(), size, modified, head, last }
    };
    siblings.iter().map(pass).collect()
}
