//! Users through the door: who is let in by password, cookie or token, what each may see and do, and how it ends.
#![cfg(feature = "tool")]

#[path = "../support/mod.rs"]
mod support;

mod cat;
mod ends;
mod rights;
mod settings;

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::Value;
use support::server::wiretail;
use support::v1::Viewer;
use support::ws::{Fields, Raw, http, http_get, post, upgrade_request};
use support::{SOON, Server, TempDir, cpu_time, temp_dir};

/// What is kept of "open sesame" and of "another": a hash that is cheap to compare with, as most tests are not about that.
const HASH: &str =
    "$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$8qtI8+GIBkT40sCcQ2YshO3pSP5tU7hH2Vf4hNauct0";
const ANOTHER: &str =
    "$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$Yq6LJsr0cL0ULxwhgJnx6jGnb3k4nAJ88B3ooD5klgI";

/// Their users' configuration has the SHA-256 of them.
const ADA_TOKEN: &str = "ada-token";
const BOB_TOKEN: &str = "bob-token";

/// What `wiretail hash-password` says to a password on standard input.
fn hash_of(password: &str) -> String {
    let mut command = wiretail();
    command.arg("hash-password").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    write!(child.stdin.take().unwrap(), "{password}\nnot this").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn sha256(text: &str) -> String {
    let mut child = std::process::Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sha256sum is there");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

/// A folder with logs, a room, jobs, and two users: `ada` may everything, `bob` sees the shop, and may see but not start
/// the job `other`.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(temp_dir());
        fs::create_dir(place.0.path().join("shop")).unwrap();
        for log in ["shop/till.log", "secret.log", "chat.log", "notes.log"] {
            fs::write(place.0.path().join(log), format!("a line of {log}\n")).unwrap();
        }
        place.configure(&place.settings(HASH, "groups = ['shop']\nlogs = ['notes*', 'other']"));
        place
    }

    fn settings(&self, ada: &str, bob_sees: &str) -> String {
        let (ada_token, bob_token) = (sha256(ADA_TOKEN), sha256(BOB_TOKEN));
        format!(
            "[[log]]\npath = 'shop'\n[[log]]\npath = 'secret.log'\naliases = ['hidden']\nname = 'secret.log'\n\
             [[log]]\npath = 'chat.log'\nwritable = true\n[[log]]\npath = 'notes.log'\nwritable = true\n\
             [[job]]\nname = 'deploy'\ncommand = ['echo', 'deployed']\n[[job]]\nname = 'other'\ncommand = ['sleep', '60']\n\
             [[user]]\nname = 'ada'\npassword = '{ada}'\nlogs = ['*']\njobs = ['*']\nwrite = true\ntokens = ['{ada_token}']\n\
             [[user]]\nname = 'bob'\npassword = '{HASH}'\n{bob_sees}\ntokens = ['{bob_token}']\n"
        )
    }

    fn configure(&self, text: &str) {
        fs::write(self.0.path().join("wiretail.toml"), text).unwrap();
    }

    fn config(&self) -> String {
        self.0.path().join("wiretail.toml").to_str().unwrap().to_owned()
    }

    fn serve(&self, more: &[&str]) -> Server {
        let config = self.config();
        let mut command = Server::command(&[&["-c", config.as_str()], more].concat());
        command.env("WIRETAIL_LOG", "info");
        Server::spawn(command)
    }

    fn append(&self, log: &str, text: &str) {
        let file = fs::OpenOptions::new().append(true).open(self.0.path().join(log));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }
}

/// What a form brings, as a browser sends it.
fn try_form(addr: SocketAddr, base: &str, body: &str, more: &[(&str, &str)]) -> (u16, Fields, String) {
    let origin = format!("http://{addr}");
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    let mut fields = vec![kind];
    if !more.iter().any(|(name, _)| *name == "Origin") {
        fields.push(("Origin", &origin));
    }
    fields.extend(more);
    let (status, fields, body) = post(addr, &format!("{base}/login"), &fields, body.as_bytes());
    (status, fields, String::from_utf8(body).unwrap())
}

