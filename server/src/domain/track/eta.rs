//! A first arrival estimate, as a range that admits what cannot be known.
//!
//! Pure: the caller measures the distance. The range grows with the distance, its late end more than its early one.
//! [`crate::service::arrival`] estimates with it for customers, and [`super::tour`] for the courier's later stops.

use doorstep_shared::{OrderStatus, Vehicle, protocol::customer::Eta};

/// Time a courier spends at the pickup before the goods are in the bag.
pub const PICKUP_WAIT_MS: f64 = 4.0 * 60_000.0;

/// Parking, the stairs and the bell.
pub const HANDOVER_MS: f64 = 60_000.0;

/// The range around the estimate: traffic makes trips longer more often than shorter.
const EARLY_FACTOR: f64 = 0.85;
const LATE_FACTOR: f64 = 1.30;

/// No range is narrower than this; couriers could not keep a narrower one.
const MIN_SPREAD_MS: f64 = 4.0 * 60_000.0;

/// A new estimate is sent when an end of the range moved this far.
const WORTH_SENDING_MS: u64 = 45_000;

/// Or when the remaining distance shrank by this much.
const WORTH_SENDING_M: u32 = 75;

/// What an estimate depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Journey {
    /// The order's status.
    pub status: OrderStatus,
    /// What the courier rides.
    pub vehicle: Vehicle,
    /// Metres to the next waypoint: first the pickup, then the door.
    pub to_next_m: f64,
    /// Metres from there to the door, through the stops in between.
    pub next_to_door_m: f64,
    /// What the courier spends at the stops in between, in milliseconds.
    pub between_ms: f64,
}

/// Average door-to-door speed in town, metres per second, turns and lights included.
/// Cyclists and scooters from published courier averages (14–16 and 20–24 km/h), cars and vans slower in
/// narrow streets than outside.
pub const fn town_speed_mps(vehicle: Vehicle) -> f64 {
    match vehicle {
        Vehicle::Foot => 1.3,
        Vehicle::Bicycle => 4.2,
        Vehicle::Scooter => 6.4,
        Vehicle::Motorcycle => 7.0,
        Vehicle::Car => 6.4,
        Vehicle::Van => 5.6,
    }
}

/// When the courier will be at the door; `None` when the order is not on its way.
pub fn estimate(journey: &Journey, now_ms: i64) -> Option<Eta> {
    let speed_mps = town_speed_mps(journey.vehicle);
    let driving_ms = |metres: f64| metres / speed_mps * 1_000.0;
    let (expected_ms, remaining_m) = match journey.status {
        OrderStatus::Assigned | OrderStatus::AtPickup => {
            let remaining_m = journey.to_next_m + journey.next_to_door_m;
            (driving_ms(remaining_m) + PICKUP_WAIT_MS + journey.between_ms + HANDOVER_MS, remaining_m)
        }
        OrderStatus::PickedUp => (driving_ms(journey.to_next_m) + HANDOVER_MS, journey.to_next_m),
        OrderStatus::AtDropoff => (HANDOVER_MS, journey.to_next_m),
        _ => return None,
    };
    let Window { earliest_ms, latest_ms } = window(expected_ms, now_ms);
    Some(Eta {
        earliest_ms,
        latest_ms,
        computed_at_ms: now_ms,
        remaining_m: remaining_m.round().clamp(0.0, f64::from(u32::MAX)) as u32,
        expected_ms: Some(now_ms.saturating_add(expected_ms as i64)),
        coverage: None,
        why: None,
    })
}

/// The earliest and the latest arrival, Unix epoch milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Hardly before this.
    pub earliest_ms: i64,
    /// Hardly after this.
    pub latest_ms: i64,
}

/// The range around an event expected `expected_ms` from now: the farther away, the wider.
pub fn window(expected_ms: f64, now_ms: i64) -> Window {
    let earliest_ms = expected_ms * EARLY_FACTOR;
    let latest_ms = (expected_ms * LATE_FACTOR).max(earliest_ms + MIN_SPREAD_MS);
    Window {
        earliest_ms: now_ms.saturating_add(earliest_ms as i64),
        latest_ms: now_ms.saturating_add(latest_ms as i64),
    }
}

/// Whether `new` differs enough from the estimate that viewers have.
pub fn worth_sending(sent: Option<&Eta>, new: &Eta) -> bool {
    sent.is_none_or(|sent| {
        sent.earliest_ms.abs_diff(new.earliest_ms) >= WORTH_SENDING_MS
            || sent.latest_ms.abs_diff(new.latest_ms) >= WORTH_SENDING_MS
            || sent.remaining_m.abs_diff(new.remaining_m) >= WORTH_SENDING_M
    })
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    fn journey(status: OrderStatus, to_next_m: f64) -> Journey {
        Journey { status, vehicle: Vehicle::Scooter, to_next_m, next_to_door_m: 1_000.0, between_ms: 0.0 }
    }

    #[test]
    fn a_scooter_needs_a_few_minutes_for_two_kilometres() {
        let eta = estimate(&journey(OrderStatus::PickedUp, 2_000.0), 0).expect("on its way");
        assert!((4 * 60_000..6 * 60_000).contains(&eta.earliest_ms), "{eta:?}");
        assert!((7 * 60_000..10 * 60_000).contains(&eta.latest_ms), "{eta:?}");
        assert_eq!(eta.remaining_m, 2_000);
    }

    #[test]
    fn before_the_pickup_the_whole_way_counts() {
        let before = estimate(&journey(OrderStatus::Assigned, 500.0), 0).expect("on its way");
        let after = estimate(&journey(OrderStatus::PickedUp, 1_000.0), 0).expect("on its way");
        assert_eq!(before.remaining_m, 1_500);
        assert!(before.earliest_ms > after.earliest_ms);
    }

    #[test]
    fn small_changes_are_kept_quiet() {
        let sent = estimate(&journey(OrderStatus::PickedUp, 2_000.0), 0).expect("on its way");
        let close = estimate(&journey(OrderStatus::PickedUp, 1_990.0), 2_000).expect("on its way");
        let nearer = estimate(&journey(OrderStatus::PickedUp, 1_900.0), 15_000).expect("on its way");
        assert!(!worth_sending(Some(&sent), &close));
        assert!(worth_sending(Some(&sent), &nearer));
        assert!(worth_sending(None, &sent));
    }

    proptest! {
        #[test]
        fn the_range_is_in_order_and_ahead(
            status in select(OrderStatus::ALL.to_vec()), vehicle in select(Vehicle::ALL.to_vec()),
            to_next_m in 0.0f64..1e6, next_to_door_m in 0.0f64..1e6, now_ms in 0i64..4_000_000_000_000,
        ) {
            let journey = Journey { status, vehicle, to_next_m, next_to_door_m, between_ms: 0.0 };
            let eta = estimate(&journey, now_ms);
            prop_assert_eq!(eta.is_some(), status.is_active());
            if let Some(eta) = eta {
                prop_assert!(now_ms < eta.earliest_ms && eta.earliest_ms < eta.latest_ms);
                prop_assert!(eta.latest_ms - eta.earliest_ms >= MIN_SPREAD_MS as i64 - 1);
            }
        }
    }
}
