//! Times as logs write them.
//!
//! | what | example |
//! |---|---|
//! | ISO 8601, RFC 3339; `T` or a space, any fraction, any zone or none | `2026-11-25T15:46:44.123+01:00`, `2026-11-25 15:46:44,123` |
//! | Go, nginx's errors | `2026/11/25 15:46:44` |
//! | Apache and nginx, access | `[25/Nov/2026:15:46:44 +0000]` |
//! | log4j, Tomcat, mail | `25 Nov 2026 15:46:44,123`, `25-Nov-2026 15:46:44.123` |
//! | syslog, without a year; Apache's errors, with it | `Nov 25 15:46:44`, `Wed Nov 25 15:46:44.123456 2026` |
//! | klog, at the line's beginning, without a year | `I1125 15:46:44.123456` |
//! | since 1970, at the line's beginning: seconds, or with 13, 16, 19 digits finer | `1764085604.123`, `1764085604123` |
//! | JSON's members `ts`, `time`, `timestamp`, `@timestamp`: any of these, or a number since 1970 | `{"ts":1764085604.1}` |
//!
//! The first one within 256 bytes counts (JSON: 4 KiB). A time without a year is in the year that brings it nearest to
//! the one that is looked for, so a log may go over New Year's Eve.
//!
//! Does not know files, nor what time it is.

use std::fmt;
use std::str::FromStr;

/// A line's time is looked for in so many of its bytes.
const MOST: usize = 256;
/// ... if it is JSON, whose members may come in any order.
const MOST_JSON: usize = 4 * 1024;

/// Whoever sees so much of a line sees its time.
pub(crate) const ENOUGH: usize = 2 * MOST_JSON;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 24 * 60 * 60 * SECOND;

/// A time somebody looks for: `2026-11-25`, `2026-11-25 15:46`, `2026-11-25T15:46:44.5`, each as it stands in the log
/// whatever its zone; or with `Z` or an offset, an instant. Lines without a zone count as UTC then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSpec(Stamp);

/// The text is no time that can be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotATime;

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no time as 14:05, -10m, or 2026-11-25 14:05:10, with or without an offset or Z")
    }
}

impl std::error::Error for NotATime {}

impl FromStr for TimeSpec {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let mut rest = Rest(text.as_bytes());
        let day = rest.dashed_date(b'-').ok_or(NotATime)?;
        if rest.is_empty() {
            return Ok(Self(Stamp::on(day, 0)));
        }
        let stamp = rest.time_after(day).ok_or(NotATime)?;
        if rest.is_empty() { Ok(Self(stamp)) } else { Err(NotATime) }
    }
}

impl TimeSpec {
    /// Was a line with this time written before the time that is looked for?
    pub fn is_after(&self, stamp: &Stamp) -> bool {
        let goal = if self.0.zone.is_some() { self.0.instant() } else { self.0.wall };
        let zone = if self.0.zone.is_some() { stamp.zone.unwrap_or(0) * SECOND } else { 0 };
        let Day::OfAnyYear { month, day } = stamp.day else {
            return stamp.wall - zone < goal;
        };
        // The year that brings it nearest; 29 February is only in some.
        let year = civil_year(goal.div_euclid(DAY));
        let in_year = |year| Some(days_from_civil(year, month, day)? * DAY + stamp.wall - zone);
        let nearest = (year - 4..=year + 4).filter_map(in_year).min_by_key(|time| (time - goal).abs());
        nearest.is_none_or(|time| time < goal)
    }
}

/// A time found in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    day: Day,
    // What a clock on the wall shows, in microseconds since 1970; of a day in any year, since midnight.
    wall: i64,
    // Seconds east of Greenwich.
    zone: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    Known,
    OfAnyYear { month: i64, day: i64 },
}

impl Stamp {
    fn on(days: i64, of_day: i64) -> Self {
        Self { day: Day::Known, wall: days * DAY + of_day, zone: None }
    }

    fn since_1970(micros: i64) -> Self {
        Self { day: Day::Known, wall: micros, zone: Some(0) }
    }

    fn instant(&self) -> i64 {
        self.wall - self.zone.unwrap_or(0) * SECOND
    }

    /// The time of this line, if it has one.
    pub fn find(line: &[u8]) -> Option<Self> {
        let begin = line.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let json = line[begin] == b'{';
        let head = &line[begin..line.len().min(begin + MOST)];
        json.then(|| member(&line[begin..line.len().min(begin + MOST_JSON)]))
            .flatten()
            .or_else(|| Rest(head).klog())
            .or_else(|| Rest(head).since_1970())
            .or_else(|| anywhere(head))
    }
}

