//! How often something may be done: some at once, then one now and then; and who counts as one.
//!
//! Knows instants and addresses; not what is done.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// So many at once.
    pub burst: u32,
    /// And another each time so long has passed.
    pub every: Duration,
}

/// When the last line would have been written if they had come at their pace: the further ahead, the more have come at once.
/// (The "generic cell rate algorithm" of ITU-T I.371, whose state is this one instant.)
#[derive(Clone, Copy, Debug)]
pub struct Tide(Instant);

impl Tide {
    /// Nothing has come before `now`.
    pub fn new(now: Instant) -> Self {
        Self(now)
    }

    /// How long to wait before another may come.
    pub fn wait(self, pace: Pace, now: Instant) -> Duration {
        let ahead = self.0.saturating_duration_since(now);
        (ahead + pace.every).saturating_sub(pace.every * pace.burst)
    }

    /// Another has come.
    pub fn rise(&mut self, pace: Pace, now: Instant) {
        self.0 = self.0.max(now) + pace.every;
    }

    /// Whether all is as if nothing had come: then it can be forgotten.
    pub fn is_out(self, now: Instant) -> bool {
        self.0 <= now
    }
}

/// What counts as one address: whoever has one of IPv6 has the 2⁶⁴ beside it as well.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        other => other,
    }
}
