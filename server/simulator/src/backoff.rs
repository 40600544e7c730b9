//! When to try again after a connection was lost: the contract's full jitter.

use std::time::Duration;

use rand::{Rng, rngs::StdRng};

const FIRST_CEILING: Duration = Duration::from_millis(500);
const HIGHEST_CEILING: Duration = Duration::from_secs(30);

/// A connection that held this long was healthy: the next loss starts from the beginning.
pub const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// Draws `random(0, min(30 s, 0.5 s × 2^attempt))`, so that thousands of clients do not return at once.
#[derive(Debug)]
pub struct Backoff {
    attempt: u32,
    random: StdRng,
}

impl Backoff {
    /// Begins with a first retry under half a second.
    pub fn new(random: StdRng) -> Self {
        Self { attempt: 0, random }
    }

    /// How long to sleep before the next attempt.
    pub fn next_delay(&mut self) -> Duration {
        let ceiling = FIRST_CEILING.saturating_mul(1 << self.attempt.min(16)).min(HIGHEST_CEILING);
        self.attempt += 1;
        ceiling.mul_f64(self.random.random())
    }

    /// Says how long the connection that was just lost had held.
    pub fn lost_after(&mut self, held: Duration) {
        if held >= HEALTHY_AFTER {
            self.attempt = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;

    #[test]
    fn delays_stay_below_a_ceiling_that_doubles_up_to_half_a_minute() {
        let mut longest = [Duration::ZERO; 12];
        for seed in 0..200 {
            let mut backoff = Backoff::new(generator(seed, 0));
            for (attempt, longest) in longest.iter_mut().enumerate() {
                let delay = backoff.next_delay();
                assert!(delay <= Duration::from_millis(500 << attempt).min(HIGHEST_CEILING), "attempt {attempt}");
                *longest = delay.max(*longest);
            }
        }
        assert!(longest[0] > Duration::from_millis(450), "jitter uses the whole range");
        assert!(longest[11] > Duration::from_secs(28), "jitter uses the whole range");
    }

    #[test]
    fn half_a_minute_of_health_starts_over() {
        let mut backoff = Backoff::new(generator(1, 0));
        for _ in 0..8 {
            backoff.next_delay();
        }
        backoff.lost_after(Duration::from_secs(5));
        assert_eq!(backoff.attempt, 8);
        backoff.lost_after(HEALTHY_AFTER);
        assert!(backoff.next_delay() <= FIRST_CEILING);
    }
}
