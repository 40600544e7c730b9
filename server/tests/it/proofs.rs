//! Proof of delivery: what phones may send, who sees it, and what an order asks for.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};
use proptest::{
    collection::vec,
    prelude::any,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Socket, TestApp, TestCourier, TestOrder, eventually, order_body, text, with_app, within};

fn photo() -> Vec<u8> {
    let mut jpeg = Cursor::new(Vec::new());
    RgbImage::from_pixel(60, 40, image::Rgb([90, 120, 60])).write_to(&mut jpeg, ImageFormat::Jpeg).expect("a photo");
    jpeg.into_inner()
}

/// An order that asks for `proof`, at its customer's door, with the PIN when it has one.
async fn at_the_door(app: &TestApp, courier: &TestCourier, proof: Value) -> (TestOrder, Option<String>) {
    let mut body = order_body("A-1042");
    body["proof"] = proof;
    let created = app.post("/api/v1/orders", &body).await.expect(201);
    let order = TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) };
    app.assign(&order, courier).await;
    app.set_status(&order, "picked_up").await;
    (order, created["delivery_pin"].as_str().map(str::to_owned))
}

fn path(order: &TestOrder, id: Uuid) -> String {
    format!("/api/v1/courier/orders/{}/proofs/{id}", order.id)
}

async fn send_photo(app: &TestApp, by: &TestCourier, order: &TestOrder, id: Uuid, bytes: Vec<u8>) -> Answer {
    let request = app.bare(Method::PUT, &path(order, id)).bearer_auth(&by.device_token);
    Answer::to(request.header("content-type", "image/jpeg").body(bytes)).await
}

async fn send(app: &TestApp, by: &TestCourier, order: &TestOrder, id: Uuid, body: &Value) -> Answer {
    Answer::to(app.bare(Method::PUT, &path(order, id)).bearer_auth(&by.device_token).json(body)).await
}

fn pin(digits: &str) -> Value {
    json!({ "kind": "pin", "pin": digits, "taken_ms": 1 })
}

fn another(digits: &str) -> String {
    format!("{:04}", (digits.parse::<u32>().expect("digits") + 1) % 10_000)
}

async fn deliver(socket: &mut Socket, order: &TestOrder, id: u64) -> Value {
    let now_ms = chrono::Utc::now().timestamp_millis();
    let status = json!({ "type": "status", "id": id, "order_id": order.id, "status": "delivered", "time_ms": now_ms });
    socket.send(&status).await;
    loop {
        let message = socket.message().await;
        if message["id"] == json!(id) {
            return message;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_delivered_by_its_courier_only_with_the_proofs_it_asks_for() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, digits) = at_the_door(app, &ana, json!(["pin", "photo", "photo"])).await;
        let digits = digits.expect("an order that asks for a PIN has one");
        let shown = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!(shown["proof"], json!(["photo", "pin"]));
        let mut phone = app.connect(&ana).await;
        let refused = deliver(&mut phone, &order, 1).await;
        assert_eq!(refused["code"], "proof_required");
        assert_eq!(refused["message"], "order A-1042 needs a photo and the customer's PIN before it is delivered");
        send_photo(app, &ana, &order, Uuid::now_v7(), photo()).await.expect(201);
        assert_eq!(
            deliver(&mut phone, &order, 2).await["message"],
            "order A-1042 needs the customer's PIN before it is delivered"
        );
        send(app, &ana, &order, Uuid::now_v7(), &pin(&digits)).await.expect(201);
        assert_eq!(deliver(&mut phone, &order, 3).await["type"], "ack");
        let proofs = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200)["proofs"].clone();
        let kinds: Vec<_> = proofs.as_array().expect("a list").iter().map(|proof| proof["kind"].clone()).collect();
        assert_eq!(kinds, [json!("photo"), json!("pin")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dispatch_may_deliver_without_proof() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, _) = at_the_door(app, &ana, json!(["photo"])).await;
        app.set_status(&order, "delivered").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_proof_is_kept_once_and_its_id_takes_no_other() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, _) = at_the_door(app, &ana, json!([])).await;
        let id = Uuid::now_v7();
        let first = send_photo(app, &ana, &order, id, photo()).await.expect(201);
        assert_eq!(send_photo(app, &ana, &order, id, photo()).await.expect(200), first);
        let signature = json!({ "kind": "signature", "name": "Kim", "taken_ms": 1 });
        send(app, &ana, &order, id, &signature).await.expect_problem(409, "proof_conflict");
        let files = walk(&app.data_dir().join("proofs"));
        assert_eq!(files.len(), 1, "{files:?}");
        assert!(!files[0].contains(&id.to_string()) && !files[0].contains(&order.id), "{files:?}");
    })
    .await;
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut files = Vec::new();
    for shelf in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        for file in std::fs::read_dir(shelf.path()).into_iter().flatten().flatten() {
            files.push(file.file_name().to_string_lossy().into_owned());
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_photo_is_refused_with_a_clear_error() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, _) = at_the_door(app, &ana, json!([])).await;
        let html = b"<!doctype html><script>alert(1)</script>".to_vec();
        send_photo(app, &ana, &order, Uuid::now_v7(), html).await.expect_problem(415, "unsupported_image");
        let half = photo()[..100].to_vec();
        send_photo(app, &ana, &order, Uuid::now_v7(), half).await.expect_problem(422, "invalid_image");
        send_photo(app, &ana, &order, Uuid::now_v7(), bomb()).await.expect_problem(422, "image_too_large");
        let too_long = json!({ "kind": "signature", "name": "x".repeat(101), "taken_ms": 1 });
        send(app, &ana, &order, Uuid::now_v7(), &too_long).await.expect_problem(422, "invalid_fields");
        let off = json!({ "kind": "signature", "name": "Kim", "strokes": [[[0.5, 1.5]]], "taken_ms": 1 });
        send(app, &ana, &order, Uuid::now_v7(), &off).await.expect_problem(422, "invalid_fields");
        assert!(walk(&app.data_dir().join("proofs")).is_empty());
    })
    .await;
}

