//! The list of logs: what the sources find, and what each is called.
//!
//! A visitor can only name what is listed here; the path to it never leaves this side. The list is made anew
//! every [`RESCAN`], so files that appear later are found, and it changes as little as can be: a log keeps
//! the name it got for as long as it is listed. So a name may depend on which of two logs came first; after a
//! restart the shorter name may be gone, as both are known from the beginning then.
//!
//! What is listed:
//!
//! - files named one by one, always, whether they exist or not;
//! - of a folder its regular files, but not those of the folders in it, and no hidden ones;
//! - what a pattern matches;
//! - of the latter two no compressed file, as its bytes are no text, and no file that is, by its name, a
//!   rotated part of another listed one (see [`rotated`]): it belongs to the history of that one.
//!
//! A file that two sources find is listed once, by the first of them; names given by `NAME=` come before all
//! others, and each of them is a log of its own. What one source redacts, none shows that does not, by whatever path
//! (see `withheld`).
//!
//! Does not read logs, and does not know who watches them.

mod entry;
mod names;
pub mod rotated;
mod scan;
pub mod source;
mod watch;
mod withheld;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

pub use entry::{LogEntry, LogKind, LogState};
use names::Wish;
pub use source::{Source, SourceError};
use watch::{Roots, Sighting, Watch};
use withheld::Withheld;

use crate::tail::disk::Disk;

/// How often the sources are looked at again.
pub const RESCAN: Duration = Duration::from_secs(2);

/// How long a file that was found and has gone stays listed, as missing. Between the renaming of a full log
/// and the first line of the next there may be minutes, and its name should not go to another one, nor its
/// viewers hear that there never was such a log.
pub const GRACE: Duration = Duration::from_secs(10 * 60);

/// All logs that there are, by name.
#[derive(Debug)]
pub struct Catalogue {
    watches: Vec<Watch>,
    roots: Roots,
    withheld: Withheld,
    listed: Vec<Listed>,
    by_name: HashMap<String, usize>,
    next_look: Instant,
}

