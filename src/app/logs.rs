//! What there is to watch, and what is being watched.
//!
//! Knows logs and the ids of their viewers; no sockets, no protocol. A log is followed from its first viewer to its
//! last: one follower each, however many watch.

use std::cell::RefCell;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde::Serialize;

use super::access::users::Visitor;
use super::changes::{Changes, is_kept};
use super::filters::Filters;
use super::wake::Change;
use super::wire::Frames;
use crate::net::ConnId;
use crate::tail::archive::Archives;
use crate::tail::beneath::{OpenError, Stat};
use crate::tail::catalogue::{Bookmark, Catalogue, LogEntry, LogKind, LogState, Page, RESCAN, Source};
use crate::tail::disk::File;
use crate::tail::room::{self, WriteError};
use crate::tail::{Cursor, Feed};

/// When lines pour, they are gathered for this long and leave as one frame; after a quiet moment a line leaves at once.
const GATHER: Duration = Duration::from_millis(5);
/// The same for each viewer, if that is longer: what leaves costs a write for each of them, of 4 to 6 µs, and that is to
/// take up no more than a third of the time. Up to [`MOST_GATHERED`].
const GATHER_FOR_EACH: Duration = Duration::from_micros(18);
const MOST_GATHERED: Duration = Duration::from_millis(100);
/// So many files are looked at in a turn: with what follows for a viewer of each, that takes two milliseconds or so.
const LOOKS: usize = 128;
/// For this long after its last growth a log's viewers are still told how far they lag.
const SETTLE: Duration = Duration::from_millis(1100);

/// The catalogue, and the logs somebody watches.
pub struct Logs {
    catalogue: Catalogue,
    watched: BTreeMap<Rc<str>, Watched>,
    /// What each viewer watches.
    watches: HashMap<ConnId, Rc<str>>,
    /// The watched logs that are at a path.
    by_path: HashMap<PathBuf, Vec<Rc<str>>>,
    /// The last one that was looked at, where not all could be that were due.
    looked_at: Option<Rc<str>>,
    /// Logs that may have something new for viewers who wait.
    news: Vec<Rc<str>>,
    /// A log was opened or closed since [`take_opened_or_closed`](Self::take_opened_or_closed) was asked.
    opened_or_closed: bool,
    tick: Duration,
    /// The catalogue that will take the place of this one when it has been looked at.
    next_catalogue: Option<Catalogue>,
    /// Who waits for the list to change.
    list_waiters: HashSet<ConnId>,
    /// The version of the list that they were told of last.
    told: u64,
    /// Which run of the program this is: in another one the versions of the list mean nothing.
    run: u32,
    /// The filters that are in use.
    pub filters: Filters,
    /// What is unpacked beside all logs. It stays for a while, also when nobody watches: a log that is polled is opened anew
    /// for each poll.
    archives: Rc<RefCell<Archives>>,
}

/// One log that is being watched.
pub struct Watched {
    /// What its viewers read from.
    pub feed: Feed<Frames>,
    viewers: Vec<ConnId>,
    path: PathBuf,
    next_look: Instant,
    /// What the file system has said since the last look.
    hinted: Option<Change>,
    last_growth: Instant,
}

/// The catalogue as `/api/logs` tells it.
#[derive(Debug, Serialize)]
pub struct LogInfo<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    aliases: &'a [String],
    group: &'a str,
    kind: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    size: Option<u64>,
    /// Milliseconds since 1970.
    modified: Option<u64>,
    viewers: usize,
    /// Whether this visitor may write into it.
    writable: bool,
}

/// What a slice of looking for files has come to.
#[derive(Debug)]
pub struct Rescanned {
    /// When the next one is due.
    pub due: Instant,
    /// Who waited for the list to change, if it has.
    pub waiters: Vec<ConnId>,
    /// Viewers of logs that are not served any more, or are to be read another way; or whose name is another log's by now.
    pub displaced: Vec<ConnId>,
    /// What has changed with another catalogue, if it has just taken over.
    pub changes: Option<Changes>,
}

/// A version of the list of logs: the run of the program, and a number that grows with each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    run: u32,
    number: u64,
}

