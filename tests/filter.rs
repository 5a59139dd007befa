//! Filters on the live stream, through the door: a real server, real files, viewers who see only some of the lines.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use support::v1::Viewer;
use support::ws::{Raw, http, upgrade_request};
use support::{SOON, Server, TempDir, temp_dir};

/// Long enough for megabytes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with `app.log` in it, and a server of it.
fn serve(text: &str) -> (TempDir, PathBuf, Server) {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    fs::write(&path, text).unwrap();
    let server = Server::start(&[path.to_str().unwrap()]);
    (folder, path, server)
}

fn append(path: &Path, text: impl AsRef<[u8]>) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_ref()).unwrap();
}

/// Numbered lines, every tenth of which has an ox in it.
fn numbered(from: usize, to: usize) -> String {
    let line = |number: usize| match number % 10 {
        0 => format!("line {number} ox\n"),
        _ => format!("line {number}\n"),
    };
    (from..to).map(line).collect()
}

/// As `grep` would.
fn grep(pattern: &str, text: &str) -> String {
    text.lines().filter(|line| line.contains(pattern)).map(|line| format!("{line}\n")).collect()
}

/// Reads until all that passes has come; nothing else may.
#[track_caller]
fn expect_text(viewer: &mut Viewer, expected: &str) {
    viewer.lines_until(|lines| lines.len() >= expected.lines().count(), PATIENCE);
    assert_eq!(viewer.text, expected);
}

#[test]
fn only_lines_that_pass_are_sent() {
    let (_folder, path, server) = serve("an ox\na fox\na dog\nan ox and a dog\n");
    let target = "/tail/app.log?grep=ox&not=dog&lines=10";
    let mut viewer = Viewer::connect(server.addr(), target);
    expect_text(&mut viewer, "an ox\na fox\n");
    assert_eq!(viewer.messages[0].value["filter"], true, "hello says so");
    append(&path, "dog\nbox\ndog ox\n");
    expect_text(&mut viewer, "an ox\na fox\nbox\n");
    let mut plain = Raw::connect(server.addr(), target);
    let mut text = String::new();
    while text.len() < "an ox\na fox\nbox\n".len() {
        text += &plain.read_text();
    }
    assert_eq!(text, "an ox\na fox\nbox\n", "without a sub-protocol as well");
    append(&path, "an oxer\n");
    assert_eq!(plain.read_text(), "an oxer\n");
}

#[test]
fn half_a_line_waits_for_its_other_half_and_is_judged_whole() {
    let (_folder, path, server) = serve("");
    let mut all = Viewer::connect(server.addr(), "/tail/app.log");
    let mut some = Viewer::connect(server.addr(), "/tail/app.log?grep=ox");
    for (half, other) in [("an o", "x\n"), ("ox ", "is it\n"), ("a d", "og\n")] {
        append(&path, half);
        // To others it is shown as it is.
        all.lines_until(|lines| lines.last() == Some(&half.trim_end_matches('\n')), SOON);
        append(&path, other);
    }
    expect_text(&mut some, "an ox\nox is it\n");
}

#[test]
fn a_place_in_the_middle_of_a_line_is_as_good_as_any_other() {
    let (_folder, path, server) = serve("one ox\nan o");
    let mut all = Viewer::connect(server.addr(), "/tail/app.log");
    all.lines_until(|lines| lines.last() == Some(&"an o"), SOON);
    let target = format!("/tail/app.log?grep=ox&from={}", all.cursor.clone().unwrap());
    let mut here = Viewer::connect(server.addr(), &target);
    here.wait_for("hello", SOON);
    append(&path, "x\nno\nanother ox\n");
    expect_text(&mut here, "an ox\nanother ox\n");
    assert!(server.stop().success());
    let server = Server::start(&[path.to_str().unwrap()]);
    let mut there = Viewer::connect(server.addr(), &target);
    expect_text(&mut there, "an ox\nanother ox\n");
}

