//! How far a courier has come on their way, from one noisy fix after the other.
//!
//! The nearest point of a line is not where a courier is: beside a dual carriageway, or where a way comes past the door
//! before it loops round the block, two places of the way are equally near. [`OnWay`] therefore keeps a few places the
//! courier may be at and what speaks against each: the distance of the fix, a heading against the street, and a step that
//! does not fit the distance travelled. Progress goes back only after evidence that lasts. Pure; whoever plans ways keeps
//! one for each way.

use doorstep_shared::{
    LatLon,
    geo::distance::{bearing_deg, haversine_m},
};

use crate::way::{Rest, Way};

/// Farther than this from the planned line, besides the fix's own error, the courier has chosen another way. In metres.
pub const OFF_WAY_M: f64 = 60.0;

/// The error of a fix that does not say its own, and the least that is believed: streets are wide, and maps are drawn in
/// their middle. In metres.
const ASSUMED_ERROR_M: f64 = 15.0;
const LEAST_ERROR_M: f64 = 6.0;

/// Below this a receiver's heading is noise. In metres per second.
const HEADING_COUNTS_MPS: f64 = 1.5;

/// Places kept at once. A way that comes near itself more often than this is a car park.
const MOST_PLACES: usize = 6;

/// What speaks against a place is bounded, so that a place given up can come back when all fixes support it.
const MOST_AGAINST: f64 = 25.0;

/// Evidence fades, so that an old mistake does not outweigh what is seen now: half of it is gone after five fixes.
const FADES_BY: f64 = 0.87;

/// A step along the way that differs this much from the distance travelled speaks one unit against a place. In metres.
const STEP_ERROR_M: f64 = 12.0;

/// How long the evidence for an earlier place of the way must last before progress goes back, in milliseconds, and over
/// how many fixes.
const BACK_AFTER_MS: i64 = 6_000;
const BACK_AFTER_FIXES: u32 = 3;

/// One reading of the courier's device, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// When, Unix epoch milliseconds.
    pub time_ms: i64,
    /// Where.
    pub at: LatLon,
    /// Radius of 68 % confidence in metres, where the device says it.
    pub accuracy_m: Option<f64>,
    /// Direction of travel in degrees, where the device says it.
    pub heading_deg: Option<f64>,
    /// Metres per second, where the device says it.
    pub speed_mps: Option<f64>,
}

impl Reading {
    fn error_m(&self) -> f64 {
        self.accuracy_m.unwrap_or(ASSUMED_ERROR_M).clamp(LEAST_ERROR_M, 50.0)
    }

    fn course_deg(&self) -> Option<f64> {
        self.heading_deg.filter(|_| self.speed_mps.is_some_and(|speed_mps| speed_mps >= HEADING_COUNTS_MPS))
    }
}

/// A place of the way where the courier may be.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    along_m: f64,
    against: f64,
}

/// A place of the way near a fix.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    along_m: f64,
    against: f64,
}

/// A courier on their way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OnWay {
    places: Vec<Place>,
    last: Option<Reading>,
    /// The place told, in metres after the start.
    along_m: f64,
    is_off: bool,
    behind: Option<Behind>,
}

/// Evidence that the courier is at an earlier place of the way.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Behind {
    since_ms: i64,
    fixes: u32,
}

impl OnWay {
    /// Metres after the start of the way.
    pub const fn along_m(&self) -> f64 {
        self.along_m
    }

    /// Whether the courier left the way, so that it should be planned anew. True until a fix was near it.
    pub fn is_off(&self) -> bool {
        self.is_off || self.last.is_none()
    }

    /// What is left of `way`.
    pub fn rest(&self, way: &Way) -> Rest {
        way.rest(self.along_m)
    }

    /// Takes in a reading. Older ones than the last are left out.
    pub fn observe(&mut self, way: &Way, reading: Reading) {
        if self.last.is_some_and(|last| reading.time_ms <= last.time_ms) {
            return;
        }
        let near = candidates(way, &reading);
        self.is_off = near.is_empty();
        if !near.is_empty() {
            self.places = self.places_after(&near, &reading);
            self.tell(&reading);
        }
        self.last = Some(reading);
    }