/// A small PNG whose header says 50 000 by 50 000.
fn bomb() -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    RgbImage::new(1, 1).write_to(&mut png, ImageFormat::Png).expect("a picture");
    let mut png = png.into_inner();
    png[16..20].copy_from_slice(&50_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut crc, byte| {
        crc ^= u32::from(*byte);
        (0..8).for_each(|_| crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 });
        crc
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_megabytes_are_refused_whether_announced_or_not() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, _) = at_the_door(app, &ana, json!([])).await;
        for announced in [true, false] {
            let answer = raw_upload(app, &ana, &path(&order, Uuid::now_v7()), announced).await;
            assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
            assert!(answer.contains("too_large"), "{answer}");
        }
    })
    .await;
}

/// Sends up to 20 MB as a client that reads the answer only when it has to.
async fn raw_upload(app: &TestApp, by: &TestCourier, path: &str, announced: bool) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut tcp = tokio::net::TcpStream::connect(app.address).await.expect("the server accepts");
    let length = if announced { "content-length: 20000000" } else { "transfer-encoding: chunked" };
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: image/jpeg\r\n{length}\r\n\r\n",
        app.address, by.device_token
    );
    tcp.write_all(head.as_bytes()).await.expect("the server reads");
    let chunk = vec![0xff_u8; 100_000];
    for _ in 0..200 {
        let framed = if announced { chunk.clone() } else { [b"186a0\r\n".as_slice(), &chunk, b"\r\n"].concat() };
        // The server may stop reading once it has seen enough; then its answer is there.
        if tcp.write_all(&framed).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4_096];
    while let Ok(read) = tcp.read(&mut buffer).await {
        answer.extend_from_slice(&buffer[..read]);
        if read == 0 || String::from_utf8_lossy(&answer).contains('}') {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Announces a photo of which only the first byte comes.
async fn stalled_upload(app: &TestApp, by: &TestCourier, path: &str) -> tokio::net::TcpStream {
    use tokio::io::AsyncWriteExt;
    let mut tcp = tokio::net::TcpStream::connect(app.address).await.expect("the server accepts");
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: image/jpeg\r\ncontent-length: 1000\r\n\r\nx",
        app.address, by.device_token
    );
    tcp.write_all(head.as_bytes()).await.expect("the server reads");
    tcp
}

#[tokio::test(flavor = "multi_thread")]
async fn one_phone_cannot_take_every_place_for_photos() {
    use tokio::io::AsyncReadExt;
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let (anas, _) = at_the_door(app, &ana, json!(["photo"])).await;
        let (bens, digits) = at_the_door(app, &ben, json!(["photo", "pin"])).await;
        let mut refused = stalled_upload(app, &ana, &path(&bens, Uuid::now_v7())).await;
        let mut answer = [0; 12];
        within("the answer before the photo", refused.read_exact(&mut answer)).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 404", "another courier's order takes no slot");
        let mut stalled = Vec::new();
        for order in [&bens, &bens] {
            stalled.push(stalled_upload(app, &ben, &path(order, Uuid::now_v7())).await);
        }
        eventually("both places being taken", async || app.state().uploads.taken() == 2).await;
        let third = send_photo(app, &ben, &bens, Uuid::now_v7(), photo()).await;
        assert!(third.header("retry-after").parse::<u32>().is_ok());
        third.expect_problem(503, "unavailable");
        let digits = digits.expect("a PIN");
        send(app, &ben, &bens, Uuid::now_v7(), &pin(&digits)).await.expect(201);
        send_photo(app, &ana, &anas, Uuid::now_v7(), photo()).await.expect(201);
        drop(stalled);
        eventually("the places being free", async || app.state().uploads.taken() == 0).await;
        send_photo(app, &ben, &bens, Uuid::now_v7(), photo()).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_pins_close_the_door_for_a_while_and_leave_nothing_behind() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, digits) = at_the_door(app, &ana, json!(["pin"])).await;
        let digits = digits.expect("a PIN");
        for _ in 0..5 {
            let problem = send(app, &ana, &order, Uuid::now_v7(), &pin(&another(&digits))).await;
            assert_eq!(problem.expect_problem(409, "wrong_pin")["detail"], "the PIN for order A-1042 is not right");
        }
        let locked = send(app, &ana, &order, Uuid::now_v7(), &pin(&digits)).await;
        let wait_s: u32 = locked.header("retry-after").parse().expect("how long to wait");
        assert!((1..=15 * 60 + 1).contains(&wait_s), "{wait_s}");
        locked.expect_problem(429, "too_many_attempts");
        let stored: i64 = sqlx::query_scalar("select count(*) from proofs").fetch_one(&app.db).await.expect("a count");
        assert_eq!(stored, 0);
        sqlx::query("update orders set pin_tried_from = pin_tried_from - interval '16 minutes'")
            .execute(&app.db)
            .await
            .expect("time passes");
        send(app, &ana, &order, Uuid::now_v7(), &pin(&digits)).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_at_the_same_time_are_all_counted() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, digits) = at_the_door(app, &ana, json!(["pin"])).await;
        let wrong = pin(&another(&digits.expect("a PIN")));
        let tries = (0..12).map(|_| send(app, &ana, &order, Uuid::now_v7(), &wrong));
        let answers = futures_util::future::join_all(tries).await;
        let compared = answers.iter().filter(|answer| answer.status == 409).count();
        let locked = answers.iter().filter(|answer| answer.status == 429).count();
        assert_eq!((compared, locked), (5, 7));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_alone_does_not_know_the_pin_but_the_customers_page_shows_it() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, digits) = at_the_door(app, &ana, json!(["pin"])).await;
        let digits = digits.expect("a PIN");
        let row: String =
            sqlx::query_scalar("select orders::text from orders").fetch_one(&app.db).await.expect("a row");
        let hash = row.find("$argon2id$").expect("a slow hash");
        let other: String = [&row[..hash], row[hash..].split(',').skip(1).collect::<String>().as_str()].concat();
        assert!(!other.contains(&format!(",{digits},")) && !row.contains(&order.token), "{row}");
        let page = Answer::to(app.bare(Method::GET, &format!("/t/{}", order.token))).await;
        assert_eq!(page.status, 200);
        let again = app.post("/api/v1/orders", &order_body("A-1043")).await.expect(201);
        assert_eq!(again.get("delivery_pin"), None, "an order that asks for none has none");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_callers_who_may_see_the_order_see_a_proof() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let (order, _) = at_the_door(app, &ana, json!([])).await;
        let strokes = json!([[[0.1, 0.2], [0.6, 0.8]]]);
        let signature = json!({ "kind": "signature", "name": "Kim <b>", "strokes": strokes, "taken_ms": 1 });
        let id = Uuid::now_v7();
        send(app, &ben, &order, id, &signature).await.expect_problem(404, "not_found");
        send(app, &ana, &order, id, &signature).await.expect(201);
        let of_order = format!("/api/v1/orders/{}/proofs/{id}/image", order.id);
        let of_track = format!("/api/v1/track/{}/proofs/{id}/image", order.token);
        let of_courier = format!("{}/image", path(&order, id));
        let seen = app.get(&of_order).await;
        assert_eq!((seen.status.as_u16(), seen.header("content-type")), (200, "image/svg+xml"));
        assert_eq!(seen.header("cache-control"), "private, no-store");
        assert!(seen.header("content-security-policy").contains("sandbox"));
        assert!(!seen.text().contains("Kim"), "the picture holds strokes alone");
        let by = |courier: &TestCourier| app.bare(Method::GET, &of_courier).bearer_auth(&courier.device_token);
        assert_eq!(Answer::to(by(&ana)).await.status, 200);
        Answer::to(by(&ben)).await.expect_problem(404, "not_found");
        Answer::to(app.bare(Method::GET, &of_order)).await.expect_problem(401, "unauthorized");
        let ana_as_key = app.bare(Method::GET, &of_order).bearer_auth(&ana.device_token);
        Answer::to(ana_as_key).await.expect_problem(401, "unauthorized");
        // The customer sees it once their order is over.
        Answer::to(app.bare(Method::GET, &of_track)).await.expect_problem(404, "not_found");
        app.set_status(&order, "delivered").await;
        assert_eq!(Answer::to(app.bare(Method::GET, &of_track)).await.status, 200);
        let other = app.order("A-1043").await;
        let elsewhere = format!("/api/v1/track/{}/proofs/{id}/image", other.token);
        Answer::to(app.bare(Method::GET, &elsewhere)).await.expect_problem(404, "not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_taken_only_at_the_door_or_shortly_after() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let early = send_photo(app, &ana, &order, Uuid::now_v7(), photo()).await;
        assert_eq!(
            early.expect_problem(409, "not_at_the_door")["detail"],
            "order A-1042 takes no proof now: it is assigned"
        );
        for status in ["picked_up", "at_dropoff", "delivered"] {
            app.set_status(&order, status).await;
            send_photo(app, &ana, &order, Uuid::now_v7(), photo()).await.expect(201);
        }
        sqlx::query("update orders set status_at = status_at - interval '16 minutes'")
            .execute(&app.db)
            .await
            .expect("time passes");
        send_photo(app, &ana, &order, Uuid::now_v7(), photo()).await.expect_problem(409, "not_at_the_door");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_body_makes_a_server_error() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, _) = at_the_door(app, &ana, json!(["pin"])).await;
        let mut runner = TestRunner::deterministic();
        let bodies = vec(any::<u8>(), 0..300);
        for round in 0..60 {
            let mut bytes = bodies.new_tree(&mut runner).expect("a body").current();
            if round % 3 == 0 {
                bytes = [&photo()[..round], &bytes].concat();
            }
            for kind in ["image/jpeg", "image/svg+xml", "application/json", "text/html"] {
                let request = app.bare(Method::PUT, &path(&order, Uuid::now_v7())).bearer_auth(&ana.device_token);
                let answer = Answer::to(request.header("content-type", kind).body(bytes.clone())).await;
                assert!(answer.status.is_client_error(), "{kind} {bytes:?}: {}", answer.text());
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_proofs_and_leftover_pictures_are_forgotten() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, _) = at_the_door(app, &ana, json!([])).await;
        send_photo(app, &ana, &order, Uuid::now_v7(), photo()).await.expect(201);
        let proofs = &app.state().proofs;
        let (before, after) = (chrono::Utc::now() - chrono::TimeDelta::days(1), chrono::Utc::now());
        proofs.forget(before).await.expect("housekeeping works");
        assert_eq!(walk(&app.data_dir().join("proofs")).len(), 1, "it is new");
        proofs.forget(after + chrono::TimeDelta::seconds(1)).await.expect("housekeeping works");
        assert!(walk(&app.data_dir().join("proofs")).is_empty());
        let shown = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!(shown["proofs"], json!([]));
    })
    .await;
}
