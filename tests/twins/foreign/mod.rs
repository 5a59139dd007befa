//! Python's `websockets` and npm's `ws`, with permessage-deflate: its four parameters as they come, what was agreed on
//! read from the handshake, and what was made of it from the bytes on the wire.

mod between;
mod line;
mod peer;
mod plan;
mod proofs;
mod wire;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use self::between::Between;
use self::line::Line;
use self::peer::{Implementation, Peer};
use self::plan::{Plan, Wish, agrees, for_client, messages, numbered, plan};
use self::proofs::{check_agreement, check_answer, check_compression};
use self::wire::Side;
use crate::ours::Ours;
use crate::support::Server;
use crate::word::{Word, same};
use crate::{draw, runner};

/// How many conversations with each implementation in each role.
const CONVERSATIONS: usize = 40;

/// How long an answer may take: far more than a busy machine needs.
const SOON: Duration = Duration::from_secs(30);

/// Holds a conversation as their client with our program.
fn play_client(peer: &mut Peer, server: &Server, plan: &Plan) -> Result<(), String> {
    let between = Between::new(server.addr(), plan.most, plan.seed);
    let answer = peer.ask(&for_client(plan, &format!("ws://{}/ws/echo", between.addr())))?;
    let (client, server) = between.heard();
    let (client, server) = (Side::read(&client), Side::read(&server));

    let told = answer["heard"].as_array().ok_or("no list of what it heard")?;
    let heard: Option<Vec<Word>> = told.iter().map(word).collect();
    same("the echo", &messages(&plan.said), &heard.ok_or("words that are none")?)?;
    let Word::Close(code, _) = plan.close.word() else { panic!("the end is a close frame") };
    if answer["close"] != json!([code, ""]) {
        return Err(format!("closed with {}, not {code:?}", answer["close"]));
    }
    if answer["agreed"].as_str() != server.extensions() {
        return Err(format!("it believes that {} was agreed on", answer["agreed"]));
    }
    // Pings that come while the echo is stuck may share an answer (RFC 6455 §5.5.3).
    let mut pings = client.pings.iter();
    if let Some(pong) = server.pongs.iter().find(|pong| !pings.any(|ping| ping == *pong)) {
        return Err(format!("nobody asked for the pong {:?}", String::from_utf8_lossy(pong)));
    }
    check_agreement(plan.offer.is_some(), &client, &server)?;
    if let Some(offer) = plan.offer {
        check_answer(offer, server.extensions().unwrap_or_default())?;
    }
    check_compression(&messages(&plan.said), "server", &client, &server)
}

fn word(told: &Value) -> Option<Word> {
    let opcode = if told["text"].as_bool()? { 1 } else { 2 };
    Some(Word::new(opcode, STANDARD.decode(told["data"].as_str()?).ok()?))
}

/// Holds a conversation as our client with their server, at `port`.
fn play_server(port: u16, plan: &Plan) -> Result<(), String> {
    let between = Between::new(([127, 0, 0, 1], port).into(), plan.most, plan.seed);
    let offer = plan.offer.map(Wish::parameters);
    let ours = Ours::client(&between.addr().to_string(), "/", offer.as_ref());
    let mut line = Line::connect(between.addr(), ours);
    line.wait("the handshake", Ours::began)?;
    let mut pings = 0;
    for (count, (said, rest)) in plan.said.iter().enumerate() {
        line.ours.say(match said.word() {
            Word::Ping(payload) => {
                pings += 1;
                Word::Ping(numbered(pings, &payload))
            }
            word => word,
        });
        if *rest || count + 1 == plan.said.len() {
            let expected = (messages(&plan.said[..=count]).len(), pings);
            line.wait("every answer", |ours| answers(&ours.heard) == expected)?;
        }
    }
    let Word::Close(Some(code), reason) = plan.close.word() else {
        panic!("the end is a close frame with a code")
    };
    line.ours.say(match plan.they_close {
        true => Word::Text(format!("close {code} {reason}")),
        false => Word::Close(Some(code), reason.clone()),
    });
    line.wait("the end", |_| false)?;
    let ours = line.close();
    let (client, server) = between.heard();
    check_heard(plan, &ours, code, &reason)?;

    let (client, server) = (Side::read(&client), Side::read(&server));
    if client.pongs != server.pings {
        return Err(format!("{} pings of theirs, {} pongs of ours", server.pings.len(), client.pongs.len()));
    }
    check_agreement(plan.offer.is_some() && plan.agrees.is_some(), &client, &server)?;
    check_compression(&messages(&plan.said), "client", &client, &server)
}

