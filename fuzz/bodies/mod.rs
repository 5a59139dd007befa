//! What the fuzz targets do with their bytes: plain functions that assert something.
//!
//! The targets (`fuzz_targets/`) run them under libFuzzer; `tests/fuzz_replay.rs` of the main package runs the same
//! functions over the committed corpus in every `cargo test`.
#![allow(
    unreachable_pub,
    reason = "a program has no outside, and still `pub` says what is meant for its other parts"
)]

#[cfg(feature = "tool")]
pub mod archive;
pub mod back_to_back;
pub mod choices;
pub mod client;
pub mod close_payload;
pub mod connection;
#[cfg(feature = "tool")]
pub mod cursor;
pub mod decoder;
#[cfg(feature = "deflate")]
pub mod deflate_negotiation;
#[cfg(feature = "tool")]
pub mod follower;
pub mod frame_header;
#[cfg(feature = "deflate")]
pub mod inflate;
#[cfg(feature = "tool")]
pub mod lens;
mod peers;
pub mod request_head;
#[cfg(feature = "deflate")]
mod rfc1951;
#[cfg(feature = "tool")]
pub mod search;
pub mod server_answer;
#[cfg(feature = "tool")]
pub mod tail_messages;
mod talk;
pub mod text;
#[cfg(feature = "tool")]
pub mod timestamps;

// The naive model of a log, and a log with its viewers, as the main package's tests have them.
#[cfg(feature = "tool")]
#[path = "../../tests/support/history.rs"]
mod history;
#[cfg(feature = "tool")]
#[path = "../../tests/support/scene.rs"]
mod scene;

/// Some ways to cut `data` into pieces: not at all, in single bytes, and in small and larger pieces.
///
/// A network cuts where it likes, so a parser must come to the same result for all of them. The random lengths come
/// from the data itself, so that a finding repeats.
pub fn cuttings(data: &[u8]) -> Vec<Vec<&[u8]>> {
    // FNV-1a, and xorshift from there on.
    let mut state = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut random_pieces = |longest: u64| {
        let (mut pieces, mut rest) = (Vec::new(), data);
        while !rest.is_empty() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let len = usize::try_from(state % longest + 1).unwrap_or(1).min(rest.len());
            let (piece, after) = rest.split_at(len);
            pieces.push(piece);
            rest = after;
        }
        pieces
    };
    vec![vec![data], data.chunks(1).collect(), random_pieces(7), random_pieces(300)]
}
