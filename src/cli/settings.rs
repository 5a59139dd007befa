//! What was typed and what is written in the configuration file, as one: the command line (and the environment, which
//! clap reads for it) comes before the file, the file before what holds without either.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;

use super::CliError;
use super::mistakes::{Mistakes, complaint};
use super::serve::Args;
use super::users::{lifetime, users_of};
use crate::app::access::secret::random;
use crate::app::access::sessions::Lifetime;
use crate::app::access::users::Users;
use crate::app::pace::Pace;
use crate::app::rooms;
use crate::app::rooms::rates::Paces;
use crate::config::file::{self, File, Given, Log};
use crate::jobs::Job;
use crate::tail::Lens;
use crate::tail::catalogue::{Source, SourceError};
use crate::tail::cursor::Seal;

/// Everything about the server that can be said.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) port: Given<u64>,
    pub(super) host: Given<String>,
    pub(super) open_to_network: bool,
    pub(super) allow_host: Vec<Given<String>>,
    pub(super) allow_origin: Vec<Given<String>>,
    pub(super) base: Given<String>,
    pub(super) lines: Given<u64>,
    pub(super) tick: Given<String>,
    pub(super) inotify: bool,
    pub(super) lessons: bool,
    pub(super) max_connections: Given<u64>,
    pub(super) max_per_address: Given<u64>,
    /// What holds for rooms.
    pub(super) rooms: rooms::Limits,
    /// Who may see and do what; nobody: everyone may everything.
    pub(super) users: Users,
    /// How long a login lasts.
    pub(super) lifetime: Lifetime,
    /// What is served, and how each was written.
    pub(super) sources: Vec<(Source, Given<String>)>,
    /// The jobs.
    pub(super) jobs: Vec<JobSettings>,
    /// Where their runs are kept.
    pub(super) job_folder: Option<(PathBuf, Given<String>)>,
    /// How a log is read that nothing else is said of.
    pub(super) lens: Rc<Lens>,
}

impl Settings {
    /// Reads the configuration file, if one was named, and checks what does not depend on this machine. What is wrong is
    /// noted among `mistakes`, and left out here.
    pub(super) fn of(args: &Args, mistakes: &mut Mistakes) -> Self {
        let file = args.config.as_deref().and_then(|path| read(path, mistakes)).unwrap_or_default();
        // Absolute: what it says is handed to programs that run elsewhere.
        let config = args.config.as_deref().and_then(|path| std::path::absolute(path).ok());
        let folder = config.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let File { server, limits, logs, jobs, users } = file;
        let rooms = rooms_of(&limits);
        let reading = Reading::of(args, server.encoding, server.redact);
        let lens = Rc::new(reading.lens(None, &[], mistakes));
        let mut names = Names::default();
        let mut sources = typed_sources(args, &lens, &mut names, mistakes);
        for log in &logs {
            let source = source_of(log, folder, &reading, mistakes);
            if let Some(source) = mistakes.unless(source) {
                let place = log.name.as_ref().unwrap_or(&log.path).place();
                mistakes.unless(names.take(&source, place));
                sources.push((source, log.path.clone()));
            }
        }
        let mut job_settings = Vec::new();
        for job in &jobs {
            mistakes.unless(names.take_one(&job.name.value, job.name.place()));
            let lens = Rc::new(reading.lens(job.encoding.as_ref(), &job.redact, mistakes));
            let lasts = server.job_folder.is_some();
            job_settings.extend(job_of(job, folder, lens, lasts, mistakes));
        }
        let typed = |values: &[String], option: &str, file: Vec<Given<String>>| {
            let given = |value: &String| Given { by: option.to_owned(), value: value.clone() };
            if values.is_empty() { file } else { values.iter().map(given).collect() }
        };
        Self {
            port: first("--port", args.port, server.port, 8080),
            host: first("--host", args.host.clone(), server.host, "127.0.0.1".to_owned()),
            open_to_network: args.open_to_network || server.open_to_network,
            allow_host: typed(&args.allow_host, "--allow-host", server.allow_host),
            allow_origin: typed(&args.allow_origin, "--allow-origin", server.allow_origin),
            base: first("--base", args.base.clone(), server.base, "/".to_owned()),
            lines: first("--lines", args.lines, server.lines, 1000),
            tick: first("--tick", args.tick.clone(), server.tick, "10ms".to_owned()),
            inotify: !(args.no_inotify || server.no_inotify),
            lessons: !(args.no_lessons || server.no_lessons),
            max_connections: first("--max-connections", args.max_connections, limits.max_connections, 10_000),
            max_per_address: first("max_per_address =", None, limits.max_per_address, 256),
            rooms,
            users: users_of(&users, mistakes),
            lifetime: lifetime(limits.session_idle.as_ref(), limits.session_longest.as_ref()),
            sources,
            jobs: job_settings,
            job_folder: server.job_folder.map(|given| (folder.join(&given.value), given)),
            lens,
        }
    }
}

