//! Opening files beneath a folder, and nowhere else.
//!
//! A log is opened by its path inside a [`Root`], a folder that the operator named. Whatever stands in the
//! way, a `..`, an absolute path, a link that somebody put into the folder, a link that is swapped while we
//! look: the file that comes back lies beneath the root, or an error does. A prefix check on path names
//! cannot promise this, as the names may change their meaning between the check and the opening; so the
//! kernel is asked to hold the rule while it walks (`openat2` with `RESOLVE_BENEATH`, openat2(2)). Where it
//! cannot, we walk ourselves, folder by folder, following no link (`O_NOFOLLOW`).
//!
//! Only regular files are opened. Opening a FIFO would wait for a writer and opening a device may do
//! anything, so the kind is looked at before, and once more on the opened file.
//!
//! Does not know what a log is, nor which names visitors may use: that is `catalogue`.

mod folder;
mod lister;
mod stat;

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self, Dir, OFlags};
use rustix::io::Errno;

use folder::Folder;
pub use lister::{Lister, Stamp};
use stat::identity;
pub use stat::{Kind, OpenError, Stat};

use crate::tail::disk::{Call, Disk, File};

/// A folder that files are opened beneath.
///
/// It is opened once and then held, so renaming a folder above it changes nothing. Folders come and go,
/// though (a volume is mounted, a deployment replaces the folder): [`look_again`](Self::look_again) opens
/// what stands at the path *now*. The path is the operator's word; whoever may replace the folder itself may
/// replace every log in it.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    disk: Disk,
    // Or why there is none yet.
    folder: RefCell<Result<Folder, Errno>>,
}

impl Root {
    /// Opens the folder at `path`, following links as everywhere else: it is the operator's path.
    pub fn open(path: &Path) -> io::Result<Self> {
        let disk = Disk::default();
        let folder = Folder::open(&disk, path)?;
        Ok(Self { path: path.to_owned(), disk, folder: RefCell::new(Ok(folder)) })
    }

    /// A root on `disk` that may not be there yet: until [`look_again`](Self::look_again) finds it, every file in
    /// it is missing.
    pub fn wait_for(disk: &Disk, path: &Path) -> Self {
        let disk = disk.below(path);
        let folder = Folder::open(&disk, path);
        Self { path: path.to_owned(), disk, folder: RefCell::new(folder) }
    }

    /// The path the operator gave.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a folder.
    pub fn is_there(&self) -> bool {
        self.folder.borrow().is_ok()
    }

    /// Opens the folder that stands at the path now, if it is not the one that is held. True if that changed
    /// anything.
    ///
    /// A folder that has gone is still held: what is open in it can be read to its end, and a new one may come.
    /// Costs one `stat`.
    pub fn look_again(&self) -> bool {
        let now = self.disk.call(Call::Stat, || fs::stat(&self.path)).map(|stat| identity(&stat));
        let held = self.folder.borrow().as_ref().map(|folder| folder.identity).ok();
        if now.is_ok_and(|now| Some(now) == held) {
            return false;
        }
        let found = now.and_then(|_| Folder::open(&self.disk, &self.path));
        let is_there = found.is_ok();
        if is_there || held.is_none() {
            *self.folder.borrow_mut() = found;
        }
        is_there
    }

    /// Opens the regular file at `rel` for reading. Never waits for anybody.
    pub fn open_file(&self, rel: &Path) -> Result<File, OpenError> {
        // Looked at first, as merely opening some devices has effects: a tape rewinds, a watchdog starts.
        self.stat(rel)?;
        // NONBLOCK: should a FIFO have slipped in since, opening it does not wait for its writer. NOCTTY:
        // should it be a terminal, it does not become ours. On the regular file we want, neither means
        // anything.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let handle = self.beneath(rel, |folder, rel| folder.open_at(rel, flags))?;
        let file = File::new(handle, &self.disk);
        Stat::of(&file)?;
        Ok(file)
    }

    /// Opens the regular file at `rel` to be written to at its end, and to be read; makes it if there is none. Never waits
    /// for anybody.
    pub fn open_to_append(&self, rel: &Path) -> Result<File, OpenError> {
        match self.stat(rel) {
            Ok(_) | Err(OpenError::Missing) => {}
            Err(why) => return Err(why),
        }
        let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CREATE;
        let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let handle = self.beneath(rel, |folder, rel| folder.open_at(rel, flags))?;
        let file = File::new(handle, &self.disk);
        Stat::of(&file)?;
        Ok(file)
    }

