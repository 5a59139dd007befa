//! Differential twins: the same conversations, held with other implementations as the peer, that share no line with
//! ours. What one side says is what the other hears, in both directions and for both roles.
//!
//! - `in_memory`: tungstenite and our sans-I/O core, bytes delivered in any pieces in any order; all of it follows
//!   from the random choices, so a conversation that fails is shortened and printed.
//! - `served`: tungstenite as the client of the real program's `/ws/echo`, over TCP.
//! - `sins`: the same malformed bytes for both. Where the two judge differently, the difference has a name here and a
//!   section of the RFC.
//! - `foreign`: Python's `websockets` and npm's `ws`, as clients of the program and as servers for our client, with
//!   permessage-deflate. They need packages, which `tests/run twins` installs, so these tests are ignored elsewhere.
#![cfg(all(feature = "tool", feature = "deflate"))]

#[path = "../support/mod.rs"]
mod support;

mod foreign;
mod in_memory;
mod ours;
mod script;
mod served;
mod sins;
mod theirs;
mod word;

use std::time::{SystemTime, UNIX_EPOCH};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A number from the surroundings.
fn variable(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

/// Where random conversations come from, and how many of them are to be held: `usual`, unless `TWINS` says otherwise.
/// `TWINS_SEED` gives the same ones again.
fn runner(usual: usize) -> (TestRunner, usize) {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_nanos() as u64;
    let seed = variable("TWINS_SEED").unwrap_or_else(now);
    println!("TWINS_SEED={seed} holds these conversations again");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let conversations = variable("TWINS").map_or(usual, |conversations| conversations as usize);
    (TestRunner::new_with_rng(Config::default(), rng), conversations)
}

/// One of what `strategy` may give.
fn draw<T>(strategy: &impl Strategy<Value = T>, runner: &mut TestRunner) -> T {
    strategy.new_tree(runner).expect("there are values").current()
}
