//! Jobs: started by a click, watched by many, stopped, and what there is to be seen of each run afterwards.

use std::fs;

use rustix::process::{Pid, test_kill_process};

use crate::looks::{assert_nothing_sticks_out, picture};
use crate::support::browser::{Browser, Page};
use crate::support::page::{all_lines, assert_content, choose, rows, scroll_to_the_start, wait_for_line};
use crate::support::{SOON, Server, TempDir, temp_dir, until};

/// A coloured build that waits to be told to go on, and has a child of its own; then one that ends badly by itself.
const JOBS: &str = r#"
[[job]]
name = "build"
about = "builds the shop, and waits"
command = ["sh", "-c", '''
echo $$ > pids; sleep 600 & echo $! >> pids
printf '\033[32mgreen\033[0m and plain\n'
echo 'something is wrong' >&2
for i in $(seq 1 300); do echo "step $i"; done
while [ ! -e go ]; do sleep 0.05; done
echo 'went on'
wait
''']
grace = 1

[[job]]
name = "check"
command = ["sh", "-c", "echo checked; exit 3"]

[[job]]
name = "fetch"
pty = true
command = ["sh", "-c", '''
echo 'fetching'
for i in 1 2 3 4 5 6 7 8 9; do printf '\r%d0 %% of it' $i; done
while [ ! -e on ]; do sleep 0.05; done
printf '\r\033[Kall of it\n'
''']
"#;

fn serve() -> (Server, TempDir) {
    let folder = temp_dir();
    let config = folder.path().join("wiretail.toml");
    fs::write(&config, JOBS).unwrap();
    (Server::start(&["-c", config.to_str().unwrap()]), folder)
}

/// Opens the page at a job.
fn open<'a>(browser: &'a Browser, server: &Server, job: &str) -> Page<'a> {
    let page = browser.page();
    page.goto(server.url());
    choose(&page, job);
    page.wait_for("['live', 'never'].includes(document.querySelector('#connection').dataset.state)");
    page.wait_for("document.querySelector('#job').hidden === false");
    page
}

/// Waits until the job is said to stand like this.
#[track_caller]
fn wait_for_job(page: &Page<'_>, text: &str) {
    page.wait_for(&format!("document.querySelector('#job-state').textContent.includes({text:?})"));
}

fn is_there(pid: &str) -> bool {
    let pid = pid.parse().ok().and_then(Pid::from_raw).expect("a process id");
    // A dead one that nobody has buried yet does nothing any more.
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !stat.contains(") Z ")
}

#[test]
fn a_job_is_started_by_a_click_watched_by_late_comers_and_stopped_with_all_that_it_started() {
    let (server, folder) = serve();
    let browser = Browser::start();
    let page = open(&browser, &server, "build");
    wait_for_job(&page, "Not run yet");
    assert_eq!(page.text("document.querySelector('#connection').textContent"), "Not run yetRun starts it");
    picture(&page, "desk-job-never.png");

    page.click("#job-start");
    wait_for_line(&page, "step 300");
    wait_for_job(&page, "Running");
    let first = all_lines(&page);
    assert!(first.iter().any(|line| line == "green and plain"), "{first:?}");

    // Who comes late sees it all, in its colours, and standard error told apart.
    let late = open(&browser, &server, "build");
    wait_for_line(&late, "step 300");
    assert_eq!(all_lines(&late), first);
    scroll_to_the_start(&late);
    wait_for_line(&late, "green and plain");
    let green =
        "[...document.querySelectorAll('#lines .line span')].find((span) => span.textContent === 'green')";
    late.wait_for(&format!(
        "{green} !== undefined && getComputedStyle({green}).color !== getComputedStyle(document.body).color"
    ));
    assert_eq!(
        late.text(
            "[...document.querySelectorAll('#lines .line.stderr')].map((line) => line.textContent).join()"
        ),
        "E| something is wrong"
    );
    picture(&late, "desk-job-running.png");

    // It is live on both.
    late.click("#follow");
    fs::write(folder.path().join("go"), "").unwrap();
    wait_for_line(&page, "went on");
    wait_for_line(&late, "went on");

    let pids = fs::read_to_string(folder.path().join("pids")).unwrap();
    assert_eq!(pids.lines().filter(|pid| is_there(pid)).count(), 2, "the job and its child");
    late.click("#job-stop");
    for page in [&page, &late] {
        wait_for_job(page, "Stopped");
        wait_for_job(page, "Ended by signal 15");
        page.wait_for(
            "!document.querySelector('#job-start').hidden && document.querySelector('#job-stop').hidden",
        );
    }
    until("all of the process group to end", SOON, || (!pids.lines().any(is_there)).then_some(()));
    assert_content(&page, &server);
    assert_content(&late, &server);
}

