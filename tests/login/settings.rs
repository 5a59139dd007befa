//! What is written of users, and what is said of that.

use std::process::Stdio;

use crate::support::Server;
use crate::support::server::wiretail;
use crate::{HASH, Place, sha256};

#[test]
fn with_users_it_may_listen_beyond_this_machine_and_says_what_that_means() {
    let place = Place::new();
    let config = place.config();
    let mut command = wiretail();
    command.args(["check", "-c", &config, "--host", "0.0.0.0"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(
        "\nuser ada (by password or 1 token) sees all logs, writes into rooms, starts deploy, other\n"
    ));
    assert!(said.contains("\nuser bob (by password or 1 token) sees till.log, notes.log, other\n"), "{said}");
    let mut command = Server::command(&["-c", &config, "--host", "0.0.0.0"]);
    command.stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    while !lines.contains("no TLS here") {
        assert!(std::io::BufRead::read_line(&mut stdout, &mut lines).unwrap() > 0, "{lines}");
    }
    assert!(lines.contains("for 2 users, who log in"), "{lines}");
    child.kill().unwrap();
    child.wait().unwrap();
    // Without users, it is as it was.
    place.configure("[[log]]\npath = 'notes.log'\n");
    let output = wiretail().args(["check", "-c", &config, "--host", "0.0.0.0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn standard_input_is_checked_by_the_name_and_the_group_that_it_will_have() {
    let place = Place::new();
    place.configure(&format!(
        "[[log]]\npath = '-'\nname = 'pipe'\ngroup = 'fed'\nredact = ['x']\n[[log]]\npath = 'notes.log'\n\
         [[user]]\nname = 'ada'\npassword = '{HASH}'\nlogs = ['pipe']\n\
         [[user]]\nname = 'bob'\npassword = '{HASH}'\ngroups = ['fed']\n\
         [[user]]\nname = 'cat'\npassword = '{HASH}'\nlogs = ['notes.log']\n"
    ));
    let output = wiretail().args(["check", "-c", &place.config()]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("pipe  standard input  UTF-8, redacted\n"), "{said}");
    for line in
        ["ada (by password) sees pipe", "bob (by password) sees pipe", "cat (by password) sees notes.log"]
    {
        assert!(said.contains(&format!("\nuser {line}\n")), "{line}: {said}");
    }
}

#[test]
fn what_is_wrong_with_a_user_is_said_and_no_secret_with_it() {
    let place = Place::new();
    let complaint = |user: &str| {
        place.configure(&format!("[[log]]\npath = 'notes.log'\n[[user]]\n{user}"));
        let output = wiretail().args(["check", "-c", &place.config()]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        said.trim().replace(&format!("{}, ", place.config()), "")
    };
    let fine = format!("password = '{HASH}'\nlogs = ['*']\n");
    let token = sha256("x");
    for (user, said) in [
        (
            "name = 'ada'\npassword = 'open sesame'\nlogs = ['*']".to_owned(),
            "wiretail: line 5: password = …: this is no password hash, which begins with $argon2id$; `wiretail hash-password` makes one.",
        ),
        (
            "name = 'ada'\ntokens = ['my token']\nlogs = ['*']".to_owned(),
            "wiretail: line 5: tokens = …: this is not the SHA-256 of a token, 64 hexadecimal digits; `wiretail hash-password --token` \
             makes both.",
        ),
        (
            "name = 'ada'\npassword = ['open sesame']\nlogs = ['*']".to_owned(),
            "wiretail: line 5: password = …: this is a list; text is wanted, in quotes, as password = ",
        ),
        (
            "name = 'ada'\ntokens = 'my token'\nlogs = ['*']".to_owned(),
            "wiretail: line 5: tokens = …: this is text; a list of texts is wanted, in brackets, as tokens = ",
        ),
        (
            "name = 'ada'\npassword = open sesame\nlogs = ['*']".to_owned(),
            "wiretail: line 5: this cannot be read as TOML (",
        ),
        (
            "name = 'ada'\ntokens = [\n'my token,\n]\nlogs = ['*']".to_owned(),
            "wiretail: line 6: this cannot be read as TOML (",
        ),
        (
            format!("name = 'a:b'\n{fine}"),
            "wiretail: line 4: name = a:b: a user's name has at most 32 letters, digits, spaces, and of other characters only - _ . '.",
        ),
        (
            format!("name = 'ada'\n{fine}[[user]]\nname = 'ada'\n{fine}"),
            "wiretail: line 8: name = ada: this name is given to another user by line 4 already.",
        ),
        (
            format!("name = 'ada'\nlogs = ['*']\ntokens = ['{token}', '{token}']"),
            "wiretail: line 6: tokens = …: this token is given by line 6 already.",
        ),
        (
            format!("name = 'ada'\nlogs = ['[']\ntokens = ['{token}']"),
            "wiretail: line 5: logs = [: this is no pattern (",
        ),
    ] {
        let complaint = complaint(&user);
        assert!(complaint.starts_with(said), "{complaint}");
        assert!(!complaint.contains("open sesame") && !complaint.contains("my token"), "{complaint}");
    }
}

#[test]
fn a_token_is_made_with_what_to_write_for_it() {
    let output = wiretail().args(["hash-password", "--token"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (token, line) = said.trim_end().split_once('\n').unwrap();
    assert_eq!(line, format!("tokens = [\"{}\"]", sha256(token)));
}
