//! What is in a log, through the door: encodings, and what must not leave the host. A real server, real files.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use support::server::{unprivileged, wiretail};
use support::v1::Viewer;
use support::ws::Raw;
use support::{SOON, Server, TempDir, temp_dir, until};

/// A folder with `app.log` in it, and a server of it with these options.
fn serve(bytes: &[u8], options: &[&str]) -> (TempDir, PathBuf, Server) {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    fs::write(&path, bytes).unwrap();
    let server = Server::start(&[options, &[path.to_str().unwrap()]].concat());
    (folder, path, server)
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(bytes).unwrap();
}

#[track_caller]
fn expect_text(viewer: &mut Viewer, expected: &str) {
    viewer.lines_until(|lines| lines.len() >= expected.lines().count(), SOON);
    assert_eq!(viewer.text, expected);
}

/// 你好 and 世界, as a library writes them in GBK.
const HELLO: &[u8] = b"\xc4\xe3\xba\xc3\n";
const WORLD: &[u8] = b"\xca\xc0\xbd\xe7\n";

#[test]
fn a_log_in_gbk_is_shown_as_what_it_says_live_and_in_cat() {
    let (_folder, path, server) = serve(HELLO, &["--encoding", "gb2312"]);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    expect_text(&mut viewer, "你好\n");
    assert_eq!(viewer.messages[0].value["encoding"], "GBK", "hello says so");
    assert_eq!(viewer.messages[0].value["redacted"], false);
    // A character that comes in two writes.
    append(&path, &WORLD[..3]);
    append(&path, &WORLD[3..]);
    expect_text(&mut viewer, "你好\n世界\n");
    let mut resumed =
        Viewer::connect(server.addr(), &format!("/tail/app.log?from={}", viewer.cursor.unwrap()));
    append(&path, HELLO);
    expect_text(&mut resumed, "你好\n");
    let url = format!("{}tail/app.log", server.url());
    let cat =
        wiretail().args(["cat", &url, "--no-follow", "-n", "2"]).stderr(Stdio::null()).output().unwrap();
    assert_eq!(String::from_utf8(cat.stdout).unwrap(), "世界\n你好\n");
}

#[test]
fn a_byte_order_mark_is_believed_and_not_shown() {
    let text: Vec<u8> =
        "\u{feff}one\n\u{10a0d}\u{1f600}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (_folder, path, server) = serve(&text, &[]);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    expect_text(&mut viewer, "one\n\u{10a0d}\u{1f600}\n");
    assert_eq!(viewer.messages[0].value["encoding"], "UTF-16LE");
    let mut last = Viewer::connect(server.addr(), "/tail/app.log?lines=1");
    expect_text(&mut last, "\u{10a0d}\u{1f600}\n");
    for byte in "two\u{1f600}\n".encode_utf16().flat_map(u16::to_le_bytes) {
        append(&path, &[byte]);
    }
    expect_text(&mut viewer, "one\n\u{10a0d}\u{1f600}\ntwo\u{1f600}\n");
}

#[test]
fn a_secret_leaves_by_no_way_however_it_is_written() {
    let (_folder, path, server) = serve(b"login token=abc123 ok\n", &["--redact", "token=[a-z0-9]+"]);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    expect_text(&mut viewer, "login █████ ok\n");
    assert_eq!(viewer.messages[0].value["redacted"], true);
    let (status, _, body) = support::ws::http_get(server.addr(), "/raw/app.log", &[]);
    assert!(status == 403 && !String::from_utf8_lossy(&body).contains("abc"), "its bytes are not to be had");
    let (status, _, body) = support::ws::http_get(server.addr(), "/tail/app.log", &[]);
    assert_eq!((status, String::from_utf8(body).unwrap()), (200, "login █████ ok\n".to_owned()), "a poll");
    let mut plain = Raw::connect(server.addr(), "/tail/app.log?lines=0");
    // Whoever asks for the secret, byte by byte, learns that it is not there; for what is shown, that it is.
    let mut asking = Viewer::connect(server.addr(), "/tail/app.log?grep=token&lines=10");
    let mut masked = Viewer::connect(server.addr(), "/tail/app.log?grep=█&lines=10");
    for byte in b"again token=xyz789 ok\n" {
        append(&path, &[*byte]);
        // Far longer than half a line waits where nothing is masked, for some of the bytes.
        if byte.is_ascii_digit() {
            thread::sleep(Duration::from_millis(150));
        }
    }
    expect_text(&mut viewer, "login █████ ok\nagain █████ ok\n");
    assert_eq!(plain.read_text(), "again █████ ok\n");
    expect_text(&mut masked, "login █████ ok\nagain █████ ok\n");
    append(&path, b"no secret, but the word: token\n");
    expect_text(&mut asking, "no secret, but the word: token\n");
    viewer.raw.send_text(
        r#"{"search":{"id":1,"grep":["abc|xyz|ok"],"not":[],"ignore_case":false,"words":false,"literal":false,"most":10}}"#,
    );
    let hits = viewer.wait_for("hits", SOON);
    assert!(!hits.value.to_string().contains("abc") && !hits.value.to_string().contains("xyz"), "{hits:?}");
    assert!(hits.value.to_string().contains("█████ ok"), "{hits:?}");
}

