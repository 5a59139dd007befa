//! One viewer's connection: the bytes of the log, without what lies between them.
//!
//! Does not know what is in the log, nor who delivers it.

use std::io::{ErrorKind, Read};

use mio::event::Source as Pollable;
use mio::net::TcpStream;
use mio::unix::pipe;
use mio::{Interest, Poll, Token};

use super::servers::{Kind, Source};
use super::support::ws::{PING, TEXT};

/// A connection behind a poll.
pub(crate) struct Stream {
    transport: Transport,
    /// None where nothing lies between the bytes of the log.
    frames: Option<Frames>,
}

enum Transport {
    Socket(TcpStream),
    Pipe(pipe::Receiver),
}

/// How far one is in a frame (RFC 6455 §5.2).
struct Frames {
    /// Payload bytes of the current frame still to come.
    left: usize,
    /// A header that was cut by the network.
    header: Vec<u8>,
    /// A frame is a line, without its end.
    one_a_line: bool,
}

/// Whether there may be more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// There may be.
    More,
    /// The poll will tell.
    Nothing,
}

impl Stream {
    /// Has `poll` tell of it by `number`. What has come already goes to `payload`.
    pub(crate) fn new(
        source: Source,
        kind: Kind,
        poll: &Poll,
        number: usize,
        payload: impl FnMut(&[u8]),
    ) -> Self {
        let mut frames = Frames { left: 0, header: Vec::new(), one_a_line: kind == Kind::Websocketd };
        let (mut transport, frames) = match source {
            Source::Pipe(pipe) => (Transport::Pipe(pipe), None),
            Source::Frames(socket, come) => {
                frames.take(&come, payload);
                (Transport::Socket(socket), Some(frames))
            }
        };
        let pollable: &mut dyn Pollable = match &mut transport {
            Transport::Socket(socket) => socket,
            Transport::Pipe(pipe) => pipe,
        };
        poll.registry().register(pollable, Token(number), Interest::READABLE).expect("a registration");
        Self { transport, frames }
    }

    /// Reads once, into `buffer`. Readiness is an edge: to be repeated until there is nothing more.
    pub(crate) fn read(&mut self, buffer: &mut [u8], mut payload: impl FnMut(&[u8])) -> Then {
        let read = match &mut self.transport {
            Transport::Socket(socket) => socket.read(buffer),
            Transport::Pipe(pipe) => pipe.read(buffer),
        };
        let count = match read {
            Ok(0) => panic!("the server hung up"),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Then::Nothing,
            Err(error) => panic!("{error}"),
        };
        match &mut self.frames {
            Some(frames) => frames.take(&buffer[..count], payload),
            None => payload(&buffer[..count]),
        }
        // A short read has emptied the socket.
        if count < buffer.len() { Then::Nothing } else { Then::More }
    }
}

impl Frames {
    fn take(&mut self, mut bytes: &[u8], mut payload: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let (now, later) = bytes.split_at(self.left.min(bytes.len()));
                payload(now);
                self.left -= now.len();
                bytes = later;
                if self.left == 0 && self.one_a_line {
                    payload(b"\n");
                }
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            self.left = match self.header[..] {
                // The server wants to know whether we are there. Before it gives us up, we are gone.
                [PING, 0] => 0,
                [first, ..] if first != TEXT && first != PING => panic!("not log text: {:?}", self.header),
                [_, 126, a, b] => usize::from(u16::from_be_bytes([a, b])),
                [_, 127, a, b, c, d, e, f, g, h] => u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize,
                [_, short] if short < 126 => usize::from(short),
                _ => continue,
            };
            self.header.clear();
        }
    }
}
