//! Filters: what they show, that they lose no place, and that an address carries them.

use crate::support::browser::{Browser, Page};
use crate::support::page::{
    Log, all_lines, assert_content, at_the_edge, go_to, lines, rows, wait_for_found, wait_for_line,
    wait_for_state, watch,
};
use crate::support::{Server, temp_dir};

/// Waits until every row that is drawn holds `text`, and some row is.
#[track_caller]
fn wait_for_only(page: &Page<'_>, text: &str) {
    page.wait_for(&format!(
        "(() => {{ const rows = [...document.querySelectorAll('#lines .line')];
            return rows.length > 0 && rows.every((row) => row.textContent.includes({text:?})); }})()"
    ));
}

#[test]
fn a_filter_shows_only_what_passes_of_what_was_and_of_what_comes() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..1500);
    log.rotate();
    log.write_lines(1500..3000);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(2999..3000)[0]);
    let passing = |all: Vec<String>| -> Vec<String> {
        all.into_iter().filter(|line| line.contains("77 ") && !line.contains("177 ")).collect()
    };

    page.press("&");
    page.type_text("77 THE");
    wait_for_only(&page, "77 the");
    page.press("Enter");
    // The chip pushes aside what is to be clicked.
    page.wait_for("document.querySelectorAll('.chip').length === 1");
    page.click("#filter-not");
    page.type_text("177 ");
    page.press("Enter");
    page.wait_for("document.querySelector('#filter-count').textContent === '2'");
    page.wait_for(
        "![...document.querySelectorAll('#lines .line')].some((row) => row.textContent.includes('177 '))",
    );
    log.write_lines(3000..3100);
    wait_for_line(&page, &lines(3077..3078)[0]);
    assert_eq!(all_lines(&page), passing(lines(0..3100)));

    // The address says it: a reload, and anybody else, sees the same.
    let link = page.text("location.href");
    assert!(link.contains("grep=77") && link.contains("not=177"), "{link}");
    let other = browser.page();
    other.goto(&link);
    wait_for_line(&other, &lines(3077..3078)[0]);
    assert_eq!(all_lines(&other), passing(lines(0..3100)));

    page.click("#filter-clear");
    wait_for_line(&page, &lines(3099..3100)[0]);
    assert!(!page.text("location.hash").contains('?'));
    assert_content(&page, &server);
    assert_content(&other, &server);
}

#[test]
fn switching_a_filter_on_and_off_loses_no_place() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..5000);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(4999..5000)[0]);
    go_to(&page, ":2000");
    wait_for_found(&page, &lines(1999..2000)[0]);

    page.press("&");
    page.type_text("7 the");
    wait_for_only(&page, "7 the");
    page.press("Enter");
    page.eval(
        "(() => { document.querySelector('#lines').scrollTop += 130;
            return new Promise((done) => requestAnimationFrame(() => done(null))); })()",
    );
    page.wait_for("document.querySelector('#filters').ariaBusy === 'false'");
    let reading = at_the_edge(&page);
    for round in 0..2 {
        page.click("#filter-on");
        page.wait_for("![...document.querySelectorAll('#lines .line')].every((row) => row.textContent.includes('7 the'))");
        assert_eq!(at_the_edge(&page), reading, "off, round {round}");
        page.click("#filter-on");
        wait_for_only(&page, "7 the");
        assert_eq!(at_the_edge(&page), reading, "on, round {round}");
    }
    assert_content(&page, &server);
}

#[test]
fn a_bad_pattern_is_told_at_the_field_and_changes_nothing() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    Log::create(&path).write_lines(0..10);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(9..10)[0]);
    page.press("&");
    page.click("#filter-regex");
    page.click("#filter");
    page.type_text("((");
    page.wait_for("document.querySelector('#filter-note').textContent.includes('((')");
    assert_eq!(rows(&page), lines(0..10));
    page.type_text("8 the))");
    wait_for_only(&page, "8 the");
    page.wait_for("document.querySelector('#filter-note').hidden");
    assert_content(&page, &server);
}

#[test]
fn where_nothing_passes_that_is_said_also_to_who_reads_the_past() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    Log::create(&path).write_lines(0..5000);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(4999..5000)[0]);
    go_to(&page, ":2000");
    wait_for_found(&page, &lines(1999..2000)[0]);
    wait_for_state(&page, "past");

    let nothing = "document.querySelectorAll('#lines .line').length === 0
        && document.querySelector('#lines .began').checkVisibility()
        && document.querySelector('#lines .began').textContent === 'No line of the log passes the filter'";
    page.press("&");
    page.type_text("nowhere to be found");
    page.wait_for(nothing);
    // Nor to who comes by a link into the past.
    page.press("Escape");
    page.press("Escape");
    wait_for_line(&page, &lines(4999..5000)[0]);
    go_to(&page, ":2000");
    wait_for_found(&page, &lines(1999..2000)[0]);
    page.press("y");
    page.wait_for("location.hash.includes('at=')");
    let link = page.text("location.href");
    let other = browser.page();
    other.goto(&format!("{link}&grep=nowhere&literal=1"));
    other.wait_for(nothing);
    assert_content(&page, &server);
}

#[test]
fn what_the_server_refuses_is_said_in_the_readers_language() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    Log::create(&path).write_lines(0..10);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = browser.page();
    page.locale("zh-CN");
    page.goto(server.url());
    wait_for_line(&page, &lines(9..10)[0]);
    page.press("&");
    page.click("#filter-regex");
    page.click("#filter");
    page.type_text(r"a\nb");
    page.wait_for(
        "document.querySelector('#filter-note').textContent === '条件不能包含换行，日志的每一行中都没有换行'",
    );
    page.press("Escape");
    page.press("Escape");
    page.press("g");
    page.type_text("99/99");
    page.press("Enter");
    page.wait_for("document.querySelector('#goto-note').textContent.startsWith('无法识别此时间')");
    assert_content(&page, &server);
}