/// The first time in these bytes that does not begin inside of a word or number.
fn anywhere(bytes: &[u8]) -> Option<Stamp> {
    let begins = |&at: &usize| at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    (0..bytes.len()).filter(begins).find_map(|at| {
        let rest = Rest(&bytes[at..]);
        match bytes[at] {
            b'0'..=b'9' => {
                rest.clone().dated(b'-').or_else(|| rest.clone().dated(b'/')).or_else(|| rest.day_first())
            }
            b'A'..=b'Z' => rest.month_first(),
            _ => None,
        }
    })
}

/// The time in one of a JSON object's members.
fn member(json: &[u8]) -> Option<Stamp> {
    const NAMES: [&[u8]; 4] = [b"\"ts\"", b"\"time\"", b"\"timestamp\"", b"\"@timestamp\""];
    let quotes = (0..json.len()).filter(|&at| json[at] == b'"');
    quotes.map(|at| &json[at..]).find_map(|at| {
        let mut rest = Rest(NAMES.iter().find_map(|name| at.strip_prefix(*name))?);
        rest.spaces();
        rest.byte(b':')?;
        rest.spaces();
        match rest.byte(b'"') {
            Some(()) => rest.clone().since_1970().or_else(|| anywhere(&rest.0[..rest.0.len().min(MOST)])),
            None => rest.since_1970(),
        }
    })
}

