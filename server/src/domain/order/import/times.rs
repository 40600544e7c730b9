//! Reads the times in a file, which mostly have no zone.
//!
//! They are meant in the time zone of the server's town.

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The moment that `text` means in `zone`: a time with a zone, a local date and time, or a local time of today.
pub(super) fn time(text: &str, zone: Tz, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Some(exact.to_utc());
    }
    let today = now.with_timezone(&zone).date_naive();
    let of_today = NaiveTime::parse_from_str(text, "%H:%M").map(|time| today.and_time(time));
    let formats = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S"];
    let dated = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    // The hour that the clocks skip in spring does not exist; of the hour that comes twice, the first is meant.
    let local = of_today.ok().or(dated)?;
    Some(zone.from_local_datetime(&local).earliest()?.to_utc())
}
