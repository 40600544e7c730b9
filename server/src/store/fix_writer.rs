//! Writes accepted fixes to Postgres in batches.
//!
//! A caller's future resolves only after its rows are committed, so an ack means durable.
//! Rows already present are skipped: couriers resend after a lost ack.
//! Batching is natural: a writer takes one request, then everything else that is waiting, so a lone fix
//! is committed at once and a flood is committed in large statements, without a timer between.
//! When Postgres goes away the batch in hand is kept and tried again; being idempotent, it may be repeated
//! even when nobody knows whether the first try was committed.
//! All writers share one thread, which does nothing else: a batch's way to Postgres and back wakes nobody but those who
//! wait for its answer.
//! Not for reading; see [`super::fixes`].

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, Fix};
use futures_util::FutureExt;
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use tokio_util::sync::CancellationToken;

use super::is_transient;
use crate::platform::{clock::from_ms, config::Batching, tasks::Tasks};

/// A writer with this many rows to commit leaves the next to another. Below it, one writer is quicker than two: what comes
/// while it commits goes into one statement and one flush of the disk, instead of two that wait for each other.
const ENOUGH_ROWS: usize = 64;

/// Requests that may wait for one writer, and rows that may wait for all. At 2 000 fixes a second that is
/// 50 s of a stopped database in about 20 MB. Beyond it `append` refuses, and the phone keeps its fixes.
const MAX_QUEUED_REQUESTS: usize = 50_000;
const MAX_QUEUED_ROWS: usize = 100_000;

/// Rows of one courier that may wait: the whole backlog of a phone, 20 000 fixes, and what comes meanwhile. Whoever
/// sends more waits for their own, and leaves the queue to all others.
const MAX_QUEUED_ROWS_OF_COURIER: usize = 25_000;

/// A database that takes longer than this for one batch is frozen: give the connection up and repeat.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);
const RETRY_DELAYS_MS: [u64; 6] = [20, 50, 100, 200, 400, 800];

/// What became of a caller's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// New rows.
    pub stored: u32,
    /// Rows that were there already.
    pub duplicates: u32,
}

/// Why rows were not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too much is waiting already, of everybody or of this courier; the caller should answer "retry later".
    #[error("the queue of fixes to store is full")]
    Full,
    /// The server is shutting down, or the database refused these rows; nothing was acked.
    #[error("the fixes could not be stored")]
    NotStored,
}

/// The queue's front end. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FixWriter {
    lanes: Arc<[mpsc::Sender<Append>]>,
    backlog: Arc<Backlog>,
}

/// What is waiting, for readiness and metrics.
#[derive(Debug)]
pub struct Backlog {
    rows: AtomicUsize,
    of_courier: Mutex<HashMap<Uuid, usize>>,
    /// Rows that each lane has waiting or in hand.
    of_lane: Box<[AtomicUsize]>,
    /// When each lane's oldest unwritten batch was taken, in milliseconds since `epoch`; −1 when idle.
    busy_since_ms: Box<[AtomicI64]>,
    /// When rows came last, in milliseconds since `epoch`; long ago at first.
    came_ms: AtomicI64,
    epoch: Instant,
}

impl Backlog {
    fn new(lanes: usize) -> Self {
        Self {
            rows: AtomicUsize::new(0),
            of_courier: Mutex::default(),
            of_lane: (0..lanes).map(|_| AtomicUsize::new(0)).collect(),
            busy_since_ms: (0..lanes).map(|_| AtomicI64::new(-1)).collect(),
            came_ms: AtomicI64::new(i64::MIN),
            epoch: Instant::now(),
        }
    }

