//! What former deliveries taught: how much slower than the router couriers drive, how long they wait and stay.
//!
//! Each observation is a residual on a first guess, as a logarithm, so that "half as long again" counts the same for a
//! short way and a long one. Cells form a hierarchy, and each is drawn towards the one above it by a number of
//! observations it is presumed to have: the first day is sensible, ten deliveries matter and fifty suffice. Residuals are
//! bounded, so a broken-down van moves little. Everything is a weighted sum, so instances that read the same rows in any
//! order know the same; the weight of a row halves in three weeks.

use std::collections::HashMap;

use doorstep_shared::{LatLon, Vehicle};
use serde::{Deserialize, Serialize};

use crate::{
    local_time::{LocalTime, PartOfWeek, Weekday},
    way::{Seconds, StreetKind},
};

/// After this an observation counts half: roadworks, seasons and cooks change within weeks.
const HALF_LIFE_MS: f64 = 21.0 * 86_400_000.0;

/// A residual beyond a factor of e is a breakdown or a break, and counts as that much.
const MOST_RESIDUAL: f64 = 1.0;

/// What is true at this moment for everybody, as rain or a closed bridge, shows in the drives of the last hour.
const NOW_WINDOW_MS: i64 = 60 * 60_000;
const NOW_PRESUMED: f64 = 6.0;

/// The most drives kept for that. A thousand couriers report three drives an hour; overflow policy: the oldest go.
const MOST_RECENT: usize = 4_000;

/// The most cells, at 40 bytes each. Overflow policy: those that weigh least are forgotten.
const MOST_CELLS: usize = 200_000;

/// A wait and a stay of no length would have no logarithm; these seconds are added to both sides.
const WAIT_PAD_S: f64 = 60.0;
const STAY_PAD_S: f64 = 30.0;

/// First guesses, in seconds.
const WAIT_S: f64 = 240.0;
const STAY_S: f64 = 240.0;
const APPROACH_S: f64 = 45.0;

/// Where several visits are the same place: a square of about 55 metres.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PlaceKey(i32, i32);

impl PlaceKey {
    /// The square of a point.
    pub fn of(point: LatLon) -> Self {
        const SQUARES_OF_A_DEGREE: f64 = 2_000.0;
        Self((point.lat() * SQUARES_OF_A_DEGREE).round() as i32, (point.lon() * SQUARES_OF_A_DEGREE).round() as i32)
    }
}

/// What kind of door it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// On the street.
    House,
    /// Behind stairs or a lift.
    Flat,
}

impl Door {
    /// The kind that an address suggests: those of flats name one.
    pub fn of(address: &str) -> Self {
        const SIGNS: [&str; 12] =
            ["flat", "apartment", "apt", "floor", "suite", "unit", "level", "block", "wohnung", "stock", "etage", "og"];
        let is_sign = |word: &str| SIGNS.iter().any(|sign| word.eq_ignore_ascii_case(sign));
        match address.split(|c: char| !c.is_alphabetic()).any(is_sign) {
            true => Self::Flat,
            false => Self::House,
        }
    }
}

/// One, a few, or many parcels.
fn parcels_band(parcels: u32) -> u8 {
    match parcels {
        0 | 1 => 0,
        2..=4 => 1,
        _ => 2,
    }
}

/// What was seen of a part of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// A stretch on one kind of street.
    Drive {
        /// What the courier rides.
        vehicle: Vehicle,
        /// The kind of street.
        kind: StreetKind,
        /// What the router thought, in seconds.
        routed_s: f64,
        /// What it took, in seconds, without breaks.
        took_s: f64,
    },
    /// A wait at a pickup.
    Wait {
        /// Where.
        place: PlaceKey,
        /// In seconds.
        took_s: f64,
    },
    /// From the street beside the door to the door.
    Approach {
        /// What kind of door.
        door: Door,
        /// What the courier rides.
        vehicle: Vehicle,
        /// In seconds.
        took_s: f64,
    },
    /// From arriving at the door to leaving it.
    Stay {
        /// What kind of door.
        door: Door,
        /// How many parcels.
        parcels: u32,
        /// In seconds.
        took_s: f64,
    },
}

