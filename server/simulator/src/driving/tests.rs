//! What riding must look like to be believed, on random trips through the built-in area.

use std::{collections::BTreeSet, time::Duration};

use doorstep_area::roads::{RoadNetwork, Route};
use doorstep_shared::{
    LatLon, RawFix, Vehicle,
    geo::{distance::haversine_m, motion::implied_speed_mps, polyline},
};
use proptest::{prelude::*, sample::select};

use super::*;
use crate::{random::generator, streets::Streets};

const TICK: Duration = Duration::from_millis(1_000);

fn roads() -> &'static RoadNetwork {
    Streets::built_in().roads()
}

struct Trip {
    route: Route,
    rider: Rider,
    drive: Drive,
}

fn trip(from: (f64, f64), to: (f64, f64), vehicle: Vehicle, seed: u64) -> Option<Trip> {
    let at = |(lat, lon)| LatLon::try_new(lat, lon).expect("on earth");
    let mut random = generator(seed, 0);
    let route = roads().route(at(from), at(to), vehicle)?;
    let rider = Rider::new(vehicle, &mut random);
    let drive = Drive::new(roads(), &route, rider, &mut random);
    Some(Trip { route, rider, drive })
}

fn any_place() -> impl Strategy<Value = (f64, f64)> {
    (35.84..35.94_f64, 14.40..14.54_f64)
}

