//! Rooms: logs that people may write into, so that a conversation or a vote is a log like any other.
//!
//! ```text
//!   POST /tail/NAME ---.                                           .--> 201, said
//!                       >-- Said -- a line? -- often? -- written? -+
//!   say, wiretail.v1 --'                                           '--> Refused: a status and a sentence
//! ```
//!
//! Whoever passes the gate (see [`access`](super::access)) may write; where there are users, those who may, and each in their
//! own name. What is written is in the file,
//! and reaches everybody who watches it by the way that every line takes; the writer, too.
//!
//! Reading order: [`mod@line`] (what somebody says, as a line), [`rates`] (how often), and this file.

pub mod line;
pub mod rates;

use std::rc::Rc;
use std::time::Duration;

use super::Context;
use super::wire::{Code, Refusal};
use crate::http::{Request, Response, Status};
use crate::tail::Cursor;
use crate::tail::room::WriteError;
pub use line::{Said, Unfit};
use rates::{Paces, Rates};

/// What holds for all rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The size beyond which nobody may write into a room. Whoever looks after it rotates it before, as any other log.
    pub bytes: u64,
    /// How often anybody may write.
    pub paces: Paces,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 20, paces: Paces::default() }
    }
}

/// All rooms together.
#[derive(Debug, Default)]
pub struct Rooms {
    limits: Limits,
    rates: Rates,
}

impl Rooms {
    /// Rooms in which nobody has written yet.
    pub fn of(limits: Limits) -> Self {
        Self { limits, rates: Rates::default() }
    }

    /// Other limits hold from now on.
    pub fn renew(&mut self, limits: Limits) {
        // How far somebody is ahead of one pace says nothing about another.
        if limits.paces != self.limits.paces {
            self.rates = Rates::default();
        }
        self.limits = limits;
    }
}

/// Why a message is not written.
#[derive(Debug)]
pub struct Refused {
    /// What HTTP calls it.
    pub status: Status,
    /// Why, as a sentence and a word.
    pub why: Refusal,
    /// When it is worth another try.
    retry: Option<Duration>,
}

/// More than may be written at once.
pub fn too_often() -> Refusal {
    Refusal::new(Code::TooOften, "That is too much at once; try again in a moment.")
}

impl Refused {
    /// Nobody may write into this log.
    pub fn read_only() -> Self {
        Self::new(Status::FORBIDDEN, Code::ReadOnly, "This log can only be read.")
    }

    fn new(status: Status, code: Code, why: impl Into<String>) -> Self {
        Self { status, why: Refusal::new(code, why), retry: None }
    }

    fn unfit(status: Status, why: impl Into<String>) -> Self {
        Self::new(status, Code::Unfit, why)
    }

    fn too_often(wait: Duration) -> Self {
        Self { status: Status::TOO_MANY_REQUESTS, why: too_often(), retry: Some(wait) }
    }
}

impl From<Unfit> for Refused {
    fn from(why: Unfit) -> Self {
        let code = match why {
            Unfit::Message => Code::Unfit,
            Unfit::Name => Code::Name,
        };
        Self::new(Status::BAD_REQUEST, code, why.to_string())
    }
}

impl From<WriteError> for Refused {
    fn from(error: WriteError) -> Self {
        let why = format!("The message was not written to this log: {error}.");
        match error.is_for_want_of_room() {
            true => Self::new(Status::INSUFFICIENT_STORAGE, Code::Full, why),
            false => Self::new(Status::SERVICE_UNAVAILABLE, Code::Unwritten, why),
        }
    }
}

impl From<Refused> for Response {
    fn from(refused: Refused) -> Self {
        let response = refused.why.response(refused.status);
        match refused.retry {
            // Whole seconds (RFC 9110 §10.2.3).
            Some(wait) => response.field("Retry-After", wait.as_nanos().div_ceil(1_000_000_000).to_string()),
            None => response,
        }
    }
}

impl Said {
    /// What the body of `request` says: a message as it is, with `who=` in the address, or a form with both in it.
    ///
    /// # Errors
    /// If it is neither.
    pub fn of_request(request: &Request) -> Result<Self, Refused> {
        if !request.has_length() {
            return Err(Refused::unfit(Status::LENGTH_REQUIRED, "A message needs a Content-Length."));
        }
        let kind = request.field("content-type").unwrap_or("text/plain");
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (who, message) = match kind.as_str() {
            "text/plain" => {
                let message = std::str::from_utf8(request.body()).ok().map(str::to_owned);
                (request.queries("who").next(), message.ok_or("A message is text in UTF-8."))
            }
            "application/x-www-form-urlencoded" => {
                let message = request.form("message").next().flatten();
                let words =
                    "A form needs a field message, in UTF-8; text alone goes as Content-Type: text/plain.";
                (request.form("who").next(), message.ok_or(words))
            }
            _ => {
                let words = "A message is text/plain, or a form (application/x-www-form-urlencoded).";
                return Err(Refused::unfit(Status::UNSUPPORTED_MEDIA_TYPE, words));
            }
        };
        let bad = |words: &str| Refused::unfit(Status::BAD_REQUEST, words);
        let who = match who {
            None => None,
            Some(Some(who)) => Some(who),
            Some(None) => {
                let words = "who= takes a name, percent-encoded, in UTF-8.";
                return Err(Refused::new(Status::BAD_REQUEST, Code::Name, words));
            }
        };
        Ok(Self { who, message: message.map_err(bad)? })
    }
}

