//! One world: deliveries one after the other, watched and learned by the real estimator.

use super::baselines::{Ahead, Baselines};
use super::chance::Chance;
use super::drive::{Drive, along, invent};
use super::ledger::{Entry, Ledger, Promised, Rest, Teller};
use super::world::{BEGAN_MS, DAY_MS, World};
use doorstep_arrival::estimate::{Knowledge, Sight};
use doorstep_arrival::follower::Follower;
use doorstep_arrival::forecast::Part;
use doorstep_arrival::learned::{Door, Observation, Seen};
use doorstep_arrival::local_time::LocalTime;
use doorstep_arrival::on_way::Reading;
use doorstep_arrival::risk;
use doorstep_arrival::score::{Situation, Told, at_horizons};
use doorstep_arrival::told::{Cause, Keeper};
use doorstep_arrival::trip::{Leg, approach_s, drives};
use doorstep_arrival::way::Seconds;
use doorstep_shared::Vehicle;

/// From one fix, and one estimate, to the next.
const TICK_MS: i64 = 5_000;

/// A break of a promise is said when it held for this long, as the server does.
const SURE_FOR_MS: i64 = 30_000;

/// A part of a delivery as it really was.
enum Stage {
    Drive(Drive),
    Wait {
        kitchen: usize,
        until_ms: i64,
    },
    /// At another customer's door: approach, then stay.
    Stop {
        door: Door,
        parcels: u32,
        there_ms: i64,
        until_ms: i64,
    },
    Approach {
        door: Door,
        until_ms: i64,
    },
}

impl Stage {
    fn until_ms(&self) -> i64 {
        match self {
            Self::Drive(drive) => drive.ended_ms(),
            Self::Wait { until_ms, .. } | Self::Stop { until_ms, .. } | Self::Approach { until_ms, .. } => *until_ms,
        }
    }
}

struct Delivery {
    courier: usize,
    began_ms: i64,
    stages: Vec<Stage>,
    noise_m: f64,
    /// When the phone is silent.
    silence: Option<(i64, i64)>,
}

/// Plays `count` deliveries in the world of a seed.
pub(super) fn world(seed: u64, count: usize) -> Ledger {
    let mut chance = Chance::new(seed);
    let world = World::new(&mut chance);
    let (mut knowledge, mut baselines, mut ledger) = (Knowledge::default(), Baselines::default(), Ledger::default());
    // What is over and not yet learned: deliveries overlap.
    let mut waiting: Vec<(i64, Watched, usize)> = Vec::new();
    for n in 0..count {
        let began_ms = began_ms(n, &mut chance);
        waiting.sort_by_key(|(arrived_ms, ..)| *arrived_ms);
        while waiting.first().is_some_and(|(arrived_ms, ..)| *arrived_ms + 60_000 <= began_ms) {
            let (arrived_ms, watched, delivery) = waiting.remove(0);
            watched.teach(delivery, arrived_ms, &mut knowledge, &mut baselines);
        }
        knowledge.settle(began_ms);
        let delivery = Delivery::new(began_ms, &world, &mut chance);
        let watched = Watched::watch(&delivery, &world, &knowledge, &mut chance);
        watched.enter(n, &baselines, &delivery, &mut ledger, &mut chance);
        waiting.push((delivery.arrived_ms(), watched, n));
    }
    ledger
}

/// Thirty deliveries a day, from eleven in the morning to ten at night.
fn began_ms(n: usize, chance: &mut Chance) -> i64 {
    let (day, of_day) = (n as i64 / 30, n as i64 % 30);
    BEGAN_MS + day * DAY_MS + 11 * 3_600_000 + of_day * 22 * 60_000 + (chance.between(0.0, 600.0) * 1_000.0) as i64
}

