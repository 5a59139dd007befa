//! The configuration file: what is written in it, with the line it stands on.
//!
//! ```toml
//! [server]
//! port = 8080
//!
//! [[log]]
//! name = "shop"
//! path = "/var/log/shop/*.log"
//! encoding = "gbk"
//! redact = ['token=\S+', '\b\d{16}\b']
//! ```
//!
//! Knows the keys and their types; a key that is unknown or has a value of another kind is a mistake. What the values mean
//! is for those to check who use them, so each comes as a [`Given`], which says where it was given.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeArray, DeValue};

pub use super::section::wanted;
use super::section::{Place, Section, closest};
use super::user::User;

/// Where to listen; 0 is a free port.
pub const PORTS: RangeInclusive<u64> = 0..=65_535;
/// How many lines a viewer may be shown first.
pub const LINES: RangeInclusive<u64> = 0..=100_000;
/// How many connections there may be; how many there can be is for the system to say.
pub const CONNECTIONS: RangeInclusive<u64> = 1..=u64::MAX;
/// How many lines may be written into rooms at once, ...
pub const LINES_AT_ONCE: RangeInclusive<u64> = 1..=10_000;
/// ... and then in a second.
pub const LINES_PER_SECOND: RangeInclusive<u64> = 1..=1000;

/// A value, and where it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T> {
    /// What a complaint about it begins with: `--port`, or `wiretail.toml, line 3: port =`.
    pub by: String,
    /// The value.
    pub value: T,
}

impl<T> Given<T> {
    /// Another value, given there.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Given<U> {
        Given { by: self.by, value: change(self.value) }
    }

    /// Where it was given, without the key: `--port`, or `wiretail.toml, line 3`.
    pub fn place(&self) -> &str {
        self.by.rsplit_once(": ").map_or(&self.by, |(place, _)| place)
    }
}

/// Everything that a configuration file says.
#[derive(Debug, Default)]
pub struct File {
    /// `[server]`
    pub server: Server,
    /// `[limits]`
    pub limits: Limits,
    /// Each `[[log]]`, in order.
    pub logs: Vec<Log>,
    /// Each `[[job]]`, in order.
    pub jobs: Vec<Job>,
    /// Each `[[user]]`, in order.
    pub users: Vec<User>,
}

/// `[server]`: the same as the options of the command line.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the options of the same names say what they are")]
pub struct Server {
    pub port: Option<Given<u64>>,
    pub host: Option<Given<String>>,
    pub open_to_network: bool,
    pub allow_host: Vec<Given<String>>,
    pub allow_origin: Vec<Given<String>>,
    pub base: Option<Given<String>>,
    pub lines: Option<Given<u64>>,
    pub tick: Option<Given<String>>,
    pub no_inotify: bool,
    pub no_lessons: bool,
    pub encoding: Option<Given<String>>,
    pub redact: Vec<Given<String>>,
    /// Where the runs of jobs are kept.
    pub job_folder: Option<Given<String>>,
}

/// `[limits]`
#[derive(Debug, Default)]
pub struct Limits {
    /// Connections at once.
    pub max_connections: Option<Given<u64>>,
    /// Of these, from one address; not counted on loopback.
    pub max_per_address: Option<Given<u64>>,
    /// How many MiB the file of a room may have.
    pub room_mib: Option<Given<u64>>,
    /// How many lines one address may write into rooms at once; not counted on loopback.
    pub room_burst: Option<Given<u64>>,
    /// And then in a second.
    pub room_per_second: Option<Given<u64>>,
    /// How many lines all together may write into rooms at once.
    pub all_rooms_burst: Option<Given<u64>>,
    /// And then in a second.
    pub all_rooms_per_second: Option<Given<u64>>,
    /// How many seconds a login lasts without a request.
    pub session_idle: Option<Given<u64>>,
    /// And in any case.
    pub session_longest: Option<Given<u64>>,
}

