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
//! Knows the keys and their types; a key that is unknown or has a value of another kind is an error. What the values mean is for those to check who use them,
//! so each comes as a [`Given`], which says where it was given.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::section::{Place, Section, closest};

/// How many lines a viewer may be shown first.
pub const LINES: RangeInclusive<u64> = 0..=100_000;
/// How many connections there may be; how many there can be is for the system to say.
pub const CONNECTIONS: RangeInclusive<u64> = 1..=u64::MAX;

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
}

/// `[server]`: the same as the options of the command line.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the options of the same names say what they are")]
pub struct Server {
    pub port: Option<Given<u16>>,
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
/// How many MiB of a run may be kept.
pub const RUN_MIB: RangeInclusive<u64> = 1..=1_048_576;
/// How many seconds a job may be given to end.
pub const GRACE: RangeInclusive<u64> = 0..=600;
/// How many seconds a run may take: up to thirty days.
pub const TIMEOUT: RangeInclusive<u64> = 1..=2_592_000;

/// What is a table of the file, and how it is written.
const TABLES: [&str; 4] = ["server", "limits", "log", "job"];

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
    /// Understands `text`, which stands in the file called `name`.
    ///
    /// # Errors
    /// A sentence that names the file, the line, the key, and what would work there.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let place = Place { name, text };
        let mut tables = place.parse()?;
        let mut file = Self::default();
        if let Some(value) = tables.remove("server") {
            file.server = Server::of(Section::new(place, "[server]", value)?)?;
        }
        if let Some(value) = tables.remove("limits") {
            file.limits = Limits::of(Section::new(place, "[limits]", value)?)?;
        }
        if let Some(value) = tables.remove("log") {
            let at = value.span().start;
            let DeValue::Array(logs) = value.into_inner() else {
                let what = "a log is written with two brackets, [[log]], as there may be several";
                return Err(place.complain(at, what));
            };
            for log in logs {
                file.logs.push(Log::of(Section::new(place, "[[log]]", log)?)?);
            }
        }
        if let Some(value) = tables.remove("job") {
            let at = value.span().start;
            let DeValue::Array(jobs) = value.into_inner() else {
                let what = "a job is written with two brackets, [[job]], as there may be several";
                return Err(place.complain(at, what));
            };
            for job in jobs {
                file.jobs.push(Job::of(Section::new(place, "[[job]]", job)?)?);
            }
        }
        let Some((key, _)) = tables.iter().min_by_key(|(key, _)| key.span().start) else { return Ok(file) };
        let word = key.get_ref().as_ref();
        let what = match (ELSEWHERE.iter().find(|(other, _)| *other == word), closest(word, &TABLES)) {
            (Some((_, owner)), _) => format!("{word:?} belongs below {owner}"),
            (None, Some(meant)) => format!("there is no table {word:?}; {meant} is meant, perhaps"),
            (None, None) => {
                format!("there is no table {word:?}; there are [server], [limits], [[log]] and [[job]]")
            }
        };
        Err(place.complain(key.span().start, what))
    }
}

impl Server {
    fn of(mut section: Section<'_>) -> Result<Self, String> {
        let server = Self {
            port: section.number("port", &(0..=65_535), 8080)?.map(|given| given.map(|port| port as u16)),
            host: section.text("host", "127.0.0.1")?,
            open_to_network: on(section.switch("open_to_network")?),
            allow_host: section.texts("allow_host")?,
            allow_origin: section.texts("allow_origin")?,
            base: section.text("base", "/logs")?,
            lines: section.number("lines", &LINES, 1000)?,
            tick: section.text("tick", "10ms")?,
            no_inotify: on(section.switch("no_inotify")?),
            no_lessons: on(section.switch("no_lessons")?),
            encoding: section.text("encoding", "gbk")?,
            redact: section.texts("redact")?,
            job_folder: section.text("job_folder", "/var/lib/wiretail")?,
        };
        section.finish(&ELSEWHERE)?;
        Ok(server)
    }
}

