//! Fixes as files: GeoJSON (RFC 7946), GPX 1.1 and CSV.

mod accept;
mod bounds;
mod geo_json;
mod gpx;

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use doorstep_shared::{Fix, geo::coord::round6};
use serde_json::json;

pub use self::accept::Format;
use crate::platform::clock::from_ms;

/// A silence longer than this starts a new segment: what lies between is unknown.
const SEGMENT_GAP_MS: i64 = 120_000;

/// What a browser should call the file: the courier's name in plain letters, and the day.
pub fn file_name(extension: &str, courier_name: &str, day: &str) -> String {
    let folded = doorstep_shared::text::fold(courier_name);
    let words: Vec<_> = folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { "courier".to_owned() } else { words.join("-") };
    format!("{name}-{day}.{extension}")
}

/// The fixes, oldest first, as a file that is written `now`.
pub fn write(format: Format, courier_name: &str, fixes: &[Fix], now: DateTime<Utc>) -> String {
    match format {
        Format::Json => json!({ "items": fixes.iter().map(Fix::to_raw).collect::<Vec<_>>() }).to_string(),
        Format::GeoJson => geo_json::write(fixes),
        Format::Gpx => gpx::write(courier_name, fixes, now),
        Format::Csv => csv(fixes),
    }
}

fn segments(fixes: &[Fix]) -> impl Iterator<Item = &[Fix]> {
    fixes.chunk_by(|before, after| after.recorded_at_ms() - before.recorded_at_ms() <= SEGMENT_GAP_MS)
}

fn time(fix: &Fix) -> String {
    from_ms(fix.recorded_at_ms()).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A measured number as phones mean it, with at most three decimals: `4.1`, not the 4.099999904632568 of its 32 bits.
fn plain(number: f32) -> f64 {
    // Adding zero takes the sign off −0.
    (f64::from(number) * 1_000.0).round() / 1_000.0 + 0.0
}

fn csv(fixes: &[Fix]) -> String {
    let mut file = String::from("time,lat,lon,accuracy_m,speed_mps,heading_deg,altitude_m,battery\r\n");
    for fix in fixes {
        let cell = |value: Option<f32>| value.map(|number| plain(number).to_string()).unwrap_or_default();
        let _ = write!(
            file,
            "{},{},{},{},{},{},{},{}\r\n",
            time(fix),
            round6(fix.point().lat()),
            round6(fix.point().lon()),
            cell(fix.accuracy_m()),
            cell(fix.speed_mps()),
            cell(fix.heading_deg()),
            cell(fix.altitude_m()),
            cell(fix.battery()),
        );
    }
    file
}

#[cfg(test)]
mod tests {
    use doorstep_shared::RawFix;

    use super::*;
    use crate::domain::track::tests::{fix, start};

    /// Two segments: three fixes, and two after ten minutes.
    pub(super) fn trip() -> Vec<Fix> {
        [0, 1_000, 2_000, 600_000, 601_000].map(|time_ms| fix(time_ms, start())).to_vec()
    }

    #[test]
    fn a_file_is_named_for_the_courier_and_the_day() {
        assert_eq!(file_name("gpx", "Ġorġ \"X\"/..\\ Ħarrub\n", "2026-11-21"), "gorg-x-harrub-2026-11-21.gpx");
        assert_eq!(file_name("csv", "小王", "2026-11-21"), "courier-2026-11-21.csv");
    }

    #[test]
    fn numbers_are_written_as_they_were_measured() {
        let noisy = RawFix {
            time_ms: 0,
            lat: 35.899_999_999_999_99,
            lon: 14.1 + 0.2,
            accuracy_m: Some(5.1),
            speed_mps: Some(10.0 / 3.0),
            heading_deg: Some(0.1 + 0.2),
            altitude_m: Some(-1e-5),
            battery: Some(0.7),
        };
        let file = csv(&[Fix::try_new(&noisy).expect("a fix"), trip()[0]]);
        let lines: Vec<_> = file.lines().skip(1).collect();
        assert_eq!(
            lines,
            ["1970-01-01T00:00:00.000Z,35.9,14.3,5.1,3.333,0.3,0,0.7", "1970-01-01T00:00:00.000Z,35.9,14.5,,,,,"]
        );
    }
}
