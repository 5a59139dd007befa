//! Reading on in a generation: what is new in its file, and what of that is to be delivered now.
//!
//! Text is cut after newlines. Half a line waits a moment for its other half; an unfinished character waits as long as
//! more can come. Whatever is read is believed only if the bytes before it are still the ones we know.
//!
//! Does not know what is done with what was read.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{Bytes, Generation, keep_last};
use crate::tail::cursor::{GUARD, HEAD, head_len};
use crate::tail::disk::File;
use crate::tail::lens::Stretch;
use crate::tail::reading::{before, holds, hole_at, read_exactly, stat_of};
use crate::tail::window::GapReason;

/// How long half a line waits for its other half.
const HALF_LINE: Duration = Duration::from_millis(250);

/// What came of reading on.
#[derive(Debug)]
pub(crate) enum Read {
    /// Text, made of so many bytes.
    Text(Rc<[u8]>, u64),
    /// So many bytes that are not there: they were never written, or are gone.
    Gap(u64, GapReason),
    /// Nothing to deliver for now.
    Nothing,
    /// The file holds something else now.
    Cut,
}

impl Generation {
    /// Looks whether the file has changed. One `fstat`.
    pub(crate) fn look(&mut self, now: Instant) -> io::Result<()> {
        self.hungry |= self.half_due().is_some_and(|due| due <= now);
        let Bytes::Open(file) = &self.bytes else {
            // One that failed is looked for anew.
            self.hungry |= self.failing && self.is_closed();
            return Ok(());
        };
        if self.failing {
            self.try_reading(file)?;
            (self.failing, self.hungry) = (false, true);
        }
        let stat = stat_of(file)?;
        if stat.size == self.size && stat.modified == self.modified {
            return Ok(());
        }
        self.hungry = true;
        // Only what is known to be ours counts as ours: were the new size that of other content, we would miss bytes
        // that never were. If it is other content, or shorter, `read` will see that too.
        if stat.size > self.size && self.is_unchanged(file, &[])? {
            if self.head.len() < HEAD {
                let head = read_exactly(file, 0, head_len(stat.size))?;
                self.know_head(head);
            }
            self.size = stat.size;
            self.touched = now;
        }
        Ok(())
    }

    /// Delivers from `offset` on, a border between characters; or from the last border in the file.
    pub(crate) fn leap(&mut self, offset: u64) -> io::Result<()> {
        let Bytes::Open(file) = &self.bytes else {
            return Ok(());
        };
        let size = stat_of(file)?.size;
        // If it holds something else now, `read` will see that, and count what is gone.
        if size < self.size || !self.is_held_by(file)? {
            return Ok(());
        }
        let offset = if offset > size { self.lens.border(file, size)? } else { offset };
        if self.has_ended() || offset <= self.offset {
            return Ok(());
        }
        let (head, tail) = (read_exactly(file, 0, head_len(size))?, before(file, offset)?);
        self.know_head(head);
        self.tail = tail;
        self.offset = offset;
        self.pending.clear();
        self.wake();
        Ok(())
    }

