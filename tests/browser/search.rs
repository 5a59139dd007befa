//! Searching all of a log: the hits, the way to them, and what a hostile log makes of it.

use crate::support::browser::{Browser, Page};
use crate::support::page::{
    Log, assert_content, lines, rows, wait_for_found, wait_for_line, wait_for_state, watch,
};
use crate::support::{Server, temp_dir};
use rustix::process::Signal;

/// Searches, and waits for the end of it. What was searched for before is put away.
#[track_caller]
fn search(page: &Page<'_>, text: &str) {
    for _ in 0..2 {
        // The first one may only stop a search that still runs.
        page.press("Escape");
    }
    page.wait_for("document.querySelector('#finder').hidden");
    page.press("/");
    page.type_text(text);
    let turn = page.text("document.querySelector('#finder').dataset.turn");
    page.press("Enter");
    page.wait_for(&format!(
        "document.querySelector('#finder').dataset.turn !== {turn:?}
            && ['done', 'refused'].includes(document.querySelector('#find-note').dataset.phase)"
    ));
}

/// Turns a switch.
#[track_caller]
fn switch(page: &Page<'_>, selector: &str) {
    let pressed = format!("document.querySelector({selector:?}).ariaPressed");
    let before = page.text(&pressed);
    page.click(selector);
    page.wait_for(&format!("{pressed} !== {before:?}"));
}

#[track_caller]
fn note(page: &Page<'_>) -> String {
    page.text("document.querySelector('#find-note').textContent")
}

/// The hits that are drawn: where they are, and what they say.
#[track_caller]
fn hits(page: &Page<'_>) -> Vec<(String, String)> {
    let hits = page.eval(
        "[...document.querySelectorAll('#hit-list .found-line')].map((hit) =>
            [hit.querySelector('.place').textContent, hit.querySelector('.text').textContent])",
    );
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    hits.as_array().expect("a list").iter().map(|hit| (text(&hit[0]), text(&hit[1]))).collect()
}

#[test]
fn hits_are_listed_from_all_files_and_lead_to_their_lines() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..2000);
    log.rotate();
    log.write_lines(2000..5000);
    let server = Server::start(&["--lines", "50", path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(4999..5000)[0]);

    search(&page, "500 THE quick");
    assert_eq!(note(&page), "5 lines found");
    // Only what is in sight is drawn, and the list is only just growing to its height.
    page.wait_for("document.querySelectorAll('#hit-list .found-line').length === 5");
    let listed = hits(&page);
    assert_eq!(
        listed.iter().map(|(_, text)| text).collect::<Vec<_>>(),
        [500, 1500, 2500, 3500, 4500].map(|n| lines(n..n + 1)[0].clone()).iter().collect::<Vec<_>>()
    );
    assert!(listed[0].0.starts_with("app.log.1"), "{listed:?}");
    assert_eq!(page.text("document.querySelector('.found-line .hit').textContent"), "500 the quick");
    // Its number comes when the lines have been counted.
    page.wait_for("document.querySelector('.found-line .place').textContent === 'app.log.1:501'");
    page.wait_for("document.querySelector('#hit-map').hidden === false");
    assert_eq!(
        page.text("document.querySelector('#connection').dataset.state"),
        "live",
        "nothing is left yet"
    );

    // The nearest one first, then along the log.
    page.press("Enter");
    wait_for_found(&page, &lines(4500..4501)[0]);
    assert_eq!(note(&page), "5 of 5");
    search(&page, "500 the quick");
    page.click(".found-line[data-index='0']");
    wait_for_found(&page, &lines(500..501)[0]);
    wait_for_state(&page, "past");
    wait_for_line(&page, &lines(495..496)[0]);
    let around = rows(&page);
    assert!(
        around.contains(&lines(495..496)[0]) && around.contains(&lines(505..506)[0]),
        "with what lies around"
    );
    assert_eq!(page.text("document.querySelector('.line.found .hit').textContent"), "500 the quick");
    page.press("ArrowDown");
    wait_for_found(&page, &lines(1500..1501)[0]);
    page.press("Escape");
    page.wait_for("document.querySelector('#finder').hidden && document.querySelector('#hits').hidden");
    page.press("End");
    wait_for_line(&page, &lines(4999..5000)[0]);
    assert_content(&page, &server);
}

