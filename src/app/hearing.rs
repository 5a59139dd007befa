//! What a viewer's message means, in either dialect.
//!
//! Knows the words; what follows from them is for `viewer`.

use super::rooms::Said;
use super::wire::{self, Code, Dialect, FromServer, FromViewer, Refusal};
use crate::ws::Message;

/// What a viewer's message means.
#[derive(Debug)]
pub enum Heard {
    /// Whether it wants to be sent anything.
    Flow(Flow),
    /// Whether the log is to be read for it at all.
    Switch(Switch),
    /// It asks for something that takes its time.
    Request(FromViewer),
    /// It says something, by this number.
    Said(u32, Said),
    /// It is answered so.
    Answer(String),
    /// Nothing.
    Nothing,
}

/// Whether the viewer wants to be sent anything now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Running,
    /// Not for the moment; but it wants to know how much it misses.
    Paused,
}

/// Whether the log is to be read for a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is to be let go of: nobody looks at it for this viewer.
    Off,
}

/// What `message` means. In plain text there are the words of older clients: `ping`, `stop` and `start`.
pub fn hear(dialect: Dialect, message: &Message<'_>) -> Heard {
    let Message::Text(text) = message else { return Heard::Nothing };
    match dialect {
        // Older clients keep their connections awake like this.
        Dialect::Plain if text == "ping" => Heard::Answer("pong".to_owned()),
        Dialect::Plain if text == "stop" => Heard::Switch(Switch::Off),
        Dialect::Plain if text == "start" => Heard::Switch(Switch::On),
        Dialect::Plain => Heard::Nothing,
        Dialect::V1 => match serde_json::from_slice(text.as_bytes()) {
            Ok(FromViewer::Pause {}) => Heard::Flow(Flow::Paused),
            Ok(FromViewer::Resume {}) => Heard::Flow(Flow::Running),
            Ok(FromViewer::Stop {}) => Heard::Switch(Switch::Off),
            Ok(FromViewer::Start {}) => Heard::Switch(Switch::On),
            Ok(FromViewer::Ping {}) => Heard::Answer(FromServer::Pong {}.to_json()),
            Ok(FromViewer::Say { id, message, who }) => Heard::Said(id, Said { who, message }),
            Ok(request) => Heard::Request(request),
            Err(error) => {
                let message = format!("This is not a message of {}: {error}.", wire::V1);
                Heard::Answer(Refusal::new(Code::Message, message).answer(None).to_json())
            }
        },
    }
}