    /// Rows waiting to be committed.
    pub fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Makes room for a courier's rows; `false` when there is none.
    fn admit(&self, courier: Uuid, rows: usize) -> bool {
        let mut of_courier = self.of_courier();
        let theirs = of_courier.get(&courier).copied().unwrap_or_default() + rows;
        if theirs > MAX_QUEUED_ROWS_OF_COURIER || self.rows.load(Ordering::Relaxed) + rows > MAX_QUEUED_ROWS {
            return false;
        }
        of_courier.insert(courier, theirs);
        self.came_ms.store(self.now_ms(), Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
        true
    }

    /// Forgets a courier's rows, which are committed or refused.
    fn release(&self, courier: Uuid, rows: usize) {
        let mut of_courier = self.of_courier();
        if let Some(theirs) = of_courier.get_mut(&courier) {
            *theirs -= rows;
            if *theirs == 0 {
                of_courier.remove(&courier);
            }
        }
        self.rows.fetch_sub(rows, Ordering::Relaxed);
    }

    /// The first lane that has not enough to do, or the one with the least.
    fn choose_lane(&self) -> usize {
        let rows = |lane: usize| self.of_lane[lane].load(Ordering::Relaxed);
        let lanes = 0..self.of_lane.len();
        lanes
            .clone()
            .find(|lane| rows(*lane) < ENOUGH_ROWS)
            .or_else(|| lanes.min_by_key(|lane| rows(*lane)))
            .unwrap_or(0)
    }

    fn of_courier(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.of_courier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long ago rows came last.
    pub fn quiet_for(&self) -> Duration {
        let ago_ms = self.now_ms().saturating_sub(self.came_ms.load(Ordering::Relaxed));
        Duration::from_millis(ago_ms.unsigned_abs())
    }

    fn now_ms(&self) -> i64 {
        self.epoch.elapsed().as_millis() as i64
    }

    /// How long the slowest writer has been trying to commit one batch.
    pub fn lag(&self) -> Duration {
        let now_ms = self.now_ms();
        let since = self.busy_since_ms.iter().map(|lane| lane.load(Ordering::Relaxed)).filter(|since| *since >= 0);
        since.map(|since| Duration::from_millis(now_ms.saturating_sub(since) as u64)).max().unwrap_or_default()
    }
}

#[derive(Debug)]
struct Append {
    courier: Uuid,
    received_at: DateTime<Utc>,
    fixes: Vec<Fix>,
    done: oneshot::Sender<Result<Stored, AppendError>>,
}

impl FixWriter {
    /// Starts the writers as tasks. They end when every clone of the returned handle is gone and the queues
    /// are empty, or soon after `shutdown` is cancelled.
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

    /// Stores `fixes` and resolves once they are committed.
    ///
    /// # Errors
    /// [`AppendError::Full`] when the queue is at capacity; the caller should answer "retry later".
    /// [`AppendError::NotStored`] at shutdown, or when Postgres will never take these rows.
    /// # Cancel safety
    /// Dropping the future does not withdraw the rows; they may still be written.
    pub async fn append(
        &self,
        courier: CourierId,
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
        let request = Append { courier: *courier.as_uuid(), received_at, fixes, done };
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

    /// What is waiting.
    pub fn backlog(&self) -> &Backlog {
        &self.backlog
    }
}

struct Writer {
    lane: usize,
    max_rows: usize,
    requests: mpsc::Receiver<Append>,
    connection: Option<PgConnection>,
    options: PgConnectOptions,
    backlog: Arc<Backlog>,
    shutdown: CancellationToken,
}

impl Writer {
    async fn run(mut self) {
        while let Some(batch) = self.next_batch().await {
            let of_each: Vec<_> = batch.iter().map(|request| (request.courier, request.fixes.len())).collect();
            let rows: usize = of_each.iter().map(|(_, rows)| rows).sum();
            let started = Instant::now();
            self.backlog.busy_since_ms[self.lane].store(self.backlog.now_ms(), Ordering::Relaxed);
            self.store(batch).await;
            self.backlog.busy_since_ms[self.lane].store(-1, Ordering::Relaxed);
            self.backlog.of_lane[self.lane].fetch_sub(rows, Ordering::Relaxed);
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
            // Validation keeps such rows out, so one slipped through: find whose it is, and store the others.
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
                // Shutdown has waited long enough for a database that does not answer; nobody was told of these rows.
                () = shutdown.cancelled() => return Err(Refused::ShuttingDown),
            };
            let error = match attempt {
                Ok(Ok(new)) => return Ok(new),
                Ok(Err(error)) => Some(error),
                Err(_elapsed) => None,
            };
            // Whatever state the connection is in, a fresh one is in none.
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

    /// One statement, one implicit transaction. Returns the keys that were new.
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
             on conflict do nothing returning courier_id, fixed_at",
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

/// A day without a table yet: the partition task makes it within the minute, so wait rather than refuse.
fn is_missing_partition(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(database) = error else { return false };
    database.code().as_deref() == Some("23514") && database.constraint().is_none()
}

/// The batch turned on its side, one array per column, sorted by key: two transactions that insert the
/// same keys in the same order cannot wait for each other in a circle.
struct Columns {
    courier_id: Vec<Uuid>,
    fixed_at: Vec<DateTime<Utc>>,
    received_at: Vec<DateTime<Utc>>,
    lat: Vec<f64>,
    lon: Vec<f64>,
    accuracy_m: Vec<Option<f32>>,
    speed_mps: Vec<Option<f32>>,
    heading_deg: Vec<Option<f32>>,
    altitude_m: Vec<Option<f32>>,
    battery: Vec<Option<f32>>,
}

impl Columns {
    fn of(batch: &[Append]) -> Self {
        let rows = batch.iter().flat_map(|request| request.fixes.iter().map(move |fix| (request, fix)));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|(request, fix)| (request.courier, fix.recorded_at_ms()));
        Self {
            courier_id: rows.iter().map(|(request, _)| request.courier).collect(),
            fixed_at: rows.iter().map(|(_, fix)| from_ms(fix.recorded_at_ms())).collect(),
            received_at: rows.iter().map(|(request, _)| request.received_at).collect(),
            lat: rows.iter().map(|(_, fix)| fix.point().lat()).collect(),
            lon: rows.iter().map(|(_, fix)| fix.point().lon()).collect(),
            accuracy_m: rows.iter().map(|(_, fix)| fix.accuracy_m()).collect(),
            speed_mps: rows.iter().map(|(_, fix)| fix.speed_mps()).collect(),
            heading_deg: rows.iter().map(|(_, fix)| fix.heading_deg()).collect(),
            altitude_m: rows.iter().map(|(_, fix)| fix.altitude_m()).collect(),
            battery: rows.iter().map(|(_, fix)| fix.battery()).collect(),
        }
    }
}

/// Tells every caller how many of its rows were new. A key that two callers sent counts for the first.
fn answer(batch: Vec<Append>, new: Vec<(Uuid, DateTime<Utc>)>) {
    let rows: usize = batch.iter().map(|request| request.fixes.len()).sum();
    let all_new = new.len() == rows;
    let mut new: HashSet<(Uuid, i64)> = match all_new {
        true => HashSet::new(),
        false => new.into_iter().map(|(courier, at)| (courier, at.timestamp_millis())).collect(),
    };
    for request in batch {
        let mut is_new = |fix: &Fix| all_new || new.remove(&(request.courier, fix.recorded_at_ms()));
        let stored = request.fixes.iter().map(|fix| u32::from(is_new(fix))).sum();
        let duplicates = request.fixes.len() as u32 - stored;
        let _ = request.done.send(Ok(Stored { stored, duplicates }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_courier_leaves_room_for_all_others() {
        let (backlog, ana, ben) = (Backlog::new(2), Uuid::now_v7(), Uuid::now_v7());
        for _ in 0..50 {
            assert!(backlog.admit(ana, 500), "a whole phone's backlog fits");
        }
        assert!(!backlog.admit(ana, 1), "and then no more");
        assert!(backlog.admit(ben, 500));
        backlog.release(ana, 500);
        assert_eq!(backlog.rows(), 25_000);
        assert!(backlog.admit(ana, 500));
    }

    #[test]
    fn all_together_have_a_limit_and_what_is_committed_is_forgotten() {
        let backlog = Backlog::new(2);
        let couriers: Vec<_> = (0..4).map(|_| Uuid::now_v7()).collect();
        assert!(couriers.iter().all(|courier| backlog.admit(*courier, 25_000)));
        assert!(!backlog.admit(Uuid::now_v7(), 1));
        couriers.iter().for_each(|courier| backlog.release(*courier, 25_000));
        assert!(backlog.rows() == 0 && backlog.of_courier().is_empty());
    }

    #[test]
    fn the_first_writer_does_the_work_until_it_has_enough_and_then_the_one_with_the_least() {
        let backlog = Backlog::new(2);
        assert_eq!(backlog.choose_lane(), 0);
        backlog.of_lane[0].store(ENOUGH_ROWS, Ordering::Relaxed);
        assert_eq!(backlog.choose_lane(), 1);
        backlog.of_lane[1].store(ENOUGH_ROWS + 1, Ordering::Relaxed);
        assert_eq!(backlog.choose_lane(), 0);
        backlog.of_lane[0].store(ENOUGH_ROWS + 2, Ordering::Relaxed);
        assert_eq!(backlog.choose_lane(), 1);
    }
}
