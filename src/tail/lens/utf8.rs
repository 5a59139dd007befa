//! A log in UTF-8: its bytes as valid UTF-8, wherever they are cut.
//!
//! What viewers see is what `String::from_utf8_lossy` would make of the whole generation. A log comes in pieces, so
//! a piece must not end inside a character: what is unfinished at its end (three bytes at most) is left for the next.
//!
//! Does not know files; holds no state. An offset that this file calls a border stays one, whoever reads from there.

use std::borrow::Cow;

/// How many bytes at the end of `bytes` are the beginning of a character that needs more: 0 to 3.
///
/// `bytes` begins at a border. Looks at the last three bytes only.
pub(super) fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let from = bytes.len() - back;
        if is_continuation(bytes[from]) {
            continue;
        }
        // Whatever precedes it, a byte that continues nothing begins something. `error_len` is None when "the end of
        // the input was reached unexpectedly", and a length when more bytes would not help.
        let needs_more = std::str::from_utf8(&bytes[from..]).is_err_and(|error| error.error_len().is_none());
        return if needs_more { back } else { 0 };
    }
    0
}

/// The border nearest to `at`, at most three bytes before it.
///
/// `bytes` may begin anywhere if there are four before `at`; else it begins where the generation does.
///
/// Between a lead byte and the last of its character there are at most three bytes that continue it. So, after four of
/// them in a row (the one at `at` included), `at` is a border already.
pub(super) fn border_at_or_before(bytes: &[u8], at: usize) -> usize {
    if bytes.is_empty() {
        return 0;
    }
    if at >= bytes.len() {
        let from = border_at_or_before(bytes, bytes.len().saturating_sub(4));
        return bytes.len() - unfinished(&bytes[from..]);
    }
    let nearest = (0..=at.min(3)).map(|back| at - back).find(|&i| !is_continuation(bytes[i]));
    nearest.unwrap_or(if at < 3 { 0 } else { at })
}

/// Where the first character begins, if `bytes` may begin anywhere; 0 if no character is that long.
pub(super) fn first_border(bytes: &[u8]) -> usize {
    let broken = bytes.iter().take(4).take_while(|&&byte| is_continuation(byte)).count();
    if broken > 3 || broken == bytes.len() { 0 } else { broken }
}

/// All of `bytes` as text; what is not UTF-8 becomes U+FFFD.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Cow::Borrowed(bytes),
        Err(_) => Cow::Owned(String::from_utf8_lossy(bytes).into_owned().into_bytes()),
    }
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Good and bad characters side by side: every length, surrogates, overlong forms, lonely continuations, cut ones.
    const SAMPLES: [&[u8]; 12] = [
        b"plain\n",
        "\u{e9}\u{20ac}\u{1f600}".as_bytes(),
        b"\xff\xfe\x80\x80\x80\x80\x80\x80x",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\xf0\x9f\x98A\xf0\x9f\xe2\x82\xacB\xe2",
        b"\xc0\xaf\xe0\x80\xaf\xed\xa0\x80",
        b"\xf4\x90\x80\x80\xf5\x80",
        b"\xe2\x82\xac\x80\x80\x80\xac\xf0\x9f\x98\x80\x80",
        b"\xf0\x80\x80\x80\x80\x80",
        b"\x00\x00\xc3\x00\xc3",
        b"",
    ];

    fn naive(bytes: &[u8]) -> Vec<u8> {
        String::from_utf8_lossy(bytes).into_owned().into_bytes()
    }

    /// As a reader does it: what is unfinished waits for the next piece, and at the end it is said as it is.
    fn piecewise(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut text, mut held) = (Vec::new(), Vec::new());
        for piece in pieces {
            held.extend_from_slice(piece);
            let whole = held.len() - unfinished(&held);
            assert!(held.len() - whole <= 3);
            text.extend_from_slice(&lossy(&held[..whole]));
            held.drain(..whole);
        }
        text.extend_from_slice(&lossy(&held));
        text
    }

    #[test]
    fn every_split_gives_what_the_whole_would() {
        for a in SAMPLES {
            for b in SAMPLES {
                let whole = [a, b].concat();
                for i in 0..=whole.len() {
                    for j in i..=whole.len() {
                        let pieces = [&whole[..i], &whole[i..j], &whole[j..]];
                        assert_eq!(piecewise(&pieces), naive(&whole), "{whole:x?} cut at {i} and {j}");
                    }
                }
                let bytes: Vec<&[u8]> = whole.chunks(1).collect();
                assert_eq!(piecewise(&bytes), naive(&whole), "{whole:x?} byte by byte");
            }
        }
    }

    #[test]
    fn cutting_at_a_border_changes_nothing() {
        for a in SAMPLES {
            for b in SAMPLES {
                let whole = [a, b].concat();
                for at in 0..=whole.len() {
                    let border = border_at_or_before(&whole, at);
                    assert!(border <= at && at - border <= 3);
                    let (before, after) = whole.split_at(border);
                    assert_eq!([naive(before), naive(after)].concat(), naive(&whole), "{whole:x?} at {at}");
                }
            }
        }
    }
}
