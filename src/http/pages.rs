//! The embedded page: every file of `www/`, inside the binary, found by its path.
//!
//! Knows no request: who asks, whether the browser has the file already, and beneath which path all of it is served
//! are the questions of whoever calls [`find`].

use std::fmt::Write as _;
use std::sync::LazyLock;

use sha1::{Digest, Sha1};

/// One embedded file.
#[derive(Debug)]
pub struct Page {
    /// Its path below `www/`.
    pub path: &'static str,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    etag: String,
}

impl Page {
    fn new(path: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        let mut etag = String::from("\"");
        for byte in &Sha1::digest(bytes)[..10] {
            write!(etag, "{byte:02x}").expect("writing to a String does not fail");
        }
        etag.push('"');
        Self { path, content_type, bytes, etag }
    }

    /// A strong validator (RFC 9110 §8.8.3): it changes when and only when the content does, so the browser may ask
    /// each time and is answered 304 until a new binary is started.
    pub fn etag(&self) -> &str {
        &self.etag
    }
}

/// The file at `path`, as it stands in a request: `/style.css`; `/` is the page itself.
///
/// The paths are compared, never looked up in a file system: there is no other file to get at.
///
/// ```
/// use wiretail::http::pages;
///
/// let page = pages::find("/").expect("the page is there");
/// assert_eq!((page.path, page.content_type), ("index.html", "text/html; charset=utf-8"));
/// assert!(pages::find("/../Cargo.toml").is_none());
/// ```
pub fn find(path: &str) -> Option<&'static Page> {
    let name = match path.strip_prefix('/')? {
        "" => "index.html",
        name => name,
    };
    PAGES.iter().find(|page| page.path == name)
}

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! pages {
    ($($path:literal: $content_type:expr),* $(,)?) => {
        vec![$(Page::new(
            $path,
            $content_type,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/www/", $path)),
        )),*]
    };
}

/// All of them; made, and their validators worked out, when the first one is asked for.
static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| {
    pages![
        "ansi.js": SCRIPT,
        "backoff.js": SCRIPT,
        "catalogue.js": SCRIPT,
        "chinese.js": SCRIPT,
        "colour.js": SCRIPT,
        "columns.js": SCRIPT,
        "controls.css": STYLE,
        "copying.js": SCRIPT,
        "elements.js": SCRIPT,
        "english.js": SCRIPT,
        "fallback.js": SCRIPT,
        "questions.js": SCRIPT,
        "filter.js": SCRIPT,
        "filterbar.js": SCRIPT,
        "filtering.js": SCRIPT,
        "find.css": STYLE,
        "finder.js": SCRIPT,
        "goto.js": SCRIPT,
        "gotobox.js": SCRIPT,
        "heights.js": SCRIPT,
        "hitmap.js": SCRIPT,
        "hits.js": SCRIPT,
        "i18n.js": SCRIPT,
        "icon.svg": SVG,
        "index.html": HTML,
        "job.css": STYLE,
        "jobbar.js": SCRIPT,
        "jobs.js": SCRIPT,
        "keyboard.js": SCRIPT,
        "keys.js": SCRIPT,
        "levels.js": SCRIPT,
        "likes.js": SCRIPT,
        "linelink.js": SCRIPT,
        "lines.js": SCRIPT,
        "list.js": SCRIPT,
        "log.css": STYLE,
        "login.css": STYLE,
        "login.html": HTML,
        "login.js": SCRIPT,
        "main.js": SCRIPT,
        "meter.js": SCRIPT,
        "narrow.css": STYLE,
        "reader.js": SCRIPT,
        "requests.js": SCRIPT,
        "returns.js": SCRIPT,
        "route.js": SCRIPT,
        "row.js": SCRIPT,
        "rows.js": SCRIPT,
        "saybox.js": SCRIPT,
        "searching.js": SCRIPT,
        "settings.js": SCRIPT,
        "sidebar.css": STYLE,
        "sidebar.js": SCRIPT,
        "socket.js": SCRIPT,
        "state.js": SCRIPT,
        "strip.js": SCRIPT,
        "style.css": STYLE,
        "theme.js": SCRIPT,
        "ties.js": SCRIPT,
        "toast.js": SCRIPT,
        "user.js": SCRIPT,
        "view.js": SCRIPT,
        "ways.js": SCRIPT,
        "wire.js": SCRIPT,
    ]
});

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use super::*;

    fn text(page: &Page) -> &'static str {
        std::str::from_utf8(page.bytes).expect("the page's files are text")
    }

    /// What stands between `before` and the next `after`, wherever that occurs.
    fn between<'t>(text: &'t str, before: &'t str, after: char) -> impl Iterator<Item = &'t str> {
        text.split(before).skip(1).filter_map(move |rest| rest.split_once(after).map(|(found, _)| found))
    }

    #[test]
    fn every_file_of_www_is_embedded_and_nothing_else() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("www");
        let on_disk: HashSet<String> = std::fs::read_dir(folder)
            .expect("www/ can be read")
            .map(|entry| entry.expect("www/ can be read").file_name().into_string().expect("names are UTF-8"))
            .collect();
        let embedded: HashSet<String> = PAGES.iter().map(|page| page.path.to_string()).collect();
        assert_eq!(on_disk, embedded);
    }

    #[test]
    fn every_reference_leads_to_an_embedded_file() {
        let mut references = 0;
        for page in PAGES.iter() {
            let source = text(page);
            let mut targets: Vec<&str> = Vec::new();
            match page.content_type {
                HTML => {
                    targets.extend(between(source, "href=\"", '"'));
                    targets.extend(between(source, "src=\"", '"'));
                }
                SCRIPT => {
                    targets.extend(between(source, "from '", '\''));
                    targets.extend(between(source, "import('", '\''));
                }
                STYLE => targets.extend(between(source, "url(", ')')),
                _ => {}
            }
            // What is filled in when the page is made (`{{`) leads elsewhere.
            for target in targets.into_iter().filter(|target| !target.starts_with(['#', '{'])) {
                // Everything is relative, so that the page works beneath any path.
                assert!(!target.starts_with('/'), "{} refers to {target}, which is not relative", page.path);
                let name = target.strip_prefix("./").unwrap_or(target);
                assert!(find(&format!("/{name}")).is_some(), "{} refers to {target}", page.path);
                references += 1;
            }
        }
        assert!(references > 40, "the references were found at all: {references}");
    }

    #[test]
    fn every_icon_that_is_used_is_drawn() {
        let html = text(find("/").expect("the page"));
        let drawn: HashSet<&str> = between(html, "symbol id=\"", '"').collect();
        for used in between(html, "use href=\"#", '"') {
            assert!(drawn.contains(used), "{used}");
        }
    }

    #[test]
    fn the_page_is_at_the_root() {
        let page = find("/").expect("the page");
        assert_eq!(page.path, "index.html");
        assert_eq!(page.content_type, HTML);
        assert_eq!(find("/index.html").map(|page| page.path), Some("index.html"));
    }

    #[test]
    fn nothing_else_is_found() {
        for path in ["", "index.html", "/no", "/../Cargo.toml", "//index.html", "/index.html/", "/INDEX.HTML"]
        {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn an_etag_is_quoted_stable_and_of_the_content() {
        let mut seen = HashSet::new();
        for page in PAGES.iter() {
            let tag = page.etag();
            assert_eq!(tag.len(), 22, "{tag}");
            assert!(tag.starts_with('"') && tag.ends_with('"'));
            assert_eq!(tag, page.etag());
            assert!(seen.insert(tag), "{} has the content of another file", page.path);
        }
    }
}
