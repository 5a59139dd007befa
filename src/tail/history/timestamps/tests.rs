//! Times against lines as programs write them, each cut at every position.

use super::*;

/// 2026-11-25 15:46:44 as a clock on the wall shows it.
const MOMENT: i64 = 1_795_621_604 * SECOND;

fn found(line: &str) -> Option<(i64, Option<i64>)> {
    let stamp = Stamp::find(line.as_bytes())?;
    assert_eq!(stamp.day, Day::Known, "{line}");
    Some((stamp.wall, stamp.zone))
}

const LINES: [(&str, i64, Option<i64>); 24] = [
    ("2026-11-25T15:46:44Z INFO up", 0, Some(0)),
    ("2026-11-25T15:46:44.123456789Z x", 123_456, Some(0)),
    ("2026-11-25 15:46:44,123 [main]", 123_000, None),
    ("2026-11-25 15:46:44.5+01:00 x", 500_000, Some(3600)),
    ("2026-11-25T15:46:44-0330 x", 0, Some(-12_600)),
    ("2026-11-25 15:46:44 +02 x", 0, Some(7200)),
    ("2026-11-25 15:46:44 UTC [123] LOG:", 0, Some(0)),
    ("  [2026-11-25 15:46:44] local.INFO", 0, None),
    ("<34>1 2026-11-25T15:46:44.003Z host su", 3_000, Some(0)),
    ("level=info ts=2026-11-25T15:46:44.5Z msg=x", 500_000, Some(0)),
    ("2026/11/25 15:46:44 [error] 7#7", 0, None),
    ("1.2.3.4 - - [25/Nov/2026:15:46:44 +0000] \"GET", 0, Some(0)),
    ("25 Nov 2026 15:46:44,123 DEBUG", 123_000, None),
    ("25-Nov-2026 15:46:44.123 INFO", 123_000, None),
    ("Date: Wed, 25 Nov 2026 15:46:44 GMT", 0, Some(0)),
    ("[Wed Nov 25 15:46:44.123456 2026] [core]", 123_456, None),
    ("1795621604 up", 0, Some(0)),
    ("1795621604.25: up", 250_000, Some(0)),
    ("1795621604123 up", 123_000, Some(0)),
    ("{\"msg\":\"at 2020-01-01 00:00\",\"ts\":1795621604.5}", 500_000, Some(0)),
    ("{\"level\":30,\"time\":1795621604123,\"pid\":1}", 123_000, Some(0)),
    ("{\"@timestamp\" : \"2026-11-25T15:46:44.000Z\"}", 0, Some(0)),
    ("{\"timestamp\":\"1795621604\"}", 0, Some(0)),
    ("{\"when\":\"2026-11-25T15:46:44\"}", 0, None),
];

#[test]
fn times_are_found_as_they_are_written() {
    for (line, micros, zone) in LINES {
        assert_eq!(found(line), Some((MOMENT + micros, zone)), "{line}");
    }
}

#[test]
fn wherever_a_line_is_cut_it_has_no_other_time() {
    for (line, ..) in LINES {
        for cut in 0..line.len() {
            let Some(stamp) = Stamp::find(&line.as_bytes()[..cut]) else { continue };
            // Less of it: no seconds yet, or no year behind them; or, in JSON, what the message says.
            let near = (MOMENT - 60 * SECOND..MOMENT + SECOND).contains(&stamp.wall);
            let elsewhere = matches!(stamp.day, Day::OfAnyYear { .. }) || line.contains("at 2020");
            assert!(near || elsewhere, "{} gives {stamp:?}", &line[..cut]);
        }
    }
}

