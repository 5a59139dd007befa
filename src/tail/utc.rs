//! Moments as people write them: `2026-11-20T13:45:12.123Z`.
//!
//! Knows the Gregorian calendar and no time zones.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A moment, shown in UTC and to the millisecond (RFC 3339 §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utc {
    // Since 1970, negative before.
    days: i64,
    millis_of_day: i64,
}

const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

impl From<SystemTime> for Utc {
    fn from(moment: SystemTime) -> Self {
        let millis = |part: std::time::Duration| i64::try_from(part.as_millis()).unwrap_or(i64::MAX);
        let millis = match moment.duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        };
        Self { days: millis.div_euclid(MILLIS_PER_DAY), millis_of_day: millis.rem_euclid(MILLIS_PER_DAY) }
    }
}

impl Utc {
    /// As HTTP writes it (RFC 9110 §5.6.7, IMF-fixdate): `Fri, 20 Nov 2026 13:45:12 GMT`.
    pub fn http_date(self) -> String {
        // 1 January 1970 was a Thursday.
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (year, month, day) = civil_from_days(self.days);
        let weekday = DAYS[self.days.rem_euclid(7) as usize];
        let month = MONTHS[(month - 1).rem_euclid(12) as usize];
        let (hour, minute, second) = self.clock();
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    }

    /// Hour, minute and second.
    fn clock(self) -> (i64, i64, i64) {
        let seconds = self.millis_of_day / 1000;
        (seconds / 3600, seconds / 60 % 60, seconds % 60)
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.days);
        let ((hour, minute, second), millis) = (self.clock(), self.millis_of_day % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// The year, month and day that lie `days` after 1 January 1970.
///
/// Howard Hinnant's algorithm ("chrono-Compatible Low-Level Date Algorithms", `civil_from_days`). The
/// calendar repeats itself every 400 years, an era of 146,097 days. Years are taken to begin on 1 March, so
/// that the leap day is the last one of a year and disturbs nothing within it. From March on, the lengths of
/// the months follow a pattern that a straight line describes: five months have 153 days, and day `d` of the
/// year lies in month `(5 d + 2) / 153`.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    const DAYS_PER_ERA: i64 = 146_097;
    // From 1 March of the year 0.
    let days = days + 719_468;
    let era = days.div_euclid(DAYS_PER_ERA);
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    // Without the leap days that have been: one in 4 years (1,461 days), not in 100 (36,525), but in 400.
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = if months_since_march < 10 { months_since_march + 3 } else { months_since_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn shown(seconds: u64) -> String {
        Utc::from(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
    }

    #[test]
    fn known_moments() {
        assert_eq!(shown(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(shown(951_782_399), "2000-02-28T23:59:59.000Z");
        assert_eq!(shown(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(shown(1_000_000_000), "2001-09-09T01:46:40.000Z");
        assert_eq!(shown(4_107_542_400), "2100-03-01T00:00:00.000Z");
        let moment = UNIX_EPOCH + Duration::from_millis(1_234_567_890_123);
        assert_eq!(Utc::from(moment).to_string(), "2009-02-13T23:31:30.123Z");
    }

    #[test]
    fn http_writes_them_its_own_way() {
        // RFC 9110 §5.6.7
        let date = |seconds| Utc::from(UNIX_EPOCH + Duration::from_secs(seconds)).http_date();
        assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
    }

    #[test]
    fn before_1970() {
        let moment = UNIX_EPOCH - Duration::from_millis(1);
        assert_eq!(Utc::from(moment).to_string(), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn agrees_with_counting_day_by_day_for_an_era() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..146_097 + 366 {
            assert_eq!(civil_from_days(days), (year, month, day));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let len = match month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > len {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }
}
