//! A log that is rotated while it is written to, in each of the ways in which that is done: lines lost and repeated. All
//! servers follow the same log at once.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::script::{LINE, append, line};
use super::servers::{From, Kind, Running};
use super::stream::{Stream, Then};
use super::support;
use super::table::{Row, Wanted};
use super::tally::Tally;

const VIEWERS: usize = 3;
const ROTATIONS: u32 = 3;
const EVERY: Duration = Duration::from_secs(2);
/// How long the last lines may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How a log is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rotation {
    /// Renamed and created anew, and the writer goes on in the new file.
    Renamed,
    /// The same, but the writer keeps to the old file for 300 ms: logrotate's `create`, before the program is told.
    RenamedLate,
    /// Copied, and cut to nothing: logrotate's `copytruncate`.
    Copied,
    /// Cut to nothing, and at once grown past its old size.
    Regrown,
}

impl Rotation {
    fn words(self) -> &'static str {
        match self {
            Self::Renamed => "renamed and created anew",
            Self::RenamedLate => "renamed, the writer 300 ms late",
            Self::Copied => "copied and truncated",
            Self::Regrown => "truncated, at once longer than before",
        }
    }

    /// Lines a second.
    fn rate(self) -> u32 {
        if self == Self::Regrown { 2 } else { 500 }
    }
}

pub(crate) fn rotation(wanted: Wanted) -> Vec<Row> {
    let all = [Rotation::Renamed, Rotation::RenamedLate, Rotation::Copied, Rotation::Regrown];
    all.into_iter().map(|rotation| row(wanted, rotation)).collect()
}

fn row(wanted: Wanted, rotation: Rotation) -> Row {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    append(&path);
    let kinds = wanted.kinds();
    let mut servers: Vec<Running> =
        kinds.iter().map(|&kind| Running::start(kind, &path, &[], From::Beginning)).collect();
    let mut poll = Poll::new().expect("a poll");
    let mut viewers = Vec::new();
    for (server, &kind) in servers.iter_mut().zip(&kinds) {
        for _ in 0..VIEWERS {
            let mut tally = Tally::default();
            let source = server.open(From::Beginning);
            let stream = Stream::new(source, kind, &poll, viewers.len(), |bytes| tally.take(bytes));
            viewers.push((kind, stream, tally));
        }
    }
    let writer = std::thread::spawn(move || write(&path, rotation));
    let (mut events, mut buffer) = (Events::with_capacity(64), vec![0; 1 << 16]);
    let mut end = None;
    while end.is_none_or(|end| Instant::now() < end) {
        if end.is_none() && writer.is_finished() {
            end = Some(Instant::now() + PATIENCE);
        }
        poll.poll(&mut events, Some(Duration::from_millis(100))).expect("a poll");
        for event in &events {
            let (_, stream, tally) = &mut viewers[event.token().0];
            while stream.read(&mut buffer, |bytes| tally.take(bytes)) == Then::More {}
        }
    }
    let written = writer.join().expect("the log was written");
    let told = |kind: Kind| {
        let tallies = || viewers.iter().filter(|(by, ..)| *by == kind).map(|(.., tally)| tally);
        let lost: usize = tallies().map(|tally| written - tally.different()).sum();
        let repeated: usize = tallies().map(Tally::too_many).sum();
        let percent = lost as f64 / (written * VIEWERS) as f64 * 100.0;
        format!("{lost} ({percent:.1} %) / {repeated}")
    };
    let reached: Vec<_> = kinds.iter().map(|&kind| (kind, told(kind))).collect();
    for (kind, told) in &reached {
        println!("rotation {}, {}: lost / repeated {told}", rotation.words(), kind.name());
    }
    let work = format!("rotation: {}, {} lines/s: lost / repeated", rotation.words(), rotation.rate());
    Row { work, goal: "0 / 0", reached, command: "rotation" }
}

/// Writes until after the last rotation; returns how many lines.
fn write(path: &Path, rotation: Rotation) -> usize {
    let mut file = append(path);
    let (begin, mut rotations, mut number) = (Instant::now(), 0, 0);
    // The new file, once it is there, and when the writer goes over to it.
    let mut next: Option<(File, Instant)> = None;
    while begin.elapsed() < EVERY * (ROTATIONS + 1) {
        if rotations < ROTATIONS && begin.elapsed() >= EVERY * (rotations + 1) {
            rotations += 1;
            let later = Duration::from_millis(if rotation == Rotation::RenamedLate { 300 } else { 0 });
            match rotation {
                Rotation::Renamed | Rotation::RenamedLate => {
                    make_room(path);
                    fs::rename(path, path.with_extension("log.1")).expect("a log can be renamed");
                    next = Some((append(path), Instant::now() + later));
                }
                Rotation::Copied => {
                    make_room(path);
                    fs::copy(path, path.with_extension("log.1")).expect("a log can be copied");
                    file.set_len(0).expect("a log can be cut");
                }
                Rotation::Regrown => {
                    let lines = file.metadata().expect("an open file").len() as usize / LINE + 1;
                    let text: Vec<u8> =
                        (number..number + lines).flat_map(|number| line(number, LINE)).collect();
                    file.set_len(0).expect("a log can be cut");
                    file.write_all(&text).expect("a log can be written");
                    number += lines;
                }
            }
        }
        if let Some((new, _)) = next.take_if(|(_, when)| *when <= Instant::now()) {
            file = new;
        }
        file.write_all(&line(number, LINE)).expect("a log can be written");
        number += 1;
        std::thread::sleep(Duration::from_secs(1) / rotation.rate());
    }
    number
}

/// The rotated files move up by one.
fn make_room(path: &Path) {
    for older in (1..ROTATIONS).rev() {
        let name = |number: u32| path.with_extension(format!("log.{number}"));
        // There is none of that number yet.
        let _ = fs::rename(name(older), name(older + 1));
    }
}
