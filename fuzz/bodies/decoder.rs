//! Frames out of a stream: every re-chunking that the input chooses gives the same frames, unmasked as the RFC's formula
//! has it, and the same sin at the same place.

use wiretail::ws::decoder::{Decoder, Input};
use wiretail::ws::frame::{FrameHeader, Rsv1};
use wiretail::ws::{Opcode, ProtocolError};

use super::choices::Choices;

/// A frame put together from its chunks. The last one of a stream may lack its end.
type Frame = (FrameHeader, Vec<u8>);

/// What came out of a stream.
#[derive(Debug, PartialEq)]
struct Outcome {
    frames: Vec<Frame>,
    sin: Option<ProtocolError>,
}

/// How a stream is cut: into pieces before it comes, and into runs when it is taken.
struct Cutting<'a> {
    pieces: Vec<&'a [u8]>,
    run: usize,
}

/// The first byte says how many bytes follow that choose lengths; the rest is the stream.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (rsv1, run) = match choices.byte() {
        kind if kind & 1 == 0 => (Rsv1::Reserved, usize::from(kind / 2) + 1),
        kind => (Rsv1::Compressed, usize::from(kind / 2) + 1),
    };
    let count = choices.below(64);
    let lengths = choices.bytes(count);
    let stream = choices.rest();

    let whole = decode(&Cutting { pieces: vec![stream], run: usize::MAX }, rsv1);
    check(&whole, stream);
    for pieces in [cut(stream, lengths), stream.chunks(1).collect()] {
        for run in [usize::MAX, run] {
            let cutting = Cutting { pieces: pieces.clone(), run };
            assert_eq!(decode(&cutting, rsv1), whole, "cut in {lengths:?}, in runs of {run}");
        }
    }
}

/// Pieces of these lengths, over and over; a length of 0 is a piece of nothing.
fn cut<'a>(stream: &'a [u8], lengths: &[u8]) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), stream);
    if lengths.iter().any(|&length| length > 0) {
        for &length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(usize::from(length).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
    }
    pieces.push(rest);
    pieces
}

fn decode(cutting: &Cutting<'_>, rsv1: Rsv1) -> Outcome {
    let mut decoder = Decoder::new();
    let mut outcome = Outcome { frames: Vec::new(), sin: None };
    let mut under_way = false;
    for piece in &cutting.pieces {
        let mut piece = piece.to_vec();
        let mut input = Input::new(&mut piece);
        loop {
            let before = input.len();
            let chunk = match decoder.next_chunk(&mut input, rsv1, |_| cutting.run) {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(sin) => {
                    outcome.sin = Some(sin);
                    return outcome;
                }
            };
            assert!(input.len() < before, "every chunk takes something");
            assert!(chunk.payload.len() <= cutting.run);
            assert_eq!(chunk.first, !under_way, "a frame begins where the one before it has ended");
            if chunk.first {
                outcome.frames.push((chunk.header, Vec::new()));
            }
            let (header, payload) = outcome.frames.last_mut().expect("a frame is under way");
            assert_eq!(*header, chunk.header);
            payload.extend_from_slice(chunk.payload);
            assert_eq!(chunk.last, payload.len() as u64 == header.payload_len);
            under_way = !chunk.last;
        }
        assert!(input.is_empty(), "nothing is left behind");
    }
    outcome
}

/// Where each frame stands in the stream follows from the lengths alone.
fn check(whole: &Outcome, stream: &[u8]) {
    let mut at = 0;
    for (header, payload) in &whole.frames {
        let encoded = header.encode();
        assert_eq!(encoded[..], stream[at..at + encoded.len()]);
        at += encoded.len();
        // "transformed-octet-i = original-octet-i XOR masking-key-octet-j, j = i MOD 4" (§5.3)
        let key = header.mask.unwrap_or_default();
        let expected = stream[at..at + payload.len()].iter().enumerate().map(|(i, octet)| octet ^ key[i % 4]);
        assert!(expected.eq(payload.iter().copied()), "unmasked wrongly");
        at += payload.len();
        assert!(header.opcode != Opcode::Close || payload.len() <= 125);
    }
    match whole.sin {
        Some(sin) => assert!(at < stream.len(), "{sin:?} in nothing"),
        // All that is left is the beginning of a header.
        None => assert!(stream.len() - at < 14),
    }
}