#[test]
fn a_search_may_be_by_case_by_words_and_by_expression() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    Log::create(&path).write("Error one\nerrors two\nan error three\nERR-42 four\n");
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, "ERR-42 four");
    let found = |page: &Page<'_>, text: &str| {
        search(page, text);
        hits(page).into_iter().map(|(_, text)| text).collect::<Vec<_>>()
    };
    assert_eq!(found(&page, "error"), ["Error one", "errors two", "an error three"]);
    switch(&page, "#find-words");
    assert_eq!(found(&page, "error"), ["Error one", "an error three"]);
    switch(&page, "#find-exactCase");
    assert_eq!(found(&page, "error"), ["an error three"]);
    switch(&page, "#find-words");
    switch(&page, "#find-exactCase");
    assert_eq!(found(&page, "e..-"), Vec::<String>::new(), "text is text");
    assert_eq!(note(&page), "Not found");
    switch(&page, "#find-regex");
    assert_eq!(found(&page, r"err-\d+|one$"), ["Error one", "ERR-42 four"]);
    assert_eq!(found(&page, "(("), Vec::<String>::new());
    assert_eq!(page.text("document.querySelector('#find').ariaInvalid"), "true");
    assert!(note(&page).contains("(("), "the server's sentence: {}", note(&page));
    assert_content(&page, &server);
}

#[test]
fn what_is_found_stays_text() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let hostile = "<img src=x onerror=\"window.broken = 1\"> needle </div><h1 id=injected>hello</h1>";
    Log::create(&path).write(&format!("{hostile}\n\x1b]8;;javascript:alert(1)\x1b\\needle\x1b]8;;\x1b\\\n"));
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, hostile);

    search(&page, "needle");
    assert_eq!(hits(&page).iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), [hostile, "needle"]);
    page.click(".found-line[data-index='0']");
    wait_for_found(&page, hostile);
    // A pattern and a condition are the reader's, and text as well: an address may come from elsewhere.
    let link = format!(
        "{}#/app.log?grep=%3Cimg%20src%3Dx%20onerror%3Dalert(2)%3E&not=%3Ch1%3E&literal=1",
        server.url()
    );
    let other = browser.page();
    other.goto(&link);
    other.wait_for("document.querySelector('#filter-count').textContent === '2'");
    other.press("&");
    other.wait_for("document.querySelectorAll('.chip').length === 2");
    for page in [&page, &other] {
        assert_eq!(
            page.number("document.querySelectorAll('#injected, img, main h1:not(#name), iframe').length"),
            0
        );
        assert!(page.eval("window.broken ?? null").is_null());
        assert_content(page, &server);
    }
}

#[test]
fn a_search_that_is_lost_with_its_connection_is_told_and_made_again() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let source = path.to_str().unwrap();
    Log::create(&path).write_lines(0..3000);
    let server = Server::start(&[source]);
    let port = server.addr().port().to_string();
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(2999..3000)[0]);

    page.press("/");
    page.type_text("500 the");
    // The server hears nothing, and is gone before it can answer.
    server.signal(Signal::STOP);
    page.press("Enter");
    page.wait_for("document.querySelector('#find-note').dataset.phase === 'running'");
    drop(server);
    page.wait_for("document.querySelector('#find-note').dataset.phase === 'lost'");
    assert_eq!(note(&page), "The connection was lost; Enter searches again");
    assert!(page.eval("document.querySelector('#find-stop').hidden").as_bool().unwrap());

    let server = Server::start(&["--port", &port, source]);
    wait_for_state(&page, "live");
    page.press("Enter");
    page.wait_for("document.querySelector('#find-note').dataset.phase === 'done'");
    assert_eq!(note(&page), "3 lines found");
    page.press("Enter");
    wait_for_found(&page, &lines(2500..2501)[0]);
    drop(server);
}

#[test]
fn more_hits_than_are_listed_are_counted() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    Log::create(&path).write_lines(0..3000);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(2999..3000)[0]);
    search(&page, "quick brown");
    assert_eq!(note(&page), "3,000 lines found");
    assert_eq!(
        page.text("document.querySelector('#hits-more').textContent"),
        "The nearest 1,000 of 3,000 are listed"
    );
    page.press("Enter");
    wait_for_found(&page, &lines(2999..3000)[0]);
    assert_eq!(note(&page), "1,000 of the nearest 1,000");
    assert_content(&page, &server);
}
