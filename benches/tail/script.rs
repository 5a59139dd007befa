//! What is written to a log and has to arrive: every line known beforehand, byte for byte, and when it was written.
//!
//! So whoever reads compares what came with what was meant, instead of taking it apart; and nothing of the clock has to
//! be in the text.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::priority;

/// A line of the usual length, its end included.
pub(crate) const LINE: usize = 120;

/// How much is written at once where it does not matter line by line.
const BLOCK: usize = 64 * 1024;

/// The lines of one log.
#[derive(Debug)]
pub(crate) struct Script {
    text: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
    /// When each line was written, in nanoseconds since `start`.
    written: Vec<AtomicU64>,
    start: Instant,
}

/// The line with that number, of `len` bytes, its end included.
pub(crate) fn line(number: usize, len: usize) -> Vec<u8> {
    let mut line = format!("{number:010} ").into_bytes();
    line.extend(b"GET /catalogue/items?page=17 200 in 3 ms; ".iter().cycle().take(len - 1 - line.len()));
    line.push(b'\n');
    line
}

impl Script {
    /// So many lines of `line` bytes each.
    pub(crate) fn new(lines: usize, line: usize) -> Arc<Self> {
        Self::of(&(0..lines).map(|number| self::line(number, line)).collect::<Vec<_>>())
    }

    /// These lines, each with its end.
    pub(crate) fn of(lines: &[Vec<u8>]) -> Arc<Self> {
        let ends = lines.iter().scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        });
        let ends = ends.collect();
        let written = std::iter::repeat_with(AtomicU64::default).take(lines.len()).collect();
        Arc::new(Self { text: lines.concat(), ends, written, start: Instant::now() })
    }

    /// How many lines there are.
    pub(crate) fn lines(&self) -> usize {
        self.ends.len()
    }

    /// Where line `number` ends in the text.
    pub(crate) fn end(&self, number: usize) -> usize {
        self.ends[number]
    }

    /// Line `number`.
    fn line(&self, number: usize) -> &[u8] {
        let from = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[from..self.ends[number]]
    }

    /// All of it.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The length of a line, where all are equally long.
    pub(crate) fn line_len(&self) -> usize {
        self.ends[0]
    }

    /// How long ago line `number` was written, at `now`.
    pub(crate) fn age(&self, number: usize, now: Instant) -> Duration {
        let written = self.start + Duration::from_nanos(self.written[number].load(Ordering::Relaxed));
        now.saturating_duration_since(written)
    }

    /// Appends the lines one by one, each with a write of its own and at its time.
    pub(crate) fn write_steadily(&self, path: &Path, per_second: usize) {
        self.write_round(&mut [append(path)], per_second, 1);
    }

    /// The same, to one file after the other and round; of so many lines that come `together`, all at the time of the first.
    pub(crate) fn write_round(&self, files: &mut [File], per_second: usize, together: usize) {
        let count = files.len();
        let begin = Instant::now();
        for number in 0..self.lines() {
            let due =
                begin + Duration::from_secs(1) * (number - number % together) as u32 / per_second as u32;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            self.written[number].store(self.start.elapsed().as_nanos() as u64, Ordering::Relaxed);
            files[number % count].write_all(self.line(number)).expect("a log can be written");
        }
    }

    /// Appends everything as fast as the file takes it.
    pub(crate) fn write_at_once(&self, path: &Path) {
        let mut file = append(path);
        self.text.chunks(BLOCK).for_each(|block| file.write_all(block).expect("a log can be written"));
    }

    /// [`write_steadily`](Self::write_steadily) on a thread of its own that is never kept waiting by those who read.
    pub(crate) fn start_steadily(
        self: &Arc<Self>,
        path: &Path,
        per_second: usize,
    ) -> std::thread::JoinHandle<()> {
        let (script, path) = (Arc::clone(self), path.to_owned());
        std::thread::spawn(move || {
            priority::put_this_thread_first();
            script.write_steadily(&path, per_second);
        })
    }
}

/// Opens a log as programs do that write one.
pub(crate) fn append(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).expect("a log can be opened")
}

/// A log of so many lines, for those who begin near its end.
pub(crate) fn write_lines(path: &Path, lines: usize) {
    let mut file = std::io::BufWriter::with_capacity(BLOCK, append(path));
    (0..lines).for_each(|number| file.write_all(&line(number, LINE)).expect("a log can be written"));
    file.flush().expect("a log can be written");
}
