use super::support::deflate::*;
use super::support::ws::{BINARY, TEXT, PING, PONG, Raw, frame};
use super::support::deflate;
use super::Scene;

#[test]
fn try_out() {
    let mut scene = Scene::new();
    let mut raw = Raw::connect_with(scene.addr(), "/ws/echo", &[("Sec-WebSocket-Extensions", "permessage-deflate")]);
    for p in [END_OF_STREAM.repeat(10), ended(&NOTHING.repeat(13000)), ended(&eight_tables().repeat(90)), END_OF_STREAM.repeat(32000), mebibyte()] {
        let t = std::time::Instant::now();
        raw.send_frame(COMPRESSED_BINARY, &p);
        let (f, p) = raw.read_frame();
        eprintln!("{f:x} {} {:?} {:?}", p.len(), &p[..p.len().min(30)], t.elapsed());
    }
}
