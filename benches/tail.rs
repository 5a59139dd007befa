//! The figures of the README: one log, many viewers, real sockets, the release binary as a child process.
//!
//! ```text
//! cargo bench --bench tail                    all of it
//! cargo bench --bench tail -- latency         from the append to the viewer, with inotify and with the tick alone
//! cargo bench --bench tail -- fanout          a burst of lines to 1, 100 and 1,000 viewers
//! cargo bench --bench tail -- memory          what an idle viewer costs
//! cargo bench --bench tail -- backlog         the last 1,000 lines of a 2 GB file
//! cargo bench --bench tail -- compression     the same lines plain and compressed: the wire, and the server's work
//! ```
//!
//! Client and server share the machine, so figures are of both together; the server's own part is its CPU time, from
//! the scheduler's counters.
#![cfg(feature = "tool")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use support::ws::Raw;
use support::{Server, TempDir};
use wiretail::tail::demo::chatter::Chatter;
use wiretail::ws::deflate::Inflater;

/// A line of 120 bytes, its end included.
const LINE: usize = 120;

fn main() {
    raise_descriptor_limit();
    let chosen: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let all: [(&str, fn()); 5] = [
        ("latency", latency),
        ("fanout", fanout),
        ("memory", memory),
        ("backlog", backlog),
        ("compression", compression),
    ];
    for (name, run) in all {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            run();
        }
    }
}

/// 100 lines a second for eleven seconds, of which the first is not counted: a log that was quiet is looked at four
/// times a second at first. Each line carries the nanosecond at which it was written.
fn latency() {
    for (label, args) in [("inotify", &[][..]), ("tick 10ms", &["--no-inotify"][..])] {
        let (_folder, path) = empty_log();
        let server = Server::start(&[args, &[path.to_str().unwrap()]].concat());
        let mut viewer = Raw::connect(server.addr(), "/tail/app.log");
        let start = Instant::now();
        let writer = std::thread::spawn(move || {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            for number in 1..=1100 {
                std::thread::sleep(
                    (start + number * Duration::from_millis(10)).saturating_duration_since(Instant::now()),
                );
                let line = format!("{:0>width$}\n", start.elapsed().as_nanos(), width = LINE - 1);
                file.write_all(line.as_bytes()).unwrap();
            }
        });
        let mut delays = Vec::new();
        while delays.len() < 1100 {
            let (_, payload) = viewer.read_frame();
            let arrived = start.elapsed();
            for line in String::from_utf8(payload).unwrap().lines() {
                delays.push(arrived - Duration::from_nanos(line.parse().unwrap()));
            }
        }
        writer.join().unwrap();
        let mut delays = delays.split_off(100);
        delays.sort_unstable();
        let (p50, p99, max) = (delays[499], delays[989], delays[999]);
        println!(
            "latency  1 viewer, 100 lines/s, {label:<10} p50 {p50:>9.1?}  p99 {p99:>9.1?}  max {max:>9.1?}"
        );
    }
}

/// A burst, as fast as the file takes it, until the last viewer has the last line.
fn fanout() {
    for (viewers, lines) in [(1, 2_000_000), (100, 100_000), (1000, 10_000)] {
        let (_folder, path) = empty_log();
        let server = Server::start(&[path.to_str().unwrap()]);
        let mut crowd = Crowd::connect(server.addr(), viewers);
        let cpu = cpu_nanos(server.pid());
        let start = Instant::now();
        let writer = std::thread::spawn(move || write_lines(&path, lines));
        crowd.read_until_each_has((lines * LINE) as u64);
        let took = start.elapsed();
        writer.join().unwrap();
        let delivered = (lines * viewers) as f64;
        let cpu = Duration::from_nanos(cpu_nanos(server.pid()) - cpu);
        println!(
            "fanout   {viewers:>4} viewers x {lines:>7} lines: {:>6.2} M lines/s delivered, {:>5.0} MB/s; server CPU {:>6.1} ns a delivered line, {:>3.0} % of a core",
            delivered / took.as_secs_f64() / 1e6,
            delivered * LINE as f64 / took.as_secs_f64() / 1e6,
            cpu.as_nanos() as f64 / delivered,
            cpu.as_secs_f64() / took.as_secs_f64() * 100.0,
        );
    }
}

