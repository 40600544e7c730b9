//! Limits failed attempts, such as wrong passwords: a bucket of attempts for each key, which refills with time.
//!
//! A caller takes an attempt before the work and gives it back when the attempt succeeded: so concurrent attempts
//! cannot slip past the limit, and a caller whose attempts succeed is never limited. Kept in memory, for each instance.
//! [`crate::auth`] limits sign-ins and unknown secrets with it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Keys that are remembered at once: more than can fail before the first of them has all its attempts again. A machine
/// checks some dozens of passwords in a second, and a network that missed a link once has its attempts back after 100
/// ms.
const MAX_KEYS: usize = 100_000;

/// A limiter of failed attempts by key. Shared by reference.
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
    /// `burst` attempts at once, and one more after each `refill`.
    pub fn new(burst: u32, refill: Duration) -> Self {
        Self { burst: f64::from(burst), refill, buckets: Mutex::default() }
    }

    /// Checks that an attempt is left, without taking it.
    ///
    /// # Errors
    /// The seconds, at least one, until an attempt is left.
    pub fn check(&self, key: &K, now: Instant) -> Result<(), u32> {
        let left = self.lock().get(key).map_or(self.burst, |bucket| self.left(bucket, now));
        if left < 1.0 { Err(self.seconds(1.0 - left)) } else { Ok(()) }
    }

    /// Takes an attempt.
    ///
    /// # Errors
    /// The seconds, at least one, until an attempt is left.
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

    /// Gives an attempt back.
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

    fn seconds(&self, attempts: f64) -> u32 {
        // A rounding error above a whole number of seconds must not add a second.
        (attempts * self.refill.as_secs_f64() - 1e-6).ceil().max(1.0) as u32
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_run_out_for_each_key_and_come_back_with_time() {
        let (attempts, now) = (FailedAttemptLimiter::new(2, Duration::from_secs(15)), Instant::now());
        assert_eq!([attempts.take("ana", now), attempts.take("ana", now)], [Ok(()), Ok(())]);
        assert_eq!((attempts.check(&"ana", now), attempts.check(&"ben", now)), (Err(15), Ok(())));
        assert_eq!(attempts.take("ana", now), Err(15));
        assert_eq!(attempts.take("ben", now), Ok(()));
        assert_eq!(attempts.take("ana", now + Duration::from_secs(10)), Err(5));
        assert_eq!(attempts.take("ana", now + Duration::from_secs(15)), Ok(()));
    }

    #[test]
    fn a_try_given_back_was_none() {
        let (attempts, now) = (FailedAttemptLimiter::new(1, Duration::from_secs(15)), Instant::now());
        for _ in 0..10 {
            assert_eq!(attempts.take("ana", now), Ok(()));
            attempts.give_back(&"ana");
        }
        assert!(attempts.lock().is_empty(), "and leaves nothing behind");
        attempts.give_back(&"unknown");
    }

    #[test]
    fn a_bucket_that_is_full_again_is_forgotten() {
        let (attempts, now) = (FailedAttemptLimiter::new(2, Duration::from_secs(15)), Instant::now());
        assert_eq!(attempts.take("ana", now), Ok(()));
        attempts.forget_idle(now + Duration::from_secs(14));
        assert_eq!(attempts.lock().len(), 1);
        attempts.forget_idle(now + Duration::from_secs(15));
        assert!(attempts.lock().is_empty());
    }
}
