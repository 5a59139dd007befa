//! The page as its reader sees it: which lines are on the screen, what stands between them, what the buttons say.
//!
//! Only the rows in sight are elements (`.line` with `data-line` and, in a cut line, `data-part`; `.mark` with
//! `data-kind`), so all lines of a log are read by scrolling through it.

use std::ops::Range;
use std::path::Path;

use serde_json::Value;

use super::Server;
use super::browser::{Browser, Page};

/// Every row that is drawn, in order: a line's text, or `-- kind` for a mark.
const ROWS: &str = "[...document.querySelectorAll('#lines .line, #lines .mark')].map((row) =>
    row.matches('.mark') ? `-- ${row.dataset.kind}` : row.textContent)";

/// Scrolls up to the log's beginning, then from the first row to the last, and gathers every line on the way, each once,
/// in its order.
const ALL_LINES: &str = "(async () => {
    const box = document.querySelector('#lines');
    const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const parts = new Map();
    const take = () => {
        for (const { dataset, textContent } of box.querySelectorAll('.line')) {
            parts.set(Number(dataset.line) * 10000 + Number(dataset.part ?? 0), textContent);
        }
    };
    const deadline = performance.now() + 50000;
    const more = () => ['more', 'loading'].includes(box.querySelector('.began').dataset.above);
    do {
        box.scrollTop = 0;
        await drawn();
    } while ((more() || box.scrollTop > 0) && performance.now() < deadline);
    take();
    const past = () => document.querySelector('#connection').dataset.state === 'past';
    const atEnd = () => box.scrollTop + box.clientHeight >= box.scrollHeight - 1;
    while ((past() || !atEnd()) && performance.now() < deadline) {
        box.scrollTop += box.clientHeight * 0.8;
        await drawn();
        take();
    }
    const lines = [];
    for (const [key, text] of [...parts].sort(([a], [b]) => a - b)) {
        if (key % 10000 > 0) lines[lines.length - 1] += text;
        else lines.push(text);
    }
    return lines;
})()";

/// Counts how often the server tells a page how far it lags, which it does at once when it has heard that the page
/// pauses: the page itself says "paused" before that.
const COUNT_LAG_REPORTS: &str = "window.lagReports = 0;
    window.WebSocket = class extends WebSocket {
        constructor(...all) {
            super(...all);
            this.addEventListener('message', ({ data }) => { if (`${data}`.startsWith('{\"behind\"')) window.lagReports += 1; });
        }
    };";

/// Opens the server's page, chooses a log as a reader does if the page has not, and waits until it is live.
#[track_caller]
pub fn watch<'a>(browser: &'a Browser, server: &Server, log: &str) -> Page<'a> {
    let page = browser.page();
    page.call("Page.addScriptToEvaluateOnNewDocument", &serde_json::json!({ "source": COUNT_LAG_REPORTS }));
    page.goto(server.url());
    // The only log is chosen by the page, before its link is drawn; to choose it once more is to read it anew.
    let link = format!("document.querySelector('#logs a[data-log={log:?}]')");
    page.wait_for(&format!("{link} !== null"));
    if page.eval(&format!("{link}.ariaCurrent")).is_null() {
        choose(&page, log);
    }
    wait_for_state(&page, "live");
    page
}

/// Clicks on a log's name.
#[track_caller]
pub fn choose(page: &Page<'_>, log: &str) {
    let link = format!("#logs a[data-log={log:?}]");
    page.wait_for(&format!("document.querySelector({link:?}) !== null"));
    page.click(&link);
}

/// Waits until the page says this of its connection: `live`, `gone`, `paused`, `disconnected`, `waiting` ...
#[track_caller]
pub fn wait_for_state(page: &Page<'_>, state: &str) {
    page.wait_for(&format!("document.querySelector('#connection').dataset.state === {state:?}"));
}

/// Pauses, and waits until the server has heard of it: what is written from now on does not reach the page.
#[track_caller]
pub fn pause(page: &Page<'_>) {
    let before = page.number("window.lagReports");
    page.click("#pause");
    wait_for_state(page, "paused");
    page.wait_for(&format!("window.lagReports > {before}"));
}

/// The rows that are drawn now.
#[track_caller]
pub fn rows(page: &Page<'_>) -> Vec<String> {
    texts(&page.eval(ROWS))
}

/// Waits until a line is drawn.
#[track_caller]
pub fn wait_for_line(page: &Page<'_>, line: &str) {
    page.wait_for(&format!("({ROWS}).includes({line:?})"));
}

