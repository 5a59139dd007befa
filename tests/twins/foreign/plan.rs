//! A random conversation with another implementation: what is offered, what is agreed to, what is said.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wiretail::ws::deflate::{Parameters, WindowBits};

use super::proofs::proofs;
use crate::script::{Move, chatter, goodbye_with_code};
use crate::word::Word;

/// What a client offers, or a server agrees to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) server_no_context_takeover: bool,
    pub(crate) client_no_context_takeover: bool,
    /// From 9: zlib cannot compress in a window of 8 bits.
    pub(crate) server_max_window_bits: Option<u8>,
    pub(crate) client_max_window_bits: ClientBits,
}

/// What a client says about its window (RFC 7692 §7.1.2.2).
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClientBits {
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
    pub(crate) fn json(self) -> Value {
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
    pub(crate) fn parameters(self) -> Parameters {
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
pub(crate) struct Plan {
    /// What the client offers.
    pub(crate) offer: Option<Wish>,
    /// What their server agrees to; ours takes what comes.
    pub(crate) agrees: Option<Wish>,
    /// What the client says, and whether it then waits until all is answered.
    pub(crate) said: Vec<(Move, bool)>,
    pub(crate) close: Move,
    /// Whether their server is asked to close.
    pub(crate) they_close: bool,
    /// The most bytes in a piece on the way, and what makes the sizes.
    pub(crate) most: usize,
    pub(crate) seed: u64,
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
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

/// The messages among what is said.
pub(crate) fn messages(said: &[(Move, bool)]) -> Vec<Word> {
    said.iter().map(|(said, _)| said.word()).filter(Word::is_message).collect()
}

/// The conversation for a peer that is the client: in JSON, ending with a close frame once all is answered.
pub(crate) fn for_client(plan: &Plan, url: &str) -> Value {
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
pub(crate) fn numbered(number: usize, payload: &[u8]) -> Vec<u8> {
    let number = format!("{number}:");
    [number.as_bytes(), &payload[..payload.len().min(125 - number.len())]].concat()
}

/// What their server is to agree to. It is no more than what is offered, as `ws` would decline then.
pub(crate) fn agrees(plan: &Plan) -> Option<Value> {
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
