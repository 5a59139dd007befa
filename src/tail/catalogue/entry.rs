//! One log in the catalogue's list.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use crate::tail::beneath::{OpenError, Root, Stat};
use crate::tail::reading;
use crate::tail::{Cursor, Lens};

/// One log in the list.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// What it is called, everywhere: parts between slashes, none empty, no control characters.
    pub name: String,
    /// By what other names it can be asked for.
    pub aliases: Vec<String>,
    /// What it is shown under: the name given to its folder, or its folder's own name. May be empty.
    pub group: String,
    /// Where its lines come from.
    pub kind: LogKind,
    /// Whether the operator named this very file, not its folder or a pattern.
    pub outright: bool,
    /// The folder it is opened beneath. May not be there yet.
    pub root: Rc<Root>,
    /// Its path in that folder.
    pub rel: PathBuf,
    /// How it is read.
    pub lens: Rc<Lens>,
}

impl LogEntry {
    /// How it is right now. Opens it for a moment: merely looking would not tell whether we may read it.
    pub fn state(&self) -> LogState {
        match self.root.open_file(&self.rel).and_then(|file| Stat::of(&file)) {
            Ok(stat) => LogState::Ok { size: stat.size, modified: stat.modified },
            Err(OpenError::Missing) => LogState::Missing,
            Err(why) => LogState::Refused(why.to_string()),
        }
    }
}

impl LogEntry {
    /// The place at `offset` of a file beside this log's, or of its own: `rel` is the file's path beneath the same folder.
    ///
    /// # Errors
    /// If the file cannot be read, or is shorter.
    pub fn cursor_in(&self, rel: &Path, offset: u64) -> Result<Cursor, OpenError> {
        let file = self.root.open_file(rel)?;
        let place = reading::place(&file, offset, &self.lens).map_err(OpenError::Io)?;
        Ok(Cursor::new(vec![place]))
    }
}

/// Where a log's lines come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// A file that others write.
    File,
    /// Our own standard input, spooled into a file.
    Stdin,
    /// What a job says: a file that begins anew with every run.
    Job,
    /// What visitors write, in a file that others may write as well.
    Room,
}

/// How a log is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogState {
    /// There, and a regular file.
    Ok {
        /// Its length in bytes.
        size: u64,
        /// When it was last written to.
        modified: SystemTime,
    },
    /// Not there; waited for.
    Missing,
    /// There, but it is not read. A plain sentence says why.
    Refused(String),
}
