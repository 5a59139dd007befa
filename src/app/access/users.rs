//! Users: who there is, and what each may see and do.
//!
//! Knows names of logs, groups and jobs as patterns; neither requests nor what there is to see. Time and sessions are for
//! others.

use std::collections::HashMap;
use std::rc::Rc;

use glob::{MatchOptions, Pattern};

use super::password::Password;
use super::secret::Fingerprint;
use crate::tail::catalogue::{LogEntry, LogKind};

/// Patterns of names: `*` stands for anything, a slash as well; capitals matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns(Vec<Pattern>);

impl Patterns {
    /// From their texts.
    ///
    /// # Errors
    /// Which of them, by its place, is none; and why.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, (usize, String)> {
        let parse = |(at, text)| Pattern::new(text).map_err(|error| (at, error.msg.to_owned()));
        texts.into_iter().enumerate().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether one of them is this name's.
    pub fn fit(&self, name: &str) -> bool {
        let options = MatchOptions {
            case_sensitive: true,
            require_literal_separator: false,
            require_literal_leading_dot: false,
        };
        self.0.iter().any(|pattern| pattern.matches_with(name, options))
    }

    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }
}

/// One user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What the user is called, and signs with in rooms.
    pub name: String,
    /// What is kept of the password. Without one, there are only tokens.
    pub password: Option<Password>,
    /// What is kept of the tokens.
    pub tokens: Vec<Fingerprint>,
    /// The logs that may be seen, by their names.
    pub logs: Patterns,
    /// And by their groups.
    pub groups: Patterns,
    /// The jobs that may be seen, started and stopped.
    pub jobs: Patterns,
    /// Whether the user may write into the rooms that are seen.
    pub writes: bool,
}

/// All users.
#[derive(Clone, Debug, Default)]
pub struct Users {
    by_name: HashMap<String, Rc<User>>,
    by_token: HashMap<Fingerprint, Rc<User>>,
    stand_in: Option<Password>,
}

/// Who asks, once that is known.
#[derive(Clone, Debug, Default)]
pub enum Visitor {
    /// Nobody who is known: may see nothing.
    #[default]
    Nobody,
    /// Somebody, where there are no users: may see and do all that there is.
    Anyone,
    /// This user.
    User(Rc<User>),
}

impl Users {
    /// These.
    pub fn new(users: Vec<User>) -> Self {
        let dearest = users.iter().filter_map(|user| user.password.as_ref()).max_by_key(|hash| hash.cost());
        let stand_in = dearest.map(Password::stand_in);
        let users: Vec<Rc<User>> = users.into_iter().map(Rc::new).collect();
        let tokens = users.iter().flat_map(|user| user.tokens.iter().map(|token| (*token, Rc::clone(user))));
        let by_token = tokens.collect();
        let by_name = users.into_iter().map(|user| (user.name.clone(), user)).collect();
        Self { by_name, by_token, stand_in }
    }

    /// Whether there are none: then everybody may do everything.
    pub fn are_none(&self) -> bool {
        self.by_name.is_empty()
    }

    /// The user of this name.
    pub fn named(&self, name: &str) -> Option<&Rc<User>> {
        self.by_name.get(name)
    }

    /// Whose token that is. Looked up by its fingerprint: how long that takes tells nothing about any token.
    pub fn bearing(&self, token: &str) -> Option<&Rc<User>> {
        self.by_token.get(&Fingerprint::of(token))
    }

    /// What a password for `name` is to be compared with: for a name that nobody has, or that has no password, what takes
    /// as long as the dearest does and is never right. None if no user has a password.
    pub fn password(&self, name: &str) -> Option<&Password> {
        self.named(name).and_then(|user| user.password.as_ref()).or(self.stand_in.as_ref())
    }

    /// All of them, by their names.
    pub fn all(&self) -> Vec<&User> {
        let mut all: Vec<&User> = self.by_name.values().map(Rc::as_ref).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }
}

impl User {
    /// Whether a log with this name and group, of this kind, may be seen.
    pub fn sees(&self, name: &str, group: &str, kind: LogKind) -> bool {
        self.logs.fit(name) || self.groups.fit(group) || kind == LogKind::Job && self.jobs.fit(name)
    }
}

