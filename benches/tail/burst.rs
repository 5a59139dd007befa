//! A burst, as fast as the file takes it: how fast it reaches all viewers, and how much memory that takes.

use std::time::{Duration, Instant};

use super::crowd::Crowd;
use super::script::append;
use super::script::{LINE, Script};
use super::servers::{From, Kind, Running};
use super::support;
use super::table::{Row, Wanted, megabytes, short, short_spread, spread};

/// The longest that one may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tenth of each burst for those who deliver 20 MB a second: their rate is the same.
const SLOW: usize = 10;

pub(crate) fn burst(wanted: Wanted) -> Vec<Row> {
    let goals = [(100_000_000, 10, "1,500 MB/s, + 32 MB"), (10_000_000, 100, "2,000 MB/s")];
    goals.into_iter().map(|(bytes, viewers, goal)| row(wanted, bytes, viewers, goal)).collect()
}

fn row(wanted: Wanted, bytes: usize, viewers: usize, goal: &'static str) -> Row {
    let work = format!("a burst of {} MB to {viewers} viewers: delivered, memory", bytes / 1_000_000);
    let measured = wanted.rounds(&wanted.kinds(), |kind| measure(kind, bytes, viewers));
    let mut reached = Vec::new();
    for (kind, figures) in measured {
        let [rate, grown, cpu] = [0, 1, 2].map(|which| spread(&figures, which));
        println!(
            "burst {} MB x {viewers:<4} {:<11} MB/s {}  grown by MB {}  CPU ns/line {}",
            bytes / 1_000_000,
            kind.name(),
            short_spread(rate),
            short_spread(grown),
            short_spread(cpu)
        );
        reached.push((kind, format!("{} MB/s, + {} MB", short(rate.median), short(grown.most))));
    }
    Row { work, goal, reached, command: "burst" }
}

/// MB per second to all together; by how many MB the server grew; its CPU time for each delivered line, in nanoseconds.
fn measure(kind: Kind, bytes: usize, viewers: usize) -> [f64; 3] {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    append(&path);
    let bytes = if kind == Kind::Websocketd { bytes / SLOW } else { bytes };
    let script = Script::new(bytes / LINE, LINE);
    let mut server = Running::start(kind, &path, &[], From::Beginning);
    let mut crowd = Crowd::open(&mut server, kind, viewers, &script);
    let (memory, cpu) = (server.memory(), server.cpu_time());
    let start = Instant::now();
    let writer = std::thread::spawn({
        let script = std::sync::Arc::clone(&script);
        move || script.write_at_once(&path)
    });
    assert!(crowd.read_all(PATIENCE), "{} of the burst is missing", 1.0 - crowd.share());
    let took = start.elapsed();
    writer.join().expect("the log was written");
    let delivered = (script.text().len() * viewers) as f64;
    let cpu = server.cpu_time() - cpu;
    [
        delivered / 1e6 / took.as_secs_f64(),
        megabytes(server.peak_memory().saturating_sub(memory)),
        cpu.as_nanos() as f64 / (delivered / LINE as f64),
    ]
}
