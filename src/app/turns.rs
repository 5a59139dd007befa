//! Work that takes long, done in slices between the turns of the loop: filters, and what viewers ask of the past.
//!
//! Everybody who has such work takes turns, a slice each, until the time for it is up; what is left goes on in the next turn
//! of the loop, which begins at once. In between all sockets are served and all logs are looked at, so nobody waits longer
//! for a turn than that time and one slice.
//!
//! Knows connections by their ids; not what they work on.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use crate::net::ConnId;

/// How long all work together may hold up a turn of the loop. The slice that is being worked on then is finished: it
/// reads 256 KiB at most.
const TIME: Duration = Duration::from_millis(2);

/// After this long, those whose work could not go on try again.
const AGAIN: Duration = Duration::from_millis(100);

/// Those who have work to do, in the order of their turns.
#[derive(Debug, Default)]
pub struct Turns {
    queue: VecDeque<ConnId>,
    queued: HashSet<ConnId>,
    /// Those who could not go on, and when they try again: each of them once, however often it is added meanwhile.
    later: VecDeque<(Instant, ConnId)>,
    waiting: HashSet<ConnId>,
}

/// How it stands with somebody's work after a slice; of two kinds of work, the greater counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slice {
    /// It is done, or waits for something that will [`add`](Turns::add) it again.
    Done,
    /// There is more, but it cannot be done now: a file cannot be read.
    Later,
    /// There is more to do.
    More,
}

impl Turns {
    /// `id` has work to do. Adding it twice is no more than once.
    pub fn add(&mut self, id: ConnId) {
        if self.queued.insert(id) {
            self.queue.push_back(id);
        }
    }

    /// Lets everybody do a slice in turn until there is nothing left or the time is up by `clock`, which is asked after
    /// each slice.
    pub fn run(
        &mut self,
        mut clock: impl FnMut() -> Instant,
        mut work: impl FnMut(&mut Self, ConnId) -> Slice,
    ) {
        let begun = clock();
        while let Some(&(_, id)) = self.later.front().filter(|(when, _)| *when <= begun) {
            self.later.pop_front();
            self.waiting.remove(&id);
            self.add(id);
        }
        while let Some(id) = self.queue.pop_front() {
            self.queued.remove(&id);
            match work(self, id) {
                Slice::More => self.add(id),
                Slice::Later if self.waiting.insert(id) => self.later.push_back((begun + AGAIN, id)),
                Slice::Later | Slice::Done => {}
            }
            if clock() >= begun + TIME {
                break;
            }
        }
    }

    /// The first so many of those who have work to do: they are to do all of it at once.
    pub fn take(&mut self, most: usize) -> Vec<ConnId> {
        let taken: Vec<ConnId> = self.queue.drain(..most.min(self.queue.len())).collect();
        for id in &taken {
            self.queued.remove(id);
        }
        taken
    }

    /// Everybody here queues up in `other`.
    pub fn drain_into(&mut self, other: &mut Self) {
        self.queued.clear();
        self.queue.drain(..).for_each(|id| other.add(id));
    }

    /// When [`run`](Self::run) is to be called next; none if there is nothing to do.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        if self.queue.is_empty() { self.later.front().map(|(when, _)| *when) } else { Some(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::table::Ids;

    fn ids(count: usize) -> Vec<ConnId> {
        let mut ids = Ids::default();
        (0..count).map(|_| ids.issue()).collect()
    }

    /// Runs one turn in which each slice takes `slice`; who worked, in their order.
    fn turn(turns: &mut Turns, now: &mut Instant, slice: Duration, ends: Slice) -> Vec<ConnId> {
        let mut worked = Vec::new();
        let clock = std::cell::Cell::new(*now);
        turns.run(
            || clock.get(),
            |_, id| {
                worked.push(id);
                clock.set(clock.get() + slice);
                ends
            },
        );
        *now = clock.get();
        worked
    }

    #[test]
    fn a_turn_takes_no_longer_than_its_time_and_one_slice_however_much_there_is_to_do() {
        let (mut turns, mut now) = (Turns::default(), Instant::now());
        ids(1000).into_iter().for_each(|id| turns.add(id));
        for slice in [1, 100, 700, 5000].map(Duration::from_micros) {
            let begun = now;
            let worked = turn(&mut turns, &mut now, slice, Slice::More);
            assert!(now - begun < TIME + slice, "{slice:?}");
            assert!(!worked.is_empty(), "and it always goes on");
            assert_eq!(turns.due(now), Some(now), "at once");
        }
    }

    #[test]
    fn all_take_turns() {
        let (mut turns, mut now) = (Turns::default(), Instant::now());
        let ids = ids(5);
        ids.iter().for_each(|&id| turns.add(id));
        turns.add(ids[2]);
        let mut worked = Vec::new();
        for _ in 0..5 {
            worked.extend(turn(&mut turns, &mut now, Duration::from_micros(900), Slice::More));
        }
        assert_eq!(worked, ids.iter().copied().cycle().take(worked.len()).collect::<Vec<_>>());
        assert_eq!(worked.len(), 15, "three slices in each of five turns");
    }

    #[test]
    fn who_is_done_is_not_asked_again_and_who_cannot_go_on_is_asked_later() {
        let (mut turns, mut now) = (Turns::default(), Instant::now());
        let id = ids(1)[0];
        turns.add(id);
        assert_eq!(turn(&mut turns, &mut now, Duration::ZERO, Slice::Later), [id]);
        assert_eq!(turn(&mut turns, &mut now, Duration::ZERO, Slice::Later), []);
        let due = turns.due(now).unwrap();
        assert_eq!(due, now + AGAIN);
        now = due;
        assert_eq!(turn(&mut turns, &mut now, Duration::ZERO, Slice::Done), [id]);
        assert_eq!(turns.due(now), None);
    }

    #[test]
    fn those_who_are_taken_may_queue_again_and_come_behind_the_others() {
        let mut turns = Turns::default();
        let ids = ids(5);
        ids.iter().for_each(|&id| turns.add(id));
        assert_eq!(turns.take(2), ids[..2]);
        ids.iter().for_each(|&id| turns.add(id));
        assert_eq!(turns.take(9), [ids[2], ids[3], ids[4], ids[0], ids[1]]);
        assert_eq!((turns.take(9), turns.due(Instant::now())), (Vec::new(), None));
    }

    #[test]
    fn who_cannot_go_on_tries_no_more_often_for_having_asked_often() {
        let (mut turns, mut now) = (Turns::default(), Instant::now());
        let id = ids(1)[0];
        for _ in 0..50 {
            turns.add(id);
            turn(&mut turns, &mut now, Duration::from_millis(1), Slice::Later);
        }
        let (begun, mut tries) = (now, 0);
        while let Some(due) = turns.due(now).filter(|due| *due < begun + 10 * AGAIN) {
            now = due;
            tries += turn(&mut turns, &mut now, Duration::ZERO, Slice::Later).len();
        }
        assert!((9..=10).contains(&tries), "{tries} tries in ten times that time");
    }
}
