//! The program beside the server that runs one command: see [`run`].
//!
//! ```text
//!   Runs --- asked to stop, its time is over,
//!     |      or the server is gone -------------> SIGTERM --- after the grace --> SIGKILL
//!     \______ the command has ended ______\_________________________________/
//!                      \--> what is left of its group goes the same way --> the end is noted
//! ```
//!
//! The command leads a process group of its own, and it is the group that is ended: what the command has started goes with
//! it. (A process that has left the group on purpose, a daemon, does not.) Whatever the server does, also when it is killed,
//! its end of the socket is closed then, and that is noticed here.
//!
//! This program may wait, sleep and ask the clock: nobody else is served by it.

mod book;
mod terminal;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, Signal, WaitOptions, kill_process_group, setsid, test_kill_process_group, waitpgid,
};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use super::NEWS;
use super::lines::Stream;
use super::records::{End, Lock, Records, Stop};
use book::Book;

/// What is to be run, and how.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where its output goes. The records are beside it.
    pub log: PathBuf,
    /// Which run this is.
    pub run: u64,
    /// How many runs are kept, with this one.
    pub keep: u32,
    /// How many bytes of a run are kept.
    pub most: u64,
    /// The time between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// How long it may run, if there is a bound.
    pub timeout: Option<Duration>,
    /// Whether the command is to find a terminal.
    pub pty: bool,
    /// Whether it goes on when the server is gone.
    pub survives: bool,
    /// The program and its arguments.
    pub command: Vec<String>,
}

/// How often a group that is ending is looked at, and a disk that is full.
const AGAIN: Duration = Duration::from_millis(20);
/// How often the server is told of what is dropped.
const TELL: Duration = Duration::from_secs(1);
/// The most that a pipe may hold, by default (pipe(7)).
const DRAIN: usize = 1 << 20;
/// What is read at once.
const CHUNK: usize = 64 * 1024;

/// Runs the command to its end. Its standard input must be the socket to the server.
///
/// # Errors
/// If the log cannot be written, or the run before goes on still.
pub fn run(order: &Order) -> io::Result<()> {
    // Away from the server's terminal: Ctrl-C there is the server's business.
    let _ = setsid();
    // What the command leaves behind becomes ours, so that we can bury it: a group is there as long as its dead are.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let server = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let signals = Signals::new()?;
    let folder = order.log.parent().unwrap_or(Path::new("."));
    let records = Records::of(folder);
    let lock = patiently_lock(&records)?;
    let mut book = Book::begin(order, records, lock)?;
    let mut command = Command::new(&order.command[0]);
    command.args(&order.command[1..]).stdin(Stdio::null()).process_group(0);
    match start(&mut command, order.pty) {
        Ok((child, outputs)) => {
            book.run.process = Some(child.id());
            let mut running = Running::new(child, outputs, server, signals, order);
            let outcome = running.begin(&mut book).and_then(|()| running.see_to_the_end(&mut book));
            if outcome.is_err() {
                running.signal(Signal::KILL);
            }
            outcome
        }
        Err(error) => book.end(End::Failed(error.to_string())),
    }
}

/// The supervisor of the run before has said its last, but may be about to leave still.
fn patiently_lock(records: &Records) -> io::Result<Lock> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        match records.lock() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                std::thread::sleep(AGAIN);
            }
            done => return done,
        }
    }
}

/// The streams of the command, each until its end.
type Outputs = Vec<(Stream, File)>;

fn start(command: &mut Command, pty: bool) -> io::Result<(Child, Outputs)> {
    if !pty {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = child.stdout.take().map(|output| (Stream::Output, File::from(OwnedFd::from(output))));
        let error = child.stderr.take().map(|error| (Stream::Error, File::from(OwnedFd::from(error))));
        return Ok((child, output.into_iter().chain(error).collect()));
    }
    let (ours, theirs) = terminal::open()?;
    let child = command.stdout(theirs.try_clone()?).stderr(theirs.try_clone()?).spawn()?;
    // Else a command that asks its terminal something would be stopped, as one in the background.
    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
        let _ = rustix::termios::tcsetpgrp(&theirs, group);
    }
    // The command keeps a copy of its own in us until it is dropped, and then the terminal would never end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Ok((child, vec![(Stream::Output, File::from(ours))]))
}