/// An observation with its time. Servers keep it as JSON: a field keeps its name and its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When it ended, Unix epoch milliseconds.
    pub at_ms: i64,
    /// When it began, where the courier is.
    pub local: LocalTime,
    /// What was seen.
    pub seen: Seen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Cell {
    Drives,
    DriveOf(Vehicle),
    DriveIn(Vehicle, PartOfWeek),
    DriveWhen(PartOfWeek),
    DriveOn(Vehicle, StreetKind),
    Waits,
    WaitWhen(PartOfWeek),
    WaitAt(PlaceKey),
    WaitAtOn(PlaceKey, Weekday),
    WaitAtIn(PlaceKey, PartOfWeek),
    Approaches,
    ApproachTo(Door),
    ApproachBy(Vehicle),
    Stays,
    StayAt(Door),
    StayWith(Door, u8),
}

/// A weighted sum of residuals.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    weight: f64,
    residuals: f64,
}

/// Everything learned. The same on every instance that read the same rows.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    cells: HashMap<Cell, Sum>,
    /// Drives of the last hour: when, residual after what else is known is taken off, weight.
    recent: Vec<Recent>,
    newest_ms: i64,
    now_residual: f64,
}

#[derive(Clone, Copy, Debug)]
struct Recent {
    at_ms: i64,
    vehicle: Vehicle,
    part: PartOfWeek,
    kind: StreetKind,
    residual: f64,
    weight: f64,
}

/// A weekday is worth a word when its waits differ from the place's other days by this much, in seconds.
const DAY_DIFFERS_S: f64 = 60.0;

/// How long couriers wait at a pickup, for a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitHabit {
    /// What is expected there on any day, in seconds.
    pub wait_s: f64,
    /// What is expected at any pickup, in seconds.
    pub usual_s: f64,
    /// How many waits at that place count.
    pub waits: f64,
    /// The weekdays that differ by a minute or more, with what is expected then, in seconds.
    pub days: Vec<(Weekday, f64)>,
}

impl Learned {
    /// Takes in an observation.
    pub fn learn(&mut self, observation: &Observation) {
        let Observation { at_ms, local, seen } = *observation;
        let Some((residual, weight)) = residual(&seen) else { return };
        let part = local.part();
        let cells: &[Cell] = match seen {
            Seen::Drive { vehicle, kind, .. } => &[
                Cell::Drives,
                Cell::DriveOf(vehicle),
                Cell::DriveWhen(part),
                Cell::DriveIn(vehicle, part),
                Cell::DriveOn(vehicle, kind),
            ],
            Seen::Wait { place, .. } => &[
                Cell::Waits,
                Cell::WaitWhen(part),
                Cell::WaitAt(place),
                Cell::WaitAtOn(place, local.weekday()),
                Cell::WaitAtIn(place, part),
            ],
            Seen::Approach { door, vehicle, .. } => {
                &[Cell::Approaches, Cell::ApproachTo(door), Cell::ApproachBy(vehicle)]
            }
            Seen::Stay { door, parcels, .. } => {
                &[Cell::Stays, Cell::StayAt(door), Cell::StayWith(door, parcels_band(parcels))]
            }
        };
        let aged = weight * growth(at_ms);
        for cell in cells {
            let sum = self.cells.entry(*cell).or_default();
            sum.weight += aged;
            sum.residuals += aged * residual;
        }
        self.newest_ms = self.newest_ms.max(at_ms);
        if let Seen::Drive { vehicle, kind, .. } = seen {
            self.recent.push(Recent { at_ms, vehicle, part, kind, residual, weight });
        }
        self.forget();
    }

    fn forget(&mut self) {
        if self.recent.len() > MOST_RECENT {
            let oldest_ms = self.newest_ms - NOW_WINDOW_MS;
            self.recent.retain(|recent| recent.at_ms > oldest_ms);
            self.recent.sort_by_key(|recent| std::cmp::Reverse(recent.at_ms));
            self.recent.truncate(MOST_RECENT / 2);
        }
        if self.cells.len() > MOST_CELLS {
            let mut weights: Vec<f64> = self.cells.values().map(|sum| sum.weight).collect();
            weights.sort_by(f64::total_cmp);
            let least = weights[weights.len() / 4];
            self.cells.retain(|_, sum| sum.weight > least);
        }
    }

    /// The mean residual of a cell, drawn towards `above` by `presumed` observations.
    fn drawn(&self, cell: Cell, above: f64, presumed: f64, now_ms: i64) -> f64 {
        let Some(sum) = self.cells.get(&cell) else { return above };
        let age = growth(now_ms);
        (sum.residuals / age + presumed * above) / (sum.weight / age + presumed)
    }

