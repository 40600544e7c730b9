//! How and when couriers work, and couriers who work here no longer.

use doorstep_server::store::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, HERE, Socket, TestApp, TestCourier, code_in, fix, now_ms, order_body, step, text, with_app,
    with_two_instances,
};

async fn edit(app: &TestApp, courier: &str, body: &Value) -> Answer {
    Answer::to(app.request(Method::PATCH, &format!("/api/v1/couriers/{courier}")).json(body)).await
}

async fn archive(app: &TestApp, courier: &TestCourier) -> Value {
    edit(app, &courier.id, &json!({ "archived": true })).await.expect(200)
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("items").iter().map(|one| one["name"].as_str().expect("a name")).collect()
}

async fn console(app: &TestApp) -> Socket {
    Socket::connect(app, "/ws/fleet", &[("authorization", &format!("Bearer {}", app.key))]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_courier_can_carry_and_do_and_when_is_kept_and_corrected() {
    with_app(async |app| {
        let shift = json!({ "from": "2026-11-28T08:00:00Z", "until": "2026-11-28T16:00:00Z",
            "break": { "from": "2026-11-28T12:00:00Z", "until": "2026-11-28T12:30:00Z" } });
        let depot = json!({ "lat": 35.88, "lon": 14.5, "address": "Marsa depot" });
        let body = json!({ "name": "Ana", "vehicle": "van", "capacity": 12, "skills": ["Cold", "cold", "piano"],
            "shift": shift, "depot": depot });
        let created = app.post("/api/v1/couriers", &body).await.expect(201);
        let id = text(&created["id"]);
        let path = format!("/api/v1/couriers/{id}");
        assert_eq!((&created["capacity"], &created["skills"]), (&json!(12), &json!(["cold", "piano"])));
        assert_eq!((&created["shift"], &created["depot"]), (&shift, &depot));
        assert_eq!(app.get(&path).await.expect(200), created);
        assert_eq!(app.get("/api/v1/couriers").await.expect(200)["items"][0], created);

        let renamed = edit(app, &id, &json!({ "name": "Anna" })).await.expect(200);
        assert_eq!((&renamed["capacity"], &renamed["shift"]), (&json!(12), &shift), "what is left out stays");
        let cleared = json!({ "capacity": null, "skills": [], "shift": null, "depot": null });
        let cleared = edit(app, &id, &cleared).await.expect(200);
        for field in ["capacity", "skills", "shift", "depot"] {
            assert!(cleared.get(field).is_none(), "{field}: {cleared}");
        }
        assert_eq!(edit(app, &id, &json!({ "shift": shift, "capacity": 3 })).await.expect(200)["shift"], shift);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_makes_no_sense_is_refused_field_by_field() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (from, until) = ("2026-11-28T08:00:00Z", "2026-11-28T16:00:00Z");
        let wrong = [
            (json!({ "capacity": 0 }), "capacity"),
            (json!({ "capacity": 100_001 }), "capacity"),
            (json!({ "skills": ["two words"] }), "skills"),
            (json!({ "skills": vec!["x"; 21] }), "skills"),
            (json!({ "shift": { "from": until, "until": from } }), "shift.until"),
            (
                json!({ "shift": { "from": from, "until": until,
                    "break": { "from": "2026-11-28T15:30:00Z", "until": "2026-11-28T16:30:00Z" } } }),
                "shift.break.from",
            ),
            (json!({ "depot": { "lat": 95.0, "lon": 14.5, "address": "Marsa" } }), "depot.lat"),
            (json!({ "depot": { "lat": 35.0, "lon": 14.5, "address": " " } }), "depot.address"),
        ];
        for (body, field) in wrong {
            let refused = edit(app, &ana.id, &body).await.expect_problem(422, "invalid_fields");
            assert!(refused["details"]["fields"].get(field).is_some(), "{field}: {refused}");
            let mut whole = json!({ "name": "Ben", "vehicle": "car" });
            whole.as_object_mut().expect("an object").extend(body.as_object().expect("an object").clone());
            app.post("/api/v1/couriers", &whole).await.expect_problem(422, "invalid_fields");
        }
        assert_eq!(names(&app.get("/api/v1/couriers").await.expect(200)), ["Ana"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_with_an_open_order_or_goods_on_board_is_not_archived() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (first, second) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        let refuse = async || {
            edit(app, &ana.id, &json!({ "archived": true, "name": "Gone" }))
                .await
                .expect_problem(409, "has_open_orders")
        };
        assert_eq!(refuse().await["details"]["open_orders"], json!(2));
        app.set_status(&first, "delivered").await;
        let refused = refuse().await;
        assert_eq!(refused["details"]["open_orders"], json!(1));
        assert!(refused["detail"].as_str().is_some_and(|words| words.starts_with("1 order ")), "{refused}");
        app.set_status(&second, "cancelled").await;
        // The goods of a cancelled order may still be on board.
        sqlx::query("update orders set carried_by = courier_id where id = $1::uuid")
            .bind(&second.id)
            .execute(&app.db)
            .await
            .expect("an order can be changed");
        assert_eq!(refuse().await["details"]["open_orders"], json!(1));
        let shown = app.get(&format!("/api/v1/couriers/{}", ana.id)).await.expect(200);
        assert_eq!((&shown["name"], shown.get("archived_at")), (&json!("Ana"), None), "nothing was changed");
        sqlx::query("update orders set carried_by = null").execute(&app.db).await.expect("orders can be changed");
        assert!(archive(app, &ana).await["archived_at"].is_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_courier_leaves_lists_suggestions_and_the_fleet_and_their_phone_is_turned_away() {
    with_app(async |app| {
        let (invited, ben) = (app.invite().await, app.courier("Ben").await);
        let ana = TestCourier { id: invited.courier.clone(), device_token: invited.device_token.clone() };
        let session = app.sign_in(&invited.code).await;
        let mut phone = app.connect(&ana).await;
        phone.report(1, &[step(now_ms(), 0)]).await;
        let mut fleet = console(app).await;
        assert_eq!(fleet.expect("snapshot").await["couriers"].as_array().map(Vec::len), Some(2));

        let archived = archive(app, &ana).await;
        assert!(archived["archived_at"].is_string());
        assert_eq!(archive(app, &ana).await["archived_at"], archived["archived_at"], "again changes nothing");
        assert_eq!(phone.close_code().await, 4500);
        let token = app.bare(Method::GET, "/api/v1/courier").bearer_auth(&ana.device_token);
        Answer::to(token).await.expect_problem(401, "unauthorized");
        let browser = app.bare(Method::GET, "/api/v1/courier").header("cookie", &session);
        Answer::to(browser).await.expect_problem(401, "unauthorized");
        let left = loop {
            let change = fleet.expect("courier").await;
            if change.get("archived").is_some() {
                break change;
            }
        };
        assert_eq!((&left["courier"]["id"], &left["archived"]), (&json!(ana.id), &json!(true)));
        let snapshot = console(app).await.expect("snapshot").await;
        assert_eq!(snapshot["couriers"].as_array().map(Vec::len), Some(1), "{snapshot}");

        assert_eq!(names(&app.get("/api/v1/couriers").await.expect(200)), ["Ben"]);
        assert_eq!(names(&app.get("/api/v1/couriers?archived=true").await.expect(200)), ["Ana"]);
        let order = app.order("A-1").await;
        let suggested = app.get(&format!("/api/v1/orders/{}/suggestions", order.id)).await.expect(200);
        assert_eq!(suggested.as_array().map(Vec::len), Some(1), "{suggested}");
        let assign = format!("/api/v1/orders/{}/assign", order.id);
        let refused = app.post(&assign, &json!({ "courier_id": ana.id })).await;
        refused.expect_problem(409, "courier_archived");
        let devices = format!("/api/v1/couriers/{}/devices", ana.id);
        let refused = app.post(&devices, &json!({ "label": "a phone" })).await;
        refused.expect_problem(409, "courier_archived");
        app.assign(&order, &ben).await;

        let restored = edit(app, &ana.id, &json!({ "archived": false })).await.expect(200);
        assert!(restored.get("archived_at").is_none());
        assert_eq!(fleet.expect("courier").await["courier"]["id"], json!(ana.id), "back on the map");
        let token = app.bare(Method::GET, "/api/v1/courier").bearer_auth(&ana.device_token);
        Answer::to(token).await.expect_problem(401, "unauthorized");
        let device = app.post(&devices, &json!({ "label": "a new phone" })).await.expect(201);
        app.sign_in(&code_in(&device)).await;
        app.assign(&order, &ana).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consoles_of_another_instance_see_a_courier_leave_too() {
    with_two_instances(async |here, there, _| {
        let ana = here.courier("Ana").await;
        let mut fleet = console(there).await;
        assert_eq!(fleet.expect("snapshot").await["couriers"].as_array().map(Vec::len), Some(1));
        let mut phone = there.connect(&ana).await;
        archive(here, &ana).await;
        assert_eq!(phone.close_code().await, 4500);
        while fleet.expect("courier").await.get("archived").is_none() {}
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suggestions_say_what_a_courier_lacks_and_rank_by_when_they_would_be_there() {
    with_app(async |app| {
        let courier = async |name: &str, vehicle: &str, work: Value| {
            let mut body = json!({ "name": name, "vehicle": vehicle });
            body.as_object_mut().expect("an object").extend(work.as_object().expect("an object").clone());
            let id = text(&app.post("/api/v1/couriers", &body).await.expect(201)["id"]);
            TestCourier { device_token: app.device(&id).await, id }
        };
        let van = courier("Van", "van", json!({ "skills": ["cold"], "capacity": 10 })).await;
        let small = courier("Small", "van", json!({ "capacity": 2 })).await;
        let over = courier(
            "Over",
            "van",
            json!({ "skills": ["cold"],
            "shift": { "from": "2026-01-01T08:00:00Z", "until": "2026-01-01T16:00:00Z" } }),
        )
        .await;
        courier("Home", "bicycle", json!({})).await;
        for (courier, north) in [(&over, 0.0), (&small, 0.001), (&van, 0.01)] {
            app.connect(courier).await.report(1, &[fix(now_ms(), HERE.0 + north, HERE.1)]).await;
        }
        let mut body = order_body("A-1");
        body["size"] = json!(3);
        body["requires"] = json!(["Van", "cold"]);
        let order = text(&app.post("/api/v1/orders", &body).await.expect(201)["id"]);
        let list = app.get(&format!("/api/v1/orders/{order}/suggestions")).await.expect(200);
        let list = list.as_array().expect("a list").clone();
        let ranked: Vec<_> = list.iter().map(|one| one["name"].as_str().expect("a name")).collect();
        assert_eq!(ranked, ["Small", "Van", "Home", "Over"], "who is there first, who is unknown, who is off shift");
        assert_eq!((&list[0]["lacks"], &list[0]["over_capacity"]), (&json!(["cold"]), &json!(true)));
        assert!(list[1].get("lacks").is_none() && list[1].get("over_capacity").is_none(), "{}", list[1]);
        assert_eq!((&list[2]["lacks"], list[2].get("arrives_at")), (&json!(["Van", "cold"]), None));
        assert_eq!((&list[3]["off_shift"], list[3].get("lacks")), (&json!(true), None));

        let mut heavy = order_body("A-2");
        heavy["size"] = json!(8);
        let heavy = text(&app.post("/api/v1/orders", &heavy).await.expect(201)["id"]);
        app.post(&format!("/api/v1/orders/{heavy}/assign"), &json!({ "courier_id": van.id })).await.expect(200);
        let list = app.get(&format!("/api/v1/orders/{order}/suggestions")).await.expect(200);
        let van = list.as_array().expect("a list").iter().find(|one| one["name"] == "Van").expect("Van is listed");
        assert_eq!(van["over_capacity"], json!(true), "with what they will carry: {van}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_couriers_day_is_what_they_did_and_how_far_they_went() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let day = async |courier: &TestCourier, since: &str| {
            let request = app.bare(Method::GET, "/api/v1/courier/day").query(&[("since", since)]);
            Answer::to(request.bearer_auth(&courier.device_token)).await
        };
        let since = (chrono::Utc::now() - chrono::TimeDelta::hours(8)).to_rfc3339();
        let nothing = json!({ "delivered": 0, "failed": 0, "returned": 0, "metres": 0 });
        assert_eq!(day(&ana, &since).await.expect(200), nothing);
        for reference in ["A-1", "A-2"] {
            let order = app.assigned(reference, &ana).await;
            app.set_status(&order, "delivered").await;
        }
        let failed = app.assigned("A-3", &ana).await;
        for status in ["picked_up", "failed", "returned"] {
            app.set_status(&failed, status).await;
        }
        let cancelled = app.assigned("A-4", &ana).await;
        app.set_status(&cancelled, "cancelled").await;
        let began = now_ms() - 600_000;
        // A kilometre to the north, then a minute's noise at the kitchen.
        let mut fixes: Vec<_> = (0..=100).map(|second| step(began + second * 1_000, second)).collect();
        fixes.extend((101..=160).map(|second| step(began + second * 1_000, 100 + second % 2)));
        app.connect(&ana).await.report(1, &fixes).await;
        let so_far = day(&ana, &since).await.expect(200);
        assert_eq!((&so_far["delivered"], &so_far["failed"], &so_far["returned"]), (&json!(2), &json!(1), &json!(1)));
        let metres = so_far["metres"].as_u64().expect("metres");
        assert!((940..=1_010).contains(&metres), "{metres} m of 1 000");
        assert_eq!(day(&ben, &since).await.expect(200), nothing, "nobody else's");
        let later = (chrono::Utc::now() + chrono::TimeDelta::minutes(1)).to_rfc3339();
        assert_eq!(day(&ana, &later).await.expect(200)["delivered"], json!(0));
        let too_long = (chrono::Utc::now() - chrono::TimeDelta::hours(37)).to_rfc3339();
        for wrong in [too_long.as_str(), "midnight", ""] {
            day(&ana, wrong).await.expect_problem(400, "bad_request");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pickups_are_saved_under_names_of_their_own_up_to_five_hundred() {
    with_app(async |app| {
        let body = |name: &str| {
            json!({ "name": name, "place": { "lat": HERE.0, "lon": HERE.1, "address": "Harbour Kitchen, Valletta",
                "instructions": "back door", "phone": "+356 2100 0002" } })
        };
        let saved = app.post("/api/v1/pickups", &body(" Żebbuġ Kitchen ")).await.expect(201);
        assert_eq!((&saved["name"], &saved["place"]), (&json!("Żebbuġ Kitchen"), &body("")["place"]));
        app.post("/api/v1/pickups", &body("Bakery")).await.expect(201);
        let refused = app.post("/api/v1/pickups", &body("zebbug kitchen")).await.expect_problem(409, "name_taken");
        assert!(refused["detail"].as_str().is_some_and(|words| words.contains("zebbug kitchen")), "{refused}");
        assert_eq!(names(&app.get("/api/v1/pickups").await.expect(200)), ["Bakery", "Żebbuġ Kitchen"]);
        let mut wrong = body("Shop");
        wrong["place"]["lat"] = json!(95);
        let refused = app.post("/api/v1/pickups", &wrong).await.expect_problem(422, "invalid_fields");
        assert!(refused["details"]["fields"].get("place.lat").is_some(), "{refused}");
        let path = format!("/api/v1/pickups/{}", text(&saved["id"]));
        assert_eq!(Answer::to(app.request(Method::DELETE, &path)).await.status, 204);
        Answer::to(app.request(Method::DELETE, &path)).await.expect_problem(404, "not_found");
        let fill = "insert into saved_pickups (id, name, lat, lon, address, created_at) \
            select gen_random_uuid(), 'Shop ' || n, 35.9, 14.5, 'Shop', now() from generate_series(2, 500) n";
        sqlx::query(fill).execute(&app.db).await.expect("pickups can be saved");
        app.post("/api/v1/pickups", &body("One more")).await.expect_problem(409, "too_many_pickups");
        let all = app.get("/api/v1/pickups").await.expect(200);
        assert_eq!(all["items"].as_array().map(Vec::len), Some(500));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn archiving_and_assigning_at_once_never_leave_an_archived_courier_with_an_order() {
    with_app(async |app| {
        for round in 0..10 {
            let ana = app.courier("Ana").await;
            let order = app.order(&format!("A-{round}")).await;
            let path = format!("/api/v1/orders/{}/assign", order.id);
            let body = json!({ "courier_id": ana.id });
            let gone = json!({ "archived": true });
            let (assigned, archived) = tokio::join!(app.post(&path, &body), edit(app, &ana.id, &gone));
            let outcome = (assigned.status.as_u16(), archived.status.as_u16());
            assert!(matches!(outcome, (200, 409) | (409, 200)), "{outcome:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dispatchers_archive_couriers_as_keys_do() {
    with_app(async |app| {
        let (ana, dora) = (app.courier("Ana").await, app.person("dora@example.com", Role::Dispatcher).await);
        let path = format!("/api/v1/couriers/{}", ana.id);
        let request = app.as_person(&dora, Method::PATCH, &path).json(&json!({ "archived": true }));
        assert!(Answer::to(request).await.expect(200)["archived_at"].is_string());
        let unknown = edit(app, &uuid::Uuid::now_v7().to_string(), &json!({ "archived": true })).await;
        unknown.expect_problem(404, "not_found");
    })
    .await;
}
