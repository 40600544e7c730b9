//! What waiting for the disk costs at the moment, to be told beside figures that depend on it.

use anyhow::{Context, Result};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use xtask_support::postgres;

/// Microseconds of one `fdatasync`, by `pg_test_fsync` in `folder`. It tests much else; this takes four seconds.
///
/// # Errors
/// When Postgres' programs are not complete.
pub(crate) fn fdatasync_us(folder: &Path) -> Result<f64> {
    let programs = postgres::programs().context("Postgres is not installed")?;
    let mut child = Command::new(programs.join("pg_test_fsync"))
        .args(["--secs-per-test=1", "--filename"])
        .arg(folder.join("fsync.probe"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("pg_test_fsync cannot be started")?;
    let output = child.stdout.take().context("it has an output")?;
    let us = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| us_in(&line));
    let _ = child.kill();
    let _ = child.wait();
    let _ = std::fs::remove_file(folder.join("fsync.probe"));
    us.context("pg_test_fsync did not say what fdatasync costs")
}

/// From `        fdatasync      1234.567 ops/sec     810 usecs/op`.
fn us_in(line: &str) -> Option<f64> {
    let mut words = line.trim().strip_prefix("fdatasync")?.split_ascii_whitespace();
    let us = words.by_ref().skip_while(|word| *word != "ops/sec").nth(1)?;
    us.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_read_from_the_line_of_fdatasync() {
        assert_eq!(us_in("        fdatasync                         1234.567 ops/sec     810 usecs/op"), Some(810.0));
        assert_eq!(us_in("        open_datasync                     1234.567 ops/sec     810 usecs/op"), None);
        assert_eq!(us_in("        fdatasync                                      n/a*"), None);
    }
}
