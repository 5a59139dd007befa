//! What is listed, by what name, and what becomes of it from look to look.

mod anew;

use super::*;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use tempfile::TempDir;

use crate::tail::Lens;
use crate::tail::cursor::Seal;
use crate::tail::disk::{Fault, Faults};

/// A catalogue of sources in a temporary folder, and the time.
struct Shelf {
    folder: TempDir,
    catalogue: Option<Catalogue>,
    now: Instant,
}

impl Shelf {
    fn with(files: &[&str]) -> Self {
        let shelf = Self { folder: tempfile::tempdir().unwrap(), catalogue: None, now: Instant::now() };
        files.iter().for_each(|file| shelf.write(file));
        shelf
    }

    fn path(&self, rel: &str) -> PathBuf {
        self.folder.path().join(rel)
    }

    fn write(&self, rel: impl AsRef<Path>) {
        let path = self.folder.path().join(rel);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "text").unwrap();
    }

    /// Opens the catalogue; `@` stands for the temporary folder.
    fn open(&mut self, sources: &[&str]) -> Result<(), SourceError> {
        let place = self.folder.path().to_str().unwrap();
        let sources = sources.iter().map(|source| Source::parse(&source.replace('@', place)));
        let sources = sources.collect::<Result<_, _>>()?;
        self.catalogue = {
            let stdin = self.path("spool/stdin.log");
            Some(Catalogue::new(Disk::default(), sources, Some(&stdin), self.now)?)
        };
        Ok(())
    }

    fn catalogue(&mut self) -> &mut Catalogue {
        self.catalogue.as_mut().unwrap()
    }

    fn opened(files: &[&str], sources: &[&str]) -> Self {
        let mut shelf = Self::with(files);
        shelf.open(sources).unwrap();
        shelf
    }

    /// Goes on by `time`, and looks if it is time to. True if that has changed the list.
    fn later(&mut self, time: Duration) -> bool {
        let_time_pass(self.folder.path());
        self.now += time;
        let (now, before) = (self.now, self.names());
        look(self.catalogue(), now);
        before != self.names()
    }

    fn names(&mut self) -> Vec<String> {
        self.catalogue().logs().map(|log| log.name.clone()).collect()
    }

    fn log(&mut self, name: &str) -> LogEntry {
        self.catalogue().find(name).unwrap_or_else(|| panic!("no {name}")).clone()
    }
}

/// A whole look, if it is time for one.
pub(crate) fn look(catalogue: &mut Catalogue, now: Instant) {
    while catalogue.work(now, true) <= now {}
}

/// Waits until the clock by which the file system of `folder` dates its changes has moved on: in the program there are two
/// seconds between two looks, in a test none.
pub(crate) fn let_time_pass(folder: &Path) {
    let file = tempfile::NamedTempFile::new_in(folder.parent().unwrap()).unwrap();
    let written = || {
        fs::write(file.path(), "x").unwrap();
        fs::metadata(file.path()).unwrap().modified().unwrap()
    };
    let first = written();
    while written() == first {}
}

#[test]
fn a_log_is_listed_as_soon_as_the_source_that_masks_it_has_seen_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    fs::write(&path, "text").unwrap();
    let faults = Faults::below(folder.path());
    faults.begin(Fault::Broken, 1, u64::MAX);
    let lens = Lens::new(None, &["secret".to_owned()], Seal::default()).unwrap();
    let source = |path: &Path| Source::parse(path.to_str().unwrap()).unwrap();
    let masking = source(&folder.path().join("*.log")).with(None, None, Rc::new(lens)).unwrap();
    let now = Instant::now();
    let sources = vec![masking, source(&path)];
    let mut catalogue = Catalogue::new(Disk::with(&faults), sources, None, now).unwrap();
    let masked = |catalogue: &Catalogue| catalogue.logs().map(|log| log.lens.redacts()).collect::<Vec<_>>();
    assert_eq!(
        masked(&catalogue),
        [false; 0],
        "the folder could not be read, and nothing is shown without its mask"
    );
    faults.end();
    look(&mut catalogue, now + RESCAN);
    assert_eq!(masked(&catalogue), [true]);
    // What is listed once stays so.
    faults.begin(Fault::Broken, 1, u64::MAX);
    look(&mut catalogue, now + 2 * RESCAN);
    assert_eq!(masked(&catalogue), [true]);
}

