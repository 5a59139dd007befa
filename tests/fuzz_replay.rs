//! The fuzz targets' bodies over their committed corpora, on any toolchain: what the fuzzer once found stays found.
//!
//! Each seed is also tried cut off at every position, and with every byte changed in turn.

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;

use std::fs;
use std::path::Path;

/// Runs `body` over the corpus of `target`.
fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds = 0;
    for entry in entries {
        let path = entry.expect("a folder that can be listed").path();
        let seed = fs::read(&path).expect("a file that can be read");
        // Shown by the test harness only when something fails.
        println!("{}", path.display());
        body(&seed);
        vary(&seed, body);
        seeds += 1;
    }
    assert!(seeds >= 5, "{} has only {seeds} seeds", folder.display());
}

fn vary(seed: &[u8], body: fn(&[u8])) {
    const SHORT: usize = 600;
    for at in 0..seed.len().min(SHORT) {
        body(&seed[..at]);
        let mut changed = seed[..seed.len().min(SHORT)].to_vec();
        for flip in [0x01, 0x80, 0xff] {
            changed[at] ^= flip;
            body(&changed);
            changed[at] ^= flip;
        }
    }
}

#[test]
fn request_heads() {
    replay("request_head", bodies::request_head::run);
}

#[test]
fn frame_headers() {
    replay("frame_header", bodies::frame_header::run);
}

#[test]
fn conversations() {
    replay("connection", bodies::connection::run);
}

#[test]
fn answers_of_servers() {
    replay("server_answer", bodies::server_answer::run);
}

#[cfg(feature = "tool")]
#[test]
fn cursors() {
    replay("cursor", bodies::cursor::run);
}
