//! §4.2 and §9.1: which requests are upgraded, and how the others are answered.

use std::io::Write;
use std::net::SocketAddr;

use super::support::ws::{Head, PING, PONG, Raw, TEXT, frame, upgrade_request};
use super::{echo, server};

/// What the server answers to the upgrade request at `addr` after `change`.
fn answer(addr: SocketAddr, change: impl Fn(&str) -> String) -> Head {
    let request = upgrade_request(addr, "/ws/echo", &[]);
    let changed = change(&request);
    assert_ne!(changed, request, "the change must change something");
    let mut raw = Raw::open(addr);
    raw.send_raw(changed.as_bytes());
    raw.read_head()
}

/// What the server answers if `from` in the request is replaced by `to`.
fn answer_with(addr: SocketAddr, from: &str, to: &str) -> Head {
    answer(addr, |request| request.replace(from, to))
}

/// Checks many changed requests, each on its own connection to one server.
fn statuses(status: u16, changes: &[(&str, &str)]) {
    let server = server();
    for (from, to) in changes {
        let head = answer_with(server.addr(), from, to);
        assert_eq!(head.status, status, "{from:?} -> {to:?}");
        assert_eq!(head.fields.get("Sec-WebSocket-Accept").is_some(), status == 101);
    }
}

const HOST: &str = "Host: ";
const UPGRADE: &str = "Upgrade: websocket\r\n";
const CONNECTION: &str = "Connection: Upgrade\r\n";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";

