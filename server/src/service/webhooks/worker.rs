//! Delivers what waits in the outbox for webhooks, on every instance.
//!
//! One task claims what is due and writes down what became of it, many in one statement; each try is a task of its own.
//! Every endpoint has its own places for tries, so one that answers slowly fills its own and holds up no other. Nothing
//! that couriers or customers wait for waits for this: changes only write rows, and a server that dies leaves leases that
//! end.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use doorstep_shared::WebhookId;
use rand::Rng;
use tokio::{sync::mpsc, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::sender::{Sender, Telling};
use crate::{
    domain::outbox::{
        retry::{self, Answer},
        webhook::MAX_WEBHOOKS,
    },
    platform::{clock::Clock, tasks::Tasks},
    store::{
        Store, StoreError,
        deliveries::{Claimed, Tried},
    },
};

/// Tries to one endpoint at once. With an answer within 10 ms that is 6 000 messages a second, and few enough that a
/// receiver that is slow is not buried.
pub(super) const AT_ONCE: usize = 64;

/// How often the outbox is looked at while nothing else wakes the task. A first try comes this late at the most, plus the
/// statement; notifications of Postgres would cost every commit a lock that all share.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Results in one statement. Those beyond wait for the next one; there are no more than places for tries.
const BATCH: usize = 500;

/// At shutdown: how long tries may still end by themselves, and be written down.
const WIND_UP: Duration = Duration::from_millis(800);

/// How often the state of the lanes is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// How a try ended.
enum Report {
    Tried(Tried),
    /// The server stops.
    Broken(Claimed),
}

/// The task that delivers.
#[derive(Debug)]
pub struct Worker {
    store: Store,
    clock: Clock,
    sender: Arc<Sender>,
    tasks: Tasks,
    shutdown: CancellationToken,
    /// Ends the client's connections, once nothing is sent any more.
    closing: CancellationToken,
    /// Tries that go on, by endpoint.
    in_flight: HashMap<WebhookId, usize>,
    /// Results that the database has not taken yet. Their places stay taken, so there are no more than those.
    unwritten: Vec<Tried>,
    /// The last statement failed, and the log says so.
    is_cut_off: bool,
}

impl Worker {
    /// Delivers with `sender`, whose connections end with `closing`, until `shutdown`.
    pub fn new(
        (store, clock): (Store, Clock),
        sender: Arc<Sender>,
        tasks: Tasks,
        (shutdown, closing): (CancellationToken, CancellationToken),
    ) -> Self {
        let (in_flight, unwritten) = Default::default();
        Self { store, clock, sender, tasks, shutdown, closing, in_flight, unwritten, is_cut_off: false }
    }

    /// Runs until shutdown. What is being tried then gets a moment to end; the rest is given back.
    pub async fn run(mut self) {
        // As many as there are places for tries, so no try waits to report.
        let (report, mut reports) = mpsc::channel(AT_ONCE * MAX_WEBHOOKS * 2);
        let broken = CancellationToken::new();
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut received = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break,
                _ = reports.recv_many(&mut received, BATCH) => {}
                _ = ticks.tick() => {}
            }
            self.take(&mut received);
            self.write_down().await;
            let claimed = self.claim().await;
            claimed.into_iter().for_each(|claimed| self.try_one(claimed, &report, &broken));
        }
        drop(report);
        self.wind_up(reports, &broken).await;
    }

    fn take(&mut self, received: &mut Vec<Report>) {
        for report in received.drain(..) {
            match report {
                Report::Tried(tried) => self.unwritten.push(tried),
                Report::Broken(claimed) => self.free_place(claimed.endpoint.id),
            }
        }
    }

    /// Writes the results down. While the database is away they wait, and so does everything else.
    async fn write_down(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        let count = self.unwritten.len().min(BATCH);
        let written = self.store.finish_deliveries(&self.unwritten[..count], self.clock.now()).await;
        let Some(disabled) = self.noted(written) else { return };
        for (webhook, reason) in disabled {
            tracing::warn!(webhook.id = %webhook, reason = reason.as_str(), "a webhook was disabled");
            metrics::counter!("doorstep_webhooks_disabled_total", "reason" => reason.as_str()).increment(1);
        }
        for tried in self.unwritten.drain(..count).collect::<Vec<_>>() {
            self.free_place(tried.claimed.endpoint.id);
        }
    }

    async fn claim(&mut self) -> Vec<Claimed> {
        let claimed = self.store.claim_deliveries(AT_ONCE, &self.in_flight, self.clock.now()).await;
        self.noted(claimed).unwrap_or_default()
    }

    /// Logs the first failure of many, and the end of them.
    fn noted<T>(&mut self, outcome: Result<T, StoreError>) -> Option<T> {
        match outcome {
            Ok(done) => {
                self.is_cut_off = false;
                Some(done)
            }
            Err(error) => {
                if !self.is_cut_off {
                    tracing::warn!(error = %error, "webhooks wait for the database");
                }
                self.is_cut_off = true;
                None
            }
        }
    }

    fn try_one(&mut self, mut claimed: Claimed, report: &mpsc::Sender<Report>, broken: &CancellationToken) {
        *self.in_flight.entry(claimed.endpoint.id).or_default() += 1;
        metrics::gauge!("doorstep_webhooks_in_flight").increment(1.0);
        let (sender, clock) = (Arc::clone(&self.sender), self.clock.clone());
        let (report, broken) = (report.clone(), broken.clone());
        self.tasks.spawn("webhook_try", async move {
            let began_at = clock.now();
            let answer = broken.run_until_cancelled(answer(&sender, &mut claimed)).await;
            metrics::gauge!("doorstep_webhooks_in_flight").decrement(1.0);
            let ended = match answer {
                Some(answer) => Report::Tried(tried(claimed, began_at, answer, clock.now())),
                None => Report::Broken(claimed),
            };
            // Only a worker that is gone takes no report; the lease makes up for it.
            let _ = report.send(ended).await;
        });
    }

    fn free_place(&mut self, webhook: WebhookId) {
        if let Some(count) = self.in_flight.get_mut(&webhook) {
            *count -= 1;
            if *count == 0 {
                self.in_flight.remove(&webhook);
            }
        }
    }

    async fn wind_up(mut self, mut reports: mpsc::Receiver<Report>, broken: &CancellationToken) {
        let patience = tokio::time::sleep(WIND_UP);
        tokio::pin!(patience);
        let mut untried = Vec::new();
        loop {
            tokio::select! {
                report = reports.recv() => match report {
                    Some(Report::Tried(tried)) => self.unwritten.push(tried),
                    Some(Report::Broken(claimed)) => untried.push(claimed),
                    None => break,
                },
                () = &mut patience, if !broken.is_cancelled() => broken.cancel(),
            }
        }
        while !self.unwritten.is_empty() && !self.is_cut_off {
            self.write_down().await;
        }
        if !untried.is_empty() {
            let given_back = self.store.give_back_deliveries(&untried, self.clock.now()).await;
            self.noted(given_back);
        }
        self.closing.cancel();
    }
}

