//! A person's data: exported whole, erased without a trace, and gone when its time is over.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Cursor, Read},
};

use chrono::TimeDelta;
use doorstep_server::store::{
    access::Role,
    personal_data::columns::{COLUMNS, Holds},
};
use image::{ImageFormat, RgbImage};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::{
    cli::{doorstep, output, stdout},
    support::{
        Answer, TestApp, TestCourier, TestOrder, TestPerson, eventually, now_ms, order_body, step, text, with_app,
        with_settings,
    },
};

const EXPORT: &str = "/api/v1/people/export";
const ERASE: &str = "/api/v1/people/erase";

/// Everything by which the customer of these tests can be recognised, in small letters.
const HER: [&str; 11] = [
    "evangeline",
    "farrugia",
    "79001234",
    "7900 1234",
    "evangeline@post.example",
    "77 triq iz-zekka",
    "blue gate",
    "order of the blue door",
    "left with her sister",
    "vintage piano",
    "kim farrugia",
];

fn photo() -> Vec<u8> {
    let mut jpeg = Cursor::new(Vec::new());
    RgbImage::from_pixel(60, 40, image::Rgb([90, 120, 60])).write_to(&mut jpeg, ImageFormat::Jpeg).expect("a photo");
    jpeg.into_inner()
}

fn her_order() -> Value {
    let mut body = order_body("Order of the blue door");
    body["customer"] = json!({
        "name": "Evangeline Farrugia", "phone": "+356 7900 1234", "email": "Evangeline@post.example",
    });
    body["dropoff"]["address"] = json!("77 Triq iz-Zekka");
    body["dropoff"]["instructions"] = json!("the blue gate");
    body["note"] = json!("a vintage piano");
    body
}

/// A delivered order of hers, with everything that an order can have.
async fn delivered(app: &TestApp, courier: &TestCourier) -> TestOrder {
    let request = app.request(Method::POST, "/api/v1/orders").header("idempotency-key", "for evangeline");
    let created = Answer::to(request.json(&her_order())).await.expect(201);
    let order = TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) };
    app.post(&format!("/api/v1/orders/{}/tracking-link", order.id), &json!({})).await.expect(201);
    let tag = app.get(&format!("/api/v1/orders/{}", order.id)).await.header("etag").to_owned();
    let edit = app.request(Method::PATCH, &format!("/api/v1/orders/{}", order.id)).header("if-match", tag);
    Answer::to(edit.json(&json!({ "dropoff": { "instructions": "the blue gate, ring twice" } }))).await.expect(200);
    app.assign(&order, courier).await;
    app.set_status(&order, "picked_up").await;
    let proof = |id: Uuid| format!("/api/v1/courier/orders/{}/proofs/{id}", order.id);
    let put = |id: Uuid| app.bare(Method::PUT, &proof(id)).bearer_auth(&courier.device_token);
    let sent = put(Uuid::now_v7()).header("content-type", "image/jpeg").body(photo());
    Answer::to(sent).await.expect(201);
    let strokes = [[[0.1, 0.2], [0.5, 0.6], [0.9, 0.3]]];
    let signature = json!({ "kind": "signature", "name": "Kim Farrugia", "strokes": strokes, "taken_ms": now_ms() });
    Answer::to(put(Uuid::now_v7()).json(&signature)).await.expect(201);
    let status = json!({ "status": "delivered", "note": "left with her sister" });
    app.post(&format!("/api/v1/orders/{}/status", order.id), &status).await.expect(200);
    order
}

