//! What every misbehaviour needs: couriers with an order each, their rides, and customers who watch.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use doorstep_shared::{CourierId, RawFix, protocol::Codec};
use rand::rngs::StdRng;

use crate::{
    api::Api,
    check::Check,
    courier::{CourierLog, FixOutcome, SentFix},
    load::{Delivery, Riders, Verdict, deliveries, verify},
    random::generator,
    server_url::ServerUrl,
    viewer::{ViewerBot, ViewerOptions},
};

const CALLS_AT_ONCE: usize = 8;
const PATIENCE: Duration = Duration::from_secs(60);

/// Apart from the seeds of the load test that runs beside it, so that references differ.
const SEED_OFFSET: u64 = 1 << 40;

pub(super) struct Stage {
    pub api: Api,
    pub server: ServerUrl,
    pub seed: u64,
}

impl Stage {
    pub(super) fn new(server: ServerUrl, api_key: String, seed: u64) -> Result<Self> {
        let api = Api::new(server.clone(), api_key)?;
        Ok(Self { api, server, seed: seed.wrapping_add(SEED_OFFSET) })
    }

    /// Couriers, each with an order that was picked up.
    pub(super) async fn deliveries(&self, count: usize) -> Result<Vec<Delivery>> {
        deliveries(&self.api, count, CALLS_AT_ONCE, self.seed).await
    }

    /// Their rides.
    pub(super) async fn riders(&self, count: usize) -> Result<Riders> {
        let seed = self.seed;
        tokio::task::spawn_blocking(move || Riders::new(count, seed)).await?
    }

    /// Randomness of its own for part `stream`.
    pub(super) fn random(&self, stream: u64) -> StdRng {
        generator(self.seed, stream)
    }

    /// A customer of `delivery`, connected.
    pub(super) async fn watch(&self, delivery: &Delivery, stream: u64) -> Result<ViewerBot> {
        let bot = ViewerBot::start(ViewerOptions {
            server: self.server.clone(),
            tracking_token: delivery.tracking_token.clone(),
            codec: Codec::Json,
            random: self.random(stream + (1 << 20)),
            expected_reference: Some(delivery.reference.clone()),
            keep_events: true,
            on_event: None,
        });
        ensure!(bot.wait_until(PATIENCE, |log| log.is_live).await, "a customer cannot connect");
        Ok(bot)
    }

    /// Compares what was sent with what is stored.
    pub(super) async fn compare(&self, logs: &[(CourierId, CourierLog)]) -> Result<Vec<Check>> {
        let verdict = verify(&self.api, logs, CALLS_AT_ONCE).await?;
        let acked = logs.iter().map(|(_, log)| log.acked() as u64).sum();
        Ok(of_stored(&verdict, acked))
    }
}

/// What is in the database against what was acked, as findings.
fn of_stored(verdict: &Verdict, acked: u64) -> Vec<Check> {
    vec![
        Check::count("stored", verdict.stored, acked),
        Check::never("acked and not stored", verdict.acked_but_missing),
        Check::never("stored and never sent", verdict.stored_but_never_sent),
        Check::never("stored twice", verdict.duplicates),
        Check::never("stored with other content", verdict.payload_differences),
        Check::never("rejected and stored", verdict.rejected_but_stored),
    ]
}

/// A log in which `fixes` have this outcome.
pub(super) fn note(log: &mut CourierLog, fixes: &[RawFix], outcome: Option<FixOutcome>) {
    log.sent.extend(fixes.iter().map(|fix| (fix.time_ms, SentFix { fix: fix.clone(), outcome })));
}

/// What the customers saw: nothing that went back, and nothing of others.
pub(super) async fn judge_viewers(viewers: Vec<ViewerBot>, newest_ms: &[i64]) -> Vec<Check> {
    let (mut back, mut others, mut apart, mut violations) = (0, 0, 0, 0);
    let until = Instant::now() + PATIENCE;
    for (viewer, newest_ms) in viewers.into_iter().zip(newest_ms) {
        // The last position may still be on its way.
        let left = until.saturating_duration_since(Instant::now());
        let arrived = viewer.wait_until(left, |log| log.view.newest_ms == Some(*newest_ms)).await;
        let log = viewer.stop().await;
        back += log.view.went_back + log.view.stale;
        others += log.view.other_order;
        violations += log.view.violations.len() as u64;
        apart += u64::from(!arrived);
    }
    vec![
        Check::never("positions that went back", back),
        Check::never("positions of another order", others),
        Check::never("customers who do not end at the newest position", apart),
        Check::never("breaches of the contract", violations),
    ]
}