fn any_vehicle() -> impl Strategy<Value = Vehicle> {
    select(Vehicle::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nobody_rides_faster_than_the_street_allows_or_jumps(
        from in any_place(), to in any_place(), vehicle in any_vehicle(), seed: u64,
    ) {
        let Some(Trip { route, rider, mut drive }) = trip(from, to, vehicle, seed) else { return Ok(()) };
        let highest_kmh = route.steps.iter().map(|step| step.limit_kmh).max().expect("a route has steps");
        let mut before = drive.truth();
        let mut elapsed_s = 0.0;
        while !drive.has_arrived() {
            drive.advance(TICK);
            elapsed_s += 1.0;
            let now = drive.truth();
            let snap = roads().nearest(now.point).expect("riders stay on streets");
            // Less than a pavement's width: on foot 1.7 m were seen once in some hundred trips.
            prop_assert!(snap.distance_m < 3.0, "{} m beside every street", snap.distance_m);
            let covered_mps = haversine_m(before.point, now.point);
            prop_assert!(covered_mps <= 1.3 * f64::from(highest_kmh.max(11)) / 3.6, "{covered_mps} m/s");
            prop_assert!(covered_mps <= 1.05 * rider.free_speed_mps(highest_kmh) + 0.1, "{covered_mps} m/s");
            let gained_mps = now.speed_mps - before.speed_mps;
            prop_assert!(gained_mps <= rider.acceleration_mps2 + 0.01, "gained {gained_mps} m/s in a second");
            before = now;
            prop_assert!(elapsed_s < 8.0 * route.duration_s + 300.0, "never arrives; {} m to go", drive.remaining_m());
        }
        let end = route.line[route.line.len() - 1];
        prop_assert!(haversine_m(before.point, end) < 1.0, "arrives at the end of the route");
        drive.advance(TICK);
        prop_assert_eq!(drive.truth().speed_mps, 0.0, "and stands there");
        // The server's estimate is made of route.duration_s: it has to be about right for these riders.
        if route.duration_s > 120.0 {
            let ratio = elapsed_s / route.duration_s;
            prop_assert!((0.6..1.7).contains(&ratio), "took {elapsed_s} s, estimated {} s", route.duration_s);
        }
    }

    #[test]
    fn readings_stay_near_the_truth_and_their_time_only_advances(
        from in any_place(), to in any_place(), vehicle in any_vehicle(), seed: u64,
    ) {
        let Some(Trip { mut drive, .. }) = trip(from, to, vehicle, seed) else { return Ok(()) };
        let mut receiver = Receiver::new(generator(seed, 1));
        let (mut last_ms, mut above_ground_s) = (0, 10);
        for tick in 0..200 {
            drive.advance(TICK);
            let truth = drive.truth();
            // A clock that stands still or goes back must not make a fix collide with another.
            let fix = receiver.read(&truth, if tick % 10 == 9 { 1_000_000 } else { 1_000_000 + tick * 1_000 });
            prop_assert!(fix.time_ms > last_ms, "{} after {last_ms}", fix.time_ms);
            last_ms = fix.time_ms;
            let accuracy_m = f64::from(fix.accuracy_m.expect("a phone knows its accuracy"));
            above_ground_s = if truth.in_tunnel { 0 } else { above_ground_s + 1 };
            let highest_m = if above_ground_s > 6 { 8.0 } else { 28.0 };
            prop_assert!((3.0..=highest_m).contains(&accuracy_m), "{accuracy_m} m");
            let checked = doorstep_shared::Fix::try_new(&fix).expect("a phone sends usable readings");
            let error_m = haversine_m(checked.point(), truth.point);
            prop_assert!(error_m <= WORST_ERROR_PER_ACCURACY * accuracy_m + 0.3, "{error_m} m off at {accuracy_m} m");
            prop_assert_eq!(checked.to_raw(), fix, "and nothing of them has to be corrected");
        }
    }

    #[test]
    fn the_network_loses_nothing(seed: u64, readings in 1..2_000_usize) {
        let mut uplink = Uplink::new(Weather { gap: 0.02, burst: 0.05, duplicate: 0.05, straggler: 0.05, ..Weather::TOWN }, generator(seed, 0));
        let mut sent = BTreeSet::new();
        for n in 0..readings {
            let fix = RawFix { time_ms: n as i64 * 1_000, ..RawFix::default() };
            let sending = uplink.take(fix, false);
            sent.extend(sending.messages.iter().flatten().map(|fix| fix.time_ms));
            prop_assert!(sending.messages.iter().all(|message| !message.is_empty()));
        }
        sent.extend(uplink.rest().iter().map(|fix| fix.time_ms));
        prop_assert_eq!(sent.len(), readings);
    }
}

#[test]
fn two_rides_with_one_seed_are_the_same_ride() {
    let ride = || {
        let mut trip = trip((35.9180, 14.4890), (35.9050, 14.4930), Vehicle::Scooter, 7).expect("a way exists");
        let mut receiver = Receiver::new(generator(7, 1));
        (0..300)
            .map(|tick| {
                trip.drive.advance(TICK);
                receiver.read(&trip.drive.truth(), tick * 1_000)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(ride(), ride());
}

#[test]
fn an_ordinary_ride_has_stops_and_slow_bends_but_moves_along() {
    let mut trip = trip((35.9180, 14.4890), (35.8960, 14.4920), Vehicle::Scooter, 3).expect("a way exists");
    let mut readings = Vec::new();
    let mut receiver = Receiver::new(generator(3, 1));
    let mut second = 0;
    while !trip.drive.has_arrived() {
        trip.drive.advance(TICK);
        second += 1;
        readings.push(receiver.read(&trip.drive.truth(), second * 1_000));
    }
    let minutes = readings.len() as f64 / 60.0;
    assert!((2.0..12.0).contains(&minutes), "{minutes} minutes for {} m", trip.route.length_m);
    let standing = readings.iter().filter(|fix| fix.speed_mps == Some(0.0)).count();
    assert!(standing > 2 && standing < readings.len() / 2, "{standing} of {} readings standing", readings.len());
    let point = |fix: &RawFix| LatLon::try_new(fix.lat, fix.lon).expect("on earth");
    for pair in readings.windows(2) {
        let speed_mps = implied_speed_mps(point(&pair[0]), pair[0].time_ms, point(&pair[1]), pair[1].time_ms);
        assert!(speed_mps < 30.0, "readings jump at {speed_mps} m/s");
    }
    let drawn_m = polyline::length_m(&readings.iter().map(point).collect::<Vec<_>>());
    assert!(drawn_m < 1.6 * trip.route.length_m, "noise makes {drawn_m} m of {} m", trip.route.length_m);
}

#[test]
fn a_tunnel_is_a_dead_zone_from_end_to_end() {
    let mut uplink = Uplink::new(Weather::FAIR, generator(1, 0));
    let reachable: Vec<bool> = (0..6)
        .map(|n| uplink.take(RawFix { time_ms: n * 1_000, ..RawFix::default() }, (2..4).contains(&n)).reachable)
        .collect();
    assert_eq!(reachable, [true, true, false, false, true, true]);
}
