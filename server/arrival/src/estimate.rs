//! From what is known of a courier to the range that could be told now.
//!
//! Joins the floors of this crate: parts ahead, forecast, range, and the doubts that widen it and can be said. Server and
//! laboratory both come in here, so what is measured there is what customers read.

use doorstep_shared::Vehicle;

use crate::{
    follower::Follower,
    forecast::{Forecast, Part, forecast},
    learned::Learned,
    local_time::LocalTime,
    range::Calibration,
    score::Situation,
    told::{Fresh, Why},
};

/// Longer than a light and a parcel that slipped. In seconds.
const STANDING_S: f64 = 150.0;

/// Who stands this near to their stop, in the router's seconds, looks for a place to park or waits at the counter.
const AT_STOP_S: f64 = 40.0;

/// Phones report every 30 s at the slowest; three missing ones are silence. In seconds.
const SILENT_S: f64 = 95.0;

/// A new way is planned within seconds; who is off it for longer knows something that the map does not. In seconds.
const OFF_WAY_S: f64 = 25.0;

/// The goods are late when the wait is this many times what was expected, and at least this long. In seconds.
const WAITS_LONG: f64 = 1.5;
const WAITS_LONG_S: f64 = 300.0;

/// What an estimate is made from.
#[derive(Debug)]
pub struct Sight<'a> {
    /// What the courier rides.
    pub vehicle: Vehicle,
    /// The courier.
    pub follower: &'a Follower,
    /// What lies ahead of them until the door, in order.
    pub parts: &'a [Part],
    /// What is going on.
    pub situation: Situation,
    /// Counts up with everything that changes what lies ahead.
    pub chapter: u64,
    /// The courier is in the customer's street.
    pub is_near: bool,
}

/// What everybody's deliveries taught.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// How long things take.
    pub learned: Learned,
    /// How wrong that is.
    pub calibration: Calibration,
}

impl Knowledge {
    /// Works out what many estimates share. Call it after learning, and every minute or so.
    pub fn settle(&mut self, now_ms: i64) {
        self.learned.look_at_now(now_ms);
        self.calibration.settle();
    }

    /// The range that could be told now.
    pub fn fresh(&self, sight: &Sight<'_>, (local, now_ms): (LocalTime, i64)) -> Fresh {
        let parts = sight.parts.iter().copied();
        let mut forecast = forecast(parts, sight.vehicle, &self.learned, sight.follower.pace(), (local, now_ms));
        let why = self.doubt(sight, (local, now_ms));
        allow_for(&mut forecast, sight, why, now_ms);
        let range = self.calibration.range(&forecast, sight.situation);
        let Sight { situation, chapter, is_near, .. } = *sight;
        Fresh { range, forecast, situation, why, chapter, is_near }
    }

    fn doubt(&self, sight: &Sight<'_>, (local, now_ms): (LocalTime, i64)) -> Option<Why> {
        let drives = matches!(sight.parts.first(), Some(Part::Drive(seconds)) if seconds.total() > AT_STOP_S);
        if let Some(Part::Wait { place, waited_s }) = sight.parts.first() {
            let long_s = (self.learned.wait_s(*place, local, now_ms) * WAITS_LONG).max(WAITS_LONG_S);
            return (*waited_s > long_s).then_some(Why::WaitingAtPickup);
        }
        let follower = sight.follower;
        let doubts = [
            (follower.silent_s(now_ms) >= SILENT_S, Why::Silent),
            (drives && !sight.is_near && follower.still_s() >= STANDING_S, Why::Standing),
            (drives && follower.off_way_s() >= OFF_WAY_S, Why::OffWay),
        ];
        doubts.into_iter().find(|(holds, _)| *holds).map(|(_, why)| why)
    }
}

