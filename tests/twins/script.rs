//! Random conversations: what the endpoints say, before it is made into bytes.
//!
//! Small to print and to make smaller, as a payload is described by its kind, its length and a seed.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::word::Word;

/// Something that an endpoint wants to say.
#[derive(Clone, Debug)]
pub(crate) enum Move {
    /// A message, cut into frames at these places.
    Message {
        /// What it carries; its kind says whether it is text.
        payload: Payload,
        /// Where it is cut: one frame more than cuts.
        cuts: Vec<Cut>,
    },
    /// A control frame.
    Control(Control),
}

/// The end of a frame inside a message.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    at: Index,
    /// "Control frames MAY be injected in the middle of a fragmented message" (RFC 6455 §5.4).
    then: Vec<Control>,
}

/// A control frame.
#[derive(Clone, Debug)]
pub(crate) enum Control {
    /// A ping.
    Ping(Payload),
    /// A pong that nobody asked for.
    Pong(Payload),
    /// The end, with a code and a reason, or without.
    Close(Option<(u16, Payload)>),
}

/// A payload: what kind of bytes, how many, and what makes them different from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload {
    kind: Kind,
    len: usize,
    seed: u64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Text, like that of a log; `Log` compresses well.
    Log,
    /// Text, in characters of three bytes.
    Chinese,
    /// Text, in characters of one to four bytes.
    Emoji,
    /// Any bytes.
    Noise,
    /// Any bytes, repeated after so many.
    Period(usize),
}

/// A frame of a script.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// FIN and the opcode.
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
    /// What has been said once this frame is sent. None for a message that goes on.
    pub(crate) says: Option<Word>,
}

const FIN: u8 = 0x80;

impl Move {
    /// A message of `len` bytes, in one frame: like the lines of a log, which compress well.
    pub(crate) fn log(len: usize) -> Self {
        Self::Message { payload: Payload { kind: Kind::Log, len, seed: 1 }, cuts: Vec::new() }
    }

    /// A message of `len` bytes, in one frame: any bytes, which come again after `period`, and so compress if a
    /// compressor remembers as many.
    pub(crate) fn periodic(period: usize, len: usize, seed: u64) -> Self {
        Self::Message { payload: Payload { kind: Kind::Period(period), len, seed }, cuts: Vec::new() }
    }

    /// The frames that say it.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        match self {
            Self::Control(control) => vec![control.frame()],
            Self::Message { payload, cuts } => fragments(payload, cuts),
        }
    }

    /// What it says, with nothing of how it is cut.
    pub(crate) fn word(&self) -> Word {
        match self {
            Self::Control(control) => control.word(),
            Self::Message { payload, .. } => payload.word(),
        }
    }
}

fn fragments(payload: &Payload, cuts: &[Cut]) -> Vec<Frame> {
    let bytes = payload.bytes();
    let mut ends: Vec<(usize, &[Control])> =
        cuts.iter().map(|cut| (cut.at.index(bytes.len() + 1), &cut.then[..])).collect();
    ends.sort_by_key(|(end, _)| *end);
    let (mut frames, mut from, mut opcode) = (Vec::new(), 0, payload.opcode());
    for (end, controls) in ends {
        frames.push(Frame { first: opcode, payload: bytes[from..end].to_vec(), says: None });
        frames.extend(controls.iter().map(Control::frame));
        (from, opcode) = (end, 0);
    }
    let (first, payload, says) = (FIN | opcode, bytes[from..].to_vec(), Some(payload.word()));
    frames.push(Frame { first, payload, says });
    frames
}

impl Control {
    fn frame(&self) -> Frame {
        let (opcode, payload) = match self {
            Self::Ping(payload) => (0x9, payload.bytes()),
            Self::Pong(payload) => (0xa, payload.bytes()),
            Self::Close(None) => (0x8, Vec::new()),
            Self::Close(Some((code, reason))) => (0x8, [&code.to_be_bytes()[..], &reason.bytes()].concat()),
        };
        Frame { first: FIN | opcode, payload, says: Some(self.word()) }
    }

    fn word(&self) -> Word {
        match self {
            Self::Ping(payload) => Word::Ping(payload.bytes()),
            Self::Pong(payload) => Word::Pong(payload.bytes()),
            Self::Close(None) => Word::Close(None, String::new()),
            Self::Close(Some((code, reason))) => Word::Close(Some(*code), reason.text()),
        }
    }
}

impl Payload {
    fn opcode(&self) -> u8 {
        match self.kind {
            Kind::Log | Kind::Chinese | Kind::Emoji => 0x1,
            Kind::Noise | Kind::Period(_) => 0x2,
        }
    }

    fn word(&self) -> Word {
        Word::new(self.opcode(), self.bytes())
    }

    /// For the reason of a close frame, which is always text.
    fn text(&self) -> String {
        String::from_utf8(self.bytes()).expect("the kind is one of text")
    }

