//! What waits to be written to one connection: pieces of bytes, and how much of the first is gone.
//!
//! Knows no sockets: it writes to anything that is [`Write`]. It counts rather than move bytes to the front; only of a
//! large piece that is mostly gone, the rest is moved, so that a peer who leaves a little of it does not hold all of it.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::rc::Rc;

/// Bytes on their way out: ours alone, or shared with other connections.
///
/// ```
/// use std::rc::Rc;
/// use wiretail::net::Bytes;
/// use wiretail::ws::{Opcode, frame};
///
/// // A server's frame is the same for everybody, so it is made once; each gets a pointer to it.
/// let frame = [&frame::server_header(Opcode::Text, 5), &b"Hello"[..]].concat();
/// let shared: Rc<[u8]> = frame.into();
/// let for_each = [Bytes::Shared(Rc::clone(&shared)), Bytes::Shared(Rc::clone(&shared))];
/// assert!(for_each.iter().all(|bytes| bytes.as_ref() == b"\x81\x05Hello"));
/// assert_eq!(Rc::strong_count(&shared), 3);
/// ```
#[derive(Clone, Debug)]
pub enum Bytes {
    /// For this connection only.
    Own(Vec<u8>),
    /// Made once, sent to many.
    Shared(Rc<[u8]>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// How many pieces one write takes at most; the kernel's own limit (`IOV_MAX`) is 1024.
const PIECES_PER_WRITE: usize = 64;

/// A piece of our own that is longer than this is cut when half of it is gone.
const LARGE: usize = 64 * 1024;

/// The bytes that a connection still has to be sent, in order. A pointer, and no memory behind it while empty.
///
/// ```
/// use wiretail::net::Bytes;
/// use wiretail::net::outbox::{Outbox, Spare};
///
/// let (mut outbox, mut spare) = (Outbox::default(), Spare::default());
/// outbox.push(Bytes::Own(b"Hel".to_vec()), &mut spare);
/// outbox.push(Bytes::Own(b"lo".to_vec()), &mut spare);
///
/// // A socket whose buffer has room for four bytes.
/// let mut socket = [0; 4];
/// assert_eq!(outbox.write_to(&mut &mut socket[..], &mut spare)?, 4);
/// assert_eq!((&socket, outbox.unsent()), (b"Hell", 1));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Option<Box<Waiting>>,
}

/// Pieces of which something is unsent.
#[derive(Debug, Default)]
struct Waiting {
    pieces: VecDeque<Bytes>,
    /// How much of the first piece has been written already.
    written: usize,
    /// All that is still unsent, in bytes.
    unsent: usize,
}

/// What outboxes hold their pieces in, while none needs it: an outbox that is filled and emptied with each frame asks for
/// no memory, and a quiet one holds none.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "the boxes are what is kept: an outbox is a pointer")]
pub struct Spare(Vec<Box<Waiting>>);

/// No more than this is kept, of some 200 bytes each: for those that are written to in one turn.
const MOST_SPARE: usize = 1024;

/// For so many pieces each; a larger one is not kept.
const PIECES_KEPT: usize = 16;

impl Spare {
    fn take(&mut self) -> Box<Waiting> {
        self.0.pop().unwrap_or_default()
    }

    /// Takes back what is empty.
    fn give(&mut self, waiting: Box<Waiting>) {
        debug_assert!(waiting.pieces.is_empty() && waiting.written == 0, "all of it is gone");
        if self.0.len() < MOST_SPARE && waiting.pieces.capacity() <= PIECES_KEPT {
            self.0.push(waiting);
        }
    }
}

impl Outbox {
    /// The number of bytes not yet written.
    pub fn unsent(&self) -> usize {
        self.waiting.as_ref().map_or(0, |waiting| waiting.unsent)
    }

    /// Whether everything has been written.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_none()
    }

    /// Puts `bytes` behind everything else.
    pub fn push(&mut self, bytes: Bytes, spare: &mut Spare) {
        let len = bytes.as_ref().len();
        if len > 0 {
            let waiting = self.waiting.get_or_insert_with(|| spare.take());
            waiting.unsent += len;
            waiting.pieces.push_back(bytes);
        }
    }

    /// Puts in what is left of `bytes` behind the first `written`, which found another way. Only while it is empty.
    pub fn keep_rest(&mut self, bytes: Vec<u8>, written: usize, spare: &mut Spare) {
        debug_assert!(self.is_empty(), "what is there would have to be written first");
        self.push(Bytes::Own(bytes), spare);
        if let Some(waiting) = &mut self.waiting {
            waiting.advance(written);
        }
    }

    /// Writes once, as much as `target` takes of at most 64 pieces. Returns the number of bytes written.
    ///
    /// # Errors
    /// Whatever `target` says, `WouldBlock` included; nothing is lost by an error.
    pub fn write_to(&mut self, target: &mut impl Write, spare: &mut Spare) -> io::Result<usize> {
        let Some(waiting) = &mut self.waiting else { return Ok(0) };
        let mut slices = [IoSlice::new(&[]); PIECES_PER_WRITE];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(&waiting.pieces) {
            let skip = if count == 0 { waiting.written } else { 0 };
            *slice = IoSlice::new(&piece.as_ref()[skip..]);
            count += 1;
        }
        let written = target.write_vectored(&slices[..count])?;
        waiting.advance(written);
        if waiting.unsent == 0
            && let Some(waiting) = self.waiting.take()
        {
            spare.give(waiting);
        }
        Ok(written)
    }
}

