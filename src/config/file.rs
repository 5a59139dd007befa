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
//! Knows the keys and their types; unknown keys are errors. What the values mean is for those to check who use them,
//! so each comes as a [`Given`], which says where it was given.

use serde::Deserialize;
use toml::Spanned;

/// A value, and where it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given<T> {
    /// What a complaint about it begins with: `--port`, or `wiretail.toml, line 3: port =`.
    pub by: String,
    /// The value.
    pub value: T,
}

/// Everything that a configuration file says.
#[derive(Debug, Default)]
pub struct File {
    /// `[server]`
    pub server: Server,
    /// Each `[[log]]`, in order.
    pub logs: Vec<Log>,
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
    pub lines: Option<Given<usize>>,
    pub tick: Option<Given<String>>,
    pub no_inotify: bool,
    pub no_lessons: bool,
    pub max_connections: Option<Given<u64>>,
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    server: RawServer,
    #[serde(default)]
    log: Vec<RawLog>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawServer {
    port: Option<Spanned<u16>>,
    host: Option<Spanned<String>>,
    open_to_network: bool,
    allow_host: Vec<Spanned<String>>,
    allow_origin: Vec<Spanned<String>>,
    base: Option<Spanned<String>>,
    lines: Option<Spanned<usize>>,
    tick: Option<Spanned<String>>,
    no_inotify: bool,
    no_lessons: bool,
    max_connections: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLog {
    path: Spanned<String>,
    name: Option<Spanned<String>>,
    #[serde(default)]
    aliases: Vec<Spanned<String>>,
    recursive: Option<Spanned<bool>>,
    group: Option<Spanned<String>>,
    encoding: Option<Spanned<String>>,
    #[serde(default)]
    redact: Vec<Spanned<String>>,
}

impl File {
    /// Understands `text`, which stands in the file called `name`.
    ///
    /// # Errors
    /// A sentence that names the file, the line, and what is wrong there.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let raw: RawFile = toml::from_str(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            let said = text.lines().nth(line - 1).unwrap_or_default().trim();
            let why = error.message().replace('\n', "; ");
            format!("{name}, line {line}: {why}, in {said:?}")
        })?;
        let place = Place { name, text };
        let RawServer { open_to_network, no_inotify, no_lessons, .. } = raw.server;
        let server = Server {
            port: place.one("port", raw.server.port),
            host: place.one("host", raw.server.host),
            open_to_network,
            allow_host: place.all("allow_host", raw.server.allow_host),
            allow_origin: place.all("allow_origin", raw.server.allow_origin),
            base: place.one("base", raw.server.base),
            lines: place.one("lines", raw.server.lines),
            tick: place.one("tick", raw.server.tick),
            no_inotify,
            no_lessons,
            max_connections: place.one("max_connections", raw.server.max_connections),
        };
        let log = |log: RawLog| Log {
            path: place.given("path", log.path),
            name: place.one("name", log.name),
            aliases: place.all("aliases", log.aliases),
            recursive: place.one("recursive", log.recursive),
            group: place.one("group", log.group),
            encoding: place.one("encoding", log.encoding),
            redact: place.all("redact", log.redact),
        };
        Ok(Self { server, logs: raw.log.into_iter().map(log).collect() })
    }
}

/// Where values stand.
struct Place<'a> {
    name: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn given<T>(&self, key: &str, value: Spanned<T>) -> Given<T> {
        let line = line_of(self.text, value.span().start);
        Given { by: format!("{}, line {line}: {key} =", self.name), value: value.into_inner() }
    }

    fn one<T>(&self, key: &str, value: Option<Spanned<T>>) -> Option<Given<T>> {
        value.map(|value| self.given(key, value))
    }

    fn all<T>(&self, key: &str, values: Vec<Spanned<T>>) -> Vec<Given<T>> {
        values.into_iter().map(|value| self.given(key, value)).collect()
    }
}

/// Counted from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
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

    #[test]
    fn what_is_unknown_or_of_the_wrong_kind_is_an_error_that_names_its_line() {
        for (text, line, word) in [
            ("[server]\nporto = 80\n", 2, "`porto`"),
            ("\n[servers]\n", 2, "`servers`"),
            ("[[log]]\nname = 'x'\n", 1, "`path`"),
            ("[server]\nport = 'x'\n", 2, "port"),
            ("[server]\nport = 70000\n", 2, "70000"),
            ("[[log]]\npath = 'a'\nredact = 'x'\n", 3, "redact"),
            ("[server\n", 1, "server"),
            ("[server]\nport = 1\nport = 2\n", 3, "port"),
        ] {
            let complaint = File::parse("w.toml", text).unwrap_err();
            assert!(complaint.starts_with(&format!("w.toml, line {line}: ")), "{text:?}: {complaint}");
            assert!(complaint.contains(word) && !complaint.contains('\n'), "{text:?}: {complaint}");
        }
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
