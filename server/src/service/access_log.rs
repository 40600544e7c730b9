//! The access log: who saw where a courier or an order is, and when. Shown to admins.
//!
//! Requests only put a line into a bounded queue; one task writes what waits, all of it in one statement. While the
//! database is away it tries again, and the queue fills. When it is full, entries are lost and requests are not refused, and a line
//! of the log says how many: a dispatcher must not be blind because the log is. It holds no coordinates.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use doorstep_shared::api::console::LookKind;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::access_log::AccessLogEntry,
    platform::{clock::Clock, tasks::Tasks},
    store::Store,
};

/// Entries that may wait: an hour of a busy office. Overflow policy: lost, counted, and said by a line of the log.
const QUEUED: usize = 10_000;

/// Entries that are written at once.
const BATCH: usize = 500;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Where entries are put. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AccessLog {
    queue: mpsc::Sender<AccessLogEntry>,
    lost: Arc<AtomicI64>,
}

impl AccessLog {
    /// Starts the task that writes.
    pub fn start(store: Store, clock: Clock, tasks: &Tasks, shutdown: CancellationToken) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUED);
        let lost = Arc::<AtomicI64>::default();
        let writer = Writer { store, clock, waiting, lost: Arc::clone(&lost), shutdown };
        tasks.spawn_critical("looks", writer.run());
        Self { queue, lost }
    }

    /// Puts a look into the queue. Never waits.
    pub fn note(&self, look: AccessLogEntry) {
        if self.queue.try_send(look).is_err() {
            metrics::counter!("doorstep_looks_lost_total").increment(1);
            if self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::error!("the log of looks is full and loses lines; it will say how many");
            }
        }
    }
}

struct Writer {
    store: Store,
    clock: Clock,
    waiting: mpsc::Receiver<AccessLogEntry>,
    lost: Arc<AtomicI64>,
    shutdown: CancellationToken,
}

impl Writer {
    async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.next(&mut batch).await {
            while !batch.is_empty() {
                self.add_gap(&mut batch);
                match self.store.write_access_log(&batch).await {
                    Ok(()) => batch.clear(),
                    Err(error) if self.shutdown.is_cancelled() => {
                        tracing::error!(error = %error, looks = batch.len(), "looks were not written before the end");
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(error = %error, "could not write the log of looks; trying again");
                        let _ = tokio::time::timeout(RETRY_AFTER, self.shutdown.cancelled()).await;
                    }
                }
            }
        }
    }

    /// Waits for looks. `false` once the server stops and none is left.
    async fn next(&mut self, batch: &mut Vec<AccessLogEntry>) -> bool {
        tokio::select! {
            biased;
            taken = self.waiting.recv_many(batch, BATCH) => taken > 0,
            () = self.shutdown.cancelled() => false,
        }
    }

    fn add_gap(&self, batch: &mut Vec<AccessLogEntry>) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let at = self.clock.now();
            let gap =
                AccessLogEntry { at, actor: None, what: LookKind::Gap, subject: None, address: None, lost: Some(lost) };
            batch.push(gap);
        }
    }
}
