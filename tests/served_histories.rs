//! The same promise as in `histories.rs`, through the door: a real server, real time, viewers over WebSocket.
//!
//! Whatever happens to a log, and whatever its viewers do: each of them has every byte once, or was told what it misses.
//! Two hundred random histories, fifty at a time on one server; each with its own log, and viewers that connect,
//! read a little, stall, drop and return by their cursor, also after the server was restarted.
#![cfg(feature = "tool")]

#[path = "support/history.rs"]
mod history;
#[path = "support/operations.rs"]
mod operations;
mod support;

use std::time::{Duration, Instant};

use history::{Log, Operation, Record};
use operations::operation;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::v1::{Message, Viewer};
use support::ws::PONG;
use support::{Server, TempDir, temp_dir};
use wiretail::tail::{Cursor, GapReason, PieceKind};

const BATCHES: usize = 4;
const HISTORIES_PER_BATCH: usize = 50;
const EVENTS: usize = 40;
const MOST_VIEWERS: usize = 3;
/// A message that is on its way arrives within this; without one, a viewer that reads goes on to something else.
const MOMENT: Duration = Duration::from_millis(2);
/// In the end everybody has everything within this.
const END: Duration = Duration::from_secs(30);

/// What happens next in one history.
#[derive(Clone, Debug)]
enum Event {
    /// To the log.
    Log(Operation),
    /// A viewer comes, for so many of the last lines.
    Connect(usize),
    /// A viewer reads so many messages, as far as they come.
    Read(usize, usize),
    /// A viewer hangs up without a word, if it is there, and otherwise returns with its cursor.
    DropOrReturn(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        10 => operation().prop_map(Event::Log),
        3 => (0..50_usize).prop_map(Event::Connect),
        8 => (any::<usize>(), 1..6_usize).prop_map(|(viewer, most)| Event::Read(viewer, most)),
        2 => any::<usize>().prop_map(Event::DropOrReturn),
    ]
}

/// One log, and those who watch it.
struct Scene {
    name: String,
    folder: TempDir,
    log: Log,
    viewers: Vec<(Record, Option<Viewer>)>,
    told: Vec<String>,
}

impl Scene {
    fn new(number: usize) -> Self {
        let folder = temp_dir();
        let log = Log::new(folder.path(), number.is_multiple_of(2));
        Self { name: format!("log{number}"), folder, log, viewers: Vec::new(), told: Vec::new() }
    }

    fn source(&self) -> String {
        format!("{}={}", self.name, self.folder.path().join("app.log").display())
    }

    fn play(&mut self, event: &Event, server: &Server) -> Result<(), String> {
        self.told.push(format!("{event:?}"));
        match event {
            Event::Log(operation) => {
                if let Operation::CopyTruncate = operation {
                    self.viewers.iter_mut().for_each(|(record, _)| record.before_copy(&self.log));
                }
                self.log.apply(operation);
            }
            Event::Connect(lines) if self.viewers.len() < MOST_VIEWERS => {
                let target = format!("/tail/{}?lines={lines}", self.name);
                let mut viewer = Viewer::connect(server.addr(), &target);
                let hello = viewer.next(END).ok_or("no hello")?;
                let cursor = cursor(hello, "cursor")?;
                let mut record = Record::default();
                record.begin(&self.log, cursor);
                self.viewers.push((record, Some(viewer)));
            }
            Event::Read(viewer, most) if !self.viewers.is_empty() => {
                self.read(viewer % self.viewers.len(), *most)?;
            }
            Event::DropOrReturn(viewer) if !self.viewers.is_empty() => {
                let viewer = viewer % self.viewers.len();
                if self.viewers[viewer].1.take().is_none() {
                    self.come_back(viewer, server);
                }
            }
            Event::Connect(_) | Event::Read(..) | Event::DropOrReturn(_) => {}
        }
        Ok(())
    }

    fn come_back(&mut self, viewer: usize, server: &Server) {
        let (record, connection) = &mut self.viewers[viewer];
        let token = record.come_back().to_string();
        let target = format!("/tail/{}?from={token}", self.name);
        *connection = Some(Viewer::connect(server.addr(), &target));
    }

    /// Its viewers are not dead, though they do not read for half a minute on a busy machine (RFC 6455 §5.5.3).
    fn show_life(&mut self) {
        let connected = self.viewers.iter_mut().filter_map(|(_, viewer)| viewer.as_mut());
        connected.for_each(|viewer| viewer.raw.send_frame(PONG, b""));
    }

