//! Compressed files beside a log, unpacked as far as somebody wants to read them.
//!
//! ```text
//!   app.log.2.gz  --a slice at a time-->  a file without a name  --as any other-->  readers
//!     first bytes are looked at before         goes when nobody has read it for a while
//! ```
//!
//! Each step unpacks 256 KiB or little more, so whoever has to wait does not make others wait. An archive may be a bomb,
//! damaged, or still being written: what could be unpacked counts, and the rest is missing.
//!
//! Does not know which archive holds what, nor who reads.

pub(crate) mod unpack;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime};

use crate::tail::beneath::{OpenError, Root, Stat};
use crate::tail::cursor::{HEAD, Place};
use crate::tail::disk::File;
use crate::tail::siblings::Sibling;
use unpack::{Format, Length, Unpacked, Unpacker};

/// What is unpacked of one archive at most; the rest counts as missing.
const MOST_OF_ONE: u64 = 1 << 30;

/// What is kept unpacked of all archives of a log at once. Beyond it, those go that were not read for longest.
const MOST_OF_ALL: u64 = 2 << 30;

/// What nobody has read for this time is not kept.
const KEEP: Duration = Duration::from_secs(60);

/// So many archives are remembered with what was seen of them.
const MOST_REMEMBERED: usize = 128;

/// So many generations are remembered that an archive was compared with: as many as are known of a log.
const MOST_COMPARED: usize = 256;

/// An archive's bytes, as far as they are there.
#[derive(Debug)]
pub(crate) enum Content {
    /// All of them, or all that could be unpacked.
    Ready {
        /// The bytes.
        file: File,
        /// Nothing is missing.
        whole: bool,
    },
    /// There is more to unpack.
    Unpacking,
}

/// The archives beside one log.
#[derive(Debug, Default)]
pub(crate) struct Archives {
    // Those asked about last, last.
    known: VecDeque<Archive>,
}

#[derive(Debug)]
struct Archive {
    key: Key,
    seen: Seen,
    state: State,
    // What it was compared with when it was unpacked, and whether it was that.
    compared: Vec<(Known, bool)>,
    touched: Instant,
}

/// What can be seen of an archive without unpacking all of it.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The first bytes of what is in there: 256, or all if there are fewer.
    pub(crate) first: Vec<u8>,
    /// How long it says that it is.
    pub(crate) says: Option<Length>,
}

/// What is known of a generation: how far it was read, and where it ends.
pub(crate) type Known = (Place, u64);

/// An archive that changes is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    device: u64,
    inode: u64,
    size: u64,
    modified: SystemTime,
}

#[derive(Debug)]
enum State {
    Packed,
    Unpacking { unpacker: Box<Unpacker>, bytes: std::fs::File, len: u64 },
    Unpacked { bytes: std::fs::File, len: u64, whole: bool },
}

impl Archives {
    /// What can be seen of it. Reads 256 KiB at most, and only the first time.
    pub(crate) fn see(
        &mut self,
        root: &Root,
        sibling: &Sibling,
        format: Format,
        now: Instant,
    ) -> Result<&Seen, OpenError> {
        let at = self.find(root, sibling, format, now)?;
        Ok(&self.known[at].seen)
    }

    /// Whether an archive is a generation, if the two were compared.
    pub(crate) fn told(&self, sibling: &Sibling, known: Known) -> Option<bool> {
        let key = Key::of(&sibling.stat);
        let archive = self.known.iter().find(|archive| archive.key == key)?;
        archive.compared.iter().find(|(with, _)| *with == known).map(|(_, told)| *told)
    }

    /// They were compared. That is not to be done again, as it may take a lot of unpacking.
    pub(crate) fn remember(&mut self, sibling: &Sibling, known: Known, told: bool) {
        let key = Key::of(&sibling.stat);
        if let Some(archive) = self.known.iter_mut().find(|archive| archive.key == key) {
            archive.compared.truncate(MOST_COMPARED - 1);
            archive.compared.insert(0, (known, told));
        }
    }

