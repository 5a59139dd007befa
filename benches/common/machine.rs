//! The machine under a benchmark: one CPU for the servers, another for the load, and what the kernel counts of a process.
//!
//! Knows no server. What it may not do here (no `taskset`, no right to real-time priority) is said once, and the figures
//! are noisier then.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The CPU of the servers, and that of the load.
pub(crate) const SERVERS: &str = "0";
pub(crate) const LOAD: &str = "1";

/// Keeps all threads of a process on one CPU. What they start inherits that until it is pinned itself.
pub(crate) fn pin(pid: u32, cpu: &str) {
    let done = run("taskset", &["--all-tasks", "--cpu-list", "--pid", cpu, &pid.to_string()]);
    if !done {
        eprintln!("process {pid} could not be pinned to CPU {cpu} (taskset): the figures are noisier");
    }
}

/// Runs a program to its end, without its words; whether it is content.
fn run(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// CPU time so far of all threads of these processes: the scheduler's own count, in nanoseconds.
pub(crate) fn cpu_time(pids: &[u32]) -> Duration {
    let of_thread = |folder: fs::DirEntry| {
        let text = fs::read_to_string(folder.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
    };
    let of_process = |pid: &u32| -> u64 {
        let threads = fs::read_dir(format!("/proc/{pid}/task"));
        threads.into_iter().flatten().flatten().map(of_thread).sum()
    };
    Duration::from_nanos(pids.iter().map(of_process).sum())
}

/// As many descriptors as may be had: a thousand viewers are a thousand sockets on both sides.
pub(crate) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
