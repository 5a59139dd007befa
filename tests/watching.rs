//! Watching logs through the door: a real server, real files, viewers over WebSocket.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::v1::Viewer;
use support::ws::{Raw, http, http_get};
use support::{SOON, Server, TempDir, open_files, temp_dir, until};

/// A folder with `app.log` in it, holding `lines` numbered lines.
fn folder_with(lines: usize) -> (TempDir, PathBuf) {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    fs::write(&path, numbered(0, lines)).unwrap();
    (folder, path)
}

fn numbered(from: usize, to: usize) -> String {
    (from..to).map(|number| format!("line {number}\n")).collect()
}

fn append(path: &Path, text: impl AsRef<[u8]>) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_ref()).unwrap();
}

fn serve(path: &Path) -> Server {
    Server::start(&[path.to_str().unwrap()])
}

/// Plain log text, until there are `len` bytes of it.
fn plain_text(raw: &mut Raw, len: usize) -> String {
    let mut text = String::new();
    while text.len() < len {
        text += &raw.read_text();
    }
    text
}

#[test]
fn the_last_lines_come_first_then_what_is_appended() {
    let (_folder, path) = folder_with(5000);
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?lines=10");
    let lines = viewer.lines_until(|lines| lines.len() >= 10, SOON);
    assert_eq!(lines.join("\n") + "\n", numbered(4990, 5000));
    for number in 5000..5050 {
        append(&path, format!("line {number}\n"));
    }
    let lines = viewer.lines_until(|lines| lines.len() >= 60, SOON);
    assert_eq!(lines.join("\n") + "\n", numbered(4990, 5050));
    assert_eq!(viewer.messages[0].kind, "hello", "hello is first");
}

#[test]
fn a_client_without_a_sub_protocol_gets_nothing_but_text() {
    let (_folder, path) = folder_with(3);
    let server = serve(&path);
    let mut raw = Raw::connect(server.addr(), "/tail/app.log?tail=1");
    assert_eq!(plain_text(&mut raw, 21), numbered(0, 3));
    raw.send_text("ping");
    assert_eq!(raw.read_text(), "pong", "as older clients keep their connection awake");
    append(&path, "more\n");
    assert_eq!(raw.read_text(), "more\n");
}

#[test]
fn without_follow_the_content_is_sent_and_the_server_closes() {
    let (_folder, path) = folder_with(2000);
    append(&path, "half a line");
    let server = serve(&path);
    for query in ["tail=0", "follow=0"] {
        let mut raw = Raw::connect(server.addr(), &format!("/tail/app.log?{query}&lines=100000"));
        let expected = numbered(0, 2000) + "half a line";
        assert_eq!(plain_text(&mut raw, expected.len()), expected);
        raw.expect_close(1000);
        raw.send_close(1000);
        raw.expect_eof();
    }
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?follow=0");
    viewer.wait_for("end", SOON);
    assert!(viewer.text.ends_with("half a line"), "the half line is not left out");
}

#[test]
fn a_half_line_is_shown_after_a_moment_and_completed_in_place() {
    let (_folder, path) = folder_with(1);
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    viewer.lines_until(|lines| lines.len() == 1, SOON);
    append(&path, "loading ");
    viewer.lines_until(|lines| lines.last() == Some(&"loading "), SOON);
    append(&path, "done\n");
    viewer.lines_until(|lines| lines.last() == Some(&"loading done"), SOON);
    assert_eq!(viewer.text, "line 0\nloading done\n");
}

#[test]
fn a_rotation_loses_nothing_and_is_told() {
    let (folder, path) = folder_with(10);
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    viewer.lines_until(|lines| lines.len() == 10, SOON);
    let rotated = folder.path().join("app.log.1");
    append(&path, numbered(10, 12));
    fs::rename(&path, &rotated).unwrap();
    // The program has not been told yet: it goes on writing to the renamed file.
    append(&rotated, numbered(12, 14));
    append(&path, numbered(14, 20));
    let lines = viewer.lines_until(|lines| lines.len() == 20, SOON);
    assert_eq!(lines.join("\n") + "\n", numbered(0, 20));
    assert_eq!(viewer.count("rotated"), 1);
    // Late lines of the renamed file are not lost either.
    append(&rotated, "late\n");
    viewer.lines_until(|lines| lines.contains(&"late"), SOON);
    assert_eq!(viewer.count("gap"), 0);
}

