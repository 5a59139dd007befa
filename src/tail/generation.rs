//! One generation of a log: a file from its first byte to its last, and how far it has been read.
//!
//! ```text
//!   0        256                      offset        position      size
//!   |  head   |      ...       | tail  |   pending   |   unread    |
//!    fingerprint                 64     read, held      in the file
//!    (as far as seen)                   back            only
//!                                       (half a line)
//! ```
//!
//! A truncated file may have grown past its old size between two looks, so size alone tells nothing: before what was
//! read is believed, the file's first bytes and those just before it are read again and compared. If they are still the
//! ones we know, what follows them belongs to this generation.
//!
//! How it begins is in `beginning`, reading on in `growth`, what is known of a file that may hold it in `likeness`.
//!
//! Does not know the log's path, what came before or after, or who reads.

mod beginning;
mod growth;
mod likeness;

use std::io;
use std::rc::Rc;
use std::time::{Instant, SystemTime};

use rustix::io::Errno;

use crate::tail::beneath::OpenError;
use crate::tail::cursor::{ENOUGH, GUARD, GuardPrint, HEAD, Place, head_len};
use crate::tail::disk::File;
use crate::tail::holder::Holder;
use crate::tail::lens::Lens;
use crate::tail::patience::PATIENCE;
use crate::tail::reading::{READ, before, hole_at, hole_back, read_exactly, stat_of};
use crate::tail::window::GapReason;

pub(crate) use beginning::Glance;
pub(crate) use growth::Read;
pub(crate) use likeness::Likeness;

/// One incarnation of a log's content.
#[derive(Debug)]
pub(crate) struct Generation {
    // The inode that its places name, for ever; the bytes themselves may later be found in a copy.
    inode: u64,
    // The file that holds the bytes now.
    holder: Holder,
    begins: Begins,
    // The offset of its first byte, and what a guard before that covers.
    start: u64,
    start_guard: GuardPrint,
    // How large it was when it began to be followed (again).
    joined: u64,
    // Its first bytes, as far as they were seen: 256 at most.
    head: Vec<u8>,
    // The log's, or what those first bytes make of it.
    lens: Rc<Lens>,
    // The last bytes before the offset: 64 at most.
    tail: Vec<u8>,
    // Everything before this was delivered at the head.
    offset: u64,
    // Read, but not yet delivered: half a line, or a character that is not finished.
    pending: Vec<u8>,
    half_due: Option<Instant>,
    // What the last look or read told about the file.
    size: u64,
    modified: SystemTime,
    // There may be something to read.
    hungry: bool,
    life: Life,
    bytes: Bytes,
    // The last attempt to read it failed.
    failing: bool,
    // Since when readers who are behind have met nothing but errors in it.
    unreadable: Option<Instant>,
    // Why, if bytes cannot be found.
    loss: GapReason,
    // It was unpacked from an archive that is damaged, or too large: nobody knows how much is missing at its end.
    is_torn: bool,
    // When its file was closed: the last bytes in it, 64 at most, and where they ended.
    seen_last: Option<(u64, Vec<u8>)>,
    // When it last grew, or was read.
    touched: Instant,
}

/// How a generation took the place of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    /// Another file was put at the path.
    Rotated,
    /// The file was cut to nothing.
    Truncated,
}

/// What is still expected of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// It may grow.
    Growing,
    /// What is there is still to be read, then it ends.
    Ending,
    /// It ends at this offset.
    Ended(u64),
}

/// Where a generation's bytes are.
#[derive(Debug)]
enum Bytes {
    /// In this file.
    Open(File),
    /// Perhaps in a file in the folder; the handle was closed.
    Closed,
    /// Nowhere any more.
    Gone,
}

impl Generation {
    /// It stands for "before there was a file".
    pub(crate) fn is_void(&self) -> bool {
        self.inode == 0
    }

    /// What its bytes mean.
    pub(crate) fn lens(&self) -> &Rc<Lens> {
        &self.lens
    }

    /// Its last bytes are missing, and nobody knows how many: it was unpacked from a damaged archive.
    pub(crate) fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// It was first seen in an archive: nobody writes to it.
    pub(crate) fn is_unpacked(&self) -> bool {
        self.inode >> 63 == 1
    }

    /// Its bytes are in an archive, and have been unpacked to be read.
    pub(crate) fn is_in_archive(&self) -> bool {
        self.holder.is_archive() && self.has_ended()
    }

    /// The file, or the archive, that holds the bytes.
    pub(crate) fn holder(&self) -> Holder {
        self.holder
    }

    /// How it took the place of the one before.
    pub(crate) fn begins(&self) -> Begins {
        self.begins
    }

    /// The offset of its first byte; not 0 only for one that came back.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// Its size when it began to be followed (again). Whoever was done with it before had as much.
    pub(crate) fn joined(&self) -> u64 {
        self.joined
    }

