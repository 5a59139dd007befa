//! The head of a log: notices what happens to its file, and reads what is new.
//!
//! ```text
//!   what stands at the path      what is followed                       what comes next
//!   -----------------------      --------------------------------       -----------------------------
//!   the newest generation        it, and up to 4 renamed ones           half lines wait for the rest
//!   another file                 the same, until all are drained        `Rotated`, then the other file
//!   nothing that can be read     the same, until quiet for 5 s          it is looked for
//! ```
//!
//! Programs go on writing to a renamed file until they are told of the rotation, so it is followed beside its
//! successor until it has been quiet. Nothing of the successor is read before the old file has been read to its end.
//!
//! Looking ([`look`](Follower::look)) costs a few system calls and reads nothing. Reading ([`pull`](Follower::pull))
//! happens only when somebody asks, one piece at a time. Neither waits for anything.
//!
//! Does not know viewers.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::tail::beneath::{OpenError, Root, Stat};
use crate::tail::cursor::Cursor;
use crate::tail::generation::{Begins, Generation, Read};
use crate::tail::lineage::{Lineage, QUIET};
use crate::tail::reading::READ;
use crate::tail::siblings::{self, Sibling};
use crate::tail::standing::{GenerationId, Spot, Standing};
use crate::tail::window::{GapReason, PieceKind};

/// How often the path itself is looked at.
const PATH_LOOK: Duration = Duration::from_millis(250);

/// How often the open files are looked at while they grow; slowing down to [`PATH_LOOK`] when they do not.
const QUICK_LOOK: Duration = Duration::from_millis(10);

/// A rotation leaves the path empty for a moment; that is not worth a word.
const GRACE: Duration = Duration::from_millis(250);

/// So many renamed files are followed beside the newest one. Beyond that, the oldest is read to its end and left.
const MOST_OLDER: usize = 4;

/// Follows one log.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) lineage: Lineage,
    // Those that may still grow, oldest first. The newest one of the lineage is the last, unless it has ended.
    live: Vec<GenerationId>,
    // Found and opened, but to be entered only when what came before has been read.
    waiting: VecDeque<Generation>,
    at_path: AtPath,
    head: Rc<Standing>,
    pub(crate) scratch: Box<[u8]>,
    path_due: Instant,
}

/// What stands at the log's path.
#[derive(Debug)]
enum AtPath {
    /// The newest generation, or the last one in waiting.
    Newest,
    /// Something that has still to be opened.
    Other,
    /// Nothing that can be read.
    Nothing {
        since: Instant,
        why: String,
        /// It has lasted long enough to be told.
        told: bool,
        /// The folder was looked through for what came and went meanwhile.
        searched: bool,
    },
}

impl Follower {
    /// Begins at the end of what is there. A file that cannot be read is waited for.
    pub(crate) fn open(root: Rc<Root>, rel: PathBuf, now: Instant) -> Self {
        let opened = root.open_file(&rel);
        let (generation, at_path) = match opened.and_then(|file| at_end(file, now)) {
            Ok(generation) => (generation, AtPath::Newest),
            Err(why) => {
                // The youngest rotated file is then the newest there is.
                let youngest = siblings::list(&root, &rel).ok().and_then(|mut siblings| siblings.pop());
                let youngest = youngest.filter(Sibling::is_in_order);
                let file = youngest.and_then(|youngest| root.open_file(&youngest.rel).ok());
                let generation = file.and_then(|file| at_end(file, now).ok());
                let at_path =
                    AtPath::Nothing { since: now, why: why.to_string(), told: true, searched: true };
                (generation.unwrap_or_else(|| Generation::void(now)), at_path)
            }
        };
        let live = !generation.has_ended();
        let lineage = Lineage::new(root, rel, generation);
        let newest = lineage.newest();
        let live = if live { vec![newest] } else { Vec::new() };
        let head = Rc::new(Standing::new(lineage.spot(newest).into_iter().collect()));
        let scratch = vec![0; READ].into_boxed_slice();
        let (waiting, path_due) = (VecDeque::new(), now + PATH_LOOK);
        let mut follower = Self { lineage, live, waiting, at_path, head, scratch, path_due };
        follower.adopt_predecessor(now);
        follower.lineage.pass_over_all();
        follower.update_head();
        follower
    }

    /// The youngest rotated file may still be written to, if that happened shortly before the last write to the new
    /// one; and it has the lines before those of a file that has just begun.
    fn adopt_predecessor(&mut self, now: Instant) {
        let newest = self.lineage.newest();
        let Some((id, last_write)) = self.lineage.adopt_predecessor(now) else {
            return;
        };
        let current = self.lineage.get(newest).filter(|newest| !newest.has_ended());
        if current.is_some_and(|current| last_write + QUIET >= current.modified()) {
            self.follow_again(id);
        }
    }

