//! The page in a real browser, worked with real clicks, keys and wheel turns, against the real server and real files.
//!
//! Needs Chromium; `tests/run browser` installs it on Debian. The pictures go to `target/screenshots`; with
//! `WIRETAIL_WRITE_PICTURE=1` the README's `docs/page.png` is written as well.
#![cfg(feature = "tool")]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod blocked;
mod catalogue;
mod filter;
mod history;
mod jobs;
mod login;
mod looks;
mod rooms;
mod search;

use std::time::Duration;

use support::browser::{Browser, Page};
use support::page::{
    Log, all_lines, assert_content, choose, elements, lines, pause, rows, wait_for_line, wait_for_state,
    watch,
};
use support::v1::Viewer;
use support::{SOON, Server, open_files, temp_dir, until};

/// Longer than a rotated file is followed beside its successor, and than a page waits before it connects again.
const PATIENT: Duration = Duration::from_secs(30);

#[test]
fn the_page_shows_the_last_lines_and_then_what_is_appended_in_order() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..2000);
    let server = Server::start(&["--lines", "50", path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");

    wait_for_line(&page, &lines(1999..2000)[0]);
    // They do not fill two screens: more are fetched without being asked for.
    page.wait_for("document.querySelector('#kept').textContent === '550 lines here'");

    page.press("End");
    for start in (2000..2300).step_by(25) {
        log.write_lines(start..start + 25);
    }
    wait_for_line(&page, &lines(2299..2300)[0]);
    assert_eq!(all_lines(&page), lines(0..2300), "each once, in order");
    assert_content(&page, &server);
}

#[test]
fn half_a_line_is_shown_and_completed_in_place() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write("whole\nhalf");
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");

    wait_for_line(&page, "half");
    log.write(" and the rest\nnext\n");
    wait_for_line(&page, "next");
    assert_eq!(rows(&page), ["whole", "half and the rest", "next"]);
}

#[test]
fn a_rotation_loses_and_doubles_nothing() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..5);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(4..5)[0]);

    log.write_lines(5..8);
    log.rotate();
    log.write_lines(8..12);
    wait_for_line(&page, &lines(11..12)[0]);

    let mut expected = lines(0..8);
    expected.push("-- rotated".to_owned());
    expected.extend(lines(8..12));
    assert_eq!(rows(&page), expected);
    assert_content(&page, &server);
}

#[test]
fn a_truncation_is_marked() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..3);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(2..3)[0]);

    // What was cut off before the page has asked for what lies above is a gap.
    page.wait_for("document.querySelector('#lines .began').dataset.above === 'start'");
    log.truncate();
    wait_for_line(&page, "-- truncated");
    log.write_lines(3..5);
    wait_for_line(&page, &lines(4..5)[0]);
    let mut expected = lines(0..3);
    expected.push("-- truncated".to_owned());
    expected.extend(lines(3..5));
    assert_eq!(rows(&page), expected);
}

#[test]
fn a_restart_of_the_server_loses_and_doubles_nothing() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let source = path.to_str().unwrap();
    let log = Log::create(&path);
    log.write_lines(0..100);
    let server = Server::start(&[source]);
    let port = server.addr().port().to_string();
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(99..100)[0]);

    assert!(server.stop().success(), "told to stop, it ends well");
    wait_for_state(&page, "waiting");
    log.write_lines(100..150);
    let server = Server::start(&["--port", &port, source]);
    wait_for_state(&page, "live");
    log.write_lines(150..200);
    page.wait_for_within(
        &format!("document.querySelector('#lines').textContent.includes({:?})", lines(199..200)[0]),
        PATIENT,
    );
    assert_eq!(all_lines(&page), lines(0..200));
    drop(server);
}

