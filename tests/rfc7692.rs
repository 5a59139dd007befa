//! RFC 7692, permessage-deflate, through the door that users use: TCP connections to the program's `/ws/echo` and to a
//! log. Frames are the tests' own; only DEFLATE itself is the library's.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;

use support::ws::{CLOSE, PONG, Raw, TEXT};
use support::{Server, temp_dir};
use wiretail::ws::deflate::{Deflater, Inflater, WindowBits};

/// Set in the first frame of a compressed message (§6).
const RSV1: u8 = 0x40;
const PING: u8 = 0x89;

fn server() -> Server {
    Server::start(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
}

/// A WebSocket at `target` for which `offers` were made.
#[track_caller]
fn open(server: &Server, target: &str, offers: &str) -> Raw {
    Raw::connect_with(server.addr(), target, &[("Sec-WebSocket-Extensions", offers)])
}

/// What the server answered to the offers.
fn answer(raw: &Raw) -> Option<&str> {
    let mut lines = raw.head.fields.all("Sec-WebSocket-Extensions");
    let line = lines.next();
    assert_eq!(lines.next(), None, "one line is enough");
    line
}

/// What a payload says to an inflater that may have heard others before.
#[track_caller]
fn inflate(inflater: &mut Inflater, payload: &[u8]) -> String {
    let mut text = Vec::new();
    for part in [payload, &[0, 0, 0xff, 0xff]] {
        let mut out = vec![0; 1 << 20];
        let step = inflater.inflate(part, &mut out).expect("the server sends DEFLATE");
        assert_eq!(step.used, part.len());
        text.extend_from_slice(&out[..step.written]);
    }
    String::from_utf8(text).expect("text is UTF-8")
}

#[test]
fn s5_1_the_first_offer_that_fits_is_agreed_to_and_nothing_else() {
    let server = server();
    for (offers, expected) in [
        ("permessage-deflate", Some("permessage-deflate")),
        // What browsers say.
        ("permessage-deflate; client_max_window_bits", Some("permessage-deflate")),
        ("x-webkit-deflate-frame, permessage-deflate", Some("permessage-deflate")),
        (
            "permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=10",
            Some("permessage-deflate; server_max_window_bits=10"),
        ),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        ),
        // "by including the "server_max_window_bits" extension parameter" (§7.1.2.1), also where it limits nothing.
        (
            "permessage-deflate; server_max_window_bits=15",
            Some("permessage-deflate; server_max_window_bits=15"),
        ),
        ("permessage-deflate; mystery", None),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        ("constructor, __proto__; toString", None),
    ] {
        assert_eq!(answer(&open(&server, "/ws/echo", offers)), expected, "{offers}");
    }
    assert_eq!(answer(&Raw::connect(server.addr(), "/ws/echo")), None, "nobody gets what was not offered");
}

