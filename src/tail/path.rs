//! What stands at the log's path, and what follows from its change: another file, several, or none.
//!
//! Does not read logs; what it finds waits in the lineage until the head has read what came before.

use std::time::{Duration, Instant};

use crate::tail::beneath::OpenError;
use crate::tail::follower::Follower;
use crate::tail::generation::{Generation, Glance};
use crate::tail::holder::Holder;
use crate::tail::standing::GenerationId;

/// A rotation leaves the path empty for a moment; that is not worth a word.
const GRACE: Duration = Duration::from_millis(250);

/// What stands at the log's path.
#[derive(Debug)]
pub(crate) enum AtPath {
    /// The last generation of the lineage.
    Last,
    /// Nothing that can be read.
    Nothing {
        /// When that was first seen; once it was told, when the reason was first seen.
        since: Instant,
        /// The reason, a sentence for people.
        why: String,
        /// There certainly is no file; otherwise there may be one, and it cannot be read for now.
        gone: bool,
        /// The reason that has lasted long enough to be told.
        told: Option<String>,
    },
}

/// Nobody can tell for now. The file counts as unreadable.
#[derive(Debug)]
pub(crate) struct Undecided;

impl AtPath {
    /// Nothing that can be read, and why: told at once, as somebody wants to read it just now.
    fn nothing(why: &OpenError, now: Instant) -> Self {
        let said = why.to_string();
        Self::Nothing { since: now, why: said.clone(), gone: !why.tells_nothing(), told: Some(said) }
    }
}

impl Follower {
    /// Why there is nothing to read at the path, if that has lasted.
    pub(crate) fn missing(&self) -> Option<&str> {
        match &self.at_path {
            AtPath::Nothing { told, .. } => told.as_deref(),
            AtPath::Last => None,
        }
    }

    /// There is nothing to read at the path.
    pub(crate) fn is_path_empty(&self) -> bool {
        matches!(self.at_path, AtPath::Nothing { .. })
    }

    /// There is certainly no file at the path.
    pub(crate) fn is_path_deserted(&self) -> bool {
        matches!(self.at_path, AtPath::Nothing { gone: true, .. })
    }

    /// One `stat`; if it tells something new, a look through the folder.
    pub(crate) fn look_at_path(&mut self, now: Instant) {
        self.lineage.root().look_again();
        let last = self.lineage.get(self.lineage.last()).map(Generation::holder);
        let is_last = match self.lineage.root().stat(self.lineage.rel()) {
            Ok(stat) if last == Some(Holder::plain(&stat)) => self.follow_last(now),
            Err(why) if why.tells_nothing() => Err(why),
            // If the path is empty, files may still have come and gone in between.
            Ok(_) | Err(_) => Ok(false),
        };
        match is_last {
            Ok(true) => self.found_at_path(),
            Ok(false) => self.search(now),
            Err(why) => self.nothing_at_path(&why, now),
        }
    }

    /// The path names the file of the last generation, if it has not changed. If that was closed meanwhile, it is opened
    /// again.
    fn follow_last(&mut self, now: Instant) -> Result<bool, OpenError> {
        let id = self.lineage.last();
        if let Some(last) = self.lineage.get(id).filter(|last| last.is_closed()) {
            let file = self.lineage.root().open_file(self.lineage.rel())?;
            let (same, glance) = (last.is_held_by(&file)?, Glance::at(&file)?);
            last.try_reading(&file)?;
            if let Some(last) = self.lineage.get_mut(id).filter(|_| same) {
                last.take_up(file, glance, now);
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
        if self.look_for_cut(now).is_err() {
            // Among what lies beside the log may be the copy.
            return;
        }
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
            None => self.found_at_path(),
            Some(why) => self.nothing_at_path(&why, now),
        }
        // One that has come back is followed as what it is now.
        self.live.retain(|&id| self.lineage.get(id).is_some_and(|generation| !generation.has_ended()));
        self.update_head();
    }

    /// Makes sure that the file of the last generation still holds it. A look may have been long ago. An error if nobody can
    /// tell for now, or if it was cut and nobody can tell what has become of it.
    fn look_for_cut(&mut self, now: Instant) -> Result<(), Undecided> {
        let id = self.lineage.last();
        match self.lineage.is_last_cut(now) {
            Ok(false) => Ok(()),
            Ok(true) => self.cut(id, now),
            Err(why) => {
                self.fail(id, &why, now);
                Err(Undecided)
            }
        }
    }

    /// Takes in the next older sibling, see [`extend_back`](crate::tail::lineage::Lineage::extend_back). A copy of the last
    /// generation is not older, so first it is made sure where that is.
    pub(crate) fn extend_back(&mut self, now: Instant) -> Result<Option<GenerationId>, OpenError> {
        self.make_sure_of_last(now)?;
        self.lineage.extend_back(now)
    }

    /// Finds out which file holds the last generation now: as long as nobody knows that, a copy of it would be taken for
    /// another one. An error if nobody can tell.
    pub(crate) fn make_sure_of_last(&mut self, now: Instant) -> Result<(), OpenError> {
        self.lineage.make_open(self.lineage.last(), now)?;
        self.look_for_cut(now).map_err(|Undecided| OpenError::Io(std::io::ErrorKind::Other.into()))
    }

    /// Looks at everything, as somebody wants to begin.
    pub(crate) fn look_well(&mut self, now: Instant) {
        self.look(true, now);
        // What cannot be told now will be told by a later look.
        let _ = self.look_for_cut(now);
    }

    /// There is nothing to begin with.
    pub(crate) fn nothing_at_beginning(&mut self, why: &OpenError, now: Instant) {
        match self.at_path {
            AtPath::Last => self.at_path = AtPath::nothing(why, now),
            AtPath::Nothing { .. } => self.nothing_at_path(why, now),
        }
    }

    /// There is nothing to read at the path. Whoever was told hears of the return only once a file could be opened.
    pub(crate) fn nothing_at_path(&mut self, why: &OpenError, now: Instant) {
        let (gone, why) = (!why.tells_nothing(), why.to_string());
        let (since, told) = match std::mem::replace(&mut self.at_path, AtPath::Last) {
            // Another reason is told once it has lasted as well.
            AtPath::Nothing { why: before, told: told @ Some(_), .. } if before != why => (now, told),
            AtPath::Nothing { since, told, .. } => (since, told),
            AtPath::Last => (now, None),
        };
        let told = if since + GRACE <= now { Some(why.clone()) } else { told };
        self.at_path = AtPath::Nothing { since, why, gone, told };
    }

    /// The file of the last generation is at the path. Whether it can be read is another matter.
    fn found_at_path(&mut self) {
        if !self.lineage.get(self.lineage.last()).is_some_and(Generation::is_failing) {
            self.at_path = AtPath::Last;
        }
    }
}
