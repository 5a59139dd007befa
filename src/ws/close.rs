//! How a conversation ends: the codes, the payload of a close frame, and what a peer must not do (RFC 6455 §5.5.1, §7).
//!
//! Does not know who closes or when. That is for `connection`.

use std::fmt;

use super::control::ControlPayload;
use super::frame::MAX_CONTROL;

/// Why a conversation ends, as it may stand in a close frame (§7.4).
///
/// There is no constant for 1005, 1006 or 1015, which "MUST NOT be set as a status code in a Close control frame by an
/// endpoint" (§7.4.1): where they would be told, we say `None`.
///
/// ```
/// use wiretail::ws::CloseCode;
///
/// assert_eq!(CloseCode::GOING_AWAY.number(), 1001);
/// // Of an application's own, "reserved for private use" (§7.4.2):
/// let kicked = CloseCode::new(4001).expect("4000 to 4999 may be sent");
/// assert_eq!(kicked.to_string(), "4001");
/// // What an API says where no close frame came: it cannot be made, and so cannot be sent by mistake.
/// assert_eq!(CloseCode::new(1006), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// "an endpoint is "going away", such as a server going down or a browser having navigated away from a page".
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// A kind of data that cannot be accepted, such as binary where text is expected.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// "data within a message that was not consistent with the type of the message (e.g., non-UTF-8 data within a text
    /// message)".
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// "a message that violates its policy"; for when no other code fits.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// "a message that is too big for it to process".
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// The client needs an extension that the server did not agree to. Servers do not send it.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// "it encountered an unexpected condition that prevented it from fulfilling the request".
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The service restarts (registered by IANA after the RFC).
    pub const SERVICE_RESTART: Self = Self(1012);
    /// The service is overloaded (registered by IANA after the RFC).
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The code of that number, if it may stand in a close frame: 1000-1003 and 1007-1011 of the RFC, 1012-1014 from
    /// IANA's registry, 3000-3999 "reserved for use by libraries, frameworks, and applications", 4000-4999 "reserved
    /// for private use" (§7.4.2). "Status codes in the range 0-999 are not used", and the others mean nothing yet.
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The payload of a close frame. A reason that does not fit is cut at a character.
///
/// ```
/// use wiretail::ws::close::{CloseCode, encode_payload};
///
/// assert_eq!(&*encode_payload(CloseCode::NORMAL, "bye"), b"\x03\xe8bye");
/// ```
pub fn encode_payload(code: CloseCode, reason: &str) -> ControlPayload {
    let mut payload = ControlPayload::from_slice(&code.0.to_be_bytes());
    let mut end = reason.len().min(MAX_CONTROL - payload.len());
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    payload.push(&reason.as_bytes()[..end]);
    payload
}

/// What the payload of a close frame says.
///
/// # Errors
/// If it is one byte, or the code may not be sent, or the reason is not UTF-8.
///
/// ```
/// use wiretail::ws::close::{CloseCode, ProtocolError, parse_payload};
///
/// assert_eq!(parse_payload(b"\x03\xe8bye"), Ok((Some(CloseCode::NORMAL), "bye")));
/// assert_eq!(parse_payload(b""), Ok((None, ""))); // no code is fine
/// assert_eq!(parse_payload(b"\x03"), Err(ProtocolError::CloseTooShort)); // half a code is not
/// assert_eq!(parse_payload(b"\x03\xee"), Err(ProtocolError::CloseCode(1006)));
/// ```
pub fn parse_payload(payload: &[u8]) -> Result<(Option<CloseCode>, &str), ProtocolError> {
    // "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer (in network byte order)
    // representing a status code [...]. Following the 2-byte integer, the body MAY contain UTF-8-encoded data" (§5.5.1)
    let (code, reason) = match payload {
        [] => return Ok((None, "")),
        [_] => return Err(ProtocolError::CloseTooShort),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    let code = CloseCode::new(code).ok_or(ProtocolError::CloseCode(code))?;
    let reason = std::str::from_utf8(reason).map_err(|_| ProtocolError::CloseReason)?;
    Ok((Some(code), reason))
}

/// The end of a conversation. It comes exactly once, and nothing comes after it.
///
/// ```
/// use wiretail::ws::{CloseCode, Closed, ClosedBy, Connection, Event, Input, Limits};
///
/// let mut server = Connection::server(Limits::default());
/// let mut out = Vec::new();
/// // A browser leaves the page: close, 1001 (masked with zeroes, to be readable).
/// let mut bytes = *b"\x88\x85\0\0\0\0\x03\xe9bye";
/// let event = server.receive(&mut Input::new(&mut bytes), &mut out);
/// assert_eq!(
///     event,
///     Some(Event::Closed(Closed {
///         code: Some(CloseCode::GOING_AWAY),
///         reason: "bye".to_owned(),
///         by: ClosedBy::Peer,
///     }))
/// );
/// assert_eq!(out, b"\x88\x02\x03\xe9"); // our answer, with the code it gave
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// "The status code contained in the first Close control frame received" (§7.1.5), or the one we failed the peer
    /// with. `None` if there was none, for which the RFC's API says 1005 or 1006.
    pub code: Option<CloseCode>,
    /// The reason beside the code. From the peer: to be cleaned before it reaches a terminal.
    pub reason: String,
    /// Who ended it.
    pub by: ClosedBy,
}

