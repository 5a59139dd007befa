//! How it ends: by logging out, by time, by other settings.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::ws::{CLOSE, Raw, http, http_get};
use crate::support::{SOON, until};
use crate::{ADA_TOKEN, ANOTHER, BOB_TOKEN, HASH, Place, bearer, closed, log_in, sha256, try_form, viewer};

#[test]
fn logging_out_ends_all_that_the_session_watches_and_nothing_else() {
    let place = Place::new();
    let server = place.serve(&[]);
    let (cookie, other) = (log_in(&server, "ada", "open sesame"), log_in(&server, "ada", "open sesame"));
    let field = ("Cookie", cookie.as_str());
    let mut live = viewer(&server, "notes.log", field);
    let mut kept = viewer(&server, "notes.log", ("Cookie", other.as_str()));
    let token = bearer(ADA_TOKEN);
    let mut by_token = viewer(&server, "notes.log", ("Authorization", token.as_str()));
    let mut echo = Raw::connect_with(server.addr(), "/ws/echo", &[field]);
    let asks = |path: &str, accept: &str| {
        let mut raw = Raw::open(server.addr());
        let host = server.addr();
        raw.send_raw(
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nAccept: {accept}\r\n\r\n")
                .as_bytes(),
        );
        raw
    };
    let mut events = asks("/tail/notes.log", "text/event-stream");
    assert_eq!(events.read_head().status, 200);
    let (_, fields, _) = http_get(server.addr(), "/tail/notes.log", &[field]);
    let cursor = fields.get("Wiretail-Cursor").unwrap().to_owned();
    let mut poll = asks(&format!("/tail/notes.log?wait=50&from={cursor}"), "*/*");
    let (_, _, body) = http_get(server.addr(), "/api/logs", &[field]);
    let version = serde_json::from_slice::<Value>(&body).unwrap()["version"].as_str().unwrap().to_owned();
    let mut list = asks(&format!("/api/logs?since={version}&wait=50"), "*/*");
    // Only when they are there can they be ended: their viewers are counted.
    let watching = || {
        let (_, _, body) = http_get(server.addr(), "/api/logs", &[("Authorization", &token)]);
        let list: Value = serde_json::from_slice(&body).unwrap();
        let notes =
            list["logs"].as_array().unwrap().iter().find(|log| log["name"] == "notes.log").unwrap().clone();
        (notes["viewers"] == 5).then_some(())
    };
    until("all to watch", SOON, watching);

    let (status, fields, _) = http(server.addr(), "POST", "/logout", &[field]);
    assert_eq!((status, fields.get("Location")), (303, Some("/login?why=out")));
    assert!(fields.get("Set-Cookie").unwrap().starts_with("wiretail=; Path=/; Max-Age=0; "));
    place.append("notes.log", "not for them\n");
    assert_eq!(closed(&mut live), Some(1008));
    assert!(!live.text.contains("not for them"));
    assert_eq!(echo.expect_close(1008), "you have been logged out");
    for raw in [&mut events, &mut poll, &mut list] {
        let rest = String::from_utf8(raw.read_to_eof()).unwrap();
        assert!(!rest.contains("not for them"), "{rest}");
    }
    assert_eq!(http_get(server.addr(), "/api/logs", &[field]).0, 401);
    for viewer in [&mut kept, &mut by_token] {
        viewer.lines_until(|lines| lines.contains(&"not for them"), SOON);
        assert_eq!(viewer.closed, None);
    }
}

#[test]
fn a_session_that_is_over_ends_what_it_watches() {
    let place = Place::new();
    place.configure(&format!(
        "[limits]\nsession_idle = 2\nsession_longest = 60\n{}",
        place.settings(HASH, "logs = ['*']")
    ));
    let server = place.serve(&[]);
    let cookie = log_in(&server, "ada", "open sesame");
    let mut live = viewer(&server, "notes.log", ("Cookie", cookie.as_str()));
    let (first, reason) = loop {
        let (first, payload) = live.raw.read_frame();
        if first == CLOSE {
            break (
                u16::from_be_bytes([payload[0], payload[1]]),
                String::from_utf8(payload[2..].to_vec()).unwrap(),
            );
        }
    };
    assert_eq!((first, reason.as_str()), (1008, "your session is over; log in again"));
    assert_eq!(http_get(server.addr(), "/api/logs", &[("Cookie", &cookie)]).0, 401);
}

