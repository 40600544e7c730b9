//! One writer: takes what waits, commits it in one statement, and tries again while Postgres is away.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use doorstep_shared::Fix;
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    backlog::Backlog,
    columns::{Columns, key},
    request::{Append, AppendError, Stored},
};
use crate::store::is_transient;

/// A database that takes longer than this for one batch is frozen: drop the connection and repeat.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);
const RETRY_DELAYS_MS: [u64; 6] = [20, 50, 100, 200, 400, 800];

pub(super) struct Writer {
    pub(super) lane: usize,
    pub(super) max_rows: usize,
    pub(super) requests: mpsc::Receiver<Append>,
    pub(super) connection: Option<PgConnection>,
    pub(super) options: PgConnectOptions,
    pub(super) backlog: Arc<Backlog>,
    pub(super) shutdown: CancellationToken,
}

impl Writer {
    pub(super) async fn run(mut self) {
        while let Some(batch) = self.next_batch().await {
            let of_each: Vec<_> = batch.iter().map(|request| (request.courier, request.fixes.len())).collect();
            let rows: usize = of_each.iter().map(|(_, rows)| rows).sum();
            let started = Instant::now();
            self.backlog.begin_batch(self.lane);
            self.store(batch).await;
            self.backlog.end_batch(self.lane, rows);
            for (courier, rows) in of_each {
                self.backlog.release(courier, rows);
            }
            let waiting = self.backlog.rows();
            metrics::histogram!("doorstep_fix_batch_rows").record(rows as f64);
            metrics::histogram!("doorstep_fix_commit_seconds").record(started.elapsed().as_secs_f64());
            metrics::gauge!("doorstep_fix_queue_rows").set(waiting as f64);
        }
    }

    async fn next_batch(&mut self) -> Option<Vec<Append>> {
        let first = self.requests.recv().await?;
        let mut rows = first.fixes.len();
        let mut batch = vec![first];
        while rows < self.max_rows {
            let Ok(next) = self.requests.try_recv() else { break };
            rows += next.fixes.len();
            batch.push(next);
        }
        Some(batch)
    }

    /// Commits `batch` however long the database is away, and answers every caller in it.
    async fn store(&mut self, batch: Vec<Append>) {
        match self.write_until_committed(&batch).await {
            Ok(new) => answer(batch, new),
            // Validation should have kept such a row out. Find the request with it, and store the others.
            Err(Refused::Data) if batch.len() > 1 => {
                for request in batch {
                    Box::pin(self.store(vec![request])).await;
                }
            }
            Err(_) => {
                for request in batch {
                    let _ = request.done.send(Err(AppendError::NotStored));
                }
            }
        }
    }

    async fn write_until_committed(&mut self, batch: &[Append]) -> Result<Vec<(Uuid, DateTime<Utc>)>, Refused> {
        let mut failures = 0;
        let shutdown = self.shutdown.clone();
        loop {
            let attempt = tokio::select! {
                biased;
                attempt = tokio::time::timeout(WRITE_DEADLINE, self.write(batch)) => attempt,
                // Shutdown has waited long enough for a database that does not answer; none of these rows was acked.
                () = shutdown.cancelled() => return Err(Refused::ShuttingDown),
            };
            let error = match attempt {
                Ok(Ok(new)) => return Ok(new),
                Ok(Err(error)) => Some(error),
                Err(_elapsed) => None,
            };
            // The connection's state is unknown; a new one has none.
            self.connection = None;
            metrics::counter!("doorstep_fix_write_failures_total").increment(1);
            if let Some(error) = &error
                && !is_transient(error)
                && !is_missing_partition(error)
            {
                tracing::error!(error = %error, batch.rows = batch.len(), "the database refused a batch of fixes");
                return Err(Refused::Data);
            }
            if failures == 0 {
                let reason = error.as_ref().map_or_else(|| "no answer".to_owned(), ToString::to_string);
                tracing::warn!(error = reason, "storing fixes failed; keeping them and trying again");
            }
            let delay_ms = RETRY_DELAYS_MS[failures.min(RETRY_DELAYS_MS.len() - 1)];
            failures += 1;
            let cancelled = self.shutdown.cancelled();
            if tokio::time::timeout(Duration::from_millis(delay_ms), cancelled).await.is_ok() {
                return Err(Refused::ShuttingDown);
            }
        }
    }

    /// One statement, one implicit transaction. Returns the keys that were new, or got a more accurate reading.
    async fn write(&mut self, batch: &[Append]) -> Result<Vec<(Uuid, DateTime<Utc>)>, sqlx::Error> {
        let columns = Columns::of(batch);
        let connection = match &mut self.connection {
            Some(connection) => connection,
            empty => empty.insert(connect(&self.options).await?),
        };
        let new = sqlx::query!(
            "insert into fixes (courier_id, fixed_at, received_at, lat, lon, accuracy_m, speed_mps, heading_deg, \
                                altitude_m, battery) \
             select * from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::float8[], $5::float8[], \
                                  $6::float4[], $7::float4[], $8::float4[], $9::float4[], $10::float4[]) \
             on conflict (courier_id, fixed_at) do update set received_at = excluded.received_at, lat = excluded.lat, \
                 lon = excluded.lon, accuracy_m = excluded.accuracy_m, speed_mps = excluded.speed_mps, \
                 heading_deg = excluded.heading_deg, altitude_m = excluded.altitude_m, battery = excluded.battery \
             where excluded.accuracy_m < coalesce(fixes.accuracy_m, 'infinity'::float4) \
             returning courier_id, fixed_at",
            &columns.courier_id,
            &columns.fixed_at,
            &columns.received_at,
            &columns.lat,
            &columns.lon,
            &columns.accuracy_m as &[Option<f32>],
            &columns.speed_mps as &[Option<f32>],
            &columns.heading_deg as &[Option<f32>],
            &columns.altitude_m as &[Option<f32>],
            &columns.battery as &[Option<f32>],
        )
        .fetch_all(connection)
        .await?;
        Ok(new.into_iter().map(|row| (row.courier_id, row.fixed_at)).collect())
    }
}

enum Refused {
    Data,
    ShuttingDown,
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let options = options.clone().options([("statement_timeout", "8000"), ("application_name", "doorstep fix writer")]);
    match tokio::time::timeout(CONNECT_DEADLINE, options.connect()).await {
        Ok(connected) => connected,
        Err(_elapsed) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// The day has no table yet. The partition task makes it within the minute, so the batch waits and is not refused.
fn is_missing_partition(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(database) = error else { return false };
    database.code().as_deref() == Some("23514") && database.constraint().is_none()
}

/// Answers every caller how many of its rows were new. A key that two callers sent counts for the first.
fn answer(batch: Vec<Append>, new: Vec<(Uuid, DateTime<Utc>)>) {
    let rows: usize = batch.iter().map(|request| request.fixes.len()).sum();
    let all_new = new.len() == rows;
    let mut new: HashSet<(Uuid, DateTime<Utc>)> = match all_new {
        true => HashSet::new(),
        false => new.into_iter().collect(),
    };
    for request in batch {
        let mut is_new = |fix: &Fix| all_new || new.remove(&key(&(&request, fix)));
        let stored = request.fixes.iter().map(|fix| u32::from(is_new(fix))).sum();
        let duplicates = request.fixes.len() as u32 - stored;
        let _ = request.done.send(Ok(Stored { stored, duplicates }));
    }
}