#[test]
fn s7_2_3_the_examples_of_the_rfc_are_understood() {
    let server = server();
    let mut raw = open(&server, "/ws/echo", "permessage-deflate");
    raw.send_frame(RSV1 | TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00");
    assert_eq!(raw.read_text(), "Hello", "too short to be compressed again");
    raw.send_frame(RSV1 | TEXT, b"\xf2\x00\x11\x00\x00");
    assert_eq!(raw.read_text(), "Hello", "the context of the first is taken over");
    raw.send_frame(RSV1 | 0x01, b"\xf2\x48\xcd");
    raw.send_frame(PING, b"between");
    raw.send_frame(0x80, b"\xc9\xc9\x07\x00");
    assert_eq!(raw.read_frame(), (PONG, b"between".to_vec()));
    assert_eq!(raw.read_text(), "Hello");
}

#[test]
fn s7_2_an_echo_comes_back_compressed_with_and_without_context() {
    let server = server();
    let words = "the same words over and over, and a number at the end of them: ".repeat(20);
    for (offer, takes_over) in
        [("permessage-deflate", true), ("permessage-deflate; server_no_context_takeover", false)]
    {
        let mut raw = open(&server, "/ws/echo", offer);
        let mut inflater = Inflater::new();
        let mut sizes = Vec::new();
        for number in 0..3 {
            let message = format!("{words}{number}");
            raw.send_text(&message);
            let (first, payload) = raw.read_frame();
            assert_eq!(first, RSV1 | TEXT);
            if !takes_over {
                inflater = Inflater::new();
            }
            assert_eq!(inflate(&mut inflater, &payload), message);
            sizes.push(payload.len());
        }
        assert!(sizes[0] < words.len() / 4);
        assert_eq!(sizes[1] * 2 < sizes[0], takes_over, "{sizes:?}");
    }
}

#[test]
fn s7_1_2_a_window_that_was_asked_for_is_kept_to() {
    let server = server();
    // Repeats itself after 600 bytes, which a window of 512 cannot see.
    let noise: String =
        (0..600u32).map(|n| char::from(33 + (n.wrapping_mul(2_654_435_761) >> 26) as u8)).collect();
    let message = noise.repeat(4);
    let size = |bits: u8| {
        let mut raw =
            open(&server, "/ws/echo", &format!("permessage-deflate; server_max_window_bits={bits}"));
        raw.send_text(&message);
        let (_, payload) = raw.read_frame();
        assert_eq!(inflate(&mut Inflater::new(), &payload), message);
        payload.len()
    };
    assert!(size(9) > 2 * size(10), "{} and {}", size(9), size(10));
}

#[test]
fn a_bomb_and_what_is_not_deflate_fail_the_peer() {
    let server = server();
    let mut bomb = Vec::new();
    Deflater::new(WindowBits::MOST).unwrap().compress(&vec![0; 17 << 20], &mut bomb);
    for (target, payload, code) in [
        ("/ws/echo", &bomb[..], 1009),
        ("/tail/Cargo.toml?lines=0", &bomb[..10_000], 1009),
        ("/ws/echo", b"\xff\xff", 1007),
        ("/tail/Cargo.toml?lines=0", b"\x07", 1007),
    ] {
        let mut raw = open(&server, target, "permessage-deflate");
        raw.send_frame(RSV1 | TEXT, payload);
        assert!(!raw.expect_close(code).is_empty(), "a peer that fails is told why");
        raw.expect_eof();
    }
    for first in [RSV1 | PING, RSV1 | CLOSE, RSV1 | 0x80] {
        let mut raw = open(&server, "/ws/echo", "permessage-deflate");
        raw.send_frame(first, b"");
        raw.expect_close(1002);
    }
    let mut raw = Raw::connect(server.addr(), "/ws/echo");
    raw.send_frame(RSV1 | TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00");
    raw.expect_close(1002);
}

/// So much log text, in however many pieces the file's growth was seen; each is compressed for itself or not at all.
#[track_caller]
fn read_log(raw: &mut Raw, len: usize) -> String {
    let mut text = String::new();
    while text.len() < len {
        let (first, payload) = raw.read_frame();
        text += &match first & RSV1 {
            0 => String::from_utf8(payload).expect("text is UTF-8"),
            _ => inflate(&mut Inflater::new(), &payload),
        };
    }
    text
}

#[test]
fn a_log_is_compressed_for_those_who_agreed_and_plain_for_the_others() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let lines: String = (0..500).map(|number| format!("INFO request {number} was answered\n")).collect();
    fs::write(&path, &lines).unwrap();
    let server = Server::start(&[path.to_str().unwrap()]);

    // Whatever else is asked for, no message refers to an earlier one: that is how all can share them.
    let mut compressed = open(&server, "/tail/app.log", "permessage-deflate; client_max_window_bits");
    assert_eq!(
        answer(&compressed),
        Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    );
    let mut plain = Raw::connect(server.addr(), "/tail/app.log");
    assert_eq!(plain.read_text(), lines);
    let (first, payload) = compressed.read_frame();
    assert_eq!(first, RSV1 | TEXT);
    assert!(payload.len() < lines.len() / 3, "{} of {}", payload.len(), lines.len());
    assert_eq!(inflate(&mut Inflater::new(), &payload), lines);

    // Live, and every piece for itself.
    // Appended: written anew, it would be cut to nothing first, and the server might see that.
    let mut log = OpenOptions::new().append(true).open(&path).unwrap();
    log.write_all(lines.as_bytes()).unwrap();
    assert_eq!(read_log(&mut compressed, lines.len()), lines);
    assert_eq!(read_log(&mut plain, lines.len()), lines);
    // A short line is not worth it.
    log.write_all(b"short\n").unwrap();
    assert_eq!(compressed.read_text(), "short\n");
}

#[test]
fn s7_1_2_1_a_viewer_with_a_smaller_window_gets_the_log_as_it_is() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let lines: String = (0..500).map(|number| format!("INFO request {number} was answered\n")).collect();
    fs::write(&path, &lines).unwrap();
    let server = Server::start(&[path.to_str().unwrap()]);
    for (bits, expected) in [(9, TEXT), (14, TEXT), (15, RSV1 | TEXT)] {
        let offer = format!("permessage-deflate; server_max_window_bits={bits}");
        let (first, _) = open(&server, "/tail/app.log", &offer).read_frame();
        assert_eq!(first, expected, "{bits}");
    }
}
