//! Postgres ends, cuts off, freezes, or has no room.

use super::Outcome;
use crate::faults::disk::SmallDisk;
use crate::faults::load::judged;
use crate::faults::setting::{DATABASE, Scene, Setting, pass, wait_until};
use crate::machine;
use anyhow::{Context, Result};
use doorstep_simulator::Check;
use doorstep_simulator::clock::now_ms;
use doorstep_simulator::load::Of;
use serde_json::Value;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};
use xtask_support::http::{Answer, call};
use xtask_support::postgres::{Durability, Throwaway, give_to_owner};

/// What was on its way when the fault struck may still arrive.
const ON_ITS_WAY_MS: i64 = 500;

const STOPPED_FOR: Duration = Duration::from_secs(10);
const UNREADY_WITHIN_S: f64 = 2.0;
const STORED_WITHIN_S: f64 = 10.0;

/// Half a minute of fixes and of messages to be answered. Without a bound, ten seconds would not show it, so the
/// queue's own tests do; this finds what grows with every message.
const MEMORY_MIB: f64 = 64.0;

const INTERRUPTED_FOR_S: f64 = 1.0;
const TERMINATIONS: usize = 3;

const FROZEN_FOR: Duration = Duration::from_secs(60);
const ASKED_BEFORE: Duration = Duration::from_millis(20);
/// Two seconds for a connection, and what is done around it.
const ROUTE_DEADLINE_S: f64 = 6.0;

const FULL_FOR: Duration = Duration::from_secs(10);
/// Pages that were made before still have room for some rows.
const LAST_PAGES_MS: i64 = 3_000;
const RESUMED_WITHIN: Duration = Duration::from_secs(10);

/// F3.
pub(super) fn stopped(setting: &Setting) -> Result<Outcome> {
    let mut scene = setting.scene()?;
    let load = setting.load(&scene, setting.or_short(40.0, 12.0))?;
    setting.reach_a_moment(2.0, setting.or_short(5.0, 3.0))?;
    let (pid, stopped_for) = (scene.server.pid(), setting.or_short(STOPPED_FOR, STOPPED_FOR / 2));
    let (memory_before, stopped, stopped_ms) = (machine::resident_bytes(pid)?, Instant::now(), now_ms());
    scene.postgres.stop_immediately()?;
    let unready = wait_until("readiness says that the database is away", STOPPED_FOR, || {
        Ok(scene.server.status("/health/ready") == Some(503))
    })?;
    let live = scene.server.status("/health/live");
    pass(stopped_for.saturating_sub(stopped.elapsed()))?;
    let grown_mib = (machine::resident_bytes(pid)? - memory_before) / f64::from(1 << 20);
    let back_ms = now_ms();
    scene.postgres.start_again()?;
    let returned_ms = now_ms();
    let report = load.finish()?;

    let times = &report.times;
    let away = (stopped_ms + ON_ITS_WAY_MS, back_ms);
    let expected = setting.size().deliveries_per_s() * (away.1 - away.0) as f64 / 1_000.0;
    let caught_up_s = times.caught_up_s(Of::Acks, returned_ms);
    let facts = vec![
        Check::never("acks meanwhile", times.count(Of::Acks, away)),
        Check::at_least(
            "positions that customers got meanwhile",
            times.count(Of::Deliveries, away) as f64,
            expected * 0.8,
            "",
        ),
        Check::at_most("not ready after", unready.as_secs_f64(), setting.limit(UNREADY_WITHIN_S), "s"),
        Check::holds("alive meanwhile", live == Some(200), format!("{live:?}")),
        Check::at_most("memory grown by", grown_mib, MEMORY_MIB, "MiB"),
        Check::at_most("what was due before its return was acked after", caught_up_s, STORED_WITHIN_S, "s"),
    ];
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}

