//! The load: one thread with many connections, each with so many messages in flight, every reply compared byte for byte.
//!
//! What is sent is a wheel of a few hundred different messages, masked with different keys before the clock runs, so
//! the client does as little as it can while it is measured.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::support::ws::{BINARY, Raw, TEXT};

/// What the messages are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// Any bytes, in binary frames.
    Bytes,
    /// Chinese text, in text frames.
    Chinese,
}

/// One kind of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// How it is chosen on the command line.
    pub(crate) name: &'static str,
    /// Connections at once.
    pub(crate) connections: usize,
    /// Bytes of payload in each message.
    pub(crate) size: usize,
    /// Messages in flight on each connection.
    pub(crate) window: usize,
    /// What they are made of.
    pub(crate) payload: Payload,
}

/// How to speak to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// WebSocket.
    WebSocket,
    /// The same bytes, which come back as they were sent: four bytes more than a server's frame, its mask.
    Raw,
}

/// A server to be driven.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Where it echoes.
    pub(crate) path: String,
    /// How it is spoken to.
    pub(crate) protocol: Protocol,
}

/// All that is sent on a connection, again and again, and all that comes back for it.
struct Wheel {
    /// Messages on their way out. Behind the last of them the first `window` again, so that any `window` messages are
    /// one run of bytes.
    out: Vec<u8>,
    out_len: usize,
    back: Vec<u8>,
    back_len: usize,
    messages: usize,
}

impl Wheel {
    fn new(case: &Case, protocol: Protocol) -> Self {
        let messages = (512 * 1024 / case.size).clamp(4 * case.window, 512);
        let (mut out, mut back) = (Vec::new(), Vec::new());
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut wheel = Self { out: Vec::new(), out_len: 0, back: Vec::new(), back_len: 0, messages };
        for _ in 0..messages {
            let (first_byte, payload) = match case.payload {
                Payload::Bytes => (BINARY, random.bytes(case.size)),
                Payload::Chinese => (TEXT, chinese(case.size, &mut random)),
            };
            let key = random.next().to_be_bytes()[..4].try_into().expect("four of eight bytes");
            let sent = frame(first_byte, &payload, Some(key));
            let received = match protocol {
                Protocol::WebSocket => frame(first_byte, &payload, None),
                Protocol::Raw => sent.clone(),
            };
            (wheel.out_len, wheel.back_len) = (sent.len(), received.len());
            out.extend(sent);
            back.extend(received);
        }
        out.extend_from_within(..wheel.out_len * case.window);
        back.extend_from_within(..wheel.back_len * case.window);
        Self { out, back, ..wheel }
    }
}

/// A few connections' worth of work under way.
pub(crate) struct Load {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    wheel: Wheel,
    window: usize,
    peers: Vec<Peer>,
    /// Messages that came back, on all connections.
    pub(crate) messages: u64,
}

struct Peer {
    stream: TcpStream,
    /// Bytes sent and received since the beginning.
    sent: u64,
    received: u64,
}

