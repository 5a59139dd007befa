//! A log that random things happen to, and its viewers, against the naive model: all that was ever written, by
//! generation. Each viewer has every byte once and in order, or was told what it misses.
//!
//! The model and the scene are those of `tests/histories.rs`, where proptest draws the events; here the fuzzer does.

use std::path::Path;

use wiretail::tail::Start;

use super::choices::Choices;
use super::history::{Bytes, Operation, Packing};
use super::scene::{Event, Scene};

/// So many events make a story; more of them only make it slower to tell.
const MOST_EVENTS: usize = 60;

/// Plays `data` as a story, then lets everybody read to the end.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut scene = Scene::new(folder(), choices.flag());
    let mut told = Vec::new();
    while !choices.is_empty() && told.len() < MOST_EVENTS {
        told.push(event(&mut choices));
        if let Err(why) = scene.play(&told[told.len() - 1]) {
            panic!("{why}, after {told:?}");
        }
    }
    if let Err(why) = scene.finish() {
        panic!("{why}, at the end of {told:?}");
    }
}

/// A new folder, in memory where there is such a place.
pub(super) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder can be made")
}

fn event(choices: &mut Choices<'_>) -> Event {
    match choices.below(16) {
        0..=7 => Event::Log(operation(choices)),
        8 | 9 => Event::Look(choices.flag()),
        10 => Event::Connect(start(choices)),
        11..=13 => Event::Read(choices.below(4), choices.below(6)),
        14 => Event::LeaveOrReturn(choices.below(4)),
        _ => Event::Restart,
    }
}

fn start(choices: &mut Choices<'_>) -> Start {
    match choices.below(64) {
        60..=61 => Start::Beginning,
        62..=63 => Start::End,
        lines => Start::Lines(lines),
    }
}

fn operation(choices: &mut Choices<'_>) -> Operation {
    match choices.below(12) {
        10 => Operation::DeleteOldest,
        11 => Operation::Compress(choices.below(3), Packing::choose(choices.byte())),
        0..=2 => Operation::Append(bytes(choices)),
        3 => Operation::Late(choices.below(2), bytes(choices)),
        4 => Operation::Rotate,
        5 => Operation::CopyTruncate,
        6 => Operation::Truncate,
        7 => Operation::Delete,
        8 => Operation::Replace(bytes(choices)),
        _ => Operation::Pause(u64::from(choices.two_bytes()) % 6_000),
    }
}

fn bytes(choices: &mut Choices<'_>) -> Bytes {
    let kind = choices.byte();
    let len = match kind / 3 % 16 {
        // Beyond what is read at once.
        15 => 1_000 + 4 * usize::from(choices.two_bytes()),
        12..=14 => usize::from(choices.two_bytes()) % 3_000,
        _ => choices.below(100),
    };
    Bytes { kind, len, seed: u64::from(choices.two_bytes()) }
}