    fn drive_residual(&self, vehicle: Vehicle, part: PartOfWeek, kind: StreetKind, now_ms: i64) -> f64 {
        let all = self.drawn(Cell::Drives, 0.0, 3.0, now_ms);
        let of_vehicle = self.drawn(Cell::DriveOf(vehicle), all, 4.0, now_ms);
        // The hour is the same for all vehicles but for what one has of its own.
        let hour = self.drawn(Cell::DriveWhen(part), all, 6.0, now_ms) - all;
        let in_hour = self.drawn(Cell::DriveIn(vehicle, part), of_vehicle + hour, 8.0, now_ms);
        let on_kind = self.drawn(Cell::DriveOn(vehicle, kind), of_vehicle, 6.0, now_ms);
        in_hour + (on_kind - of_vehicle)
    }

    /// Looks at what the drives of the last hour had in common beyond what was expected of them. Call it after learning,
    /// and every minute or so.
    pub fn look_at_now(&mut self, now_ms: i64) {
        self.now_residual = self.shared_residual(now_ms);
    }

    fn shared_residual(&self, now_ms: i64) -> f64 {
        let lately = self.recent.iter().filter(|recent| (0..NOW_WINDOW_MS).contains(&(now_ms - recent.at_ms)));
        let (weight, sum) = lately.fold((0.0, 0.0), |(weight, sum), recent| {
            let expected = self.drive_residual(recent.vehicle, recent.part, recent.kind, now_ms);
            (weight + recent.weight, sum + recent.weight * (recent.residual - expected))
        });
        sum / (weight + NOW_PRESUMED)
    }

    /// The factors on the router's seconds at this moment, for each kind of street.
    pub fn drive_factors(&self, vehicle: Vehicle, local: LocalTime, now_ms: i64) -> [f64; 4] {
        let now = self.now_residual;
        StreetKind::ALL.map(|kind| (self.drive_residual(vehicle, local.part(), kind, now_ms) + now).exp())
    }

    /// What a courier waits at a pickup from their arrival on, in seconds.
    pub fn wait_s(&self, place: PlaceKey, local: LocalTime, now_ms: i64) -> f64 {
        let usual = self.usual_wait(local, now_ms);
        let at_place = self.drawn(Cell::WaitAt(place), usual, 2.0, now_ms);
        let on_day = self.drawn(Cell::WaitAtOn(place, local.weekday()), at_place, 5.0, now_ms);
        let in_part = self.drawn(Cell::WaitAtIn(place, local.part()), at_place, 5.0, now_ms);
        padded(WAIT_S, WAIT_PAD_S, at_place + (on_day - at_place) + (in_part - at_place))
    }

    fn usual_wait(&self, local: LocalTime, now_ms: i64) -> f64 {
        let all = self.drawn(Cell::Waits, 0.0, 4.0, now_ms);
        self.drawn(Cell::WaitWhen(local.part()), all, 8.0, now_ms)
    }

    /// How long couriers wait at a pickup; `None` where nobody has waited yet.
    pub fn wait_habit(&self, place: PlaceKey, now_ms: i64) -> Option<WaitHabit> {
        let sum = self.cells.get(&Cell::WaitAt(place))?;
        let usual = self.drawn(Cell::Waits, 0.0, 4.0, now_ms);
        let at_place = self.drawn(Cell::WaitAt(place), usual, 2.0, now_ms);
        let of = |residual| padded(WAIT_S, WAIT_PAD_S, residual);
        let wait_s = of(at_place);
        let day = |day| (day, of(self.drawn(Cell::WaitAtOn(place, day), at_place, 5.0, now_ms)));
        let days = Weekday::all().map(day).filter(|(_, on_day_s)| (on_day_s - wait_s).abs() >= DAY_DIFFERS_S);
        Some(WaitHabit { wait_s, usual_s: of(usual), waits: sum.weight / growth(now_ms), days: days.collect() })
    }

    /// From the street beside the door to the door, in seconds.
    pub fn approach_s(&self, door: Door, vehicle: Vehicle, now_ms: i64) -> f64 {
        let all = self.drawn(Cell::Approaches, 0.0, 3.0, now_ms);
        let to = self.drawn(Cell::ApproachTo(door), all, 4.0, now_ms);
        let by = self.drawn(Cell::ApproachBy(vehicle), all, 6.0, now_ms) - all;
        padded(APPROACH_S, STAY_PAD_S, to + by)
    }

