//! Who delivers the log: wiretail, and what others would use for it. Each is started on the servers' CPU, and the load has
//! the other one; both with real-time priority where that is permitted, so that whatever else runs on the machine does not
//! get between them.
//!
//! Does not know what is measured.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mio::net::TcpStream;
use mio::unix::pipe;

use super::machine;
use super::priority::{self, confined};
use super::support::ws::Raw;
use super::support::{self, Server};

/// How a log gets from its file to its viewers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Through wiretail, in the plain dialect.
    Wiretail,
    /// Through a `tail -F` for each viewer, into a pipe: no network at all.
    Tail,
    /// Through websocketd, which starts a `tail -F` for each viewer.
    Websocketd,
}

impl Kind {
    /// Its name in the tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wiretail => "wiretail",
            Self::Tail => "tail -F",
            Self::Websocketd => "websocketd",
        }
    }

    /// Those that can be had here.
    pub(crate) fn all() -> Vec<Self> {
        let known = Command::new("websocketd").arg("--version").stdout(Stdio::null()).status();
        if known.is_ok() {
            return vec![Self::Wiretail, Self::Tail, Self::Websocketd];
        }
        eprintln!("without websocketd, which is not installed (on Debian: apt-get install websocketd)");
        vec![Self::Wiretail, Self::Tail]
    }
}

/// Where a viewer begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum From {
    /// With the first line.
    Beginning,
    /// So many lines before the end.
    Lines(usize),
}

/// Something that delivers one log.
pub(crate) struct Running {
    kind: Kind,
    log: PathBuf,
    address: Option<SocketAddr>,
    process: Process,
}

enum Process {
    Wiretail(Server),
    Other(Vec<Child>),
}

/// What a viewer reads from.
pub(crate) enum Source {
    /// Frames, on a WebSocket; with what has come behind the handshake already.
    Frames(TcpStream, Vec<u8>),
    /// The bytes themselves.
    Pipe(pipe::Receiver),
}

impl Running {
    /// Starts it for the log at `path`. `args` are more of wiretail's.
    pub(crate) fn start(kind: Kind, path: &Path, args: &[&str], from: From) -> Self {
        let log = path.to_owned();
        match kind {
            Kind::Wiretail => {
                let server = Server::spawn(confined(&Server::command(&[args, &[plain(path)]].concat())));
                let address = Some(server.addr());
                Self { kind, log, address, process: Process::Wiretail(server) }
            }
            Kind::Tail => Self { kind, log, address: None, process: Process::Other(Vec::new()) },
            Kind::Websocketd => {
                let (address, child) = websocketd(path, from);
                Self { kind, log, address: Some(address), process: Process::Other(vec![child]) }
            }
        }
    }

    /// wiretail with the log at `path`.
    pub(crate) fn wiretail(path: &Path) -> Self {
        Self::start(Kind::Wiretail, path, &[], From::Beginning)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("it is a server")
    }

    /// One more viewer.
    pub(crate) fn open(&mut self, from: From) -> Source {
        match (&mut self.process, self.kind) {
            (Process::Other(tails), Kind::Tail) => {
                let mut tail = Command::new("tail");
                tail.args(tail_args(&self.log, from));
                let child = confined(&tail).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
                let mut child = child.expect("tail can be started");
                let out = pipe::Receiver::from(child.stdout.take().expect("standard output is a pipe"));
                tails.push(child);
                out.set_nonblocking(true).expect("a pipe's option");
                Source::Pipe(out)
            }
            (_, kind) => {
                let path = match (kind, from) {
                    (Kind::Wiretail, From::Beginning) => "/tail/app.log?lines=100000".to_owned(),
                    (Kind::Wiretail, From::Lines(lines)) => format!("/tail/app.log?lines={lines}"),
                    _ => "/".to_owned(),
                };
                let raw = Raw::connect(self.address(), &path);
                let stream = raw.stream().try_clone().expect("a descriptor");
                stream.set_nonblocking(true).expect("a socket's option");
                Source::Frames(TcpStream::from_std(stream), raw.unread().to_vec())
            }
        }
    }

    /// It is about to work without a pause: see [`priority::let_work_without_pause`].
    pub(crate) fn let_work_without_pause(&self) {
        self.processes().into_iter().for_each(priority::let_work_without_pause);
    }

    /// Its CPU time so far, with all processes that it has started.
    pub(crate) fn cpu_time(&self) -> Duration {
        machine::cpu_time(&self.processes())
    }

    /// The memory in use, in bytes; what processes share is counted in each of them.
    pub(crate) fn memory(&self) -> u64 {
        self.processes().iter().map(|&pid| support::rss_bytes(pid)).sum()
    }

    /// The most memory that was ever in use.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.processes().iter().map(|&pid| support::peak_rss_bytes(pid)).sum()
    }

    fn processes(&self) -> Vec<u32> {
        let mut pids = match &self.process {
            Process::Wiretail(server) => vec![server.pid()],
            Process::Other(children) => children.iter().map(Child::id).collect(),
        };
        let mut done = 0;
        while self.kind == Kind::Websocketd && done < pids.len() {
            pids.extend(children_of(pids[done]));
            done += 1;
        }
        pids
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let processes = self.processes();
        if let Process::Other(children) = &mut self.process {
            for pid in processes {
                let pid = rustix::process::Pid::from_raw(pid as i32).expect("a process has a number");
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            children.iter_mut().for_each(|child| drop(child.wait()));
        }
    }
}

/// Starts websocketd, and waits until it answers.
fn websocketd(log: &Path, from: From) -> (SocketAddr, Child) {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let address = free.expect("a free port");
    let mut command = Command::new("websocketd");
    command.args(["--address=127.0.0.1", "--loglevel=fatal", &format!("--port={}", address.port()), "tail"]);
    command.args(tail_args(log, from));
    let child = confined(&command).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.expect("websocketd can be started");
    support::until("websocketd", support::SOON, || std::net::TcpStream::connect(address).ok());
    (address, child)
}

fn tail_args(log: &Path, from: From) -> [String; 4] {
    let lines = match from {
        From::Beginning => "+1".to_owned(),
        From::Lines(lines) => lines.to_string(),
    };
    ["-n".to_owned(), lines, "-F".to_owned(), plain(log).to_owned()]
}

fn plain(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// The processes that `pid` has started.
fn children_of(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children =
        threads.map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    children
        .flat_map(|pids| pids.split(' ').filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}
