//! Clients that do what good ones do not. They judge themselves; the load says what everybody else noticed.

use super::Outcome;
use crate::faults::load::{judged, kept_its_connections};
use crate::faults::misbehaving::Misbehaving;
use crate::faults::setting::{Setting, pass};
use crate::machine;
use anyhow::Result;
use doorstep_simulator::Check;
use doorstep_simulator::clock::now_ms;
use doorstep_simulator::load::Of;
use doorstep_simulator::misbehaviour::Findings;
use std::thread;
use std::time::Duration;

/// Strangers who ask for the map and take nothing of it, and those who keep their connection after an answer.
const TAKERS: u32 = 300;
const KEEPERS: u32 = 1_000;

/// Of each kind; each kind attacks as a courier and as a customer, and one more drips.
const ATTACKERS: u32 = 10;
const MEMORY_MIB_EACH: f64 = 1.0;

/// How much slower neighbours may get; with two cores, the attackers' work delays all clients.
const NEIGHBOURS_RATIO: f64 = 2.0;
const QUIET: Duration = Duration::from_secs(6);

/// F7.
pub(super) fn silent(setting: &Setting) -> Result<Outcome> {
    let seconds = setting.or_short("120", "70");
    beside_the_load(setting, setting.or_short(170.0, 110.0), &["silent", "--couriers", "20", "--seconds", seconds])
}

/// F11.
pub(super) fn repeated(setting: &Setting) -> Result<Outcome> {
    let couriers = setting.or_short("50", "10");
    beside_the_load(setting, setting.or_short(25.0, 7.0), &["repeated", "--couriers", couriers])
}

/// F12.
pub(super) fn shuffled(setting: &Setting) -> Result<Outcome> {
    let couriers = setting.or_short("20", "4");
    beside_the_load(setting, 35.0, &["shuffled", "--couriers", couriers])
}

/// F13.
pub(super) fn clocks(setting: &Setting) -> Result<Outcome> {
    beside_the_load(setting, setting.or_short(15.0, 6.0), &["clocks"])
}

/// F20.
pub(super) fn ended(setting: &Setting) -> Result<Outcome> {
    let orders = setting.or_short("20", "2");
    beside_the_load(setting, setting.or_short(25.0, 8.0), &["ended", "--orders", orders])
}

fn beside_the_load(setting: &Setting, duration_s: f64, arguments: &[&str]) -> Result<Outcome> {
    let scene = setting.scene()?;
    let load = setting.load(&scene, duration_s)?;
    setting.reach_a_moment(0.5, 2.0)?;
    let findings = Misbehaving::start(setting, &scene, arguments)?.finish()?;
    let panics = scene.server.metric("doorstep_task_panics_total");
    let report = load.finish()?;
    let mut facts = findings.checks;
    facts.push(Check::at_most("tasks that panicked", panics, 0.0, ""));
    facts.push(kept_its_connections(&report));
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}

/// F18.
pub(super) fn hostile(setting: &Setting) -> Result<Outcome> {
    let drip = setting.or_short("70", "15");
    let attackers = ATTACKERS.to_string();
    // At once: all attacks of one kind, in both roles, and the attackers who drip.
    let arguments = ["hostile", "--attackers", &attackers, "--drip", drip];
    attacked(setting, setting.or_short(100.0, 60.0), &arguments, 3 * ATTACKERS, Of::Deliveries)
}

/// F22.
pub(super) fn strangers(setting: &Setting) -> Result<Outcome> {
    let (takers, keepers) = (TAKERS.to_string(), KEEPERS.to_string());
    let arguments = ["strangers", "--takers", &takers, "--keepers", &keepers, "--seconds", "20"];
    attacked(setting, setting.or_short(60.0, 50.0), &arguments, TAKERS + KEEPERS, Of::Acks)
}

/// Attacks beside a load of `duration_s`: memory grows by a bound for each of the `at_once` attackers, and what their
/// neighbours wait for takes little longer than before.
fn attacked(setting: &Setting, duration_s: f64, arguments: &[&str], at_once: u32, felt: Of) -> Result<Outcome> {
    let scene = setting.scene()?;
    let load = setting.load(&scene, duration_s)?;
    let quiet_from_ms = now_ms();
    pass(QUIET)?;
    let (pid, quiet_until_ms) = (scene.server.pid(), now_ms());
    let before = machine::resident_bytes(pid)?;
    let mut clients = Misbehaving::start(setting, &scene, arguments)?;
    let mut most = before;
    while !clients.is_over()? {
        most = most.max(machine::resident_bytes(pid)?);
        thread::sleep(Duration::from_millis(20));
    }
    let Findings { checks: mut facts, during_ms } = clients.finish()?;
    let panics = scene.server.metric("doorstep_task_panics_total");
    let report = load.finish()?;
    let times = &report.times;
    let ratio = times.usual_p99_ms(felt, during_ms) / times.usual_p99_ms(felt, (quiet_from_ms, quiet_until_ms));
    let allowed_mib = MEMORY_MIB_EACH * f64::from(at_once);
    facts.extend([
        Check::at_most("memory grown by", (most - before) / f64::from(1 << 20), allowed_mib, "MiB"),
        Check::at_most("neighbours' p99 against before", ratio, setting.limit(NEIGHBOURS_RATIO), "×"),
        Check::at_most("tasks that panicked", panics, 0.0, ""),
        kept_its_connections(&report),
    ]);
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}
