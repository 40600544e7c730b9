//! Counts the rows that wait, per courier and per writer, and refuses those that find no room.
//!
//! Readiness and metrics read it, too.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use uuid::Uuid;

/// A writer with this many rows to commit leaves the next to another. Below it, one writer is quicker than two: rows
/// that come while it commits share one statement and one flush of the disk, instead of two that wait for each other.
const ENOUGH_ROWS: usize = 64;

/// Rows that may wait for all writers. At 2 000 fixes a second that is 50 s of a stopped database in about 20 MB.
/// Overflow policy: `append` refuses, and the phone keeps its fixes.
const MAX_QUEUED_ROWS: usize = 100_000;

/// Rows of one courier that may wait: a phone's whole backlog of 20 000 fixes, and what it records meanwhile. A courier
/// who sends more waits for their own rows, and leaves the queue to all others.
const MAX_QUEUED_ROWS_OF_COURIER: usize = 25_000;

/// What waits, for readiness and metrics.
#[derive(Debug)]
pub struct Backlog {
    rows: AtomicUsize,
    of_courier: Mutex<HashMap<Uuid, usize>>,
    /// Rows that each lane has waiting or in hand.
    pub(super) of_lane: Box<[AtomicUsize]>,
    /// When each lane's oldest unwritten batch was taken, in milliseconds since `epoch`; −1 when idle.
    busy_since_ms: Box<[AtomicI64]>,
    /// When the newest rows came, in milliseconds since `epoch`; long ago at first.
    came_ms: AtomicI64,
    epoch: Instant,
}

impl Backlog {
    pub(super) fn new(lanes: usize) -> Self {
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

    /// Reserves room for a courier's rows; `false` when there is none.
    pub(super) fn admit(&self, courier: Uuid, rows: usize) -> bool {
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

    /// Frees the room of a courier's rows, which are committed or refused.
    pub(super) fn release(&self, courier: Uuid, rows: usize) {
        let mut of_courier = self.of_courier();
        if let Some(theirs) = of_courier.get_mut(&courier) {
            *theirs -= rows;
            if *theirs == 0 {
                of_courier.remove(&courier);
            }
        }
        self.rows.fetch_sub(rows, Ordering::Relaxed);
    }

    /// The first lane with fewer than [`ENOUGH_ROWS`], or the one with the fewest.
    pub(super) fn choose_lane(&self) -> usize {
        let rows = |lane: usize| self.of_lane[lane].load(Ordering::Relaxed);
        let lanes = 0..self.of_lane.len();
        lanes
            .clone()
            .find(|lane| rows(*lane) < ENOUGH_ROWS)
            .or_else(|| lanes.min_by_key(|lane| rows(*lane)))
            .unwrap_or(0)
    }

    /// How long ago the newest rows came.
    pub fn quiet_for(&self) -> Duration {
        let ago_ms = self.now_ms().saturating_sub(self.came_ms.load(Ordering::Relaxed));
        Duration::from_millis(ago_ms.unsigned_abs())
    }

    /// Notes that a lane began to write a batch.
    pub(super) fn begin_batch(&self, lane: usize) {
        self.busy_since_ms[lane].store(self.now_ms(), Ordering::Relaxed);
    }

    /// Notes that a lane is done with a batch of so many rows.
    pub(super) fn end_batch(&self, lane: usize, rows: usize) {
        self.busy_since_ms[lane].store(-1, Ordering::Relaxed);
        self.of_lane[lane].fetch_sub(rows, Ordering::Relaxed);
    }

    fn of_courier(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.of_courier.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn all_couriers_together_have_a_limit_and_committed_rows_are_forgotten() {
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