/// `[[log]]`
#[derive(Debug)]
pub struct Log {
    /// A file, a folder, a pattern, or `-`.
    pub path: Given<String>,
    /// What it is called.
    pub name: Option<Given<String>>,
    /// What else it can be asked for as.
    pub aliases: Vec<Given<String>>,
    /// Whether the folders in the folder are meant as well; where that was said.
    pub recursive: Option<Given<bool>>,
    /// What it is shown under.
    pub group: Option<Given<String>>,
    /// The label of its encoding.
    pub encoding: Option<Given<String>>,
    /// Patterns whose matches are masked.
    pub redact: Vec<Given<String>>,
    /// Whether visitors may write into it.
    pub writable: Option<Given<bool>>,
}

/// `[[job]]`
#[derive(Debug)]
pub struct Job {
    /// What it and its log are called.
    pub name: Given<String>,
    /// What it does, for people.
    pub about: Option<Given<String>>,
    /// The program and its arguments.
    pub command: Vec<Given<String>>,
    /// Where it is run.
    pub folder: Option<Given<String>>,
    /// `NAME=VALUE`, beside what is in the server's own environment.
    pub environment: Vec<Given<String>>,
    /// What it is shown under.
    pub group: Option<Given<String>>,
    /// Whether it finds a terminal.
    pub pty: bool,
    /// Whether it goes on when the server ends; where that was said.
    pub survives: Option<Given<bool>>,
    /// How many runs are kept.
    pub keep: Option<Given<u64>>,
    /// How many MiB of a run are kept.
    pub max_mib: Option<Given<u64>>,
    /// How many seconds it has to end when it is told to.
    pub grace: Option<Given<u64>>,
    /// How many seconds a run may take.
    pub timeout: Option<Given<u64>>,
    /// The label of the encoding of its log.
    pub encoding: Option<Given<String>>,
    /// Patterns whose matches are masked in its log.
    pub redact: Vec<Given<String>>,
}

/// How many runs of a job may be kept.
pub const RUNS: RangeInclusive<u64> = 1..=100;
/// How many MiB of a run may be kept, or be in a room.
pub const FILE_MIB: RangeInclusive<u64> = 1..=1_048_576;
/// How many seconds a job may be given to end.
pub const GRACE: RangeInclusive<u64> = 0..=600;
/// How many seconds a run may take: up to thirty days.
pub const TIMEOUT: RangeInclusive<u64> = 1..=2_592_000;

/// How many seconds a login may last: up to a year.
pub const SESSION: RangeInclusive<u64> = 1..=31_536_000;

/// What is a table of the file, and how it is written.
const TABLES: [(&str, &str); 5] = [
    ("server", "[server]"),
    ("limits", "[limits]"),
    ("log", "[[log]]"),
    ("job", "[[job]]"),
    ("user", "[[user]]"),
];

/// Keys that are looked for in the wrong table.
const ELSEWHERE: [(&str, &str); 8] = [
    ("port", "[server]"),
    ("host", "[server]"),
    ("base", "[server]"),
    ("max_connections", "[limits]"),
    ("max_per_address", "[limits]"),
    ("path", "[[log]]"),
    ("command", "[[job]]"),
    ("job_folder", "[server]"),
];

impl File {
    /// Understands `text`, which stands in the file called `name`: what it says, and a sentence for each mistake in it, in
    /// their order, that names the file, the line, the key, and what would work there. What has a mistake counts as not given.
    pub fn parse(name: &str, text: &str) -> (Self, Vec<String>) {
        let mistakes = RefCell::default();
        let file = Self::of(Place { name, text, mistakes: &mistakes });
        let mut mistakes = mistakes.into_inner();
        mistakes.sort_by_key(|(at, _)| *at);
        (file, mistakes.into_iter().map(|(_, sentence)| sentence).collect())
    }

