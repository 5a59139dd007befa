//! What a viewer tells the server in `wiretail.v1`, parsed strictly.
//!
//! The shape is checked here, what is asked for where it is done: only then an error can say which request it answers.
//! What a message may cost is bounded by its own 16 KiB.

use serde::{Deserialize, Serialize};

use crate::tail::pattern::FilterSpec;

/// How many lines `older` and `newer` give to those who do not say.
pub const LINES: usize = 500;
/// How many hits a search lists for those who do not say.
pub const HITS: usize = 1000;

/// What a viewer tells the server. A request has a number of the viewer's choice, by which its answers are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum FromViewer {
    /// Send nothing until told; nothing is lost, the cursor waits.
    Pause {},
    /// Go on.
    Resume {},
    /// Read nothing for me until told: unlike a pause, this lets go of the log. Where I am is kept.
    Stop {},
    /// Read on where I was stopped.
    Start {},
    /// Write a line into this log, if it is a room.
    Say {
        /// The number of this request.
        id: u32,
        /// What is to be written.
        message: String,
        /// What I call myself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<String>,
    },
    /// Are you there? A page cannot see the protocol's own pings, and needs to know of a dead connection too.
    Ping {},
    /// From now on, only lines that pass these; without any, all lines.
    Filter(Patterns),
    /// The lines before a place, nearest first.
    Older {
        /// The number of this request.
        id: u32,
        /// The cursor that they lie before.
        before: String,
        /// How many.
        #[serde(default = "lines", skip_serializing_if = "is_lines")]
        lines: usize,
    },
    /// The lines behind a place, in their order.
    Newer {
        /// The number of this request.
        id: u32,
        /// The cursor that they lie behind.
        after: String,
        /// How many.
        #[serde(default = "lines", skip_serializing_if = "is_lines")]
        lines: usize,
    },
    /// Where is that?
    Seek {
        /// The number of this request.
        id: u32,
        /// The place, as people say it.
        to: Goal,
    },
    /// All lines of the log's history that pass, nearest first.
    Search(Search),
    /// A request is not needed any more.
    Cancel {
        /// Its number.
        id: u32,
    },
}

/// Which lines are shown: those that match every `grep` and no `not`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patterns {
    /// What must be in a line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grep: Vec<String>,
    /// What must not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<String>,
    /// Whether capitals make no difference.
    #[serde(skip_serializing_if = "is_false")]
    pub ignore_case: bool,
    /// Whether only whole words match.
    #[serde(skip_serializing_if = "is_false")]
    pub words: bool,
    /// Whether the patterns are text rather than regular expressions.
    #[serde(skip_serializing_if = "is_false")]
    pub literal: bool,
}

/// A search; the patterns stand beside its other members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// The number of this request.
    pub id: u32,
    /// See [`Patterns::grep`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grep: Vec<String>,
    /// See [`Patterns::not`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<String>,
    /// See [`Patterns::ignore_case`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub ignore_case: bool,
    /// See [`Patterns::words`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub words: bool,
    /// See [`Patterns::literal`].
    #[serde(default, skip_serializing_if = "is_false")]
    pub literal: bool,
    /// The cursor where the viewer stands: what is near to it is found first. Without it, the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How many hits are listed; the rest are only counted.
    #[serde(default = "hits", skip_serializing_if = "is_hits")]
    pub most: usize,
}

/// A place in a log's history, as people say it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Goal {
    /// The first byte of the oldest file.
    Start {},
    /// Behind the last byte there is.
    End {},
    /// So much of the way through the whole history, 0 to 100.
    Percent(f64),
    /// A line of the newest file, the first being 1.
    Line(u64),
    /// The first line that was not written before then: as times stand in the log, or with an offset or Z.
    Time(String),
    /// A cursor.
    Cursor(String),
}

impl FromViewer {
    /// The number of the request, if it has one.
    pub fn id(&self) -> Option<u32> {
        match self {
            Self::Say { id, .. }
            | Self::Older { id, .. }
            | Self::Newer { id, .. }
            | Self::Seek { id, .. }
            | Self::Cancel { id }
            | Self::Search(Search { id, .. }) => Some(*id),
            Self::Pause {}
            | Self::Resume {}
            | Self::Stop {}
            | Self::Start {}
            | Self::Ping {}
            | Self::Filter(_) => None,
        }
    }
}

impl Search {
    /// What is searched for.
    pub fn patterns(&self) -> Patterns {
        let (grep, not) = (self.grep.clone(), self.not.clone());
        Patterns { grep, not, ignore_case: self.ignore_case, words: self.words, literal: self.literal }
    }
}

impl Patterns {
    /// Whether every line passes.
    pub fn is_empty(&self) -> bool {
        self.grep.is_empty() && self.not.is_empty()
    }

    /// The same for those who match them, and check them.
    pub fn spec(&self) -> FilterSpec {
        let Self { grep, not, ignore_case, words, literal } = self.clone();
        FilterSpec { grep, not, ignore_case, words, literal }
    }
}

