//! Messages: what an application hears and says, put together from one frame or from many (RFC 6455 §5.4).
//!
//! Knows data frames only; pings and closes between the fragments of a message pass it by. Holds the limits.

use std::borrow::Cow;

use super::close::ProtocolError;
use super::decoder::Chunk;
use super::frame::{FrameHeader, Opcode};
use super::utf8::{NotUtf8, TextBuilder};

/// One message.
///
/// One that lay whole in the input is lent from there, one that came in pieces was gathered and is given; to whoever reads
/// it, both are the same. [`into_owned`](Cow::into_owned) on what is inside keeps it beyond the input.
///
/// ```
/// use std::borrow::Cow;
/// use wiretail::ws::{Connection, Event, Input, Limits, MaskKeys, Message};
///
/// let mut client = Connection::client(Limits::default(), MaskKeys::new([7; 32])); // in earnest, a random seed
/// let mut out = Vec::new();
///
/// // "A single-frame unmasked text message (contains "Hello")" (§5.7)
/// let mut bytes = *b"\x81\x05Hello";
/// let event = client.receive(&mut Input::new(&mut bytes), &mut out);
/// assert!(matches!(event, Some(Event::Message(Message::Text(Cow::Borrowed("Hello"))))));
///
/// // "A fragmented unmasked text message", "Hel" and "lo"
/// let mut bytes = *b"\x01\x03Hel\x80\x02lo";
/// match client.receive(&mut Input::new(&mut bytes), &mut out) {
///     Some(Event::Message(Message::Text(text))) => assert_eq!(text.into_owned(), "Hello"),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'b> {
    /// Text, which is UTF-8.
    Text(Cow<'b, str>),
    /// Any bytes.
    Binary(Cow<'b, [u8]>),
}

/// How large a message may be. None of it is reserved ahead: memory grows with what has come.
///
/// Beyond them the peer is failed, at the header that says so:
///
/// ```
/// use wiretail::ws::{ClosedBy, Connection, Event, Input, Limits, ProtocolError};
///
/// let mut server = Connection::server(Limits { message: 100, ..Limits::default() });
/// let mut out = Vec::new();
/// // The header of 101 bytes, masked. None of them has come, and none will be waited for.
/// let mut bytes = *b"\x82\xe5\x37\xfa\x21\x3d";
/// let Some(Event::Closed(closed)) = server.receive(&mut Input::new(&mut bytes), &mut out) else {
///     panic!("it was let in");
/// };
/// assert_eq!(closed.by, ClosedBy::Failure(ProtocolError::TooBig { limit: 100 }));
/// // What the peer gets: a close frame with 1009 and the reason.
/// assert_eq!(out, b"\x88\x24\x03\xf1a message is longer than 100 bytes");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of payload in one message.
    pub message: usize,
    /// The most frames one message may come in, empty ones included: each costs work, whatever it carries.
    pub fragments: usize,
}

impl Limits {
    /// For echoing whatever comes: 16 MiB in a million frames.
    pub const fn echo() -> Self {
        Self { message: 16 << 20, fragments: 1 << 20 }
    }
}

impl Default for Limits {
    /// For viewers, who have little to say: 16 KiB in 64 frames.
    fn default() -> Self {
        Self { message: 16 << 10, fragments: 64 }
    }
}

/// The message that is under way.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    gathered: Gathered,
    /// How many of its frames have begun.
    frames: u32,
    /// It comes compressed.
    compressed: bool,
}

#[derive(Debug, Default)]
enum Gathered {
    /// No message is under way, or it lies whole in the input.
    #[default]
    Nothing,
    Text(TextBuilder),
    Binary(Vec<u8>),
}