/// What is served because it was typed.
fn typed_sources(
    args: &Args,
    lens: &Rc<Lens>,
    names: &mut Names,
    mistakes: &mut Mistakes,
) -> Vec<(Source, Given<String>)> {
    let mut sources = Vec::new();
    let given = |by: &str, typed: &String| Given { by: by.to_owned(), value: typed.clone() };
    for typed in &args.sources {
        let source = Source::parse(typed).and_then(|source| source.with(None, None, Rc::clone(lens)));
        let source = if args.recursive { source.map(Source::recursive_if_folder) } else { source };
        let source = source.map_err(|error| CliError::Usage(error.to_string()));
        if let Some(source) = mistakes.unless(source) {
            mistakes.unless(names.take(&source, &format!("source {typed:?}")));
            sources.push((source, given("source", typed)));
        }
    }
    for typed in &args.room {
        let given = given("--room", typed);
        let wrong = |error: SourceError| complaint(&given, &error.to_string());
        let source = Source::parse(typed).map_err(wrong).and_then(|source| room(source, &given, lens));
        let source = source.and_then(|source| source.with(None, None, Rc::clone(lens)).map_err(wrong));
        if let Some(source) = mistakes.unless(source) {
            mistakes.unless(names.take(&source, &format!("--room {typed}")));
            sources.push((source, given));
        }
    }
    sources
}

/// What a `[[log]]` is.
fn source_of(
    log: &Log,
    folder: &Path,
    reading: &Reading,
    mistakes: &mut Mistakes,
) -> Result<Source, CliError> {
    let lens = Rc::new(reading.lens(log.encoding.as_ref(), &log.redact, mistakes));
    // A file is written once and used from anywhere, so its paths begin where it lies itself.
    let path = match log.path.value.as_str() {
        "" => {
            return Err(complaint(&log.path, "this names no path; give a file, a folder, a pattern or -"));
        }
        "-" => "-".to_owned(),
        path => folder.join(path).to_string_lossy().into_owned(),
    };
    let source = Source::of_path(&path).map_err(|error| complaint(&log.path, &error.to_string()))?;
    let writable = log.writable.as_ref().is_some_and(|given| given.value);
    let source = if writable { room(source, &log.path, &lens)? } else { source };
    let name = log.name.as_ref().map(|name| name.value.as_str());
    let group = log.group.as_ref().map(|group| group.value.as_str());
    let named = log.name.as_ref().unwrap_or(&log.path);
    let source = source.with(name, group, lens).map_err(|error| complaint(named, &error.to_string()))?;
    of_log(source, log)
}

/// What holds for rooms.
fn rooms_of(limits: &file::Limits) -> rooms::Limits {
    let set = |given: &Option<Given<u64>>| given.as_ref().map(|given| given.value);
    let pace = |burst: &Option<Given<u64>>, per_second: &Option<Given<u64>>, otherwise: Pace| Pace {
        burst: set(burst).map_or(otherwise.burst, |burst| u32::try_from(burst).unwrap_or(u32::MAX)),
        every: set(per_second)
            .map_or(otherwise.every, |often| Duration::from_nanos(1_000_000_000 / often.max(1))),
    };
    let rooms::Limits { bytes, paces } = rooms::Limits::default();
    rooms::Limits {
        bytes: set(&limits.room_mib).map_or(bytes, |mib| mib << 20),
        paces: Paces {
            each: pace(&limits.room_burst, &limits.room_per_second, paces.each),
            all: pace(&limits.all_rooms_burst, &limits.all_rooms_per_second, paces.all),
        },
    }
}

