//! Four ways to read the same log: polling, long polling, server-sent events and WebSocket; and text without an end, for
//! `curl -N`. Each can go on where another left off.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::v1::Viewer;
use support::ws::{Fields, Raw, http, http_get};
use support::{SOON, Server, TempDir, open_files, temp_dir, until};

struct Scene {
    server: Server,
    path: PathBuf,
    _folder: TempDir,
}

impl Scene {
    /// A server of `app.log`, which has so many lines.
    fn with(lines: usize) -> Self {
        let folder = temp_dir();
        let path = folder.path().join("app.log");
        fs::write(&path, numbered(0, lines)).unwrap();
        Self { server: Server::start(&[path.to_str().unwrap()]), path, _folder: folder }
    }

    fn append(&self, text: &str) {
        append(&self.path, text);
    }

    fn poll(&self, query: &str) -> Poll {
        let (status, fields, body) = http_get(self.server.addr(), &format!("/tail/app.log{query}"), &[]);
        Poll::of(status, &fields, body)
    }

    /// Asks for events, or whatever `accept` says, and reads the head of the answer.
    fn stream(&self, query: &str, fields: &[(&str, &str)]) -> Raw {
        let mut raw = Raw::open(self.server.addr());
        let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        raw.send_raw(
            format!("GET /tail/app.log{query} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").as_bytes(),
        );
        let head = raw.read_head();
        assert_eq!((head.status, head.fields.get("Content-Length")), (200, None), "{head:?}");
        assert_eq!(head.fields.get("Connection"), Some("close"), "it ends with the connection");
        raw.head = head;
        raw
    }

    fn events(&self, query: &str, last: Option<&str>) -> Raw {
        let last = last.map(|last| ("Last-Event-ID", last));
        self.stream(query, &[("Accept", "text/event-stream")].into_iter().chain(last).collect::<Vec<_>>())
    }
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn numbered(from: usize, to: usize) -> String {
    (from..to).map(|number| format!("line {number}\n")).collect()
}

/// The answer to a poll.
#[derive(Debug)]
struct Poll {
    cursor: String,
    behind: Option<String>,
    gap: Option<String>,
    text: String,
}

impl Poll {
    fn of(status: u16, fields: &Fields, body: Vec<u8>) -> Self {
        let text = String::from_utf8(body).unwrap();
        assert_eq!(status, 200, "{text}");
        let field = |name| fields.get(name).map(str::to_owned);
        let cursor = field("Wiretail-Cursor").expect("every poll says where to go on");
        Self { cursor, behind: field("Wiretail-Behind"), gap: field("Wiretail-Gap"), text }
    }
}

/// One line that ends with `\n`, without it.
fn read_line(raw: &mut Raw) -> String {
    let mut line = Vec::new();
    loop {
        match raw.read_exactly(1)[0] {
            b'\n' => return String::from_utf8(line).unwrap(),
            byte => line.push(byte),
        }
    }
}

/// A reader of events, by the rules of HTML 9.2.6.
struct Events {
    raw: Raw,
    id: Option<String>,
}

impl Events {
    /// Reads the head of a stream, and its `hello`.
    fn begin(raw: Raw) -> Self {
        let mut events = Self { raw, id: None };
        let hello = events.next();
        assert_eq!(
            hello["hello"]["cursor"].as_str(),
            events.id.as_deref(),
            "it says where it begins: {hello}"
        );
        events
    }

    /// The next event's data.
    fn next(&mut self) -> Value {
        let mut data = None;
        loop {
            let line = read_line(&mut self.raw);
            match line.split_once(": ").unwrap_or((&line, "")) {
                ("", _) => {
                    if let Some(data) = data.take() {
                        return data;
                    }
                }
                ("id", id) => self.id = Some(id.to_owned()),
                ("data", json) => data = Some(serde_json::from_str(json).unwrap()),
                _ => panic!("no field that we send: {line}"),
            }
        }
    }

