//! Frames out of whatever the network cut: bytes go in, unmasked runs of payload come out.
//!
//! Keeps at most the [`MAX_HEADER`] bytes of a header that is cut in two. A payload that is cut in two is unmasked as
//! it arrives and handed on; who wants all of it gathers it. Does not know which side we are or what a message is.

use super::close::ProtocolError;
use super::frame::{FrameHeader, MAX_HEADER, Rsv1};
use super::mask;

/// Bytes as they came from the peer, taken off the front and unmasked where they lie.
///
/// It takes a buffer that may be written to, since unmasking is done in place. One input is one read from the socket,
/// whatever it holds: half a frame, or many.
///
/// ```
/// use wiretail::ws::{Connection, Event, Input, Limits};
///
/// let mut server = Connection::server(Limits::default());
/// let mut out = Vec::new();
/// // A ping and a pong, masked with zeroes, and the first byte of a third frame.
/// let mut buffer = *b"\x89\x80\0\0\0\0\x8a\x80\0\0\0\0\x81";
/// let mut input = Input::new(&mut buffer);
/// assert!(matches!(server.receive(&mut input, &mut out), Some(Event::Ping(_))));
/// assert_eq!(input.len(), 7);
/// assert!(matches!(server.receive(&mut input, &mut out), Some(Event::Pong(_))));
/// // `None`: what has not become an event yet is remembered by the connection. The buffer is free for the next read.
/// assert_eq!(server.receive(&mut input, &mut out), None);
/// assert!(input.is_empty());
/// ```
#[derive(Debug)]
pub struct Input<'b> {
    bytes: &'b mut [u8],
    budget: Budget,
}

/// How much work is put into one input before others have their turn: few bytes can mean a lot of it.
///
/// A server that serves many with one thread gives each input one, and keeps what is left:
///
/// ```
/// use wiretail::ws::{Budget, Connection, Event, Input, Limits, Message};
///
/// const TURN: Budget = Budget { frames: 2, inflated: 1 << 20 }; // a small turn, to be seen
///
/// let mut server = Connection::server(Limits::default());
/// let mut out = Vec::new();
/// // "a", "b" and "c" in one read, masked with zeroes.
/// let mut buffer = *b"\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b\x81\x81\0\0\0\0c";
/// let mut input = Input::bounded(&mut buffer, TURN);
/// let mut heard = 0;
/// while let Some(Event::Message(_)) = server.receive(&mut input, &mut out) {
///     heard += 1;
/// }
/// assert_eq!((heard, input.len()), (2, 7));
///
/// // The next turn of this connection begins with the rest, and only then reads from the socket.
/// let mut rest = input.rest().to_vec();
/// let event = server.receive(&mut Input::bounded(&mut rest, TURN), &mut out);
/// assert_eq!(event, Some(Event::Message(Message::Text("c".into()))));
/// ```
///
/// A budget of zero would be spent before anything is read, in every turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Frames, of which two bytes make one.
    pub frames: usize,
    /// Bytes of messages that come compressed (RFC 7692). One byte of payload may make a thousand of them, and counts as
    /// 16 at least, for blocks that hold nothing are work too. What is inflated in one go goes beyond it by some 260 KiB
    /// at most.
    pub inflated: usize,
}

impl<'b> Input<'b> {
    /// All of `bytes` is still to be read.
    pub fn new(bytes: &'b mut [u8]) -> Self {
        Self::bounded(bytes, Budget { frames: usize::MAX, inflated: usize::MAX })
    }

    /// All of `bytes` is still to be read, within a budget. When that is spent, what is [left](Self::rest) is to be
    /// kept for the next turn.
    pub fn bounded(bytes: &'b mut [u8], budget: Budget) -> Self {
        Self { bytes, budget }
    }

    /// The number of bytes not read yet.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether everything is read.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is not read yet, as it came from the peer.
    pub fn rest(&self) -> &[u8] {
        self.bytes
    }

    /// Whether the budget is spent.
    pub(super) fn is_spent(&self) -> bool {
        self.budget.frames == 0 || self.budget.inflated == 0
    }

    pub(super) fn spend_frame(&mut self) {
        self.budget.frames = self.budget.frames.saturating_sub(1);
    }

    pub(super) fn spend_inflated(&mut self, bytes: usize) {
        self.budget.inflated = self.budget.inflated.saturating_sub(bytes);
    }

