//! The machine's limit: a TCP echo over mio with one read and one write per event, and nothing in between.

use std::io::{ErrorKind, Read, Write};
use std::net::Ipv4Addr;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(usize::MAX);

struct Peer {
    stream: TcpStream,
    /// What the kernel did not take.
    unsent: Vec<u8>,
}

/// Echoes until it is killed.
pub(crate) fn serve() -> ! {
    let mut poll = Poll::new().expect("a poll");
    let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a listener");
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("a registration");
    println!("http://{}/", listener.local_addr().expect("an address"));
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 64 * 1024];
    let mut peers: Vec<Option<Peer>> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled.expect("a poll"),
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    let _ = stream.set_nodelay(true);
                    let slot = free.pop().unwrap_or_else(|| {
                        peers.push(None);
                        peers.len() - 1
                    });
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(slot), interest).expect("a registration");
                    peers[slot] = Some(Peer { stream, unsent: Vec::new() });
                }
                continue;
            }
            let slot = event.token().0;
            let Some(peer) = &mut peers[slot] else { continue };
            if !peer.echo(&mut buffer, event.is_read_closed()) {
                peers[slot] = None;
                free.push(slot);
            }
        }
    }
}

impl Peer {
    /// Whether it goes on.
    fn echo(&mut self, buffer: &mut [u8], read_closed: bool) -> bool {
        if !self.unsent.is_empty() {
            let rest = std::mem::take(&mut self.unsent);
            if !self.write(&rest) || !self.unsent.is_empty() {
                return !read_closed;
            }
        }
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return false,
                Ok(count) => count,
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            };
            if !self.write(&buffer[..count]) {
                return false;
            }
            // A short read has emptied the socket, but for an end that may have come with it.
            if count < buffer.len() && !read_closed || !self.unsent.is_empty() {
                return true;
            }
        }
    }

    /// Writes once and keeps the rest; whether that worked.
    fn write(&mut self, bytes: &[u8]) -> bool {
        match self.stream.write(bytes) {
            Ok(count) => self.unsent = bytes[count..].to_vec(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.unsent = bytes.to_vec(),
            Err(_) => return false,
        }
        true
    }
}
