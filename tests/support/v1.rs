//! A viewer of one log that speaks `wiretail.v1` (see `docs/protocol.md`).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ws::{CLOSE, NO_CODE, PING, PONG, Raw, TEXT};

/// How long a request may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One message from the server.
#[derive(Clone, Debug)]
pub struct Message {
    /// The one key of its JSON: `hello`, `lines`, `gap`, ...
    pub kind: String,
    /// What stands under that key.
    pub value: Value,
    /// The text behind the JSON; only `lines`, `older` and `newer` have any.
    pub text: String,
}

/// A connection to `/tail/{name}`, and all that came over it.
pub struct Viewer {
    /// The connection, for tests that stall it or break its rules.
    pub raw: Raw,
    /// Every message that was read, in order.
    pub messages: Vec<Message>,
    /// The text of all `lines` messages, one behind the other.
    pub text: String,
    /// Where this viewer would resume: the last `to` or `cursor` that was read.
    pub cursor: Option<String>,
    /// The code of the server's close frame, once it has come.
    pub closed: Option<u16>,
}

impl Viewer {
    /// Opens `target`, such as `/tail/app.log?lines=10`, and fails the test if it is refused.
    #[track_caller]
    pub fn connect(addr: SocketAddr, target: &str) -> Self {
        let raw = Raw::connect_with(addr, target, &[("Sec-WebSocket-Protocol", "wiretail.v1")]);
        let agreed = raw.head.fields.get("Sec-WebSocket-Protocol");
        assert_eq!(agreed, Some("wiretail.v1"), "the server agrees to the sub-protocol");
        Self { raw, messages: Vec::new(), text: String::new(), cursor: None, closed: None }
    }

    /// The next message, or `None` if none comes within that time or the server has said goodbye.
    ///
    /// Pings are answered on the way.
    #[track_caller]
    pub fn next(&mut self, within: Duration) -> Option<&Message> {
        let deadline = Instant::now() + within;
        while self.closed.is_none() {
            let (first, payload) =
                self.raw.read_frame_within(deadline.saturating_duration_since(Instant::now()))?;
            match first {
                TEXT => {
                    self.take(&String::from_utf8(payload).expect("text is UTF-8"));
                    return self.messages.last();
                }
                PING => self.raw.send_frame(PONG, &payload),
                CLOSE => {
                    self.closed = Some(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code)));
                }
                _ => panic!("a frame that wiretail.v1 does not use: {first:#04x}"),
            }
        }
        None
    }

    /// Reads until a message of that kind has come, and returns it; fails the test after `within`.
    #[track_caller]
    pub fn wait_for(&mut self, kind: &str, within: Duration) -> Message {
        let deadline = Instant::now() + within;
        loop {
            match self.next(deadline.saturating_duration_since(Instant::now())) {
                Some(message) if message.kind == kind => return message.clone(),
                Some(_) => {}
                None => panic!("no `{kind}` within {within:?}; {}", self.summary()),
            }
        }
    }

    /// Reads until `enough` of the lines so far, and returns them; fails the test after `within`.
    ///
    /// `enough` is asked first before anything is read. The last line may be an unfinished one.
    #[track_caller]
    pub fn lines_until(&mut self, mut enough: impl FnMut(&[&str]) -> bool, within: Duration) -> Vec<String> {
        let deadline = Instant::now() + within;
        loop {
            let lines: Vec<&str> = self.text.lines().collect();
            if enough(&lines) {
                return lines.into_iter().map(str::to_owned).collect();
            }
            if self.next(deadline.saturating_duration_since(Instant::now())).is_none() {
                panic!("the lines did not come within {within:?}; {}", self.summary());
            }
        }
    }

    /// Sends a message of the client, such as `pause` or `resume`.
    pub fn say(&mut self, kind: &str) {
        self.raw.send_text(&format!("{{\"{kind}\":{{}}}}"));
    }

    /// Sends a request, such as `{"older":{"id":1,...}}`, and reads until its last answer; gives its answers, in order.
    #[track_caller]
    pub fn ask(&mut self, request: &str) -> Vec<Message> {
        self.raw.send_text(request);
        let json: Value = serde_json::from_str(request).expect("a request is JSON");
        let id = json.as_object().and_then(|json| json.values().next()).expect("a request has a kind")["id"]
            .clone();
        self.answers(&id)
    }

    /// Reads until the last answer to request `id`; gives its answers, in order.
    #[track_caller]
    pub fn answers(&mut self, id: &Value) -> Vec<Message> {
        let deadline = Instant::now() + PATIENCE;
        let mut answers = Vec::new();
        loop {
            match self.next(deadline.saturating_duration_since(Instant::now())) {
                Some(answer) if answer.value["id"] == *id => answers.push(answer.clone()),
                Some(_) => {}
                None => panic!("no end of request {id} within {PATIENCE:?}; {}", self.summary()),
            }
            if answers.last().is_some_and(|last| ["done", "error"].contains(&last.kind.as_str())) {
                return answers;
            }
        }
    }

    /// How many messages of that kind have come.
    pub fn count(&self, kind: &str) -> usize {
        self.messages.iter().filter(|message| message.kind == kind).count()
    }

    fn take(&mut self, message: &str) {
        let (json, text) = message.split_once('\n').unwrap_or((message, ""));
        let json: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {message:?}"));
        let object = json.as_object().expect("a message is an object");
        let (kind, value) = object.iter().next().expect("a message has a kind");
        assert_eq!(object.len(), 1, "a message has exactly one key: {message:?}");
        // Answers to requests carry places and text, too, which are not the stream's.
        let of_stream = value.get("id").is_none();
        let place = value.get("to").or(value.get("cursor")).and_then(Value::as_str);
        if let Some(place) = place.filter(|_| of_stream) {
            self.cursor = Some(place.to_owned());
        }
        if of_stream {
            self.text.push_str(text);
        }
        self.messages.push(Message { kind: kind.clone(), value: value.clone(), text: text.to_owned() });
    }

    fn summary(&self) -> String {
        let kinds: Vec<&str> = self.messages.iter().map(|message| message.kind.as_str()).collect();
        let last: Vec<&str> = self.text.lines().rev().take(3).collect();
        let kinds = &kinds[kinds.len().saturating_sub(20)..];
        format!(
            "closed: {:?}, {} lines, last (newest first) {last:?}, messages ... {kinds:?}",
            self.closed,
            self.text.lines().count()
        )
    }
}
