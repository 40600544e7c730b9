//! The only place that asks what time it is.
//!
//! Everything else gets a [`Clock`] or a time as an argument, so tests can move it by hand.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Datelike, Offset, TimeZone, Utc};
use chrono_tz::Tz;

/// The source of the time: the system's clock, or one that a test sets.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    manual_ms: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still until it is moved.
    pub fn manual(start_ms: i64) -> (Self, ManualClock) {
        let now_ms = Arc::new(AtomicI64::new(start_ms));
        (Self { manual_ms: Some(Arc::clone(&now_ms)) }, ManualClock { now_ms })
    }

    /// Now, Unix epoch milliseconds.
    pub fn now_ms(&self) -> i64 {
        match &self.manual_ms {
            Some(manual) => manual.load(Ordering::Acquire),
            None => system_now().timestamp_millis(),
        }
    }

    /// Now, to the millisecond.
    pub fn now(&self) -> DateTime<Utc> {
        from_ms(self.now_ms())
    }
}

/// How far the clocks of a zone are ahead of UTC at a moment, in seconds; negative to the west.
pub fn offset_s(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

/// Moves a [`Clock::manual`].
#[derive(Clone, Debug)]
pub struct ManualClock {
    now_ms: Arc<AtomicI64>,
}

impl ManualClock {
    /// Lets `by_ms` milliseconds pass.
    pub fn advance(&self, by_ms: i64) {
        self.now_ms.fetch_add(by_ms, Ordering::AcqRel);
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the place")]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}

/// Whether a time from outside is one that both Postgres and arithmetic can work with: a year of four digits.
pub fn is_usable(time: DateTime<Utc>) -> bool {
    (0..=9_999).contains(&time.year())
}

/// A time from Unix epoch microseconds; the epoch for times beyond what chrono can hold.
pub fn from_us(us: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(us).unwrap_or_default()
}

/// A time from Unix epoch milliseconds. Times beyond what chrono can hold become the epoch;
/// ingest has refused them long before.
pub fn from_ms(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}
