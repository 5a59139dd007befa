//! What the tests of the whole program share: the server as a child process, a WebSocket peer written by hand, and
//! what the kernel tells about a process.
//!
//! A test program takes it in with `mod support;` below `#![cfg(feature = "tool")]`: without that feature there is
//! no program to start. Nothing here uses the library under test, so an error in it cannot hide on both sides.
//! Nothing here pauses to let things settle either: [`until`] looks again and again and gives up at a deadline.
#![allow(dead_code, unused_imports, reason = "each test program uses the part it needs")]
#![allow(
    unreachable_pub,
    reason = "`pub` says what is meant for the tests, though a test program exports nothing"
)]

pub mod browser;
pub mod deflate;
pub mod lines;
pub mod misbehave;
pub mod page;
pub mod process;
pub mod proxy;
pub mod server;
pub mod v1;
pub mod ws;

pub use process::{cpu_time, open_files, open_sockets, peak_rss_bytes, rss_bytes};
pub use server::Server;
pub use tempfile::TempDir;

use std::time::{Duration, Instant};

/// How long an answer may take that should come at once: far more than a busy machine needs.
pub const SOON: Duration = Duration::from_secs(5);

/// A new folder that goes when it is dropped.
pub fn temp_dir() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// Looks with `look` until it finds something, and fails the test when `within` has passed.
///
/// `what` completes the sentence "waited 5s for ...".
#[track_caller]
pub fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {within:?} for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
