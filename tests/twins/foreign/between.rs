//! A place on the way between a client and a server: passes on what it gets, in random pieces, and keeps a copy.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::SOON;
use crate::script::Random;

/// A place for one connection.
pub(crate) struct Between {
    addr: SocketAddr,
    thread: JoinHandle<(Vec<u8>, Vec<u8>)>,
}

impl Between {
    /// On the way to the server at `to`. `most` is the most bytes in one piece.
    pub(crate) fn new(to: SocketAddr, most: usize, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let thread = std::thread::spawn(move || {
            let (client, _) = listener.accept().expect("a client");
            let server = TcpStream::connect_timeout(&to, SOON).expect("the server is there");
            let way = |from: &TcpStream, to: &TcpStream, seed: u64| {
                let (from, to) =
                    (from.try_clone().expect("a descriptor"), to.try_clone().expect("a descriptor"));
                std::thread::spawn(move || pass_on(from, to, most, Random(seed)))
            };
            let from_client = way(&client, &server, seed);
            let from_server = way(&server, &client, !seed);
            (from_client.join().expect("no panic"), from_server.join().expect("no panic"))
        });
        Self { addr, thread }
    }

    /// Where the client is to connect.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What the client has said, and what the server has said, when both have closed.
    pub(crate) fn heard(self) -> (Vec<u8>, Vec<u8>) {
        self.thread.join().expect("both connect")
    }
}

/// One direction, until its end.
fn pass_on(mut from: TcpStream, mut to: TcpStream, most: usize, mut random: Random) -> Vec<u8> {
    from.set_read_timeout(Some(SOON)).expect("an option of a socket");
    to.set_nodelay(true).expect("an option of a socket");
    let (mut copy, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    // A connection that breaks ends it as well: what is missing then will be missed.
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        copy.extend_from_slice(&buffer[..count]);
        let mut rest = &buffer[..count];
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(rest.len().min(1 + random.next() as usize % most));
            rest = later;
            if to.write_all(piece).is_err() {
                return copy;
            }
        }
    }
    // An error means that it is closed already.
    let _ = to.shutdown(Shutdown::Write);
    copy
}
