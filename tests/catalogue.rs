//! The list of logs through the door: who asks, who waits for it to change, and what it costs.
#![cfg(feature = "tool")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::ws::http_get;
use support::{Server, cpu_time, temp_dir};

/// Longer than any wait that is asked for.
const LONG: Duration = Duration::from_secs(60);

/// What `/api/logs` answers.
struct List(Value);

impl List {
    fn ask(addr: SocketAddr, query: &str) -> Self {
        let mut stream = TcpStream::connect(addr).unwrap();
        // A wait may be long.
        stream.set_read_timeout(Some(LONG)).unwrap();
        write!(stream, "GET /api/logs{query} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("application/json"), "{head}");
        Self(serde_json::from_str(body).unwrap())
    }

    /// The changes since this list, as soon as there are any.
    fn wait(&self, addr: SocketAddr, seconds: u64) -> Self {
        Self::ask(addr, &format!("?wait={seconds}&since={}", self.version()))
    }

    fn version(&self) -> &str {
        self.0["version"].as_str().unwrap()
    }

    /// Each log with its state.
    fn logs(&self) -> Vec<String> {
        let logs = self.0["logs"].as_array().unwrap();
        let told =
            |log: &Value| format!("{} {}", log["name"].as_str().unwrap(), log["state"].as_str().unwrap());
        logs.iter().map(told).collect()
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn who_waits_for_the_list_hears_of_files_that_come_go_and_come_back() {
    let folder = temp_dir();
    let (app, named) = (folder.path().join("logs/app.log"), folder.path().join("named.log"));
    write(&app, "x\n");
    write(&named, "x\n");
    let server = Server::start(&[folder.path().join("logs").to_str().unwrap(), named.to_str().unwrap()]);
    let addr = server.addr();
    let whole = List::ask(addr, "");
    assert_eq!(whole.logs(), ["app.log ok", "named.log ok"]);
    assert!(whole.0.get("since").is_none(), "this is the whole list");

    write(&folder.path().join("logs/new.log"), "12345");
    let come = whole.wait(addr, 30);
    assert_eq!(come.logs(), ["new.log ok"]);
    assert_eq!((&come.0["since"], &come.0["logs"][0]["size"]), (&whole.0["version"], &Value::from(5)));

    fs::remove_file(&app).unwrap();
    let gone = come.wait(addr, 30);
    assert_eq!(gone.logs(), ["app.log missing"]);
    write(&app, "again\n");
    assert_eq!(gone.wait(addr, 30).logs(), ["app.log ok"]);

    // One that was named is watched as well, as long as somebody wants to know.
    let before = List::ask(addr, "");
    fs::remove_file(&named).unwrap();
    let gone = before.wait(addr, 30);
    assert_eq!(gone.logs(), ["named.log missing"]);
    write(&named, "again\n");
    assert_eq!(gone.wait(addr, 30).logs(), ["named.log ok"]);
}

#[test]
fn a_wait_ends_with_nothing_when_nothing_has_changed_and_a_version_of_another_time_gets_the_whole_list() {
    let folder = temp_dir();
    write(&folder.path().join("app.log"), "x\n");
    let server = Server::start(&[folder.path().to_str().unwrap()]);
    let addr = server.addr();
    let whole = List::ask(addr, "");
    let begun = Instant::now();
    let nothing = whole.wait(addr, 1);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!((nothing.logs().len(), nothing.version()), (0, whole.version()));
    assert_eq!(
        List::ask(addr, &format!("?since={}", whole.version())).logs(),
        [""; 0],
        "without a wait at once"
    );
    let begun = Instant::now();
    for other in ["", "1", "x.1", "00000000.1", "deadbeef.0", "%00", "ffffffffff.1"] {
        let all = List::ask(addr, &format!("?wait=30&since={other}"));
        assert_eq!(all.logs(), ["app.log ok"], "{other}");
        assert!(all.0.get("since").is_none(), "{other}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert_eq!(http_get(addr, "/api/logs?wait=x", &[]).0, 400);
}

#[test]
fn folders_are_gone_through_on_request_and_links_lead_nowhere() {
    let (folder, outside) = (temp_dir(), temp_dir());
    write(&folder.path().join("app.log"), "x\n");
    write(&folder.path().join("eu/web/app.log"), "deep\n");
    write(&outside.path().join("secret.log"), "secret\n");
    std::os::unix::fs::symlink(outside.path(), folder.path().join("eu/out")).unwrap();
    let plain = Server::start(&[folder.path().to_str().unwrap()]);
    assert_eq!(List::ask(plain.addr(), "").logs(), ["app.log ok"]);
    let server = Server::start(&["--recursive", folder.path().to_str().unwrap()]);
    let list = List::ask(server.addr(), "");
    assert_eq!(list.logs(), ["app.log ok", "eu/web/app.log ok"]);
    let (status, _, text) = http_get(server.addr(), "/tail/eu/web/app.log", &[]);
    assert_eq!((status, text.as_slice()), (200, &b"deep\n"[..]));
    for name in ["eu/out/secret.log", "out/secret.log", "eu/web/../../app.log"] {
        assert_eq!(http_get(server.addr(), &format!("/tail/{name}"), &[]).0, 404, "{name}");
    }
    write(&folder.path().join("eu/later/new.log"), "x\n");
    assert_eq!(list.wait(server.addr(), 30).logs(), ["eu/later/new.log ok"]);
}

#[test]
fn a_log_has_the_group_and_the_further_names_that_the_configuration_gives_it() {
    let folder = temp_dir();
    write(&folder.path().join("app.log"), "one\n");
    write(&folder.path().join("all/x/y.log"), "two\n");
    let config = folder.path().join("wiretail.toml");
    let text = "[[log]]\nname = 'shop'\npath = 'app.log'\ngroup = 'Kasse'\naliases = ['till', 'old/till']\n\
                [[log]]\npath = 'all'\nrecursive = true\n";
    write(&config, text);
    let server = Server::start(&["-c", config.to_str().unwrap()]);
    let list = List::ask(server.addr(), "");
    let shop = &list.0["logs"][0];
    assert_eq!((&shop["name"], &shop["group"]), (&Value::from("shop"), &Value::from("Kasse")));
    assert_eq!(shop["aliases"], serde_json::json!(["old/till", "till"]));
    assert_eq!(list.logs(), ["shop ok", "x/y.log ok"]);
    assert_eq!(list.0["logs"][1]["group"], "all/x");
    for name in ["shop", "till", "old/till"] {
        let (status, _, text) = http_get(server.addr(), &format!("/tail/{name}"), &[]);
        assert_eq!((status, text.as_slice()), (200, &b"one\n"[..]), "{name}");
        assert_eq!(http_get(server.addr(), &format!("/raw/{name}"), &[]).2, b"one\n");
    }
}

#[test]
fn ten_thousand_files_cost_nothing_while_nobody_asks_and_hold_nobody_up_when_somebody_does() {
    let folder = temp_dir();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    for number in 0..10_000 {
        fs::write(logs.join(format!("{number:05}.log")), "text\n").unwrap();
    }
    let server = Server::start(&[logs.to_str().unwrap()]);
    let whole = List::ask(server.addr(), "");
    assert_eq!(whole.logs().len(), 10_000);
    // While three ask for all of it, somebody else is answered between the slices.
    let addr = server.addr();
    let askers: Vec<_> =
        (0..3).map(|_| std::thread::spawn(move || List::ask(addr, "").logs().len())).collect();
    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    while !askers.iter().all(std::thread::JoinHandle::is_finished) {
        let asked = Instant::now();
        assert_eq!(http_get(addr, "/healthz", &[]).0, 200);
        longest = longest.max(asked.elapsed());
    }
    // Made in one piece, each of the three answers would hold up others for a third of the time.
    let all = begun.elapsed();
    assert!(longest < all / 4, "{longest:?} for one answer of {all:?}");
    askers.into_iter().for_each(|asker| assert_eq!(asker.join().unwrap(), 10_000));
    // What is new is found and told alone.
    write(&logs.join("new.log"), "x\n");
    assert_eq!(whole.wait(addr, 30).logs(), ["new.log ok"]);
    // Two looks later it is known that the folder has not changed, and then a look is a few calls.
    std::thread::sleep(Duration::from_secs(5));
    let before = cpu_time(server.pid());
    std::thread::sleep(Duration::from_secs(6));
    let used = cpu_time(server.pid()) - before;
    assert!(used < Duration::from_millis(60), "{used:?} in six seconds");
}

#[test]
fn five_hundred_who_ask_for_the_list_and_take_nothing_keep_nobody_out() {
    let folder = temp_dir();
    for number in 0..2_000 {
        fs::write(folder.path().join(format!("{number:05}.log")), "text\n").unwrap();
    }
    let server = Server::start(&[folder.path().to_str().unwrap()]);
    let mut silent = Vec::new();
    for _ in 0..500 {
        let mut peer = TcpStream::connect(server.addr()).unwrap();
        let request = format!("GET /api/logs HTTP/1.1\r\nHost: {}\r\n\r\n", server.addr());
        peer.write_all(request.as_bytes()).unwrap();
        silent.push(peer);
    }
    for _ in 0..100 {
        assert_eq!(http_get(server.addr(), "/healthz", &[]).0, 200);
    }
}
