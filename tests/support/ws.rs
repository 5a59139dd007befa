//! A WebSocket client and an HTTP client by hand, over a blocking socket with a deadline on every read.
//!
//! It says whatever a test wants said, right or wrong, and is strict about what it hears: the answer to the
//! handshake, unmasked frames (RFC 6455 §5.1), lengths in their minimal form (§5.2).

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::SOON;

/// First bytes of a frame, finished: FIN and the opcode (RFC 6455 §5.2).
pub const TEXT: u8 = 0x81;
/// A finished binary frame.
pub const BINARY: u8 = 0x82;
/// A close frame.
pub const CLOSE: u8 = 0x88;
/// A ping.
pub const PING: u8 = 0x89;
/// A pong.
pub const PONG: u8 = 0x8a;
/// A closing code that never travels: "no status code was actually present" (§7.4.1).
pub const NO_CODE: u16 = 1005;

/// The example of RFC 6455 §1.3: this key ...
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// ... is accepted with this value.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// Masks every frame: a test repeats exactly, and the server cannot tell.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The fields of an HTTP head, in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The value of the first field of that name, in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(ours, _)| ours.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The values of all fields of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(ours, _)| ours.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The head of an answer.
#[derive(Clone, Debug)]
pub struct Head {
    /// 101, 200, 404, ...
    pub status: u16,
    /// What follows the status line.
    pub fields: Fields,
}

/// A TCP connection to the server, and after [`Raw::connect`] a WebSocket.
pub struct Raw {
    stream: TcpStream,
    /// What was received; from `taken` on it is not used yet.
    received: Vec<u8>,
    taken: usize,
    /// The answer to the handshake.
    pub head: Head,
}

impl Raw {
    /// Connects and opens a WebSocket at `target` (path and query). Anything but a right 101 fails the test.
    #[track_caller]
    pub fn connect(addr: SocketAddr, target: &str) -> Self {
        Self::connect_with(addr, target, &[])
    }

    /// Like [`Raw::connect`], with more fields in the request, such as `Origin` or `Sec-WebSocket-Protocol`.
    #[track_caller]
    pub fn connect_with(addr: SocketAddr, target: &str, fields: &[(&str, &str)]) -> Self {
        let mut raw = Self::open(addr);
        raw.send_raw(upgrade_request(addr, target, fields).as_bytes());
        let head = raw.read_head();
        assert_eq!(head.status, 101, "{target}: {:?}", String::from_utf8_lossy(&raw.read_to_eof()));
        assert_eq!(head.fields.get("Sec-WebSocket-Accept"), Some(ACCEPT), "{head:?}");
        assert!(head.fields.get("Upgrade").is_some_and(|v| v.eq_ignore_ascii_case("websocket")), "{head:?}");
        assert!(head.fields.get("Connection").is_some_and(|v| v.eq_ignore_ascii_case("upgrade")), "{head:?}");
        raw.head = head;
        raw
    }

