//! `/raw/NAME`: a log's bytes as they are in its file, or a part of them, on their way to somebody.
//!
//! The file is the queue here, too: a block is read when the one before has been taken, so a slow reader costs one block.
//! What is sent is the file as long as it was when the request came; what is written to it later belongs to the next
//! request. Knows no log's meaning: neither lines nor encodings.

use std::time::{Duration, Instant};

use super::Context;
use super::conversation::Outcome;
use crate::http::{Range, Request, Response, Status};
use crate::net::Bytes;
use crate::tail::beneath::Stat;
use crate::tail::disk::File;

/// What is read and sent at once.
const BLOCK: usize = 64 * 1024;
/// How long the reader may take nothing before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// One download, while there is something to send.
#[derive(Debug)]
pub struct Download {
    file: File,
    /// The offset of the next block, and where it all ends.
    at: u64,
    end: u64,
    /// When something was sent last.
    sent: Instant,
    /// Whether the connection is to be kept for another request.
    keep: bool,
}

/// What a request for a file comes to.
pub struct Begun {
    /// The response's head; its body follows, if there is a download.
    pub head: Response,
    /// What is to be sent behind it.
    pub part: Part,
}

/// A part of an open file.
#[derive(Debug)]
pub struct Part {
    file: File,
    first: u64,
    /// How many bytes.
    pub len: u64,
}

/// What is answered to `request` for `file`, which was called `name` in the catalogue.
///
/// There is no validator in the answer: a log changes under its readers, so an `If-Range` never holds and gets the whole
/// (RFC 9110 §13.1.5).
///
/// # Errors
/// The refusal of a range that lies behind the end.
pub fn begin(request: &Request, file: File, stat: &Stat, name: &str) -> Result<Begun, Response> {
    let range = match request.field("range").filter(|_| request.field("if-range").is_none()) {
        Some(field) if request.method() == "GET" => Range::parse(field, stat.size),
        _ => Range::Whole,
    };
    let head = |status| {
        let short = name.rsplit('/').next().unwrap_or(name);
        Response::new(status)
            .field("Content-Type", "application/octet-stream")
            .field("Content-Disposition", format!("attachment; filename*=UTF-8''{}", percent(short)))
            .field("Accept-Ranges", "bytes")
            .field("Cache-Control", "no-store")
    };
    let (head, first, len) = match range {
        Range::Whole => (head(Status::OK), 0, stat.size),
        Range::Part { first, last } => {
            let content_range = format!("bytes {first}-{last}/{}", stat.size);
            (head(Status::PARTIAL_CONTENT).field("Content-Range", content_range), first, last - first + 1)
        }
        Range::Unsatisfiable => {
            let words = format!("The log has {} bytes now.", stat.size);
            let refusal = Response::text(Status::RANGE_NOT_SATISFIABLE, &words);
            return Err(refusal.field("Content-Range", format!("bytes */{}", stat.size)));
        }
    };
    Ok(Begun { head, part: Part { file, first, len } })
}

/// `value-chars` of RFC 8187 §3.2.1: what is neither a letter nor a digit is written as its bytes.
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let written = text.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    written.collect()
}

impl Download {
    /// The head has been sent; this follows.
    pub fn start(part: Part, keep: bool, context: &mut Context<'_>) -> Self {
        context.wake_at(context.now + PATIENCE);
        context.tell_when_drained();
        let Part { file, first, len } = part;
        Self { file, at: first, end: first + len, sent: context.now, keep }
    }

    /// Whether the connection is to be kept for another request when all is sent.
    pub fn keeps(&self) -> bool {
        self.keep
    }

    /// All has been read and handed over.
    pub fn is_done(&self) -> bool {
        self.at == self.end
    }

    /// What was sent has been taken: the next block. A file that has become shorter, or cannot be read any more, leaves
    /// nothing but to break off, by which the reader sees that something is missing (RFC 9112 §8).
    pub fn drained(&mut self, context: &mut Context<'_>) -> Outcome {
        self.sent = context.now;
        let mut block = vec![0; usize::try_from(self.end - self.at).map_or(BLOCK, |left| left.min(BLOCK))];
        match self.file.read_at(&mut block, self.at) {
            Ok(read) if read > 0 => {
                block.truncate(read);
                self.at += read as u64;
                context.send(Bytes::Own(block));
                context.tell_when_drained();
                Outcome::Open
            }
            Ok(_) | Err(_) => Outcome::Gone,
        }
    }

    /// Gives up on somebody who takes nothing.
    pub fn expired(&mut self, context: &mut Context<'_>) -> Outcome {
        let took = context.took_at().map_or(self.sent, |took| took.max(self.sent));
        if context.now >= took + PATIENCE {
            return Outcome::Gone;
        }
        context.wake_at(took + PATIENCE);
        Outcome::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_field_is_spelled_in_plain_characters() {
        assert_eq!(percent("app-1.log"), "app-1.log");
        assert_eq!(percent("a b\"\r\n\u{65e5}"), "a%20b%22%0D%0A%E6%97%A5");
    }
}
