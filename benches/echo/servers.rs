//! The servers: started and pinned to a CPU, or already running elsewhere, and what the kernel knows of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::SERVE_RAW;
use super::load::{Place, Protocol};
use super::machine;
use super::support::{Server, TempDir, temp_dir};

/// How a server comes to be.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// wiretail's `/ws/echo`.
    Ours,
    /// [`super::raw`], which is this very program.
    Raw,
    /// One of `benches/peers`, which were built to be there.
    Peer(PathBuf),
    /// It runs already; `pid` is whose CPU time is counted.
    Running { place: Place, pid: u32 },
}

/// A server, not started yet.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// How it is called in the tables; of a peer, also its argument.
    pub(crate) name: String,
    /// How it comes to be.
    pub(crate) kind: Kind,
}

/// A server that runs.
pub(crate) struct Running {
    /// How it is called in the tables.
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) place: Place,
    /// Its process.
    pub(crate) pid: u32,
    _process: Option<(Server, TempDir)>,
}

impl Candidate {
    /// Starts it on the servers' CPU.
    pub(crate) fn start(&self) -> Running {
        let folder = temp_dir();
        let (command, path, protocol) = match &self.kind {
            Kind::Running { place, pid } => {
                let (name, place, pid) = (self.name.clone(), place.clone(), *pid);
                return Running { name, place, pid, _process: None };
            }
            Kind::Ours => {
                // A quiet log, as without any there would be the demo's.
                let log = folder.path().join("quiet.log");
                std::fs::write(&log, "").expect("a file in our own folder");
                let args = ["--max-connections", "200000", log.to_str().expect("a plain path")];
                (Server::command(&args), "/ws/echo", Protocol::WebSocket)
            }
            Kind::Raw => {
                let mut command = Command::new(std::env::current_exe().expect("our own path"));
                command.arg(SERVE_RAW);
                (command, "/", Protocol::Raw)
            }
            Kind::Peer(program) => {
                let mut command = Command::new(program);
                command.arg(&self.name);
                (command, "/", Protocol::WebSocket)
            }
        };
        let server = Server::spawn(command);
        machine::pin(server.pid(), machine::SERVERS);
        let place = Place { address: server.addr(), path: path.to_owned(), protocol };
        Running { name: self.name.clone(), place, pid: server.pid(), _process: Some((server, folder)) }
    }
}

impl Running {
    /// CPU time so far of all its threads.
    pub(crate) fn cpu(&self) -> Duration {
        machine::cpu_time(&[self.pid])
    }
}

/// The peers' names, in the order of the tables.
const PEERS: [&str; 5] = [
    "fastwebsockets",
    "tokio-tungstenite",
    "tokio-tungstenite+batch",
    "mio+tungstenite",
    "mio+tungstenite+batch",
];

/// Builds `benches/peers`, beside what Cargo builds of us.
pub(crate) fn build_peers() -> Vec<Candidate> {
    let program = std::env::current_exe().expect("our own path");
    let target = program.ancestors().nth(3).expect("target/release/deps/NAME").join("peers");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/Cargo.toml");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .status();
    assert!(status.is_ok_and(|status| status.success()), "benches/peers cannot be built");
    let kind = Kind::Peer(target.join("release/peers"));
    PEERS.iter().map(|name| Candidate { name: (*name).to_owned(), kind: kind.clone() }).collect()
}
