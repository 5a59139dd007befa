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
