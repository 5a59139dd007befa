//! `/ws/echo`: says back what it hears. The smallest use of the protocol core, and what the Autobahn suite talks to.

use super::Context;
use super::conversation::{Conversation, Outcome};
use crate::ws::deflate::Parameters;
use crate::ws::{CloseCode, Limits, Message};

/// One echoing conversation.
#[derive(Debug)]
pub struct Echo {
    conversation: Conversation,
}

impl Echo {
    /// The opening handshake has just been answered.
    pub fn begin(deflate: Option<&Parameters>, context: &mut Context<'_>) -> Self {
        Self { conversation: Conversation::begin(Limits::echo(), deflate, context) }
    }

    /// See [`Conversation::take_rest`].
    pub fn take_rest(&mut self) -> Box<[u8]> {
        self.conversation.take_rest()
    }

    /// Echoes every message in `bytes`.
    pub fn receive(&mut self, bytes: &mut [u8], context: &mut Context<'_>) -> Outcome {
        self.conversation.receive(bytes, context, |connection, message, out| match message {
            Message::Text(text) => connection.send_text(&text, out),
            Message::Binary(bytes) => connection.send_binary(&bytes, out),
        })
    }

    /// See [`Conversation::drained`].
    pub fn drained(&mut self, context: &mut Context<'_>) {
        self.conversation.drained(context);
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
