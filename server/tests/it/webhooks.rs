//! What happens is told to other servers: signed, in order, at least once, and never later because another server is slow.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    time::Duration,
};

use doorstep_server::{platform::clock::ManualClock, store::access::Role};
use doorstep_shared::OrderId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Database, Receiver, Reply, TO_THIS_MACHINE, TestApp, TestOrder, eventually, order_body, text,
    with_manual_clock_and, with_settings, with_two_servers,
};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Adds an endpoint; its id and secret.
async fn hook(app: &TestApp, receiver: &Receiver, events: &[&str]) -> (String, String) {
    let body = json!({ "url": receiver.url(), "events": events });
    let created = app.post("/api/v1/webhooks", &body).await.expect(201);
    (text(&created["id"]), text(&created["secret"]))
}

async fn shown(app: &TestApp, id: &str) -> Value {
    app.get(&format!("/api/v1/webhooks/{id}")).await.expect(200)
}

/// The tries, the oldest first.
async fn attempts(app: &TestApp, id: &str) -> Vec<Value> {
    let page = app.get(&format!("/api/v1/webhooks/{id}/attempts?limit=1000")).await.expect(200);
    page["items"].as_array().expect("items").iter().rev().cloned().collect()
}

/// Waits until so many tries are in the log.
async fn tries(app: &TestApp, id: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{count} tries"), async || attempts(app, id).await.len() >= count).await;
    attempts(app, id).await
}

async fn resend(app: &TestApp, id: &str, what: Value) -> Answer {
    app.post(&format!("/api/v1/webhooks/{id}/resend"), &what).await
}

