//! Inflating: any bytes mean what RFC 1951 says, wherever they are cut and however little room there is for the result,
//! and never more than the limit; what is compressed inflates to the same, with any parameters and in any fragments,
//! and refers back no further than was agreed.

use wiretail::ws::deflate::{Inflated, Inflater, Parameters, WORTH_COMPRESSING, WindowBits};
use wiretail::ws::frame::{FrameHeader, Rsv1};
use wiretail::ws::{ClosedBy, Connection, Event, Input, Limits, Message, Opcode, ProtocolError};

use super::choices::Choices;
use super::peers::{Role, open, parameters_from};
use super::rfc1951::{self, End};

/// What a message may have, of payload or inflated.
const LIMIT: usize = 20_000;

/// Takes `data` for a payload, or for messages to be compressed.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.flag() {
        any_bytes(choices);
    } else {
        there_and_back(choices);
    }
}

fn any_bytes(mut choices: Choices<'_>) {
    let room = usize::from(choices.two_bytes()) % LIMIT + 1;
    let count = choices.below(32);
    let lengths = choices.bytes(count);
    let payload = choices.rest();
    let twin = rfc1951::inflate(payload, b"", LIMIT);
    for (lengths, room) in [(&[][..], LIMIT + 1), (lengths, room), (&[1], 3)] {
        check_inflater(&cut(payload, lengths), room, &twin);
    }
    check_message(&cut(payload, lengths));
}

/// Pieces of these lengths, and the rest.
fn cut<'a>(bytes: &'a [u8], lengths: &[u8]) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    for &length in lengths {
        let (piece, after) = rest.split_at(usize::from(length).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

fn check_inflater(pieces: &[&[u8]], room: usize, twin: &rfc1951::Inflated) {
    let mut inflater = Inflater::new();
    let (mut bytes, mut out) = (Vec::new(), vec![0; room]);
    for piece in pieces {
        let mut rest = *piece;
        loop {
            let Ok(Inflated { used, written }) = inflater.inflate(rest, &mut out) else {
                // If there is more than we looked for, it may well be broken further on.
                assert!(matches!(twin.end, End::Broken | End::TooMuch), "{:?}", twin.end);
                return;
            };
            assert!(used <= rest.len() && written <= room);
            bytes.extend_from_slice(&out[..written]);
            rest = &rest[used..];
            if bytes.len() > LIMIT {
                assert_eq!(twin.end, End::TooMuch);
                return;
            }
            if rest.is_empty() && written < room {
                break;
            }
            assert!(used + written > 0, "it gets on");
        }
    }
    assert!(bytes == twin.bytes, "{} bytes instead of {}", bytes.len(), twin.bytes.len());
    match twin.end {
        End::Between { last } => assert_eq!(inflater.tail().is_empty(), last && !pieces.concat().is_empty()),
        End::Inside => assert_eq!(inflater.tail(), [0, 0, 0xff, 0xff]),
        End::Broken | End::TooMuch => panic!("{:?}, and nobody noticed", twin.end),
    }
}

/// The pieces as the fragments of a compressed message, to a server that keeps its limits.
fn check_message(fragments: &[&[u8]]) {
    let mut payload = fragments.concat();
    // The message ends: with its own last block, or with the one that the sender has left out.
    if (rfc1951::inflate(&payload, b"", LIMIT).end) != (End::Between { last: true }) {
        payload.extend_from_slice(&[0, 0, 0xff, 0xff]);
    }
    let twin = rfc1951::inflate(&payload, b"", LIMIT);
    let limits = Limits { message: LIMIT, fragments: 64 };
    let mut server = open(Role::Server, limits, Some(&Parameters::default()));
    let mut stream = frames(Opcode::Binary, true, fragments, Some([1, 2, 3, 4]));
    let events = hear(&mut server, &mut stream);
    let [event] = &events[..] else { panic!("one message, or one sin, not {events:?}") };
    match (event, twin.end) {
        (Event::Message(Message::Binary(bytes)), End::Between { .. } | End::Inside) => {
            assert!(**bytes == twin.bytes, "{} bytes instead of {}", bytes.len(), twin.bytes.len());
        }
        (Event::Closed(closed), End::Broken) => {
            assert_eq!(closed.by, ClosedBy::Failure(ProtocolError::BrokenDeflate));
        }
        (Event::Closed(closed), End::TooMuch) => {
            assert_eq!(closed.by, ClosedBy::Failure(ProtocolError::TooBig { limit: LIMIT }));
        }
        (event, end) => panic!("{event:?}, and the twin says {end:?}"),
    }
}

/// A message in frames; a ping between the first two of them.
fn frames(opcode: Opcode, compressed: bool, fragments: &[&[u8]], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut put = |opcode, compressed, fin, payload: &[u8]| {
        let header = FrameHeader { fin, opcode, compressed, mask, payload_len: payload.len() as u64 };
        stream.extend_from_slice(&header.encode());
        let key = mask.unwrap_or_default();
        stream.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    };
    for (number, fragment) in fragments.iter().enumerate() {
        let fin = number + 1 == fragments.len();
        match number {
            0 => put(opcode, compressed, fin, fragment),
            _ => put(Opcode::Continuation, false, fin, fragment),
        }
        if number == 0 && !fin {
            put(Opcode::Ping, false, true, b"between");
        }
    }
    stream
}

/// All events but pings.
fn hear<'b>(connection: &mut Connection, stream: &'b mut [u8]) -> Vec<Event<'b>> {
    let (mut input, mut out, mut events) = (Input::new(stream), Vec::new(), Vec::new());
    while let Some(event) = connection.receive(&mut input, &mut out) {
        if !matches!(event, Event::Ping(_)) {
            events.push(event);
        }
    }
    assert!(input.is_empty());
    events
}

