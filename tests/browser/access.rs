//! The page for those who use keys alone or have it read to them, and on a phone, where there is room for one thing.

use std::fs;

use serde_json::{Value, json};

use crate::looks::{assert_nothing_sticks_out, picture};
use crate::support::browser::{Browser, Page};
use crate::support::page::{assert_content, choose, wait_for_line, wait_for_state};
use crate::support::{Server, TempDir, temp_dir};

/// Two logs, a room, and a job that has been told nothing.
fn serve() -> (Server, TempDir) {
    let folder = temp_dir();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("app.log", "2026-11-21 ERROR one\n10%\r20%\n2026-11-21 WARN two\n2026-11-21 DEBUG three\n");
    write("mail.log", "sent\n");
    write("chat", "2026-11-25T19:45:00.123Z ada: hello\n");
    write(
        "wiretail.toml",
        r#"
[[log]]
group = "Shop"
path = "*.log"
[[log]]
path = "chat"
writable = true
[[job]]
name = "build"
about = "builds the shop"
command = ["sh", "-c", "echo built; sleep 600"]
"#,
    );
    (Server::start(&["-c", folder.path().join("wiretail.toml").to_str().unwrap()]), folder)
}

/// The text that is seen and stands out from its ground by less than 4.5:1, as it is drawn.
const FAINT: &str = "(() => {
    const parts = (colour) => {
        const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
        return { rgb: colour.startsWith('rgb') ? [red, green, blue].map((part) => part / 255) : [red, green, blue], alpha };
    };
    const over = ({ rgb, alpha }, ground) => rgb.map((part, i) => part * alpha + ground[i] * (1 - alpha));
    const groundOf = (element) => {
        const own = parts(getComputedStyle(element).backgroundColor);
        if (own.alpha === 1) return own.rgb;
        return over(own, element.parentElement === null ? [1, 1, 1] : groundOf(element.parentElement));
    };
    const light = (rgb) => rgb
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
    const faint = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
        const element = text.parentElement;
        if (text.data.trim() === '' || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        if (element.closest('[aria-hidden=true], .unseen, :disabled, noscript') !== null) continue;
        const ground = groundOf(element);
        const [a, b] = [light(over(parts(getComputedStyle(element).color), ground)), light(ground)];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) faint.push(`${text.data.trim()}: ${ratio.toFixed(2)}`);
    }
    return faint;
})()";

/// What has the focus: its name for people, and whether that is seen.
const FOCUSED: &str = "(() => {
    const element = document.activeElement;
    const rings = [element, element.nextElementSibling].filter((one) => one !== null)
        .some((one) => getComputedStyle(one).outlineStyle !== 'none');
    const framed = element.matches('.field input');
    return [element.id || element.dataset.log || element.className || element.tagName, rings || framed];
})()";

/// All that can be worked has a name, and no two buttons have the same.
#[track_caller]
fn assert_names(page: &Page<'_>) {
    let tree = page.call("Accessibility.getFullAXTree", &json!({}));
    let mut buttons = Vec::new();
    for node in tree["nodes"].as_array().unwrap().iter().filter(|node| node["ignored"] != true) {
        let role = node["role"]["value"].as_str().unwrap_or_default();
        let name = node["name"]["value"].as_str().unwrap_or_default().to_owned();
        if ["button", "link", "textbox", "searchbox", "checkbox", "switch", "radio", "listbox", "region"]
            .contains(&role)
        {
            assert_ne!(name, "", "a {role} without a name: {node}");
        }
        if role == "button" {
            assert!(!buttons.contains(&name), "two buttons are called {name:?}");
            buttons.push(name);
        }
    }
    assert!(!buttons.is_empty());
}

