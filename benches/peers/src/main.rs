//! Echo servers on the WebSocket libraries that one would take instead, each on one thread: `peers NAME` listens on a
//! free port of this machine, says so on its first line, and serves until it is killed.
//!
//! The plain ones are written as the libraries' own examples are; those that batch answer whatever has come already
//! before they flush, which is the best these libraries offer for many frames in flight.

mod fast;
mod sync;
mod tokio_tungstenite;

use std::net::{Ipv4Addr, SocketAddr};

/// How many messages are answered before a flush, at most.
const BATCH: usize = 32;

/// When a server flushes what it says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flush {
    /// After each message.
    Each,
    /// When nothing more has come, at the latest after [`BATCH`] messages.
    Batch,
}

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "fastwebsockets" => fast::serve(),
        "tokio-tungstenite" => tokio_tungstenite::serve(Flush::Each),
        "tokio-tungstenite+batch" => tokio_tungstenite::serve(Flush::Batch),
        "mio+tungstenite" => sync::serve(Flush::Each),
        "mio+tungstenite+batch" => sync::serve(Flush::Batch),
        other => panic!("no such server: {other:?}"),
    }
}

/// A free port of this machine.
fn anywhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Says where the server listens, as wiretail does.
fn announce(address: SocketAddr) {
    println!("http://{address}/");
}

/// A runtime on one thread.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime")
}
