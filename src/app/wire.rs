//! The tail sub-protocol `wiretail.v1`, as both sides speak it; `docs/protocol.md` is its reference.
//!
//! Knows JSON and frames; no sockets, no files. Every message is one line of JSON with one key, its kind; `lines` has a
//! newline and the raw text of the log behind it, so that log text is never escaped.

use std::cell::OnceCell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::tail::{GapReason, Piece, PieceKind};
use crate::ws::deflate::{self, Deflater, Parameters, WindowBits};
use crate::ws::{Opcode, frame};

/// The name under which the sub-protocol is negotiated (RFC 6455 §1.9).
pub const V1: &str = "wiretail.v1";

/// Program and version, as told to clients.
pub const SERVER: &str = concat!("wiretail ", env!("CARGO_PKG_VERSION"));

/// What the server tells a viewer. Cursors are opaque tokens: a client keeps the last one it has dealt with, and
/// resumes with `?from=`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FromServer {
    /// The first message: what is being watched, and where reading starts.
    Hello {
        /// The log's name in the catalogue.
        name: String,
        /// Where reading starts.
        cursor: String,
        /// The file's size in bytes, where there is a file.
        size: Option<u64>,
        /// How many lines before the end were asked for.
        lines: usize,
        /// Program and version.
        server: String,
    },
    /// Log text follows behind a newline. It need not end with a line: the next `lines` goes on in place.
    Lines {
        /// The cursor before the text.
        from: String,
        /// The cursor behind it.
        to: String,
        /// The number of bytes of the source it stands for.
        bytes: u64,
    },
    /// The file was replaced; what follows is of its successor.
    Rotated {
        /// The beginning of the successor.
        cursor: String,
    },
    /// The file was cut off; what follows is what was written since.
    Truncated {
        /// The beginning of what follows.
        cursor: String,
    },
    /// Bytes that this viewer was due are not to be had any more, or are nothing but a hole.
    Gap {
        /// The cursor before them.
        from: String,
        /// The cursor behind them.
        to: String,
        /// How many, where that can be known.
        bytes: Option<u64>,
        /// Why they are missing.
        why: GapWhy,
    },
    /// There is no file, for now.
    Missing {
        /// Why, as a sentence.
        why: String,
    },
    /// There is a file again.
    Back {},
    /// How far this viewer lags; 0 when it has caught up.
    Behind {
        /// Bytes between it and the end.
        bytes: u64,
    },
    /// All that was there has been sent (`follow=0`); the connection closes with 1000.
    End {},
    /// The answer to a `ping`.
    Pong {},
    /// What the viewer said was not understood.
    Error {
        /// Why, as a sentence.
        message: String,
    },
}

/// Why bytes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GapWhy {
    /// They were in a file that was rotated away and is not to be found.
    Rotated,
    /// They were cut off.
    Truncated,
    /// They were never written: a sparse file's hole.
    Hole,
    /// Nobody can say.
    Unknown,
}

/// What a viewer tells the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum FromViewer {
    /// Send nothing until told; nothing is lost, the cursor waits.
    Pause {},
    /// Go on.
    Resume {},
    /// Are you there? A page cannot see the protocol's own pings, and needs to know of a dead connection too.
    Ping {},
}

impl FromServer {
    /// The message as one line of JSON, without log text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always make JSON")
    }

    /// The message as a finished text frame.
    pub fn to_frame(&self) -> Vec<u8> {
        text_frame(&self.to_json(), 0)
    }

    /// Takes a text message apart: what it says, and the log text behind it.
    ///
    /// # Errors
    /// When its first line is not a message of this protocol.
    pub fn parse(message: &str) -> Result<(Self, &str), serde_json::Error> {
        let (json, text) = message.split_once('\n').unwrap_or((message, ""));
        Ok((serde_json::from_str(json)?, text))
    }
}

impl From<GapReason> for GapWhy {
    fn from(reason: GapReason) -> Self {
        match reason {
            GapReason::Rotated => Self::Rotated,
            GapReason::Truncated => Self::Truncated,
            GapReason::Hole => Self::Hole,
            GapReason::Unknown => Self::Unknown,
        }
    }
}

/// How a viewer wants the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Nothing but log text.
    Plain,
    /// `wiretail.v1`.
    V1,
}

/// Whether a viewer takes compressed frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// It does not.
    Plain,
    /// It has agreed to permessage-deflate (RFC 7692), without context takeover on our side, and with the largest window.
    Deflated,
}

impl From<Option<&Parameters>> for Coding {
    /// What was agreed on with a viewer. The compressed frames are the same for all and refer back as far as they like: a
    /// viewer who keeps a smaller window (§7.1.2.1) gets the plain ones.
    fn from(agreed: Option<&Parameters>) -> Self {
        match agreed {
            Some(agreed) if agreed.server_max_window_bits == WindowBits::MOST => Self::Deflated,
            Some(_) | None => Self::Plain,
        }
    }
}

/// A piece's frames, each made when the first viewer needs it and shared by all who want the same.
#[derive(Debug, Default)]
pub struct Frames {
    plain: OfDialect,
    v1: OfDialect,
}

/// A piece's frames in one dialect.
#[derive(Debug, Default)]
struct OfDialect {
    /// What stands in front of the text in the uncompressed frame.
    front: OnceCell<Rc<[u8]>>,
    /// The whole compressed frame, if it is smaller.
    deflated: OnceCell<Option<Rc<[u8]>>>,
}

/// One text frame in two runs of bytes, both shared.
#[derive(Clone, Debug)]
pub struct SharedFrame {
    /// The header, and in `wiretail.v1` the line of JSON; of a compressed frame, everything.
    pub front: Rc<[u8]>,
    /// The log text behind it, the same for every dialect.
    pub text: Option<Rc<[u8]>>,
}