/// A line as it was written.
#[derive(Debug)]
pub struct Written {
    /// With its newline.
    pub line: String,
    /// The place behind it, if that can be told.
    pub cursor: Option<Cursor>,
}

/// The connection at hand says something in `room`.
///
/// # Errors
/// [`Refused`], and nothing of it can be read by anybody, but where the disk has taken half of it.
pub fn say(said: &Said, room: &Rc<str>, context: &mut Context<'_>) -> Result<Written, Refused> {
    let visitor = context.visitor();
    // Who watches or has let go of it may have been told a moment ago not to see it any more.
    let is_seen = context.logs.resolve(room, &visitor).is_some();
    if !is_seen || !context.logs.is_room(room) || !visitor.may_write() {
        return Err(Refused::read_only());
    }
    let Some(address) = context.peer() else {
        return Err(Refused::new(
            Status::SERVICE_UNAVAILABLE,
            Code::Unwritten,
            "Nobody knows who says that: the connection is gone.",
        ));
    };
    let line = match visitor.name() {
        Some(name) => Said { who: Some(name.to_owned()), message: said.message.clone() },
        None => said.clone(),
    };
    let line = line.line((context.wall_clock)(), address)?;
    let Rooms { limits, rates } = &mut *context.rooms;
    rates.take(&limits.paces, address, context.now).map_err(Refused::too_often)?;
    let cursor = context.logs.write(room, &line, limits.bytes, context.now).map_err(|error| {
        log::warn!("{room}: a message was not written: {error}");
        Refused::from(error)
    })?;
    // Those who watch it see it at once, though nothing else may wake us.
    context.event_loop.tick_at(context.now);
    Ok(Written { line, cursor })
}

/// The answer to a message that came by HTTP.
pub fn answer(said: &Said, room: &Rc<str>, context: &mut Context<'_>) -> Response {
    match say(said, room, context) {
        Ok(Written { line, cursor }) => {
            let response =
                Response::new(Status::CREATED).body("text/plain; charset=utf-8", line.into_bytes());
            match cursor {
                Some(cursor) => response.field("Wiretail-Cursor", cursor.to_string()),
                None => response,
            }
        }
        Err(refused) => refused.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{MAX_BODY, RequestReader};

    fn heard(query: &str, kind: &str, body: &[u8]) -> Result<Said, u16> {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let head = format!(
            "POST /tail/room{query} HTTP/1.1\r\nHost: h\r\n{kind}Content-Length: {}\r\n\r\n",
            body.len()
        );
        let bytes = [head.as_bytes(), body].concat();
        let (request, _) = RequestReader::new().receive_with_body(&bytes, |_| MAX_BODY).unwrap().unwrap();
        Said::of_request(&request).map_err(|refused| refused.status.0)
    }

    fn said(who: Option<&str>, message: &str) -> Result<Said, u16> {
        Ok(Said { who: who.map(str::to_owned), message: message.to_owned() })
    }

    #[test]
    fn a_message_is_text_or_a_form() {
        assert_eq!(heard("", "", b"hello"), said(None, "hello"));
        assert_eq!(
            heard("?who=Ada+L", "Text/Plain; charset=utf-8", "h\u{e9}\n".as_bytes()),
            said(Some("Ada L"), "h\u{e9}\n")
        );
        let form = "application/x-www-form-urlencoded";
        assert_eq!(heard("", form, b"who=ada&message=a+b%26%0Ac&x"), said(Some("ada"), "a b&\nc"));
        assert_eq!(heard("?who=bob", form, b"message="), said(None, ""), "a form says itself who");
    }

    #[test]
    fn what_is_neither_is_refused() {
        let form = "application/x-www-form-urlencoded";
        assert_eq!(heard("", "application/json", b"{}"), Err(415));
        assert_eq!(heard("", "multipart/form-data; boundary=x", b"--x--"), Err(415));
        assert_eq!(heard("", "text/plain", b"\xff"), Err(400));
        assert_eq!(heard("?who=%ff", "text/plain", b"x"), Err(400));
        assert_eq!(heard("", form, b"hello"), Err(400), "what curl -d sends");
        assert_eq!(heard("", form, b"message=%ff"), Err(400));
        assert_eq!(heard("", form, b"message=a&who=%00"), Err(400));
        assert_eq!(heard("", form, b"message=\xff"), Err(400));
    }

    #[test]
    fn a_message_needs_a_length() {
        let head = b"POST /tail/room HTTP/1.1\r\nHost: h\r\n\r\n";
        let (request, _) = RequestReader::new().receive(head).unwrap().unwrap();
        assert_eq!(Said::of_request(&request).unwrap_err().status, Status::LENGTH_REQUIRED);
    }
}
