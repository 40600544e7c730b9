//! Overland: a batch of GeoJSON points per request and, while the phone catches up, its present position.
//!
//! The client deletes a batch when the answer is exactly `{"result":"ok"}` and sends it again otherwise, so a bad point
//! is counted and the rest of the batch is accepted.

use doorstep_shared::RawFix;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decode::{DecodeError, Decoded, Hint, Items, Number, Timestamp, Unreadable, part};

/// Reads a batch. The present position, if there is one, comes after the backlog.
///
/// # Errors
/// [`DecodeError::TooManyPoints`]
pub fn decode(body: &[u8]) -> Result<Decoded, DecodeError> {
    let Ok(batch) = serde_json::from_slice::<Batch<'_>>(body) else { return Ok(Decoded::nothing_readable()) };
    let mut decoded = Decoded::default();
    for feature in batch.locations.unwrap_or_default().few_enough()?.into_iter().chain(batch.current) {
        decoded.add(part::<Feature>(feature).and_then(|feature| feature.fix()).map(Some));
    }
    Ok(decoded)
}

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    locations: Option<Items<'a>>,
    #[serde(borrow)]
    current: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Feature {
    geometry: Geometry,
    properties: Properties,
}

#[derive(Deserialize)]
struct Geometry {
    coordinates: Vec<Number>,
}

#[derive(Deserialize)]
struct Properties {
    timestamp: Timestamp,
    #[serde(default)]
    altitude: Hint,
    #[serde(default)]
    speed: Hint,
    #[serde(default)]
    course: Hint,
    #[serde(default)]
    horizontal_accuracy: Hint,
    #[serde(default)]
    vertical_accuracy: Hint,
    #[serde(default)]
    battery_level: Hint,
}

impl Feature {
    fn fix(&self) -> Result<RawFix, Unreadable> {
        let [Number(lon), Number(lat), ..] = self.geometry.coordinates[..] else { return Err(Unreadable) };
        let properties = &self.properties;
        Ok(RawFix {
            time_ms: properties.timestamp.to_ms()?,
            lat,
            lon,
            accuracy_m: properties.horizontal_accuracy.value(),
            speed_mps: properties.speed.known(1.0),
            heading_deg: properties.course.known(1.0),
            // iOS sends a negative value when the altitude beside it is not valid.
            altitude_m: if properties.vertical_accuracy.is_negative() { None } else { properties.altitude.value() },
            battery: properties.battery_level.known(1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::service::ingest::decode::MAX_POINTS;

    macro_rules! payload {
        ($name:literal) => {
            include_str!(concat!("../../../tests/payloads/overland/", $name)).trim_end()
        };
    }

    const TAKEN_MS: i64 = 1_787_392_800_000;

    fn full(time_ms: i64) -> RawFix {
        RawFix {
            time_ms,
            lat: 35.898912,
            lon: 14.514553,
            accuracy_m: Some(6.0),
            speed_mps: Some(5.0),
            heading_deg: Some(182.0),
            altitude_m: Some(12.0),
            battery: Some(0.81),
        }
    }

    fn decoded(body: &str) -> Decoded {
        decode(body.as_bytes()).expect("few enough points")
    }

    #[test]
    fn a_batch_is_understood_point_by_point() {
        let unknown =
            RawFix { speed_mps: None, heading_deg: None, altitude_m: None, battery: None, ..full(TAKEN_MS + 1_000) };
        assert_eq!(
            decoded(payload!("ios-batch.json")),
            Decoded { fixes: vec![full(TAKEN_MS), unknown], unreadable: 0 }
        );
    }

    #[test]
    fn the_present_position_comes_last() {
        assert_eq!(
            decoded(payload!("ios-catching-up.json")),
            Decoded { fixes: vec![full(TAKEN_MS), full(TAKEN_MS + 600_000)], unreadable: 0 }
        );
    }

    #[test]
    fn a_batch_may_be_empty() {
        for body in [r#"{"locations":[]}"#, r#"{"locations":null,"current":null}"#, "{}", r#"{"trip":{}}"#] {
            assert_eq!(decoded(body), Decoded::default(), "{body}");
        }
    }

    #[test]
    fn a_bad_point_does_not_spoil_its_batch() {
        let good = r#"{"geometry":{"coordinates":[14.5,35.9,12]},"properties":{"timestamp":"2026-08-22T10:00:00Z"}}"#;
        let bad = [
            "null",
            "7",
            "{}",
            r#"{"geometry":{"coordinates":[14.5]},"properties":{"timestamp":"2026-08-22T10:00:00Z"}}"#,
            r#"{"geometry":{"coordinates":[[14.5,35.9]]},"properties":{"timestamp":"2026-08-22T10:00:00Z"}}"#,
            r#"{"geometry":{"coordinates":["east","35.9"]},"properties":{"timestamp":"2026-08-22T10:00:00Z"}}"#,
            r#"{"geometry":{"coordinates":[1e400,35.9]},"properties":{"timestamp":"2026-08-22T10:00:00Z"}}"#,
            r#"{"geometry":{"coordinates":[14.5,35.9]},"properties":{"timestamp":"yesterday"}}"#,
            r#"{"geometry":{"coordinates":[14.5,35.9]},"properties":{}}"#,
        ];
        let body = format!(r#"{{"locations":[{},{good}]}}"#, bad.join(","));
        let fix = RawFix { time_ms: TAKEN_MS, lat: 35.9, lon: 14.5, ..RawFix::default() };
        assert_eq!(decoded(&body), Decoded { fixes: vec![fix], unreadable: bad.len() as u32 });
    }

    #[test]
    fn numbers_may_be_text() {
        let body = r#"{"locations":[{"geometry":{"coordinates":["14.514553","35,898912"]},"properties":{"timestamp":
            "1787392800","altitude":"12","speed":"5","course":"182","horizontal_accuracy":"6","battery_level":"0,81"}}]}"#;
        assert_eq!(decoded(body), Decoded { fixes: vec![full(TAKEN_MS)], unreadable: 0 });
    }

    #[test]
    fn a_body_without_a_batch_is_counted() {
        for body in ["", "null", "7", "[", "{\"locations\":7}", "\u{0}"] {
            assert_eq!(decoded(body), Decoded::nothing_readable(), "{body:?}");
        }
    }

    #[test]
    fn a_batch_has_a_limit() {
        let body = |points: usize| format!(r#"{{"locations":[{}]}}"#, vec!["1"; points].join(","));
        assert_eq!(decoded(&body(MAX_POINTS)).points(), MAX_POINTS);
        assert_eq!(decode(body(MAX_POINTS + 1).as_bytes()), Err(DecodeError::TooManyPoints));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_decoder_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&body);
        }

        #[test]
        fn every_point_is_accounted_for(
            points in prop::collection::vec((any::<f64>(), any::<f64>(), ".{0,12}"), 0..20),
        ) {
            let features: Vec<_> = points
                .iter()
                .map(|(lon, lat, timestamp)| serde_json::json!({
                    "geometry": { "coordinates": [lon, lat] }, "properties": { "timestamp": timestamp },
                }))
                .collect();
            let body = serde_json::json!({ "locations": features }).to_string();
            prop_assert_eq!(decoded(&body).points(), points.len());
        }
    }
}
