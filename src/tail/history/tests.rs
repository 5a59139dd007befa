//! Jobs against their naive twins: all files read from beginning to end, cut into lines, and each line looked at.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use proptest::prelude::*;

mod parts;

use super::index::Indexes;
use super::job::{BUCKETS, Bench};
use super::*;
use crate::tail::beneath::Root;
use crate::tail::cursor::{Cursor, Seal};
use crate::tail::follower::Follower;
use crate::tail::generation::Begins;
use crate::tail::lens::Lens;
use crate::tail::pattern::{Filter, FilterSpec};

/// A folder with logs, somebody who follows `app.log` in it, and blocks of some size.
struct Scene {
    folder: tempfile::TempDir,
    follower: Follower,
    indexes: Indexes,
    scratch: Vec<u8>,
    now: Instant,
}

/// The name of the file that is so many rotations old.
fn name(age: usize) -> String {
    if age == 0 { "app.log".to_owned() } else { format!("app.log.{age}") }
}

impl Scene {
    /// The files are given oldest first.
    fn new(files: &[Vec<u8>], block: usize) -> Self {
        Self::through(files, block, Lens::default())
    }

    fn through(files: &[Vec<u8>], block: usize, lens: Lens) -> Self {
        let (folder, now) = (tempfile::tempdir().unwrap(), Instant::now());
        for (age, bytes) in files.iter().rev().enumerate() {
            fs::write(folder.path().join(name(age)), bytes).unwrap();
            // The rotated ones have been quiet for so long that nobody waits for more of them.
            let file = fs::File::options().append(true).open(folder.path().join(name(age))).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(100 * age as u64)).unwrap();
        }
        let root = Rc::new(Root::open(folder.path()).unwrap());
        let follower =
            Follower::open(root, Path::new("app.log").to_owned(), Rc::new(lens), Rc::default(), now);
        Self { folder, follower, indexes: Indexes::default(), scratch: vec![0; block], now }
    }

    fn bench(&mut self) -> Bench<'_> {
        let Self { follower, indexes, scratch, now, .. } = self;
        Bench { follower, indexes, scratch, now: *now }
    }

    fn begin(&self, task: Task, filter: Option<&Rc<Filter>>) -> Job {
        Job::new(task, filter.cloned())
    }

    /// What the job comes to, step by step until it is done.
    fn finish(&mut self, job: &mut Job) -> (Vec<Found>, Summary) {
        let mut found = Vec::new();
        for _ in 0..200_000 {
            match job.step(&mut self.bench()) {
                Work::Again => {}
                Work::Later => panic!("all can be read"),
                Work::Found(next) => found.push(next),
                Work::Done(summary) => return (found, summary),
            }
        }
        panic!("no end after {found:?}")
    }

    fn run(&mut self, task: Task, filter: Option<&Rc<Filter>>) -> (Vec<Found>, Summary) {
        let mut job = self.begin(task, filter);
        self.finish(&mut job)
    }

    /// What a job that is done tells of numbers: of which line, and the number.
    fn number(&mut self, job: &mut Job, mut tell: impl FnMut(usize, u64)) {
        let Some(mut numbers) = job.numbers() else { return };
        for found in self.finish(&mut numbers).0 {
            let Found::Numbers(numbers) = found else { panic!("{found:?}") };
            numbers.into_iter().for_each(|(which, line)| tell(which, line));
        }
    }

    fn place(&mut self, to: SeekTo) -> Place {
        let (found, _) = self.run(Task::Seek(to), None);
        match &found[..] {
            [Found::Place(place)] => place.clone(),
            other => panic!("not one place: {other:?}"),
        }
    }

    fn end(&mut self) -> Cursor {
        self.place(SeekTo::End).cursor
    }

    /// All text above `at`, asked for in portions of so many lines.
    fn above(&mut self, at: Cursor, lines: usize, filter: Option<&Rc<Filter>>) -> Vec<u8> {
        let (mut before, mut parts) = (at, Vec::new());
        loop {
            let (found, summary) = self.run(Task::Older { before: before.clone(), lines }, filter);
            let mut last = None;
            for found in found {
                let Found::Lines { from, text, .. } = found else { panic!("{found:?}") };
                parts.push(text.to_vec());
                last = Some(from);
            }
            let Some(next) = last.filter(|_| summary.more) else { break };
            before = next;
        }
        parts.reverse();
        parts.concat()
    }

    fn below(&mut self, at: Cursor, lines: usize, filter: Option<&Rc<Filter>>) -> Vec<u8> {
        let (mut after, mut all) = (at, Vec::new());
        loop {
            let (found, summary) = self.run(Task::Newer { after: after.clone(), lines }, filter);
            let mut last = None;
            for found in found {
                let Found::Lines { to, text, .. } = found else { panic!("{found:?}") };
                all.extend_from_slice(&text);
                last = Some(to);
            }
            let Some(next) = last.filter(|_| summary.more) else { return all };
            after = next;
        }
    }

    /// Searches from a place; what it found, and how many lines there were.
    fn search(&mut self, filter: &Rc<Filter>, from: Option<Cursor>, most: usize) -> (Vec<Hit>, Summary) {
        let (found, summary) = self.run(Task::Search { filter: Rc::clone(filter), from, most }, None);
        let hits = found.into_iter().flat_map(|found| match found {
            Found::Hits(hits) => hits,
            other => panic!("{other:?}"),
        });
        (hits.collect(), summary)
    }
}

