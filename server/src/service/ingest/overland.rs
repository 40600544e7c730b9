//! Overland: a batch of GeoJSON points per request and, while the phone catches up, its present position.
//!
//! The client deletes a batch when the answer is exactly `{"result":"ok"}` and sends it again otherwise, so a bad point
//! is counted and the rest of the batch is accepted. A visit or a trip comes when it is over, dated by then and with its
//! own times beside: it is stored under those. Other features with an `action` are notes of the app about itself, with
//! the last place it knew and the present time: they are no positions.

use doorstep_shared::RawFix;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decode::{DecodeError, Decoded, Flag, Hint, Items, Number, Reading, Timestamp, Unreadable, part};

/// Reads a batch. The present position, if there is one, comes after the backlog.
///
/// # Errors
/// [`DecodeError::TooManyPoints`]
pub fn decode(body: &[u8]) -> Result<Decoded, DecodeError> {
    let Ok(batch) = serde_json::from_slice::<Batch<'_>>(body) else { return Ok(Decoded::nothing_readable()) };
    let mut decoded = Decoded::default();
    for feature in batch.locations.unwrap_or_default().few_enough()?.into_iter().chain(batch.current) {
        decoded.add(part::<Feature<'_>>(feature).and_then(|feature| feature.reading()));
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
struct Feature<'a> {
    geometry: Option<Geometry>,
    #[serde(borrow)]
    properties: Properties<'a>,
}

#[derive(Deserialize)]
struct Geometry {
    coordinates: Vec<Number>,
}

#[derive(Deserialize)]
struct Properties<'a> {
    timestamp: Option<Timestamp>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    arrival_date: Option<&'a RawValue>,
    #[serde(borrow)]
    departure_date: Option<&'a RawValue>,
    #[serde(borrow)]
    end: Option<&'a RawValue>,
    #[serde(default, rename = "isPlausible", alias = "is_plausible")]
    plausible: Flag,
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

/// The time to which a feature's place belongs, Unix epoch milliseconds.
enum Moment {
    /// The device is there, or was when it could not send it.
    Live(i64),
    /// It was there before.
    Past(i64),
    /// None.
    Never,
}

impl Feature<'_> {
    fn reading(&self) -> Result<Reading, Unreadable> {
        match self.properties.moment()? {
            Moment::Live(time_ms) => self.fix(time_ms).map(Reading::Position),
            Moment::Past(time_ms) => self.fix(time_ms).map(Reading::Past),
            Moment::Never => Ok(Reading::NoPosition),
        }
    }

    fn fix(&self, time_ms: i64) -> Result<RawFix, Unreadable> {
        let geometry = self.geometry.as_ref().ok_or(Unreadable)?;
        let [Number(lon), Number(lat), ..] = geometry.coordinates[..] else { return Err(Unreadable) };
        let properties = &self.properties;
        Ok(RawFix {
            time_ms,
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

impl Properties<'_> {
    fn moment(&self) -> Result<Moment, Unreadable> {
        let of_visit = || [self.departure_date, self.arrival_date].into_iter().find_map(|date| self.date_ms(date));
        let is = |property: Option<&RawValue>, word: &str| {
            property.and_then(|property| part::<String>(property).ok()).is_some_and(|text| text == word)
        };
        if is(self.kind, "visit") || self.action.is_some() {
            return Ok(of_visit().map_or(Moment::Never, Moment::Past));
        }
        if is(self.kind, "trip") {
            return Ok(self.date_ms(self.end).map_or(Moment::Never, Moment::Past));
        }
        let time_ms = self.timestamp.as_ref().ok_or(Unreadable)?.to_ms()?;
        Ok(if self.plausible.is_no() { Moment::Past(time_ms) } else { Moment::Live(time_ms) })
    }

    /// A date of a visit or a trip. Phones write years far away for an end that is not known yet.
    fn date_ms(&self, date: Option<&RawValue>) -> Option<i64> {
        let date_ms = part::<Timestamp>(date?).ok()?.to_ms().ok()?;
        let told_ms = self.timestamp.as_ref().and_then(|told| told.to_ms().ok()).unwrap_or(i64::MAX);
        (date_ms > 0 && date_ms <= told_ms).then_some(date_ms)
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
            Decoded { fixes: vec![full(TAKEN_MS), unknown], ..Decoded::default() }
        );
    }

    #[test]
    fn the_present_position_comes_last() {
        assert_eq!(
            decoded(payload!("ios-catching-up.json")),
            Decoded { fixes: vec![full(TAKEN_MS), full(TAKEN_MS + 600_000)], ..Decoded::default() }
        );
    }

    #[test]
    fn a_visit_or_a_trip_belongs_to_its_own_time() {
        let visit = decoded(payload!("ios-visit.json"));
        let there = RawFix {
            time_ms: TAKEN_MS - 180_000,
            accuracy_m: Some(25.0),
            speed_mps: None,
            heading_deg: None,
            altitude_m: None,
            battery: Some(0.8),
            ..full(0)
        };
        assert_eq!(visit, Decoded { past: vec![there], ..Decoded::default() });
    }

    #[test]
    fn reports_about_the_past_are_stored_or_counted_and_never_live() {
        let (at, never) = (|minute: i64| Some(TAKEN_MS + minute * 60_000), None);
        let cases = [
            (
                r#""action":"visit","arrival_date":"2026-08-22T09:30:00Z","departure_date":"2026-08-22T09:57:00Z""#,
                at(-3),
            ),
            (r#""action":"visit","arrival_date":"2026-08-22T09:30:00Z","departure_date":null"#, at(-30)),
            (
                r#""action":"visit","arrival_date":"2026-08-22T09:30:00Z","departure_date":"4001-01-01T00:00:00Z""#,
                at(-30),
            ),
            (
                r#""action":"visit","arrival_date":"0001-01-01T00:00:00Z","departure_date":"2026-08-22T09:57:00Z""#,
                at(-3),
            ),
            (r#""type":"visit","arrival_date":1787391000"#, at(-30)),
            (r#""action":"visit""#, never),
            (r#""type":"trip","start":"2026-08-22T09:30:00Z","end":"2026-08-22T09:57:00Z","mode":"bicycle""#, at(-3)),
            (r#""type":"trip","start":"2026-08-22T09:30:00Z""#, never),
            (r#""action":"paused_location_updates""#, never),
            (r#""action":"will_terminate""#, never),
            (r#""isPlausible":false"#, at(0)),
        ];
        for (properties, expected) in cases {
            let body = format!(
                r#"{{"locations":[{{"geometry":{{"coordinates":[14.5,35.9]}},"properties":{{"timestamp":"2026-08-22T10:00:00Z",{properties}}}}}]}}"#
            );
            let mut expect = Decoded::default();
            let past = |time_ms| Reading::Past(RawFix { time_ms, lat: 35.9, lon: 14.5, ..RawFix::default() });
            expect.add(Ok(expected.map_or(Reading::NoPosition, past)));
            assert_eq!(decoded(&body), expect, "{properties}");
        }
        let bare = r#"{"locations":[{"properties":{"timestamp":"2026-08-22T10:00:00Z","action":"will_terminate"}}]}"#;
        assert_eq!(decoded(bare), Decoded { without_position: 1, ..Decoded::default() }, "without a place");
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
        assert_eq!(decoded(&body), Decoded { fixes: vec![fix], unreadable: bad.len() as u32, ..Decoded::default() });
    }

    #[test]
    fn numbers_may_be_text() {
        let body = r#"{"locations":[{"geometry":{"coordinates":["14.514553","35,898912"]},"properties":{"timestamp":
            "1787392800","altitude":"12","speed":"5","course":"182","horizontal_accuracy":"6","battery_level":"0,81"}}]}"#;
        assert_eq!(decoded(body), Decoded { fixes: vec![full(TAKEN_MS)], ..Decoded::default() });
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
        assert_eq!(decoded(&body(MAX_POINTS)).reports(), MAX_POINTS);
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
            prop_assert_eq!(decoded(&body).reports(), points.len());
        }
    }
}
