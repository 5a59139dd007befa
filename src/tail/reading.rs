//! Reading files at offsets: what `pread`, `fstat` and `lseek` are asked, once.
//!
//! Does not know what is in the files.

use std::io;

use rustix::io::Errno;

use crate::tail::Lens;
use crate::tail::beneath::Stat;
use crate::tail::cursor::{HEAD, Place, guard_len};
use crate::tail::disk::{File, SeekFrom};

/// The most that is read at once.
pub(crate) const READ: usize = 64 * 1024;

/// A shorter run of NULs is delivered as what it reads as.
const SMALL_HOLE: u64 = 64 * 1024;

/// What lies before `offset`, as far as a guard covers it.
pub(crate) fn before(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let len = guard_len(offset);
    read_exactly(file, offset - len as u64, len)
}

/// The place at `offset` of `file`, for those who read on from there through `lens`.
pub(crate) fn place(file: &File, offset: u64, lens: &Lens) -> io::Result<Place> {
    let stat = file.stat()?;
    let head = read_exactly(file, 0, HEAD.min(usize::try_from(offset).unwrap_or(HEAD)))?;
    let seal = lens.seal();
    #[allow(clippy::unnecessary_cast, reason = "the width of an inode's number depends on the platform")]
    let inode = stat.st_ino as u64;
    Ok(Place {
        inode,
        head: seal.head(&head, offset),
        guard: seal.guard(&before(file, offset)?, offset),
        offset,
    })
}

/// How far it is to where data begins again, if there is a hole worth skipping; asked after having read [`READ`] bytes
/// from `at`, or a little fewer, that all were NUL.
pub(crate) fn hole_at(file: &File, at: u64, size: u64) -> io::Result<Option<u64>> {
    // Holes begin at block borders. The rest of the block before is NULs as well, and belongs to the hole for us.
    let hole = seek_or(file, SeekFrom::Hole(at), size)?;
    if hole - at >= READ as u64 {
        return Ok(None);
    }
    // "ENXIO: whence is SEEK_DATA ... and offset is within a hole at the end of the file" (lseek(2)).
    let data = seek_or(file, SeekFrom::Data(hole), size)?;
    Ok(data.checked_sub(at).filter(|&hole| hole > SMALL_HOLE))
}

/// Where a hole begins, or is known to have begun, that reaches up to `end` at least; if there is one worth skipping.
///
/// The system tells holes only forwards, so twice as far back is tried again and again: at most 64 times.
#[cfg_attr(not(test), allow(dead_code, reason = "searching and scrolling will be built on it"))]
pub(crate) fn hole_back(file: &File, end: u64) -> io::Result<Option<u64>> {
    let (mut found, mut back) = (None, SMALL_HOLE);
    while let Some(at) = end.checked_sub(back).filter(|_| back <= end) {
        if seek_or(file, SeekFrom::Data(at), end)? < end {
            break;
        }
        (found, back) = (Some(at), back.saturating_mul(2));
    }
    Ok(found)
}

fn seek_or(file: &File, to: SeekFrom, end: u64) -> io::Result<u64> {
    match file.seek(to) {
        // A file system that does not know about its holes says EINVAL, or that all is data. Then NULs are read.
        Err(Errno::NXIO | Errno::INVAL) => Ok(end),
        done => Ok(done?),
    }
}

/// Reads until `buffer` is full. Short at the end of the file, and only there.
pub(crate) fn read_fully(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// Reads `len` bytes; an error if there are fewer.
pub(crate) fn read_exactly(file: &File, at: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    if read_fully(file, &mut bytes, at)? < len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// Are these bytes at `at`? At most [`HEAD`] of them.
pub(crate) fn holds(file: &File, at: u64, expected: &[u8]) -> io::Result<bool> {
    let mut found = [0; HEAD];
    let found = &mut found[..expected.len()];
    let read = read_fully(file, found, at)?;
    Ok(found[..read] == *expected)
}

/// What the open file is at this moment.
pub(crate) fn stat_of(file: &File) -> io::Result<Stat> {
    // It was a regular file when it was opened, and stays one.
    Stat::regular(&file.stat()?).map_err(|error| io::Error::other(error.to_string()))
}
