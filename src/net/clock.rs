//! What time it is, and whose time is up next.
//!
//! Knows ids and instants; not what happens then. An instant is kept as the nanoseconds since the clock was started: half
//! the memory, and every connection that only waits has one, twice.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use super::table::ConnId;

/// A point in time, as the [`Clock`] that made it counts; good for 500 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(NonZeroU64);

/// The time, read once a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    now: Instant,
    moment: Moment,
}

impl Clock {
    /// Counts from now on.
    pub(crate) fn start() -> Self {
        let now = Instant::now();
        Self { start: now, now, moment: Moment(NonZeroU64::MIN) }
    }

    /// A turn begins.
    pub(crate) fn read(&mut self) {
        self.now = Instant::now();
        self.moment = self.moment_of(self.now);
    }

    /// When the turn began.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// The same, as it is kept.
    pub(crate) fn moment(&self) -> Moment {
        self.moment
    }

    /// The moment of an instant; of one before the start, the first.
    pub(crate) fn moment_of(&self, instant: Instant) -> Moment {
        let nanos = instant.saturating_duration_since(self.start).as_nanos();
        Moment(NonZeroU64::new(u64::try_from(nanos).unwrap_or(u64::MAX)).unwrap_or(NonZeroU64::MIN))
    }

    /// The instant of a moment.
    pub(crate) fn instant_of(&self, moment: Moment) -> Instant {
        self.start + Duration::from_nanos(moment.0.get())
    }
}

/// One deadline for each connection that has any, the next one first.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    order: BTreeSet<(Moment, ConnId)>,
}

impl Deadlines {
    /// Moves the deadline of `id` from `old` to `new`.
    pub(crate) fn change(&mut self, id: ConnId, old: Option<Moment>, new: Option<Moment>) {
        if let Some(old) = old {
            self.order.remove(&(old, id));
        }
        if let Some(new) = new {
            self.order.insert((new, id));
        }
    }

    /// The next one.
    pub(crate) fn first(&self) -> Option<(Moment, ConnId)> {
        self.order.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::table::Ids;

    #[test]
    fn a_moment_is_an_instant() {
        let clock = Clock::start();
        let start = clock.now();
        for nanos in [1, 999, 1_000_000_001, u64::MAX / 2] {
            let instant = start + Duration::from_nanos(nanos);
            assert_eq!(clock.instant_of(clock.moment_of(instant)), instant);
        }
        assert!(clock.moment_of(start) <= clock.moment_of(start + Duration::from_nanos(1)));
        assert_eq!(size_of::<Option<Moment>>(), 8);
    }

    #[test]
    fn the_next_deadline_is_the_earliest_whenever_it_was_set() {
        let clock = Clock::start();
        let moment = |millis| clock.moment_of(clock.now() + Duration::from_millis(millis));
        let (mut ids, mut deadlines) = (Ids::default(), Deadlines::default());
        let (one, two) = (ids.issue(), ids.issue());
        deadlines.change(one, None, Some(moment(20)));
        deadlines.change(two, None, Some(moment(10)));
        assert_eq!(deadlines.first(), Some((moment(10), two)));
        deadlines.change(two, Some(moment(10)), Some(moment(30)));
        assert_eq!(deadlines.first(), Some((moment(20), one)));
        deadlines.change(one, Some(moment(20)), None);
        deadlines.change(two, Some(moment(30)), None);
        assert_eq!(deadlines.first(), None);
    }
}
