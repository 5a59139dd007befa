//! Text that comes in pieces, checked as it comes (RFC 6455 §8.1).
//!
//! A piece may end inside a character, so up to three bytes wait for the rest of theirs. What is impossible is found
//! at its first byte, even inside an unfinished frame: nobody has to wait for the end of a message that is lost
//! already. Does not know frames.

use std::{fmt, str};

/// The bytes are not UTF-8 and no further bytes can make them so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text is not UTF-8")
    }
}

impl std::error::Error for NotUtf8 {}

/// The characters of a text so far, and the beginning of one more.
///
/// ```
/// use wiretail::ws::utf8::{NotUtf8, TextBuilder};
///
/// // The euro sign is e2 82 ac, and the network cut it.
/// let mut text = TextBuilder::new();
/// text.push(b"5 \xe2\x82")?;
/// assert_eq!(text.len(), 4);
/// text.push(b"\xac")?;
/// assert_eq!(text.finish()?, "5 \u{20ac}");
///
/// // f4 may begin a character, but f4 90 would be beyond U+10FFFF: refused without waiting for two bytes more.
/// let mut text = TextBuilder::new();
/// text.push(b"\xf4")?;
/// assert_eq!(text.push(b"\x90"), Err(NotUtf8));
/// # Ok::<(), NotUtf8>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TextBuilder {
    whole: String,
    /// The bytes of a character that is not whole yet, `begun_len` of them.
    begun: [u8; 4],
    begun_len: u8,
}

impl TextBuilder {
    /// No text yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of bytes so far.
    pub fn len(&self) -> usize {
        self.whole.len() + usize::from(self.begun_len)
    }

    /// Whether nothing came yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts `bytes` behind what is there.
    ///
    /// Every byte is checked once; the checking and the copying of whole characters is the standard library's, which
    /// does ASCII at the speed of memory.
    ///
    /// # Errors
    /// At the first byte that cannot follow those before it.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), NotUtf8> {
        // A character that began in an earlier piece gets its bytes one by one, three at most.
        while self.begun_len > 0 {
            let [byte, rest @ ..] = bytes else {
                return Ok(());
            };
            self.complete(*byte)?;
            bytes = rest;
        }
        let rest = match str::from_utf8(bytes) {
            Ok(text) => {
                self.whole.push_str(text);
                return Ok(());
            }
            Err(error) if error.error_len().is_some() => return Err(NotUtf8),
            Err(error) => {
                let (text, rest) = bytes.split_at(error.valid_up_to());
                self.whole.push_str(str::from_utf8(text).map_err(|_| NotUtf8)?);
                rest
            }
        };
        // No error length: `rest` is one to three bytes, and more of them could make a character.
        self.begun[..rest.len()].copy_from_slice(rest);
        self.begun_len = rest.len() as u8;
        Ok(())
    }

    /// Adds one byte to the character that has begun.
    fn complete(&mut self, byte: u8) -> Result<(), NotUtf8> {
        let len = usize::from(self.begun_len);
        self.begun[len] = byte;
        match str::from_utf8(&self.begun[..=len]) {
            Ok(character) => {
                self.whole.push_str(character);
                self.begun_len = 0;
                Ok(())
            }
            Err(error) if error.error_len().is_some() => Err(NotUtf8),
            Err(_) => {
                self.begun_len += 1;
                Ok(())
            }
        }
    }

    /// The whole text.
    ///
    /// # Errors
    /// If it ends inside a character.
    pub fn finish(self) -> Result<String, NotUtf8> {
        if self.begun_len == 0 { Ok(self.whole) } else { Err(NotUtf8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether some bytes could follow `prefix` and make it UTF-8: found by trying. For every beginning of a character
    /// one of these three bytes is a right next one (Unicode, table 3-7).
    fn possible(prefix: &[u8]) -> bool {
        let extended = |more: u8| [prefix, &[more]].concat();
        let inside = prefix.iter().rev().take(4).any(|byte| *byte >= 0xc0);
        str::from_utf8(prefix).is_ok()
            || (inside
                && prefix.len() < 8
                && [0x80, 0x90, 0xa0].iter().any(|more| possible(&extended(*more))))
    }

    /// What becomes of `bytes` when they come one by one: how many are accepted, and whether they are whole text.
    fn one_by_one(bytes: &[u8]) -> (usize, bool) {
        let mut text = TextBuilder::new();
        for (at, byte) in bytes.iter().enumerate() {
            if text.push(&[*byte]).is_err() {
                return (at, false);
            }
        }
        assert_eq!(text.len(), bytes.len());
        (bytes.len(), text.finish().is_ok())
    }

    /// The same by the definition.
    fn naive(bytes: &[u8]) -> (usize, bool) {
        let accepted = (1..=bytes.len()).take_while(|end| possible(&bytes[..*end])).count();
        (accepted, accepted == bytes.len() && str::from_utf8(bytes).is_ok())
    }

    /// The edges of every range in Unicode's table 3-7, and one beyond each.
    const EDGES: [u8; 16] =
        [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xed, 0xf0, 0xf4, 0xf5];

    #[test]
    fn every_pair_of_bytes_fails_where_the_definition_says() {
        for first in 0..=255 {
            for second in 0..=255 {
                let bytes = [first, second];
                assert_eq!(one_by_one(&bytes), naive(&bytes), "{bytes:x?}");
            }
        }
    }

    #[test]
    fn every_four_bytes_at_the_edges_fail_where_the_definition_says() {
        for first in [0x41, 0xc2, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4] {
            for (second, third, fourth) in EDGES
                .iter()
                .flat_map(|a| EDGES.iter().flat_map(move |b| EDGES.iter().map(move |c| (*a, *b, *c))))
            {
                let bytes = [first, second, third, fourth];
                assert_eq!(one_by_one(&bytes), naive(&bytes), "{bytes:x?}");
            }
        }
    }

    #[test]
    fn a_text_is_the_same_however_it_is_cut() {
        let whole = "\u{feff}na\u{ef}ve \u{20ac} \u{1f980}\u{ffff}\u{10ffff} end";
        let bytes = whole.as_bytes();
        for from in 0..=bytes.len() {
            for to in from..=bytes.len() {
                let mut text = TextBuilder::new();
                for piece in [&bytes[..from], &bytes[from..to], &bytes[to..]] {
                    text.push(piece).unwrap();
                }
                assert_eq!(text.len(), bytes.len());
                assert_eq!(text.finish().as_deref(), Ok(whole), "cut at {from} and {to}");
            }
        }
    }

    #[test]
    fn a_character_that_cannot_be_fails_before_it_is_whole() {
        // Autobahn 6.4: beyond U+10FFFF, seen at the second byte of four.
        let mut text = TextBuilder::new();
        assert_eq!(text.push(b"\xce\xba\xf4"), Ok(()));
        assert_eq!(text.push(b"\x90"), Err(NotUtf8));
        // A surrogate, cut or not.
        assert_eq!(TextBuilder::new().push(b"\xed\xa0"), Err(NotUtf8));
    }

    #[test]
    fn a_text_does_not_end_inside_a_character() {
        let mut text = TextBuilder::new();
        text.push(b"\xe2\x82").unwrap();
        assert!(!text.is_empty());
        assert_eq!(text.finish(), Err(NotUtf8));
    }
}
