//! A WebSocket connection as the program holds it: the protocol's state, a pulse, and the end.
//!
//! Knows the protocol core and the clock as an argument; not what the messages mean.

use std::time::{Duration, Instant};

use super::Context;
use super::pulse::{Pulse, Verdict};
use crate::net::Bytes;
use crate::ws::{CloseCode, Connection, Event, Input, Limits, Message};

/// How long the peer may take to answer our close frame.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// What becomes of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Open,
    /// Everything is said: write what is owed, then close TCP, which is the server's to do first (RFC 6455 §7.1.1).
    Over,
    /// The peer is gone.
    Gone,
}

/// One WebSocket conversation of the server's.
#[derive(Debug)]
pub struct Conversation {
    connection: Connection,
    pulse: Pulse,
    /// Since when we wait for the answer to our close frame.
    closing: Option<Instant>,
}

impl Conversation {
    /// The opening handshake has just been answered. The first pulse is taken in 15 s.
    pub fn begin(limits: Limits, context: &mut Context<'_>) -> Self {
        let mut pulse = Pulse::new(context.now);
        if let Verdict::Fine(when) = pulse.check(context.now) {
            context.wake_at(when);
        }
        Self { connection: Connection::server(limits), pulse, closing: None }
    }

    /// Whether data may still be sent.
    pub fn may_send(&self) -> bool {
        self.connection.may_send()
    }

    /// Hands what came to the protocol, and every message to `heard`, which may answer through the connection and the
    /// output it is given.
    ///
    /// While the peer has not taken what it was sent before, only its latest ping is kept to be answered (§5.5.3).
    pub fn receive(
        &mut self,
        bytes: &mut [u8],
        context: &mut Context<'_>,
        mut heard: impl FnMut(&mut Connection, Message<'_>, &mut Vec<u8>),
    ) -> Outcome {
        self.pulse.heard(context.now);
        let mut out = Vec::new();
        let mut outcome = Outcome::Open;
        self.connection.hold_pongs(context.is_stuck(), &mut out);
        let mut input = Input::new(bytes);
        while let Some(event) = self.connection.receive(&mut input, &mut out) {
            match event {
                Event::Message(message) => heard(&mut self.connection, message, &mut out),
                Event::Ping(_) | Event::Pong(_) => {}
                Event::Closed(closed) => {
                    log::debug!("{}: closed: {closed:?}", context.id);
                    outcome = Outcome::Over;
                }
            }
        }
        if !out.is_empty() {
            context.send(Bytes::Own(out));
        }
        outcome
    }

    /// The peer took everything: a sign of life, and the moment for a pong that waited.
    pub fn drained(&mut self, context: &mut Context<'_>) {
        self.pulse.heard(context.now);
        self.say(context, |connection, out| connection.hold_pongs(false, out));
    }

    /// Takes the pulse, or gives up on a peer that does not answer our close.
    pub fn expired(&mut self, context: &mut Context<'_>) -> Outcome {
        if self.closing.is_some() {
            return Outcome::Over;
        }
        match self.pulse.check(context.now) {
            Verdict::Fine(when) => context.wake_at(when),
            Verdict::Ping(when) => {
                self.say(context, |connection, out| connection.send_ping(b"", out));
                context.wake_at(when);
            }
            Verdict::Gone => return Outcome::Gone,
        }
        Outcome::Open
    }

    /// Starts the closing handshake; the peer has 2 s to answer.
    pub fn close(&mut self, code: CloseCode, reason: &str, context: &mut Context<'_>) {
        if self.closing.is_none() {
            self.closing = Some(context.now);
            self.say(context, |connection, out| connection.close(code, reason, out));
            context.wake_at(context.now + CLOSE_WITHIN);
        }
    }

    fn say(&mut self, context: &mut Context<'_>, what: impl FnOnce(&mut Connection, &mut Vec<u8>)) {
        let mut out = Vec::new();
        what(&mut self.connection, &mut out);
        if !out.is_empty() {
            context.send(Bytes::Own(out));
        }
    }
}
