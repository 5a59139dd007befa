//! What viewers read a log from: the recent pieces, made once and shared by all, and the way back into the files.
//!
//! A viewer is a [`Position`], and nothing is kept for it here. Who stands at the head makes the next piece by asking
//! for it; the others find it in the window. Who is behind the window reads from the files, up to the next border
//! between two pieces, and so joins the others again.
//!
//! ```text
//!   files      ...........................................|
//!   window                              |piece|piece|piece|   head
//!   viewers       ^ catches up               ^            ^ makes the next piece
//! ```
//!
//! Whether the file can be read at the moment is a state, not history: it is told to whoever stands at the head, once.
//!
//! Does not know what a rotation is: that is `follower`.

mod sifted;

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use crate::tail::archive::{Archives, Unpacking};
use crate::tail::beneath::Root;
use crate::tail::catchup::{self, CatchUp};
use crate::tail::cursor::Cursor;
use crate::tail::follower::{Follower, QUICK_LOOK};
use crate::tail::generation::Generation;
use crate::tail::history::job::{Job, Past, Progress, Work};
use crate::tail::lens::Lens;
use crate::tail::pattern::Filter;
use crate::tail::sieve::Sieve;
use crate::tail::sieve::kept::Kept;
use crate::tail::standing::Standing;
use crate::tail::start::Found;
use crate::tail::window::{GapReason, Piece, PieceKind, Window};
use sifted::UnderWay;

/// Before a viewer begins, the head is brought to the end: by reading, if that takes no more pieces than this.
const READ_AT_START: usize = 16;

/// So many reasons why there is nothing to read are told apart. There are hardly as many.
const MOST_REASONS: usize = 16;

/// One log as its viewers read it. `E` is what the caller keeps beside each piece, say its encoded frames.
///
/// After [`open`](Self::open), call [`look`](Self::look) whenever [`next_look`](Self::next_look) says so. Each viewer
/// has a [`Position`], from [`start`](Self::start), and calls [`next`](Self::next) until it is up to date; then again
/// when a look was true.
#[derive(Debug)]
pub struct Feed<E> {
    follower: Follower,
    window: Window<E>,
    is_absent: bool,
    // One for each reason that there has been, the latest last.
    absences: Vec<Absence<E>>,
    back: Rc<Piece<E>>,
    // What filters have left of the recent pieces.
    kept: Kept<E, UnderWay>,
    // For those who ask for what was before.
    past: Past,
    // A viewer behind the head could not be given what it is due: the next look asks it to try again.
    put_off: bool,
    // How far that has come, if it has to be unpacked.
    unpacking: Option<Unpacking>,
}

#[derive(Debug)]
struct Absence<E> {
    id: u64,
    piece: Rc<Piece<E>>,
}

/// Where a viewer begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// So many lines before the end. At most 8 MiB are looked through for them. If a file that may have some of them cannot be
    /// read for the moment, the first piece is a gap of unknown size.
    Lines(usize),
    /// Where it left off.
    Cursor(Cursor),
    /// At the first byte of the file.
    Beginning,
    /// With what is written from now on.
    End,
}

/// Where a viewer is. Cheap to clone, of constant size.
#[derive(Clone, Debug)]
pub struct Position {
    // The number of the next piece; none if the viewer stands inside of one, or anywhere in the files.
    seq: Option<u64>,
    at: Rc<Standing>,
    // The absence of the file that it was told of, 0 if none.
    told: u64,
    unsettled: Option<Rc<Unsettled>>,
    // If it wants to see only some of the lines.
    sieve: Option<Sieve>,
    // The next piece, while it is being judged.
    under_way: Option<Rc<RefCell<UnderWay>>>,
}

/// What is still open about where a viewer begins.
#[derive(Debug)]
enum Unsettled {
    /// Nobody can tell yet where this is.
    Start(Start),
    /// Something between this cursor and the place, or before that if they are the same: that cannot be had, which the viewer
    /// is to be told.
    Lost(Cursor, GapReason),
}

impl Position {
    /// Whether the viewer sees only some of the lines.
    pub fn is_filtered(&self) -> bool {
        self.sieve.is_some()
    }

    /// What it sees, if not all.
    pub fn filter(&self) -> Option<Rc<Filter>> {
        self.sieve.as_ref().map(|sieve| Rc::clone(&sieve.filter))
    }
}

/// What [`Feed::next`] found.
#[derive(Debug)]
pub enum Step<E> {
    /// A piece, and where the viewer stands after it.
    Piece(Rc<Piece<E>>, Position),
    /// Nothing for now.
    UpToDate,
}

