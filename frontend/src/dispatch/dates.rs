//! Times and days as the REST API, file names and the fields of forms write them.
//!
//! What people read is in [`super::text`].

use chrono::{DateTime, SecondsFormat};

use crate::ui::time::MINUTE_MS;

/// A time as the API takes it.
pub fn rfc3339(at_ms: i64) -> String {
    let at = DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A day as it stands in a file's name: `2026-11-21`. Counted from 1 January 1970.
pub fn date_code(day: i64) -> String {
    rfc3339(day * 24 * 60 * MINUTE_MS)[..10].to_owned()
}

/// The day of a date, `2026-11-21`, counted from 1 January 1970.
pub fn day_of(date: &str) -> Option<i64> {
    let midnight: DateTime<chrono::Utc> = format!("{date}T00:00:00Z").parse().ok()?;
    Some(midnight.timestamp_millis() / (24 * 60 * MINUTE_MS))
}
