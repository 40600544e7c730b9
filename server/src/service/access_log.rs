//! The access log: who saw where a courier or an order is, and when. Admins read it.
//!
//! A request only puts an entry into a bounded queue; one task writes all that waits in one statement. While the
//! database is away the task tries again and the queue fills. A full queue loses entries, and a later entry says how
//! many: refusing the request instead would blind dispatchers in an outage. The log holds no coordinates.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::access_log::AccessLogEntry,
    platform::{clock::Clock, tasks::Tasks},
    store::Store,
};

/// Entries that may wait: an hour of a busy office. Overflow policy: the entry is lost, counted, and reported by a gap
/// entry.
const QUEUED: usize = 10_000;

/// Entries in one statement.
const BATCH: usize = 500;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Takes entries. Cheap to clone.
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
        tasks.spawn_critical("access_log", writer.run());
        Self { queue, lost }
    }

    /// Puts an entry into the queue. Never waits.
    pub fn note(&self, entry: AccessLogEntry) {
        if self.queue.try_send(entry).is_err() {
            metrics::counter!("doorstep_access_log_lost_total").increment(1);
            if self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::error!("the access log's queue is full and loses entries; a gap entry will say how many");
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
                        let entries = batch.len();
                        tracing::error!(error = %error, entries, "the access log's last entries were not written");
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(error = %error, "could not write the access log; trying again");
                        let _ = tokio::time::timeout(RETRY_AFTER, self.shutdown.cancelled()).await;
                    }
                }
            }
        }
    }

    /// Waits for entries. `false` once the server stops and none is left.
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
            batch.push(AccessLogEntry::gap(self.clock.now(), lost));
        }
    }
}
