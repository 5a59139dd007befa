//! Pieces, which are what viewers get, and the window: the recent pieces, made once and shared by all.
//!
//! Does not know where pieces come from.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::tail::cursor::Cursor;
use crate::tail::standing::{GenerationId, Standing};

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
    /// They are in a compressed file that is damaged, or larger than what is unpacked of one.
    Archive,
    /// The cursor names something that is not to be found; or what may have the last lines cannot be read for the moment.
    Unknown,
}

/// The text that the window holds at most.
const MOST_TEXT: usize = 4 * 1024 * 1024;

/// What a piece costs beside its text, so that many small ones are bounded as well.
const PER_PIECE: usize = 256;

/// The recent pieces of a log, each with a number. Between any two of them lies a border where viewers can join.
#[derive(Debug)]
pub(crate) struct Window<E> {
    slots: VecDeque<Slot<E>>,
    first: u64,
    base: Rc<Standing>,
    weight: usize,
}

#[derive(Debug)]
pub(crate) struct Slot<E> {
    pub(crate) piece: Rc<Piece<E>>,
    /// Where a viewer stands that has had it.
    pub(crate) after: Rc<Standing>,
}

impl<E> Window<E> {
    /// Empty, its only border being at `base`.
    pub(crate) fn new(base: Rc<Standing>) -> Self {
        Self { slots: VecDeque::new(), first: 0, base, weight: 0 }
    }

    /// The number of the first piece.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next piece will have.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    pub(crate) fn get(&self, seq: u64) -> Option<&Slot<E>> {
        self.slots.get(usize::try_from(seq.checked_sub(self.first)?).ok()?)
    }

    /// Adds the newest piece. The oldest ones leave when there is too much text, or when they begin in a generation
    /// older than `oldest`, which nobody could read up to any more.
    pub(crate) fn push(&mut self, piece: Rc<Piece<E>>, after: Rc<Standing>, oldest: GenerationId) {
        self.weight += piece.weight();
        self.slots.push_back(Slot { piece, after });
        while self.weight > MOST_TEXT || self.base.newest().id < oldest {
            let Some(slot) = self.slots.pop_front() else { break };
            self.weight -= slot.piece.weight();
            self.first += 1;
            self.base = slot.after;
        }
    }

    /// The head has moved without a piece. Where there are pieces, the next one will tell.
    pub(crate) fn settle(&mut self, head: &Rc<Standing>) {
        if self.slots.is_empty() {
            self.base = Rc::clone(head);
        }
    }

    /// Forgets everything; all viewers are behind `head` now.
    pub(crate) fn restart(&mut self, head: Rc<Standing>) {
        self.first = self.end() + 1;
        self.slots.clear();
        self.weight = 0;
        self.base = head;
    }

    /// The first border that a viewer `at` has not passed: the number of the piece behind it, and where it lies. None
    /// if the viewer is ahead of all. O(log pieces).
    pub(crate) fn border_after(&self, at: &Standing) -> Option<(u64, &Rc<Standing>)> {
        if at.is_not_after(&self.base) {
            return Some((self.first, &self.base));
        }
        let index = self.slots.partition_point(|slot| !at.is_not_after(&slot.after));
        self.slots.get(index).map(|slot| (self.first + index as u64 + 1, &slot.after))
    }
}

impl<E> Piece<E> {
    fn weight(&self) -> usize {
        match &self.kind {
            PieceKind::Lines { text, .. } => text.len() + PER_PIECE,
            _ => PER_PIECE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::cursor::{GuardPrint, HeadPrint, Place};
    use crate::tail::standing::Spot;

    const ONLY: GenerationId = GenerationId(7);

    fn at(offset: u64) -> Rc<Standing> {
        let place = Place { inode: 1, head: HeadPrint::of(b"", 0), guard: GuardPrint::of(b""), offset };
        Rc::new(Standing::new(vec![Spot { id: ONLY, place }]))
    }

    fn lines(from: u64, to: u64) -> Rc<Piece<()>> {
        let text = vec![b'x'; usize::try_from(to - from).unwrap()].into();
        Piece::new(PieceKind::Lines { from: at(from).cursor(), to: at(to).cursor(), text, bytes: to - from })
    }

    /// A window at offset 10 with pieces of ten bytes.
    fn window(pieces: u64) -> Window<()> {
        let mut window = Window::new(at(10));
        for i in 1..=pieces {
            window.push(lines(i * 10, i * 10 + 10), at(i * 10 + 10), ONLY);
        }
        window
    }

    #[test]
    fn a_viewer_joins_at_the_first_border_it_has_not_passed() {
        let window = window(3);
        for (offset, seq, border) in
            [(0, 0, 10), (10, 0, 10), (11, 1, 20), (20, 1, 20), (39, 3, 40), (40, 3, 40)]
        {
            let (found, goal) = window.border_after(&at(offset)).unwrap();
            assert_eq!((found, goal), (seq, &at(border)), "from {offset}");
        }
        assert!(window.border_after(&at(41)).is_none());
    }

    #[test]
    fn pieces_keep_their_numbers_when_the_oldest_leave() {
        let mut window = window(0);
        let half = u64::try_from(MOST_TEXT / 2).unwrap();
        for i in 0..4 {
            window.push(lines(i * half, (i + 1) * half), at((i + 1) * half), ONLY);
        }
        assert_eq!((window.first(), window.end()), (3, 4));
        assert!(window.get(2).is_none());
        assert_eq!(window.get(3).unwrap().after, at(4 * half));
        assert_eq!(window.border_after(&at(0)).unwrap(), (3, &at(3 * half)));
    }

    #[test]
    fn many_small_pieces_are_bounded_too() {
        let window = window(100_000);
        assert!(window.slots.len() <= MOST_TEXT / PER_PIECE);
        assert_eq!(window.end(), 100_000);
    }

    #[test]
    fn pieces_of_forgotten_generations_leave() {
        let mut window = window(3);
        let mark = Piece::new(PieceKind::Rotated { at: at(0).cursor() });
        let next = Standing::new(vec![Spot { id: ONLY.next(), ..at(0).newest() }]);
        window.push(mark, Rc::new(next), ONLY.next());
        assert_eq!((window.first(), window.end()), (4, 4));
    }

    #[test]
    fn after_a_restart_no_old_number_is_valid() {
        let mut window = window(3);
        let old_head = window.end();
        window.restart(at(1000));
        assert!(old_head < window.first());
        assert_eq!(window.border_after(&at(40)).unwrap(), (window.first(), &at(1000)));
    }
}
