//! Orders that end, go to another courier, or whose courier loses the device, with all clients connected.
//!
//! From the moment the API has answered nothing more may be seen or stored, and who has no business there any more is
//! sent away within a second.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{
    CourierId, DeviceId, OrderStatus, Vehicle,
    api::CreateCourier,
    protocol::{CloseCode, customer::CustomerEvent},
};

use super::{stage::Stage, traffic::Traffic};
use crate::{
    check::Check,
    clock::now_ms,
    load::Delivery,
    viewer::{ViewerBot, ViewerLog},
};

const PERIOD: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(60);
const CLOSED_WITHIN_S: f64 = 1.0;

/// Couriers go on for so many fixes, so that something could still be seen.
const AFTERWARDS: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Cancelled,
    Reassigned,
    Revoked,
}

/// One order and what happened to it.
struct Case {
    fate: Fate,
    delivery: Delivery,
    device: DeviceId,
    viewer: ViewerBot,
    /// When the API had answered, Unix epoch milliseconds.
    done_ms: i64,
    /// How long it took until who had to go was gone, and with which code.
    gone: Option<(Duration, Option<u16>)>,
}

pub(super) async fn run(stage: &Stage, orders_each: usize) -> Result<Vec<Check>> {
    let fates = [Fate::Cancelled, Fate::Reassigned, Fate::Revoked];
    let (mut cases, mut tokens) = (Vec::new(), Vec::new());
    for (number, delivery) in (0..).zip(stage.deliveries(orders_each * fates.len()).await?) {
        let device = stage.api.create_device(delivery.courier, "to be lost").await?;
        let viewer = stage.watch(&delivery, number).await?;
        let fate = fates[number as usize % fates.len()];
        tokens.push(device.token);
        cases.push(Case { fate, delivery, device: device.id, viewer, done_ms: 0, gone: None });
    }
    let traffic = Traffic::start(stage, &stage.server, &tokens, PERIOD).await?;
    for case in &cases {
        ensure!(case.viewer.wait_until(PATIENCE, |log| log.view.positions >= 3).await, "a customer sees nobody move");
    }
    let spare = CreateCourier::plain("Somebody else", None, Vehicle::Bicycle);
    let spare = stage.api.create_courier(&spare).await?.id;
    for (case, bot) in cases.iter_mut().zip(traffic.bots()) {
        happen(stage, case, spare).await?;
        let done = Instant::now();
        case.done_ms = now_ms();
        case.gone = match case.fate {
            Fate::Cancelled => {
                case.viewer.wait_until(PATIENCE, |log| log.stopped_with.is_some()).await;
                Some((done.elapsed(), case.viewer.log().stopped_with))
            }
            Fate::Revoked => {
                bot.wait_until(PATIENCE, |state| state.stopped).await;
                Some((done.elapsed(), bot.log().stopped_with))
            }
            Fate::Reassigned => None,
        };
    }
    for (case, bot) in cases.iter().zip(traffic.bots()).filter(|(case, _)| case.fate != Fate::Revoked) {
        let newer = |log: &crate::CourierLog| log.sent.range(case.done_ms..).count();
        let went_on = bot.wait_until(PATIENCE, |state| state.stopped || newer(&bot.log()) >= AFTERWARDS).await;
        ensure!(went_on && !bot.state().stopped, "a courier does not go on");
    }
    let logs = traffic.stop(PATIENCE).await?;
    let mut checks = judge_gone(&cases);
    let reassigned = || cases.iter().filter(|case| case.fate == Fate::Reassigned);
    // A viewer without a connection sees nothing, which would prove nothing.
    let there = reassigned().filter(|case| case.viewer.log().is_live).count();
    checks.push(Check::count("customers still there after a reassignment", there as u64, reassigned().count() as u64));
    let (mut seen, mut stored) = (0, 0);
    for case in cases {
        if case.fate == Fate::Revoked {
            stored += fixes_since(stage, case.delivery.courier, case.done_ms).await?;
        }
        seen += positions_since(&case.viewer.stop().await, case.done_ms);
    }
    checks.push(Check::never("positions recorded afterwards and shown to a customer", seen));
    checks.push(Check::never("fixes recorded afterwards and stored from a revoked device", stored));
    let violations = logs.iter().map(|log| log.violations.len() as u64).sum();
    checks.push(Check::never("breaches of the contract with couriers", violations));
    Ok(checks)
}

async fn happen(stage: &Stage, case: &Case, spare: CourierId) -> Result<()> {
    let (order, courier) = (case.delivery.order, case.delivery.courier);
    match case.fate {
        Fate::Cancelled => stage.api.set_status(order, OrderStatus::Cancelled, None).await?,
        Fate::Reassigned => stage.api.assign(order, spare).await?,
        Fate::Revoked => stage.api.revoke_device(courier, case.device).await?,
    }
    Ok(())
}

/// Who had to go: customers of what is over, with 4502, and phones that lost their right, with 4500.
fn judge_gone(cases: &[Case]) -> Vec<Check> {
    let expected = [(Fate::Cancelled, CloseCode::TrackingEnded), (Fate::Revoked, CloseCode::Unauthorized)];
    let of = |(fate, code): (Fate, CloseCode)| {
        let gone: Vec<_> = cases.iter().filter(|case| case.fate == fate).filter_map(|case| case.gone).collect();
        let right = gone.iter().filter(|(_, said)| *said == Some(code.code())).count();
        let longest = gone.iter().map(|(took, _)| took.as_secs_f64()).fold(0.0, f64::max);
        let what = format!("{fate:?}: closed with {}", code.code()).to_lowercase();
        [
            Check::count(what.clone(), right as u64, gone.len() as u64),
            Check::at_most(format!("{what}, at the latest after"), longest, CLOSED_WITHIN_S, "s"),
        ]
    };
    expected.into_iter().flat_map(of).collect()
}

fn positions_since(log: &ViewerLog, done_ms: i64) -> u64 {
    let times_ms = log.events.iter().filter_map(|(_, event)| match event {
        CustomerEvent::Position(position) => Some(position.time_ms),
        CustomerEvent::Snapshot(snapshot) => snapshot.position.map(|position| position.time_ms),
        _ => None,
    });
    times_ms.filter(|time_ms| *time_ms > done_ms).count() as u64
}

async fn fixes_since(stage: &Stage, courier: CourierId, done_ms: i64) -> Result<u64> {
    let from = DateTime::<Utc>::from_timestamp_millis(done_ms + 1).unwrap_or_default();
    Ok(stage.api.fixes(courier, from, from + TimeDelta::minutes(10)).await?.len() as u64)
}
