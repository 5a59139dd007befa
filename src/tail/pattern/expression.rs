//! One pattern: a regular expression that never matches over the end of a line.
//!
//! An expression as people write it may match newlines (`[^:]*` does), and would then run on to the end of the block
//! for every line. So newlines are taken out of what it may match before it is compiled; and `\A` and `\z`, which mean
//! the ends of the text, become the ends of the line. Then it finds in a block what it finds in each of its lines.
//!
//! Whether a character belongs to a word takes Unicode's tables, which the fast engines do not have beyond ASCII. So
//! there are two expressions where that is asked: one that does not ask, to find the lines that may match, and the
//! exact one for those lines.
//!
//! Does not know filters.

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition,
};
use regex_syntax::{Parser, ParserBuilder};

use super::FilterSpec;
use crate::tail::matches::Matches;

/// What the compiled patterns of a filter may cost together, in bytes. To compile so much takes 2 to 4 ms; it takes twice as
/// long where four patterns ask for the borders of words.
pub(super) const LARGEST: usize = 512 * 1024;

/// One is first tried to be compiled into so much, then into twice as much, and so on: that tells what it costs.
const SMALLEST: usize = 32 * 1024;

/// A range of characters in a large class (`\w`) takes some 70 bytes. What would be too large by that is not even tried.
const RANGE: usize = 64;

/// What an engine may learn at work, of which there are two, one for each direction: if the expression is light, and if
/// not. Measured: with less, expressions that fit into [`LARGEST`] fall back to engines that take ten times as long.
const LEARNT: [usize; 2] = [128 * 1024, 256 * 1024];

/// What it needs at work beside that: measured.
const BESIDE: usize = 128 * 1024;

/// Where the borders of words are asked for, the library makes an engine of its own, of so much at most.
const ONE_PASS: usize = 1024 * 1024;

/// Brackets in brackets, so deep.
const DEEPEST: u32 = 50;

/// An expression with no more places than this has so few states that a table of them is soon complete.
const LIGHT: usize = 12;

/// What it weighs beside the rest that words are asked for: measured, at the borders of words beyond ASCII.
const WORDS: usize = 4;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Expression {
    exact: Regex,
    // Of what it matches, no match is longer, if that can be told.
    longest: Option<usize>,
    /// Matches in every line that `exact` matches in, and perhaps in others.
    loose: Option<Regex>,
    weight: usize,
    cost: usize,
}

/// What is wrong with a pattern.
#[derive(Debug)]
pub(super) enum Wrong {
    Syntax(String),
    Newline,
    TooLarge,
}

impl Expression {
    /// Compiles `pattern` as `spec` means it, into no more than what is `left` of [`LARGEST`], from which it is taken.
    pub(super) fn new(pattern: &str, spec: &FilterSpec, left: &mut usize) -> Result<Self, Wrong> {
        let hir = if spec.literal {
            parser(spec).parse(&regex_syntax::escape(pattern))
        } else {
            parser(spec).parse(pattern)
        };
        let hir = within_line(hir.map_err(syntax)?)?;
        let exact = if spec.words { whole_words(hir) } else { hir };
        let asks_for_words = exact.properties().look_set().contains_word_unicode();
        let is_text = spec.literal || exact.properties().is_alternation_literal();
        let weight = match places(&exact) {
            places if is_text || places <= LIGHT => 1,
            places => places,
        };
        let weight = weight.saturating_add(if asks_for_words { WORDS } else { 0 });
        let learnt = LEARNT[usize::from(weight > 1)];
        let longest = exact.properties().maximum_len();
        let before = *left;
        let loose =
            asks_for_words.then(|| compile(&without_words(exact.clone()), learnt, left)).transpose()?;
        let exact = compile(&exact, learnt, left)?;
        let at_work = match (is_text, asks_for_words) {
            (_, true) => 4 * learnt + BESIDE + ONE_PASS,
            (true, false) => 0,
            (false, false) => 2 * learnt + BESIDE,
        };
        let cost = 2 * (before - *left) + at_work;
        Ok(Self { exact, longest, loose, weight, cost })
    }

    /// So many bytes of memory it takes at most, with what it learns at work.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// How much work a byte may be at worst: 1 for what takes one look, else at how many places of the expression the
    /// engines may be at the same time.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// Does this line match? The fast expression, if there is one, keeps most lines from the other.
    pub(super) fn matches(&self, line: &[u8]) -> bool {
        self.loose.as_ref().is_none_or(|loose| loose.is_match(line)) && self.exact.is_match(line)
    }

    /// Somewhere inside the next line of `block` that may match, from `at` on, where a line begins; its end perhaps.
    pub(super) fn look_from(&self, block: &[u8], at: usize) -> Option<usize> {
        self.loose.as_ref().unwrap_or(&self.exact).shortest_match_at(block, at)
    }

    /// It asks for the borders of words, which takes ten to a hundred times as long in text that is not ASCII.
    pub(super) fn is_slow(&self) -> bool {
        self.loose.is_some()
    }

    /// Every line that is [found](Self::look_from) matches, if no carriage return is at its end.
    pub(super) fn is_exact_in_blocks(&self) -> bool {
        self.loose.is_none()
    }

    /// What matches in this line, as far as that is found without going over the line too often; it is one of `count`.
    pub(super) fn matches_in<'a>(&'a self, line: &'a [u8], count: usize) -> Matches<'a, 'a> {
        Matches::new(&self.exact, self.longest, line, count)
    }
}