/// Tells an endpoint what it is to be told, once.
async fn answer(sender: &Sender, claimed: &mut Claimed) -> Answer {
    let told = Telling {
        event: claimed.event,
        kind: &claimed.kind,
        at: claimed.at,
        data: std::mem::take(&mut claimed.data),
        personal: std::mem::take(&mut claimed.personal),
    };
    let answer = sender.send(&claimed.endpoint, told).await;
    metrics::counter!("doorstep_webhook_tries_total", "outcome" => answer.outcome.as_str()).increment(1);
    metrics::histogram!("doorstep_webhook_answer_seconds").record(answer.took.as_secs_f64());
    answer
}

fn tried(claimed: Claimed, began_at: DateTime<Utc>, answer: Answer, now: DateTime<Utc>) -> Tried {
    let next = retry::next(&answer, claimed.number, now, rand::rng().random_range(-1.0..=1.0));
    Tried { claimed, began_at, answer, next }
}

/// Measures how much waits, and for how long, until it is cancelled.
pub async fn measure_lanes(store: Store, clock: Clock) {
    let mut ticks = tokio::time::interval(MEASURE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // The last values stand while the database is away, whose own metric says that.
        let Ok(lanes) = store.lane_states().await else { continue };
        for state in lanes {
            let age = state.oldest_at.map_or(0.0, |oldest| (clock.now() - oldest).as_seconds_f64().max(0.0));
            metrics::gauge!("doorstep_outbox_oldest_seconds", "lane" => state.lane.clone()).set(age);
            metrics::gauge!("doorstep_outbox_waiting", "lane" => state.lane).set(state.waiting as f64);
        }
    }
}
