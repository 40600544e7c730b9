//! Compares what couriers sent and were told with what the server gives back.

use std::collections::HashMap;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{CourierId, RawFix};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::{
    api::Api,
    courier::{CourierLog, FixOutcome},
};

/// Every way in which stored fixes can differ from sent ones. All zero is what a server promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Fixes found in the database.
    pub stored: u64,
    /// Acknowledged, and not there.
    pub acked_but_missing: u64,
    /// There, though no courier sent them.
    pub stored_but_never_sent: u64,
    /// There more than once.
    pub duplicates: u64,
    /// There, with other content than was sent.
    pub payload_differences: u64,
    /// There, though the server said it had refused them.
    pub rejected_but_stored: u64,
}

impl Verdict {
    /// Whether stored and sent agree.
    pub fn is_clean(&self) -> bool {
        *self == Self { stored: self.stored, ..Self::default() }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            stored: self.stored + other.stored,
            acked_but_missing: self.acked_but_missing + other.acked_but_missing,
            stored_but_never_sent: self.stored_but_never_sent + other.stored_but_never_sent,
            duplicates: self.duplicates + other.duplicates,
            payload_differences: self.payload_differences + other.payload_differences,
            rejected_but_stored: self.rejected_but_stored + other.rejected_but_stored,
        }
    }
}

/// Reads back what the server holds of each courier and compares it with their log.
///
/// # Errors
/// When the server cannot be asked.
pub async fn verify(api: &Api, logs: &[(CourierId, CourierLog)], concurrency: usize) -> Result<Verdict> {
    let verdicts = stream::iter(logs).map(|(courier, log)| verify_courier(api, *courier, log));
    verdicts.buffer_unordered(concurrency.max(1)).try_fold(Verdict::default(), async |all, one| Ok(all.plus(one))).await
}

async fn verify_courier(api: &Api, courier: CourierId, log: &CourierLog) -> Result<Verdict> {
    let (Some((first_ms, _)), Some((last_ms, _))) = (log.sent.first_key_value(), log.sent.last_key_value()) else {
        return Ok(Verdict::default());
    };
    // A little wider than what was sent, so that fixes that no courier sent are found too.
    let time = |ms: i64| DateTime::<Utc>::from_timestamp_millis(ms).context("a time beyond the calendar");
    let (from, until) = (time(*first_ms)? - TimeDelta::minutes(10), time(*last_ms)? + TimeDelta::minutes(10));
    let stored = api.fixes(courier, from, until).await.context("reading fixes back")?;
    Ok(compare(&stored, log))
}

fn compare(stored: &[RawFix], log: &CourierLog) -> Verdict {
    let mut verdict = Verdict { stored: stored.len() as u64, ..Verdict::default() };
    let mut found: HashMap<i64, u64> = HashMap::with_capacity(stored.len());
    for fix in stored {
        let times = found.entry(fix.time_ms).or_default();
        *times += 1;
        verdict.duplicates += u64::from(*times > 1);
        match log.sent.get(&fix.time_ms) {
            None => verdict.stored_but_never_sent += 1,
            Some(sent) => {
                verdict.payload_differences += u64::from(!is_same(&sent.fix, fix));
                verdict.rejected_but_stored += u64::from(matches!(sent.outcome, Some(FixOutcome::Rejected(_))));
            }
        }
    }
    let acked = log.sent.iter().filter(|(_, sent)| sent.outcome == Some(FixOutcome::Acked));
    verdict.acked_but_missing = acked.filter(|(time_ms, _)| !found.contains_key(time_ms)).count() as u64;
    verdict
}

/// Equal to a centimetre and a thousandth: what goes through a database and two codecs may round, not change.
fn is_same(sent: &RawFix, stored: &RawFix) -> bool {
    const CENTIMETRE_DEG: f64 = 1e-7;
    let close = |a: Option<f32>, b: Option<f32>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-3,
        (None, None) => true,
        _ => false,
    };
    (sent.lat - stored.lat).abs() < CENTIMETRE_DEG
        && (sent.lon - stored.lon).abs() < CENTIMETRE_DEG
        && close(sent.accuracy_m, stored.accuracy_m)
        && close(sent.speed_mps, stored.speed_mps)
        && close(sent.heading_deg, stored.heading_deg)
        && close(sent.altitude_m, stored.altitude_m)
        && close(sent.battery, stored.battery)
}

#[cfg(test)]
mod tests {
    use doorstep_shared::Rejection;

    use super::*;
    use crate::courier::SentFix;

    fn fix(time_ms: i64) -> RawFix {
        RawFix { time_ms, lat: 35.9, lon: 14.5, speed_mps: Some(4.0), ..RawFix::default() }
    }

    fn log(outcomes: [Option<FixOutcome>; 3]) -> CourierLog {
        let sent = (1..).zip(outcomes).map(|(time_ms, outcome)| (time_ms, SentFix { fix: fix(time_ms), outcome }));
        CourierLog { sent: sent.collect(), ..CourierLog::default() }
    }

    #[test]
    fn acked_and_stored_once_and_unanswered_either_way_is_clean() {
        let log = log([Some(FixOutcome::Acked), None, None]);
        assert!(compare(&[fix(1), fix(2)], &log).is_clean());
    }

    #[test]
    fn every_kind_of_damage_is_counted() {
        let acked = Some(FixOutcome::Acked);
        let log = log([acked, acked, Some(FixOutcome::Rejected(Rejection::TimeInFuture))]);
        let changed = RawFix { speed_mps: Some(4.1), ..fix(2) };
        let verdict = compare(&[changed.clone(), changed, fix(3), fix(9)], &log);
        let expected = Verdict {
            stored: 4,
            acked_but_missing: 1,
            stored_but_never_sent: 1,
            duplicates: 1,
            payload_differences: 2,
            rejected_but_stored: 1,
        };
        assert_eq!(verdict, expected);
        assert!(!verdict.is_clean());
    }
}