impl Version {
    /// Which one of its run.
    pub fn number(self) -> u64 {
        self.number
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}.{}", self.run, self.number)
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (run, number) = text.split_once('.').ok_or(())?;
        let run = u32::from_str_radix(run, 16).map_err(|_| ())?;
        Ok(Self { run, number: number.parse().map_err(|_| ())? })
    }
}

impl Watched {
    /// When what has come since the last growth may leave.
    fn gathered_at(&self) -> Instant {
        let viewers = u32::try_from(self.viewers.len()).unwrap_or(u32::MAX);
        self.last_growth + GATHER_FOR_EACH.saturating_mul(viewers).clamp(GATHER, MOST_GATHERED)
    }
}

impl Logs {
    /// Nothing is watched yet; a growing file will be looked at every `tick`, at the quickest. `run` is another number each
    /// time the program is started.
    pub fn new(catalogue: Catalogue, tick: Duration, run: u32) -> Self {
        let (watched, news, filters) = (BTreeMap::new(), Vec::new(), Filters::default());
        let (list_waiters, told) = (HashSet::new(), catalogue.version());
        let (opened_or_closed, next_catalogue, archives) = (false, None, Rc::default());
        Self {
            catalogue,
            watched,
            watches: HashMap::new(),
            by_path: HashMap::new(),
            looked_at: None,
            news,
            opened_or_closed,
            tick,
            next_catalogue,
            list_waiters,
            told,
            run,
            filters,
            archives,
        }
    }

    /// The name by which the catalogue lists the log of this name, which may be one of several that it has. To a visitor
    /// who may not see it, it is none.
    pub fn resolve(&self, name: &str, visitor: &Visitor) -> Option<Rc<str>> {
        let entry = self.catalogue.find(name).filter(|entry| visitor.sees(entry))?;
        Some(Rc::from(entry.name.as_str()))
    }

    /// The file of `name`, open, and what it is.
    ///
    /// # Errors
    /// When it is not listed, or cannot be read.
    pub fn open(&self, name: &str) -> Result<(File, Stat), OpenError> {
        let entry = self.catalogue.find(name).ok_or(OpenError::Missing)?;
        let file = entry.root.open_file(&entry.rel)?;
        let stat = Stat::of(&file)?;
        Ok((file, stat))
    }

    /// The place at `offset` of a file that lies beside the log `name` and is called like it with `ending` behind it; of its
    /// own, if that is nothing. None if it cannot be read.
    pub fn cursor_in(&self, name: &str, ending: &str, offset: u64) -> Option<Cursor> {
        let entry = self.catalogue.find(name)?;
        let mut rel = entry.rel.clone().into_os_string();
        rel.push(ending);
        entry.cursor_in(Path::new(&rel), offset).ok()
    }

    /// Something about the log `name` has changed that is not in its file, which may be another one by now.
    pub fn touch(&mut self, name: &str, now: Instant) {
        self.catalogue.touch(name);
        if let Some(entry) = self.catalogue.find(name) {
            let path = entry.root.path().join(&entry.rel);
            self.hint(&path, Change::Identity, now);
        }
    }

    /// Whether parts of the log `name` are masked: then nobody may have its bytes.
    pub fn redacts(&self, name: &str) -> bool {
        self.catalogue.find(name).is_some_and(|entry| entry.lens.redacts())
    }

    /// Whether visitors may write into `name`.
    pub fn is_room(&self, name: &str) -> bool {
        self.catalogue.find(name).is_some_and(|entry| entry.kind == LogKind::Room)
    }

    /// Writes a line into `name`, and looks at it at the next occasion, as if the file system had told of it. Gives the place
    /// behind the line.
    ///
    /// # Errors
    /// When it is not listed, is full with `most` bytes, or cannot be written.
    pub fn write(
        &mut self,
        name: &str,
        line: &str,
        most: u64,
        now: Instant,
    ) -> Result<Option<Cursor>, WriteError> {
        let entry = self.catalogue.find(name).ok_or(WriteError::Open(OpenError::Missing))?;
        let cursor = room::write_line(&entry.root, &entry.rel, &entry.lens, line, most)?;
        let path = entry.root.path().join(&entry.rel);
        // It may have been made for this line, where another one was.
        self.hint(&path, Change::Identity, now);
        Ok(cursor)
    }

