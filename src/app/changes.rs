//! What has become of the logs when the settings were read again, for those who look after the server.
//!
//! Knows two catalogues; not where their sources were written, nor who hears of it.

use std::rc::Rc;

use crate::tail::catalogue::{Catalogue, LogEntry};

/// What is another in the new catalogue than in the old one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The names of logs that have come.
    pub added: Vec<String>,
    /// The names of those that have gone.
    pub removed: Vec<String>,
    /// The names of those that have stayed, and what of them has changed.
    pub changed: Vec<(String, Vec<&'static str>)>,
}

impl Changes {
    /// From `before` to `now`.
    // O(all logs), once a signal.
    pub fn between(before: &Catalogue, now: &Catalogue) -> Self {
        let mut changes = Self::default();
        for entry in before.logs() {
            match now.find(&entry.name) {
                None => changes.removed.push(entry.name.clone()),
                Some(later) => {
                    let what = differences(entry, later);
                    if !what.is_empty() {
                        changes.changed.push((entry.name.clone(), what));
                    }
                }
            }
        }
        let added = now.logs().filter(|entry| before.find(&entry.name).is_none());
        changes.added = added.map(|entry| entry.name.clone()).collect();
        changes
    }
}

/// What of a log is another, each by the word it is set with.
fn differences(before: &LogEntry, now: &LogEntry) -> Vec<&'static str> {
    let encoding = before.lens.encoding() != now.lens.encoding();
    let all = [
        ("path", !is_same_file(before, now)),
        ("encoding", encoding),
        ("redact", !encoding && !before.lens.is_like(&now.lens)),
        ("name", before.name != now.name),
        ("aliases", before.aliases != now.aliases),
        ("group", before.group != now.group),
        ("writable", before.kind != now.kind),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}

fn is_same_file(one: &LogEntry, other: &LogEntry) -> bool {
    let same_folder = Rc::ptr_eq(&one.root, &other.root) || one.root.path() == other.root.path();
    match same_folder {
        true => one.rel == other.rel,
        // One source may have found it beneath another folder.
        false => one.root.path().join(&one.rel) == other.root.path().join(&other.rel),
    }
}

/// Whether who watches the one may go on with the other: it is the same file, and reads the same.
pub fn is_kept(before: &LogEntry, now: &LogEntry) -> bool {
    is_same_file(before, now) && before.lens.is_like(&now.lens)
}
