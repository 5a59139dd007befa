//! `wiretail [serve]`: from what was typed to a running server.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use clap::builder::BoolishValueParser;
use mio::net::TcpListener;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::mistakes::{Mistakes, complaint};
use super::reread::Reread;
use super::settings::{JobSettings, Settings};
use super::{CliError, machine, whole};
use crate::app::access::Access;
use crate::app::access::sites::Sites;
use crate::app::{App, Left};
use crate::config::Config;
use crate::config::file::{CONNECTIONS, Given, LINES, PORTS, wanted};
use crate::jobs::Jobs;
use crate::tail::catalogue::{Catalogue, LogKind, LogState, Source, SourceError};
use crate::tail::demo::Demo;
use crate::tail::disk::Disk;
use crate::tail::room;
use crate::tail::spool::StdinSpool;

/// Descriptors kept for files, pipes and the spare one, beside the connections.
const RESERVED_DESCRIPTORS: u64 = 64;

/// So many connections wait in the system's queue until they are accepted.
const BACKLOG: i32 = 4096;

/// What can be typed for `wiretail serve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file, a folder, a quoted glob, NAME=PATH, or - for standard input; a demo log if there is none
    #[arg(value_name = "SOURCE")]
    pub(super) sources: Vec<String>,
    /// Of a folder that is a source, the folders in it are meant as well
    #[arg(short, long, env = "WIRETAIL_RECURSIVE", hide_env = true, value_parser = BoolishValueParser::new())]
    pub(super) recursive: bool,
    /// A file, or NAME=FILE, that visitors may write lines into (of users, those with write = true); made if it is not there; may be repeated
    #[arg(long, value_name = "FILE", env = "WIRETAIL_ROOM", hide_env = true)]
    pub(super) room: Vec<String>,
    /// A file of settings, and of logs with their encodings and what is masked in them
    #[arg(short, long, value_name = "FILE", env = "WIRETAIL_CONFIG", hide_env = true)]
    pub(super) config: Option<PathBuf>,
    /// The encoding of the logs, as gbk, utf-16le or latin1; UTF-8 without it, and where a mark says so
    #[arg(long, value_name = "LABEL", env = "WIRETAIL_ENCODING", hide_env = true)]
    pub(super) encoding: Option<String>,
    /// A pattern whose matches are never shown; may be repeated
    #[arg(long, value_name = "REGEX", env = "WIRETAIL_REDACT", hide_env = true)]
    pub(super) redact: Vec<String>,
    /// Port to listen on; 0 picks a free one [default: 8080]
    #[arg(short, long, env = "WIRETAIL_PORT", hide_env = true, value_parser = whole(PORTS))]
    pub(super) port: Option<u64>,
    /// Address or name to listen on [default: 127.0.0.1]
    #[arg(long, env = "WIRETAIL_HOST", hide_env = true)]
    pub(super) host: Option<String>,
    /// Listen beyond this machine though there are no users: everyone who reaches the port may read the logs, write into rooms and start jobs
    #[arg(long, env = "WIRETAIL_OPEN_TO_NETWORK", hide_env = true, value_parser = BoolishValueParser::new())]
    pub(super) open_to_network: bool,
    /// A host name this server goes by, beside localhost and addresses; may be repeated
    #[arg(long, value_name = "NAME", env = "WIRETAIL_ALLOW_HOST", hide_env = true, value_delimiter = ',')]
    pub(super) allow_host: Vec<String>,
    #[arg(help = "Another site whose pages may use this server, as https://example.org; may be repeated")]
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "WIRETAIL_ALLOW_ORIGIN",
        hide_env = true,
        value_delimiter = ','
    )]
    pub(super) allow_origin: Vec<String>,
    /// Sub-path under which everything is served [default: /]
    #[arg(long, value_name = "PATH", env = "WIRETAIL_BASE", hide_env = true)]
    pub(super) base: Option<String>,
    /// How many of the last lines a viewer is shown first [default: 1000]
    #[arg(short = 'n', long, env = "WIRETAIL_LINES", hide_env = true, value_parser = whole(LINES))]
    pub(super) lines: Option<u64>,
    /// How often a growing file is looked at, at the quickest [default: 10ms]
    #[arg(long, value_name = "TIME", env = "WIRETAIL_TICK", hide_env = true)]
    pub(super) tick: Option<String>,
    /// Do not use inotify: the tick alone follows the files
    #[arg(long, env = "WIRETAIL_NO_INOTIFY", hide_env = true, value_parser = BoolishValueParser::new())]
    pub(super) no_inotify: bool,
    /// Do not offer /ws/echo
    #[arg(long, env = "WIRETAIL_NO_LESSONS", hide_env = true, value_parser = BoolishValueParser::new())]
    pub(super) no_lessons: bool,
    /// Connections at once [default: 10000]
    #[arg(
        long,
        value_name = "N",
        env = "WIRETAIL_MAX_CONNECTIONS",
        hide_env = true,
        value_parser = whole(CONNECTIONS)
    )]
    pub(super) max_connections: Option<u64>,
}