async fn events_written(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from outbox_events").fetch_one(&app.db).await.expect("events can be counted")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_an_order_is_told_signed_and_in_order() {
    with_settings(&TO_THIS_MACHINE, async |app| {
        let receiver = Receiver::start();
        let (_, secret) = hook(app, &receiver, &["order.*"]).await;
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        app.set_status(&order, "picked_up").await;
        let refused = json!({ "status": "at_pickup" });
        app.post(&format!("/api/v1/orders/{}/status", order.id), &refused)
            .await
            .expect_problem(409, "invalid_transition");
        app.set_status(&order, "at_dropoff").await;
        app.set_status(&order, "delivered").await;
        let told =
            ["created", "assigned", "next", "picked_up", "at_dropoff", "delivered"].map(|what| format!("order.{what}"));
        let messages = receiver.has(told.len()).await;
        assert_eq!(receiver.kinds(), told);
        let versions: Vec<_> = messages.iter().map(|it| it.json()["data"]["version"].as_u64().expect("one")).collect();
        assert!(versions.is_sorted() && versions[0] == 1 && versions[5] == 5, "{versions:?}");
        let ids: BTreeSet<_> = messages.iter().map(|message| message.id().to_owned()).collect();
        assert_eq!(ids.len(), told.len(), "each has an id of its own");
        for message in &messages {
            message.verify(&secret).expect("it is signed");
            assert!(message.verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_err(), "by this secret alone");
            let (body, data) = (message.json(), message.json()["data"].clone());
            assert_eq!((&data["id"], &data["reference"]), (&json!(order.id), &json!("A-1")), "{body}");
            assert!(text(&body["timestamp"]).ends_with('Z'), "{body}");
            assert_eq!(data["customer"], json!({ "name": "Eve" }), "no number and no address");
        }
        assert_eq!(messages[1].json()["data"]["courier_id"], json!(ana.id));
        // The courier is new, and shares no position yet; the refused change wrote nothing.
        assert_eq!(events_written(app).await, told.len() as i64);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_number_goes_only_where_it_was_asked_for() {
    with_settings(&TO_THIS_MACHINE, async |app| {
        let (plain, personal) = (Receiver::start(), Receiver::start());
        hook(app, &plain, &["order.created"]).await;
        let body = json!({ "url": personal.url(), "events": ["order.created"], "personal": true });
        app.post("/api/v1/webhooks", &body).await.expect(201);
        app.order("A-1").await;
        let (plain, personal) = (plain.has(1).await.remove(0), personal.has(1).await.remove(0));
        assert_eq!(plain.id(), personal.id(), "it is one event");
        assert_eq!(plain.json()["data"]["customer"], json!({ "name": "Eve" }));
        let whole = json!({ "name": "Eve", "phone": "+356 2122 0000", "email": "eve@example.com" });
        assert_eq!(personal.json()["data"]["customer"], whole);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_gets_what_it_asks_for_and_nothing_else() {
    with_manual_clock_and(&TO_THIS_MACHINE, async |app, hand| {
        let (ends, courier, exceptions, all) =
            (Receiver::start(), Receiver::start(), Receiver::start(), Receiver::start());
        hook(app, &ends, &["order.cancelled", "order.late"]).await;
        hook(app, &courier, &["courier.presence"]).await;
        hook(app, &exceptions, &["exception.*"]).await;
        hook(app, &all, &["*"]).await;
        let order = late_order(app, hand).await;
        app.state().exceptions.make_round().await.expect("the database is there");
        app.set_status(&order, "cancelled").await;
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        phone.send(&json!({ "type": "presence", "state": "off_duty", "time_ms": app.state().clock.now_ms() })).await;
        let everything = [
            "order.created",
            "order.late",
            "exception.opened",
            "order.cancelled",
            "exception.closed",
            "courier.presence",
        ];
        all.has(everything.len()).await;
        let of_all: BTreeSet<_> = all.kinds().into_iter().collect();
        assert_eq!(of_all, everything.map(str::to_owned).into());
        let of_the_order: Vec<_> = all.kinds().into_iter().filter(|kind| kind != "courier.presence").collect();
        assert_eq!(of_the_order, everything[..5], "in the order in which they happened");
        exceptions.has(2).await;
        assert_eq!(exceptions.kinds(), ["exception.opened", "exception.closed"]);
        let [opened, closed] = &exceptions.messages()[..] else { panic!("two") };
        let (opened, closed) = (&opened.json()["data"], &closed.json()["data"]);
        assert_eq!((&opened["code"], &opened["order_id"]), (&json!("late"), &json!(order.id)), "{opened}");
        assert_eq!((&closed["id"], &closed["version"]), (&opened["id"], &json!(2)), "{closed}");
        ends.has(2).await;
        assert_eq!(ends.kinds(), ["order.late", "order.cancelled"]);
        let said = courier.has(1).await[0].json()["data"].clone();
        let of_courier = (&said["courier_id"], &said["name"], &said["state"]);
        assert_eq!(of_courier, (&json!(ana.id), &json!("Ana"), &json!("off_duty")), "{said}");
    })
    .await;
}

/// An order whose promise has passed.
async fn late_order(app: &TestApp, hand: &ManualClock) -> TestOrder {
    let until = app.state().clock.now() + chrono::TimeDelta::minutes(30);
    let mut body = order_body("A-1");
    body["promised_until"] = json!(until);
    let created = app.post("/api/v1/orders", &body).await.expect(201);
    hand.advance(HOUR_MS);
    TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_near_the_door_is_told_once_for_an_attempt() {
    with_settings(&TO_THIS_MACHINE, async |app| {
        let receiver = Receiver::start();
        hook(app, &receiver, &["order.approaching"]).await;
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let id: OrderId = order.id.parse().expect("an id");
        let tell = async |attempt| {
            let now = app.state().clock.now();
            app.state().store.tell_approaching(id, attempt, now).await.expect("the database is there");
        };
        tell(1).await;
        app.set_status(&order, "picked_up").await;
        tell(2).await;
        tell(1).await;
        tell(1).await;
        app.set_status(&order, "failed").await;
        let again = json!({});
        app.post(&format!("/api/v1/orders/{}/attempts", order.id), &again).await.expect(200);
        app.set_status(&order, "picked_up").await;
        tell(2).await;
        let messages = receiver.has(2).await;
        let told: Vec<_> = messages.iter().map(|message| message.json()["data"]["attempt"].clone()).collect();
        assert_eq!(told, [json!(1), json!(2)], "not before it is on its way, not of another attempt, and once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_comes_again_with_its_id_and_holds_back_only_its_order() {
    with_manual_clock_and(&TO_THIS_MACHINE, async |app, hand| {
        let refuses = Arc::new(AtomicBool::new(true));
        let refusing = Arc::clone(&refuses);
        let receiver = Receiver::answering(move |message| {
            let is_refused = refusing.load(Ordering::Relaxed) && message.reference() == "A-1";
            Reply::status(if is_refused { 500 } else { 200 })
        });
        let (id, _) = hook(app, &receiver, &["order.*"]).await;
        let first = app.order("A-1").await;
        tries(app, &id, 1).await;
        app.set_status(&first, "cancelled").await;
        app.order("B-1").await;
        let so_far = tries(app, &id, 2).await;
        let of_first = &so_far[0];
        assert_eq!((&of_first["outcome"], &of_first["status"]), (&json!("refused"), &json!(500)), "{of_first}");
        let time = |value: &Value| text(value).parse::<chrono::DateTime<chrono::Utc>>().expect("a time");
        let wait_ms = (time(&of_first["next_at"]) - time(&of_first["at"])).num_milliseconds();
        assert!((4_500..=5_500).contains(&wait_ms), "5 s and a tenth: {wait_ms}");
        let references: Vec<_> = receiver.messages().iter().map(|message| message.reference()).collect();
        assert_eq!(references, ["A-1", "B-1"], "the other order's message waits for nothing");
        refuses.store(false, Ordering::Relaxed);
        hand.advance(6 * SECOND_MS);
        let messages = receiver.has(4).await;
        let last: Vec<_> = messages[2..].iter().map(|message| (message.reference(), message.kind())).collect();
        let kinds = ["order.created", "order.cancelled"].map(|kind| ("A-1".to_owned(), kind.to_owned()));
        assert_eq!(last, kinds, "first what came first");
        assert_eq!((messages[2].id(), &messages[2].body), (messages[0].id(), &messages[0].body), "it is the same");
        let log = tries(app, &id, 4).await;
        let of_created: Vec<_> = log.iter().filter(|it| it["event_id"] == of_first["event_id"]).collect();
        assert_eq!((&of_created[1]["try"], &of_created[1]["outcome"]), (&json!(2), &json!("delivered")));
        assert!(of_created[1].get("next_at").is_none(), "{:?}", of_created[1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_answers_slowly_holds_up_no_other() {
    with_settings(&TO_THIS_MACHINE, async |app| {
        let slow = Receiver::answering(|_| Reply { after: Duration::from_secs(12), ..Reply::status(200) });
        let fast = Receiver::start();
        let (slow_id, _) = hook(app, &slow, &["order.created"]).await;
        let (fast_id, _) = hook(app, &fast, &["order.created"]).await;
        // More than an endpoint has places for tries.
        let orders: Vec<_> = (0..100).map(|number| order_body(&format!("A-{number}"))).collect();
        for body in &orders {
            app.post("/api/v1/orders", body).await.expect(201);
        }
        fast.has(orders.len()).await;
        tries(app, &fast_id, orders.len()).await;
        assert_eq!(attempts(app, &slow_id).await, Vec::<Value>::new(), "and the slow one has answered nothing yet");
        assert_eq!(slow.has(64).await.len(), 64, "no more than its places");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_gets_nothing_until_it_is_enabled_and_caught_up() {
    with_settings(&TO_THIS_MACHINE, async |app| {
        let status = Arc::new(AtomicU16::new(410));
        let answer = Arc::clone(&status);
        let receiver = Receiver::answering(move |_| Reply::status(answer.load(Ordering::Relaxed)));
        let (id, _) = hook(app, &receiver, &["order.*"]).await;
        let before = chrono::Utc::now() - chrono::TimeDelta::minutes(1);
        let order = app.order("A-1").await;
        eventually("being disabled", async || shown(app, &id).await["disabled_reason"] == "gone").await;
        app.set_status(&order, "cancelled").await;
        let disabled = shown(app, &id).await;
        assert_eq!(disabled["waiting"], 0, "{disabled}");
        assert!(disabled["disabled_at"].is_string(), "{disabled}");
        resend(app, &id, json!({ "since": before })).await.expect_problem(409, "webhook_disabled");
        status.store(200, Ordering::Relaxed);
        let enabled = app.post(&format!("/api/v1/webhooks/{id}/enable"), &json!({})).await.expect(200);
        assert!(enabled.get("disabled_at").is_none() && enabled.get("disabled_reason").is_none(), "{enabled}");
        let queued = resend(app, &id, json!({ "since": before })).await.expect(202);
        assert_eq!(queued["queued"], 2);
        let messages = receiver.has(3).await;
        assert_eq!(messages[0].id(), messages[1].id(), "the first one again, under its id");
        assert_eq!(receiver.kinds()[1..], ["order.created", "order.cancelled"]);
        let event = json!({ "event_id": messages[2].id() });
        assert_eq!(resend(app, &id, event).await.expect(202)["queued"], 1);
        assert_eq!(receiver.has(4).await[3].id(), messages[2].id());
        let unknown = json!({ "event_id": "0192a000-0000-7000-8000-000000000001" });
        resend(app, &id, unknown).await.expect_problem(404, "not_found");
        resend(app, &id, json!({})).await.expect_problem(400, "bad_request");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_tries_are_made_and_five_days_without_success_disable() {
    with_manual_clock_and(&TO_THIS_MACHINE, async |app, hand| {
        let receiver = Receiver::answering(|_| Reply::status(503));
        let (id, _) = hook(app, &receiver, &["order.*"]).await;
        app.order("A-1").await;
        // Each wait with a tenth on top, and a little.
        let waits = [6 * SECOND_MS, 6 * MINUTE_MS, 34 * MINUTE_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS];
        let longer = [16 * HOUR_MS, 23 * HOUR_MS, 27 * HOUR_MS];
        for (done, wait_ms) in waits.into_iter().chain(longer).enumerate() {
            tries(app, &id, done + 1).await;
            hand.advance(wait_ms);
        }
        let log = tries(app, &id, 10).await;
        assert!(log[9].get("next_at").is_none(), "it is given up: {}", log[9]);
        let failing = shown(app, &id).await;
        assert_eq!((&failing["waiting"], &failing["failing_since"]), (&json!(0), &log[0]["at"]), "{failing}");
        assert!(failing.get("disabled_at").is_none(), "four days only: {failing}");
        hand.advance(5 * 24 * HOUR_MS);
        app.order("A-2").await;
        eventually("being disabled", async || shown(app, &id).await["disabled_reason"] == "failing").await;
        assert_eq!(attempts(app, &id).await.len(), 11);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_in_between_begins_the_five_days_anew() {
    with_manual_clock_and(&TO_THIS_MACHINE, async |app, hand| {
        let status = Arc::new(AtomicU16::new(500));
        let answer = Arc::clone(&status);
        let receiver = Receiver::answering(move |_| Reply::status(answer.load(Ordering::Relaxed)));
        let (id, _) = hook(app, &receiver, &["order.created"]).await;
        for (done, status_then) in [500, 200, 500].into_iter().enumerate() {
            status.store(status_then, Ordering::Relaxed);
            app.order(&format!("A-{done}")).await;
            // The ones that failed come again, too.
            eventually("a try", async || receiver.messages().iter().any(|it| it.reference() == format!("A-{done}")))
                .await;
            eventually("being written down", async || {
                shown(app, &id).await.get("failing_since").is_some() == (status_then == 500)
            })
            .await;
            hand.advance(4 * 24 * HOUR_MS);
        }
        assert!(shown(app, &id).await.get("disabled_at").is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_asks_for_time_is_left_alone_as_a_whole() {
    with_manual_clock_and(&TO_THIS_MACHINE, async |app, hand| {
        let is_busy = Arc::new(AtomicBool::new(true));
        let busy = Arc::clone(&is_busy);
        let receiver = Receiver::answering(move |_| match busy.load(Ordering::Relaxed) {
            true => Reply { header: Some(("retry-after", "600".to_owned())), ..Reply::status(429) },
            false => Reply::status(200),
        });
        let (id, _) = hook(app, &receiver, &["order.created"]).await;
        app.order("A-1").await;
        tries(app, &id, 1).await;
        is_busy.store(false, Ordering::Relaxed);
        app.order("B-1").await;
        hand.advance(599 * SECOND_MS);
        let held = shown(app, &id).await;
        assert!(held["held_until"].is_string() && held["waiting"] == 2, "{held}");
        // A test goes past the lane, so it is answered after what the worker would have done by now.
        app.post(&format!("/api/v1/webhooks/{id}/test"), &json!({})).await.expect(200);
        assert_eq!(receiver.kinds(), ["order.created", "webhook.test"]);
        hand.advance(2 * SECOND_MS);
        let messages = receiver.has(4).await;
        let references: BTreeSet<_> = messages[2..].iter().map(|message| message.reference()).collect();
        assert_eq!(references, ["A-1".to_owned(), "B-1".to_owned()].into());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_elsewhere() {
    with_settings(&TO_THIS_MACHINE, async |app| {
        let elsewhere = Receiver::start();
        let location = elsewhere.url();
        let receiver =
            Receiver::answering(move |_| Reply { header: Some(("location", location.clone())), ..Reply::status(307) });
        let (id, _) = hook(app, &receiver, &["order.created"]).await;
        app.order("A-1").await;
        let log = tries(app, &id, 1).await;
        assert_eq!((&log[0]["outcome"], &log[0]["status"]), (&json!("redirected"), &json!(307)), "{:?}", log[0]);
        assert!(elsewhere.messages().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_inside_is_not_reached_whoever_wrote_it_down() {
    with_settings(&[], async |app| {
        let receiver = Receiver::start();
        let url = format!("https://localhost:{}/", receiver.address.port());
        for url in [receiver.url(), url, format!("https://[::ffff:127.0.0.1]:{}/", receiver.address.port())] {
            let insert = "insert into webhooks (id, url, events, personal, secret, created_at, created_by) \
                values (gen_random_uuid(), $1, array['order.created'], false, $2, now(), 'key:nobody') returning id::text";
            let insert = sqlx::query_scalar::<_, String>(insert).bind(url).bind([7_u8; 32].as_slice());
            let id = insert.fetch_one(&app.db).await.expect("it can be kept");
            app.order("A-1").await;
            let log = tries(app, &id, 1).await;
            assert_eq!(log[0]["outcome"], "blocked", "{:?}", log[0]);
            assert!(log[0].get("status").is_none());
        }
        assert!(receiver.messages().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_one_sends_each_message() {
    with_two_servers(&TO_THIS_MACHINE, async |a, b| {
        let receiver = Receiver::start();
        let (id, _) = hook(a, &receiver, &["order.*"]).await;
        let orders = 40;
        for number in 0..orders {
            let app = if number % 2 == 0 { a } else { b };
            let order = app.order(&format!("A-{number}")).await;
            app.set_status(&order, "cancelled").await;
        }
        receiver.has(2 * orders).await;
        eventually("an empty lane", async || shown(a, &id).await["waiting"] == 0).await;
        let messages = receiver.messages();
        let ids: BTreeSet<_> = messages.iter().map(|message| message.id().to_owned()).collect();
        assert_eq!((messages.len(), ids.len()), (2 * orders, 2 * orders), "none twice");
        let mut of_each: HashMap<String, Vec<String>> = HashMap::new();
        messages.iter().for_each(|message| of_each.entry(message.reference()).or_default().push(message.kind()));
        assert!(of_each.values().all(|kinds| kinds[..] == ["order.created", "order.cancelled"]), "{of_each:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_server_had_claimed_is_sent_when_its_lease_ends() {
    with_manual_clock_and(&TO_THIS_MACHINE, async |app, hand| {
        let receiver = Receiver::start();
        let (id, _) = hook(app, &receiver, &["order.*"]).await;
        // The living server looks away while another one claims, and dies.
        let now = app.state().clock.now();
        let away = "update webhooks set held_until = $1";
        let later = now + chrono::TimeDelta::hours(1);
        sqlx::query(away).bind(later).execute(&app.db).await.expect("it can be held");
        let order = app.order("A-1").await;
        app.set_status(&order, "cancelled").await;
        let claim = async || {
            let claimed = app.state().store.claim_deliveries(64, &HashMap::new(), later).await;
            claimed.expect("the database is there")
        };
        let claimed: Vec<_> = claim().await.into_iter().map(|claimed| (claimed.kind, claimed.number)).collect();
        assert_eq!(claimed, [("order.created".to_owned(), 1)], "the first of the order and no other");
        assert!(claim().await.is_empty(), "it is taken");
        hand.advance(HOUR_MS + 44 * SECOND_MS);
        let waiting = shown(app, &id).await;
        assert_eq!((&waiting["waiting"], receiver.messages().len()), (&json!(2), 0), "it may be on its way still");
        hand.advance(2 * SECOND_MS);
        receiver.has(2).await;
        assert_eq!(receiver.kinds(), ["order.created", "order.cancelled"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_leaves_its_messages_to_the_next_one() {
    let hangs = Arc::new(AtomicBool::new(true));
    let hanging = Arc::clone(&hangs);
    let receiver = Receiver::answering(move |_| match hanging.load(Ordering::Relaxed) {
        true => Reply { after: Duration::from_secs(60), ..Reply::status(200) },
        false => Reply::status(200),
    });
    let database = Database::create().await;
    let first = TestApp::start(&database, &TO_THIS_MACHINE).await;
    let (id, _) = hook(&first, &receiver, &["order.created"]).await;
    first.order("A-1").await;
    receiver.has(1).await;
    first.stop().await;
    hangs.store(false, Ordering::Relaxed);
    let began = std::time::Instant::now();
    let second = TestApp::start(&database, &TO_THIS_MACHINE).await;
    let messages = receiver.has(2).await;
    assert!(began.elapsed() < Duration::from_secs(30), "it need not wait for a lease of 45 s");
    assert_eq!(messages[0].id(), messages[1].id());
    let log = tries(&second, &id, 1).await;
    assert_eq!((log.len(), &log[0]["try"]), (1, &json!(1)), "what was broken off is no try: {log:?}");
    second.stop().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_former_secret_signs_for_a_day_besides_the_new_one() {
    with_manual_clock_and(&TO_THIS_MACHINE, async |app, hand| {
        let receiver = Receiver::start();
        let (id, former) = hook(app, &receiver, &["order.created"]).await;
        let rotated = app.post(&format!("/api/v1/webhooks/{id}/rotate"), &json!({})).await.expect(200);
        let new = text(&rotated["secret"]);
        assert_ne!(new, former);
        app.order("A-1").await;
        let message = receiver.has(1).await.remove(0);
        message.verify(&former).expect("it signs for a while");
        message.verify(&new).expect("it signs already");
        hand.advance(24 * HOUR_MS + 1);
        app.order("A-2").await;
        let signature = receiver.has(2).await[1].headers["webhook-signature"].clone();
        assert_eq!(signature.to_str().expect("text").split(' ').count(), 1, "by the new one alone");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_tells_each_of_its_orders() {
    with_settings(&TO_THIS_MACHINE, async |app| {
        let receiver = Receiver::start();
        hook(app, &receiver, &["order.created"]).await;
        let lines: String = (0..50).map(|n| format!("S-{n},Kitchen,35.898,14.5125,12 Triq,35.9,14.51,Eve\n")).collect();
        let header =
            "reference,pickup_address,pickup_lat,pickup_lon,dropoff_address,dropoff_lat,dropoff_lon,customer_name\n";
        let file = app.request(Method::POST, "/api/v1/orders/import").header("content-type", "text/csv");
        Answer::to(file.body(format!("{header}{lines}"))).await.expect(201);
        let references: BTreeSet<_> = receiver.has(50).await.iter().map(|message| message.reference()).collect();
        assert_eq!(references.len(), 50);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_past_keeping_is_forgotten_and_what_waits_is_not() {
    with_settings(&TO_THIS_MACHINE, async |app| {
        let taking = Receiver::start();
        let (id, _) = hook(app, &taking, &["order.created"]).await;
        app.order("A-1").await;
        tries(app, &id, 1).await;
        let store = &app.state().store;
        store.forget_outbox(chrono::Utc::now() - chrono::TimeDelta::days(1)).await.expect("the database is there");
        assert_eq!((events_written(app).await, attempts(app, &id).await.len()), (1, 1));
        store.forget_outbox(chrono::Utc::now() + chrono::TimeDelta::days(1)).await.expect("the database is there");
        assert_eq!((events_written(app).await, attempts(app, &id).await.len()), (0, 0));
        let admin = app.person("ada@example.com", Role::Admin).await;
        let kept = Answer::to(app.as_person(&admin, Method::GET, "/api/v1/webhooks")).await.expect(200);
        assert_eq!(kept["items"][0]["id"], json!(id), "the webhook itself is kept");
    })
    .await;
}
