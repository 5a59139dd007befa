//! One table of a configuration file: its keys are taken out one by one, and what is left over is a mistake.
//!
//! A mistake is noted, and the reading goes on: whoever has made three hears of all three. What has one counts as not given.
//!
//! Knows TOML, and how to say in plain words what is wrong with a value; not what the keys mean.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::Given;

/// A file: what it is called, what is in it, and what is wrong there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    /// Where each mistake stands, and a sentence about it.
    pub(super) mistakes: &'a RefCell<Vec<(usize, String)>>,
}

impl<'a> Place<'a> {
    /// What stands at `at`, with its line in front.
    fn located(self, at: usize, what: impl Display) -> String {
        format!("{}, line {}: {what}", self.name, line_of(self.text, at))
    }

    /// Notes that what stands at `at` is wrong.
    pub(super) fn complain(self, at: usize, what: impl Display) {
        self.mistakes.borrow_mut().push((at, self.located(at, what)));
    }

    /// All tables of the file by their names; none if it is no TOML.
    pub(super) fn parse(self) -> DeTable<'a> {
        DeTable::parse(self.text).map(Spanned::into_inner).unwrap_or_else(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = line_of(self.text, at) - 1;
            let said = self.text.lines().nth(line).unwrap_or_default().trim();
            let why = error.message().replace('\n', "; ");
            let shown = if self.may_be_secret(line) { String::new() } else { format!(": {said:?}") };
            self.complain(at, format!("this cannot be read as TOML ({why}){shown}"));
            DeTable::default()
        })
    }

    /// Whether a line, counted from 0, may have what nobody else is to read: what was meant to be a password, say, without its
    /// quotes. It is not known what it is, so all that is said of users counts.
    fn may_be_secret(self, line: usize) -> bool {
        let lines = self.text.lines().take(line + 1);
        let said = lines.clone().last().unwrap_or_default();
        let table = lines.filter(|line| line.trim_start().starts_with('[')).last().unwrap_or_default();
        table.contains("user") || ["password", "tokens"].iter().any(|key| said.contains(key))
    }

    /// A value as it is written, short enough for a sentence.
    fn written(self, span: Range<usize>) -> String {
        const MOST: usize = 60;
        let text = self.text.get(span).unwrap_or_default();
        let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        if text.chars().count() <= MOST { plain.collect() } else { plain.take(MOST).chain(['…']).collect() }
    }
}

/// Counted from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

/// One table, with what has not been taken out of it.
pub(super) struct Section<'a> {
    place: Place<'a>,
    /// As it is written: `[server]`.
    title: &'static str,
    at: usize,
    table: DeTable<'a>,
    /// The keys that were asked for.
    known: Vec<&'static str>,
    /// Those whose values are not shown, whatever is wrong with them.
    secret: &'static [&'static str],
}

impl<'a> Section<'a> {
    /// The table that `value` is.
    pub(super) fn new(place: Place<'a>, title: &'static str, value: Spanned<DeValue<'a>>) -> Option<Self> {
        let at = value.span().start;
        match value.into_inner() {
            DeValue::Table(table) => Some(Self { place, title, at, table, known: Vec::new(), secret: &[] }),
            other => {
                let what = format!("this is {}; {title} is written on a line of its own", kind(&other));
                place.complain(at, what);
                None
            }
        }
    }

