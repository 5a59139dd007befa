//! An opened folder, and the two ways to open what lies in it without leaving it.
//!
//! Knows one system call at a time and gives its errors as they are; what to do about a refused link is
//! `beneath`'s decision.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::stat::identity;
use crate::tail::disk::{Call, Disk};

/// A root's folder while it is open.
#[derive(Debug)]
pub(super) struct Folder {
    handle: OwnedFd,
    disk: Disk,
    /// Which folder it is, see [`identity`].
    pub(super) identity: (u64, u64),
    /// Its path without links in it, to tell whether a resolved path is inside.
    pub(super) path: PathBuf,
    pub(super) way: Way,
}

/// Who holds the rule that nothing outside is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The kernel, by `openat2`.
    #[cfg(target_os = "linux")]
    Kernel,
    /// Our own walk, one folder at a time.
    Walk,
}

impl Folder {
    /// Opens the folder at `path`, following links, and finds out which way is open here.
    pub(super) fn open(disk: &Disk, path: &Path) -> Result<Self, Errno> {
        let handle = disk.call(Call::Open, || fs::open(path, FOLDER, Mode::empty()))?;
        let identity = identity(&disk.call(Call::Stat, || fs::fstat(&handle))?);
        let way = Way::available(disk, handle.as_fd());
        let real = path.canonicalize().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        Ok(Self { identity, path: real, handle, disk: disk.clone(), way })
    }

    /// Opens what is at `rel`.
    pub(super) fn open_at(&self, rel: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        match self.way {
            #[cfg(target_os = "linux")]
            Way::Kernel => self.kernel_open(rel, flags),
            Way::Walk => self.walk(rel, |folder, name| {
                let flags = flags | OFlags::NOFOLLOW;
                self.disk.call(Call::Open, || fs::openat(folder, name, flags, mode(flags)))
            }),
        }
    }

    /// Looks at what is at `rel` without opening it.
    pub(super) fn stat_at(&self, rel: &Path) -> Result<fs::Stat, Errno> {
        match self.way {
            // O_PATH: a handle to ask with, which neither needs the right to read nor touches the device or
            // FIFO.
            #[cfg(target_os = "linux")]
            Way::Kernel => {
                let handle = self.kernel_open(rel, OFlags::PATH | OFlags::CLOEXEC)?;
                self.disk.call(Call::Stat, || fs::fstat(&handle))
            }
            Way::Walk => self.walk(rel, |folder, name| {
                let look = || fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
                let stat = self.disk.call(Call::Stat, look)?;
                if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
                    return Err(Errno::LOOP);
                }
                Ok(stat)
            }),
        }
    }

    /// Goes down to the folder that holds the last part of `rel`, following no link, and does `act` there.
    fn walk<T>(
        &self,
        rel: &Path,
        act: impl Fn(BorrowedFd<'_>, &OsStr) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let mut parts = rel.iter();
        let last = parts.next_back().unwrap_or(OsStr::new("."));
        let mut below: Option<OwnedFd> = None;
        for part in parts {
            let here = below.as_ref().map_or(self.handle.as_fd(), AsFd::as_fd);
            let flags = FOLDER | OFlags::NOFOLLOW;
            below = Some(self.disk.call(Call::Open, || fs::openat(here, part, flags, Mode::empty()))?);
        }
        act(below.as_ref().map_or(self.handle.as_fd(), AsFd::as_fd), last)
    }

    /// Opens `rel` and lets the kernel see to it that it lies beneath.
    #[cfg(target_os = "linux")]
    fn kernel_open(&self, rel: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        // "EAGAIN: ... the kernel could not ensure that a ".." component didn't escape (due to a race condition or
        // potential attack). The caller may choose to retry" (openat2(2)). Somebody may keep on renaming, so not for
        // ever.
        const TRIES: usize = 4;
        let mut outcome = Err(Errno::AGAIN);
        for _ in 0..TRIES {
            outcome = self.disk.call(Call::Open, || open_beneath(self.handle.as_fd(), rel, flags));
            if !matches!(outcome, Err(Errno::AGAIN)) {
                break;
            }
        }
        outcome
    }
}

impl Way {
    /// Asked once per folder: `openat2` is missing before Linux 5.6, and some container sandboxes forbid it
    /// (with ENOSYS or, the older ones, EPERM).
    #[cfg(target_os = "linux")]
    fn available(disk: &Disk, folder: BorrowedFd<'_>) -> Self {
        match disk.call(Call::Open, || open_beneath(folder, Path::new("."), FOLDER)) {
            Err(Errno::NOSYS | Errno::PERM) => Self::Walk,
            _ => Self::Kernel,
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn available(_disk: &Disk, _folder: BorrowedFd<'_>) -> Self {
        Self::Walk
    }
}

/// Folders are opened to start from them. Linux has a mode for just that, which needs no right to list them.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The rights to a file that is made, which the process's umask may lessen; nothing may be said of them where none is made.
fn mode(flags: OFlags) -> Mode {
    if flags.contains(OFlags::CREATE) { Mode::from_raw_mode(0o666) } else { Mode::empty() }
}

/// Opens `rel` beneath `folder`; links are followed as long as they stay inside and are not those of `/proc`.
#[cfg(target_os = "linux")]
fn open_beneath(folder: BorrowedFd<'_>, rel: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    fs::openat2(folder, rel, flags, mode(flags), ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS)
}
