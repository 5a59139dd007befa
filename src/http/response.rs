//! Responses: what is answered (RFC 9112 §4), always with a length and with the fields that keep a page safe; and the
//! heads of those that a client of ours is answered with.
//!
//! Has no clock, so it writes no `Date`; who has one adds it with [`Response::field`].

use std::borrow::Cow;
use std::fmt;

use super::head::{Fields, MAX_FIELDS, write_field};

/// A status code (RFC 9110 §15).
///
/// ```
/// use wiretail::http::Status;
///
/// assert_eq!(Status::UPGRADE_REQUIRED.to_string(), "426 Upgrade Required");
/// assert_eq!(Status(404), Status::NOT_FOUND);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

#[expect(
    missing_docs,
    reason = "the names are those of RFC 9110 §15 and RFC 6585, and `reason` spells them out"
)]
impl Status {
    pub const SWITCHING_PROTOCOLS: Self = Self(101);
    pub const OK: Self = Self(200);
    pub const CREATED: Self = Self(201);
    pub const ACCEPTED: Self = Self(202);
    pub const NO_CONTENT: Self = Self(204);
    pub const PARTIAL_CONTENT: Self = Self(206);
    pub const SEE_OTHER: Self = Self(303);
    pub const NOT_MODIFIED: Self = Self(304);
    pub const PERMANENT_REDIRECT: Self = Self(308);
    pub const BAD_REQUEST: Self = Self(400);
    pub const UNAUTHORIZED: Self = Self(401);
    pub const FORBIDDEN: Self = Self(403);
    pub const NOT_FOUND: Self = Self(404);
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    pub const REQUEST_TIMEOUT: Self = Self(408);
    pub const CONFLICT: Self = Self(409);
    pub const LENGTH_REQUIRED: Self = Self(411);
    pub const CONTENT_TOO_LARGE: Self = Self(413);
    pub const URI_TOO_LONG: Self = Self(414);
    pub const UNSUPPORTED_MEDIA_TYPE: Self = Self(415);
    pub const RANGE_NOT_SATISFIABLE: Self = Self(416);
    pub const UPGRADE_REQUIRED: Self = Self(426);
    pub const TOO_MANY_REQUESTS: Self = Self(429);
    pub const FIELDS_TOO_LARGE: Self = Self(431);
    pub const INTERNAL_SERVER_ERROR: Self = Self(500);
    pub const NOT_IMPLEMENTED: Self = Self(501);
    pub const SERVICE_UNAVAILABLE: Self = Self(503);
    pub const VERSION_NOT_SUPPORTED: Self = Self(505);
    pub const INSUFFICIENT_STORAGE: Self = Self(507);
}

impl Status {
    /// The words that stand behind the number; empty for a number not used here.
    pub fn reason(self) -> &'static str {
        match self.0 {
            101 => "Switching Protocols",
            200 => "OK",
            201 => "Created",
            202 => "Accepted",
            204 => "No Content",
            206 => "Partial Content",
            303 => "See Other",
            304 => "Not Modified",
            308 => "Permanent Redirect",
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            409 => "Conflict",
            411 => "Length Required",
            413 => "Content Too Large",
            414 => "URI Too Long",
            415 => "Unsupported Media Type",
            416 => "Range Not Satisfiable",
            426 => "Upgrade Required",
            429 => "Too Many Requests",
            431 => "Request Header Fields Too Large",
            500 => "Internal Server Error",
            501 => "Not Implemented",
            503 => "Service Unavailable",
            505 => "HTTP Version Not Supported",
            507 => "Insufficient Storage",
            _ => "",
        }
    }

    /// "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx
    /// (Informational) or 204 (No Content)" (RFC 9110 §8.6); in a 304 it would speak of another response.
    fn has_body(self) -> bool {
        !matches!(self.0, 100..=199 | 204 | 304)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.reason())
    }
}

