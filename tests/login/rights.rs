//! What each may see and do: logs, the live list, jobs, rooms.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::ws::{Raw, http, http_get, post, upgrade_request};
use crate::support::{SOON, until};
use crate::{ADA_TOKEN, BOB_TOKEN, Place, bearer, closed, names, sha256, viewer};

#[test]
fn a_log_that_one_may_not_see_is_as_one_that_is_not_there() {
    let place = Place::new();
    let server = place.serve(&[]);
    let (ada, bob) = (bearer(ADA_TOKEN), bearer(BOB_TOKEN));
    let (ada, bob) = (("Authorization", ada.as_str()), ("Authorization", bob.as_str()));
    assert_eq!(names(server.addr(), &[bob]), ["till.log", "notes.log", "other"]);
    let all = ["till.log", "secret.log", "chat.log", "notes.log", "deploy", "other"];
    assert_eq!(names(server.addr(), &[ada]), all);
    let answer = |method: &str, path: &str| {
        let mut raw = Raw::open(server.addr());
        let (host, (name, value)) = (server.addr(), bob);
        raw.send_raw(
            format!(
                "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{name}: {value}\r\nConnection: close\r\n\r\n"
            )
            .as_bytes(),
        );
        let answer = String::from_utf8(raw.read_to_eof()).unwrap();
        // The clock goes on between two answers.
        answer
            .lines()
            .filter(|line| !line.starts_with("Date: "))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    for (method, there, nowhere) in [
        ("GET", "/tail/secret.log", "/tail/nowhere.log"),
        ("GET", "/tail/hidden", "/tail/nowhere"),
        ("GET", "/tail/secret.log?follow=1", "/tail/nowhere.log?follow=1"),
        ("GET", "/tail/secret.log?wait=5", "/tail/nowhere.log?wait=5"),
        ("GET", "/tail/secret.log?search=x", "/tail/nowhere.log?search=x"),
        ("GET", "/tail/secret.log?seek=start", "/tail/nowhere.log?seek=start"),
        ("GET", "/tail/secret.log?before=x", "/tail/nowhere.log?before=x"),
        ("POST", "/tail/chat.log", "/tail/nowhere.log"),
        ("GET", "/raw/secret.log", "/raw/nowhere.log"),
        ("HEAD", "/raw/secret.log", "/raw/nowhere.log"),
        ("GET", "/jobs/deploy", "/jobs/nowhere"),
        ("POST", "/jobs/deploy", "/jobs/nowhere"),
        ("DELETE", "/jobs/deploy", "/jobs/nowhere"),
    ] {
        let hidden = answer(method, there);
        assert!(hidden.starts_with("HTTP/1.1 404 "), "{method} {there}: {hidden}");
        assert_eq!(hidden, answer(method, nowhere), "{method} {there}");
    }
    let mut raw = Raw::open(server.addr());
    raw.send_raw(upgrade_request(server.addr(), "/tail/secret.log", &[bob]).as_bytes());
    assert_eq!(raw.read_head().status, 404);
    let (_, _, jobs) = http_get(server.addr(), "/api/jobs", &[bob]);
    let jobs: Value = serde_json::from_slice(&jobs).unwrap();
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1);
    assert_eq!((&jobs["jobs"][0]["name"], &jobs["jobs"][0]["startable"]), (&"other".into(), &false.into()));
    // What is seen may be seen in all ways.
    assert_eq!(http_get(server.addr(), "/raw/till.log", &[bob]).2, b"a line of shop/till.log\n");
    assert_ne!(viewer(&server, "notes.log", bob).messages[0].value["writable"], true);
    assert_eq!(viewer(&server, "notes.log", ada).messages[0].value["writable"], true);
}

