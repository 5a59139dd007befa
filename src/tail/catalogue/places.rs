//! Which sources see what, path by path, and which paths are to be thought over because that has changed.
//!
//! Knows paths and the numbers of sources; what is to be listed of them is the catalogue's.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::rotated;

/// What all sources see.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The sources that see a path, in their order.
    seers: HashMap<PathBuf, Vec<usize>>,
    /// Files that are seen and may, by their names, be rotated parts of the one at a path.
    parts: HashMap<PathBuf, BTreeSet<PathBuf>>,
    /// Paths that are to be thought over.
    changed: BTreeSet<PathBuf>,
}

impl Places {
    /// Whether the source `index` sees `path`, or sees it no more; in any case something has changed there.
    pub(super) fn note(&mut self, path: PathBuf, index: usize, sees: bool) {
        let seers = self.seers.entry(path.clone()).or_default();
        match seers.binary_search(&index) {
            Err(at) if sees => seers.insert(at, index),
            Ok(at) if !sees => drop(seers.remove(at)),
            Ok(_) | Err(_) => {}
        }
        let seen = !seers.is_empty();
        if !seen {
            self.seers.remove(&path);
        }
        for base in bases(&path) {
            let parts = self.parts.entry(base.clone()).or_default();
            if seen {
                parts.insert(path.clone());
            } else {
                parts.remove(&path);
            }
            if parts.is_empty() {
                self.parts.remove(&base);
            }
        }
        self.think_over_parts_of(&path);
        self.changed.insert(path);
    }

    /// The sources that see `path`.
    pub(super) fn seers(&self, path: &Path) -> &[usize] {
        self.seers.get(path).map_or(&[], Vec::as_slice)
    }

    /// Whether a file is a log or a rotated part of one may be another question now.
    pub(super) fn think_over_parts_of(&mut self, path: &Path) {
        if let Some(parts) = self.parts.get(path) {
            self.changed.extend(parts.iter().cloned());
        }
    }

    /// All that is seen is to be thought over.
    pub(super) fn think_over_all(&mut self) {
        self.changed.extend(self.seers.keys().cloned());
    }

    /// The next path that is to be thought over.
    pub(super) fn next(&mut self) -> Option<PathBuf> {
        self.changed.pop_first()
    }
}

/// The paths of the logs that the one at `path` may be a rotated part of.
pub(super) fn bases(path: &Path) -> impl Iterator<Item = PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    rotated::bases(&name).into_iter().map(|base| path.with_file_name(base))
}
