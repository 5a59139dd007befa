//! The past of a log over plain HTTP: what a viewer asks over WebSocket, asked by an address.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use support::lines::numbered;
use support::v1::{Message, Viewer};
use support::ws::{Raw, http, http_get};
use support::{SOON, Server, TempDir, open_files, temp_dir, until};

/// So many lines has each of the three files.
const LINES: usize = 3000;

struct Scene {
    server: Server,
    path: PathBuf,
    _folder: TempDir,
}

impl Scene {
    /// A server of `app.log`, before which lie `app.log.1` and `app.log.2`.
    fn new(args: &[&str]) -> Self {
        let folder = temp_dir();
        let path = folder.path().join("app.log");
        for (number, name) in ["app.log.2", "app.log.1", "app.log"].iter().enumerate() {
            fs::write(folder.path().join(name), numbered(number * LINES, (number + 1) * LINES)).unwrap();
        }
        let args: Vec<&str> = args.iter().copied().chain([path.to_str().unwrap()]).collect();
        Self { server: Server::start(&args), path, _folder: folder }
    }

    fn rotate(&self) {
        for number in (1..9).rev() {
            let name = |number: usize| self.path.with_file_name(format!("app.log.{number}"));
            let _ = fs::rename(name(number), name(number + 1));
        }
        fs::rename(&self.path, self.path.with_file_name("app.log.1")).unwrap();
    }

    fn watch(&self, query: &str) -> Viewer {
        let mut viewer = Viewer::connect(self.server.addr(), &format!("/tail/app.log?{query}"));
        viewer.wait_for("hello", SOON);
        viewer
    }

    /// The answer in text, and the field of that name.
    fn text(&self, query: &str, field: &str) -> (String, Option<String>) {
        let (status, fields, body) = http_get(self.server.addr(), &format!("/tail/app.log?{query}"), &[]);
        let text = String::from_utf8(body).unwrap();
        assert_eq!(status, 200, "{query}: {text}");
        (text, fields.get(field).map(str::to_owned))
    }

    fn messages(&self, query: &str, form: Form) -> Vec<Message> {
        form.ask(self.server.addr(), query)
    }
}

/// How messages come without WebSocket.
#[derive(Clone, Copy, Debug)]
enum Form {
    Lines,
    Events,
}

impl Form {
    fn content_type(self) -> &'static str {
        match self {
            Self::Lines => "application/x-ndjson",
            Self::Events => "text/event-stream",
        }
    }

    fn ask(self, addr: SocketAddr, query: &str) -> Vec<Message> {
        let accept = [("Accept", self.content_type())];
        let (status, fields, body) = http_get(addr, &format!("/tail/app.log?{query}"), &accept);
        let body = String::from_utf8(body).unwrap();
        assert_eq!((status, fields.get("Content-Type")), (200, Some(self.content_type())), "{query}: {body}");
        let messages = body.lines().filter_map(|line| match self {
            Self::Events => line.strip_prefix("data: "),
            Self::Lines => Some(line),
        });
        messages.map(message).collect()
    }
}