#[test]
fn the_live_list_tells_nobody_of_logs_that_they_may_not_see() {
    let place = Place::new();
    place.configure(&format!(
        "[[log]]\npath = 'open'\n[[log]]\npath = 'closed'\n[[user]]\nname = 'bob'\ngroups = ['open']\ntokens = ['{}']\n",
        sha256(BOB_TOKEN)
    ));
    for folder in ["open", "closed"] {
        fs::create_dir(place.0.path().join(folder)).unwrap();
    }
    fs::write(place.0.path().join("open/a.log"), "").unwrap();
    let server = place.serve(&[]);
    let bob = bearer(BOB_TOKEN);
    let field = ("Authorization", bob.as_str());
    let (_, _, body) = http_get(server.addr(), "/api/logs", &[field]);
    let list: Value = serde_json::from_slice(&body).unwrap();
    let version = list["version"].as_str().unwrap();
    let mut raw = Raw::open(server.addr());
    raw.send_raw(
        format!(
            "GET /api/logs?since={version}&wait=30 HTTP/1.1\r\nHost: {}\r\nAuthorization: {bob}\r\nConnection: close\r\n\r\n",
            server.addr()
        )
        .as_bytes(),
    );
    // One that bob may not see, and when that is on the list, one that bob may.
    fs::write(place.0.path().join("closed/b.log"), "").unwrap();
    let changed = || {
        let (_, _, body) = http_get(server.addr(), "/api/logs", &[field]);
        let now: Value = serde_json::from_slice(&body).unwrap();
        (now["version"] != list["version"]).then_some(())
    };
    until("the list to have another version", Duration::from_secs(20), changed);
    fs::write(place.0.path().join("open/c.log"), "").unwrap();
    let head = raw_head(&mut raw);
    assert_eq!(head, 200);
    let told: Value = serde_json::from_slice(&raw.read_to_eof()).unwrap();
    assert_eq!(told["logs"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["logs"][0]["name"], "c.log", "nothing was told before: {told}");
}

/// The status of an answer that may take some seconds.
fn raw_head(raw: &mut Raw) -> u16 {
    raw.stream().set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut first = [0];
    while raw.stream().peek(&mut first).map_or(true, |count| count == 0) {
        assert!(Instant::now() < deadline, "no answer");
    }
    raw.read_head().status
}

#[test]
fn only_who_may_starts_a_job_and_writes_into_a_room_and_signs_with_the_own_name() {
    let place = Place::new();
    let server = place.serve(&[]);
    let (ada, bob) = (bearer(ADA_TOKEN), bearer(BOB_TOKEN));
    let (ada, bob) = (("Authorization", ada.as_str()), ("Authorization", bob.as_str()));
    assert_eq!(http(server.addr(), "POST", "/jobs/other", &[bob]).0, 403);
    assert_eq!(http(server.addr(), "POST", "/jobs/other", &[ada]).0, 201);
    assert_eq!(http(server.addr(), "DELETE", "/jobs/other", &[bob]).0, 403);
    assert_eq!(http(server.addr(), "DELETE", "/jobs/other", &[ada]).0, 202);

    assert_eq!(post(server.addr(), "/tail/notes.log", &[bob], b"x").0, 403);
    let (status, _, line) = post(server.addr(), "/tail/notes.log?who=bob", &[ada], b"it was me");
    assert_eq!(status, 201);
    assert!(String::from_utf8(line).unwrap().ends_with("Z ada: it was me\n"), "whoever she says she is");
    let mut live = viewer(&server, "notes.log", ada);
    live.raw.send_text(r#"{"say":{"id":1,"who":"bob","message":"me too"}}"#);
    let lines = live.lines_until(|lines| lines.iter().any(|line| line.ends_with("me too")), SOON);
    assert!(lines.iter().any(|line| line.ends_with("Z ada: me too")), "{lines:?}");
    let mut live = viewer(&server, "notes.log", bob);
    live.raw.send_text(r#"{"say":{"id":1,"message":"x"}}"#);
    assert_eq!(live.wait_for("error", SOON).value["code"], "read-only");
}

#[test]
fn a_name_that_another_log_has_now_does_not_lead_to_the_one_that_had_it() {
    let place = Place::new();
    place.configure(&format!(
        "[[log]]\npath = 'open'\n[[log]]\npath = 'closed'\n\
         [[user]]\nname = 'ada'\nlogs = ['*']\ntokens = ['{}']\n[[user]]\nname = 'bob'\ngroups = ['open']\ntokens = ['{}']\n",
        sha256(ADA_TOKEN),
        sha256(BOB_TOKEN)
    ));
    for folder in ["open", "closed"] {
        fs::create_dir(place.0.path().join(folder)).unwrap();
    }
    fs::write(place.0.path().join("closed/b.log.1"), "not for bob\n").unwrap();
    let server = place.serve(&[]);
    let (ada, bob) = (bearer(ADA_TOKEN), bearer(BOB_TOKEN));
    let (ada, bob) = (("Authorization", ada.as_str()), ("Authorization", bob.as_str()));
    let listed = |log: &str, field| names(server.addr(), &[field]).contains(&log.to_owned());
    let scanned = Duration::from_secs(20);
    let mut watching = viewer(&server, "b.log.1", ada);
    // Its name is free as soon as it is known to be what another one was rotated to; somebody still watches it.
    fs::write(place.0.path().join("closed/b.log"), "nor this\n").unwrap();
    until("b.log to be listed", scanned, || (!listed("b.log.1", ada) && listed("b.log", ada)).then_some(()));
    fs::write(place.0.path().join("open/b.log.1"), "for bob\n").unwrap();
    until("the other b.log.1 to be listed", scanned, || listed("b.log.1", bob).then_some(()));
    assert_eq!(http_get(server.addr(), "/tail/b.log.1", &[bob]).2, b"for bob\n");
    assert_eq!(closed(&mut watching), Some(1001), "what it watched is not called so any more");
}
