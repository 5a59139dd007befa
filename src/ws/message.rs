//! Messages: what an application hears and says, put together from one frame or from many (RFC 6455 §5.4).
//!
//! Knows data frames only; pings and closes between the fragments of a message pass it by. Holds the limits.

use std::borrow::Cow;

use super::close::ProtocolError;
use super::decoder::Chunk;
use super::frame::{FrameHeader, Opcode};
use super::utf8::{NotUtf8, Text, TextBuilder};

/// One message.
///
/// One that lay whole in the input is lent from there, one that came in pieces was gathered and is given; to whoever reads
/// it, both are the same. [`into_owned`](Self::into_owned) keeps it beyond the input.
///
/// ```
/// use wiretail::ws::{Connection, Event, Input, Limits, MaskKeys, Message};
///
/// let mut client = Connection::client(Limits::default(), MaskKeys::new([7; 32])); // in earnest, a random seed
/// let mut out = Vec::new();
///
/// // "A single-frame unmasked text message (contains "Hello")" (§5.7)
/// let mut bytes = *b"\x81\x05Hello";
/// let event = client.receive(&mut Input::new(&mut bytes), &mut out);
/// assert!(matches!(event, Some(Event::Message(Message::Text(text))) if text == "Hello"));
///
/// // "A fragmented unmasked text message", "Hel" and "lo"
/// let mut bytes = *b"\x01\x03Hel\x80\x02lo";
/// match client.receive(&mut Input::new(&mut bytes), &mut out) {
///     Some(Event::Message(Message::Text(text))) => assert_eq!(text.into_string(), "Hello"),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'b> {
    /// Text, which is UTF-8.
    Text(Text<'b>),
    /// Any bytes.
    Binary(Cow<'b, [u8]>),
}

impl Message<'_> {
    /// The same, to be kept beyond the input that it may be lent from.
    pub fn into_owned(self) -> Message<'static> {
        match self {
            Self::Text(text) => Message::Text(text.into_owned()),
            Self::Binary(bytes) => Message::Binary(Cow::Owned(bytes.into_owned())),
        }
    }
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

/// The message that is under way. A few bytes, as most connections wait for their next message most of the time.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    /// What has come of it; `None` if none is under way, or it lies whole in the input.
    gathered: Option<Box<Gathered>>,
    /// How many of its frames have begun.
    frames: u32,
    /// It comes compressed.
    compressed: bool,
}

#[derive(Debug)]
enum Gathered {
    Text(TextBuilder),
    Binary(Vec<u8>),
}

impl Gathered {
    /// Nothing of a message that a frame with this opcode begins.
    fn begin(opcode: Opcode) -> Self {
        match opcode {
            Opcode::Text => Self::Text(TextBuilder::new()),
            _ => Self::Binary(Vec::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    fn push(&mut self, more: &[u8]) -> Result<(), NotUtf8> {
        match self {
            Self::Text(text) => text.push(more)?,
            Self::Binary(bytes) => bytes.extend_from_slice(more),
        }
        Ok(())
    }
}

impl Assembly {
    /// Looks at the header of a data frame, before any of its payload is kept.
    pub(super) fn admit(&mut self, header: &FrameHeader, limits: Limits) -> Result<(), ProtocolError> {
        let so_far = match (&self.gathered, header.opcode) {
            (None, Opcode::Text | Opcode::Binary) => {
                self.compressed = header.compressed;
                0
            }
            (Some(gathered), Opcode::Continuation) => gathered.len(),
            // "The fragments of one message MUST NOT be interleaved between the fragments of another message unless
            // an extension has been negotiated that can interpret the interleaving" (§5.4)
            (None, _) => return Err(ProtocolError::NothingToContinue),
            (Some(_), _) => return Err(ProtocolError::MessageUnfinished),
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
            self.gathered = Some(Box::new(Gathered::begin(header.opcode)));
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
        let room = limits.message - self.len();
        let fitting = &bytes[..bytes.len().min(room)];
        if let Some(gathered) = &mut self.gathered {
            gathered.push(fitting)?;
        }
        if bytes.len() > room { Err(ProtocolError::TooBig { limit: limits.message }) } else { Ok(()) }
    }

    /// Takes payload of an admitted frame, and gives the message if it ends here.
    pub(super) fn receive<'b>(&mut self, chunk: &Chunk<'b>) -> Result<Option<Message<'b>>, ProtocolError> {
        let ends = chunk.last && chunk.header.fin;
        if ends && self.gathered.is_none() {
            // All of it lies in the input: it is lent, not copied.
            self.frames = 0;
            return Ok(Some(match chunk.header.opcode {
                Opcode::Text => Message::Text(Text::from_utf8(chunk.payload)?),
                _ => Message::Binary(Cow::Borrowed(chunk.payload)),
            }));
        }
        let opcode = chunk.header.opcode;
        self.gathered.get_or_insert_with(|| Box::new(Gathered::begin(opcode))).push(chunk.payload)?;
        if ends { self.finish() } else { Ok(None) }
    }

    /// How many bytes it has gathered.
    pub(super) fn len(&self) -> usize {
        self.gathered.as_ref().map_or(0, |gathered| gathered.len())
    }

    /// Whether it holds no memory.
    #[cfg(test)]
    pub(super) fn owns_nothing(&self) -> bool {
        self.gathered.is_none() && self.frames == 0
    }

    /// The gathered message, now that it is whole.
    pub(super) fn finish(&mut self) -> Result<Option<Message<'static>>, ProtocolError> {
        Ok(match std::mem::take(self).gathered.map(|gathered| *gathered) {
            None => None,
            Some(Gathered::Text(text)) => Some(Message::Text(text.finish()?)),
            Some(Gathered::Binary(bytes)) => Some(Message::Binary(Cow::Owned(bytes))),
        })
    }
}

impl From<NotUtf8> for ProtocolError {
    fn from(NotUtf8: NotUtf8) -> Self {
        Self::NotUtf8
    }
}
