//! What is handed to viewers: pieces.
//!
//! Does not know where pieces come from.

use std::rc::Rc;

use crate::tail::cursor::Cursor;

/// A piece of a log. Pieces at the head are made once and shared by all viewers.
#[derive(Debug)]
pub struct Piece<E> {
    /// What it says.
    pub kind: PieceKind,
    /// What the caller keeps beside it, say its encoded frames; begins as the default.
    pub encoded: E,
}

impl<E: Default> Piece<E> {
    pub(crate) fn new(kind: PieceKind) -> Rc<Self> {
        Rc::new(Self { kind, encoded: E::default() })
    }
}

/// What a piece says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// Text of one generation. Cut at line ends where possible; where it does not end in a newline, the next piece of
    /// the same generation continues the line.
    Lines {
        /// Where the viewer stood before.
        from: Cursor,
        /// Where it stands after.
        to: Cursor,
        /// Valid UTF-8. What was not is U+FFFD here.
        text: Rc<[u8]>,
        /// How many bytes of the source this is.
        bytes: u64,
    },
    /// The log goes on in a new file; the earlier one may still get late lines.
    Rotated {
        /// The beginning of the new file.
        at: Cursor,
    },
    /// The file was cut to nothing and goes on from its start. What was written to it between our last look and
    /// the cut, nobody has seen, and nobody can tell how much it was.
    Truncated {
        /// The beginning of what is in it now.
        at: Cursor,
    },
    /// Bytes that the viewer does not get.
    Gap {
        /// Where the viewer stood before.
        from: Cursor,
        /// Where it goes on.
        to: Cursor,
        /// How many bytes there were between, if that can be known.
        bytes: Option<u64>,
        /// Why they are not delivered.
        why: GapReason,
    },
    /// The file cannot be read; it is waited for. A sentence for people says why.
    Missing {
        /// Reads well after the log's name and a colon.
        why: String,
    },
    /// The file is there again.
    Back,
}

/// Why bytes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// They were in a file that has been rotated away and exists no more.
    Rotated,
    /// They were cut off.
    Truncated,
    /// There never were any: the file has a hole here, which would read as NULs.
    Hole,
    /// The cursor names something that is not to be found.
    Unknown,
}