#[test]
fn a_log_that_does_not_exist_yet_is_said_to_be_read_as_it_will_be() {
    let folder = temp_dir();
    let path = folder.path().join("later.log");
    let server = Server::start(&["--redact", "token", "--encoding", "gbk", path.to_str().unwrap()]);
    let mut viewer = Viewer::connect(server.addr(), "/tail/later.log");
    let hello = viewer.wait_for("hello", SOON);
    assert_eq!((&hello.value["encoding"], &hello.value["redacted"]), (&"GBK".into(), &true.into()));
}

#[test]
fn a_cursor_inside_of_a_secret_shows_none_of_it() {
    // The same log, once open: that is where cursors into the middle of its lines come from. They are none any more.
    let line = b"user=7 token=abc123 ok\n";
    for at in 1..line.len() {
        let (_folder, path, server) = serve(&line[..at], &[]);
        let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
        viewer.lines_until(|lines| !lines.is_empty(), SOON);
        let cursor = viewer.cursor.clone().unwrap();
        assert!(cursor.ends_with(&format!(".{at:x}")), "{cursor} lies at {at}");
        drop(server);
        append(&path, &line[at..]);
        let server = Server::start(&["--redact", "token=[a-z0-9]+", path.to_str().unwrap()]);
        let mut viewer = Viewer::connect(server.addr(), &format!("/tail/app.log?from={cursor}"));
        expect_text(&mut viewer, "user=7 █████ ok\n");
    }
}

#[test]
fn cursors_into_a_masked_log_tell_nothing_and_outlive_the_server() {
    let (_folder, path, server) = serve(b"pin=1234\n", &[]);
    let cursor_of = |server: &Server| {
        let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
        viewer.lines_until(|lines| !lines.is_empty(), SOON);
        viewer.cursor.unwrap()
    };
    let open = cursor_of(&server);
    drop(server);
    let masked = ["--redact", "pin=[0-9]+", path.to_str().unwrap()];
    let server = Server::start(&masked);
    let sealed = cursor_of(&server);
    let parts = |cursor: &str| cursor.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (open_parts, sealed_parts) = (parts(&open), parts(&sealed));
    assert_eq!((&open_parts[0], &open_parts[3]), (&sealed_parts[0], &sealed_parts[3]), "the same place");
    assert_ne!(open_parts[1], sealed_parts[1], "what anybody could make of the first bytes");
    assert_ne!(open_parts[2], sealed_parts[2], "... and of those before it");
    // What anybody can make is no cursor here, whether it guesses right or wrong.
    let mut guessing = Viewer::connect(server.addr(), &format!("/tail/app.log?from={open}"));
    guessing.wait_for("gap", SOON);
    drop(server);
    append(&path, b"pin=5678\n");
    let server = Server::start(&masked);
    let mut back = Viewer::connect(server.addr(), &format!("/tail/app.log?from={sealed}"));
    back.lines_until(|lines| !lines.is_empty(), SOON);
    // Without an id of the host, the key is another one after each start.
    let known = fs::read("/etc/machine-id").is_ok_and(|id| id.trim_ascii().len() >= 32);
    assert_eq!(back.count("gap"), usize::from(!known), "{:?}", back.messages);
}

#[test]
fn a_line_of_256_mib_does_no_harm() {
    let (_folder, path, server) = serve(b"one\n", &["--redact", "secret"]);
    let mut viewer = Viewer::connect(server.addr(), "/tail/app.log");
    expect_text(&mut viewer, "one\n");
    for _ in 0..4 {
        append(&path, &vec![b'x'; 64 << 20]);
    }
    append(&path, b" secret\ntwo\n");
    viewer.lines_until(|lines| lines.last() == Some(&"two"), SOON * 6);
    assert_eq!(viewer.text, "one\n█████\ntwo\n", "what is too long to be judged is masked");
    let peak = support::process::peak_rss_bytes(server.pid());
    assert!(peak < 48 << 20, "{peak} bytes of memory");
}

#[test]
fn a_line_of_256_mib_that_is_not_masked_passes_and_nobody_else_waits() {
    a_line_without_end(256);
}

