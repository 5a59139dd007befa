//! What a filter leaves of a log: the whole lines that pass, piece by piece.
//!
//! Pieces end where they end, and lines elsewhere. The rule that makes every place in a log as good as any other to come
//! back to is: **a viewer with a filter has been shown, of the lines that ended before its place, those that pass, and
//! nothing of the others.** A line that the place lies in is still to be judged, as a whole; its beginning, a [`Half`], is kept
//! with the viewer, or read again where it comes to.
//!
//! ```text
//!   pieces     |one\ntwo\nth|ree|\nfour\nfi|ve\n|
//!   judged      one  two     -   three four  five
//! ```
//!
//! A line longer than [`LONGEST`] is judged in parts, as they come. Where the generation ends, or bytes are missing, the
//! half line before is all there will be of it, and is judged as it is.
//!
//! Viewers with the same filter share what is made of the pieces in the window. Does not know files.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use memchr::{memchr, memrchr};

use crate::tail::pattern::Filter;
use crate::tail::standing::{GenerationId, Standing};
use crate::tail::window::{Piece, PieceKind};

/// A line whose text is longer than this is judged in parts.
pub(crate) const LONGEST: usize = 64 * 1024;

/// What is kept of sifted pieces, for all filters together.
const MOST_KEPT: usize = 4 * 1024 * 1024;

/// What a kept piece costs beside its text.
const PER_PIECE: usize = 256;

/// What a viewer wants to see, and the lines that it is in the middle of. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sieve {
    pub(crate) filter: Rc<Filter>,
    pub(crate) halves: Halves,
}

/// The lines that a viewer is in the middle of, one at most in each generation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Halves(Option<Rc<[Half]>>);

/// A line that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Half {
    pub(crate) id: GenerationId,
    /// Its text so far; nothing if it is longer than [`LONGEST`], and what came of it was judged.
    pub(crate) begun: Begun,
}

/// What there is of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// All of its beginning, still to be judged.
    Short(Rc<[u8]>),
    /// It is longer than [`LONGEST`]; everything so far was judged.
    Long,
}

/// What becomes of a step.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// The piece as it is.
    Whole(Halves),
    /// Instead of its text, this.
    Text(Rc<[u8]>, Halves),
    /// First this, and then the step once more.
    Before(Rc<[u8]>, Halves),
}

impl Halves {
    pub(crate) fn new(halves: Vec<Half>) -> Self {
        Self(if halves.is_empty() { None } else { Some(halves.into()) })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn iter(&self) -> impl Iterator<Item = &Half> {
        self.0.iter().flat_map(|halves| halves.iter())
    }

    fn of(&self, id: GenerationId) -> Option<&Begun> {
        self.iter().find(|half| half.id == id).map(|half| &half.begun)
    }

    /// Those of other generations, and this one.
    fn with(&self, id: GenerationId, begun: Option<Begun>) -> Self {
        if self.is_empty() && begun.is_none() {
            return Self(None);
        }
        let others = self.iter().filter(|half| half.id != id).cloned();
        Self::new(others.chain(begun.map(|begun| Half { id, begun })).collect())
    }
}

impl Begun {
    /// A line that has begun with `text`, if it has begun at all.
    pub(crate) fn of(text: Rc<[u8]>) -> Option<Self> {
        match text.len() {
            0 => None,
            1..=LONGEST => Some(Self::Short(text)),
            _ => Some(Self::Long),
        }
    }

    fn text(&self) -> &[u8] {
        match self {
            Self::Short(text) => text,
            Self::Long => &[],
        }
    }
}

impl Sieve {
    /// What is shown of a piece that leads from one place to another.
    pub(crate) fn sift(&self, kind: &PieceKind, from: &Standing, to: &Standing) -> Passed {
        let read = moved(from, to);
        // What is not listed any more has ended; and of a line that bytes are missing of, there is no more.
        let broken = matches!(kind, PieceKind::Gap { .. });
        let over = |half: &Half| to.spot(half.id).is_none() || broken && Some(half.id) == read;
        let (ended, halves) = self.end(over);
        match (kind, read) {
            (PieceKind::Lines { text, .. }, Some(id)) => self.sift_text(ended, text, id, &halves),
            _ if !ended.is_empty() => Passed::Before(ended.into(), halves),
            _ => Passed::Whole(halves),
        }
    }