#[test]
fn names_are_short_and_differ() {
    let files = ["web/app.log", "web/access.log", "db/app.log", "more/app.log", "more/x.log"];
    assert_eq!(Shelf::opened(&files, &["@/web/app.log"]).names(), ["app.log"]);
    assert_eq!(
        Shelf::opened(&files, &["@/web/app.log", "@/db/app.log"]).names(),
        ["web/app.log", "db/app.log"]
    );
    assert_eq!(Shelf::opened(&files, &["@/web"]).names(), ["access.log", "app.log"]);
    // "Where sources collide, the folder's own name goes in front", of the names that collide.
    assert_eq!(
        Shelf::opened(&files, &["@/web", "@/more/"]).names(),
        ["access.log", "web/app.log", "more/app.log", "x.log"]
    );
    assert_eq!(
        Shelf::opened(&files, &["@/*/app.log"]).names(),
        ["db/app.log", "more/app.log", "web/app.log"]
    );
    assert_eq!(Shelf::opened(&files, &["@/*/ac*.log"]).names(), ["access.log"]);
}

#[test]
fn given_names_are_kept_outright() {
    let files = ["web/app.log", "web/eu/x.log", "stdin"];
    assert_eq!(Shelf::opened(&files, &["shop=@/web/app.log"]).names(), ["shop"]);
    assert_eq!(Shelf::opened(&files, &["shop=@/web"]).names(), ["shop/app.log"]);
    assert_eq!(Shelf::opened(&files, &["shop=@/web/**"]).names(), ["shop/app.log", "shop/eu/x.log"]);
    let mut shelf = Shelf::opened(&files, &["@/stdin", "-", "app.log=@/web/eu/x.log", "@/web/app.log"]);
    let folder = shelf.folder.path().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(
        shelf.names(),
        [format!("{folder}/stdin"), "stdin".into(), "app.log".into(), "web/app.log".into()]
    );
}

#[test]
fn groups_are_folders() {
    let files = ["web/app.log", "web/eu/x.log"];
    let mut shelf =
        Shelf::opened(&files, &["-", "@/web/app.log", "@/web/eu", "a/b=@/web/app.log", "c=@/web"]);
    let groups: Vec<_> = shelf.catalogue().logs().map(|log| format!("{}: {}", log.group, log.name)).collect();
    assert_eq!(groups, [": stdin", "eu: x.log", "a: a/b", "c: c/app.log"]);
}

#[test]
fn a_name_or_stdin_given_twice_is_an_error() {
    for sources in [&["a=/x", "a=/y"][..], &["-", "b=-"], &["-", "-"]] {
        let complaint = Shelf::with(&[]).open(sources).unwrap_err().to_string();
        assert!(complaint.contains("is given twice"), "{complaint}");
    }
}

#[test]
fn a_file_found_by_two_sources_is_listed_once_unless_named() {
    let files = ["web/app.log", "web/b.log"];
    assert_eq!(
        Shelf::opened(&files, &["@/web", "@/web/app.log", "@/web/*.log"]).names(),
        ["app.log", "b.log"]
    );
    assert_eq!(Shelf::opened(&files, &["@/web", "shop=@/web/app.log"]).names(), ["b.log", "shop"]);
    assert_eq!(Shelf::opened(&files, &["x=@/web/app.log", "y=@/web/app.log"]).names(), ["x", "y"]);
}

#[test]
fn a_folder_lists_regular_files_that_can_be_watched() {
    let files = [
        "app.log",
        "app.log.1",
        "app.log.2.gz",
        "app.log-20261120",
        "app-2026-11-20.log",
        "other.log.1",
        "worker-1.log",
        ".hidden",
        "dump.gz",
        "sub/x.log",
    ];
    assert_eq!(Shelf::opened(&files, &["@/"]).names(), ["app.log", "other.log.1", "worker-1.log"]);
    assert_eq!(Shelf::opened(&files, &["@/app*"]).names(), ["app.log"]);
    // The base of this one is not listed.
    assert_eq!(Shelf::opened(&files, &["@/app.log.*"]).names(), ["app.log.1"]);
    assert_eq!(Shelf::opened(&files, &["@/app.log.1", "@/app.log"]).names(), ["app.log.1", "app.log"]);
}

