//! A courier's day so far, for their own screen.

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, api::plan::CourierDay};

use crate::{
    domain::track::odometer::Odometer,
    platform::clock::from_us,
    store::{Store, StoreError},
};

/// Fixes in one query.
const FIXES_AT_ONCE: i64 = 5_000;

/// The most fixes that are read: 36 hours at one a second. A courier with several devices may have more; the rest is not
/// measured.
const MAX_FIXES: usize = 36 * 3_600;

/// What a courier did from `since` until `now`, and how far they went on duty.
///
/// # Errors
/// When the database is away.
pub async fn courier_day(
    store: &Store,
    courier: CourierId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<CourierDay, StoreError> {
    let done = store.orders_done_by(courier, since).await?;
    let metres = metres_between(store, courier, since, now).await?;
    Ok(CourierDay {
        delivered: done.delivered,
        failed: done.failed,
        returned: done.returned,
        metres: metres.round() as u32,
    })
}

/// The way in `[since, until)`. A fix that was recorded off duty was never stored.
async fn metres_between(
    store: &Store,
    courier: CourierId,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<f64, StoreError> {
    let off_duty = store.off_duty_spans_of_each(&[courier]).await?.remove(&courier).unwrap_or_default();
    let (mut odometer, mut from, mut read) = (Odometer::default(), since, 0);
    while read < MAX_FIXES {
        let stored = store.stored_fixes_between(courier, from, until, FIXES_AT_ONCE).await?;
        let fixes: Vec<_> = stored.iter().map(|stored| stored.fix).collect();
        odometer.go_on(&fixes, &off_duty);
        read += fixes.len();
        match stored.last() {
            Some(last) if stored.len() == FIXES_AT_ONCE as usize => from = from_us(last.next_us()),
            _ => break,
        }
    }
    Ok(odometer.metres())
}
