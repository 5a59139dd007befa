//! Jobs: commands from the configuration that visitors may start, run once and watched by many.
//!
//! What a job says is a log like any other: one file, which begins anew with every run and has the earlier runs beside it
//! as rotated files. So whoever comes late sees all of it, and the past and the search of a log are the runs that were.
//!
//! The command is not run by the server but by a program beside it, the [`supervisor`]: it writes the log, ends what is to
//! be ended, and notes in [`records`] what became of the run. The server only starts it and holds one end of a socket, the
//! other end of which is the supervisor's standard input:
//!
//! ```text
//!   server --- STOP --> supervisor       to end the run
//!   server <-- NEWS --- supervisor       the records say something new
//!   the end of the socket, either way:   the other one is gone
//! ```
//!
//! So nothing that a job does costs the server any time, and when the server goes, however it goes, its jobs hear of it.
//!
//! Only what stands in the configuration is ever started: a visitor names a job, and no more. Knows processes and the
//! files of jobs; no network, and not who asks.

mod lines;
pub mod records;
pub mod supervisor;

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use crate::tail::spool::private_folder;
use records::{End, Records, Run};

/// From the server: end the run.
const STOP: u8 = b's';
/// From the supervisor: the records have news.
const NEWS: u8 = b'b';

/// A job as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What it and its log are called: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// What it does, for people.
    pub about: Option<String>,
    /// The program and its arguments, as they are: no shell is asked.
    pub command: Vec<String>,
    /// Where it is run.
    pub folder: Option<PathBuf>,
    /// What is in its environment beside what is in the server's.
    pub environment: Vec<(String, String)>,
    /// Whether it is to find a terminal: many programs then say each line at once, and in colours.
    pub pty: bool,
    /// Whether it goes on when the server ends.
    pub survives: bool,
    /// How many runs are kept, the current one among them.
    pub keep: u32,
    /// How many bytes of a run are kept.
    pub most: u64,
    /// How long it has to end by itself when it is told to.
    pub grace: Duration,
    /// How long a run may take; else as long as it likes.
    pub timeout: Option<Duration>,
}

impl Job {
    /// Whether a job may be called so: the name is a part of addresses and of paths.
    pub fn may_be_called(name: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(plain)
            && name.len() <= 64
    }
}

/// All jobs, and what runs of them there are.
#[derive(Default)]
pub struct Jobs {
    jobs: Vec<Kept>,
    /// Supervisors that are as good as gone.
    leaving: Vec<Child>,
    /// Jobs whose sockets nobody listens to.
    unheard: Vec<String>,
    /// Removes the folder and all runs when it is dropped, if nobody said where they are to be kept.
    _temporary: Option<TempDir>,
}

/// A job, its files, and what is known of its runs.
struct Kept {
    job: Job,
    folder: PathBuf,
    runs: Vec<Run>,
    live: Live,
}

/// Whether it runs.
enum Live {
    No,
    /// By a supervisor that we have started.
    Ours(Child, UnixStream),
    /// By one that another server has started, an earlier one as a rule.
    Survivor,
}

/// A job as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Status<'a> {
    /// What is configured.
    pub job: &'a Job,
    /// Whether it runs.
    pub running: bool,
    /// The runs that are kept, the newest last.
    pub runs: &'a [Run],
}

/// Why a job was not started, or not stopped.
#[derive(Debug)]
pub enum Refused {
    /// There is no job of this name.
    Unknown,
    /// It runs already.
    Running,
    /// It does not run.
    NotRunning,
    /// The system did not let us; reads on after a colon.
    Io(io::Error),
}

