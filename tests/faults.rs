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

use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use history::{Bytes, Format, Operation};
use scene::{Event, Scene};
use wiretail::tail::beneath::Root;
use wiretail::tail::disk::{Disk, Fault, Faults};
use wiretail::tail::history::{Found, Job, Task, Work};
use wiretail::tail::{Feed, PieceKind, Position, Start, Step};

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

const MINUTE: Duration = Duration::from_secs(60);

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

/// A log and one viewer, who says what it hears.
struct Watched {
    folder: tempfile::TempDir,
    faults: Arc<Faults>,
    feed: Feed<()>,
    viewer: Position,
    heard: Vec<String>,
    now: Instant,
    looks: u64,
}

impl Watched {
    /// Of a file that holds `text`; the viewer begins with its first line, and has not read it yet.
    fn new(text: &str) -> Self {
        let (folder, faults, now) = (folder(), Faults::anywhere(), Instant::now());
        std::fs::write(folder.path().join("app.log"), text).unwrap();
        let root = Rc::new(Root::wait_for(&Disk::with(&faults), folder.path()));
        let mut feed = Feed::open(root, "app.log".into(), Rc::default(), now);
        let viewer = feed.start(&Start::Beginning, now);
        Self { folder, faults, feed, viewer, heard: Vec::new(), now, looks: 0 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("app.log")
    }

    fn rotate(&self) {
        std::fs::rename(self.path(), self.folder.path().join("app.log.1")).unwrap();
        std::fs::write(self.path(), "rotated\n").unwrap();
    }

    fn hear(&mut self) {
        while let Step::Piece(piece, position) = self.feed.next(&self.viewer, self.now) {
            self.heard.push(match &piece.kind {
                PieceKind::Lines { text, .. } => String::from_utf8_lossy(text).into_owned(),
                PieceKind::Missing { .. } => "missing".to_owned(),
                PieceKind::Back => "back".to_owned(),
                PieceKind::Rotated { .. } => "rotated".to_owned(),
                PieceKind::Gap { bytes, .. } => format!("gap of {bytes:?}"),
                PieceKind::Truncated { .. } => "truncated".to_owned(),
            });
            self.viewer = position;
        }
    }

    /// What is answered, in the order of the answers.
    fn ask(&mut self, task: Task) -> Vec<String> {
        self.ask_and(task, |_, _| {})
    }

    /// The same, calling `after` with all answers so far after each of them.
    fn ask_and(&mut self, task: Task, after: impl Fn(&Faults, &[String])) -> Vec<String> {
        let (mut job, mut told) = (Job::new(task, None), Vec::new());
        loop {
            let answers = told.len();
            match self.feed.work(&mut job, self.now) {
                Work::Found(Found::Lines { text, .. }) => {
                    told.push(String::from_utf8_lossy(&text).into_owned());
                }
                Work::Found(other) => told.push(format!("{other:?}")),
                Work::Again => {}
                Work::Later => self.pass(Duration::from_millis(50)),
                Work::Done(_) => return told,
            }
            if told.len() > answers {
                after(&self.faults, &told);
            }
        }
    }

    /// So much time goes by, with a look whenever one is due.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now = self.feed.next_look(self.now).max(self.now + Duration::from_millis(1));
            self.feed.look(self.now);
            self.hear();
            self.looks += 1;
        }
    }
}

#[test]
fn a_fault_that_lasts_costs_a_few_calls_a_second_and_one_word() {
    for fault in Fault::ALL.into_iter().filter(|fault| !matches!(fault, Fault::Interrupted | Fault::Short)) {
        for rotates in [false, true] {
            let mut watched = Watched::new("before\n");
            watched.hear();
            watched.faults.begin(fault, 1, u64::MAX);
            std::fs::write(watched.path(), "before\nunread\n").unwrap();
            if rotates {
                watched.rotate();
            }
            let calls = watched.faults.calls();
            watched.pass(MINUTE);
            let (looks, calls) = (watched.looks, watched.faults.calls() - calls);
            assert!(looks < 600 && calls < 200 * 60, "{fault:?}: {looks} looks, {calls} calls in a minute");
            watched.faults.end();
            watched.pass(Duration::from_secs(1));
            let mut heard = watched.heard;
            // What is open may still be read; that nobody can tell whether it is still the log is worth the word.
            for word in ["missing", "back"] {
                let times = heard.iter().filter(|heard| *heard == word).count();
                assert_eq!(times, 1, "{fault:?}, rotated: {rotates}: {heard:?}");
            }
            heard.retain(|word| word != "missing" && word != "back");
            let expected: &[&str] = match rotates {
                true => &["before\n", "unread\n", "rotated", "rotated\n"],
                false => &["before\n", "unread\n"],
            };
            assert_eq!(heard, expected, "{fault:?}, rotated: {rotates}");
        }
    }
}