    /// The values of these are shown to nobody.
    pub(super) fn hide(&mut self, secret: &'static [&'static str]) {
        self.secret = secret;
    }

    /// Each needs `key`, as in `example`, and something in it.
    pub(super) fn needs(&self, key: &str, example: &str) {
        self.needs_one_of(&[key], &format!("has no {key}; each needs one, as {example}"));
    }

    /// Each needs one of `keys`, and something in it; else `what` is said of it.
    pub(super) fn needs_one_of(&self, keys: &[&str], what: &str) {
        let is_empty =
            |value: &Spanned<DeValue<'a>>| matches!(value.get_ref(), DeValue::Array(list) if list.is_empty());
        if keys.iter().all(|key| self.table.get(*key).is_none_or(is_empty)) {
            self.place.complain(self.at, format!("{} {what}", self.title));
        }
    }

    /// Text, as in `example`.
    pub(super) fn text(&mut self, key: &'static str, example: &str) -> Option<Given<String>> {
        self.take(key, |value| match value {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(_) | DeValue::Float(_) => {
                Err(format!("text is in quotes, as {key} = {example:?}"))
            }
            _ => Err(format!("text is wanted, in quotes, as {key} = {example:?}")),
        })
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, key: &'static str) -> Option<Given<bool>> {
        self.take(key, |value| match value {
            DeValue::Boolean(on) => Ok(*on),
            _ => Err(format!("true or false is wanted, without quotes, as {key} = true")),
        })
    }

    /// A whole number.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        range: &RangeInclusive<u64>,
        example: u64,
    ) -> Option<Given<u64>> {
        self.take(key, |value| match value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|number| range.contains(number))
                .ok_or_else(|| format!("{}, as {key} = {example}", wanted(range))),
            DeValue::String(text) if text.parse::<u64>().is_ok() => {
                Err(format!("numbers are written without quotes, as {key} = {example}"))
            }
            _ => Err(format!("{}, as {key} = {example}", wanted(range))),
        })
    }

    /// A list of texts; each with the line it stands on.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<Given<String>> {
        self.known.push(key);
        let Some(value) = self.table.remove(key) else { return Vec::new() };
        let wanted = |what: &str| format!("{what}, as {key} = [\"one\", \"another\"]");
        let DeValue::Array(values) = value.get_ref() else {
            self.wrong(key, &value, &wanted("a list of texts is wanted, in brackets"));
            return Vec::new();
        };
        let mut texts = Vec::new();
        for value in values {
            match value.get_ref() {
                DeValue::String(text) => texts.push(self.given(key, value.span().start, text.to_string())),
                _ => self.wrong(key, value, &wanted("all of a list are texts, each in quotes")),
            }
        }
        texts
    }

    fn take<T>(
        &mut self,
        key: &'static str,
        understand: impl FnOnce(&DeValue<'a>) -> Result<T, String>,
    ) -> Option<Given<T>> {
        self.known.push(key);
        let value = self.table.remove(key)?;
        let understood =
            understand(value.get_ref()).map_err(|wanted| self.wrong(key, &value, &wanted)).ok()?;
        Some(self.given(key, value.span().start, understood))
    }

    fn given<T>(&self, key: &str, at: usize, value: T) -> Given<T> {
        Given { by: self.place.located(at, format!("{key} =")), value }
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'a>>, wanted: &str) {
        let written = match self.secret.contains(&key) {
            true => "…".to_owned(),
            false => self.place.written(value.span()),
        };
        // Of a number, it is not that it is one.
        let what = match value.get_ref() {
            DeValue::Integer(_) if wanted.starts_with(WHOLE) => String::new(),
            other => format!("this is {}; ", kind(other)),
        };
        self.place.complain(value.span().start, format!("{key} = {written}: {what}{wanted}"));
    }

    /// Nothing may be left. `elsewhere` are keys of other tables, with the title of each.
    pub(super) fn finish(self, elsewhere: &[(&str, &str)]) {
        for key in self.table.keys() {
            let (title, at, key) = (self.title, key.span().start, key.get_ref().as_ref());
            let known = &self.known;
            let other = elsewhere.iter().find(|(other, _)| *other == key);
            let what = match (closest(key, known), other) {
                (_, Some((_, owner))) => format!("{key:?} is no key of {title}; it belongs to {owner}"),
                (Some(meant), None) => format!("{title} has no key {key:?} (did you mean {meant}?)"),
                (None, None) => format!("{title} has no key {key:?}; it has {}", known.join(", ")),
            };
            self.place.complain(at, what);
        }
    }
}

/// How a sentence about a number begins.
const WHOLE: &str = "a whole number from";

/// What a number has to be, in plain words.
pub fn wanted(range: &RangeInclusive<u64>) -> String {
    match *range.end() {
        u64::MAX => format!("{WHOLE} {} on is wanted", range.start()),
        most => format!("{WHOLE} {} to {most} is wanted", range.start()),
    }
}

/// What a value is, in plain words.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number that is not whole",
        DeValue::Boolean(true) => "true",
        DeValue::Boolean(false) => "false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The one of `known` that was probably meant by `typed`: no more than a third of it is another.
pub(super) fn closest<'k>(typed: &str, known: &[&'k str]) -> Option<&'k str> {
    let typed = typed.replace('-', "_").to_lowercase();
    let near = known.iter().map(|&word| (distance(&typed, word), word)).min()?;
    (near.0 <= 1 + typed.chars().count() / 4).then_some(near.1)
}

/// How many characters have to be put in, taken out or changed to make one of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_two_words_is_what_has_to_be_changed() {
        for (one, other, expected) in
            [("", "", 0), ("", "abc", 3), ("port", "porto", 1), ("host", "most", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!((distance(one, other), distance(other, one)), (expected, expected), "{one} {other}");
        }
    }

    #[test]
    fn what_was_meant_is_near() {
        let known = ["port", "host", "allow_host", "max_connections"];
        for (typed, meant) in [
            ("prot", Some("port")),
            ("Port", Some("port")),
            ("allow-host", Some("allow_host")),
            ("max_conections", Some("max_connections")),
            ("colour", None),
        ] {
            assert_eq!(closest(typed, &known), meant, "{typed}");
        }
    }
}
