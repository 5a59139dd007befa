//! A disk that is full, through the door: what is said about it, and that all goes on by itself once there is room.
//!
//! The system lets a file of the server grow no further (`RLIMIT_FSIZE`), which fails as a full disk does, in the middle of a
//! write; and the limit can be lifted while the server runs. `served_faults.rs` plays ENOSPC itself.
#![cfg(all(feature = "tool", target_os = "linux"))]

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;
use support::v1::Viewer;
use support::ws::{http, http_get, post};
use support::{SOON, Server, temp_dir, until};

/// From now on no file of this process, nor of those it starts, grows beyond so many bytes.
fn limit(pid: u32, bytes: Option<u64>) {
    let pid = Pid::from_raw(pid.cast_signed());
    let Rlimit { maximum, .. } =
        prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    assert_eq!(maximum, None, "the limit can be lifted again");
}

fn say(server: &Server, message: &str) -> (u16, String) {
    let (status, _, body) =
        post(server.addr(), "/tail/chat?who=ada", &[("Content-Type", "text/plain")], message.as_bytes());
    (status, String::from_utf8(body).unwrap())
}

#[test]
fn a_message_for_which_there_is_no_room_is_refused_and_the_next_one_is_written_when_there_is() {
    let folder = temp_dir();
    let path = folder.path().join("chat.log");
    let server = Server::start(&["--room", &format!("chat={}", path.display())]);
    assert_eq!(say(&server, "before").0, 201);
    limit(server.pid(), Some(100));
    let (status, said) = say(&server, &"x".repeat(200));
    assert_eq!(status, 507, "{said}");
    assert!(
        said.contains("The message was not written to this log: there is no room for it on the disk: "),
        "{said}"
    );
    assert_eq!(say(&server, "again").0, 507);
    assert_eq!(http_get(server.addr(), "/healthz", &[]).0, 200, "the others notice nothing");
    limit(server.pid(), None);
    assert_eq!(say(&server, "after").0, 201);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with(" ada: before") && lines[2].ends_with(" ada: after"), "{text}");
    assert_eq!(
        (lines.len(), lines[0].len() + 1 + lines[1].len()),
        (3, 100),
        "what the disk took of it is a line: {text}"
    );
}

#[test]
fn standard_input_waits_for_its_disk_and_loses_nothing() {
    let mut command = Server::command(&["-"]);
    command.stdin(std::process::Stdio::piped());
    let mut server = Server::spawn(command);
    limit(server.pid(), Some(10_000));
    let lines: Vec<String> = (0..4000).map(|number| format!("line {number} of those that come in")).collect();
    let (mut stdin, text) = (server.stdin(), lines.join("\n") + "\n");
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).map(|()| stdin));
    until("the complaint", SOON, || {
        server.stderr().contains("standard input cannot be written").then_some(())
    });
    // It is said once, though it is tried at every tick.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.stderr().lines().count(), 1, "{}", server.stderr());
    let (_, _, body) = http_get(server.addr(), "/api/logs", &[]);
    let listing: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(listing["logs"][0]["size"], 10_000, "as much as there was room for");
    limit(server.pid(), None);
    let name = listing["logs"][0]["name"].as_str().unwrap();
    let mut viewer = Viewer::connect(server.addr(), &format!("/tail/{name}?lines=100000"));
    let shown = viewer.lines_until(|shown| shown.len() >= lines.len(), SOON * 2);
    assert!(shown == lines, "all of them, once and in order: {} of {}", shown.len(), lines.len());
    assert!(server.stderr().contains("standard input is written again; nothing was lost"));
    drop(writer.join().unwrap().unwrap());
}

/// The processes whose parent is `parent`.
fn children(parent: u32) -> Vec<u32> {
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        fields.split(' ').nth(1) == Some(parent.to_string().as_str())
    };
    let pids = fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_child).collect()
}

#[test]
fn a_job_waits_for_its_disk_and_loses_nothing() {
    let folder = temp_dir();
    let config = folder.path().join("wiretail.toml");
    let script = "i=0; while [ $i -lt 4000 ]; do echo line $i of what it says; i=$((i+1)); done";
    let job = format!(
        "[server]\njob_folder = 'runs'\n[[job]]\nname = 'talk'\ncommand = ['sh', '-c', '{script}']\n"
    );
    fs::write(&config, job).unwrap();
    let mut server = Server::start(&["-c", config.to_str().unwrap()]);
    limit(server.pid(), Some(10_000));
    assert_eq!(http(server.addr(), "POST", "/jobs/talk", &[]).0, 201);
    let log = folder.path().join("runs/talk/talk.log");
    let size = |log: &Path| fs::metadata(log).map_or(0, |log| log.len());
    until("the disk to be full", SOON, || (size(&log) == 10_000).then_some(()));
    until("the complaint", SOON, || server.stderr().contains("so the job waits: ").then_some(()));
    let supervisors = children(server.pid());
    assert_eq!(supervisors.len(), 1, "it is there, and waits");
    limit(supervisors[0], None);
    let run = until("the run to end", SOON * 2, || {
        let (_, _, body) = http_get(server.addr(), "/jobs/talk", &[]);
        let shown: Value = serde_json::from_slice(&body).unwrap();
        (shown["running"] == false).then(|| shown["runs"][0].clone())
    });
    assert_eq!(run["end"], serde_json::json!({ "exit": 0 }));
    let text = fs::read_to_string(&log).unwrap();
    let said: Vec<&str> = text.lines().collect();
    let expected = (0..4000).map(|number| format!("line {number} of what it says"));
    assert!(said[1..said.len() - 1].iter().copied().eq(expected), "{} lines", said.len());
}
