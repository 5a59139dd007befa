//! How often somebody may try a password: a few times at once, then now and then. By address, so that nobody goes through
//! a list of passwords; by name, so that nobody does so from many addresses.
//!
//! Knows names, addresses and instants; not passwords. This machine's own addresses are not counted: behind a proxy on it
//! everybody comes from there, and nobody is to keep all others out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::app::pace::{Pace, Tide, neighbourhood};

/// From one address: ten at once, then one in six seconds.
const ADDRESS: Pace = Pace { burst: 10, every: Duration::from_secs(6) };
/// For one name: ten at once, then one in twelve seconds, 7,200 a day.
const NAME: Pace = Pace { burst: 10, every: Duration::from_secs(12) };
/// For all together: fifty at once, then five a second.
const ALL: Pace = Pace { burst: 50, every: Duration::from_millis(200) };
/// When so many are remembered, those that have waited long enough are forgotten. No more than `ALL` lets through while
/// `NAME` fills up again are not among them: 650.
const REMEMBERED: usize = 1024;
/// Of a name so much is remembered. No user's is longer.
const LONGEST_NAME: usize = 128;

/// Who has tried lately.
#[derive(Debug, Default)]
pub struct Attempts {
    all: Option<Tide>,
    addresses: HashMap<IpAddr, Tide>,
    names: HashMap<String, Tide>,
}

impl Attempts {
    /// Whether a password for `name` may be tried from this address now; it counts as tried then.
    ///
    /// # Errors
    /// How long to wait before it is worth another try.
    pub fn take(&mut self, name: &str, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let (name, address) = (known_by(name), neighbourhood(address));
        let mut all = self.all.unwrap_or(Tide::new(now));
        let counted = !address.is_loopback();
        let by_address = if counted { wait(&self.addresses, &address, ADDRESS, now) } else { Duration::ZERO };
        let wait = wait(&self.names, &name, NAME, now).max(by_address).max(all.wait(ALL, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        all.rise(ALL, now);
        self.all = Some(all);
        rise(&mut self.names, name, NAME, now);
        if counted {
            rise(&mut self.addresses, address, ADDRESS, now);
        }
        Ok(())
    }

    /// It was the right password: what was tried before it for this name, and from this address, was mistyped.
    pub fn succeeded(&mut self, name: &str, address: IpAddr) {
        self.names.remove(&known_by(name));
        self.addresses.remove(&neighbourhood(address));
    }
}

fn known_by(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

fn wait<K: Eq + Hash>(tides: &HashMap<K, Tide>, key: &K, pace: Pace, now: Instant) -> Duration {
    tides.get(key).map_or(Duration::ZERO, |tide| tide.wait(pace, now))
}

fn rise<K: Eq + Hash>(tides: &mut HashMap<K, Tide>, key: K, pace: Pace, now: Instant) {
    if tides.len() >= REMEMBERED {
        tides.retain(|_, tide| !tide.is_out(now));
    }
    tides.entry(key).or_insert(Tide::new(now)).rise(pace, now);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// How many attempts get through at once.
    fn burst(attempts: &mut Attempts, name: impl Fn(u32) -> String, from: &str, now: Instant) -> u32 {
        let may = |number: &u32| attempts.take(&name(*number), address(from), now).is_ok();
        (0..).take_while(may).count().try_into().unwrap()
    }

    #[test]
    fn for_a_name_ten_are_taken_at_once_from_wherever_and_then_five_a_minute() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        let ada = |_| "ada".to_owned();
        assert_eq!(burst(&mut attempts, ada, "127.0.0.1", start), 10);
        assert_eq!(attempts.take("ada", address("192.0.2.1"), start), Err(Duration::from_secs(12)));
        assert_eq!(attempts.take("bob", address("192.0.2.1"), start), Ok(()), "others are not concerned");
        assert_eq!(burst(&mut attempts, ada, "192.0.2.2", start + Duration::from_secs(60)), 5);
    }

    #[test]
    fn an_address_gets_through_ten_names_at_once_and_then_ten_a_minute() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        let any = |number: u32| format!("user {number}");
        assert_eq!(burst(&mut attempts, any, "2001:db8::1", start), 10);
        assert_eq!(burst(&mut attempts, any, "2001:db8::2", start), 0, "its neighbours are the same");
        let later = start + Duration::from_secs(60);
        assert_eq!(burst(&mut attempts, |number| format!("x{number}"), "2001:db8::1", later), 10);
        assert_eq!(
            burst(&mut attempts, |number| format!("y{number}"), "127.0.0.1", later),
            40,
            "all together"
        );
    }

    #[test]
    fn who_gets_it_right_may_mistype_it_again() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..9 {
            attempts.take("ada", address("192.0.2.1"), now).unwrap();
        }
        attempts.succeeded("ada", address("192.0.2.1"));
        assert_eq!(burst(&mut attempts, |_| "ada".to_owned(), "192.0.2.1", now), 10);
    }

    #[test]
    fn however_many_names_and_addresses_try_few_are_remembered() {
        let (mut attempts, mut now) = (Attempts::default(), Instant::now());
        for number in 0..20_000u32 {
            now += Duration::from_millis(200);
            let name = format!("{number}{}", "x".repeat(1000));
            assert_eq!(attempts.take(&name, IpAddr::V4(number.into()), now), Ok(()));
            assert!(attempts.names.len() <= REMEMBERED && attempts.addresses.len() <= REMEMBERED);
        }
        assert!(attempts.names.keys().all(|name| name.len() <= LONGEST_NAME));
    }
}
