//! The lines before a place, the nearest first, as many as somebody wants.
//!
//! Under a filter, and where the lens wants it so, only whole lines are judged: of the line that the place lies in,
//! nothing is told.
//!
//! Does not know who asks.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use crate::tail::generation::{Begins, Generation};
use crate::tail::history::job::{Bench, Found, Summary, Work, scroll_step};
use crate::tail::history::places::above;
use crate::tail::history::view::View;
use crate::tail::history::walk::{Block, Walk};
use crate::tail::pattern::Filter;
use crate::tail::standing::{GenerationId, Standing};
use crate::tail::window::GapReason;

/// On the way up.
#[derive(Debug)]
pub(crate) struct Older {
    walk: Walk,
    asked: Standing,
    at: Standing,
    wanted: usize,
    filter: Option<Rc<Filter>>,
    /// How many bytes were looked at.
    pub(crate) seen: u64,
}

/// What of a block is told.
struct Told {
    /// From here on, everything was looked at.
    from: usize,
    lines: usize,
    text: Rc<[u8]>,
}

impl Older {
    pub(crate) fn new(asked: Standing, wanted: usize, filter: Option<Rc<Filter>>) -> Self {
        Self { walk: Walk::up(&asked), at: asked.clone(), asked, wanted, filter, seen: 0 }
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
                let len = bytes.len() as u64;
                let asked = self.asked.spot(id).is_some_and(|spot| spot.place.offset == from + len);
                let view = View::new(id, from, bytes, bench.follower, bench.now);
                let whole = self.filter.is_some() || view.wants_whole_lines();
                let view = if asked && whole { view.whole_lines() } else { view };
                let told = match &self.filter {
                    Some(filter) => filtered(filter, &view, self.wanted),
                    None => plain(&view, self.wanted),
                };
                self.seen += len;
                self.wanted -= told.lines;
                self.tell(id, from + told.from as u64..from + len, told.text, bench)
            }
            Block::Gap { id, from, bytes, why } => self.tell_gap(id, from, bytes, why, bench),
            Block::Border { .. } | Block::Again => Work::Again,
            Block::Later => Work::Later,
            Block::End => Work::Done(Summary::default()),
        }
    }

    fn tell(&mut self, id: GenerationId, range: Range<u64>, text: Rc<[u8]>, bench: &mut Bench<'_>) -> Work {
        let begins = self.begins(id, range.start, bench);
        let Some(spot) = bench.spot(id, range.start) else { return Work::Again };
        let at = above(&self.asked, spot);
        let to = std::mem::replace(&mut self.at, at).cursor();
        if text.is_empty() {
            return Work::Again;
        }
        let (from, bytes) = (self.at.cursor(), range.end - range.start);
        Work::Found(Found::Lines { from, to, text, bytes, begins })
    }

    /// If this is the first byte of a file and another lies before it: how it took that one's place.
    fn begins(&self, id: GenerationId, offset: u64, bench: &mut Bench<'_>) -> Option<Begins> {
        if offset > bench.follower.lineage.get(id).map_or(0, Generation::start) {
            return None;
        }
        self.walk.border(bench.follower, bench.now).ok().flatten()
    }

    fn tell_gap(
        &mut self,
        id: GenerationId,
        from: u64,
        bytes: Option<u64>,
        why: GapReason,
        bench: &mut Bench<'_>,
    ) -> Work {
        let Some(spot) = bench.spot(id, from) else { return Work::Again };
        let at = above(&self.asked, spot);
        let to = std::mem::replace(&mut self.at, at).cursor();
        Work::Found(Found::Gap { from: self.at.cursor(), to, bytes, why })
    }

    fn has_more(&self, bench: &mut Bench<'_>) -> bool {
        let at = self.at.newest();
        let start = bench.follower.lineage.get(at.id).map_or(0, Generation::start);
        // If nobody can tell for now, it is worth asking again.
        at.place.offset > start || !matches!(self.walk.border(bench.follower, bench.now), Ok(None))
    }
}

/// The last lines of a block as they are.
fn plain(view: &View<'_>, wanted: usize) -> Told {
    let starts = view.starts();
    let lines = starts.len().min(wanted);
    let from = starts.get(starts.len() - lines).copied().unwrap_or(0);
    Told { from, lines, text: view.text(from, view.len()) }
}

/// The last lines of a block that the filter shows.
fn filtered(filter: &Filter, view: &View<'_>, wanted: usize) -> Told {
    let mut shown = VecDeque::new();
    view.each_shown(filter, |at, line| {
        shown.push_back((at, String::from_utf8_lossy(line).into_owned()));
        if shown.len() > wanted {
            shown.pop_front();
        }
    });
    let from = shown.front().filter(|_| shown.len() == wanted).map_or(0, |(at, _)| *at);
    let text: String = shown.iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
    Told { from, lines: shown.len(), text: text.into_bytes().into() }
}
