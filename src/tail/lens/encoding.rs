//! The encodings that logs come in: those of the WHATWG's Encoding Standard, by its labels.
//!
//! Text is decoded by a library. What is ours is where it may be cut. A cut falls before a character if all the bytes
//! before it were read as whole characters; so the decoder itself is asked what it still holds after a stretch of them,
//! and no table of ours has to agree with its tables.
//!
//! ```text
//!   UTF-8         self-synchronising: three bytes around a place tell
//!   one byte      every place will do: windows-1252 (latin1), KOI8-R, ...
//!   UTF-16        even offsets, but not between two surrogates
//!   several       GBK, GB18030, Big5, Shift_JIS, EUC-JP, EUC-KR: what may follow a lead byte is 0x30 at the least, so
//!                 after any byte below that (a newline, a blank, a comma) there is a border, and from there one counts
//! ```
//!
//! ISO-2022-JP is refused: its bytes mean one thing or another by what was said far before.

use std::borrow::Cow;
use std::fmt;

use encoding_rs::{DecoderResult, UTF_8, UTF_16BE, UTF_16LE};
use memchr::{memchr, memchr_iter, memrchr};

/// One of the encodings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    of: &'static encoding_rs::Encoding,
    shape: Shape,
}

/// How its characters lie in the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Utf8,
    /// Two bytes each, or twice two.
    Wide,
    OneByte,
    /// One byte to four.
    Several,
}

/// What no byte of a character is below but its first.
const LEAST_TRAIL: u8 = 0x30;

impl Encoding {
    pub(super) const UTF_8: Self = Self { of: UTF_8, shape: Shape::Utf8 };

