//! The event loop: one thread, one [`mio::Poll`], and everything that touches a socket.
//!
//! Knows sockets, readiness, time and bytes. Knows nothing of ours: no HTTP, no WebSocket, no files. What a byte means
//! is for the caller, who asks [`EventLoop::next_event`] what happened and answers with [`EventLoop::read`],
//! [`EventLoop::send`] and [`EventLoop::finish`].
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
//! Reading order: [`table`] (who is who), [`outbox`] (what waits to be written), `speech` (what is being said),
//! [`socket`] (one connection), [`listener`] (who comes in), [`event_loop`] (the turn).

pub mod event_loop;
pub mod listener;
pub mod outbox;
pub mod socket;
mod speech;
pub mod table;

pub use event_loop::{Event, EventLoop, Limits, WatchId};
/// What the loop listens on; mio's own, so that a program need not depend on mio to bind one.
pub use mio::net::TcpListener;
pub use outbox::Bytes;
pub use socket::Received;
pub use table::{ConnId, Table};