#[test]
fn disconnecting_and_leaving_close_the_servers_file() {
    let folder = temp_dir();
    let path = folder.path().canonicalize().unwrap().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..10);
    let server = Server::start(&[path.to_str().unwrap()]);
    let opened = |when: &str| {
        let what = format!("the server to open the file {when}");
        until(&what, SOON, || open_files(server.pid()).contains(&path).then_some(()));
    };
    let closed = |when: &str| {
        let what = format!("the server to close the file {when}");
        until(&what, SOON, || (!open_files(server.pid()).contains(&path)).then_some(()));
    };
    closed("before anybody watches");

    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(9..10)[0]);
    opened("for a viewer");

    page.click("#disconnect");
    wait_for_state(&page, "disconnected");
    closed("when the viewer disconnects");
    log.write_lines(10..20);

    page.press("c");
    wait_for_line(&page, &lines(19..20)[0]);
    assert_eq!(all_lines(&page), lines(0..20), "it goes on where it was");
    opened("when the viewer connects again");

    page.goto("about:blank#left");
    closed("when the page is left");
    log.write_lines(20..30);
    // Not while the answer to this is on its way: it would be lost with the document.
    page.eval("setTimeout(() => history.back())");
    wait_for_line(&page, &lines(29..30)[0]);
    opened("for the page that came back");
    page.goto("about:blank#left");
    closed("when the page is left again");

    let page = watch(&browser, &server, "app.log");
    opened("for another page");
    page.close();
    closed("when the page is closed");
}

#[test]
fn log_text_stays_text() {
    const HOSTILE: [&str; 8] = [
        "<script>window.broken = 1; alert(1)</script>",
        "<img src=x onerror=\"window.broken = 2; alert(2)\">",
        "</div></section></main><h1 id=injected>hello</h1>",
        "\"><svg onload=alert(3)><a href=\"javascript:alert(4)\">click</a>",
        "&lt;b&gt; &amp; &#60;i&#62; ${alert(5)} {{7*7}}",
        "<iframe src=\"http://127.0.0.1:1/\"></iframe><link rel=stylesheet href=//127.0.0.1:1/x>",
        "<style>body { display: none }</style><base href=//127.0.0.1:1/>",
        "<meta http-equiv=refresh content=\"0;url=http://127.0.0.1:1/\">",
    ];
    let folder = temp_dir();
    // Names come from elsewhere too.
    let name = "<img src=x onerror=alert(6)>.log";
    let path = folder.path().join(name);
    let log = Log::create(&path);
    log.write(&HOSTILE.map(|line| format!("{line}\n")).concat());
    // An OSC 8 link and a title in terminal escapes.
    log.write("\x1b]8;;javascript:alert(7)\x1b\\a link\x1b]8;;\x1b\\ and \x1b]0;title\x07no title\nend\n");
    let server = Server::start(&[folder.path().to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, name);

    wait_for_line(&page, "end");
    let shown = rows(&page);
    assert_eq!(shown[..HOSTILE.len()], HOSTILE);
    assert_eq!(shown[HOSTILE.len()], "a link and no title");
    assert_eq!(page.number("document.querySelectorAll('#lines *:not(div, span, br)').length"), 0);
    assert_eq!(page.number("document.querySelectorAll('#injected, iframe, base, img').length"), 0);
    assert!(page.eval("window.broken ?? null").is_null());
    assert!(page.eval("document.querySelector('main') !== null").as_bool().unwrap());
    // Alerts and violations of the content security policy would be among the complaints.
    assert_content(&page, &server);
}

#[test]
fn two_hundred_thousand_lines_leave_the_document_small() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..10);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(9..10)[0]);
    let before = elements(&page);

    for start in (10..200_010).step_by(10_000) {
        log.write_lines(start..start + 10_000);
    }
    let last =
        format!("document.querySelector('#lines').textContent.includes({:?})", lines(200_009..200_010)[0]);
    page.wait_for_within(&last, Duration::from_secs(120));
    let after = elements(&page);
    assert!(after < before + 300, "{before} elements before, {after} after");

    // What is held can be reached, and is in order.
    page.press("Home");
    page.wait_for("document.querySelector('#lines').scrollTop < 5");
    let top = rows(&page);
    let numbers: Vec<usize> = top.iter().filter_map(|line| line.get(..7)?.parse().ok()).collect();
    assert!(numbers.len() > 10 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{top:?}");
    assert!(elements(&page) < before + 300);
    page.press("End");
    page.wait_for(&last);
    assert_content(&page, &server);
}

#[test]
fn a_pause_holds_the_stream_and_loses_nothing() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..20);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(19..20)[0]);

    pause(&page);
    let still = rows(&page);
    log.write_lines(20..2020);
    // When another viewer has them, and the page knows that it lags behind, the page has had its chance.
    let mut other = Viewer::connect(server.addr(), "/tail/app.log?lines=1");
    other.lines_until(|seen| seen.contains(&lines(2019..2020)[0].as_str()), SOON);
    page.wait_for("document.querySelector('#lag').hidden === false");
    assert_eq!(rows(&page), still);

    page.click("#pause");
    wait_for_state(&page, "live");
    wait_for_line(&page, &lines(2019..2020)[0]);
    assert_eq!(all_lines(&page), lines(0..2020));
}

