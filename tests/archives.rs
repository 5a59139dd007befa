//! What is in a compressed file is not mistaken for anything else, whatever its name, its number and its first bytes.
//!
//! The system gives the number of a removed file to another one when it likes. Here a file is overwritten in place, which
//! looks the same and needs no luck.
#![cfg(feature = "tool")]

#[path = "support/packing.rs"]
#[allow(dead_code, reason = "how far compressing has come is for the random histories")]
mod packing;

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use packing::Format;
use wiretail::tail::beneath::Root;
use wiretail::tail::history::job::{Doing, Found, Job, SeekTo, Task, Work};
use wiretail::tail::{Cursor, Feed, PieceKind, Position, Start, Step};

fn open(folder: &Path, now: Instant) -> Feed<()> {
    let root = Rc::new(Root::open(folder).unwrap());
    Feed::open(root, "app.log".into(), Rc::default(), now)
}

/// All that a reader gets who looks for two seconds: text as it is, and what else it is told in brackets.
fn read(feed: &mut Feed<()>, position: &mut Position, now: &mut Instant) -> String {
    let mut transcript = String::new();
    for _ in 0..8 {
        *now += Duration::from_millis(250);
        feed.look_now(*now);
        while let Step::Piece(piece, next) = feed.next(position, *now) {
            transcript += &match &piece.kind {
                PieceKind::Lines { text, .. } => String::from_utf8_lossy(text).into_owned(),
                PieceKind::Rotated { .. } => "[rotated]".to_owned(),
                PieceKind::Truncated { .. } => "[truncated]".to_owned(),
                PieceKind::Gap { bytes, .. } => format!("[gap of {bytes:?}]"),
                PieceKind::Missing { .. } => "[missing]".to_owned(),
                PieceKind::Back => "[back]".to_owned(),
            };
            *position = next;
        }
    }
    transcript
}

/// Where a viewer stands that was led to the first byte of `app.log.1.gz`.
fn at_first_byte_of_archive(folder: &Path, now: Instant) -> Cursor {
    let mut feed = open(folder, now);
    let position = feed.start(&Start::Lines(100), now);
    let cursor = feed.cursor(&position);
    assert!(cursor.places().iter().all(|place| place.offset == 0), "{cursor}");
    cursor
}

#[test]
fn a_place_at_the_first_byte_of_an_archive_does_not_name_another_one_with_the_same_number() {
    let (folder, mut now) = (tempfile::tempdir().unwrap(), Instant::now());
    let archive = folder.path().join("app.log.1.gz");
    fs::write(&archive, Format::Gzip.pack(b"one\n")).unwrap();
    fs::write(folder.path().join("app.log"), "live\n").unwrap();
    let cursor = at_first_byte_of_archive(folder.path(), now);
    let mut feed = open(folder.path(), now);
    let mut position = feed.start(&Start::Cursor(cursor.clone()), now);
    assert_eq!(read(&mut feed, &mut position, &mut now), "one\n[rotated]live\n", "as long as it is there");
    drop(feed);
    fs::write(&archive, Format::Gzip.pack(b"another\n")).unwrap();
    let mut feed = open(folder.path(), now);
    let mut position = feed.start(&Start::Cursor(cursor), now);
    assert_eq!(read(&mut feed, &mut position, &mut now), "[gap of None]live\n");
}

#[test]
fn a_file_with_the_number_of_an_archive_that_is_gone_is_a_new_one() {
    let (folder, mut now) = (tempfile::tempdir().unwrap(), Instant::now());
    let names = ["app.log.1.zst", "app.log.1", "app.log"];
    let [archive, rotated, log] = names.map(|name| folder.path().join(name));
    fs::write(&archive, Format::Zstandard.pack(b"")).unwrap();
    fs::write(&log, "").unwrap();
    let mut feed = open(folder.path(), now);
    let mut position = feed.start(&Start::End, now);
    fs::write(&archive, "unseen\n").unwrap();
    fs::rename(&archive, rotated).unwrap();
    fs::remove_file(&log).unwrap();
    fs::write(&log, "live\n").unwrap();
    assert_eq!(read(&mut feed, &mut position, &mut now), "[rotated]unseen\n[rotated]live\n");
}