/// Makes frames of pieces. Its compressor is the only one for all logs and all viewers, as no message refers to an
/// earlier one: it costs 300 KiB in all, and a piece is compressed once however many watch.
#[derive(Debug, Default)]
pub struct Framer {
    deflater: Option<Deflater>,
}

impl Framer {
    /// A piece of the log as one text frame; `None` if the dialect has no words for it.
    pub fn frame_of(
        &mut self,
        piece: &Piece<Frames>,
        dialect: Dialect,
        coding: Coding,
    ) -> Option<SharedFrame> {
        let text = match &piece.kind {
            PieceKind::Lines { text, .. } => Some(Rc::clone(text)),
            _ => None,
        };
        let frames = match dialect {
            // It has words for log text only.
            Dialect::Plain if text.is_none() => return None,
            Dialect::Plain => &piece.encoded.plain,
            Dialect::V1 => &piece.encoded.v1,
        };
        if coding == Coding::Deflated {
            let deflated =
                frames.deflated.get_or_init(|| self.deflate(&before_text(piece, dialect), text.as_deref()));
            if let Some(whole) = deflated {
                return Some(SharedFrame { front: Rc::clone(whole), text: None });
            }
        }
        let front = frames.front.get_or_init(|| {
            text_frame(&before_text(piece, dialect), text.as_ref().map_or(0, |text| text.len())).into()
        });
        Some(SharedFrame { front: Rc::clone(front), text })
    }

    /// The compressed frame, if that is worth it.
    fn deflate(&mut self, before: &str, text: Option<&[u8]>) -> Option<Rc<[u8]>> {
        let message = [before.as_bytes(), text.unwrap_or_default()].concat();
        if !deflate::WORTH_COMPRESSING.contains(&message.len()) {
            return None;
        }
        if self.deflater.is_none() {
            self.deflater = Some(Deflater::new(WindowBits::MOST)?);
        }
        let deflater = self.deflater.as_mut()?;
        let mut payload = Vec::with_capacity(message.len() / 2);
        deflater.compress(&message, &mut payload);
        deflater.forget();
        if payload.len() >= message.len() {
            return None;
        }
        Some([&frame::compressed_server_header(Opcode::Text, payload.len()), &payload[..]].concat().into())
    }
}

/// What a piece's message has in front of the log text, or all of it where there is none.
fn before_text(piece: &Piece<Frames>, dialect: Dialect) -> String {
    match (dialect, &piece.kind) {
        (Dialect::Plain, _) => String::new(),
        (Dialect::V1, kind @ PieceKind::Lines { .. }) => message_of(kind).to_json() + "\n",
        (Dialect::V1, kind) => message_of(kind).to_json(),
    }
}

fn message_of(kind: &PieceKind) -> FromServer {
    match kind {
        PieceKind::Lines { from, to, bytes, .. } => {
            FromServer::Lines { from: from.to_string(), to: to.to_string(), bytes: *bytes }
        }
        PieceKind::Rotated { at } => FromServer::Rotated { cursor: at.to_string() },
        PieceKind::Truncated { at, .. } => FromServer::Truncated { cursor: at.to_string() },
        PieceKind::Gap { from, to, bytes, why } => {
            FromServer::Gap { from: from.to_string(), to: to.to_string(), bytes: *bytes, why: (*why).into() }
        }
        PieceKind::Missing { why } => FromServer::Missing { why: why.clone() },
        PieceKind::Back => FromServer::Back {},
    }
}

/// A text frame's header and the first part of its payload; `more` bytes of payload follow elsewhere.
fn text_frame(front: &str, more: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(front.len() + 10);
    bytes.extend_from_slice(&frame::server_header(Opcode::Text, front.len() + more));
    bytes.extend_from_slice(front.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_with_one_key() {
        let gap = FromServer::Gap { from: "a".into(), to: "b".into(), bytes: None, why: GapWhy::Rotated };
        assert_eq!(gap.to_json(), r#"{"gap":{"from":"a","to":"b","bytes":null,"why":"rotated"}}"#);
        assert_eq!(FromServer::Back {}.to_json(), r#"{"back":{}}"#);
        let odd = FromServer::Missing { why: "a \"b\"\nc".into() };
        assert_eq!(odd.to_json().lines().count(), 1, "a newline in a sentence stays escaped");
    }

    #[test]
    fn log_text_follows_behind_the_first_newline_untouched() {
        let message = "{\"lines\":{\"from\":\"a\",\"to\":\"b\",\"bytes\":9}}\n{\"x\"}\nmore\n";
        let (lines, text) = FromServer::parse(message).unwrap();
        assert_eq!(lines, FromServer::Lines { from: "a".into(), to: "b".into(), bytes: 9 });
        assert_eq!(text, "{\"x\"}\nmore\n");
    }

    #[test]
    fn what_viewers_say_is_parsed_strictly() {
        assert_eq!(serde_json::from_str::<FromViewer>(r#"{"pause":{}}"#).unwrap(), FromViewer::Pause {});
        assert_eq!(serde_json::from_str::<FromViewer>(r#"{"resume":{}}"#).unwrap(), FromViewer::Resume {});
        for bad in [
            "",
            "pause",
            "{}",
            r#"{"pause":{"now":1}}"#,
            r#"{"halt":{}}"#,
            "[]",
            r#"{"pause":{},"resume":{}}"#,
        ] {
            assert!(serde_json::from_str::<FromViewer>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_finished_frame_has_the_rfcs_header() {
        assert_eq!(FromServer::Back {}.to_frame(), b"\x81\x0b{\"back\":{}}");
        assert_eq!(text_frame("", 300), [0x81, 126, 1, 44]);
    }
}
