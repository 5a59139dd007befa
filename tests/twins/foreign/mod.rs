//! Python's `websockets` and npm's `ws`, with permessage-deflate: its four parameters as they come, what was agreed on
//! read from the handshake, and what was made of it from the bytes on the wire.

mod between;
mod line;
mod peer;
mod wire;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wiretail::ws::deflate::{Parameters, WORTH_COMPRESSING, WindowBits};

use self::between::Between;
use self::line::Line;
use self::peer::{Implementation, Peer};
use self::wire::{Direction, Sent, Side};
use crate::ours::Ours;
use crate::script::{Move, chatter, goodbye_with_code};
use crate::support::Server;
use crate::word::{Word, same};
use crate::{draw, runner};

/// How many conversations with each implementation in each role.
const CONVERSATIONS: usize = 40;

/// How long an answer may take: far more than a busy machine needs.
const SOON: Duration = Duration::from_secs(30);

/// What a client offers, or a server agrees to.
#[derive(Clone, Copy, Debug)]
struct Wish {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    /// From 9: zlib cannot compress in a window of 8 bits.
    server_max_window_bits: Option<u8>,
    client_max_window_bits: ClientBits,
}

/// What a client says about its window (RFC 7692 §7.1.2.2).
#[derive(Clone, Copy, Debug)]
enum ClientBits {
    /// It cannot be limited.
    Fixed,
    /// It can.
    Any,
    /// It will not be larger.
    Most(u8),
}

fn wish() -> impl Strategy<Value = Wish> {
    let client_bits = prop_oneof![1 => Just(ClientBits::Fixed), 2 => Just(ClientBits::Any), 3 => (9..=15_u8).prop_map(ClientBits::Most)];
    (any::<bool>(), any::<bool>(), prop::option::of(9..=15_u8), client_bits).prop_map(
        |(
            server_no_context_takeover,
            client_no_context_takeover,
            server_max_window_bits,
            client_max_window_bits,
        )| {
            Wish {
                server_no_context_takeover,
                client_no_context_takeover,
                server_max_window_bits,
                client_max_window_bits,
            }
        },
    )
}

impl Wish {
    /// For a peer. What is not in it is not said.
    fn json(self) -> Value {
        let mut json = Map::new();
        let flags = [
            ("server_no_context_takeover", self.server_no_context_takeover),
            ("client_no_context_takeover", self.client_no_context_takeover),
        ];
        for (name, _) in flags.into_iter().filter(|(_, set)| *set) {
            json.insert(name.to_owned(), true.into());
        }
        if let Some(bits) = self.server_max_window_bits {
            json.insert("server_max_window_bits".to_owned(), bits.into());
        }
        let client_bits = match self.client_max_window_bits {
            ClientBits::Fixed => Value::Null,
            ClientBits::Any => true.into(),
            ClientBits::Most(bits) => bits.into(),
        };
        json.insert("client_max_window_bits".to_owned(), client_bits);
        json.into()
    }

    /// For our client, which always says that its window can be limited.
    fn parameters(self) -> Parameters {
        let bits = |bits| WindowBits::new(bits).expect("9 to 15");
        Parameters {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits.map_or(WindowBits::MOST, bits),
            client_max_window_bits: match self.client_max_window_bits {
                ClientBits::Most(most) => bits(most),
                ClientBits::Any | ClientBits::Fixed => WindowBits::MOST,
            },
        }
    }
}

/// One conversation. The client begins with what shows the compression of both directions.
#[derive(Clone, Debug)]
struct Plan {
    /// What the client offers.
    offer: Option<Wish>,
    /// What their server agrees to; ours takes what comes.
    agrees: Option<Wish>,
    /// What the client says, and whether it then waits until all is answered.
    said: Vec<(Move, bool)>,
    close: Move,
    /// Whether their server is asked to close.
    they_close: bool,
    /// The most bytes in a piece on the way, and what makes the sizes.
    most: usize,
    seed: u64,
}

fn plan() -> impl Strategy<Value = Plan> {
    let said = prop::collection::vec((chatter(), prop::bool::weighted(0.3)), 0..15);
    let most = prop::sample::select(vec![20, 1400, usize::MAX]);
    let maybe = || prop::option::weighted(0.9, wish());
    (maybe(), maybe(), said, goodbye_with_code(), any::<bool>(), most, any::<u64>()).prop_map(
        |(offer, agrees, said, close, they_close, most, seed)| {
            let proofs = proofs(seed).into_iter().map(|proof| (proof, false));
            let said = proofs.chain(said).collect();
            Plan { offer, agrees, said, close, they_close, most, seed }
        },
    )
}