/// A message as it comes over WebSocket: its text behind it.
fn message(json: &str) -> Message {
    let mut json: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {json}"));
    let (kind, value) = json.as_object_mut().unwrap().iter_mut().next().expect("a message has a kind");
    let text = value.as_object_mut().unwrap().remove("text");
    let text = text.map(|text| text.as_str().unwrap().to_owned()).unwrap_or_default();
    Message { kind: kind.clone(), value: value.clone(), text }
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// What of an answer does not depend on how fast it was given, nor on what was counted before: lines told in parts are one
/// text, and hits one list.
fn told(answers: &[Message]) -> (String, Vec<Value>, Vec<Value>) {
    let (mut text, mut hits, mut rest) = (String::new(), Vec::new(), Vec::new());
    for answer in answers {
        match answer.kind.as_str() {
            "progress" | "numbers" => {}
            "older" => text.insert_str(0, &answer.text),
            "newer" => text += &answer.text,
            "hits" => hits.extend(answer.value["hits"].as_array().unwrap().clone()),
            _ => rest.push(answer.value.clone()),
        }
    }
    hits.iter_mut().chain(&mut rest).for_each(|value| drop(value.as_object_mut().unwrap().remove("line")));
    (text, hits, rest)
}

/// Percent-encoded, as a query takes it.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn the_same_question_has_the_same_answer_by_every_way_while_the_log_rotates() {
    let scene = Scene::new(&[]);
    for round in 0..3 {
        let mut viewer = scene.watch("lines=20");
        let here = viewer.messages[0].value["cursor"].as_str().unwrap().to_owned();
        let seek = |to: Value, query: &str| (json!({"seek": {"id": 7, "to": to}}), format!("seek={query}"));
        let older = |lines: usize| json!({"older": {"id": 7, "before": here, "lines": lines}});
        let search = |grep: &str, most: usize| json!({"search": {"id": 7, "grep": [grep], "from": here, "ignore_case": true, "most": most}});
        let questions = [
            (older(7), format!("before={here}&lines=7")),
            (older(5000), format!("before={here}&lines=5000")),
            (older(10_000), format!("before={here}&lines=999999")),
            (json!({"newer": {"id": 7, "after": here, "lines": 5}}), format!("after={here}&lines=5")),
            (json!({"newer": {"id": 7, "after": here}}), format!("after={here}")),
            seek(json!({"start": {}}), "start"),
            seek(json!({"end": {}}), "end"),
            seek(json!({"percent": 37.5}), "percent:37.5"),
            seek(json!({"line": 4}), "line:4"),
            seek(json!({"time": "2026-11-25T01:00:00"}), "time:2026-11-25T01:00:00"),
            seek(json!({"cursor": here}), &format!("cursor:{here}")),
            (search("OX", 1000), format!("search=OX&ignore_case=1&from={here}")),
            (
                search("line .*5 of", 10),
                format!("search={}&ignore_case=1&most=10&from={here}", encoded("line .*5 of")),
            ),
        ];
        for (asked, query) in questions {
            let expected = told(&viewer.ask(&asked.to_string()));
            for form in [Form::Lines, Form::Events] {
                let found = told(&scene.messages(&format!("{query}&id=7"), form));
                assert_eq!(found, expected, "round {round}, {form:?}: {query}");
            }
        }
        append(&scene.path, &numbered(9000 + round * 10, 9010 + round * 10));
        scene.rotate();
        append(&scene.path, "the next file begins like this\nand goes on\n");
    }
}

#[test]
fn lines_are_those_that_the_filter_shows_and_a_search_is_for_lines_that_pass() {
    let scene = Scene::new(&[]);
    let mut viewer = scene.watch("lines=0&grep=ox&not=line.*[59]");
    let end = viewer.messages[0].value["cursor"].as_str().unwrap().to_owned();
    let older = json!({"older": {"id": 0, "before": end, "lines": 900}});
    let expected = told(&viewer.ask(&older.to_string()));
    assert_eq!(expected.0.lines().next_back(), Some("2026-11-25T02:28:00 INFO line 8880 of a ox"));
    let found = scene.messages(&format!("before={end}&lines=900&grep=ox&not=line.*[59]"), Form::Events);
    assert_eq!(told(&found), expected);
    let (text, _) = scene.text(&format!("before={end}&lines=900&grep=ox&not=line.*[59]"), "Wiretail-Cursor");
    assert_eq!(text, expected.0);
    let (hits, _) = scene.text("search=line+8..0+of&grep=ox&not=[1-9]0+of", "Wiretail-Cursor");
    assert_eq!(hits.lines().count(), 10, "8000, 8100, ...: {hits}");
}

#[test]
fn text_is_walked_through_in_either_direction_to_its_end() {
    let scene = Scene::new(&[]);
    let (_, cursor) = scene.text("lines=0", "Wiretail-Cursor");
    let (mut query, mut up) = (format!("before={}&lines=700", cursor.unwrap()), String::new());
    let first = loop {
        let (status, fields, body) = http_get(scene.server.addr(), &format!("/tail/app.log?{query}"), &[]);
        assert_eq!((status, fields.get("Content-Type")), (200, Some("text/plain; charset=utf-8")));
        up.insert_str(0, std::str::from_utf8(&body).unwrap());
        let cursor = fields.get("Wiretail-Cursor").unwrap().to_owned();
        if fields.get("Wiretail-More").is_none() {
            break cursor;
        }
        assert_eq!(body.split(|byte| *byte == b'\n').count(), 701);
        query = format!("before={cursor}&lines=700");
    };
    assert!(up == numbered(0, 3 * LINES), "{} bytes", up.len());
    let (mut query, mut down) = (format!("after={first}&lines=10000"), String::new());
    loop {
        let (text, cursor) = scene.text(&query, "Wiretail-Cursor");
        if text.is_empty() {
            break;
        }
        down += &text;
        query = format!("after={}&lines=10000", cursor.unwrap());
    }
    assert!(down == up, "{} bytes", down.len());
}