impl Delivery {
    fn new(began_ms: i64, world: &World, chance: &mut Chance) -> Self {
        let day = (began_ms - BEGAN_MS) / DAY_MS;
        let working: Vec<_> = (0..world.couriers.len()).filter(|n| world.couriers[*n].from_day <= day).collect();
        let courier = working[chance.index(working.len())];
        let vehicle = world.couriers[courier].vehicle;
        let kitchen = chance.index(world.kitchens.len());
        let start = world.kitchens[chance.index(world.kitchens.len())].at;
        let mut stages: Vec<Stage> = Vec::new();
        let mut now_ms = began_ms;
        let reach_m = match vehicle {
            Vehicle::Foot | Vehicle::Bicycle => 3_000.0,
            Vehicle::Scooter | Vehicle::Motorcycle => 6_000.0,
            Vehicle::Car | Vehicle::Van => 9_000.0,
        };
        let mut place = start;
        let mut go = |metres: f64, now_ms: &mut i64, chance: &mut Chance| {
            let drive = along(invent(place, metres, vehicle, chance), courier, *now_ms, world, chance);
            (place, *now_ms) = (drive.end(), drive.ended_ms());
            Stage::Drive(drive)
        };
        stages.push(go(chance.between(200.0, reach_m * 0.5), &mut now_ms, chance));
        now_ms += (world.kitchens[kitchen].wait_s(now_ms, chance) * 1_000.0) as i64;
        stages.push(Stage::Wait { kitchen, until_ms: now_ms });
        let others = if chance.happens(0.35) { 1 + chance.index(2) } else { 0 };
        for _ in 0..others {
            stages.push(go(chance.between(400.0, reach_m * 0.5), &mut now_ms, chance));
            let (door, parcels) = (door(chance), 1 + chance.index(6) as u32);
            let there_ms = now_ms + (world.approach_s(door, chance) * 1_000.0) as i64;
            now_ms = there_ms + (world.stay_s(door, parcels, chance) * 1_000.0) as i64;
            stages.push(Stage::Stop { door, parcels, there_ms, until_ms: now_ms });
        }
        stages.push(go(chance.between(600.0, reach_m), &mut now_ms, chance));
        let door = door(chance);
        now_ms += (world.approach_s(door, chance) * 1_000.0) as i64;
        stages.push(Stage::Approach { door, until_ms: now_ms });
        let silence = chance.happens(0.04).then(|| {
            let from_ms = began_ms + ((now_ms - began_ms) as f64 * chance.between(0.1, 0.8)) as i64;
            (from_ms, from_ms + (chance.between(120.0, 600.0) * 1_000.0) as i64)
        });
        Self { courier, began_ms, stages, noise_m: chance.between(4.0, 15.0), silence }
    }

    fn arrived_ms(&self) -> i64 {
        self.stages.last().map_or(self.began_ms, Stage::until_ms)
    }
}

fn door(chance: &mut Chance) -> Door {
    if chance.happens(0.5) { Door::Flat } else { Door::House }
}

/// A delivery as the server saw it.
struct Watched {
    told: Vec<Told>,
    seen: Vec<Ahead>,
    observations: Vec<Observation>,
    rest: Rest,
}

impl Watched {
    fn watch(delivery: &Delivery, world: &World, knowledge: &Knowledge, chance: &mut Chance) -> Self {
        let vehicle = world.couriers[delivery.courier].vehicle;
        let mut watched = Self { told: Vec::new(), seen: Vec::new(), observations: Vec::new(), rest: Rest::default() };
        let (mut follower, mut keeper, mut moves) = (Follower::default(), Keeper::default(), Vec::new());
        let mut now_ms = delivery.began_ms;
        let mut readings: Vec<Reading> = Vec::new();
        for (at, stage) in delivery.stages.iter().enumerate() {
            let entered_ms = now_ms;
            let mut held = usize::MAX;
            while now_ms < stage.until_ms() {
                let local = LocalTime::new(now_ms, 0);
                let is_silent = delivery.silence.is_some_and(|(from, to)| (from..to).contains(&now_ms));
                if let Stage::Drive(drive) = stage {
                    let (holds, way) = drive.way_at(now_ms);
                    if std::mem::replace(&mut held, holds) != holds {
                        follower.begin_way();
                    }
                    if !is_silent {
                        let reading = drive.reading(now_ms, delivery.noise_m, chance);
                        let factors = knowledge.learned.drive_factors(vehicle, local, now_ms);
                        follower.observe(way, reading, &factors);
                        readings.push(reading);
                    }
                } else if !is_silent {
                    let still = delivery.stages[..at].iter().rev().find_map(|stage| match stage {
                        Stage::Drive(drive) => Some(drive),
                        _ => None,
                    });
                    if let Some(drive) = still {
                        let reading = Reading {
                            speed_mps: Some(0.0),
                            heading_deg: None,
                            ..drive.reading(drive.ended_ms(), delivery.noise_m, chance)
                        };
                        readings.push(Reading { time_ms: now_ms, ..reading });
                    }
                }
                let (parts, ahead) = parts(delivery, at, entered_ms, now_ms, &follower, world, vehicle);
                let sight = Sight {
                    vehicle,
                    follower: &follower,
                    parts: &parts,
                    situation: ahead.situation,
                    chapter: at as u64,
                    is_near: at + 1 == delivery.stages.len()
                        || (at + 2 == delivery.stages.len() && ahead.metres < 300.0),
                };
                let fresh = knowledge.fresh(&sight, (local, now_ms));
                if let Some(telling) = keeper.offer(fresh, now_ms) {
                    let by_ms = watched.told.last().map_or(0, |last| middle_ms(&telling.told) - middle_ms(last));
                    let moved = Moved { at_ms: now_ms, by_ms, cause: telling.cause };
                    moves.extend((telling.cause != Cause::Inside).then_some(moved));
                    watched.told.push(telling.told);
                }
                watched.seen.push(ahead);
                now_ms += TICK_MS;
            }
            now_ms = now_ms.max(stage.until_ms());
            watched.note(delivery, at, entered_ms, &readings, world);
            if !matches!(stage, Stage::Drive(_)) {
                readings.clear();
            }
        }
        watched.rest = rest(&moves, delivery);
        watched
    }

