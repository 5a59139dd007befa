//! Archives as real compressors write them, whole, damaged and hostile.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;
use crate::tail::patience::Patience;
use crate::tail::siblings;

fn text(len: usize) -> Vec<u8> {
    let lines = (0..).map(|number| format!("{number:08x} a line of a log\n")).take(len / 20 + 1);
    lines.collect::<String>().into_bytes()[..len].to_vec()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// What comes of `archive` in a file of that name: the bytes, whether they are all, and how many steps it took.
fn unpacked(name: &str, archive: &[u8]) -> (Vec<u8>, bool, usize) {
    let (folder, now) = (tempfile::tempdir().unwrap(), Instant::now());
    fs::write(folder.path().join(name), archive).unwrap();
    let root = Root::open(folder.path()).unwrap();
    let found = siblings::list(&root, Path::new("app.log"), &Patience::default(), now).unwrap();
    let (sibling, mut archives) = (&found[0], Archives::default());
    let format = sibling.format.unwrap();
    let first = archives.see(&root, sibling, format, now).unwrap().first.clone();
    for steps in 1.. {
        if let Content::Ready { file, whole } = archives.unpack(&root, sibling, format, now).unwrap() {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut rewound(file), &mut bytes).unwrap();
            let common = bytes.len().min(first.len());
            assert_eq!(first[..common], bytes[..common], "the first bytes are those of the whole");
            assert!(!whole || common == bytes.len().min(HEAD));
            return (bytes, whole, steps);
        }
    }
    unreachable!("an archive comes to an end")
}

fn rewound(file: File) -> std::fs::File {
    let mut file = std::fs::File::from(file);
    std::io::Seek::rewind(&mut file).unwrap();
    file
}

#[test]
fn what_was_compressed_is_there_again_slice_by_slice() {
    for len in [0, 1, HEAD, 100_000, 3_000_000] {
        let bytes = text(len);
        for (name, archive) in [("app.log.1.gz", gzip(&bytes)), ("app.log.1.zst", zstandard(&bytes))] {
            let (found, whole, steps) = unpacked(name, &archive);
            assert!(found == bytes && whole, "{len} bytes in {name}");
            assert!(steps > len / (2 * unpack::STEP), "{steps} steps for {len} bytes in {name}");
        }
    }
}

#[test]
fn parts_one_after_the_other_are_one_text() {
    let (one, two) = (text(70_000), text(300));
    let both = [&one[..], &two[..]].concat();
    let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    assert_eq!(unpacked("app.log.1.gz", &[gzip(&one), gzip(&two)].concat()).0, both);
    let archive = [&zstandard(&one)[..], &skipped, &zstandard(&two)].concat();
    assert_eq!(unpacked("app.log.1.zst", &archive).0, both);
}

#[test]
fn of_what_is_cut_off_or_changed_the_beginning_counts_and_it_is_not_whole() {
    let bytes = text(400_000);
    for (name, archive) in [("app.log.1.gz", gzip(&bytes)), ("app.log.1.zst", zstandard(&bytes))] {
        for at in (0..archive.len()).step_by(archive.len() / 40) {
            let (found, whole, _) = unpacked(name, &archive[..at]);
            // Of Zstandard nothing at all is a text without a part in it.
            assert!(bytes.starts_with(&found) && (!whole || at == 0), "{name} cut at {at}");
            let mut changed = archive.clone();
            changed[at] ^= 0x55;
            // What comes of it nobody can say, but that it ends, and is not taken for the whole of what it was.
            let (found, whole, _) = unpacked(name, &changed);
            assert!(!whole || found == bytes, "{name} changed at {at}");
        }
    }
}

#[test]
fn a_bomb_and_endless_nothing_are_unpacked_in_small_steps_too() {
    let (found, whole, steps) = unpacked("app.log.1.gz", &gzip(&vec![0; 20_000_000]));
    assert!(found.len() == 20_000_000 && whole && steps >= 20_000_000 / unpack::STEP);
    let nothing = gzip(b"").repeat(50_000);
    let (found, whole, steps) = unpacked("app.log.1.gz", &nothing);
    assert!(found.is_empty() && whole && steps >= nothing.len() / unpack::STEP);
}

/// Archives of so many texts, and their siblings.
fn folder_of(texts: &[Vec<u8>]) -> (tempfile::TempDir, Root, Vec<siblings::Sibling>) {
    let folder = tempfile::tempdir().unwrap();
    for (age, text) in texts.iter().rev().enumerate() {
        fs::write(folder.path().join(format!("app.log.{}.gz", age + 1)), gzip(text)).unwrap();
    }
    let root = Root::open(folder.path()).unwrap();
    let found = siblings::list(&root, Path::new("app.log"), &Patience::default(), Instant::now()).unwrap();
    (folder, root, found)
}