/// Resident memory with 10,000 viewers of a quiet log, less without, by their number.
fn memory() {
    let (_folder, path) = empty_log();
    write_lines(&path, 10);
    let server = Server::start(&["--max-connections", "12000", path.to_str().unwrap()]);
    let mut first = Crowd::connect(server.addr(), 10);
    first.read_until_each_has(10 * LINE as u64);
    let before = support::rss_bytes(server.pid());
    let viewers = 9_000;
    let mut crowd = Crowd::connect(server.addr(), viewers);
    crowd.read_until_each_has(10 * LINE as u64);
    let after = support::rss_bytes(server.pid());
    let each = (after - before) as f64 / viewers as f64;
    println!(
        "memory   {viewers} idle viewers: {each:.0} bytes each ({:.1} MiB before)",
        before as f64 / 1048576.0
    );
    let cpu = cpu_nanos(server.pid());
    std::thread::sleep(Duration::from_secs(5));
    let percent = (cpu_nanos(server.pid()) - cpu) as f64 / 5e9 * 100.0;
    println!("memory   the same, left alone for 5 s: {percent:.2} % of a core");
}

/// From the connection attempt to the last of the last 1,000 lines of a 2 GB file.
fn backlog() {
    let (_folder, path) = empty_log();
    write_lines(&path, 2_000_000_000 / LINE);
    let server = Server::start(&[path.to_str().unwrap()]);
    let mut times: Vec<Duration> = (0..20)
        .map(|_| {
            let start = Instant::now();
            let mut viewer = Raw::connect(server.addr(), "/tail/app.log?lines=1000");
            let mut bytes = 0;
            while bytes < 1000 * LINE {
                bytes += viewer.read_frame().1.len();
            }
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("backlog  last 1,000 lines of a 2 GB file: median {:.2?}, max {:.2?}", times[10], times[19]);
}

/// Ten bursts of 2 MB of a realistic log, each had by all before the next is written. What the server works, by the
/// number of viewers and by what they agreed to.
fn compression() {
    const BURST: usize = 2_000_000;
    let mut chatter = Chatter::new(7);
    let mut text = Vec::new();
    let mut now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    while text.len() < BURST {
        text.extend_from_slice(chatter.next_line(now).as_bytes());
        text.push(b'\n');
        now += Duration::from_millis(37);
    }
    for viewers in [1, 100] {
        let mut plain = 0;
        for (label, offers) in [("plain", "none-of-it"), ("compressed", "permessage-deflate")] {
            let (_folder, path) = empty_log();
            let server = Server::start(&[path.to_str().unwrap()]);
            let fields = [("Sec-WebSocket-Extensions", offers)];
            let connect = |_| Raw::connect_with(server.addr(), "/tail/app.log", &fields);
            let mut crowd: Vec<Raw> = (0..viewers).map(connect).collect();
            let cpu = cpu_nanos(server.pid());
            let mut wire = 0;
            for _ in 0..10 {
                OpenOptions::new().append(true).open(&path).unwrap().write_all(&text).unwrap();
                wire += crowd.iter_mut().map(|viewer| read_burst(viewer, text.len())).sum::<usize>();
            }
            let cpu = cpu_nanos(server.pid()) - cpu;
            plain = if label == "plain" { cpu } else { plain };
            println!(
                "compression  {viewers:>3} viewers, {label:<10} {:>5.1} % of the bytes, server CPU {:>6.1} ms ({:.2} of plain)",
                wire as f64 / (10 * text.len() * viewers) as f64 * 100.0,
                cpu as f64 / 1e6,
                cpu as f64 / plain as f64,
            );
        }
    }
}

/// Reads until so many bytes of log text have come, inflating where needed; gives what they were on the wire.
fn read_burst(viewer: &mut Raw, bytes: usize) -> usize {
    let (mut had, mut wire) = (0, 0);
    let mut out = vec![0; 1 << 20];
    while had < bytes {
        let (first, payload) = viewer.read_frame();
        wire += payload.len();
        had += match first {
            support::ws::TEXT => payload.len(),
            // Each message for itself: nothing refers to an earlier one.
            _ => Inflater::new().inflate(&payload, &mut out).unwrap().written,
        };
    }
    assert_eq!(had, bytes);
    wire
}

/// Many plain viewers behind one poll; each counts the bytes of log text it has.
struct Crowd {
    poll: Poll,
    viewers: Vec<Viewer>,
}

struct Viewer {
    stream: TcpStream,
    /// Payload bytes had.
    bytes: u64,
    /// Payload bytes of the current frame still to come.
    left: u64,
    /// A frame header that was cut by the network.
    header: Vec<u8>,
}

impl Crowd {
    fn connect(addr: SocketAddr, count: usize) -> Self {
        let poll = Poll::new().unwrap();
        let viewers = (0..count)
            .map(|number| {
                let raw = Raw::connect(addr, "/tail/app.log");
                let stream = raw.stream().try_clone().unwrap();
                stream.set_nonblocking(true).unwrap();
                let mut stream = TcpStream::from_std(stream);
                poll.registry().register(&mut stream, Token(number), Interest::READABLE).unwrap();
                let mut viewer = Viewer { stream, bytes: 0, left: 0, header: Vec::new() };
                viewer.take(raw.unread());
                viewer
            })
            .collect();
        Self { poll, viewers }
    }

    fn read_until_each_has(&mut self, bytes: u64) {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 256 * 1024];
        let mut waiting = self.viewers.iter().filter(|viewer| viewer.bytes < bytes).count();
        let start = Instant::now();
        while waiting > 0 {
            assert!(start.elapsed() < Duration::from_secs(120), "{waiting} viewers still wait");
            self.poll.poll(&mut events, Some(Duration::from_secs(1))).unwrap();
            for event in &events {
                let viewer = &mut self.viewers[event.token().0];
                let had_all = viewer.bytes >= bytes;
                while let Ok(count) = viewer.stream.read(&mut buffer) {
                    assert!(count > 0, "the server hung up");
                    viewer.take(&buffer[..count]);
                }
                assert!(viewer.bytes <= bytes, "more came than was written");
                waiting -= usize::from(!had_all && viewer.bytes == bytes);
            }
        }
    }
}

impl Viewer {
    /// Counts the payload in what came (RFC 6455 §5.2, unmasked).
    fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let count = self.left.min(bytes.len() as u64);
                self.left -= count;
                self.bytes += count;
                bytes = &bytes[count as usize..];
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            self.left = match self.header[..] {
                [first, ..] if first != support::ws::TEXT => panic!("not log text: {:?}", self.header),
                [_, 126, a, b] => u64::from(u16::from_be_bytes([a, b])),
                [_, 127, a, b, c, d, e, f, g, h] => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
                [_, short] if short < 126 => u64::from(short),
                _ => continue,
            };
            self.header.clear();
        }
    }
}

fn empty_log() -> (TempDir, PathBuf) {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    File::create(&path).unwrap();
    (folder, path)
}

fn write_lines(path: &Path, lines: usize) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    let block = [vec![b'x'; LINE - 1], vec![b'\n']].concat().repeat(500);
    let mut left = lines * LINE;
    while left > 0 {
        let count = left.min(block.len());
        file.write_all(&block[..count]).unwrap();
        left -= count;
    }
}

/// CPU time of a process with one thread, in nanoseconds: the scheduler's own count.
fn cpu_nanos(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