fn filter(grep: &str) -> Rc<Filter> {
    let spec = FilterSpec { grep: vec![grep.to_owned()], ..FilterSpec::default() };
    Rc::new(Filter::new(&spec).unwrap())
}

/// A line of one of the files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    /// Its file: 0 is the oldest.
    file: usize,
    byte: usize,
    number: usize,
    text: Vec<u8>,
    ended: bool,
}

/// All lines, by looking at every byte.
fn lines(files: &[Vec<u8>]) -> Vec<Line> {
    let mut lines = Vec::new();
    for (file, bytes) in files.iter().enumerate() {
        let (mut byte, mut number) = (0, 1);
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line).to_vec();
            lines.push(Line { file, byte, number, text, ended: line.ends_with(b"\n") });
            byte += line.len();
            number += 1;
        }
    }
    lines
}

fn joined<'a>(lines: impl Iterator<Item = &'a Line>) -> Vec<u8> {
    lines.flat_map(|line| [&line.text[..], b"\n"].concat()).collect()
}

/// Files of a few short lines; all but the last end in a newline, or not.
fn files() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let line = prop::sample::select(vec!["", "a", "b", "ab", "ba ba", "xyz", "no match here", "a\u{20ac}b"]);
    let file = (prop::collection::vec(line, 1..12), any::<bool>()).prop_map(|(lines, ended)| {
        let mut text = lines.join("\n") + if ended { "\n" } else { "." };
        if text == "." {
            text = "..\n".to_owned();
        }
        text.into_bytes()
    });
    prop::collection::vec(file, 1..5)
}

