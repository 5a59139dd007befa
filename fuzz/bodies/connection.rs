//! A whole conversation: every cutting of what the peer sends gives the same events and the same output, nothing
//! comes after the end, the output is bounded by the input, and the other role understands all of it.

use wiretail::ws::{Closed, ClosedBy, Connection, Event, Input, Limits, MaskKeys, Message};

use super::cuttings;

const TIGHT: Limits = Limits { message: 64, fragments: 3 };

/// Which side we play.
#[derive(Clone, Copy, Debug)]
enum Role {
    Server,
    Client,
}

/// What one conversation came to. Events are kept as text: lent and owned ones read the same.
#[derive(Debug, PartialEq)]
struct Outcome {
    heard: Vec<String>,
    closed: Option<Closed>,
    output: Vec<u8>,
}

/// Has `data` said to an echoing server with wide and with tight limits, and to a client.
pub fn run(data: &[u8]) {
    for (role, limits) in
        [(Role::Server, Limits::echo()), (Role::Server, TIGHT), (Role::Client, Limits::default())]
    {
        let outcomes: Vec<Outcome> = cuttings(data).iter().map(|pieces| talk(role, limits, pieces)).collect();
        for other in &outcomes[1..] {
            assert_eq!(&outcomes[0], other, "the cutting made a difference to {role:?}");
        }
        check_output(role, data, &outcomes[0]);
    }
}

fn talk(role: Role, limits: Limits, pieces: &[&[u8]]) -> Outcome {
    let mut connection = open(role, limits);
    let mut outcome = Outcome { heard: Vec::new(), closed: None, output: Vec::new() };
    for piece in pieces {
        let mut bytes = piece.to_vec();
        let mut input = Input::new(&mut bytes);
        let before = outcome.output.len();
        while let Some(event) = connection.receive(&mut input, &mut outcome.output) {
            assert_eq!(outcome.closed, None, "{event:?} after the end");
            take(&mut connection, event, &mut outcome, limits);
        }
        assert!(input.is_empty(), "all is read");
        if outcome.closed.is_some() {
            // The end may have come with this piece, but nothing is said after it.
            outcome.heard.push(String::new());
            let said = outcome.output.len();
            connection.send_text("too late", &mut outcome.output);
            connection.send_ping(b"too late", &mut outcome.output);
            assert_eq!(outcome.output.len(), said, "said after the end");
            outcome.heard.pop();
        } else {
            assert!(outcome.output.len() >= before);
        }
    }
    match (connection.receive_eof(), &outcome.closed) {
        (Some(Event::Closed(closed)), None) => {
            assert_eq!(closed.by, ClosedBy::Lost);
            outcome.closed = Some(closed);
        }
        (None, Some(_)) => {}
        other => panic!("the end comes exactly once, not {other:?}"),
    }
    assert!(connection.is_over() && !connection.may_send());
    outcome
}

fn open(role: Role, limits: Limits) -> Connection {
    match role {
        Role::Server => Connection::server(limits),
        Role::Client => Connection::client(limits, MaskKeys::new([7; 32])),
    }
}

/// Notes an event, and echoes messages.
fn take(connection: &mut Connection, event: Event<'_>, outcome: &mut Outcome, limits: Limits) {
    match event {
        Event::Message(message) => {
            outcome.heard.push(format!("{message:?}"));
            match message {
                Message::Text(text) => {
                    assert!(text.len() <= limits.message);
                    connection.send_text(&text, &mut outcome.output);
                }
                Message::Binary(bytes) => {
                    assert!(bytes.len() <= limits.message);
                    connection.send_binary(&bytes, &mut outcome.output);
                }
            }
        }
        Event::Ping(payload) => {
            assert!(payload.len() <= 125);
            outcome.heard.push(format!("pong {payload:?}"));
        }
        Event::Pong(payload) => assert!(payload.len() <= 125),
        Event::Closed(closed) => outcome.closed = Some(closed),
    }
}

/// The output is no longer than what was received allows, and the other role hears in it the echoes, the pongs and the
/// close, and no error.
fn check_output(role: Role, data: &[u8], outcome: &Outcome) {
    let (other, most) = match role {
        // Each frame of ours answers one that had a mask key more; and there is one close frame.
        Role::Server => (Role::Client, data.len() + 127),
        // A key of four bytes more on frames of two bytes or more; and one close frame.
        Role::Client => (Role::Server, data.len() * 3 + 131),
    };
    assert!(outcome.output.len() <= most, "{} bytes for {}", outcome.output.len(), data.len());

    let mut listener = open(other, Limits::echo());
    let (mut bytes, mut answers) = (outcome.output.clone(), Vec::new());
    let mut input = Input::new(&mut bytes);
    let (mut heard, mut end) = (Vec::new(), None);
    while let Some(event) = listener.receive(&mut input, &mut answers) {
        match event {
            Event::Message(message) => heard.push(format!("{message:?}")),
            Event::Pong(payload) => heard.push(format!("pong {payload:?}")),
            Event::Ping(payload) => panic!("nobody asked for a ping: {payload:?}"),
            Event::Closed(closed) => end = Some(closed),
        }
    }
    assert_eq!(heard, outcome.heard);
    let by = outcome.closed.as_ref().map(|closed| closed.by);
    match (by, end) {
        // We never close first, so there is no other way.
        (Some(ClosedBy::Lost), None) => {}
        (Some(ClosedBy::Peer), Some(closed)) => assert_eq!(closed.by, ClosedBy::Peer),
        (Some(ClosedBy::Failure(error)), Some(closed)) => {
            assert_eq!((closed.by, closed.code), (ClosedBy::Peer, Some(error.close_code())));
        }
        other => panic!("the close frame and the verdict differ: {other:?}"),
    }
}
