//! The list itself: logs in their order, by name and by path, and what has changed since when.
//!
//! Knows nothing of sources but their order. What is listed, and by what name, is decided before.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Identity;
use super::entry::LogEntry;
use super::scan::Behind;

/// So many names that have left the list are remembered.
const REMOVED: usize = 1000;

/// In one go no more logs than so many for each that is given are passed over.
const PASSED_OVER: usize = 64;

/// Where a log stands on the list: by its source, and by its name.
pub(super) type Key = (usize, String);

/// All logs that are listed.
#[derive(Debug, Default)]
pub(super) struct List {
    listed: BTreeMap<Key, Listed>,
    by_name: HashMap<String, usize>,
    by_path: HashMap<PathBuf, Vec<Key>>,
    /// Those that no source finds any more, by when that was noticed.
    gone: BTreeSet<(Instant, Key)>,
    version: u64,
    /// What was taken off, and at which version.
    removed: VecDeque<(u64, Removed)>,
    /// Up to this version such names are forgotten.
    forgotten: u64,
}

/// One log that is listed.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) entry: LogEntry,
    pub(super) identity: Identity,
    /// What stood at its path when it was last looked at.
    behind: Option<Behind>,
    /// Since when no source finds it.
    gone: Option<Instant>,
    /// The version in which it last changed.
    changed: u64,
}

/// A log that was listed once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Removed {
    /// What it was called.
    pub name: String,
    /// What it was shown under.
    pub group: String,
}

/// A place in the list, to go on from.
#[derive(Clone, Debug)]
pub struct Bookmark(Key);

/// Some of the list.
#[derive(Debug)]
pub struct Page<'a> {
    /// In its order.
    pub logs: Vec<&'a LogEntry>,
    /// Where the rest begins, if there may be more.
    pub next: Option<Bookmark>,
}

impl List {
    /// The logs in their order.
    pub(super) fn entries(&self) -> impl ExactSizeIterator<Item = &LogEntry> {
        self.listed.values().map(|listed| &listed.entry)
    }

    /// See [`Catalogue::page`](super::Catalogue::page).
    pub(super) fn page(&self, after: Option<&Bookmark>, since: u64, most: usize) -> Page<'_> {
        let from = after.map_or(Bound::Unbounded, |Bookmark(key)| Bound::Excluded(key));
        let (mut logs, mut last) = (Vec::new(), None);
        for (key, listed) in self.listed.range::<Key, _>((from, Bound::Unbounded)).take(most * PASSED_OVER) {
            if listed.changed > since {
                logs.push(&listed.entry);
            }
            last = Some(key);
            if logs.len() == most {
                break;
            }
        }
        let end = self.listed.last_key_value().map(|(key, _)| key);
        Page { logs, next: last.filter(|last| Some(*last) != end).map(|last| Bookmark(last.clone())) }
    }

    /// See [`Catalogue::removed_since`](super::Catalogue::removed_since).
    pub(super) fn removed_since(&self, since: u64) -> Option<Vec<&Removed>> {
        if since < self.forgotten {
            return None;
        }
        let later = self.removed.iter().filter(|(version, _)| *version > since);
        let mut removed: Vec<&Removed> = later.map(|(_, removed)| removed).collect();
        // Who may see one group need not see another: there the name has left.
        removed.retain(|removed| self.find(&removed.name).is_none_or(|entry| entry.group != removed.group));
        removed.sort_unstable();
        removed.dedup();
        Some(removed)
    }

    /// See [`Catalogue::version`](super::Catalogue::version).
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The log of this name.
    pub(super) fn find(&self, name: &str) -> Option<&LogEntry> {
        let key = (*self.by_name.get(name)?, name.to_owned());
        self.listed.get(&key).map(|listed| &listed.entry)
    }

    /// The file that the source `watch` is.
    pub(super) fn outright(&self, watch: usize) -> Option<&LogEntry> {
        let own = self.listed.range((watch, String::new())..(watch + 1, String::new()));
        own.map(|(_, listed)| &listed.entry).find(|entry| entry.outright)
    }

    /// What is listed of the file at `path`.
    pub(super) fn at(&self, path: &Path) -> &[Key] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Listed> {
        self.listed.get(key)
    }

    /// A log that was not listed before.
    pub(super) fn insert(
        &mut self,
        watch: usize,
        identity: Identity,
        behind: Option<Behind>,
        entry: LogEntry,
    ) {
        self.version += 1;
        let key = (watch, entry.name.clone());
        self.put(key, Listed { entry, identity, behind, gone: None, changed: self.version });
    }

    /// A log is there, though another file may be by now; it is `watch` that finds it.
    pub(super) fn keep(
        &mut self,
        key: &Key,
        watch: usize,
        behind: Option<Behind>,
        renew: impl FnOnce(&mut LogEntry),
    ) {
        let Some(mut listed) = self.take(key) else { return };
        renew(&mut listed.entry);
        let was_gone = listed.gone.take().is_some();
        if std::mem::replace(&mut listed.behind, behind) != behind || was_gone {
            self.version += 1;
            listed.changed = self.version;
        }
        self.put((watch, key.1.clone()), listed);
    }

    /// See [`Catalogue::touch`](super::Catalogue::touch).
    pub(super) fn touch(&mut self, name: &str) {
        let Some(&watch) = self.by_name.get(name) else { return };
        if let Some(listed) = self.listed.get_mut(&(watch, name.to_owned())) {
            self.version += 1;
            listed.changed = self.version;
        }
    }

    /// No source finds this log any more, from `now` on if that is not known already.
    pub(super) fn mark_gone(&mut self, key: &Key, now: Instant) {
        let Some(listed) = self.listed.get_mut(key).filter(|listed| listed.gone.is_none()) else { return };
        self.version += 1;
        (listed.gone, listed.changed) = (Some(now), self.version);
        self.gone.insert((now, key.clone()));
    }

    /// Those that have been gone for at least `time`.
    pub(super) fn gone_for(&self, time: Duration, now: Instant) -> impl Iterator<Item = &Key> {
        let long = move |gone: Instant| now.saturating_duration_since(gone) >= time;
        self.gone.iter().take_while(move |(gone, _)| long(*gone)).map(|(_, key)| key)
    }

    /// Takes a log off the list.
    pub(super) fn remove(&mut self, key: &Key) -> Option<Listed> {
        let listed = self.take(key)?;
        self.version += 1;
        let removed = Removed { name: key.1.clone(), group: listed.entry.group.clone() };
        self.removed.push_back((self.version, removed));
        if self.removed.len() > REMOVED {
            self.forgotten = self.removed.pop_front().map_or(self.forgotten, |(version, _)| version);
        }
        Some(listed)
    }

    fn put(&mut self, key: Key, listed: Listed) {
        self.by_name.insert(key.1.clone(), key.0);
        self.by_path.entry(listed.identity.0.clone()).or_default().push(key.clone());
        self.listed.insert(key, listed);
    }

    fn take(&mut self, key: &Key) -> Option<Listed> {
        let listed = self.listed.remove(key)?;
        self.by_name.remove(&key.1);
        if let Some(gone) = listed.gone {
            self.gone.remove(&(gone, key.clone()));
        }
        let path = &listed.identity.0;
        if let Some(keys) = self.by_path.get_mut(path) {
            keys.retain(|other| other != key);
            if keys.is_empty() {
                self.by_path.remove(path);
            }
        }
        Some(listed)
    }
}
