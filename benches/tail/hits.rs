//! All of a 2 GB file searched for a literal, beside GNU `grep -c` on the same CPU: when the first line is found, when all
//! are, and how long another viewer waits for its lines meanwhile.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::crowd::Crowd;
use super::priority::{confined, put_this_thread_first};
use super::script::{self, LINE, Script, append};
use super::servers::{From, Kind, Running};
use super::spread::Spread;
use super::support::{self, v1};
use super::table::{Row, Wanted, short, short_spread};

/// Two billion bytes, and how often what is looked for is in them.
const LINES: usize = 2_000_000_000 / LINE;
const FOUND_EVERY: usize = 100_000;
const LITERAL: &str = "the disk is full";
/// The other viewer's lines, each second.
const RATE: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(60);

/// What one search took, in milliseconds.
struct Searched {
    first: f64,
    all: f64,
    /// The others' p99.
    others: f64,
    grep: f64,
}

pub(crate) fn hits(wanted: Wanted) -> Vec<Row> {
    let folder = support::temp_dir();
    let path = folder.path().join("big.log");
    let lines = write_haystack(&path);
    // Once, so that the file is in memory.
    grep(&path, lines);
    let rounds: Vec<Searched> = (0..wanted.rounds).map(|_| measure(&path, lines)).collect();
    let of = |figure: fn(&Searched) -> f64| Spread::of(rounds.iter().map(figure));
    let [first, all, grep] = [of(|round| round.first), of(|round| round.all), of(|round| round.grep)];
    let ratio = of(|round| round.all / round.grep);
    let others = of(|round| round.others);
    println!(
        "hits first {} ms, all {} ms, grep -c {} ms, ratio {}; others' p99 {} ms",
        short_spread(first),
        short_spread(all),
        short_spread(grep),
        short_spread(ratio),
        short_spread(others)
    );
    let told = format!(
        "{} ms / {} ms ({} x grep's {}) / {} ms",
        short(first.median),
        short(all.median),
        short(ratio.median),
        short(grep.median),
        short(others.median)
    );
    vec![Row {
        work: "a literal in 2 GB: the first line / all lines / others' p99 meanwhile".to_owned(),
        goal: "50 ms / as fast as `grep -c` / 20 ms",
        reached: vec![(Kind::Wiretail, told)],
        command: "hits",
    }]
}

/// Writes the file; returns how many of its lines have the literal.
fn write_haystack(path: &Path) -> usize {
    let mut file = std::io::BufWriter::with_capacity(1 << 16, append(path));
    let mut found = 0;
    for number in 0..LINES {
        let mut line = script::line(number, LINE);
        if number % FOUND_EVERY == FOUND_EVERY / 2 {
            line[40..40 + LITERAL.len()].copy_from_slice(LITERAL.as_bytes());
            found += 1;
        }
        file.write_all(&line).expect("a log can be written");
    }
    file.flush().expect("a log can be written");
    found
}

/// How long `grep -c` takes, in milliseconds.
fn grep(path: &Path, lines: usize) -> f64 {
    let start = Instant::now();
    let mut grep = Command::new("grep");
    grep.env("LC_ALL", "C").args(["-c", "-F", LITERAL]).arg(path);
    let output = confined(&grep).output().expect("grep can be run");
    let took = start.elapsed();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), lines.to_string());
    took.as_secs_f64() * 1e3
}

/// A fresh server searches the file, while another viewer reads another log.
fn measure(big: &Path, lines: usize) -> Searched {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    append(&path);
    let script = Script::new(RATE * 3, LINE);
    let named = format!("big={}", big.to_str().expect("a plain path"));
    let mut server = Running::start(Kind::Wiretail, &path, &[&named], From::Beginning);
    let mut crowd = Crowd::open(&mut server, Kind::Wiretail, 1, &script);
    crowd.count_from(RATE / 2);
    let writer = script.start_steadily(&path, RATE);
    let address = server.address();
    let searching = std::thread::spawn(move || {
        put_this_thread_first();
        std::thread::sleep(Duration::from_millis(500));
        let mut viewer = v1::Viewer::connect(address, "/tail/big?lines=0");
        let start = Instant::now();
        viewer.raw.send_text(&format!(
            r#"{{"search":{{"id":1,"grep":["{LITERAL}"],"not":[],"ignore_case":false,"words":false,"literal":true,"most":1000}}}}"#
        ));
        viewer.wait_for("hits", PATIENCE);
        let first = start.elapsed();
        let done = viewer.wait_for("done", PATIENCE);
        assert_eq!(done.value["count"], lines, "{:?}", done.value);
        (first.as_secs_f64() * 1e3, start.elapsed().as_secs_f64() * 1e3)
    });
    assert!(crowd.read_all(PATIENCE), "the other viewer misses lines");
    writer.join().expect("the log was written");
    let (first, all) = searching.join().expect("the search ends");
    drop(server);
    Searched { first, all, others: crowd.latencies.percentile(99.0), grep: grep(big, lines) }
}
