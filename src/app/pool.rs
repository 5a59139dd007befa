//! A bound on the memory that many connections may use together.
//!
//! A limit for each of them is not enough where there may be ten thousand. Knows no connections; only counts.

use std::cell::Cell;
use std::rc::Rc;

/// So many bytes, for all who have a [`Share`].
#[derive(Clone, Debug)]
pub struct Pool(Rc<Level>);

#[derive(Debug)]
struct Level {
    used: Cell<usize>,
    most: usize,
}

/// What one of them uses. Given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    all: Rc<Level>,
    mine: usize,
}

impl Pool {
    /// A pool of `most` bytes.
    pub fn new(most: usize) -> Self {
        Self(Rc::new(Level { used: Cell::new(0), most }))
    }

    /// A share that uses nothing yet.
    pub fn share(&self) -> Share {
        Share { all: Rc::clone(&self.0), mine: 0 }
    }
}

impl Share {
    /// Its owner uses so many bytes now. Whether that is all right: false if all together use too much.
    #[must_use]
    pub fn set(&mut self, bytes: usize) -> bool {
        let used = self.all.used.get() - self.mine + bytes;
        self.all.used.set(used);
        self.mine = bytes;
        used <= self.all.most
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.used.set(self.all.used.get() - self.mine);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_together_use_no_more_than_there_is_and_who_leaves_gives_back() {
        let pool = Pool::new(100);
        let (mut one, mut two) = (pool.share(), pool.share());
        assert!(one.set(60) && two.set(40));
        assert!(!two.set(41), "nobody may use more");
        assert!(two.set(0) && one.set(100));
        drop(one);
        assert!(two.set(100));
        drop(two);
        assert_eq!(pool.0.used.get(), 0);
    }
}