    /// Reads what comes at once, at most `most` messages. True if there was any.
    fn read(&mut self, viewer: usize, most: usize) -> Result<bool, String> {
        let (record, connection) = &mut self.viewers[viewer];
        let Some(connection) = connection else { return Ok(false) };
        for count in 0..most {
            let Some(message) = connection.next(MOMENT) else { return Ok(count > 0) };
            if let Some(piece) = piece(message)? {
                record
                    .receive(&self.log, &piece)
                    .map_err(|why| format!("viewer {viewer}: {why}: {piece:?}"))?;
            }
        }
        Ok(true)
    }

    /// Everybody returns and reads what there is. An error for whoever does not have everything yet.
    fn finish(&mut self, server: &Server) -> Result<(), String> {
        for viewer in 0..self.viewers.len() {
            if self.viewers[viewer].1.is_none() {
                self.come_back(viewer, server);
            }
            while self.read(viewer, 100)? {}
        }
        let check = |(viewer, (record, _)): (usize, &(Record, _))| {
            record.check(&self.log).map_err(|why| format!("viewer {viewer}: {why}"))
        };
        self.viewers.iter().enumerate().try_for_each(check)
    }
}

/// A message of the server as a piece of the log; none for those that are about the connection.
fn piece(message: &Message) -> Result<Option<PieceKind>, String> {
    let bytes = message.value["bytes"].as_u64();
    Ok(Some(match message.kind.as_str() {
        "lines" => PieceKind::Lines {
            from: cursor(message, "from")?,
            to: cursor(message, "to")?,
            text: message.text.as_bytes().into(),
            bytes: bytes.ok_or("lines without their number of bytes")?,
        },
        "gap" => {
            let why = match message.value["why"].as_str() {
                Some("rotated") => GapReason::Rotated,
                Some("truncated") => GapReason::Truncated,
                Some("hole") => GapReason::Hole,
                Some("archive") => GapReason::Archive,
                _ => GapReason::Unknown,
            };
            PieceKind::Gap { from: cursor(message, "from")?, to: cursor(message, "to")?, bytes, why }
        }
        "rotated" => PieceKind::Rotated { at: cursor(message, "cursor")? },
        "truncated" => PieceKind::Truncated { at: cursor(message, "cursor")? },
        _ => return Ok(None),
    }))
}

fn cursor(message: &Message, member: &str) -> Result<Cursor, String> {
    let token = message.value[member].as_str().ok_or_else(|| format!("no {member} in {message:?}"))?;
    token.parse().map_err(|_| format!("{token} is no cursor"))
}

/// Plays one batch of histories, interleaved, with a restart of the server at a random moment.
fn play_batch(runner: &mut TestRunner) {
    let mut scenes: Vec<Scene> = (0..HISTORIES_PER_BATCH).map(Scene::new).collect();
    let sources: Vec<String> = scenes.iter().map(Scene::source).collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let mut server = Server::start(&sources);
    // In every other batch there is none.
    let restart_at = (0..EVENTS * 2).new_tree(runner).expect("a range has values").current();
    for turn in 0..EVENTS {
        if turn == restart_at {
            scenes.iter_mut().flat_map(|scene| &mut scene.viewers).for_each(|(_, viewer)| *viewer = None);
            let status = server.stop();
            assert!(status.success(), "the server ended with {status}");
            server = Server::start(&sources);
        }
        for scene in &mut scenes {
            scene.show_life();
            let event = event().new_tree(runner).expect("events can be drawn").current();
            let played = scene.play(&event, &server);
            played.unwrap_or_else(|why| fail(scene, &why));
        }
    }
    // Round by round, so that nobody waits long enough to be taken for dead. The last character of a renamed file, if
    // it is cut, is held back until that file has been quiet for five seconds.
    let end = Instant::now() + END;
    loop {
        let behind: Vec<(usize, String)> = (0..scenes.len())
            .filter_map(|number| Some((number, scenes[number].finish(&server).err()?)))
            .collect();
        match &behind[..] {
            [] => return,
            [(number, why), ..] if Instant::now() > end => fail(&scenes[*number], why),
            _ => {}
        }
    }
}

fn fail(scene: &Scene, why: &str) -> ! {
    panic!("{}: {why}\nafter:\n  {}", scene.name, scene.told.join("\n  "))
}

#[test]
fn every_viewer_of_a_server_has_every_byte_once_or_was_told_what_it_misses() {
    let seed =
        std::env::var("HISTORIES_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand_seed);
    println!("HISTORIES_SEED={seed} plays these histories again");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&u64::to_le_bytes(seed));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..BATCHES {
        play_batch(&mut runner);
    }
}

fn rand_seed() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("it is after 1970").as_nanos() as u64
}
