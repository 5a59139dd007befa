//! The list of logs: what the sources find, and what each is called.
//!
//! A visitor can only name what is listed here; the path to it never leaves this side. The sources are looked at again
//! every [`RESCAN`], so files that appear later are found, and the list changes as little as can be: a log keeps
//! the name it got for as long as it is listed. So a name may depend on which of two logs came first; after a
//! restart the shorter name may be gone, as both are known from the beginning then.
//!
//! What is listed:
//!
//! - files named one by one, always, whether they exist or not;
//! - of a folder its regular files, and if that is wanted those of the folders in it; no hidden ones;
//! - what a pattern matches;
//! - of the latter two no compressed file, as its bytes are no text, and no file that is, by its name, a
//!   rotated part of another listed one (see [`rotated`]): it belongs to the history of that one.
//!
//! A file that two sources find is listed once, by the first of them; names given by `NAME=` come before all
//! others, and each of them is a log of its own. What one source redacts, or would if it could see it, none shows that
//! does not, by whatever path; nor what lies beside such a log ([`Withholding`]).
//!
//! A look takes as many slices as it needs ([`Catalogue::work`]), and costs little where nothing has changed: a folder whose
//! time is the same has the same names in it. Then only the paths are thought over that have changed.
//!
//! ```text
//!   Rests --- RESCAN is over --> Looks (source by source) --> Lists (path by path) --> Rests
//! ```
//!
//! Does not read logs, and does not know who watches them.

mod entry;
mod list;
mod names;
mod places;
pub mod rotated;
mod scan;
pub mod source;
#[cfg(test)]
pub(crate) mod tests;
mod watch;
mod withheld;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

pub use entry::{LogEntry, LogKind, LogState};
use list::List;
pub use list::{Bookmark, Page, Removed};
use names::Wish;
use places::Places;
pub use source::{Source, SourceError};
use watch::{Roots, Sighting, Watch};
use withheld::Withheld;
pub use withheld::Withholding;

use crate::tail::Lens;
use crate::tail::disk::Disk;

/// How often the sources are looked at again.
pub const RESCAN: Duration = Duration::from_secs(2);

/// How long a file that was found and has gone stays listed, as missing. Between the renaming of a full log
/// and the first line of the next there may be minutes, and its name should not go to another one, nor its
/// viewers hear that there never was such a log.
pub const GRACE: Duration = Duration::from_secs(10 * 60);

/// So many sources that are one file each are looked at in a slice, and so many paths thought over.
const SOURCES: usize = 32;
const PATHS: usize = 128;

/// All logs that there are, by name.
#[derive(Debug)]
pub struct Catalogue {
    watches: Vec<Watch>,
    /// In which order they are looked at: those that mask something last, as what has come while they looked, the others
    /// have not seen yet.
    order: Vec<usize>,
    roots: Roots,
    withheld: Withheld,
    /// Further names, and which source each was given to.
    aliases: HashMap<String, usize>,
    places: Places,
    list: List,
    phase: Phase,
    /// No look has been finished yet.
    first: bool,
}

/// What the next slice of work is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The next look begins then.
    Rests(Instant),
    /// A look that began then has come to this one of the sources, in the order they are looked at.
    Looks(Instant, usize),
    /// What the look has changed is brought into the list.
    Lists(Instant),
}

/// What makes a log the same one at the next look: its path, and the source that gave it a name.
type Identity = (PathBuf, Option<usize>);

/// A log that the sources find, and by which of them.
struct Found {
    identity: Identity,
    watch: usize,
    sighting: Sighting,
}

impl Catalogue {
    /// Looks at all sources, which are on `disk`, for the first time. `stdin` is the file that standard input is
    /// spooled into; without it, a source that is standard input lists nothing.
    ///
    /// An error if a name, or standard input, is given twice.
    pub fn new(
        disk: Disk,
        sources: Vec<Source>,
        stdin: Option<&Path>,
        now: Instant,
    ) -> Result<Self, SourceError> {
        let mut catalogue = Self::of(Roots::on(disk), sources, stdin, now)?;
        while catalogue.first {
            catalogue.work(now, true);
        }
        Ok(catalogue)
    }

    /// A catalogue of other sources on the same disk, that shares the folders which both have. Nothing of it has been
    /// looked at when it begins: [`work`](Self::work) does that, until it [`rests`](Self::rests).
    ///
    /// # Errors
    /// If a name, or standard input, is given twice.
    pub fn succeeded_by(
        &self,
        sources: Vec<Source>,
        stdin: Option<&Path>,
        now: Instant,
    ) -> Result<Self, SourceError> {
        Self::of(self.roots.clone(), sources, stdin, now)
    }

