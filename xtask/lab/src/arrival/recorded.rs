//! Trips that somebody recorded, from a file with the columns `trip,time_ms,lat,lon` and perhaps `vehicle`.
//!
//! No street map comes with them, so the way is the line that was ridden, timed at one speed for each vehicle: what is
//! measured is learning and calibration, not routing. Trips are split by day: each is judged with what the days before
//! it taught.

use super::baselines::{Ahead, Baselines};
use super::ledger::{Entry, Ledger, Teller};
use anyhow::{Context, Result, bail};
use doorstep_arrival::estimate::{Knowledge, Sight};
use doorstep_arrival::follower::Follower;
use doorstep_arrival::forecast::Part;
use doorstep_arrival::local_time::LocalTime;
use doorstep_arrival::on_way::Reading;
use doorstep_arrival::score::{Situation, at_horizons};
use doorstep_arrival::told::Keeper;
use doorstep_arrival::trip::{Leg, drives};
use doorstep_arrival::way::{StreetKind, Way};
use doorstep_shared::geo::distance::haversine_m;
use doorstep_shared::{LatLon, Vehicle};
use std::collections::BTreeMap;
use std::path::Path;

const DAY_MS: i64 = 86_400_000;

/// Points nearer to each other than this are one.
const POINT_EVERY_M: f64 = 25.0;

/// A trip shorter than this says nothing about horizons.
const LEAST_MS: i64 = 150_000;

struct Trip {
    vehicle: Vehicle,
    readings: Vec<Reading>,
}

/// Plays all trips of a file, in the order of time.
pub(super) fn play(file: &Path) -> Result<Ledger> {
    play_text(&std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?)
}

fn play_text(text: &str) -> Result<Ledger> {
    let mut trips: Vec<Trip> = read(text)?.into_values().filter(|trip| trip.lasted_ms() >= LEAST_MS).collect();
    trips.sort_by_key(Trip::ended_ms);
    let (mut knowledge, mut baselines, mut ledger) = (Knowledge::default(), Baselines::default(), Ledger::default());
    let mut lesson: Vec<(usize, Watched)> = Vec::new();
    let mut day = i64::MIN;
    for (n, trip) in trips.iter().enumerate() {
        let today = trip.ended_ms().div_euclid(DAY_MS);
        if today != day {
            for (n, watched) in lesson.drain(..) {
                watched.teach(n, &trips[n], &mut knowledge, &mut baselines);
            }
            knowledge.settle(trip.readings[0].time_ms);
            day = today;
        }
        let watched = Watched::watch(trip, &knowledge);
        watched.enter(n, trip, &baselines, &mut ledger);
        lesson.push((n, watched));
    }
    Ok(ledger)
}

fn read(text: &str) -> Result<BTreeMap<String, Trip>> {
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap_or_default().split(',').map(str::trim).collect();
    let column = |name: &str| header.iter().position(|known| *known == name);
    let (Some(trip), Some(time), Some(lat), Some(lon)) =
        (column("trip"), column("time_ms"), column("lat"), column("lon"))
    else {
        bail!("the first line must name the columns trip, time_ms, lat and lon");
    };
    let mut trips = BTreeMap::new();
    for (number, line) in lines.enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<_> = line.split(',').map(str::trim).collect();
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        let place = || -> Result<(i64, LatLon)> {
            Ok((field(time).parse()?, LatLon::try_new(field(lat).parse()?, field(lon).parse()?)?))
        };
        let (time_ms, at) = place().with_context(|| format!("line {}: {line}", number + 2))?;
        let named = column("vehicle").map(field);
        let vehicle = Vehicle::ALL.into_iter().find(|vehicle| Some(vehicle.as_str()) == named).unwrap_or(Vehicle::Car);
        let trip = trips.entry(field(trip).to_owned()).or_insert_with(|| Trip { vehicle, readings: Vec::new() });
        trip.readings.push(Reading { time_ms, at, accuracy_m: None, heading_deg: None, speed_mps: None });
    }
    trips.values_mut().for_each(|trip| trip.readings.sort_by_key(|reading| reading.time_ms));
    Ok(trips)
}

impl Trip {
    fn ended_ms(&self) -> i64 {
        self.readings.last().map_or(0, |reading| reading.time_ms)
    }

    fn lasted_ms(&self) -> i64 {
        self.readings.first().map_or(0, |first| self.ended_ms() - first.time_ms)
    }

    /// The line that was ridden, at one speed.
    fn way(&self) -> Way {
        let speed_mps = match self.vehicle {
            Vehicle::Foot => 1.35,
            Vehicle::Bicycle => 4.4,
            Vehicle::Scooter | Vehicle::Motorcycle => 7.5,
            Vehicle::Car | Vehicle::Van => 8.0,
        };
        let mut line = vec![self.readings[0].at];
        for reading in &self.readings {
            if haversine_m(line[line.len() - 1], reading.at) >= POINT_EVERY_M {
                line.push(reading.at);
            }
        }
        let target = self.readings[self.readings.len() - 1].at;
        line.push(target);
        let timed = line.windows(2).map(|pair| (haversine_m(pair[0], pair[1]) / speed_mps, StreetKind::Unknown));
        let segments = timed.collect();
        Way::new(target, line, segments, speed_mps)
    }
}

