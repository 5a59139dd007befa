//! SIGHUP: the settings are read again while the server runs, and what that has changed is said.
//!
//! The catalogue of the new settings is looked at first, in slices; so there is a while between the reading, which may find
//! mistakes, and the change, which is what is told.

use super::CliError;
use super::serve::{Args, Checked, job_sources, understood};
use super::settings::{JobSettings, Settings};
use crate::app::App;
use crate::app::access::users::User;
use crate::app::changes::Changes;
use crate::config::Renewal;
use crate::config::file::Given;

/// So many logs are named; with more the sentence would be no sentence.
const MOST_NAMED: usize = 10;

/// The settings as the server began with, and as they were read last.
pub(super) struct Reread {
    first: Settings,
    last: Settings,
    /// What the last reading has changed beside logs.
    keys: Vec<&'static str>,
}

impl Reread {
    pub(super) fn new(first: Settings) -> Self {
        Self { last: first.clone(), first, keys: Vec::new() }
    }

    /// Reads the settings again, and has `app` go on with them as far as they can be changed while it runs. Says what is
    /// wrong; then everything stays as it is.
    pub(super) fn read(&mut self, args: &Args, app: &mut App) {
        match self.renewal(args, app) {
            Ok(renewal) => app.renew(renewal),
            Err(why) => why.sentences().iter().for_each(|why| {
                log::error!("the settings cannot be read again, so the former ones stay: {why}");
            }),
        }
    }

    fn renewal(&mut self, args: &Args, app: &App) -> Result<Renewal, CliError> {
        let (settings, Checked { access, .. }) = understood(args)?;
        // With them gone everyone might read everything; with the first ones, who is inside would be nobody.
        if settings.users.are_none() != self.first.users.are_none() {
            let what = "whether there are any users ([[user]]) changes with a restart only.";
            return Err(CliError::Usage(what.to_owned()));
        }
        let mut sources: Vec<_> = settings.sources.iter().map(|(source, _)| source.clone()).collect();
        sources.extend(job_sources(&self.jobs(&settings), app.jobs())?);
        if sources.is_empty() {
            return Err(CliError::Usage("no log is named any more.".to_owned()));
        }
        let catalogue = app.next_catalogue(sources).map_err(|why| CliError::Usage(format!("{why}.")))?;
        let later = differing(&fixed(&self.first), &fixed(&settings));
        if !later.is_empty() {
            log::warn!("what was changed of {} holds after a restart only", later.join(", "));
        }
        self.keys = differing(&variable(&self.last), &variable(&settings));
        let lines = usize::try_from(settings.lines.value).unwrap_or(usize::MAX);
        let rooms = settings.rooms;
        self.last = settings;
        Ok(Renewal { access, catalogue, lines, rooms })
    }

    /// The jobs that there are, whose logs are read and shown as is written now: what is to be masked is masked from now on.
    fn jobs(&self, now: &Settings) -> Vec<JobSettings> {
        let same = |job: &JobSettings| now.jobs.iter().find(|other| other.job.name == job.job.name).cloned();
        self.first.jobs.iter().map(|job| same(job).unwrap_or_else(|| job.clone())).collect()
    }

    /// Says that the settings that were read hold now, and what has changed.
    pub(super) fn tell(&mut self, changes: &Changes) {
        log::info!(
            "the settings have been read again: {}",
            sentence(changes, &std::mem::take(&mut self.keys))
        );
    }
}

/// What changes with a restart only, each by its key.
fn fixed(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { port, host, base, tick, inotify, lessons, open_to_network, .. } = settings;
    let jobs: Vec<_> = settings.jobs.iter().map(|given| &given.job).collect();
    let folder = settings.job_folder.as_ref().map(|(folder, _)| folder);
    vec![
        ("port", port.value.to_string()),
        ("host", host.value.clone()),
        ("base", base.value.clone()),
        ("tick", tick.value.clone()),
        ("no_inotify", inotify.to_string()),
        ("no_lessons", lessons.to_string()),
        ("open_to_network", open_to_network.to_string()),
        ("max_connections", settings.max_connections.value.to_string()),
        ("max_per_address", settings.max_per_address.value.to_string()),
        ("job_folder", format!("{folder:?}")),
        ("[[job]]", format!("{jobs:?}")),
    ]
}

/// What changes at once, beside logs.
fn variable(settings: &Settings) -> Vec<(&'static str, String)> {
    let values =
        |all: &[Given<String>]| format!("{:?}", all.iter().map(|given| &given.value).collect::<Vec<_>>());
    vec![
        ("allow_host", values(&settings.allow_host)),
        ("allow_origin", values(&settings.allow_origin)),
        ("lines", settings.lines.value.to_string()),
        ("limits of rooms", format!("{:?}", settings.rooms)),
        ("limits of sessions", format!("{:?}", settings.lifetime)),
        (
            "[[user]]",
            format!(
                "{:?}",
                settings.users.all().into_iter().map(|user| (user, kept(user))).collect::<Vec<_>>()
            ),
        ),
    ]
}

/// What is kept of a user's password; it is compared, not shown.
fn kept(user: &User) -> Option<String> {
    user.password.as_ref().map(ToString::to_string)
}

fn differing(before: &[(&'static str, String)], now: &[(&'static str, String)]) -> Vec<&'static str> {
    before.iter().zip(now).filter(|(before, now)| before != now).map(|((key, _), _)| *key).collect()
}

fn sentence(changes: &Changes, keys: &[&'static str]) -> String {
    let Changes { added, removed, changed } = changes;
    let changed: Vec<String> =
        changed.iter().map(|(name, what)| format!("{name} ({})", what.join(", "))).collect();
    let parts: Vec<String> = [("new", added), ("not served any more", removed), ("changed", &changed)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", listed(names)))
        .chain((!keys.is_empty()).then(|| format!("set anew: {}", keys.join(", "))))
        .collect();
    if parts.is_empty() { "nothing has changed".to_owned() } else { parts.join("; ") }
}

fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(MOST_NAMED);
    let named = names[..names.len() - more].join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_changed_is_one_sentence() {
        assert_eq!(sentence(&Changes::default(), &[]), "nothing has changed");
        let names = |count: usize| (1..=count).map(|number| format!("{number}.log")).collect::<Vec<_>>();
        let changes = Changes {
            added: names(2),
            removed: names(12),
            changed: vec![("a".to_owned(), vec!["redact", "group"])],
        };
        assert_eq!(
            sentence(&changes, &["lines"]),
            "new: 1.log, 2.log; not served any more: 1.log, 2.log, 3.log, 4.log, 5.log, 6.log, 7.log, 8.log, 9.log, \
             10.log and 2 more; changed: a (redact, group); set anew: lines"
        );
    }
}
