//! Jobs through the door: commands from the configuration, started and stopped by requests, watched like any log.
#![cfg(feature = "tool")]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit, test_kill_process};
use serde_json::{Value, json};
use support::v1::Viewer;
use support::ws::{Raw, http, http_get};
use support::{SOON, Server, TempDir, temp_dir, until};

/// Longer than any of these jobs takes, on a busy machine.
const LATER: Duration = Duration::from_secs(30);

/// A server with the jobs in `toml`, which may write into the folder.
fn serve(toml: &str) -> (Server, TempDir) {
    let folder = temp_dir();
    (serve_in(&folder, toml), folder)
}

fn serve_in(folder: &TempDir, toml: &str) -> Server {
    let config = folder.path().join("wiretail.toml");
    fs::write(&config, toml).unwrap();
    Server::start(&["-c", config.to_str().unwrap()])
}

/// A job that has the shell run `script`.
fn job(name: &str, script: &str, more: &str) -> String {
    format!("[[job]]\nname = '{name}'\ncommand = ['sh', '-c', '''{script}''']\n{more}\n")
}

fn start(server: &Server, name: &str) -> u64 {
    let (status, _, body) = http(server.addr(), "POST", &format!("/jobs/{name}"), &[]);
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice::<Value>(&body).unwrap()["run"].as_u64().unwrap()
}

fn stop(server: &Server, name: &str) -> u16 {
    http(server.addr(), "DELETE", &format!("/jobs/{name}"), &[]).0
}

fn show(server: &Server, name: &str) -> Value {
    let (status, _, body) = http_get(server.addr(), &format!("/jobs/{name}"), &[]);
    assert_eq!(status, 200);
    serde_json::from_slice(&body).unwrap()
}

/// The last run, once it has ended.
#[track_caller]
fn ended(server: &Server, name: &str) -> Value {
    until("the run to end", LATER, || {
        let shown = show(server, name);
        (shown["running"] == false).then(|| shown["runs"][0].clone())
    })
}

/// All that a viewer gets from here on, until a line has `last` in it.
fn lines(server: &Server, target: &str, last: &str) -> Vec<String> {
    let mut viewer = Viewer::connect(server.addr(), target);
    viewer.lines_until(|lines| lines.iter().any(|line| line.contains(last)), LATER)
}

fn is_there(pid: &str) -> bool {
    let pid = pid.trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
    // A dead one that nobody has buried yet does nothing any more.
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !state.contains(") Z ")
}

/// What a job has written into a file of its folder.
fn written(folder: &TempDir, file: &str) -> String {
    let whole = || fs::read_to_string(folder.path().join(file)).ok().filter(|text| text.ends_with('\n'));
    until("the job to write its file", LATER, whole)
}

fn assert_gone(pids: &str) {
    for pid in pids.split_whitespace() {
        until("a process to end", LATER, || (!is_there(pid)).then_some(()));
    }
}

#[test]
fn whoever_comes_late_sees_all_of_a_run_and_how_it_ended() {
    let script = "echo one; echo oh no >&2; while [ ! -e go ]; do sleep 0.01; done; echo two; exit 3";
    let (server, folder) = serve(&job("build", script, "about = 'builds it'"));
    let (status, _, body) = http_get(server.addr(), "/api/jobs", &[]);
    let idle = json!({ "name": "build", "about": "builds it", "running": false, "startable": true, "survives": false, "runs": [] });
    assert_eq!((status, serde_json::from_slice::<Value>(&body).unwrap()), (200, json!({ "jobs": [idle] })));
    let mut early = Viewer::connect(server.addr(), "/tail/build");
    assert_eq!(start(&server, "build"), 1);
    early.lines_until(|lines| lines.contains(&"E| oh no"), LATER);
    assert_eq!(http(server.addr(), "POST", "/jobs/build", &[]).0, 409, "once at a time");
    let from = until("the run to be told", LATER, || {
        show(&server, "build")["runs"][0]["from"].as_str().map(str::to_owned)
    });
    fs::write(folder.path().join("go"), "").unwrap();
    let seen = early.lines_until(|lines| lines.iter().any(|line| line.contains("exit status 3")), LATER);
    assert!(seen[0].starts_with("── run 1 · 20"), "{seen:?}");
    let late = lines(&server, &format!("/tail/build?from={from}"), "exit status 3");
    assert_eq!(late, seen[1..], "from where its output begins");
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines
    };
    // What is said in one moment over two pipes has no order.
    assert_eq!(sorted(&late[..2]), ["E| oh no", "one"]);
    assert_eq!(late[2], "two");
    assert!(late[3].starts_with("── run 1 · exit status 3 · after "), "{late:?}");
    let run = ended(&server, "build");
    assert_eq!((&run["run"], &run["end"], &run["stopped"]), (&json!(1), &json!({ "exit": 3 }), &Value::Null));
    assert!(run["took"].as_u64().is_some());
}

