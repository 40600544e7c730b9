//! Limits the requests of one address or one device: a burst, and a steady rate after it.

use std::{
    fmt,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

/// Counts the requests of each key. Shared by reference; it holds recent keys only, see [`RateLimit::forget_idle`].
pub struct RateLimit<K: Hash + Eq + Clone>(DefaultKeyedRateLimiter<K>);

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// A limit of `burst` requests at once, and `per_second` after that.
    pub fn per_second(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self(RateLimiter::keyed(Quota::per_second(per_second).allow_burst(burst)))
    }

    /// Counts a request of `key`.
    ///
    /// # Errors
    /// The seconds, at least one, until the next request may come; this one was not counted.
    pub fn check(&self, key: &K) -> Result<(), u32> {
        self.0.check_key(key).map_err(|refused| {
            let wait = refused.wait_time_from(DefaultClock::default().now());
            u32::try_from(wait.as_secs() + 1).unwrap_or(u32::MAX)
        })
    }

    /// Forgets keys without recent requests.
    pub fn forget_idle(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

impl<K: Hash + Eq + Clone> fmt::Debug for RateLimit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RateLimit")
    }
}

/// The part of an address that identifies one customer of a network: all of it, or the first 64 bits of an IPv6
/// address, of which every home has 2⁶⁴.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_burst() {
        let two = NonZeroU32::new(2).expect("not zero");
        let limit = RateLimit::per_second(two, two);
        assert_eq!([limit.check(&"ana"), limit.check(&"ana")], [Ok(()), Ok(())]);
        let wait_s = limit.check(&"ana").expect_err("a third at once");
        assert_eq!(wait_s, 1, "half a second, in whole ones");
        assert_eq!(limit.check(&"ben"), Ok(()));
    }

    #[test]
    fn neighbours_in_a_home_network_are_one() {
        let network = |address: &str| network_of(address.parse().expect("an address")).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
    }
}