fn parser(spec: &FilterSpec) -> Parser {
    let mut builder = ParserBuilder::new();
    // Bytes are what is matched, lines are what `^` and `$` mean, and a carriage return belongs to the line's end.
    builder.utf8(false).multi_line(true).crlf(true).case_insensitive(spec.ignore_case).nest_limit(DEEPEST);
    builder.build()
}

fn syntax(error: regex_syntax::Error) -> Wrong {
    Wrong::Syntax(match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        error => error.to_string(),
    })
}

/// Compiles an expression that may learn so much at work; what it costs is taken from what is `left`.
fn compile(hir: &Hir, learnt: usize, left: &mut usize) -> Result<Regex, Wrong> {
    let least = ranges(hir).saturating_mul(RANGE);
    if least > *left {
        return Err(Wrong::TooLarge);
    }
    // The expression is given as text once more: that it was too deep has been seen, and the text has other brackets.
    let mut builder = RegexBuilder::new(&hir.to_string());
    builder.dfa_size_limit(learnt).nest_limit(16 * DEEPEST);
    let mut size = least.max(SMALLEST).next_power_of_two();
    loop {
        size = size.min(*left);
        match builder.size_limit(size).build() {
            Ok(regex) => {
                *left -= size;
                return Ok(regex);
            }
            Err(_) if size == *left => return Err(Wrong::TooLarge),
            Err(_) => size *= 2,
        }
    }
}

/// How many places there are in an expression once its repetitions are written out.
fn places(hir: &Hir) -> usize {
    sum_of(hir, &|leaf| match leaf {
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(_) => 1,
        _ => 0,
    })
}

/// How many ranges of characters its classes have then.
fn ranges(hir: &Hir) -> usize {
    sum_of(hir, &|leaf| match leaf {
        HirKind::Class(Class::Unicode(class)) => class.ranges().len(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len(),
        _ => 0,
    })
}

/// The sum of what its leaves (text, classes) count, once its repetitions are written out.
fn sum_of(hir: &Hir, leaf: &impl Fn(&HirKind) -> usize) -> usize {
    match hir.kind() {
        HirKind::Repetition(Repetition { min, max, sub, .. }) => {
            let times = max.unwrap_or(*min).max(1);
            sum_of(sub, leaf).saturating_mul(usize::try_from(times).unwrap_or(usize::MAX))
        }
        HirKind::Capture(capture) => sum_of(&capture.sub, leaf),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => {
            subs.iter().map(|sub| sum_of(sub, leaf)).fold(0, usize::saturating_add)
        }
        kind => leaf(kind),
    }
}

fn whole_words(hir: Hir) -> Hir {
    Hir::concat(vec![Hir::look(Look::WordStartHalfUnicode), hir, Hir::look(Look::WordEndHalfUnicode)])
}

/// The same without what it may match across the ends of a line. As deep as [`DEEPEST`] allows.
fn within_line(hir: Hir) -> Result<Hir, Wrong> {
    rebuilt(hir, &mut |leaf| match leaf {
        HirKind::Literal(literal) if literal.0.contains(&b'\n') => Err(Wrong::Newline),
        HirKind::Literal(literal) => Ok(Hir::literal(literal.0)),
        HirKind::Class(Class::Unicode(mut class)) => {
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]));
            Ok(Hir::class(Class::Unicode(class)))
        }
        HirKind::Class(Class::Bytes(mut class)) => {
            class.difference(&ClassBytes::new([ClassBytesRange::new(b'\n', b'\n')]));
            Ok(Hir::class(Class::Bytes(class)))
        }
        HirKind::Look(Look::Start) => Ok(Hir::look(Look::StartLF)),
        HirKind::Look(Look::End | Look::EndLF) => Ok(Hir::look(Look::EndCRLF)),
        HirKind::Look(look) => Ok(Hir::look(look)),
        _ => Ok(Hir::empty()),
    })
}

/// The same without asking for the borders of words in Unicode: matches wherever the other does.
fn without_words(hir: Hir) -> Hir {
    let loosened = rebuilt(hir, &mut |leaf| match leaf {
        HirKind::Look(
            Look::WordUnicode
            | Look::WordUnicodeNegate
            | Look::WordStartUnicode
            | Look::WordEndUnicode
            | Look::WordStartHalfUnicode
            | Look::WordEndHalfUnicode,
        ) => Ok(Hir::empty()),
        HirKind::Look(look) => Ok(Hir::look(look)),
        HirKind::Literal(literal) => Ok(Hir::literal(literal.0)),
        HirKind::Class(class) => Ok(Hir::class(class)),
        _ => Ok(Hir::empty()),
    });
    loosened.unwrap_or_else(|never: std::convert::Infallible| match never {})
}

/// The same expression with each of its leaves (text, classes, looks) replaced.
fn rebuilt<E>(hir: Hir, leaf: &mut impl FnMut(HirKind) -> Result<Hir, E>) -> Result<Hir, E> {
    match hir.into_kind() {
        HirKind::Repetition(repetition) => {
            let sub = Box::new(rebuilt(*repetition.sub, leaf)?);
            Ok(Hir::repetition(Repetition { sub, ..repetition }))
        }
        // What a group matched is never asked for, and costs.
        HirKind::Capture(capture) => rebuilt(*capture.sub, leaf),
        HirKind::Concat(subs) => {
            Ok(Hir::concat(subs.into_iter().map(|sub| rebuilt(sub, leaf)).collect::<Result<_, E>>()?))
        }
        HirKind::Alternation(subs) => {
            Ok(Hir::alternation(subs.into_iter().map(|sub| rebuilt(sub, leaf)).collect::<Result<_, E>>()?))
        }
        kind => leaf(kind),
    }
}
