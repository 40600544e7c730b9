//! The OsmAnd protocol, as Traccar Client and many others speak it: parameters in a query or a form, or JSON.
//!
//! The device's token stands among the data, so the decoders return it; the caller looks it up. A heartbeat or the
//! upload of a push token contains no point. Speeds are knots among parameters and metres per second in JSON. OsmAnd's
//! own app sends metres per second in the same parameter and nothing tells the two apart, so its users leave the speed
//! out of their template.

mod json;
mod parameters;
mod report;

pub use self::{json::decode_json, parameters::decode_parameters, report::Report};

#[cfg(test)]
mod tests {
    use doorstep_shared::RawFix;
    use proptest::prelude::*;

    use super::*;
    use crate::service::ingest::decode::{DecodeError, Decoded, MAX_POINTS, Reading};

    const NOW_MS: i64 = 1_787_400_000_000;
    const TAKEN_MS: i64 = 1_787_392_800_000;

    macro_rules! payload {
        ($name:literal) => {
            include_str!(concat!("../../../../tests/payloads/osmand/", $name)).trim_end()
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
        let bare = RawFix { speed_mps: None, accuracy_m: None, battery: None, time_ms: TAKEN_MS + 123, ..full() };
        let cases = [
            (payload!("traccar-client-8-android.query"), Some(full())),
            (payload!("traccar-client-10.form"), Some(full())),
            (payload!("traccar-client-10-heartbeat.form"), None),
            (payload!("traccar-client-10-push-token.form"), None),
            (payload!("osmand-app.query"), Some(bare)),
        ];
        for (encoded, expected) in cases {
            let report = decode_parameters(encoded, NOW_MS);
            assert_eq!(report.token.as_deref(), Some("TOKEN"), "{encoded}");
            let mut expect = Decoded::default();
            expect.add(Ok(expected.map_or(Reading::NoPosition, Reading::Position)));
            let fixes = report.decoded.fixes.into_iter().map(rounded).collect();
            assert_eq!(Decoded { fixes, ..report.decoded }, expect, "{encoded}");
        }
    }

    #[test]
    fn every_client_that_sends_json_is_understood() {
        let unknown = RawFix { speed_mps: None, heading_deg: None, battery: None, ..full() };
        let both =
            || Decoded { fixes: vec![full(), RawFix { time_ms: TAKEN_MS + 1_000, ..full() }], ..Decoded::default() };
        let cases = [
            (payload!("traccar-client-9.json"), Decoded { fixes: vec![full()], ..Decoded::default() }),
            (payload!("traccar-client-9-unknown.json"), Decoded { past: vec![unknown], ..Decoded::default() }),
            (payload!("traccar-client-9-heartbeat.json"), Decoded { without_position: 1, ..Decoded::default() }),
            (payload!("fork-batch.json"), both()),
            (payload!("plugin-batch.json"), both()),
        ];
        for (body, expected) in cases {
            let report = decode_json(body.as_bytes(), NOW_MS).expect("JSON");
            assert_eq!(report.token.as_deref(), Some("TOKEN"), "{body}");
            assert_eq!(report.decoded, expected, "{body}");
        }
    }

    #[test]
    fn what_is_no_position_of_now_is_past() {
        let (live, past) = ((1, 0), (0, 1));
        for (rest, expected) in [
            ("", live),
            ("&valid=true", live),
            ("&valid=false", past),
            ("&valid=0", past),
            ("&isPlausible=false", past),
            ("&is_plausible=1", live),
            ("&event=heartbeat", past),
            ("&event=motionchange", live),
        ] {
            let Decoded { fixes, past, .. } = decode_parameters(&format!("id=x&lat=1.5&lon=2.5{rest}"), NOW_MS).decoded;
            assert_eq!((fixes.len(), past.len()), expected, "{rest}");
        }
        for (rest, expected) in [
            ("", live),
            (r#","event":"motionchange""#, live),
            (r#","event":"heartbeat""#, past),
            (r#","sample":true"#, past),
            (r#","sample":false,"valid":true,"isPlausible":1"#, live),
            (r#","valid":false"#, past),
            (r#","isPlausible":false"#, past),
            (r#","is_plausible":"false""#, past),
        ] {
            let body =
                format!(r#"{{"device_id":"x","location":{{"coords":{{"latitude":1.5,"longitude":2.5}}{rest}}}}}"#);
            let Decoded { fixes, past, .. } = decode_json(body.as_bytes(), NOW_MS).expect("JSON").decoded;
            assert_eq!((fixes.len(), past.len()), expected, "{rest}");
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
            ("id=x&lat=1%2C5&lon=2%2C5", Some(at(NOW_MS))),
            ("id=x&location=1,5,2,5", Some(at(NOW_MS))),
            ("id=x&lat=1,5&lon=2,5&altitude=-3,0", Some(RawFix { altitude_m: Some(-3.0), ..at(NOW_MS) })),
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
        for encoded in [
            "lat=1",
            "lon=1",
            "lat=1&lon=x",
            "lat=1.5,0&lon=2",
            "location=1",
            "location=a,b",
            "location=1,5,2",
            "lat=1&lon=2&timestamp=x",
        ] {
            assert_eq!(decode_parameters(encoded, NOW_MS).decoded, Decoded::nothing_readable(), "{encoded}");
        }
        for location in [
            r#"{"coords":{"latitude":1}}"#,
            r#"{"coords":{"latitude":"1","longitude":"east"}}"#,
            r#"{"coords":{"latitude":1e400,"longitude":2}}"#,
            r#"{"coords":{"latitude":1,"longitude":2},"timestamp":"then"}"#,
            r#"{"coords":{"latitude":1,"longitude":2},"timestamp":{}}"#,
            r#"{"coords":7}"#,
            r#""here""#,
            r#"{"latitude":1,"longitude":2}"#,
            r#"{"coords":{},"timestamp":"2026-08-22T10:00:00Z"}"#,
            "{}",
            "null",
        ] {
            let body = format!(r#"{{"device_id":"x","location":{location}}}"#);
            let report = decode_json(body.as_bytes(), NOW_MS).expect("JSON");
            assert_eq!(report.token.as_deref(), Some("x"), "the device is known all the same: {body}");
            assert_eq!(report.decoded, Decoded::nothing_readable(), "{body}");
        }
    }

    #[test]
    fn missing_or_strange_values_beside_a_position_are_unknown() {
        let bare = RawFix { time_ms: NOW_MS, lat: 1.5, lon: 2.5, ..RawFix::default() };
        for rest in ["", r#","battery":7"#, r#","battery":{"level":"full"}"#, r#","battery":null,"timestamp":null"#] {
            let body = format!(
                r#"{{"_":"&id=x&lat=0","device_id":"x","location":{{"coords":{{"latitude":1.5,"longitude":2.5,"speed":null,"heading":"N"}}{rest}}}}}"#
            );
            let report = decode_json(body.as_bytes(), NOW_MS).expect("JSON");
            assert_eq!(report.decoded, Decoded { fixes: vec![bare.clone()], ..Decoded::default() }, "{body}");
        }
    }

    #[test]
    fn an_osmand_request_with_decimal_commas_is_understood() {
        let report = decode_parameters(payload!("decimal-comma.query"), NOW_MS);
        let expected = RawFix {
            time_ms: TAKEN_MS,
            lat: 35.898912,
            lon: 14.514553,
            accuracy_m: Some(6.0),
            speed_mps: Some(1.8),
            ..RawFix::default()
        };
        let fixes: Vec<_> = report.decoded.fixes.into_iter().map(rounded).collect();
        assert_eq!((report.token.as_deref(), fixes, report.decoded.unreadable), (Some("TOKEN"), vec![expected], 0));
    }

    #[test]
    fn flat_points_in_json_have_the_names_and_units_of_parameters() {
        let report = decode_json(payload!("flat-batch.json").as_bytes(), NOW_MS).expect("JSON");
        assert_eq!((report.token.as_deref(), report.decoded.unreadable), (Some("TOKEN"), 0));
        let fixes: Vec<_> = report.decoded.fixes.into_iter().map(rounded).collect();
        assert_eq!(fixes, [full(), RawFix { time_ms: TAKEN_MS + 1_000, ..full() }]);
    }

    #[test]
    fn numbers_in_json_may_be_text() {
        let body = r#"{"device_id":"x","location":{"timestamp":"1787392800","coords":{"latitude":"1.5","longitude":"2,5",
            "accuracy":"6.5","speed":"5","heading":"182,5","altitude":12},"battery":{"level":"0.81"}}}"#;
        let report = decode_json(body.as_bytes(), NOW_MS).expect("JSON");
        assert_eq!(
            report.decoded,
            Decoded { fixes: vec![RawFix { lat: 1.5, lon: 2.5, ..full() }], ..Decoded::default() }
        );
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
            prop_assert!(decode_parameters(&encoded.join("&"), NOW_MS).decoded.reports() <= 1);
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
