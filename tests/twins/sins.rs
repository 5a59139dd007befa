//! The same bytes, mostly wrong, for tungstenite and for us: both take them or both refuse them, and until then both
//! have heard the same.
//!
//! Where they judge differently, [`Difference`] has the name of it and the section of the RFC that we follow.

use std::io::{self, Cursor, Read, Write};

use proptest::prelude::*;
use proptest::sample::Index;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, WebSocket, error::ProtocolError as TheirSin};
use wiretail::ws::{CloseCode, ClosedBy, Connection, Event, Input, Limits, MaskKeys, Message, ProtocolError};

use crate::script::{Frame, Move, anything};
use crate::theirs::word;
use crate::word::{Word, same};

/// The most bytes in a message, for both.
const LIMIT: usize = 66_000;

/// What is done to a frame before it is sent.
#[derive(Clone, Debug)]
enum Sin {
    /// Reserved bits are set (RFC 6455 §5.2).
    Reserved(u8),
    /// Another opcode.
    Opcode(u8),
    /// FIN is turned over.
    Fin,
    /// It is not masked though it must be, or the other way round.
    Mask,
    /// Its length is written in this longer form (126 or 127), if it is longer.
    Form(u8),
    /// Its header claims so many bytes more.
    Claims(u64),
    /// One byte of the payload is another.
    Byte(Index, u8),
    /// Some of its payload are these, none of them UTF-8.
    Utf8(Index, &'static [u8]),
    /// Its payload is this long.
    Length(usize),
    /// It is a close frame with this payload.
    Close(Vec<u8>),
    /// It is sent twice.
    Twice,
    /// It is not sent.
    Dropped,
}

fn sin() -> impl Strategy<Value = Sin> {
    let utf8: Vec<&'static [u8]> = vec![
        b"\xff",
        b"\x80",
        b"\xc0\xaf",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xf0\x80\x80\x80",
        b"\xf4\x90\x80\x80",
        b"\xe4\xb8",
        b"\xf0\x9f\x8c",
    ];
    // Codes at every edge of §7.4, too.
    let codes =
        [0, 999, 1000, 1003, 1004, 1005, 1006, 1007, 1011, 1012, 1014, 1015, 1016, 2999, 3000, 4999, 5000];
    let code = prop_oneof![any::<u16>(), prop::sample::select(codes.to_vec())];
    let goodbye = (code, prop::collection::vec(any::<u8>(), 0..4))
        .prop_map(|(code, reason)| [&code.to_be_bytes()[..], &reason].concat());
    prop_oneof![
        1 => (1..8_u8).prop_map(|bits| Sin::Reserved(bits << 4)),
        1 => (0..16_u8).prop_map(Sin::Opcode),
        2 => Just(Sin::Fin),
        1 => Just(Sin::Mask),
        1 => prop_oneof![Just(126_u8), Just(127)].prop_map(Sin::Form),
        1 => prop_oneof![Just(1), 1..200_u64, Just(1 << 40), Just(1 << 63)].prop_map(Sin::Claims),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Sin::Byte(at, byte)),
        2 => (any::<Index>(), prop::sample::select(utf8)).prop_map(|(at, bytes)| Sin::Utf8(at, bytes)),
        1 => prop::sample::select(vec![0, 1, 125, 126, LIMIT, LIMIT + 1]).prop_map(Sin::Length),
        2 => prop_oneof![3 => goodbye, 1 => prop::collection::vec(any::<u8>(), 0..3)].prop_map(Sin::Close),
        1 => Just(Sin::Twice),
        1 => Just(Sin::Dropped),
    ]
}

