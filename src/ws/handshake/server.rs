//! The server's half of the opening handshake (RFC 6455 §4.2).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::extensions::{self, Extension};
use super::{VERSION, accept_value};
use crate::http::head::{is_token, write_field};
use crate::http::{Request, Response, Status, Version};
use crate::ws::deflate::Parameters;

/// Whether a request asks for a WebSocket at all: whether [`accept`] is the right question.
pub fn is_upgrade(request: &Request) -> bool {
    request.all_fields().lists("Upgrade", "websocket")
}

/// A request that may be upgraded.
///
/// The request of §1.2, and the answer that it gets there:
///
/// ```
/// use wiretail::http::RequestReader;
/// use wiretail::ws::handshake;
///
/// let bytes = b"GET /chat HTTP/1.1\r\n\
///     Host: server.example.com\r\n\
///     Upgrade: websocket\r\n\
///     Connection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
///     Origin: http://example.com\r\n\
///     Sec-WebSocket-Protocol: chat, superchat\r\n\
///     Sec-WebSocket-Version: 13\r\n\r\n";
/// let (request, _) = RequestReader::new().receive(bytes)?.expect("all of it has come");
///
/// let mut upgrade = handshake::accept(&request)?;
/// assert_eq!(upgrade.protocols(), ["chat", "superchat"]);
/// assert!(upgrade.choose_protocol("chat"));
/// assert!(!upgrade.choose_protocol("mail"), "the client does not speak it");
/// assert_eq!(
///     String::from_utf8(upgrade.response())?,
///     "HTTP/1.1 101 Switching Protocols\r\n\
///      Upgrade: websocket\r\n\
///      Connection: Upgrade\r\n\
///      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
///      Sec-WebSocket-Protocol: chat\r\n\r\n"
/// );
/// // Then: Connection::server(limits), whose first input is whatever stood behind the request.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    accept: String,
    protocols: Vec<String>,
    extensions: Vec<Extension>,
    chosen_protocol: Option<String>,
    deflate: Option<Parameters>,
}

/// Checks a request against §4.2.1, in the order of that section.
///
/// # Errors
/// "If the server, while reading the handshake, finds that the client did not send a handshake that matches the
/// description below [...], the server MUST stop processing the client's handshake and return an HTTP response with an
/// appropriate error code" (§4.2.1).
///
/// A refusal knows its answer. Who may come in at all, by `Origin` and by path, is to be asked before:
///
/// ```
/// use wiretail::http::{RequestReader, Status};
/// use wiretail::ws::handshake::{self, Refusal};
///
/// let bytes = b"GET /chat HTTP/1.1\r\nHost: h\r\nOrigin: http://elsewhere.example\r\n\r\n";
/// let (request, _) = RequestReader::new().receive(bytes)?.expect("all of it has come");
/// assert_ne!(request.field("Origin"), Some("http://h")); // a page of another site: here one says 403
///
/// // It does not ask for a WebSocket either: 426, with the fields that say what would do.
/// let refusal = handshake::accept(&request).unwrap_err();
/// assert_eq!((refusal, refusal.status()), (Refusal::NoUpgrade, Status::UPGRADE_REQUIRED));
/// let answer = String::from_utf8(refusal.response().into_bytes(false, false))?;
/// assert!(answer.contains("\r\nSec-WebSocket-Version: 13\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn accept(request: &Request) -> Result<Upgrade, Refusal> {
    // "An HTTP/1.1 or higher GET request"
    if request.method() != "GET" {
        return Err(Refusal::Method);
    }
    if request.version() == Version::Http10 {
        return Err(Refusal::Http10);
    }
    // "A |Host| header field containing the server's authority": exactly one, or this would be no `Request`.

    // "An |Upgrade| header field containing the value "websocket", treated as an ASCII case-insensitive value"
    if !is_upgrade(request) {
        return Err(Refusal::NoUpgrade);
    }
    // "A |Connection| header field that includes the token "Upgrade", treated as an ASCII case-insensitive value"
    if !request.all_fields().lists("Connection", "upgrade") {
        return Err(Refusal::NoConnection);
    }
    // "A |Sec-WebSocket-Version| header field, with a value of 13". Asked before the key: another version may do
    // without one, and is to be told ours.
    if request.field("Sec-WebSocket-Version") != Some(VERSION) {
        return Err(Refusal::Version);
    }
    let key = request.field("Sec-WebSocket-Key").filter(|key| is_key(key)).ok_or(Refusal::Key)?;
    let protocols = offered_protocols(request)?;
    let extensions =
        extensions::parse(request.fields("Sec-WebSocket-Extensions")).map_err(|_| Refusal::Extensions)?;
    Ok(Upgrade { accept: accept_value(key), protocols, extensions, chosen_protocol: None, deflate: None })
}

