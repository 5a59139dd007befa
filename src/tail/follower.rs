//! The head of a log: notices what is new in its files, and reads it.
//!
//! Programs go on writing to a renamed file until they are told of the rotation, so it is followed beside its
//! successor until it has been quiet for 5 s. Nothing of the successor is read before the old file has been read to
//! its end.
//!
//! ```text
//!   lineage    ... ended, ended, | live, live, live | waiting, waiting
//!                                   |        |                      '- at the path
//!                                   |        '- newest: the head has entered it
//!                                   '- renamed, perhaps still written to
//! ```
//!
//! Looking ([`look`](Follower::look)) costs a few system calls and delivers nothing. Reading ([`pull`](Follower::pull))
//! happens only when somebody asks, one piece at a time. Neither waits for anything.
//!
//! Does not know viewers; what the path tells is in `path`.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use crate::tail::archive::Archives;
use crate::tail::beneath::{OpenError, Root};
use crate::tail::cursor::Cursor;
use crate::tail::generation::{Begins, Generation, Glance, Read};
use crate::tail::lens::Lens;
use crate::tail::lineage::{Begun, Lineage, QUIET};
use crate::tail::path::{AtPath, Undecided};
use crate::tail::reading::READ;
use crate::tail::scratch::Scratch;
use crate::tail::standing::{GenerationId, Spot, Standing};
use crate::tail::window::{GapReason, PieceKind};

/// How often the path itself is looked at.
const PATH_LOOK: Duration = Duration::from_millis(250);

/// How often the open files are looked at while they grow; slowing down to [`PATH_LOOK`] when they do not.
pub(crate) const QUICK_LOOK: Duration = Duration::from_millis(10);

/// So many renamed files are followed beside the newest one. Beyond that, the oldest is read to its end and left.
pub(crate) const MOST_OLDER: usize = 4;

/// So many generations wait for being read, when nobody reads. Then the head moves on without reading; who is behind
/// finds them in their files.
const MOST_WAITING: u64 = 64;

/// Follows one log.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) lineage: Lineage,
    /// The youngest generation that the head has entered. The younger ones wait.
    pub(crate) newest: GenerationId,
    /// Those that may still grow, oldest first; the newest is the last of them, unless it has ended.
    pub(crate) live: Vec<GenerationId>,
    pub(crate) at_path: AtPath,
    head: Rc<Standing>,
    path_due: Instant,
    // The last look had to unpack something to tell what is there; the next one goes on with that.
    unpacks: bool,
    // We had no right to read what came before this when we began, and try again.
    predecessor_due: Option<GenerationId>,
}

impl Follower {
    /// Begins at the end of what is there. A file that cannot be read is waited for.
    pub(crate) fn open(
        root: Rc<Root>,
        rel: PathBuf,
        lens: Rc<Lens>,
        archives: Rc<RefCell<Archives>>,
        now: Instant,
    ) -> Self {
        let lineage = Lineage::new(root, rel, lens, archives, now);
        let newest = lineage.last();
        let head = Rc::new(Standing::new(lineage.spot(newest).into_iter().collect()));
        let (live, at_path, path_due) = (Vec::new(), AtPath::Last, now + PATH_LOOK);
        let (unpacks, predecessor_due) = (false, None);
        let mut follower = Self { lineage, newest, live, at_path, head, path_due, unpacks, predecessor_due };
        follower.begin(now);
        follower
    }

    /// Begins, if somebody can tell what is there. Else a later look will, and no reader is to begin before.
    fn begin(&mut self, now: Instant) {
        let Begun { nothing, predecessor } = match self.lineage.begin(now) {
            Ok(begun) => begun,
            Err(why) => return self.nothing_at_beginning(&why, now),
        };
        match nothing {
            None => self.at_path = AtPath::Last,
            Some(why) => self.nothing_at_beginning(&why, now),
        }
        self.newest = self.lineage.last();
        let live = self.lineage.get(self.newest).is_some_and(|newest| !newest.has_ended());
        self.live = if live { vec![self.newest] } else { Vec::new() };
        self.update_head();
        self.predecessor_due = matches!(predecessor, Err(OpenError::Denied)).then_some(self.newest);
        if let Ok(Some(id)) = predecessor {
            self.adopt(id, now);
        }
    }

    /// Whether readers can begin: else nobody can tell for now what is there.
    pub(crate) fn has_begun(&self) -> bool {
        self.lineage.has_begun()
    }

