//! The program's front door: what was typed goes to [`wiretail::cli`], what comes back is an exit code.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