#[test]
fn whatever_can_be_worked_has_a_name_and_is_reached_by_keys_and_what_is_said_can_be_read() {
    let (server, _folder) = serve();
    let browser = Browser::start();
    for (dark, language) in [(true, "en"), (false, "zh-CN")] {
        let page = browser.page();
        page.dark(dark);
        page.locale(language);
        let check = |what: &str| {
            assert_eq!(page.eval(FAINT), json!([]), "{what}, dark: {dark}");
            assert_names(&page);
        };
        page.goto(server.url());
        choose(&page, "app.log");
        wait_for_line(&page, "2026-11-21 DEBUG three");
        let pictured = "[...document.querySelectorAll('#logs a:has(svg)')].map(({ dataset }) => dataset.log)";
        assert_eq!(page.eval(pictured), json!(["chat", "build"]), "what is more than a log is told apart");
        check("a log");
        choose(&page, "chat");
        page.wait_for("!document.querySelector('#say').hidden");
        check("a room");
        choose(&page, "build");
        page.wait_for("!document.querySelector('#job').hidden");
        check("a job");
        page.click("#job-start");
        wait_for_line(&page, "built");
        page.wait_for("!document.querySelector('#job-stop').hidden");
        check("a job that runs");

        // All the way round by the Tab key.
        page.eval("document.activeElement.blur()");
        let mut passed: Vec<String> = Vec::new();
        loop {
            page.press("Tab");
            let focused = page.eval(FOCUSED);
            let name = focused[0].as_str().unwrap().to_owned();
            if passed.first() == Some(&name) {
                break;
            }
            // Between the last and the first it is the browser's own.
            if name == "BODY" {
                continue;
            }
            assert_eq!(focused[1], Value::Bool(true), "it is not seen that {name} has the focus");
            passed.push(name);
            assert!(passed.len() < 60, "{passed:?}");
        }
        for id in [
            "logs-search",
            "mail.log",
            "build",
            "find-open",
            "disconnect",
            "follow",
            "help-open",
            "job-stop",
            "lines",
        ] {
            assert!(passed.iter().any(|name| name == id), "{id}: {passed:?}");
        }
        page.click("#job-stop");
        page.wait_for("!document.querySelector('#job-start').hidden");
        page.click("#help-open");
        check("the keys");
        page.press("Escape");
        page.press("g");
        page.wait_for("document.querySelector('#goto').open");
        check("where to go");
        page.press("Escape");
        assert_content(&page, &server);
    }
}

#[test]
fn on_a_phone_one_begins_with_the_list_of_logs_and_gets_back_to_it() {
    let (server, _folder) = serve();
    let browser = Browser::start();
    let listed = "document.querySelector('#logs a[data-log=\"mail.log\"]')
        ?.checkVisibility({ visibilityProperty: true }) === true";
    for (language, dark) in [("en", false), ("zh-CN", true)] {
        let phone = browser.page();
        phone.phone();
        phone.locale(language);
        phone.dark(dark);
        phone.goto(server.url());
        phone.wait_for(listed);
        assert_eq!(phone.text("document.querySelector('#name').textContent"), "wiretail");
        assert_eq!(phone.number("document.querySelector('#sidebar').getBoundingClientRect().width"), 390);
        assert!(!phone.eval("document.querySelector('#stage').checkVisibility()").as_bool().unwrap());
        assert_names(&phone);
        assert_eq!(phone.eval(FAINT), json!([]));
        picture(&phone, &format!("phone-list-{language}.png"));
        assert_nothing_sticks_out(&phone);

        choose(&phone, "mail.log");
        wait_for_line(&phone, "sent");
        wait_for_state(&phone, "live");
        phone.wait_for(&format!("!({listed})"));
        // By the button the list comes over the log, which goes on.
        phone.click("#drawer-open");
        phone.wait_for("document.querySelector('#sidebar').getBoundingClientRect().left === 0");
        wait_for_state(&phone, "live");
        choose(&phone, "app.log");
        wait_for_line(&phone, "2026-11-21 DEBUG three");
        phone.wait_for(&format!("!({listed})"));
        // And the phone's own way back leads there, too.
        phone.eval("setTimeout(() => history.go(-2))");
        phone.wait_for(&format!("{listed} && document.querySelector('#app.choosing') !== null"));
        // Turned on its side there is room for both.
        phone.viewport(1000, 700);
        phone.wait_for("document.querySelector('#stage').checkVisibility()");
        assert_content(&phone, &server);
    }
}
