//! Notices when the ranges that customers read hold too few arrivals, or too many.
//!
//! Customers are told that a range holds four of five. An operator hears of it when that is no longer so, once, and once
//! more when it is so again: in the log and as a metric to alert on.

use std::collections::BTreeSet;

use doorstep_shared::api::arrival::{ArrivalScore, TRUSTED_INSIDE};

/// With fewer arrivals chance alone leaves these bounds now and then.
const ENOUGH: u64 = 60;

/// Which horizons are not to be trusted.
#[derive(Debug, Default)]
pub(super) struct CoverageWatch {
    untrusted: BTreeSet<String>,
}

/// What became of a horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Its ranges hold too few or too many from now on.
    Left,
    /// They hold what they should again.
    Returned,
}

impl CoverageWatch {
    /// Takes in the present score of a horizon, and tells the operator when something turned.
    pub(super) fn look_at(&mut self, score: &ArrivalScore) -> Option<Turn> {
        let is_untrusted = score.n >= ENOUGH && !TRUSTED_INSIDE.contains(&score.inside);
        let horizon = [("horizon_min", score.group.clone())];
        metrics::gauge!("doorstep_arrival_untrusted", &horizon).set(f64::from(u8::from(is_untrusted)));
        let inside = format!("{:.0} %", score.inside * 100.0);
        if is_untrusted && self.untrusted.insert(score.group.clone()) {
            tracing::warn!(
                horizon_min = score.group,
                arrivals = score.n,
                inside,
                "arrivals do not come as customers are told: their ranges should hold 80 %"
            );
            return Some(Turn::Left);
        }
        if !is_untrusted && self.untrusted.remove(&score.group) {
            tracing::info!(horizon_min = score.group, inside, "arrivals come as customers are told again");
            return Some(Turn::Returned);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(n: u64, inside: f64) -> ArrivalScore {
        let (early, late) = (0.0, 1.0 - inside);
        let (width_s, bias_s, mae_s, interval_score_s) = (300.0, 0.0, 60.0, 400.0);
        let group = "10".to_owned();
        ArrivalScore { group, name: None, n, inside, early, late, width_s, bias_s, mae_s, interval_score_s }
    }

    #[test]
    fn ranges_that_hold_too_few_or_too_many_are_told_once_and_their_return_too() {
        let mut watch = CoverageWatch::default();
        let turns = [(400, 0.8), (400, 0.65), (400, 0.6), (400, 0.82), (400, 0.95), (400, 0.9)];
        let turns = turns.map(|(n, inside)| watch.look_at(&score(n, inside)));
        let (left, returned) = (Some(Turn::Left), Some(Turn::Returned));
        assert_eq!(turns, [None, left, None, returned, left, returned]);
    }

    #[test]
    fn a_few_arrivals_alarm_nobody() {
        assert_eq!(CoverageWatch::default().look_at(&score(20, 0.4)), None);
    }
}
