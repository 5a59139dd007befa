//! The generations of one log in the order of their coming, and where on the disk they are to be found.
//!
//! Files are renamed, copied and removed while we look. So nothing is believed by name: a file holds a generation if
//! it begins and goes on (before the last place we know) with the bytes that were read.
//!
//! Does not follow anything and does not know who reads.

mod archived;
mod beginning;
mod finding;
mod passed;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::ptr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::tail::archive::{Archives, Unpacking};
use crate::tail::beneath::{OpenError, Root, Stat};
use crate::tail::disk::File;
use crate::tail::generation::{Begins, Generation, Glance};
use crate::tail::holder::Holder;
use crate::tail::lens::Lens;
use crate::tail::patience::Patience;
use crate::tail::reading::holds;
use crate::tail::siblings::{self, Sibling};
use crate::tail::standing::{GenerationId, Spot};
pub(crate) use beginning::Begun;
use passed::{Passed, pass};

/// So many generations are remembered. A viewer that lags by more rotations is told that it misses something, but not
/// how much.
const MOST: usize = 256;

/// Files of ended generations that are kept open at once, for viewers that are behind.
const MOST_OPEN: usize = 8;

/// A file that neither grows nor is read is closed after this time: an open handle keeps the blocks of a deleted file
/// on the disk.
pub(crate) const QUIET: Duration = Duration::from_secs(5);

/// What speaks for a file to hold a generation, before it is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// It is the same file, or may be a copy that was made before that was cut: as much as was read is enough.
    Expected,
    /// Nothing else can be what became of it: all that is known must be in there, however little that is.
    Heir,
    /// Nothing: there must be enough to tell.
    None,
}

/// The known generations of one log. There is always at least one.
#[derive(Debug)]
pub(crate) struct Lineage {
    root: Rc<Root>,
    rel: PathBuf,
    lens: Rc<Lens>,
    first: GenerationId,
    generations: VecDeque<Generation>,
    patience: Patience,
    // Files beside the log that were there when we last looked, and are no generation that anybody waits for. None as
    // long as nobody could tell what is there: then nothing has begun.
    passed_over: Option<Vec<Passed>>,
    // When the last generation had been changed then, or when it was found after that. Late lines may have changed it since, after what came after it.
    changed_then: SystemTime,
    // Behind a cell, as looking into an archive changes nothing but what is remembered of it. Shared by all logs.
    archives: Rc<RefCell<Archives>>,
}

