//! Bodies: slow ones, long ones, and those whose length is not what it is said to be. Nobody may write to the log they are
//! sent to, so a body that was taken is answered 403, once it has come; how it would be understood is in `tests/rooms.rs`.

use std::io::Write;
use std::time::{Duration, Instant};

use super::support::rss_bytes;
use super::support::ws::Raw;
use super::{MIB, Scene};

/// The time within which a request must be complete, its body included.
const WITHIN: Duration = Duration::from_secs(5);
/// The longest body.
const MOST: usize = 16 * 1024;

const WHOLE: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn post(fields: &str) -> String {
    format!("POST /tail/app.log HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

/// The statuses of everything that is answered to these words, until the connection is closed.
#[track_caller]
fn statuses(scene: &Scene, words: &[u8]) -> Vec<u16> {
    let mut raw = Raw::open(scene.addr());
    raw.send_raw(words);
    raw.finish();
    let answers = String::from_utf8(raw.read_to_eof()).expect("answers are text");
    let lines = answers.split("HTTP/1.1 ").skip(1);
    lines.map(|line| line[..3].parse().expect("a status")).collect()
}

#[test]
fn whoever_does_not_finish_a_body_is_gone_five_seconds_after_the_beginning() {
    let mut scene = Scene::new();
    let start = Instant::now();
    let mut slow: Vec<Raw> = Vec::new();
    for fields in ["Content-Length: 100\r\n", "Content-Length: 16384\r\n", "Transfer-Encoding: chunked\r\n"] {
        for words in ["", "1", "1\r\nx"] {
            let mut raw = Raw::open(scene.addr());
            raw.send_raw((post(fields) + words).as_bytes());
            slow.push(raw);
        }
    }
    // One byte now and then keeps nobody alive.
    let mut trickling = Raw::open(scene.addr());
    trickling.send_raw(post("Content-Length: 100\r\n").as_bytes());
    for _ in 0..30 {
        std::thread::sleep(Duration::from_millis(100));
        trickling.send_raw(b"x");
    }
    slow.push(trickling);
    for mut raw in slow {
        assert_eq!(raw.read_head().status, 408);
        let after = start.elapsed();
        assert!(after > WITHIN - Duration::from_millis(500), "given up after {after:?}");
        assert!(after < WITHIN + Duration::from_millis(2500), "given up after {after:?}");
    }
    scene.others_notice_nothing();
}

#[test]
fn a_body_in_time_is_heard_however_it_comes() {
    let mut scene = Scene::new();
    let most = "x".repeat(MOST);
    let chunked: String =
        most.as_bytes().chunks(1000).map(|_| format!("3e8\r\n{}\r\n", &most[..1000])).collect();
    let chunked = &chunked[..16 * (5 + 1000 + 2)];
    for words in [
        post("Content-Length: 16384\r\n") + &most,
        post("Transfer-Encoding: chunked\r\n") + chunked + "0\r\nTrailer: x\r\n\r\n",
        post(""),
        post("Content-Length: 0\r\n"),
    ] {
        for size in [1, 4096, 100_000] {
            let mut raw = Raw::open(scene.addr());
            if size == 1 {
                let (first, last) = words.as_bytes().split_at(words.len().saturating_sub(200));
                raw.send_raw(first);
                last.iter().for_each(|&byte| raw.send_raw(&[byte]));
            } else {
                words.as_bytes().chunks(size).for_each(|piece| raw.send_raw(piece));
            }
            let head = raw.read_head();
            assert_eq!(head.status, 403, "{:?}", &words[..100.min(words.len())]);
            // It is answered, and the next request is where it ends.
            let len = head.fields.get("Content-Length").expect("a length").parse().expect("a number");
            raw.read_exactly(len);
            raw.send_raw(WHOLE.as_bytes());
            assert_eq!(raw.read_head().status, 200);
        }
    }
    scene.others_notice_nothing();
}

#[test]
fn a_client_that_waits_to_be_told_is_told() {
    let mut scene = Scene::new();
    let mut raw = Raw::open(scene.addr());
    raw.send_raw(post("Content-Length: 5\r\nExpect: 100-continue\r\n").as_bytes());
    assert_eq!(raw.read_head().status, 100);
    raw.send_raw(b"hello");
    assert_eq!(raw.read_head().status, 403);
    for (fields, status) in
        [("Content-Length: 16385\r\n", 413), ("Content-Length: 5\r\nContent-Length: 5\r\n", 400)]
    {
        let mut raw = Raw::open(scene.addr());
        raw.send_raw(post(&format!("{fields}Expect: 100-continue\r\n")).as_bytes());
        assert_eq!(raw.read_head().status, status, "{fields:?}: the answer comes instead");
        raw.read_to_eof();
    }
    scene.others_notice_nothing();
}

#[test]
fn a_length_that_lies_hides_no_request() {
    let mut scene = Scene::new();
    let post = |fields: &str, body: &str| (post(fields) + body).into_bytes();
    let length = |length: usize| format!("Content-Length: {length}\r\n");
    // What lies in the body is no request, and what lies behind it is one.
    let inside = [WHOLE, WHOLE].concat();
    assert_eq!(statuses(&scene, &post(&length(WHOLE.len()), &inside)), [403, 200]);
    let chunks = format!("{:x}\r\n{WHOLE}\r\n0\r\n\r\n{WHOLE}", WHOLE.len());
    assert_eq!(statuses(&scene, &post("Transfer-Encoding: chunked\r\n", &chunks)), [403, 200]);
    // Longer than what comes: there is never an answer to half a request.
    assert_eq!(statuses(&scene, &post(&length(WHOLE.len() + 1), WHOLE)), [] as [u16; 0]);
    // Shorter: the rest is the next request, which it is not.
    assert_eq!(statuses(&scene, &post(&length(3), "hello\r\n\r\n")), [403, 400]);
    // Said in two ways: nobody looks at what follows.
    let both = "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n";
    for fields in
        [both, "Content-Length: 5\r\nContent-Length: 6\r\n", "Transfer-Encoding: chunked, identity\r\n"]
    {
        assert_eq!(statuses(&scene, &post(fields, &format!("0\r\n\r\n{WHOLE}"))), [400], "{fields:?}");
    }
    for chunks in ["0\r\n\n", "0\n\r\n", "1\r\nab", "g\r\n", "1 \r\na"] {
        let words = post("Transfer-Encoding: chunked\r\n", &format!("{chunks}{WHOLE}"));
        assert_eq!(statuses(&scene, &words), [400], "{chunks:?}");
    }
    // Where nobody wants a body, there is none.
    let elsewhere = format!(
        "POST /api/logs HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{WHOLE}",
        WHOLE.len()
    );
    assert_eq!(statuses(&scene, elsewhere.as_bytes()), [413]);
    scene.others_notice_nothing();
}

#[test]
fn megabytes_of_body_are_refused_at_the_head_or_after_sixteen_kibibytes() {
    let mut scene = Scene::new();
    let memory = rss_bytes(scene.server.pid());
    for (what, fields, first, again) in [
        ("a length", "Content-Length: 1048576\r\n", "", "x"),
        ("the longest length", "Content-Length: 18446744073709551615\r\n", "", "x"),
        ("a length beyond", "Content-Length: 99999999999999999999999\r\n", "", "x"),
        ("one chunk", "Transfer-Encoding: chunked\r\n", "100000\r\n", "x"),
        ("many chunks", "Transfer-Encoding: chunked\r\n", "", "3e8\r\n0123456789\r\n"),
        ("chunks of a byte", "Transfer-Encoding: chunked\r\n", "", "1\r\nx\r\n"),
        ("an extension", "Transfer-Encoding: chunked\r\n", "1;", "x"),
        ("a size in many digits", "Transfer-Encoding: chunked\r\n", "", "0"),
        ("a trailer", "Transfer-Encoding: chunked\r\n", "0\r\n", "x: y\r\n"),
    ] {
        let again =
            if what == "many chunks" { format!("3e8\r\n{}\r\n", "x".repeat(1000)) } else { again.to_owned() };
        let mut raw = Raw::open(scene.addr());
        raw.send_raw((post(fields) + first).as_bytes());
        let mut pen = raw.stream().try_clone().expect("a socket can be cloned");
        let writer = std::thread::spawn(move || {
            let block = again.repeat(64 * 1024 / again.len());
            // The server may be gone before all is said.
            (0..160).try_for_each(|_| pen.write_all(block.as_bytes()))
        });
        assert_eq!(raw.read_head().status, 413, "{what}");
        let _ = writer.join().expect("the writer does not panic");
    }
    scene.others_notice_nothing();
    let more = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(more < 4 * MIB, "{more} bytes of memory");
}
