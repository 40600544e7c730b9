//! A batch of rows as the arrays of one statement.
//!
//! `UNNEST` turns them back into rows, so a batch of any size is one prepared statement.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use doorstep_shared::Fix;
use uuid::Uuid;

use super::request::Append;

/// One array per column, sorted by key: two transactions that insert the same keys in the same order cannot deadlock. No
/// key comes twice, because one statement cannot change a row that it has just inserted.
pub(super) struct Columns {
    pub(super) courier_id: Vec<Uuid>,
    pub(super) fixed_at: Vec<DateTime<Utc>>,
    pub(super) received_at: Vec<DateTime<Utc>>,
    pub(super) lat: Vec<f64>,
    pub(super) lon: Vec<f64>,
    pub(super) accuracy_m: Vec<Option<f32>>,
    pub(super) speed_mps: Vec<Option<f32>>,
    pub(super) heading_deg: Vec<Option<f32>>,
    pub(super) altitude_m: Vec<Option<f32>>,
    pub(super) battery: Vec<Option<f32>>,
}

impl Columns {
    pub(super) fn of(batch: &[Append]) -> Self {
        let rows = batch.iter().flat_map(|request| request.fixes.iter().map(move |fix| (request, fix)));
        let mut rows: Vec<_> = rows.collect();
        // Of equal ones the first stays first.
        rows.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| by_accuracy(a.1, b.1)));
        rows.dedup_by_key(|row| key(row));
        Self {
            courier_id: rows.iter().map(|(request, _)| request.courier).collect(),
            fixed_at: rows.iter().map(|row| key(row).1).collect(),
            received_at: rows.iter().map(|(request, _)| request.received_at).collect(),
            lat: rows.iter().map(|(_, fix)| fix.point().lat()).collect(),
            lon: rows.iter().map(|(_, fix)| fix.point().lon()).collect(),
            accuracy_m: rows.iter().map(|(_, fix)| fix.accuracy_m()).collect(),
            speed_mps: rows.iter().map(|(_, fix)| fix.speed_mps()).collect(),
            heading_deg: rows.iter().map(|(_, fix)| fix.heading_deg()).collect(),
            altitude_m: rows.iter().map(|(_, fix)| fix.altitude_m()).collect(),
            battery: rows.iter().map(|(_, fix)| fix.battery()).collect(),
        }
    }
}

/// What identifies a row.
pub(super) fn key((request, fix): &(&Append, &Fix)) -> (Uuid, DateTime<Utc>) {
    (request.courier, request.source.key_time(fix.recorded_at_ms()))
}

/// The more accurate first; one that says nothing of it last.
fn by_accuracy(a: &Fix, b: &Fix) -> Ordering {
    let accuracy_m = |fix: &Fix| fix.accuracy_m().unwrap_or(f32::INFINITY);
    accuracy_m(a).total_cmp(&accuracy_m(b))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use doorstep_shared::RawFix;
    use tokio::sync::oneshot;

    use super::*;
    use crate::store::fix_sources::SourceNumber;

    fn fix(time_ms: i64, accuracy_m: Option<f32>) -> Fix {
        Fix::try_new(&RawFix { time_ms, lat: 35.9, lon: 14.5, accuracy_m, ..RawFix::default() }).expect("usable")
    }

    fn request(courier: Uuid, fixes: Vec<Fix>) -> Append {
        let (done, _) = oneshot::channel();
        Append { courier, source: SourceNumber::default(), received_at: DateTime::UNIX_EPOCH, fixes, done }
    }

    #[test]
    fn no_key_comes_twice_and_the_most_accurate_of_equal_ones_stays() {
        let ana = Uuid::now_v7();
        let first = request(ana, vec![fix(2_000, Some(9.0)), fix(1_000, None), fix(1_000, Some(65.0))]);
        let second = request(ana, vec![fix(1_000, Some(5.0)), fix(1_000, None)]);
        let columns = Columns::of(&[first, second]);
        let at = |ms| DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms);
        assert_eq!(columns.fixed_at, [at(1_000), at(2_000)]);
        assert_eq!(columns.accuracy_m, [Some(5.0), Some(9.0)]);
    }
}