#[test]
fn an_archive_with_the_number_of_one_that_is_gone_is_a_new_one() {
    let (folder, mut now) = (tempfile::tempdir().unwrap(), Instant::now());
    let [archive, log] = ["app.log.1.gz", "app.log"].map(|name| folder.path().join(name));
    fs::write(&archive, Format::Gzip.pack(b"")).unwrap();
    fs::write(&log, "").unwrap();
    let mut feed = open(folder.path(), now);
    let mut position = feed.start(&Start::End, now);
    fs::write(&archive, Format::Gzip.pack(b"unseen\n")).unwrap();
    fs::remove_file(&log).unwrap();
    fs::write(&log, "live\n").unwrap();
    assert_eq!(read(&mut feed, &mut position, &mut now), "[rotated]unseen\n[rotated]live\n");
}

const BANNER: &str = "the same banner ";

/// A log that begins as all of them do, and goes on with `line`.
fn with_banner(line: &str) -> Vec<u8> {
    format!("{}\n{line}\n", BANNER.repeat(20)).into_bytes()
}

/// A transcript with a word for each banner.
fn short(transcript: &str) -> String {
    transcript.replace(&BANNER.repeat(20), "banner")
}

/// As random as text can be, so that an archive of it is not small.
fn noise(seed: u32, len: usize) -> String {
    let mut state = seed;
    let mut letter = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + (state >> 24) as u8 % 26)
    };
    (0..len).map(|_| letter()).collect()
}

#[test]
fn an_archive_that_begins_like_what_is_known_and_goes_on_differently_is_a_new_one() {
    for (known_goes, long) in [(false, 0), (true, 0), (false, 30_000), (true, 30_000)] {
        let (folder, mut now) = (tempfile::tempdir().unwrap(), Instant::now());
        let [older, archive, log] =
            ["app.log.2", "app.log.1.gz", "app.log"].map(|name| folder.path().join(name));
        fs::write(&log, with_banner(&format!("one {}", noise(1, long)))).unwrap();
        let mut feed = open(folder.path(), now);
        let mut position = feed.start(&Start::End, now);
        fs::rename(&log, &older).unwrap();
        if known_goes {
            fs::remove_file(older).unwrap();
        }
        // As long as the first one was.
        let two = noise(2, long);
        fs::write(archive, Format::Gzip.pack(&with_banner(&format!("two {two}")))).unwrap();
        fs::write(&log, with_banner("three")).unwrap();
        let transcript = short(&read(&mut feed, &mut position, &mut now)).replace(&two, "");
        assert_eq!(transcript, "[rotated]banner\ntwo \n[rotated]banner\nthree\n", "{known_goes} {long}");
    }
}

#[test]
fn what_was_compressed_before_it_was_read_is_not_read_from_another_archive_that_begins_alike() {
    let (folder, mut now) = (tempfile::tempdir().unwrap(), Instant::now());
    let at = |name: &str| folder.path().join(name);
    fs::write(at("app.log.1.gz"), Format::Gzip.pack(&with_banner("long ago"))).unwrap();
    fs::write(at("app.log"), with_banner("one")).unwrap();
    let mut feed = open(folder.path(), now);
    let mut position = feed.start(&Start::End, now);
    for line in ["two", "three"] {
        for (from, to) in [("app.log.2.gz", "app.log.3.gz"), ("app.log.1.gz", "app.log.2.gz")] {
            let _ = fs::rename(at(from), at(to));
        }
        let _ = fs::rename(at("app.log.1"), at("app.log.2"));
        fs::rename(at("app.log"), at("app.log.1")).unwrap();
        fs::write(at("app.log"), with_banner(line)).unwrap();
        feed.look_now(now);
    }
    // Nobody reads, so the files are closed.
    now += Duration::from_secs(6);
    feed.look_now(now);
    for (plain, line) in [("app.log.2", "one"), ("app.log.1", "two")] {
        fs::write(at(&format!("{plain}.gz")), Format::Gzip.pack(&with_banner(line))).unwrap();
        fs::remove_file(at(plain)).unwrap();
    }
    let transcript = read(&mut feed, &mut position, &mut now);
    assert_eq!(short(&transcript), "[rotated]banner\ntwo\n[rotated]banner\nthree\n");
}

