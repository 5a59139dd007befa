//! The other end of a conversation: tungstenite, in either role, from the opening handshake on, over a network that
//! brings as much as it is told to.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use tungstenite::error::ProtocolError;
use tungstenite::handshake::MidHandshake;
use tungstenite::handshake::server::NoCallback;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::OpCode;
use tungstenite::protocol::frame::{self, FrameHeader};
use tungstenite::{ClientHandshake, Error, HandshakeError, Message, ServerHandshake, WebSocket};

use crate::script::Frame;
use crate::word::Word;

/// tungstenite's end of the network: it reads what has arrived, and may write at any time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Rc<RefCell<Buffers>>);

#[derive(Debug, Default)]
struct Buffers {
    arrived: VecDeque<u8>,
    ended: bool,
    out: Vec<u8>,
}

impl Wire {
    /// Brings `bytes`.
    pub(crate) fn bring(&self, bytes: &[u8]) {
        self.0.borrow_mut().arrived.extend(bytes);
    }

    /// Brings the end of the connection, behind what has come.
    pub(crate) fn end(&self) {
        self.0.borrow_mut().ended = true;
    }

    /// Takes what was written.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut().out)
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buffers = self.0.borrow_mut();
        if buffers.arrived.is_empty() && !buffers.ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        buffers.arrived.read(buf)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().out.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One endpoint.
pub(crate) struct Theirs {
    stage: Stage,
    pub(crate) wire: Wire,
    /// What it has said, answers to pings and to a close included.
    pub(crate) said: Vec<Word>,
    /// What it was told.
    pub(crate) heard: Vec<Word>,
}

enum Stage {
    Asking(MidHandshake<ClientHandshake<Wire>>),
    Answering(MidHandshake<ServerHandshake<Wire, NoCallback>>),
    Talking(WebSocket<Wire>),
    /// It says that the connection may be dropped.
    Over,
}

impl Theirs {
    /// A server.
    pub(crate) fn server() -> Self {
        let wire = Wire::default();
        let stage = match tungstenite::accept(wire.clone()) {
            Err(HandshakeError::Interrupted(handshake)) => Stage::Answering(handshake),
            other => panic!("it has heard nothing yet: {other:?}"),
        };
        Self { stage, wire, said: Vec::new(), heard: Vec::new() }
    }

    /// A client, which has asked.
    pub(crate) fn client() -> Self {
        let wire = Wire::default();
        let stage = match tungstenite::client("ws://127.0.0.1/", wire.clone()) {
            Err(HandshakeError::Interrupted(handshake)) => Stage::Asking(handshake),
            other => panic!("it has heard nothing yet: {other:?}"),
        };
        Self { stage, wire, said: Vec::new(), heard: Vec::new() }
    }

    /// Whether it has not heard the answer, or the request, to its end.
    pub(crate) fn is_shaking_hands(&self) -> bool {
        matches!(self.stage, Stage::Asking(_) | Stage::Answering(_))
    }

    /// Whether it has shaken hands and not said goodbye.
    pub(crate) fn may_speak(&self) -> bool {
        matches!(&self.stage, Stage::Talking(socket) if socket.can_write())
    }

    /// Whether it wants the connection to end.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// Sends `frame`, if it may.
    ///
    /// # Errors
    /// What tungstenite says.
    pub(crate) fn say(&mut self, frame: Frame) -> Result<(), String> {
        let Stage::Talking(socket) = &mut self.stage else { return Ok(()) };
        if !socket.can_write() {
            return Ok(());
        }
        socket.send(message(&frame)).map_err(|error| error.to_string())?;
        self.said.extend(frame.says);
        Ok(())
    }