fn there_and_back(mut choices: Choices<'_>) {
    let agreed = parameters_from(&mut choices);
    let from = if choices.flag() { Role::Server } else { Role::Client };
    let (window, forgets) = match from {
        Role::Server => (agreed.server_max_window_bits, agreed.server_no_context_takeover),
        Role::Client => (agreed.client_max_window_bits, agreed.client_no_context_takeover),
    };
    let mut speaker = open(from, Limits::echo(), Some(&agreed));
    let mut listener = open(from.other(), Limits::echo(), Some(&agreed));
    let mut history = Vec::new();
    for _ in 0..4 {
        let message = message_from(&mut choices);
        let mut frame = Vec::new();
        speaker.send_binary(&message, &mut frame);
        let (header, used) = FrameHeader::parse(&frame, Rsv1::Compressed).unwrap().expect("one frame");
        let key = header.mask.unwrap_or_default();
        let payload: Vec<u8> =
            frame[used..].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        assert!(header.fin && payload.len() as u64 == header.payload_len);
        if header.compressed {
            assert!(WORTH_COMPRESSING.contains(&message.len()));
            check_payload(&payload, &message, &history, window);
            if !forgets {
                history.extend_from_slice(&message);
            }
        } else {
            assert_eq!(payload, message);
        }

        let count = choices.below(8);
        let fragments = cut(&payload, choices.bytes(count));
        let mut stream = frames(Opcode::Binary, header.compressed, &fragments, header.mask);
        let events = hear(&mut listener, &mut stream);
        assert!(matches!(&events[..], [Event::Message(Message::Binary(heard))] if **heard == message));
    }
}

/// What is sent is DEFLATE for the message, and refers to nothing that the other side need not have kept.
fn check_payload(payload: &[u8], message: &[u8], history: &[u8], window: WindowBits) {
    let whole = [payload, &[0, 0, 0xff, 0xff]].concat();
    let twin = rfc1951::inflate(&whole, history, message.len());
    assert_eq!(twin.end, End::Between { last: false });
    assert!(twin.bytes == message);
    assert!(twin.farthest <= 1 << window.bits(), "{} back, with a window of {window:?}", twin.farthest);
}

/// Up to 16 KiB, more or less like itself.
fn message_from(choices: &mut Choices<'_>) -> Vec<u8> {
    let (times, len) = (choices.byte(), choices.byte());
    let pattern = choices.bytes(usize::from(len));
    let mut message = pattern.repeat(usize::from(times >> 2) + 1);
    // Something else now and then, so that there is more than one thing to refer to.
    let step = usize::from(times & 3) * 97;
    if step > 0 {
        for (count, at) in (0..message.len()).step_by(step).enumerate() {
            message[at] = message[at].wrapping_add(count as u8);
        }
    }
    message
}
