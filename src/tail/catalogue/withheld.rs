//! What a source that redacts nothing must not show, as another one redacts it, or would.
//!
//! ```text
//!   by name   what a masking source is made for, whether it could list it or not
//!             and whatever lies beside such a log: app.log.1, app.log.save, app-20261120.log
//!   by file   what a masking source has found, by another path: through a link, or as another name of it
//! ```
//!
//! By name, nothing depends on what a look has seen: neither a folder that could not be read nor a log that has been gone
//! for long makes anything appear. Paths are compared as they were given, and with all links followed.
//!
//! By file, the device and the number are compared. To ask for these costs a call for each file; but a folder tells the
//! numbers with the names, and only where two of those agree is anybody asked. A path once withheld stays so as long as it
//! is found: when the log behind it is rotated, the file that the path still leads to is a part of that log's past, though
//! no source finds it by another path any more.
//!
//! Does not see what happens between two looks, nor what a file system hides: where a folder tells other numbers than its
//! files (a file mounted into it, some overlays), only the paths are compared. Nor can it know that a file is another name
//! of one in a folder that a masking source could not read.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::places;
use super::watch::{Sighting, Watch};
use crate::tail::{Lens, siblings};

/// What is redacted, and what therefore is not shown as it is.
#[derive(Debug, Default)]
pub(super) struct Withheld {
    /// The files that masking sources were named.
    files: HashSet<PathBuf>,
    /// Those of the sources that mask what they find in folders.
    finders: Vec<usize>,
    /// Paths that sources without redaction have found, and the file behind them is one that another has found.
    same: HashSet<PathBuf>,
}

/// Why a file is not listed by a source that finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withholding {
    /// Another source masks it, or would if it could see it.
    Masked,
    /// By its name, it may hold a part of a log that another source masks.
    Beside,
    /// It is the same file as one that another source masks.
    SameFile,
}

impl fmt::Display for Withholding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Masked => "not shown as it is: another source masks it",
            Self::Beside => "not shown: it may be a part of a log that is masked, so mask it as well",
            Self::SameFile => "not shown as it is: it is the same file as one that is masked",
        })
    }
}

impl Withheld {
    /// Compares what the sources have found. True if that comes to something else than before.
    ///
    /// Where some redact and others do not: one `stat` for each file that was named outright, and two for each pair of
    /// equal numbers.
    pub(super) fn look(&mut self, watches: &[Watch]) -> bool {
        let masks = |watch: &Watch| watch.lens().redacts();
        let (masking, open): (Vec<&Watch>, Vec<&Watch>) = watches.iter().partition(|watch| masks(watch));
        if masking.is_empty() || open.is_empty() {
            return false;
        }
        self.files = masking.iter().filter_map(|watch| watch.files()).flatten().collect();
        self.finders =
            (0..watches.len()).filter(|&at| masks(&watches[at]) && watches[at].files().is_none()).collect();
        let redacted = Redacted::new(masking.into_iter().flat_map(Watch::sightings).collect());
        let open = open.into_iter().flat_map(Watch::sightings);
        let before = std::mem::take(&mut self.same);
        let withheld = open.filter(|found| before.contains(&found.path) || redacted.has(found));
        self.same = withheld.map(|found| found.path).collect();
        self.same != before
    }

    /// Whether what is at `path` must not be shown through `lens`, and why.
    // Asks the system where the path leads.
    pub(super) fn concerns(&self, path: &Path, lens: &Lens, watches: &[Watch]) -> Option<Withholding> {
        // What has no absolute path is standard input.
        if lens.redacts() || self.files.is_empty() && self.finders.is_empty() || !path.is_absolute() {
            return None;
        }
        if self.same.contains(path) {
            return Some(Withholding::SameFile);
        }
        let paths = [Some(path.to_owned()), real(path).filter(|real| real != path)];
        let found = paths.iter().flatten().filter_map(|path| self.by_name(path, watches));
        found.min_by_key(|why| *why == Withholding::Beside)
    }

    fn by_name(&self, path: &Path, watches: &[Watch]) -> Option<Withholding> {
        let masked = |path: &Path| {
            self.files.contains(path) || self.finders.iter().any(|&at| watches[at].would_find(path))
        };
        if masked(path) {
            return Some(Withholding::Masked);
        }
        let owners = siblings::owners(path.file_name()?).into_iter().map(|own| path.with_file_name(own));
        owners.chain(places::bases(path)).any(|own| masked(&own)).then_some(Withholding::Beside)
    }
}

/// The path with all links followed; of a file that is not there, its folder's.
fn real(path: &Path) -> Option<PathBuf> {
    let of_folder = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(of_folder)
}

