//! Rooms: logs that people write into from the page, and from anywhere else; and the room of the chat example.

use std::process::Command;

use crate::looks::{assert_nothing_sticks_out, picture};
use crate::support::browser::{Browser, Page};
use crate::support::page::{all_lines, assert_content, wait_for_line, wait_for_state, watch};
use crate::support::proxy::Proxy;
use crate::support::ws::Raw;
use crate::support::{Server, temp_dir};

/// Writes a message as a person does.
#[track_caller]
fn say(page: &Page<'_>, message: &str) {
    page.click("#say-message");
    page.type_text(message);
    page.press("Enter");
    page.wait_for("document.querySelector('#say-message').value === '' && !document.querySelector('#say-send').disabled");
}

/// What was said, without the times: `who: what`.
fn said(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .map(|line| line.split_once(' ').map_or(line.clone(), |(_, rest)| rest.to_owned()))
        .collect()
}

#[test]
fn two_pages_and_curl_chat_and_nothing_is_lost_or_doubled() {
    let folder = temp_dir();
    let path = folder.path().join("chat.log");
    let server = Server::start(&["--room", path.to_str().unwrap()]);
    let browser = Browser::start();
    // One of them where no WebSocket gets through.
    let proxy = Proxy::before(server.addr());
    proxy.block_websocket(true);
    proxy.block_events(true);
    let ada = watch(&browser, &server, "chat.log");
    let bob = browser.page();
    bob.goto(&proxy.url());
    bob.wait_for("document.querySelector('#way').textContent === 'over long polls'");
    wait_for_state(&bob, "live");
    for (page, name) in [(&ada, "Ada"), (&bob, "Bob")] {
        page.click("#say-who");
        page.type_text(name);
    }

    let url = format!("http://{}/tail/chat.log", server.addr());
    let script = format!(
        "for i in $(seq 1 8); do curl -sf -o /dev/null --data-urlencode \"message=from curl $i\" -d who=curl {url} || exit 1; done"
    );
    let mut curl = Command::new("sh").args(["-c", &script]).spawn().expect("sh runs");
    for number in 1..=4 {
        say(&ada, &format!("hello {number}"));
        say(&bob, &format!("hi {number}"));
    }
    assert!(curl.wait().expect("curl ends").success(), "curl has said it all");
    say(&ada, "bye");

    for page in [&ada, &bob] {
        wait_for_line(page, std::fs::read_to_string(&path).unwrap().lines().last().unwrap());
    }
    let all = said(all_lines(&ada));
    assert_eq!(all, said(std::fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect()));
    assert_eq!(said(crate::support::page::rows(&bob)), all, "by long polls as well");
    let of = |name: &str| all.iter().filter(|line| line.starts_with(name)).cloned().collect::<Vec<_>>();
    assert_eq!(of("Ada: "), ["Ada: hello 1", "Ada: hello 2", "Ada: hello 3", "Ada: hello 4", "Ada: bye"]);
    assert_eq!(of("Bob: "), ["Bob: hi 1", "Bob: hi 2", "Bob: hi 3", "Bob: hi 4"]);
    assert_eq!(of("curl: "), (1..=8).map(|number| format!("curl: from curl {number}")).collect::<Vec<_>>());
    picture(&ada, "desk-room.png");
    assert_content(&ada, &server);
}

