//! `wiretail cat URL...`: a viewer in the terminal, on the client role of the same protocol core.
//!
//! Blocking and plain: for each log one thread, one socket, one loop. It keeps the cursor behind the last text it has printed, so whatever
//! happens to the connection (or the server), it goes on exactly there. With a filter, too: a cursor is as good a place to
//! go on with one as without.

mod link;
mod printer;
mod search;
mod target;
mod token;

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use super::{CliError, whole};
use crate::app::access::secret::random;
use crate::app::wire::{FromServer, Patterns};
use crate::config::file::LINES;
use crate::tail::history::SeekTo;
use link::{Link, Trouble, refused, understood, why_closed};
use printer::{Label, Printer, clean_line};
use target::Target;
use token::Token;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What can be typed for `wiretail cat`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[arg(
        value_name = "URL",
        required = true,
        help = "Where the log is served: http://127.0.0.1:8080/tail/app.log, or the page's address /#/app.log; of several, \
                each line has its log's name in front"
    )]
    urls: Vec<String>,
    /// How many of the last lines to begin with; as many as the server likes if not given
    #[arg(short = 'n', long, value_parser = whole(LINES))]
    lines: Option<u64>,
    /// Go on where a cursor points
    #[arg(long, value_name = "CURSOR", conflicts_with = "lines")]
    from: Option<String>,
    /// Print what is there, then end
    #[arg(long)]
    no_follow: bool,
    /// Print only lines that match; of several, all of them
    #[arg(long, value_name = "REGEX")]
    grep: Vec<String>,
    /// Print no lines that match
    #[arg(long, value_name = "REGEX")]
    not: Vec<String>,
    /// Capitals make no difference
    #[arg(long)]
    ignore_case: bool,
    /// Only whole words match
    #[arg(long)]
    words: bool,
    /// Patterns are text, not regular expressions
    #[arg(long)]
    literal: bool,
    /// Begin with the first line not written before then: -10m (s, m, h, d), 14:05 (the last one in the log), or '2026-11-25
    /// 14:05' as the log writes its times; with Z or an offset, an instant
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with_all = ["lines", "from"])]
    since: Option<String>,
    /// Print all lines of the history that match, each with its file and number (+N: the byte it begins at), then end
    #[arg(long, value_name = "REGEX", conflicts_with_all = ["lines", "from", "since", "no_follow", "grep"])]
    search: Option<String>,
    #[arg(
        long,
        value_name = "FILE",
        help = "A file with the token that says to the servers who asks; else WIRETAIL_TOKEN in the environment does"
    )]
    token_file: Option<PathBuf>,
}

impl Args {
    /// Which lines are wanted, checked.
    fn patterns(&self) -> Result<Patterns, CliError> {
        let Self { ignore_case, words, literal, .. } = *self;
        let of = |grep: &[String], not: &[String]| Patterns {
            grep: grep.to_vec(),
            not: not.to_vec(),
            ignore_case,
            words,
            literal,
        };
        for pattern in &self.grep {
            search::check(&format!("--grep {pattern}"), &of(std::slice::from_ref(pattern), &[]))?;
        }
        for pattern in &self.not {
            search::check(&format!("--not {pattern}"), &of(&[], std::slice::from_ref(pattern)))?;
        }
        if let Some(pattern) = &self.search {
            search::check(&format!("--search {pattern}"), &of(std::slice::from_ref(pattern), &[]))?;
        }
        let grep = match &self.search {
            Some(pattern) => std::slice::from_ref(pattern),
            None => &self.grep,
        };
        let patterns = of(grep, &self.not);
        search::check(if self.search.is_some() { "--not" } else { "--grep and --not" }, &patterns)?;
        Ok(patterns)
    }
}