    /// Takes `count` bytes, or as many as there are.
    fn take(&mut self, count: usize) -> &'b mut [u8] {
        let bytes = std::mem::take(&mut self.bytes);
        let (front, rest) = bytes.split_at_mut(count.min(bytes.len()));
        self.bytes = rest;
        front
    }

    /// Throws away what is left.
    pub fn discard(&mut self) {
        self.bytes = &mut [];
    }
}

/// A run of unmasked payload bytes, all of one frame.
///
/// See [`Decoder`] for how they come.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk<'b> {
    /// The frame these bytes belong to.
    pub header: FrameHeader,
    /// Unmasked in place; may be empty.
    pub payload: &'b [u8],
    /// Nothing of this frame came before. A frame's first chunk comes as soon as its header is whole, so that it can
    /// be refused before any of its payload is kept.
    pub first: bool,
    /// Nothing of this frame comes after.
    pub last: bool,
}

/// Cuts the peer's bytes into chunks.
///
/// The masked "Hello" of §5.7, cut inside its payload:
///
/// ```
/// use wiretail::ws::decoder::{Decoder, Input};
/// use wiretail::ws::frame::Rsv1;
///
/// let mut decoder = Decoder::new();
/// let mut first_read = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d";
/// let mut input = Input::new(&mut first_read);
/// let chunk = decoder.next_chunk(&mut input, Rsv1::Reserved, |_| usize::MAX)?.expect("a header is there");
/// assert_eq!((chunk.payload, chunk.first, chunk.last), (&b"Hel"[..], true, false));
/// assert_eq!(chunk.header.payload_len, 5);
/// assert_eq!(decoder.next_chunk(&mut input, Rsv1::Reserved, |_| usize::MAX)?, None);
///
/// // The key goes on where it was: its fourth byte is the first to be used here.
/// let mut second_read = *b"\x51\x58";
/// let mut input = Input::new(&mut second_read);
/// let chunk = decoder.next_chunk(&mut input, Rsv1::Reserved, |_| usize::MAX)?.expect("the rest of the frame");
/// assert_eq!((chunk.payload, chunk.first, chunk.last), (&b"lo"[..], false, true));
/// # Ok::<(), wiretail::ws::ProtocolError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    state: State,
}

#[derive(Debug)]
enum State {
    /// Reading a header, of which `len` bytes came in earlier pieces.
    Header { spill: [u8; MAX_HEADER], len: u8 },
    /// Reading the payload behind `header`, of which `left` bytes have not come.
    Payload { header: FrameHeader, left: u64 },
}

const BETWEEN_FRAMES: State = State::Header { spill: [0; MAX_HEADER], len: 0 };

