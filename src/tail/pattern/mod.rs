//! Which lines are shown: those that match every `grep` and no `not`.
//!
//! Lines are bytes: a log may hold what is no text, and still has lines to be found. A line ends in a newline, or in a
//! carriage return and a newline; neither is part of it. A carriage return in its middle ends it for `^`, `$` and `.`.
//!
//! Many lines at once ([`shown_in`](Filter::shown_in)) are gone through by the expression, not line by line: where it
//! finds nothing, nobody looks for newlines. That is what makes a search as fast as the memory.
//!
//! What a pattern may cost is limited when it is made; after that, matching takes time linear in the text, whatever the
//! pattern. Does not know files, nor how bytes become text: who has a log that is not plain UTF-8 gives decoded lines.

mod expression;

use std::fmt;
use std::ops::Range;

use memchr::{memchr, memrchr};

use expression::{Expression, LARGEST, Wrong};

/// More patterns than this a filter does not have.
pub const MOST_PATTERNS: usize = 16;

/// A pattern has at most so many bytes.
pub const LONGEST_PATTERN: usize = 1024;

/// Of those that ask for the borders of words (`\b`, or all of them with [`words`](FilterSpec::words)), it has no more than
/// this: in text that is not ASCII each takes 80 ns for a byte, and so 5 ms for 64 KiB.
pub const MOST_OF_WORDS: usize = 4;

/// More places than this the patterns of a filter do not have together, once their repetitions are written out. (The
/// engines may be at all of them at the same time, at each byte: 500 take 2 µs.)
const MOST_PLACES: usize = 512;

/// In a part of a log with this many bytes, a filter's patterns take some 2 ms at worst, if they have one place.
const PART: usize = 128 * 1024;

/// A part is not smaller, as lines are seldom longer.
const SMALLEST_PART: usize = 1024;

/// Of a line longer than this (bytes), more than so many [parts](Filter::part) are not looked through for a match; so a line
/// takes no more than some ten times as long as a part.
const JUDGED: usize = 8 * 1024;
const PARTS: usize = 8;

/// Of a line longer than this (bytes), only so much is looked through for [marks](Filter::marks).
pub const MOST_MARKED: usize = 4 * 1024;

/// A line has no more marks than this.
pub const MOST_MARKS: usize = 64;

/// What somebody asks for, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterSpec {
    /// What must be in a line, all of them.
    pub grep: Vec<String>,
    /// What must not be in it, none of them.
    pub not: Vec<String>,
    /// Capitals make no difference.
    pub ignore_case: bool,
    /// A match must not begin or end inside of a word.
    pub words: bool,
    /// The patterns are text, not regular expressions.
    pub literal: bool,
}

/// Tells which lines are shown. Costs no more memory than it [says](Filter::cost), a few MiB at most.
#[derive(Debug)]
pub struct Filter {
    grep: Vec<Expression>,
    not: Vec<Expression>,
    part: Option<usize>,
    cost: usize,
}

impl Filter {
    /// The filter that `spec` asks for. Without any pattern, it shows every line.
    pub fn new(spec: &FilterSpec) -> Result<Self, FilterError> {
        let count = spec.grep.len() + spec.not.len();
        if count > MOST_PATTERNS {
            return Err(FilterError::TooMany(count));
        }
        let (mut of_words, mut left) = (0, LARGEST);
        let mut compile = |pattern: &String| {
            if pattern.len() > LONGEST_PATTERN {
                return Err(FilterError::TooLong { pattern: shortened(pattern) });
            }
            let expression =
                Expression::new(pattern, spec, &mut left).map_err(|why| FilterError::of(pattern, why))?;
            of_words += usize::from(expression.is_slow());
            if of_words > MOST_OF_WORDS { Err(FilterError::TooManyOfWords) } else { Ok(expression) }
        };
        let grep = spec.grep.iter().map(&mut compile).collect::<Result<Vec<_>, _>>()?;
        let not = spec.not.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let weights = || grep.iter().chain(&not).map(Expression::weight);
        let weight = weights().fold(0, usize::saturating_add);
        if weight > MOST_PLACES {
            let patterns = spec.grep.iter().chain(&spec.not);
            let heaviest = patterns.zip(weights()).max_by_key(|(_, weight)| *weight);
            let pattern = heaviest.map_or(String::new(), |(pattern, _)| shortened(pattern));
            return Err(FilterError::TooLarge { pattern });
        }
        let part = (weight > 1).then(|| (PART / weight).max(SMALLEST_PART));
        let cost = grep.iter().chain(&not).map(Expression::cost).sum();
        Ok(Self { grep, not, part, cost })
    }

    /// So many bytes of memory it takes at most, with what it learns at work.
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// So many bytes (or one line, if that is longer) are to be looked through at a time by who has others waiting; none
    /// if it does not matter. What the patterns may cost at worst decides it, not what they do cost.
    pub fn part(&self) -> Option<usize> {
        self.part
    }

    /// So many bytes of a line are judged, those at its beginning: all of them, unless the patterns are so costly that a
    /// long line would take long.
    pub fn judged(&self) -> usize {
        self.part.map_or(usize::MAX, |part| (PARTS * part).max(JUDGED))
    }

    /// Every line is shown.
    pub fn is_empty(&self) -> bool {
        self.grep.is_empty() && self.not.is_empty()
    }

    /// Is this line shown? It comes without its newline; a carriage return at its end does not count. Of a long line under
    /// costly patterns, only the beginning is judged: see [`judged`](Self::judged).
    pub fn shows(&self, line: &[u8]) -> bool {
        let line = without_return(line);
        let line = &line[..line.len().min(self.judged())];
        self.grep.iter().all(|grep| grep.matches(line)) && !self.is_refused(line)
    }