#[test]
fn new_files_are_found_and_names_stay() {
    let mut shelf = Shelf::opened(&["web/app.log"], &["@/*/*.log"]);
    assert_eq!(shelf.names(), ["app.log"]);
    shelf.write("db/app.log");
    assert!(!shelf.later(RESCAN / 2), "not yet looked at");
    assert!(shelf.later(RESCAN / 2));
    assert_eq!(shelf.names(), ["app.log", "db/app.log"], "who was first keeps the short name");
    assert!(!shelf.later(RESCAN), "nothing new");
}

#[test]
fn a_log_that_is_rotated_stays_listed_and_its_old_part_is_not() {
    let mut shelf = Shelf::opened(&["app.log"], &["@/"]);
    fs::rename(shelf.path("app.log"), shelf.path("app.log.1")).unwrap();
    assert!(!shelf.later(RESCAN));
    assert_eq!(shelf.names(), ["app.log"]);
    assert_eq!(shelf.log("app.log").state(), LogState::Missing);
    shelf.write("app.log");
    assert!(!shelf.later(RESCAN));
    assert!(matches!(shelf.log("app.log").state(), LogState::Ok { size: 4, .. }));
}

#[test]
fn an_old_part_leaves_the_list_when_its_log_appears() {
    let mut shelf = Shelf::opened(&["app.log.1"], &["@/"]);
    assert_eq!(shelf.names(), ["app.log.1"]);
    shelf.write("app.log");
    assert!(shelf.later(RESCAN));
    assert_eq!(shelf.names(), ["app.log"]);
}

#[test]
fn a_file_that_is_gone_for_good_leaves_the_list() {
    let mut shelf = Shelf::opened(&["a.log", "b.log"], &["@/", "@/b.log"]);
    fs::remove_file(shelf.path("a.log")).unwrap();
    fs::remove_file(shelf.path("b.log")).unwrap();
    assert!(!shelf.later(RESCAN));
    assert!(!shelf.later(GRACE - RESCAN));
    assert_eq!(shelf.names(), ["a.log", "b.log"]);
    assert!(shelf.later(RESCAN));
    assert_eq!(shelf.names(), ["b.log"], "which was named, so it is waited for");
    assert!(shelf.catalogue().find("a.log").is_none());
}

#[test]
fn what_does_not_exist_yet_is_waited_for() {
    let mut shelf = Shelf::opened(&[], &["@/no/such/app.log", "@/later", "@/also/", "@/pat/*.log"]);
    assert_eq!(shelf.names(), ["app.log", "later"]);
    assert_eq!(shelf.log("app.log").state(), LogState::Missing);
    ["no/such/app.log", "later/in.log", "also/a.log", "pat/p.log"].iter().for_each(|file| shelf.write(file));
    assert!(shelf.later(RESCAN));
    assert!(matches!(shelf.log("app.log").state(), LogState::Ok { size: 4, .. }));
    for name in ["in.log", "a.log", "p.log"] {
        let log = shelf.log(name);
        let mut text = String::new();
        fs::File::from(log.root.open_file(&log.rel).unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "text", "{name}");
    }
}

#[test]
fn a_name_that_is_not_utf8_is_shown_lossily_and_opened_exactly() {
    let shelf_file = Path::new(OsStr::from_bytes(b"caf\xe9.log"));
    let mut shelf = Shelf::with(&[]);
    shelf.write(shelf_file);
    shelf.write("line\nbreak.log");
    shelf.open(&["@/"]).unwrap();
    assert_eq!(shelf.names(), ["caf\u{fffd}.log", "line\u{fffd}break.log"]);
    let log = shelf.log("caf\u{fffd}.log");
    assert_eq!(log.rel, shelf_file);
    assert!(log.root.open_file(&log.rel).is_ok());
}

#[test]
fn standard_input_is_a_log_in_its_spool() {
    let mut shelf = Shelf::opened(&["spool/stdin.log"], &["-"]);
    let log = shelf.log("stdin");
    assert_eq!(log.kind, LogKind::Stdin);
    assert!(matches!(log.state(), LogState::Ok { size: 4, .. }));
    assert_eq!(Shelf::opened(&[], &["build=-"]).names(), ["build"]);
}

