//! How much of the machine this program takes from the server it measures.

use std::time::{Duration, Instant};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

/// CPU time used by this process, from some moment on.
#[derive(Debug)]
pub(super) struct CpuClock {
    started: Instant,
    used: Duration,
}

impl CpuClock {
    pub(super) fn start() -> Self {
        Self { started: Instant::now(), used: used() }
    }

    /// CPU time per wall time since the start: 1.0 is one core.
    pub(super) fn share(&self) -> f64 {
        let used = used().saturating_sub(self.used);
        used.as_secs_f64() / self.started.elapsed().as_secs_f64().max(f64::EPSILON)
    }
}

fn used() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}
