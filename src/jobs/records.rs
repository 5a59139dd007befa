//! What is known of the runs of one job, in a small file beside its log.
//!
//! Only the supervisor of a run writes it, and holds a lock for as long as it lives; so whoever finds the lock free knows
//! that nothing runs. The file is replaced as a whole: a reader has all of it or what was there before.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Counted from 1.
    pub number: u64,
    /// Milliseconds since 1970.
    pub started: u64,
    /// Where in its file the output begins, behind the line that says which run it is.
    pub begins: u64,
    /// The process that supervises it.
    pub supervisor: u32,
    /// The process that was started, whose number is its group's as well; none if it could not be.
    pub process: Option<u32>,
    /// Where in its file the output ends, before the line that says how the run ended; once it has.
    pub ends: Option<u64>,
    /// How long it took, in milliseconds, once it has ended.
    pub took: Option<u64>,
    /// How it ended, once it has.
    pub end: Option<End>,
    /// Why it was asked to end, if it was.
    pub stopped: Option<Stop>,
    /// So many bytes at its beginning are not kept.
    pub dropped: u64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// With this status; 0 is success.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// It could not be started, for this reason.
    Failed(String),
    /// Nobody knows: its supervisor was killed.
    Lost,
}

/// Why a run was asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Somebody wanted it, or the server ended.
    Asked,
    /// It took longer than it may.
    Timeout,
}

/// The records of one job.
#[derive(Clone, Debug)]
pub struct Records {
    folder: PathBuf,
}

/// While it is held, no other run of this job begins.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Records {
    /// Those in the folder of a job.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// All runs that are noted, the newest last. What cannot be read or understood is none.
    pub fn read(&self) -> Vec<Run> {
        let Ok(text) = fs::read(self.path()) else { return Vec::new() };
        serde_json::from_slice(&text).unwrap_or_else(|error| {
            log::warn!("{} cannot be understood: {error}", self.path().display());
            Vec::new()
        })
    }

    /// Notes these instead of what was noted before.
    ///
    /// # Errors
    /// If the folder cannot be written to; then the old ones stay.
    pub fn write(&self, runs: &[Run]) -> io::Result<()> {
        let text = serde_json::to_vec(runs)?;
        let beside = self.folder.join("runs.json.new");
        fs::write(&beside, text)?;
        fs::rename(beside, self.path())
    }

    /// The lock, unless somebody has it.
    ///
    /// # Errors
    /// If somebody has it ([`WouldBlock`](io::ErrorKind::WouldBlock)), or its file cannot be made.
    pub fn lock(&self) -> io::Result<Lock> {
        let file = File::options().create(true).append(true).open(self.folder.join("lock"))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Lock { _file: file })
    }

    /// Whether somebody has the lock.
    ///
    /// # Errors
    /// If its file cannot be made.
    pub fn is_locked(&self) -> io::Result<bool> {
        match self.lock() {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("runs.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u64) -> Run {
        Run {
            number,
            started: 1_700_000_000_000,
            begins: 40,
            supervisor: 1,
            process: Some(2),
            ends: None,
            took: None,
            end: None,
            stopped: Some(Stop::Timeout),
            dropped: 0,
        }
    }

    #[test]
    fn what_was_noted_is_read_again_and_what_is_none_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::of(folder.path());
        assert_eq!(records.read(), []);
        let runs = [run(1), Run { end: Some(End::Failed("no \"such\" file".to_owned())), ..run(2) }];
        records.write(&runs).unwrap();
        assert_eq!(records.read(), runs);
        fs::write(folder.path().join("runs.json"), "[{").unwrap();
        assert_eq!(records.read(), []);
    }

    #[test]
    fn one_at_a_time_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::of(folder.path());
        assert!(!records.is_locked().unwrap());
        let lock = records.lock().unwrap();
        assert!(records.is_locked().unwrap());
        assert_eq!(records.lock().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(lock);
        assert!(!records.is_locked().unwrap());
    }
}