/// A job, and how its log is read and shown.
#[derive(Clone)]
pub(super) struct JobSettings {
    pub(super) job: Job,
    group: Option<String>,
    pub(super) lens: Rc<Lens>,
    /// Where its program was named, ...
    pub(super) program: Given<String>,
    /// ... and where it is to run, if that was said.
    pub(super) folder: Option<Given<String>>,
}

impl JobSettings {
    /// What its log is shown under.
    pub(super) fn group(&self) -> &str {
        self.group.as_deref().unwrap_or("jobs")
    }
}

fn job_of(
    given: &file::Job,
    folder: &Path,
    lens: Rc<Lens>,
    lasts: bool,
    mistakes: &mut Mistakes,
) -> Option<JobSettings> {
    let program = given.command.first()?;
    if !Job::may_be_called(&given.name.value) {
        let what =
            "a job's name is made of letters, digits, '.', '_' and '-', and begins with one of the first two";
        mistakes.wrong(&given.name, what);
    }
    if program.value.is_empty() {
        mistakes.wrong(program, "the first of the command is the program to run");
    }
    if let Some(survives) = given.survives.as_ref().filter(|survives| survives.value && !lasts) {
        mistakes.wrong(survives, "what it says must be kept somewhere then; add job_folder to [server]");
    }
    let mut environment = Vec::new();
    for pair in &given.environment {
        match pair.value.split_once('=') {
            Some((name, value)) if !name.is_empty() => environment.push((name.to_owned(), value.to_owned())),
            _ => mistakes.wrong(pair, "this is written as NAME=VALUE"),
        }
    }
    let number =
        |given: &Option<Given<u64>>, otherwise| given.as_ref().map_or(otherwise, |given| given.value);
    let text = |given: &Option<Given<String>>| given.as_ref().map(|given| given.value.clone());
    let job = Job {
        name: given.name.value.clone(),
        about: text(&given.about),
        command: given.command.iter().map(|word| word.value.clone()).collect(),
        // A command is run where its configuration lies, unless it says where.
        folder: Some(folder.join(text(&given.folder).unwrap_or_default())),
        environment,
        pty: given.pty,
        survives: given.survives.as_ref().is_some_and(|survives| survives.value),
        keep: u32::try_from(number(&given.keep, 10)).unwrap_or(u32::MAX),
        most: number(&given.max_mib, 64) << 20,
        grace: Duration::from_secs(number(&given.grace, 5)),
        timeout: given.timeout.as_ref().map(|given| Duration::from_secs(given.value)),
    };
    let (program, folder) = (program.clone(), given.folder.clone());
    Some(JobSettings { job, group: text(&given.group), lens, program, folder })
}

/// What else is said of a log: its further names, and whether the folders in it are meant.
fn of_log(source: Source, log: &Log) -> Result<Source, CliError> {
    let source = match &log.recursive {
        Some(given) if given.value => {
            source.recursive().map_err(|error| complaint(given, &error.to_string()))?
        }
        _ => source,
    };
    let aliases: Vec<String> = log.aliases.iter().map(|alias| alias.value.clone()).collect();
    let given = log.aliases.first().unwrap_or(&log.path);
    source.aliased(&aliases).map_err(|error| complaint(given, &error.to_string()))
}

/// The source as a log that visitors may write into, which they do in UTF-8.
fn room(source: Source, given: &Given<String>, lens: &Lens) -> Result<Source, CliError> {
    if lens.encoding() != "UTF-8" {
        return Err(complaint(given, "what visitors write is UTF-8, so this log can have no other encoding"));
    }
    source.into_room().map_err(|error| complaint(given, &error.to_string()))
}

