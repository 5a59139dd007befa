//! A conversation with a peer that has written down beforehand all it will say: every cutting of it, and every budget
//! it is read with, gives the same events and the same output; nothing comes after the end; the output is bounded by
//! what was heard; and the other role understands all of it.

use wiretail::ws::deflate::Parameters;
use wiretail::ws::{Budget, Closed, ClosedBy, Connection, Event, Input, Limits, Message};

use super::cuttings;
use super::peers::{Role, open};

/// What became of the peer's first bytes, which open the conversation.
pub enum Opening {
    /// There is not enough of them yet.
    NotYet,
    /// There will be no conversation.
    Refused(String),
    /// It is open, with what was agreed on, and so many bytes of this piece belong to the opening.
    Open(Option<Parameters>, usize),
}

/// Our side before the conversation.
pub trait Opener {
    /// Takes the next piece, and puts what is to be answered into `greeting`.
    fn receive(&mut self, piece: &[u8], greeting: &mut Vec<u8>) -> Opening;
}

/// No opening: the conversation is open already.
pub struct Opened(pub Option<Parameters>);

impl Opener for Opened {
    fn receive(&mut self, _: &[u8], _: &mut Vec<u8>) -> Opening {
        Opening::Open(self.0, 0)
    }
}

/// How we talk.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub role: Role,
    pub limits: Limits,
}

/// What one conversation came to.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// What was said before the first frame.
    pub greeting: Vec<u8>,
    pub refused: Option<String>,
    pub agreed: Option<Parameters>,
    pub heard: Vec<Heard>,
    pub closed: Option<Closed>,
    /// What was said in frames.
    pub output: Vec<u8>,
}

/// An event that did not end it. Lent and owned ones are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

impl Heard {
    /// The same, kept. The end is not among them.
    pub fn keep(event: &Event<'_>) -> Self {
        match event {
            Event::Message(Message::Text(text)) => Self::Text(text.to_string()),
            Event::Message(Message::Binary(bytes)) => Self::Binary(bytes.to_vec()),
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Closed(closed) => panic!("{closed:?} is not heard but final"),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => bytes.len(),
        }
    }
}

/// Has `data` said to somebody who echoes, in every cutting, and checks what comes of it.
pub fn check<O: Opener>(opener: impl Fn() -> O, manner: Manner, data: &[u8]) -> Outcome {
    let mut outcomes = Vec::new();
    for (number, pieces) in cuttings(data).iter().enumerate() {
        // Some are read in small turns, as a server does that has others to serve.
        let budget = match number {
            0 | 1 => Budget { frames: usize::MAX, inflated: usize::MAX },
            _ => Budget { frames: number - 1, inflated: 500 },
        };
        outcomes.push(talk(opener(), manner, pieces, budget));
    }
    for other in &outcomes[1..] {
        assert_eq!(&outcomes[0], other, "the cutting made a difference to {manner:?}");
    }
    let outcome = outcomes.swap_remove(0);
    check_output(manner, data, &outcome);
    outcome
}

fn talk(mut opener: impl Opener, manner: Manner, pieces: &[&[u8]], budget: Budget) -> Outcome {
    let mut outcome = Outcome::default();
    let mut connection = None;
    for piece in [&[][..]].iter().chain(pieces) {
        let mut bytes = piece.to_vec();
        let mut start = 0;
        if connection.is_none() {
            match opener.receive(&bytes, &mut outcome.greeting) {
                Opening::NotYet => continue,
                Opening::Refused(why) => {
                    outcome.refused = Some(why);
                    return outcome;
                }
                Opening::Open(agreed, used) => {
                    assert!(used <= bytes.len());
                    (start, outcome.agreed) = (used, agreed);
                    connection = Some(open(manner.role, manner.limits, agreed.as_ref()));
                }
            }
        }
        if let Some(connection) = &mut connection {
            listen(connection, &mut bytes[start..], budget, manner, &mut outcome);
        }
    }
    if let Some(connection) = connection {
        end(connection, &mut outcome);
    }
    outcome
}

/// Reads `bytes` in as many turns as the budget makes necessary.
fn listen(
    connection: &mut Connection,
    mut bytes: &mut [u8],
    budget: Budget,
    manner: Manner,
    outcome: &mut Outcome,
) {
    while !bytes.is_empty() {
        let mut input = Input::bounded(bytes, budget);
        while let Some(event) = connection.receive(&mut input, &mut outcome.output) {
            assert_eq!(outcome.closed, None, "{event:?} after the end");
            take(connection, event, outcome, manner.limits);
        }
        let read = input.len();
        let read = bytes.len() - read;
        assert!(read > 0, "every turn gets on");
        bytes = &mut bytes[read..];
    }
    if outcome.closed.is_some() {
        assert!(!connection.may_send());
        let said = outcome.output.len();
        connection.send_text("too late", &mut outcome.output);
        connection.send_ping(b"too late", &mut outcome.output);
        assert_eq!(outcome.output.len(), said, "said after the end");
    }
}

