//! The client's half of the opening handshake (RFC 6455 §4.1).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{VERSION, accept_value, extensions};
use crate::http::head::write_field;
use crate::http::{HeadError, HeadReader, ResponseHead, StartLine, Status};
use crate::ws::deflate::{BadAnswer, Parameters};

/// A client that has asked, or is about to, and waits for the answer.
///
/// ```
/// use wiretail::ws::handshake::Client;
/// use wiretail::ws::{Connection, Event, Input, Limits, MaskKeys, Message};
///
/// // The nonce of §1.3, to get its answer; in earnest, sixteen bytes from the system's generator.
/// let mut client = Client::new(
///     *b"the sample nonce",
///     "server.example.com",
///     "/chat",
///     &["chat", "superchat"],
///     &[("Origin", "http://example.com")],
/// );
/// let request = String::from_utf8_lossy(client.request());
/// assert!(request.starts_with("GET /chat HTTP/1.1\r\nHost: server.example.com\r\n"));
/// assert!(request.contains("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
///
/// // What the socket says to that. Nothing comes of half an answer; behind the rest stands the first frame.
/// let half = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConn";
/// assert_eq!(client.receive(half)?, None);
/// let mut rest = *b"ection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
///     Sec-WebSocket-Protocol: chat\r\n\r\n\x81\x05Hello";
/// let (accepted, used) = client.receive(&rest)?.expect("the answer is whole");
/// assert_eq!(accepted.protocol.as_deref(), Some("chat"));
///
/// let mut connection = Connection::client(Limits::default(), MaskKeys::new([7; 32])); // a random seed, too
/// let event = connection.receive(&mut Input::new(&mut rest[used..]), &mut Vec::new());
/// assert_eq!(event, Some(Event::Message(Message::Text("Hello".into()))));
/// # Ok::<(), wiretail::ws::handshake::HandshakeError>(())
/// ```
#[derive(Debug)]
pub struct Client {
    request: Vec<u8>,
    /// What the server must answer, to have understood.
    accept: String,
    protocols: Vec<String>,
    /// What was offered of permessage-deflate.
    deflate: Option<Parameters>,
    head: HeadReader,
}

