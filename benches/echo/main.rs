//! The speed of the WebSocket layer: `/ws/echo` against other echo servers, driven by the same load.
//!
//! ```text
//! cargo bench --bench echo                         all cases, against the machine's limit: a raw TCP echo
//! cargo bench --bench echo -- --peers              ... and against other libraries; builds benches/peers first
//! cargo bench --bench echo -- 100x20 16x1024w16    some cases: connections x bytes, w: messages in flight
//! cargo bench --bench echo -- handshakes           connections opened and closed
//! cargo bench --bench echo -- idle                 memory of an idle connection
//! cargo bench --bench echo -- calls                system calls per message (needs strace)
//!     --rounds N                                   how often each case is measured; 6 if nothing is said
//!     --only NAME                                  no other server but ours and this one; may be repeated
//!     --server NAME=HOST:PORT/PATH@PID             one more, that is running already; may be repeated
//! ```
//!
//! The servers have one CPU to themselves and the load has another. A case is measured in rounds; in each, every server
//! has 0.2 s to warm up and 0.7 s that count, and the order of the servers is turned round each time. As a machine's speed
//! changes from one second to the next, servers are compared within a round, and what is told of a comparison is the
//! median of all rounds, the least and the greatest. CPU time is the scheduler's count, in nanoseconds.
#![cfg(feature = "tool")]

mod load;
#[path = "../common/machine.rs"]
mod machine;
mod raw;
mod report;
mod servers;
#[path = "../common/spread.rs"]
mod spread;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use load::{Case, Load, Payload, Place, Protocol};
use report::{Cell, Column};
use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process};
use servers::{Candidate, Kind, Running};

/// The argument that makes this program the raw TCP echo.
const SERVE_RAW: &str = "serve-raw";

const WARM_UP: Duration = Duration::from_millis(200);
const MEASURE: Duration = Duration::from_millis(700);

const CASES: [Case; 14] = [
    case("10x20", 10, 20, 1),
    case("100x20", 100, 20, 1),
    case("200x20", 200, 20, 1),
    case("10x1024", 10, 1024, 1),
    case("100x1024", 100, 1024, 1),
    case("200x1024", 200, 1024, 1),
    case("10x16384", 10, 16384, 1),
    case("200x16384", 200, 16384, 1),
    case("500x16384", 500, 16384, 1),
    case("16x20w16", 16, 20, 16),
    case("16x1024w16", 16, 1024, 16),
    Case { payload: Payload::Chinese, ..case("100x1024zh", 100, 1024, 1) },
    Case { payload: Payload::Chinese, ..case("100x16384zh", 100, 16384, 1) },
    Case { payload: Payload::Chinese, ..case("16x1024zhw16", 16, 1024, 16) },
];

const fn case(name: &'static str, connections: usize, size: usize, window: usize) -> Case {
    Case { name, connections, size, window, payload: Payload::Bytes }
}

/// What was typed.
struct Wanted {
    /// Names of cases, `handshakes`, `calls`, `idle`; all if there are none.
    words: Vec<String>,
    rounds: usize,
    candidates: Vec<Candidate>,
}

impl Wanted {
    fn from_args() -> Self {
        let (mut words, mut rounds, mut only) = (Vec::new(), 6, Vec::new());
        let mut candidates = vec![
            Candidate { name: "wiretail".to_owned(), kind: Kind::Ours },
            Candidate { name: "raw TCP".to_owned(), kind: Kind::Raw },
        ];
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{arg} needs a value"));
            match arg.as_str() {
                // Cargo's own.
                "--bench" => {}
                "--peers" => candidates.extend(servers::build_peers()),
                "--rounds" => rounds = value().parse().expect("--rounds takes a number"),
                "--only" => only.push(value()),
                "--server" => candidates.push(running(&value())),
                word if !word.starts_with('-') => words.push(word.to_owned()),
                other => panic!("unknown: {other}; the top of benches/echo/main.rs says what there is"),
            }
        }
        let known = |word: &str| {
            ["handshakes", "idle", "calls"].contains(&word) || CASES.iter().any(|case| case.name == word)
        };
        assert!(words.iter().all(|word| known(word)), "no such case among {words:?}");
        candidates.retain(|one| only.is_empty() || one.name == "wiretail" || only.contains(&one.name));
        Self { words, rounds, candidates }
    }

    fn has(&self, word: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|wanted| wanted == word)
    }
}

/// `NAME=HOST:PORT/PATH@PID`
fn running(text: &str) -> Candidate {
    let parts = || {
        let (name, rest) = text.split_once('=')?;
        let (rest, pid) = rest.rsplit_once('@')?;
        let (address, path) = rest.split_once('/')?;
        let address: SocketAddr = address.parse().ok()?;
        let place = Place { address, path: format!("/{path}"), protocol: Protocol::WebSocket };
        let kind = Kind::Running { place, pid: pid.parse().ok()? };
        Some(Candidate { name: name.to_owned(), kind })
    };
    parts().unwrap_or_else(|| panic!("--server takes NAME=HOST:PORT/PATH@PID, not {text}"))
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some(SERVE_RAW) {
        machine::raise_descriptor_limit();
        raw::serve();
    }
    machine::raise_descriptor_limit();
    let wanted = Wanted::from_args();
    machine::pin(std::process::id(), machine::LOAD);
    speed(&wanted);
    if wanted.has("calls") {
        calls(&wanted);
    }
    if wanted.has("idle") {
        idle(&wanted);
    }
}

