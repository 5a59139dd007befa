//! HTTP/1.1 as far as a log viewer needs it: request heads in, responses out (RFC 9110, RFC 9112).
//!
//! Knows no sockets, no clock, no WebSocket and no log. Bytes go in, requests and bytes come out.
//!
//! Reading order: [`head`] (where a head ends, and its fields), [`request`] (what was asked), [`body`] (where its body
//! ends), [`reader`] (one request behind the other), [`bad_request`] (what cannot have been meant), [`range`] (which part of
//! it), [`response`] (what is answered); `pages` (of the program) is the embedded page.

pub mod bad_request;
pub mod body;
pub mod head;
#[cfg(feature = "tool")]
pub mod pages;
pub mod range;
pub mod reader;
pub mod request;
pub mod response;
mod target;

pub use bad_request::BadRequest;
pub use body::MAX_BODY;
pub use head::{Fields, HeadError, HeadReader, StartLine};
pub use range::Range;
pub use reader::RequestReader;
pub use request::{Request, Version};
pub use response::{Length, Response, ResponseHead, Status, write_chunk};
