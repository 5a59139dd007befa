//! Holds the arrows that `src/lib.rs` draws, by reading the source: which part mentions which other part, and which
//! parts of the system each may touch. Further the rules of the house that a machine can check.
//!
//! Comments, and the tests at the bottom of a file, may mention anything.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The parts of the library, and which other parts each may mention.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["app", "config", "http", "jobs", "tail", "ws"]),
    // What was typed, once it is understood: the application's settings.
    ("config", &["app", "jobs", "tail"]),
    ("app", &["config", "http", "jobs", "net", "tail", "ws"]),
    // Commands, whose output is a log.
    ("jobs", &["tail"]),
    ("ws", &[]),
    ("http", &[]),
    ("net", &[]),
    ("tail", &[]),
];

/// Files and folders that may mention more than their part.
const EXCEPTIONS: &[(&str, &[&str])] = &[("src/ws/handshake", &["http"])];

/// Ways to sockets, to the clock and to sleep. `http`, `ws` and `tail` have none of them: bytes and instants go in,
/// events and bytes come out.
const SOCKETS_AND_CLOCK: &[&str] = &[
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "ToSocketAddrs",
    "mio::",
    "rustix::net",
    "Instant::now",
    "SystemTime::now",
    ".elapsed(",
    "thread::sleep",
];

/// What has no business in the protocol: files, processes, threads.
const FILES_AND_THREADS: &[&str] = &["std::fs", "std::process", "std::thread", "std::env", "rustix::"];

/// What a part must not write outside its tests, beside `crate::` paths.
const FORBIDDEN: &[(&str, &[&[&str]])] = &[
    ("http", &[SOCKETS_AND_CLOCK, FILES_AND_THREADS]),
    ("ws", &[SOCKETS_AND_CLOCK, FILES_AND_THREADS]),
    ("tail", &[SOCKETS_AND_CLOCK, &["httparse", "clap"]]),
    ("jobs", &[&["TcpStream", "TcpListener", "UdpSocket", "mio::", "rustix::net", "httparse", "clap"]]),
    ("net", &[&["httparse", "sha1", "base64", "clap", "thread::sleep"]]),
    ("app", &[&["httparse", "clap", "thread::sleep"]]),
];

