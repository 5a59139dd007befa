//! Peers that cost: one that never reads, ten thousand that never finish their handshake. The others notice nothing.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use support::v1::Viewer;
use support::ws::{BINARY, PING, PONG, Raw, TEXT, frame};
use support::{SOON, Server, rss_bytes, temp_dir, until};

const MIB: u64 = 1 << 20;

#[test]
fn a_viewer_that_never_reads_costs_no_memory_and_the_others_nothing() {
    const LOG: usize = 500_000_000;
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    fs::write(&path, "").unwrap();
    let server = Server::start(&[path.to_str().unwrap()]);
    let mut stalled = Raw::connect(server.addr(), "/tail/app.log");
    let mut reader = Raw::connect(server.addr(), "/tail/app.log");
    let warm_up = "x".repeat(99) + "\n";
    OpenOptions::new().append(true).open(&path).unwrap().write_all(warm_up.as_bytes()).unwrap();
    assert_eq!(reader.read_text(), warm_up);

    let writer = std::thread::spawn(move || {
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        let mut block = String::new();
        let mut written = 0;
        for number in 0u64.. {
            block += &format!("{number:099}\n");
            if block.len() >= 100_000 {
                file.write_all(block.as_bytes()).unwrap();
                written += block.len();
                block.clear();
                if written >= LOG {
                    return written;
                }
            }
        }
        unreachable!("the numbers do not end")
    });
    let before = rss_bytes(server.pid());
    let (mut had, mut next, mut most) = (0, 0u64, before);
    let mut rest = String::new();
    let mut slowest = Duration::ZERO;
    while had < LOG {
        let waited = Instant::now();
        let text = next_text(&mut reader);
        slowest = slowest.max(waited.elapsed());
        had += text.len();
        rest += &text;
        let whole = rest.rfind('\n').map_or(0, |end| end + 1);
        for line in rest[..whole].lines() {
            assert_eq!(line.parse::<u64>().unwrap(), next, "every line once, in order");
            next += 1;
        }
        rest.drain(..whole);
        if had % (10 * MIB as usize) < text.len() {
            most = most.max(rss_bytes(server.pid()));
            // It reads nothing, but it lives: on a slow machine it would be given up before all is written.
            stalled.send_frame(PONG, b"");
        }
    }
    assert_eq!(had, writer.join().unwrap(), "everything that was written");
    let grown = most.saturating_sub(before);
    assert!(grown <= 8 * MIB, "the server grew by {grown} bytes");
    assert!(slowest < SOON, "the reader once waited {slowest:?}");
    // The stalled viewer wakes up and has lost nothing either: it reads on from the file.
    assert_eq!(next_text(&mut stalled), warm_up);
    let mut expected = 0u64;
    let mut rest = String::new();
    while expected < 100_000 {
        rest += &next_text(&mut stalled);
        let whole = rest.rfind('\n').map_or(0, |end| end + 1);
        for line in rest[..whole].lines() {
            assert_eq!(line.parse::<u64>().unwrap(), expected, "the stalled viewer gets every line too");
            expected += 1;
        }
        rest.drain(..whole);
    }
}

/// The next text; a ping before it is answered.
fn next_text(raw: &mut Raw) -> String {
    loop {
        match raw.read_frame() {
            (TEXT, text) => return String::from_utf8(text).unwrap(),
            (PING, payload) => raw.send_frame(PONG, &payload),
            (other, payload) => panic!("{other:#x} {payload:?}"),
        }
    }
}

/// How much the server grows by forty peers, connected by `connect`, who say `shout` until one read of the server is
/// filled, and never look at the answers. A fresh viewer is served meanwhile.
fn memory_taken_by_forty_who_never_read(connect: impl Fn(SocketAddr) -> Raw, shout: &[u8]) -> u64 {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    fs::write(&path, "hello\n").unwrap();
    let server = Server::start(&[path.to_str().unwrap()]);
    let before = rss_bytes(server.pid());
    let shout = shout.repeat((64 << 10) / shout.len());
    let crowd: Vec<Raw> = (0..40)
        .map(|_| {
            let mut raw = connect(server.addr());
            raw.send_raw(&shout);
            raw
        })
        .collect();
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    viewer.lines_until(|lines| lines == ["hello"], SOON);
    let taken = rss_bytes(server.pid()).saturating_sub(before);
    drop(crowd);
    taken
}

