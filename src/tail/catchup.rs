//! Reading on from before the window: the way of a reader who was slow, was away, or begins further back.
//!
//! It reads from the files themselves what the window no longer holds, generation by generation, up to the next border
//! between two pieces of the window; there it joins the others. Marks between generations are told as they were at the
//! head. Bytes that are nowhere to be found are told as a gap of that size.
//!
//! Does not know the window; it is told how far to go.

use std::rc::Rc;
use std::time::Instant;

use crate::tail::cursor::{GUARD, guard_len};
use crate::tail::follower::{Follower, mark};
use crate::tail::generation::Generation;
use crate::tail::lens::Stretch;
use crate::tail::reading::{READ, before};
use crate::tail::reread::{Reread, reread};
use crate::tail::scratch::Scratch;
use crate::tail::standing::{GenerationId, Spot, Standing};
use crate::tail::window::{GapReason, PieceKind};

/// What comes next for a reader who is behind.
#[derive(Debug)]
pub(crate) enum CatchUp {
    /// This, and then it stands there.
    Piece(PieceKind, Standing),
    /// Nothing: it stands where it was to come to.
    Arrived,
    /// A file was not what it should be; the follower knows now. Ask again.
    Again,
    /// It cannot be read at the moment.
    Later,
}

/// The next piece for a reader `at` somewhere before `goal`. At most one read of 64 KiB.
pub(crate) fn next(follower: &mut Follower, at: &Standing, goal: &Standing, now: Instant) -> CatchUp {
    let mut at = at.clone();
    // As many turns as there are generations without a mark of their own: one at most, the one before all files.
    loop {
        if let Some(&forgotten) = at.spots().iter().find(|spot| spot.id < follower.lineage.oldest()) {
            return past_forgotten(follower, &at, forgotten);
        }
        for &spot in at.spots() {
            let limit = limit(follower, spot.id, goal);
            if spot.place.offset < limit {
                return read(follower, &at, spot, limit, now);
            }
        }
        let newest = at.newest().id;
        if newest >= goal.newest().id {
            return CatchUp::Arrived;
        }
        let Some(next) = follower.lineage.get(newest.next()) else {
            return CatchUp::Arrived;
        };
        let spot = Spot { id: newest.next(), place: next.start_place() };
        // What the goal does not list has been read to its end.
        let kept = at.spots().iter().copied().filter(|spot| goal.spot(spot.id).is_some());
        // Where all that is there is compressed, there is a void after it. It is none to whoever has read that: to come
        // back to it would be to read all of it again.
        let (no_void, begins) = (at.newest().place.inode != 0 && !next.is_void(), next.begins());
        let is_torn = follower.lineage.get(newest).is_some_and(Generation::is_torn);
        let to = Standing::new(kept.chain([spot]).collect());
        let from = std::mem::replace(&mut at, to);
        if is_torn {
            // It stands for the mark as well.
            return CatchUp::Piece(gap(&from, &at, None, GapReason::Archive), at);
        }
        if no_void {
            return CatchUp::Piece(mark(begins, at.cursor()), at);
        }
    }
}

/// `at`, with the generations that had ended for this reader but are followed again: late lines were written to them.
pub(crate) fn with_revived(follower: &mut Follower, at: &Standing, now: Instant) -> Standing {
    let mut standing = at.clone();
    for spot in Rc::clone(follower.head()).spots() {
        let done = spot.id < at.newest().id && at.spot(spot.id).is_none();
        if !done || !follower.lineage.make_open(spot.id, now).unwrap_or(false) {
            continue;
        }
        let Some(generation) = follower.lineage.get(spot.id).filter(|generation| !generation.has_ended())
        else {
            continue;
        };
        if let Some(guard) = generation.file().and_then(|file| before(file, generation.joined()).ok()) {
            let place = generation.place_after(generation.joined(), &guard);
            standing = standing.with(Spot { id: spot.id, place });
        }
    }
    standing
}

