//! What somebody asks of a log's past, done step by step: each step looks through 256 KiB at most, and less if the patterns
//! are costly, so nobody else waits.
//!
//! A [`Job`] belongs to who asks; it holds no file and no buffer, and dropping it ends it. It is worked on through the log's
//! [`Feed`](crate::tail::Feed), which has the files.
//!
//! Does not know who asks, nor how an answer is told.

use std::rc::Rc;
use std::time::Instant;

use crate::tail::archive::Unpacking;
use crate::tail::beneath::OpenError;
use crate::tail::cursor::Cursor;
use crate::tail::follower::Follower;
use crate::tail::generation::Begins;
use crate::tail::history::extent::Extent;
use crate::tail::history::index::Indexes;
use crate::tail::history::numbers::Numbers;
use crate::tail::history::scroll::Scroll;
use crate::tail::history::search::Search;
use crate::tail::history::seek::Seek;
use crate::tail::history::timestamps::{LastAt, TimeSpec};
use crate::tail::pattern::Filter;
use crate::tail::window::GapReason;

/// The most that one step reads.
pub(crate) const STEP: usize = 256 * 1024;

/// ... of a log that is shown as it is.
pub(crate) const SHORT_STEP: usize = 64 * 1024;

/// How much is looked through at once for a filter, unless a line is longer.
pub(crate) fn step_of(filter: &Filter) -> usize {
    filter.part().unwrap_or(STEP)
}

/// How much is looked through at once for somebody who scrolls, and how much room there must be for it.
pub(crate) fn scroll_step(filter: Option<&Filter>) -> (usize, usize) {
    filter.map_or((SHORT_STEP, SHORT_STEP), |filter| (step_of(filter), STEP))
}

/// What is asked for.
#[derive(Clone, Debug)]
pub enum Task {
    /// The lines before a place, the nearest first.
    Older {
        /// The place.
        before: Cursor,
        /// How many, counted after filtering.
        lines: usize,
    },
    /// The lines behind a place.
    Newer {
        /// The place.
        after: Cursor,
        /// How many, counted after filtering.
        lines: usize,
    },
    /// Where is that?
    Seek(SeekTo),
    /// All lines of the history that a filter shows, those nearest to a place first.
    Search {
        /// What is looked for.
        filter: Rc<Filter>,
        /// Where it is looked for first; without it, at the end.
        from: Option<Cursor>,
        /// So many are told, the others counted.
        most: usize,
    },
}

/// A place as people say it.
#[derive(Clone, Debug)]
pub enum SeekTo {
    /// The first byte of the oldest file that can be reached.
    Start,
    /// Behind the last byte.
    End,
    /// So much of the way through all files, by bytes, 0 to 100: the beginning of a line.
    Percent(f64),
    /// A line of the newest file, the first being 1.
    Line(u64),
    /// The first line that was not written before then, taking it that later lines have later times.
    Time(TimeSpec),
    /// The same, for the last time that it was so late.
    LastAt(LastAt),
    /// What is known of a cursor.
    Cursor(Cursor),
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Nothing to tell yet; go on.
    Again,
    /// What is to be read cannot be read now; try again in a while.
    Later,
    /// Something was found; go on.
    Found(Found),
    /// That was all.
    Done(Summary),
}

impl Work {
    /// Something cannot be read: what is being unpacked is only a matter of going on.
    pub(crate) fn without(why: &OpenError) -> Self {
        match why {
            OpenError::Packed => Self::Again,
            _ => Self::Later,
        }
    }
}

/// What a step found.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Lines of one file.
    Lines {
        /// The place before them.
        from: Cursor,
        /// The place behind them.
        to: Cursor,
        /// Valid UTF-8; only the lines that the filter shows, each with its newline.
        text: Rc<[u8]>,
        /// How many bytes of the source lie between the two places.
        bytes: u64,
        /// If `from` is the first byte of a file and another file lies before it: how it took that one's place.
        begins: Option<Begins>,
    },
    /// Bytes that cannot be had.
    Gap {
        /// The place before them.
        from: Cursor,
        /// The place behind them.
        to: Cursor,
        /// How many, if that is known.
        bytes: Option<u64>,
        /// Why.
        why: GapReason,
    },
    /// Lines that were searched for, the nearest first.
    Hits(Vec<Hit>),
    /// The place that was asked for.
    Place(Place),
    /// Numbers of lines that were told without one: the how manieth line it was of all that were told, from 0, and its number
    /// in its file, from 1.
    Numbers(Vec<(usize, u64)>),
}

