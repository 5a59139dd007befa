//! The messages of `wiretail.v1`: whatever is taken for one is said again in the same words, one line each; what we say
//! arrives as we said it, with the log text behind it untouched.

use wiretail::app::wire::{FromServer, FromViewer, GapWhy};
use wiretail::ws::{Connection, Event, Input, Limits, MaskKeys, Message};

use super::choices::Choices;

/// Reads `data` as a message of either side, and makes a message of the server's out of it.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        hear_server(text);
        hear_viewer(text);
    }
    say(data);
}

fn hear_server(text: &str) {
    let Ok((message, log)) = FromServer::parse(text) else { return };
    assert!(text.ends_with(log), "the log text is what was sent");
    let json = message.to_json();
    assert!(!json.contains('\n'), "a message is one line: {json}");
    assert_eq!(FromServer::parse(&json).expect("what we write is read"), (message, ""));
    // Log text begins behind the first newline, and not a byte later.
    let line = text.len() - log.len();
    assert!(!text[..line].trim_end_matches('\n').contains('\n'));
    assert!(line == text.len() || text[..line].ends_with('\n'));
}

fn hear_viewer(text: &str) {
    let Ok(message) = serde_json::from_str::<FromViewer>(text) else { return };
    let json = serde_json::to_string(&message).expect("a message makes JSON");
    assert!([r#"{"pause":{}}"#, r#"{"resume":{}}"#, r#"{"ping":{}}"#].contains(&&*json), "{json}");
    assert_eq!(serde_json::from_str::<FromViewer>(&json).expect("what we write is read"), message);
    // Nothing else may be smuggled in beside it: the words are the message's, the rest is JSON's.
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
    assert!(text.contains('\\') || letters(text) == letters(&json), "{text:?} was taken for {json}");
}

fn say(data: &[u8]) {
    let mut choices = Choices::new(data);
    let message = message_from(&mut choices);
    let log = String::from_utf8_lossy(choices.rest()).into_owned();
    let text = format!("{}\n{log}", message.to_json());
    assert_eq!(FromServer::parse(&text).expect("what we say is understood"), (message.clone(), &*log));

    let mut viewer = Connection::client(Limits::default(), MaskKeys::new([7; 32]));
    let (mut frame, mut out) = (message.to_frame(), Vec::new());
    let mut input = Input::new(&mut frame);
    let Some(Event::Message(Message::Text(heard))) = viewer.receive(&mut input, &mut out) else {
        panic!("{message:?} is not one text frame");
    };
    assert_eq!(heard, message.to_json());
    assert!(input.is_empty() && out.is_empty());
}

/// Any message, with any text where text may stand.
fn message_from(choices: &mut Choices<'_>) -> FromServer {
    let kind = choices.byte();
    let number = u64::from(choices.two_bytes()) << choices.below(49);
    let some = (kind & 0x80 != 0).then_some(number);
    let mut text = || {
        let len = choices.below(32);
        String::from_utf8_lossy(choices.bytes(len)).into_owned()
    };
    match kind % 11 {
        0 => {
            let (name, cursor, server) = (text(), text(), text());
            FromServer::Hello { name, cursor, size: some, lines: usize::from(kind), server }
        }
        1 => FromServer::Lines { from: text(), to: text(), bytes: number },
        2 => FromServer::Rotated { cursor: text() },
        3 => FromServer::Truncated { cursor: text() },
        4 => {
            let whys = [GapWhy::Rotated, GapWhy::Truncated, GapWhy::Hole, GapWhy::Unknown];
            FromServer::Gap { from: text(), to: text(), bytes: some, why: whys[usize::from(kind / 11) % 4] }
        }
        5 => FromServer::Missing { why: text() },
        6 => FromServer::Back {},
        7 => FromServer::Behind { bytes: number },
        8 => FromServer::End {},
        9 => FromServer::Pong {},
        _ => FromServer::Error { message: text() },
    }
}
