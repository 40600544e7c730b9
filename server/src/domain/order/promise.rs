//! Judges whether an order is later than promised, or surely will be.
//!
//! Where the customer was told a range, its probability decides ([`doorstep_arrival::risk`]). For a rule of thumb an order
//! surely is late when even the earliest arrival comes after the promise, and the judgement is taken back only when the
//! middle of the estimate keeps the promise again; between the two lies about a quarter of the way, so an estimate that
//! wavers changes nothing. How long it must hold before an alert is raised is up to the
//! caller.

use doorstep_arrival::risk;

use crate::domain::track::verdict::Verdict;

/// A delay this short is not worth an alert.
pub const GRACE_MS: i64 = 60_000;

/// An order with a promise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Promise {
    /// The end of the promised window, Unix epoch milliseconds.
    pub until_ms: i64,
    /// The earliest hand-over that the estimate allows; `None` without an estimate.
    pub earliest_ms: Option<i64>,
    /// When it should be handed over.
    pub expected_ms: Option<i64>,
    /// The probability of more than [`GRACE_MS`] behind the promise, 0 to 1; `None` for a rule of thumb.
    pub late_probability: Option<f64>,
}

/// How late an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// Milliseconds behind the promise: so far, or as expected.
    pub by_ms: i64,
    /// The promised time is over; this is no estimate.
    pub is_certain: bool,
}

/// Whether an order that is not over is late. `noticed` says whether that was noticed before.
pub fn late(promise: &Promise, noticed: bool, now_ms: i64) -> Verdict<Late> {
    let by_ms = promise.expected_ms.unwrap_or(now_ms).max(now_ms).saturating_sub(promise.until_ms);
    if now_ms > promise.until_ms.saturating_add(GRACE_MS) {
        return Verdict::Present(Late { by_ms, is_certain: true });
    }
    let (Some(earliest_ms), Some(expected_ms)) = (promise.earliest_ms, promise.expected_ms) else {
        return Verdict::Unknown;
    };
    let will_be = match (promise.late_probability, noticed) {
        (Some(probability), _) => risk::is_at_risk(probability, noticed),
        (None, true) => expected_ms > promise.until_ms,
        (None, false) => earliest_ms > promise.until_ms.saturating_add(GRACE_MS),
    };
    will_be.then_some(Late { by_ms, is_certain: false }).into()
}

#[cfg(test)]
mod tests {
    use proptest::{option, prelude::*};

    use super::*;

    const UNTIL_MS: i64 = 1_795_219_200_000;
    const MINUTE_MS: i64 = 60_000;

    /// A promise whose order should be there `middle` minutes after its end, at the earliest `early` minutes before.
    fn expected(middle: i64, early: i64) -> Promise {
        let expected_ms = UNTIL_MS + middle * MINUTE_MS;
        Promise {
            until_ms: UNTIL_MS,
            earliest_ms: Some(expected_ms - early * MINUTE_MS),
            expected_ms: Some(expected_ms),
            late_probability: None,
        }
    }

    fn minutes_late(promise: &Promise, noticed: bool, minutes_left: i64) -> Option<i64> {
        match late(promise, noticed, UNTIL_MS - minutes_left * MINUTE_MS) {
            Verdict::Present(late) => Some(late.by_ms / MINUTE_MS),
            Verdict::Absent | Verdict::Unknown => None,
        }
    }

    #[test]
    fn only_an_order_that_cannot_be_in_time_any_more_is_late() {
        assert_eq!(minutes_late(&expected(-5, 4), false, 20), None);
        assert_eq!(minutes_late(&expected(3, 4), false, 20), None, "it may still be in time");
        assert_eq!(minutes_late(&expected(9, 4), false, 20), Some(9));
        assert_eq!(minutes_late(&expected(-3, 4), false, -5), Some(5), "whatever the estimate says");
        assert_eq!(minutes_late(&expected(12, 4), false, -5), Some(12));
    }

    #[test]
    fn a_noticed_delay_ends_only_when_the_promise_will_be_kept() {
        assert_eq!(minutes_late(&expected(3, 4), true, 20), Some(3), "still doubtful");
        assert_eq!(minutes_late(&expected(-1, 4), true, 20), None);
        assert_eq!(minutes_late(&expected(-1, 4), true, -5), Some(5), "the time is over");
    }

    #[test]
    fn where_the_customer_has_a_range_its_probability_decides() {
        let likely = |probability| Promise { late_probability: Some(probability), ..expected(2, 9) };
        assert_eq!(minutes_late(&likely(0.95), false, 20), Some(2), "although it may still be in time");
        assert_eq!(minutes_late(&likely(0.6), false, 20), None);
        assert_eq!(minutes_late(&likely(0.6), true, 20), Some(2), "what was said is not taken back at once");
        assert_eq!(minutes_late(&likely(0.2), true, 20), None);
    }

    #[test]
    fn without_an_estimate_only_the_clock_decides() {
        let promise = Promise { until_ms: UNTIL_MS, earliest_ms: None, expected_ms: None, late_probability: None };
        assert_eq!(late(&promise, false, UNTIL_MS - MINUTE_MS), Verdict::Unknown);
        assert_eq!(late(&promise, true, UNTIL_MS + MINUTE_MS), Verdict::Unknown, "a minute is forgiven");
        let Verdict::Present(found) = late(&promise, false, UNTIL_MS + 2 * MINUTE_MS) else { panic!("it is over") };
        assert_eq!(found, Late { by_ms: 2 * MINUTE_MS, is_certain: true });
    }

    proptest! {
        #[test]
        fn a_delay_that_is_noticed_does_not_end_at_once(
            expected_min in option::of(-600i64..600), spread_min in 0i64..60, now_min in -600i64..600,
        ) {
            let promise = Promise {
                until_ms: UNTIL_MS,
                earliest_ms: expected_min.map(|expected| UNTIL_MS + (expected - spread_min) * MINUTE_MS),
                expected_ms: expected_min.map(|expected| UNTIL_MS + expected * MINUTE_MS),
                late_probability: None,
            };
            let now_ms = UNTIL_MS + now_min * MINUTE_MS;
            if let Verdict::Present(found) = late(&promise, false, now_ms) {
                prop_assert_eq!(late(&promise, true, now_ms), Verdict::Present(found));
                prop_assert!(found.by_ms > 0);
            }
        }
    }
}