#[derive(Clone, Debug)]
struct Plan {
    /// Whether the bytes are for a server.
    to_server: bool,
    said: Vec<Move>,
    /// Which frames are sent with which sin.
    sins: Vec<(Index, Sin)>,
    /// Where the bytes are cut for us; tungstenite reads them as they lie.
    pieces: Vec<usize>,
    /// Where they end, if not where they should.
    end: Option<Index>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let said = prop::collection::vec(anything(), 1..8);
    let sins = prop::collection::vec((any::<Index>(), sin()), 0..3);
    let pieces = prop::collection::vec(prop_oneof![1..10_usize, 1..70_000_usize], 1..5);
    (any::<bool>(), said, sins, pieces, prop::option::weighted(0.1, any::<Index>()))
        .prop_map(|(to_server, said, sins, pieces, end)| Plan { to_server, said, sins, pieces, end })
}

impl Plan {
    fn bytes(&self) -> Vec<u8> {
        let frames: Vec<Frame> = self.said.iter().flat_map(Move::frames).collect();
        let mut bytes = Vec::new();
        for (number, frame) in frames.iter().enumerate() {
            let sins: Vec<&Sin> = self
                .sins
                .iter()
                .filter(|(at, _)| at.index(frames.len()) == number)
                .map(|(_, sin)| sin)
                .collect();
            bytes.extend(sinful(frame, &sins, self.to_server));
        }
        let end = self.end.map_or(bytes.len(), |end| end.index(bytes.len() + 1));
        bytes.truncate(end);
        bytes
    }
}