/// What every response carries, so that no page can forget it.
const SECURITY: [(&str, &str); 4] = [
    // Nothing inline, nothing from elsewhere, in nobody's frame: a line of a log that found its way into the page as
    // markup could still do nothing.
    (
        "Content-Security-Policy",
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
];

/// How long a response's body is (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many bytes.
    Known(u64),
    /// It goes on until the connection is closed, as a stream does that nobody knows the end of.
    UntilClosed,
    /// It comes in chunks ([`write_chunk`]), the last of which is empty: so its end can be told from a loss, and another
    /// response may follow. Only for those who speak HTTP/1.1.
    Chunked,
}

/// Writes a part of a body that comes in chunks behind `out`; an empty one ends it (RFC 9112 §7.1).
///
/// ```
/// use wiretail::http::write_chunk;
///
/// let mut out = Vec::new();
/// for part in ["a line that is longer\n", "", ] {
///     write_chunk(&mut out, part.as_bytes());
/// }
/// assert_eq!(out, b"16\r\na line that is longer\n\r\n0\r\n\r\n");
/// ```
pub fn write_chunk(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
    out.extend_from_slice(part);
    out.extend_from_slice(b"\r\n");
}

/// One response, put together piece by piece.
///
/// ```
/// use wiretail::http::{Response, Status};
///
/// let page = Response::new(Status::OK)
///     .body("text/html; charset=utf-8", &b"<p>Hello"[..])
///     .field("Cache-Control", "no-cache");
/// let bytes = String::from_utf8(page.into_bytes(false, true)).expect("it is all text");
/// assert!(bytes.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-cache\r\n"));
/// // Nobody asked for these two; no page goes without them.
/// assert!(bytes.contains("\r\nContent-Security-Policy: default-src 'self'; "));
/// assert!(bytes.ends_with("\r\nContent-Length: 8\r\n\r\n<p>Hello"));
///
/// // To a HEAD, and with the connection closing behind it.
/// let bytes = Response::text(Status::NOT_FOUND, "There is nothing here.").into_bytes(true, false);
/// assert!(bytes.ends_with(b"\r\nContent-Length: 23\r\n\r\n"));
/// ```
#[derive(Clone, Debug)]
pub struct Response {
    status: Status,
    fields: Vec<(&'static str, Cow<'static, str>)>,
    body: Cow<'static, [u8]>,
}

impl Response {
    /// A response with that status and an empty body.
    pub fn new(status: Status) -> Self {
        Self { status, fields: Vec::new(), body: Cow::Borrowed(&[]) }
    }

    /// A response that says one sentence, for people.
    pub fn text(status: Status, sentence: &str) -> Self {
        Self::new(status).body("text/plain; charset=utf-8", format!("{sentence}\n").into_bytes())
    }

    /// Its status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Adds a field. Control characters in the value become spaces: no value can end its line.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        self.body = body.into();
        self.field("Content-Type", content_type)
    }

    /// The bytes to send.
    ///
    /// `head_only`: the request was a `HEAD`, so the body stays here, though its length is told (RFC 9110 §9.3.2).
    /// Without `keep_alive` the peer is told that the connection closes behind this response.
    pub fn into_bytes(self, head_only: bool, keep_alive: bool) -> Vec<u8> {
        let length = Length::Known(self.body.len() as u64);
        let mut out = self.head_bytes(length, keep_alive);
        if self.status.has_body() && !head_only {
            out.extend_from_slice(&self.body);
        }
        out
    }

    /// The bytes of its head alone. A body of that length follows, which whoever calls this sends.
    pub fn head_bytes(&self, length: Length, keep_alive: bool) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {}\r\n", self.status).into_bytes();
        let given = self.fields.iter().map(|(name, value)| (*name, value.as_ref()));
        let close = (!keep_alive || length == Length::UntilClosed).then_some(("Connection", "close"));
        for (name, value) in given.chain(close).chain(SECURITY) {
            write_field(&mut out, name, value);
        }
        match length {
            Length::Known(length) if self.status.has_body() => {
                write_field(&mut out, "Content-Length", &length.to_string());
            }
            Length::Chunked => write_field(&mut out, "Transfer-Encoding", "chunked"),
            Length::Known(_) | Length::UntilClosed => {}
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

/// The head of a response that came from a server.
///
/// ```
/// use wiretail::http::{ResponseHead, Status};
///
/// let head = ResponseHead::parse(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n\r\n");
/// let head = head.expect("a head of HTTP/1.1");
/// assert_eq!((head.status, head.fields.one("upgrade")), (Status::UPGRADE_REQUIRED, Some("websocket")));
/// assert_eq!(ResponseHead::parse(b"HTTP/2 200\r\n\r\n"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// Its status.
    pub status: Status,
    /// Its fields.
    pub fields: Fields,
}