    fn places_after(&self, near: &[Candidate], reading: &Reading) -> Vec<Place> {
        let places = near.iter().map(|candidate| Place {
            along_m: candidate.along_m,
            against: (self.against_reaching(candidate.along_m, reading) + candidate.against).min(MOST_AGAINST),
        });
        let mut places: Vec<_> = places.collect();
        places.sort_by(|a, b| a.against.total_cmp(&b.against));
        places.truncate(MOST_PLACES);
        let least = places.first().map_or(0.0, |best| best.against);
        places.iter_mut().for_each(|place| place.against -= least);
        places
    }

    /// What speaks against having come to `along_m`, whichever of the former places the courier was at.
    fn against_reaching(&self, along_m: f64, reading: &Reading) -> f64 {
        let Some(last) = self.last.filter(|_| !self.places.is_empty()) else {
            // A way is planned from where the courier is, so its beginning is likelier than where it comes past again.
            return (along_m / 150.0).min(4.0);
        };
        let travelled_m = haversine_m(last.at, reading.at);
        let noise_m = STEP_ERROR_M + last.error_m().max(reading.error_m());
        let from = |place: &Place| {
            let step_m = along_m - place.along_m;
            // Streets bend, so a step may be longer than the straight line by their detour; backwards it may not.
            let missed_m = if step_m >= 0.0 {
                (step_m - travelled_m * 1.4).max(travelled_m - step_m).max(0.0)
            } else {
                travelled_m.min(-step_m) * 0.5 - step_m
            };
            place.against * FADES_BY + (missed_m / noise_m).min(MOST_AGAINST)
        };
        self.places.iter().map(from).fold(MOST_AGAINST, f64::min)
    }

    fn tell(&mut self, reading: &Reading) {
        let Some(best) = self.places.first().copied() else { return };
        let is_first = self.last.is_none();
        // Noise alone moves the nearest point back by a fix's error; that is no news.
        if is_first || best.along_m >= self.along_m {
            (self.along_m, self.behind) = (best.along_m, None);
            return;
        }
        if self.along_m - best.along_m <= 2.0 * reading.error_m() {
            self.behind = None;
            return;
        }
        let behind = self.behind.get_or_insert(Behind { since_ms: reading.time_ms, fixes: 0 });
        behind.fixes += 1;
        if behind.fixes >= BACK_AFTER_FIXES && reading.time_ms - behind.since_ms >= BACK_AFTER_MS {
            (self.along_m, self.behind) = (best.along_m, None);
        }
    }
}

/// The places of the way near a reading: of each stretch that is near enough the nearest point.
fn candidates(way: &Way, reading: &Reading) -> Vec<Candidate> {
    let reach_m = OFF_WAY_M + reading.error_m();
    let mut found: Vec<Candidate> = Vec::new();
    let mut stretch: Option<(Candidate, f64)> = None;
    let plane = Plane::at(reading.at);
    for (index, pair) in way.line().windows(2).enumerate() {
        let (share, offset_m) = plane.nearest(pair[0], pair[1]);
        if offset_m > reach_m {
            found.extend(stretch.take().map(|(candidate, _)| candidate));
            continue;
        }
        let (begins_m, ends_m) = (way.along_m()[index], way.along_m()[index + 1]);
        let along_m = begins_m + share * (ends_m - begins_m);
        let against = against_being_at(pair, offset_m, reading);
        // A stretch that turns back on itself is two: the courier goes along one of its sides.
        let turned = stretch.is_some_and(|(best, _)| along_m - best.along_m > 2.0 * reach_m);
        if turned {
            found.extend(stretch.take().map(|(candidate, _)| candidate));
        }
        if stretch.is_none_or(|(_, least)| against < least) {
            stretch = Some((Candidate { along_m, against }, against));
        }
    }
    found.extend(stretch.map(|(candidate, _)| candidate));
    found
}

fn against_being_at(pair: &[LatLon], offset_m: f64, reading: &Reading) -> f64 {
    let beside = offset_m / reading.error_m();
    let street_deg = reading.course_deg().filter(|_| pair[0] != pair[1]).zip(Some(bearing_deg(pair[0], pair[1])));
    let wrong_way = street_deg.map_or(0.0, |(course, street)| 1.0 - (course - street).to_radians().cos());
    0.5 * beside * beside + 2.5 * wrong_way
}

