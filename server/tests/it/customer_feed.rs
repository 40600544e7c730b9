//! A customer's live feed: what they see, and above all what they do not see.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{HERE, Socket, TestApp, TestOrder, fix, now_ms, step, with_app, with_settings};

/// Opens the feed and reads its snapshot, which comes first.
async fn watching(app: &TestApp, order: &TestOrder) -> (Socket, Value) {
    let mut page = app.watch(order).await;
    let snapshot = page.message().await;
    assert_eq!(snapshot["type"], "snapshot", "the first message is always a snapshot");
    (page, snapshot)
}

fn kinds(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|message| message["type"].as_str()).collect()
}

fn positions(messages: &[Value]) -> Vec<i64> {
    let positions = messages.iter().filter(|message| message["type"] == "position");
    positions.filter_map(|position| position["time_ms"].as_i64()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_of_a_new_order_has_no_courier_and_no_position() {
    with_app(async |app| {
        let order = app.order("A-1042").await;
        let (_, snapshot) = watching(app, &order).await;
        assert_eq!(snapshot["order"]["reference"], "A-1042");
        assert_eq!(snapshot["order"]["status"], "created");
        assert_eq!(snapshot["order"]["pickup"], json!({ "lat": HERE.0, "lon": HERE.1, "label": "Harbour Kitchen" }));
        assert_eq!(
            snapshot["order"]["dropoff"],
            json!({ "lat": 35.9012, "lon": 14.5160, "label": "12 Triq il-Merkanti" })
        );
        assert_eq!(snapshot["trail"], json!([]));
        for absent in ["courier", "position", "eta"] {
            assert!(snapshot.get(absent).is_none(), "{absent} is left out, not null: {snapshot}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_arrive_as_the_courier_moves() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let (mut page, snapshot) = watching(app, &order).await;
        assert_eq!(snapshot["courier"], json!({ "name": "Ana", "vehicle": "scooter" }));
        let start_ms = now_ms();
        for second in 0..5 {
            let reading = json!({ "time_ms": start_ms + second * 1_000, "lat": 35.898_012_34, "lon": 14.512_567_89, "accuracy_m": 6.0,
                "speed_mps": 4.0, "heading_deg": 182.0, "altitude_m": 12.0, "battery": 0.81 });
            phone.send_fixes(1, &[reading]).await;
            let position = page.expect("position").await;
            let shown = json!({ "type": "position", "time_ms": start_ms + second * 1_000, "lat": 35.898_012, "lon": 14.512_568,
                "accuracy_m": 6.0, "speed_mps": 4.0, "heading_deg": 182.0 });
            assert_eq!(position, shown);
        }
        let (_, late) = watching(app, &order).await;
        assert_eq!(late["position"]["time_ms"], start_ms + 4_000, "who comes later sees the newest at once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_moves_the_marker_once_and_shows_the_way_between() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let (mut page, _) = watching(app, &order).await;
        let start_ms = now_ms() - 30_000;
        let batch: Vec<Value> = (0..100).map(|index| step(start_ms + index * 100, index)).collect();
        phone.report(1, &batch).await;
        let position = page.expect("position").await;
        assert_eq!(position["time_ms"], start_ms + 9_900);
        assert_eq!(position["skipped"].as_array().map(Vec::len), Some(60), "at most 60 points of what was missed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn since_ms_leaves_out_the_part_of_the_trail_that_is_known() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let start_ms = now_ms();
        // A zigzag, so that no point is simplified away.
        let zigzag = |index: i64| {
            fix(start_ms + index * 1_000, HERE.0 + index as f64 * 0.000_2, HERE.1 + (index % 2) as f64 * 0.000_5)
        };
        phone.report(1, &(0..10).map(zigzag).collect::<Vec<_>>()).await;
        let trail_of = async |query: &str| {
            let mut page = Socket::connect(app, &format!("/ws/track/{}{query}", order.token), &[]).await;
            page.message().await["trail"].as_array().expect("a trail").len()
        };
        assert_eq!(trail_of("").await, 10);
        assert_eq!(trail_of(&format!("?since_ms={}", start_ms + 6_000)).await, 3, "strictly newer ones only");
        assert_eq!(trail_of(&format!("?since_ms={}", start_ms + 9_000)).await, 0);
        assert_eq!(trail_of(&format!("?since_ms={}", i64::MAX)).await, 0);
        assert_eq!(trail_of(&format!("?since_ms={}", i64::MIN)).await, 10);
    })
    .await;
}

/// Every field that a customer may ever see. A new one is a decision, to be made here.
const ALLOWED: &[&str] = &[
    "snapshot",
    "snapshot.courier",
    "snapshot.courier.name",
    "snapshot.courier.vehicle",
    "snapshot.eta",
    "snapshot.eta.computed_at_ms",
    "snapshot.eta.coverage",
    "snapshot.eta.earliest_ms",
    "snapshot.eta.expected_ms",
    "snapshot.eta.latest_ms",
    "snapshot.eta.remaining_m",
    "snapshot.eta.why",
    "snapshot.order",
    "snapshot.order.dropoff",
    "snapshot.order.dropoff.label",
    "snapshot.order.dropoff.lat",
    "snapshot.order.dropoff.lon",
    "snapshot.order.pickup",
    "snapshot.order.pickup.label",
    "snapshot.order.pickup.lat",
    "snapshot.order.pickup.lon",
    "snapshot.order.reference",
    "snapshot.order.status",
    "snapshot.order.status_at_ms",
    "snapshot.order.stops_before",
    "snapshot.order.timeline",
    "snapshot.order.timeline.at_ms",
    "snapshot.order.timeline.status",
    "snapshot.position",
    "snapshot.position.accuracy_m",
    "snapshot.position.heading_deg",
    "snapshot.position.lat",
    "snapshot.position.lon",
    "snapshot.position.speed_mps",
    "snapshot.position.time_ms",
    "snapshot.server_time_ms",
    "snapshot.trail",
    "snapshot.type",
    "position",
    "position.accuracy_m",
    "position.heading_deg",
    "position.lat",
    "position.lon",
    "position.skipped",
    "position.speed_mps",
    "position.time_ms",
    "position.type",
    "order",
    "order.status",
    "order.status_at_ms",
    "order.stops_before",
    "order.type",
    "eta",
    "eta.computed_at_ms",
    "eta.coverage",
    "eta.earliest_ms",
    "eta.expected_ms",
    "eta.latest_ms",
    "eta.remaining_m",
    "eta.type",
    "eta.why",
    "presence",
    "presence.reason",
    "presence.since_ms",
    "presence.state",
    "presence.type",
    "ended",
    "ended.at_ms",
    "ended.status",
    "ended.type",
];

fn collect_fields(path: &str, value: &Value, fields: &mut BTreeSet<String>) {
    fields.insert(path.to_owned());
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| collect_fields(&format!("{path}.{name}"), value, fields))
        }
        Value::Array(items) => items.iter().for_each(|item| collect_fields(path, item, fields)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_allowed_fields_ever_reaches_a_customer() {
    with_settings(&["--new-stops=last"], async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let other = app.assigned("B-77", &ana).await;
        let mut phone = app.connect(&ana).await;
        let (mut page, snapshot) = watching(app, &order).await;
        let mut seen = vec![snapshot];
        let start_ms = now_ms();
        let full = |time_ms: i64, index: i64| {
            let mut reading = step(time_ms, index);
            let extra = json!({ "speed_mps": 5.0, "heading_deg": 10.0, "altitude_m": 4.0, "battery": 0.5 });
            reading.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
            reading
        };
        phone.report(1, &[full(start_ms, 0), full(start_ms + 1_000, 1)]).await;
        seen.push(page.expect("eta").await);
        phone
            .send(&json!({ "type": "presence", "state": "paused", "reason": "screen_locked", "time_ms": start_ms }))
            .await;
        seen.push(page.expect("presence").await);
        phone.send(&json!({ "type": "presence", "state": "tracking" })).await;
        phone.report(2, &[full(start_ms + 3_000, 3)]).await;
        phone.report(3, &[full(start_ms + 2_000, 2)]).await;
        seen.push(page.expect("snapshot").await);
        seen.extend(page.everything_so_far().await);
        seen.push(app.get(&format!("/api/v1/track/{}", order.token)).await.expect(200));
        app.set_status(&order, "picked_up").await;
        phone.report(4, &[full(start_ms + 4_000, 4), full(start_ms + 5_000, 5)]).await;
        app.set_status(&order, "delivered").await;
        seen.extend(page.closed().await.1);
        let mut fields = BTreeSet::new();
        for message in &seen {
            collect_fields(message["type"].as_str().expect("a type"), message, &mut fields);
        }
        let unexpected: Vec<_> = fields.iter().filter(|field| !ALLOWED.contains(&field.as_str())).collect();
        assert!(unexpected.is_empty(), "{unexpected:?}");
        for kind in ["snapshot", "position", "order", "eta", "presence", "ended"] {
            assert!(fields.contains(kind), "this test saw no {kind}");
        }
        let everything = Value::from(seen).to_string();
        for secret in [
            &ana.id,
            "9999 0000",
            "2122 0000",
            "eve@example.com",
            "B-77",
            &other.id,
            &order.id,
            &order.token,
            "ring twice",
            "0.81",
        ] {
            assert!(!everything.contains(secret), "{secret} must not reach a customer");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_customer_whose_stop_is_next_sees_the_courier_and_then_the_next_one_does() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (first, second) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        let mut phone = app.connect(&ana).await;
        let (mut firsts, _) = watching(app, &first).await;
        let (mut seconds, snapshot) = watching(app, &second).await;
        assert_eq!(snapshot["order"]["stops_before"], 1);
        let start_ms = now_ms() - 3_000;
        let zigzag = |index: i64| {
            fix(start_ms + index * 100, HERE.0 + index as f64 * 0.000_2, HERE.1 + (index % 2) as f64 * 0.000_5)
        };
        phone.report(1, &(0..5).map(zigzag).collect::<Vec<_>>()).await;
        assert_eq!(positions(&firsts.everything_so_far().await), [start_ms + 400]);
        let seen = seconds.everything_so_far().await;
        assert!(kinds(&seen).iter().all(|kind| ["snapshot", "eta"].contains(kind)), "{seen:?}");
        let (_, waiting) = watching(app, &second).await;
        assert!(waiting.get("position").is_none(), "{waiting}");
        assert_eq!(waiting["trail"], json!([]));
        let route = app.get(&format!("/api/v1/track/{}/route", second.token)).await;
        assert_eq!(route.status, 204, "and no way to them either");

        app.set_status(&first, "delivered").await;
        assert_eq!(firsts.close_code().await, 4502);
        let update = seconds.expect("order").await;
        assert_eq!((&update["status"], &update["stops_before"]), (&json!("assigned"), &json!(0)));
        let opened = seconds.expect("snapshot").await;
        assert_eq!(opened["order"]["stops_before"], 0);
        assert_eq!(opened["trail"], json!([]), "no trail from before");
        phone.report(2, &[step(now_ms(), 1)]).await;
        seconds.expect("position").await;
        let (_, after) = watching(app, &second).await;
        assert_eq!(after["trail"].as_array().map(Vec::len), Some(1), "the trail begins where the feed opened: {after}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_given_to_a_busy_courier_shows_how_many_stops_come_first() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.order("A-2").await;
        let (mut page, _) = watching(app, &order).await;
        app.assigned("A-1", &ana).await;
        app.connect(&ana).await.report(1, &[step(now_ms(), 0)]).await;
        app.assign(&order, &ana).await;
        let update = page.expect("order").await;
        assert_eq!((&update["status"], &update["stops_before"]), (&json!("assigned"), &json!(1)), "{update}");
        let snapshot = page.expect("snapshot").await;
        assert_eq!(snapshot["courier"]["name"], "Ana", "and who brings it");
        assert!(snapshot.get("position").is_none(), "{snapshot}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fixes_out_of_order_never_take_the_view_back_and_fill_in_the_trail() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let (mut page, _) = watching(app, &order).await;
        let start_ms = now_ms();
        let zigzag = |index: i64| {
            fix(start_ms + index * 1_000, HERE.0 + index as f64 * 0.000_2, HERE.1 + (index % 2) as f64 * 0.000_5)
        };
        for (id, index) in (1..).zip([0, 9, 4, 1, 8, 2, 7, 5, 3, 6]) {
            phone.report(id, &[zigzag(index)]).await;
        }
        let completed = loop {
            let snapshot = page.expect("snapshot").await;
            if snapshot["trail"].as_array().is_some_and(|trail| trail.len() == 10) {
                break snapshot;
            }
        };
        let lats: Vec<_> = completed["trail"]
            .as_array()
            .expect("a trail")
            .iter()
            .map(|point| point[1].as_f64().expect("a number"))
            .collect();
        assert!(lats.is_sorted(), "the trail is in the order of the fixes, not of their arrival: {lats:?}");
        assert_eq!(completed["position"]["time_ms"], start_ms + 9_000);
        phone.report(20, &[zigzag(10)]).await;
        assert_eq!(page.expect("position").await["time_ms"], start_ms + 10_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shuffled_fixes_never_take_the_view_back() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let (mut page, _) = watching(app, &order).await;
        let start_ms = now_ms() - 50_000;
        // A fixed shuffle: 37 and 101 have no common divisor.
        for id in 0..101 {
            phone.send_fixes(id, &[step(start_ms + (id as i64 * 37 % 101) * 500, id as i64 * 37 % 101)]).await;
        }
        for _ in 0..101 {
            phone.expect("ack").await;
        }
        let seen = page.everything_so_far().await;
        let mut newest_ms = i64::MIN;
        for message in &seen {
            let shown =
                if message["type"] == "snapshot" { &message["position"]["time_ms"] } else { &message["time_ms"] };
            if let Some(time_ms) = shown.as_i64() {
                assert!(time_ms >= newest_ms, "{seen:?}");
                newest_ms = time_ms;
            }
        }
        assert_eq!(newest_ms, start_ms + 50_000);
        assert_eq!(app.stored(&ana).await, 101);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_reaches_every_viewer() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let other = app.order("B-1").await;
        let (mut page, mut second_page) = (watching(app, &order).await.0, watching(app, &order).await.0);
        let (mut others, _) = watching(app, &other).await;
        for status in ["at_pickup", "picked_up", "at_dropoff"] {
            app.set_status(&order, status).await;
            for page in [&mut page, &mut second_page] {
                let update = page.expect("order").await;
                assert_eq!((&update["status"], &update["stops_before"]), (&json!(status), &json!(0)));
                assert!(
                    update["status_at_ms"].as_i64().is_some_and(|at_ms| (at_ms - now_ms()).abs() < 5_000),
                    "{update}"
                );
            }
        }
        assert!(others.everything_so_far().await.is_empty(), "another order's customer hears nothing");
        let (_, snapshot) = watching(app, &order).await;
        let timeline: Vec<_> = snapshot["order"]["timeline"]
            .as_array()
            .expect("a timeline")
            .iter()
            .map(|entry| entry["status"].clone())
            .collect();
        assert_eq!(timeline, ["created", "assigned", "at_pickup", "picked_up", "at_dropoff"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_final_status_ends_the_feed_and_nothing_follows() {
    with_app(async |app| {
        for (steps, status) in
            [(&["delivered"][..], "delivered"), (&["cancelled"], "cancelled"), (&["failed", "returned"], "returned")]
        {
            let ana = app.courier("Ana").await;
            let order = app.assigned("A-1042", &ana).await;
            let mut phone = app.connect(&ana).await;
            let (mut page, _) = watching(app, &order).await;
            phone.report(1, &[step(now_ms(), 0)]).await;
            for status in steps {
                app.set_status(&order, status).await;
            }
            phone.report(2, &[step(now_ms() + 1_000, 1)]).await;
            let (code, seen) = page.closed().await;
            assert_eq!(code, 4502);
            let [.., update, ended] = seen.as_slice() else { panic!("{seen:?}") };
            assert_eq!((&update["type"], &update["status"]), (&json!("order"), &json!(status)));
            assert_eq!((&ended["type"], &ended["status"]), (&json!("ended"), &json!(status)));
            assert_eq!(ended["at_ms"], update["status_at_ms"]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_hides_the_courier_and_keeps_the_feed() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let (mut page, _) = watching(app, &order).await;
        app.set_status(&order, "failed").await;
        assert_eq!(page.expect("order").await["status"], "failed");
        phone.report(1, &[step(now_ms(), 0)]).await;
        assert_eq!(positions(&page.everything_so_far().await), [0i64; 0]);
        let (_, snapshot) = watching(app, &order).await;
        assert!(snapshot.get("position").is_none(), "{snapshot}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_reassignment_nothing_of_the_former_courier_is_shown() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let order = app.assigned("A-1042", &ana).await;
        app.set_status(&order, "picked_up").await;
        let (mut anas, mut bens) = (app.connect(&ana).await, app.connect(&ben).await);
        let (mut page, _) = watching(app, &order).await;
        let start_ms = now_ms();
        // Ben was somewhere before he had the order, which does not concern this customer.
        bens.report(1, &[step(start_ms - 600_000, 40), step(start_ms - 500_000, 50)]).await;
        anas.report(1, &[step(start_ms, 0)]).await;
        page.expect("position").await;
        app.assign(&order, &ben).await;
        anas.report(2, &[step(start_ms + 1_000, 1)]).await;
        let update = page.expect("order").await;
        assert_eq!((&update["status"], &update["stops_before"]), (&json!("picked_up"), &json!(0)));
        let snapshot = page.expect("snapshot").await;
        assert_eq!(snapshot["courier"]["name"], "Ben");
        assert!(snapshot.get("position").is_none(), "{snapshot}");
        assert_eq!(snapshot["trail"], json!([]));
        anas.report(3, &[step(start_ms + 2_000, 2)]).await;
        bens.report(2, &[step(start_ms + 1_500, 90)]).await;
        let position = page.expect("position").await;
        assert_eq!(position["time_ms"], start_ms + 1_500, "{position}");
        let (_, late) = watching(app, &order).await;
        assert_eq!(late["position"]["time_ms"], start_ms + 1_500);
        assert_eq!(late["trail"].as_array().map(Vec::len), Some(1), "{late}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_passed_on_opens_the_next_ones_feed_from_now_and_not_from_earlier() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let (first, second) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        let before_ms = now_ms();
        let mut phone = app.connect(&ana).await;
        // The courier's time is the phone's: long before now, and after the order was given.
        let zigzag =
            |index: i64| fix(before_ms + index, HERE.0 + index as f64 * 0.000_2, HERE.1 + (index % 2) as f64 * 0.000_5);
        phone.report(1, &(0..5).map(zigzag).collect::<Vec<_>>()).await;
        let (mut page, _) = watching(app, &second).await;
        app.assign(&first, &ben).await;
        let opened = page.expect("snapshot").await;
        assert_eq!(opened["order"]["stops_before"], 0);
        assert_eq!(opened["trail"], json!([]), "what Ana drove for the first customer is not shown to the second");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_reaches_viewers_live_and_those_who_come_later() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (order, waiting) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        let mut phone = app.connect(&ana).await;
        let (mut page, _) = watching(app, &order).await;
        let (mut waiting_page, _) = watching(app, &waiting).await;
        let since_ms = now_ms() - 4_000;
        phone.send(&json!({ "type": "presence", "state": "paused", "reason": "screen_locked", "time_ms": since_ms })).await;
        let paused = json!({ "type": "presence", "state": "paused", "reason": "screen_locked", "since_ms": since_ms });
        assert_eq!(page.expect("presence").await, paused);
        phone.send(&json!({ "type": "status", "id": 1, "order_id": uuid::Uuid::now_v7(), "status": "failed", "time_ms": 1 })).await;
        phone.expect("error").await;
        let (mut late, _) = watching(app, &order).await;
        assert_eq!(late.message().await, paused);
        phone.send(&json!({ "type": "presence", "state": "tracking", "reason": "screen_locked" })).await;
        let resumed = page.expect("presence").await;
        assert_eq!(resumed["state"], "tracking");
        assert!(resumed.get("reason").is_none(), "there is no reason for working");
        assert!(waiting_page.everything_so_far().await.iter().all(|message| message["type"] != "presence"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_arrival_is_a_range_ahead_of_us() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let (mut page, _) = watching(app, &order).await;
        phone.report(1, &[step(now_ms(), 0)]).await;
        let eta = page.expect("eta").await;
        let number = |name: &str| eta[name].as_i64().unwrap_or_else(|| panic!("{name}: {eta}"));
        assert!(now_ms() - 5_000 < number("earliest_ms") && number("earliest_ms") < number("latest_ms"), "{eta}");
        assert!((100..5_000).contains(&number("remaining_m")), "{eta}");
        let (_, late) = watching(app, &order).await;
        assert_eq!(late["eta"]["computed_at_ms"], eta["computed_at_ms"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_shows_its_own_order_or_says_in_http_why_not() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (mine, over) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        app.set_status(&over, "delivered").await;
        let cases = [
            ("AAAAAAAAAAAAAAAAAAAAAAAA".to_owned(), 404, "unknown_link"),
            (mine.id.clone(), 404, "unknown_link"),
            (format!("{}x", mine.token), 404, "unknown_link"),
            (mine.token[..23].to_owned(), 404, "unknown_link"),
            (ana.device_token.clone(), 404, "unknown_link"),
            (over.token.clone(), 410, "tracking_ended"),
        ];
        for (token, status, code) in cases {
            let refusal = Socket::try_connect(app, &format!("/ws/track/{token}"), &[]).await.err().expect("refused");
            assert_eq!((refusal.status, refusal.code.as_str()), (status, code), "socket");
            for path in ["", "/events", "/route"] {
                app.get(&format!("/api/v1/track/{token}{path}")).await.expect_problem(status, code);
            }
        }
        let (_, snapshot) = watching(app, &mine).await;
        assert_eq!(snapshot["order"]["reference"], "A-1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracking_token_opens_nothing_else() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        for path in ["/api/v1/orders", "/api/v1/couriers"] {
            let request = app.bare(reqwest::Method::GET, path).bearer_auth(&order.token);
            crate::support::Answer::to(request).await.expect_problem(401, "unauthorized");
        }
        let (mut page, _) = watching(app, &order).await;
        page.send(&json!({ "type": "fixes", "id": 1, "fixes": [step(now_ms(), 0)] })).await;
        page.send(
            &json!({ "type": "status", "id": 2, "order_id": order.id, "status": "delivered", "time_ms": now_ms() }),
        )
        .await;
        assert!(page.everything_so_far().await.is_empty(), "a courier's words mean nothing here");
        assert_eq!(app.stored(&ana).await, 0);
        for _ in 0..10 {
            page.send_text("nonsense").await;
        }
        assert_eq!(page.close_code().await, 4501);
    })
    .await;
}