impl Jobs {
    /// These jobs, whose runs are kept in `folder`, or in a temporary one. Finds what an earlier server has left there.
    ///
    /// # Errors
    /// If the folders cannot be made.
    pub fn new(jobs: Vec<Job>, folder: Option<&Path>) -> io::Result<Self> {
        let mut temporary = None;
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            // Nothing is made for nobody.
            None if jobs.is_empty() => PathBuf::new(),
            None => temporary.insert(private_folder()?).path().to_owned(),
        };
        let mut kept = Vec::new();
        for job in jobs {
            let folder = folder.join(&job.name);
            std::fs::create_dir_all(&folder)?;
            let records = Records::of(&folder);
            let live = if records.is_locked()? { Live::Survivor } else { Live::No };
            let mut runs = records.read();
            if let (Live::No, Some(run)) = (&live, runs.last_mut().filter(|run| run.end.is_none())) {
                run.end = Some(End::Lost);
                records.write(&runs)?;
            }
            kept.push(Kept { runs, job, folder, live });
        }
        Ok(Self { jobs: kept, leaving: Vec::new(), unheard: Vec::new(), _temporary: temporary })
    }

    /// All of them, in the order of the configuration.
    pub fn all(&self) -> impl Iterator<Item = Status<'_>> {
        self.jobs.iter().map(Kept::status)
    }

    /// The job of this name.
    pub fn find(&self, name: &str) -> Option<Status<'_>> {
        self.jobs.iter().find(|kept| kept.job.name == name).map(Kept::status)
    }

    /// The logs of all jobs, by their names, in the order of the configuration.
    pub fn logs(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.jobs.iter().map(|kept| (kept.job.name.as_str(), kept.log()))
    }

    /// Starts a run. Gives its number, and a socket that is readable when there is something to be
    /// [`heard`](Self::hear) of it.
    ///
    /// # Errors
    /// [`Refused`]. That the command itself cannot be started is told by the run's record.
    pub fn start(&mut self, name: &str) -> Result<(u64, &UnixStream), Refused> {
        let kept = self.jobs.iter_mut().find(|kept| kept.job.name == name).ok_or(Refused::Unknown)?;
        if kept.is_running() || kept.is_run_by_another() {
            return Err(Refused::Running);
        }
        let number = kept.runs.last().map_or(1, |run| run.number + 1);
        let (ours, theirs) = UnixStream::pair().map_err(Refused::Io)?;
        ours.set_nonblocking(true).map_err(Refused::Io)?;
        let child = kept.supervisor(number, theirs.into()).spawn().map_err(Refused::Io)?;
        kept.live = Live::Ours(child, ours);
        match &kept.live {
            Live::Ours(_, socket) => Ok((number, socket)),
            Live::No | Live::Survivor => Err(Refused::NotRunning),
        }
    }

    /// Asks a run to end: SIGTERM for all of its processes, and after the job's grace SIGKILL. It has ended when that is
    /// [`heard`](Self::hear).
    ///
    /// # Errors
    /// [`Refused`].
    pub fn stop(&mut self, name: &str) -> Result<(), Refused> {
        let kept = self.jobs.iter_mut().find(|kept| kept.job.name == name).ok_or(Refused::Unknown)?;
        kept.stop()
    }

    /// The socket of this job's run could not be listened to.
    pub fn is_not_heard(&mut self, name: &str) {
        self.unheard.push(name.to_owned());
    }

    /// Hears what the supervisors say. Gives the names of the jobs that have news.
    pub fn hear(&mut self) -> Vec<String> {
        self.leaving.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let mut news = Vec::new();
        for kept in &mut self.jobs {
            let ended = match &mut kept.live {
                Live::No => continue,
                Live::Survivor => match Records::of(&kept.folder).is_locked() {
                    Ok(true) | Err(_) => continue,
                    Ok(false) => true,
                },
                Live::Ours(_, socket) => match heard(socket) {
                    Some(ended) => ended,
                    None => continue,
                },
            };
            kept.runs = Records::of(&kept.folder).read();
            if ended {
                let mut supervisor = None;
                if let Live::Ours(child, _) = std::mem::replace(&mut kept.live, Live::No) {
                    supervisor = Some(child.id());
                    self.leaving.push(child);
                }
                if !kept.is_run_by_another() {
                    kept.mourn(supervisor);
                }
            }
            news.push(kept.job.name.clone());
        }
        self.unheard.retain(|name| self.jobs.iter().any(|kept| kept.job.name == *name && kept.is_running()));
        news
    }

    /// Whether something happens that no socket tells of: ask [`hear`](Self::hear) again in a second.
    pub fn needs_looking_at(&self) -> bool {
        !self.leaving.is_empty()
            || !self.unheard.is_empty()
            || self.jobs.iter().any(|kept| matches!(kept.live, Live::Survivor))
    }

    /// The server ends: so does what is not to survive it.
    pub fn end(&mut self) {
        for kept in self.jobs.iter_mut().filter(|kept| !kept.job.survives) {
            // Not running, or gone this moment: then there is nothing to end.
            let _ = kept.stop();
        }
    }

    /// Whether there are runs that are to end before the server does.
    pub fn are_ending(&self) -> bool {
        self.jobs.iter().any(|kept| !kept.job.survives && kept.is_running())
    }
}

