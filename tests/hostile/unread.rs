//! Peers that never read what they are sent. The memory they cost is bounded, and when they read on, they get what
//! they are due.

use std::fs::OpenOptions;
use std::io::{Read, Write};

use rustix::net::sockopt;

use super::support::rss_bytes;
use super::support::ws::{BINARY, PING, PONG, Raw, TEXT, frame};
use super::{MIB, Scene, say_until_full};

#[test]
fn a_hundred_megabytes_of_pings_whose_pongs_nobody_reads_cost_nothing() {
    for target in ["/tail/app.log", "/ws/echo"] {
        let mut scene = Scene::new();
        let mut raw = Raw::connect(scene.addr(), target);
        let memory = rss_bytes(scene.server.pid());
        let ping = frame(PING, &[b'p'; 125]);
        let (rest, pings) = say_until_full(&raw, &ping, 128 << 20);
        let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
        assert!(memory <= 4 * MIB, "{target}: {memory} bytes for {pings} pings");
        scene.others_notice_nothing();
        // When it reads again, the last ping is answered, whatever has become of those before it.
        let mut pen = raw.stream().try_clone().expect("a socket can be cloned");
        let last = [rest, &frame(PING, b"and now?")].concat();
        let writer = std::thread::spawn(move || pen.write_all(&last));
        if target == "/tail/app.log" {
            assert_eq!(raw.read_text(), "the first line\n");
        }
        let mut pongs = 0;
        while raw.read_frame() != (PONG, b"and now?".to_vec()) {
            pongs += 1;
        }
        writer.join().expect("the writer does not panic").expect("the server listens again");
        assert!(pongs > 0 && pongs <= pings, "{target}: {pongs} pongs for {pings} pings");
    }
}

#[test]
fn an_echo_that_nobody_reads_stops_listening() {
    let mut scene = Scene::new();
    let memory = rss_bytes(scene.server.pid());
    let crowd: Vec<_> = (0..4).map(|_| scene.peer("flood texts /ws/echo deaf")).collect();
    for peer in &crowd {
        scene.hear(peer, "sent");
    }
    scene.others_notice_nothing();
    let mut raw = Raw::connect(scene.addr(), "/ws/echo");
    let text = frame(TEXT, "\u{20ac}".repeat(300).as_bytes());
    let (rest, texts) = say_until_full(&raw, &text, 64 << 20);
    assert!(texts * text.len() < 64 << 20, "somebody who does not read may say {texts} texts");
    scene.others_notice_nothing();
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 4 * MIB, "{memory} bytes");
    // Nothing is lost: as soon as it reads, every text comes back.
    let mut pen = raw.stream().try_clone().expect("a socket can be cloned");
    let rest = rest.to_vec();
    let writer = std::thread::spawn(move || pen.write_all(&rest));
    for _ in 0..texts {
        assert_eq!(raw.read_text().len(), 900);
    }
    writer.join().expect("the writer does not panic").expect("the server listens again");
}

#[test]
fn a_message_that_nobody_reads_is_kept_once() {
    let mut scene = Scene::new();
    let memory = rss_bytes(scene.server.pid());
    let crowd: Vec<Raw> = (0..4)
        .map(|_| {
            let mut raw = Raw::connect(scene.addr(), "/ws/echo");
            raw.send_frame(BINARY, &vec![0x55; 8 << 20]);
            raw
        })
        .collect();
    scene.others_notice_nothing();
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 4 * 2 * 8 * MIB, "{memory} bytes for four messages of 8 MiB");
    drop(crowd);
}

#[test]
fn of_a_message_that_is_mostly_taken_only_the_rest_is_kept() {
    const WHOLE: usize = 16 << 20;
    let mut scene = Scene::new();
    let memory = rss_bytes(scene.server.pid());
    let message = frame(BINARY, &vec![0x55; WHOLE]);
    let mut taken = vec![0; WHOLE / 2 + (1 << 20)];
    let crowd: Vec<Raw> = (0..6)
        .map(|_| {
            let mut raw = Raw::connect(scene.addr(), "/ws/echo");
            // The kernel has no room for the rest.
            sockopt::set_socket_recv_buffer_size(raw.stream(), 64 << 10).expect("a socket option");
            raw.send_raw(&message);
            raw.stream().read_exact(&mut taken).expect("the echo comes");
            raw
        })
        .collect();
    scene.others_notice_nothing();
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(
        memory <= 6 * (WHOLE as u64 / 2) + 16 * MIB,
        "{memory} bytes for the rests of six messages of 16 MiB"
    );
    drop(crowd);
}

#[test]
fn forty_viewers_who_never_read_cost_no_memory_while_the_log_grows() {
    let mut scene = Scene::new();
    let memory = rss_bytes(scene.server.pid());
    let crowd: Vec<Raw> = (0..40).map(|_| Raw::connect(scene.addr(), "/tail/app.log")).collect();
    let mut log = OpenOptions::new().append(true).open(scene.log()).expect("the log is there");
    let block = ("x".repeat(99) + "\n").repeat(10_000);
    for _ in 0..50 {
        log.write_all(block.as_bytes()).expect("a log can be written");
    }
    log.write_all(b"the last line\n").expect("a log can be written");
    // The bystander reads all of it.
    let mut text = String::new();
    while !text.ends_with("the last line\n") {
        text = scene.bystander.read_text();
    }
    scene.others_notice_nothing();
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 12 * MIB, "{memory} bytes for forty viewers of 50 MB");
    drop(crowd);
}