impl<E: Default> Feed<E> {
    /// Opens the log at `rel` beneath `root`, read through `lens`, at its end. Never fails: a file that cannot be read
    /// is waited for. O(siblings), whatever the file's size.
    pub fn open(root: Rc<Root>, rel: PathBuf, lens: Rc<Lens>, now: Instant) -> Self {
        Self::sharing(Rc::default(), root, rel, lens, now)
    }

    /// The same, beside other logs that share what is unpacked, and the room for that.
    pub(crate) fn sharing(
        archives: Rc<RefCell<Archives>>,
        root: Rc<Root>,
        rel: PathBuf,
        lens: Rc<Lens>,
        now: Instant,
    ) -> Self {
        let follower = Follower::open(root, rel, lens, archives, now);
        let window = Window::new(Rc::clone(follower.head()));
        let back = Piece::new(PieceKind::Back);
        let (is_absent, absences, put_off) = (false, Vec::new(), false);
        let (kept, past) = (Kept::default(), Past::default());
        let unpacking = None;
        let mut feed = Self { follower, window, is_absent, absences, back, kept, past, put_off, unpacking };
        feed.notice_absence();
        feed
    }

    /// The tick. True if viewers at the head have something to read.
    ///
    /// Costs an `fstat` or a few, and every 250 ms a `stat` by path. Reads nothing.
    pub fn look(&mut self, now: Instant) -> bool {
        self.look_as(false, now)
    }

    /// As [`look`](Self::look), but looks at the path at once: something was heard of it.
    pub fn look_now(&mut self, now: Instant) -> bool {
        self.look_as(true, now)
    }

    fn look_as(&mut self, hinted: bool, now: Instant) -> bool {
        let before = Rc::clone(self.follower.head());
        let ready = self.follower.look(hinted, now);
        self.keep_up(&before);
        let put_off = std::mem::take(&mut self.put_off);
        self.notice_absence() || ready || put_off
    }

    /// When the feed wants to be looked at again: 10 ms from now while the log grows, up to 250 ms when it is quiet.
    pub fn next_look(&self, now: Instant) -> Instant {
        let next = self.follower.next_look(now);
        // What is being unpacked takes many looks.
        if self.put_off { next.min(now + QUICK_LOOK) } else { next }
    }

    /// The position of a viewer that begins at `start`.
    ///
    /// Bounded: brings the head to the end of what is there (reads 1 MiB at most, then leaps), looks through the folder,
    /// and reads 8 MiB backwards at most for [`Start::Lines`].
    pub fn start(&mut self, start: &Start, now: Instant) -> Position {
        self.catch_up_head(now);
        if !self.follower.has_begun() {
            return self.put_off(start);
        }
        let before = Rc::clone(self.follower.head());
        let found = match start {
            Start::Lines(lines) => Ok(self.follower.before_last_lines(*lines, now)),
            Start::Beginning => Ok(self.follower.at_beginning().into()),
            Start::End => Ok(self.follower.at_end(now).into()),
            Start::Cursor(cursor) => self.follower.at_cursor(cursor, now),
        };
        let Ok(Found { at, lost }) = found else {
            self.keep_up(&before);
            return self.put_off(start);
        };
        let from = || if let Start::Cursor(cursor) = start { cursor.clone() } else { at.cursor() };
        let unsettled = lost.map(|why| Rc::new(Unsettled::Lost(from(), why)));
        self.follower.leap_to(&at);
        self.keep_up(&before);
        let head = self.follower.head();
        if at == **head {
            return Position {
                seq: Some(self.window.end()),
                at: Rc::clone(head),
                told: 0,
                unsettled,
                sieve: None,
                under_way: None,
            };
        }
        Position { seq: None, at: Rc::new(at), told: 0, unsettled, sieve: None, under_way: None }
    }

    /// The position of a viewer of which nobody can tell yet where it begins.
    fn put_off(&self, start: &Start) -> Position {
        let at = Rc::new(self.follower.at_oldest());
        let unsettled = Some(Rc::new(Unsettled::Start(start.clone())));
        Position { seq: None, at, told: 0, unsettled, sieve: None, under_way: None }
    }

    /// Brings the head to the end of what is there: by reading, as long as it is not much; else by a leap.
    fn catch_up_head(&mut self, now: Instant) {
        let before = Rc::clone(self.follower.head());
        self.follower.look_well(now);
        self.keep_up(&before);
        for _ in 0..READ_AT_START {
            if !self.pull(now) {
                break;
            }
        }
        if self.follower.may_pull() {
            let before = Rc::clone(self.follower.head());
            self.follower.skip_ahead(now);
            self.keep_up(&before);
        }
    }

