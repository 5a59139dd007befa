//! Peers that say more than anybody can answer.

use std::time::{Duration, Instant};

use super::Scene;
use super::support::SOON;
use super::support::ws::{PING, PONG, Raw};

#[test]
fn under_four_flooding_peers_a_fifth_is_answered_within_50_ms() {
    for flood in [
        "pings /ws/echo reading",
        "pings /tail/app.log deaf",
        "fat-pings /ws/echo deaf",
        "pongs /ws/echo deaf",
        "tiny-frames /ws/echo reading",
        "texts /ws/echo reading",
        "texts /tail/app.log reading",
        "empty-fragments /ws/echo reading",
        "one-byte-fragments /ws/echo reading",
        "one-byte-fragments /tail/app.log reading",
        "requests / reading",
        "requests / deaf",
        "newcomers /ws/echo reading",
    ] {
        let mut scene = Scene::new();
        let peers: Vec<_> = (0..4).map(|_| scene.peer(&format!("flood {flood}"))).collect();
        for peer in &peers {
            peer.hear("sent", SOON);
        }
        let start = Instant::now();
        let mut all = Vec::new();
        let cpu = super::support::cpu_time(scene.server.pid());
        while start.elapsed() < Duration::from_millis(2000) {
            all.push(round_trip(&mut scene.bystander));
        }
        let cpu = super::support::cpu_time(scene.server.pid()) - cpu;
        all.sort();
        let sent: Vec<_> = peers.iter().map(|p| p.reports()).collect();
        eprintln!(
            "{flood}: n={} median {:?} p99 {:?} worst {:?} cpu {cpu:?} sent {sent:?}",
            all.len(),
            all[all.len() / 2],
            all[all.len() * 99 / 100],
            all.last().unwrap()
        );
    }
}

/// How long the answer to a ping takes.
fn round_trip(raw: &mut Raw) -> Duration {
    let asked = Instant::now();
    raw.send_frame(PING, b"?");
    assert_eq!(raw.read_frame(), (PONG, b"?".to_vec()));
    asked.elapsed()
}
