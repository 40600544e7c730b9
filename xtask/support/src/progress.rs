//! Says what is being done and how long it took, in calm lines on stderr.

use crate::process;
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

/// Does `work`, announcing it before and giving its time after.
///
/// # Errors
/// Those of `work`, and an interruption that arrived before it began.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    ensure!(!process::interrupted(), "interrupted before: {what}");
    eprintln!("→ {what}");
    let started = Instant::now();
    let value = work()?;
    eprintln!("  done in {}", seconds(started.elapsed()));
    Ok(value)
}

/// A line about something that needed no work, or a figure.
pub fn note(text: &str) {
    eprintln!("  {text}");
}

/// A duration as people read it: `0.3 s`, `4 min 05 s`.
pub fn seconds(elapsed: Duration) -> String {
    let whole = elapsed.as_secs();
    if whole < 60 {
        return format!("{:.1} s", elapsed.as_secs_f64());
    }
    format!("{} min {:02} s", whole / 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_in_seconds_and_then_in_minutes() {
        assert_eq!(seconds(Duration::from_millis(340)), "0.3 s");
        assert_eq!(seconds(Duration::from_secs(245)), "4 min 05 s");
    }
}
