//! Randomness that can be repeated.
//!
//! One seed, printed at the start, decides everything that is drawn. Every bot gets a generator of its own,
//! so that what one of them draws does not depend on how the others were scheduled.

use rand::{Rng, SeedableRng, rngs::StdRng};

/// The generator of part number `stream` of whatever `seed` decides.
pub fn generator(seed: u64, stream: u64) -> StdRng {
    // Neighbouring seeds and streams must not give related generators: splitmix64's finishing steps.
    let mut mixed = seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    StdRng::seed_from_u64(mixed ^ (mixed >> 31))
}

/// A seed from the system, for when none is given.
pub fn any_seed() -> u64 {
    // Short enough to be typed again.
    u64::from(rand::rng().random::<u32>())
}

/// A number from the normal distribution with mean 0 and standard deviation 1 (Box–Muller).
pub fn normal(random: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_streams_differ() {
        let draw = |seed, stream| generator(seed, stream).random::<u64>();
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn normal_numbers_have_the_mean_and_spread_they_should() {
        let mut random = generator(1, 0);
        let drawn: Vec<f64> = (0..20_000).map(|_| normal(&mut random)).collect();
        let mean = drawn.iter().sum::<f64>() / 20_000.0;
        let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "mean {mean}, variance {variance}");
    }
}
