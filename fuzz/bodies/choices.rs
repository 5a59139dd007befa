//! Choices out of the fuzzer's bytes, from the first to the last.
//!
//! When the bytes are used up every choice is 0, so a shorter input is a simpler story.

/// What has not been used yet.
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// All of `data` is still to be used.
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// Whether every byte is used.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    /// Two bytes.
    pub fn two_bytes(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// A number below `bound`, which is at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 != 0
    }

    /// So many bytes, or as many as there are.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (front, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        front
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}