/// What shows what a compressor does: text that shrinks, noise and the same noise again, and for every window noise
/// that comes again within it, and just beyond.
fn proofs(seed: u64) -> Vec<Move> {
    let noise = || Move::periodic(NOISE, NOISE, seed);
    let windows = (9..=14).flat_map(|bits| {
        let (near, far) = (near(bits), far(bits));
        let seed = seed ^ u64::from(bits);
        [Move::periodic(near, 4 * near, seed), Move::periodic(far, 2 * far, !seed)]
    });
    [Move::log(TEXT), noise(), noise()].into_iter().chain(windows).collect()
}

const TEXT: usize = 4000;
const NOISE: usize = 400;

/// A distance that a compressor with so many bits of window reaches.
fn near(bits: u8) -> usize {
    1 << (bits - 2)
}

/// One that it does not reach.
fn far(bits: u8) -> usize {
    3 << (bits - 1)
}

/// The messages among what is said.
fn messages(said: &[(Move, bool)]) -> Vec<Word> {
    said.iter().map(|(said, _)| said.word()).filter(Word::is_message).collect()
}

/// The conversation for a peer that is the client: in JSON, ending with a close frame once all is answered.
fn for_client(plan: &Plan, url: &str) -> Value {
    let (mut moves, mut number) = (Vec::new(), 0);
    let part = |first: u8, payload: &[u8], number: &mut usize| match first & 0x0f {
        0x9 => {
            *number += 1;
            json!({ "ping": STANDARD.encode(numbered(*number, payload)) })
        }
        0xa => json!({ "pong": STANDARD.encode(payload) }),
        _ => json!({ "data": STANDARD.encode(payload) }),
    };
    for (count, (said, rest)) in plan.said.iter().enumerate() {
        let frames = said.frames();
        let parts: Vec<Value> =
            frames.iter().map(|frame| part(frame.first, &frame.payload, &mut number)).collect();
        match (said.word(), &parts[..]) {
            (Word::Text(_), _) => moves.push(json!({ "text": true, "parts": parts })),
            (Word::Binary(_), _) => moves.push(json!({ "text": false, "parts": parts })),
            (_, [control]) => moves.push(control.clone()),
            (word, _) => panic!("{word:?} in several frames"),
        }
        if *rest {
            moves.push(json!({ "rest": messages(&plan.said[..=count]).len() }));
        }
    }
    moves.push(json!({ "rest": messages(&plan.said).len() }));
    let Word::Close(code, reason) = plan.close.word() else { panic!("the end is a close frame") };
    moves.push(json!({ "close": [code, reason] }));
    json!({ "url": url, "deflate": plan.offer.map(Wish::json), "moves": moves })
}

/// A payload for a ping that no other ping has: `websockets` insists.
fn numbered(number: usize, payload: &[u8]) -> Vec<u8> {
    let number = format!("{number}:");
    [number.as_bytes(), &payload[..payload.len().min(125 - number.len())]].concat()
}

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
    check_compression(&messages(&plan.said), "client", Whose::Theirs, &client, &client, &server)?;
    check_compression(&messages(&plan.said), "server", Whose::Ours, &server, &client, &server)
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
    check_compression(&messages(&plan.said), "client", Whose::Ours, &client, &client, &server)?;
    check_compression(&messages(&plan.said), "server", Whose::Theirs, &server, &client, &server)
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
    let pings = only(&ours.said, |word| matches!(word, Word::Ping(_)));
    let asked: Vec<Word> = pings
        .into_iter()
        .map(|ping| match ping {
            Word::Ping(payload) => Word::Pong(payload),
            other => other,
        })
        .collect();
    same("the pongs", &asked, &only(heard, |word| matches!(word, Word::Pong(_))))?;
    // The reason of an answer to a close frame is up to who answers.
    match end {
        Word::Close(Some(theirs), said) if *theirs == code && (said == reason || !plan.they_close) => Ok(()),
        end => Err(format!("ended with {end:?}, not with {code} {reason:?}")),
    }
}

