//! The lines before a place, the nearest first, or those behind it in their order: as many as somebody wants.
//!
//! Under a filter, and where the lens wants it so, only whole lines are judged. Of the line that the place lies in, nothing is
//! told above it, and all of it below; one that may still grow is not told.
//!
//! Does not know who asks.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use crate::tail::follower::Follower;
use crate::tail::generation::{Begins, Generation};
use crate::tail::history::job::{Bench, Found, Summary, Work, scroll_step};
use crate::tail::history::places::{above, below};
use crate::tail::history::view::View;
use crate::tail::history::walk::{Block, Walk};
use crate::tail::pattern::Filter;
use crate::tail::standing::{GenerationId, Standing};
use crate::tail::window::GapReason;

/// On the way up or down.
#[derive(Debug)]
pub(crate) struct Scroll {
    way: Way,
    walk: Walk,
    asked: Standing,
    at: Standing,
    wanted: usize,
    filter: Option<Rc<Filter>>,
    /// How many bytes were looked at.
    pub(crate) seen: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Up,
    /// If a file has begun of which nothing was told yet: how it took the place of the one before.
    Down {
        begins: Option<Begins>,
    },
}

/// What of a block is told.
struct Told {
    /// These bytes were looked at: to the end of the block on the way up, from its beginning on the way down.
    range: Range<usize>,
    lines: usize,
    text: Rc<[u8]>,
}

impl Scroll {
    /// The lines before a place.
    pub(crate) fn up(asked: Standing, wanted: usize, filter: Option<Rc<Filter>>) -> Self {
        let (walk, at) = (Walk::up(&asked), asked.clone());
        Self { way: Way::Up, walk, asked, at, wanted, filter, seen: 0 }
    }

    /// The lines behind a place.
    pub(crate) fn down(
        asked: &Standing,
        wanted: usize,
        filter: Option<Rc<Filter>>,
        bench: &mut Bench<'_>,
    ) -> Self {
        let whole = filter.is_some() || bench.follower.lineage.lens().wants_whole_lines();
        let asked = if whole { bench.at_line_starts(asked) } else { asked.clone() };
        let (way, walk, at) = (Way::Down { begins: None }, Walk::down(&asked), asked.clone());
        Self { way, walk, asked, at, wanted, filter, seen: 0 }
    }

    /// One block.
    pub(crate) fn step(&mut self, bench: &mut Bench<'_>) -> Work {
        if self.wanted == 0 {
            return Work::Done(Summary { more: self.has_more(bench), ..Summary::default() });
        }
        let (step, room) = scroll_step(self.filter.as_deref());
        let room = room.min(bench.scratch.len());
        match self.walk.next_part(step, bench.follower, &mut bench.scratch[..room], bench.now) {
            Block::Lines { id, from, bytes } => {
                let end = from + bytes.len() as u64;
                let cut = self.ends_in_a_line(id, end, bench.follower);
                let view = View::new(id, from, bytes, bench.follower, bench.now);
                let whole = self.filter.is_some() || view.wants_whole_lines();
                let told = self.told(&if cut && whole { view.whole_lines() } else { view });
                self.seen += end - from;
                self.wanted -= told.lines;
                let range = match self.way {
                    Way::Up => from + told.range.start as u64..end,
                    Way::Down { .. } => from..from + told.range.end as u64,
                };
                self.tell(id, range, told.text, bench)
            }
            Block::Gap { id, from, bytes, why } => self.tell_gap(id, from, bytes, why, bench),
            Block::Border { begins: began, .. } => self.cross(began),
            Block::Again => Work::Again,
            Block::Later => Work::Later,
            Block::End => Work::Done(Summary::default()),
        }
    }

    /// Another file begins. Downwards its lines say so. Upwards they have said so, if there were any: where the place that was
    /// asked for is its first byte, that is told by itself.
    fn cross(&mut self, began: Begins) -> Work {
        match &mut self.way {
            Way::Down { begins } => {
                *begins = Some(began);
                Work::Again
            }
            Way::Up if self.at == self.asked => {
                let (from, to) = (self.at.cursor(), self.at.cursor());
                Work::Found(Found::Lines { from, to, text: Rc::from(*b""), bytes: 0, begins: Some(began) })
            }
            Way::Up => Work::Again,
        }
    }

    /// Is the last line of a block that ends here not all of that line? Above, it is the one that the place lies in; below,
    /// one that may still grow.
    fn ends_in_a_line(&self, id: GenerationId, end: u64, follower: &Follower) -> bool {
        let grows = |generation: &Generation| !generation.has_ended() && end >= generation.end();
        match self.way {
            Way::Up => self.asked.spot(id).is_some_and(|spot| spot.place.offset == end),
            Way::Down { .. } => follower.lineage.get(id).is_some_and(grows),
        }
    }

