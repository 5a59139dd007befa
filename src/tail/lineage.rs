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
mod predecessors;
mod search;
mod successors;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::tail::archive::{Archives, Unpacking};
use crate::tail::beneath::{OpenError, Root, Stat};
use crate::tail::disk::File;
use crate::tail::generation::{Begins, Generation};
use crate::tail::lens::Lens;
use crate::tail::patience::Patience;
use crate::tail::siblings::{self, Sibling};
use crate::tail::standing::{GenerationId, Spot};
pub(crate) use beginning::Begun;
use passed::Passed;

/// So many generations are remembered. A viewer that lags by more rotations is told that it misses something, but not
/// how much.
const MOST: usize = 256;

/// Files of ended generations that are kept open at once, for viewers that are behind.
const MOST_OPEN: usize = 8;

/// A file that neither grows nor is read is closed after this time: an open handle keeps the blocks of a deleted file
/// on the disk.
pub(crate) const QUIET: Duration = Duration::from_secs(5);

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

    /// How large the file of a generation was when we last looked at what lies beside the log.
    pub(crate) fn size_when_passed(&self, id: GenerationId) -> Option<u64> {
        let holder = self.get(id)?.holder();
        self.passed_over.iter().flatten().find(|passed| passed.holder == holder).map(|passed| passed.size)
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
