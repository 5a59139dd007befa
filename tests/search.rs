//! Searching all that a log has ever held, through the door, and what that may cost others: nothing.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use support::server::wiretail;
use support::v1::{Message, Viewer};
use support::ws::{TEXT, frame};
use support::{SOON, Server, TempDir, temp_dir};

const LINES: usize = 20_000;

/// Every seventh line has an ox in it.
fn numbered(from: usize, to: usize) -> String {
    let line = |number: usize| match number % 7 {
        0 => format!("line {number} of an \u{20ac}Ox\n"),
        _ => format!("line {number} of a dog\n"),
    };
    (from..to).map(line).collect()
}

/// A log of three files.
fn folder() -> (TempDir, PathBuf) {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    for (number, name) in ["app.log.2", "app.log.1", "app.log"].iter().enumerate() {
        fs::write(folder.path().join(name), numbered(number * LINES, (number + 1) * LINES)).unwrap();
    }
    (folder, path)
}

fn serve(path: &Path) -> Server {
    Server::start(&[path.to_str().unwrap()])
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn watch(server: &Server, query: &str) -> Viewer {
    let mut viewer = Viewer::connect(server.addr(), &format!("/tail/app.log?{query}"));
    viewer.wait_for("hello", SOON);
    viewer
}

fn hits(answers: &[Message]) -> Vec<Value> {
    let hits = answers.iter().filter(|answer| answer.kind == "hits");
    hits.flat_map(|answer| answer.value["hits"].as_array().unwrap().clone()).collect()
}

#[test]
fn every_line_that_matches_is_found_once_the_nearest_first() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = watch(&server, "lines=0");
    let answers =
        viewer.ask(r#"{"search":{"id":4,"grep":["ox"],"ignore_case":true,"literal":true,"most":10000}}"#);
    let done = &answers.last().unwrap().value;
    let expected: Vec<usize> = (0..3 * LINES).filter(|number| number.is_multiple_of(7)).collect();
    assert_eq!((&done["count"], &done["more"]), (&json!(expected.len()), &json!(false)));
    let hits = hits(&answers);
    let number =
        |hit: &Value| -> usize { hit["text"].as_str().unwrap().split(' ').nth(1).unwrap().parse().unwrap() };
    // From the end backwards.
    assert!(hits.iter().rev().map(number).eq(expected.iter().copied()), "{} hits", hits.len());
    for hit in &hits {
        let number = number(hit);
        let (file, line) = (number / LINES, number % LINES);
        assert_eq!(hit["file"], ["app.log.2", "app.log.1", "app.log"][file]);
        assert!(hit["line"].is_null() || hit["line"] == line + 1, "{hit}");
        assert_eq!(hit["byte"], numbered_len(file * LINES, number), "{hit}");
        // In UTF-16 units: the euro is one of them.
        let from = format!("line {number} of an \u{20ac}").encode_utf16().count();
        assert_eq!(hit["marks"], json!([[from, from + 2]]), "{hit}");
        let at = hit["at"].as_f64().unwrap();
        let share = number as f64 / (3 * LINES) as f64;
        assert!((at - share).abs() < 0.02, "{hit}");
    }
    let map = answers.iter().rev().find(|answer| answer.kind == "progress").expect("progress");
    let buckets = map.value["map"].as_array().unwrap();
    assert_eq!(buckets.len(), 256);
    assert_eq!(buckets.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), expected.len() as u64);
}

#[test]
fn the_numbers_of_the_lines_come_after_the_hits_and_are_known_from_then_on() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = watch(&server, "lines=0");
    let search = |id: u64| json!({"search": {"id": id, "grep": ["line [0-9]*3 of"]}}).to_string();
    let answers = viewer.ask(&search(1));
    let told = hits(&answers);
    assert_eq!(told.len(), 1000);
    assert!(told.iter().all(|hit| hit["line"].is_null()), "nobody has counted");
    let mut numbers = vec![Value::Null; told.len()];
    while numbers.iter().any(Value::is_null) {
        let message = viewer.wait_for("numbers", SOON);
        assert_eq!(message.value["id"], 1);
        for pair in message.value["lines"].as_array().unwrap() {
            let which = usize::try_from(pair[0].as_u64().unwrap()).unwrap();
            assert!(numbers[which].is_null(), "told once");
            numbers[which] = pair[1].clone();
        }
    }
    let number =
        |hit: &Value| -> usize { hit["text"].as_str().unwrap().split(' ').nth(1).unwrap().parse().unwrap() };
    for (hit, line) in told.iter().zip(&numbers) {
        assert_eq!(*line, number(hit) % LINES + 1, "{hit}");
    }
    let again = hits(&viewer.ask(&search(2)));
    assert!(again.iter().map(|hit| &hit["line"]).eq(&numbers), "at once");
    // Whoever begins at the first byte has them at once, too, though nobody has counted before.
    let server = serve(&path);
    let mut other = watch(&server, "lines=0");
    let start = other.ask(r#"{"seek":{"id":1,"to":{"start":{}}}}"#);
    let from = start[0].value["cursor"].as_str().unwrap();
    let answers = other.ask(&json!({"search": {"id": 2, "grep": ["line 25.00 "], "from": from}}).to_string());
    assert_eq!(hits(&answers).len(), 10);
    assert!(hits(&answers).iter().all(|hit| hit["line"] == number(hit) % LINES + 1));
}