    /// The head may have leapt, or have taken up a file that is still written to: then no border in the window says how
    /// far that was read. The viewers find what lies between in the files.
    fn keep_up(&mut self, before: &Standing) {
        if **self.follower.head() != *before {
            self.window.restart(Rc::clone(self.follower.head()));
        }
    }

    /// Makes the next piece at the head, if there is something new.
    fn pull(&mut self, now: Instant) -> bool {
        let pulled = self.follower.pull(now);
        let head = Rc::clone(self.follower.head());
        let Some(kind) = pulled else {
            self.window.settle(&head);
            return false;
        };
        self.window.push(Piece::new(kind), head, self.follower.lineage.oldest());
        true
    }

    /// The next piece for a viewer at `position`. At most one read of 64 KiB, or one look through the folder; for a
    /// viewer in the window it is a look-up.
    ///
    /// For a viewer with a filter, the text of [`Lines`](PieceKind::Lines) is that of the lines that passed among those that
    /// ended in these bytes: perhaps nothing. While a piece takes long to judge, there are such of no bytes, for each
    /// [part](Filter::part) that has been.
    pub fn next(&mut self, position: &Position, now: Instant) -> Step<E> {
        let _ = self.follower.lineage.take_unpacking();
        let step = self.next_step(position, now);
        self.unpacking = self.follower.lineage.take_unpacking();
        step
    }

    fn next_step(&mut self, position: &Position, now: Instant) -> Step<E> {
        if let Some(Unsettled::Start(start)) = position.unsettled.as_deref() {
            return self.next_from_start(position, start, now);
        }
        match &position.sieve {
            None => self.next_whole(position, now),
            Some(sieve) => self.next_sifted(position, sieve, now),
        }
    }

    fn next_whole(&mut self, position: &Position, now: Instant) -> Step<E> {
        if let Some(Unsettled::Lost(cursor, why)) = position.unsettled.as_deref() {
            let (from, to) = (cursor.clone(), position.at.cursor());
            let piece = Piece::new(PieceKind::Gap { from, to, bytes: None, why: *why });
            return Step::Piece(piece, Position { unsettled: None, ..position.clone() });
        }
        match position.seq.filter(|&seq| seq >= self.window.first()) {
            Some(seq) => self.next_in_window(position, seq, now),
            None => self.next_in_files(position, now),
        }
    }

    /// For a viewer that came when nobody could tell where it begins.
    fn next_from_start(&mut self, position: &Position, start: &Start, now: Instant) -> Step<E> {
        let mut found = self.start(start, now);
        if let Some(Unsettled::Start(_)) = found.unsettled.as_deref() {
            self.put_off = true;
            self.notice_absence();
            return self.presence(position).unwrap_or(Step::UpToDate);
        }
        // Its cursor has named the place before everything until now.
        let leaps =
            !matches!(start, Start::Cursor(_)) && found.at.newest().place != position.at.newest().place;
        if leaps {
            let from = position.at.cursor();
            found.unsettled = Some(Rc::new(Unsettled::Lost(from, GapReason::Unknown)));
        }
        let filter = position.sieve.as_ref().map(|sieve| Rc::clone(&sieve.filter));
        let found = self.filtered(&Position { told: position.told, ..found }, filter, now);
        self.next_step(&found, now)
    }

    fn next_in_window(&mut self, position: &Position, seq: u64, now: Instant) -> Step<E> {
        if let Some(step) = self.shared(position, seq) {
            return step;
        }
        if let Some(step) = self.presence(position) {
            return step;
        }
        if !self.pull(now) {
            self.notice_absence();
            return Step::UpToDate;
        }
        self.shared(position, seq).unwrap_or(Step::UpToDate)
    }

    fn shared(&self, position: &Position, seq: u64) -> Option<Step<E>> {
        let slot = self.window.get(seq)?;
        let at = Rc::clone(&slot.after);
        let position = Position { seq: Some(seq + 1), at, unsettled: None, ..position.clone() };
        Some(Step::Piece(Rc::clone(&slot.piece), position))
    }

    /// What a viewer at the head has still to be told of the file's coming and going.
    fn presence(&self, position: &Position) -> Option<Step<E>> {
        let (piece, told) = match self.absences.last().filter(|_| self.is_absent) {
            Some(absence) if absence.id != position.told => (&absence.piece, absence.id),
            None if position.told != 0 => (&self.back, 0),
            _ => return None,
        };
        Some(Step::Piece(Rc::clone(piece), Position { told, ..position.clone() }))
    }

