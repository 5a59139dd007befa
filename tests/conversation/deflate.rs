//! Compressed messages (RFC 7692), in memory.
#![cfg(feature = "deflate")]

use wiretail::ws::Budget;
use wiretail::ws::deflate::{Deflater, Parameters, WindowBits};

use super::*;

/// The first frame of a compressed message.
const RSV1: u8 = 0x40;
/// "Hello" as in §7.2.3.1.
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

fn server(limits: Limits) -> Talk {
    let connection = Connection::server(limits).with_deflate(Parameters::default());
    Talk { connection, events: Vec::new(), out: Vec::new() }
}

/// What a server that has agreed to compression makes of `bytes`, which must not depend on how they are cut.
fn outcome(limits: Limits, bytes: &[u8]) -> (Vec<Event<'static>>, Vec<u8>) {
    let in_pieces = |size: usize| {
        let mut talk = server(limits);
        bytes.chunks(size).for_each(|piece| talk.hear(piece));
        (talk.events, talk.out)
    };
    let whole = in_pieces(bytes.len());
    for size in [1, 2, 3, 7, 1000] {
        assert_eq!(in_pieces(size), whole, "in pieces of {size}");
    }
    whole
}

/// The payload of a message without context before it.
fn deflated(message: impl AsRef<[u8]>) -> Vec<u8> {
    let mut payload = Vec::new();
    Deflater::new(WindowBits::MOST).unwrap().compress(message.as_ref(), &mut payload);
    payload
}

#[test]
fn rfc7692_s7_2_3_1_a_message_whole_and_in_fragments_with_a_ping_between() {
    let script = [
        masked(RSV1 | FIN_TEXT, HELLO),
        masked(RSV1 | TEXT, &HELLO[..3]),
        masked(PING, "?"),
        masked(END, &HELLO[3..]),
        masked(RSV1 | FIN_BINARY, [0]),
        masked(FIN_TEXT, "as it is"),
    ]
    .concat();
    let (events, out) = outcome(Limits::default(), &script);
    assert_eq!(events, [text("Hello"), ping("?"), text("Hello"), binary(b""), text("as it is")]);
    assert_eq!(out, plain(PONG, "?"));
}

#[test]
fn rfc7692_s6_the_bit_belongs_to_the_first_frame_of_a_message_and_to_those_who_agreed() {
    for bad in [
        masked(RSV1 | PING, "?"),
        masked(RSV1 | CLOSE, ""),
        [masked(RSV1 | TEXT, &HELLO[..3]), masked(RSV1 | END, &HELLO[3..])].concat(),
        [masked(TEXT, "a"), masked(RSV1 | END, "b")].concat(),
        masked(0x20 | FIN_TEXT, ""),
    ] {
        let (events, out) = outcome(Limits::default(), &bad);
        let (event, payload) = failed(ProtocolError::ReservedBits);
        assert_eq!((events, out), (vec![event], plain(CLOSE, payload)), "{bad:x?}");
    }
    sins(masked(RSV1 | FIN_TEXT, HELLO), ProtocolError::ReservedBits);
}

#[test]
fn text_is_checked_as_it_is_inflated() {
    let script = masked(RSV1 | TEXT, deflated(b"so far so good \xff and never ended"));
    let (events, _) = outcome(Limits::default(), &script);
    assert_eq!(events, [failed(ProtocolError::NotUtf8).0]);
}

#[test]
fn what_is_not_deflate_fails_the_peer() {
    let (events, out) = outcome(Limits::default(), &masked(RSV1 | FIN_BINARY, b"\xff\xff"));
    let (event, payload) = failed(ProtocolError::BrokenDeflate);
    assert_eq!((events, out), (vec![event], plain(CLOSE, payload)));
}

#[test]
fn a_bomb_goes_no_further_than_the_limit() {
    let limits = Limits { message: 1000, fragments: 4 };
    let bomb = deflated(vec![0; 8 << 20]);
    let refused = [failed(ProtocolError::TooBig { limit: 1000 }).0];
    assert_eq!(outcome(limits, &masked(RSV1 | FIN_BINARY, &bomb[..900])).0, refused);
    assert_eq!(outcome(limits, &masked(RSV1 | FIN_BINARY, deflated([7; 1001]))).0, refused);
    assert_eq!(outcome(limits, &masked(RSV1 | FIN_BINARY, deflated([7; 1000]))).0, [binary(&[7; 1000])]);
    // Blocks of nothing inflate to nothing, for ever: refused from the header.
    let header = &masked(RSV1 | FIN_BINARY, [0; 3000])[..8];
    assert_eq!(outcome(limits, header).0, refused);
}

#[test]
fn a_budget_spreads_the_work_over_turns_and_changes_nothing_else() {
    let messages: Vec<Vec<u8>> = (0..40u8).map(|n| vec![n; 3000 * usize::from(n)]).collect();
    let script: Vec<u8> =
        messages.iter().flat_map(|message| masked(RSV1 | FIN_BINARY, deflated(message))).collect();
    for budget in [
        Budget { frames: 1, inflated: usize::MAX },
        Budget { frames: 7, inflated: usize::MAX },
        Budget { frames: usize::MAX, inflated: 1 },
        Budget { frames: 3, inflated: 100_000 },
    ] {
        // Each message stands for itself, so the context is of no use, and none is needed.
        let mut connection = Connection::server(Limits::echo()).with_deflate(Parameters::without_context());
        let (mut rest, mut heard, mut turns) = (script.clone(), Vec::new(), 0);
        while !rest.is_empty() {
            let mut input = Input::bounded(&mut rest, budget);
            let before = heard.len();
            while let Some(event) = connection.receive(&mut input, &mut Vec::new()) {
                heard.push(keep(event));
            }
            assert!(heard.len() - before <= budget.frames);
            let left = input.rest().to_vec();
            assert!(left.len() < rest.len(), "every turn gets on");
            rest = left;
            turns += 1;
        }
        assert_eq!(heard, messages.iter().map(|message| binary(message)).collect::<Vec<_>>());
        assert!(turns >= 40 / budget.frames, "{turns} turns with {budget:?}");
    }
}

#[test]
fn both_sides_of_ours_understand_each_other_whatever_was_agreed() {
    let long = "a log line like any other, INFO and so on\n".repeat(3000);
    let messages = ["", "short", &long[..256], &long[..5000], &long, &"日志 ".repeat(400), &long[..300]];
    for no_context in [false, true] {
        for bits in 8..=15 {
            let bits = WindowBits::new(bits).unwrap();
            let agreed = Parameters {
                server_no_context_takeover: no_context,
                client_no_context_takeover: !no_context,
                server_max_window_bits: bits,
                client_max_window_bits: bits,
            };
            let mut server = Connection::server(Limits::echo()).with_deflate(agreed);
            let mut client = Connection::client(Limits::echo(), MaskKeys::new([3; 32])).with_deflate(agreed);
            for message in messages {
                let (mut out, mut back) = (Vec::new(), Vec::new());
                client.send_text(message, &mut out);
                let compressed = message.len() >= 256 && bits > WindowBits::LEAST;
                assert_eq!(out[0] & RSV1 != 0, compressed);
                assert!(!compressed || out.len() < message.len());
                let heard = server.receive(&mut Input::new(&mut out), &mut Vec::new()).map(keep);
                assert_eq!(heard, Some(text(message)));
                server.send_text(message, &mut back);
                let heard = client.receive(&mut Input::new(&mut back), &mut Vec::new()).map(keep);
                assert_eq!(heard, Some(text(message)));
            }
        }
    }
}
