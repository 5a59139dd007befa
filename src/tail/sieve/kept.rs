//! The recent pieces as their filters left them, or are about to: for viewers who stand at the same border with the same
//! filter the work is done, and the frames are made, once for all of them.
//!
//! Does not know what a filter is.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::{Rc, Weak};

use crate::tail::pattern::Filter;
use crate::tail::sieve::{Halves, Sieve};
use crate::tail::window::{Piece, PieceKind};

/// What is kept of sifted pieces, for all filters together.
const MOST_KEPT: usize = 4 * 1024 * 1024;

/// What a kept piece costs beside its text.
const PER_PIECE: usize = 256;

/// See the module. `E` is what is kept beside a piece, `W` a piece that is being worked on.
#[derive(Debug)]
pub(crate) struct Kept<E, W> {
    pieces: HashMap<Key, KeptPiece<E, W>>,
    order: VecDeque<Key>,
    weight: usize,
}

/// The number of a piece in the window, and which filter. A filter that is kept here stays where it is in memory.
type Key = (u64, *const Filter);

#[derive(Debug)]
struct KeptPiece<E, W> {
    before: Sieve,
    state: State<E, W>,
}

/// How far somebody has come with a piece.
#[derive(Debug)]
pub(crate) enum State<E, W> {
    /// This is what became of it.
    Sifted(Rc<Piece<E>>, Halves),
    /// It is being worked on, as long as somebody wants it.
    UnderWay(Weak<RefCell<W>>),
}

impl<E, W> Default for Kept<E, W> {
    fn default() -> Self {
        Self { pieces: HashMap::new(), order: VecDeque::new(), weight: 0 }
    }
}

impl<E, W> Kept<E, W> {
    /// What became of piece `seq`, or is becoming of it, for somebody else with this sieve.
    pub(crate) fn get(&self, seq: u64, sieve: &Sieve) -> Option<&State<E, W>> {
        let kept = self.pieces.get(&(seq, Rc::as_ptr(&sieve.filter)))?;
        (kept.before.halves == sieve.halves).then_some(&kept.state)
    }

    /// Keeps what became of piece `seq`, or where it is worked on. The oldest leave when there is too much.
    pub(crate) fn keep(&mut self, seq: u64, before: &Sieve, state: State<E, W>) {
        let key = (seq, Rc::as_ptr(&before.filter));
        self.weight += state.weight();
        match self.pieces.insert(key, KeptPiece { before: before.clone(), state }) {
            Some(other) => self.weight -= other.state.weight(),
            None => self.order.push_back(key),
        }
        while self.weight > MOST_KEPT {
            let Some(key) = self.order.pop_front() else { break };
            self.weight -= self.pieces.remove(&key).map_or(0, |kept| kept.state.weight());
        }
    }
}

impl<E, W> State<E, W> {
    fn weight(&self) -> usize {
        match self {
            Self::Sifted(piece, _) => match &piece.kind {
                PieceKind::Lines { text, .. } => text.len() + PER_PIECE,
                _ => PER_PIECE,
            },
            Self::UnderWay(_) => PER_PIECE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::sieve::tests::{lines, sieve};
    use crate::tail::sieve::{Begun, Half};
    use crate::tail::standing::GenerationId;

    #[test]
    fn what_is_kept_is_bounded_and_found_by_those_who_are_in_the_same_place() {
        let mut kept = Kept::<(), ()>::default();
        let (one, other) = (sieve("a"), sieve("a"));
        let sifted = || State::Sifted(Piece::new(lines(&"x".repeat(1 << 20))), Halves::default());
        for seq in 0..10 {
            kept.keep(seq, &one, sifted());
        }
        assert!(kept.weight <= MOST_KEPT && kept.pieces.len() == kept.order.len());
        assert!(kept.get(9, &one).is_some() && kept.get(0, &one).is_none());
        assert!(kept.get(9, &other).is_none(), "it is another filter");
        let half = Half { id: GenerationId(1), begun: Begun::Long };
        let elsewhere = Sieve { halves: Halves::new(vec![half]), ..one };
        assert!(kept.get(9, &elsewhere).is_none(), "it is in the middle of another line");
    }

    #[test]
    fn what_is_worked_on_gives_way_to_what_came_of_it() {
        let mut kept = Kept::<(), u8>::default();
        let (sieve, work) = (sieve("a"), Rc::new(RefCell::new(7)));
        kept.keep(1, &sieve, State::UnderWay(Rc::downgrade(&work)));
        let Some(State::UnderWay(found)) = kept.get(1, &sieve) else { panic!("it is under way") };
        assert!(Rc::ptr_eq(&found.upgrade().unwrap(), &work));
        kept.keep(1, &sieve, State::Sifted(Piece::new(lines("a\n")), Halves::default()));
        assert!(matches!(kept.get(1, &sieve), Some(State::Sifted(..))));
        assert_eq!((kept.weight, kept.order.len()), (PER_PIECE + 2, 1));
    }
}
