//! A chat room on the library: a tiny page at `/`, a WebSocket at `/chat`, and everybody hears what anybody says.
//!
//! `cargo run --example chat`, then open <http://127.0.0.1:9002/?name=Ada>, and beside it the same as somebody else. What
//! is said is framed once and shared by all; nobody waits for a slow reader, and one who is owed too much has to go.

use std::rc::Rc;
use std::time::Duration;

use wiretail::http::{Request, RequestReader, Response, Status};
use wiretail::net::{Bytes, ConnId, Event, EventLoop, Limits, Received, Table, TcpListener};
use wiretail::ws::handshake::{self, Upgrade};
use wiretail::ws::{self, CloseCode, Connection, Input, Message, Opcode, frame};

const PATIENCE: Duration = Duration::from_secs(5); // for a request to come, and for our last words to go
const LIMITS: ws::Limits = ws::Limits { message: 4096, fragments: 16 }; // of what a guest says
const MOST_UNSENT: usize = 1024 * 1024; // what a guest may be owed, in bytes

const PAGE: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>Chat</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="chat.css">
<script type="module" src="chat.js"></script><ul aria-label="What was said" aria-live="polite" tabindex="0"></ul>
<form><input autofocus autocomplete="off" maxlength="1000" aria-label="Message" placeholder="Message"></form></html>"#;

const STYLE: &str = ":root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { display: flex; flex-direction: column; height: 100dvh; max-width: 44rem; margin: auto }
ul { flex: 1; overflow: auto; overflow-wrap: anywhere; margin: 0; padding: 1rem; list-style: none }
input { box-sizing: border-box; width: calc(100% - 2rem); margin: 1rem; padding: .5rem; font: inherit }";

/// What people call themselves and say gets into the page as text: whatever it holds, it is shown and never run.
const SCRIPT: &str = r"const [list, form, input] = ['ul', 'form', 'input'].map((name) => document.querySelector(name));
const socket = new WebSocket(`ws://${location.host}/chat${location.search}`);
const show = (text) => {
    const follows = list.scrollTop + list.clientHeight > list.scrollHeight - 24; // unless somebody reads further up
    list.append(Object.assign(document.createElement('li'), { textContent: text }));
    if (follows) list.scrollTop = list.scrollHeight;
};
socket.onmessage = (event) => show(event.data);
socket.onclose = (event) => {
    show(`The connection is closed. ${event.reason}`);
    input.disabled = true;
};
form.onsubmit = (event) => {
    event.preventDefault();
    if (socket.readyState !== WebSocket.OPEN || input.value.trim() === '') return; // what cannot be sent yet stays
    socket.send(input.value);
    form.reset();
};";

/// What a connection is busy with.
enum Session {
    Request(RequestReader),
    Guest(String, Connection),
}

/// Puts a message to everybody behind what is in `said`, as it goes over the wire.
fn put_frame(said: &mut Vec<u8>, text: &str) {
    said.extend_from_slice(&frame::server_header(Opcode::Text, text.len()));
    said.extend_from_slice(text.as_bytes());
}

/// Lets in whoever asks for the chat itself, under the name they give. For anybody else there is a plain answer.
fn open_door(request: &Request) -> Result<(String, Upgrade), Response> {
    let found = |kind, body: &'static str| Response::new(Status::OK).body(kind, body.as_bytes());
    match request.path() {
        "/" => Err(found("text/html; charset=utf-8", PAGE)),
        "/chat.css" => Err(found("text/css; charset=utf-8", STYLE)),
        "/chat.js" => Err(found("text/javascript; charset=utf-8", SCRIPT)),
        // A page from elsewhere could join in its visitor's name: browsers let it, and say so here.
        "/chat" if request.fields("Origin").any(|origin| origin != format!("http://{}", request.host())) => {
            Err(Response::text(Status::FORBIDDEN, "Only the room's own page may come in."))
        }
        "/chat" => {
            let name = request.query("name").unwrap_or_else(|| "Somebody".to_owned());
            Ok((name.chars().take(32).collect(), handshake::accept(request)?))
        }
        _ => Err(Response::text(Status::NOT_FOUND, "There is only one room here.")),
    }
}

