//! Whether bytes are UTF-8, many of them at a time.
//!
//! The standard library reads one character after the other: two gigabytes a second of Chinese, which is a tenth of what
//! an echo costs. But whether a byte may stand where it stands can be told from the two before it, for every character of up
//! to three bytes; and sixty-four such questions at once, none of which waits for the answer of another, are what
//! processors are good at: five times as fast, without a word of assembler. Whatever is not answered by that, a character
//! of four bytes or something that is wrong, is left to the standard library. Does not know texts that come in pieces.

use std::str;

use super::NotUtf8;

/// How many bytes are looked at together.
const BLOCK: usize = 64;
/// Those before them that tell what may stand where.
const BEFORE: usize = 2;
/// How much at the beginning of a text is looked at one by one: after that, there are two bytes before.
const BEGINNING: usize = 8;

/// How many of `bytes` are whole characters; those behind them, three at most, begin another.
pub(super) fn whole_characters(bytes: &[u8]) -> Result<usize, NotUtf8> {
    let mut whole = 0;
    let mut step = if bytes.len() > BLOCK { BEGINNING } else { BLOCK };
    loop {
        let rest = &bytes[whole..];
        let next = &rest[..rest.len().min(step)];
        whole += match str::from_utf8(next) {
            Ok(_) => next.len(),
            // `next` ends inside a character.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(NotUtf8),
        };
        if next.len() == rest.len() {
            return Ok(whole);
        }
        whole = skip_common(bytes, whole);
        step = BLOCK;
    }
}

/// Skips blocks of common characters from `from` on, where a character begins; so does one where it stops.
fn skip_common(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() {
        // The last block ends where the text does, and looks at some bytes once more.
        let end = (at + BLOCK).min(bytes.len());
        let Some(window) = bytes[..end].last_chunk() else { break };
        if !window.is_ascii() && !is_common(window) {
            break;
        }
        at = end;
    }
    match bytes[..at] {
        [.., lead] if lead >= 0xc0 => at - 1,
        [.., lead, _] if lead >= 0xe0 => at - 2,
        _ => at,
    }
}

/// Whether all of a window's bytes, but for the first two, may stand where they stand, and none belongs to a character of
/// four bytes. (Unicode, table 3-7.)
fn is_common(window: &[u8; BEFORE + BLOCK]) -> bool {
    let mut wrong = false;
    // Every condition is looked at for every byte, with `|` and not `||`: so that there is nothing to branch on, and the
    // compiler can do many at once.
    for at in BEFORE..window.len() {
        let [second_last, last, byte] = [window[at - 2], window[at - 1], window[at]];
        // As a signed number, a byte from 0x80 to 0xbf is one from -128 to -65.
        let continues = (byte as i8) < -64;
        let expected = (last >= 0xc0) | (second_last >= 0xe0);
        wrong |= continues != expected;
        // What no character begins with, and what one of four bytes begins with.
        wrong |= (byte == 0xc0) | (byte == 0xc1) | (byte >= 0xf0);
        // Behind these two, half of the continuations would be a longer form of another character, or a surrogate.
        let low = (byte as i8) < -96;
        wrong |= (last == 0xe0) & low | (last == 0xed) & !low;
    }
    !wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by the standard library alone.
    fn naive(bytes: &[u8]) -> Result<usize, NotUtf8> {
        match str::from_utf8(bytes) {
            Ok(_) => Ok(bytes.len()),
            Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
            Err(_) => Err(NotUtf8),
        }
    }

    /// Numbers without a pattern (xorshift), the same each time.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % end as u64) as usize
        }
    }

    /// Characters at the edges of every row of table 3-7.
    const CHARACTERS: [&str; 16] = [
        "a",
        "\n",
        "\u{7f}",
        "\u{80}",
        "\u{e9}",
        "\u{7ff}",
        "\u{800}",
        "\u{fff}",
        "\u{1000}",
        "中",
        "。",
        "\u{d7ff}",
        "\u{e000}",
        "\u{ffff}",
        "\u{10000}",
        "\u{10ffff}",
    ];

    /// What makes text something else, or another text.
    const BYTES: [u8; 20] = [
        0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef,
        0xf0, 0xf4, 0xf5,
    ];

    /// Text of at least `len` bytes, of the first `kinds` characters; most of it in runs of one kind, as texts are.
    fn text(len: usize, kinds: usize, random: &mut Random) -> Vec<u8> {
        let mut text = String::new();
        while text.len() < len {
            let character = CHARACTERS[random.below(kinds)];
            text += &character.repeat(1 + random.below(40));
        }
        text.into_bytes()
    }

    #[test]
    fn every_text_is_whole_up_to_the_character_that_is_cut() {
        let mut random = Random(1);
        for kinds in [3, 14, 16] {
            let text = text(400, kinds, &mut random);
            for cut in 0..=text.len() {
                assert_eq!(
                    whole_characters(&text[..cut]),
                    naive(&text[..cut]),
                    "{kinds} kinds, cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn one_byte_of_any_kind_anywhere_makes_the_difference_that_it_makes_to_the_standard_library() {
        // Three blocks, so that every place in one of them, its edges and the last one are met.
        let all =
            ["中".repeat(70), "\u{d7ff}e\u{301}".repeat(36), "a".repeat(210), "\u{800}\u{fff}".repeat(35)];
        for whole in &all {
            for at in 0..whole.len() {
                for byte in BYTES {
                    let mut bytes = whole.clone().into_bytes();
                    bytes[at] = byte;
                    assert_eq!(whole_characters(&bytes), naive(&bytes), "{byte:#04x} at {at} of {whole}");
                }
            }
        }
    }

    #[test]
    fn texts_with_several_mistakes_cut_anywhere_are_judged_as_by_the_standard_library() {
        let mut random = Random(2);
        let (mut good, mut bad) = (0, 0);
        for round in 0..20_000 {
            let (len, kinds) = (1 + random.below(300), 1 + random.below(CHARACTERS.len()));
            let mut bytes = text(len, kinds, &mut random);
            for _ in 0..random.below(3) {
                let at = random.below(bytes.len());
                match random.below(3) {
                    0 => bytes[at] = BYTES[random.below(BYTES.len())],
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, BYTES[random.below(BYTES.len())]),
                }
            }
            bytes.truncate(random.below(bytes.len() + 1));
            let expected = naive(&bytes);
            assert_eq!(whole_characters(&bytes), expected, "round {round}: {bytes:x?}");
            *(if expected.is_ok() { &mut good } else { &mut bad }) += 1;
        }
        assert!(good > 5000 && bad > 5000, "{good} good, {bad} bad");
    }

    #[test]
    fn common_characters_need_no_second_look() {
        // But for what lies before the first block: otherwise this file would be of no use.
        let text = "2026-11-25 12:00:00 数据库写入失败：\u{e9}\u{d7ff}\u{800}\n".repeat(20);
        let bytes = text.as_bytes();
        assert_eq!(skip_common(bytes, BEGINNING), bytes.len());
    }
}
