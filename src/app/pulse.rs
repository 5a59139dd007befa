//! Whether a peer is still there: a ping after silence, and an end after a silent ping.
//!
//! Knows time only as an argument. Browsers cannot send pings, so the server must; and a laptop that fell asleep never
//! says goodbye.

use std::time::{Duration, Instant};

/// How long a peer may be silent before it is asked.
pub const PING_AFTER: Duration = Duration::from_secs(15);
/// How long it may take to answer.
pub const PONG_WITHIN: Duration = Duration::from_secs(10);

/// What to do about a silent peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing; look again then.
    Fine(Instant),
    /// Send a ping, and look again then.
    Ping(Instant),
    /// It is gone.
    Gone,
}

/// One peer's signs of life.
#[derive(Debug)]
pub enum Pulse {
    /// It was heard then, and has not been asked since.
    Heard(Instant),
    /// It was asked then, and has not been heard since.
    Asked(Instant),
}

impl Pulse {
    /// The peer was heard at `now`.
    pub fn new(now: Instant) -> Self {
        Self::Heard(now)
    }

    /// A sign of life at `when`: bytes came from the peer, or it took bytes that had to wait for it. Not that the kernel
    /// took something for it: that includes the very ping that asks.
    pub fn heard(&mut self, when: Instant) {
        let (Self::Heard(last) | Self::Asked(last)) = *self;
        if when >= last {
            *self = Self::Heard(when);
        }
    }

    /// What to do at `now`. Safe to call early or twice: nothing happens before its time.
    pub fn check(&mut self, now: Instant) -> Verdict {
        match *self {
            Self::Asked(asked) if now >= asked + PONG_WITHIN => Verdict::Gone,
            Self::Asked(asked) => Verdict::Fine(asked + PONG_WITHIN),
            Self::Heard(heard) if now >= heard + PING_AFTER => {
                *self = Self::Asked(now);
                Verdict::Ping(now + PONG_WITHIN)
            }
            Self::Heard(heard) => Verdict::Fine(heard + PING_AFTER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_peer_is_asked_once_and_given_up_after_the_wait() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        assert_eq!(pulse.check(start), Verdict::Fine(start + PING_AFTER));
        let asked = start + PING_AFTER;
        assert_eq!(pulse.check(asked), Verdict::Ping(asked + PONG_WITHIN));
        assert_eq!(pulse.check(asked), Verdict::Fine(asked + PONG_WITHIN), "asked once, not twice");
        assert_eq!(pulse.check(asked + PONG_WITHIN), Verdict::Gone);
    }

    #[test]
    fn any_sign_of_life_starts_the_silence_anew() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start);
        assert!(matches!(pulse.check(start + PING_AFTER), Verdict::Ping(_)));
        let later = start + PING_AFTER + Duration::from_secs(9);
        pulse.heard(later);
        assert_eq!(pulse.check(later + Duration::from_secs(14)), Verdict::Fine(later + PING_AFTER));
    }
}