/// More than the longest line that `files` makes.
const A_LINE: usize = 20;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn older_and_newer_put_together_are_the_files(
        files in files(),
        block in prop_oneof![4..A_LINE, Just(64), Just(1000)],
        portion in 1..7_usize,
    ) {
        let whole = files.concat();
        let mut scene = Scene::new(&files, block);
        let end = scene.end();
        let up = scene.above(end, portion, None);
        prop_assert_eq!(String::from_utf8_lossy(&up), String::from_utf8_lossy(&whole));
        let start = scene.place(SeekTo::Start).cursor;
        let down = scene.below(start, portion, None);
        prop_assert_eq!(String::from_utf8_lossy(&down), String::from_utf8_lossy(&whole));
    }

    #[test]
    fn under_a_filter_they_are_the_lines_that_pass(
        files in files(),
        block in A_LINE..100,
        portion in 1..4_usize,
        grep in prop::sample::select(vec!["a", "^b", "€", "$", "xyz|no"]),
    ) {
        let mut scene = Scene::new(&files, block);
        let filter = filter(grep);
        let all = lines(&files);
        // The last line may still grow, so it is not judged.
        let may_grow = |line: &&Line| line.file + 1 == files.len() && !line.ended;
        let expected = joined(all.iter().filter(|l| filter.shows(&l.text) && !may_grow(l)));
        let (end, start) = (scene.end(), scene.place(SeekTo::Start).cursor);
        let up = scene.above(end, portion, Some(&filter));
        prop_assert_eq!(String::from_utf8_lossy(&up), String::from_utf8_lossy(&expected));
        let down = scene.below(start, portion, Some(&filter));
        prop_assert_eq!(String::from_utf8_lossy(&down), String::from_utf8_lossy(&expected));
    }

    #[test]
    fn a_search_finds_every_line_once_the_nearest_first(
        files in files(),
        block in A_LINE..100,
        grep in prop::sample::select(vec!["a", "^b", "€", "$", "xyz|no", "nothing at all"]),
        percent in 0.0..100.0_f64,
    ) {
        let mut scene = Scene::new(&files, block);
        let filter = filter(grep);
        let expected: Vec<Line> = lines(&files).into_iter().filter(|line| filter.shows(&line.text)).collect();
        let from = scene.place(SeekTo::Percent(percent));
        let mut job = scene.begin(
            Task::Search { filter: Rc::clone(&filter), from: Some(from.cursor.clone()), most: 1000 },
            None,
        );
        let (found, summary) = scene.finish(&mut job);
        let hits: Vec<Hit> = found.into_iter().flat_map(|found| match found {
            Found::Hits(hits) => hits,
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(summary, Summary { count: expected.len() as u64, ..Summary::default() });
        let age = |hit: &Hit| (0..files.len()).find(|&age| name(age) == *hit.file).unwrap();
        let key = |hit: &Hit| (files.len() - 1 - age(hit), hit.byte);
        let mut keys: Vec<_> = hits.iter().map(key).collect();
        let here = ((0..files.len()).find(|&file| name(files.len() - 1 - file) == *from.file).unwrap(), from.byte);
        let (below, above): (Vec<_>, Vec<_>) = keys.iter().copied().partition(|&key| key >= here);
        prop_assert!(below.is_sorted() && above.iter().rev().is_sorted(), "{keys:?} from {here:?}");
        keys.sort_unstable();
        let naive: Vec<_> = expected.iter().map(|line| (line.file, line.byte as u64)).collect();
        prop_assert_eq!(&keys, &naive);
        for hit in &hits {
            let line = expected.iter().find(|line| (line.file, line.byte as u64) == key(hit)).unwrap();
            prop_assert_eq!(hit.text.as_bytes(), &line.text);
            let (found, _) = scene.run(Task::Newer { after: hit.cursor.clone(), lines: 1 }, None);
            let Found::Lines { text, .. } = &found[0] else { panic!("{found:?}") };
            prop_assert!(line.text.starts_with(text.trim_ascii_end()) || text.starts_with(&line.text));
        }
        let progress = job.progress(&scene.follower);
        prop_assert_eq!(progress.map.len(), BUCKETS);
        prop_assert_eq!((progress.map.iter().sum::<u64>(), progress.count), (summary.count, summary.count));
        prop_assert_eq!((progress.done, progress.total), (files.concat().len() as u64, files.concat().len() as u64));
        if let Some(some) = expected.len().checked_sub(1).filter(|&some| some > 0) {
            let (hits, summary) = scene.search(&filter, Some(from.cursor), some);
            prop_assert_eq!((hits.len(), summary.more, summary.count), (some, true, expected.len() as u64));
        }
    }

    #[test]
    fn a_time_leads_to_the_first_line_that_is_not_earlier(
        seconds in prop::collection::vec((0..40_u32, 0..3_usize), 1..60),
        cuts in prop::collection::vec(0..60_usize, 0..3),
        goal in 0..1300_u32,
        untimed in any::<bool>(),
    ) {
        let written = |second: u32| format!("2026-11-25 15:{:02}:{:02}", second / 60 % 60, second % 60);
        let mut all = Vec::new();
        let mut second = 0;
        for (step, more) in seconds {
            second += step;
            all.push(format!("{} {}\n", written(second), "x".repeat(3000)));
            all.extend((0..if untimed { more } else { 0 }).map(|_| format!("    at {}\n", "y".repeat(5000))));
        }
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| cut > 0 && cut < all.len()).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts.push(all.len());
        let (mut files, mut from) = (Vec::new(), 0);
        for cut in cuts {
            files.push(all[from..cut].concat().into_bytes());
            from = cut;
        }
        let goal = written(goal);
        let mut scene = Scene::new(&files, 16 * 1024);
        let place = scene.place(SeekTo::Time(goal.parse().unwrap()));
        let is_it = |line: &&Line| line.text.starts_with(b"2026") && &line.text[..goal.len()] >= goal.as_bytes();
        let all_lines = lines(&files);
        match all_lines.iter().find(is_it) {
            Some(line) => {
                let file = name(files.len() - 1 - line.file);
                prop_assert_eq!((&*place.file, place.byte, place.exact), (file.as_str(), line.byte as u64, true));
            }
            None => prop_assert!(!place.exact),
        }
        // The last time of that name is on the day of the last line that has a time, or on the one before.
        let last = all_lines.iter().rev().find(|line| line.text.starts_with(b"2026")).map(|line| &line.text[..19]);
        let clock = &goal[11..];
        let place = scene.place(SeekTo::time(clock, SystemTime::UNIX_EPOCH).unwrap());
        let Some(last) = last else {
            prop_assert!(!place.exact);
            return Ok(());
        };
        let day = if &last[11..] >= clock.as_bytes() { &last[..10] } else { b"2026-11-24" };
        let goal = [day, b" ", clock.as_bytes()].concat();
        let is_it = |line: &&Line| line.text.starts_with(b"2026") && line.text[..19] >= goal[..];
        let line = all_lines.iter().find(is_it).unwrap();
        let file = name(files.len() - 1 - line.file);
        prop_assert_eq!((&*place.file, place.byte, place.exact), (file.as_str(), line.byte as u64, true));
    }
}

