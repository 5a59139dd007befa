//! The last 1,000 lines of a 2 GB file: how long a newcomer waits for them, and what others notice of that.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::crowd::Crowd;
use super::latencies::Latencies;
use super::script::append;
use super::script::{self, LINE, Script, write_lines};
use super::servers::{From, Kind, Running};
use super::stream::{Stream, Then};
use super::support::ws::Raw;
use super::table::{Row, Wanted, short};
use super::{priority, support};

/// Two billion bytes.
const LINES: usize = 2_000_000_000 / LINE;
const LAST: usize = 1000;
const NEWCOMERS: usize = 20;
/// The other viewer's lines, each second.
const RATE: usize = 1000;

pub(crate) fn backlog(wanted: Wanted) -> Vec<Row> {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    write_lines(&path, LINES);
    let mut reached = Vec::new();
    let mut others = None;
    for kind in wanted.kinds() {
        let times = match kind {
            Kind::Wiretail => {
                let (times, before, meanwhile) = beside_another(&path);
                others =
                    Some(format!("{} ms, {} ms before", short(meanwhile.longest()), short(before.longest())));
                times
            }
            _ => (0..NEWCOMERS).fold(Latencies::new(), |mut times, _| {
                times.add(one_by_one(kind, &path));
                times
            }),
        };
        let told = format!("{} / {} ms", short(times.percentile(50.0)), short(times.longest()));
        println!("backlog {:<11} median / longest of {NEWCOMERS}: {told}", kind.name());
        reached.push((kind, told));
    }
    let others = others.expect("wiretail is always measured");
    println!("backlog another viewer meanwhile: longest {others}");
    vec![
        Row {
            work: "the last 1,000 lines of a 2 GB file, from the attempt to connect: median / longest"
                .to_owned(),
            goal: "3 ms",
            reached,
            command: "backlog",
        },
        Row {
            work: format!("another viewer's longest wait for a line meanwhile, at {RATE} lines/s"),
            goal: "nobody delayed",
            reached: vec![(Kind::Wiretail, others)],
            command: "backlog",
        },
    ]
}

/// Newcomers, ten a second, while another viewer reads another log of the same server: what they took, how long the other
/// one waited for its lines in the second before, and how long meanwhile.
fn beside_another(big: &Path) -> (Latencies, Latencies, Latencies) {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    append(&path);
    let script = Script::new(RATE * (NEWCOMERS / 10 + 1), LINE);
    let named = format!("big={}", big.to_str().expect("a plain path"));
    let mut server = Running::start(Kind::Wiretail, &path, &[&named], From::Beginning);
    let mut crowd = Crowd::open(&mut server, Kind::Wiretail, 1, &script);
    crowd.count_from(RATE / 10);
    let writer = script.start_steadily(&path, RATE);
    let address = server.address();
    let newcomers = std::thread::spawn(move || {
        priority::put_this_thread_first();
        let begin = Instant::now() + Duration::from_secs(1);
        let mut times = Latencies::new();
        for number in 0..NEWCOMERS as u32 {
            let due = begin + Duration::from_millis(90) * number;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            times.add(newcomer(address));
        }
        times
    });
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(1) {
        crowd.read(Duration::from_millis(10));
    }
    let before = std::mem::replace(&mut crowd.latencies, Latencies::new());
    assert!(crowd.read_all(Duration::from_secs(30)), "the other viewer misses lines");
    writer.join().expect("the log was written");
    (newcomers.join().expect("all newcomers were served"), before, crowd.latencies)
}

/// From the attempt to connect to the last line.
fn newcomer(address: SocketAddr) -> Duration {
    let start = Instant::now();
    let mut viewer = Raw::connect(address, &format!("/tail/big?lines={LAST}"));
    let mut text = Vec::new();
    while text.len() < LAST * LINE {
        text.extend(viewer.read_frame().1);
    }
    let took = start.elapsed();
    assert!(text == expected(), "these are not the last lines");
    took
}

/// The same with another server, or none, that is there for this newcomer alone.
fn one_by_one(kind: Kind, path: &Path) -> Duration {
    let mut server = Running::start(kind, path, &[], From::Lines(LAST));
    let poll = &mut mio::Poll::new().expect("a poll");
    let mut text = Vec::new();
    let start = Instant::now();
    let mut stream =
        Stream::new(server.open(From::Lines(LAST)), kind, poll, 0, |bytes| text.extend_from_slice(bytes));
    let (mut events, mut buffer) = (mio::Events::with_capacity(1), vec![0; 1 << 16]);
    while text.len() < LAST * LINE {
        poll.poll(&mut events, Some(support::SOON)).expect("a poll");
        while stream.read(&mut buffer, |bytes| text.extend_from_slice(bytes)) == Then::More {}
    }
    let took = start.elapsed();
    assert!(text == expected(), "these are not the last lines");
    took
}

fn expected() -> Vec<u8> {
    (LINES - LAST..LINES).flat_map(|number| script::line(number, LINE)).collect()
}