#[test]
fn a_viewer_that_was_away_resumes_at_its_cursor_over_rotation_and_restart() {
    let (folder, path) = folder_with(100);
    let server = serve(&path);
    let mut before = Viewer::connect(server.addr(), "/tail/app.log");
    before.lines_until(|lines| lines.len() == 100, SOON);
    let cursor = before.cursor.clone().unwrap();
    drop(before);
    assert!(server.stop().success());
    append(&path, numbered(100, 150));
    fs::rename(&path, folder.path().join("app.log.1")).unwrap();
    append(&path, numbered(150, 170));
    let server = serve(&path);
    let mut after = Viewer::connect(server.addr(), &format!("/tail/app.log?from={cursor}"));
    let lines = after.lines_until(|lines| lines.len() == 70, SOON);
    assert_eq!(lines.join("\n") + "\n", numbered(100, 170));
    assert_eq!((after.count("gap"), after.count("rotated")), (0, 1));
}

#[test]
fn what_is_gone_for_good_is_counted_and_told() {
    let (folder, path) = folder_with(100);
    let server = serve(&path);
    let mut stalled = Viewer::connect(server.addr(), "/tail/app.log");
    stalled.lines_until(|lines| lines.len() == 100, SOON);
    let cursor = stalled.cursor.clone().unwrap();
    drop(stalled);
    assert!(server.stop().success());
    fs::remove_file(&path).unwrap();
    append(&path, "a new beginning, of other content than before\n");
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), &format!("/tail/app.log?from={cursor}"));
    viewer.lines_until(|lines| lines.len() == 1, SOON);
    assert_eq!(viewer.count("gap"), 1, "{:?}", viewer.messages);
    drop(folder);
}

#[test]
fn truncation_and_copytruncate_are_told_and_lose_nothing_that_was_kept() {
    let (folder, path) = folder_with(50);
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    viewer.lines_until(|lines| lines.len() == 50, SOON);
    fs::copy(&path, folder.path().join("app.log.1")).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    append(&path, numbered(50, 60));
    let lines = viewer.lines_until(|lines| lines.len() == 60, SOON);
    assert_eq!(lines.join("\n") + "\n", numbered(0, 60));
    assert_eq!(viewer.count("truncated"), 1);
}

#[test]
fn a_pause_loses_nothing_and_tells_how_far_behind() {
    let (_folder, path) = folder_with(1);
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    viewer.lines_until(|lines| lines.len() == 1, SOON);
    viewer.say("pause");
    let behind = viewer.wait_for("behind", SOON);
    assert_eq!(behind.value["bytes"], 0, "the answer to the pause");
    append(&path, numbered(1, 1000));
    let behind = viewer.wait_for("behind", SOON);
    assert!(behind.value["bytes"].as_u64().unwrap() > 0, "{behind:?}");
    append(&path, numbered(1000, 2000));
    assert_eq!(viewer.text, "line 0\n", "nothing comes while paused");
    viewer.say("resume");
    let lines = viewer.lines_until(|lines| lines.len() == 2000, SOON);
    assert_eq!(lines.join("\n") + "\n", numbered(0, 2000));
    let behind = viewer.wait_for("behind", SOON);
    assert_eq!(behind.value["bytes"], 0, "it has caught up");
}

#[test]
fn bytes_that_are_not_utf8_never_make_an_illegal_frame() {
    let (_folder, path) = folder_with(0);
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    let bytes = b"caf\xe9 \xff\xfe \xf0\x9f\x92\xa9 \xe4\xb8\xad\xe6 \0\n";
    for byte in bytes {
        append(&path, [*byte]);
    }
    let expected = String::from_utf8_lossy(bytes).trim_end().to_owned();
    viewer.lines_until(|lines| lines == [expected.as_str()], SOON);
}

#[test]
fn a_line_of_64_mib_arrives_whole() {
    let (_folder, path) = folder_with(0);
    let server = serve(&path);
    let mut raw = Raw::connect(server.addr(), "/tail/app.log");
    let long: String = "0123456789abcdef".repeat(1 << 22);
    append(&path, &long);
    append(&path, "\n");
    let text = plain_text(&mut raw, long.len() + 1);
    assert!(text.strip_suffix('\n') == Some(&long), "the line came, {} bytes of it", text.len());
}