/// The length of the lines from one number to another, without making them all.
fn numbered_len(from: usize, to: usize) -> usize {
    use std::sync::OnceLock;
    static ENDS: OnceLock<Vec<usize>> = OnceLock::new();
    let ends = ENDS.get_or_init(|| {
        let mut end = 0;
        let mut ends = vec![0];
        for line in numbered(0, 3 * LINES).split_inclusive('\n') {
            end += line.len();
            ends.push(end);
        }
        ends
    });
    ends[to] - ends[from]
}

#[test]
fn beyond_the_most_hits_lines_are_only_counted() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = watch(&server, "lines=0");
    let answers = viewer.ask(r#"{"search":{"id":1,"grep":["line"],"not":["Ox"],"most":10}}"#);
    assert_eq!(hits(&answers).len(), 10);
    let done = &answers.last().unwrap().value;
    let dogs = (0..3 * LINES).filter(|number| !number.is_multiple_of(7)).count();
    assert_eq!((&done["count"], &done["more"]), (&json!(dogs), &json!(true)));
}

#[test]
fn a_hits_context_is_what_lies_older_and_newer() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = watch(&server, "lines=0");
    let answers = viewer.ask(r#"{"search":{"id":1,"grep":["line 20000 "]}}"#);
    let [hit] = &hits(&answers)[..] else { panic!("{answers:?}") };
    let before = viewer.ask(&json!({"older": {"id": 2, "before": hit["cursor"], "lines": 3}}).to_string());
    let after = viewer.ask(&json!({"newer": {"id": 3, "after": hit["cursor"], "lines": 2}}).to_string());
    let text = |answers: &[Message], kind: &str| -> String {
        let texts: Vec<&str> =
            answers.iter().filter(|answer| answer.kind == kind).map(|answer| answer.text.as_str()).collect();
        if kind == "older" { texts.into_iter().rev().collect() } else { texts.concat() }
    };
    assert_eq!(text(&before, "older"), numbered(19_997, 20_000));
    assert_eq!(text(&after, "newer"), numbered(20_000, 20_002));
}

