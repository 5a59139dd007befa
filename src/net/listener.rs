//! Who comes in: accepting in bounded bursts, and saying no politely when there is no room.
//!
//! Knows sockets and descriptors; not what a connection is for.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::net::{TcpListener, TcpStream};

/// What one attempt to accept gave.
#[derive(Debug)]
pub(crate) enum Accepted {
    /// Somebody new.
    New(TcpStream, SocketAddr),
    /// Somebody came, but no descriptor is left for them: they were told so and sent away.
    NoDescriptor,
    /// Nobody waits any more.
    Nobody,
    /// Accepting failed, for a reason that has nothing to do with readiness. Try again at the next tick.
    Failed(io::Error),
}

/// One listening socket, and a spare descriptor to turn people away with.
///
/// When the process runs out of descriptors, `accept` fails and the newcomer stays in the queue, so the listener stays
/// ready: a loop that ignores this spins, a loop that waits for an edge goes deaf. With the spare given up for a moment
/// the newcomer can be accepted, told, and closed.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    spare: Option<File>,
}

impl Listener {
    pub(crate) fn new(socket: TcpListener) -> Self {
        Self { socket, spare: spare() }
    }

    /// Accepts once. `busy` is what a newcomer is told when no descriptor is left.
    pub(crate) fn accept(&mut self, busy: &[u8]) -> Accepted {
        match self.socket.accept() {
            Ok((stream, peer)) => Accepted::New(stream, peer),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Accepted::Nobody,
            Err(error) if is_out_of_descriptors(&error) => self.turn_away(busy, error),
            // The newcomer left before we opened the door; the next one may be there.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Accepted::NoDescriptor,
            Err(error) => Accepted::Failed(error),
        }
    }

    fn turn_away(&mut self, busy: &[u8], error: io::Error) -> Accepted {
        if self.spare.take().is_none() {
            // Lost to somebody else in the process; perhaps there is one again now.
            self.spare = spare();
            return Accepted::Failed(error);
        }
        let outcome = match self.socket.accept() {
            Ok((stream, _)) => {
                refuse(stream, busy);
                Accepted::NoDescriptor
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Accepted::Nobody,
            Err(error) => Accepted::Failed(error),
        };
        self.spare = spare();
        outcome
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

fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

/// EMFILE (the process) or ENFILE (the system); the standard library has no kind for them.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}