/// Signals as bytes in sockets.
struct Signals {
    /// A child has ended; or a terminal is gone, or a file is full, which says nothing more than that this is to be looked at.
    child: UnixStream,
    /// Somebody wants us to end.
    term: UnixStream,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let register = |signals: &[i32]| -> io::Result<UnixStream> {
            let (read_end, write_end) = UnixStream::pair()?;
            read_end.set_nonblocking(true)?;
            for signal in signals {
                signal_hook::low_level::pipe::register(*signal, write_end.try_clone()?)?;
            }
            Ok(read_end)
        };
        Ok(Self { child: register(&[SIGCHLD, SIGHUP, SIGINT, SIGXFSZ])?, term: register(&[SIGTERM])? })
    }
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Runs,
    /// SIGTERM was sent; SIGKILL is due then.
    Asked(Instant),
    Killed,
}

/// The command while it runs.
struct Running {
    child: Child,
    group: Option<Pid>,
    outputs: Outputs,
    /// None once the server is gone.
    server: Option<UnixStream>,
    signals: Signals,
    grace: Duration,
    survives: bool,
    /// When its time is over, if ever.
    until: Option<Instant>,
    stage: Stage,
    /// How much had been dropped when the server was told of it, and when that was.
    told: (u64, Instant),
    /// How it ended.
    status: Option<ExitStatus>,
    chunk: Box<[u8]>,
}

impl Running {
    fn new(child: Child, outputs: Outputs, server: UnixStream, signals: Signals, order: &Order) -> Self {
        Self {
            group: Pid::from_raw(child.id().cast_signed()),
            child,
            outputs,
            server: Some(server),
            signals,
            grace: order.grace,
            survives: order.survives,
            until: order.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            stage: Stage::Runs,
            told: (0, Instant::now()),
            status: None,
            chunk: vec![0; CHUNK].into_boxed_slice(),
        }
    }

    /// Notes that the command runs, and tells the server.
    fn begin(&mut self, book: &mut Book) -> io::Result<()> {
        book.note()?;
        self.tell();
        Ok(())
    }

    /// The records say something new. If the server cannot be told, it is gone, and that is noticed when it is listened to.
    fn tell(&mut self) {
        let _ = self.server.as_ref().map(|mut server| server.write(&[NEWS]));
    }

    fn see_to_the_end(&mut self, book: &mut Book) -> io::Result<()> {
        while !self.is_over() {
            // What cannot be written is not read either: the command waits for its disk.
            let writable = book.flush();
            let ready = self.wait(writable)?;
            if ready.server {
                self.hear_server(book);
            }
            if ready.term {
                let _ = self.signals.term.read(&mut [0; 64]);
                self.ask_to_end(Stop::Asked, book);
            }
            if ready.child {
                let _ = self.signals.child.read(&mut [0; 64]);
            }
            for index in ready.outputs.into_iter().rev() {
                self.read(index, book);
            }
            self.look_after(book)?;
            self.tell_of_cuts(book);
        }
        self.drain(book);
        book.end(self.status.map_or(End::Lost, how))
    }

    /// The command has ended, and so has what it has started; unless that may go on.
    fn is_over(&self) -> bool {
        self.status.is_some() && (self.survives && self.stage == Stage::Runs || !self.group_is_there())
    }

    fn group_is_there(&self) -> bool {
        let Some(group) = self.group else { return false };
        while matches!(waitpgid(group, WaitOptions::NOHANG), Ok(Some(_))) {}
        test_kill_process_group(group).is_ok()
    }

    /// What is ready; waits for it, but not for ever where something has to be looked at.
    fn wait(&self, writable: bool) -> io::Result<Ready> {
        let timeout = match self.stage {
            _ if !writable || self.status.is_some() => Some(AGAIN),
            Stage::Asked(until) => Some(until.saturating_duration_since(Instant::now())),
            Stage::Runs => self.until.map(|until| until.saturating_duration_since(Instant::now())),
            Stage::Killed => None,
        };
        let mut fds = vec![
            PollFd::new(&self.signals.term, PollFlags::IN),
            PollFd::new(&self.signals.child, PollFlags::IN),
        ];
        let server = self.server.as_ref().map(|server| fds_push(&mut fds, server.as_fd()));
        let first_output = fds.len();
        if writable {
            fds.extend(self.outputs.iter().map(|(_, file)| PollFd::new(file, PollFlags::IN)));
        }
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_ready = |index: usize| !fds[index].revents().is_empty();
        Ok(Ready {
            term: is_ready(0),
            child: is_ready(1),
            server: server.is_some_and(is_ready),
            outputs: (first_output..fds.len())
                .filter(|&index| is_ready(index))
                .map(|index| index - first_output)
                .collect(),
        })
    }

