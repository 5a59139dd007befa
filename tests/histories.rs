//! Whatever happens to a log, and whatever its viewers do: each of them has every byte once, or was told what it
//! misses.
//!
//! Random operations on a real file, and random viewers that connect, read a little, stall, leave and return by their
//! cursor, also after the whole feed was closed. Time is an argument, so nobody sleeps.
#![cfg(feature = "tool")]

#[path = "support/history.rs"]
mod history;
#[path = "support/operations.rs"]
mod operations;
#[path = "support/scene.rs"]
mod scene;

use history::{Bytes, Format, Operation, Packing};
use operations::operation;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use scene::{Event, Scene};
use wiretail::tail::Start;
use wiretail::tail::disk::Fault;

fn event() -> impl Strategy<Value = Event> {
    let start = prop_oneof![
        3 => (0..50_usize).prop_map(Start::Lines),
        1 => Just(Start::Beginning),
        1 => Just(Start::End),
    ];
    prop_oneof![
        10 => operation().prop_map(Event::Log),
        6 => any::<bool>().prop_map(Event::Look),
        2 => start.prop_map(Event::Connect),
        8 => (any::<usize>(), 1..6_usize).prop_map(|(viewer, most)| Event::Read(viewer, most)),
        2 => any::<usize>().prop_map(Event::LeaveOrReturn),
        1 => Just(Event::Restart),
    ]
}

/// The same on a disk that fails at times.
fn event_or_fault() -> impl Strategy<Value = Event> {
    prop_oneof![16 => event(), 1 => fault()]
}

/// The same histories every day, so that whoever changes something else is not stopped by what a new one finds; others each
/// time when more of them are asked for.
fn seed() -> RngSeed {
    let more = std::env::var_os("PROPTEST_CASES").is_some();
    if more { ProptestConfig::default().rng_seed } else { RngSeed::Fixed(1) }
}

/// A new folder, in memory where there is such a place.
fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder can be made")
}

/// The disk fails: for no longer than an older file is waited for.
fn fault() -> impl Strategy<Value = Event> {
    (prop::sample::select(&Fault::ALL[..]), 1..40_u64, 1..8_u64)
        .prop_map(|(fault, first, times)| Event::Fail(fault, first, times))
}

proptest! {
    // The shortest history that fails is printed. PROPTEST_CASES asks for more than these.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(500),
        failure_persistence: None,
        rng_seed: seed(),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_viewer_has_every_byte_once_or_was_told_what_it_misses(
        dated in any::<bool>(),
        events in prop::collection::vec(event(), 1..80),
    ) {
        play(dated, &events)?;
    }

    /// `tests/faults.rs` has the stories that were found here and mended.
    #[test]
    fn and_so_it_is_on_a_disk_that_fails_at_times(
        dated in any::<bool>(),
        events in prop::collection::vec(event_or_fault(), 1..80),
    ) {
        play(dated, &events)?;
    }
}

fn play(dated: bool, events: &[Event]) -> Result<(), TestCaseError> {
    let mut scene = Scene::new(folder(), dated);
    for event in events {
        scene.play(event).map_err(TestCaseError::fail)?;
    }
    scene.finish().map_err(TestCaseError::fail)
}

/// What was found at random, told again without what has nothing to do with it.
#[track_caller]
fn tell(events: &[Event]) {
    play(false, events).unwrap();
}

fn append(len: usize) -> Event {
    Event::Log(Operation::Append(Bytes { kind: 0, len, seed: 0 }))
}

/// The last line of an older file was written after the newest file was made. Compressed, it has the time of that line, a
/// number of its own, and too little in it to be known again; only its name says that it is old.
#[test]
fn an_old_file_with_a_late_line_is_not_new_once_it_is_compressed_and_the_log_is_removed() {
    let late = Event::Log(Operation::Late(1, Bytes { kind: 0, len: 1, seed: 0 }));
    let (rotate, delete) = (Event::Log(Operation::Rotate), Event::Log(Operation::Delete));
    let (leave_or_return, read) = (Event::LeaveOrReturn(0), Event::Read(0, 2));
    tell(
        &[
            &[Event::Connect(Start::Lines(0)), append(0), rotate.clone(), rotate][..],
            &[leave_or_return.clone(), leave_or_return, read, late, Event::Restart, Event::Look(false)],
            &[delete, Event::Log(Operation::Compress(1, Packing::Done(Format::Gzip)))],
        ]
        .concat(),
    );
}

/// The times of two files that were written one right after the other may be the same, so they do not say which one is older;
/// and that the older one could not be looked at when the log was opened is no reason to skip it.
#[test]
fn a_rotated_file_is_not_skipped_if_it_cannot_be_looked_at_for_once_and_the_log_is_removed_then() {
    let (rotate, delete) = (Event::Log(Operation::Rotate), Event::Log(Operation::Delete));
    for first in 1..40 {
        tell(&[
            Event::Look(false),
            Event::Connect(Start::Lines(0)),
            append(0),
            rotate.clone(),
            Event::Restart,
            Event::Fail(Fault::Broken, first, 1),
            Event::Look(false),
            delete.clone(),
        ]);
    }
}

/// Late lines come to the file before it, so that is changed after the file that came after it was made.
#[test]
fn a_file_is_not_passed_over_if_the_one_before_it_was_written_to_late_and_is_deleted() {
    let late = |back| Event::Log(Operation::Late(back, Bytes { kind: 0, len: 1, seed: 0 }));
    let tick = || std::thread::sleep(std::time::Duration::from_millis(20));
    let mut scene = Scene::new(folder(), false);
    let mut play = |events: &[Event]| events.iter().for_each(|event| scene.play(event).unwrap());
    let rotate = Event::Log(Operation::Rotate);
    play(&[append(0), Event::Connect(Start::Lines(0)), rotate.clone(), late(0), rotate, Event::Look(false)]);
    // The times of files have ticks.
    tick();
    play(&[late(1), Event::Log(Operation::DeleteOldest), Event::Read(0, 1), Event::Look(true), late(0)]);
    scene.finish().unwrap();
}
