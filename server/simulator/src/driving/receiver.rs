//! A phone's satellite receiver: how it gets the truth slightly wrong.
//!
//! Its error wanders slowly, because reflections between the same houses stay the same for a while; each
//! reading adds a little of its own. Readings never run backwards in time.

use doorstep_shared::{
    RawFix,
    geo::{
        coord::round6,
        distance::{destination, normalise_deg},
    },
};
use rand::{Rng, rngs::StdRng};

use super::drive::Truth;
use crate::random::normal;

const ERROR_MEMORY_S: f64 = 25.0;
const BEST_ACCURACY_M: f64 = 3.0;
const WORST_ACCURACY_M: f64 = 8.0;
// Satellites cannot be heard under ground: the phone guesses on from its motion sensors, ever more vaguely,
// and finds itself again within seconds of coming out. In metres, and metres a second.
const VAGUEST_M: f64 = 20.0;
const VAGUER_MPS: f64 = 1.0;
const SURER_MPS: f64 = 4.0;
// What a phone calls accuracy covers two cases in three; divided over both directions.
const ERROR_PER_ACCURACY: f64 = 0.55;
/// No reading is farther from the truth than this many times its accuracy.
pub const WORST_ERROR_PER_ACCURACY: f64 = 2.5;
const HEADING_FROM_MPS: f64 = 0.8;

/// A receiver and the battery it drains.
#[derive(Clone, Debug)]
pub struct Receiver {
    random: StdRng,
    east: f64,
    north: f64,
    accuracy_m: f64,
    /// What being under ground adds to the accuracy.
    vague_m: f64,
    altitude_m: f64,
    battery: f64,
    last_ms: Option<i64>,
}

impl Receiver {
    /// A phone somewhere between half and fully charged.
    pub fn new(mut random: StdRng) -> Self {
        let (east, north) = (normal(&mut random), normal(&mut random));
        let accuracy_m = random.random_range(BEST_ACCURACY_M..WORST_ACCURACY_M);
        let altitude_m = random.random_range(5.0..60.0);
        let battery = random.random_range(0.5..1.0);
        Self { random, east, north, accuracy_m, vague_m: 0.0, altitude_m, battery, last_ms: None }
    }

    /// The reading at `time_ms`, moved on by a millisecond where needed to come after the one before.
    pub fn read(&mut self, truth: &Truth, time_ms: i64) -> RawFix {
        let time_ms = self.last_ms.map_or(time_ms, |last_ms| time_ms.max(last_ms + 1));
        let elapsed_s = self.last_ms.map_or(1.0, |last_ms| (time_ms - last_ms) as f64 / 1_000.0);
        self.last_ms = Some(time_ms);
        self.drift(elapsed_s);
        let change_mps = if truth.in_tunnel { VAGUER_MPS } else { -SURER_MPS };
        self.vague_m = (self.vague_m + change_mps * elapsed_s).clamp(0.0, VAGUEST_M);
        let accuracy_m = self.accuracy_m + self.vague_m;
        let (error_m, error_deg) = self.error(accuracy_m);
        let point = destination(truth.point, error_deg, error_m);
        RawFix {
            time_ms,
            lat: round6(point.lat()),
            lon: round6(point.lon()),
            accuracy_m: Some(rounded(accuracy_m, 10.0)),
            speed_mps: Some(rounded(self.speed_mps(truth), 100.0)),
            heading_deg: self.heading_deg(truth),
            altitude_m: Some(rounded(self.altitude_m, 10.0)),
            battery: Some(rounded(self.battery, 100.0)),
        }
    }

    /// A Gauss–Markov walk: old error fades, new error comes, their size stays.
    fn drift(&mut self, elapsed_s: f64) {
        let kept = (-elapsed_s / ERROR_MEMORY_S).exp();
        let fresh = (1.0 - kept * kept).sqrt();
        self.east = kept * self.east + fresh * normal(&mut self.random);
        self.north = kept * self.north + fresh * normal(&mut self.random);
        let step_m = 0.15 * elapsed_s.min(10.0).sqrt() * normal(&mut self.random);
        self.accuracy_m = (self.accuracy_m + step_m).clamp(BEST_ACCURACY_M, WORST_ACCURACY_M);
        self.altitude_m += 0.05 * normal(&mut self.random);
        self.battery = (self.battery - elapsed_s / 40_000.0).max(0.08);
    }

    /// Length and direction of the error.
    fn error(&mut self, accuracy_m: f64) -> (f64, f64) {
        let own = 0.1;
        let east = ERROR_PER_ACCURACY * accuracy_m * (self.east + own * normal(&mut self.random));
        let north = ERROR_PER_ACCURACY * accuracy_m * (self.north + own * normal(&mut self.random));
        let length_m = east.hypot(north).min(WORST_ERROR_PER_ACCURACY * accuracy_m);
        (length_m, normalise_deg(east.atan2(north).to_degrees()))
    }

    fn speed_mps(&mut self, truth: &Truth) -> f64 {
        if truth.speed_mps == 0.0 {
            return 0.0;
        }
        (truth.speed_mps + 0.15 * normal(&mut self.random)).max(0.0)
    }

    /// Which way a phone faces cannot be told while it stands.
    fn heading_deg(&mut self, truth: &Truth) -> Option<f32> {
        let noise_deg = 4.0 * normal(&mut self.random);
        let heading = rounded(normalise_deg(truth.heading_deg + noise_deg), 10.0);
        (truth.speed_mps >= HEADING_FROM_MPS).then_some(if heading >= 360.0 { 0.0 } else { heading })
    }
}

/// As many decimals as a phone would give: `steps` of them to one.
fn rounded(value: f64, steps: f64) -> f32 {
    ((value * steps).round() / steps) as f32
}
