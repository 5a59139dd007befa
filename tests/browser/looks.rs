//! How the page looks: the pictures, and that nothing is wider than the screen.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::support::browser::{Browser, Page};
use crate::support::page::{Log, assert_content, choose, wait_for_line, wait_for_state};
use crate::support::{Server, temp_dir};
use wiretail::tail::demo::chatter::Chatter;

#[test]
fn it_looks_right_light_and_dark_on_a_desk_and_on_a_phone() {
    let folder = temp_dir();
    let shop = write_sample(folder.path());
    let server = Server::start(&["-c", folder.path().join("wiretail.toml").to_str().unwrap()]);
    let browser = Browser::start();

    let mut grounds = Vec::new();
    for dark in [true, false] {
        let name = if dark { "dark" } else { "light" };
        let desk = browser.page();
        desk.dark(dark);
        show_sample(&desk, &server, &shop.join("app.log"));
        run_job(&desk);
        grounds.push(desk.text("getComputedStyle(document.body).backgroundColor"));
        picture(&desk, &format!("desk-{name}.png"));
        find(&desk, "order");
        desk.wait_for("document.querySelector('#lines .began').dataset.above === 'start'");
        picture(&desk, &format!("desk-search-{name}.png"));
        if dark && std::env::var_os("WIRETAIL_WRITE_PICTURE").is_some_and(|value| value == "1") {
            desk.screenshot(&root().join("docs/page.png"));
        }
        assert_content(&desk, &server);

        let phone = browser.page();
        phone.phone();
        phone.dark(dark);
        phone.goto(&format!("{}#/app.log", server.url()));
        wait_for_line(&phone, LAST);
        picture(&phone, &format!("phone-{name}.png"));
        assert_nothing_sticks_out(&phone);
        phone.click("#filter-open");
        phone.type_text("INFO");
        phone.press("Enter");
        phone.type_text("edge");
        phone.wait_for("document.querySelector('#filter-count').textContent === '2'");
        phone.wait_for("document.querySelector('#filters').ariaBusy === 'false'");
        assert_nothing_sticks_out(&phone);
        find(&phone, "GET");
        assert!(
            phone.eval("document.querySelector('#filters').hidden").as_bool().unwrap(),
            "one strip at a time"
        );
        picture(&phone, &format!("phone-search-{name}.png"));
        assert_nothing_sticks_out(&phone);
        assert_content(&phone, &server);
    }
    assert_ne!(grounds[0], grounds[1], "dark and light differ");

    // A small phone, and a name that fills its line.
    let small = browser.page();
    small.viewport(320, 568);
    small.goto(&format!("{}#/access.log", server.url()));
    wait_for_state(&small, "live");
    assert_eq!(small.number("document.documentElement.scrollWidth"), 320);
    find(&small, "GET");
    assert_nothing_sticks_out(&small);

    let chinese = browser.page();
    chinese.locale("zh-CN");
    show_sample(&chinese, &server, &shop.join("app.log"));
    chinese.wait_for("document.documentElement.lang.startsWith('zh')");
    picture(&chinese, "desk-chinese.png");
    chinese.press("g");
    chinese.wait_for("document.querySelector('#goto').open");
    picture(&chinese, "desk-chinese-goto.png");
}

#[test]
fn the_switches_stay_beside_their_field() {
    let folder = temp_dir();
    let shop = write_sample(folder.path());
    let server = Server::start(&[shop.to_str().unwrap()]);
    let browser = Browser::start();
    for language in ["en", "zh-CN"] {
        let page = browser.page();
        page.locale(language);
        page.goto(&format!("{}#/app.log", server.url()));
        wait_for_state(&page, "live");
        for (strip, field) in [("filter", "#filter"), ("find", "#find")] {
            page.click(&format!("#{strip}-open"));
            page.type_text("order");
            page.press("Enter");
            for width in (640..1100).step_by(20) {
                page.viewport(width, 700);
                let rows = page.eval(&format!(
                    "['{field}', '{field}-exactCase', '{field}-regex'].map((selector) => {{
                        const box = document.querySelector(selector).getBoundingClientRect();
                        return Math.round((box.top + box.bottom) / 2);
                    }})"
                ));
                assert!(rows[0] == rows[1] && rows[1] == rows[2], "{language}, {field}, {width}: {rows}");
            }
        }
        assert_content(&page, &server);
    }
}

/// Searches, and goes to the nearest hit.
#[track_caller]
fn find(page: &Page<'_>, text: &str) {
    page.click("#find-open");
    page.type_text(text);
    page.press("Enter");
    page.wait_for("document.querySelector('#find-note').dataset.phase === 'done'");
    page.press("Enter");
    page.wait_for("document.querySelector('#lines .line.found .hit') !== null");
}

