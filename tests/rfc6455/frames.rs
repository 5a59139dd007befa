//! §5.1 to §5.3 and §5.5: masks, headers, control frames.

use super::support::ws::{BINARY, CLOSE, PING, PONG, TEXT, frame};
use super::{BINARY_BEGINS, ENDS, echo, fails_with};

/// A frame that is not masked, as no client may send it.
fn bare(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).expect("a short payload");
    [&[first, len], payload].concat()
}

#[test]
fn s5_1_an_unmasked_frame_fails_the_connection() {
    fails_with(1002, &bare(TEXT, b"bare"));
    fails_with(1002, &bare(TEXT, b""));
    fails_with(1002, &bare(PING, b""));
    fails_with(1002, &bare(CLOSE, &1000u16.to_be_bytes()));
}

#[test]
fn s5_2_a_reserved_bit_fails_the_connection() {
    for bit in [0x40, 0x20, 0x10, 0x70] {
        fails_with(1002, &frame(TEXT | bit, b"x"));
    }
    fails_with(1002, &frame(PING | 0x40, b"x"));
}

#[test]
fn s5_2_an_unknown_opcode_fails_the_connection() {
    for opcode in (0x3..=0x7).chain(0xb..=0xf) {
        fails_with(1002, &frame(0x80 | opcode, b"x"));
    }
}

#[test]
fn s5_2_a_sin_is_judged_as_soon_as_its_byte_is_there() {
    for sin in [&[0xc1][..], &[0x83], &[0x09], &[0x89, 0xfe], &[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]] {
        let (_server, mut raw) = echo();
        raw.send_raw(sin);
        raw.expect_close(1002);
        raw.expect_eof();
    }
}

#[test]
fn s5_2_a_length_must_be_in_its_shortest_form() {
    let key = [0; 4];
    fails_with(1002, &[&[BINARY, 0xfe, 0, 5][..], &key, b"12345"].concat());
    fails_with(1002, &[&[BINARY, 0xfe, 0, 125][..], &key, &[1; 125]].concat());
    fails_with(1002, &[&[BINARY, 0xff, 0, 0, 0, 0, 0, 0, 0, 126][..], &key, &[1; 126]].concat());
}

#[test]
fn s5_2_the_highest_bit_of_a_length_must_be_0() {
    fails_with(1002, &[BINARY, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 7]);
    fails_with(1002, &[BINARY, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
}

#[test]
fn s5_2_every_form_of_a_length_is_understood_and_used() {
    let (_server, mut raw) = echo();
    for len in [0, 1, 124, 125, 126, 127, 128, 255, 256, 65535, 65536, 65537, 300_000] {
        let payload: Vec<u8> = (0..len).map(|at: usize| at as u8).collect();
        raw.send_frame(BINARY, &payload);
        assert_eq!(raw.read_frame(), (BINARY, payload), "{len} bytes");
    }
}

#[test]
fn s5_3_any_key_may_mask_and_every_frame_has_its_own() {
    let (_server, mut raw) = echo();
    let payload = b"the payload is longer than the key";
    for key in [[0, 0, 0, 0], [0xff; 4], [1, 2, 3, 4], [0x81, 0, 0, 0x80]] {
        raw.send_raw(&[BINARY, 0x80 | payload.len() as u8]);
        raw.send_raw(&key);
        let masked: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect();
        raw.send_raw(&masked);
        assert_eq!(raw.read_frame(), (BINARY, payload.to_vec()), "{key:x?}");
    }
}

#[test]
fn s5_3_a_payload_cut_anywhere_is_unmasked_the_same() {
    let (_server, mut raw) = echo();
    let payload: Vec<u8> = (0..40).collect();
    let bytes = frame(BINARY, &payload);
    for cut in 1..bytes.len() {
        raw.send_raw(&bytes[..cut]);
        raw.send_raw(&bytes[cut..]);
        assert_eq!(raw.read_frame(), (BINARY, payload.clone()), "cut at {cut}");
    }
}

#[test]
fn s5_5_a_control_frame_must_not_be_fragmented() {
    for first in [PING, PONG, CLOSE] {
        fails_with(1002, &frame(first & 0x0f, b""));
    }
}

#[test]
fn s5_5_a_control_frame_must_not_have_more_than_125_bytes() {
    for first in [PING, PONG, CLOSE] {
        fails_with(1002, &frame(first, &[0; 126]));
        fails_with(1002, &frame(first, &[0; 70_000]));
    }
}

#[test]
fn s5_5_a_control_frame_may_come_inside_a_fragmented_message() {
    let (_server, mut raw) = echo();
    raw.send_frame(BINARY_BEGINS, b"one ");
    raw.send_frame(PING, b"in between");
    assert_eq!(raw.read_frame(), (PONG, b"in between".to_vec()), "at once, before the message ends");
    raw.send_frame(PONG, b"unasked");
    raw.send_frame(ENDS, b"message");
    assert_eq!(raw.read_frame(), (BINARY, b"one message".to_vec()));
}

#[test]
fn s5_5_2_a_ping_is_answered_with_what_it_carried() {
    let (_server, mut raw) = echo();
    for payload in [&b""[..], b"?", &[0, 0xff, 0xfe], &[0x42; 125]] {
        raw.send_frame(PING, payload);
        assert_eq!(raw.read_frame(), (PONG, payload.to_vec()));
    }
}

#[test]
fn s5_5_2_pings_in_one_piece_are_all_answered_in_order() {
    let (_server, mut raw) = echo();
    let pings: Vec<u8> = (0..10).flat_map(|number| frame(PING, &[number])).collect();
    raw.send_raw(&pings);
    for number in 0..10 {
        assert_eq!(raw.read_frame(), (PONG, vec![number]));
    }
}

#[test]
fn s5_5_3_a_pong_that_nobody_asked_for_is_not_answered() {
    let (_server, mut raw) = echo();
    raw.send_frame(PONG, b"hello?");
    raw.send_text("still here");
    assert_eq!(raw.read_text(), "still here");
}