    /// Only the TCP connection: the test says the rest itself.
    #[track_caller]
    pub fn open(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&addr, SOON).expect("the server accepts");
        stream.set_nodelay(true).expect("a TCP option");
        stream.set_write_timeout(Some(SOON)).expect("a socket option");
        let head = Head { status: 0, fields: Fields::default() };
        Self { stream, received: Vec::new(), taken: 0, head }
    }

    /// A new connection that has asked for `path` and will ask for nothing else.
    #[track_caller]
    pub fn get(addr: SocketAddr, path: &str) -> Self {
        let mut raw = Self::open(addr);
        let host = addr.to_string();
        raw.send_raw(
            request("GET", path, &[("Host", host.as_str()), ("Connection", "close")], &[]).as_bytes(),
        );
        raw
    }

    /// The socket itself, for tests of buffers, resets and addresses.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Writes `bytes` as they are.
    #[track_caller]
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// Writes `bytes` as they are, where the server may have closed already.
    pub fn try_send_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Says that nothing more will come from us (a FIN).
    #[track_caller]
    pub fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("the connection is open");
    }

    /// One finished, masked text frame.
    #[track_caller]
    pub fn send_text(&mut self, text: &str) {
        self.send_frame(TEXT, text.as_bytes());
    }

    /// A masked frame: FIN, reserved bits and opcode as in `first_byte`, the length in its minimal form.
    #[track_caller]
    pub fn send_frame(&mut self, first_byte: u8, payload: &[u8]) {
        self.send_raw(&frame(first_byte, payload));
    }

    /// A close frame with `code` and no reason.
    #[track_caller]
    pub fn send_close(&mut self, code: u16) {
        self.send_frame(CLOSE, &code.to_be_bytes());
    }

    /// The next frame: its first byte and its payload. Fails the test when none comes within five seconds.
    #[track_caller]
    pub fn read_frame(&mut self) -> (u8, Vec<u8>) {
        self.read_frame_within(SOON).unwrap_or_else(|| panic!("no frame within {SOON:?}"))
    }

    /// The next frame, or `None` when none is complete within that time; what has come of it is kept.
    #[track_caller]
    pub fn read_frame_within(&mut self, within: Duration) -> Option<(u8, Vec<u8>)> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(frame) = self.take_frame() {
                return Some(frame);
            }
            match self.receive(deadline) {
                Received::Bytes => {}
                Received::Nothing => return None,
                Received::End => panic!("the server closed the connection instead of sending a frame"),
            }
        }
    }

    /// The next message must be a finished text frame. Pings in front of it are answered: a server sends them to a
    /// peer that has been silent for a while.
    #[track_caller]
    pub fn read_text(&mut self) -> String {
        loop {
            match self.read_frame() {
                (TEXT, payload) => return String::from_utf8(payload).expect("text is UTF-8"),
                (PING, payload) => self.send_frame(PONG, &payload),
                (first, payload) => panic!("a text frame, not {first:#04x} with {payload:?}"),
            }
        }
    }

    /// The next frame must be a close frame with `code` ([`NO_CODE`]: with an empty payload). Returns the reason.
    #[track_caller]
    pub fn expect_close(&mut self, code: u16) -> String {
        let (first, payload) = self.read_frame();
        assert_eq!(first, CLOSE, "a close frame, not {:?}", String::from_utf8_lossy(&payload));
        if payload.is_empty() {
            assert_eq!(NO_CODE, code, "the close frame has no code");
            return String::new();
        }
        let (&found, reason) = payload.split_first_chunk().expect("a code has two bytes (§5.5.1)");
        let reason = String::from_utf8(reason.to_vec()).expect("a reason is UTF-8 (§5.5.1)");
        assert_eq!(u16::from_be_bytes(found), code, "closed with reason {reason:?}");
        reason
    }

    /// The server must close the connection, with nothing more to read, and not by a reset.
    #[track_caller]
    pub fn expect_eof(&mut self) {
        let rest = self.read_to_eof();
        assert!(rest.is_empty(), "more came before the end: {:?}", String::from_utf8_lossy(&rest));
    }

    /// All that comes until the server closes.
    #[track_caller]
    pub fn read_to_eof(&mut self) -> Vec<u8> {
        loop {
            match self.receive(Instant::now() + SOON) {
                Received::Bytes => {}
                Received::End => return self.take_all(),
                Received::Nothing => {
                    let so_far = self.take_all();
                    panic!("not closed within {SOON:?}, after {:?}", String::from_utf8_lossy(&so_far))
                }
            }
        }
    }

    /// The head of an HTTP answer. What follows it stays to be read.
    #[track_caller]
    pub fn read_head(&mut self) -> Head {
        let len = loop {
            let unread = &self.received[self.taken..];
            if let Some(at) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            match self.receive(Instant::now() + SOON) {
                Received::Bytes => {}
                Received::Nothing => panic!("no answer within {SOON:?}"),
                Received::End => panic!("closed after {:?}", String::from_utf8_lossy(&self.take_all())),
            }
        };
        let head = parse_head(&self.received[self.taken..self.taken + len]);
        self.taken += len;
        head
    }

    /// What has come and was not used yet, for tests that go on by themselves with [`Raw::stream`].
    pub fn unread(&self) -> &[u8] {
        &self.received[self.taken..]
    }

    /// Exactly `len` bytes.
    #[track_caller]
    pub fn read_exactly(&mut self, len: usize) -> Vec<u8> {
        while self.received.len() - self.taken < len {
            match self.receive(Instant::now() + SOON) {
                Received::Bytes => {}
                Received::Nothing => panic!("fewer than {len} bytes within {SOON:?}"),
                Received::End => panic!("closed before {len} bytes had come"),
            }
        }
        self.taken += len;
        self.received[self.taken - len..self.taken].to_vec()
    }

    /// The next part of a body that comes in chunks (RFC 9112 §7.1); an empty one is its end.
    #[track_caller]
    pub fn read_chunk(&mut self) -> Vec<u8> {
        let mut size = Vec::new();
        while !size.ends_with(b"\r\n") {
            size.extend(self.read_exactly(1));
        }
        let size = std::str::from_utf8(&size).expect("a size is text").trim_end();
        let size = usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("no size: {size:?}"));
        let mut chunk = self.read_exactly(size + 2);
        assert_eq!(chunk.split_off(size), b"\r\n", "the end of a chunk of {size} bytes");
        chunk
    }

    /// All of a body that comes in chunks.
    #[track_caller]
    pub fn read_chunks(&mut self) -> Vec<u8> {
        let chunks = std::iter::from_fn(|| Some(self.read_chunk()).filter(|chunk| !chunk.is_empty()));
        chunks.flatten().collect()
    }

    fn take_all(&mut self) -> Vec<u8> {
        let rest = self.received.split_off(self.taken);
        (self.received, self.taken) = (Vec::new(), 0);
        rest
    }

    /// The first frame of what was received, if it is complete (§5.2).
    #[track_caller]
    fn take_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let &[first, second, ref rest @ ..] = &self.received[self.taken..] else { return None };
        assert_eq!(second & 0x80, 0, "\"A server MUST NOT mask any frames\" (§5.1)");
        let (len, header) = match second {
            126 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
            127 => (usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).expect("a 64-bit machine"), 10),
            short => (usize::from(short), 2),
        };
        let minimal = 2 + usize::from(len > 125) * 2 + usize::from(len > 0xffff) * 6;
        assert_eq!(header, minimal, "\"the minimal number of bytes MUST be used\" (§5.2) for {len}");
        let start = self.taken + header;
        let payload = self.received.get(start..start + len)?.to_vec();
        self.taken = start + len;
        Some((first, payload))
    }

    /// Reads once, for what is left until `deadline`.
    #[track_caller]
    fn receive(&mut self, deadline: Instant) -> Received {
        if self.taken == self.received.len() {
            self.received.clear();
            self.taken = 0;
        } else if self.taken > 1 << 20 {
            self.received.drain(..self.taken);
            self.taken = 0;
        }
        // A timeout of zero would mean "for ever".
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(left)).expect("a socket option");
        let mut buf = [0; 64 * 1024];
        match self.stream.read(&mut buf) {
            Ok(0) => Received::End,
            Ok(len) => {
                self.received.extend_from_slice(&buf[..len]);
                Received::Bytes
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Received::Nothing,
                // A signal: look again.
                ErrorKind::Interrupted => Received::Bytes,
                _ => panic!("the connection broke instead of being closed: {error}"),
            },
        }
    }
}

