//! The filters that are in use: who wants the same gets the same, and so shares what it makes of a log.
//!
//! To compile one takes some milliseconds, and to keep it up to a few MiB. So those who come with a filter have theirs made one a
//! turn of the loop, and all filters together have one bound.
//!
//! Knows patterns; not who asks.

use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Instant;

use super::pool::{Pool, Share};
use super::wire::{Code, Refusal};
use crate::tail::pattern::{Filter, FilterError, FilterSpec};

/// What all filters and searches together may take. The simplest expressions count for some 450 KiB, the costliest filters
/// for 10 MiB; mere text for 64 KiB a pattern.
const MOST: usize = 256 << 20;

/// See the module.
#[derive(Debug)]
pub struct Filters {
    known: Vec<Known>,
    pool: Pool,
    /// When one was made last: the beginning of that turn.
    made: Option<Instant>,
}

#[derive(Debug)]
struct Known {
    spec: FilterSpec,
    filter: Weak<Filter>,
    _share: Share,
}

/// Why there is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoFilter {
    /// There can be none for these patterns.
    Wrong(FilterError),
    /// All filters together take too much memory.
    Crowded,
}

impl fmt::Display for NoFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(error) => error.fmt(f),
            Self::Crowded => f.write_str(
                "All filters and searches together take too much memory; try again later, or with a simpler pattern",
            ),
        }
    }
}

impl std::error::Error for NoFilter {}

impl From<NoFilter> for Refusal {
    fn from(why: NoFilter) -> Self {
        match why {
            NoFilter::Wrong(error) => error.into(),
            NoFilter::Crowded => Self::new(Code::Busy, format!("{why}.")),
        }
    }
}

impl Default for Filters {
    fn default() -> Self {
        Self::within(MOST)
    }
}

impl Filters {
    fn within(most: usize) -> Self {
        Self { known: Vec::new(), pool: Pool::new(most), made: None }
    }

    /// The filter for these patterns, made if nobody has it yet, in the turn of the loop that began `now`.
    // O(filters in use), once per request.
    pub fn get(&mut self, spec: FilterSpec, now: Instant) -> Result<Rc<Filter>, NoFilter> {
        self.known.retain(|known| known.filter.strong_count() > 0);
        if let Some(known) = self.known.iter().find(|known| known.spec == spec)
            && let Some(filter) = known.filter.upgrade()
        {
            return Ok(filter);
        }
        self.made = Some(now);
        let filter = Rc::new(Filter::new(&spec).map_err(NoFilter::Wrong)?);
        let mut share = self.pool.share();
        if !share.set(filter.cost()) {
            return Err(NoFilter::Crowded);
        }
        self.known.push(Known { spec, filter: Rc::downgrade(&filter), _share: share });
        Ok(filter)
    }

    /// Whether one was made in the turn that began `now`: who comes next waits for the next turn.
    pub fn made_one(&self, now: Instant) -> bool {
        self.made == Some(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn spec(pattern: &str) -> FilterSpec {
        FilterSpec { grep: vec![pattern.to_owned()], ..FilterSpec::default() }
    }

    #[test]
    fn who_wants_the_same_gets_the_same_and_all_together_have_one_bound() {
        let now = Instant::now();
        let one = Filter::new(&spec("[0-9]+")).unwrap().cost();
        let mut filters = Filters::within(2 * one);
        let first = filters.get(spec("[0-9]+"), now).unwrap();
        assert!(Rc::ptr_eq(&first, &filters.get(spec("[0-9]+"), now).unwrap()));
        let second = filters.get(spec("[1-9]+"), now).unwrap();
        assert_eq!(filters.get(spec("[2-9]+"), now).unwrap_err(), NoFilter::Crowded);
        assert!(filters.get(spec("[1-9]+"), now).is_ok(), "what is there may be shared");
        drop(second);
        assert!(filters.get(spec("[2-9]+"), now).is_ok());
    }

    #[test]
    fn one_is_made_a_turn_and_what_is_there_or_wrong_is_told_apart() {
        let (now, later) = (Instant::now(), Instant::now() + Duration::from_millis(1));
        let mut filters = Filters::default();
        assert!(!filters.made_one(now));
        let kept = filters.get(spec("x"), now).unwrap();
        assert!(filters.made_one(now) && !filters.made_one(later));
        assert!(filters.get(spec("x"), later).is_ok() && !filters.made_one(later), "nothing was to be made");
        assert!(matches!(filters.get(spec("("), later), Err(NoFilter::Wrong(_))));
        assert!(filters.made_one(later), "to find that out took its time");
        drop(kept);
    }
}