    /// Reads on: at most [`READ`](crate::tail::reading::READ) bytes, once. `scratch` has that length.
    ///
    /// Cut after a newline where there is one. Half a line waits, unless `in_haste`: then everything is delivered but
    /// an unfinished character. Once the generation is to end, that too.
    pub(crate) fn read(&mut self, scratch: &mut [u8], in_haste: bool, now: Instant) -> io::Result<Read> {
        let held = self.pending.len();
        scratch[..held].copy_from_slice(&self.pending);
        let (mut fresh, mut more) = (0, false);
        if let Bytes::Open(file) = &self.bytes {
            let at = self.position();
            fresh = file.read_at(&mut scratch[held..], at)?;
            let stat = stat_of(file)?;
            // Asked after reading: if the bytes before are the old ones now, so they were while we read. A file that
            // is to end may be a copy, made before we had seen all: that is no cut, there is just less of it.
            let shrunk = stat.size < self.size.max(at);
            if shrunk && !self.is_ending()
                || !shrunk && !self.is_unchanged(file, &scratch[held..held + fresh])?
            {
                return Ok(Read::Cut);
            }
            more = stat.size > at + fresh as u64;
            // Nothing was read, and yet there is more: it has come since, and the next look is to notice it.
            if fresh > 0 || !more {
                self.size = self.size.max(stat.size);
                self.modified = stat.modified;
            }
            if self.head.len() < HEAD {
                see(&mut self.head, at, &scratch[held..held + fresh]);
                self.lens = self.lens.for_head(&self.head);
            }
            if fresh > 0 {
                self.touched = now;
            }
            let full = held + fresh == scratch.len();
            if full
                && scratch[held..].iter().all(|&byte| byte == 0)
                && let Some(hole) = hole_at(file, at, stat.size)?
            {
                return Ok(self.skip(hole));
            }
        }
        let data = &scratch[..held + fresh];
        let full = data.len() == scratch.len();
        // A read may be short before the end, too.
        self.hungry = fresh > 0 && (full || more);
        let exhausted = !full && !self.hungry && self.is_ending();
        let whole = if exhausted { data.len() } else { data.len() - self.lens.unfinished(self.offset, data) };
        let due = self.half_due.is_some_and(|due| due <= now);
        let halves = !self.lens.wants_whole_lines();
        let cut = match self.lens.after_last_newline(self.offset, data) {
            _ if in_haste && halves || exhausted => whole,
            Some(cut) => cut,
            None if due && halves || full => whole,
            None => 0,
        };
        if cut == 0 {
            self.pending = data.to_vec();
            // A character that is not finished is not due, however long it takes.
            self.half_due = if whole == 0 { None } else { self.half_due.or(Some(now + HALF_LINE)) };
            return Ok(self.nothing());
        }
        self.half_due = (cut < whole).then(|| now + HALF_LINE);
        let (said, rest) = data.split_at(cut);
        self.pending = rest.to_vec();
        self.hungry |= self.is_ending();
        Ok(self.say(said, exhausted))
    }

    /// There is nothing to deliver. If that is all there will ever be: what is known to be missing, then the end.
    fn nothing(&mut self) -> Read {
        let missing = self.size.saturating_sub(self.position());
        if !self.is_ending() || self.hungry || missing == 0 {
            return Read::Nothing;
        }
        self.offset += missing;
        self.hungry = true;
        Read::Gap(missing, self.loss)
    }

    /// Over a hole; before it, what is still pending is delivered.
    fn skip(&mut self, hole: u64) -> Read {
        if !self.pending.is_empty() {
            let pending = std::mem::take(&mut self.pending);
            return self.say(&pending, false);
        }
        self.offset += hole;
        // It would read as NULs, and so do the places in it.
        self.head.resize(HEAD, 0);
        self.tail = vec![0; GUARD];
        Read::Gap(hole, GapReason::Hole)
    }

    /// Delivers the bytes at the offset.
    fn say(&mut self, said: &[u8], is_last: bool) -> Read {
        let begins_line = self.lens.begins_line(self.offset, &self.tail);
        let text = self.lens.text(&Stretch { at: self.offset, bytes: said, begins_line, is_last });
        self.offset += said.len() as u64;
        keep_last(&mut self.tail, said);
        Read::Text(text, said.len() as u64)
    }

    /// Are the bytes before our position in `file` still the ones we read? Where there are none before, those that
    /// we have just read after it (`fresh`) must be. And the first ones: lines that repeat themselves look the same
    /// wherever other content has grown to.
    pub(crate) fn is_unchanged(&self, file: &File, fresh: &[u8]) -> io::Result<bool> {
        let mut guard = self.tail.clone();
        keep_last(&mut guard, &self.pending);
        if guard.is_empty() {
            let fresh = &fresh[..fresh.len().min(GUARD)];
            return Ok(holds(file, self.position(), fresh)? && self.begins_like(file)?);
        }
        Ok(holds(file, self.position() - guard.len() as u64, &guard)? && self.begins_like(file)?)
    }
}

