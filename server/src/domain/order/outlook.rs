//! When each of a courier's open orders reaches its door, and when the courier is free again.
//!
//! Orders are served one after the other, each with its pickup and its door. Distances are a rule of thumb and not
//! planned on the streets: a list of thousands of orders must not plan thousands of routes. Where an estimate along the
//! streets exists, as for the order being served, callers pass it in.

use doorstep_shared::{LatLon, OrderId, OrderStatus, Vehicle};

use super::Order;
use crate::domain::track::{
    eta::{HANDOVER_MS, PICKUP_WAIT_MS, town_speed_mps},
    progress::estimated_street_m,
};

/// The work ahead of a courier.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    /// When each open order should be handed over, Unix epoch milliseconds, in serving order.
    pub handovers: Vec<(OrderId, i64)>,
    /// Where the last order ends; where the courier is when there is none.
    pub ends_at: Option<LatLon>,
    /// When they are free, Unix epoch milliseconds.
    pub free_ms: i64,
}

/// The work ahead of a courier who is at `here` and has these open orders, in serving order.
///
/// `first_ms` is when the first is handed over, where a better estimate exists.
pub fn outlook(here: Option<LatLon>, open: &[Order], vehicle: Vehicle, first_ms: Option<i64>, now_ms: i64) -> Outlook {
    let mut outlook = Outlook { handovers: Vec::with_capacity(open.len()), ends_at: here, free_ms: now_ms };
    for order in open.iter().filter(|order| order.status.is_active()) {
        let start = outlook.ends_at.unwrap_or(order.pickup.point);
        let needed_ms = time_needed_ms(start, order.status, order.pickup.point, order.dropoff.point, vehicle);
        let better = first_ms.filter(|_| outlook.handovers.is_empty());
        outlook.free_ms = better.unwrap_or(outlook.free_ms.saturating_add(needed_ms)).max(now_ms);
        outlook.ends_at = Some(order.dropoff.point);
        outlook.handovers.push((order.id, outlook.free_ms));
    }
    outlook
}

/// The time until an order is handed over, for a courier at `here` who does nothing else. In milliseconds.
pub fn time_needed_ms(here: LatLon, status: OrderStatus, pickup: LatLon, dropoff: LatLon, vehicle: Vehicle) -> i64 {
    let driving_ms = |metres: f64| metres / town_speed_mps(vehicle) * 1_000.0;
    let collect_ms = PICKUP_WAIT_MS + driving_ms(estimated_street_m(pickup, dropoff));
    let needed_ms = match status {
        OrderStatus::Created | OrderStatus::Assigned => driving_ms(estimated_street_m(here, pickup)) + collect_ms,
        OrderStatus::AtPickup => collect_ms,
        OrderStatus::PickedUp => driving_ms(estimated_street_m(here, dropoff)),
        // It goes back to the merchant or nowhere; no customer waits for it.
        _ => 0.0,
    };
    (needed_ms + HANDOVER_MS) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::visibility::tests::order;

    const NOW_MS: i64 = 1_795_219_200_000;

    fn ms_of(outlook: &Outlook) -> Vec<i64> {
        outlook.handovers.iter().map(|(_, at_ms)| *at_ms).collect()
    }

    #[test]
    fn orders_are_handed_over_one_after_the_other() {
        let open = [order(OrderStatus::PickedUp, 0), order(OrderStatus::Assigned, 1), order(OrderStatus::Assigned, 2)];
        let outlook = outlook(Some(open[0].pickup.point), &open, Vehicle::Scooter, None, NOW_MS);
        let times = ms_of(&outlook);
        assert!(NOW_MS < times[0] && times[0] < times[1] && times[1] < times[2], "{times:?}");
        assert_eq!((outlook.free_ms, outlook.ends_at), (times[2], Some(open[2].dropoff.point)));
        assert!(times[2] - times[1] > times[0] - NOW_MS, "the later ones are still to be collected");
    }

    #[test]
    fn a_better_estimate_of_the_first_moves_all_that_follow() {
        let open = [order(OrderStatus::PickedUp, 0), order(OrderStatus::Assigned, 1)];
        let guess = ms_of(&outlook(None, &open, Vehicle::Car, None, NOW_MS));
        let known = ms_of(&outlook(None, &open, Vehicle::Car, Some(NOW_MS + 3_600_000), NOW_MS));
        assert_eq!(known[0], NOW_MS + 3_600_000);
        assert_eq!(known[1] - known[0], guess[1] - guess[0]);
        let past = ms_of(&outlook(None, &open, Vehicle::Car, Some(NOW_MS - 1), NOW_MS));
        assert_eq!(past[0], NOW_MS, "never before now");
    }

    #[test]
    fn a_courier_without_orders_is_free_at_once() {
        let here = order(OrderStatus::Created, 0).pickup.point;
        let over = [order(OrderStatus::Delivered, 0), order(OrderStatus::Failed, 1)];
        for open in [&over[..], &[]] {
            let outlook = outlook(Some(here), open, Vehicle::Foot, None, NOW_MS);
            assert_eq!(outlook, Outlook { handovers: Vec::new(), ends_at: Some(here), free_ms: NOW_MS });
        }
    }
}