#[test]
fn a_search_is_cancelled_replaced_and_outlived() {
    let (_folder, path) = folder();
    append(&path, &numbered(0, 1_000_000));
    let server = serve(&path);
    let mut viewer = watch(&server, "lines=0");
    viewer.raw.send_text(r#"{"search":{"id":1,"grep":["nowhere"]}}"#);
    viewer.raw.send_text(r#"{"search":{"id":2,"grep":["not here"]}}"#);
    let done = viewer.answers(&json!(1)).pop().unwrap();
    assert_eq!(done.value["cancelled"], true, "another took its place");
    viewer.raw.send_text(r#"{"cancel":{"id":2}}"#);
    let done = viewer.answers(&json!(2)).pop().unwrap();
    assert_eq!(done.kind, "done");
    // An older request and a search beside each other.
    let cursor = viewer.cursor.clone().unwrap();
    viewer.raw.send_text(r#"{"search":{"id":3,"grep":["line 12345 of"]}}"#);
    viewer.raw.send_text(&json!({"older": {"id": 4, "before": cursor, "lines": 5}}).to_string());
    let older = viewer.answers(&json!(4));
    assert_eq!(older.iter().map(|answer| answer.text.lines().count()).sum::<usize>(), 5);
    let found = viewer.answers(&json!(3));
    assert_eq!(found.last().unwrap().value["count"], 2);
    // It goes while its search is worked on, and others are served.
    viewer.raw.send_text(r#"{"search":{"id":5,"grep":["nowhere"]}}"#);
    drop(viewer);
    let mut other = watch(&server, "lines=1");
    other.lines_until(|lines| lines.len() == 1, SOON);
    append(&path, "still here\n");
    other.lines_until(|lines| lines.last() == Some(&"still here"), SOON);
}

#[test]
fn a_thousand_searches_in_one_breath_are_one_and_unread_hits_wait() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = watch(&server, "lines=0");
    let mut deaf = watch(&server, "lines=0");
    let memory = support::rss_bytes(server.pid());
    let searches: Vec<u8> = (0..1000)
        .flat_map(|id| {
            let search = json!({"search": {"id": id, "grep": ["line"], "most": 10_000}});
            frame(TEXT, search.to_string().as_bytes())
        })
        .collect();
    viewer.raw.send_raw(&searches);
    deaf.raw.send_raw(&searches);
    let mut other = watch(&server, "lines=0");
    append(&path, "news\n");
    other.lines_until(|lines| lines == ["news"], SOON);
    let answers = viewer.answers(&json!(999));
    assert_eq!(hits(&answers).len(), 10_000);
    let memory = support::rss_bytes(server.pid()).saturating_sub(memory);
    assert!(memory < 24 << 20, "{memory} bytes");
    // Who did not listen meanwhile gets all of it now.
    let answers = deaf.answers(&json!(999));
    assert_eq!(answers.last().unwrap().value["count"], 3 * LINES);
}

#[test]
fn progress_is_told_five_times_a_second_at_most() {
    let (_folder, path) = folder();
    append(&path, &numbered(0, 3_000_000));
    let server = serve(&path);
    let mut viewer = watch(&server, "lines=0");
    let begun = std::time::Instant::now();
    let answers = viewer.ask(r#"{"search":{"id":1,"grep":["n.where"],"ignore_case":true}}"#);
    let told = answers.iter().filter(|answer| answer.kind == "progress").count();
    let most = begun.elapsed().as_millis() / 200 + 1;
    assert!(told >= 1 && told as u128 <= most, "{told} times, {most} at most");
    let last = answers.iter().rev().find(|answer| answer.kind == "progress").unwrap();
    assert_eq!(last.value["done"], last.value["total"], "{last:?}");
    assert_eq!(last.value["what"], "searching");
}

#[test]
fn cat_searches_like_grep() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let url = format!("{}tail/app.log", server.url());
    let search =
        |args: &[&str]| wiretail().arg("cat").arg(&url).args(args).stdin(Stdio::null()).output().unwrap();
    let found = search(&["--search", "line (7|20006|59997) "]);
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let expected = [7, 20_006, 59_997].map(|number: usize| {
        let file = ["app.log.2", "app.log.1", "app.log"][number / LINES];
        format!("{file}:{}:{}", number % LINES + 1, numbered(number, number + 1))
    });
    assert_eq!(String::from_utf8(found.stdout).unwrap(), expected.concat(), "as `grep -Hn` says it");
    let none = search(&["--search", "unicorn"]);
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&none.stdout), "");
    let some = search(&["--search", "OX", "--not", "line [0-9]{2,} ", "--ignore-case"]);
    assert_eq!(String::from_utf8(some.stdout).unwrap().lines().count(), 2, "lines 0 and 7");
}

#[test]
fn cat_begins_at_a_time_and_goes_on() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let text: String =
        (0..60).map(|minute| format!("2026-11-25 15:{minute:02}:00 minute {minute}\n")).collect();
    append(&path, &text);
    let server = serve(&path);
    let url = format!("{}tail/app.log", server.url());
    let out = wiretail()
        .args(["cat", &url, "--since", "2026-11-25T15:57:30", "--no-follow"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let expected: String = text.lines().skip(58).map(|line| format!("{line}\n")).collect();
    assert_eq!(String::from_utf8(out.stdout).unwrap(), expected);
    let wrong = wiretail().args(["cat", &url, "--since", "noon"]).stdin(Stdio::null()).output().unwrap();
    assert_ne!(wrong.status.code(), Some(0));
}

#[test]
fn a_place_that_is_lost_is_said_at_the_end() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = watch(&server, "lines=1");
    let elsewhere = temp_dir();
    let other = elsewhere.path().join("app.log");
    fs::write(&other, "a line of text that no other log begins with\n").unwrap();
    let lost = {
        let server = serve(&other);
        watch(&server, "lines=0").cursor.unwrap()
    };
    let answers = viewer.ask(&json!({"seek": {"id": 1, "to": {"cursor": lost}}}).to_string());
    assert!(answers.iter().all(|answer| answer.kind != "place"));
    let done = &answers.last().unwrap().value;
    assert_eq!(done["note"], "The place that was asked for is not there any more.");
    let search = json!({"id": 2, "grep": ["Ox"], "from": lost, "most": 1});
    let answers = viewer.ask(&json!({ "search": search }).to_string());
    assert_eq!(hits(&answers)[0]["file"], "app.log");
    let done = &answers.last().unwrap().value;
    let note = "The place to begin at is not there any more: this search began at the end.";
    assert_eq!((&done["note"], &done["cancelled"]), (&json!(note), &Value::Null));
    let answers = viewer.ask(r#"{"search":{"id":3,"grep":["Ox"],"most":1}}"#);
    assert_eq!(answers.last().unwrap().value["note"], Value::Null);
}
