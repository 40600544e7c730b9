//! Closes the feeds of orders whose links show nothing any more although no status ended them.
//!
//! An order that failed, or that no courier has, is left at some time, and so is its link. Who opens such a link is refused
//! by [`crate::domain::order::link`] at once; those who have it open are found here.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    live::hub::Hub,
    store::{Store, StoreError},
};

/// Orders that are looked at in one statement.
const ORDERS_AT_ONCE: usize = 1_000;

/// Closes with 4502 what this instance's viewers have open of orders whose links closed at `now`, `outcome` after the
/// last change.
///
/// # Errors
/// When the database is away; the next round finds what was left.
pub async fn close_ended(store: &Store, hub: &Hub, outcome: TimeDelta, now: DateTime<Utc>) -> Result<(), StoreError> {
    let watched: Vec<_> = hub.audiences().into_iter().map(|(order, _)| order).collect();
    for orders in watched.chunks(ORDERS_AT_ONCE) {
        let left = store.left_orders(orders).await?;
        left.iter().filter(|order| order.is_closed(outcome, now)).for_each(|order| hub.close(order.order));
    }
    Ok(())
}
