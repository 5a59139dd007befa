//! Hostile peers, played with raw sockets.
#![cfg(feature = "tool")]

#[path = "../support/mod.rs"]
mod support;

mod absent;
mod crowds;
mod deflate;
mod floods;
mod frames;
mod handshake;
mod unread;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use support::misbehave::{self, Peer};
use support::ws::{PING, PONG, Raw, TEXT, upgrade_request};
use support::{SOON, Server, TempDir, temp_dir};

const MIB: u64 = 1 << 20;

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

    /// The bystander asks, and is answered; a newcomer finds the door open.
    #[track_caller]
    fn others_notice_nothing(&mut self) {
        self.others_are_served_within(SOON);
    }

    /// The same, where the server has so much to do that a busy machine needs more time for it.
    #[track_caller]
    fn others_are_served_within(&mut self, within: Duration) {
        self.bystander.send_frame(PING, b"all well?");
        let answer = loop {
            match self.bystander.read_frame_within(within) {
                // It has been silent for a while, and is asked.
                Some((PING, payload)) => self.bystander.send_frame(PONG, &payload),
                other => break other,
            }
        };
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
    let scene = Scene::new();
    let peer = scene.peer("hold 10 silent");
    assert_eq!(peer.hear("open", SOON), 10);
    assert!(peer.leaves());
}