/// The server has agreed.
///
/// An application that needs a sub-protocol has to look whether it got it:
///
/// ```
/// use wiretail::ws::handshake::Accepted;
///
/// let accepted = Accepted { protocol: None, deflate: None };
/// let spoken = match accepted.protocol.as_deref() {
///     Some("wiretail.v1") => "messages with cursors",
///     Some(_) => unreachable!("it was not offered, and so was refused"),
///     None => "plain text",
/// };
/// assert_eq!(spoken, "plain text");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The sub-protocol it has chosen among those offered.
    pub protocol: Option<String>,
    /// What was agreed on of permessage-deflate, for `Connection::with_deflate`. Always `None` without the Cargo feature
    /// `deflate`, as then it is not offered.
    pub deflate: Option<Parameters>,
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
        Self {
            request,
            accept: accept_value(&key),
            protocols,
            deflate: None,
            head: HeadReader::new(StartLine::Status),
        }
    }

    /// The same, offering permessage-deflate with `wish`. To be called before the request is sent.
    ///
    /// ```
    /// use wiretail::ws::deflate::{Parameters, WindowBits};
    /// use wiretail::ws::handshake::Client;
    ///
    /// let wish = Parameters::default();
    /// let mut client = Client::new(*b"the sample nonce", "h", "/", &[], &[]).offering_deflate(&wish);
    /// let request = String::from_utf8_lossy(client.request());
    /// let line = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
    /// assert!(request.lines().any(|found| found == line));
    ///
    /// // The server agrees, and asks for windows of 4 KiB, which is its right as we said that it may.
    /// let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    ///     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    ///     Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12\r\n\r\n";
    /// let (accepted, _) = client.receive(answer)?.expect("the answer is whole");
    /// let agreed = Parameters { client_max_window_bits: WindowBits::new(12).unwrap(), ..wish };
    /// assert_eq!(accepted.deflate, Some(agreed));
    /// # Ok::<(), wiretail::ws::handshake::HandshakeError>(())
    /// ```
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn offering_deflate(mut self, wish: &Parameters) -> Self {
        // In front of the empty line that ends the head.
        self.request.truncate(self.request.len() - 2);
        write_field(&mut self.request, "Sec-WebSocket-Extensions", &wish.offer());
        self.request.extend_from_slice(b"\r\n");
        Self { deflate: Some(*wish), ..self }
    }

    /// The request to send.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Takes the next bytes of the server's answer. Once it is whole and right: what was agreed on, and how many of
    /// *these* bytes belong to it; frames may stand behind them. With that its work is done.
    ///
    /// # Errors
    /// If the server says anything else. It is not to be asked again on this connection.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(Accepted, usize)>, HandshakeError> {
        match self.head.receive(bytes) {
            Ok(None) => Ok(None),
            Ok(Some((head, used))) => {
                let accepted = check(head, &self.accept, &self.protocols, self.deflate.as_ref())?;
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
fn check(
    head: &[u8],
    accept: &str,
    offered: &[String],
    deflate: Option<&Parameters>,
) -> Result<Accepted, HandshakeError> {
    let ResponseHead { status, fields } = ResponseHead::parse(head).ok_or(HandshakeError::Malformed)?;
    if status != Status::SWITCHING_PROTOCOLS {
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
    // _Fail the WebSocket Connection_".
    let extensions = extensions::parse(fields.all("Sec-WebSocket-Extensions"))
        .map_err(|extensions::Malformed| HandshakeError::Extensions)?;
    let deflate = match deflate {
        Some(offer) => offer.understand(&extensions).map_err(|BadAnswer| HandshakeError::Extensions)?,
        None if extensions.is_empty() => None,
        None => return Err(HandshakeError::UnaskedExtension),
    };
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
    Ok(Accepted { protocol, deflate })
}

/// Why there is no WebSocket.
///
/// ```
/// use wiretail::http::Status;
/// use wiretail::ws::handshake::{Client, HandshakeError};
///
/// let mut client = Client::new(*b"the sample nonce", "h", "/", &[], &[]);
/// let answer = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n";
/// let error = client.receive(answer).unwrap_err();
/// let busy = Status::SERVICE_UNAVAILABLE;
/// assert_eq!(error, HandshakeError::Refused { status: busy, retry_after: Some(5) });
/// assert_eq!(error.to_string(), "the server refused: 503 Service Unavailable");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeError {
    /// The answer is not even the head of an HTTP message, or beyond our limits.
    Head(HeadError),
    /// The answer is not an HTTP/1.1 response.
    Malformed,
    /// The server answered with another status than 101.
    Refused {
        /// The status.
        status: Status,
        /// After how many seconds it may be asked again, if it said so.
        retry_after: Option<u64>,
    },
    /// `Upgrade` is not `websocket`.
    NoUpgrade,
    /// `Connection` does not name `Upgrade`.
    NoConnection,
    /// `Sec-WebSocket-Accept` does not answer our key.
    WrongAccept,
    /// The server uses an extension, and none was offered.
    UnaskedExtension,
    /// The server's `Sec-WebSocket-Extensions` is malformed, or does not fit what was offered.
    Extensions,
    /// The server uses a sub-protocol that was not offered.
    UnaskedProtocol,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head(error) => return write!(f, "the server's answer cannot be read: {error}"),
            Self::Refused { status, .. } => return write!(f, "the server refused: {status}"),
            Self::Malformed => "the server does not answer in HTTP/1.1",
            Self::NoUpgrade => "the server does not upgrade to websocket",
            Self::NoConnection => "the server's Connection field does not say Upgrade",
            Self::WrongAccept => "the server's Sec-WebSocket-Accept does not answer our key",
            Self::UnaskedExtension => "the server uses an extension that was not offered",
            Self::Extensions => "the server's Sec-WebSocket-Extensions does not answer the offer",
            Self::UnaskedProtocol => "the server uses a sub-protocol that was not offered",
        })
    }
}

