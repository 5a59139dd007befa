//! What viewers cost who only wait.

use std::time::Duration;

use super::crowd::Crowd;
use super::script::{LINE, Script, write_lines};
use super::servers::{From, Kind, Running};
use super::support;
use super::table::{Figures, Row, Wanted, megabytes, short, spread};

/// A log that has just been opened is still looked at more often.
const SETTLE: Duration = Duration::from_secs(4);
const MEASURE: Duration = Duration::from_secs(8);

/// As many as there may be by default, less some.
const MANY: usize = 9_000;

pub(crate) fn idle(wanted: Wanted) -> Vec<Row> {
    let once = Wanted { rounds: 1, ..wanted };
    let measured = once.rounds(&once.kinds(), |kind| measure(kind, 100));
    let told = |figures: &Figures<3>| {
        let [percent, memory] = [0, 1].map(|which| short(spread(figures, which).median));
        format!("{percent} %, {memory} MB")
    };
    let reached: Vec<_> = measured.iter().map(|(kind, figures)| (*kind, told(figures))).collect();
    for (kind, figures) in &reached {
        println!("idle 100 viewers of a quiet file, {}: {figures}", kind.name());
    }
    let [percent, _, each] = measure(Kind::Wiretail, MANY);
    let many = format!("{} bytes each, {} %", short(each), short(percent));
    println!("idle {MANY} viewers: {many}");
    vec![
        Row {
            work: "idle, 100 viewers of a quiet file: CPU, memory".to_owned(),
            goal: "0.1 %, 8 MB",
            reached,
            command: "idle",
        },
        Row {
            work: format!("idle, {MANY} viewers: memory of the process for each, CPU"),
            goal: "",
            reached: vec![(Kind::Wiretail, many)],
            command: "idle",
        },
    ]
}

/// CPU in per cent of a core; memory in MB; bytes for each viewer but the first.
fn measure(kind: Kind, viewers: usize) -> [f64; 3] {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    write_lines(&path, 10);
    let script = Script::new(10, LINE);
    let mut server = Running::start(kind, &path, &["--max-connections", "12000"], From::Beginning);
    let mut first = Crowd::open(&mut server, kind, 1, &script);
    assert!(first.read_all(support::SOON));
    let before = server.memory();
    let mut crowd = Crowd::open(&mut server, kind, viewers - 1, &script);
    assert!(crowd.read_all(support::SOON));
    std::thread::sleep(SETTLE);
    let cpu = server.cpu_time();
    std::thread::sleep(MEASURE);
    let (cpu, memory) = (server.cpu_time() - cpu, server.memory());
    [
        cpu.as_secs_f64() / MEASURE.as_secs_f64() * 100.0,
        megabytes(memory),
        memory.saturating_sub(before) as f64 / (viewers - 1) as f64,
    ]
}
