//! `[[user]]` in the configuration file: who may log in, and what each may see and do.
//!
//! Knows the keys and their types; what the values mean is for those to check who use them.

use super::file::Given;
use super::section::Section;

/// `[[user]]`
#[derive(Debug)]
pub struct User {
    /// What the user is called.
    pub name: Given<String>,
    /// What is kept of the password.
    pub password: Option<Given<String>>,
    /// What is kept of the tokens.
    pub tokens: Vec<Given<String>>,
    /// The logs that may be seen, by patterns of their names.
    pub logs: Vec<Given<String>>,
    /// And by patterns of their groups.
    pub groups: Vec<Given<String>>,
    /// The jobs that may be seen, started and stopped.
    pub jobs: Vec<Given<String>>,
    /// Whether rooms may be written into.
    pub write: bool,
}

impl User {
    pub(super) fn of(mut section: Section<'_>) -> Option<Self> {
        // What stands there by mistake may be the password itself.
        section.hide(&["password", "tokens"]);
        section.needs("name", "name = \"ada\"");
        section.needs_one_of(
            &["password", "tokens"],
            "has neither a password nor tokens; `wiretail hash-password` makes one, and with --token the other",
        );
        section.needs_one_of(
            &["logs", "groups", "jobs"],
            "may see nothing; logs = [\"*\"] lets a user see all, logs = [\"shop/*\"], groups or jobs some",
        );
        let name = section.text("name", "ada");
        let password = section.text("password", "$argon2id$…");
        let tokens = section.texts("tokens");
        let logs = section.texts("logs");
        let groups = section.texts("groups");
        let jobs = section.texts("jobs");
        let write = section.switch("write").is_some_and(|given| given.value);
        section.finish(&[]);
        Some(Self { name: name?, password, tokens, logs, groups, jobs, write })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::file::File;

    #[test]
    fn what_is_wrong_with_a_user_is_said_with_its_line_and_what_would_work() {
        for (text, said) in [
            (
                "[[user]]\npassword = 'x'\nlogs = ['*']\n",
                "line 1: [[user]] has no name; each needs one, as name = \"ada\"",
            ),
            (
                "\n[[user]]\nname = 'ada'\ntokens = []\nlogs = ['*']\n",
                "line 2: [[user]] has neither a password nor tokens; `wiretail hash-password` makes one, and with --token \
                 the other",
            ),
            (
                "[[user]]\nname = 'ada'\npassword = 'x'\n",
                "line 1: [[user]] may see nothing; logs = [\"*\"] lets a user see all, logs = [\"shop/*\"], groups or jobs \
                 some",
            ),
            (
                "[[user]]\nname = 'ada'\npassword = 'x'\nlogs = ['*']\njob = ['x']\n",
                "line 5: [[user]] has no key \"job\" (did you mean jobs?)",
            ),
            (
                "[[user]]\nname = 'ada'\npassword = 'x'\nlogs = '*'\n",
                "line 4: logs = '*': this is text; a list of texts is wanted, in brackets, as logs = [\"one\", \"another\"]",
            ),
            ("[user]\n", "line 1: a user is written with two brackets, [[user]], as there may be several"),
        ] {
            assert_eq!(File::parse("w.toml", text).1, [format!("w.toml, {said}")], "{text:?}");
        }
    }
}
