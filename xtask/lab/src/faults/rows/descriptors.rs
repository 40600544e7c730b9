//! No file descriptors are left: the server admits no new client, and connected clients do not notice.

use super::Outcome;
use crate::faults::load::judged;
use crate::faults::setting::{Setting, pass, wait_until};
use crate::machine::descriptors;
use anyhow::{Context, Result};
use doorstep_simulator::Check;
use doorstep_simulator::clock::now_ms;
use doorstep_simulator::load::Of;
use std::fs;
use std::process::Command;
use std::time::Duration;
use xtask_support::process;

const EXHAUSTED_FOR: Duration = Duration::from_secs(10);
const RECOVERED_WITHIN_S: f64 = 5.0;
const PATIENCE: Duration = Duration::from_secs(30);

/// Part of the positions that have to arrive all the same; the others may be conflated.
const DELIVERED: f64 = 0.9;
const WITHOUT_ACK_S: f64 = 1.0;

/// F16.
pub(super) fn exhausted(setting: &Setting) -> Result<Outcome> {
    let scene = setting.scene()?;
    let load = setting.load(&scene, 30.0)?;
    let pid = scene.server.pid();
    setting.reach_a_moment(3.0, 6.0)?;
    let usual = allowed(pid)?;
    let from_ms = now_ms();
    // The limit is on numbers, and the lowest free one is given next: what is open stays, and no more can be opened.
    allow(pid, descriptors::next(pid)?)?;
    let mut refused = 0;
    let mut asked = 0;
    while now_ms() < from_ms + i64::try_from(EXHAUSTED_FOR.as_millis())? {
        asked += 1;
        refused += u64::from(scene.server.status("/health/live").is_none());
        pass(Duration::from_millis(100))?;
    }
    let until_ms = now_ms();
    allow(pid, usual)?;
    let recovered =
        wait_until("a new client gets in", PATIENCE, || Ok(scene.server.status("/health/live") == Some(200)))?;
    let report = load.finish()?;
    let (times, window) = (&report.times, (from_ms, until_ms));
    let expected = setting.size().deliveries_per_s() * (until_ms - from_ms) as f64 / 1_000.0;
    let facts = vec![
        Check::at_least(format!("of {asked} who tried, refused"), refused as f64, 1.0, ""),
        Check::never("connections lost by connected clients", report.losses()),
        Check::at_least(
            "positions that customers got",
            times.count(Of::Deliveries, window) as f64,
            expected * DELIVERED,
            "",
        ),
        Check::at_most(
            "longest time without an ack",
            times.longest_gap_s(Of::Acks, window),
            setting.limit(WITHOUT_ACK_S),
            "s",
        ),
        Check::at_most("others get in again after", recovered.as_secs_f64(), setting.limit(RECOVERED_WITHIN_S), "s"),
    ];
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}

/// How many descriptors a process may open.
fn allowed(pid: u32) -> Result<usize> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).context("the server is gone")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_ascii_whitespace().next());
    soft.context("no limit of open files")?.parse().context("the limit of open files is no number")
}

/// From now on it may have so many, its own upper limit staying as it is.
fn allow(pid: u32, descriptors: usize) -> Result<()> {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &pid.to_string(), &format!("--nofile={descriptors}:")]);
    process::run_quietly(&mut prlimit).map(drop)
}
