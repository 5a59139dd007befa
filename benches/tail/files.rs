//! Many files: ten thousand in the catalogue that nobody watches, and a thousand that are watched one by one.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::crowd::Crowd;
use super::latencies::Latencies;
use super::machine;
use super::priority::{self, confined};
use super::script::{LINE, Script, append};
use super::servers::{From, Kind, Running};
use super::support::ws::{Raw, TEXT, http_get};
use super::support::{self, Server};
use super::table::{Row, Wanted, megabytes, short};

/// Files that are only listed.
const LISTED: usize = 10_000;
/// Files that are watched, each by a viewer of its own.
const WATCHED: usize = 1_000;
/// How long a catalogue that nobody asks for is measured; it has been looked at a few times before.
const SETTLE: Duration = Duration::from_secs(7);
const MEASURE: Duration = Duration::from_secs(20);
/// Lines a second, over all files; each file has as many of them as the others.
const RATES: [usize; 2] = [1_000, 10_000];
const SECONDS: usize = 10;

pub(crate) fn files(_: Wanted) -> Vec<Row> {
    let [(few_cpu, few), (many_cpu, many)] = [1, LISTED].map(listed);
    let each = many.saturating_sub(few) as f64 / (LISTED - 1) as f64;
    let told = format!("{} % ({} % with one), {} bytes each", short(many_cpu), short(few_cpu), short(each));
    println!("files {LISTED} listed, nobody watches: {told}");
    let mut rows = vec![Row {
        work: format!("{LISTED} files in a folder that nobody watches: CPU, memory for each"),
        goal: "nothing",
        reached: vec![(Kind::Wiretail, told)],
        command: "files",
    }];
    let [before, meanwhile] = [false, true].map(beside);
    println!("files {LISTED} listed, another log: {before} / {meanwhile}");
    rows.push(Row {
        work: format!(
            "a log of 1,000 lines/s beside {LISTED} files: p99, longest, before / while ten files a second come and the list is asked for all the time"
        ),
        goal: "no longer",
        reached: vec![(Kind::Wiretail, format!("{before} / {meanwhile}"))],
        command: "files",
    });
    for rate in RATES {
        for (how, args) in [("", &[][..]), (", the tick alone", &["--no-inotify"])] {
            let told = watched(rate, args);
            println!("files {WATCHED} watched, {rate} lines/s{how}: {told}");
            rows.push(Row {
                work: format!("{WATCHED} files, each with a viewer, {rate} lines/s{how}: p50 / p99 / longest, CPU, memory for each"),
                goal: "one tick",
                reached: vec![(Kind::Wiretail, told)],
                command: "files",
            });
        }
    }
    rows
}

/// CPU in per cent of a core, and memory in bytes, of a server with so many files.
fn listed(files: usize) -> (f64, u64) {
    let folder = support::temp_dir();
    for number in 0..files {
        std::fs::write(folder.path().join(format!("{number:05}.log")), "text\n").expect("a file");
    }
    let server = serve(folder.path(), &[]);
    std::thread::sleep(SETTLE);
    let cpu = machine::cpu_time(&[server.pid()]);
    std::thread::sleep(MEASURE);
    let cpu = machine::cpu_time(&[server.pid()]) - cpu;
    (cpu.as_secs_f64() / MEASURE.as_secs_f64() * 100.0, support::rss_bytes(server.pid()))
}

/// How long the lines of another log are on their way.
fn beside(busy: bool) -> String {
    let (logs, folder) = (support::temp_dir(), support::temp_dir());
    let path = logs.path().join("app.log");
    drop(append(&path));
    for number in 0..LISTED {
        std::fs::write(folder.path().join(format!("{number:05}.log")), "text\n").expect("a file");
    }
    let place = folder.path().to_str().expect("a plain path");
    let mut server = Running::start(Kind::Wiretail, &path, &[place], From::Beginning);
    let script = Script::new(1_000 * SECONDS, LINE);
    let mut crowd = Crowd::open(&mut server, Kind::Wiretail, 1, &script);
    crowd.count_from(0);
    let over = Arc::new(AtomicBool::new(!busy));
    let (address, place) = (server.address(), folder.path().to_owned());
    let asker = {
        let over = Arc::clone(&over);
        std::thread::spawn(move || {
            let mut number = 0;
            while !over.load(Ordering::Relaxed) {
                std::fs::write(place.join(format!("new-{number}.log")), "text\n").expect("a file");
                number += 1;
                assert_eq!(http_get(address, "/api/logs", &[]).0, 200);
                std::thread::sleep(Duration::from_millis(100));
            }
        })
    };
    let writer = script.start_steadily(&path, 1_000);
    assert!(crowd.read_all(Duration::from_secs(SECONDS as u64 * 3)), "all lines come");
    over.store(true, Ordering::Relaxed);
    writer.join().expect("the writer has ended");
    asker.join().expect("every list came");
    format!("{} ms, {} ms", short(crowd.latencies.percentile(99.0)), short(crowd.latencies.longest()))
}