    /// What the regular file at `rel` is, resolved as [`open_file`](Self::open_file) does it. Needs no right
    /// to read it.
    pub fn stat(&self, rel: &Path) -> Result<Stat, OpenError> {
        Stat::regular(&self.beneath(rel, Folder::stat_at)?)
    }

    /// The entries of the folder at `rel` (empty: of the root itself) without `.` and `..`, in the file
    /// system's order.
    ///
    /// At most `limit` of them are looked at: the caller lists on its loop's time.
    pub fn list(&self, rel: &Path, limit: usize) -> Result<Listing, OpenError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let handle = self.beneath(rel, |folder, rel| folder.open_at(rel, flags))?;
        let mut folder = Dir::new(handle)?;
        // Where it was interrupted, a listing cannot be read on; it begins anew.
        let list = || {
            folder.rewind();
            Listing::of(&mut folder, limit)
        };
        Ok(self.disk.call(Call::List, list)?)
    }

    /// Does `act` with `rel` as seen from the opened folder.
    ///
    /// Where the way there leads over a link that may not be followed (`openat2` refuses every absolute one,
    /// our own walk every link), the path is resolved by name and tried once more if it ends up inside. That
    /// is no promise by itself, as links may change meanwhile; it need not be: the second try stays beneath
    /// the root just as the first one did.
    fn beneath<T>(
        &self,
        rel: &Path,
        act: impl Fn(&Folder, &Path) -> Result<T, Errno>,
    ) -> Result<T, OpenError> {
        let folder = self.folder.borrow();
        let folder = folder.as_ref().map_err(|&why| OpenError::from(why))?;
        if !rel.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(OpenError::LeadsOut);
        }
        let try_at = |rel: &Path| act(folder, if rel.as_os_str().is_empty() { Path::new(".") } else { rel });
        match try_at(rel) {
            // What refused links look like: XDEV and LOOP from openat2, LOOP and NOTDIR from our own walk.
            Err(Errno::XDEV | Errno::LOOP | Errno::NOTDIR | Errno::MLINK) => {
                let real = folder.path.join(rel).canonicalize()?;
                let rel = real.strip_prefix(&folder.path).map_err(|_| OpenError::LeadsOut)?;
                Ok(try_at(rel)?)
            }
            done => Ok(done?),
        }
    }
}

/// What a folder holds, see [`Root::list`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What is in the folder. A link is not followed, and some file systems do not tell what is one.
    pub entries: Vec<Entry>,
    /// False: there are more than were asked for.
    pub complete: bool,
}

/// What a folder says of one name in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name.
    pub name: OsString,
    /// What stands behind it.
    pub kind: Kind,
    /// Its number on the folder's file system; that of the link, if it is one.
    pub inode: u64,
}

impl Listing {
    fn of(folder: &mut Dir, limit: usize) -> Result<Self, Errno> {
        let mut listing = Self { entries: Vec::new(), complete: true };
        while let Some(entry) = folder.read() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if listing.entries.len() == limit {
                listing.complete = false;
                break;
            }
            let name = OsStr::from_bytes(name).to_owned();
            listing.entries.push(Entry { name, kind: entry.file_type().into(), inode: entry.ino() });
        }
        Ok(listing)
    }
}

#[cfg(test)]
mod tests {
    use super::folder::Way;
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use rustix::fs::{FileType, Mode};
    use tempfile::TempDir;

    /// A temporary folder `outside` with a file `secret`, and in it the folder `logs`.
    struct Place {
        outside: TempDir,
    }

    impl Place {
        fn new() -> Self {
            let outside = tempfile::tempdir().unwrap();
            fs::write(outside.path().join("secret"), "secret").unwrap();
            fs::create_dir(outside.path().join("logs")).unwrap();
            Self { outside }
        }

        fn logs(&self) -> PathBuf {
            self.outside.path().join("logs")
        }

