//! The dispatchers' feed of the whole fleet.

use std::{collections::HashMap, time::Instant};

use doorstep_server::auth::scope::Scope;
use doorstep_shared::protocol::{
    Codec,
    courier::Ping,
    decode_postcard, encode_postcard,
    fleet::{FleetEvent, FleetMessage},
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{HERE, Socket, TestApp, TestCourier, fix, now_ms, step, with_app};

/// Opens the feed with the test's key and reads the snapshot.
async fn console(app: &TestApp) -> (Socket, Value) {
    let authorization = format!("Bearer {}", app.key);
    let mut socket = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
    let snapshot = socket.message().await;
    assert_eq!(snapshot["type"], "snapshot", "the first message is always a snapshot");
    assert_eq!(snapshot["seq"], 0);
    (socket, snapshot)
}

/// The entry of `list` for the courier or order with this id.
fn of<'a>(list: &'a Value, id: &str) -> &'a Value {
    let found = list.as_array().and_then(|items| items.iter().find(|item| item["id"] == id));
    found.unwrap_or_else(|| panic!("{id} is not in {list}"))
}

/// Reads until a batch holds a fix of `courier`, and gives that fix.
async fn fix_of(console: &mut Socket, courier: &TestCourier) -> Value {
    loop {
        let batch = console.expect("positions").await;
        let fixes = batch["fixes"].as_array().expect("a list");
        if let Some(fix) = fixes.iter().find(|fix| fix["courier_id"] == courier.id) {
            return fix.clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_has_every_courier_and_every_order_that_is_not_over() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let assigned = app.assigned("A-1", &ana).await;
        let created = app.order("A-2").await;
        let over = app.assigned("A-3", &ana).await;
        app.set_status(&over, "delivered").await;
        let mut phone = app.connect(&ana).await;
        let time_ms = now_ms();
        let mut reading = fix(time_ms, HERE.0, HERE.1);
        reading["battery"] = json!(0.5);
        phone.report(1, &[reading]).await;
        phone.send(&json!({"type":"presence","state":"paused","reason":"screen_locked","time_ms":time_ms})).await;
        phone.send(&json!({"type":"ping"})).await;
        phone.expect("pong").await;

        let (_, snapshot) = console(app).await;
        let of_ana = of(&snapshot["couriers"], &ana.id);
        assert_eq!((&of_ana["name"], &of_ana["vehicle"]), (&json!("Ana"), &json!("scooter")));
        assert_eq!(of_ana["position"]["time_ms"], time_ms);
        assert_eq!(of_ana["battery"], 0.5);
        assert_eq!(of_ana["presence"], json!({ "state": "paused", "reason": "screen_locked", "since_ms": time_ms }));
        let of_ben = of(&snapshot["couriers"], &ben.id);
        assert!(of_ben.get("position").is_none() && of_ben.get("presence").is_none(), "nothing is invented: {of_ben}");
        assert_eq!(snapshot["orders"].as_array().map(Vec::len), Some(2), "{snapshot}");
        let of_assigned = of(&snapshot["orders"], &assigned.id);
        assert_eq!((&of_assigned["status"], &of_assigned["courier_id"]), (&json!("assigned"), &json!(ana.id)));
        assert!(of(&snapshot["orders"], &created.id).get("courier_id").is_none());
        assert!((now_ms() - snapshot["server_time_ms"].as_i64().expect("a time")).abs() < 60_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_holds_the_newest_of_each_courier_and_comes_at_most_every_quarter_second() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let (mut of_ana, mut of_ben) = (app.connect(&ana).await, app.connect(&ben).await);
        let (mut console, _) = console(app).await;
        let opened = Instant::now();
        let start_ms = now_ms() - 100_000;
        let (mut batches, mut newest) = (0, HashMap::new());
        for id in 0..150 {
            of_ana.send_fixes(id, &[step(start_ms + id as i64 * 100, id as i64)]).await;
            of_ben.send_fixes(id, &[step(start_ms + id as i64 * 100, id as i64)]).await;
            of_ana.expect("ack").await;
        }
        let last_ms = start_ms + 149 * 100;
        while newest.len() < 2 || newest.values().any(|time_ms| *time_ms != last_ms) {
            let message = console.message().await;
            assert_eq!(message["type"], "positions", "{message}");
            batches += 1;
            let fixes = message["fixes"].as_array().expect("a list").clone();
            let mut once = std::collections::HashSet::new();
            for fix in fixes {
                let courier = fix["courier_id"].to_string();
                assert!(once.insert(courier.clone()), "each courier once in a batch");
                let time_ms = fix["time_ms"].as_i64().expect("a time");
                let before = newest.insert(courier, time_ms);
                assert!(before.is_none_or(|before| before < time_ms), "only newer positions");
            }
        }
        let most = opened.elapsed().as_millis() / 235 + 1;
        assert!(batches <= most, "{batches} batches in {:?}", opened.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seq_counts_every_message_about_the_fleet_and_nothing_else() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let (mut console, _) = console(app).await;
        let order = app.assigned("A-1", &ana).await;
        phone.report(1, &[step(now_ms(), 0)]).await;
        console.send(&json!({"type":"ping"})).await;
        console.send(&json!({"type":"teleport"})).await;
        app.set_status(&order, "delivered").await;
        app.courier("Ben").await;
        let (mut expected, mut kinds) = (1, Vec::new());
        while kinds.iter().filter(|kind| *kind != "order").count() < 4 || !kinds.contains(&"positions".to_owned()) {
            let message = console.message().await;
            match message["seq"].as_u64() {
                Some(seq) => {
                    assert_eq!(seq, expected, "{message}");
                    expected += 1;
                }
                None => {
                    assert!(["pong", "error", "heartbeat"].iter().any(|kind| message["type"] == *kind), "{message}")
                }
            }
            kinds.push(message["type"].as_str().expect("a type").to_owned());
        }
        for kind in ["order", "courier", "positions", "pong", "error"] {
            assert!(kinds.iter().any(|seen| seen == kind), "{kind} in {kinds:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_shown_from_its_creation_to_its_end() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let (mut console, snapshot) = console(app).await;
        assert_eq!(snapshot["orders"], json!([]));
        let order = app.order("A-1042").await;
        let told = console.expect("order").await["order"].clone();
        assert_eq!((&told["id"], &told["reference"]), (&json!(order.id), &json!("A-1042")));
        assert_eq!(told["status"], "created");
        app.assign(&order, &ana).await;
        let told = console.expect("order").await["order"].clone();
        assert_eq!((&told["status"], &told["courier_id"]), (&json!("assigned"), &json!(ana.id)));
        app.assign(&order, &ben).await;
        // The place in the plan comes in a message of its own.
        while console.expect("order").await["order"]["courier_id"] != json!(ben.id) {}
        for status in ["picked_up", "failed", "returned"] {
            app.set_status(&order, status).await;
            let told = loop {
                let told = console.expect("order").await["order"].clone();
                if told["status"] == status {
                    break told;
                }
            };
            assert_eq!(told["id"], json!(order.id));
            assert!(told["status_at_ms"].as_i64().is_some_and(|at_ms| (now_ms() - at_ms).abs() < 60_000));
        }
        let (_, snapshot) = self::console(app).await;
        assert_eq!(snapshot["orders"], json!([]), "what is over is in no snapshot");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_position_pauses_reaches_the_dispatcher() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let (mut console, _) = console(app).await;
        let start_ms = now_ms() - 60_000;
        let reports = [
            ("paused", Some("screen_locked")),
            ("paused", Some("no_permission")),
            ("paused", Some("no_signal")),
            ("paused", Some("low_battery")),
            ("tracking", None),
            ("off_duty", Some("user")),
        ];
        for (second, (state, reason)) in (0..).zip(reports) {
            let since_ms = start_ms + second * 1_000;
            let mut report = json!({ "type": "presence", "state": state, "time_ms": since_ms });
            if let Some(reason) = reason {
                report["reason"] = json!(reason);
            }
            phone.send(&report).await;
            let told = console.expect("courier").await["courier"].clone();
            assert_eq!((&told["id"], &told["name"]), (&json!(ana.id), &json!("Ana")));
            let mut expected = json!({ "state": state, "since_ms": since_ms });
            if let Some(reason) = reason {
                expected["reason"] = json!(reason);
            }
            assert_eq!(told["presence"], expected);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_courier_appears_and_moves() {
    with_app(async |app| {
        let (mut console, snapshot) = console(app).await;
        assert_eq!(snapshot["couriers"], json!([]));
        let ana = app.courier("Ana").await;
        let told = console.expect("courier").await["courier"].clone();
        assert_eq!(told, json!({ "id": ana.id, "name": "Ana", "vehicle": "scooter" }));
        let time_ms = now_ms();
        let mut reading = fix(time_ms, HERE.0, HERE.1);
        (reading["speed_mps"], reading["heading_deg"], reading["battery"]) = (json!(4.5), json!(182.0), json!(0.25));
        app.connect(&ana).await.report(1, &[reading]).await;
        let expected = json!({ "courier_id": ana.id, "time_ms": time_ms, "lat": HERE.0, "lon": HERE.1,
            "speed_mps": 4.5, "heading_deg": 182.0, "battery": 0.25 });
        assert_eq!(fix_of(&mut console, &ana).await, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewport_limits_positions_and_a_new_one_brings_who_is_inside() {
    with_app(async |app| {
        let (near, far) = (app.courier("Near").await, app.courier("Far").await);
        let (mut of_near, mut of_far) = (app.connect(&near).await, app.connect(&far).await);
        let (mut console, _) = console(app).await;
        let start_ms = now_ms() - 60_000;
        of_near.report(1, &[fix(start_ms, 35.90, 14.50)]).await;
        of_far.report(1, &[fix(start_ms, 40.00, 20.00)]).await;
        fix_of(&mut console, &near).await;
        console.send(&json!({"type":"viewport","bbox":[14.40,35.80,14.58,35.99]})).await;
        let inside = fix_of(&mut console, &near).await;
        assert_eq!(inside["time_ms"], start_ms, "a courier inside is sent again, though they did not move");
        of_far.report(2, &[fix(start_ms + 1_000, 40.0001, 20.0)]).await;
        of_near.report(2, &[fix(start_ms + 1_000, 35.9001, 14.50)]).await;
        let batch = console.expect("positions").await;
        assert_eq!(batch["fixes"].as_array().map(Vec::len), Some(1), "no courier outside: {batch}");
        assert_eq!(batch["fixes"][0]["courier_id"], near.id);

        console.send(&json!({"type":"follow","courier_id":far.id})).await;
        assert_eq!(fix_of(&mut console, &far).await["time_ms"], start_ms + 1_000);
        of_far.report(3, &[fix(start_ms + 2_000, 40.0002, 20.0)]).await;
        assert_eq!(fix_of(&mut console, &far).await["time_ms"], start_ms + 2_000, "wherever they are");
        console.send(&json!({"type":"follow"})).await;
        console.send(&json!({"type":"viewport","bbox":[19.0,39.0,21.0,41.0]})).await;
        assert_eq!(fix_of(&mut console, &far).await["time_ms"], start_ms + 2_000);
        of_near.report(3, &[fix(start_ms + 3_000, 35.9002, 14.50)]).await;
        console.send(&json!({"type":"viewport","bbox":[-180,-90,180,90]})).await;
        assert_eq!(fix_of(&mut console, &near).await["time_ms"], start_ms + 3_000, "what was missed meanwhile");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewport_may_cross_the_antimeridian() {
    with_app(async |app| {
        let (east, west, malta) = (app.courier("East").await, app.courier("West").await, app.courier("Malta").await);
        let time_ms = now_ms();
        for (courier, lat, lon) in [(&east, -17.0, 179.9), (&west, -17.0, -179.9), (&malta, 35.9, 14.5)] {
            app.connect(courier).await.report(1, &[fix(time_ms, lat, lon)]).await;
        }
        let (mut console, _) = console(app).await;
        console.send(&json!({"type":"viewport","bbox":[179.0,-18.0,-179.0,-16.0]})).await;
        let batch = console.expect("positions").await;
        let mut seen: Vec<_> =
            batch["fixes"].as_array().expect("a list").iter().map(|fix| fix["courier_id"].to_string()).collect();
        let mut expected = vec![json!(east.id).to_string(), json!(west.id).to_string()];
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_console_may_not_say_is_answered_and_the_connection_survives() {
    with_app(async |app| {
        let (mut console, _) = console(app).await;
        console.send(&json!({"type":"teleport","id":3})).await;
        let error = console.expect("error").await;
        assert_eq!((&error["code"], &error["id"]), (&json!("unknown_type"), &json!(3)));
        for bad in [
            r#"{"type":"viewport"}"#,
            r#"{"type":"viewport","bbox":[1,2,3]}"#,
            r#"{"type":"viewport","bbox":[0,10,1,5]}"#,
            r#"{"type":"viewport","bbox":[0,0,1e300,5]}"#,
            r#"{"type":"follow","courier_id":"nobody"}"#,
            r#"{"bbox":[0,0,1,1]}"#,
            "[]",
        ] {
            console.send_text(bad).await;
            assert_eq!(console.expect("error").await["code"], "bad_message", "{bad}");
        }
        console.send(&json!({"type":"ping"})).await;
        console.expect("pong").await;
        console.send_text("nonsense").await;
        assert_eq!(console.close_code().await, 4501);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_codecs_say_the_same() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let authorization = format!("Bearer {}", app.key);
        let (mut json, mut snapshot) = console(app).await;
        let offer = Codec::Postcard.subprotocol();
        let headers = [("authorization", authorization.as_str()), ("sec-websocket-protocol", offer)];
        let mut small = Socket::connect(app, "/ws/fleet", &headers).await;
        assert_eq!(small.headers["sec-websocket-protocol"], offer);
        let mut next = async || match small.frame().await {
            Message::Binary(bytes) => {
                let event: FleetEvent = decode_postcard(&bytes).expect("postcard of the contract");
                serde_json::to_value(&event).expect("JSON")
            }
            other => panic!("expected a binary message, and got {other:?}"),
        };
        let mut first = next().await;
        (snapshot["server_time_ms"], first["server_time_ms"]) = (json!(0), json!(0));
        assert_eq!(first, snapshot);
        let order = app.assigned("A-1", &ana).await;
        assert_eq!(next().await, json.message().await);
        phone.report(1, &[step(now_ms(), 0)]).await;
        let (mut of_json, mut of_small) = (json.message().await, next().await);
        while of_json["type"] != "positions" {
            of_json = json.message().await;
        }
        while of_small["type"] != "positions" {
            of_small = next().await;
        }
        assert_eq!(of_json["fixes"], of_small["fixes"]);
        app.set_status(&order, "cancelled").await;
        assert_eq!(json.expect("order").await["order"], next().await["order"]);
        small.send_raw(Message::binary(encode_postcard(&FleetMessage::Ping(Ping {})))).await;
        let Message::Binary(bytes) = small.frame().await else { panic!("a pong") };
        assert!(matches!(decode_postcard(&bytes), Ok(FleetEvent::Pong(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_learns_how_many_dispatchers_have_them_in_view() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        phone.report(1, &[fix(now_ms(), 35.90, 14.50)]).await;
        let (mut first, _) = console(app).await;
        assert_eq!(phone.expect("audience").await["dispatchers"], 1);
        let (second, _) = console(app).await;
        assert_eq!(phone.expect("audience").await["dispatchers"], 2);
        first.send(&json!({"type":"viewport","bbox":[0.0,0.0,1.0,1.0]})).await;
        assert_eq!(phone.expect("audience").await["dispatchers"], 1, "out of view");
        first.send(&json!({"type":"follow","courier_id":ana.id})).await;
        assert_eq!(phone.expect("audience").await["dispatchers"], 2, "followed");
        drop(second);
        assert_eq!(phone.expect("audience").await["dispatchers"], 1);
        drop(first);
        assert_eq!(phone.expect("audience").await["dispatchers"], 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_reads_late_gets_the_newest_without_a_gap() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.order("A-1").await;
        let mut phone = app.connect(&ana).await;
        let (mut console, _) = console(app).await;
        let start_ms = now_ms() - 600_000;
        for id in 0..300 {
            phone.report(id, &[step(start_ms + id as i64 * 1_000, id as i64)]).await;
        }
        app.assign(&order, &ana).await;
        app.set_status(&order, "delivered").await;
        let (mut seq, mut newest_ms, mut status) = (0, 0, Value::Null);
        while newest_ms < start_ms + 299_000 || status != "delivered" {
            let message = console.message().await;
            seq += 1;
            assert_eq!(message["seq"], seq, "{message}");
            match message["type"].as_str() {
                Some("positions") => newest_ms = message["fixes"][0]["time_ms"].as_i64().expect("a time"),
                Some("order") => status = message["order"]["status"].clone(),
                other => panic!("{other:?}"),
            }
        }
        assert!(seq < 150, "300 fixes in {seq} messages");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_reaches_every_console() {
    use doorstep_server::domain::fleet::FleetChange;
    use doorstep_shared::protocol::fleet::FleetAlert;
    with_app(async |app| {
        let (mut console, _) = console(app).await;
        for since_ms in [5, 6] {
            let alert = FleetAlert { code: "silent".into(), since_ms, courier_id: None, order_id: None };
            app.state().broker.publish_fleet(FleetChange::Alert(alert));
            let told = console.expect("alert").await;
            assert_eq!(told["alert"], json!({ "code": "silent", "since_ms": since_ms }));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_console_nothing_is_kept() {
    with_app(async |app| {
        let key = app.key_with(&[Scope::FleetRead]).await;
        let authorization = format!("Bearer {key}");
        for round in 0..3 {
            let courier = app.courier(&format!("Courier {round}")).await;
            let mut socket = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
            let snapshot = socket.message().await;
            assert_eq!(snapshot["couriers"].as_array().map(Vec::len), Some(round + 1), "{snapshot}");
            of(&snapshot["couriers"], &courier.id);
            drop(socket);
            crate::support::eventually("no console watching", async || app.state().connections.is_empty()).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_followed_along_sees_what_a_newcomer_sees() {
    use doorstep_simulator::{FleetBot, FleetOptions, random::generator};
    with_app(async |app| {
        let bot = |codec, number| {
            FleetBot::start(FleetOptions {
                server: format!("http://{}", app.address).parse().expect("an address"),
                api_key: app.key.clone(),
                codec,
                random: generator(1, number),
            })
        };
        let followers = [bot(Codec::Json, 0), bot(Codec::Postcard, 1)];
        for follower in &followers {
            assert!(follower.wait_until(crate::support::PATIENCE, |log| log.is_live).await);
        }
        let mut phones = Vec::new();
        let start_ms = now_ms() - 60_000;
        for number in 0..5 {
            let courier = app.courier(&format!("Courier {number}")).await;
            phones.push((app.connect(&courier).await, app.assigned(&format!("A-{number}"), &courier).await));
        }
        for round in 0..20 {
            for (phone, _) in &mut phones {
                phone.report(round, &[step(start_ms + round as i64 * 1_000, round as i64)]).await;
            }
            if let Some((_, order)) = phones.get(round as usize) {
                app.set_status(order, if round % 2 == 0 { "delivered" } else { "picked_up" }).await;
            }
        }
        let newcomer = bot(Codec::Json, 2);
        assert!(newcomer.wait_until(crate::support::PATIENCE, |log| log.is_live).await);
        let seen = |bot: &FleetBot| {
            let log = bot.log();
            // Batches leave out how exact a position is.
            let plain = |fix: doorstep_shared::Position| (fix.time_ms, fix.lat.to_bits(), fix.lon.to_bits());
            let mut couriers: Vec<_> = log
                .picture
                .couriers
                .values()
                .map(|courier| (courier.id, courier.name.clone(), courier.position.map(plain)))
                .collect();
            couriers.sort();
            let mut orders: Vec<_> =
                log.picture.orders.values().map(|order| (order.id, order.status.as_str(), order.courier_id)).collect();
            orders.sort();
            (couriers, orders)
        };
        crate::support::eventually("the same picture", async || {
            let expected = seen(&newcomer);
            expected.0.len() == 5
                && expected.1.len() == 2
                && followers.iter().all(|follower| seen(follower) == expected)
        })
        .await;
        for follower in followers {
            let log = follower.stop().await;
            assert_eq!((log.connections, log.picture.gaps, log.picture.went_back), (1, 0, 0));
            assert_eq!(log.picture.violations, Vec::<String>::new());
        }
        newcomer.stop().await;
    })
    .await;
}
