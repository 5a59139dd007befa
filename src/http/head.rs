//! The head of an HTTP message: a start line and fields, up to the first empty line (RFC 9112 §2.1).
//!
//! Finds its end, holds the limits, and refuses what has been used to make two parsers disagree about one message.
//! Does not know what the start line says: that is for [`super::request`] and for the client's half of the WebSocket
//! handshake.

use std::fmt;

/// The longest head we read, its empty line included.
pub const MAX_HEAD: usize = 8 * 1024;

/// The most field lines we read. More are refused, never dropped: what was dropped could have been `Upgrade`.
pub const MAX_FIELDS: usize = 64;

/// Why no head will come out of these bytes.
///
/// ```
/// use wiretail::http::{HeadError, HeadReader, StartLine};
///
/// // Somebody speaks TLS to a server that does not: seen at the first byte.
/// let greeting = [0x16, 3, 1, 2, 0];
/// let error = HeadReader::new(StartLine::Request).receive(&greeting).unwrap_err();
/// assert_eq!(error, HeadError::ControlCharacter(0x16));
/// assert_eq!(error.to_string(), "the head holds the control character 0x16");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadError {
    /// [`MAX_HEAD`] bytes have come and the first line has not ended.
    StartLineTooLong,
    /// [`MAX_HEAD`] bytes have come and the head has not ended.
    TooLarge,
    /// More than [`MAX_FIELDS`] field lines.
    TooManyFields,
    /// A CR without an LF behind it, or an LF without a CR before it (RFC 9112 §2.2).
    BareLineEnd,
    /// A field line begins with whitespace: it continues the line before, as was once allowed (RFC 9112 §5.2).
    FoldedLine,
    /// A control character, NUL for instance, or the first byte of a TLS greeting.
    ControlCharacter(u8),
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartLineTooLong => write!(f, "the first line is longer than {MAX_HEAD} bytes"),
            Self::TooLarge => write!(f, "the head is longer than {MAX_HEAD} bytes"),
            Self::TooManyFields => write!(f, "the head has more than {MAX_FIELDS} fields"),
            Self::BareLineEnd => write!(f, "a line ends in CR or LF alone"),
            Self::FoldedLine => write!(f, "a field is folded over two lines"),
            Self::ControlCharacter(byte) => write!(f, "the head holds the control character {byte:#04x}"),
        }
    }
}

impl std::error::Error for HeadError {}

/// What the first line of a head is: "start-line = request-line / status-line" (RFC 9112 §2.1).
///
/// ```
/// use wiretail::http::{HeadReader, StartLine};
///
/// // An empty line before a request is forgiven; a status line must be the first.
/// let mut server = HeadReader::new(StartLine::Request);
/// assert_eq!(server.receive(b"\r\n"), Ok(None));
/// let mut client = HeadReader::new(StartLine::Status);
/// assert_eq!(client.receive(b"\r\n"), Ok(Some((&b"\r\n"[..], 2)))); // a head, though an empty one
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine {
    /// We are a server.
    Request,
    /// We are a client.
    Status,
}

/// Gathers a head that comes in pieces of any size. Owns memory only while the head is incomplete.
///
/// Every byte is looked at once, however the head is cut: searching the whole again at each read is how a slow peer
/// makes a server burn its time (CVE-2023-43669).
///
/// ```
/// use wiretail::http::{HeadReader, StartLine};
///
/// let mut reader = HeadReader::new(StartLine::Request);
/// assert_eq!(reader.receive(b"GET / HTTP/1.1\r\nHost: h\r\n\r")?, None);
/// assert!(reader.started());
/// // One byte of this read belongs to the head; the others are the caller's.
/// let (head, used) = reader.receive(b"\n\x81\x80")?.expect("the head is whole");
/// assert_eq!((head, used), (&b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"[..], 1));
/// # Ok::<(), wiretail::http::HeadError>(())
/// ```
#[derive(Debug)]
pub struct HeadReader {
    start_line: StartLine,
    /// What came in earlier pieces.
    kept: Vec<u8>,
    /// Bytes seen so far.
    total: usize,
    /// Lines that have ended and were not empty, the start line among them.
    lines: usize,
    /// Bytes of the current line so far, without its CR.
    line_len: usize,
    /// The last byte was a CR.
    after_cr: bool,
}

impl HeadReader {
    /// Nothing has come yet of a head that begins so.
    pub fn new(start_line: StartLine) -> Self {
        Self { start_line, kept: Vec::new(), total: 0, lines: 0, line_len: 0, after_cr: false }
    }

    /// Whether any byte has come yet.
    pub fn started(&self) -> bool {
        self.total > 0
    }

    /// The bytes of memory that what has come takes up.
    pub fn memory(&self) -> usize {
        self.kept.capacity()
    }

