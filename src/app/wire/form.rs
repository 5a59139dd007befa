//! Pieces of a log as plain HTTP carries them: text, messages a line each, or server-sent events.
//!
//! The messages are those of `wiretail.v1`, but that log text stands in them as a member, `text`: here a newline is the end
//! of a message. Each is made when the first reader needs it, and shared by all who want the same.
//!
//! Knows pieces and their words; not who gets them.

use std::cell::OnceCell;
use std::rc::Rc;

use super::answers::Answer;
use super::framer::{Frames, message_of};
use super::{FromServer, Hit};
use crate::tail::{Cursor, Piece, PieceKind};

/// How a reader wants the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Nothing but log text.
    Text,
    /// Messages, one in a line (`application/x-ndjson`).
    Messages,
    /// Server-sent events (HTML, 9.2), one for each message; an event's id is the cursor behind it.
    Events,
}

/// A piece in the forms that are not its text itself.
#[derive(Debug, Default)]
pub struct Formed {
    message: OnceCell<Rc<[u8]>>,
    event: OnceCell<Rc<[u8]>>,
}

impl Form {
    /// What HTTP calls it.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Messages => "application/x-ndjson",
            Self::Events => "text/event-stream",
        }
    }

    /// A piece in this form; `None` if it has no words for it.
    pub fn of(self, piece: &Piece<Frames>) -> Option<Rc<[u8]>> {
        let formed = &piece.encoded.formed;
        let made = match (self, &piece.kind) {
            (Self::Text, PieceKind::Lines { text, .. }) => return Some(Rc::clone(text)),
            (Self::Text, _) => return None,
            (Self::Messages, kind) => formed.message.get_or_init(|| (json(kind) + "\n").into_bytes().into()),
            (Self::Events, kind) => formed.event.get_or_init(|| event(after(kind), &json(kind)).into()),
        };
        Some(Rc::clone(made))
    }

    /// Something that is no piece of the log.
    pub fn line_of(self, message: &FromServer) -> Vec<u8> {
        self.line(message.to_json())
    }

    /// A part of an answer about the past. Text has words for log text, and for hits.
    pub fn answer(self, Answer { message, text }: &Answer) -> Vec<u8> {
        match (self, message, text) {
            (Self::Text, FromServer::Hits { hits, .. }, _) => {
                hits.iter().map(Hit::to_line).collect::<String>().into_bytes()
            }
            (Self::Text, _, text) => text.as_deref().unwrap_or_default().to_vec(),
            (_, message, Some(text)) => self.line(with_text(message, text)),
            (_, message, None) => self.line_of(message),
        }
    }

    fn line(self, json: String) -> Vec<u8> {
        match self {
            Self::Text => Vec::new(),
            Self::Messages => (json + "\n").into_bytes(),
            Self::Events => event(None, &json),
        }
    }
}

/// "The stream is then parsed by reading everything line by line" (HTML, 9.2.6): JSON has no line ends in it, and so is one
/// `data` field. Without an id, the last one stays.
fn event(id: Option<&Cursor>, json: &str) -> Vec<u8> {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}data: {json}\n\n").into_bytes()
}

/// Where a reader stands who has had this, if that moves it.
fn after(kind: &PieceKind) -> Option<&Cursor> {
    match kind {
        PieceKind::Lines { to, .. } | PieceKind::Gap { to, .. } => Some(to),
        PieceKind::Rotated { at } | PieceKind::Truncated { at } => Some(at),
        PieceKind::Missing { .. } | PieceKind::Back => None,
    }
}

fn json(kind: &PieceKind) -> String {
    match kind {
        PieceKind::Lines { text, .. } => with_text(&message_of(kind), text),
        _ => message_of(kind).to_json(),
    }
}

/// `{"lines":{…,"text":"…"}}`: the text as one more member of what stands under the message's key.
fn with_text(message: &FromServer, text: &[u8]) -> String {
    let text = std::str::from_utf8(text).expect("what is not UTF-8 in a log is U+FFFD here");
    let text = serde_json::to_string(text).expect("a string always makes JSON");
    let json = message.to_json();
    let front = json.strip_suffix("}}").expect("a message is an object in an object");
    format!("{front},\"text\":{text}}}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str) -> Rc<Piece<Frames>> {
        let cursor: Cursor = "0.da39a3ee5e6b4b0d.da39a3ee.0".parse().unwrap();
        let kind =
            PieceKind::Lines { from: cursor.clone(), to: cursor, text: text.as_bytes().into(), bytes: 3 };
        Piece::new(kind)
    }

    #[test]
    fn an_event_is_two_lines_and_an_empty_one_whatever_the_text() {
        for text in ["", "a\r\nb\rc\n", "data: x\n\nid: 7\n", "\u{2028}\u{0}\u{feff}\"\\"] {
            let event = Form::Events.of(&piece(text)).unwrap();
            let event = std::str::from_utf8(&event).unwrap();
            let (id, rest) = event.split_once('\n').unwrap();
            assert_eq!(id, "id: 0.da39a3ee5e6b4b0d.da39a3ee.0");
            let data = rest.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
            assert!(!data.contains(['\n', '\r']), "{data}");
            let json: serde_json::Value = serde_json::from_str(data).unwrap();
            assert_eq!(json["lines"]["text"], text);
        }
    }

    #[test]
    fn a_message_is_the_same_in_a_line_and_made_once_for_all() {
        let piece = piece("a\nb");
        let message = Form::Messages.of(&piece).unwrap();
        assert!(
            message.ends_with(b"\"bytes\":3,\"text\":\"a\\nb\"}}\n"),
            "{}",
            String::from_utf8_lossy(&message)
        );
        assert!(Rc::ptr_eq(&message, &Form::Messages.of(&piece).unwrap()));
        assert_eq!(&Form::Text.of(&piece).unwrap()[..], b"a\nb");
    }
}