/// F4.
pub(super) fn terminated(setting: &Setting) -> Result<Outcome> {
    let scene = setting.scene()?;
    let load = setting.load(&scene, setting.or_short(18.0, 8.0))?;
    let began_ms = now_ms();
    let mut terminated = 0;
    for _ in 0..TERMINATIONS {
        setting.reach_a_moment(1.0, setting.or_short(3.5, 1.5))?;
        let all = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                   where application_name = 'doorstep fix writer'";
        let said = scene.postgres.ask(DATABASE, all)?;
        terminated += said.trim().parse::<u64>().context("Postgres did not say how many it terminated")?;
    }
    pass(Duration::from_secs(2))?;
    let until_ms = now_ms();
    let report = load.finish()?;
    let slowest_s = report.times.slowest_s(Of::Acks, (began_ms, until_ms));
    let facts = vec![
        // The second writer connects when there is work for two.
        Check::at_least("connections terminated", terminated as f64, TERMINATIONS as f64, ""),
        Check::at_most("the longest that an ack took", slowest_s, setting.limit(INTERRUPTED_FOR_S), "s"),
    ];
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}

/// F5.
pub(super) fn frozen(setting: &Setting) -> Result<Outcome> {
    let mut scene = setting.scene()?;
    let frozen_for = setting.or_short(FROZEN_FOR, Duration::from_secs(20));
    let load = setting.load(&scene, frozen_for.as_secs_f64() + 20.0)?;
    let routes = routes(&scene)?;
    setting.reach_a_moment(2.0, 5.0)?;
    let (address, api_key) = (scene.server.address(), scene.api_key.clone());
    let until = Instant::now() + frozen_for - Duration::from_secs_f64(ROUTE_DEADLINE_S);
    let answers = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answers = Vec::new();
            while Instant::now() < until {
                answers.extend(ask_all(address, &api_key, &routes));
            }
            answers
        });
        // Some are in the middle of what they do.
        pass(ASKED_BEFORE)?;
        scene.postgres.set_frozen(true)?;
        pass(frozen_for)?;
        scene.postgres.set_frozen(false)?;
        anyhow::Ok(asking.join().expect("asking does not panic"))
    })?;
    let ready = wait_until("the server is ready again", Duration::from_secs(30), || {
        Ok(scene.server.status("/health/ready") == Some(200))
    })?;
    let report = load.finish()?;

    let slowest = answers.iter().max_by_key(|(_, answer)| answer.took);
    let (route, slowest_s) =
        slowest.map_or(("none", f64::NAN), |(route, answer)| (route.as_str(), answer.took.as_secs_f64()));
    let unanswered = answers.iter().filter(|(_, answer)| answer.status.is_none()).count() as u64;
    let refused = answers.iter().filter(|(_, answer)| answer.status == Some(503)).count();
    let facts = vec![
        Check::at_most(
            format!("slowest of {} answers of {} routes, {route}", answers.len(), routes.len()),
            slowest_s,
            setting.limit(ROUTE_DEADLINE_S),
            "s",
        ),
        Check::never("requests without an answer", unanswered),
        Check::at_least("answers that said 503", refused as f64, routes.len() as f64, ""),
        Check::at_most("ready again after", ready.as_secs_f64(), 10.0, "s"),
    ];
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}

/// Every route of the API by method and path, and the pages. Ids are made up: the database has to be asked all the same.
fn routes(scene: &Scene) -> Result<Vec<(String, String)>> {
    let document = call(scene.server.address(), "GET", "/api/v1/openapi.json", &scene.api_key, None).body;
    let document: Value = serde_json::from_str(&document).context("the API's description cannot be read")?;
    let paths = document["paths"].as_object().context("the API's description has no paths")?;
    let mut routes = Vec::new();
    for (path, methods) in paths {
        for method in methods.as_object().into_iter().flat_map(|methods| methods.keys()) {
            let is_method = ["get", "post", "put", "patch", "delete"].contains(&method.as_str());
            if is_method {
                routes.push((method.to_uppercase(), filled_in(path)));
            }
        }
    }
    let pages = ["/", "/login", "/dispatch", "/courier", "/t/never-given-out", "/health/live", "/health/ready"];
    routes.extend(pages.map(|page| ("GET".to_owned(), page.to_owned())));
    Ok(routes)
}