/// How many messages and pongs there are.
fn answers(heard: &[Word]) -> (usize, usize) {
    let messages = heard.iter().filter(|word| word.is_message()).count();
    (messages, heard.iter().filter(|word| matches!(word, Word::Pong(_))).count())
}

/// What our client has heard: every message, every pong, and the end.
fn check_heard(plan: &Plan, ours: &Ours, code: u16, reason: &str) -> Result<(), String> {
    let (end, heard) = ours.heard.split_last().ok_or("nothing was heard")?;
    let only = |words: &[Word], kind: fn(&Word) -> bool| -> Vec<Word> {
        words.iter().filter(|word| kind(word)).cloned().collect()
    };
    same("the echo", &messages(&plan.said), &only(heard, Word::is_message))?;
    let asked = |word: &Word| match word {
        Word::Ping(payload) => Some(Word::Pong(payload.clone())),
        _ => None,
    };
    let asked: Vec<Word> = ours.said.iter().filter_map(asked).collect();
    same("the pongs", &asked, &only(heard, |word| matches!(word, Word::Pong(_))))?;
    // The reason of an answer to a close frame is up to who answers.
    match end {
        Word::Close(Some(theirs), said) if *theirs == code && (said == reason || !plan.they_close) => Ok(()),
        end => Err(format!("ended with {end:?}, not with {code} {reason:?}")),
    }
}

fn clients(implementation: Implementation) {
    let server = Server::start(&[concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    let mut peer = Peer::start(implementation, "client");
    let (mut runner, conversations) = runner(CONVERSATIONS);
    for _ in 0..conversations {
        let plan = draw(&plan(), &mut runner);
        play_client(&mut peer, &server, &plan).unwrap_or_else(|why| panic!("{why}\nin {plan:?}"));
    }
}

fn servers(implementation: Implementation) {
    let (mut runner, conversations) = runner(CONVERSATIONS);
    let plans: Vec<Plan> = (0..conversations).map(|_| draw(&plan(), &mut runner)).collect();
    let mut peer = Peer::start(implementation, "server");
    let agrees: Vec<Option<Value>> = plans.iter().map(agrees).collect();
    let ports = peer.ask(&json!(agrees)).expect("it listens");
    let ports = ports.as_array().expect("a list of ports");
    assert_eq!(ports.len(), plans.len());
    for (port, plan) in ports.iter().zip(&plans) {
        let port = port.as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
        play_server(port, plan).unwrap_or_else(|why| panic!("{why}\nin {plan:?}"));
    }
}

#[test]
#[ignore = "needs the package websockets, which `tests/run twins` installs"]
fn websockets_as_client_of_our_server() {
    clients(Implementation::Websockets);
}

#[test]
#[ignore = "needs the package websockets, which `tests/run twins` installs"]
fn websockets_as_server_of_our_client() {
    servers(Implementation::Websockets);
}

/// Older clients speak no sub-protocol, and are written like this one.
#[test]
#[ignore = "needs the package websockets, which `tests/run twins` installs"]
fn a_viewer_of_a_few_lines_of_python_watches_stops_and_starts() {
    let folder = crate::support::temp_dir();
    let log = folder.path().join("app.log");
    std::fs::write(&log, "one\n").expect("a log can be written");
    let server = Server::start(&[log.to_str().expect("a path of ASCII")]);
    let url = format!("ws://{}/tail/app.log", server.addr());
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let mut python = std::process::Command::new(format!("{tests}/.cache/twins/venv/bin/python"));
    python.arg("-B").arg(format!("{tests}/twins/peers/viewer.py")).arg(url).arg(&log);
    let viewer = python.output().expect("the viewer can be started");
    assert!(viewer.status.success(), "{}", String::from_utf8_lossy(&viewer.stderr));
    assert_eq!(String::from_utf8_lossy(&viewer.stdout), "one\ntwo\nthree\n");
}

#[test]
#[ignore = "needs the package ws, which `tests/run twins` installs"]
fn ws_as_client_of_our_server() {
    clients(Implementation::Ws);
}

#[test]
#[ignore = "needs the package ws, which `tests/run twins` installs"]
fn ws_as_server_of_our_client() {
    servers(Implementation::Ws);
}
