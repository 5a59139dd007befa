//! What shows, on the wire, that compression was agreed on, is used, and keeps to the parameters that it was agreed on
//! with.

use wiretail::ws::deflate::WORTH_COMPRESSING;

use super::plan::{ClientBits, Wish};
use super::wire::{Direction, Sent, Side};
use crate::script::Move;
use crate::word::Word;

/// What shows what a compressor does: text that shrinks, noise and the same noise again, and for every window noise
/// that comes again within it, and just beyond.
pub(crate) fn proofs(seed: u64) -> Vec<Move> {
    let noise = || Move::periodic(NOISE, NOISE, seed);
    let windows = (9..=14).flat_map(|bits| {
        let (near, far) = (near(bits), far(bits));
        let seed = seed ^ u64::from(bits);
        [Move::periodic(near, 4 * near, seed), Move::periodic(far, 2 * far, !seed)]
    });
    [Move::log(TEXT), noise(), noise()].into_iter().chain(windows).collect()
}

/// How many they are: these three, and two for each window from 9 to 14 bits.
const PROOFS: usize = 15;
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

/// Compression is agreed on if, and only if, both sides want it.
pub(crate) fn check_agreement(wanted: bool, client: &Side, server: &Side) -> Result<(), String> {
    let agreed = server.extensions().is_some_and(|answer| answer.starts_with("permessage-deflate"));
    if agreed == wanted {
        return Ok(());
    }
    Err(format!("offered {:?}, answered {:?}", client.extensions(), server.extensions()))
}

/// Our server's answer has what was asked for, and nothing that was not (RFC 7692 §7.1).
pub(crate) fn check_answer(offer: Wish, answer: &str) -> Result<(), String> {
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

/// What the wire shows of the compression of both directions; `ours` is `client` or `server`.
pub(crate) fn check_compression(
    said: &[Word],
    ours: &str,
    client: &Side,
    server: &Side,
) -> Result<(), String> {
    let sizes: Vec<usize> = said.iter().map(len).collect();
    for (side, sent) in [("client", client), ("server", server)] {
        // Behind these, a client may ask a server to close.
        let sent = sent.messages.get(..sizes.len()).ok_or("messages are missing on the wire")?;
        let offer = client.extensions().unwrap_or_default();
        let direction = server.extensions().map(|answer| Direction::of(side, offer, answer));
        let checked = match direction {
            None => check_plain(sent, &sizes),
            Some(direction) if side == ours => {
                check_compressed(sent, direction).and_then(|()| check_worth(sent, &sizes))
            }
            Some(direction) => check_compressed(sent, direction),
        };
        checked.map_err(|why| format!("{side}: {why}; {direction:?}, {:?}", &sent[..PROOFS]))?;
    }
    Ok(())
}

/// Without an agreement, nothing is compressed.
fn check_plain(sent: &[Sent], sizes: &[usize]) -> Result<(), &'static str> {
    let plain = |(sent, size): (&Sent, &usize)| *sent == Sent { compressed: false, bytes: *size };
    if sent.iter().zip(sizes).all(plain) { Ok(()) } else { Err("compressed, but that was not agreed on") }
}

/// Each proof has become as small as it can under what was agreed on, and no smaller.
fn check_compressed(sent: &[Sent], direction: Direction) -> Result<(), &'static str> {
    if !sent[0].compressed || sent[0].bytes > TEXT / 2 {
        return Err("text does not shrink");
    }
    let again = sent[2].bytes;
    if direction.no_context_takeover && again < NOISE {
        return Err("an earlier message was referred to");
    }
    // zlib stays clear of the last 262 bytes of its window.
    if !direction.no_context_takeover && direction.window_bits > 9 && again > NOISE / 4 {
        return Err("an earlier message was not referred to");
    }
    for (pair, bits) in sent[3..PROOFS].chunks_exact(2).zip(9..=14) {
        if bits == direction.window_bits && pair[0].bytes > 3 * near(bits) {
            return Err("the window is not used");
        }
        if bits == direction.window_bits && pair[1].bytes < 2 * far(bits) * 9 / 10 {
            return Err("the window is too large");
        }
    }
    Ok(())
}

/// We leave what is too small or too large as it is.
fn check_worth(sent: &[Sent], sizes: &[usize]) -> Result<(), &'static str> {
    let wrong = |(sent, size): (&Sent, &usize)| sent.compressed && !WORTH_COMPRESSING.contains(size);
    if sent.iter().zip(sizes).any(wrong) {
        Err("a message was compressed that is not worth it")
    } else {
        Ok(())
    }
}

fn len(word: &Word) -> usize {
    match word {
        Word::Text(text) => text.len(),
        Word::Binary(bytes) => bytes.len(),
        _ => 0,
    }
}
