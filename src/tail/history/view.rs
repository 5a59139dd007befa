//! A block of a log seen through its lens: where its lines begin, which of them a filter shows, what is shown of them.
//!
//! Plain text is matched as it lies in the file. Else the block is made into text first, which has as many lines, and the
//! lines are told by their places in the file all the same.
//!
//! Does not know where blocks come from.

use std::rc::Rc;
use std::time::Instant;

use memchr::memchr_iter;

use crate::tail::follower::Follower;
use crate::tail::generation::Generation;
use crate::tail::lens::{Lens, Stretch};
use crate::tail::pattern::Filter;
use crate::tail::reread::{Reread, reread};
use crate::tail::standing::GenerationId;

/// See the module.
#[derive(Debug)]
pub(crate) struct View<'a> {
    lens: Rc<Lens>,
    from: u64,
    bytes: &'a [u8],
    begins_line: bool,
    is_last: bool,
}

impl<'a> View<'a> {
    /// Of `bytes`, which were read in a generation from the border `from` on.
    pub(crate) fn new(
        id: GenerationId,
        from: u64,
        bytes: &'a [u8],
        follower: &mut Follower,
        now: Instant,
    ) -> Self {
        let lens = lens_of(follower, id);
        let begins_line = lens.is_plain() || begins_line(&lens, id, from, follower, now);
        let end = from + bytes.len() as u64;
        let is_last = |generation: &Generation| generation.has_ended() && end >= generation.end();
        let is_last = follower.lineage.get(id).is_some_and(is_last);
        Self { lens, from, bytes, begins_line, is_last }
    }

    /// The same without a last line that has no newline and may still get one.
    pub(crate) fn whole_lines(self) -> Self {
        if self.is_last {
            return self;
        }
        let end = self.lens.after_last_newline(self.from, self.bytes).unwrap_or(0);
        Self { bytes: &self.bytes[..end], ..self }
    }

    /// Half a line must not be shown, whoever asks.
    pub(crate) fn wants_whole_lines(&self) -> bool {
        self.lens.wants_whole_lines()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What lies before a place, as it is in the file.
    pub(crate) fn before(&self, at: usize) -> Option<&[u8]> {
        self.bytes.get(..at)
    }

    /// Where lines begin, and where one goes on that began before.
    pub(crate) fn starts(&self) -> Vec<usize> {
        let mut starts = Vec::new();
        let mut at = 0;
        while at < self.bytes.len() {
            starts.push(at);
            let rest = &self.bytes[at..];
            at += self.lens.after_first_newline(self.from + at as u64, rest).unwrap_or(rest.len());
        }
        starts
    }

    pub(crate) fn lens(&self) -> &Lens {
        &self.lens
    }

    /// How many lines end before each of these places, which ascend or descend.
    pub(crate) fn newlines_before(&self, places: &[usize]) -> Vec<u64> {
        let (mut counted, mut passed) = (0, 0);
        let mut before = |&at: &usize| {
            passed += newlines(&self.lens, self.from + counted as u64, &self.bytes[counted..at]);
            counted = at;
            passed
        };
        if places.is_sorted() {
            return places.iter().map(before).collect();
        }
        let mut before: Vec<u64> = places.iter().rev().map(&mut before).collect();
        before.reverse();
        before
    }

    /// What is shown of the bytes between these two places, where lines begin.
    pub(crate) fn text(&self, from: usize, to: usize) -> Rc<[u8]> {
        let begins_line = from > 0 || self.begins_line;
        let is_last = self.is_last && to == self.bytes.len();
        self.lens.text(&Stretch {
            at: self.from + from as u64,
            bytes: &self.bytes[from..to],
            begins_line,
            is_last,
        })
    }

    /// Calls `each` with every line that is shown: where it begins, and what it says, which may still hold what is no
    /// text. In their order.
    pub(crate) fn each_shown(&self, filter: &Filter, mut each: impl FnMut(usize, &[u8])) {
        if self.lens.is_plain() {
            let text = self.lens.without_mark(self.from, self.bytes);
            let mark = self.bytes.len() - text.len();
            // It belongs to the first line, but not to what that says.
            let place = |start| if start == 0 { 0 } else { mark + start };
            return filter.shown_in(text).for_each(|line| each(place(line.start), &text[line]));
        }
        let text = self.text(0, self.bytes.len());
        let (mut at, mut passed) = (0, 0);
        for line in filter.shown_in(&text) {
            for _ in memchr_iter(b'\n', &text[passed..line.start]) {
                at += self.lens.after_first_newline(self.from + at as u64, &self.bytes[at..]).unwrap_or(0);
            }
            passed = line.start;
            each(at, &text[line]);
        }
    }
}

pub(crate) fn lens_of(follower: &Follower, id: GenerationId) -> Rc<Lens> {
    follower.lineage.get(id).map(|generation| Rc::clone(generation.lens())).unwrap_or_default()
}

/// Does a line begin there? Reads a few bytes.
fn begins_line(lens: &Lens, id: GenerationId, at: u64, follower: &mut Follower, now: Instant) -> bool {
    let mut before = [0; 8];
    let len = at.min(before.len() as u64);
    let before = &mut before[..usize::try_from(len).unwrap_or(0)];
    match reread(follower, id, at - len, before, now) {
        Reread::Bytes(read) if read as u64 == len => lens.begins_line(at, before),
        _ => false,
    }
}

/// How many lines end in `bytes`, which begin at the border `at`.
pub(crate) fn newlines(lens: &Lens, at: u64, bytes: &[u8]) -> u64 {
    lens.newlines(at, bytes) as u64
}
