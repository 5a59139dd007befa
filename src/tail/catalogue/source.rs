//! What a `SOURCE` on the command line means, decided once.
//!
//! Knows how sources are written. What they find, now and later, is `catalogue`'s and `scan`'s.

use std::ffi::OsString;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use glob::Pattern;

use super::names::parts;
use crate::tail::Lens;

/// Where logs come from: a file, a folder, a pattern, or standard input; perhaps with a name given to it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name in `NAME=PATH`.
    pub(super) name: Option<String>,
    /// Further names of the one log that it is.
    pub(super) aliases: Vec<String>,
    pub(super) place: Place,
    /// Of a folder: whether the files of the folders in it are meant as well.
    pub(super) recursive: bool,
    /// The group its logs are shown in, if one was given.
    pub(super) group: Option<String>,
    /// How its logs are read.
    pub(super) lens: Rc<Lens>,
}

/// Where a source points. Paths are absolute, so that the working folder may change.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// `-`
    Stdin,
    /// One file, or a folder if that is what turns out to be there.
    Path(PathBuf),
    /// The file that a job's output goes into, whatever turns out to be there.
    Job(PathBuf),
    /// One file that visitors may write into, whatever turns out to be there.
    Room(PathBuf),
    /// Certainly a folder: it is one, or its path ends in a slash.
    Folder(PathBuf),
    /// A pattern: the folder its first special part is looked for in, and the parts from there.
    Glob(PathBuf, Vec<Step>),
}

/// One part of a pattern, between two slashes.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Exactly this name.
    Literal(OsString),
    /// Any name that matches.
    Match(Pattern),
    /// `**`: this folder and all folders below it.
    AnyDepth,
}

impl Source {
    /// Understands one argument. Looks whether the paths in it exist, and at nothing else.
    ///
    /// Where an argument could mean two things, the first of these that fits is meant:
    ///
    /// 1. `-` is standard input;
    /// 2. a path that exists is that file or folder, even if it contains `=` or `*`;
    /// 3. with a `=` in it, and not beginning like a path (`/`, `./`, `../`), it is `NAME=` and one of these;
    /// 4. with `*`, `?` or `[` in it, it is a pattern;
    /// 5. otherwise it is a path that does not exist yet, and is waited for.
    pub fn parse(given: &str) -> Result<Self, SourceError> {
        let error = |fault| SourceError { given: given.to_owned(), fault };
        if given == "-" || Path::new(given).exists() || looks_like_path(given) {
            return Ok(Self::at(None, Place::parse(given).map_err(error)?));
        }
        match given.split_once('=') {
            Some((name, place)) => {
                check_name(name).map_err(error)?;
                Ok(Self::at(Some(name), Place::parse(place).map_err(error)?))
            }
            None => Ok(Self::at(None, Place::parse(given).map_err(error)?)),
        }
    }

    /// The file or folder at `path`, named outright: `NAME=PATH` for those who have both at hand.
    pub fn named(name: &str, path: &Path) -> Result<Self, SourceError> {
        let error = |fault| SourceError { given: format!("{name}={}", path.display()), fault };
        check_name(name).map_err(error)?;
        let place = Place::Path(absolute(path).map_err(error)?);
        Ok(Self::at(Some(name), place))
    }

    /// The log of the job of this name, in the file at `path`.
    ///
    /// # Errors
    /// If the name is none that a log may have.
    pub fn job(name: &str, path: &Path) -> Result<Self, SourceError> {
        let source = Self::named(name, path)?;
        Ok(match source.place {
            Place::Path(path) => Self { place: Place::Job(path), ..source },
            _ => source,
        })
    }

    fn at(name: Option<&str>, place: Place) -> Self {
        let name = name.map(str::to_owned);
        Self { name, aliases: Vec::new(), place, recursive: false, group: None, lens: Rc::default() }
    }

    /// The same place, by a name and in a group if they are given, read through `lens`.
    ///
    /// # Errors
    /// If the name is none that a log may have.
    pub fn with(self, name: Option<&str>, group: Option<&str>, lens: Rc<Lens>) -> Result<Self, SourceError> {
        if let Some(name) = name {
            let given = name.to_owned();
            check_name(name).map_err(|fault| SourceError { given, fault })?;
        }
        let name = name.map(str::to_owned).or(self.name);
        Ok(Self { name, group: group.map(str::to_owned).or(self.group), lens, ..self })
    }

