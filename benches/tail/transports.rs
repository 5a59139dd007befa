//! The same minute of the same log, by each way to read it at the same time: what it takes in bytes and requests, and how
//! long each line is on its way.
//!
//! One reader of each kind, with the header fields that Chromium and curl send. Counted are the bytes that the sockets take
//! and give, so without those of TCP and IP. Every line that comes is compared with what was written.

mod plot;
mod reader;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use wiretail::tail::demo::chatter::Chatter;
use wiretail::tail::demo::voice::{Format, Language, Voice};

use super::priority;
use super::script::{Script, append};
use super::servers::Running;
use super::support;
use super::table::{Row, Wanted, short};
use reader::{Measured, Reader};

const SECONDS: usize = 60;

/// How a log is written.
#[derive(Clone, Copy, Debug)]
struct Pace {
    name: &'static str,
    /// Lines a second.
    rate: usize,
    /// So many of them come at once.
    together: usize,
}

/// Not at the pace of who polls once a second: then it is chance how old a line is when it is fetched.
const PACES: [Pace; 2] = [
    Pace { name: "10 lines a second, one by one", rate: 10, together: 1 },
    Pace { name: "100 lines a second, 70 at a time", rate: 100, together: 70 },
];

/// A way to read a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    WebSocket,
    WebSocketDeflate,
    Events,
    LongPoll,
    Poll,
    Curl,
}

impl Way {
    const ALL: [Self; 6] =
        [Self::WebSocketDeflate, Self::WebSocket, Self::Events, Self::Curl, Self::LongPoll, Self::Poll];

    fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSocket",
            Self::WebSocketDeflate => "WebSocket, compressed",
            Self::Events => "server-sent events",
            Self::LongPoll => "long polling (wait=30)",
            Self::Poll => "polling, once a second",
            Self::Curl => "curl -N, follow=1",
        }
    }
}

/// What one way took.
struct Taken {
    way: Way,
    measured: Measured,
}

/// What all ways took to read one log.
struct Minute {
    pace: Pace,
    lines: usize,
    bytes: usize,
    taken: Vec<Taken>,
}

pub(crate) fn transports(_: Wanted) -> Vec<Row> {
    let minutes = PACES.map(measure);
    minutes.iter().for_each(print);
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/transports.svg");
    std::fs::write(place, plot::plot(&minutes)).expect("the plot can be written");
    println!("\n{place} is written");
    Vec::new()
}

fn measure(pace: Pace) -> Minute {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    drop(append(&path));
    let server = Running::wiretail(&path);
    let script = Script::of(&text(pace));
    let readers: Vec<_> = Way::ALL
        .into_iter()
        .map(|way| {
            let mut reader = Reader::open(way, server.address(), &script);
            (way, std::thread::spawn(move || reader.read_all()))
        })
        .collect();
    let writer = {
        let script = Arc::clone(&script);
        std::thread::spawn(move || {
            priority::put_this_thread_first();
            script.write_round(&mut [append(&path)], pace.rate, pace.together);
        })
    };
    let taken = readers
        .into_iter()
        .map(|(way, reader)| Taken { way, measured: reader.join().expect("every line came") })
        .collect();
    writer.join().expect("the writer has ended");
    Minute { pace, lines: script.lines(), bytes: script.text().len(), taken }
}

/// A realistic log, in lines of their own lengths.
fn text(pace: Pace) -> Vec<Vec<u8>> {
    let voice = Voice { format: Format::Plain, language: Language::English };
    let mut chatter = Chatter::speaking(7, voice);
    let mut now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let mut line = || {
        now += Duration::from_secs(1) / pace.rate as u32;
        format!("{}\n", chatter.next_line(now)).into_bytes()
    };
    (0..SECONDS * pace.rate).map(|_| line()).collect()
}

/// A table of `docs/transports.md`.
fn print(minute: &Minute) {
    let Minute { pace, lines, bytes, taken } = minute;
    println!("\n{}: {lines} lines in {SECONDS} s, {bytes} bytes\n", pace.name);
    println!(
        "| way | requests | to the server | from the server | for each byte of log | p50 | p99 | longest |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for taken in taken {
        let Measured { requests, sent, received, latencies } = &taken.measured;
        let [p50, p99] = [50.0, 99.0].map(|percent| short(latencies.percentile(percent)));
        println!(
            "| {} | {requests} | {sent} | {received} | {} | {p50} ms | {p99} ms | {} ms |",
            taken.way.name(),
            short(taken.overhead(*bytes)),
            short(latencies.longest())
        );
    }
}

impl Taken {
    /// All bytes for each byte of log.
    fn overhead(&self, text: usize) -> f64 {
        (self.measured.sent + self.measured.received) as f64 / text as f64
    }

    fn median(&self) -> f64 {
        self.measured.latencies.percentile(50.0)
    }
}
