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

fn late(back: usize, len: usize) -> Event {
    Event::Log(Operation::Late(back, Bytes { kind: 0, len, seed: 0 }))
}

fn compress() -> Event {
    Event::Log(Operation::Compress(0, Packing::Done(Format::Gzip)))
}

/// Plays the story with the fault at each of the first calls, once or for a while.
#[track_caller]
fn tell_with(fault: Fault, before: &[Event], after: &[Event]) {
    for times in [1, 6] {
        for first in 1..40 {
            tell(&[before, &[Event::Fail(fault, first, times)], after].concat());
        }
    }
}

/// Its viewer has been told that something is missing, and stands where there was no file. Of what there was, the youngest
/// is known, and so is that the rest is older.
#[test]
fn a_late_line_does_not_make_an_old_file_new_to_who_waits_for_the_next_one() {
    let log = Event::Log;
    tell(&[
        append(0),
        Event::Connect(Start::Lines(1)),
        log(Operation::Rotate),
        Event::Look(true),
        Event::Read(0, 2),
        Event::Restart,
        log(Operation::CopyTruncate),
        compress(),
        log(Operation::Delete),
        Event::LeaveOrReturn(0),
        Event::Read(0, 1),
        Event::Restart,
        late(0, 1),
    ]);
}

/// The handle was good for nothing any more before the file was copied and removed; and less than 64 bytes are known of it.
#[test]
fn the_copy_of_a_short_file_is_not_read_again_if_its_handle_was_lost() {
    let (copy, delete) = (Event::Log(Operation::CopyTruncate), Event::Log(Operation::Delete));
    let half_a_character = Event::Log(Operation::Append(Bytes { kind: 1, len: 1, seed: 0 }));
    let before = [half_a_character, Event::Connect(Start::Lines(0))];
    tell_with(Fault::Stale, &before, &[append(1), copy.clone(), delete.clone(), Event::Look(false)]);
    tell_with(Fault::Stale, &before, &[copy, delete, append(0), Event::Look(true)]);
}

/// The handle was lost before anything was read, and what was written late is in an archive. Not even 64 bytes are known of it.
#[test]
fn a_late_line_in_a_short_file_that_was_compressed_is_read_though_the_handle_was_lost() {
    let (look, rotate) = (Event::Look(true), Event::Log(Operation::Rotate));
    let before = [Event::Connect(Start::Lines(0)), append(0), look.clone(), rotate];
    tell_with(Fault::Stale, &before, &[look, late(0, 1), compress()]);
}

/// The log could not be read when it was opened, so the file before was the last one that was known; and it was renamed
/// before a look succeeded. Whoever returned to it then was shown it as if it came before the other.
#[test]
fn what_came_while_nobody_could_look_is_not_put_before_what_was_known() {
    let (rotate, back) = (Event::Log(Operation::Rotate), Event::LeaveOrReturn(0));
    for sector in 1..12 {
        let bad_sector = Event::Fail(Fault::BadSector, sector, 1);
        let opened = [append(0), rotate.clone(), append(90), Event::Connect(Start::Lines(0)), Event::Restart];
        let opened = [&opened[..], &[bad_sector, Event::Look(false), rotate.clone()]].concat();
        for broken in 1..6 {
            tell(&[&opened[..], &[Event::Fail(Fault::Broken, broken, 2), back.clone()]].concat());
        }
    }
}

/// What lies beside the log is asked for again, as it could not be read at first. Meanwhile the log has been copied and cut.
#[test]
fn the_copy_of_a_log_is_not_what_came_before_it() {
    let before = [append(0), Event::Log(Operation::Rotate), append(90)];
    let copy = Event::Log(Operation::CopyTruncate);
    tell_with(
        Fault::Denied,
        &before,
        &[Event::Connect(Start::Lines(0)), append(30), copy, Event::Look(true)],
    );
}

/// A viewer that returned could not be told at once where it stands; until it could, the file was closed.
#[test]
fn a_renamed_file_that_was_closed_is_followed_again_for_who_returns_to_it() {
    let rotate = Event::Log(Operation::Rotate);
    let before = [Event::Connect(Start::Lines(0)), append(0), rotate.clone(), rotate.clone(), Event::Restart];
    for times in 1..4 {
        for first in 1..50 {
            let fault = Event::Fail(Fault::NoDescriptors, first, times);
            let pause = Event::Log(Operation::Pause(4697));
            let after = [fault, rotate.clone(), Event::LeaveOrReturn(0), late(1, 0), pause];
            tell(&[&before[..], &after].concat());
        }
    }
}

/// Nobody could tell where it begins when it came. Until somebody could, the log was rotated, compressed and removed: it is told
/// that it has missed something.
#[test]
fn who_could_not_begin_at_once_is_told_what_it_missed_though_there_is_no_log_any_more() {
    let (rotate, delete) = (Event::Log(Operation::Rotate), Event::Log(Operation::Delete));
    let after = [Event::Connect(Start::Lines(0)), rotate, delete, compress()];
    tell_with(Fault::Broken, &[append(0)], &after);
}
