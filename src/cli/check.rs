//! `wiretail check -c FILE`: whether a configuration makes sense, and what would be served by it.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Instant;

use super::CliError;
use super::mistakes::Mistakes;
use super::serve::{self, Args};
use super::settings::{JobSettings, Settings};
use super::users;
use crate::tail::catalogue::{Catalogue, LogKind, LogState};
use crate::tail::disk::Disk;

/// Checks what `wiretail serve` would check before it listens, and says what it would serve.
///
/// # Errors
/// All that is wrong, as `serve` would say it.
pub fn run(args: &Args) -> Result<(), CliError> {
    let mut mistakes = Mistakes::default();
    let (settings, _) = serve::examine(args, &mut mistakes);
    mistakes.end()?;
    say(&report(settings)?)?;
    Ok(())
}

/// What would be served, line by line.
fn report(settings: Settings) -> Result<String, CliError> {
    if settings.sources.is_empty() && settings.jobs.is_empty() {
        return Ok("No logs are named; a demo log that writes itself would be served.\n".to_owned());
    }
    let (sources, written): (Vec<_>, Vec<_>) = settings.sources.into_iter().unzip();
    // Nothing is kept of standard input here: where it would be, there is nothing, but it has its name and its group.
    let nowhere = env::temp_dir().join("standard input");
    let catalogue = Catalogue::new(Disk::default(), sources, Some(&nowhere), Instant::now())
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let mut report = String::new();
    for entry in catalogue.logs() {
        let masks = if entry.lens.redacts() { ", redacted" } else { "" };
        let writable = if entry.kind == LogKind::Room { ", writable" } else { "" };
        if entry.kind == LogKind::Stdin {
            let _ = writeln!(report, "{}  standard input  {}{masks}", entry.name, entry.lens.encoding());
            continue;
        }
        let state = match entry.state() {
            LogState::Ok { size, .. } => format!("{size} bytes"),
            LogState::Missing => "does not exist yet".to_owned(),
            LogState::Refused(why) => format!("cannot be served: {why}"),
        };
        let path = entry.root.path().join(&entry.rel);
        // {:?}: a path may hold characters that a terminal would obey.
        let _ =
            writeln!(report, "{}  {path:?}  {}{masks}{writable}  {state}", entry.name, entry.lens.encoding());
    }
    for (path, why) in catalogue.withheld() {
        let _ = writeln!(report, "{path:?}  {why}");
    }
    for JobSettings { job, .. } in &settings.jobs {
        let _ = writeln!(report, "{}  a job: {:?}", job.name, job.command);
    }
    for source in catalogue.idle() {
        let _ = writeln!(report, "{:?}  nothing there yet", written[source].value);
    }
    report.push_str(&users::report(&settings.users, &catalogue, &settings.jobs));
    Ok(report)
}

fn say(report: &str) -> io::Result<()> {
    io::stdout().write_all(report.as_bytes())
}
