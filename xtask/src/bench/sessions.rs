//! Cores for threads, not for sessions.
//!
//! Linux shares cores between sessions first (`kernel.sched_autogroup_enabled`), unless control groups do. Every
//! backend of Postgres is a session of its own, and one that was ready to run waited for up to 45 ms while everything
//! else was busy; with one share for each thread it was 6 ms at most. A machine with Postgres has this turned off.

use std::{fs, io};

const SWITCH: &str = "/proc/sys/kernel/sched_autogroup_enabled";

/// While this lives no session has a share of its own.
#[derive(Debug)]
pub struct NoShares {
    turn_on_again: bool,
}

impl NoShares {
    /// Turns it off where this machine lets us, and says so; where not it says how to.
    pub fn for_sessions() -> Self {
        if !is_on() {
            return Self { turn_on_again: false };
        }
        let turned_off = turn("0").is_ok();
        if turned_off {
            eprintln!("  sessions have no share of the cores until this is over (kernel.sched_autogroup_enabled)");
        } else {
            eprintln!(
                "  Linux shares the cores between sessions here, which holds Postgres up; for figures that can be \
                 compared: sudo sysctl kernel.sched_autogroup_enabled=0"
            );
        }
        Self { turn_on_again: turned_off }
    }
}

impl Drop for NoShares {
    fn drop(&mut self) {
        if self.turn_on_again
            && let Err(error) = turn("1")
        {
            eprintln!("  kernel.sched_autogroup_enabled is still 0: {error}");
        }
    }
}

/// How it is now, for whoever reads a figure; nothing on kernels that do not have it.
pub fn told() -> &'static str {
    if is_on() { "cores shared between sessions" } else { "" }
}

fn is_on() -> bool {
    fs::read_to_string(SWITCH).is_ok_and(|switch| switch.trim() == "1")
}

fn turn(switch: &str) -> io::Result<()> {
    fs::write(SWITCH, switch)
}
