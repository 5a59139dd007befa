//! All of a log's history, reached by scrolling, by going somewhere, and by a link.

use std::time::SystemTime;

use crate::support::browser::{Browser, Page};
use crate::support::page::{
    Log, all_lines, assert_content, at_the_edge, elements, go_to, lines, rows, scroll_to_the_start,
    wait_for_found, wait_for_line, wait_for_state, watch,
};
use crate::support::{Server, temp_dir};

/// The number of rows that the page says it holds.
#[track_caller]
fn kept(page: &Page<'_>) -> i64 {
    let said = page.text("document.querySelector('#kept').textContent");
    let digits: String = said.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("no number in {said:?}"))
}

#[test]
fn scrolling_up_leads_through_rotated_files_to_the_beginning() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..3000);
    log.rotate();
    log.write_lines(3000..3400);
    let server = Server::start(&["--lines", "50", path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(3399..3400)[0]);

    assert_eq!(all_lines(&page), lines(0..3400), "each once, in order");
    assert_eq!(page.text("document.querySelector('#connection').dataset.state"), "live", "it was never left");
    scroll_to_the_start(&page);
    assert_eq!(rows(&page)[..3], lines(0..3));
    page.eval("document.querySelector('#lines').scrollTop = 3000 * 20 - 200");
    wait_for_line(&page, &lines(3001..3002)[0]);
    let around = rows(&page);
    let border = around.iter().position(|row| row == "-- rotated").expect("a mark between the files");
    assert_eq!(around[border - 1], lines(2999..3000)[0]);
    assert_eq!(around[border + 1], lines(3000..3001)[0]);
    assert_content(&page, &server);
}

#[test]
fn what_comes_above_moves_nothing() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    Log::create(&path).write_lines(0..5000);
    let server = Server::start(&["--lines", "200", path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(4999..5000)[0]);
    assert_eq!(kept(&page), 200);

    // Far enough up that earlier lines are fetched, in the same turn in which the place is noted.
    let before = page.eval(
        "(() => { const box = document.querySelector('#lines'); box.scrollTop = 1007;
            return new Promise((done) => requestAnimationFrame(() => done(null))); })()",
    );
    assert!(before.is_null());
    let reading = at_the_edge(&page);
    page.wait_for("document.querySelector('#kept').textContent.startsWith('700 ')");
    assert_eq!(at_the_edge(&page), reading);
    assert!(page.number("Math.round(document.querySelector('#lines').scrollTop)") > 10_000, "it is above");
}

#[test]
fn far_in_the_past_the_page_stays_small_and_finds_its_way_back() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..60_000);
    log.rotate();
    log.write_lines(60_000..70_000);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(69_999..70_000)[0]);
    let before = elements(&page);

    scroll_to_the_start(&page);
    assert_eq!(rows(&page)[0], lines(0..1)[0]);
    wait_for_state(&page, "past");
    let held = kept(&page);
    assert!((20_000..=50_500).contains(&held), "{held} rows");
    assert!(elements(&page) < before + 300);

    // What was let go at the end comes again to who scrolls down; the end is found, and the stream goes on.
    page.wait_for(
        "(() => { const box = document.querySelector('#lines'); box.scrollTop = box.scrollHeight;
            return document.querySelector('#connection').dataset.state === 'live'; })()",
    );
    page.press("End");
    wait_for_line(&page, &lines(69_999..70_000)[0]);
    log.write_lines(70_000..70_010);
    wait_for_line(&page, &lines(70_009..70_010)[0]);
    let held = kept(&page);
    assert!(held <= 50_500, "{held} rows");

    // And there is a shorter way.
    page.press("Home");
    wait_for_line(&page, &lines(0..1)[0]);
    wait_for_state(&page, "past");
    log.write_lines(70_010..70_020);
    page.click("#follow");
    wait_for_line(&page, &lines(70_019..70_020)[0]);
    wait_for_state(&page, "live");
    assert_content(&page, &server);
}

