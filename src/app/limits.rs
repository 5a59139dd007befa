//! How many connections there may be, and what is said to those whom there is no room for.
//!
//! Knows words and numbers; the event loop keeps to them.

use crate::http::{Response, Status};
use crate::net;

/// The loop's limits, and the words for those it has no room for.
pub(super) fn limits(connections: usize, per_address: usize) -> net::Limits {
    let words =
        |status, text: &str| Response::text(status, text).field("Retry-After", "5").into_bytes(false, false);
    net::Limits {
        connections,
        per_address,
        no_room: words(Status::SERVICE_UNAVAILABLE, "All connections are taken; try again in a moment."),
        too_many: words(Status::TOO_MANY_REQUESTS, "Your address has too many connections open."),
    }
}
