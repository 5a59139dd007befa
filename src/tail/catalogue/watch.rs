//! One source, looked at again and again.
//!
//! Knows where a source points and what lies there now; what was there before, and what it is called in the
//! end, is the catalogue's.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ffi::OsString;
use std::mem::replace;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use log::warn;

use super::entry::LogKind;
use super::names::{Wish, parts};
use super::scan::{self, Behind, CutShort, ENTRIES, Files, Scan, Walk};
use super::source::{Place, Source, Step};
use crate::tail::Lens;
use crate::tail::beneath::{Kind, OpenError, Root};
use crate::tail::disk::Disk;

/// How many questions a slice of a look asks the system.
const QUESTIONS: usize = 64;

/// So many looks in a row trust the times of folders; then all is looked at again, for file systems that keep none.
const LOOKS_WITHOUT_SCAN: u32 = 30;

/// The folders that the sources point into, each opened once: a thousand files of one folder need one
/// descriptor.
#[derive(Clone, Debug, Default)]
pub(super) struct Roots {
    disk: Disk,
    opened: HashMap<PathBuf, Rc<Root>>,
}

impl Roots {
    /// None yet; they will be on this disk.
    pub(super) fn on(disk: Disk) -> Self {
        Self { disk, opened: HashMap::new() }
    }

    /// Lets go of folders that nobody uses.
    pub(super) fn keep_used(&mut self) {
        self.opened.retain(|_, root| Rc::strong_count(root) > 1);
    }

    fn at(&mut self, folder: &Path) -> Rc<Root> {
        let open = || Rc::new(Root::wait_for(&self.disk, folder));
        Rc::clone(self.opened.entry(folder.to_owned()).or_insert_with(open))
    }

    /// Finds folders that have come, or come anew.
    pub(super) fn look_again(&self) {
        for root in self.opened.values() {
            root.look_again();
        }
    }
}

/// A source with the folder it looks into, and what the last look found there.
#[derive(Debug)]
pub(super) struct Watch {
    name: Option<String>,
    group: Option<String>,
    lens: Rc<Lens>,
    root: Rc<Root>,
    /// Where the root is when all links are followed, if that is elsewhere.
    real_root: Option<PathBuf>,
    target: Target,
    seen: Scan,
    /// How far the look has come that is under way.
    look: Look,
    /// Of a file: whether it was told of. Of a folder: whether its folders looked the same to the last scan and the one
    /// before; then their names are the same as long as their stamps are. The clock of a file system may stand still for
    /// some milliseconds, but not from look to look.
    settled: bool,
    /// So many looks were content with that since the last scan.
    looks_without_scan: u32,
    // Said once, not every two seconds.
    warned: bool,
}

#[derive(Debug)]
enum Target {
    /// A path that has not been there yet. `rel` is its last part. It may turn out to be a folder, with those in it or not.
    Awaited { path: PathBuf, rel: PathBuf, recursive: bool },
    /// This file, whether it is there now or not; `path` is how it was given, `behind` what was there when it was last
    /// asked for.
    File { path: PathBuf, rel: PathBuf, kind: LogKind, behind: Option<Behind> },
    /// The files of a folder: `*`, or those of the folders in it as well, `**/*`.
    Folder(Vec<Step>),
    /// The files that match.
    Glob(Vec<Step>),
}

/// A look at a source, which takes as many slices as it needs.
#[derive(Debug, Default)]
enum Look {
    /// None is under way.
    #[default]
    Rests,
    /// The folders of the last scan are asked whether they have changed, from this one on.
    Folders(usize),
    /// Then its links are looked at.
    Links(usize),
    /// Something has changed: all is looked at.
    Scan(Box<Walk>),
}

impl Look {
    fn scan() -> Self {
        Self::Scan(Box::new(Walk::new(ENTRIES)))
    }
}

/// What a slice of a look has come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Looked {
    /// These paths are seen and were not, or are not seen any more, or something else stands there.
    pub(super) changed: Vec<PathBuf>,
    /// There is more to do.
    pub(super) more: bool,
}

/// A log as the last look has found it.
#[derive(Debug)]
pub(super) struct Sighting {
    /// Where it is: as it was given, or as it was found.
    pub(super) path: PathBuf,
    /// How it is opened.
    pub(super) root: Rc<Root>,
    pub(super) rel: PathBuf,
    /// The number of the file behind the path; none if it was named outright, and not looked for.
    pub(super) inode: Option<u64>,
    /// What the last look has seen there.
    pub(super) behind: Option<Behind>,
    pub(super) kind: LogKind,
    /// The operator named this very file.
    pub(super) outright: bool,
}

