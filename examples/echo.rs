//! The smallest WebSocket server on the library: says back what it hears.
//!
//! ```text
//! cargo run --example echo            then, in a browser's console:
//!     ws = new WebSocket('ws://127.0.0.1:9001'); ws.onmessage = e => console.log(e.data); ws.onopen = () => ws.send('hello')
//! ```

use std::time::Duration;

use wiretail::http::RequestReader;
use wiretail::net::{Bytes, Event, EventLoop, Limits, Received, Table};
use wiretail::ws::{self, Connection, Input, Message, handshake};

/// What a connection is busy with.
enum Session {
    Request(RequestReader),
    Echo(Connection),
}

/// Hands `bytes` to a session; returns the session as it is afterwards (`None`: it is over) and what it has to say.
fn converse(session: Session, bytes: &mut [u8]) -> (Option<Session>, Vec<u8>) {
    let mut out = Vec::new();
    match session {
        Session::Request(mut reader) => match reader.receive(bytes) {
            Ok(None) => (Some(Session::Request(reader)), out),
            Ok(Some((request, used))) => match handshake::accept(&request) {
                Ok(upgrade) => {
                    let echo = Session::Echo(Connection::server(ws::Limits::echo()));
                    let (session, frames) = converse(echo, &mut bytes[used..]);
                    (session, [upgrade.response(), frames].concat())
                }
                Err(refusal) => (None, refusal.response().into_bytes(false, false)),
            },
            Err(_) => (None, b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec()),
        },
        Session::Echo(mut connection) => {
            let mut input = Input::new(bytes);
            while let Some(event) = connection.receive(&mut input, &mut out) {
                match event {
                    ws::Event::Message(Message::Text(text)) => connection.send_text(&text, &mut out),
                    ws::Event::Message(Message::Binary(bytes)) => connection.send_binary(&bytes, &mut out),
                    ws::Event::Ping(_) | ws::Event::Pong(_) => {}
                    ws::Event::Closed(_) => return (None, out),
                }
            }
            (Some(Session::Echo(connection)), out)
        }
    }
}

fn main() -> std::io::Result<()> {
    let listener = mio::net::TcpListener::bind(([127, 0, 0, 1], 9001).into())?;
    let limits = Limits { connections: 1000, per_address: 1000, no_room: Vec::new(), too_many: Vec::new() };
    let mut event_loop = EventLoop::new(vec![listener], limits)?;
    println!("ws://127.0.0.1:9001");
    let (mut sessions, mut buffer) = (Table::default(), vec![0; 64 * 1024]);
    loop {
        let id = match event_loop.next_event()? {
            Event::Opened(id, _) => {
                sessions.insert(id, Session::Request(RequestReader::default()));
                continue;
            }
            // Who does not take the echo is not listened to until it does.
            Event::Readable(id) | Event::Drained(id) if !event_loop.is_stuck(id) => id,
            Event::Closed(id) => {
                sessions.remove(id);
                continue;
            }
            _ => continue,
        };
        let (session, out) = match (sessions.remove(id), event_loop.read(id, &mut buffer)) {
            (Some(session), Received::Bytes(count)) => converse(session, &mut buffer[..count]),
            (session, Received::Nothing) => (session, Vec::new()),
            (_, _) => (None, Vec::new()),
        };
        event_loop.send(id, Bytes::Own(out));
        if let Some(Session::Echo(_)) = session {
            // It has shown what it is for: it need not make room for the next one.
            event_loop.settle(id);
        }
        match session {
            Some(session) => sessions.insert(id, session),
            None => event_loop.finish(id, Duration::from_secs(2)),
        }
    }
}
