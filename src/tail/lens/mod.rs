//! What the bytes of a log mean: which of them are a line, where they may be cut, and what of them is shown.
//!
//! A log comes in pieces, read by many readers from many offsets. So whatever is said here follows from the bytes and
//! their offset alone: an offset that is called a border stays one, whoever reads from there, and pieces that are cut
//! at borders say together what the whole would.
//!
//! Where a log is redacted, lines are the borders: half of one may hold half of a secret. So the rules are:
//!
//! - a line is judged, and shown, when it is whole: when its newline is there, or its generation has ended;
//! - whoever begins inside a line is not shown the rest of it, but a mask;
//! - a line longer than 64 KiB is never judged, but masked as a whole; the mask comes with its end.
//!
//! Does not know files beyond reading around a place, and holds nothing of what was read. Offsets count bytes of the
//! source.

mod encoding;
mod redaction;
#[cfg(test)]
mod tests;
mod utf8;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::rc::Rc;

use crate::tail::cursor::Seal;
use crate::tail::disk::File;
use crate::tail::reading::{READ, read_fully};
use encoding::{Encoding, Shape};
use redaction::{MASK, Redaction};

/// How a log is read: shared by all of its generations, and by everybody who reads them.
#[derive(Clone, Debug)]
pub struct Lens {
    encoding: Encoding,
    redaction: Option<Rc<Redaction>>,
    seal: Seal,
}

/// A stretch of a generation's bytes that is to be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch<'a> {
    /// The offset of its first byte in the generation.
    pub(crate) at: u64,
    /// What it is made of. Begins at a border, and ends at one unless it [is the last](Self::is_last).
    pub(crate) bytes: &'a [u8],
    /// Its first byte is the first of a line.
    pub(crate) begins_line: bool,
    /// Nothing comes after it in its generation: what is unfinished at its end will stay so.
    pub(crate) is_last: bool,
}

/// Why there cannot be such a lens.
#[derive(Debug)]
pub enum LensError {
    /// There is no such encoding, or none that can be read from the middle.
    Encoding(String),
    /// This pattern cannot be matched.
    Pattern {
        /// As it was written.
        pattern: String,
        /// What is wrong with it: the end of a sentence.
        why: String,
    },
    /// There are more patterns than we take.
    TooManyPatterns {
        /// So many we take.
        most: usize,
    },
}

impl Default for Lens {
    /// For UTF-8, of which nothing is redacted.
    fn default() -> Self {
        Self { encoding: Encoding::UTF_8, redaction: None, seal: Seal::default() }
    }
}

impl Lens {
    /// For a log in the encoding of this label ("gbk", "latin1", "utf-16le"; UTF-8 if there is none), in which no line
    /// shows what one of the patterns in `redact` matches.
    ///
    /// Where something is masked, cursors are made with `seal`.
    ///
    /// # Errors
    /// [`LensError`], which names the label or the pattern.
    pub fn new(label: Option<&str>, redact: &[String], seal: Seal) -> Result<Self, LensError> {
        let encoding = match label {
            Some(label) => Encoding::labelled(label).ok_or_else(|| LensError::Encoding(label.to_owned()))?,
            None => Encoding::UTF_8,
        };
        let redaction = if redact.is_empty() { None } else { Some(Rc::new(Redaction::new(redact)?)) };
        let seal = if redaction.is_some() { seal } else { Seal::default() };
        Ok(Self { encoding, redaction, seal })
    }

    /// The lens for a generation that begins with `head`: the same one, unless a byte-order mark says otherwise.
    pub(crate) fn for_head(self: &Rc<Self>, head: &[u8]) -> Rc<Self> {
        match Encoding::marked(head) {
            Some(encoding) if encoding != self.encoding => {
                Rc::new(Self { encoding, redaction: self.redaction.clone(), seal: self.seal })
            }
            _ => Rc::clone(self),
        }
    }

