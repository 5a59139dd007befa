//! The messages of `wiretail.v1`: whatever is taken for one is said again in the same words, one line each; what we say
//! arrives as we said it, with the log text behind it untouched.

use wiretail::app::wire::{
    Activity, Begins, Code, Done, FromServer, FromViewer, GapWhy, Hit, Place, Progress, Stretch,
};
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
    let Ok(Some((message, log))) = FromServer::parse(text) else { return };
    assert!(text.ends_with(log), "the log text is what was sent");
    let json = message.to_json();
    assert!(!json.contains('\n'), "a message is one line: {json}");
    assert_eq!(FromServer::parse(&json).expect("what we write is read"), Some((message, "")));
    // Log text begins behind the first newline, and not a byte later.
    let line = text.len() - log.len();
    assert!(!text[..line].trim_end_matches('\n').contains('\n'));
    assert!(line == text.len() || text[..line].ends_with('\n'));
}

fn hear_viewer(text: &str) {
    let Ok(message) = serde_json::from_str::<FromViewer>(text) else { return };
    let json = serde_json::to_string(&message).expect("a message makes JSON");
    assert!(!json.contains('\n'), "a message is one line: {json}");
    assert_eq!(serde_json::from_str::<FromViewer>(&json).expect("what we write is read"), message);
    // Nothing may be smuggled in beside it: what it said is in our words for it, but for defaults that need not be said.
    // (An "e" may be part of a number, which has many spellings.)
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic() && *c != 'e').count();
    let (said, kept) = (letters(text), letters(&json));
    assert!(text.contains('\\') || kept <= said, "{text:?} was taken for {json}");
    let defaults =
        ["ignore_case", "words", "literal", "grep", "not", "lines", "most", "from", "who", "null", "false"];
    assert!(
        said - kept.min(said) <= defaults.iter().map(|word| word.len()).sum::<usize>() + 16
            || text.contains('\\')
    );
}

fn say(data: &[u8]) {
    let mut choices = Choices::new(data);
    let message = message_from(&mut choices);
    let log = String::from_utf8_lossy(choices.rest()).into_owned();
    let text = format!("{}\n{log}", message.to_json());
    assert_eq!(FromServer::parse(&text).expect("what we say is understood"), Some((message.clone(), &*log)));

    let mut viewer = Connection::client(Limits::default(), MaskKeys::new([7; 32]));
    let (mut frame, mut out) = (message.to_frame(), Vec::new());
    let mut input = Input::new(&mut frame);
    let Some(Event::Message(Message::Text(heard))) = viewer.receive(&mut input, &mut out) else {
        panic!("{message:?} is not one text frame");
    };
    assert_eq!(heard, *message.to_json());
    assert!(input.is_empty() && out.is_empty());
}

/// Any message, with any text where text may stand.
fn message_from(choices: &mut Choices<'_>) -> FromServer {
    let kind = choices.byte();
    let number = u64::from(choices.two_bytes()) << choices.below(49);
    let some = (kind & 0x80 != 0).then_some(number);
    let id = u32::from(choices.two_bytes()) << (kind % 17);
    let mut text = || {
        let len = choices.below(32);
        String::from_utf8_lossy(choices.bytes(len)).into_owned()
    };
    match kind % 22 {
        0 => {
            let (name, cursor, server) = (text(), text(), text());
            let lines = usize::from(kind);
            let (encoding, flags) = (text(), kind / 22);
            let (redacted, filter, bounded) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
            let writable = flags & 8 != 0;
            FromServer::Hello {
                name,
                cursor,
                size: some,
                lines,
                server,
                encoding,
                redacted,
                writable,
                filter,
                bounded,
            }
        }
        1 => FromServer::Lines { from: text(), to: text(), bytes: number },
        2 => FromServer::Rotated { cursor: text() },
        3 => FromServer::Truncated { cursor: text() },
        4 => {
            let whys = [GapWhy::Rotated, GapWhy::Truncated, GapWhy::Hole, GapWhy::Unknown];
            FromServer::Gap { from: text(), to: text(), bytes: some, why: whys[usize::from(kind / 19) % 4] }
        }
        5 => FromServer::Missing { why: text() },
        6 => FromServer::Back {},
        7 => FromServer::Behind { bytes: number },
        8 => FromServer::End {},
        9 => FromServer::Pong {},
        10 => FromServer::Filtered { cursor: text(), active: some.is_some() },
        11 => FromServer::Older(stretch(id, some, kind, text(), text())),
        12 => FromServer::Newer(stretch(id, some, kind, text(), text())),
        13 => {
            let (cursor, file, exact) = (text(), text(), some.is_none());
            FromServer::Place(Place { id, cursor, line: some, byte: number, file, exact })
        }
        14 => {
            let hit = Hit {
                cursor: text(),
                line: some,
                byte: number,
                file: text(),
                text: text(),
                marks: vec![[id, id]; usize::from(kind % 3)],
                at: 1.0 / f64::from(id.max(1)),
            };
            FromServer::Hits { id, hits: vec![hit; usize::from(kind % 4)] }
        }
        15 if kind > 120 => FromServer::Numbers { id, lines: vec![[number, 1]; usize::from(kind % 4)] },
        15 | 16 => {
            let whats = [Activity::Searching, Activity::Unpacking, Activity::Counting];
            let what = whats[usize::from(kind / 19) % 3];
            let (id, map) = (some.map(|_| id), vec![id; usize::from(kind % 5)]);
            FromServer::Progress(Progress { id, what, done: number, total: number, count: some, map })
        }
        17 => FromServer::Done(Done {
            id,
            more: kind > 99,
            count: some,
            cancelled: number > 99,
            note: (number > 49).then(|| "So it is.".to_owned()),
        }),
        18 => FromServer::Stopped { cursor: text() },
        19 => FromServer::Started { cursor: text() },
        20 => FromServer::Said { id, cursor: some.map(|_| text()) },
        _ => {
            let code = if number > 9 { Code::Syntax } else { Code::Other };
            FromServer::Error { id: some.map(|_| id), code, message: text() }
        }
    }
}

fn stretch(id: u32, bytes: Option<u64>, kind: u8, from: String, to: String) -> Stretch {
    let begins = [None, Some(Begins::Rotated), Some(Begins::Truncated)][usize::from(kind / 19) % 3];
    let gap = [None, Some(GapWhy::Hole)][usize::from(kind / 57) % 2];
    Stretch { id, from, to, bytes, begins, gap }
}