    /// Everything before this offset was delivered at the head.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// When the file was last changed, as far as we looked.
    pub(crate) fn modified(&self) -> SystemTime {
        self.modified
    }

    /// Its end if it has ended, else as far as it is known to go.
    pub(crate) fn end(&self) -> u64 {
        match self.life {
            Life::Ended(end) => end,
            Life::Growing | Life::Ending => self.size.max(self.position()),
        }
    }

    /// Nothing more will come of it at the head.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.life, Life::Ended(_))
    }

    /// There may be something to read.
    pub(crate) fn is_hungry(&self) -> bool {
        self.hungry
    }

    /// Nothing more is to be written to it: once it is read through, it ends.
    pub(crate) fn is_ending(&self) -> bool {
        self.life == Life::Ending
    }

    /// When half a line is to be delivered as it is.
    pub(crate) fn half_due(&self) -> Option<Instant> {
        self.half_due.filter(|_| !self.pending.is_empty())
    }

    /// It is being read.
    pub(crate) fn touch(&mut self, now: Instant) {
        self.touched = now;
    }

    /// When it last grew or was read.
    pub(crate) fn touched(&self) -> Instant {
        self.touched
    }

    /// Its open file.
    pub(crate) fn file(&self) -> Option<&File> {
        match &self.bytes {
            Bytes::Open(file) => Some(file),
            Bytes::Closed | Bytes::Gone => None,
        }
    }

    /// Its bytes are nowhere any more.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.bytes, Bytes::Gone)
    }

    /// Its file was closed, and may be found again.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.bytes, Bytes::Closed)
    }

    /// If bytes of it cannot be found: why.
    pub(crate) fn loss(&self) -> GapReason {
        self.loss
    }

    /// The place of its first byte.
    pub(crate) fn start_place(&self) -> Place {
        let head = self.lens.seal().head(&self.head, self.start);
        Place { inode: self.inode, head, guard: self.start_guard, offset: self.start }
    }

    /// The place at the head.
    pub(crate) fn place(&self) -> Place {
        self.place_after(self.offset, &self.tail)
    }

    /// The place at `offset`, before which lies `before` (its last 64 bytes count).
    pub(crate) fn place_after(&self, offset: u64, before: &[u8]) -> Place {
        let (head, guard) =
            (self.lens.seal().head(&self.head, offset), self.lens.seal().guard(before, offset));
        Place { inode: self.inode, head, guard, offset }
    }

    /// The place at `offset`, for which the open file is asked, unless nobody knows what is in there.
    pub(crate) fn place_at(&self, offset: u64) -> io::Result<Place> {
        let Some(file) = self.file().filter(|_| !self.failing) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let seal = self.lens.seal();
        let head = seal.head(&read_exactly(file, 0, head_len(offset))?, offset);
        Ok(Place { inode: self.inode, head, guard: seal.guard(&before(file, offset)?, offset), offset })
    }

    /// The inode that its places name.
    pub(crate) fn inode(&self) -> u64 {
        self.inode
    }

    /// Could `place` name this generation? Asked before the bytes themselves are.
    pub(crate) fn could_be_at(&self, place: &Place) -> bool {
        let same_file = self.inode == place.inode || head_len(place.offset) >= ENOUGH;
        let too_short_to_tell = self.head.len() < head_len(place.offset);
        let same_head = too_short_to_tell && !self.has_ended()
            || self.lens.seal().head(&self.head, place.offset) == place.head;
        (self.start..=self.end()).contains(&place.offset) && same_file && same_head
    }

    /// Makes the next reads look again, whatever the last look said.
    pub(crate) fn wake(&mut self) {
        self.hungry = !self.has_ended();
    }

    /// Its file cannot be read: nothing is to be read before that is over. A handle that is good for nothing any more
    /// is closed, the file may be found anew; any other is kept, as the file may have no name any more.
    pub(crate) fn fail(&mut self, why: &OpenError) {
        (self.failing, self.hungry) = (true, false);
        if matches!(why, OpenError::Io(error) if is_handle_dead(error)) {
            self.close();
        }
    }

    /// The last attempt to read it failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing
    }

    /// A reader who is behind has met an error. True if there has been nothing but errors for so long that what it wants
    /// to read counts as gone: a bad sector, say.
    pub(crate) fn was_unreadable(&mut self, why: &io::Error, now: Instant) -> bool {
        if is_handle_dead(why) {
            self.close();
        }
        *self.unreadable.get_or_insert(now) + PATIENCE <= now
    }

    /// A reader who is behind has met no error.
    pub(crate) fn was_readable(&mut self) {
        self.unreadable = None;
    }

    /// Can what comes next be read from `file`, which is this one's or may become it?
    pub(crate) fn try_reading(&self, file: &File) -> io::Result<()> {
        if self.is_held_by(file)? && stat_of(file)?.size > self.position() {
            file.read_at(&mut [0], self.position())?;
        }
        Ok(())
    }

    /// Once what is there has been read, this generation ends.
    pub(crate) fn let_end(&mut self) {
        if self.life == Life::Growing {
            self.life = Life::Ending;
            self.hungry = true;
        }
    }

    /// Ends here and now.
    pub(crate) fn end_now(&mut self) {
        self.life = Life::Ended(self.end());
        self.hungry = false;
    }

    /// Of a generation that has ended, a reader who was behind got everything before `offset`, which lies after
    /// `before`. That may be more than was delivered at the head: a last character that was not finished.
    pub(crate) fn read_elsewhere(&mut self, offset: u64, before: &[u8]) {
        if self.has_ended() && offset > self.position() {
            self.offset = offset;
            self.pending.clear();
            self.tail.clear();
            keep_last(&mut self.tail, before);
        }
    }

    /// Lives on: somebody says that it is still written to.
    pub(crate) fn revive(&mut self) {
        if let Life::Ended(end) = self.life {
            (self.life, self.joined, self.hungry) = (Life::Growing, end, true);
        }
    }

    /// It had this size when those came who are not known to have had more.
    pub(crate) fn join_at(&mut self, size: u64) {
        self.joined = self.joined.min(size);
    }

    /// Closes the file. It may be [taken up](Self::take_up) again.
    pub(crate) fn close(&mut self) {
        if let Bytes::Open(_) = self.bytes {
            self.see_last();
            self.bytes = Bytes::Closed;
        }
    }

    /// The bytes are nowhere to be found. Gives back the file, if it was open.
    pub(crate) fn lose(&mut self, why: GapReason) -> Option<File> {
        self.loss = why;
        self.let_end();
        match std::mem::replace(&mut self.bytes, Bytes::Gone) {
            Bytes::Open(file) => Some(file),
            Bytes::Closed | Bytes::Gone => None,
        }
    }

    /// The bytes are in this file, which was found to [hold](Self::is_held_by) them, and at which a glance was taken.
    pub(crate) fn take_up(&mut self, file: File, glance: Glance, now: Instant) {
        let Glance { stat, holder, head, .. } = glance;
        self.holder = holder;
        if !self.has_ended() {
            // Its end may be told before anybody reads it here, so its first bytes must be known now.
            if stat.size > self.size && self.head.len() < HEAD {
                self.know_head(head);
            }
            self.size = self.size.max(stat.size);
            self.hungry = true;
        }
        self.bytes = Bytes::Open(file);
        (self.failing, self.touched) = (false, now);
    }

    /// If these are `bytes` from `offset` on, and nothing but NULs: the end of the hole that they are the beginning of,
    /// if it is worth skipping.
    pub(crate) fn hole_after(&self, offset: u64, bytes: &[u8]) -> Option<u64> {
        let file = self.file().filter(|_| are_a_block_of_nuls(bytes))?;
        Some(offset + hole_at(file, offset, self.end()).ok()??)
    }

    /// If these are `bytes` before `offset`, and nothing but NULs: how far a hole reaches back that they are the end
    /// of. At least half of it, so asking again comes to its beginning soon.
    pub(crate) fn hole_before(&self, offset: u64, bytes: &[u8]) -> Option<u64> {
        let file = self.file().filter(|_| are_a_block_of_nuls(bytes))?;
        hole_back(file, offset).ok()?
    }

    /// These are its first bytes.
    fn know_head(&mut self, head: Vec<u8>) {
        self.lens = self.lens.for_head(&head);
        self.head = head;
    }

    /// Up to where the file has been read.
    pub(crate) fn position(&self) -> u64 {
        self.offset + self.pending.len() as u64
    }
}

/// So many that it is worth asking whether there is a hole.
fn are_a_block_of_nuls(bytes: &[u8]) -> bool {
    // A reader of the window keeps a few bytes of what it reads for a guard.
    bytes.len() >= READ - GUARD && bytes.iter().all(|&byte| byte == 0)
}

/// A handle that fails like this will not be good for anything again: the network file system has given the file up, or
/// the file system itself has gone.
fn is_handle_dead(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::STALE | Errno::NOTCONN | Errno::BADF | Errno::NODEV | Errno::NXIO))
}

/// The last bytes of `tail` and `more` together, as many as a guard covers.
fn keep_last(tail: &mut Vec<u8>, more: &[u8]) {
    let more = &more[more.len().saturating_sub(GUARD)..];
    tail.drain(..(tail.len() + more.len()).saturating_sub(GUARD));
    tail.extend_from_slice(more);
}
