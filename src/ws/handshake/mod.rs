//! The opening handshake: how an HTTP connection becomes a WebSocket (RFC 6455 §4).
//!
//! ```text
//!   client                                              server
//!     GET /tail/app.log HTTP/1.1                  ──>
//!     Host, Upgrade, Connection,
//!     Sec-WebSocket-Key, Sec-WebSocket-Version
//!                                                 <──   HTTP/1.1 101 Switching Protocols
//!                                                       Upgrade, Connection, Sec-WebSocket-Accept
//!     frames                                     <──>   frames
//! ```
//!
//! The one part of `ws` that knows HTTP. Does not know which paths exist, who may come in (`Origin` and `Host` are the
//! application's to judge), or which sub-protocols mean anything.

pub mod client;
pub mod extensions;
pub mod server;

pub use client::{Accepted, Client, HandshakeError};
pub use extensions::Extension;
pub use server::{Refusal, Upgrade, accept, is_upgrade};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// The one version there is: "The value of this header field MUST be 13" (§4.1).
pub const VERSION: &str = "13";

/// What no server says that does not mean WebSocket (§1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The answer to `key`, both as they stand in their fields: "concatenating the base64-encoded |Sec-WebSocket-Key| [...]
/// with the string "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", taking the SHA-1 hash of this concatenated value to obtain a
/// 20-byte value and base64-encoding [...] this 20-byte hash" (§4.2.2).
///
/// It proves that the server has understood, and nothing else.
///
/// ```
/// use wiretail::ws::handshake::accept_value;
///
/// // The key and the answer of §1.3.
/// assert_eq!(accept_value("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
pub fn accept_value(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_3_the_example_of_the_rfc() {
        assert_eq!(accept_value("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