/// A path with an id wherever it wants something.
fn filled_in(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.starts_with('{') {
        true => "01890a5d-ac96-774b-bcce-b302099a8057",
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Asks all at once: one that hangs must not wait for another.
fn ask_all(address: SocketAddr, api_key: &str, routes: &[(String, String)]) -> Vec<(String, Answer)> {
    thread::scope(|scope| {
        let asking: Vec<_> = routes
            .iter()
            .map(|(method, path)| {
                let body = (method != "GET").then_some("{}");
                scope.spawn(move || (format!("{method} {path}"), call(address, method, path, api_key, body)))
            })
            .collect();
        asking.into_iter().map(|asked| asked.join().expect("asking does not panic")).collect()
    })
}

/// F15.
pub(super) fn full(setting: &Setting) -> Result<Outcome> {
    let disk = match SmallDisk::mount(&setting.folder().join("tables"))? {
        Ok(disk) => disk,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    give_to_owner(disk.folder())?;
    let scene = setting.scene_on(Throwaway::start_with_tables_in(Durability::Kept, disk.folder())?)?;
    let load = setting.load(&scene, 40.0)?;
    let pid = scene.server.pid();
    setting.reach_a_moment(2.0, 5.0)?;
    disk.fill()?;
    let (full, full_ms) = (Instant::now(), now_ms());
    let mut answers = Vec::new();
    while full.elapsed() < FULL_FOR {
        answers.push(new_courier(&scene));
        pass(Duration::from_millis(250))?;
    }
    let failing = scene.server.metric("doorstep_fix_write_failures_total");
    let freed_ms = now_ms();
    disk.clear()?;
    let resumed =
        wait_until("couriers can be registered again", RESUMED_WITHIN, || Ok(new_courier(&scene).status == Some(201)))?;
    let is_same_process = scene.server.pid() == pid && scene.server.status("/health/live") == Some(200);
    let report = load.finish()?;
    drop(scene);

    let odd = answers.iter().filter(|answer| !is_stored_or_unavailable(answer)).count() as u64;
    let times = &report.times;
    let silent_s = times.longest_gap_s(Of::Acks, (freed_ms, freed_ms + 10_000));
    let facts = vec![
        Check::never("acks while it was full", times.count(Of::Acks, (full_ms + LAST_PAGES_MS, freed_ms))),
        Check::at_least("batches that Postgres refused", failing, 1.0, ""),
        Check::never("answers of the API other than stored or `unavailable`", odd),
        Check::at_most("registering again after", resumed.as_secs_f64(), RESUMED_WITHIN.as_secs_f64(), "s"),
        Check::at_most("acks again after", silent_s, 3.0, "s"),
        Check::holds("the same process", is_same_process, format!("pid {pid}")),
    ];
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}

fn new_courier(scene: &Scene) -> Answer {
    let body = r#"{"name":"One more","vehicle":"bicycle"}"#;
    call(scene.server.address(), "POST", "/api/v1/couriers", &scene.api_key, Some(body))
}

fn is_stored_or_unavailable(answer: &Answer) -> bool {
    match answer.status {
        Some(201) => true,
        Some(503) => {
            let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            problem["code"] == "unavailable"
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_gets_ids_where_it_wants_something() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(filled_in("/api/v1/orders/{id}/assign"), format!("/api/v1/orders/{id}/assign"));
        assert_eq!(filled_in("/api/v1/orders"), "/api/v1/orders");
    }

    #[test]
    fn a_full_disk_may_be_answered_in_two_ways_only() {
        let answer = |status, body: &str| Answer { status, body: body.to_owned(), took: Duration::ZERO };
        assert!(is_stored_or_unavailable(&answer(Some(201), "{}")));
        assert!(is_stored_or_unavailable(&answer(Some(503), r#"{"code":"unavailable"}"#)));
        assert!(!is_stored_or_unavailable(&answer(Some(503), "")));
        assert!(!is_stored_or_unavailable(&answer(Some(500), r#"{"code":"unavailable"}"#)));
        assert!(!is_stored_or_unavailable(&answer(None, "")));
    }
}
