//! Pieces of a log as finished text frames, in either dialect, plain or compressed: each made when the first viewer
//! needs it, and shared by all who want the same.
//!
//! Knows pieces and frames; not who gets them.

use std::cell::OnceCell;
use std::rc::Rc;

use super::form::Formed;
use super::{FromServer, text_frame};
use crate::tail::{Piece, PieceKind};
use crate::ws::deflate::{self, Deflater, Parameters, WindowBits};
use crate::ws::{Opcode, frame};

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
    pub(super) formed: Formed,
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

pub(super) fn message_of(kind: &PieceKind) -> FromServer {
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
