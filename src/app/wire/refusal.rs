//! Why what a viewer said cannot be done: a sentence for people, and a word for who would say it in another language.
//!
//! Knows what can be wrong with a request; not who asked.

use serde::{Deserialize, Serialize};

use super::FromServer;
use crate::http::{Response, Status};
use crate::tail::pattern::FilterError;

/// A sentence's word. It stays the same when the sentence is put better; `docs/protocol.md` lists them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// No message of the protocol.
    Message,
    /// A cursor that cannot be read.
    Cursor,
    /// No percentage from 0 to 100.
    Percent,
    /// There is no such number of a line.
    Line,
    /// A time that cannot be read.
    Time,
    /// Nothing to look for.
    NoPattern,
    /// Too many patterns.
    TooMany,
    /// Too many of them ask for whole words.
    TooManyWords,
    /// A pattern is too long.
    TooLong,
    /// A pattern is no regular expression.
    Syntax,
    /// A pattern asks for a newline.
    Newline,
    /// A pattern needs too much memory.
    TooLarge,
    /// Nothing is read for this viewer, by its own wish.
    Stopped,
    /// Nobody may write into this log.
    ReadOnly,
    /// What is to be written is empty, or no text.
    Unfit,
    /// The name of who writes cannot be one.
    Name,
    /// Too much was written lately.
    TooOften,
    /// There is no room for more in the log, or on the disk.
    Full,
    /// The log cannot be written.
    Unwritten,
    /// All filters and searches together take too much memory.
    Busy,
    /// There is no job of this name.
    NoJob,
    /// The job runs already.
    Running,
    /// The job does not run.
    NotRunning,
    /// The system did not let the job be started, or stopped.
    Unstarted,
    /// None of these: a newer server's, or an older one's, which gives none.
    #[default]
    #[serde(other)]
    Other,
}

impl Code {
    /// Whether it says nothing.
    pub fn is_other(&self) -> bool {
        *self == Self::Other
    }
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its word.
    pub code: Code,
    /// The sentence.
    pub message: String,
}

impl Refusal {
    /// With this word and sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// As the answer to request `id`, or to what has no number.
    pub fn answer(self, id: Option<u32>) -> FromServer {
        FromServer::Error { id, code: self.code, message: self.message }
    }

    /// As the answer to a request over plain HTTP: the sentence, and the word in the field `Wiretail-Code`.
    pub fn response(&self, status: Status) -> Response {
        let response = Response::text(status, &self.message);
        match serde_json::to_value(self.code) {
            Ok(serde_json::Value::String(word)) if !self.code.is_other() => {
                response.field("Wiretail-Code", word)
            }
            _ => response,
        }
    }
}

impl From<FilterError> for Refusal {
    fn from(error: FilterError) -> Self {
        let code = match error {
            FilterError::TooMany(_) => Code::TooMany,
            FilterError::TooManyOfWords => Code::TooManyWords,
            FilterError::TooLong { .. } => Code::TooLong,
            FilterError::Syntax { .. } => Code::Syntax,
            FilterError::Newline { .. } => Code::Newline,
            FilterError::TooLarge { .. } => Code::TooLarge,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_nobody_knows_yet_is_no_error() {
        let newer = r#"{"error":{"code":"too-blue","message":"It is too blue."}}"#;
        let parsed = FromServer::parse(newer).unwrap();
        let expected = FromServer::Error { id: None, code: Code::Other, message: "It is too blue.".into() };
        assert_eq!(parsed, Some((expected, "")));
    }

    #[test]
    fn the_protocol_lists_every_word() {
        let listed = include_str!("../../../docs/protocol.md");
        for code in [
            Code::Message,
            Code::Cursor,
            Code::Percent,
            Code::Line,
            Code::Time,
            Code::NoPattern,
            Code::TooMany,
            Code::TooManyWords,
            Code::TooLong,
            Code::Syntax,
            Code::Newline,
            Code::TooLarge,
            Code::Busy,
            Code::Stopped,
            Code::ReadOnly,
            Code::Unfit,
            Code::Name,
            Code::TooOften,
            Code::Full,
            Code::Unwritten,
            Code::NoJob,
            Code::Running,
            Code::NotRunning,
            Code::Unstarted,
        ] {
            let word = serde_json::to_string(&code).unwrap().replace('"', "`");
            assert!(listed.contains(&format!("| {word} |")), "{word}");
        }
    }
}
