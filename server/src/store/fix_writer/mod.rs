//! Writes accepted fixes to Postgres in batches.
//!
//! A caller's future resolves only after its rows are committed, so an ack means durable. Rows already present are
//! skipped: couriers resend after a lost ack. Of two readings that one source dates the same, the more accurate one
//! stays. A writer takes one request, then all others that wait, without a timer:
//! it commits a lone fix at once and a flood in large statements. When Postgres goes away the writer keeps its batch
//! and tries again; the statement is idempotent, so it may be repeated although its first attempt may have been
//! committed. All writers share one thread, which does nothing else: a batch's way to Postgres and back wakes only the
//! callers of its rows. Ingest calls this; reading is [`super::fixes`]'s.

mod backlog;
mod columns;
mod request;
mod writer;

use std::{
    io,
    sync::{Arc, atomic::Ordering},
};

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, Fix};
use futures_util::FutureExt;
use sqlx::{ConnectOptions, postgres::PgConnectOptions};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub use self::{
    backlog::Backlog,
    request::{AppendError, Stored},
};
use self::{request::Append, writer::Writer};
use super::fix_sources::SourceNumber;
use crate::platform::{config::Batching, tasks::Tasks};

/// Requests that may wait for one writer. Overflow policy: `append` refuses, and the phone keeps its fixes.
const MAX_QUEUED_REQUESTS: usize = 50_000;

/// Takes rows for the writers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FixWriter {
    lanes: Arc<[mpsc::Sender<Append>]>,
    backlog: Arc<Backlog>,
}

impl FixWriter {
    /// Starts the writers as tasks. They end when every clone of the returned handle is gone and the queues are empty,
    /// or soon after `shutdown` is cancelled.
    ///
    /// # Errors
    /// When there is no room for one more thread.
    pub fn start(
        options: &PgConnectOptions,
        batching: Batching,
        tasks: &Tasks,
        shutdown: &CancellationToken,
    ) -> io::Result<Self> {
        let backlog = Arc::new(Backlog::new(batching.writers));
        let mut writers = Vec::with_capacity(batching.writers);
        let lanes = (0..batching.writers).map(|lane| {
            let (sender, requests) = mpsc::channel(MAX_QUEUED_REQUESTS);
            writers.push(Writer {
                lane,
                max_rows: batching.rows,
                requests,
                connection: None,
                options: options.clone().disable_statement_logging(),
                backlog: Arc::clone(&backlog),
                shutdown: shutdown.clone(),
            });
            sender
        });
        let lanes = lanes.collect();
        tasks.spawn_critical_together(
            "fix-writer",
            writers.into_iter().map(|writer| ("fix_writer", writer.run().boxed())),
        )?;
        Ok(Self { lanes, backlog: Arc::clone(&backlog) })
    }

    /// Stores `fixes` of one source and resolves once they are committed.
    ///
    /// # Errors
    /// [`AppendError::Full`] when the queue is full; the caller should answer "retry later".
    /// [`AppendError::NotStored`] at shutdown, or when Postgres will never take these rows.
    /// # Cancel safety
    /// Dropping the future does not withdraw the rows; they may still be written.
    pub async fn append(
        &self,
        (courier, source): (CourierId, SourceNumber),
        received_at: DateTime<Utc>,
        fixes: Vec<Fix>,
    ) -> Result<Stored, AppendError> {
        if fixes.is_empty() {
            return Ok(Stored::default());
        }
        let rows = fixes.len();
        if !self.backlog.admit(*courier.as_uuid(), rows) {
            return Err(AppendError::Full);
        }
        let (done, answer) = oneshot::channel();
        let request = Append { courier: *courier.as_uuid(), source, received_at, fixes, done };
        let lane = self.backlog.choose_lane();
        self.backlog.of_lane[lane].fetch_add(rows, Ordering::Relaxed);
        if let Err(refused) = self.lanes[lane].try_send(request) {
            self.backlog.of_lane[lane].fetch_sub(rows, Ordering::Relaxed);
            self.backlog.release(*courier.as_uuid(), rows);
            return Err(match refused {
                mpsc::error::TrySendError::Full(_) => AppendError::Full,
                mpsc::error::TrySendError::Closed(_) => AppendError::NotStored,
            });
        }
        answer.await.unwrap_or(Err(AppendError::NotStored))
    }

    /// What waits.
    pub fn backlog(&self) -> &Backlog {
        &self.backlog
    }
}
