//! Couriers whose network goes silent: no close, no error, no bytes in either direction.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{
    silencing_proxy::{Partings, SilencingProxy},
    stage::{Stage, judge_viewers},
    traffic::Traffic,
};
use crate::check::Check;

const PERIOD: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(60);

/// Phones come back when they notice, with up to half a minute of jitter.
const HEALED_WITHIN: Duration = Duration::from_secs(120);

/// The server hears nothing for 60 s, and says goodbye; the second is for its clock's beat and for a busy machine. Then
/// it leaves a second for the answer, and some for what is on its way.
const GIVEN_UP_WITHIN_S: f64 = 61.0;
const GONE_WITHIN_S: f64 = 64.0;

pub(super) async fn run(stage: &Stage, couriers: usize, silence: Duration) -> Result<Vec<Check>> {
    let deliveries = stage.deliveries(couriers).await?;
    let proxy = SilencingProxy::start(&stage.server).await?;
    let tokens: Vec<_> = deliveries.iter().map(|delivery| delivery.device_token.clone()).collect();
    let traffic = Traffic::start(stage, &proxy.server()?, &tokens, PERIOD).await?;
    let mut viewers = Vec::new();
    for (number, delivery) in (0..).zip(&deliveries) {
        viewers.push(stage.watch(delivery, number).await?);
    }
    for viewer in &viewers {
        ensure!(viewer.wait_until(PATIENCE, |log| log.view.positions >= 3).await, "a customer sees nobody move");
    }

    proxy.set_silent(true);
    let fell_silent = Instant::now();
    tokio::time::sleep(silence / 2).await;
    let mut checks = Vec::new();
    let half_s = silence.as_secs_f64() / 2.0;
    let mut youngest_s = f64::INFINITY;
    for delivery in &deliveries {
        let snapshot = stage.api.tracking_snapshot(&delivery.tracking_token).await?;
        let age_ms = snapshot.position.map(|position| snapshot.server_time_ms - position.time_ms);
        youngest_s = youngest_s.min(age_ms.map_or(f64::INFINITY, |age_ms| age_ms as f64 / 1_000.0));
    }
    // What was on its way when the silence fell may be a moment younger.
    let is_old = youngest_s.is_finite() && youngest_s >= half_s - 2.0;
    checks.push(Check::holds("positions are told with their age", is_old, format!("{youngest_s:.1} s")));
    tokio::time::sleep(silence.saturating_sub(fell_silent.elapsed())).await;
    let lost = viewers.iter().map(|viewer| u64::from(viewer.log().losses)).sum();
    checks.push(Check::never("customers' connections lost meanwhile", lost));
    let Partings { said, done } = proxy.partings();
    for (what, moments, limit_s) in [("were given up", said, GIVEN_UP_WITHIN_S), ("are gone", done, GONE_WITHIN_S)] {
        checks.push(Check::count(format!("silent connections that {what}"), moments.len() as u64, couriers as u64));
        let last = moments.iter().map(|at| at.duration_since(fell_silent).as_secs_f64()).fold(0.0, f64::max);
        checks.push(Check::at_most(format!("the last of those that {what}, after"), last, limit_s, "s"));
    }

    proxy.set_silent(false);
    let logs = traffic.stop(HEALED_WITHIN).await?;
    let stopped = logs.iter().filter(|log| log.stopped_with.is_some()).count();
    checks.push(Check::never("couriers who did not come back", stopped as u64));
    let newest_ms: Vec<_> = logs.iter().filter_map(|log| log.sent.last_key_value()).map(|(time, _)| *time).collect();
    checks.extend(judge_viewers(viewers, &newest_ms).await);
    let logs: Vec<_> = deliveries.iter().map(|delivery| delivery.courier).zip(logs).collect();
    checks.extend(stage.compare(&logs).await?);
    Ok(checks)
}
