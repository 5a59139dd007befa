//! Asking for the past: where a time is (`--since`), and which lines match (`--search`).
//!
//! Knows the requests of `wiretail.v1`, of which it has one open at a time.

use std::io::{self, IsTerminal, Write};

use super::link::{Link, Trouble, refused, understood, why_closed};
use super::printer::{Printer, clean_line};
use super::target::Target;
use crate::app::wire::{FromServer, FromViewer, Goal, Patterns, Progress, Search};
use crate::cli::CliError;
use crate::tail::pattern::Filter;

/// Beside the log itself nothing is wanted of the connection: no line of its end, none that comes.
const QUIET: &str = "lines=0";
/// As many hits as a server lists.
const MOST: usize = 10_000;

/// A connection on which the past is asked for.
struct Asking {
    link: Link,
    id: u32,
}

impl Asking {
    fn open(target: &Target) -> Result<Self, Trouble> {
        let mut link = Link::open(target, QUIET)?;
        say_to(&mut link, &FromViewer::Pause {})?;
        Ok(Self { link, id: 0 })
    }

    /// Sends a request, and hands its answers to `hear` until the last one, which is the result.
    fn ask(
        &mut self,
        request: impl FnOnce(u32) -> FromViewer,
        mut hear: impl FnMut(FromServer) -> Result<(), Trouble>,
    ) -> Result<Option<u64>, Trouble> {
        self.id += 1;
        let own = self.id;
        say_to(&mut self.link, &request(own))?;
        let mut last = None;
        while last.is_none() {
            if !self.link.wait()? {
                return Err(Trouble::Passing("the server hung up".to_owned()));
            }
            let closed = self.link.deal(|message| {
                let Some((message, _)) = understood(message)? else { return Ok(()) };
                match message {
                    FromServer::Done(done) if done.id == own => last = Some(done.count),
                    FromServer::Error { id: Some(id), message, .. } if id == own => {
                        return Err(refused(clean_line(&message)));
                    }
                    answer => hear(answer)?,
                }
                Ok(())
            })?;
            if let (Some(closed), None) = (closed, last) {
                return Err(why_closed(&closed));
            }
        }
        Ok(last.flatten())
    }

    /// The cursor of a place.
    fn seek(&mut self, to: Goal) -> Result<String, Trouble> {
        let mut found = None;
        self.ask(
            |id| FromViewer::Seek { id, to },
            |answer| {
                if let FromServer::Place(place) = answer {
                    found = Some(place.cursor);
                }
                Ok(())
            },
        )?;
        found.ok_or_else(|| refused("The server knows no such place.".to_owned()))
    }
}

/// Where the first line lies that was not written before `time`.
pub(super) fn since(target: &Target, time: &str) -> Result<String, Trouble> {
    Asking::open(target)?.seek(Goal::Time(time.to_owned()))
}

/// Prints all lines that match, the oldest first, each with its file and number, as `grep -Hn` does. An error if there is
/// none.
pub(super) fn search(target: &Target, patterns: Patterns, printer: &mut Printer) -> Result<(), Trouble> {
    let mut asking = Asking::open(target)?;
    let from = Some(asking.seek(Goal::Start {})?);
    // Of several searches at once there would be several bars in one place.
    let mut bar = Bar { shown: false, wanted: printer.is_alone() && io::stderr().is_terminal() };
    let mut listed = 0;
    let Patterns { grep, not, ignore_case, words, literal } = patterns;
    let search =
        |id| FromViewer::Search(Search { id, grep, not, ignore_case, words, literal, from, most: MOST });
    let count = asking.ask(search, |answer| {
        match answer {
            FromServer::Hits { hits, .. } => {
                bar.clear();
                listed += hits.len() as u64;
                hits.iter().try_for_each(|hit| printer.print(&hit.to_line()))?;
                printer.flush()?;
            }
            FromServer::Progress(progress) => bar.show(&progress),
            _ => {}
        }
        Ok(())
    });
    bar.clear();
    match count?.unwrap_or(listed) {
        0 => Err(refused("no line matches".to_owned())),
        count if count > listed => {
            printer.remark(&format!("{count} lines match; {listed} of them are shown"));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// How far a search has come, on the last line of a terminal.
struct Bar {
    shown: bool,
    wanted: bool,
}

impl Bar {
    fn show(&mut self, progress: &Progress) {
        if self.wanted {
            const WIDTH: u64 = 30;
            let done = (progress.done * WIDTH).checked_div(progress.total).unwrap_or(0).min(WIDTH);
            let bar: String = (0..WIDTH).map(|at| if at < done { '#' } else { '.' }).collect();
            let lines = progress.count.map_or(String::new(), |count| format!(" {count} lines"));
            // That nobody sees it is no reason to end.
            let _ = write!(io::stderr(), "\r[{bar}]{lines}");
            self.shown = true;
        }
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn say_to(link: &mut Link, message: &FromViewer) -> Result<(), Trouble> {
    link.say(&serde_json::to_string(message).expect("strings and numbers always make JSON"))
}

/// Checks patterns before a server is bothered with them; an error names the option.
pub(super) fn check(option: &str, patterns: &Patterns) -> Result<(), CliError> {
    match Filter::new(&patterns.spec()) {
        Ok(_) => Ok(()),
        Err(error) => Err(CliError::Usage(format!("{option}: {error}."))),
    }
}