    /// From arriving at a door to leaving it, in seconds.
    pub fn stay_s(&self, door: Door, parcels: u32, now_ms: i64) -> f64 {
        let all = self.drawn(Cell::Stays, 0.0, 3.0, now_ms);
        let at = self.drawn(Cell::StayAt(door), all, 4.0, now_ms);
        padded(STAY_S, STAY_PAD_S, self.drawn(Cell::StayWith(door, parcels_band(parcels)), at, 5.0, now_ms))
    }

    /// What a way takes of the router's seconds with these factors.
    pub fn driven_s(seconds: Seconds, factors: &[f64; 4]) -> f64 {
        seconds.0.iter().zip(factors).map(|(seconds, factor)| seconds * factor).sum()
    }
}

/// How much more a row weighs that is newer than the epoch.
fn growth(at_ms: i64) -> f64 {
    // Counted from 2025 on, so that the numbers stay small for centuries.
    const BEGAN_MS: i64 = 1_735_689_600_000;
    ((at_ms - BEGAN_MS) as f64 / HALF_LIFE_MS).clamp(-500.0, 900.0).exp2()
}

fn padded(guess_s: f64, pad_s: f64, residual: f64) -> f64 {
    ((guess_s + pad_s) * residual.exp() - pad_s).max(0.0)
}

