//! `Sec-WebSocket-Extensions`: what one side offers and the other agrees to (RFC 6455 §9.1).
//!
//! Reads the field. Does not know what any extension means.

use std::fmt;

use crate::http::head::is_token;

/// One extension with its parameters, such as `permessage-deflate; client_max_window_bits`.
///
/// ```
/// use wiretail::ws::handshake::extensions::{Extension, parse};
///
/// // "Sec-WebSocket-Extensions: foo" and "Sec-WebSocket-Extensions: bar; baz=2" (§9.1), two lines of one request
/// let offers = parse(["foo", "bar; baz=2"].into_iter()).expect("the RFC's own example");
/// assert_eq!(offers[0], Extension { name: "foo".to_owned(), parameters: Vec::new() });
/// assert_eq!(offers[1].parameters, [("baz".to_owned(), Some("2".to_owned()))]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its registered name.
    pub name: String,
    /// Its parameters, in order, with their values if they have one.
    pub parameters: Vec<(String, Option<String>)>,
}

/// The field is not what §9.1 allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sec-WebSocket-Extensions is malformed")
    }
}

impl std::error::Error for Malformed {}

/// Reads the lines of the field, in order: several are the same as one with commas between them (§9.1).
///
/// ```text
/// extension-list = 1#extension
/// extension = extension-token *( ";" extension-param )
/// extension-param = token [ "=" (token | quoted-string) ]
///     ;When using the quoted-string syntax variant, the value
///     ;after quoted-string unescaping MUST conform to the 'token' ABNF.
/// ```
///
/// # Errors
/// "If a value is received by either the client or the server during negotiation that does not conform to the ABNF
/// below, the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_" (§9.1).
pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Extension>, Malformed> {
    let mut extensions = Vec::new();
    for line in lines {
        let before = extensions.len();
        let mut rest = skip_spaces(line);
        while !rest.is_empty() {
            // Between two commas there may be nothing (RFC 9110 §5.6.1.2).
            if !rest.starts_with(',') {
                let (extension, after) = parse_extension(rest)?;
                extensions.push(extension);
                rest = after;
            }
            match rest.strip_prefix(',') {
                Some(after) => rest = skip_spaces(after),
                None if rest.is_empty() => {}
                None => return Err(Malformed),
            }
        }
        if extensions.len() == before {
            return Err(Malformed);
        }
    }
    Ok(extensions)
}

fn parse_extension(text: &str) -> Result<(Extension, &str), Malformed> {
    let (name, mut rest) = take_token(text)?;
    let mut parameters = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        let (name, after) = take_token(skip_spaces(after))?;
        let (value, after) = match after.strip_prefix('=') {
            Some(value) => take_value(skip_spaces(value)).map(|(value, after)| (Some(value), after))?,
            None => (None, after),
        };
        parameters.push((name.to_owned(), value));
        rest = after;
    }
    Ok((Extension { name: name.to_owned(), parameters }, rest))
}

/// A token, and what follows it and the spaces behind it.
fn take_token(text: &str) -> Result<(&str, &str), Malformed> {
    let end = text.find([' ', '\t', ',', ';', '=']).unwrap_or(text.len());
    let (token, rest) = text.split_at(end);
    if is_token(token) { Ok((token, skip_spaces(rest))) } else { Err(Malformed) }
}

/// A token, bare or in quotes, and what follows it and the spaces behind it.
fn take_value(text: &str) -> Result<(String, &str), Malformed> {
    let Some(quoted) = text.strip_prefix('"') else {
        return take_token(text).map(|(token, rest)| (token.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' if is_token(&value) => return Ok((value, skip_spaces(&quoted[at + 1..]))),
            '"' => return Err(Malformed),
            '\\' => value.push(characters.next().ok_or(Malformed)?.1),
            other => value.push(other),
        }
    }
    Err(Malformed)
}

fn skip_spaces(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_lines(lines: &[&str]) -> Result<String, Malformed> {
        let show = |(name, value): &(String, Option<String>)| match value {
            Some(value) => format!(";{name}={value}"),
            None => format!(";{name}"),
        };
        let extensions = parse(lines.iter().copied())?;
        let shown = extensions.iter().map(|extension| {
            format!("{}{}", extension.name, extension.parameters.iter().map(show).collect::<String>())
        });
        Ok(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn s9_1_a_list_of_names_with_parameters() {
        assert_eq!(parse_lines(&[]).as_deref(), Ok(""));
        assert_eq!(parse_lines(&["foo"]).as_deref(), Ok("foo"));
        assert_eq!(parse_lines(&["foo", "bar; baz=2"]).as_deref(), Ok("foo bar;baz=2"), "the RFC's own");
        assert_eq!(parse_lines(&[", foo ;a = 1\t; b ,, bar,"]).as_deref(), Ok("foo;a=1;b bar"));
        assert_eq!(
            parse_lines(&["permessage-deflate; client_max_window_bits=\"1\\5\", permessage-deflate"])
                .as_deref(),
            Ok("permessage-deflate;client_max_window_bits=15 permessage-deflate")
        );
    }

    #[test]
    fn s9_1_anything_else_is_malformed() {
        for bad in [
            "",
            ",",
            "a b",
            "a;",
            "a;=1",
            "a;b=",
            "a=1",
            "a;b=\"1",
            "a;b=\"\"",
            "a;b=\"1 2\"",
            "a;b=\"1\\",
            "a;b=1 2",
            "a;b=\"1\"x",
            "(a)",
            "a;;b",
            "\u{e9}",
        ] {
            assert_eq!(parse_lines(&[bad]), Err(Malformed), "{bad:?}");
        }
        assert_eq!(parse_lines(&["a", ""]), Err(Malformed));
    }
}
