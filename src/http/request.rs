//! Requests: what a client asks for (RFC 9112 §3).
//!
//! Refuses what is malformed or beyond our limits, and says with which status. Does not know how a request comes in
//! pieces (that is [`super::reader`]), which paths or methods mean anything here, nor what an upgrade is: that is for `app`
//! and for `ws::handshake`.

use super::bad_request::BadRequest;
use super::body::Framing;
use super::head::{Fields, HeadError, MAX_FIELDS};
use super::target;

/// The HTTP version that the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: answered, and the connection closed. Cannot be upgraded.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// One request.
///
/// ```
/// use wiretail::http::{RequestReader, Version};
///
/// let bytes = b"GET /tail/a%20b.log?lines=10&from=x%2By+z HTTP/1.1\r\nHost: h:8080\r\nOrigin: http://h:8080\r\n\r\n";
/// let (request, _) = RequestReader::new().receive(bytes)?.expect("it is whole");
/// assert_eq!((request.method(), request.version()), ("GET", Version::Http11));
/// assert_eq!(request.path(), "/tail/a%20b.log"); // as it was sent
/// assert_eq!(request.segments(), Some(vec!["tail".to_owned(), "a b.log".to_owned()])); // as it is meant
/// assert_eq!(request.query("lines").as_deref(), Some("10"));
/// assert_eq!(request.query("from").as_deref(), Some("x+y z"));
/// assert_eq!((request.host(), request.field("Origin")), ("h:8080", Some("http://h:8080")));
/// assert!(request.keep_alive());
/// # Ok::<(), wiretail::http::BadRequest>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    method: String,
    target: String,
    version: Version,
    fields: Fields,
    framing: Framing,
    body: Vec<u8>,
}

