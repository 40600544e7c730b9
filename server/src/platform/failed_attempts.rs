//! How often somebody may be wrong: a bucket of tries for each key, which fills up again with time.
//!
//! A try is taken before the work and given back when it was none: so that many at once cannot slip past the limit,
//! and whoever is right is never limited by what they do. Kept in memory, for each instance.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Keys that are remembered at once: far more than are wrong before the first of them has all its tries again. A
/// machine checks some dozens of passwords in a second, and a network that missed a link once is whole after 100 ms.
const MAX_KEYS: usize = 100_000;

/// FailedAttemptLimiter, by key. Shared by reference.
#[derive(Debug)]
pub struct FailedAttemptLimiter<K> {
    burst: f64,
    refill: Duration,
    buckets: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl<K: Hash + Eq> FailedAttemptLimiter<K> {
    /// `burst` tries at once, and one more after each `refill`.
    pub fn new(burst: u32, refill: Duration) -> Self {
        Self { burst: f64::from(burst), refill, buckets: Mutex::default() }
    }

    /// Whether there is a try left, without taking it.
    ///
    /// # Errors
    /// When there is none: after how many seconds, at least one, there is.
    pub fn check(&self, key: &K, now: Instant) -> Result<(), u32> {
        let left = self.lock().get(key).map_or(self.burst, |bucket| self.left(bucket, now));
        if left < 1.0 { Err(self.seconds(1.0 - left)) } else { Ok(()) }
    }

    /// Takes a try.
    ///
    /// # Errors
    /// When there is none left: after how many seconds, at least one, there is.
    pub fn take(&self, key: K, now: Instant) -> Result<(), u32> {
        let mut buckets = self.lock();
        if buckets.len() >= MAX_KEYS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| self.left(bucket, now) < self.burst);
            if buckets.len() >= MAX_KEYS {
                return Err(self.seconds(1.0));
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket { left: self.burst, at: now });
        let left = self.left(bucket, now);
        if left < 1.0 {
            return Err(self.seconds(1.0 - left));
        }
        *bucket = Bucket { left: left - 1.0, at: now };
        Ok(())
    }

    /// Gives a try back.
    pub fn give_back(&self, key: &K) {
        let mut buckets = self.lock();
        if let Some(bucket) = buckets.get_mut(key) {
            bucket.left = self.burst.min(bucket.left + 1.0);
            if bucket.left >= self.burst {
                buckets.remove(key);
            }
        }
    }

    /// Forgets keys whose buckets are full.
    pub fn forget_idle(&self, now: Instant) {
        let mut buckets = self.lock();
        buckets.retain(|_, bucket| self.left(bucket, now) < self.burst);
        buckets.shrink_to_fit();
    }

    fn left(&self, bucket: &Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at);
        self.burst.min(bucket.left + since.as_secs_f64() / self.refill.as_secs_f64())
    }

    fn seconds(&self, tries: f64) -> u32 {
        // What arithmetic leaves behind a whole number of seconds is no second.
        (tries * self.refill.as_secs_f64() - 1e-6).ceil().max(1.0) as u32
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_run_out_for_each_key_and_come_back_with_time() {
        let (tries, now) = (FailedAttemptLimiter::new(2, Duration::from_secs(15)), Instant::now());
        assert_eq!([tries.take("ana", now), tries.take("ana", now)], [Ok(()), Ok(())]);
        assert_eq!((tries.check(&"ana", now), tries.check(&"ben", now)), (Err(15), Ok(())));
        assert_eq!(tries.take("ana", now), Err(15));
        assert_eq!(tries.take("ben", now), Ok(()));
        assert_eq!(tries.take("ana", now + Duration::from_secs(10)), Err(5));
        assert_eq!(tries.take("ana", now + Duration::from_secs(15)), Ok(()));
    }

    #[test]
    fn a_try_given_back_was_none() {
        let (tries, now) = (FailedAttemptLimiter::new(1, Duration::from_secs(15)), Instant::now());
        for _ in 0..10 {
            assert_eq!(tries.take("ana", now), Ok(()));
            tries.give_back(&"ana");
        }
        assert!(tries.lock().is_empty(), "and leaves nothing behind");
        tries.give_back(&"nobody");
    }

    #[test]
    fn what_is_full_again_is_forgotten() {
        let (tries, now) = (FailedAttemptLimiter::new(2, Duration::from_secs(15)), Instant::now());
        assert_eq!(tries.take("ana", now), Ok(()));
        tries.forget_idle(now + Duration::from_secs(14));
        assert_eq!(tries.lock().len(), 1);
        tries.forget_idle(now + Duration::from_secs(15));
        assert!(tries.lock().is_empty());
    }
}