/// Checks, binds, says where to look, and serves until a signal ends it.
///
/// # Errors
/// Wrong usage, a port that is taken, a source that cannot be served.
pub fn run(args: &Args) -> Result<(), CliError> {
    let (settings, Checked { base, access, tick }) = understood(args)?;
    let (mut sources, written): (Vec<Source>, Vec<_>) = settings.sources.iter().cloned().unzip();
    let stdin = spool_stdin(&sources)?;
    let demo = demo_if_empty(&mut sources, &settings)?;
    let spool = stdin.as_ref().map(StdinSpool::path);
    let jobs = begin_jobs(&settings)?;
    sources.extend(job_sources(&settings.jobs, &jobs)?);
    let catalogue = Catalogue::new(Disk::default(), sources, spool, Instant::now()).map_err(usage)?;
    make_rooms(&catalogue)?;
    // Last: a mistake in what was typed is to be heard of whether the port is free or not.
    let listeners = bind(&settings)?;
    let port = listeners[0].local_addr()?.port();
    let greeting = greeting(&settings, &written, port, &base, &catalogue);
    let config = Config {
        listeners,
        connections: connections(settings.max_connections.value),
        per_address: usize::try_from(settings.max_per_address.value).unwrap_or(usize::MAX),
        access,
        base,
        catalogue,
        jobs,
        stdin,
        demo,
        lines: usize::try_from(settings.lines.value).unwrap_or(usize::MAX),
        rooms: settings.rooms,
        tick,
        renewable: args.config.is_some(),
        inotify: settings.inotify,
        lessons: settings.lessons,
    };
    let mut app = App::new(config)?;
    // Only now: whoever reads the address may connect at once, or send a signal. That nobody reads it is no reason to
    // end.
    let _ = writeln!(io::stdout(), "{greeting}");
    let mut reread = Reread::new(settings);
    loop {
        match app.run()? {
            Left::Stopped => return Ok(()),
            // Whoever is watched by this keeps on being, whatever is wrong in the file.
            Left::ToRenew => reread.read(args, &mut app),
            Left::Renewed(changes) => reread.tell(&changes),
        }
    }
}

/// The settings, in which nothing is wrong that can be found out before the server listens.
pub(super) fn understood(args: &Args) -> Result<(Settings, Checked), CliError> {
    let mut mistakes = Mistakes::default();
    let (settings, checked) = examine(args, &mut mistakes);
    mistakes.end()?;
    Ok((settings, checked))
}

/// Reads the settings, and looks for all that is wrong with them, in themselves and on this machine.
pub(super) fn examine(args: &Args, mistakes: &mut Mistakes) -> (Settings, Checked) {
    let settings = Settings::of(args, mistakes);
    let checked = check(&settings, mistakes);
    mistakes.unless(addresses(&settings));
    machine::look(&settings, mistakes);
    (settings, checked)
}

/// What the settings say about the server, once it is understood.
pub(super) struct Checked {
    base: String,
    pub(super) access: Access,
    tick: Duration,
}