#[test]
fn who_is_behind_in_a_rotated_file_on_a_bad_sector_is_told_what_is_missing_and_goes_on() {
    let mut watched = Watched::new("before\n");
    watched.rotate();
    // The head goes on, the viewer does not read yet.
    let late = watched.viewer.clone();
    watched.pass(Duration::from_secs(20));
    (watched.viewer, watched.heard) = (late, Vec::new());
    watched.faults.begin(Fault::BadSector, 1, u64::MAX);
    watched.pass(Duration::from_secs(4));
    assert!(watched.heard.is_empty(), "it may pass: {:?}", watched.heard);
    watched.pass(Duration::from_secs(4));
    // What comes after it the head had read before.
    assert_eq!(watched.heard, ["gap of Some(7)", "rotated", "rotated\n"]);
}

#[test]
fn who_is_behind_in_the_file_at_the_path_waits_as_long_as_it_takes() {
    let mut watched = Watched::new(&"a line\n".repeat(100_000));
    watched.faults.begin(Fault::BadSector, 1, u64::MAX);
    watched.pass(MINUTE);
    assert_eq!(watched.heard, ["missing"]);
    watched.faults.end();
    watched.pass(Duration::from_secs(1));
    watched.heard.retain(|word| word != "missing" && word != "back");
    assert_eq!(watched.heard.concat(), "a line\n".repeat(100_000));
}

