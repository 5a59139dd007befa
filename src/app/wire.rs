//! The tail sub-protocol `wiretail.v1`, as both sides speak it; `docs/protocol.md` is its reference.
//!
//! Knows JSON and frames; no sockets, no files. Every message is one line of JSON with one key, its kind; `lines`, `older`
//! and `newer` have a newline and the raw text of the log behind it, so that log text is never escaped.
//!
//! What the server says is here; what viewers ask is in [`asked`], what is answered to that in [`answers`], how pieces of a
//! log become frames in [`framer`], what cannot be done in [`refusal`], and what else HTTP carries in [`form`].

pub mod answers;
pub mod asked;
pub mod form;
pub mod framer;
pub mod refusal;

use serde::{Deserialize, Serialize};

use crate::tail::GapReason;
use crate::ws::{Opcode, frame};

pub use asked::{FromViewer, Goal, Patterns, Search};
pub use form::Form;
pub use framer::{Coding, Dialect, Framer, Frames, SharedFrame};
pub use refusal::{Code, Refusal};

/// The name under which the sub-protocol is negotiated (RFC 6455 §1.9).
pub const V1: &str = "wiretail.v1";

/// Program and version, as told to clients.
pub const SERVER: &str = concat!("wiretail ", env!("CARGO_PKG_VERSION"));

/// What the server tells a viewer. Cursors are opaque tokens: a client keeps the last one it has dealt with, and
/// resumes with `?from=`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FromServer {
    /// The first message: what is being watched, and where reading starts.
    Hello {
        /// The log's name in the catalogue.
        name: String,
        /// Where reading starts.
        cursor: String,
        /// The file's size in bytes, where there is a file.
        size: Option<u64>,
        /// How many lines before the end were asked for.
        lines: usize,
        /// Program and version.
        server: String,
        /// What the bytes of the log are taken for, by its name in the WHATWG's list: `UTF-8`.
        #[serde(default = "utf_8")]
        encoding: String,
        /// Whether parts of the log are masked.
        #[serde(default)]
        redacted: bool,
        /// Whether a filter of the address is on.
        #[serde(default)]
        filter: bool,
        /// Whether viewers may write into the log.
        #[serde(default, skip_serializing_if = "is_false")]
        writable: bool,
        /// Under a filter: whether fewer lines than wanted were found where they were looked for, and more may lie before.
        #[serde(default, skip_serializing_if = "is_false")]
        bounded: bool,
    },
    /// Log text follows behind a newline. It need not end with a line: the next `lines` goes on in place.
    Lines {
        /// The cursor before the text.
        from: String,
        /// The cursor behind it.
        to: String,
        /// The number of bytes of the source it stands for.
        bytes: u64,
    },
    /// The file was replaced; what follows is of its successor.
    Rotated {
        /// The beginning of the successor.
        cursor: String,
    },
    /// The file was cut off; what follows is what was written since.
    Truncated {
        /// The beginning of what follows.
        cursor: String,
    },
    /// Bytes that this viewer was due are not to be had any more, or are nothing but a hole.
    Gap {
        /// The cursor before them.
        from: String,
        /// The cursor behind them.
        to: String,
        /// How many, where that can be known.
        bytes: Option<u64>,
        /// Why they are missing.
        why: GapWhy,
    },
    /// There is no file, for now.
    Missing {
        /// Why, as a sentence.
        why: String,
    },
    /// There is a file again.
    Back {},
    /// How far this viewer lags; 0 when it has caught up.
    Behind {
        /// Bytes between it and the end.
        bytes: u64,
    },
    /// All that was there has been sent (`follow=0`); the connection closes with 1000.
    End {},
    /// The answer to a `ping`.
    Pong {},
    /// The answer to a `stop`: nothing is read for this viewer now.
    Stopped {
        /// Where it will go on.
        cursor: String,
    },
    /// The answer to a `start`.
    Started {
        /// Where it goes on.
        cursor: String,
    },
    /// The answer to a `say`: it is written. The line itself comes as all lines do.
    Said {
        /// The number of the request.
        id: u32,
        /// The place behind the line, if that can be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// The answer to a `filter`: what follows is judged by it.
    Filtered {
        /// Where the viewer stands.
        cursor: String,
        /// Whether there is a filter now.
        active: bool,
    },
    /// Lines before those that were given already; log text follows behind a newline.
    Older(Stretch),
    /// Lines behind those that were given already; log text follows behind a newline.
    Newer(Stretch),
    /// Where that is.
    Place(Place),
    /// Lines that were found.
    Hits {
        /// The number of the search.
        id: u32,
        /// The nearest first.
        hits: Vec<Hit>,
    },
    /// The numbers of lines that were told without one.
    Numbers {
        /// The number of the request that they were told for.
        id: u32,
        /// Which of its hits, from 0, in the order in which they were told (a place is 0), and the line's number.
        lines: Vec<[u64; 2]>,
    },
    /// How far a request has come.
    Progress(Progress),
    /// A request has come to its end.
    Done(Done),
    /// What the viewer said was not understood, or cannot be done.
    Error {
        /// The number of the request that ends with this, if it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u32>,
        /// Why, as a word.
        #[serde(default, skip_serializing_if = "Code::is_other")]
        code: Code,
        /// Why, as a sentence.
        message: String,
    },
}

