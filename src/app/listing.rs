//! Somebody who asks for the list of logs, now or when it has changed.
//!
//! ```text
//!   Waiting --- the list has changed, or the time is up --> Making (page by page) --> Answered
//! ```
//!
//! To tell a log's size is to open it, and there may be ten thousand: the answer is made in slices, in its turn among all
//! who have long work. Who says which version of the list they have is told only what has changed since.
//!
//! Knows the list and what HTTP says about an answer's length; not who asks.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::Context;
use super::conversation::Outcome;
use super::logs::Version;
use super::pool::Share;
use super::turns::Slice;
use crate::http::{Length, Response, Status};
use crate::net::Bytes;
use crate::tail::catalogue::Bookmark;

/// So many logs are looked at in a slice, with some six calls to the system each.
const LOGS: usize = 32;
/// So large an answer may be in any case, however much all answers together hold.
const ALWAYS: usize = 64 * 1024;
/// How long the asker may take nothing of the answer before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct ListWish {
    /// The version the asker has, of which it wants the changes; none: it wants the whole list.
    pub since: Option<Version>,
    /// How long it waits for changes.
    pub wait: Duration,
    /// What is told beside the logs.
    pub about: About,
}

/// What is told beside the logs.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// The program's name and version.
    pub server: &'static str,
    /// How many lines a viewer gets who does not say.
    pub lines: usize,
    /// Whether the logs write themselves.
    pub demo: bool,
    /// Who asks, where there are users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// One asker.
#[derive(Debug)]
pub struct Listing {
    wish: ListWish,
    until: Instant,
    phase: Phase,
    keep: bool,
    head_only: bool,
}

#[derive(Debug)]
enum Phase {
    /// For a change, or until its time is up.
    Waiting,
    /// Of an answer.
    Making(Box<Making>),
    /// It is on its way. What it holds counts until it is taken.
    Answered { _share: Share },
}

#[derive(Debug)]
struct Making {
    json: Vec<u8>,
    /// The version that the asker will have.
    version: Version,
    since: Option<Version>,
    removed: Vec<String>,
    after: Option<Bookmark>,
    share: Share,
}

#[derive(Serialize)]
struct Rest<'a> {
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    removed: &'a [String],
    #[serde(flatten)]
    about: &'a About,
}

impl Listing {
    /// Makes the answer, or waits until there is one.
    pub fn begin(wish: ListWish, keep: bool, head_only: bool, context: &mut Context<'_>) -> Self {
        context.event_loop.settle(context.id);
        let until = context.now + wish.wait;
        let mut listing = Self { wish, until, phase: Phase::Waiting, keep, head_only };
        listing.make_or_wait(context);
        listing
    }

    fn make_or_wait(&mut self, context: &mut Context<'_>) {
        if self.wish.since == Some(context.logs.version()) && context.now < self.until {
            self.phase = Phase::Waiting;
            context.logs.await_list(context.id);
            context.wake_at(self.until);
        } else {
            self.make(context);
        }
    }

    fn make(&mut self, context: &mut Context<'_>) {
        let visitor = context.visitor();
        let removed = self.wish.since.and_then(|since| context.logs.removed_since(since, &visitor));
        let known = self.wish.since.filter(|_| removed.is_some());
        let making = Making {
            json: b"{\"logs\":[".to_vec(),
            version: context.logs.version(),
            since: known,
            removed: removed.unwrap_or_default(),
            after: None,
            share: context.answers.share(),
        };
        self.phase = Phase::Making(Box::new(making));
        context.wake_at(context.now + PATIENCE);
        context.turns.add(context.id);
    }

    /// The list has changed.
    pub fn pump(&mut self, context: &mut Context<'_>) {
        if matches!(self.phase, Phase::Waiting) {
            self.make(context);
        }
    }

    /// Gets on with the answer by some logs.
    pub fn work(&mut self, context: &mut Context<'_>) -> Slice {
        let Phase::Making(making) = &mut self.phase else { return Slice::Done };
        let since = making.since.map_or(0, Version::number);
        let visitor = context.gate.visitor(context.id);
        let (infos, next) = context.logs.infos(making.after.as_ref(), since, LOGS, &visitor);
        for info in infos {
            if making.json.last() != Some(&b'[') {
                making.json.push(b',');
            }
            serde_json::to_writer(&mut making.json, &info).expect("strings and numbers always make JSON");
        }
        let modest = making.share.set(making.json.len());
        making.after = next;
        if !modest && making.json.len() > ALWAYS {
            self.refuse(context);
            return Slice::Done;
        }
        if making.after.is_some() {
            return Slice::More;
        }
        // What has changed is nothing that the asker may see: for them, nothing has.
        if making.since.is_some() && making.removed.is_empty() && making.json.last() == Some(&b'[') {
            self.wish.since = Some(making.version);
            if context.now < self.until {
                self.make_or_wait(context);
                return Slice::Done;
            }
        }
        self.answer(context);
        Slice::Done
    }

    fn answer(&mut self, context: &mut Context<'_>) {
        let Phase::Making(making) = std::mem::replace(&mut self.phase, Phase::Waiting) else { return };
        let Making { mut json, version, since, removed, share, .. } = *making;
        let (version, since) = (version.to_string(), since.map(|since| since.to_string()));
        let rest = Rest { version, since, removed: &removed, about: &self.wish.about };
        let rest = serde_json::to_vec(&rest).expect("strings and numbers always make JSON");
        json.extend_from_slice(b"],");
        // Without its brace: these are members of the same object.
        json.extend_from_slice(&rest[1..]);
        let head = Response::new(Status::OK)
            .field("Cache-Control", "no-store")
            .field("Content-Type", "application/json");
        context.send(Bytes::Own(context.dated(head).head_bytes(Length::Known(json.len() as u64), self.keep)));
        if !self.head_only {
            context.send(Bytes::Own(json));
        }
        self.is_on_its_way(share, context);
    }

    /// All answers together are too large for another one.
    fn refuse(&mut self, context: &mut Context<'_>) {
        let words = "Too many answers are on their way; try again in a moment.";
        let response = Response::text(Status::SERVICE_UNAVAILABLE, words).field("Retry-After", "1");
        context.send(Bytes::Own(context.dated(response).into_bytes(self.head_only, self.keep)));
        let share = context.answers.share();
        self.is_on_its_way(share, context);
    }

    fn is_on_its_way(&mut self, share: Share, context: &mut Context<'_>) {
        context.logs.unwatch(context.id);
        context.wake_at(context.now + PATIENCE);
        context.tell_when_drained();
        self.phase = Phase::Answered { _share: share };
    }

    /// Whether the answer has been handed over, and if so whether the connection is kept.
    pub fn answered(&self) -> Option<bool> {
        matches!(self.phase, Phase::Answered { .. }).then_some(self.keep)
    }

    /// The wait is over; or the answer has not been taken for too long.
    pub fn expired(&mut self, context: &mut Context<'_>) -> Outcome {
        match self.phase {
            Phase::Waiting if context.now < self.until => context.wake_at(self.until),
            Phase::Waiting => self.make(context),
            Phase::Making(_) => context.wake_at(context.now + PATIENCE),
            Phase::Answered { .. } => return Outcome::Gone,
        }
        Outcome::Open
    }
}
