//! Frame headers: the two to fourteen bytes in front of every payload (RFC 6455 §5.2).
//!
//! Does not know which side we are, whether a message is under way, or where the bytes come from. Those questions
//! belong to `connection`.
//!
//! ```text
//!   byte 0            byte 1           0, 2 or 8 bytes     0 or 4 bytes
//! +-+---+--------+  +-+----------+  +-----------------+  +----------+
//! |F|RSV| opcode |  |M|  length  |  |  longer length  |  | mask key |
//! |1| 3 |   4    |  |1|    7     |  |  if 126 or 127  |  | if M set |
//! +-+---+--------+  +-+----------+  +-----------------+  +----------+
//! ```

use super::close::ProtocolError;

/// Bits of the first two bytes.
const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_AND_3: u8 = 0x30;
const MASKED: u8 = 0x80;

/// The longest header: two bytes, eight of length, four of key.
pub const MAX_HEADER: usize = 14;

/// "All control frames MUST have a payload length of 125 bytes or less" (§5.5).
pub const MAX_CONTROL: usize = 125;

/// What a frame is for (§5.2, §11.8).
///
/// ```
/// use wiretail::ws::{Opcode, ProtocolError};
///
/// // The first byte of a ping: FIN, no reserved bit, opcode 9.
/// assert_eq!(Opcode::from_bits(0x89 & 0x0f), Ok(Opcode::Ping));
/// assert!(Opcode::Ping.is_control() && !Opcode::Text.is_control());
/// // "%x3-7 are reserved for further non-control frames", and none has been defined.
/// assert_eq!(Opcode::from_bits(0x3), Err(ProtocolError::UnknownOpcode(3)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// More of the message that a text or binary frame began.
    Continuation,
    /// The beginning of a text message, or all of it.
    Text,
    /// The beginning of a binary message, or all of it.
    Binary,
    /// The sender will say nothing more.
    Close,
    /// "Are you there?"
    Ping,
    /// "I am", with what the ping carried.
    Pong,
}

impl Opcode {
    /// The opcode of these four bits.
    ///
    /// # Errors
    /// "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_" (§5.2).
    pub fn from_bits(bits: u8) -> Result<Self, ProtocolError> {
        match bits {
            0x0 => Ok(Self::Continuation),
            0x1 => Ok(Self::Text),
            0x2 => Ok(Self::Binary),
            0x8 => Ok(Self::Close),
            0x9 => Ok(Self::Ping),
            0xa => Ok(Self::Pong),
            unknown => Err(ProtocolError::UnknownOpcode(unknown)),
        }
    }

    /// The four bits of this opcode.
    pub fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    /// "Control frames are identified by opcodes where the most significant bit of the opcode is 1" (§5.5).
    pub fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }
}

/// What the first of the three reserved bits means in a conversation.
///
/// ```
/// use wiretail::ws::ProtocolError;
/// use wiretail::ws::frame::{FrameHeader, Rsv1};
///
/// // The header of the example in RFC 7692 §7.2.3.1: FIN, RSV1 and text; seven bytes, not masked.
/// let header = b"\xc1\x07";
/// assert_eq!(FrameHeader::parse(header, Rsv1::Reserved), Err(ProtocolError::ReservedBits));
/// let (header, _) = FrameHeader::parse(header, Rsv1::Compressed)?.expect("two bytes are all of it");
/// assert!(header.compressed);
///
/// // The fragments behind the first one must not have the bit: they belong to a message that has said it.
/// assert_eq!(FrameHeader::parse(b"\xc0\x07", Rsv1::Compressed), Err(ProtocolError::ReservedBits));
/// # Ok::<(), ProtocolError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rsv1 {
    /// Nothing: no extension was agreed on.
    Reserved,
    /// In the first frame of a message: "This is the Per-Message Compressed bit" (RFC 7692 §6).
    Compressed,
}