impl Gathered {
    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

impl Assembly {
    /// Looks at the header of a data frame, before any of its payload is kept.
    pub(super) fn admit(&mut self, header: &FrameHeader, limits: Limits) -> Result<(), ProtocolError> {
        let so_far = match (&self.gathered, header.opcode) {
            (Gathered::Nothing, Opcode::Text | Opcode::Binary) => {
                self.compressed = header.compressed;
                0
            }
            (gathered @ (Gathered::Text(_) | Gathered::Binary(_)), Opcode::Continuation) => gathered.len(),
            // "The fragments of one message MUST NOT be interleaved between the fragments of another message unless
            // an extension has been negotiated that can interpret the interleaving" (§5.4)
            (Gathered::Nothing, _) => return Err(ProtocolError::NothingToContinue),
            (Gathered::Text(_) | Gathered::Binary(_), _) => return Err(ProtocolError::MessageUnfinished),
        };
        // The length is below 2^63 and what was gathered is in memory: the sum cannot overflow. How much a compressed
        // message is will be seen when it is inflated.
        if !self.compressed && so_far as u64 + header.payload_len > limits.message as u64 {
            return Err(ProtocolError::TooBig { limit: limits.message });
        }
        if self.frames as usize >= limits.fragments {
            return Err(ProtocolError::TooManyFragments { limit: limits.fragments });
        }
        self.frames += 1;
        if self.compressed && self.frames == 1 {
            self.gathered = match header.opcode {
                Opcode::Text => Gathered::Text(TextBuilder::new()),
                _ => Gathered::Binary(Vec::new()),
            };
        }
        Ok(())
    }

    /// Whether the message under way comes compressed, so that its payload must be inflated before it is
    /// [pushed](Self::push).
    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Takes inflated bytes of a compressed message. The sin that comes first counts, wherever they are cut.
    pub(super) fn push(&mut self, bytes: &[u8], limits: Limits) -> Result<(), ProtocolError> {
        let room = limits.message - self.gathered.len();
        let fitting = &bytes[..bytes.len().min(room)];
        match &mut self.gathered {
            Gathered::Nothing => {}
            Gathered::Text(text) => text.push(fitting)?,
            Gathered::Binary(gathered) => gathered.extend_from_slice(fitting),
        }
        if bytes.len() > room { Err(ProtocolError::TooBig { limit: limits.message }) } else { Ok(()) }
    }

    /// Takes payload of an admitted frame, and gives the message if it ends here.
    pub(super) fn receive<'b>(&mut self, chunk: &Chunk<'b>) -> Result<Option<Message<'b>>, ProtocolError> {
        let ends = chunk.last && chunk.header.fin;
        match (&mut self.gathered, chunk.header.opcode) {
            // All of it lies in the input: it is lent, not copied.
            (Gathered::Nothing, Opcode::Text) if ends => {
                self.frames = 0;
                let text = std::str::from_utf8(chunk.payload).map_err(|_| ProtocolError::NotUtf8)?;
                return Ok(Some(Message::Text(Cow::Borrowed(text))));
            }
            (Gathered::Nothing, Opcode::Binary) if ends => {
                self.frames = 0;
                return Ok(Some(Message::Binary(Cow::Borrowed(chunk.payload))));
            }
            (Gathered::Nothing, Opcode::Text) => {
                let mut text = TextBuilder::new();
                text.push(chunk.payload)?;
                self.gathered = Gathered::Text(text);
            }
            (Gathered::Nothing, _) => self.gathered = Gathered::Binary(chunk.payload.to_vec()),
            (Gathered::Text(text), _) => text.push(chunk.payload)?,
            (Gathered::Binary(bytes), _) => bytes.extend_from_slice(chunk.payload),
        }
        if ends { self.finish() } else { Ok(None) }
    }

    /// How many bytes it has gathered.
    pub(super) fn len(&self) -> usize {
        self.gathered.len()
    }

    /// Whether it holds no memory.
    #[cfg(test)]
    pub(super) fn owns_nothing(&self) -> bool {
        matches!(self.gathered, Gathered::Nothing) && self.frames == 0
    }

    /// The gathered message, now that it is whole.
    pub(super) fn finish(&mut self) -> Result<Option<Message<'static>>, ProtocolError> {
        match std::mem::take(self).gathered {
            Gathered::Nothing => Ok(None),
            Gathered::Text(text) => Ok(Some(Message::Text(Cow::Owned(text.finish()?)))),
            Gathered::Binary(bytes) => Ok(Some(Message::Binary(Cow::Owned(bytes)))),
        }
    }
}

impl From<NotUtf8> for ProtocolError {
    fn from(NotUtf8: NotUtf8) -> Self {
        Self::NotUtf8
    }
}
