//! OwnTracks in HTTP mode: one JSON message per request.
//!
//! Only messages of type `location` hold a point; all others are ignored. An encrypted message cannot be read, because
//! we have no keys. Every message gets 200: Android would repeat a refused one for ever before all others, and iOS
//! would delete it.

use doorstep_shared::RawFix;
use serde::Deserialize;

use super::decode::{Decoded, Hint, Unreadable, seconds_ms};

const KMH_MPS: f64 = 1.0 / 3.6;
const PERCENT: f64 = 0.01;

/// Reads one message. An empty body contains no point.
pub fn decode(body: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    if !body.trim_ascii().is_empty() {
        decoded.add(message(body));
    }
    decoded
}

fn message(body: &[u8]) -> Result<Option<RawFix>, Unreadable> {
    let Kind { kind } = serde_json::from_slice(body).map_err(|_| Unreadable)?;
    match kind.as_str() {
        "location" => {
            serde_json::from_slice::<Location>(body).map(|location| Some(location.fix())).map_err(|_| Unreadable)
        }
        "encrypted" => Err(Unreadable),
        _ => Ok(None),
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "_type")]
    kind: String,
}

#[derive(Deserialize)]
struct Location {
    lat: f64,
    lon: f64,
    tst: f64,
    #[serde(default)]
    acc: Hint,
    #[serde(default)]
    alt: Hint,
    #[serde(default)]
    vel: Hint,
    #[serde(default)]
    cog: Hint,
    #[serde(default)]
    batt: Hint,
}

impl Location {
    fn fix(&self) -> RawFix {
        RawFix {
            time_ms: seconds_ms(self.tst),
            lat: self.lat,
            lon: self.lon,
            accuracy_m: self.acc.value(),
            speed_mps: self.vel.known(KMH_MPS),
            heading_deg: self.cog.known(1.0),
            altitude_m: self.alt.value(),
            battery: self.batt.known(PERCENT),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    macro_rules! payload {
        ($name:literal) => {
            include_str!(concat!("../../../tests/payloads/owntracks/", $name)).trim_end()
        };
    }

    fn full() -> RawFix {
        RawFix {
            time_ms: 1_787_392_800_000,
            lat: 35.898912,
            lon: 14.514553,
            accuracy_m: Some(6.0),
            speed_mps: Some(5.0),
            heading_deg: Some(182.0),
            altitude_m: Some(12.0),
            battery: Some(0.81),
        }
    }

    #[test]
    fn every_clients_messages_are_understood() {
        let colota = RawFix { accuracy_m: Some(6.5), heading_deg: Some(182.5), ..full() };
        let ios = RawFix { heading_deg: None, speed_mps: None, ..full() };
        let cases = [
            (payload!("android-location.json"), vec![full()]),
            (payload!("ios-location.json"), vec![ios]),
            (payload!("colota-location.json"), vec![colota]),
            (payload!("android-transition.json"), vec![]),
            (payload!("android-status.json"), vec![]),
            (payload!("ios-waypoints.json"), vec![]),
            (payload!("android-lwt.json"), vec![]),
            (payload!("ios-steps.json"), vec![]),
            ("", vec![]),
            (" \r\n", vec![]),
        ];
        for (body, expected) in cases {
            assert_eq!(decode(body.as_bytes()), Decoded { fixes: expected, unreadable: 0 }, "{body}");
        }
    }

    #[test]
    fn an_unreadable_message_is_counted() {
        for body in [
            payload!("encrypted.json"),
            "null",
            "[]",
            "{}",
            "{",
            "\u{0}",
            r#"{"_type":7}"#,
            r#"{"_type":"location"}"#,
            r#"{"_type":"location","lat":35.9,"lon":14.5}"#,
            r#"{"_type":"location","lat":"35.9","lon":14.5,"tst":1787392800}"#,
            r#"{"_type":"location","lat":1e400,"lon":14.5,"tst":1787392800}"#,
            r#"{"_type":"location","lat":35.9,"lon":null,"tst":1787392800}"#,
        ] {
            assert_eq!(decode(body.as_bytes()), Decoded::nothing_readable(), "{body}");
        }
    }

    #[test]
    fn strange_values_beside_a_position_are_unknown() {
        let body = r#"{"_type":"location","lat":35.9,"lon":14.5,"tst":1787392800.5,"vel":"fast","cog":-1,"batt":[],"alt":null,"acc":{}}"#;
        let bare = RawFix { time_ms: 1_787_392_800_500, lat: 35.9, lon: 14.5, ..RawFix::default() };
        assert_eq!(decode(body.as_bytes()), Decoded { fixes: vec![bare], unreadable: 0 });
    }

    proptest! {
        #[test]
        fn nothing_makes_the_decoder_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(decode(&body).points() <= 1);
        }

        #[test]
        fn a_location_is_one_point_whatever_its_numbers(lat in any::<f64>(), lon in any::<f64>(), tst in any::<i64>(), vel in any::<f32>()) {
            let body = serde_json::json!({ "_type": "location", "lat": lat, "lon": lon, "tst": tst, "vel": vel });
            prop_assert_eq!(decode(body.to_string().as_bytes()).points(), 1);
        }
    }
}