/// Why bytes are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GapWhy {
    /// They were in a file that was rotated away and is not to be found.
    Rotated,
    /// They were cut off.
    Truncated,
    /// They were never written: a sparse file's hole.
    Hole,
    /// They are in a compressed file that is damaged, or too large.
    Archive,
    /// Nobody can say.
    Unknown,
}

/// A part of the history, as `older` and `newer` give it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The number of the request.
    pub id: u32,
    /// The cursor before it.
    pub from: String,
    /// The cursor behind it.
    pub to: String,
    /// The number of bytes of the source that it stands for, where that can be known.
    pub bytes: Option<u64>,
    /// If it begins with a file's first byte and another file lies before: how the one took the place of the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Begins>,
    /// If its bytes cannot be had: why. Then there is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<GapWhy>,
}

/// How a file took the place of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Begins {
    /// Another file was put there.
    Rotated,
    /// The file was cut to nothing.
    Truncated,
}

/// What a `seek` has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The number of the request.
    pub id: u32,
    /// The place.
    pub cursor: String,
    /// The number of the line that begins there, in its file, if it is known.
    pub line: Option<u64>,
    /// How many bytes lie before it in its file.
    pub byte: u64,
    /// The file's name.
    pub file: String,
    /// Whether that is what was asked for, rather than what comes next to it.
    pub exact: bool,
}

/// One line that a search has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Where the line begins.
    pub cursor: String,
    /// Its number in its file, if that is known.
    pub line: Option<u64>,
    /// How many bytes lie before it in its file.
    pub byte: u64,
    /// The file's name.
    pub file: String,
    /// The line, or 1 KiB of it around the first match.
    pub text: String,
    /// What matched: from where to where in `text`, in UTF-16 units, as a page counts.
    pub marks: Vec<[u32; 2]>,
    /// Where it lies in the whole history, from 0 to 1.
    pub at: f64,
}

/// How far a request has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The number of the request; none while the log is being opened.
    pub id: Option<u32>,
    /// What is being done.
    pub what: Activity,
    /// Bytes dealt with.
    pub done: u64,
    /// Bytes in all, as far as is known.
    pub total: u64,
    /// Lines found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// How many of them lie in each part of the history, from its beginning to its end; empty if nothing is looked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub map: Vec<u32>,
}

/// What takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activity {
    /// Looking for lines.
    Searching,
    /// Unpacking a compressed file.
    Unpacking,
    /// Counting lines.
    Counting,
}

