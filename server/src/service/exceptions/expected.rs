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
    let rough = outlook(Some(here), &seen.ahead, vehicle, None, now_ms).handovers;
    let rough: HashMap<_, _> = rough.into_iter().collect();
    let has_time = |order: &Order| {
        let expected_ms = rough.get(&order.id).copied().unwrap_or(now_ms);
        let enough_ms = PLENTY_MS.max(expected_ms.saturating_sub(now_ms));
        let until_ms = order.promised_until.map_or(i64::MAX, |until| until.timestamp_millis());
        until_ms.saturating_sub(expected_ms) > enough_ms
    };
    let soonest = |order: &Order| soonest_ms(order, here, vehicle, now_ms);
    if seen.open.iter().all(has_time) {
        return both(&seen.open, &rough, soonest);
    }
    // Behind a return no customer is served yet, and no route is measured.
    let served =
        seen.open.first().filter(|order| seen.ahead.first().is_some_and(|first| first.stop.order_id == order.id));
    let first = served.and_then(|order| {
        let remaining_m = progress(here, seen.ahead.first()?.at, seen.route.as_deref()).remaining_m;
        Some((order.id, eta::estimate(&journey(order, vehicle, remaining_m, &seen.ahead), now_ms)?))
    });
    let better = first.map(|(order, eta)| (order, i64::midpoint(eta.earliest_ms, eta.latest_ms)));
    let handovers = outlook(Some(here), &seen.ahead, vehicle, better, now_ms).handovers.into_iter().collect();
    both(&seen.open, &handovers, |order| match first.filter(|(first, _)| *first == order.id) {
        Some((_, eta)) => eta.earliest_ms,
        None => soonest(order),
    })
}

fn both(
    open: &[Order],
    expected: &HashMap<OrderId, i64>,
    earliest_ms: impl Fn(&Order) -> i64,
) -> HashMap<OrderId, (i64, i64)> {
    let times = open.iter().filter_map(|order| Some((order.id, (earliest_ms(order), *expected.get(&order.id)?))));
    times.collect()
}

/// The earliest hand-over of an order that waits for others: its courier may turn to it first, or fetch several at
/// once.
fn soonest_ms(order: &Order, here: LatLon, vehicle: Vehicle, now_ms: i64) -> i64 {
    let needed_ms = time_needed_ms(here, order.status, order.pickup.point, order.dropoff.point, vehicle);
    eta::window(needed_ms as f64, now_ms).earliest_ms
}
