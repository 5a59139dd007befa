//! What lies beside a log in its folder: the files it was rotated to.
//!
//! ```text
//!   app.log.3  app.log.2  app.log.1  app.log        numbered: the higher, the older
//!   app.log-20261118  app.log-20261119  app.log     dated: the lower, the older
//!   app-20261118.log  app.2026-11-19.log            the same before the extension
//!   app.log.old  app.log.bak                        a single one
//!   app.log.2.gz  app-20261118.log.zst              each of them compressed
//! ```
//!
//! While a file is being compressed there are two of it; then the plain one counts.
//!
//! Does not open files and does not know what is in them: a name is only a hint where to look.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::tail::archive::unpack::Format;
use crate::tail::beneath::{Entry, OpenError, Root, Stat};
use crate::tail::holder::Holder;
use crate::tail::patience::Patience;

/// Entries of the folder that are read. A log in a folder with more finds fewer of its siblings, or none.
const MOST_ENTRIES: usize = 4096;

/// Siblings that are looked at, the youngest by name. What was rotated away longer ago is not found.
const MOST_SIBLINGS: usize = 64;

/// Of a name's first so many parts it is asked whether a log of that name would have the file for a sibling.
const MOST_PARTS: usize = 32;

/// Files that are compressed in ways that we do not read are no siblings.
const UNREADABLE: [&str; 6] = ["bz2", "xz", "lz4", "Z", "zip", "br"];

/// A file that may hold an earlier generation of the log.
#[derive(Clone, Debug)]
pub(crate) struct Sibling {
    /// Its path beneath the root.
    pub(crate) rel: PathBuf,
    /// What it was when it was listed.
    pub(crate) stat: Stat,
    /// How it is compressed, if it is.
    pub(crate) format: Option<Format>,
    age: Option<Age>,
}

impl Sibling {
    /// Which file it is.
    pub(crate) fn holder(&self) -> Holder {
        match self.format {
            None => Holder::plain(&self.stat),
            Some(_) => Holder::archive(&self.stat),
        }
    }

    /// True if its name says that the log was rotated to it. Others (`app.log.save`) may be a copy that somebody
    /// made; they are good for finding a generation again, but say nothing about what came after what.
    pub(crate) fn is_in_order(&self) -> bool {
        self.age.is_some()
    }
}

/// Those of `siblings` that hold what was written after `found`, itself one of them; oldest first.
pub(crate) fn younger_than(siblings: &[Sibling], found: usize) -> Vec<Sibling> {
    let later = |(at, sibling): &(usize, &Sibling)| match siblings[found].is_in_order() {
        true => *at > found,
        false => sibling.stat.modified > siblings[found].stat.modified,
    };
    let in_order = siblings.iter().enumerate().filter(|(_, sibling)| sibling.is_in_order());
    in_order.filter(later).map(|(_, sibling)| sibling.clone()).collect()
}

