//! What a source that redacts nothing must not show, as another one redacts it.
//!
//! The same file may be found by two paths: through a link, or as one of two names that it has. So what is compared is
//! the file itself, its device and its number. To ask for these costs a call for each file; but a folder tells the
//! numbers with the names, and only where two of those agree is anybody asked.
//!
//! A path once withheld stays so as long as it is found: when the log behind it is rotated, the file that the path still
//! leads to is a part of that log's past, though no source finds it by another path any more.
//!
//! Does not see what happens between two looks, nor what a file system hides: where a folder tells other numbers than its
//! files (a file mounted into it, some overlays), only the paths are compared.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::rotated;
use super::watch::{Sighting, Watch};
use crate::tail::Lens;

/// Paths that sources without redaction have found, and what is behind them is redacted by another.
#[derive(Debug, Default)]
pub(super) struct Withheld(HashSet<PathBuf>);

impl Withheld {
    /// Compares what the sources have found. True if that comes to something else than before.
    ///
    /// Where some redact and others do not: one `stat` for each file that was named outright, and two for each pair of
    /// equal numbers.
    pub(super) fn look(&mut self, watches: &[Watch]) -> bool {
        let (redacting, open): (Vec<&Watch>, Vec<&Watch>) =
            watches.iter().partition(|watch| watch.lens().redacts());
        if redacting.is_empty() || open.is_empty() {
            return false;
        }
        let redacted = Redacted::new(redacting.into_iter().flat_map(Watch::sightings).collect());
        let open = open.into_iter().flat_map(Watch::sightings);
        let before = std::mem::take(&mut self.0);
        let withheld = open.filter(|found| before.contains(&found.path) || redacted.has(found));
        self.0 = withheld.map(|found| found.path).collect();
        self.0 != before
    }

    /// Must what is at `path` not be shown through `lens`?
    pub(super) fn concerns(&self, path: &Path, lens: &Lens) -> bool {
        !lens.redacts() && self.0.contains(path)
    }
}

/// What is redacted, by what is compared.
struct Redacted {
    paths: HashSet<PathBuf>,
    by_inode: HashMap<u64, Vec<Sighting>>,
}

impl Redacted {
    fn new(sightings: Vec<Sighting>) -> Self {
        let paths = sightings.iter().map(|sighting| sighting.path.clone()).collect();
        let mut by_inode: HashMap<u64, Vec<Sighting>> = HashMap::new();
        for sighting in sightings {
            if let Some(inode) = inode_of(&sighting) {
                by_inode.entry(inode).or_default().push(sighting);
            }
        }
        Self { paths, by_inode }
    }

    fn has(&self, found: &Sighting) -> bool {
        let name = found.path.file_name().unwrap_or_default().to_string_lossy();
        let is_redacted = |base: &String| self.paths.contains(&found.path.with_file_name(base));
        self.paths.contains(&found.path)
            || rotated::bases(&name).iter().any(is_redacted)
            || inode_of(found)
                .and_then(|inode| self.by_inode.get(&inode))
                .is_some_and(|redacted| redacted.iter().any(|redacted| may_be_same(found, redacted)))
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
    use std::time::Instant;

    use super::super::tests::{let_time_pass, look};
    use super::super::{Catalogue, RESCAN, Source};
    use crate::tail::Lens;
    use crate::tail::cursor::Seal;
    use crate::tail::disk::Disk;

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