#[derive(Debug)]
struct Listed {
    entry: LogEntry,
    identity: Identity,
    /// By which source, for the order of the list.
    watch: usize,
    /// Since when no source finds it.
    gone: Option<Instant>,
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
        let mut given = HashSet::new();
        for source in &sources {
            let stdin = source.is_stdin().then_some("-");
            for name in source.name.as_deref().into_iter().chain(stdin) {
                if !given.insert(name) {
                    return Err(SourceError::twice(name));
                }
            }
        }
        let mut roots = Roots::on(disk);
        let watches =
            sources.into_iter().filter_map(|source| Watch::new(source, stdin, &mut roots)).collect();
        let (withheld, listed, by_name) = (Withheld::default(), Vec::new(), HashMap::new());
        let mut catalogue = Self { watches, roots, withheld, listed, by_name, next_look: now + RESCAN };
        catalogue.look();
        catalogue.update(now);
        Ok(catalogue)
    }

    /// The logs, in the order of the sources, those of one source by name.
    pub fn logs(&self) -> impl ExactSizeIterator<Item = &LogEntry> {
        self.listed.iter().map(|listed| &listed.entry)
    }

    /// Which of the sources, by their place among them, the last look has found nothing for.
    pub fn idle(&self) -> impl Iterator<Item = usize> {
        let watches = self.watches.iter().enumerate();
        watches.filter(|(_, watch)| watch.sightings().is_empty()).map(|(index, _)| index)
    }

    /// The log of this name.
    pub fn find(&self, name: &str) -> Option<&LogEntry> {
        self.by_name.get(name).map(|&index| &self.listed[index].entry)
    }

    /// Looks again what the sources find, if the last look was [`RESCAN`] ago; call it as often as you like.
    /// True if the list has changed.
    ///
    /// Bounded: at most 50,000 folder entries per source; what lies behind them is not listed, and the
    /// program's own log says so.
    pub fn rescan(&mut self, now: Instant) -> bool {
        if now < self.next_look {
            return false;
        }
        self.next_look = now + RESCAN;
        let has_expired =
            |listed: &Listed| listed.gone.is_some_and(|gone| now.saturating_duration_since(gone) >= GRACE);
        let look_changed = self.look();
        (look_changed || self.listed.iter().any(has_expired)) && self.update(now)
    }

    /// Looks at all sources. True if any finds something else than before.
    fn look(&mut self) -> bool {
        self.roots.look_again();
        let mut changed = false;
        // Those that mask something come last: what has come while they looked, the others have not seen yet.
        for masks in [false, true] {
            for watch in self.watches.iter_mut().filter(|watch| watch.lens().redacts() == masks) {
                changed |= watch.look(&mut self.roots);
            }
        }
        self.withheld.look(&self.watches) || changed
    }

    /// What all sources find, each log once.
    fn found(&self) -> Vec<Found> {
        let mut found = Vec::new();
        let mut claimed = HashSet::new();
        // Those that give names come first.
        let watches = self.watches.iter().enumerate();
        let (named, others): (Vec<_>, Vec<_>) = watches.partition(|(_, watch)| watch.gives_names());
        for (index, watch) in named.into_iter().chain(others) {
            for sighting in watch.sightings() {
                if self.withheld.concerns(&sighting.path, watch.lens()) {
                    continue;
                }
                if claimed.insert(sighting.path.clone()) || watch.gives_names() {
                    let identity = (sighting.path.clone(), watch.gives_names().then_some(index));
                    found.push(Found { identity, watch: index, sighting });
                }
            }
        }
        found
    }

    /// Takes what is a rotated part of another log out of what was found, unless it was named outright.
    fn set_rotated_aside(&self, found: &mut Vec<Found>) -> HashSet<Identity> {
        let listed = self.listed.iter().map(|listed| &listed.identity.0);
        let paths: HashSet<PathBuf> =
            listed.chain(found.iter().map(|found| &found.identity.0)).cloned().collect();
        let is_rotated = |found: &mut Found| {
            let path = &found.identity.0;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let base_is_listed = |base: &String| paths.contains(&path.with_file_name(base));
            !found.sighting.outright && rotated::bases(&name).iter().any(base_is_listed)
        };
        found.extract_if(.., is_rotated).map(|found| found.identity).collect()
    }

    /// Makes the list anew, keeping what was in it before. True if it has changed.
    fn update(&mut self, now: Instant) -> bool {
        let mut found = self.found();
        let rotated = self.set_rotated_aside(&mut found);
        let before = self.listed.drain(..).map(|listed| (listed.identity.clone(), listed));
        let mut before: HashMap<Identity, Listed> = before.collect();
        let count_before = before.len();
        let mut list = Vec::with_capacity(found.len());
        let mut new = Vec::new();
        for Found { identity, watch, sighting } in found {
            match before.remove(&identity) {
                // The same log, though it may be opened another way now: a path that was waited for became a
                // link.
                Some(Listed { entry, .. }) => {
                    // A source that masks something may have seen it only now.
                    let masks = self.watches[watch].lens().redacts() && !entry.lens.redacts();
                    let lens = if masks { Rc::clone(self.watches[watch].lens()) } else { entry.lens };
                    let entry = LogEntry { root: sighting.root, rel: sighting.rel, lens, ..entry };
                    list.push(Listed { entry, identity, watch, gone: None });
                }
                None => new.push(Found { identity, watch, sighting }),
            }
        }
        for (_, mut listed) in before {
            let gone = *listed.gone.get_or_insert(now);
            // Nothing follows from what a look has not found if it could not see everything.
            let perhaps_there = !self.watches[listed.watch].is_complete();
            let in_grace = now.saturating_duration_since(gone) < GRACE;
            let withheld = self.withheld.concerns(&listed.identity.0, &listed.entry.lens);
            if (in_grace || perhaps_there) && !withheld && !rotated.contains(&listed.identity) {
                list.push(listed);
            }
        }
        let changed = !new.is_empty() || list.len() != count_before;
        self.name(new, &mut list);
        list.sort_by(|a, b| (a.watch, &a.entry.name).cmp(&(b.watch, &b.entry.name)));
        self.listed = list;
        self.by_name = self.logs().enumerate().map(|(index, log)| (log.name.clone(), index)).collect();
        changed
    }

    /// Puts `new` logs on the list, by names that are not on it yet.
    fn name(&self, new: Vec<Found>, list: &mut Vec<Listed>) {
        let (groups, wishes): (Vec<String>, Vec<Wish>) =
            new.iter().map(|found| self.watches[found.watch].describe(&found.sighting)).unzip();
        let taken = list.iter().map(|listed| listed.entry.name.as_str()).collect();
        let names = names::assign(&taken, &wishes);
        for ((Found { identity, watch, sighting }, group), name) in new.into_iter().zip(groups).zip(names) {
            let Sighting { root, rel, kind, outright, .. } = sighting;
            let lens = Rc::clone(self.watches[watch].lens());
            let entry = LogEntry { name, group, kind, outright, root, rel, lens };
            list.push(Listed { entry, identity, watch, gone: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::fs;
    use std::io::Read;
    use std::os::unix::ffi::OsStrExt;

    use tempfile::TempDir;

    use crate::tail::Lens;
    use crate::tail::cursor::Seal;
    use crate::tail::disk::{Fault, Faults};

    /// A catalogue of sources in a temporary folder, and the time.
    struct Shelf {
        folder: TempDir,
        catalogue: Option<Catalogue>,
        now: Instant,
    }

    impl Shelf {
        fn with(files: &[&str]) -> Self {
            let shelf = Self { folder: tempfile::tempdir().unwrap(), catalogue: None, now: Instant::now() };
            files.iter().for_each(|file| shelf.write(file));
            shelf
        }

        fn path(&self, rel: &str) -> PathBuf {
            self.folder.path().join(rel)
        }

        fn write(&self, rel: impl AsRef<Path>) {
            let path = self.folder.path().join(rel);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }

        /// Opens the catalogue; `@` stands for the temporary folder.
        fn open(&mut self, sources: &[&str]) -> Result<(), SourceError> {
            let place = self.folder.path().to_str().unwrap();
            let sources = sources.iter().map(|source| Source::parse(&source.replace('@', place)));
            let sources = sources.collect::<Result<_, _>>()?;
            self.catalogue = {
                let stdin = self.path("spool/stdin.log");
                Some(Catalogue::new(Disk::default(), sources, Some(&stdin), self.now)?)
            };
            Ok(())
        }

        fn catalogue(&mut self) -> &mut Catalogue {
            self.catalogue.as_mut().unwrap()
        }

        fn opened(files: &[&str], sources: &[&str]) -> Self {
            let mut shelf = Self::with(files);
            shelf.open(sources).unwrap();
            shelf
        }

        fn later(&mut self, time: Duration) -> bool {
            self.now += time;
            let now = self.now;
            self.catalogue().rescan(now)
        }

        fn names(&mut self) -> Vec<String> {
            self.catalogue().logs().map(|log| log.name.clone()).collect()
        }

        fn log(&mut self, name: &str) -> LogEntry {
            self.catalogue().find(name).unwrap_or_else(|| panic!("no {name}")).clone()
        }
    }

    #[test]
    fn a_log_is_masked_as_soon_as_the_source_that_masks_it_has_seen_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        fs::write(&path, "text").unwrap();
        let faults = Faults::below(folder.path());
        faults.begin(Fault::Broken, 1, u64::MAX);
        let lens = Lens::new(None, &["secret".to_owned()], Seal::default()).unwrap();
        let source = |path: &Path| Source::parse(path.to_str().unwrap()).unwrap();
        let masking = source(&folder.path().join("*.log")).with(None, None, Rc::new(lens)).unwrap();
        let now = Instant::now();
        let sources = vec![masking, source(&path)];
        let mut catalogue = Catalogue::new(Disk::with(&faults), sources, None, now).unwrap();
        let masked =
            |catalogue: &Catalogue| catalogue.logs().map(|log| log.lens.redacts()).collect::<Vec<_>>();
        assert_eq!(masked(&catalogue), [false], "the folder could not be read");
        faults.end();
        catalogue.rescan(now + RESCAN);
        assert_eq!(masked(&catalogue), [true]);
        // What was masked once stays so.
        faults.begin(Fault::Broken, 1, u64::MAX);
        catalogue.rescan(now + 2 * RESCAN);
        assert_eq!(masked(&catalogue), [true]);
    }

    #[test]
    fn names_are_short_and_differ() {
        let files = ["web/app.log", "web/access.log", "db/app.log", "more/app.log", "more/x.log"];
        assert_eq!(Shelf::opened(&files, &["@/web/app.log"]).names(), ["app.log"]);
        assert_eq!(
            Shelf::opened(&files, &["@/web/app.log", "@/db/app.log"]).names(),
            ["web/app.log", "db/app.log"]
        );
        assert_eq!(Shelf::opened(&files, &["@/web"]).names(), ["access.log", "app.log"]);
        // "Where sources collide, the folder's own name goes in front", of the names that collide.
        assert_eq!(
            Shelf::opened(&files, &["@/web", "@/more/"]).names(),
            ["access.log", "web/app.log", "more/app.log", "x.log"]
        );
        assert_eq!(
            Shelf::opened(&files, &["@/*/app.log"]).names(),
            ["db/app.log", "more/app.log", "web/app.log"]
        );
        assert_eq!(Shelf::opened(&files, &["@/*/ac*.log"]).names(), ["access.log"]);
    }

    #[test]
    fn given_names_are_kept_outright() {
        let files = ["web/app.log", "web/eu/x.log", "stdin"];
        assert_eq!(Shelf::opened(&files, &["shop=@/web/app.log"]).names(), ["shop"]);
        assert_eq!(Shelf::opened(&files, &["shop=@/web"]).names(), ["shop/app.log"]);
        assert_eq!(Shelf::opened(&files, &["shop=@/web/**"]).names(), ["shop/app.log", "shop/eu/x.log"]);
        let mut shelf = Shelf::opened(&files, &["@/stdin", "-", "app.log=@/web/eu/x.log", "@/web/app.log"]);
        let folder = shelf.folder.path().file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            shelf.names(),
            [format!("{folder}/stdin"), "stdin".into(), "app.log".into(), "web/app.log".into()]
        );
    }

    #[test]
    fn groups_are_folders() {
        let files = ["web/app.log", "web/eu/x.log"];
        let mut shelf =
            Shelf::opened(&files, &["-", "@/web/app.log", "@/web/eu", "a/b=@/web/app.log", "c=@/web"]);
        let groups: Vec<_> =
            shelf.catalogue().logs().map(|log| format!("{}: {}", log.group, log.name)).collect();
        assert_eq!(groups, [": stdin", "eu: x.log", "a: a/b", "c: c/app.log"]);
    }

    #[test]
    fn a_name_or_stdin_given_twice_is_an_error() {
        for sources in [&["a=/x", "a=/y"][..], &["-", "b=-"], &["-", "-"]] {
            let complaint = Shelf::with(&[]).open(sources).unwrap_err().to_string();
            assert!(complaint.contains("is given twice"), "{complaint}");
        }
    }

    #[test]
    fn a_file_found_by_two_sources_is_listed_once_unless_named() {
        let files = ["web/app.log", "web/b.log"];
        assert_eq!(
            Shelf::opened(&files, &["@/web", "@/web/app.log", "@/web/*.log"]).names(),
            ["app.log", "b.log"]
        );
        assert_eq!(Shelf::opened(&files, &["@/web", "shop=@/web/app.log"]).names(), ["b.log", "shop"]);
        assert_eq!(Shelf::opened(&files, &["x=@/web/app.log", "y=@/web/app.log"]).names(), ["x", "y"]);
    }

    #[test]
    fn a_folder_lists_regular_files_that_can_be_watched() {
        let files = [
            "app.log",
            "app.log.1",
            "app.log.2.gz",
            "app.log-20261120",
            "app-2026-11-20.log",
            "other.log.1",
            "worker-1.log",
            ".hidden",
            "dump.gz",
            "sub/x.log",
        ];
        assert_eq!(Shelf::opened(&files, &["@/"]).names(), ["app.log", "other.log.1", "worker-1.log"]);
        assert_eq!(Shelf::opened(&files, &["@/app*"]).names(), ["app.log"]);
        // The base of this one is not listed.
        assert_eq!(Shelf::opened(&files, &["@/app.log.*"]).names(), ["app.log.1"]);
        assert_eq!(Shelf::opened(&files, &["@/app.log.1", "@/app.log"]).names(), ["app.log.1", "app.log"]);
    }

    #[test]
    fn new_files_are_found_and_names_stay() {
        let mut shelf = Shelf::opened(&["web/app.log"], &["@/*/*.log"]);
        assert_eq!(shelf.names(), ["app.log"]);
        shelf.write("db/app.log");
        assert!(!shelf.later(RESCAN / 2), "not yet looked at");
        assert!(shelf.later(RESCAN / 2));
        assert_eq!(shelf.names(), ["app.log", "db/app.log"], "who was first keeps the short name");
        assert!(!shelf.later(RESCAN), "nothing new");
    }

    #[test]
    fn a_log_that_is_rotated_stays_listed_and_its_old_part_is_not() {
        let mut shelf = Shelf::opened(&["app.log"], &["@/"]);
        fs::rename(shelf.path("app.log"), shelf.path("app.log.1")).unwrap();
        assert!(!shelf.later(RESCAN));
        assert_eq!(shelf.names(), ["app.log"]);
        assert_eq!(shelf.log("app.log").state(), LogState::Missing);
        shelf.write("app.log");
        assert!(!shelf.later(RESCAN));
        assert!(matches!(shelf.log("app.log").state(), LogState::Ok { size: 4, .. }));
    }

    #[test]
    fn an_old_part_leaves_the_list_when_its_log_appears() {
        let mut shelf = Shelf::opened(&["app.log.1"], &["@/"]);
        assert_eq!(shelf.names(), ["app.log.1"]);
        shelf.write("app.log");
        assert!(shelf.later(RESCAN));
        assert_eq!(shelf.names(), ["app.log"]);
    }

    #[test]
    fn a_file_that_is_gone_for_good_leaves_the_list() {
        let mut shelf = Shelf::opened(&["a.log", "b.log"], &["@/", "@/b.log"]);
        fs::remove_file(shelf.path("a.log")).unwrap();
        fs::remove_file(shelf.path("b.log")).unwrap();
        assert!(!shelf.later(RESCAN));
        assert!(!shelf.later(GRACE - RESCAN));
        assert_eq!(shelf.names(), ["a.log", "b.log"]);
        assert!(shelf.later(RESCAN));
        assert_eq!(shelf.names(), ["b.log"], "which was named, so it is waited for");
        assert!(shelf.catalogue().find("a.log").is_none());
    }

    #[test]
    fn what_does_not_exist_yet_is_waited_for() {
        let mut shelf = Shelf::opened(&[], &["@/no/such/app.log", "@/later", "@/also/", "@/pat/*.log"]);
        assert_eq!(shelf.names(), ["app.log", "later"]);
        assert_eq!(shelf.log("app.log").state(), LogState::Missing);
        ["no/such/app.log", "later/in.log", "also/a.log", "pat/p.log"]
            .iter()
            .for_each(|file| shelf.write(file));
        assert!(shelf.later(RESCAN));
        assert!(matches!(shelf.log("app.log").state(), LogState::Ok { size: 4, .. }));
        for name in ["in.log", "a.log", "p.log"] {
            let log = shelf.log(name);
            let mut text = String::new();
            fs::File::from(log.root.open_file(&log.rel).unwrap()).read_to_string(&mut text).unwrap();
            assert_eq!(text, "text", "{name}");
        }
    }

    #[test]
    fn a_name_that_is_not_utf8_is_shown_lossily_and_opened_exactly() {
        let shelf_file = Path::new(OsStr::from_bytes(b"caf\xe9.log"));
        let mut shelf = Shelf::with(&[]);
        shelf.write(shelf_file);
        shelf.write("line\nbreak.log");
        shelf.open(&["@/"]).unwrap();
        assert_eq!(shelf.names(), ["caf\u{fffd}.log", "line\u{fffd}break.log"]);
        let log = shelf.log("caf\u{fffd}.log");
        assert_eq!(log.rel, shelf_file);
        assert!(log.root.open_file(&log.rel).is_ok());
    }

    #[test]
    fn standard_input_is_a_log_in_its_spool() {
        let mut shelf = Shelf::opened(&["spool/stdin.log"], &["-"]);
        let log = shelf.log("stdin");
        assert_eq!(log.kind, LogKind::Stdin);
        assert!(matches!(log.state(), LogState::Ok { size: 4, .. }));
        assert_eq!(Shelf::opened(&[], &["build=-"]).names(), ["build"]);
    }
}
