//! How long things took, very many of them: counted in buckets that are at most a thirty-second wide of what they hold.

use std::time::Duration;

/// Buckets for each doubling.
const FINE: usize = 32;

/// Times, from nanoseconds to hours.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    counts: Vec<u64>,
    total: u64,
    most: u64,
}

impl Latencies {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; FINE * 64], total: 0, most: 0 }
    }

    /// One more.
    pub(crate) fn add(&mut self, time: Duration) {
        let nanos = time.as_nanos() as u64;
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
        self.most = self.most.max(nanos);
    }

    /// So many per cent of them were not longer than this; in milliseconds.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        let rank = (self.total as f64 * percent / 100.0).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return (end(bucket).min(self.most)) as f64 / 1e6;
            }
        }
        self.longest()
    }

    /// The longest of them, in milliseconds.
    pub(crate) fn longest(&self) -> f64 {
        self.most as f64 / 1e6
    }
}

fn bucket(nanos: u64) -> usize {
    let fine = FINE as u64;
    if nanos < fine {
        return nanos as usize;
    }
    // The highest bit says which doubling, the next five which part of it.
    let doubling = nanos.ilog2() - FINE.ilog2();
    (u64::from(doubling) * fine + (nanos >> doubling)) as usize
}

/// The last number that falls into a bucket.
fn end(bucket: usize) -> u64 {
    let (bucket, fine) = (bucket as u64, FINE as u64);
    if bucket < 2 * fine {
        return bucket;
    }
    let doubling = bucket / fine - 1;
    ((bucket % fine + fine + 1) << doubling) - 1
}
