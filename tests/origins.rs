//! What the programs did from which wiretail comes: the table in `docs/origins.md` names a test for each row, and those
//! are there. Rows that no other program of `tests/` holds are held here.
#![cfg(feature = "tool")]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use support::ws::Raw;
use support::{Server, temp_dir};

#[test]
fn every_row_names_tests_that_are_there() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(home.join("docs/origins.md")).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    for (row, number) in rows.iter().zip(1..) {
        let held_by = row.replace("\\|", "or").split('|').nth(4).unwrap().to_owned();
        assert!(row.starts_with(&format!("| {number} |")), "row {number} is out of its place: {row}");
        if row.contains("not yet") {
            continue;
        }
        // In backticks: a file, and the tests in it up to the next file.
        let mut source = String::new();
        let mut tests = 0;
        for word in held_by.split('`').skip(1).step_by(2) {
            if word.ends_with(".rs") {
                source =
                    fs::read_to_string(home.join(word)).unwrap_or_else(|error| panic!("{word}: {error}"));
            } else {
                tests += 1;
                let is_there = source.contains(&format!("#[test]\nfn {word}()"));
                assert!(is_there, "row {number}: there is no test {word}");
            }
        }
        assert!(tests > 0, "row {number} names no test");
    }
    assert_eq!(rows.len(), 37);
}

#[test]
fn s35_from_the_end_without_what_was_before() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    fs::write(&path, "long ago\n".repeat(1000)).unwrap();
    let server = Server::start(&[path.to_str().unwrap()]);
    let mut raw = Raw::connect(server.addr(), "/tail/app.log?lines=0");
    // That it is answered tells that the reading has begun.
    raw.send_text("ping");
    assert_eq!(raw.read_text(), "pong");
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"from now on\n").unwrap();
    assert_eq!(raw.read_text(), "from now on\n");
}
