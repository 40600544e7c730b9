//! Invalid requests, and requests that come twice.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, BUILT_IN_AREA, TestApp, eventually, order_body, text, with_app, with_settings, within};

#[tokio::test(flavor = "multi_thread")]
async fn every_refused_field_is_named() {
    with_app(async |app| {
        let changed = |pointer: &str, value: Value| {
            let mut body = order_body("A-1");
            *body.pointer_mut(pointer).expect("the field is there") = value;
            body
        };
        let with_window = |from: &str, until: &str| {
            let mut body = order_body("A-1");
            body["promised_from"] = json!(from);
            body["promised_until"] = json!(until);
            body
        };
        let cases = [
            (changed("/reference", json!("")), "reference"),
            (changed("/reference", json!("   ")), "reference"),
            (changed("/reference", json!("x".repeat(101))), "reference"),
            (changed("/reference", json!("A\u{0}1")), "reference"),
            (changed("/reference", json!("A\u{1b}[31m")), "reference"),
            (changed("/pickup/lat", json!(90.1)), "pickup"),
            (changed("/dropoff/lon", json!(-180.1)), "dropoff"),
            (changed("/dropoff/address", json!("")), "dropoff.address"),
            (changed("/dropoff/instructions", json!("x".repeat(1_001))), "dropoff.instructions"),
            (changed("/customer/name", json!("")), "customer.name"),
            (changed("/customer/phone", json!("1".repeat(41))), "customer.phone"),
            (changed("/customer/email", json!("x".repeat(255))), "customer.email"),
            (with_window("2026-11-21T12:00:00Z", "2026-11-21T11:00:00Z"), "promised_until"),
            (with_window("-262143-01-01T00:00:00Z", "2026-11-21T11:00:00Z"), "promised_from"),
            (with_window("2026-11-21T12:00:00Z", "+262142-01-01T00:00:00Z"), "promised_until"),
        ];
        for (body, field) in cases {
            let problem = app.post("/api/v1/orders", &body).await.expect_problem(422, "invalid_fields");
            let fields: Vec<_> =
                problem["errors"].as_array().expect("a list").iter().map(|error| error["field"].clone()).collect();
            assert_eq!(fields, [field], "{body}");
            let reasons = problem["details"]["fields"].as_object().expect("an object");
            let reason = reasons.iter().next().expect("a field");
            assert!(reason.0.starts_with(field) && *reason.1 == problem["errors"][0]["message"], "{problem}");
        }
        let everything = json!({ "name": "", "phone": "", "vehicle": "van" });
        let problem = app.post("/api/v1/couriers", &everything).await.expect_problem(422, "invalid_fields");
        assert_eq!(problem["errors"].as_array().map(Vec::len), Some(2), "all of them at once: {problem}");
        assert_eq!(problem["details"]["fields"].as_object().map(|fields| fields.len()), Some(2), "{problem}");
        for (pointer, value, field) in [
            ("/pickup/lat", 90.1, "pickup.lat"),
            ("/dropoff/lon", -180.1, "dropoff.lon"),
            ("/dropoff/lat", -91.0, "dropoff.lat"),
        ] {
            let problem =
                app.post("/api/v1/orders", &changed(pointer, json!(value))).await.expect_problem(422, "invalid_fields");
            assert!(problem["details"]["fields"][field].is_string(), "{field}: {problem}");
        }
        let orders = app.get("/api/v1/orders").await.expect(200);
        assert_eq!(orders["items"], json!([]), "nothing was kept");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_nobody_can_call_is_refused_wherever_it_is_given() {
    with_app(async |app| {
        let (order, courier) = (app.order("A-0").await, app.courier("Ana").await);
        let created = |pointer: &str, value: &str| {
            let mut body = order_body("A-1");
            let (place, field) = pointer.split_once('.').expect("a place and its field");
            body[place][field] = json!(value);
            (Method::POST, "/api/v1/orders".to_owned(), body)
        };
        let edited = |body: Value| (Method::PATCH, format!("/api/v1/orders/{}", order.id), body);
        let saved = json!({ "name": "Kitchen", "place": {
            "lat": 35.9, "lon": 14.5, "address": "Quay", "phone": "none" } });
        for ((method, path, body), field, words) in [
            (created("customer.phone", "3.5E+11"), "customer.phone", "a spreadsheet turned this number into 3.5E+11"),
            (created("customer.phone", "none"), "customer.phone", "must be a phone number"),
            (created("pickup.phone", &"1".repeat(19)), "pickup.phone", "more digits"),
            (created("customer.email", "eve"), "customer.email", "must be an e-mail address"),
            (edited(json!({ "customer": { "phone": "n/a" } })), "customer.phone", "must be a phone number"),
            (edited(json!({ "customer": { "email": "eve@" } })), "customer.email", "must be an e-mail address"),
            (edited(json!({ "pickup": { "phone": "?" } })), "pickup.phone", "must be a phone number"),
            (
                (
                    Method::POST,
                    "/api/v1/couriers".to_owned(),
                    json!({ "name": "Ben", "phone": "Ben", "vehicle": "van" }),
                ),
                "phone",
                "must be a phone number",
            ),
            (
                (Method::PATCH, format!("/api/v1/couriers/{}", courier.id), json!({ "phone": "x" })),
                "phone",
                "phone number",
            ),
            ((Method::POST, "/api/v1/pickups".to_owned(), saved), "place.phone", "must be a phone number"),
        ] {
            let answer = Answer::to(app.request(method, &path).header("if-match", "*").json(&body)).await;
            let reasons = answer.expect_problem(422, "invalid_fields")["details"]["fields"].clone();
            assert_eq!(reasons.as_object().map(|fields| fields.len()), Some(1), "{body}: {reasons}");
            assert!(reasons[field].as_str().is_some_and(|reason| reason.contains(words)), "{body}: {reasons}");
        }
        for phone in ["(0395) 123-4567 ext. 12", "112", "2100 0001 / 7900 0001 Paul"] {
            let (.., body) = created("customer.phone", phone);
            let order = app.post("/api/v1/orders", &body).await.expect(201);
            let shown = app.get(&format!("/api/v1/orders/{}", text(&order["id"]))).await.expect(200);
            assert_eq!(shown["customer"]["phone"], json!(phone));
        }
        Answer::to(
            app.request(Method::PATCH, &format!("/api/v1/orders/{}", order.id))
                .header("if-match", "*")
                .json(&json!({ "customer": { "phone": "", "email": null } })),
        )
        .await
        .expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_is_kept_exactly() {
    with_app(async |app| {
        let mut body = order_body(&"é".repeat(100));
        body["customer"]["name"] = json!("Ġorġ <script>alert(1)</script> 🛵");
        body["dropoff"]["instructions"] = json!("ring twice\nthen call");
        body["promised_from"] = json!("2026-11-21T12:00:00Z");
        body["promised_until"] = json!("2026-11-21T12:00:00+00:00");
        body["unknown"] = json!({ "fields": ["are", "ignored"] });
        let id = app.post("/api/v1/orders", &body).await.expect(201)["id"].as_str().expect("an id").to_owned();
        let shown = app.get(&format!("/api/v1/orders/{id}")).await.expect(200);
        for field in ["reference", "pickup", "dropoff", "customer"] {
            assert_eq!(shown[field], body[field], "{field}");
        }
        assert_eq!(
            (&shown["promised_from"], &shown["promised_until"]),
            (&json!("2026-11-21T12:00:00Z"), &json!("2026-11-21T12:00:00Z"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_a_400_that_says_where() {
    with_app(async |app| {
        let bodies = [
            "",
            "{",
            "[]",
            "{\"name\":\"Ana\",\"vehicle\":\"rocket\"}",
            "{\"name\":1,\"vehicle\":\"van\"}",
            "{\"vehicle\":\"van\"}",
            "\u{0}",
        ];
        for body in bodies {
            let request =
                app.request(Method::POST, "/api/v1/couriers").header("content-type", "application/json").body(body);
            let problem = Answer::to(request).await.expect_problem(400, "bad_request");
            assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("line 1")), "{body:?}: {problem}");
        }
        let deep = "[".repeat(8_000);
        let request =
            app.request(Method::POST, "/api/v1/couriers").header("content-type", "application/json").body(deep);
        Answer::to(request).await.expect_problem(400, "bad_request");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_plain_json_is_taken() {
    with_app(async |app| {
        let body = json!({ "name": "Ana", "vehicle": "van" }).to_string();
        let with = |name: &str, value: &str| {
            let request = app.request(Method::POST, "/api/v1/couriers").body(body.clone());
            match name {
                "content-type" => request.header(name, value),
                _ => request.header("content-type", "application/json").header(name, value),
            }
        };
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonx",
            "",
        ] {
            Answer::to(with("content-type", content_type)).await.expect_problem(415, "unsupported_media_type");
        }
        Answer::to(app.request(Method::POST, "/api/v1/couriers").body(body.clone()))
            .await
            .expect_problem(415, "unsupported_media_type");
        for encoding in ["gzip", "br", "identity, gzip"] {
            Answer::to(with("content-encoding", encoding)).await.expect_problem(415, "unsupported_media_type");
        }
        Answer::to(with("content-type", "Application/JSON; charset=utf-8")).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_16_kib_is_a_413() {
    with_app(async |app| {
        let padded = |length: usize| {
            let empty = r#"{"name":"Ana","vehicle":"van","padding":""}"#;
            let padding = "x".repeat(length - empty.len());
            empty.replace(r#""padding":"""#, &format!(r#""padding":"{padding}""#))
        };
        let send = async |body: String| {
            let request = app.request(Method::POST, "/api/v1/couriers").header("content-type", "application/json").body(body);
            Answer::to(request).await
        };
        send(padded(16_384)).await.expect(201);
        send(padded(16_385)).await.expect_problem(413, "too_large");
        send(padded(200_000)).await.expect_problem(413, "too_large");
        // Without a length in advance, the limit holds as the body comes.
        let mut tcp = TcpStream::connect(app.address).await.expect("the server accepts");
        let head = format!(
            "POST /api/v1/couriers HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
            app.address, app.key
        );
        let chunk = format!("400\r\n{}\r\n", "x".repeat(1_024));
        tcp.write_all(format!("{head}{}0\r\n\r\n", chunk.repeat(17)).as_bytes()).await.expect("the server reads");
        let mut answer = Vec::new();
        within("the answer", tcp.read_to_end(&mut answer)).await.expect("the server answers");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"code\":\"too_large\""), "{answer}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_is_a_405_and_a_wrong_path_a_404_in_the_same_form() {
    with_app(async |app| {
        let trace = Method::TRACE;
        let cases = [
            (Method::PUT, "/api/v1/orders"),
            (Method::DELETE, "/api/v1/orders"),
            (Method::PUT, "/api/v1/session"),
            (Method::POST, "/api/v1/orders/x"),
            (Method::GET, "/api/v1/orders/x/assign"),
            (Method::POST, "/api/v1/couriers/x/fixes"),
            (Method::POST, "/api/v1/track/x"),
            (Method::PATCH, "/api/v1/couriers"),
            (trace, "/api/v1/orders"),
        ];
        for (method, path) in cases {
            app_answer(app, method, path).await.expect_problem(405, "method_not_allowed");
        }
        for path in ["/api/v1/nothing", "/api/v1", "/api/v1/orders/x/y/z", "/api/v1/ORDERS", "/api/v1/orders/"] {
            app_answer(app, Method::GET, path).await.expect_problem(404, "not_found");
        }
        for (method, path) in [
            (Method::POST, "/t/x"),
            (Method::POST, "/nothing"),
            (Method::POST, "/health/live"),
            (Method::TRACE, "/"),
            (Method::POST, "/ws/courier"),
            (Method::PUT, "/health/ready"),
        ] {
            let answer = app_answer(app, method, path).await;
            assert!([404, 405].contains(&answer.status.as_u16()), "{path}: {}", answer.status);
        }
    })
    .await;
}

async fn app_answer(app: &TestApp, method: Method, path: &str) -> Answer {
    Answer::to(app.request(method, path)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_read_can_be_asked_for_without_its_content() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let order = app.order("A-1").await;
        let map = format!("/area/{}/map.pmtiles", doorstep_area::built_in::manifest().area.id);
        let paths = ["/health/live", "/api/v1/orders", "/login", "/courier", "/nothing", &map];
        for path in paths.map(str::to_owned).into_iter().chain([format!("/t/{}", order.token)]) {
            let (got, asked) = (app_answer(app, Method::GET, &path).await, app_answer(app, Method::HEAD, &path).await);
            assert_eq!((asked.status, asked.body.len()), (got.status, 0), "{path}");
            assert_eq!(asked.header("content-type"), got.header("content-type"), "{path}");
            assert_eq!(asked.header("content-length"), got.header("content-length"), "{path}");
        }
        let refused = app_answer(app, Method::HEAD, "/api/v1/orders/import").await;
        assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, "POST"));
        let allow = app_answer(app, Method::PUT, "/health/live").await;
        assert_eq!((allow.status.as_u16(), allow.header("allow")), (405, "GET, HEAD"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn characters_that_hide_or_turn_text_are_refused_in_names() {
    with_app(async |app| {
        for (name, status) in [
            ("Ana\u{202e}aelaG", 422),
            ("\u{2066}Ana\u{2069}", 422),
            ("Ana\0", 422),
            ("Ana\u{1b}[31m", 422),
            ("שרה כהן", 201),
            ("مريم", 201),
        ] {
            let body = json!({ "name": name, "vehicle": "scooter" });
            let answer = app.post("/api/v1/couriers", &body).await;
            assert_eq!(answer.status.as_u16(), status, "{name:?}: {}", answer.text());
            let mut order = order_body("A-1");
            order["customer"]["name"] = json!(name);
            assert_eq!(app.post("/api/v1/orders", &order).await.status.as_u16(), status, "{name:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_request_to_a_socket_address_is_a_400() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.order("A-1").await;
        let request = app.bare(Method::GET, "/ws/courier").bearer_auth(&ana.device_token);
        Answer::to(request).await.expect_problem(400, "bad_handshake");
        let request = app.bare(Method::GET, &format!("/ws/track/{}", order.token));
        Answer::to(request).await.expect_problem(400, "bad_handshake");
    })
    .await;
}

/// Sends bytes and reads until the server hangs up.
async fn raw(app: &TestApp, request: &str) -> String {
    let mut tcp = TcpStream::connect(app.address).await.expect("the server accepts");
    tcp.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = Vec::new();
    // A reset after the answer is as good an end as any.
    let _ = within("the answer", tcp.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_could_be_read_in_two_ways_is_refused() {
    with_app(async |app| {
        let requests = [
            "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
            "GET /health/live HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
            "GET /health/live\r\n\r\n",
        ];
        for request in requests {
            let answer = raw(app, request).await;
            assert!(answer.starts_with("HTTP/1.1 400 ") && answer.matches("HTTP/1.1 ").count() == 1, "{request:?}: {answer:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_finishes_its_request_is_not_waited_for() {
    with_app(async |app| {
        let answer = raw(app, "GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow").await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer:?}");
    })
    .await;
}

async fn with_key(app: &TestApp, key: &str, path: &str, body: &Value) -> Answer {
    Answer::to(app.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_gets_the_first_answer_and_makes_nothing_new() {
    with_app(async |app| {
        let first = with_key(app, "order-17", "/api/v1/orders", &order_body("A-1")).await;
        let again = with_key(app, "order-17", "/api/v1/orders", &order_body("A-1")).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body), "the token included");
        assert_eq!(again.header("content-type"), first.header("content-type"));
        with_key(app, "order-17", "/api/v1/orders", &order_body("A-2"))
            .await
            .expect_problem(409, "idempotency_conflict");
        with_key(app, "order-17", "/api/v1/couriers", &order_body("A-1")).await.expect_problem(400, "bad_request");
        let courier = json!({ "name": "Ana", "vehicle": "van" });
        with_key(app, "order-17", "/api/v1/couriers", &courier).await.expect_problem(409, "idempotency_conflict");
        let orders = app.get("/api/v1/orders").await.expect(200);
        assert_eq!(orders["items"].as_array().map(Vec::len), Some(1));
        with_key(app, "order-18", "/api/v1/orders", &order_body("A-1")).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_who_used_it_and_a_refused_request_does_not_use_it_up() {
    with_app(async |app| {
        let mut bad = order_body("A-1");
        bad["reference"] = json!("");
        with_key(app, "k", "/api/v1/orders", &bad).await.expect_problem(422, "invalid_fields");
        let mine = with_key(app, "k", "/api/v1/orders", &order_body("A-1")).await.expect(201);
        let other_key = app.key_with(&[]).await;
        let request = app
            .bare(Method::POST, "/api/v1/orders")
            .bearer_auth(other_key)
            .header("Idempotency-Key", "k")
            .json(&order_body("A-1"));
        let theirs = Answer::to(request).await.expect(201);
        assert_ne!(mine["id"], theirs["id"]);
        for key in ["", &"k".repeat(256)] {
            with_key(app, key, "/api/v1/orders", &order_body("A-3")).await.expect_problem(400, "bad_request");
        }
    })
    .await;
}

/// As if the server had ended in the middle of the request with `key`, this many seconds ago.
async fn interrupt(app: &TestApp, key: &str, seconds: f64) {
    let unfinished = "update idempotency_keys set status = 0, body = '', created_at = now() - make_interval(secs => $2) where key = $1";
    let done = sqlx::query(unfinished).bind(key).bind(seconds).execute(&app.db).await.expect("the database is there");
    assert_eq!(done.rows_affected(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_request_never_ended_is_taken_over_after_a_minute() {
    with_app(async |app| {
        with_key(app, "order-17", "/api/v1/orders", &order_body("A-1")).await.expect(201);
        interrupt(app, "order-17", 30.0).await;
        let refused = with_key(app, "order-17", "/api/v1/orders", &order_body("A-1")).await;
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
        refused.expect_problem(409, "idempotency_conflict");
        interrupt(app, "order-17", 61.0).await;
        with_key(app, "order-17", "/api/v1/orders", &order_body("A-2"))
            .await
            .expect_problem(409, "idempotency_conflict");
        let taken_over = with_key(app, "order-17", "/api/v1/orders", &order_body("A-1")).await;
        assert_eq!((taken_over.status.as_u16(), taken_over.header("idempotent-replayed")), (201, ""));
        let again = with_key(app, "order-17", "/api/v1/orders", &order_body("A-1")).await;
        assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &taken_over.body));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_client_hangs_up_is_answered_when_it_comes_again() {
    with_app(async |app| {
        let mut holding = app.db.begin().await.expect("the database is there");
        sqlx::query("lock table orders in exclusive mode").execute(&mut *holding).await.expect("it is not locked");
        let kept = async || -> Option<i16> {
            let status = sqlx::query_scalar("select status from idempotency_keys where key = 'k'");
            status.fetch_optional(&app.db).await.expect("the database is there")
        };
        let body = order_body("A-1");
        tokio::select! {
            answer = with_key(app, "k", "/api/v1/orders", &body) => panic!("orders are held: {answer:?}"),
            () = eventually("the request being worked on", async || kept().await == Some(0)) => {}
        }
        holding.rollback().await.expect("the database is there");
        eventually("the answer being kept", async || kept().await == Some(201)).await;
        let again = with_key(app, "k", "/api/v1/orders", &order_body("A-1")).await;
        assert_eq!(again.header("idempotent-replayed"), "true");
        let orders = app.get("/api/v1/orders").await.expect(200);
        assert_eq!(orders["items"].as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_at_the_same_moment_makes_one_order() {
    with_app(async |app| {
        let body = order_body("A-1");
        let sending = (0..8).map(|_| with_key(app, "at once", "/api/v1/orders", &body));
        let answers = futures_util::future::join_all(sending).await;
        let made: Vec<_> =
            answers.iter().filter(|answer| answer.status == 201).map(|answer| answer.body.clone()).collect();
        assert!(!made.is_empty() && made.iter().all(|body| *body == made[0]));
        assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status.as_u16())));
        let orders = app.get("/api/v1/orders").await.expect(200);
        assert_eq!(orders["items"].as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_no_secret_that_could_be_used() {
    with_app(async |app| {
        let created = with_key(app, "k", "/api/v1/orders", &order_body("A-1")).await.expect(201);
        let ana = app.courier("Ana").await;
        let path = format!("/api/v1/couriers/{}/devices", ana.id);
        let device = with_key(app, "d", &path, &json!({ "label": "x" })).await.expect(201);
        let secrets =
            [created["tracking_token"].clone(), device["token"].clone(), json!(app.key), json!(ana.device_token)];
        let tables: Vec<String> =
            sqlx::query_scalar("select table_name::text from information_schema.tables where table_schema = 'public'")
                .fetch_all(&app.db)
                .await
                .expect("the catalogue can be read");
        for table in tables {
            let text: Option<String> =
                sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select string_agg(t::text, ' ') from {table} t")))
                    .fetch_one(&app.db)
                    .await
                    .expect("a table can be read");
            for secret in &secrets {
                let secret = secret.as_str().expect("a string");
                let as_hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
                let text = text.as_deref().unwrap_or_default();
                assert!(!text.contains(secret) && !text.contains(&as_hex), "{table} holds a secret");
            }
        }
    })
    .await;
}
