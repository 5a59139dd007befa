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
//! Viewers with the same filter share what is made of the pieces in the window: [`kept`]. Does not know files.

pub(crate) mod kept;

use std::rc::Rc;

use memchr::{memchr, memrchr};

use crate::tail::pattern::Filter;
use crate::tail::standing::{GenerationId, Standing};
use crate::tail::window::PieceKind;

/// A line whose text is longer than this is judged in parts.
pub(crate) const LONGEST: usize = 64 * 1024;

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

/// A piece that is being judged, a part of it at a time: one of costly patterns may take a hundred milliseconds.
#[derive(Debug)]
pub(crate) struct Sifting {
    /// The generation that the piece is of.
    read: Option<GenerationId>,
    /// What has passed, and how much of that belongs in front of the piece's own lines.
    passed: Vec<u8>,
    in_front: usize,
    halves: Halves,
    /// So many bytes of its text are done.
    at: usize,
}

/// What becomes of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Begins with a piece that leads from one place to another; [`go_on`](Self::go_on) says what is shown of it.
    pub(crate) fn begin(&self, kind: &PieceKind, from: &Standing, to: &Standing) -> Sifting {
        let read = moved(from, to);
        // What is not listed any more has ended; and of a line that bytes are missing of, there is no more.
        let broken = matches!(kind, PieceKind::Gap { .. });
        let over = |half: &Half| to.spot(half.id).is_none() || broken && Some(half.id) == read;
        let (passed, halves) = self.end(over);
        Sifting { read, in_front: passed.len(), passed, halves, at: 0 }
    }

    /// Judges the next part of the piece, of about as many bytes as the filter [says](Filter::part). What is shown of it,
    /// once that was the last one.
    pub(crate) fn go_on(&self, sifting: &mut Sifting, kind: &PieceKind) -> Option<Passed> {
        let (PieceKind::Lines { text, .. }, Some(id)) = (kind, sifting.read) else {
            let (passed, halves) = (std::mem::take(&mut sifting.passed), sifting.halves.clone());
            return Some(match passed.is_empty() {
                true => Passed::Whole(halves),
                false => Passed::Before(passed.into(), halves),
            });
        };
        let Some(last) = memrchr(b'\n', text) else { return Some(self.lengthen(sifting, text, id)) };
        let (ended, rest) = text.split_at(last + 1);
        if sifting.at == 0
            && let Some((begun, newline)) = sifting.halves.of(id).zip(memchr(b'\n', ended))
        {
            self.judge(&[begun.text(), &ended[..newline]].concat(), &mut sifting.passed);
            (sifting.at, sifting.in_front) = (newline + 1, sifting.passed.len());
        }
        self.judge_part(sifting, ended);
        if sifting.at < ended.len() {
            return None;
        }
        let (passed, halves) =
            (std::mem::take(&mut sifting.passed), sifting.halves.with(id, Begun::of(rest.into())));
        let all = sifting.in_front == 0 && passed.len() == text.len();
        Some(if all { Passed::Whole(halves) } else { Passed::Text(passed.into(), halves) })
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

    /// The line goes on in all of `text`, and does not end there.
    fn lengthen(&self, sifting: &mut Sifting, text: &[u8], id: GenerationId) -> Passed {
        let begun = sifting.halves.of(id);
        let line = [begun.map_or(&[][..], Begun::text), text].concat();
        let now = match begun {
            Some(Begun::Long) => Some(Begun::Long),
            _ => Begun::of(line.as_slice().into()),
        };
        let mut passed = std::mem::take(&mut sifting.passed);
        if now == Some(Begun::Long) {
            self.judge(&line, &mut passed);
        }
        Passed::Text(passed.into(), sifting.halves.with(id, now))
    }

    /// Judges some more of these whole lines.
    fn judge_part(&self, sifting: &mut Sifting, ended: &[u8]) {
        let left = &ended[sifting.at..];
        let len = match self.filter.part().filter(|&part| part < left.len()) {
            Some(part) => memchr(b'\n', &left[part..]).map_or(left.len(), |newline| part + newline + 1),
            None => left.len(),
        };
        let part = &left[..len];
        for line in self.filter.shown_in(part) {
            // Its end is a newline, or a carriage return and one.
            let end = line.end + usize::from(part[line.end] == b'\r') + 1;
            sifting.passed.extend_from_slice(&part[line.start..end]);
        }
        sifting.at += len;
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

#[cfg(test)]
mod tests;