#[test]
fn a_name_is_remembered_and_what_the_server_refuses_is_told_at_the_box() {
    let folder = temp_dir();
    let path = folder.path().join("chat.log");
    let plain = folder.path().join("app.log");
    std::fs::write(&plain, "a line\n").unwrap();
    let server = Server::start(&["--room", path.to_str().unwrap(), plain.to_str().unwrap()]);
    let browser = Browser::start();
    let page = browser.page();
    page.goto(&format!("{}#/app.log", server.url()));
    wait_for_line(&page, "a line");
    assert!(page.eval("document.querySelector('#say').hidden").as_bool().unwrap(), "it can only be read");
    page.goto(&format!("{}#/chat.log", server.url()));
    page.wait_for("!document.querySelector('#say').hidden");
    page.click("#say-who");
    page.type_text("Ada");
    say(&page, "<b>hello</b>\t& good bye");
    page.wait_for("document.querySelector('#lines').textContent.includes('Ada: <b>hello</b>')");
    page.eval("location.reload()");
    page.wait_for("document.querySelector('#say-who')?.value === 'Ada'");
    page.wait_for("!document.querySelector('#say').hidden");

    let note = |page: &Page<'_>| page.text("document.querySelector('#say-note').textContent");
    let refused = |page: &Page<'_>, status: u16, more: &str| {
        page.eval(&format!(
            "(window.plainFetch ??= fetch, window.fetch = (url, init) => init?.method === 'POST'
                ? Promise.resolve(new Response('Too often.', {{ status: {status}, headers: {{ {more} }} }}))
                : plainFetch(url, init), 0)"
        ));
        page.press("Enter");
        page.wait_for(
            "!document.querySelector('#say-note').hidden && !document.querySelector('#say-send').disabled",
        );
    };
    // Too long for the server: the message stays, to be made shorter.
    page.click("#say-message");
    page.type_text(&"x".repeat(17_000));
    page.press("Enter");
    page.wait_for("!document.querySelector('#say-note').hidden");
    assert_eq!(note(&page), "The message is too long: 16 KiB at most");
    assert_eq!(page.number("document.querySelector('#say-message').value.length"), 17_000);
    // And a name that would pass for an address.
    page.eval("(document.querySelector('#say-message').value = 'hello', document.querySelector('#say-who').value = '[::1]', 0)");
    page.press("Enter");
    page.wait_for(
        "document.querySelector('#say-note').textContent.startsWith('A name has at most 32 letters')",
    );
    // From here on, a server that says what ours says to those who are many and far away.
    refused(&page, 429, "'Retry-After': '7', 'Wiretail-Code': 'too-often'");
    assert_eq!(note(&page), "Too often. · again in 7 s");
    picture(&page, "desk-room-refused.png");
    let phone = browser.page();
    phone.phone();
    phone.locale("zh-CN");
    phone.dark(true);
    phone.goto(&format!("{}#/chat.log", server.url()));
    phone.wait_for("!document.querySelector('#say').hidden");
    phone.click("#say-message");
    phone.type_text("早上好");
    phone.eval("document.querySelector('#say-who').value = '王:小明'");
    phone.press("Enter");
    let allowed = "名字最多 32 个字符，只能使用文字、数字、空格以及 - _ . '";
    phone.wait_for(&format!("document.querySelector('#say-note').textContent === {allowed:?}"));
    picture(&phone, "phone-room-name.png");
    refused(&phone, 429, "'Retry-After': '7', 'Wiretail-Code': 'too-often'");
    assert_eq!(note(&phone), "发送太频繁，请稍后再试 · 7 秒后重试");
    picture(&phone, "phone-room-refused.png");
    assert_nothing_sticks_out(&phone);
}

#[test]
fn the_page_of_the_chat_example_shows_what_is_said_as_text() {
    let server = Server::example("chat");
    let browser = Browser::start();
    let page = browser.page();
    page.goto(&format!("{}?name=Ada", server.url()));
    page.wait_for("document.querySelector('li')?.textContent === 'Ada is here.'");

    let mut other = Raw::connect(server.addr(), "/chat?name=%3Ci%3E");
    other.send_text("<img src=x onerror=alert(1)>");
    page.wait_for("document.querySelectorAll('li')[2]?.textContent === '<i>: <img src=x onerror=alert(1)>'");
    assert_eq!(page.number("document.querySelectorAll('li *').length"), 0, "no markup came of it");

    page.eval(
        "document.querySelector('input').value = 'hello'; document.querySelector('form').requestSubmit()",
    );
    let heard: Vec<String> = (0..3).map(|_| other.read_text()).collect();
    assert_eq!(heard[2], "Ada: hello");
}