/// Who ended a conversation.
///
/// A client's question is usually whether to come back:
///
/// ```
/// use wiretail::ws::{CloseCode, Closed, ClosedBy};
///
/// fn comes_back(closed: &Closed) -> bool {
///     match closed.by {
///         ClosedBy::Us => false,
///         ClosedBy::Peer => closed.code != Some(CloseCode::NORMAL),
///         ClosedBy::Lost => true,
///         // It would do the same again.
///         ClosedBy::Failure(_) => false,
///     }
/// }
///
/// let restart = CloseCode::SERVICE_RESTART;
/// assert!(comes_back(&Closed { code: Some(restart), reason: String::new(), by: ClosedBy::Peer }));
/// assert!(!comes_back(&Closed { code: Some(CloseCode::NORMAL), reason: String::new(), by: ClosedBy::Us }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBy {
    /// The peer asked for it, and our answer is in the output.
    Peer,
    /// We asked for it, and the peer has answered, or had asked at the same moment.
    Us,
    /// The peer broke a rule, and was told so in the output.
    Failure(ProtocolError),
    /// The connection ended without a closing handshake.
    Lost,
}

/// What a peer did that RFC 6455, or one of our limits, forbids.
///
/// ```
/// use wiretail::ws::{CloseCode, ProtocolError};
///
/// // Each knows the code that answers it, and a sentence for the reason beside it.
/// let sin = ProtocolError::NotMasked;
/// assert_eq!(sin.close_code(), CloseCode::PROTOCOL_ERROR);
/// assert_eq!(sin.to_string(), "a client's frame is not masked");
/// assert_eq!(ProtocolError::NotUtf8.close_code(), CloseCode::INVALID_PAYLOAD);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// A reserved bit is set though no extension was agreed on (§5.2).
    ReservedBits,
    /// The opcode has no meaning (§5.2).
    UnknownOpcode(u8),
    /// A ping, pong or close frame claims more than 125 bytes (§5.5).
    ControlTooLong,
    /// A ping, pong or close frame is a fragment (§5.5).
    ControlFragmented,
    /// The length could have been written with fewer bytes (§5.2).
    LengthNotMinimal,
    /// The most significant bit of a 64-bit length is set (§5.2).
    LengthTooLarge,
    /// A client sent a frame that is not masked (§5.1).
    NotMasked,
    /// A server sent a frame that is masked (§5.1).
    Masked,
    /// A continuation frame, and no message to continue (§5.4).
    NothingToContinue,
    /// A new message inside the fragments of another (§5.4).
    MessageUnfinished,
    /// A text message is not UTF-8 (§8.1).
    NotUtf8,
    /// A close frame with half a code (§5.5.1).
    CloseTooShort,
    /// A close frame with a code that may not be sent (§7.4).
    CloseCode(u16),
    /// A close frame whose reason is not UTF-8 (§5.5.1).
    CloseReason,
    /// A compressed message is not DEFLATE (RFC 7692 §7.2.2).
    BrokenDeflate,
    /// The message is larger than we accept.
    TooBig {
        /// The most bytes we accept.
        limit: usize,
    },
    /// The message comes in more frames than we accept.
    TooManyFragments {
        /// The most frames we accept.
        limit: usize,
    },
}