/// Ages a forecast to now, and widens it by what is in doubt.
fn allow_for(forecast: &mut Forecast, sight: &Sight<'_>, why: Option<Why>, now_ms: i64) {
    let silent_s = sight.follower.silent_s(now_ms);
    if matches!(sight.parts.first(), Some(Part::Drive(_))) && why != Some(Why::Standing) {
        // Nobody stops because they are not heard; but the longer, the less that is sure.
        forecast.expected_s = (forecast.expected_s - silent_s.min(600.0) * 0.9).max(forecast.expected_s * 0.25);
    }
    let doubt_s = match why {
        Some(Why::Silent) => 0.3 * silent_s.min(1_800.0),
        Some(Why::Standing) => 0.4 * sight.follower.still_s().min(1_800.0),
        Some(Why::OffWay) => 45.0 + 0.2 * sight.follower.off_way_s().min(1_800.0),
        Some(Why::WaitingAtPickup) | None => 0.0,
    };
    if why == Some(Why::Standing) {
        // Who stood for long will stand for longer.
        forecast.expected_s += 0.35 * sight.follower.still_s().min(1_800.0);
    }
    forecast.scale_s = forecast.scale_s.hypot(doubt_s);
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{LatLon, geo::distance::destination};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        learned::PlaceKey,
        on_way::Reading,
        way::{
            Seconds,
            tests::{start, turning},
        },
    };

    const NOW_MS: i64 = 1_795_818_600_000;

    fn reading(ago_s: i64, at: LatLon) -> Reading {
        Reading { time_ms: NOW_MS - ago_s * 1_000, at, accuracy_m: Some(5.0), heading_deg: None, speed_mps: None }
    }

    fn fresh(follower: &Follower, part: Part) -> Fresh {
        let sight = Sight {
            vehicle: Vehicle::Scooter,
            follower,
            parts: &[part],
            situation: Situation::Direct,
            chapter: 0,
            is_near: false,
        };
        Knowledge::default().fresh(&sight, (LocalTime::new(NOW_MS, 0), NOW_MS))
    }

    fn drive() -> Part {
        Part::Drive(Seconds([0.0, 0.0, 600.0, 0.0]))
    }

    fn width_s(fresh: &Fresh) -> f64 {
        fresh.range.latest_s - fresh.range.earliest_s
    }

    fn following(seen: impl IntoIterator<Item = (i64, LatLon)>) -> Follower {
        let way = turning(&[90.0; 10]);
        let mut follower = Follower::default();
        seen.into_iter().for_each(|(ago_s, at)| follower.observe(&way, reading(ago_s, at), &[1.0; 4]));
        follower
    }

    #[test]
    fn a_courier_who_stands_is_silent_or_left_the_way_widens_the_range_and_it_says_why() {
        let moving = following((0..30).map(|s| (29 - s, destination(start(), 90.0, 5.0 * s as f64))));
        let usual = fresh(&moving, drive());
        assert_eq!(usual.why, None);
        let standing = following((0..40).map(|s| ((39 - s) * 10, start())));
        let silent = following([(400, start())]);
        let away =
            following([(60, start()), (40, destination(start(), 0.0, 400.0)), (0, destination(start(), 0.0, 500.0))]);
        for (follower, why) in [(standing, Why::Standing), (silent, Why::Silent), (away, Why::OffWay)] {
            let doubtful = fresh(&follower, drive());
            assert_eq!(doubtful.why, Some(why));
            assert!(width_s(&doubtful) > width_s(&usual) * 1.1, "{why:?}: {doubtful:?}");
        }
    }

    #[test]
    fn a_long_wait_at_the_pickup_is_said() {
        let here = following([(0, start())]);
        let wait = |waited_s| fresh(&here, Part::Wait { place: PlaceKey::of(start()), waited_s }).why;
        assert_eq!((wait(100.0), wait(700.0)), (None, Some(Why::WaitingAtPickup)));
    }

    proptest! {
        #[test]
        fn a_range_is_in_order_and_ahead_whatever_happened(
            seen in prop::collection::vec((0i64..5_000, 0.0f64..360.0, 0.0f64..3_000.0), 0..20), seconds in 0.0f64..1e5,
        ) {
            let follower = following(seen.into_iter().map(|(ago_s, bearing, m)| (ago_s, destination(start(), bearing, m))));
            let Fresh { range, forecast: Forecast { scale_s, .. }, .. } = fresh(&follower, Part::Drive(Seconds([0.0, 0.0, 0.0, seconds])));
            prop_assert!(0.0 <= range.earliest_s && range.earliest_s <= range.expected_s);
            prop_assert!(range.expected_s < range.latest_s && scale_s > 0.0 && range.latest_s.is_finite());
        }
    }
}
