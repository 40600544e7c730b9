//! Devices whose clock is wrong: what cannot be is rejected with the stated code, the rest is stored in order.

use std::time::Duration;

use anyhow::Result;
use doorstep_shared::{RawFix, Rejection, protocol::courier::Ack};

use super::{
    phone::Phone,
    stage::{Stage, judge_viewers, note},
};
use crate::{
    check::Check,
    clock::now_ms,
    courier::{CourierLog, FixOutcome},
    load::Delivery,
};

const HOUR_MS: i64 = 3_600_000;
const TEN_YEARS_MS: i64 = 10 * 365 * 24 * HOUR_MS;
const FIXES: i64 = 20;
const STEP_MS: i64 = 1_000;

/// What a device believes, and what the server has to say about it.
#[derive(Clone, Copy)]
struct Clock {
    name: &'static str,
    /// When its newest fix was taken, by itself, at a true time.
    tells: fn(i64) -> i64,
    answer: Option<Rejection>,
}

const CLOCKS: [Clock; 5] = [
    Clock { name: "right", tells: |now_ms| now_ms, answer: None },
    Clock { name: "an hour behind", tells: |now_ms| now_ms - HOUR_MS, answer: None },
    Clock { name: "an hour ahead", tells: |now_ms| now_ms + HOUR_MS, answer: Some(Rejection::TimeInFuture) },
    Clock { name: "ten years ahead", tells: |now_ms| now_ms + TEN_YEARS_MS, answer: Some(Rejection::TimeInFuture) },
    Clock { name: "in 1970", tells: |_| FIXES * STEP_MS, answer: Some(Rejection::TimeTooOld) },
];

pub(super) async fn run(stage: &Stage) -> Result<Vec<Check>> {
    // One courier for each clock, and one whose clock is set right after an hour's error.
    let deliveries = stage.deliveries(CLOCKS.len() + 1).await?;
    let mut riders = stage.riders(deliveries.len()).await?;
    let now_ms = now_ms();
    let mut ride = |courier: usize, newest_ms: i64| -> Vec<RawFix> {
        let times_ms = (0..FIXES).rev().map(|back| newest_ms - back * STEP_MS);
        times_ms.flat_map(|time_ms| riders.fixes(courier, Duration::from_secs(1), [time_ms].into_iter())).collect()
    };
    let (mut checks, mut logs) = (Vec::new(), Vec::new());
    for (number, (clock, delivery)) in CLOCKS.iter().zip(&deliveries).enumerate() {
        let fixes = ride(number, (clock.tells)(now_ms));
        let ack = one_message(stage, delivery, &fixes).await?;
        checks.push(answered(clock, &ack));
        if clock.answer.is_none() {
            logs.push((delivery.courier, acked(&fixes)));
        }
    }
    let corrected = &deliveries[CLOCKS.len()];
    let viewer = stage.watch(corrected, 0).await?;
    let (wrong, right) = (ride(CLOCKS.len(), now_ms - HOUR_MS), ride(CLOCKS.len(), now_ms));
    let mut phone = Phone::connect(&stage.server, &corrected.device_token).await?;
    // Right, wrong again and right: whatever comes in between, the marker stays at the newest.
    for fixes in [&wrong[..10], &right[..10], &wrong[10..], &right[10..]] {
        phone.report(fixes.to_vec()).await?;
    }
    checks.extend(judge_viewers(vec![viewer], &[now_ms]).await);
    logs.push((corrected.courier, acked(&[wrong, right].concat())));
    checks.extend(stage.compare(&logs).await?);
    checks.push(Check::holds("the server is ready afterwards", stage.api.is_ready().await, "asked"));
    Ok(checks)
}

async fn one_message(stage: &Stage, delivery: &Delivery, fixes: &[RawFix]) -> Result<Ack> {
    Phone::connect(&stage.server, &delivery.device_token).await?.report(fixes.to_vec()).await
}

fn answered(clock: &Clock, ack: &Ack) -> Check {
    let as_expected = match clock.answer {
        None => ack.stored as i64 == FIXES && ack.rejected.is_empty(),
        Some(code) => ack.rejected.len() as i64 == FIXES && ack.rejected.iter().all(|fix| fix.code == code),
    };
    let first = ack.rejected.first().map_or("none", |fix| fix.code.code());
    let measured = format!("{} stored, {} rejected ({first})", ack.stored, ack.rejected.len());
    Check::holds(format!("a clock that is {} is answered as stated", clock.name), as_expected, measured)
}

fn acked(fixes: &[RawFix]) -> CourierLog {
    let mut log = CourierLog::default();
    note(&mut log, fixes, Some(FixOutcome::Acked));
    log
}