/// Understands what does not depend on this machine.
fn check(settings: &Settings, mistakes: &mut Mistakes) -> Checked {
    let tick = parse_tick(&settings.tick.value).map_err(|why| complaint(&settings.tick, &why));
    Checked {
        base: mistakes.unless(check_base(&settings.base)).unwrap_or_default(),
        access: access(settings, mistakes),
        tick: mistakes.unless(tick).unwrap_or_default(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn usage(error: SourceError) -> CliError {
    CliError::Usage(error.to_string())
}

/// Standard input becomes a file: whatever is watched has a past.
fn spool_stdin(sources: &[Source]) -> Result<Option<StdinSpool>, CliError> {
    if !sources.iter().any(Source::is_stdin) {
        return Ok(None);
    }
    let trouble =
        |error| CliError::Failed(format!("Standard input cannot be kept in a temporary folder: {error}."));
    StdinSpool::start().map(Some).map_err(trouble)
}

/// The jobs, with what an earlier server has left of them.
fn begin_jobs(settings: &Settings) -> Result<Jobs, CliError> {
    let jobs = settings.jobs.iter().map(|settings| settings.job.clone()).collect();
    let folder = settings.job_folder.as_ref();
    Jobs::new(jobs, folder.map(|(folder, _)| folder.as_path())).map_err(|error| match folder {
        Some((_, given)) => {
            CliError::Failed(format!("{} {} cannot be used: {error}.", given.by, given.value))
        }
        None => CliError::Failed(format!("Jobs need a temporary folder, which cannot be made: {error}.")),
    })
}

/// The logs of the jobs.
pub(super) fn job_sources(settings: &[JobSettings], jobs: &Jobs) -> Result<Vec<Source>, CliError> {
    let source = |settings: &JobSettings, name: &str, path: &Path| {
        Source::job(name, path)?.with(None, Some(settings.group()), Rc::clone(&settings.lens))
    };
    let logs = settings.iter().zip(jobs.logs());
    logs.map(|(settings, (name, path))| source(settings, name, &path))
        .collect::<Result<_, _>>()
        .map_err(usage)
}

/// Without a source there is a log that writes itself.
fn demo_if_empty(sources: &mut Vec<Source>, settings: &Settings) -> Result<Option<Demo>, CliError> {
    if !sources.is_empty() || !settings.jobs.is_empty() {
        return Ok(None);
    }
    let demo = Demo::start(SystemTime::now())
        .map_err(|error| CliError::Failed(format!("The demo log cannot be written: {error}.")))?;
    let source = Source::named("demo.log", demo.path());
    sources
        .push(source.and_then(|source| source.with(None, None, Rc::clone(&settings.lens))).map_err(usage)?);
    Ok(Some(demo))
}

/// A room that is not there yet is made, so that it can be watched. One that cannot be written is a mistake to hear of now.
fn make_rooms(catalogue: &Catalogue) -> Result<(), CliError> {
    for entry in catalogue.logs().filter(|entry| entry.kind == LogKind::Room) {
        room::open(&entry.root, &entry.rel).map_err(|why| {
            let path = entry.root.path().join(&entry.rel);
            let what = match entry.root.is_there() {
                true => why.to_string(),
                false => format!("there is no folder {}", entry.root.path().display()),
            };
            CliError::Failed(format!("{} cannot be a room: {what}.", path.display()))
        })?;
    }
    Ok(())
}

fn check_base(base: &Given<String>) -> Result<String, CliError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let path = &base.value;
    if path.starts_with('/') && path.bytes().all(plain) && !path.contains("//") && !path.contains("..") {
        return Ok(path.clone());
    }
    Err(complaint(base, "a sub-path begins with a slash and is made of plain characters, as /logs"))
}

fn access(settings: &Settings, mistakes: &mut Mistakes) -> Access {
    for origin in &settings.allow_origin {
        let authority =
            origin.value.strip_prefix("http://").or_else(|| origin.value.strip_prefix("https://"));
        if authority.is_none_or(|authority| authority.is_empty() || authority.contains('/')) {
            mistakes
                .wrong(origin, "an origin is a scheme, a host and perhaps a port, as https://example.org");
        }
    }
    for given in &settings.allow_host {
        let host = &given.value;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_name = !host.is_empty() && !host.ends_with('.') && host.bytes().all(plain);
        if !is_name && in_brackets(host).is_none() {
            mistakes.wrong(given, "a host is a name alone, without scheme and port, as logs.example.org");
        }
    }
    let mut hosts: Vec<String> =
        settings.allow_host.iter().map(|host| host.value.to_ascii_lowercase()).collect();
    hosts.push(settings.host.value.to_ascii_lowercase());
    let origins = settings.allow_origin.iter().map(|origin| origin.value.clone()).collect();
    // Users may be anywhere.
    let any_address = settings.open_to_network || !settings.users.are_none();
    let sites = Sites { hosts, origins, any_address };
    Access { sites, users: settings.users.clone(), lifetime: settings.lifetime }
}

/// The address in `[::1]`.
fn in_brackets(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// Where to listen, unless that is further than was allowed.
fn addresses(settings: &Settings) -> Result<Vec<SocketAddr>, CliError> {
    let host = &settings.host;
    if let Some(address) = in_brackets(&host.value) {
        return Err(complaint(host, &format!("here an address is written without brackets, as {address}")));
    }
    let port = u16::try_from(settings.port.value).map_err(|_| complaint(&settings.port, &wanted(&PORTS)))?;
    let addresses: Vec<SocketAddr> = (host.value.as_str(), port)
        .to_socket_addrs()
        .map_err(|_| {
            complaint(
                host,
                "this is no address and no name of this machine; 127.0.0.1, ::1 and localhost are",
            )
        })?
        .collect();
    let beyond = |address: &SocketAddr| !address.ip().to_canonical().is_loopback();
    if !settings.open_to_network && settings.users.are_none() && addresses.iter().any(beyond) {
        return Err(complaint(
            host,
            "everyone who reaches this address could read the logs, write into the rooms and start the jobs. Add users to \
             the file ([[user]]); or if that is meant, --open-to-network, or open_to_network = true to the file",
        ));
    }
    Ok(addresses)
}

fn bind(settings: &Settings) -> Result<Vec<TcpListener>, CliError> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut trouble = None;
    for mut address in addresses(settings)? {
        if let Some(first) = listeners.first() {
            // A free port is picked once, and meant for all addresses of the name.
            address.set_port(first.local_addr()?.port());
        }
        match TcpListener::bind(address) {
            Ok(listener) => {
                // Mio asks for a queue of 128. Where that overflows, the system drops handshakes without a word, and
                // each caller tries again a second later. The system cuts the number to what it allows.
                rustix::net::listen(&listener, BACKLOG)
                    .map_err(|error| CliError::Failed(why_not_bound(settings, &error.into())))?;
                listeners.push(listener);
            }
            // A name may have addresses that this machine has not, as `localhost` where there is no IPv6.
            Err(error)
                if !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) =>
            {
                trouble = Some(error);
            }
            // Half of the name is another program's: who opens the address may meet that one.
            Err(error) => return Err(CliError::Failed(why_not_bound(settings, &error))),
        }
    }
    match (listeners.is_empty(), trouble) {
        (false, _) => Ok(listeners),
        (true, Some(error)) => Err(CliError::Failed(why_not_bound(settings, &error))),
        (true, None) => Err(complaint(&settings.host, "this name has no address")),
    }
}

fn why_not_bound(settings: &Settings, error: &io::Error) -> String {
    let Settings { host, port, .. } = settings;
    let (by_host, by_port) = (format!("{} {}", host.by, host.value), format!("{} {}", port.by, port.value));
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "{by_port}: another program listens there already. Choose another port, or --port 0 for a free one."
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!("{by_port}: ports below 1024 need privileges. Choose a higher one.")
        }
        io::ErrorKind::AddrNotAvailable => format!("{by_host}: this is not an address of this machine."),
        _ => format!("Cannot listen on {}, port {}: {error}.", host.value, port.value),
    }
}