#[test]
fn how_each_run_ended_is_shown_and_leads_to_what_it_said() {
    let (server, _folder) = serve();
    let browser = Browser::start();
    let page = open(&browser, &server, "check");
    for run in 1..=3 {
        page.wait_for("!document.querySelector('#job-start').hidden");
        page.click("#job-start");
        page.wait_for(&format!(
            "document.querySelectorAll('#job-list li').length === {run}
                && document.querySelector('#job-state').textContent.startsWith('Exit status 3 · ')"
        ));
    }
    page.click("#job-runs summary");
    page.wait_for("document.querySelector('#job-list').checkVisibility()");
    let listed = page.text(
        "[...document.querySelectorAll('#job-list .number')].map(({ textContent }) => textContent).join()",
    );
    assert_eq!(listed, "#3,#2,#1", "the newest first");
    picture(&page, "desk-job-runs.png");
    page.click("#job-list li:last-child button");
    page.wait_for("document.querySelector('#lines .line.found') !== null");
    let shown = rows(&page);
    let found = page.text("document.querySelector('#lines .line.found').textContent");
    let at = shown.iter().position(|row| *row == found).unwrap();
    assert!(shown[at..].iter().filter(|row| *row == "checked").count() == 3, "all three: {shown:?}");
    let borders = page
        .text("[...document.querySelectorAll('#lines .mark')].map(({ textContent }) => textContent).join()");
    assert_eq!(borders, "A new run begins here,A new run begins here", "not that a file was rotated");

    let phone = browser.page();
    phone.phone();
    phone.locale("zh-CN");
    phone.goto(&format!("{}#/check", server.url()));
    wait_for_job(&phone, "退出状态 3");
    phone.click("#job-runs summary");
    phone.wait_for("document.querySelector('#job-list').checkVisibility()");
    picture(&phone, "phone-job.png");
    assert_nothing_sticks_out(&phone);
    assert_content(&page, &server);
}

#[test]
fn a_progress_bar_is_one_line_and_what_was_written_over_is_not_lost() {
    let (server, folder) = serve();
    let browser = Browser::start();
    let page = open(&browser, &server, "fetch");
    page.click("#job-start");
    // Half a line, and no end of it yet.
    wait_for_line(&page, "90 % of it");
    fs::write(folder.path().join("on"), "").unwrap();
    wait_for_line(&page, "all of it");
    wait_for_job(&page, "Exit status 0");
    let drawn = rows(&page);
    assert_eq!(drawn[1..3], ["fetching", "all of it"]);
    picture(&page, "desk-job-progress.png");

    // By keys: what was written over, each state in a line of the screen, and away again.
    let button = "document.querySelector('#lines .overwritten')";
    assert_eq!(page.text(&format!("{button}.dataset.over")), "9");
    page.eval(&format!("{button}.focus()"));
    page.press("Enter");
    let states: String = (1..=9).map(|tenth| format!("{tenth}0 % of it^M")).collect();
    wait_for_line(&page, &format!("^M{states}all of it"));
    let height = "Math.round(document.querySelectorAll('#lines .line')[2].getBoundingClientRect().height
        / document.querySelectorAll('#lines .line')[1].getBoundingClientRect().height)";
    assert_eq!(page.number(height), 11);
    picture(&page, "desk-job-progress-whole.png");
    assert_eq!(page.text("document.activeElement.className"), "overwritten", "the focus stays");
    page.press("Enter");
    wait_for_line(&page, "all of it");

    // A search finds what was written over, and shows where.
    page.press("/");
    page.type_text("40 %");
    page.press("Enter");
    page.wait_for("document.querySelector('#find-note').dataset.phase === 'done'");
    assert_eq!(page.text("document.querySelector('.found-line .text').textContent"), "40 % of it");
    page.press("Enter");
    page.wait_for("document.querySelector('#lines .line.found .hit')?.textContent === '40 %'");

    // Nothing of it is changed for anybody else.
    let raw = page.text("fetch('raw/fetch').then((answer) => answer.text())");
    assert!(raw.contains("\r80 % of it\r90 % of it\r\u{1b}[Kall of it\n"), "{raw:?}");
    assert_content(&page, &server);
}

#[test]
fn what_the_server_refuses_is_said_in_the_pages_language() {
    let (server, folder) = serve();
    let browser = Browser::start();
    let page = browser.page();
    page.locale("zh-CN");
    page.goto(&format!("{}#/build", server.url()));
    wait_for_job(&page, "尚未运行");
    assert_eq!(page.text("document.querySelector('#connection').textContent"), "尚未运行点“运行”即可启动");
    let other = browser.page();
    other.goto(&format!("{}#/build", server.url()));
    wait_for_job(&other, "Not run yet");
    // Somebody else was quicker.
    page.eval("document.querySelector('#job-start').hidden = false");
    let started = page.eval("fetch('jobs/build', { method: 'POST' }).then(({ status }) => status)");
    assert_eq!(started, 201);
    page.eval("document.querySelector('#job-start').click()");
    page.wait_for("document.querySelector('#toast').textContent === '任务已经在运行'");
    wait_for_line(&page, "step 300");
    fs::write(folder.path().join("go"), "").unwrap();
}
