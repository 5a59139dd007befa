//! `wiretail cat` where there are users: who asks is said by a token.

use std::fs;
use std::process::{Output, Stdio};

use crate::support::server::wiretail;
use crate::support::{Server, temp_dir};
use crate::{BOB_TOKEN, Place};

/// What becomes of `wiretail cat` with this in the environment.
fn cat(server: &Server, log: &str, more: &[&str], token: Option<&str>) -> Output {
    let mut command = wiretail();
    command.args(["cat", "--no-follow", &format!("{}tail/{log}", server.url())]).args(more);
    command.stdin(Stdio::null()).envs(token.map(|token| ("WIRETAIL_TOKEN", token)));
    command.output().unwrap()
}

fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn cat_says_by_a_token_who_asks() {
    let place = Place::new();
    let server = place.serve(&[]);
    let output = cat(&server, "notes.log", &[], Some(BOB_TOKEN));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "a line of notes.log\n");
    let folder = temp_dir();
    let file = folder.path().join("token");
    fs::write(&file, format!("{BOB_TOKEN}\n")).unwrap();
    let by_file = ["--token-file", file.to_str().unwrap()];
    let output = cat(&server, "notes.log", &by_file, Some("another"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "a line of notes.log\n", "the file counts more");
    let mut search = wiretail();
    search.args(["cat", "--search", "a line", &format!("{}tail/notes.log", server.url())]);
    let output = search.env("WIRETAIL_TOKEN", BOB_TOKEN).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("a line of notes.log"));
    assert!(failure(&cat(&server, "secret.log", &[], Some(BOB_TOKEN))).contains("404"));
}

#[test]
fn cat_ends_where_it_is_not_let_in_and_says_what_would_help() {
    let place = Place::new();
    let server = place.serve(&[]);
    // Following, it would else try for ever.
    let mut command = wiretail();
    let output = command.args(["cat", &format!("{}tail/notes.log", server.url())]).output().unwrap();
    let said = failure(&output);
    assert!(said.contains("wants to know who asks (401)") && said.contains("--token-file"), "{said}");
    assert!(
        failure(&cat(&server, "notes.log", &[], Some("wrong"))).contains("does not know this token (401)")
    );
    for (token, file) in [(Some("two words"), None), (Some(""), None), (None, Some("/nowhere/at/all"))] {
        let more: Vec<&str> = file.iter().flat_map(|file| ["--token-file", file]).collect();
        let output = cat(&server, "notes.log", &more, token);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(!String::from_utf8(output.stderr).unwrap().contains("two words"));
    }
}
