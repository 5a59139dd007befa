//! What a session has of the program in one exchange.
//!
//! Knows where everything is; does nothing with it.

use std::net::IpAddr;
use std::time::{Instant, SystemTime};

use super::access::Gate;
use super::access::users::Visitor;
use super::logs::Logs;
use super::pool::Pool;
use super::rooms::Rooms;
use super::routes::Site;
use super::turns::Turns;
use super::wire::Framer;
use crate::http::Response;
use crate::jobs::Jobs;
use crate::net::{Bytes, ConnId, EventLoop};
use crate::tail::utc::Utc;

/// What a session needs to act: its own connection in the loop, the logs, the site, the time.
pub struct Context<'a> {
    /// The connection at hand.
    pub id: ConnId,
    /// When this turn began.
    pub now: Instant,
    /// To send with.
    pub event_loop: &'a mut EventLoop,
    /// To make frames of pieces with.
    pub framer: &'a mut Framer,
    /// To watch with.
    pub logs: &'a mut Logs,
    /// Who may see and do what.
    pub gate: &'a mut Gate,
    /// What can be started.
    pub jobs: &'a mut Jobs,
    /// What is served.
    pub site: &'a Site,
    /// The memory that all unfinished requests have together.
    pub heads: &'a Pool,
    /// The memory that all echoes have together.
    pub echoes: &'a Pool,
    /// The memory that all answers to polls have together, before they are cut short.
    pub answers: &'a Pool,
    /// To be given time for what takes long.
    pub turns: &'a mut Turns,
    /// The rooms: what holds for them, and who has written lately.
    pub rooms: &'a mut Rooms,
    /// What time it is for people.
    pub wall_clock: fn() -> SystemTime,
}

impl Context<'_> {
    /// As whom this connection was let through.
    pub fn visitor(&self) -> Visitor {
        self.gate.visitor(self.id)
    }

    /// Puts bytes behind what this connection is still owed.
    pub fn send(&mut self, bytes: Bytes) {
        self.event_loop.send(self.id, bytes);
    }

    /// The response with its date: "An origin server with a clock … MUST generate a Date header field" (RFC 9110 §6.6.1).
    pub fn dated(&self, response: Response) -> Response {
        response.field("Date", Utc::from((self.wall_clock)()).http_date())
    }

    /// Where to put what this connection has to say, behind what it said before.
    pub fn output(&mut self) -> &mut Vec<u8> {
        self.event_loop.output(self.id)
    }

    /// Asks to be told when this connection has been written all that it is owed.
    pub fn tell_when_drained(&mut self) {
        self.event_loop.tell_when_drained(self.id);
    }

    /// How many bytes this connection is still owed.
    pub fn unsent(&self) -> usize {
        self.event_loop.unsent(self.id)
    }

    /// Whether the peer has not taken all that was written to it in an earlier turn.
    pub fn is_stuck(&self) -> bool {
        self.event_loop.is_stuck(self.id)
    }

    /// Who the peer is; none if it is gone.
    pub fn peer(&self) -> Option<IpAddr> {
        self.event_loop.socket(self.id)?.peer_addr().ok().map(|address| address.ip())
    }

    /// When the peer last took something that had to wait for it, if it ever did.
    pub fn took_at(&self) -> Option<Instant> {
        self.event_loop.took_at(self.id)
    }

    /// Asks for [`Event::Expired`](crate::net::Event::Expired) at `when`.
    pub fn wake_at(&mut self, when: Instant) {
        self.event_loop.set_deadline(self.id, Some(when));
    }
}
