//! Reading on from before the window: the way of a reader who was slow, was away, or begins further back.
//!
//! It reads from the files themselves what the window no longer holds, generation by generation, up to the next border
//! between two pieces of the window; there it joins the others. Marks between generations are told as they were at the
//! head. Bytes that are nowhere to be found are told as a gap of that size.
//!
//! Does not know the window; it is told how far to go.

use std::io;
use std::rc::Rc;
use std::time::Instant;

use crate::tail::cursor::{GUARD, guard_len};
use crate::tail::disk::File;
use crate::tail::follower::{Follower, mark};
use crate::tail::generation::Generation;
use crate::tail::reading::{before, hole_at, read_fully, stat_of};
use crate::tail::standing::{GenerationId, Spot, Standing};
use crate::tail::text;
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
        let from_void = at.newest().place.inode == 0;
        at = Standing::new(kept.chain([spot]).collect());
        if !from_void {
            return CatchUp::Piece(mark(next.begins(), at.cursor()), at);
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

/// What one read of a generation's file gave.
enum Found {
    /// So many bytes, behind the prefix in the buffer, are the next piece.
    Bytes(usize),
    Hole(u64),
    /// The file ends before the limit.
    Short,
    /// The file holds something else.
    Cut,
}

fn read(follower: &mut Follower, at: &Standing, spot: Spot, limit: u64, now: Instant) -> CatchUp {
    let id = spot.id;
    let Ok(opened) = follower.lineage.make_open(id, now) else {
        return CatchUp::Later;
    };
    let Some(generation) = follower.lineage.get_mut(id) else {
        return CatchUp::Again;
    };
    generation.touch(now);
    let generation = &*generation;
    let offset = spot.place.offset;
    let prefix = guard_len(offset);
    let found = match generation.file().filter(|_| opened) {
        Some(file) => find(generation, file, offset, limit, &mut follower.scratch),
        None => Ok(Found::Short),
    };
    let step = |place| at.with(Spot { id, place });
    match found {
        Ok(Found::Bytes(len)) => {
            let (read, said) = (&follower.scratch[..prefix + len], &follower.scratch[prefix..prefix + len]);
            let to = step(generation.place_after(offset + len as u64, read));
            let (text, bytes) = (text::lossy(said), len as u64);
            if let Some(generation) = follower.lineage.get_mut(id) {
                generation.read_elsewhere(offset + bytes, read);
            }
            CatchUp::Piece(PieceKind::Lines { from: at.cursor(), to: to.cursor(), text, bytes }, to)
        }
        Ok(Found::Hole(bytes)) => {
            let to = step(generation.place_after(offset + bytes, &[0; GUARD]));
            CatchUp::Piece(gap(at, &to, Some(bytes), GapReason::Hole), to)
        }
        Ok(Found::Short) => {
            // Nobody can tell what was there, so its guard is that of nothing.
            let to = step(generation.place_after(limit, &[]));
            CatchUp::Piece(gap(at, &to, Some(limit - offset), generation.loss()), to)
        }
        Ok(Found::Cut) => {
            if generation.has_ended() {
                let why = generation.loss();
                follower.lineage.get_mut(id).and_then(|generation| generation.lose(why));
            } else {
                follower.cut(id, now);
            }
            CatchUp::Again
        }
        Err(_) => CatchUp::Later,
    }
}

/// Reads from `offset`, and from the guard before it, into `scratch`; tells what is to be said of it.
fn find(
    generation: &Generation,
    file: &File,
    offset: u64,
    limit: u64,
    scratch: &mut [u8],
) -> io::Result<Found> {
    let prefix = guard_len(offset);
    let most = scratch.len() - GUARD;
    let wanted = usize::try_from(limit - offset).map_or(most, |wanted| wanted.min(most));
    let read = read_fully(file, &mut scratch[..prefix + wanted], offset - prefix as u64)?;
    let size = stat_of(file)?.size;
    // Asked after reading, as at the head: what is known of the generation's end must still be there. A copy may lack
    // the end; it was compared when it was found.
    let whole = size >= generation.position();
    if whole && !generation.is_unchanged(file, &[])? || !whole && !generation.has_ended() {
        return Ok(Found::Cut);
    }
    let Some(data) = scratch.get(prefix..read).filter(|data| !data.is_empty()) else {
        return Ok(Found::Short);
    };
    let more_to_come = data.len() == wanted && offset + (wanted as u64) < limit;
    if data.len() == most
        && data.iter().all(|&byte| byte == 0)
        && let Some(hole) = hole_at(file, offset, limit)?
    {
        return Ok(Found::Hole(hole.min(limit - offset)));
    }
    Ok(Found::Bytes(match text::after_last_newline(data) {
        // The goal is a border between two pieces. And where the file ends, nothing more comes.
        _ if !more_to_come => data.len(),
        Some(cut) => cut,
        None => data.len() - text::unfinished(data),
    }))
}