    /// Whether the two show the same of any log.
    pub fn is_like(&self, other: &Self) -> bool {
        let same_rules = match (&self.redaction, &other.redaction) {
            (Some(one), Some(other)) => one.patterns() == other.patterns(),
            (one, other) => one.is_none() && other.is_none(),
        };
        self.encoding == other.encoding && same_rules
    }

    /// The encoding's name, as the WHATWG writes it.
    pub fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    /// True if something may be masked. Then nobody may get the bytes of the source.
    pub fn redacts(&self) -> bool {
        self.redaction.is_some()
    }

    /// What the fingerprints in its cursors are made with.
    pub(crate) fn seal(&self) -> &Seal {
        &self.seal
    }

    /// True if the bytes of the source are what is shown of them, but for invalid ones and a byte-order mark: then who
    /// looks for something may look at them as they are.
    pub fn is_plain(&self) -> bool {
        self.encoding == Encoding::UTF_8 && !self.redacts()
    }

    /// True if a line is shown only when it is whole, since half of it may hold half of a secret.
    pub(crate) fn wants_whole_lines(&self) -> bool {
        self.redacts()
    }

    /// What is shown of these bytes: valid UTF-8, with U+FFFD in place of what was invalid. As many newlines as there
    /// are in the source.
    pub(crate) fn text(&self, stretch: &Stretch<'_>) -> Rc<[u8]> {
        match &self.redaction {
            Some(redaction) => Rc::from(self.redacted(redaction, stretch)),
            None => Rc::from(self.decoded(stretch.at, stretch.bytes).as_ref()),
        }
    }

