//! Cursors come back from pages and command lines: whatever is taken for one is spelled exactly as we spell it.

use wiretail::tail::cursor::Cursor;

/// Reads `data` as the token of a cursor.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(cursor) = text.parse::<Cursor>() else { return };
    assert_eq!(cursor.to_string(), text, "a place has one spelling");
    let places = cursor.places().len();
    assert!((1..=Cursor::MOST_PLACES).contains(&places), "{places} places");
    // Nothing in it needs escaping in a URL (RFC 3986 §2.3) or in JSON.
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".~".contains(&byte)), "{text}");
}
