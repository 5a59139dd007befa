//! Close payloads: what is taken is what the RFC allows, found again by reading its sentences one by one; what we write
//! is taken, and says what it was told to say.

use wiretail::ws::close::{encode_payload, parse_payload};
use wiretail::ws::{CloseCode, ProtocolError};

/// Reads `data` as a close frame's payload, and writes one with its first two bytes as code and the rest as reason.
pub fn run(data: &[u8]) {
    let parsed = parse_payload(data);
    assert_eq!(parsed.map(|(code, reason)| (code.map(CloseCode::number), reason)), naive(data));
    let Ok((code, reason)) = parsed else { return };
    if let Some(code) = code
        && data.len() <= 125
    {
        assert_eq!(encode_payload(code, reason)[..], *data, "what is taken is written the same");
    }
    write(code.unwrap_or(CloseCode::NORMAL), reason);
    // A reason of any length, cut where it must be.
    write(CloseCode::GOING_AWAY, &String::from_utf8_lossy(data).repeat(3));
}

/// RFC 6455 §5.5.1 and §7.4, and the codes that IANA has added since.
fn naive(payload: &[u8]) -> Result<(Option<u16>, &str), ProtocolError> {
    if payload.is_empty() {
        return Ok((None, ""));
    }
    if payload.len() == 1 {
        return Err(ProtocolError::CloseTooShort);
    }
    let code = u16::from(payload[0]) * 256 + u16::from(payload[1]);
    let reserved = [1004, 1005, 1006, 1015].contains(&code);
    let unused = code < 1000 || (1016..3000).contains(&code) || code >= 5000;
    if reserved || unused {
        return Err(ProtocolError::CloseCode(code));
    }
    match std::str::from_utf8(&payload[2..]) {
        Ok(reason) => Ok((Some(code), reason)),
        Err(_) => Err(ProtocolError::CloseReason),
    }
}

fn write(code: CloseCode, reason: &str) {
    let payload = encode_payload(code, reason);
    assert!(payload.len() <= 125, "{} bytes in a control frame", payload.len());
    let (heard_code, heard) = parse_payload(&payload).expect("what we write may be sent");
    assert_eq!(heard_code, Some(code));
    assert!(reason.starts_with(heard));
    // As much of the reason as fits, in whole characters.
    let next = reason[heard.len()..].chars().next();
    assert!(next.is_none_or(|next| payload.len() + next.len_utf8() > 125), "{heard:?} of {reason:?}");
}
