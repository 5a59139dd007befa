//! Lines at a steady rate, each with its own `write`: how long until every viewer has it, and what that costs the server.

use std::time::{Duration, Instant};

use super::crowd::Crowd;
use super::script::append;
use super::script::{LINE, Script};
use super::servers::{From, Kind, Running};
use super::support;
use super::table::{Figures, Row, Wanted, megabytes, short, short_spread, spread};

/// Before anything is counted: a log that was quiet is looked at four times a second at first.
const WARM_UP: Duration = Duration::from_secs(1);
/// What is counted.
const MEASURE: Duration = Duration::from_secs(4);
/// How long what is on its way may take after the last line was written.
const PATIENCE: Duration = Duration::from_secs(8);

/// So many viewers of so many lines a second.
struct Load {
    viewers: usize,
    rate: usize,
    goal: &'static str,
    /// Others can do it as well.
    peers: bool,
    /// How it is chosen on the command line.
    command: &'static str,
}

const ONE: Load = Load { viewers: 1, rate: 100, goal: "0.10 / 0.25 ms", peers: true, command: "1x100" };
const HUNDRED: Load =
    Load { viewers: 100, rate: 10_000, goal: "p99 15 ms, under 25 %", peers: true, command: "100x10000" };
const THOUSAND: Load =
    Load { viewers: 1000, rate: 1_000, goal: "p99 25 ms, under 30 %", peers: false, command: "1000x1000" };
const MANY: Load =
    Load { viewers: 1000, rate: 10_000, goal: "sustained, p99 100 ms", peers: false, command: "1000x10000" };
const TICK: Load = Load { goal: "within one tick", peers: false, command: "tick", ..ONE };

/// p50, p99 and longest in ms; CPU in per cent of a core; memory in MB; what share of all lines arrived.
type Steady = [f64; 6];

/// One viewer, a quiet log.
pub(crate) fn one(wanted: Wanted) -> Vec<Row> {
    vec![row(wanted, &ONE, &[])]
}

/// The same with the tick alone, as on file systems that tell of no changes.
pub(crate) fn tick(wanted: Wanted) -> Vec<Row> {
    vec![row(wanted, &TICK, &["--no-inotify"])]
}

/// A busy log.
pub(crate) fn hundred(wanted: Wanted) -> Vec<Row> {
    vec![row(wanted, &HUNDRED, &[])]
}

/// A log that everybody watches.
pub(crate) fn thousand(wanted: Wanted) -> Vec<Row> {
    vec![row(wanted, &THOUSAND, &[])]
}

/// Both.
pub(crate) fn many(wanted: Wanted) -> Vec<Row> {
    vec![row(wanted, &MANY, &[])]
}

/// `args` are more of wiretail's.
fn row(wanted: Wanted, load: &Load, args: &[&str]) -> Row {
    let kinds = if load.peers { wanted.kinds() } else { vec![Kind::Wiretail] };
    let measured = wanted.rounds(&kinds, |kind| measure(load, kind, args));
    for (kind, figures) in &measured {
        print(load.command, *kind, figures);
    }
    let without = if args.is_empty() { "" } else { ", without inotify" };
    Row {
        work: format!(
            "{} x {} lines/s{without}: p50 / p99 / longest, CPU, memory",
            if load.viewers == 1 { "1 viewer".to_owned() } else { format!("{} viewers", load.viewers) },
            load.rate
        ),
        goal: load.goal,
        reached: measured.iter().map(|(kind, figures)| (*kind, told(figures))).collect(),
        command: load.command,
    }
}

fn measure(load: &Load, kind: Kind, args: &[&str]) -> Steady {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    append(&path);
    let lines = (WARM_UP + MEASURE).as_secs() as usize * load.rate;
    let script = Script::new(lines, LINE);
    let mut server = Running::start(kind, &path, args, From::Beginning);
    let mut crowd = Crowd::open(&mut server, kind, load.viewers, &script);
    crowd.count_from(WARM_UP.as_secs() as usize * load.rate);
    let writer = script.start_steadily(&path, load.rate);
    let begin = Instant::now();
    while begin.elapsed() < WARM_UP {
        crowd.read(Duration::from_millis(10));
    }
    let (cpu, counted) = (server.cpu_time(), Instant::now());
    crowd.read_all(MEASURE + PATIENCE);
    let (cpu, counted) = (server.cpu_time() - cpu, counted.elapsed());
    let memory = server.memory();
    writer.join().expect("the log was written");
    [
        crowd.latencies.percentile(50.0),
        crowd.latencies.percentile(99.0),
        crowd.latencies.longest(),
        cpu.as_secs_f64() / counted.as_secs_f64() * 100.0,
        megabytes(memory),
        crowd.share(),
    ]
}

fn told(figures: &Figures<6>) -> String {
    let middle = |which| short(spread(figures, which).median);
    let arrived = spread(figures, 5).least;
    let missing = if arrived < 1.0 {
        format!(", {} % not there 8 s later", short(100.0 * (1.0 - arrived)))
    } else {
        String::new()
    };
    let [p50, p99, longest, cpu, memory] = std::array::from_fn(middle);
    format!("{p50} / {p99} / {longest} ms, {cpu} %, {memory} MB{missing}")
}

fn print(load: &str, kind: Kind, figures: &Figures<6>) {
    let names = ["p50", "p99", "longest", "CPU %", "MB", "share"];
    let words: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(i, name)| format!("{name} {}", short_spread(spread(figures, i))))
        .collect();
    println!("{load:<10} {:<11} {}", kind.name(), words.join("  "));
}
