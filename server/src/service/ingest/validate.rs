//! Sorts readings into fixes and rejections. Pure.

use doorstep_shared::{Fix, RawFix, Rejection, protocol::courier::RejectedFix};

use crate::domain::track::{device_clock::MAX_AHEAD_MS, duty::OffDuty};

/// Which times are acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fixes older than this would soon be deleted.
    pub retention_ms: i64,
}

/// A checked batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// The good readings, in the order sent.
    pub fixes: Vec<Fix>,
    /// The bad readings, with their index in the batch.
    pub rejected: Vec<RejectedFix>,
}

/// Checks a batch at `now_ms`. Rejects everything that was recorded `off_duty`.
pub fn validate(raw: &[RawFix], limits: &Limits, now_ms: i64, off_duty: &OffDuty) -> Checked {
    let mut checked = Checked { fixes: Vec::with_capacity(raw.len()), rejected: Vec::new() };
    for (index, reading) in (0..).zip(raw) {
        match check(reading, limits, now_ms, off_duty) {
            Ok(fix) => checked.fixes.push(fix),
            Err(code) => checked.rejected.push(RejectedFix { index, code }),
        }
    }
    checked
}

fn check(raw: &RawFix, limits: &Limits, now_ms: i64, off_duty: &OffDuty) -> Result<Fix, Rejection> {
    let fix = Fix::try_new(raw)?;
    let recorded_at_ms = fix.recorded_at_ms();
    if recorded_at_ms > now_ms.saturating_add(MAX_AHEAD_MS) {
        return Err(Rejection::TimeInFuture);
    }
    if recorded_at_ms < now_ms.saturating_sub(limits.retention_ms) {
        return Err(Rejection::TimeTooOld);
    }
    if off_duty.covers(recorded_at_ms) {
        return Err(Rejection::OffDuty);
    }
    Ok(fix)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: i64 = 1_795_219_200_000;
    const LIMITS: Limits = Limits { retention_ms: 30 * 86_400_000 };

    fn at(time_ms: i64) -> RawFix {
        RawFix { time_ms, lat: 35.9, lon: 14.5, ..RawFix::default() }
    }

    #[test]
    fn times_are_judged_by_the_servers_clock() {
        let cases = [
            (NOW_MS, None),
            (NOW_MS + 120_000, None),
            (NOW_MS + 120_001, Some(Rejection::TimeInFuture)),
            (NOW_MS + 10 * 365 * 86_400_000, Some(Rejection::TimeInFuture)),
            (i64::MAX, Some(Rejection::TimeInFuture)),
            (NOW_MS - LIMITS.retention_ms, None),
            (NOW_MS - LIMITS.retention_ms - 1, Some(Rejection::TimeTooOld)),
            (0, Some(Rejection::TimeTooOld)),
            (i64::MIN, Some(Rejection::TimeTooOld)),
        ];
        for (time_ms, expected) in cases {
            let checked = validate(&[at(time_ms)], &LIMITS, NOW_MS, &OffDuty::default());
            assert_eq!(checked.rejected.first().map(|rejected| rejected.code), expected, "at {time_ms}");
        }
    }

    #[test]
    fn fixes_recorded_before_going_off_duty_are_still_accepted() {
        let batch = [at(NOW_MS - 5_000), at(NOW_MS - 1_000)];
        let mut off_duty = OffDuty::default();
        off_duty.begin(NOW_MS - 2_000);
        let checked = validate(&batch, &LIMITS, NOW_MS, &off_duty);
        assert_eq!(checked.fixes.len(), 1);
        assert_eq!(checked.rejected, [RejectedFix { index: 1, code: Rejection::OffDuty }]);
    }

    proptest! {
        #[test]
        fn every_reading_is_accounted_for(
            readings in prop::collection::vec((any::<i64>(), any::<f64>(), any::<f64>()), 0..50), now_ms in any::<i64>(),
        ) {
            let raw: Vec<_> = readings
                .into_iter()
                .map(|(time_ms, lat, lon)| RawFix { time_ms, lat, lon, ..RawFix::default() })
                .collect();
            let checked = validate(&raw, &LIMITS, now_ms, &OffDuty::default());
            prop_assert_eq!(checked.fixes.len() + checked.rejected.len(), raw.len());
        }
    }
}
