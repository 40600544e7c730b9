//! Redis goes away between two servers: each serves its own, and afterwards everybody is corrected.

use super::Outcome;
use crate::cluster::topology;
use crate::faults::load::{Load, Plan, judged};
use crate::faults::setting::{DATABASE, Scene, Setting, pass, wait_until};
use anyhow::Result;
use doorstep_simulator::Check;
use doorstep_simulator::clock::now_ms;
use doorstep_simulator::load::Of;
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};
use xtask_support::postgres::Throwaway;
use xtask_support::running::Running;

const STOPPED_FOR: Duration = Duration::from_secs(20);
const MARGIN_MS: i64 = 1_000;

/// The first load has to wait until everybody of the second is connected.
const LASTS_LONGER_S: f64 = 70.0;
const ANOTHER_SEED: u64 = 1 << 32;

/// Of what would come with everybody there.
const OWN_DELIVERED: f64 = 0.8;
const STRAYED: f64 = 0.05;

const HEALED_WITHIN: Duration = Duration::from_secs(30);
const HEALED_WITHIN_S: f64 = 15.0;

/// F21. One load is on one server alone; in the other, customers are connected to the server that couriers are not.
pub(super) fn stopped(setting: &Setting) -> Result<Outcome> {
    let postgres = Throwaway::start(setting.durability())?;
    postgres.create_database(DATABASE)?;
    let mut redis = topology::redis(setting.folder())?;
    let url = format!("redis+unix://{}", setting.folder().join("redis.sock").display());
    let settings = [("DOORSTEP_REDIS_URL", url)];
    let first = setting.server(postgres.url(DATABASE), &settings)?;
    let other = setting.server(postgres.url(DATABASE), &settings)?;
    let scene = Scene::new(first, postgres)?;
    let duration_s = STOPPED_FOR.as_secs_f64() + LASTS_LONGER_S;
    let own = Plan { name: "own", seed: setting.seed, duration_s, viewer_server: None };
    let across =
        Plan { name: "across", seed: setting.seed + ANOTHER_SEED, duration_s, viewer_server: Some(other.url()) };
    let own = Load::start(setting, &scene.server, &scene.api_key, &own)?;
    let across = Load::start(setting, &scene.server, &scene.api_key, &across)?;
    setting.reach_a_moment(2.0, 5.0)?;

    let (stopped, stopped_ms) = (Instant::now(), now_ms());
    let how = if setting.draw.below(2) == 0 { Fault::Frozen } else { Fault::Ended };
    how.begin(&mut redis)?;
    pass(STOPPED_FOR / 2)?;
    let ready = [&scene.server, &other].map(|server| server.status("/health/ready"));
    pass(STOPPED_FOR.saturating_sub(stopped.elapsed()))?;
    let until_ms = now_ms();
    how.end(&mut redis, setting)?;
    let healed = wait_until("both servers hear each other again", HEALED_WITHIN, || {
        Ok([&scene.server, &other].iter().all(|server| server.metric("doorstep_broker_up") >= 1.0))
    })?;
    let (own, across) = (own.finish()?, across.finish()?);

    let away = (stopped_ms + MARGIN_MS, until_ms);
    let expected = setting.size().deliveries_per_s() * (away.1 - away.0) as f64 / 1_000.0;
    let acks = own.times.count(Of::Acks, away) + across.times.count(Of::Acks, away);
    let due = 2.0 * setting.size().fixes_per_s() * (away.1 - away.0) as f64 / 1_000.0;
    let facts = vec![
        Check::holds(format!("both ready while it was {how:?}"), ready == [Some(200); 2], format!("{ready:?}")),
        Check::at_least(
            "positions to customers of the same server",
            own.times.count(Of::Deliveries, away) as f64,
            expected * OWN_DELIVERED,
            "",
        ),
        Check::at_most(
            "positions to customers of the other server, which would mean that Redis was there",
            across.times.count(Of::Deliveries, away) as f64,
            expected * STRAYED,
            "",
        ),
        Check::at_least("fixes acked meanwhile", acks as f64, due * OWN_DELIVERED, ""),
        Check::at_most("found each other again after", healed.as_secs_f64(), setting.limit(HEALED_WITHIN_S), "s"),
        Check::never("connections lost", own.losses() + across.losses()),
    ];
    let checker = [judged(&own), judged(&across)].concat();
    drop((other, scene, redis));
    Ok(Outcome::Judged { facts, checker })
}

/// How Redis stops.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It keeps its connections and answers nothing.
    Frozen,
    /// It is gone.
    Ended,
}

impl Fault {
    fn begin(self, redis: &mut Running) -> Result<()> {
        match self {
            Self::Frozen => redis.signal(Signal::SIGSTOP),
            Self::Ended => redis.kill()?,
        }
        Ok(())
    }

    fn end(self, redis: &mut Running, setting: &Setting) -> Result<()> {
        match self {
            Self::Frozen => redis.signal(Signal::SIGCONT),
            Self::Ended => *redis = topology::redis(setting.folder())?,
        }
        Ok(())
    }
}
