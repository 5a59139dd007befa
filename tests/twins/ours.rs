//! Our end of a conversation: the library's own core, in either role, from the opening handshake on.

use wiretail::http::RequestReader;
use wiretail::ws::deflate::Parameters;
use wiretail::ws::handshake::{self, Client};
use wiretail::ws::{CloseCode, Closed, ClosedBy, Connection, Event, Input, Limits, MaskKeys, Message};

use crate::word::Word;

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Ours {
    stage: Stage,
    /// What is not taken by the network yet.
    pub(crate) out: Vec<u8>,
    /// What it has said, answers to pings and to a close included.
    pub(crate) said: Vec<Word>,
    /// What it was told.
    pub(crate) heard: Vec<Word>,
}

#[derive(Debug)]
enum Stage {
    /// A client that waits for the answer.
    Asking(Client),
    /// A server that waits for the request.
    Answering(RequestReader),
    Talking(Connection),
}

impl Ours {
    /// A server.
    pub(crate) fn server() -> Self {
        Self::new(Stage::Answering(RequestReader::new()), Vec::new())
    }

    /// A client, which has asked for `target` and offered permessage-deflate, if it has a wish.
    pub(crate) fn client(host: &str, target: &str, deflate: Option<&Parameters>) -> Self {
        let client = Client::new([7; 16], host, target, &[], &[]);
        let client = match deflate {
            Some(wish) => client.offering_deflate(wish),
            None => client,
        };
        let out = client.request().to_vec();
        Self::new(Stage::Asking(client), out)
    }

    fn new(stage: Stage, out: Vec<u8>) -> Self {
        Self { stage, out, said: Vec::new(), heard: Vec::new() }
    }

    /// Whether it has shaken hands and not said goodbye.
    pub(crate) fn may_speak(&self) -> bool {
        matches!(&self.stage, Stage::Talking(connection) if connection.may_send())
    }

    /// Whether it has shaken hands.
    pub(crate) fn began(&self) -> bool {
        matches!(self.stage, Stage::Talking(_))
    }

    /// Whether it has heard the end.
    pub(crate) fn is_over(&self) -> bool {
        matches!(&self.stage, Stage::Talking(connection) if connection.is_over())
    }

    /// Says `word`, if it may. Pongs only answer; what there is no way to say is left out.
    pub(crate) fn say(&mut self, word: Word) {
        let Stage::Talking(connection) = &mut self.stage else { return };
        if !connection.may_send() {
            return;
        }
        match &word {
            Word::Text(text) => connection.send_text(text, &mut self.out),
            Word::Binary(bytes) => connection.send_binary(bytes, &mut self.out),
            Word::Ping(payload) => connection.send_ping(payload, &mut self.out),
            Word::Close(Some(code), reason) => {
                let code = CloseCode::new(*code).expect("the script has only codes that may be sent");
                connection.close(code, reason, &mut self.out);
            }
            Word::Pong(_) | Word::Close(None, _) | Word::Lost => return,
        }
        self.said.push(word);
    }

    /// Takes what the network brings.
    ///
    /// # Errors
    /// If it takes something for a sin: here nobody sins.
    pub(crate) fn hear(&mut self, bytes: &mut [u8]) -> Result<(), String> {
        let used = match &mut self.stage {
            Stage::Asking(client) => match client.receive(bytes).map_err(|error| error.to_string())? {
                None => return Ok(()),
                Some((accepted, used)) => {
                    let connection = Connection::client(Limits::echo(), MaskKeys::new([9; 32]));
                    self.stage = Stage::Talking(connection.with_deflate(accepted.deflate));
                    used
                }
            },
            Stage::Answering(reader) => match reader.receive(bytes).map_err(|error| format!("{error:?}"))? {
                None => return Ok(()),
                Some((request, used)) => {
                    let upgrade = handshake::accept(&request).map_err(|refusal| refusal.to_string())?;
                    self.out.extend(upgrade.response());
                    self.stage = Stage::Talking(Connection::server(Limits::echo()));
                    used
                }
            },
            Stage::Talking(_) => 0,
        };
        let Stage::Talking(connection) = &mut self.stage else { return Ok(()) };
        let mut input = Input::new(&mut bytes[used..]);
        while let Some(event) = connection.receive(&mut input, &mut self.out) {
            note(event, &mut self.said, &mut self.heard)?;
        }
        Ok(())
    }

    /// The peer has closed TCP, or it broke.
    ///
    /// # Errors
    /// If that happens before the handshake is through.
    pub(crate) fn hear_the_end(&mut self) -> Result<(), String> {
        let Stage::Talking(connection) = &mut self.stage else { return Err("no handshake".to_owned()) };
        match connection.receive_eof() {
            Some(event) => note(event, &mut self.said, &mut self.heard),
            None => Ok(()),
        }
    }
}

/// Writes down what an event means for both sides of the record.
fn note(event: Event<'_>, said: &mut Vec<Word>, heard: &mut Vec<Word>) -> Result<(), String> {
    heard.push(match event {
        Event::Message(Message::Text(text)) => Word::Text(text.into_string()),
        Event::Message(Message::Binary(bytes)) => Word::Binary(bytes.into_owned()),
        // "It is answered already."
        Event::Ping(payload) => {
            said.push(Word::Pong(payload.to_vec()));
            Word::Ping(payload.into_owned())
        }
        Event::Pong(payload) => Word::Pong(payload.into_owned()),
        Event::Closed(Closed { code, reason, by }) => {
            let code = code.map(CloseCode::number);
            match by {
                ClosedBy::Peer => said.push(Word::Close(code, String::new())),
                ClosedBy::Us => {}
                ClosedBy::Lost => {
                    heard.push(Word::Lost);
                    return Ok(());
                }
                ClosedBy::Failure(error) => return Err(format!("refused: {error}")),
            }
            Word::Close(code, reason)
        }
    });
    Ok(())
}