/// The siblings of the log at `rel`: first those whose name says nothing about their age, then the others, oldest first.
///
/// An error if one of them cannot be looked at for now, as then nobody can tell what came after what; or if the folder
/// cannot be listed. A folder that never may be listed has no siblings.
///
/// Bounded: reads [`MOST_ENTRIES`] names and asks about [`MOST_SIBLINGS`] files.
pub(crate) fn list(
    root: &Root,
    rel: &Path,
    patience: &Patience,
    now: Instant,
) -> Result<Vec<Sibling>, OpenError> {
    let folder = rel.parent().unwrap_or(Path::new(""));
    let Some(own) = rel.file_name() else {
        return Ok(Vec::new());
    };
    let listing = match root.list(folder, MOST_ENTRIES) {
        Err(error @ OpenError::Io(_)) => return Err(error),
        listed => patience.bear(folder, listed, now)?,
    };
    let Some(listing) = listing else {
        return Ok(Vec::new());
    };
    let mut named: Vec<Named<'_>> = Vec::new();
    for Entry { name, .. } in &listing.entries {
        let (format, stem) = match Format::of(name) {
            Some((format, stem)) => (Some(format), stem),
            None => (None, name.as_os_str()),
        };
        if let Some(rest) = beside(own.as_bytes(), stem.as_bytes()) {
            named.push(Named { age: Age::of(rest), stem, format, name });
        }
    }
    // Before any file is asked about: in the order of the names, which needs no system call. The plain one of two comes
    // first.
    named.sort_by(|a, b| (&a.age, a.stem, a.name.len()).cmp(&(&b.age, b.stem, b.name.len())));
    named.dedup_by(|a, b| a.stem == b.stem);
    let surplus = named.len().saturating_sub(MOST_SIBLINGS);
    let mut siblings = Vec::new();
    for Named { age, format, name, .. } in named.drain(surplus..) {
        let rel = folder.join(name);
        // One that is gone since, or is a folder, is no sibling. That it can be looked at does not mean that it can be read,
        // so only a failure is a matter of patience.
        let looked = match root.stat(&rel) {
            Ok(stat) => Some(stat),
            failed => patience.bear(&rel, failed, now)?,
        };
        siblings.extend(looked.map(|stat| Sibling { rel, stat, format, age }));
    }
    // Numbers cannot be compared with dates; where there are both, the time of the last change decides.
    let dates = siblings.iter().filter(|sibling| matches!(sibling.age, Some(Age::Date(_)))).count();
    let numbers = siblings.iter().filter(|sibling| matches!(sibling.age, Some(Age::Rotations(_)))).count();
    if dates > 0 && numbers > 0 {
        siblings.sort_by_key(|sibling| (sibling.is_in_order(), sibling.stat.modified));
    }
    Ok(siblings)
}

/// The names of all logs for which a file of this name would be a sibling. (Of logs whose names have more than
/// [`MOST_PARTS`] parts, between dots and dashes, it is not asked.)
pub(crate) fn owners(name: &OsStr) -> Vec<OsString> {
    let stem = Format::of(name).map_or(name, |(_, stem)| stem).as_bytes();
    let extension = stem.iter().rposition(|&byte| byte == b'.').map_or(&[][..], |dot| &stem[dot..]);
    let parts = (1..stem.len()).filter(|&at| matches!(stem[at], b'.' | b'-' | b'_')).take(MOST_PARTS);
    let mut owners = Vec::new();
    for own in parts.flat_map(|at| [stem[..at].to_vec(), [&stem[..at], extension].concat()]) {
        let own = OsString::from_vec(own);
        if beside(own.as_bytes(), stem).is_some() && !owners.contains(&own) {
            owners.push(own);
        }
    }
    owners
}

/// A name, before the file is asked about.
struct Named<'n> {
    age: Option<Age>,
    // Without what compressing has added.
    stem: &'n OsStr,
    format: Option<Format>,
    name: &'n OsStr,
}

/// What the name has more than the log's own, if it can be a sibling's.
fn beside<'n>(own: &[u8], name: &'n [u8]) -> Option<&'n OsStr> {
    name.strip_prefix(own).and_then(added).or_else(|| {
        let dot = own.iter().rposition(|&byte| byte == b'.').filter(|&dot| dot > 0)?;
        let rest = name.strip_prefix(&own[..dot])?.strip_suffix(&own[dot..])?;
        // `app-errors.log` is another log; `app-20261118.log` is ours.
        Age::of(OsStr::from_bytes(rest)).and_then(|_| added(rest))
    })
}

/// What follows the mark, of something that a rotation may add to a name.
fn added(rest: &[u8]) -> Option<&OsStr> {
    let (first, rest) = rest.split_first()?;
    let rest = OsStr::from_bytes(rest);
    let unreadable = Path::new("x")
        .join(rest)
        .extension()
        .or(Some(rest))
        .is_some_and(|extension| UNREADABLE.iter().any(|unreadable| extension == OsStr::new(unreadable)));
    (matches!(first, b'.' | b'-' | b'_') && !rest.is_empty() && !unreadable).then_some(rest)
}