    /// Judges the halves that are `over` as they are: what passes, and the others.
    pub(crate) fn end(&self, over: impl Fn(&Half) -> bool) -> (Vec<u8>, Halves) {
        let mut passed = Vec::new();
        if !self.halves.iter().any(&over) {
            return (passed, self.halves.clone());
        }
        for half in self.halves.iter().filter(|half| over(half)) {
            self.judge(half.begun.text(), &mut passed);
        }
        (passed, Halves::new(self.halves.iter().filter(|half| !over(half)).cloned().collect()))
    }

    /// What passes of `text`, behind what has passed already.
    fn sift_text(&self, mut passed: Vec<u8>, text: &Rc<[u8]>, id: GenerationId, halves: &Halves) -> Passed {
        let begun = halves.of(id);
        let Some(last) = memrchr(b'\n', text) else {
            let line = [begun.map_or(&[][..], Begun::text), text].concat();
            let now = match begun {
                Some(Begun::Long) => Some(Begun::Long),
                _ => Begun::of(line.as_slice().into()),
            };
            if now == Some(Begun::Long) {
                self.judge(&line, &mut passed);
            }
            let halves = halves.with(id, now);
            return Passed::Text(passed.into(), halves);
        };
        let (mut ended, rest) = text.split_at(last + 1);
        if let Some((begun, newline)) = begun.zip(memchr(b'\n', ended)) {
            self.judge(&[begun.text(), &ended[..newline]].concat(), &mut passed);
            ended = &ended[newline + 1..];
        }
        let before = passed.len();
        for line in self.filter.shown_in(ended) {
            // Its end is a newline, or a carriage return and one.
            let end = line.end + usize::from(ended[line.end] == b'\r') + 1;
            passed.extend_from_slice(&ended[line.start..end]);
        }
        let all = before == 0 && passed.len() == text.len();
        let halves = halves.with(id, Begun::of(rest.into()));
        if all { Passed::Whole(halves) } else { Passed::Text(passed.into(), halves) }
    }

    /// Puts a line that passes, or a part of one, behind the others, as a line.
    fn judge(&self, line: &[u8], passed: &mut Vec<u8>) {
        if !line.is_empty() && self.filter.shows(line) {
            passed.extend_from_slice(line);
            passed.push(b'\n');
        }
    }
}

/// The generation that a piece is of: the one whose place it moves; or if none is, one that is listed anew, as it is
/// followed again.
fn moved(from: &Standing, to: &Standing) -> Option<GenerationId> {
    let further = |id| from.spot(id).zip(to.spot(id)).is_some_and(|(a, b)| a.place.offset < b.place.offset);
    let anew = |id| from.spot(id).is_none();
    let ids = || to.spots().iter().map(|spot| spot.id);
    ids().find(|&id| further(id)).or_else(|| ids().find(|&id| anew(id)))
}

/// The recent pieces as their filters left them, for viewers who stand at the same border with the same filter: the
/// work is done, and the frames are made, once for all of them.
#[derive(Debug)]
pub(crate) struct Kept<E> {
    pieces: HashMap<Key, KeptPiece<E>>,
    order: VecDeque<Key>,
    weight: usize,
}

/// The number of a piece in the window, and which filter. A filter that is kept here stays where it is in memory.
type Key = (u64, *const Filter);

#[derive(Debug)]
struct KeptPiece<E> {
    before: Sieve,
    piece: Rc<Piece<E>>,
    after: Halves,
}

impl<E> Default for Kept<E> {
    fn default() -> Self {
        Self { pieces: HashMap::new(), order: VecDeque::new(), weight: 0 }
    }
}

impl<E> Kept<E> {
    /// What became of piece `seq` for somebody else with this sieve.
    pub(crate) fn get(&self, seq: u64, sieve: &Sieve) -> Option<(&Rc<Piece<E>>, &Halves)> {
        let kept = self.pieces.get(&(seq, Rc::as_ptr(&sieve.filter)))?;
        (kept.before.halves == sieve.halves).then_some((&kept.piece, &kept.after))
    }

