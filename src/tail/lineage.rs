//! The generations of one log in the order of their coming, and where on the disk they are to be found.
//!
//! Files are renamed, copied and removed while we look. So nothing is believed by name: a file holds a generation if
//! it begins and goes on (before the last place we know) with the bytes that were read.
//!
//! Does not follow anything and does not know who reads.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::tail::beneath::{OpenError, Root, Stat};
use crate::tail::cursor::Place;
use crate::tail::disk::File;
use crate::tail::generation::{Begins, Generation, is_named_by};
use crate::tail::lens::Lens;
use crate::tail::path::AtPath;
use crate::tail::siblings::{self, Sibling};
use crate::tail::standing::{GenerationId, Spot};

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
    // Files beside the log that were there when we last looked, and are no generation that anybody waits for.
    passed_over: Vec<Stat>,
}

impl Lineage {
    /// Of the log at `rel`: what is there now, at its end. If that cannot be read, the youngest rotated file; if there
    /// is none either, the void.
    pub(crate) fn open(root: Rc<Root>, rel: PathBuf, lens: Rc<Lens>, now: Instant) -> (Self, AtPath) {
        let at_end = |file| Ok(Generation::open(file, Begins::Rotated, u64::MAX, &lens, now)?);
        let opened = root.open_file(&rel).and_then(at_end);
        let siblings = siblings::list(&root, &rel).unwrap_or_default();
        let (generation, at_path) = match opened {
            Ok(generation) => (generation, AtPath::Last),
            Err(why) => {
                let youngest = siblings.last().filter(|youngest| youngest.is_in_order());
                let file = youngest.and_then(|youngest| root.open_file(&youngest.rel).ok());
                let generation = file.and_then(|file| at_end(file).ok());
                let at_path = AtPath::Nothing { since: now, why: why.to_string(), told: true };
                (generation.unwrap_or_else(|| Generation::void(now)), at_path)
            }
        };
        // Ids go down as well as up: what a cursor names may be older than all we know.
        let first = GenerationId(1 << 32);
        let generations = VecDeque::from([generation]);
        let passed_over = siblings.iter().map(|sibling| sibling.stat).collect();
        (Self { root, rel, lens, first, generations, passed_over }, at_path)
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
        self.generations.push_back(generation);
        if self.generations.len() > MOST {
            self.generations.pop_front();
            self.first = self.first.next();
        }
        self.last()
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
        let found = self.search(generation)?;
        self.make_room();
        let Some(generation) = self.get_mut(id) else {
            return Ok(false);
        };
        match found {
            Some(file) => generation.take_up(file, now)?,
            None => drop(generation.lose(generation.loss())),
        }
        Ok(generation.file().is_some())
    }

