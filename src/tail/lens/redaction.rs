//! What must not leave the host: patterns, and what is shown in place of what they match.
//!
//! Judges one whole line of text at a time, each by every pattern. A rule that would have to go over a line too often
//! (see [`matches`](crate::tail::matches)) is not asked any further: the rest of that line is masked.
//!
//! Does not know encodings, nor where lines begin.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;

use super::LensError;
use crate::tail::matches::Matches;

/// What is shown in place of a match, whatever its length.
pub(super) const MASK: &str = "█████";

/// What one compiled pattern may cost, and as much again what it learns at work.
const LARGEST: usize = 2 * 1024 * 1024;

/// Brackets in brackets, so deep.
const DEEPEST: u32 = 50;

/// More patterns than this for one log are more than one that is written by hand.
const MOST: usize = 256;

/// The rules of a log.
#[derive(Debug)]
pub(super) struct Redaction {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    regex: Regex,
    // No match is longer, if that can be told.
    longest: Option<usize>,
}

impl Redaction {
    pub(super) fn new(patterns: &[String]) -> Result<Self, LensError> {
        if patterns.len() > MOST {
            return Err(LensError::TooManyPatterns { most: MOST });
        }
        let rules = patterns.iter().map(|pattern| Rule::new(pattern)).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// Its rules as they were written.
    pub(super) fn patterns(&self) -> Vec<&str> {
        self.rules.iter().map(|rule| rule.regex.as_str()).collect()
    }

    /// Adds `line` to `text`, with masks in place of what any rule matches in it. Each rule sees the line as it was
    /// written, so that none hides from the next what it has to find.
    pub(super) fn push(&self, text: &mut Vec<u8>, line: &[u8]) {
        let masked = self.rules.iter().flat_map(|rule| rule.masked_in(line));
        let mut masked: Vec<Range<usize>> = masked.filter(|range| !range.is_empty()).collect();
        masked.sort_unstable_by_key(|range| range.start);
        // Where the last mask ends. What overlaps it, or touches it, is one with it.
        let mut end = None;
        for range in masked {
            if end.is_none_or(|end| end < range.start) {
                text.extend_from_slice(&line[end.unwrap_or(0)..range.start]);
                text.extend_from_slice(MASK.as_bytes());
            }
            end = end.max(Some(range.end));
        }
        text.extend_from_slice(&line[end.unwrap_or(0)..]);
    }
}

impl Rule {
    fn new(pattern: &str) -> Result<Self, LensError> {
        let mut builder = RegexBuilder::new(pattern);
        // A line is matched without its newline, so `^` and `$` are its ends.
        builder.size_limit(LARGEST).dfa_size_limit(LARGEST).nest_limit(DEEPEST);
        let regex = builder.build().map_err(|error| LensError::Pattern {
            pattern: pattern.to_owned(),
            why: error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned(),
        })?;
        if regex.is_match(b"") {
            let why =
                "it matches where there is nothing, so there is no telling what it is to mask".to_owned();
            return Err(LensError::Pattern { pattern: pattern.to_owned(), why });
        }
        let parsed = ParserBuilder::new().utf8(false).nest_limit(DEEPEST).build().parse(pattern);
        let longest = parsed.ok().and_then(|hir| hir.properties().maximum_len());
        Ok(Self { regex, longest })
    }

    /// What it matches in this line, and what it was not asked for any more.
    fn masked_in(&self, line: &[u8]) -> Vec<Range<usize>> {
        let mut matches = Matches::new(&self.regex, self.longest, line, 1);
        let mut masked: Vec<Range<usize>> = matches.by_ref().collect();
        masked.extend(matches.given_up_at().map(|from| from..line.len()));
        masked
    }
}
