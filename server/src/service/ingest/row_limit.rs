//! How many fixes of one courier are taken in: a long backlog at once, and then so many a second.
//!
//! Every fix is a row that is kept for weeks, so one phone must not write as fast as the database can. A session or a
//! request looks whether it must wait, takes in what came, and pays for it: that the next must wait is what limits, so
//! nothing that came is lost. Counted for the courier, whatever devices and connections there are; each takes its
//! counter once, and counts without a lock.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use doorstep_shared::CourierId;

/// Fixes at once: a phone's whole backlog of 20 000, what it records while that is sent, and what is sent again because
/// an ack was lost.
const BURST: u64 = 30_000;

/// Fixes a second after that: two devices and a tracker at 1 Hz, several times over. In a day these are 200 MB, where a
/// phone that sent what it could wrote 150 GB.
const PER_SECOND: u64 = 20;

const US_PER_ROW: u64 = 1_000_000 / PER_SECOND;
const BURST_US: u64 = BURST * US_PER_ROW;

/// The counters of all couriers. Shared by reference.
#[derive(Debug, Default)]
pub struct RowLimits(Mutex<HashMap<CourierId, Arc<RowAllowance>>>);

/// The counter of one courier.
#[derive(Debug)]
pub struct RowAllowance {
    began: Instant,
    /// When everything that came is paid for, microseconds after `began`.
    paid_us: AtomicU64,
}

impl RowLimits {
    /// The counter of a courier.
    pub fn of(&self, courier: CourierId) -> Arc<RowAllowance> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(counters.entry(courier).or_default())
    }

    /// Forgets couriers who owe nothing and are not connected.
    pub fn forget_idle(&self) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.retain(|_, counter| Arc::strong_count(counter) > 1 || counter.owes());
        counters.shrink_to_fit();
    }
}

impl Default for RowAllowance {
    fn default() -> Self {
        Self { began: Instant::now(), paid_us: AtomicU64::new(0) }
    }
}

impl RowAllowance {
    /// Counts fixes that came.
    pub fn spend(&self, rows: usize) {
        self.spend_at(self.now_us(), rows);
    }

    /// How long to take in nothing; `None` while there is allowance left.
    pub fn wait(&self) -> Option<Duration> {
        self.wait_at(self.now_us())
    }

    fn spend_at(&self, now_us: u64, rows: usize) {
        let cost_us = (rows as u64).saturating_mul(US_PER_ROW);
        let paid = |paid_us: u64| Some(paid_us.max(now_us).saturating_add(cost_us));
        // The closure always gives a value.
        let _ = self.paid_us.try_update(Ordering::Relaxed, Ordering::Relaxed, paid);
    }

    fn wait_at(&self, now_us: u64) -> Option<Duration> {
        let owed_us = self.paid_us.load(Ordering::Relaxed).saturating_sub(now_us);
        let wait_us = owed_us.saturating_sub(BURST_US);
        (wait_us > 0).then(|| Duration::from_micros(wait_us))
    }

    fn owes(&self) -> bool {
        self.paid_us.load(Ordering::Relaxed) > self.now_us()
    }

    fn now_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND_US: u64 = 1_000_000;

    #[test]
    fn a_backlog_of_twenty_thousand_waits_for_nothing() {
        let allowance = RowAllowance::default();
        for message in 0..40 {
            assert_eq!(allowance.wait_at(message * SECOND_US), None);
            allowance.spend_at(message * SECOND_US, 500);
        }
        assert_eq!(allowance.wait_at(60 * SECOND_US), None, "and there is room for what comes meanwhile");
    }

    #[test]
    fn what_is_beyond_the_allowance_is_paid_for_before_more_comes() {
        let allowance = RowAllowance::default();
        allowance.spend_at(0, BURST as usize + 100);
        assert_eq!(allowance.wait_at(0), Some(Duration::from_secs(5)));
        assert_eq!(allowance.wait_at(5 * SECOND_US), None);
    }

    #[test]
    fn counters_are_one_for_each_courier_and_forgotten_when_paid() {
        let (limits, ana, ben) = (RowLimits::default(), CourierId::new(), CourierId::new());
        limits.of(ana).spend(BURST as usize + 100);
        assert!(limits.of(ana).wait().is_some() && limits.of(ben).wait().is_none());
        limits.forget_idle();
        let known = |courier| limits.0.lock().expect("no panic").contains_key(&courier);
        assert!(known(ana) && !known(ben));
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_the_rate_come_in(
            messages in prop::collection::vec((0u64..2_000_000, 1usize..500), 1..400),
        ) {
            let (allowance, mut now_us, mut taken) = (RowAllowance::default(), 0, 0);
            for (gap_us, rows) in messages {
                now_us += gap_us;
                if let Some(wait) = allowance.wait_at(now_us) {
                    now_us += wait.as_micros() as u64;
                }
                allowance.spend_at(now_us, rows);
                taken += rows as u64;
                prop_assert!(taken <= BURST + 500 + now_us / US_PER_ROW);
            }
        }
    }
}
