//! The program's front door: logging is set up, what was typed is done, what comes back becomes an exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    // What has become of settings that were read again is wanted by whoever had them read.
    let level = env_logger::Env::new().filter_or("WIRETAIL_LOG", "warn,wiretail::cli=info");
    env_logger::Builder::from_env(level).init();
    match wiretail::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.sentences().iter().for_each(|sentence| eprintln!("wiretail: {sentence}"));
            ExitCode::from(error.exit_code())
        }
    }
}