#[test]
fn stop_ends_the_whole_process_group() {
    let script = "sleep 1000 & (sleep 1000 & echo $! >> pids; wait) & echo $$ $! >> pids; wait";
    let (server, folder) = serve(&job("long", script, ""));
    assert_eq!(stop(&server, "long"), 409, "it does not run");
    start(&server, "long");
    let pids = until("all of them", LATER, || {
        Some(written(&folder, "pids")).filter(|pids| pids.lines().count() == 2)
    });
    assert_eq!(stop(&server, "long"), 202);
    let run = ended(&server, "long");
    assert_eq!((&run["end"], &run["stopped"]), (&json!({ "signal": 15 }), &json!("asked")));
    assert_gone(&pids);
    let said = lines(&server, "/tail/long", "as it was asked to");
    assert!(said.last().unwrap().contains("ended by SIGTERM, as it was asked to"), "{said:?}");
}

#[test]
fn what_ignores_sigterm_is_killed_after_its_grace() {
    let script = "trap '' TERM; echo $$ > pid; while true; do sleep 1; done";
    let (server, folder) = serve(&job("deaf", script, "grace = 3"));
    start(&server, "deaf");
    let pid = written(&folder, "pid");
    let asked = Instant::now();
    assert_eq!(stop(&server, "deaf"), 202);
    until("the stop to be told", LATER, || {
        let shown = show(&server, "deaf");
        (shown["running"] == true && shown["runs"][0]["stopped"] == "asked").then_some(())
    });
    let run = ended(&server, "deaf");
    assert_eq!(run["end"], json!({ "signal": 9 }));
    assert!(asked.elapsed() >= Duration::from_secs(3), "not before its grace was over");
    assert_gone(&pid);
}

#[test]
fn what_takes_too_long_is_ended() {
    let (server, folder) = serve(&job("slow", "echo $$ > pid; sleep 1000", "timeout = 1"));
    start(&server, "slow");
    let run = ended(&server, "slow");
    assert_eq!((&run["end"], &run["stopped"]), (&json!({ "signal": 15 }), &json!("timeout")));
    assert!(run["took"].as_u64() >= Some(1000), "not before: {run}");
    assert_gone(&written(&folder, "pid"));
    let said = lines(&server, "/tail/slow", "ended by");
    assert!(said.last().unwrap().contains("ended by SIGTERM, as its time was over · after "), "{said:?}");
}

#[test]
fn a_line_like_ours_is_not_taken_for_the_end() {
    let line = "── run 1 · exit status 0 · after 0.0 s ──";
    let (server, _folder) = serve(&job("liar", &format!("echo '{line}'; printf half; exit 3"), ""));
    start(&server, "liar");
    let run = ended(&server, "liar");
    assert_eq!(run["end"], json!({ "exit": 3 }));
    let after = |cursor: &Value| {
        let target = format!("/tail/liar?from={}", cursor.as_str().unwrap());
        let (status, _, body) = http_get(server.addr(), &target, &[]);
        assert_eq!(status, 200);
        String::from_utf8(body).unwrap()
    };
    let (all, end) = (after(&run["from"]), after(&run["to"]));
    assert!(end.starts_with("── run 1 · exit status 3 · after ") && end.lines().count() == 1, "{end}");
    assert_eq!(all.strip_suffix(&end).unwrap(), format!("{line}\nhalf\n"));
}

