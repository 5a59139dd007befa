//! The fuzz targets' bodies over their committed corpora, on any toolchain: what the fuzzer once found stays found.
//!
//! Each seed with a name of its own is also tried cut off at many positions, and with the bytes there changed in turn.
//! Those called `found_...` are the fuzzer's variations already.

#[path = "../fuzz/bodies/mod.rs"]
#[allow(dead_code, reason = "only the fuzz targets measure memory")]
mod bodies;

use std::fs;
use std::path::Path;

/// Runs `body` over the corpus of `target`, and each seed with a name varied at so many positions, spread evenly.
fn replay(target: &str, positions: usize, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds = 0;
    for entry in entries {
        let path = entry.expect("a folder that can be listed").path();
        let seed = fs::read(&path).expect("a file that can be read");
        // Shown by the test harness only when something fails.
        println!("{}", path.display());
        body(&seed);
        let found = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"found_"));
        if !found {
            vary(&seed, positions, body);
            seeds += 1;
        }
    }
    assert!(seeds >= 5, "{} has only {seeds} seeds", folder.display());
}

fn vary(seed: &[u8], positions: usize, body: fn(&[u8])) {
    let step = seed.len().div_ceil(positions).max(1);
    let mut changed = seed.to_vec();
    for at in (0..seed.len()).step_by(step) {
        body(&seed[..at]);
        for flip in [0x01, 0x80, 0xff] {
            changed[at] ^= flip;
            body(&changed);
            changed[at] ^= flip;
        }
    }
}

/// Every position of all but the longest seeds.
const ALL: usize = 600;

/// For what takes a while.
const MANY: usize = 100;

/// For what takes its time.
#[cfg(feature = "deflate")]
const FEW: usize = 10;

#[test]
fn request_heads() {
    replay("request_head", ALL, bodies::request_head::run);
}

#[test]
fn frame_headers() {
    replay("frame_header", ALL, bodies::frame_header::run);
}

#[test]
fn streams_of_frames() {
    replay("decoder", MANY, bodies::decoder::run);
}

#[test]
fn texts() {
    replay("text", MANY, bodies::text::run);
}

#[test]
fn close_payloads() {
    replay("close_payload", ALL, bodies::close_payload::run);
}

#[test]
fn servers_connections() {
    replay("connection", MANY, bodies::connection::run);
}

#[test]
fn clients_connections() {
    replay("client", MANY, bodies::client::run);
}

#[test]
fn answers_of_servers() {
    replay("server_answer", ALL, bodies::server_answer::run);
}

#[test]
fn clients_and_servers_back_to_back() {
    replay("back_to_back", ALL, bodies::back_to_back::run);
}

#[cfg(feature = "deflate")]
#[test]
fn negotiations_of_deflate() {
    replay("deflate_negotiation", ALL, bodies::deflate_negotiation::run);
}

#[cfg(feature = "deflate")]
#[test]
fn inflating() {
    replay("inflate", FEW, bodies::inflate::run);
}

#[cfg(feature = "tool")]
#[test]
fn messages_of_the_sub_protocol() {
    replay("tail_messages", ALL, bodies::tail_messages::run);
}

#[cfg(feature = "tool")]
#[test]
fn cursors() {
    replay("cursor", ALL, bodies::cursor::run);
}

#[cfg(feature = "tool")]
#[test]
fn searches() {
    replay("search", MANY, bodies::search::run);
}

#[cfg(feature = "tool")]
#[test]
fn logs_and_their_viewers() {
    replay("follower", FEW, bodies::follower::run);
}

#[cfg(feature = "tool")]
#[test]
fn what_logs_say() {
    replay("lens", FEW, bodies::lens::run);
}

#[cfg(feature = "tool")]
#[test]
fn archives() {
    replay("archive", FEW, bodies::archive::run);
}

#[cfg(feature = "tool")]
#[test]
fn times_in_lines() {
    replay("timestamps", MANY, bodies::timestamps::run);
}
