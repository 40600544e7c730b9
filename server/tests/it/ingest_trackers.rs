//! Phones with another app: their fixes arrive, and no answer makes them lose one or repeat it for ever.

use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat};
use nix::sys::signal::Signal;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    embedded::Cluster,
    support::{Answer, TestApp, TestCourier, now_ms, with_app},
};

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";

macro_rules! payload {
    ($name:literal) => {
        include_str!(concat!("../payloads/", $name)).trim_end()
    };
}

pub(crate) use payload;

/// A recording as `token`'s phone would send it now. All were taken at 2026-08-22T10:00:00Z, or seconds later.
pub(crate) fn lately(payload: &str, token: &str) -> String {
    let now_s = now_ms() / 1_000 - 3_600;
    let minute = |offset_s: i64| {
        let time = DateTime::from_timestamp(now_s / 60 * 60 + offset_s, 0).expect("a time of today");
        time.to_rfc3339_opts(SecondsFormat::Secs, true)[..17].to_owned()
    };
    payload
        .replace("TOKEN", token)
        .replace("1787392800", &now_s.to_string())
        .replace("2026-08-22T10:00:", &minute(0))
        .replace("2026-08-22T10:10:", &minute(600))
}

pub(crate) fn osmand_form(app: &TestApp, body: String) -> RequestBuilder {
    app.bare(Method::POST, "/ingest/osmand").header("content-type", FORM).body(body)
}

pub(crate) fn osmand_json(app: &TestApp, body: String) -> RequestBuilder {
    app.bare(Method::POST, "/ingest/osmand").header("content-type", JSON).body(body)
}

pub(crate) fn owntracks(app: &TestApp, token: &str, body: String) -> RequestBuilder {
    let request = app.bare(Method::POST, "/ingest/owntracks").basic_auth("ana", Some(token));
    request.header("content-type", JSON).header("X-Limit-U", "ana").header("X-Limit-D", "phone").body(body)
}

pub(crate) fn overland(app: &TestApp, token: &str, body: String) -> RequestBuilder {
    app.bare(Method::POST, "/ingest/overland").bearer_auth(token).header("content-type", JSON).body(body)
}

/// A successful answer to each client.
pub(crate) const EMPTY: &str = "";
pub(crate) const NO_COMMANDS: &str = "[]";
pub(crate) const TAKEN: &str = r#"{"result":"ok"}"#;

#[track_caller]
pub(crate) fn assert_taken(answer: &Answer, body: &str, what: &str) {
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, body), "{what}");
}

