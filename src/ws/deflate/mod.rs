//! permessage-deflate: messages made smaller on the wire (RFC 7692).
//!
//! Both sides agree in the opening handshake ([`negotiation`]). From then on the first frame of a compressed message has
//! its first reserved bit set, and what its frames carry, put together, is a run of DEFLATE blocks (RFC 1951) without
//! the four bytes that every such run ends with.
//!
//! ```text
//!   message ──> Deflater ──> payload, without 00 00 ff ff ──> frames, RSV1 on the first
//!
//!   frames ──> payload, and 00 00 ff ff ──> Inflater ──> message, step by step, never beyond its limit
//! ```
//!
//! DEFLATE itself is a library's (the Cargo feature `deflate`); the negotiation, the bounds and the framing are here.
//! Does not know sockets, nor frames: putting payloads into them and taking them out is `connection`'s.

pub mod negotiation;

#[cfg(feature = "deflate")]
mod codec;
#[cfg(feature = "deflate")]
mod messages;
#[cfg(not(feature = "deflate"))]
#[path = "absent.rs"]
mod messages;

#[cfg(feature = "deflate")]
pub use codec::{Broken, Deflater, Inflated, Inflater};
pub(super) use messages::PerMessageDeflate;
#[cfg(feature = "deflate")]
pub use messages::WORTH_COMPRESSING;
pub use negotiation::{BadAnswer, Parameters, WindowBits};