/// A line that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Its beginning.
    pub cursor: Cursor,
    /// Its number in its file, from 1, if somebody has counted.
    pub line: Option<u64>,
    /// Its offset in its file.
    pub byte: u64,
    /// The name of its file, as it is now.
    pub file: Rc<str>,
    /// Its text, [`Hit::LONGEST`] bytes of it at most; valid UTF-8.
    pub text: String,
    /// What was looked for: where in the text, from and to, counted in UTF-16 units.
    pub marks: Vec<[usize; 2]>,
    /// Where in the whole history it lies, from 0 to 1.
    pub at: f64,
}

impl Hit {
    /// More of a line (in bytes) is not told.
    pub const LONGEST: usize = 1024;
}

/// Where something is.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The place.
    pub cursor: Cursor,
    /// The number of the line that begins there or that it lies in, from 1, if somebody has counted.
    pub line: Option<u64>,
    /// Its offset in its file.
    pub byte: u64,
    /// The name of its file, as it is now.
    pub file: Rc<str>,
    /// It is what was asked for; else, the nearest to that.
    pub exact: bool,
}

/// What came of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// There is more: further lines in that direction, or hits that were not told.
    pub more: bool,
    /// How many lines a search has found, those not told included.
    pub count: u64,
    /// The place that it was given is not there any more. So nothing is known of it; and a search began at the end.
    pub lost: bool,
}

/// How far a job has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What it does.
    pub what: Doing,
    /// So many bytes are done.
    pub done: u64,
    /// ... of so many, as far as they are known yet.
    pub total: u64,
    /// How many lines a search has found.
    pub count: u64,
    /// A search's finds along the whole history: [`BUCKETS`] numbers. Empty for other jobs.
    pub map: Vec<u64>,
}

impl From<Unpacking> for Progress {
    fn from(Unpacking { done, total }: Unpacking) -> Self {
        Self { what: Doing::Unpacking, done, total, ..Self::default() }
    }
}

/// In so many parts the map of a search divides the history.
pub const BUCKETS: usize = 256;

/// What takes so long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doing {
    /// Lines are looked at.
    #[default]
    Searching,
    /// Lines are counted.
    Counting,
    /// A compressed file is unpacked; the bytes are its own.
    Unpacking,
}

/// Something that was asked for and is not finished.
#[derive(Debug)]
pub struct Job {
    kind: Kind,
    // What the last step has unpacked.
    unpacking: Option<Unpacking>,
}

#[derive(Debug)]
enum Kind {
    Asked(Task, Option<Rc<Filter>>),
    Scroll(Scroll),
    Seek(Seek),
    Search(Box<Search>),
    Numbers(Numbers),
    /// What it was to begin at is not to be found any more.
    Lost(Option<Cursor>),
}

/// What a step works with: the log, what is known of its lines, and room for what it reads.
pub(crate) struct Bench<'a> {
    pub(crate) follower: &'a mut Follower,
    pub(crate) indexes: &'a mut Indexes,
    pub(crate) scratch: &'a mut [u8],
    pub(crate) now: Instant,
}

/// What a log keeps for the jobs on its past.
#[derive(Debug, Default)]
pub(crate) struct Past {
    indexes: Indexes,
    // What is read goes here; made for the first job.
    scratch: Vec<u8>,
}

impl Past {
    pub(crate) fn work(&mut self, job: &mut Job, follower: &mut Follower, now: Instant) -> Work {
        job.step(&mut self.bench(follower, now))
    }

    fn bench<'a>(&'a mut self, follower: &'a mut Follower, now: Instant) -> Bench<'a> {
        self.scratch.resize(STEP, 0);
        Bench { follower, indexes: &mut self.indexes, scratch: &mut self.scratch, now }
    }
}