    /// Takes the next bytes. Once the head is whole: all of it, and how many of *these* bytes belong to it. The next head
    /// takes a new reader.
    ///
    /// # Errors
    /// At the first byte that shows the sin. The reader is of no use after that.
    pub fn receive<'a>(&'a mut self, bytes: &'a [u8]) -> Result<Option<(&'a [u8], usize)>, HeadError> {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.receive_byte(byte)? {
                let used = at + 1;
                if self.kept.is_empty() {
                    return Ok(Some((&bytes[..used], used)));
                }
                self.kept.extend_from_slice(&bytes[..used]);
                return Ok(Some((&self.kept, used)));
            }
        }
        self.kept.extend_from_slice(bytes);
        Ok(None)
    }

    /// Looks at one byte; true if the head ends with it.
    fn receive_byte(&mut self, byte: u8) -> Result<bool, HeadError> {
        self.total += 1;
        if self.total > MAX_HEAD {
            return Err(if self.lines == 0 { HeadError::StartLineTooLong } else { HeadError::TooLarge });
        }
        match byte {
            b'\n' if self.after_cr => {
                self.after_cr = false;
                if self.line_len == 0 {
                    // "a server that is expecting to receive and parse a request-line SHOULD ignore at least one
                    // empty line (CRLF) received prior to the request-line" (RFC 9112 §2.2). Nobody says so of a
                    // client: for it, this is the end of a head without a status line.
                    return Ok(self.lines > 0 || self.start_line == StartLine::Status);
                }
                self.lines += 1;
                self.line_len = 0;
            }
            // "a recipient MAY recognize a single LF as a line terminator" (RFC 9112 §2.2). We do not: where one
            // party does and the next does not, they see two different requests. A bare CR is forbidden anyway.
            b'\n' => return Err(HeadError::BareLineEnd),
            _ if self.after_cr => return Err(HeadError::BareLineEnd),
            b'\r' => self.after_cr = true,
            // "A server that receives an obs-fold in a request message [...] MUST either reject the message [...]
            // or replace each received obs-fold" (RFC 9112 §5.2)
            b' ' | b'\t' if self.line_len == 0 && self.lines > 0 => return Err(HeadError::FoldedLine),
            0..=8 | 10..=31 | 127 => return Err(HeadError::ControlCharacter(byte)),
            _ => {
                if self.line_len == 0 && self.lines > MAX_FIELDS {
                    return Err(HeadError::TooManyFields);
                }
                self.line_len += 1;
            }
        }
        Ok(false)
    }
}

/// The fields of a head, in the order they came.
///
/// A value may hold octets beyond ASCII, which "a recipient SHOULD treat [...] as opaque data" (RFC 9110 §5.5). They
/// are kept as text, with U+FFFD for what is not UTF-8; no rule of ours ever matches such a value.
///
/// ```
/// use wiretail::http::RequestReader;
///
/// let bytes = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nCONNECTION: Upgrade,\r\n\r\n";
/// let (request, _) = RequestReader::new().receive(bytes)?.expect("it is whole");
/// let fields = request.all_fields();
/// assert_eq!(fields.one("host"), Some("h"));
/// // A list may run over several lines, so a field that stands twice has no one value.
/// assert_eq!(fields.one("Connection"), None);
/// assert_eq!(fields.all("Connection").collect::<Vec<_>>(), ["keep-alive", "Upgrade,"]);
/// assert_eq!(fields.list("Connection").collect::<Vec<_>>(), ["keep-alive", "Upgrade"]);
/// assert!(fields.lists("Connection", "upgrade"));
/// # Ok::<(), wiretail::http::BadRequest>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// What the parser found.
    pub(super) fn from_parsed(parsed: &[httparse::Header<'_>]) -> Self {
        let field = |field: &httparse::Header<'_>| {
            (field.name.to_owned(), String::from_utf8_lossy(field.value).into_owned())
        };
        Self(parsed.iter().map(field).collect())
    }

    /// The values of all lines of that name, in order. Names are compared without regard to case (RFC 9110 §5.1).
    pub fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        let found = self.0.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The value of a field that may stand only once: `None` if it is missing, doubled, or not ASCII.
    pub fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        let value = values.next()?;
        (values.next().is_none() && value.is_ascii()).then_some(value)
    }

    /// The members of a comma-separated list, whether on one line or on several.
    ///
    /// "A recipient MUST parse and ignore a reasonable number of empty list elements" (RFC 9110 §5.6.1.2): all of
    /// them, as the head is bounded.
    pub fn list<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        let members = self.all(name).flat_map(|value| value.split(','));
        members.map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty())
    }

    /// Whether a list has that member, without regard to case.
    pub fn lists(&self, name: &str, member: &str) -> bool {
        self.list(name).any(|found| found.eq_ignore_ascii_case(member))
    }

    /// Every field as name and value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Writes one field line. A value cannot end its line, whatever is in it: "a recipient of CR, LF, or NUL within a
/// field value MUST either reject the message or replace each of those characters with SP" (RFC 9110 §5.5), and the
/// same is done here to every control character before it leaves.
pub(crate) fn write_field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend(value.bytes().map(|byte| if byte.is_ascii_control() && byte != b'\t' { b' ' } else { byte }));
    out.extend_from_slice(b"\r\n");
}

