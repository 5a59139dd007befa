//! tungstenite on mio, which is what wiretail would be with the library's framing instead of its own: `send` for each
//! message, or `write` and one `flush`.

use std::io::ErrorKind;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use tungstenite::handshake::server::{NoCallback, ServerHandshake};
use tungstenite::handshake::{HandshakeError, MidHandshake};
use tungstenite::{Error, WebSocket};

use crate::{BATCH, Flush};

const LISTENER: Token = Token(usize::MAX);

enum Peer {
    Handshake(MidHandshake<ServerHandshake<TcpStream, NoCallback>>),
    Open(Box<WebSocket<TcpStream>>),
}

pub fn serve(flush: Flush) {
    let mut poll = Poll::new().expect("a poll");
    let mut listener = TcpListener::bind(crate::anywhere()).expect("a listener");
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("a registration");
    crate::announce(listener.local_addr().expect("an address"));
    let mut events = Events::with_capacity(1024);
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
                    peers[slot] = begin(stream);
                    release_if_gone(&peers, &mut free, slot);
                }
            } else {
                let slot = event.token().0;
                if let Some(peer) = peers[slot].take() {
                    peers[slot] = go_on(peer, flush);
                    release_if_gone(&peers, &mut free, slot);
                }
            }
        }
    }
}

fn release_if_gone(peers: &[Option<Peer>], free: &mut Vec<usize>, slot: usize) {
    if peers[slot].is_none() {
        free.push(slot);
    }
}

fn begin(stream: TcpStream) -> Option<Peer> {
    shaken(tungstenite::accept(stream))
}

type Shaken = Result<WebSocket<TcpStream>, HandshakeError<ServerHandshake<TcpStream, NoCallback>>>;

fn shaken(result: Shaken) -> Option<Peer> {
    match result {
        Ok(socket) => Some(Peer::Open(Box::new(socket))),
        Err(HandshakeError::Interrupted(handshake)) => Some(Peer::Handshake(handshake)),
        Err(HandshakeError::Failure(_)) => None,
    }
}

fn go_on(peer: Peer, flush: Flush) -> Option<Peer> {
    match peer {
        Peer::Handshake(handshake) => match shaken(handshake.handshake())? {
            Peer::Open(socket) => go_on(Peer::Open(socket), flush),
            waiting => Some(waiting),
        },
        Peer::Open(mut socket) => match echo(&mut socket, flush) {
            Ok(()) => Some(Peer::Open(socket)),
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Some(Peer::Open(socket)),
            Err(_) => None,
        },
    }
}

/// Echoes until reading or writing would block.
fn echo(socket: &mut WebSocket<TcpStream>, flush: Flush) -> Result<(), Error> {
    // What an earlier event could not write.
    socket.flush()?;
    loop {
        for _ in 0..BATCH {
            let message = match socket.read() {
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return socket.flush(),
                message => message?,
            };
            if message.is_text() || message.is_binary() {
                match flush {
                    Flush::Each => socket.send(message)?,
                    Flush::Batch => socket.write(message)?,
                }
            }
        }
        socket.flush()?;
    }
}
