//! What a finished leg teaches, from the fixes that are stored and the way that the router would have taken.
//!
//! Time that the courier spent standing for minutes is a break and not the street's fault; it is left out. A courier who
//! took another way than the router teaches too: the whole leg then counts as what the router's way takes.

use doorstep_shared::{LatLon, Vehicle, geo::distance::haversine_m};

use crate::{
    learned::{Observation, Seen},
    local_time::LocalTime,
    on_way::{OnWay, Reading},
    way::{StreetKind, Way},
};

/// Standing longer than this is a break, a queue at a ferry or a breakdown. In milliseconds.
const BREAK_MS: i64 = 180_000;

/// Within this many metres of where they stood they have not moved.
const STANDS_WITHIN_M: f64 = 30.0;

/// A gap in the fixes longer than this hides what happened; the stretch teaches nothing. In milliseconds.
const GAP_MS: i64 = 240_000;

/// A leg with less than this share of its fixes near the way was driven another way.
const ON_WAY_SHARE: f64 = 0.7;

/// A leg that took more than this many times the router's time was not only driven.
const MOST_FACTOR: f64 = 5.0;

/// A leg that is over.
#[derive(Debug)]
pub struct Leg<'a> {
    /// What the courier rode.
    pub vehicle: Vehicle,
    /// The way that the router takes.
    pub way: &'a Way,
    /// What the courier's device said meanwhile, in the order of time.
    pub readings: &'a [Reading],
    /// How many seconds clocks there are ahead of UTC.
    pub offset_s: i32,
}

/// What a leg teaches about its streets.
pub fn drives(leg: &Leg<'_>) -> Vec<Observation> {
    let (Some(first), Some(last)) = (leg.readings.first(), leg.readings.last()) else { return Vec::new() };
    let breaks = breaks(leg.readings);
    let stretches = stretches(leg, &breaks);
    let (mut routed_s, mut took_s) = (stretches.routed_s, stretches.took_s);
    if stretches.on_way_share < ON_WAY_SHARE {
        routed_s = leg.way.rest(0.0).seconds.0;
        let whole_s: f64 = routed_s.iter().sum();
        let resting_ms: i64 = breaks.iter().map(|(from_ms, to_ms)| to_ms - from_ms).sum();
        let all_s = (last.time_ms - first.time_ms - resting_ms) as f64 / 1_000.0;
        took_s = routed_s.map(|seconds| if whole_s > 0.0 { all_s * seconds / whole_s } else { 0.0 });
    }
    if took_s.iter().sum::<f64>() > MOST_FACTOR * routed_s.iter().sum::<f64>() {
        return Vec::new();
    }
    let local = LocalTime::new(first.time_ms, leg.offset_s);
    let seen = StreetKind::ALL.into_iter().zip(routed_s.into_iter().zip(took_s));
    let seen = seen.filter(|(_, (routed_s, took_s))| *routed_s >= 10.0 && *took_s > 0.0);
    let drives = seen.map(|(kind, (routed_s, took_s))| Observation {
        at_ms: last.time_ms,
        local,
        seen: Seen::Drive { vehicle: leg.vehicle, kind, routed_s, took_s },
    });
    drives.collect()
}

/// How long the courier was within reach of a door before `arrived_ms`, in seconds: parking, stairs and lift.
pub fn approach_s(door: LatLon, readings: &[Reading], arrived_ms: i64) -> Option<f64> {
    const BESIDE_M: f64 = 60.0;
    let before = readings.iter().rev().skip_while(|reading| reading.time_ms > arrived_ms);
    let beside = before.take_while(|reading| haversine_m(reading.at, door) <= BESIDE_M);
    let came_ms = beside.last()?.time_ms;
    Some((arrived_ms - came_ms) as f64 / 1_000.0)
}

#[derive(Default)]
struct Stretches {
    routed_s: [f64; 4],
    took_s: [f64; 4],
    on_way_share: f64,
}

fn stretches(leg: &Leg<'_>, breaks: &[(i64, i64)]) -> Stretches {
    let mut found = Stretches::default();
    let mut on_way = OnWay::default();
    let mut near = 0;
    let mut before: Option<(i64, f64)> = None;
    for reading in leg.readings {
        on_way.observe(leg.way, *reading);
        if on_way.is_off() {
            before = None;
            continue;
        }
        near += 1;
        let here = (reading.time_ms, on_way.along_m());
        let Some((from_ms, from_m)) = before.replace(here) else { continue };
        let took_ms = reading.time_ms - from_ms;
        let rests = breaks.iter().any(|(from, to)| *from < reading.time_ms && from_ms < *to);
        if took_ms <= GAP_MS && !rests {
            found.add(
                leg.way.between(from_m, here.1).0,
                took_ms as f64 / 1_000.0,
                leg.way.between(here.1, here.1 + 30.0).0,
            );
        }
    }
    found.on_way_share = f64::from(near) / leg.readings.len().max(1) as f64;
    found
}