/// Notes an event, and echoes messages.
fn take(connection: &mut Connection, event: Event<'_>, outcome: &mut Outcome, limits: Limits) {
    if let Event::Closed(closed) = event {
        outcome.closed = Some(closed);
        return;
    }
    let heard = Heard::keep(&event);
    match &heard {
        Heard::Text(text) => {
            assert!(text.len() <= limits.message);
            connection.send_text(text, &mut outcome.output);
        }
        Heard::Binary(bytes) => {
            assert!(bytes.len() <= limits.message);
            connection.send_binary(bytes, &mut outcome.output);
        }
        Heard::Ping(payload) | Heard::Pong(payload) => assert!(payload.len() <= 125),
    }
    outcome.heard.push(heard);
}

/// The connection is lost, unless it has ended already.
fn end(mut connection: Connection, outcome: &mut Outcome) {
    match (connection.receive_eof(), &outcome.closed) {
        (Some(Event::Closed(closed)), None) => {
            assert_eq!(closed.by, ClosedBy::Lost);
            outcome.closed = Some(closed);
        }
        (None, Some(_)) => {}
        other => panic!("the end comes exactly once, not {other:?}"),
    }
    assert!(connection.is_over() && !connection.may_send());
}

/// The output is no longer than what was heard allows, and the other role hears in it the echoes, the pongs and the
/// close, and no error.
fn check_output(manner: Manner, data: &[u8], outcome: &Outcome) {
    if outcome.refused.is_some() || outcome.closed.is_none() {
        assert_eq!(
            (outcome.heard.len(), outcome.output.len()),
            (0, 0),
            "said something before the handshake"
        );
        return;
    }
    // A header of 14 bytes at most; and what does not shrink grows a little when it is compressed.
    let frame =
        |heard: &Heard| 14 + heard.len() + if outcome.agreed.is_some() { heard.len() / 8 + 64 } else { 0 };
    let close = 6 + 125;
    let most = outcome.heard.iter().map(frame).sum::<usize>() + close;
    assert!(outcome.output.len() <= most, "{} bytes instead of {most}", outcome.output.len());
    if outcome.agreed.is_none() {
        // Each frame of a server's answers one that had a mask key more; of a client's, one without.
        let most = if manner.role == Role::Server { data.len() } else { 3 * data.len() } + close;
        assert!(outcome.output.len() <= most, "{} bytes for {}", outcome.output.len(), data.len());
    }

    let mut listener = open(manner.role.other(), Limits::echo(), outcome.agreed.as_ref());
    let (mut bytes, mut answers) = (outcome.output.clone(), Vec::new());
    let mut input = Input::new(&mut bytes);
    let (mut heard, mut end) = (Vec::new(), None);
    while let Some(event) = listener.receive(&mut input, &mut answers) {
        match event {
            Event::Closed(closed) => end = Some(closed),
            event => heard.push(Heard::keep(&event)),
        }
    }
    assert_eq!(heard, answers_to(&outcome.heard));
    match (outcome.closed.as_ref().map(|closed| closed.by), end) {
        // We never close first, so there is no other way.
        (Some(ClosedBy::Lost), None) => {}
        (Some(ClosedBy::Peer), Some(closed)) => assert_eq!(closed.by, ClosedBy::Peer),
        (Some(ClosedBy::Failure(error)), Some(closed)) => {
            assert_eq!((closed.by, closed.code), (ClosedBy::Peer, Some(error.close_code())));
        }
        other => panic!("the close frame and the verdict differ: {other:?}"),
    }
}

/// Messages come back as they are, pings as pongs, and pongs not at all.
fn answers_to(heard: &[Heard]) -> Vec<Heard> {
    let answer = |heard: &Heard| match heard {
        Heard::Ping(payload) => Some(Heard::Pong(payload.clone())),
        Heard::Pong(_) => None,
        message => Some(message.clone()),
    };
    heard.iter().filter_map(answer).collect()
}

/// Has `data` said to somebody who keeps nothing of it, so that the memory it takes is the connection's own.
pub fn only_listen(mut opener: impl Opener, manner: Manner, data: &[u8]) {
    let mut out = Vec::new();
    let Opening::Open(agreed, used) = opener.receive(data, &mut out) else { return };
    let mut connection = open(manner.role, manner.limits, agreed.as_ref());
    let mut bytes = data[used..].to_vec();
    let mut input = Input::new(&mut bytes);
    while let Some(event) = connection.receive(&mut input, &mut out) {
        drop(event);
        out.clear();
    }
}