/// The bytes of `frame`, with all of `sins`. Written by hand: no library would write them.
fn sinful(frame: &Frame, sins: &[&Sin], masked: bool) -> Vec<u8> {
    let (mut first, mut payload, mut masked) = (frame.first, frame.payload.clone(), masked);
    let (mut form, mut claims, mut times) = (0, 0, 1);
    for sin in sins {
        match sin {
            Sin::Reserved(bits) => first |= bits,
            Sin::Opcode(opcode) => first = first & 0xf0 | opcode,
            Sin::Fin => first ^= 0x80,
            Sin::Mask => masked = !masked,
            Sin::Form(longer) => form = *longer,
            Sin::Claims(more) => claims = *more,
            Sin::Byte(at, byte) if !payload.is_empty() => *at.get_mut(&mut payload) = *byte,
            Sin::Byte(..) => {}
            Sin::Utf8(at, bytes) => {
                let at = at.index(payload.len() + 1);
                payload.splice(at..payload.len().min(at + bytes.len()), bytes.iter().copied());
            }
            Sin::Length(len) => payload.resize(*len, b'.'),
            Sin::Close(close) => (first, payload) = (0x88, close.clone()),
            Sin::Twice => times = 2,
            Sin::Dropped => times = 0,
        }
    }
    let len = payload.len() as u64 + claims;
    let mut bytes = vec![first];
    let mask_bit = if masked { 0x80 } else { 0 };
    match len {
        ..=125 if form == 0 => bytes.push(mask_bit | len as u8),
        ..=0xffff if form != 127 => {
            bytes.push(mask_bit | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        _ => {
            bytes.push(mask_bit | 127);
            bytes.extend(len.to_be_bytes());
        }
    }
    if masked {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        bytes.extend(key);
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    }
    bytes.extend(payload);
    bytes.repeat(times)
}

/// What an endpoint makes of it, after the words that it heard.
#[derive(Debug)]
enum Verdict<S> {
    /// The peer said goodbye.
    Closed,
    /// The bytes ended, and something was still to come.
    Unfinished,
    Refused(S),
}

fn ours(plan: &Plan, bytes: &[u8]) -> (Vec<Word>, Verdict<ProtocolError>) {
    let limits = Limits { message: LIMIT, ..Limits::echo() };
    let mut connection = match plan.to_server {
        true => Connection::server(limits),
        false => Connection::client(limits, MaskKeys::new([1; 32])),
    };
    let (mut heard, mut out) = (Vec::new(), Vec::new());
    let (mut bytes, mut sizes) = (bytes.to_vec(), plan.pieces.iter().cycle());
    let mut rest = &mut bytes[..];
    while !rest.is_empty() {
        let size = rest.len().min(*sizes.next().expect("there is at least one"));
        let (piece, later) = rest.split_at_mut(size);
        rest = later;
        let mut input = Input::new(piece);
        while let Some(event) = connection.receive(&mut input, &mut out) {
            heard.push(match event {
                Event::Message(Message::Text(text)) => Word::Text(text.into_string()),
                Event::Message(Message::Binary(bytes)) => Word::Binary(bytes.into_owned()),
                Event::Ping(payload) => Word::Ping(payload.into_owned()),
                Event::Pong(payload) => Word::Pong(payload.into_owned()),
                Event::Closed(closed) => match closed.by {
                    ClosedBy::Failure(sin) => return (heard, Verdict::Refused(sin)),
                    _ => {
                        heard.push(Word::Close(closed.code.map(CloseCode::number), closed.reason));
                        return (heard, Verdict::Closed);
                    }
                },
            });
        }
    }
    (heard, Verdict::Unfinished)
}

/// A peer that says what it says, and hears nothing.
struct Monologue<'b>(Cursor<&'b [u8]>);

impl Read for Monologue<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Monologue<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn theirs(plan: &Plan, bytes: &[u8]) -> (Vec<Word>, Verdict<Error>) {
    let role = if plan.to_server { Role::Server } else { Role::Client };
    let config = WebSocketConfig::default()
        .max_message_size(Some(LIMIT))
        .max_frame_size(Some(LIMIT))
        .read_buffer_size(4096);
    let mut socket = WebSocket::from_raw_socket(Monologue(Cursor::new(bytes)), role, Some(config));
    let mut heard = Vec::new();
    loop {
        match socket.read().map(word) {
            // A code that may not be sent is no error for it, but this is what it says and answers then.
            Ok(Word::Close(Some(1002), reason)) if reason == "Protocol violation" => {
                return (heard, Verdict::Refused(Error::Protocol(TheirSin::InvalidCloseSequence)));
            }
            Ok(word @ Word::Close(..)) => {
                heard.push(word);
                return (heard, Verdict::Closed);
            }
            Ok(word) => heard.push(word),
            Err(Error::Protocol(TheirSin::ResetWithoutClosingHandshake)) => {
                return (heard, Verdict::Unfinished);
            }
            Err(error) => return (heard, Verdict::Refused(error)),
        }
    }
}

/// Where the two judge differently on purpose, and why we are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    /// We refuse a length that is not in its shortest form, tungstenite takes it: "in all cases, the minimal number of
    /// bytes MUST be used to encode the length" (§5.2). Of a control frame we say that it is too long (§5.5).
    LengthForm,
    /// We take the close code 1014, tungstenite refuses it: the registry that §11.7 establishes has it ("Bad Gateway")
    /// since 2016, and 1000-2999 are for "future revisions, and extensions specified in a permanent and readily
    /// available public specification" (§7.4.2).
    Code1014,
    /// We refuse as soon as a byte shows the sin; tungstenite waits for the whole frame, which does not come. "If an
    /// unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_" (§5.2), "When an
    /// endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid UTF-8
    /// stream, that endpoint MUST _Fail the WebSocket Connection_" (§8.1): nothing says that there is time.
    Early,
}

