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

use operations::operation;
use proptest::prelude::*;
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

/// A new folder, in memory where there is such a place.
fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder can be made")
}

/// The disk fails: for no longer than an older file is waited for.
fn fault() -> impl Strategy<Value = Event> {
    // A handle that has gone stale is lost with what it alone can reach: that has its own tests, in `faults`.
    let kinds: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| *fault != Fault::Stale).collect();
    (prop::sample::select(kinds), 1..40_u64, 1..8_u64)
        .prop_map(|(fault, first, times)| Event::Fail(fault, first, times))
}

proptest! {
    // The shortest history that fails is printed. PROPTEST_CASES asks for more than these.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(500),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_viewer_has_every_byte_once_or_was_told_what_it_misses(
        dated in any::<bool>(),
        events in prop::collection::vec(event(), 1..80),
    ) {
        play(dated, &events)?;
    }

    /// Not yet true: one in some thousand of these histories still repeats or leaves out something. `tests/faults.rs`
    /// has those that were found and mended.
    #[test]
    #[ignore = "one in some thousand histories still fails"]
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