impl Request {
    /// Parses a whole head, and checks what is wrong whatever it asks for. The body is still to come.
    pub(super) fn parse(head: &[u8]) -> Result<Self, BadRequest> {
        let mut parsed = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut request = httparse::Request::new(&mut parsed);
        request.parse(head).map_err(|error| match error {
            httparse::Error::HeaderName => BadRequest::FieldName,
            httparse::Error::HeaderValue => BadRequest::FieldValue,
            httparse::Error::TooManyHeaders => BadRequest::Head(HeadError::TooManyFields),
            httparse::Error::Version if names_a_version(head) => BadRequest::Version,
            httparse::Error::Version
            | httparse::Error::NewLine
            | httparse::Error::Token
            | httparse::Error::Status => BadRequest::RequestLine,
        })?;
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version)
        else {
            return Err(BadRequest::RequestLine);
        };
        let version = if version == 0 { Version::Http10 } else { Version::Http11 };
        let (method, target) = (method.to_owned(), target.to_owned());
        let fields = Fields::from_parsed(request.headers);
        let mut request = Self { method, target, version, fields, framing: Framing::None, body: Vec::new() };
        request.check_target()?;
        request.check_host()?;
        request.framing = Framing::of(&request.fields, version)?;
        Ok(request)
    }

    /// The same with its body.
    pub(super) fn with_body(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }

    /// How its head says where its body ends.
    pub(super) fn framing(&self) -> Framing {
        self.framing
    }

    /// The method, which is case-sensitive (RFC 9110 §9.1).
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The target as it was sent.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The version of the request line.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether its head says how long the body is, be it empty.
    pub fn has_length(&self) -> bool {
        ["Content-Length", "Transfer-Encoding"].iter().any(|name| self.fields.all(name).next().is_some())
    }

    /// The body; empty if there is none.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The path as it was sent, still percent-encoded, without the query. `*` for `OPTIONS *`.
    pub fn path(&self) -> &str {
        let (_, path_and_query) = target::split(&self.target);
        path_and_query.split('?').next().unwrap_or_default()
    }

    /// The path's segments, each percent-decoded; none for `/`. `None` if an escape is malformed, or what it hides is
    /// NUL or not UTF-8.
    pub fn segments(&self) -> Option<Vec<String>> {
        match self.path() {
            "/" => Some(Vec::new()),
            path => {
                path.strip_prefix('/')?.split('/').map(|segment| target::decode(segment, false)).collect()
            }
        }
    }

    /// The first value of that name in the query, decoded as forms are: `+` is a space. `None` if there is none or
    /// it cannot be decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        self.queries(name).next().flatten()
    }

    /// All values of a name in the query, in order, decoded; `None` for one that does not decode to text.
    pub fn queries(&self, name: &str) -> impl Iterator<Item = Option<String>> {
        let (_, path_and_query) = target::split(&self.target);
        let query = path_and_query.split_once('?').map_or("", |(_, query)| query);
        target::values(query, name)
    }

    /// All values of a name in a body that is a form (`application/x-www-form-urlencoded`), as [`queries`](Self::queries).
    pub fn form(&self, name: &str) -> impl Iterator<Item = Option<String>> {
        // Such a form is ASCII; of what is not, nothing is known.
        target::values(std::str::from_utf8(&self.body).unwrap_or_default(), name)
    }

    /// Whom the client means to talk to, as `host` or `host:port`; may be empty.
    ///
    /// "When an origin server receives a request with an absolute-form of request-target, the origin server MUST
    /// ignore the received Host header field (if any) and instead use the host information of the request-target"
    /// (RFC 9112 §3.2.2).
    pub fn host(&self) -> &str {
        let (authority, _) = target::split(&self.target);
        authority.or(self.field("Host")).unwrap_or_default()
    }

    /// The value of a field that may stand only once: `None` if it is missing, doubled, or not ASCII.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.one(name)
    }

    /// The values of all fields of that name, in order.
    pub fn fields<'r>(&'r self, name: &str) -> impl Iterator<Item = &'r str> {
        self.fields.all(name)
    }

    /// The members of a comma-separated list, whether on one line or on several.
    pub fn list<'r>(&'r self, name: &str) -> impl Iterator<Item = &'r str> {
        self.fields.list(name)
    }

    /// Every field, for questions that the others do not answer.
    pub fn all_fields(&self) -> &Fields {
        &self.fields
    }

    /// Whether another request may follow on this connection (RFC 9112 §9.3). We do not keep HTTP/1.0 connections,
    /// although some clients ask for it.
    pub fn keep_alive(&self) -> bool {
        self.version == Version::Http11 && !self.fields.lists("Connection", "close")
    }

    /// The four forms of a target (RFC 9112 §3.2). None has a fragment. We are laxer than the grammar with characters
    /// that should have been escaped, because what people type into `curl` often is not.
    fn check_target(&self) -> Result<(), BadRequest> {
        let (authority, path) = target::split(&self.target);
        let fits = match (self.method.as_str(), self.target.as_str()) {
            ("OPTIONS", "*") => true,
            ("CONNECT", target) => target::is_host(target),
            _ => path.starts_with('/') && authority.is_none_or(target::is_host),
        };
        if fits && !self.target.contains('#') { Ok(()) } else { Err(BadRequest::Target) }
    }

    /// "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host
    /// header field and to any request message that contains more than one Host header field line or a Host header
    /// field with an invalid field value" (RFC 9112 §3.2).
    fn check_host(&self) -> Result<(), BadRequest> {
        let mut hosts = self.fields.all("Host");
        match (hosts.next(), hosts.next(), self.version) {
            (None, _, Version::Http10) => Ok(()),
            (None, _, Version::Http11) => Err(BadRequest::NoHost),
            (Some(_), Some(_), _) => Err(BadRequest::ManyHosts),
            (Some(host), None, _) if target::is_host(host) => Ok(()),
            (Some(_), None, _) => Err(BadRequest::Host),
        }
    }
}

