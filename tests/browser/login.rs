//! Where there are users: logging in and out, with scripts and without, and what the other tabs see of it.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::looks::{assert_nothing_sticks_out, picture};
use crate::support::browser::{Browser, Page};
use crate::support::page::{rows, wait_for_line, wait_for_state};
use crate::support::server::wiretail;
use crate::support::{Server, TempDir, temp_dir};

/// A server for `ada`, who may everything, and `bob`, who sees the room and the job, and that is all.
fn serve() -> (Server, TempDir) {
    let folder = temp_dir();
    for log in ["app.log", "chat.log"] {
        fs::write(folder.path().join(log), format!("a line of {log}\n")).unwrap();
    }
    let mut child = wiretail();
    let mut child =
        child.arg("hash-password").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().unwrap().write_all(b"open sesame").unwrap();
    let hash = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let hash = hash.trim_end();
    let config = format!(
        "[[log]]\npath = 'app.log'\n[[log]]\npath = 'chat.log'\nwritable = true\n\
         [[job]]\nname = 'deploy'\ncommand = ['echo', 'deployed']\n\
         [[user]]\nname = 'ada'\npassword = '{hash}'\nlogs = ['*']\njobs = ['*']\nwrite = true\n\
         [[user]]\nname = 'bob'\npassword = '{hash}'\nlogs = ['chat.log', 'deploy']\n"
    );
    let path = folder.path().join("wiretail.toml");
    fs::write(&path, config).unwrap();
    (Server::start(&["-c", path.to_str().unwrap()]), folder)
}

/// Fills in the form, as a person does.
fn log_in(page: &Page<'_>, name: &str, password: &str) {
    page.wait_for("document.querySelector('#password') !== null && document.readyState === 'complete'");
    page.eval("document.querySelector('#name').value = ''; document.querySelector('#password').value = ''");
    page.click("#name");
    page.type_text(name);
    page.click("#password");
    page.type_text(password);
    page.press("Enter");
}

/// What the page complained about, but for answers with these statuses: the browser logs each.
fn complaints(page: &Page<'_>, but: &[&str]) -> Vec<String> {
    let all = page.complaints();
    all.into_iter().filter(|complaint| !but.iter().any(|status| complaint.contains(status))).collect()
}

#[test]
fn one_logs_in_and_comes_to_where_one_wanted_to_go() {
    let (server, _folder) = serve();
    let browser = Browser::start();
    let page = browser.page();
    page.dark(true);
    page.goto(&format!("{}#/app.log", server.url()));
    page.wait_for("document.title === 'Log in · wiretail'");
    assert_eq!(page.text("document.activeElement.id"), "name");
    assert_eq!(page.text("document.querySelector('#note').dataset.kind"), "none");
    picture(&page, "desk-login.png");
    log_in(&page, "ada", "wrong");
    page.wait_for("document.querySelector('#note').dataset.kind === 'bad'");
    assert_eq!(
        page.text("document.querySelector('#note').textContent"),
        "The name or the password is wrong."
    );
    assert_eq!(page.text("document.querySelector('#name').value"), "ada");
    assert_eq!(page.text("document.activeElement.id"), "password", "the name is there already");
    picture(&page, "desk-login-wrong.png");
    log_in(&page, "ada", "open sesame");
    wait_for_state(&page, "live");
    wait_for_line(&page, "a line of app.log");
    assert_eq!(page.text("location.hash"), "#/app.log");
    assert_eq!(page.text("document.querySelector('#user-name').textContent"), "ada");
    assert_eq!(page.text("document.cookie"), "", "no script gets at the session");
    assert_eq!(complaints(&page, &["401"]), Vec::<String>::new());
    picture(&page, "desk-user.png");
}

#[test]
fn logging_out_closes_the_stream_in_another_tab_which_leads_back_to_its_log() {
    let (server, folder) = serve();
    let browser = Browser::start();
    let page = browser.page();
    page.goto(server.url());
    log_in(&page, "ada", "open sesame");
    page.wait_for("document.querySelector('#user-name')?.textContent === 'ada'");
    let other = page.beside();
    other.goto(&format!("{}#/app.log", server.url()));
    wait_for_state(&other, "live");
    wait_for_line(&other, "a line of app.log");

    page.click("#log-out");
    page.wait_for("document.querySelector('#note')?.textContent === 'You are logged out.'");
    other.wait_for(
        "document.querySelector('#note')?.textContent === 'Your session is over. Please log in again.'",
    );
    fs::write(folder.path().join("app.log"), "a line of app.log\nwritten meanwhile\n").unwrap();
    log_in(&other, "ada", "open sesame");
    wait_for_line(&other, "written meanwhile");
    assert_eq!(other.text("location.hash"), "#/app.log");
    assert_eq!(complaints(&page, &["401"]), Vec::<String>::new());
    // A stream that is refused, or a question that is, may be in the browser's own log.
    assert_eq!(complaints(&other, &["401", "WebSocket"]), Vec::<String>::new());
}