#[test]
fn what_is_no_time_is_none() {
    for line in [
        "",
        "   ",
        "up and running",
        "2026-13-25 15:46:44",
        "2026-02-29 15:46:44",
        "2026-11-25 24:46:44",
        "2026-11-25",
        "12026-11-25 15:46:44",
        "99/Nov/2026:15:46:44",
        "Nov 25",
        "Nov 32 15:46:44",
        "179562160 up",
        "1795621604abc",
        "I1325 15:46:44",
        "{\"time\":\"late\"}",
        "{\"ts\":99999999999999999999}",
    ] {
        assert_eq!(Stamp::find(line.as_bytes()), None, "{line}");
    }
    let late = format!("{}2026-11-25 15:46:44", " x".repeat(MOST));
    assert_eq!(Stamp::find(late.as_bytes()), None, "too far behind");
}

fn spec(text: &str) -> TimeSpec {
    text.parse().unwrap()
}

#[test]
fn without_a_zone_times_compare_as_they_are_written() {
    let line = Stamp::find(b"2026-11-25T15:46:44+09:00 x").unwrap();
    assert!(!spec("2026-11-25 15:46:44").is_after(&line));
    assert!(spec("2026-11-25T15:46:44.001").is_after(&line));
    assert!(!spec("2026-11-25").is_after(&line) && spec("2026-11-26").is_after(&line));
}

#[test]
fn with_a_zone_they_compare_as_instants() {
    let line = Stamp::find(b"2026-11-25T15:46:44+09:00 x").unwrap();
    assert!(!spec("2026-11-25T06:46:44Z").is_after(&line));
    assert!(spec("2026-11-25T06:46:45Z").is_after(&line));
    let without = Stamp::find(b"2026-11-25 15:46:44 x").unwrap();
    assert!(!spec("2026-11-25T16:46:44+01:00").is_after(&without), "it counts as UTC");
    assert!(spec("2026-11-25T16:46:45+01:00").is_after(&without));
}

#[test]
fn a_time_without_a_year_is_in_the_nearest_one() {
    for line in ["Dec 31 23:59:59 host app: x", "W1231 23:59:59.000001 7 main.go:1] x"] {
        let eve = Stamp::find(line.as_bytes()).unwrap();
        assert!(spec("2027-01-01T00:00:00").is_after(&eve), "{line}");
        assert!(!spec("2026-12-31T23:59:59").is_after(&eve), "{line}");
        assert!(!spec("2026-11-25").is_after(&eve), "{line}");
    }
    let new_year = Stamp::find(b"Jan  1 00:00:00 host app: x").unwrap();
    assert!(!spec("2026-12-31T23:59:59").is_after(&new_year));
    let leap = Stamp::find(b"Feb 29 12:00:00 host app: x").unwrap();
    assert!(spec("2028-03-01").is_after(&leap) && !spec("2028-02-29").is_after(&leap));
}

#[test]
fn only_times_can_be_looked_for() {
    for text in
        ["", "now", "2026", "2026-11", "2026-11-25T", "2026-11-25T15", "2026-11-25 15:46:44 x", "15:46"]
    {
        assert_eq!(text.parse::<TimeSpec>(), Err(NotATime), "{text}");
    }
    let full = "2026-11-25T15:46:44.123+01:00";
    for cut in 0..full.len() {
        // What is read, is read to the end.
        if let Ok(TimeSpec(stamp)) = full[..cut].parse() {
            assert!(stamp.wall <= MOMENT + 123_000, "{}", &full[..cut]);
        }
    }
}

#[test]
fn days_agree_with_counting() {
    let mut days = days_from_civil(1600, 1, 1).unwrap();
    assert_eq!(days_from_civil(1970, 1, 1), Some(0));
    for year in 1600..2101 {
        for month in 1..=12 {
            for day in 1..=31 {
                if let Some(counted) = days_from_civil(year, month, day) {
                    assert_eq!(counted, days, "{year}-{month}-{day}");
                    assert_eq!(civil_year(days), year);
                    days += 1;
                }
            }
        }
    }
    assert_eq!(days_from_civil(2101, 1, 1), Some(days), "no day was left out, and none counted twice");
}
