//! When each of a courier's orders will be handed over, for judging their promises.
//!
//! A rule of thumb suffices while every promise is far away; otherwise the order being served is measured along its
//! route.

use std::collections::HashMap;

use doorstep_shared::{LatLon, OrderId, Vehicle};

use crate::{
    domain::{
        order::{
            Order,
            outlook::{outlook, time_needed_ms},
        },
        track::{eta, progress::progress},
    },
    live::tracker::AtWork,
    service::arrival::journey,
};

/// An order with this much time to spare, and as much again as it needs, is not judged by its route.
const PLENTY_MS: i64 = 10 * 60_000;

/// The earliest and the expected hand-over of each of a courier's orders, Unix epoch milliseconds. By a rule of thumb
/// while all promises are far away: measuring progress on a long route takes longer than everything else in a round.
pub(super) fn expected(seen: &AtWork, here: LatLon, now_ms: i64) -> HashMap<OrderId, (i64, i64)> {
    let Some(vehicle) = seen.vehicle else { return HashMap::new() };
    let rough = outlook(Some(here), &seen.open, vehicle, None, now_ms).handovers;
    let has_time = |(order, expected_ms): (&Order, i64)| {
        let enough_ms = PLENTY_MS.max(expected_ms.saturating_sub(now_ms));
        let until_ms = order.promised_until.map_or(i64::MAX, |until| until.timestamp_millis());
        until_ms.saturating_sub(expected_ms) > enough_ms
    };
    if seen.open.iter().zip(rough.iter().map(|(_, expected_ms)| *expected_ms)).all(has_time) {
        let earliest = |order: &Order| soonest_ms(order, here, vehicle, now_ms);
        let handovers = seen.open.iter().zip(rough);
        return handovers.map(|(order, (id, expected_ms))| (id, (earliest(order), expected_ms))).collect();
    }
    let first = seen.open.first().and_then(|order| {
        let target = order.next_waypoint()?.point;
        let remaining_m = progress(here, target, seen.route.as_deref()).remaining_m;
        eta::estimate(&journey(order, vehicle, remaining_m), now_ms)
    });
    let first_ms = first.map(|eta| i64::midpoint(eta.earliest_ms, eta.latest_ms));
    let handovers = outlook(Some(here), &seen.open, vehicle, first_ms, now_ms).handovers;
    let earliest = |index: usize, order: &Order| match first.filter(|_| index == 0) {
        Some(eta) => eta.earliest_ms,
        None => soonest_ms(order, here, vehicle, now_ms),
    };
    let handovers = seen.open.iter().zip(handovers).enumerate();
    handovers.map(|(index, (order, (id, expected_ms)))| (id, (earliest(index, order), expected_ms))).collect()
}

/// The earliest hand-over of an order that waits for others: its courier may turn to it first, or fetch several at
/// once.
fn soonest_ms(order: &Order, here: LatLon, vehicle: Vehicle, now_ms: i64) -> i64 {
    let needed_ms = time_needed_ms(here, order.status, order.pickup.point, order.dropoff.point, vehicle);
    eta::window(needed_ms as f64, now_ms).earliest_ms
}
