//! The OsmAnd protocol, as Traccar Client and many others speak it: parameters in a query or a form, or JSON.
//!
//! The device's token stands among the data, so a decoder finds it too; whether anybody has it is for the caller
//! to see. A heartbeat, or the upload of a push token, is no point. Speeds are knots among parameters and metres
//! per second in JSON. OsmAnd's own app means metres per second by the same parameter and nothing tells it apart,
//! so its users leave the speed out of their template.

use actix_web::web::Query;
use doorstep_shared::RawFix;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::decode::{DecodeError, Decoded, Hint, MAX_POINTS, Timestamp, Unreadable, one_or_many, part, place, time_ms};

const KNOT_MPS: f64 = 1_852.0 / 3_600.0;
const PERCENT: f64 = 0.01;

/// What a request says. Without `Debug`, because the token is a secret.
#[derive(Default)]
pub struct Report {
    /// The token of the device, if there was one.
    pub token: Option<String>,
    /// Where it was.
    pub decoded: Decoded,
}

/// Reads a query or a urlencoded form. A point without a time was taken at `now_ms`.
pub fn decode_parameters(encoded: &str, now_ms: i64) -> Report {
    let parameters = Query::<Parameters>::from_query(encoded).map(Query::into_inner).unwrap_or_default();
    let mut decoded = Decoded::default();
    decoded.add(parameters.fix(now_ms));
    Report { token: parameters.id, decoded }
}

/// Reads a JSON message, or an array of them. A point without a time was taken at `now_ms`.
///
/// A batch is one device's: a message that names another than the first is counted as unreadable.
///
/// # Errors
/// [`DecodeError`]
pub fn decode_json(body: &[u8], now_ms: i64) -> Result<Report, DecodeError> {
    let mut report = Report::default();
    for message in one_or_many(body)? {
        match part::<Message<'_>>(message) {
            Ok(message) => report.add(message, now_ms)?,
            Err(unreadable) => report.decoded.add(Err(unreadable)),
        }
    }
    Ok(report)
}

impl Report {
    fn add(&mut self, message: Message<'_>, now_ms: i64) -> Result<(), DecodeError> {
        match (&self.token, message.device_id) {
            (Some(ours), Some(named)) if *ours != named => {
                self.decoded.add(Err(Unreadable));
                return Ok(());
            }
            (None, named) => self.token = named,
            _ => {}
        }
        let Some(locations) = message.location else { return Ok(()) };
        // A plugin that batches puts the array here.
        for location in one_or_many(locations.get().as_bytes())? {
            self.decoded.add(part::<Location<'_>>(location).and_then(|location| location.fix(now_ms)));
        }
        if self.decoded.points() > MAX_POINTS { Err(DecodeError::TooManyPoints) } else { Ok(()) }
    }
}

/// The parameters that say something to us. Of two with the same name the last counts; an empty one is absent.
#[derive(Default)]
struct Parameters {
    id: Option<String>,
    timestamp: Option<String>,
    lat: Option<String>,
    lon: Option<String>,
    location: Option<String>,
    speed: Option<String>,
    bearing: Option<String>,
    altitude: Option<String>,
    accuracy: Option<String>,
    batt: Option<String>,
}

impl Parameters {
    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "id" | "deviceid" => &mut self.id,
            "timestamp" => &mut self.timestamp,
            "lat" => &mut self.lat,
            "lon" => &mut self.lon,
            "location" => &mut self.location,
            "speed" => &mut self.speed,
            "bearing" | "heading" => &mut self.bearing,
            "altitude" => &mut self.altitude,
            "accuracy" => &mut self.accuracy,
            "batt" => &mut self.batt,
            _ => return None,
        })
    }

    fn fix(&self, now_ms: i64) -> Result<Option<RawFix>, Unreadable> {
        let Some((lat, lon)) = self.place()? else { return Ok(None) };
        Ok(Some(RawFix {
            time_ms: self.timestamp.as_deref().map_or(Ok(now_ms), time_ms)?,
            lat: degrees(lat)?,
            lon: degrees(lon)?,
            accuracy_m: Hint::from_text(self.accuracy.as_deref()).value(),
            speed_mps: Hint::from_text(self.speed.as_deref()).known(KNOT_MPS),
            heading_deg: Hint::from_text(self.bearing.as_deref()).known(1.0),
            altitude_m: Hint::from_text(self.altitude.as_deref()).value(),
            battery: Hint::from_text(self.batt.as_deref()).known(PERCENT),
        }))
    }

    fn place(&self) -> Result<Option<(&str, &str)>, Unreadable> {
        match (place(self.lat.as_deref(), self.lon.as_deref())?, self.location.as_deref()) {
            (None, Some(pair)) => pair.split_once(',').map(Some).ok_or(Unreadable),
            (place, _) => Ok(place),
        }
    }
}