    /// The youngest rotated file may still be written to, if that happened shortly before the last write to the new
    /// one; and it has the lines before those of a file that has just begun.
    fn adopt(&mut self, predecessor: GenerationId, now: Instant) {
        let last_write = self.lineage.get(predecessor).map_or(SystemTime::UNIX_EPOCH, Generation::modified);
        let current = self.lineage.get(self.newest).filter(|newest| !newest.has_ended());
        if current.is_some_and(|current| last_write + QUIET >= current.modified()) {
            // If it cannot be opened again, who needs it will say so.
            drop(self.follow_again(predecessor, now));
        }
    }

    /// What came before can perhaps be read now. Whoever has come since is to get what was written to it meanwhile.
    fn look_for_predecessor(&mut self, now: Instant) {
        // Somebody may have asked for it already.
        let Some(due) = self.predecessor_due.take_if(|due| *due == self.lineage.oldest()) else {
            return;
        };
        let found = self.extend_back(now);
        if let Err(OpenError::Denied | OpenError::Io(_)) = found {
            self.predecessor_due = Some(due);
        }
        let Ok(Some(id)) = found else { return };
        self.adopt(id, now);
        let since = self.lineage.size_when_passed(id).filter(|_| self.live.contains(&id));
        if let (Some(since), Some(adopted)) = (since, self.lineage.get_mut(id)) {
            adopted.join_at(since);
        }
    }

    /// Follows a generation that had ended: a reader says that it is still written to. Only as long as there is room. An error
    /// if nobody can tell for now where it is.
    pub(crate) fn follow_again(&mut self, id: GenerationId, now: Instant) -> Result<(), OpenError> {
        let may_grow = self.lineage.get(id).is_some_and(|generation| !generation.is_unpacked());
        if !may_grow || id >= self.newest || self.live.contains(&id) || self.live.len() > MOST_OLDER {
            return Ok(());
        }
        match self.lineage.make_open(id, now) {
            Ok(true) => {}
            // Nobody writes to what is in an archive.
            Ok(false) | Err(OpenError::Packed | OpenError::Crowded) => return Ok(()),
            Err(why) => return Err(why),
        }
        if let Some(generation) = self.lineage.get_mut(id) {
            generation.revive();
            let at = self.live.partition_point(|&other| other < id);
            self.live.insert(at, id);
            self.update_head();
        }
        Ok(())
    }

    /// Where a reader stands that has had everything so far.
    pub(crate) fn head(&self) -> &Rc<Standing> {
        &self.head
    }

    /// How far the file at the path is known to go; none before there was one.
    pub(crate) fn size(&self) -> Option<u64> {
        let last = self.lineage.get(self.lineage.last())?;
        if last.is_void() { None } else { Some(last.end()) }
    }

    /// How many bytes are known of that a reader at `at` has not had. O(generations since).
    pub(crate) fn bytes_after(&self, at: &Standing) -> u64 {
        let end = |id| self.lineage.get(id).map_or(0, Generation::end);
        let listed = at.spots().iter().map(|spot| end(spot.id).saturating_sub(spot.place.offset));
        let later = self.lineage.ids_from(at.newest().id.next());
        let later = later.map(|id| end(id) - self.lineage.get(id).map_or(0, Generation::start));
        listed.chain(later).sum()
    }

    /// The tick: looks whether anything has changed. True if [`pull`](Self::pull) may give something.
    ///
    /// One `fstat` for each live generation and the file at the path, which are six at most; every 250 ms (or if
    /// `hinted`) a `stat` by path, and if that has changed, a look through the folder.
    pub(crate) fn look(&mut self, hinted: bool, now: Instant) -> bool {
        if !self.has_begun() {
            if hinted || now >= self.path_due {
                self.lineage.root().look_again();
                self.begin(now);
                self.path_due = now + PATH_LOOK;
            }
            return self.may_pull();
        }
        let last = Some(self.lineage.last()).filter(|last| !self.live.contains(last));
        for id in self.live.clone().into_iter().chain(last) {
            let looked = self.lineage.get_mut(id).map_or(Ok(()), |generation| generation.look(now));
            if let Err(error) = looked {
                self.fail(id, &error.into(), now);
            }
        }
        if hinted || now >= self.path_due {
            let _ = self.lineage.take_unpacking();
            self.look_at_path(now);
            self.unpacks = self.lineage.take_unpacking().is_some();
            self.path_due = now + if self.unpacks { QUICK_LOOK } else { PATH_LOOK };
            self.look_for_predecessor(now);
            self.leave_quiet_ones(now);
            self.lineage.close_unused(now);
            if self.lineage.last().0 - self.newest.0 > MOST_WAITING {
                self.skip_ahead(now);
            }
        }
        self.may_pull()
    }