#[test]
fn what_is_gone_is_a_gap_though_an_archive_begins_alike() {
    for other in ["six", "another"] {
        let (folder, mut now) = (tempfile::tempdir().unwrap(), Instant::now());
        let at = |name: &str| folder.path().join(name);
        fs::write(at("app.log"), "").unwrap();
        let mut feed = open(folder.path(), now);
        let mut position = feed.start(&Start::End, now);
        fs::rename(at("app.log"), at("app.log.2")).unwrap();
        fs::write(at("app.log"), with_banner("one")).unwrap();
        feed.look_now(now);
        fs::rename(at("app.log"), at("app.log.1")).unwrap();
        fs::write(at("app.log"), "live\n").unwrap();
        feed.look_now(now);
        now += Duration::from_secs(6);
        feed.look_now(now);
        fs::remove_file(at("app.log.1")).unwrap();
        // Somebody's copy of something else, which no rotation has made.
        fs::write(at("app.log.save.gz"), Format::Gzip.pack(&with_banner(other))).unwrap();
        let lost = with_banner("one").len();
        let transcript = short(&read(&mut feed, &mut position, &mut now));
        assert_eq!(transcript, format!("[rotated][gap of Some({lost})][rotated]live\n"), "{other}");
    }
}

#[test]
fn who_has_to_wait_for_what_is_unpacked_is_told_how_far_that_has_come() {
    let (folder, mut now) = (tempfile::tempdir().unwrap(), Instant::now());
    let text = noise(1, 3_000_000);
    fs::write(folder.path().join("app.log.1.gz"), Format::Gzip.pack(text.as_bytes())).unwrap();
    fs::write(folder.path().join("app.log"), "live\n").unwrap();
    let mut first = open(folder.path(), now);
    let mut job = Job::new(Task::Seek(SeekTo::Start), None);
    let start = loop {
        match first.work(&mut job, now) {
            Work::Found(Found::Place(place)) => break place.cursor,
            Work::Again => {}
            other => panic!("{other:?}"),
        }
    };
    let mut feed = open(folder.path(), now);
    let mut position = feed.start(&Start::Cursor(start), now);
    let (mut told, mut shown) = (Vec::new(), String::new());
    while !shown.ends_with("live\n") {
        now += Duration::from_millis(10);
        feed.look(now);
        while let Step::Piece(piece, next) = feed.next(&position, now) {
            assert_eq!(feed.unpacking(), None);
            if let PieceKind::Lines { text, .. } = &piece.kind {
                shown += std::str::from_utf8(text).unwrap();
            }
            position = next;
        }
        if let Some(progress) = feed.unpacking() {
            assert_eq!((progress.what, progress.done <= progress.total), (Doing::Unpacking, true));
            told.push(progress.done);
        }
        assert!(told.len() < 100, "no end: {told:?}");
    }
    assert!(shown == text + "live\n", "{} bytes", shown.len());
    assert!(told.len() > 5 && told.is_sorted(), "{told:?}");
}