#[test]
fn every_part_mentions_only_what_is_below_it() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let part = part_of(&path);
        if part == "lib" {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == part) else {
            wrong.push(format!("{}: no arrow is drawn for `{part}`", path.display()));
            continue;
        };
        let more =
            EXCEPTIONS.iter().find(|(prefix, _)| path.starts_with(prefix)).map_or(&[][..], |(_, more)| more);
        for other in parts_mentioned(&path, &code) {
            if other != part && !allowed.contains(&other.as_str()) && !more.contains(&other.as_str()) {
                wrong.push(format!("{}: `{part}` must not know `{other}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_lower_parts_touch_no_socket_and_no_clock() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let Some((part, lists)) = FORBIDDEN.iter().find(|(name, _)| *name == part_of(&path)) else {
            continue;
        };
        for word in lists.iter().copied().flatten() {
            if code.contains(word) {
                wrong.push(format!("{}: `{word}` has no place in `{part}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Who in `tail` may ask the system about files: the seam and what opens beneath a folder through it; and those that
/// write files of our own. A fault in a test can befall nobody else.
const AT_THE_SEAM: &[&str] =
    &["src/tail/disk", "src/tail/beneath", "src/tail/archive/mod.rs", "src/tail/spool.rs", "src/tail/demo"];

#[test]
fn logs_are_read_through_the_seam_only() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        if part_of(&path) != "tail" || AT_THE_SEAM.iter().any(|seam| path.starts_with(seam)) {
            continue;
        }
        for word in ["std::fs", "rustix::fs", "FileExt", "OpenOptions"] {
            if code.contains(word) {
                wrong.push(format!("{}: `{word}` goes past `tail::disk`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_part_with_an_arrow_exists() {
    let parts: BTreeSet<String> = sources().iter().map(|(path, _)| part_of(path)).collect();
    let drawn: BTreeSet<String> =
        ARROWS.iter().map(|(name, _)| (*name).to_owned()).chain(["lib".to_owned()]).collect();
    assert_eq!(parts, drawn);
}

#[test]
fn every_source_file_opens_with_what_it_is() {
    let bare: Vec<PathBuf> = files("src", &["rs"])
        .into_iter()
        .chain(files("tests", &["rs"]))
        .filter(|path| !read(path).starts_with("//!"))
        .collect();
    assert!(bare.is_empty(), "no `//!` on the first line: {bare:?}");
}

#[test]
fn no_file_is_longer_than_a_sitting() {
    const LIMIT: usize = 600;
    let long: Vec<String> = ["src", "tests", "www", "examples", "benches", "fuzz"]
        .into_iter()
        .flat_map(|folder| files(folder, &["rs", "js", "mjs", "css", "html", "py"]))
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LIMIT)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "over {LIMIT} lines: {long:#?}");
}

#[test]
fn the_page_runs_no_text_and_loads_nothing_from_elsewhere() {
    // The content security policy stops these in the browser; here they are stopped in the tree.
    let code = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "setHTMLUnsafe",
        "createContextualFragment",
        "document.write",
        "eval(",
        "new Function",
        "javascript:",
    ];
    let mut wrong = Vec::new();
    for path in files("www", &["js", "mjs", "html", "css", "svg", "json", "webmanifest"]) {
        let text = read(&path);
        let mut note = |what: &str| wrong.push(format!("{}: {what}", path.display()));
        code.iter().filter(|word| text.contains(**word)).for_each(|word| note(word));
        // The name of a namespace is not a place that anything is loaded from.
        let elsewhere = text.replace("http://www.w3.org/", "");
        ["http://", "https://"].iter().filter(|word| elsewhere.contains(**word)).for_each(|word| note(word));
        if path.extension().is_some_and(|extension| extension == "html") {
            inline_code(&text).iter().for_each(|tag| note(tag));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every tag of `html` that brings code or style of its own.
fn inline_code(html: &str) -> Vec<String> {
    let tags = html.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag));
    let inline = tags.filter(|tag| {
        let attributes: Vec<&str> = tag.split_ascii_whitespace().skip(1).collect();
        let handler =
            attributes.iter().any(|attribute| attribute.starts_with("on") && attribute.contains('='));
        let style =
            tag.starts_with("style") || attributes.iter().any(|attribute| attribute.starts_with("style="));
        let script =
            tag.starts_with("script") && !attributes.iter().any(|attribute| attribute.starts_with("src="));
        handler || style || script
    });
    inline.map(|tag| format!("inline: <{tag}>")).collect()
}

/// All of `src`, without comments and tests; those that have outgrown the bottom of a file are in a `tests.rs` of its own.
fn sources() -> Vec<(PathBuf, String)> {
    files("src", &["rs"])
        .into_iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .map(|path| {
            let code = code_only(&read(&path));
            (path, code)
        })
        .collect()
}

/// `src/ws/frame.rs` belongs to `ws`, `src/config.rs` to `config`.
fn part_of(path: &Path) -> String {
    let inside = path.strip_prefix("src").expect("a file of src");
    let first = inside.components().next().expect("a file has a name");
    Path::new(first.as_os_str()).with_extension("").display().to_string()
}

/// What is compiled into the program: no comments, and nothing from `#[cfg(test)]` on, which stands at the bottom.
fn code_only(text: &str) -> String {
    let kept = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    kept.filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| line.split_once(" // ").map_or(line, |(code, _)| code))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The top-level modules that `code` mentions: by `crate::`, from outside by `wiretail::`, or by `super::` often
/// enough to leave its own.
fn parts_mentioned(path: &Path, code: &str) -> BTreeSet<String> {
    let mut roots: Vec<usize> = Vec::new();
    for root in ["crate::", "wiretail::"] {
        roots.extend(code.match_indices(root).map(|(at, _)| at + root.len()));
    }
    // How many `super::` lead from here to the root: one for `src/ws/mod.rs`, two for `src/ws/frame.rs`.
    let depth = path.components().count() - 1 - usize::from(path.ends_with("mod.rs"));
    let up = "super::".repeat(depth);
    roots.extend(code.match_indices(&up).map(|(at, _)| at + up.len()));
    roots.into_iter().flat_map(|at| names_at(&code[at..])).collect()
}

/// The first names of a path or of a group of paths: `ws` of `ws::Event`, `ws` and `net` of `{ws::Event, net}`.
fn names_at(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else { return vec![name_at(rest)] };
    let mut names = vec![name_at(group)];
    let mut depth = 0;
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name_at(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn name_at(rest: &str) -> String {
    rest.trim_start().chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
}

/// All files below `folder` with one of these extensions, sorted; paths as seen from the package's root.
fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        // A hidden folder or `target` holds what tools made, not what we wrote.
        let Ok(entries) = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)) else { continue };
        for entry in entries {
            let entry = entry.expect("a folder that can be listed");
            let name = entry.file_name().into_string().expect("our names are plain");
            let path = folder.join(&name);
            if entry.file_type().expect("a type").is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|ours| extensions.iter().any(|theirs| ours == *theirs)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The reader above is as good as what it sees.
mod reader {
    use super::{code_only, inline_code, parts_mentioned};
    use std::path::Path;

    fn mentioned(path: &str, code: &str) -> Vec<String> {
        parts_mentioned(Path::new(path), &code_only(code)).into_iter().collect()
    }

    #[test]
    fn it_sees_paths_groups_and_ways_up() {
        assert_eq!(mentioned("src/app/mod.rs", "use crate::ws::{Event, frame};"), ["ws"]);
        assert_eq!(
            mentioned("src/app/x.rs", "use crate::{\n    http::{Request, Response},\n    ws::Event, net};"),
            ["http", "net", "ws"]
        );
        assert_eq!(mentioned("src/ws/frame.rs", "let x = crate::net::Bytes::new();"), ["net"]);
        assert_eq!(mentioned("src/ws/mod.rs", "use super::http;"), ["http"]);
        assert_eq!(mentioned("src/ws/frame.rs", "use super::super::http::Request;"), ["http"]);
        assert_eq!(mentioned("src/ws/frame.rs", "use super::mask;"), Vec::<String>::new());
        assert_eq!(mentioned("src/main.rs", "wiretail::cli::run()"), ["cli"]);
    }

    #[test]
    fn it_leaves_out_comments_and_tests() {
        let code =
            "//! crate::net\nfn a() {} // crate::app\n\n#[cfg(test)]\nmod tests {\n    use crate::http;\n}\n";
        assert_eq!(mentioned("src/ws/frame.rs", code), Vec::<String>::new());
        assert_eq!(code_only(code), "fn a() {}\n");
    }

    #[test]
    fn it_sees_inline_code() {
        let fine = "<script type=\"module\" src=\"main.js\"></script><link rel=\"stylesheet\" href=\"a.css\"><p id=\"on\">";
        assert_eq!(inline_code(fine), Vec::<String>::new());
        for bad in ["<script>x()</script>", "<p onclick=\"x()\">", "<p style=\"a\">", "<style>"] {
            assert_eq!(inline_code(bad).len(), 1, "{bad}");
        }
    }
}