    /// Follows a generation that had ended: a reader says that it is still written to. Only as long as there is room.
    pub(crate) fn follow_again(&mut self, id: GenerationId) {
        if id >= self.lineage.newest() || self.live.contains(&id) || self.live.len() > MOST_OLDER {
            return;
        }
        let Some(generation) = self.lineage.get_mut(id).filter(|generation| generation.file().is_some())
        else {
            return;
        };
        generation.revive();
        let at = self.live.partition_point(|&other| other < id);
        self.live.insert(at, id);
        self.update_head();
    }

    /// Where a reader stands that has had everything so far.
    pub(crate) fn head(&self) -> &Rc<Standing> {
        &self.head
    }

    /// Why there is nothing to read at the path, if that has lasted.
    pub(crate) fn missing(&self) -> Option<&str> {
        match &self.at_path {
            AtPath::Nothing { why, told: true, .. } => Some(why),
            AtPath::Nothing { told: false, .. } | AtPath::Newest | AtPath::Other => None,
        }
    }

    /// There is nothing to read at the path.
    pub(crate) fn is_path_empty(&self) -> bool {
        matches!(self.at_path, AtPath::Nothing { .. })
    }

    /// How far the newest generation is known to go; none while there is no file.
    pub(crate) fn size(&self) -> Option<u64> {
        let newest = self.lineage.get(self.lineage.newest())?;
        if newest.inode() == 0 { None } else { Some(newest.end()) }
    }

    /// How many bytes are known of that a reader at `at` has not had. O(generations since).
    pub(crate) fn bytes_after(&self, at: &Standing) -> u64 {
        let end = |id| self.lineage.get(id).map_or(0, Generation::end);
        let listed = at.spots().iter().map(|spot| end(spot.id).saturating_sub(spot.place.offset));
        let later = self.lineage.ids_from(at.newest().id.next());
        let entered = later.map(|id| end(id) - self.lineage.get(id).map_or(0, Generation::start));
        let waiting = self.waiting.iter().map(|generation| generation.end() - generation.start());
        listed.chain(entered).chain(waiting).sum()
    }

    /// The tick: looks whether anything has changed. True if [`pull`](Self::pull) may give something.
    ///
    /// One `fstat` for each live generation, which are five at most; every 250 ms (or if `hinted`) a `stat` by path.
    pub(crate) fn look(&mut self, hinted: bool, now: Instant) -> bool {
        for id in self.live.clone() {
            let looked = self.lineage.get_mut(id).map_or(Ok(()), |generation| generation.look(now));
            if let Err(error) = looked {
                self.fail(id, &error, now);
            }
        }
        if hinted || now >= self.path_due {
            self.look_at_path(now);
            self.path_due = now + PATH_LOOK;
            self.let_quiet_ones_end(now);
            self.lineage.close_unused(now);
        }
        self.may_pull()
    }

    /// When [`look`](Self::look) should be called again: after 10 ms while the log grows, and slowing down with the
    /// time it has been quiet to 250 ms.
    pub(crate) fn next_look(&self, now: Instant) -> Instant {
        let live = || self.live.iter().filter_map(|&id| self.lineage.get(id));
        let touched = live().map(Generation::touched).max();
        let quiet = touched.map_or(PATH_LOOK * 8, |touched| now.saturating_duration_since(touched));
        let tick = now + (quiet / 8).clamp(QUICK_LOOK, PATH_LOOK);
        live().filter_map(Generation::half_due).fold(tick, Instant::min).max(now)
    }

    fn may_pull(&self) -> bool {
        self.hungry().is_some() || !self.waiting.is_empty() || self.has_to_search()
    }

    /// The path has ceased to name the newest generation. Once that is drained, what has come after is to be found.
    fn has_to_search(&self) -> bool {
        matches!(self.at_path, AtPath::Other | AtPath::Nothing { searched: false, .. })
    }

    fn hungry(&self) -> Option<GenerationId> {
        let hungry = |id: &GenerationId| self.lineage.get(*id).is_some_and(Generation::is_hungry);
        self.live.iter().copied().find(hungry)
    }

    fn look_at_path(&mut self, now: Instant) {
        self.lineage.root().look_again();
        let stat = match self.lineage.root().stat(self.lineage.rel()) {
            Ok(stat) => stat,
            Err(why) => return self.nothing_at_path(&why, now),
        };
        match self.is_last(&stat, now) {
            Ok(true) => self.at_path = AtPath::Newest,
            Ok(false) => self.another_at_path(now),
            Err(why) => self.nothing_at_path(&why, now),
        }
    }

