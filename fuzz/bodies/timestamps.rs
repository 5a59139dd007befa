//! The time in a line against its definition: a list of forms, each tried at every place where a word or number begins, and
//! a calendar that counts days one by one.
//!
//! The first bytes choose a time that is looked for; the rest is the line, in which a form may stand for one byte.

use std::ops::ControlFlow;

use wiretail::tail::history::timestamps::{Stamp, TimeSpec};

use super::choices::Choices;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Lines for the fuzzer to begin with.
const EXAMPLES: [&str; 8] = [
    "2026-11-25T15:46:44.123456Z",
    "2026/11/25 15:46:44 +01:30",
    "25/Nov/2026:15:46:44 -0800",
    "Nov  5 15:46:44 2026",
    "Feb 29 23:59:60.5",
    "I1125 15:46:44.123456",
    "1764085604.123",
    "{\"a\":\"\", \"ts\" : 1764085604123",
];

/// Where the parts of a form stand: four or two digits; one digit or two; a month's name; spaces; one of some marks.
#[derive(Clone, Copy)]
enum Part {
    Year,
    Two(Field),
    Day,
    Name,
    Spaces,
    Mark(&'static [u8]),
    /// The same mark as before.
    Again,
    /// `15:46`, perhaps with seconds and a fraction.
    Clock,
    Zone,
    /// Perhaps a space and a year, behind which no digit comes.
    LastYear,
}

#[derive(Clone, Copy)]
enum Field {
    Month,
    Day,
}

use Part::{Again, Clock, Day, LastYear, Mark, Name, Spaces, Two, Year, Zone};

/// The forms that may stand anywhere, as the table in the parser's source has them.
const ANYWHERE: [&[Part]; 4] = [
    &[Year, Mark(b"-"), Two(Field::Month), Again, Two(Field::Day), Mark(b"Tt "), Clock, Zone],
    &[Year, Mark(b"/"), Two(Field::Month), Again, Two(Field::Day), Mark(b"Tt "), Clock, Zone],
    &[Day, Mark(b"/ -"), Name, Again, Year, Mark(b": "), Clock, Zone],
    &[Name, Mark(b" "), Spaces, Day, Mark(b" "), Clock, LastYear],
];

const KLOG: &[Part] = &[Mark(b"IWEF"), Two(Field::Month), Two(Field::Day), Mark(b" "), Spaces, Clock];

/// A time as it is written.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    year: Option<i64>,
    month: i64,
    day: i64,
    /// Microseconds since midnight; since 1970 if there is no day.
    time: i64,
    zone: Option<i64>,
}

/// Looks for the time in a line.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (year, month, day) =
        (1 + i64::from(choices.two_bytes() % 9999), choices.below(12), choices.below(28));
    let (second, zone) = (i64::from(choices.two_bytes()), choices.flag());
    let mut line = Vec::new();
    for &byte in choices.rest() {
        match byte.checked_sub(0xf0).and_then(|which| EXAMPLES.get(usize::from(which))) {
            Some(example) => line.extend_from_slice(example.as_bytes()),
            None => line.push(byte),
        }
    }
    let goal = day_number(year, month as i64 + 1, day as i64 + 1).expect("a day") * DAY + second * SECOND;
    let (found, meant) = (Stamp::find(&line), find(&line));
    assert_eq!(found.is_some(), meant.is_some(), "{meant:?} in {}", line.escape_ascii());
    let (Some(found), Some(meant)) = (found, meant) else { return };
    let near = meant.at(goal, zone);
    for goal in [Some(goal), near, near.map(|near| near + 1)].into_iter().flatten() {
        let Some(spec) = spec(goal, zone) else { continue };
        let before = meant.at(goal, zone).is_none_or(|time| time < goal);
        assert_eq!(spec.is_after(&found), before, "{meant:?} in {}, {goal}", line.escape_ascii());
    }
}

