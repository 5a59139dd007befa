//! Settings through the door: what is refused and with which words, and what is changed while the server runs.
#![cfg(feature = "tool")]

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

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

/// What `wiretail check` says of these words, without the path of the folder.
fn complaint(place: &Place, more: &[&str]) -> String {
    let output = wiretail().args(["check", "-c", &place.config()]).args(more).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said.trim().replace(&format!("{}/", place.0.path().display()), "")
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
        (["--max-connections", "0"], "--max-connections 0: 1 is the least that makes sense."),
        (["--lines", "99999999"], "--lines 99999999: a number from 0 to 100000 is wanted."),
        (["--tick", "0ms"], "--tick 0ms: a time between 1ms and 10s is needed, as 10ms."),
    ] {
        assert_eq!(complaint(&place, &words), format!("wiretail: {said}"));
    }
    for (config, said) in [
        (
            "[server]\nlines = 99999999\n",
            "line 2: lines = 99999999: this is a whole number; a whole number from 0 to 100000 is wanted, as lines = 1000.",
        ),
        ("[server]\ntick = '1h'\n", "line 2: tick = 1h: a time between 1ms and 10s is needed, as 10ms."),
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
    place.configure("[[log]]\npath = 7\n");
    server.signal(Signal::HUP);
    until("the complaint", SOON, || server.stderr().contains("line 2: path = 7").then_some(()));
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
    assert!(server.stderr().contains("have been read again"));
    assert!(server.stop().success());
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
