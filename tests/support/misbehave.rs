//! The misbehaving peer: a small program that floods, crowds and churns a server, from a process of its own, so that
//! neither its computing nor its descriptors are those of the test.
//!
//! The program is the test program itself, started a second time with one test to run ([`ENTRY`]), which calls
//! [`play`]. What it is to do stands in a variable of its environment, what it has done on its standard output, a word
//! and a number a line; and when its standard input ends it leaves, so it outlives nobody.
//!
//! ```text
//!   flood pings /ws/echo reading 127.0.0.1:4711        sent 65856  sent 3095232  ...
//!   hold 10000 full 127.0.0.1:4711                     open 10000  ...  ended 10000  refused 5000
//!   churn 3000 resets 127.0.0.1:4711                   done 3000
//! ```

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::SOON;
use super::deflate::{self, COMPRESSED_BINARY, COMPRESSED_TEXT, END_OF_STREAM, NOTHING};
use super::ws::{CLOSE, PING, PONG, TEXT, frame, upgrade_request};

/// The test that a program which starts [`Peer`]s must have at its top, and which calls [`play`].
pub const ENTRY: &str = "the_misbehaving_peer_leaves_with_whoever_started_it";
/// Where the part to play stands.
const PART: &str = "MISBEHAVE";
/// Stands before what is reported, as the test harness writes to the same place.
const MARK: &str = "misbehave: ";
/// How often a flood reports while it comes in.
const REPORT_EVERY: Duration = Duration::from_millis(50);

/// A misbehaving peer under way. It is ended when dropped.
pub struct Peer {
    child: Child,
    heard: Receiver<(String, u64)>,
}

impl Peer {
    /// Starts one, to do `part` to the server at `addr`: see the top of this file.
    pub fn start(part: &str, addr: SocketAddr) -> Self {
        let program = std::env::current_exe().expect("a program knows where it is");
        let mut command = Command::new(program);
        command.args([ENTRY, "--exact", "--nocapture", "--test-threads=1"]);
        command.env(PART, format!("{part} {addr}")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started once more");
        let stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let (sender, heard) = channel();
        std::thread::spawn(move || {
            let reports = stdout.lines().map_while(Result::ok);
            for report in reports.filter_map(|line| Some(line.split_once(MARK)?.1.to_owned())) {
                let (word, number) = report.split_once(' ').expect("a word and a number");
                let _ = sender.send((word.to_owned(), number.parse().expect("a number")));
            }
        });
        Self { child, heard }
    }

    /// The number in its next report with that word, whatever it reports before; `None` when none comes within that time.
    #[track_caller]
    pub fn hear(&self, word: &str, within: Duration) -> Option<u64> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left) {
                Ok((reported, number)) if reported == word => return Some(number),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the misbehaving peer ended before it reported `{word}`")
                }
            }
        }
    }

    /// What it has reported so far is of no interest any more.
    pub fn forget(&self) {
        self.heard.try_iter().for_each(drop);
    }

    /// Lets it end by itself: its standard input ends. True if it does, within five seconds.
    pub fn leaves(mut self) -> bool {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + SOON;
        while Instant::now() < deadline {
            if self.child.try_wait().expect("a child can be waited for").is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        false
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program: plays the part that the environment names, until it is over or standard input ends, and does not
/// return. Returns at once if the environment names none.
pub fn play() {
    let Ok(part) = std::env::var(PART) else { return };
    raise_descriptor_limit();
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let words: Vec<&str> = part.split(' ').collect();
    match words[..] {
        ["flood", kind, target, reads, addr] => flood(kind, target, reads == "reading", address(addr)),
        ["hold", count, how, addr] => hold(number(count), how, address(addr)),
        ["churn", count, how, addr] => churn(number(count), how, address(addr)),
        _ => panic!("no such part: {part}"),
    }
    // Who started us decides when we go.
    std::thread::park();
    unreachable!("nobody wakes this thread");
}

fn number(word: &str) -> usize {
    word.parse().expect("a number")
}

fn address(word: &str) -> SocketAddr {
    word.parse().expect("an address")
}

fn report(word: &str, number: u64) {
    println!("{MARK}{word} {number}");
}

/// As many descriptors as the system lets us have.
pub fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Connects, says more than anybody can answer, and begins again when it is thrown out.
fn flood(kind: &str, target: &str, reads: bool, addr: SocketAddr) {
    // What is to be seen is the server's fairness, not how the system shares two cores among six processes: who floods
    // has all the time that nobody else wants, and no more.
    let _ = rustix::process::nice(19);
    let (first, again) = shouts(kind);
    let deflate = match kind {
        "texts-anew" => "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        _ => "permessage-deflate",
    };
    let fields = [("Sec-WebSocket-Protocol", "wiretail.v1"), ("Sec-WebSocket-Extensions", deflate)];
    let opening = upgrade_request(addr, target, &fields);
    let first = if kind == "requests" { first } else { [opening.as_bytes(), &first].concat() };
    let mut sent = Sent::default();
    loop {
        let Ok(mut stream) = TcpStream::connect_timeout(&addr, SOON) else { continue };
        if reads {
            let mut reader = stream.try_clone().expect("a socket can be cloned");
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut reader, &mut std::io::sink());
                // Told to go: no need to shout on until the server's patience is over.
                let _ = reader.shutdown(Shutdown::Both);
            });
        }
        if stream.write_all(&first).is_err() {
            continue;
        }
        sent.count(first.len());
        if kind == "newcomers" {
            reset(&stream);
            continue;
        }
        while stream.write_all(&again).is_ok() {
            sent.count(again.len());
        }
    }
}