/// "A |Sec-WebSocket-Key| header field with a base64-encoded [...] value that, when decoded, is 16 bytes in length"
/// (§4.2.1). Strictly: with its padding, and nothing in the bits that it leaves over.
fn is_key(key: &str) -> bool {
    key.len() == 24 && STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16)
}

/// "The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 to U+007E not
/// including separator characters as defined in [RFC2616] and MUST all be unique strings" (§4.1): tokens, that is.
fn offered_protocols(request: &Request) -> Result<Vec<String>, Refusal> {
    let mut protocols: Vec<String> = Vec::new();
    for protocol in request.list("Sec-WebSocket-Protocol") {
        if !is_token(protocol) || protocols.iter().any(|earlier| earlier == protocol) {
            return Err(Refusal::Protocols);
        }
        protocols.push(protocol.to_owned());
    }
    // "The ABNF for the value of this header field is 1#token"
    let present = request.fields("Sec-WebSocket-Protocol").next().is_some();
    if present && protocols.is_empty() { Err(Refusal::Protocols) } else { Ok(protocols) }
}

impl Upgrade {
    /// The sub-protocols that the client speaks, "ordered by preference" (§4.1).
    pub fn protocols(&self) -> &[String] {
        &self.protocols
    }

    /// The extensions that the client offers, in its order.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// Agrees to speak `protocol`, and says whether the client has offered it: "if it wishes to use one of the
    /// subprotocols, [...] the value chosen MUST be derived from the client's handshake" (§4.2.2). Of several calls the
    /// last one that says yes counts.
    pub fn choose_protocol(&mut self, protocol: &str) -> bool {
        let offered = self.protocols.iter().any(|offer| offer == protocol);
        if offered {
            self.chosen_protocol = Some(protocol.to_owned());
        }
        offered
    }

    /// Agrees to permessage-deflate as far as the client's offers and our `wish` go together; what comes of it is for
    /// [`Connection::with_deflate`](crate::ws::Connection::with_deflate). `None` if the client offers nothing of the
    /// kind.
    ///
    /// ```
    /// use wiretail::http::RequestReader;
    /// use wiretail::ws::deflate::Parameters;
    /// use wiretail::ws::{Connection, Limits, handshake};
    ///
    /// let bytes = b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    ///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    ///     Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
    /// let (request, _) = RequestReader::new().receive(bytes)?.expect("all of it has come");
    /// let mut upgrade = handshake::accept(&request)?;
    ///
    /// // Nothing is to be kept between two messages, neither here nor there.
    /// let agreed = upgrade.agree_deflate(&Parameters::without_context());
    /// let answer = String::from_utf8(upgrade.response())?;
    /// let line = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    /// assert!(answer.lines().any(|found| found == line));
    ///
    /// let connection = Connection::server(Limits::default()).with_deflate(agreed);
    /// assert!(connection.may_send());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "deflate")]
    pub fn agree_deflate(&mut self, wish: &Parameters) -> Option<Parameters> {
        self.deflate = wish.choose(&self.extensions);
        self.deflate
    }

