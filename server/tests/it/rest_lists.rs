//! Lists in pages, and a courier's fixes as files.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, fix, now_ms, step, with_app};

/// Every page of a list, joined; and how many there were.
async fn all(app: &TestApp, path: &str) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let mut request = app.request(Method::GET, path);
        if let Some(cursor) = &cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        let page = Answer::to(request).await.expect(200);
        items.extend(page["items"].as_array().expect("items").iter().cloned());
        pages += 1;
        match page.get("next_cursor") {
            Some(next) => cursor = Some(next.as_str().expect("a cursor is a string").to_owned()),
            None => return (items, pages),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_come_in_pages_newest_first_each_once() {
    with_app(async |app| {
        for index in 0..7 {
            app.order(&format!("A-{index}")).await;
        }
        for (limit, pages) in [(1, 7), (2, 4), (3, 3), (7, 1), (1_000, 1)] {
            let (orders, seen) = all(app, &format!("/api/v1/orders?limit={limit}")).await;
            let references: Vec<_> =
                orders.iter().map(|order| order["reference"].as_str().expect("a reference")).collect();
            assert_eq!(references, ["A-6", "A-5", "A-4", "A-3", "A-2", "A-1", "A-0"], "limit {limit}");
            assert_eq!(seen, pages, "limit {limit}");
        }
        let (none, _) = all(app, "/api/v1/orders?status=delivered").await;
        let (created, _) = all(app, "/api/v1/orders?status=created&limit=2").await;
        assert_eq!((none.len(), created.len()), (0, 7));
        assert!(created[0].get("timeline").is_none(), "a list holds no timelines");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_created_at_the_same_microsecond_are_not_lost_between_pages() {
    with_app(async |app| {
        for index in 0..5 {
            app.order(&format!("A-{index}")).await;
        }
        sqlx::query("update orders set created_at = '2026-11-21 12:00:00.123456+00'")
            .execute(&app.db)
            .await
            .expect("an update");
        let (orders, _) = all(app, "/api/v1/orders?limit=2").await;
        let mut ids: Vec<_> = orders.iter().map(|order| order["id"].as_str().expect("an id")).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn couriers_come_in_pages_with_their_newest_fix_and_presence() {
    with_app(async |app| {
        let mut couriers = Vec::new();
        for name in ["Ana", "Ben", "Cat"] {
            couriers.push(app.courier(name).await);
        }
        let time_ms = now_ms();
        let mut phone = app.connect(&couriers[1]).await;
        phone.report(1, &[step(time_ms - 1_000, 0), step(time_ms, 1)]).await;
        phone.send(&json!({ "type": "presence", "state": "paused", "reason": "no_signal", "time_ms": time_ms })).await;
        phone.send(&json!({ "type": "status", "id": 9, "order_id": uuid::Uuid::now_v7(), "status": "failed", "time_ms": 1 })).await;
        phone.expect("error").await;
        let (listed, pages) = all(app, "/api/v1/couriers?limit=2").await;
        assert_eq!(pages, 2);
        let names: Vec<_> = listed.iter().map(|courier| courier["name"].clone()).collect();
        assert_eq!(names, ["Ana", "Ben", "Cat"]);
        assert!(listed[0].get("position").is_none() && listed[0].get("presence").is_none(), "{}", listed[0]);
        assert_eq!(listed[1]["position"]["time_ms"], time_ms);
        assert_eq!((&listed[1]["presence"]["state"], &listed[1]["presence"]["reason"]), (&json!("paused"), &json!("no_signal")));
        let one = app.get(&format!("/api/v1/couriers/{}", couriers[1].id)).await.expect(200);
        assert_eq!(one, listed[1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fixes_come_in_pages_as_they_were_sent() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let start_ms = now_ms() - 60_000;
        let sent: Vec<_> = (0..7)
            .map(|index| json!({ "time_ms": start_ms + index * 1_000, "lat": 35.9 + index as f64 * 1e-4, "lon": 14.5, "accuracy_m": 5.0,
                "speed_mps": 4.5, "heading_deg": 90.0, "altitude_m": -3.0, "battery": 0.5 }))
            .collect();
        app.connect(&ana).await.report(1, &sent).await;
        let (fixes, pages) = all(app, &format!("/api/v1/couriers/{}/fixes?limit=3", ana.id)).await;
        assert_eq!((fixes, pages), (sent.clone(), 3));
        let at = |index: usize| {
            let time = chrono::DateTime::from_timestamp_millis(sent[index]["time_ms"].as_i64().expect("a time")).expect("a time");
            time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
        };
        let (some, _) = all(app, &format!("/api/v1/couriers/{}/fixes?from={}&until={}&limit=1", ana.id, at(2), at(5))).await;
        assert_eq!(some, sent[2..5], "from is included, until is not");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_refuses_what_it_did_not_give_out() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let fixes = format!("/api/v1/couriers/{}/fixes", ana.id);
        let queries = [
            ("/api/v1/orders", "limit=0"),
            ("/api/v1/orders", "limit=1001"),
            ("/api/v1/orders", "limit=-1"),
            ("/api/v1/orders", "limit=many"),
            ("/api/v1/orders", "cursor=nonsense"),
            ("/api/v1/orders", "cursor=MTox"),
            ("/api/v1/orders", "status=lost"),
            ("/api/v1/couriers", "limit=0"),
            ("/api/v1/couriers", "cursor=nonsense"),
            (&fixes, "limit=1001"),
            (&fixes, "cursor=nonsense"),
            (&fixes, "from=yesterday"),
            (&fixes, "until=2026-11-21"),
            (&fixes, "from=%2B262142-01-01T00:00:00Z"),
            (&fixes, "from=-262143-01-01T00:00:00Z"),
            (&fixes, "until=-262143-01-01T00:00:00Z"),
        ];
        for (path, query) in queries {
            let answer = app.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, 400, "{query}: {}", answer.text());
            answer.expect_problem(400, "bad_request");
        }
        for extreme in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            app.get(&format!("{fixes}?from={extreme}&until={extreme}")).await.expect(200);
        }
        app.get(&format!("{fixes}?cursor={}", i64::MAX)).await.expect(200);
        app.get(&format!("{fixes}?cursor={}", i64::MIN)).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fixes_are_exported_as_geojson_gpx_and_csv() {
    with_app(async |app| {
        let ana = app.courier("Ana <&> \"Co\"").await;
        let start_ms = now_ms() - 900_000;
        let trip = [
            json!({ "time_ms": start_ms, "lat": 35.9, "lon": 14.5, "speed_mps": 4.5, "heading_deg": 90.0, "altitude_m": 12.0 }),
            fix(start_ms + 1_000, 35.9001, 14.5),
            fix(start_ms + 600_000, 35.91, 14.51),
        ];
        app.connect(&ana).await.report(1, &trip).await;
        let path = format!("/api/v1/couriers/{}/fixes", ana.id);
        let accept = async |media_type: &str| Answer::to(app.request(Method::GET, &path).header("accept", media_type)).await;

        let geo_json = accept("application/geo+json").await;
        assert_eq!(geo_json.header("content-type"), "application/geo+json");
        let collection = geo_json.expect(200);
        assert_eq!(collection["type"], "FeatureCollection");
        let geometries: Vec<_> = collection["features"].as_array().expect("features").iter().map(|feature| feature["geometry"].clone()).collect();
        let line = json!({ "type": "LineString", "coordinates": [[14.5, 35.9], [14.5, 35.9001]] });
        assert_eq!(geometries, [line, json!({ "type": "Point", "coordinates": [14.51, 35.91] })]);

        let gpx = accept("application/gpx+xml").await;
        assert_eq!(gpx.header("content-type"), "application/gpx+xml");
        let name = gpx.header("content-disposition");
        assert!(name.starts_with("attachment; filename=\"ana-co-20") && name.ends_with(".gpx\""), "{name}");
        let elements = well_formed(&gpx.text());
        assert_eq!(elements.iter().filter(|name| *name == "trkpt").count(), 3);
        assert_eq!(elements.iter().filter(|name| *name == "trkseg").count(), 2);

        let csv = accept("text/csv").await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        let csv = csv.text();
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!(lines[0], "time,lat,lon,accuracy_m,speed_mps,heading_deg,altitude_m,battery");
        assert_eq!(lines.len(), 4);
        assert!(lines[1].ends_with("Z,35.9,14.5,,4.5,90,12,"), "{csv}");

        assert_eq!(accept("*/*").await.expect(200)["items"].as_array().map(Vec::len), Some(3));
        assert_eq!(accept("image/png, text/csv;q=0.5").await.header("content-type"), "text/csv; charset=utf-8");
        accept("image/png").await.expect_problem(406, "not_acceptable");
    })
    .await;
}

/// The names of a document's elements; panics when it is not well-formed.
fn well_formed(xml: &str) -> Vec<String> {
    let (mut open, mut seen) = (Vec::new(), Vec::new());
    let body = xml.split_once("?>").expect("a declaration").1;
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or_else(|| panic!("an unfinished tag: {piece}"));
        assert!(
            !text.contains('>') && text.split('&').skip(1).all(|entity| entity.contains(';')),
            "an unescaped character: {text}"
        );
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name)),
            None => {
                let name = tag.split_whitespace().next().expect("a name").to_owned();
                seen.push(name.clone());
                if !tag.ends_with('/') {
                    open.push(name);
                }
            }
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_lists_every_call_of_the_contract() {
    with_app(async |app| {
        let document = Answer::to(app.bare(Method::GET, "/api/v1/openapi.json")).await;
        assert_eq!(document.header("content-type"), "application/json");
        let document = document.expect(200);
        assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
        let calls = [
            ("/api/v1/session", &["get", "post", "delete"][..]),
            ("/api/v1/couriers", &["get", "post"]),
            ("/api/v1/couriers/{id}", &["get", "patch"]),
            ("/api/v1/couriers/{id}/devices", &["post"]),
            ("/api/v1/couriers/{id}/fixes", &["get"]),
            ("/api/v1/orders", &["get", "post"]),
            ("/api/v1/orders/counts", &["get"]),
            ("/api/v1/orders/import", &["post"]),
            ("/api/v1/places", &["get"]),
            ("/api/v1/audit", &["get"]),
            ("/api/v1/orders/{id}", &["get"]),
            ("/api/v1/orders/{id}/assign", &["post"]),
            ("/api/v1/orders/{id}/status", &["post"]),
            ("/api/v1/orders/{id}/suggestions", &["get"]),
            ("/api/v1/orders/{id}/tracking-link", &["post"]),
            ("/api/v1/track/{token}", &["get"]),
            ("/api/v1/track/{token}/events", &["get"]),
            ("/api/v1/track/{token}/route", &["get"]),
        ];
        for (path, methods) in calls {
            for method in methods {
                assert!(document["paths"][path][method].is_object(), "{method} {path}");
            }
        }
    })
    .await;
}