#[test]
fn settings_that_are_read_again_hold_for_who_is_inside() {
    let place = Place::new();
    let mut server = place.serve(&[]);
    let cookie = log_in(&server, "ada", "open sesame");
    let (ada, bob) = (bearer(ADA_TOKEN), bearer(BOB_TOKEN));
    let mut by_cookie = viewer(&server, "notes.log", ("Cookie", cookie.as_str()));
    let mut by_token = viewer(&server, "till.log", ("Authorization", bob.as_str()));
    let mut untouched = viewer(&server, "notes.log", ("Authorization", bob.as_str()));

    // The same again changes nothing for anybody.
    place.configure(&place.settings(HASH, "groups = ['shop']\nlogs = ['notes*', 'other']"));
    server.signal(Signal::HUP);
    until("the settings to be read", SOON, || server.stderr().contains("have been read again").then_some(()));
    for viewer in [&mut by_cookie, &mut by_token, &mut untouched] {
        assert!(viewer.next(Duration::from_millis(100)).is_none_or(|message| message.kind != "close"));
        assert_eq!(viewer.closed, None);
    }

    // Another password for ada; bob sees the shop no more.
    place.configure(&place.settings(ANOTHER, "logs = ['notes*']"));
    server.signal(Signal::HUP);
    assert_eq!(closed(&mut by_cookie), Some(1008), "the password is another");
    assert_eq!(closed(&mut by_token), Some(1001), "what bob may see is something else");
    assert_eq!(http_get(server.addr(), "/", &[("Cookie", &cookie)]).0, 303);
    assert_eq!(http_get(server.addr(), "/tail/till.log", &[("Authorization", &bob)]).0, 404);
    assert_eq!(http_get(server.addr(), "/tail/notes.log", &[("Authorization", &bob)]).0, 200);
    assert_eq!(try_form(server.addr(), "", "name=ada&password=open+sesame", &[]).0, 401);
    log_in(&server, "ada", "another");

    // The log is bob's no more, as its group is another.
    let settings = place.settings(HASH, "groups = ['shop']");
    place.configure(&settings);
    server.signal(Signal::HUP);
    let bobs =
        || (http_get(server.addr(), "/tail/till.log", &[("Authorization", &bob)]).0 == 200).then_some(());
    until("bob to see the shop", SOON, bobs);
    let mut by_group = viewer(&server, "till.log", ("Authorization", bob.as_str()));
    let mut by_name = viewer(&server, "till.log", ("Authorization", ada.as_str()));
    place.configure(&settings.replace("path = 'shop'", "path = 'shop'\ngroup = 'till'"));
    server.signal(Signal::HUP);
    assert_eq!(closed(&mut by_group), Some(1001));
    place.append("shop/till.log", "for ada\n");
    by_name.lines_until(|lines| lines.contains(&"for ada"), SOON);

    // Without any user everyone would be let in: that needs a restart.
    place.configure("[[log]]\npath = 'secret.log'\n");
    server.signal(Signal::HUP);
    let said = "whether there are any users ([[user]]) changes with a restart only";
    until("the refusal", SOON, || server.stderr().contains(said).then_some(()));
    assert_eq!(http_get(server.addr(), "/tail/secret.log", &[]).0, 401);
    assert_eq!(http_get(server.addr(), "/tail/secret.log", &[("Authorization", &ada)]).0, 200);
}

#[test]
fn who_has_let_go_of_a_log_does_not_get_back_to_one_that_is_not_theirs_any_more() {
    let place = Place::new();
    let settings = |group: &str| {
        format!(
            "[[log]]\npath = 'shop'\ngroup = '{group}'\n[[log]]\npath = 'chat.log'\nwritable = true\ngroup = '{group}'\n\
             [[user]]\nname = 'bob'\ngroups = ['shop']\nwrite = true\ntokens = ['{}']\n",
            sha256(BOB_TOKEN)
        )
    };
    place.configure(&settings("shop"));
    let server = place.serve(&[]);
    let bob = bearer(BOB_TOKEN);
    let field = ("Authorization", bob.as_str());
    let (mut till, mut chat) = (viewer(&server, "till.log", field), viewer(&server, "chat.log", field));
    for away in [&mut till, &mut chat] {
        away.say("stop");
        away.wait_for("stopped", SOON);
    }
    // Who is away may write, as long as the room is theirs.
    chat.raw.send_text(r#"{"say":{"id":1,"message":"while it is mine"}}"#);
    chat.wait_for("said", SOON);

    place.configure(&settings("closed"));
    server.signal(Signal::HUP);
    let hidden = || (http_get(server.addr(), "/tail/till.log", &[field]).0 == 404).then_some(());
    until("bob to see the shop no more", SOON, hidden);
    place.append("shop/till.log", "not for bob\n");
    chat.raw.send_text(r#"{"say":{"id":2,"message":"not by bob"}}"#);
    assert_eq!(chat.wait_for("error", SOON).value["code"], "read-only");
    for away in [&mut till, &mut chat] {
        away.say("start");
        assert_eq!(closed(away), Some(1008));
        assert!(!away.text.contains("not for bob"), "{}", away.text);
    }
    let written = std::fs::read_to_string(place.0.path().join("chat.log")).unwrap();
    assert!(written.contains("while it is mine") && !written.contains("not by bob"), "{written}");
}