/// What people and the server add around an order later: an exception with a note, a pin at the door, what was learned.
async fn surround(app: &TestApp, order: &TestOrder, courier: &TestCourier) {
    for statement in [
        "insert into exceptions (id, code, subject_id, order_id, courier_id, since_at, noticed_at, ended_at, lat, lon, note) \
         values (gen_random_uuid(), 'door_elsewhere', $1::uuid, $1::uuid, $2::uuid, now(), now(), now(), 35.90123, 14.51601, \
             'Evangeline says the blue gate')",
        "insert into arrival_scores (order_id, attempt, horizon_min, courier_id, vehicle, pickup, arrived_at, told_at, \
             earliest_at, expected_at, latest_at, forecast_at, scale_s, situation) \
         values ($1::uuid, 1, 5, $2::uuid, 'van', '77 Triq iz-Zekka', now(), now(), now(), now(), now(), now(), 1, 'direct')",
        "insert into arrival_lessons (order_id, attempt, seen) \
         select $1::uuid, 1, '[]'::jsonb where $2::uuid is not null on conflict do nothing",
        "insert into arrival_told (order_id, attempt, told_at, earliest_at, expected_at, latest_at, forecast_at, scale_s, \
             situation) select $1::uuid, 1, now(), now(), now(), now(), now(), 1, 'direct' where $2::uuid is not null",
        "insert into address_pins (id, address, key, lat, lon, pinned_at, pinned_by) \
         select gen_random_uuid(), '77 Triq iz-Zekka', 'of the pin', 35.9, 14.5, now(), 'system' \
         where $1::uuid <> $2::uuid",
        "insert into access_log (accessed_at, actor, what, subject_id, address) \
         select now(), 'key:nobody', 'order', $1::uuid, '192.0.2.7' where $2::uuid is not null",
        "insert into saved_pickups (id, name, lat, lon, address, phone, created_at) \
         select gen_random_uuid(), 'Kitchen', 35.9, 14.5, 'Harbour', '00356 79001234', now() where $1::uuid <> $2::uuid",
    ] {
        let done = sqlx::query(statement).bind(&order.id).bind(&courier.id).execute(&app.db).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    // The pin's key is the program's own, whatever it does to words.
    let key = doorstep_server::domain::pins::key_of("77 Triq iz-Zekka").expect("an address");
    sqlx::query("update address_pins set key = $1").bind(key).execute(&app.db).await.expect("a pin can be changed");
}

/// Every row of every table, as text in small letters.
async fn dump(app: &TestApp) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    )
    .fetch_all(&app.db)
    .await
    .expect("the catalogue can be read");
    assert!(tables.len() > 20, "{tables:?}");
    let mut dump = String::new();
    for table in tables {
        let rows = format!("select coalesce(string_agg(t::text, E'\\n'), '') from \"{table}\" t");
        let rows: String = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_one(&app.db).await.expect("it can be read");
        dump.push_str(&format!("{table}\n{rows}\n"));
    }
    dump.to_lowercase()
}

fn found<'a>(dump: &str, strings: &[&'a str]) -> Vec<&'a str> {
    strings.iter().copied().filter(|string| dump.contains(string)).collect()
}

/// Files of the proof store.
fn pictures(app: &TestApp) -> usize {
    let shelves = std::fs::read_dir(app.data_dir().join("proofs")).into_iter().flatten().flatten();
    shelves.flat_map(|shelf| std::fs::read_dir(shelf.path()).into_iter().flatten()).count()
}

async fn ask(app: &TestApp, by: &TestPerson, path: &str, body: &Value) -> Answer {
    Answer::to(app.as_person(by, Method::POST, path).json(body)).await
}

/// The files of a ZIP.
fn files(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).expect("a ZIP file");
    let names: Vec<_> = archive.file_names().map(|name| name.expect("a name").into_owned()).collect();
    let read = |name: String| {
        let mut content = Vec::new();
        archive.by_name(&name).expect("it is there").read_to_end(&mut content).expect("it is whole");
        (name, content)
    };
    names.into_iter().map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_column_that_can_hold_text_is_known_to_the_eraser() {
    with_app(async |app| {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select c.table_name::text, c.column_name::text from information_schema.columns c \
             join information_schema.tables t using (table_schema, table_name) \
             where c.table_schema = 'public' and t.table_type = 'BASE TABLE' \
               and c.data_type not in ('uuid', 'timestamp with time zone', 'double precision', 'real', 'integer', \
                   'bigint', 'smallint', 'boolean') and c.udt_name <> '_uuid'",
        )
        .fetch_all(&app.db)
        .await
        .expect("the catalogue can be read");
        let there: BTreeSet<_> = columns.iter().map(|(table, column)| (&**table, &**column)).collect();
        let known: BTreeSet<_> = COLUMNS.iter().map(|(table, column, _)| (*table, *column)).collect();
        let unknown: Vec<_> = there.difference(&known).collect();
        let gone: Vec<_> = known.difference(&there).collect();
        assert!(
            unknown.is_empty() && gone.is_empty(),
            "say in store/personal_data/columns.rs what becomes of {unknown:?}, and erase it; {gone:?} are not there"
        );
        assert_eq!(known.len(), COLUMNS.len(), "each stands there once");
    })
    .await;
}

