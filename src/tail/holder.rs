//! Which file it is that holds bytes of a log.
//!
//! The system gives the number of a removed file to the next one that is made. Where logs are compressed and old ones
//! deleted that happens all the time: an archive gets the number of the file that another archive was made of.
//!
//! Does not know what is in the file.

use crate::tail::beneath::Stat;

/// A file on the disk, as long as it is there. An archive is never the same as a file that is read as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    device: u64,
    inode: u64,
    is_archive: bool,
}

impl Holder {
    /// No file at all.
    pub(crate) const NONE: Self = Self { device: 0, inode: 0, is_archive: false };

    /// A file that is read as it is.
    pub(crate) fn plain(stat: &Stat) -> Self {
        Self { device: stat.device, inode: stat.inode, is_archive: false }
    }

    /// An archive.
    pub(crate) fn archive(stat: &Stat) -> Self {
        Self { is_archive: true, ..Self::plain(stat) }
    }

    /// It is an archive.
    pub(crate) fn is_archive(self) -> bool {
        self.is_archive
    }
}