impl ResponseHead {
    /// Parses a whole head, as [`HeadReader`](super::HeadReader) gives it. `None` if it is not one of HTTP/1.1.
    pub fn parse(head: &[u8]) -> Option<Self> {
        let mut parsed = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut parsed);
        let whole = response.parse(head).is_ok_and(|status| status.is_complete());
        match (whole, response.version, response.code) {
            (true, Some(1), Some(code)) => {
                Some(Self { status: Status(code), fields: Fields::from_parsed(response.headers) })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(response: Response, head_only: bool, keep_alive: bool) -> String {
        String::from_utf8(response.into_bytes(head_only, keep_alive)).unwrap()
    }

    #[test]
    fn a_response_has_a_length_and_the_fields_that_keep_a_page_safe() {
        let page =
            Response::new(Status::OK).body("text/html", &b"<p>"[..]).field("Cache-Control", "no-cache");
        assert_eq!(
            text(page, false, true),
            "HTTP/1.1 200 OK\r\n\
             Content-Type: text/html\r\n\
             Cache-Control: no-cache\r\n\
             Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'; object-src 'none'\r\n\
             X-Content-Type-Options: nosniff\r\n\
             Referrer-Policy: no-referrer\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\n\
             Content-Length: 3\r\n\r\n<p>"
        );
    }

    #[test]
    fn the_answer_to_head_tells_the_length_of_what_it_leaves_out() {
        let answer = text(Response::text(Status::NOT_FOUND, "no such log"), true, false);
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"));
        assert!(answer.contains("\r\nConnection: close\r\n"));
        assert!(answer.ends_with("\r\nContent-Length: 12\r\n\r\n"));
    }

    #[test]
    fn what_never_has_a_body_has_no_length_either() {
        for status in [Status::NO_CONTENT, Status::NOT_MODIFIED] {
            let answer = text(Response::new(status).body("text/plain", &b"x"[..]), false, true);
            assert!(!answer.contains("Content-Length"), "{status}");
            assert!(answer.ends_with("\r\n\r\n"), "{status}");
        }
    }

    #[test]
    fn a_value_cannot_split_the_response() {
        let answer = text(Response::new(Status::OK).field("X", "a\r\n\r\nb".to_owned()), false, true);
        assert!(answer.contains("\r\nX: a    b\r\n"));
        assert_eq!(answer.matches("\r\n\r\n").count(), 1);
    }

    #[test]
    fn every_status_used_here_has_words() {
        for code in [
            101, 200, 201, 204, 304, 400, 403, 404, 405, 408, 411, 413, 414, 415, 426, 429, 431, 500, 501,
            503, 505, 507,
        ] {
            assert!(!Status(code).reason().is_empty(), "{code}");
        }
        assert_eq!(Status(999).reason(), "");
    }

    #[test]
    fn what_we_answer_can_be_read_back() {
        let bytes = Response::text(Status::FORBIDDEN, "not you").into_bytes(true, false);
        let head = ResponseHead::parse(&bytes).unwrap();
        assert_eq!((head.status, head.fields.one("content-length")), (Status::FORBIDDEN, Some("8")));
        for bad in [&b"HTTP/1.0 200 OK\r\n\r\n"[..], b"HTTP/2 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n"] {
            assert_eq!(ResponseHead::parse(bad), None);
        }
    }
}
