//! How a generation begins to be known: at a glance at its file, at its first byte or further on, or without a file.
//!
//! Does not know how it goes on.

use std::io;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::{Begins, Bytes, Generation, Life};
use crate::tail::beneath::Stat;
use crate::tail::cursor::{GuardPrint, head_len};
use crate::tail::disk::File;
use crate::tail::holder::Holder;
use crate::tail::lens::Lens;
use crate::tail::reading::{before, read_exactly, stat_of};
use crate::tail::window::GapReason;

/// What is read of a file before anything is made of it. All that can fail is in here.
#[derive(Debug)]
pub(crate) struct Glance {
    pub(super) stat: Stat,
    pub(super) holder: Holder,
    pub(super) head: Vec<u8>,
    // How places name what is first seen in it.
    inode: u64,
    is_torn: bool,
}

impl Glance {
    /// At this file.
    pub(crate) fn at(file: &File) -> io::Result<Self> {
        let stat = stat_of(file)?;
        let head = read_exactly(file, 0, head_len(stat.size))?;
        Ok(Self { holder: Holder::plain(&stat), inode: stat.inode, stat, head, is_torn: false })
    }

    /// Its last bytes are missing, and nobody knows how many.
    pub(crate) fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// The file is what has been unpacked of this archive.
    pub(crate) fn in_archive(self, inode: u64, archive: &Stat, is_torn: bool) -> Self {
        let stat = Stat { size: self.stat.size, ..*archive };
        Self { stat, holder: Holder::archive(archive), inode, is_torn, ..self }
    }
}

impl Generation {
    /// The generation in `file`, of which everything before `offset` (or the border of the character there) counts as
    /// read. O(1) whatever the file's size.
    pub(crate) fn open(
        file: File,
        begins: Begins,
        offset: u64,
        lens: &Rc<Lens>,
        now: Instant,
    ) -> io::Result<Self> {
        let glance = Glance::at(&file)?;
        Self::from_glance(file, glance, begins, offset, lens, now)
    }

    /// The generation in `file`, at which a glance was taken, of which everything counts as read.
    pub(crate) fn at_end(file: File, glance: Glance, lens: &Rc<Lens>, now: Instant) -> io::Result<Self> {
        Self::from_glance(file, glance, Begins::Rotated, u64::MAX, lens, now)
    }

    fn from_glance(
        file: File,
        glance: Glance,
        begins: Begins,
        offset: u64,
        lens: &Rc<Lens>,
        now: Instant,
    ) -> io::Result<Self> {
        let offset = lens.for_head(&glance.head).border(&file, offset.min(glance.stat.size))?;
        let tail = before(&file, offset)?;
        Ok(Self { offset, tail, ..Self::begin(file, glance, begins, lens, now) })
    }

    /// The generation in `file`, at which a glance was taken, of which nothing was read.
    pub(crate) fn begin(file: File, glance: Glance, begins: Begins, lens: &Rc<Lens>, now: Instant) -> Self {
        let Glance { stat, holder, head, inode, is_torn } = glance;
        let lens = lens.for_head(&head);
        let start_guard = lens.seal().guard(b"", 0);
        Self {
            inode,
            holder,
            begins,
            start: 0,
            start_guard,
            joined: stat.size,
            head,
            lens,
            tail: Vec::new(),
            offset: 0,
            pending: Vec::new(),
            half_due: None,
            size: stat.size,
            modified: stat.modified,
            hungry: true,
            life: Life::Growing,
            bytes: Bytes::Open(file),
            failing: false,
            unreadable: None,
            loss: GapReason::Rotated,
            is_torn,
            seen_last: None,
            touched: now,
        }
    }

    /// One that has ended, in a file that nobody can read: no more is known of it than what a `stat` tells. Of an archive, that
    /// is nothing.
    pub(crate) fn unread(holder: Holder, stat: &Stat, lens: &Rc<Lens>, now: Instant) -> Self {
        let is_archive = holder.is_archive();
        let size = if is_archive { 0 } else { stat.size };
        Self {
            inode: stat.inode | u64::from(is_archive) << 63,
            holder,
            joined: size,
            size,
            modified: stat.modified,
            life: Life::Ended(size),
            bytes: Bytes::Closed,
            head: Vec::new(),
            lens: Rc::clone(lens),
            is_torn: is_archive,
            ..Self::void(0, UNIX_EPOCH, now)
        }
    }

    /// What stands for "before there was a file", after the one whose number is `after` (0: there was none). Its place is the
    /// only one with inode 0. It has that number for its first bytes, and a time for an offset, in nanoseconds: just after
    /// `last`, when one of those before it was changed.
    pub(crate) fn void(after: u64, last: SystemTime, now: Instant) -> Self {
        let at = if last == UNIX_EPOCH { 0 } else { nanoseconds(last) + 1 };
        Self {
            inode: 0,
            holder: Holder::NONE,
            begins: Begins::Rotated,
            start: at,
            start_guard: GuardPrint::of(b""),
            joined: at,
            head: after.to_be_bytes().to_vec(),
            lens: Rc::default(),
            tail: Vec::new(),
            offset: at,
            pending: Vec::new(),
            half_due: None,
            size: at,
            modified: last,
            hungry: false,
            life: Life::Ended(at),
            bytes: Bytes::Gone,
            failing: false,
            unreadable: None,
            loss: GapReason::Unknown,
            is_torn: false,
            seen_last: None,
            touched: now,
        }
    }

    /// The same file as a younger generation that begins where this one was left: it was moved away and has come
    /// back after others. This one ends.
    pub(crate) fn come_back(&mut self, file: File, now: Instant) -> io::Result<Self> {
        let mut again = Self::open(file, Begins::Rotated, self.offset, &self.lens, now)?;
        again.start = again.offset;
        again.start_guard = again.lens.seal().guard(&again.tail, again.offset);
        again.inode = self.inode;
        self.life = Life::Ended(self.offset);
        self.pending.clear();
        self.hungry = false;
        Ok(again)
    }
}

/// A time as the place of a void has it: since 1970.
fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
