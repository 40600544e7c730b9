//! Every fix one to five times, from the one of its courier's two devices that recorded it and over both connections at
//! once: a phone and a tracker behind a network that answers too late.

use anyhow::Result;
use doorstep_shared::{RawFix, protocol::courier::Ack};
use futures_util::future::try_join_all;
use rand::{Rng, rngs::StdRng};

use super::{
    phone::Phone,
    stage::{Stage, note},
};
use crate::{
    check::Check,
    clock::now_ms,
    courier::{CourierLog, FixOutcome},
    load::Delivery,
};

const STEP_MS: i64 = 500;

pub(super) async fn run(stage: &Stage, couriers: usize, fixes: usize) -> Result<Vec<Check>> {
    let deliveries = stage.deliveries(couriers).await?;
    let mut riders = stage.riders(couriers).await?;
    let begin_ms = now_ms() - STEP_MS * fixes as i64;
    let step = std::time::Duration::from_millis(STEP_MS as u64);
    let rides = (0..couriers).map(|courier| {
        (0..fixes as i64)
            .flat_map(|index| riders.fixes(courier, step, [begin_ms + index * STEP_MS].into_iter()))
            .collect()
    });
    let rides: Vec<Vec<RawFix>> = rides.collect();
    let everybody = deliveries.iter().zip(&rides).zip(0..);
    let told = try_join_all(everybody.map(|((delivery, ride), number)| repeat(stage, delivery, ride, number))).await?;

    let sum = |count: fn(&Told) -> u64| told.iter().map(count).sum::<u64>();
    let all = (couriers * fixes) as u64;
    let mut checks = vec![
        Check::count("fixes acked as new", sum(|told| told.stored), all),
        Check::count("repetitions acked as such", sum(|told| told.duplicates), sum(|told| told.sent) - all),
        Check::never("fixes rejected", sum(|told| told.rejected)),
    ];
    let logs: Vec<_> = deliveries.iter().zip(&rides).map(|(delivery, ride)| (delivery.courier, acked(ride))).collect();
    checks.extend(stage.compare(&logs).await?);
    Ok(checks)
}

/// What the server said of one courier's messages.
#[derive(Default)]
struct Told {
    sent: u64,
    stored: u64,
    duplicates: u64,
    rejected: u64,
}

async fn repeat(stage: &Stage, delivery: &Delivery, ride: &[RawFix], number: u64) -> Result<Told> {
    let second = stage.api.create_device(delivery.courier, "its twin").await?;
    let mut phones = [
        Phone::connect(&stage.server, &delivery.device_token).await?,
        Phone::connect(&stage.server, &second.token).await?,
    ];
    let [first, other] = &mut phones;
    let plan = dealt(ride, &mut stage.random(number));
    let (one, two) = tokio::try_join!(send(first, &plan[0]), send(other, &plan[1]))?;
    let mut told = Told::default();
    for ack in one.iter().chain(&two) {
        told.sent += 1;
        told.stored += u64::from(ack.stored);
        told.duplicates += u64::from(ack.duplicates);
        told.rejected += ack.rejected.len() as u64;
    }
    Ok(told)
}

/// Each fix one to five times, for the phone that recorded it: from another device the same moment is another fix.
fn dealt(ride: &[RawFix], random: &mut StdRng) -> [Vec<RawFix>; 2] {
    let mut plan = [Vec::new(), Vec::new()];
    for fix in ride {
        let recorded = &mut plan[usize::from(random.random::<bool>())];
        for _ in 0..random.random_range(1..=5) {
            recorded.push(fix.clone());
        }
    }
    plan
}

async fn send(phone: &mut Phone, fixes: &[RawFix]) -> Result<Vec<Ack>> {
    let mut acks = Vec::with_capacity(fixes.len());
    for fix in fixes {
        acks.push(phone.report(vec![fix.clone()]).await?);
    }
    Ok(acks)
}

fn acked(ride: &[RawFix]) -> CourierLog {
    let mut log = CourierLog::default();
    note(&mut log, ride, Some(FixOutcome::Acked));
    log
}
