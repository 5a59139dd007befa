//! The examples, run as programs and spoken to over real sockets: code that is shown must work.
#![cfg(feature = "tool")]

mod support;

use std::time::{Duration, Instant};

use support::ws::{BINARY, CLOSE, PING, PONG, Raw, TEXT, http_get};
use support::{SOON, Server};

/// Longer than the chat waits for a request, which is five seconds.
const PATIENT: Duration = Duration::from_secs(20);

#[test]
fn the_echo_fits_on_a_page() {
    let code = include_str!("../examples/echo.rs");
    assert!(code.lines().count() < 80, "the smallest server has {} lines", code.lines().count());
}

#[test]
fn the_echo_says_back_what_it_hears_until_it_is_closed() {
    let server = Server::example("echo");
    let mut raw = Raw::connect(server.addr(), "/");
    raw.send_text("hello");
    assert_eq!(raw.read_frame(), (TEXT, b"hello".to_vec()));
    let large: Vec<u8> = (0..1 << 20).map(|number: u32| number as u8).collect();
    raw.send_frame(BINARY, &large);
    assert_eq!(raw.read_frame(), (BINARY, large));
    raw.send_frame(PING, b"?");
    assert_eq!(raw.read_frame(), (PONG, b"?".to_vec()));
    raw.send_close(1000);
    raw.expect_close(1000);
    raw.expect_eof();
}

#[test]
fn the_echo_tells_others_why_they_are_refused() {
    let server = Server::example("echo");
    let (status, fields, _) = http_get(server.addr(), "/", &[]);
    assert_eq!((status, fields.get("Sec-WebSocket-Version")), (426, Some("13")));
    let mut raw = Raw::open(server.addr());
    raw.send_raw(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(raw.read_head().status, 400, "there is no Host");
}

/// Comes into the room, and hears that.
#[track_caller]
fn enter(server: &Server, name: &str) -> Raw {
    let mut guest = Raw::connect(server.addr(), &format!("/chat?name={name}"));
    assert_eq!(guest.read_text(), format!("{name} is here."));
    guest
}

#[test]
fn in_the_chat_everybody_hears_everybody() {
    let server = Server::example("chat");
    let mut ada = enter(&server, "Ada");
    let mut grace = enter(&server, "Grace");
    assert_eq!(ada.read_text(), "Grace is here.");
    ada.send_text("<b>1 &lt; 2</b>");
    grace.send_frame(PING, b"");
    for guest in [&mut ada, &mut grace] {
        let (mut first_byte, mut payload) = guest.read_frame();
        if first_byte == PONG {
            (first_byte, payload) = guest.read_frame();
        }
        assert_eq!((first_byte, payload), (TEXT, b"Ada: <b>1 &lt; 2</b>".to_vec()), "as it was said");
    }
}

#[test]
fn who_leaves_the_chat_is_seen_to_go_with_a_goodbye_or_without() {
    let server = Server::example("chat");
    let mut ada = enter(&server, "Ada");
    let mut grace = enter(&server, "Grace");
    drop(enter(&server, "Alan"));
    for expected in ["Grace is here.", "Alan is here.", "Alan has left."] {
        assert_eq!(ada.read_text(), expected);
    }
    grace.send_close(1000);
    assert_eq!(ada.read_text(), "Grace has left.");
}

#[test]
fn the_chat_takes_text_only_from_its_own_page_and_names_of_some_length() {
    let server = Server::example("chat");
    let host = server.addr().to_string();
    let mut binary =
        Raw::connect_with(server.addr(), "/chat?name=B", &[("Origin", &format!("http://{host}"))]);
    assert_eq!(binary.read_text(), "B is here.");
    binary.send_frame(BINARY, b"x");
    binary.expect_close(1003);

    let mut foreign = Raw::open(server.addr());
    foreign.send_raw(
        support::ws::upgrade_request(server.addr(), "/chat", &[("Origin", "http://elsewhere")]).as_bytes(),
    );
    assert_eq!(foreign.read_head().status, 403);

    let mut long = Raw::connect(server.addr(), &format!("/chat?name={}", "%C3%A9".repeat(100)));
    assert_eq!(long.read_text(), format!("{} is here.", "\u{e9}".repeat(32)));
}

#[test]
fn the_chat_serves_its_page_and_nothing_else() {
    let server = Server::example("chat");
    let (status, _, page) = http_get(server.addr(), "/?name=Ada", &[]);
    assert_eq!(status, 200);
    assert!(String::from_utf8(page).unwrap().contains("src=\"chat.js\""));
    let (status, fields, _) = http_get(server.addr(), "/chat.js", &[]);
    assert_eq!((status, fields.get("Content-Type")), (200, Some("text/javascript; charset=utf-8")));
    assert_eq!(http_get(server.addr(), "/other", &[]).0, 404);
    assert_eq!(http_get(server.addr(), "/chat", &[]).0, 426);
}

#[test]
fn the_chat_lets_nobody_stand_in_the_door() {
    let server = Server::example("chat");
    let mut silent = Raw::open(server.addr());
    silent.send_raw(b"GET /chat HTTP/1.1\r\n");
    silent.stream().set_read_timeout(Some(PATIENT)).unwrap();
    let mut byte = [0];
    let read = std::io::Read::read(&mut silent.stream(), &mut byte);
    assert_eq!(read.expect("the room hangs up"), 0);
}

#[test]
fn a_guest_who_does_not_listen_has_to_go_and_the_others_miss_nothing() {
    let server = Server::example("chat");
    let _deaf = enter(&server, "Deaf");
    let mut ada = enter(&server, "Ada");
    let words = "x".repeat(4000);
    let deadline = Instant::now() + 6 * SOON;
    for round in 0.. {
        assert!(Instant::now() < deadline, "nobody was put out in {round} rounds");
        ada.send_text(&words);
        let heard = ada.read_text();
        if heard == "Deaf has left." {
            break;
        }
        assert_eq!(heard, format!("Ada: {words}"), "round {round}");
    }
    ada.send_frame(CLOSE, b"");
}
