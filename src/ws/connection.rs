//! The conversation after the opening handshake, for either role (RFC 6455 §5 to §7).
//!
//! Knows no sockets and no clock: when to ping, how long to wait for an answer and when to close TCP are for the
//! caller. Knows of permessage-deflate (RFC 7692) only where it takes messages out of frames and puts them in.

use std::borrow::Cow;

use super::close::{self, CloseCode, Closed, ClosedBy, ProtocolError};
use super::control::ControlPayload;
use super::decoder::{Chunk, Decoder, Input};
#[cfg(feature = "deflate")]
use super::deflate::Parameters;
use super::deflate::PerMessageDeflate;
use super::frame::{FrameHeader, Opcode, Rsv1};
use super::mask::{self, MaskKeys};
use super::message::{Assembly, Limits, Message};

/// What the peer did.
///
/// The `'b` is that of the [`Input`]: what lay whole in it is lent from there. Most programs need one arm:
///
/// ```
/// use wiretail::ws::{Connection, Event, Input, Limits};
///
/// /// Counts what was said; answers, goodbyes and failures are the connection's.
/// fn count(connection: &mut Connection, bytes: &mut [u8], out: &mut Vec<u8>) -> usize {
///     let (mut input, mut heard) = (Input::new(bytes), 0);
///     while let Some(event) = connection.receive(&mut input, out) {
///         match event {
///             Event::Message(_) => heard += 1,
///             Event::Ping(_) | Event::Pong(_) => {}           // a sign of life; a ping has its pong in `out`
///             Event::Closed(why) => println!("{:?}", why.by), // nothing comes after it
///         }
///     }
///     heard
/// }
///
/// let (mut server, mut out) = (Connection::server(Limits::default()), Vec::new());
/// let mut bytes = *b"\x81\x80\0\0\0\0\x82\x80\0\0\0\0\x89\x80\0\0\0\0"; // empty text, empty binary, a ping
/// assert_eq!(count(&mut server, &mut bytes, &mut out), 2);
/// assert_eq!(out, b"\x8a\x00");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'b> {
    /// It sent a message.
    Message(Message<'b>),
    /// It asked whether we are there. It is answered already.
    Ping(Cow<'b, [u8]>),
    /// It answered a ping, or just spoke up: "A Pong frame MAY be sent unsolicited" (§5.5.3).
    Pong(Cow<'b, [u8]>),
    /// The conversation is over. When the output is flushed, a server closes TCP; a client waits for that (§7.1.1).
    Closed(Closed),
}

/// The WebSocket conversation with one peer, after the upgrade.
///
/// It has three kinds of methods:
///
/// - what came from the peer goes in: [`receive`](Self::receive), again until it gives `None`, and
///   [`receive_eof`](Self::receive_eof);
/// - what we want to say goes in: [`send_text`](Self::send_text) and its like, [`close`](Self::close);
/// - what that means on the wire is put behind what is in `out`, which belongs to the caller and may be one buffer for
///   all connections.
///
/// `receive` cannot fail. A peer's sin becomes a close frame in the output and a [`Closed`] event, and everything that
/// still arrives is dropped:
///
/// ```text
///            close()               peer's close
///   Open ──────────────> Closing ───────────────> Over
///    │                      │                      ^
///    │                      '── a sin, or the end ─┤
///    '── peer's close (echoed), a sin, or the end ─'
/// ```
///
/// While nothing is half received, a connection owns no memory beyond itself; with compression, the contexts that were
/// agreed to be kept.
///
/// What takes a clock or a socket is left to the caller: to ping a silent peer ([`send_ping`](Self::send_ping)) and to
/// give it up, to wait for the answer to a close no longer than it has patience, to say when `out` cannot be written
/// ([`hold_pongs`](Self::hold_pongs)), and to close TCP.
///
/// An echo, with the frames of §5.7:
///
/// ```
/// use wiretail::ws::{CloseCode, Closed, ClosedBy, Connection, Event, Input, Limits};
///
/// let mut server = Connection::server(Limits::default());
/// let mut out = Vec::new();
///
/// // One read from the socket: a masked text "Hello", and a ping with the same payload and key behind it.
/// let mut bytes = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// let mut input = Input::new(&mut bytes);
/// while let Some(event) = server.receive(&mut input, &mut out) {
///     match event {
///         Event::Message(message) => server.send_message(&message, &mut out),
///         Event::Ping(payload) => assert_eq!(&*payload, b"Hello"),
///         Event::Pong(_) | Event::Closed(_) => unreachable!("nobody sent them"),
///     }
/// }
/// // To be written to the socket, in one go. A server does not mask.
/// assert_eq!(out, b"\x81\x05Hello\x8a\x05Hello");
///
/// // Goodbye: 1000. The peer answers, and TCP may be closed when `out` is written.
/// out.clear();
/// server.close(CloseCode::NORMAL, "", &mut out);
/// assert_eq!(out, b"\x88\x02\x03\xe8");
/// assert!(!server.may_send());
/// let mut bytes = *b"\x88\x82\0\0\0\0\x03\xe8";
/// let event = server.receive(&mut Input::new(&mut bytes), &mut out);
/// assert!(matches!(event, Some(Event::Closed(Closed { by: ClosedBy::Us, .. }))));
/// assert!(server.is_over());
/// ```
#[derive(Debug)]
pub struct Connection {
    stage: Stage,
    decoder: Decoder,
    /// A client draws a key for each frame; a server has none.
    keys: Option<Box<MaskKeys>>,
    limits: Limits,
    assembly: Assembly,
    /// The payload of a control frame that is cut in two.
    control: Option<Box<ControlPayload>>,
    pongs: Pongs,
    /// The latest ping that waits for its answer, while they are held.
    unanswered: Option<Box<ControlPayload>>,
    deflate: Option<Box<PerMessageDeflate>>,
}

/// How many bytes of a compressed payload are inflated in one go: they make a thousand times as many at most.
const INFLATED_AT_ONCE: usize = 256;
/// How many bytes of payload are copied in one go. Copies from 4 KiB on are left to a single instruction by some C
/// libraries, which on some processors (of AMD, Zen 3 and 4) is twenty times as slow as it should be when the copy lies
/// a few bytes behind the original, the page aside: then an echo of 16 KiB would cost twice as much, by bad luck.
const COPIED_AT_ONCE: usize = 2048;
/// What a byte of compressed payload costs at least, in inflated bytes: blocks that hold nothing are work, too.
const LEAST_COST: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Both sides may speak.
    Open,
    /// We have said goodbye, and may say nothing more; the peer may still be talking.
    Closing,
    /// Nothing that comes means anything.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pongs {
    /// Every ping is answered at once.
    Sent,
    /// Earlier output has not left: the latest ping waits.
    Held,
}

impl Connection {
    /// The server's side.
    pub fn server(limits: Limits) -> Self {
        Self::new(limits, None)
    }

    /// The client's side.
    pub fn client(limits: Limits, keys: MaskKeys) -> Self {
        Self::new(limits, Some(Box::new(keys)))
    }

    fn new(limits: Limits, keys: Option<Box<MaskKeys>>) -> Self {
        Self {
            stage: Stage::Open,
            decoder: Decoder::new(),
            keys,
            limits,
            assembly: Assembly::default(),
            control: None,
            pongs: Pongs::Sent,
            unanswered: None,
            deflate: None,
        }
    }

    /// The same with permessage-deflate, as it was agreed on in the opening handshake. Before the first byte goes in.
    ///
    /// A few bytes can mean a lot of work from now on: who serves many with one thread gives each input a
    /// [`Budget`](crate::ws::Budget).
    ///
    /// Where our window may have no more than 8 bits, our messages go uncompressed: zlib's compressors have none so
    /// small.
    ///
    /// ```
    /// use wiretail::ws::deflate::Parameters;
    /// use wiretail::ws::{Connection, Event, Input, Limits, MaskKeys, Message};
    ///
    /// // In earnest: what `Upgrade::agree_deflate` or `Accepted::deflate` said, and a random seed.
    /// let agreed = Parameters::default();
    /// let mut client = Connection::client(Limits::default(), MaskKeys::new([7; 32])).with_deflate(agreed);
    /// let mut out = Vec::new();
    ///
    /// // "Hello" twice, as in RFC 7692 §7.2.3.1 and §7.2.3.2: the second one refers back to the first.
    /// let mut bytes = *b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00";
    /// let mut input = Input::new(&mut bytes);
    /// for _ in 0..2 {
    ///     let event = client.receive(&mut input, &mut out);
    ///     assert_eq!(event, Some(Event::Message(Message::Text("Hello".into()))));
    /// }
    ///
    /// // What we send is compressed where that is worth it (`deflate::WORTH_COMPRESSING`), and plain otherwise.
    /// client.send_text("Hello", &mut out);
    /// assert_eq!(out[0], 0x81);
    /// out.clear();
    /// client.send_text(&"so much of the same ".repeat(100), &mut out);
    /// assert_eq!(out[0], 0xc1);
    /// assert!(out.len() < 100);
    /// ```
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_deflate(self, agreed: impl Into<Option<Parameters>>) -> Self {
        let deflate = agreed.into().map(|agreed| match self.keys {
            None => PerMessageDeflate::server(&agreed),
            Some(_) => PerMessageDeflate::client(&agreed),
        });
        Self { deflate: deflate.map(Box::new), ..self }
    }

    /// Reads on in `input` until the peer has done something, or everything is read, or the input's budget is spent.
    ///
    /// A message that lies whole and unfragmented in the input is lent from there; any other is gathered and given.
    pub fn receive<'b>(&mut self, input: &mut Input<'b>, out: &mut Vec<u8>) -> Option<Event<'b>> {
        loop {
            // "after receiving a control frame indicating the connection should be closed, a peer discards any further
            // data received" (§1.4), and after a failure it "MUST NOT continue to attempt to process data" (§7.1.7).
            if self.stage == Stage::Over {
                input.discard();
                return None;
            }
            if input.is_empty() || input.is_spent() {
                return None;
            }
            let rsv1 = if self.deflate.is_some() { Rsv1::Compressed } else { Rsv1::Reserved };
            let inflating = self.assembly.is_compressed();
            let most = |header: &FrameHeader| {
                let inflates = header.compressed || inflating && !header.opcode.is_control();
                if inflates { INFLATED_AT_ONCE } else { usize::MAX }
            };
            let received = match self.decoder.next_chunk(input, rsv1, most) {
                Ok(None) => return None,
                Ok(Some(chunk)) => self.receive_chunk(&chunk, input, out),
                Err(error) => Err(error),
            };
            match received {
                Ok(None) => {}
                Ok(Some(event)) => return Some(event),
                Err(error) => return Some(self.fail(error, out)),
            }
        }
    }

    /// The peer will send nothing more: TCP was closed or broke.
    ///
    /// ```
    /// use wiretail::ws::{Closed, ClosedBy, Connection, Event, Limits};
    ///
    /// let mut server = Connection::server(Limits::default());
    /// let lost = Closed { code: None, reason: String::new(), by: ClosedBy::Lost };
    /// assert_eq!(server.receive_eof(), Some(Event::Closed(lost)));
    /// assert_eq!(server.receive_eof(), None); // said once
    /// ```
    pub fn receive_eof(&mut self) -> Option<Event<'static>> {
        if self.stage == Stage::Over {
            return None;
        }
        Some(self.end(None, "", ClosedBy::Lost))
    }

    /// Whether messages may be sent: the closing handshake has not begun.
    pub fn may_send(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Whether the conversation is over.
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// About how many bytes of memory it owns beside itself: what it has gathered of a message, and contexts of
    /// compression.
    pub fn owned_bytes(&self) -> usize {
        self.assembly.len() + self.deflate.as_ref().map_or(0, |deflate| deflate.owned_bytes())
    }

    /// Sends a message of either kind, such as one that has just come. Does nothing once we may not send.
    pub fn send_message(&mut self, message: &Message<'_>, out: &mut Vec<u8>) {
        match message {
            Message::Text(text) => self.send(Opcode::Text, text.as_bytes(), out),
            Message::Binary(bytes) => self.send_binary(bytes, out),
        }
    }

    /// Sends a text message. Does nothing once we may not send.
    pub fn send_text(&mut self, text: &str, out: &mut Vec<u8>) {
        self.send(Opcode::Text, text.as_bytes(), out);
    }

    /// Sends a binary message. Does nothing once we may not send.
    pub fn send_binary(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.send(Opcode::Binary, bytes, out);
    }

    /// Sends a ping with up to 125 bytes; what is beyond them is cut off. Does nothing once we may not send.
    pub fn send_ping(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.send(Opcode::Ping, &ControlPayload::from_slice(payload), out);
    }

    fn send(&mut self, opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
        // "The application MUST NOT send any more data frames after sending a Close frame" (§5.5.1)
        if !self.may_send() {
            return;
        }
        let compressed = match &mut self.deflate {
            Some(deflate) if !opcode.is_control() => deflate.compress(payload),
            _ => None,
        };
        match compressed {
            Some(compressed) => self.write(opcode, true, &compressed, out),
            None => self.write_frame(opcode, payload, out),
        }
    }

    /// Starts the closing handshake; the [`Closed`] event follows when the peer has answered. Does nothing if it has
    /// begun. A reason longer than 123 bytes is cut.
    ///
    /// How long to wait for that answer is the caller's to say; some peers never give it.
    pub fn close(&mut self, code: CloseCode, reason: &str, out: &mut Vec<u8>) {
        if self.stage == Stage::Open {
            self.hold_pongs(false, out);
            self.write_frame(Opcode::Close, &close::encode_payload(code, reason), out);
            self.stage = Stage::Closing;
        }
    }

    /// Tells whether earlier output is stuck. While it is, pings are not answered but the latest one is remembered;
    /// when it no longer is, that one is answered. So a peer that asks and never reads costs nothing.
    ///
    /// "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in response to previous Ping frame(s),
    /// the endpoint MAY elect to send a Pong frame for only the most recently processed Ping frame" (§5.5.3).
    ///
    /// ```
    /// use wiretail::ws::{Connection, Input, Limits};
    ///
    /// let mut server = Connection::server(Limits::default());
    /// let mut out = Vec::new();
    /// server.hold_pongs(true, &mut out); // the socket takes nothing any more
    /// let mut pings = *b"\x89\x81\0\0\0\0a\x89\x81\0\0\0\0b";
    /// let mut input = Input::new(&mut pings);
    /// while server.receive(&mut input, &mut out).is_some() {}
    /// assert!(out.is_empty());
    /// server.hold_pongs(false, &mut out); // everything has been written
    /// assert_eq!(out, b"\x8a\x01b");
    /// ```
    pub fn hold_pongs(&mut self, hold: bool, out: &mut Vec<u8>) {
        self.pongs = if hold { Pongs::Held } else { Pongs::Sent };
        if !hold && let Some(payload) = self.unanswered.take() {
            self.write_frame(Opcode::Pong, &payload, out);
        }
    }

    fn receive_chunk<'b>(
        &mut self,
        chunk: &Chunk<'b>,
        input: &mut Input<'b>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        if chunk.first {
            input.spend_frame();
            self.check_mask(&chunk.header)?;
        }
        if chunk.header.opcode.is_control() {
            return self.receive_control(chunk, out);
        }
        if chunk.first {
            self.assembly.admit(&chunk.header, self.limits)?;
        }
        let message = match &mut self.deflate {
            Some(deflate) if self.assembly.is_compressed() => {
                let ends = chunk.last && chunk.header.fin;
                if chunk.first {
                    deflate.admit(chunk.header.payload_len, self.limits)?;
                }
                let inflated =
                    deflate.inflate(chunk.payload, ends, |bytes| self.assembly.push(bytes, self.limits))?;
                input.spend_inflated(inflated.max(LEAST_COST * chunk.payload.len()));
                if ends { self.assembly.finish()? } else { None }
            }
            _ => self.assembly.receive(chunk)?,
        };
        Ok(message.map(Event::Message))
    }

    /// "The server MUST close the connection upon receiving a frame that is not masked. [...] A client MUST close a
    /// connection if it detects a masked frame" (§5.1).
    fn check_mask(&self, header: &FrameHeader) -> Result<(), ProtocolError> {
        match (&self.keys, header.mask) {
            (None, None) => Err(ProtocolError::NotMasked),
            (Some(_), Some(_)) => Err(ProtocolError::Masked),
            (None, Some(_)) | (Some(_), None) => Ok(()),
        }
    }

    fn receive_control<'b>(
        &mut self,
        chunk: &Chunk<'b>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        let payload = if chunk.first && chunk.last {
            Cow::Borrowed(chunk.payload)
        } else {
            let gathered = self.control.get_or_insert_default();
            gathered.push(chunk.payload);
            if !chunk.last {
                return Ok(None);
            }
            let whole = gathered.to_vec();
            self.control = None;
            Cow::Owned(whole)
        };
        match chunk.header.opcode {
            Opcode::Close => self.receive_close(&payload, out).map(Some),
            Opcode::Ping => {
                self.answer_ping(&payload, out);
                Ok(Some(Event::Ping(payload)))
            }
            Opcode::Pong | Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                Ok(Some(Event::Pong(payload)))
            }
        }
    }

    /// "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it already received a
    /// Close frame" (§5.5.2): so even when we have sent one, which forbids only data.
    fn answer_ping(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        match self.pongs {
            Pongs::Sent => self.write_frame(Opcode::Pong, payload, out),
            Pongs::Held => self.unanswered = Some(Box::new(ControlPayload::from_slice(payload))),
        }
    }

    /// "If an endpoint receives a Close frame and did not previously send a Close frame, the endpoint MUST send a
    /// Close frame in response. (When sending a Close frame in response, the endpoint typically echos the status code
    /// it received.)" (§5.5.1). It may come between the fragments of a message; the message is lost then.
    fn receive_close(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<Event<'static>, ProtocolError> {
        let (code, reason) = close::parse_payload(payload)?;
        let by = match self.stage {
            Stage::Open => {
                let echo = code.map(|code| close::encode_payload(code, "")).unwrap_or_default();
                self.write_frame(Opcode::Close, &echo, out);
                ClosedBy::Peer
            }
            Stage::Closing | Stage::Over => ClosedBy::Us,
        };
        Ok(self.end(code, reason, by))
    }

    /// "An endpoint SHOULD send a Close frame with an appropriate status code before proceeding to _Close the
    /// WebSocket Connection_" (§7.1.7), behind what is in the output already: earlier messages have their answers.
    fn fail(&mut self, error: ProtocolError, out: &mut Vec<u8>) -> Event<'static> {
        let (code, reason) = (error.close_code(), error.to_string());
        if self.stage == Stage::Open {
            self.write_frame(Opcode::Close, &close::encode_payload(code, &reason), out);
        }
        self.end(Some(code), &reason, ClosedBy::Failure(error))
    }

    /// Nothing more will be said or heard: gives back the memory, too.
    fn end(&mut self, code: Option<CloseCode>, reason: &str, by: ClosedBy) -> Event<'static> {
        self.stage = Stage::Over;
        self.assembly = Assembly::default();
        self.control = None;
        self.unanswered = None;
        self.deflate = None;
        Event::Closed(Closed { code, reason: reason.to_owned(), by })
    }

    /// Puts one unfragmented frame behind what is in `out`.
    fn write_frame(&mut self, opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
        self.write(opcode, false, payload, out);
    }

    fn write(&mut self, opcode: Opcode, compressed: bool, payload: &[u8], out: &mut Vec<u8>) {
        // "A server MUST NOT mask any frames that it sends to the client", and "a client MUST mask all frames that it
        // sends to the server" (§5.1), each with a fresh key (§5.3).
        let mask = self.keys.as_mut().map(|keys| keys.next_key());
        let header = FrameHeader { fin: true, opcode, compressed, mask, payload_len: payload.len() as u64 };
        out.extend_from_slice(&header.encode());
        let start = out.len();
        out.reserve(payload.len());
        for piece in payload.chunks(COPIED_AT_ONCE) {
            out.extend_from_slice(piece);
        }
        if let Some(key) = mask {
            mask::apply(&mut out[start..], key, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_owns_nothing_but_itself() {
        assert!(size_of::<Connection>() <= 96, "{}", size_of::<Connection>());
        let mut connection = Connection::server(Limits::default());
        let mut out = Vec::new();
        // A fragmented text message and a cut ping, so that everything was in use once; masked with zeroes.
        let bytes = b"\x01\x82\0\0\0\0He\x89\x82\0\0\0\0??\x80\x83\0\0\0\0llo";
        for piece in bytes.chunks(1) {
            connection.receive(&mut Input::new(&mut piece.to_vec()), &mut out);
        }
        assert_eq!(out, b"\x8a\x02??");
        assert!(connection.control.is_none());
        assert!(connection.assembly.owns_nothing());
    }

    #[test]
    fn a_failed_connection_gives_back_what_it_gathered() {
        let mut connection = Connection::server(Limits::default());
        let mut bytes = *b"\x01\x82\0\0\0\0He\xff";
        let event = connection.receive(&mut Input::new(&mut bytes), &mut Vec::new());
        assert!(matches!(event, Some(Event::Closed(_))));
        assert!(connection.assembly.owns_nothing());
    }
}