/// Logs in, and gives what a browser sends from then on.
#[track_caller]
fn log_in(server: &Server, name: &str, password: &str) -> String {
    let body = format!("name={name}&password={}", password.replace(' ', "+"));
    let (status, fields, page) = try_form(server.addr(), "", &body, &[]);
    assert_eq!(status, 303, "{page}");
    cookie_of(&fields)
}

fn cookie_of(fields: &Fields) -> String {
    fields.get("Set-Cookie").unwrap().split(';').next().unwrap().to_owned()
}

fn names(addr: SocketAddr, fields: &[(&str, &str)]) -> Vec<String> {
    let (status, _, body) = http_get(addr, "/api/logs", fields);
    assert_eq!(status, 200);
    let listing: Value = serde_json::from_slice(&body).unwrap();
    let logs = listing["logs"].as_array().unwrap();
    logs.iter().map(|log| log["name"].as_str().unwrap().to_owned()).collect()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A viewer of `log` that sends this field.
fn viewer(server: &Server, log: &str, field: (&str, &str)) -> Viewer {
    let fields = [("Sec-WebSocket-Protocol", "wiretail.v1"), field];
    let raw = Raw::connect_with(server.addr(), &format!("/tail/{log}"), &fields);
    let mut viewer = Viewer { raw, messages: Vec::new(), text: String::new(), cursor: None, closed: None };
    viewer.wait_for("hello", SOON);
    viewer
}

/// The code that a viewer is sent away with.
fn closed(viewer: &mut Viewer) -> Option<u16> {
    while viewer.next(SOON).is_some() {}
    viewer.closed
}

/// Every way in, and with which method.
const DOORS: [(&str, &str); 16] = [
    ("GET", "/api/logs"),
    ("GET", "/api/logs?since=00000000.1&wait=30"),
    ("GET", "/api/jobs"),
    ("GET", "/tail/notes.log"),
    ("GET", "/tail/notes.log?wait=30"),
    ("GET", "/tail/notes.log?follow=1"),
    ("GET", "/tail/notes.log?search=line"),
    ("GET", "/tail/notes.log?seek=start"),
    ("GET", "/tail/notes.log?before=1.0&lines=1"),
    ("POST", "/tail/notes.log"),
    ("GET", "/raw/notes.log"),
    ("GET", "/jobs/deploy"),
    ("POST", "/jobs/deploy"),
    ("DELETE", "/jobs/deploy"),
    ("GET", "/ws/echo"),
    ("POST", "/logout"),
];

#[test]
fn who_is_not_logged_in_gets_nowhere_but_to_the_login() {
    let place = Place::new();
    let server = place.serve(&[]);
    for (method, door) in DOORS {
        let mut raw = Raw::open(server.addr());
        let host = server.addr();
        raw.send_raw(
            format!("{method} {door} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n").as_bytes(),
        );
        let head = raw.read_head();
        assert_eq!(head.status, 401, "{method} {door}");
        assert_eq!(head.fields.get("WWW-Authenticate"), Some("Bearer realm=\"wiretail\""), "{door}");
        assert!(!String::from_utf8(raw.read_to_eof()).unwrap().contains("a line"), "{door}");
    }
    for door in ["/tail/notes.log", "/ws/echo"] {
        let mut raw = Raw::open(server.addr());
        raw.send_raw(upgrade_request(server.addr(), door, &[]).as_bytes());
        assert_eq!(raw.read_head().status, 401, "{door}");
    }
    for (page, login) in [
        ("/", "/login?next=/"),
        ("/index.html", "/login?next=/index.html"),
        ("/main.js", "/login?next=/main.js"),
        ("/learn?a=b%20c&d", "/login?next=/learn%3Fa%3Db%2520c%26d"),
        ("/login.html", "/login?next=/login.html"),
        ("/nothing", "/login?next=/nothing"),
        ("//evil.example", "/login?next=//evil.example"),
    ] {
        let (status, fields, _) = http_get(server.addr(), page, &[]);
        assert_eq!((status, fields.get("Location")), (303, Some(login)), "{page}");
    }
    for open in ["/login", "/style.css", "/login.css", "/login.js", "/theme.js", "/icon.svg", "/healthz"] {
        assert_eq!(http_get(server.addr(), open, &[]).0, 200, "{open}");
    }
    // A cookie and a token that nobody has are none.
    for (field, words) in [
        (("Cookie", "wiretail=AAAA"), "Log in first, or send a token"),
        (("Authorization", "Bearer AAAA"), "This token is not known here."),
        (("Authorization", "Basic YTpi"), "Log in first, or send a token"),
    ] {
        let (status, _, said) = http_get(server.addr(), "/api/logs", &[field]);
        assert_eq!(status, 401, "{field:?}");
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with(words), "{field:?}: {said}");
    }
}

