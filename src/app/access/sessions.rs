//! Sessions: who has logged in, from when on and until when.
//!
//! A session is known by a secret that its browser keeps in a cookie; here is only the fingerprint of that, and all of it
//! in memory: a restart ends every session. Knows names of users and instants; not requests, nor what is being watched.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::secret::{Fingerprint, Secret};

/// So many sessions a user may have; when another begins, the one that was used the longest ago ends.
const MOST_OF_ONE: usize = 32;
/// What the cookie is called.
const COOKIE: &str = "wiretail";
/// So many cookies of that name are looked at: one for each path above ours, if other servers are there.
const MOST_COOKIES: usize = 8;

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Without a request.
    pub idle: Duration,
    /// In any case.
    pub longest: Duration,
}

impl Default for Lifetime {
    fn default() -> Self {
        Self { idle: Duration::from_secs(12 * 3600), longest: Duration::from_secs(7 * 86_400) }
    }
}

#[derive(Debug)]
struct Session {
    user: String,
    begun: Instant,
    used: Instant,
}

/// All sessions. At most 32 for each user.
#[derive(Debug, Default)]
pub struct Sessions {
    open: HashMap<Fingerprint, Session>,
}

impl Session {
    /// When it ends, unless it is used before.
    fn end(&self, lifetime: Lifetime) -> Instant {
        (self.used + lifetime.idle).min(self.begun + lifetime.longest)
    }
}

impl Sessions {
    /// `user` has logged in: the secret for the browser, and the session that had to end for it.
    pub fn begin(&mut self, user: &str, now: Instant) -> (Secret, Option<Fingerprint>) {
        let own = || self.open.iter().filter(|(_, session)| session.user == user);
        let oldest = own().min_by_key(|(_, session)| session.used).map(|(key, _)| *key);
        let ended = oldest.filter(|_| own().count() >= MOST_OF_ONE);
        if let Some(ended) = ended {
            self.open.remove(&ended);
        }
        let secret = Secret::new();
        let session = Session { user: user.to_owned(), begun: now, used: now };
        self.open.insert(Fingerprint::of(secret.as_str()), session);
        (secret, ended)
    }

    /// The session that one of these cookies belongs to, and its user; it counts as used.
    pub fn find<'c>(
        &mut self,
        cookies: impl Iterator<Item = &'c str>,
        lifetime: Lifetime,
        now: Instant,
    ) -> Option<(Fingerprint, &str)> {
        let key = cookies
            .flat_map(secrets)
            .take(MOST_COOKIES)
            .map(Fingerprint::of)
            .find(|key| self.open.get(key).is_some_and(|session| now < session.end(lifetime)))?;
        let session = self.open.get_mut(&key)?;
        session.used = session.used.max(now);
        Some((key, &session.user))
    }

    /// Ends one. False if there is none.
    pub fn end(&mut self, key: &Fingerprint) -> bool {
        self.open.remove(key).is_some()
    }

    /// Ends those of which `over` says so, by the name of the user: which they were.
    pub fn end_of(&mut self, over: impl Fn(&str) -> bool) -> Vec<Fingerprint> {
        self.take(|session| over(&session.user))
    }

    /// Ends those whose time is up: which they were.
    pub fn end_expired(&mut self, lifetime: Lifetime, now: Instant) -> Vec<Fingerprint> {
        self.take(|session| now >= session.end(lifetime))
    }

    fn take(&mut self, over: impl Fn(&Session) -> bool) -> Vec<Fingerprint> {
        self.open.extract_if(|_, session| over(session)).map(|(key, _)| key).collect()
    }

    /// When the next one ends if none is used before.
    pub fn next_end(&self, lifetime: Lifetime) -> Option<Instant> {
        self.open.values().map(|session| session.end(lifetime)).min()
    }
}