    fn of(place: Place<'_>) -> Self {
        let mut tables = place.parse();
        let mut file = Self::default();
        if let Some(value) = tables.remove("server") {
            file.server = Section::new(place, "[server]", value).map(Server::of).unwrap_or_default();
        }
        if let Some(value) = tables.remove("limits") {
            file.limits = Section::new(place, "[limits]", value).map(Limits::of).unwrap_or_default();
        }
        if let Some(value) = tables.remove("log") {
            file.logs = all(place, "log", "[[log]]", value).filter_map(Log::of).collect();
        }
        if let Some(value) = tables.remove("job") {
            file.jobs = all(place, "job", "[[job]]", value).filter_map(Job::of).collect();
        }
        if let Some(value) = tables.remove("user") {
            file.users = all(place, "user", "[[user]]", value).filter_map(User::of).collect();
        }
        for key in tables.keys() {
            let word = key.get_ref().as_ref();
            let meant = closest(word, &TABLES.map(|(word, _)| word));
            let written = TABLES.iter().find(|(word, _)| Some(*word) == meant);
            let what = match (ELSEWHERE.iter().find(|(other, _)| *other == word), written) {
                (Some((_, owner)), _) => format!("{word:?} belongs below {owner}"),
                (None, Some((_, meant))) => format!("there is no table {word:?} (did you mean {meant}?)"),
                (None, None) => {
                    format!(
                        "there is no table {word:?}; there are [server], [limits], [[log]], [[job]] and [[user]]"
                    )
                }
            };
            place.complain(key.span().start, what);
        }
        file
    }
}

/// The tables of one kind, of which there may be several.
fn all<'a>(
    place: Place<'a>,
    what: &str,
    title: &'static str,
    value: Spanned<DeValue<'a>>,
) -> impl Iterator<Item = Section<'a>> {
    let at = value.span().start;
    let tables = match value.into_inner() {
        DeValue::Array(tables) => tables,
        _ => {
            place.complain(
                at,
                format!("a {what} is written with two brackets, {title}, as there may be several"),
            );
            DeArray::default()
        }
    };
    tables.into_iter().filter_map(move |table| Section::new(place, title, table))
}

impl Server {
    fn of(mut section: Section<'_>) -> Self {
        let server = Self {
            port: section.number("port", &PORTS, 8080),
            host: section.text("host", "127.0.0.1"),
            open_to_network: on(section.switch("open_to_network")),
            allow_host: section.texts("allow_host"),
            allow_origin: section.texts("allow_origin"),
            base: section.text("base", "/logs"),
            lines: section.number("lines", &LINES, 1000),
            tick: section.text("tick", "10ms"),
            no_inotify: on(section.switch("no_inotify")),
            no_lessons: on(section.switch("no_lessons")),
            encoding: section.text("encoding", "gbk"),
            redact: section.texts("redact"),
            job_folder: section.text("job_folder", "/var/lib/wiretail"),
        };
        section.finish(&ELSEWHERE);
        server
    }
}

impl Limits {
    fn of(mut section: Section<'_>) -> Self {
        let limits = Self {
            max_connections: section.number("max_connections", &CONNECTIONS, 10_000),
            max_per_address: section.number("max_per_address", &CONNECTIONS, 256),
            room_mib: section.number("room_mib", &FILE_MIB, 64),
            room_burst: section.number("room_burst", &LINES_AT_ONCE, 10),
            room_per_second: section.number("room_per_second", &LINES_PER_SECOND, 2),
            all_rooms_burst: section.number("all_rooms_burst", &LINES_AT_ONCE, 100),
            all_rooms_per_second: section.number("all_rooms_per_second", &LINES_PER_SECOND, 50),
            session_idle: section.number("session_idle", &SESSION, 43_200),
            session_longest: section.number("session_longest", &SESSION, 604_800),
        };
        section.finish(&ELSEWHERE);
        limits
    }
}

