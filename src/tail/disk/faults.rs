//! What a test does to a disk: the n-th call fails, once or for a while.
//!
//! Does not know who calls, nor what should follow.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use super::Call;

/// What may happen to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A signal came (EINTR).
    Interrupted,
    /// The medium cannot be read (EIO).
    Broken,
    /// The same, but only of what is in the files: they can be opened.
    BadSector,
    /// The network file system has another file by now, or none (ESTALE).
    Stale,
    /// The right to it was taken away (EACCES).
    Denied,
    /// All descriptors of the process are in use (EMFILE).
    NoDescriptors,
    /// A read gives fewer bytes than there are.
    Short,
    /// There is no room for what is to be written (ENOSPC).
    Full,
}

impl Fault {
    /// Each of those that befall who reads.
    pub const ALL: [Self; 7] = [
        Self::Interrupted,
        Self::Broken,
        Self::BadSector,
        Self::Stale,
        Self::Denied,
        Self::NoDescriptors,
        Self::Short,
    ];

    fn can_befall(self, call: Call) -> bool {
        match self {
            Self::Interrupted | Self::Broken | Self::Stale => true,
            // Neither takes away what is open.
            Self::Denied => matches!(call, Call::Open | Call::Stat | Call::List),
            Self::NoDescriptors => call == Call::Open,
            Self::BadSector | Self::Short => call == Call::Read,
            Self::Full => call == Call::Write,
        }
    }

    fn errno(self) -> Option<Errno> {
        match self {
            Self::Interrupted => Some(Errno::INTR),
            Self::Broken | Self::BadSector => Some(Errno::IO),
            Self::Stale => Some(Errno::STALE),
            Self::Denied => Some(Errno::ACCESS),
            Self::NoDescriptors => Some(Errno::MFILE),
            Self::Full => Some(Errno::NOSPC),
            Self::Short => None,
        }
    }
}

/// The faults of a [`Disk`](super::Disk): shared with whoever decides on them, in another thread perhaps.
#[derive(Debug)]
pub struct Faults {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    plan: Option<Plan>,
    calls: u64,
}

/// From the `first` call on that `fault` can befall, so many `times`.
#[derive(Debug)]
struct Plan {
    fault: Fault,
    first: u64,
    times: u64,
    // Of the calls that it can befall, so many were made.
    seen: u64,
}

impl Faults {
    /// None yet, and later anywhere.
    pub fn anywhere() -> Arc<Self> {
        Self::below(Path::new(""))
    }

    /// None yet, and later only for what lies in `folder`.
    pub fn below(folder: &Path) -> Arc<Self> {
        Arc::new(Self { folder: folder.to_owned(), state: Mutex::default() })
    }

    /// From now on: the `first` call that can be befallen, counted from 1, is, and the next ones, so many `times` in
    /// all.
    pub fn begin(&self, fault: Fault, first: u64, times: u64) {
        self.state().plan = Some(Plan { fault, first, times, seen: 0 });
    }

    /// From now on all is well.
    pub fn end(&self) {
        self.state().plan = None;
    }

    /// How many calls were befallen since the last [`begin`](Self::begin).
    pub fn met(&self) -> u64 {
        let met = |plan: &Plan| (plan.seen + 1).saturating_sub(plan.first).min(plan.times);
        self.state().plan.as_ref().map_or(0, met)
    }

    /// How many calls were made in all.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    pub(super) fn concern(&self, folder: &Path) -> bool {
        self.folder.as_os_str().is_empty() || folder.starts_with(&self.folder)
    }

    /// How this call fails, if it does.
    pub(super) fn error(&self, call: Call) -> Option<Errno> {
        let mut state = self.state();
        state.calls += 1;
        let plan = state.plan.as_mut().filter(|plan| plan.fault != Fault::Short)?;
        if plan.befalls(call) { plan.fault.errno() } else { None }
    }

    /// How much the next read gives at most, if not all of the `wanted` bytes: always some.
    pub(super) fn short(&self, wanted: usize) -> Option<usize> {
        let mut state = self.state();
        let plan = state.plan.as_mut().filter(|plan| plan.fault == Fault::Short && wanted > 1)?;
        plan.befalls(Call::Read).then_some(wanted.min(3) - 1)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn befalls(&mut self, call: Call) -> bool {
        if !self.fault.can_befall(call) {
            return false;
        }
        self.seen += 1;
        (self.first..self.first.saturating_add(self.times)).contains(&self.seen)
    }
}