/// The residual of an observation and its weight; `None` when it says nothing.
fn residual(seen: &Seen) -> Option<(f64, f64)> {
    let padded = |guess_s: f64, pad_s: f64, took_s: f64| ((took_s.max(0.0) + pad_s) / (guess_s + pad_s)).ln();
    let (residual, weight) = match *seen {
        // Half a minute of street says little, and five minutes say what a whole drive says.
        Seen::Drive { routed_s, took_s, .. } if routed_s >= 10.0 && took_s > 0.0 => {
            ((took_s / routed_s).ln(), (routed_s / 300.0).min(1.0))
        }
        Seen::Drive { .. } => return None,
        Seen::Wait { took_s, .. } => (padded(WAIT_S, WAIT_PAD_S, took_s) / 1.6, 1.0),
        Seen::Approach { took_s, .. } => (padded(APPROACH_S, STAY_PAD_S, took_s), 1.0),
        Seen::Stay { took_s, .. } => (padded(STAY_S, STAY_PAD_S, took_s), 1.0),
    };
    let wait = matches!(seen, Seen::Wait { .. });
    let bounded = residual.clamp(-MOST_RESIDUAL, MOST_RESIDUAL) * if wait { 1.6 } else { 1.0 };
    residual.is_finite().then_some((bounded, weight))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: i64 = 1_795_818_600_000;

    fn local(at_ms: i64) -> LocalTime {
        LocalTime::new(at_ms, 3_600)
    }

    fn drive(at_ms: i64, factor: f64) -> Observation {
        let seen =
            Seen::Drive { vehicle: Vehicle::Car, kind: StreetKind::Main, routed_s: 600.0, took_s: 600.0 * factor };
        Observation { at_ms, local: local(at_ms), seen }
    }

    fn wait(at_ms: i64, place: PlaceKey, took_s: f64) -> Observation {
        Observation { at_ms, local: local(at_ms), seen: Seen::Wait { place, took_s } }
    }

    fn place(lat: f64) -> PlaceKey {
        PlaceKey::of(LatLon::try_new(lat, 14.5).expect("on earth"))
    }

    fn main_factor(learned: &Learned) -> f64 {
        learned.drive_factors(Vehicle::Car, local(NOW_MS), NOW_MS)[StreetKind::Main as usize]
    }

    /// What `count` drives of the past days teach, each this much slower than the router.
    fn taught(count: i64, factor: f64) -> Learned {
        let mut learned = Learned::default();
        (0..count).for_each(|day| learned.learn(&drive(NOW_MS - (day + 1) * 7_200_000, factor)));
        learned
    }

    #[test]
    fn the_first_day_believes_the_router_ten_drives_matter_and_fifty_suffice() {
        assert!((main_factor(&Learned::default()) - 1.0).abs() < 1e-9);
        assert!(main_factor(&taught(10, 1.6)) > 1.3);
        assert!((main_factor(&taught(50, 1.6)) - 1.6).abs() < 0.08, "{}", main_factor(&taught(50, 1.6)));
    }

    #[test]
    fn a_van_that_broke_down_changes_little() {
        let mut learned = taught(50, 1.2);
        let before = main_factor(&learned);
        learned.learn(&drive(NOW_MS - 7_200_000, 30.0));
        assert!(main_factor(&learned) / before < 1.06, "{before} became {}", main_factor(&learned));
    }

    #[test]
    fn rain_shows_within_the_hour_in_what_others_need() {
        let mut learned = taught(50, 1.0);
        (1..12).for_each(|minutes| learned.learn(&drive(NOW_MS - minutes * 60_000, 1.4)));
        learned.look_at_now(NOW_MS);
        assert!(main_factor(&learned) > 1.2, "{}", main_factor(&learned));
    }

    #[test]
    fn a_kitchen_that_is_slow_on_fridays_is_known_for_it() {
        let (slow, quick) = (place(35.9), place(35.95));
        let mut learned = Learned::default();
        for week in 0..6 {
            for day in 0..7 {
                let at_ms = NOW_MS - (7 * week + day) * 86_400_000;
                let is_friday = local(at_ms).weekday().name() == "Fridays";
                learned.learn(&wait(at_ms, slow, if is_friday { 900.0 } else { 240.0 }));
                learned.learn(&wait(at_ms, quick, 120.0));
            }
        }
        let friday = learned.wait_s(slow, local(NOW_MS), NOW_MS);
        assert!((500.0..950.0).contains(&friday), "{friday}");
        assert!(learned.wait_s(quick, local(NOW_MS), NOW_MS) < 180.0);
        let habit = learned.wait_habit(slow, NOW_MS).expect("couriers waited there");
        let days: Vec<_> = habit.days.iter().map(|(day, _)| day.name()).collect();
        assert_eq!(days, ["Fridays"]);
        assert!(habit.days[0].1 > habit.wait_s + 120.0 && habit.wait_s > habit.usual_s, "{habit:?}");
        assert_eq!(learned.wait_habit(place(36.0), NOW_MS), None);
    }

    #[test]
    fn what_former_versions_kept_is_still_read() {
        let kept = r#"{"at_ms":1795818600000,"local":6390,
            "seen":{"drive":{"vehicle":"car","kind":"main","routed_s":600.0,"took_s":720.0}}}"#;
        let read: Observation = serde_json::from_str(kept).expect("an observation");
        assert_eq!(read.seen, drive(NOW_MS, 1.2).seen);
        assert_eq!(serde_json::from_str::<Observation>(&serde_json::to_string(&read).expect("JSON")).ok(), Some(read));
    }

    #[test]
    fn addresses_of_flats_name_one() {
        assert_eq!(Door::of("12, Triq il-Kbira, Sliema"), Door::House);
        assert_eq!(Door::of("Flat 4, 12 Triq il-Kbira"), Door::Flat);
        assert_eq!(Door::of("Hauptstr. 3, 2. Stock"), Door::Flat);
        assert_eq!(Door::of("Flatford Mill"), Door::House);
    }

    proptest! {
        #[test]
        fn the_order_in_which_rows_are_read_changes_nothing(
            rows in prop::collection::vec((0i64..40 * 86_400_000, 0.3f64..3.0), 1..60), by in 0usize..60,
        ) {
            let rows: Vec<_> = rows.iter().map(|(ago_ms, factor)| drive(NOW_MS - ago_ms, *factor)).collect();
            let (mut one, mut other) = (Learned::default(), Learned::default());
            rows.iter().for_each(|row| one.learn(row));
            let by = by % rows.len();
            rows[by..].iter().chain(&rows[..by]).for_each(|row| other.learn(row));
            prop_assert!((main_factor(&one) / main_factor(&other) - 1.0).abs() < 1e-9);
        }

        #[test]
        fn no_observation_makes_a_factor_that_is_not_a_number(
            routed_s in -1.0f64..1e9, took_s in -1e9f64..1e9, at_ms in any::<i64>(), now_ms in any::<i32>(),
        ) {
            let mut learned = Learned::default();
            let seen = Seen::Drive { vehicle: Vehicle::Car, kind: StreetKind::Main, routed_s, took_s };
            learned.learn(&Observation { at_ms: at_ms >> 12, local: local(at_ms), seen });
            for factor in learned.drive_factors(Vehicle::Car, local(at_ms), NOW_MS + i64::from(now_ms)) {
                prop_assert!((0.1..10.0).contains(&factor), "{factor}");
            }
        }
    }
}
