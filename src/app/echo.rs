//! `/ws/echo`: says back what it hears. The smallest use of the protocol core, and what the Autobahn suite talks to.

use super::Context;
use super::conversation::{Conversation, Outcome};
use super::pool::Share;
use crate::ws::deflate::Parameters;
use crate::ws::{CloseCode, Limits};

/// When all echoes together hold too much, those that hold no more than this may stay.
const MODEST: usize = 64 * 1024;

/// One echoing conversation.
#[derive(Debug)]
pub struct Echo {
    conversation: Conversation,
    share: Share,
}

impl Echo {
    /// The opening handshake has just been answered.
    pub fn begin(deflate: Option<&Parameters>, context: &mut Context<'_>) -> Self {
        let share = context.echoes.share();
        Self { conversation: Conversation::begin(Limits::echo(), deflate, context), share }
    }

    /// Echoes every message in `bytes`.
    pub fn receive(&mut self, bytes: &mut [u8], context: &mut Context<'_>) -> Outcome {
        let outcome = self.conversation.receive(bytes, context, |connection, message, out| {
            connection.send_message(&message, out);
        });
        // Said now, so that only what the peer does not take counts.
        context.event_loop.say();
        let owned = self.conversation.owned_bytes(context);
        if !self.share.set(owned) && owned > MODEST && outcome == Outcome::Open {
            self.close(CloseCode::TRY_AGAIN_LATER, "all echoes together hold too much", context);
            return Outcome::Over;
        }
        outcome
    }

    /// See [`Conversation::drained`].
    pub fn drained(&mut self, context: &mut Context<'_>) {
        self.conversation.drained(context);
        // It has just got smaller.
        let _ = self.share.set(self.conversation.owned_bytes(context));
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
