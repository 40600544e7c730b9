//! The server ends: killed, or asked to.

use super::Outcome;
use crate::faults::load::judged;
use crate::faults::setting::Setting;
use anyhow::Result;
use doorstep_simulator::Check;
use doorstep_simulator::clock::now_ms;
use std::time::Instant;

const READY_WITHIN_S: f64 = 2.0;
const CURRENT_WITHIN_S: f64 = 5.0;
const ENDED_WITHIN_S: f64 = 5.0;

/// The code that tells clients to come back.
const SERVER_RESTART: u16 = 4000;

/// F1.
pub(super) fn killed(setting: &Setting) -> Result<Outcome> {
    let mut scene = setting.scene()?;
    let load = setting.load(&scene, setting.or_short(18.0, 10.0))?;
    setting.reach_a_moment(2.0, setting.or_short(8.0, 3.0))?;
    let killed_ms = now_ms();
    scene.server.running().kill()?;
    let started = Instant::now();
    scene.server.start_again()?;
    let ready = started.elapsed();
    let away_s = (now_ms() - killed_ms) as f64 / 1_000.0;
    let report = load.finish()?;
    // The longest silence began before the crash, so this is more than the time from the restart.
    let current_s = report.longest_silence.max_ms / 1_000.0 - away_s;
    let facts = vec![
        Check::at_most("ready again after", ready.as_secs_f64(), setting.limit(READY_WITHIN_S), "s"),
        Check::at_most("then every customer current after", current_s, setting.limit(CURRENT_WITHIN_S), "s"),
        Check::at_least("couriers who noticed", report.courier_losses as f64, f64::from(setting.size().couriers), ""),
    ];
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}

/// F2.
pub(super) fn asked_to_end(setting: &Setting) -> Result<Outcome> {
    let mut scene = setting.scene()?;
    let load = setting.load(&scene, setting.or_short(20.0, 10.0))?;
    setting.reach_a_moment(2.0, setting.or_short(6.0, 3.0))?;
    let ended = scene.server.stop()?;
    scene.server.start_again()?;
    let report = load.finish()?;
    let told = report.endings.get(&SERVER_RESTART).copied().unwrap_or(0);
    let facts = vec![
        Check::at_most("ended after", ended.as_secs_f64(), setting.limit(ENDED_WITHIN_S), "s"),
        Check::count("sockets closed with 4000", told.into(), setting.size().sockets().into()),
    ];
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}