impl std::error::Error for HandshakeError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nonce of §1.3.
    const NONCE: &[u8; 16] = b"the sample nonce";

    const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: chat\r\n\r\n";

    fn client() -> Client {
        Client::new(*NONCE, "h:80", "/chat?a", &["chat", "superchat"], &[("Origin", "http://h")])
    }

    fn hear(answer: &str) -> Result<Option<(Accepted, usize)>, HandshakeError> {
        client().receive(answer.as_bytes())
    }

    fn hear_with(from: &str, to: &str) -> Result<Option<(Accepted, usize)>, HandshakeError> {
        assert!(ANSWER.contains(from), "{from}");
        hear(&ANSWER.replace(from, to))
    }

    #[test]
    fn the_request_has_all_that_s4_1_asks_for() {
        assert_eq!(
            std::str::from_utf8(client().request()).unwrap(),
            "GET /chat?a HTTP/1.1\r\n\
             Host: h:80\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: chat, superchat\r\n\
             Origin: http://h\r\n\r\n"
        );
    }

    #[test]
    fn a_target_cannot_end_the_request_line() {
        let client = Client::new(*NONCE, "h", "/a b\r\n\u{e9}", &[], &[]);
        assert!(client.request().starts_with(b"GET /a%20b%0D%0A%C3%A9 HTTP/1.1\r\nHost: h\r\n"));
    }

    #[test]
    fn our_server_agrees_with_our_client() {
        let client = client();
        let request = crate::http::RequestReader::new().receive(client.request()).unwrap().unwrap().0;
        let mut upgrade = super::super::accept(&request).unwrap();
        assert!(upgrade.choose_protocol("superchat"));
        let response = upgrade.response();
        let (accepted, used) = { client }.receive(&response).unwrap().unwrap();
        assert_eq!((accepted.protocol.as_deref(), used), (Some("superchat"), response.len()));
    }

    #[test]
    fn the_answer_is_the_same_wherever_it_is_cut_and_frames_may_follow() {
        let bytes = [ANSWER.as_bytes(), b"\x81\x00"].concat();
        for cut in 0..=ANSWER.len() {
            let mut client = client();
            let (early, from) = match client.receive(&bytes[..cut]).unwrap() {
                Some(found) => (Some(found), 0),
                None => (None, cut),
            };
            let (accepted, used) = early.or_else(|| client.receive(&bytes[cut..]).unwrap()).unwrap();
            assert_eq!(accepted.protocol.as_deref(), Some("chat"));
            assert_eq!(from + used, ANSWER.len(), "cut at {cut}");
        }
    }

    #[test]
    fn choosing_no_protocol_is_the_servers_right() {
        let heard = hear_with("Sec-WebSocket-Protocol: chat\r\n", "").unwrap().unwrap();
        assert_eq!(heard.0.protocol, None);
    }

    #[test]
    fn tokens_are_compared_without_regard_to_case() {
        assert!(hear_with("Upgrade: websocket", "upgrade: WEBSOCKET").is_ok());
        assert!(hear_with("Connection: Upgrade", "connection: x, upgrade").is_ok());
    }

    #[test]
    fn s4_1_anything_else_is_no_websocket() {
        use HandshakeError as E;
        for (from, to, error) in [
            ("HTTP/1.1", "HTTP/1.0", E::Malformed),
            ("HTTP/1.1", "\r\nHTTP/1.1", E::Malformed),
            ("HTTP/1.1", "SMTP/1.1", E::Malformed),
            ("Upgrade: websocket\r\n", "", E::NoUpgrade),
            ("Upgrade: websocket", "Upgrade: h2c", E::NoUpgrade),
            ("Connection: Upgrade\r\n", "", E::NoConnection),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", E::WrongAccept),
            ("Accept:", "Except:", E::WrongAccept),
            (": chat", ": Chat", E::UnaskedProtocol),
            (": chat", ": chat, superchat", E::UnaskedProtocol),
            (": chat", ": chat\r\nSec-WebSocket-Protocol: chat", E::UnaskedProtocol),
            (": chat", ": chat\r\nSec-WebSocket-Extensions: permessage-deflate", E::UnaskedExtension),
            ("101 Switching", "200 Switching", E::Refused { status: Status(200), retry_after: None }),
            ("\r\nUpgrade", "\nUpgrade", E::Head(HeadError::BareLineEnd)),
        ] {
            assert_eq!(hear_with(from, to), Err(error), "{from:?} -> {to:?}");
        }
    }

    #[test]
    fn a_refusal_tells_when_to_come_back() {
        let busy = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n\r\n";
        assert_eq!(
            hear(busy),
            Err(HandshakeError::Refused { status: Status::SERVICE_UNAVAILABLE, retry_after: Some(7) })
        );
    }
}