#[test]
fn where_a_file_begins_behind_another_it_is_said() {
    let files = [b"one\ntwo\n".to_vec(), b"three\nfour\n".to_vec()];
    let mut scene = Scene::new(&files, 1000);
    let (end, start) = (scene.end(), scene.place(SeekTo::Start).cursor);
    for task in [Task::Older { before: end, lines: 10 }, Task::Newer { after: start, lines: 10 }] {
        let (mut found, summary) = scene.run(task, None);
        found.sort_by_key(|found| matches!(found, Found::Lines { text, .. } if text.starts_with(b"three")));
        let begins: Vec<_> = found
            .iter()
            .map(|found| match found {
                Found::Lines { begins, .. } => *begins,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(begins, [None, Some(crate::tail::Begins::Rotated)]);
        assert!(!summary.more);
    }
}

#[test]
fn a_place_in_the_middle_of_a_line_has_it_below_and_not_above_under_a_filter() {
    let mut scene = Scene::new(&[b"an ox\nthe fox\nox\n".to_vec()], 1000);
    let id = scene.follower.newest;
    let middle = scene.bench().cursor(id, 10).unwrap();
    let ox = filter("ox");
    assert_eq!(scene.above(middle.clone(), 10, Some(&ox)), b"an ox\n");
    assert_eq!(scene.below(middle.clone(), 10, Some(&ox)), b"the fox\nox\n");
    assert_eq!(scene.above(middle.clone(), 10, None), b"an ox\nthe ");
    assert_eq!(scene.below(middle, 10, None), b"fox\nox\n");
}

#[test]
fn what_is_lost_is_said() {
    let mut scene = Scene::new(&[b"some text\n".to_vec()], 100);
    let mut other = Scene::new(
        &[b"another text that is long enough to be told apart from the other one\n".to_vec()],
        100,
    );
    let elsewhere = other.end();
    let (found, summary) = scene.run(Task::Older { before: elsewhere.clone(), lines: 5 }, None);
    assert!(matches!(found[..], [Found::Gap { bytes: None, .. }]) && !summary.more, "{found:?}");
    let (found, summary) = scene.run(Task::Seek(SeekTo::Cursor(elsewhere.clone())), None);
    assert!(found.is_empty() && summary.lost);
    let search = |from| Task::Search { filter: filter("text"), from: Some(from), most: 10 };
    let (found, summary) = scene.run(search(elsewhere), None);
    assert!(matches!(&found[..], [Found::Hits(hits)] if hits.len() == 1), "from the end: {found:?}");
    assert_eq!(summary, Summary { more: false, count: 1, lost: true });
    let here = scene.end();
    assert!(!scene.run(search(here), None).1.lost);
}

#[test]
fn where_the_place_is_a_files_first_byte_what_lies_before_says_so() {
    let mut scene = Scene::new(&[b"one\ntwo\n".to_vec(), b"three\n".to_vec()], 100);
    let end = scene.end();
    let older = |before: &Cursor| Task::Older { before: before.clone(), lines: 1 };
    let (third, _) = scene.run(older(&end), None);
    let Found::Lines { from, begins, .. } = &third[0] else { panic!("{third:?}") };
    assert_eq!((third.len(), *begins), (1, Some(Begins::Rotated)), "with the text");
    let (second, _) = scene.run(older(from), None);
    let border = Found::Lines {
        from: from.clone(),
        to: from.clone(),
        text: Rc::from(*b""),
        bytes: 0,
        begins: Some(Begins::Rotated),
    };
    assert_eq!((second.len(), &second[0]), (2, &border), "and by itself");
    let Found::Lines { from, text, .. } = &second[1] else { panic!("{second:?}") };
    assert_eq!(&**text, b"two\n");
    let (first, _) = scene.run(older(from), None);
    let Found::Lines { from, begins: None, .. } = &first[0] else {
        panic!("no other file before: {first:?}")
    };
    assert!(scene.run(older(from), None).0.is_empty());
}

#[test]
fn a_line_longer_than_a_block_is_searched_in_parts_and_never_held() {
    let line = [b"needle ".to_vec(), vec![b'x'; 100_000], b" needle".to_vec()].concat();
    let mut scene = Scene::new(&[[&line[..], b"\nshort needle\n"].concat()], 4096);
    let (hits, summary) = scene.search(&filter("needle"), None, 10);
    assert_eq!(summary.count, 3);
    assert!(
        hits.iter().all(|hit| hit.text.len() <= Hit::LONGEST && hit.text.contains("needle") || hit.byte > 13)
    );
}

#[test]
fn a_search_goes_on_while_the_log_grows_is_rotated_and_cut() {
    let old: String = (0..500).map(|i| format!("old needle {i}\n")).collect();
    let mut scene = Scene::new(&[old.into_bytes()], 512);
    let needle = filter("needle");
    let mut job = scene.begin(Task::Search { filter: Rc::clone(&needle), from: None, most: 10_000 }, None);
    let mut hits = Vec::new();
    for turn in 0.. {
        match job.step(&mut scene.bench()) {
            Work::Found(Found::Hits(more)) => hits.extend(more),
            Work::Done(summary) => {
                assert_eq!(summary.count, hits.len() as u64);
                break;
            }
            Work::Again | Work::Later => {}
            other => panic!("{other:?}"),
        }
        let path = scene.folder.path().join("app.log");
        match turn {
            3 => {
                let grown = [fs::read(&path).unwrap(), b"a new needle\n".to_vec()].concat();
                fs::write(&path, grown).unwrap();
            }
            5 => {
                fs::rename(&path, scene.folder.path().join("app.log.1")).unwrap();
                fs::write(&path, "another needle\n").unwrap();
            }
            9 => fs::write(&path, "").unwrap(),
            _ => {}
        }
        scene.follower.look(true, scene.now);
    }
    let old = |hit: &&Hit| hit.text.starts_with("old");
    assert_eq!(hits.iter().filter(old).count(), 500, "all that was there, each once");
    assert!(hits.iter().filter(old).map(|hit| hit.byte).rev().is_sorted());
}

const TEXT: &str = "the first ox\nzwei \u{20ac} ox\nnone\n2026-11-25 15:46:44 ox\n";

type Encode = fn(&str) -> Vec<u8>;

/// The offset of each line of [`TEXT`], in an encoding.
fn offsets(encode: Encode) -> Vec<u64> {
    let ends = TEXT.match_indices('\n').map(|(newline, _)| newline + 1);
    [0].into_iter().chain(ends).map(|at| encode(&TEXT[..at]).len() as u64).collect()
}

#[test]
fn a_log_in_another_encoding_is_searched_as_the_text_that_it_is() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let utf16_be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let latin = |text: &str| text.chars().map(|char| u8::try_from(char).unwrap_or(0x80)).collect::<Vec<u8>>();
    let encodings: [(&str, Encode); 3] =
        [("utf-16le", utf16), ("utf-16be", utf16_be), ("windows-1252", latin)];
    for (label, encode) in encodings {
        let lens = Lens::new(Some(label), &[], Seal::default()).unwrap();
        let mut scene = Scene::through(&[encode(TEXT)], 1000, lens);
        let at = offsets(encode);
        let place = scene.place(SeekTo::Line(4));
        assert_eq!((place.byte, place.line, place.exact), (at[3], Some(4), true), "{label}");
        let time = SeekTo::Time("2026-11-25 15:46:00".parse().unwrap());
        assert_eq!(scene.place(time).byte, at[3], "{label}");
        let (hits, _) = scene.search(&filter("€|^2026.*ox$"), None, 10);
        let found: Vec<_> = hits.iter().map(|hit| (hit.byte, hit.line, hit.text.as_str())).collect();
        let expected = [(at[3], Some(4), "2026-11-25 15:46:44 ox"), (at[1], Some(2), "zwei € ox")];
        assert_eq!(found, expected, "{label}");
        assert_eq!(hits[1].marks, [[5, 6]], "{label}");
        let (end, start) = (scene.end(), scene.place(SeekTo::Start).cursor);
        for portion in [1, 10] {
            let ox = "the first ox\nzwei € ox\n2026-11-25 15:46:44 ox\n".as_bytes();
            assert_eq!(scene.above(end.clone(), portion, Some(&filter("ox"))), ox, "{label}");
            assert_eq!(scene.below(start.clone(), portion, Some(&filter("ox"))), ox, "{label}");
            assert_eq!(scene.above(end.clone(), portion, None), TEXT.as_bytes(), "{label}");
            assert_eq!(scene.below(start.clone(), portion, None), TEXT.as_bytes(), "{label}");
        }
    }
}

#[test]
fn what_is_masked_is_not_found() {
    let lens = Lens::new(None, &["key=[a-z]+".to_owned()], Seal::of(b"test")).unwrap();
    let text = b"one key=abcdef two\nno such thing\nkey=xyz\n".to_vec();
    let mut scene = Scene::through(&[text], 1000, lens);
    for secret in ["abc", "key=x", "xyz", "a.c"] {
        assert_eq!(scene.search(&filter(secret), None, 10).1.count, 0, "{secret}");
    }
    let (hits, _) = scene.search(&filter("█"), None, 10);
    assert_eq!(hits.iter().map(|hit| hit.byte).collect::<Vec<_>>(), [33, 0]);
    assert!(hits[1].text.starts_with("one █") && hits[1].text.ends_with("█ two"), "{}", hits[1].text);
    let end = scene.end();
    let shown = String::from_utf8(scene.above(end, 10, None)).unwrap();
    assert!(shown.contains("no such thing") && !shown.contains("xyz") && !shown.contains("abc"), "{shown}");
    let id = scene.follower.newest;
    let middle = scene.bench().cursor(id, 8).unwrap();
    assert_eq!(scene.above(middle.clone(), 10, None), b"", "half a line may hold half of a secret");
    assert!(String::from_utf8(scene.below(middle, 1, None)).unwrap().starts_with("one █"));
}

mod archived;
mod numbered;