impl Decoder {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Self { state: BETWEEN_FRAMES }
    }

    /// The next run of payload, or `None` once `input` is used up. What the first reserved bit means has been agreed on;
    /// `most` says how many bytes of such a frame's payload may come in one run.
    ///
    /// # Errors
    /// If a header is malformed. The decoder is of no use after that.
    pub fn next_chunk<'b>(
        &mut self,
        input: &mut Input<'b>,
        rsv1: Rsv1,
        most: impl FnOnce(&FrameHeader) -> usize,
    ) -> Result<Option<Chunk<'b>>, ProtocolError> {
        let (header, left, first) = match &mut self.state {
            State::Payload { .. } if input.is_empty() => return Ok(None),
            State::Payload { header, left } => (*header, *left, false),
            State::Header { spill, len } => match read_header(spill, len, input, rsv1)? {
                Some(header) => (header, header.payload_len, true),
                None => return Ok(None),
            },
        };
        let payload = input.take(usize::try_from(left).unwrap_or(usize::MAX).min(most(&header)));
        if let Some(key) = header.mask {
            mask::apply(payload, key, header.payload_len - left);
        }
        let left = left - payload.len() as u64;
        self.state = if left == 0 { BETWEEN_FRAMES } else { State::Payload { header, left } };
        Ok(Some(Chunk { header, payload, first, last: left == 0 }))
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes a header off the front of `input`, begun in `spill` perhaps; if it does not end there, `spill` keeps it.
fn read_header(
    spill: &mut [u8; MAX_HEADER],
    len: &mut u8,
    input: &mut Input<'_>,
    rsv1: Rsv1,
) -> Result<Option<FrameHeader>, ProtocolError> {
    let spilt = usize::from(*len);
    if spilt == 0
        && let Some((header, used)) = FrameHeader::parse(input.bytes, rsv1)?
    {
        input.take(used);
        return Ok(Some(header));
    }
    // No header is longer than the spill, so what does not fit in it belongs to the payload.
    let more = input.len().min(MAX_HEADER - spilt);
    spill[spilt..spilt + more].copy_from_slice(&input.bytes[..more]);
    match FrameHeader::parse(&spill[..spilt + more], rsv1)? {
        Some((header, used)) => {
            // What was spilt before did not make a header, so `used` is beyond it.
            input.take(used - spilt);
            Ok(Some(header))
        }
        None => {
            input.take(more);
            *len += more as u8;
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame put together again from its chunks.
    type Frame = (FrameHeader, Vec<u8>);

    /// The frames in `pieces`, and the error that ended them, if any.
    fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<ProtocolError>) {
        let mut decoder = Decoder::new();
        let mut frames: Vec<Frame> = Vec::new();
        let mut under_way: Option<Frame> = None;
        for piece in pieces {
            let mut piece = piece.to_vec();
            let mut input = Input::new(&mut piece);
            loop {
                let chunk = match decoder.next_chunk(&mut input, Rsv1::Reserved, |_| usize::MAX) {
                    Ok(Some(chunk)) => chunk,
                    Ok(None) => break,
                    Err(error) => return (frames, Some(error)),
                };
                assert_eq!(chunk.first, under_way.is_none());
                let frame = under_way.get_or_insert_with(|| (chunk.header, Vec::new()));
                assert_eq!(frame.0, chunk.header);
                frame.1.extend_from_slice(chunk.payload);
                if chunk.last {
                    frames.extend(under_way.take());
                }
            }
            assert!(input.is_empty(), "nothing is left behind");
        }
        (frames, None)
    }

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let opcode = crate::ws::Opcode::from_bits(first & 0x0f).unwrap();
        let header = FrameHeader {
            fin: first & 0x80 != 0,
            opcode,
            compressed: false,
            mask: Some(key),
            payload_len: payload.len() as u64,
        };
        let mut bytes = header.encode().to_vec();
        let start = bytes.len();
        bytes.extend_from_slice(payload);
        mask::apply(&mut bytes[start..], key, 0);
        bytes
    }

    #[test]
    fn frames_are_the_same_however_they_are_cut() {
        let long: Vec<u8> = (0..=255).collect();
        let stream = [
            &masked(0x01, b"Hel")[..],
            &masked(0x89, b""),
            &masked(0x80, b"lo"),
            &masked(0x82, &long),
            b"\x8a\x02ok",
            &masked(0x88, &[3, 232]),
        ]
        .concat();
        let whole = decode([&stream[..]].into_iter());
        let payloads: Vec<&[u8]> = whole.0.iter().map(|frame| &frame.1[..]).collect();
        assert_eq!(payloads, [&b"Hel"[..], b"", b"lo", &long, b"ok", &[3, 232]]);
        for cut in 0..=stream.len() {
            assert_eq!(decode([&stream[..cut], &stream[cut..]].into_iter()), whole, "cut at {cut}");
        }
        for size in 1..20 {
            assert_eq!(decode(stream.chunks(size)), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn what_comes_before_a_malformed_header_is_decoded_however_it_is_cut() {
        let stream = [&masked(0x81, b"good")[..], &[0x82, 0xfe, 0, 1], b"more"].concat();
        let whole = decode([&stream[..]].into_iter());
        assert_eq!((whole.0.len(), whole.1), (1, Some(ProtocolError::LengthNotMinimal)));
        for cut in 0..=stream.len() {
            assert_eq!(decode([&stream[..cut], &stream[cut..]].into_iter()), whole, "cut at {cut}");
        }
        assert_eq!(decode(stream.chunks(1)), whole);
    }

    #[test]
    fn the_first_chunk_comes_with_the_header_and_before_any_payload() {
        let mut decoder = Decoder::new();
        let mut bytes = masked(0x82, &[7; 300])[..8].to_vec();
        let mut input = Input::new(&mut bytes);
        let chunk = decoder.next_chunk(&mut input, Rsv1::Reserved, |_| usize::MAX).unwrap().unwrap();
        assert_eq!((chunk.payload, chunk.first, chunk.last), (&[][..], true, false));
        assert_eq!(chunk.header.payload_len, 300);
        assert_eq!(decoder.next_chunk(&mut input, Rsv1::Reserved, |_| usize::MAX), Ok(None));
    }
}
