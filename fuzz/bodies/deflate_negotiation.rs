//! Negotiating permessage-deflate: a server agrees to the first offer that RFC 7692 lets it, and to nothing that was not
//! offered; a client takes no answer that does not fit what it has asked for; and both mean the same in the end.
//!
//! The twin reads offers and answers with `split`, and its rules are those of §7.1, sentence by sentence.

use wiretail::http::RequestReader;
use wiretail::ws::deflate::{Parameters, WindowBits};
use wiretail::ws::handshake::{self, Client};

use super::choices::Choices;
use super::peers::{NONCE, parameters_from};

/// Takes `data` for what our server wishes, what our client wishes, and what the other side writes into its field.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let server = parameters_from(&mut choices);
    let client = parameters_from(&mut choices);
    ours_with_ours(server, client);

    let Ok(field) = std::str::from_utf8(choices.rest()) else { return };
    // The twin knows no quoted strings: for what is in them there are our own unit tests. What ends a line or may not
    // stand in a head is the business of `request_head`.
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
    if field.bytes().all(plain) {
        offers(server, field);
        answer(client, field);
    }
}

/// Whatever both wish, they come together, and mean the same.
fn ours_with_ours(server: Parameters, client: Parameters) {
    let mut asking = Client::new(NONCE, "localhost", "/", &[], &[]).offering_deflate(&client);
    let (agreed, response) = serve(asking.request(), server).expect("our own request is in order");
    let agreed = agreed.expect("our own offer is in order");
    let (accepted, used) = asking.receive(&response).expect("our own answer fits").expect("and is whole");
    assert_eq!((accepted.deflate, used), (Some(agreed), response.len()));
    for wish in [server, client] {
        assert!(agreed.server_no_context_takeover >= wish.server_no_context_takeover);
        assert!(agreed.client_no_context_takeover >= wish.client_no_context_takeover);
        assert!(agreed.server_max_window_bits <= wish.server_max_window_bits);
        assert!(agreed.client_max_window_bits <= wish.client_max_window_bits);
    }
}

/// What a server with that wish agrees to, and its answer. `None` if it refuses the request.
fn serve(request: &[u8], wish: Parameters) -> Option<(Option<Parameters>, Vec<u8>)> {
    let (request, _) = RequestReader::new().receive(request).ok()??;
    let mut upgrade = handshake::accept(&request).ok()?;
    let agreed = upgrade.agree_deflate(&wish);
    Some((agreed, upgrade.response()))
}

fn offers(wish: Parameters, field: &str) {
    let request = Client::new(NONCE, "localhost", "/", &[], &[("Sec-WebSocket-Extensions", field)]);
    let served = serve(request.request(), wish);
    let Some(offers) = split(field) else {
        // "the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_" (RFC 6455 §9.1)
        assert_eq!(served, None, "{field:?} is malformed");
        return;
    };
    let (agreed, response) = served.unwrap_or_else(|| panic!("{field:?} is well formed"));
    let offer = offers.iter().find_map(|offer| Said::read(offer).filter(Said::is_offer));
    assert_eq!(agreed.is_some(), offer.is_some(), "{field:?}");
    let response = String::from_utf8(response).expect("an answer is text");
    let answer = response.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    let (Some(agreed), Some(offer)) = (agreed, offer) else {
        assert_eq!(answer, None, "an answer, and nothing was agreed on");
        return;
    };
    let answer = &split(answer.expect("what was agreed on is said")).expect("we write what we can read")[0];
    let answer = Said::read(answer).expect("we write what RFC 7692 knows");

    // §7.1.1: what the client demands it gets, and what the server demands it says.
    assert_eq!(agreed.server_no_context_takeover, answer.server_no_context_takeover);
    assert_eq!(agreed.client_no_context_takeover, answer.client_no_context_takeover);
    assert_eq!(
        agreed.server_no_context_takeover,
        offer.server_no_context_takeover || wish.server_no_context_takeover
    );
    assert!(agreed.client_no_context_takeover >= wish.client_no_context_takeover);
    // §7.1.2.1: no larger than what the client takes, and said, if the client speaks of it.
    assert!(offer.server_max_window_bits == Bits::Unsaid || answer.server_max_window_bits != Bits::Unsaid);
    assert_eq!(agreed.server_max_window_bits.bits(), answer.server_max_window_bits.value());
    assert!(agreed.server_max_window_bits.bits() <= offer.server_max_window_bits.value());
    assert!(agreed.server_max_window_bits <= wish.server_max_window_bits);
    // §7.1.2.2: "If a received extension negotiation offer doesn't have the "client_max_window_bits" extension
    // parameter, the corresponding extension negotiation response to the offer MUST NOT include" it.
    assert_eq!(agreed.client_max_window_bits.bits(), answer.client_max_window_bits.value());
    assert!(agreed.client_max_window_bits.bits() <= offer.client_max_window_bits.value());
    assert!(offer.client_max_window_bits != Bits::Unsaid || answer.client_max_window_bits == Bits::Unsaid);
}

