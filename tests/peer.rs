//! The tests' own WebSocket peer, tried on a server that answers from a script: a test is worth as much as what it
//! hears with.
#![cfg(feature = "tool")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use support::v1::Viewer;
use support::ws::{self, NO_CODE, Raw, TEXT};
use support::{SOON, until};

/// The answer of RFC 6455 §1.3, to the key that our peer always sends.
const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// Accepts one connection, reads its head, writes `answer`, closes, and returns what it read.
fn scripted(answer: Vec<u8>) -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("bound");
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("our peer connects");
        stream.set_read_timeout(Some(SOON)).expect("a socket option");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a head");
            head.extend(byte);
        }
        stream.write_all(&answer).expect("our peer reads");
        head
    });
    (addr, thread)
}

#[test]
fn it_shakes_hands_and_reads_frames_of_every_length_form() {
    let mut answer = format!("{ACCEPTED}\r\n").into_bytes();
    answer.extend([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]); // "Hello" (RFC 6455 §5.7)
    answer.extend([0x82, 0x7e, 0x01, 0x00].into_iter().chain([1; 256]));
    answer.extend([0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0].into_iter().chain([2; 65536]));
    answer.extend([0x88, 0x02, 0x03, 0xe8]);
    let (addr, server) = scripted(answer);

    let mut raw = Raw::connect(addr, "/ws/echo?x=1");
    assert_eq!(raw.read_frame(), (TEXT, b"Hello".to_vec()));
    assert_eq!(raw.read_frame(), (0x82, vec![1; 256]));
    assert_eq!(raw.read_frame(), (0x82, vec![2; 65536]));
    assert_eq!(raw.expect_close(1000), "");
    raw.expect_eof();

    let head = String::from_utf8(server.join().expect("the script ran")).expect("text");
    assert!(head.starts_with("GET /ws/echo?x=1 HTTP/1.1\r\n"), "{head}");
    assert_eq!(head.matches("Host: ").count(), 1);
}

#[test]
fn it_masks_as_in_the_examples_of_the_rfc() {
    // RFC 6455 §5.7: "A single-frame masked text message".
    assert_eq!(ws::frame(TEXT, b"Hello"), [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    assert_eq!(ws::frame(TEXT, &[0; 126])[..4], [0x81, 0xfe, 0, 126]);
    assert_eq!(ws::frame(TEXT, &[0; 65536])[..10], [0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]);
}

#[test]
#[should_panic(expected = "MUST NOT mask")]
fn it_refuses_a_masked_frame() {
    let mut answer = format!("{ACCEPTED}\r\n").into_bytes();
    answer.extend(ws::frame(TEXT, b"Hello"));
    let (addr, _server) = scripted(answer);
    Raw::connect(addr, "/").read_frame();
}

#[test]
#[should_panic(expected = "minimal number of bytes")]
fn it_refuses_a_length_that_could_be_shorter() {
    let mut answer = format!("{ACCEPTED}\r\n").into_bytes();
    answer.extend([0x81, 0x7e, 0x00, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    let (addr, _server) = scripted(answer);
    Raw::connect(addr, "/").read_frame();
}

#[test]
fn a_viewer_gathers_the_text_and_remembers_its_place() {
    let mut answer = format!("{ACCEPTED}Sec-WebSocket-Protocol: wiretail.v1\r\n\r\n").into_bytes();
    let said = [
        r#"{"hello":{"name":"a","cursor":"c0"}}"#,
        "{\"lines\":{\"from\":\"c0\",\"to\":\"c1\",\"bytes\":5}}\none\nt",
        r#"{"behind":{"bytes":7}}"#,
        "{\"lines\":{\"from\":\"c1\",\"to\":\"c2\",\"bytes\":3}}\nwo\n",
    ];
    for message in said {
        answer.extend([0x81, u8::try_from(message.len()).expect("short")]);
        answer.extend(message.as_bytes());
    }
    answer.extend([0x88, 0x00]);
    let (addr, _server) = scripted(answer);

    let mut viewer = Viewer::connect(addr, "/tail/a?lines=2");
    assert_eq!(viewer.wait_for("hello", SOON).value["name"], "a");
    assert_eq!(viewer.lines_until(|lines| lines.len() == 2, SOON), ["one", "t"]);
    assert_eq!(viewer.cursor.as_deref(), Some("c1"));
    assert_eq!(viewer.lines_until(|lines| lines.contains(&"two"), SOON), ["one", "two"]);
    assert_eq!(viewer.cursor.as_deref(), Some("c2"));
    assert!(viewer.next(SOON).is_none());
    assert_eq!((viewer.closed, viewer.count("lines"), viewer.count("behind")), (Some(NO_CODE), 2, 1));
}

#[test]
fn it_reads_answers_with_and_without_a_length() {
    let (addr, _server) =
        scripted(b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello".to_vec());
    let (status, fields, body) = ws::http_get(addr, "/nothing", &[("Host", "evil.example")]);
    assert_eq!((status, fields.get("x-a"), body.as_slice()), (404, Some("b"), &b"hello"[..]));

    let (addr, server) = scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_vec());
    let (status, _, body) = ws::http(addr, "HEAD", "/", &[("Host", "evil.example")]);
    assert_eq!((status, body.len()), (200, 0));
    let head = String::from_utf8(server.join().expect("the script ran")).expect("text");
    assert_eq!(head, "HEAD / HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n");
}

#[test]
fn the_kernel_tells_about_this_very_process() {
    let folder = support::temp_dir();
    let path = folder.path().join("open.log");
    let pid = std::process::id();
    let file = std::fs::File::create(&path).expect("a file can be made");
    assert!(support::open_files(pid).contains(&path));
    drop(file);
    assert!(!support::open_files(pid).contains(&path));

    let before = support::rss_bytes(pid);
    let memory = vec![1_u8; 64 << 20];
    let grown = support::rss_bytes(pid) - before;
    assert!(grown > 60 << 20, "{grown} for {}", memory.len());

    let start = support::cpu_time(pid);
    until("some processor time", SOON, || {
        (0..1_000_000_u32).for_each(|n| assert_ne!(std::hint::black_box(n), u32::MAX));
        (support::cpu_time(pid) - start > Duration::from_millis(20)).then_some(())
    });
}
