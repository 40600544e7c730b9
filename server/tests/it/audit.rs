//! Who looked at where somebody is.

use doorstep_server::{domain::access_log::AccessLogEntry, store::access::Role};
use doorstep_shared::api::console::LookKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, TestPerson, eventually, now_ms, step, with_app};

async fn log(app: &TestApp, admin: &TestPerson, query: &str) -> Vec<Value> {
    let answer = Answer::to(app.as_person(admin, Method::GET, &format!("/api/v1/audit?{query}"))).await.expect(200);
    answer["items"].as_array().expect("items").clone()
}

fn kinds(log: &[Value]) -> Vec<&str> {
    log.iter().rev().map(|look| look["what"].as_str().expect("a kind")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_look_at_a_place_is_logged_with_who_what_and_from_where() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let dora = app.person("dora@example.com", Role::Dispatcher).await;
        let ana = app.courier("Ana").await;
        let (waiting, order) = (app.order("A-0").await, app.assigned("A-1", &ana).await);
        app.connect(&ana).await.report(1, &[step(now_ms(), 0)]).await;
        let look = async |path: String| {
            let answer = Answer::to(app.as_person(&dora, Method::GET, &path)).await;
            assert_eq!(answer.status, 200, "{path}");
        };
        let courier = format!("/api/v1/couriers/{}", ana.id);
        look("/api/v1/couriers".to_owned()).await;
        look(courier.clone()).await;
        look(format!("{courier}/fixes")).await;
        let export =
            app.as_person(&dora, Method::GET, &format!("{courier}/fixes")).header("accept", "application/gpx+xml");
        assert_eq!(Answer::to(export).await.status, 200);
        look(format!("/api/v1/orders/{}", order.id)).await;
        look(format!("/api/v1/orders/{}", waiting.id)).await;
        look("/api/v1/orders".to_owned()).await;
        let key_look = app.get(&courier).await;
        assert_eq!(key_look.status, 200);

        let seen = ["couriers", "courier", "fixes", "export", "order", "courier"];
        eventually("the looks are written", async || log(app, &ada, "").await.len() >= seen.len()).await;
        let all = log(app, &ada, "").await;
        assert_eq!(kinds(&all), seen, "what tells nobody's place is not logged");
        let (by_key, by_dora) = (&all[0], &all[1]);
        assert!(by_key["actor"].as_str().is_some_and(|actor| actor.starts_with("key:")), "{by_key}");
        assert_eq!(by_key["actor_name"], json!("tests"));
        assert_eq!(by_dora["actor_name"], json!("dora@example.com"));
        assert_eq!((&by_dora["subject_name"], &by_dora["subject_id"]), (&json!("A-1"), &json!(order.id)));
        assert_eq!(by_dora["address"], json!("127.0.0.1"));
        assert!(by_dora["at"].is_string());
        let text = Value::from(all.clone()).to_string();
        assert!(!text.contains("lat") && !text.contains("35.8"), "no coordinates: {text}");

        let dora_actor = by_dora["actor"].as_str().expect("an actor");
        assert_eq!(log(app, &ada, &format!("actor={dora_actor}")).await.len(), 5);
        assert_eq!(log(app, &ada, &format!("subject_id={}", ana.id)).await.len(), 4);
        assert_eq!(log(app, &ada, "what=export").await.len(), 1);
        assert_eq!(log(app, &ada, "from=2099-01-01T00:00:00Z").await.len(), 0);
        assert_eq!(log(app, &ada, "until=2000-01-01T00:00:00Z").await.len(), 0);
        let first = Answer::to(app.as_person(&ada, Method::GET, "/api/v1/audit?limit=4")).await.expect(200);
        let cursor = first["next_cursor"].as_str().expect("there are more");
        let second = log(app, &ada, &format!("limit=4&cursor={cursor}")).await;
        assert_eq!(second, all[4..]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_for_admins_alone() {
    with_app(async |app| {
        let dora = app.person("dora@example.com", Role::Dispatcher).await;
        let refused = Answer::to(app.as_person(&dora, Method::GET, "/api/v1/audit")).await;
        refused.expect_problem(403, "admins_only");
        app.get("/api/v1/audit").await.expect_problem(403, "admins_only");
        Answer::to(app.bare(Method::GET, "/api/v1/audit")).await.expect_problem(401, "unauthorized");
        let ada = app.person("ada@example.com", Role::Admin).await;
        for query in ["limit=0", "cursor=x", "what=everything", "subject_id=x", "from=yesterday", "actor=%00"] {
            let wrong = app.as_person(&ada, Method::GET, &format!("/api/v1/audit?{query}"));
            Answer::to(wrong).await.expect_problem(400, "bad_request");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_could_not_keep_up_says_how_much_is_missing() {
    const LOOKS: i64 = 11_000;
    with_app(async |app| {
        let run = async |statement: &'static str| {
            sqlx::query(statement).execute(&app.db).await.expect("the table can be renamed");
        };
        run("alter table looks rename to looks_away").await;
        let at = chrono::Utc::now();
        let look =
            AccessLogEntry { at, actor: None, what: LookKind::Couriers, subject: None, address: None, lost: None };
        (0..LOOKS).for_each(|_| app.state().access_log.note(look.clone()));
        run("alter table looks_away rename to looks").await;
        let told = async || -> (i64, i64) {
            let counted = "select count(*) filter (where what = 'couriers'), coalesce(sum(lost), 0)::bigint from looks";
            sqlx::query_as(counted).fetch_one(&app.db).await.expect("looks can be counted")
        };
        eventually("every look is written or told to be lost", async || {
            let (written, lost) = told().await;
            written + lost == LOOKS
        })
        .await;
        let (written, lost) = told().await;
        assert!(lost >= 500 && written >= 10_000, "{written} were written, {lost} were lost");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_are_kept_as_long_as_fixes() {
    with_app(async |app| {
        let old = "insert into looks (looked_at, actor, what) \
             values (now() - interval '31 days', 'system', 'fleet'), (now() - interval '29 days', 'system', 'courier')";
        sqlx::query(old).execute(&app.db).await.expect("a look can be written");
        let month = chrono::Utc::now() - chrono::TimeDelta::days(30);
        app.state().store.forget_access_log(month).await.expect("the database is there");
        let kept: Vec<String> =
            sqlx::query_scalar("select what from looks").fetch_all(&app.db).await.expect("looks can be read");
        assert_eq!(kept, ["courier"]);
    })
    .await;
}
