//! What a folder or a pattern finds at this moment.
//!
//! Reads folders beneath a root, a bounded number of entries. Knows nothing of earlier looks, nor of names.

use std::path::{Path, PathBuf};

use glob::MatchOptions;

use super::source::Step;
use crate::tail::beneath::{Entry, Kind, OpenError, Root};

/// How many entries of folders one scan looks at. Ten thousand logs are well below; a pattern that began at
/// `/` by mistake ends there after some tens of milliseconds.
pub(super) const ENTRIES: usize = 50_000;

/// How many folders deep `**` goes.
const DEPTH: usize = 16;

/// As a shell reads patterns: case matters, and hidden files are found only by patterns that begin with a dot.
const LIKE_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// By their paths, each once.
    pub(super) files: Vec<Seen>,
    /// Why there may be more than that: then nothing follows from a file's absence.
    pub(super) cut_short: Option<CutShort>,
}

/// A file that was found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    /// Its path beneath the root.
    pub(super) rel: PathBuf,
    /// Its number, as the folder or, behind a link, the file itself told it. None if it will not be opened.
    pub(super) inode: Option<u64>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum CutShort {
    /// There are more than [`ENTRIES`] entries.
    TooMany,
    /// A folder could not be read.
    Unreadable,
}

/// Finds the files beneath `root` that match `steps`, looking at no more than `limit` entries.
pub(super) fn scan(root: &Root, steps: &[Step], limit: usize) -> Scan {
    let mut walk = Walk { root, left: limit, scan: Scan::default() };
    walk.descend(Path::new(""), steps, 0);
    walk.scan.files.sort_unstable();
    // Two `**` in one pattern may lead to the same file in two ways.
    walk.scan.files.dedup_by(|a, b| a.rel == b.rel);
    walk.scan
}

struct Walk<'r> {
    root: &'r Root,
    left: usize,
    scan: Scan,
}