/// Prints the logs until they end, the reader of our output leaves, or the servers say no. Each has a thread of its own: it
/// waits for its server, and none waits for another.
///
/// # Errors
/// A URL that is none, a pattern that is none, or a server that refuses; of a search, that nothing matches. A lost
/// connection is no error, but to a search: it is made again. What one of several logs ends with is said when it does, and
/// the others go on.
pub fn run(args: &Args) -> Result<(), CliError> {
    let token = Token::find(args.token_file.as_deref())?;
    let target = |url: &String| Ok(Target { token: token.clone(), ..Target::parse(url)? });
    let targets = args.urls.iter().map(target).collect::<Result<Vec<_>, CliError>>()?;
    let patterns = args.patterns()?;
    if let Some(time) = &args.since
        && let Err(why) = SeekTo::time(time, SystemTime::now())
    {
        return Err(CliError::Usage(format!("--since {time}: {why}.")));
    }
    if targets.len() > 1 && args.from.is_some() {
        return Err(CliError::Usage("--from: a cursor is of one log, so there can be no other.".to_owned()));
    }
    let labels = Label::all(&Target::names(&targets));
    let (sender, ends) = mpsc::channel();
    let several = targets.len() > 1;
    for (target, label) in targets.into_iter().zip(labels) {
        let (args, patterns, sender) = (args.clone(), patterns.clone(), sender.clone());
        thread::spawn(move || {
            let mut cat = Cat {
                cursor: args.from.clone(),
                args,
                target,
                patterns,
                absent: None,
                printer: Printer::new(label),
            };
            let end = cat.run();
            if let (true, Err(Trouble::Final(error))) = (several, &end) {
                cat.printer.remark(&error.to_string());
            }
            // Nobody hears it if the reader of our output has left.
            let _ = sender.send(end);
        });
    }
    drop(sender);
    let (mut succeeded, mut failure) = (false, None);
    for end in ends {
        match end {
            Ok(()) => succeeded = true,
            // There is nobody left to print for, and the other threads end with the program.
            Err(Trouble::ReaderLeft) => return Ok(()),
            Err(Trouble::Final(error)) => failure = Some(error),
            Err(Trouble::Passing(why)) => failure = Some(CliError::Failed(format!("{why}."))),
        }
    }
    match failure {
        // As of `grep`, it is enough that one of them has what was looked for.
        Some(_) if succeeded && args.search.is_some() => Ok(()),
        Some(_) if several => Err(CliError::Failed("not all of it could be shown.".to_owned())),
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// One log of those that are printed.
struct Cat {
    args: Args,
    target: Target,
    patterns: Patterns,
    /// Behind the last text that was printed.
    cursor: Option<String>,
    /// Why there was nothing to print.
    absent: Option<String>,
    printer: Printer,
}

impl Cat {
    /// All that is to be printed of it. Never a trouble that is passing, but of a search or of what is there now.
    fn run(&mut self) -> Result<(), Trouble> {
        if self.args.search.is_some() {
            return search::search(&self.target, self.patterns.clone(), &mut self.printer);
        }
        let mut pause = Duration::ZERO;
        loop {
            let before = self.cursor.clone();
            match self.watch() {
                // Who asked for what is there now does not want to wait for a server to come.
                Err(Trouble::Passing(why)) if self.args.no_follow && self.cursor.is_none() => {
                    return Err(Trouble::Final(CliError::Failed(format!("{why}."))));
                }
                Err(Trouble::Passing(why)) => {
                    if self.cursor != before {
                        pause = Duration::ZERO;
                    }
                    pause = (pause * 2).clamp(Duration::from_millis(250), LONGEST_PAUSE);
                    self.printer.remark(&format!("{why}; trying again in {:.1} s", pause.as_secs_f32()));
                    // Not all at once when a server with many viewers comes back.
                    thread::sleep(pause.mul_f32(0.75 + 0.5 * f32::from(random::<1>()[0]) / 255.0));
                }
                end => {
                    self.printer.end_line();
                    self.printer.flush()?;
                    return end;
                }
            }
        }
    }

    /// One connection, from the handshake to its end. `Ok` when the log has ended as well.
    fn watch(&mut self) -> Result<(), Trouble> {
        if let (Some(time), None) = (&self.args.since, &self.cursor) {
            self.cursor = Some(search::since(&self.target, time)?);
        }
        let mut link = Link::open(&self.target, &self.query())?;
        let mut ended = false;
        loop {
            let closed = link.deal(|message| {
                ended |= self.hear(message)?;
                Ok(())
            })?;
            self.printer.flush()?;
            if let Some(closed) = closed {
                return if ended { Ok(()) } else { Err(why_closed(&closed)) };
            }
            if !link.wait()? {
                return if ended { Ok(()) } else { Err(Trouble::Passing("the server hung up".to_owned())) };
            }
        }
    }

    fn query(&self) -> String {
        let mut query = if self.args.no_follow { "follow=0" } else { "follow=1" }.to_owned();
        let mut add = |name: &str, value: &str| {
            let _ = write!(query, "&{name}={value}");
        };
        match (&self.cursor, self.args.lines) {
            (Some(cursor), _) => add("from", cursor),
            (None, Some(lines)) => add("lines", &lines.to_string()),
            (None, None) => {}
        }
        let Patterns { grep, not, ignore_case, words, literal } = &self.patterns;
        grep.iter().for_each(|pattern| add("grep", &encoded(pattern)));
        not.iter().for_each(|pattern| add("not", &encoded(pattern)));
        for (name, flag) in [("ignore_case", ignore_case), ("words", words), ("literal", literal)] {
            if *flag {
                add(name, "1");
            }
        }
        query
    }

    /// Prints what a message brings. `true` when it was the last.
    fn hear(&mut self, message: &str) -> Result<bool, Trouble> {
        let Some((message, text)) = understood(message)? else { return Ok(false) };
        match message {
            // Only to begin with. If bytes are missing, a gap follows the hello of a connection that resumes; were the
            // connection lost between the two, nobody would hear of them.
            FromServer::Hello { cursor, .. } => {
                self.cursor.get_or_insert(cursor);
            }
            FromServer::Lines { to, .. } => {
                self.absent = None;
                self.printer.print(text)?;
                self.cursor = Some(to);
            }
            FromServer::Rotated { cursor } => self.note(Some(cursor), "the file was rotated")?,
            FromServer::Truncated { cursor } => self.note(Some(cursor), "the file was truncated")?,
            FromServer::Gap { to, bytes, .. } => {
                let count = bytes.map_or("an unknown number of".to_owned(), |bytes| bytes.to_string());
                self.note(Some(to), &format!("{count} bytes are missing here"))?;
            }
            FromServer::Missing { why } if self.args.no_follow => self.absent = Some(why),
            FromServer::Missing { why } => self.note(None, &why)?,
            FromServer::Back {} => self.note(None, "the file can be read again")?,
            FromServer::Behind { .. }
            | FromServer::Pong {}
            | FromServer::Filtered { .. }
            | FromServer::Stopped { .. }
            | FromServer::Started { .. }
            | FromServer::Said { .. } => {}
            // The answers to what is not asked.
            FromServer::Older(_)
            | FromServer::Newer(_)
            | FromServer::Place(_)
            | FromServer::Hits { .. }
            | FromServer::Numbers { .. }
            | FromServer::Progress(_)
            | FromServer::Done(_) => {}
            FromServer::End {} => {
                return self.absent.take().map_or(Ok(true), |why| Err(refused(clean_line(&why))));
            }
            FromServer::Error { message, .. } => self.note(None, &message)?,
        }
        Ok(false)
    }

    /// Says something about the log, on standard error and in its place between the lines.
    fn note(&mut self, cursor: Option<String>, what: &str) -> Result<(), Trouble> {
        if let Some(cursor) = cursor {
            self.cursor = Some(cursor);
        }
        self.printer.note(&clean_line(what))
    }
}

/// Text as it may stand in a query (RFC 3986 §2.1).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