    /// Exactly as many bytes as it says. Text that has no room for one more character of its kind ends in dots.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut random = Random(self.seed);
        let mut bytes: Vec<u8> = Vec::with_capacity(self.len);
        if let Kind::Noise | Kind::Period(_) = self.kind {
            let own = if let Kind::Period(period) = self.kind { period.min(self.len) } else { self.len };
            bytes.extend((0..own).map(|_| random.next() as u8));
            for at in own..self.len {
                bytes.push(bytes[at - own]);
            }
            return bytes;
        }
        loop {
            let mut char = [0; 4];
            let next = match self.kind {
                Kind::Log => {
                    *random.one_of(&["GET /api ", "200 ", "error: ", "timeout\n", "7", "id=", " ms "])
                }
                Kind::Chinese => random.char(0x4e00..0x9fa5).encode_utf8(&mut char),
                _ => match random.next() % 4 {
                    0 => random.char(0x20..0x7f).encode_utf8(&mut char),
                    1 => random.char(0xa1..0x7ff).encode_utf8(&mut char),
                    2 => random.char(0xe000..0xfffd).encode_utf8(&mut char),
                    _ => random.char(0x1f300..0x1_f5ff).encode_utf8(&mut char),
                },
            };
            if bytes.len() + next.len() > self.len {
                bytes.resize(self.len, b'.');
                return bytes;
            }
            bytes.extend(next.as_bytes());
        }
    }
}

/// A small generator, so that bytes follow from a seed (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.next() as usize % choices.len()]
    }

    fn char(&mut self, range: std::ops::Range<u32>) -> char {
        let scalar = range.start + self.next() as u32 % (range.end - range.start);
        char::from_u32(scalar).expect("no surrogates in our ranges")
    }
}

/// Lengths around every edge of the three forms (§5.2), many short ones, and some of a few hundred kilobytes.
fn len() -> impl Strategy<Value = usize> {
    prop_oneof![
        6 => 0..40_usize,
        4 => prop::sample::select(vec![0, 1, 124, 125, 126, 127, 128]),
        3 => 0..3000_usize,
        2 => prop::sample::select(vec![65534, 65535, 65536, 65537]),
        1 => 0..200_000_usize,
    ]
}

fn payload(
    kind: impl Strategy<Value = Kind>,
    len: impl Strategy<Value = usize>,
) -> impl Strategy<Value = Payload> {
    (kind, len, any::<u64>()).prop_map(|(kind, len, seed)| Payload { kind, len, seed })
}

fn text() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Log), Just(Kind::Chinese), Just(Kind::Emoji)]
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![4 => text(), 2 => Just(Kind::Noise), 2 => (1..40_000_usize).prop_map(Kind::Period)]
}

/// A control frame that does not end the conversation.
fn control() -> impl Strategy<Value = Control> {
    let carried = || payload(any_kind(), prop_oneof![0..=125_usize, Just(0), Just(125)]);
    prop_oneof![3 => carried().prop_map(Control::Ping), 1 => carried().prop_map(Control::Pong)]
}

/// A code that may be sent (§7.4), as tungstenite has it too: it does not know 1014 (see `sins`).
pub(crate) fn code() -> impl Strategy<Value = u16> {
    prop_oneof![1000..=1003_u16, 1007..=1013_u16, 3000..=4999_u16]
}

/// A code and a reason, for which 123 bytes are left (§5.5).
fn reason() -> impl Strategy<Value = (u16, Payload)> {
    (code(), payload(text(), prop_oneof![0..=123_usize, Just(0), Just(123)]))
}

/// A close frame; some have no code.
fn close() -> impl Strategy<Value = Control> {
    prop::option::weighted(0.9, reason()).prop_map(Control::Close)
}

/// A message, in one frame or in several.
pub(crate) fn message() -> impl Strategy<Value = Move> {
    let between = prop_oneof![3 => Just(0), 1 => 1..3_usize]
        .prop_flat_map(|count| prop::collection::vec(control(), count));
    let cut = (any::<Index>(), between).prop_map(|(at, then)| Cut { at, then });
    let cuts = prop_oneof![2 => Just(0), 1 => 1..5_usize]
        .prop_flat_map(move |count| prop::collection::vec(cut.clone(), count));
    (payload(any_kind(), len()), cuts).prop_map(|(payload, cuts)| Move::Message { payload, cuts })
}

/// Anything but the end.
pub(crate) fn chatter() -> impl Strategy<Value = Move> {
    prop_oneof![4 => message(), 1 => control().prop_map(Move::Control)]
}

/// Anything; rarely the end, which may also come inside a message, which is lost then.
pub(crate) fn anything() -> impl Strategy<Value = Move> {
    let broken = (payload(any_kind(), len()), any::<Index>(), close()).prop_map(|(payload, at, close)| {
        Move::Message { payload, cuts: vec![Cut { at, then: vec![close] }] }
    });
    prop_oneof![60 => chatter(), 2 => close().prop_map(Move::Control), 1 => broken]
}

/// The end.
pub(crate) fn goodbye() -> impl Strategy<Value = Move> {
    close().prop_map(Move::Control)
}

/// The end, as the library says it: always with a code.
pub(crate) fn goodbye_with_code() -> impl Strategy<Value = Move> {
    reason().prop_map(|reason| Move::Control(Control::Close(Some(reason))))
}