    /// The same folder with all folders in it, sixteen deep; links to folders are not followed.
    ///
    /// # Errors
    /// If it is certainly no folder.
    pub fn recursive(self) -> Result<Self, SourceError> {
        match &self.place {
            Place::Folder(_) => {}
            Place::Path(path) if !path.exists() => {}
            Place::Path(path) | Place::Job(path) | Place::Room(path) => {
                return Err(SourceError::not_recursive(&path.to_string_lossy()));
            }
            Place::Stdin => return Err(SourceError::not_recursive("-")),
            Place::Glob(folder, _) => return Err(SourceError::not_recursive(&folder.to_string_lossy())),
        }
        Ok(Self { recursive: true, ..self })
    }

    /// The same, if it is a folder with the folders in it: how a word for all sources is meant.
    pub fn recursive_if_folder(self) -> Self {
        Self { recursive: matches!(self.place, Place::Folder(_) | Place::Path(_)), ..self }
    }

    /// The same log, that goes by further names as well.
    ///
    /// # Errors
    /// If one of them is none that a log may have, or it has no name of its own and so may be many logs.
    pub fn aliased(self, aliases: &[String]) -> Result<Self, SourceError> {
        for alias in aliases {
            check_name(alias).map_err(|fault| SourceError { given: alias.clone(), fault })?;
        }
        let one = self.name.is_some() && (self.is_stdin() || self.is_one_file());
        match aliases.first() {
            Some(alias) if !one => Err(SourceError { given: alias.clone(), fault: Fault::Alias }),
            _ => Ok(Self { aliases: aliases.to_vec(), ..self }),
        }
    }

    /// A path or a pattern, or `-`, and nothing else: a `=` belongs to it.
    ///
    /// # Errors
    /// If it names no path.
    pub fn of_path(given: &str) -> Result<Self, SourceError> {
        let place = Place::parse(given).map_err(|fault| SourceError { given: given.to_owned(), fault })?;
        Ok(Self::at(None, place))
    }

    /// The same file as one that visitors may write into. It has a name of its own, that of the file unless another was
    /// given: other sources that find the file list it once more, as one that can only be read.
    ///
    /// # Errors
    /// If it is anything but one file.
    pub fn into_room(self) -> Result<Self, SourceError> {
        let Place::Path(path) = self.place else {
            let given = self.name.unwrap_or_default();
            return Err(SourceError { given, fault: Fault::NoRoom });
        };
        let name = self.name.or_else(|| parts(&path).pop());
        Ok(Self { name, place: Place::Room(path), ..self })
    }

    /// The names that are given to it, which no other may have; `-` for standard input.
    pub fn given_names(&self) -> impl Iterator<Item = &str> {
        let stdin = self.is_stdin().then_some("-");
        self.name.iter().chain(&self.aliases).map(String::as_str).chain(stdin)
    }

    /// Whether this is standard input, which somebody has to spool (see
    /// [`StdinSpool`](crate::tail::spool::StdinSpool)).
    pub fn is_stdin(&self) -> bool {
        matches!(self.place, Place::Stdin)
    }

    /// Whether it is one file, there or not, that was named as such.
    pub fn is_one_file(&self) -> bool {
        matches!(self.place, Place::Path(_) | Place::Room(_))
    }

    /// Whether there is nothing to read yet: for a word of warning at the start. A pattern is never missing.
    pub fn is_missing(&self) -> bool {
        match &self.place {
            Place::Path(path) | Place::Room(path) | Place::Folder(path) => !path.exists(),
            Place::Stdin | Place::Job(_) | Place::Glob(..) => false,
        }
    }
}

impl Place {
    fn parse(given: &str) -> Result<Self, Fault> {
        if given.is_empty() {
            return Err(Fault::NoPath);
        }
        if given == "-" {
            return Ok(Self::Stdin);
        }
        let path = absolute(Path::new(given))?;
        if path.is_dir() {
            return Ok(Self::Folder(path));
        }
        if path.exists() {
            return Ok(Self::Path(path));
        }
        if given == "~" || given.starts_with("~/") {
            return Err(Fault::Tilde);
        }
        if given.contains(is_special) {
            return Self::parse_pattern(&path);
        }
        Ok(if given.ends_with('/') { Self::Folder(path) } else { Self::Path(path) })
    }

