//! Numbers that a seed decides, for the moments at which faults strike.

use std::cell::Cell;
use std::time::Duration;

/// A sequence of numbers (splitmix64).
pub(super) struct Draw(Cell<u64>);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is above zero.
    pub(super) fn below(&self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A duration between both, in seconds.
    pub(super) fn between(&self, from_s: f64, until_s: f64) -> Duration {
        let part = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        Duration::from_secs_f64(from_s + (until_s - from_s) * part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_within_bounds() {
        let draw = |seed| {
            let draw = Draw::new(seed);
            [(); 100].map(|()| draw.between(2.0, 5.0))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(draw(3).iter().all(|drawn| (2.0..=5.0).contains(&drawn.as_secs_f64())));
        let few = Draw::new(4);
        assert!((0..100).map(|_| few.below(3)).all(|drawn| drawn < 3));
    }
}
