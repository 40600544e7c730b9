//! How likely a promise breaks, from the whole range and not from one time.
//!
//! A promise is said to be at risk when a late arrival is much likelier than one in time, and only taken back when the
//! odds have turned: an estimate that wavers says nothing new.

/// Said when a late arrival is this likely.
const SAID_AT: f64 = 0.84;

/// Taken back below this.
const TAKEN_BACK_AT: f64 = 0.4;

/// A normal distribution has a tenth of its arrivals beyond this many standard deviations.
const DEVIATIONS: f64 = 1.2816;

/// An arrival that is not certain, Unix epoch milliseconds. A tenth comes before `earliest_ms`, a tenth after `latest_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The early end of the range.
    pub earliest_ms: i64,
    /// What is expected.
    pub expected_ms: i64,
    /// The late end of the range.
    pub latest_ms: i64,
}

/// The probability that the courier comes after `until_ms`, 0 to 1.
pub fn late_probability(arrival: &Arrival, until_ms: i64) -> f64 {
    let spare_ms = (until_ms - arrival.expected_ms) as f64;
    let side_ms = if spare_ms >= 0.0 {
        arrival.latest_ms - arrival.expected_ms
    } else {
        arrival.expected_ms - arrival.earliest_ms
    };
    let deviation_ms = (side_ms as f64 / DEVIATIONS).max(1_000.0);
    1.0 - normal(spare_ms / deviation_ms)
}

/// Whether the promise is at risk; `said` is whether it was until now.
pub fn is_at_risk(probability: f64, said: bool) -> bool {
    probability >= if said { TAKEN_BACK_AT } else { SAID_AT }
}

/// The normal distribution function by a logistic curve, exact within a percentage point.
fn normal(z: f64) -> f64 {
    1.0 / (1.0 + (-1.5976 * z - 0.070_56 * z.powi(3)).exp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn arrival() -> Arrival {
        Arrival { earliest_ms: 8 * MINUTE_MS, expected_ms: 10 * MINUTE_MS, latest_ms: 14 * MINUTE_MS }
    }

    #[test]
    fn the_ends_of_the_range_are_a_tenth_each() {
        assert!((late_probability(&arrival(), 8 * MINUTE_MS) - 0.9).abs() < 0.01);
        assert!((late_probability(&arrival(), 10 * MINUTE_MS) - 0.5).abs() < 0.01);
        assert!((late_probability(&arrival(), 14 * MINUTE_MS) - 0.1).abs() < 0.01);
    }

    #[test]
    fn an_estimate_that_wavers_says_nothing_new() {
        assert!(is_at_risk(0.9, false) && is_at_risk(0.5, true));
        assert!(!is_at_risk(0.5, false) && !is_at_risk(0.3, true));
    }

    proptest! {
        #[test]
        fn a_later_promise_is_safer(a in -3_600_000i64..7_200_000, b in -3_600_000i64..7_200_000) {
            let (sooner, later) = (late_probability(&arrival(), a.min(b)), late_probability(&arrival(), a.max(b)));
            prop_assert!(later <= sooner && (0.0..=1.0).contains(&later));
        }
    }
}