/// Unpacks until there is something to read, or no room.
fn unpack(
    archives: &mut Archives,
    root: &Root,
    sibling: &siblings::Sibling,
    now: Instant,
) -> Result<File, OpenError> {
    loop {
        if let Content::Ready { file, .. } = archives.unpack(root, sibling, Format::Gzip, now)? {
            return Ok(file);
        }
    }
}

#[test]
fn all_together_take_up_no_more_room_than_there_is_and_what_is_read_is_not_taken_away() {
    const MOST: u64 = 3_000_000;
    let texts: Vec<Vec<u8>> = (0..6).map(|_| text(1_000_000)).collect();
    let (_folder, root, found) = folder_of(&texts);
    let (mut archives, mut now) = (Archives::within(MOST), Instant::now());
    let used = |archives: &Archives| archives.known.iter().map(|archive| archive.state.len()).sum::<u64>();
    // Nobody keeps one: the next takes its place.
    for sibling in &found {
        drop(unpack(&mut archives, &root, sibling, now).unwrap());
        assert!(used(&archives) <= MOST, "{}", used(&archives));
    }
    let mut read: Vec<File> = Vec::new();
    let crowded = loop {
        match unpack(&mut archives, &root, &found[read.len()], now) {
            Ok(file) => read.push(file),
            Err(why) => break why,
        }
        assert!(used(&archives) <= MOST, "{}", used(&archives));
    };
    assert!(matches!(crowded, OpenError::Crowded) && read.len() == 2, "{crowded:?} after {}", read.len());
    let mut byte = [0];
    assert!(read.iter().all(|file| file.read_at(&mut byte, 999_999).unwrap() == 1), "still there");
    // That nobody asks for it for a while does not end a reading.
    now += KEEP;
    archives.close_unused(now);
    assert!(matches!(unpack(&mut archives, &root, &found[2], now), Err(OpenError::Crowded)));
    drop(read.pop());
    unpack(&mut archives, &root, &found[2], now).unwrap();
}

#[test]
fn of_two_for_which_there_is_no_room_together_one_is_finished() {
    let (_folder, root, found) = folder_of(&[text(2_000_000), text(2_000_000)]);
    let (mut archives, mut now) = (Archives::within(2_500_000), Instant::now());
    let mut done = 0;
    for turn in 0..400 {
        now += Duration::from_millis(50);
        let sibling = &found[turn % 2];
        match archives.unpack(&root, sibling, Format::Gzip, now) {
            Ok(Content::Ready { .. }) => done += 1,
            Ok(Content::Unpacking) | Err(OpenError::Crowded) => {}
            Err(why) => panic!("{why:?}"),
        }
    }
    assert!(done > 0);
}

#[test]
fn what_was_unpacked_for_a_log_that_was_closed_is_there_when_it_is_opened_again() {
    let (folder, _, _) = folder_of(&[text(3_000_000)]);
    fs::write(folder.path().join("app.log"), "now\n").unwrap();
    let (archives, now) = (Rc::new(std::cell::RefCell::new(Archives::default())), Instant::now());
    let mut steps = Vec::new();
    for _ in 0..2 {
        let root = Rc::new(Root::open(folder.path()).unwrap());
        let feed: crate::tail::Feed<()> =
            crate::tail::Feed::sharing(Rc::clone(&archives), root, "app.log".into(), Rc::default(), now);
        steps.push(steps_to_start(feed, now));
    }
    assert!(steps[0] > 10 && steps[1] < 5, "{steps:?}");
}

/// How many steps it takes to find the first byte of all.
fn steps_to_start(mut feed: crate::tail::Feed<()>, now: Instant) -> usize {
    use crate::tail::history::{Found, Job, SeekTo, Task, Work};
    let mut job = Job::new(Task::Seek(SeekTo::Start), None);
    for steps in 1..1000 {
        match feed.work(&mut job, now) {
            Work::Found(Found::Place(place)) => {
                assert_eq!(&*place.file, "app.log.1.gz");
                return steps;
            }
            Work::Again => {}
            other => panic!("{other:?}"),
        }
    }
    panic!("no end")
}

#[test]
fn what_nobody_has_read_for_a_while_is_let_go() {
    let (folder, now) = (tempfile::tempdir().unwrap(), Instant::now());
    fs::write(folder.path().join("app.log.1.gz"), gzip(b"some text\n")).unwrap();
    let root = Root::open(folder.path()).unwrap();
    let found = siblings::list(&root, Path::new("app.log"), &Patience::default(), now).unwrap();
    let mut archives = Archives::default();
    archives.unpack(&root, &found[0], Format::Gzip, now).unwrap();
    archives.close_unused(now + KEEP / 2);
    assert_eq!(archives.known[0].state.len(), 10);
    archives.close_unused(now + KEEP);
    assert_eq!(archives.known[0].state.len(), 0);
}