/// Whether the first line ends in something like `HTTP/2.0`: a version, though none of ours.
fn names_a_version(head: &[u8]) -> bool {
    let line =
        head.split(|&byte| byte == b'\r').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let word = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
    matches!(word, [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{RequestReader, Status};

    /// What becomes of these bytes: whole, cut at every position, and byte by byte alike.
    fn read(bytes: &[u8]) -> Result<Option<(Request, usize)>, BadRequest> {
        let whole = RequestReader::new().receive(bytes);
        for cut in 0..=bytes.len() {
            assert_eq!(read_pieces([&bytes[..cut], &bytes[cut..]].into_iter()), whole, "cut at {cut}");
        }
        assert_eq!(read_pieces(bytes.chunks(1)), whole, "byte by byte");
        whole
    }

    fn read_pieces<'a>(
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<(Request, usize)>, BadRequest> {
        let mut reader = RequestReader::new();
        let mut before = 0;
        for piece in pieces {
            if let Some((request, used)) = reader.receive(piece)? {
                return Ok(Some((request, before + used)));
            }
            before += piece.len();
        }
        Ok(None)
    }

    fn get(target: &str) -> Request {
        read(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).unwrap().unwrap().0
    }

    fn refused(head: &str) -> u16 {
        let error = read(format!("{head}\r\n\r\n").as_bytes()).unwrap_err();
        error.status().0
    }

    #[test]
    fn a_request_tells_what_was_asked_and_leaves_what_follows() {
        let bytes = b"GET /tail/a%20b.log?lines=10&from=x%2By+z&lines=20&bad=%zz HTTP/1.1\r\n\
            host: h:80\r\nConnection: keep-alive\r\nCONNECTION: Upgrade\r\nX: caf\xe9\r\n\r\n\x81\x80";
        let (request, used) = read(bytes).unwrap().unwrap();
        assert_eq!(used, bytes.len() - 2);
        assert_eq!((request.method(), request.version()), ("GET", Version::Http11));
        assert_eq!((request.path(), request.host()), ("/tail/a%20b.log", "h:80"));
        assert_eq!(request.segments().unwrap(), ["tail", "a b.log"]);
        assert_eq!(request.query("lines").as_deref(), Some("10"));
        assert_eq!(request.query("from").as_deref(), Some("x+y z"));
        assert_eq!((request.query("bad"), request.query("none")), (None, None));
        assert_eq!(request.list("Connection").collect::<Vec<_>>(), ["keep-alive", "Upgrade"]);
        assert_eq!(request.field("Connection"), None, "it is there twice");
        assert_eq!(request.field("X"), None, "it is not ASCII");
        assert_eq!(request.fields("X").collect::<Vec<_>>(), ["caf\u{fffd}"]);
        assert!(request.keep_alive());
    }

    #[test]
    fn the_path_falls_into_segments() {
        assert_eq!(get("/").segments().unwrap(), [""; 0]);
        assert_eq!(get("/a/").segments().unwrap(), ["a", ""]);
        assert_eq!(get("//a%2Fb?c/d").segments().unwrap(), ["", "a/b"]);
        assert_eq!(get("/a%").segments(), None);
    }

    #[test]
    fn an_absolute_target_overrules_the_host_field() {
        let request = get("http://other:8080/a?b=c");
        assert_eq!((request.host(), request.path()), ("other:8080", "/a"));
        assert_eq!(request.query("b").as_deref(), Some("c"));
        assert_eq!(get("http://other").path(), "/");
    }

    #[test]
    fn connection_close_is_heard_in_any_case_and_place() {
        let (request, _) =
            read(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n").unwrap().unwrap();
        assert!(!request.keep_alive());
    }

    #[test]
    fn the_request_line_is_a_method_a_target_and_a_version() {
        for line in
            ["GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "G(T / HTTP/1.1", " GET / HTTP/1.1", "GET / x"]
        {
            assert_eq!(refused(&format!("{line}\r\nHost: h")), 400, "{line}");
        }
        for version in ["HTTP/2.0", "HTTP/0.9", "HTTP/1.2"] {
            assert_eq!(refused(&format!("GET / {version}\r\nHost: h")), 505, "{version}");
        }
        for target in ["a", "*", "/a#b", "http://u@h/", "http://h?q", "ftp://h/"] {
            assert_eq!(refused(&format!("GET {target} HTTP/1.1\r\nHost: h")), 400, "{target}");
        }
    }

    #[test]
    fn http_1_1_names_exactly_one_host() {
        assert_eq!(refused("GET / HTTP/1.1"), 400);
        assert_eq!(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a"), 400);
        assert_eq!(refused("GET / HTTP/1.1\r\nHost: a b"), 400);
        assert_eq!(refused("GET / HTTP/1.0\r\nHost: a\r\nHost: b"), 400);
        assert!(read(b"GET / HTTP/1.0\r\n\r\n").is_ok());
        assert!(read(b"GET / HTTP/1.1\r\nHost:\r\n\r\n").is_ok(), "empty is allowed");
    }

    #[test]
    fn fields_are_a_token_a_colon_and_a_value() {
        for field in ["A : b", ": b", "A", "A\u{e9}: b", "(A): b"] {
            assert_eq!(refused(&format!("GET / HTTP/1.1\r\nHost: h\r\n{field}")), 400, "{field}");
        }
    }

    #[test]
    fn beyond_the_limits_each_has_its_status() {
        let long = "x".repeat(9000);
        let reader = |head: &str| RequestReader::new().receive(head.as_bytes()).unwrap_err().status();
        assert_eq!(reader(&format!("GET /{long}")), Status::URI_TOO_LONG);
        assert_eq!(reader(&format!("GET / HTTP/1.1\r\nA: {long}")), Status::FIELDS_TOO_LARGE);
        assert_eq!(reader(&format!("GET / HTTP/1.1\r\n{}", "a:b\r\n".repeat(65))), Status::FIELDS_TOO_LARGE);
    }
}
