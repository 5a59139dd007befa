//! One table of a configuration file: its keys are taken out one by one, and what is left over is a mistake.
//!
//! Knows TOML, and how to say in plain words what is wrong with a value; not what the keys mean.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::Given;

/// A file: what it is called, and what is in it.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl<'a> Place<'a> {
    /// A complaint about what stands at `at`.
    pub(super) fn complain(self, at: usize, what: impl Display) -> String {
        format!("{}, line {}: {what}", self.name, line_of(self.text, at))
    }

    /// All tables of the file by their names, or why it is none.
    pub(super) fn parse(self) -> Result<DeTable<'a>, String> {
        DeTable::parse(self.text).map(Spanned::into_inner).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let said = self.text.lines().nth(line_of(self.text, at) - 1).unwrap_or_default().trim();
            let why = error.message().replace('\n', "; ");
            self.complain(at, format!("this cannot be read as TOML ({why}): {said:?}"))
        })
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
}

impl<'a> Section<'a> {
    /// The table that `value` is.
    pub(super) fn new(
        place: Place<'a>,
        title: &'static str,
        value: Spanned<DeValue<'a>>,
    ) -> Result<Self, String> {
        let at = value.span().start;
        match value.into_inner() {
            DeValue::Table(table) => Ok(Self { place, title, at, table, known: Vec::new() }),
            other => {
                let what = format!("this is {}; {title} is written on a line of its own", kind(&other));
                Err(place.complain(at, what))
            }
        }
    }

    /// Text, as in `example`.
    pub(super) fn text(&mut self, key: &'static str, example: &str) -> Result<Option<Given<String>>, String> {
        self.take(key, |value| match value {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(_) | DeValue::Float(_) => {
                Err(format!("text is in quotes, as {key} = {example:?}"))
            }
            _ => Err(format!("text is wanted, in quotes, as {key} = {example:?}")),
        })
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, key: &'static str) -> Result<Option<Given<bool>>, String> {
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
    ) -> Result<Option<Given<u64>>, String> {
        let wanted = match *range.end() {
            u64::MAX => format!("a whole number from {} on is wanted, as {key} = {example}", range.start()),
            most => {
                format!("a whole number from {} to {most} is wanted, as {key} = {example}", range.start())
            }
        };
        self.take(key, |value| match value {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
                .ok()
                .filter(|number| range.contains(number))
                .ok_or(wanted),
            DeValue::String(text) if text.parse::<u64>().is_ok() => {
                Err(format!("numbers are written without quotes, as {key} = {example}"))
            }
            _ => Err(wanted),
        })
    }

    /// A list of texts; each with the line it stands on.
    pub(super) fn texts(&mut self, key: &'static str) -> Result<Vec<Given<String>>, String> {
        self.known.push(key);
        let Some(value) = self.table.remove(key) else { return Ok(Vec::new()) };
        let wanted = |what: &str| format!("{what}, as {key} = [\"one\", \"another\"]");
        let DeValue::Array(values) = value.get_ref() else {
            return Err(self.wrong(key, &value, &wanted("a list of texts is wanted, in brackets")));
        };
        let mut texts = Vec::new();
        for value in values {
            let DeValue::String(text) = value.get_ref() else {
                return Err(self.wrong(key, value, &wanted("all of a list are texts, each in quotes")));
            };
            texts.push(self.given(key, value.span().start, text.to_string()));
        }
        Ok(texts)
    }

    fn take<T>(
        &mut self,
        key: &'static str,
        understand: impl FnOnce(&DeValue<'a>) -> Result<T, String>,
    ) -> Result<Option<Given<T>>, String> {
        self.known.push(key);
        let Some(value) = self.table.remove(key) else { return Ok(None) };
        match understand(value.get_ref()) {
            Ok(understood) => Ok(Some(self.given(key, value.span().start, understood))),
            Err(wanted) => Err(self.wrong(key, &value, &wanted)),
        }
    }

    fn given<T>(&self, key: &str, at: usize, value: T) -> Given<T> {
        Given { by: self.place.complain(at, format!("{key} =")), value }
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'a>>, wanted: &str) -> String {
        let written = self.place.written(value.span());
        let kind = kind(value.get_ref());
        self.place.complain(value.span().start, format!("{key} = {written}: this is {kind}; {wanted}"))
    }

    /// A complaint about the table as a whole.
    pub(super) fn complain(&self, what: &str) -> String {
        self.place.complain(self.at, format!("{} {what}", self.title))
    }

    /// Nothing may be left. `elsewhere` are keys of other tables, with the title of each.
    pub(super) fn finish(self, elsewhere: &[(&str, &str)]) -> Result<(), String> {
        let Some((key, _)) = self.table.iter().min_by_key(|(key, _)| key.span().start) else { return Ok(()) };
        let (title, at, key) = (self.title, key.span().start, key.get_ref().as_ref());
        let known = &self.known;
        let other = elsewhere.iter().find(|(other, _)| *other == key);
        let what = match (closest(key, known), other) {
            (_, Some((_, owner))) => format!("{key:?} is no key of {title}; it belongs to {owner}"),
            (Some(meant), None) => format!("{title} has no key {key:?}; {meant} is meant, perhaps"),
            (None, None) => format!("{title} has no key {key:?}; it has {}", known.join(", ")),
        };
        Err(self.place.complain(at, what))
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
