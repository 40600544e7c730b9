//! When acks and positions came, in steps of a tenth of a second: what a fault did shows only over time.

use std::{sync::Mutex, time::Duration};

use super::times::{Moments, Times};

/// The length of a step.
const STEP: Duration = Duration::from_millis(100);

/// Both kinds of answers while a load test runs.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    pub acks: Latencies,
    pub deliveries: Latencies,
}

/// Things that happen, each with how long it took.
#[derive(Debug, Default)]
pub(super) struct Latencies(Mutex<Steps>);

#[derive(Debug, Default)]
struct Steps {
    over: Moments,
    /// What belongs to the present step, in microseconds.
    present_us: Vec<u32>,
}

impl Timeline {
    pub(super) fn times(&self, zero_ms: i64) -> Times {
        let step_ms = STEP.as_millis() as u32;
        Times { zero_ms, step_ms, acks: self.acks.moments(), deliveries: self.deliveries.moments() }
    }
}

impl Latencies {
    /// Notes something that came `since_zero` after the schedule began and took `latency`.
    pub(super) fn add(&self, since_zero: Duration, latency: Duration) {
        let step = (since_zero.as_millis() / STEP.as_millis()) as usize;
        let mut steps = self.0.lock().expect("nothing panics while it holds the steps");
        while steps.over.counts.len() < step {
            steps.close();
        }
        steps.present_us.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    fn moments(&self) -> Moments {
        let mut steps = self.0.lock().expect("nothing panics while it holds the steps");
        steps.close();
        steps.over.clone()
    }
}

impl Steps {
    fn close(&mut self) {
        let present = &mut self.present_us;
        self.over.counts.push(u32::try_from(present.len()).unwrap_or(u32::MAX));
        let last = present.len().saturating_sub(1);
        let max_us = present.iter().max().copied().unwrap_or_default();
        let p99_us = match present.len() {
            0 => 0,
            count => *present.select_nth_unstable((count * 99 / 100).min(last)).1,
        };
        self.over.p99_ms.push(f64::from(p99_us) / 1_000.0);
        self.over.max_ms.push(f64::from(max_us) / 1_000.0);
        present.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_in_its_step_and_silence_is_an_empty_one() {
        let latencies = Latencies::default();
        for (since_ms, latency_ms) in [(20, 1), (90, 3), (310, 7)] {
            latencies.add(Duration::from_millis(since_ms), Duration::from_millis(latency_ms));
        }
        let moments = latencies.moments();
        assert_eq!(moments.counts, [2, 0, 0, 1]);
        assert_eq!(moments.p99_ms, [3.0, 0.0, 0.0, 7.0]);
        assert_eq!(moments.max_ms, [3.0, 0.0, 0.0, 7.0]);
    }
}