/// Lets both hear `bytes`, and compares.
///
/// # Errors
/// A difference that has no name.
fn compare(plan: &Plan, bytes: &[u8]) -> Result<Option<Difference>, String> {
    let (we_heard, we_say) = ours(plan, bytes);
    let (they_heard, they_say) = theirs(plan, bytes);
    let difference = match (&we_say, &they_say) {
        (Verdict::Refused(ProtocolError::LengthNotMinimal), _) => Some(Difference::LengthForm),
        (Verdict::Refused(ProtocolError::ControlTooLong), _) if they_heard.len() > we_heard.len() => {
            Some(Difference::LengthForm)
        }
        (Verdict::Closed, Verdict::Refused(_))
            if matches!(we_heard.last(), Some(Word::Close(Some(1014), _))) =>
        {
            Some(Difference::Code1014)
        }
        (Verdict::Refused(_), Verdict::Unfinished) if is_early(plan, bytes, &we_heard) => {
            Some(Difference::Early)
        }
        (Verdict::Closed, Verdict::Closed)
        | (Verdict::Unfinished, Verdict::Unfinished)
        | (Verdict::Refused(_), Verdict::Refused(_)) => None,
        _ => return Err(format!("we say {we_say:?}, tungstenite says {they_say:?}, after {we_heard:?}")),
    };
    let they_heard = match difference {
        // It went on.
        Some(Difference::LengthForm) => &they_heard[..we_heard.len().min(they_heard.len())],
        _ => &they_heard[..],
    };
    let we_heard = match difference {
        Some(Difference::Code1014) => &we_heard[..we_heard.len() - 1],
        _ => &we_heard[..],
    };
    same("tungstenite and we", they_heard, we_heard)?;
    // Of one sin alone, both say whether it is one of text: that has a code of its own (1007). A close frame may have
    // two, in its code and in its reason.
    if let (Verdict::Refused(our_sin), Verdict::Refused(their_sin), None, [] | [_]) =
        (&we_say, &they_say, difference, &plan.sins[..])
        && !matches!(our_sin, ProtocolError::CloseCode(_))
    {
        let not_text = matches!(our_sin, ProtocolError::NotUtf8 | ProtocolError::CloseReason);
        if not_text != matches!(their_sin, Error::Utf8(_)) {
            return Err(format!("we refuse for {our_sin:?}, tungstenite for {their_sin:?}"));
        }
    }
    Ok(difference)
}

/// Whether what we refuse lies in a frame that is not whole: what comes before is no sin.
fn is_early(plan: &Plan, bytes: &[u8], heard: &[Word]) -> bool {
    let whole = &bytes[..whole_frames(bytes)];
    let (before, verdict) = ours(plan, whole);
    whole.len() < bytes.len() && matches!(verdict, Verdict::Unfinished) && before == heard
}

/// How many bytes the whole frames at the front of `bytes` take, right or wrong.
fn whole_frames(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let [_, second, rest @ ..] = &bytes[at..] {
        let (len, len_bytes) = match second & 0x7f {
            126 => (rest.first_chunk().map(|len| u64::from(u16::from_be_bytes(*len))), 2),
            127 => (rest.first_chunk().map(|len| u64::from_be_bytes(*len)), 8),
            short => (Some(u64::from(short)), 0),
        };
        let key = if second & 0x80 == 0 { 0 } else { 4 };
        match len.and_then(|len| len.checked_add(2 + len_bytes + key)) {
            Some(len) if len <= (bytes.len() - at) as u64 => at += len as usize,
            _ => return at,
        }
    }
    at
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(1000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_take_it_or_both_refuse_it(plan in plan()) {
        compare(&plan, &plan.bytes()).map_err(TestCaseError::fail)?;
    }
}

/// Each difference, in the fewest bytes.
#[test]
fn every_difference_is_one() {
    let examples: [(&[u8], Option<Difference>); 7] = [
        (b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x88\x80\0\0\0\0", None),
        (b"\x82\xfe\0\x01\0\0\0\0.\x88\x80\0\0\0\0", Some(Difference::LengthForm)),
        (b"\x82\xff\0\0\0\0\0\0\0\x01\0\0\0\0.", Some(Difference::LengthForm)),
        (b"\x88\x82\0\0\0\0\x03\xf6", Some(Difference::Code1014)),
        (b"\x83", Some(Difference::Early)),
        (b"\x89\xfe", Some(Difference::Early)),
        (b"\x81\x85\0\0\0\0\xff", Some(Difference::Early)),
    ];
    for (bytes, difference) in examples {
        let plan = Plan { to_server: true, said: Vec::new(), sins: Vec::new(), pieces: vec![1], end: None };
        assert_eq!(compare(&plan, bytes), Ok(difference), "{bytes:x?}");
    }
}