        fn write(&self, rel: &str, text: &str) {
            let path = self.logs().join(rel);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn link(&self, target: impl AsRef<Path>, rel: &str) {
            symlink(target, self.logs().join(rel)).unwrap();
        }

        /// The same root twice: as this system does it, and walking ourselves.
        fn roots(&self) -> [Root; 2] {
            let walking = Root::open(&self.logs()).unwrap();
            walking.folder.borrow_mut().as_mut().unwrap().way = Way::Walk;
            [Root::open(&self.logs()).unwrap(), walking]
        }
    }

    fn read(root: &Root, rel: &str) -> Result<String, OpenError> {
        let mut text = String::new();
        fs::File::from(root.open_file(Path::new(rel))?).read_to_string(&mut text).unwrap();
        assert_eq!(root.stat(Path::new(rel))?.size, text.len() as u64);
        Ok(text)
    }

    #[track_caller]
    fn refused(root: &Root, rel: &str) -> OpenError {
        let why = read(root, rel).expect_err(rel);
        let by_stat = root.stat(Path::new(rel)).expect_err(rel);
        assert_eq!(why.to_string(), by_stat.to_string(), "opening and stat agree about {rel}");
        why
    }

    #[test]
    fn a_file_is_opened_at_any_depth() {
        let place = Place::new();
        place.write("app.log", "one");
        place.write("web/eu/app.log", "two");
        for root in place.roots() {
            assert_eq!(read(&root, "app.log").unwrap(), "one");
            assert_eq!(read(&root, "web/eu/app.log").unwrap(), "two");
        }
    }

    #[test]
    fn nothing_outside_is_opened_by_any_spelling() {
        let place = Place::new();
        place.write("web/app.log", "x");
        let absolute = place.outside.path().join("secret");
        for root in place.roots() {
            for rel in [
                "../secret",
                "web/../../secret",
                "web/../web/app.log",
                "..",
                absolute.to_str().unwrap(),
                "/",
                "./x",
            ] {
                let why = refused(&root, rel);
                assert!(matches!(why, OpenError::LeadsOut), "{rel}: {why}");
            }
        }
    }

    #[test]
    fn a_link_is_followed_inside_and_refused_outside() {
        let place = Place::new();
        place.write("app-2026.log", "inside");
        place.write("web/app.log", "deep");
        place.link("app-2026.log", "current");
        place.link(place.logs().join("web"), "absolute");
        place.link("../secret", "out");
        place.link(place.outside.path().join("secret"), "out-absolute");
        place.link("..", "up");
        place.link("/proc/self/cwd", "magic");
        for root in place.roots() {
            assert_eq!(read(&root, "current").unwrap(), "inside");
            assert_eq!(read(&root, "absolute/app.log").unwrap(), "deep");
            for rel in ["out", "out-absolute", "up/secret", "magic/Cargo.toml"] {
                let why = refused(&root, rel);
                assert!(matches!(why, OpenError::LeadsOut), "{rel}: {why}");
            }
        }
    }

    #[test]
    fn a_folder_that_merely_begins_like_the_root_is_outside() {
        let place = Place::new();
        fs::create_dir(place.outside.path().join("logs-secret")).unwrap();
        fs::write(place.outside.path().join("logs-secret/x"), "x").unwrap();
        place.link(place.outside.path().join("logs-secret/x"), "x");
        for root in place.roots() {
            assert!(matches!(refused(&root, "x"), OpenError::LeadsOut));
        }
    }

    #[test]
    fn a_link_that_is_swapped_for_one_to_outside_is_refused_from_then_on() {
        let place = Place::new();
        place.write("app-1.log", "one");
        for root in place.roots() {
            place.link("app-1.log", "current");
            assert_eq!(read(&root, "current").unwrap(), "one");
            place.link("../secret", "next");
            fs::rename(place.logs().join("next"), place.logs().join("current")).unwrap();
            assert!(matches!(refused(&root, "current"), OpenError::LeadsOut));
            fs::remove_file(place.logs().join("current")).unwrap();
        }
    }

    #[test]
    fn a_link_in_a_circle_or_to_nowhere_is_refused() {
        let place = Place::new();
        place.link("b", "a");
        place.link("a", "b");
        place.link("nowhere", "dangling");
        for root in place.roots() {
            assert!(matches!(refused(&root, "a"), OpenError::Io(_)));
            assert!(matches!(refused(&root, "dangling"), OpenError::Missing));
        }
    }

