//! The command line: one file per sub-command.
//!
//! What was typed ends here: nothing behind this layer sees a string from the command line.

pub mod cat;
pub mod check;
pub mod hash_password;
mod machine;
mod mistakes;
pub mod produce;
mod reread;
pub mod serve;
mod settings;
pub mod supervise;
mod users;

use std::fmt;
use std::io;
use std::ops::RangeInclusive;

use clap::{Parser, Subcommand};

use crate::config::file::wanted;

/// Everything that can be typed.
#[derive(Debug, Parser)]
#[command(
    name = "wiretail",
    version,
    about = "Live log files in the browser.",
    before_help = "  wiretail app.log 'logs/*.log' web=nginx/access.log    then open the address it prints",
    after_help = "Each option of serve can be set in the environment, too: --port as WIRETAIL_PORT, and so on.",
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve logs; the same as no sub-command
    Serve(serve::Args),
    /// Check settings as serve would, and say what it would serve
    Check(serve::Args),
    /// Show a served log in the terminal: reconnects, resumes, loses nothing
    Cat(cat::Args),
    /// Say what to write into a configuration for a user's password, or make a token
    HashPassword(hash_password::Args),
    /// Write a realistic log, for trying things out
    Produce(produce::Args),
    #[command(hide = true)]
    Supervise(supervise::Args),
}

/// Why a command ended without having done what it was asked.
#[derive(Debug, PartialEq, Eq)]
pub enum CliError {
    /// What was typed cannot be done as it stands.
    Usage(String),
    /// It could not be done here and now.
    Failed(String),
    /// Several things are wrong.
    Several(Vec<Self>),
}

impl CliError {
    /// The process's exit code: 2 if anything is wrong usage, 1 for everything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) => 1,
            Self::Several(all) => all.iter().map(Self::exit_code).max().unwrap_or(1),
        }
    }

    /// A sentence for each thing that is wrong.
    pub fn sentences(&self) -> Vec<&str> {
        match self {
            Self::Usage(why) | Self::Failed(why) => vec![why],
            Self::Several(all) => all.iter().flat_map(Self::sentences).collect(),
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences().join("\n"))
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Failed(format!("{error}."))
    }
}

/// A number that can be typed: what is said of another one names the range.
fn whole(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |typed| typed.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| wanted(&range))
}

/// Does what was typed. Wrong options end the process here, with exit code 2 and clap's sentence.
///
/// # Errors
/// [`CliError`], which knows its exit code.
pub fn run() -> Result<(), CliError> {
    let cli = Cli::parse();
    match cli.command {
        None => serve::run(&cli.serve),
        Some(Command::Serve(args)) => serve::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Cat(args)) => cat::run(&args),
        Some(Command::HashPassword(args)) => hash_password::run(&args),
        Some(Command::Supervise(args)) => Ok(supervise::run(args)?),
        Some(Command::Produce(args)) => {
            produce::run(&args).map_err(|error| CliError::Failed(format!("{error}.")))
        }
    }
}