/// As many connections as were asked for, or as the descriptors allow, whose limit is raised as far as the system lets us.
fn connections(asked: u64) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = asked.saturating_add(RESERVED_DESCRIPTORS);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let current = limit.current.unwrap_or(u64::MAX);
    let mut have = current;
    if current < wanted {
        let raised = wanted.min(most);
        if setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum }).is_ok() {
            have = raised;
        }
    }
    let connections = asked.min(have.saturating_sub(RESERVED_DESCRIPTORS)).max(1);
    if connections < asked {
        log::warn!(
            "at most {connections} connections: the system gives this process {have} descriptors (ulimit -n)"
        );
    }
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// The first line is the address to open; then what is served, and what is waited for.
fn greeting(
    settings: &Settings,
    written: &[Given<String>],
    port: u16,
    base: &str,
    catalogue: &Catalogue,
) -> String {
    /// So many logs are named; more would push the address off the screen.
    const MOST_NAMED: usize = 20;
    let host = &settings.host.value;
    let host = match host.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => "127.0.0.1".to_owned(),
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.clone(),
    };
    let slash = if base.ends_with('/') { "" } else { "/" };
    let mut lines = vec![format!("http://{host}:{port}{base}{slash}")];
    if written.is_empty() && settings.jobs.is_empty() {
        lines.push(
            "  a demo log that writes itself; to serve your own: wiretail app.log 'logs/*.log'".to_owned(),
        );
    }
    for entry in catalogue.logs().take(MOST_NAMED) {
        let state = match entry.state() {
            _ if entry.kind == LogKind::Job => "  (a job)".to_owned(),
            LogState::Ok { .. } => String::new(),
            LogState::Missing => "  (does not exist yet; waiting for it)".to_owned(),
            LogState::Refused(why) => format!("  (cannot be served: {why})"),
        };
        lines.push(format!("  {}{state}", entry.name));
    }
    if let Some(more) = catalogue.logs().len().checked_sub(MOST_NAMED).filter(|&more| more > 0) {
        lines.push(format!("  and {more} more"));
    }
    let withheld = catalogue.withheld();
    let named = withheld.iter().take(MOST_NAMED);
    lines.extend(named.map(|(path, why)| format!("  {path:?}  ({why})")));
    if let Some(more) = withheld.len().checked_sub(MOST_NAMED).filter(|&more| more > 0) {
        lines.push(format!("  and {more} more that are not shown: wiretail check names them all"));
    }
    for source in catalogue.idle() {
        lines.push(format!("  {}  (nothing there yet; waiting for it)", written[source].value));
    }
    if !settings.users.are_none() {
        lines.extend(for_users(settings));
    } else if settings.open_to_network {
        let rooms = catalogue.logs().any(|entry| entry.kind == LogKind::Room);
        let write = if rooms { ", and write into the rooms" } else { "" };
        let start = if settings.jobs.is_empty() { "" } else { ", and start and stop the jobs" };
        lines.push(format!(
            "  open to the network: everyone who reaches port {port} may read these logs{write}{start}"
        ));
    }
    lines.join("\n")
}