/// What is typed to look for that; none if it cannot be.
fn spec(goal: i64, zone: bool) -> Option<TimeSpec> {
    let (days, time) = (goal.div_euclid(DAY), goal.rem_euclid(DAY));
    let (year, month, day) = date(days)?;
    let (hours, minutes) = (time / SECOND / 3600, time / SECOND / 60 % 60);
    let (seconds, micros, zone) = (time / SECOND % 60, time % SECOND, if zone { "Z" } else { "" });
    let text =
        format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{micros:06}{zone}");
    Some(text.parse().expect("a time"))
}

impl Written {
    /// When that was, beside a time that is looked for, which is an `instant` or what a clock showed.
    fn at(&self, goal: i64, instant: bool) -> Option<i64> {
        let zone = if instant { self.zone.unwrap_or(0) * SECOND } else { 0 };
        let day = |year| Some(day_number(year, self.month, self.day)? * DAY + self.time - zone);
        match self.year {
            Some(0) if self.month == 0 => Some(self.time),
            Some(year) => day(year),
            // The nearest one. Of two that are as near, the earlier.
            None => {
                let year = date(goal.div_euclid(DAY)).map_or(0, |(year, ..)| year);
                (year - 4..=year + 4).filter_map(day).min_by_key(|time| (time - goal).abs())
            }
        }
    }
}

fn find(line: &[u8]) -> Option<Written> {
    let line = line.trim_ascii_start();
    if line.starts_with(b"{")
        && let Some(found) = member(&line[..line.len().min(4096)])
    {
        return Some(found);
    }
    let head = &line[..line.len().min(256)];
    read(KLOG, head).or_else(|| since_1970(head)).or_else(|| anywhere(head))
}

fn anywhere(bytes: &[u8]) -> Option<Written> {
    (0..bytes.len()).find_map(|at| {
        let inside = at > 0 && bytes[at - 1].is_ascii_alphanumeric();
        ANYWHERE.iter().filter(|_| !inside).find_map(|form| read(form, &bytes[at..]))
    })
}

fn member(json: &[u8]) -> Option<Written> {
    (0..json.len()).find_map(|at| {
        let names = ["\"ts\"", "\"time\"", "\"timestamp\"", "\"@timestamp\""];
        let value = names.iter().find_map(|name| json[at..].strip_prefix(name.as_bytes()))?;
        let value = behind_spaces(behind_spaces(value).strip_prefix(b":")?);
        match value.strip_prefix(b"\"") {
            Some(text) => since_1970(text).or_else(|| anywhere(&text[..text.len().min(256)])),
            None => since_1970(value),
        }
    })
}

fn behind_spaces(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|&&byte| byte == b' ').count()..]
}

