//! One source, looked at again and again.
//!
//! Knows where a source points and what lies there now; what was there before, and what it is called in the
//! end, is the catalogue's.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use log::warn;

use super::entry::LogKind;
use super::names::{Wish, parts};
use super::rotated;
use super::scan::{self, CutShort, ENTRIES, Scan, Seen};
use super::source::{Place, Source, Step};
use crate::tail::Lens;
use crate::tail::beneath::{Kind, OpenError, Root};
use crate::tail::disk::Disk;

/// The folders that the sources point into, each opened once: a thousand files of one folder need one
/// descriptor.
#[derive(Debug, Default)]
pub(super) struct Roots {
    disk: Disk,
    opened: HashMap<PathBuf, Rc<Root>>,
}

impl Roots {
    /// None yet; they will be on this disk.
    pub(super) fn on(disk: Disk) -> Self {
        Self { disk, opened: HashMap::new() }
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
    target: Target,
    seen: Scan,
    // Said once, not every two seconds.
    warned: bool,
}

#[derive(Debug)]
enum Target {
    /// A path that has not been there yet. `rel` is its last part.
    Awaited { path: PathBuf, rel: PathBuf },
    /// This file, whether it is there now or not; `path` is how it was given.
    File { path: PathBuf, rel: PathBuf, kind: LogKind },
    /// The files of a folder.
    Folder,
    /// The files that match.
    Glob(Vec<Step>),
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
    pub(super) kind: LogKind,
    /// The operator named this very file.
    pub(super) outright: bool,
}

impl Watch {
    /// None for standard input if there is no spool of it.
    pub(super) fn new(source: Source, stdin: Option<&Path>, roots: &mut Roots) -> Option<Self> {
        let (folder, target) = match source.place {
            Place::Stdin => {
                let (folder, rel) = split(stdin?);
                (folder, Target::File { path: "stdin".into(), rel, kind: LogKind::Stdin })
            }
            Place::Path(path) => {
                let (folder, rel) = split(&path);
                (folder, Target::Awaited { path, rel })
            }
            Place::Folder(folder) => (folder, Target::Folder),
            Place::Glob(folder, steps) => (folder, Target::Glob(steps)),
        };
        Some(Self {
            name: source.name,
            group: source.group,
            lens: source.lens,
            root: roots.at(&folder),
            target,
            seen: Scan::default(),
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

    /// Looks what is there now. True if that is something else than before.
    pub(super) fn look(&mut self, roots: &mut Roots) -> bool {
        let settled = self.settle(roots);
        let any_name = [Step::any_name()];
        let steps = match &self.target {
            Target::Awaited { .. } | Target::File { .. } => return settled,
            Target::Folder => &any_name[..],
            Target::Glob(steps) => steps,
        };
        let mut scan = scan::scan(&self.root, steps, ENTRIES);
        scan.files.retain(|seen| !rotated::is_compressed(&seen.rel.to_string_lossy()));
        if let Some(why) = &scan.cut_short
            && !self.warned
        {
            self.warned = true;
            self.warn(why);
        }
        let changed = scan != self.seen;
        self.seen = scan;
        settled || changed
    }

    /// What the last look found.
    pub(super) fn sightings(&self) -> Vec<Sighting> {
        let root = || Rc::clone(&self.root);
        let the_file = |path: &PathBuf, rel: &PathBuf, kind| {
            let (path, rel) = (path.clone(), rel.clone());
            vec![Sighting { path, root: root(), rel, inode: None, kind, outright: true }]
        };
        match &self.target {
            Target::Awaited { path, rel } => the_file(path, rel, LogKind::File),
            Target::File { path, rel, kind } => the_file(path, rel, *kind),
            Target::Folder | Target::Glob(_) => {
                let files = self.seen.files.iter().map(|Seen { rel, inode }| {
                    let (path, rel, inode) = (self.root.path().join(rel), rel.clone(), *inode);
                    Sighting { path, root: root(), rel, inode, kind: LogKind::File, outright: false }
                });
                files.collect()
            }
        }
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
            (None, Target::Folder) => (
                parts(self.root.path()).pop(),
                Wish { parts: parts(&log.path), least: parts(&log.rel).len() },
            ),
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
        let Target::Awaited { path, rel } = &self.target else {
            return false;
        };
        let (folder, rel) = match self.root.stat(rel) {
            Ok(_) => (self.root.path().to_owned(), rel.clone()),
            Err(OpenError::LeadsOut) if path.is_file() => match path.canonicalize() {
                Ok(real) => split(&real),
                Err(_) => return false,
            },
            Err(OpenError::NotRegular(Kind::Folder) | OpenError::LeadsOut) if path.is_dir() => {
                (self.root, self.target) = (roots.at(path), Target::Folder);
                return false;
            }
            Err(_) => return false,
        };
        let target = Target::File { path: path.clone(), rel, kind: LogKind::File };
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    /// A folder with `real/app.log`, `real/secret` and `logs/x.log`.
    fn place() -> TempDir {
        let place = tempfile::tempdir().unwrap();
        for folder in ["real", "logs"] {
            fs::create_dir(place.path().join(folder)).unwrap();
        }
        for file in ["real/app.log", "real/secret", "logs/x.log"] {
            fs::write(place.path().join(file), file).unwrap();
        }
        place
    }

    fn link(place: &TempDir, target: &str, at: &str) {
        let at = place.path().join(at);
        let _ = fs::remove_file(&at);
        symlink(place.path().join(target), at).unwrap();
    }

    /// What a look finds: the files' content, or why there is none.
    fn sees(watch: &mut Watch) -> Vec<String> {
        watch.look(&mut Roots::default());
        assert!(watch.is_complete());
        assert!(!watch.look(&mut Roots::default()), "nothing has changed since");
        let content = |sighting: Sighting| match sighting.root.open_file(&sighting.rel) {
            Ok(file) => std::io::read_to_string(fs::File::from(file)).unwrap(),
            Err(why) => why.to_string(),
        };
        watch.sightings().into_iter().map(content).collect()
    }

    fn watch(place: &TempDir, rel: &str) -> Watch {
        let source = Source::parse(place.path().join(rel).to_str().unwrap()).unwrap();
        Watch::new(source, None, &mut Roots::default()).unwrap()
    }

    #[test]
    fn a_link_to_outside_that_was_named_is_followed_to_where_it_led_then() {
        let place = place();
        link(&place, "real/app.log", "logs/current");
        let mut watch = watch(&place, "logs/current");
        assert_eq!(sees(&mut watch), ["real/app.log"]);
        link(&place, "real/secret", "logs/current");
        assert_eq!(sees(&mut watch), ["real/app.log"]);
    }

    #[test]
    fn a_link_to_outside_that_was_found_is_refused() {
        let place = place();
        link(&place, "real/secret", "logs/current");
        assert_eq!(sees(&mut watch(&place, "logs")), ["it leads out of its folder", "logs/x.log"]);
        assert_eq!(sees(&mut watch(&place, "logs/c*")), ["it leads out of its folder"]);
    }

    #[test]
    fn what_is_waited_for_may_become_anything() {
        let place = place();
        let mut file = watch(&place, "later.log");
        let mut folder = watch(&place, "later");
        assert_eq!(sees(&mut file), ["there is no such file"]);
        fs::write(place.path().join("later.log"), "here").unwrap();
        assert_eq!(sees(&mut file), ["here"]);
        link(&place, "real", "later");
        assert_eq!(sees(&mut folder), ["real/app.log", "real/secret"]);
    }

    #[test]
    fn standard_input_without_a_spool_is_nothing_to_watch() {
        let stdin = Source::parse("-").unwrap();
        assert!(Watch::new(stdin.clone(), None, &mut Roots::default()).is_none());
        let place = place();
        let mut spooled =
            Watch::new(stdin, Some(&place.path().join("logs/x.log")), &mut Roots::default()).unwrap();
        assert_eq!(sees(&mut spooled), ["logs/x.log"]);
    }
}