impl Visitor {
    /// Whether `log` may be seen.
    pub fn sees(&self, log: &LogEntry) -> bool {
        self.sees_one(&log.name, &log.group, log.kind)
    }

    /// Whether a log with this name and group, that was on the list, might have been seen.
    pub fn saw(&self, name: &str, group: &str) -> bool {
        // The logs of jobs never leave it.
        self.sees_one(name, group, LogKind::File)
    }

    fn sees_one(&self, name: &str, group: &str, kind: LogKind) -> bool {
        match self {
            Self::Nobody => false,
            Self::Anyone => true,
            Self::User(user) => user.sees(name, group, kind),
        }
    }

    /// Whether the job of this name may be started and stopped.
    pub fn may_start(&self, job: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::Anyone => true,
            Self::User(user) => user.jobs.fit(job),
        }
    }

    /// Whether rooms that are seen may be written into.
    pub fn may_write(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::Anyone => true,
            Self::User(user) => user.writes,
        }
    }

    /// The user's name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Nobody | Self::Anyone => None,
            Self::User(user) => Some(&user.name),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A user who may see and do what these say.
    pub(in crate::app::access) fn user(name: &str, logs: &[&str], groups: &[&str], jobs: &[&str]) -> User {
        let patterns = |texts: &[&str]| Patterns::parse(texts.iter().copied()).unwrap();
        let (logs, groups, jobs) = (patterns(logs), patterns(groups), patterns(jobs));
        let name = name.to_owned();
        User { name, password: None, tokens: Vec::new(), logs, groups, jobs, writes: false }
    }

    #[test]
    fn a_user_sees_what_a_name_or_a_group_fits_and_the_jobs_that_may_be_started() {
        let ada = user("ada", &["shop/*", "app.log"], &["web*"], &["deploy"]);
        for (name, group, kind, sees) in [
            ("shop/a.log", "", LogKind::File, true),
            ("shop/deep/er.log", "", LogKind::Room, true),
            ("app.log", "", LogKind::File, true),
            ("App.log", "", LogKind::File, false),
            ("app.log.1", "", LogKind::File, false),
            ("x", "website", LogKind::File, true),
            ("x", "", LogKind::File, false),
            ("deploy", "", LogKind::Job, true),
            ("deploy", "", LogKind::File, false),
            ("other", "jobs", LogKind::Job, false),
        ] {
            assert_eq!(ada.sees(name, group, kind), sees, "{name} {group} {kind:?}");
        }
        assert!(user("all", &["*"], &[], &[]).sees("a/b", "", LogKind::Stdin));
        assert!(!user("none", &[], &["*"], &[]).jobs.fit("deploy"));
    }

    #[test]
    fn nobody_may_do_nothing_and_anyone_everything() {
        let (nobody, anyone) = (Visitor::default(), Visitor::Anyone);
        for (visitor, may) in [(nobody, false), (anyone, true)] {
            assert_eq!([visitor.saw("a", ""), visitor.may_start("a"), visitor.may_write()], [may; 3]);
            assert_eq!(visitor.name(), None);
        }
    }

    #[test]
    fn a_token_is_its_users_and_an_unknown_name_costs_a_look() {
        let hash = Password::of("secret").unwrap();
        let ada = User {
            password: Some(hash.clone()),
            tokens: vec![Fingerprint::of("t1")],
            ..user("ada", &["*"], &[], &[])
        };
        let users = Users::new(vec![ada, user("bot", &["*"], &[], &[])]);
        assert_eq!(users.bearing("t1").map(|user| user.name.as_str()), Some("ada"));
        assert!(users.bearing("t2").is_none());
        assert_eq!(users.password("ada"), Some(&hash));
        for name in ["bot", "nobody", ""] {
            let stand_in = users.password(name).unwrap();
            assert_ne!(stand_in, &hash);
            assert_eq!(stand_in.cost(), hash.cost(), "{name}");
        }
        assert!(Users::default().are_none() && Users::default().password("x").is_none());
    }

    #[test]
    fn a_pattern_that_is_none_is_named_by_its_place() {
        assert_eq!(Patterns::parse(["a", "[", "b"]).unwrap_err().0, 1);
    }
}