    /// When [`look`](Self::look) should be called again: after 10 ms while the log grows, and slowing down with the
    /// time it has been quiet to 250 ms.
    pub(crate) fn next_look(&self, now: Instant) -> Instant {
        let live = || self.live.iter().filter_map(|&id| self.lineage.get(id));
        let touched = live().map(Generation::touched).max();
        let quiet = touched.map_or(PATH_LOOK * 8, |touched| now.saturating_duration_since(touched));
        let slowest = if self.unpacks { QUICK_LOOK } else { PATH_LOOK };
        let tick = now + (quiet / 8).clamp(QUICK_LOOK, slowest);
        live().filter_map(Generation::half_due).fold(tick, Instant::min).max(now)
    }

    /// There may be something to read.
    pub(crate) fn may_pull(&self) -> bool {
        self.hungry().is_some() || self.newest < self.lineage.last()
    }

    fn hungry(&self) -> Option<GenerationId> {
        let hungry = |id: &GenerationId| self.lineage.get(*id).is_some_and(Generation::is_hungry);
        self.live.iter().copied().find(hungry)
    }

    /// Generations that nobody writes to any more end: the renamed ones, and the newest if it is no longer at the path.
    fn leave_quiet_ones(&mut self, now: Instant) {
        let last = self.lineage.last();
        let gone = self.is_path_deserted();
        let left = |id: &GenerationId| *id != last || gone;
        for id in self.live.iter().copied().filter(left) {
            let Some(generation) = self.lineage.get_mut(id) else { continue };
            if generation.touched() + QUIET > now {
                continue;
            }
            // There may be more to read, but nobody asks. If the file has a name, it can be opened again; if it has
            // not, we must not be the ones who keep it on the disk.
            if generation.is_ending() || generation.is_hungry() {
                generation.close();
                generation.wake();
            }
            generation.let_end();
        }
        for id in self.lineage.ids_from(self.newest.next()).filter(left) {
            if let Some(generation) = self.lineage.get_mut(id)
                && generation.touched() + QUIET <= now
            {
                generation.close();
            }
        }
    }

    /// Reads on: the next thing to tell a reader who stands at the [`head`](Self::head), which it moves.
    ///
    /// Bounded: one read of at most 64 KiB that gives something.
    pub(crate) fn pull(&mut self, now: Instant) -> Option<PieceKind> {
        loop {
            // Each turn of this loop puts one of the live generations to rest, or returns.
            while let Some(id) = self.hungry() {
                if let Some(piece) = self.read(id, now) {
                    return Some(piece);
                }
            }
            if self.newest == self.lineage.last() {
                return None;
            }
            if let Some(mark) = self.enter_next() {
                return Some(mark);
            }
        }
    }

    fn read(&mut self, id: GenerationId, now: Instant) -> Option<PieceKind> {
        if let Err(why) = self.lineage.make_open(id, now) {
            self.fail(id, &why, now);
            return None;
        }
        // With a successor in sight there is no time to wait for the other half of a line.
        let in_haste = self.newest < self.lineage.last();
        let generation = self.lineage.get_mut(id)?;
        let read = generation.read(&mut Scratch::take()[..READ], in_haste || generation.is_ending(), now);
        let from = self.head.cursor();
        match read {
            Ok(Read::Text(text, bytes)) => {
                self.update_head();
                return Some(PieceKind::Lines { from, to: self.head.cursor(), text, bytes });
            }
            Ok(Read::Gap(bytes, why)) => {
                self.update_head();
                return Some(PieceKind::Gap { from, to: self.head.cursor(), bytes: Some(bytes), why });
            }
            Ok(Read::Nothing) if generation.is_ending() && !generation.is_hungry() => {
                generation.end_now();
                self.live.retain(|&other| other != id);
                self.update_head();
            }
            Ok(Read::Nothing) => {}
            // If it is undecided, the next look asks again.
            Ok(Read::Cut) => drop(self.cut(id, now)),
            Err(error) => self.fail(id, &error.into(), now),
        }
        None
    }

    /// The file of a generation holds something else now: it was truncated. What we had not read may be in a copy; and
    /// if it is the last file that we know, what is in it now is the next generation.
    ///
    /// As long as nobody can tell whether there is a copy, the file counts as unreadable.
    pub(crate) fn cut(&mut self, id: GenerationId, now: Instant) -> Result<(), Undecided> {
        self.try_to_cut(id, now).map_err(|why| {
            self.fail(id, &why, now);
            Undecided
        })
    }