    /// Is this the file of the newest generation (or of the last one in waiting)? If its file was closed meanwhile,
    /// it is opened again, if it has not changed.
    fn is_last(&mut self, stat: &Stat, now: Instant) -> Result<bool, OpenError> {
        let identity = (stat.device, stat.inode);
        if let Some(last) = self.waiting.back() {
            return Ok(last.holder() == identity);
        }
        let id = self.lineage.newest();
        let Some(newest) = self.lineage.get(id).filter(|newest| newest.holder() == identity) else {
            return Ok(false);
        };
        if newest.is_closed() {
            let file = self.lineage.root().open_file(self.lineage.rel())?;
            let (same, newest) = (newest.is_held_by(&file)?, self.lineage.get_mut(id));
            if let Some(newest) = newest.filter(|_| same) {
                newest.take_up(file, now)?;
            }
        }
        let Some(newest) = self.lineage.get_mut(id).filter(|newest| newest.file().is_some()) else {
            return Ok(false);
        };
        newest.revive();
        if !self.live.contains(&id) {
            self.live.push(id);
        }
        Ok(true)
    }

    /// The path names another file: what was written to ours up to now comes first, so look at all of them again.
    fn another_at_path(&mut self, now: Instant) {
        // A file may be seen and still not be ours to read. Whoever was told that it is missing hears of its return
        // only once it can be opened.
        if let AtPath::Nothing { .. } = self.at_path
            && let Err(why) = self.lineage.root().open_file(self.lineage.rel())
        {
            return self.nothing_at_path(&why, now);
        }
        self.wake_all();
        if !matches!(self.at_path, AtPath::Other) {
            self.touch_all(now);
        }
        self.at_path = AtPath::Other;
    }

    fn wake_all(&mut self) {
        for &id in &self.live {
            if let Some(generation) = self.lineage.get_mut(id) {
                generation.wake();
            }
        }
    }

    /// From now on they have to be quiet for a while before they are left, however long they were quiet before.
    fn touch_all(&mut self, now: Instant) {
        for &id in &self.live {
            if let Some(generation) = self.lineage.get_mut(id) {
                generation.touch(now);
            }
        }
    }

    fn nothing_at_path(&mut self, why: &OpenError, now: Instant) {
        let (since, searched) = match self.at_path {
            AtPath::Nothing { since, searched, .. } => (since, searched),
            AtPath::Newest | AtPath::Other => {
                self.wake_all();
                self.touch_all(now);
                (now, false)
            }
        };
        let told = since + GRACE <= now || self.missing().is_some();
        self.at_path = AtPath::Nothing { since, why: why.to_string(), told, searched };
    }

