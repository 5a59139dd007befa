//! `wiretail cat` through the door: several logs at once, on a terminal and into a pipe, from a place and back to it.
#![cfg(feature = "tool")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;

use support::server::wiretail;
use support::ws::http_get;
use support::{SOON, Server, TempDir, temp_dir};

/// Two logs, served.
struct Logs {
    folder: TempDir,
    server: Server,
}

impl Logs {
    fn new(app: &str, access: &str) -> Self {
        let folder = temp_dir();
        fs::write(folder.path().join("app.log"), app).unwrap();
        fs::write(folder.path().join("access.log"), access).unwrap();
        let server = Server::start(&[folder.path().to_str().unwrap()]);
        Self { folder, server }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn url(&self, name: &str) -> String {
        format!("{}tail/{name}", self.server.url())
    }
}

fn append(path: &Path, text: &str) {
    fs::OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// A running `wiretail cat`, read line by line.
struct Cat {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Cat {
    fn start(args: &[&str]) -> Self {
        let mut command = wiretail();
        command.arg("cat").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(SOON * 2).expect("a line in time")
    }

    /// So many lines, sorted: of several logs nobody knows whose comes first.
    fn sorted(&self, count: usize) -> Vec<String> {
        let mut lines: Vec<String> = (0..count).map(|_| self.line()).collect();
        lines.sort();
        lines
    }
}

impl Drop for Cat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cat(args: &[&str]) -> Output {
    wiretail().arg("cat").args(args).stdin(Stdio::null()).output().unwrap()
}

/// What `wiretail cat` writes on a terminal, which `script` makes for it: standard output and standard error in one.
fn on_a_terminal(args: &[&str]) -> String {
    let plain = wiretail();
    let words: Vec<String> = [plain.get_program().to_str().unwrap(), "cat"]
        .iter()
        .chain(args)
        .map(|word| format!("'{word}'"))
        .collect();
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]);
    // Its end would be an end of file typed on the terminal.
    let mut child =
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script, of util-linux");
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn several_logs_are_printed_line_by_line_with_their_names_in_front() {
    let logs = Logs::new("one\ntwo\nthr", "GET /\n");
    let cat = Cat::start(&[&logs.url("app.log"), &logs.url("access.log"), "-n", "2"]);
    assert_eq!(cat.sorted(2), ["access.log | GET /", "app.log    | two"]);
    append(&logs.path("access.log"), "GET /cart\n");
    assert_eq!(cat.line(), "access.log | GET /cart", "half a line of the other is not in its way");
    append(&logs.path("app.log"), "ee\n");
    assert_eq!(cat.line(), "app.log    | three");
}

#[test]
fn several_logs_go_on_where_they_were_after_the_server_was_restarted() {
    let logs = Logs::new("one\n", "GET /\n");
    let port = logs.server.addr().port().to_string();
    let cat = Cat::start(&[&logs.url("app.log"), &logs.url("access.log")]);
    assert_eq!(cat.sorted(2), ["access.log | GET /", "app.log    | one"]);
    let Logs { folder, server } = logs;
    assert!(server.stop().success());
    append(&folder.path().join("app.log"), "two\n");
    fs::rename(folder.path().join("access.log"), folder.path().join("access.log.1")).unwrap();
    append(&folder.path().join("access.log"), "GET /new\n");
    let _server = Server::start(&["--port", &port, folder.path().to_str().unwrap()]);
    assert_eq!(cat.sorted(2), ["access.log | GET /new", "app.log    | two"]);
}

#[test]
fn logs_of_one_name_have_their_servers_in_front() {
    let (one, other) = (Logs::new("here\n", ""), Logs::new("there\n", ""));
    let output = cat(&["--no-follow", &one.url("app.log"), &other.url("app.log")]);
    let mut lines: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    lines.sort_by_key(|line| line.rsplit(' ').next());
    let name = |logs: &Logs| format!("{}/app.log", logs.server.addr());
    let width = name(&one).len().max(name(&other).len());
    let line = |logs: &Logs, text: &str| format!("{:width$} | {text}", name(logs));
    assert_eq!(lines, [line(&one, "here"), line(&other, "there")]);
}

#[test]
fn one_log_that_is_refused_does_not_keep_the_others_back_and_is_told() {
    let logs = Logs::new("one\n", "");
    let output = cat(&["--no-follow", &logs.url("app.log"), &logs.url("nothing")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"app.log | one\n");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("wiretail: nothing: ") && said.contains("404"), "{said}");
}

#[test]
fn a_search_in_several_logs_tells_of_each_line_where_it_is() {
    let logs = Logs::new("an ox\na dog\n", "a dog\nan ox\n");
    let urls = [logs.url("app.log"), logs.url("access.log")];
    let search = |pattern: &str| cat(&[&urls[0], &urls[1], "--search", pattern]);
    let output = search("o[xg]");
    let mut lines: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].starts_with("access.log | access.log:") && lines[0].ends_with(":a dog"), "{lines:?}");
    assert!(output.status.success());
    append(&logs.path("app.log"), "only here\n");
    assert!(search("only").status.success(), "that one of them has it is enough");
    assert_eq!(search("nowhere").status.code(), Some(1));
}

