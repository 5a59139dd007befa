//! wiretail: live log files in the browser, on a WebSocket server written by hand from raw TCP.
//!
//! The layers, from the bottom up; an arrow means "uses", and a test (`tests/layering.rs`) holds them:
//!
//! ```text
//!   main -> cli -> app -> ws -> http        ws uses http for the opening handshake only
//!                   |---> http
//!                   |---> net               knows nothing of ours: no HTTP, no WebSocket, no files
//!                   |---> jobs -> tail      commands and what they say; knows no network
//!                   '---> tail              knows no network
//! ```
//!
//! `ws`, `http` and `tail` never touch a socket and never ask the clock: bytes and instants go in, events and bytes
//! come out. Only [`net`] talks to sockets.
//!
//! # As a library
//!
//! The protocol core can be used by itself, under any event loop or none:
//!
//! ```toml
//! [dependencies]
//! wiretail = { path = "../wiretail", default-features = false, features = ["deflate"] }
//! ```
//!
//! | feature | what there is | packages |
//! |---|---|---|
//! | none | [`ws`], [`http`], [`net`] | mio, httparse, sha1, base64, log |
//! | `deflate` | compression in [`ws`] (permessage-deflate, RFC 7692); without it, none is ever agreed to | zlib-rs too |
//! | `tool`, the default | the program: following files, the command line; and `deflate` | all in `Cargo.toml` |
//!
//! What the core asks of its user:
//!
//! - a buffer to read into, which is written to as well: a client's payloads are unmasked where they lie ([`ws::Input`]);
//! - a `Vec<u8>` that takes what is to be sent; one for all connections will do;
//! - on a client, random bytes from the system: 16 for the handshake, 32 for the masks;
//! - the time. Nothing in `ws` and `http` waits, pings or gives up by itself.
//!
//! A client and a server talk, without a network between them:
//!
//! ```
//! use wiretail::http::RequestReader;
//! use wiretail::ws::handshake::{self, Client};
//! use wiretail::ws::{CloseCode, Closed, ClosedBy, Connection, Event, Input, Limits, MaskKeys, Message};
//!
//! // What two sockets would carry.
//! let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
//!
//! // The client asks. In earnest, its key is drawn at random; this one is that of RFC 6455 §1.3.
//! let mut asking = Client::new(*b"the sample nonce", "server.example.com", "/chat", &["chat"], &[]);
//! to_server.extend_from_slice(asking.request());
//!
//! // The server reads the request, looks whether it likes it, and agrees.
//! let (request, used) = RequestReader::new().receive(&to_server)?.expect("all of it has come");
//! assert_eq!((request.path(), used), ("/chat", to_server.len()));
//! let mut upgrade = handshake::accept(&request)?;
//! upgrade.choose_protocol("chat");
//! to_client.extend(upgrade.response());
//! let mut server = Connection::server(Limits::default());
//! to_server.clear();
//!
//! // The client reads the answer. The masks' seed must be random as well.
//! let (accepted, used) = asking.receive(&to_client)?.expect("all of it has come");
//! assert_eq!((accepted.protocol.as_deref(), used), (Some("chat"), to_client.len()));
//! let mut client = Connection::client(Limits::default(), MaskKeys::new([7; 32]));
//! to_client.clear();
//!
//! // One says something, the other says it back.
//! client.send_text("Hello", &mut to_server);
//! let mut input = Input::new(&mut to_server);
//! while let Some(event) = server.receive(&mut input, &mut to_client) {
//!     if let Event::Message(message) = event {
//!         server.send_message(&message, &mut to_client);
//!     }
//! }
//! to_server.clear();
//! assert_eq!(to_client, b"\x81\x05Hello"); // as in §5.7
//! let event = client.receive(&mut Input::new(&mut to_client), &mut to_server);
//! assert_eq!(event, Some(Event::Message(Message::Text("Hello".into()))));
//! to_client.clear();
//!
//! // Goodbye: asked for, answered, heard.
//! client.close(CloseCode::NORMAL, "that was all", &mut to_server);
//! let event = server.receive(&mut Input::new(&mut to_server), &mut to_client);
//! let (code, reason) = (Some(CloseCode::NORMAL), "that was all".to_owned());
//! assert_eq!(event, Some(Event::Closed(Closed { code, reason, by: ClosedBy::Peer })));
//! let event = client.receive(&mut Input::new(&mut to_client), &mut Vec::new());
//! assert!(matches!(event, Some(Event::Closed(Closed { by: ClosedBy::Us, .. }))));
//! assert!(server.is_over() && client.is_over());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same over sockets: `examples/echo.rs` and `examples/chat.rs` are servers on [`net`], `examples/autobahn_client.rs`
//! is a client on a blocking socket of the standard library's. How the code is to be read is in `docs/tour.md`.
#![forbid(unsafe_code)]

#[cfg(feature = "tool")]
pub mod app;
#[cfg(feature = "tool")]
pub mod cli;
#[cfg(feature = "tool")]
pub mod config;
pub mod http;
#[cfg(feature = "tool")]
pub mod jobs;
pub mod net;
#[cfg(feature = "tool")]
pub mod tail;
pub mod ws;
