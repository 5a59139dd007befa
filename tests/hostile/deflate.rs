//! permessage-deflate, sinned with (RFC 7692): bombs, blocks that are broken, blocks of nothing, and contexts that are
//! made to be kept. What `tests/rfc7692.rs` plays rule by rule is not played here again.

use std::time::Duration;

use super::support::deflate::{
    BOMB_RATIO, COMPRESSED_BINARY, COMPRESSED_TEXT, END_OF_STREAM, NOTHING, bomb, eight_tables, ended,
    mebibyte,
};
use super::support::ws::{CLOSE, PING, PONG, Raw, TEXT, frame};
use super::support::{SOON, cpu_time, peak_rss_bytes, rss_bytes};
use super::{MIB, Scene, next_but_pings};

/// A frame's first byte: a compressed message begins, and goes on.
const COMPRESSED_BEGINS: u8 = 0x42;
const CONTINUES: u8 = 0x00;
/// "Hello", and "Hello" again by referring to the first one (RFC 7692 §7.2.3.1, §7.2.3.2).
const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
const AGAIN: &[u8] = b"\xf2\x00\x11\x00\x00";

/// A WebSocket with compression; of a log's, the first line has been read.
#[track_caller]
fn compressing(scene: &Scene, target: &str) -> Raw {
    let mut raw =
        Raw::connect_with(scene.addr(), target, &[("Sec-WebSocket-Extensions", "permessage-deflate")]);
    assert!(raw.head.fields.get("Sec-WebSocket-Extensions").is_some(), "{target} compresses");
    if target.starts_with("/tail/") {
        assert_eq!(raw.read_text(), "the first line\n");
    }
    raw
}

#[test]
fn a_bomb_is_inflated_to_the_limit_and_not_a_step_further() {
    let mut scene = Scene::new();
    let (memory, time) = (rss_bytes(scene.server.pid()), cpu_time(scene.server.pid()));
    // A hundred viewers, a GiB altogether; the limit is 16 KiB each.
    for _ in 0..100 {
        let mut raw = compressing(&scene, "/tail/app.log");
        raw.send_frame(COMPRESSED_TEXT, &bomb(10_000));
        raw.expect_close(1009);
        raw.expect_eof();
    }
    let taken = peak_rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(taken <= 2 * MIB, "{taken} bytes for viewers' bombs");
    let time = cpu_time(scene.server.pid()).saturating_sub(time);
    assert!(time <= Duration::from_secs(2), "{time:?} of computing");
    // Echoes, where the limit is 16 MiB: whole, in fragments, and with every fragment within the limit.
    let whole = frame(COMPRESSED_BINARY, &bomb(20_000));
    let fragments: Vec<u8> = bomb(20_000)
        .chunks(100)
        .enumerate()
        .flat_map(|(at, piece)| frame(if at == 0 { COMPRESSED_BEGINS } else { CONTINUES }, piece))
        .collect();
    const { assert!(20_000 * BOMB_RATIO > 16 << 20) };
    for bomb in [whole, fragments] {
        let mut raw = compressing(&scene, "/ws/echo");
        raw.send_raw(&bomb);
        raw.expect_close(1009);
        raw.expect_eof();
    }
    // At most twice the limit: what is gathered, and while it moves to a larger place, where it was.
    let taken = peak_rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(taken <= 2 * 16 * MIB + 4 * MIB, "{taken} bytes for echoes' bombs");
    scene.others_notice_nothing();
}

#[test]
fn many_messages_that_are_each_within_the_limit_are_heard_one_after_the_other() {
    let mut scene = Scene::new();
    let mut raw = compressing(&scene, "/ws/echo");
    let memory = rss_bytes(scene.server.pid());
    let mut pen = raw.stream().try_clone().expect("a socket can be cloned");
    let words = [frame(COMPRESSED_BINARY, &mebibyte()).repeat(20), frame(PING, b"and now?")].concat();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut pen, &words));
    scene.others_notice_nothing();
    for _ in 0..20 {
        let (first, payload) = raw.read_frame();
        assert!(first == COMPRESSED_BINARY && payload.len() < 64 * 1024, "{first:#04x}, {}", payload.len());
    }
    assert_eq!(raw.read_frame(), (PONG, b"and now?".to_vec()));
    writer.join().expect("the writer does not panic").expect("the server listens");
    let memory = peak_rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 8 * MIB, "{memory} bytes for twenty messages of a MiB");
}

#[test]
fn blocks_that_are_broken_fail_with_1007_and_nothing_is_heard_behind_them() {
    let mut scene = Scene::new();
    let empty_tables = [&[0x04][..], &[0; 60]].concat();
    for (what, payload) in [
        ("a type of block that is none", &[0x06][..]),
        ("a type of block that is none, and says that it is the last", &[0x07]),
        ("a stored block whose length is not what it says", b"\x00\x05\x00\x00\x00Hello"),
        ("a reference to what is not there", AGAIN),
        ("tables with too many codes", b"\xfc\xff\xff\xff\xff\xff\xff\xff"),
        ("tables that are empty", &empty_tables),
        ("a code that stands for nothing", b"\x1a\xff\xff\xff"),
        ("noise", &[0xff; 500]),
        ("text as it is", b"not compressed at all"),
        ("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xf3\x48\xcd\xc9\xc9\x07\x00"),
        ("zlib", b"\x78\x9c\xf3\x48\xcd\xc9\xc9\x07\x00\x05\x8c\x01\xf5"),
    ] {
        for target in ["/ws/echo", "/tail/app.log"] {
            let mut raw = compressing(&scene, target);
            let behind = [frame(TEXT, b"ping"), frame(PING, b"?")].concat();
            raw.send_raw(&[frame(COMPRESSED_BINARY, payload), behind].concat());
            assert_eq!(raw.read_frame().1.get(..2), Some(&1007u16.to_be_bytes()[..]), "{what}: {target}");
            raw.expect_eof();
        }
    }
    scene.others_notice_nothing();
}

