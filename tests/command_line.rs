//! The command line through the door: first lines, sentences, exit codes; `cat` and `produce`.
#![cfg(feature = "tool")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::server::wiretail;
use support::ws::http_get;
use support::{SOON, Server, temp_dir, until};

/// Runs a command that must end by itself, soon.
fn run(args: &[&str]) -> Output {
    let mut child = wiretail()
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > SOON {
            // Left alone, it would go on after us.
            child.kill().unwrap();
            panic!("{args:?} did not end by itself: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

/// What a failing command says, and its exit code: one sentence on standard error, nothing on standard output.
fn complaint(args: &[&str]) -> (i32, String) {
    let output = run(args);
    assert!(output.stdout.is_empty(), "{args:?} printed {:?}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn without_a_source_a_demo_writes_itself() {
    let server = Server::start(&[]);
    assert_eq!(http_get(server.addr(), "/", &[]).0, 200);
    let (_, _, body) = http_get(server.addr(), "/api/logs", &[]);
    let listing: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(listing["demo"], true);
    assert_eq!(listing["logs"][0]["state"], "ok");
    let size = || {
        let (_, _, body) = http_get(server.addr(), "/api/logs", &[]);
        let listing: serde_json::Value = serde_json::from_slice(&body).unwrap();
        listing["logs"][0]["size"].as_u64().unwrap()
    };
    let first = size();
    until("the demo to write", SOON, || (size() != first).then_some(()));
}

#[test]
fn wrong_usage_is_one_sentence_and_code_2() {
    for args in [
        &["--port", "99999"][..],
        &["--tick", "0ms"],
        &["--base", "logs"],
        &["--allow-origin", "example.org"],
        &["--allow-host", "logs.example.org:8080"],
        &["--allow-host", "http://logs.example.org"],
        &["--host", "0.0.0.0"],
        &["--host", "::"],
        &["--no-such-option"],
        &["=app.log"],
        &["a=x.log", "a=y.log"],
        &["cat", "ftp://localhost/tail/x"],
        &["cat", "http://localhost/"],
        &["cat", "http://localhost/tail/x?lines=5"],
        &["cat", "http://localhost/tail/x", "--grep", "(ox"],
        &["cat", "http://localhost/tail/x", "--not", "["],
        &["cat", "http://localhost/tail/x", "--search", "+"],
        &["cat", "http://localhost/tail/x", "--search", "a", "--since", "2026-01-01"],
        &["cat", "http://localhost/tail/x", "--search", "a", "--grep", "b"],
        &["cat", "http://localhost/tail/x", "--since", "2026-01-01", "-n", "5"],
        &["produce"],
    ] {
        let (code, said) = complaint(args);
        assert_eq!(code, 2, "{args:?}: {said}");
        assert!(!said.contains("panicked") && said.lines().count() <= 12, "{args:?}: {said}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, said) = complaint(&["--port", &port, "a=x.log", "a=y.log"]);
    assert_eq!(code, 2, "what is wrong whatever the port is said first: {said}");
    let (_, said) = complaint(&["--host", "0.0.0.0"]);
    assert!(said.contains("--open-to-network"), "the sentence says what would work: {said}");
}

#[test]
fn a_number_that_does_not_fit_is_said_with_its_option_and_the_range() {
    for (words, said) in [
        (["--port", "70000"], "'70000' for '--port <PORT>': a whole number from 0 to 65535 is wanted"),
        (["--port", "abc"], "'abc' for '--port <PORT>': a whole number from 0 to 65535 is wanted"),
        (["--lines", "abc"], "'abc' for '--lines <LINES>': a whole number from 0 to 100000 is wanted"),
        (["--lines", "100001"], "'100001' for '--lines <LINES>': a whole number from 0 to 100000 is wanted"),
        (["--max-connections", "0"], "'0' for '--max-connections <N>': a whole number from 1 on is wanted"),
    ] {
        let (code, whole) = complaint(&words);
        assert_eq!(code, 2);
        assert!(whole.contains(said), "{whole}");
    }
    let (_, whole) = complaint(&["cat", "-n", "-1", "http://localhost/tail/x"]);
    assert!(whole.contains("-1"), "{whole}");
    let (_, whole) = complaint(&["cat", "-n", "x", "http://localhost/tail/x"]);
    assert!(
        whole.contains("'x' for '--lines <LINES>': a whole number from 0 to 100000 is wanted"),
        "{whole}"
    );
    let (_, whole) = complaint(&["produce", "/tmp/x", "--keep", "x"]);
    assert!(whole.contains("'x' for '--keep <K>': a whole number from 0 to 1000 is wanted"), "{whole}");
}

#[test]
fn every_answer_says_when_it_was_given() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    fs::write(&path, "x\n").unwrap();
    let server = Server::start(&[path.to_str().unwrap()]);
    let date = |clock: &str| clock.starts_with(|day: char| "MTWFS".contains(day)) && clock.ends_with(" GMT");
    for (target, status) in [
        ("/", 200),
        ("/api/logs", 200),
        ("/tail/app.log", 200),
        ("/raw/app.log", 200),
        ("/api/jobs", 200),
        ("/healthz", 200),
        ("/nothing", 404),
        ("/tail/app.log?lines=x", 400),
    ] {
        let (answered, fields, _) = http_get(server.addr(), target, &[]);
        assert_eq!(answered, status, "{target}");
        let said = fields.get("Date").unwrap_or_else(|| panic!("{target} has no date"));
        assert!(date(said), "{target}: {said}");
        let made = Command::new("date").args(["--date", said, "+%s"]).output().unwrap();
        let made: u64 = String::from_utf8(made.stdout).unwrap().trim().parse().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(made) <= 60, "{said}");
    }
}

#[test]
fn a_file_that_may_not_be_read_is_one_sentence_and_code_1() {
    use std::os::unix::fs::PermissionsExt;
    use support::server::unprivileged;
    let folder = temp_dir();
    let path = folder.path().join("secret.log");
    fs::write(&path, "secret\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let output = unprivileged(&[path.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("secret.log") && said.contains("may not read"), "{said}");

    // Found in a folder it is listed, and what is the matter with it.
    fs::write(folder.path().join("app.log"), "x\n").unwrap();
    let server = Server::spawn(unprivileged(&[folder.path().to_str().unwrap()]));
    let (_, _, body) = http_get(server.addr(), "/api/logs", &[]);
    let listing: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(listing["logs"][0]["state"], "ok");
    assert_eq!(listing["logs"][1]["state"], "refused", "{listing}");
}

#[test]
fn switches_in_the_environment_are_ones_or_words() {
    for (value, code) in [("1", None), ("true", None), ("0", Some(2)), ("perhaps", Some(2))] {
        let mut command = Server::command(&["--host", "0.0.0.0"]);
        command.env("WIRETAIL_OPEN_TO_NETWORK", value);
        match code {
            None => drop(Server::spawn(command)),
            Some(code) => assert_eq!(command.output().unwrap().status.code(), Some(code), "{value}"),
        }
    }
}

#[test]
fn every_source_is_said_to_be_there_or_waited_for() {
    let folder = temp_dir();
    let named = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(named("app.log"), "x\n").unwrap();
    fs::create_dir(named("empty")).unwrap();
    let (log, glob, later, empty) = (named("app.log"), named("*.txt"), named("later.log"), named("empty"));
    let mut child = Server::command(&[&log, &glob, &later, &empty]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("http://"));
    assert_eq!(lines.next().unwrap(), "  app.log");
    assert_eq!(lines.next().unwrap(), "  later.log  (does not exist yet; waiting for it)");
    assert_eq!(lines.next().unwrap(), format!("  {glob}  (nothing there yet; waiting for it)"));
    assert_eq!(lines.next().unwrap(), format!("  {empty}  (nothing there yet; waiting for it)"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn cat_says_that_a_log_is_missing_by_its_exit_code() {
    let folder = temp_dir();
    let path = folder.path().join("later.log");
    let server = Server::start(&[path.to_str().unwrap()]);
    let url = format!("{}tail/later.log", server.url());
    assert_eq!(complaint(&["cat", "--no-follow", &url]), (1, "wiretail: there is no such file\n".to_owned()));
}

#[test]
fn cat_goes_on_when_nobody_listens_to_what_it_says() {
    let folder = temp_dir();
    let path = folder.path().join("later.log");
    let server = Server::start(&[path.to_str().unwrap()]);
    let url = format!("{}#/later.log", server.url());
    let mut cat =
        wiretail().args(["cat", &url]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(cat.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "wiretail: there is no such file\n");
    drop(said);
    let mut printed = BufReader::new(cat.stdout.take().unwrap()).lines().map(Result::unwrap);
    fs::write(&path, "here\n").unwrap();
    assert_eq!(printed.next().unwrap(), "here");
    // Of which there is something to say.
    fs::rename(&path, folder.path().join("later.log.1")).unwrap();
    fs::write(&path, "and there\n").unwrap();
    assert_eq!(printed.next().unwrap(), "and there");
    cat.kill().unwrap();
    cat.wait().unwrap();
}

#[test]
fn a_taken_port_is_one_sentence_and_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, said) = complaint(&["--port", &port]);
    assert_eq!((code, said.lines().count()), (1, 1), "{said}");
    assert!(said.contains(&port) && said.contains("--port 0"), "{said}");
}

#[test]
fn a_name_with_two_addresses_is_not_served_by_halves() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (code, said) = complaint(&["--host", "localhost", "--port", &port.to_string()]);
    assert_eq!((code, said.lines().count()), (1, 1), "{said}");
    assert!(said.contains(&port.to_string()), "{said}");
}

#[test]
fn a_host_that_is_allowed_may_be_asked_for() {
    let server = Server::start(&["--allow-host", "Logs.example.org,[2001:db8::1]"]);
    for (host, status) in [("logs.example.org:80", 200), ("[2001:db8::1]", 200), ("example.org", 403)] {
        assert_eq!(http_get(server.addr(), "/healthz", &[("Host", host)]).0, status, "{host}");
    }
}

#[test]
fn any_number_of_connections_may_be_asked_for() {
    let server = Server::start(&["--max-connections", &u64::MAX.to_string()]);
    assert_eq!(http_get(server.addr(), "/healthz", &[]).0, 200);
}

#[test]
fn a_special_file_is_one_sentence_and_code_1() {
    let folder = temp_dir();
    let fifo = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for path in [fifo.to_str().unwrap(), "/dev/zero"] {
        let (code, said) = complaint(&["--port", "0", path]);
        assert_eq!((code, said.lines().count()), (1, 1), "{said}");
        assert!(said.contains(path), "{said}");
    }
}

#[test]
fn open_to_network_binds_wide_and_says_so() {
    let folder = temp_dir();
    fs::write(folder.path().join("a.log"), "a\n").unwrap();
    let path = folder.path().join("a.log");
    let server = Server::start(&["--host", "0.0.0.0", "--open-to-network", path.to_str().unwrap()]);
    let by_address = http_get(server.addr(), "/api/logs", &[("Host", "192.0.2.7:8080")]);
    assert_eq!(by_address.0, 200, "people type addresses");
    assert_eq!(http_get(server.addr(), "/api/logs", &[("Host", "evil.example")]).0, 403);
}

#[test]
fn help_and_version_are_no_errors() {
    for args in [&["--help"][..], &["--version"], &["cat", "--help"], &["produce", "--help"]] {
        let output = run(args);
        assert!(output.status.success() && !output.stdout.is_empty(), "{args:?}");
    }
    let help = String::from_utf8(run(&["-h"]).stdout).unwrap();
    assert!(help.trim_start().starts_with("wiretail app.log"), "help begins with an example: {help}");
    assert!(help.lines().count() <= 40, "help fits one screen: {} lines", help.lines().count());
}

/// A running `wiretail cat`, read line by line.
struct Cat {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Cat {
    fn start(args: &[&str]) -> Self {
        let mut child = wiretail()
            .arg("cat")
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout: ChildStdout = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(SOON * 2).expect("a line in time")
    }
}

impl Drop for Cat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn append(path: &Path, text: &str) {
    fs::OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn cat_prints_and_goes_on_where_it_was_after_the_server_was_restarted() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    append(&path, "one\ntwo\nthree\n");
    let server = Server::start(&[path.to_str().unwrap()]);
    let port = server.addr().port().to_string();
    let cat = Cat::start(&[&format!("{}tail/app.log", server.url()), "-n", "2"]);
    assert_eq!((cat.line(), cat.line()), ("two".to_owned(), "three".to_owned()));
    append(&path, "four\n");
    assert_eq!(cat.line(), "four");
    assert!(server.stop().success());
    append(&path, "five\n");
    fs::rename(&path, folder.path().join("app.log.1")).unwrap();
    append(&path, "six\n");
    let _server = Server::start(&["--port", &port, path.to_str().unwrap()]);
    assert_eq!((cat.line(), cat.line()), ("five".to_owned(), "six".to_owned()));
    append(&path, "seven\n");
    assert_eq!(cat.line(), "seven");
}

#[test]
fn cat_with_a_filter_prints_what_passes_and_goes_on_over_a_restart_in_the_middle_of_a_line() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    append(&path, "an ox\na dog\nThe OX & the dog\nan o");
    let server = Server::start(&[path.to_str().unwrap()]);
    let port = server.addr().port().to_string();
    let url = format!("{}tail/app.log", server.url());
    let cat = Cat::start(&[&url, "--grep", "ox", "--not", "& the", "--ignore-case", "--literal", "--words"]);
    assert_eq!(cat.line(), "an ox");
    assert!(server.stop().success());
    append(&path, "x\noxer\n");
    let server = Server::start(&["--port", &port, path.to_str().unwrap()]);
    assert_eq!(cat.line(), "an ox");
    append(&path, "no\nthe last ox\n");
    assert_eq!(cat.line(), "the last ox");
    drop(server);
}

#[test]
fn a_pattern_that_is_none_is_told_with_its_option() {
    let (code, said) = complaint(&["cat", "http://localhost/tail/x", "--grep", "fine", "--not", "(ox"]);
    assert_eq!(code, 2);
    assert!(said.contains("--not (ox") && said.contains("regular expression"), "{said}");
}

#[test]
fn cat_goes_on_when_it_was_stopped_and_continued() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    append(&path, "one\n");
    let server = Server::start(&[path.to_str().unwrap()]);
    let mut child = wiretail()
        .args(["cat", &format!("{}tail/app.log", server.url())])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "one");
    let pid = Pid::from_child(&child);
    let state = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
    };
    for _ in 0..3 {
        kill_process(pid, Signal::STOP).unwrap();
        until("it to stop", SOON, || (state() == 'T').then_some(()));
        kill_process(pid, Signal::CONT).unwrap();
        until("it to go on waiting", SOON, || (state() == 'S').then_some(()));
    }
    append(&path, "two\n");
    assert_eq!(lines.next().unwrap().unwrap(), "two");
    child.kill().unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert_eq!(said, "", "no connection was lost");
}

#[test]
fn cat_without_follow_ends_when_everything_is_printed() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let text: String = (0..50_000).map(|number| format!("line {number}\n")).collect();
    append(&path, &text);
    let server = Server::start(&[path.to_str().unwrap()]);
    let url = format!("ws://{}/tail/app.log", server.addr());
    // A reader that takes its time still gets everything.
    let mut child =
        wiretail().args(["cat", "--no-follow", "-n", "100000", &url]).stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(printed == text, "{} of {} bytes were printed", printed.len(), text.len());
}

#[test]
fn cat_says_what_the_server_refuses_and_ends_with_1() {
    let server = Server::start(&[]);
    let (code, said) = complaint(&["cat", &format!("{}tail/nothing", server.url())]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("404"), "{said}");
}

#[test]
fn cat_without_follow_does_not_wait_for_a_server_to_come() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, said) = complaint(&["cat", "--no-follow", &format!("http://{gone}/tail/app.log")]);
    assert_eq!((code, said.lines().count()), (1, 1), "{said}");
}

