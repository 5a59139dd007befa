//! What the connection at hand has to say: gathered in one buffer that all of them share, one after the other.
//!
//! So a reply costs no allocation and no list: it is put together where the last one was, is in the processor's cache
//! still, and goes to the kernel from there. Only what the kernel does not take is kept with the connection.

use super::table::ConnId;

/// More than this the buffer keeps of its memory only until it is said.
const KEPT: usize = 256 * 1024;

/// The words of one connection at a time.
#[derive(Debug, Default)]
pub(crate) struct Speech {
    speaker: Option<ConnId>,
    words: Vec<u8>,
}

impl Speech {
    /// Whose words they are, if there are any.
    pub(crate) fn speaker(&self) -> Option<ConnId> {
        self.speaker.filter(|_| !self.words.is_empty())
    }

    /// How many bytes `id` has said that are still here.
    pub(crate) fn len_of(&self, id: ConnId) -> usize {
        if self.speaker == Some(id) { self.words.len() } else { 0 }
    }

    /// Gives the floor to `speaker`, or to nobody: then what is said is forgotten.
    pub(crate) fn begin(&mut self, speaker: Option<ConnId>) -> &mut Vec<u8> {
        self.words.clear();
        self.speaker = speaker;
        &mut self.words
    }

    /// The words so far, for the speaker to go on or for somebody to carry them away.
    pub(crate) fn words(&mut self) -> &mut Vec<u8> {
        &mut self.words
    }

    /// All is said, or carried away.
    pub(crate) fn end(&mut self) {
        self.speaker = None;
        self.words.clear();
        if self.words.capacity() > KEPT {
            self.words = Vec::new();
        }
    }
}
