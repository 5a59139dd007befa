//! What wakes the loop early: signals, and changes of watched files.
//!
//! Both are hints in a descriptor. Nothing depends on the second: it is silent on network and some overlay file
//! systems, and the tick looks at every watched file anyway.
//!
//! A hint need not be heard at once. While it waits with the kernel, that joins equal ones to it and wakes nobody for them:
//! of a log that is written to ten thousand times a second we need not hear as often.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use signal_hook::consts::SIGXFSZ;
pub use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// From now on a file that may not grow any more (`RLIMIT_FSIZE`) fails to be written, as on a full disk, and does not end the
/// process (`SIGXFSZ`). Those we start are not concerned.
///
/// # Errors
/// When the system refuses the handler.
pub fn survive_full_files() -> io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
}

/// Signals as bytes in a pipe: a signal handler may do next to nothing, the loop may do all.
#[derive(Debug)]
pub struct Signals {
    read_end: UnixStream,
}

impl Signals {
    /// From now on these signals end up here instead of ending the process.
    ///
    /// # Errors
    /// When the system refuses the pipe or the handler.
    pub fn new(signals: &[i32]) -> io::Result<Self> {
        let (read_end, write_end) = UnixStream::pair()?;
        read_end.set_nonblocking(true)?;
        for signal in signals {
            signal_hook::low_level::pipe::register(*signal, write_end.try_clone()?)?;
        }
        Ok(Self { read_end })
    }

    /// How many signals came since the last time; at most 64.
    pub fn drain(&mut self) -> usize {
        self.read_end.read(&mut [0; 64]).unwrap_or(0)
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> RawFd {
        self.read_end.as_raw_fd()
    }
}

/// What a hint says has happened at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The file was written to, or cut.
    Content,
    /// Another file may be there now, or none.
    Identity,
}

pub use file_watch::FileWatch;

#[cfg(target_os = "linux")]
mod file_watch {
    use std::collections::HashMap;
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::{AsRawFd, OwnedFd, RawFd};
    use std::path::{Path, PathBuf};

