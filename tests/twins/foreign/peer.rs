//! Another implementation in a process of its own, which is told what to do in lines of JSON.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use super::SOON;

/// Which implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Implementation {
    /// `websockets`, in Python.
    Websockets,
    /// `ws`, in JavaScript.
    Ws,
}

/// A running peer. It is killed when dropped.
pub(crate) struct Peer {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<String>,
}

impl Peer {
    /// Starts one as `client` or `server`.
    pub(crate) fn start(implementation: Implementation, role: &str) -> Self {
        let scripts = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/twins/peers"));
        let packages = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/.cache/twins"));
        assert!(packages.is_dir(), "the packages are missing: tests/run twins installs them");
        let mut command = match implementation {
            Implementation::Websockets => {
                let mut python = Command::new(packages.join("venv/bin/python"));
                python.arg("-B").arg(scripts.join("peer.py")).arg(role);
                python
            }
            Implementation::Ws => {
                let mut node = Command::new("node");
                node.arg(scripts.join("peer.mjs")).arg(role).arg(&packages);
                node
            }
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the peer can be started");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = child.stdout.take().expect("a pipe");
        // A thread reads, as a pipe knows no deadlines.
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines();
            lines.map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, stdin, answers }
    }

    /// Tells it something, and waits for its answer. What it says on standard error is seen there.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) fn ask(&mut self, what: &Value) -> Result<Value, String> {
        writeln!(self.stdin, "{what}").map_err(|error| format!("the peer has gone: {error}"))?;
        let answer =
            self.answers.recv_timeout(SOON).map_err(|error| format!("no answer of the peer: {error}"))?;
        serde_json::from_str(&answer).map_err(|error| format!("{error} in {answer}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