/// What stands in front of a payload.
///
/// "A single-frame masked text message (contains "Hello")" (§5.7) is this and five bytes of payload:
///
/// ```
/// use wiretail::ws::frame::{FrameHeader, Opcode, Rsv1};
/// use wiretail::ws::{ProtocolError, mask};
///
/// let mut frame = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// let (header, len) = FrameHeader::parse(&frame, Rsv1::Reserved)?.expect("all of it is there");
/// let key = [0x37, 0xfa, 0x21, 0x3d];
/// assert_eq!(len, 6);
/// assert_eq!(
///     header,
///     FrameHeader { fin: true, opcode: Opcode::Text, compressed: false, mask: Some(key), payload_len: 5 }
/// );
/// assert_eq!(*header.encode(), frame[..len]);
/// mask::apply(&mut frame[len..], key, 0);
/// assert_eq!(&frame[len..], b"Hello");
///
/// // Half a header is not one yet. A sin is one at the first byte that shows it: a ping longer than 125 bytes.
/// assert_eq!(FrameHeader::parse(b"\x81", Rsv1::Reserved), Ok(None));
/// assert_eq!(FrameHeader::parse(b"\x89\x7e", Rsv1::Reserved), Err(ProtocolError::ControlTooLong));
/// # Ok::<(), ProtocolError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// This is the last frame of its message.
    pub fin: bool,
    /// What the frame is for.
    pub opcode: Opcode,
    /// The message that begins with this frame is compressed (RFC 7692 §6).
    pub compressed: bool,
    /// The key that the payload is masked with, if it is.
    pub mask: Option<[u8; 4]>,
    /// The length of the payload in bytes.
    pub payload_len: u64,
}

impl FrameHeader {
    /// Parses the header at the front of `bytes`: the header and its length, or `None` if there is not all of it yet.
    /// What the first reserved bit means was agreed on in the handshake.
    ///
    /// # Errors
    /// At the first byte that shows the sin, whether the rest has come or not.
    pub fn parse(bytes: &[u8], rsv1: Rsv1) -> Result<Option<(Self, usize)>, ProtocolError> {
        let [first, rest @ ..] = bytes else {
            return Ok(None);
        };
        // "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values. If a nonzero value
        // is received and none of the negotiated extensions defines the meaning of such a nonzero value, the receiving
        // endpoint MUST _Fail the WebSocket Connection_" (§5.2)
        let compressed = first & RSV1 != 0;
        if first & RSV2_AND_3 != 0 || compressed && rsv1 == Rsv1::Reserved {
            return Err(ProtocolError::ReservedBits);
        }
        let fin = first & FIN != 0;
        let opcode = Opcode::from_bits(first & 0x0f)?;
        // "An endpoint MUST NOT set the "Per-Message Compressed" bit of control frames and non-first fragments of a
        // data message. An endpoint receiving such a frame MUST _Fail the WebSocket Connection_" (RFC 7692 §6.1).
        if compressed && !matches!(opcode, Opcode::Text | Opcode::Binary) {
            return Err(ProtocolError::ReservedBits);
        }
        // "All control frames [...] MUST NOT be fragmented" (§5.5)
        if opcode.is_control() && !fin {
            return Err(ProtocolError::ControlFragmented);
        }
        let [second, rest @ ..] = rest else {
            return Ok(None);
        };
        if opcode.is_control() && usize::from(second & !MASKED) > MAX_CONTROL {
            return Err(ProtocolError::ControlTooLong);
        }
        let Some((payload_len, rest)) = parse_length(second & !MASKED, rest)? else {
            return Ok(None);
        };
        let (mask, rest) = match (second & MASKED, rest.split_first_chunk()) {
            (0, _) => (None, rest),
            (_, Some((&key, rest))) => (Some(key), rest),
            (_, None) => return Ok(None),
        };
        Ok(Some((Self { fin, opcode, compressed, mask, payload_len }, bytes.len() - rest.len())))
    }

    /// The header as it goes over the wire, with the length in its shortest form.
    ///
    /// ```
    /// use wiretail::ws::frame::{FrameHeader, Opcode};
    ///
    /// let mut header =
    ///     FrameHeader { fin: true, opcode: Opcode::Binary, compressed: false, mask: None, payload_len: 125 };
    /// assert_eq!(*header.encode(), *b"\x82\x7d");
    /// // "256 bytes binary message in a single unmasked frame", and 64 KiB: the other two forms of a length (§5.7).
    /// header.payload_len = 256;
    /// assert_eq!(*header.encode(), *b"\x82\x7e\x01\x00");
    /// header.payload_len = 65536;
    /// assert_eq!(*header.encode(), *b"\x82\x7f\0\0\0\0\0\x01\0\0");
    /// ```
    pub fn encode(&self) -> HeaderBytes {
        let mut header = HeaderBytes { bytes: [0; MAX_HEADER], len: 0 };
        let fin = if self.fin { FIN } else { 0 };
        let rsv1 = if self.compressed { RSV1 } else { 0 };
        let masked = if self.mask.is_some() { MASKED } else { 0 };
        header.push(&[fin | rsv1 | self.opcode.bits()]);
        match (u8::try_from(self.payload_len), u16::try_from(self.payload_len)) {
            (Ok(len @ ..=125), _) => header.push(&[masked | len]),
            (_, Ok(len)) => {
                header.push(&[masked | 126]);
                header.push(&len.to_be_bytes());
            }
            _ => {
                header.push(&[masked | 127]);
                header.push(&self.payload_len.to_be_bytes());
            }
        }
        if let Some(key) = &self.mask {
            header.push(key);
        }
        header
    }
}

