//! Hands every message to its courier when it is due.
//!
//! On a thread of its own: the runtime's timers are a millisecond coarse, which is more than a server takes.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{
    company::Company,
    cpu::CpuClock,
    outcome::Conducted,
    riders::Riders,
    schedule::{Schedule, sleep_until},
};
use crate::{courier::Recorded, footprint::Watched};

const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// The faults of the lab wait for this line before they break anything.
pub const BEGUN: &str = "everybody is connected, and couriers report";

pub(super) struct Conductor {
    pub company: Arc<Company>,
    pub schedule: Schedule,
    pub riders: Riders,
    pub server_pids: Vec<u32>,
}

impl Conductor {
    /// Blocks until the last message was handed over.
    ///
    /// # Errors
    /// When the server that is watched is gone.
    pub(super) fn conduct(mut self) -> Result<Conducted> {
        let zero = self.company.zero;
        sleep_until(zero.instant);
        eprintln!("{BEGUN}");
        let server = Watched::start(&self.server_pids)?;
        let cpu = CpuClock::start();
        let mut progress_at = zero.instant + PROGRESS_EVERY;
        for (courier, due_ms) in self.schedule.iter() {
            let due = zero.at(due_ms);
            // Ridden before it is due, so that riding costs no lateness.
            let times_ms = self.schedule.fix_times_ms(due_ms).map(|time_ms| zero.epoch_ms + time_ms);
            let fixes = self.riders.fixes(courier, self.schedule.period(), times_ms);
            let recorded = fixes.into_iter().map(|fix| Recorded { fix, due }).collect();
            sleep_until(due);
            self.hand_over(courier, recorded, due);
            if due >= progress_at {
                progress_at += PROGRESS_EVERY;
                self.print_progress();
            }
        }
        let deliveries = self.company.measurements.deliveries();
        let server = if self.server_pids.is_empty() { None } else { Some(server.footprint(deliveries)?) };
        Ok(Conducted { own_cpu: cpu.share(), server })
    }

    fn hand_over(&self, courier: usize, recorded: Vec<Recorded>, due: Instant) {
        let (count, measurements) = (recorded.len() as u64, &self.company.measurements);
        measurements.lateness.add(due.elapsed());
        if self.company.couriers[courier].try_record(recorded) {
            measurements.fixes_given.fetch_add(count, Ordering::Relaxed);
        } else {
            measurements.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn print_progress(&self) {
        let measurements = &self.company.measurements;
        let given = measurements.fixes_given.load(Ordering::Relaxed);
        let acked = measurements.fixes_acked.load(Ordering::Relaxed);
        let delivered = measurements.deliveries.load(Ordering::Relaxed);
        eprintln!("{given} fixes given, {acked} acked, {delivered} deliveries");
    }
}
