//! The past of a log, through the door: `older`, `newer` and `seek`, over files and restarts.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::lines::numbered;
use support::v1::{Message, Viewer};
use support::{SOON, Server, TempDir, temp_dir};

/// Three files: `app.log.2`, `app.log.1` and `app.log`, each with as many numbered lines, and a time in each.
const LINES: usize = 3000;

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

/// The text of what came nearest first, in the order of the log.
fn upwards(answers: &[Message]) -> String {
    answers.iter().rev().filter(|answer| answer.kind == "older").map(|answer| answer.text.as_str()).collect()
}

fn downwards(answers: &[Message]) -> String {
    answers.iter().filter(|answer| answer.kind == "newer").map(|answer| answer.text.as_str()).collect()
}

fn begins(answers: &[Message]) -> usize {
    answers.iter().filter(|answer| answer.value["begins"] == "rotated").count()
}

/// Where the viewer's stream has begun.
fn first_cursor(viewer: &mut Viewer) -> String {
    viewer.wait_for("hello", SOON).value["cursor"].as_str().unwrap().to_owned()
}

#[test]
fn scrolling_up_walks_on_into_the_files_before() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?lines=10");
    let mut cursor = first_cursor(&mut viewer);
    let (mut text, mut borders, mut asked) = (String::new(), 0, 0);
    loop {
        asked += 1;
        let request = json!({"older": {"id": asked, "before": cursor, "lines": 700}});
        let answers = viewer.ask(&request.to_string());
        let here = upwards(&answers);
        let done = answers.last().unwrap();
        assert_eq!(done.kind, "done", "{done:?}");
        assert!(here.lines().count() == 700 || done.value["more"] == false, "{} lines", here.lines().count());
        borders += begins(&answers);
        text.insert_str(0, &here);
        if done.value["more"] == false {
            break;
        }
        cursor = answers[answers.len() - 2].value["from"].as_str().unwrap().to_owned();
    }
    assert!(text == numbered(0, 3 * LINES - 10), "{} lines", text.lines().count());
    assert_eq!((borders, asked), (2, 13));
}

#[test]
fn from_a_place_in_the_past_newer_leads_to_the_end_also_after_a_restart() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?lines=0");
    viewer.wait_for("hello", SOON);
    let place = viewer.ask(r#"{"seek":{"id":1,"to":{"time":"2026-11-25T01:00:00"}}}"#);
    let place = place.iter().find(|answer| answer.kind == "place").expect("a place").clone();
    assert_eq!(place.value["exact"], true, "{place:?}");
    assert_eq!(place.value["file"], "app.log.1");
    assert!(server.stop().success());
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?lines=0");
    viewer.wait_for("hello", SOON);
    let mut cursor = place.value["cursor"].as_str().unwrap().to_owned();
    let mut text = String::new();
    loop {
        let request = json!({"newer": {"id": 2, "after": cursor, "lines": 1000}});
        let answers = viewer.ask(&request.to_string());
        text += &downwards(&answers);
        let last = answers.iter().rev().find(|answer| answer.kind == "newer");
        cursor = last.map_or(cursor, |last| last.value["to"].as_str().unwrap().to_owned());
        if answers.last().unwrap().value["more"] == false {
            break;
        }
    }
    assert!(text == numbered(3600, 3 * LINES), "{} lines", text.lines().count());
    // And there the stream goes on.
    append(&path, "news\n");
    let mut live = Viewer::connect(server.addr(), &format!("/tail/app.log?from={cursor}"));
    live.lines_until(|lines| lines == ["news"], SOON);
}

