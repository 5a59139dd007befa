//! Text, checked as it comes, whole or in pieces (RFC 6455 §8.1).
//!
//! A piece may end inside a character, so up to three bytes wait for the rest of theirs. What is impossible is found
//! at its first byte, even inside an unfinished frame: nobody has to wait for the end of a message that is lost
//! already. Does not know frames.

mod check;

use std::borrow::Cow;
use std::{fmt, str};

use check::whole_characters;

/// The bytes are not UTF-8 and no further bytes can make them so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text is not UTF-8")
    }
}

impl std::error::Error for NotUtf8 {}

/// Text: bytes that have been found to be UTF-8, lent or owned.
///
/// To pass it on, to compare or to parse it, its bytes will do. A `str` is made by the standard library alone, which looks
/// at all of them once more, at some two gigabytes a second if they are not ASCII: so it is made only for those who ask.
///
/// ```
/// use wiretail::ws::Text;
///
/// let text = Text::from_utf8("5 \u{20ac}".as_bytes())?;
/// assert_eq!(text, "5 \u{20ac}");
/// assert_eq!(text.as_bytes().len(), 5);
/// assert_eq!(text.as_str().chars().count(), 3);
/// assert_eq!(format!("{text}!"), "5 \u{20ac}!");
/// assert!(Text::from_utf8(b"5 \xe2\x82").is_err()); // the end of it is missing
/// # Ok::<(), wiretail::ws::utf8::NotUtf8>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Text<'b>(Cow<'b, [u8]>);

impl<'b> Text<'b> {
    /// These bytes as text.
    ///
    /// # Errors
    /// If they are not UTF-8, or end inside a character.
    pub fn from_utf8(bytes: impl Into<Cow<'b, [u8]>>) -> Result<Self, NotUtf8> {
        let bytes = bytes.into();
        if whole_characters(&bytes)? == bytes.len() { Ok(Self(bytes)) } else { Err(NotUtf8) }
    }

    /// Its bytes, which are UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same as a `str`. Takes a second look at every byte.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("a text is UTF-8")
    }

    /// The same as a `String`. Takes a second look at every byte; copies them only if they are lent.
    pub fn into_string(self) -> String {
        String::from_utf8(self.0.into_owned()).expect("a text is UTF-8")
    }

    /// The same, to be kept beyond the bytes that it may be lent from.
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }

    /// Whether it is lent from somewhere.
    pub fn is_borrowed(&self) -> bool {
        matches!(self.0, Cow::Borrowed(_))
    }
}

impl<'b> From<&'b str> for Text<'b> {
    fn from(text: &'b str) -> Self {
        Self(Cow::Borrowed(text.as_bytes()))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text.into_bytes()))
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

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
    bytes: Vec<u8>,
    /// So many of them are whole characters; the others, three at most, begin one.
    whole: usize,
}

impl TextBuilder {
    /// No text yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing came yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Puts `bytes` behind what is there. Every byte is checked once.
    ///
    /// # Errors
    /// At the first byte that cannot follow those before it. The text is of no use after that.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), NotUtf8> {
        // A character that began in an earlier piece gets its bytes one by one, three at most.
        while self.whole < self.bytes.len() {
            let [byte, rest @ ..] = bytes else {
                return Ok(());
            };
            self.bytes.push(*byte);
            self.whole += whole_characters(&self.bytes[self.whole..])?;
            bytes = rest;
        }
        self.whole += whole_characters(bytes)?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// The whole text.
    ///
    /// # Errors
    /// If it ends inside a character.
    pub fn finish(self) -> Result<Text<'static>, NotUtf8> {
        if self.whole == self.bytes.len() { Ok(Text(Cow::Owned(self.bytes))) } else { Err(NotUtf8) }
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
                assert_eq!(text.finish(), Ok(whole.into()), "cut at {from} and {to}");
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