/// Adds to the first bytes of a file what was read `at` some offset of it.
fn see(head: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let known = usize::try_from(at).ok().and_then(|at| head.len().checked_sub(at));
    let fresh = known.and_then(|known| bytes.get(known..)).unwrap_or_default();
    head.extend_from_slice(&fresh[..fresh.len().min(HEAD - head.len())]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::cursor::HeadPrint;
    use crate::tail::generation::{Begins, Glance};
    use crate::tail::reading::READ;
    use std::io::Write;
    use std::os::unix::fs::FileExt;

    /// A generation, its file, and a clock.
    struct Growing {
        file: std::fs::File,
        generation: Generation,
        now: Instant,
    }

    impl Growing {
        fn new() -> Self {
            let (file, now) = (tempfile::tempfile().unwrap(), Instant::now());
            let generation =
                Generation::open(file.try_clone().unwrap().into(), Begins::Rotated, 0, &Rc::default(), now)
                    .unwrap();
            Self { file, generation, now }
        }

        fn write(&mut self, bytes: &[u8]) {
            let len = self.file.metadata().unwrap().len();
            self.file.write_all_at(bytes, len).unwrap();
        }

        fn read(&mut self, in_haste: bool) -> Read {
            self.generation.read(&mut vec![0; READ], in_haste, self.now).unwrap()
        }

        #[track_caller]
        fn reads(&mut self, expected: &str) {
            match self.read(false) {
                Read::Text(text, bytes) => {
                    assert_eq!(std::str::from_utf8(&text).unwrap(), expected);
                    assert!(bytes <= text.len() as u64);
                }
                other => panic!("{other:?} instead of {expected:?}"),
            }
        }

        #[track_caller]
        fn reads_nothing(&mut self) {
            let read = self.read(false);
            assert!(matches!(read, Read::Nothing), "{read:?}");
        }
    }

    #[test]
    fn lines_are_delivered_whole_and_halves_after_a_while() {
        let mut growing = Growing::new();
        growing.write(b"one\ntwo\nthr");
        growing.reads("one\ntwo\n");
        growing.reads_nothing();
        growing.now += HALF_LINE;
        growing.reads("thr");
        growing.write(b"ee\n");
        growing.reads("ee\n");
        assert_eq!(growing.generation.offset(), 14);
    }

    #[test]
    fn who_is_in_haste_gets_everything_but_an_unfinished_character() {
        let mut growing = Growing::new();
        growing.write(b"half\xe2\x82");
        assert!(matches!(growing.read(true), Read::Text(text, 4) if *text == *b"half"));
        growing.reads_nothing();
        growing.generation.let_end();
        assert!(matches!(growing.read(true), Read::Text(text, 2) if *text == *"\u{fffd}".as_bytes()));
    }

    #[test]
    fn a_line_longer_than_a_read_is_cut_between_two_characters() {
        let mut growing = Growing::new();
        growing.write("\u{20ac}".repeat(READ).as_bytes());
        let Read::Text(text, bytes) = growing.read(false) else { panic!("there is text") };
        assert_eq!((text.len() as u64, bytes), (65535, 65535));
        assert!(std::str::from_utf8(&text).is_ok());
        assert!(growing.generation.is_hungry());
    }

    #[test]
    fn a_truncated_file_is_recognised_though_it_has_grown_past_its_old_size() {
        for before in ["x", "one\n", &"long ".repeat(100)] {
            let mut growing = Growing::new();
            growing.write(before.as_bytes());
            growing.read(true);
            growing.file.set_len(0).unwrap();
            growing.write("another line, and another\n".repeat(100).as_bytes());
            growing.generation.look(growing.now).unwrap();
            let size = growing.generation.end();
            assert_eq!(size, before.len() as u64, "the new size is not that of the old content");
            assert!(matches!(growing.read(false), Read::Cut));
        }
    }

    #[test]
    fn a_truncated_file_is_recognised_though_its_last_bytes_are_the_same_again() {
        let (mut growing, ticks) = (Growing::new(), "tick\n".repeat(100));
        growing.write(format!("started at 10:00\n{ticks}").as_bytes());
        growing.read(true);
        let size = growing.generation.end();
        growing.file.set_len(0).unwrap();
        growing.write(format!("started at 11:00\n{ticks}{ticks}").as_bytes());
        growing.generation.look(growing.now).unwrap();
        assert_eq!(growing.generation.end(), size, "the new size is not that of the old content");
        assert!(matches!(growing.read(false), Read::Cut));
    }

    #[test]
    fn what_was_seen_but_not_read_before_a_cut_is_counted() {
        let mut growing = Growing::new();
        growing.write(b"one\ntwo\n");
        growing.generation.look(growing.now).unwrap();
        growing.file.set_len(0).unwrap();
        growing.write(b"a new line\n");
        assert!(matches!(growing.read(false), Read::Cut));
        growing.generation.lose(GapReason::Truncated);
        assert!(matches!(growing.read(false), Read::Gap(8, GapReason::Truncated)));
        growing.reads_nothing();
    }

    #[test]
    fn nothing_is_leapt_over_in_a_file_that_was_cut_before_it_was_read() {
        for after in ["shorter\n", "another line, and another\n"] {
            let mut growing = Growing::new();
            growing.write(b"one\ntwo\nthree\n");
            growing.generation.look(growing.now).unwrap();
            growing.file.set_len(0).unwrap();
            growing.write(after.as_bytes());
            growing.generation.leap(u64::MAX).unwrap();
            assert_eq!(growing.generation.offset(), 0);
            assert!(matches!(growing.read(false), Read::Cut));
        }
    }

    #[test]
    fn a_copy_that_is_longer_than_what_was_seen_tells_the_first_bytes_too() {
        let mut growing = Growing::new();
        growing.write(b"one\n");
        growing.generation.look(growing.now).unwrap();
        let mut copy = tempfile::tempfile().unwrap();
        copy.write_all(b"one\ntwo\n").unwrap();
        growing.generation.lose(GapReason::Truncated);
        let copy = File::from(copy);
        let glance = Glance::at(&copy).unwrap();
        growing.generation.take_up(copy, glance, growing.now);
        let place = growing.generation.place_after(8, b"one\ntwo\n");
        assert_eq!(place.head, HeadPrint::of(b"one\ntwo\n", 8));
    }

    #[test]
    fn a_large_hole_is_a_gap_and_a_small_one_is_read() {
        let mut growing = Growing::new();
        growing.write(b"one\n");
        growing.reads("one\n");
        growing.file.set_len(1 << 30).unwrap();
        growing.write(b"two\n");
        let Read::Gap(bytes, GapReason::Hole) = growing.read(false) else { panic!("there is a hole") };
        assert!(bytes > (1 << 30) - 100_000 && growing.generation.offset() <= 1 << 30);

        let mut small = Growing::new();
        small.file.set_len(10).unwrap();
        small.write(b"\n");
        small.reads("\0\0\0\0\0\0\0\0\0\0\n");
    }

    #[test]
    fn the_first_bytes_are_known_as_far_as_they_were_seen() {
        let mut growing = Growing::new();
        let copy = tempfile::tempfile().unwrap();
        let held = File::from(copy.try_clone().unwrap());
        for piece in ["half a ", "line", &"\nand more".repeat(100)] {
            growing.write(piece.as_bytes());
            (&copy).write_all(piece.as_bytes()).unwrap();
            growing.read(false);
            assert!(growing.generation.is_held_by(&held).unwrap());
        }
        assert_eq!(growing.generation.head.len(), HEAD);
        copy.write_all_at(b"H", 0).unwrap();
        assert!(!growing.generation.is_held_by(&held).unwrap());
    }
}
