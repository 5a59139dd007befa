//! How often somebody may write: a few lines at once, then one now and then; and not more for all together than a person
//! could read.
//!
//! Knows addresses and instants; not what is written. This machine's own addresses are not counted one by one: behind a
//! proxy on it everybody comes from there.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::app::pace::{Pace, Tide, neighbourhood};

/// When so many addresses are remembered, those that have waited long enough are forgotten. No more than all may write while
/// one waits are not among them: 350, unless other paces were set.
const REMEMBERED: usize = 512;

/// How often anybody may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paces {
    /// Somebody at one address.
    pub each: Pace,
    /// All together.
    pub all: Pace,
}

impl Default for Paces {
    /// For one address ten lines at once, then two a second; for all together a hundred at once, then fifty a second.
    fn default() -> Self {
        Self {
            each: Pace { burst: 10, every: Duration::from_millis(500) },
            all: Pace { burst: 100, every: Duration::from_millis(20) },
        }
    }
}

/// Who has written lately.
#[derive(Debug)]
pub struct Rates {
    all: Option<Tide>,
    each: HashMap<IpAddr, Tide>,
    /// When there are so many, some are forgotten.
    most: usize,
}

impl Default for Rates {
    fn default() -> Self {
        Self { all: None, each: HashMap::new(), most: REMEMBERED }
    }
}

impl Rates {
    /// Whether somebody at this address may write a line now, at these paces; it counts as written then.
    ///
    /// # Errors
    /// How long to wait before it is worth another try.
    pub fn take(&mut self, paces: &Paces, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let address = neighbourhood(address);
        let mut all = self.all.unwrap_or(Tide::new(now));
        let mut own = self.each.get(&address).copied().unwrap_or(Tide::new(now));
        let counted = !address.is_loopback();
        let wait = if counted { own.wait(paces.each, now) } else { Duration::ZERO };
        let wait = wait.max(all.wait(paces.all, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        all.rise(paces.all, now);
        self.all = Some(all);
        if counted {
            if self.each.len() >= self.most {
                self.each.retain(|_, tide| !tide.is_out(now));
                // So that it is not done for every line, however many have to be remembered.
                self.most = REMEMBERED.max(2 * self.each.len());
            }
            own.rise(paces.each, now);
            self.each.insert(address, own);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many lines get through at once.
    fn burst(rates: &mut Rates, from: &str, now: Instant) -> u32 {
        (0..)
            .take_while(|_| rates.take(&Paces::default(), address(from), now).is_ok())
            .count()
            .try_into()
            .unwrap()
    }

    #[test]
    fn an_address_may_write_ten_lines_at_once_and_then_two_a_second() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        assert_eq!(burst(&mut rates, "192.0.2.1", start), 10);
        assert_eq!(
            rates.take(&Paces::default(), address("192.0.2.1"), start),
            Err(Duration::from_millis(500))
        );
        assert_eq!(burst(&mut rates, "192.0.2.2", start), 10, "others are not concerned");
        assert_eq!(burst(&mut rates, "192.0.2.1", start + Duration::from_millis(499)), 0);
        assert_eq!(burst(&mut rates, "192.0.2.1", start + Duration::from_millis(500)), 1);
        assert_eq!(burst(&mut rates, "192.0.2.1", start + Duration::from_secs(3)), 5);
        assert_eq!(burst(&mut rates, "192.0.2.1", start + Duration::from_secs(60)), 10);
    }

    #[test]
    fn one_address_in_many_spellings_is_one_and_so_is_a_network_of_ipv6() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        assert_eq!(burst(&mut rates, "192.0.2.1", now), 10);
        assert_eq!(burst(&mut rates, "::ffff:192.0.2.1", now), 0);
        assert_eq!(burst(&mut rates, "2001:db8::1", now), 10);
        assert_eq!(burst(&mut rates, "2001:db8::ffff:1", now), 0);
        assert_eq!(burst(&mut rates, "2001:db8:0:1::1", now), 10);
    }

    #[test]
    fn all_together_may_write_a_hundred_at_once_and_so_may_this_machine() {
        for own in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let (mut rates, now) = (Rates::default(), Instant::now());
            assert_eq!(burst(&mut rates, own, now), 100, "{own}");
            assert_eq!(
                rates.take(&Paces::default(), address("192.0.2.1"), now),
                Err(Duration::from_millis(20))
            );
            assert_eq!(burst(&mut rates, own, now + Duration::from_secs(1)), 50);
        }
    }

    #[test]
    fn whoever_has_waited_long_enough_is_forgotten() {
        let (mut rates, mut now) = (Rates::default(), Instant::now());
        for number in 0..100_000u32 {
            let from = IpAddr::V4(number.into());
            now += Duration::from_millis(20);
            assert_eq!(rates.take(&Paces::default(), from, now), Ok(()));
            assert!(rates.each.len() <= REMEMBERED);
        }
        let refused =
            Rates { all: rates.all, ..Rates::default() }.take(&Paces::default(), address("192.0.2.1"), now);
        assert_eq!(refused, Ok(()));
    }
}