    /// Log text until there are so many lines of it.
    fn lines(&mut self, count: usize) -> String {
        let mut text = String::new();
        while text.lines().count() < count {
            if let Some(lines) = self.next().get("lines") {
                text += lines["text"].as_str().unwrap();
                assert_eq!(lines["to"].as_str(), self.id.as_deref(), "an event's id is the cursor behind it");
            }
        }
        text
    }
}

#[test]
fn a_poll_gives_the_last_lines_and_then_what_lies_behind_the_cursor() {
    let scene = Scene::with(100);
    let first = scene.poll("?lines=3");
    assert_eq!(first.text, numbered(97, 100));
    assert_eq!((&first.behind, &first.gap), (&None, &None));
    let nothing = scene.poll(&format!("?from={}", first.cursor));
    assert_eq!((nothing.text.as_str(), &nothing.cursor), ("", &first.cursor));
    scene.append(&numbered(100, 103));
    let more = scene.poll(&format!("?from={}", nothing.cursor));
    assert_eq!(more.text, numbered(100, 103));
    assert_eq!(scene.poll(&format!("?from={}&grep=9$&lines=5", scene.poll("?lines=100").cursor)).text, "");
    assert_eq!(open_files(scene.server.pid()).iter().filter(|open| **open == scene.path).count(), 0);
}

#[test]
fn who_does_not_go_on_is_told_from_where_the_lines_come_that_pass() {
    let scene = Scene::with(1000);
    let lost = scene.poll("?grep=7$&lines=1&from=nonsense");
    assert_eq!((lost.text.as_str(), lost.gap.as_deref()), ("line 997\n", Some("unknown")));
    let mut events = Events::begin(scene.events("?grep=7$&lines=1&from=nonsense", None));
    let gap = events.next();
    assert_eq!(gap["gap"]["why"], "unknown");
    let lines = events.next();
    assert_eq!(lines["lines"]["text"], "line 997\n");
    assert_eq!(gap["gap"]["to"], lines["lines"]["from"], "one goes on where the other ends");
}

#[test]
fn a_poll_has_half_a_line_too_and_the_next_one_the_other_half() {
    let scene = Scene::with(1);
    scene.append("half a");
    let first = scene.poll("");
    assert_eq!(first.text, "line 0\nhalf a");
    scene.append(" line\n");
    assert_eq!(scene.poll(&format!("?from={}", first.cursor)).text, " line\n");
}

#[test]
fn what_does_not_fit_into_one_answer_is_said_to_lie_behind_it() {
    let scene = Scene::with(0);
    let text: String = (0..40_000).map(|number| format!("{number:0120}\n")).collect();
    scene.append(&text);
    let (mut got, mut query) = (String::new(), "?lines=100000".to_owned());
    loop {
        let poll = scene.poll(&query);
        assert!(poll.text.len() < 2 << 20);
        got += &poll.text;
        query = format!("?from={}", poll.cursor);
        if poll.behind.is_none() {
            break;
        }
    }
    assert!(got == text, "{} bytes of {}", got.len(), text.len());
}

#[test]
fn a_long_poll_waits_for_the_next_line_but_not_for_ever() {
    let scene = Scene::with(10);
    let cursor = scene.poll("").cursor;
    let started = Instant::now();
    assert_eq!(scene.poll(&format!("?wait=1&from={cursor}")).text, "");
    assert!(started.elapsed() >= Duration::from_secs(1));
    let mut raw = Raw::get(scene.server.addr(), &format!("/tail/app.log?wait=50&from={cursor}"));
    let watching = || open_files(scene.server.pid()).contains(&scene.path);
    until("the poll to be heard", SOON, || watching().then_some(()));
    scene.append("line 10\n");
    let head = raw.read_head();
    let poll = Poll::of(head.status, &head.fields, raw.read_to_eof());
    assert_eq!(poll.text, "line 10\n");
    until("the file to be closed", SOON, || (!watching()).then_some(()));
}

#[test]
fn polls_follow_one_another_on_one_connection() {
    let scene = Scene::with(10);
    let mut raw = Raw::open(scene.server.addr());
    let mut cursor = scene.poll("").cursor;
    for number in 10..20 {
        let ask = format!("GET /tail/app.log?wait=50&from={cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        // The second one is sent before the first is answered.
        raw.send_raw(ask.repeat(2).as_bytes());
        scene.append(&format!("line {number}\n"));
        for _ in 0..2 {
            let head = raw.read_head();
            let len = head.fields.get("Content-Length").unwrap().parse().unwrap();
            let poll = Poll::of(head.status, &head.fields, raw.read_exactly(len));
            assert_eq!(poll.text, format!("line {number}\n"));
            cursor = poll.cursor;
        }
    }
}

#[test]
fn events_are_the_messages_of_the_sub_protocol_and_go_on_behind_the_last_one() {
    let scene = Scene::with(10);
    let end = scene.poll("?lines=0").cursor;
    assert_eq!(read_line(&mut scene.events("?lines=0", None)), format!("id: {end}"), "where it begins");
    let raw = scene.events("?lines=2", None);
    assert_eq!(raw.head.fields.get("Content-Type"), Some("text/event-stream"));
    let mut events = Events::begin(raw);
    assert_eq!(events.lines(2), numbered(8, 10));
    scene.append("a\r\nb\u{2028}\u{0}\n");
    assert_eq!(events.next()["lines"]["text"], "a\r\nb\u{2028}\u{0}\n");
    let last = events.id.take().unwrap();
    drop(events);
    scene.append("line 10\n");
    fs::rename(&scene.path, scene.path.with_file_name("app.log.1")).unwrap();
    scene.append("line 11\n");
    // The address is the old one, as a browser has it; the id counts.
    let mut events = Events::begin(scene.events("?lines=2", Some(&last)));
    assert_eq!(events.next()["lines"]["text"], "line 10\n");
    assert!(events.next()["rotated"]["cursor"].is_string());
    assert_eq!(events.next()["lines"]["text"], "line 11\n");
}

#[test]
fn the_last_lines_under_a_filter_are_the_last_that_pass() {
    let scene = Scene::with(5000);
    assert_eq!(scene.poll("?grep=line+1.$&lines=3").text, numbered(17, 20));
    let mut raw = scene.stream("?follow=1&grep=9$&lines=2", &[]);
    assert_eq!(raw.read_exactly(20), b"line 4989\nline 4999\n");
    let mut events = Events::begin(scene.events("?not=line&grep=x&lines=5", None));
    scene.append("line x\nx\n");
    assert_eq!(events.next()["lines"]["text"], "x\n");
}

#[test]
fn text_without_an_end_is_nothing_but_the_log() {
    let scene = Scene::with(10);
    let mut raw = scene.stream("?follow=1&lines=1&grep=line", &[("Accept", "*/*")]);
    assert_eq!(raw.head.fields.get("Content-Type"), Some("text/plain; charset=utf-8"));
    scene.append("other\nline 10\n");
    assert_eq!(raw.read_exactly(15), b"line 9\nline 10\n");
    let watching = || open_files(scene.server.pid()).contains(&scene.path);
    assert!(watching());
    // The log is quiet, so that nothing but the end of the connection says that nobody reads any more.
    drop(raw);
    until("the file to be closed", SOON, || (!watching()).then_some(()));
}

#[test]
fn messages_a_line_each_say_all_that_there_is_to_say() {
    let scene = Scene::with(2);
    let accept = [("Accept", "application/x-ndjson")];
    let ask = |query: &str| http_get(scene.server.addr(), &format!("/tail/app.log{query}"), &accept);
    let (_, fields, body) = ask("");
    assert_eq!(fields.get("Content-Type"), Some("application/x-ndjson"));
    let body = String::from_utf8(body).unwrap();
    let messages: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(messages[0]["hello"]["name"], "app.log", "who begins is greeted, who goes on is not");
    assert_eq!(messages[0]["hello"]["cursor"], messages[1]["lines"]["from"]);
    assert_eq!(messages[1]["lines"]["text"], numbered(0, 2));
    fs::remove_file(&scene.path).unwrap();
    scene.append("another beginning, and nothing of what was there before\n");
    let (_, fields, body) = ask(&format!("?from={}", fields.get("Wiretail-Cursor").unwrap()));
    let kinds: Vec<String> = String::from_utf8(body)
        .unwrap()
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap().as_object().unwrap().keys().next().unwrap().clone()
        })
        .collect();
    assert_eq!(kinds, ["gap", "lines"]);
    assert!(fields.get("Wiretail-Gap").is_some());
}

