//! The log of looks: who saw where a courier or an order is, and when. Shown to admins.
//!
//! Requests only put a line into a bounded queue; one task writes what waits, all of it in one statement. While the
//! database is away it tries again, and the queue fills. When it is full, looks are not refused but lost, and a line
//! of the log says how many: a dispatcher must not be blind because the log is. It holds no coordinates.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use doorstep_shared::api::console::LookKind;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::{
    app::AppState, auth::principal::Principal, clock::Clock, http::peer_address, order::Actor, store::Store,
    tasks::Tasks,
};

/// Looks that may wait: an hour of a busy office. Overflow policy: counted, and told by a line of the log.
const QUEUED: usize = 10_000;

/// Looks that are written at once.
const BATCH: usize = 500;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// One look.
#[derive(Clone, Debug)]
pub struct Look {
    /// When.
    pub at: DateTime<Utc>,
    /// Who; `None` for the log's own lines.
    pub actor: Option<Actor>,
    /// At what.
    pub what: LookKind,
    /// At which courier or order; `None` for all of them.
    pub subject: Option<Uuid>,
    /// From where.
    pub address: Option<IpAddr>,
    /// How many looks are missing before this line; only for a gap.
    pub lost: Option<i64>,
}

impl Look {
    /// Who, as the log names them.
    pub fn actor_word(&self) -> String {
        self.actor.as_ref().map_or_else(|| "system".to_owned(), Actor::to_string)
    }
}

/// Where looks are put. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Looks {
    queue: mpsc::Sender<Look>,
    lost: Arc<AtomicI64>,
}

impl Looks {
    /// Starts the task that writes.
    pub fn start(store: Store, clock: Clock, tasks: &Tasks, give_up: watch::Receiver<bool>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUED);
        let lost = Arc::<AtomicI64>::default();
        let writer = Writer { store, clock, waiting, lost: Arc::clone(&lost), give_up };
        tasks.spawn_critical("looks", writer.run());
        Self { queue, lost }
    }

    /// Puts a look into the queue. Never waits.
    pub fn note(&self, look: Look) {
        if self.queue.try_send(look).is_err() {
            metrics::counter!("doorstep_looks_lost_total").increment(1);
            if self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::error!("the log of looks is full and loses lines; it will say how many");
            }
        }
    }
}

/// Notes that whoever sent `request` saw something.
pub fn note(app: &AppState, request: &HttpRequest, by: &Principal, what: LookKind, subject: Option<Uuid>) {
    let (at, address) = (app.clock.now(), peer_address(app, request));
    app.looks.note(Look { at, actor: Some(by.actor()), what, subject, address, lost: None });
}

struct Writer {
    store: Store,
    clock: Clock,
    waiting: mpsc::Receiver<Look>,
    lost: Arc<AtomicI64>,
    give_up: watch::Receiver<bool>,
}

impl Writer {
    async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.next(&mut batch).await {
            while !batch.is_empty() {
                self.add_gap(&mut batch);
                match self.store.write_looks(&batch).await {
                    Ok(()) => batch.clear(),
                    Err(error) if *self.give_up.borrow() => {
                        tracing::error!(error = %error, looks = batch.len(), "looks were not written before the end");
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(error = %error, "could not write the log of looks; trying again");
                        let _ = tokio::time::timeout(RETRY_AFTER, self.give_up.wait_for(|stop| *stop)).await;
                    }
                }
            }
        }
    }

    /// Waits for looks. `false` once the server stops and none is left.
    async fn next(&mut self, batch: &mut Vec<Look>) -> bool {
        tokio::select! {
            biased;
            taken = self.waiting.recv_many(batch, BATCH) => taken > 0,
            _ = self.give_up.wait_for(|stop| *stop) => false,
        }
    }

    fn add_gap(&self, batch: &mut Vec<Look>) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let at = self.clock.now();
            let gap = Look { at, actor: None, what: LookKind::Gap, subject: None, address: None, lost: Some(lost) };
            batch.push(gap);
        }
    }
}
