//! Reading again in a generation what the head has read, or has left to others.
//!
//! A file may hold something else by now. What is read is believed only if the bytes that are known of the generation
//! are still in their places afterwards; if they are not, the follower is told, and knows what became of them the next
//! time it is asked.
//!
//! Does not know what is done with the bytes.

use std::io;
use std::time::Instant;

use crate::tail::beneath::OpenError;
use crate::tail::disk::File;
use crate::tail::follower::Follower;
use crate::tail::generation::Generation;
use crate::tail::reading::{read_fully, stat_of};
use crate::tail::standing::GenerationId;

/// What came of reading again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reread {
    /// So many bytes; fewer than asked for only at the end of the file.
    Bytes(usize),
    /// The generation's bytes are nowhere any more, or have been unreadable for too long.
    Gone,
    /// The file held something else; the follower knows now.
    Again,
    /// More of an archive has to be unpacked first; a little was.
    Packed,
    /// It cannot be read at the moment.
    Later,
}

/// Reads in the generation `id` from the offset `at`, as much as `buffer` has room for.
///
/// Bounded: one read and three small ones; looks through the folder if the file was closed meanwhile.
pub(crate) fn reread(
    follower: &mut Follower,
    id: GenerationId,
    at: u64,
    buffer: &mut [u8],
    now: Instant,
) -> Reread {
    let opened = match follower.lineage.make_open(id, now) {
        Ok(opened) => opened,
        Err(OpenError::Packed) => return Reread::Packed,
        Err(_) => return Reread::Later,
    };
    let log_is_away = follower.is_path_empty();
    let Some(generation) = follower.lineage.get_mut(id) else {
        return Reread::Gone;
    };
    generation.touch(now);
    let Some(file) = generation.file().filter(|_| opened) else {
        return Reread::Gone;
    };
    match believed(generation, file, at, buffer) {
        Ok(Some(read)) => {
            generation.was_readable();
            Reread::Bytes(read)
        }
        Ok(None) => {
            follower.holds_something_else(id, now);
            Reread::Again
        }
        // At the head it cannot be read either: that is told, and waited for however long.
        Err(why) if !generation.has_ended() && generation.try_reading(file).is_err() => {
            follower.fail(id, &why.into(), now);
            Reread::Later
        }
        Err(why) => {
            let given_up = generation.was_unreadable(&why, now) && !log_is_away;
            if given_up { Reread::Gone } else { Reread::Later }
        }
    }
}

/// None if the file holds something else.
fn believed(generation: &Generation, file: &File, at: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    let read = read_fully(file, buffer, at)?;
    // Asked after reading, as at the head: what is known of the generation's end must still be there. A copy may lack
    // the end; it was compared when it was found.
    let whole = stat_of(file)?.size >= generation.position();
    let cut = if whole { !generation.is_unchanged(file, &[])? } else { !generation.has_ended() };
    Ok(if cut { None } else { Some(read) })
}