/// As over WebSocket: nothing is sent, and how much is missed is told.
#[test]
fn who_pauses_is_told_how_much_it_misses_and_goes_on_where_it_was() {
    let scene = Scene::with(3);
    let cursor = scene.poll("").cursor;
    let mut paused = Events::begin(scene.events(&format!("?from={cursor}&paused=1"), None));
    assert_eq!(paused.next()["behind"]["bytes"], 0);
    scene.append("missed\n");
    assert_eq!(paused.next()["behind"]["bytes"], 7);
    let poll = scene.poll(&format!("?from={cursor}&paused=1"));
    assert_eq!((poll.text.as_str(), poll.behind.as_deref()), ("", Some("7")));
    assert_eq!(poll.cursor, cursor);
    let started = Instant::now();
    let poll = scene.poll(&format!("?from={cursor}&paused=1&wait=1"));
    assert_eq!(poll.behind.as_deref(), Some("7"));
    assert!(started.elapsed() >= Duration::from_secs(1), "there is nothing that it waits for");
    assert_eq!(scene.poll(&format!("?from={cursor}")).text, "missed\n");
}

#[test]
fn questions_that_make_no_sense_are_answered_so() {
    let scene = Scene::with(1);
    for (query, status) in [
        ("?wait=x", 400),
        ("?wait=-1", 400),
        ("?follow=2", 400),
        ("?lines=x", 400),
        ("?grep=(", 400),
        ("?paused=x", 400),
    ] {
        let (found, _, body) = http_get(scene.server.addr(), &format!("/tail/app.log{query}"), &[]);
        assert_eq!(found, status, "{query}: {}", String::from_utf8_lossy(&body));
    }
    let (status, fields, _) = http(scene.server.addr(), "PUT", "/tail/app.log", &[]);
    assert_eq!((status, fields.get("Allow")), (405, Some("GET, HEAD")));
    let (status, fields, body) = http(scene.server.addr(), "HEAD", "/tail/app.log", &[]);
    assert_eq!((status, fields.get("Content-Length"), body.len()), (200, Some("7"), 0));
    let (status, ..) = http_get(scene.server.addr(), "/tail/app.log", &[("Origin", "http://evil.example")]);
    assert_eq!(status, 403);
    let gap = scene.poll("?from=nonsense");
    assert_eq!((gap.gap.as_deref(), gap.text.as_str()), (Some("unknown"), "line 0\n"));
}