/// All lines of the log, from its beginning to its end, as the page shows them to who scrolls through it. Leaves the page
/// at its end.
#[track_caller]
pub fn all_lines(page: &Page<'_>) -> Vec<String> {
    texts(&page.eval(ALL_LINES))
}

/// Scrolls to the first row until it is the log's first.
#[track_caller]
pub fn scroll_to_the_start(page: &Page<'_>) {
    page.wait_for(
        "(() => { const box = document.querySelector('#lines'); const top = box.scrollTop; box.scrollTop = 0;
            const drawn = box.querySelector('.line')?.getBoundingClientRect().top < box.getBoundingClientRect().bottom;
            return top === 0 && drawn && box.querySelector('.began').dataset.above === 'start'; })()",
    );
}

/// The row that lies at the upper edge, and how far below the edge its top is, in pixels.
#[track_caller]
pub fn at_the_edge(page: &Page<'_>) -> (String, f64) {
    let found = page.eval(
        "(() => {
            const { top, left } = document.querySelector('#lines').getBoundingClientRect();
            const row = document.elementFromPoint(left + 100, top + 2).closest('.line, .mark');
            return [row.textContent, row.getBoundingClientRect().top - top];
        })()",
    );
    (found[0].as_str().expect("a row has a text").to_owned(), found[1].as_f64().expect("it is somewhere"))
}

/// Waits until a line is made out as the one that was looked for, and is seen.
#[track_caller]
pub fn wait_for_found(page: &Page<'_>, line: &str) {
    page.wait_for(&format!(
        "(() => {{
            const found = document.querySelectorAll('#lines .line.found');
            if (found.length !== 1 || found[0].textContent !== {line:?}) return false;
            const box = document.querySelector('#lines').getBoundingClientRect();
            const row = found[0].getBoundingClientRect();
            return row.top >= box.top && row.bottom <= box.bottom;
        }})()"
    ));
}

/// Opens the box in which one says where to go, and says it.
#[track_caller]
pub fn go_to(page: &Page<'_>, place: &str) {
    page.press("g");
    page.wait_for("document.querySelector('#goto').open");
    page.type_text(place);
    page.press("Enter");
    page.wait_for("!document.querySelector('#goto').open");
}

/// The number of elements in the document.
#[track_caller]
pub fn elements(page: &Page<'_>) -> i64 {
    page.number("document.querySelectorAll('*').length")
}

/// The page has complained about nothing, and has asked nobody but its server for anything.
#[track_caller]
pub fn assert_content(page: &Page<'_>, server: &Server) {
    assert_eq!(page.complaints(), Vec::<String>::new());
    let authority = server.addr().to_string();
    let elsewhere: Vec<String> = page
        .requests()
        .into_iter()
        .filter(|url| url.split('/').nth(2) != Some(&authority) && url != "about:blank")
        .collect();
    assert!(elsewhere.is_empty(), "asked for {elsewhere:?}");
}

fn texts(value: &Value) -> Vec<String> {
    let rows = value.as_array().unwrap_or_else(|| panic!("no list: {value}"));
    rows.iter().map(|row| row.as_str().expect("a row has a text").to_owned()).collect()
}

/// A log file that the test writes.
pub struct Log<'a> {
    path: &'a Path,
}

impl<'a> Log<'a> {
    /// A new, empty file.
    pub fn create(path: &'a Path) -> Self {
        std::fs::write(path, "").expect("a file can be made");
        Self { path }
    }

    /// A file that is there already.
    pub fn at(path: &'a Path) -> Self {
        Self { path }
    }

    /// Writes the numbered lines of [`lines`], in one write.
    pub fn write_lines(&self, numbers: Range<usize>) {
        let text: String = lines(numbers).iter().map(|line| format!("{line}\n")).collect();
        self.write(&text);
    }

    /// Appends `text`, in one write.
    pub fn write(&self, text: &str) {
        use std::io::Write;
        let mut file = std::fs::OpenOptions::new().append(true).open(self.path).expect("the log is there");
        file.write_all(text.as_bytes()).expect("the log can be written");
    }

    /// Renames the file to `NAME.1` and makes a new one, as logrotate does.
    pub fn rotate(&self) {
        let mut older = self.path.as_os_str().to_owned();
        older.push(".1");
        std::fs::rename(self.path, older).expect("a file can be renamed");
        std::fs::write(self.path, "").expect("a file can be made");
    }

    /// Empties the file in place, as logrotate does with `copytruncate`.
    pub fn truncate(&self) {
        std::fs::OpenOptions::new().write(true).truncate(true).open(self.path).expect("the log is there");
    }
}

/// Lines that can be told apart and put in order.
pub fn lines(numbers: Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("{number:07} the quick brown fox jumps over the lazy dog")).collect()
}
