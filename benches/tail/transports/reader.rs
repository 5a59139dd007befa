//! One reader of one log, by one of the ways: what goes over its socket, and when each line was there.
//!
//! Knows enough of HTTP and WebSocket to take lines out of answers from our own server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wiretail::ws::deflate::Inflater;

use super::Way;
use crate::latencies::Latencies;
use crate::script::Script;
use crate::support::ws::{PING, PONG, TEXT};

/// What Chromium says of itself in each request for the page's own server.
const BROWSER: &str = "Connection: keep-alive\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
    sec-ch-ua: \"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: cors\r\n\
    Sec-Fetch-Dest: empty\r\n\
    Referer: http://127.0.0.1:8080/\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-US,en;q=0.9\r\n";
const HANDSHAKE: &str = "Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
    Upgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-US,en;q=0.9\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: wiretail.v1\r\n";

/// How often one polls who polls.
const EVERY: Duration = Duration::from_secs(1);

/// What it took.
pub(super) struct Measured {
    pub(super) requests: usize,
    /// Bytes to the server.
    pub(super) sent: usize,
    /// Bytes from the server.
    pub(super) received: usize,
    pub(super) latencies: Latencies,
}

/// Reads the log of a script.
pub(super) struct Reader {
    way: Way,
    host: SocketAddr,
    stream: TcpStream,
    /// What has come and was not understood yet.
    unread: Vec<u8>,
    /// Where to go on, for those who poll.
    cursor: String,
    script: Arc<Script>,
    /// Log text had.
    had: usize,
    /// Lines had.
    lines: usize,
    measured: Measured,
}

impl Reader {
    /// Connects, and asks for what is there: nothing yet.
    pub(super) fn open(way: Way, host: SocketAddr, script: &Arc<Script>) -> Self {
        let stream = TcpStream::connect(host).expect("the server listens");
        stream.set_nodelay(true).expect("a socket's option");
        let measured = Measured { requests: 0, sent: 0, received: 0, latencies: Latencies::new() };
        let (unread, script) = (Vec::new(), Arc::clone(script));
        let mut reader =
            Self { way, host, stream, unread, cursor: String::new(), script, had: 0, lines: 0, measured };
        match way {
            Way::WebSocket => reader.ask("lines=1000", HANDSHAKE),
            Way::WebSocketDeflate => {
                let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
                reader.ask("lines=1000", &format!("{HANDSHAKE}{offer}"));
            }
            Way::Events => reader.ask("lines=1000", &format!("Accept: text/event-stream\r\n{BROWSER}")),
            Way::Curl => reader.ask("follow=1", "User-Agent: curl/8.14.1\r\nAccept: */*\r\n"),
            Way::LongPoll | Way::Poll => {
                reader.ask("lines=1000", &format!("Accept: */*\r\n{BROWSER}"));
                reader.read_answer();
            }
        }
        if !matches!(way, Way::LongPoll | Way::Poll) {
            reader.read_head();
        }
        reader
    }

    /// Reads until all lines have come.
    pub(super) fn read_all(&mut self) -> Measured {
        let begun = Instant::now();
        let mut polls = 0;
        while self.had < self.script.text().len() {
            match self.way {
                Way::WebSocket | Way::WebSocketDeflate => self.read_frame(),
                Way::Events => self.read_event(),
                Way::Curl => {
                    self.receive();
                    let text = std::mem::take(&mut self.unread);
                    self.take(&text);
                }
                Way::LongPoll => self.poll("&wait=30"),
                Way::Poll => {
                    polls += 1;
                    std::thread::sleep((begun + EVERY * polls).saturating_duration_since(Instant::now()));
                    self.poll("");
                }
            }
        }
        let nothing = Measured { requests: 0, sent: 0, received: 0, latencies: Latencies::new() };
        std::mem::replace(&mut self.measured, nothing)
    }

    fn poll(&mut self, wait: &str) {
        self.ask(&format!("from={}{wait}", self.cursor), &format!("Accept: */*\r\n{BROWSER}"));
        self.read_answer();
    }

