//! All that an expression matches in one line, without going over the line again and again.
//!
//! To find one match takes time linear in the line. To find all of them does not: what matches one letter, but looks as
//! far as the end of the line for something better (`a[^b]*b|a`), does so from each letter anew. So there is a limit to
//! how much is looked at in all, and behind it nobody looks any more. Who is not shown what matches must take the rest
//! for a match; who merely marks it may leave it.
//!
//! Does not know what the matches are for.

use std::ops::Range;

use regex::bytes::{Matches as Found, Regex};

/// So many times the line is gone over at most, beside the first time. What is too short for that to be much is taken
/// for [`SHORT`].
pub(crate) const ROUNDS: usize = 16;

/// In lines of so many bytes and less, the work is that of a line of so many bytes.
pub(crate) const SHORT: usize = 128;

/// The matches in a line, in their order.
#[derive(Debug)]
pub(crate) struct Matches<'r, 'l> {
    found: Found<'r, 'l>,
    len: usize,
    // The most that an attempt looks at behind where it begins to match, if there is such a limit.
    longest: usize,
    // How much may still be looked at.
    left: usize,
    // Where the next attempt begins.
    at: usize,
    has_given_up: bool,
}

impl<'r, 'l> Matches<'r, 'l> {
    /// Of `regex` in `line`. No match is longer than `longest` bytes, if that can be told. One of `sharers`
    /// expressions that go over the same line.
    pub(crate) fn new(regex: &'r Regex, longest: Option<usize>, line: &'l [u8], sharers: usize) -> Self {
        let left = ROUNDS * line.len().max(SHORT) / sharers.max(1);
        let longest = longest.unwrap_or(usize::MAX);
        Self { found: regex.find_iter(line), len: line.len(), longest, left, at: 0, has_given_up: false }
    }

    /// Where the search was given up, once there are no more matches: nobody knows what matches from there on.
    pub(crate) fn given_up_at(&self) -> Option<usize> {
        self.has_given_up.then_some(self.at)
    }
}

impl Iterator for Matches<'_, '_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if self.has_given_up {
            return None;
        }
        // The bytes up to where it matches are looked at once in all, and are not counted.
        if self.at > 0 {
            let Some(left) = self.left.checked_sub(self.longest.min(self.len - self.at)) else {
                self.has_given_up = true;
                return None;
            };
            self.left = left;
        }
        let found = self.found.next()?.range();
        self.at = found.end;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many matches there are, and where they end if they were given up.
    fn count(pattern: &str, longest: Option<usize>, line: &[u8]) -> (usize, Option<usize>) {
        let regex = Regex::new(pattern).unwrap();
        let mut matches = Matches::new(&regex, longest, line, 1);
        let count = matches.by_ref().count();
        (count, matches.given_up_at())
    }

    #[test]
    fn what_looks_far_for_each_match_is_given_up() {
        let line = b"a.".repeat(32 * 1024);
        assert_eq!(count("a[^b]*b|a", None, &line), (17, Some(33)));
        assert_eq!(count("x[^b]*b|x", None, &line), (0, None));
        assert_eq!(count("a", Some(1), &line), (32 * 1024, None), "what looks at one byte never is");
        // What looks as far as its match goes could be told from the others only by how long it takes.
        assert_eq!(count("a+", None, &line), (17, Some(33)));
    }

    #[test]
    fn where_a_line_is_short_or_its_matches_few_all_are_found() {
        for len in 0..64 {
            assert_eq!(count("a[^b]*b|a", None, &b"a".repeat(len)), (len, None), "{len} bytes");
        }
        let line = [&b"a"[..], &b".".repeat(60_000)].concat().repeat(16);
        assert_eq!(count("a[^b]*b|a", None, &line), (16, None));
    }
}
