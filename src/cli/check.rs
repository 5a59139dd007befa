//! `wiretail check -c FILE`: whether a configuration makes sense, and what would be served by it.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Instant;

use super::CliError;
use super::serve::{self, Args};
use super::settings::Settings;
use crate::tail::catalogue::{Catalogue, LogState};
use crate::tail::disk::Disk;

/// Checks what `wiretail serve` would check before it listens, and says what it would serve.
///
/// # Errors
/// The same as those of `serve`.
pub fn run(args: &Args) -> Result<(), CliError> {
    let settings = Settings::of(args)?;
    serve::check(&settings)?;
    let sources = settings.sources.into_iter().map(|(source, _)| source).collect();
    let catalogue = Catalogue::new(Disk::default(), sources, None, Instant::now())
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let mut report = String::new();
    for entry in catalogue.logs() {
        let masks = if entry.lens.redacts() { ", redacted" } else { "" };
        let state = match entry.state() {
            LogState::Ok { size, .. } => format!("{size} bytes"),
            LogState::Missing => "does not exist yet".to_owned(),
            LogState::Refused(why) => format!("cannot be served: {why}"),
        };
        let path = entry.root.path().join(&entry.rel);
        // {:?}: a path may hold characters that a terminal would obey.
        let _ = writeln!(report, "{}  {path:?}  {}{masks}  {state}", entry.name, entry.lens.encoding());
    }
    if report.is_empty() {
        report.push_str("No logs are named, or none of them is there yet.\n");
    }
    io::stdout().write_all(report.as_bytes())?;
    Ok(())
}