/// The courier's fixes as REST shows them, oldest first.
pub(crate) async fn fixes(app: &TestApp, courier: &TestCourier) -> Vec<Value> {
    let told = app.get(&format!("/api/v1/couriers/{}/fixes", courier.id)).await.expect(200);
    told["items"].as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_payload_is_taken_and_stored() {
    with_app(async |app| {
        let get = |encoded: &str| app.bare(Method::GET, &format!("/ingest/osmand?{encoded}"));
        let post = |encoded: &str| app.bare(Method::POST, &format!("/ingest/osmand?{encoded}"));
        type Send<'a> = Box<dyn Fn(String, &str) -> RequestBuilder + 'a>;
        let cases: Vec<(&str, Send<'_>, &str, i64)> = vec![
            (payload!("osmand/osmand-app.query"), Box::new(|body, _| get(&body)), EMPTY, 1),
            (payload!("osmand/traccar-client-8-android.query"), Box::new(|body, _| post(&body)), EMPTY, 1),
            (payload!("osmand/traccar-client-9.json"), Box::new(|body, _| osmand_json(app, body)), EMPTY, 1),
            (payload!("osmand/traccar-client-9-unknown.json"), Box::new(|body, _| osmand_json(app, body)), EMPTY, 1),
            (payload!("osmand/traccar-client-9-heartbeat.json"), Box::new(|body, _| osmand_json(app, body)), EMPTY, 0),
            (payload!("osmand/traccar-client-10.form"), Box::new(|body, _| osmand_form(app, body)), EMPTY, 1),
            (payload!("osmand/traccar-client-10-heartbeat.form"), Box::new(|body, _| osmand_form(app, body)), EMPTY, 0),
            (
                payload!("osmand/traccar-client-10-push-token.form"),
                Box::new(|body, _| osmand_form(app, body)),
                EMPTY,
                0,
            ),
            (payload!("osmand/fork-batch.json"), Box::new(|body, _| osmand_json(app, body)), EMPTY, 2),
            (payload!("osmand/plugin-batch.json"), Box::new(|body, _| osmand_json(app, body)), EMPTY, 2),
            (payload!("owntracks/android-location.json"), Box::new(|body, t| owntracks(app, t, body)), NO_COMMANDS, 1),
            (payload!("owntracks/ios-location.json"), Box::new(|body, t| owntracks(app, t, body)), NO_COMMANDS, 1),
            (payload!("owntracks/colota-location.json"), Box::new(|body, t| owntracks(app, t, body)), NO_COMMANDS, 1),
            (
                payload!("owntracks/android-transition.json"),
                Box::new(|body, t| owntracks(app, t, body)),
                NO_COMMANDS,
                0,
            ),
            (payload!("owntracks/android-status.json"), Box::new(|body, t| owntracks(app, t, body)), NO_COMMANDS, 0),
            (payload!("owntracks/android-lwt.json"), Box::new(|body, t| owntracks(app, t, body)), NO_COMMANDS, 0),
            (payload!("owntracks/ios-waypoints.json"), Box::new(|body, t| owntracks(app, t, body)), NO_COMMANDS, 0),
            (payload!("owntracks/ios-steps.json"), Box::new(|body, t| owntracks(app, t, body)), NO_COMMANDS, 0),
            (payload!("owntracks/encrypted.json"), Box::new(|body, t| owntracks(app, t, body)), NO_COMMANDS, 0),
            ("", Box::new(|body, t| owntracks(app, t, body)), NO_COMMANDS, 0),
            (payload!("overland/ios-batch.json"), Box::new(|body, t| overland(app, t, body)), TAKEN, 2),
            (payload!("overland/ios-catching-up.json"), Box::new(|body, t| overland(app, t, body)), TAKEN, 2),
        ];
        for (payload, send, expected, stored) in cases {
            let ana = app.courier("Ana").await;
            let body = lately(payload, &ana.device_token);
            for time in ["first", "second"] {
                let answer = Answer::to(send(body.clone(), &ana.device_token)).await;
                assert_taken(&answer, expected, payload);
                assert_eq!(app.stored(&ana).await, stored, "the {time} time: {payload}");
            }
            for fix in fixes(app, &ana).await {
                assert_eq!((&fix["lat"], &fix["lon"]), (&json!(35.898912), &json!(14.514553)), "{payload}");
                assert!(now_ms() - fix["time_ms"].as_i64().expect("a time") < 3_700_000, "{payload}: {fix}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_ours_when_they_arrive() {
    with_app(async |app| {
        let (now_s, token) = (now_ms() / 1_000, "TOKEN");
        let point = format!("id={token}&timestamp={now_s}&lat=35.9&lon=14.5&accuracy=6");
        let json = |speed: i32| {
            let coords = json!({ "latitude": 35.9, "longitude": 14.5, "speed": speed, "heading": -1 });
            json!({ "device_id": token, "location": { "coords": coords, "battery": { "level": 0.5 } } }).to_string()
        };
        let vel = json!({ "_type": "location", "lat": 35.9, "lon": 14.5, "tst": now_s, "vel": 36, "batt": 50 });
        let feature = json!({
            "geometry": { "type": "Point", "coordinates": [14.5, 35.9] },
            "properties": { "timestamp": now_s, "speed": 10, "battery_level": 0.5 },
        });
        let cases = [
            ("knots", format!("{point}&speed=19.438444924&batt=50"), Some(10.0)),
            ("an unknown speed", format!("{point}&speed=-1&batt=50"), None),
            ("metres per second", json(10), Some(10.0)),
            ("an unknown speed in JSON", json(-1), None),
            ("kilometres per hour", vel.to_string(), Some(10.0)),
            ("metres per second again", json!({ "locations": [feature] }).to_string(), Some(10.0)),
        ];
        for (what, body, speed) in cases {
            let ana = app.courier("Ana").await;
            let body = body.replace(token, &ana.device_token);
            let request = match body.as_bytes() {
                [b'i', b'd', ..] => osmand_form(app, body),
                _ if body.contains("device_id") => osmand_json(app, body),
                _ if body.contains("_type") => owntracks(app, &ana.device_token, body),
                _ => overland(app, &ana.device_token, body),
            };
            assert_eq!(Answer::to(request).await.status, 200, "{what}");
            let fixes = fixes(app, &ana).await;
            let fix = fixes.first().unwrap_or_else(|| panic!("{what}: nothing was stored"));
            assert_eq!(fix.get("speed_mps").and_then(Value::as_f64), speed, "{what}: {fix}");
            assert_eq!(fix["battery"], 0.5, "{what}: {fix}");
            assert_eq!(fix.get("heading_deg"), None, "{what}: {fix}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_point_that_is_bad_for_ever_never_blocks_a_phone() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let token = &ana.device_token;
        let now_s = now_ms() / 1_000;
        let old_s = now_s - 400 * 86_400;
        let forms = [
            "lat=90.0001&lon=14.5".to_owned(),
            "lat=35.9&lon=-180.0001".to_owned(),
            "lat=NaN&lon=14.5".to_owned(),
            "lat=1e400&lon=14.5".to_owned(),
            "lat=x&lon=y".to_owned(),
            "lat=35.9".to_owned(),
            "lat=35.9&lon=14.5&accuracy=-5".to_owned(),
            "lat=35.9&lon=14.5&timestamp=9999999999999999999999".to_owned(),
            "lat=35.9&lon=14.5&timestamp=-9223372036854775808".to_owned(),
            "lat=35.9&lon=14.5&timestamp=+262142-12-31T23:59:59Z".to_owned(),
            "lat=35.9&lon=14.5&timestamp=soon".to_owned(),
            format!("lat=35.9&lon=14.5&timestamp={old_s}"),
            format!("lat=35.9&lon=14.5&timestamp={}", now_s + 600),
            "%ff%00=%ff&lat=%00&lon=%ff".to_owned(),
        ];
        for form in forms {
            let answer = Answer::to(osmand_form(app, format!("id={token}&{form}"))).await;
            assert_taken(&answer, EMPTY, &form);
        }
        let locations = [
            r#"{"coords":{"latitude":1e400,"longitude":14.5}}"#,
            r#"{"coords":{"latitude":"35.9","longitude":"east"}}"#,
            r#"{"coords":{"latitude":91,"longitude":14.5}}"#,
            r#"{"coords":[]}"#,
            r#"{"coords":{"latitude":35.9,"longitude":14.5},"timestamp":"0000-00-00T00:00:00Z"}"#,
            "[[],7,null]",
            "7",
        ];
        for location in locations {
            let answer =
                Answer::to(osmand_json(app, format!(r#"{{"device_id":"{token}","location":{location}}}"#))).await;
            assert_taken(&answer, EMPTY, location);
        }
        let bodies = [
            "{",
            "null",
            "[]",
            "\u{0}",
            r#"{"_type":"location"}"#,
            r#"{"_type":"location","lat":91,"lon":14.5,"tst":1}"#,
            r#"{"_type":"location","lat":35.9,"lon":14.5,"tst":1e300}"#,
            r#"{"locations":[null,{"geometry":{"coordinates":[]}}]}"#,
            r#"{"locations":{"type":"FeatureCollection"}}"#,
        ];
        for body in bodies {
            assert_taken(&Answer::to(owntracks(app, token, body.to_owned())).await, NO_COMMANDS, body);
            assert_taken(&Answer::to(overland(app, token, body.to_owned())).await, TAKEN, body);
        }
        assert_eq!(app.stored(&ana).await, 0, "and nothing of it was stored");

        let metrics = app.metrics().await;
        for code in ["unreadable", "lat_out_of_range", "time_in_future", "time_too_old", "accuracy_negative"] {
            let counter = format!("doorstep_fixes_rejected_total{{code=\"{code}\"}}");
            assert!(metrics.contains(&counter), "{counter} is counted");
        }
        assert!(!metrics.contains(token.as_str()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_is_too_large_or_too_small_for_an_answer() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let extremes =
            ["0", "-0", "-1", "1e-320", "3.5e38", "-3.5e38", "1e39", "1.8e308", "9223372036854775807", "1e400"];
        for number in extremes {
            let rest =
                ["accuracy", "speed", "bearing", "altitude", "batt"].map(|name| format!("&{name}={number}")).concat();
            let form = format!("id={}&lat=35.9&lon=14.5{rest}", ana.device_token);
            assert_taken(&Answer::to(osmand_form(app, form)).await, EMPTY, number);
            let properties =
                ["altitude", "speed", "course", "horizontal_accuracy", "vertical_accuracy", "battery_level"]
                    .map(|name| format!(r#","{name}":{number}"#))
                    .concat();
            let timestamp = now_ms();
            let feature = format!(
                r#"{{"geometry":{{"coordinates":[14.5,35.9]}},"properties":{{"timestamp":{timestamp}{properties}}}}}"#
            );
            let body = format!(r#"{{"locations":[{feature}]}}"#);
            assert_taken(&Answer::to(overland(app, &ana.device_token, body)).await, TAKEN, number);
        }
        assert!(app.stored(&ana).await > 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_point_is_stored_however_bad_its_neighbours_are() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let now_s = now_ms() / 1_000;
        let feature = |lat: Value, time_s: i64| {
            json!({ "geometry": { "coordinates": [14.5, lat] }, "properties": { "timestamp": time_s } })
        };
        let features: Vec<_> = (0..200)
            .map(|index| feature(if index % 10 == 0 { json!("north") } else { json!(35.9) }, now_s - index))
            .collect();
        let batch = json!({ "locations": features, "current": feature(json!(35.91), now_s + 1) });
        assert_taken(&Answer::to(overland(app, &ana.device_token, batch.to_string())).await, TAKEN, "a batch");
        assert_eq!(app.stored(&ana).await, 181);
        let shown = app.get(&format!("/api/v1/couriers/{}", ana.id)).await.expect(200);
        assert_eq!(shown["position"]["lat"], 35.91, "the present position is the newest: {shown}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_a_courier_with_any_app() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        let body = lately(payload!("osmand/traccar-client-10.form"), &ana.device_token);
        let body = body.split('&').filter(|pair| !pair.starts_with("timestamp")).collect::<Vec<_>>().join("&");
        assert_taken(&Answer::to(osmand_form(app, body)).await, EMPTY, "a point without a time is of now");
        let position = page.expect("position").await;
        assert_eq!((&position["lat"], &position["lon"]), (&json!(35.898912), &json!(14.514553)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_device_is_refused_in_its_own_way() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let token = ana.device_token.as_str();
        let point = "lat=35.9&lon=14.5";
        for id in ["", "id=&", "id=wrong&", "id=%00&", "notificationToken=x&"] {
            let get = app.bare(Method::GET, &format!("/ingest/osmand?{id}{point}"));
            Answer::to(get).await.expect_problem(400, "unknown_device");
            Answer::to(osmand_form(app, format!("{id}{point}"))).await.expect_problem(400, "unknown_device");
        }
        Answer::to(app.bare(Method::GET, "/ingest/osmand")).await.expect_problem(400, "unknown_device");
        // The query wins, so a token in the body does not count beside it.
        let both = app.bare(Method::POST, "/ingest/osmand?id=wrong").body(format!("id={token}&{point}"));
        Answer::to(both.header("content-type", FORM)).await.expect_problem(400, "unknown_device");
        for body in ["{}", "[]", "null", "7", r#"{"device_id":"wrong"}"#, r#"{"device_id":7,"location":{}}"#] {
            Answer::to(osmand_json(app, body.to_owned())).await.expect_problem(404, "unknown_device");
        }
        for body in ["", "{", "id=x"] {
            Answer::to(osmand_json(app, body.to_owned())).await.expect_problem(400, "bad_request");
        }

        let location = lately(payload!("owntracks/android-location.json"), token);
        let batch = lately(payload!("overland/ios-batch.json"), token);
        let bare = |path: &str, body: &str| app.bare(Method::POST, path).body(body.to_owned());
        let refused = [
            owntracks(app, "wrong", location.clone()),
            owntracks(app, "", location.clone()),
            bare("/ingest/owntracks", &location),
            bare("/ingest/owntracks", &location).basic_auth(token, Some("x")),
            bare("/ingest/owntracks", &location).basic_auth(token, None::<&str>),
            bare("/ingest/owntracks", &location).header("authorization", "Basic ????"),
            bare("/ingest/owntracks", &location).bearer_auth(&app.key),
            overland(app, "wrong", batch.clone()),
            bare("/ingest/overland", &batch),
            bare("/ingest/overland?token=", &batch),
            bare("/ingest/overland?token=wrong", &batch),
            bare("/ingest/overland", &batch).basic_auth("ana", Some(token)),
        ];
        for request in refused {
            Answer::to(request).await.expect_problem(401, "unauthorized");
        }
        assert_eq!(app.stored(&ana).await, 0);

        let accepted = [
            (bare("/ingest/owntracks", &location).bearer_auth(token), NO_COMMANDS),
            (bare("/ingest/owntracks", &location).basic_auth("any name", Some(token)), NO_COMMANDS),
            (bare(&format!("/ingest/overland?token={token}"), &batch), TAKEN),
        ];
        for (request, body) in accepted {
            assert_taken(&Answer::to(request).await, body, "another way to carry the token");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_phone_belongs_to_no_courier() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (token, point) = (&ana.device_token, "lat=35.9&lon=14.5");
        assert_taken(&Answer::to(osmand_form(app, format!("id={token}&{point}"))).await, EMPTY, "before");
        sqlx::query("update devices set revoked_at = now()").execute(&app.db).await.expect("devices can be revoked");
        let answer = Answer::to(osmand_form(app, format!("id={token}&{point}"))).await;
        let problem = answer.expect_problem(400, "unknown_device");
        assert!(!problem.to_string().contains(token.as_str()), "{problem}");
        Answer::to(overland(app, token, "{}".to_owned())).await.expect_problem(401, "unauthorized");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_who_is_off_duty_is_not_followed() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let off_duty =
            json!({ "type": "presence", "state": "off_duty", "reason": "user", "time_ms": now_ms() - 5_000 });
        phone.send(&off_duty).await;
        phone.everything_so_far().await;
        let point = format!("id={}&lat=35.9&lon=14.5", ana.device_token);
        crate::support::eventually("going off duty", async || {
            let before = app.stored(&ana).await;
            assert_taken(&Answer::to(osmand_form(app, point.clone())).await, EMPTY, "taken and forgotten");
            app.stored(&ana).await == before
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_have_a_limit_and_are_never_unpacked() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let token = ana.device_token.as_str();
        let feature = r#"{"geometry":{"coordinates":[14.5,35.9]},"properties":{"timestamp":1}}"#;
        let batch = |points: usize| format!(r#"{{"locations":[{}]}}"#, vec![feature; points].join(","));
        assert!(batch(2_000).len() > 128 * 1024, "more than any other address of ours takes");
        assert_taken(&Answer::to(overland(app, token, batch(2_000))).await, TAKEN, "a large batch");
        Answer::to(overland(app, token, batch(2_001))).await.expect_problem(413, "too_large");
        let padded = |bytes: usize| format!("{{{}}}", " ".repeat(bytes - 2));
        assert_taken(&Answer::to(overland(app, token, padded(1024 * 1024))).await, TAKEN, "a mebibyte");
        for path in ["/ingest/osmand", "/ingest/owntracks", "/ingest/overland"] {
            let large = app.bare(Method::POST, path).bearer_auth(token).body(padded(1024 * 1024 + 1));
            Answer::to(large).await.expect_problem(413, "too_large");
            let packed = app.bare(Method::POST, path).bearer_auth(token).header("content-encoding", "gzip");
            Answer::to(packed.body("\u{1f}\u{8b}")).await.expect_problem(415, "unsupported_media_type");
            Answer::to(app.bare(Method::DELETE, path)).await.expect_problem(405, "method_not_allowed");
        }
        Answer::to(app.bare(Method::GET, "/ingest/overland")).await.expect_problem(405, "method_not_allowed");
        Answer::to(app.bare(Method::POST, "/ingest/traccar")).await.expect_problem(404, "not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_every_phone_keeps_what_it_has() {
    let cluster = Cluster::new("trackers");
    let postgres = cluster.start().await;
    let app = TestApp::start_on(&cluster.url(), cluster.pool(), &[]).await;
    let ana = app.courier("Ana").await;
    let token = ana.device_token.as_str();
    let now_s = now_ms() / 1_000;
    let requests = || {
        let form = format!("id={token}&timestamp={}&lat=35.9&lon=14.5", now_s - 3);
        let location = json!({ "_type": "location", "lat": 35.9, "lon": 14.5, "tst": now_s - 2 });
        let feature = json!({ "geometry": { "coordinates": [14.5, 35.9] }, "properties": { "timestamp": now_s - 1 } });
        [
            osmand_form(&app, form),
            owntracks(&app, token, location.to_string()),
            overland(&app, token, json!({ "locations": [feature] }).to_string()),
        ]
    };

    cluster.kill(Signal::SIGQUIT).await;
    drop(postgres);
    for request in requests() {
        let asked = Instant::now();
        let answer = Answer::to(request).await;
        assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{}", answer.text());
        answer.expect_problem(503, "unavailable");
        assert!(asked.elapsed() < Duration::from_secs(9), "it took {:?}", asked.elapsed());
    }

    let back = cluster.start().await;
    crate::support::eventually("being able to store again", async || {
        let mut all = true;
        for request in requests() {
            all &= Answer::to(request).await.status == 200;
        }
        all
    })
    .await;
    assert_eq!(app.stored(&ana).await, 3, "each exactly once");
    app.stop().await;
    back.stop().await;
}
