//! Where a reader of a log stands, within this process.
//!
//! The same as a [`Cursor`], with the generations known by their ids instead of by what is on the disk.
//!
//! Does not know files.

use crate::tail::cursor::{Cursor, Place};

/// One generation of one log, in the order of their coming. Means nothing outside of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GenerationId(pub(crate) u64);

impl GenerationId {
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub(crate) fn before(self) -> Self {
        Self(self.0 - 1)
    }
}

/// An offset in one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) id: GenerationId,
    pub(crate) place: Place,
}

/// The places of a reader, oldest generation first; never empty. [`Cursor`] says what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    spots: Vec<Spot>,
}

impl Standing {
    /// At these spots, oldest first.
    pub(crate) fn new(spots: Vec<Spot>) -> Self {
        debug_assert!(!spots.is_empty() && spots.is_sorted_by_key(|spot| spot.id));
        Self { spots }
    }

    pub(crate) fn spots(&self) -> &[Spot] {
        &self.spots
    }

    /// The youngest generation that was entered.
    pub(crate) fn newest(&self) -> Spot {
        *self.spots.last().expect("a standing has at least one spot")
    }

    /// Where the reader stands in this generation, if it is not done with it.
    pub(crate) fn spot(&self, id: GenerationId) -> Option<Spot> {
        self.spots.iter().copied().find(|spot| spot.id == id)
    }

    /// The same, but standing at `spot` in its generation.
    pub(crate) fn with(&self, spot: Spot) -> Self {
        let mut spots: Vec<Spot> = self.spots.iter().copied().filter(|other| other.id != spot.id).collect();
        let at = spots.partition_point(|other| other.id < spot.id);
        spots.insert(at, spot);
        Self { spots }
    }

    /// True if a reader here has had nothing that one at `other` has not.
    pub(crate) fn is_not_after(&self, other: &Self) -> bool {
        // What is not listed and older than the last place has been read to its end.
        let no_further =
            |spot: &Spot| other.spot(spot.id).is_none_or(|o| spot.place.offset <= o.place.offset);
        let done_with = |o: &Spot| o.id < self.newest().id && self.spot(o.id).is_none();
        self.newest().id <= other.newest().id
            && self.spots.iter().all(no_further)
            && !other.spots.iter().any(done_with)
    }

    /// The same, but in each generation at least as far as `other`.
    pub(crate) fn or_further(&self, other: &Self) -> Self {
        let mut further = self.clone();
        for spot in &mut further.spots {
            if let Some(other) = other.spot(spot.id).filter(|o| o.place.offset > spot.place.offset) {
                *spot = other;
            }
        }
        further
    }

    /// The token. Places beyond what a token holds are dropped, the oldest first.
    pub(crate) fn cursor(&self) -> Cursor {
        let surplus = self.spots.len().saturating_sub(Cursor::MOST_PLACES);
        Cursor::new(self.spots[surplus..].iter().map(|spot| spot.place).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::cursor::{GuardPrint, HeadPrint};

    fn spot(id: u64, offset: u64) -> Spot {
        let place = Place { inode: id, head: HeadPrint::of(b"", 0), guard: GuardPrint::of(b""), offset };
        Spot { id: GenerationId(id), place }
    }

    #[test]
    fn a_spot_is_replaced_or_put_where_it_belongs() {
        let standing = Standing::new(vec![spot(2, 10), spot(4, 20)]);
        assert_eq!(standing.with(spot(4, 25)), Standing::new(vec![spot(2, 10), spot(4, 25)]));
        assert_eq!(standing.with(spot(3, 5)), Standing::new(vec![spot(2, 10), spot(3, 5), spot(4, 20)]));
        assert_eq!(standing.newest(), spot(4, 20));
        assert_eq!(standing.spot(GenerationId(3)), None);
    }

    #[test]
    fn standings_are_compared_generation_by_generation() {
        let at = |spots: &[(u64, u64)]| {
            Standing::new(spots.iter().map(|&(id, offset)| spot(id, offset)).collect())
        };
        let early = at(&[(1, 10), (2, 5)]);
        assert!(early.is_not_after(&early));
        assert!(early.is_not_after(&at(&[(1, 10), (2, 6)])));
        assert!(early.is_not_after(&at(&[(2, 5)])), "1 is had to its end there");
        assert!(early.is_not_after(&at(&[(3, 0)])));
        assert!(!early.is_not_after(&at(&[(1, 9), (2, 6)])));
        assert!(!early.is_not_after(&at(&[(1, 20)])), "2 was not entered there");
        assert!(!at(&[(2, 5)]).is_not_after(&early), "1 was had to its end already");
    }

    #[test]
    fn a_token_keeps_the_youngest_places() {
        let many = Standing::new((0..20).map(|id| spot(id, id)).collect());
        let cursor = many.cursor();
        assert_eq!(cursor.places().len(), Cursor::MOST_PLACES);
        assert_eq!(cursor.places().last().unwrap().offset, 19);
    }
}
