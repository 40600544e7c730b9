//! Lets customers connect at a steady rate while couriers report.
//!
//! After a restart or a network failure thousands come back within a second, and each costs a handshake, two lookups and
//! a snapshot. Let in as they come, they would take every core for a second, and couriers' fixes would wait behind them.
//! So each gets a moment of its own, a fraction of a millisecond after the one before; while no courier reports they pass
//! as they come.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Customers whom one thread lets in within a second: less than a third of what it could.
const PER_THREAD_PER_S: u64 = 1_300;

/// As many pass at once before the next one waits.
const AT_ONCE: u64 = 100;

/// A customer who would have to wait for longer is refused and comes again: the client gives up about then anyway.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// How long after the last fix couriers count as reporting.
pub const QUIET: Duration = Duration::from_secs(1);

/// Shared by reference.
#[derive(Debug)]
pub struct ConnectLimiter {
    epoch: Instant,
    gap_us: u64,
    /// When the next one may pass, in microseconds after `epoch`.
    next_us: AtomicU64,
}

impl ConnectLimiter {
    /// A limiter before `threads` threads, at least one.
    pub fn new(threads: usize) -> Self {
        let gap_us = (1_000_000 / (PER_THREAD_PER_S * threads.max(1) as u64)).max(1);
        Self { epoch: Instant::now(), gap_us, next_us: AtomicU64::new(0) }
    }

    /// Waits for the caller's turn.
    ///
    /// # Errors
    /// After how many seconds to come again, at least one, when too many wait already.
    /// # Cancel safety
    /// Dropping the future gives the turn up; no other caller takes it.
    pub async fn pass(&self) -> Result<(), u32> {
        let now_us = self.epoch.elapsed().as_micros() as u64;
        let wait = self.take(now_us)?;
        if wait > Duration::ZERO {
            metrics::counter!("doorstep_connect_limiter_waits_total").increment(1);
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    /// Takes the next turn, and gives the time until it.
    fn take(&self, now_us: u64) -> Result<Duration, u32> {
        let earliest_us = now_us.saturating_sub(AT_ONCE * self.gap_us);
        let latest_us = now_us + LONGEST_WAIT.as_micros() as u64;
        let turn = |next_us: u64| next_us.max(earliest_us);
        let taken = self.next_us.try_update(Ordering::Relaxed, Ordering::Relaxed, |next_us| {
            (turn(next_us) <= latest_us).then(|| turn(next_us) + self.gap_us)
        });
        match taken {
            Ok(next_us) => Ok(Duration::from_micros(turn(next_us).saturating_sub(now_us))),
            Err(_) => Err(LONGEST_WAIT.as_secs() as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_few_pass_at_once_and_the_others_one_after_the_other() {
        let limiter = ConnectLimiter::new(2);
        let now_us = 10_000_000;
        let waits: Vec<_> = (0..1_000).map(|_| limiter.take(now_us).expect("there is room")).collect();
        assert!(waits[..=AT_ONCE as usize].iter().all(Duration::is_zero));
        assert!(waits[AT_ONCE as usize + 1..].iter().is_sorted());
        assert_eq!(waits[999], Duration::from_micros((999 - AT_ONCE) * limiter.gap_us));
    }

    #[test]
    fn a_customer_who_would_wait_too_long_is_refused_and_takes_no_turn() {
        let limiter = ConnectLimiter::new(1);
        let room = (0..).take_while(|_| limiter.take(0).is_ok()).count() as u64;
        assert!(room.abs_diff(LONGEST_WAIT.as_secs() * PER_THREAD_PER_S) < 2 * AT_ONCE, "{room} found room");
        assert_eq!(limiter.take(0), Err(8));
        let later_us = 1_000_000;
        let again = (0..).take_while(|_| limiter.take(later_us).is_ok()).count() as u64;
        assert!(again.abs_diff(PER_THREAD_PER_S) < AT_ONCE, "{again} found room a second later");
    }

    proptest! {
        #[test]
        fn never_more_pass_within_a_second_than_there_is_room_for(
            gaps_us in prop::collection::vec(0_u64..2_000, 1..3_000), threads in 1_usize..4,
        ) {
            let limiter = ConnectLimiter::new(threads);
            let mut now_us = 1_000_000;
            let mut turns = Vec::new();
            for gap_us in gaps_us {
                now_us += gap_us;
                if let Ok(wait) = limiter.take(now_us) {
                    turns.push(now_us + wait.as_micros() as u64);
                }
            }
            let most = 1_000_000 / limiter.gap_us + AT_ONCE + 1;
            for (index, began_us) in turns.iter().enumerate() {
                let within = turns[index..].iter().take_while(|turn| **turn < began_us + 1_000_000).count();
                prop_assert!(within as u64 <= most, "{within} within a second");
            }
        }
    }
}
