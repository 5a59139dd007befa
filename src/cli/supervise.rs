//! `wiretail supervise`: what the server starts beside itself for each run of a job. Nobody else has a use for it, so no help
//! mentions it.

use std::path::PathBuf;
use std::time::Duration;

use crate::jobs::supervisor::{self, Order};

/// As the server writes them, in `jobs`.
#[derive(Debug, clap::Args)]
#[expect(missing_docs, reason = "the fields of the order say what they are")]
pub struct Args {
    #[arg(long)]
    pub log: PathBuf,
    #[arg(long)]
    pub run: u64,
    #[arg(long)]
    pub keep: u32,
    #[arg(long)]
    pub most: u64,
    #[arg(long)]
    pub grace_ms: u64,
    #[arg(long)]
    pub timeout_ms: Option<u64>,
    #[arg(long)]
    pub pty: bool,
    #[arg(long)]
    pub survives: bool,
    #[arg(last = true, required = true)]
    pub command: Vec<String>,
}

/// Runs the command to its end.
///
/// # Errors
/// When its log cannot be written.
pub fn run(args: Args) -> std::io::Result<()> {
    let Args { log, run, keep, most, grace_ms, timeout_ms, pty, survives, command } = args;
    let grace = Duration::from_millis(grace_ms);
    let timeout = timeout_ms.map(Duration::from_millis);
    supervisor::run(&Order { log, run, keep, most, grace, timeout, pty, survives, command })
}
