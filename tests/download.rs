//! `/raw/NAME` through the door: whole files, parts of them, and readers who are slow, absent or cut off.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use support::ws::{Fields, Raw, http, http_get};
use support::{SOON, Server, TempDir, open_files, rss_bytes, temp_dir, until};

/// A server of `app.log`, which holds these bytes.
fn serving(bytes: &[u8]) -> (Server, PathBuf, TempDir) {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    fs::write(&path, bytes).unwrap();
    (Server::start(&[path.to_str().unwrap()]), path, folder)
}

/// Not one repetition in a block of a size that anybody reads at once.
fn many_bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

fn part(server: &Server, range: &str) -> (u16, Fields, Vec<u8>) {
    http_get(server.addr(), "/raw/app.log", &[("Range", range)])
}

#[test]
fn a_file_is_sent_as_it_is_whatever_is_in_it() {
    let bytes = many_bytes(3_000_001);
    let (server, _path, _folder) = serving(&bytes);
    let (status, fields, body) = http_get(server.addr(), "/raw/app.log", &[]);
    assert_eq!((status, fields.get("Content-Type")), (200, Some("application/octet-stream")));
    assert_eq!(fields.get("Content-Disposition"), Some("attachment; filename*=UTF-8''app.log"));
    assert_eq!(fields.get("X-Content-Type-Options"), Some("nosniff"));
    assert!(body == bytes, "{} bytes came", body.len());
    let (status, fields, body) = http(server.addr(), "HEAD", "/raw/app.log", &[]);
    assert_eq!((status, fields.get("Content-Length"), body.len()), (200, Some("3000001"), 0));
}

#[test]
fn an_empty_file_is_nothing_and_that_is_said() {
    let (server, _path, _folder) = serving(b"");
    let (status, fields, body) = http_get(server.addr(), "/raw/app.log", &[]);
    assert_eq!((status, fields.get("Content-Length"), body.len()), (200, Some("0"), 0));
    assert_eq!(part(&server, "bytes=0-").0, 416);
}

#[test]
fn parts_put_together_are_the_whole() {
    let bytes = many_bytes(200_000);
    let (server, _path, _folder) = serving(&bytes);
    let mut together = Vec::new();
    for first in (0..bytes.len()).step_by(70_000) {
        let last = first + 69_999;
        let (status, fields, body) = part(&server, &format!("bytes={first}-{last}"));
        let last = last.min(bytes.len() - 1);
        assert_eq!(
            (status, fields.get("Content-Range")),
            (206, Some(&*format!("bytes {first}-{last}/200000")))
        );
        together.extend(body);
    }
    assert!(together == bytes);
    assert!(part(&server, "bytes=-5").2 == bytes[199_995..]);
    let (status, fields, _) = part(&server, "bytes=200000-");
    assert_eq!((status, fields.get("Content-Range")), (416, Some("bytes */200000")));
    // What needs no heed gets the whole: several parts, other units, a part of something that was.
    for fields in [
        &[("Range", "bytes=0-1,5-6")][..],
        &[("Range", "lines=1-2")],
        &[("Range", "bytes=0-1"), ("If-Range", "\"x\"")],
    ] {
        let (status, _, body) = http_get(server.addr(), "/raw/app.log", fields);
        assert_eq!((status, body.len()), (200, 200_000), "{fields:?}");
    }
}

#[test]
fn a_connection_goes_on_behind_a_download() {
    let bytes = many_bytes(500_000);
    let (server, _path, _folder) = serving(&bytes);
    let mut raw = Raw::open(server.addr());
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw.send_raw((ask("/raw/app.log") + &ask("/healthz") + &ask("/raw/app.log")).as_bytes());
    for wanted in [&bytes[..], b"ok\n", &bytes] {
        let head = raw.read_head();
        assert_eq!((head.status, head.fields.get("Content-Length")), (200, Some(&*wanted.len().to_string())));
        assert!(raw.read_exactly(wanted.len()) == wanted);
    }
}

#[test]
fn only_what_is_listed_can_be_had() {
    let (server, _path, folder) = serving(b"x");
    fs::write(folder.path().join("secret"), "y").unwrap();
    for path in
        ["/raw/", "/raw/secret", "/raw/../secret", "/raw/%2e%2e/app.log", "/raw/app.log/", "/raw//app.log"]
    {
        let (status, _, body) = http_get(server.addr(), path, &[]);
        assert!(status == 404 || status == 400, "{path}: {status}, {}", String::from_utf8_lossy(&body));
    }
    let (status, _, _) = http_get(server.addr(), "/raw/app.log", &[("Origin", "http://evil.example")]);
    assert_eq!(status, 403);
    let (status, fields, _) = http(server.addr(), "POST", "/raw/app.log", &[]);
    assert_eq!((status, fields.get("Allow")), (405, Some("GET, HEAD")));
}

#[test]
fn a_file_that_goes_away_is_read_to_its_end_and_one_that_is_cut_breaks_off() {
    let bytes = many_bytes(50 << 20);
    let (server, path, _folder) = serving(&bytes);
    let mut gone = Raw::get(server.addr(), "/raw/app.log");
    assert_eq!(gone.read_head().status, 200);
    fs::remove_file(&path).unwrap();
    assert!(gone.read_to_eof() == bytes);
    fs::write(&path, &bytes).unwrap();
    let mut cut = Raw::get(server.addr(), "/raw/app.log");
    assert_eq!(cut.read_head().fields.get("Content-Length"), Some("52428800"));
    File::options().write(true).open(&path).unwrap().set_len(1000).unwrap();
    let got = cut.read_to_eof();
    assert!(got.len() < bytes.len() && bytes.starts_with(&got), "{} bytes", got.len());
}

#[test]
fn readers_who_take_nothing_cost_a_block_each_and_their_file_when_they_go() {
    let bytes = many_bytes(8 << 20);
    let (server, path, _folder) = serving(&bytes);
    let before = rss_bytes(server.pid());
    let readers: Vec<Raw> = (0..100).map(|_| Raw::get(server.addr(), "/raw/app.log")).collect();
    let count = |server: &Server| open_files(server.pid()).iter().filter(|open| **open == path).count();
    until("every reader's file to be open", SOON, || (count(&server) == 100).then_some(()));
    let grown = rss_bytes(server.pid()).saturating_sub(before);
    assert!(grown < 100 * 3 * 64 * 1024, "{grown} bytes for a hundred readers");
    drop(readers);
    until("the files to be closed", SOON, || (count(&server) == 0).then_some(()));
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
    assert_eq!(http_get(server.addr(), "/raw/app.log", &[("Range", "bytes=8388608-")]).2, b"more");
}