/// The columns of people, of these tables, that can be written to.
fn columns_of_people() -> impl Iterator<Item = (&'static str, &'static str)> {
    let people = COLUMNS.into_iter().filter(|(_, _, holds)| matches!(holds, Holds::Customers | Holds::Couriers));
    people.map(|(table, column, _)| (table, column)).filter(|it| *it != ("orders", "search_text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_column_of_people_holds_is_gone_once_they_are_erased() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let ana = app.courier("Ana").await;
        let order = delivered(app, &ana).await;
        surround(app, &order, &ana).await;
        let depot = "update couriers set depot_lat = 35.9, depot_lon = 14.5, depot_address = 'here'";
        sqlx::query(depot).execute(&app.db).await.expect("a depot has a place");
        // What a person is found by must stay as it is; everything else gets the same word.
        let sought_by = [("orders", "customer_phone"), ("orders", "pickup_phone"), ("saved_pickups", "phone")];
        for (table, column) in columns_of_people().filter(|it| !sought_by.contains(it)) {
            let kind: String = sqlx::query_scalar(
                "select udt_name::text from information_schema.columns where table_name = $1 and column_name = $2 \
                   and table_schema = 'public'",
            )
            .bind(table)
            .bind(column)
            .fetch_one(&app.db)
            .await
            .expect("it is there");
            let value = match kind.as_str() {
                "text" => "'zzpersonzz'",
                "_text" => "array['zzpersonzz']",
                "jsonb" => r#"'{"note": {"from": "zzpersonzz", "to": "x"}}'"#,
                other => panic!("{table}.{column} is {other}: say here how to write to it"),
            };
            // Of keys for the same caller there is one.
            let only = if table == "idempotency_keys" { " where about <> '{}'" } else { "" };
            let update = format!("update {table} set {column} = {value}{only}");
            let done = sqlx::query(AssertSqlSafe(update)).execute(&app.db).await;
            let rows = done.unwrap_or_else(|error| panic!("{table}.{column}: {error}")).rows_affected();
            assert!(rows > 0, "no row of {table} is about them");
        }
        assert!(found(&dump(app).await, &["zzpersonzz"]).len() == 1);

        ask(app, &ada, ERASE, &json!({ "phone": "+356 7900 1234" })).await.expect(200);
        ask(app, &ada, ERASE, &json!({ "courier_id": ana.id })).await.expect(200);
        let dump = dump(app).await;
        let left: Vec<_> =
            dump.lines().filter(|line| line.contains("zzpersonzz") || line.contains("79001234")).collect();
        assert!(left.is_empty(), "{left:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_erasing_a_customer_no_table_and_no_folder_has_anything_of_them() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let ana = app.courier("Ana").await;
        let order = delivered(app, &ana).await;
        let other = app.order("B-7").await;
        surround(app, &order, &ana).await;
        assert_eq!(found(&dump(app).await, &HER), HER, "the test knows what it looks for");
        assert_eq!(pictures(app), 2);

        let wanted = json!({ "email": "evangeline@POST.example" });
        let preview = ask(app, &ada, ERASE, &json!({ "email": "evangeline@post.example", "preview": true })).await;
        assert_eq!(preview.expect(200), json!({ "sought": "email", "counts": { "orders": 1 } }));
        assert_eq!(pictures(app), 2, "a preview erases nothing");
        let erased = ask(app, &ada, ERASE, &wanted).await.expect(200);
        assert_eq!(erased["erased_by"], "ada@example.com");
        let counts = erased["counts"].as_object().expect("counts");
        for (what, rows) in [
            ("orders", 1),
            ("proofs", 2),
            ("exceptions", 1),
            ("pins", 1),
            ("tracking_links", 1),
            ("idempotency_answers", 1),
        ] {
            assert_eq!(counts[what], rows, "{what}: {erased}");
        }
        assert!(counts["order_events"].as_u64() >= Some(2) && counts["access_log"].as_u64() >= Some(1), "{erased}");
        ask(app, &ada, ERASE, &json!({ "phone": "+356 7900 1234" })).await.expect(200);
        assert_eq!((found(&dump(app).await, &HER), pictures(app)), (vec![], 0));

        let kept = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!(
            (&kept["status"], &kept["customer"], &kept["dropoff"]["address"]),
            (&json!("delivered"), &json!({ "name": "—" }), &json!("—"))
        );
        assert_eq!(
            (&kept["dropoff"]["lat"], &kept["dropoff"]["lon"]),
            (&json!(35.9), &json!(14.52)),
            "about a kilometre"
        );
        assert!(kept["timeline"].as_array().is_some_and(|events| events.len() >= 4), "times stay: {kept}");
        let link = Answer::to(app.bare(Method::GET, &format!("/t/{}", order.token))).await;
        assert_eq!(link.status, 410);
        let untouched = app.get(&format!("/api/v1/orders/{}", other.id)).await.expect(200);
        assert_eq!(untouched["customer"]["name"], "Eve", "nobody else's");

        ask(app, &ada, ERASE, &wanted).await.expect_problem(404, "not_found");
        let listed = Answer::to(app.as_person(&ada, Method::GET, "/api/v1/people/erasures")).await;
        assert!(found(&listed.text().to_lowercase(), &HER).is_empty(), "a tombstone has no name");
        let listed = listed.expect(200);
        let sought: Vec<_> =
            listed["items"].as_array().expect("a list").iter().map(|it| it["sought"].clone()).collect();
        assert_eq!(sought, [json!("phone"), json!("email")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_not_erased() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let hers = json!({ "phone": "+356 2122 0000" });
        let refused = ask(app, &ada, ERASE, &hers).await.expect_problem(409, "has_open_orders");
        assert_eq!(refused["details"]["open_orders"], 1);
        let by_courier = json!({ "courier_id": ana.id });
        ask(app, &ada, ERASE, &by_courier).await.expect_problem(409, "has_open_orders");
        ask(app, &ada, ERASE, &json!({ "email": "ada@example.com" })).await.expect_problem(409, "has_account");
        for body in [json!({}), json!({ "phone": "+356 2122 0000", "courier_id": ana.id })] {
            ask(app, &ada, ERASE, &body).await.expect_problem(422, "invalid_fields");
        }
        for (body, field) in [(json!({ "phone": "0012" }), "phone"), (json!({ "email": "eve" }), "email")] {
            let refused = ask(app, &ada, EXPORT, &body).await.expect_problem(422, "invalid_fields");
            assert_eq!(refused["errors"][0]["field"], field);
        }
        let shown = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!(shown["customer"]["name"], "Eve");
        app.set_status(&order, "cancelled").await;
        ask(app, &ada, ERASE, &hers).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_courier_leaves_orders_behind_and_nothing_about_them() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let (ana, ben) = (app.courier("Anastasia Zammit").await, app.courier("Ben").await);
        let mut phone = app.connect(&ana).await;
        assert_eq!(phone.report(1, &[step(now_ms() - 2_000, 0), step(now_ms() - 1_000, 1)]).await["stored"], 2);
        app.connect(&ben).await.report(1, &[step(now_ms() - 1_000, 0)]).await;
        let order = app.assigned("A-1", &ana).await;
        let delivered = json!({ "type": "status", "id": 7, "order_id": order.id, "status": "delivered", "time_ms": now_ms(),
            "note": "as Anastasia always does" });
        phone.send(&delivered).await;
        eventually("the order is delivered", async || {
            app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200)["status"] == "delivered"
        })
        .await;
        let erased = ask(app, &ada, ERASE, &json!({ "courier_id": ana.id })).await.expect(200);
        assert_eq!((&erased["counts"]["fixes"], &erased["counts"]["devices"]), (&json!(2), &json!(1)), "{erased}");
        assert_eq!(phone.close_code().await, 4500);
        let refused = Answer::to(app.bare(Method::GET, "/api/v1/courier").bearer_auth(&ana.device_token)).await;
        assert_eq!(refused.status, 401);
        assert_eq!((app.stored(&ana).await, app.stored(&ben).await), (0, 1));
        assert_eq!(found(&dump(app).await, &["anastasia", "zammit"]), Vec::<&str>::new());

        let kept = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!((&kept["status"], &kept["courier_id"]), (&json!("delivered"), &json!(ana.id)));
        let edit = app.request(Method::PATCH, &format!("/api/v1/couriers/{}", ana.id));
        Answer::to(edit.json(&json!({ "archived": false, "name": "Anastasia" }))).await.expect_problem(404, "not_found");
        let archived = app.get("/api/v1/couriers?archived=true").await.expect(200);
        assert_eq!((&archived["items"][0]["name"], archived["items"].as_array().map(Vec::len)), (&json!("—"), Some(1)));
        ask(app, &ada, ERASE, &json!({ "courier_id": ana.id })).await.expect_problem(404, "not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fixes_that_come_after_a_courier_was_erased_go_with_the_next_round() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let ana = app.courier("Ana").await;
        ask(app, &ada, ERASE, &json!({ "courier_id": ana.id })).await.expect(200);
        let late = "insert into fixes (courier_id, fixed_at, received_at, lat, lon) values ($1::uuid, now(), now(), 35.9, 14.5)";
        sqlx::query(late).bind(&ana.id).execute(&app.db).await.expect("it was on its way");
        let month_ago = chrono::Utc::now() - TimeDelta::days(30);
        app.state().personal_data.end_leftovers(month_ago).await.expect("the database is there");
        assert_eq!(app.stored(&ana).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_revoked_long_ago_is_deleted() {
    with_app(async |app| {
        let invited = app.invite().await;
        app.sign_in(&invited.code).await;
        let revoked = Answer::to(app.request(Method::DELETE, &invited.device())).await;
        assert_eq!(revoked.status, 204);
        let kept = app.device(&invited.courier).await;
        let devices = async || app.get(&invited.devices()).await.expect(200)["items"].as_array().map(Vec::len);
        let end = async |before| {
            app.state().personal_data.end_leftovers(before).await.expect("the database is there");
        };
        end(chrono::Utc::now() - TimeDelta::days(30)).await;
        let before = devices().await;
        end(chrono::Utc::now() + TimeDelta::seconds(1)).await;
        assert_eq!((before, devices().await), (Some(2), Some(1)));
        let courier = Answer::to(app.bare(Method::GET, "/api/v1/courier").bearer_auth(&kept)).await;
        assert_eq!(courier.status, 200, "its neighbour works");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_exported_with_rows_and_pictures_and_no_secret() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let ana = app.courier("Ana").await;
        let order = delivered(app, &ana).await;
        surround(app, &order, &ana).await;
        let other = app.order("B-7").await;
        let answer = ask(app, &ada, EXPORT, &json!({ "phone": "00356-79001234" })).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/zip"));
        assert!(answer.header("content-disposition").starts_with("attachment; filename=\"person-"));
        let files = files(&answer.body);
        let names: Vec<_> = files.keys().filter(|name| !name.starts_with("pictures/")).map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "about.json",
                "access-log-0001.json",
                "arrival-scores-0001.json",
                "arrivals-told-0001.json",
                "exceptions-0001.json",
                "idempotency-answers-0001.json",
                "order-events-0001.json",
                "orders-0001.json",
                "pickups.json",
                "pins-0001.json",
                "proofs-0001.json",
                "tracking-links-0001.json",
            ]
        );
        let json_of = |name: &str| serde_json::from_slice::<Value>(&files[name]).expect("JSON");
        let orders = json_of("orders-0001.json");
        assert_eq!(
            (orders.as_array().map(Vec::len), &orders[0]["customer_name"]),
            (Some(1), &json!("Evangeline Farrugia"))
        );
        assert_eq!(json_of("about.json")["rows"]["pictures"], 2);
        let photos: Vec<_> = files.iter().filter(|(name, _)| name.ends_with(".jpg")).collect();
        let decoded = image::load_from_memory(photos[0].1).expect("a picture");
        assert_eq!((photos.len(), decoded.width()), (1, 60));
        assert!(photos[0].0.starts_with(&format!("pictures/{}/", order.id)));
        let signatures: Vec<_> = files.iter().filter(|(name, _)| name.ends_with(".svg")).collect();
        assert!(signatures.len() == 1 && signatures[0].1.starts_with(b"<svg"));
        let everything: String =
            files.values().map(|content| String::from_utf8_lossy(content).to_lowercase()).collect();
        assert_eq!(found(&everything, &HER), HER);
        for hidden in ["_hash", "image_key", "\"body\"", &order.token, &other.id] {
            assert!(!everything.contains(&hidden.to_lowercase()), "{hidden}");
        }
        let left = std::fs::read_dir(app.data_dir().join("exports")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "no file stays");
        ask(app, &ada, EXPORT, &json!({ "phone": "+356 7900 9999" })).await.expect_problem(404, "not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_is_exported_with_their_way_as_gpx() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let ana = app.courier("Ana & Co").await;
        let order = app.assigned("A-1", &ana).await;
        app.connect(&ana).await.report(1, &[step(now_ms() - 2_000, 0), step(now_ms() - 1_000, 1)]).await;
        let answer = ask(app, &ada, EXPORT, &json!({ "courier_id": ana.id })).await;
        let files = files(&answer.body);
        let gpx: Vec<_> = files.iter().filter(|(name, _)| name.starts_with("fixes/")).collect();
        let [(name, track)] = &gpx[..] else { panic!("{:?}", files.keys()) };
        let track = String::from_utf8_lossy(track);
        assert!(name.ends_with("Z.gpx") && track.contains("<name>Ana &amp; Co</name>"), "{name}: {track}");
        assert_eq!(track.matches("<trkpt").count(), 2);
        let deliveries: Value = serde_json::from_slice(&files["deliveries.json"]).expect("JSON");
        assert_eq!((&deliveries[0]["id"], &deliveries[0]["reference"]), (&json!(order.id), &json!("A-1")));
        let everything: String = files.values().map(|content| String::from_utf8_lossy(content).to_string()).collect();
        for hidden in ["token_hash", &ana.device_token, "eve@example.com", "Triq il-Merkanti"] {
            assert!(!everything.contains(hidden), "{hidden}: customers are other people");
        }
        eventually("the export is in the access log", async || {
            let audit = app.as_person(&ada, Method::GET, &format!("/api/v1/audit?subject_id={}", ana.id));
            Answer::to(audit).await.expect(200)["items"][0]["what"] == "export"
        })
        .await;
    })
    .await;
}

/// Lets everything that happened have happened this many days earlier.
async fn age(app: &TestApp, days: u32) {
    for (table, columns) in [
        ("orders", &["status_at", "created_at", "assigned_at", "promised_from", "promised_until", "changed_at"][..]),
        ("order_events", &["happened_at", "recorded_at"]),
        ("proofs", &["taken_at", "received_at"]),
        ("exceptions", &["since_at", "noticed_at", "ended_at"]),
        ("access_log", &["accessed_at"]),
        ("arrival_scores", &["arrived_at", "told_at"]),
        ("arrival_lessons", &["learned_at"]),
        ("arrival_told", &["told_at"]),
        ("idempotency_keys", &["created_at"]),
    ] {
        let earlier: Vec<_> =
            columns.iter().map(|column| format!("{column} = {column} - interval '{days} days'")).collect();
        let update = format!("update {table} set {}", earlier.join(", "));
        sqlx::query(AssertSqlSafe(update)).execute(&app.db).await.expect("rows can be aged");
    }
}

/// Ends what is older than customers' 60 days.
async fn end_expired(app: &TestApp) -> u64 {
    let before = app.state().clock.now() - TimeDelta::days(60);
    app.state().personal_data.end_expired(before).await.expect("the database is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_aged_by_400_days_has_no_customers_string_left() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = delivered(app, &ana).await;
        // Nobody ever finished these.
        app.post("/api/v1/orders", &her_order()).await.expect(201);
        let failed = app.post("/api/v1/orders", &her_order()).await.expect(201);
        let failed = TestOrder { id: text(&failed["id"]), token: text(&failed["tracking_token"]) };
        app.assign(&failed, &ana).await;
        app.set_status(&failed, "failed").await;
        assert_eq!(end_expired(app).await, 0, "today's are needed");
        age(app, 400).await;
        app.order("B-7").await;
        assert_eq!(end_expired(app).await, 3);
        // What is kept for a day or as long as fixes goes by itself.
        let store = &app.state().store;
        let now = app.state().clock.now();
        store.forget_expired(now).await.expect("the database is there");
        store.forget_access_log(now - TimeDelta::days(30)).await.expect("the database is there");
        assert_eq!((found(&dump(app).await, &HER), pictures(app)), (vec![], 0));
        assert_eq!(end_expired(app).await, 0);

        let kept = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!((&kept["status"], &kept["courier_id"]), (&json!("delivered"), &json!(ana.id)), "for reports");
        let young = app.get("/api/v1/orders?limit=1").await.expect(200);
        assert_eq!(young["items"][0]["customer"]["name"], "Eve");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_window_is_still_to_come_keeps_its_customer() {
    with_app(async |app| {
        let mut body = her_order();
        body["promised_until"] = json!(app.state().clock.now() + TimeDelta::days(365));
        app.post("/api/v1/orders", &body).await.expect(201);
        age(app, 300).await;
        assert_eq!(end_expired(app).await, 0);
        age(app, 200).await;
        assert_eq!(end_expired(app).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_about_an_erased_order_again_ends_again() {
    with_app(async |app| {
        app.post("/api/v1/orders", &her_order()).await.expect(201);
        age(app, 400).await;
        assert_eq!(end_expired(app).await, 1);
        let again = "update orders set customer_name = 'Evangeline'";
        sqlx::query(again).execute(&app.db).await.expect("an older server may do it");
        assert_eq!(end_expired(app).await, 1);
        assert_eq!(found(&dump(app).await, &HER), Vec::<&str>::new());
        let moved = "update orders set status = 'cancelled'";
        sqlx::query(moved).execute(&app.db).await.expect("its status may change");
        assert_eq!(end_expired(app).await, 0, "a status is nothing about a person");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_orders_than_fit_one_batch_all_end() {
    with_app(async |app| {
        app.post("/api/v1/orders", &her_order()).await.expect(201);
        let copies = "insert into orders (id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, \
                dropoff_lat, dropoff_lon, dropoff_address, customer_name, customer_phone, tracking_token_hash, created_at) \
            select gen_random_uuid(), reference, 'delivered', status_at, pickup_lat, pickup_lon, pickup_address, dropoff_lat, \
                dropoff_lon, dropoff_address, customer_name, customer_phone, sha256(n::text::bytea), created_at \
            from orders, generate_series(1, 450) n";
        sqlx::query(copies).execute(&app.db).await.expect("orders can be copied");
        age(app, 400).await;
        assert_eq!(end_expired(app).await, 451);
        assert_eq!(found(&dump(app).await, &HER), Vec::<&str>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_days_are_a_setting() {
    with_settings(&["--customer-days", "7"], async |app| {
        assert_eq!(app.state().config.settings.customer_days, 7);
    })
    .await;
}

/// `doorstep person …` on this server's database and data.
fn person(app: &TestApp, arguments: &[&str]) -> std::process::Command {
    let mut command = doorstep(&["person"]);
    command.args(arguments).env("DATABASE_URL", &app.database_url).env("DOORSTEP_DATA_DIR", app.data_dir());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_exports_and_erases_and_running_servers_follow() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = delivered(app, &ana).await;
        let out = app.data_dir().join("eve.zip");
        let path = out.display().to_string();
        stdout(person(app, &["export", "--phone", "+356 7900 1234", "--out", &path])).await;
        let exported = std::fs::read(&out).expect("the file is there");
        assert_eq!(files(&exported).keys().filter(|name| name.starts_with("pictures/")).count(), 2);
        std::fs::remove_file(&out).expect("it is ours");

        let preview = stdout(person(app, &["erase", "--phone", "+356 7900 1234"])).await;
        assert_eq!(preview, "orders\t1\n");
        assert_eq!(pictures(app), 2, "not without --yes");
        let erased = stdout(person(app, &["erase", "--phone", "+356 7900 1234", "--yes"])).await;
        assert!(erased.lines().any(|line| line == "proofs\t2"), "{erased}");
        assert_eq!((found(&dump(app).await, &HER), pictures(app)), (vec![], 0));
        assert_eq!(app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200)["status"], "delivered");

        let mut phone = app.connect(&ana).await;
        stdout(person(app, &["erase", "--courier", &ana.id, "--yes"])).await;
        assert_eq!(phone.close_code().await, 4500);
        for (arguments, reason) in [
            (&["erase", "--yes", "--phone", "+356 7900 1234"][..], "there is nothing"),
            (&["erase", "--yes"], "required"),
            (&["erase", "--phone", "12"], "at least 5 digits"),
        ] {
            let refused = output(person(app, arguments)).await;
            let said = String::from_utf8_lossy(&refused.stderr).to_string();
            assert!(!refused.status.success() && said.contains(reason), "{arguments:?}: {said}");
        }
    })
    .await;
}
