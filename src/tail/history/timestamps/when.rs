//! A time as somebody types it who looks for it in a log: `14:05`, `-10m`, `2026-11-25 14:05:10`.
//!
//! The one place that understands it, for the page as for the command line. Does not know what time it is: that is handed in.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{DAY, Day, NotATime, Rest, SECOND, Stamp, TimeSpec, civil_year, days_from_civil};
use crate::tail::history::job::SeekTo;

/// A time of no day: the last one in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAt {
    // In microseconds since midnight.
    of_day: i64,
    // Of whoever asks, in days since 1970: for logs that write no year.
    today: i64,
}

impl LastAt {
    /// When that was in a log whose last line was written at `last`: on the same day, or on the day before if it had not been
    /// so late yet.
    pub fn before(self, last: &Stamp) -> TimeSpec {
        let (day, of_day) = match last.day {
            Day::Known => (last.wall.div_euclid(DAY), last.wall.rem_euclid(DAY)),
            Day::OfAnyYear { month, day } => (self.nearest(month, day), last.wall),
        };
        TimeSpec(Stamp::on(if of_day >= self.of_day { day } else { day - 1 }, self.of_day))
    }

    /// The day of some year that is nearest to today; 29 February is only in some.
    fn nearest(self, month: i64, day: i64) -> i64 {
        let year = civil_year(self.today);
        let days = (year - 4..=year + 4).filter_map(|year| days_from_civil(year, month, day));
        days.min_by_key(|day| (day - self.today).abs()).unwrap_or(self.today)
    }
}

impl SeekTo {
    /// The place that is meant by `text`, typed at `now`: the last `14:05` or `9:05:07.250`, `-10m` (also `s`, `h`, `d`), or
    /// a [`TimeSpec`].
    ///
    /// # Errors
    /// If it is none of these.
    pub fn time(text: &str, now: SystemTime) -> Result<Self, NotATime> {
        let text = text.trim();
        let since_1970 = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        let now = i64::try_from(since_1970).unwrap_or(i64::MAX);
        // U+2212 is what some keyboards and texts have for a minus.
        if let Some(ago) = text.strip_prefix('-').or_else(|| text.strip_prefix('\u{2212}')) {
            let then = now.checked_sub(duration(ago).ok_or(NotATime)?).ok_or(NotATime)?;
            // An instant: it holds whatever zone the log's times are in.
            return Ok(Self::Time(TimeSpec(Stamp::since_1970(then))));
        }
        match time_of_day(text) {
            Some(of_day) => Ok(Self::LastAt(LastAt { of_day, today: now.div_euclid(DAY) })),
            None => text.parse().map(Self::Time),
        }
    }
}

/// `10m`, in microseconds.
fn duration(text: &str) -> Option<i64> {
    let mut rest = Rest(text.as_bytes());
    let digits = rest.count_digits();
    let number = rest.number(Some(digits).filter(|digits| (1..=9).contains(digits))?)?;
    rest.spaces();
    let unit = match rest.one_of(b"smhd")? {
        b's' => SECOND,
        b'm' => 60 * SECOND,
        b'h' => 3600 * SECOND,
        _ => DAY,
    };
    rest.is_empty().then_some(())?;
    number.checked_mul(unit)
}

/// `14:05`, `9:05:07.250`, in microseconds since midnight.
fn time_of_day(text: &str) -> Option<i64> {
    // Logs write two digits, people one.
    let padded = if text.as_bytes().get(1) == Some(&b':') { format!("0{text}") } else { text.to_owned() };
    let mut rest = Rest(padded.as_bytes());
    let of_day = rest.clock()?;
    rest.is_empty().then_some(of_day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// 2026-11-25 15:46:44 UTC.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_621_604)
    }

    fn time(text: &str) -> SeekTo {
        SeekTo::time(text, now()).unwrap_or_else(|_| panic!("{text}"))
    }

    /// The time that `typed` means in a log whose last line is `last`.
    fn last(typed: &str, last: &str) -> TimeSpec {
        let SeekTo::LastAt(last_at) = time(typed) else { panic!("{typed}") };
        last_at.before(&Stamp::find(last.as_bytes()).unwrap())
    }

    #[test]
    fn some_time_ago_is_an_instant() {
        for (typed, meant) in [
            ("-10m", "2026-11-25T15:36:44Z"),
            ("-90s", "2026-11-25T15:45:14Z"),
            ("\u{2212}2 h", "2026-11-25T13:46:44Z"),
            (" -1d ", "2026-11-24T15:46:44Z"),
        ] {
            let SeekTo::Time(time) = time(typed) else { panic!("{typed}") };
            assert_eq!(time, meant.parse().unwrap(), "{typed}");
        }
    }

    #[test]
    fn a_time_of_day_is_the_last_one_there_was_in_the_log() {
        for (typed, line, meant) in [
            ("14:05", "2026-11-25 15:46:44 x", "2026-11-25 14:05:00"),
            ("14:05", "2026-11-25T14:05:00+09:00 x", "2026-11-25 14:05:00"),
            ("14:05:01", "2026-11-25 14:05:00 x", "2026-11-24 14:05:01"),
            ("9:05:07,250", "2026-03-01 08:00:00 x", "2026-02-28 09:05:07.250"),
            // A log that ended long ago; one without years, and one that goes over New Year's Eve.
            ("0:00", "2019-01-01 00:00:00 x", "2019-01-01 00:00"),
            ("16:00", "Nov 25 15:46:44 host x", "2026-11-24 16:00"),
            ("16:00", "Dec 31 17:00:00 host x", "2026-12-31 16:00"),
        ] {
            assert_eq!(last(typed, line), meant.parse().unwrap(), "{typed} before {line}");
        }
    }

    #[test]
    fn any_other_time_is_one_with_its_day_and_the_rest_is_none() {
        for typed in ["2026-11-25", "2026-11-25 14:05:10", "2026-11-25T14:05:10.5+01:00"] {
            let SeekTo::Time(time) = time(typed) else { panic!("{typed}") };
            assert_eq!(time, typed.parse().unwrap());
        }
        for typed in
            ["", "-", "-m", "-10", "-10w", "-1234567890s", "24:00", "14:60", "14", "14:05x", "-10m x", "soon"]
        {
            assert!(SeekTo::time(typed, now()).is_err(), "{typed}");
        }
        assert!(SeekTo::time("-999999999h", UNIX_EPOCH).is_ok(), "long before all logs");
        assert!(SeekTo::time("-999999999d", UNIX_EPOCH).is_err(), "and longer than can be counted");
    }
}
