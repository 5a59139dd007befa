//! The program under test, as a child process.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};

use super::until;

/// How long the program may take to print its first line, and to leave when told to.
const START: Duration = Duration::from_secs(10);
const LEAVE: Duration = Duration::from_secs(10);

/// A running `wiretail`. It is killed when dropped; if the test failed, what it said on standard error is shown.
pub struct Server {
    child: Child,
    url: String,
    addr: SocketAddr,
    stderr: File,
}

impl Server {
    /// Starts `wiretail --port 0 ARGS` (or without `--port 0` if `args` name a port) and waits for its first line.
    #[track_caller]
    pub fn start(args: &[&str]) -> Self {
        Self::spawn(Self::command(args))
    }

    /// Like [`Server::start`], with a pipe as standard input: see [`Server::stdin`].
    #[track_caller]
    pub fn start_piped(args: &[&str]) -> Self {
        let mut command = Self::command(args);
        command.stdin(Stdio::piped());
        Self::spawn(command)
    }

    /// The command that [`Server::start`] runs, for tests that change more of it. No `WIRETAIL_*` variable of the
    /// surroundings reaches it.
    pub fn command(args: &[&str]) -> Command {
        let mut command = wiretail();
        if !args.iter().any(|arg| *arg == "-p" || arg.starts_with("--port")) {
            command.args(["--port", "0"]);
        }
        command.args(args).stdin(Stdio::null());
        command
    }

    /// Runs `command`, and waits for the URL on its first line.
    #[track_caller]
    pub fn spawn(mut command: Command) -> Self {
        let mut stderr = tempfile::tempfile().expect("a temporary file can be made");
        command.stdout(Stdio::piped()).stderr(stderr.try_clone().expect("a file can be cloned"));
        let mut child = command.spawn().expect("the program can be started");
        match first_line(&mut child) {
            Some(url) => {
                let addr = address(&url);
                Self { child, url, addr, stderr }
            }
            None => {
                let _ = child.kill();
                let status = child.wait();
                let said = read_all(&mut stderr);
                panic!(
                    "{command:?} printed no line within {START:?}, ended with {status:?} and said:\n{said}"
                )
            }
        }
    }

    /// Builds one of the programs in `examples/`, if need be, and starts it on a free port.
    #[track_caller]
    pub fn example(name: &str) -> Self {
        // They are built as the program was: in the same folder, with the same profile.
        let program = Path::new(env!("CARGO_BIN_EXE_wiretail"));
        let folder = program.parent().expect("the program is in a folder");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--locked", "--example", name]);
        cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success(), "{cargo:?}");
        let mut example = Command::new(folder.join("examples").join(name));
        example.arg("127.0.0.1:0");
        Self::spawn(example)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL that it told the user to open, without the end of line.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process id, for the helpers in [`super::process`].
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The writing end of its standard input. Dropping it says "end of file". Only after [`Server::start_piped`],
    /// and once.
    pub fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("the server was started with a pipe, and this is the first call")
    }

    /// What it has said on standard error so far.
    pub fn stderr(&mut self) -> String {
        read_all(&mut self.stderr)
    }

    /// Sends it `signal`.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal)
            .expect("the process is there until it is waited for");
    }

    /// Waits until it has left by itself.
    #[track_caller]
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        until("the server to leave", within, || self.child.try_wait().expect("a child can be waited for"))
    }

    /// Tells it to leave (SIGTERM) and waits until it has.
    #[track_caller]
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait(LEAVE)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the server at {} said:\n{}---", self.addr, read_all(&mut self.stderr));
        }
    }
}

/// The program without arguments, for tests of the command line; no `WIRETAIL_*` variable of ours reaches it.
pub fn wiretail() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wiretail"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WIRETAIL_") {
            command.env_remove(name);
        }
    }
    command
}

/// The command of [`Server::command`], run by somebody whom the permissions of files bind.
pub fn unprivileged(args: &[&str]) -> Command {
    let plain = Server::command(args);
    if !geteuid().is_root() {
        return plain;
    }
    // We are root, who reads everything, unless it gives up the right to.
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-dac_override,-dac_read_search", "--"]);
    command.arg(plain.get_program()).args(plain.get_args()).stdin(Stdio::null());
    command
}

/// The first line on the child's standard output, or `None` if it ends before, or takes too long.
///
/// A thread reads, as a pipe knows no deadlines, and goes on reading: the child must never wait for us.
fn first_line(child: &mut Child) -> Option<String> {
    let stdout = child.stdout.take().expect("standard output is a pipe");
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        if stdout.read_line(&mut line).is_ok_and(|len| len > 0) {
            let _ = sender.send(line.trim_end().to_owned());
        }
        let _ = std::io::copy(&mut stdout, &mut std::io::sink());
    });
    receiver.recv_timeout(START).ok()
}

/// `http://HOST:PORT/...` as an address, or the same with `ws`.
fn address(url: &str) -> SocketAddr {
    let rest = url.strip_prefix("http://").or(url.strip_prefix("ws://"));
    let rest = rest.unwrap_or_else(|| panic!("the first line is no URL: {url:?}"));
    let authority = rest.split('/').next().expect("split gives at least one part");
    let mut addresses = authority.to_socket_addrs().unwrap_or_else(|error| panic!("{url:?}: {error}"));
    addresses.next().unwrap_or_else(|| panic!("{url:?} names no address"))
}

fn read_all(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // The child writes through its own descriptor of the same open file, so our place in it is put back to the end.
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(unreadable: {error})\n"),
    }
}