#[test]
fn what_a_command_leaves_behind_goes_with_it() {
    let (server, folder) = serve(&job("messy", "sleep 1000 & echo $! > pid; echo done", ""));
    start(&server, "messy");
    assert_eq!(ended(&server, "messy")["end"], json!({ "exit": 0 }));
    assert_gone(&written(&folder, "pid"));
}

#[test]
fn when_the_server_leaves_or_is_killed_nothing_is_left() {
    for signal in [Signal::TERM, Signal::KILL] {
        let script = "sleep 1000 & echo $$ $! > pids; wait";
        let (mut server, folder) = serve(&job("long", script, ""));
        start(&server, "long");
        let pids = written(&folder, "pids");
        server.signal(signal);
        server.wait(SOON);
        assert_gone(&pids);
    }
}

#[test]
fn when_its_supervisor_is_killed_nothing_is_left_and_it_can_be_started_again() {
    let folder = temp_dir();
    let job = job("long", "sleep 1000 & echo $$ $! > pids; wait", "");
    let server = serve_in(&folder, &format!("[server]\njob_folder = 'runs'\n{job}"));
    start(&server, "long");
    let pids = written(&folder, "pids");
    // The command may be faster than the note of its process.
    let supervisor = until("the run to be noted", LATER, || {
        let records = fs::read(folder.path().join("runs/long/runs.json")).ok()?;
        let run = serde_json::from_slice::<Value>(&records).ok()?[0].take();
        run["process"].is_number().then(|| i32::try_from(run["supervisor"].as_i64().unwrap()).unwrap())
    });
    kill_process(Pid::from_raw(supervisor).unwrap(), Signal::KILL).unwrap();
    assert_eq!(ended(&server, "long")["end"], "lost");
    assert_gone(&pids);
    assert_eq!(start(&server, "long"), 2);
}

#[test]
fn two_servers_with_one_folder_do_not_end_each_others_runs() {
    let folder = temp_dir();
    let script = "echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done";
    let toml = format!("[server]\njob_folder = 'runs'\n{}", job("one", script, ""));
    let (first, second) = (serve_in(&folder, &toml), serve_in(&folder, &toml));
    start(&first, "one");
    let pid = written(&folder, "pid");
    assert_eq!(http(second.addr(), "POST", "/jobs/one", &[]).0, 409);
    assert_eq!(show(&second, "one")["running"], true);
    assert!(is_there(&pid));
    fs::write(folder.path().join("go"), "").unwrap();
    for server in [&first, &second] {
        assert_eq!(ended(server, "one")["end"], json!({ "exit": 0 }));
    }
    assert_eq!(start(&second, "one"), 2);
}

#[test]
fn without_descriptors_it_says_so_and_then_it_works_again() {
    let (server, folder) = serve(&job("touch", "echo > touched", ""));
    let mut raw = Raw::open(server.addr());
    let ask = |raw: &mut Raw, method: &str, path: &str| {
        raw.send_raw(format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr()).as_bytes());
        let head = raw.read_head();
        let len = head.fields.get("Content-Length").unwrap().parse().unwrap();
        (head.status, String::from_utf8(raw.read_exactly(len)).unwrap())
    };
    // This connection is there before.
    assert_eq!(ask(&mut raw, "GET", "/healthz").0, 200);
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap());
    let nothing_new = Rlimit { current: Some(3), maximum: getrlimit(Resource::Nofile).maximum };
    let before = prlimit(pid, Resource::Nofile, nothing_new).unwrap();
    let (status, said) = ask(&mut raw, "POST", "/jobs/touch");
    assert_eq!(status, 503);
    assert!(said.contains("Too many open files"), "{said}");
    prlimit(pid, Resource::Nofile, before).unwrap();
    assert_eq!(ask(&mut raw, "POST", "/jobs/touch").0, 201);
    written(&folder, "touched");
}

