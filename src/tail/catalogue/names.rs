//! What logs are called: as short as can be, and never two the same.
//!
//! A log's name is its file name; where two would be the same, it is the shortest trailing part of its path
//! that tells them apart. Knows no files: paths come in as lists of their parts.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path};

/// What a log could be called: the last parts of `parts`, at least `least` of them.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) parts: Vec<String>,
    pub(super) least: usize,
}

impl Wish {
    /// Exactly this name.
    pub(super) fn exactly(name: String) -> Self {
        Self { parts: vec![name], least: 1 }
    }

    fn name(&self, len: usize) -> String {
        self.parts[self.parts.len().saturating_sub(len)..].join("/")
    }

    fn longest(&self) -> usize {
        self.parts.len()
    }
}

/// One name for each wish, all different and none of them `taken`.
///
/// Wishes that leave no choice come first. Of the others, all that would have the same name get longer ones,
/// so that the outcome does not depend on their order. If not even whole paths differ (as shown: what is not
/// UTF-8 looks the same), a number makes the difference.
pub(super) fn assign(taken: impl Fn(&str) -> bool, wishes: &[Wish]) -> Vec<String> {
    let mut lens: Vec<usize> = wishes.iter().map(|wish| wish.least).collect();
    loop {
        let mut count: HashMap<String, usize> = HashMap::new();
        for (wish, &len) in wishes.iter().zip(&lens) {
            *count.entry(wish.name(len)).or_default() += 1;
        }
        let mut grown = false;
        for (wish, len) in wishes.iter().zip(&mut lens) {
            let name = wish.name(*len);
            if *len < wish.longest() && (count[&name] > 1 || taken(&name)) {
                *len += 1;
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    let mut used: HashSet<String> = HashSet::new();
    let names = wishes.iter().zip(&lens).map(|(wish, &len)| {
        let name = wish.name(len);
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        let free =
            std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name) && !used.contains(name));
        let free = free.expect("numbers do not run out");
        used.insert(free.clone());
        free
    });
    names.collect()
}

/// The parts of a path as they are shown: valid UTF-8, no control characters, no `.` and `..`.
pub(super) fn parts(path: &Path) -> Vec<String> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => {
                parts.push(part.to_string_lossy().replace(char::is_control, "\u{fffd}"));
            }
            // Where the folder before it is a link this is not the kernel's reading. It names, it does not
            // open.
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(path: &str) -> Wish {
        Wish { parts: parts(Path::new(path)), least: 1 }
    }

    fn names(taken: &[&str], paths: &[&str]) -> Vec<String> {
        let wishes: Vec<Wish> = paths.iter().map(|path| wish(path)).collect();
        assign(|name| taken.contains(&name), &wishes)
    }

    #[test]
    fn a_name_is_the_shortest_trailing_path_that_tells_apart() {
        assert_eq!(names(&[], &["/var/log/app.log", "/var/log/web.log"]), ["app.log", "web.log"]);
        assert_eq!(names(&[], &["/srv/web/app.log", "/srv/db/app.log"]), ["web/app.log", "db/app.log"]);
        assert_eq!(
            names(&[], &["/a/x/app.log", "/b/x/app.log", "/c/y/app.log", "/c/z.log"]),
            ["a/x/app.log", "b/x/app.log", "y/app.log", "z.log"]
        );
    }

    #[test]
    fn names_that_are_taken_stay_with_who_has_them() {
        assert_eq!(names(&["app.log"], &["/srv/web/app.log"]), ["web/app.log"]);
        assert_eq!(names(&["app.log", "web/app.log"], &["/srv/web/app.log"]), ["srv/web/app.log"]);
    }

    #[test]
    fn a_wish_without_a_choice_is_granted() {
        let wishes = [wish("/srv/stdin"), Wish::exactly("stdin".to_owned())];
        assert_eq!(assign(|_| false, &wishes), ["srv/stdin", "stdin"]);
    }

    #[test]
    fn what_cannot_be_told_apart_is_numbered() {
        assert_eq!(names(&[], &["/a", "/a", "/a"]), ["a", "a (2)", "a (3)"]);
        assert_eq!(names(&["a"], &["/a"]), ["a (2)"]);
    }

    #[test]
    fn parts_can_be_shown_and_put_into_an_address() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
        assert_eq!(parts(Path::new("/srv/./web/../db/a\nb.log")), ["srv", "db", "a\u{fffd}b.log"]);
        assert_eq!(parts(Path::new(OsStr::from_bytes(b"/\xff.log"))), ["\u{fffd}.log"]);
        assert_eq!(parts(Path::new("/../..")), [""; 0]);
    }
}
