//! The same lines plain and compressed: what goes over the wire, and what the server works for it.

use std::io::Write;
use std::time::{Duration, SystemTime};

use wiretail::tail::demo::chatter::Chatter;
use wiretail::ws::deflate::Inflater;

use super::script::append;
use super::servers::{Kind, Running};
use super::support;
use super::support::ws::Raw;
use super::table::{Row, Wanted};

const BURSTS: usize = 10;
/// How much text one of them has.
const BURST: usize = 2_000_000;

/// Bursts of a realistic log, each had by all before the next is written.
pub(crate) fn compression(_: Wanted) -> Vec<Row> {
    let text = realistic();
    let told = [1, 100].map(|viewers| {
        let (plain, _) = measure(&text, viewers, "none-of-it");
        let (compressed, share) = measure(&text, viewers, "permessage-deflate");
        let told = format!("{:.2} x the CPU time, {:.1} % of the bytes", compressed / plain, share * 100.0);
        println!("compression to {viewers} viewers: {told}");
        told
    });
    let work = "compressed instead of plain, to 1 / to 100 viewers".to_owned();
    vec![Row { work, goal: "", reached: vec![(Kind::Wiretail, told.join(" / "))], command: "compression" }]
}

fn realistic() -> Vec<u8> {
    let mut chatter = Chatter::new(7);
    let mut text = Vec::new();
    let mut now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    while text.len() < BURST {
        text.extend_from_slice(chatter.next_line(now).as_bytes());
        text.push(b'\n');
        now += Duration::from_millis(37);
    }
    text
}

/// The server's CPU time in seconds, and what share of the text's bytes went over the wire.
fn measure(text: &[u8], viewers: usize, offers: &str) -> (f64, f64) {
    let folder = support::temp_dir();
    let path = folder.path().join("app.log");
    let mut file = append(&path);
    let server = Running::wiretail(&path);
    let fields = [("Sec-WebSocket-Extensions", offers)];
    let connect = |_| Raw::connect_with(server.address(), "/tail/app.log", &fields);
    let mut crowd: Vec<Raw> = (0..viewers).map(connect).collect();
    let (cpu, mut wire) = (server.cpu_time(), 0);
    for _ in 0..BURSTS {
        file.write_all(text).expect("a log can be written");
        wire += crowd.iter_mut().map(|viewer| read_burst(viewer, text.len())).sum::<usize>();
    }
    ((server.cpu_time() - cpu).as_secs_f64(), wire as f64 / (BURSTS * text.len() * viewers) as f64)
}

/// Reads until so many bytes of log text have come, inflating where needed; gives what they were on the wire.
fn read_burst(viewer: &mut Raw, bytes: usize) -> usize {
    let (mut had, mut wire) = (0, 0);
    let mut out = vec![0; 1 << 20];
    while had < bytes {
        let (first, payload) = viewer.read_frame();
        wire += payload.len();
        had += match first {
            support::ws::TEXT => payload.len(),
            // Each message for itself: nothing refers to an earlier one.
            _ => Inflater::new().inflate(&payload, &mut out).unwrap().written,
        };
    }
    assert_eq!(had, bytes);
    wire
}
