//! Who may ask, and what they may see and do: one gate in front of every page, list, stream, download, job and room.
//!
//! ```text
//!   request -- [`sites`]: not from another site's page --> who is it? --+-- no users: anyone ------------.
//!                                                                       +-- a token, a cookie: that user -+-> [`Visitor`]
//!                                                                       '-- else: 303 to the login, or 401
//! ```
//!
//! A [`Visitor`] is asked for everything else: [`Logs`](super::logs::Logs) shows it no log that it may not see, as if that did not
//! exist. What a connection was let through as, it stays until its next request; when the session ends before, the
//! connection is seen off.
//!
//! Reading order: [`sites`], [`secret`], [`password`], [`users`], [`sessions`], [`attempts`], [`verifier`], this file, and
//! [`login`] (the page and its form).

pub mod attempts;
pub mod login;
pub mod password;
pub mod secret;
pub mod sessions;
pub mod sites;
pub mod users;
pub mod verifier;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::http::Request;
use crate::net::ConnId;
use attempts::Attempts;
use password::Password;
use secret::{Fingerprint, Secret};
use sessions::{Lifetime, Sessions};
use sites::{Denied, Sites};
use users::{User, Users, Visitor};
use verifier::{Question, Verifier};

/// Who may ask, as it is configured.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// By what names we go, and which sites' pages may use us.
    pub sites: Sites,
    /// Who there is. Nobody: everyone may do everything.
    pub users: Users,
    /// How long a login lasts.
    pub lifetime: Lifetime,
}

/// Why a connection is seen off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The session was logged out.
    LoggedOut,
    /// The session's time is up, or it had to end for another one.
    Expired,
    /// The user is gone, or has another password.
    Revoked,
    /// The user may see and do something else now.
    Changed,
}

/// Why a password is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// Too many were tried; worth another try when so long has passed.
    TooOften(Duration),
    /// Too many wait to be looked at.
    Busy,
}

/// By what somebody was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Session(Fingerprint),
    Token(Fingerprint),
}

/// Somebody who was let through on a connection.
#[derive(Debug)]
struct Guest {
    visitor: Visitor,
    pass: Pass,
}

/// The gate.
#[derive(Debug)]
pub struct Gate {
    access: Access,
    sessions: Sessions,
    attempts: Attempts,
    /// None as long as there is no user with a password.
    verifier: Option<Verifier>,
    guests: HashMap<ConnId, Guest>,
    leaving: Vec<(ConnId, Over)>,
    /// No session ends before, if it is not ended.
    look_again: Option<Instant>,
}

impl Gate {
    /// With nobody inside.
    ///
    /// # Errors
    /// When the system refuses the helper that looks at passwords.
    pub fn new(access: Access) -> io::Result<Self> {
        let verifier = if access.users.are_none() { None } else { Some(Verifier::start()?) };
        Ok(Self {
            access,
            sessions: Sessions::default(),
            attempts: Attempts::default(),
            verifier,
            guests: HashMap::new(),
            leaving: Vec::new(),
            look_again: None,
        })
    }

    /// What tells that passwords have been looked at.
    pub fn verifier(&self) -> Option<&Verifier> {
        self.verifier.as_ref()
    }

    /// Whether there are users, so that everybody has to say who they are.
    pub fn asks(&self) -> bool {
        !self.access.users.are_none()
    }

    /// See [`Sites::check`].
    ///
    /// # Errors
    /// Why the request is not let through, whoever sent it.
    pub fn check(&self, request: &Request) -> Result<(), Denied> {
        self.access.sites.check(request)
    }

    /// Who sends `request` on the connection `id`, which holds for what it asks for; none if that is not known, and must be.
    pub fn admit(&mut self, id: ConnId, request: &Request, now: Instant) -> Option<Visitor> {
        self.guests.remove(&id);
        if !self.asks() {
            return Some(Visitor::Anyone);
        }
        let (pass, user) = self.recognise(request, now)?;
        let visitor = Visitor::User(user);
        self.guests.insert(id, Guest { visitor: visitor.clone(), pass });
        Some(visitor)
    }

    /// A token counts more than a cookie: whoever sends a wrong one is to hear of it. What else a proxy may have asked for
    /// and handed on is none of ours.
    fn recognise(&mut self, request: &Request, now: Instant) -> Option<(Pass, Rc<User>)> {
        if let Some(token) = token_of(request) {
            return Some((Pass::Token(Fingerprint::of(token)), Rc::clone(self.access.users.bearing(token)?)));
        }
        let cookies = request.fields("cookie");
        let (key, user) = self.sessions.find(cookies, self.access.lifetime, now)?;
        Some((Pass::Session(key), Rc::clone(self.access.users.named(user)?)))
    }

    /// As whom the connection `id` was let through.
    pub fn visitor(&self, id: ConnId) -> Visitor {
        match self.guests.get(&id) {
            Some(guest) => guest.visitor.clone(),
            None if self.asks() => Visitor::Nobody,
            None => Visitor::Anyone,
        }
    }

