//! Walks against their naive twin: the files, read from beginning to end.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::tail::beneath::Root;

/// A folder with logs, somebody who follows `app.log` in it, and a clock.
struct Scene {
    folder: tempfile::TempDir,
    follower: Follower,
    now: Instant,
}

impl Scene {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let (folder, now) = (tempfile::tempdir().unwrap(), Instant::now());
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let root = Rc::new(Root::open(folder.path()).unwrap());
        let follower =
            Follower::open(root, Path::new("app.log").to_owned(), Rc::default(), Rc::default(), now);
        Self { folder, follower, now }
    }

    /// All that lies before, from top to bottom, and the borders and gaps in it: blocks of `size` bytes.
    fn up(&mut self, from: &Standing, size: usize) -> String {
        let mut walk = Walk::up(from);
        let mut parts = self.parts(&mut walk, size);
        parts.reverse();
        parts.concat()
    }

    fn down(&mut self, from: &Standing, size: usize) -> String {
        let mut walk = Walk::down(from);
        self.parts(&mut walk, size).concat()
    }

    fn parts(&mut self, walk: &mut Walk, size: usize) -> Vec<String> {
        let (mut parts, mut scratch) = (Vec::new(), vec![0; size]);
        for _ in 0..10_000 {
            parts.push(match walk.next(&mut self.follower, &mut scratch, self.now) {
                Block::Lines { bytes, .. } => String::from_utf8(bytes.to_vec()).unwrap(),
                Block::Border { begins, .. } => format!("<{begins:?}>"),
                Block::Gap { bytes, why, .. } => format!("<{why:?} {bytes:?}>"),
                Block::Again => continue,
                Block::Later => panic!("all can be read"),
                Block::End => return parts,
            });
        }
        panic!("no end after {parts:?}")
    }

    fn at_end(&mut self) -> Standing {
        self.follower.at_end(self.now)
    }

    fn at(&mut self, back: u64, offset: u64) -> Standing {
        let id = GenerationId(self.follower.newest.0 - back);
        // What is compressed is unpacked step by step.
        while matches!(self.follower.lineage.make_open(id, self.now), Err(OpenError::Packed)) {}
        let place = self.follower.lineage.get(id).unwrap().place_at(offset).unwrap();
        Standing::new(vec![crate::tail::standing::Spot { id, place }])
    }
}

const FILES: [(&str, &[u8]); 4] = [
    ("app.log.2", b"the first line\n\nthe third line\nhalf a li"),
    ("app.log.1", "an unfinished \u{20ac}\u{1f600}\u{e9}\n".as_bytes()),
    ("app.log.save", b"somebody's copy"),
    ("app.log", b"x\nlonger than most blocks are in here, it is\ny"),
];

#[test]
fn up_and_down_give_what_is_in_the_files_whatever_the_size_of_a_block() {
    let whole = "the first line\n\nthe third line\nhalf a li<Rotated>an unfinished \u{20ac}\u{1f600}\u{e9}\n\
                 <Rotated>x\nlonger than most blocks are in here, it is\ny";
    for size in (8..70).chain([1000]) {
        let mut scene = Scene::new(&FILES);
        let end = scene.at_end();
        assert_eq!(scene.up(&end, size), whole, "blocks of {size}");
        let start = scene.at(2, 0);
        assert_eq!(scene.down(&start, size), whole, "blocks of {size}");
    }
}