/// What a name says about how old the file is; the oldest is the least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// `.1`: how many rotations ago, as what is below zero orders rightly.
    Rotations(i64),
    /// `-20261118`, `.2026-11-18_12`: the numbers in it.
    Date(Vec<u64>),
}

impl Age {
    fn of(rest: &OsStr) -> Option<Self> {
        let rest = rest.to_str()?;
        if ["old", "bak", "prev"].contains(&rest) {
            return Some(Self::Rotations(-1));
        }
        // "T" and "Z" as in 20261118T0930Z.
        let mark = |c: char| matches!(c, '-' | '_' | '.' | ':' | 'T' | 'Z');
        let numbers = rest.split(mark).filter(|part| !part.is_empty()).map(|part| {
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { part.parse().ok() } else { None }
        });
        match numbers.collect::<Option<Vec<u64>>>()?[..] {
            [] => None,
            // Nobody keeps a million; dates and times have more digits.
            [number] if number < 1_000_000 => {
                i64::try_from(number).ok().map(|number| Self::Rotations(-number))
            }
            ref numbers => Some(Self::Date(numbers.to_vec())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;
    use std::time::{Duration, SystemTime};

    /// The siblings of `own` among `names`, whose files were changed in the order given.
    fn siblings(own: &str, names: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (i, name) in names.iter().enumerate() {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(start + Duration::from_secs(i as u64)).unwrap();
        }
        let root = Root::open(folder.path()).unwrap();
        let found = list(&root, Path::new(own), &Patience::default(), Instant::now()).unwrap();
        found.iter().map(|sibling| sibling.rel.to_str().unwrap().to_owned()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_a_rotation_names_is_found_in_its_order_whatever_else_there_is(
            own in prop::sample::select(vec!["app.log", "app", "a.b-c.log", ".hidden", "app.log.1", "日志.log"]),
            ages in prop::collection::btree_map(1..2000_u32, 0..3_usize, 0..12),
            (dated, before_extension) in any::<(bool, bool)>(),
            others in prop::collection::vec("[a-z0-9_-][a-z0-9._-]{0,11}", 0..12),
        ) {
            // The oldest first: of dates the lowest, of numbers the highest.
            let dot = own.rfind('.').filter(|&dot| dot > 0 && before_extension).unwrap_or(own.len());
            let named = |(age, packed): (&u32, &usize)| {
                let age = if dated { format!("-2026{age:04}") } else { format!(".{age}") };
                format!("{}{age}{}{}", &own[..dot], &own[dot..], ["", ".gz", ".zst"][*packed])
            };
            let mut names: Vec<String> = ages.iter().map(named).collect();
            if !dated {
                names.reverse();
            }
            // Whose names say that they are something else.
            let is_other = |name: &&String| !name.starts_with(&own[..dot]) && name.as_str() != own;
            let all: Vec<&str> = names.iter().chain(others.iter().filter(is_other)).map(String::as_str).collect();
            prop_assert_eq!(siblings(own, &[&all[..], &[own]].concat()), names);
        }

        #[test]
        fn any_name_is_read(name in prop::collection::vec(1..=255_u8, 1..20), own in prop::collection::vec(1..=255_u8, 1..8)) {
            let joined = [&own[..], b".", &name].concat();
            for other in [&name, &joined] {
                let (_, stem) = Format::of(OsStr::from_bytes(other)).unzip();
                let rest = beside(&own, stem.unwrap_or(OsStr::from_bytes(other)).as_bytes());
                prop_assert!(rest.is_none_or(|rest| !rest.is_empty()));
                let _ = rest.and_then(Age::of);
            }
        }
    }

    #[test]
    fn numbered_ones_are_older_the_higher_whenever_they_were_written() {
        let names = ["app.log.1", "app.log.10", "app.log.2", "app.log"];
        assert_eq!(siblings("app.log", &names), ["app.log.10", "app.log.2", "app.log.1"]);
    }

    #[test]
    fn dated_ones_are_older_the_lower_whenever_they_were_written() {
        let names = ["app.log-20261120", "app.log-20261119", "app.log"];
        assert_eq!(siblings("app.log", &names), ["app.log-20261119", "app.log-20261120"]);
        let names = ["app.2026-11-20_12.log", "app.2026-11-20_9.log", "app.log"];
        assert_eq!(siblings("app.log", &names), ["app.2026-11-20_9.log", "app.2026-11-20_12.log"]);
    }

    #[test]
    fn where_names_cannot_be_compared_the_time_decides() {
        let names = ["app.log.2", "app.log-20261119", "app.log.save", "app.log.1"];
        let sorted = ["app.log.save", "app.log.2", "app.log-20261119", "app.log.1"];
        assert_eq!(siblings("app.log", &names), sorted);
    }

    #[test]
    fn other_logs_and_files_that_we_cannot_unpack_are_no_siblings() {
        let names = [
            "app.log",
            "app-errors.log",
            "app.logs",
            "app2.log",
            "app.log.1.bz2",
            "app.log.gz",
            "app.log.xz",
            "my-app.log.1",
        ];
        assert!(siblings("app.log", &names).is_empty());
        assert_eq!(siblings("app", &["app.1", "app-errors", "application"]), ["app-errors", "app.1"]);
    }

    #[test]
    fn compressed_ones_stand_where_they_stood_before_and_beside_the_plain_one_they_do_not_count() {
        let names =
            ["app.log.3.gz", "app.log.2.zst", "app.log.1.gz", "app.log.1", "app.log.10.gz", "app.log"];
        let sorted = ["app.log.10.gz", "app.log.3.gz", "app.log.2.zst", "app.log.1"];
        assert_eq!(siblings("app.log", &names), sorted);
        let names = ["app-20261120.log.gz", "app.log-20261119.gz", "app.log.old.gz", "app.log"];
        assert_eq!(siblings("app.log", &names[..2]), ["app.log-20261119.gz", "app-20261120.log.gz"]);
        assert_eq!(siblings("app.log", &names[2..]), ["app.log.old.gz"]);
    }

    #[test]
    fn the_owners_of_a_name_are_those_who_find_it_beside_them() {
        let names = [
            "app",
            "app.log",
            "app.log.1",
            "app.log.1.gz",
            "app.log.save",
            "app-1.log",
            "app-20261118.log.zst",
            "app.2026-11-18_12.log",
            "app-errors.log",
            "app_1",
            "日志.log",
            "日志-20261118.log",
            ".app.log",
            "a..b",
            "app.log-",
            "app.log.1.bz2",
            "-",
            "",
        ];
        for name in names {
            let stem = Format::of(OsStr::new(name)).map_or(OsStr::new(name), |(_, stem)| stem);
            let owners = owners(OsStr::new(name));
            for own in names.iter().filter(|own| !own.is_empty()) {
                let finds = beside(own.as_bytes(), stem.as_bytes()).is_some();
                assert_eq!(owners.iter().any(|owner| owner == own), finds, "{name} beside {own}");
            }
        }
        assert_eq!(super::owners(OsStr::new("app.log.save")), ["app", "app.log"]);
        assert!(super::owners(OsStr::new(&"-".repeat(255))).len() <= 2 * MOST_PARTS);
    }

    #[test]
    fn only_names_that_rotation_makes_say_what_came_after_what() {
        let ordered = ["1", "20261118", "2026-11-18.3", "20261118T093000Z", "old"];
        let unordered = ["lock", "swp", "save", "1a", "", "-", "x20261118"];
        assert!(ordered.iter().all(|rest| Age::of(OsStr::new(rest)).is_some()));
        assert!(unordered.iter().all(|rest| Age::of(OsStr::new(rest)).is_none()));
    }

    #[test]
    fn of_too_many_the_youngest_are_looked_at() {
        let names: Vec<String> = (1..=MOST_SIBLINGS + 5).map(|i| format!("app.log.{i}")).collect();
        let found = siblings("app.log", &names.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found.len(), MOST_SIBLINGS);
        assert_eq!(found.last().unwrap(), "app.log.1");
    }
}