    fn is_refused(&self, line: &[u8]) -> bool {
        self.not.iter().any(|not| not.matches(line))
    }

    /// What in this line was looked for: ranges of its bytes in their order, none touching another. No more than
    /// [`MOST_MARKS`], of the first [`MOST_MARKED`] bytes; and fewer where an expression would have to go over those again
    /// and again for them.
    pub fn marks(&self, line: &[u8]) -> Vec<Range<usize>> {
        let line = without_return(line);
        let line = &line[..line.len().min(MOST_MARKED)];
        let count = self.grep.len();
        let found = self.grep.iter().flat_map(|grep| grep.matches_in(line, count).take(MOST_MARKS));
        let mut found: Vec<Range<usize>> = found.filter(|found| !found.is_empty()).collect();
        found.sort_unstable_by_key(|found| (found.start, found.end));
        let mut marks: Vec<Range<usize>> = Vec::new();
        for found in found {
            match marks.last_mut().filter(|last| found.start <= last.end) {
                Some(last) => last.end = last.end.max(found.end),
                None => marks.push(found),
            }
        }
        marks.truncate(MOST_MARKS);
        marks
    }

    /// The lines of `block` that are shown, in their order, as ranges without their ends. `block` begins with a line;
    /// its last line may have no newline.
    pub fn shown_in<'a>(&'a self, block: &'a [u8]) -> ShownIn<'a> {
        ShownIn { filter: self, block, at: 0 }
    }
}

/// See [`Filter::shown_in`].
#[derive(Debug)]
pub struct ShownIn<'a> {
    filter: &'a Filter,
    block: &'a [u8],
    // Where a line begins.
    at: usize,
}

impl ShownIn<'_> {
    /// The next line that may be shown, by the first pattern alone; its end not yet taken off but for the newline.
    fn next_candidate(&mut self) -> Option<Range<usize>> {
        if self.at >= self.block.len() {
            return None;
        }
        let inside = match self.filter.grep.first() {
            // In all of the block, a line is not judged by its beginning.
            Some(first) if self.block.len() <= self.filter.judged() => {
                first.look_from(self.block, self.at)?
            }
            _ => self.at,
        };
        let start =
            memrchr(b'\n', &self.block[self.at..inside]).map_or(self.at, |newline| self.at + newline + 1);
        let end = memchr(b'\n', &self.block[inside..]).map_or(self.block.len(), |newline| inside + newline);
        self.at = end + 1;
        // Behind the last newline no further line begins, though an expression may match the nothing there.
        (start < self.block.len()).then_some(start..end)
    }
}

impl Iterator for ShownIn<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            let candidate = self.next_candidate()?;
            let whole = &self.block[candidate.clone()];
            let line = without_return(whole);
            if self.block.len() > self.filter.judged() {
                if self.filter.shows(line) {
                    return Some(candidate.start..candidate.start + line.len());
                }
                continue;
            }
            // In the block, the first may have matched the carriage return as well.
            let sure = line.len() == whole.len();
            let first = |grep: &Expression| sure && grep.is_exact_in_blocks() || grep.matches(line);
            let mut greps = self.filter.grep.iter();
            if greps.next().is_none_or(first)
                && greps.all(|grep| grep.matches(line))
                && !self.filter.is_refused(line)
            {
                return Some(candidate.start..candidate.start + line.len());
            }
        }
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Why there is no such filter: a sentence that names the pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// So many patterns.
    TooMany(usize),
    /// Too many patterns ask for the borders of words.
    TooManyOfWords,
    /// A pattern is too long.
    TooLong {
        /// Its beginning.
        pattern: String,
    },
    /// A pattern is no regular expression.
    Syntax {
        /// The pattern, or its beginning.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A pattern asks for a newline.
    Newline {
        /// The pattern, or its beginning.
        pattern: String,
    },
    /// A pattern needs more memory than there is for it.
    TooLarge {
        /// The pattern, or its beginning.
        pattern: String,
    },
}

impl FilterError {
    fn of(pattern: &str, wrong: Wrong) -> Self {
        let pattern = shortened(pattern);
        match wrong {
            Wrong::Syntax(why) => Self::Syntax { pattern, why },
            Wrong::Newline => Self::Newline { pattern },
            Wrong::TooLarge => Self::TooLarge { pattern },
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(count) => write!(f, "{count} patterns are too many: {MOST_PATTERNS} at most"),
            Self::TooManyOfWords => {
                write!(
                    f,
                    "more than {MOST_OF_WORDS} patterns ask for whole words, or for the borders of words"
                )
            }
            Self::TooLong { pattern } => {
                write!(f, "the pattern \"{pattern}\" is too long: {LONGEST_PATTERN} bytes at most")
            }
            Self::Syntax { pattern, why } => {
                write!(f, "the pattern \"{pattern}\" is no regular expression: {why}")
            }
            Self::Newline { pattern } => {
                write!(f, "the pattern \"{pattern}\" asks for a newline, and no line has one in it")
            }
            Self::TooLarge { pattern } => {
                write!(
                    f,
                    "the pattern \"{pattern}\" is too large: fewer or smaller repetitions would do, or [a-z] for \\w"
                )
            }
        }
    }
}

impl std::error::Error for FilterError {}

/// As much of a pattern as a sentence may hold, on one line.
fn shortened(pattern: &str) -> String {
    const MOST: usize = 60;
    let mut short: String = pattern.chars().take(MOST).flat_map(char::escape_debug).collect();
    if pattern.chars().nth(MOST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