impl Lineage {
    /// Of the log at `rel`: the void, as nobody has looked yet. It is to [begin](Self::begin).
    pub(crate) fn new(
        root: Rc<Root>,
        rel: PathBuf,
        lens: Rc<Lens>,
        archives: Rc<RefCell<Archives>>,
        now: Instant,
    ) -> Self {
        // Ids go down as well as up: what a cursor names may be older than all we know.
        let first = GenerationId(1 << 32);
        let generations = VecDeque::from([Generation::void(0, UNIX_EPOCH, now)]);
        let patience = Patience::default();
        Self {
            root,
            rel,
            lens,
            first,
            generations,
            patience,
            passed_over: None,
            changed_then: UNIX_EPOCH,
            archives,
        }
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    pub(crate) fn rel(&self) -> &Path {
        &self.rel
    }

    /// How the log is read, as long as a generation's first bytes do not say otherwise.
    pub(crate) fn lens(&self) -> &Rc<Lens> {
        &self.lens
    }

    /// The oldest that is known.
    pub(crate) fn oldest(&self) -> GenerationId {
        self.first
    }

    /// The youngest that is known.
    pub(crate) fn last(&self) -> GenerationId {
        GenerationId(self.first.0 + self.generations.len() as u64 - 1)
    }

    /// From `id` on, in their order.
    pub(crate) fn ids_from(&self, id: GenerationId) -> impl DoubleEndedIterator<Item = GenerationId> + use<> {
        (id.0.max(self.first.0)..=self.last().0).map(GenerationId)
    }

    pub(crate) fn get(&self, id: GenerationId) -> Option<&Generation> {
        let index = usize::try_from(id.0.checked_sub(self.first.0)?).ok()?;
        self.generations.get(index)
    }

    pub(crate) fn get_mut(&mut self, id: GenerationId) -> Option<&mut Generation> {
        let index = usize::try_from(id.0.checked_sub(self.first.0)?).ok()?;
        self.generations.get_mut(index)
    }

    /// The head's spot in a generation that is known to be there.
    pub(crate) fn spot(&self, id: GenerationId) -> Option<Spot> {
        self.get(id).map(|generation| Spot { id, place: generation.place() })
    }

    /// The next generation of the log. Forgets the oldest beyond [`MOST`].
    pub(crate) fn push(&mut self, generation: Generation) -> GenerationId {
        self.changed_then = generation.modified();
        self.generations.push_back(generation);
        if self.generations.len() > MOST {
            self.generations.pop_front();
            self.first = self.first.next();
        }
        self.last()
    }

    /// Whether the file of the last generation, if that is open, holds something else now. One that has been unreadable for too
    /// long is taken for what it was.
    pub(crate) fn is_last_cut(&self, now: Instant) -> Result<bool, OpenError> {
        let growing = self.get(self.last()).filter(|last| !last.has_ended());
        let Some((last, file)) = growing.and_then(|last| Some((last, last.file()?))) else {
            return Ok(false);
        };
        let held = last.is_held_by(file).map_err(OpenError::from);
        Ok(self.patience.bear(&self.rel, held, now)? == Some(false))
    }

    /// Makes sure that the file of a generation is open, looking for it in the folder if it was closed. False if the
    /// generation's bytes are nowhere; an error if that cannot be told now. Bounded by the number of siblings.
    pub(crate) fn make_open(&mut self, id: GenerationId, now: Instant) -> Result<bool, OpenError> {
        let Some(generation) = self.get(id) else {
            return Ok(false);
        };
        if !generation.is_closed() {
            return Ok(generation.file().is_some());
        }
        self.archives.borrow_mut().begin_step();
        let found = self.search(generation, now)?;
        self.make_room();
        let Some(generation) = self.get_mut(id) else {
            return Ok(false);
        };
        match found {
            Some((file, glance)) => generation.take_up(file, glance, now),
            None => drop(generation.lose(generation.loss())),
        }
        Ok(generation.file().is_some())
    }

    /// The log's siblings, see [`siblings::list`].
    pub(crate) fn siblings(&self, now: Instant) -> Result<Vec<Sibling>, OpenError> {
        siblings::list(&self.root, &self.rel, &self.patience, now)
    }

    /// What the path names now; an error if that cannot be told.
    fn current(&self) -> Result<Option<Stat>, OpenError> {
        match self.root.stat(&self.rel) {
            Ok(stat) => Ok(Some(stat)),
            Err(why) if why.tells_nothing() => Err(why),
            Err(_) => Ok(None),
        }
    }

    /// Opens a file of the folder and puts a question to it. None if it is not there, or cannot be read, and not just for
    /// the moment.
    fn ask<T>(
        &self,
        rel: &Path,
        now: Instant,
        question: impl FnOnce(&File) -> io::Result<T>,
    ) -> Result<Option<(File, T)>, OpenError> {
        let answer = |file: File| Ok(question(&file).map(|answer| (file, answer))?);
        self.patience.bear(rel, self.root.open_file(rel).and_then(answer), now)
    }

    /// The file that holds `generation` now, and a glance at it: the same file by any name, or else a copy.
    fn search(&self, generation: &Generation, now: Instant) -> Result<Option<(File, Glance)>, OpenError> {
        let siblings = self.siblings(now)?;
        let at_path = self.current()?.is_some_and(|stat| Holder::plain(&stat) == generation.holder());
        if at_path {
            let holds = |file: &File| Ok((generation.is_held_by(file)?, Glance::at(file)?));
            if let Some((file, (true, glance))) = self.ask(&self.rel, now, holds)? {
                return Ok(Some((file, glance)));
            }
        }
        let is_itself = |s: &&Sibling| s.holder() == generation.holder();
        let (itself, others): (Vec<_>, Vec<_>) = siblings.iter().partition(is_itself);
        // If its file is there and does not hold it any more, it was cut, and a copy may have been made just before.
        let is_cut = (at_path || !itself.is_empty()) && !generation.is_blank();
        for sibling in itself.iter().chain(&others) {
            let recent = sibling.stat.modified >= generation.modified();
            let sign = match is_itself(sibling) || is_cut && recent {
                true => Sign::Expected,
                false if !is_cut && self.may_be_heir(sibling, generation, now)? => Sign::Heir,
                false => Sign::None,
            };
            if sibling.format.is_some() {
                let found = self.search_archive(sibling, generation, sign, now)?;
                if found.is_some() {
                    return Ok(found);
                }
                continue;
            }
            let holds = |file: &File| match sign {
                Sign::Expected => generation.is_held_by(file),
                Sign::Heir => generation.may_be_held_by(file),
                Sign::None => generation.is_surely_held_by(file),
            };
            if let Some((file, glance, true)) = self.ask_sibling(sibling, now, holds)? {
                return Ok(Some((file, glance)));
            }
        }
        Ok(None)
    }

    /// The file of a generation that was still followed is nowhere. What a rotation has made of it has been changed since it
    /// was last looked at, and is nothing else that is known.
    fn may_be_heir(
        &self,
        sibling: &Sibling,
        generation: &Generation,
        now: Instant,
    ) -> Result<bool, OpenError> {
        let followed = !generation.is_blank() && !generation.has_ended();
        if !followed || !sibling.is_in_order() || sibling.stat.modified < generation.modified() {
            return Ok(false);
        }
        let mut others = self.generations.iter().filter(|other| !ptr::eq(*other, generation));
        others.try_fold(true, |may_be, other| Ok(may_be && !self.may_hold(sibling, other, now)?))
    }

    /// After the file of a generation was truncated: the copy among its siblings that holds what was in it, and those
    /// that hold what was written, copied and cut again since, until what is in the file now.
    pub(crate) fn find_copies(
        &self,
        id: GenerationId,
        now: Instant,
    ) -> Result<(Option<File>, Vec<Sibling>), OpenError> {
        self.archives.borrow_mut().begin_step();
        let Some(cut) = self.get(id) else {
            return Ok((None, Vec::new()));
        };
        let siblings = self.siblings(now)?;
        // The truncated file itself may have been renamed since. It is no copy, and what came after it is no matter now.
        // If it has been removed, its time is the border; what is as old counts as younger, to be found later.
        let itself = |sibling: &Sibling| sibling.holder() == cut.holder();
        let current = self.current()?.map(|stat| Holder::plain(&stat));
        let removed = !siblings.iter().any(itself) && current != Some(cut.holder());
        let time = cut.file().filter(|_| removed).map(Stat::of).transpose()?;
        let earlier = |s: &Sibling| !itself(s) && time.is_none_or(|own| s.stat.modified < own.modified);
        let copy = self.copy_of(cut, &siblings, now)?;
        let later = match &copy {
            Some((found, _)) => siblings::younger_than(&siblings, *found),
            None => self.changed_since(cut.modified(), &siblings, now)?,
        };
        let later = later.into_iter().take_while(earlier).collect();
        Ok((copy.map(|(_, file)| file), self.unseen(later, now)?))
    }

    /// If there are several copies, the youngest that has all we read; else the youngest that was written after our last
    /// look, as it may have been made before we read the last bytes.
    fn copy_of(
        &self,
        cut: &Generation,
        siblings: &[Sibling],
        now: Instant,
    ) -> Result<Option<(usize, File)>, OpenError> {
        let mut partial = None;
        for (i, sibling) in siblings.iter().enumerate().rev() {
            // What is too short to be known by its content alone is still known by its time: a copy is made just
            // before the cut.
            let recent = sibling.stat.modified >= cut.modified();
            let is_candidate = sibling.holder() != cut.holder() && !cut.is_blank();
            let is_other = match sibling.format {
                None => self.is_known(sibling, now)?,
                Some(_) => !self.begins_as(sibling, cut, now)?,
            };
            if !is_candidate || !(recent || cut.is_recognisable()) || is_other {
                continue;
            }
            let compare = |file: &File| Ok((cut.begins_like(file)?, cut.is_held_by(file)?));
            match self.ask_sibling(sibling, now, compare)? {
                Some((file, _, (_, true))) => return Ok(Some((i, file))),
                Some((file, _, (true, false)))
                    if recent && sibling.stat.size < cut.offset() && partial.is_none() =>
                {
                    partial = Some((i, file));
                }
                _ => {}
            }
        }
        Ok(partial)
    }

    /// Adds what has come after the last generation: files that were rotated in and out again while nobody looked, and
    /// what is at the path now; if that cannot be read, the answer is why. An error if nobody can tell: then nothing has
    /// changed.
    pub(crate) fn find_successors(&mut self, now: Instant) -> Result<Option<OpenError>, OpenError> {
        self.archives.borrow_mut().begin_step();
        // First the file at the path, then its siblings: were it the other way round, a file could be renamed between
        // the two, and be seen by neither.
        let opened = self.root.open_file(&self.rel).and_then(|file| Ok((Stat::of(&file)?, file)));
        let current = opened.as_ref().ok().map(|(stat, _)| Holder::plain(stat));
        let last = self.get(self.last()).filter(|last| last.file().is_some());
        if current.is_some() && last.map(Generation::holder) == current {
            return Ok(None);
        }
        let (opened, nothing) = match opened {
            Ok(opened) => (Some(opened), None),
            Err(why) if why.tells_nothing() => return Err(why),
            Err(why) => (None, Some(why)),
        };
        let opened = match opened {
            Some((stat, file)) if self.is_closed_last(&stat, &file)? => {
                let (last, glance) = (self.last(), Glance::at(&file)?);
                if let Some(last) = self.get_mut(last) {
                    last.take_up(file, glance, now);
                }
                return Ok(None);
            }
            opened => opened,
        };
        let siblings = self.siblings(now)?;
        let mut between = self.between(&siblings, current, now)?;
        let last = self.last();
        if !between.is_empty() && self.get(last).is_some_and(Generation::is_closed) {
            // A copy of the last one did not come after it. To know it, one must know where the last one is now.
            self.make_open(last, now)?;
            between = self.between(&siblings, current, now)?;
        }
        let mut found = self.open_all(&between, Begins::Rotated, now)?;
        if let Some((stat, file)) = opened {
            found.push(self.entering(file, &stat, now)?);
        }
        self.push_all(found);
        self.pass_over(&siblings);
        Ok(nothing)
    }

    /// Is this the file of the last generation, which was closed as it could not be read for a moment?
    fn is_closed_last(&self, stat: &Stat, file: &File) -> io::Result<bool> {
        match self.get(self.last()) {
            Some(last) if last.is_closed() && last.holder() == Holder::plain(stat) => last.is_held_by(file),
            _ => Ok(false),
        }
    }

    /// Those of `siblings` that hold what was written after the last generation and before what is at the path.
    fn between(
        &self,
        siblings: &[Sibling],
        current: Option<Holder>,
        now: Instant,
    ) -> Result<Vec<Sibling>, OpenError> {
        let mut between = self.after_last(siblings, now)?;
        between.retain(|sibling| Some(sibling.holder()) != current);
        self.unseen(between, now)
    }

    /// Those of `siblings` that hold what was written after the last generation.
    fn after_last(&self, siblings: &[Sibling], now: Instant) -> Result<Vec<Sibling>, OpenError> {
        let Some(last) = self.get(self.last()) else {
            return Ok(Vec::new());
        };
        for (found, sibling) in siblings.iter().enumerate() {
            if self.may_hold(sibling, last, now)? {
                return Ok(siblings::younger_than(siblings, found));
            }
        }
        // Its name is gone; then what was changed after our last look came after it.
        self.changed_since(self.changed_then.min(last.modified()), siblings, now)
    }

    /// Those of `siblings` that were changed since then, and are younger than all that were there when we last looked: late
    /// lines may have changed an older one, which has been compressed, so that nobody can tell what it was.
    fn changed_since(
        &self,
        time: SystemTime,
        siblings: &[Sibling],
        now: Instant,
    ) -> Result<Vec<Sibling>, OpenError> {
        let mut changed = Vec::new();
        for sibling in siblings.iter().rev().filter(|sibling| sibling.is_in_order()) {
            if self.was_there(sibling, now)? {
                break;
            }
            if sibling.stat.modified >= time {
                changed.push(sibling.clone());
            }
        }
        changed.reverse();
        Ok(changed)
    }

    /// The generation that begins with the file at the path: a new one, or one that was moved away and has come back.
    fn entering(&mut self, file: File, current: &Stat, now: Instant) -> io::Result<Generation> {
        for generation in self.generations.iter_mut().rev() {
            let same = generation.holder() == Holder::plain(current) && generation.offset() > 0;
            if same && generation.is_held_by(&file)? {
                return generation.come_back(file, now);
            }
        }
        // The file that the last one was in, which had a handle that was good for nothing any more.
        let cut = |last: &Generation| {
            !last.has_ended() && !last.is_blank() && last.holder() == Holder::plain(current)
        };
        let is_cut = self.get(self.last()).is_some_and(cut);
        let begins = if is_cut { Begins::Truncated } else { Begins::Rotated };
        Generation::open(file, begins, 0, &self.lens, now)
    }

    /// Those of `siblings` that are in order and that we have never read.
    fn unseen(&self, siblings: Vec<Sibling>, now: Instant) -> Result<Vec<Sibling>, OpenError> {
        let mut unseen = Vec::new();
        for sibling in siblings {
            let is_new = sibling.is_in_order()
                && !self.was_there(&sibling, now)?
                && !self.is_known(&sibling, now)?
                && !self.was_passed(&sibling, now)?;
            if is_new {
                unseen.push(sibling);
            }
        }
        Ok(unseen)
    }

    /// These are there now, and nobody waits for them.
    fn pass_over(&mut self, siblings: &[Sibling]) {
        self.passed_over = Some(pass(&self.root, siblings));
        self.changed_then = self.generations.back().map_or(UNIX_EPOCH, Generation::modified);
    }

    /// Was the file there when we last looked, and is older than the last generation therefore?
    fn was_there(&self, sibling: &Sibling, now: Instant) -> Result<bool, OpenError> {
        let same = |passed: &&Passed| passed.may_be(sibling);
        match self.passed_over.iter().flatten().find(same) {
            Some(passed) if !passed.head.is_empty() => {
                let same = self.ask(&sibling.rel, now, |file| holds(file, 0, &passed.head))?;
                Ok(same.is_none_or(|(_, same)| same))
            }
            passed => Ok(passed.is_some()),
        }
    }

    /// What is in these files. What cannot be opened, and not just for the moment, is left out: it cannot be read either.
    pub(crate) fn open_all(
        &self,
        siblings: &[Sibling],
        begins: Begins,
        now: Instant,
    ) -> Result<Vec<Generation>, OpenError> {
        let mut opened = Vec::new();
        for sibling in siblings {
            let found = self.ask_sibling(sibling, now, |_| Ok(()))?;
            opened.extend(
                found.map(|(file, glance, ())| Generation::begin(file, glance, begins, &self.lens, now)),
            );
        }
        Ok(opened)
    }

    /// The next generations of the log, in their order.
    pub(crate) fn push_all(&mut self, generations: Vec<Generation>) {
        for generation in generations {
            self.push(generation);
        }
    }

    /// Takes in the next older sibling as the generation before all others. None if there is none that can be read, or
    /// if [`MOST`] are known; an error if nobody can tell for now. Bounded by the number of siblings.
    pub(crate) fn extend_back(&mut self, now: Instant) -> Result<Option<GenerationId>, OpenError> {
        self.next_older(now)?.map_or(Ok(None), |sibling| self.prepend(&sibling, now))
    }

    /// The sibling that came before all that we know.
    fn next_older(&mut self, now: Instant) -> Result<Option<Sibling>, OpenError> {
        self.archives.borrow_mut().begin_step();
        let siblings = self.siblings(now)?;
        let current = self.current()?.map(|stat| Holder::plain(&stat));
        for sibling in siblings[..self.older(&siblings, current, now)?].iter().rev() {
            let is_current = Some(sibling.holder()) == current;
            if sibling.is_in_order() && !is_current && !self.is_known(sibling, now)? {
                return Ok(Some(sibling.clone()));
            }
        }
        Ok(None)
    }

    /// How many of `siblings` are older than all that we know: those before the first that holds a known generation.
    fn older(&self, siblings: &[Sibling], current: Option<Holder>, now: Instant) -> Result<usize, OpenError> {
        for generation in self.generations.iter().filter(|g| Some(g.holder()) != current) {
            // First those that need not be looked into.
            for packed in [false, true] {
                for (place, sibling) in siblings.iter().enumerate() {
                    let same_file = sibling.holder() == generation.holder();
                    let is_likely = if packed { sibling.format.is_some() } else { same_file };
                    if is_likely && self.may_hold(sibling, generation, now)? {
                        return Ok(place);
                    }
                }
            }
        }
        let last = self.generations.back();
        if last.is_some_and(|last| Some(last.holder()) == current) {
            return Ok(siblings.len());
        }
        // The name of the last one is gone. What was changed after our last look came after it, unless we saw it then: two
        // files that were written one after the other may have the same time.
        let border = last.map(Generation::modified);
        for (place, sibling) in siblings.iter().enumerate().rev() {
            let before = border.is_none_or(|border| sibling.stat.modified < border);
            if before || self.was_there(sibling, now)? {
                return Ok(place + 1);
            }
        }
        Ok(0)
    }

    /// How large the file of a generation was when we last looked at what lies beside the log.
    pub(crate) fn size_when_passed(&self, id: GenerationId) -> Option<u64> {
        let holder = self.get(id)?.holder();
        self.passed_over.iter().flatten().find(|passed| passed.holder == holder).map(|passed| passed.size)
    }

    /// Puts what is in the file before all that we know; if it has been unreadable for too long, as something of which no
    /// more is known than its size. None if there is no room, or no such file.
    fn prepend(&mut self, sibling: &Sibling, now: Instant) -> Result<Option<GenerationId>, OpenError> {
        if self.generations.len() == MOST {
            return Ok(None);
        }
        let opened = self
            .open_sibling(sibling, now)
            .and_then(|(file, glance)| Ok(Generation::at_end(file, glance, &self.lens, now)?));
        let unreadable = opened.as_ref().is_err_and(OpenError::tells_nothing);
        let mut generation = match self.patience.bear(&sibling.rel, opened, now)? {
            Some(generation) => generation,
            None if unreadable => Generation::unread(sibling.holder(), &sibling.stat, &self.lens, now),
            None => return Ok(None),
        };
        self.make_room();
        generation.end_now();
        self.generations.push_front(generation);
        self.first = self.first.before();
        Ok(Some(self.first))
    }

    /// Whether something was unpacked since this was last asked, and how far that has come.
    pub(crate) fn take_unpacking(&mut self) -> Option<Unpacking> {
        self.archives.borrow_mut().take_unpacking()
    }

    /// Closes the files that nobody has read from for a while. O(generations).
    pub(crate) fn close_unused(&mut self, now: Instant) {
        let unused =
            |generation: &&mut Generation| generation.has_ended() && generation.touched() + QUIET <= now;
        self.generations.iter_mut().filter(unused).for_each(Generation::close);
        self.archives.borrow_mut().close_unused(now);
    }

    /// Before another file is opened: at most [`MOST_OPEN`] of ended generations.
    fn make_room(&mut self) {
        let open = |generation: &&mut Generation| generation.has_ended() && generation.file().is_some();
        let mut open: Vec<&mut Generation> = self.generations.iter_mut().filter(open).collect();
        if open.len() >= MOST_OPEN
            && let Some(longest_unused) = open.iter_mut().min_by_key(|generation| generation.touched())
        {
            longest_unused.close();
        }
    }
}

/// Nobody can tell as long as the follower has not found out what has come.
fn undecided() -> OpenError {
    io::Error::from(io::ErrorKind::Other).into()
}