/// How many bytes a flood has brought, over all its connections.
#[derive(Default)]
struct Sent {
    bytes: u64,
    reported: Option<Instant>,
}

impl Sent {
    fn count(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if self.reported.is_none_or(|when| when.elapsed() >= REPORT_EVERY) {
            self.reported = Some(Instant::now());
            report("sent", self.bytes);
        }
    }
}

/// When `stream` is dropped, the peer is told by a reset instead of a FIN.
fn reset(stream: &TcpStream) {
    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)).expect("a socket option");
}

/// What a flood of that kind says once, and then again and again: some 64 KiB, as much as the server reads at once.
fn shouts(kind: &str) -> (Vec<u8>, Vec<u8>) {
    const ROOM: usize = 64 << 10;
    let many = |one: Vec<u8>| one.repeat(ROOM / one.len());
    match kind {
        "pings" => (Vec::new(), many(frame(PING, b""))),
        "fat-pings" => (Vec::new(), many(frame(PING, &[b'p'; 125]))),
        "pongs" => (Vec::new(), many(frame(PONG, b""))),
        "tiny-frames" => (Vec::new(), many(frame(TEXT, b""))),
        "texts" => (Vec::new(), many(frame(TEXT, "\u{4e2d}\u{6587} \u{1f980}".repeat(90).as_bytes()))),
        // As short as is compressed at all, so that many fit in one read; an echo of each takes a compressor of its own.
        "texts-anew" => (Vec::new(), many(frame(TEXT, &[b'x'; 256]))),
        "empty-fragments" => (frame(0x02, b""), many(frame(0x00, b""))),
        "one-byte-fragments" => (frame(0x01, b""), many(frame(0x00, b"x"))),
        "requests" => {
            (Vec::new(), many(b"GET /main.js HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n".to_vec()))
        }
        "bombs" => (Vec::new(), many(frame(COMPRESSED_BINARY, &deflate::mebibyte()))),
        "ended-streams" => (Vec::new(), frame(COMPRESSED_TEXT, &END_OF_STREAM.repeat(32_000))),
        "stored-nothing" => (Vec::new(), frame(COMPRESSED_TEXT, &deflate::ended(&NOTHING.repeat(13_000)))),
        "tables" => {
            (Vec::new(), frame(COMPRESSED_TEXT, &deflate::ended(&deflate::eight_tables().repeat(90))))
        }
        "newcomers" => (vec![0x82, 0xfe, 0x10], Vec::new()),
        _ => panic!("no such flood: {kind}"),
    }
}

/// Opens connections that never finish their request, and tells when, and how, all of them have ended.
fn hold(count: usize, how: &str, addr: SocketAddr) {
    let mut begun = upgrade_request(addr, "/ws/echo", &[]).into_bytes();
    begun.truncate(begun.len() - 2);
    let mut full = begun.clone();
    full.extend_from_slice(b"X: ");
    // One byte less than the longest head there may be.
    full.resize(8 * 1024 - 1, b'x');
    let crowd: Vec<TcpStream> = (0..count)
        .map(|number| {
            let mut stream = TcpStream::connect_timeout(&addr, SOON).expect("the server accepts");
            let words: &[u8] = match how {
                "silent" => b"",
                "begun" => &begun[..number % begun.len()],
                "full" => &full,
                _ => panic!("no such crowd: {how}"),
            };
            stream.write_all(words).expect("the kernel takes a few bytes");
            stream
        })
        .collect();
    report("open", count as u64);
    let (mut ended, mut refused) = (0, 0);
    for mut stream in crowd {
        let mut answer = Vec::new();
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket option");
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => {}
            _ => ended += 1,
        }
        refused += u64::from(answer.starts_with(b"HTTP/1.1 408 "));
    }
    report("refused", refused);
    report("ended", ended);
}

/// Comes and goes, one connection after the other.
fn churn(count: usize, how: &str, addr: SocketAddr) {
    let request = upgrade_request(addr, "/ws/echo", &[]).into_bytes();
    for number in 0..count {
        let mut stream = TcpStream::connect_timeout(&addr, SOON).expect("the server accepts");
        stream.set_read_timeout(Some(SOON)).expect("a socket option");
        match how {
            // Nothing said, or a part of the request: a FIN behind it.
            "visits" => drop(stream.write_all(&request[..number % request.len()])),
            // A part of the request, or all of it and half a frame: a reset behind it.
            "resets" => {
                let half = [&request[..], &[0x82, 0xfe, 0x10, 0x00, 1, 2, 3, 4, 5]].concat();
                let words = if number % 2 == 0 { &half } else { &request[..number % request.len()] };
                stream.write_all(words).expect("the server reads");
                reset(&stream);
            }
            // All that belongs to it: handshake, a message, a close, the server's answer to each, the end.
            "conversations" => {
                let words = [&request[..], &frame(TEXT, b"hello"), &frame(CLOSE, &1000u16.to_be_bytes())];
                stream.write_all(&words.concat()).expect("the server reads");
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).expect("the server closes");
                assert!(answer.ends_with(b"\x81\x05hello\x88\x02\x03\xe8"), "{answer:?}");
            }
            _ => panic!("no such churn: {how}"),
        }
    }
    report("done", count as u64);
}