impl Job {
    /// Does what is asked for who sees only the lines that `filter` shows; to a search it is of no matter. Nothing is done
    /// before the first step.
    pub fn new(task: Task, filter: Option<Rc<Filter>>) -> Self {
        Self::of(Kind::Asked(task, filter))
    }

    fn of(kind: Kind) -> Self {
        Self { kind, unpacking: None }
    }

    /// What is left of it once it is done: the numbers of the lines that were told without one.
    pub fn numbers(&mut self) -> Option<Self> {
        let owed = match &mut self.kind {
            Kind::Seek(seek) => std::mem::take(&mut seek.unnumbered),
            Kind::Search(search) => std::mem::take(&mut search.unnumbered),
            _ => Vec::new(),
        };
        (!owed.is_empty()).then(|| Self::of(Kind::Numbers(Numbers::of(owed))))
    }

    pub(crate) fn step(&mut self, bench: &mut Bench<'_>) -> Work {
        let _ = bench.follower.lineage.take_unpacking();
        let work = self.go_on(bench);
        self.unpacking = bench.follower.lineage.take_unpacking();
        work
    }

    fn go_on(&mut self, bench: &mut Bench<'_>) -> Work {
        match &mut self.kind {
            Kind::Asked(..) if !bench.follower.has_begun() => Work::Later,
            Kind::Asked(task, filter) => match begin(task, filter.as_ref(), bench) {
                Ok(kind) => {
                    self.kind = kind;
                    Work::Again
                }
                Err(why) => Work::without(&why),
            },
            Kind::Scroll(scroll) => scroll.step(bench),
            Kind::Seek(seek) => seek.step(bench),
            Kind::Search(search) => search.step(bench),
            Kind::Numbers(numbers) => numbers.step(bench),
            Kind::Lost(cursor) => lost(cursor.take()),
        }
    }

    pub(crate) fn progress(&self, follower: &Follower) -> Progress {
        let of_all = |done| Progress { done, total: Extent::of(follower).total(), ..Progress::default() };
        let progress = match &self.kind {
            Kind::Scroll(scroll) => of_all(scroll.seen),
            Kind::Seek(seek) => seek.progress(follower),
            Kind::Search(search) => search.progress(follower),
            Kind::Asked(..) | Kind::Numbers(_) | Kind::Lost(_) => Progress::default(),
        };
        match self.unpacking {
            Some(unpacking) => {
                let Progress { what, done, total, .. } = unpacking.into();
                Progress { what, done, total, ..progress }
            }
            None => progress,
        }
    }
}

/// An error if the places that it names cannot be looked for now.
fn begin(task: &Task, filter: Option<&Rc<Filter>>, bench: &mut Bench<'_>) -> Result<Kind, OpenError> {
    let filter = filter.cloned();
    Ok(match task {
        Task::Older { before, lines } => match bench.standing_of(before)? {
            Some(asked) => Kind::Scroll(Scroll::up(asked, *lines, filter)),
            None => Kind::Lost(Some(before.clone())),
        },
        Task::Newer { after, lines } => match bench.standing_of(after)? {
            Some(asked) => Kind::Scroll(Scroll::down(&asked, *lines, filter, bench)),
            None => Kind::Lost(Some(after.clone())),
        },
        Task::Seek(to) => Kind::Seek(Seek::new(to.clone())),
        Task::Search { filter, from, most } => {
            let standing = from.as_ref().map(|from| bench.standing_of(from)).transpose()?.flatten();
            let lost = from.is_some() && standing.is_none();
            let mut search = Search::new(Rc::clone(filter), standing, *most, bench);
            search.lost = lost;
            Kind::Search(Box::new(search))
        }
    })
}

/// Nobody knows how much lies between a place that is lost and what is there.
fn lost(cursor: Option<Cursor>) -> Work {
    match cursor {
        Some(at) => {
            Work::Found(Found::Gap { from: at.clone(), to: at, bytes: None, why: GapReason::Unknown })
        }
        None => Work::Done(Summary::default()),
    }
}