    /// Generations that nobody writes to any more end: the renamed ones, and the newest if it is no longer at the path.
    fn let_quiet_ones_end(&mut self, now: Instant) {
        let newest = self.lineage.newest();
        let gone = matches!(self.at_path, AtPath::Nothing { .. });
        for &id in self.live.iter().filter(|&&id| id != newest || gone) {
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
    }

    /// Reads on: the next thing to tell a reader who stands at the [`head`](Self::head), which it moves.
    ///
    /// Bounded: one read of at most 64 KiB, or one look through the folder.
    pub(crate) fn pull(&mut self, now: Instant) -> Option<PieceKind> {
        // Each turn of this loop puts one of the live generations to rest, or returns.
        while let Some(id) = self.hungry() {
            if let Some(piece) = self.read(id, now) {
                return Some(piece);
            }
        }
        if self.waiting.is_empty() && self.has_to_search() {
            self.find_successors(now);
        }
        let next = self.waiting.pop_front()?;
        match self.enter(next) {
            Some(mark) => Some(mark),
            None => self.pull(now),
        }
    }

    fn read(&mut self, id: GenerationId, now: Instant) -> Option<PieceKind> {
        if let Err(why) = self.lineage.open(id, now) {
            self.fail(id, &io::Error::other(why.to_string()), now);
            return None;
        }
        // With a successor in sight there is no time to wait for the other half of a line.
        let in_haste = !self.waiting.is_empty() || matches!(self.at_path, AtPath::Other);
        let generation = self.lineage.get_mut(id)?;
        let read = generation.read(&mut self.scratch, in_haste || generation.is_ending(), now);
        let from = self.head.cursor();
        match read {
            Ok(Read::Text(text, bytes)) => {
                self.update_head();
                Some(PieceKind::Lines { from, to: self.head.cursor(), text, bytes })
            }
            Ok(Read::Gap(bytes, why)) => {
                self.update_head();
                Some(PieceKind::Gap { from, to: self.head.cursor(), bytes: Some(bytes), why })
            }
            Ok(Read::Nothing) => {
                if generation.is_ending() {
                    generation.end_now();
                    self.live.retain(|&other| other != id);
                    self.update_head();
                }
                None
            }
            Ok(Read::Cut) => {
                self.cut(id, now);
                None
            }
            Err(error) => {
                self.fail(id, &error, now);
                None
            }
        }
    }

    /// The file of a generation holds something else now: it was truncated. What we had not read may be in a copy; and
    /// if it is the file at the path, what is in it now is the next generation.
    pub(crate) fn cut(&mut self, id: GenerationId, now: Instant) {
        let is_newest = id == self.lineage.newest() && self.waiting.is_empty();
        let first_time = self.lineage.get(id).is_some_and(|cut| cut.loss() != GapReason::Truncated);
        let copy = if first_time { self.lineage.find_copy(id) } else { None };
        let Some(generation) = self.lineage.get_mut(id) else {
            return;
        };
        let file = generation.lose(GapReason::Truncated);
        if let Some((copy, later)) = copy {
            // If it cannot be read, its bytes count as gone.
            drop(generation.take_up(copy, now));
            if is_newest {
                self.waiting.extend(self.lineage.open_all(&later, Begins::Truncated, now));
            }
        }
        // What is in the file now comes next, even if it has been renamed meanwhile.
        if let Some(file) = file.filter(|_| is_newest) {
            match Generation::open(file, Begins::Truncated, 0, now) {
                Ok(next) => self.waiting.push_back(next),
                Err(error) => self.nothing_at_path(&OpenError::Io(error), now),
            }
        }
        self.touch_all(now);
    }

    fn find_successors(&mut self, now: Instant) {
        let nothing = match self.lineage.successors(now) {
            Ok((successors, nothing)) => {
                self.waiting.extend(successors);
                nothing
            }
            Err(why) => Some(why),
        };
        match nothing {
            None => self.at_path = AtPath::Newest,
            Some(why) => self.nothing_at_path(&why, now),
        }
        if let AtPath::Nothing { searched, .. } = &mut self.at_path {
            *searched = true;
        }
        // One that has come back is followed as what it is now.
        self.live.retain(|&id| self.lineage.get(id).is_some_and(|generation| !generation.has_ended()));
        self.update_head();
    }

    /// The next generation becomes the newest. A mark says so, unless there was none before.
    fn enter(&mut self, next: Generation) -> Option<PieceKind> {
        let after_void = self.lineage.get(self.lineage.newest()).is_some_and(|newest| newest.inode() == 0);
        let begins = next.begins();
        let id = self.lineage.push(next);
        self.live.push(id);
        if self.live.len() > MOST_OLDER + 1
            && let Some(oldest) = self.lineage.get_mut(self.live[0])
        {
            oldest.let_end();
        }
        self.update_head();
        let at = self.head.cursor();
        match begins {
            _ if after_void => None,
            begins => Some(mark(begins, at)),
        }
    }

    /// A file that was open cannot be read: a broken disk, a stale handle of a network file system. It is closed, and
    /// looked for again with the next look at the path.
    fn fail(&mut self, id: GenerationId, error: &io::Error, now: Instant) {
        if let Some(generation) = self.lineage.get_mut(id) {
            generation.close();
            generation.rest();
        }
        if id == self.lineage.newest() {
            let error = io::Error::new(error.kind(), error.to_string());
            self.nothing_at_path(&OpenError::Io(error), now);
        }
    }

    /// Moves the head forward to where a reader is who is ahead of it. Nothing has to be read for that now: readers
    /// behind find in the files what lies between.
    pub(crate) fn leap_to(&mut self, at: &Standing) {
        for spot in at.spots() {
            let ahead = |generation: &&mut Generation| {
                !generation.has_ended() && generation.offset() < spot.place.offset
            };
            if let Some(generation) = self.lineage.get_mut(spot.id).filter(ahead) {
                // If that fails, the file will turn out to be unreadable when it is read, and then it is told.
                drop(generation.leap(spot.place.offset));
            }
        }
        self.update_head();
    }

    fn update_head(&mut self) {
        let newest = self.lineage.newest();
        let older = self.live.iter().copied().filter(|&id| id != newest);
        let spots: Vec<Spot> = older.chain([newest]).filter_map(|id| self.lineage.spot(id)).collect();
        self.head = Rc::new(Standing::new(spots));
    }
}

fn at_end(file: File, now: Instant) -> Result<Generation, OpenError> {
    Ok(Generation::open(file, Begins::Rotated, u64::MAX, now)?)
}

/// What tells a reader that a generation begins.
pub(crate) fn mark(begins: Begins, at: Cursor) -> PieceKind {
    match begins {
        Begins::Rotated => PieceKind::Rotated { at },
        Begins::Truncated => PieceKind::Truncated { at },
    }
}
