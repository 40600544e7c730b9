//! What is counted while a load test runs. Shared by all bots; every method takes well under a microsecond.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use doorstep_shared::protocol::customer::CustomerEvent;
use hdrhistogram::Histogram;

use super::{
    riders::mark_m,
    schedule::{Schedule, Zero},
    timeline::Timeline,
};
use crate::courier::Recorded;

// Ten minutes in microseconds: whatever takes longer counts as that.
const LONGEST_US: u64 = 600_000_000;

/// A distribution of durations, to three digits, that many tasks add to.
#[derive(Debug)]
pub(crate) struct Durations(Mutex<Histogram<u64>>);

impl Default for Durations {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3).expect("sound bounds");
        Self(Mutex::new(histogram))
    }
}

impl Durations {
    pub(crate) fn add(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(LONGEST_US);
        self.0.lock().expect("nothing panics while it holds the histogram").saturating_record(us.max(1));
    }

    pub(crate) fn get(&self) -> Histogram<u64> {
        self.0.lock().expect("nothing panics while it holds the histogram").clone()
    }
}

/// Everything counted.
#[derive(Debug, Default)]
pub(super) struct Measurements {
    /// From when a fix was due until its ack came.
    pub ack: Durations,
    /// From when a message was due until a customer got its newest position.
    pub delivery: Durations,
    /// The longest time without a new position, once for each customer.
    pub silence: Durations,
    /// From when a message was due until this program handed it over: its own lateness.
    pub lateness: Durations,
    pub fixes_given: AtomicU64,
    pub fixes_acked: AtomicU64,
    /// Messages that a bot was too far behind to take.
    pub refused: AtomicU64,
    pub deliveries: AtomicU64,
    pub other_order: AtomicU64,
    pub timeline: Timeline,
    last_ack_us: AtomicU64,
}

impl Measurements {
    pub(super) fn acked(&self, recorded: &Recorded, at: Instant, zero: Zero) {
        self.ack.add(at.saturating_duration_since(recorded.due));
        self.fixes_acked.fetch_add(1, Ordering::Relaxed);
        let since_zero = at.saturating_duration_since(zero.instant);
        self.timeline.acks.add(since_zero, at.saturating_duration_since(recorded.due));
        self.last_ack_us.fetch_max(since_zero.as_micros() as u64, Ordering::Relaxed);
    }

    /// Notes that a customer got something, this long after it was due.
    pub(super) fn delivered(&self, after: Duration) {
        self.deliveries.fetch_add(1, Ordering::Relaxed);
        self.delivery.add(after);
    }

    /// How many deliveries there were so far.
    pub(super) fn deliveries(&self) -> u64 {
        self.deliveries.load(Ordering::Relaxed)
    }

    /// How long after the schedule's zero the last ack came.
    pub(super) fn last_ack(&self) -> Duration {
        Duration::from_micros(self.last_ack_us.load(Ordering::Relaxed))
    }
}

/// One customer's eye on the positions of one courier. Its longest silence is noted when it closes.
pub(super) struct Eye {
    courier: usize,
    schedule: Schedule,
    zero: Zero,
    measurements: Arc<Measurements>,
    /// The number after that of the newest message seen.
    next_message: u64,
    last_news: Instant,
    silence: Duration,
}

impl Eye {
    pub(super) fn new(courier: usize, schedule: Schedule, zero: Zero, measurements: Arc<Measurements>) -> Self {
        Self {
            courier,
            schedule,
            zero,
            measurements,
            next_message: 0,
            last_news: zero.instant,
            silence: Duration::ZERO,
        }
    }

    /// Looks at a message that arrived.
    pub(super) fn see(&mut self, at: Instant, event: &CustomerEvent) {
        let (position, is_live) = match event {
            CustomerEvent::Position(update) => (update.position(), true),
            CustomerEvent::Snapshot(snapshot) => match snapshot.position {
                Some(position) => (position, false),
                None => return,
            },
            _ => return,
        };
        if position.accuracy_m != Some(mark_m(self.courier)) {
            self.measurements.other_order.fetch_add(1, Ordering::Relaxed);
        }
        let time_ms = position.time_ms - self.zero.epoch_ms;
        if let Some(message) = self.schedule.message_at(self.courier, time_ms)
            && message >= self.next_message
        {
            self.news(at, message);
            // A snapshot shows what came earlier; how fast it was is not known from it.
            if is_live {
                let after = at.saturating_duration_since(self.zero.at(time_ms as u64));
                self.measurements.delivered(after);
                let since_zero = at.saturating_duration_since(self.zero.instant);
                self.measurements.timeline.deliveries.add(since_zero, after);
            }
        }
    }

    fn news(&mut self, at: Instant, message: u64) {
        self.next_message = message + 1;
        self.silence = self.silence.max(at.saturating_duration_since(self.last_news));
        self.last_news = at.max(self.last_news);
    }
}

impl Drop for Eye {
    fn drop(&mut self) {
        self.measurements.silence.add(self.silence);
    }
}
