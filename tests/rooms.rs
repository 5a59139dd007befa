//! Rooms: logs that visitors write into, by `POST` and by WebSocket; who may, how much, and what becomes of it.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use support::v1::Viewer;
use support::ws::{Fields, Raw, http, http_get, post};
use support::{SOON, Server, TempDir, open_files, temp_dir, until};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

struct Scene {
    server: Server,
    path: PathBuf,
    folder: TempDir,
}

impl Scene {
    /// A server of the room `chat`, which does not exist before.
    fn new() -> Self {
        let folder = temp_dir();
        let path = folder.path().join("chat.log");
        Self { server: Server::start(&["--room", &room(&path)]), path, folder }
    }

    fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    fn say(&self, who: &str, message: &str) -> (u16, Fields, String) {
        say(self.addr(), who, message)
    }

    fn content(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    /// What was said, without the times.
    fn said(&self) -> Vec<String> {
        said(&self.content())
    }
}

fn room(path: &std::path::Path) -> String {
    format!("chat={}", path.display())
}

fn say(addr: SocketAddr, who: &str, message: &str) -> (u16, Fields, String) {
    let target = format!("/tail/chat?who={who}");
    let (status, fields, body) = post(addr, &target, &[("Content-Type", "text/plain")], message.as_bytes());
    (status, fields, String::from_utf8(body).unwrap())
}

/// Lines without the time in front, which must be there.
fn said(text: &str) -> Vec<String> {
    let without_time = |line: &str| {
        let (time, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no time: {line:?}"));
        assert!(time.len() == 24 && time.starts_with("20") && time.ends_with('Z'), "{line:?}");
        rest.to_owned()
    };
    text.lines().map(without_time).collect()
}

/// Asks for what lies behind `cursor` until there are `lines` lines of it.
fn long_poll(addr: SocketAddr, mut cursor: String, lines: usize) -> String {
    let mut text = String::new();
    while text.lines().count() < lines {
        let (status, fields, body) = http_get(addr, &format!("/tail/chat?wait=5&from={cursor}"), &[]);
        assert_eq!(status, 200);
        cursor = fields.get("Wiretail-Cursor").unwrap().to_owned();
        text += &String::from_utf8(body).unwrap();
    }
    text
}

fn cursor_at_end(addr: SocketAddr) -> String {
    let (_, fields, _) = http_get(addr, "/tail/chat?lines=0", &[]);
    fields.get("Wiretail-Cursor").unwrap().to_owned()
}

#[test]
fn what_is_posted_is_a_line_with_time_and_name_and_the_answer_says_where_it_ends() {
    let scene = Scene::new();
    assert_eq!(scene.content(), "", "the file is made at the start");
    let (status, fields, line) = scene.say("ada", "good morning");
    assert_eq!(status, 201);
    assert_eq!(scene.content(), line, "the answer is the line");
    assert_eq!(said(&line), ["ada: good morning"]);
    let cursor = fields.get("Wiretail-Cursor").unwrap().to_owned();
    let (_, fields, body) = http_get(scene.addr(), "/tail/chat", &[]);
    assert_eq!(fields.get("Wiretail-Cursor"), Some(cursor.as_str()), "it is the place that readers know");
    assert_eq!(String::from_utf8(body).unwrap(), line);
    let (status, ..) = post(scene.addr(), "/tail/chat", &[FORM], b"who=bob&message=a+form%0Aof+two");
    assert_eq!(status, 201);
    let (status, ..) = post(scene.addr(), "/tail/chat", &[], "no name, no type, \u{4f60}\u{597d}".as_bytes());
    assert_eq!(status, 201);
    let (_, _, body) = http_get(scene.addr(), &format!("/tail/chat?from={cursor}"), &[]);
    let rest = said(std::str::from_utf8(&body).unwrap());
    assert_eq!(rest, ["bob: a form⏎of two", "[127.0.0.1]: no name, no type, \u{4f60}\u{597d}"]);
}

#[test]
fn two_viewers_and_a_long_poll_chat_and_nothing_is_lost_or_doubled() {
    const EACH: usize = 25;
    let scene = Scene::new();
    let (addr, cursor) = (scene.addr(), cursor_at_end(scene.addr()));
    let poller = thread::spawn(move || long_poll(addr, cursor, 3 * EACH));
    let by_curl = thread::spawn(move || {
        for number in 0..EACH {
            assert_eq!(say(addr, "curl", &format!("by post {number}")).0, 201);
        }
    });
    let viewers = ["ada", "bob"].map(|name| {
        thread::spawn(move || {
            let mut viewer = Viewer::connect(addr, "/tail/chat?lines=1000");
            for number in 0..EACH {
                let say = json!({ "say": { "id": number, "message": format!("{number}"), "who": name } });
                viewer.raw.send_text(&say.to_string());
                // Not more at once than may be.
                let said = viewer.wait_for("said", SOON);
                assert_eq!(said.value["id"], number);
                assert!(said.value["cursor"].is_string());
            }
            viewer.lines_until(|lines| lines.len() == 3 * EACH, SOON);
            viewer.text
        })
    });
    by_curl.join().unwrap();
    let mut seen: Vec<String> = viewers.into_iter().map(|viewer| viewer.join().unwrap()).collect();
    seen.push(poller.join().unwrap());
    let content = scene.content();
    for (number, text) in seen.iter().enumerate() {
        assert_eq!(*text, content, "reader {number} has seen what is in the file");
    }
    let lines = scene.said();
    for (who, what) in [("ada", ""), ("bob", ""), ("curl", "by post ")] {
        let theirs: Vec<&String> = lines.iter().filter(|line| line.starts_with(who)).collect();
        let expected: Vec<String> = (0..EACH).map(|number| format!("{who}: {what}{number}")).collect();
        assert_eq!(theirs, expected.iter().collect::<Vec<_>>(), "in the order in which {who} said it");
    }
}

#[test]
fn hello_and_the_list_say_who_may_write_where_and_nobody_may_write_elsewhere() {
    let folder = temp_dir();
    let (room, log) = (folder.path().join("room.log"), folder.path().join("app.log"));
    fs::write(&log, "untouched\n").unwrap();
    let server = Server::start(&["--room", room.to_str().unwrap(), log.to_str().unwrap()]);
    let (_, _, body) = http_get(server.addr(), "/api/logs", &[]);
    let list: Value = serde_json::from_slice(&body).unwrap();
    let writable = |name: &str| {
        let log = list["logs"].as_array().unwrap().iter().find(|log| log["name"] == name).unwrap();
        (log["kind"].as_str().unwrap().to_owned(), log["writable"].as_bool().unwrap())
    };
    assert_eq!(writable("room.log"), ("room".to_owned(), true));
    assert_eq!(writable("app.log"), ("file".to_owned(), false));
    assert_eq!(
        Viewer::connect(server.addr(), "/tail/room.log").wait_for("hello", SOON).value["writable"],
        true
    );
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    assert_eq!(viewer.wait_for("hello", SOON).value.get("writable"), None);
    viewer.raw.send_text(r#"{"say":{"id":1,"message":"x"}}"#);
    let error = viewer.wait_for("error", SOON).value;
    assert_eq!((&error["id"], &error["code"]), (&json!(1), &json!("read-only")));
    assert_eq!(post(server.addr(), "/tail/app.log", &[], b"x").0, 403);
    assert_eq!(post(server.addr(), "/tail/nothing", &[], b"x").0, 404);
    // Without the sub-protocol nothing is written, whatever is said.
    let mut plain = Raw::connect(server.addr(), "/tail/room.log");
    plain.send_text(r#"{"say":{"id":1,"message":"x"}}"#);
    plain.send_text("ping");
    assert_eq!(plain.read_text(), "pong");
    for (method, path, allow) in
        [("PUT", "/tail/room.log", "GET, HEAD, POST"), ("DELETE", "/tail/app.log", "GET, HEAD")]
    {
        let (status, fields, _) = http(server.addr(), method, path, &[]);
        assert_eq!((status, fields.get("Allow")), (405, Some(allow)), "{method} {path}");
    }
    assert_eq!(fs::read_to_string(&log).unwrap(), "untouched\n");
    assert_eq!(fs::read_to_string(&room).unwrap(), "");
}

#[test]
fn pages_of_other_sites_may_not_write() {
    let scene = Scene::new();
    let own = format!("http://{}", scene.addr());
    for (fields, status) in [
        (vec![("Origin", "http://evil.example")], 403),
        (vec![("Origin", "null")], 403),
        (vec![("Sec-Fetch-Site", "cross-site")], 403),
        (vec![("Sec-Fetch-Site", "same-site")], 403),
        (vec![("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")], 403),
        (vec![("Host", "evil.example")], 403),
        (vec![("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")], 201),
        (vec![("Sec-Fetch-Site", "same-origin")], 201),
        (vec![], 201),
    ] {
        let (found, _, body) = post(scene.addr(), "/tail/chat", &fields, b"x");
        assert_eq!(found, status, "{fields:?}: {}", String::from_utf8_lossy(&body));
    }
    assert_eq!(scene.said().len(), 3);
}

#[test]
fn a_message_is_one_line_and_nothing_in_it_acts() {
    let scene = Scene::new();
    let forged = "hi\n2026-11-25T19:45:00.000Z bob: I quit\r\n\x1b[2J\x1b]0;owned\x07\u{202e}\0<script>alert(1)</script>";
    let (status, _, line) = scene.say("ada", forged);
    assert_eq!(status, 201);
    assert_eq!(scene.content(), line);
    assert_eq!(
        said(&line),
        ["ada: hi⏎2026-11-25T19:45:00.000Z bob: I quit⏎␛[2J␛]0;owned␇\u{fffd}␀<script>alert(1)</script>"]
    );
    for (target, kind, body, status) in [
        ("/tail/chat?who=a%0Ab", "text/plain", &b"x"[..], 400),
        ("/tail/chat?who=bob:", "text/plain", b"x", 400),
        ("/tail/chat?who=%5B127.0.0.1%5D", "text/plain", b"x", 400),
        ("/tail/chat", "text/plain", b"", 400),
        ("/tail/chat", "text/plain", b" \n ", 400),
        ("/tail/chat", "text/plain", b"\xff\xfe", 400),
        ("/tail/chat", FORM.1, b"hello", 400),
        ("/tail/chat", "application/json", b"{}", 415),
        ("/tail/chat", "text/plain", &vec![b'x'; 16 * 1024 + 1], 413),
        ("/tail/chat", "text/plain", &vec![b'x'; 1 << 20], 413),
    ] {
        let (found, ..) = post(scene.addr(), target, &[("Content-Type", kind)], body);
        assert_eq!(found, status, "{target} {kind} {} bytes", body.len());
    }
    let (status, ..) = http(scene.addr(), "POST", "/tail/chat", &[]);
    assert_eq!(status, 411, "without any length");
    let mut viewer = Viewer::connect(scene.addr(), "/tail/chat?lines=0");
    for (message, who, code) in [("", "ada", "unfit"), ("x", "a\nb", "name"), ("x", "[::1]", "name")] {
        viewer.raw.send_text(&json!({ "say": { "id": 1, "message": message, "who": who } }).to_string());
        assert_eq!(viewer.wait_for("error", SOON).value["code"], code, "{message:?} by {who:?}");
    }
    // The longest message there is.
    assert_eq!(post(scene.addr(), "/tail/chat", &[], &[b'\n', b'x'].repeat(8 * 1024)).0, 201);
    assert_eq!(scene.said().len(), 2);
}

#[test]
fn a_crowd_that_shouts_is_told_to_wait_and_what_was_accepted_is_written() {
    let scene = Scene::new();
    let mut raw = Raw::open(scene.addr());
    let mut statuses = Vec::new();
    let started = Instant::now();
    for number in 0..300 {
        let body = format!("{number}");
        let head = format!(
            "POST /tail/chat?who=ada HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        raw.send_raw((head + &body).as_bytes());
        let head = raw.read_head();
        raw.read_exactly(head.fields.get("Content-Length").unwrap().parse().unwrap());
        if head.status == 429 {
            assert_eq!(head.fields.get("Retry-After"), Some("1"));
        }
        statuses.push(head.status);
    }
    let accepted = statuses.iter().filter(|&&status| status == 201).count();
    // A hundred at once, and fifty a second from then on.
    let most = 101 + usize::try_from(started.elapsed().as_millis()).unwrap() / 20;
    assert!((100..=most).contains(&accepted), "{accepted} of at most {most}");
    assert!(statuses[..100].iter().all(|&status| status == 201));
    assert_eq!(statuses.iter().filter(|&&status| status == 429).count(), 300 - accepted);
    assert_eq!(scene.said().len(), accepted, "each that was accepted is there once");
    // It is over when they have waited.
    until("to be heard again", SOON, || (scene.say("bob", "and now?").0 == 201).then_some(()));
    // By WebSocket the same holds, and a read brings sixteen at most.
    let mut viewer = Viewer::connect(scene.addr(), "/tail/chat?lines=0");
    let frames: Vec<u8> = (0..400)
        .flat_map(|id| {
            support::ws::frame(
                support::ws::TEXT,
                format!(r#"{{"say":{{"id":{id},"message":"x"}}}}"#).as_bytes(),
            )
        })
        .collect();
    viewer.raw.send_raw(&frames);
    assert_eq!(viewer.wait_for("error", SOON).value["code"], "too-often");
}

#[test]
fn a_restart_keeps_the_room_and_who_was_there_goes_on() {
    let scene = Scene::new();
    scene.say("ada", "before");
    let (_, fields, _) = scene.say("ada", "the last thing before");
    let cursor = fields.get("Wiretail-Cursor").unwrap().to_owned();
    let Scene { server, path, folder: _folder } = scene;
    assert!(server.stop().success());
    let again = Server::start(&["--room", &room(&path)]);
    say(again.addr(), "bob", "after");
    let mut viewer = Viewer::connect(again.addr(), &format!("/tail/chat?from={cursor}"));
    viewer.lines_until(|lines| lines.len() == 1, SOON);
    assert_eq!(said(&viewer.text), ["bob: after"]);
    assert_eq!(
        said(&fs::read_to_string(path).unwrap()),
        ["ada: before", "ada: the last thing before", "bob: after"]
    );
}

#[test]
fn two_servers_and_another_program_write_into_one_file_and_no_line_is_torn() {
    const EACH: usize = 40;
    let scene = Scene::new();
    let other = Server::start(&["--room", &room(&scene.path)]);
    let (path, addrs) = (scene.path.clone(), [scene.addr(), other.addr()]);
    let program = thread::spawn(move || {
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        for number in 0..EACH {
            file.write_all(
                format!("2026-11-25T19:45:00.000Z program: {number} {}\n", "x".repeat(100)).as_bytes(),
            )
            .unwrap();
            thread::sleep(Duration::from_millis(2));
        }
    });
    let servers = addrs.map(|addr| {
        thread::spawn(move || {
            for number in 0..EACH {
                assert_eq!(say(addr, "visitor", &format!("{number} {}", "y".repeat(100))).0, 201);
            }
        })
    });
    program.join().unwrap();
    servers.into_iter().for_each(|server| server.join().unwrap());
    let lines = scene.said();
    assert_eq!(lines.len(), 3 * EACH);
    for (start, byte, times) in [("program: ", "x", 1), ("visitor: ", "y", 2)] {
        for number in 0..EACH {
            let line = format!("{start}{number} {}", byte.repeat(100));
            assert_eq!(lines.iter().filter(|other| **other == line).count(), times, "{line}");
        }
    }
    // Half a line of somebody else's is no beginning of another's.
    OpenOptions::new()
        .append(true)
        .open(&scene.path)
        .unwrap()
        .write_all(b"2026-11-25T19:45:00.000Z program: ha")
        .unwrap();
    scene.say("ada", "whole");
    assert_eq!(scene.said()[3 * EACH..], ["program: ha", "ada: whole"]);
}

#[test]
fn a_room_that_is_rotated_goes_on_and_one_that_is_full_says_so() {
    let scene = Scene::new();
    let mut viewer = Viewer::connect(scene.addr(), "/tail/chat");
    scene.say("ada", "one");
    fs::rename(&scene.path, scene.folder.path().join("chat.log.1")).unwrap();
    assert_eq!(scene.say("ada", "two").0, 201, "the file is made anew");
    viewer.wait_for("rotated", SOON);
    viewer.lines_until(|lines| lines.len() == 2, SOON);
    assert_eq!(said(&viewer.text), ["ada: one", "ada: two"]);
    let content = scene.content();
    OpenOptions::new().append(true).open(&scene.path).unwrap().set_len(64 << 20).unwrap();
    let (status, _, body) = scene.say("ada", "three");
    assert_eq!(status, 507);
    assert!(body.contains("it is full"), "{body}");
    OpenOptions::new().write(true).open(&scene.path).unwrap().set_len(content.len() as u64).unwrap();
    assert_eq!(scene.say("ada", "four").0, 201);
    assert_eq!(scene.said(), ["ada: two", "ada: four"]);
}

#[test]
fn a_room_that_cannot_be_written_says_so_and_the_others_notice_nothing() {
    let folder = temp_dir();
    let (one, two) = (folder.path().join("a"), folder.path().join("b"));
    fs::create_dir(&one).unwrap();
    fs::create_dir(&two).unwrap();
    let rooms = [format!("chat={}/x.log", one.display()), format!("other={}/x.log", two.display())];
    let server = Server::start(&["--room", &rooms[0], "--room", &rooms[1]]);
    fs::remove_dir_all(&one).unwrap();
    let (status, _, body) = say(server.addr(), "ada", "x");
    assert_eq!(status, 503, "{body}");
    assert_eq!(post(server.addr(), "/tail/other", &[], b"x").0, 201);
    fs::create_dir(&one).unwrap();
    until("the folder to be found again", SOON, || (say(server.addr(), "ada", "x").0 == 201).then_some(()));
}

#[test]
fn a_configuration_says_which_logs_are_rooms() {
    let folder = temp_dir();
    let config = folder.path().join("w.toml");
    fs::write(&config, "[[log]]\npath = 'vote.log'\nname = 'vote'\nwritable = true\n").unwrap();
    let server = Server::start(&["-c", config.to_str().unwrap()]);
    assert_eq!(post(server.addr(), "/tail/vote", &[FORM], b"message=yes").0, 201);
    assert_eq!(said(&fs::read_to_string(folder.path().join("vote.log")).unwrap()), ["[127.0.0.1]: yes"]);
    // Read again, it may say more.
    let more = "[[log]]\npath = 'vote.log'\nname = 'vote'\n[[log]]\npath = 'new.log'\nwritable = true\n";
    fs::write(&config, more).unwrap();
    server.signal(Signal::HUP);
    until("the new room", SOON, || (post(server.addr(), "/tail/new.log", &[], b"x").0 == 201).then_some(()));
    assert_eq!(post(server.addr(), "/tail/vote", &[FORM], b"message=yes").0, 403, "it is none any more");
    drop(server);
    for (lines, words) in [
        ("path = '*.log'\nwritable = true", "only one file can be written into"),
        ("path = 'x.log'\nwritable = true\nencoding = 'gbk'", "UTF-8"),
        ("path = 'x.log'\nwritable = 'yes'", "true or false"),
    ] {
        fs::write(&config, format!("[[log]]\n{lines}\n")).unwrap();
        let run = support::server::wiretail().args(["-c", config.to_str().unwrap()]).output().unwrap();
        let complaint = String::from_utf8(run.stderr).unwrap();
        assert!(run.status.code() == Some(2) && complaint.contains(words), "{lines}: {complaint}");
    }
}

/// Whether the server has the room's file open.
fn is_open(scene: &Scene) -> bool {
    open_files(scene.server.pid()).contains(&scene.path)
}

#[test]
fn stop_lets_go_of_the_file_and_start_goes_on_where_it_was() {
    let scene = Scene::new();
    let mut viewer = Viewer::connect(scene.addr(), "/tail/chat?grep=line");
    scene.say("ada", "line 1");
    viewer.lines_until(|lines| lines.len() == 1, SOON);
    assert!(is_open(&scene));
    // A pause keeps it: the viewer is told how far it is behind.
    viewer.say("pause");
    viewer.wait_for("behind", SOON);
    assert!(is_open(&scene));
    viewer.say("resume");
    for round in 2..5 {
        viewer.say("stop");
        let stopped = viewer.wait_for("stopped", SOON).value["cursor"].clone();
        until("the file to be closed", SOON, || (!is_open(&scene)).then_some(()));
        scene.say("ada", &format!("line {round}"));
        scene.say("ada", "another");
        if round == 3 {
            fs::rename(&scene.path, scene.folder.path().join("chat.log.1")).unwrap();
            scene.say("ada", "not this one");
        }
        viewer.raw.send_text(r#"{"older":{"id":9,"before":"x"}}"#);
        assert_eq!(viewer.wait_for("error", SOON).value["code"], "stopped");
        viewer.say("stop");
        assert_eq!(
            viewer.wait_for("stopped", SOON).value["cursor"],
            stopped,
            "said twice it is no more than once"
        );
        viewer.say("start");
        assert_eq!(viewer.wait_for("started", SOON).value["cursor"], stopped);
        viewer.lines_until(|lines| lines.len() == round, SOON);
        until("the file to be open", SOON, || is_open(&scene).then_some(()));
    }
    assert_eq!(said(&viewer.text), ["ada: line 1", "ada: line 2", "ada: line 3", "ada: line 4"]);
    assert_eq!(viewer.count("gap"), 0);
    viewer.say("start");
    viewer.wait_for("started", SOON);
}

#[test]
fn older_clients_stop_and_start_in_plain_words() {
    let scene = Scene::new();
    scene.say("ada", "one");
    let mut plain = Raw::connect(scene.addr(), "/tail/chat?tail=1");
    assert_eq!(said(&plain.read_text()), ["ada: one"]);
    plain.send_text("stop");
    plain.send_text("ping");
    assert_eq!(plain.read_text(), "pong", "it is still there");
    until("the file to be closed", SOON, || (!is_open(&scene)).then_some(()));
    scene.say("ada", "two");
    plain.send_text("ping");
    assert_eq!(plain.read_text(), "pong", "and nothing else came");
    plain.send_text("start");
    assert_eq!(said(&plain.read_text()), ["ada: two"]);
    scene.say("ada", "three");
    assert_eq!(said(&plain.read_text()), ["ada: three"]);
    let mut once = Raw::connect(scene.addr(), "/tail/chat?tail=0");
    let mut text = once.read_text();
    while text.lines().count() < 3 {
        text += &once.read_text();
    }
    assert_eq!(said(&text), ["ada: one", "ada: two", "ada: three"]);
    once.expect_close(1000);
}

#[test]
fn what_rooms_take_can_be_set_and_set_anew() {
    let folder = temp_dir();
    let (path, config) = (folder.path().join("chat.log"), folder.path().join("wiretail.toml"));
    let configure = |limits: &str| {
        fs::write(
            &config,
            format!("[[log]]\nname = 'chat'\npath = 'chat.log'\nwritable = true\n[limits]\n{limits}"),
        )
        .unwrap();
    };
    configure("room_mib = 1\nall_rooms_burst = 3\nall_rooms_per_second = 1\n");
    let mut server = Server::start(&["-c", config.to_str().unwrap()]);
    let addr = server.addr();
    let begun = Instant::now();
    let statuses: Vec<u16> = (0..5).map(|_| say(addr, "ada", "hello").0).collect();
    // As one a second comes free.
    if begun.elapsed() < Duration::from_secs(1) {
        assert_eq!(statuses, [201, 201, 201, 429, 429]);
    }
    // All but the last bytes of its mebibyte are taken.
    fs::write(&path, "x".repeat((1 << 20) - 20) + "\n").unwrap();
    configure("room_mib = 1\n");
    server.signal(Signal::HUP);
    until("the other limits", SOON, || server.stderr().contains("set anew: limits of rooms").then_some(()));
    let (status, _, said) = say(addr, "ada", "hello");
    assert_eq!(status, 507, "{said}");
    assert!(said.contains("it is full: its file may have 1048576 bytes"), "{said}");
    configure("room_mib = 2\n");
    server.signal(Signal::HUP);
    until("room", SOON, || (say(addr, "ada", "hello").0 == 201).then_some(()));
}