/// So many digits at the beginning.
fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The first `len` bytes as a number, if they are digits.
fn number(bytes: &[u8], len: usize) -> Option<i64> {
    let number = bytes.get(..len).filter(|number| len > 0 && digits(number) == len)?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// `.123`: microseconds, and its length.
fn fraction(bytes: &[u8]) -> (i64, usize) {
    let len = if matches!(bytes.first(), Some(b'.' | b',')) { digits(&bytes[1..]) } else { 0 };
    if len == 0 {
        return (0, 0);
    }
    let text = format!("{:0<6}", String::from_utf8_lossy(&bytes[1..=len.min(6)]));
    (text.parse().expect("six digits"), len + 1)
}

fn since_1970(bytes: &[u8]) -> Option<Written> {
    let len = digits(bytes);
    let number = number(bytes, len)?;
    let (micros, end) = match len {
        10 => {
            let (micros, more) = fraction(&bytes[10..]);
            (number * SECOND + micros, 10 + more)
        }
        13 => (number * 1000, len),
        16 => (number, len),
        19 => (number / 1000, len),
        _ => return None,
    };
    let inside = bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    (!inside).then_some(Written { year: Some(0), time: micros, zone: Some(0), ..Written::default() })
}

/// What stands at the beginning, if it has this form.
fn read(form: &[Part], bytes: &[u8]) -> Option<Written> {
    let (mut written, mut at, mut mark) = (Written::default(), 0, 0);
    for part in form {
        let rest = &bytes[at..];
        at += match part {
            Year => {
                written.year = Some(number(rest, 4)?);
                4
            }
            Two(field) => {
                let number = number(rest, 2)?;
                match field {
                    Field::Month => written.month = number,
                    Field::Day => written.day = number,
                }
                2
            }
            Day => {
                let len = digits(rest).min(2);
                written.day = number(rest, len)?;
                len
            }
            Name => {
                const NAMES: &str = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
                let name = rest.get(..3)?;
                let month = NAMES.split(' ').position(|month| month.as_bytes() == name)?;
                written.month = month as i64 + 1;
                3
            }
            Spaces => rest.len() - behind_spaces(rest).len(),
            Mark(marks) => {
                mark = *rest.first().filter(|byte| marks.contains(byte))?;
                1
            }
            Again => rest.first().filter(|&&byte| byte == mark).map(|_| 1)?,
            Clock => {
                let (time, len) = clock(rest)?;
                written.time = time;
                len
            }
            Zone => {
                let (zone, len) = zone(rest).map_or((None, 0), |(zone, len)| (Some(zone), len));
                written.zone = zone;
                len
            }
            LastYear => {
                let year = rest.strip_prefix(b" ").filter(|year| digits(year) == 4);
                written.year = year.and_then(|year| number(year, 4));
                0
            }
        };
    }
    is_day(&written).then_some(written)
}

/// Any day there is; without a year, any that there may be in one, roughly.
fn is_day(written: &Written) -> bool {
    match written.year {
        Some(year) => day_number(year, written.month, written.day).is_some(),
        None => (1..=12).contains(&written.month) && (1..=31).contains(&written.day),
    }
}

fn clock(bytes: &[u8]) -> Option<(i64, usize)> {
    let (hours, minutes) = (number(bytes, 2)?, number(bytes.get(3..)?, 2)?);
    if bytes[2] != b':' || hours > 23 || minutes > 59 {
        return None;
    }
    let whole = (hours * 60 + minutes) * 60 * SECOND;
    if bytes.get(5) != Some(&b':') {
        return Some((whole, 5));
    }
    let seconds = number(&bytes[6..], 2).filter(|&seconds| seconds <= 60)?;
    let (micros, more) = fraction(&bytes[8..]);
    Some((whole + seconds * SECOND + micros, 8 + more))
}

/// Seconds east of Greenwich, and how long that is.
fn zone(bytes: &[u8]) -> Option<(i64, usize)> {
    if bytes.starts_with(b"Z") {
        return Some((0, 1));
    }
    let space = usize::from(bytes.starts_with(b" "));
    let rest = &bytes[space..];
    if rest.starts_with(b"UTC") || rest.starts_with(b"GMT") {
        return Some((0, space + 3));
    }
    let sign = match rest.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(&rest[1..], 2).filter(|&hours| hours <= 23)?;
    let colon = usize::from(rest.get(3) == Some(&b':'));
    let minutes = rest.get(3 + colon..).and_then(|rest| number(rest, 2)).filter(|&minutes| minutes <= 59);
    let len = if minutes.is_some() { 5 + colon } else { 3 };
    Some((sign * (hours * 60 + minutes.unwrap_or(0)) * 60, space + len))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    let february = if is_leap(year) { 29 } else { 28 };
    [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month as usize - 1]
}

/// Days since 1970, counted year by year and month by month; none if there is no such day.
fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let of_year = |year| if is_leap(year) { 366 } else { 365 };
    let years: i64 =
        if year >= 1970 { (1970..year).map(of_year).sum() } else { -(year..1970).map(of_year).sum::<i64>() };
    Some(years + (1..month).map(|month| days_of(year, month)).sum::<i64>() + day - 1)
}

/// The day that is so many days after 1970, if its year has four digits.
fn date(days: i64) -> Option<(i64, i64, i64)> {
    let year = (0..=9999).try_fold(day_number(0, 1, 1)?, |first, year| {
        let next = first + if is_leap(year) { 366 } else { 365 };
        if (first..next).contains(&days) {
            ControlFlow::Break((year, days - first))
        } else {
            ControlFlow::Continue(next)
        }
    });
    let ControlFlow::Break((year, mut left)) = year else { return None };
    for month in 1..=12 {
        if left < days_of(year, month) {
            return Some((year, month, left + 1));
        }
        left -= days_of(year, month);
    }
    None
}
