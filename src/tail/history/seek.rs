//! Finding a place that people name: start, end, percent, a line, a time.
//!
//! Does not know who asks.

use crate::tail::beneath::OpenError;
use crate::tail::follower::Follower;
use crate::tail::generation::Generation;
use crate::tail::history::bisect::{Bisect, Bisected};
use crate::tail::history::extent::Extent;
use crate::tail::history::index::{Counted, to_count};
use crate::tail::history::job::{Bench, Doing, Found, Place, Progress, SeekTo, Summary, Work};
use crate::tail::history::latest::{Latest, Looked};
use crate::tail::history::numbers::Unnumbered;
use crate::tail::history::timestamps::TimeSpec;
use crate::tail::standing::GenerationId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Seek {
    to: SeekTo,
    // All files are known, if that matters.
    whole: bool,
    latest: Option<Latest>,
    bisect: Option<Bisect>,
    over: bool,
    seen: u64,
    /// The place, if it was told without its line's number.
    pub(crate) unnumbered: Vec<Unnumbered>,
}

/// What is known of where it is.
enum Sought {
    At { id: GenerationId, offset: u64, exact: bool },
    NotYet,
    Later,
    Nowhere,
}

impl Seek {
    pub(crate) fn new(to: SeekTo) -> Self {
        let whole = matches!(to, SeekTo::End | SeekTo::Line(_) | SeekTo::Cursor(_));
        Self { to, whole, latest: None, bisect: None, over: false, seen: 0, unnumbered: Vec::new() }
    }

    /// One read, or one more file.
    pub(crate) fn step(&mut self, bench: &mut Bench<'_>) -> Work {
        if self.over {
            return Work::Done(Summary::default());
        }
        if !self.whole {
            return match bench.follower.extend_back(bench.now) {
                Ok(older) => {
                    self.whole = older.is_none();
                    Work::Again
                }
                Err(why) => Work::without(&why),
            };
        }
        match self.look(bench) {
            Sought::NotYet => Work::Again,
            Sought::Later => Work::Later,
            Sought::Nowhere => Work::Done(Summary { lost: true, ..Summary::default() }),
            Sought::At { id, offset, exact } => {
                self.over = true;
                let Some(cursor) = bench.cursor(id, offset) else { return Work::Again };
                let (line, file) = (bench.line_at(id, offset), bench.file_name(id));
                if line.is_none() {
                    self.unnumbered.push(Unnumbered { id, offset, which: 0 });
                }
                Work::Found(Found::Place(Place { cursor, line, byte: offset, file, exact }))
            }
        }
    }

    fn look(&mut self, bench: &mut Bench<'_>) -> Sought {
        match &self.to {
            SeekTo::Start => match Extent::of(bench.follower).at(0) {
                Some((id, offset)) => Sought::At { id, offset, exact: true },
                None => end(bench, true),
            },
            SeekTo::End => end(bench, true),
            SeekTo::Percent(percent) => share(*percent, bench),
            SeekTo::Line(line) => self.line(*line, bench),
            SeekTo::Time(goal) => self.time(*goal, bench),
            SeekTo::LastAt(last_at) => {
                let last_at = *last_at;
                let latest = self.latest.get_or_insert_with(|| Latest::new(bench.follower));
                match latest.step(bench) {
                    Looked::NotYet(read) => {
                        self.seen += read;
                        Sought::NotYet
                    }
                    Looked::Later => Sought::Later,
                    Looked::At(last) => {
                        self.to = SeekTo::Time(last_at.before(&last));
                        Sought::NotYet
                    }
                    Looked::Nowhere => end(bench, false),
                }
            }
            SeekTo::Cursor(cursor) => match bench.standing_of(cursor) {
                Ok(Some(at)) => {
                    let spot = at.newest();
                    Sought::At { id: spot.id, offset: spot.place.offset, exact: true }
                }
                Ok(None) => Sought::Nowhere,
                Err(OpenError::Packed) => Sought::NotYet,
                Err(_) => Sought::Later,
            },
        }
    }

    fn time(&mut self, goal: TimeSpec, bench: &mut Bench<'_>) -> Sought {
        let bisect = self.bisect.get_or_insert_with(|| Bisect::new(goal, bench.follower));
        match bisect.step(bench) {
            Bisected::NotYet(read) => {
                self.seen += read;
                Sought::NotYet
            }
            Bisected::Later => Sought::Later,
            Bisected::At(id, offset) => Sought::At { id, offset, exact: true },
            Bisected::Behind => end(bench, false),
        }
    }

    fn line(&mut self, line: u64, bench: &mut Bench<'_>) -> Sought {
        let id = bench.follower.lineage.last();
        let newlines = line.saturating_sub(1);
        if bench.counted(id).0 < newlines {
            let counted = bench.count_on(id);
            self.seen = bench.counted(id).1;
            match counted {
                Counted::More => return Sought::NotYet,
                Counted::Later => return Sought::Later,
                Counted::All if bench.counted(id).0 < newlines => return end(bench, false),
                Counted::All => {}
            }
        }
        if bench.counted(id).1 == 0 && bench.count_on(id) == Counted::Later {
            return Sought::Later;
        }
        let end = to_count(bench.follower, id);
        match bench.after_newlines(id, newlines) {
            // Behind the last newline no line has begun yet.
            Some(offset) => Sought::At { id, offset, exact: line > 0 && offset < end },
            None => Sought::Later,
        }
    }

    pub(crate) fn progress(&self, follower: &Follower) -> Progress {
        match &self.to {
            SeekTo::Line(_) => {
                let total = to_count(follower, follower.lineage.last());
                Progress { what: Doing::Counting, done: self.seen.min(total), total, ..Progress::default() }
            }
            _ => Progress { done: self.seen, total: Extent::of(follower).total(), ..Progress::default() },
        }
    }
}

fn end(bench: &mut Bench<'_>, exact: bool) -> Sought {
    let spot = bench.follower.at_end(bench.now).newest();
    Sought::At { id: spot.id, offset: spot.place.offset, exact }
}

fn share(percent: f64, bench: &mut Bench<'_>) -> Sought {
    let extent = Extent::of(bench.follower);
    let before = extent.total() as f64 * (percent / 100.0).clamp(0.0, 1.0);
    // What is no number is 0 here.
    let Some((id, offset)) = extent.at(before as u64) else {
        return end(bench, false);
    };
    let start = bench.follower.lineage.get(id).map_or(0, Generation::start);
    let offset = if offset > start { bench.line_start(id, offset) } else { offset };
    Sought::At { id, offset, exact: (0.0..=100.0).contains(&percent) }
}
