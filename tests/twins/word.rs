//! Words: what is said in a conversation, whoever says it and however it is cut on the way.

use std::fmt;

/// One thing that an endpoint says to the other.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong, asked for or not.
    Pong(Vec<u8>),
    /// A close frame: its code, if it has one, and the reason.
    Close(Option<u16>, String),
    /// Not said at all: TCP ended without a closing handshake.
    Lost,
}

impl Word {
    /// The word that a finished frame, or the frames of a message, amount to.
    ///
    /// # Panics
    /// If it is not one. The words of a script always are.
    pub(crate) fn new(opcode: u8, payload: Vec<u8>) -> Self {
        let utf8 = |bytes| String::from_utf8(bytes).expect("the script writes UTF-8");
        match opcode {
            0x1 => Self::Text(utf8(payload)),
            0x2 => Self::Binary(payload),
            0x8 => match payload.split_first_chunk() {
                Some((&code, reason)) => Self::Close(Some(u16::from_be_bytes(code)), utf8(reason.to_vec())),
                None => Self::Close(None, String::new()),
            },
            0x9 => Self::Ping(payload),
            0xa => Self::Pong(payload),
            other => panic!("opcode {other:#x} says nothing"),
        }
    }

    /// Whether it is a message, and so for the application.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Binary(_))
    }
}

impl fmt::Debug for Word {
    /// Payloads of a hundred kilobytes are told by their length and how they begin.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, bytes) = match self {
            Self::Text(text) => ("Text", text.as_bytes()),
            Self::Binary(bytes) => ("Binary", &bytes[..]),
            Self::Ping(bytes) => ("Ping", &bytes[..]),
            Self::Pong(bytes) => ("Pong", &bytes[..]),
            Self::Close(code, reason) => return write!(f, "Close({code:?}, {reason:?})"),
            Self::Lost => return f.write_str("Lost"),
        };
        let begins = String::from_utf8_lossy(&bytes[..bytes.len().min(12)]);
        write!(f, "{name}({} bytes, {begins:?})", bytes.len())
    }
}

/// Compares what one side said with what the other heard.
///
/// # Errors
/// The first word that differs, with those around it.
pub(crate) fn same(what: &str, said: &[Word], heard: &[Word]) -> Result<(), String> {
    if said == heard {
        return Ok(());
    }
    let at = said.iter().zip(heard).take_while(|(said, heard)| said == heard).count();
    let around = |words: &[Word]| {
        let from = at.saturating_sub(1).min(words.len());
        format!("{:?}", &words[from..words.len().min(at + 3)])
    };
    Err(format!(
        "{what}: word {at} differs\n  said  ({:3}) {}\n  heard ({:3}) {}",
        said.len(),
        around(said),
        heard.len(),
        around(heard)
    ))
}

/// What can be heard of these: "The application MUST NOT send any more data frames after sending a Close frame" and a
/// peer "discards any further data received" (RFC 6455 §5.5.1, §1.4).
///
/// # Errors
/// If anything but a pong was said behind a close frame.
pub(crate) fn until_close(said: &[Word]) -> Result<&[Word], String> {
    let Some(at) = said.iter().position(|word| matches!(word, Word::Close(..))) else { return Ok(said) };
    let (before, after) = said.split_at(at + 1);
    match after.iter().find(|word| !matches!(word, Word::Pong(_))) {
        None => Ok(before),
        Some(word) => Err(format!("{word:?} was said behind a close frame")),
    }
}
