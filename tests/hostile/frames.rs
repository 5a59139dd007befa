//! Frames, sinned with: lengths that lie, limits, and what is not to be heard of any more. What `tests/rfc6455/` plays
//! rule by rule is not played here again.

use std::time::{Duration, Instant};

use super::support::ws::{BINARY, CLOSE, NO_CODE, PING, PONG, Raw, TEXT, frame};
use super::support::{SOON, cpu_time, open_sockets, rss_bytes, until};
use super::{MIB, Scene};

/// A frame's first byte without FIN, and those of continuations.
const BEGINS: u8 = 0x01;
const CONTINUES: u8 = 0x00;
const ENDS: u8 = 0x80;

/// A frame's header alone, masked with zeroes, with its length in the longest form.
fn claim(first: u8, len: u64) -> Vec<u8> {
    [&[first, 0xff][..], &len.to_be_bytes(), &[0; 4]].concat()
}

#[test]
fn every_first_byte_is_understood_or_fails_the_connection() {
    let mut scene = Scene::new();
    for first in 0..=0xff {
        let mut raw = Raw::connect(scene.addr(), "/ws/echo");
        // As the payload of a close frame this would be the code 24930, which may not be used.
        raw.send_raw(&[frame(first, b"ab"), frame(PING, b"?")].concat());
        match first {
            TEXT | BINARY => {
                assert_eq!(raw.read_frame(), (first, b"ab".to_vec()));
                assert_eq!(raw.read_frame(), (PONG, b"?".to_vec()));
            }
            PING => {
                assert_eq!(raw.read_frame(), (PONG, b"ab".to_vec()));
                assert_eq!(raw.read_frame(), (PONG, b"?".to_vec()));
            }
            // A message begins, or nobody asked: the ping behind it is answered all the same.
            0x01 | 0x02 | PONG => assert_eq!(raw.read_frame(), (PONG, b"?".to_vec()), "{first:#04x}"),
            _ => {
                raw.expect_close(1002);
                raw.expect_eof();
            }
        }
    }
    scene.others_notice_nothing();
}

#[test]
fn a_length_that_lies_is_refused_from_the_header_and_reserves_nothing() {
    let mut scene = Scene::new();
    let (memory, time) = (rss_bytes(scene.server.pid()), cpu_time(scene.server.pid()));
    for target in ["/ws/echo", "/tail/app.log"] {
        for (code, len) in [
            (1002, 1 << 63),
            (1002, u64::MAX),
            // Where a header's length is added, these wrap.
            (1002, u64::MAX - 3),
            (1002, u64::MAX - 13),
            (1009, i64::MAX as u64),
            (1009, (1 << 63) - 14),
            (1009, u64::from(u32::MAX)),
            (1009, u64::from(u32::MAX) + 1),
            (1009, i32::MAX as u64),
            (1009, (16 << 20) + 1),
        ] {
            for (before, first) in [(None, TEXT), (None, BINARY), (None, BEGINS), (Some(BEGINS), ENDS)] {
                let mut raw = Raw::connect(scene.addr(), target);
                if target == "/tail/app.log" {
                    assert_eq!(raw.read_text(), "the first line\n");
                }
                let before = before.map_or(Vec::new(), |before| frame(before, b"so far, so good"));
                raw.send_raw(&[before, claim(first, len), vec![0; 1000]].concat());
                raw.expect_close(code);
                raw.expect_eof();
            }
        }
    }
    let (memory, time) = (
        rss_bytes(scene.server.pid()).saturating_sub(memory),
        cpu_time(scene.server.pid()).saturating_sub(time),
    );
    assert!(memory <= MIB, "{memory} bytes for eighty lies");
    assert!(time <= Duration::from_secs(1), "{time:?} of computing");
    scene.others_notice_nothing();
}

#[test]
fn what_is_only_claimed_is_not_reserved() {
    let mut scene = Scene::new();
    let memory = rss_bytes(scene.server.pid());
    let claims: Vec<Raw> = (0..200)
        .map(|number| {
            let (target, len) =
                if number % 2 == 0 { ("/ws/echo", 16 << 20) } else { ("/tail/app.log", 16 << 10) };
            let mut raw = Raw::connect(scene.addr(), target);
            let header =
                if len > 0xffff { claim(BINARY, len) } else { vec![BINARY, 0xfe, 0x40, 0, 0, 0, 0, 0] };
            raw.send_raw(&[&frame(PING, b"?"), &header[..], b"a"].concat());
            if target == "/tail/app.log" {
                assert_eq!(raw.read_text(), "the first line\n");
            }
            assert_eq!(raw.read_frame(), (PONG, b"?".to_vec()));
            raw
        })
        .collect();
    scene.others_notice_nothing();
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 4 * MIB, "{memory} bytes for two hundred claims of 16 MiB and 16 KiB");
    drop(claims);
}