#[test]
fn a_link_on_another_site_leads_to_the_log_for_who_is_logged_in() {
    let (server, _folder) = serve();
    let browser = Browser::start();
    let page = browser.page();
    page.goto(server.url());
    log_in(&page, "ada", "open sesame");
    page.wait_for("document.querySelector('#user-name')?.textContent === 'ada'");
    // By another name it is another site, whose pages the browser sends no cookie for.
    let elsewhere = server.url().replace("127.0.0.1", "localhost");
    let to = format!("{}?from_a_chat#/app.log", server.url());
    page.goto(&format!("{elsewhere}login"));
    page.wait_for("location.hostname === 'localhost' && document.readyState === 'complete'");
    page.eval(&format!("location.assign({to:?})"));
    wait_for_state(&page, "live");
    wait_for_line(&page, "a line of app.log");
    assert_eq!(page.text("location.href"), to);
    // Who is not known is asked, and so is who wants to be somebody else.
    page.goto(&format!("{elsewhere}?from_a_chat"));
    page.wait_for("document.querySelector('#password') !== null && document.readyState === 'complete'");
    page.goto(&format!("{}login", server.url()));
    page.wait_for("document.querySelector('#password') !== null && document.readyState === 'complete'");
    assert_eq!(page.text("document.querySelector('#name').value"), "ada");
    assert_eq!(complaints(&page, &[]), Vec::<String>::new());
}

#[test]
fn one_sees_and_is_offered_what_one_may() {
    let (server, _folder) = serve();
    let browser = Browser::start();
    let page = browser.page();
    page.goto(&format!("{}#/deploy", server.url()));
    log_in(&page, "bob", "open sesame");
    page.wait_for("document.querySelector('#user-name')?.textContent === 'bob'");
    page.wait_for("document.querySelectorAll('#logs a').length === 2");
    page.wait_for("!document.querySelector('#job').hidden");
    assert_eq!(page.text("String(document.querySelector('#job-start').hidden)"), "true");
    page.click("#logs a[data-log='chat.log']");
    wait_for_line(&page, "a line of chat.log");
    assert_eq!(page.text("String(document.querySelector('#say').hidden)"), "true", "bob may not write");

    page.click("#log-out");
    log_in(&page, "ada", "open sesame");
    wait_for_line(&page, "a line of chat.log");
    page.wait_for("!document.querySelector('#say').hidden");
    assert_eq!(page.text("String(document.querySelector('#say-who').hidden)"), "true", "her name is known");
    page.click("#say-message");
    page.type_text("good morning");
    page.press("Enter");
    page.wait_for("document.querySelector('#lines').textContent.includes('ada: good morning')");
    assert!(rows(&page).last().unwrap().ends_with("Z ada: good morning"));
}

#[test]
fn the_login_is_there_in_chinese_in_the_light_on_a_phone_and_without_scripts() {
    let (server, _folder) = serve();
    let browser = Browser::start();
    let page = browser.page();
    page.call("Emulation.setScriptExecutionDisabled", &serde_json::json!({ "value": true }));
    page.locale("zh-CN");
    page.phone();
    page.dark(false);
    page.goto(&format!("{}login?next=/tail/app.log&why=over", server.url()));
    page.wait_for("document.title === '登录 · wiretail'");
    assert_eq!(page.text("document.documentElement.lang"), "zh-CN");
    assert_eq!(page.text("document.querySelector('#note').textContent"), "登录已失效，请重新登录。");
    assert_nothing_sticks_out(&page);
    assert_eq!(page.text("getComputedStyle(document.body).backgroundColor"), "rgb(252, 252, 251)");
    picture(&page, "phone-login-zh-light.png");
    page.click("#other");
    page.wait_for("document.title === 'Log in · wiretail'");
    log_in(&page, "ada", "open sesame");
    page.wait_for("document.body.textContent.includes('a line of app.log')");
}
