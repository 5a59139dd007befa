//! A client and a server in conversation, through pipes that deliver as they like: what one says the other hears, in
//! order, nothing lost, nothing twice; and a close ends both, each with the right word about who ended it.

use wiretail::ws::deflate::Parameters;
use wiretail::ws::{Budget, CloseCode, Closed, ClosedBy, Connection, Event, Input, Limits};

use super::choices::Choices;
use super::peers::{Role, open, parameters_from};
use super::talk::Heard;

const LIMITS: Limits = Limits { message: 8192, fragments: 4 };

/// So many operations make a story.
const MOST_OPERATIONS: usize = 200;

/// One side, and the pipe that leads to it.
struct Side {
    connection: Connection,
    /// What has been said to it and has not arrived.
    pipe: Vec<u8>,
    /// What has arrived and was not read, because the budget of that turn was spent.
    arrived: Vec<u8>,
    said: Vec<Heard>,
    heard: Vec<Heard>,
    asked_to_close: Option<(CloseCode, String)>,
    held_pongs: bool,
    closed: Option<Closed>,
}

impl Side {
    fn new(role: Role, agreed: Option<&Parameters>) -> Self {
        Self {
            connection: open(role, LIMITS, agreed),
            pipe: Vec::new(),
            arrived: Vec::new(),
            said: Vec::new(),
            heard: Vec::new(),
            asked_to_close: None,
            held_pongs: false,
            closed: None,
        }
    }

    /// Says something through the pipe that leads to the other side. Whether it may, the connection knows.
    fn say(&mut self, what: Heard, to: &mut Vec<u8>) {
        let before = to.len();
        match &what {
            Heard::Text(text) => self.connection.send_text(text, to),
            Heard::Binary(bytes) => self.connection.send_binary(bytes, to),
            Heard::Ping(payload) => self.connection.send_ping(payload, to),
            Heard::Pong(_) => panic!("nobody says that unasked"),
        }
        assert_eq!(to.len() > before, self.asked_to_close.is_none() && self.closed.is_none(), "{what:?}");
        if to.len() > before {
            self.said.push(what);
        }
    }

    /// So many bytes come out of the pipe, and one turn of reading is had. True if that changed anything.
    fn turn(&mut self, count: usize, budget: Budget, to: &mut Vec<u8>) -> bool {
        let count = count.min(self.pipe.len());
        self.arrived.extend(self.pipe.drain(..count));
        let mut input = Input::bounded(&mut self.arrived, budget);
        while let Some(event) = self.connection.receive(&mut input, to) {
            assert_eq!(self.closed, None, "{event:?} after the end");
            match event {
                Event::Closed(closed) => self.closed = Some(closed),
                event => self.heard.push(Heard::keep(&event)),
            }
        }
        let left = input.len();
        let read = self.arrived.len() - left;
        self.arrived.drain(..read);
        read > 0
    }
}

/// Plays `data` as operations, and then lets everything arrive.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let kind = choices.byte();
    let agreed = (cfg!(feature = "deflate") && kind & 1 != 0).then(|| parameters_from(&mut choices));
    let mut sides = [Side::new(Role::Client, agreed.as_ref()), Side::new(Role::Server, agreed.as_ref())];
    for _ in 0..MOST_OPERATIONS {
        if choices.is_empty() {
            break;
        }
        operate(&mut sides, &mut choices);
    }
    finish(&mut sides);
    let [client, server] = &sides;
    for (one, other) in [(client, server), (server, client)] {
        check_words(one, other);
        check_end(one, other);
    }
}

fn operate(sides: &mut [Side; 2], choices: &mut Choices<'_>) {
    let what = choices.byte();
    let (one, other) = pair(sides, what & 1 != 0);
    match what / 2 % 16 {
        0..=2 => {
            let text = String::from_utf8_lossy(&content(choices)).into_owned();
            one.say(Heard::Text(text), &mut other.pipe);
        }
        3..=5 => one.say(Heard::Binary(content(choices)), &mut other.pipe),
        6 => {
            let len = choices.below(126);
            one.say(Heard::Ping(choices.bytes(len).to_vec()), &mut other.pipe);
        }
        7 => {
            let hold = choices.flag();
            one.held_pongs |= hold;
            one.connection.hold_pongs(hold, &mut other.pipe);
        }
        8 => close(one, other, choices),
        _ => {
            let count = usize::from(choices.byte()) << (what / 32);
            let unlimited = Budget { frames: usize::MAX, inflated: usize::MAX };
            let budget = match choices.byte() {
                0..=127 => unlimited,
                number => {
                    Budget { frames: usize::from(number - 127), inflated: 1 + 8 * usize::from(number - 128) }
                }
            };
            one.turn(count, budget, &mut other.pipe);
        }
    }
}