#[test]
fn requests_sent_far_ahead_of_the_answers_cost_no_memory() {
    let request = b"GET /view.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let taken = memory_taken_by_forty_who_never_read(Raw::open, request);
    assert!(taken <= 12 * MIB, "forty clients that never read cost {taken} bytes");
}

#[test]
fn a_viewer_that_shouts_and_never_reads_is_not_answered_without_end() {
    let protocol = [("Sec-WebSocket-Protocol", "wiretail.v1")];
    let nonsense = frame(TEXT, b"?");
    let connect = |addr| Raw::connect_with(addr, "/tail/app.log", &protocol);
    let taken = memory_taken_by_forty_who_never_read(connect, &nonsense);
    assert!(taken <= 12 * MIB, "forty viewers that never read cost {taken} bytes");
}

#[test]
fn ten_thousand_half_open_handshakes_leave_room_and_are_gone_after_the_deadline() {
    const HALF_OPEN: usize = 10_000;
    raise_descriptor_limit();
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    fs::write(&path, "hello\n").unwrap();
    let server = Server::start(&[path.to_str().unwrap()]);
    let before = rss_bytes(server.pid());
    let crowd: Vec<TcpStream> = (0..HALF_OPEN)
        .map(|number| {
            let mut stream = TcpStream::connect_timeout(&server.addr(), SOON).unwrap();
            // Some say nothing, some stop in the middle.
            if number % 2 == 0 {
                stream.write_all(b"GET /tail/app.log HTTP/1.1\r\nHost: local").unwrap();
            }
            stream
        })
        .collect();
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    viewer.lines_until(|lines| lines == ["hello"], SOON);
    let grown = rss_bytes(server.pid()).saturating_sub(before);
    assert!(grown <= 64 * MIB, "ten thousand half-open connections cost {grown} bytes");

    // Five seconds after it was accepted, each is gone: 408 for those who had begun, and a plain end for all. Not counted
    // from the first of them: on a busy machine it takes its time to connect so many.
    let deadline = Instant::now() + Duration::from_secs(30);
    for (number, mut stream) in crowd.into_iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).unwrap();
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            // Those evicted to make room went without a word.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("connection {number} is still there: {error}"),
        }
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 408 "),
            "{:?}",
            String::from_utf8_lossy(&answer)
        );
    }
    let sockets = || {
        let entries = fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
        entries
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .filter(|path| path.to_string_lossy().starts_with("socket:"))
            .count()
    };
    until("the server's own sockets to be closed", SOON, || (sockets() < 10).then_some(()));
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"still here\n").unwrap();
    viewer.lines_until(|lines| lines == ["hello", "still here"], SOON);
}

fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
        .expect("a process may raise its own soft limit");
    let most = limit.maximum.unwrap_or(u64::MAX);
    assert!(most >= 10_100, "this test needs 10,100 descriptors; the hard limit is {most} (ulimit -Hn)");
}

#[test]
fn all_echoes_together_hold_a_quarter_of_a_gigabyte_and_no_more() {
    const UNFINISHED: usize = 15 << 20;
    let server = Server::start(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    let begun = &frame(0x02, &vec![b'x'; UNFINISHED]);
    let mut hoarders: Vec<Raw> = Vec::new();
    // 17 of them are within the bound, and the 18th goes beyond it.
    for _ in 0..17 {
        let mut raw = Raw::connect(server.addr(), "/ws/echo");
        raw.send_raw(begun);
        raw.send_frame(PING, b"all of it?");
        assert_eq!(raw.read_frame(), (PONG, b"all of it?".to_vec()));
        hoarders.push(raw);
    }
    let mut last = Raw::connect(server.addr(), "/ws/echo");
    // The server may hang up before it has taken everything.
    let _ = last.try_send_raw(begun);
    assert!(!last.expect_close(1013).is_empty());
    let mut modest = Raw::connect(server.addr(), "/ws/echo");
    modest.send_text("small things still go");
    assert_eq!(modest.read_text(), "small things still go");

    let most = rss_bytes(server.pid());
    assert!(most < 600 * MIB, "{} MiB", most / MIB);
    drop(hoarders);
    until("what the hoarders held to be free again", SOON, || {
        let mut raw = Raw::connect(server.addr(), "/ws/echo");
        raw.send_frame(BINARY, &[b'x'; 2 << 20]);
        (raw.read_frame().0 == BINARY).then_some(())
    });
}