    use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init, remove_watch};

    use super::Change;

    /// How many events one drain takes at most: as many as the kernel queues by default.
    const EVENTS_PER_DRAIN: usize = 16_384;

    /// Early wake-ups when one of the watched files changes (inotify).
    #[derive(Debug)]
    pub struct FileWatch {
        inotify: OwnedFd,
        by_path: HashMap<PathBuf, i32>,
        by_watch: HashMap<i32, PathBuf>,
        /// A path that should be watched is not: its file was replaced, or is not there yet.
        incomplete: bool,
        /// There are hints that were not heard yet, though they have woken us.
        unheard: bool,
    }

    impl FileWatch {
        /// Watches nothing yet.
        ///
        /// # Errors
        /// When the system offers no inotify instance.
        pub fn new() -> io::Result<Self> {
            let inotify = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
            let (by_path, by_watch) = (HashMap::new(), HashMap::new());
            Ok(Self { inotify, by_path, by_watch, incomplete: false, unheard: false })
        }

        /// Leaves the hints that have just woken us where they are, until [`drain`](Self::drain).
        pub fn put_off(&mut self) {
            self.unheard = true;
        }

        /// Whether there are hints that were put off. What wakes us then is another one.
        pub fn has_unheard(&self) -> bool {
            self.unheard
        }

        /// Whether [`keep_only`](Self::keep_only) may find something to do though the paths are the same.
        pub fn is_incomplete(&self) -> bool {
            self.incomplete
        }

        /// Watches exactly `paths` from now on. A path that cannot be watched is left to the tick.
        // O(paths); called when the set may have changed. A file that was replaced drops its own watch (see `drain`),
        // so its path is watched anew here.
        pub fn keep_only<'p>(&mut self, paths: impl Iterator<Item = &'p Path>) {
            let wanted: std::collections::HashSet<&Path> = paths.collect();
            let Self { inotify, by_path, by_watch, incomplete, .. } = self;
            *incomplete = false;
            by_path.retain(|path, watch| {
                let keep = wanted.contains(path.as_path());
                if !keep {
                    by_watch.remove(watch);
                    let _ = remove_watch(&*inotify, *watch);
                }
                keep
            });
            for path in wanted {
                if by_path.contains_key(path) {
                    continue;
                }
                let flags =
                    WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF;
                match add_watch(&*inotify, path, flags) {
                    // Two paths to one file share a watch; the later one is woken, the tick serves both.
                    Ok(watch) => {
                        by_path.insert(path.to_owned(), watch);
                        by_watch.insert(watch, path.to_owned());
                    }
                    Err(_) => *incomplete = true,
                }
            }
        }

        /// Tells `changed` of every path whose file has changed, and leaves nothing unread: readiness is an edge, so
        /// what stayed would wake nobody. Bound: 16,384 events.
        pub fn drain(&mut self, mut changed: impl FnMut(&Path, Change)) {
            self.unheard = false;
            let mut space = [MaybeUninit::uninit(); 4096];
            let mut reader = Reader::new(&self.inotify, &mut space);
            let mut last = None;
            let mut replaced = Vec::new();
            let mut left = EVENTS_PER_DRAIN;
            while let Ok(event) = reader.next() {
                left -= 1;
                if left == 0 || event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                    // Some are lost, or still come faster than they are read. Anything may have changed, and every
                    // watch is made anew, as its end may be among them.
                    self.by_watch.values().for_each(|path| changed(path, Change::Identity));
                    replaced = self.by_watch.keys().copied().collect();
                    break;
                }
                let watch = event.wd();
                if event
                    .events()
                    .intersects(ReadFlags::IGNORED | ReadFlags::MOVE_SELF | ReadFlags::DELETE_SELF)
                {
                    replaced.push(watch);
                }
                let change = match event.events().contains(ReadFlags::MODIFY) {
                    true => Change::Content,
                    false => Change::Identity,
                };
                if last.replace((watch, change)) != Some((watch, change))
                    && let Some(path) = self.by_watch.get(&watch)
                {
                    changed(path, change);
                }
            }
            self.incomplete |= !replaced.is_empty();
            for watch in replaced {
                if let Some(path) = self.by_watch.remove(&watch) {
                    self.by_path.remove(&path);
                    let _ = remove_watch(&self.inotify, watch);
                }
            }
        }
    }

    impl AsRawFd for FileWatch {
        fn as_raw_fd(&self) -> RawFd {
            self.inotify.as_raw_fd()
        }
    }

    #[cfg(test)]
    mod tests {
        use std::collections::BTreeSet;
        use std::fs::{File, OpenOptions, rename};
        use std::io::Write;

        use super::*;

        #[test]
        fn whatever_the_number_of_events_each_change_is_told_and_no_watch_is_lost() {
            // Beyond 16,384 the kernel itself drops events.
            for writes in [1, 3_000, 20_000] {
                let folder = tempfile::tempdir().unwrap();
                let paths = ["a", "b", "moved"].map(|name| folder.path().join(name));
                paths.iter().for_each(|path| drop(File::create(path).unwrap()));
                let mut watch = FileWatch::new().unwrap();
                watch.keep_only(paths.iter().map(PathBuf::as_path));
                assert!(!watch.is_incomplete());
                // Alternately: the kernel joins equal events that follow each other.
                let mut files =
                    [&paths[0], &paths[1]].map(|path| OpenOptions::new().append(true).open(path).unwrap());
                for number in 0..writes {
                    files[number % 2].write_all(b"x").unwrap();
                }
                rename(&paths[2], folder.path().join("away")).unwrap();
                let mut told = BTreeSet::new();
                watch.drain(|path, change| {
                    told.insert((path.to_owned(), change));
                });
                let [a, b, moved] = paths;
                let written = [a, b].into_iter().take(writes).map(|path| (path, Change::Content));
                let expected: BTreeSet<_> = written.chain([(moved, Change::Identity)]).collect();
                // Where some were lost, anything may have happened.
                let told_enough = match writes {
                    20_000 => expected.iter().all(|(path, _)| told.iter().any(|(told, _)| told == path)),
                    _ => told == expected,
                };
                assert!(told_enough, "{writes} writes: {told:?}");
                assert!(watch.is_incomplete(), "the moved file's path is to be watched anew");
            }
        }

        #[test]
        fn while_a_hint_is_put_off_equal_ones_join_it_and_wake_nobody() {
            let folder = tempfile::tempdir().unwrap();
            let paths = ["busy", "quiet"].map(|name| folder.path().join(name));
            let [mut busy, mut quiet] = paths.each_ref().map(|path| File::create(path).unwrap());
            let mut watch = FileWatch::new().unwrap();
            watch.keep_only(paths.iter().map(PathBuf::as_path));
            let mut poll = mio::Poll::new().unwrap();
            let descriptor = watch.as_raw_fd();
            let interest = mio::Interest::READABLE;
            poll.registry().register(&mut mio::unix::SourceFd(&descriptor), mio::Token(0), interest).unwrap();
            let mut is_woken = || {
                let mut events = mio::Events::with_capacity(1);
                poll.poll(&mut events, Some(std::time::Duration::ZERO)).unwrap();
                !events.is_empty()
            };
            busy.write_all(b"one\n").unwrap();
            assert!(is_woken());
            watch.put_off();
            for _ in 0..1000 {
                busy.write_all(b"more\n").unwrap();
                assert!(!is_woken());
            }
            quiet.write_all(b"one\n").unwrap();
            assert!(is_woken(), "another file's hint is not an equal one");
            assert!(watch.has_unheard());
            let mut told = Vec::new();
            watch.drain(|path, change| told.push((path.to_owned(), change)));
            assert_eq!(told, paths.map(|path| (path, Change::Content)));
            assert!(!watch.has_unheard());
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod file_watch {
    use std::io;
    use std::os::fd::{AsRawFd, RawFd};
    use std::path::Path;

    use super::Change;

    /// Elsewhere the tick alone follows the files.
    #[derive(Debug)]
    pub struct FileWatch;

    impl FileWatch {
        /// There is no such thing here.
        ///
        /// # Errors
        /// Always.
        pub fn new() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        /// There is nothing to complete.
        pub fn is_incomplete(&self) -> bool {
            false
        }

        /// Nothing is watched.
        pub fn keep_only<'p>(&mut self, _: impl Iterator<Item = &'p Path>) {}

        /// There is nothing to put off.
        pub fn put_off(&mut self) {}

        /// There is nothing to hear.
        pub fn has_unheard(&self) -> bool {
            false
        }

        /// Nothing is told.
        pub fn drain(&mut self, _: impl FnMut(&Path, Change)) {}
    }

    impl AsRawFd for FileWatch {
        fn as_raw_fd(&self) -> RawFd {
            -1
        }
    }
}