fn pair(sides: &mut [Side; 2], second: bool) -> (&mut Side, &mut Side) {
    let [client, server] = sides;
    if second { (server, client) } else { (client, server) }
}

/// Up to some thousand bytes that repeat themselves more or less.
fn content(choices: &mut Choices<'_>) -> Vec<u8> {
    let (times, len) = (choices.byte(), choices.below(64));
    let pattern = choices.bytes(len);
    let mut content: Vec<u8> = pattern.repeat(usize::from(times >> 2) + 1);
    if times & 1 != 0 {
        // Nothing that a compressor could find.
        let mut state = 0x9e37_79b9_u32;
        for byte in &mut content {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            *byte ^= (state >> 8) as u8;
        }
    }
    // Replacement characters make text three times as long.
    content.truncate(LIMITS.message / 3);
    content
}

fn close(one: &mut Side, other: &mut Side, choices: &mut Choices<'_>) {
    let code = CloseCode::new(1000 + u16::from(choices.byte()) % 4).expect("1000 to 1003 may be sent");
    let len = choices.below(160);
    let reason = String::from_utf8_lossy(choices.bytes(len)).into_owned();
    let before = other.pipe.len();
    one.connection.close(code, &reason, &mut other.pipe);
    assert!(!one.connection.may_send());
    let first = one.asked_to_close.is_none() && one.closed.is_none();
    assert_eq!(other.pipe.len() > before, first, "one close frame, if the conversation is not over");
    if first {
        one.asked_to_close = Some((code, reason));
    }
}

/// Everything arrives that is still under way, and all that it leads to.
fn finish(sides: &mut [Side; 2]) {
    for second in [false, true] {
        let (one, other) = pair(sides, second);
        one.connection.hold_pongs(false, &mut other.pipe);
    }
    let unlimited = Budget { frames: usize::MAX, inflated: usize::MAX };
    let mut changed = true;
    while changed {
        changed = false;
        for second in [false, true] {
            let (one, other) = pair(sides, second);
            changed |= one.turn(usize::MAX, unlimited, &mut other.pipe);
        }
    }
    for side in sides {
        assert!(side.arrived.is_empty() && side.pipe.is_empty());
        if let Some(Event::Closed(closed)) = side.connection.receive_eof() {
            assert_eq!(side.closed, None, "the end came twice");
            side.closed = Some(closed);
        }
        assert!(side.connection.is_over());
        assert_eq!(side.connection.receive_eof(), None);
    }
}

/// What `one` said, `other` has heard.
fn check_words(one: &Side, other: &Side) {
    let words = |heard: &[Heard]| -> Vec<Heard> {
        heard.iter().filter(|heard| !matches!(heard, Heard::Pong(_))).cloned().collect()
    };
    assert_eq!(words(&other.heard), one.said);
    let pings = one.said.iter().filter_map(|said| match said {
        Heard::Ping(payload) => Some(payload),
        _ => None,
    });
    let mut pongs = one.heard.iter().filter_map(|heard| match heard {
        Heard::Pong(payload) => Some(payload),
        _ => None,
    });
    let closed = one.asked_to_close.is_some() || other.asked_to_close.is_some();
    if !other.held_pongs && !closed {
        assert!(pongs.eq(pings), "each ping has its pong");
        return;
    }
    // Some pings may stay without an answer, the last one only if a close came over it; and no answer is to anything
    // else.
    assert!(closed || pongs.clone().next_back() == pings.clone().next_back(), "the last ping has its pong");
    let mut pings = pings;
    assert!(pongs.all(|pong| pings.any(|ping| ping == pong)), "a pong that nobody asked for");
}

/// Each side knows who ended it, and why.
fn check_end(one: &Side, other: &Side) {
    let closed = one.closed.as_ref().expect("it ended");
    match (&one.asked_to_close, &other.asked_to_close) {
        (None, None) => assert_eq!((closed.by, closed.code), (ClosedBy::Lost, None)),
        (Some((code, _)), None) => {
            assert_eq!((closed.by, closed.code, &*closed.reason), (ClosedBy::Us, Some(*code), ""));
        }
        (ours, Some((code, reason))) => {
            let by = if ours.is_some() { ClosedBy::Us } else { ClosedBy::Peer };
            assert_eq!((closed.by, closed.code), (by, Some(*code)));
            assert!(reason.starts_with(&closed.reason));
        }
    }
}
