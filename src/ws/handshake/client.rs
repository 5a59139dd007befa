//! The client's half of the opening handshake (RFC 6455 §4.1).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{VERSION, accept_value};
use crate::http::head::{Fields, HeadError, HeadReader, MAX_FIELDS, write_field};

/// A client that has asked, or is about to, and waits for the answer.
#[derive(Debug)]
pub struct Client {
    request: Vec<u8>,
    /// What the server must answer, to have understood.
    accept: String,
    protocols: Vec<String>,
    head: HeadReader,
}

/// The server has agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The sub-protocol it has chosen among those offered.
    pub protocol: Option<String>,
}

impl Client {
    /// A client that will ask `host` (with its port, unless that is 80) for `target`, a path with its query.
    ///
    /// `key` is "a nonce consisting of a randomly selected 16-byte value", which "MUST be selected randomly for each
    /// connection" (§4.1). `fields` are sent beside those that the handshake needs.
    pub fn new(key: [u8; 16], host: &str, target: &str, protocols: &[&str], fields: &[(&str, &str)]) -> Self {
        let key = STANDARD.encode(key);
        let mut request = b"GET ".to_vec();
        write_target(&mut request, target);
        request.extend_from_slice(b" HTTP/1.1\r\n");
        write_field(&mut request, "Host", host);
        write_field(&mut request, "Upgrade", "websocket");
        write_field(&mut request, "Connection", "Upgrade");
        write_field(&mut request, "Sec-WebSocket-Key", &key);
        write_field(&mut request, "Sec-WebSocket-Version", VERSION);
        if !protocols.is_empty() {
            write_field(&mut request, "Sec-WebSocket-Protocol", &protocols.join(", "));
        }
        for (name, value) in fields {
            write_field(&mut request, name, value);
        }
        request.extend_from_slice(b"\r\n");
        let protocols = protocols.iter().map(|&protocol| protocol.to_owned()).collect();
        Self { request, accept: accept_value(&key), protocols, head: HeadReader::new() }
    }

    /// The request to send.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Takes the next bytes of the server's answer. Once it is whole and right: what was agreed on, and how many of
    /// *these* bytes belong to it; frames may stand behind them.
    ///
    /// # Errors
    /// If the server says anything else. It is not to be asked again on this connection.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(Accepted, usize)>, HandshakeError> {
        match self.head.receive(bytes) {
            Ok(None) => Ok(None),
            Ok(Some((head, used))) => {
                let accepted = check(head, &self.accept, &self.protocols)?;
                Ok(Some((accepted, used)))
            }
            Err(error) => Err(HandshakeError::Head(error)),
        }
    }
}

/// Writes `target` so that it can neither end the request line nor split it.
fn write_target(out: &mut Vec<u8>, target: &str) {
    for byte in target.bytes() {
        if byte.is_ascii_graphic() {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
}

/// The six points that a client "MUST validate" in the server's response (§4.1).
fn check(head: &[u8], accept: &str, offered: &[String]) -> Result<Accepted, HandshakeError> {
    let mut parsed = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut parsed);
    let whole = response.parse(head).is_ok_and(|status| status.is_complete());
    let (true, Some(1), Some(status)) = (whole, response.version, response.code) else {
        return Err(HandshakeError::Malformed);
    };
    let fields = Fields::from_parsed(response.headers);
    if status != 101 {
        let retry_after = fields.one("Retry-After").and_then(|seconds| seconds.parse().ok());
        return Err(HandshakeError::Refused { status, retry_after });
    }
    if !fields.one("Upgrade").is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
        return Err(HandshakeError::NoUpgrade);
    }
    if !fields.lists("Connection", "upgrade") {
        return Err(HandshakeError::NoConnection);
    }
    if fields.one("Sec-WebSocket-Accept") != Some(accept) {
        return Err(HandshakeError::WrongAccept);
    }
    // "if the header field indicates an extension that was not present in the client's handshake [...], the client MUST
    // _Fail the WebSocket Connection_". We ask for none yet.
    if fields.all("Sec-WebSocket-Extensions").next().is_some() {
        return Err(HandshakeError::UnaskedExtension);
    }
    // "if this header field indicates the use of a subprotocol that was not present in the client's handshake [...],
    // the client MUST _Fail the WebSocket Connection_". It "MUST NOT appear more than once in an HTTP response"
    // (§11.3.4). Choosing none is the server's right; whether that will do is for the application to say.
    let protocol = match fields.all("Sec-WebSocket-Protocol").next() {
        None => None,
        Some(_) => match fields.one("Sec-WebSocket-Protocol") {
            Some(chosen) if offered.iter().any(|offer| offer == chosen) => Some(chosen.to_owned()),
            _ => return Err(HandshakeError::UnaskedProtocol),
        },
    };
    Ok(Accepted { protocol })
}

/// Why there is no WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeError {
    /// The answer is not even the head of an HTTP message, or beyond our limits.
    Head(HeadError),
    /// The answer is not an HTTP/1.1 response.
    Malformed,
    /// The server answered with another status than 101.
    Refused {
        /// The status.
        status: u16,
        /// After how many seconds it may be asked again, if it said so.
        retry_after: Option<u64>,
    },
    /// `Upgrade` is not `websocket`.
    NoUpgrade,
    /// `Connection` does not name `Upgrade`.
    NoConnection,
    /// `Sec-WebSocket-Accept` does not answer our key.
    WrongAccept,
    /// The server uses an extension that was not offered.
    UnaskedExtension,
    /// The server uses a sub-protocol that was not offered.
    UnaskedProtocol,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head(error) => return write!(f, "the server's answer cannot be read: {error}"),
            Self::Refused { status, .. } => return write!(f, "the server refused with status {status}"),
            Self::Malformed => "the server does not answer in HTTP/1.1",
            Self::NoUpgrade => "the server does not upgrade to websocket",
            Self::NoConnection => "the server's Connection field does not say Upgrade",
            Self::WrongAccept => "the server's Sec-WebSocket-Accept does not answer our key",
            Self::UnaskedExtension => "the server uses an extension that was not offered",
            Self::UnaskedProtocol => "the server uses a sub-protocol that was not offered",
        })
    }
}

impl std::error::Error for HandshakeError {}
