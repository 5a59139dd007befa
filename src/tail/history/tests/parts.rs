//! What a step looks through: little if the patterns are costly, but never half a line; and no byte-order mark.

use super::super::job::STEP;
use super::*;

/// So many places that no table of states will do.
const COSTLY: &str = r"^\d+ (?:[ab]*a[ab]{60}|.*)(?:[ab].{60})? ox$";

const LONG_LINE: usize = 5000;

/// Short lines, and some that are longer than a part.
fn file(from: usize) -> Vec<u8> {
    let line = |number: usize| match number % 40 {
        0 => format!("{number} {} ox\n", "ab".repeat(LONG_LINE / 2 - 10)),
        n if n % 3 == 0 => format!("{number} and an ox\n"),
        _ => format!("{number} and some other animal\n"),
    };
    (from..from + 300).map(line).collect::<String>().into_bytes()
}

#[test]
fn with_costly_patterns_a_step_is_small_and_still_no_line_is_cut() {
    let files = [file(0), file(300)];
    let costly = filter(COSTLY);
    let part = costly.part().unwrap();
    assert!(part < LONG_LINE && filter("an ox").part().is_none());
    let all = lines(&files);
    let expected: Vec<&Line> = all.iter().filter(|line| costly.shows(&line.text)).collect();
    assert!(expected.len() > 200);

    let mut scene = Scene::new(&files, STEP);
    let mut job = scene.begin(Task::Search { filter: Rc::clone(&costly), from: None, most: 1000 }, None);
    let (mut places, mut seen) = (Vec::new(), 0);
    let summary = loop {
        let work = job.step(&mut scene.bench());
        let done = job.progress(&scene.follower).done;
        // A longer line comes whole, and with it perhaps some more.
        assert!(done - seen <= 2 * LONG_LINE as u64, "{} bytes at a time", done - seen);
        seen = done;
        match work {
            Work::Found(Found::Hits(hits)) => {
                places.extend(hits.iter().map(|hit| (hit.file.len(), hit.byte)));
            }
            Work::Done(summary) => break summary,
            Work::Again => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(summary.count, expected.len() as u64);
    assert_eq!(seen, files.concat().len() as u64);
    let naive = expected.iter().rev().map(|line| (name(1 - line.file).len(), line.byte as u64));
    assert_eq!(places, naive.collect::<Vec<_>>());

    let text = joined(expected.into_iter());
    let (end, start) = (scene.end(), scene.place(SeekTo::Start).cursor);
    assert!(scene.above(end, 50, Some(&costly)) == text);
    assert!(scene.below(start, 50, Some(&costly)) == text);
}

#[test]
fn a_byte_order_mark_is_no_part_of_what_the_first_line_says() {
    for rest in ["first\nsecond\nfirst\n", "first", "first\r\n"] {
        let file = format!("\u{feff}{rest}").into_bytes();
        let mut scene = Scene::new(&[file.clone(), file], 100);
        let (hits, _) = scene.search(&filter("^f"), None, 10);
        let found: Vec<_> = hits.iter().filter(|hit| hit.byte == 0).map(|hit| hit.text.as_str()).collect();
        assert_eq!(found, ["first"; 2], "{rest:?}");
        let second = rest.find("\nfirst").map(|at| 3 + at as u64 + 1);
        assert_eq!(hits.iter().find(|hit| hit.byte > 0).map(|hit| hit.byte), second, "{rest:?}");
        let (hits, _) = scene.search(&filter("\u{feff}"), None, 10);
        assert!(hits.is_empty(), "nobody sees it");
    }
    let mut scene = Scene::new(&["\u{feff}\nx\n".into(), "\u{feff}".into()], 100);
    let (hits, summary) = scene.search(&filter("^$"), None, 10);
    assert_eq!((hits[0].byte, summary.count), (0, 1), "a mark alone is no line");
}

#[test]
fn where_every_line_is_a_hit_few_are_told_at_once_and_each_once() {
    let line = |number: usize| format!("{number:05}\n");
    let files = [0, 40_000].map(|from| (from..from + 40_000).map(line).collect::<String>().into_bytes());
    let all = lines(&files);
    for share in [0.0, 37.5, 100.0] {
        let mut scene = Scene::new(&files, STEP);
        let from = scene.place(SeekTo::Percent(share)).cursor;
        let task = Task::Search { filter: filter("^"), from: Some(from), most: 10_000 };
        let (found, summary) = scene.run(task, None);
        let hits = |found: &Found| match found {
            Found::Hits(hits) => hits.clone(),
            other => panic!("{other:?}"),
        };
        assert!(found.iter().all(|found| hits(found).len() <= 1024), "4 KiB have no more lines than that");
        assert_eq!((summary.count, summary.more), (80_000, true));
        let told: Vec<usize> = found.iter().flat_map(hits).map(|hit| hit.text.parse().unwrap()).collect();
        let once: std::collections::BTreeSet<usize> = told.iter().copied().collect();
        assert_eq!((told.len(), once.len()), (10_000, 10_000));
        assert_eq!(once.last().unwrap() - once.first().unwrap(), 9_999, "those around the place");
        let progress = scene.search(&filter("^07777$"), None, 10).0;
        assert_eq!(progress[0].byte, all[7777].byte as u64);
    }
}
