//! Patterns, filters and requests that are meant to cost much. They are refused or answered, one at a time, and nobody
//! else waits for it.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Instant;

use super::support::v1::Viewer;
use super::support::ws::{Raw, TEXT, frame, upgrade_request};
use super::support::{SOON, rss_bytes, until};
use super::{MIB, Scene};

/// Expressions that would cost another engine its life, or this one much memory.
const COSTLY: [&str; 7] = [
    r"(a+)+$",
    r"(x+x+)+y",
    r"((((a{50}){50}){50}){50})",
    r"(\\w{1,100}){1,100}",
    r"[\\s\\S]*[\\s\\S]*[\\s\\S]*[\\s\\S]*z",
    r"(?i)\\p{L}{1000}",
    r"((((((((((((((((((((((((((((((((((((((((",
];

#[test]
fn costly_patterns_are_refused_or_answered_and_nobody_waits() {
    let mut scene = Scene::new();
    let mut viewer = Viewer::connect(scene.addr(), "/tail/other.log");
    viewer.wait_for("hello", SOON);
    let memory = rss_bytes(scene.server.pid());
    for pattern in COSTLY {
        viewer.raw.send_text(&format!(r#"{{"filter":{{"grep":["{pattern}"]}}}}"#));
        let answer = loop {
            match viewer.next(SOON) {
                Some(answer) if ["filtered", "error"].contains(&answer.kind.as_str()) => {
                    break answer.kind.clone();
                }
                Some(_) => {}
                None => panic!("{pattern} was not answered"),
            }
        };
        scene.others_notice_nothing();
        if answer == "filtered" {
            // What such expressions are slow at elsewhere.
            let mut log =
                OpenOptions::new().append(true).open(scene.folder.path().join("other.log")).unwrap();
            log.write_all(("a".repeat(50_000) + "\n").repeat(4).as_bytes()).unwrap();
            scene.others_notice_nothing();
        }
    }
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 32 * MIB, "{memory} bytes");
}

#[test]
fn thousands_of_filters_in_one_breath_are_one_filter() {
    let mut scene = Scene::new();
    let mut raw =
        Raw::connect_with(scene.addr(), "/tail/app.log", &[("Sec-WebSocket-Protocol", "wiretail.v1")]);
    let memory = rss_bytes(scene.server.pid());
    let filters: Vec<u8> = (0..20_000)
        .flat_map(|number| frame(TEXT, format!(r#"{{"filter":{{"grep":["number {number}"]}}}}"#).as_bytes()))
        .collect();
    let begun = Instant::now();
    raw.send_raw(&filters);
    scene.others_notice_nothing();
    raw.send_text(r#"{"ping":{}}"#);
    // All are heard in their order; far fewer are answered than were said.
    let mut answers = 0;
    while raw.read_text() != r#"{"pong":{}}"# {
        answers += 1;
    }
    assert!(answers < 5_000, "{answers} answers");
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 8 * MIB, "{memory} bytes, {:?}", begun.elapsed());
}

#[test]
fn two_hundred_filters_that_let_everything_through_share_what_is_kept() {
    let mut scene = Scene::new();
    let crowd: Vec<Raw> = (0..200)
        .map(|number| {
            // All of them let pass what is written below, none is like another.
            Raw::connect(scene.addr(), &format!("/tail/app.log?grep=x&not=never{number}&lines=0"))
        })
        .collect();
    let memory = rss_bytes(scene.server.pid());
    let mut log = OpenOptions::new().append(true).open(scene.log()).unwrap();
    let block = ("x".repeat(99) + "\n").repeat(10_000);
    for _ in 0..10 {
        log.write_all(block.as_bytes()).unwrap();
        // The bystander, who has no filter, is not behind for long.
        let mut text = 0;
        while text < block.len() {
            text += scene.bystander.read_text().len();
        }
    }
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 48 * MIB, "{memory} bytes for two hundred viewers who do not read");
    drop(crowd);
}

#[test]
fn all_filters_together_have_one_bound_and_who_leaves_makes_room() {
    let mut scene = Scene::new();
    let memory = rss_bytes(scene.server.pid());
    // As costly as a filter may be, and none like another.
    let addr = scene.addr();
    let connect = |number: usize| {
        let costly = |letter: char| format!("&grep=%5Cb%5Cw%5B{letter}-z{number}%5D%5Cb");
        let target = format!("/tail/app.log?lines=0{}", "abcd".chars().map(costly).collect::<String>());
        let mut raw = Raw::open(addr);
        raw.send_raw(upgrade_request(addr, &target, &[]).as_bytes());
        let head = raw.read_head();
        (raw, head)
    };
    let mut crowd = Vec::new();
    let refused = loop {
        let (raw, head) = connect(crowd.len());
        if head.status != 101 {
            break head;
        }
        crowd.push(raw);
        assert!(crowd.len() < 200, "there is no bound");
    };
    assert_eq!((refused.status, refused.fields.get("retry-after")), (503, Some("5")));
    assert!(crowd.len() > 20, "{} are not many", crowd.len());
    // A search is told so, and a filter that somebody has already may be had.
    let mut viewer = Viewer::connect(scene.addr(), "/tail/other.log");
    let costly = ["a", "b", "c", "d"].map(|letter| format!(r"\\b\\w[{letter}-z999]\\b")).join(r#"",""#);
    let answers = viewer.ask(&format!(r#"{{"search":{{"id":1,"grep":["{costly}"]}}}}"#));
    assert_eq!(answers.last().unwrap().value["code"], "busy", "{answers:?}");
    let (shared, head) = connect(0);
    assert_eq!(head.status, 101);
    // At work they learn all that they may.
    let text: String = ('a'..='z').chain('é'..='ř').cycle().step_by(7).take(8_000).collect();
    let mut log = OpenOptions::new().append(true).open(scene.log()).unwrap();
    writeln!(log, "{text}").unwrap();
    scene.bystander.read_text();
    scene.others_notice_nothing();
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 256 * MIB, "{memory} bytes for {} filters", crowd.len());
    println!("{memory} bytes for {} filters", crowd.len());
    drop((shared, crowd));
    until("there is room again", SOON, || (connect(1000).1.status == 101).then_some(()));
}

#[test]
fn a_pattern_in_the_address_is_checked_before_anything_is_promised() {
    let scene = Scene::new();
    for pattern in ["%28", "%00", "x".repeat(1025).as_str(), "%0a"] {
        let mut raw = Raw::open(scene.addr());
        raw.send_raw(upgrade_request(scene.addr(), &format!("/tail/app.log?grep={pattern}"), &[]).as_bytes());
        assert_eq!(raw.read_head().status, 400, "{pattern}");
    }
}

#[test]
fn a_crowd_that_searches_and_leaves_at_once_costs_nobody_anything() {
    let mut scene = Scene::new();
    let mut log = OpenOptions::new().append(true).open(scene.folder.path().join("other.log")).unwrap();
    let block = ("x".repeat(99) + "\n").repeat(10_000);
    for _ in 0..20 {
        log.write_all(block.as_bytes()).unwrap();
    }
    let memory = rss_bytes(scene.server.pid());
    for round in 0..3 {
        let crowd: Vec<Raw> = (0..20)
            .map(|number| {
                let fields = [("Sec-WebSocket-Protocol", "wiretail.v1")];
                let mut raw = Raw::connect_with(scene.addr(), "/tail/other.log?lines=0", &fields);
                // Some find nothing, some everything, and none of them listens.
                let pattern = if number % 2 == 0 { "nowhere" } else { "x" };
                raw.send_text(&format!(r#"{{"search":{{"id":{round},"grep":["{pattern}"],"most":10000}}}}"#));
                raw
            })
            .collect();
        scene.others_notice_nothing();
        drop(crowd);
        scene.others_notice_nothing();
    }
    let memory = rss_bytes(scene.server.pid()).saturating_sub(memory);
    assert!(memory <= 24 * MIB, "{memory} bytes");
}

#[test]
fn costly_searches_of_a_large_log_are_answered_and_nobody_waits() {
    let mut scene = Scene::new();
    let mut log = OpenOptions::new().append(true).open(scene.folder.path().join("other.log")).unwrap();
    for _ in 0..5 {
        log.write_all(("a".repeat(100_000) + "\n").as_bytes()).unwrap();
    }
    let mut viewer = Viewer::connect(scene.addr(), "/tail/other.log?lines=0");
    viewer.wait_for("hello", SOON);
    for (id, pattern) in COSTLY.iter().enumerate() {
        viewer.raw.send_text(&format!(r#"{{"search":{{"id":{id},"grep":["{pattern}"]}}}}"#));
        scene.others_notice_nothing();
        let answers = viewer.answers(&id.into());
        assert!(["done", "error"].contains(&answers.last().unwrap().kind.as_str()));
    }
}
