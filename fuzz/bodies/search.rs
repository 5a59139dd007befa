//! Filters and searches against their definition: the log split at its newlines, and each line looked at alone.
//!
//! The first bytes choose the patterns, the rest is the log.

use std::fs;
use std::ops::Range;
use std::rc::Rc;
use std::time::Instant;

use wiretail::tail::beneath::Root;
use wiretail::tail::history::{Found, Job, Place, SeekTo, Task, Work};
use wiretail::tail::pattern::{Filter, FilterSpec};
use wiretail::tail::{Feed, Lens};

use super::choices::Choices;

/// Searches the log that is in `data` for what is asked for in it.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (ignore_case, words, literal) = (choices.flag(), choices.flag(), choices.flag());
    let grep = vec![pattern(&mut choices)];
    let not = if choices.flag() { vec![pattern(&mut choices)] } else { Vec::new() };
    let log = choices.rest();
    let spec = FilterSpec { grep, not, ignore_case, words, literal };
    let Ok(filter) = Filter::new(&spec) else { return };
    let lines = lines(log);
    if literal && !ignore_case && !words {
        for (_, line) in &lines {
            assert_eq!(filter.shows(line), naive(&spec, line), "{spec:?} of {}", line.escape_ascii());
        }
    }
    let expected: Vec<usize> =
        lines.iter().filter(|(_, line)| filter.shows(line)).map(|(start, _)| *start).collect();
    let shown: Vec<usize> = filter.shown_in(log).map(|line| line.start).collect();
    assert_eq!(shown, expected, "{spec:?} in a block of {}", log.escape_ascii());
    // A byte-order mark is no part of what a file's first line says.
    let text = log.strip_prefix("\u{feff}".as_bytes()).unwrap_or(log);
    let mark = log.len() - text.len();
    let place = |line: Range<usize>| if line.start == 0 { 0 } else { line.start + mark };
    let in_file: Vec<usize> = filter.shown_in(text).map(place).collect();
    assert_eq!(searched(log, filter), in_file, "{spec:?} in a file of {}", log.escape_ascii());
}

/// Up to fifteen bytes, as far as they are text.
fn pattern(choices: &mut Choices<'_>) -> String {
    let len = choices.below(16);
    String::from_utf8_lossy(choices.bytes(len)).into_owned()
}

/// Where each line begins, and what it says; without its newline.
fn lines(log: &[u8]) -> Vec<(usize, &[u8])> {
    let mut next = 0;
    let whole = log.split_inclusive(|&byte| byte == b'\n').map(|line| {
        let start = next;
        next += line.len();
        (start, line)
    });
    whole.map(|(start, line)| (start, line.strip_suffix(b"\n").unwrap_or(line))).collect()
}

/// Every position tried. A carriage return before the newline belongs to the end of the line.
fn naive(spec: &FilterSpec, line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let has =
        |text: &String| text.is_empty() || line.windows(text.len()).any(|window| window == text.as_bytes());
    spec.grep.iter().all(has) && !spec.not.iter().any(has)
}

/// Where the lines begin that a search finds, and what a jump to a time finds is the beginning of a line.
fn searched(log: &[u8], filter: Filter) -> Vec<usize> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("app.log"), log).expect("room on the disk");
    let root = Rc::new(Root::open(folder.path()).expect("the folder"));
    let now = Instant::now();
    let mut feed: Feed<()> = Feed::open(root, "app.log".into(), Rc::new(Lens::default()), now);
    let mut found = Vec::new();
    let goal = "2026-11-25T15:46:44".parse().expect("a time");
    let tasks =
        [Task::Search { filter: Rc::new(filter), from: None, most: 10_000 }, Task::Seek(SeekTo::Time(goal))];
    for task in tasks {
        let mut job = Job::new(task, None);
        loop {
            match feed.work(&mut job, now) {
                Work::Found(Found::Hits(hits)) => found.extend(hits.iter().map(|hit| hit.byte as usize)),
                Work::Found(Found::Place(Place { byte, exact, .. })) => {
                    let at = byte as usize;
                    assert!(!exact || at == 0 || log[at - 1] == b'\n', "{at} in {}", log.escape_ascii());
                }
                Work::Done(_) => break,
                Work::Again => {}
                other => panic!("{other:?}"),
            }
        }
    }
    found.sort_unstable();
    found
}
