//! Setting other apps up: an app that follows the link reports to its address, and sends nothing else.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, Invited, Socket, TestApp, TestCourier, now_ms, with_app};

async fn set_up(app: &TestApp, cookie: &str, tracker: &str) -> Value {
    let request = app.bare(Method::POST, "/api/v1/courier/trackers").header("cookie", cookie);
    Answer::to(request.header("origin", app.origin()).json(&json!({ "app": tracker }))).await.expect(201)
}

/// A link taken apart as the apps do it: what stands before the query, and the query's parameters.
fn parts(link: &str) -> (String, HashMap<String, String>) {
    let link = reqwest::Url::parse(link).expect("a link");
    let parameters = link.query_pairs().into_owned().collect();
    (format!("{}://{}{}", link.scheme(), link.host_str().unwrap_or_default(), link.path()), parameters)
}

/// A position as an app sends it that was set up by `created`'s link alone.
fn report(app: &TestApp, tracker: &str, created: &Value) -> RequestBuilder {
    let (address, settings) = parts(created["config_url"].as_str().expect("a link"));
    let now_s = now_ms() / 1_000;
    match tracker {
        "traccar" => {
            assert_eq!(address, "org.traccar.client://config");
            let form = format!("id={}&timestamp={now_s}&lat=35.898&lon=14.5125&accuracy=6&batt=80", settings["id"]);
            let request = app.http.post(&settings["url"]);
            request.header("content-type", "application/x-www-form-urlencoded").body(form)
        }
        "owntracks" => {
            assert_eq!(address, "owntracks:///config");
            let json = STANDARD.decode(&settings["inline"]).expect("base64");
            let settings: Value = serde_json::from_slice(&json).expect("JSON");
            assert_eq!((&settings["_type"], &settings["mode"]), (&json!("configuration"), &json!(3)));
            let text = |name: &str| settings[name].as_str().expect("a string").to_owned();
            let location = json!({ "_type": "location", "lat": 35.898, "lon": 14.5125, "tst": now_s, "acc": 6,
                "batt": 80, "tid": text("tid") });
            let request = app.http.post(text("url")).basic_auth(text("username"), Some(text("password")));
            request.header("X-Limit-U", text("username")).header("X-Limit-D", text("deviceId")).json(&location)
        }
        "overland" => {
            assert_eq!(address, "overland://setup");
            let feature = json!({
                "type": "Feature",
                "geometry": { "type": "Point", "coordinates": [14.5125, 35.898] },
                "properties": { "timestamp": now_s, "horizontal_accuracy": 6, "device_id": settings["device_id"] },
            });
            let request = app.http.post(&settings["url"]).bearer_auth(&settings["token"]);
            request.json(&json!({ "locations": [feature] }))
        }
        other => panic!("no such app: {other}"),
    }
}

fn as_courier(invited: &Invited) -> TestCourier {
    TestCourier { id: invited.courier.clone(), device_token: invited.device_token.clone() }
}

const APPS: [&str; 3] = ["traccar", "owntracks", "overland"];