impl Log {
    fn of(mut section: Section<'_>) -> Option<Self> {
        section.needs("path", "path = \"app.log\"");
        let path = section.text("path", "logs/*.log");
        let name = section.text("name", "shop");
        let aliases = section.texts("aliases");
        let recursive = section.switch("recursive");
        let group = section.text("group", "shop");
        let encoding = section.text("encoding", "gbk");
        let redact = section.texts("redact");
        let writable = section.switch("writable");
        section.finish(&ELSEWHERE);
        Some(Self { path: path?, name, aliases, recursive, group, encoding, redact, writable })
    }
}

impl Job {
    fn of(mut section: Section<'_>) -> Option<Self> {
        section.needs("name", "name = \"deploy\"");
        section.needs("command", "command = [\"make\", \"deploy\"]");
        let name = section.text("name", "deploy");
        let about = section.text("about", "puts the shop on the web");
        let command = section.texts("command");
        let folder = section.text("folder", "/srv/shop");
        let environment = section.texts("environment");
        let group = section.text("group", "shop");
        let pty = on(section.switch("pty"));
        let survives = section.switch("survives");
        let keep = section.number("keep", &RUNS, 10);
        let max_mib = section.number("max_mib", &FILE_MIB, 64);
        let grace = section.number("grace", &GRACE, 5);
        let timeout = section.number("timeout", &TIMEOUT, 3600);
        let encoding = section.text("encoding", "gbk");
        let redact = section.texts("redact");
        section.finish(&ELSEWHERE);
        let name = name.filter(|_| !command.is_empty())?;
        Some(Self {
            name,
            about,
            command,
            folder,
            environment,
            group,
            pty,
            survives,
            keep,
            max_mib,
            grace,
            timeout,
            encoding,
            redact,
        })
    }
}