#[test]
fn a_viewer_may_say_sixteen_kibibytes_in_sixty_four_fragments_and_no_more() {
    let mut scene = Scene::new();
    let viewer = || {
        let mut raw = Raw::connect(scene.addr(), "/tail/app.log");
        assert_eq!(raw.read_text(), "the first line\n");
        raw
    };
    // All that is allowed; and it is heard: a viewer without a sub-protocol that says "ping" is told "pong".
    let mut raw = viewer();
    raw.send_frame(BINARY, &[0; 16 << 10]);
    let fragments: Vec<u8> = "ping".bytes().flat_map(|byte| frame(CONTINUES, &[byte])).collect();
    raw.send_raw(
        &[frame(BEGINS, b""), fragments, frame(CONTINUES, b"").repeat(58), frame(ENDS, b"")].concat(),
    );
    assert_eq!(raw.read_text(), "pong");
    // One byte more, in one frame, of which only the header comes.
    raw.send_raw(&[BINARY, 0xfe, 0x40, 0x01, 0, 0, 0, 0]);
    raw.expect_close(1009);
    raw.expect_eof();
    // One byte more, in two.
    let mut raw = viewer();
    raw.send_frame(BEGINS, &[b'x'; 16 << 10]);
    raw.send_raw(&[ENDS, 0x81]);
    assert_eq!(raw.read_frame_within(Duration::from_millis(50)), None, "the header is not whole yet");
    raw.send_raw(&[0; 4]);
    raw.expect_close(1009);
    raw.expect_eof();
    // One fragment more, with and without anything in it.
    for payload in [&b""[..], b"x"] {
        let mut raw = viewer();
        raw.send_raw(&[frame(BEGINS, payload), frame(CONTINUES, payload).repeat(64)].concat());
        raw.expect_close(1008);
        raw.expect_eof();
    }
    scene.others_notice_nothing();
}

#[test]
fn fragments_cost_what_is_in_them_and_no_more() {
    for payload in [&b""[..], b"x"] {
        let mut scene = Scene::new();
        let memory = rss_bytes(scene.server.pid());
        let fragments = [frame(BEGINS, payload), frame(CONTINUES, payload).repeat(5000)].concat();
        let crowd: Vec<Raw> = (0..100)
            .map(|_| {
                let mut raw = Raw::connect(scene.addr(), "/ws/echo");
                raw.send_raw(&fragments);
                raw.send_frame(PING, b"?");
                assert_eq!(raw.read_frame(), (PONG, b"?".to_vec()), "all of it has been heard");
                raw
            })
            .collect();
        scene.others_notice_nothing();
        let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
        // At most twice what came: 5 KB each.
        let most = MIB + 100 * 2 * 5000 * payload.len() as u64;
        assert!(memory <= most, "{memory} bytes for a hundred times 5000 fragments of {}", payload.len());
        drop(crowd);
    }
}

#[test]
fn nothing_is_heard_any_more_behind_a_sin() {
    let mut scene = Scene::new();
    for sin in [&[0x83, 0x80, 0, 0, 0, 0][..], &[TEXT, 4, b'p', b'i', b'n', b'g'], &claim(TEXT, u64::MAX)] {
        let mut raw = Raw::connect(scene.addr(), "/tail/app.log");
        assert_eq!(raw.read_text(), "the first line\n");
        raw.send_raw(sin);
        raw.expect_close(1002);
        // In pieces of their own, so that no one read of the server can have thrown them away with the sin.
        for _ in 0..10 {
            let more = [frame(TEXT, b"ping"), frame(PING, b"?"), frame(CLOSE, &[3, 232])].concat();
            if raw.try_send_raw(&more).is_err() {
                break;
            }
        }
        raw.expect_eof();
    }
    scene.others_notice_nothing();
}

#[test]
fn an_answer_to_a_close_holds_the_code_and_not_a_byte_more() {
    let scene = Scene::new();
    for (payload, answer) in [
        (vec![], &[CLOSE, 0][..]),
        (vec![3, 232], &[CLOSE, 2, 3, 232]),
        ([&[3, 232][..], &[b'r'; 123]].concat(), &[CLOSE, 2, 3, 232]),
    ] {
        let mut raw = Raw::connect(scene.addr(), "/ws/echo");
        raw.send_frame(CLOSE, &payload);
        assert_eq!(raw.read_to_eof(), answer);
    }
}

#[test]
fn whoever_does_not_leave_after_the_end_is_left() {
    let mut scene = Scene::new();
    let before = open_sockets(scene.server.pid());
    // One talks on, one is silent, one says goodbye and stays.
    let [mut talker, mut silent, mut polite] = [(); 3].map(|()| Raw::connect(scene.addr(), "/ws/echo"));
    talker.send_raw(&[0xff; 2]);
    talker.expect_close(1002);
    silent.send_raw(&[0xff; 2]);
    silent.expect_close(1002);
    silent.expect_eof();
    polite.send_frame(CLOSE, b"");
    polite.expect_close(NO_CODE);
    polite.expect_eof();
    let start = Instant::now();
    let block = frame(BINARY, &[0; 60_000]);
    while talker.try_send_raw(&block).is_ok() {
        assert!(start.elapsed() < SOON, "somebody is listened to for {:?} after the end", start.elapsed());
    }
    until("the server to close its sockets", SOON, || {
        (open_sockets(scene.server.pid()) <= before).then_some(())
    });
    scene.others_notice_nothing();
}