    /// What a stage that is over teaches, from what was seen of it.
    fn note(&mut self, delivery: &Delivery, at: usize, entered_ms: i64, readings: &[Reading], world: &World) {
        let (stage, vehicle) = (&delivery.stages[at], world.couriers[delivery.courier].vehicle);
        let (local, at_ms) = (LocalTime::new(entered_ms, 0), stage.until_ms());
        let took_s = (at_ms - entered_ms) as f64 / 1_000.0;
        let approach = |door, target, there_ms| {
            let took_s = approach_s(target, readings, there_ms)?;
            Some(Observation { at_ms: there_ms, local, seen: Seen::Approach { door, vehicle, took_s } })
        };
        let before = at.checked_sub(1).and_then(|before| match &delivery.stages[before] {
            Stage::Drive(drive) => Some(drive.end()),
            _ => None,
        });
        match stage {
            Stage::Drive(drive) => {
                let way = &drive.ways[0].1;
                self.observations.extend(drives(&Leg { vehicle, way, readings, offset_s: 0 }));
            }
            Stage::Wait { kitchen, .. } => {
                let seen = Seen::Wait { place: world.kitchens[*kitchen].place(), took_s };
                self.observations.push(Observation { at_ms, local, seen });
            }
            Stage::Stop { door, parcels, there_ms, .. } => {
                self.observations.extend(before.and_then(|target| approach(*door, target, *there_ms)));
                let took_s = (at_ms - there_ms) as f64 / 1_000.0;
                let seen = Seen::Stay { door: *door, parcels: *parcels, took_s };
                self.observations.push(Observation { at_ms, local, seen });
            }
            Stage::Approach { door, .. } => {
                self.observations.extend(before.and_then(|target| approach(*door, target, at_ms)));
            }
        }
    }

    fn enter(&self, n: usize, baselines: &Baselines, delivery: &Delivery, ledger: &mut Ledger, chance: &mut Chance) {
        let arrived_ms = delivery.arrived_ms();
        let ours = at_horizons(&self.told, arrived_ms).into_iter().map(|scored| (Teller::Ours, scored));
        let all = ours.chain(baselines.tell(&self.seen, arrived_ms));
        ledger.entries.extend(all.map(|(teller, scored)| Entry { teller, after: n, scored }));
        ledger.estimates += self.seen.len() as u64;
        ledger.rest.minutes += self.rest.minutes;
        ledger.rest.moves += self.rest.moves;
        ledger.rest.reversals += self.rest.reversals;
        ledger.rest.restless += self.rest.restless;
        let Some(first) = self.seen.first() else { return };
        // The merchant promises by the rule of before, and some promise little.
        let until_ms = first.at_ms + (first.by_constant_s() * chance.between(0.95, 1.7) * 1_000.0) as i64;
        ledger.promises.push(self.promised(n, until_ms, arrived_ms));
    }

    fn promised(&self, after: usize, until_ms: i64, arrived_ms: i64) -> Promised {
        let mut sure_since: Option<i64> = None;
        let mut said_ms = None;
        for ahead in &self.seen {
            let Some(told) = self.told.iter().rev().find(|told| told.at_ms <= ahead.at_ms) else { continue };
            let told = told.read_at(ahead.at_ms);
            let arrival = risk::Arrival {
                earliest_ms: told.earliest_ms,
                expected_ms: told.expected_ms,
                latest_ms: told.latest_ms,
            };
            let at_risk = risk::is_at_risk(risk::late_probability(&arrival, until_ms + 60_000), false);
            sure_since = at_risk.then(|| sure_since.unwrap_or(ahead.at_ms));
            if ahead.at_ms <= until_ms && sure_since.is_some_and(|since_ms| ahead.at_ms - since_ms >= SURE_FOR_MS) {
                said_ms = Some(ahead.at_ms);
                break;
            }
        }
        let said_before_s = said_ms.map(|said_ms| (until_ms - said_ms) as f64 / 1_000.0);
        Promised { after, is_late: arrived_ms > until_ms + 60_000, said_before_s }
    }

    fn teach(&self, delivery: usize, arrived_ms: i64, knowledge: &mut Knowledge, baselines: &mut Baselines) {
        for observation in &self.observations {
            knowledge.learned.learn(observation);
        }
        for scored in at_horizons(&self.told, arrived_ms) {
            knowledge.calibration.learn(delivery as u128, &scored);
        }
        baselines.learn(&self.seen, arrived_ms);
    }
}