#[test]
fn who_scrolls_back_is_left_in_peace_until_following_again() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write_lines(0..500);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    wait_for_line(&page, &lines(499..500)[0]);
    let following = "document.querySelector('#follow').getAttribute('aria-pressed') === 'true'";
    page.wait_for(following);

    page.wheel("#lines", -3000);
    page.wait_for(&format!("!({following})"));
    let at_the_edge = "document.elementFromPoint(innerWidth / 2, document.querySelector('#lines')
        .getBoundingClientRect().top + 30).closest('.line').textContent";
    let reading = page.text(at_the_edge);
    log.write_lines(500..800);
    let mut other = Viewer::connect(server.addr(), "/tail/app.log?lines=1");
    other.lines_until(|seen| seen.contains(&lines(799..800)[0].as_str()), SOON);
    // The button to the end says how many lines have come.
    page.wait_for("document.querySelector('#pill').textContent.includes('300')");
    assert_eq!(page.text(at_the_edge), reading);

    page.click("#follow");
    page.wait_for(following);
    wait_for_line(&page, &lines(799..800)[0]);
    log.write_lines(800..810);
    wait_for_line(&page, &lines(809..810)[0]);
    assert_eq!(all_lines(&page), lines(0..810));
}

#[test]
fn terminal_colours_become_spans() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    let log = Log::create(&path);
    log.write("\x1b[31mred\x1b[0m plain \x1b[1;38;2;1;200;3mbright\x1b[22m green\x1b[m end\n");
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");

    wait_for_line(&page, "red plain bright green end");
    let spans = "[...document.querySelectorAll('#lines .line span')].map((span) => [span.textContent,
        getComputedStyle(span).color !== getComputedStyle(span.parentElement).color,
        Number(getComputedStyle(span).fontWeight) > 500])";
    let expected = r#"[["red",true,false],["bright",true,true],[" green",true,false]]"#;
    page.wait_for(&format!("JSON.stringify({spans}) === {expected:?}"));
    assert_content(&page, &server);
}