#[test]
fn a_poll_goes_on_in_a_file_that_was_compressed_meanwhile() {
    let scene = Scene::with(0);
    let lines: String = (0..50_000).map(|number| format!("{number:0100}\n")).collect();
    scene.append(&lines[..101 * 10]);
    let cursor = scene.poll("").cursor;
    scene.append(&lines[101 * 10..]);
    let rotated = scene.path.with_file_name("app.log.1");
    fs::rename(&scene.path, &rotated).unwrap();
    assert!(std::process::Command::new("gzip").arg(&rotated).status().unwrap().success());
    scene.append("the next file\n");
    let (mut got, mut query) = (lines[..101 * 10].to_owned(), format!("?from={cursor}"));
    loop {
        let poll = scene.poll(&query);
        got += &poll.text;
        query = format!("?from={}", poll.cursor);
        if poll.behind.is_none() {
            break;
        }
    }
    assert!(got == lines + "the next file\n", "{} bytes", got.len());
}

/// One log, read by turns in every way there is, while it is written to and rotated: put together, it is the log.
#[test]
fn each_way_goes_on_where_another_left_off_while_the_log_rotates() {
    let scene = Scene::with(0);
    let (mut written, mut got) = (0, String::new());
    let mut cursor = scene.poll("").cursor;
    let mut write = |lines: usize| {
        scene.append(&numbered(written, written + lines));
        written += lines;
        written
    };
    for round in 0..40 {
        let total = write(7);
        if round % 5 == 4 {
            for number in (1..8).rev() {
                let numbered = |number| scene.path.with_file_name(format!("app.log.{number}"));
                let _ = fs::rename(numbered(number), numbered(number + 1));
            }
            fs::rename(&scene.path, scene.path.with_file_name("app.log.1")).unwrap();
        }
        let total = if round % 3 == 0 { write(5) } else { total };
        // Each reader leaves when it has a line or more, wherever that is.
        let count = got.lines().count() + 1;
        match round % 4 {
            0 => {
                let poll = scene.poll(&format!("?from={cursor}"));
                (got, cursor) = (got + &poll.text, poll.cursor);
            }
            1 => {
                let poll = scene.poll(&format!("?wait=50&from={cursor}"));
                (got, cursor) = (got + &poll.text, poll.cursor);
            }
            2 => {
                let mut events = Events { raw: scene.events("", Some(&cursor)), id: Some(cursor) };
                got += &events.lines(1);
                cursor = events.id.unwrap();
            }
            _ => {
                let mut viewer =
                    Viewer::connect(scene.server.addr(), &format!("/tail/app.log?from={cursor}"));
                got += &viewer
                    .lines_until(|lines| !lines.is_empty(), SOON)
                    .iter()
                    .map(|line| format!("{line}\n"))
                    .collect::<String>();
                cursor = viewer.cursor.clone().unwrap();
            }
        }
        assert!(got.lines().count() >= count.min(total), "round {round}");
        assert!(numbered(0, total).starts_with(&got), "round {round}: {got}");
    }
    let rest = scene.poll(&format!("?from={cursor}"));
    assert_eq!(got + &rest.text, numbered(0, written));
}
