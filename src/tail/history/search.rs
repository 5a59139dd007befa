//! All lines of a log's history that a filter shows, those nearest to a place first.
//!
//! Two walks lead away from the place, one up and one down, and the one that has come less far goes on. So the hits near
//! the place are told first, and whoever looks at them does not wait for the rest.
//!
//! ```text
//!   app.log.1                 app.log
//!   |......................|  |..........................|
//!                 <- 4  <- 2  1 ->  3 ->
//!                            place
//! ```
//!
//! A block is gone through by the expression itself; its lines are looked for only around what that finds. Does not know
//! who asks.

use std::ops::Range;
use std::rc::Rc;

use crate::tail::cursor::{Place, guard_len};
use crate::tail::follower::Follower;
use crate::tail::generation::Generation;
use crate::tail::history::extent::Extent;
use crate::tail::history::finds::Finds;
use crate::tail::history::job::{Bench, Doing, Found, Hit, Progress, Summary, Work, step_of};
use crate::tail::history::numbers::Unnumbered;
use crate::tail::history::view::View;
use crate::tail::history::walk::{Block, Walk};
use crate::tail::pattern::Filter;
use crate::tail::standing::{GenerationId, Spot, Standing};

/// No more hits than this are told of one block: each is made into a cursor and a message.
const MOST_AT_ONCE: usize = 256;

/// Where there are more, less is gone through at a time, down to this.
const LEAST: usize = 4 * 1024;

/// See the module.
#[derive(Debug)]
pub(crate) struct Search {
    filter: Rc<Filter>,
    /// It was to begin at a place that is not there any more.
    pub(crate) lost: bool,
    // Hits that may still be told.
    left: usize,
    told: usize,
    untold: bool,
    /// Hits that were told without their line's number.
    pub(crate) unnumbered: Vec<Unnumbered>,
    // All files are known.
    whole: bool,
    // So much is gone through at a time.
    part: usize,
    up: Way,
    down: Way,
    finds: Finds,
    names: Vec<(GenerationId, Rc<str>)>,
}

/// One of the two ways.
#[derive(Debug)]
struct Way {
    walk: Option<Walk>,
    seen: u64,
}

/// A line that was found: where in its block, what it says, or the beginning of that, and its place, if what lies before
/// it in the block is enough to tell that.
struct Line {
    at: usize,
    text: String,
    place: Option<Place>,
}

/// What came of one block.
struct Scanned {
    id: GenerationId,
    from: u64,
    lines: Vec<Line>,
    // How many newlines there are in the block before each of them, if that is of use.
    newlines: Vec<u64>,
}

impl Search {
    /// From this place on, or from the end.
    pub(crate) fn new(
        filter: Rc<Filter>,
        from: Option<Standing>,
        most: usize,
        bench: &mut Bench<'_>,
    ) -> Self {
        let place = from.unwrap_or_else(|| bench.follower.at_end(bench.now));
        let place = bench.at_line_starts(&place);
        let (up, down) = (Way::new(Walk::up(&place)), Way::new(Walk::down(&place)));
        let (finds, names) = (Finds::default(), Vec::new());
        let (told, unnumbered) = (0, Vec::new());
        let (lost, left, untold, whole, part) = (false, most, false, false, step_of(&filter));
        Self { filter, lost, left, told, untold, unnumbered, whole, part, up, down, finds, names }
    }