#[test]
fn a_password_gives_a_cookie_that_opens_the_page_and_all_streams() {
    let place = Place::new();
    let server = place.serve(&[]);
    let body = "name=ada&password=open+sesame&next=%2Fraw%2Fnotes.log";
    let (status, fields, _) = try_form(server.addr(), "", body, &[]);
    assert_eq!((status, fields.get("Location")), (303, Some("/raw/notes.log")));
    assert!(fields.get("Date").is_some());
    let set = fields.get("Set-Cookie").unwrap();
    assert!(set.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"), "{set}");
    let cookie = cookie_of(&fields);
    let field = ("Cookie", cookie.as_str());
    assert_eq!(http_get(server.addr(), "/", &[field]).0, 200);
    assert_eq!(http_get(server.addr(), "/raw/notes.log", &[field]).2, b"a line of notes.log\n");
    assert_eq!(http_get(server.addr(), "/tail/notes.log", &[field]).2, b"a line of notes.log\n");
    let (_, _, body) = http_get(server.addr(), "/api/logs", &[field]);
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["user"], "ada");
    let mut live = viewer(&server, "notes.log", field);
    place.append("notes.log", "more\n");
    live.lines_until(|lines| lines.contains(&"more"), SOON);
    // The cookie is all there is to it: no other one is.
    let changed = format!("{}x", &cookie[..cookie.len() - 1]);
    assert_eq!(http_get(server.addr(), "/", &[("Cookie", &changed)]).0, 303);
}

#[test]
fn a_wrong_password_and_an_unknown_name_get_the_same_page_and_take_the_same_time() {
    let place = Place::new();
    place.configure(&place.settings(&hash_of("open sesame"), "logs = ['*']"));
    let mut server = place.serve(&[]);
    let ask = |name: &str| {
        let (status, fields, page) =
            try_form(server.addr(), "", &format!("name={name}&password=wrong&lang=zh"), &[]);
        assert_eq!((status, fields.get("Set-Cookie")), (401, None));
        assert!(fields.get("Date").is_some());
        assert!(page.contains("名字或密码不对。") && page.contains(&format!("value=\"{name}\"")), "{page}");
        page.replace(name, "NAME")
    };
    assert_eq!(ask("ada"), ask("eve"));
    // The processor's time: what else a busy machine does is not meant.
    let work = |name: &str| {
        let before = cpu_time(server.pid());
        (0..8).for_each(|_| drop(ask(name)));
        cpu_time(server.pid()).saturating_sub(before)
    };
    let (known, unknown) = (work("ada"), work("eve"));
    assert!(unknown > known / 3 && known > unknown / 3, "{known:?} for a name, {unknown:?} for none");
    let said = server.stderr();
    assert!(said.contains("a login with a wrong name or password, from 127.0.0.1"), "{said}");
    assert!(!said.contains("eve"), "a password may have been typed there: {said}");
}