#[test]
fn a_viewer_that_has_promised_not_to_refer_back_cannot() {
    let mut scene = Scene::new();
    let mut raw = compressing(&scene, "/tail/app.log");
    let agreed = raw.head.fields.get("Sec-WebSocket-Extensions").expect("it was agreed on");
    assert!(agreed.contains("client_no_context_takeover"), "{agreed}");
    raw.send_frame(COMPRESSED_TEXT, HELLO);
    raw.send_frame(PING, b"heard?");
    assert_eq!(raw.read_frame(), (PONG, b"heard?".to_vec()));
    raw.send_frame(COMPRESSED_TEXT, AGAIN);
    raw.expect_close(1007);
    raw.expect_eof();
    scene.others_notice_nothing();
}

#[test]
fn a_message_of_nothing_in_many_words_is_refused_from_its_header() {
    let mut scene = Scene::new();
    let time = cpu_time(scene.server.pid());
    for nothing in
        [END_OF_STREAM.repeat(10_000), ended(&NOTHING.repeat(4000)), ended(&eight_tables().repeat(30))]
    {
        assert!(nothing.len() > (16 << 10) * 9 / 8 + 1024);
        // To a viewer: from the header of the frame that goes too far, whether it is the first or not.
        let mut raw = compressing(&scene, "/tail/app.log");
        let whole = frame(COMPRESSED_TEXT, &nothing);
        raw.send_raw(&whole[..whole.len() - nothing.len()]);
        raw.expect_close(1009);
        raw.expect_eof();
        let mut raw = compressing(&scene, "/tail/app.log");
        let (one, other) = nothing.split_at(10_000);
        raw.send_frame(COMPRESSED_BEGINS, one);
        raw.send_raw(&frame(CONTINUES, &[other, other].concat())[..8]);
        raw.expect_close(1009);
        raw.expect_eof();
        // To an echo it is nothing, and said back as that.
        let mut raw = compressing(&scene, "/ws/echo");
        raw.send_raw(&whole);
        assert_eq!(raw.read_frame(), (TEXT, Vec::new()));
    }
    let time = cpu_time(scene.server.pid()).saturating_sub(time);
    assert!(time <= Duration::from_secs(1), "{time:?} of computing");
    scene.others_notice_nothing();
}

#[test]
fn half_a_compressed_message_costs_an_inflater_and_a_whole_one_nothing() {
    let mut scene = Scene::new();
    let memory = rss_bytes(scene.server.pid());
    let mut crowd: Vec<Raw> = (0..100)
        .map(|_| {
            let mut raw = compressing(&scene, "/tail/app.log");
            raw.send_raw(&[frame(0x41, HELLO), frame(PING, b"?")].concat());
            assert_eq!(raw.read_frame(), (PONG, b"?".to_vec()));
            raw
        })
        .collect();
    let halves = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(halves <= 100 * 64 * 1024 + MIB, "{halves} bytes for a hundred halves");
    for raw in &mut crowd {
        // One that ends, and then many more, by as many others: nothing is left of any.
        raw.send_raw(
            &[frame(0x80, b""), frame(COMPRESSED_TEXT, HELLO).repeat(10), frame(PING, b"?")].concat(),
        );
        assert_eq!(next_but_pings(raw, SOON), Some((PONG, b"?".to_vec())));
    }
    let wholes = peak_rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(wholes <= halves + MIB, "{wholes} bytes for a hundred halves that became whole");
    scene.others_notice_nothing();
}

#[test]
fn contexts_that_echoes_keep_are_bounded_all_together() {
    let mut scene = Scene::new();
    let memory = rss_bytes(scene.server.pid());
    // Each makes the server keep a compressor and an inflater, some 350 KiB: for a thousand there is no room.
    let message = "a message that is long enough to be compressed again ".repeat(10);
    let mut crowd: Vec<Raw> = Vec::new();
    let mut turned_away = 0;
    while turned_away < 10 {
        assert!(crowd.len() < 1000, "there is no end to them");
        let mut raw = compressing(&scene, "/ws/echo");
        raw.send_raw(&[frame(COMPRESSED_TEXT, HELLO), frame(TEXT, message.as_bytes())].concat());
        assert_eq!(raw.read_text(), "Hello");
        assert_eq!(raw.read_frame().0, COMPRESSED_TEXT);
        raw.send_frame(PING, b"?");
        match raw.read_frame() {
            (PONG, _) => crowd.push(raw),
            (CLOSE, payload) => {
                assert_eq!(payload[..2], 1013u16.to_be_bytes(), "try again later");
                turned_away += 1;
            }
            other => panic!("{other:?}"),
        }
        // However long it takes, those who are in stay: a sign of life now and then.
        if crowd.len() % 50 == 49 {
            crowd.iter_mut().for_each(|raw| raw.send_frame(PONG, b""));
            scene.sign_of_life();
        }
    }
    let memory = peak_rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 320 * MIB, "{memory} bytes for contexts");
    assert!(crowd.len() > 100, "the tenth was turned away when only {} were in", crowd.len());
    scene.others_notice_nothing();
}