impl Walk<'_> {
    fn descend(&mut self, folder: &Path, steps: &[Step], depth: usize) {
        let Some((step, rest)) = steps.split_first() else {
            return;
        };
        match step {
            Step::Literal(name) => self.arrive(folder.join(name), Kind::Unknown, None, rest, depth),
            Step::Match(pattern) => {
                for Entry { name, kind, inode } in self.list(folder) {
                    if pattern.matches_with(&name.to_string_lossy(), LIKE_A_SHELL) {
                        self.arrive(folder.join(name), kind, Some(inode), rest, depth);
                    }
                }
            }
            Step::AnyDepth => {
                self.descend(folder, rest, depth);
                if depth == DEPTH {
                    return;
                }
                for Entry { name, kind, .. } in self.list(folder) {
                    // No links: they may lead in circles.
                    let is_folder = matches!(kind, Kind::Folder | Kind::Unknown);
                    if is_folder && !name.as_encoded_bytes().starts_with(b".") {
                        self.descend(&folder.join(name), steps, depth + 1);
                    }
                }
            }
        }
    }

    /// At something that matches so far: goes on below it, or keeps it if it is a file and nothing more is
    /// asked for.
    fn arrive(&mut self, rel: PathBuf, kind: Kind, inode: Option<u64>, rest: &[Step], depth: usize) {
        if !rest.is_empty() {
            if matches!(kind, Kind::Folder | Kind::Link | Kind::Unknown) {
                self.descend(&rel, rest, depth);
            }
            return;
        }
        let inode = match kind {
            Kind::File => inode,
            Kind::Link | Kind::Unknown => match self.root.stat(&rel) {
                Ok(stat) => Some(stat.inode),
                // Listed and refused later, with the reason, rather than silently left out.
                Err(OpenError::LeadsOut) if self.root.path().join(&rel).is_file() => None,
                Err(_) => return,
            },
            Kind::Folder | Kind::Fifo | Kind::Socket | Kind::Device => return,
        };
        self.scan.files.push(Seen { rel, inode });
    }

    fn list(&mut self, folder: &Path) -> Vec<Entry> {
        // Each folder counts as an entry, too, so that empty ones do not come free.
        if self.left == 0 {
            self.scan.cut_short = Some(CutShort::TooMany);
            return Vec::new();
        }
        match self.root.list(folder, self.left - 1) {
            Ok(listing) => {
                self.left -= 1 + listing.entries.len();
                if !listing.complete {
                    self.scan.cut_short = Some(CutShort::TooMany);
                }
                listing.entries
            }
            // Not there, or not a folder: nothing to find, and that is known for certain.
            Err(OpenError::Missing | OpenError::LeadsOut | OpenError::NotRegular(_)) => Vec::new(),
            Err(OpenError::Denied | OpenError::Io(_) | OpenError::Packed) => {
                self.left -= 1;
                self.scan.cut_short.get_or_insert(CutShort::Unreadable);
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::{Place, Source};
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    use crate::tail::disk::Disk;

    use tempfile::TempDir;

    fn folder_with(files: &[&str]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    fn scan_for(folder: &TempDir, pattern: &str, limit: usize) -> Scan {
        let pattern = folder.path().join(pattern);
        let Place::Glob(root, steps) = Source::parse(pattern.to_str().unwrap()).unwrap().place else {
            panic!("{} is a pattern", pattern.display());
        };
        scan(&Root::wait_for(&Disk::default(), &root), &steps, limit)
    }

    fn finds(folder: &TempDir, pattern: &str) -> Vec<String> {
        let scan = scan_for(folder, pattern, ENTRIES);
        assert_eq!(scan.cut_short, None);
        scan.files.iter().map(|seen| seen.rel.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn patterns_find_what_a_shell_would_find() {
        let folder =
            folder_with(&["a.log", "b.log", ".hidden.log", "c.txt", "web/a.log", "web/eu/a.log", "db/x.log"]);
        assert_eq!(finds(&folder, "*.log"), ["a.log", "b.log"]);
        assert_eq!(finds(&folder, "[!a].log"), ["b.log"]);
        assert_eq!(finds(&folder, ".*.log"), [".hidden.log"]);
        assert_eq!(finds(&folder, "*/a.log"), ["web/a.log"]);
        assert_eq!(finds(&folder, "*/*.log"), ["db/x.log", "web/a.log"]);
        assert_eq!(finds(&folder, "*/eu/*.log"), ["web/eu/a.log"]);
        assert_eq!(finds(&folder, "nothing*"), [""; 0]);
        assert_eq!(finds(&folder, "nowhere/*.log"), [""; 0]);
    }

    #[test]
    fn two_stars_find_files_at_any_depth_once() {
        let folder = folder_with(&["a.log", "web/a.log", "web/eu/web/a.log", "web/.cache/a.log"]);
        assert_eq!(finds(&folder, "**/*.log"), ["a.log", "web/a.log", "web/eu/web/a.log"]);
        assert_eq!(finds(&folder, "**"), ["a.log", "web/a.log", "web/eu/web/a.log"]);
        assert_eq!(finds(&folder, "**/web/**/a.log"), ["web/a.log", "web/eu/web/a.log"]);
        // Below `web` in two ways, yet found once.
        assert_eq!(finds(&folder, "**/w*/**/a.log"), ["web/a.log", "web/eu/web/a.log"]);
    }

    #[test]
    fn links_are_found_by_what_is_behind_them_and_lead_into_no_circle() {
        let outside = folder_with(&["secret"]);
        let folder = folder_with(&["app-1.log", "sub/x.log"]);
        symlink("app-1.log", folder.path().join("current.log")).unwrap();
        symlink("nowhere", folder.path().join("dangling.log")).unwrap();
        symlink("sub", folder.path().join("folder.log")).unwrap();
        symlink("..", folder.path().join("sub/up")).unwrap();
        symlink(outside.path().join("secret"), folder.path().join("out.log")).unwrap();
        // `out.log` is in the list: whoever opens it is told why that is refused.
        assert_eq!(finds(&folder, "*.log"), ["app-1.log", "current.log", "out.log"]);
        assert_eq!(finds(&folder, "**/*.log"), ["app-1.log", "current.log", "out.log", "sub/x.log"]);
        assert_eq!(finds(&folder, "fold*/*.log"), ["folder.log/x.log"]);
    }

    #[test]
    fn a_scan_looks_at_no_more_entries_than_it_may() {
        let folder = folder_with(&["a/1", "a/2", "b/1", "b/2"]);
        let scan = scan_for(&folder, "*/*", 6);
        assert_eq!(scan.cut_short, Some(CutShort::TooMany));
        assert!(scan.files.len() < 4);
        assert_eq!(scan_for(&folder, "*/*", 9).files.len(), 4, "three folders with six entries");
    }
}