#[test]
fn a_part_holds_whole_lines_and_not_much_more_than_it_should() {
    let longest = FILES[3].1.len();
    for part in 1..70 {
        for is_up in [true, false] {
            let mut scene = Scene::new(&FILES);
            let end = scene.at_end();
            scene.up(&end, 1000);
            let from = if is_up { end } else { scene.at(2, 0) };
            let mut walk = if is_up { Walk::up(&from) } else { Walk::down(&from) };
            let (mut scratch, mut parts) = ([0; 1000], Vec::new());
            loop {
                match walk.next_part(part, &mut scene.follower, &mut scratch, scene.now) {
                    Block::Lines { bytes, .. } => parts.push(String::from_utf8(bytes.to_vec()).unwrap()),
                    Block::Border { .. } | Block::Again => {}
                    Block::End => break,
                    other => panic!("{other:?}"),
                }
            }
            let whole = |text: &String| ["\n", "half a li", "\ny", "y"].iter().any(|end| text.ends_with(end));
            assert!(parts.iter().all(whole), "parts of {part}: {parts:?}");
            assert!(
                parts.iter().all(|text| text.len() <= part.max(2 * (longest + 1))),
                "parts of {part}: {parts:?}"
            );
            if is_up {
                parts.reverse();
            }
            let all = [FILES[0].1, FILES[1].1, FILES[3].1].concat();
            assert_eq!(parts.concat().as_bytes(), all, "parts of {part}");
            assert!(part > 20 || parts.len() >= 5, "parts of {part}: {parts:?}");
        }
    }
}

#[test]
fn what_lies_before_and_after_a_place_is_everything_once() {
    let mut scene = Scene::new(&FILES);
    let end = scene.at_end();
    let whole = scene.up(&end, 20);
    for (back, (_, text)) in [(2, FILES[0]), (1, FILES[1]), (0, FILES[3])] {
        let text = std::str::from_utf8(text).unwrap();
        for offset in (0..=text.len()).filter(|&offset| text.is_char_boundary(offset)) {
            let at = scene.at(back, offset as u64);
            let (before, after) = (scene.up(&at, 20), scene.down(&at, 20));
            // At a file's first byte its border lies before, as it was entered.
            assert_eq!(before + &after, whole, "{back} files back at {offset}");
        }
    }
}

#[test]
fn renamed_files_that_are_still_written_to_are_had_as_far_as_the_reader_had_them() {
    let mut scene = Scene::new(&[("app.log", b"one\ntwo\nthree\n")]);
    fs::rename(scene.folder.path().join("app.log"), scene.folder.path().join("app.log.1")).unwrap();
    fs::write(scene.folder.path().join("app.log"), b"four\nfive\n").unwrap();
    scene.follower.look(true, scene.now);
    while scene.follower.pull(scene.now).is_some() {}
    let (older, newer) = (scene.at(1, 4).newest(), scene.at(0, 5).newest());
    let at = Standing::new(vec![older, newer]);
    assert_eq!(scene.up(&at, 100), "one\n<Rotated>four\n");
    assert_eq!(scene.down(&at, 100), "two\nthree\nfive\n");
    let all_of_the_older = Standing::new(vec![newer]);
    assert_eq!(scene.up(&all_of_the_older, 100), "one\ntwo\nthree\n<Rotated>four\n");
}

#[test]
fn bytes_that_are_gone_are_counted() {
    let mut scene = Scene::new(&[("app.log.1", b"one\ntwo\n"), ("app.log", b"three\n")]);
    let (start, end) = (scene.at(1, 0), scene.at_end());
    fs::remove_file(scene.folder.path().join("app.log.1")).unwrap();
    let older = scene.follower.lineage.oldest();
    scene.follower.lineage.get_mut(older).unwrap().close();
    assert_eq!(scene.up(&end, 100), "<Rotated Some(8)><Rotated>three\n");
    assert_eq!(scene.down(&start, 100), "<Rotated Some(8)><Rotated>three\n");
}

#[test]
fn a_file_that_was_overwritten_gives_no_byte_of_what_it_holds_now() {
    let mut scene = Scene::new(&[("app.log", b"one\ntwo\n")]);
    let end = scene.at_end();
    fs::write(scene.folder.path().join("app.log"), b"something else\n").unwrap();
    assert_eq!(scene.up(&end, 100), "<Truncated Some(8)>");
}