#[tokio::test(flavor = "multi_thread")]
async fn an_app_set_up_by_a_link_reports_for_that_courier() {
    with_app(async |app| {
        for tracker in APPS {
            let ana = app.invite().await;
            let cookie = app.sign_in(&ana.code).await;
            let created = set_up(app, &cookie, tracker).await;
            assert_eq!(created["app"], tracker);
            assert_eq!(
                created["server_url"].as_str().map(|url| url.starts_with(&app.origin())),
                Some(true),
                "{created}"
            );
            let answer = Answer::to(report(app, tracker, &created)).await;
            assert_eq!(answer.status, 200, "{tracker}: {}", answer.text());
            assert_eq!(app.stored(&as_courier(&ana)).await, 1, "{tracker}");
            let devices = app.get(&ana.devices()).await.expect(200);
            let device =
                devices["items"].as_array().and_then(|all| all.iter().find(|one| one["id"] == created["device_id"]));
            assert_eq!(device.map(|device| &device["client"]), Some(&json!(tracker)), "{devices}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dispatch_can_set_a_tracker_up_for_a_courier() {
    with_app(async |app| {
        let ana = app.invite().await;
        let path = format!("/api/v1/couriers/{}/trackers", ana.courier);
        for tracker in APPS {
            let created = app.post(&path, &json!({ "app": tracker })).await.expect(201);
            assert_eq!(Answer::to(report(app, tracker, &created)).await.status, 200, "{tracker}");
        }
        app.post(&path, &json!({ "app": "gpslogger" })).await.expect_problem(400, "bad_request");
        let unknown = format!("/api/v1/couriers/{}/trackers", uuid::Uuid::now_v7());
        app.post(&unknown, &json!({ "app": "traccar" })).await.expect_problem(404, "not_found");
        let courier = app.bare(Method::POST, &path).bearer_auth(&ana.device_token).json(&json!({ "app": "traccar" }));
        Answer::to(courier).await.expect_problem(401, "unauthorized");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_settings_stand_there_in_words_and_as_a_picture() {
    with_app(async |app| {
        let ana = app.invite().await;
        let cookie = app.sign_in(&ana.code).await;
        for tracker in APPS {
            let created = set_up(app, &cookie, tracker).await;
            let values: Vec<_> =
                created["settings"].as_array().expect("a list").iter().map(|setting| setting[1].clone()).collect();
            for needed in ["server_url", "token"] {
                assert!(values.contains(&created[needed]), "{tracker}: {needed} is missing in {values:?}");
            }
            let picture = created["qr_svg"].as_str().expect("a picture");
            assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"), "{picture}");
            for reference in ["href", "url(", "<script", "<image", "style"] {
                assert!(!picture.contains(reference), "{reference}: {picture}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_has_one_tracker_of_each_app() {
    with_app(async |app| {
        let ana = app.invite().await;
        let cookie = app.sign_in(&ana.code).await;
        let overland = set_up(app, &cookie, "overland").await;
        let unused = set_up(app, &cookie, "traccar").await;
        let used = set_up(app, &cookie, "traccar").await;
        assert_eq!(Answer::to(report(app, "traccar", &used)).await.status, 200);
        app.state().devices.check_connected().await.expect("the database is there");
        let newest = set_up(app, &cookie, "traccar").await;
        for gone in [&unused, &used] {
            Answer::to(report(app, "traccar", gone)).await.expect_problem(400, "unknown_device");
        }
        for valid in [(&newest, "traccar"), (&overland, "overland")] {
            assert_eq!(Answer::to(report(app, valid.1, valid.0)).await.status, 200);
        }
        let devices = app.get(&ana.devices()).await.expect(200)["items"].clone();
        let of_id = |created: &Value| {
            let mut all = devices.as_array().expect("a list").iter();
            all.find(|device| device["id"] == created["device_id"]).map(|device| device["revoked_at"].is_string())
        };
        assert_eq!((of_id(&unused), of_id(&used), of_id(&newest)), (None, Some(true), Some(false)), "{devices}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_set_ups_at_once_leave_one_tracker() {
    with_app(async |app| {
        let ana = app.invite().await;
        let cookie = app.sign_in(&ana.code).await;
        futures_util::future::join_all((0..8).map(|_| set_up(app, &cookie, "traccar"))).await;
        let devices = app.get(&ana.devices()).await.expect(200)["items"].clone();
        let valid = devices.as_array().expect("a list").iter().filter(|device| device["label"] == "Traccar Client");
        assert_eq!(valid.count(), 1, "{devices}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trackers_token_reports_and_does_nothing_else() {
    with_app(async |app| {
        let ana = app.invite().await;
        let cookie = app.sign_in(&ana.code).await;
        let created = set_up(app, &cookie, "traccar").await;
        let token = created["token"].as_str().expect("a token");
        for (method, path) in [
            (Method::GET, "/api/v1/courier"),
            (Method::GET, "/api/v1/courier/tour"),
            (Method::POST, "/api/v1/courier/trackers"),
            (Method::GET, "/api/v1/orders"),
        ] {
            let request = app.bare(method, path).bearer_auth(token).json(&json!({ "app": "traccar" }));
            Answer::to(request).await.expect_problem(401, "unauthorized");
        }
        let bearer = format!("Bearer {token}");
        let refused = Socket::try_connect(app, "/ws/courier", &[("authorization", &bearer)]).await.err();
        assert_eq!(refused.expect("refused").status, 401);
        let id = created["device_id"].as_str().expect("an id");
        let link = app.post(&format!("{}/{id}/sign-in", ana.devices()), &json!({})).await;
        link.expect_problem(409, "device_is_tracker");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_cannot_set_a_tracker_up() {
    with_app(async |app| {
        let ana = app.invite().await;
        let cookie = app.sign_in(&ana.code).await;
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
            let request = app.bare(Method::POST, "/api/v1/courier/trackers").header("cookie", &cookie);
            let request = request.header(name, value).json(&json!({ "app": "traccar" }));
            Answer::to(request).await.expect_problem(403, "origin_not_allowed");
        }
        let anonymous = app.bare(Method::POST, "/api/v1/courier/trackers").json(&json!({ "app": "traccar" }));
        Answer::to(anonymous).await.expect_problem(401, "unauthorized");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_repeats_without_end_must_wait_and_others_need_not() {
    with_app(async |app| {
        let (ana, ben) = (app.invite().await, app.invite().await);
        let heartbeat = |token: &str| {
            let form = format!("id={token}&batt=80");
            let request = app.bare(Method::POST, "/ingest/osmand");
            request.header("content-type", "application/x-www-form-urlencoded").body(form)
        };
        let mut taken = 0;
        let refused = loop {
            let answers = (0..20).map(|_| Answer::to(heartbeat(&ana.device_token)));
            let answers = futures_util::future::join_all(answers).await;
            taken += answers.iter().filter(|answer| answer.status == 200).count();
            if let Some(refused) = answers.into_iter().find(|answer| answer.status != 200) {
                break refused;
            }
            assert!(taken < 100_000, "there is a limit");
        };
        assert!(taken >= 1_000, "a day's queue passes at once: {taken}");
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds >= 1));
        refused.expect_problem(503, "slow_down");
        assert_eq!(Answer::to(heartbeat(&ben.device_token)).await.status, 200);
    })
    .await;
}
