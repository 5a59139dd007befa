//! §5.5.1 and §7: how a conversation ends.

use std::time::Duration;

use rustix::process::Signal;

use super::support::ws::{CLOSE, NO_CODE, PING, TEXT, frame};
use super::{TEXT_BEGINS, echo, fails_with};

/// The payload of a close frame.
fn goodbye(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

#[test]
fn s5_5_1_a_close_is_answered_with_its_code_and_s7_1_1_the_server_closes_first() {
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        let (_server, mut raw) = echo();
        raw.send_frame(CLOSE, &goodbye(code, b"so long"));
        raw.expect_close(code);
        raw.expect_eof();
    }
}

#[test]
fn s5_5_1_a_close_without_a_code_is_answered_without_one() {
    let (_server, mut raw) = echo();
    raw.send_frame(CLOSE, b"");
    raw.expect_close(NO_CODE);
    raw.expect_eof();
}

#[test]
fn s5_5_1_the_longest_reason_is_understood() {
    let (_server, mut raw) = echo();
    raw.send_frame(CLOSE, &goodbye(1000, &[b'r'; 123]));
    raw.expect_close(1000);
    raw.expect_eof();
}

#[test]
fn s5_5_1_a_close_may_come_byte_by_byte() {
    let (_server, mut raw) = echo();
    for byte in frame(CLOSE, &goodbye(4321, "\u{e9}".as_bytes())) {
        raw.send_raw(&[byte]);
    }
    raw.expect_close(4321);
    raw.expect_eof();
}

#[test]
fn s5_5_1_what_is_due_is_said_before_the_answer() {
    let (_server, mut raw) = echo();
    raw.send_raw(&[frame(TEXT, b"first"), frame(CLOSE, &goodbye(1000, b""))].concat());
    assert_eq!(raw.read_text(), "first");
    raw.expect_close(1000);
    raw.expect_eof();
}

#[test]
fn s5_5_1_half_a_code_is_never_echoed() {
    fails_with(1002, &frame(CLOSE, &[3]));
}

#[test]
fn s5_5_1_a_reason_that_is_not_utf8_is_never_echoed() {
    fails_with(1007, &frame(CLOSE, &goodbye(1000, b"\xce\xba\xff")));
    fails_with(1007, &frame(CLOSE, &goodbye(1000, b"\xe2\x82")));
}

#[test]
fn s7_4_a_code_that_may_not_be_sent_is_never_echoed() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        fails_with(1002, &frame(CLOSE, &goodbye(code, b"")));
    }
}

#[test]
fn s5_4_a_close_may_come_between_the_fragments_of_a_message() {
    let (_server, mut raw) = echo();
    raw.send_raw(&[frame(TEXT_BEGINS, b"never fin"), frame(CLOSE, &goodbye(1000, b""))].concat());
    raw.expect_close(1000);
    raw.expect_eof();
}

#[test]
fn s1_4_everything_behind_a_close_is_discarded() {
    for behind in [frame(PING, b"?"), frame(TEXT, b"?"), frame(CLOSE, &goodbye(1000, b"")), vec![0xff; 300]] {
        let (_server, mut raw) = echo();
        raw.send_raw(&[frame(CLOSE, &goodbye(1001, b"")), behind].concat());
        raw.expect_close(1001);
        raw.expect_eof();
    }
}

#[test]
fn s7_1_5_a_server_that_goes_away_says_so_and_waits_for_the_answer() {
    let (mut server, mut raw) = echo();
    raw.send_text("still there?");
    assert_eq!(raw.read_text(), "still there?");
    server.signal(Signal::TERM);
    raw.expect_close(1001);
    raw.send_close(1001);
    raw.expect_eof();
    assert!(server.wait(Duration::from_secs(5)).success());
}

#[test]
fn s7_1_1_a_peer_that_ends_without_a_close_is_let_go() {
    let (_server, mut raw) = echo();
    raw.send_text("one");
    raw.send_raw(&frame(TEXT, b"half a frame")[..9]);
    raw.finish();
    assert_eq!(raw.read_text(), "one");
    raw.expect_eof();
}