impl Waiting {
    /// `count` more bytes are gone.
    fn advance(&mut self, count: usize) {
        self.unsent -= count;
        self.written += count;
        while let Some(first) = self.pieces.front() {
            let len = first.as_ref().len();
            if self.written < len {
                return self.cut();
            }
            self.written -= len;
            self.pieces.pop_front();
        }
    }

    /// Gives back the memory of a large piece that is mostly gone. Each cut at least halves it, so that all of them
    /// together copy no more than it was long.
    fn cut(&mut self) {
        if let Some(Bytes::Own(first)) = self.pieces.front_mut()
            && first.len() > LARGE
            && self.written >= first.len() / 2
        {
            *first = first[self.written..].to_vec();
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes `pace` bytes a write.
    struct Narrow {
        pace: usize,
        taken: Vec<u8>,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.pace);
            self.taken.extend_from_slice(&bytes[..count]);
            Ok(count)
        }
        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            self.write(&all)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whatever_the_pace_the_bytes_leave_whole_and_in_order() {
        for pace in 1..40 {
            let (mut outbox, mut spare) = (Outbox::default(), Spare::default());
            let mut narrow = Narrow { pace, taken: Vec::new() };
            outbox.push(Bytes::Own(b"one ".to_vec()), &mut spare);
            outbox.push(Bytes::Own(Vec::new()), &mut spare);
            outbox.push(Bytes::Shared(Rc::from(&b"two "[..])), &mut spare);
            outbox.push(Bytes::Own(b"three".to_vec()), &mut spare);
            assert_eq!(outbox.unsent(), 13);
            while outbox.unsent() > 0 {
                assert!(outbox.write_to(&mut narrow, &mut spare).unwrap() > 0);
            }
            assert_eq!(narrow.taken, b"one two three", "pace {pace}");
            assert!(outbox.is_empty() && outbox.waiting.is_none(), "an empty outbox owns nothing");
        }
    }

    #[test]
    fn what_is_left_of_a_write_leaves_next_and_then_what_came_later() {
        let (mut outbox, mut spare) = (Outbox::default(), Spare::default());
        outbox.keep_rest(b"gone and left".to_vec(), 9, &mut spare);
        outbox.push(Bytes::Own(b", later".to_vec()), &mut spare);
        assert_eq!(outbox.unsent(), 11);
        let mut taken = Narrow { pace: usize::MAX, taken: Vec::new() };
        outbox.write_to(&mut taken, &mut spare).unwrap();
        assert_eq!(taken.taken, b"left, later");
    }

    #[test]
    fn what_is_left_of_a_large_piece_does_not_hold_all_of_it() {
        let piece: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        let (mut outbox, mut spare) = (Outbox::default(), Spare::default());
        outbox.push(Bytes::Own(piece.clone()), &mut spare);
        let mut narrow = Narrow { pace: 10_000, taken: Vec::new() };
        while outbox.unsent() > 0 {
            outbox.write_to(&mut narrow, &mut spare).unwrap();
            if let Some(Bytes::Own(first)) =
                outbox.waiting.as_ref().and_then(|waiting| waiting.pieces.front())
            {
                assert!(first.capacity() <= LARGE.max(2 * outbox.unsent()), "{} bytes", first.capacity());
            }
        }
        assert!(narrow.taken == piece);
        outbox.keep_rest(piece, (1 << 20) - 70_000, &mut spare);
        let waiting = outbox.waiting.as_ref().unwrap();
        assert!(matches!(&waiting.pieces[0], Bytes::Own(rest) if rest.capacity() == 70_000));
    }

    #[test]
    fn more_pieces_than_one_write_takes_leave_in_several() {
        let (mut outbox, mut spare) = (Outbox::default(), Spare::default());
        for number in 0..200u8 {
            outbox.push(Bytes::Own(vec![number]), &mut spare);
        }
        let mut taken = Narrow { pace: usize::MAX, taken: Vec::new() };
        assert_eq!(outbox.write_to(&mut taken, &mut spare).unwrap(), PIECES_PER_WRITE);
        while outbox.unsent() > 0 {
            outbox.write_to(&mut taken, &mut spare).unwrap();
        }
        assert_eq!(taken.taken, (0..200).collect::<Vec<u8>>());
    }

    #[test]
    fn who_sends_now_and_then_asks_for_memory_once() {
        let (mut outbox, mut spare) = (Outbox::default(), Spare::default());
        let mut taken = Narrow { pace: usize::MAX, taken: Vec::new() };
        let mut places = Vec::new();
        for _ in 0..3 {
            outbox.push(Bytes::Own(b"one".to_vec()), &mut spare);
            outbox.push(Bytes::Own(b"two".to_vec()), &mut spare);
            places.push(std::ptr::from_ref(outbox.waiting.as_deref().unwrap()));
            outbox.write_to(&mut taken, &mut spare).unwrap();
            assert!(outbox.is_empty());
        }
        assert_eq!(places, [places[0]; 3]);
        for _ in 0..1000 {
            outbox.push(Bytes::Own(b"much".to_vec()), &mut spare);
        }
        while !outbox.is_empty() {
            outbox.write_to(&mut taken, &mut spare).unwrap();
        }
        assert!(spare.0.is_empty(), "what has grown is not kept");
    }
}
