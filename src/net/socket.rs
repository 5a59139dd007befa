//! One connection's socket: how far reading and writing can go, and where it stands.
//!
//! Knows one socket. Knows neither the poll nor the other connections.

use std::io::{self, Read, Write};
use std::net::IpAddr;

use mio::net::TcpStream;

use super::clock::Moment;
use super::outbox::{Bytes, Outbox, Spare};

/// What one read gave.
#[derive(Debug)]
pub enum Received {
    /// So many bytes at the front of the buffer.
    Bytes(usize),
    /// Nothing is there; a [`Event::Readable`](super::Event::Readable) will tell.
    Nothing,
    /// The peer has finished writing.
    Eof,
    /// The connection is broken.
    Broken(io::Error),
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// In the caller's hands.
    Open,
    /// The caller is done: what is in the outbox is written, then our side is closed.
    Finishing,
    /// Our side is closed; whatever still comes is read and forgotten until the peer closes too. Closing at once
    /// instead would answer unread input with a reset, and a reset may overtake our last words.
    Draining,
}

/// Whether the kernel has room for what we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// As far as we know.
    Enough,
    /// It had none left, and has not taken anything since.
    None,
    /// It had none left, and now it has taken something.
    Again,
}

/// Whether there is an [`Event::Drained`](super::Event::Drained) to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Nobody waits for it.
    Unwanted,
    /// The caller has asked for it.
    Wanted,
    /// All is written: it comes next turn.
    Due,
}

#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) stream: TcpStream,
    pub(crate) outbox: Outbox,
    pub(crate) address: IpAddr,
    pub(crate) phase: Phase,
    pub(crate) deadline: Option<Moment>,
    /// The deadline has passed, which the caller has not been told yet.
    pub(crate) expired: bool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The kernel said that the peer has finished writing: a short read then proves nothing.
    pub(crate) read_closed: bool,
    /// A `Readable` stands in the queue already.
    pub(crate) announced: bool,
    /// Whether the caller is told when all is written.
    pub(crate) drained: Drained,
    /// The last write could not take everything.
    pub(crate) stuck: bool,
    pub(crate) room: Room,
    /// Stands in the list of those to be written to.
    pub(crate) dirty: bool,
}

/// What one write achieved.
pub(crate) enum Written {
    /// The outbox is empty now.
    All,
    /// A part. Only a write that would block promises another edge, so the next turn tries again.
    Some,
    /// The kernel takes no more for now; the next writable edge goes on.
    Nothing,
}

/// So many bytes are rather kept where they are than copied.
const MUCH: usize = 64 * 1024;

impl Socket {
    pub(crate) fn new(stream: TcpStream, address: IpAddr) -> Self {
        Self {
            stream,
            outbox: Outbox::default(),
            address,
            phase: Phase::Open,
            deadline: None,
            expired: false,
            readable: false,
            // A new socket has room; the first edge may come long after the first write.
            writable: true,
            read_closed: false,
            announced: false,
            drained: Drained::Unwanted,
            stuck: false,
            room: Room::Enough,
            dirty: false,
        }
    }

    /// Reads once, and notes whether more may be there.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Received {
        match self.stream.read(buffer) {
            Ok(0) => {
                self.readable = false;
                Received::Eof
            }
            Ok(count) => {
                self.readable = count == buffer.len() || self.read_closed;
                Received::Bytes(count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Received::Nothing
            }
            // Stays readable: the caller's next turn tries again.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Received::Nothing,
            Err(error) => {
                self.readable = false;
                Received::Broken(error)
            }
        }
    }

    /// Writes once what is owed, as far as the kernel takes it.
    pub(crate) fn write(&mut self, spare: &mut Spare) -> io::Result<Written> {
        if self.outbox.is_empty() {
            return self.note_written(Ok(Written::All));
        }
        if !self.writable {
            return self.note_written(Ok(Written::Nothing));
        }
        let written = match self.outbox.write_to(&mut self.stream, spare) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Ok(_) => {
                if self.room == Room::None {
                    self.room = Room::Again;
                }
                Ok(if self.outbox.is_empty() { Written::All } else { Written::Some })
            }
            Err(error) => self.not_written(error),
        };
        self.note_written(written)
    }

    /// Says `words`, which are not empty, behind what is owed already, writing once. What the kernel does not take is
    /// owed; if that is much, `words` itself is kept and an empty buffer left in its place.
    pub(crate) fn say(&mut self, words: &mut Vec<u8>, spare: &mut Spare) -> io::Result<Written> {
        if !self.outbox.is_empty() || !self.writable {
            self.outbox.push(Bytes::Own(words.clone()), spare);
            return self.write(spare);
        }
        let (count, written) = match self.stream.write(words) {
            Ok(0) => (0, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) if count == words.len() => return self.note_written(Ok(Written::All)),
            Ok(count) => (count, Ok(Written::Some)),
            Err(error) => (0, self.not_written(error)),
        };
        if words.len() - count > MUCH {
            self.outbox.keep_rest(std::mem::take(words), count, spare);
        } else {
            self.outbox.push(Bytes::Own(words[count..].to_vec()), spare);
        }
        self.note_written(written)
    }

    fn not_written(&mut self, error: io::Error) -> io::Result<Written> {
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                self.writable = false;
                self.room = Room::None;
                Ok(Written::Nothing)
            }
            io::ErrorKind::Interrupted => Ok(Written::Some),
            _ => Err(error),
        }
    }

    fn note_written(&mut self, written: io::Result<Written>) -> io::Result<Written> {
        let had_to_wait = std::mem::replace(&mut self.stuck, !matches!(written, Ok(Written::All)));
        if !self.stuck && (had_to_wait || self.drained == Drained::Wanted) {
            self.drained = Drained::Due;
        }
        written
    }
}