/// The length that begins with `code`: "If 0-125, that is the payload length. If 126, the following 2 bytes
/// interpreted as a 16-bit unsigned integer are the payload length. If 127, the following 8 bytes interpreted as a
/// 64-bit unsigned integer (the most significant bit MUST be 0) are the payload length" (§5.2).
fn parse_length(code: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, ProtocolError> {
    let (len, least, rest) = match code {
        126 => match rest.split_first_chunk() {
            Some((&len, rest)) => (u64::from(u16::from_be_bytes(len)), 126, rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk() {
            Some((&len, rest)) => (u64::from_be_bytes(len), 1 << 16, rest),
            None => return Ok(None),
        },
        short => (u64::from(short), 0, rest),
    };
    if len >> 63 != 0 {
        return Err(ProtocolError::LengthTooLarge);
    }
    // "Note that in all cases, the minimal number of bytes MUST be used to encode the length" (§5.2)
    if len < least {
        return Err(ProtocolError::LengthNotMinimal);
    }
    Ok(Some((len, rest)))
}

/// An encoded header: a small array and how much of it is used.
#[derive(Clone, Copy, Debug)]
pub struct HeaderBytes {
    bytes: [u8; MAX_HEADER],
    len: usize,
}

impl HeaderBytes {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

impl std::ops::Deref for HeaderBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The header of an unfragmented frame from a server, for payloads that are framed once and sent to many.
///
/// A server does not mask, so what it says is the same for everybody:
///
/// ```
/// use wiretail::ws::{Opcode, frame};
///
/// let text = "for all of you";
/// let frame = [&frame::server_header(Opcode::Text, text.len()), text.as_bytes()].concat();
/// assert_eq!(frame, b"\x81\x0efor all of you");
/// ```
pub fn server_header(opcode: Opcode, payload_len: usize) -> HeaderBytes {
    FrameHeader { fin: true, opcode, compressed: false, mask: None, payload_len: payload_len as u64 }.encode()
}

/// The same for a payload that is compressed (RFC 7692), for those who have agreed to it.
///
/// ```
/// use wiretail::ws::{Opcode, frame};
///
/// // "Hello", compressed as in RFC 7692 §7.2.3.1.
/// let payload = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
/// let frame = [&frame::compressed_server_header(Opcode::Text, payload.len()), &payload[..]].concat();
/// assert_eq!(frame, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00");
/// ```
pub fn compressed_server_header(opcode: Opcode, payload_len: usize) -> HeaderBytes {
    FrameHeader { fin: true, opcode, compressed: true, mask: None, payload_len: payload_len as u64 }.encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Opcode::{Binary, Close, Continuation, Ping, Pong, Text};

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    fn parse(bytes: &[u8]) -> Result<Option<(FrameHeader, usize)>, ProtocolError> {
        FrameHeader::parse(bytes, Rsv1::Reserved)
    }

    fn header(fin: bool, opcode: Opcode, mask: Option<[u8; 4]>, payload_len: u64) -> FrameHeader {
        FrameHeader { fin, opcode, compressed: false, mask, payload_len }
    }

    /// The headers of the examples in §5.7, and those at every edge of the three forms of a length.
    fn vectors() -> Vec<(&'static [u8], FrameHeader)> {
        vec![
            // "A single-frame unmasked text message", and a masked one
            (&[0x81, 0x05], header(true, Text, None, 5)),
            (&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d], header(true, Text, Some(KEY), 5)),
            // "A fragmented unmasked text message"
            (&[0x01, 0x03], header(false, Text, None, 3)),
            (&[0x80, 0x02], header(true, Continuation, None, 2)),
            // "Unmasked Ping request and masked Ping response"
            (&[0x89, 0x05], header(true, Ping, None, 5)),
            (&[0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d], header(true, Pong, Some(KEY), 5)),
            // "256 bytes binary message in a single unmasked frame", and 64 KiB
            (&[0x82, 0x7e, 0x01, 0x00], header(true, Binary, None, 256)),
            (&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0], header(true, Binary, None, 65536)),
            // What the RFC does not show.
            (&[0x88, 0x00], header(true, Close, None, 0)),
            (&[0x00, 0x7d], header(false, Continuation, None, 125)),
            (&[0x89, 0x7d], header(true, Ping, None, 125)),
            (&[0x82, 0x7e, 0x00, 0x7e], header(true, Binary, None, 126)),
            (&[0x82, 0x7e, 0xff, 0xff], header(true, Binary, None, 65535)),
            (
                &[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x37, 0xfa, 0x21, 0x3d],
                header(true, Binary, Some(KEY), (1 << 63) - 1),
            ),
        ]
    }

    #[test]
    fn s5_7_the_examples_parse_and_encode_both_ways() {
        for (bytes, header) in vectors() {
            assert_eq!(parse(bytes), Ok(Some((header, bytes.len()))));
            assert_eq!(&*header.encode(), bytes);
        }
    }

    #[test]
    fn a_header_that_is_not_whole_is_not_yet_one() {
        for (bytes, header) in vectors() {
            for cut in 0..bytes.len() {
                assert_eq!(parse(&bytes[..cut]), Ok(None), "{bytes:x?} cut at {cut}");
            }
            let longer = [bytes, b"payload"].concat();
            assert_eq!(parse(&longer), Ok(Some((header, bytes.len()))));
        }
    }

    #[test]
    fn the_servers_header_is_a_finished_frame_without_a_mask() {
        assert_eq!(&*server_header(Text, 5), [0x81, 0x05]);
        assert_eq!(&*server_header(Binary, 65536), [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn s5_2_a_reserved_bit_is_refused_at_the_first_byte() {
        for bit in [0x10, 0x20, 0x40] {
            assert_eq!(parse(&[0x81 | bit]), Err(ProtocolError::ReservedBits));
        }
    }

    #[test]
    fn rfc7692_s6_the_first_reserved_bit_belongs_to_the_first_frame_of_a_message() {
        for first in 0..=255u8 {
            let verdict = FrameHeader::parse(&[first | 0x40], Rsv1::Compressed);
            match (first & 0x30, first & 0x0f) {
                (0, 1 | 2) => assert_eq!(verdict, Ok(None), "{first:#04x}"),
                (0, 3..=7 | 11..=15) => assert!(verdict.is_err(), "{first:#04x}"),
                _ => assert_eq!(verdict, Err(ProtocolError::ReservedBits), "{first:#04x}"),
            }
        }
        for (bytes, compressed) in [(*b"\xc1\x05", true), (*b"\x81\x05", false), (*b"\x41\x05", true)] {
            let (header, _) = FrameHeader::parse(&bytes, Rsv1::Compressed).unwrap().unwrap();
            assert_eq!(header.compressed, compressed);
            assert_eq!(&*header.encode(), bytes);
        }
    }

    #[test]
    fn s5_2_every_first_byte_is_known_or_refused() {
        for first in 0..=255u8 {
            let opcode = first & 0x0f;
            let expected = match (first & 0x70, opcode, first & 0x80) {
                (0, 0..=2, _) | (0, 8..=10, 0x80) => Ok(None),
                (0, 3..=7 | 11..=15, _) => Err(ProtocolError::UnknownOpcode(opcode)),
                (0, ..) => Err(ProtocolError::ControlFragmented),
                _ => Err(ProtocolError::ReservedBits),
            };
            assert_eq!(parse(&[first]), expected, "{first:#04x}");
        }
    }

    #[test]
    fn s5_5_a_control_frame_of_126_bytes_is_refused_at_the_second_byte() {
        for first in [0x88, 0x89, 0x8a] {
            for second in [126, 127, 0x80 | 126, 0x80 | 127] {
                assert_eq!(parse(&[first, second]), Err(ProtocolError::ControlTooLong));
            }
        }
    }

    #[test]
    fn s5_2_a_length_in_a_longer_form_than_needed_is_refused() {
        for bytes in [
            &[0x82, 0x7e, 0, 0][..],
            &[0x82, 0x7e, 0, 125],
            &[0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
        ] {
            assert_eq!(parse(bytes), Err(ProtocolError::LengthNotMinimal), "{bytes:x?}");
        }
    }

    #[test]
    fn s5_2_the_highest_bit_of_a_length_must_be_0() {
        for high in [0x80, 0xff] {
            let bytes = [0x82, 0xff, high, 0, 0, 0, 0, 0, 0, 1];
            assert_eq!(parse(&bytes), Err(ProtocolError::LengthTooLarge));
        }
    }
}