impl Target {
    fn folder(recursive: bool) -> Self {
        let any_depth = recursive.then_some(Step::AnyDepth);
        Self::Folder(any_depth.into_iter().chain([Step::any_name()]).collect())
    }
}

/// The files that only one of the two has, or that have another number in the other.
fn differences(before: &Files, now: &Files) -> Vec<OsString> {
    let (mut before, mut now) = (before.iter().peekable(), now.iter().peekable());
    let mut differ = Vec::new();
    loop {
        let order = match (before.peek(), now.peek()) {
            (None, None) => return differ,
            (Some((rel, _)), Some((other, _))) => rel.cmp(other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
        };
        let gone = if order.is_le() { before.next() } else { None };
        let there = if order.is_ge() { now.next() } else { None };
        if gone != there {
            differ.extend(there.or(gone).map(|(rel, _)| rel.clone()));
        }
    }
}

impl Watch {
    /// None for standard input if there is no spool of it.
    pub(super) fn new(source: Source, stdin: Option<&Path>, roots: &mut Roots) -> Option<Self> {
        let (folder, target) = match source.place {
            Place::Stdin => {
                let (folder, rel) = split(stdin?);
                (folder, Target::File { path: "stdin".into(), rel, kind: LogKind::Stdin, behind: None })
            }
            Place::Job(path) => {
                let (folder, rel) = split(&path);
                (folder, Target::File { path, rel, kind: LogKind::Job, behind: None })
            }
            Place::Path(path) => {
                let (folder, rel) = split(&path);
                (folder, Target::Awaited { path, rel, recursive: source.recursive })
            }
            Place::Room(path) => {
                let (folder, rel) = split(&path);
                (folder, Target::File { path, rel, kind: LogKind::Room, behind: None })
            }
            Place::Folder(folder) => (folder, Target::folder(source.recursive)),
            Place::Glob(folder, steps) => (folder, Target::Glob(steps)),
        };
        Some(Self {
            name: source.name,
            group: source.group,
            lens: source.lens,
            root: roots.at(&folder),
            real_root: None,
            target,
            seen: Scan::default(),
            look: Look::Rests,
            settled: false,
            looks_without_scan: 0,
            warned: false,
        })
    }

    /// How its logs are read.
    pub(super) fn lens(&self) -> &Rc<Lens> {
        &self.lens
    }

    pub(super) fn gives_names(&self) -> bool {
        self.name.is_some()
    }

    /// Whether the last look certainly found all there is.
    pub(super) fn is_complete(&self) -> bool {
        self.seen.cut_short.is_none()
    }

    /// The next slice of a look at what is there now; the first one, if the last look is over. Files that were named
    /// outright are asked for only if the list is `attended`, by somebody who wants to know of each whether it is there.
    ///
    /// Bounded: [`QUESTIONS`] to the system, or a part of a folder.
    pub(super) fn look(&mut self, roots: &mut Roots, attended: bool) -> Looked {
        match std::mem::take(&mut self.look) {
            Look::Rests => self.begin(roots, attended),
            Look::Folders(from) => self.ask_folders(from),
            Look::Links(from) => self.ask_links(from),
            Look::Scan(walk) => self.scan(walk),
        }
    }

    fn begin(&mut self, roots: &mut Roots, attended: bool) -> Looked {
        let awaited = match &self.target {
            Target::Awaited { path, .. } => Some(path.clone()),
            _ => None,
        };
        let has_come = self.settle(roots);
        if self.lens.redacts() {
            let folder = self.root.path();
            self.real_root = folder.canonicalize().ok().filter(|real| real != folder);
        }
        match &mut self.target {
            Target::Awaited { path, .. } => {
                let changed = if replace(&mut self.settled, true) { Vec::new() } else { vec![path.clone()] };
                Looked { changed, more: false }
            }
            Target::File { path, rel, behind, .. } => {
                let told = replace(&mut self.settled, true) && !has_come;
                let now = if attended { Some(Behind::at(&self.root, rel)) } else { *behind };
                let changed = replace(behind, now) != now || !told;
                Looked { changed: if changed { vec![path.clone()] } else { Vec::new() }, more: false }
            }
            Target::Folder(_) | Target::Glob(_) => {
                let trusted = self.settled && self.looks_without_scan < LOOKS_WITHOUT_SCAN;
                self.look = if trusted { Look::Folders(0) } else { Look::scan() };
                // What was waited for under that path is a folder, and no log.
                Looked { changed: awaited.into_iter().collect(), more: true }
            }
        }
    }

    /// Whether the folders have changed in which the last scan was.
    fn ask_folders(&mut self, from: usize) -> Looked {
        let mut rest = self.seen.folders[from..].iter();
        let mut asked = rest.by_ref().take(QUESTIONS);
        let same = asked.all(|(rel, stamp)| self.root.stamp(rel).ok() == *stamp);
        self.look = match rest.len() {
            _ if !same => Look::scan(),
            0 => Look::Links(0),
            left => Look::Folders(self.seen.folders.len() - left),
        };
        Looked { changed: Vec::new(), more: true }
    }

    /// Whether what is behind the links has changed.
    fn ask_links(&mut self, from: usize) -> Looked {
        let mut rest = self.seen.links[from..].iter();
        let mut asked = rest.by_ref().take(QUESTIONS);
        let same = asked.all(|(rel, behind)| Behind::at(&self.root, rel) == *behind);
        let more = !same || rest.len() > 0;
        self.look = match rest.len() {
            _ if !same => Look::scan(),
            0 => Look::Rests,
            left => Look::Links(self.seen.links.len() - left),
        };
        if !more {
            self.looks_without_scan += 1;
        }
        Looked { changed: Vec::new(), more }
    }

    /// Goes on with a scan, and compares it with the one before.
    fn scan(&mut self, mut walk: Box<Walk>) -> Looked {
        let (Target::Folder(steps) | Target::Glob(steps)) = &self.target else { return Looked::default() };
        let Some(scan) = walk.work(&self.root, steps) else {
            self.look = Look::Scan(walk);
            return Looked { changed: Vec::new(), more: true };
        };
        if let Some(why) = &scan.cut_short
            && !replace(&mut self.warned, true)
        {
            self.warn(why);
        }
        // A folder that could not be read may be readable without having changed.
        self.settled = scan.cut_short != Some(CutShort::Unreadable) && scan.folders == self.seen.folders;
        self.looks_without_scan = 0;
        let before = replace(&mut self.seen, scan);
        let changed = differences(&before.files, &self.seen.files);
        let changed = changed.into_iter().map(|rel| self.root.path().join(rel)).collect();
        Looked { changed, more: false }
    }

    /// What the last look has found at `path`.
    pub(super) fn sighting(&self, path: &Path) -> Option<Sighting> {
        match &self.target {
            Target::Awaited { path: own, .. } | Target::File { path: own, .. } => {
                self.outright().filter(|_| own == path)
            }
            Target::Folder(_) | Target::Glob(_) => {
                let rel = path.strip_prefix(self.root.path()).ok()?;
                self.seen.files.get(rel.as_os_str()).map(|inode| self.found(rel, *inode))
            }
        }
    }

    /// All that the last look has found.
    pub(super) fn sightings(&self) -> Vec<Sighting> {
        match &self.target {
            Target::Awaited { .. } | Target::File { .. } => self.outright().into_iter().collect(),
            Target::Folder(_) | Target::Glob(_) => {
                self.seen.files.iter().map(|(rel, inode)| self.found(Path::new(rel), *inode)).collect()
            }
        }
    }

    /// The paths of the file that it is, as it was given and as it is opened; none if it looks for files in a folder, or
    /// may come to that.
    pub(super) fn files(&self) -> Option<[PathBuf; 2]> {
        match &self.target {
            Target::File { path, rel, .. } => Some([path.clone(), self.root.path().join(rel)]),
            Target::Awaited { .. } | Target::Folder(_) | Target::Glob(_) => None,
        }
    }

    /// Whether a log at `path` would be one that it finds, as far as names tell: it may be gone, or not to be listed.
    pub(super) fn would_find(&self, path: &Path) -> bool {
        match &self.target {
            // Of what may be a folder, nobody knows yet what is in it.
            Target::Awaited { path: own, .. } => path.starts_with(own),
            Target::File { path: own, .. } => own == path,
            Target::Folder(steps) | Target::Glob(steps) => {
                let rel = |root: &Path| path.strip_prefix(root).is_ok_and(|rel| scan::may_find(steps, rel));
                rel(self.root.path()) || self.real_root.as_deref().is_some_and(rel)
            }
        }
    }

    /// Whether the last look has found nothing.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.target, Target::Folder(_) | Target::Glob(_)) && self.seen.files.is_empty()
    }

    fn outright(&self) -> Option<Sighting> {
        let (path, rel, kind, behind) = match &self.target {
            Target::Awaited { path, rel, .. } => (path, rel, LogKind::File, None),
            Target::File { path, rel, kind, behind } => (path, rel, *kind, *behind),
            Target::Folder(_) | Target::Glob(_) => return None,
        };
        let (path, root, rel) = (path.clone(), Rc::clone(&self.root), rel.clone());
        Some(Sighting { path, root, rel, inode: None, behind, kind, outright: true })
    }

    fn found(&self, rel: &Path, inode: Option<u64>) -> Sighting {
        let (path, root, rel) = (self.root.path().join(rel), Rc::clone(&self.root), rel.to_owned());
        let behind = Some(inode.map_or(Behind::Outside, Behind::File));
        Sighting { path, root, rel, inode, behind, kind: LogKind::File, outright: false }
    }

    /// The group a log of this source is shown in, and what it could be called.
    pub(super) fn describe(&self, log: &Sighting) -> (String, Wish) {
        let (group, wish) = match (&self.name, &self.target) {
            (Some(name), _) if log.outright => {
                (name.rsplit_once('/').map(|(group, _)| group.to_owned()), Wish::exactly(name.clone()))
            }
            (Some(name), _) => {
                let parts: Vec<String> = std::iter::once(name.clone()).chain(parts(&log.rel)).collect();
                (Some(name.clone()), Wish { least: parts.len(), parts })
            }
            // "Named by their path inside the folder; where sources collide, the folder's own name goes in
            // front."
            (None, Target::Folder(_)) => {
                let (own, within) = (parts(self.root.path()).pop(), parts(&log.rel));
                let wish = Wish { parts: parts(&log.path), least: within.len() };
                let folders = own.into_iter().chain(within.into_iter().rev().skip(1).rev());
                (Some(folders.collect::<Vec<_>>().join("/")), wish)
            }
            (None, _) => {
                (parts(&log.path).into_iter().rev().nth(1), Wish { parts: parts(&log.path), least: 1 })
            }
        };
        (self.group.clone().or(group).unwrap_or_default(), wish)
    }

    /// What was waited for may turn out to be a folder, or a link that leads out of its folder. True once it
    /// has turned out.
    ///
    /// Such a link is followed once, as the operator named it. Where it leads later does not matter: that
    /// would be the choice of whoever may write into the folder.
    fn settle(&mut self, roots: &mut Roots) -> bool {
        let Target::Awaited { path, rel, recursive } = &self.target else {
            return false;
        };
        let (folder, rel) = match self.root.stat(rel) {
            Ok(_) => (self.root.path().to_owned(), rel.clone()),
            Err(OpenError::LeadsOut) if path.is_file() => match path.canonicalize() {
                Ok(real) => split(&real),
                Err(_) => return false,
            },
            Err(OpenError::NotRegular(Kind::Folder) | OpenError::LeadsOut) if path.is_dir() => {
                (self.root, self.target) = (roots.at(path), Target::folder(*recursive));
                self.settled = false;
                return false;
            }
            Err(_) => return false,
        };
        let target = Target::File { path: path.clone(), rel, kind: LogKind::File, behind: None };
        (self.root, self.target) = (roots.at(&folder), target);
        true
    }

    fn warn(&self, why: &CutShort) {
        let folder = self.root.path();
        match why {
            CutShort::TooMany => warn!(
                "there are more than {ENTRIES} files to look at in {folder:?}: not all of its logs are listed. \
                 Name a folder further down, or a narrower pattern"
            ),
            CutShort::Unreadable => warn!("not all of {folder:?} can be read: logs in it may not be listed"),
        }
    }
}

/// The folder a file is in, and its name there.
fn split(path: &Path) -> (PathBuf, PathBuf) {
    let folder = path.parent().unwrap_or(path);
    (folder.to_owned(), path.file_name().unwrap_or_default().into())
}
