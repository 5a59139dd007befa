//! What a folder or a pattern finds, slice by slice.
//!
//! Reads folders beneath a root, a bounded number of entries in all and a few of them at a time, so that whoever has other
//! things to do can do them in between. Knows nothing of earlier looks, nor of names.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::rotated;
use super::source::Step;
use crate::tail::beneath::{Entry, Kind, Lister, OpenError, Root, Stamp};

/// How many entries of folders one scan looks at. Ten thousand logs are well below; a pattern that began at
/// `/` by mistake ends there.
pub(super) const ENTRIES: usize = 50_000;

/// How many folders deep `**` goes.
pub(super) const DEPTH: usize = 16;

/// How many entries are looked at in one slice; for each of them that is a link the system is asked as well.
const SLICE: usize = 128;

/// As a shell reads patterns: case matters, and hidden files are found only by patterns that begin with a dot.
const LIKE_A_SHELL: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Files by their paths beneath the root, with the number of each, as the folder or, behind a link, the file itself told
/// it. None if it will not be opened.
// Not PathBuf, which is compared part by part.
pub(super) type Files = BTreeMap<OsString, Option<u64>>;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// The files, without those that are compressed: their bytes are no text.
    pub(super) files: Files,
    /// Why there may be more than that: then nothing follows from a file's absence.
    pub(super) cut_short: Option<CutShort>,
    /// The folders that were looked into, and how they were then; none for one that was not there.
    pub(super) folders: Vec<(PathBuf, Option<Stamp>)>,
    /// What stands where a link is, or something of which the folder does not say what it is: it may change and the folder
    /// does not.
    pub(super) links: Vec<(PathBuf, Behind)>,
}

/// Why a scan does not tell everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CutShort {
    /// There are more than [`ENTRIES`] entries.
    TooMany,
    /// A folder could not be read.
    Unreadable,
}

/// What stands behind a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    /// A file that can be asked for; its number.
    File(u64),
    /// A file outside, which is listed and refused, with the reason, rather than silently left out.
    Outside,
    /// No file.
    Nothing,
}

impl Behind {
    /// Looks at `rel`.
    pub(super) fn at(root: &Root, rel: &Path) -> Self {
        match root.stat(rel) {
            Ok(stat) => Self::File(stat.inode),
            Err(OpenError::LeadsOut) if root.path().join(rel).is_file() => Self::Outside,
            Err(_) => Self::Nothing,
        }
    }
}

/// What a scan is for: the same from its first slice to its last.
#[derive(Clone, Copy)]
struct Sought<'a> {
    root: &'a Root,
    steps: &'a [Step],
}

/// A scan under way.
#[derive(Debug)]
pub(super) struct Walk {
    /// What is left to do; the last one first.
    tasks: Vec<Task>,
    left: usize,
    scan: Scan,
}

#[derive(Debug)]
enum Task {
    /// To look in a folder for what the steps from this one on say.
    Enter { folder: PathBuf, step: usize, depth: usize },
    /// To go through the entries of a folder.
    List(Box<Listed>),
}

#[derive(Debug)]
struct Listed {
    lister: Lister,
    folder: PathBuf,
    depth: usize,
    /// The step that each entry's name is held against.
    by_name: Option<usize>,
    /// The step `**` that goes on in each folder in this one.
    deeper: Option<usize>,
}

impl Walk {
    /// Begins a scan that looks at no more than `limit` entries.
    pub(super) fn new(limit: usize) -> Self {
        let first = Task::Enter { folder: PathBuf::new(), step: 0, depth: 0 };
        Self { tasks: vec![first], left: limit, scan: Scan::default() }
    }

