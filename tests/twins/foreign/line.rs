//! Our client on a socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::SOON;
use crate::ours::Ours;

/// The client, and its connection.
pub(crate) struct Line {
    stream: TcpStream,
    pub(crate) ours: Ours,
    /// The server has closed the connection.
    ended: bool,
}

impl Line {
    pub(crate) fn connect(addr: SocketAddr, ours: Ours) -> Self {
        let stream = TcpStream::connect_timeout(&addr, SOON).expect("the server is there");
        stream.set_nonblocking(true).expect("an option of a socket");
        Self { stream, ours, ended: false }
    }

    /// Closes the connection.
    pub(crate) fn close(self) -> Ours {
        self.ours
    }

    /// Writes and reads as much as there is.
    fn pump(&mut self) -> Result<(), String> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    self.ended = true;
                    return self.ours.hear_the_end();
                }
                Ok(count) => self.ours.hear(&mut buffer[..count])?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(format!("reading: {error}")),
            }
        }
        while !self.ours.out.is_empty() {
            match self.stream.write(&self.ours.out) {
                Ok(count) => drop(self.ours.out.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(format!("writing: {error}")),
            }
        }
        Ok(())
    }

    /// Writes and reads until `done`, or the server closes the connection.
    pub(crate) fn wait(&mut self, what: &str, done: impl Fn(&Ours) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + SOON;
        loop {
            self.pump()?;
            if self.ended || done(&self.ours) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("waited for {what}"));
            }
            let full = !self.ours.out.is_empty();
            let flags = PollFlags::IN | if full { PollFlags::OUT } else { PollFlags::empty() };
            let mut socket = [PollFd::from_borrowed_fd(self.stream.as_fd(), flags)];
            let second = Timespec { tv_sec: 1, tv_nsec: 0 };
            // A signal, or nothing for a second: look again.
            let _ = poll(&mut socket, Some(&second));
        }
    }
}