/// What is still to be read. After a method that gives nothing, nobody knows how far it is.
#[derive(Clone)]
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    /// Reads over this byte, if it is the next.
    fn skip(&mut self, byte: u8) {
        self.0 = self.0.strip_prefix(&[byte]).unwrap_or(self.0);
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        bytes.contains(&first).then(|| self.0 = rest)?;
        Some(first)
    }

    fn spaces(&mut self) {
        while self.byte(b' ').is_some() {}
    }

    /// How many digits come now.
    fn count_digits(&self) -> usize {
        self.0.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// A number of exactly so many digits, 19 at most.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let value = number.iter().try_fold(0_i64, |value, byte| {
            let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
            value.checked_mul(10)?.checked_add(digit)
        });
        self.0 = rest;
        value
    }

    fn number_up_to(&mut self, digits: usize, largest: i64) -> Option<i64> {
        self.number(digits).filter(|&number| number <= largest)
    }

    fn month(&mut self) -> Option<i64> {
        const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
        let (name, rest) = self.0.split_at_checked(3)?;
        let month = MONTHS.chunks(3).zip(1..).find_map(|(month, number)| (month == name).then_some(number));
        self.0 = rest;
        month
    }

    /// A fraction of a second in microseconds, of any length; 0 if there is none.
    fn fraction(&mut self) -> i64 {
        let is_fraction = matches!(self.0, [b'.' | b',', digit, ..] if digit.is_ascii_digit());
        if !is_fraction {
            return 0;
        }
        self.0 = &self.0[1..];
        let digits = self.count_digits();
        let (fraction, rest) = self.0.split_at(digits);
        self.0 = rest;
        let padded = fraction.iter().map(|byte| i64::from(byte - b'0')).chain(std::iter::repeat(0));
        padded.take(6).fold(0, |value, digit| value * 10 + digit)
    }

    /// `15:46` and perhaps `:44` and a fraction: microseconds since midnight.
    fn clock(&mut self) -> Option<i64> {
        let hours = self.number_up_to(2, 23)?;
        self.byte(b':')?;
        let minutes = self.number_up_to(2, 59)?;
        let whole = (hours * 60 + minutes) * 60 * SECOND;
        if self.byte(b':').is_none() {
            return Some(whole);
        }
        // 60 is a leap second.
        let seconds = self.number_up_to(2, 60)?;
        Some(whole + seconds * SECOND + self.fraction())
    }

    /// `Z`, ` UTC`, `+01:00`, ` +0100`, `+01`: seconds. Nothing is read if there is none.
    fn zone(&mut self) -> Option<i64> {
        let mut rest = self.clone();
        if rest.byte(b'Z').is_some() {
            *self = rest;
            return Some(0);
        }
        rest.skip(b' ');
        if let Some(after) = rest.0.strip_prefix(b"UTC").or_else(|| rest.0.strip_prefix(b"GMT")) {
            self.0 = after;
            return Some(0);
        }
        let sign = if rest.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = rest.number_up_to(2, 23)?;
        let mut exact = rest.clone();
        exact.skip(b':');
        let minutes = exact.number_up_to(2, 59);
        *self = if minutes.is_some() { exact } else { rest };
        Some(sign * (hours * 60 + minutes.unwrap_or(0)) * 60)
    }

    /// `2026-11-25`: days since 1970.
    fn dashed_date(&mut self, dash: u8) -> Option<i64> {
        let year = self.number(4)?;
        self.byte(dash)?;
        let month = self.number(2)?;
        self.byte(dash)?;
        days_from_civil(year, month, self.number(2)?)
    }

    /// After a day, a `T` or a space: `15:46:44.123+01:00`.
    fn time_after(&mut self, days: i64) -> Option<Stamp> {
        self.one_of(b"Tt ")?;
        let of_day = self.clock()?;
        Some(Stamp { zone: self.zone(), ..Stamp::on(days, of_day) })
    }

    fn dated(mut self, dash: u8) -> Option<Stamp> {
        let days = self.dashed_date(dash)?;
        self.time_after(days)
    }

    /// `25/Nov/2026:15:46:44 +0000`, `25 Nov 2026 15:46:44,123`.
    fn day_first(mut self) -> Option<Stamp> {
        let digits = self.count_digits();
        let day = self.number(digits.min(2))?;
        let dash = self.one_of(b"/ -")?;
        let month = self.month()?;
        self.byte(dash)?;
        let year = self.number(4)?;
        self.one_of(b": ")?;
        let of_day = self.clock()?;
        Some(Stamp { zone: self.zone(), ..Stamp::on(days_from_civil(year, month, day)?, of_day) })
    }

    /// `Nov 25 15:46:44`, perhaps with a year behind it.
    fn month_first(mut self) -> Option<Stamp> {
        let month = self.month()?;
        self.byte(b' ')?;
        self.spaces();
        let digits = self.count_digits();
        let day = self.number(digits.min(2)).filter(|day| (1..=31).contains(day))?;
        self.byte(b' ')?;
        let wall = self.clock()?;
        let mut behind = self.clone();
        match behind
            .byte(b' ')
            .and_then(|()| (behind.count_digits() == 4).then(|| behind.number(4)).flatten())
        {
            Some(year) => Some(Stamp::on(days_from_civil(year, month, day)?, wall)),
            None => Some(Stamp { day: Day::OfAnyYear { month, day }, wall, zone: None }),
        }
    }

    /// `I1125 15:46:44.123456`.
    fn klog(mut self) -> Option<Stamp> {
        self.one_of(b"IWEF")?;
        let month = self.number(2).filter(|month| (1..=12).contains(month))?;
        let day = self.number(2).filter(|day| (1..=31).contains(day))?;
        self.byte(b' ')?;
        self.spaces();
        Some(Stamp { day: Day::OfAnyYear { month, day }, wall: self.clock()?, zone: None })
    }

    /// A number with enough digits to be seconds (10), milliseconds (13), microseconds (16) or nanoseconds (19) since
    /// 1970.
    fn since_1970(mut self) -> Option<Stamp> {
        let digits = self.count_digits();
        let number = self.number(digits)?;
        let micros = match digits {
            10 => number * SECOND + self.fraction(),
            13 => number * 1000,
            16 => number,
            19 => number / 1000,
            _ => return None,
        };
        let ends = self.0.first().is_none_or(|byte| !byte.is_ascii_alphanumeric());
        ends.then(|| Stamp::since_1970(micros))
    }
}

/// How many days lie between 1 January 1970 and this day; none if there is no such day.
///
/// Howard Hinnant's `days_from_civil` ("chrono-Compatible Low-Level Date Algorithms"): years are taken to begin on
/// 1 March, so that the leap day is the last one of a year.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of_month = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days_of_month).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// The year in which the day lies that is so many days after 1 January 1970.
fn civil_year(days: i64) -> i64 {
    // Never more than one too late or too early: 400 years have 146,097 days.
    let guess = 1970 + (days * 400).div_euclid(146_097);
    let begins = |year| days_from_civil(year, 1, 1).is_some_and(|first| first <= days);
    (guess - 1..=guess + 1).rev().find(|&year| begins(year)).unwrap_or(guess)
}

mod when;

pub use when::LastAt;

#[cfg(test)]
mod tests;
