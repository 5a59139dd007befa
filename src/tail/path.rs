//! What stands at the log's path, and what follows from its change: another file, several, or none.
//!
//! Does not read logs; what it finds waits in the lineage until the head has read what came before.

use std::time::{Duration, Instant};

use crate::tail::beneath::{OpenError, Stat};
use crate::tail::follower::Follower;

/// A rotation leaves the path empty for a moment; that is not worth a word.
const GRACE: Duration = Duration::from_millis(250);

/// What stands at the log's path.
#[derive(Debug)]
pub(crate) enum AtPath {
    /// The last generation of the lineage.
    Last,
    /// Nothing that can be read.
    Nothing {
        /// When that was first seen.
        since: Instant,
        /// A sentence for people.
        why: String,
        /// It has lasted long enough to be told.
        told: bool,
    },
}

impl Follower {
    /// Why there is nothing to read at the path, if that has lasted.
    pub(crate) fn missing(&self) -> Option<&str> {
        match &self.at_path {
            AtPath::Nothing { why, told: true, .. } => Some(why),
            AtPath::Nothing { told: false, .. } | AtPath::Last => None,
        }
    }

    /// There is nothing to read at the path.
    pub(crate) fn is_path_empty(&self) -> bool {
        matches!(self.at_path, AtPath::Nothing { .. })
    }

    /// One `stat`; if it tells something new, a look through the folder.
    pub(crate) fn look_at_path(&mut self, now: Instant) {
        self.lineage.root().look_again();
        let stat = self.lineage.root().stat(self.lineage.rel());
        let is_last = stat.and_then(|stat| self.is_last(&stat, now));
        match is_last {
            Ok(true) => self.at_path = AtPath::Last,
            // If the path is empty, files may still have come and gone in between.
            Ok(false) | Err(_) => self.search(now),
        }
    }

    /// Is this the file of the last generation? If it was closed meanwhile, it is opened again, if it has not changed.
    fn is_last(&mut self, stat: &Stat, now: Instant) -> Result<bool, OpenError> {
        let id = self.lineage.last();
        let identity = (stat.device, stat.inode);
        let Some(last) = self.lineage.get(id).filter(|last| last.holder() == identity) else {
            return Ok(false);
        };
        if last.is_closed() {
            let file = self.lineage.root().open_file(self.lineage.rel())?;
            let (same, last) = (last.is_held_by(&file)?, self.lineage.get_mut(id));
            if let Some(last) = last.filter(|_| same) {
                last.take_up(file, now)?;
            }
        }
        let Some(last) = self.lineage.get_mut(id).filter(|last| last.file().is_some()) else {
            return Ok(false);
        };
        last.revive();
        if id == self.newest && !self.live.contains(&id) {
            self.live.push(id);
            self.update_head();
        }
        Ok(true)
    }

    /// The path does not name the last generation any more. Finds what has come since: what is there now, and what was
    /// rotated in and out again while nobody looked.
    ///
    /// All of that waits. What was written to our files up to now comes first, so they are to be read once more.
    fn search(&mut self, now: Instant) {
        self.look_for_cut(now);
        let last = self.lineage.last();
        let nothing = match self.lineage.find_successors(now) {
            Ok(nothing) => nothing,
            Err(why) => Some(why),
        };
        // An empty path is searched again and again; that alone is no news.
        if !self.is_path_empty() || last != self.lineage.last() {
            self.wake_all(now);
        }
        match nothing {
            None => self.at_path = AtPath::Last,
            Some(why) => self.nothing_at_path(&why, now),
        }
        // One that has come back is followed as what it is now.
        self.live.retain(|&id| self.lineage.get(id).is_some_and(|generation| !generation.has_ended()));
        self.update_head();
    }

    /// Makes sure that the file of the last generation still holds it. A look may have been long ago.
    fn look_for_cut(&mut self, now: Instant) {
        let id = self.lineage.last();
        let Some(last) = self.lineage.get(id).filter(|last| !last.has_ended()) else {
            return;
        };
        let same = last.file().is_none_or(|file| last.is_held_by(file).unwrap_or(true));
        if !same {
            self.cut(id, now);
        }
    }

    /// Looks at everything, as somebody wants to begin.
    pub(crate) fn look_well(&mut self, now: Instant) {
        self.look(true, now);
        self.look_for_cut(now);
    }

    /// There is nothing to read at the path. Whoever was told hears of the return only once a file could be opened.
    pub(crate) fn nothing_at_path(&mut self, why: &OpenError, now: Instant) {
        let since = match self.at_path {
            AtPath::Nothing { since, .. } => since,
            AtPath::Last => now,
        };
        let told = since + GRACE <= now || self.missing().is_some();
        self.at_path = AtPath::Nothing { since, why: why.to_string(), told };
    }
}