impl Load {
    /// Connects, and sends nothing yet.
    pub(crate) fn connect(case: &Case, place: &Place) -> Self {
        let poll = Poll::new().expect("a poll");
        let peers = (0..case.connections)
            .map(|number| {
                let mut stream = open(place);
                let interest = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, Token(number), interest).expect("a registration");
                Peer { stream, sent: 0, received: 0 }
            })
            .collect();
        Self {
            poll,
            events: Events::with_capacity(1024),
            buffer: vec![0; 512 * 1024],
            wheel: Wheel::new(case, place.protocol),
            window: case.window,
            peers,
            messages: 0,
        }
    }

    /// Keeps the messages flowing for that long.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        for number in 0..self.peers.len() {
            self.serve(number);
        }
        while Instant::now() < end {
            self.poll.poll(&mut self.events, Some(Duration::from_secs(1))).expect("a poll");
            let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
            assert!(!events.is_empty(), "no reply within a second");
            for event in &events {
                self.serve(event.token().0);
            }
            self.events = events;
        }
    }

    /// Takes what has come for one connection, and sends what that allows.
    fn serve(&mut self, number: usize) {
        let (wheel, peer) = (&self.wheel, &mut self.peers[number]);
        loop {
            let count = match peer.stream.read(&mut self.buffer) {
                Ok(0) => panic!("the server hung up"),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            };
            let at = (peer.received % (wheel.back_len * wheel.messages) as u64) as usize;
            let expected = wheel.back.get(at..at + count);
            assert_eq!(expected, Some(&self.buffer[..count]), "the reply is not what was sent");
            let before = peer.received / wheel.back_len as u64;
            peer.received += count as u64;
            self.messages += peer.received / wheel.back_len as u64 - before;
            // A short read has emptied the socket; what comes later makes another event.
            if count < self.buffer.len() {
                break;
            }
        }
        let allowed = (peer.received / wheel.back_len as u64 + self.window as u64) * wheel.out_len as u64;
        while peer.sent < allowed {
            let at = (peer.sent % (wheel.out_len * wheel.messages) as u64) as usize;
            match peer.stream.write(&wheel.out[at..at + (allowed - peer.sent) as usize]) {
                Ok(count) => peer.sent += count as u64,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// A connection, after its handshake.
fn open(place: &Place) -> TcpStream {
    let raw = match place.protocol {
        Protocol::WebSocket => Raw::connect(place.address, &place.path),
        Protocol::Raw => Raw::open(place.address),
    };
    let stream = raw.stream().try_clone().expect("a descriptor");
    stream.set_nonblocking(true).expect("a socket option");
    TcpStream::from_std(stream)
}

/// How many connections are opened at once, before the first of them has its answer.
const AT_ONCE: usize = 50;

/// Opens `count` connections and leaves them idle. A raw echo gets the same bytes and sends them back.
pub(crate) fn open_idle(place: &Place, count: usize) -> Vec<std::net::TcpStream> {
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        place.path, place.address
    );
    let mut streams = Vec::new();
    while streams.len() < count {
        let from = streams.len();
        for _ in 0..AT_ONCE.min(count - from) {
            streams.push(std::net::TcpStream::connect(place.address).expect("the server accepts"));
        }
        for mut stream in &streams[from..] {
            stream.write_all(request.as_bytes()).expect("the server reads");
        }
        for mut stream in &streams[from..] {
            let mut head = Vec::new();
            let mut piece = [0; 1024];
            while !head.ends_with(b"\r\n\r\n") {
                let count = stream.read(&mut piece).expect("an answer");
                assert!(count > 0, "the server hung up");
                head.extend_from_slice(&piece[..count]);
            }
            let right = match place.protocol {
                Protocol::WebSocket => head.starts_with(b"HTTP/1.1 101 "),
                Protocol::Raw => head == request.as_bytes(),
            };
            assert!(right, "{:?}", String::from_utf8_lossy(&head));
        }
    }
    streams
}

/// Opens connections and closes them again for that long; returns how many.
pub(crate) fn open_and_close(place: &Place, time: Duration) -> u64 {
    let end = Instant::now() + time;
    let mut opened = 0;
    while Instant::now() < end {
        opened += open_idle(place, AT_ONCE).len() as u64;
    }
    opened
}

/// A frame with its length in minimal form (RFC 6455 §5.2), masked if there is a key.
fn frame(first_byte: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let masked = if key.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first_byte];
    match payload.len() {
        len @ ..=125 => bytes.push(masked | len as u8),
        len @ ..=0xffff => {
            bytes.push(masked | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(masked | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(key.into_iter().flatten());
    let key = key.unwrap_or_default();
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// Text as a log might have it, filled up with spaces.
fn chinese(size: usize, random: &mut Random) -> Vec<u8> {
    const WORDS: [&str; 8] = [
        "连接超时，",
        "正在重试，",
        "服务器已启动。",
        "用户登录成功；",
        "数据库写入失败：",
        "请求处理完成，",
        "缓存已清空。",
        "磁盘空间不足！",
    ];
    let mut text = String::new();
    loop {
        let word = WORDS[random.next() as usize % WORDS.len()];
        if text.len() + word.len() > size {
            break;
        }
        text += word;
    }
    text.extend(std::iter::repeat_n(' ', size - text.len()));
    text.into_bytes()
}

/// Numbers without a pattern (xorshift), the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next() as u8).take(count).collect()
    }
}