    #[test]
    fn only_regular_files_are_opened_and_none_is_waited_for() {
        let place = Place::new();
        place.write("folder/x", "x");
        fs::create_dir(place.logs().join("empty")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, place.logs().join("fifo"), FileType::Fifo, Mode::RUSR, 0)
            .unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(place.logs().join("socket")).unwrap();
        for root in place.roots() {
            // Nobody writes into the FIFO: a plain open(2) would never come back.
            for (rel, kind) in
                [("fifo", Kind::Fifo), ("folder", Kind::Folder), ("", Kind::Folder), ("socket", Kind::Socket)]
            {
                let why = refused(&root, rel);
                assert!(matches!(why, OpenError::NotRegular(found) if found == kind), "{rel}: {why}");
            }
        }
        let devices = Root::open(Path::new("/dev")).unwrap();
        assert!(matches!(refused(&devices, "null"), OpenError::NotRegular(Kind::Device)));
    }

    #[test]
    fn what_is_not_there_is_missing() {
        let place = Place::new();
        place.write("file", "x");
        for root in place.roots() {
            assert!(matches!(refused(&root, "nothing"), OpenError::Missing));
            assert!(matches!(refused(&root, "no/folder"), OpenError::Missing));
            assert!(matches!(refused(&root, "file/below"), OpenError::Missing));
        }
    }

    #[test]
    fn a_file_without_the_right_to_read_is_denied_but_its_size_is_told() {
        let place = Place::new();
        place.write("app.log", "four");
        fs::set_permissions(place.logs().join("app.log"), fs::Permissions::from_mode(0o000)).unwrap();
        for root in place.roots() {
            assert_eq!(root.stat(Path::new("app.log")).unwrap().size, 4);
            let opened = root.open_file(Path::new("app.log"));
            if rustix::process::geteuid().is_root() {
                assert!(opened.is_ok(), "root reads everything");
            } else {
                assert!(matches!(opened, Err(OpenError::Denied)));
            }
        }
    }

    #[test]
    fn a_root_is_waited_for_and_found_again_after_being_replaced() {
        let place = Place::new();
        let root = Root::wait_for(&Disk::default(), &place.logs().join("later"));
        assert!(!root.is_there());
        assert!(!root.look_again());
        assert!(matches!(refused(&root, "app.log"), OpenError::Missing));

        place.write("later/app.log", "one");
        assert!(root.look_again());
        assert!(!root.look_again(), "nothing has changed since");
        assert_eq!(read(&root, "app.log").unwrap(), "one");

        fs::rename(place.logs().join("later"), place.logs().join("earlier")).unwrap();
        assert!(!root.look_again(), "gone, but still held");
        assert_eq!(read(&root, "app.log").unwrap(), "one");
        place.write("later/app.log", "two");
        assert!(root.look_again());
        assert_eq!(read(&root, "app.log").unwrap(), "two");
    }

    #[test]
    fn a_listing_names_the_kinds_and_is_bounded() {
        let place = Place::new();
        place.write("web/a.log", "a");
        place.write("web/b.log", "b");
        place.link("a.log", "web/c.log");
        for root in place.roots() {
            let mut all = root.list(Path::new("web"), 3).unwrap();
            all.entries.sort();
            let names: Vec<_> =
                all.entries.iter().map(|entry| (entry.name.to_str().unwrap(), entry.kind)).collect();
            assert_eq!(names, [("a.log", Kind::File), ("b.log", Kind::File), ("c.log", Kind::Link)]);
            assert!(all.complete);

            let some = root.list(Path::new("web"), 2).unwrap();
            assert_eq!((some.entries.len(), some.complete), (2, false));
            let a = &all.entries[0];
            assert_eq!(a.inode, root.stat(Path::new("web/a.log")).unwrap().inode);
            let [web] = &root.list(Path::new(""), 9).unwrap().entries[..] else { panic!("one folder") };
            assert_eq!((web.name.as_os_str(), web.kind), (OsStr::new("web"), Kind::Folder));
            assert!(matches!(root.list(Path::new("../"), 9), Err(OpenError::LeadsOut)));
        }
    }
}