    fn ask(&mut self, query: &str, fields: &str) {
        let request = format!("GET /tail/app.log?{query} HTTP/1.1\r\nHost: {}\r\n{fields}\r\n", self.host);
        self.stream.write_all(request.as_bytes()).expect("the server listens");
        self.measured.sent += request.len();
        self.measured.requests += 1;
    }

    /// Waits for more.
    fn receive(&mut self) {
        let mut buffer = [0; 64 * 1024];
        let count = self.stream.read(&mut buffer).expect("the server answers");
        assert!(count > 0, "{:?}: the server hung up", self.way);
        self.measured.received += count;
        self.unread.extend_from_slice(&buffer[..count]);
    }

    /// What comes next up to `end`, and that with it.
    fn read_up_to(&mut self, end: &str) -> String {
        loop {
            let found = self.unread.windows(end.len()).position(|window| window == end.as_bytes());
            if let Some(at) = found {
                let bytes = self.unread.drain(..at + end.len()).collect();
                return String::from_utf8(bytes).expect("text");
            }
            self.receive();
        }
    }

    fn read_head(&mut self) -> String {
        let head = self.read_up_to("\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.1 101"), "{head}");
        head
    }

    fn read_answer(&mut self) {
        let head = self.read_head();
        let field = |name: &str| {
            let value = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.unwrap_or_else(|| panic!("no {name}: {head}")).to_owned()
        };
        let len: usize = field("Content-Length").parse().expect("a number");
        self.cursor = field("Wiretail-Cursor");
        while self.unread.len() < len {
            self.receive();
        }
        let text: Vec<u8> = self.unread.drain(..len).collect();
        self.take(&text);
    }

    fn read_event(&mut self) {
        let event = self.read_up_to("\n\n");
        let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) else { return };
        let message: serde_json::Value = serde_json::from_str(data).expect("JSON");
        if let Some(text) = message["lines"]["text"].as_str() {
            self.take(text.as_bytes());
        }
    }

    /// A frame from the server (RFC 6455 §5.2), never masked; of RFC 7692 each message stands for itself.
    fn read_frame(&mut self) {
        let frame = loop {
            let (head, len) = match *self.unread {
                [_, short, ..] if short < 126 => (2, usize::from(short)),
                [_, 126, a, b, ..] => (4, usize::from(u16::from_be_bytes([a, b]))),
                _ => {
                    self.receive();
                    continue;
                }
            };
            if self.unread.len() >= head + len {
                break head..head + len;
            }
            self.receive();
        };
        let first = self.unread[0];
        let payload: Vec<u8> = self.unread.drain(..frame.end).skip(frame.start).collect();
        let message = match first {
            TEXT => payload,
            0xc1 => {
                let mut out = vec![0; 1 << 20];
                let inflated = Inflater::new().inflate(&payload, &mut out).expect("it was deflated").written;
                out.truncate(inflated);
                out
            }
            // The server asks who has been silent for 15 s whether it is there; a browser answers by itself.
            PING => {
                let pong = [&[PONG, 0x80 | payload.len() as u8, 0, 0, 0, 0], &payload[..]].concat();
                self.stream.write_all(&pong).expect("the server listens");
                self.measured.sent += pong.len();
                return;
            }
            _ => return,
        };
        if message.starts_with(b"{\"lines\"") {
            let text = message.iter().position(|&byte| byte == b'\n').expect("text behind the JSON") + 1;
            self.take(&message[text..]);
        }
    }

    /// What came must be what comes next in the log.
    fn take(&mut self, text: &[u8]) {
        let now = Instant::now();
        let expected = self.script.text().get(self.had..self.had + text.len());
        assert!(expected == Some(text), "{:?}: {:?}", self.way, String::from_utf8_lossy(text));
        self.had += text.len();
        while self.lines < self.script.lines() && self.script.end(self.lines) <= self.had {
            self.measured.latencies.add(self.script.age(self.lines, now));
            self.lines += 1;
        }
    }
}
