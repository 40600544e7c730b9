//! Orders of some days, by phone number and e-mail, and as a spreadsheet.

use doorstep_server::{auth::scope::Scope, store::access::Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, eventually, order_body, text, with_app};

async fn create(app: &TestApp, reference: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut body = order_body(reference);
    change(&mut body);
    text(&app.post("/api/v1/orders", &body).await.expect(201)["id"])
}

async fn ask(app: &TestApp, path: &str, query: &[(&str, &str)]) -> Answer {
    Answer::to(app.request(Method::GET, path).query(query)).await
}

async fn found(app: &TestApp, query: &[(&str, &str)]) -> Vec<String> {
    let page = ask(app, "/api/v1/orders", query).await.expect(200);
    page["items"].as_array().expect("items").iter().map(|order| text(&order["reference"])).collect()
}

async fn set_time(app: &TestApp, id: &str, column: &str, at: &str) {
    let update = match column {
        "created_at" => "update orders set created_at = $2::timestamptz where id = $1::uuid",
        _ => "update orders set status_at = $2::timestamptz where id = $1::uuid",
    };
    sqlx::query(update).bind(id).bind(at).execute(&app.db).await.expect("an order can be changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_a_phone_number_however_it_is_typed_and_by_e_mail() {
    with_app(async |app| {
        create(app, "A-1", |order| order["customer"] = json!({ "name": "Eve", "phone": "+356 2100-0001" })).await;
        create(app, "A-2", |order| order["customer"] = json!({ "name": "Adam", "phone": "2100 0002" })).await;
        let email = json!({ "name": "Zoë", "email": "Zoe.Borg+home@Example.com" });
        create(app, "A-3", |order| order["customer"] = email).await;
        let cases: [(&str, &[&str]); 13] = [
            ("+356 2100-0001", &["A-1"]),
            ("21000001", &["A-1"]),
            ("00356 21 00 00 01", &["A-1"]),
            ("(2100) 0001", &["A-1"]),
            ("eve 2100-0001", &["A-1"]),
            ("adam 2100-0001", &[]),
            ("+35621000002", &["A-2"]),
            ("2100", &["A-2", "A-1"]),
            ("100-0002", &["A-2"]),
            ("zoe.borg", &["A-3"]),
            ("BORG+home@example", &["A-3"]),
            ("zoe @example.com", &["A-3"]),
            ("eve@example.com", &[]),
        ];
        for (typed, expected) in cases {
            assert_eq!(found(app, &[("q", typed)]).await, expected, "{typed:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_some_days_are_found_by_when_they_were_created_promised_or_done() {
    with_app(async |app| {
        let promise = |until: &str| {
            let until = json!(until);
            move |order: &mut Value| order["promised_until"] = until
        };
        let old = create(app, "old", promise("2026-11-03T18:00:00Z")).await;
        let new = create(app, "new", promise("2026-11-02T18:00:00Z")).await;
        create(app, "today", |_| ()).await;
        set_time(app, &old, "created_at", "2026-11-01T10:00:00Z").await;
        set_time(app, &new, "created_at", "2026-11-02T10:00:00Z").await;
        app.post(&format!("/api/v1/orders/{old}/status"), &json!({ "status": "cancelled" })).await.expect(200);
        set_time(app, &old, "status_at", "2026-11-02T20:00:00Z").await;
        let (second, third) = ("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z");
        let of_day = async |dated: &str| found(app, &[("from", second), ("until", third), ("dated", dated)]).await;
        assert_eq!(found(app, &[("from", second), ("until", third)]).await, ["new"]);
        assert_eq!(of_day("created").await, ["new"]);
        assert_eq!(of_day("promised").await, ["new"]);
        assert_eq!(of_day("changed").await, ["old"]);
        assert_eq!(found(app, &[("until", second)]).await, ["old"]);
        assert_eq!(
            found(app, &[("from", "2026-11-02T10:00:00Z"), ("until", third)]).await,
            ["new"],
            "its first moment"
        );
        assert_eq!(found(app, &[("until", "2026-11-02T10:00:00Z")]).await, ["old"], "and not its last");
        let counts = ask(app, "/api/v1/orders/counts", &[("from", second), ("until", third)]).await.expect(200);
        assert_eq!(counts, json!({ "unassigned": 1, "active": 0, "done": 0 }));
        for wrong in [[("from", "monday")], [("until", "2026-11-02")], [("dated", "later")]] {
            ask(app, "/api/v1/orders", &wrong).await.expect_problem(400, "bad_request");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_filtered_is_exported_as_a_file_that_the_import_takes_back() {
    with_app(async |app| {
        let ana = app.courier("=Ana").await;
        let id = create(app, "=1+1", |order| {
            order["customer"] = json!({ "name": "@Eve \"the\" Ċikku, jr", "phone": "+356 2100 0001" });
            order["pickup"]["phone"] = json!("2100 0002");
            order["size"] = json!(3);
            order["requires"] = json!(["cold", "van"]);
            order["note"] = json!("two bags\nand a box");
            order["promised_until"] = json!("2026-11-28T18:30:00Z");
            order["proof"] = json!(["photo"]);
        })
        .await;
        app.post(&format!("/api/v1/orders/{id}/assign"), &json!({ "courier_id": ana.id })).await.expect(200);
        create(app, "B-2", |_| ()).await;
        let answer = ask(app, "/api/v1/orders/export", &[("q", "1+1")]).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/csv; charset=utf-8"));
        assert!(answer.header("content-disposition").starts_with("attachment; filename=\"orders-20"));
        let file = answer.text();
        assert!(file.starts_with("\u{feff}Reference,Pickup address,Pickup latitude,"), "{file}");
        for cell in
            ["'=1+1,", "\"'@Eve \"\"the\"\" Ċikku, jr\"", "'+356 2100 0001", ",'=Ana,", "2026-11-28T19:30:00+01:00"]
        {
            assert!(file.contains(cell), "{cell} in {file}");
        }
        assert!(!file.contains("B-2"), "only what is filtered");

        let import = app.request(Method::POST, "/api/v1/orders/import").header("content-type", "text/csv").body(file);
        let imported = Answer::to(import).await.expect(201);
        let again = text(&imported["created"][0]["id"]);
        let order = async |id: &str| app.get(&format!("/api/v1/orders/{id}")).await.expect(200);
        let (before, after) = (order(&id).await, order(&again).await);
        for field in
            ["reference", "pickup", "dropoff", "customer", "size", "requires", "note", "promised_until", "proof"]
        {
            assert_eq!(before[field], after[field], "{field}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_export_comes_whole_in_pieces_and_is_recorded() {
    with_app(async |app| {
        let fill = "insert into orders (id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, \
             dropoff_lat, dropoff_lon, dropoff_address, customer_name, tracking_token_hash, created_at) \
             select gen_random_uuid(), 'R-' || n, 'created', now(), 35.9, 14.5, 'Kitchen', 35.9, 14.5, 'Door', 'Eve', \
             sha256(n::text::bytea), now() - n / 10 * interval '1 second' from generate_series(1, 1200) n";
        sqlx::query(fill).execute(&app.db).await.expect("orders can be made");
        let dora = app.person("dora@example.com", Role::Dispatcher).await;
        let answer = Answer::to(app.as_person(&dora, Method::GET, "/api/v1/orders/export?status=created")).await;
        let file = answer.text();
        let mut references: Vec<_> = file.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        references.sort_unstable();
        references.dedup();
        assert_eq!(references.len(), 1_200, "each once");
        let ada = app.person("ada@example.com", Role::Admin).await;
        eventually("the export in the access log", async || {
            let log = Answer::to(app.as_person(&ada, Method::GET, "/api/v1/audit?what=export")).await.expect(200);
            log["items"][0]["actor_name"] == json!("dora@example.com")
        })
        .await;
        let key = app.key_with(&[Scope::OrdersWrite]).await;
        let refused = Answer::to(app.bare(Method::GET, "/api/v1/orders/export").bearer_auth(key)).await;
        refused.expect_problem(403, "missing_scope");
    })
    .await;
}
