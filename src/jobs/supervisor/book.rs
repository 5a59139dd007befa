//! What is written of a run: its log, and what is noted of it. Knows no processes.

use std::io;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::Order;
use crate::jobs::lines::{Lines, Stream};
use crate::jobs::records::{End, Lock, Records, Run, Stop};
use crate::tail::spool::RotatingFile;
use crate::tail::utc::Utc;

/// The log of the run, and what is noted of it.
pub(super) struct Book {
    file: RotatingFile,
    lines: Lines,
    text: Vec<u8>,
    most: u64,
    /// What is noted of this run.
    pub(super) run: Run,
    began: Instant,
    records: Records,
    earlier: Vec<Run>,
    _lock: Lock,
    // Said once.
    in_trouble: bool,
}

impl Book {
    /// A new file, which begins by saying which run this is. The one before is kept beside it.
    pub(super) fn begin(order: &Order, records: Records, lock: Lock) -> io::Result<Self> {
        let mut earlier = records.read();
        let keep = order.keep.max(1) as usize;
        earlier.drain(..earlier.len().saturating_sub(keep - 1));
        let mut file = RotatingFile::open(&order.log, u64::MAX, order.keep.saturating_sub(1))?;
        if file.size() > 0 {
            file.rotate()?;
        }
        let now = SystemTime::now();
        file.push(format!("── run {} · {} ──\n", order.run, Utc::from(now)).as_bytes());
        file.flush()?;
        let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let run = Run {
            number: order.run,
            started: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            begins: file.size(),
            supervisor: std::process::id(),
            process: None,
            ends: None,
            took: None,
            end: None,
            stopped: None,
            dropped: 0,
        };
        let (lines, text, began) = (Lines::default(), Vec::new(), Instant::now());
        let book = Self {
            file,
            lines,
            text,
            most: order.most,
            run,
            began,
            records,
            earlier,
            _lock: lock,
            in_trouble: false,
        };
        book.note()?;
        Ok(book)
    }

    /// Notes the run as it is now.
    pub(super) fn note(&self) -> io::Result<()> {
        let mut runs = self.earlier.clone();
        runs.push(self.run.clone());
        self.records.write(&runs)
    }

    /// Notes that it is made to end.
    pub(super) fn note_stop(&mut self, why: Stop) {
        self.run.stopped = Some(why);
        if let Err(error) = self.note() {
            self.complain(&error);
        }
    }

    /// The command has said this.
    pub(super) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        self.text.clear();
        self.lines.add(stream, bytes, &mut self.text);
        if self.file.size() + (self.file.unwritten() + self.text.len()) as u64 > self.most {
            self.cut();
        }
        self.file.push(&self.text);
    }

    /// The run has become too long: what was kept of it goes, and what comes is kept.
    fn cut(&mut self) {
        let all = self.file.size() + self.file.unwritten() as u64;
        match self.file.cut() {
            Ok(()) => {
                self.run.dropped += all;
                let line = format!(
                    "── run {} · what came before this line, {} bytes, is not kept: a run may have {} ──\n",
                    self.run.number, self.run.dropped, self.most
                );
                self.run.begins = line.len() as u64;
                self.file.push(line.as_bytes());
                if let Err(error) = self.file.flush().and_then(|()| self.note()) {
                    self.complain(&error);
                }
            }
            Err(error) => self.complain(&error),
        }
    }

    /// Writes what waits. False if that cannot be done now.
    pub(super) fn flush(&mut self) -> bool {
        match self.file.flush() {
            Ok(()) => true,
            Err(error) => {
                self.complain(&error);
                false
            }
        }
    }

    fn complain(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.in_trouble, true) {
            log::warn!("{} cannot be written, so the job waits: {error}", self.file.path().display());
        }
    }

    /// The last line, and the last note.
    pub(super) fn end(&mut self, end: End) -> io::Result<()> {
        let took = self.began.elapsed();
        let mut text = Vec::new();
        self.lines.end(&mut text);
        // Whatever the command has said, and be it a line like ours: here it has ended.
        self.run.ends = Some(self.file.size() + (self.file.unwritten() + text.len()) as u64);
        let asked = match self.run.stopped {
            None => "",
            Some(Stop::Asked) => ", as it was asked to",
            Some(Stop::Timeout) => ", as its time was over",
        };
        let how = match &end {
            End::Exit(code) => format!("exit status {code}"),
            End::Signal(signal) => format!("ended by {}", name_of(*signal)),
            End::Failed(why) => format!("could not be started: {why}"),
            End::Lost => "its end is not known".to_owned(),
        };
        let line =
            format!("── run {} · {how}{asked} · after {:.1} s ──\n", self.run.number, took.as_secs_f64());
        text.extend_from_slice(line.as_bytes());
        self.file.push(&text);
        self.flush();
        self.run.took = Some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        self.run.end = Some(end);
        self.note()
    }
}

/// `SIGTERM`, or `signal 99` if it has no name.
fn name_of(signal: i32) -> String {
    signal_hook::low_level::signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_cut_takes_what_was_not_written_yet_and_all_that_went_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("x.log");
        let order = Order {
            log: log.clone(),
            run: 7,
            keep: 1,
            most: 1000,
            grace: Duration::ZERO,
            timeout: None,
            pty: false,
            survives: false,
            command: Vec::new(),
        };
        let records = Records::of(folder.path());
        let lock = records.lock().unwrap();
        let mut book = Book::begin(&order, records.clone(), lock).unwrap();
        let head = fs::read(&log).unwrap().len() as u64;
        for written in [500, 300] {
            book.write(Stream::Output, &vec![b'x'; written]);
        }
        book.write(Stream::Output, &[b'y'; 400]);
        book.end(End::Exit(0)).unwrap();
        let dropped = head + 800;
        let text = fs::read_to_string(&log).unwrap();
        let (cut, rest) = text.split_once('\n').unwrap();
        assert_eq!(
            cut,
            format!(
                "── run 7 · what came before this line, {dropped} bytes, is not kept: a run may have 1000 ──"
            )
        );
        assert!(rest.starts_with(&("y".repeat(400) + "\n── run 7 · exit status 0 · after ")), "{rest}");
        let run = records.read().pop().unwrap();
        let output = usize::try_from(run.begins).unwrap()..usize::try_from(run.ends.unwrap()).unwrap();
        assert_eq!((run.dropped, &text[output]), (dropped, ("y".repeat(400) + "\n").as_str()));
    }
}