    /// Some of the logs that `visitor` may see and that have changed since the list had the version `since`, as they are
    /// told, and where to go on.
    // O(most), a log is opened for a moment to be told of.
    pub fn infos(
        &self,
        after: Option<&Bookmark>,
        since: u64,
        most: usize,
        visitor: &Visitor,
    ) -> (Vec<LogInfo<'_>>, Option<Bookmark>) {
        let Page { logs, next } = self.catalogue.page(after, since, most);
        let seen = logs.into_iter().filter(|entry| visitor.sees(entry));
        (seen.map(|entry| self.info(entry, visitor)).collect(), next)
    }

    /// The version of the list.
    pub fn version(&self) -> Version {
        Version { run: self.run, number: self.catalogue.version() }
    }

    /// The names that have left the list since it had that version, of logs that `visitor` might have seen; if that is
    /// known.
    pub fn removed_since(&self, since: Version, visitor: &Visitor) -> Option<Vec<String>> {
        let known = since.run == self.run && since.number <= self.catalogue.version();
        let removed = if known { self.catalogue.removed_since(since.number) } else { None };
        let seen = removed?.into_iter().filter(|removed| visitor.saw(&removed.name, &removed.group));
        Some(seen.map(|removed| removed.name.clone()).collect())
    }

    /// `waiter` wants to know when the list has changed.
    pub fn await_list(&mut self, waiter: ConnId) {
        self.list_waiters.insert(waiter);
    }