    /// One block, or one more file.
    pub(crate) fn step(&mut self, bench: &mut Bench<'_>) -> Work {
        if !self.whole {
            return match bench.follower.extend_back(bench.now) {
                Ok(older) => {
                    self.whole = older.is_none();
                    Work::Again
                }
                Err(why) => Work::without(&why),
            };
        }
        let upwards = match (&self.up.walk, &self.down.walk) {
            (None, None) => {
                let (more, count) = (self.untold, self.finds.count());
                return Work::Done(Summary { more, count, lost: self.lost });
            }
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(_), Some(_)) => self.up.seen <= self.down.seen,
        };
        let way = if upwards { &mut self.up } else { &mut self.down };
        let Some(walk) = &mut way.walk else { return Work::Again };
        let before = walk.clone();
        let (id, from, bytes) = match walk.next_part(self.part, bench.follower, bench.scratch, bench.now) {
            Block::Lines { id, from, bytes } => (id, from, bytes),
            Block::Gap { bytes, .. } => {
                way.seen += bytes.unwrap_or(0);
                return Work::Again;
            }
            Block::Border { .. } | Block::Again => return Work::Again,
            Block::Later => return Work::Later,
            Block::End => {
                way.walk = None;
                return Work::Again;
            }
        };
        let view = View::new(id, from, bytes, bench.follower, bench.now);
        self.finds.enter(id, bench.follower);
        let generation = bench.follower.lineage.get(id);
        let Some(lines) = self.scan(id, from, &view, upwards, generation) else {
            self.part = (self.part / 4).max(LEAST);
            let way = if upwards { &mut self.up } else { &mut self.down };
            way.walk = Some(before);
            return Work::Again;
        };
        self.part = (2 * self.part).min(step_of(&self.filter));
        let way = if upwards { &mut self.up } else { &mut self.down };
        way.seen += bytes.len() as u64;
        if !upwards {
            // Who comes from the file's first byte counts on the way, as that is cheaper than to read it again.
            bench.indexes.count_too(id, from, view.lens(), bytes);
        }
        if lines.is_empty() {
            return Work::Again;
        }
        let ats: Vec<usize> = lines.iter().map(|line| line.at).collect();
        let newlines =
            if bench.indexes.covers(id, from) { view.newlines_before(&ats) } else { vec![0; ats.len()] };
        let scanned = Scanned { id, from, lines, newlines };
        Work::Found(Found::Hits(self.hits(scanned, bench)))
    }

    /// Counts what is found, and gives what is to be told of it, the nearest first. None if that would be too much at once:
    /// then nothing has been counted.
    fn scan(
        &mut self,
        id: GenerationId,
        from: u64,
        view: &View<'_>,
        upwards: bool,
        generation: Option<&Generation>,
    ) -> Option<Vec<Line>> {
        let finds = &mut self.finds;
        if self.left == 0 {
            view.each_shown(&self.filter, |at, _| {
                finds.add(id, from + at as u64);
                self.untold = true;
            });
            return Some(Vec::new());
        }
        let most = if self.part > LEAST { MOST_AT_ONCE } else { usize::MAX };
        let (mut lines, mut is_too_much) = (Vec::new(), false);
        view.each_shown(&self.filter, |at, line| {
            is_too_much |= lines.len() == most;
            if !is_too_much {
                let offset = from + at as u64;
                let before = view.before(at).filter(|before| before.len() >= guard_len(offset));
                let place = before.zip(generation).map(|(before, known)| known.place_after(offset, before));
                lines.push(Line { at, text: beginning(line), place });
            }
        });
        if is_too_much {
            return None;
        }
        lines.iter().for_each(|line| finds.add(id, from + line.at as u64));
        if upwards {
            lines.reverse();
        }
        self.untold |= lines.len() > self.left;
        lines.truncate(self.left);
        self.left -= lines.len();
        Some(lines)
    }

    fn hits(&mut self, scanned: Scanned, bench: &mut Bench<'_>) -> Vec<Hit> {
        let (id, from) = (scanned.id, scanned.from);
        let extent = Extent::of(bench.follower);
        let first_line = bench.line_at(id, from);
        let file = self.name(id, bench);
        let hit = |(Line { at, text, place }, newlines): (Line, u64)| {
            let byte = from + at as u64;
            let spot = place.map_or_else(|| bench.spot(id, byte), |place| Some(Spot { id, place }))?;
            Some(Hit {
                cursor: Standing::new(vec![spot]).cursor(),
                line: first_line.map(|first| first + newlines),
                byte,
                file: Rc::clone(&file),
                marks: in_utf16(&text, &self.filter.marks(text.as_bytes())),
                text,
                at: extent.share(id, byte),
            })
        };
        let hits: Vec<Hit> = scanned.lines.into_iter().zip(scanned.newlines).filter_map(hit).collect();
        if first_line.is_none() {
            let unnumbered =
                |(i, hit): (usize, &Hit)| Unnumbered { id, offset: hit.byte, which: self.told + i };
            self.unnumbered.extend(hits.iter().enumerate().map(unnumbered));
        }
        self.told += hits.len();
        hits
    }

    fn name(&mut self, id: GenerationId, bench: &Bench<'_>) -> Rc<str> {
        if let Some((_, name)) = self.names.iter().find(|(known, _)| *known == id) {
            return Rc::clone(name);
        }
        let name = bench.file_name(id);
        self.names.push((id, Rc::clone(&name)));
        name
    }

    pub(crate) fn progress(&self, follower: &Follower) -> Progress {
        let extent = Extent::of(follower);
        let map = self.finds.map(&extent);
        let (done, count) = (self.up.seen + self.down.seen, self.finds.count());
        // A file may have grown since it was gone through.
        Progress { what: Doing::Searching, done, total: extent.total().max(done), count, map }
    }
}

impl Way {
    fn new(walk: Walk) -> Self {
        Self { walk: Some(walk), seen: 0 }
    }
}

/// As much of a line as is told, cut between two characters.
fn beginning(line: &[u8]) -> String {
    let cut = &line[..line.len().min(Hit::LONGEST)];
    let mut text = String::from_utf8_lossy(cut).into_owned();
    // What was cut off, or was longer in the first place than what stands for it.
    while text.len() > Hit::LONGEST || cut.len() < line.len() && text.ends_with(char::REPLACEMENT_CHARACTER) {
        text.pop();
    }
    text
}

/// Ranges of bytes as pairs of positions counted in UTF-16 units.
fn in_utf16(text: &str, marks: &[Range<usize>]) -> Vec<[usize; 2]> {
    let (mut units, mut at) = (0, 0);
    let mut units_before = |byte: usize| {
        // A mark in the middle of a character begins and ends with it.
        let to = (byte..=text.len()).find(|&byte| text.is_char_boundary(byte)).unwrap_or(text.len());
        units += text[at..to].encode_utf16().count();
        at = to;
        units
    };
    marks.iter().map(|mark| [units_before(mark.start), units_before(mark.end)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_counted_as_a_page_counts() {
        let text = "é😀x日x";
        assert_eq!(in_utf16(text, &[0..2, 6..7, 10..11]), [[0, 1], [3, 4], [5, 6]]);
        assert_eq!(in_utf16(text, &[3..6, 7..10]), [[3, 3], [4, 5]], "an end inside of a character");
        assert_eq!(in_utf16("", &[]), [[0; 2]; 0]);
    }
}
