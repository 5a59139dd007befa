//! The smallest WebSocket server on the library: says back what it hears. To be tried in a browser's console, with
//! `ws = new WebSocket('ws://127.0.0.1:9001'); ws.onmessage = e => console.log(e.data)` and then `ws.send('hello')`.

use std::time::Duration;

use wiretail::http::{RequestReader, Response};
use wiretail::net::{Event, EventLoop, Limits, Received, Table, TcpListener};
use wiretail::ws::{self, Connection, Input, handshake};

const PATIENCE: Duration = Duration::from_secs(60); // for a request, for a sign of life, for our last words

/// What a connection is busy with.
enum Session {
    Request(RequestReader),
    Echo(Connection),
}

impl Session {
    /// Takes what came, and puts into `out` what is said to it. Returns whether that was the end.
    fn receive(&mut self, bytes: &mut [u8], out: &mut Vec<u8>) -> Result<bool, Response> {
        match self {
            Self::Request(reader) => {
                let Some((request, used)) = reader.receive(bytes)? else { return Ok(false) };
                out.extend(handshake::accept(&request)?.response());
                *self = Self::Echo(Connection::server(ws::Limits::echo()));
                self.receive(&mut bytes[used..], out)
            }
            Self::Echo(connection) => {
                let mut input = Input::new(bytes);
                while let Some(event) = connection.receive(&mut input, out) {
                    if let ws::Event::Message(message) = event {
                        connection.send_message(&message, out);
                    }
                }
                Ok(connection.is_over())
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let listener = TcpListener::bind(address.parse()?)?;
    println!("ws://{}", listener.local_addr()?);
    let mut event_loop = EventLoop::new(vec![listener], Limits::default())?;
    let (mut sessions, mut buffer) = (Table::default(), vec![0; 64 * 1024]);
    loop {
        let done = match event_loop.next_event()? {
            Event::Opened(id, _) => {
                sessions.insert(id, Session::Request(RequestReader::new()));
                event_loop.set_deadline(id, Some(event_loop.now() + PATIENCE));
                continue;
            }
            // Who does not take the echo is not listened to until it does.
            Event::Readable(id) | Event::Drained(id) if !event_loop.is_stuck(id) => {
                let Some(session) = sessions.get_mut(id) else { continue };
                let over = match event_loop.read(id, &mut buffer) {
                    Received::Bytes(count) => session.receive(&mut buffer[..count], event_loop.output(id)),
                    Received::Nothing => continue,
                    Received::Eof | Received::Broken(_) => Ok(true),
                };
                let over = over.unwrap_or_else(|refusal| {
                    event_loop.output(id).extend(refusal.into_bytes(false, false));
                    true
                });
                if let Session::Echo(_) = session {
                    event_loop.settle(id); // it need not make room for newcomers
                    event_loop.set_deadline(id, Some(event_loop.now() + PATIENCE));
                }
                if over { id } else { continue }
            }
            Event::Expired(id) | Event::Closed(id) => id,
            _ => continue,
        };
        sessions.remove(done);
        event_loop.finish(done, PATIENCE);
    }
}
