//! Files beside a log that nobody waits for: they were there before anybody looked.
//!
//! Does not know generations.

use std::time::SystemTime;

use crate::tail::beneath::{Root, Stat};
use crate::tail::cursor::ENOUGH;
use crate::tail::holder::Holder;
use crate::tail::reading::read_exactly;
use crate::tail::siblings::Sibling;

/// A file that was passed over. The system may give its inode to another one as soon as it has been compressed, so it is
/// known by its first bytes as well.
#[derive(Debug)]
pub(super) struct Passed {
    holder: Holder,
    size: u64,
    modified: SystemTime,
    /// Its first bytes; none of an archive.
    pub(super) head: Vec<u8>,
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
}

/// These are passed over.
pub(super) fn pass(root: &Root, siblings: &[Sibling]) -> Vec<Passed> {
    let pass = |sibling: &Sibling| {
        let head = || -> Option<Vec<u8>> {
            let file = root.open_file(&sibling.rel).ok()?;
            let len = sibling.stat.size.min(ENOUGH as u64);
            read_exactly(&file, 0, usize::try_from(len).ok()?).ok()
        };
        // There is no need to look into an archive: it is the same only as long as nothing about it changes.
        let head = if sibling.format.is_none() { head().unwrap_or_default() } else { Vec::new() };
        let Stat { size, modified, .. } = sibling.stat;
        Passed { holder: sibling.holder(), size, modified, head }
    };
    siblings.iter().map(pass).collect()
}
