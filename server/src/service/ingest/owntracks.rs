//! OwnTracks in HTTP mode: one JSON message per request.
//!
//! Only messages of type `location` hold a point, and one that a visit, a region or a ping triggered holds the place of a
//! time before; all others are counted. An encrypted message cannot be read, because we have no keys. Every message gets 200: Android would repeat a refused one for ever before all others, and iOS
//! would delete it.

use doorstep_shared::RawFix;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decode::{Decoded, Flag, Hint, Number, Reading, Timestamp, Unreadable, part};

const KMH_MPS: f64 = 1.0 / 3.6;
const PERCENT: f64 = 0.01;

/// Triggers (`t`) whose location is where the phone was: a ping repeats the last place that it knows, a region or beacon
/// was crossed, a visit was noticed long after it began.
const PAST_TRIGGERS: [&str; 5] = ["p", "c", "C", "b", "v"];

/// Reads one message. An empty body contains no point; one without a time was taken at `now_ms`.
pub fn decode(body: &[u8], now_ms: i64) -> Decoded {
    let mut decoded = Decoded::default();
    if !body.trim_ascii().is_empty() {
        decoded.add(message(body, now_ms));
    }
    decoded
}

fn message(body: &[u8], now_ms: i64) -> Result<Reading, Unreadable> {
    let Kind { kind } = serde_json::from_slice(body).map_err(|_| Unreadable)?;
    match kind.as_str() {
        "location" => {
            let location: Location<'_> = serde_json::from_slice(body).map_err(|_| Unreadable)?;
            Ok(Reading::of(location.fix(now_ms)?, location.is_past()))
        }
        "encrypted" => Err(Unreadable),
        _ => Ok(Reading::NoPosition),
    }
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "_type")]
    kind: String,
}

#[derive(Deserialize)]
struct Location<'a> {
    #[serde(borrow)]
    t: Option<&'a RawValue>,
    #[serde(default, rename = "isPlausible", alias = "is_plausible")]
    plausible: Flag,
    lat: Number,
    lon: Number,
    tst: Option<Timestamp>,
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

impl Location<'_> {
    fn is_past(&self) -> bool {
        let trigger = self.t.and_then(|t| part::<String>(t).ok());
        self.plausible.is_no() || trigger.is_some_and(|trigger| PAST_TRIGGERS.contains(&trigger.as_str()))
    }

    fn fix(&self, now_ms: i64) -> Result<RawFix, Unreadable> {
        let (Number(lat), Number(lon)) = (self.lat, self.lon);
        Ok(RawFix {
            time_ms: self.tst.as_ref().map_or(Ok(now_ms), Timestamp::to_ms)?,
            lat,
            lon,
            accuracy_m: self.acc.value(),
            speed_mps: self.vel.known(KMH_MPS),
            heading_deg: self.cog.known(1.0),
            altitude_m: self.alt.value(),
            battery: self.batt.known(PERCENT),
        })
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

    const NOW_MS: i64 = 1_787_400_000_000;

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
            ("", vec![]),
            (" \r\n", vec![]),
        ];
        for (body, expected) in cases {
            assert_eq!(decode(body.as_bytes(), NOW_MS), Decoded { fixes: expected, ..Decoded::default() }, "{body}");
        }
        for body in [
            payload!("android-transition.json"),
            payload!("android-status.json"),
            payload!("ios-waypoints.json"),
            payload!("android-lwt.json"),
            payload!("ios-steps.json"),
        ] {
            let counted = Decoded { without_position: 1, ..Decoded::default() };
            assert_eq!(decode(body.as_bytes(), NOW_MS), counted, "{body}");
        }
    }

    #[test]
    fn a_location_of_a_visit_a_region_or_a_ping_is_past() {
        let (live, past) = ((1, 0), (0, 1));
        for (rest, expected) in [
            ("", live),
            (r#","t":"u""#, live),
            (r#","t":"t""#, live),
            (r#","t":"r""#, live),
            (r#","t":"v""#, past),
            (r#","t":"c""#, past),
            (r#","t":"C""#, past),
            (r#","t":"b""#, past),
            (r#","t":"p""#, past),
            (r#","t":7"#, live),
            (r#","isPlausible":false"#, past),
            (r#","isPlausible":true"#, live),
        ] {
            let body = format!(r#"{{"_type":"location","lat":35.9,"lon":14.5,"tst":1787392800{rest}}}"#);
            let Decoded { fixes, past, .. } = decode(body.as_bytes(), NOW_MS);
            assert_eq!((fixes.len(), past.len()), expected, "{body}");
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
            r#"{"_type":"location","lat":35.9}"#,
            r#"{"_type":"location","lat":"north","lon":14.5,"tst":1787392800}"#,
            r#"{"_type":"location","lat":35.9,"lon":14.5,"tst":"then"}"#,
            r#"{"_type":"location","lat":1e400,"lon":14.5,"tst":1787392800}"#,
            r#"{"_type":"location","lat":35.9,"lon":null,"tst":1787392800}"#,
        ] {
            assert_eq!(decode(body.as_bytes(), NOW_MS), Decoded::nothing_readable(), "{body}");
        }
    }

    #[test]
    fn numbers_may_be_text_and_a_location_without_a_time_is_of_now() {
        let bare = RawFix { time_ms: NOW_MS, lat: 35.9, lon: 14.5, ..RawFix::default() };
        let told = RawFix { time_ms: 1_787_392_800_000, speed_mps: Some(5.0), battery: Some(0.5), ..bare.clone() };
        let cases = [
            (r#"{"_type":"location","lat":35.9,"lon":14.5}"#, bare.clone()),
            (r#"{"_type":"location","lat":35.9,"lon":14.5,"tst":null}"#, bare),
            (r#"{"_type":"location","lat":"35.9","lon":"14,5","tst":"1787392800","vel":"18","batt":"50"}"#, told),
        ];
        for (body, expected) in cases {
            assert_eq!(
                decode(body.as_bytes(), NOW_MS),
                Decoded { fixes: vec![expected], ..Decoded::default() },
                "{body}"
            );
        }
    }

    #[test]
    fn strange_values_beside_a_position_are_unknown() {
        let body = r#"{"_type":"location","lat":35.9,"lon":14.5,"tst":1787392800.5,"vel":"fast","cog":-1,"batt":[],"alt":null,"acc":{}}"#;
        let bare = RawFix { time_ms: 1_787_392_800_500, lat: 35.9, lon: 14.5, ..RawFix::default() };
        assert_eq!(decode(body.as_bytes(), NOW_MS), Decoded { fixes: vec![bare], ..Decoded::default() });
    }

    proptest! {
        #[test]
        fn nothing_makes_the_decoder_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(decode(&body, NOW_MS).reports() <= 1);
        }

        #[test]
        fn a_location_is_one_point_whatever_its_numbers(lat in any::<f64>(), lon in any::<f64>(), tst in any::<i64>(), vel in any::<f32>()) {
            let body = serde_json::json!({ "_type": "location", "lat": lat, "lon": lon, "tst": tst, "vel": vel });
            prop_assert_eq!(decode(body.to_string().as_bytes(), NOW_MS).reports(), 1);
        }
    }
}