fn first<T>(option: &str, typed: Option<T>, file: Option<Given<T>>, otherwise: T) -> Given<T> {
    match (typed, file) {
        (None, Some(given)) => given,
        (typed, _) => Given { by: option.to_owned(), value: typed.unwrap_or(otherwise) },
    }
}

fn read(path: &Path, mistakes: &mut Mistakes) -> Option<File> {
    let trouble = |error| CliError::Usage(format!("--config {}: {error}.", path.display()));
    let text = mistakes.unless(std::fs::read_to_string(path).map_err(trouble))?;
    let (file, wrong) = File::parse(&path.display().to_string(), &text);
    wrong.into_iter().for_each(|sentence| mistakes.note(CliError::Usage(format!("{sentence}."))));
    Some(file)
}

/// What holds for the encoding and the masking of all logs.
struct Reading {
    encoding: Option<Given<String>>,
    redact: Vec<Given<String>>,
}

impl Reading {
    /// The encoding that was typed before the one of the file; the rules of both.
    fn of(args: &Args, encoding: Option<Given<String>>, mut redact: Vec<Given<String>>) -> Self {
        let given = |by: &str, value: &String| Given { by: by.to_owned(), value: value.clone() };
        let typed = args.encoding.as_ref().map(|value| given("--encoding", value));
        redact.extend(args.redact.iter().map(|value| given("--redact", value)));
        Self { encoding: typed.or(encoding), redact }
    }

    /// What a log's encoding is, its own before the one for all; and what is masked in it: its own rules and those for all.
    fn lens(
        &self,
        encoding: Option<&Given<String>>,
        redact: &[Given<String>],
        mistakes: &mut Mistakes,
    ) -> Lens {
        let encoding = encoding.or(self.encoding.as_ref());
        let rules: Vec<&Given<String>> = redact.iter().chain(&self.redact).collect();
        let wrong = |given: &Given<String>, why| CliError::Usage(format!("{} {why}.", given.by));
        let unmasked = encoding.and_then(|encoding| {
            let lens = Lens::new(Some(&encoding.value), &[], Seal::default());
            mistakes.unless(lens.map_err(|why| wrong(encoding, why)))
        });
        for rule in &rules {
            let alone = Lens::new(None, std::slice::from_ref(&rule.value), Seal::default());
            mistakes.unless(alone.map_err(|why| wrong(rule, why)));
        }
        if !mistakes.is_empty() {
            // Nothing will be served: it is only to be found out what else is wrong.
            return unmasked.unwrap_or_default();
        }
        let patterns: Vec<String> = rules.into_iter().map(|rule| rule.value.clone()).collect();
        let lens = Lens::new(encoding.map(|encoding| encoding.value.as_str()), &patterns, seal());
        mistakes.unless(lens.map_err(|why| CliError::Usage(format!("{why}.")))).unwrap_or_default()
    }
}

/// The names that were given to logs, and where.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    /// Those of `source`, which was given at `place`: each may be given once.
    fn take(&mut self, source: &Source, place: &str) -> Result<(), CliError> {
        source.given_names().try_for_each(|name| self.take_one(name, place))
    }

    fn take_one(&mut self, name: &str, place: &str) -> Result<(), CliError> {
        let Some(other) = self.0.insert(name.to_owned(), place.to_owned()) else { return Ok(()) };
        let what = match name {
            "-" => "standard input can be one log only".to_owned(),
            name => format!("the name {name:?} can be given to one log only"),
        };
        Err(CliError::Usage(format!("{place}: {what}, and is given by {other} already.")))
    }
}

/// What cursors into masked logs are made with: from what tells this host from all others, which is no secret on the host
/// and one everywhere else (machine-id(5)). Without it, such cursors mean nothing after a restart.
fn seal() -> Seal {
    /// One for as long as the program runs, though the settings be read again.
    static SEAL: OnceLock<Seal> = OnceLock::new();
    *SEAL.get_or_init(new_seal)
}

fn new_seal() -> Seal {
    let id = std::fs::read("/etc/machine-id").unwrap_or_default();
    if id.trim_ascii().len() >= 32 {
        return Seal::of(id.trim_ascii());
    }
    Seal::of(&random::<20>())
}