    /// The file that holds `generation` now: the same file by any name, or else a copy.
    fn search(&self, generation: &Generation) -> Result<Option<File>, OpenError> {
        let siblings = siblings::list(&self.root, &self.rel)?;
        let own = self.root.stat(&self.rel).ok().map(|stat| (self.rel.as_path(), stat));
        let candidates = || own.into_iter().chain(siblings.iter().map(|s| (s.rel.as_path(), s.stat)));
        for (rel, _) in candidates().filter(|(_, stat)| identity(stat) == generation.holder()) {
            let file = match self.root.open_file(rel) {
                Err(OpenError::Missing) => continue,
                opened => opened?,
            };
            if generation.is_held_by(&file)? {
                return Ok(Some(file));
            }
        }
        for (rel, _) in candidates() {
            let Ok(file) = self.root.open_file(rel) else { continue };
            if generation.is_recognisable() && generation.is_held_by(&file)? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// After the file of a generation was truncated: the copy among its siblings that holds what was in it, and those
    /// that hold what was written, copied and cut again since, until what is in the file now.
    pub(crate) fn find_copies(&self, id: GenerationId) -> (Option<File>, Vec<Sibling>) {
        let (Some(cut), Ok(siblings)) = (self.get(id), siblings::list(&self.root, &self.rel)) else {
            return (None, Vec::new());
        };
        // The truncated file itself may have been renamed since. It is no copy, and what came after it is no matter now.
        // If it has been removed, its time is the border; what is as old counts as younger, to be found later.
        let itself = |sibling: &Sibling| identity(&sibling.stat) == cut.holder();
        let removed = !siblings.iter().any(itself) && self.current() != Some(cut.holder());
        let time = cut.file().filter(|_| removed).and_then(|file| Stat::of(file).ok());
        let earlier = |s: &Sibling| !itself(s) && time.is_none_or(|own| s.stat.modified < own.modified);
        let candidate = |s: &Sibling| !itself(s) && !self.is_known(s);
        let copy = self.copy_of(cut, &siblings, candidate);
        let later = match &copy {
            Some((found, _)) => siblings::younger_than(&siblings, *found),
            None => siblings.iter().filter(|s| s.stat.modified >= cut.modified()).cloned().collect(),
        };
        let later = later.into_iter().take_while(earlier).collect();
        (copy.map(|(_, file)| file), self.unseen(later))
    }

    /// If there are several copies, the youngest that has all we read; else the youngest that was written after our last
    /// look, as it may have been made before we read the last bytes.
    fn copy_of(
        &self,
        cut: &Generation,
        siblings: &[Sibling],
        candidate: impl Fn(&Sibling) -> bool,
    ) -> Option<(usize, File)> {
        let mut partial = None;
        for (i, sibling) in siblings.iter().enumerate().rev().filter(|(_, sibling)| candidate(sibling)) {
            let Ok(file) = self.root.open_file(&sibling.rel) else { continue };
            // What is too short to be known by its content alone is still known by its time: a copy is made just
            // before the cut.
            let recent = sibling.stat.modified >= cut.modified();
            let alike = cut.begins_like(&file).unwrap_or(false) && !cut.is_blank();
            if !alike || !(recent || cut.is_recognisable()) {
                continue;
            }
            if cut.is_held_by(&file).unwrap_or(false) {
                return Some((i, file));
            }
            if recent && sibling.stat.size < cut.offset() && partial.is_none() {
                partial = Some((i, file));
            }
        }
        partial
    }

    /// Adds what has come after the last generation: files that were rotated in and out again while nobody looked, and
    /// what is at the path now; if that cannot be read, the answer is why.
    pub(crate) fn find_successors(&mut self, now: Instant) -> Result<Option<OpenError>, OpenError> {
        // First the file at the path, then its siblings: were it the other way round, a file could be renamed between
        // the two, and be seen by neither.
        let opened = self.root.open_file(&self.rel).and_then(|file| Ok((Stat::of(&file)?, file)));
        let current = opened.as_ref().ok().map(|(stat, _)| identity(stat));
        let siblings = siblings::list(&self.root, &self.rel)?;
        let last = self.get(self.last()).filter(|last| last.file().is_some());
        if current.is_some() && last.map(Generation::holder) == current {
            return Ok(None);
        }
        let mut between = self.after_last(&siblings);
        between.retain(|sibling| Some(identity(&sibling.stat)) != current);
        self.push_all(&self.unseen(between), Begins::Rotated, now);
        self.passed_over = siblings.iter().map(|sibling| sibling.stat).collect();
        match opened {
            Ok((stat, file)) => {
                let entering = self.entering(file, &stat, now)?;
                self.push(entering);
                Ok(None)
            }
            Err(why) => Ok(Some(why)),
        }
    }

    /// Those of `siblings` that hold what was written after the last generation.
    fn after_last(&self, siblings: &[Sibling]) -> Vec<Sibling> {
        let Some(last) = self.get(self.last()) else {
            return Vec::new();
        };
        let found = siblings.iter().position(|sibling| {
            let held = || last.is_held_by(&self.root.open_file(&sibling.rel).ok()?).ok();
            identity(&sibling.stat) == last.holder() && held().unwrap_or(false)
        });
        match found {
            Some(found) => siblings::younger_than(siblings, found),
            // Its name is gone; then what was changed after our last look came after it.
            None => siblings.iter().filter(|s| s.stat.modified >= last.modified()).cloned().collect(),
        }
    }

    /// What the path names now.
    fn current(&self) -> Option<(u64, u64)> {
        self.root.stat(&self.rel).ok().map(|stat| identity(&stat))
    }

    /// The generation that begins with the file at the path: a new one, or one that was moved away and has come back.
    fn entering(&mut self, file: File, current: &Stat, now: Instant) -> io::Result<Generation> {
        for generation in self.generations.iter_mut().rev() {
            let same = generation.holder() == identity(current) && generation.offset() > 0;
            if same && generation.is_held_by(&file)? {
                return generation.come_back(file, now);
            }
        }
        Generation::open(file, Begins::Rotated, 0, &self.lens, now)
    }

    /// Those of `siblings` that are in order and that we have never read.
    fn unseen(&self, siblings: Vec<Sibling>) -> Vec<Sibling> {
        let passed_over = |sibling: &Sibling| {
            self.passed_over.iter().any(|stat| {
                let later = sibling.stat.size >= stat.size && sibling.stat.modified >= stat.modified;
                identity(stat) == identity(&sibling.stat) && later
            })
        };
        let unseen = |s: &Sibling| s.is_in_order() && !passed_over(s) && !self.is_known(s);
        siblings.into_iter().filter(unseen).collect()
    }

    /// Adds what is in these files. What cannot be opened is left out: it cannot be read either.
    pub(crate) fn push_all(&mut self, siblings: &[Sibling], begins: Begins, now: Instant) {
        for sibling in siblings {
            let file = self.root.open_file(&sibling.rel).ok();
            if let Some(next) = file.and_then(|file| Generation::open(file, begins, 0, &self.lens, now).ok())
            {
                self.push(next);
            }
        }
    }

    /// Does the file hold a generation that we know? An inode alone says little: it may be used again, and a file may
    /// be copied over.
    fn is_known(&self, sibling: &Sibling) -> bool {
        let file = || self.root.open_file(&sibling.rel).ok();
        let holder = |generation: &&Generation| generation.holder() == identity(&sibling.stat);
        self.generations
            .iter()
            .filter(holder)
            .any(|generation| file().is_some_and(|file| generation.is_held_by(&file).unwrap_or(false)))
    }

    /// Takes in the next older sibling as the generation before all others. None if there is none that can be read, or
    /// if [`MOST`] are known. Bounded by the number of siblings.
    pub(crate) fn extend_back(&mut self, now: Instant) -> Option<GenerationId> {
        let siblings = siblings::list(&self.root, &self.rel).ok()?;
        let current = self.current();
        let mut older = siblings[..self.older(&siblings, current)].iter().rev();
        let unknown =
            |s: &&Sibling| s.is_in_order() && Some(identity(&s.stat)) != current && !self.is_known(s);
        let next = older.find(unknown)?.clone();
        self.prepend(&next, now)
    }

    /// How many of `siblings` are older than all that we know: those before the first that holds a known generation.
    fn older(&self, siblings: &[Sibling], current: Option<(u64, u64)>) -> usize {
        let place = |generation: &Generation| {
            siblings.iter().position(|s| identity(&s.stat) == generation.holder() && self.is_known(s))
        };
        let at_path = |generation: &Generation| Some(generation.holder()) == current;
        match self.generations.iter().find_map(place) {
            Some(place) => place,
            None if self.generations.back().is_some_and(at_path) => siblings.len(),
            // The name of the last one is gone. What was changed after our last look came after it.
            None => {
                let border = self.generations.back().map(Generation::modified);
                siblings.iter().take_while(|s| border.is_none_or(|border| s.stat.modified < border)).count()
            }
        }
    }

    fn prepend(&mut self, sibling: &Sibling, now: Instant) -> Option<GenerationId> {
        if self.generations.len() == MOST {
            return None;
        }
        self.make_room();
        let file = self.root.open_file(&sibling.rel).ok()?;
        let mut generation = Generation::open(file, Begins::Rotated, u64::MAX, &self.lens, now).ok()?;
        generation.end_now();
        self.generations.push_front(generation);
        self.first = self.first.before();
        Some(self.first)
    }

    /// The generation that a place of a cursor names: one that we know, or one that is still in the folder; then it
    /// and those that came after it are put before those that we know.
    ///
    /// Bounded by the number of generations and siblings; only those that may be the one are opened.
    pub(crate) fn find(&mut self, place: &Place, now: Instant) -> Option<GenerationId> {
        for id in self.ids_from(self.first).rev() {
            if !self.get(id)?.could_be_at(place) {
                continue;
            }
            let opened = self.make_open(id, now).unwrap_or(false);
            let generation = self.get(id)?;
            let named = match generation.file().filter(|_| opened) {
                Some(file) => is_named_by(place, file, place.inode == generation.inode()).unwrap_or(false),
                // Its bytes are gone, so what we remember of them must do.
                None => true,
            };
            if named {
                return Some(id);
            }
        }
        self.find_sibling(place, now)
    }

    fn find_sibling(&mut self, place: &Place, now: Instant) -> Option<GenerationId> {
        let siblings = siblings::list(&self.root, &self.rel).ok()?;
        let named = |sibling: &Sibling| {
            let file = self.root.open_file(&sibling.rel).ok()?;
            is_named_by(place, &file, place.inode == sibling.stat.inode).ok()
        };
        let found = siblings.iter().rposition(|s| named(s).unwrap_or(false) && !self.is_known(s))?;
        let mut chain = vec![siblings[found].clone()];
        // Up to the first that we know: what is younger than that is for the follower to find.
        let current = self.current();
        chain.extend(
            siblings::younger_than(&siblings, found)
                .into_iter()
                .take_while(|sibling| !self.is_known(sibling) && Some(identity(&sibling.stat)) != current),
        );
        let ids: Vec<_> = chain.iter().rev().map_while(|sibling| self.prepend(sibling, now)).collect();
        // If one could not be opened, the way from the place to here is broken.
        ids.last().copied().filter(|_| ids.len() == chain.len())
    }

    /// Where a reader goes on who came when there was neither a file nor anything beside it: everything is new to it.
    pub(crate) fn after_void(&mut self, now: Instant) -> Option<GenerationId> {
        let void = |&id: &GenerationId| self.get(id).is_some_and(Generation::is_void);
        if let Some(void) = self.ids_from(self.first).find(void) {
            return Some(void);
        }
        let siblings = siblings::list(&self.root, &self.rel).ok()?;
        let current = self.current();
        let unknown = |s: &&Sibling| !self.is_known(s) && Some(identity(&s.stat)) != current;
        let in_order = siblings.iter().filter(|sibling| sibling.is_in_order());
        let older: Vec<&Sibling> = in_order.take_while(unknown).collect();
        for sibling in older.into_iter().rev() {
            self.prepend(sibling, now)?;
        }
        Some(self.first)
    }

    /// Closes the files that nobody has read from for a while. O(generations).
    pub(crate) fn close_unused(&mut self, now: Instant) {
        let unused =
            |generation: &&mut Generation| generation.has_ended() && generation.touched() + QUIET <= now;
        self.generations.iter_mut().filter(unused).for_each(Generation::close);
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

fn identity(stat: &Stat) -> (u64, u64) {
    (stat.device, stat.inode)
}
