//! WebSocket (RFC 6455), for both roles: bytes go in, events and bytes come out.
//!
//! Knows no sockets, no clock and no logs. Uses `http` for the opening handshake only.
//!
//! ```text
//!   request ──> handshake ──> response        once
//!
//!   bytes ──> decoder ──> chunks ──> connection ──> events
//!               │                      │   │
//!             frame, mask         message  close
//!                              utf8, deflate
//! ```
//!
//! Reading order: [`handshake`] (how it begins), [`frame`] (the few bytes in front of every payload), [`mask`] (why a
//! client's bytes look like noise), [`decoder`] (frames out of whatever the network cut), [`utf8`] and [`message`]
//! (messages out of frames), [`close`] (how it ends), [`connection`] (the conversation), [`deflate`] (smaller messages).
//!
//! To use it, a program needs [`handshake::accept`] or [`handshake::Client`], then a [`Connection`], and for what comes
//! an [`Input`] each time; the example at the [front of the library](crate) has them all. The rest is there to be read,
//! tested and fuzzed by itself.

pub mod close;
pub mod connection;
pub mod control;
pub mod decoder;
pub mod deflate;
pub mod frame;
pub mod handshake;
pub mod mask;
pub mod message;
pub mod utf8;

pub use close::{CloseCode, Closed, ClosedBy, ProtocolError};
pub use connection::{Connection, Event};
pub use decoder::{Budget, Input};
pub use frame::Opcode;
pub use mask::MaskKeys;
pub use message::{Limits, Message};
pub use utf8::Text;
