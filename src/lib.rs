//! wiretail: live log files in the browser, on a WebSocket server written by hand from raw TCP.
//!
//! The layers, from the bottom up; an arrow means "uses", and a test (`tests/layering.rs`) holds them:
//!
//! ```text
//!   main -> cli -> app -> ws -> http        ws uses http for the opening handshake only
//!                   |---> http
//!                   |---> net               knows nothing of ours: no HTTP, no WebSocket, no files
//!                   '---> tail              knows no network
//! ```
//!
//! `ws`, `http` and `tail` never touch a socket and never ask the clock: bytes and instants go in, events and bytes
//! come out. Only [`net`] talks to sockets.
#![forbid(unsafe_code)]

#[cfg(feature = "tool")]
pub mod app;
#[cfg(feature = "tool")]
pub mod cli;
#[cfg(feature = "tool")]
pub mod config;
pub mod http;
pub mod net;
#[cfg(feature = "tool")]
pub mod tail;
pub mod ws;
