//! A catalogue that has lived through random changes, against one that is made anew: the naive twin of all that is
//! remembered from look to look.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Change {
    Write(usize),
    Remove(usize),
    Rename(usize, usize),
    Link(usize, usize),
    RemoveFolder(usize),
}

const FOLDERS: [&str; 4] = ["", "web", "web/eu", "db"];
/// The file that is named itself.
const OUTRIGHT: &str = "db/app.log";
const NAMES: [&str; 6] = ["app.log", "app.log.1", "app.log.1.gz", "x.log", "y.txt", ".hidden.log"];

fn place(number: usize) -> String {
    format!("{}/{}", FOLDERS[number / NAMES.len() % FOLDERS.len()], NAMES[number % NAMES.len()])
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let any = 0..FOLDERS.len() * NAMES.len();
    let change = prop_oneof![
        4 => any.clone().prop_map(Change::Write),
        3 => any.clone().prop_map(Change::Remove),
        3 => (any.clone(), any.clone()).prop_map(|(from, to)| Change::Rename(from, to)),
        1 => (any.clone(), any).prop_map(|(from, to)| Change::Link(from, to)),
        1 => (1..FOLDERS.len()).prop_map(Change::RemoveFolder),
    ];
    prop::collection::vec(change, 1..6)
}

fn apply(shelf: &Shelf, change: &Change) {
    let path = |number: usize| shelf.path(place(number).trim_start_matches('/'));
    // Not all of it can be done at any time.
    let _ = match change {
        Change::Write(at) => {
            fs::create_dir_all(path(*at).parent().unwrap()).and_then(|()| fs::write(path(*at), "text"))
        }
        Change::Remove(at) => fs::remove_file(path(*at)),
        Change::Rename(from, to) => fs::rename(path(*from), path(*to)),
        Change::Link(from, to) => std::os::unix::fs::symlink(path(*from), path(*to)),
        Change::RemoveFolder(at) => fs::remove_dir_all(shelf.path(FOLDERS[*at])),
    };
    // A link that was named as a source is followed once, to where it leads when the source is found: one that takes the place
    // of a file later means something else to a server that starts then.
    if shelf.path(OUTRIGHT).is_symlink() {
        fs::remove_file(shelf.path(OUTRIGHT)).unwrap();
    }
}

fn sources(shelf: &Shelf) -> Vec<Source> {
    let source = |given: &str| Source::parse(&format!("{}/{given}", shelf.folder.path().display()));
    let recursive = source("web/").unwrap().recursive().unwrap();
    vec![source("*.log").unwrap(), recursive, source("**/x.log").unwrap(), source(OUTRIGHT).unwrap()]
}

fn paths(catalogue: &Catalogue) -> Vec<(PathBuf, PathBuf)> {
    let mut paths: Vec<_> =
        catalogue.logs().map(|log| (log.root.path().to_owned(), log.rel.clone())).collect();
    paths.sort();
    paths
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn what_has_changed_is_found_and_nothing_else_changes(story in prop::collection::vec(changes(), 1..6)) {
        let mut shelf = Shelf::with(&["web/app.log", "db/app.log", "x.log"]);
        let disk = Disk::default();
        shelf.catalogue = Some(Catalogue::new(disk.clone(), sources(&shelf), None, shelf.now).unwrap());
        for changes in story {
            changes.iter().for_each(|change| apply(&shelf, change));
            // What has gone leaves the list, and then what was a part of it comes.
            for time in [RESCAN, GRACE, RESCAN] {
                shelf.later(time);
            }
            let anew = Catalogue::new(disk.clone(), sources(&shelf), None, shelf.now).unwrap();
            prop_assert_eq!(paths(shelf.catalogue()), paths(&anew), "after {:?}", changes);
            let version = shelf.catalogue().version();
            shelf.later(RESCAN);
            prop_assert_eq!(shelf.catalogue().version(), version, "nothing has changed");
        }
    }
}
