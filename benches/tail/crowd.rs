//! Many viewers of one log behind one poll. What each of them gets is compared with what was written, byte for byte: a
//! line that is lost, repeated or not in its place ends the benchmark.
//!
//! Does not know who delivers the log.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use super::latencies::Latencies;
use super::script::Script;
use super::servers::{From, Kind, Running};
use super::stream::{Stream, Then};

/// Viewers of one log.
pub(crate) struct Crowd {
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    viewers: Vec<Viewer>,
    script: Arc<Script>,
    /// So many of the first viewers do not read at the moment.
    stopped: usize,
    /// How long lines were on their way, from the line with the number [`count_from`](Self::count_from) on, to viewers
    /// who did not stop.
    pub(crate) latencies: Latencies,
    count_from: usize,
}

struct Viewer {
    stream: Stream,
    /// Bytes of the log had.
    had: usize,
}

impl Crowd {
    /// So many viewers, who begin with the first line of `script`.
    pub(crate) fn open(server: &mut Running, kind: Kind, count: usize, script: &Arc<Script>) -> Self {
        let poll = Poll::new().expect("a poll");
        let mut crowd = Self {
            poll,
            events: Events::with_capacity(1024),
            buffer: vec![0; 256 * 1024],
            viewers: Vec::new(),
            script: Arc::clone(script),
            stopped: 0,
            latencies: Latencies::new(),
            count_from: usize::MAX,
        };
        for number in 0..count {
            let (source, mut had) = (server.open(From::Beginning), 0);
            let stream =
                Stream::new(source, kind, &crowd.poll, number, |payload| compare(&mut had, payload, script));
            crowd.viewers.push(Viewer { stream, had });
        }
        crowd
    }

    /// From the line with this number on, latencies are counted.
    pub(crate) fn count_from(&mut self, line: usize) {
        self.count_from = line;
    }

    /// The first `count` viewers do not read any more; with 0 all of them do.
    pub(crate) fn stop(&mut self, count: usize) {
        let before = std::mem::replace(&mut self.stopped, count);
        for number in count..before {
            self.read_one(number);
        }
    }

    /// Waits until something can be read, but not longer than `patience`, and reads it.
    pub(crate) fn read(&mut self, patience: Duration) {
        if let Err(error) = self.poll.poll(&mut self.events, Some(patience)) {
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
            return;
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            if event.token().0 >= self.stopped {
                self.read_one(event.token().0);
            }
        }
        self.events = events;
    }

    /// Reads until all that read have all, or for as long as that; whether they have.
    pub(crate) fn read_all(&mut self, within: Duration) -> bool {
        let end = Instant::now() + within;
        while !self.have_all() {
            if Instant::now() > end {
                return false;
            }
            self.read(Duration::from_millis(100));
        }
        true
    }

    /// Whether all that read have the whole log.
    pub(crate) fn have_all(&self) -> bool {
        self.viewers[self.stopped..].iter().all(|viewer| viewer.had == self.script.text().len())
    }

    /// How much of what was to come has come, to all together.
    pub(crate) fn share(&self) -> f64 {
        let had: usize = self.viewers.iter().map(|viewer| viewer.had).sum();
        had as f64 / (self.script.text().len() * self.viewers.len()) as f64
    }

    /// Reads until nothing is left.
    fn read_one(&mut self, number: usize) {
        let Self { viewers, buffer, script, latencies, .. } = self;
        let Viewer { stream, had } = &mut viewers[number];
        loop {
            let before = *had / script.line_len();
            let then = stream.read(buffer, |payload| compare(had, payload, script));
            let now = Instant::now();
            for line in before.max(self.count_from)..*had / script.line_len() {
                latencies.add(script.age(line, now));
            }
            if then == Then::Nothing {
                return;
            }
        }
    }
}

/// What came must be what comes next in the log.
fn compare(had: &mut usize, bytes: &[u8], script: &Script) {
    let expected = script.text().get(*had..*had + bytes.len());
    assert!(
        expected == Some(bytes),
        "byte {had} of the log is not what was written there: {:?}",
        String::from_utf8_lossy(&bytes[..bytes.len().min(300)])
    );
    *had += bytes.len();
}
