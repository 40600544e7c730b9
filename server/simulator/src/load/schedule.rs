//! When which courier is due to send what: fixed before the first message leaves.
//!
//! Moments are whole milliseconds, and the newest fix of a message carries the moment it is due as its time.
//! So a customer bot can tell from the position alone when it should have been sent.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::clock::now_ms;

/// The schedule of a whole run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    couriers: usize,
    period_ms: f64,
    messages: u64,
    fixes_per_message: usize,
}

/// The zero of a schedule on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zero {
    pub instant: Instant,
    pub epoch_ms: i64,
}

impl Zero {
    /// The next moment at least `lead` away.
    pub(super) fn after(lead: Duration) -> Self {
        let (now, now_ms) = (Instant::now(), now_ms());
        Self { instant: now + lead, epoch_ms: now_ms + lead.as_millis() as i64 }
    }

    /// A moment of the schedule on the monotonic clock.
    pub(super) fn at(&self, due_ms: u64) -> Instant {
        self.instant + Duration::from_millis(due_ms)
    }
}

impl Schedule {
    pub(super) fn new(couriers: usize, rate_hz: f64, duration_s: f64, fixes_per_message: usize) -> Result<Self> {
        ensure!(couriers > 0, "a load test needs a courier");
        ensure!(rate_hz.is_finite() && rate_hz > 0.0, "the rate must be above zero");
        ensure!(duration_s.is_finite() && duration_s > 0.0, "the duration must be above zero");
        ensure!((1..=500).contains(&fixes_per_message), "a message holds 1 to 500 fixes");
        let period_ms = 1_000.0 / rate_hz;
        ensure!(
            period_ms >= fixes_per_message as f64,
            "at this rate a message covers {period_ms:.1} ms, which is too short for {fixes_per_message} fixes of a millisecond each"
        );
        let messages = (duration_s * rate_hz).floor() as u64;
        ensure!(messages > 0, "no message is due within {duration_s} s");
        Ok(Self { couriers, period_ms, messages, fixes_per_message })
    }

    /// How many messages each courier sends.
    pub(super) fn messages_per_courier(&self) -> u64 {
        self.messages
    }

    /// How long a message covers.
    pub(super) fn period(&self) -> Duration {
        Duration::from_secs_f64(self.period_ms / 1_000.0)
    }

    /// Every message as `(courier, due_ms)`, in the order in which they are due.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, u64)> + use<> {
        let schedule = *self;
        (0..schedule.messages).flat_map(move |message| {
            (0..schedule.couriers).map(move |courier| (courier, schedule.due_ms(courier, message)))
        })
    }

    fn due_ms(&self, courier: usize, message: u64) -> u64 {
        self.offset_ms(courier) + (message as f64 * self.period_ms) as u64
    }

    /// Couriers take turns within a period, so that the load is even.
    fn offset_ms(&self, courier: usize) -> u64 {
        (courier as f64 * self.period_ms / self.couriers as f64) as u64
    }

    /// The times of a message's fixes relative to the schedule's zero, oldest first; the last is `due_ms`.
    pub(super) fn fix_times_ms(&self, due_ms: u64) -> impl Iterator<Item = i64> + use<> {
        let step_ms = (self.period_ms / self.fixes_per_message as f64) as i64;
        (0..self.fixes_per_message as i64).rev().map(move |back| due_ms as i64 - back * step_ms)
    }

    /// The number of the message whose newest fix has this time relative to zero; `None` for an older fix.
    pub(super) fn message_at(&self, courier: usize, time_ms: i64) -> Option<u64> {
        let since_ms = u64::try_from(time_ms).ok()?.checked_sub(self.offset_ms(courier))?;
        // The period need not be whole milliseconds, so the quotient may fall just short.
        let about = (since_ms as f64 / self.period_ms) as u64;
        (about..=about + 1).find(|message| *message < self.messages && self.due_ms(courier, *message) as i64 == time_ms)
    }
}

/// Blocks until `moment` has come.
pub(super) fn sleep_until(moment: Instant) {
    let left = moment.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        thread::sleep(left);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn messages_are_due_in_order_evenly_and_are_found_again(
            couriers in 1..30_usize, rate in 0.2..20.0_f64, duration in 5.0..8.0_f64, fixes in 1..20_usize,
        ) {
            let schedule = Schedule::new(couriers, rate, duration, fixes).expect("a sound schedule");
            let mut before = 0;
            let mut times = vec![BTreeSet::new(); couriers];
            let mut sent = vec![0; couriers];
            for (courier, due_ms) in schedule.iter() {
                prop_assert!(due_ms + 1 >= before, "{due_ms} after {before}");
                before = due_ms;
                prop_assert_eq!(schedule.message_at(courier, due_ms as i64), Some(sent[courier]));
                sent[courier] += 1;
                for time_ms in schedule.fix_times_ms(due_ms) {
                    prop_assert!(times[courier].insert(time_ms), "two fixes of one time");
                }
            }
            let each = (duration * rate).floor() as u64;
            prop_assert!(sent.iter().all(|count| *count == each));
            prop_assert!(times.iter().all(|times| times.len() == each as usize * fixes));
        }
    }

    #[test]
    fn older_fixes_of_a_message_and_foreign_times_are_not_its_newest() {
        let schedule = Schedule::new(10, 2.0, 10.0, 5).expect("a sound schedule");
        assert_eq!(schedule.fix_times_ms(550).collect::<Vec<_>>(), [150, 250, 350, 450, 550]);
        assert_eq!(schedule.message_at(1, 550), Some(1));
        assert_eq!(schedule.message_at(1, 450), None);
        assert_eq!(schedule.message_at(2, 550), None);
        assert_eq!(schedule.message_at(1, -50), None);
        assert_eq!(schedule.message_at(1, 10_050), None, "after the last");
    }

    #[test]
    fn nonsense_is_refused() {
        for (couriers, rate, duration, fixes) in
            [(0, 1.0, 1.0, 1), (1, 0.0, 1.0, 1), (1, 1.0, 0.5, 1), (1, 100.0, 1.0, 20)]
        {
            assert!(Schedule::new(couriers, rate, duration, fixes).is_err());
        }
    }
}