/// Our cookies' values in a `Cookie` field (RFC 6265 §4.2.1).
fn secrets(field: &str) -> impl Iterator<Item = &str> {
    let pairs = field.split(';').filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// The `Set-Cookie` that gives a browser its secret (RFC 6265 §4.1), or takes it away: `base` is what it is sent with, not
/// to scripts (`HttpOnly`), and not from other sites' pages (`SameSite`). `secure`: over TLS only.
pub fn cookie(secret: Option<&Secret>, base: &str, secure: bool, lifetime: Lifetime) -> String {
    let (value, age) = secret.map_or(("", 0), |secret| (secret.as_str(), lifetime.longest.as_secs()));
    let path = if base.is_empty() { "/" } else { base };
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIFETIME: Lifetime =
        Lifetime { idle: Duration::from_secs(100), longest: Duration::from_secs(1000) };

    fn user(sessions: &mut Sessions, cookie: &str, now: Instant) -> Option<String> {
        sessions.find([cookie].into_iter(), LIFETIME, now).map(|(_, user)| user.to_owned())
    }

    #[test]
    fn a_session_lasts_as_long_as_it_is_used_but_not_for_ever() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let (secret, _) = sessions.begin("ada", start);
        let cookie = format!("wiretail={}", secret.as_str());
        let after = |seconds| start + Duration::from_secs(seconds);
        for seconds in (0..1000).step_by(99) {
            assert_eq!(user(&mut sessions, &cookie, after(seconds)).as_deref(), Some("ada"), "{seconds}");
        }
        assert_eq!(sessions.next_end(LIFETIME), Some(after(1000)));
        assert_eq!(user(&mut sessions, &cookie, after(1000)), None);
        assert_eq!(sessions.end_expired(LIFETIME, after(1000)).len(), 1);

        let (secret, _) = sessions.begin("ada", start);
        let cookie = format!("wiretail={}", secret.as_str());
        assert_eq!(sessions.end_expired(LIFETIME, after(99)), []);
        assert_eq!(user(&mut sessions, &cookie, after(100)), None, "idle for too long");
    }

    #[test]
    fn a_user_has_32_sessions_and_the_one_used_least_makes_room() {
        let (mut sessions, start) = (Sessions::default(), Instant::now());
        let begin = |sessions: &mut Sessions, user| {
            let (secret, ended) = sessions.begin(user, start);
            (format!("a=b; wiretail={}", secret.as_str()), ended)
        };
        let (other, _) = begin(&mut sessions, "bob");
        let all: Vec<String> = (0..32).map(|_| begin(&mut sessions, "ada").0).collect();
        for used in all.iter().filter(|cookie| **cookie != all[7]) {
            user(&mut sessions, used, start + Duration::from_secs(1)).unwrap();
        }
        assert!(begin(&mut sessions, "ada").1.is_some());
        assert_eq!(user(&mut sessions, &all[7], start), None);
        assert_eq!(user(&mut sessions, &all[8], start).as_deref(), Some("ada"));
        assert_eq!(user(&mut sessions, &other, start).as_deref(), Some("bob"));
        assert_eq!(sessions.end_of(|name| name == "ada").len(), 32);
        assert_eq!(user(&mut sessions, &all[8], start), None);
        assert_eq!(user(&mut sessions, &other, start).as_deref(), Some("bob"));
    }

    #[test]
    fn a_cookie_is_found_among_others_and_only_whole() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let (secret, _) = sessions.begin("ada", now);
        let secret = secret.as_str();
        for good in [
            format!("wiretail={secret}"),
            format!("x=y;wiretail={secret}"),
            format!("wiretail=other; \twiretail={secret} ; z"),
        ] {
            assert!(user(&mut sessions, &good, now).is_some(), "{good}");
        }
        for (len, _) in secret.char_indices() {
            assert_eq!(user(&mut sessions, &format!("wiretail={}", &secret[..len]), now), None);
        }
        for bad in [
            format!("Wiretail={secret}"),
            format!("xwiretail={secret}"),
            format!("wiretail=\"{secret}\""),
            format!("{}wiretail={secret}", "wiretail=x;".repeat(8)),
            format!("wiretail={secret}x"),
        ] {
            assert_eq!(user(&mut sessions, &bad, now), None, "{bad}");
        }
    }

    #[test]
    fn a_cookie_is_for_our_path_and_for_no_script() {
        let secret = Secret::new();
        let value = secret.as_str();
        assert_eq!(
            cookie(Some(&secret), "/logs", true, LIFETIME),
            format!("wiretail={value}; Path=/logs; Max-Age=1000; HttpOnly; SameSite=Strict; Secure")
        );
        let gone = cookie(None, "", false, LIFETIME);
        assert_eq!(gone, "wiretail=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    }

    proptest! {
        /// Whatever a `Cookie` says, it opens nothing and breaks nothing.
        #[test]
        fn a_hostile_cookie_opens_nothing(field in "[ -~\t\u{80}-\u{ff}]{0,300}", cut in 0..60usize) {
            let (mut sessions, now) = (Sessions::default(), Instant::now());
            let (secret, _) = sessions.begin("ada", now);
            let whole = format!("wiretail={}", secret.as_str());
            prop_assert_eq!(user(&mut sessions, &field, now), None);
            let torn = format!("{}{field}", &whole[..cut.min(whole.len() - 5)]);
            prop_assert_eq!(user(&mut sessions, &torn, now), None);
            let behind = format!("{};{whole}", field.replace("wiretail=", ""));
            prop_assert_eq!(user(&mut sessions, &behind, now), Some("ada".to_owned()));
        }
    }
}
