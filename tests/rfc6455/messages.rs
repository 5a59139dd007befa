//! §5.4, §5.6, §8.1 and §10.4: fragments, text, limits.

use std::time::Duration;

use super::support::ws::{BINARY, PING, PONG, TEXT, frame};
use super::{BINARY_BEGINS, CONTINUES, ENDS, TEXT_BEGINS, echo, fails_with};

#[test]
fn s5_4_fragments_are_put_together_in_the_order_they_were_sent() {
    let (_server, mut raw) = echo();
    raw.send_frame(TEXT_BEGINS, b"one");
    raw.send_frame(CONTINUES, b" message");
    raw.send_frame(CONTINUES, b"");
    raw.send_frame(ENDS, b" in four");
    assert_eq!(raw.read_text(), "one message in four");
    raw.send_frame(BINARY_BEGINS, b"");
    raw.send_frame(ENDS, b"");
    assert_eq!(raw.read_frame(), (BINARY, Vec::new()));
}

#[test]
fn s5_4_a_message_may_come_in_very_many_fragments() {
    let (_server, mut raw) = echo();
    let fragments: Vec<u8> = (0..20_000)
        .flat_map(|at| frame(if at == 0 { BINARY_BEGINS } else { CONTINUES }, &[at as u8]))
        .collect();
    raw.send_raw(&fragments);
    raw.send_frame(ENDS, b"");
    let expected: Vec<u8> = (0..20_000).map(|at| at as u8).collect();
    assert_eq!(raw.read_frame(), (BINARY, expected));
}

#[test]
fn s5_4_a_continuation_needs_something_to_continue() {
    fails_with(1002, &frame(CONTINUES, b"x"));
    fails_with(1002, &frame(ENDS, b"x"));
    fails_with(1002, &frame(ENDS, b""));
    // A message that came in fragments has ended.
    let ended = [frame(TEXT_BEGINS, b""), frame(ENDS, b"")].concat();
    let (_server, mut raw) = echo();
    raw.send_raw(&[&ended[..], &frame(ENDS, b"")].concat());
    assert_eq!(raw.read_text(), "");
    raw.expect_close(1002);
    raw.expect_eof();
}

#[test]
fn s5_4_fragments_of_two_messages_must_not_be_interleaved() {
    fails_with(1002, &[frame(TEXT_BEGINS, b"one"), frame(TEXT, b"two")].concat());
    fails_with(1002, &[frame(BINARY_BEGINS, b""), frame(TEXT_BEGINS, b"")].concat());
    fails_with(1002, &[frame(TEXT_BEGINS, b"a"), frame(CONTINUES, b"b"), frame(BINARY, b"c")].concat());
}

#[test]
fn s5_6_text_stays_text_and_binary_stays_binary() {
    let (_server, mut raw) = echo();
    raw.send_frame(BINARY, "text".as_bytes());
    raw.send_frame(TEXT, "text".as_bytes());
    raw.send_frame(BINARY, &[0xff, 0xc0, 0x00]);
    assert_eq!(raw.read_frame(), (BINARY, b"text".to_vec()));
    assert_eq!(raw.read_frame(), (TEXT, b"text".to_vec()));
    assert_eq!(raw.read_frame(), (BINARY, vec![0xff, 0xc0, 0x00]));
}

#[test]
fn s5_6_messages_in_one_piece_are_echoed_in_order() {
    let (_server, mut raw) = echo();
    let all: Vec<u8> = (0..100).flat_map(|number| frame(TEXT, format!("{number}").as_bytes())).collect();
    raw.send_raw(&all);
    for number in 0..100 {
        assert_eq!(raw.read_text(), format!("{number}"));
    }
}

#[test]
fn s5_6_any_text_of_unicode_passes_however_it_is_cut() {
    let (_server, mut raw) = echo();
    let text = "\u{0}\u{feff}na\u{ef}ve \u{20ac}\u{d7ff}\u{e000}\u{fffe}\u{ffff}\u{1f980}\u{10ffff}";
    let bytes = text.as_bytes();
    for cut in 0..=bytes.len() {
        raw.send_frame(TEXT_BEGINS, &bytes[..cut]);
        raw.send_frame(ENDS, &bytes[cut..]);
        assert_eq!(raw.read_text(), text, "cut at {cut}");
    }
}

#[test]
fn s8_1_text_that_is_not_utf8_fails_the_connection() {
    for bad in [
        &b"\xff"[..],
        b"\x80",
        b"\xc0\x80",
        b"\xc3\x28",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"whole\xe2\x82",
    ] {
        fails_with(1007, &frame(TEXT, bad));
    }
}

#[test]
fn s8_1_text_is_judged_before_its_message_ends() {
    fails_with(1007, &frame(TEXT_BEGINS, b"\xce\xba\xed\xa0"));
    fails_with(1007, &[frame(TEXT_BEGINS, b"\xce"), frame(CONTINUES, b"\xce")].concat());
    fails_with(1007, &[frame(TEXT_BEGINS, b"\xe2\x82"), frame(ENDS, b"")].concat());
}

#[test]
fn s8_1_text_is_judged_before_its_frame_ends() {
    let (_server, mut raw) = echo();
    let whole = frame(TEXT, b"\xce\xba\xf4\x90\x80\x80 and what would follow");
    raw.send_raw(&whole[..9]);
    assert_eq!(raw.read_frame_within(Duration::from_millis(50)), None, "nothing is wrong yet");
    raw.send_raw(&whole[9..10]);
    raw.expect_close(1007);
    raw.expect_eof();
}

#[test]
fn s10_4_a_message_beyond_the_limit_is_refused_from_its_header() {
    // One byte more than 16 MiB is claimed, and none is sent.
    let (_server, mut raw) = echo();
    raw.send_raw(&[BINARY, 0xff, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]);
    raw.expect_close(1009);
    raw.expect_eof();
}

#[test]
fn s10_4_the_limit_is_on_the_sum_of_the_fragments() {
    let (_server, mut raw) = echo();
    raw.send_frame(BINARY_BEGINS, &[0; 1000]);
    raw.send_raw(&[ENDS, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    raw.expect_close(1009);
    raw.expect_eof();
}

#[test]
fn s10_4_a_message_of_exactly_the_limit_is_echoed() {
    let (_server, mut raw) = echo();
    let message = vec![0x77; 16 << 20];
    raw.send_frame(BINARY, &message);
    let (first, echoed) = raw.read_frame();
    assert_eq!((first, echoed.len()), (BINARY, message.len()));
    assert!(echoed == message, "every byte");
}

#[test]
fn s10_4_empty_fragments_are_not_for_nothing() {
    let (_server, mut raw) = echo();
    let many = frame(CONTINUES, b"").repeat(1 << 12);
    // A million fragments are allowed: this one, and a million behind it.
    raw.send_frame(TEXT_BEGINS, b"");
    for _ in 0..(1 << 8) {
        // The server may close while we write.
        if raw.try_send_raw(&many).is_err() {
            break;
        }
    }
    raw.expect_close(1008);
}

#[test]
fn a_ping_behind_a_large_message_is_answered_behind_its_echo() {
    let (_server, mut raw) = echo();
    let message = vec![0x11; 1 << 20];
    raw.send_frame(BINARY, &message);
    raw.send_frame(PING, b"and now?");
    assert_eq!(raw.read_frame(), (BINARY, message));
    assert_eq!(raw.read_frame(), (PONG, b"and now?".to_vec()));
}
