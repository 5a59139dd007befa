//! What becomes of connections when it changes who they are: a password has been looked at, a session is over.
//!
//! The gate decides that; here it is carried out.

use super::App;
use super::access::Over;
use crate::net::ConnId;
use crate::ws::CloseCode;

impl App {
    /// Somebody is told that this is the end, and why, and comes back if they like.
    pub(super) fn farewell(&mut self, id: ConnId, why: &str) {
        self.converse(id, |session, context, _| session.farewell(CloseCode::GOING_AWAY, why, context));
    }

    /// Who watches what they may not see any more, as it belongs to another group now.
    pub(super) fn trespassers(&self) -> Vec<ConnId> {
        if self.gate.asks() { self.logs.trespassers(|id| self.gate.visitor(id)) } else { Vec::new() }
    }

    /// Who was let through and may not stay is told, and let go.
    pub(super) fn see_off(&mut self) {
        for (id, over) in self.gate.take_leaving() {
            let (code, why) = match over {
                Over::LoggedOut => (CloseCode::POLICY_VIOLATION, "you have been logged out"),
                Over::Expired => (CloseCode::POLICY_VIOLATION, "your session is over; log in again"),
                Over::Revoked => (CloseCode::POLICY_VIOLATION, "your login holds no longer; log in again"),
                Over::Changed => (CloseCode::GOING_AWAY, "what you may see has changed; come back"),
            };
            // Between two requests there is nothing to be seen, and the next one has to get through by itself.
            if self.sessions.get(id).is_some_and(|session| !session.is_asking()) {
                self.attend(id, |app, id| {
                    app.converse(id, |session, context, _| session.farewell(code, why, context));
                });
            }
        }
    }

    /// Passwords have been looked at: who waited for that has an answer.
    pub(super) fn hear_verdicts(&mut self) {
        for (id, right) in self.gate.verdicts() {
            self.attend(id, |app, id| {
                app.converse(id, |session, context, _| session.judged(right.as_ref(), context));
                app.event_loop.read_later(id);
            });
        }
    }
}