/// Whether `text` is a token, such as a method, a field name or the name of a sub-protocol (RFC 9110 §5.6.2).
///
/// ```
/// use wiretail::http::head::is_token;
///
/// assert!(is_token("wiretail.v1") && is_token("Sec-WebSocket-Key"));
/// assert!(!is_token("") && !is_token("two words") && !is_token("a/b"));
/// ```
pub fn is_token(text: &str) -> bool {
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<usize>, HeadError> {
        HeadReader::new(StartLine::Request).receive(bytes).map(|found| found.map(|(_, used)| used))
    }

    #[test]
    fn the_head_ends_at_the_first_empty_line_wherever_it_is_cut() {
        let head = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let with_more = [&head[..], b"\x81\x80more"].concat();
        for cut in 0..head.len() {
            let mut reader = HeadReader::new(StartLine::Request);
            assert_eq!(reader.receive(&with_more[..cut]), Ok(None), "cut at {cut}");
            assert_eq!(reader.started(), cut > 0);
            let found = reader.receive(&with_more[cut..]).unwrap().unwrap();
            assert_eq!(found, (&head[..], head.len() - cut), "cut at {cut}");
        }
        let mut reader = HeadReader::new(StartLine::Request);
        let (last, others) = head.split_last().unwrap();
        for byte in others {
            assert_eq!(reader.receive(&[*byte]), Ok(None));
        }
        let least = others.len();
        assert!((least..=2 * least).contains(&reader.memory()), "{} bytes for {least}", reader.memory());
        assert_eq!(reader.receive(&[*last]), Ok(Some((&head[..], 1))));
    }

    #[test]
    fn empty_lines_may_stand_before_a_request_but_not_before_a_status_line() {
        let mut server = HeadReader::new(StartLine::Request);
        assert_eq!(server.receive(b"\r\n\r\n"), Ok(None));
        let mut client = HeadReader::new(StartLine::Status);
        assert_eq!(client.receive(b"\r\nHTTP/1.1 101 \r\n\r\n"), Ok(Some((&b"\r\n"[..], 2))));
    }

    #[test]
    fn a_line_must_end_in_cr_and_lf() {
        assert_eq!(read(b"GET / HTTP/1.1\n"), Err(HeadError::BareLineEnd));
        assert_eq!(read(b"GET / HTTP/1.1\rH"), Err(HeadError::BareLineEnd));
        assert_eq!(read(b"GET / HTTP/1.1\r\nHost: a\r\r"), Err(HeadError::BareLineEnd));
        assert_eq!(read(b"GET / HTTP/1.1\r\nHost: a\r\n\n"), Err(HeadError::BareLineEnd));
    }

    #[test]
    fn a_folded_line_is_refused_at_its_first_byte() {
        assert_eq!(read(b"GET / HTTP/1.1\r\nHost: a\r\n "), Err(HeadError::FoldedLine));
        assert_eq!(read(b"GET / HTTP/1.1\r\n\t"), Err(HeadError::FoldedLine));
    }

    #[test]
    fn a_control_character_is_refused_at_once() {
        assert_eq!(read(b"GET / HTTP/1.1\r\nHost: a\0"), Err(HeadError::ControlCharacter(0)));
        assert_eq!(read(b"\x16\x03\x01"), Err(HeadError::ControlCharacter(0x16)), "a TLS greeting");
        assert_eq!(read(b"GET / HTTP/1.1\r\nA:\tb\r\n\r\n"), Ok(Some(24)), "a tab is whitespace");
    }

    #[test]
    fn a_head_of_the_longest_length_is_read_and_one_byte_more_is_not() {
        let mut head = b"GET / HTTP/1.1\r\nA: ".to_vec();
        head.resize(MAX_HEAD - 4, b'x');
        head.extend(b"\r\n\r\n");
        assert_eq!(read(&head), Ok(Some(MAX_HEAD)));
        head.insert(MAX_HEAD - 4, b'x');
        assert_eq!(read(&head), Err(HeadError::TooLarge));
        assert_eq!(read(&[b'x'; MAX_HEAD]), Ok(None));
        assert_eq!(read(&[b'x'; MAX_HEAD + 1]), Err(HeadError::StartLineTooLong));
    }

    #[test]
    fn the_most_fields_are_read_and_one_more_is_not() {
        let head = |fields: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a:b\r\n".repeat(fields));
        assert!(matches!(read(head(MAX_FIELDS).as_bytes()), Ok(Some(_))));
        assert_eq!(read(head(MAX_FIELDS + 1).as_bytes()), Err(HeadError::TooManyFields));
    }

    #[test]
    fn a_list_runs_over_lines_and_skips_what_is_empty() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let fields = Fields(vec![field("A", ", x ,,y\t"), field("b", "z"), field("a", ""), field("a", "X")]);
        assert_eq!(fields.list("a").collect::<Vec<_>>(), ["x", "y", "X"]);
        assert!(fields.lists("A", "Y") && !fields.lists("A", "z"));
        assert_eq!((fields.one("B"), fields.one("a"), fields.one("c")), (Some("z"), None, None));
    }

    #[test]
    fn a_value_cannot_end_its_line() {
        let mut out = Vec::new();
        write_field(&mut out, "A", "b\r\nSet-Cookie: c\0");
        assert_eq!(out, b"A: b  Set-Cookie: c \r\n");
    }
}