#[test]
fn what_is_masked_or_no_text_is_made_out() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    std::fs::write(&path, b"token=secret123 caf\xe9 nul\0 end\n").unwrap();
    let server = Server::start(&["--redact", r"token=\S+", path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");

    wait_for_line(&page, "\u{2588}\u{2588}\u{2588}\u{2588}\u{2588} caf\u{fffd} nul^@ end");
    let spans = page.eval(
        "[...document.querySelectorAll('#lines .line span')].map(({ className, title }) => [className, title !== ''])",
    );
    assert_eq!(spans, serde_json::json!([["masked", true], ["invalid", true], ["control", false]]));
    page.wait_for("document.querySelector('#masked').textContent === 'masked'");
    assert_eq!(page.text("document.querySelector('#encoding').textContent"), "UTF-8");

    // What is searched for and found is what is shown: the secret is not there.
    page.press("/");
    page.type_text("secret123");
    page.press("Enter");
    page.wait_for("document.querySelector('#find-note').textContent === 'Not found'");
    assert_content(&page, &server);
}

#[test]
fn two_pages_watch_different_logs_and_know_nothing_of_each_other() {
    let folder = temp_dir();
    let (one, two) = (folder.path().join("one.log"), folder.path().join("two.log"));
    let (first, second) = (Log::create(&one), Log::create(&two));
    first.write("first\n");
    second.write("second\n");
    let server = Server::start(&[one.to_str().unwrap(), two.to_str().unwrap()]);
    let browser = Browser::start();
    let left = watch(&browser, &server, "one.log");
    let right = watch(&browser, &server, "two.log");
    wait_for_line(&left, "first");
    wait_for_line(&right, "second");

    left.click("#disconnect");
    wait_for_state(&left, "disconnected");
    first.write("more of the first\n");
    second.write("more of the second\n");
    wait_for_line(&right, "more of the second");
    assert_eq!(rows(&left), ["first"]);
    assert_eq!(rows(&right), ["second", "more of the second"]);

    // The same page may turn to another log.
    choose(&left, "two.log");
    wait_for_line(&left, "more of the second");
    pause(&right);
    second.write("the third\n");
    wait_for_line(&left, "the third");
    assert_eq!(rows(&left), ["second", "more of the second", "the third"]);
    assert_eq!(rows(&right), ["second", "more of the second"]);
}

#[test]
fn a_log_that_is_not_there_yet_is_waited_for() {
    let folder = temp_dir();
    let path = folder.path().join("later.log");
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = browser.page();
    page.goto(server.url());
    choose(&page, "later.log");
    wait_for_state(&page, "gone");
    page.wait_for("document.querySelector('#empty').hidden === false");

    let log = Log::create(&path);
    log.write_lines(0..3);
    wait_for_line(&page, &lines(2..3)[0]);
    let shown: Vec<String> = rows(&page).into_iter().filter(|row| !row.starts_with("-- ")).collect();
    assert_eq!(shown, lines(0..3));
    page.wait_for("document.querySelector('#empty').hidden");
}

#[test]
fn a_log_that_may_not_be_read_is_not_said_to_be_missing() {
    let folder = temp_dir();
    let logs = folder.path().join("logs");
    std::fs::create_dir(&logs).unwrap();
    std::fs::write(folder.path().join("secret"), "secret\n").unwrap();
    std::os::unix::fs::symlink("../secret", logs.join("out.log")).unwrap();
    let server = Server::start(&[logs.to_str().unwrap()]);
    let browser = Browser::start();
    let page = browser.page();
    page.goto(server.url());
    choose(&page, "out.log");
    page.wait_for("document.querySelector('#empty .head').textContent === 'The log cannot be read'");
    assert_eq!(page.text("document.querySelector('#empty .why').textContent"), "it leads out of its folder");

    // Nor is it said to be gone when that comes later, between lines.
    let (log, real) = (logs.join("out.log"), logs.join("new"));
    std::fs::write(&real, "one\n").unwrap();
    std::fs::rename(&real, &log).unwrap();
    wait_for_line(&page, "one");
    std::os::unix::fs::symlink("../secret", &real).unwrap();
    std::fs::rename(&real, &log).unwrap();
    let marked = |kind: &str, text: &str| {
        page.wait_for(&format!(
            "document.querySelector('#lines .mark[data-kind={kind}]')?.textContent === {text:?}"
        ));
    };
    marked("missing", "The log cannot be read (it leads out of its folder)");
    std::fs::remove_file(&log).unwrap();
    std::fs::write(&log, "two\n").unwrap();
    marked("back", "The file can be read again");
}

#[test]
fn where_reading_began_is_said_as_it_is() {
    let folder = temp_dir();
    let began = |page: &Page<'_>, text: &str| {
        page.wait_for(&format!("document.querySelector('#lines .began').textContent === {text:?}"));
    };
    let whole = folder.path().join("whole.log");
    Log::create(&whole).write_lines(0..3);
    let cut = folder.path().join("cut.log");
    Log::create(&cut).write_lines(0..2000);
    let server = Server::start(&[folder.path().to_str().unwrap()]);
    let browser = Browser::start();

    let page = watch(&browser, &server, "whole.log");
    wait_for_line(&page, &lines(2..3)[0]);
    began(&page, "The beginning of the log");
    // As many lines as were asked for, but they came later.
    Log::at(&whole).write_lines(3..1200);
    wait_for_line(&page, &lines(1199..1200)[0]);
    began(&page, "The beginning of the log");

    choose(&page, "cut.log");
    wait_for_line(&page, &lines(1999..2000)[0]);
    began(&page, "Scroll up for earlier lines");
}

#[test]
fn what_is_typed_behind_the_key_of_a_field_goes_into_the_field() {
    let folder = temp_dir();
    let path = folder.path().join("app.log");
    Log::create(&path).write_lines(0..3);
    let server = Server::start(&[path.to_str().unwrap()]);
    let browser = Browser::start();
    let page = watch(&browser, &server, "app.log");
    for hidden in [false, true] {
        if hidden {
            page.click("#drawer-open");
            page.wait_for("document.querySelector('#app.narrowed') !== null");
        }
        for (key, field) in [("l", "logs-search"), ("/", "find"), ("&", "filter")] {
            page.press("Escape");
            // Before the next frame: somebody may type faster than a busy page draws.
            let focused = page.text(&format!(
                "document.body.dispatchEvent(new KeyboardEvent('keydown', {{ key: {key:?}, bubbles: true }}));
                    document.activeElement.id"
            ));
            assert_eq!(focused, field, "with the list of logs hidden: {hidden}");
        }
    }
}
