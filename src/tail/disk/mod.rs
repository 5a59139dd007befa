//! The seam to the system: every call that is made on behalf of a log goes through here, and a test may let it fail.
//!
//! A [`Disk`] is a handle without a cost. A folder that logs are opened in (a [`Root`](super::beneath::Root)) has one and
//! gives it to each [`File`] it opens. In the program it is the system as it is; a test has one with [`Faults`] in it. A
//! call that was interrupted (EINTR) is made again here, and nowhere else.
//!
//! The clock needs no seam: instants are arguments everywhere in `tail`.
//!
//! Does not know what files mean, nor what is to be done about an error.

mod faults;

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use rustix::fs;
use rustix::io::{Errno, pread, write};

pub use faults::{Fault, Faults};
pub(crate) use rustix::fs::SeekFrom;

/// What is asked of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `open` of any kind; on Linux also the one that precedes asking about a file by its path.
    Open,
    /// `stat` of any kind.
    Stat,
    /// `pread`.
    Read,
    /// `write`.
    Write,
    /// `getdents`, until the folder has been listed.
    List,
    /// `lseek`, which tells holes from data.
    Seek,
}

/// The system as logs are read from it. The default is the real one.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    faults: Option<Arc<Faults>>,
}

impl Disk {
    /// One that does what `faults` say, and otherwise what the system does.
    pub fn with(faults: &Arc<Faults>) -> Self {
        Self { faults: Some(Arc::clone(faults)) }
    }

    /// The same as seen by what lies in `folder`: a fault may be in one folder only.
    pub(crate) fn below(&self, folder: &Path) -> Self {
        Self { faults: self.faults.clone().filter(|faults| faults.concern(folder)) }
    }

    /// Makes a call, and makes it again as long as it is interrupted.
    pub(crate) fn call<T>(&self, call: Call, mut make: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
        loop {
            let failed = self.faults.as_ref().and_then(|faults| faults.error(call));
            match failed.map_or_else(&mut make, Err) {
                Err(Errno::INTR) => {}
                done => return done,
            }
        }
    }
}

/// A file that is open for reading, or for writing at its end as well.
#[derive(Debug)]
pub struct File {
    handle: OwnedFd,
    disk: Disk,
    // Says to who has lent it that it is still open.
    _lent: Option<Rc<()>>,
}

impl File {
    /// The file behind `handle`, which is on `disk`.
    pub(crate) fn new(handle: impl Into<OwnedFd>, disk: &Disk) -> Self {
        Self { handle: handle.into(), disk: disk.clone(), _lent: None }
    }

    /// The same, holding `token` as long as it is open.
    pub(crate) fn lent(self, token: &Rc<()>) -> Self {
        Self { _lent: Some(Rc::clone(token)), ..self }
    }

    /// Reads once, at `at`: fewer bytes than `buffer` has room for at the end of the file, and wherever the system likes.
    pub(crate) fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let most = self.disk.faults.as_ref().and_then(|faults| faults.short(buffer.len()));
        let buffer = match most {
            Some(most) => &mut buffer[..most],
            None => buffer,
        };
        Ok(self.disk.call(Call::Read, || pread(&self.handle, &mut *buffer, at))?)
    }

    /// Writes all of `bytes` at the end of a file that is open for that, and gives the offset behind them. After an error,
    /// some of them may have been written.
    pub(crate) fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.disk.call(Call::Write, || write(&self.handle, rest))? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => rest = &rest[written..],
            }
        }
        // Where it is open to be appended to, a write leaves the position behind what it has written.
        Ok(self.seek(SeekFrom::Current(0))?)
    }

    /// What the system tells about it.
    pub(crate) fn stat(&self) -> Result<fs::Stat, Errno> {
        self.disk.call(Call::Stat, || fs::fstat(&self.handle))
    }

    /// Where the next hole, or the next data, begins.
    pub(crate) fn seek(&self, to: SeekFrom) -> Result<u64, Errno> {
        self.disk.call(Call::Seek, || fs::seek(&self.handle, to))
    }
}

impl From<File> for std::fs::File {
    fn from(file: File) -> Self {
        file.handle.into()
    }
}

/// One on the real disk.
impl From<std::fs::File> for File {
    fn from(file: std::fs::File) -> Self {
        Self::new(file, &Disk::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file_on(disk: &Disk) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"some text").unwrap();
        File::new(file, disk)
    }

    #[test]
    fn an_interrupted_call_is_made_again() {
        let faults = Faults::anywhere();
        let file = file_on(&Disk::with(&faults));
        faults.begin(Fault::Interrupted, 1, 3);
        assert_eq!(file.read_at(&mut [0; 20], 0).unwrap(), 9);
        assert_eq!(faults.met(), 3);
    }

    #[test]
    fn the_nth_call_fails_and_no_other() {
        let faults = Faults::anywhere();
        let file = file_on(&Disk::with(&faults));
        faults.begin(Fault::Broken, 2, 1);
        let errors: Vec<bool> = (0..4).map(|_| file.stat().is_err()).collect();
        assert_eq!(errors, [false, true, false, false]);
        faults.begin(Fault::Stale, 1, u64::MAX);
        assert_eq!(
            file.read_at(&mut [0; 20], 0).unwrap_err().raw_os_error(),
            Some(Errno::STALE.raw_os_error())
        );
        assert!(file.seek(SeekFrom::Hole(0)).is_err());
        faults.end();
        assert_eq!(file.read_at(&mut [0; 20], 0).unwrap(), 9);
    }

    #[test]
    fn a_short_read_gives_something_and_the_rest_is_there_to_be_read() {
        let faults = Faults::anywhere();
        let file = file_on(&Disk::with(&faults));
        faults.begin(Fault::Short, 1, 1);
        let mut buffer = [0; 20];
        let read = file.read_at(&mut buffer, 0).unwrap();
        assert!((1..9).contains(&read));
        assert_eq!(file.read_at(&mut buffer[read..], read as u64).unwrap(), 9 - read);
        assert_eq!(&buffer[..9], b"some text");
    }

    #[test]
    fn a_fault_befalls_only_what_can_have_it_and_only_in_its_folder() {
        let faults = Faults::below(Path::new("/logs/app"));
        faults.begin(Fault::NoDescriptors, 1, u64::MAX);
        let disk = Disk::with(&faults);
        assert!(file_on(&disk).stat().is_ok(), "it is open already");
        let open = |folder: &str| disk.below(Path::new(folder)).call(Call::Open, || Ok(()));
        assert_eq!(open("/logs/app/more"), Err(Errno::MFILE));
        assert_eq!(open("/logs/application"), Ok(()));
    }
}