    /// Keeps what became of piece `seq`. The oldest leave when there is too much.
    pub(crate) fn keep(&mut self, seq: u64, before: &Sieve, piece: Rc<Piece<E>>, after: Halves) {
        let key = (seq, Rc::as_ptr(&before.filter));
        self.weight += weight(&piece);
        match self.pieces.insert(key, KeptPiece { before: before.clone(), piece, after }) {
            Some(other) => self.weight -= weight(&other.piece),
            None => self.order.push_back(key),
        }
        while self.weight > MOST_KEPT {
            let Some(key) = self.order.pop_front() else { break };
            self.weight -= self.pieces.remove(&key).map_or(0, |kept| weight(&kept.piece));
        }
    }
}

fn weight<E>(piece: &Piece<E>) -> usize {
    match &piece.kind {
        PieceKind::Lines { text, .. } => text.len() + PER_PIECE,
        _ => PER_PIECE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::cursor::{GuardPrint, HeadPrint, Place};
    use crate::tail::pattern::FilterSpec;
    use crate::tail::standing::Spot;

    fn sieve(grep: &str) -> Sieve {
        let spec = FilterSpec { grep: vec![grep.to_owned()], ..FilterSpec::default() };
        Sieve { filter: Rc::new(Filter::new(&spec).unwrap()), halves: Halves::default() }
    }

    /// Standing in generations, by id and offset.
    fn at(spots: &[(u64, usize)]) -> Standing {
        let spot = |&(id, offset): &(u64, usize)| {
            let (head, guard) = (HeadPrint::of(b"", 0), GuardPrint::of(b""));
            Spot { id: GenerationId(id), place: Place { inode: id, head, guard, offset: offset as u64 } }
        };
        Standing::new(spots.iter().map(spot).collect())
    }

    /// One viewer who reads a log of several generations.
    struct Viewer {
        sieve: Sieve,
        at: Vec<(u64, usize)>,
        shown: String,
    }

    impl Viewer {
        fn new(grep: &str) -> Self {
            Self { sieve: sieve(grep), at: vec![(1, 0)], shown: String::new() }
        }

        fn step(&mut self, kind: &PieceKind, to: Vec<(u64, usize)>) {
            loop {
                let (text, halves, again) = match self.sieve.sift(kind, &at(&self.at), &at(&to)) {
                    Passed::Whole(halves) => {
                        let text = match kind {
                            PieceKind::Lines { text, .. } => Rc::clone(text),
                            _ => Rc::from(*b""),
                        };
                        (text, halves, false)
                    }
                    Passed::Text(text, halves) => (text, halves, false),
                    Passed::Before(text, halves) => (text, halves, true),
                };
                self.shown += std::str::from_utf8(&text).unwrap();
                self.sieve.halves = halves;
                if !again {
                    self.at = to;
                    return;
                }
            }
        }

        fn reads(&mut self, id: u64, text: &str) {
            let mut to = self.at.clone();
            to.iter_mut().find(|spot| spot.0 == id).unwrap().1 += text.len();
            self.step(&lines(text), to);
        }

        /// A mark, or a gap, that leads there.
        fn goes(&mut self, kind: &PieceKind, to: &[(u64, usize)]) {
            self.step(kind, to.to_vec());
        }
    }

    fn lines(text: &str) -> PieceKind {
        let cursor = at(&[(1, 0)]).cursor();
        let bytes = text.len() as u64;
        PieceKind::Lines { from: cursor.clone(), to: cursor, text: text.as_bytes().into(), bytes }
    }

    fn rotated() -> PieceKind {
        PieceKind::Rotated { at: at(&[(2, 0)]).cursor() }
    }

    /// As `grep` would.
    fn naive(grep: &str, text: &str) -> String {
        text.lines().filter(|line| line.contains(grep)).map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn wherever_the_text_is_cut_its_lines_are_judged_whole() {
        let text = "an ox\n\nno\nox ox\n\u{20ac} fox\nfo\nthe end of ox\n";
        let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        for &i in &borders {
            for &j in borders.iter().filter(|&&j| j >= i) {
                let mut viewer = Viewer::new("ox");
                for piece in
                    [&text[..i], &text[i..j], &text[j..]].into_iter().filter(|piece| !piece.is_empty())
                {
                    viewer.reads(1, piece);
                }
                assert_eq!(viewer.shown, naive("ox", text), "cut at {i} and {j}");
                assert!(viewer.sieve.halves.is_empty());
            }
        }
    }

    #[test]
    fn where_all_lines_pass_the_piece_stays_as_it_is() {
        let (from, to) = (at(&[(1, 0)]), at(&[(1, 8)]));
        assert_eq!(sieve("o").sift(&lines("one\ntwo\n"), &from, &to), Passed::Whole(Halves::default()));
        let returns = at(&[(1, 10)]);
        assert_eq!(
            sieve("o$").sift(&lines("to\r\nno\r\n"), &from, &returns),
            Passed::Whole(Halves::default())
        );
        let passed = sieve("n").sift(&lines("one\ntwo\n"), &from, &to);
        assert_eq!(passed, Passed::Text(b"one\n"[..].into(), Halves::default()));
    }

    #[test]
    fn what_ended_before_comes_first_though_all_lines_of_the_piece_pass() {
        let mut viewer = Viewer::new("o");
        viewer.reads(1, "fo");
        viewer.at.push((2, 0));
        viewer.step(&lines("one\ntwo\n"), vec![(2, 8)]);
        assert_eq!(viewer.shown, "fo\none\ntwo\n");
    }

    #[test]
    fn late_lines_do_not_mix_with_those_of_the_successor() {
        let mut viewer = Viewer::new("o");
        viewer.reads(1, "one\nhalf of t");
        viewer.goes(&rotated(), &[(1, 13), (2, 0)]);
        viewer.reads(2, "fo");
        viewer.reads(1, "wo\n");
        viewer.reads(2, "ur\n");
        assert_eq!(viewer.shown, "one\nhalf of two\nfour\n");
    }

    #[test]
    fn half_a_line_is_judged_when_its_generation_has_ended_or_bytes_are_missing() {
        let mut viewer = Viewer::new("o");
        viewer.reads(1, "zero\none");
        viewer.goes(&rotated(), &[(2, 0)]);
        assert_eq!(viewer.shown, "zero\none\n");
        viewer.reads(2, "two");
        let cursor = at(&[(2, 0)]).cursor();
        let why = crate::tail::GapReason::Hole;
        viewer.goes(&PieceKind::Gap { from: cursor.clone(), to: cursor, bytes: Some(5), why }, &[(2, 8)]);
        viewer.reads(2, "no more\n");
        assert_eq!(viewer.shown, "zero\none\ntwo\nno more\n");
        viewer.reads(2, "half of it");
        let (passed, halves) = viewer.sieve.end(|_| true);
        assert_eq!((passed.as_slice(), halves), (&b"half of it\n"[..], Halves::default()));
    }

    #[test]
    fn a_long_line_is_judged_in_parts_and_never_held() {
        let mut viewer = Viewer::new("needle");
        viewer.reads(1, "short\nneedle ");
        viewer.reads(1, &"x".repeat(LONGEST));
        assert!(viewer.shown.starts_with("needle xxx") && viewer.shown.ends_with("x\n"));
        assert_eq!(viewer.sieve.halves.of(GenerationId(1)), Some(&Begun::Long), "nothing is held");
        let before = viewer.shown.len();
        viewer.reads(1, &"y".repeat(LONGEST));
        viewer.reads(1, "and a needle");
        viewer.reads(1, " z\nneedle\n");
        assert_eq!(&viewer.shown[before..], "and a needle\nneedle\n");
    }

    #[test]
    fn what_is_kept_is_bounded_and_found_by_those_who_are_in_the_same_place() {
        let mut kept = Kept::<()>::default();
        let (one, other) = (sieve("a"), sieve("a"));
        let piece = || Piece::new(lines(&"x".repeat(1 << 20)));
        for seq in 0..10 {
            kept.keep(seq, &one, piece(), Halves::default());
        }
        assert!(kept.weight <= MOST_KEPT && kept.pieces.len() == kept.order.len());
        assert!(kept.get(9, &one).is_some() && kept.get(0, &one).is_none());
        assert!(kept.get(9, &other).is_none(), "it is another filter");
        let half = Half { id: GenerationId(1), begun: Begun::Long };
        let elsewhere = Sieve { halves: Halves::new(vec![half]), ..one };
        assert!(kept.get(9, &elsewhere).is_none(), "it is in the middle of another line");
    }
}