    fn parse_pattern(path: &Path) -> Result<Self, Fault> {
        let mut root = PathBuf::new();
        let mut steps = Vec::new();
        for part in path.components() {
            let text = part.as_os_str().to_string_lossy();
            match part {
                Component::ParentDir if !steps.is_empty() => return Err(Fault::ParentInPattern),
                _ if text == "**" => {
                    // `**/**` says nothing that `**` does not.
                    if !matches!(steps.last(), Some(Step::AnyDepth)) {
                        steps.push(Step::AnyDepth);
                    }
                }
                _ if text.contains(is_special) => {
                    steps.push(Step::Match(Pattern::new(&text).map_err(Fault::Pattern)?));
                }
                _ if steps.is_empty() => root.push(part),
                _ => steps.push(Step::Literal(part.as_os_str().to_owned())),
            }
        }
        // `logs/**` means the files in all these folders; as it stands it would mean the folders.
        if let Some(Step::AnyDepth) = steps.last() {
            steps.push(Step::any_name());
        }
        Ok(Self::Glob(root, steps))
    }
}

impl Step {
    /// `*`
    pub(super) fn any_name() -> Self {
        Self::Match(Pattern::new("*").expect("a single star is a pattern"))
    }
}

/// The characters that make a path a pattern.
fn is_special(c: char) -> bool {
    matches!(c, '*' | '?' | '[')
}

/// No name begins like this, so a `=` behind it belongs to the path.
fn looks_like_path(given: &str) -> bool {
    ["/", "./", "../"].iter().any(|start| given.starts_with(start))
}

fn absolute(path: &Path) -> Result<PathBuf, Fault> {
    // Fails only where there is no working folder, or the path is empty.
    std::path::absolute(path).map_err(|_| Fault::NoPath)
}

/// Names stand in addresses, part by part between slashes, and browsers take `.` and `..` there for steps.
fn check_name(name: &str) -> Result<(), Fault> {
    let fine = name.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if fine && !name.contains(char::is_control) { Ok(()) } else { Err(Fault::Name(name.to_owned())) }
}

/// An argument that cannot be understood, and why.
#[derive(Debug)]
pub struct SourceError {
    given: String,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    NoPath,
    Name(String),
    Tilde,
    Pattern(glob::PatternError),
    ParentInPattern,
    Twice,
    NotRecursive,
    Alias,
    NoRoom,
}

impl SourceError {
    /// A name, or `-`, that more than one source has.
    pub(super) fn twice(given: &str) -> Self {
        Self { given: given.to_owned(), fault: Fault::Twice }
    }

    /// Something that has no folders in it.
    fn not_recursive(given: &str) -> Self {
        Self { given: given.to_owned(), fault: Fault::NotRecursive }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // {:?}: the argument may hold characters that a terminal would obey.
        let given = &self.given;
        match &self.fault {
            Fault::NoPath => {
                write!(
                    f,
                    "source {given:?} names no path; give a file, a folder, a quoted pattern, NAME=PATH or -"
                )
            }
            Fault::Name(name) => write!(
                f,
                "source {given:?}: {name:?} cannot be a log's name; a name is not empty, has no slash at its ends, \
                 no '.' or '..' between slashes and no control characters. If a file is meant whose name contains \
                 '=', write {:?}",
                format!("./{given}")
            ),
            Fault::Tilde => {
                write!(f, "source {given:?}: inside quotes the shell leaves ~ as it is; write $HOME")
            }
            Fault::Pattern(error) => write!(
                f,
                "source {given:?} is not a pattern: {} at character {}; * ? [abc] and ** are understood, and [*] \
                 stands for a star",
                error.msg,
                error.pos + 1
            ),
            Fault::ParentInPattern => {
                write!(f, "source {given:?}: '..' may not come after * ? or [; write the path without it")
            }
            Fault::NotRecursive => {
                write!(
                    f,
                    "{given:?} is no folder that could be gone through; in a pattern, ** stands for all folders"
                )
            }
            Fault::Alias => {
                write!(
                    f,
                    "{given:?} would be a further name of one file; give that file a name of its own as well"
                )
            }
            Fault::NoRoom => {
                f.write_str("only one file can be written into, no folder, no pattern and not standard input")
            }
            Fault::Twice => write!(f, "{given:?} is given twice; give each name, and standard input, once"),
        }
    }
}

