//! Where no WebSocket gets through: the page falls back by itself, says so, and comes back by itself.

use std::ops::Range;

use crate::PATIENT;
use crate::looks::{assert_nothing_sticks_out, picture};
use crate::support::browser::{Browser, Page};
use crate::support::page::{
    Log, all_lines, go_to, lines, rows, scroll_to_the_start, wait_for_found, wait_for_line, wait_for_state,
};
use crate::support::proxy::Proxy;
use crate::support::{Server, temp_dir};

/// Waits until the page says by which way it reads; nothing of a WebSocket.
#[track_caller]
fn wait_for_way(page: &Page<'_>, way: &str) {
    let shown = "(({ hidden, textContent }) => hidden ? '' : textContent)(document.querySelector('#way'))";
    page.wait_for(&format!("{shown} === {way:?}"));
}

/// Waits until `line` is drawn, and gives all that is.
#[track_caller]
fn rows_until(page: &Page<'_>, line: &str) -> Vec<String> {
    wait_for_line(page, line);
    rows(page)
}

/// The page has complained about nothing but a WebSocket that fails, which a browser says by itself.
#[track_caller]
fn assert_content(page: &Page<'_>) {
    let others: Vec<String> =
        page.complaints().into_iter().filter(|text| !text.contains("WebSocket")).collect();
    assert_eq!(others, Vec::<String>::new());
}

/// Reads a log that grows and rotates, pauses, and filters, by `way`.
fn read_by(way: &str, proxy: &Proxy, server_log: &Log<'_>, page: &Page<'_>) {
    page.goto(&proxy.url());
    wait_for_line(page, &lines(99..100)[0]);
    wait_for_way(page, way);
    wait_for_state(page, "live");
    scroll_to_the_start(page);
    assert_eq!(rows(page)[0], lines(0..1)[0]);
    page.wait_for("document.querySelector('#follow').ariaPressed === 'false'");
    page.click("#follow");
    page.wait_for("document.querySelector('#follow').ariaPressed === 'true'");

    server_log.write_lines(100..105);
    server_log.write("half");
    wait_for_line(page, "half");
    server_log.write(" a line\n");
    wait_for_line(page, "half a line");
    server_log.rotate();
    server_log.write_lines(105..110);
    let shown = rows_until(page, &lines(109..110)[0]);
    let mut expected = lines(100..105);
    expected.extend(["half a line".to_owned(), "-- rotated".to_owned()]);
    expected.extend(lines(105..110));
    assert_eq!(shown[shown.len() - expected.len()..], expected);

    page.click("#pause");
    wait_for_state(page, "paused");
    server_log.write_lines(110..120);
    page.click("#pause");
    wait_for_state(page, "live");
    let shown = rows_until(page, &lines(119..120)[0]);
    assert_eq!(shown[shown.len() - 15..], lines(105..120), "each once, in order");

    page.click("#disconnect");
    wait_for_state(page, "disconnected");
    server_log.write_lines(120..125);
    page.click("#connect");
    let shown = rows_until(page, &lines(124..125)[0]);
    assert_eq!(shown[shown.len() - 20..], lines(105..125), "it goes on where it was");

    // A filter shows what was as well.
    page.press("&");
    page.type_text("7 the");
    let passing = lines(0..125).into_iter().filter(|line| line.contains("7 the")).collect::<Vec<_>>();
    page.wait_for(&format!("document.querySelectorAll('#lines .line').length === {}", passing.len()));
    let shown: Vec<String> = rows(page).into_iter().filter(|row| !row.starts_with("-- ")).collect();
    assert_eq!(shown, passing);
    server_log.write_lines(125..130);
    wait_for_line(page, &lines(127..128)[0]);
    page.press("Escape");
    wait_for_line(page, &lines(129..130)[0]);
    page.press("Escape");
}

/// A line for each second from ten o'clock on.
fn second(number: usize) -> String {
    let (hour, minute) = (10 + number / 3600, number / 60 % 60);
    format!("2026-11-25 {hour:02}:{minute:02}:{:02} INFO second {number}", number % 60)
}

/// A log of two files, in which one can go wherever one can with a WebSocket; by `way`. Gives a link to the line of second
/// 1800.
fn roam(way: &str, proxy: &Proxy, log: &Log<'_>, page: &Page<'_>) -> String {
    let text = |seconds: Range<usize>| -> String { seconds.map(|n| second(n) + "\n").collect() };
    log.write(&text(0..4000));
    log.rotate();
    log.write(&text(4000..9000));
    page.goto(&proxy.url());
    wait_for_line(page, &second(8999));
    wait_for_way(page, way);
    assert_eq!(all_lines(page), (0..9000).map(second).collect::<Vec<_>>(), "each once, in order");

    go_to(page, ":1001");
    wait_for_found(page, &second(5000));
    wait_for_state(page, "past");
    go_to(page, "2026-11-25 10:30:00");
    wait_for_found(page, &second(1800));
    // What lies before it can be seen without anything being done.
    wait_for_line(page, &second(1795));
    page.press("y");
    page.wait_for("location.hash.includes('at=')");
    let link = page.text("location.href");
    go_to(page, "50%");
    page.wait_for("/second 4[45]/.test(document.querySelector('#lines .line.found').textContent)");
    log.write(&text(9000..9010));
    go_to(page, "start");
    wait_for_found(page, &second(0));
    page.wait_for("document.querySelector('#lines .began').textContent.includes('beginning')");
    page.click("#follow");
    wait_for_line(page, &second(9009));
    wait_for_state(page, "live");

    page.press("/");
    page.type_text("second 123");
    page.press("Enter");
    page.wait_for("document.querySelector('#find-note').dataset.phase === 'done'");
    assert_eq!(page.text("document.querySelector('#find-note').textContent"), "11 lines found");
    page.press("Enter");
    wait_for_found(page, &second(1239));
    // A filter leads nobody away from there.
    page.click("#filter-open");
    page.type_text("39");
    page.wait_for(
        "[...document.querySelectorAll('#lines .line')].every((row) => row.textContent.includes('39'))",
    );
    wait_for_line(page, &second(1239));
    link
}

