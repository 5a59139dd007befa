//! A whole connection as a client has it: the server's answer to the handshake, and frames behind it. See `talk` for
//! what must hold.

use wiretail::ws::Limits;
use wiretail::ws::deflate::Parameters;
use wiretail::ws::handshake::Client;

use super::peers::{NONCE, Role, offering};
use super::talk::{self, Manner, Opened, Opener, Opening};

const LIMITS: Limits = Limits { message: 4096, fragments: 8 };
const MANNER: Manner = Manner { role: Role::Client, limits: LIMITS };

/// Has `data` said to an echoing client: as the answer to its request and what follows, if it begins like one, and
/// otherwise as frames to clients that have agreed on this or that.
pub fn run(data: &[u8]) {
    if is_answer(data) {
        let outcome = talk::check(Handshake::new, MANNER, data);
        if outcome.closed.is_some() {
            assert!(data.starts_with(b"HTTP/1.1 101"), "only 101 is accepted");
        }
        return;
    }
    talk::check(|| Opened(None), MANNER, data);
    if cfg!(feature = "deflate") {
        for agreed in [Parameters::default(), Parameters::without_context()] {
            talk::check(|| Opened(Some(agreed)), MANNER, data);
        }
    }
}

/// As `connection::only_listen`, for a client.
pub fn only_listen(data: &[u8]) {
    if is_answer(data) {
        return talk::only_listen(Handshake::new(), MANNER, data);
    }
    talk::only_listen(Opened(None), MANNER, data);
    if cfg!(feature = "deflate") {
        talk::only_listen(Opened(Some(Parameters::default())), MANNER, data);
    }
}

/// As `connection::most_memory`; the request is there, too, and the keys.
pub fn most_memory(data: &[u8]) -> usize {
    2 * data.len() + 2 * LIMITS.message + (64 << 10)
}

fn is_answer(data: &[u8]) -> bool {
    data.starts_with(b"HTTP/")
}

/// A client that has asked for everything we know.
struct Handshake(Client);

impl Handshake {
    fn new() -> Self {
        let client = Client::new(NONCE, "localhost", "/tail/a", &["wiretail.v1"], &[]);
        Self(offering(client, &Parameters::default()))
    }
}

impl Opener for Handshake {
    fn receive(&mut self, piece: &[u8], _: &mut Vec<u8>) -> Opening {
        match self.0.receive(piece) {
            Ok(Some((accepted, used))) => Opening::Open(accepted.deflate, used),
            Ok(None) => Opening::NotYet,
            Err(error) => Opening::Refused(format!("{error:?}")),
        }
    }
}
