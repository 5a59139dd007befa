//! What the loop listens to beside sockets, and what is written because of it: standard input, and the demo log.
//!
//! Knows where news come from; not what follows from them.

use std::io;
use std::time::SystemTime;

use super::access::Gate;
use super::wake::{FileWatch, SIGHUP, SIGINT, SIGTERM, Signals};
use crate::net::{EventLoop, WatchId};
use crate::tail::demo::Demo;
use crate::tail::spool::{Pumped, StdinSpool};

/// See the module.
pub(super) struct Inputs {
    /// To stop.
    pub(super) signals: (Signals, WatchId),
    /// To read the settings again.
    pub(super) renewal: Option<(Signals, WatchId)>,
    /// Passwords that have been looked at, if there are users.
    pub(super) verdicts: Option<WatchId>,
    /// Early wake-ups from the file system, where it offers them.
    pub(super) files: Option<(FileWatch, WatchId)>,
    pub(super) stdin: Option<(StdinSpool, Option<WatchId>)>,
    pub(super) demo: Option<Demo>,
    /// Whether one of the two cannot be written.
    trouble: Trouble,
}

impl Inputs {
    /// Listens to all of them.
    ///
    /// # Errors
    /// When the system refuses a signal handler, or to watch something.
    pub(super) fn new(
        event_loop: &mut EventLoop,
        gate: &Gate,
        renewable: bool,
        inotify: bool,
        stdin: Option<StdinSpool>,
        demo: Option<Demo>,
    ) -> io::Result<Self> {
        let signals = Signals::new(&[SIGTERM, SIGINT])?;
        let signals_watch = event_loop.watch(&signals)?;
        let renewal = match renewable {
            true => {
                let hang_up = Signals::new(&[SIGHUP])?;
                let watch = event_loop.watch(&hang_up)?;
                Some((hang_up, watch))
            }
            false => None,
        };
        let files = match inotify.then(FileWatch::new) {
            Some(Ok(files)) => {
                let watch = event_loop.watch(&files)?;
                Some((files, watch))
            }
            Some(Err(error)) => {
                log::info!(
                    "no early wake-ups from the file system ({error}); the tick alone follows the files"
                );
                None
            }
            None => None,
        };
        // A regular file as standard input cannot be polled; the tick reads it.
        let stdin = stdin.map(|spool| {
            let watch = event_loop.watch(&io::stdin()).ok();
            (spool, watch)
        });
        let verdicts = gate.verifier().map(|verifier| event_loop.watch(verifier)).transpose()?;
        let signals = (signals, signals_watch);
        Ok(Self { signals, renewal, verdicts, files, stdin, demo, trouble: Trouble::default() })
    }

    /// Moves what waits on standard input into its file, at most 256 KiB. True if there may be more.
    pub(super) fn read_stdin(&mut self) -> bool {
        let Self { stdin: Some((spool, _)), trouble, .. } = self else { return false };
        matches!(trouble.heard("standard input", spool.pump()), Some(Pumped::Bytes(_)))
    }

    /// The demo log writes what it has to say by now.
    pub(super) fn write_demo(&mut self, now: SystemTime) {
        let Self { demo: Some(demo), trouble, .. } = self else { return };
        trouble.heard("the demo log", demo.tick(now));
    }
}

/// Whether what fails again and again, as writing does on a full disk, fails at the moment: said when that begins, and when it
/// is over.
#[derive(Debug, Default)]
struct Trouble(bool);

impl Trouble {
    /// What came of another try. `what` is who cannot be written, as in "standard input".
    fn heard<T>(&mut self, what: &str, outcome: io::Result<T>) -> Option<T> {
        match outcome {
            Ok(done) => {
                if std::mem::take(&mut self.0) {
                    log::warn!("{what} is written again; nothing was lost");
                }
                Some(done)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.0, true) {
                    log::warn!("{what} cannot be written, and is tried again: {error}");
                }
                None
            }
        }
    }
}
