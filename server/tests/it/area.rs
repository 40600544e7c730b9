//! The area that a server delivers in: what clients get of it, and how another one takes its place.

use std::{path::Path, time::Duration};

use doorstep_area::{
    built_in, files,
    library::Library,
    manifest::Manifest,
    roads::{RoadClass, RoadData, RoadEdge},
};
use doorstep_server::auth::scope::Scope;
use doorstep_shared::{
    LatLon,
    api::area::{AreaId, AreaPoint, AreaView, Units},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, BUILT_IN_AREA, Socket, TestApp, eventually, now_ms, order_body, step, text, with_app, with_settings,
};

const TILES: &[u8] = b"PMTiles, in name only: nobody here draws them";

fn at(lat: f64, lon: f64) -> LatLon {
    LatLon::try_new(lat, lon).expect("on earth")
}

/// A street of a kilometre in another country.
fn elsewhere() -> (Manifest, RoadData) {
    let edge = RoadEdge::open(0, 1, RoadClass::Residential, 30);
    let roads = RoadData { nodes: vec![at(54.1, -4.5), at(54.11, -4.5)], edges: vec![edge], ..RoadData::default() };
    let area = AreaView {
        id: "elsewhere-0a1b2c3d".parse().expect("an id"),
        name: "Elsewhere".to_owned(),
        bounds: [-4.51, 54.1, -4.49, 54.11],
        center: AreaPoint { lat: 54.105, lon: -4.5 },
        time_zone: "America/New_York".to_owned(),
        country: Some("IM".to_owned()),
        units: Units::Imperial,
        addresses: false,
        ..built_in::manifest().area.clone()
    };
    (Manifest { area, ..built_in::manifest().clone() }, roads)
}

/// Puts an area into a data folder, as an import would.
fn install(data_dir: &Path, manifest: &Manifest, streets: &[u8]) -> AreaId {
    let staging = Library::under(data_dir).stage().expect("nobody imports");
    let contents = [
        (files::MANIFEST, manifest.to_json()),
        (files::STREETS, streets.to_vec()),
        (files::MAP, TILES.to_vec()),
        (files::LAND, b"{}".to_vec()),
    ];
    for (name, bytes) in contents {
        std::fs::write(staging.area().join(name), bytes).expect("it can be written");
    }
    staging.install().expect("it is whole")
}

fn install_elsewhere(app: &TestApp) -> AreaId {
    let (manifest, roads) = elsewhere();
    install(&app.data_dir(), &manifest, &roads.to_bytes())
}

