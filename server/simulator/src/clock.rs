//! The wall clock, as wire messages write it.

/// Now, in Unix epoch milliseconds.
pub fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