/// Nothing that is seen is wider than the screen.
#[track_caller]
pub(crate) fn assert_nothing_sticks_out(page: &Page<'_>) {
    let sticks_out = page.eval(
        "[document.documentElement, ...document.querySelectorAll('#main, #main *:not(.probe)')]
            .filter((element) => element.checkVisibility() && !element.matches('.unseen, [class=folder], .file'))
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 1
                || (element.matches('#lines, .strip, #bar') && element.scrollWidth > innerWidth))
            .map((element) => element.outerHTML.slice(0, 200))",
    );
    assert_eq!(sticks_out, serde_json::json!([]), "something is wider than the screen");
}

/// What is served of the sample: logs by their groups, a room, and a job.
const SAMPLE: &str = r#"
[[log]]
group = "Shop"
path = "shop/*.log"

[[log]]
group = "Front"
path = "nginx/*.log"

[[log]]
group = "Team"
path = "team/chat"
writable = true

[[job]]
group = "Team"
name = "deploy"
about = "puts the shop on the web"
pty = true
command = ["printf", '''
 1 of 3 pages\r 2 of 3 pages\r 3 of 3 pages
version 42 is out
''']
"#;

/// Runs the job of the sample.
#[track_caller]
fn run_job(page: &Page<'_>) {
    page.eval("fetch('jobs/deploy', { method: 'POST' }).then(({ status }) => status)");
    page.wait_for(
        "fetch('jobs/deploy').then((answer) => answer.json()).then(({ running, runs }) => !running && runs.length > 0)",
    );
    page.wait_for("document.querySelector('#logs a[data-log=deploy]').dataset.state === 'fresh'");
}

/// A shop's logs, those of the server in front of it, and what tells of them; returns the shop's folder.
fn write_sample(folder: &Path) -> PathBuf {
    for (name, seed, count) in [
        ("shop/app.log", 1, 10),
        ("shop/mail.log", 2, 300),
        ("shop/worker.log", 3, 7000),
        ("nginx/access.log", 4, 20_000),
        ("nginx/error.log", 5, 40),
    ] {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder can be made");
        Log::create(&path).write(&chatter(seed, count).concat());
    }
    std::fs::create_dir_all(folder.join("team")).expect("a folder can be made");
    let said = "2026-11-20T10:00:00.000Z Ada: 42 is ready\n2026-11-20T10:00:07.000Z 小明: then out with it\n";
    std::fs::write(folder.join("team/chat"), said).expect("a file can be made");
    std::fs::write(folder.join("wiretail.toml"), SAMPLE).expect("a file can be made");
    // So that what is written to before the reader's eyes is told apart.
    for quiet in ["shop/mail.log", "shop/worker.log", "nginx/access.log", "nginx/error.log", "team/chat"] {
        let file = std::fs::File::options().append(true).open(folder.join(quiet)).expect("it was written");
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).expect("its time can be set");
    }
    folder.join("shop")
}

/// Shows a log that rotates in front of the reader.
fn show_sample(page: &Page<'_>, server: &Server, path: &Path) {
    // Nothing that is too wide for a picture, or needs a rare font.
    let plain = |line: &String| line.len() < 118 && line.chars().all(|char| char < '\u{10000}');
    let said: Vec<String> = chatter(8, 200).into_iter().filter(plain).take(66).collect();
    let (before, after) = said.split_at(ROTATED_AT);
    let log = Log::create(path);
    log.write(&before.concat());
    page.goto(server.url());
    choose(page, "app.log");
    wait_for_state(page, "live");
    log.rotate();
    wait_for_line(page, "-- rotated");
    log.write(&after.concat());
    log.write(&format!("{LAST}\n"));
    wait_for_line(page, LAST);
}

const ROTATED_AT: usize = 48;
const LAST: &str = "deploy: version 42 is out, all checks are green";

/// Lines of a program that does not exist, the same each time.
fn chatter(seed: u64, count: usize) -> Vec<String> {
    let mut chatter = Chatter::new(seed);
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_168_800);
    let at = |number: usize| start + Duration::from_millis(137 * number as u64);
    (0..count).map(|number| format!("{}\n", chatter.next_line(at(number)))).collect()
}

/// Takes a picture for those who want to see what was tested.
pub(crate) fn picture(page: &Page<'_>, name: &str) {
    let path = root().join("target/screenshots").join(name);
    page.screenshot(&path);
    let len = std::fs::metadata(&path).expect("the picture was written").len();
    assert!(len > 10_000, "{name} is {len} bytes: there is nothing to see");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
