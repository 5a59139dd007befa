//! Somebody who logs in: a name and a password are on their way to be looked at, and the answer waits for that.
//!
//! ```text
//!   form --- too often, too many ---------------> the page again, and why
//!      '---- to the helper --- it is wrong -----> the page again
//!                         '--- it is right -----> 303 to where one wanted to go, with a session's cookie
//! ```
//!
//! Knows the gate and what HTTP says; not how a password is looked at.

use std::time::Duration;

use super::Context;
use super::access::NotNow;
use super::access::login::{self, Form, Note};
use super::access::password::Password;
use super::access::sessions::cookie;
use crate::http::{Response, Status};
use crate::net::Bytes;

/// How long it is waited for the helper, and for those who come before: with the hashes that `hash-password` makes, nine looks
/// of tens of milliseconds each.
const PATIENCE: Duration = Duration::from_secs(30);

/// One who waits.
pub struct Entering {
    form: Form,
    /// Whether the connection is to be kept.
    keep: bool,
}

/// Not what was typed.
impl std::fmt::Debug for Entering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entering")
    }
}

impl Entering {
    /// Has the password looked at; the answer at once if that cannot be.
    ///
    /// # Errors
    /// That answer.
    pub fn begin(mut form: Form, keep: bool, context: &mut Context<'_>) -> Result<Self, Response> {
        let typed = std::mem::take(&mut form.password);
        let asked = match context.peer() {
            Some(address) => context.gate.try_password(context.id, &form.name, typed, address, context.now),
            None => Err(NotNow::Busy),
        };
        let note = match asked {
            Ok(()) => {
                context.event_loop.settle(context.id);
                context.wake_at(context.now + PATIENCE);
                return Ok(Self { form, keep });
            }
            // Whole seconds (RFC 9110 §10.2.3).
            Err(NotNow::TooOften(wait)) => Note::TooOften(wait.as_millis().div_ceil(1000) as u64),
            Err(NotNow::Busy) => Note::Busy,
        };
        Err(login::page(&form.frame, &form.name, Some(note)))
    }

    /// The password has been looked at: it is the one of which `right` is kept, or the wrong one. True if the connection is
    /// kept behind the answer.
    pub fn judged(&self, right: Option<&Password>, context: &mut Context<'_>) -> bool {
        let Form { name, frame, secure, .. } = &self.form;
        let peer = context.peer();
        let secret = match (right, peer) {
            (Some(password), Some(address)) => context.gate.log_in(name, password, address, context.now),
            _ => None,
        };
        let response = match secret {
            None => {
                // Whoever watches over the server can act on this. Not the name: people type their password there.
                let address = peer.map_or_else(|| "an unknown address".to_owned(), |peer| peer.to_string());
                log::warn!("a login with a wrong name or password, from {address}");
                login::page(frame, name, Some(Note::Wrong))
            }
            Some(secret) => {
                log::info!("{}: {name} has logged in", context.id);
                let cookie = cookie(Some(&secret), context.site.base(), *secure, context.gate.lifetime());
                Response::new(Status::SEE_OTHER)
                    .field("Location", frame.next.clone())
                    .field("Set-Cookie", cookie)
                    .field("Cache-Control", "no-store")
            }
        };
        context.send(Bytes::Own(context.dated(response).into_bytes(false, self.keep)));
        self.keep
    }

    /// Nobody has looked at it for too long. True if the connection is kept behind the answer.
    pub fn expired(&self, context: &mut Context<'_>) -> bool {
        let page = login::page(&self.form.frame, &self.form.name, Some(Note::Busy));
        context.send(Bytes::Own(context.dated(page).into_bytes(false, self.keep)));
        self.keep
    }
}
