//! Hostile peers, played with raw sockets.
#![allow(unused, dead_code)] // TEMP
#![cfg(feature = "tool")]

#[path = "../support/mod.rs"]
mod support;

mod crowds;
mod floods;
mod frames;
mod handshake;
mod unread;

use std::net::SocketAddr;
use std::path::PathBuf;

use support::misbehave::{self, Peer};
use support::ws::{PING, PONG, Raw, TEXT};
use support::{Server, TempDir, temp_dir};

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
        self.bystander.send_frame(PING, b"all well?");
        let answer = loop {
            match self.bystander.read_frame() {
                // It has been silent for a while, and is asked.
                (PING, payload) => self.bystander.send_frame(PONG, &payload),
                other => break other,
            }
        };
        assert_eq!(answer, (PONG, b"all well?".to_vec()));
        let mut newcomer = Raw::connect(self.addr(), "/ws/echo");
        newcomer.send_text("hello");
        assert_eq!(newcomer.read_text(), "hello");
    }
}

#[test]
fn the_misbehaving_peer_leaves_with_whoever_started_it() {
    // In the second process this does not return.
    misbehave::play();
    let scene = Scene::new();
    let peer = scene.peer("hold 10 silent");
    assert_eq!(peer.hear("open", support::SOON), 10);
    assert!(peer.leaves());
}
