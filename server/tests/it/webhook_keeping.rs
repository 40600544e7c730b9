//! Webhooks' endpoints over REST: what may be asked for, and that a secret is shown once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Receiver, TO_THIS_MACHINE, TestApp, text, with_app, with_settings};

const PATH: &str = "/api/v1/webhooks";

fn body(url: &str) -> Value {
    json!({ "url": url, "events": ["order.*"] })
}

async fn patched(app: &TestApp, id: &str, changes: Value) -> Answer {
    Answer::to(app.request(Method::PATCH, &format!("{PATH}/{id}")).json(&changes)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_added_shown_changed_and_removed_and_its_secret_shown_once() {
    with_app(async |app| {
        let wanted = json!({
            "url": "https://93.184.216.34:443/hooks?shop=1", "events": ["order.delivered", "exception.*"],
            "description": " The shop ", "personal": true,
        });
        let created = app.post(PATH, &wanted).await.expect(201);
        let (id, secret) = (text(&created["id"]), text(&created["secret"]));
        assert!(secret.starts_with("whsec_") && secret.len() == 50, "32 bytes: {secret}");
        let shown = app.get(&format!("{PATH}/{id}")).await;
        assert!(!shown.text().contains(&secret), "once");
        let shown = shown.expect(200);
        assert_eq!(shown["url"], "https://93.184.216.34/hooks?shop=1", "as a URL is written");
        assert_eq!(shown["events"], json!(["order.delivered", "exception.*"]));
        assert_eq!((&shown["description"], &shown["personal"]), (&json!("The shop"), &json!(true)));
        assert_eq!((&shown["waiting"], shown.get("failing_since")), (&json!(0), None));
        let listed = app.get(PATH).await.expect(200);
        assert_eq!(listed["items"], json!([shown]));
        let changed = patched(app, &id, json!({ "description": null, "events": ["*"] })).await.expect(200);
        assert_eq!((changed.get("description"), &changed["events"]), (None, &json!(["*"])));
        assert_eq!((&changed["url"], &changed["personal"]), (&shown["url"], &json!(true)), "the rest stays");
        let delete = async || Answer::to(app.request(Method::DELETE, &format!("{PATH}/{id}"))).await;
        assert_eq!(delete().await.status, 204);
        delete().await.expect_problem(404, "not_found");
        for path in ["", "/attempts"] {
            app.get(&format!("{PATH}/{id}{path}")).await.expect_problem(404, "not_found");
        }
        for call in ["test", "rotate", "enable"] {
            app.post(&format!("{PATH}/{id}/{call}"), &json!({})).await.expect_problem(404, "not_found");
        }
        assert_eq!(app.get(PATH).await.expect(200)["items"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_may_be_sent_into_the_operators_network() {
    with_app(async |app| {
        let created = app.post(PATH, &body("https://93.184.216.34/")).await.expect(201);
        let id = text(&created["id"]);
        for url in [
            "http://93.184.216.34/",
            "https://127.0.0.1/",
            "https://localhost:8080/",
            "https://localhost./",
            "https://shop.localhost/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://10.0.0.1/",
            "https://172.20.0.1/",
            "https://192.168.0.10/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://0.0.0.0/",
            "https://user:secret@93.184.216.34/",
            "https://93.184.216.34/#part",
            "ftp://93.184.216.34/",
            "file:///etc/passwd",
            "93.184.216.34",
            "",
        ] {
            let refused = app.post(PATH, &body(url)).await;
            assert_eq!(refused.status, 422, "{url}");
            let refused = refused.expect_problem(422, "invalid_fields");
            assert!(refused["details"]["fields"]["url"].is_string(), "{url}: {refused}");
            patched(app, &id, json!({ "url": url })).await.expect_problem(422, "invalid_fields");
        }
        let kept = app.get(PATH).await.expect(200);
        assert_eq!(kept["items"].as_array().map(Vec::len), Some(1), "{kept}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_wish_of_a_webhook_is_refused_by_field() {
    with_app(async |app| {
        let long = "x".repeat(201);
        for (field, value) in [
            ("events", json!([])),
            ("events", json!(["order.lost"])),
            ("events", json!(["webhook.test"])),
            ("events", json!(vec!["*"; 51])),
            ("description", json!(long)),
            ("description", json!("a\u{7}b")),
            ("url", json!(format!("https://93.184.216.34/{}", "x".repeat(2_000)))),
        ] {
            let mut wanted = body("https://93.184.216.34/");
            wanted[field] = value;
            let refused = app.post(PATH, &wanted).await.expect_problem(422, "invalid_fields");
            assert!(refused["details"]["fields"][field].is_string(), "{refused}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_keeps_so_many_webhooks_and_no_more() {
    with_app(async |app| {
        for _ in 0..32 {
            app.post(PATH, &body("https://93.184.216.34/")).await.expect(201);
        }
        app.post(PATH, &body("https://93.184.216.34/")).await.expect_problem(409, "too_many_webhooks");
        let id = text(&app.get(PATH).await.expect(200)["items"][0]["id"]);
        Answer::to(app.request(Method::DELETE, &format!("{PATH}/{id}"))).await;
        app.post(PATH, &body("https://93.184.216.34/")).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_adds_one_webhook_and_shows_its_secret_again() {
    with_app(async |app| {
        let add = async || {
            let request = app.request(Method::POST, PATH).header("idempotency-key", "one");
            Answer::to(request.json(&body("https://93.184.216.34/"))).await.expect(201)
        };
        assert_eq!(add().await, add().await);
        assert_eq!(app.get(PATH).await.expect(200)["items"].as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_how_it_ended_and_stands_in_the_log() {
    with_settings(&TO_THIS_MACHINE, async |app| {
        let receiver = Receiver::start();
        let created = app.post(PATH, &body(&receiver.url())).await.expect(201);
        let (id, secret) = (text(&created["id"]), text(&created["secret"]));
        let test = async || app.post(&format!("{PATH}/{id}/test"), &json!({})).await.expect(200);
        let well = test().await;
        assert_eq!(
            (&well["outcome"], &well["status"], &well["type"]),
            (&json!("delivered"), &json!(204), &json!("webhook.test"))
        );
        let message = receiver.has(1).await.remove(0);
        message.verify(&secret).expect("it is signed");
        assert_eq!(
            (message.kind().as_str(), message.id()),
            ("webhook.test", well["event_id"].as_str().expect("an id"))
        );
        drop(receiver);
        crate::support::eventually("a closed port", async || test().await["outcome"] == "unreachable").await;
        let log = app.get(&format!("{PATH}/{id}/attempts?limit=1")).await.expect(200);
        assert_eq!(log["items"][0]["outcome"], "unreachable", "{log}");
        let next = text(&log["next_cursor"]);
        let before = app.get(&format!("{PATH}/{id}/attempts?limit=1000&cursor={next}")).await.expect(200);
        assert_eq!(before["items"].as_array().and_then(|items| items.last()), Some(&well), "the oldest is the last");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_much_waits_can_be_measured() {
    with_app(async |app| {
        let (name, lane) = ("doorstep_outbox_oldest_seconds", r#"{lane="webhook"}"#);
        crate::support::eventually("a measurement", async || {
            let metrics = app.metrics().await;
            metrics.contains(&format!("{name}{lane}")) && metrics.contains(&format!("doorstep_outbox_waiting{lane}"))
        })
        .await;
    })
    .await;
}
