//! `[[user]]` as it is written, checked and understood; and what each user may see, said in words.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::CliError;
use super::mistakes::{Mistakes, complaint};
use super::settings::JobSettings;
use crate::app::access::password::Password;
use crate::app::access::secret::Fingerprint;
use crate::app::access::sessions::Lifetime;
use crate::app::access::users::{Patterns, User, Users};
use crate::app::rooms::line::is_name;
use crate::config::file::Given;
use crate::config::user;
use crate::tail::catalogue::{Catalogue, LogKind};

/// How long a login lasts, in seconds where it is given.
pub(super) fn lifetime(idle: Option<&Given<u64>>, longest: Option<&Given<u64>>) -> Lifetime {
    let default = Lifetime::default();
    let seconds = |given: Option<&Given<u64>>, otherwise: Duration| {
        given.map_or(otherwise, |given| Duration::from_secs(given.value))
    };
    Lifetime { idle: seconds(idle, default.idle), longest: seconds(longest, default.longest) }
}

/// The users of a configuration. What is wrong is noted: a name that cannot be one, or that two have; what is no hash, no
/// token and no pattern.
pub(super) fn users_of(written: &[user::User], mistakes: &mut Mistakes) -> Users {
    let mut places: HashMap<&str, &str> = HashMap::new();
    let mut tokens: HashMap<Fingerprint, &str> = HashMap::new();
    let mut users = Vec::new();
    for given in written {
        let name = &given.name;
        if name.value.trim() != name.value || name.value.is_empty() || !is_name(&name.value) {
            let what =
                "a user's name has at most 32 letters, digits, spaces, and of other characters only - _ . '";
            mistakes.wrong(name, what);
        }
        if let Some(other) = places.insert(&name.value, name.place()) {
            mistakes.wrong(name, &format!("this name is given to another user by {other} already"));
        }
        let user = user_of(given, mistakes);
        for (token, given) in user.tokens.iter().zip(&given.tokens) {
            if let Some(other) = tokens.insert(*token, given.place()) {
                mistakes.note(secretly(given, &format!("this token is given by {other} already")));
            }
        }
        users.push(user);
    }
    Users::new(users)
}

fn user_of(given: &user::User, mistakes: &mut Mistakes) -> User {
    let password = given.password.as_ref().and_then(|given| {
        let password = Password::parse(&given.value);
        mistakes.unless(password.map_err(|why| secretly(given, &why)))
    });
    let token = |given: &Given<String>, mistakes: &mut Mistakes| {
        let what = "this is not the SHA-256 of a token, 64 hexadecimal digits; `wiretail hash-password --token` makes both";
        mistakes.unless(given.value.parse::<Fingerprint>().map_err(|()| secretly(given, what)))
    };
    User {
        name: given.name.value.clone(),
        password,
        tokens: given.tokens.iter().filter_map(|given| token(given, mistakes)).collect(),
        logs: patterns(&given.logs, mistakes),
        groups: patterns(&given.groups, mistakes),
        jobs: patterns(&given.jobs, mistakes),
        writes: given.write,
    }
}

fn patterns(given: &[Given<String>], mistakes: &mut Mistakes) -> Patterns {
    let parsed = Patterns::parse(given.iter().map(|given| given.value.as_str()));
    let understood = parsed.map_err(|(at, why)| {
        complaint(&given[at], &format!("this is no pattern ({why}); \"*\" stands for anything"))
    });
    mistakes.unless(understood).unwrap_or_default()
}

/// A complaint that does not show what was given: it may be the secret itself.
fn secretly(given: &Given<String>, what: &str) -> CliError {
    CliError::Usage(format!("{} …: {what}.", given.by))
}

/// Who may see what, a line for each user. The logs of `jobs` are not in the catalogue.
pub(super) fn report(users: &Users, catalogue: &Catalogue, jobs: &[JobSettings]) -> String {
    let of_files = catalogue.logs().map(|entry| (entry.name.as_str(), entry.group.as_str(), entry.kind));
    let of_jobs = jobs.iter().map(|given| (given.job.name.as_str(), given.group(), LogKind::Job));
    let logs: Vec<_> = of_files.chain(of_jobs).collect();
    let mut report = String::new();
    for user in users.all() {
        let seen = logs.iter().filter(|(name, group, kind)| user.sees(name, group, *kind));
        let seen: Vec<&str> = seen.map(|(name, ..)| *name).collect();
        let started = jobs.iter().map(|given| given.job.name.as_str()).filter(|name| user.jobs.fit(name));
        let started: Vec<&str> = started.collect();
        let by = match (&user.password, user.tokens.len()) {
            (Some(_), 0) => "by password".to_owned(),
            (Some(_), tokens) => {
                format!("by password or {tokens} token{}", if tokens == 1 { "" } else { "s" })
            }
            (None, tokens) => format!("by {tokens} token{}", if tokens == 1 { "" } else { "s" }),
        };
        let rooms = logs.iter().any(|(.., kind)| *kind == LogKind::Room);
        let writes = if user.writes && rooms { ", writes into rooms" } else { "" };
        let starts =
            if started.is_empty() { String::new() } else { format!(", starts {}", started.join(", ")) };
        let sees = match seen.len() {
            0 => "no log".to_owned(),
            all if all == logs.len() => "all logs".to_owned(),
            _ => shortened(&seen),
        };
        let _ = writeln!(report, "user {} ({by}) sees {sees}{writes}{starts}", user.name);
    }
    report
}

/// Some names, and how many more.
fn shortened(names: &[&str]) -> String {
    const MOST: usize = 8;
    let named = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(MOST).filter(|&more| more > 0) {
        Some(more) => format!("{named} and {more} more"),
        None => named,
    }
}