fn lines() -> usize {
    LINES
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_lines(lines: &usize) -> bool {
    *lines == LINES
}

fn hits() -> usize {
    HITS
}

fn is_hits(most: &usize) -> bool {
    *most == HITS
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(json: &str) -> FromViewer {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    #[test]
    fn what_viewers_say_is_parsed_strictly() {
        assert_eq!(heard(r#"{"pause":{}}"#), FromViewer::Pause {});
        assert_eq!(heard(r#"{"resume":{}}"#), FromViewer::Resume {});
        assert_eq!(heard(r#"{"stop":{}}"#), FromViewer::Stop {});
        assert_eq!(heard(r#"{"start":{}}"#), FromViewer::Start {});
        for bad in [
            "",
            "pause",
            "{}",
            r#"{"pause":{"now":1}}"#,
            r#"{"halt":{}}"#,
            "[]",
            r#"{"pause":{},"resume":{}}"#,
            r#"{"filter":{"grep":"a"}}"#,
            r#"{"filter":{"id":1}}"#,
            r#"{"filter":{"grep":["a"],"grep":["b"]}}"#,
            r#"{"older":{"id":1}}"#,
            r#"{"older":{"before":"x"}}"#,
            r#"{"older":{"id":1,"before":"x","after":"y"}}"#,
            r#"{"older":{"id":-1,"before":"x"}}"#,
            r#"{"older":{"id":4294967296,"before":"x"}}"#,
            r#"{"older":{"id":1.5,"before":"x"}}"#,
            r#"{"older":{"id":"1","before":"x"}}"#,
            r#"{"newer":{"id":1,"after":"x","lines":-5}}"#,
            r#"{"seek":{"id":1,"to":{}}}"#,
            r#"{"seek":{"id":1,"to":{"start":{},"end":{}}}}"#,
            r#"{"seek":{"id":1,"to":{"percent":"37"}}}"#,
            r#"{"seek":{"id":1,"to":{"percent":1e999}}}"#,
            r#"{"seek":{"id":1,"to":{"line":-1}}}"#,
            r#"{"search":{"id":1,"pattern":"x"}}"#,
            r#"{"search":{"grep":["x"]}}"#,
            r#"{"cancel":{}}"#,
            r#"{"stop":{"id":1}}"#,
            r#"{"say":{"message":"x"}}"#,
            r#"{"say":{"id":1}}"#,
            r#"{"say":{"id":1,"message":null}}"#,
        ] {
            assert!(serde_json::from_str::<FromViewer>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_need_not_be_said_has_its_default() {
        assert_eq!(heard(r#"{"filter":{}}"#), FromViewer::Filter(Patterns::default()));
        let older = FromViewer::Older { id: 1, before: "a.b".into(), lines: 500 };
        assert_eq!(heard(r#"{"older":{"id":1,"before":"a.b"}}"#), older);
        let FromViewer::Search(search) = heard(r#"{"search":{"id":4,"grep":["x"]}}"#) else {
            panic!("it is a search")
        };
        assert_eq!((search.most, search.from.clone()), (1000, None));
        assert_eq!(search.patterns(), Patterns { grep: vec!["x".into()], ..Patterns::default() });
    }

    #[test]
    fn every_message_reads_back_as_it_was_written() {
        let every = [
            r#"{"filter":{"grep":["a"],"not":["b"],"ignore_case":true,"words":true,"literal":true}}"#,
            r#"{"older":{"id":1,"before":"x","lines":7}}"#,
            r#"{"newer":{"id":2,"after":"x","lines":7}}"#,
            r#"{"seek":{"id":3,"to":{"start":{}}}}"#,
            r#"{"seek":{"id":3,"to":{"end":{}}}}"#,
            r#"{"seek":{"id":3,"to":{"percent":37.5}}}"#,
            r#"{"seek":{"id":3,"to":{"line":1234}}}"#,
            r#"{"seek":{"id":3,"to":{"time":"2026-11-25T15:46:00"}}}"#,
            r#"{"seek":{"id":3,"to":{"cursor":"x"}}}"#,
            r#"{"search":{"id":4,"grep":["x"],"not":["y"],"ignore_case":true,"literal":true,"from":"c","most":9}}"#,
            r#"{"cancel":{"id":4294967295}}"#,
            r#"{"say":{"id":5,"message":"a\nb"}}"#,
            r#"{"say":{"id":5,"message":"a","who":"ada"}}"#,
        ];
        for json in every {
            assert_eq!(serde_json::to_string(&heard(json)).unwrap(), json);
        }
    }

    #[test]
    fn a_message_cut_anywhere_is_refused() {
        let json =
            r#"{"search":{"id":4,"grep":["x","y"],"not":["\u20ac"],"words":true,"from":"c","most":9}}"#;
        heard(json);
        for len in 0..json.len() {
            assert!(serde_json::from_str::<FromViewer>(&json[..len]).is_err(), "cut at {len}");
        }
    }
}