    /// The 101 that opens the WebSocket, with what was chosen and agreed to.
    pub fn response(&self) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {}\r\n", Status::SWITCHING_PROTOCOLS).into_bytes();
        write_field(&mut out, "Upgrade", "websocket");
        write_field(&mut out, "Connection", "Upgrade");
        write_field(&mut out, "Sec-WebSocket-Accept", &self.accept);
        if let Some(protocol) = &self.chosen_protocol {
            write_field(&mut out, "Sec-WebSocket-Protocol", protocol);
        }
        if let Some(deflate) = &self.deflate {
            write_field(&mut out, "Sec-WebSocket-Extensions", &deflate.answer(&self.extensions));
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

/// Why a request cannot be upgraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The method is not `GET`.
    Method,
    /// HTTP/1.0 knows no upgrades.
    Http10,
    /// `Upgrade` does not name `websocket`.
    NoUpgrade,
    /// `Connection` does not name `Upgrade`.
    NoConnection,
    /// `Sec-WebSocket-Version` is not 13.
    Version,
    /// `Sec-WebSocket-Key` is missing, doubled, or not 16 bytes in base64.
    Key,
    /// `Sec-WebSocket-Protocol` is not a list of different tokens.
    Protocols,
    /// `Sec-WebSocket-Extensions` is malformed.
    Extensions,
}

impl Refusal {
    /// The status to answer with.
    pub fn status(self) -> Status {
        match self {
            Self::Method => Status::METHOD_NOT_ALLOWED,
            Self::Http10 | Self::NoConnection | Self::Key | Self::Protocols | Self::Extensions => {
                Status::BAD_REQUEST
            }
            Self::NoUpgrade | Self::Version => Status::UPGRADE_REQUIRED,
        }
    }

    /// The whole answer.
    pub fn response(self) -> Response {
        let response = Response::text(self.status(), &self.to_string());
        match self {
            // "The origin server MUST generate an Allow header field in a 405 response" (RFC 9110 §15.5.6)
            Self::Method => response.field("Allow", "GET"),
            // "The server MUST send an Upgrade header field in a 426 response to indicate the required protocol(s)"
            // (RFC 9110 §15.5.22), and "A server that sends an Upgrade header field MUST also send an "Upgrade"
            // connection option" (§7.8).
            // "If this version does not match a version understood by the server, the server MUST abort the WebSocket
            // handshake [...] and instead send an appropriate HTTP error code (such as 426 Upgrade Required) and a
            // |Sec-WebSocket-Version| header field indicating the version(s) the server is capable of understanding"
            // (RFC 6455 §4.2.2)
            Self::NoUpgrade | Self::Version => response
                .field("Upgrade", "websocket")
                .field("Connection", "Upgrade")
                .field("Sec-WebSocket-Version", VERSION),
            Self::Http10 | Self::NoConnection | Self::Key | Self::Protocols | Self::Extensions => response,
        }
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        refusal.response()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "a WebSocket is opened with GET",
            Self::Http10 => "a WebSocket needs HTTP/1.1",
            Self::NoUpgrade => "this is a WebSocket: the Upgrade field must say websocket",
            Self::NoConnection => "the Connection field must say Upgrade",
            Self::Version => "the Sec-WebSocket-Version must be 13",
            Self::Key => "the Sec-WebSocket-Key must be 16 bytes in base64, once",
            Self::Protocols => "the Sec-WebSocket-Protocol must be a list of different tokens",
            Self::Extensions => "the Sec-WebSocket-Extensions field is malformed",
        })
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::RequestReader;

    /// The request of §1.2, with the path of our own.
    const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
        Host: server.example.com\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Origin: http://example.com\r\n\
        Sec-WebSocket-Protocol: chat, superchat\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";

    fn ask(request: &str) -> Result<Upgrade, Refusal> {
        accept(&RequestReader::new().receive(request.as_bytes()).unwrap().unwrap().0)
    }

    /// The same request with some of its text replaced, which must be there.
    fn ask_with(from: &str, to: &str) -> Result<Upgrade, Refusal> {
        assert!(REQUEST.contains(from), "{from}");
        ask(&REQUEST.replace(from, to))
    }

    #[test]
    fn s1_2_the_example_of_the_rfc_is_answered_as_there() {
        let mut upgrade = ask(REQUEST).unwrap();
        assert_eq!(upgrade.protocols(), ["chat", "superchat"]);
        assert!(upgrade.choose_protocol("chat"));
        assert_eq!(
            String::from_utf8(upgrade.response()).unwrap(),
            "HTTP/1.1 101 Switching Protocols\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
             Sec-WebSocket-Protocol: chat\r\n\r\n"
        );
    }

    #[test]
    fn a_protocol_is_named_only_if_it_was_offered() {
        let mut upgrade = ask(REQUEST).unwrap();
        for chosen in ["other", "Chat", ""] {
            assert!(!upgrade.choose_protocol(chosen), "{chosen:?}");
        }
        assert!(!String::from_utf8(upgrade.response()).unwrap().contains("Protocol:"));
    }

