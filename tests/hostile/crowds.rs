//! Peers that come in numbers: half-open ones, those that come and go, and more than there are descriptors for.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use super::support::ws::{PING, PONG, Raw, upgrade_request};
use super::support::{SOON, cpu_time, open_files, peak_rss_bytes, rss_bytes, until};
use super::{MIB, PATIENCE, Scene, next_but_pings};

#[test]
fn ten_thousand_who_send_all_but_the_end_of_the_longest_head_cost_64_mib_at_most() {
    let mut scene = Scene::new();
    let memory = rss_bytes(scene.server.pid());
    let crowd = scene.peer("hold 10000 full");
    assert_eq!(scene.hear(&crowd, "open"), 10_000);
    scene.others_are_served_within(PATIENCE);
    // Each is told that its time is up, unless it had to make room for others.
    let refused = scene.hear(&crowd, "refused");
    assert_eq!(scene.hear(&crowd, "ended"), 10_000);
    assert!(refused > 0, "nobody had to wait for five seconds");
    let memory = peak_rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 64 * MIB, "{memory} bytes for ten thousand");
    scene.others_notice_nothing();
}

#[test]
fn thousands_who_come_and_go_leave_nothing_behind() {
    let mut scene = Scene::new();
    let come_and_go = |scene: &mut Scene, count: u64| {
        for how in ["visits", "resets", "conversations"] {
            let peer = scene.peer(&format!("churn {count} {how}"));
            assert_eq!(scene.hear(&peer, "done"), count, "{how}");
        }
    };
    come_and_go(&mut scene, 300);
    let (memory, files) = (rss_bytes(scene.server.pid()), open_files(scene.server.pid()).len());
    come_and_go(&mut scene, 2000);
    until("the descriptors to be closed", SOON, || {
        (open_files(scene.server.pid()).len() <= files).then_some(())
    });
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= MIB, "{memory} bytes for six thousand visitors");
    scene.others_notice_nothing();
}

/// Leaves the server `more` descriptors beside those that it has open.
fn leave_descriptors(scene: &Scene, more: u64) {
    let open = open_files(scene.server.pid()).len() as u64;
    let pid = Pid::from_raw(i32::try_from(scene.server.pid()).expect("a process id"));
    let limit = Rlimit { current: Some(open + more), maximum: getrlimit(Resource::Nofile).maximum };
    prlimit(pid, Resource::Nofile, limit).expect("the limits of a child can be lowered");
}

#[test]
fn when_descriptors_run_out_the_oldest_half_open_ones_make_room() {
    let mut scene = Scene::new();
    leave_descriptors(&scene, 20);
    // Half-open ones, twice as many as there is room for.
    let crowd: Vec<Raw> = (0..40).map(|_| Raw::open(scene.addr())).collect();
    let start = Instant::now();
    scene.others_notice_nothing();
    // The first of them have gone, long before their time was up, and without a word.
    for mut raw in crowd.into_iter().take(20) {
        raw.expect_eof();
    }
    assert!(start.elapsed() < Duration::from_secs(4), "they were not waited for: {:?}", start.elapsed());
    scene.others_notice_nothing();
}

/// Takes all descriptors that the server has left, with connections that have settled.
fn take_every_descriptor(scene: &Scene) -> Vec<Raw> {
    leave_descriptors(scene, 10);
    let mut crowd = Vec::new();
    // While a folder is looked at, a descriptor more is open, so their number is not known beforehand.
    while crowd.len() < 20 {
        let mut raw = Raw::open(scene.addr());
        raw.send_raw(upgrade_request(scene.addr(), "/ws/echo", &[]).as_bytes());
        match raw.read_head().status {
            101 => crowd.push(raw),
            503 => return crowd,
            other => panic!("{other}"),
        }
    }
    panic!("there is no end to them");
}

#[test]
fn when_all_descriptors_are_in_good_use_newcomers_are_told_and_nothing_spins() {
    let mut scene = Scene::new();
    let mut good = take_every_descriptor(&scene);
    for _ in 0..100 {
        let mut newcomer = Raw::open(scene.addr());
        assert_eq!(newcomer.read_head().status, 503);
        newcomer.read_to_eof();
    }
    let time = cpu_time(scene.server.pid());
    std::thread::sleep(Duration::from_secs(1));
    let time = cpu_time(scene.server.pid()).saturating_sub(time);
    assert!(time <= Duration::from_millis(200), "{time:?} of computing in a second in which nobody came");
    // Those who are in notice nothing.
    for raw in &mut good {
        raw.send_frame(PING, b"?");
        assert_eq!(next_but_pings(raw, SOON), Some((PONG, b"?".to_vec())));
    }
    // One leaves, and the next one is let in.
    good.pop();
    until("the door to open again", SOON, || {
        let mut newcomer = Raw::open(scene.addr());
        newcomer.try_send_raw(upgrade_request(scene.addr(), "/ws/echo", &[]).as_bytes()).ok()?;
        (newcomer.read_head().status == 101).then_some(())
    });
    drop(good);
    scene.others_notice_nothing();
}

#[test]
fn a_file_for_which_no_descriptor_was_left_is_opened_when_there_is_one() {
    let mut scene = Scene::new();
    let mut good = take_every_descriptor(&scene);
    // One leaves, and a viewer takes its place: now nothing is left for the log that it wants to see.
    good.pop();
    let v1 = [("Sec-WebSocket-Protocol", "wiretail.v1")];
    let mut viewer = until("the door to open again", SOON, || {
        let mut raw = Raw::open(scene.addr());
        raw.try_send_raw(upgrade_request(scene.addr(), "/tail/other.log", &v1).as_bytes()).ok()?;
        (raw.read_head().status == 101).then_some(raw)
    });
    for message in ["{\"hello\"", "{\"missing\""] {
        let text = viewer.read_text();
        assert!(text.starts_with(message), "{text}");
    }
    // Meanwhile the log of the bystander is rotated, and nothing is left for the new file either.
    let rotated = scene.folder.path().join("app.log.1");
    std::fs::rename(scene.log(), rotated).expect("a log can be renamed");
    std::fs::write(scene.log(), "in the new file\n").expect("a log can be written");
    assert_eq!(scene.bystander.read_frame_within(Duration::from_millis(500)), None);
    drop(good);
    assert_eq!(scene.bystander.read_text(), "in the new file\n");
    let mut text = viewer.read_text();
    while !text.ends_with("another first line\n") {
        text = viewer.read_text();
    }
    scene.others_notice_nothing();
}