/// The end of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The number of the request.
    pub id: u32,
    /// Whether there is more: lines before or behind those given, or hits that were only counted.
    #[serde(default)]
    pub more: bool,
    /// Of a search: the lines found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Whether it was given up: cancelled, or replaced by another.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cancelled: bool,
    /// What there is to say of it, a sentence: that the place it was given is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Hit {
    /// As `grep -Hn` prints it. Where the number of a line is not known, its offset says where it is.
    pub fn to_line(&self) -> String {
        let number = self.line.map_or_else(|| format!("+{}", self.byte), |line| line.to_string());
        format!("{}:{number}:{}\n", self.file, self.text)
    }
}

impl FromServer {
    /// The message as one line of JSON, without log text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always make JSON")
    }

    /// The message as a finished text frame.
    pub fn to_frame(&self) -> Vec<u8> {
        text_frame(&self.to_json(), 0)
    }

    /// The beginning of a text frame that has a newline and so many bytes of log text behind the message.
    pub fn before_text(&self, text: usize) -> Vec<u8> {
        text_frame(&(self.to_json() + "\n"), text)
    }

    /// Takes a text message apart: what it says, and the log text behind it. `None` for a kind of message that a newer
    /// server may send, and that is to be ignored.
    ///
    /// # Errors
    /// When its first line is not a message of this protocol.
    pub fn parse(message: &str) -> Result<Option<(Self, &str)>, serde_json::Error> {
        let (json, text) = message.split_once('\n').unwrap_or((message, ""));
        match serde_json::from_str(json) {
            Ok(said) => Ok(Some((said, text))),
            // The only way in which serde says which of the errors it is.
            Err(error) if error.to_string().starts_with("unknown variant") => {
                serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json).map(|_| None)
            }
            Err(error) => Err(error),
        }
    }
}

impl GapWhy {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::Truncated => "truncated",
            Self::Hole => "hole",
            Self::Archive => "archive",
            Self::Unknown => "unknown",
        }
    }
}

impl From<GapReason> for GapWhy {
    fn from(reason: GapReason) -> Self {
        match reason {
            GapReason::Rotated => Self::Rotated,
            GapReason::Truncated => Self::Truncated,
            GapReason::Hole => Self::Hole,
            GapReason::Archive => Self::Archive,
            GapReason::Unknown => Self::Unknown,
        }
    }
}

/// A text frame's header and the first part of its payload; `more` bytes of payload follow elsewhere.
fn text_frame(front: &str, more: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(front.len() + 10);
    bytes.extend_from_slice(&frame::server_header(Opcode::Text, front.len() + more));
    bytes.extend_from_slice(front.as_bytes());
    bytes
}