/// See [`roam`]; and a link leads there as well.
fn go_anywhere_by(way: &str, events: bool) {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    let server = Server::start(&["--lines", "80", path.to_str().unwrap()]);
    let proxy = Proxy::before(server.addr());
    proxy.block_websocket(true);
    proxy.block_events(!events);
    let browser = Browser::start();
    let page = browser.page();
    let link = roam(way, &proxy, &log, &page);
    picture(&page, if events { "desk-events-past.png" } else { "desk-polls-past.png" });
    assert_content(&page);
    // A page takes half a minute to find out that there are no events.
    if events {
        let other = browser.page();
        other.goto(&link);
        wait_for_found(&other, &second(1800));
        wait_for_way(&other, way);
        assert_content(&other);
    }
}

#[test]
fn without_websocket_one_can_go_anywhere_by_server_sent_events() {
    go_anywhere_by("over server-sent events", true);
}

#[test]
fn without_events_either_one_can_go_anywhere_by_polls() {
    go_anywhere_by("over long polls", false);
}

/// Lets a WebSocket through again: the page takes one, and has lost and doubled nothing.
fn come_back(proxy: &Proxy, log: &Log<'_>, page: &Page<'_>) {
    page.click("#way");
    page.wait_for("document.querySelector('#toast').textContent === 'No WebSocket gets through'");
    proxy.block_websocket(false);
    page.click("#way");
    log.write_lines(130..140);
    wait_for_way(page, "");
    log.write_lines(140..150);
    let shown = rows_until(page, &lines(149..150)[0]);
    assert_eq!(shown[shown.len() - 20..], lines(130..150), "each once, in order");
    page.press("/");
    page.type_text("0000042 the");
    page.press("Enter");
    page.wait_for("document.querySelector('#find-note').dataset.phase === 'done'");
    page.press("Enter");
    wait_for_found(page, &lines(42..43)[0]);
}

#[test]
fn without_websocket_the_page_reads_by_server_sent_events_and_comes_back() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..100);
    let server = Server::start(&["--lines", "80", path.to_str().unwrap()]);
    let proxy = Proxy::before(server.addr());
    proxy.block_websocket(true);
    let browser = Browser::start();
    let page = browser.page();
    read_by("over server-sent events", &proxy, &log, &page);
    picture(&page, "desk-events-dark.png");
    let phone = browser.page();
    phone.phone();
    phone.locale("zh-CN");
    phone.dark(false);
    phone.goto(&proxy.url());
    wait_for_way(&phone, "经由 SSE");
    picture(&phone, "phone-events-light.png");
    assert_nothing_sticks_out(&phone);
    come_back(&proxy, &log, &page);
    assert_content(&page);
}

#[test]
fn without_events_either_the_page_polls_and_comes_back() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..100);
    let server = Server::start(&["--lines", "80", path.to_str().unwrap()]);
    let proxy = Proxy::before(server.addr());
    proxy.block_websocket(true);
    proxy.block_events(true);
    let browser = Browser::start();
    let page = browser.page();
    read_by("over long polls", &proxy, &log, &page);
    come_back(&proxy, &log, &page);
    assert_content(&page);
}

#[test]
fn a_page_whose_websocket_is_cut_off_reads_on_where_it_was() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..100);
    let server = Server::start(&[path.to_str().unwrap()]);
    let port = server.addr().port().to_string();
    let proxy = Proxy::before(server.addr());
    let browser = Browser::start();
    let page = browser.page();
    page.goto(&proxy.url());
    wait_for_line(&page, &lines(99..100)[0]);
    wait_for_way(&page, "");
    proxy.block_websocket(true);
    drop(server);
    log.write_lines(100..110);
    // While nothing answers, nobody can say that it is the WebSocket that is blocked.
    wait_for_state(&page, "waiting");
    let _server = Server::start(&["--port", &port, path.to_str().unwrap()]);
    page.wait_for_within(
        &format!("document.querySelector('#lines').textContent.includes({:?})", lines(109..110)[0]),
        PATIENT,
    );
    wait_for_way(&page, "over server-sent events");
    assert_eq!(rows(&page)[rows(&page).len() - 20..], lines(90..110), "each once, in order");
}