#[test]
fn a_vast_sparse_file_opens_at_once_and_its_hole_is_a_gap() {
    let folder = temp_dir();
    let path = folder.path().join("sparse.log");
    let file = File::create(&path).unwrap();
    file.set_len(10 << 30).unwrap();
    append(&path, numbered(0, 3));
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/sparse.log?lines=3");
    viewer.lines_until(|lines| lines.ends_with(&["line 1", "line 2"]), SOON);
    // A file that grows by a hole while it is watched.
    file.set_len(20 << 30).unwrap();
    append(&path, "after the hole\n");
    let gap = viewer.wait_for("gap", SOON);
    assert_eq!(gap.value["why"], "hole");
    viewer.lines_until(|lines| lines.last().is_some_and(|line| line.ends_with("after the hole")), SOON);
}

#[test]
fn the_file_is_open_from_the_first_viewer_to_the_last() {
    let (_folder, path) = folder_with(5);
    let path = path.canonicalize().unwrap();
    let server = serve(&path);
    let is_open = || open_files(server.pid()).contains(&path);
    assert!(!is_open(), "nobody watches");
    let mut one = Viewer::connect(server.addr(), "/tail/app.log");
    let mut two = Viewer::connect(server.addr(), "/tail/app.log");
    for viewer in [&mut one, &mut two] {
        viewer.lines_until(|lines| lines.len() == 5, SOON);
    }
    assert_eq!(
        open_files(server.pid()).iter().filter(|open| **open == path).count(),
        1,
        "one follower for both"
    );
    one.raw.send_close(1000);
    one.raw.expect_close(1000);
    append(&path, "still here\n");
    two.lines_until(|lines| lines.len() == 6, SOON);
    assert!(is_open(), "one still watches");
    drop(two);
    until("the file to be closed", SOON, || (!is_open()).then_some(()));
}

#[test]
fn a_log_that_does_not_exist_yet_is_waited_for() {
    let folder = temp_dir();
    let path = folder.path().join("later/app.log");
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    viewer.wait_for("missing", SOON);
    fs::create_dir(path.parent().unwrap()).unwrap();
    append(&path, "at last\n");
    viewer.lines_until(|lines| lines == ["at last"], SOON);
    assert_eq!(viewer.count("back"), 1);
    fs::remove_file(&path).unwrap();
    viewer.wait_for("missing", SOON);
    append(&path, "again\n");
    viewer.lines_until(|lines| lines == ["at last", "again"], SOON);
}

