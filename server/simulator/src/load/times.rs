//! When acks and positions came, step by step, as the report of a load test says, and questions about it.
//!
//! What a fault did shows only over time: a test that broke something asks for gaps and for slow answers in a window.

use serde::{Deserialize, Serialize};

/// From one moment to another, Unix epoch milliseconds.
pub type Window = (i64, i64);

/// When everything came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// When the schedule began, Unix epoch milliseconds; the first step begins there.
    pub zero_ms: i64,
    /// The length of a step, in milliseconds.
    pub step_ms: u32,
    /// Acks of fixes.
    pub acks: Moments,
    /// Positions that customers got.
    pub deliveries: Moments,
}

/// One kind of answers, step by step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// How many came in each step.
    pub counts: Vec<u32>,
    /// How long 99 in a hundred of them took at most, in milliseconds; 0 where none came.
    pub p99_ms: Vec<f64>,
    /// How long the slowest of them took.
    pub max_ms: Vec<f64>,
}

/// Which answers a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Acks of fixes.
    Acks,
    /// Positions that customers got.
    Deliveries,
}

impl Times {
    /// How many came within `window`.
    pub fn count(&self, of: Of, window: Window) -> u64 {
        self.steps(window).map(|step| u64::from(self.at(of, step))).sum()
    }

    /// The longest time within `window` in which none came, in seconds, to the length of a step.
    pub fn longest_gap_s(&self, of: Of, window: Window) -> f64 {
        let (mut gap, mut longest) = (0_u32, 0_u32);
        for step in self.steps(window) {
            gap = if self.at(of, step) == 0 { gap + 1 } else { 0 };
            longest = longest.max(gap);
        }
        f64::from(longest * self.step_ms) / 1_000.0
    }

    /// How long the slowest took that came within `window`, in seconds; 0 when none came.
    pub fn slowest_s(&self, of: Of, window: Window) -> f64 {
        let max_ms = &self.moments(of).max_ms;
        self.steps(window).filter_map(|step| max_ms.get(step)).fold(0.0_f64, |slowest, ms| slowest.max(*ms)) / 1_000.0
    }

    /// How long after `moment_ms` the last came that was due before it, in seconds, to the length of a step.
    pub fn caught_up_s(&self, of: Of, moment_ms: i64) -> f64 {
        let began_ms = |step: usize| self.zero_ms as f64 + step as f64 * f64::from(self.step_ms);
        let max_ms = &self.moments(of).max_ms;
        let last = (0..max_ms.len())
            .rev()
            .find(|step| self.at(of, *step) > 0 && began_ms(*step) - max_ms[*step] < moment_ms as f64);
        last.map_or(0.0, |step| (began_ms(step + 1) - moment_ms as f64).max(0.0) / 1_000.0)
    }

    /// How slow they usually were within `window`: the median over its steps of how long 99 in a hundred took.
    pub fn usual_p99_ms(&self, of: Of, window: Window) -> f64 {
        median(self.filled_p99_ms(of, window))
    }

    /// The same for a window of many seconds: the median over its seconds of what their steps took in the mean. The
    /// server sends to consoles four times a second, which makes four steps in ten slower, and the median over steps
    /// depends on how far the others reach.
    pub fn steady_p99_ms(&self, of: Of, window: Window) -> f64 {
        let steps_a_second = (1_000 / self.step_ms.max(1)).max(1) as usize;
        let p99_ms = self.filled_p99_ms(of, window);
        let seconds = p99_ms.chunks_exact(steps_a_second);
        median(seconds.map(|second| second.iter().sum::<f64>() / second.len() as f64).collect())
    }

    fn filled_p99_ms(&self, of: Of, window: Window) -> Vec<f64> {
        let filled = self.steps(window).filter(|step| self.at(of, *step) > 0);
        filled.filter_map(|step| self.moments(of).p99_ms.get(step).copied()).collect()
    }