    #[test]
    fn names_and_tokens_are_compared_without_regard_to_case_and_lists_may_run_over_lines() {
        assert!(ask_with("Upgrade: websocket", "uPGRADE: WebSocket").is_ok());
        assert!(ask_with("Upgrade: websocket", "Upgrade: h2c, websocket").is_ok());
        assert!(ask_with("Connection: Upgrade", "connection: keep-alive, upgrade").is_ok());
        assert!(ask_with("Connection: Upgrade", "Connection: keep-alive\r\nConnection:UPGRADE").is_ok());
        let upgrade = ask_with("chat, superchat", "a,,b\r\nsec-websocket-protocol: c").unwrap();
        assert_eq!(upgrade.protocols(), ["a", "b", "c"]);
    }

    #[test]
    fn what_does_not_match_s4_2_1_is_refused() {
        for (from, to, refusal) in [
            ("GET", "POST", Refusal::Method),
            ("HTTP/1.1", "HTTP/1.0", Refusal::Http10),
            ("Upgrade: websocket\r\n", "", Refusal::NoUpgrade),
            ("Upgrade: websocket", "Upgrade: websocket2", Refusal::NoUpgrade),
            ("Connection: Upgrade\r\n", "", Refusal::NoConnection),
            ("Connection: Upgrade", "Connection: keep-alive", Refusal::NoConnection),
            ("Sec-WebSocket-Version: 13\r\n", "", Refusal::Version),
            ("Version: 13", "Version: 8", Refusal::Version),
            ("Version: 13", "Version: 013", Refusal::Version),
            ("Version: 13", "Version: 13, 8", Refusal::Version),
            ("Version: 13", "Version: 13\r\nSec-WebSocket-Version: 13", Refusal::Version),
            ("chat, superchat", "chat, chat", Refusal::Protocols),
            ("chat, superchat", "chat superchat", Refusal::Protocols),
            ("chat, superchat", "a/b", Refusal::Protocols),
            ("chat, superchat", ",", Refusal::Protocols),
            ("Version: 13", "Version: 13\r\nSec-WebSocket-Extensions: ;", Refusal::Extensions),
        ] {
            assert_eq!(ask_with(from, to), Err(refusal), "{from:?} -> {to:?}");
        }
    }

    #[test]
    fn the_key_is_16_bytes_in_base64_exactly_once() {
        const LINE: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
        assert_eq!(ask_with(&format!("{LINE}\r\n"), ""), Err(Refusal::Key));
        assert_eq!(ask_with(LINE, &format!("{LINE}\r\n{LINE}")), Err(Refusal::Key));
        for key in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",       // without its padding
            "dGhlIHNhbXBsZSBub25jZQ=",      // with half of it
            "dGhlIHNhbXBsZSBub25jZR==",     // with bits left over
            "dGhlIHNhbXBsZSBub25jZSE=",     // 17 bytes
            "dGhlIHNhbXBsZSBub25j",         // 15 bytes
            "dGhlIHNhbXBsZSBub25jZ*==",     // not in the alphabet
            "dGhlIHNhbXBsZSBub25j\u{e9}==", // not even ASCII
        ] {
            assert_eq!(ask_with("dGhlIHNhbXBsZSBub25jZQ==", key), Err(Refusal::Key), "{key}");
        }
    }

    #[test]
    fn offers_of_extensions_are_read_and_none_is_agreed_to() {
        let upgrade =
            ask_with("Version: 13", "Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate").unwrap();
        assert_eq!(upgrade.extensions()[0].name, "permessage-deflate");
        assert!(!String::from_utf8(upgrade.response()).unwrap().contains("Extensions"));
    }

    #[test]
    fn s4_2_2_another_version_is_told_ours() {
        for refusal in [Refusal::Version, Refusal::NoUpgrade] {
            let response = String::from_utf8(refusal.response().into_bytes(false, true)).unwrap();
            assert!(response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
            for field in ["Sec-WebSocket-Version: 13", "Upgrade: websocket", "Connection: Upgrade"] {
                assert!(response.contains(&format!("\r\n{field}\r\n")), "{field}");
            }
        }
    }

    #[test]
    fn each_refusal_has_its_status() {
        let status = |refusal: Refusal| refusal.response().status().0;
        assert_eq!(status(Refusal::Method), 405);
        let others =
            [Refusal::Http10, Refusal::NoConnection, Refusal::Key, Refusal::Protocols, Refusal::Extensions];
        assert_eq!(others.map(status), [400; 5]);
    }
}