#[test]
fn new_matches_of_a_glob_appear_without_a_restart() {
    let folder = temp_dir();
    let pattern = folder.path().join("*.log");
    let server = serve(&pattern);
    let names = || -> Vec<String> {
        let (status, _, body) = http_get(server.addr(), "/api/logs", &[]);
        assert_eq!(status, 200);
        let listing: serde_json::Value = serde_json::from_slice(&body).unwrap();
        listing["logs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|log| log["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(names().is_empty());
    append(&folder.path().join("one.log"), "1\n");
    append(&folder.path().join("two.txt"), "2\n");
    until("the new file to be listed", SOON, || (names() == ["one.log"]).then_some(()));
    let mut viewer = Viewer::connect(server.addr(), "/tail/one.log");
    viewer.lines_until(|lines| lines == ["1"], SOON);
}

#[test]
fn standard_input_is_a_log() {
    let mut server = Server::start_piped(&["-"]);
    let mut stdin = server.stdin();
    stdin.write_all(b"one\n").unwrap();
    let mut viewer = Viewer::connect(server.addr(), "/tail/stdin");
    viewer.lines_until(|lines| lines == ["one"], SOON);
    stdin.write_all(b"two\n").unwrap();
    viewer.lines_until(|lines| lines == ["one", "two"], SOON);
    drop(stdin);
    let mut late = Viewer::connect(server.addr(), "/tail/stdin?follow=0");
    late.wait_for("end", SOON);
    assert_eq!(late.text, "one\ntwo\n", "the past stays when the pipe has ended");
}

#[test]
fn only_what_is_listed_can_be_asked_for() {
    let (folder, path) = folder_with(1);
    fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    let server = serve(&path);
    for name in [
        "secret.txt",
        "../app.log",
        "%2e%2e/app.log",
        "./app.log",
        "app.log/",
        "app.log%00",
        "%2Fetc%2Fpasswd",
        "app.log.1",
        "x",
    ] {
        let upgrade = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let (status, _, body) = http(server.addr(), "GET", &format!("/tail/{name}"), &upgrade);
        assert_eq!(status, 404, "{name}: {:?}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn a_link_that_leads_out_is_not_followed() {
    let folder = temp_dir();
    let outside = temp_dir();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let path = folder.path().join("app.log");
    fs::write(&path, "before\n").unwrap();
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    viewer.lines_until(|lines| lines == ["before"], SOON);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), &path).unwrap();
    let missing = viewer.wait_for("missing", SOON);
    assert!(missing.value["why"].as_str().unwrap().contains("leads out"), "{missing:?}");
    assert!(!viewer.text.contains("secret"));
}

#[test]
fn foreign_hosts_and_origins_are_refused_everywhere() {
    let (_folder, path) = folder_with(1);
    let server = serve(&path);
    for target in ["/", "/api/logs", "/tail/app.log", "/ws/echo"] {
        for fields in [[("Host", "evil.example")], [("Origin", "http://evil.example")], [("Origin", "null")]]
        {
            let (status, _, body) = http_get(server.addr(), target, &fields);
            assert_eq!(status, 403, "{target} {fields:?}: {:?}", String::from_utf8_lossy(&body));
        }
    }
    let own = format!("http://{}", server.addr());
    assert_eq!(http_get(server.addr(), "/api/logs", &[("Origin", &own)]).0, 200);
}

#[test]
fn the_page_comes_with_a_strict_policy_and_an_etag() {
    let (_folder, path) = folder_with(1);
    let server = serve(&path);
    let (status, fields, body) = http_get(server.addr(), "/", &[]);
    assert_eq!((status, fields.get("Content-Type")), (200, Some("text/html; charset=utf-8")));
    let policy = fields.get("Content-Security-Policy").expect("a policy");
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let etag = fields.get("ETag").expect("an ETag").to_owned();
    assert_eq!(http_get(server.addr(), "/", &[("If-None-Match", &etag)]).0, 304);
    let (_, head_fields, nothing) = http(server.addr(), "HEAD", "/", &[]);
    assert_eq!(head_fields.get("Content-Length"), Some(body.len().to_string().as_str()));
    assert!(nothing.is_empty());
    assert_eq!(http(server.addr(), "POST", "/", &[("Content-Length", "0")]).0, 405);
    assert_eq!(http_get(server.addr(), "/nothing", &[]).0, 404);
}

#[test]
fn requests_follow_one_another_on_one_connection_and_are_answered_in_order() {
    let (_folder, path) = folder_with(1);
    let server = serve(&path);
    let mut raw = Raw::open(server.addr());
    let ask = |method: &str, path: &str| format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // All at once, the last one cut in two.
    let ahead =
        ask("GET", "/healthz") + &ask("HEAD", "/healthz") + &ask("GET", "/tail/app.log") + "GET /heal";
    raw.send_raw(ahead.as_bytes());
    for (status, body) in [(200, "ok\n"), (200, ""), (200, "line 0\n")] {
        let head = raw.read_head();
        assert_eq!((head.status, head.fields.get("Connection")), (status, None), "{head:?}");
        assert_eq!(raw.read_exactly(body.len()), body.as_bytes());
    }
    raw.send_raw(b"thz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let head = raw.read_head();
    assert_eq!((head.status, head.fields.get("Connection")), (200, Some("close")));
    assert_eq!(raw.read_to_eof(), b"ok\n");
}

#[test]
fn whoever_asks_too_far_ahead_is_told_which_answer_is_the_last() {
    let (_folder, path) = folder_with(1);
    let server = serve(&path);
    let mut raw = Raw::open(server.addr());
    raw.send_raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100).as_bytes());
    let mut answers = 0;
    loop {
        let head = raw.read_head();
        assert_eq!((head.status, raw.read_exactly(3)), (200, b"ok\n".to_vec()));
        answers += 1;
        if head.fields.get("Connection") == Some("close") {
            break;
        }
    }
    raw.expect_eof();
    assert!((2..100).contains(&answers), "{answers}");
}

#[test]
fn a_client_that_has_shut_down_its_side_gets_its_answer() {
    let (_folder, path) = folder_with(1);
    let server = serve(&path);
    let mut raw = Raw::open(server.addr());
    raw.send_raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw.finish();
    let head = raw.read_head();
    let body = raw.read_to_eof();
    assert_eq!(head.fields.get("Content-Length"), Some(body.len().to_string().as_str()));
}

#[test]
fn a_request_that_trickles_in_is_refused_five_seconds_after_it_was_accepted() {
    let (_folder, path) = folder_with(1);
    let server = serve(&path);
    let start = Instant::now();
    let mut raw = Raw::open(server.addr());
    // Bytes come all the time, and none of them wins any.
    for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ".iter().chain(&[b'x'; 100]) {
        if raw.try_send_raw(&[*byte]).is_err() || start.elapsed() > Duration::from_millis(4900) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(raw.read_head().status, 408);
    assert!(start.elapsed() < Duration::from_secs(7), "{:?}", start.elapsed());
}

#[test]
fn everything_works_below_a_sub_path() {
    let (_folder, path) = folder_with(1);
    let server = Server::start(&["--base", "/logs", path.to_str().unwrap()]);
    assert!(server.url().ends_with("/logs/"), "{}", server.url());
    assert_eq!(http_get(server.addr(), "/logs/", &[]).0, 200);
    assert_eq!(http_get(server.addr(), "/logs/api/logs", &[]).0, 200);
    let (status, fields, _) = http_get(server.addr(), "/logs", &[]);
    assert_eq!((status, fields.get("Location")), (308, Some("/logs/")));
    assert_eq!(http_get(server.addr(), "/api/logs", &[]).0, 404);
    assert_eq!(http_get(server.addr(), "/logsx/api/logs", &[]).0, 404);
    let mut viewer = Viewer::connect(server.addr(), "/logs/tail/app.log");
    viewer.lines_until(|lines| lines == ["line 0"], SOON);
}

#[test]
fn sigterm_says_1001_and_is_gone_within_three_seconds() {
    let (_folder, path) = folder_with(1);
    let mut server = serve(&path);
    let mut polite = Viewer::connect(server.addr(), "/tail/app.log");
    polite.lines_until(|lines| lines.len() == 1, SOON);
    let mut rude = Raw::connect(server.addr(), "/tail/app.log");
    let _half_open = Raw::open(server.addr());
    let start = Instant::now();
    server.signal(Signal::TERM);
    polite.raw.expect_close(1001);
    polite.raw.send_close(1001);
    polite.raw.expect_eof();
    assert_eq!(rude.read_text(), "line 0\n");
    rude.expect_close(1001);
    let status = server.wait(Duration::from_secs(3));
    assert!(status.success(), "{status}");
    // Nobody is waited for longer than that, whatever the tick: a busy machine has time left.
    assert!(start.elapsed() < Duration::from_millis(2600), "{:?}", start.elapsed());
}

#[test]
fn a_second_signal_ends_at_once_and_the_demos_folder_is_removed() {
    let mut server = Server::start(&[]);
    let folders = || {
        let mut folders: Vec<PathBuf> = open_files(server.pid());
        folders.retain(|path| path.to_string_lossy().contains("demo"));
        folders
    };
    let mut rude = Raw::connect(server.addr(), "/tail/demo.log");
    let demo = folders()
        .first()
        .and_then(|file| file.parent().map(Path::to_owned))
        .expect("the demo's file is open");
    assert!(demo.exists());
    server.signal(Signal::INT);
    while rude.read_frame().0 != support::ws::CLOSE {}
    // It never answers that close frame, so the server would wait for it.
    server.signal(Signal::INT);
    let status = server.wait(Duration::from_millis(1500));
    assert!(status.success(), "{status}");
    assert!(!demo.exists(), "the demo's folder is removed");
}

#[test]
fn a_cursor_that_cannot_be_read_is_told_and_the_last_lines_follow() {
    let (_folder, path) = folder_with(10);
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log?from=nonsense&lines=2");
    let gap = viewer.wait_for("gap", SOON);
    assert_eq!((&gap.value["why"], &gap.value["bytes"]), (&"unknown".into(), &serde_json::Value::Null));
    viewer.lines_until(|lines| lines == ["line 8", "line 9"], SOON);
    viewer.say("ping");
    viewer.wait_for("pong", SOON);
}

#[test]
fn an_unknown_message_is_answered_not_punished() {
    let (_folder, path) = folder_with(1);
    let server = serve(&path);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    viewer.raw.send_text("halt!");
    viewer.wait_for("error", SOON);
    viewer.raw.send_close(1000);
    viewer.raw.expect_close(1000);
}