#[test]
fn places_are_found_by_line_percent_start_and_end() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?lines=0");
    viewer.wait_for("hello", SOON);
    let mut id = 0;
    let mut place = |to: &str| {
        id += 1;
        let answers = viewer.ask(&format!(r#"{{"seek":{{"id":{id},"to":{to}}}}}"#));
        let place = answers.iter().find(|answer| answer.kind == "place");
        place.unwrap_or_else(|| panic!("{to}: {answers:?}")).value.clone()
    };
    let start = place(r#"{"start":{}}"#);
    assert_eq!((&start["byte"], &start["file"]), (&json!(0), &json!("app.log.2")));
    let end = place(r#"{"end":{}}"#);
    let size = fs::metadata(&path).unwrap().len();
    assert_eq!((&end["byte"], &end["file"]), (&json!(size), &json!("app.log")));
    let line = place(r#"{"line":1234}"#);
    let before = numbered(2 * LINES, 2 * LINES + 1233).len();
    assert_eq!((&line["line"], &line["byte"], &line["exact"]), (&json!(1234), &json!(before), &json!(true)));
    assert_eq!(place(r#"{"line":999999999}"#)["exact"], false);
    let half = place(r#"{"percent":50}"#);
    assert_eq!(half["file"], "app.log.1");
    assert_eq!(place(&json!({"cursor": line["cursor"]}).to_string())["byte"], line["byte"]);
}

#[test]
fn the_past_obeys_the_filter_of_the_stream() {
    let (_folder, path) = folder();
    append(&path, "an unfinished ox");
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?lines=10");
    viewer.lines_until(|lines| lines.last() == Some(&"an unfinished ox"), SOON);
    viewer.raw.send_text(r#"{"filter":{"grep":["ox"]}}"#);
    let filtered = viewer.wait_for("filtered", SOON);
    let cursor = filtered.value["cursor"].as_str().unwrap();
    let answers = viewer.ask(&json!({"older": {"id": 1, "before": cursor, "lines": 10_000}}).to_string());
    let expected: String = numbered(0, 3 * LINES)
        .lines()
        .filter(|line| line.contains("ox"))
        .map(|line| format!("{line}\n"))
        .collect();
    let text = upwards(&answers);
    assert!(text == expected, "{} lines, not {}", text.lines().count(), expected.lines().count());
    // What was shown above and what follows join without a seam.
    viewer.text.clear();
    append(&path, " and more\nno\n");
    viewer.lines_until(|lines| lines == ["an unfinished ox and more"], SOON);
}

#[test]
fn a_filter_in_the_address_begins_before_the_last_lines_that_pass() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?grep=ox&lines=350");
    let lines = viewer.lines_until(|lines| lines.len() >= 350, SOON);
    let expected: Vec<String> =
        numbered(0, 3 * LINES).lines().filter(|line| line.contains("ox")).map(str::to_owned).collect();
    assert_eq!(lines, expected[expected.len() - 350..]);
    assert_eq!(viewer.messages[0].kind, "hello");
    let mut none = Viewer::connect(server.addr(), "/tail/app.log?grep=unicorn&lines=10");
    none.wait_for("hello", SOON);
    append(&path, "a unicorn\n");
    none.lines_until(|lines| lines == ["a unicorn"], SOON);
}

#[test]
fn what_cannot_be_done_is_said_with_the_number_of_the_request() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?lines=0");
    viewer.wait_for("hello", SOON);
    for (request, why) in [
        (r#"{"older":{"id":7,"before":"nonsense"}}"#, "cursor"),
        (r#"{"seek":{"id":7,"to":{"percent":101}}}"#, "101"),
        (r#"{"seek":{"id":7,"to":{"line":0}}}"#, "line 1"),
        (r#"{"seek":{"id":7,"to":{"time":"noon"}}}"#, "time"),
        (r#"{"search":{"id":7,"grep":["(ox"]}}"#, "(ox"),
        (r#"{"search":{"id":7}}"#, "pattern"),
    ] {
        let answers = viewer.ask(request);
        let [error] = &answers[..] else { panic!("{request}: {answers:?}") };
        assert_eq!(error.kind, "error", "{request}");
        assert!(error.value["message"].as_str().unwrap().contains(why), "{error:?}");
    }
    assert_eq!(
        viewer.ask(r#"{"seek":{"id":8,"to":{"end":{}}}}"#).last().unwrap().kind,
        "done",
        "and it goes on"
    );
}

#[test]
fn a_viewer_that_is_paused_reads_the_past_and_then_goes_on_where_it_was_held() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?lines=1");
    viewer.lines_until(|lines| lines.len() == 1, SOON);
    let held = viewer.cursor.clone();
    viewer.say("pause");
    viewer.wait_for("behind", SOON);
    append(&path, "news\n");
    let place = viewer.ask(r#"{"seek":{"id":1,"to":{"percent":30}}}"#);
    let cursor = place[0].value["cursor"].as_str().unwrap().to_owned();
    let older = viewer.ask(&json!({"older": {"id": 2, "before": cursor, "lines": 5}}).to_string());
    let newer = viewer.ask(&json!({"newer": {"id": 3, "after": cursor, "lines": 5}}).to_string());
    let around = upwards(&older) + &downwards(&newer);
    assert_eq!(around.lines().count(), 10);
    assert!(numbered(0, LINES).contains(&around), "ten lines that follow each other: {around}");
    assert_eq!(viewer.cursor, held, "the stream has not moved");
    viewer.say("resume");
    viewer.lines_until(|lines| lines.last() == Some(&"news"), SOON);
    assert_eq!(viewer.text.lines().count(), 2);
}

#[test]
fn a_place_that_is_gone_is_a_gap_and_not_something_else() {
    let (_folder, path) = folder();
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?lines=0");
    viewer.wait_for("hello", SOON);
    for request in [
        r#"{"older":{"id":1,"before":"ffff.0011223344556677.00112233.400"}}"#,
        r#"{"newer":{"id":1,"after":"ffff.0011223344556677.00112233.400"}}"#,
    ] {
        let answers = viewer.ask(request);
        let [gap, done] = &answers[..] else { panic!("{request}: {answers:?}") };
        assert_eq!((&gap.value["gap"], &gap.value["bytes"]), (&json!("unknown"), &Value::Null));
        assert_eq!((gap.text.as_str(), done.kind.as_str()), ("", "done"));
    }
}