    fn info<'a>(&self, entry: &'a LogEntry, visitor: &Visitor) -> LogInfo<'a> {
        let (state, why, size, modified) = match entry.state() {
            LogState::Ok { size, modified } => {
                let since_1970 = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
                ("ok", None, Some(size), u64::try_from(since_1970.as_millis()).ok())
            }
            LogState::Missing if entry.kind == LogKind::Job => {
                ("missing", Some("It has not been run yet.".to_owned()), None, None)
            }
            LogState::Missing => ("missing", Some("It does not exist yet.".to_owned()), None, None),
            LogState::Refused(why) => ("refused", Some(why), None, None),
        };
        let viewers = self.watched.get(entry.name.as_str()).map_or(0, |watched| watched.viewers.len());
        let kind = match entry.kind {
            LogKind::File => "file",
            LogKind::Stdin => "stdin",
            LogKind::Job => "job",
            LogKind::Room => "room",
        };
        LogInfo {
            name: &entry.name,
            aliases: &entry.aliases,
            group: &entry.group,
            kind,
            state,
            why,
            size,
            modified,
            viewers,
            writable: entry.kind == LogKind::Room && visitor.may_write(),
        }
    }

    /// `viewer` watches `name` from now on; the first viewer opens it. `None` if the catalogue does not list it, or if its name
    /// is still that of another log for some who watch that, which the next [`rescan`](Self::rescan) puts an end to.
    pub fn watch(&mut self, name: &Rc<str>, viewer: ConnId, now: Instant) -> Option<&mut Watched> {
        if let Some(watched) = self.watched.get(name) {
            if self.is_another(name, watched) {
                return None;
            }
        } else {
            let entry = self.catalogue.find(name)?;
            let path = entry.root.path().join(&entry.rel);
            let (archives, root) = (Rc::clone(&self.archives), Rc::clone(&entry.root));
            let feed = Feed::sharing(archives, root, entry.rel.clone(), Rc::clone(&entry.lens), now);
            log::debug!("{name}: opened");
            let watched =
                Watched { feed, viewers: Vec::new(), path, next_look: now, hinted: None, last_growth: now };
            self.by_path.entry(watched.path.clone()).or_default().push(Rc::clone(name));
            self.watched.insert(Rc::clone(name), watched);
            self.opened_or_closed = true;
        }
        let watched = self.watched.get_mut(name)?;
        watched.viewers.push(viewer);
        self.watches.insert(viewer, Rc::clone(name));
        Some(watched)
    }

    /// Whether the catalogue calls another log `name` now than the one that is being watched by it: a name becomes free when a
    /// log leaves the list, though somebody may still watch that.
    fn is_another(&self, name: &str, watched: &Watched) -> bool {
        let is_at = |entry: &LogEntry| {
            watched.path.strip_prefix(entry.root.path()).is_ok_and(|beneath| beneath == entry.rel)
        };
        self.catalogue.find(name).is_some_and(|entry| !is_at(entry))
    }

    /// `viewer` watches nothing any more; the last viewer closes a log.
    // O(viewers of that log).
    pub fn unwatch(&mut self, viewer: ConnId) {
        self.list_waiters.remove(&viewer);
        let Some(name) = self.watches.remove(&viewer) else { return };
        let Some(watched) = self.watched.get_mut(&name) else { return };
        watched.viewers.retain(|&other| other != viewer);
        if watched.viewers.is_empty() {
            self.close(&name);
        }
    }

    /// The log `name` is not followed any more. Gives those who still watch it, if anybody does.
    fn close(&mut self, name: &Rc<str>) -> Vec<ConnId> {
        let Some(watched) = self.watched.remove(name) else { return Vec::new() };
        log::debug!("{name}: closed");
        self.opened_or_closed = true;
        if let Some(names) = self.by_path.get_mut(&watched.path) {
            names.retain(|other| other != name);
            if names.is_empty() {
                self.by_path.remove(&watched.path);
            }
        }
        for viewer in &watched.viewers {
            self.watches.remove(viewer);
        }
        watched.viewers
    }

    /// The log `name`, if somebody watches it. Whoever asks is about to read, and what one viewer reads first is news
    /// to the others.
    pub fn watched(&mut self, name: &Rc<str>) -> Option<&mut Watched> {
        self.watched.get_mut(name)
    }

    /// Whether a log was opened or closed since this was last asked.
    pub fn take_opened_or_closed(&mut self) -> bool {
        std::mem::take(&mut self.opened_or_closed)
    }

    /// The paths of the files that are being followed.
    pub fn watched_paths(&self) -> impl Iterator<Item = &Path> {
        self.watched.values().map(|watched| watched.path.as_path())
    }

    /// The file system says what happened at `path`: looks at once, or when lines have been gathered.
    pub fn hint(&mut self, path: &Path, change: Change, now: Instant) {
        for name in self.by_path.get(path).into_iter().flatten() {
            let Some(watched) = self.watched.get_mut(name) else { continue };
            watched.hinted = watched.hinted.max(Some(change));
            watched.next_look = watched.next_look.min(now.max(watched.gathered_at()));
        }
    }

    /// When the next log will have gathered its lines, if any is about that.
    pub fn gathered_at(&self, now: Instant) -> Option<Instant> {
        self.watched.values().map(Watched::gathered_at).filter(|&then| then > now).min()
    }

    /// Looks at watched files that are due, in turn. Bound: an fstat each, at times a stat by path, for 128 of them;
    /// the others stay due, and are the first in the next turn.
    pub fn look(&mut self, now: Instant) {
        self.archives.borrow_mut().close_unused(now);
        // From behind the one that was looked at last, and round.
        let names: Vec<Rc<str>> = match self.looked_at.take() {
            None => self.due(now, Bound::Unbounded, Bound::Unbounded).take(LOOKS).collect(),
            Some(last) => {
                let behind = self.due(now, Bound::Excluded(&last), Bound::Unbounded);
                behind.chain(self.due(now, Bound::Unbounded, Bound::Included(&last))).take(LOOKS).collect()
            }
        };
        if names.len() == LOOKS {
            self.looked_at = names.last().cloned();
        }
        for name in &names {
            let Some(watched) = self.watched.get_mut(name) else { continue };
            let has_news = match watched.hinted.take() {
                Some(Change::Identity) => watched.feed.look_now(now),
                Some(Change::Content) | None => watched.feed.look(now),
            };
            if has_news {
                watched.last_growth = now;
            }
            if now < watched.last_growth + SETTLE {
                self.news.push(Rc::clone(name));
            }
            let soonest = watched.gathered_at().max(now + self.tick);
            watched.next_look = watched.feed.next_look(now).max(soonest);
        }
    }

    fn due(&self, now: Instant, from: Bound<&Rc<str>>, to: Bound<&Rc<str>>) -> impl Iterator<Item = Rc<str>> {
        let watched = self.watched.range::<Rc<str>, _>((from, to));
        watched.filter(move |(_, watched)| watched.next_look <= now).map(|(name, _)| Rc::clone(name))
    }

    /// `name` may have new pieces for viewers who wait.
    pub fn note_news(&mut self, name: &Rc<str>) {
        if !self.news.contains(name) {
            self.news.push(Rc::clone(name));
        }
    }

    /// Whether any log may have something new for its viewers.
    pub fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Tells the viewers of all logs that may have something new for them.
    pub fn take_news(&mut self, tell: impl FnMut(ConnId)) {
        let watched = self.news.drain(..).filter_map(|name| self.watched.get(&name));
        watched.flat_map(|watched| &watched.viewers).copied().for_each(tell);
    }

    /// A slice of looking for new and vanished files, every two seconds.
    pub fn rescan(&mut self, now: Instant) -> Rescanned {
        let mut rescanned = Rescanned { due: now, waiters: Vec::new(), displaced: Vec::new(), changes: None };
        if let Some(next) = &mut self.next_catalogue {
            next.work(now, true);
            if next.rests() {
                if let Some(before) = self.change_over() {
                    rescanned.changes = Some(Changes::between(&before, &self.catalogue));
                    rescanned.displaced = self.displace(&before);
                }
                rescanned.waiters = self.list_waiters.drain().collect();
            }
            return rescanned;
        }
        rescanned.due = self.catalogue.work(now, !self.list_waiters.is_empty());
        if self.catalogue.rests() && self.catalogue.version() != self.told {
            self.told = self.catalogue.version();
            rescanned.waiters = self.list_waiters.drain().collect();
            let others = self.watched.iter().filter(|(name, watched)| self.is_another(name, watched));
            let others: Vec<Rc<str>> = others.map(|(name, _)| Rc::clone(name)).collect();
            rescanned.displaced = others.iter().flat_map(|name| self.close(name)).collect();
        }
        rescanned
    }

    /// A catalogue of other sources, that finds the folders it has in common with this one open.
    ///
    /// # Errors
    /// If a name is given twice.
    pub fn next_catalogue(
        &self,
        sources: Vec<Source>,
        stdin: Option<&Path>,
        now: Instant,
    ) -> Result<Catalogue, String> {
        self.catalogue.succeeded_by(sources, stdin, now).map_err(|error| error.to_string())
    }

    /// Another catalogue takes the place of this one, as soon as it has been looked at.
    pub fn renew(&mut self, catalogue: Catalogue) {
        self.next_catalogue = Some(catalogue);
    }

    /// Changes over to the next catalogue. Gives the one before.
    fn change_over(&mut self) -> Option<Catalogue> {
        let before = std::mem::replace(&mut self.catalogue, self.next_catalogue.take()?);
        // The versions of one catalogue mean nothing in another.
        self.run = self.run.wrapping_add(1);
        self.told = self.catalogue.version();
        Some(before)
    }

    /// The viewers of what was in the catalogue `before`, and is not in this one, or is another log there.
    fn displace(&mut self, before: &Catalogue) -> Vec<ConnId> {
        let is_kept = |name: &str| match (before.find(name), self.catalogue.find(name)) {
            (Some(old), Some(new)) => is_kept(old, new),
            _ => false,
        };
        // Closed at once, though its viewers may take their time to leave: whoever comes next is not to share it with them.
        let lost: Vec<Rc<str>> = self.watched.keys().filter(|name| !is_kept(name)).cloned().collect();
        lost.iter().flat_map(|name| self.close(name)).collect()
    }

    /// The viewers of logs that they may not see any more, by the groups that those have now.
    pub fn trespassers(&self, visitor: impl Fn(ConnId) -> Visitor) -> Vec<ConnId> {
        let watched = self.watched.iter().filter_map(|(name, watched)| {
            self.catalogue.find(name).map(|entry| (entry, watched.viewers.as_slice()))
        });
        let pairs = watched.flat_map(|(entry, viewers)| viewers.iter().map(move |viewer| (entry, *viewer)));
        pairs.filter(|(entry, viewer)| !visitor(*viewer).sees(entry)).map(|(_, viewer)| viewer).collect()
    }

    /// When the next look at a log is due.
    pub fn next_look(&self, now: Instant) -> Instant {
        self.watched.values().map(|watched| watched.next_look).min().unwrap_or(now + RESCAN)
    }
}
