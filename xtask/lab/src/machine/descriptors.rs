//! The descriptors of a process, as the kernel counts them. Its CPU time and memory are in the simulator's `footprint`.

use anyhow::{Context, Result, ensure};
use std::collections::HashSet;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// Files and sockets that process `pid` has open.
///
/// # Errors
/// When it is gone.
pub(crate) fn count(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd")).with_context(|| format!("process {pid} is gone"))?.count())
}

/// The number that process `pid` gives to whatever it opens next.
///
/// # Errors
/// When it is gone.
pub(crate) fn next(pid: u32) -> Result<usize> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).with_context(|| format!("process {pid} is gone"))?.flatten();
    let open: HashSet<usize> = open.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    Ok((0..).find(|number| !open.contains(number)).unwrap_or(open.len()))
}

/// Waits until process `pid` has let go of its sockets, and has `most` descriptors open or fewer.
///
/// # Errors
/// When it does not within `patience`.
pub(crate) fn wait_for_at_most(pid: u32, most: usize, patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    while count(pid)? > most {
        ensure!(Instant::now() < deadline, "process {pid} still holds {} descriptors", count(pid)?);
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
        assert!(count(pid).expect("we exist") >= 3);
        assert!(next(pid).expect("we exist") >= 3);
        assert!(count(u32::MAX).is_err());
    }
}