/// Whether a way that was planned from the courier's place begins in the direction in which they travel. On a dual
/// carriageway the nearest street may be that of the other direction, and a way from there goes to the next turn and back.
pub fn begins_as_travelled(way: &Way, reading: &Reading) -> bool {
    let Some(course_deg) = reading.course_deg() else { return true };
    let Some(ahead) = way.line().iter().find(|point| haversine_m(way.line()[0], **point) > 5.0) else { return true };
    (bearing_deg(way.line()[0], *ahead) - course_deg).to_radians().cos() > -0.5
}

/// Where a way for this reading may begin: the place itself, and for a courier who travels a place on either side, so that
/// the street of the right direction is among the nearest ones.
pub fn starts(reading: &Reading) -> Vec<LatLon> {
    const ASIDE_M: f64 = 18.0;
    let aside = |turn_deg: f64| {
        let course_deg = reading.course_deg()?;
        Some(doorstep_shared::geo::distance::destination(
            reading.at,
            (course_deg + turn_deg).rem_euclid(360.0),
            ASIDE_M,
        ))
    };
    [Some(reading.at), aside(90.0), aside(-90.0)].into_iter().flatten().collect()
}

/// A plane that touches the earth at a point, in metres; exact enough within some kilometres.
struct Plane {
    origin: LatLon,
    metres_of_lon: f64,
}

const METRES_OF_LAT: f64 = 111_195.0;

impl Plane {
    fn at(origin: LatLon) -> Self {
        Self { origin, metres_of_lon: METRES_OF_LAT * origin.lat().to_radians().cos() }
    }

    fn place(&self, point: LatLon) -> (f64, f64) {
        let east = point.lon() - self.origin.lon();
        let east = if east.abs() > 180.0 { east - 360.0 * east.signum() } else { east };
        (east * self.metres_of_lon, (point.lat() - self.origin.lat()) * METRES_OF_LAT)
    }