fn serve(folder: &Path, args: &[&str]) -> Server {
    let place = folder.to_str().expect("a plain path");
    Server::spawn(confined(&Server::command(&[args, &[place]].concat())))
}

fn watched(rate: usize, args: &[&str]) -> String {
    let folder = support::temp_dir();
    let paths: Vec<_> = (0..WATCHED).map(|number| folder.path().join(format!("{number:04}.log"))).collect();
    let mut files: Vec<File> = paths.iter().map(|path| append(path)).collect();
    let server = serve(folder.path(), args);
    let before = support::rss_bytes(server.pid());
    let script = Script::new(rate * SECONDS, LINE);
    let mut readers = Readers::open(&server, &script);
    let memory = support::rss_bytes(server.pid()).saturating_sub(before);
    let cpu = machine::cpu_time(&[server.pid()]);
    let writer = {
        let script = Arc::clone(&script);
        std::thread::spawn(move || {
            priority::put_this_thread_first();
            script.write_round(&mut files, rate, 1);
        })
    };
    readers.read_all();
    let cpu = (machine::cpu_time(&[server.pid()]) - cpu).as_secs_f64() / SECONDS as f64 * 100.0;
    writer.join().expect("the writer has ended");
    let [p50, p99] = [50.0, 99.0].map(|percent| short(readers.latencies.percentile(percent)));
    let longest = short(readers.latencies.longest());
    let each = memory / WATCHED as u64;
    format!("{p50} / {p99} / {longest} ms, {} %, {each} bytes ({} MB)", short(cpu), short(megabytes(memory)))
}

/// One viewer for each file.
struct Readers {
    poll: Poll,
    viewers: Vec<Viewer>,
    script: Arc<Script>,
    latencies: Latencies,
    left: usize,
}

struct Viewer {
    stream: TcpStream,
    unread: Vec<u8>,
    /// The number of the line that is to come next.
    next: usize,
}

impl Readers {
    fn open(server: &Server, script: &Arc<Script>) -> Self {
        let poll = Poll::new().expect("a poll");
        let left = script.text().len() / script.line_len();
        let open = |number: usize| {
            let raw = Raw::connect(server.addr(), &format!("/tail/{number:04}.log"));
            let stream = raw.stream().try_clone().expect("a descriptor");
            stream.set_nonblocking(true).expect("a socket's option");
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE).expect("a registration");
            Viewer { stream, unread: raw.unread().to_vec(), next: number }
        };
        let viewers = (0..WATCHED).map(open).collect();
        Self { poll, viewers, script: Arc::clone(script), latencies: Latencies::new(), left }
    }

    fn read_all(&mut self) {
        let mut events = Events::with_capacity(1024);
        let end = Instant::now() + Duration::from_secs(SECONDS as u64 * 3);
        while self.left > 0 {
            assert!(Instant::now() < end, "{} lines have not come", self.left);
            match self.poll.poll(&mut events, Some(Duration::from_millis(100))) {
                Ok(()) => events.iter().for_each(|event| self.read(event.token().0)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}"),
            }
        }
    }

    fn read(&mut self, number: usize) {
        let viewer = &mut self.viewers[number];
        let mut buffer = [0; 16 * 1024];
        loop {
            match viewer.stream.read(&mut buffer) {
                Ok(0) => panic!("the server hung up"),
                Ok(count) => viewer.unread.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        let now = Instant::now();
        while let Some(frame) = whole_frame(&viewer.unread) {
            for line in viewer.unread[frame.clone()].chunks(self.script.line_len()) {
                let from = viewer.next * self.script.line_len();
                assert_eq!(line, &self.script.text()[from..from + line.len()], "file {number}");
                self.latencies.add(self.script.age(viewer.next, now));
                viewer.next += WATCHED;
                self.left -= 1;
            }
            viewer.unread.drain(..frame.end);
        }
    }
}

/// The text in the frame at the beginning of `bytes`, once all of it is there. Lines come whole here.
fn whole_frame(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let (head, len) = match *bytes {
        [_, short, ..] if short < 126 => (2, usize::from(short)),
        [_, 126, a, b, ..] => (4, usize::from(u16::from_be_bytes([a, b]))),
        [_, 127, ..] => panic!("a frame of more than 64 KiB"),
        _ => return None,
    };
    assert!(bytes[0] == TEXT, "not log text: {:?}", &bytes[..head]);
    (bytes.len() >= head + len).then_some(head..head + len)
}