#[test]
#[ignore = "takes a minute and 1 GiB of disk"]
fn a_line_of_1_gib_that_is_not_masked_passes_and_nobody_else_waits() {
    a_line_without_end(1024);
}

/// A line of so many MiB grows under a browser and `wiretail cat`, and lines of another log come in between.
fn a_line_without_end(mib: usize) {
    let folder = temp_dir();
    let (path, other) = (folder.path().join("app.log"), folder.path().join("other.log"));
    fs::write(&path, b"one\n").unwrap();
    fs::write(&other, b"").unwrap();
    let server = Server::start(&[folder.path().to_str().unwrap()]);
    let (addr, len) = (server.addr(), (mib << 20) + "\nend\n".len());
    let mut browser = Raw::connect(addr, "/tail/app.log?lines=0");
    let watched = thread::spawn(move || {
        let mut seen = 0;
        while seen < len {
            let text = browser.read_text();
            seen += text.len();
            assert_eq!(text.ends_with("end\n"), seen == len, "{seen} bytes of {len}");
        }
    });
    let url = format!("{}tail/app.log", server.url());
    let mut cat = wiretail()
        .args(["cat", &url, "-n", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (cat_pid, mut printed) = (cat.id(), cat.stdout.take().unwrap());
    // It has begun before the long line has.
    let mut one = [0; 4];
    printed.read_exact(&mut one).unwrap();
    assert_eq!(&one, b"one\n");
    let printed = thread::spawn(move || {
        let (mut seen, mut block, mut has_ended) = (0, vec![0; 64 * 1024], false);
        while !has_ended {
            let read = printed.read(&mut block).unwrap();
            assert_ne!(read, 0, "cat went on its own, after {seen} bytes");
            seen += read;
            has_ended = block[..read].ends_with(b"\n") && seen > len - 4;
            assert!(seen <= len);
        }
        assert_eq!(seen, len);
    });
    let mut viewer = Viewer::connect(addr, "/tail/other.log");
    viewer.wait_for("hello", SOON);
    let (block, mut delays) = (vec![b'x'; 1 << 20], Vec::new());
    for round in 0..mib / 4 {
        (0..4).for_each(|_| append(&path, &block));
        let asked = Instant::now();
        append(&other, b"line\n");
        viewer.lines_until(|lines| lines.len() > round, SOON);
        delays.push(asked.elapsed());
    }
    append(&path, b"\nend\n");
    for reader in [watched, printed] {
        until("all of the line", SOON * 24, || reader.is_finished().then_some(()));
        reader.join().unwrap();
    }
    let peaks = [server.pid(), cat_pid].map(support::process::peak_rss_bytes);
    cat.kill().unwrap();
    cat.wait().unwrap();
    delays.sort_unstable();
    let (median, slowest) = (delays[delays.len() / 2], delays[delays.len() - 1]);
    println!(
        "peaks of server and cat: {peaks:?}; the other log's lines took {median:?}, at most {slowest:?}"
    );
    assert!(peaks.iter().all(|&peak| peak < 48 << 20), "{peaks:?} bytes of memory");
    assert!(median < Duration::from_millis(250), "half of the other log's lines took more than {median:?}");
}

#[test]
fn a_configuration_file_says_it_for_each_log() {
    let folder = temp_dir();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a.log"), b"key=1\n").unwrap();
    fs::write(at("b.log"), HELLO).unwrap();
    fs::write(at("w.toml"), "[server]\nlines = 5\n[[log]]\npath = 'a.log'\nname = 'shop'\nredact = ['key=\\d']\n[[log]]\npath = 'b.log'\nencoding = 'gbk'\n").unwrap();
    let config = at("w.toml").display().to_string();
    let check = wiretail().args(["check", "-c", &config]).output().unwrap();
    let said = String::from_utf8(check.stdout).unwrap();
    assert!(check.status.success() && said.contains("shop") && said.contains("UTF-8, redacted"), "{said}");
    assert!(said.lines().any(|line| line.starts_with("b.log") && line.contains("GBK")), "{said}");
    // The folder of both on the command line: what one source redacts, none shows that does not.
    let server = Server::start(&["-c", &config, folder.path().to_str().unwrap()]);
    expect_text(&mut Viewer::connect(server.addr(), "/tail/shop"), "█████\n");
    let (status, ..) = support::ws::http_get(server.addr(), "/tail/a.log", &[]);
    assert_eq!(status, 404, "by no other name");
}

#[test]
fn what_lies_beside_a_masked_log_is_not_shown_and_that_is_said() {
    let folder = temp_dir();
    for name in ["app.log", "app.log.1", "app.log.save", "other.log"] {
        fs::write(folder.path().join(name), b"key=1\n").unwrap();
    }
    let config = folder.path().join("w.toml");
    fs::write(&config, "[[log]]\npath = 'app.log'\nredact = ['key=\\d']\n").unwrap();
    let args = ["-c", config.to_str().unwrap(), &folder.path().join("*log*").display().to_string()];
    let check = wiretail().arg("check").args(args).output().unwrap();
    let checked = String::from_utf8(check.stdout).unwrap();
    let mut serve = Server::command(&args).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(serve.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = said.next().unwrap();
    let started: Vec<String> = said.by_ref().take(5).collect();
    let addr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    for (name, status) in [("app.log", 200), ("other.log", 200), ("app.log.1", 404), ("app.log.save", 404)] {
        let (got, _, body) = support::ws::http_get(addr, &format!("/tail/{name}"), &[]);
        assert_eq!(got, status, "{name}");
        assert_eq!(String::from_utf8_lossy(&body).contains("key="), name == "other.log", "{name}");
        let withheld = |line: &str| line.contains(&format!("/{name}\"")) && line.contains("not shown");
        // The folder finds the masked log as well, and does not show it as it is.
        assert_eq!(checked.lines().any(withheld), name != "other.log", "{name}: {checked}");
        assert_eq!(started.iter().any(|line| withheld(line)), name != "other.log", "{name}: {started:?}");
    }
    serve.kill().unwrap();
    serve.wait().unwrap();
}

#[test]
fn what_a_masking_folder_may_not_list_is_shown_by_nobody() {
    let folder = temp_dir();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("app.log"), b"key=1\n").unwrap();
    symlink("logs", folder.path().join("link")).unwrap();
    // It may be gone through, and not be listed.
    fs::set_permissions(&logs, fs::Permissions::from_mode(0o311)).unwrap();
    let config = folder.path().join("w.toml");
    fs::write(&config, "[[log]]\npath = 'logs/*.log'\nredact = ['key=\\d']\n").unwrap();
    for (named, status) in [("logs/app.log", 404), ("link/app.log", 404)] {
        let named = folder.path().join(named);
        let server = Server::spawn(unprivileged(&["-c", config.to_str().unwrap(), named.to_str().unwrap()]));
        let (got, ..) = support::ws::http_get(server.addr(), "/tail/app.log", &[]);
        assert_eq!(got, status, "{}", named.display());
    }
    fs::set_permissions(&logs, fs::Permissions::from_mode(0o755)).unwrap();
    let server = Server::spawn(unprivileged(&["-c", config.to_str().unwrap()]));
    expect_text(&mut Viewer::connect(server.addr(), "/tail/app.log"), "█████\n");
}

#[test]
fn a_check_says_what_would_be_served_and_fails_where_serving_would() {
    let folder = temp_dir();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let check = |sources: &[&str]| {
        let output = wiretail().arg("check").args(sources).current_dir(folder.path()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    };
    assert_eq!(
        check(&[]),
        (0, "No logs are named; a demo log that writes itself would be served.\n".to_owned())
    );
    assert_eq!(
        check(&["-", "*.log"]),
        (0, "stdin  standard input  UTF-8\n\"*.log\"  nothing there yet\n".to_owned())
    );
    let (code, said) = check(&["empty/", "later.log"]);
    assert!(code == 0 && said.contains("later.log  ") && said.contains("does not exist yet"), "{said}");
    assert!(said.ends_with("\"empty/\"  nothing there yet\n"), "{said}");
    let (code, said) = check(&["/dev/null"]);
    assert!(code == 1 && said.contains("/dev/null: it cannot be served: it is a device"), "{said}");
}

#[test]
fn a_mistake_in_the_configuration_is_one_sentence_that_names_its_place() {
    let folder = temp_dir();
    let path = folder.path().join("w.toml");
    for (text, line, word) in [
        ("[server]\nporto = 1\n", 2, "did you mean port?"),
        ("[server]\nbase = 'x'\n", 2, "base = x"),
        ("[server]\ntick = '1h'\n", 2, "tick = 1h"),
        ("[server]\nhost = '0.0.0.0'\n", 2, "--open-to-network"),
        ("[[log]]\npath = 'a'\nencoding = 'utf-9'\n", 3, "\"utf-9\" is no encoding"),
        ("[[log]]\npath = 'a'\nredact = [\n  'fine',\n  '(',\n]\n", 5, "\"(\" cannot be used"),
        ("[[log]]\npath = 'a'\nname = '../a'\n", 3, "name = ../a"),
    ] {
        fs::write(&path, text).unwrap();
        for command in ["check", "serve"] {
            let output = wiretail().args([command, "-c", path.to_str().unwrap()]).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{text}: {said}");
            assert!(
                said.contains(&format!("w.toml, line {line}: ")) && said.contains(word),
                "{text}: {said}"
            );
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
}
