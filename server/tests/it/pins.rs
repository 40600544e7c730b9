//! Where addresses are besides the map: pinned by people, and found by the operator's own geocoder.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, BUILT_IN_AREA, TestApp, text, with_app, with_settings, with_two_instances};

const PINS: &str = "/api/v1/places/pins";

/// Within the one street that most tests' servers know.
const IN_STREET: (f64, f64) = (60.0, 5.0005);

async fn put(app: &TestApp, id: Uuid, address: &str, (lat, lon): (f64, f64)) -> Answer {
    let body = json!({ "address": address, "lat": lat, "lon": lon });
    Answer::to(app.request(Method::PUT, &format!("{PINS}/{id}")).json(&body)).await
}

async fn find(app: &TestApp, query: &[(&str, &str)]) -> Vec<Value> {
    let answer = Answer::to(app.request(Method::GET, "/api/v1/places").query(query)).await.expect(200);
    answer["items"].as_array().expect("items").clone()
}

async fn addresses(app: &TestApp, query: &str) -> Vec<String> {
    let list = app.get(&format!("{PINS}{query}")).await.expect(200);
    list["items"].as_array().expect("items").iter().map(|pin| text(&pin["address"])).collect()
}

fn point(place: &Value) -> (f64, f64) {
    (place["lat"].as_f64().expect("degrees"), place["lon"].as_f64().expect("degrees"))
}