/// Compression is agreed on if, and only if, both sides want it.
fn check_agreement(wanted: bool, client: &Side, server: &Side) -> Result<(), String> {
    let agreed = server.extensions().is_some_and(|answer| answer.starts_with("permessage-deflate"));
    if agreed == wanted {
        return Ok(());
    }
    Err(format!("offered {:?}, answered {:?}", client.extensions(), server.extensions()))
}

/// Our server's answer has what was asked for, and nothing that was not (RFC 7692 §7.1).
fn check_answer(offer: Wish, answer: &str) -> Result<(), String> {
    let mut expected = vec!["permessage-deflate".to_owned()];
    if offer.server_no_context_takeover {
        expected.push("server_no_context_takeover".to_owned());
    }
    if offer.client_no_context_takeover {
        expected.push("client_no_context_takeover".to_owned());
    }
    if let Some(bits) = offer.server_max_window_bits {
        expected.push(format!("server_max_window_bits={bits}"));
    }
    if let ClientBits::Most(bits @ ..15) = offer.client_max_window_bits {
        expected.push(format!("client_max_window_bits={bits}"));
    }
    if answer == expected.join("; ") {
        return Ok(());
    }
    Err(format!("answered {answer:?} to {offer:?}"))
}

/// Who has compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    Theirs,
}

/// What `sent` shows of the compression of one direction, which is `side`'s.
fn check_compression(
    said: &[Word],
    side: &str,
    whose: Whose,
    sent: &Side,
    client: &Side,
    server: &Side,
) -> Result<(), String> {
    let sizes: Vec<usize> = said.iter().map(len).collect();
    // Behind these, a client may ask a server to close.
    let sent = sent.messages.get(..sizes.len()).ok_or("messages are missing on the wire")?;
    let Some(answer) = server.extensions() else {
        let plain: Vec<Sent> = sizes.iter().map(|&bytes| Sent { compressed: false, bytes }).collect();
        return if sent == plain { Ok(()) } else { Err(format!("{side}: not agreed on, but compressed")) };
    };
    let direction = Direction::of(side, client.extensions().unwrap_or_default(), answer);
    let fail =
        |what: &str| Err(format!("{side}, {whose:?}: {what} with {direction:?}; {:?}", &sent[..PROOFS]));
    if !sent[0].compressed || sent[0].bytes > TEXT / 2 {
        return fail("text does not shrink");
    }
    let again = sent[2].bytes;
    if direction.no_context_takeover && again < NOISE {
        return fail("an earlier message was referred to");
    }
    if !direction.no_context_takeover && direction.window_bits > 9 && again > NOISE / 4 {
        return fail("an earlier message was not referred to");
    }
    for (pair, bits) in sent[3..PROOFS].chunks_exact(2).zip(9..=14) {
        let (near, far) = (near(bits), far(bits));
        if bits == direction.window_bits && pair[0].bytes > 3 * near {
            return fail("the window is not used");
        }
        if bits == direction.window_bits && pair[1].bytes < 2 * far * 9 / 10 {
            return fail("the window is too large");
        }
    }
    // We leave what is too small or too large as it is.
    let wrong = |(sent, size): &(&Sent, &usize)| sent.compressed && !WORTH_COMPRESSING.contains(size);
    if whose == Whose::Ours && sent.iter().zip(&sizes).any(|pair| wrong(&pair)) {
        return fail("a message was compressed that is not worth it");
    }
    Ok(())
}

/// How many messages are there as proofs.
const PROOFS: usize = 15;

fn len(word: &Word) -> usize {
    match word {
        Word::Text(text) => text.len(),
        Word::Binary(bytes) => bytes.len(),
        _ => 0,
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

/// What their server is to agree to. It is no more than what is offered, as `ws` would decline then.
fn agrees(plan: &Plan) -> Option<Value> {
    let mut agrees = plan.agrees?;
    let offer = plan.offer.map_or_else(Parameters::default, Wish::parameters);
    let (server_most, client_most) =
        (offer.server_max_window_bits.bits(), offer.client_max_window_bits.bits());
    agrees.server_max_window_bits = agrees.server_max_window_bits.map(|bits| bits.min(server_most));
    let mut json = agrees.json();
    match agrees.client_max_window_bits {
        ClientBits::Most(bits) => json["client_max_window_bits"] = bits.min(client_most).into(),
        // For a server, only a number is a wish.
        ClientBits::Any | ClientBits::Fixed => {
            json.as_object_mut()?.remove("client_max_window_bits");
        }
    }
    Some(json)
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
