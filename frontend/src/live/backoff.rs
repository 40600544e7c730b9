//! How long to wait before trying again: full-jitter exponential backoff.
//!
//! `sleep = random(0, min(30 s, 0.5 s × 2^attempt))`: the first retry comes within half a second, and when a server
//! restarts under thousands of pages they come back spread out. After 30 s of health it starts anew.

/// The longest wait.
pub const CEILING_MS: f64 = 30_000.0;

/// The longest first wait.
pub const FIRST_MS: f64 = 500.0;

/// A connection that lasted this long was healthy.
pub const HEALTHY_AFTER_MS: f64 = 30_000.0;

/// Counts attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    attempt: u32,
}

impl Backoff {
    /// The next wait in milliseconds. `random` is uniform in `[0, 1)`.
    pub fn next_ms(&mut self, random: f64) -> f64 {
        let limit_ms = limit_ms(self.attempt);
        self.attempt = self.attempt.saturating_add(1);
        random * limit_ms
    }

    /// The next failure is the first again.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

/// The longest wait before retry `attempt`, counted from 0.
fn limit_ms(attempt: u32) -> f64 {
    // Six doublings reach the ceiling; more would only overflow.
    let doubled = FIRST_MS * f64::from(1u32 << attempt.min(6));
    doubled.min(CEILING_MS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_limits_double_from_half_a_second_to_thirty() {
        let limits: Vec<_> = (0..9).map(|attempt| limit_ms(attempt) / 1_000.0).collect();
        assert_eq!(limits, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
    }

    proptest! {
        #[test]
        fn every_wait_is_within_the_contract(randoms in prop::collection::vec(0.0f64..1.0, 1..80)) {
            let mut backoff = Backoff::default();
            for (attempt, random) in randoms.into_iter().enumerate() {
                let wait_ms = backoff.next_ms(random);
                let limit_ms = (500.0 * 2f64.powi(attempt as i32)).min(30_000.0);
                prop_assert!((0.0..limit_ms).contains(&wait_ms) || wait_ms == 0.0);
                prop_assert!((wait_ms - random * limit_ms).abs() < 1e-6, "the whole range is used evenly");
                prop_assert!(attempt > 0 || wait_ms < 1_000.0, "the first retry comes within a second");
            }
            backoff.reset();
            prop_assert!(backoff.next_ms(0.999) < 1_000.0);
        }
    }
}
