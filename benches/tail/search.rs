//! Searching a 2 GB file for a literal that is nowhere in it, again and again: how long that takes, beside `grep -c`, and
//! what another viewer notices of it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::crowd::Crowd;
use super::latencies::Latencies;
use super::script::append;
use super::script::{LINE, Script, write_lines};
use super::servers::{From, Kind, Running};
use super::support;
use super::support::v1::Viewer;
use super::table::{Row, Wanted, short};

/// Two billion bytes.
const LINES: usize = 2_000_000_000 / LINE;
/// The other viewer's lines, each second, and for how many seconds.
const RATE: usize = 1000;
const SECONDS: usize = 6;
/// In no line of the file, though its first letter is in many.
const NEEDLE: &str = "line that is nowhere";

pub(crate) fn search(_: Wanted) -> Vec<Row> {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    write_lines(&path, LINES);
    // The first one brings the file into the memory.
    grep(&path);
    let grep = grep(&path);
    let (searches, others) = beside_another(&path);
    let told = format!("{} / {} ms", short(searches.percentile(50.0)), short(searches.longest()));
    let beside = format!(
        "{} / {} / {} ms",
        short(others.percentile(50.0)),
        short(others.percentile(99.0)),
        short(others.longest())
    );
    println!("search  wiretail median / longest: {told}; grep -c: {} ms", short(grep.as_secs_f64() * 1e3));
    println!("search  another viewer meanwhile: {beside}");
    let row = |work: String, goal, reached| Row {
        work,
        goal,
        reached: vec![(Kind::Wiretail, reached)],
        command: "search",
    };
    vec![
        row(
            format!(
                "search of a 2 GB file for a literal: median / longest (`grep -c`: {} ms)",
                short(grep.as_secs_f64() * 1e3)
            ),
            "as fast as grep -c",
            told,
        ),
        row(
            format!("another viewer's wait for a line meanwhile, at {RATE} lines/s: p50 / p99 / longest"),
            "p99 20 ms",
            beside,
        ),
    ]
}

fn grep(path: &Path) -> Duration {
    let begun = Instant::now();
    let status = Command::new("grep").args(["-c", NEEDLE]).arg(path).stdout(Stdio::null()).status();
    assert_eq!(status.expect("grep is there").code(), Some(1), "it finds nothing");
    begun.elapsed()
}

/// Search after search, while another viewer reads another log of the same server.
fn beside_another(big: &Path) -> (Latencies, Latencies) {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    append(&path);
    let script = Script::new(RATE * SECONDS, LINE);
    let named = format!("big={}", big.to_str().expect("a plain path"));
    let mut server = Running::start(Kind::Wiretail, &path, &[&named], From::Beginning);
    server.let_work_without_pause();
    let mut crowd = Crowd::open(&mut server, Kind::Wiretail, 1, &script);
    crowd.count_from(RATE);
    let (address, over) = (server.address(), Arc::new(AtomicBool::new(false)));
    let searcher = std::thread::spawn({
        let over = Arc::clone(&over);
        move || searches(address, &over)
    });
    let writer = script.start_steadily(&path, RATE);
    assert!(crowd.read_all(Duration::from_secs(60)), "the other viewer misses lines");
    writer.join().expect("the log was written");
    over.store(true, Ordering::Relaxed);
    (searcher.join().expect("the searches were answered"), crowd.latencies)
}

fn searches(address: SocketAddr, over: &AtomicBool) -> Latencies {
    let mut viewer = Viewer::connect(address, "/tail/big?lines=0");
    viewer.wait_for("hello", support::SOON);
    let mut times = Latencies::new();
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let answers = viewer.ask(&format!(r#"{{"search":{{"id":1,"grep":["{NEEDLE}"],"literal":true}}}}"#));
        let done = &answers.last().expect("an end").value;
        assert_eq!(done["count"], 0, "{done}");
        times.add(begun.elapsed());
    }
    times
}