    /// The server wants the run to end, or is gone.
    fn hear_server(&mut self, book: &mut Book) {
        let Some(server) = &mut self.server else { return };
        match server.read(&mut [0; 64]) {
            Ok(0) | Err(_) => {
                self.server = None;
                if !self.survives {
                    self.ask_to_end(Stop::Asked, book);
                }
            }
            Ok(_) => self.ask_to_end(Stop::Asked, book),
        }
    }

    /// SIGTERM for all of them, the first time.
    fn ask_to_end(&mut self, why: Stop, book: &mut Book) {
        if self.stage != Stage::Runs {
            return;
        }
        if self.status.is_none() {
            book.note_stop(why);
            self.tell();
        }
        self.signal(Signal::TERM);
        // A process that was stopped hears nothing.
        self.signal(Signal::CONT);
        self.stage = Stage::Asked(Instant::now() + self.grace);
    }

    fn signal(&self, signal: Signal) {
        // It may be gone this moment.
        let _ = self.group.map(|group| kill_process_group(group, signal));
    }

    /// Goes on with the end where it is due.
    fn look_after(&mut self, book: &mut Book) -> io::Result<()> {
        if self.status.is_none() {
            self.status = self.child.try_wait()?;
            // What it has started and left behind.
            if self.status.is_some() && !self.survives {
                self.ask_to_end(Stop::Asked, book);
            }
        }
        let is_over = |until: Instant| Instant::now() >= until;
        match self.stage {
            Stage::Runs if self.until.is_some_and(is_over) => self.ask_to_end(Stop::Timeout, book),
            Stage::Asked(until) if is_over(until) => {
                self.signal(Signal::KILL);
                self.stage = Stage::Killed;
            }
            Stage::Runs | Stage::Asked(_) | Stage::Killed => {}
        }
        Ok(())
    }

    /// The server hears where what is kept begins now; once a second, as a flood may be cut a thousand times.
    fn tell_of_cuts(&mut self, book: &Book) {
        let now = Instant::now();
        if book.run.dropped > self.told.0 && now >= self.told.1 + TELL {
            self.told = (book.run.dropped, now);
            self.tell();
        }
    }

    /// Reads once from one of the outputs.
    fn read(&mut self, index: usize, book: &mut Book) {
        let (stream, file) = &mut self.outputs[index];
        match file.read(&mut self.chunk) {
            Ok(len) if len > 0 => book.write(*stream, &self.chunk[..len]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A terminal that nobody has open any more ends with EIO.
            Ok(_) | Err(_) => {
                self.outputs.remove(index);
            }
        }
    }

    /// What the command has said last: what a pipe may hold, as somebody who has left the group may go on saying things.
    fn drain(&mut self, book: &mut Book) {
        for _ in 0..DRAIN / CHUNK {
            let mut fds: Vec<PollFd<'_>> =
                self.outputs.iter().map(|(_, file)| PollFd::new(file, PollFlags::IN)).collect();
            let nothing = Timespec { tv_sec: 0, tv_nsec: 0 };
            if fds.is_empty() || !matches!(poll(&mut fds, Some(&nothing)), Ok(1..)) {
                return;
            }
            let ready: Vec<usize> =
                (0..fds.len()).filter(|&index| !fds[index].revents().is_empty()).collect();
            for index in ready.into_iter().rev() {
                self.read(index, book);
            }
            if !book.flush() {
                return;
            }
        }
    }
}

fn fds_push<'a>(fds: &mut Vec<PollFd<'a>>, fd: BorrowedFd<'a>) -> usize {
    fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
    fds.len() - 1
}

/// What can be read.
struct Ready {
    term: bool,
    child: bool,
    server: bool,
    outputs: Vec<usize>,
}

fn how(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Lost,
    }
}
