//! The program's front door: logging is set up, what was typed is done, what comes back becomes an exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::new().filter_or("WIRETAIL_LOG", "warn")).init();
    match wiretail::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wiretail: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