async fn bare(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = app.bare(Method::GET, path);
    Answer::to(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

async fn readiness(app: &TestApp) -> Value {
    bare(app, "/health/ready", &[]).await.expect(200)["area"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_caller_with_a_credential_learns_where_the_server_delivers() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let shown = app.get("/api/v1/area").await.expect(200);
        assert_eq!(shown, serde_json::to_value(&built_in::manifest().area).expect("JSON"));
        let narrow = app.key_with(&[Scope::FleetRead]).await;
        let of_key = Answer::to(app.bare(Method::GET, "/api/v1/area").bearer_auth(narrow)).await;
        assert_eq!(of_key.expect(200), shown);
        let ana = app.courier("Ana").await;
        let of_phone = Answer::to(app.bare(Method::GET, "/api/v1/area").bearer_auth(&ana.device_token)).await;
        assert_eq!(of_phone.expect(200), shown);
        assert_eq!(readiness(app).await, json!({ "id": shown["id"], "notes": [] }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_is_sent_in_the_ranges_that_are_asked_for() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let page = bare(app, "/area/current", &[]).await;
        assert_eq!(page.header("cache-control"), "no-cache");
        let page = page.expect(200);
        let map = page["basemap_pmtiles"].as_str().expect("the built-in area has a map");
        assert_eq!(map, format!("/area/{}/map.pmtiles", built_in::manifest().area.id));
        let bytes = built_in::file(files::MAP).expect("the program holds its map");

        let part = bare(app, map, &[("range", "bytes=0-126")]).await;
        assert_eq!((part.status.as_u16(), part.body.as_slice()), (206, &bytes[..127]));
        assert_eq!(part.header("content-range"), format!("bytes 0-126/{}", bytes.len()));
        assert_eq!(part.header("cache-control"), "public, max-age=31536000, immutable");
        let etag = part.header("etag").to_owned();
        assert!(etag.starts_with('"'), "a part needs a strong tag: {etag}");
        let tail = bare(app, map, &[("range", "bytes=-5"), ("if-range", &etag)]).await;
        assert_eq!((tail.status.as_u16(), tail.body.as_slice()), (206, &bytes[bytes.len() - 5..]));

        let unchanged = bare(app, map, &[("if-none-match", &etag)]).await;
        assert_eq!((unchanged.status.as_u16(), unchanged.body.len()), (304, 0));
        let beyond = bare(app, map, &[("range", "bytes=99999999-")]).await;
        assert_eq!(
            (beyond.status.as_u16(), beyond.header("content-range")),
            (416, &*format!("bytes */{}", bytes.len()))
        );
        let other = bare(app, map, &[("range", "bytes=0-126"), ("if-range", "\"another\"")]).await;
        assert_eq!((other.status.as_u16(), other.body.len()), (200, bytes.len()));

        let land = page["basemap_land"].as_str().expect("the built-in area has land");
        assert_eq!(bare(app, land, &[]).await.header("content-type"), "application/geo+json");
        let small = bare(app, land, &[("accept-encoding", "br")]).await;
        assert_eq!(small.header("content-encoding"), "br");
        for path in
            ["/area/nowhere-1/map.pmtiles", &map.replace("map.pmtiles", "streets.bin"), "/area/..%2f/map.pmtiles"]
        {
            bare(app, path, &[]).await.expect_problem(404, "not_found");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_area_takes_its_place_while_couriers_report_and_customers_watch() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let (mut phone, mut page) = (app.connect(&ana).await, app.watch(&order).await);
        page.expect("snapshot").await;
        let (start_ms, mut id) = (now_ms(), 0);
        let mut report = async || {
            id += 1;
            phone.report(id, &[step(start_ms + id as i64 * 1_000, id as i64)]).await;
        };
        report().await;
        let before = readiness(app).await["id"].clone();
        let elsewhere = install_elsewhere(app);
        report().await;
        // As the command line does it, beside the server.
        Library::under(&app.data_dir()).choose(&elsewhere).expect("it is there");
        eventually("the other area", async || {
            report().await;
            readiness(app).await["id"] == json!(elsewhere)
        })
        .await;
        report().await;
        for _ in 0..id {
            page.expect("position").await;
        }
        let shown = app.get("/api/v1/area").await.expect(200);
        assert_eq!((&shown["name"], &shown["units"]), (&json!("Elsewhere"), &json!("imperial")));
        let map = bare(app, "/area/current", &[]).await.expect(200);
        let map = map["basemap_pmtiles"].as_str().expect("it has a map");
        let part = bare(app, map, &[("range", "bytes=2-8")]).await;
        assert_eq!((part.status.as_u16(), part.body.as_slice()), (206, &TILES[2..9]));
        assert_eq!(bare(app, map, &[]).await.body, TILES);
        let former = before.as_str().expect("an id");
        assert!(app.data_dir().join("areas").join(former).is_dir(), "the area before is kept");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_open_page_hears_of_another_area() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let (mut phone, mut page) = (app.connect(&ana).await, app.watch(&order).await);
        page.expect("snapshot").await;
        let authorization = format!("Bearer {}", app.key);
        let mut console = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
        console.expect("snapshot").await;
        let elsewhere = install_elsewhere(app);
        app.state().areas.choose(elsewhere.clone()).await.expect("it is sound");
        for socket in [&mut phone, &mut page, &mut console] {
            assert_eq!(socket.expect("area").await, json!({ "type": "area", "id": elsewhere }));
        }
        // What is in use already is no news.
        app.state().areas.choose(elsewhere).await.expect("it is sound");
        phone.report(1, &[step(now_ms(), 0)]).await;
        page.expect("position").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_beyond_the_streets_is_marked_and_one_within_them_is_not() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let within = app.order("A-1").await;
        let mut body = order_body("A-2");
        body["dropoff"]["lat"] = json!(52.5);
        let beyond = text(&app.post("/api/v1/orders", &body).await.expect(201)["id"]);
        let outside =
            async |id: &str| app.get(&format!("/api/v1/orders/{id}")).await.expect(200)["outside_area"].clone();
        assert_eq!((outside(&within.id).await, outside(&beyond).await), (Value::Null, json!(true)));
        let listed = app.get("/api/v1/orders").await.expect(200);
        let marked = listed["items"].as_array().expect("a list").iter().filter(|order| order["outside_area"] == true);
        assert_eq!(marked.map(|order| text(&order["reference"])).collect::<Vec<_>>(), ["A-2"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_area_that_cannot_be_used_leaves_the_one_before_in_use_and_readiness_says_why() {
    with_app(async |app| {
        let before = readiness(app).await;
        assert_eq!(before["notes"], json!([]));
        let (manifest, _) = elsewhere();
        let broken = install(&app.data_dir(), &manifest, b"no streets at all");
        Library::under(&app.data_dir()).choose(&broken).expect("its manifest can be read");
        let refused = async || !readiness(app).await["notes"].as_array().expect("a list").is_empty();
        eventually("the refusal", refused).await;
        let now = readiness(app).await;
        assert_eq!(now["id"], before["id"]);
        let note = &now["notes"][0];
        assert_eq!(note["code"], "area_refused");
        assert!(note["note"].as_str().is_some_and(|note| note.contains("streets.bin")), "{note}");
        // Choosing a sound one mends it.
        let id: AreaId = before["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        Library::under(&app.data_dir()).choose(&id).expect("it is there");
        eventually("the note's end", async || readiness(app).await == before).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_of_the_operator_s_comes_from_its_own_place_alone() {
    let style = "--basemap-style=https://tiles.example.com/light.json?key=1";
    let tiles = "--basemap-pmtiles=https://maps.example.org:8443/planet.pmtiles";
    with_settings(&[style, tiles], async |app| {
        let page = bare(app, "/area/current", &[]).await.expect(200);
        assert_eq!(page["basemap_style"], "https://tiles.example.com/light.json?key=1");
        assert_eq!(page["basemap_pmtiles"], "https://maps.example.org:8443/planet.pmtiles");
        for path in ["/t/unknown", "/courier"] {
            let answer = bare(app, path, &[]).await;
            let policy = answer.header("content-security-policy").to_owned();
            let of_map = " https://maps.example.org:8443 https://tiles.example.com";
            for directive in ["connect-src", "img-src"] {
                let allowed = policy.split(';').find(|part| part.trim().starts_with(directive)).unwrap_or_default();
                assert!(allowed.ends_with(of_map), "{path}: {allowed}");
            }
            assert!(!policy.contains("https: ") && !policy.contains("https:;"), "{policy}");
        }
    })
    .await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../static/area/map.pmtiles");
    with_settings(&[&format!("--basemap-pmtiles={}", file.display())], async |app| {
        let page = bare(app, "/area/current", &[]).await.expect(200);
        let map = page["basemap_pmtiles"].as_str().expect("there is a map");
        assert!(map.starts_with("/area/basemap-"), "{map}");
        let part = bare(app, map, &[("range", "bytes=0-6")]).await;
        assert_eq!((part.status.as_u16(), part.body.as_slice()), (206, &b"PMTiles"[..]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_written_in_the_zone_of_the_area_unless_the_operator_has_another() {
    let day = async |app: &TestApp| {
        let name = app.get("/api/v1/orders/export").await.header("content-disposition").to_owned();
        name.split("orders-").nth(1).map(|rest| rest[..10].to_owned()).expect("a day")
    };
    for (arguments, zone) in
        [(&[][..], "America/New_York"), (&["--time-zone=Pacific/Kiritimati"][..], "Pacific/Kiritimati")]
    {
        with_settings(arguments, async |app| {
            let elsewhere = install_elsewhere(app);
            app.state().areas.choose(elsewhere).await.expect("it is sound");
            let zone: chrono_tz::Tz = zone.parse().expect("a zone");
            assert_eq!(app.state().areas.time_zone(), zone);
            let today = || chrono::Utc::now().with_timezone(&zone).format("%Y-%m-%d").to_string();
            let (before, written, after) = (today(), day(app).await, today());
            assert!(written == before || written == after, "{written} is neither {before} nor {after}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_area_is_damaged_starts_all_the_same() {
    with_app(async |app| {
        let (manifest, _) = elsewhere();
        install(&app.data_dir(), &manifest, b"no streets at all");
        Library::under(&app.data_dir()).choose(&manifest.area.id).expect("its manifest can be read");
        let settings = crate::support::settings(&app.database_url, &[]);
        let clock = doorstep_server::platform::clock::Clock::system();
        let second = doorstep_server::app::start(settings, clock).await.expect("it starts");
        let answer = app.http.get(format!("http://{}/health/ready", second.address)).timeout(Duration::from_secs(10));
        let area = Answer::to(answer).await.expect(200)["area"].clone();
        second.stop().await;
        assert_eq!(area["id"], json!(built_in::manifest().area.id));
        assert_eq!(area["notes"][0]["code"], "area_refused");
    })
    .await;
}
