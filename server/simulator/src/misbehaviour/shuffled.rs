//! Fixes in any order within a hundred, then an hour's backlog: all are stored, and the marker never goes back.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use doorstep_shared::RawFix;
use futures_util::future::try_join_all;
use rand::seq::SliceRandom;

use super::{
    phone::Phone,
    stage::{Stage, judge_viewers, note},
};
use crate::{
    check::Check,
    clock::now_ms,
    courier::{CourierLog, FixOutcome, MAX_FIXES_OF_JSON},
    load::Delivery,
};

/// Fixes that come in any order: customers see only what was recorded since the order was theirs to see, so these are
/// sent as time goes by, 25 s of them.
const SHUFFLED: usize = 500;
const WITHIN: usize = 100;
const PER_MESSAGE: usize = 10;
const STEP_MS: i64 = 50;
const BACKLOG_STEP_MS: i64 = 1_000;

pub(super) async fn run(stage: &Stage, couriers: usize, backlog: usize) -> Result<Vec<Check>> {
    let deliveries = stage.deliveries(couriers).await?;
    let mut riders = stage.riders(couriers).await?;
    let mut viewers = Vec::new();
    for (number, delivery) in (0..).zip(&deliveries) {
        viewers.push(stage.watch(delivery, number).await?);
    }
    let (begun, shuffled_from_ms) = (Instant::now(), now_ms());
    let newest_ms = shuffled_from_ms + STEP_MS * (SHUFFLED as i64 - 1);
    let old = (0..backlog as i64).rev().map(|back| shuffled_from_ms - BACKLOG_STEP_MS * (back + 1));
    let fresh = (0..SHUFFLED as i64).map(|index| shuffled_from_ms + STEP_MS * index);
    let times_ms: Vec<i64> = old.chain(fresh).collect();
    let mut before_ms = times_ms[0];
    let mut rides: Vec<Vec<RawFix>> = vec![Vec::with_capacity(times_ms.len()); couriers];
    for time_ms in times_ms {
        let elapsed = Duration::from_millis((time_ms - before_ms) as u64);
        before_ms = time_ms;
        for (courier, ride) in rides.iter_mut().enumerate() {
            ride.extend(riders.fixes(courier, elapsed, [time_ms].into_iter()));
        }
    }
    let everybody = deliveries.iter().zip(&rides).zip(0..);
    let reporting = everybody.map(|((delivery, ride), number)| report(stage, delivery, ride, number, begun));
    try_join_all(reporting).await?;

    let mut checks = judge_viewers(viewers, &vec![newest_ms; couriers]).await;
    let logs: Vec<_> = deliveries.iter().zip(&rides).map(|(delivery, ride)| (delivery.courier, acked(ride))).collect();
    checks.extend(stage.compare(&logs).await?);
    Ok(checks)
}

/// The fresh ones in any order, and behind them what came before, newest batch first as the contract asks.
async fn report(stage: &Stage, delivery: &Delivery, ride: &[RawFix], number: u64, begun: Instant) -> Result<()> {
    let (old, fresh) = ride.split_at(ride.len() - SHUFFLED);
    let mut random = stage.random(number);
    let mut phone = Phone::connect(&stage.server, &delivery.device_token).await?;
    for (over, window) in (1..).zip(fresh.chunks(WITHIN)) {
        let due = begun + Duration::from_millis(STEP_MS as u64 * WITHIN as u64 * over);
        tokio::time::sleep_until(due.into()).await;
        let mut window = window.to_vec();
        window.shuffle(&mut random);
        for message in window.chunks(PER_MESSAGE) {
            send(&mut phone, message).await?;
        }
    }
    for batch in old.rchunks(MAX_FIXES_OF_JSON) {
        send(&mut phone, batch).await?;
    }
    Ok(())
}

async fn send(phone: &mut Phone, fixes: &[RawFix]) -> Result<()> {
    let ack = phone.report(fixes.to_vec()).await?;
    ensure!(ack.stored as usize == fixes.len(), "{} of {} new fixes were stored: {ack:?}", ack.stored, fixes.len());
    Ok(())
}

fn acked(ride: &[RawFix]) -> CourierLog {
    let mut log = CourierLog::default();
    note(&mut log, ride, Some(FixOutcome::Acked));
    log
}
