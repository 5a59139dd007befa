//! A stream of request heads: every cutting gives the same requests and the same refusal.

use wiretail::http::{Request, RequestReader, Status};
use wiretail::ws::handshake;

use super::cuttings;

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
            match reader.receive(rest) {
                Ok(None) => {
                    at += rest.len();
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

/// What holds for every request that gets through.
fn check(request: &Request, head: &[u8]) {
    assert!(head.len() <= 8192, "a head of {} bytes was taken", head.len());
    // The naive twin of the reader: a head ends with the first empty line that has a line before it.
    let lines = head.iter().position(|byte| !b"\r\n".contains(byte)).expect("a head has a start line");
    let end = head[lines..].windows(4).position(|four| four == b"\r\n\r\n").expect("a head ends");
    assert_eq!(lines + end + 4, head.len());
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