    /// Unpacks a little more of it, or gives what has been unpacked.
    pub(crate) fn unpack(
        &mut self,
        root: &Root,
        sibling: &Sibling,
        format: Format,
        now: Instant,
    ) -> Result<Content, OpenError> {
        let at = self.find(root, sibling, format, now)?;
        let mut archive = self.known.remove(at).expect("it was just found");
        self.make_room(archive.state.len());
        archive.touched = now;
        let content = archive.unpack(root, sibling, format);
        self.known.push_back(archive);
        content
    }

    /// Lets go of what nobody has read for a while. O(archives).
    pub(crate) fn close_unused(&mut self, now: Instant) {
        for archive in self.known.iter_mut().filter(|archive| archive.touched + KEEP <= now) {
            archive.state = State::Packed;
        }
    }

    /// Beside one of which so much is unpacked.
    fn make_room(&mut self, len: u64) {
        let mut left = MOST_OF_ALL.saturating_sub(len);
        // From the one asked about last.
        for archive in self.known.iter_mut().rev() {
            match left.checked_sub(archive.state.len()) {
                Some(rest) => left = rest,
                None => archive.state = State::Packed,
            }
        }
    }

    fn find(
        &mut self,
        root: &Root,
        sibling: &Sibling,
        format: Format,
        now: Instant,
    ) -> Result<usize, OpenError> {
        let key = Key::of(&sibling.stat);
        if let Some(at) = self.known.iter().position(|archive| archive.key == key) {
            return Ok(at);
        }
        let file = root.open_file(&sibling.rel)?;
        let (mut first, trailer) = (Vec::new(), unpack::trailer(format, &file, sibling.stat.size)?);
        let mut unpacker = Unpacker::new(format, file);
        while first.len() < HEAD && matches!(unpacker.step(HEAD - first.len(), &mut first)?, Unpacked::More) {
            // One that has its first bytes behind more than a step of nothing is none that a rotation made.
            if unpacker.is_late() {
                break;
            }
        }
        first.truncate(HEAD);
        let seen = Seen { first, says: trailer.or_else(|| unpacker.says()) };
        if self.known.len() == MOST_REMEMBERED {
            self.known.pop_front();
        }
        let (state, compared) = (State::Packed, Vec::new());
        self.known.push_back(Archive { key, seen, state, compared, touched: now });
        Ok(self.known.len() - 1)
    }
}

impl Key {
    fn of(stat: &Stat) -> Self {
        Self { device: stat.device, inode: stat.inode, size: stat.size, modified: stat.modified }
    }
}

impl State {
    fn len(&self) -> u64 {
        match self {
            Self::Packed => 0,
            Self::Unpacking { len, .. } | Self::Unpacked { len, .. } => *len,
        }
    }
}

impl Archive {
    fn unpack(&mut self, root: &Root, sibling: &Sibling, format: Format) -> Result<Content, OpenError> {
        if let State::Packed = self.state {
            let unpacker = Box::new(Unpacker::new(format, root.open_file(&sibling.rel)?));
            self.state = State::Unpacking { unpacker, bytes: tempfile::tempfile()?, len: 0 };
        }
        if let State::Unpacking { unpacker, bytes, len } = &mut self.state {
            let mut slice = Vec::with_capacity(unpack::STEP);
            let unpacked = match unpacker.step(unpack::STEP, &mut slice) {
                Ok(unpacked) => unpacked,
                Err(error) => {
                    self.state = State::Packed;
                    return Err(error.into());
                }
            };
            slice.truncate(usize::try_from(MOST_OF_ONE - *len).unwrap_or(usize::MAX));
            *len += slice.len() as u64;
            // If there is no room for it on our side, this is how far it goes.
            let whole = match bytes.write_all(&slice) {
                Ok(()) if *len < MOST_OF_ONE => match unpacked {
                    Unpacked::More => return Ok(Content::Unpacking),
                    Unpacked::All => true,
                    Unpacked::Damaged => false,
                },
                _ => false,
            };
            self.state = State::Unpacked { bytes: bytes.try_clone()?, len: *len, whole };
        }
        match &self.state {
            State::Unpacked { bytes, whole, .. } => {
                Ok(Content::Ready { file: File::from(bytes.try_clone()?), whole: *whole })
            }
            State::Packed | State::Unpacking { .. } => Err(io::Error::other("it is being unpacked").into()),
        }
    }
}

#[cfg(test)]
mod tests;