    fn of(
        mut roots: Roots,
        sources: Vec<Source>,
        stdin: Option<&Path>,
        now: Instant,
    ) -> Result<Self, SourceError> {
        let mut given = HashSet::new();
        for source in &sources {
            for name in source.given_names() {
                if !given.insert(name) {
                    return Err(SourceError::twice(name));
                }
            }
        }
        let (mut watches, mut aliases) = (Vec::new(), HashMap::new());
        for source in sources {
            let own = source.aliases.clone();
            if let Some(watch) = Watch::new(source, stdin, &mut roots) {
                aliases.extend(own.into_iter().map(|alias| (alias, watches.len())));
                watches.push(watch);
            }
        }
        let mut order: Vec<usize> = (0..watches.len()).collect();
        order.sort_by_key(|&index| watches[index].lens().redacts());
        roots.keep_used();
        Ok(Self {
            watches,
            order,
            roots,
            withheld: Withheld::default(),
            aliases,
            places: Places::default(),
            list: List::default(),
            phase: Phase::Looks(now, 0),
            first: true,
        })
    }

    /// The logs, in the order of the sources, those of one source by name.
    pub fn logs(&self) -> impl ExactSizeIterator<Item = &LogEntry> {
        self.list.entries()
    }

    /// At most `most` logs of the list in its order, from behind `after`, that have changed since it had the version
    /// `since` (0: all). What was looked through ends with a bookmark for the rest.
    pub fn page(&self, after: Option<&Bookmark>, since: u64, most: usize) -> Page<'_> {
        self.list.page(after, since, most)
    }

    /// What was on the list when it had the version `since` and is not any more; none if that is too long ago to be known.
    pub fn removed_since(&self, since: u64) -> Option<Vec<&Removed>> {
        self.list.removed_since(since)
    }

    /// A number that grows whenever a log comes, goes, or is another file than before.
    pub fn version(&self) -> u64 {
        self.list.version()
    }

    /// Which of the sources, by their place among them, the last look has found nothing for.
    pub fn idle(&self) -> impl Iterator<Item = usize> {
        let watches = self.watches.iter().enumerate();
        watches.filter(|(_, watch)| watch.is_idle()).map(|(index, _)| index)
    }

    /// What sources have found and do not show, as another one masks it, and why: by path, for a report.
    // O(all that is found), with a question to the system for each.
    pub fn withheld(&self) -> BTreeMap<PathBuf, Withholding> {
        let found = self.watches.iter().flat_map(|watch| {
            let why = |seen: Sighting| self.withholds(&seen.path, watch.lens()).map(|why| (seen.path, why));
            watch.sightings().into_iter().filter_map(why)
        });
        found.collect()
    }

    /// Whether what is at `path` must not be shown through `lens`, and why.
    fn withholds(&self, path: &Path, lens: &Lens) -> Option<Withholding> {
        self.withheld.concerns(path, lens, &self.watches)
    }

    /// The log of this name, or of which this is a further name.
    pub fn find(&self, name: &str) -> Option<&LogEntry> {
        let aliased = || self.aliases.get(name).and_then(|&watch| self.list.outright(watch));
        self.list.find(name).or_else(aliased)
    }

    /// Something about the log `name` has changed that is not in its file: whoever has an older version of the list is to
    /// hear of it.
    pub fn touch(&mut self, name: &str) {
        self.list.touch(name);
    }

    /// The next slice of looking again what the sources find; call it as often as you like. When to call it next, at once
    /// if there is more to do. Whether the list has changed tells its [`version`](Self::version), once it
    /// [`rests`](Self::rests).
    ///
    /// Files that were named outright are looked at only if the list is `attended`.
    ///
    /// Bounded: some 130 files or folder entries a slice; in all, 50,000 folder entries per source. What lies behind them
    /// is not listed, and the program's own log says so.
    pub fn work(&mut self, now: Instant, attended: bool) -> Instant {
        self.phase = match self.phase {
            Phase::Rests(until) if now < until => return until,
            Phase::Rests(_) => {
                self.roots.look_again();
                Phase::Looks(now, 0)
            }
            Phase::Looks(begun, at) => self.look(begun, at, attended || self.first),
            // All at once: who was first should not matter here.
            Phase::Lists(begun) if self.first => {
                self.first = self.think_over(usize::MAX, now);
                Phase::Rests(now.max(begun + RESCAN))
            }
            Phase::Lists(begun) => match self.think_over(PATHS, now) {
                true => Phase::Lists(begun),
                false => Phase::Rests(now.max(begun + RESCAN)),
            },
        };
        if let Phase::Rests(until) = self.phase { until } else { now }
    }

    /// Whether no look is under way.
    pub fn rests(&self) -> bool {
        matches!(self.phase, Phase::Rests(_))
    }

    /// A slice of a look that has come to `at`.
    fn look(&mut self, begun: Instant, mut at: usize, attended: bool) -> Phase {
        for _ in 0..SOURCES {
            let Some(&index) = self.order.get(at) else {
                if self.withheld.look(&self.watches) {
                    self.places.think_over_all();
                }
                return Phase::Lists(begun);
            };
            let watch = &mut self.watches[index];
            let looked = watch.look(&mut self.roots, attended);
            for path in looked.changed {
                let seen = watch.sighting(&path).is_some();
                self.places.note(path, index, seen);
            }
            if looked.more {
                break;
            }
            at += 1;
        }
        Phase::Looks(begun, at)
    }

    /// Brings what has become of `most` paths into the list. True if there are more.
    fn think_over(&mut self, most: usize, now: Instant) -> bool {
        let mut new = Vec::new();
        for _ in 0..most {
            let Some(path) = self.places.next() else {
                self.name(new);
                self.expire(now);
                return false;
            };
            self.settle(&path, now, &mut new);
        }
        self.name(new);
        true
    }

    /// What is to be listed of what is at `path`: by each source that gives it a name, or by the first that finds it.
    fn wanted(&self, path: &Path) -> Vec<Found> {
        let seers = self.places.seers(path);
        // Those that give names come first.
        let (named, others): (Vec<usize>, Vec<usize>) =
            seers.iter().partition(|&&index| self.watches[index].gives_names());
        let mut wanted: Vec<Found> = Vec::new();
        for index in named.into_iter().chain(others) {
            let watch = &self.watches[index];
            let claimed = !wanted.is_empty() && !watch.gives_names();
            if claimed || self.withholds(path, watch.lens()).is_some() {
                continue;
            }
            if let Some(sighting) = watch.sighting(path) {
                let identity = (path.to_owned(), watch.gives_names().then_some(index));
                wanted.push(Found { identity, watch: index, sighting });
            }
        }
        wanted
    }

    /// Whether a file at `path` is, by its name, a rotated part of another that is listed or found.
    fn is_rotated(&self, path: &Path) -> bool {
        let is_known = |base: &PathBuf| {
            let found = |&index: &usize| self.withholds(base, self.watches[index].lens()).is_none();
            !self.list.at(base).is_empty() || self.places.seers(base).iter().any(found)
        };
        places::bases(path).any(|base| is_known(&base))
    }

    /// Brings what is at `path` into the list, but for what is new there: that is to be given names.
    fn settle(&mut self, path: &Path, now: Instant, new: &mut Vec<Found>) {
        let mut wanted = self.wanted(path);
        let rotated: Vec<Found> = match self.is_rotated(path) {
            true => wanted.extract_if(.., |found| !found.sighting.outright).collect(),
            false => Vec::new(),
        };
        for key in self.list.at(path).to_vec() {
            let Some(listed) = self.list.get(&key) else { continue };
            let same = |found: &Found| found.identity == listed.identity;
            if let Some(at) = wanted.iter().position(same) {
                self.keep(&key, wanted.swap_remove(at));
            } else if rotated.iter().any(same) || self.withholds(path, &listed.entry.lens).is_some() {
                self.list.remove(&key);
            } else {
                self.list.mark_gone(&key, now);
            }
        }
        new.append(&mut wanted);
    }

    /// The same log, though it may be opened another way now: a path that was waited for became a link.
    fn keep(&mut self, key: &list::Key, found: Found) {
        let Found { watch, sighting, .. } = found;
        let lens = self.watches[watch].lens();
        self.list.keep(key, watch, sighting.behind, |entry| {
            // A source that masks something may have seen it only now.
            if lens.redacts() && !entry.lens.redacts() {
                entry.lens = Rc::clone(lens);
            }
            (entry.root, entry.rel) = (sighting.root, sighting.rel);
        });
    }

    /// Puts `new` logs on the list, by names that are not on it yet.
    fn name(&mut self, new: Vec<Found>) {
        let (groups, wishes): (Vec<String>, Vec<Wish>) =
            new.iter().map(|found| self.watches[found.watch].describe(&found.sighting)).unzip();
        let taken = |name: &str| self.list.find(name).is_some() || self.aliases.contains_key(name);
        let names = names::assign(taken, &wishes);
        for ((Found { identity, watch, sighting }, group), name) in new.into_iter().zip(groups).zip(names) {
            let Sighting { root, rel, behind, kind, outright, .. } = sighting;
            let aliases = self.aliases.iter().filter(|&(_, of)| outright && *of == watch);
            let mut aliases: Vec<String> = aliases.map(|(alias, _)| alias.clone()).collect();
            aliases.sort_unstable();
            let lens = Rc::clone(self.watches[watch].lens());
            let entry = LogEntry { name, aliases, group, kind, outright, root, rel, lens };
            self.places.think_over_parts_of(&identity.0);
            self.list.insert(watch, identity, behind, entry);
        }
    }

    /// Takes off the list what has been gone for long.
    fn expire(&mut self, now: Instant) {
        // Nothing follows from what a look has not found if it could not see everything.
        let expired: Vec<_> = self.list.gone_for(GRACE, now).cloned().collect();
        for key in expired.into_iter().filter(|key| self.watches[key.0].is_complete()) {
            if let Some(listed) = self.list.remove(&key) {
                self.places.think_over_parts_of(&listed.identity.0);
            }
        }
    }
}