fn utf_8() -> String {
    "UTF-8".to_owned()
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_with_one_key() {
        let gap = FromServer::Gap { from: "a".into(), to: "b".into(), bytes: None, why: GapWhy::Rotated };
        assert_eq!(gap.to_json(), r#"{"gap":{"from":"a","to":"b","bytes":null,"why":"rotated"}}"#);
        assert_eq!(FromServer::Back {}.to_json(), r#"{"back":{}}"#);
        let odd = FromServer::Missing { why: "a \"b\"\nc".into() };
        assert_eq!(odd.to_json().lines().count(), 1, "a newline in a sentence stays escaped");
    }

    #[test]
    fn log_text_follows_behind_the_first_newline_untouched() {
        let message = "{\"lines\":{\"from\":\"a\",\"to\":\"b\",\"bytes\":9}}\n{\"x\"}\nmore\n";
        let (lines, text) = FromServer::parse(message).unwrap().unwrap();
        assert_eq!(lines, FromServer::Lines { from: "a".into(), to: "b".into(), bytes: 9 });
        assert_eq!(text, "{\"x\"}\nmore\n");
    }

    #[test]
    fn what_the_page_counts_on_is_spelled_like_this() {
        let stretch = Stretch {
            id: 1,
            from: "a".into(),
            to: "b".into(),
            bytes: Some(9),
            begins: Some(Begins::Rotated),
            gap: None,
        };
        let progress = Progress {
            id: Some(4),
            what: Activity::Searching,
            done: 1,
            total: 2,
            count: Some(17),
            map: vec![0, 3],
        };
        let hit = Hit {
            cursor: "c".into(),
            line: Some(12),
            byte: 3456,
            file: "app.log".into(),
            text: "x\ny".into(),
            marks: vec![[0, 1]],
            at: 0.73,
        };
        let place = Place {
            id: 3,
            cursor: "c".into(),
            line: None,
            byte: 5678,
            file: "app.log.1".into(),
            exact: true,
        };
        let done = Done { id: 4, more: false, count: Some(17), cancelled: false, note: None };
        let cancelled = Done { count: None, cancelled: true, ..done.clone() };
        for (message, json) in [
            (
                FromServer::Filtered { cursor: "c".into(), active: true },
                r#"{"filtered":{"cursor":"c","active":true}}"#,
            ),
            (
                FromServer::Older(stretch.clone()),
                r#"{"older":{"id":1,"from":"a","to":"b","bytes":9,"begins":"rotated"}}"#,
            ),
            (
                FromServer::Newer(Stretch { begins: None, bytes: None, gap: Some(GapWhy::Hole), ..stretch }),
                r#"{"newer":{"id":1,"from":"a","to":"b","bytes":null,"gap":"hole"}}"#,
            ),
            (
                FromServer::Place(place),
                r#"{"place":{"id":3,"cursor":"c","line":null,"byte":5678,"file":"app.log.1","exact":true}}"#,
            ),
            (
                FromServer::Hits { id: 4, hits: vec![hit] },
                r#"{"hits":{"id":4,"hits":[{"cursor":"c","line":12,"byte":3456,"file":"app.log","text":"x\ny","marks":[[0,1]],"at":0.73}]}}"#,
            ),
            (
                FromServer::Numbers { id: 4, lines: vec![[0, 12], [2, 7]] },
                r#"{"numbers":{"id":4,"lines":[[0,12],[2,7]]}}"#,
            ),
            (
                FromServer::Progress(progress.clone()),
                r#"{"progress":{"id":4,"what":"searching","done":1,"total":2,"count":17,"map":[0,3]}}"#,
            ),
            (
                FromServer::Progress(Progress {
                    id: None,
                    what: Activity::Unpacking,
                    count: None,
                    map: vec![],
                    ..progress
                }),
                r#"{"progress":{"id":null,"what":"unpacking","done":1,"total":2}}"#,
            ),
            (FromServer::Done(done), r#"{"done":{"id":4,"more":false,"count":17}}"#),
            (FromServer::Done(cancelled), r#"{"done":{"id":4,"more":false,"cancelled":true}}"#),
            (Refusal::new(Code::Other, "no").answer(None), r#"{"error":{"message":"no"}}"#),
            (
                Refusal::new(Code::TooLarge, "no").answer(Some(4)),
                r#"{"error":{"id":4,"code":"too-large","message":"no"}}"#,
            ),
        ] {
            assert_eq!(message.to_json(), json);
            assert_eq!(FromServer::parse(json).unwrap(), Some((message, "")));
        }
    }

    #[test]
    fn an_older_servers_hello_is_understood() {
        let json = r#"{"hello":{"name":"a","cursor":"c","size":null,"lines":9,"server":"wiretail 0.1.0"}}"#;
        let Ok(Some((FromServer::Hello { encoding, redacted, filter, .. }, _))) = FromServer::parse(json)
        else {
            panic!("it is a hello")
        };
        assert_eq!((encoding.as_str(), redacted, filter), ("UTF-8", false, false));
    }

    #[test]
    fn what_a_newer_server_may_say_is_ignored_and_nothing_else() {
        assert_eq!(FromServer::parse("{\"newer_than_we\":{\"a\":[1]}}\ntext").unwrap(), None);
        for bad in
            ["", "x", "\"newer\"", "[1]", "{\"lines\":{}}", "{\"lines\":{\"from\":1}}", "{\"unknown\":{}"]
        {
            assert!(FromServer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_finished_frame_has_the_rfcs_header() {
        assert_eq!(FromServer::Back {}.to_frame(), b"\x81\x0b{\"back\":{}}");
        assert_eq!(text_frame("", 300), [0x81, 126, 1, 44]);
    }
}