#[test]
fn s1_3_the_example_is_answered_with_the_value_in_the_rfc() {
    let (_server, raw) = echo();
    let all = |name| raw.head.fields.all(name).collect::<Vec<_>>();
    assert_eq!(raw.head.status, 101);
    assert_eq!(all("Upgrade"), ["websocket"]);
    assert_eq!(all("Connection"), ["Upgrade"]);
    assert_eq!(all("Sec-WebSocket-Accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
    assert_eq!(all("Content-Length"), [""; 0], "a 101 has no body (RFC 9110 §8.6)");
}

#[test]
fn s4_2_1_the_request_must_be_a_get_of_http_1_1() {
    statuses(405, &[("GET", "POST")]);
    statuses(400, &[("HTTP/1.1", "HTTP/1.0"), ("GET ", "GET  "), ("GET /ws/echo ", "GET ws/echo ")]);
    statuses(505, &[("HTTP/1.1", "HTTP/2.0"), ("HTTP/1.1", "HTTP/0.9")]);
}

#[test]
fn s4_2_1_the_target_may_be_absolute() {
    let server = server();
    let absolute = format!("GET http://{}/ws/echo ", server.addr());
    assert_eq!(answer_with(server.addr(), "GET /ws/echo ", &absolute).status, 101);
}

#[test]
fn s4_2_1_there_must_be_one_host() {
    statuses(
        400,
        &[
            (HOST, "Hast: "),
            (HOST, "Host: 127.0.0.1\r\nHost: "),
            (HOST, "Host: a b "),
            (HOST, "Host: user@"),
            (HOST, "Host : "),
        ],
    );
}

#[test]
fn s4_2_1_upgrade_must_name_websocket() {
    statuses(426, &[(UPGRADE, ""), (UPGRADE, "Upgrade: websockets\r\n"), (UPGRADE, "Upgrade: h2c\r\n")]);
    statuses(
        101,
        &[
            (UPGRADE, "UPGRADE: WebSocket\r\n"),
            (UPGRADE, "upgrade:websocket\r\n"),
            (UPGRADE, "Upgrade: h2c, websocket\r\n"),
            (UPGRADE, "Upgrade: h2c\r\nUpgrade:\twebsocket \r\n"),
        ],
    );
}

#[test]
fn s4_2_1_connection_must_name_upgrade() {
    statuses(400, &[(CONNECTION, ""), (CONNECTION, "Connection: keep-alive\r\n")]);
    statuses(
        101,
        &[
            (CONNECTION, "connection: UPGRADE\r\n"),
            (CONNECTION, "Connection: keep-alive, Upgrade\r\n"),
            (CONNECTION, "Connection: keep-alive\r\nConnection: upgrade\r\n"),
            (CONNECTION, "Connection: ,, upgrade ,\r\n"),
        ],
    );
}

#[test]
fn s4_2_1_the_key_must_be_16_bytes_in_base64_once() {
    let with = |key: &str| format!("Sec-WebSocket-Key: {key}\r\n");
    let twice = KEY.repeat(2);
    let bad = [
        String::new(),
        twice,
        with(""),
        with("dGhlIHNhbXBsZSBub25jZQ"),
        with("dGhlIHNhbXBsZSBub25jZR=="),
        with("dGhlIHNhbXBsZSBub25jZSE="),
        with("dGhlIHNhbXBsZSBub25j"),
        with("dGhlIHNhbXBsZSBub25jZ-=="),
        with("dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let changes: Vec<(&str, &str)> = bad.iter().map(|bad| (KEY, bad.as_str())).collect();
    statuses(400, &changes);
}

#[test]
fn s4_4_another_version_is_told_that_we_speak_13() {
    let server = server();
    for version in [
        "",
        "Sec-WebSocket-Version: 8\r\n",
        "Sec-WebSocket-Version: 14\r\n",
        "Sec-WebSocket-Version: 013\r\n",
        "Sec-WebSocket-Version: 13, 8\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13\r\n",
    ] {
        let head = answer_with(server.addr(), VERSION, version);
        assert_eq!(head.status, 426, "{version:?}");
        assert_eq!(head.fields.get("Sec-WebSocket-Version"), Some("13"), "{version:?}");
        assert_eq!(head.fields.get("Upgrade"), Some("websocket"), "RFC 9110 §15.5.22");
    }
}

#[test]
fn s4_1_protocols_are_tokens_and_unique() {
    let server = server();
    for bad in ["a, a", "a b", "a/b", "", ",", "a\r\nSec-WebSocket-Protocol: a"] {
        let field = format!("{VERSION}Sec-WebSocket-Protocol: {bad}\r\n");
        assert_eq!(answer_with(server.addr(), VERSION, &field).status, 400, "{bad:?}");
    }
}

#[test]
fn s4_2_2_a_protocol_that_means_nothing_here_is_not_agreed_to() {
    let server = server();
    let field = format!("{VERSION}Sec-WebSocket-Protocol: one, two\r\n");
    let head = answer_with(server.addr(), VERSION, &field);
    assert_eq!((head.status, head.fields.get("Sec-WebSocket-Protocol")), (101, None));
}

#[test]
fn s9_1_extensions_are_read_by_their_grammar_and_unknown_ones_left_out() {
    let server = server();
    for (offer, status) in [
        ("x-unknown", 101),
        ("x-unknown; a; b=1; c=\"2\", x-other", 101),
        ("constructor, __proto__", 101),
        ("a b", 400),
        ("a;", 400),
        ("a; b=", 400),
        ("a; b=\"1 2\"", 400),
        ("a; b=\"1", 400),
        ("", 400),
    ] {
        let field = format!("{VERSION}Sec-WebSocket-Extensions: {offer}\r\n");
        let head = answer_with(server.addr(), VERSION, &field);
        assert_eq!(head.status, status, "{offer:?}");
        assert_eq!(head.fields.get("Sec-WebSocket-Extensions"), None, "{offer:?}");
    }
}

#[test]
fn s4_2_names_of_fields_and_tokens_have_no_case() {
    let server = server();
    let lower = |request: &str| {
        let (line, fields) = request.split_once("\r\n").expect("a request line");
        let one = |field: &str| match field.split_once(": ") {
            Some((name, value)) if name == "Sec-WebSocket-Key" => format!("{}: {value}", name.to_lowercase()),
            _ => field.to_lowercase(),
        };
        let fields: Vec<String> = fields.split("\r\n").map(one).collect();
        format!("{line}\r\n{}", fields.join("\r\n"))
    };
    assert_eq!(answer(server.addr(), lower).status, 101);
}

#[test]
fn a_request_with_a_body_is_refused() {
    let with = |field: &str| format!("{VERSION}{field}\r\n");
    statuses(413, &[(VERSION, &with("Content-Length: 5")), (VERSION, &with("Transfer-Encoding: chunked"))]);
    statuses(
        400,
        &[
            (VERSION, &with("Content-Length: five")),
            (VERSION, &with("Content-Length: 0\r\nContent-Length: 0")),
            (VERSION, &with("Content-Length: 0\r\nTransfer-Encoding: chunked")),
        ],
    );
    statuses(101, &[(VERSION, &with("Content-Length: 0"))]);
}

#[test]
fn lines_end_in_cr_and_lf_and_are_not_folded() {
    statuses(
        400,
        &[
            ("\r\n", "\n"),
            (UPGRADE, "Upgrade: websocket\n"),
            (UPGRADE, "Upgrade: web\rsocket\r\n"),
            (UPGRADE, "Upgrade:\r\n websocket\r\n"),
            (UPGRADE, "Upgrade: websocket\r\n\tx\r\n"),
            (UPGRADE, "Upgrade : websocket\r\n"),
            (UPGRADE, "Upgrade: websocket\0\r\n"),
            (UPGRADE, "Upgrade: websocket\r\nno colon\r\n"),
        ],
    );
}

#[test]
fn a_head_beyond_the_limits_is_refused_and_the_connection_closed() {
    let server = server();
    let long = "x".repeat(9000);
    let fields = "X: y\r\n".repeat(65);
    for (status, from, to) in [
        (414, "/ws/echo", format!("/ws/echo?{long}")),
        (431, VERSION, format!("{VERSION}X: {long}\r\n")),
        (431, VERSION, format!("{fields}{VERSION}")),
    ] {
        let request = upgrade_request(server.addr(), "/ws/echo", &[]).replace(from, &to);
        let mut raw = Raw::open(server.addr());
        // The answer may come before all of it is read.
        let _ = raw.stream().write_all(request.as_bytes());
        let head = raw.read_head();
        assert_eq!((head.status, head.fields.get("Connection")), (status, Some("close")));
        raw.read_to_eof();
    }
}

#[test]
fn the_handshake_may_come_byte_by_byte() {
    let server = server();
    let mut raw = Raw::open(server.addr());
    for byte in upgrade_request(server.addr(), "/ws/echo", &[]).bytes() {
        raw.send_raw(&[byte]);
    }
    assert_eq!(raw.read_head().status, 101);
    for byte in frame(TEXT, b"one at a time") {
        raw.send_raw(&[byte]);
    }
    assert_eq!(raw.read_text(), "one at a time");
}

#[test]
fn the_handshake_may_be_cut_anywhere() {
    let server = server();
    let request =
        [upgrade_request(server.addr(), "/ws/echo", &[]).into_bytes(), frame(TEXT, b"behind")].concat();
    for cut in (1..request.len()).step_by(7) {
        let mut raw = Raw::open(server.addr());
        raw.send_raw(&request[..cut]);
        raw.send_raw(&request[cut..]);
        assert_eq!(raw.read_head().status, 101, "cut at {cut}");
        assert_eq!(raw.read_text(), "behind", "cut at {cut}");
    }
}

#[test]
fn frames_in_the_same_piece_as_the_request_are_answered_behind_the_101() {
    let server = server();
    let mut raw = Raw::open(server.addr());
    let request = upgrade_request(server.addr(), "/ws/echo", &[]).into_bytes();
    raw.send_raw(&[request, frame(PING, b"early"), frame(TEXT, b"bird")].concat());
    assert_eq!(raw.read_head().status, 101);
    assert_eq!(raw.read_frame(), (PONG, b"early".to_vec()));
    assert_eq!(raw.read_text(), "bird");
}

#[test]
fn frames_behind_a_refused_request_are_not_echoed() {
    let server = server();
    let mut raw = Raw::open(server.addr());
    let request = upgrade_request(server.addr(), "/ws/echo", &[]).replace(HOST, "Hast: ").into_bytes();
    raw.send_raw(&[request, frame(TEXT, b"early")].concat());
    assert_eq!(raw.read_head().status, 400);
    let rest = raw.read_to_eof();
    assert!(!rest.windows(5).any(|five| five == b"early"));
}

#[test]
fn an_empty_line_before_the_request_is_ignored() {
    statuses(101, &[("GET ", "\r\nGET ")]);
}