#[test]
fn more_than_fits_into_one_answer_is_said_to_be_there() {
    let scene = Scene::new(&[]);
    let text: String = (0..30_000).map(|number| format!("{number:0120}\n")).collect();
    append(&scene.path, &text);
    let (_, end) = scene.text("lines=0", "Wiretail-Cursor");
    let query = format!("before={}&lines=10000", end.unwrap());
    let (part, more) = scene.text(&query, "Wiretail-More");
    assert_eq!(more.as_deref(), Some("yes"));
    assert!(part.len() >= 1 << 20 && part.len() < 2 << 20, "{} bytes", part.len());
    assert!(text.ends_with(&part), "the nearest part of it, and whole");
    // What is told as it is found has no such bound.
    let told = told(&scene.messages(&query, Form::Lines)).0;
    assert!(text.ends_with(&told) && told.lines().count() == 10_000);
}

#[test]
fn a_place_is_shown_by_the_lines_behind_it_and_hits_are_printed_as_grep_does() {
    let scene = Scene::new(&[]);
    let begins = |number: usize| numbered(number, number + 2);
    for (to, first) in [("start", 0), ("line:1234", 2 * LINES + 1233), ("time:2026-11-25T01:00:00", 3600)] {
        let (text, cursor) = scene.text(&format!("seek={to}&lines=2"), "Wiretail-Cursor");
        assert_eq!(text, begins(first), "{to}");
        assert_eq!(scene.text(&format!("after={}&lines=2", cursor.unwrap()), "").0, begins(first + 2));
    }
    assert_eq!(scene.text("seek=percent:50&lines=1&grep=line+45..", "").0.lines().count(), 1);
    assert_eq!(scene.text("seek=end", "").0, "");
    let (hits, _) = scene.text("search=line+(7|4006|8997)+", "");
    let of =
        |file: &str, number: usize| format!("{file}:{}:{}", number % LINES + 1, numbered(number, number + 1));
    let numbered: String = [of("app.log", 8997), of("app.log.1", 4006), of("app.log.2", 7)].concat();
    let without_numbers = |hits: &str| -> Vec<(String, String)> {
        let parts = hits.lines().map(|hit| hit.splitn(3, ':').map(str::to_owned).collect::<Vec<_>>());
        parts.map(|parts| (parts[0].clone(), parts[2].clone())).collect()
    };
    // Nobody has counted the lines, so that their offsets stand for their numbers.
    assert_eq!(without_numbers(&hits), without_numbers(&numbered), "the nearest to the end first: {hits}");
    assert!(hits.lines().all(|hit| hit.split(':').nth(1).unwrap().starts_with('+')), "{hits}");
}

#[test]
fn in_events_the_numbers_of_lines_follow_behind_the_end() {
    let scene = Scene::new(&[]);
    let events = scene.messages("search=line+4006+of&id=3", Form::Events);
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    let done = kinds.iter().position(|kind| *kind == "done").unwrap();
    assert_eq!(kinds[done..], ["done", "numbers"], "{kinds:?}");
    assert_eq!(events.last().unwrap().value, json!({"id": 3, "lines": [[0, 1007]]}));
    let lines = scene.messages("search=line+4006+of", Form::Lines);
    assert_eq!(lines.last().unwrap().kind, "done", "nobody waits for them who waits for the end");
}

