//! A whole connection as a server has it: the head of a request, and frames behind it. See `talk` for what must hold.

use wiretail::http::RequestReader;
use wiretail::ws::Limits;
use wiretail::ws::deflate::Parameters;
use wiretail::ws::handshake;

use super::peers::{Role, agree};
use super::talk::{self, Manner, Opened, Opener, Opening};

const TIGHT: Limits = Limits { message: 64, fragments: 3 };
const NARROW: Limits = Limits { message: 4096, fragments: 64 };

/// Has `data` said to an echoing server: as a request and what follows, if it begins like one, and otherwise as frames
/// to servers that have agreed on this or that.
pub fn run(data: &[u8]) {
    let manner = |limits| Manner { role: Role::Server, limits };
    if is_request(data) {
        let outcome = talk::check(Handshake::new, manner(NARROW), data);
        let greeting = String::from_utf8_lossy(&outcome.greeting);
        assert_eq!(greeting.starts_with("HTTP/1.1 101 "), outcome.closed.is_some(), "{greeting}");
        assert_eq!(greeting.contains("permessage-deflate"), outcome.agreed.is_some(), "{greeting}");
        return;
    }
    talk::check(|| Opened(None), manner(Limits::echo()), data);
    talk::check(|| Opened(None), manner(TIGHT), data);
    if cfg!(feature = "deflate") {
        for agreed in [Parameters::default(), Parameters::without_context()] {
            talk::check(|| Opened(Some(agreed)), manner(NARROW), data);
        }
    }
}

/// Has `data` said to a server that neither keeps nor answers anything: what it takes meanwhile is the connection's own
/// memory, which must stay below [`most_memory`].
pub fn only_listen(data: &[u8]) {
    let manner = Manner { role: Role::Server, limits: NARROW };
    if is_request(data) {
        return talk::only_listen(Handshake::new(), manner, data);
    }
    talk::only_listen(Opened(None), manner, data);
    if cfg!(feature = "deflate") {
        talk::only_listen(Opened(Some(Parameters::default())), manner, data);
    }
}

/// The most bytes that [`only_listen`] may hold at a time: what came, twice over, the head in our words among it; a
/// message that has grown by doubling; and an inflater.
pub fn most_memory(data: &[u8]) -> usize {
    2 * data.len() + 2 * NARROW.message + (64 << 10)
}

fn is_request(data: &[u8]) -> bool {
    data.starts_with(b"GET ")
}

/// A server that waits for its first request.
struct Handshake(RequestReader);

impl Handshake {
    fn new() -> Self {
        Self(RequestReader::new())
    }
}

impl Opener for Handshake {
    fn receive(&mut self, piece: &[u8], greeting: &mut Vec<u8>) -> Opening {
        let (request, used) = match self.0.receive(piece) {
            Ok(Some(found)) => found,
            Ok(None) => return Opening::NotYet,
            Err(bad) => return Opening::Refused(format!("{bad:?}")),
        };
        match handshake::accept(&request) {
            Ok(mut upgrade) => {
                let agreed = agree(&mut upgrade, &Parameters::default());
                greeting.extend(upgrade.response());
                Opening::Open(agreed, used)
            }
            Err(refusal) => {
                greeting.extend(refusal.response().into_bytes(false, true));
                Opening::Refused(format!("{refusal:?}"))
            }
        }
    }
}