    /// Takes what has arrived.
    ///
    /// # Errors
    /// If it takes something for a sin: here nobody sins.
    pub(crate) fn hear(&mut self) -> Result<(), String> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Asking(handshake) => match handshake.handshake() {
                Ok((socket, _)) => Stage::Talking(socket),
                Err(HandshakeError::Interrupted(handshake)) => Stage::Asking(handshake),
                Err(HandshakeError::Failure(error)) => return Err(format!("no handshake: {error}")),
            },
            Stage::Answering(handshake) => match handshake.handshake() {
                Ok(socket) => Stage::Talking(socket),
                Err(HandshakeError::Interrupted(handshake)) => Stage::Answering(handshake),
                Err(HandshakeError::Failure(error)) => return Err(format!("no handshake: {error}")),
            },
            stage => stage,
        };
        while let Stage::Talking(socket) = &mut self.stage {
            match next_word(socket, &mut self.said) {
                Ok(Some(word)) => self.heard.push(word),
                Ok(None) => return Ok(()),
                Err(Error::ConnectionClosed) => self.stage = Stage::Over,
                Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                    self.heard.push(Word::Lost);
                    self.stage = Stage::Over;
                }
                Err(error) => return Err(format!("tungstenite refused: {error}")),
            }
        }
        Ok(())
    }
}

/// The next word, if it has arrived. It is answered at once, and the answer noted in `said`.
///
/// # Errors
/// What tungstenite says, the end of the conversation included.
pub(crate) fn next_word<S: Read + Write>(
    socket: &mut WebSocket<S>,
    said: &mut Vec<Word>,
) -> Result<Option<Word>, Error> {
    // It answers neither ping nor close once it has said goodbye. For pings that is not what §5.5.2 asks, which lets
    // an endpoint off only when it has *received* a close frame.
    let answers = socket.can_write();
    let word = match socket.read() {
        Ok(message) => word(message),
        Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
        // A pong of ours behind our close frame: pings are to be answered until a close frame has *come* (§5.5.2), and
        // what comes behind a close frame is to be discarded (§1.4).
        Err(Error::AlreadyClosed | Error::Protocol(ProtocolError::ReceivedAfterClosing)) => {
            return Err(Error::ConnectionClosed);
        }
        Err(error) => return Err(error),
    };
    match &word {
        Word::Ping(payload) if answers => said.push(Word::Pong(payload.clone())),
        // With the reason, which ours leaves out: "the endpoint typically echos the status code" (§5.5.1).
        Word::Close(..) if answers => said.push(word.clone()),
        _ => return Ok(Some(word)),
    }
    match socket.flush() {
        // A server is done with this, and its next read tells so again. If the network is full, the answer waits.
        Err(Error::ConnectionClosed) => Ok(Some(word)),
        Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(Some(word)),
        flushed => flushed.map(|()| Some(word)),
    }
}

/// What a message of tungstenite's says.
pub(crate) fn word(message: Message) -> Word {
    match message {
        Message::Text(text) => Word::Text(text.to_string()),
        Message::Binary(bytes) => Word::Binary(bytes.into()),
        Message::Ping(payload) => Word::Ping(payload.into()),
        Message::Pong(payload) => Word::Pong(payload.into()),
        Message::Close(None) => Word::Close(None, String::new()),
        Message::Close(Some(close)) => Word::Close(Some(close.code.into()), close.reason.to_string()),
        Message::Frame(frame) => panic!("tungstenite never reads a single frame: {frame}"),
    }
}

/// What tungstenite is told to send: frames as they are, so it sends fragments; but a close as such, so that it knows
/// of it.
pub(crate) fn message(frame: &Frame) -> Message {
    if let Some(Word::Close(code, reason)) = &frame.says {
        let close = |code: u16| CloseFrame { code: code.into(), reason: reason.clone().into() };
        return Message::Close(code.map(close));
    }
    let opcode = OpCode::from(frame.first & 0x0f);
    let header = FrameHeader { is_final: frame.first & 0x80 != 0, opcode, ..FrameHeader::default() };
    Message::Frame(frame::Frame::from_payload(header, frame.payload.clone().into()))
}