impl Kept {
    fn status(&self) -> Status<'_> {
        Status { job: &self.job, running: self.is_running(), runs: &self.runs }
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.job.name))
    }

    fn is_running(&self) -> bool {
        !matches!(self.live, Live::No)
    }

    /// Whether a run goes on that we have not started; then it is a survivor from now on. So two servers that keep their runs
    /// in one folder do not end each other's.
    fn is_run_by_another(&mut self) -> bool {
        let records = Records::of(&self.folder);
        self.runs = records.read();
        // A supervisor that has noted the end may hold the lock for a moment still.
        let goes_on = self.runs.last().is_some_and(|run| run.end.is_none());
        let is_another = goes_on && matches!(records.is_locked(), Ok(true));
        if is_another {
            self.live = Live::Survivor;
        }
        is_another
    }

    /// The program that will run the command, for [`supervisor::Order`] to be read from its arguments.
    fn supervisor(&self, number: u64, socket: OwnedFd) -> Command {
        let Job { command, folder, environment, pty, survives, keep, most, grace, timeout, .. } = &self.job;
        // What runs now, though its file may have been replaced by a newer version.
        let mut program = match cfg!(target_os = "linux") {
            true => Command::new("/proc/self/exe"),
            false => Command::new(std::env::current_exe().unwrap_or_else(|_| "wiretail".into())),
        };
        program.arg0("wiretail").arg("supervise").arg("--log").arg(self.log());
        program.args(["--run", &number.to_string(), "--keep", &keep.to_string()]);
        program.args(["--most", &most.to_string(), "--grace-ms", &grace.as_millis().to_string()]);
        program.args(timeout.map(|timeout| format!("--timeout-ms={}", timeout.as_millis())));
        program.args(pty.then_some("--pty")).args(survives.then_some("--survives"));
        program.arg("--").args(command);
        program.envs(environment.iter().map(|(name, value)| (name, value)));
        program.current_dir(folder.as_deref().unwrap_or(Path::new("/")));
        program.stdin(Stdio::from(socket)).stdout(Stdio::null()).stderr(Stdio::inherit());
        program
    }

    fn stop(&mut self) -> Result<(), Refused> {
        match &mut self.live {
            Live::No => Err(Refused::NotRunning),
            // One byte into an empty socket waits for nobody; if it cannot be written, the other one is gone.
            Live::Ours(_, socket) => socket.write_all(&[STOP]).map_err(Refused::Io),
            Live::Survivor => {
                let supervisor = self.runs.last().and_then(|run| process(run.supervisor));
                let supervisor = supervisor.ok_or(Refused::NotRunning)?;
                kill_process(supervisor, Signal::TERM).map_err(|error| Refused::Io(error.into()))
            }
        }
    }

    /// The supervisor has gone. If it was killed, its run has no end in the records, and the run's processes nobody who would
    /// end them. A run of another supervisor is none of this one's: its processes may be long gone, and their numbers be
    /// those of others.
    fn mourn(&mut self, supervisor: Option<u32>) {
        let is_its = |run: &&mut Run| run.end.is_none() && supervisor.is_none_or(|it| it == run.supervisor);
        let Some(run) = self.runs.last_mut().filter(is_its) else { return };
        if let Some(group) = run.process.and_then(process) {
            // It may be gone as well.
            let _ = kill_process_group(group, Signal::KILL);
        }
        run.end = Some(End::Lost);
        if let Err(error) = Records::of(&self.folder).write(&self.runs) {
            log::warn!("the end of a run of {} cannot be noted: {error}", self.job.name);
        }
    }
}

/// Reads all that a supervisor has said. Whether it has said its last; none if it has said nothing.
fn heard(socket: &mut UnixStream) -> Option<bool> {
    let mut said = None;
    loop {
        match socket.read(&mut [0; 64]) {
            Ok(0) => return Some(true),
            Ok(_) => said = Some(false),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return said,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Some(true),
        }
    }
}

fn process(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jobs_name_is_one_plain_part_of_a_path() {
        for good in ["deploy", "deploy-2", "a.b_c", "7"] {
            assert!(Job::may_be_called(good), "{good}");
        }
        for bad in ["", ".", "..", ".x", "-x", "a/b", "a b", "a\n", "ä", &"a".repeat(65)] {
            assert!(!Job::may_be_called(bad), "{bad:?}");
        }
    }
}
