//! Compressed files beside logs, unpacked as far as somebody wants to read them: those of all logs together, as there is only
//! so much room, and as a log that is asked for now and then is opened anew each time.
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

pub mod unpack;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use crate::tail::beneath::{OpenError, Root, Stat};
use crate::tail::cursor::{HEAD, Place};
use crate::tail::disk::File;
use crate::tail::siblings::Sibling;
use unpack::{Format, Length, Unpacked, Unpacker};

/// What is unpacked of one archive at most; the rest counts as missing.
const MOST_OF_ONE: u64 = 1 << 30;

/// What is unpacked of all archives at once. Beyond it, those go that nobody reads, first those that were not read for longest;
/// and who needs more waits.
const MOST_OF_ALL: u64 = 2 << 30;

/// Who has not gone on with unpacking for this time may lose what was unpacked.
const STALE: Duration = Duration::from_secs(1);

/// So many archives are looked into in one step that nobody has seen before.
const MOST_NEW: usize = 8;

/// What nobody has read for this time is not kept.
const KEEP: Duration = Duration::from_secs(60);

/// So many archives are remembered with what was seen of them.
const MOST_REMEMBERED: usize = 4096;

/// So many generations are remembered that an archive was compared with; there is hardly more than one.
const MOST_COMPARED: usize = 32;

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

/// The archives beside all logs that share it.
#[derive(Debug)]
pub(crate) struct Archives {
    // Those asked about last, last.
    known: VecDeque<Archive>,
    most: u64,
    // So many may still be looked into in this step.
    allowance: usize,
    // How far it has come with the one that was unpacked last, since somebody asked.
    unpacking: Option<Unpacking>,
}

/// How far unpacking has come: bytes of the archive that were read, of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unpacking {
    pub(crate) done: u64,
    pub(crate) total: u64,
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
    // Whoever reads it has the token as well.
    Unpacked { bytes: std::fs::File, len: u64, whole: bool, token: Rc<()> },
}

impl Default for Archives {
    fn default() -> Self {
        Self::within(MOST_OF_ALL)
    }
}

impl Archives {
    /// Of which so many bytes are unpacked at once.
    pub(crate) fn within(most: u64) -> Self {
        Self { known: VecDeque::new(), most, allowance: MOST_NEW, unpacking: None }
    }

    /// A step begins: some archives may be looked into.
    pub(crate) fn begin_step(&mut self) {
        self.allowance = MOST_NEW;
    }

    /// Whether something was unpacked since this was last asked, and how far that has come.
    pub(crate) fn take_unpacking(&mut self) -> Option<Unpacking> {
        self.unpacking.take()
    }

    /// What can be seen of it. Reads 256 KiB at most, and only the first time; [`OpenError::Packed`] if that is not to be in
    /// this step.
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

    /// Unpacks a little more of it, or gives what has been unpacked. [`OpenError::Crowded`] if there is no room.
    pub(crate) fn unpack(
        &mut self,
        root: &Root,
        sibling: &Sibling,
        format: Format,
        now: Instant,
    ) -> Result<Content, OpenError> {
        let at = self.find(root, sibling, format, now)?;
        let mut archive = self.known.remove(at).expect("it was just found");
        if archive.state.is_unpacked() || self.make_room(archive.state.len() + unpack::STEP as u64, now) {
            archive.touched = now;
            let content = archive.unpack(root, sibling, format);
            if let State::Unpacking { unpacker, .. } = &archive.state {
                let total = sibling.stat.size;
                self.unpacking = Some(Unpacking { done: unpacker.read().min(total), total });
            }
            self.known.push_back(archive);
            return content;
        }
        self.known.push_front(archive);
        Err(OpenError::Crowded)
    }

    /// Lets go of what nobody has read for a while. O(archives).
    pub(crate) fn close_unused(&mut self, now: Instant) {
        for archive in &mut self.known {
            if archive.state.is_read() {
                archive.touched = now;
            } else if archive.touched + KEEP <= now {
                archive.state = State::Packed;
            }
        }
    }

    /// Beside one of which so much is, or will be, unpacked. False if there is none.
    fn make_room(&mut self, len: u64, now: Instant) -> bool {
        let mut used = len + self.known.iter().map(|archive| archive.state.len()).sum::<u64>();
        for archive in &mut self.known {
            if used <= self.most {
                break;
            }
            let (stale, state) = (archive.touched + STALE <= now, &mut archive.state);
            if state.is_unpacked() && !state.is_read() || stale && !state.is_unpacked() {
                used -= state.len();
                *state = State::Packed;
            }
        }
        used <= self.most
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
        self.allowance = self.allowance.checked_sub(1).ok_or(OpenError::Packed)?;
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
        // What is unpacked is let go before it is forgotten.
        if self.known.len() >= MOST_REMEMBERED
            && let Some(oldest) = self.known.iter().position(|archive| archive.state.len() == 0)
        {
            self.known.remove(oldest);
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
    fn is_unpacked(&self) -> bool {
        matches!(self, Self::Unpacked { .. })
    }

    /// Somebody has it open.
    fn is_read(&self) -> bool {
        matches!(self, Self::Unpacked { token, .. } if Rc::strong_count(token) > 1)
    }

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
            let (bytes, len, token) = (bytes.try_clone()?, *len, Rc::new(()));
            self.state = State::Unpacked { bytes, len, whole, token };
        }
        match &self.state {
            State::Unpacked { bytes, whole, token, .. } => {
                let file = File::from(bytes.try_clone()?).lent(token);
                Ok(Content::Ready { file, whole: *whole })
            }
            State::Packed | State::Unpacking { .. } => Err(io::Error::other("it is being unpacked").into()),
        }
    }
}

#[cfg(test)]
mod tests;