    fn told(&self, view: &View<'_>) -> Told {
        let upwards = self.way == Way::Up;
        match &self.filter {
            Some(filter) if upwards => last_shown(filter, view, self.wanted),
            Some(filter) => first_shown(filter, view, self.wanted),
            None => {
                let starts = view.starts();
                let lines = starts.len().min(self.wanted);
                let range = match upwards {
                    true => starts.get(starts.len() - lines).copied().unwrap_or(0)..view.len(),
                    false => 0..starts.get(lines).copied().unwrap_or(view.len()),
                };
                Told { text: view.text(range.start, range.end), range, lines }
            }
        }
    }

    fn tell(&mut self, id: GenerationId, range: Range<u64>, text: Rc<[u8]>, bench: &mut Bench<'_>) -> Work {
        let first = self.begins(id, range.start, bench);
        let Some((from, to)) = self.pass(id, &range, bench) else { return Work::Again };
        if text.is_empty() {
            return Work::Again;
        }
        let begins = match &mut self.way {
            Way::Up => first,
            Way::Down { begins } => begins.take(),
        };
        let (from, to, bytes) = (from.cursor(), to.cursor(), range.end - range.start);
        Work::Found(Found::Lines { from, to, text, bytes, begins })
    }

    fn tell_gap(
        &mut self,
        id: GenerationId,
        from: u64,
        bytes: Option<u64>,
        why: GapReason,
        bench: &mut Bench<'_>,
    ) -> Work {
        match self.pass(id, &(from..from + bytes.unwrap_or(0)), bench) {
            Some((from, to)) => Work::Found(Found::Gap { from: from.cursor(), to: to.cursor(), bytes, why }),
            None => Work::Again,
        }
    }

    /// Moves over a part of a file, and gives the places before and behind it.
    fn pass(
        &mut self,
        id: GenerationId,
        range: &Range<u64>,
        bench: &mut Bench<'_>,
    ) -> Option<(Standing, Standing)> {
        match self.way {
            Way::Up => {
                let at = above(&self.asked, bench.spot(id, range.start)?);
                let behind = std::mem::replace(&mut self.at, at);
                Some((self.at.clone(), behind))
            }
            Way::Down { .. } => {
                // Where it stood before, unless another file has begun.
                let before = match self.at.spot(id).is_some_and(|spot| spot.place.offset == range.start) {
                    true => self.at.clone(),
                    false => below(&self.asked, bench.spot(id, range.start)?),
                };
                self.at = below(&self.asked, bench.spot(id, range.end)?);
                Some((before, self.at.clone()))
            }
        }
    }

    /// On the way up: if this is the first byte of a file and another lies before it, how it took that one's place.
    fn begins(&self, id: GenerationId, offset: u64, bench: &mut Bench<'_>) -> Option<Begins> {
        let inside = offset > bench.follower.lineage.get(id).map_or(0, Generation::start);
        if inside || self.way != Way::Up {
            return None;
        }
        self.walk.border(bench.follower, bench.now).ok().flatten()
    }

    fn has_more(&self, bench: &mut Bench<'_>) -> bool {
        if self.way != Way::Up {
            return bench.follower.bytes_after(&self.at) > 0;
        }
        let at = self.at.newest();
        let start = bench.follower.lineage.get(at.id).map_or(0, Generation::start);
        // If nobody can tell for now, it is worth asking again.
        at.place.offset > start || !matches!(self.walk.border(bench.follower, bench.now), Ok(None))
    }
}

/// The last lines of a block that the filter shows.
fn last_shown(filter: &Filter, view: &View<'_>, wanted: usize) -> Told {
    let mut shown = VecDeque::new();
    view.each_shown(filter, |at, line| {
        shown.push_back((at, String::from_utf8_lossy(line).into_owned()));
        if shown.len() > wanted {
            shown.pop_front();
        }
    });
    let from = shown.front().filter(|_| shown.len() == wanted).map_or(0, |(at, _)| *at);
    let text: String = shown.iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
    Told { range: from..view.len(), lines: shown.len(), text: text.into_bytes().into() }
}

/// The first lines of a block that the filter shows.
fn first_shown(filter: &Filter, view: &View<'_>, wanted: usize) -> Told {
    let (mut text, mut lines, mut last) = (String::new(), 0, 0);
    view.each_shown(filter, |at, line| {
        if lines < wanted {
            text.extend([&*String::from_utf8_lossy(line), "\n"]);
            (lines, last) = (lines + 1, at);
        }
    });
    let behind = |starts: Vec<usize>| starts.into_iter().find(|&start| start > last).unwrap_or(view.len());
    let to = if lines == wanted { behind(view.starts()) } else { view.len() };
    Told { range: 0..to, lines, text: text.into_bytes().into() }
}
