//! Hostile peers, played with raw sockets against the program: what each of them gets, within which time, and that the
//! others notice nothing of it.
//!
//! | what they do | file |
//! |---|---|
//! | no handshake, a wrong one, or one that never ends | `handshake.rs` |
//! | bodies that are slow, long, or not as long as they are said to be | `bodies.rs` |
//! | wrong frames, and lengths that lie | `frames.rs` |
//! | bombs, broken blocks, nothing in many words | `deflate.rs` |
//! | more than anybody can answer | `floods.rs` |
//! | too many of them | `crowds.rs` |
//! | patterns and requests that cost much | `filters.rs` |
//! | they do not read | `unread.rs` |
//! | they fall silent | `absent.rs` |
//!
//! Whose mistake each of them was first, and which test plays it, is in `lessons.rs`: everything that was found to have
//! gone wrong in other servers of this kind and in viewers of logs. What the RFCs forbid is played rule by rule in
//! `tests/rfc6455/` and `tests/rfc7692.rs`; here it is what the rules do not speak of: time, memory, descriptors, and
//! everybody else.
//!
//! Floods and crowds come from processes of their own: see `tests/support/misbehave.rs`.
#![cfg(feature = "tool")]

#[path = "../support/mod.rs"]
mod support;

mod absent;
mod bodies;
mod crowds;
mod deflate;
mod filters;
mod floods;
mod frames;
mod handshake;
mod lessons;
mod unread;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use support::misbehave::{self, Peer};
use support::ws::{PING, PONG, Raw, TEXT, upgrade_request};
use support::{SOON, Server, TempDir, temp_dir};

const MIB: u64 = 1 << 20;

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program with two logs, and somebody who behaves and must notice nothing of what the others do.
struct Scene {
    server: Server,
    bystander: Raw,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = temp_dir();
        let path = folder.path().join("app.log");
        std::fs::write(&path, "the first line\n").expect("a log can be written");
        let other = folder.path().join("other.log");
        std::fs::write(&other, "another first line\n").expect("a log can be written");
        let server = Server::start(&[&path, &other].map(|path| path.to_str().expect("a path of ASCII")));
        let mut bystander = Raw::connect(server.addr(), "/tail/app.log");
        assert_eq!(bystander.read_text(), "the first line\n");
        Self { server, bystander, folder }
    }

    fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The log that is served.
    fn log(&self) -> PathBuf {
        self.folder.path().join("app.log")
    }

    /// Another one that misbehaves, in a process of its own.
    fn peer(&self, part: &str) -> Peer {
        Peer::start(part, self.addr())
    }

    /// The number that `peer` reports with that word: see [`Peer::hear`]. The bystander stays alive meanwhile.
    #[track_caller]
    fn hear(&mut self, peer: &Peer, word: &str) -> u64 {
        const STEP: Duration = Duration::from_secs(1);
        for _ in 0..PATIENCE.as_secs() {
            if let Some(number) = peer.hear(word, STEP) {
                return number;
            }
            self.sign_of_life();
        }
        panic!("the misbehaving peer did not report `{word}` within {PATIENCE:?}");
    }

    /// The bystander says that it is there, before the server asks.
    fn sign_of_life(&mut self) {
        self.bystander.send_frame(PONG, b"");
    }

    /// The bystander asks, and is answered; a newcomer finds the door open.
    #[track_caller]
    fn others_notice_nothing(&mut self) {
        self.others_are_served_within(SOON);
    }

    /// The same, where the server has so much to do that a busy machine needs more time for it.
    #[track_caller]
    fn others_are_served_within(&mut self, within: Duration) {
        self.bystander.send_frame(PING, b"all well?");
        let answer = next_but_pings(&mut self.bystander, within);
        assert_eq!(answer, Some((PONG, b"all well?".to_vec())));
        let mut newcomer = Raw::open(self.addr());
        newcomer.send_raw(upgrade_request(self.addr(), "/ws/echo", &[]).as_bytes());
        newcomer.stream().set_read_timeout(Some(within)).expect("a socket option");
        newcomer.stream().peek(&mut [0]).expect("the door is open");
        assert_eq!(newcomer.read_head().status, 101);
        newcomer.send_text("hello");
        assert_eq!(newcomer.read_frame_within(within), Some((TEXT, b"hello".to_vec())));
    }
}

/// The next frame that is not a ping. A ping is answered: on a busy machine anybody may be silent for so long that the
/// server asks.
#[track_caller]
fn next_but_pings(raw: &mut Raw, within: Duration) -> Option<(u8, Vec<u8>)> {
    loop {
        match raw.read_frame_within(within) {
            Some((PING, payload)) => raw.send_frame(PONG, &payload),
            other => return other,
        }
    }
}

/// Says `words` again and again, until `most` bytes are said or the server stops listening, and stops behind a whole
/// one. Gives what is still to be said of the last one, and how many are said with it.
fn say_until_full<'w>(raw: &Raw, words: &'w [u8], most: usize) -> (&'w [u8], usize) {
    let mut stream = raw.stream();
    stream.set_write_timeout(Some(Duration::from_millis(500))).expect("a socket option");
    let block = words.repeat((64 << 10) / words.len());
    let mut said = 0;
    'full: while said < most {
        let mut rest = &block[said % words.len()..];
        while !rest.is_empty() {
            // A timeout: the server has not listened for half a second.
            let Ok(taken) = stream.write(rest) else { break 'full };
            said += taken;
            rest = &rest[taken..];
        }
    }
    stream.set_write_timeout(Some(SOON)).expect("a socket option");
    let begun = said % words.len();
    (&words[if begun == 0 { words.len() } else { begun }..], said.div_ceil(words.len()))
}

#[test]
fn the_misbehaving_peer_leaves_with_whoever_started_it() {
    // In the second process this does not return.
    misbehave::play();
    let mut scene = Scene::new();
    let peer = scene.peer("hold 10 silent");
    assert_eq!(scene.hear(&peer, "open"), 10);
    assert!(peer.leaves());
}
