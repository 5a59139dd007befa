//! The same log for those who want to see only some of its lines.
//!
//! A piece is judged a part at a time, as costly patterns take long, and once for all viewers with the same filter who
//! stand at the same border: whoever of them is asked for the next piece gets on with it.
//!
//! Does not know what passes, nor where lines end: that is `sieve`.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use super::{Feed, Position, Step};
use crate::tail::pattern::Filter;
use crate::tail::sieve::kept::State;
use crate::tail::sieve::{Halves, Passed, Sieve, Sifting};
use crate::tail::window::{Piece, PieceKind};

/// A piece that is being judged.
#[derive(Debug)]
pub(super) struct UnderWay {
    kind: PieceKind,
    /// Where a viewer stands behind it, the lines apart that it is in the middle of.
    to: Position,
    sifting: Sifting,
    /// What became of it, once that is known.
    passed: Option<Passed>,
}

impl UnderWay {
    /// Judges another part. What became of the piece, if that was the last one.
    fn go_on(&mut self, sieve: &Sieve) -> Option<Passed> {
        if self.passed.is_none() {
            self.passed = sieve.go_on(&mut self.sifting, &self.kind);
        }
        self.passed.clone()
    }
}

impl<E: Default> Feed<E> {
    /// `position`, but seeing from there on only the lines that pass `filter`, or all of them. A line that the position lies
    /// in is judged as a whole; for that its beginning is read, 128 KiB at most.
    pub fn filtered(&mut self, position: &Position, filter: Option<Rc<Filter>>, now: Instant) -> Position {
        let sieve = filter.map(|filter| Sieve { filter, halves: self.follower.halves_at(&position.at, now) });
        Position { sieve, under_way: None, ..position.clone() }
    }

    /// The next piece for a viewer with this sieve, or a part of the way to it.
    pub(super) fn next_sifted(&mut self, position: &Position, sieve: &Sieve, now: Instant) -> Step<E> {
        let under_way = match &position.under_way {
            Some(under_way) => Rc::clone(under_way),
            None => {
                let Step::Piece(piece, to) = self.next_whole(position, now) else {
                    return self.halves_that_ended(position, sieve);
                };
                match self.kept_behind(position, &to, sieve) {
                    Some(State::Sifted(piece, halves)) => {
                        return Step::Piece(Rc::clone(piece), stand(&to, sieve, halves.clone()));
                    }
                    Some(State::UnderWay(under_way)) => under_way.upgrade(),
                    None => None,
                }
                .unwrap_or_else(|| {
                    let sifting = sieve.begin(&piece.kind, &position.at, &to.at);
                    Rc::new(RefCell::new(UnderWay { kind: piece.kind.clone(), to, sifting, passed: None }))
                })
            }
        };
        let to = under_way.borrow().to.clone();
        // Somebody else may have done what was left.
        if let Some(State::Sifted(piece, halves)) = self.kept_behind(position, &to, sieve) {
            return Step::Piece(Rc::clone(piece), stand(&to, sieve, halves.clone()));
        }
        let passed = under_way.borrow_mut().go_on(sieve);
        match passed {
            Some(passed) => self.sifted(position, &to, sieve, &under_way.borrow().kind, passed),
            None => {
                if let Some(seq) =
                    position.seq.filter(|_| position.under_way.is_none() && is_shared(position, &to))
                {
                    self.kept.keep(seq, sieve, State::UnderWay(Rc::downgrade(&under_way)));
                }
                let nothing = lines_of_none(position, position, Rc::from(*b""));
                Step::Piece(nothing, Position { under_way: Some(under_way), ..position.clone() })
            }
        }
    }

    /// A piece of this kind has been judged.
    fn sifted(
        &mut self,
        position: &Position,
        to: &Position,
        sieve: &Sieve,
        kind: &PieceKind,
        passed: Passed,
    ) -> Step<E> {
        let (piece, halves) = match (passed, kind) {
            (Passed::Whole(halves), _) => (self.whole(position, to, kind), halves),
            (Passed::Text(text, halves), PieceKind::Lines { from, to, bytes, .. }) => {
                let (from, to, bytes) = (from.clone(), to.clone(), *bytes);
                (Piece::new(PieceKind::Lines { from, to, text, bytes }), halves)
            }
            (Passed::Text(text, halves) | Passed::Before(text, halves), _) => {
                // Whoever is lost between this and a mark misses the mark, and not a line. Whoever is lost before a gap is
                // told of the gap, and shown the half line before it once more.
                let end = if matches!(kind, PieceKind::Gap { .. }) { position } else { to };
                return Step::Piece(lines_of_none(position, end, text), stand(position, sieve, halves));
            }
        };
        if let Some(seq) = position.seq.filter(|_| is_shared(position, to)) {
            self.kept.keep(seq, sieve, State::Sifted(Rc::clone(&piece), halves.clone()));
        }
        Step::Piece(piece, stand(to, sieve, halves))
    }

    /// The piece of this kind between two places: that of the window, if it is still there.
    fn whole(&self, position: &Position, to: &Position, kind: &PieceKind) -> Rc<Piece<E>> {
        let seq = position.seq.filter(|_| is_shared(position, to));
        let slot = seq.and_then(|seq| self.window.get(seq));
        slot.map_or_else(|| Piece::new(kind.clone()), |slot| Rc::clone(&slot.piece))
    }

    /// What others with this sieve have made, or are making, of the piece between two borders of the window.
    fn kept_behind(&self, position: &Position, to: &Position, sieve: &Sieve) -> Option<&State<E, UnderWay>> {
        let seq = position.seq.filter(|_| is_shared(position, to))?;
        self.kept.get(seq, sieve)
    }

    /// A viewer at the head may be in the middle of a line of a generation that has ended without a word: then that is all
    /// there will be of it.
    fn halves_that_ended(&mut self, position: &Position, sieve: &Sieve) -> Step<E> {
        if sieve.halves.is_empty() || position.seq != Some(self.window.end()) {
            return Step::UpToDate;
        }
        let head = Rc::clone(self.follower.head());
        let (passed, halves) = sieve.end(|half| head.spot(half.id).is_none());
        if passed.is_empty() {
            return Step::UpToDate;
        }
        let to = Position { at: head, ..stand(position, sieve, halves) };
        Step::Piece(lines_of_none(position, &to, passed.into()), to)
    }

    /// For a viewer that is up to date and will not wait: what passes of the lines that have no end yet. Its position stays.
    pub fn unfinished(&mut self, position: &Position) -> Option<Rc<Piece<E>>> {
        let (passed, _) = position.sieve.as_ref()?.end(|_| true);
        (!passed.is_empty()).then(|| lines_of_none(position, position, passed.into()))
    }
}

/// Whether a piece between two positions is one of the window.
fn is_shared(position: &Position, to: &Position) -> bool {
    position.seq.is_some_and(|seq| to.seq == Some(seq + 1))
}

/// `at`, in the middle of these lines.
fn stand(at: &Position, sieve: &Sieve, halves: Halves) -> Position {
    Position { sieve: Some(Sieve { halves, ..sieve.clone() }), under_way: None, ..at.clone() }
}

/// Lines that ended between two places where no byte lies.
fn lines_of_none<E: Default>(from: &Position, to: &Position, text: Rc<[u8]>) -> Rc<Piece<E>> {
    Piece::new(PieceKind::Lines { from: from.at.cursor(), to: to.at.cursor(), text, bytes: 0 })
}