#[test]
fn what_makes_no_sense_is_refused_by_the_name_of_its_parameter() {
    let scene = Scene::new(&[]);
    let wrong = [
        ("before=nonsense", "before=: This names no place in any log", "cursor"),
        ("after=", "after=: This names no place in any log", "cursor"),
        ("before=%ff", "before= is not percent-encoded", ""),
        ("before=a&after=b", "before=, after=, seek=, search= only one", ""),
        ("before=a&lines=x", "lines= takes the number of lines.", ""),
        ("before=a&id=4294967296", "id= takes the number", ""),
        ("seek=", "seek= takes start, end, line:NUMBER", ""),
        ("seek=start:now", "seek= takes start, end, line:NUMBER", ""),
        ("seek=line:-1", "seek= takes start, end, line:NUMBER", "line"),
        ("seek=line:0", "seek=: The first line is line 1.", "line"),
        ("seek=percent:101", "seek=: 101 is no percentage", "percent"),
        ("seek=percent:nan", "seek=: NaN is no percentage", "percent"),
        ("seek=time:noon", "seek=: ", "time"),
        ("seek=cursor:x", "seek=: This names no place", "cursor"),
        ("search=", "search=: A search needs a pattern.", "no-pattern"),
        ("search=(", "search=: ", "syntax"),
        ("search=a&from=x", "search=: This names no place", "cursor"),
        ("search=a&most=many", "most= takes the number of hits.", ""),
        ("search=a&ignore_case=yes", "ignore_case= takes 0 or 1.", ""),
        ("before=a&grep=(", "", "syntax"),
    ];
    for (query, sentence, code) in wrong {
        let (status, fields, body) = http_get(scene.server.addr(), &format!("/tail/app.log?{query}"), &[]);
        let text = String::from_utf8(body).unwrap();
        assert!(status == 400 && text.contains(sentence), "{query}: {status} {text}");
        assert_eq!(fields.get("Wiretail-Code").unwrap_or_default(), code, "{query}");
    }
    let (status, ..) = http_get(scene.server.addr(), "/tail/other.log?before=x", &[]);
    assert_eq!(status, 404);
    let evil = [("Origin", "http://evil.example")];
    assert_eq!(http_get(scene.server.addr(), "/tail/app.log?search=x", &evil).0, 403);
    let (status, fields, body) = http(scene.server.addr(), "HEAD", "/tail/app.log?search=line", &[]);
    assert_eq!((status, fields.get("Transfer-Encoding"), body.len()), (200, Some("chunked"), 0));
    let (status, fields, body) = http(scene.server.addr(), "HEAD", "/tail/app.log?seek=start&lines=1", &[]);
    let length = numbered(0, 1).len().to_string();
    assert_eq!((status, fields.get("Content-Length"), body.len()), (200, Some(length.as_str()), 0));
    assert!(fields.get("Wiretail-Cursor").is_some());
}

#[test]
fn a_place_of_another_log_is_lost() {
    let (scene, other) = (Scene::new(&[]), Scene::new(&[]));
    fs::remove_file(&other.path).unwrap();
    append(&other.path, "a line of text that no other log begins with\n");
    let cursor = other.text("lines=0", "Wiretail-Cursor").1.unwrap();
    let (text, gap) = scene.text(&format!("before={cursor}"), "Wiretail-Gap");
    assert_eq!((text.as_str(), gap.as_deref()), ("", Some("unknown")));
    let (status, _, body) =
        http_get(scene.server.addr(), &format!("/tail/app.log?seek=cursor:{cursor}"), &[]);
    let words = "The place that was asked for is not there any more.\n";
    assert_eq!((status, std::str::from_utf8(&body).unwrap()), (404, words));
    let done = scene.messages(&format!("seek=cursor:{cursor}"), Form::Lines).pop().unwrap();
    assert_eq!(done.value["note"], words.trim_end());
}