/// Everybody who is here, and the loop that serves them.
struct Room {
    event_loop: EventLoop,
    sessions: Table<Session>,
}

impl Room {
    /// Somebody comes to the door, or says something. Returns whether that was the end.
    fn receive(&mut self, id: ConnId, mut bytes: &mut [u8]) -> Result<bool, Response> {
        let (mut out, mut said) = (Vec::new(), Vec::new());
        if let Some(Session::Request(reader)) = self.sessions.get_mut(id) {
            let Some((request, used)) = reader.receive(bytes)? else { return Ok(false) };
            let (name, upgrade) = open_door(&request)?;
            out.extend(upgrade.response());
            put_frame(&mut said, &format!("{name} is here."));
            self.sessions.insert(id, Session::Guest(name, Connection::server(LIMITS)));
            self.event_loop.set_deadline(id, None);
            self.event_loop.settle(id); // a guest need not make room for newcomers
            bytes = &mut bytes[used..];
        }
        let Some(Session::Guest(name, connection)) = self.sessions.get_mut(id) else { return Ok(true) };
        let mut input = Input::new(bytes);
        while let Some(event) = connection.receive(&mut input, &mut out) {
            match event {
                ws::Event::Message(Message::Text(text)) => put_frame(&mut said, &format!("{name}: {text}")),
                ws::Event::Message(Message::Binary(_)) => {
                    connection.close(CloseCode::UNSUPPORTED_DATA, "Only text is spoken here.", &mut out);
                }
                ws::Event::Ping(_) | ws::Event::Pong(_) | ws::Event::Closed(_) => {}
            }
        }
        let over = connection.is_over();
        self.event_loop.send(id, Bytes::Own(out));
        if !said.is_empty() {
            self.tell_all(&said);
        }
        Ok(over)
    }

    /// Shares `frames` with all guests. One who does not even take what they are owed has no time left.
    fn tell_all(&mut self, frames: &[u8]) {
        let shared: Rc<[u8]> = frames.into();
        for id in self.sessions.ids() {
            let Some(Session::Guest(_, connection)) = self.sessions.get(id) else { continue };
            if self.event_loop.unsent(id) > MOST_UNSENT {
                self.event_loop.set_deadline(id, Some(self.event_loop.now()));
            } else if connection.may_send() {
                self.event_loop.send(id, Bytes::Shared(Rc::clone(&shared)));
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9002".to_owned());
    let listener = TcpListener::bind(address.parse()?)?;
    println!("http://{}/", listener.local_addr()?);
    let event_loop = EventLoop::new(vec![listener], Limits::default())?;
    let (mut room, mut buffer) = (Room { event_loop, sessions: Table::default() }, vec![0; 64 * 1024]);
    loop {
        let done = match room.event_loop.next_event()? {
            Event::Opened(id, _) => {
                room.sessions.insert(id, Session::Request(RequestReader::new()));
                room.event_loop.set_deadline(id, Some(room.event_loop.now() + PATIENCE));
                continue;
            }
            Event::Readable(id) => {
                let over = match room.event_loop.read(id, &mut buffer) {
                    Received::Bytes(count) => room.receive(id, &mut buffer[..count]),
                    Received::Nothing => continue,
                    Received::Eof | Received::Broken(_) => Ok(true),
                };
                let over = over.unwrap_or_else(|answer| {
                    room.event_loop.send(id, Bytes::Own(answer.into_bytes(false, false)));
                    true
                });
                if over { id } else { continue }
            }
            Event::Expired(id) | Event::Closed(id) => id,
            Event::Drained(_) | Event::Tick(_) | Event::Woken(_) => continue,
        };
        room.event_loop.finish(done, PATIENCE);
        if let Some(Session::Guest(name, _)) = room.sessions.remove(done) {
            let mut said = Vec::new();
            put_frame(&mut said, &format!("{name} has left."));
            room.tell_all(&said);
        }
    }
}
