//! Settings through the door: what is refused and with which words, and what is changed while the server runs.
#![cfg(feature = "tool")]

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use support::server::wiretail;
use support::v1::Viewer;
use support::ws::http_get;
use support::{SOON, Server, TempDir, temp_dir, until};

/// A folder with `wiretail.toml` and some logs in it.
struct Place(TempDir);

impl Place {
    fn new(config: &str) -> Self {
        let place = Self(temp_dir());
        for log in ["a.log", "b.log", "c.log"] {
            fs::write(place.path(log), format!("the secret of {log}\n")).unwrap();
        }
        place.configure(config);
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn configure(&self, config: &str) {
        fs::write(self.path("wiretail.toml"), config).unwrap();
    }

    fn config(&self) -> String {
        self.path("wiretail.toml").to_str().unwrap().to_owned()
    }

    fn serve(&self) -> Server {
        let mut command = Server::command(&["-c", &self.config()]);
        command.env("WIRETAIL_LOG", "info");
        Server::spawn(command)
    }
}

/// What `wiretail COMMAND` says of this file and these words, line by line, without the path of the folder and the name of
/// the program; and its exit code.
fn complaints(place: &Place, command: &str, more: &[&str]) -> (Option<i32>, Vec<String>) {
    let output = wiretail().args([command, "-c", &place.config()]).args(more).output().unwrap();
    assert_eq!(output.stdout, b"", "nothing is served");
    let said = String::from_utf8(output.stderr).unwrap();
    let said = said.replace(&format!("{}/", place.0.path().display()), "");
    let said = said.replace(place.0.path().to_str().unwrap(), ".");
    let sentence =
        |line: &str| line.strip_prefix("wiretail: ").unwrap_or_else(|| panic!("{said}")).to_owned();
    (output.status.code(), said.lines().map(sentence).collect())
}

/// What `wiretail check` says of the one thing that makes no sense.
fn complaint(place: &Place, more: &[&str]) -> String {
    let (code, said) = complaints(place, "check", more);
    assert_eq!((code, said.len()), (Some(2), 1), "{said:?}");
    format!("wiretail: {}", said[0])
}

fn names(server: &Server) -> Vec<String> {
    let (_, _, body) = http_get(server.addr(), "/api/logs", &[]);
    let listing: Value = serde_json::from_slice(&body).unwrap();
    let logs = listing["logs"].as_array().unwrap();
    logs.iter().map(|log| log["name"].as_str().unwrap().to_owned()).collect()
}

/// The code that a viewer is sent away with.
fn closed(viewer: &mut Viewer) -> Option<u16> {
    while viewer.next(SOON).is_some() {}
    viewer.closed
}

fn append(path: &Path, text: &str) {
    use std::io::Write;
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_name_that_is_given_twice_is_said_with_both_places() {
    let place = Place::new(
        "[[log]]\nname = 'shop'\npath = 'a.log'\n\n[[log]]\npath = 'b.log'\nname = 'till'\naliases = ['shop']\n",
    );
    assert_eq!(
        complaint(&place, &[]),
        "wiretail: wiretail.toml, line 7: the name \"shop\" can be given to one log only, and is given by wiretail.toml, \
         line 2 already."
    );
    place.configure("[[log]]\nname = 'shop'\npath = 'a.log'\n");
    assert_eq!(
        complaint(&place, &["shop=x.log"]),
        "wiretail: wiretail.toml, line 2: the name \"shop\" can be given to one log only, and is given by source \
         \"shop=x.log\" already."
    );
    assert_eq!(
        complaint(&place, &["-", "-"]),
        "wiretail: source \"-\": standard input can be one log only, and is given by source \"-\" already."
    );
}

#[test]
fn what_makes_no_sense_is_refused_wherever_it_is_said() {
    let place = Place::new("[[log]]\npath = 'a.log'\n");
    for (words, said) in [
        (["--tick", "0"], "--tick 0: a time from 1ms to 10s is wanted, with its unit, as 10ms."),
        (["--host", "[::1]"], "--host [::1]: here an address is written without brackets, as ::1."),
    ] {
        assert_eq!(complaint(&place, &words), format!("wiretail: {said}"));
    }
    for (config, said) in [
        (
            "[server]\nlines = 99999999\n",
            "line 2: lines = 99999999: a whole number from 0 to 100000 is wanted, as lines = 1000.",
        ),
        (
            "[server]\ntick = '1h'\n",
            "line 2: tick = 1h: a time from 1ms to 10s is wanted, with its unit, as 10ms.",
        ),
        ("[server]\nencoding = 'klingon'\n", "line 2: encoding = "),
        ("[server]\nredact = ['(']\n", "line 2: redact = "),
        (
            "[[log]]\npath = 'a.log'\nrecursive = true\n",
            "line 3: recursive = true: \"a.log\" is no folder that could be gone through; in a pattern, ** stands for all \
             folders.",
        ),
        (
            "[[log]]\npath = '*.log'\nname = 'x'\naliases = ['y']\n",
            "line 4: aliases = y: \"y\" would be a further name of one file; give that file a name of its own as well.",
        ),
    ] {
        place.configure(config);
        let complaint = complaint(&place, &[]);
        assert!(complaint.starts_with(&format!("wiretail: wiretail.toml, {said}")), "{complaint}");
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_its_line_and_its_key_by_serve_as_well() {
    let place = Place::new(
        "[server]\nport = 70000\nredact = ['(']\ntick = '1h'\njob_folder = 'a.log/runs'\n\n[limits]\nroom_mib = 0\n\n\
         [[log]]\npath = 'a.log'\nnaem = 'x'\n\n[[log]]\npath = 'none/chat.log'\nwritable = true\n\n\
         [[log]]\npath = '.'\nwritable = true\nencoding = 'klingon'\n\n\
         [[job]]\nname = 'a b'\ncommand = ['no-such-program']\nenvironment = ['X', 'PATH=/bin']\n\n\
         [[job]]\nname = 'b'\ncommand = ['./a.log']\n\n\
         [[job]]\nname = 'c'\ncommand = ['true']\nfolder = 'none'\n",
    );
    let (code, said) = complaints(&place, "check", &["--base", "x"]);
    let expected = [
        "line 2: port = 70000: a whole number from 0 to 65535 is wanted, as port = 8080.",
        "line 8: room_mib = 0: a whole number from 1 to 1048576 is wanted, as room_mib = 64.",
        "line 12: [[log]] has no key \"naem\" (did you mean name?).",
        "line 3: redact = ",
        "line 21: encoding = ",
        "line 19: path = .: ",
        "line 24: name = a b: a job's name is made of ",
        "line 26: environment = X: this is written as NAME=VALUE.",
        "--base x: ",
        "line 4: tick = 1h: a time from 1ms to 10s is wanted, with its unit, as 10ms.",
        "line 15: path = none/chat.log: it cannot be a room: there is no folder none.",
        "line 5: job_folder = a.log/runs: the runs of jobs cannot be kept there: a.log is no folder.",
        "line 25: command = no-such-program: there is no program of this name in /bin; give its whole path, or PATH=... in \
         environment.",
        "line 30: command = ./a.log: this file may not be run; make it executable (chmod +x), or name what runs it before \
         it, as \"sh\".",
        "line 35: folder = none: there is no such folder; make it, or name the one to run in.",
    ];
    assert_eq!((code, said.len()), (Some(2), expected.len()), "{said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        let said = said.strip_prefix("wiretail.toml, ").unwrap_or(said);
        assert!(said.starts_with(expected), "{said}\n{expected}");
    }
    assert_eq!(complaints(&place, "serve", &["--base", "x"]), (code, said));
}

#[test]
fn what_this_machine_lacks_ends_with_1_and_what_makes_no_sense_with_2() {
    let place = Place::new("[[job]]\nname = 'b'\ncommand = ['none/x']\n[[log]]\npath = '/dev/null'\n");
    let lacking = [
        "wiretail.toml, line 5: path = /dev/null: it cannot be served: it is a device, and only regular files are read.",
        "wiretail.toml, line 3: command = none/x: there is no program none/x.",
    ];
    for command in ["check", "serve"] {
        assert_eq!(complaints(&place, command, &[]), (Some(1), lacking.map(str::to_owned).to_vec()));
        assert_eq!(complaints(&place, command, &["--tick", "0"]).0, Some(2));
    }
    // What is no program here may be one where the job runs, and by its own PATH.
    fs::create_dir(place.path("bin")).unwrap();
    fs::copy("/bin/true", place.path("bin/own")).unwrap();
    for job in ["command = ['./own']\nfolder = 'bin'", "command = ['own']\nenvironment = ['PATH=bin']"] {
        place.configure(&format!("[[job]]\nname = 'b'\n{job}\n"));
        let output = wiretail().args(["check", "-c", &place.config()]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn settings_for_all_logs_hold_for_those_that_are_typed_as_well() {
    let place = Place::new("[server]\nredact = ['secret']\n");
    let server = Server::start(&["-c", &place.config(), place.path("a.log").to_str().unwrap()]);
    let (_, _, text) = http_get(server.addr(), "/tail/a.log", &[]);
    assert_eq!(String::from_utf8(text).unwrap(), "the █████ of a.log\n");
}

#[test]
fn settings_are_read_again_and_who_watches_a_log_that_stays_notices_nothing() {
    let place = Place::new("[[log]]\npath = 'a.log'\n[[log]]\npath = 'b.log'\n");
    let mut server = place.serve();
    let mut stays = Viewer::connect(server.addr(), "/tail/a.log");
    let mut goes = Viewer::connect(server.addr(), "/tail/b.log");
    stays.lines_until(|lines| lines.len() == 1, SOON);
    goes.lines_until(|lines| lines.len() == 1, SOON);

    // What is wrong changes nothing, and is said.
    place.configure("[[log]]\npath = 7\nnaem = 'x'\n");
    server.signal(Signal::HUP);
    let mistake = format!("{}, line 3: [[log]] has no key \"naem\"", place.config());
    hears(&mut server, "so the former ones stay: ", &mistake);
    assert!(server.stderr().contains("wiretail.toml, line 2: path = 7: this is a whole number"));
    assert_eq!(names(&server), ["a.log", "b.log"]);

    place.configure("[[log]]\npath = 'a.log'\ngroup = 'kept'\n[[log]]\npath = 'c.log'\nname = 'new'\n");
    server.signal(Signal::HUP);
    until("the other logs", SOON, || (names(&server) == ["a.log", "new"]).then_some(()));
    assert_eq!(
        closed(&mut goes),
        Some(1001),
        "whoever watches what is not served any more is told to come back"
    );
    assert_eq!(http_get(server.addr(), "/tail/b.log", &[]).0, 404);
    append(&place.path("a.log"), "more\n");
    stays.lines_until(|lines| lines == ["the secret of a.log", "more"], SOON);
    hears(&mut server, "read again: ", "new: new; not served any more: b.log; changed: a.log (group)");
    assert!(server.stop().success());
}

/// Waits until the server says `what` behind `begin`.
fn hears(server: &mut Server, begin: &str, what: &str) {
    let whole = format!("{begin}{what}");
    let (within, mut said) = (Instant::now() + SOON, String::new());
    while !said.contains(&whole) {
        said = server.stderr();
        assert!(Instant::now() < within, "{whole:?} is not in {said}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_reread_says_what_has_changed_without_being_asked_to_tell_more() {
    let config = "[server]\nlines = 5\n[[log]]\npath = 'a.log'\n[[log]]\npath = 'b.log'\n";
    let place = Place::new(config);
    let mut server = Server::start(&["-c", &place.config()]);
    server.signal(Signal::HUP);
    hears(&mut server, "the settings have been read again: ", "nothing has changed");
    place.configure(&config.replace("path = 'b.log'", "path = 'b.log'\nredact = ['x']").replace('5', "6"));
    server.signal(Signal::HUP);
    hears(&mut server, "read again: ", "changed: b.log (redact); set anew: lines\n");
    place.configure(&format!("{config}[limits]\nmax_connections = 7\nroom_burst = 7\n"));
    server.signal(Signal::HUP);
    hears(&mut server, "what was changed of ", "max_connections holds after a restart only");
    hears(&mut server, "read again: ", "changed: b.log (redact); set anew: lines, limits of rooms\n");
}

#[test]
fn a_log_that_is_to_be_masked_from_now_on_is_shown_to_nobody_as_it_was() {
    let place = Place::new("[[log]]\npath = 'a.log'\n");
    let server = place.serve();
    let mut viewer = Viewer::connect(server.addr(), "/tail/a.log");
    viewer.lines_until(|lines| lines == ["the secret of a.log"], SOON);
    place.configure("[[log]]\npath = 'a.log'\nredact = ['secret']\n");
    server.signal(Signal::HUP);
    assert_eq!(closed(&mut viewer), Some(1001));
    let (_, _, text) = http_get(server.addr(), "/tail/a.log", &[]);
    assert_eq!(String::from_utf8(text).unwrap(), "the █████ of a.log\n");
    assert_eq!(http_get(server.addr(), "/raw/a.log", &[]).0, 403);
}

#[test]
fn who_waits_for_the_list_gets_the_new_one_and_who_may_ask_changes_with_the_settings() {
    let place = Place::new("[[log]]\npath = 'a.log'\n");
    let server = place.serve();
    let addr = server.addr();
    let (_, _, body) = http_get(addr, "/api/logs", &[]);
    let listing: Value = serde_json::from_slice(&body).unwrap();
    let query = format!("/api/logs?wait=4&since={}", listing["version"].as_str().unwrap());
    let waiter = std::thread::spawn(move || http_get(addr, &query, &[]));
    let host = [("Host", "logs.example.org")];
    assert_eq!(http_get(addr, "/healthz", &host).0, 403);
    place.configure("[server]\nallow_host = ['logs.example.org']\n[[log]]\npath = 'b.log'\n");
    server.signal(Signal::HUP);
    let (_, _, body) = waiter.join().unwrap();
    let listing: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((listing["logs"][0]["name"].as_str(), listing.get("since")), (Some("b.log"), None));
    assert_eq!(http_get(addr, "/healthz", &host).0, 200);
}

#[test]
fn without_a_file_of_settings_the_signal_ends_the_server_as_a_closed_terminal_does() {
    let place = Place::new("");
    let mut server = Server::start(&[place.path("a.log").to_str().unwrap()]);
    server.signal(Signal::HUP);
    assert!(!server.wait(Duration::from_secs(5)).success());
}