impl Stretches {
    /// Standing at a light goes to the kind of street that lies ahead.
    fn add(&mut self, routed_s: [f64; 4], took_s: f64, ahead_s: [f64; 4]) {
        let shares = if routed_s.iter().sum::<f64>() > 0.0 { routed_s } else { ahead_s };
        let whole: f64 = shares.iter().sum();
        for kind in 0..routed_s.len() {
            self.routed_s[kind] += routed_s[kind];
            self.took_s[kind] += if whole > 0.0 { took_s * shares[kind] / whole } else { 0.0 };
        }
    }
}

/// From when to when the courier stood for minutes.
fn breaks(readings: &[Reading]) -> Vec<(i64, i64)> {
    let mut breaks = Vec::new();
    let Some(mut stood) = readings.first().copied() else { return breaks };
    let mut last_ms = stood.time_ms;
    for reading in readings {
        if haversine_m(stood.at, reading.at) > STANDS_WITHIN_M {
            if last_ms - stood.time_ms >= BREAK_MS {
                breaks.push((stood.time_ms, last_ms));
            }
            stood = *reading;
        }
        last_ms = reading.time_ms;
    }
    if last_ms - stood.time_ms >= BREAK_MS {
        breaks.push((stood.time_ms, last_ms));
    }
    breaks
}

#[cfg(test)]
mod tests {
    use doorstep_shared::geo::distance::destination;

    use super::*;
    use crate::way::tests::{start, turning};

    /// Fixes of a drive eastwards at `speed_mps`, with a break of `break_s` after 500 metres.
    fn drive(speed_mps: f64, break_s: i64) -> Vec<Reading> {
        let mut readings = Vec::new();
        let (mut second, mut metres) = (0, 0.0);
        let mut rests = break_s;
        while metres < 1_000.0 {
            readings.push(Reading {
                time_ms: second * 1_000,
                at: destination(start(), 90.0, metres),
                accuracy_m: Some(6.0),
                heading_deg: None,
                speed_mps: None,
            });
            second += 5;
            if metres >= 500.0 && rests > 0 {
                rests -= 5;
            } else {
                metres += 5.0 * speed_mps;
            }
        }
        readings
    }

    fn factor(readings: &[Reading], way: &Way) -> Option<f64> {
        match drives(&Leg { vehicle: Vehicle::Car, way, readings, offset_s: 0 })[..] {
            [Observation { seen: Seen::Drive { routed_s, took_s, .. }, .. }] => Some(took_s / routed_s),
            _ => None,
        }
    }

    #[test]
    fn a_break_of_minutes_is_left_out_and_a_minute_at_a_light_is_not() {
        let way = turning(&[90.0; 10]);
        for (break_s, expected) in [(0, 2.0), (60, 2.3), (1_800, 2.0)] {
            let factor = factor(&drive(2.5, break_s), &way).expect("a drive");
            assert!((factor - expected).abs() < 0.15, "{factor} with a break of {break_s} s");
        }
    }

    #[test]
    fn another_way_than_the_routers_counts_as_a_whole() {
        let way = turning(&[180.0, 180.0, 180.0, 90.0, 90.0]);
        let factor = factor(&drive(5.0, 0), &way).expect("a drive");
        assert!((factor - 1.95).abs() < 0.15, "200 s where the router takes 100: {factor}");
    }

    #[test]
    fn what_was_no_drive_teaches_nothing() {
        assert_eq!(drives(&Leg { vehicle: Vehicle::Car, way: &turning(&[90.0]), readings: &[], offset_s: 0 }), []);
        assert_eq!(factor(&drive(0.5, 0), &turning(&[90.0; 2])), None, "ten times the router's time");
    }

    #[test]
    fn the_approach_begins_beside_the_door() {
        let door = destination(start(), 90.0, 1_000.0);
        let readings = drive(5.0, 0);
        let last_ms = readings.last().expect("fixes").time_ms;
        let approach_s = approach_s(door, &readings, last_ms + 90_000).expect("they came near");
        assert!((95.0..110.0).contains(&approach_s), "{approach_s}");
        assert_eq!(super::approach_s(destination(start(), 0.0, 900.0), &readings, last_ms), None);
    }
}
