//! Text: whole or in pieces, it is what the standard library says of all of it, and what is wrong is refused with the
//! piece that has it.

use std::str;

use wiretail::ws::Text;
use wiretail::ws::utf8::TextBuilder;

use super::cuttings;

/// Takes `data` for text, as it is and between other text that fills the blocks in which it is looked at.
pub fn run(data: &[u8]) {
    check(data);
    let len = data.len();
    check(&[&"中".repeat(len % 64).into_bytes(), data, &[b'.'; 200][..len % 200]].concat());
}

fn check(bytes: &[u8]) {
    let naive = str::from_utf8(bytes);
    assert_eq!(Text::from_utf8(bytes).is_ok(), naive.is_ok());
    // The byte that makes it wrong, if any does, is one of these: behind what is right, or behind what could be.
    let wrong = naive.err().and_then(|error| {
        let right = error.valid_up_to();
        Some(right..=right + error.error_len()?)
    });
    for pieces in cuttings(bytes) {
        let (mut text, mut taken) = (TextBuilder::new(), 0);
        let mut refused = 0;
        for piece in pieces {
            if text.push(piece).is_err() {
                refused = piece.len();
                break;
            }
            taken += piece.len();
        }
        match &wrong {
            Some(wrong) => {
                assert!(taken <= *wrong.end(), "{taken} bytes were taken, and {wrong:?} is wrong");
                assert!(taken + refused > *wrong.start(), "refused before {wrong:?}");
            }
            None => {
                assert_eq!((taken, text.len()), (bytes.len(), bytes.len()), "what is right was refused");
                assert_eq!(text.finish().ok().as_ref().map(Text::as_str), naive.ok());
            }
        }
    }
}
