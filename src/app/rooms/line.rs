//! What somebody says, as one line of a log: when, who, what.
//!
//! ```text
//!   2026-11-25T19:45:00.000Z ada: good morning
//!   2026-11-25T19:45:07.000Z [192.0.2.7]: I have no name
//! ```
//!
//! A message cannot end its line, so none can pass for another's: line ends are shown as `⏎`, control characters as the
//! pictures that Unicode has of them, and what would turn the order of letters around as U+FFFD. A name has no bracket and no
//! colon, so it can pass neither for an address nor for the beginning of a message. It is what its bearer says it is, as
//! long as there are no users.
//!
//! Knows text, times and addresses; not where the line goes.

use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use crate::tail::utc::Utc;

/// The longest name, in characters.
const LONGEST_NAME: usize = 32;

/// What somebody wants written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What they call themselves, if they say.
    pub who: Option<String>,
    /// What they say.
    pub message: String,
}

/// What is wrong with what somebody says. Reads as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// There is nothing in the message.
    Message,
    /// The name has characters that no name has, or too many.
    Name,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message => f.write_str("There is nothing in this message."),
            Self::Name => {
                write!(
                    f,
                    "A name has at most {LONGEST_NAME} letters, digits, spaces, and the characters - _ . '"
                )
            }
        }
    }
}

impl std::error::Error for Unfit {}

impl Said {
    /// The line for it, with its newline.
    ///
    /// It has at most three times the bytes of the message, and some 100 more.
    ///
    /// # Errors
    /// If the message is empty, or the name can be none.
    pub fn line(&self, at: SystemTime, from: IpAddr) -> Result<String, Unfit> {
        let message = self.message.trim();
        if message.is_empty() {
            return Err(Unfit::Message);
        }
        let who = match self.who.as_deref().map(str::trim) {
            None | Some("") => format!("[{}]", from.to_canonical()),
            Some(name) if is_name(name) => name.to_owned(),
            Some(_) => return Err(Unfit::Name),
        };
        Ok(format!("{} {who}: {}\n", Utc::from(at), shown(message)))
    }
}

/// Whether somebody may be called this.
pub fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || " -_.'".contains(c);
    name.chars().count() <= LONGEST_NAME && name.chars().all(fits)
}

/// A message in one line, with nothing in it that acts.
fn shown(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    let mut before = None;
    for c in message.chars() {
        match c {
            // The second half of a line end.
            '\n' if before == Some('\r') => {}
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => line.push('\u{23ce}'),
            '\t' => line.push(c),
            // "Control Pictures": U+2400 is that of NUL, and so on.
            '\0'..='\x1f' => line.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
            '\x7f' => line.push('\u{2421}'),
            '\u{80}'..='\u{9f}' => line.push('\u{fffd}'),
            // "Explicit directional embeddings, overrides and isolates", and marks (Unicode UAX #9).
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.push('\u{fffd}');
            }
            _ => line.push(c),
        }
        before = Some(c);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn line(who: Option<&str>, message: &str) -> Result<String, Unfit> {
        let said = Said { who: who.map(str::to_owned), message: message.to_owned() };
        said.line(UNIX_EPOCH + Duration::from_millis(951_782_399_007), "::ffff:192.0.2.7".parse().unwrap())
    }

    #[test]
    fn a_line_says_when_who_and_what() {
        assert_eq!(
            line(Some("ada"), "good morning\n").unwrap(),
            "2000-02-28T23:59:59.007Z ada: good morning\n"
        );
        assert_eq!(line(None, " hi ").unwrap(), "2000-02-28T23:59:59.007Z [192.0.2.7]: hi\n");
        assert_eq!(line(Some("  "), "hi").unwrap(), line(None, "hi").unwrap());
        let said = Said { who: None, message: "a: b".to_owned() };
        let line = said.line(UNIX_EPOCH, "2001:db8::1".parse().unwrap()).unwrap();
        assert_eq!(line.split_once(": ").unwrap().1, "a: b\n", "the first ': ' is where the message begins");
    }

    #[test]
    fn a_name_is_letters_and_cannot_pass_for_more() {
        for good in ["ada", "Ada Lovelace", "O'Neil-2_b.c", "\u{738b}\u{5c0f}\u{660e}", &"x".repeat(32)] {
            assert!(line(Some(good), "x").unwrap().contains(&format!("Z {good}: ")), "{good}");
        }
        for bad in [
            "a:",
            "a: b",
            "[192.0.2.1]",
            "a\nb",
            "a\tb",
            "\x1b[31m",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{a0}b",
            "<b>",
            &"x".repeat(33),
        ] {
            assert_eq!(line(Some(bad), "x"), Err(Unfit::Name), "{bad:?}");
        }
    }

    #[test]
    fn a_message_is_one_line_whatever_is_in_it() {
        let message = |text: &str| line(Some("a"), text).unwrap().split_once(": ").unwrap().1.to_owned();
        assert_eq!(message("one\ntwo\r\nthree\rfour\n\nfive"), "one⏎two⏎three⏎four⏎⏎five\n");
        assert_eq!(message("a\u{2028}b\u{2029}c\u{85}d\x0be\x0cf"), "a⏎b⏎c⏎d␋e␌f\n");
        assert_eq!(message("\x1b[2J\x07\0\x7f\tx"), "␛[2J␇␀␡\tx\n");
        assert_eq!(message("\u{9b}31mx\u{202e}y\u{2066}z"), "\u{fffd}31mx\u{fffd}y\u{fffd}z\n");
        let forged = message("hi\n2026-11-25T19:45:00.000Z bob: I quit");
        assert_eq!(forged.matches('\n').count(), 1);
        for c in '\0'..='\u{ffff}' {
            let line = message(&format!("a{c}b"));
            let acts =
                |c: char| c.is_control() && c != '\t' && c != '\n' || matches!(c, '\u{2028}' | '\u{2029}');
            assert!(!line.contains(acts) && line.matches('\n').count() == 1, "{c:?}");
            assert!(line.len() <= 3 * (c.len_utf8() + 3), "{c:?}");
        }
    }

    #[test]
    fn nothing_is_no_message() {
        for nothing in ["", " ", "\r\n\t\n", "\u{3000}"] {
            assert_eq!(line(None, nothing), Err(Unfit::Message), "{nothing:?}");
        }
    }
}