#[test]
fn a_folder_is_gone_through_if_that_is_wanted_and_its_logs_are_named_and_grouped_by_the_way_to_them() {
    let mut shelf = Shelf::with(&["logs/a.log", "logs/eu/a.log", "logs/eu/x/deep.log", "logs/.git/a.log"]);
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.log"), "text").unwrap();
    std::os::unix::fs::symlink(outside.path(), shelf.path("logs/out")).unwrap();
    std::os::unix::fs::symlink("..", shelf.path("logs/eu/up")).unwrap();
    let source = Source::parse(shelf.path("logs").to_str().unwrap()).unwrap().recursive().unwrap();
    shelf.catalogue = Some(Catalogue::new(Disk::default(), vec![source], None, shelf.now).unwrap());
    let mut listed = || {
        let logs = shelf.catalogue().logs();
        logs.map(|log| format!("{} in {}", log.name, log.group)).collect::<Vec<_>>()
    };
    assert_eq!(listed(), ["a.log in logs", "eu/a.log in logs/eu", "eu/x/deep.log in logs/eu/x"]);
    shelf.write("logs/new/b.log");
    assert!(shelf.later(RESCAN));
    assert_eq!(shelf.log("new/b.log").group, "logs/new");
}

#[test]
fn what_cannot_be_gone_through_is_told() {
    for given in ["-", "/no/such/*.log", "/etc/passwd"] {
        let complaint = Source::parse(given).unwrap().recursive().unwrap_err().to_string();
        assert!(complaint.contains("is no folder"), "{complaint}");
    }
}

#[test]
fn a_log_goes_by_its_further_names_as_well_and_nothing_else_does() {
    let mut shelf = Shelf::with(&["app.log", "more/old"]);
    let source = |given: &str, aliases: &[&str]| {
        let aliases: Vec<String> = aliases.iter().map(|&alias| alias.to_owned()).collect();
        Source::parse(given).unwrap().aliased(&aliases)
    };
    let app = format!("shop={}", shelf.path("app.log").display());
    let more = shelf.path("more").display().to_string();
    let sources = vec![source(&more, &[]).unwrap(), source(&app, &["old", "web/shop"]).unwrap()];
    shelf.catalogue = Some(Catalogue::new(Disk::default(), sources, None, shelf.now).unwrap());
    let place = shelf.path("").file_name().unwrap().to_str().unwrap().to_owned();
    // A name that was given counts more than that of a file.
    assert_eq!(shelf.names(), ["more/old", "shop"], "in {place}");
    assert_eq!(shelf.log("shop").aliases, ["old", "web/shop"]);
    for alias in ["old", "web/shop"] {
        assert_eq!(shelf.log(alias).name, "shop");
    }
    assert!(shelf.catalogue().find("web").is_none());
    for (given, aliases) in [(&more, &["a"][..]), (&app, &["a/"]), (&app, &[".."])] {
        assert!(source(given, aliases).is_err(), "{given} {aliases:?}");
    }
    let twice = vec![source(&app, &["x"]).unwrap(), source("x=/y", &[]).unwrap()];
    assert!(Catalogue::new(Disk::default(), twice, None, shelf.now).is_err());
}

#[test]
fn the_version_grows_with_each_change_and_tells_what_has_changed_since() {
    let mut shelf = Shelf::opened(&["a.log", "b.log", "named/c.log"], &["@/", "@/named/c.log"]);
    let changes = |shelf: &mut Shelf, since: u64| {
        let page = shelf.catalogue().page(None, since, 100);
        let changed: Vec<String> = page.logs.iter().map(|log| log.name.clone()).collect();
        let removed = shelf.catalogue().removed_since(since).unwrap();
        let removed: Vec<&str> = removed.iter().map(|removed| removed.name.as_str()).collect();
        (changed.join(" "), removed.join(" "))
    };
    let first = shelf.catalogue().version();
    assert_eq!(changes(&mut shelf, 0).0, "a.log b.log c.log");
    for _ in 0..4 {
        shelf.later(RESCAN);
    }
    assert_eq!(shelf.catalogue().version(), first, "nothing has changed");
    shelf.write("new.log");
    fs::remove_file(shelf.path("a.log")).unwrap();
    fs::remove_file(shelf.path("named/c.log")).unwrap();
    shelf.later(RESCAN);
    assert_eq!(changes(&mut shelf, first), ("a.log new.log c.log".into(), String::new()));
    let second = shelf.catalogue().version();
    shelf.write("named/c.log");
    shelf.later(GRACE);
    assert_eq!(changes(&mut shelf, second), ("c.log".into(), "a.log".into()));
    assert_eq!(changes(&mut shelf, first), ("new.log c.log".into(), "a.log".into()));
    shelf.write("a.log");
    shelf.later(RESCAN);
    assert_eq!(changes(&mut shelf, second), ("a.log c.log".into(), String::new()), "it is there again");
}