/// All of the past, asked for while the disk fails: every line once, the nearest part first.
#[test]
fn while_somebody_asks_for_everything_older() {
    let parts = ["one\n".repeat(20_000), "two\n".repeat(30), "three\n".repeat(5)];
    let (mut wrong, mut plays) = (Vec::new(), 0);
    // Fifteen calls, a quarter of a second apart: that is over before the patience with an older file is.
    for (fault, times) in Fault::ALL.into_iter().flat_map(|fault| [1, 7, 15].map(|times| (fault, times))) {
        for first in 1.. {
            let mut watched = Watched::new(&parts[2]);
            for (part, name) in parts.iter().zip(["app.log.2", "app.log.1"]) {
                std::fs::write(watched.folder.path().join(name), part).unwrap();
            }
            watched.viewer = watched.feed.start(&Start::End, watched.now);
            let before = watched.feed.cursor(&watched.viewer);
            watched.faults.begin(fault, first, times);
            let told = watched.ask(Task::Older { before, lines: 1_000_000 });
            plays += 1;
            if told.iter().rev().map(String::as_str).collect::<String>() != parts.concat() {
                wrong.push(format!("{fault:?} x {times} from call {first} on: {} answers", told.len()));
            }
            if watched.faults.met() == 0 {
                break;
            }
        }
    }
    eprintln!("older: {plays} plays");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whoever begins so many lines before the end has them all, or is told at first that it has not.
#[test]
fn while_a_viewer_begins_before_the_last_lines() {
    let (mut wrong, mut fewer) = (Vec::new(), 0);
    // What may not be read is not looked into.
    for fault in Fault::ALL.into_iter().filter(|&fault| fault != Fault::Denied) {
        for first in 1.. {
            let mut watched = Watched::new("three\n");
            for (text, name) in [("one\n", "app.log.2"), ("two\n", "app.log.1")] {
                std::fs::write(watched.folder.path().join(name), text).unwrap();
            }
            watched.faults.begin(fault, first, 1);
            watched.viewer = watched.feed.start(&Start::Lines(3), watched.now);
            let failed = watched.faults.met() > 0;
            watched.faults.end();
            watched.hear();
            let told = watched.heard.first().is_some_and(|first| first == "gap of None");
            watched.heard.retain(|word| word.ends_with('\n'));
            let all = watched.heard.concat() == "one\ntwo\nthree\n";
            if all == told {
                wrong.push(format!("{fault:?} at call {first}: {:?}, told: {told}", watched.heard));
            }
            fewer += usize::from(!all);
            if !failed {
                assert!(all, "{:?}", watched.heard);
                break;
            }
        }
    }
    assert!(fewer > 0, "a fault keeps somebody from some lines");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_older_file_that_stays_unreadable_is_a_gap_of_its_size_on_the_way_up() {
    let mut watched = Watched::new("three\n");
    for (text, name) in [("one\n", "app.log.3"), ("unread\n", "app.log.2"), ("two\n", "app.log.1")] {
        std::fs::write(watched.folder.path().join(name), text).unwrap();
    }
    watched.viewer = watched.feed.start(&Start::End, watched.now);
    let before = watched.feed.cursor(&watched.viewer);
    let told = watched.ask_and(Task::Older { before, lines: 100 }, |faults, told| match told {
        [.., last] if last == "two\n" => faults.begin(Fault::BadSector, 1, u64::MAX),
        _ => faults.end(),
    });
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[2].contains("bytes: Some(7)"), "{told:?}");
    assert_eq!([told[0].as_str(), &told[1], &told[3]], ["three\n", "two\n", "one\n"]);
}

#[test]
fn nobody_begins_before_it_can_be_told_what_lies_beside_the_log() {
    let (folder, faults, mut now) = (folder(), Faults::anywhere(), Instant::now());
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let feed = |now| {
        let root = Rc::new(Root::wait_for(&Disk::with(&faults), folder.path()));
        Feed::<()>::open(root, "app.log".into(), Rc::default(), now)
    };
    let mut empty = feed(now);
    let nobody = empty.start(&Start::End, now);
    let nowhere = empty.cursor(&nobody);
    write("app.log", "old\n");
    std::fs::rename(folder.path().join("app.log"), folder.path().join("app.log.1")).unwrap();
    write("app.log", "new\n");
    faults.begin(Fault::Broken, 1, u64::MAX);
    let mut feed = feed(now);
    let (mut returned, mut fresh) = (feed.start(&Start::Cursor(nowhere), now), feed.start(&Start::End, now));
    let mut heard = [Vec::new(), Vec::new()];
    for pass in 0..8 {
        if pass == 4 {
            faults.end();
        }
        now += Duration::from_millis(250);
        feed.look(now);
        for (viewer, heard) in [&mut returned, &mut fresh].into_iter().zip(&mut heard) {
            while let Step::Piece(piece, position) = feed.next(viewer, now) {
                heard.push(match &piece.kind {
                    PieceKind::Lines { text, .. } => String::from_utf8_lossy(text).into_owned(),
                    PieceKind::Gap { bytes: None, .. } => "gap".to_owned(),
                    PieceKind::Rotated { .. } => "rotated".to_owned(),
                    PieceKind::Missing { .. } => "missing".to_owned(),
                    PieceKind::Back => "back".to_owned(),
                    other => format!("{other:?}"),
                });
                *viewer = position;
            }
        }
    }
    assert_eq!(heard[0], ["missing", "old\n", "rotated", "new\n", "back"]);
    assert_eq!(heard[1], ["missing", "gap", "back"]);
}

/// Whatever is refused while the log is opened and somebody comes: no late line to the file before it is missed.
#[test]
fn what_came_before_and_may_not_be_read_at_first_is_followed_once_it_may() {
    let mut heard = Vec::new();
    for first in 1.. {
        let mut watched = Watched::new("before\n");
        watched.rotate();
        watched.faults.begin(Fault::Denied, first, 6);
        let root = Rc::new(Root::wait_for(&Disk::with(&watched.faults), watched.folder.path()));
        watched.feed = Feed::open(root, "app.log".into(), Rc::default(), watched.now);
        watched.viewer = watched.feed.start(&Start::End, watched.now);
        let older = watched.folder.path().join("app.log.1");
        std::fs::OpenOptions::new().append(true).open(older).unwrap().write_all(b"late\n").unwrap();
        let met = watched.faults.met();
        watched.faults.end();
        watched.pass(Duration::from_secs(1));
        watched.heard.retain(|word| word != "missing" && word != "back");
        heard.push(watched.heard.concat());
        if met == 0 {
            break;
        }
    }
    // Who came before anybody could tell what there is begins later, and is told so. Where only the file at the path was
    // refused, it is new.
    let allowed = ["late\n", "late\nrotatedrotated\n", "gap of None"];
    assert!(heard.iter().all(|heard| allowed.contains(&heard.as_str())), "{heard:?}");
    assert!(heard.len() > 6 && heard.iter().filter(|heard| *heard == "late\n").count() > 3, "{heard:?}");
}

/// The log was last changed in the same instant, as times are kept, as the archive beside it, and could not be read when it was
/// opened.
#[test]
fn a_log_that_is_as_old_as_the_archive_beside_it_is_read_once_it_can_be() {
    for (first, times) in (1..20).flat_map(|first| (1..6).map(move |times| (first, times))) {
        let (folder, faults, mut now) = (folder(), Faults::anywhere(), Instant::now());
        let at = |name: &str| folder.path().join(name);
        let time = std::time::SystemTime::now();
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(at(name), bytes).unwrap();
            std::fs::File::options().append(true).open(at(name)).unwrap().set_modified(time).unwrap();
        };
        write("app.log.1.gz", &Format::Gzip.pack(b"old\n"));
        write("app.log", b"new\n");
        faults.begin(Fault::Broken, first, times);
        let root = Rc::new(Root::wait_for(&Disk::with(&faults), folder.path()));
        let mut feed: Feed<()> = Feed::open(root, "app.log".into(), Rc::default(), now);
        let mut position = feed.start(&Start::Beginning, now);
        std::fs::rename(at("app.log.1.gz"), at("app.log.2.gz")).unwrap();
        std::fs::rename(at("app.log"), at("app.log.1")).unwrap();
        write("app.log", b"");
        let (mut text, mut gaps) = (String::new(), 0);
        for _ in 0..20 {
            now += Duration::from_millis(300);
            feed.look_now(now);
            while let Step::Piece(piece, next) = feed.next(&position, now) {
                match &piece.kind {
                    PieceKind::Lines { text: lines, .. } => {
                        text.push_str(std::str::from_utf8(lines).unwrap());
                    }
                    PieceKind::Gap { .. } => gaps += 1,
                    _ => {}
                }
                position = next;
            }
        }
        assert!(
            text == "new\n" || text.is_empty() && gaps == 1,
            "{times} from call {first} on: {text:?}, {gaps} gaps"
        );
    }
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
