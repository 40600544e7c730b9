//! What the couriers of a load test report: rides on real streets, so that no server's filter objects.

use std::time::Duration;

use anyhow::{Context, Result};
use doorstep_shared::{LatLon, RawFix, Vehicle};
use rand::rngs::StdRng;

use crate::{
    driving::{Drive, Receiver, Rider, Truth},
    random::generator,
    streets::{Quarter, Streets},
};

/// The rides of all couriers.
pub(crate) struct Riders {
    quarter: Quarter,
    rides: Vec<Ride>,
}

struct Ride {
    mark_m: f32,
    rider: Rider,
    drive: Drive,
    receiver: Receiver,
    random: StdRng,
}

/// Each courier's fixes carry an accuracy of their own: it tells whose position a customer was shown.
pub(super) fn mark_m(courier: usize) -> f32 {
    3.0 + courier as f32 / 1_024.0
}

impl Riders {
    /// Plans a ride for each of `couriers`. Takes about a millisecond each.
    ///
    /// # Errors
    /// Never with the streets we ship.
    pub(crate) fn new(couriers: usize, seed: u64) -> Result<Self> {
        let centre = LatLon::try_new(35.9000, 14.4900)?;
        let quarter = Quarter::around(Streets::built_in(), centre, 5_000.0);
        let rides = (0..couriers).map(|courier| Ride::new(&quarter, courier, seed)).collect::<Result<_>>()?;
        Ok(Self { quarter, rides })
    }

    /// The readings of `courier` at `times_ms`, after riding on for `elapsed`.
    pub(crate) fn fixes(
        &mut self,
        courier: usize,
        elapsed: Duration,
        times_ms: impl Iterator<Item = i64>,
    ) -> Vec<RawFix> {
        let ride = &mut self.rides[courier];
        ride.go_on(&self.quarter, elapsed);
        let truth = ride.drive.truth();
        times_ms.map(|time_ms| ride.read(&truth, time_ms)).collect()
    }
}

impl Ride {
    fn new(quarter: &Quarter, courier: usize, seed: u64) -> Result<Self> {
        let mut random = generator(seed, courier as u64);
        let rider = Rider::new(Vehicle::Scooter, &mut random);
        let start = quarter.any_door(&mut random).point;
        let drive = plan(quarter, start, rider, &mut random).context("a door without streets")?;
        let receiver = Receiver::new(generator(seed, courier as u64 + (1 << 33)));
        Ok(Self { mark_m: mark_m(courier), rider, drive, receiver, random })
    }

    fn go_on(&mut self, quarter: &Quarter, elapsed: Duration) {
        self.drive.advance(elapsed);
        if self.drive.has_arrived() {
            let here = self.drive.truth().point;
            if let Some(drive) = plan(quarter, here, self.rider, &mut self.random) {
                self.drive = drive;
            }
        }
    }

    fn read(&mut self, truth: &Truth, time_ms: i64) -> RawFix {
        RawFix { accuracy_m: Some(self.mark_m), ..self.receiver.read(truth, time_ms) }
    }
}

fn plan(quarter: &Quarter, from: LatLon, rider: Rider, random: &mut StdRng) -> Option<Drive> {
    let to = quarter.any_door(random).point;
    let roads = Streets::built_in().roads();
    let route = roads.route(from, to, rider.vehicle)?;
    Some(Drive::new(roads, &route, rider, random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_and_marks_tell_couriers_apart() {
        let mut riders = Riders::new(3, 1).expect("rides");
        let mut seen = Vec::new();
        for courier in 0..3 {
            let fixes = riders.fixes(courier, Duration::from_secs(1), [100, 200, 300].into_iter());
            assert_eq!(fixes.iter().map(|fix| fix.time_ms).collect::<Vec<_>>(), [100, 200, 300]);
            seen.push(fixes[0].accuracy_m);
        }
        assert_eq!(seen, [Some(mark_m(0)), Some(mark_m(1)), Some(mark_m(2))]);
        // Exact in an f32 and below the 200 m from which a server may doubt a fix.
        assert!(mark_m(20_000) < 200.0 && mark_m(20_000) - mark_m(19_999) == 1.0 / 1_024.0);
    }
}
