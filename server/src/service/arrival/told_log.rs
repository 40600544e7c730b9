//! Keeps what customers were told, so that it can be held against what came.
//!
//! The arrival task puts every range that moved into a bounded queue; one task writes all that waits in one statement. A
//! lost entry costs a line of the scores and nothing else, so nothing waits for the database.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::{domain::arrival::ToldOrder, store::Store};

/// Ranges that may wait: some minutes of a thousand couriers. Overflow policy: the range is not kept, and counted.
const QUEUED: usize = 10_000;

/// Ranges in one statement, and how long they are gathered.
const BATCH: usize = 500;
const GATHER: Duration = Duration::from_secs(1);

/// Takes ranges. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ToldLog {
    queue: mpsc::Sender<ToldOrder>,
}

/// Writes them.
#[derive(Debug)]
pub struct ToldWriter {
    store: Store,
    waiting: mpsc::Receiver<ToldOrder>,
}

impl ToldLog {
    /// The queue, and what writes its entries.
    pub fn new(store: Store) -> (Self, ToldWriter) {
        let (queue, waiting) = mpsc::channel(QUEUED);
        (Self { queue }, ToldWriter { store, waiting })
    }

    /// Puts a range into the queue. Never waits.
    pub fn note(&self, told: ToldOrder) {
        if self.queue.try_send(told).is_err() {
            metrics::counter!("doorstep_arrival_told_lost_total").increment(1);
        }
    }
}

impl ToldWriter {
    /// Runs until it is cancelled. Ranges that a failed statement held are lost.
    pub async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.waiting.recv_many(&mut batch, BATCH).await > 0 {
            if let Err(error) = self.store.keep_told(&batch).await {
                metrics::counter!("doorstep_arrival_told_lost_total").increment(batch.len() as u64);
                tracing::warn!(error = %error, "could not keep what customers were told");
            }
            batch.clear();
            tokio::time::sleep(GATHER).await;
        }
    }
}
