//! Text that comes in pieces, checked as it comes (RFC 6455 §8.1).
//!
//! A piece may end inside a character, so up to three bytes wait for the rest of theirs. What is impossible is found
//! at its first byte, even inside an unfinished frame: nobody has to wait for the end of a message that is lost
//! already. Does not know frames.

use std::str;

/// The bytes are not UTF-8 and no further bytes can make them so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

/// The characters of a text so far, and the beginning of one more.
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
