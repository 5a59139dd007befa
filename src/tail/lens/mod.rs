//! What the bytes of a log mean: which of them are a line, where they may be cut, and what of them is shown.
//!
//! A log comes in pieces, read by many readers from many offsets. So whatever is said here follows from the bytes and
//! their offset alone: an offset that is called a border stays one, whoever reads from there, and pieces that are cut
//! at borders say together what the whole would.
//!
//! Does not know files, and holds nothing of what was read. Offsets count bytes of the source.

mod utf8;

use std::rc::Rc;

use crate::tail::disk::File;
use crate::tail::reading::read_fully;

/// How a log is read: shared by all of its generations, and by everybody who reads them.
#[derive(Clone, Debug, Default)]
pub struct Lens {}

/// A stretch of a generation's bytes that is to be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch<'a> {
    /// The offset of its first byte in the generation.
    #[expect(dead_code, reason = "what UTF-8 does not ask for, the other encodings will")]
    pub(crate) at: u64,
    /// What it is made of. Begins at a border, and ends at one unless it [is the last](Self::is_last).
    pub(crate) bytes: &'a [u8],
    /// Its first byte is the first of a line.
    #[expect(dead_code, reason = "asked for where lines are redacted, which is still to come")]
    pub(crate) begins_line: bool,
    /// Nothing comes after it in its generation: what is unfinished at its end will stay so.
    #[expect(dead_code, reason = "asked for where lines are redacted, which is still to come")]
    pub(crate) is_last: bool,
}

impl Lens {
    /// The lens for a generation that begins with `head`. The same one unless the bytes themselves say otherwise.
    pub(crate) fn for_head(self: &Rc<Self>, _head: &[u8]) -> Rc<Self> {
        Rc::clone(self)
    }

    /// What is shown of these bytes: valid UTF-8, with U+FFFD in place of what was invalid. As many newlines as there
    /// are in the source.
    pub(crate) fn text(&self, stretch: &Stretch<'_>) -> Rc<[u8]> {
        utf8::lossy(stretch.bytes)
    }

    /// True if the bytes of the source are what is shown of them, but for invalid ones: then who looks for something
    /// may look at them as they are.
    pub fn is_plain(&self) -> bool {
        true
    }

    /// True if a line is shown only when it is whole, since half of it may hold half of a secret.
    pub(crate) fn wants_whole_lines(&self) -> bool {
        false
    }

    /// How many bytes at the end of `bytes`, which begin at the border `at`, are the beginning of a character that
    /// needs more: 3 at most.
    pub(crate) fn unfinished(&self, _at: u64, bytes: &[u8]) -> usize {
        utf8::unfinished(bytes)
    }

    /// After the last newline of `bytes`, which begin at the border `at`.
    pub(crate) fn after_last_newline(&self, _at: u64, bytes: &[u8]) -> Option<usize> {
        memchr::memrchr(b'\n', bytes).map(|newline| newline + 1)
    }

    /// After the first newline of `bytes`, which begin at the offset `at`.
    pub(crate) fn after_first_newline(&self, _at: u64, bytes: &[u8]) -> Option<usize> {
        memchr::memchr(b'\n', bytes).map(|newline| newline + 1)
    }

    /// Where the first character begins that begins in `bytes`, which may begin anywhere. 0 if there is no telling.
    pub(crate) fn first_border(&self, _at: u64, bytes: &[u8]) -> usize {
        utf8::first_border(bytes)
    }

    /// Is `at` the beginning of a line, if these are the bytes before it? The last eight of them suffice; where there
    /// are fewer, the generation begins with them.
    pub(crate) fn begins_line(&self, at: u64, before: &[u8]) -> bool {
        at == 0 || before.ends_with(b"\n")
    }

    /// The border at or just before `offset` in `file`, from which a reader may go on.
    pub(crate) fn border(&self, file: &File, offset: u64) -> std::io::Result<u64> {
        // Four bytes before, so that any run of continuations is recognised, and enough after to see a character whole.
        let from = offset.saturating_sub(8);
        let mut around = [0; 12];
        let read = read_fully(file, &mut around, from)?;
        // Offsets within twelve bytes.
        let at = usize::try_from(offset - from).unwrap_or(0).min(read);
        Ok(from + utf8::border_at_or_before(&around[..read], at) as u64)
    }
}
