//! Places on the way through a log: as standings, as cursors, by the names of their files.
//!
//! Does not know what is looked for.

use std::rc::Rc;

use crate::tail::beneath::OpenError;
use crate::tail::cursor::Cursor;
use crate::tail::generation::Generation;
use crate::tail::history::job::Bench;
use crate::tail::history::view::lens_of;
use crate::tail::reread::{Reread, reread};
use crate::tail::siblings::Sibling;
use crate::tail::standing::{GenerationId, Spot, Standing};

/// The beginning of a line is looked for in so many bytes before a place.
const BACK: usize = 64 * 1024;

impl Bench<'_> {
    /// Where a cursor leads, if what it names last is still there; an error if that cannot be told now.
    pub(crate) fn standing_of(&mut self, cursor: &Cursor) -> Result<Option<Standing>, OpenError> {
        let (last, older) = cursor.places().split_last().expect("a cursor has at least one place");
        let Some(at) = self.follower.spot_named(last, self.now)? else {
            return Ok(None);
        };
        let mut standing = Standing::new(vec![at]);
        for place in older {
            let spot = self.follower.spot_named(place, self.now)?;
            if let Some(spot) = spot.filter(|spot| spot.id < at.id) {
                standing = standing.with(spot);
            }
        }
        Ok(Some(standing))
    }

    /// A generation at an offset. If its bytes are gone, nobody can tell what was before it, so its guard is that of
    /// nothing.
    pub(crate) fn spot(&mut self, id: GenerationId, offset: u64) -> Option<Spot> {
        let place = self.follower.place_at(id, offset, self.now);
        let place = place.or_else(|| Some(self.follower.lineage.get(id)?.place_after(offset, &[])))?;
        Some(Spot { id, place })
    }

    /// The token of a reader who has had everything before this offset, and nothing behind it.
    pub(crate) fn cursor(&mut self, id: GenerationId, offset: u64) -> Option<Cursor> {
        Some(Standing::new(vec![self.spot(id, offset)?]).cursor())
    }

    /// Where the line begins that a place lies in; a long one is left where it is cut. Reads 64 KiB at most.
    pub(crate) fn line_start(&mut self, id: GenerationId, offset: u64) -> u64 {
        let start = self.follower.lineage.get(id).map_or(0, Generation::start);
        let from = offset.saturating_sub(BACK as u64).max(start);
        let Some(before) = usize::try_from(offset.saturating_sub(from)).ok().filter(|&len| len > 0) else {
            return offset;
        };
        let before = before.min(self.scratch.len());
        let from = offset - before as u64;
        let lens = lens_of(self.follower, id);
        match reread(self.follower, id, from, &mut self.scratch[..before], self.now) {
            Reread::Bytes(read) if read == before => {
                match lens.after_last_newline(from, &self.scratch[..before]) {
                    Some(begin) => from + begin as u64,
                    None if from == start => start,
                    None => offset,
                }
            }
            _ => offset,
        }
    }

    /// The same standing, moved up to the beginnings of the lines that it lies in. At the end of a file that does not grow
    /// any more it lies in none.
    pub(crate) fn at_line_starts(&mut self, standing: &Standing) -> Standing {
        let mut moved = standing.clone();
        let over = |spot: &Spot| {
            let generation = self.follower.lineage.get(spot.id);
            generation
                .is_some_and(|generation| generation.has_ended() && spot.place.offset >= generation.end())
        };
        let spots: Vec<Spot> = standing.spots().iter().copied().filter(|spot| !over(spot)).collect();
        for spot in spots {
            let start = self.line_start(spot.id, spot.place.offset);
            if let Some(spot) = self.spot(spot.id, start).filter(|_| start < spot.place.offset) {
                moved = moved.with(spot);
            }
        }
        moved
    }

    /// The name of a generation's file, as it is now; that of the log if it has none.
    pub(crate) fn file_name(&self, id: GenerationId) -> Rc<str> {
        let lineage = &self.follower.lineage;
        let holder = lineage.get(id).map(Generation::holder);
        let held = |sibling: &Sibling| Some(sibling.holder()) == holder;
        // That of the path is no sibling.
        let sibling = lineage.siblings(self.now).ok().and_then(|siblings| siblings.into_iter().find(held));
        let rel = sibling.map_or_else(|| lineage.rel().to_owned(), |sibling| sibling.rel);
        rel.file_name().unwrap_or_default().to_string_lossy().into()
    }
}

/// Where a reader stands who went up from `asked`, and has come to `spot`.
pub(crate) fn above(asked: &Standing, spot: Spot) -> Standing {
    let older = asked.spots().iter().copied().filter(|other| other.id < spot.id);
    Standing::new(older.chain([spot]).collect())
}

/// Where a reader stands who went down from `asked`, and has come to `spot`.
pub(crate) fn below(asked: &Standing, spot: Spot) -> Standing {
    let younger = asked.spots().iter().copied().filter(|other| other.id > spot.id);
    Standing::new([spot].into_iter().chain(younger).collect())
}
