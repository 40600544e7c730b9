//! A writer's commit goes wrong between the server and Postgres.

use super::Outcome;
use crate::faults::interceptor::{Interceptor, Trick};
use crate::faults::load::judged;
use crate::faults::setting::{DATABASE, Scene, Setting, pass};
use anyhow::{Context, Result};
use doorstep_simulator::Check;
use doorstep_simulator::clock::now_ms;
use doorstep_simulator::load::Of;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};
use xtask_support::postgres::{Throwaway, socket_name, url_through};

const CUTS: [Trick; 3] = [Trick::CutBefore, Trick::CutDuring, Trick::CutAfter];
const COMMIT_PATIENCE: Duration = Duration::from_secs(20);

/// As F4 asks of one that is terminated.
const INTERRUPTED_FOR_S: f64 = 1.0;

const GONE_WITHIN_S: f64 = 1.0;
const GONE_PATIENCE: Duration = Duration::from_secs(20);

/// A server that reaches its Postgres through an interceptor only.
fn intercepted(setting: &Setting) -> Result<(Interceptor, Scene)> {
    let postgres = Throwaway::start(setting.durability())?;
    postgres.create_database(DATABASE)?;
    let folder = setting.folder().join("between");
    fs::create_dir_all(&folder).context("making a folder for the socket")?;
    let interceptor = Interceptor::start(folder.join(socket_name()), postgres.socket_folder().join(socket_name()))?;
    // A developer's shell may ask for backtraces, and finding the names for one takes most of a second.
    let plain_panics = [("RUST_BACKTRACE", "0".to_owned())];
    let server = setting.server(url_through(&folder, DATABASE), &plain_panics)?;
    let scene = Scene::new(server, postgres)?;
    Ok((interceptor, scene))
}

/// F6.
pub(super) fn cut(setting: &Setting) -> Result<Outcome> {
    let (interceptor, scene) = intercepted(setting)?;
    let load = setting.load(&scene, setting.or_short(25.0, 8.0))?;
    let began_ms = now_ms();
    let first = setting.draw.below(CUTS.len());
    let cuts = CUTS.len() * setting.or_short(3, 1);
    for number in 0..cuts {
        setting.reach_a_moment(0.5, 1.5)?;
        interceptor.trick(CUTS[(first + number) % CUTS.len()], COMMIT_PATIENCE)?;
    }
    pass(Duration::from_secs(2))?;
    let until_ms = now_ms();
    let noticed = scene.server.metric("doorstep_fix_write_failures_total");
    let report = load.finish()?;
    let slowest_s = report.times.slowest_s(Of::Acks, (began_ms, until_ms));
    let facts = vec![
        Check::at_least("cuts that a writer noticed, before, during and after the commit", noticed, cuts as f64, ""),
        Check::at_most("the longest that an ack took", slowest_s, setting.limit(INTERRUPTED_FOR_S), "s"),
    ];
    // Dropped last, so that the server always finds Postgres behind its socket.
    drop((scene, interceptor));
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}

/// F19.
pub(super) fn garbled(setting: &Setting) -> Result<Outcome> {
    let (interceptor, mut scene) = intercepted(setting)?;
    let load = setting.load(&scene, setting.or_short(20.0, 10.0))?;
    setting.reach_a_moment(2.0, setting.or_short(5.0, 2.5))?;
    let panicked = interceptor.trick(Trick::Garble, COMMIT_PATIENCE)?;
    let panicked_ms = now_ms() - i64::try_from(panicked.elapsed().as_millis()).unwrap_or(0);
    let end = end_of(&mut scene, panicked)?;
    if end.is_some() {
        scene.server.start_again()?;
    }
    let until_ms = now_ms();
    let report = load.finish()?;
    let limit_s = setting.limit(GONE_WITHIN_S);
    let facts = match end {
        Some((gone, succeeded)) => vec![
            Check::at_most("the process ended after", gone.as_secs_f64(), limit_s, "s"),
            Check::holds("as a failure, for a supervisor to see", !succeeded, !succeeded),
        ],
        // It lives on: then it must have gone on storing.
        None => {
            let slowest_s = report.times.slowest_s(Of::Acks, (panicked_ms, until_ms));
            vec![Check::at_most("the longest that an ack took", slowest_s, limit_s, "s")]
        }
    };
    drop((scene, interceptor));
    Ok(Outcome::Judged { facts, checker: judged(&report) })
}

/// How long after `panicked` the server ended, and whether it called that a success; `None` when it lives on.
fn end_of(scene: &mut Scene, panicked: Instant) -> Result<Option<(Duration, bool)>> {
    while panicked.elapsed() < GONE_PATIENCE {
        if let Some(status) = scene.server.running().ended()? {
            return Ok(Some((panicked.elapsed(), status.success())));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(None)
}
