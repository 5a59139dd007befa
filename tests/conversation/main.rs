//! Conversations in memory: bytes go in, events and bytes come out, no sockets (RFC 6455 §5 to §7).
//!
//! Frames are written out by hand here, so that an error of our encoder cannot hide one of our decoder. What must hold
//! however the network cuts the bytes is checked for every cut.

use std::borrow::Cow;

use wiretail::ws::{
    CloseCode, Closed, ClosedBy, Connection, Event, Input, Limits, MaskKeys, Message, ProtocolError,
};

mod closing;
mod deflate;
mod limits;
mod messages;
mod random;
mod roles;
mod sins;

const FIN_TEXT: u8 = 0x81;
const FIN_BINARY: u8 = 0x82;
const TEXT: u8 = 0x01;
const BINARY: u8 = 0x02;
const MORE: u8 = 0x00;
const END: u8 = 0x80;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// A frame as a server sends it.
fn plain(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    framed(first, 0, &[], payload.as_ref())
}

/// A frame as a client sends it, masked with the key of the RFC's examples.
fn masked(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let payload: Vec<u8> = payload.as_ref().iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect();
    framed(first, 0x80, &key, &payload)
}

fn framed(first: u8, mask_bit: u8, key: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(mask_bit | len as u8),
        len @ 126..=0xffff => {
            frame.push(mask_bit | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(mask_bit | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend(payload);
    frame
}

/// The payload of a close frame.
fn goodbye(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

fn text(text: &str) -> Event<'static> {
    Event::Message(Message::Text(text.to_owned().into()))
}

fn binary(bytes: &[u8]) -> Event<'static> {
    Event::Message(Message::Binary(Cow::Owned(bytes.to_owned())))
}

fn ping(payload: &str) -> Event<'static> {
    Event::Ping(Cow::Owned(payload.as_bytes().to_owned()))
}

fn pong(payload: &str) -> Event<'static> {
    Event::Pong(Cow::Owned(payload.as_bytes().to_owned()))
}

fn closed(code: Option<u16>, reason: &str, by: ClosedBy) -> Event<'static> {
    let code = code.map(|code| CloseCode::new(code).expect("a code that may be sent"));
    Event::Closed(Closed { code, reason: reason.to_owned(), by })
}

/// What the connection does when a peer commits `sin`: the event, and the close frame.
fn failed(sin: ProtocolError) -> (Event<'static>, Vec<u8>) {
    let (code, reason) = (sin.close_code().number(), sin.to_string());
    (closed(Some(code), &reason, ClosedBy::Failure(sin)), goodbye(code, &reason))
}

/// An event that outlives the bytes it was read from.
fn keep(event: Event<'_>) -> Event<'static> {
    let own = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
    match event {
        Event::Message(message) => Event::Message(message.into_owned()),
        Event::Ping(payload) => Event::Ping(own(payload)),
        Event::Pong(payload) => Event::Pong(own(payload)),
        Event::Closed(closed) => Event::Closed(closed),
    }
}

/// A connection, what it has told us, and what it has said to its peer.
struct Talk {
    connection: Connection,
    events: Vec<Event<'static>>,
    out: Vec<u8>,
}

impl Talk {
    fn server() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        Self { connection: Connection::server(limits), events: Vec::new(), out: Vec::new() }
    }

    fn client() -> Self {
        let connection = Connection::client(Limits::default(), MaskKeys::new([7; 32]));
        Self { connection, events: Vec::new(), out: Vec::new() }
    }

    /// The peer says this.
    fn hear(&mut self, bytes: impl AsRef<[u8]>) {
        let mut bytes = bytes.as_ref().to_vec();
        let mut input = Input::new(&mut bytes);
        while let Some(event) = self.connection.receive(&mut input, &mut self.out) {
            self.events.push(keep(event));
        }
        assert!(input.is_empty(), "`None` means that everything is read");
    }

    /// We were told exactly this since the last time.
    fn tells(&mut self, events: &[Event<'static>]) {
        assert_eq!(std::mem::take(&mut self.events), events);
    }

    /// Exactly this was said to the peer since the last time.
    fn says(&mut self, bytes: impl AsRef<[u8]>) {
        assert_eq!(std::mem::take(&mut self.out), bytes.as_ref());
    }
}

/// What a server makes of `bytes`, which must not depend on how they are cut.
fn outcome(limits: Limits, bytes: &[u8]) -> (Vec<Event<'static>>, Vec<u8>) {
    let in_pieces = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut talk = Talk::with(limits);
        pieces.for_each(|piece| talk.hear(piece));
        (talk.events, talk.out)
    };
    let whole = in_pieces(&mut [bytes].into_iter());
    for cut in 0..=bytes.len() {
        assert_eq!(in_pieces(&mut [&bytes[..cut], &bytes[cut..]].into_iter()), whole, "cut at {cut}");
    }
    for size in [1, 2, 3, 7] {
        assert_eq!(in_pieces(&mut bytes.chunks(size)), whole, "in pieces of {size}");
    }
    whole
}

/// `bytes` make a server fail its peer, with everything before them answered.
fn sins(bytes: impl AsRef<[u8]>, sin: ProtocolError) {
    sins_with(Limits::default(), bytes, sin);
}

fn sins_with(limits: Limits, bytes: impl AsRef<[u8]>, sin: ProtocolError) {
    let script =
        [&masked(PING, "due")[..], bytes.as_ref(), &masked(FIN_TEXT, "never heard"), &masked(PING, "x")]
            .concat();
    let (event, payload) = failed(sin);
    let (events, out) = outcome(limits, &script);
    assert_eq!(events, [ping("due"), event], "{sin:?}");
    assert_eq!(out, [plain(PONG, "due"), plain(CLOSE, payload)].concat(), "{sin:?}");
}