/// Up to where a reader is to read a generation in order to stand at `goal`.
fn limit(follower: &Follower, id: GenerationId, goal: &Standing) -> u64 {
    match goal.spot(id) {
        Some(spot) => spot.place.offset,
        None if id < goal.newest().id => follower.lineage.get(id).map_or(0, Generation::end),
        // Not yet entered there.
        None => 0,
    }
}

/// So many rotations ago that nothing is known of it any more.
fn past_forgotten(follower: &Follower, at: &Standing, forgotten: Spot) -> CatchUp {
    let rest: Vec<Spot> = at.spots().iter().copied().filter(|spot| spot.id != forgotten.id).collect();
    let oldest = follower.lineage.oldest();
    let to = match follower.lineage.get(oldest) {
        Some(oldest_known) if rest.is_empty() => {
            Standing::new(vec![Spot { id: oldest, place: oldest_known.start_place() }])
        }
        _ => Standing::new(rest),
    };
    CatchUp::Piece(gap(at, &to, None, GapReason::Rotated), to)
}

fn gap(from: &Standing, to: &Standing, bytes: Option<u64>, why: GapReason) -> PieceKind {
    PieceKind::Gap { from: from.cursor(), to: to.cursor(), bytes, why }
}

fn read(follower: &mut Follower, at: &Standing, spot: Spot, limit: u64, now: Instant) -> CatchUp {
    let (id, offset) = (spot.id, spot.place.offset);
    // With the guard before it, from which the next place is made.
    let prefix = guard_len(offset);
    let wanted = usize::try_from(limit - offset).map_or(READ, |wanted| wanted.min(READ));
    let mut scratch = Scratch::take();
    let reread = reread(follower, id, offset - prefix as u64, &mut scratch[..prefix + wanted], now);
    match reread {
        Reread::Bytes(read) if read > prefix => said(follower, at, spot, limit, &scratch[..read]),
        Reread::Bytes(_) | Reread::Gone => lost(follower, at, spot, limit),
        Reread::Again => CatchUp::Again,
        Reread::Later | Reread::Packed => CatchUp::Later,
    }
}

/// These bytes were `read`, those of the guard first.
fn said(follower: &mut Follower, at: &Standing, spot: Spot, limit: u64, read: &[u8]) -> CatchUp {
    let (id, offset) = (spot.id, spot.place.offset);
    let Some(generation) = follower.lineage.get_mut(id) else {
        return CatchUp::Again;
    };
    let (before, data) = read.split_at(guard_len(offset));
    if let Some(hole) = generation.hole_after(offset, data) {
        let end = hole.min(limit);
        let to = at.with(Spot { id, place: generation.place_after(end, &[0; GUARD]) });
        return CatchUp::Piece(gap(at, &to, Some(end - offset), GapReason::Hole), to);
    }
    let more_to_come = data.len() == READ && offset + (data.len() as u64) < limit;
    let lens = generation.lens();
    let cut = match lens.after_last_newline(offset, data) {
        // The goal is a border between two pieces. And where the file ends, nothing more comes.
        _ if !more_to_come => data.len(),
        Some(cut) => cut,
        None => data.len() - lens.unfinished(offset, data),
    };
    let begins_line = lens.begins_line(offset, before);
    let is_last = generation.has_ended() && offset + cut as u64 == generation.end();
    let text = lens.text(&Stretch { at: offset, bytes: &data[..cut], begins_line, is_last });
    let (bytes, read) = (cut as u64, &read[..before.len() + cut]);
    let to = at.with(Spot { id, place: generation.place_after(offset + bytes, read) });
    generation.read_elsewhere(offset + bytes, read);
    CatchUp::Piece(PieceKind::Lines { from: at.cursor(), to: to.cursor(), text, bytes }, to)
}

/// Nothing is there any more, up to the limit.
fn lost(follower: &Follower, at: &Standing, spot: Spot, limit: u64) -> CatchUp {
    let Some(generation) = follower.lineage.get(spot.id) else {
        return CatchUp::Again;
    };
    // Nobody can tell what was there, so its guard is that of nothing.
    let to = at.with(Spot { id: spot.id, place: generation.place_after(limit, &[]) });
    CatchUp::Piece(gap(at, &to, Some(limit - spot.place.offset), generation.loss()), to)
}
