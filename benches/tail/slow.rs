//! Three of ten viewers stop reading while 10 MB are written each second, for ten seconds; then they read on. What that
//! costs the others, and what it costs them.

use std::time::{Duration, Instant};

use super::crowd::Crowd;
use super::script::Script;
use super::script::append;
use super::servers::{From, Kind, Running};
use super::support;
use super::table::{Row, Wanted, megabytes, short, spread};

const VIEWERS: usize = 10;
const STOPPED: usize = 3;
/// Lines of 1,000 bytes, so many a second.
const RATE: usize = 10_000;
const SECONDS: usize = 10;
/// Until all have all, after that.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn slow(wanted: Wanted) -> Vec<Row> {
    let once = Wanted { rounds: wanted.rounds.min(2), ..wanted };
    let measured = once.rounds(&once.kinds(), measure);
    let mut reached = Vec::new();
    for (kind, figures) in measured {
        let [p99, longest, grown, behind] = [0, 1, 2, 3].map(|which| spread(&figures, which));
        println!(
            "slow {:<11} others' p99 {} ms, longest {} ms; grown by {} MB; the slow ones had all after {} s more",
            kind.name(),
            short(p99.median),
            short(longest.most),
            short(grown.most),
            short(behind.median)
        );
        reached.push((kind, format!("{} ms, + {} MB, 0 lost", short(longest.most), short(grown.most))));
    }
    vec![Row {
        work: "3 of 10 viewers stop reading at 10 MB/s: the others' longest wait, memory, lines lost"
            .to_owned(),
        goal: "20 ms, + 8.4 MB, 0 lost",
        reached,
        command: "slow",
    }]
}

/// The others' p99 and longest wait in ms; by how many MB the server grew; seconds until the slow ones had all.
fn measure(kind: Kind) -> [f64; 4] {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    append(&path);
    let script = Script::new(RATE * SECONDS, 1000);
    let mut server = Running::start(kind, &path, &[], From::Beginning);
    let mut crowd = Crowd::open(&mut server, kind, VIEWERS, &script);
    let memory = server.memory();
    crowd.count_from(0);
    crowd.stop(STOPPED);
    let writer = script.start_steadily(&path, RATE);
    assert!(
        crowd.read_all(Duration::from_secs(SECONDS as u64) + PATIENCE),
        "those who read have not got all"
    );
    let (p99, longest) = (crowd.latencies.percentile(99.0), crowd.latencies.longest());
    let resumed = Instant::now();
    crowd.count_from(usize::MAX);
    crowd.stop(0);
    assert!(crowd.read_all(PATIENCE), "the slow ones have not got all");
    writer.join().expect("the log was written");
    let grown = megabytes(server.peak_memory().saturating_sub(memory));
    [p99, longest, grown, resumed.elapsed().as_secs_f64()]
}