#[test]
fn what_is_to_survive_goes_on_and_the_next_server_knows_it() {
    let script = "echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done; echo gone on";
    let toml = format!("[server]\njob_folder = 'runs'\n{}", job("deploy", script, "survives = true"));
    let folder = temp_dir();
    let mut server = serve_in(&folder, &toml);
    start(&server, "deploy");
    let pid = written(&folder, "pid");
    server.signal(Signal::KILL);
    server.wait(SOON);
    let server = serve_in(&folder, &toml);
    assert_eq!(show(&server, "deploy")["running"], true);
    assert!(is_there(&pid));
    assert_eq!(http(server.addr(), "POST", "/jobs/deploy", &[]).0, 409);
    fs::write(folder.path().join("go"), "").unwrap();
    assert_eq!(ended(&server, "deploy")["end"], json!({ "exit": 0 }));
    let said = lines(&server, "/tail/deploy", "exit status 0");
    assert_eq!(said[1], "gone on");
    // And it can be stopped by a server that did not start it.
    fs::remove_file(folder.path().join("go")).unwrap();
    fs::remove_file(folder.path().join("pid")).unwrap();
    assert_eq!(start(&server, "deploy"), 2);
    let pid = written(&folder, "pid");
    server.stop();
    let server = serve_in(&folder, &toml);
    assert_eq!(stop(&server, "deploy"), 202);
    assert_eq!(ended(&server, "deploy")["end"], json!({ "signal": 15 }));
    assert_gone(&pid);
}

#[test]
fn so_many_runs_are_kept_and_the_past_of_the_log_are_the_runs_before() {
    let folder = temp_dir();
    let toml = format!("[server]\njob_folder = 'runs'\n{}", job("count", "echo $((1 + 1))", "keep = 3"));
    let server = serve_in(&folder, &toml);
    for run in 1..=5 {
        assert_eq!(start(&server, "count"), run);
        assert_eq!(ended(&server, "count")["run"], run);
    }
    let runs = show(&server, "count")["runs"].clone();
    let numbers: Vec<u64> = runs.as_array().unwrap().iter().map(|run| run["run"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [5, 4, 3], "the newest first");
    let all = lines(&server, "/tail/count?lines=100", "run 5 · exit");
    let heads: Vec<&str> = all.iter().filter(|line| line.contains(" · 20")).map(|line| &line[..12]).collect();
    assert_eq!(heads, ["── run 3", "── run 4", "── run 5"].map(|head| head), "{all:?}");
    let third = runs[2]["from"].as_str().unwrap();
    assert_eq!(lines(&server, &format!("/tail/count?from={third}"), "run 3 · exit")[0], "2");
    server.stop();
    let server = serve_in(&folder, &toml);
    assert_eq!(start(&server, "count"), 6, "also after a restart");
}

#[test]
fn ten_jobs_run_at_once() {
    let script = "while [ ! -e go ]; do sleep 0.01; done; echo through";
    let toml: String = (0..10).map(|number| job(&format!("job{number}"), script, "")).collect();
    let (server, folder) = serve(&toml);
    for number in 0..10 {
        start(&server, &format!("job{number}"));
    }
    let (_, _, body) = http_get(server.addr(), "/api/jobs", &[]);
    let all: Value = serde_json::from_slice(&body).unwrap();
    assert!(all["jobs"].as_array().unwrap().iter().all(|job| job["running"] == true), "{all}");
    fs::write(folder.path().join("go"), "").unwrap();
    for number in 0..10 {
        assert_eq!(ended(&server, &format!("job{number}"))["end"], json!({ "exit": 0 }));
    }
}

#[test]
fn a_flood_is_bounded_on_the_disk_and_keeps_nobody_waiting() {
    let folder = temp_dir();
    let toml = format!(
        "[server]\njob_folder = 'runs'\n{}",
        job("flood", "yes a line of some length", "max_mib = 1")
            + "[[log]]\nname = 'calm'\npath = 'calm.log'\n"
    );
    let mut calm = fs::File::create(folder.path().join("calm.log")).unwrap();
    let server = serve_in(&folder, &toml);
    let mut others = Viewer::connect(server.addr(), "/tail/calm");
    let _flooded = Viewer::connect(server.addr(), "/tail/flood");
    start(&server, "flood");
    let file = folder.path().join("runs/flood/flood.log");
    until("some megabytes", LATER, || {
        (show(&server, "flood")["runs"][0]["dropped"].as_u64()? > 8 << 20).then_some(())
    });
    for number in 0..20 {
        writeln!(calm, "line {number}").unwrap();
        let line = format!("line {number}");
        others.lines_until(|lines| lines.last().is_some_and(|last| *last == line), SOON);
        assert!(fs::metadata(&file).unwrap().len() <= (1 << 20) + (64 << 10));
    }
    assert_eq!(stop(&server, "flood"), 202);
    let run = ended(&server, "flood");
    assert_eq!(run["end"], json!({ "signal": 15 }));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("── run 1 · what came before this line, "), "{}", &text[..200]);
}

