//! When each of a courier's open orders reaches its door, and when the courier is free again.
//!
//! Stops are made in the order of the courier's plan. Distances are a rule of thumb and not planned on the streets: a
//! list of thousands of orders must not plan thousands of routes. Where an estimate along the streets exists, as for the
//! order whose customer sees the courier, callers pass it in.

use doorstep_shared::{LatLon, OrderId, OrderStatus, Vehicle, protocol::courier::StopKind};

use crate::domain::{
    plan::StopAhead,
    track::{
        eta::{HANDOVER_MS, PICKUP_WAIT_MS, town_speed_mps},
        progress::estimated_street_m,
    },
};

/// The work ahead of a courier.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    /// When each open order should be handed over, Unix epoch milliseconds, in the order of the plan.
    pub handovers: Vec<(OrderId, i64)>,
    /// Where the last stop is; where the courier is when there is none.
    pub ends_at: Option<LatLon>,
    /// When they are free, Unix epoch milliseconds.
    pub free_ms: i64,
}

/// The work ahead of a courier who is at `here` and has these stops to make.
///
/// `better` is when one of the orders is handed over, where a better estimate exists.
pub fn outlook(
    here: Option<LatLon>,
    ahead: &[StopAhead],
    vehicle: Vehicle,
    better: Option<(OrderId, i64)>,
    now_ms: i64,
) -> Outlook {
    let mut outlook = Outlook { handovers: Vec::with_capacity(ahead.len()), ends_at: here, free_ms: now_ms };
    for StopAhead { stop, at, is_there, .. } in ahead {
        let start = outlook.ends_at.filter(|_| !is_there).unwrap_or(*at);
        let driving_ms = estimated_street_m(start, *at) / town_speed_mps(vehicle) * 1_000.0;
        let stay_ms = if stop.kind == StopKind::Dropoff { HANDOVER_MS } else { PICKUP_WAIT_MS };
        let done_ms = outlook.free_ms.saturating_add((driving_ms + stay_ms) as i64);
        let known = better.filter(|(order, _)| stop.kind == StopKind::Dropoff && *order == stop.order_id);
        outlook.free_ms = known.map_or(done_ms, |(_, at_ms)| at_ms.max(now_ms));
        outlook.ends_at = Some(*at);
        if stop.kind == StopKind::Dropoff {
            outlook.handovers.push((stop.order_id, outlook.free_ms));
        }
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
    use doorstep_shared::CourierId;

    use super::*;
    use crate::domain::{
        order::{Order, visibility::tests::order},
        plan::Planned,
    };

    const NOW_MS: i64 = 1_795_219_200_000;

    fn ms_of(outlook: &Outlook) -> Vec<i64> {
        outlook.handovers.iter().map(|(_, at_ms)| *at_ms).collect()
    }

    /// The stops of orders that are served one after the other.
    fn ahead(statuses: &[OrderStatus]) -> (Vec<Order>, Vec<StopAhead>) {
        let ana = CourierId::new();
        let of_ana = |(second, status): (i64, &OrderStatus)| Order { courier_id: Some(ana), ..order(*status, second) };
        let planned = Planned::new(ana, None, (0..).zip(statuses).map(of_ana).collect());
        (planned.open(), planned.ahead().to_vec())
    }

    #[test]
    fn orders_are_handed_over_one_after_the_other() {
        let (open, ahead) = ahead(&[OrderStatus::PickedUp, OrderStatus::Assigned, OrderStatus::Assigned]);
        let outlook = outlook(Some(open[0].pickup.point), &ahead, Vehicle::Scooter, None, NOW_MS);
        let times = ms_of(&outlook);
        assert!(NOW_MS < times[0] && times[0] < times[1] && times[1] < times[2], "{times:?}");
        assert_eq!((outlook.free_ms, outlook.ends_at), (times[2], Some(open[2].dropoff.point)));
        assert!(times[2] - times[1] > times[0] - NOW_MS, "the later ones are still to be collected");
    }

    #[test]
    fn a_better_estimate_of_the_first_moves_all_that_follow() {
        let (open, ahead) = ahead(&[OrderStatus::PickedUp, OrderStatus::Assigned]);
        let guess = ms_of(&outlook(None, &ahead, Vehicle::Car, None, NOW_MS));
        let known = |at_ms| ms_of(&outlook(None, &ahead, Vehicle::Car, Some((open[0].id, at_ms)), NOW_MS));
        let late = known(NOW_MS + 3_600_000);
        assert_eq!(late[0], NOW_MS + 3_600_000);
        assert_eq!(late[1] - late[0], guess[1] - guess[0]);
        assert_eq!(known(NOW_MS - 1)[0], NOW_MS, "never before now");
    }

    #[test]
    fn two_orders_of_one_kitchen_are_at_their_doors_sooner_than_one_after_the_other() {
        let (open, apart) = ahead(&[OrderStatus::Assigned, OrderStatus::Assigned]);
        let together = [apart[0], apart[2], apart[1], apart[3]];
        let times = |ahead: &[StopAhead]| ms_of(&outlook(None, ahead, Vehicle::Bicycle, None, NOW_MS));
        assert!(times(&together)[0] > times(&apart)[0], "the first waits for the second to be collected");
        assert!(times(&together)[1] < times(&apart)[1]);
        assert_eq!(open.len(), 2);
    }

    #[test]
    fn a_courier_without_orders_is_free_at_once() {
        let (_, over) = ahead(&[OrderStatus::Delivered, OrderStatus::Failed]);
        let here = order(OrderStatus::Created, 0).pickup.point;
        let outlook = outlook(Some(here), &over, Vehicle::Foot, None, NOW_MS);
        assert_eq!(outlook, Outlook { handovers: Vec::new(), ends_at: Some(here), free_ms: NOW_MS });
    }
}
