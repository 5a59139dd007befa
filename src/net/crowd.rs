//! How many connections each address has, so that one alone cannot take all there are.
//!
//! Knows addresses only. This machine's own are not counted: behind a proxy on it everybody comes from there.

use std::collections::HashMap;
use std::net::IpAddr;

/// The connections of each address.
#[derive(Debug)]
pub(crate) struct Crowd {
    most: usize,
    counts: HashMap<IpAddr, usize>,
}

impl Crowd {
    /// Nobody is there; `most` connections may come from one address.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, counts: HashMap::new() }
    }

    /// One more from `address`, which [`leave`](Self::leave)s later; false if it has too many already.
    pub(crate) fn enter(&mut self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if address.is_loopback() {
            return true;
        }
        let count = self.counts.entry(address).or_default();
        let may = *count < self.most;
        *count += usize::from(may);
        may
    }

    /// One less from `address`.
    pub(crate) fn leave(&mut self, address: IpAddr) {
        let address = address.to_canonical();
        if let Some(count) = self.counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_may_have_so_many_and_when_one_leaves_another_may_come() {
        let mut crowd = Crowd::new(2);
        let (one, other) = (address("192.0.2.1"), address("2001:db8::1"));
        assert!(crowd.enter(one) && crowd.enter(one) && !crowd.enter(one));
        assert!(crowd.enter(other), "others are not concerned");
        crowd.leave(one);
        assert!(crowd.enter(one) && !crowd.enter(one));
        for gone in [one, one, other] {
            crowd.leave(gone);
        }
        assert!(crowd.counts.is_empty(), "who has gone is forgotten");
    }

    #[test]
    fn an_address_is_the_same_in_either_spelling() {
        let mut crowd = Crowd::new(1);
        assert!(crowd.enter(address("192.0.2.1")) && !crowd.enter(address("::ffff:192.0.2.1")));
        crowd.leave(address("::ffff:192.0.2.1"));
        assert!(crowd.enter(address("192.0.2.1")));
    }

    #[test]
    fn this_machine_is_not_counted() {
        let mut crowd = Crowd::new(0);
        for own in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(crowd.enter(address(own)), "{own}");
            crowd.leave(address(own));
        }
        assert!(crowd.counts.is_empty());
    }
}