#[test]
fn with_a_terminal_a_command_speaks_to_one() {
    let script = "[ -t 1 ] && echo a terminal of $(stty size < /dev/tty); printf '\\033[31mred\\033[0m\\n'; echo err >&2";
    let (server, _folder) = serve(&job("pty", script, "pty = true"));
    start(&server, "pty");
    assert_eq!(ended(&server, "pty")["end"], json!({ "exit": 0 }));
    let said = lines(&server, "/tail/pty", "exit status 0");
    assert_eq!(said[1..4], ["a terminal of 50 160", "\u{1b}[31mred\u{1b}[0m", "err"], "{said:?}");
}

#[test]
fn a_command_that_stops_on_a_terminal_is_ended_with_all_it_has_started() {
    let (server, folder) = serve(&job("pty", "sleep 1000 & echo $$ $! > pids; cat", "pty = true"));
    start(&server, "pty");
    let pids = written(&folder, "pids");
    // Its standard input has nothing in it.
    ended(&server, "pty");
    assert_gone(&pids);
}

#[test]
fn a_command_that_is_not_there_any_more_says_so() {
    let folder = temp_dir();
    fs::copy("/bin/true", folder.path().join("program")).unwrap();
    let server = serve_in(&folder, "[[job]]\nname = 'nope'\ncommand = ['./program']\n");
    fs::remove_file(folder.path().join("program")).unwrap();
    start(&server, "nope");
    let run = ended(&server, "nope");
    assert!(run["end"]["failed"].as_str().unwrap().starts_with("No such file"), "{run}");
    let said = lines(&server, "/tail/nope", "could not be started");
    assert!(said[1].contains("could not be started: No such file"), "{said:?}");
}

#[test]
fn only_our_own_page_may_start_or_stop_and_only_what_is_named() {
    let (server, folder) = serve(&job("touch", "echo > touched", ""));
    for fields in [[("Origin", "https://elsewhere.example")], [("Sec-Fetch-Site", "cross-site")]] {
        for method in ["POST", "DELETE"] {
            assert_eq!(http(server.addr(), method, "/jobs/touch", &fields).0, 403, "{fields:?}");
        }
    }
    for name in ["none", "..", "touch/", "touch%2F..", "touch;ls", "%00"] {
        assert_eq!(http(server.addr(), "POST", &format!("/jobs/{name}"), &[]).0, 404, "{name}");
    }
    assert_eq!(http(server.addr(), "PUT", "/jobs/touch", &[]).0, 405);
    assert!(!folder.path().join("touched").exists(), "nothing was started");
    let origin = format!("http://{}", server.addr());
    assert_eq!(http(server.addr(), "POST", "/jobs/touch", &[("Origin", &origin)]).0, 201);
    written(&folder, "touched");
}

#[test]
fn the_environment_and_the_folder_are_as_configured() {
    let folder = temp_dir();
    fs::create_dir(folder.path().join("inside")).unwrap();
    let more = "folder = 'inside'\nenvironment = ['WHO=somebody', 'EMPTY=']";
    let server = serve_in(&folder, &job("env", "echo $WHO-$EMPTY- in $(basename $(pwd)); cat", more));
    start(&server, "env");
    assert_eq!(ended(&server, "env")["end"], json!({ "exit": 0 }), "standard input is empty");
    assert_eq!(lines(&server, "/tail/env", "exit status")[1], "somebody-- in inside");
}