impl Limits {
    fn of(mut section: Section<'_>) -> Result<Self, String> {
        let limits = Self {
            max_connections: section.number("max_connections", &CONNECTIONS, 10_000)?,
            max_per_address: section.number("max_per_address", &CONNECTIONS, 256)?,
        };
        section.finish(&ELSEWHERE)?;
        Ok(limits)
    }
}

impl Log {
    fn of(mut section: Section<'_>) -> Result<Self, String> {
        let path = section.text("path", "logs/*.log")?;
        let log = Self {
            path: path
                .ok_or_else(|| section.complain("has no path; each needs one, as path = \"app.log\""))?,
            name: section.text("name", "shop")?,
            aliases: section.texts("aliases")?,
            recursive: section.switch("recursive")?,
            group: section.text("group", "shop")?,
            encoding: section.text("encoding", "gbk")?,
            redact: section.texts("redact")?,
            writable: section.switch("writable")?,
        };
        section.finish(&ELSEWHERE)?;
        Ok(log)
    }
}

impl Job {
    fn of(mut section: Section<'_>) -> Result<Self, String> {
        let name = section.text("name", "deploy")?;
        let job = Self {
            name: name
                .ok_or_else(|| section.complain("has no name; each needs one, as name = \"deploy\""))?,
            about: section.text("about", "puts the shop on the web")?,
            command: section.texts("command")?,
            folder: section.text("folder", "/srv/shop")?,
            environment: section.texts("environment")?,
            group: section.text("group", "shop")?,
            pty: on(section.switch("pty")?),
            survives: section.switch("survives")?,
            keep: section.number("keep", &RUNS, 10)?,
            max_mib: section.number("max_mib", &RUN_MIB, 64)?,
            grace: section.number("grace", &GRACE, 5)?,
            timeout: section.number("timeout", &TIMEOUT, 3600)?,
            encoding: section.text("encoding", "gbk")?,
            redact: section.texts("redact")?,
        };
        if job.command.is_empty() {
            return Err(
                section.complain("has no command; each needs one, as command = [\"make\", \"deploy\"]")
            );
        }
        section.finish(&ELSEWHERE)?;
        Ok(job)
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
        let file = File::parse("w.toml", text).unwrap();
        assert_eq!(file.server.port, Some(Given { by: "w.toml, line 2: port =".to_owned(), value: 80 }));
        let redact: Vec<_> = file.logs[0].redact.iter().map(|g| format!("{} {}", g.by, g.value)).collect();
        assert_eq!(redact, ["w.toml, line 7: redact = x+", "w.toml, line 8: redact = y"]);
        assert_eq!(file.logs[1].path.by, "w.toml, line 11: path =");
    }

    /// What is said of a file that is wrong.
    fn complaint(text: &str) -> String {
        File::parse("w.toml", text).map(|_| ()).expect_err(text)
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
                "line 2: port = 70000: this is a whole number; a whole number from 0 to 65535 is wanted, as port = 8080",
            ),
            (
                "[limits]\nmax_connections = 0\n",
                "line 2: max_connections = 0: this is a whole number; a whole number from 1 on is wanted, as max_connections = 10000",
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
            ("[server]\nporto = 80\n", "line 2: [server] has no key \"porto\"; port is meant, perhaps"),
            (
                "[limits]\ncolour = 80\n",
                "line 2: [limits] has no key \"colour\"; it has max_connections, max_per_address",
            ),
            (
                "[server]\nmax_connections = 80\n",
                "line 2: \"max_connections\" is no key of [server]; it belongs to [limits]",
            ),
            ("port = 80\n", "line 1: \"port\" belongs below [server]"),
            ("\n[servers]\n", "line 2: there is no table \"servers\"; server is meant, perhaps"),
            ("[x]\n", "line 1: there is no table \"x\"; there are [server], [limits], [[log]] and [[job]]"),
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
    fn every_shortened_file_is_an_error_or_says_less() {
        let text = "[server]\nport = 80\nhost = \"\u{65e5}\"\n[[log]]\npath = 'a'\nredact = ['x']\n";
        for (len, _) in text.char_indices() {
            if let Err(complaint) = File::parse("w.toml", &text[..len]) {
                assert!(complaint.starts_with("w.toml, line "), "{complaint}");
            }
        }
    }
}
