//! What stands behind a name in a folder, and why it is not opened.
//!
//! Knows what the system tells about files; opens none itself: that is `beneath`.

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use rustix::fs::{self, FileType};
use rustix::io::Errno;

use crate::tail::disk::File;

/// What a regular file is at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The file system it is on.
    pub device: u64,
    /// Its number there. May be used again after the file has been removed.
    pub inode: u64,
    /// Its length in bytes.
    pub size: u64,
    /// When its content last changed.
    pub modified: SystemTime,
}

impl Stat {
    /// Of an open file; an error if it is not a regular one.
    pub fn of(file: &File) -> Result<Self, OpenError> {
        Self::regular(&file.stat()?)
    }

    /// The same from what the system said.
    pub(crate) fn regular(stat: &fs::Stat) -> Result<Self, OpenError> {
        let (device, inode) = identity(stat);
        let kind = Kind::from(FileType::from_raw_mode(stat.st_mode));
        if kind != Kind::File {
            return Err(OpenError::NotRegular(kind));
        }
        Ok(Self { device, inode, size: u64::try_from(stat.st_size).unwrap_or(0), modified: modified(stat) })
    }
}

/// What can stand behind a name in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file, the only kind that is read.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character or block device.
    Device,
    /// The file system does not say, or says something we do not know.
    Unknown,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            FileType::CharacterDevice | FileType::BlockDevice => Self::Device,
            FileType::Unknown => Self::Unknown,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a regular file",
            Self::Folder => "a folder",
            Self::Link => "a symbolic link",
            Self::Fifo => "a named pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Unknown => "something unknown",
        })
    }
}

/// Why a file was not opened. Reads as a sentence after the file's name and a colon.
#[derive(Debug)]
pub enum OpenError {
    /// There is none; it may come.
    Missing,
    /// The rights of this process do not suffice.
    Denied,
    /// The path does not stay beneath the root: `..`, an absolute path, or a link to elsewhere.
    LeadsOut,
    /// There is something, but not a regular file.
    NotRegular(Kind),
    /// The system refused for another reason: no free descriptor, a broken disk, a stale network file system.
    Io(io::Error),
    /// It is in an archive, of which more has to be unpacked first.
    Packed,
    /// It is in an archive, and so much is unpacked and being read that there is no room for more.
    Crowded,
}

impl OpenError {
    /// It says nothing about what is there: with the rights, or with more luck, a file might be found.
    pub(crate) fn tells_nothing(&self) -> bool {
        matches!(self, Self::Denied | Self::Io(_) | Self::Packed | Self::Crowded)
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            // NOTDIR: what should be a folder on the way is a file. For the reader the log is just not there.
            Some(Errno::NOENT | Errno::NOTDIR) => Self::Missing,
            Some(Errno::ACCESS | Errno::PERM) => Self::Denied,
            Some(Errno::XDEV) => Self::LeadsOut,
            _ => Self::Io(error),
        }
    }
}

impl From<Errno> for OpenError {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Denied => f.write_str("this program may not read it"),
            Self::LeadsOut => f.write_str("it leads out of its folder"),
            Self::NotRegular(kind) => write!(f, "it is {kind}, and only regular files are read"),
            Self::Io(error) => write!(f, "it cannot be read: {error}"),
            Self::Crowded => f.write_str("it is compressed, and has to wait until others have been read"),
            Self::Packed => f.write_str("it is being unpacked"),
        }
    }
}

impl std::error::Error for OpenError {}

/// Device and inode: which file or folder this is, while it exists.
#[allow(clippy::unnecessary_cast, reason = "the width of the device's number depends on the platform")]
pub(super) fn identity(stat: &fs::Stat) -> (u64, u64) {
    (stat.st_dev as u64, stat.st_ino as u64)
}

#[allow(clippy::unnecessary_cast, reason = "the width of these fields depends on the platform")]
fn modified(stat: &fs::Stat) -> SystemTime {
    let (seconds, nanos) = (stat.st_mtime as i64, stat.st_mtime_nsec as u64);
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let start = SystemTime::UNIX_EPOCH;
    // Files from before 1970 exist, by accident; and so do times that no SystemTime can hold.
    let second = if seconds < 0 { start.checked_sub(whole) } else { start.checked_add(whole) };
    second.and_then(|second| second.checked_add(Duration::from_nanos(nanos))).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_open_file() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, b"four").unwrap();
        let stat = Stat::of(&file.into()).unwrap();
        assert_eq!(stat.size, 4);
        assert!(stat.modified > SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        let device = std::fs::File::open("/dev/null").unwrap();
        assert!(matches!(Stat::of(&device.into()), Err(OpenError::NotRegular(Kind::Device))));
    }

    #[test]
    fn a_file_from_before_1970_has_its_time() {
        let file = tempfile::tempfile().unwrap();
        let long_ago = SystemTime::UNIX_EPOCH - Duration::from_millis(86_400_250);
        file.set_modified(long_ago).unwrap();
        assert_eq!(Stat::of(&file.into()).unwrap().modified, long_ago);
    }

    #[test]
    fn errors_are_plain_sentences() {
        let fifo = OpenError::NotRegular(Kind::Fifo).to_string();
        assert_eq!(fifo, "it is a named pipe, and only regular files are read");
        assert_eq!(OpenError::from(Errno::ACCESS).to_string(), "this program may not read it");
        assert_eq!(OpenError::from(Errno::XDEV).to_string(), "it leads out of its folder");
    }
}