#[test]
fn a_cursor_is_a_place_to_begin_at_and_of_one_log_only() {
    let logs = Logs::new("one\ntwo\n", "");
    let (_, fields, _) = http_get(logs.server.addr(), "/tail/app.log", &[]);
    let cursor = fields.get("Wiretail-Cursor").unwrap().to_owned();
    append(&logs.path("app.log"), "three\nfour\n");
    let output = cat(&["--no-follow", "--from", &cursor, &logs.url("app.log")]);
    assert_eq!(output.stdout, b"three\nfour\n");
    let output = cat(&["--from", &cursor, &logs.url("app.log"), &logs.url("access.log")]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
}

#[test]
fn since_a_time_and_with_filters_no_more_is_printed_than_was_asked_for() {
    let lines: String = (10..20)
        .map(|minute| format!("2026-11-25 14:{minute}:00 {}\n", if minute % 2 == 0 { "even" } else { "odd" }))
        .collect();
    let logs = Logs::new(&lines, "");
    let url = logs.url("app.log");
    let output = cat(&["--no-follow", "--since", "2026-11-25 14:15", "--grep", "odd", "--not", ":17:", &url]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "2026-11-25 14:15:00 odd\n2026-11-25 14:19:00 odd\n"
    );
}

#[test]
fn since_knows_the_times_that_the_page_knows() {
    let stamp = |ago: u64| {
        let then =
            Command::new("date").args(["--utc", "--date", &format!("{ago} min ago"), "+%FT%TZ"]).output();
        String::from_utf8(then.unwrap().stdout).unwrap().trim().to_owned()
    };
    let recent: String = [40, 25, 8, 2].map(|ago| format!("{} {ago} minutes ago\n", stamp(ago))).concat();
    let days = "2026-11-24 14:04:00 a\n2026-11-24 14:05:00 b\n2026-11-25 14:04:59 c\n    at some place\n";
    let logs = Logs::new(&recent, days);
    let since = |log: &str, time: &str| {
        let output = cat(&["--no-follow", "--since", time, &logs.url(log)]);
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| line[20..].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(since("app.log", "-10m"), [" 8 minutes ago", " 2 minutes ago"]);
    assert_eq!(since("app.log", "-1h").len(), 4);
    let lines = |count: usize| days.lines().rev().take(count).collect::<Vec<_>>().into_iter().rev();
    let shown = |time: &str, count: usize| {
        let output = cat(&["--no-follow", "--since", time, &logs.url("access.log")]);
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.lines().eq(lines(count)), "{time}: {printed}");
    };
    shown("14:05", 3);
    shown("14:04:30", 2);
    shown("2026-11-25 14:04:59", 2);
    for wrong in ["-10w", "24:00", "soon"] {
        let output = cat(&["--since", wrong, &logs.url("app.log")]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        let expected =
            format!("wiretail: --since {wrong}: this is no time as 14:05, -10m, or 2026-11-25 14:05:10, ");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn colours_stay_on_a_terminal_and_nothing_but_text_gets_into_a_pipe() {
    let text = "\x1b[31mred\x1b[0m and \x1b[2Jclear\x07\r\n";
    let logs = Logs::new(text, text);
    let (app, access) = (logs.url("app.log"), logs.url("access.log"));
    let piped = cat(&["--no-follow", &app]);
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), "red and \u{241b}[2Jclear\u{2407}\n");
    // A terminal makes \r\n of \n.
    let shown = on_a_terminal(&["--no-follow", &app]);
    assert_eq!(shown, "\x1b[31mred\x1b[0m and \u{241b}[2Jclear\u{2407}\r\n");
    let shown = on_a_terminal(&["--no-follow", &app, &access]);
    for (name, colour) in [("app.log   ", 36), ("access.log", 33)] {
        let line = format!("\x1b[0;{colour}m{name} |\x1b[0m \x1b[31mred\x1b[0m and ");
        assert!(shown.contains(&line), "{shown:?}");
    }
}

#[test]
fn a_search_shows_how_far_it_has_come_on_a_terminal_and_nowhere_else() {
    let lines: String = (0..20_000).map(|number| format!("line {number} of many\n")).collect();
    let logs = Logs::new(&(lines + "the last ox\n"), "");
    let url = logs.url("app.log");
    let shown = on_a_terminal(&[&url, "--search", "ox"]);
    assert!(shown.contains("\r[") && shown.contains("#] 1 lines"), "{shown:?}");
    assert!(shown.contains(":the last ox\r\n"), "{shown:?}");
    assert!(shown.ends_with("\r\x1b[K"), "the bar is taken away at the end: {shown:?}");
    let piped = cat(&[&url, "--search", "ox"]);
    assert!(piped.stdout.ends_with(b":the last ox\n"), "{piped:?}");
    assert_eq!(piped.stderr, b"");
}