impl ProtocolError {
    /// The code we close with when this happens.
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::ReservedBits
            | Self::UnknownOpcode(_)
            | Self::ControlTooLong
            | Self::ControlFragmented
            | Self::LengthNotMinimal
            | Self::LengthTooLarge
            | Self::NotMasked
            | Self::Masked
            | Self::NothingToContinue
            | Self::MessageUnfinished
            | Self::CloseTooShort
            | Self::CloseCode(_) => CloseCode::PROTOCOL_ERROR,
            Self::NotUtf8 | Self::CloseReason | Self::BrokenDeflate => CloseCode::INVALID_PAYLOAD,
            Self::TooBig { .. } => CloseCode::MESSAGE_TOO_BIG,
            Self::TooManyFragments { .. } => CloseCode::POLICY_VIOLATION,
        }
    }
}

impl fmt::Display for ProtocolError {
    /// One sentence, short enough for the reason of a close frame.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBits => f.write_str("a reserved bit is set"),
            Self::UnknownOpcode(opcode) => write!(f, "unknown opcode {opcode:#x}"),
            Self::ControlTooLong => write!(f, "a control frame is longer than {MAX_CONTROL} bytes"),
            Self::ControlFragmented => f.write_str("a control frame is fragmented"),
            Self::LengthNotMinimal => f.write_str("a length is not in its shortest form"),
            Self::LengthTooLarge => f.write_str("a length has its highest bit set"),
            Self::NotMasked => f.write_str("a client's frame is not masked"),
            Self::Masked => f.write_str("a server's frame is masked"),
            Self::NothingToContinue => f.write_str("a continuation frame without a message to continue"),
            Self::MessageUnfinished => f.write_str("a new message before the last one ended"),
            Self::NotUtf8 => f.write_str("text is not UTF-8"),
            Self::CloseTooShort => f.write_str("a close frame with half a code"),
            Self::CloseCode(code) => write!(f, "close code {code} may not be sent"),
            Self::CloseReason => f.write_str("the reason for closing is not UTF-8"),
            Self::BrokenDeflate => f.write_str("a compressed message cannot be inflated"),
            Self::TooBig { limit } => write!(f, "a message is longer than {limit} bytes"),
            Self::TooManyFragments { limit } => write!(f, "a message has more than {limit} fragments"),
        }
    }
}

impl std::error::Error for ProtocolError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s7_4_exactly_these_codes_may_be_sent() {
        let allowed: Vec<u16> = (0..=u16::MAX).filter(|code| CloseCode::new(*code).is_some()).collect();
        let expected: Vec<u16> = (1000..=1003).chain(1007..=1014).chain(3000..=4999).collect();
        assert_eq!(allowed, expected);
    }

    #[test]
    fn s5_5_1_a_payload_is_nothing_or_a_code_and_a_reason() {
        assert_eq!(parse_payload(b""), Ok((None, "")));
        assert_eq!(parse_payload(b"\x03\xe8"), Ok((Some(CloseCode::NORMAL), "")));
        assert_eq!(parse_payload(b"\x03\xe9bye"), Ok((Some(CloseCode::GOING_AWAY), "bye")));
        assert_eq!(parse_payload(b"\x03"), Err(ProtocolError::CloseTooShort));
        assert_eq!(parse_payload(b"\x03\xed"), Err(ProtocolError::CloseCode(1005)));
        assert_eq!(parse_payload(b"\x03\xe8\xff"), Err(ProtocolError::CloseReason));
    }

    #[test]
    fn a_payload_parses_back() {
        let payload = encode_payload(CloseCode::POLICY_VIOLATION, "too slow");
        assert_eq!(&*payload, b"\x03\xf0too slow");
        assert_eq!(parse_payload(&payload), Ok((Some(CloseCode::POLICY_VIOLATION), "too slow")));
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        let payload = encode_payload(CloseCode::NORMAL, &"\u{e9}".repeat(100));
        let (_, reason) = parse_payload(&payload).unwrap();
        assert_eq!(reason, "\u{e9}".repeat(61));
    }

    #[test]
    fn every_sin_can_be_told_in_a_close_frame() {
        let widest = [
            ProtocolError::TooBig { limit: usize::MAX },
            ProtocolError::TooManyFragments { limit: usize::MAX },
            ProtocolError::CloseCode(u16::MAX),
            ProtocolError::NothingToContinue,
        ];
        for sin in widest {
            let payload = encode_payload(sin.close_code(), &sin.to_string());
            assert_eq!(parse_payload(&payload), Ok((Some(sin.close_code()), &*sin.to_string())));
        }
    }
}
