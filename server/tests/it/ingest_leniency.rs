//! What phones send that no later version of their apps will ever correct: it is understood all the same.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    ingest_trackers::{
        EMPTY, FORM, JSON, NO_COMMANDS, TAKEN, assert_taken, fixes, lately, osmand_form, osmand_json, overland,
        owntracks, payload,
    },
    support::{Answer, TestApp, TestCourier, now_ms, with_app},
};

/// The only fix of a courier.
async fn only_fix(app: &TestApp, courier: &TestCourier) -> Value {
    let mut fixes = fixes(app, courier).await;
    assert_eq!(fixes.len(), 1, "{fixes:?}");
    fixes.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn decimal_commas_in_a_query_are_read_as_the_phone_means_them() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let query = lately(payload!("osmand/decimal-comma.query"), &ana.device_token);
        let answer = Answer::to(app.bare(Method::GET, &format!("/ingest/osmand?{query}"))).await;
        assert_taken(&answer, EMPTY, &query);
        let fix = only_fix(app, &ana).await;
        assert_eq!((&fix["lat"], &fix["lon"]), (&json!(35.898912), &json!(14.514553)), "{fix}");
        assert_eq!(fix["accuracy_m"], 6.0, "{fix}");
        let speed_mps = fix["speed_mps"].as_f64().expect("a speed");
        assert!((speed_mps - 3.5 * 1_852.0 / 3_600.0).abs() < 0.001, "3,5 knots, not 35: {fix}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slash_at_the_end_of_an_address_makes_no_difference() {
    with_app(async |app| {
        let now_s = now_ms() / 1_000;
        let location = json!({ "_type": "location", "lat": 35.9, "lon": 14.5, "tst": now_s }).to_string();
        let feature = json!({ "geometry": { "coordinates": [14.5, 35.9] }, "properties": { "timestamp": now_s } });
        let batch = json!({ "locations": [feature] }).to_string();
        let ana = app.courier("Ana").await;
        let token = &ana.device_token;
        let query = format!("id={token}&lat=35.9&lon=14.5&timestamp={}", now_s - 2);
        let form = format!("id={token}&lat=35.9&lon=14.5&timestamp={}", now_s - 1);
        let post = |path: &str, kind: &str, body: String| {
            app.bare(Method::POST, path).bearer_auth(token).header("content-type", kind).body(body)
        };
        for (request, expected) in [
            (app.bare(Method::GET, &format!("/ingest/osmand/?{query}")), EMPTY),
            (post("/ingest/osmand/", FORM, form), EMPTY),
            (post("/ingest/owntracks/", JSON, location), NO_COMMANDS),
            (post("/ingest/overland/", JSON, batch), TAKEN),
        ] {
            assert_taken(&Answer::to(request).await, expected, "with a slash");
        }
        assert_eq!(app.stored(&ana).await, 3, "the last two are of the same second");
        Answer::to(app.bare(Method::DELETE, "/ingest/osmand/")).await.expect_problem(405, "method_not_allowed");
        Answer::to(app.bare(Method::POST, "/ingest/osmand//")).await.expect_problem(404, "not_found");
        Answer::to(app.bare(Method::POST, "/ingest/")).await.expect_problem(404, "not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_counts_when_the_body_that_is_said_to_be_json_is_empty() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let now_s = now_ms() / 1_000;
        for (second, body) in (0..).zip(["", "\r\n"]) {
            let query = format!("id={}&lat=35.9&lon=14.5&timestamp={}", ana.device_token, now_s - second);
            let request = app.bare(Method::POST, &format!("/ingest/osmand?{query}")).header("content-type", JSON);
            assert_taken(&Answer::to(request.body(body)).await, EMPTY, "an empty body");
        }
        assert_eq!(app.stored(&ana).await, 2);
        // With neither, nothing says who it is.
        Answer::to(osmand_json(app, String::new())).await.expect_problem(400, "bad_request");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flat_points_in_a_json_array_are_all_stored() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let batch = lately(payload!("osmand/flat-batch.json"), &ana.device_token);
        let second = (now_ms() / 1_000 - 3_600 + 1).to_string();
        let batch = batch.replace("1787392801", &second);
        assert_taken(&Answer::to(osmand_json(app, batch)).await, EMPTY, "a batch of flat points");
        let fixes = fixes(app, &ana).await;
        assert_eq!(fixes.len(), 2, "{fixes:?}");
        for fix in fixes {
            assert_eq!((&fix["lat"], &fix["lon"]), (&json!(35.898912), &json!(14.514553)), "{fix}");
            let speed_mps = fix["speed_mps"].as_f64().expect("a speed");
            assert!((speed_mps - 5.0).abs() < 0.01, "knots, as among parameters: {fix}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_as_text_and_a_location_without_a_time_are_understood() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let asked_ms = now_ms();
        let body = r#"{"_type":"location","lat":"35.9","lon":"14,5","acc":"6","batt":"50"}"#;
        assert_taken(&Answer::to(owntracks(app, &ana.device_token, body.to_owned())).await, NO_COMMANDS, body);
        let fix = only_fix(app, &ana).await;
        assert_eq!((&fix["lat"], &fix["lon"], &fix["battery"]), (&json!(35.9), &json!(14.5), &json!(0.5)), "{fix}");
        let time_ms = fix["time_ms"].as_i64().expect("a time");
        assert!((asked_ms..=now_ms()).contains(&time_ms), "it was taken when it came: {fix}");

        let ben = app.courier("Ben").await;
        let body = r#"{"locations":[{"geometry":{"coordinates":["14.5","35.9"]},"properties":{"timestamp":"TIME"}}]}"#;
        let body = body.replace("TIME", &(now_ms() / 1_000).to_string());
        assert_taken(&Answer::to(overland(app, &ben.device_token, body)).await, TAKEN, "Overland");
        assert_eq!(only_fix(app, &ben).await["lat"], 35.9);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_app_is_asked_for_the_credentials_that_it_can_show() {
    with_app(async |app| {
        let schemes =
            [("/ingest/owntracks", "Basic "), ("/ingest/owntracks/", "Basic "), ("/ingest/overland", "Bearer")];
        for (path, scheme) in schemes {
            let refused = Answer::to(app.bare(Method::POST, path).body("{}")).await;
            assert!(refused.header("www-authenticate").starts_with(scheme), "{path}: {:?}", refused.headers);
            refused.expect_problem(401, "unauthorized");
        }
        // What a client does that waits to be asked.
        let ana = app.courier("Ana").await;
        let point = format!("id={}&lat=35.9&lon=14.5", ana.device_token);
        assert_taken(&Answer::to(osmand_form(app, point)).await, EMPTY, "parameters hold the token");
    })
    .await;
}
