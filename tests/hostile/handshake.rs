//! The opening handshake, sinned against. Each sin is answered with its status, or with silence, and the connection
//! ends; what `tests/rfc6455/handshake.rs` plays rule by rule is not played here again.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use super::support::ws::{BINARY, PING, PONG, Raw, TEXT, frame, http_get, upgrade_request};
use super::support::{SOON, cpu_time, rss_bytes};
use super::{MIB, Scene};

/// What the server allows for a whole head.
const MAX_HEAD: usize = 8 * 1024;
/// The time within which a head must be complete.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// A right request, with more lines at its end.
fn request_with(scene: &Scene, lines: &str) -> String {
    let request = upgrade_request(scene.addr(), "/ws/echo", &[]);
    format!("{}{lines}\r\n", request.strip_suffix("\r\n").expect("a head ends in an empty line"))
}

/// Reads until the server closes, by a FIN or, where it had not read everything, by a reset.
#[track_caller]
fn end_of(raw: &Raw) -> Vec<u8> {
    let mut rest = raw.unread().to_vec();
    let mut stream = raw.stream();
    stream.set_read_timeout(Some(SOON)).expect("a socket option");
    match stream.read_to_end(&mut rest) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("not closed: {error}"),
        _ => rest,
    }
}

#[test]
fn what_is_no_request_is_told_so_and_sent_away() {
    let mut scene = Scene::new();
    for (status, what, words) in [
        (400, "a greeting of TLS", &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..]),
        (400, "a greeting of SOCKS 5", b"\x05\x01\x00"),
        (400, "a greeting of SSH", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        (505, "HTTP/2 without being asked", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (400, "HTTP/0.9", b"GET /\r\n\r\n"),
        (400, "SMTP", b"EHLO localhost\r\n\r\n"),
        (400, "a response", b"HTTP/1.1 200 OK\r\n\r\n"),
        (400, "nothing at all, in four lines of LF", b"\n\n\n\n"),
        (400, "a NUL", b"GET /\0 HTTP/1.1\r\n\r\n"),
        (400, "a terminal's escape", b"GET /\x1b[2J HTTP/1.1\r\n\r\n"),
    ] {
        let mut raw = Raw::open(scene.addr());
        raw.send_raw(words);
        let head = raw.read_head();
        assert_eq!((head.status, head.fields.get("Connection")), (status, Some("close")), "{what}");
        // Whatever of the request stands in the answer is text, and no browser may think otherwise.
        assert_eq!(head.fields.get("Content-Type"), Some("text/plain; charset=utf-8"), "{what}");
        assert_eq!(head.fields.get("X-Content-Type-Options"), Some("nosniff"), "{what}");
        raw.read_to_eof();
    }
    scene.others_notice_nothing();
}

#[test]
fn what_lies_behind_a_refused_request_is_not_a_request() {
    let mut scene = Scene::new();
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (status, lines) in [
        (413, format!("Content-Length: {}\r\n", smuggled.len())),
        (413, "Content-Length: 18446744073709551616\r\n".to_owned()),
        (413, "Transfer-Encoding: chunked\r\n".to_owned()),
        (400, "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n".to_owned()),
        (413, "Expect: 100-continue\r\nContent-Length: 5\r\n".to_owned()),
        (400, "Content-Length: -1\r\n".to_owned()),
        (400, "Content-Length: 0, 44\r\n".to_owned()),
        (400, "Transfer-Encoding : chunked\r\n".to_owned()),
        (400, "Host: localhost\r\n".to_owned()),
        (400, " folded\r\n".to_owned()),
    ] {
        let mut raw = Raw::open(scene.addr());
        let request = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n{smuggled}");
        raw.send_raw(request.as_bytes());
        assert_eq!(raw.read_head().status, status, "{lines:?}");
        let rest = String::from_utf8(raw.read_to_eof()).expect("an answer is text");
        assert!(!rest.contains("HTTP/1.1"), "{lines:?} has a second answer: {rest}");
    }
    scene.others_notice_nothing();
}

#[test]
fn twenty_megabytes_of_head_are_refused_after_eight_kibibytes() {
    for (status, what, first, again) in [
        (431, "one field", "GET / HTTP/1.1\r\nHost: localhost\r\nX: ", "x"),
        (431, "fields", "GET / HTTP/1.1\r\n", "Upgrade: websocket\r\n"),
        (414, "a target", "GET /", "x"),
        (414, "a method", "", "GET"),
        (414, "empty lines", "", "\r\n"),
    ] {
        let mut scene = Scene::new();
        let (memory, time) = (rss_bytes(scene.server.pid()), cpu_time(scene.server.pid()));
        let mut raw = Raw::open(scene.addr());
        raw.send_raw(first.as_bytes());
        let start = Instant::now();
        let mut pen = raw.stream().try_clone().expect("a socket can be cloned");
        let writer = std::thread::spawn(move || {
            let block = again.repeat(64 * 1024 / again.len());
            // The server may be gone before all is said.
            (0..320).try_for_each(|_| pen.write_all(block.as_bytes()))
        });
        assert_eq!(raw.read_head().status, status, "{what}");
        end_of(&raw);
        let _ = writer.join().expect("the writer does not panic");
        assert!(start.elapsed() < SOON, "{what}: gone after {:?}", start.elapsed());
        let (memory, time) = (
            rss_bytes(scene.server.pid()).saturating_sub(memory),
            cpu_time(scene.server.pid()).saturating_sub(time),
        );
        assert!(memory <= MIB, "{what}: {memory} bytes");
        assert!(time <= Duration::from_secs(1), "{what}: {time:?} of computing");
        scene.others_notice_nothing();
    }
}

#[test]
fn the_longest_head_that_is_allowed_may_come_byte_by_byte() {
    let mut scene = Scene::new();
    let bare = request_with(&scene, "X: \r\n").len();
    let request = request_with(&scene, &format!("X: {}\r\n", "x".repeat(MAX_HEAD - bare)));
    assert_eq!(request.len(), MAX_HEAD);
    let time = cpu_time(scene.server.pid());
    let mut raw = Raw::open(scene.addr());
    for byte in request.bytes() {
        raw.send_raw(&[byte]);
    }
    assert_eq!(raw.read_head().status, 101);
    let time = cpu_time(scene.server.pid()).saturating_sub(time);
    assert!(time <= Duration::from_secs(2), "{time:?} of computing for one handshake");
    scene.others_notice_nothing();
}

#[test]
fn the_last_field_that_is_allowed_counts_and_one_more_is_refused() {
    let scene = Scene::new();
    // Five fields are those of the handshake itself, and the one without which it is none stands last.
    let request = upgrade_request(scene.addr(), "/ws/echo", &[]);
    let request = request.strip_suffix("\r\n").expect("an empty line").replace("Upgrade: websocket\r\n", "");
    for (fields, status) in [(64, 101), (65, 431), (124, 431), (200, 431)] {
        let mut raw = Raw::open(scene.addr());
        let more = "X: y\r\n".repeat(fields - 5);
        raw.send_raw(format!("{request}{more}Upgrade: websocket\r\n\r\n").as_bytes());
        assert_eq!(raw.read_head().status, status, "{fields} fields");
    }
}

#[test]
fn a_name_is_data_whatever_it_says_and_however_long_it_is() {
    let mut scene = Scene::new();
    let time = cpu_time(scene.server.pid());
    let (spaces, many) = (" ".repeat(7000), 7000);
    for (status, field, value) in [
        (101, "Protocol", "constructor, __proto__, hasOwnProperty".to_owned()),
        (101, "Extensions", "constructor; __proto__=1, toString".to_owned()),
        (400, "Protocol", format!("b{spaces}x")),
        (101, "Protocol", format!("b{spaces},{spaces}x").replace(&spaces, &" ".repeat(3500))),
        (101, "Protocol", format!("b{}", ",".repeat(many))),
        (101, "Protocol", (0..1500).map(|number| format!("{number},")).collect()),
        (400, "Extensions", format!("b{spaces}x")),
        (400, "Extensions", format!("b; c=\"{}\"", "\\".repeat(many + 1))),
        (400, "Extensions", format!("b{}", ";".repeat(many))),
        (101, "Extensions", format!("b{}", ";c".repeat(many / 2))),
        (101, "Extensions", format!("b{}", ",permessage-deflate2".repeat(many / 20))),
        (400, "Key", spaces.clone()),
        (400, "Key", "A".repeat(many)),
        (426, "Version", "9".repeat(many)),
    ] {
        let mut raw = Raw::open(scene.addr());
        let name = format!("Sec-WebSocket-{field}");
        raw.send_raw(upgrade_request(scene.addr(), "/ws/echo", &[(&name, &value)]).as_bytes());
        let head = raw.read_head();
        assert_eq!(head.status, status, "{name}: {value:.40}");
        assert_eq!(head.fields.get("Sec-WebSocket-Protocol"), None, "{value:.40}");
        assert_eq!(head.fields.get("Sec-WebSocket-Extensions"), None, "{value:.40}");
    }
    for name in ["constructor", "__proto__", "%5f%5fproto%5f%5f", "toString", "<script>alert(1)</script>"] {
        let (status, fields, body) = http_get(scene.addr(), &format!("/tail/{name}"), &[]);
        assert_eq!((status, fields.get("Content-Type")), (404, Some("text/plain; charset=utf-8")), "{name}");
        assert!(!String::from_utf8_lossy(&body).contains("script"), "the name is not repeated");
    }
    let time = cpu_time(scene.server.pid()).saturating_sub(time);
    assert!(time <= Duration::from_secs(1), "{time:?} of computing");
    scene.others_notice_nothing();
}

#[test]
fn another_sites_page_opens_no_stream_whatever_it_says_about_itself() {
    let mut scene = Scene::new();
    let (addr, port) = (scene.addr(), scene.addr().port());
    let (own, other_port) = (format!("http://{addr}"), format!("http://127.0.0.1:{}", port ^ 1));
    let rebound = format!("evil.example:{port}");
    let rebound_origin = format!("http://{rebound}");
    let [looks_like, with_user] =
        ["127.0.0.1.evil.example", "127.0.0.1@evil.example"].map(|host| format!("http://{host}:{port}"));
    for fields in [
        &[("Origin", "http://evil.example")][..],
        &[("Origin", "null")],
        &[("Origin", "")],
        &[("Origin", "file://")],
        &[("Origin", "http://192.168.1.7")],
        &[("Origin", "http://127.0.0.1")],
        &[("Origin", &other_port)],
        &[("Origin", &looks_like)],
        &[("Origin", &with_user)],
        &[("Origin", &own), ("Origin", "http://evil.example")],
        &[("Host", ""), ("Origin", "http://evil.example")],
        // DNS rebinding: the two agree with each other, but not with us.
        &[("Host", &rebound), ("Origin", &rebound_origin)],
        &[("Host", &rebound)],
    ] {
        for target in ["/ws/echo", "/tail/app.log"] {
            let mut raw = Raw::open(addr);
            let frames = frame(TEXT, b"ping");
            raw.send_raw(&[upgrade_request(addr, target, fields).as_bytes(), &frames].concat());
            assert_eq!(raw.read_head().status, 403, "{fields:?}");
            let rest = String::from_utf8(raw.read_to_eof()).expect("a refusal is text");
            assert!(!rest.contains("the first line") && !rest.contains("pong"), "{fields:?}: {rest}");
        }
    }
    let mut own_page = Raw::connect_with(addr, "/ws/echo", &[("Origin", &own)]);
    own_page.send_text("hello");
    assert_eq!(own_page.read_text(), "hello");
    scene.others_notice_nothing();
}

#[test]
fn a_thousand_frames_behind_the_request_are_answered_behind_the_101_in_order() {
    let mut scene = Scene::new();
    let mut raw = Raw::open(scene.addr());
    let mut words = upgrade_request(scene.addr(), "/ws/echo", &[]).into_bytes();
    for number in 0..500u16 {
        words.extend(frame(PING, &number.to_be_bytes()));
        words.extend(frame(BINARY, &number.to_be_bytes()));
    }
    // And then a sin, which comes last.
    words.extend([0x81, 0x04]);
    words.extend(b"bare");
    raw.send_raw(&words);
    assert_eq!(raw.read_head().status, 101);
    for number in 0..500u16 {
        assert_eq!(raw.read_frame(), (PONG, number.to_be_bytes().to_vec()));
        assert_eq!(raw.read_frame(), (BINARY, number.to_be_bytes().to_vec()));
    }
    raw.expect_close(1002);
    raw.expect_eof();
    scene.others_notice_nothing();
}

#[test]
fn whoever_does_not_finish_a_request_is_gone_five_seconds_later() {
    let mut scene = Scene::new();
    let request = upgrade_request(scene.addr(), "/ws/echo", &[]);
    let whole = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let half = format!("{whole}{}", &whole[..20]);
    let mut slow: Vec<(&str, Raw, Instant)> = Vec::new();
    for words in ["", "G", "\r\n", &request[..40], &request[..request.len() - 1], whole, &half] {
        let mut raw = Raw::open(scene.addr());
        raw.send_raw(words.as_bytes());
        if words.starts_with(whole) {
            assert_eq!(raw.read_head().status, 200);
            assert_eq!(raw.read_exactly(3), b"ok\n");
        }
        slow.push((words, raw, Instant::now()));
    }
    // Slow, but in time.
    let mut late = Raw::open(scene.addr());
    for piece in request.as_bytes().chunks(request.len().div_ceil(12)) {
        std::thread::sleep(Duration::from_millis(250));
        late.send_raw(piece);
    }
    assert_eq!(late.read_head().status, 101);
    for (words, mut raw, since) in slow {
        // Those who had begun are told, those who had not are not.
        if words.is_empty() || words == whole {
            raw.expect_eof();
        } else {
            assert_eq!(raw.read_head().status, 408, "{words:?}");
            raw.read_to_eof();
        }
        let after = since.elapsed();
        assert!(after > HEAD_WITHIN - Duration::from_millis(500), "{words:?} was given {after:?}");
    }
    scene.others_notice_nothing();
}