#[test]
fn produce_writes_as_many_lines_as_asked_and_rotates() {
    let folder = temp_dir();
    let path = folder.path().join("made.log");
    let args = [
        "produce",
        path.to_str().unwrap(),
        "--rate",
        "100000",
        "--lines",
        "3000",
        "--rotate",
        "64K",
        "--keep",
        "20",
    ];
    assert!(run(&args).status.success());
    let mut lines = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        lines += fs::read_to_string(entry.unwrap().path()).unwrap().lines().count();
    }
    assert!(lines >= 3000, "{lines}");
    assert!(folder.path().join("made.log.1").exists());
}

#[test]
fn what_produce_writes_is_followed_however_it_is_rotated() {
    for how in ["rename", "copytruncate", "compress"] {
        let folder = temp_dir();
        let path = folder.path().join("made.log");
        append(&path, "before\n");
        let server = Server::start(&[path.to_str().unwrap()]);
        let cat = Cat::start(&[&format!("{}tail/made.log", server.url())]);
        assert_eq!(cat.line(), "before");
        let (file, lines) = (path.to_str().unwrap(), 600);
        let count = lines.to_string();
        let words =
            ["produce", file, "--format", "json", "--language", "zh", "--how", how, "--lines", &count];
        assert!(
            run(&[&words[..], &["--rate", "1000", "--rotate", "32K", "--keep", "20"]].concat())
                .status
                .success()
        );
        let request = |line: String| -> String {
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            line["request"].as_str().unwrap().to_owned()
        };
        let requests: std::collections::HashSet<String> = (0..lines).map(|_| request(cat.line())).collect();
        assert_eq!(requests.len(), lines, "{how}: each line once");
        let rotated = fs::read_dir(folder.path()).unwrap().count() - 1;
        assert!(rotated >= 2, "{how}: {rotated}");
    }
}
