//! Searching a file of 2 GB in the page cache: every line that matches counted, beside `grep -c` on the same file.
//!
//! ```text
//! cargo bench --bench search              2 GB; or less, in MB: cargo bench --bench search -- 500
//! ```
//!
//! Both are measured in CPU time, as everything is in memory and the machine may have other things to do; each figure is
//! the middle one of five runs, ours and grep's in turn. Besides, the wall clock: until the first hit, and the longest
//! that one step kept a caller's loop.
#![cfg(feature = "tool")]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use wiretail::tail::beneath::Root;
use wiretail::tail::demo::chatter::Chatter;
use wiretail::tail::history::{Found, Job, Task, Work};
use wiretail::tail::pattern::{Filter, FilterSpec};
use wiretail::tail::{Feed, Lens};

#[path = "common/spread.rs"]
mod spread;

use spread::Spread;

const RUNS: usize = 5;

/// What is looked for: its name, how grep is told, and what it is.
type Case = (&'static str, &'static [&'static str], fn() -> FilterSpec);

const CASES: [Case; 7] = [
    ("a literal, one line", &["-F", "the needle"], || literal("the needle")),
    ("a literal, none", &["-F", "there is no such line"], || literal("there is no such line")),
    ("a literal, 1 line in 20 or so", &["-F", "ERROR"], || literal("ERROR")),
    ("whatever the case", &["-F", "-i", "the NEEDLE"], || FilterSpec {
        ignore_case: true,
        ..literal("the NEEDLE")
    }),
    ("a whole word", &["-F", "-w", "needle"], || FilterSpec { words: true, ..literal("needle") }),
    ("an expression", &["-E", "need[a-z]+ [0-9]{3}"], || expression("need[a-z]+ [0-9]{3}")),
    ("all other lines", &["-F", "-v", "INFO"], || FilterSpec {
        not: vec!["INFO".to_owned()],
        literal: true,
        ..FilterSpec::default()
    }),
];

fn literal(text: &str) -> FilterSpec {
    FilterSpec { literal: true, ..expression(text) }
}

fn expression(pattern: &str) -> FilterSpec {
    FilterSpec { grep: vec![pattern.to_owned()], ..FilterSpec::default() }
}

fn main() {
    let megabytes = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(2000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("app.log");
    let size = write_log(&path, megabytes * 1_000_000);
    println!("{size} bytes; GB/s of CPU time: the middle of {RUNS} runs (the least..the most)");
    println!(
        "{:<30} {:>9} {:>22} {:>22} {:>22} {:>10} {:>10}",
        "", "lines", "wiretail", "grep, C", "grep, C.UTF-8", "first hit", "worst step"
    );
    for (name, args, spec) in CASES {
        let mut ours = Vec::new();
        let (mut plain, mut utf8) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            ours.push(search(folder.path(), &spec()));
            plain.push(grep(args, &path, "C"));
            utf8.push(grep(args, &path, "C.UTF-8"));
        }
        let count = ours[0].count;
        assert!(plain.iter().chain(&utf8).all(|(found, _)| *found == count), "{name}: grep finds as many");
        let speed = |times: Vec<Duration>| {
            Spread::of(times.iter().map(|time| size as f64 / 1e9 / time.as_secs_f64()))
        };
        let theirs = |runs: Vec<(u64, Duration)>| speed(runs.into_iter().map(|(_, time)| time).collect());
        let first = ours.iter().filter_map(|run| run.first).max();
        let worst = ours.iter().map(|run| run.worst).min().unwrap_or_default();
        println!(
            "{name:<30} {count:>9} {:>22} {:>22} {:>22} {:>10} {:>10}",
            speed(ours.iter().map(|run| run.cpu).collect()),
            theirs(plain),
            theirs(utf8),
            first.map_or("-".to_owned(), |first| format!("{first:.1?}")),
            format!("{worst:.1?}"),
        );
    }
}

/// So many bytes of a log of all kinds of lines, a needle in the middle of it. The same fifty megabytes again and again:
/// that is more than any cache of a processor.
fn write_log(path: &Path, size: u64) -> u64 {
    let mut chatter = Chatter::new(1);
    let mut part = Vec::new();
    while part.len() < 50_000_000 {
        let line = chatter.next_line(SystemTime::now());
        part.extend_from_slice(line.trim_end().as_bytes());
        part.push(b'\n');
    }
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let parts = (size / part.len() as u64).max(1);
    for number in 0..parts {
        file.write_all(&part).expect("room on the disk");
        if number == parts / 2 {
            file.write_all(b"2026-11-25T12:00:00Z INFO here is the needle 123\n").expect("room on the disk");
        }
    }
    file.flush().expect("room on the disk");
    // Into the page cache, if it is not there anyway.
    drop(fs::read(path));
    fs::metadata(path).expect("the file").len()
}

struct Run {
    count: u64,
    cpu: Duration,
    /// The wall clock until there was something to show.
    first: Option<Duration>,
    /// The longest step, by the wall clock.
    worst: Duration,
}

/// From the end of the log, as a viewer would who follows it.
fn search(folder: &Path, spec: &FilterSpec) -> Run {
    let root = Rc::new(Root::open(folder).expect("the folder"));
    let mut feed: Feed<()> = Feed::open(root, "app.log".into(), Rc::new(Lens::default()), Instant::now());
    let filter = Rc::new(Filter::new(spec).expect("a pattern"));
    let (start, cpu) = (Instant::now(), own_cpu());
    let mut job = Job::new(Task::Search { filter, from: None, most: 1000 }, None);
    let (mut first, mut worst) = (None, Duration::ZERO);
    loop {
        let before = Instant::now();
        let work = feed.work(&mut job, before);
        worst = worst.max(before.elapsed());
        match work {
            Work::Found(Found::Hits(_)) => first = first.or_else(|| Some(start.elapsed())),
            Work::Done(summary) => return Run { count: summary.count, cpu: own_cpu() - cpu, first, worst },
            Work::Again => {}
            other => panic!("{other:?}"),
        }
    }
}

/// How many lines grep counts, and what that took.
fn grep(args: &[&str], path: &Path, locale: &str) -> (u64, Duration) {
    let before = childrens_cpu();
    let output = Command::new("grep").arg("-c").args(args).arg(path).env("LC_ALL", locale).output();
    let output = output.expect("grep is installed");
    let count = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number of lines");
    (count, childrens_cpu() - before)
}

/// CPU time of this thread: the scheduler's own count.
fn own_cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("a number"))
}

/// CPU time of all children that have ended: `cutime` and `cstime` of `proc_pid_stat(5)`, in hundredths of a second.
fn childrens_cpu() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = text.rsplit_once(')').expect("the name stands in brackets");
    let ticks: u64 =
        fields.split_whitespace().skip(13).take(2).map(|field| field.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}