    /// One slice of the scan for the files beneath `root` that match `steps`, which are the same at each call. The whole
    /// scan once it is done.
    pub(super) fn work(&mut self, root: &Root, steps: &[Step]) -> Option<Scan> {
        let sought = Sought { root, steps };
        match self.tasks.pop() {
            Some(Task::Enter { folder, step, depth }) => self.enter(sought, folder, step, depth),
            Some(Task::List(mut listed)) => {
                if self.list(sought, &mut listed) {
                    self.tasks.push(Task::List(listed));
                }
            }
            None => return Some(std::mem::take(&mut self.scan)),
        }
        None
    }

    fn enter(&mut self, sought: Sought<'_>, folder: PathBuf, step: usize, depth: usize) {
        let Sought { root, steps } = sought;
        let (by_name, deeper) = match steps.get(step) {
            None => return,
            Some(Step::Literal(name)) => {
                return self.arrive(sought, folder.join(name), (Kind::Unknown, None), step + 1, depth);
            }
            Some(Step::Match(_)) => (Some(step), None),
            Some(Step::AnyDepth) => {
                let by_name = matches!(steps.get(step + 1), Some(Step::Match(_))).then_some(step + 1);
                if by_name.is_none() {
                    self.tasks.push(Task::Enter { folder: folder.clone(), step: step + 1, depth });
                }
                (by_name, (depth < DEPTH).then_some(step))
            }
        };
        // Each folder counts as an entry, too, so that empty ones do not come free.
        if self.left == 0 {
            self.scan.cut_short = Some(CutShort::TooMany);
            return;
        }
        self.left -= 1;
        let lister = root.lister(&folder);
        let stamp = lister.as_ref().ok().map(Lister::stamp);
        self.scan.folders.push((folder.clone(), stamp));
        match lister {
            Ok(lister) => {
                self.tasks.push(Task::List(Box::new(Listed { lister, folder, depth, by_name, deeper })));
            }
            Err(why) => self.cannot_list(&why),
        }
    }

    /// The next entries of a folder; true if there are more.
    fn list(&mut self, sought: Sought<'_>, listed: &mut Listed) -> bool {
        let Listed { lister, folder, depth, by_name, deeper } = listed;
        // One more than there may be tells that there are too many.
        let part = match lister.next_part(SLICE.min(self.left + 1)) {
            Ok(part) => part,
            Err(why) => {
                self.cannot_list(&why);
                return false;
            }
        };
        if part.len() > self.left {
            self.scan.cut_short = Some(CutShort::TooMany);
        }
        let pattern = by_name.and_then(|step| match &sought.steps[step] {
            Step::Match(pattern) => Some((step, pattern)),
            Step::Literal(_) | Step::AnyDepth => None,
        });
        let more = !part.is_empty() && part.len() <= self.left;
        for Entry { name, kind, inode } in part.into_iter().take(self.left) {
            self.left -= 1;
            if let Some((step, pattern)) = pattern
                && matches(pattern, &name)
            {
                self.arrive(sought, folder.join(&name), (kind, Some(inode)), step + 1, *depth);
            }
            // No links: they may lead in circles.
            let is_folder = matches!(kind, Kind::Folder | Kind::Unknown);
            if let Some(step) = *deeper
                && is_folder
                && !name.as_encoded_bytes().starts_with(b".")
            {
                self.tasks.push(Task::Enter { folder: folder.join(name), step, depth: *depth + 1 });
            }
        }
        more
    }

    /// At something that matches so far: goes on below it, or keeps it if it is a file and nothing more is
    /// asked for.
    fn arrive(
        &mut self,
        Sought { root, steps }: Sought<'_>,
        rel: PathBuf,
        (kind, inode): (Kind, Option<u64>),
        step: usize,
        depth: usize,
    ) {
        if step < steps.len() {
            if matches!(kind, Kind::Folder | Kind::Link | Kind::Unknown) {
                self.tasks.push(Task::Enter { folder: rel, step, depth });
            }
            return;
        }
        if rotated::is_compressed(&rel.to_string_lossy()) {
            return;
        }
        let inode = match kind {
            Kind::File => inode,
            Kind::Link | Kind::Unknown => {
                let behind = Behind::at(root, &rel);
                self.scan.links.push((rel.clone(), behind));
                match behind {
                    Behind::File(inode) => Some(inode),
                    Behind::Outside => None,
                    Behind::Nothing => return,
                }
            }
            Kind::Folder | Kind::Fifo | Kind::Socket | Kind::Device => return,
        };
        self.scan.files.insert(rel.into_os_string(), inode);
    }

