//! Who comes in: accepting in bounded bursts, and saying no politely when there is no room.
//!
//! Knows sockets and descriptors; not what a connection is for.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::net::{TcpListener, TcpStream};

/// How much the loop takes on, and what it says to those it cannot take.
///
/// ```
/// use wiretail::http::{Response, Status};
/// use wiretail::net::Limits;
///
/// let busy = Response::text(Status::SERVICE_UNAVAILABLE, "All seats are taken.").field("Retry-After", "10");
/// let limits = Limits { connections: 100, no_room: busy.into_bytes(false, false), ..Limits::default() };
/// assert!(limits.no_room.starts_with(b"HTTP/1.1 503 Service Unavailable\r\n"));
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address that is not this machine's own.
    pub per_address: usize,
    /// The last words to somebody for whom there is no room.
    pub no_room: Vec<u8>,
    /// The last words to somebody whose address has too many connections.
    pub too_many: Vec<u8>,
}

impl Default for Limits {
    /// For a small server: 1,000 connections, which fit into the usual 1,024 descriptors; 256 of them from one address.
    /// Who is not let in is told nothing.
    fn default() -> Self {
        Self { connections: 1000, per_address: 256, no_room: Vec::new(), too_many: Vec::new() }
    }
}

/// What one attempt to accept gave.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// Somebody new.
    New(TcpStream, SocketAddr),
    /// Somebody new, who has the last descriptor, the spare one. Somebody must go, or the newcomer; then
    /// [`Listener::keep_a_spare`].
    Last(TcpStream, SocketAddr),
    /// The newcomer left before we opened the door; the next one may be there.
    Gone,
    /// Nobody waits any more.
    Nobody,
    /// Accepting failed, for a reason that has nothing to do with readiness. Try again at the next tick.
    Failed(io::Error),
}

/// One listening socket, and a spare descriptor to turn people away with.
///
/// When the process runs out of descriptors, `accept` fails and the newcomer stays in the queue, so the listener stays
/// ready: a loop that ignores this spins, a loop that waits for an edge goes deaf. With the spare given up the newcomer
/// can be accepted, and then either somebody makes room, or the newcomer is told and closed.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    spare: Option<File>,
}

impl Listener {
    pub(crate) fn new(socket: TcpListener) -> Self {
        let mut listener = Self { socket, spare: None };
        listener.keep_a_spare();
        listener
    }

    /// Accepts once.
    pub(crate) fn accept(&mut self) -> Accepted {
        match self.socket.accept() {
            Ok((stream, peer)) => Accepted::New(stream, peer),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Accepted::Nobody,
            Err(error) if is_out_of_descriptors(&error) => self.accept_with_the_spare(error),
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Accepted::Gone,
            Err(error) => Accepted::Failed(error),
        }
    }

    /// Accepts once more, now that a descriptor is free. The system says that there is none before it looks whether
    /// anybody waits, so nobody may.
    fn accept_with_the_spare(&mut self, error: io::Error) -> Accepted {
        if self.spare.take().is_none() {
            // Lost to somebody else in the process; perhaps there is one again now.
            self.keep_a_spare();
            return Accepted::Failed(error);
        }
        match self.socket.accept() {
            Ok((stream, peer)) => Accepted::Last(stream, peer),
            Err(error) => {
                self.keep_a_spare();
                match error.kind() {
                    io::ErrorKind::WouldBlock => Accepted::Nobody,
                    io::ErrorKind::ConnectionAborted => Accepted::Gone,
                    _ => Accepted::Failed(error),
                }
            }
        }
    }

    /// Takes a spare descriptor, if there is none.
    pub(crate) fn keep_a_spare(&mut self) {
        if self.spare.is_none() {
            self.spare = File::open("/dev/null").ok();
        }
    }
}

/// Says `words` and hangs up; never waits. What the peer has sent already is read away first, because closing with
/// unread input makes a reset that may overtake the words.
pub(crate) fn refuse(mut stream: TcpStream, words: &[u8]) {
    let mut scratch = [0; 4096];
    let _ = stream.read(&mut scratch);
    let _ = stream.write(words);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read(&mut scratch);
}

/// EMFILE (the process) or ENFILE (the system); the standard library has no kind for them.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}