struct Watched {
    told: Vec<doorstep_arrival::score::Told>,
    seen: Vec<Ahead>,
}

impl Watched {
    fn watch(trip: &Trip, knowledge: &Knowledge) -> Self {
        let way = trip.way();
        let mut watched = Self { told: Vec::new(), seen: Vec::new() };
        let (mut follower, mut keeper) = (Follower::default(), Keeper::default());
        for reading in &trip.readings {
            let now_ms = reading.time_ms;
            let local = LocalTime::new(now_ms, 0);
            let factors = knowledge.learned.drive_factors(trip.vehicle, local, now_ms);
            follower.observe(&way, *reading, &factors);
            let rest = follower.rest(&way);
            let ahead = Ahead {
                at_ms: now_ms,
                vehicle: trip.vehicle,
                metres: rest.metres,
                routed_s: rest.seconds.total(),
                has_pickup: false,
                stops: 0,
                situation: Situation::Direct,
            };
            let sight = Sight {
                vehicle: trip.vehicle,
                follower: &follower,
                parts: &[Part::Drive(rest.seconds)],
                situation: Situation::Direct,
                chapter: 0,
                is_near: rest.metres < 300.0,
            };
            let telling = keeper.offer(knowledge.fresh(&sight, (local, now_ms)), now_ms);
            watched.told.extend(telling.map(|telling| telling.told));
            watched.seen.push(ahead);
        }
        watched
    }

    fn enter(&self, n: usize, trip: &Trip, baselines: &Baselines, ledger: &mut Ledger) {
        let ours = at_horizons(&self.told, trip.ended_ms()).into_iter().map(|scored| (Teller::Ours, scored));
        let all = ours.chain(baselines.tell(&self.seen, trip.ended_ms()));
        ledger.entries.extend(all.map(|(teller, scored)| Entry { teller, after: n, scored }));
        ledger.estimates += self.seen.len() as u64;
    }

    fn teach(&self, n: usize, trip: &Trip, knowledge: &mut Knowledge, baselines: &mut Baselines) {
        let leg = Leg { vehicle: trip.vehicle, way: &trip.way(), readings: &trip.readings, offset_s: 0 };
        drives(&leg).iter().for_each(|observation| knowledge.learned.learn(observation));
        for scored in at_horizons(&self.told, trip.ended_ms()) {
            knowledge.calibration.learn(n as u128, &scored);
        }
        baselines.learn(&self.seen, trip.ended_ms());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arrival::chance::Chance;
    use crate::arrival::drive::{along, invent};
    use crate::arrival::world::{BEGAN_MS, World};
    use doorstep_arrival::score::Tally;
    use std::fmt::Write;

    /// Ten days with twelve trips each, as their devices wrote them.
    fn recorded() -> String {
        let mut chance = Chance::new(7);
        let world = World::new(&mut chance);
        let mut text = "vehicle,trip,time_ms,lat,lon\n".to_owned();
        for trip in 0..120 {
            let from_ms = BEGAN_MS + i64::from(trip / 12) * DAY_MS + i64::from(trip % 12) * 3_600_000 + 36_000_000;
            let courier = trip as usize % 7;
            let vehicle = world.couriers[courier].vehicle;
            let way = invent(world.kitchens[0].at, chance.between(2_000.0, 6_000.0), vehicle, &mut chance);
            let drive = along(way, courier, from_ms, &world, &mut chance);
            for at_ms in (from_ms..drive.ended_ms()).step_by(10_000) {
                let at = drive.reading(at_ms, 6.0, &mut chance).at;
                writeln!(text, "{vehicle},{trip},{at_ms},{},{}", at.lat(), at.lon()).expect("a string takes all");
            }
        }
        text
    }

    #[test]
    fn recorded_trips_are_judged_by_what_the_days_before_taught() {
        let ledger = play_text(&recorded()).expect("trips");
        let tally = |teller| {
            let mut tally = Tally::default();
            let later = ledger.entries.iter().filter(|entry| entry.teller == teller && entry.after >= 48);
            later.for_each(|entry| tally.add(&entry.scored));
            tally
        };
        let ours = tally(Teller::Ours);
        assert!(ours.n > 200, "{ours:?}");
        assert!((0.68..0.92).contains(&ours.inside_ratio()), "{ours:?}");
        let rule = tally(Teller::ConstantRule);
        assert!(ours.mean_interval_score_s() < rule.mean_interval_score_s(), "{ours:?} {rule:?}");
    }

    #[test]
    fn a_line_that_is_no_fix_is_named() {
        let refused = read("trip,time_ms,lat,lon\n1,0,35.9,14.5\n1,5000,95.9,14.5\n").err().expect("no such latitude");
        assert!(format!("{refused:#}").starts_with("line 3"), "{refused:#}");
        assert!(read("trip,lat,lon\n").is_err(), "without times");
    }
}