/// What one read gave.
enum Received {
    Bytes,
    Nothing,
    End,
}

/// A masked frame, as a client must send it (§5.1), with the length in its minimal form.
pub fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len @ ..=125), _) => bytes.push(0x80 | len),
        (_, Ok(len)) => {
            bytes.push(0x80 | 126);
            bytes.extend(len.to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// The request that opens a WebSocket at `target`. A field in `fields` takes the place of ours of the same name.
pub fn upgrade_request(addr: SocketAddr, target: &str, fields: &[(&str, &str)]) -> String {
    let host = addr.to_string();
    let ours = [
        ("Host", host.as_str()),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", KEY),
        ("Sec-WebSocket-Version", "13"),
    ];
    request("GET", target, &ours, fields)
}

/// `GET path` on a new connection that ends with the answer: status, fields, body.
pub fn http_get(addr: SocketAddr, path: &str, extra_headers: &[(&str, &str)]) -> (u16, Fields, Vec<u8>) {
    http(addr, "GET", path, extra_headers)
}

/// Any method, without a body. A field in `extra_headers` takes the place of ours (`Host`, `Connection: close`).
pub fn http(
    addr: SocketAddr,
    method: &str,
    path: &str,
    extra_headers: &[(&str, &str)],
) -> (u16, Fields, Vec<u8>) {
    let mut raw = Raw::open(addr);
    let host = addr.to_string();
    let ours = [("Host", host.as_str()), ("Connection", "close")];
    raw.send_raw(request(method, path, &ours, extra_headers).as_bytes());
    let head = raw.read_head();
    let body = match (head.fields.get("Transfer-Encoding"), method) {
        (Some("chunked"), "GET") => raw.read_chunks(),
        _ => raw.read_to_eof(),
    };
    if let (Some(len), true) = (head.fields.get("Content-Length"), method != "HEAD") {
        assert_eq!(len, body.len().to_string(), "the length of the body of {path}");
    }
    (head.status, head.fields, body)
}

/// A `POST` with this body and its length.
pub fn post(
    addr: SocketAddr,
    target: &str,
    extra_headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, Fields, Vec<u8>) {
    let mut raw = Raw::open(addr);
    let (host, length) = (addr.to_string(), body.len().to_string());
    let ours = [("Host", host.as_str()), ("Connection", "close"), ("Content-Length", length.as_str())];
    raw.send_raw(request("POST", target, &ours, extra_headers).as_bytes());
    // The server may have answered, and closed, before all is said.
    let _ = raw.try_send_raw(body);
    let head = raw.read_head();
    (head.status, head.fields, raw.read_to_eof())
}

fn request(method: &str, target: &str, ours: &[(&str, &str)], theirs: &[(&str, &str)]) -> String {
    let replaced = |name: &str| theirs.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let kept = ours.iter().filter(|(name, _)| !replaced(name));
    let fields: String = kept.chain(theirs).map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\n{fields}\r\n")
}

fn parse_head(bytes: &[u8]) -> Head {
    let head = std::str::from_utf8(bytes).expect("the head is text");
    let mut lines = head.split("\r\n");
    let status_line = lines.next().expect("split gives at least one part");
    let status = status_line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status line: {status_line:?}"));
    let field = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no field: {line:?}"));
        (name.to_owned(), value.trim_matches([' ', '\t']).to_owned())
    };
    Head { status, fields: Fields(lines.filter(|line| !line.is_empty()).map(field).collect()) }
}
