//! A leg on a street that is invented, and a courier who drives it.

use super::chance::Chance;
use super::world::World;
use doorstep_arrival::on_way::Reading;
use doorstep_arrival::way::{StreetKind, Way};
use doorstep_shared::geo::distance::{bearing_deg, destination, haversine_m};
use doorstep_shared::{LatLon, Vehicle};

/// The router's speed on each kind of street, metres per second, and what a junction costs it, for a vehicle.
fn routed(vehicle: Vehicle, kind: StreetKind) -> (f64, f64) {
    let speeds = match vehicle {
        Vehicle::Foot => [1.35, 1.35, 1.35],
        Vehicle::Bicycle => [4.7, 4.7, 4.5],
        Vehicle::Scooter | Vehicle::Motorcycle => [9.5, 9.5, 6.8],
        Vehicle::Car => [17.0, 10.5, 6.6],
        Vehicle::Van => [15.5, 9.8, 6.2],
    };
    (speeds[(kind as usize).min(2)], if vehicle == Vehicle::Bicycle { 1.2 } else { 2.8 })
}

/// A way of about `metres` in some direction: small streets at both ends, larger ones between them.
pub(super) fn invent(from: LatLon, metres: f64, vehicle: Vehicle, chance: &mut Chance) -> Way {
    let base_deg = chance.between(0.0, 360.0);
    let has_motorway = metres > 4_000.0 && matches!(vehicle, Vehicle::Car | Vehicle::Van) && chance.happens(0.7);
    let (mut line, mut segments, mut along_m) = (vec![from], Vec::new(), 0.0);
    while along_m < metres {
        let share = along_m / metres;
        let is_inner = (0.18..0.85).contains(&share);
        let kind = match (is_inner, has_motorway) {
            (true, true) if (0.3..0.7).contains(&share) => StreetKind::Fast,
            (true, _) => StreetKind::Main,
            (false, _) => StreetKind::Side,
        };
        let length_m = chance.between(50.0, if is_inner { 300.0 } else { 140.0 }).min(metres - along_m + 1.0);
        let turn_deg = base_deg + chance.normal() * if is_inner { 25.0 } else { 50.0 };
        line.push(destination(line[line.len() - 1], turn_deg.rem_euclid(360.0), length_m));
        let (speed_mps, junction_s) = routed(vehicle, kind);
        segments.push((length_m / speed_mps + if chance.happens(0.6) { junction_s } else { 0.0 }, kind));
        along_m += length_m;
    }
    Way::new(line[line.len() - 1], line, segments, routed(vehicle, StreetKind::Side).0)
}

/// A drive as it really was.
pub(super) struct Drive {
    /// The ways that were planned, each with the moment from which it held.
    pub(super) ways: Vec<(i64, Way)>,
    /// Where the courier was when.
    path: Vec<(i64, LatLon)>,
}

/// Drives along `way` from `from_ms` on.
pub(super) fn along(way: Way, courier: usize, from_ms: i64, world: &World, chance: &mut Chance) -> Drive {
    let vehicle = world.couriers[courier].vehicle;
    let mut drive = Drive { path: vec![(from_ms, way.line()[0])], ways: vec![(from_ms, way.clone())] };
    let luck = chance.factor(0.07);
    let closed_at = chance.happens(0.03).then(|| way.length_m() * chance.between(0.2, 0.7));
    let broke_at = chance.happens(0.012).then(|| way.length_m() * chance.between(0.1, 0.9));
    drive.follow(&way, (0.0, closed_at.unwrap_or(f64::INFINITY), broke_at), (courier, luck), world, chance);
    if let Some(closed_m) = closed_at {
        // They turn off, and a new way is planned some seconds later from where they are then.
        let turned = invent(drive.end(), chance.between(150.0, 300.0), vehicle, chance);
        drive.follow(&turned, (0.0, f64::INFINITY, None), (courier, luck), world, chance);
        let around = invent(drive.end(), way.length_m() - closed_m + chance.between(200.0, 1_500.0), vehicle, chance);
        drive.ways.push((drive.ended_ms(), around.clone()));
        drive.follow(&around, (0.0, f64::INFINITY, None), (courier, luck), world, chance);
    }
    drive
}

impl Drive {
    fn follow(
        &mut self,
        way: &Way,
        (from_m, to_m, broke_at): (f64, f64, Option<f64>),
        (courier, luck): (usize, f64),
        world: &World,
        chance: &mut Chance,
    ) {
        let mut at_ms = self.ended_ms();
        for (pair, metres) in way.line().windows(2).zip(way.along_m().windows(2)) {
            if metres[0] < from_m || metres[0] >= to_m {
                continue;
            }
            let routed = way.between(metres[0], metres[1]);
            let kind = StreetKind::ALL.into_iter().find(|kind| routed.0[*kind as usize] > 0.0);
            let kind = kind.unwrap_or(StreetKind::Side);
            let slowness = world.slowness(courier, kind, at_ms) * luck * chance.factor(0.25);
            let light_s =
                if kind == StreetKind::Main && chance.happens(0.12) { chance.between(5.0, 40.0) } else { 0.0 };
            at_ms += ((routed.total() * slowness + light_s) * 1_000.0) as i64;
            self.path.push((at_ms, pair[1]));
            if broke_at.is_some_and(|broke_m| (metres[0]..metres[1]).contains(&broke_m)) {
                at_ms += (chance.between(240.0, 1_200.0) * 1_000.0) as i64;
                self.path.push((at_ms, pair[1]));
            }
        }
    }

    pub(super) fn end(&self) -> LatLon {
        self.path[self.path.len() - 1].1
    }

    pub(super) fn ended_ms(&self) -> i64 {
        self.path[self.path.len() - 1].0
    }

    /// The way that held at a moment.
    pub(super) fn way_at(&self, at_ms: i64) -> (usize, &Way) {
        let held = self.ways.iter().rposition(|(from_ms, _)| *from_ms <= at_ms).unwrap_or(0);
        (held, &self.ways[held].1)
    }

    /// What the courier's device says at a moment, with `noise_m` metres of error.
    pub(super) fn reading(&self, at_ms: i64, noise_m: f64, chance: &mut Chance) -> Reading {
        let next = self.path.partition_point(|(time_ms, _)| *time_ms <= at_ms).clamp(1, self.path.len() - 1);
        let ((from_ms, from), (to_ms, to)) = (self.path[next - 1], self.path[next]);
        let share = (at_ms - from_ms) as f64 / (to_ms - from_ms).max(1) as f64;
        let (length_m, course_deg) = (haversine_m(from, to), bearing_deg(from, to));
        let at = destination(from, course_deg, length_m * share.clamp(0.0, 1.0));
        let at = destination(at, chance.between(0.0, 360.0), noise_m * chance.normal().abs().min(2.5));
        let speed_mps = length_m / ((to_ms - from_ms).max(1) as f64 / 1_000.0);
        Reading {
            time_ms: at_ms,
            at,
            accuracy_m: Some(noise_m),
            heading_deg: (speed_mps > 1.5).then_some(course_deg),
            speed_mps: Some(speed_mps),
        }
    }
}
