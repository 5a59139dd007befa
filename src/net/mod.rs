//! The event loop: one thread, one [`mio::Poll`], and everything that touches a socket.
//!
//! Knows sockets, readiness, time and bytes. Knows nothing of ours: no HTTP, no WebSocket, no files. What a byte means
//! is for the caller, who asks [`EventLoop::next_event`] what happened and answers with [`EventLoop::read`],
//! [`EventLoop::output`] or [`EventLoop::send`], and [`EventLoop::finish`].
//!
//! ```text
//!            next_event()                          read(id, buffer)
//!   kernel ---------------> Opened(id, address)   ------------------> bytes for the caller
//!     ^                     Readable(id)            send(id, bytes)
//!     |                     Drained(id)           ------------------> outbox
//!     |                     Expired(id)                                 |
//!     |                     Closed(id)                                  |
//!     |                     Tick, Woken(watch)                          |
//!     '-----------------------------------------------------------------'
//!            one write for each connection, when the caller asks what happened next
//! ```
//!
//! When all places are taken, a newcomer gets that of the oldest connection that has not [settled](EventLoop::settle):
//! so a program says of each connection when it has shown what it is for.
//!
//! Everything that can happen, for one peer who is answered in capitals:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use std::time::Duration;
//! use wiretail::net::{Bytes, Event, EventLoop, Limits, Received, TcpListener};
//!
//! const PATIENCE: Duration = Duration::from_secs(5);
//!
//! let listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
//! let mut peer = TcpStream::connect(listener.local_addr()?)?;
//! peer.write_all(b"hello")?;
//! let answer = std::thread::spawn(move || {
//!     let mut answer = String::new();
//!     peer.read_to_string(&mut answer).map(|_| answer)
//! });
//!
//! let mut event_loop = EventLoop::new(vec![listener], Limits::default())?;
//! let mut buffer = [0; 1024]; // one for everybody
//! let mut nobody_yet = true;
//! while nobody_yet || event_loop.connections() > 0 {
//!     match event_loop.next_event()? {
//!         Event::Opened(id, _) => {
//!             event_loop.set_deadline(id, Some(event_loop.now() + PATIENCE));
//!             nobody_yet = false;
//!         }
//!         Event::Readable(id) => match event_loop.read(id, &mut buffer) {
//!             Received::Bytes(count) => {
//!                 event_loop.settle(id);
//!                 let capitals = buffer[..count].to_ascii_uppercase();
//!                 event_loop.send(id, Bytes::Own(capitals)); // written when we ask for the next event
//!                 event_loop.tell_when_drained(id);
//!             }
//!             Received::Nothing => {} // it was a hint, and a wrong one
//!             Received::Eof | Received::Broken(_) => event_loop.discard(id),
//!         },
//!         Event::Drained(id) => event_loop.finish(id, PATIENCE), // the answer is written: we hang up first
//!         Event::Expired(id) => event_loop.discard(id), // said nothing for five seconds
//!         Event::Closed(_) => {}                        // where there is a session, it is dropped here
//!         Event::Woken(_) | Event::Tick(_) => {}        // other descriptors; whatever is done by the clock
//!     }
//! }
//! assert_eq!(answer.join().expect("it does not panic")?, "HELLO");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Reading order: [`event`] (what can happen), [`table`] (who is who), `clock` (whose time is up), [`outbox`] (what
//! waits to be written), `speech` (what is being said), [`socket`] (one connection), [`listener`] and `crowd` (who comes
//! in), [`event_loop`] (the turn).

mod clock;
mod crowd;
pub mod event;
pub mod event_loop;
pub mod listener;
pub mod outbox;
pub mod socket;
mod speech;
pub mod table;

pub use event::{Event, WatchId};
pub use event_loop::EventLoop;
pub use listener::Limits;
/// What the loop listens on; mio's own, so that a program need not depend on mio to bind one.
pub use mio::net::TcpListener;
pub use outbox::Bytes;
pub use socket::Received;
pub use table::{ConnId, Table};