const fn middle_ms(told: &Told) -> i64 {
    i64::midpoint(told.earliest_ms, told.latest_ms)
}

/// A move of the range that the customer read.
struct Moved {
    at_ms: i64,
    /// By how much its middle moved.
    by_ms: i64,
    cause: Cause,
}

fn rest(moves: &[Moved], delivery: &Delivery) -> Rest {
    let minutes = (delivery.arrived_ms() - delivery.began_ms) as f64 / 60_000.0;
    let shifts: Vec<i64> = moves.iter().map(|moved| moved.by_ms).filter(|by_ms| by_ms.abs() >= 60_000).collect();
    let reversals = shifts.windows(2).filter(|pair| pair[0].signum() != pair[1].signum()).count() as u32;
    let quiet: Vec<i64> = moves.iter().filter(|moved| moved.cause == Cause::News).map(|moved| moved.at_ms).collect();
    let restless = quiet.windows(3).filter(|three| three[2] - three[0] < 600_000).count() as u32;
    Rest { minutes, moves: moves.len() as u32, reversals, restless }
}

/// What lies ahead in the midst of stage `at`, for the estimator and for the baselines.
fn parts(
    delivery: &Delivery,
    at: usize,
    entered_ms: i64,
    now_ms: i64,
    follower: &Follower,
    world: &World,
    vehicle: Vehicle,
) -> (Vec<Part>, Ahead) {
    let passed_s = (now_ms - entered_ms) as f64 / 1_000.0;
    let (mut parts, mut metres, mut routed_s) = (Vec::new(), 0.0, 0.0);
    let (mut has_pickup, mut stops) = (false, 0);
    for (later, stage) in delivery.stages[at..].iter().enumerate() {
        let is_now = later == 0;
        let passed_s = if is_now { passed_s } else { 0.0 };
        match stage {
            Stage::Drive(drive) => {
                let rest = match is_now {
                    true => follower.rest(drive.way_at(now_ms).1),
                    false => drive.ways[0].1.rest(0.0),
                };
                metres += rest.metres;
                routed_s += rest.seconds.total();
                parts.push(Part::Drive(rest.seconds));
            }
            Stage::Wait { kitchen, .. } => {
                has_pickup = true;
                parts.push(Part::Wait { place: world.kitchens[*kitchen].place(), waited_s: passed_s });
            }
            Stage::Stop { door, parcels, there_ms, .. } => {
                stops += 1;
                if is_now && now_ms >= *there_ms {
                    let stayed_s = (now_ms - there_ms) as f64 / 1_000.0;
                    parts.push(Part::Stay { door: *door, parcels: *parcels, stated_s: None, stayed_s });
                } else {
                    parts.push(Part::Approach { door: *door, passed_s });
                    parts.push(Part::Stay { door: *door, parcels: *parcels, stated_s: None, stayed_s: 0.0 });
                }
            }
            Stage::Approach { door, .. } => parts.push(Part::Approach { door: *door, passed_s }),
        }
    }
    if !matches!(parts.first(), Some(Part::Drive(_) | Part::Wait { .. })) {
        // At a door nothing is driven any more; the estimator must not take it for standing about.
        parts.push(Part::Drive(Seconds::default()));
    }
    let situation = match (has_pickup, stops) {
        (true, _) => Situation::BeforePickup,
        (false, 0) => Situation::Direct,
        (false, _) => Situation::BehindStops,
    };
    (parts, Ahead { at_ms: now_ms, vehicle, metres, routed_s, has_pickup, stops, situation })
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorstep_arrival::score::Tally;

    fn inside(ledger: &Ledger) -> f64 {
        let mut tally = Tally::default();
        let later = ledger.entries.iter().filter(|entry| entry.teller == Teller::Ours && entry.after >= 50);
        later.for_each(|entry| tally.add(&entry.scored));
        tally.inside_ratio()
    }

    #[test]
    fn a_seed_makes_the_same_world_each_time_and_another_seed_another() {
        let [first, again, other] = [3, 3, 4].map(|seed| world(seed, 12));
        let told = |ledger: &Ledger| ledger.entries.iter().map(|entry| entry.scored.told.latest_ms).collect::<Vec<_>>();
        assert_eq!((told(&first), first.estimates), (told(&again), again.estimates));
        assert_ne!(told(&first), told(&other));
    }

    #[test]
    fn ranges_hold_about_four_of_five_arrivals_in_a_world_that_nobody_described() {
        let ledger = world(20, 200);
        assert!((0.72..=0.88).contains(&inside(&ledger)), "{}", inside(&ledger));
        assert_eq!(ledger.rest.restless, 0);
    }
}