fn answer(wish: Parameters, field: &str) {
    let mut client = Client::new(NONCE, "localhost", "/", &[], &[]).offering_deflate(&wish);
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: {field}\r\n\r\n"
    );
    let accepted = client.receive(response.as_bytes());
    // "one extension negotiation response", which answers our one offer (§5.1).
    let extensions = split(field).unwrap_or_default();
    let said = match &extensions[..] {
        [one] => Said::read(one).filter(|said| said.fits(wish)),
        _ => None,
    };
    let Some(said) = said else {
        assert!(accepted.is_err(), "{field:?} does not fit {wish:?}");
        return;
    };
    let (accepted, _) = accepted.unwrap_or_else(|error| panic!("{error}: {field:?}")).expect("it is whole");
    let agreed = accepted.deflate.expect("it was agreed on");
    assert_eq!(agreed.server_no_context_takeover, said.server_no_context_takeover);
    assert_eq!(
        agreed.client_no_context_takeover,
        said.client_no_context_takeover || wish.client_no_context_takeover
    );
    assert_eq!(agreed.server_max_window_bits.bits(), said.server_max_window_bits.value());
    let ours = said.client_max_window_bits.value().min(wish.client_max_window_bits.bits());
    assert_eq!(agreed.client_max_window_bits.bits(), ours);
}

/// An extension's name, and its parameters.
type Extension<'f> = (&'f str, Vec<(&'f str, Option<&'f str>)>);

/// The field taken apart at its commas, semicolons and equals signs. `None` if it is malformed.
fn split(field: &str) -> Option<Vec<Extension<'_>>> {
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let token = |text: &str| !text.is_empty() && text.bytes().all(tchar);
    let mut extensions = Vec::new();
    for extension in field.split(',').map(str::trim).filter(|extension| !extension.is_empty()) {
        let mut parts = extension.split(';').map(str::trim);
        let name = parts.next().filter(|name| token(name))?;
        let mut parameters = Vec::new();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim())),
                None => (part, None),
            };
            if !token(name) || !value.is_none_or(token) {
                return None;
            }
            parameters.push((name, value));
        }
        extensions.push((name, parameters));
    }
    // "1#extension": a field is there, so one extension must be.
    if extensions.is_empty() { None } else { Some(extensions) }
}

/// How a window was spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bits {
    Unsaid,
    NoValue,
    Value(u8),
}

impl Bits {
    /// The largest window that is meant.
    fn value(self) -> u8 {
        match self {
            Self::Unsaid | Self::NoValue => WindowBits::MOST.bits(),
            Self::Value(bits) => bits,
        }
    }
}

/// What an offer or an answer says, if §7.1 gives it a meaning at all.
#[derive(Debug)]
struct Said {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Bits,
    client_max_window_bits: Bits,
}

impl Said {
    fn read((name, parameters): &Extension<'_>) -> Option<Self> {
        let all = |name: &str| -> Vec<Option<&str>> {
            parameters.iter().filter(|parameter| parameter.0 == name).map(|parameter| parameter.1).collect()
        };
        let flag = |name: &str| match all(name)[..] {
            [] => Some(false),
            [None] => Some(true),
            _ => None,
        };
        let bits = |name: &str| match all(name)[..] {
            [] => Some(Bits::Unsaid),
            [None] => Some(Bits::NoValue),
            [Some(value)] => {
                let values = ["8", "9", "10", "11", "12", "13", "14", "15"];
                values.iter().position(|known| *known == value).map(|at| Bits::Value(8 + at as u8))
            }
            _ => None,
        };
        const KNOWN: [&str; 4] = [
            "server_no_context_takeover",
            "client_no_context_takeover",
            "server_max_window_bits",
            "client_max_window_bits",
        ];
        let known = *name == "permessage-deflate" && parameters.iter().all(|(name, _)| KNOWN.contains(name));
        known.then_some(())?;
        Some(Self {
            server_no_context_takeover: flag(KNOWN[0])?,
            client_no_context_takeover: flag(KNOWN[1])?,
            server_max_window_bits: bits(KNOWN[2])?,
            client_max_window_bits: bits(KNOWN[3])?,
        })
    }

    /// An offer says how large the server's window may be.
    fn is_offer(&self) -> bool {
        self.server_max_window_bits != Bits::NoValue
    }

    /// Whether it may be said in answer to the offer of `wish`.
    fn fits(&self, wish: Parameters) -> bool {
        let windows = [
            (self.server_max_window_bits, wish.server_max_window_bits),
            (self.client_max_window_bits, wish.client_max_window_bits),
        ];
        let no_larger = windows.iter().all(|(said, offered)| match said {
            Bits::Unsaid => true,
            Bits::NoValue => false,
            Bits::Value(bits) => *bits <= offered.bits(),
        });
        // What we have demanded must be granted in so many words.
        let window =
            wish.server_max_window_bits == WindowBits::MOST || self.server_max_window_bits != Bits::Unsaid;
        let context = self.server_no_context_takeover || !wish.server_no_context_takeover;
        no_larger && window && context
    }
}
