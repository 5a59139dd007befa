//! Somebody watching a log: a cursor, a dialect, and a conversation.
//!
//! There is no queue here. What a viewer has not been sent is in the file (or in the log's shared window), and the
//! viewer only remembers how far it got, so a slow one costs no more than a fast one.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Context;
use super::conversation::{Conversation, Outcome};
use super::wire::{self, Dialect, FromServer, FromViewer};
use crate::net::Bytes;
use crate::tail::{Position, Start, Step};
use crate::ws::{CloseCode, Connection, Limits, Message};

/// How often, at most, a viewer is told how far it lags.
const LAG_EVERY: Duration = Duration::from_millis(500);

/// What a viewer asked for when it came.
#[derive(Debug)]
pub struct Wish {
    /// The log's name.
    pub log: Rc<str>,
    /// Where to start.
    pub start: Start,
    /// How many lines before the end were asked for; told back in `hello`.
    pub lines: usize,
    /// Whether to stay when everything has been sent.
    pub follow: bool,
    /// How to speak.
    pub dialect: Dialect,
}

/// Whether the viewer wants to be sent anything now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Running,
    Paused,
}

/// One viewer of one log.
#[derive(Debug)]
pub struct Viewer {
    conversation: Conversation,
    log: Rc<str>,
    position: Position,
    dialect: Dialect,
    follow: bool,
    flow: Flow,
    /// The lag this viewer was told last, and when.
    told_lag: (u64, Instant),
}

impl Viewer {
    /// The opening handshake has just been answered: starts reading where the viewer wished.
    /// `None` when the log has vanished from the catalogue in between.
    pub fn begin(wish: Wish, context: &mut Context<'_>) -> Option<Self> {
        limit_send_buffer(context);
        let watched = context.logs.watch(&wish.log, context.id, context.now)?;
        let position = watched.feed.start(&wish.start);
        let hello = FromServer::Hello {
            name: wish.log.to_string(),
            cursor: watched.feed.cursor(&position).to_string(),
            size: watched.feed.size(),
            lines: wish.lines,
            server: super::routes::SERVER.to_owned(),
        };
        if wish.dialect == Dialect::V1 {
            context.send(Bytes::Own(hello.to_frame()));
        }
        let mut viewer = Self {
            conversation: Conversation::begin(Limits::default(), context),
            log: wish.log,
            position,
            dialect: wish.dialect,
            follow: wish.follow,
            flow: Flow::Running,
            told_lag: (0, context.now),
        };
        viewer.pump(context);
        Some(viewer)
    }

    /// Sends the next piece if there is one and nothing is still on its way: at most 64 KiB of log text.
    pub fn pump(&mut self, context: &mut Context<'_>) {
        if !self.conversation.may_send() {
            return;
        }
        let Some(watched) = context.logs.watched(&self.log) else { return };
        let newest = watched.feed.newest();
        // Markers are small, and some have no words in the plain dialect: go on behind them.
        while self.flow == Flow::Running && context.event_loop.unsent(context.id) == 0 {
            match watched.feed.next(&self.position, context.now) {
                Step::Piece(piece, position) => {
                    self.position = position;
                    if let Some(frame) = wire::frame_of(&piece, self.dialect) {
                        context.event_loop.send(context.id, Bytes::Shared(frame.front));
                        if let Some(text) = frame.text {
                            context.event_loop.send(context.id, Bytes::Shared(text));
                        }
                    }
                }
                Step::UpToDate => break,
            }
        }
        let lag = watched.feed.lag(&self.position);
        if watched.feed.newest() != newest {
            // What this viewer was the first to read is news to those who wait.
            context.logs.note_news(&self.log);
        }
        self.tell_lag(lag, context);
        if !self.follow && lag == 0 && context.unsent() == 0 {
            self.end(context);
        }
    }

    /// Everything that was there has been sent, and the viewer did not want to wait for more.
    fn end(&mut self, context: &mut Context<'_>) {
        if self.dialect == Dialect::V1 {
            context.send(Bytes::Own(FromServer::End {}.to_frame()));
        }
        self.conversation.close(CloseCode::NORMAL, "", context);
    }

    /// Tells a viewer that lags or pauses how far it is behind, twice a second at most, and only when everything before
    /// has been taken: a viewer that reads nothing is told nothing.
    fn tell_lag(&mut self, lag: u64, context: &mut Context<'_>) {
        let (told, when) = self.told_lag;
        let caught_up = lag == 0 && told > 0;
        let due = lag != told && context.now >= when + LAG_EVERY;
        if self.dialect == Dialect::V1 && context.unsent() == 0 && (caught_up || due) {
            self.told_lag = (lag, context.now);
            context.send(Bytes::Own(FromServer::Behind { bytes: lag }.to_frame()));
        }
    }

    /// Hears what the viewer says.
    pub fn receive(&mut self, bytes: &mut [u8], context: &mut Context<'_>) -> Outcome {
        let dialect = self.dialect;
        let mut flow = self.flow;
        let outcome = self.conversation.receive(bytes, context, |connection, message, out| {
            flow = hear(dialect, flow, connection, &message, out);
        });
        self.flow = flow;
        if outcome == Outcome::Open {
            self.pump(context);
        }
        outcome
    }

    /// See [`Conversation::drained`]; then the next piece.
    pub fn drained(&mut self, context: &mut Context<'_>) {
        self.conversation.drained(context);
        self.pump(context);
    }

    /// See [`Conversation::expired`].
    pub fn expired(&mut self, context: &mut Context<'_>) -> Outcome {
        self.conversation.expired(context)
    }

    /// See [`Conversation::close`].
    pub fn close(&mut self, code: CloseCode, reason: &str, context: &mut Context<'_>) {
        self.conversation.close(code, reason, context);
    }
}

/// What a message changes, and what is answered to it.
fn hear(
    dialect: Dialect,
    flow: Flow,
    connection: &mut Connection,
    message: &Message<'_>,
    out: &mut Vec<u8>,
) -> Flow {
    let Message::Text(text) = message else { return flow };
    match dialect {
        // Older clients keep their connections awake like this.
        Dialect::Plain if text == "ping" => connection.send_text("pong", out),
        Dialect::Plain => {}
        Dialect::V1 => match serde_json::from_str(text) {
            Ok(FromViewer::Pause {}) => return Flow::Paused,
            Ok(FromViewer::Resume {}) => return Flow::Running,
            Err(error) => {
                let message = format!("This is not a message of {}: {error}.", wire::V1);
                connection.send_text(&FromServer::Error { message }.to_json(), out);
            }
        },
    }
    flow
}

/// Keeps the kernel from storing megabytes for a slow viewer: they would cost memory, delay the answer to a ping past
/// its time, and have to be sent again when the viewer returns. What waits, waits in the file.
fn limit_send_buffer(context: &Context<'_>) {
    const SEND_BUFFER: usize = 128 * 1024;
    if let Some(socket) = context.event_loop.socket(context.id)
        && let Err(error) = rustix::net::sockopt::set_socket_send_buffer_size(socket, SEND_BUFFER)
    {
        log::debug!("{}: the send buffer keeps its size: {error}", context.id);
    }
}