/// Messages per second and CPU time per message, of all chosen cases; and the same of handshakes.
fn speed(wanted: &Wanted) {
    let servers: Vec<Running> = wanted.candidates.iter().map(Candidate::start).collect();
    for case in CASES.iter().filter(|case| wanted.has(case.name)) {
        let Case { name, connections, size, window, payload } = case;
        let what = match payload {
            Payload::Bytes => "bytes",
            Payload::Chinese => "bytes of Chinese",
        };
        let title = format!("{name}: {connections} connections, {window} in flight on each, {size} {what}");
        in_rounds(&title, wanted.rounds, &servers, |server| {
            let mut load = Load::connect(case, &server.place);
            load.run(WARM_UP);
            measure(server, || {
                let before = load.messages;
                load.run(MEASURE);
                load.messages - before
            })
        });
    }
    if wanted.has("handshakes") {
        in_rounds("handshakes: connections opened and closed", wanted.rounds, &servers, |server| {
            load::open_and_close(&server.place, WARM_UP);
            measure(server, || load::open_and_close(&server.place, MEASURE))
        });
    }
}

/// Lets all servers do something, again and again in turning order, and prints how they did.
fn in_rounds(title: &str, rounds: usize, servers: &[Running], work: impl Fn(&Running) -> Cell) {
    let column = |server: &Running| Column { name: server.name.clone(), cells: Vec::new() };
    let mut columns: Vec<Column> = servers.iter().map(column).collect();
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..servers.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for number in order {
            columns[number].cells.push(work(&servers[number]));
        }
    }
    report::print_case(title, &columns);
}

/// Does `work`, which returns how often something was done.
fn measure(server: &Running, work: impl FnOnce() -> u64) -> Cell {
    let (cpu, start) = (server.cpu(), Instant::now());
    let done = work() as f64;
    let (took, cpu) = (start.elapsed(), server.cpu() - cpu);
    Cell { per_second: done / took.as_secs_f64(), nanos: cpu.as_nanos() as f64 / done }
}

/// What the kernel is asked to do for a message.
fn calls(wanted: &Wanted) {
    println!("\nSystem calls per message");
    println!(
        "  {:<24} {:<14} {:>8} {:>8} {:>11} {:>7}",
        "server", "case", "receive", "send", "epoll_wait", "other"
    );
    for candidate in &wanted.candidates {
        for case in CASES.iter().filter(|case| ["100x20", "16x20w16", "16x1024w16"].contains(&case.name)) {
            let server = candidate.start();
            let mut load = Load::connect(case, &server.place);
            let Some(counts) = strace(server.pid, || load.run(MEASURE)) else {
                println!("  strace cannot be run");
                return;
            };
            let per_message = |of: &dyn Fn(&str) -> bool| {
                let calls: u64 = counts.iter().filter(|(name, _)| of(name)).map(|(_, calls)| calls).sum();
                calls as f64 / load.messages as f64
            };
            let receives = |name: &str| ["read", "readv", "recvfrom", "recvmsg"].contains(&name);
            let sends = |name: &str| ["write", "writev", "sendto", "sendmsg"].contains(&name);
            let waits = |name: &str| name.starts_with("epoll_") && name.ends_with("wait");
            println!(
                "  {:<24} {:<14} {:>8.3} {:>8.3} {:>11.3} {:>7.3}",
                server.name,
                case.name,
                per_message(&receives),
                per_message(&sends),
                per_message(&waits),
                per_message(&|name| !receives(name) && !sends(name) && !waits(name)),
            );
        }
    }
}

/// Counts the system calls of a process, by name, while `work` is done.
fn strace(pid: u32, work: impl FnOnce()) -> Option<Vec<(String, u64)>> {
    let mut strace = Command::new("strace")
        .args(["-f", "-c", "-U", "name,calls", "-p", &pid.to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    support::until("strace to attach", support::SOON, || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        (!status.contains("TracerPid:\t0\n")).then_some(())
    });
    work();
    kill_process(Pid::from_child(&strace), Signal::INT).expect("strace runs until it is told to stop");
    let mut said = String::new();
    std::io::Read::read_to_string(&mut strace.stderr.take()?, &mut said).ok()?;
    strace.wait().ok()?;
    let counts = said.lines().filter_map(|line| {
        let (name, calls) = line.trim().split_once(' ')?;
        Some((name.to_owned(), calls.trim().parse().ok()?))
    });
    Some(counts.filter(|(name, _)| name != "total").collect())
}

/// What a connection costs that only exists, and what it cost to open it while others stayed. Each server is a fresh
/// process; a few connections before the count have it touch all code and buffers that it needs.
fn idle(wanted: &Wanted) {
    println!("\nIdle connections: user memory of each, and the server's CPU time to open it");
    let most = (getrlimit(Resource::Nofile).current.unwrap_or(0) as usize).saturating_sub(200);
    for candidate in &wanted.candidates {
        for count in [10_000.min(most), 100_000.min(most)] {
            let server = candidate.start();
            let mut streams = load::open_idle(&server.place, 10);
            let (memory, cpu) = (support::rss_bytes(server.pid), server.cpu());
            streams.extend(load::open_idle(&server.place, count));
            let cpu = server.cpu() - cpu;
            let grown = support::rss_bytes(server.pid).saturating_sub(memory);
            println!(
                "  {:<24} {count:>7} connections: {:>8.0} bytes, {:>6.1} us",
                server.name,
                grown as f64 / count as f64,
                cpu.as_nanos() as f64 / count as f64 / 1000.0
            );
        }
    }
}