    fn try_to_cut(&mut self, id: GenerationId, now: Instant) -> Result<(), OpenError> {
        let is_last = id == self.lineage.last();
        let Some(cut) = self.lineage.get(id) else {
            return Ok(());
        };
        let first_time = cut.loss() != GapReason::Truncated;
        let (copy, later) = if first_time { self.lineage.find_copies(id, now)? } else { (None, Vec::new()) };
        // All that can fail comes first.
        let later = self.lineage.open_all(&later, Begins::Truncated, now)?;
        let of_copy = copy.as_ref().map(Glance::at).transpose()?;
        let of_next = cut.file().filter(|_| is_last).map(Glance::at).transpose()?;
        let Some(cut) = self.lineage.get_mut(id) else {
            return Ok(());
        };
        let file = cut.lose(GapReason::Truncated);
        if let (Some(copy), Some(glance)) = (copy, of_copy) {
            cut.take_up(copy, glance, now);
        }
        if is_last {
            self.lineage.push_all(later);
        }
        // What is in the file now comes next, even if it has been renamed meanwhile.
        if let (Some(file), Some(glance)) = (file, of_next) {
            let next = Generation::begin(file, glance, Begins::Truncated, self.lineage.lens(), now);
            self.lineage.push(next);
        }
        self.wake_all(now);
        Ok(())
    }

    /// Somebody has found that the file of a generation does not hold it any more.
    pub(crate) fn holds_something_else(&mut self, id: GenerationId, now: Instant) {
        match self.lineage.get_mut(id).filter(|generation| generation.has_ended()) {
            Some(ended) => drop(ended.lose(ended.loss())),
            // If it is undecided, the file counts as unreadable.
            None => drop(self.cut(id, now)),
        }
    }

    /// The next generation becomes the newest. A mark says so, unless there was none before.
    fn enter_next(&mut self) -> Option<PieceKind> {
        let after_void = self.lineage.get(self.newest).is_some_and(Generation::is_void);
        self.newest = self.newest.next();
        self.live.push(self.newest);
        for id in self.live.iter().rev().skip(MOST_OLDER + 1) {
            if let Some(too_old) = self.lineage.get_mut(*id) {
                too_old.let_end();
            }
        }
        self.update_head();
        let begins = self.lineage.get(self.newest)?.begins();
        if after_void { None } else { Some(mark(begins, self.head.cursor())) }
    }

    /// A file cannot be read: a broken disk, a stale handle of a network file system. The next looks try again.
    pub(crate) fn fail(&mut self, id: GenerationId, why: &OpenError, now: Instant) {
        if let Some(generation) = self.lineage.get_mut(id) {
            generation.fail(why);
        }
        if id == self.lineage.last() {
            self.nothing_at_path(why, now);
        }
    }

    /// Something has happened: all are to be read once more, and have to be quiet for a while from now on before they
    /// are left, however long they were quiet before.
    pub(crate) fn wake_all(&mut self, now: Instant) {
        for &id in &self.live {
            if let Some(generation) = self.lineage.get_mut(id) {
                generation.wake();
                generation.touch(now);
            }
        }
    }

    /// Moves the head forward to where a reader is who is ahead of it. Nothing has to be read for that now: readers
    /// behind find in the files what lies between.
    pub(crate) fn leap_to(&mut self, at: &Standing) {
        let spot = at.newest();
        self.leap(spot.id, spot.place.offset);
        self.update_head();
    }

    /// Moves the head forward over everything that is known.
    pub(crate) fn skip_ahead(&mut self, now: Instant) {
        let waiting = self.lineage.ids_from(self.newest.next());
        self.live.extend(waiting);
        self.newest = self.lineage.last();
        let too_many = self.live.len().saturating_sub(MOST_OLDER + 1);
        for id in self.live.drain(..too_many).collect::<Vec<_>>() {
            drop(self.lineage.make_open(id, now));
            if let Some(generation) = self.lineage.get_mut(id) {
                // It may have grown since somebody looked. If that cannot be told, what is known of it must do.
                drop(generation.look(now));
                generation.end_now();
            }
        }
        for id in self.live.clone() {
            // One that cannot be opened is not leapt over: it will be tried again when it is read.
            drop(self.lineage.make_open(id, now));
            self.leap(id, u64::MAX);
        }
        self.update_head();
    }

    fn leap(&mut self, id: GenerationId, offset: u64) {
        let ahead = |generation: &&mut Generation| generation.offset() < offset;
        if let Some(generation) = self.lineage.get_mut(id).filter(ahead) {
            // If that fails, the file will turn out to be unreadable when it is read, and then it is told.
            drop(generation.leap(offset));
        }
    }

    pub(crate) fn update_head(&mut self) {
        let older = self.live.iter().copied().filter(|&id| id != self.newest);
        let spots: Vec<Spot> = older.chain([self.newest]).filter_map(|id| self.lineage.spot(id)).collect();
        self.head = Rc::new(Standing::new(spots));
    }
}

/// What tells a reader that a generation begins.
pub(crate) fn mark(begins: Begins, at: Cursor) -> PieceKind {
    match begins {
        Begins::Rotated => PieceKind::Rotated { at },
        Begins::Truncated => PieceKind::Truncated { at },
    }
}