    /// The connection is gone.
    pub fn forget(&mut self, id: ConnId) {
        self.guests.remove(&id);
    }

    /// Somebody at `address` says on the connection `id` that they are `name`: has the password looked at.
    ///
    /// # Errors
    /// If that has to wait.
    pub fn try_password(
        &mut self,
        id: ConnId,
        name: &str,
        typed: String,
        address: IpAddr,
        now: Instant,
    ) -> Result<(), NotNow> {
        self.attempts.take(name, address, now).map_err(NotNow::TooOften)?;
        let (Some(verifier), Some(password)) = (&self.verifier, self.access.users.password(name)) else {
            return Err(NotNow::Busy);
        };
        let question = Question { asker: id, password: password.clone(), typed };
        verifier.ask(question).map_err(|()| NotNow::Busy)
    }

    /// The passwords that have been looked at: on which connection, and what is kept of it if it was the right one.
    pub fn verdicts(&mut self) -> Vec<(ConnId, Option<Password>)> {
        self.verifier.as_mut().map(Verifier::answers).unwrap_or_default()
    }

    /// `password` was the right one: `name` is logged in, and gets a secret for the browser. None if it is not that user's
    /// any more.
    pub fn log_in(
        &mut self,
        name: &str,
        password: &Password,
        address: IpAddr,
        now: Instant,
    ) -> Option<Secret> {
        let user = Rc::clone(self.access.users.named(name)?);
        if user.password.as_ref() != Some(password) {
            return None;
        }
        self.attempts.succeeded(name, address);
        let (secret, ended) = self.sessions.begin(&user.name, now);
        ended.into_iter().for_each(|ended| self.see_off(Pass::Session(ended), Over::Expired));
        let end = now + self.access.lifetime.idle.min(self.access.lifetime.longest);
        self.look_again = Some(self.look_again.map_or(end, |then| then.min(end)));
        Some(secret)
    }

    /// The connection `id` wants its session to end: all others that it has are seen off.
    pub fn log_out(&mut self, id: ConnId) {
        let Some(Guest { pass: Pass::Session(key), .. }) = self.guests.remove(&id) else { return };
        self.sessions.end(&key);
        self.see_off(Pass::Session(key), Over::LoggedOut);
    }

    /// How long a login lasts.
    pub fn lifetime(&self) -> Lifetime {
        self.access.lifetime
    }

    fn see_off(&mut self, pass: Pass, why: Over) {
        let gone = self.guests.extract_if(|_, guest| guest.pass == pass).map(|(id, _)| (id, why));
        self.leaving.extend(gone);
    }

    /// Ends the sessions whose time is up.
    pub fn expire(&mut self, now: Instant) {
        if self.look_again.is_none_or(|then| now < then) {
            return;
        }
        for ended in self.sessions.end_expired(self.access.lifetime, now) {
            self.see_off(Pass::Session(ended), Over::Expired);
        }
        self.look_again = self.sessions.next_end(self.access.lifetime);
    }

    /// When to call [`expire`](Self::expire) next.
    pub fn next_look(&self) -> Option<Instant> {
        self.look_again
    }

    /// From now on these may ask, and so much. Whoever is gone or has another password loses sessions and connections; whose
    /// rights have changed has to come back. Whether there are users at all must not change.
    pub fn renew(&mut self, access: Access, now: Instant) {
        let before = std::mem::replace(&mut self.access, access);
        let users = &self.access.users;
        let has_password =
            |user: &User| users.named(&user.name).is_some_and(|new| new.password == user.password);
        let revoked = |name: &str| !before.users.named(name).is_some_and(|user| has_password(user));
        let ended = self.sessions.end_of(revoked);
        for (id, Guest { visitor, pass }) in &self.guests {
            let Visitor::User(user) = visitor else { continue };
            let why = match (users.named(&user.name), pass) {
                (None, _) => Over::Revoked,
                (Some(_), Pass::Session(key)) if ended.contains(key) => Over::Revoked,
                (Some(new), Pass::Token(token)) if !new.tokens.contains(token) => Over::Revoked,
                (Some(new), _) if new != user => Over::Changed,
                (Some(_), _) => continue,
            };
            self.leaving.push((*id, why));
        }
        for (id, _) in &self.leaving {
            self.guests.remove(id);
        }
        self.look_again = Some(now);
    }

    /// The connections that are to be closed, and why. They see nothing more.
    pub fn take_leaving(&mut self) -> Vec<(ConnId, Over)> {
        std::mem::take(&mut self.leaving)
    }
}

/// The token that `request` says who sends it by, known or not.
pub fn token_of(request: &Request) -> Option<&str> {
    request.fields("authorization").find_map(bearer)
}

/// The token in an `Authorization` (RFC 6750 §2.1; the scheme's capitals do not matter, RFC 9110 §11.1).
fn bearer(field: &str) -> Option<&str> {
    let (scheme, token) = field.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_matches(' '))
}

#[cfg(test)]
mod tests;