#[test]
fn names_that_left_long_ago_are_forgotten_and_that_is_known() {
    let mut shelf = Shelf::opened(&[], &["@/"]);
    let first = shelf.catalogue().version();
    let files: Vec<String> = (0..1100).map(|number| format!("{number}.log")).collect();
    files.iter().for_each(|file| shelf.write(file));
    shelf.later(RESCAN);
    let all = shelf.catalogue().version();
    files.iter().for_each(|file| fs::remove_file(shelf.path(file)).unwrap());
    shelf.later(RESCAN);
    let gone = shelf.catalogue().version();
    shelf.later(GRACE);
    assert_eq!(shelf.names().len(), 0);
    assert_eq!(shelf.catalogue().removed_since(first), None);
    assert_eq!(shelf.catalogue().removed_since(all), None);
    assert_eq!(shelf.catalogue().removed_since(gone), None, "a hundred of them are forgotten");
    let now = shelf.catalogue().version();
    assert_eq!(shelf.catalogue().removed_since(now), Some(Vec::new()));
}

/// The list page by page is the list, whatever the size of the pages.
#[test]
fn a_list_can_be_gone_through_in_pages_of_any_size() {
    let files: Vec<String> = (0..50).map(|number| format!("{number}.log")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let mut shelf = Shelf::opened(&files, &["@/1*", "@/"]);
    let all = shelf.names();
    for most in [1, 7, 49, 50, 51] {
        let (mut names, mut after) = (Vec::new(), None);
        loop {
            let page = shelf.catalogue().page(after.as_ref(), 0, most);
            assert!(page.logs.len() <= most);
            names.extend(page.logs.iter().map(|log| log.name.clone()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(names, all, "{most}");
    }
}

/// A catalogue of ten thousand files costs next to nothing while they stay the same ones, and no slice of a look takes long
/// while they do not: told by the calls that are made to the system.
#[test]
fn ten_thousand_files_are_looked_at_with_a_handful_of_calls_and_listed_in_slices() {
    let mut shelf = Shelf::with(&[]);
    for number in 0..10_000 {
        let folder = shelf.path(&format!("{:02}", number % 20));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{number}.log")), "").unwrap();
    }
    let faults = Faults::anywhere();
    let source = Source::parse(shelf.path("**").to_str().unwrap()).unwrap();
    shelf.catalogue = Some(Catalogue::new(Disk::with(&faults), vec![source], None, shelf.now).unwrap());
    assert_eq!(shelf.names().len(), 10_000);
    let mut most = 0;
    let mut look = |shelf: &mut Shelf| {
        let_time_pass(shelf.folder.path());
        shelf.now += RESCAN;
        let (now, first) = (shelf.now, faults.calls());
        let mut slices = 0;
        loop {
            let before = faults.calls();
            let due = shelf.catalogue().work(now, true);
            most = most.max(faults.calls() - before);
            slices += 1;
            if due > now {
                return (slices, faults.calls() - first);
            }
        }
    };
    look(&mut shelf);
    for _ in 0..5 {
        // 21 folders are asked for their time.
        let (slices, calls) = look(&mut shelf);
        assert!(slices < 10 && calls < 100, "{slices} slices, {calls} calls");
    }
    shelf.write("07/new.log");
    let (slices, calls) = look(&mut shelf);
    assert!(slices > 80, "ten thousand entries in {slices} slices");
    assert!(calls < 1000, "{calls} calls");
    assert_eq!(shelf.names().len(), 10_001);
    assert!(most < 150, "{most} calls in one slice");
}