#[test]
fn one_can_go_to_a_line_a_share_a_time_and_the_ends() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    let at = |second: usize| {
        let (hour, minute) = (10 + second / 3600, second / 60 % 60);
        format!("2026-11-25 {hour:02}:{minute:02}:{:02} INFO second {second}", second % 60)
    };
    let text = |seconds: std::ops::Range<usize>| -> String { seconds.map(|n| at(n) + "\n").collect() };
    log.write(&text(0..4000));
    log.rotate();
    log.write(&text(4000..9000));
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &at(8999));

    go_to(&page, ":1001");
    wait_for_found(&page, &at(5000));
    wait_for_state(&page, "past");
    go_to(&page, "2026-11-25 10:30:00");
    wait_for_found(&page, &at(1800));
    // What lies before it can be seen without anything being done.
    wait_for_line(&page, &at(1795));
    go_to(&page, "10:00:59");
    wait_for_found(&page, &at(59));
    go_to(&page, "50%");
    let middle = page.text("document.querySelector('#lines .line.found').textContent");
    let second: usize = middle.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((4400..4600).contains(&second), "{middle}");
    go_to(&page, "start");
    wait_for_found(&page, &at(0));
    page.wait_for("document.querySelector('#lines .began').textContent.includes('beginning')");
    go_to(&page, "end");
    wait_for_state(&page, "live");
    wait_for_line(&page, &at(8999));

    page.press("g");
    page.type_text("nowhere");
    page.press("Enter");
    page.wait_for("document.querySelector('#goto-note').textContent.startsWith('That is no line')");
    assert_content(&page, &server);
}

#[test]
fn a_link_leads_to_its_line_also_after_a_rotation() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..3000);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(2999..3000)[0]);

    go_to(&page, ":501");
    wait_for_found(&page, &lines(500..501)[0]);
    page.press("y");
    page.wait_for("location.hash.includes('at=')");
    let link = page.text("location.href");
    log.rotate();
    log.write_lines(3000..3100);

    let other = browser.page();
    other.goto(&link);
    wait_for_found(&other, &lines(500..501)[0]);
    wait_for_line(&other, &lines(495..496)[0]);
    other.click("#follow");
    wait_for_line(&other, &lines(3099..3100)[0]);
    assert!(!other.text("location.hash").contains("at="), "the address says what is shown");
    assert_content(&other, &server);

    // One that is damaged, or into a file that is gone, leads to the end, and that is said.
    let head = link.split("at=").next().unwrap();
    for (at, said) in [("x", "is damaged"), ("1.1111111111111111.11111111.1f5", "not in the log any more")] {
        let lost = browser.page();
        lost.goto(&format!("{head}at={at}"));
        wait_for_line(&lost, &lines(3099..3100)[0]);
        wait_for_state(&lost, "live");
        lost.wait_for(&format!("document.querySelector('#toast').textContent.includes({said:?})"));
        assert!(!lost.text("location.hash").contains("at="), "the address says what is shown");
    }
}

#[test]
fn lines_are_numbered_within_their_file_where_that_is_known() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..200);
    log.rotate();
    log.write_lines(200..2000);
    let server = Server::start(&["--lines", "100", path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(1999..2000)[0]);
    page.eval("document.querySelector('#numbers-box').click()");
    let number_of = |line: &str| {
        format!(
            "[...document.querySelectorAll('#lines .line')].find((row) => row.textContent === {line:?})?.dataset.number"
        )
    };
    page.wait_for(&format!("{} === '1800'", number_of(&lines(1999..2000)[0])));
    go_to(&page, ":1500");
    wait_for_found(&page, &lines(1699..1700)[0]);
    page.wait_for(&format!("{} === '1500'", number_of(&lines(1699..1700)[0])));
    // And so is every line of the file.
    page.wait_for(&format!("{} === '1495'", number_of(&lines(1694..1695)[0])));
    go_to(&page, "start");
    page.wait_for(&format!("{} === '1'", number_of(&lines(0..1)[0])));
}

#[test]
fn a_time_of_day_is_the_last_there_is_in_the_log() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    // Two days, a line every minute, of a log that was last written to yesterday at this time.
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970").as_secs();
    let end = now - 24 * 3600;
    let text: String =
        (0..2 * 1440).rev().map(|minutes| format!("{} a line\n", end - minutes * 60)).collect();
    Log::create(&path).write(&text);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &format!("{end} a line"));

    // An hour later than the last line: on the day before. And an hour earlier: on that day.
    for (clock, expected) in [(end + 3600, end + 3600 - 24 * 3600), (end - 3600, end - 3600)] {
        go_to(&page, &page.text(&format!("new Date({clock}000).toISOString().slice(11, 19)")));
        wait_for_found(&page, &format!("{expected} a line"));
    }
    assert_content(&page, &server);
}