    fn cannot_list(&mut self, why: &OpenError) {
        match why {
            // Not there, or not a folder: nothing to find, and that is known for certain.
            OpenError::Missing | OpenError::LeadsOut | OpenError::NotRegular(_) => {}
            OpenError::Denied | OpenError::Io(_) | OpenError::Packed | OpenError::Crowded => {
                self.scan.cut_short.get_or_insert(CutShort::Unreadable);
            }
        }
    }
}

/// Whether a scan for `steps` could find a file at `rel`, as far as names tell: how deep it goes, and how many entries it
/// looks at, does not matter.
// O(steps * parts of the path).
pub(super) fn may_find(steps: &[Step], rel: &Path) -> bool {
    // The steps that the next part of the path may be held against.
    let mut open = vec![false; steps.len() + 1];
    open[0] = true;
    for part in rel {
        let mut next = vec![false; steps.len() + 1];
        for (at, step) in steps.iter().enumerate() {
            match step {
                _ if !open[at] => {}
                Step::Literal(name) => next[at + 1] |= name == part,
                Step::Match(pattern) => next[at + 1] |= matches(pattern, part),
                Step::AnyDepth => {
                    open[at + 1] = true;
                    next[at] = !part.as_encoded_bytes().starts_with(b".");
                }
            }
        }
        open = next;
    }
    open[steps.len()]
}

fn matches(pattern: &Pattern, name: &OsStr) -> bool {
    pattern.matches_with(&name.to_string_lossy(), LIKE_A_SHELL)
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
        let (root, mut walk) = (Root::wait_for(&Disk::default(), &root), Walk::new(limit));
        std::iter::repeat_with(|| walk.work(&root, &steps)).flatten().next().unwrap()
    }

    fn finds(folder: &TempDir, pattern: &str) -> Vec<String> {
        let scan = scan_for(folder, pattern, ENTRIES);
        assert_eq!(scan.cut_short, None);
        scan.files.keys().map(|rel| rel.to_str().unwrap().to_owned()).collect()
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
    fn what_may_be_found_is_what_is_found_where_everything_is_seen() {
        let files = [
            "a.log",
            "b.log",
            ".hidden.log",
            "c.txt",
            "web/a.log",
            "web/eu/a.log",
            "web/eu/web/a.log",
            "web/.cache/a.log",
            "db/x.log",
            ".git/a.log",
        ];
        let folder = folder_with(&files);
        for pattern in [
            "*",
            "*.log",
            "[!a].log",
            ".*.log",
            "*/a.log",
            "*/*",
            "*/eu/*.log",
            "nothing*",
            "**",
            "**/*.log",
            "**/web/**/a.log",
            "**/w*/**/a.log",
            "web/**/eu/*",
            "**/.cache/*",
            "w?b/eu/**",
        ] {
            let given = folder.path().join(pattern);
            let Place::Glob(root, steps) = Source::parse(given.to_str().unwrap()).unwrap().place else {
                panic!("{pattern} is a pattern");
            };
            let paths = files.iter().map(|file| folder.path().join(file));
            let may = |path: &PathBuf| path.strip_prefix(&root).is_ok_and(|rel| may_find(&steps, rel));
            let mut expected: Vec<PathBuf> = paths.filter(may).collect();
            expected.sort_unstable();
            let scan = scan_for(&folder, pattern, ENTRIES);
            let mut found: Vec<PathBuf> = scan.files.keys().map(|rel| root.join(rel)).collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{pattern}");
        }
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