/// The door of an order to this address in a file, or why there is none.
async fn imported(app: &TestApp, address: &str) -> Value {
    let file = format!(
        "reference,pickup_address,pickup_lat,pickup_lon,dropoff_address,customer_name\nA-1,Kitchen,35.898,14.5125,\"{address}\",Eve\n"
    );
    let request = app.request(Method::POST, "/api/v1/orders/import?preview=true").header("content-type", "text/csv");
    Answer::to(request.body(file)).await.expect(200)["rows"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_address_comes_before_what_the_map_says_in_searches_and_imports() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let (door, typed) = ((35.8991, 14.5139), "triq merkanti 12, VALLETTA");
        let mapped = point(&find(app, &[("q", typed)]).await[0]);
        assert_ne!(mapped, door);
        let id = Uuid::now_v7();
        let pinned = put(app, id, "12 Triq il-Merkanti, Valletta", door).await.expect(200);
        assert_eq!((&pinned["id"], &pinned["pinned_by"]), (&json!(id), &json!("tests")));
        let found = find(app, &[("q", typed), ("near", "35.898,14.5125")]).await;
        assert_eq!((point(&found[0]), &found[0]["pin_id"]), (door, &json!(id)));
        assert_eq!(found.iter().filter(|place| place["pin_id"] == json!(id)).count(), 1, "{found:?}");
        let begun = find(app, &[("q", "merkanti 12 val")]).await;
        assert!(begun.iter().any(|place| place["pin_id"] == json!(id)), "{begun:?}");
        assert_eq!(find(app, &[("at", "35.8991,14.5139")]).await[0]["address"], json!("12 Triq il-Merkanti, Valletta"));
        assert_eq!(point(&imported(app, typed).await["order"]["dropoff"]), door);
        // The map's own name for the same house, in other words.
        assert_eq!(point(&imported(app, "12 Merchants Street, Valletta").await["order"]["dropoff"]), door);

        let unknown = "7 Quay of the Imaginary Ships, Valletta";
        assert!(imported(app, unknown).await.get("order").is_none(), "no map knows it");
        put(app, Uuid::now_v7(), unknown, (35.9, 14.51)).await.expect(200);
        assert_eq!(point(&imported(app, unknown).await["order"]["dropoff"]), (35.9, 14.51));

        let delete = app.request(Method::DELETE, &format!("{PINS}/{id}"));
        assert_eq!(Answer::to(delete).await.status, 204);
        assert_eq!(point(&find(app, &[("q", typed)]).await[0]), mapped);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_pin_which_may_be_sent_again() {
    with_app(async |app| {
        let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
        let once = put(app, first, "12 Old Street, Town", IN_STREET).await.expect(200);
        assert_eq!(put(app, first, "12 Old Street, Town", IN_STREET).await.expect(200)["address"], once["address"]);
        put(app, second, "old STREET 12, town", (60.0, 5.0007)).await.expect(200);
        assert_eq!(addresses(app, "").await, ["old STREET 12, town"], "it made room");
        put(app, second, "14 Old Street, Town", IN_STREET).await.expect(200);
        put(app, first, "12 Old Street, Town", IN_STREET).await.expect(200);
        put(app, Uuid::now_v7(), "Zoo, Town", IN_STREET).await.expect(200);
        let page = app.get(&format!("{PINS}?limit=2")).await.expect(200);
        let next = text(&page["next_cursor"]);
        let all = [addresses(app, "?limit=2").await, addresses(app, &format!("?limit=2&cursor={next}")).await].concat();
        assert_eq!(all, ["12 Old Street, Town", "14 Old Street, Town", "Zoo, Town"]);
        for path in [format!("{PINS}/{}", Uuid::now_v7()), format!("{PINS}/nonsense")] {
            Answer::to(app.request(Method::DELETE, &path)).await.expect_problem(404, "not_found");
        }
        app.get(&format!("{PINS}?cursor=*")).await.expect_problem(400, "bad_request");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_names_an_address_and_lies_in_the_area() {
    with_app(async |app| {
        for (address, at, field) in [
            ("", IN_STREET, "address"),
            (" -- ", IN_STREET, "address"),
            ("a\u{7}b", IN_STREET, "address"),
            (&"x".repeat(301), IN_STREET, "address"),
            ("12 Old Street", (91.0, 5.0), "lat"),
            ("12 Old Street", (35.9, 14.5), "lat"),
        ] {
            let refused = put(app, Uuid::now_v7(), address, at).await.expect_problem(422, "invalid_fields");
            assert_eq!(refused["errors"][0]["field"], json!(field), "{refused}");
        }
        let outside = put(app, Uuid::now_v7(), "12 Old Street", (35.9, 14.5)).await.json();
        assert_eq!(outside["errors"][0]["message"], json!("it lies outside the area One street"));
        assert_eq!(addresses(app, "").await, Vec::<String>::new());
        let fill = "insert into address_pins (id, address, key, lat, lon, pinned_at, pinned_by) \
            select gen_random_uuid(), n::text, n::text, 60, 5, now(), 'key:nobody' from generate_series(1, 10000) n";
        sqlx::query(fill).execute(&app.db).await.expect("pins can be made");
        put(app, Uuid::now_v7(), "12 Old Street", IN_STREET).await.expect_problem(409, "too_many_pins");
        put(app, Uuid::now_v7(), "7", IN_STREET).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_counts_at_every_instance_at_once() {
    with_two_instances(async |a, b, _| {
        let query = [("q", "12 old street, town")];
        assert_eq!(find(b, &query).await, Vec::<Value>::new());
        let id = Uuid::now_v7();
        put(a, id, "12 Old Street, Town", IN_STREET).await.expect(200);
        assert_eq!(point(&find(b, &query).await[0]), IN_STREET);
        put(a, id, "12 Old Street, Town", (60.0, 5.0001)).await.expect(200);
        assert_eq!(point(&find(b, &query).await[0]), (60.0, 5.0001));
        assert_eq!(Answer::to(b.request(Method::DELETE, &format!("{PINS}/{id}"))).await.status, 204);
        assert_eq!(find(a, &query).await, Vec::<Value>::new());
    })
    .await;
}

/// A Photon that knows one house, wherever it is asked for, until it is closed by its first letter: "x".
fn photon() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let house = json!({ "type": "FeatureCollection", "features": [{ "type": "Feature",
        "geometry": { "type": "Point", "coordinates": [14.51, 35.9] },
        "properties": { "type": "house", "housenumber": "7", "street": "New Quay", "city": "Valletta" } }] })
    .to_string();
    // Its thread ends with the tests' process.
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut question = [0; 4_096];
            let length = socket.read(&mut question).unwrap_or(0);
            let knows = String::from_utf8_lossy(&question[..length]).contains("Quay");
            let (status, body) = if knows { ("200 OK", &*house) } else { ("500 Internal Server Error", "") };
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = socket.write_all(format!("{head}{body}").as_bytes());
        }
    });
    format!("photon+http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_geocoder_is_asked_and_the_area_answers_when_it_fails() {
    let url = photon();
    with_settings(&[BUILT_IN_AREA, "--geocoder", &url], async |app| {
        let found = find(app, &[("q", "7 New Quay, Valletta")]).await;
        assert_eq!((&found[0]["address"], point(&found[0])), (&json!("7 New Quay, Valletta"), (35.9, 14.51)));
        assert_eq!(point(&imported(app, "7 New Quay, Valletta").await["order"]["dropoff"]), (35.9, 14.51));
        let other = imported(app, "9 New Quay, Valletta").await;
        assert!(other.get("order").is_none(), "another house is no door: {other}");
        let pinned = put(app, Uuid::now_v7(), "New Quay 7, Valletta", (35.8999, 14.5101)).await.expect(200);
        let found = find(app, &[("q", "7 New Quay, Valletta")]).await;
        assert_eq!((point(&found[0]), &found[0]["pin_id"]), ((35.8999, 14.5101), &pinned["id"]));
        let fallen_back = find(app, &[("q", "triq il-merkanti valletta")]).await;
        assert_eq!(fallen_back[0]["address"], json!("Triq il-Merkanti, Valletta"));
    })
    .await;
}
