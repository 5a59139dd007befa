//! Peers that fall silent.

use std::time::{Duration, Instant};

use super::support::ws::{PING, PONG, Raw, TEXT, frame};
use super::support::{open_sockets, until};
use super::{Scene, say_until_full};

/// A silent peer is asked after this time ...
const PING_AFTER: Duration = Duration::from_secs(15);
/// ... and is gone after this one.
const GONE_AFTER: Duration = Duration::from_secs(25);

#[test]
fn whoever_falls_silent_is_asked_after_15_seconds_and_gone_after_25() {
    let mut scene = Scene::new();
    let before = open_sockets(scene.server.pid());
    let start = Instant::now();
    let open = |target| Raw::connect(scene.addr(), target);
    // Nothing at all; half a header; half a frame; half a message; and one who asks but takes no answer.
    let mut silent =
        [open("/ws/echo"), open("/tail/app.log"), open("/ws/echo"), open("/ws/echo"), open("/ws/echo")];
    assert_eq!(silent[1].read_text(), "the first line\n");
    silent[2].send_raw(&[TEXT]);
    silent[3].send_raw(&frame(TEXT, b"never finished")[..10]);
    silent[4].send_raw(&frame(0x01, b"never finished"));
    let deaf = open("/ws/echo");
    say_until_full(&deaf, &frame(TEXT, &[b'x'; 10_000]), 256 << 20);
    // Somebody who answers stays.
    let mut alive = open("/ws/echo");
    assert!(open_sockets(scene.server.pid()) >= before + 7);

    for raw in &mut silent {
        assert_eq!(raw.read_frame_within(2 * PING_AFTER), Some((PING, Vec::new())));
    }
    let asked = start.elapsed();
    assert!(asked >= PING_AFTER - Duration::from_millis(100), "asked after {asked:?}");
    assert_eq!(alive.read_frame_within(PING_AFTER), Some((PING, Vec::new())));
    alive.send_frame(PONG, b"");
    until("the silent ones to be gone", 2 * GONE_AFTER, || {
        // The bystander answers, too.
        if let Some((PING, payload)) = scene.bystander.read_frame_within(Duration::from_millis(20)) {
            scene.bystander.send_frame(PONG, &payload);
        }
        (open_sockets(scene.server.pid()) <= before + 1).then_some(())
    });
    let gone = start.elapsed();
    assert!(gone >= GONE_AFTER - Duration::from_millis(100), "gone after {gone:?}");
    for raw in &mut silent {
        raw.expect_eof();
    }
    alive.send_text("still here");
    assert_eq!(alive.read_text(), "still here");
    scene.others_notice_nothing();
}
