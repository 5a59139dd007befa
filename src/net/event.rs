//! What can happen to a server: the words in which the loop tells it.

use std::net::SocketAddr;
use std::time::Instant;

#[cfg(doc)]
use super::EventLoop;
use super::table::ConnId;

/// What happened. Connections are named by ids that are never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody connected from there.
    Opened(ConnId, SocketAddr),
    /// There may be something to read; a hint.
    Readable(ConnId),
    /// All that was to be written has been written, after some of it had to wait or [`EventLoop::tell_when_drained`]: there
    /// is room for more.
    Drained(ConnId),
    /// The deadline set with [`EventLoop::set_deadline`] has passed.
    Expired(ConnId),
    /// The connection broke, or had to make room for a newcomer. Nothing more can be said to it.
    Closed(ConnId),
    /// A descriptor given to [`EventLoop::watch`] has something to read.
    Woken(WatchId),
    /// Time for whatever is done by the clock: asked for with [`EventLoop::tick_at`], at the latest every 250 ms.
    Tick(Instant),
}

/// The name of a watched descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchId(pub(super) usize);