#[test]
fn a_filter_is_put_on_changed_and_taken_off_in_the_middle_of_everything() {
    let (_folder, path, server) = serve("");
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    viewer.wait_for("hello", SOON);
    append(&path, "one ox\nhalf of an o");
    viewer.lines_until(|lines| lines.last() == Some(&"half of an o"), SOON);
    // On, in the middle of a line that was shown: it will come whole.
    filter(&mut viewer, r#""grep":["ox"]"#, true);
    viewer.text.clear();
    append(&path, "x\nno\nhalf of a d");
    expect_text(&mut viewer, "half of an ox\n");
    // Another one, in the middle of a line that was not shown.
    until_passed(&mut viewer, &path, "half of a d");
    filter(&mut viewer, r#""grep":["dog"],"ignore_case":false"#, true);
    append(&path, "og\nno\nhalf again");
    expect_text(&mut viewer, "half of an ox\nhalf of a dog\n");
    // Off: what follows is everything, from the place in the answer on.
    until_passed(&mut viewer, &path, "half again");
    let cursor = filter(&mut viewer, "", false);
    viewer.text.clear();
    append(&path, " and the rest\n");
    expect_text(&mut viewer, " and the rest\n");
    let mut rest = Viewer::connect(server.addr(), &format!("/tail/app.log?from={cursor}"));
    expect_text(&mut rest, " and the rest\n");
    // A pattern that is none changes nothing.
    viewer.raw.send_text(r#"{"filter":{"grep":["(ox"]}}"#);
    let error = viewer.wait_for("error", SOON);
    assert!(error.value["message"].as_str().unwrap().contains("(ox"), "{error:?}");
    append(&path, "still all\n");
    expect_text(&mut viewer, " and the rest\nstill all\n");
}

/// Puts a filter on, and gives the place where it begins.
fn filter(viewer: &mut Viewer, members: &str, active: bool) -> String {
    viewer.raw.send_text(&format!("{{\"filter\":{{{members}}}}}"));
    let filtered = viewer.wait_for("filtered", SOON);
    assert_eq!(filtered.value["active"], active);
    filtered.value["cursor"].as_str().unwrap().to_owned()
}

/// Waits until the viewer's place is the end of the log, which is half a line.
fn until_passed(viewer: &mut Viewer, path: &Path, half: &str) {
    let text = fs::read(path).unwrap();
    assert!(text.ends_with(half.as_bytes()));
    let end = format!(".{:x}", text.len());
    while !viewer.cursor.as_ref().is_some_and(|cursor| cursor.ends_with(&end)) {
        viewer.wait_for("lines", SOON);
    }
}

#[test]
fn where_nothing_passes_the_place_moves_without_text_a_few_times_a_second() {
    let (_folder, path, server) = serve("");
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?grep=never");
    viewer.wait_for("hello", SOON);
    const ROUNDS: usize = 100;
    let begun = std::time::Instant::now();
    for _ in 0..ROUNDS {
        append(&path, "not this\n");
        std::thread::sleep(Duration::from_millis(10));
    }
    let end = format!(".{:x}", ROUNDS * "not this\n".len());
    while !viewer.cursor.as_ref().is_some_and(|cursor| cursor.ends_with(&end)) {
        viewer.wait_for("lines", SOON);
    }
    assert_eq!(viewer.text, "");
    let told = viewer.count("lines");
    let most = begun.elapsed().as_millis() / 250 + 1;
    assert!(told >= 1 && told as u128 <= most, "{told} times, {most} at most");
    let bytes: u64 = (viewer.messages.iter())
        .filter(|message| message.kind == "lines")
        .map(|message| message.value["bytes"].as_u64().unwrap())
        .sum();
    assert_eq!(bytes as usize, ROUNDS * "not this\n".len(), "every byte counts");
}

#[test]
fn a_rotation_in_the_middle_of_a_line_loses_and_repeats_nothing() {
    let (folder, path, server) = serve("zero ox\none o");
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?grep=ox");
    expect_text(&mut viewer, "zero ox\n");
    let rotated = folder.path().join("app.log.1");
    fs::rename(&path, &rotated).unwrap();
    append(&path, "two o");
    viewer.wait_for("rotated", SOON);
    append(&rotated, "x, late\n");
    append(&path, "x\nno\n");
    viewer.lines_until(|lines| lines.len() == 3, SOON);
    let mut lines: Vec<&str> = viewer.text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["one ox, late", "two ox", "zero ox"], "{}", viewer.text);
}

#[test]
fn the_half_line_that_a_file_ends_with_is_judged_when_it_is_over() {
    let (folder, path, server) = serve("zero\nthe last ox");
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?grep=ox");
    viewer.wait_for("hello", SOON);
    fs::rename(&path, folder.path().join("app.log.1")).unwrap();
    append(&path, "no\n");
    // After five quiet seconds nothing more is expected of it.
    viewer.lines_until(|lines| lines == ["the last ox"], Duration::from_secs(15));
    let mut once = Viewer::connect(server.addr(), "/tail/app.log?grep=o&follow=0&lines=9");
    once.wait_for("end", SOON);
    let mut lines: Vec<&str> = once.text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["no", "the last ox", "zero"]);
    append(&path, "a half one");
    let mut half = Viewer::connect(server.addr(), "/tail/app.log?grep=half&follow=0&lines=9");
    half.wait_for("end", SOON);
    assert_eq!(half.text, "a half one\n", "who will not wait is shown what there is");
}

#[test]
fn a_line_beyond_all_bounds_costs_nothing_and_those_around_it_pass() {
    let (_folder, path, server) = serve("");
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?grep=ox");
    viewer.wait_for("hello", SOON);
    append(&path, "first ox\n");
    for _ in 0..64 {
        append(&path, "x".repeat(1 << 20));
    }
    append(&path, " ox in the long one\nlast ox\n");
    let lines = viewer.lines_until(|lines| lines.last() == Some(&"last ox"), PATIENCE);
    assert_eq!(lines[0], "first ox");
    assert!(lines[lines.len() - 2].ends_with(" ox in the long one"));
}

#[test]
fn many_viewers_with_one_filter_or_several_see_each_what_they_should() {
    let (_folder, path, server) = serve("");
    let patterns = ["ox", "ox", "line", "7", "never", "ox"];
    let mut viewers: Vec<Viewer> = (patterns.iter())
        .map(|pattern| Viewer::connect(server.addr(), &format!("/tail/app.log?grep={pattern}")))
        .collect();
    viewers.iter_mut().for_each(|viewer| drop(viewer.wait_for("hello", SOON)));
    let text = numbered(0, 20_000);
    for part in text.as_bytes().chunks(7_001) {
        append(&path, part);
    }
    for (viewer, pattern) in viewers.iter_mut().zip(patterns) {
        expect_text(viewer, &grep(pattern, &text));
    }
}

#[test]
fn a_slow_viewer_with_a_filter_catches_up_from_the_file() {
    let (_folder, path, server) = serve("");
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?grep=ox");
    viewer.wait_for("hello", SOON);
    viewer.say("pause");
    viewer.wait_for("behind", SOON);
    let text = numbered(0, 400_000);
    append(&path, &text);
    // Somebody else reads all of it, so that it has left the window.
    let mut other = Viewer::connect(server.addr(), "/tail/app.log?grep=399999");
    other.lines_until(|lines| lines == ["line 399999"], PATIENCE);
    viewer.say("resume");
    expect_text(&mut viewer, &grep("ox", &text));
    viewer.wait_for("behind", SOON);
}

#[test]
fn a_query_that_is_none_is_refused_with_a_sentence() {
    let (_folder, _path, server) = serve("");
    let too_many: String = (0..20).map(|number| format!("grep={number}&")).collect();
    let too_long = format!("not={}", "x".repeat(1025));
    for (query, why) in [
        ("grep=(ox", "(ox"),
        ("grep=%ff", "grep="),
        ("ignore_case=yes", "ignore_case= takes 0 or 1"),
        (too_many.as_str(), "16 at most"),
        (too_long.as_str(), "1024 bytes"),
    ] {
        let request = upgrade_request(server.addr(), &format!("/tail/app.log?{query}"), &[]);
        let mut raw = Raw::open(server.addr());
        raw.send_raw(request.as_bytes());
        assert_eq!(raw.read_head().status, 400, "{query}");
        let body = String::from_utf8(raw.read_to_eof()).unwrap();
        assert!(body.contains(why), "{query}: {body}");
    }
    assert_eq!(http(server.addr(), "GET", "/healthz", &[]).0, 200);
}
