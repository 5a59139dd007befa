//! What is wrong with what was typed and with the settings: all of it is found before any of it is said.

use std::fmt::Display;

use super::CliError;
use crate::config::file::Given;

/// Each mistake once, in the order they were found.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<CliError>);

impl Mistakes {
    /// Something is wrong, wherever that is told.
    pub(super) fn note(&mut self, mistake: CliError) {
        // What holds for all logs is understood for each of them.
        if !self.0.contains(&mistake) {
            self.0.push(mistake);
        }
    }

    /// `given` makes no sense. The sentence goes on behind a colon.
    pub(super) fn wrong(&mut self, given: &Given<impl Display>, what: &str) {
        self.note(complaint(given, what));
    }

    /// This machine has not what `given` needs. The sentence goes on behind a colon.
    pub(super) fn lacking(&mut self, given: &Given<impl Display>, what: &str) {
        self.note(CliError::Failed(format!("{} {}: {what}.", given.by, given.value)));
    }

    /// What was understood; else why not is noted.
    pub(super) fn unless<T>(&mut self, understood: Result<T, CliError>) -> Option<T> {
        understood.map_err(|mistake| self.note(mistake)).ok()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// All of them, if there are any.
    pub(super) fn end(mut self) -> Result<(), CliError> {
        match self.0.len() {
            0 => Ok(()),
            1 => Err(self.0.remove(0)),
            _ => Err(CliError::Several(self.0)),
        }
    }
}

/// A sentence about a value, beginning with where it was given.
pub(super) fn complaint(given: &Given<impl Display>, what: &str) -> CliError {
    CliError::Usage(format!("{} {}: {what}.", given.by, given.value))
}