#[test]
fn questions_follow_one_another_on_one_connection_and_an_old_client_is_told_the_end_by_its_end() {
    let scene = Scene::new(&[]);
    let mut raw = Raw::open(scene.server.addr());
    let ask = |query: &str, version: &str| {
        format!(
            "GET /tail/app.log?{query} HTTP/{version}\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n"
        )
    };
    // The second one is sent before the first is answered.
    raw.send_raw((ask("search=line+1.+of&id=1", "1.1") + &ask("seek=line:5&id=2", "1.1")).as_bytes());
    for (id, kind) in [(1, "hits"), (2, "place")] {
        let head = raw.read_head();
        assert_eq!((head.status, head.fields.get("Connection")), (200, None));
        let body = String::from_utf8(raw.read_chunks()).unwrap();
        let messages: Vec<Message> = body.lines().map(message).collect();
        assert!(messages.iter().all(|message| message.value["id"] == id), "{messages:?}");
        assert!(messages.iter().any(|message| message.kind == kind), "{messages:?}");
    }
    raw.send_raw(ask("seek=line:5", "1.0").as_bytes());
    let head = raw.read_head();
    assert_eq!((head.fields.get("Transfer-Encoding"), head.fields.get("Connection")), (None, Some("close")));
    let body = String::from_utf8(raw.read_to_eof()).unwrap();
    assert_eq!(message(body.lines().next_back().unwrap()).kind, "done", "{body}");
}

#[test]
fn what_is_masked_is_neither_shown_nor_found() {
    let scene = Scene::new(&["--redact", "of a (dog|ox)"]);
    let (text, _) = scene.text("seek=line:3&lines=1", "");
    assert_eq!(text, "2026-11-25T01:40:02 INFO line 6002 █████\n");
    assert_eq!(scene.text("search=ox", "").0, "");
    let found = scene.messages("search=line+6010", Form::Events);
    assert!(found.iter().any(|message| message.value["hits"][0]["marks"].is_array()), "{found:?}");
    assert!(!format!("{found:?}").contains("ox\""), "{found:?}");
}

/// Searches that keep the server busy for long: of a log with a hundred megabytes, each for something else.
fn long_searches(scene: &Scene) -> Vec<Raw> {
    append(&scene.path, &numbered(0, 100).repeat(20_000));
    let search = |number: usize| {
        let mut raw = Raw::open(scene.server.addr());
        let ask = format!("GET /tail/app.log?search=n.where+{number} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        raw.send_raw(ask.as_bytes());
        assert_eq!(raw.read_head().status, 200);
        raw
    };
    (0..20).map(search).collect()
}

#[test]
fn a_search_is_given_up_when_its_connection_closes_and_holds_up_nobody_meanwhile() {
    let scene = Scene::new(&[]);
    let searching = long_searches(&scene);
    let is_open = || open_files(scene.server.pid()).contains(&scene.path);
    let begun = Instant::now();
    let (_, fields, _) = http_get(scene.server.addr(), "/tail/app.log?lines=1", &[]);
    assert!(fields.get("Wiretail-Cursor").is_some() && begun.elapsed() < SOON / 2, "{:?}", begun.elapsed());
    assert!(is_open() && searching.iter().all(|raw| raw.unread().is_empty()), "they go on");
    drop(searching);
    until("the file to be closed", SOON, || (!is_open()).then_some(()));
}

#[test]
fn who_does_not_read_the_answer_is_not_read_for() {
    let scene = Scene::new(&[]);
    let long = "-".repeat(1000);
    let lines: String = (0..10_000).map(|number| format!("{number:05} {long}\n")).collect();
    append(&scene.path, &lines);
    let memory = support::rss_bytes(scene.server.pid());
    // Each of them would take up more than 10 MB.
    let questions = ["search=^[0-9]{5}+-", "search=[0-9]+-", "search=+--"];
    let deaf: Vec<Raw> = questions
        .iter()
        .map(|question| {
            let mut raw = Raw::open(scene.server.addr());
            let accept = "Host: localhost\r\nAccept: text/event-stream";
            raw.send_raw(
                format!("GET /tail/app.log?{question}&most=10000 HTTP/1.1\r\n{accept}\r\n\r\n").as_bytes(),
            );
            raw
        })
        .collect();
    let mut viewer = scene.watch("lines=0");
    append(&scene.path, "news\n");
    viewer.lines_until(|lines| lines == ["news"], SOON);
    let mut most = 0;
    for mut raw in deaf {
        assert_eq!(raw.read_head().status, 200);
        let body = String::from_utf8(raw.read_chunks()).unwrap();
        most = most.max(support::rss_bytes(scene.server.pid()).saturating_sub(memory));
        assert!(body.matches("\"cursor\":").count() >= 10_000, "{} bytes", body.len());
    }
    assert!(most < 8 << 20, "{most} bytes");
}
