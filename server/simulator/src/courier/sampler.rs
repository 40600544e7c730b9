//! Which readings a phone sends at the pace that the server asked for.

use std::time::{Duration, Instant};

use doorstep_shared::{
    LatLon,
    geo::distance::haversine_m,
    protocol::courier::{PACE_KEEP_ALIVE_MS, Pace},
};

const KEEP_ALIVE: Duration = Duration::from_millis(PACE_KEEP_ALIVE_MS);

/// Receivers tick about once a second, but not exactly: a reading this much early is the one that is due.
const TICK_SLACK: Duration = Duration::from_millis(100);

/// Remembers what was sent last.
#[derive(Clone, Debug, Default)]
pub struct Sampler {
    last: Option<(Instant, LatLon)>,
}

impl Sampler {
    /// Whether a reading is due; it counts as sent then. Everything is due before a pace is known.
    pub fn takes(&mut self, pace: Option<&Pace>, now: Instant, here: LatLon) -> bool {
        let is_due = match (self.last, pace) {
            (Some((at, place)), Some(pace)) => {
                let elapsed = now.duration_since(at) + TICK_SLACK;
                let is_far = haversine_m(place, here) >= f64::from(pace.min_distance_m);
                elapsed >= Duration::from_millis(pace.interval_ms) && (is_far || elapsed >= KEEP_ALIVE)
            }
            _ => true,
        };
        if is_due {
            self.last = Some((now, here));
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::geo::distance::destination;

    use super::*;

    fn sent(pace: &Pace, seconds: u64, speed_mps: f64) -> usize {
        let (start, origin) = (Instant::now(), LatLon::try_new(35.9, 14.5).expect("on earth"));
        let mut sampler = Sampler::default();
        let at = |second: u64| destination(origin, 90.0, second as f64 * speed_mps);
        (0..seconds)
            .filter(|second| sampler.takes(Some(pace), start + Duration::from_secs(*second), at(*second)))
            .count()
    }

    #[test]
    fn a_phone_sends_at_the_interval_when_it_moves_and_keeps_itself_alive_when_it_does_not() {
        let pace = |interval_ms, min_distance_m| Pace { interval_ms, min_distance_m, reason: None };
        assert_eq!(sent(&pace(1_000, 0), 60, 0.0), 60);
        assert_eq!(sent(&pace(5_000, 10), 60, 8.0), 12);
        assert_eq!(sent(&pace(5_000, 10), 60, 1.0), 6, "every ten metres");
        assert_eq!(sent(&pace(5_000, 10), 60, 0.0), 2);
        assert_eq!(sent(&pace(60_000, 50), 180, 0.0), 3, "the interval is longer than the patience");
    }
}
