//! When a courier gets to each of their stops, pure.
//!
//! The rules are those of [`super::eta`], whose estimate the next customer sees: averages of the vehicle, time spent at
//! each stop, and a range that grows with everything that comes before. For a stop that both estimate, the customer's
//! range is taken as it is.

use doorstep_shared::{Vehicle, protocol::courier::StopKind};

use super::eta::{HANDOVER_MS, PICKUP_WAIT_MS, Window, town_speed_mps, window};

/// From the bell back to the vehicle: handing over, proving it, going back down. With [`HANDOVER_MS`] that makes
/// the four minutes at the customer's that Grubhub's published delivery instances reckon with, as they do at the
/// restaurant.
const LEAVE_DOOR_MS: f64 = 3.0 * 60_000.0;

/// A stop ahead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// Collect or hand over.
    pub kind: StopKind,
    /// Metres to drive from the stop before, or from the courier for the first.
    pub leg_m: f64,
    /// The range that the customer has, if they have one.
    pub customer_range: Option<Window>,
    /// How long the hand-over takes, in seconds, where the order says so.
    pub service_s: Option<u32>,
}

/// How long a courier stays at a stop, in milliseconds. `service_s` is what the order says of its hand-over.
pub fn stay_ms(kind: StopKind, service_s: Option<u32>) -> f64 {
    match (kind, service_s) {
        (StopKind::Pickup | StopKind::Return, _) => PICKUP_WAIT_MS,
        (StopKind::Dropoff, None) => HANDOVER_MS + LEAVE_DOOR_MS,
        (StopKind::Dropoff, Some(service_s)) => f64::from(service_s) * 1_000.0,
    }
}

/// When a courier is at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Hardly before and hardly after.
    pub window: Window,
    /// The likeliest time, Unix epoch milliseconds; within the window.
    pub expected_ms: i64,
    /// When they go on, Unix epoch milliseconds.
    pub leaves_ms: i64,
}

/// When the courier is at each stop, in the same order; setting off at `now_ms`, Unix epoch milliseconds.
pub fn arrivals(visits: &[Visit], vehicle: Vehicle, now_ms: i64) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = Vec::with_capacity(visits.len());
    let mut free_after_ms = 0.0;
    for visit in visits {
        let driven_ms = free_after_ms + visit.leg_m / town_speed_mps(vehicle) * 1_000.0;
        let there_ms = match visit.kind {
            StopKind::Pickup | StopKind::Return => driven_ms,
            StopKind::Dropoff => driven_ms + HANDOVER_MS,
        };
        free_after_ms = there_ms.max(driven_ms + stay_ms(visit.kind, visit.service_s));
        let own = visit.customer_range.unwrap_or_else(|| window(there_ms, now_ms));
        // No courier is at a stop before they were at the one before it, whatever the customer's range says.
        let before = arrivals.last().map(|before| before.window);
        let window = Window {
            earliest_ms: before.map_or(own.earliest_ms, |before| own.earliest_ms.max(before.earliest_ms)),
            latest_ms: before.map_or(own.latest_ms, |before| own.latest_ms.max(before.latest_ms)),
        };
        let expected_ms = now_ms.saturating_add(there_ms as i64).clamp(window.earliest_ms, window.latest_ms);
        let leaves_ms = now_ms.saturating_add(free_after_ms as i64);
        arrivals.push(Arrival { window, expected_ms, leaves_ms });
    }
    arrivals
}

/// The windows alone.
#[cfg(test)]
fn windows(visits: &[Visit], vehicle: Vehicle, now_ms: i64) -> Vec<Window> {
    arrivals(visits, vehicle, now_ms).into_iter().map(|arrival| arrival.window).collect()
}

#[cfg(test)]
mod tests {
    use doorstep_shared::OrderStatus;
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::domain::track::eta::{self, Journey};

    fn visit(kind: StopKind, leg_m: f64) -> Visit {
        Visit { kind, leg_m, customer_range: None, service_s: None }
    }

    #[test]
    fn the_next_door_has_the_customers_range() {
        let journey = Journey {
            status: OrderStatus::PickedUp,
            vehicle: Vehicle::Bicycle,
            to_next_m: 1_500.0,
            next_to_door_m: 0.0,
            between_ms: 0.0,
        };
        let eta = eta::estimate(&journey, 1_000).expect("on its way");
        let windows = windows(&[visit(StopKind::Dropoff, 1_500.0)], Vehicle::Bicycle, 1_000);
        assert_eq!(windows, [Window { earliest_ms: eta.earliest_ms, latest_ms: eta.latest_ms }]);
    }

    #[test]
    fn before_the_pickup_it_has_too() {
        let journey = Journey {
            status: OrderStatus::Assigned,
            vehicle: Vehicle::Scooter,
            to_next_m: 700.0,
            next_to_door_m: 1_900.0,
            between_ms: 0.0,
        };
        let eta = eta::estimate(&journey, 0).expect("on its way");
        let visits = [visit(StopKind::Pickup, 700.0), visit(StopKind::Dropoff, 1_900.0)];
        let door = windows(&visits, Vehicle::Scooter, 0)[1];
        assert_eq!(door, Window { earliest_ms: eta.earliest_ms, latest_ms: eta.latest_ms });
    }

    #[test]
    fn the_courier_reads_the_range_that_the_customer_has() {
        let customer_range = Some(Window { earliest_ms: 111_000, latest_ms: 999_000 });
        let visits = [Visit { customer_range, ..visit(StopKind::Dropoff, 500.0) }, visit(StopKind::Pickup, 100.0)];
        let windows = windows(&visits, Vehicle::Car, 0);
        assert_eq!(windows.first().copied(), customer_range);
        assert!(windows[1].latest_ms >= 999_000);
    }

    proptest! {
        #[test]
        fn ranges_follow_each_other_and_grow(
            legs in prop::collection::vec((any::<bool>(), 0.0f64..20_000.0), 1..20), vehicle in select(Vehicle::ALL.to_vec()),
        ) {
            let kind = |is_pickup| if is_pickup { StopKind::Pickup } else { StopKind::Dropoff };
            let visits: Vec<_> = legs.into_iter().map(|(is_pickup, leg_m)| visit(kind(is_pickup), leg_m)).collect();
            let windows = windows(&visits, vehicle, 0);
            for window in &windows {
                prop_assert!(0 <= window.earliest_ms && window.earliest_ms < window.latest_ms);
            }
            for pair in windows.windows(2) {
                prop_assert!(pair[0].earliest_ms <= pair[1].earliest_ms && pair[0].latest_ms < pair[1].latest_ms);
                let width = |window: &Window| window.latest_ms - window.earliest_ms;
                prop_assert!(width(&pair[0]) <= width(&pair[1]) + 1, "who knows more about what is farther away?");
            }
        }
    }
}
