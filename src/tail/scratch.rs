//! The buffer that files are read into: one for all logs, as one of them is read at a time.
//!
//! A thousand logs that are watched would otherwise have 64 KiB each for what lasts some microseconds.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

use crate::tail::cursor::GUARD;
use crate::tail::reading::READ;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The buffer, while somebody has it: what is read at once, and the guard before it. What is in it at first means nothing.
#[derive(Debug)]
pub(crate) struct Scratch(Vec<u8>);

impl Scratch {
    /// Takes the buffer of this thread; if somebody has it already, another one.
    pub(crate) fn take() -> Self {
        let mut bytes = SPARE.take();
        bytes.resize(GUARD + READ, 0);
        Self(bytes)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        SPARE.set(std::mem::take(&mut self.0));
    }
}

impl Deref for Scratch {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_is_given_back_and_who_finds_it_taken_gets_another() {
        let mut first = Scratch::take();
        first[0] = 1;
        let place = first.as_ptr();
        let second = Scratch::take();
        assert_ne!(second.as_ptr(), place);
        assert_eq!(second.len(), GUARD + READ);
        drop(second);
        drop(first);
        assert_eq!(Scratch::take().as_ptr(), place, "the last one that was given back");
    }
}