/// The files that are redacted, by what is compared.
struct Redacted(HashMap<u64, Vec<Sighting>>);

impl Redacted {
    fn new(sightings: Vec<Sighting>) -> Self {
        let mut by_inode: HashMap<u64, Vec<Sighting>> = HashMap::new();
        for sighting in sightings {
            if let Some(inode) = inode_of(&sighting) {
                by_inode.entry(inode).or_default().push(sighting);
            }
        }
        Self(by_inode)
    }

    fn has(&self, found: &Sighting) -> bool {
        // Of what both have found by the same path, the path is enough.
        let other = |redacted: &&Sighting| redacted.path != found.path;
        inode_of(found).and_then(|inode| self.0.get(&inode)).is_some_and(|redacted| {
            redacted.iter().filter(other).any(|redacted| may_be_same(found, redacted))
        })
    }
}

/// The number of the file, for which it is asked if it was named outright; none if there is no file.
fn inode_of(sighting: &Sighting) -> Option<u64> {
    sighting.inode.or_else(|| Some(sighting.root.stat(&sighting.rel).ok()?.inode))
}

/// Two files of one number are one if they are on one device. What cannot be told apart is taken for one.
fn may_be_same(a: &Sighting, b: &Sighting) -> bool {
    match (a.root.stat(&a.rel), b.root.stat(&b.rel)) {
        (Ok(a), Ok(b)) => (a.device, a.inode) == (b.device, b.inode),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::time::Instant;

    use super::super::tests::{let_time_pass, look};
    use super::super::{Catalogue, GRACE, RESCAN, Source, Withholding};
    use crate::tail::Lens;
    use crate::tail::cursor::Seal;
    use crate::tail::disk::{Disk, Fault, Faults};

    /// A folder with a redacted `secret.log`, and a catalogue of it and of other sources.
    struct Shelf {
        folder: tempfile::TempDir,
        now: Instant,
    }

    impl Shelf {
        fn new() -> Self {
            let shelf = Self { folder: tempfile::tempdir().unwrap(), now: Instant::now() };
            fs::create_dir(shelf.path("open")).unwrap();
            fs::write(shelf.path("secret.log"), "secret\n").unwrap();
            fs::write(shelf.path("open/other.log"), "text\n").unwrap();
            shelf
        }

        fn path(&self, rel: &str) -> PathBuf {
            self.folder.path().join(rel)
        }

        fn catalogue(&self, open: &[&str]) -> Catalogue {
            let lens = Lens::new(None, &["secret".to_owned()], Seal::of(b"test")).unwrap();
            let source = |rel: &&str| Source::of_path(self.path(rel).to_str().unwrap()).unwrap();
            let redacted = source(&"secret.log").with(None, None, Rc::new(lens)).unwrap();
            let sources = open.iter().map(source).chain([redacted]).collect();
            Catalogue::new(Disk::default(), sources, None, self.now).unwrap()
        }

        fn later(&mut self, catalogue: &mut Catalogue) {
            let_time_pass(self.folder.path());
            self.now += RESCAN;
            look(catalogue, self.now);
        }
    }

    fn names(catalogue: &Catalogue) -> Vec<(&str, bool)> {
        catalogue.logs().map(|log| (log.name.as_str(), log.lens.redacts())).collect()
    }

    #[test]
    fn a_link_to_a_redacted_file_is_not_listed_of_whatever_kind_and_however_named() {
        let shelf = Shelf::new();
        fs::hard_link(shelf.path("secret.log"), shelf.path("open/hard.log")).unwrap();
        // Those that lead out of their folder are followed only where they are named.
        symlink("../secret.log", shelf.path("open/soft.log")).unwrap();
        symlink("secret.log", shelf.path("current.log")).unwrap();
        let only = [("other.log", false), ("secret.log", true)];
        for open in [
            &["open"][..],
            &["open/*.log"],
            &["open/other.log", "open/hard.log", "open/soft.log", "current.log"],
            &["open/other.log", "c*.log"],
            &["open/other.log", "secret.log"],
        ] {
            let catalogue = shelf.catalogue(open);
            let mut shown = names(&catalogue);
            // A link that leads out is listed, and refused.
            shown.retain(|&(name, _)| {
                name != "soft.log"
                    || catalogue.find(name).is_some_and(|log| log.root.open_file(&log.rel).is_ok())
            });
            assert_eq!(shown, only, "{open:?}");
        }
    }

    #[test]
    fn a_path_stays_withheld_when_the_log_is_rotated_and_a_part_of_it_is_not_shown_by_name() {
        let mut shelf = Shelf::new();
        fs::hard_link(shelf.path("secret.log"), shelf.path("open/hard.log")).unwrap();
        let mut catalogue = shelf.catalogue(&["open", "secret.log.1"]);
        fs::rename(shelf.path("secret.log"), shelf.path("secret.log.1")).unwrap();
        fs::write(shelf.path("secret.log"), "secret\n").unwrap();
        for _ in 0..3 {
            shelf.later(&mut catalogue);
            assert_eq!(names(&catalogue), [("other.log", false), ("secret.log", true)]);
        }
        // Another file of that name is another file, once there was none.
        fs::remove_file(shelf.path("open/hard.log")).unwrap();
        shelf.later(&mut catalogue);
        fs::write(shelf.path("open/hard.log"), "text\n").unwrap();
        shelf.later(&mut catalogue);
        assert_eq!(names(&catalogue), [("hard.log", false), ("other.log", false), ("secret.log", true)]);
    }

    #[test]
    fn whatever_lies_beside_a_masked_log_is_not_shown_however_long_that_is_gone() {
        let mut shelf = Shelf::new();
        let beside =
            ["secret.log.1", "secret.log.save", "secret-20261120.log", "secret-1.log", "secret.log_x"];
        for name in beside.iter().chain(&["secrets.log", "my-secret.log"]) {
            fs::write(shelf.path(name), "text\n").unwrap();
        }
        let mut catalogue = shelf.catalogue(&["*"]);
        let shown = [("my-secret.log", false), ("secrets.log", false), ("secret.log", true)];
        assert_eq!(names(&catalogue), shown);
        let said: Vec<_> = catalogue.withheld().into_iter().collect();
        assert!(
            said.len() == 6 && said.contains(&(shelf.path("secret.log"), Withholding::Masked)),
            "{said:?}"
        );
        assert!(said.contains(&(shelf.path("secret.log.save"), Withholding::Beside)), "{said:?}");
        // Gone for long, and rotated on in the meantime.
        fs::remove_file(shelf.path("secret.log")).unwrap();
        shelf.later(&mut catalogue);
        shelf.now += 2 * GRACE;
        fs::rename(shelf.path("secret.log.1"), shelf.path("secret.log.2")).unwrap();
        shelf.later(&mut catalogue);
        assert_eq!(names(&catalogue), shown);
    }

    #[test]
    fn what_a_masking_source_cannot_list_is_not_shown_by_another_that_names_it() {
        let shelf = Shelf::new();
        let seal = Seal::of(b"test");
        let catalogue = |masking: &str, open: &str, faults: Option<&Arc<Faults>>| {
            let lens = Rc::new(Lens::new(None, &["secret".to_owned()], seal).unwrap());
            let source = |rel: &str| Source::of_path(shelf.path(rel).to_str().unwrap()).unwrap();
            let masking = source(masking).with(None, None, lens).unwrap();
            let disk = faults.map_or(Disk::default(), Disk::with);
            Catalogue::new(disk, vec![masking, source(open)], None, shelf.now).unwrap()
        };
        symlink("open", shelf.path("also")).unwrap();
        symlink("other.log", shelf.path("open/current")).unwrap();
        for masking in ["open", "open/*.log", "open/**", "also/*.log"] {
            for open in ["open/other.log", "also/other.log", "also/o*", "open/current"] {
                let seen = catalogue(masking, open, None);
                assert!(seen.logs().all(|log| log.lens.redacts()), "{masking}, {open}: {:?}", names(&seen));
                let faults = Faults::below(shelf.folder.path());
                faults.begin(Fault::Broken, 1, u64::MAX);
                let unseen = catalogue(masking, open, Some(&faults));
                assert!(faults.met() > 0, "the folder could not be listed");
                assert!(
                    unseen.logs().all(|log| log.lens.redacts()),
                    "{masking}, {open}: {:?}",
                    names(&unseen)
                );
            }
        }
    }

    #[test]
    fn a_log_that_becomes_a_link_to_a_redacted_file_leaves_the_list_at_the_next_look() {
        let mut shelf = Shelf::new();
        for open in ["open", "open/*.log", "open/other.log"] {
            fs::write(shelf.path("open/new"), "text\n").unwrap();
            fs::rename(shelf.path("open/new"), shelf.path("open/other.log")).unwrap();
            let mut catalogue = shelf.catalogue(&[open]);
            assert_eq!(names(&catalogue), [("other.log", false), ("secret.log", true)]);
            fs::hard_link(shelf.path("secret.log"), shelf.path("open/new")).unwrap();
            fs::rename(shelf.path("open/new"), shelf.path("open/other.log")).unwrap();
            shelf.later(&mut catalogue);
            assert_eq!(names(&catalogue), [("secret.log", true)], "{open}");
        }
    }
}