impl std::error::Error for SourceError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Where `given` points, in short: `file PATH`, `folder PATH`, `glob ROOT + STEP STEP`, with `NAME:` in
    /// front.
    fn meaning(given: &str) -> String {
        let source = Source::parse(given).unwrap();
        let place = match &source.place {
            Place::Stdin => "stdin".to_owned(),
            Place::Path(path) | Place::Job(path) => format!("file {}", path.display()),
            Place::Room(path) => format!("room {}", path.display()),
            Place::Folder(path) => format!("folder {}", path.display()),
            Place::Glob(root, steps) => {
                let steps = steps.iter().map(|step| match step {
                    Step::Literal(name) => name.to_string_lossy().into_owned(),
                    Step::Match(pattern) => format!("<{pattern}>"),
                    Step::AnyDepth => "<**>".to_owned(),
                });
                format!("glob {} + {}", root.display(), steps.collect::<Vec<_>>().join(" "))
            }
        };
        source.name.map_or(place.clone(), |name| format!("{name}: {place}"))
    }

    fn complaint(given: &str) -> String {
        Source::parse(given).expect_err(given).to_string()
    }

    #[test]
    fn what_is_written_is_what_is_meant() {
        assert_eq!(meaning("-"), "stdin");
        assert_eq!(meaning("/no/such/app.log"), "file /no/such/app.log");
        assert_eq!(meaning("/no/such/folder/"), "folder /no/such/folder/");
        assert_eq!(meaning("/usr"), "folder /usr");
        assert_eq!(meaning("shop=/no/such.log"), "shop: file /no/such.log");
        assert_eq!(meaning("web/shop=/usr"), "web/shop: folder /usr");
        assert_eq!(meaning("build=-"), "build: stdin");
        assert_eq!(meaning("in=/logs/*.log"), "in: glob /logs + <*.log>");
        let here = std::env::current_dir().unwrap();
        assert_eq!(meaning("no-such.log"), format!("file {}", here.join("no-such.log").display()));
    }

    #[test]
    fn a_pattern_begins_behind_its_literal_folders() {
        assert_eq!(meaning("/srv/*/logs/app-?.log"), "glob /srv + <*> logs <app-?.log>");
        assert_eq!(meaning("/srv/**"), "glob /srv + <**> <*>");
        assert_eq!(meaning("/srv/**/**/[ab].log"), "glob /srv + <**> <[ab].log>");
        assert_eq!(meaning("/a/../b/*.log"), "glob /a/../b + <*.log>");
    }

    #[test]
    fn a_room_is_one_file_with_a_name_of_its_own() {
        let room = |given: &str| Source::parse(given).unwrap().into_room();
        let source = room("/no/such/room.log").unwrap();
        assert_eq!(source.name.as_deref(), Some("room.log"));
        assert!(matches!(source.place, Place::Room(path) if path == Path::new("/no/such/room.log")));
        assert_eq!(room("chat=/no/such/room.log").unwrap().name.as_deref(), Some("chat"));
        for bad in ["-", "/usr", "/no/such/", "/logs/*.log", "chat=/usr"] {
            let complaint = room(bad).unwrap_err().to_string();
            assert!(complaint.starts_with("only one file can be written into"), "{bad}: {complaint}");
        }
    }

    #[test]
    fn a_path_that_exists_wins_over_what_it_looks_like() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a=b.log", "*.log", "[1].log"] {
            let path = folder.path().join(name).display().to_string();
            fs::write(&path, "").unwrap();
            assert_eq!(meaning(&path), format!("file {path}"));
            assert_eq!(meaning(&format!("named={path}")), format!("named: file {path}"));
        }
    }

    #[test]
    fn what_begins_like_a_path_has_no_name_in_it() {
        assert_eq!(meaning("/no/such/a=b.log"), "file /no/such/a=b.log");
        assert!(meaning("./a=b.log").ends_with("/a=b.log"));
        assert!(meaning("./a=b.log").starts_with("file "));
    }

    #[test]
    fn a_name_may_be_written_in_an_address() {
        for name in ["", "/", "a/", "a//b", ".", "..", "a/../b", "a\nb", "a\u{7f}"] {
            if name.starts_with('/') {
                continue; // begins like a path
            }
            let complaint = complaint(&format!("{name}=/usr"));
            assert!(complaint.contains("cannot be a log's name"), "{name:?}: {complaint}");
            assert!(!complaint.contains('\n'), "{complaint:?}");
        }
        assert_eq!(meaning("日志 1=/usr"), "日志 1: folder /usr");
    }

    #[test]
    fn a_complaint_names_the_argument_and_says_what_would_work() {
        assert!(complaint("").contains("give a file, a folder, a quoted pattern, NAME=PATH or -"));
        assert!(complaint("shop=").starts_with("source \"shop=\" names no path"));
        assert!(complaint("~/logs/*.log").contains("write $HOME"));
        assert!(complaint("/logs/[a").contains("source \"/logs/[a\" is not a pattern"));
        assert!(complaint("/logs/*/../x").contains("'..' may not come after"));
    }
}