    /// Whole steps only: what belongs to the window's edges belongs to its outside, too.
    fn steps(&self, (from_ms, until_ms): Window) -> std::ops::Range<usize> {
        let step_ms = i64::from(self.step_ms.max(1));
        let first =
            (from_ms - self.zero_ms).max(0).div_euclid(step_ms) + i64::from((from_ms - self.zero_ms) % step_ms > 0);
        let end = (until_ms - self.zero_ms).max(0).div_euclid(step_ms);
        usize::try_from(first).unwrap_or(0)..usize::try_from(end).unwrap_or(0)
    }

    /// There are no counts for steps after the last answer.
    fn at(&self, of: Of, step: usize) -> u32 {
        self.moments(of).counts.get(step).copied().unwrap_or(0)
    }

    fn moments(&self, of: Of) -> &Moments {
        match of {
            Of::Acks => &self.acks,
            Of::Deliveries => &self.deliveries,
        }
    }
}

/// Of nothing there is none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times() -> Times {
        let acks = Moments {
            counts: vec![5, 0, 0, 7, 0, 3],
            p99_ms: vec![1.0, 0.0, 0.0, 9.0, 0.0, 2.0],
            max_ms: vec![3.0, 0.0, 0.0, 250.0, 0.0, 4.0],
        };
        Times { zero_ms: 1_000, step_ms: 100, acks, deliveries: Moments::default() }
    }

    #[test]
    fn windows_count_whole_steps() {
        assert_eq!(times().count(Of::Acks, (1_000, 1_600)), 15);
        assert_eq!(times().count(Of::Acks, (1_050, 1_399)), 0);
        assert_eq!(times().count(Of::Deliveries, (0, 9_000)), 0);
    }

    #[test]
    fn a_gap_is_the_longest_row_of_empty_steps_also_at_the_end() {
        assert!((times().longest_gap_s(Of::Acks, (1_000, 1_600)) - 0.2).abs() < 1e-9);
        assert!((times().longest_gap_s(Of::Acks, (1_000, 2_000)) - 0.4).abs() < 1e-9);
    }

    #[test]
    fn the_slowest_is_found_where_it_came() {
        assert!((times().slowest_s(Of::Acks, (1_000, 1_600)) - 0.25).abs() < 1e-9);
        assert!((times().slowest_s(Of::Acks, (1_400, 1_600)) - 0.004).abs() < 1e-9);
        assert!(times().slowest_s(Of::Deliveries, (1_000, 1_600)) < 1e-9);
    }

    #[test]
    fn what_was_due_before_a_moment_is_caught_up_with_its_last_answer() {
        // The slowest came between 1.3 and 1.4 s and was due a quarter of a second earlier.
        assert!((times().caught_up_s(Of::Acks, 1_200) - 0.2).abs() < 1e-9);
        assert!(times().caught_up_s(Of::Acks, 900) < 1e-9);
        assert!((times().caught_up_s(Of::Acks, 1_500) - 0.1).abs() < 1e-9);
    }

    #[test]
    fn how_slow_it_usually_was_leaves_empty_steps_out() {
        assert!((times().usual_p99_ms(Of::Acks, (1_000, 1_600)) - 2.0).abs() < 1e-9);
        assert!(times().usual_p99_ms(Of::Deliveries, (1_000, 1_600)).is_nan());
    }

    #[test]
    fn one_slow_step_more_or_less_in_a_second_changes_little() {
        let with_slow = |slow: usize| {
            let p99_ms = (0..50).map(|step| if step % 10 < slow { 2.0 } else { 1.0 }).collect();
            let deliveries = Moments { counts: vec![1; 50], p99_ms, max_ms: vec![2.0; 50] };
            Times { zero_ms: 0, step_ms: 100, acks: Moments::default(), deliveries }
        };
        let (four, six) = (with_slow(4), with_slow(6));
        assert!((four.steady_p99_ms(Of::Deliveries, (0, 5_000)) - 1.4).abs() < 1e-9);
        assert!((six.steady_p99_ms(Of::Deliveries, (0, 5_000)) - 1.6).abs() < 1e-9);
        assert!((six.usual_p99_ms(Of::Deliveries, (0, 5_000)) - 2.0).abs() < 1e-9);
        assert!(four.steady_p99_ms(Of::Acks, (0, 5_000)).is_nan());
    }
}
