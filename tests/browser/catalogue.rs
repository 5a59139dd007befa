//! The list of logs on an open page: it lives, it has headings, and ten thousand logs do not make it slow.

use std::time::Instant;

use crate::looks::picture;
use crate::support::browser::{Browser, Page};
use crate::support::page::{Log, assert_content, choose, elements, lines, wait_for_line, wait_for_state};
use crate::support::{Server, temp_dir};

/// The rows of the list that are seen, in their order: `# head` or a log, with its state.
const LISTED: &str = "(() => {
    const box = document.querySelector('#logs').getBoundingClientRect();
    return [...document.querySelectorAll('#logs li')]
        .map((row) => [row.getBoundingClientRect(), row])
        .filter(([{ top, bottom }]) => bottom > box.top && top < box.bottom)
        .sort(([a], [b]) => a.top - b.top)
        .map(([, row]) => row.matches('.head') ? `# ${row.textContent}`
            : `${row.querySelector('a').dataset.log} ${row.querySelector('a').dataset.state}`);
})()";

#[track_caller]
fn wait_for_list(page: &Page<'_>, expected: &[&str]) {
    // Whether a log was written to a moment ago is not asked here.
    let expected = serde_json::json!(expected).to_string();
    page.wait_for(&format!(
        "JSON.stringify({LISTED}.map((row) => row.replace(/ fresh$/, ' ok'))) === {expected:?}"
    ));
}

#[test]
fn what_comes_and_goes_does_so_on_an_open_page_under_its_heading() {
    let folder = temp_dir();
    let (shop, web) = (folder.path().join("shop"), folder.path().join("web"));
    std::fs::create_dir(&shop).unwrap();
    std::fs::create_dir(&web).unwrap();
    std::fs::write(shop.join("b.log"), "b\n").unwrap();
    std::fs::write(web.join("access.log"), "a\n").unwrap();
    let config = folder.path().join("wiretail.toml");
    let text = "[[log]]\ngroup = \"The shop\"\npath = \"shop/*.log\"\n\n[[log]]\ngroup = \"Front\"\npath = \"web/*.log\"\n";
    std::fs::write(&config, text).unwrap();
    let server = Server::start(&["-c", config.to_str().unwrap()]);
    let browser = Browser::start();
    let page = browser.page();
    page.goto(server.url());
    wait_for_list(&page, &["# The shop", "b.log ok", "# Front", "access.log ok"]);
    let focused = "document.activeElement.dataset.log";
    page.eval("document.querySelector('#logs a[data-log=\"b.log\"]').focus()");

    // Nobody asks: what has come is there, in its place, and the focus stays where it was.
    std::fs::write(shop.join("a.log"), "a\n").unwrap();
    wait_for_list(&page, &["# The shop", "a.log ok", "b.log ok", "# Front", "access.log ok"]);
    assert_eq!(page.text(focused), "b.log");
    std::fs::remove_file(web.join("access.log")).unwrap();
    wait_for_list(&page, &["# The shop", "a.log ok", "b.log ok", "# Front", "access.log missing"]);
    std::fs::write(web.join("access.log"), "again\n").unwrap();
    wait_for_list(&page, &["# The shop", "a.log ok", "b.log ok", "# Front", "access.log ok"]);
    choose(&page, "a.log");
    wait_for_line(&page, "a");
    picture(&page, "desk-groups.png");
    assert_content(&page, &server);
}

#[test]
fn ten_thousand_logs_leave_the_list_quick() {
    const MANY: usize = 10_000;
    let folder = temp_dir();
    let logs = folder.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    for number in 0..MANY {
        std::fs::write(logs.join(format!("app-{number:05}.log")), "").unwrap();
    }
    let path = logs.join("app-07777.log");
    Log::at(&path).write_lines(0..10);
    let server = Server::start(&[logs.to_str().unwrap()]);
    let browser = Browser::start();
    let page = browser.page();
    page.goto(server.url());
    let link = |name: &str| format!("document.querySelector('#logs a[data-log=\"{name}\"]') !== null");
    page.wait_for(&link("app-00000.log"));
    assert!(elements(&page) < 900, "{} elements", elements(&page));

    // Scrolled through, it shows what lies there.
    page.eval("document.querySelector('#logs').scrollTop = 1e9");
    page.wait_for(&link("app-09999.log"));
    assert!(elements(&page) < 900, "{} elements", elements(&page));

    // What is typed is found at once: each key is drawn within the time of a few frames, though the machine is busy.
    page.press("l");
    let slowest = page.number(
        "(async () => {
            const search = document.querySelector('#logs-search');
            const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            let slowest = 0;
            for (const key of '07777') {
                await drawn();
                const before = performance.now();
                search.value += key;
                search.dispatchEvent(new Event('input'));
                slowest = Math.max(slowest, performance.now() - before);
            }
            return Math.ceil(slowest);
        })()",
    );
    assert!(slowest < 100, "a key took {slowest} ms");
    page.wait_for(&format!("{} && document.querySelectorAll('#logs a').length === 1", link("app-07777.log")));
    page.press("Enter");
    wait_for_line(&page, &lines(9..10)[0]);
    wait_for_state(&page, "live");

    // And by keys, beyond what is drawn.
    page.press("l");
    page.press("Escape");
    page.press("l");
    page.press("ArrowDown");
    let began = Instant::now();
    page.press("End");
    assert_eq!(page.text("document.activeElement.dataset.log"), "app-09999.log");
    page.press("ArrowUp");
    assert_eq!(page.text("document.activeElement.dataset.log"), "app-09998.log");
    page.press("Home");
    assert_eq!(page.text("document.activeElement.dataset.log"), "app-00000.log");
    page.press("ArrowUp");
    assert_eq!(page.text("document.activeElement.id"), "logs-search");
    println!("ten thousand logs: a key took {slowest} ms at most, four jumps {:?}", began.elapsed());

    // One more comes while somebody looks.
    page.eval("document.querySelector('#logs').scrollTop = 1e9");
    std::fs::write(logs.join("app-10000.log"), "").unwrap();
    page.wait_for(&link("app-10000.log"));
    assert_content(&page, &server);
}