    /// True if the file has come or gone.
    fn notice_absence(&mut self) -> bool {
        let why = self.follower.missing();
        let is_for = |absence: &Absence<E>, reason| match &absence.piece.kind {
            PieceKind::Missing { why } => why == reason,
            _ => false,
        };
        let last = self.absences.last().filter(|_| self.is_absent);
        match (why, last) {
            (None, None) => return false,
            (Some(why), Some(last)) if is_for(last, why) => return false,
            _ => self.is_absent = why.is_some(),
        }
        let Some(why) = why else { return true };
        // To who has not noticed what was in between, the same absence again is no news.
        let absence = match self.absences.iter().position(|absence| is_for(absence, why)) {
            Some(known) => self.absences.remove(known),
            None => {
                let id = 1 + self.absences.iter().map(|absence| absence.id).max().unwrap_or(0);
                Absence { id, piece: Piece::new(PieceKind::Missing { why: why.to_owned() }) }
            }
        };
        if self.absences.len() == MOST_REASONS {
            self.absences.remove(0);
        }
        self.absences.push(absence);
        true
    }

    fn next_in_files(&mut self, position: &Position, now: Instant) -> Step<E> {
        // A file that turns out to be truncated is asked for once more, and then it is known to be.
        for _ in 0..3 {
            let at = catchup::with_revived(&mut self.follower, &position.at, now);
            let border = self.window.border_after(&at).map(|(seq, goal)| (seq, Rc::clone(goal)));
            let head = || Rc::new(self.follower.head().or_further(&at));
            let goal = border.as_ref().map_or_else(head, |(_, goal)| Rc::clone(goal));
            match catchup::next(&mut self.follower, &at, &goal, now) {
                CatchUp::Piece(kind, to) => {
                    let position =
                        Position { seq: None, at: Rc::new(to), unsettled: None, ..position.clone() };
                    return Step::Piece(Piece::new(kind), position);
                }
                CatchUp::Arrived => {
                    if let Some((seq, goal)) = border {
                        let position = Position { seq: Some(seq), at: goal, ..position.clone() };
                        return self.next_in_window(&position, seq, now);
                    }
                    // In an older generation it is ahead of the head: its last character was not finished, and to this
                    // viewer it was delivered as it was. Until the head has passed that, it goes beside the others.
                    if let Some(step) = self.presence(position) {
                        return step;
                    }
                    if !self.pull(now) {
                        break;
                    }
                }
                CatchUp::Again => {}
                CatchUp::Later => {
                    self.put_off = true;
                    return self.presence(position).unwrap_or(Step::UpToDate);
                }
            }
        }
        Step::UpToDate
    }

    /// One step of a job on the log's past: at most one read of 256 KiB, or one look through the folder. The first one may
    /// read 64 KiB for each place of a cursor.
    pub fn work(&mut self, job: &mut Job, now: Instant) -> Work {
        self.past.work(job, &mut self.follower, now)
    }

    /// How far it has come. O(generations).
    pub fn progress(&self, job: &Job) -> Progress {
        job.progress(&self.follower)
    }

    /// If the last call of [`next`](Self::next) had to unpack something: how far that has come.
    pub fn unpacking(&self) -> Option<Progress> {
        self.unpacking.map(Progress::from)
    }

    /// How many bytes that are known of a viewer at `position` has still to get. O(generations since).
    pub fn lag(&self, position: &Position) -> u64 {
        self.follower.bytes_after(&position.at)
    }

    /// The token for `position`.
    pub fn cursor(&self, position: &Position) -> Cursor {
        match position.unsettled.as_deref() {
            Some(Unsettled::Start(Start::Cursor(cursor)) | Unsettled::Lost(cursor, _)) => cursor.clone(),
            Some(Unsettled::Start(_)) | None => position.at.cursor(),
        }
    }

    /// Where a viewer at `position` begins when it comes back, to a feed that knows nothing of it.
    pub fn where_to_resume(&self, position: &Position) -> Start {
        match position.unsettled.as_deref() {
            Some(Unsettled::Start(start)) => start.clone(),
            Some(Unsettled::Lost(..)) | None => Start::Cursor(self.cursor(position)),
        }
    }

    /// How the newest file is read: in which encoding, and whether something is masked.
    pub fn lens(&self) -> Rc<Lens> {
        // Before there was a file, nothing says that it will be read another way.
        let newest = self.follower.lineage.get(self.follower.newest).filter(|newest| !newest.is_void());
        Rc::clone(newest.map_or(self.follower.lineage.lens(), Generation::lens))
    }

    /// The size of the file as far as it is known; none before there was one.
    pub fn size(&self) -> Option<u64> {
        self.follower.size()
    }

    /// The number of the next new piece: when it has changed, viewers who wait have something to read.
    pub fn newest(&self) -> u64 {
        self.window.end()
    }

    /// Why the file cannot be read now, if so: a sentence to go after its name and a colon.
    pub fn missing(&self) -> Option<&str> {
        self.follower.missing()
    }
}
