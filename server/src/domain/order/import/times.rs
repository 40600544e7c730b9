//! Reads the times in a file, which mostly have no zone.
//!
//! They are meant in the time zone of the server's town, by the rules of their own day.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
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
    moment(of_today.ok().or(dated)?, zone)
}

/// When the clocks of `zone` show `local`, as the forms read it: a time that they show twice, in autumn, is the first; one
/// that they skip, in spring, moves forward by what is skipped.
fn moment(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at.to_utc()),
        MappedLocalTime::None => {
            // Half a day before, the clocks have not been changed yet.
            let before = zone.from_local_datetime(&(local - TimeDelta::hours(12))).earliest()?;
            Some(before.to_utc() + TimeDelta::hours(12))
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::{America::New_York, Asia::Kolkata, Australia::Lord_Howe, Europe::Malta};

    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time in UTC")
    }

    #[test]
    fn a_local_time_is_read_by_the_rules_of_its_own_day() {
        for (zone, written, meant) in [
            (Malta, "2027-03-29 12:00", "2027-03-29T10:00:00Z"),
            (Malta, "2027-03-28 02:30", "2027-03-28T01:30:00Z"),
            (Malta, "2026-10-25 02:30", "2026-10-25T00:30:00Z"),
            (New_York, "2027-03-14 02:15", "2027-03-14T07:15:00Z"),
            (New_York, "2026-11-01 01:30", "2026-11-01T05:30:00Z"),
            (Lord_Howe, "2026-10-04 02:15", "2026-10-03T15:45:00Z"),
            (Lord_Howe, "2027-04-04 01:45", "2027-04-03T14:45:00Z"),
            (Kolkata, "2027-03-28T02:30", "2027-03-27T21:00:00Z"),
            (Malta, "2027-03-28T02:30:00Z", "2027-03-28T02:30:00Z"),
        ] {
            assert_eq!(time(written, zone, utc("2026-11-21T17:42:00Z")), Some(utc(meant)), "{written} in {zone}");
        }
        assert_eq!(
            time("12:00", Malta, utc("2027-03-28T23:30:00Z")),
            Some(utc("2027-03-29T10:00:00Z")),
            "today is Monday"
        );
    }
}