fn degrees(text: &str) -> Result<f64, Unreadable> {
    text.trim().parse().map_err(|_| Unreadable)
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Parameters;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("parameters")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
                let mut parameters = Parameters::default();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    if let Some(slot) = parameters.slot(&name)
                        && !value.is_empty()
                    {
                        *slot = Some(value);
                    }
                }
                Ok(parameters)
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[derive(Deserialize)]
struct Message<'a> {
    device_id: Option<String>,
    #[serde(borrow)]
    location: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Location<'a> {
    timestamp: Option<Timestamp>,
    coords: Option<Coords>,
    #[serde(borrow)]
    battery: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Coords {
    latitude: Option<f64>,
    longitude: Option<f64>,
    #[serde(default)]
    accuracy: Hint,
    #[serde(default)]
    speed: Hint,
    #[serde(default)]
    heading: Hint,
    #[serde(default)]
    altitude: Hint,
}

#[derive(Default, Deserialize)]
struct Battery {
    #[serde(default)]
    level: Hint,
}

impl Location<'_> {
    fn fix(&self, now_ms: i64) -> Result<Option<RawFix>, Unreadable> {
        let Some(coords) = &self.coords else { return Ok(None) };
        let Some((lat, lon)) = place(coords.latitude, coords.longitude)? else { return Ok(None) };
        let battery = self.battery.and_then(|battery| part::<Battery>(battery).ok()).unwrap_or_default();
        Ok(Some(RawFix {
            time_ms: self.timestamp.as_ref().map_or(Ok(now_ms), Timestamp::to_ms)?,
            lat,
            lon,
            accuracy_m: coords.accuracy.value(),
            speed_mps: coords.speed.known(1.0),
            heading_deg: coords.heading.known(1.0),
            altitude_m: coords.altitude.value(),
            battery: battery.level.known(1.0),
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: i64 = 1_787_400_000_000;
    const TAKEN_MS: i64 = 1_787_392_800_000;

    macro_rules! payload {
        ($name:literal) => {
            include_str!(concat!("../../../tests/payloads/osmand/", $name)).trim_end()
        };
    }

    fn full() -> RawFix {
        RawFix {
            time_ms: TAKEN_MS,
            lat: 35.898912,
            lon: 14.514553,
            accuracy_m: Some(6.5),
            speed_mps: Some(5.0),
            heading_deg: Some(182.5),
            altitude_m: Some(12.0),
            battery: Some(0.81),
        }
    }

    /// Two decimals of a knot are not quite five metres per second.
    fn rounded(mut fix: RawFix) -> RawFix {
        fix.speed_mps = fix.speed_mps.map(|speed| (speed * 100.0).round() / 100.0);
        fix
    }

    #[test]
    fn every_client_that_sends_parameters_is_understood() {
        let cases = [
            (payload!("traccar-client-8-android.query"), vec![full()]),
            (payload!("traccar-client-10.form"), vec![full()]),
            (payload!("traccar-client-10-heartbeat.form"), vec![]),
            (payload!("traccar-client-10-push-token.form"), vec![]),
            (
                payload!("osmand-app.query"),
                vec![RawFix { speed_mps: None, accuracy_m: None, battery: None, time_ms: TAKEN_MS + 123, ..full() }],
            ),
        ];
        for (encoded, expected) in cases {
            let report = decode_parameters(encoded, NOW_MS);
            assert_eq!(report.token.as_deref(), Some("TOKEN"), "{encoded}");
            let fixes: Vec<_> = report.decoded.fixes.into_iter().map(rounded).collect();
            assert_eq!((fixes, report.decoded.unreadable), (expected, 0), "{encoded}");
        }
    }

    #[test]
    fn every_client_that_sends_json_is_understood() {
        let unknown = RawFix { speed_mps: None, heading_deg: None, battery: None, ..full() };
        let cases = [
            (payload!("traccar-client-9.json"), vec![full()]),
            (payload!("traccar-client-9-unknown.json"), vec![unknown]),
            (payload!("traccar-client-9-heartbeat.json"), vec![]),
            (payload!("fork-batch.json"), vec![full(), RawFix { time_ms: TAKEN_MS + 1_000, ..full() }]),
            (payload!("plugin-batch.json"), vec![full(), RawFix { time_ms: TAKEN_MS + 1_000, ..full() }]),
        ];
        for (body, expected) in cases {
            let report = decode_json(body.as_bytes(), NOW_MS).expect("JSON");
            assert_eq!(report.token.as_deref(), Some("TOKEN"), "{body}");
            assert_eq!(report.decoded, Decoded { fixes: expected, unreadable: 0 }, "{body}");
        }
    }

    #[test]
    fn parameters_have_several_names_and_forms() {
        let at = |time_ms| RawFix { time_ms, lat: 1.5, lon: 2.5, ..RawFix::default() };
        let cases = [
            ("id=x&lat=1.5&lon=2.5", Some(at(NOW_MS))),
            ("deviceid=x&location=1.5,2.5", Some(at(NOW_MS))),
            ("deviceid=x&location=1.5%2C+2.5", Some(at(NOW_MS))),
            ("id=x&lat=1.5&lon=2.5&timestamp=1787392800123", Some(at(TAKEN_MS + 123))),
            ("id=x&lat=1.5&lon=2.5&timestamp=2026-08-22T12:00:00+02:00", Some(at(TAKEN_MS))),
            ("id=x&lat=1.5&lon=2.5&timestamp=2026-08-22%2010:00:00", Some(at(TAKEN_MS))),
            ("id=x&lat=1.5&lon=2.5&timestamp=", Some(at(NOW_MS))),
            ("id=x&lat=1.5&lon=2.5&heading=90", Some(RawFix { heading_deg: Some(90.0), ..at(NOW_MS) })),
            ("id=x&lat=1.5&lon=2.5&altitude=-3", Some(RawFix { altitude_m: Some(-3.0), ..at(NOW_MS) })),
            ("id=x&lat=1.5&lon=2.5&speed=-1&bearing=-1&batt=-1", Some(at(NOW_MS))),
            ("id=x&lat=1.5&lon=2.5&speed=fast&bearing=NaN&batt=inf", Some(at(NOW_MS))),
            ("id=x&lat=1.5&lon=2.5&charge=2&cell=278,1,2,3&wifi=aa-bb,-50&alarm=sos&x", Some(at(NOW_MS))),
            ("id=x&lat=0&lat=1.5&lon=2.5", Some(at(NOW_MS))),
            ("id=x&lat=&lon=", None),
            ("id=x", None),
        ];
        for (encoded, expected) in cases {
            let report = decode_parameters(encoded, NOW_MS);
            assert_eq!(report.token.as_deref(), Some("x"), "{encoded}");
            assert_eq!((report.decoded.fixes.first(), report.decoded.unreadable), (expected.as_ref(), 0), "{encoded}");
        }
    }

    #[test]
    fn half_a_position_is_counted_and_not_guessed() {
        for encoded in
            ["lat=1", "lon=1", "lat=1&lon=x", "lat=1,5&lon=2", "location=1", "location=a,b", "lat=1&lon=2&timestamp=x"]
        {
            assert_eq!(decode_parameters(encoded, NOW_MS).decoded, Decoded::nothing_readable(), "{encoded}");
        }
        for location in [
            r#"{"coords":{"latitude":1}}"#,
            r#"{"coords":{"latitude":"1","longitude":"2"}}"#,
            r#"{"coords":{"latitude":1e400,"longitude":2}}"#,
            r#"{"coords":{"latitude":1,"longitude":2},"timestamp":"then"}"#,
            r#"{"coords":{"latitude":1,"longitude":2},"timestamp":{}}"#,
            r#"{"coords":7}"#,
            r#""here""#,
        ] {
            let body = format!(r#"{{"device_id":"x","location":{location}}}"#);
            let report = decode_json(body.as_bytes(), NOW_MS).expect("JSON");
            assert_eq!(report.token.as_deref(), Some("x"), "the device is known all the same: {body}");
            assert_eq!(report.decoded, Decoded::nothing_readable(), "{body}");
        }
    }

    #[test]
    fn what_is_missing_or_strange_beside_a_position_is_unknown() {
        let bare = RawFix { time_ms: NOW_MS, lat: 1.5, lon: 2.5, ..RawFix::default() };
        for rest in ["", r#","battery":7"#, r#","battery":{"level":"full"}"#, r#","battery":null,"timestamp":null"#] {
            let body = format!(
                r#"{{"_":"&id=x&lat=0","device_id":"x","location":{{"coords":{{"latitude":1.5,"longitude":2.5,"speed":null,"heading":"N"}}{rest}}}}}"#
            );
            let report = decode_json(body.as_bytes(), NOW_MS).expect("JSON");
            assert_eq!(report.decoded, Decoded { fixes: vec![bare.clone()], unreadable: 0 }, "{body}");
        }
    }

    #[test]
    fn a_batch_speaks_for_one_device_only() {
        let point = |device: &str| {
            format!(r#"{{"device_id":"{device}","location":{{"coords":{{"latitude":1,"longitude":2}}}}}}"#)
        };
        let body = format!("[{},{},7,{}]", point("ours"), point("another"), point("ours"));
        let report = decode_json(body.as_bytes(), NOW_MS).expect("JSON");
        assert_eq!(report.token.as_deref(), Some("ours"));
        assert_eq!((report.decoded.fixes.len(), report.decoded.unreadable), (2, 2));
    }

    #[test]
    fn a_batch_has_a_limit_however_it_is_nested() {
        let inner = format!(r#"{{"device_id":"x","location":[{}]}}"#, vec!["1"; MAX_POINTS].join(","));
        assert!(decode_json(inner.as_bytes(), NOW_MS).is_ok());
        let outer = format!("[{inner},{inner}]");
        assert_eq!(decode_json(outer.as_bytes(), NOW_MS).err(), Some(DecodeError::TooManyPoints));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_decoders_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode_json(&body, NOW_MS);
            decode_parameters(&String::from_utf8_lossy(&body), NOW_MS);
        }

        #[test]
        fn every_request_of_parameters_is_at_most_one_point(
            values in prop::collection::vec(("id|lat|lon|location|timestamp|speed|batt|accuracy", "[-0-9.eEinfNaT:,% ]{0,12}"), 0..12),
        ) {
            let encoded: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
            prop_assert!(decode_parameters(&encoded.join("&"), NOW_MS).decoded.points() <= 1);
        }

        #[test]
        fn a_position_arrives_as_it_was_sent(lat in any::<f64>(), lon in any::<f64>(), time_ms in 2_147_483_647i64..1 << 50) {
            let report = decode_parameters(&format!("id=x&lat={lat}&lon={lon}&timestamp={time_ms}"), NOW_MS);
            let fix = report.decoded.fixes.first().expect("a position");
            prop_assert_eq!(fix.time_ms, time_ms);
            prop_assert!(fix.lat.to_bits() == lat.to_bits() || lat.is_nan());
            prop_assert!(fix.lon.to_bits() == lon.to_bits() || lon.is_nan());
        }
    }
}
