//! What others would tell of the same deliveries.

use super::ledger::Teller;
use doorstep_arrival::score::{HORIZONS_MIN, Scored, Situation, Told};
use doorstep_shared::Vehicle;
use std::collections::HashMap;

/// Metres per second by which the rule of before divides, and the seconds it adds.
const fn town_speed_mps(vehicle: Vehicle) -> f64 {
    match vehicle {
        Vehicle::Foot => 1.3,
        Vehicle::Bicycle => 4.2,
        Vehicle::Scooter | Vehicle::Car => 6.4,
        Vehicle::Motorcycle => 7.0,
        Vehicle::Van => 5.6,
    }
}
const PICKUP_WAIT_S: f64 = 240.0;
const STAY_S: f64 = 240.0;
const HANDOVER_S: f64 = 60.0;

/// What is ahead at a moment, as far as the baselines look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    pub(super) at_ms: i64,
    pub(super) vehicle: Vehicle,
    pub(super) metres: f64,
    pub(super) routed_s: f64,
    pub(super) has_pickup: bool,
    pub(super) stops: usize,
    pub(super) situation: Situation,
}

impl Ahead {
    fn stays_s(&self) -> f64 {
        let pickup_s = if self.has_pickup { PICKUP_WAIT_S } else { 0.0 };
        pickup_s + self.stops as f64 * STAY_S + HANDOVER_S
    }

    /// Metres ÷ constant, with fixed stays.
    pub(super) fn by_constant_s(&self) -> f64 {
        self.metres / town_speed_mps(self.vehicle) + self.stays_s()
    }

    fn told(&self, (early_s, expected_s, late_s): (f64, f64, f64)) -> Told {
        let at = |seconds: f64| self.at_ms + (seconds * 1_000.0) as i64;
        Told {
            at_ms: self.at_ms,
            earliest_ms: at(early_s),
            expected_ms: at(expected_s),
            latest_ms: at(late_s),
            forecast_ms: at(expected_s),
            scale_s: expected_s,
            situation: self.situation,
        }
    }
}

/// The fixed range: 15 % before, 30 % after, four minutes at least.
fn fixed(expected_s: f64) -> (f64, f64, f64) {
    let early_s = expected_s * 0.85;
    (early_s, expected_s, (expected_s * 1.3).max(early_s + 240.0))
}

/// Baselines that learn as deliveries come.
#[derive(Default)]
pub(super) struct Baselines {
    /// Arrivals as multiples of what the constant expects, by the horizon nearest to what it expects.
    ratios: HashMap<u32, Vec<f64>>,
}

impl Baselines {
    /// What each would have told before an arrival. `seen` is in the order of time.
    pub(super) fn tell(&self, seen: &[Ahead], arrived_ms: i64) -> Vec<(Teller, Scored)> {
        let mut all = Vec::new();
        for horizon_min in HORIZONS_MIN {
            let Some(ahead) = at_horizon(seen, arrived_ms, horizon_min) else { continue };
            let constant_s = ahead.by_constant_s();
            let ranges = [
                (Teller::ConstantRule, fixed(constant_s)),
                (Teller::ConstantQuantiles, self.quantiles(constant_s)),
                (Teller::RouterUnlearned, fixed(ahead.routed_s + ahead.stays_s())),
            ];
            all.extend(
                ranges.map(|(teller, range)| (teller, Scored { horizon_min, told: ahead.told(range), arrived_ms })),
            );
        }
        all
    }

    pub(super) fn learn(&mut self, seen: &[Ahead], arrived_ms: i64) {
        // Once a minute, by what was expected then: nobody knows how near the arrival is before it came.
        let mut next_ms = i64::MIN;
        for ahead in seen {
            if ahead.at_ms >= next_ms {
                next_ms = ahead.at_ms + 60_000;
                let expected_s = ahead.by_constant_s();
                let ratio = (arrived_ms - ahead.at_ms) as f64 / 1_000.0 / expected_s;
                self.ratios.entry(nearest_horizon(expected_s)).or_default().push(ratio);
            }
        }
    }

    /// Between the quantiles of the horizons on either side of what is expected.
    fn quantiles(&self, expected_s: f64) -> (f64, f64, f64) {
        let minutes = (expected_s / 60.0).clamp(1.0, 30.0);
        let above = HORIZONS_MIN.iter().position(|horizon| f64::from(*horizon) >= minutes).unwrap_or(0);
        let (near, far) = (HORIZONS_MIN[above.saturating_sub(1)], HORIZONS_MIN[above]);
        let (a, b) = (self.at(near), self.at(far));
        let span = (f64::from(far) / f64::from(near)).ln();
        let share = if span > 0.0 { (minutes / f64::from(near)).ln() / span } else { 0.0 };
        let of = |n: usize| expected_s * (a[n] + share * (b[n] - a[n]));
        (of(0), of(1), of(2))
    }

    fn at(&self, horizon_min: u32) -> [f64; 3] {
        // Until ten deliveries are known, the fixed range fills in.
        let mut ratios = vec![0.80, 0.88, 0.95, 1.02, 1.1, 1.2, 1.35];
        ratios.extend(self.ratios.get(&horizon_min).into_iter().flatten().rev().take(2_000));
        ratios.sort_by(f64::total_cmp);
        [0.1, 0.5, 0.9].map(|share| {
            let place = share * (ratios.len() - 1) as f64;
            let (low, part) = (place as usize, place.fract());
            ratios[low] + part * (ratios[(low + 1).min(ratios.len() - 1)] - ratios[low])
        })
    }
}

fn nearest_horizon(seconds: f64) -> u32 {
    let distance = |horizon: &u32| (seconds / 60.0 / f64::from(*horizon)).ln().abs();
    HORIZONS_MIN.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(HORIZONS_MIN[0])
}

fn at_horizon(seen: &[Ahead], arrived_ms: i64, horizon_min: u32) -> Option<Ahead> {
    let at_ms = arrived_ms - i64::from(horizon_min) * 60_000;
    let stood = seen.partition_point(|ahead| ahead.at_ms <= at_ms);
    Some(Ahead { at_ms, ..*seen.get(stood.checked_sub(1)?)? })
}