    /// How far along the segment its point nearest to the origin lies, from 0 to 1, and its distance in metres.
    fn nearest(&self, a: LatLon, b: LatLon) -> (f64, f64) {
        let ((ax, ay), (bx, by)) = (self.place(a), self.place(b));
        let (dx, dy) = (bx - ax, by - ay);
        let square = dx * dx + dy * dy;
        let share = if square > 0.0 { (-(ax * dx + ay * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
        (share, (ax + share * dx).hypot(ay + share * dy))
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::geo::distance::destination;
    use proptest::prelude::*;

    use super::*;
    use crate::way::{
        StreetKind,
        tests::{start, turning},
    };

    fn reading(time_s: i64, at: LatLon, course_deg: Option<f64>) -> Reading {
        let speed_mps = course_deg.map(|_| 8.0);
        Reading { time_ms: time_s * 1_000, at, accuracy_m: Some(8.0), heading_deg: course_deg, speed_mps }
    }

    fn way_through(line: Vec<LatLon>) -> Way {
        let segments = vec![(10.0, StreetKind::Main); line.len() - 1];
        Way::new(line[line.len() - 1], line, segments, 5.0)
    }

    /// A point of the way's own line.
    fn at(way: &Way, along_m: f64) -> LatLon {
        let next = way.along_m().partition_point(|metres| *metres <= along_m).clamp(1, way.line().len() - 1);
        let (from, to) = (way.line()[next - 1], way.line()[next]);
        destination(from, bearing_deg(from, to), along_m - way.along_m()[next - 1])
    }

    #[test]
    fn a_way_that_passes_the_door_before_it_loops_round_the_block_does_not_jump() {
        // 300 m east past the door, then round a block of 70 m and back to 15 m beside where it came past.
        let mut line = vec![start()];
        for (bearing, metres) in [(90.0, 300.0), (90.0, 70.0), (0.0, 70.0), (270.0, 70.0), (180.0, 55.0)] {
            line.push(destination(line[line.len() - 1], bearing, metres));
        }
        let way = way_through(line);
        let mut on_way = OnWay::default();
        let mut before_m = f64::INFINITY;
        for second in 0..70 {
            let true_m = 8.0 * second as f64;
            let noise = destination(at(&way, true_m.min(way.length_m())), f64::from(second * 77 % 360), 6.0);
            on_way.observe(&way, reading(i64::from(second), noise, None));
            let left_m = on_way.rest(&way).metres;
            assert!(left_m <= before_m + 1.0, "{left_m} after {before_m} m");
            assert!((left_m - (way.length_m() - true_m).max(0.0)).abs() < 45.0, "{left_m} m left at {true_m}");
            before_m = left_m;
        }
    }

    #[test]
    fn beside_a_dual_carriageway_the_direction_of_travel_decides() {
        // East for 800 m, over a bridge, and back west 14 m beside it.
        let east = destination(start(), 90.0, 800.0);
        let back = destination(east, 0.0, 14.0);
        let way = way_through(vec![start(), east, back, destination(back, 270.0, 700.0)]);
        for (course_deg, left_m) in [(90.0, 1_114.0), (270.0, 300.0)] {
            let mut on_way = OnWay::default();
            let middle = destination(destination(start(), 90.0, 400.0), 0.0, 7.0);
            on_way.observe(&way, reading(0, middle, Some(course_deg)));
            assert!((on_way.rest(&way).metres - left_m).abs() < 20.0, "{} m", on_way.rest(&way).metres);
        }
    }

    #[test]
    fn a_way_from_the_wrong_carriageway_is_recognised_and_others_are_tried() {
        let travelling = reading(0, start(), Some(90.0));
        let wrong = way_through(vec![start(), destination(start(), 270.0, 900.0), destination(start(), 90.0, 400.0)]);
        let right = way_through(vec![start(), destination(start(), 90.0, 400.0)]);
        assert!(!begins_as_travelled(&wrong, &travelling) && begins_as_travelled(&right, &travelling));
        assert!(begins_as_travelled(&wrong, &reading(0, start(), None)), "one who stands may turn");
        let starts = starts(&travelling);
        assert_eq!(starts.len(), 3);
        assert!(starts[1..].iter().all(|aside| (haversine_m(start(), *aside) - 18.0).abs() < 0.5));
    }

    #[test]
    fn one_odd_fix_takes_nothing_back_and_a_courier_who_turned_round_does() {
        let way = turning(&[90.0; 12]);
        let mut on_way = OnWay::default();
        for second in 0..60 {
            on_way.observe(&way, reading(second, at(&way, 10.0 * second as f64), None));
        }
        on_way.observe(&way, reading(60, at(&way, 450.0), None));
        assert!(on_way.along_m() > 580.0, "one reflection: {}", on_way.along_m());
        for second in 61..90 {
            on_way.observe(&way, reading(second, at(&way, 590.0 - 10.0 * (second - 60) as f64), Some(270.0)));
        }
        assert!(on_way.along_m() < 400.0, "they rode back for half a minute: {}", on_way.along_m());
    }

    #[test]
    fn who_left_the_way_is_off_it() {
        let way = turning(&[90.0; 5]);
        let mut on_way = OnWay::default();
        assert!(on_way.is_off(), "nothing is known yet");
        on_way.observe(&way, reading(0, start(), None));
        assert!(!on_way.is_off());
        on_way.observe(&way, reading(1, destination(start(), 180.0, 120.0), None));
        assert!(on_way.is_off());
    }

    proptest! {
        #[test]
        fn with_noise_of_4_to_15_metres_progress_stays_near_the_truth_and_hardly_goes_back(
            turns in prop::collection::vec(-100.0f64..100.0, 4..25), noise_m in 4.0f64..15.0, speed_mps in 3.0f64..14.0,
            errors in prop::collection::vec((0.0f64..360.0, 0.0f64..1.0), 400),
        ) {
            let mut bearing = 90.0;
            let bearings: Vec<f64> = turns.iter().map(|turn| { bearing += turn; bearing }).collect();
            let way = turning(&bearings);
            let mut on_way = OnWay::default();
            let (mut far, mut steps) = (0, 0);
            let mut before_m: f64 = 0.0;
            for (second, (bearing, size)) in errors.iter().enumerate() {
                let true_m = speed_mps * second as f64;
                if true_m > way.length_m() { break; }
                let seen = destination(at(&way, true_m), *bearing, size * 1.6 * noise_m);
                on_way.observe(&way, Reading { accuracy_m: Some(noise_m), ..reading(second as i64, seen, None) });
                prop_assert!(!on_way.is_off());
                prop_assert!(on_way.along_m() >= before_m || second >= BACK_AFTER_FIXES as usize);
                before_m = on_way.along_m();
                steps += 1;
                far += usize::from((on_way.along_m() - true_m).abs() > 80.0);
            }
            prop_assert!(far * 10 <= steps, "{far} of {steps} fixes were placed more than 80 m from the truth");
        }
    }
}