#[test]
fn a_hole_is_skipped_in_both_directions() {
    let mut scene = Scene::new(&[("app.log", b"one\n")]);
    let start = scene.at(0, 0);
    let file = fs::File::options().append(true).open(scene.folder.path().join("app.log")).unwrap();
    file.set_len(1 << 40).unwrap();
    std::io::Write::write_all(&mut &file, b"two\n").unwrap();
    scene.follower.look(true, scene.now);
    let end = scene.at_end();
    let size = 64 * 1024;
    let mut walk = Walk::down(&start);
    let parts = scene.parts(&mut walk, size);
    assert!(parts.len() < 60 && parts[0].starts_with("one\n"), "{} parts", parts.len());
    let mut walk = Walk::up(&end);
    let parts = scene.parts(&mut walk, size);
    assert!(parts.len() < 60 && parts.last().unwrap().starts_with("one\n"), "{} parts", parts.len());
}

#[test]
fn files_beyond_the_known_ones_are_taken_in_one_by_one_and_each_once() {
    let names: Vec<String> = (1..=20).map(|age| format!("app.log.{age}")).collect();
    let texts: Vec<String> = (1..=20).map(|age| format!("rotated {age} times\n")).collect();
    let mut files: Vec<(&str, &[u8])> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    files.push(("app.log", b"now\n"));
    let mut scene = Scene::new(&files);
    let end = scene.at_end();
    let whole: Vec<String> = texts.iter().rev().cloned().chain(["now\n".to_owned()]).collect();
    assert_eq!(scene.up(&end, 100), whole.join("<Rotated>"));
    assert_eq!(scene.up(&end, 100), whole.join("<Rotated>"), "and once more");
}

/// How a file is kept.
#[derive(Clone, Copy, Debug)]
enum Kept {
    Plain,
    Gzip,
    Zstandard,
}

impl Kept {
    fn extension(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstandard => ".zst",
        }
    }

    fn pack(self, text: &str) -> Vec<u8> {
        match self {
            Self::Plain => text.as_bytes().to_vec(),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
                encoder.finish().unwrap()
            }
            Self::Zstandard => {
                let level = ruzstd::encoding::CompressionLevel::Fastest;
                ruzstd::encoding::compress_to_vec(text.as_bytes(), level)
            }
        }
    }
}

/// A few lines, the last of which has a newline or not, and how they are kept.
fn rotated() -> impl Strategy<Value = (String, Kept)> {
    let line = prop::sample::select(vec!["", "a", "line", "€ and 😀", "a longer line than others"]);
    let text = (prop::collection::vec(line, 0..5), prop::sample::select(vec!["\n", "."]))
        .prop_map(|(lines, end)| lines.join("\n") + end);
    (text, prop::sample::select(vec![Kept::Plain, Kept::Gzip, Kept::Zstandard]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn compressed_files_read_as_if_they_were_not_whatever_the_size_of_a_block(
        rotated in prop::collection::vec(rotated(), 1..5),
        current in prop::sample::select(vec!["", "now\n", "now\nand half a line"]),
    ) {
        // All begin with the same text, which is longer than what is looked at first, and go on differently.
        let banner = "the same in all of them\n".repeat(12);
        let text = |(number, (end, _)): (usize, &(String, Kept))| format!("{banner}{number}\n{end}");
        let texts: Vec<String> = rotated.iter().enumerate().map(text).collect();
        let packed = rotated.iter().zip(&texts).rev().zip(1..).map(|(((_, kept), text), age)| {
            (format!("app.log.{age}{}", kept.extension()), kept.pack(text))
        });
        let files: Vec<_> = packed.chain([("app.log".to_owned(), current.as_bytes().to_vec())]).collect();
        let files: Vec<_> = files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
        let whole = texts.iter().map(String::as_str).chain([current]).collect::<Vec<_>>().join("<Rotated>");
        let mut scene = Scene::new(&files);
        let end = scene.at_end();
        for size in (8..70).chain([1000]) {
            prop_assert_eq!(&scene.up(&end, size), &whole, "up in blocks of {}", size);
            let start = scene.at(rotated.len() as u64, 0);
            prop_assert_eq!(&scene.down(&start, size), &whole, "down in blocks of {}", size);
        }
    }
}
