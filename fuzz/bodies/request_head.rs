//! A stream of requests, some with bodies: every cutting gives the same requests and the same refusal.

use wiretail::http::{Request, RequestReader, Status};
use wiretail::ws::handshake;

use super::cuttings;

/// The longest body that a `POST` may have here; other methods may have none.
const MOST: usize = 100;

/// What came out of the bytes.
#[derive(Debug, PartialEq)]
struct Outcome {
    requests: Vec<Request>,
    /// Where each of them ended.
    ends: Vec<usize>,
    refused: Option<Status>,
}

/// Reads `data` as one request after another, as a server does with a connection that stays open.
pub fn run(data: &[u8]) {
    let outcomes: Vec<Outcome> = cuttings(data).iter().map(|pieces| read(pieces)).collect();
    for other in &outcomes[1..] {
        assert_eq!(&outcomes[0], other, "the cutting made a difference");
    }
    let mut start = 0;
    for (request, &end) in outcomes[0].requests.iter().zip(&outcomes[0].ends) {
        check(request, &data[start..end]);
        start = end;
    }
    if let Some(status) = outcomes[0].refused {
        assert!((400..600).contains(&status.0), "{status:?} is no refusal");
    }
}

fn read(pieces: &[&[u8]]) -> Outcome {
    let mut reader = RequestReader::new();
    let mut outcome = Outcome { requests: Vec::new(), ends: Vec::new(), refused: None };
    let mut at = 0;
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            match reader.receive_with_body(rest, most) {
                Ok(None) => {
                    at += rest.len();
                    assert!(reader.started() && reader.memory() <= 2 * (8192 + MOST), "{}", reader.memory());
                    break;
                }
                Ok(Some((request, used))) => {
                    assert!(0 < used && used <= rest.len(), "used {used} of {} bytes", rest.len());
                    at += used;
                    rest = &rest[used..];
                    outcome.requests.push(request);
                    outcome.ends.push(at);
                    assert!(!reader.started(), "the reader is ready for the next request");
                }
                Err(refusal) => {
                    assert_eq!(
                        reader.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
                        Err(refusal),
                        "for ever"
                    );
                    outcome.refused = Some(refusal.status());
                    return outcome;
                }
            }
        }
    }
    outcome
}

fn most(request: &Request) -> usize {
    if request.method() == "POST" { MOST } else { 0 }
}

/// What holds for every request that gets through.
fn check(request: &Request, bytes: &[u8]) {
    // The naive twin of the reader: a head ends with the first empty line that has a line before it.
    let lines = bytes.iter().position(|byte| !b"\r\n".contains(byte)).expect("a head has a start line");
    let end = bytes[lines..].windows(4).position(|four| four == b"\r\n\r\n").expect("a head ends");
    let (head, rest) = bytes.split_at(lines + end + 4);
    assert!(head.len() <= 8192, "a head of {} bytes was taken", head.len());
    assert!(request.body().len() <= most(request), "a body of {} bytes was taken", request.body().len());
    let (length, coding) = (request.field("Content-Length"), request.field("Transfer-Encoding"));
    match (length, request.fields("Transfer-Encoding").next()) {
        (Some(_), Some(_)) => panic!("a length beside {coding:?} was taken"),
        (_, None) => {
            assert_eq!(length.map_or(0, |length| length.parse().expect("a number")), rest.len());
            assert_eq!(request.body(), rest);
        }
        (None, Some(_)) => assert_eq!(request.body(), unchunked(rest)),
    }
    assert!(request.path().len() <= request.target().len());
    if let Some(segments) = request.segments() {
        assert!(segments.iter().all(|segment| !segment.contains('\0')), "NUL in {segments:?}");
    }
    let breaks = |text: &str| text.bytes().any(|byte| byte == b'\r' || byte == b'\n' || byte == 0);
    assert!(!breaks(request.method()) && !breaks(request.target()) && !breaks(request.host()));
    match handshake::accept(request) {
        Ok(mut upgrade) => {
            if let Some(first) = upgrade.protocols().first().cloned() {
                assert!(upgrade.choose_protocol(&first), "what is offered may be chosen");
            }
            let response = upgrade.response();
            assert!(response.starts_with(b"HTTP/1.1 101 ") && response.ends_with(b"\r\n\r\n"));
            let empty_lines = response.windows(4).filter(|four| four == b"\r\n\r\n").count();
            assert_eq!(empty_lines, 1, "what the client said ended our head early");
            assert!(handshake::is_upgrade(request), "what is accepted was asked for");
        }
        Err(refusal) => assert!((400..600).contains(&refusal.status().0), "{refusal:?}"),
    }
}

/// The naive twin of the reader of chunks, for a body that is whole.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").expect("a size ends with its line");
        let line = std::str::from_utf8(rest[..end].split(|&byte| byte == b';').next().unwrap_or_default());
        let size = usize::from_str_radix(line.expect("digits"), 16).expect("a size");
        rest = &rest[end + 2..];
        if size == 0 {
            break;
        }
        body.extend_from_slice(&rest[..size]);
        assert_eq!(rest[size..size + 2], *b"\r\n");
        rest = &rest[size + 2..];
    }
    let end = if rest.starts_with(b"\r\n") { 2 } else { 4 };
    let trailers = rest.windows(end).position(|window| window == &b"\r\n\r\n"[..end]);
    assert_eq!(trailers.expect("the trailers end with an empty line") + end, rest.len());
    body
}