#[test]
fn what_is_new_does_not_wait_long_for_an_archive_that_has_to_be_unpacked_before_it() {
    let (folder, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let at = |name: &str| folder.path().join(name);
    fs::write(at("app.log"), "one\n").unwrap();
    let mut feed = open(folder.path(), begun);
    let mut position = feed.start(&Start::End, begun);
    let missed = noise(1, 3_000_000);
    fs::rename(at("app.log"), at("app.log.2")).unwrap();
    fs::write(at("app.log.1.gz"), Format::Gzip.pack(missed.as_bytes())).unwrap();
    fs::write(at("app.log"), "live\n").unwrap();
    let (mut now, mut shown) = (begun, String::new());
    while !shown.ends_with("live\n") {
        now = feed.next_look(now).max(now + Duration::from_millis(1));
        assert!(now < begun + Duration::from_secs(1), "{} bytes by then", shown.len());
        feed.look(now);
        while let Step::Piece(piece, next) = feed.next(&position, now) {
            if let PieceKind::Lines { text, .. } = &piece.kind {
                shown += std::str::from_utf8(text).unwrap();
            }
            position = next;
        }
    }
    assert!(shown == missed + "live\n", "{} bytes", shown.len());
}

#[test]
fn what_was_written_late_to_an_empty_file_is_not_repeated_from_its_archive() {
    let (folder, mut now) = (tempfile::tempdir().unwrap(), Instant::now());
    let at = |name: &str| folder.path().join(name);
    let rename = |from: &str, to: &str| fs::rename(at(from), at(to)).unwrap();
    let compress = |name: &str, bytes: &[u8]| {
        fs::write(at(&format!("{name}.gz")), Format::Gzip.pack(bytes)).unwrap();
        fs::remove_file(at(name)).unwrap();
    };
    fs::write(at("app.log"), "one\n").unwrap();
    let mut feed = open(folder.path(), now);
    let mut position = feed.start(&Start::End, now);
    rename("app.log", "app.log.1");
    fs::write(at("app.log"), "").unwrap();
    feed.look_now(now);
    rename("app.log.1", "app.log.2");
    rename("app.log", "app.log.1");
    fs::write(at("app.log"), "").unwrap();
    feed.look_now(now);
    // Copied and cut, though there was nothing in it.
    rename("app.log.2", "app.log.3");
    rename("app.log.1", "app.log.2");
    fs::copy(at("app.log"), at("app.log.1")).unwrap();
    compress("app.log.1", b"");
    fs::remove_file(at("app.log")).unwrap();
    fs::write(at("app.log.2"), "late\n").unwrap();
    compress("app.log.2", b"late\n");
    let transcript = read(&mut feed, &mut position, &mut now);
    assert_eq!(transcript.matches("late\n").count(), 1, "{transcript}");
}

#[test]
fn what_was_there_before_and_is_compressed_now_is_nothing_new() {
    for keeps_time in [true, false] {
        let (folder, mut now) = (tempfile::tempdir().unwrap(), Instant::now());
        let at = |name: &str| folder.path().join(name);
        fs::write(at("app.log"), "").unwrap();
        fs::write(at("app.log.1"), "something else\n").unwrap();
        // The last to be written to, though it is the oldest.
        fs::write(at("app.log.2"), with_banner("old")).unwrap();
        let mut feed = open(folder.path(), now);
        let mut position = feed.start(&Start::End, now);
        let written = fs::metadata(at("app.log.2")).unwrap().modified().unwrap();
        fs::write(at("app.log.2.gz"), Format::Gzip.pack(&with_banner("old"))).unwrap();
        if keeps_time {
            fs::File::options().append(true).open(at("app.log.2.gz")).unwrap().set_modified(written).unwrap();
        }
        fs::remove_file(at("app.log.2")).unwrap();
        fs::remove_file(at("app.log")).unwrap();
        // And one that only begins like it is new.
        fs::write(at("app.log.0.gz"), Format::Gzip.pack(&with_banner("new"))).unwrap();
        let transcript = short(&read(&mut feed, &mut position, &mut now));
        assert_eq!(transcript, "[rotated]banner\nnew\n[missing]", "{keeps_time}");
    }
}