fn on(switch: Option<Given<bool>>) -> bool {
    switch.is_some_and(|given| given.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_with_the_line_they_stand_on() {
        let text = "[server]\nport = 80\n\n[[log]]\npath = \"a\"\nredact = [\n  'x+',\n  'y',\n]\n[[log]]\npath='b'\n";
        let (file, mistakes) = File::parse("w.toml", text);
        assert_eq!(mistakes, [""; 0]);
        assert_eq!(file.server.port, Some(Given { by: "w.toml, line 2: port =".to_owned(), value: 80 }));
        let redact: Vec<_> = file.logs[0].redact.iter().map(|g| format!("{} {}", g.by, g.value)).collect();
        assert_eq!(redact, ["w.toml, line 7: redact = x+", "w.toml, line 8: redact = y"]);
        assert_eq!(file.logs[1].path.by, "w.toml, line 11: path =");
    }

    /// What is said of a file in which one thing is wrong.
    fn complaint(text: &str) -> String {
        let (_, mut mistakes) = File::parse("w.toml", text);
        assert_eq!(mistakes.len(), 1, "{text:?}: {mistakes:?}");
        mistakes.remove(0)
    }

    #[test]
    fn all_mistakes_are_said_in_their_order_and_what_is_right_is_understood() {
        let text = "[[log]]\npath = 7\nnaem = 'x'\n[[log]]\npath = 'b'\n[[job]]\npty = 1\n[sever]\n";
        let (file, mistakes) = File::parse("w.toml", text);
        let lines: Vec<&str> = mistakes.iter().map(|said| said.split(':').next().unwrap()).collect();
        let lines: Vec<&str> = lines.iter().map(|line| line.trim_start_matches("w.toml, line ")).collect();
        assert_eq!(lines, ["2", "3", "6", "6", "7", "8"], "{mistakes:#?}");
        assert_eq!((file.logs.len(), file.logs[0].path.value.as_str(), file.jobs.len()), (1, "b", 0));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_its_key_and_what_would_work() {
        for (text, said) in [
            (
                "[server]\nport = 'x'\n",
                "line 2: port = 'x': this is text; a whole number from 0 to 65535 is wanted, as port = 8080",
            ),
            (
                "[server]\nport = '80'\n",
                "line 2: port = '80': this is text; numbers are written without quotes, as port = 8080",
            ),
            (
                "[server]\nport = 70000\n",
                "line 2: port = 70000: a whole number from 0 to 65535 is wanted, as port = 8080",
            ),
            (
                "[limits]\nmax_connections = 0\n",
                "line 2: max_connections = 0: a whole number from 1 on is wanted, as max_connections = 10000",
            ),
            (
                "[server]\n\ntick = 10\n",
                "line 3: tick = 10: this is a whole number; text is in quotes, as tick = \"10ms\"",
            ),
            (
                "[server]\nno_lessons = 'yes'\n",
                "line 2: no_lessons = 'yes': this is text; true or false is wanted, without quotes, as no_lessons = true",
            ),
            (
                "[[log]]\npath = 'a'\nredact = 'x'\n",
                "line 3: redact = 'x': this is text; a list of texts is wanted, in brackets, as redact = [\"one\", \
                 \"another\"]",
            ),
            (
                "[[log]]\npath = 'a'\nredact = [\n'x',\n1]\n",
                "line 5: redact = 1: this is a whole number; all of a list are texts, each in quotes, as redact = \
                 [\"one\", \"another\"]",
            ),
            ("[server]\nporto = 80\n", "line 2: [server] has no key \"porto\" (did you mean port?)"),
            (
                "[limits]\ncolour = 80\n",
                "line 2: [limits] has no key \"colour\"; it has max_connections, max_per_address, room_mib, room_burst, \
                 room_per_second, all_rooms_burst, all_rooms_per_second, session_idle, session_longest",
            ),
            (
                "[server]\nmax_connections = 80\n",
                "line 2: \"max_connections\" is no key of [server]; it belongs to [limits]",
            ),
            ("port = 80\n", "line 1: \"port\" belongs below [server]"),
            ("\n[servers]\n", "line 2: there is no table \"servers\" (did you mean [server]?)"),
            ("\n[[logs]]\n", "line 2: there is no table \"logs\" (did you mean [[log]]?)"),
            (
                "[x]\n",
                "line 1: there is no table \"x\"; there are [server], [limits], [[log]], [[job]] and [[user]]",
            ),
            ("server = 1\n", "line 1: this is a whole number; [server] is written on a line of its own"),
            (
                "[log]\npath = 'a'\n",
                "line 1: a log is written with two brackets, [[log]], as there may be several",
            ),
            ("\n[[log]]\nname = 'x'\n", "line 2: [[log]] has no path; each needs one, as path = \"app.log\""),
            (
                "\n[[job]]\nname = 'x'\n",
                "line 2: [[job]] has no command; each needs one, as command = [\"make\", \"deploy\"]",
            ),
        ] {
            assert_eq!(complaint(text), format!("w.toml, {said}"), "{text:?}");
        }
        for (text, line) in [("[server\n", 1), ("[server]\nport = 1\nport = 2\n", 3), ("a = \"\n", 1)] {
            let said = complaint(text);
            assert!(
                said.starts_with(&format!("w.toml, line {line}: this cannot be read as TOML (")),
                "{said}"
            );
            assert!(!said.contains('\n'), "{said:?}");
        }
    }

    #[test]
    fn a_value_in_a_complaint_is_short_and_moves_no_cursor() {
        let long = format!("[server]\nport = [{}]\n", "'\u{9b}31m', ".repeat(1000));
        let said = complaint(&long);
        assert!(said.len() < 300 && !said.contains(char::is_control), "{said:?}");
    }

    #[test]
    fn every_shortened_file_has_a_mistake_or_says_less() {
        let text = "[server]\nport = 80\nhost = \"\u{65e5}\"\n[[log]]\npath = 'a'\nredact = ['x']\n";
        for (len, _) in text.char_indices() {
            for complaint in File::parse("w.toml", &text[..len]).1 {
                assert!(complaint.starts_with("w.toml, line "), "{complaint}");
            }
        }
    }
}