    /// `bytes`, which begin at `at`, without a byte-order mark that the file begins with.
    pub(crate) fn without_mark<'a>(&self, at: u64, bytes: &'a [u8]) -> &'a [u8] {
        match bytes.strip_prefix(self.encoding.mark()) {
            Some(rest) if at == 0 => rest,
            _ => bytes,
        }
    }

    fn decoded<'a>(&self, at: u64, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let bytes = self.without_mark(at, bytes);
        if self.encoding.shape() == Shape::Utf8 {
            return utf8::lossy(bytes);
        }
        match self.encoding.decode(at, bytes) {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }
    }

    fn redacted(&self, redaction: &Redaction, stretch: &Stretch<'_>) -> Vec<u8> {
        let (mut at, mut rest, mut begins_line) = (stretch.at, stretch.bytes, stretch.begins_line);
        let mut text = Vec::with_capacity(rest.len());
        while !rest.is_empty() {
            let end = self.after_first_newline(at, rest);
            let (line, later) = rest.split_at(end.unwrap_or(rest.len()));
            // Of what is not over, nothing is said: its end will tell.
            if end.is_some() || stretch.is_last {
                if begins_line && line.len() <= READ {
                    self.push_line(redaction, &mut text, &self.decoded(at, line));
                } else {
                    text.extend_from_slice(MASK.as_bytes());
                    text.extend_from_slice(if end.is_some() { b"\n" } else { b"" });
                }
            }
            (at, rest, begins_line) = (at + line.len() as u64, later, true);
        }
        text
    }

    fn push_line(&self, redaction: &Redaction, text: &mut Vec<u8>, line: &[u8]) {
        let whole = line.strip_suffix(b"\n").unwrap_or(line);
        let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
        redaction.push(text, whole);
        text.extend_from_slice(&line[whole.len()..]);
    }

    /// How many bytes at the end of `bytes`, which begin at the border `at`, are the beginning of a character that
    /// needs more: 3 at most.
    pub(crate) fn unfinished(&self, at: u64, bytes: &[u8]) -> usize {
        if at == 0 && matches!(bytes, [0xff | 0xfe]) {
            // Perhaps half a byte-order mark.
            return 1;
        }
        self.encoding.unfinished(at, bytes)
    }

    /// After the last newline of `bytes`, which begin at the border `at`.
    pub(crate) fn after_last_newline(&self, at: u64, bytes: &[u8]) -> Option<usize> {
        self.encoding.after_last_newline(at, bytes)
    }

    /// After the newline that is the last but `count - 1`; `count` is not 0.
    pub(crate) fn after_last_newlines(&self, at: u64, bytes: &[u8], count: usize) -> Option<usize> {
        if self.newline_len() == 1 {
            return memchr::memrchr_iter(b'\n', bytes).nth(count - 1).map(|newline| newline + 1);
        }
        let mut end = bytes.len() + self.newline_len();
        for _ in 0..count {
            end = self.after_last_newline(at, &bytes[..end - self.newline_len()])?;
        }
        Some(end)
    }

    /// How many newlines there are in `bytes`, which begin at the offset `at`.
    pub(crate) fn newlines(&self, at: u64, bytes: &[u8]) -> usize {
        self.encoding.newlines(at, bytes)
    }

    /// How many bytes a newline takes.
    pub(crate) fn newline_len(&self) -> usize {
        if self.encoding.shape() == Shape::Wide { 2 } else { 1 }
    }

    /// After the first newline of `bytes`, which begin at the offset `at`.
    pub(crate) fn after_first_newline(&self, at: u64, bytes: &[u8]) -> Option<usize> {
        self.encoding.after_first_newline(at, bytes)
    }

    /// Where the first character begins that begins in `bytes`, which may begin anywhere. 0 if there is no telling.
    pub(crate) fn first_border(&self, at: u64, bytes: &[u8]) -> usize {
        self.encoding.first_border(at, bytes)
    }

    /// Is `at` the beginning of a line, if these are the bytes before it? The last eight of them suffice; where there
    /// are fewer, the generation begins with them.
    pub(crate) fn begins_line(&self, at: u64, before: &[u8]) -> bool {
        let from = at - (before.len() as u64).min(at);
        at == 0
            || at == before.len() as u64 && before == self.encoding.mark()
            || self.after_last_newline(from, before) == Some(before.len())
    }

    /// The border at or just before `offset` in `file`, from which a reader may go on. Reads at most 64 KiB.
    ///
    /// Where there is no telling, it is `offset` itself: in a character of an encoding of several bytes, after 64 KiB
    /// without a blank; or, where lines are the borders, in a line that is never shown.
    pub(crate) fn border(&self, file: &File, offset: u64) -> io::Result<u64> {
        let look_back = match self.encoding.shape() {
            _ if self.redacts() => READ,
            Shape::Several => READ,
            // Any run of continuations is recognised, and any two units.
            Shape::Utf8 | Shape::Wide | Shape::OneByte => 8,
        };
        let from = offset.saturating_sub(look_back as u64);
        let before = usize::try_from(offset - from).unwrap_or(0);
        // Enough after to see a character whole.
        let mut around = vec![0; before + 4];
        let read = read_fully(file, &mut around, from)?;
        let (before, after) = around[..read].split_at(before.min(read));
        let offset = from + before.len() as u64;
        if self.redacts() {
            let line = self.after_last_newline(from, before);
            let line = line.or((from == 0).then_some(0));
            return Ok(line.map_or(offset, |line| from + line as u64));
        }
        Ok(self.encoding.border(offset, before, from == 0, after).unwrap_or(offset))
    }
}

impl fmt::Display for LensError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(label) if label.trim().eq_ignore_ascii_case("iso-2022-jp") => {
                f.write_str("ISO-2022-JP cannot be read from the middle of a file; convert such a log")
            }
            Self::Encoding(label) => write!(
                f,
                "{label:?} is no encoding; a label of the WHATWG's Encoding Standard is, as utf-8, gbk, gb18030, \
                 utf-16le, big5, shift_jis, euc-kr, windows-1252 or latin1"
            ),
            Self::Pattern { pattern, why } => write!(f, "the pattern {pattern:?} cannot be used: {why}"),
            Self::TooManyPatterns { most } => write!(f, "there are more than {most} patterns"),
        }
    }
}

impl std::error::Error for LensError {}