    /// By one of its labels, in any case. None for those that there are not, or that cannot be read from the middle.
    pub(super) fn labelled(label: &str) -> Option<Self> {
        let of = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes())?;
        let shape = if of == UTF_8 {
            Shape::Utf8
        } else if of == UTF_16LE || of == UTF_16BE {
            Shape::Wide
        } else if of.is_single_byte() {
            Shape::OneByte
        } else if of == encoding_rs::ISO_2022_JP {
            return None;
        } else {
            Shape::Several
        };
        Some(Self { of, shape })
    }

    /// What the first bytes of a file say by a byte-order mark.
    pub(super) fn marked(head: &[u8]) -> Option<Self> {
        let (of, _) = encoding_rs::Encoding::for_bom(head)?;
        Some(Self { of, shape: if of == UTF_8 { Shape::Utf8 } else { Shape::Wide } })
    }

    pub(super) fn name(self) -> &'static str {
        self.of.name()
    }

    #[cfg(test)]
    pub(super) fn of(self) -> &'static encoding_rs::Encoding {
        self.of
    }

    pub(super) fn shape(self) -> Shape {
        self.shape
    }

    /// The byte-order mark that a file may begin with.
    pub(super) fn mark(self) -> &'static [u8] {
        if self.of == UTF_16LE {
            b"\xff\xfe"
        } else if self.of == UTF_16BE {
            b"\xfe\xff"
        } else if self.shape == Shape::Utf8 {
            b"\xef\xbb\xbf"
        } else {
            b""
        }
    }

    /// As text, which is valid UTF-8; what is invalid becomes U+FFFD.
    pub(super) fn decode(self, at: u64, bytes: &[u8]) -> Cow<'_, str> {
        let decoded = |bytes| self.of.decode_without_bom_handling(bytes).0;
        if self.shape == Shape::Wide && at % 2 == 1 && !bytes.is_empty() {
            // The second half of a unit whose first was said to be invalid.
            return Cow::Owned(format!("\u{fffd}{}", decoded(&bytes[1..])));
        }
        decoded(bytes)
    }

    /// How many bytes at the end are the beginning of a character, if `bytes` begin at the border `at`.
    pub(super) fn unfinished(self, at: u64, bytes: &[u8]) -> usize {
        match self.shape {
            Shape::Utf8 => super::utf8::unfinished(bytes),
            Shape::OneByte => 0,
            Shape::Wide => {
                let units = &bytes[(at as usize & 1).min(bytes.len())..];
                // Two units, and half of one.
                let from = (units.len() & !1).saturating_sub(4);
                self.held(&units[from..])
            }
            Shape::Several => {
                let from = bytes.iter().rposition(|&byte| byte < LEAST_TRAIL).map_or(0, |at| at + 1);
                self.held(&bytes[from..])
            }
        }
    }

    /// How many bytes the decoder still holds after these.
    fn held(self, bytes: &[u8]) -> usize {
        let mut decoder = self.of.new_decoder_without_bom_handling();
        let (mut rest, mut sink) = (bytes, [0; 256]);
        loop {
            let (result, read, _) = decoder.decode_to_utf8_without_replacement(rest, &mut sink, false);
            rest = &rest[read..];
            if result == DecoderResult::InputEmpty {
                break;
            }
        }
        match decoder.decode_to_utf8_without_replacement(&[], &mut sink, true).0 {
            DecoderResult::Malformed(held, _) => usize::from(held),
            DecoderResult::InputEmpty | DecoderResult::OutputFull => 0,
        }
    }

    /// The border at or just before the end of `before`, which ends at `at`, if `after` follows. `before` may begin
    /// anywhere, unless it is `all` that there is before. None if there is no telling.
    pub(super) fn border(self, at: u64, before: &[u8], all: bool, after: &[u8]) -> Option<u64> {
        match self.shape {
            Shape::Utf8 => {
                let bytes = [before, after].concat();
                let border = super::utf8::border_at_or_before(&bytes, before.len());
                Some(at - before.len() as u64 + border as u64)
            }
            Shape::OneByte => Some(at),
            Shape::Wide => {
                let even = at & !1;
                let units = &before[..before.len() - (at - even) as usize];
                let from = units.len() - (units.len().min(4) & !1);
                let joins = match self.low_surrogate(&[&before[units.len()..], after].concat()) {
                    Some(false) => 0,
                    Some(true) | None => self.held(&units[from..]),
                };
                Some(even - joins as u64)
            }
            Shape::Several => {
                let from = before.iter().rposition(|&byte| byte < LEAST_TRAIL).map(|at| at + 1);
                let from = from.or(all.then_some(0))?;
                Some(at - self.held(&before[from..]) as u64)
            }
        }
    }

    /// Where the first character begins that begins in `bytes`, which may begin anywhere; 0 if there is no telling.
    pub(super) fn first_border(self, at: u64, bytes: &[u8]) -> usize {
        match self.shape {
            Shape::Utf8 => super::utf8::first_border(bytes),
            Shape::OneByte => 0,
            Shape::Wide => {
                let odd = (at as usize & 1).min(bytes.len());
                let low = self.low_surrogate(&bytes[odd..]) == Some(true);
                let first = odd + if low { 2 } else { 0 };
                if first < bytes.len() { first } else { odd }
            }
            Shape::Several => {
                let sure = bytes.iter().position(|&byte| byte < LEAST_TRAIL).map_or(0, |at| at + 1);
                if sure < bytes.len() { sure } else { 0 }
            }
        }
    }

    /// Is the first unit the second half of a pair? None if there is no whole unit.
    fn low_surrogate(self, bytes: &[u8]) -> Option<bool> {
        let unit = *bytes.first_chunk::<2>()?;
        let high_byte = if self.of == UTF_16LE { unit[1] } else { unit[0] };
        Some(high_byte & 0xfc == 0xdc)
    }

    pub(super) fn after_last_newline(self, at: u64, bytes: &[u8]) -> Option<usize> {
        if self.shape != Shape::Wide {
            return memrchr(b'\n', bytes).map(|newline| newline + 1);
        }
        let mut end = bytes.len();
        loop {
            let found = memrchr(b'\n', &bytes[..end])?;
            if let Some(after) = self.wide_newline(at, bytes, found) {
                return Some(after);
            }
            end = found;
        }
    }

    pub(super) fn after_first_newline(self, at: u64, bytes: &[u8]) -> Option<usize> {
        if self.shape != Shape::Wide {
            return memchr(b'\n', bytes).map(|newline| newline + 1);
        }
        memchr_iter(b'\n', bytes).find_map(|found| self.wide_newline(at, bytes, found))
    }

    pub(super) fn newlines(self, at: u64, bytes: &[u8]) -> usize {
        let found = memchr_iter(b'\n', bytes);
        if self.shape == Shape::Wide {
            return found.filter_map(|found| self.wide_newline(at, bytes, found)).count();
        }
        found.count()
    }

    /// Where it ends, if the 0x0A at `found` is that of a newline.
    fn wide_newline(self, at: u64, bytes: &[u8], found: usize) -> Option<usize> {
        let unit = if self.of == UTF_16LE { found } else { found.checked_sub(1)? };
        let aligned = (at + unit as u64).is_multiple_of(2);
        let newline: &[u8] = if self.of == UTF_16LE { b"\n\0" } else { b"\0\n" };
        (aligned && bytes[unit..].starts_with(newline)).then_some(unit + 2)
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
