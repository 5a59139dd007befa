//! RFC 6455, rule by rule, through the door that users use: a TCP connection to the program's `/ws/echo`.
//!
//! One test per MUST that concerns a server, named after its section; what is left to a server, but promised by this
//! one, stands beside it. Every byte the tests send is written out here or by the tests' own peer, never by the
//! library.
#![cfg(feature = "tool")]

#[path = "../support/mod.rs"]
mod support;

mod closing;
mod frames;
mod handshake;
mod messages;

use support::Server;
use support::ws::Raw;

/// A frame's first byte without FIN, and that of a continuation frame with and without (§5.2).
const TEXT_BEGINS: u8 = 0x01;
const BINARY_BEGINS: u8 = 0x02;
const CONTINUES: u8 = 0x00;
const ENDS: u8 = 0x80;

/// The program, watching a file that does not change.
fn server() -> Server {
    Server::start(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
}

/// The program, and an open WebSocket to its echo.
fn echo() -> (Server, Raw) {
    let server = server();
    let raw = Raw::connect(server.addr(), "/ws/echo");
    (server, raw)
}

/// Sends `bytes`, a sin, behind a message that is not: the echo of that one must come, then a close frame with `code`,
/// then the end, though more frames follow.
fn fails_with(code: u16, bytes: &[u8]) {
    let (_server, mut raw) = echo();
    let more = [support::ws::frame(support::ws::PING, b"?"), support::ws::frame(support::ws::TEXT, b"never")];
    let good = support::ws::frame(support::ws::TEXT, b"before");
    raw.send_raw(&[&good[..], bytes, &more.concat()].concat());
    assert_eq!(raw.read_text(), "before", "before {bytes:x?}");
    let reason = raw.expect_close(code);
    assert!(!reason.is_empty(), "a peer that fails is told why");
    raw.expect_eof();
}
