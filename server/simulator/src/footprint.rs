//! What another process takes from the machine, as the kernel counts it in `/proc`.
//!
//! A load test on the server's own machine can say what a delivery costs the server. The kernel counts in
//! hundredths of a second, so a measurement should last five seconds or more.

use std::{fmt, fs, time::Duration};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

// The unit of the CPU fields of /proc/PID/stat: 1/USER_HZ, which Linux fixed at 100 for every program it runs.
const TICK: Duration = Duration::from_millis(10);

/// What processes took between two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Footprint {
    /// CPU time of all their threads, in seconds.
    pub cpu_s: f64,
    /// The same for each delivery, in microseconds; 0 when there were none.
    pub cpu_us_per_delivery: f64,
    /// Memory that they hold at the end, in bytes.
    pub resident_bytes: u64,
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.resident_bytes as f64 / 1e6;
        write!(
            f,
            "{:.2} s of CPU, {:.1} µs for each delivery; {megabytes:.1} MB resident",
            self.cpu_s, self.cpu_us_per_delivery
        )
    }
}

/// Processes that are watched from some moment on.
#[derive(Debug)]
pub struct Watched {
    pids: Vec<u32>,
    cpu_before: Duration,
}

impl Watched {
    /// Begins to watch.
    ///
    /// # Errors
    /// When there is no such process, or no `/proc`.
    pub fn start(pids: &[u32]) -> Result<Self> {
        Ok(Self { pids: pids.to_vec(), cpu_before: sum(pids, cpu)? })
    }

    /// What they took together since, over so many deliveries.
    ///
    /// # Errors
    /// When one is gone.
    pub fn footprint(&self, deliveries: u64) -> Result<Footprint> {
        let used = sum(&self.pids, cpu)?.saturating_sub(self.cpu_before);
        let each = if deliveries == 0 { 0.0 } else { used.as_secs_f64() * 1e6 / deliveries as f64 };
        let resident_bytes = sum(&self.pids, resident)?;
        Ok(Footprint { cpu_s: used.as_secs_f64(), cpu_us_per_delivery: each, resident_bytes })
    }
}

fn sum<T: std::iter::Sum>(pids: &[u32], figure: fn(u32) -> Result<T>) -> Result<T> {
    pids.iter().map(|pid| figure(*pid)).sum()
}

/// CPU time that process `pid` has used so far, of all its threads.
///
/// # Errors
/// When it is gone.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("there is no process {pid}"))?;
    cpu_in(&stat).with_context(|| format!("/proc/{pid}/stat cannot be read"))
}

/// User and system time. The second field is the program's name in brackets, which may hold spaces and brackets.
fn cpu_in(stat: &str) -> Option<Duration> {
    let mut after_name = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks: u32 = after_name.next()?.parse::<u32>().ok()? + after_name.next()?.parse::<u32>().ok()?;
    Some(TICK * ticks)
}

/// Memory that process `pid` holds, in bytes.
///
/// # Errors
/// When it is gone.
pub fn resident(pid: u32) -> Result<u64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("there is no process {pid}"))?;
    resident_in(&status).with_context(|| format!("/proc/{pid}/status cannot be read"))
}

fn resident_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_figures_are_found_behind_any_name() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 100 1000 200";
        assert_eq!(cpu_in(stat), Some(Duration::from_secs(3)));
        assert_eq!(resident_in("Name:\tx\nVmRSS:\t   2048 kB\nThreads:\t1\n"), Some(2 * 1024 * 1024));
    }

    #[test]
    fn work_of_this_very_process_is_seen() {
        let watched = Watched::start(&[std::process::id()]).expect("we exist");
        let mut sum = 0_u64;
        while watched.footprint(1).expect("we exist").cpu_s < 0.02 {
            sum = (0..1_000_000).fold(sum, |sum, next| sum.wrapping_mul(31).wrapping_add(next));
        }
        let footprint = watched.footprint(10).expect("we exist");
        assert!(footprint.cpu_us_per_delivery >= 2_000.0 && footprint.resident_bytes > 0, "{footprint:?} {sum}");
    }
}