#[test]
fn what_is_wrong_about_a_job_is_told_before_anything_runs() {
    let folder = temp_dir();
    let config = folder.path().join("w.toml");
    let complaint = |toml: &str| {
        fs::write(&config, toml).unwrap();
        let checked = support::server::wiretail().args(["check", "-c"]).arg(&config).output().unwrap();
        // What this machine has not is no wrong usage.
        let code = if toml.contains("nowhere") { 1 } else { 2 };
        assert_eq!(checked.status.code(), Some(code), "{toml}");
        String::from_utf8(checked.stderr).unwrap()
    };
    let command = "command = ['true']\n";
    for (toml, words) in [
        ("[[job]]\ncommand = ['true']\n".to_owned(), "line 1: [[job]] has no name"),
        ("[[job]]\nname = 'x'\ncommand = []\n".to_owned(), "[[job]] has no command"),
        (
            "[[job]]\nname = 'x'\ncommand = ['']\n".to_owned(),
            "line 3: command = : the first of the command is the program",
        ),
        (format!("[[job]]\nname = 'a/b'\n{command}"), "line 2: name = a/b: a job's name is made of"),
        (
            format!("[[job]]\nname = 'x'\n{command}folder = 'nowhere'\n"),
            "line 4: folder = nowhere: there is no such folder",
        ),
        (format!("[[job]]\nname = 'x'\n{command}survives = true\n"), "add job_folder to [server]"),
        (format!("[[job]]\nname = 'x'\n{command}environment = ['X']\n"), "this is written as NAME=VALUE"),
        (format!("[[job]]\nname = 'x'\n{command}keep = 0\n"), "a whole number from 1 to 100"),
        (
            format!("[[job]]\nname = 'x'\n{command}[[job]]\nname = 'x'\n{command}"),
            "line 5: the name \"x\" can be given to one log only",
        ),
        (format!("[[log]]\nname = 'x'\npath = 'y'\n[[job]]\nname = 'x'\n{command}"), "is given by"),
    ] {
        let said = complaint(&toml);
        assert!(said.contains(words), "{toml}\n{said}");
    }
    fs::write(&config, format!("[[job]]\nname = 'x'\n{command}")).unwrap();
    let checked = support::server::wiretail().args(["check", "-c"]).arg(Path::new(&config)).output().unwrap();
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), "x  a job: [\"true\"]\n");
}

#[test]
fn a_configuration_may_be_named_by_a_path_from_where_one_stands() {
    let folder = temp_dir();
    let toml = format!("[server]\njob_folder = 'runs'\n{}", job("here", "basename $(pwd)", ""));
    fs::write(folder.path().join("w.toml"), toml).unwrap();
    let mut command = Server::command(&["-c", "w.toml"]);
    command.current_dir(folder.path());
    let server = Server::spawn(command);
    start(&server, "here");
    assert_eq!(ended(&server, "here")["end"], json!({ "exit": 0 }));
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(lines(&server, "/tail/here", "exit status")[1], name);
    assert!(folder.path().join("runs/here/here.log").exists());
}

#[test]
fn what_is_to_be_masked_in_a_job_s_log_is_masked_when_the_settings_are_read_again() {
    let folder = temp_dir();
    let script = "echo token=secret";
    let server = serve_in(&folder, &job("tell", script, ""));
    start(&server, "tell");
    ended(&server, "tell");
    assert_eq!(http_get(server.addr(), "/raw/tell", &[]).0, 200);
    fs::write(folder.path().join("wiretail.toml"), job("tell", script, "redact = ['token=\\S+']")).unwrap();
    server.signal(Signal::HUP);
    let refused = || (http_get(server.addr(), "/raw/tell", &[]).0 == 403).then_some(());
    until("the file to be refused", LATER, refused);
    assert_eq!(lines(&server, "/tail/tell", "exit status")[1], "█████");
}
