//! The lines behind a place in their order, as many as somebody wants.
//!
//! Under a filter, and where the lens wants it so, only whole lines are judged: the line that the place lies in is told
//! from its beginning, and one that may still grow is not told.
//!
//! Does not know who asks.

use std::ops::Range;
use std::rc::Rc;

use crate::tail::generation::Begins;
use crate::tail::history::job::{Bench, Found, Summary, Work, scroll_step};
use crate::tail::history::places::below;
use crate::tail::history::view::View;
use crate::tail::history::walk::{Block, Walk};
use crate::tail::pattern::Filter;
use crate::tail::standing::{GenerationId, Standing};
use crate::tail::window::GapReason;

/// On the way down.
#[derive(Debug)]
pub(crate) struct Newer {
    walk: Walk,
    asked: Standing,
    at: Standing,
    wanted: usize,
    filter: Option<Rc<Filter>>,
    // A file that has begun and of which nothing was told yet.
    begins: Option<Begins>,
    /// How many bytes were looked at.
    pub(crate) seen: u64,
}

/// What of a block is told.
struct Told {
    /// Up to here, everything was looked at.
    to: usize,
    lines: usize,
    text: Rc<[u8]>,
}

impl Newer {
    pub(crate) fn new(
        asked: &Standing,
        wanted: usize,
        filter: Option<Rc<Filter>>,
        bench: &mut Bench<'_>,
    ) -> Self {
        let whole = filter.is_some() || bench.follower.lineage.lens().wants_whole_lines();
        let asked = if whole { bench.at_line_starts(asked) } else { asked.clone() };
        Self { walk: Walk::down(&asked), at: asked.clone(), asked, wanted, filter, begins: None, seen: 0 }
    }

    /// One block.
    pub(crate) fn step(&mut self, bench: &mut Bench<'_>) -> Work {
        if self.wanted == 0 {
            return Work::Done(Summary {
                more: bench.follower.bytes_after(&self.at) > 0,
                ..Summary::default()
            });
        }
        let (step, room) = scroll_step(self.filter.as_deref());
        let room = room.min(bench.scratch.len());
        match self.walk.next_part(step, bench.follower, &mut bench.scratch[..room], bench.now) {
            Block::Lines { id, from, bytes } => {
                let end = from + bytes.len() as u64;
                let generation = bench.follower.lineage.get(id);
                let may_grow = generation.is_some_and(|g| !g.has_ended() && end >= g.end());
                let view = View::new(id, from, bytes, bench.follower, bench.now);
                let whole = self.filter.is_some() || view.wants_whole_lines();
                let view = if may_grow && whole { view.whole_lines() } else { view };
                let told = match &self.filter {
                    Some(filter) => filtered(filter, &view, self.wanted),
                    None => plain(&view, self.wanted),
                };
                self.seen += bytes.len() as u64;
                self.wanted -= told.lines;
                self.tell(id, from..from + told.to as u64, told.text, bench)
            }
            Block::Gap { id, from, bytes, why } => self.tell_gap(id, from, bytes, why, bench),
            Block::Border { begins, .. } => {
                self.begins = Some(begins);
                Work::Again
            }
            Block::Again => Work::Again,
            Block::Later => Work::Later,
            Block::End => Work::Done(Summary::default()),
        }
    }

    fn tell(&mut self, id: GenerationId, range: Range<u64>, text: Rc<[u8]>, bench: &mut Bench<'_>) -> Work {
        let from = self.move_to(id, range.start, range.end, bench);
        if text.is_empty() {
            return Work::Again;
        }
        let (to, bytes) = (self.at.cursor(), range.end - range.start);
        Work::Found(Found::Lines { from: from.cursor(), to, text, bytes, begins: self.begins.take() })
    }

    fn tell_gap(
        &mut self,
        id: GenerationId,
        from: u64,
        bytes: Option<u64>,
        why: GapReason,
        bench: &mut Bench<'_>,
    ) -> Work {
        let to = from + bytes.unwrap_or(0);
        let from = self.move_to(id, from, to, bench);
        Work::Found(Found::Gap { from: from.cursor(), to: self.at.cursor(), bytes, why })
    }

    /// Moves to the end of a part, and gives its beginning: where it stood before, unless another file has begun.
    fn move_to(&mut self, id: GenerationId, from: u64, to: u64, bench: &mut Bench<'_>) -> Standing {
        let before = match self.at.spot(id).is_some_and(|spot| spot.place.offset == from) {
            true => self.at.clone(),
            false => bench.spot(id, from).map_or_else(|| self.at.clone(), |spot| below(&self.asked, spot)),
        };
        if let Some(spot) = bench.spot(id, to) {
            self.at = below(&self.asked, spot);
        }
        before
    }
}

/// The first lines of a block as they are.
fn plain(view: &View<'_>, wanted: usize) -> Told {
    let starts = view.starts();
    let to = starts.get(wanted).copied().unwrap_or(view.len());
    Told { to, lines: starts.len().min(wanted), text: view.text(0, to) }
}

/// The first lines of a block that the filter shows.
fn filtered(filter: &Filter, view: &View<'_>, wanted: usize) -> Told {
    let (mut text, mut lines, mut last) = (String::new(), 0, 0);
    view.each_shown(filter, |at, line| {
        if lines < wanted {
            text.extend([&*String::from_utf8_lossy(line), "\n"]);
            (lines, last) = (lines + 1, at);
        }
    });
    let behind = |starts: Vec<usize>| starts.into_iter().find(|&start| start > last).unwrap_or(view.len());
    let to = if lines == wanted { behind(view.starts()) } else { view.len() };
    Told { to, lines, text: text.into_bytes().into() }
}
