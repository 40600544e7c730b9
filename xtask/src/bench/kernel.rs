//! What a process takes from the machine, as the kernel counts it.

use anyhow::{Context, Result, ensure};
use std::collections::HashSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

// The unit of the CPU fields of /proc/PID/stat: 1/USER_HZ, which Linux fixed at 100 for every program it runs.
const TICK: Duration = Duration::from_millis(10);

/// CPU time that process `pid` has used so far.
///
/// # Errors
/// When it is gone.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
    // The second field is the program's name in brackets, which may hold spaces.
    let mut fields = stat.rsplit_once(')').context("no program name")?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || -> Result<u32> { Ok(fields.next().context("too few fields")?.parse()?) };
    Ok(TICK * (ticks()? + ticks()?))
}

/// Memory that process `pid` holds, in bytes.
///
/// # Errors
/// When it is gone.
pub fn resident(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}

/// Files and sockets that process `pid` has open.
///
/// # Errors
/// When it is gone.
pub fn descriptors(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd")).with_context(|| format!("process {pid} is gone"))?.count())
}

/// The number that process `pid` gives to whatever it opens next.
///
/// # Errors
/// When it is gone.
pub fn next_descriptor(pid: u32) -> Result<usize> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).with_context(|| format!("process {pid} is gone"))?.flatten();
    let open: HashSet<usize> = open.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    Ok((0..).find(|number| !open.contains(number)).unwrap_or(open.len()))
}

/// Waits until process `pid` has let go of its sockets, and has `most` descriptors open or fewer.
///
/// # Errors
/// When it does not within `patience`.
pub fn wait_for_descriptors(pid: u32, most: usize, patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    while descriptors(pid)? > most {
        ensure!(Instant::now() < deadline, "process {pid} still holds {} descriptors", descriptors(pid)?);
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_figures() {
        let pid = std::process::id();
        assert!(resident(pid).expect("we exist") > 100_000.0);
        assert!(descriptors(pid).expect("we exist") >= 3);
        assert!(next_descriptor(pid).expect("we exist") >= 3);
        assert!(cpu(pid).is_ok());
        assert!(cpu(u32::MAX).is_err());
    }
}
