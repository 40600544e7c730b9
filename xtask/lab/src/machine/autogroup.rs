//! Turns the scheduler's autogroups off while the lab measures.
//!
//! With `kernel.sched_autogroup_enabled` Linux shares the cores between terminal sessions first and between threads
//! second, unless control groups do. Every backend of Postgres is a session of its own, and one that was ready to run
//! waited for up to 45 ms while all other programs were busy; without autogroups it waited 6 ms at most. A machine that
//! serves Postgres has them turned off.

use std::{fs, io};

const SWITCH: &str = "/proc/sys/kernel/sched_autogroup_enabled";

/// Autogroups are off while this value lives, where this machine lets us turn them off.
#[derive(Debug)]
pub(crate) struct AutogroupOff {
    turn_on_again: bool,
}

impl AutogroupOff {
    /// Turns autogroups off and says so, or says how to where that is not allowed.
    pub(crate) fn begin() -> Self {
        if !is_on() {
            return Self { turn_on_again: false };
        }
        let turned_off = turn("0").is_ok();
        if turned_off {
            eprintln!("  scheduler autogroups are off until this is over (kernel.sched_autogroup_enabled)");
        } else {
            eprintln!(
                "  Linux shares the cores between sessions here, which slows Postgres down; for figures that can be \
                 compared: sudo sysctl kernel.sched_autogroup_enabled=0"
            );
        }
        Self { turn_on_again: turned_off }
    }
}

impl Drop for AutogroupOff {
    fn drop(&mut self) {
        if self.turn_on_again
            && let Err(error) = turn("1")
        {
            eprintln!("  kernel.sched_autogroup_enabled is still 0: {error}");
        }
    }
}

/// What the description of a machine says of it; nothing where autogroups are off or unknown.
pub(crate) fn description() -> &'static str {
    if is_on() { "cores shared between sessions" } else { "" }
}

fn is_on() -> bool {
    fs::read_to_string(SWITCH).is_ok_and(|switch| switch.trim() == "1")
}

fn turn(switch: &str) -> io::Result<()> {
    fs::write(SWITCH, switch)
}