/// What is said where there are users.
fn for_users(settings: &Settings) -> Vec<String> {
    let count = settings.users.all().len();
    let mut lines = vec![format!("  for {count} user{}, who log in", if count == 1 { "" } else { "s" })];
    let host = &settings.host.value;
    let is_far = |address: IpAddr| !address.to_canonical().is_loopback();
    if host.parse().map_or(host != "localhost", is_far) {
        lines.push(
            "  there is no TLS here: unless a proxy in front speaks it, passwords and logs can be read on their way"
                .to_owned(),
        );
    }
    lines
}

/// A time as `10ms` or `1s`, between 1 ms and 10 s.
fn parse_tick(text: &str) -> Result<Duration, String> {
    let millis = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(millis), _) => millis.parse::<u64>().ok(),
        (None, Some(seconds)) => seconds.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(1000)),
        (None, None) => None,
    };
    match millis {
        Some(millis @ 1..=10_000) => Ok(Duration::from_millis(millis)),
        _ => Err("a time from 1ms to 10s is wanted, with its unit, as 10ms".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_a_number_with_its_unit() {
        assert_eq!(parse_tick("10ms"), Ok(Duration::from_millis(10)));
        assert_eq!(parse_tick("2s"), Ok(Duration::from_secs(2)));
        for bad in ["", "10", "0ms", "11s", "-1s", "1m", "ms", "18446744073709551615s"] {
            assert!(parse_tick(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_base_is_a_plain_path() {
        let base = |path: &str| Given { by: "--base".to_owned(), value: path.to_owned() };
        for good in ["/", "/logs", "/logs/", "/a/b-c"] {
            assert!(check_base(&base(good)).is_ok(), "{good}");
        }
        for bad in ["", "logs", "//x", "/a b", "/..", "/<x>"] {
            assert!(check_base(&base(bad)).is_err(), "{bad}");
        }
    }
}