#[test]
fn other_sites_can_log_nobody_in_and_nobody_out_and_lead_nobody_elsewhere() {
    let place = Place::new();
    let server = place.serve(&[]);
    let body = "name=ada&password=open+sesame";
    for origin in ["http://evil.example", "null"] {
        assert_eq!(try_form(server.addr(), "", body, &[("Origin", origin)]).0, 403, "{origin}");
    }
    let cookie = log_in(&server, "ada", "open sesame");
    let evil = [("Cookie", cookie.as_str()), ("Origin", "http://evil.example")];
    assert_eq!(http(server.addr(), "POST", "/logout", &evil).0, 403);
    assert_eq!(http_get(server.addr(), "/logout", &[evil[0]]).0, 405, "a link logs nobody out");
    assert_eq!(http_get(server.addr(), "/", &[evil[0]]).0, 200);
    for next in ["//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aX: y", ""] {
        let body = format!("{body}&next={}", next.replace('/', "%2F"));
        let (status, fields, _) = try_form(server.addr(), "", &body, &[]);
        assert_eq!((status, fields.get("Location"), fields.get("X")), (303, Some("/"), None), "{next}");
    }
    let https = format!("https://{}", server.addr());
    let (_, fields, _) = try_form(server.addr(), "", body, &[("Origin", &https)]);
    assert!(fields.get("Set-Cookie").unwrap().ends_with("; Secure"), "it came by TLS");
}

#[test]
fn below_a_base_all_of_it_is_below_it() {
    let place = Place::new();
    let server = place.serve(&["--base", "/logs"]);
    let (status, fields, _) = http_get(server.addr(), "/logs/?x", &[]);
    assert_eq!((status, fields.get("Location")), (303, Some("/logs/login?next=/logs/%3Fx")));
    let (_, fields, _) = try_form(server.addr(), "/logs", "name=ada&password=open+sesame&next=%2Fother", &[]);
    assert_eq!(fields.get("Location"), Some("/logs/"));
    assert!(fields.get("Set-Cookie").unwrap().contains("; Path=/logs; "));
    let cookie = cookie_of(&fields);
    assert_eq!(http_get(server.addr(), "/logs/raw/notes.log", &[("Cookie", &cookie)]).0, 200);
    let (_, fields, _) = http(server.addr(), "POST", "/logs/logout", &[("Cookie", &cookie)]);
    assert_eq!(fields.get("Location"), Some("/logs/login?why=out"));
}

/// A form on its way: how it is answered is still to be read.
fn begin_login(server: &Server, name: &str, password: &str) -> Raw {
    let mut raw = Raw::open(server.addr());
    let body = format!("name={name}&password={password}");
    let (host, length) = (server.addr(), body.len());
    raw.send_raw(
        format!(
            "POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .as_bytes(),
    );
    raw
}

#[test]
fn attempts_are_limited_by_name_and_whoever_waits_is_told_how_long() {
    let place = Place::new();
    let server = place.serve(&[]);
    for _ in 0..10 {
        assert_eq!(try_form(server.addr(), "", "name=bob&password=wrong", &[]).0, 401);
    }
    let (status, fields, page) = try_form(server.addr(), "", "name=bob&password=open+sesame", &[]);
    assert_eq!(status, 429, "the right one as well: else it could be found by trying");
    let wait: u64 = fields.get("Retry-After").unwrap().parse().unwrap();
    assert!((1..=12).contains(&wait), "{wait}");
    assert!(page.contains(&format!("Try again in {wait} s.")), "{page}");
    log_in(&server, "ada", "open sesame");
}

#[test]
fn too_many_who_log_in_at_once_are_told_to_come_again() {
    let place = Place::new();
    place.configure(&place.settings(&hash_of("open sesame"), "logs = ['*']"));
    let server = place.serve(&[]);
    let all: Vec<Raw> =
        (0..40).map(|number| begin_login(&server, &format!("user{number}"), "wrong")).collect();
    // Those who are sent away need not wait for those who are not.
    let mut statuses: Vec<u16> = all.into_iter().rev().map(|mut raw| raw.read_head().status).collect();
    statuses.sort_unstable();
    let count = |status| statuses.iter().filter(|other| **other == status).count();
    assert_eq!(count(401) + count(503), 40, "{statuses:?}");
    assert!(count(401) >= 8 && count(503) > 0, "{statuses:?}");
    assert_eq!(http_get(server.addr(), "/healthz", &[]).0, 200);
}

#[test]
fn what_hash_password_prints_lets_in() {
    let place = Place::new();
    place.configure(&place.settings(&hash_of("p\u{e4}ss w\u{f6}rd"), "logs = ['*']"));
    let server = place.serve(&[]);
    log_in(&server, "ada", "p%C3%A4ss w%C3%B6rd");
}
