//! Whatever call on the disk fails: everybody is told once, gets every byte once, and nothing has to be restarted.
//!
//! The loop of `SQLite`: a short story is played, and its first call on the disk fails; then it is played again, and the second
//! one fails, and so on, until a play passes in which nothing failed. For every kind of fault, once and for a while; for
//! every call that a log's files, its siblings and its folder are asked with. Time is an argument, so nobody sleeps.
#![cfg(feature = "tool")]

#[path = "support/history.rs"]
mod history;
#[path = "support/scene.rs"]
mod scene;

use history::{Bytes, Operation};
use scene::{Event, Scene};
use wiretail::tail::Start;
use wiretail::tail::disk::Fault;

fn lines(count: usize, seed: u64) -> Bytes {
    Bytes { kind: 0, len: count * 24, seed }
}

fn append(count: usize, seed: u64) -> Event {
    Event::Log(Operation::Append(lines(count, seed)))
}

/// Characters of several bytes, cut anywhere, without a newline.
fn characters(len: usize, seed: u64) -> Event {
    Event::Log(Operation::Append(Bytes { kind: 1, len, seed }))
}

fn pause(millis: u64) -> Event {
    Event::Log(Operation::Pause(millis))
}

/// Everybody looks and reads what there is.
fn all_read() -> [Event; 4] {
    [Event::Look(true), Event::Read(0, 100), Event::Read(1, 100), Event::Read(2, 100)]
}

fn story(parts: &[&[Event]]) -> Vec<Event> {
    parts.concat()
}

/// How long a fault lasts, counted in calls: one of them, a few, or (for all but those that a call is simply repeated
/// after) more than a look needs.
const LASTING: [u64; 3] = [1, 7, 60];

/// Plays `before`, in which nothing fails, and then `story` again and again, until no call was left to fail.
#[track_caller]
fn whatever_fails(name: &str, faults: &[Fault], before: &[Event], story: &[Event]) {
    let mut plays = 0;
    let mut wrong = Vec::new();
    for &fault in faults {
        for times in LASTING {
            for first in 1.. {
                let mut scene = Scene::new(folder(), false);
                for event in before {
                    scene.play(event).unwrap();
                }
                scene.play(&Event::Fail(fault, first, times)).unwrap();
                let played = story.iter().try_for_each(|event| scene.play(event));
                let met = scene.faults().met();
                plays += 1;
                let played = played.and_then(|()| scene.finish()).and_then(|()| match scene.outages() {
                    0..=1 => Ok(()),
                    many => Err(format!("one viewer was told {many} times that there is nothing to read")),
                });
                if let Err(why) = played {
                    wrong.push(format!("{fault:?} x {times} from call {first} on: {why}"));
                }
                if met == 0 {
                    break;
                }
            }
        }
    }
    eprintln!("{name}: {plays} plays");
    assert!(wrong.is_empty(), "{name}: {} of {plays} plays went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A new folder, in memory where there is such a place.
fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("a temporary folder can be made")
}

/// Two viewers have read what there is; a third stays where it began.
fn watched() -> Vec<Event> {
    story(&[
        &[append(20, 1), Event::Connect(Start::Lines(5)), Event::Connect(Start::Beginning)],
        &all_read(),
        &[append(10, 2), Event::Connect(Start::Lines(3))],
    ])
}

#[test]
fn while_a_file_grows() {
    let tale = story(&[
        &[append(3, 3)],
        &all_read(),
        &[characters(3000, 4), pause(20)],
        &all_read(),
        &[characters(70, 5), append(2, 6)],
        &all_read(),
    ]);
    whatever_fails("growth", &Fault::ALL, &watched(), &tale);
}

#[test]
fn while_a_file_is_rotated() {
    let late = Event::Log(Operation::Late(0, lines(2, 7)));
    let tale = story(&[
        &[append(3, 3), characters(20, 8), Event::Log(Operation::Rotate), append(4, 4), late],
        &all_read(),
        &[pause(300)],
        &all_read(),
        &[append(5, 5), pause(6000), append(1, 6)],
        &all_read(),
    ]);
    whatever_fails("rotation", &Fault::ALL, &watched(), &tale);
}

#[test]
fn while_two_rotations_come_between_two_looks() {
    let rotate = || Event::Log(Operation::Rotate);
    let tale = story(&[
        &[append(3, 3), rotate(), append(4, 4), rotate(), append(5, 5)],
        &all_read(),
        &[pause(300)],
        &all_read(),
    ]);
    whatever_fails("two rotations", &Fault::ALL, &watched(), &tale);
}

#[test]
fn while_a_file_is_copied_and_cut() {
    let tale = story(&[
        &[append(30, 3), Event::Log(Operation::CopyTruncate), append(4, 4)],
        &all_read(),
        &[pause(300), append(5, 5)],
        &all_read(),
    ]);
    whatever_fails("copytruncate", &Fault::ALL, &watched(), &tale);
}

#[test]
fn while_a_file_is_removed_and_comes_again() {
    let tale = story(&[
        &[append(3, 3), Event::Log(Operation::Delete), pause(300)],
        &all_read(),
        &[pause(300), append(5, 5)],
        &all_read(),
    ]);
    // Through a handle that has gone stale nobody can see what was written last to a file that has no name any more.
    let faults: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| *fault != Fault::Stale).collect();
    whatever_fails("removal", &faults, &watched(), &tale);
}

#[test]
fn while_a_slow_viewer_catches_up_through_files_that_were_closed() {
    let rotate = || Event::Log(Operation::Rotate);
    let before = story(&[
        &watched(),
        &[append(3000, 3), rotate(), append(40, 4)],
        &[Event::Look(true), Event::Read(0, 1000), pause(6000), Event::Look(true), Event::Read(0, 1000)],
        &[rotate(), append(5, 5), pause(6000), Event::Look(true), Event::Read(0, 1000), pause(6000)],
        &[Event::Look(true)],
    ]);
    let tale = story(&[&[Event::Read(1, 2), Event::Look(true), Event::Read(1, 100)], &all_read()]);
    whatever_fails("catching up", &Fault::ALL, &before, &tale);
}

#[test]
fn while_viewers_return_by_their_cursors_after_a_restart() {
    let before = story(&[
        &watched(),
        &all_read(),
        &[Event::Restart, append(3, 3), Event::Log(Operation::Rotate), append(4, 4)],
    ]);
    let tale = story(&[
        &[Event::LeaveOrReturn(0), Event::LeaveOrReturn(1), Event::Connect(Start::Lines(4))],
        &all_read(),
        &[pause(300)],
        &all_read(),
    ]);
    whatever_fails("return", &Fault::ALL, &before, &tale);
}
