//! A folder that is listed in parts, and when it was last changed.
//!
//! Knows what the system says about folders; what is looked for in them is the catalogue's.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{self, Dir, FileType, OFlags};
use rustix::io::Errno;

use super::folder::Folder;
use super::stat::identity;
use super::{Entry, Kind, OpenError, Root};
use crate::tail::disk::{Call, Disk};

/// Which folder it is, and when a name was last put into it or taken out of it: as long as that is the same, and was so
/// for a while, so are the names in it ("the time of last modification ... is changed by the creation or deletion of files
/// in that directory", inode(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    identity: (u64, u64),
    // Seconds and nanoseconds, whatever their types are on this system.
    modified: (i128, i128),
    changed: (i128, i128),
}

impl Stamp {
    fn of(stat: &fs::Stat) -> Result<Self, OpenError> {
        let kind = Kind::from(FileType::from_raw_mode(stat.st_mode));
        if kind != Kind::Folder {
            return Err(OpenError::NotRegular(kind));
        }
        Ok(Self {
            identity: identity(stat),
            modified: (stat.st_mtime.into(), stat.st_mtime_nsec.into()),
            changed: (stat.st_ctime.into(), stat.st_ctime_nsec.into()),
        })
    }
}

/// A folder that is being listed.
#[derive(Debug)]
pub struct Lister {
    folder: Dir,
    disk: Disk,
    stamp: Stamp,
    interrupted: bool,
}

impl Lister {
    /// The folder as it was before the first part was listed.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The next entries, at most so many, without `.` and `..`; none when there are no more. Where the system interrupts a
    /// listing it cannot be read on and begins anew, so an entry may come twice.
    ///
    /// # Errors
    /// When the system cannot list it.
    pub fn next_part(&mut self, most: usize) -> Result<Vec<Entry>, OpenError> {
        let Self { folder, disk, interrupted, .. } = self;
        let list = || {
            if std::mem::take(interrupted) {
                folder.rewind();
            }
            let part = part_of(folder, most);
            *interrupted = part.is_err();
            part
        };
        Ok(disk.call(Call::List, list)?)
    }
}

fn part_of(folder: &mut Dir, most: usize) -> Result<Vec<Entry>, Errno> {
    let mut entries = Vec::new();
    while entries.len() < most
        && let Some(entry) = folder.read()
    {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            let name = OsStr::from_bytes(name).to_owned();
            entries.push(Entry { name, kind: entry.file_type().into(), inode: entry.ino() });
        }
    }
    Ok(entries)
}

impl Root {
    /// Begins to list the folder at `rel` (empty: the root itself), in the file system's order.
    ///
    /// # Errors
    /// When it is not there, leads out, is no folder, or may not be listed.
    pub fn lister(&self, rel: &Path) -> Result<Lister, OpenError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let handle = self.beneath(rel, |folder, rel| folder.open_at(rel, flags))?;
        let stamp = Stamp::of(&self.disk.call(Call::Stat, || fs::fstat(&handle))?)?;
        Ok(Lister { folder: Dir::new(handle)?, disk: self.disk.clone(), stamp, interrupted: false })
    }

    /// Which folder is at `rel`, and when it was last changed.
    ///
    /// # Errors
    /// When there is none, or it leads out.
    pub fn stamp(&self, rel: &Path) -> Result<Stamp, OpenError> {
        Stamp::of(&self.beneath(rel, Folder::stat_at)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::tail::disk::{Fault, Faults};

    fn folder_with(files: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in 0..files {
            std::fs::write(folder.path().join(format!("{file}.log")), "").unwrap();
        }
        folder
    }

    #[test]
    fn whatever_the_size_of_the_parts_each_entry_comes_once() {
        let folder = folder_with(300);
        let root = Root::open(folder.path()).unwrap();
        for most in [1, 7, 128, 1000] {
            let mut lister = root.lister(Path::new("")).unwrap();
            let mut names = Vec::new();
            loop {
                let part = lister.next_part(most).unwrap();
                assert!(part.len() <= most);
                if part.is_empty() {
                    break;
                }
                names.extend(part.into_iter().map(|entry| entry.name));
            }
            assert_eq!(names.len(), 300, "{most}");
            assert_eq!(names.into_iter().collect::<BTreeSet<_>>().len(), 300, "{most}");
        }
    }

    #[test]
    fn a_folder_has_another_stamp_when_a_name_has_come_or_gone_and_not_when_a_file_has_grown() {
        let folder = folder_with(1);
        let root = Root::open(folder.path()).unwrap();
        let stamp = || root.stamp(Path::new("")).unwrap();
        let first = stamp();
        assert_eq!(root.lister(Path::new("")).unwrap().stamp(), first);
        std::fs::write(folder.path().join("0.log"), "more").unwrap();
        assert_eq!(stamp(), first);
        crate::tail::catalogue::tests::let_time_pass(folder.path());
        std::fs::remove_file(folder.path().join("0.log")).unwrap();
        assert_ne!(stamp(), first);
        assert!(root.stamp(Path::new("nothing")).is_err());
    }

    #[test]
    fn an_interrupted_listing_leaves_nothing_out() {
        let folder = folder_with(20);
        let faults = Faults::anywhere();
        let root = Root::wait_for(&Disk::with(&faults), folder.path());
        let mut lister = root.lister(Path::new("")).unwrap();
        faults.begin(Fault::Interrupted, 1, 3);
        let names: BTreeSet<_> =
            lister.next_part(1000).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!((faults.met(), names.len()), (3, 20));
        faults.begin(Fault::Broken, 1, 1);
        assert!(lister.next_part(1).is_err());
    }
}
