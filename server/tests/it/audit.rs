//! The access log: who saw where a courier or an order is.

use doorstep_server::{domain::access_log::AccessLogEntry, store::access::Role};
use doorstep_shared::api::console::AccessKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, TestPerson, eventually, now_ms, step, with_app};

async fn log(app: &TestApp, admin: &TestPerson, query: &str) -> Vec<Value> {
    let answer = Answer::to(app.as_person(admin, Method::GET, &format!("/api/v1/audit?{query}"))).await.expect(200);
    answer["items"].as_array().expect("items").clone()
}

fn kinds(log: &[Value]) -> Vec<&str> {
    log.iter().rev().map(|entry| entry["what"].as_str().expect("a kind")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_access_to_a_position_is_logged_with_who_what_and_from_where() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let dora = app.person("dora@example.com", Role::Dispatcher).await;
        let ana = app.courier("Ana").await;
        let (waiting, order) = (app.order("A-0").await, app.assigned("A-1", &ana).await);
        app.connect(&ana).await.report(1, &[step(now_ms(), 0)]).await;
        let open = async |path: String| {
            let answer = Answer::to(app.as_person(&dora, Method::GET, &path)).await;
            assert_eq!(answer.status, 200, "{path}");
        };
        let courier = format!("/api/v1/couriers/{}", ana.id);
        open("/api/v1/couriers".to_owned()).await;
        open(courier.clone()).await;
        open(format!("{courier}/fixes")).await;
        let export =
            app.as_person(&dora, Method::GET, &format!("{courier}/fixes")).header("accept", "application/gpx+xml");
        assert_eq!(Answer::to(export).await.status, 200);
        open(format!("/api/v1/orders/{}", order.id)).await;
        open(format!("/api/v1/orders/{}", waiting.id)).await;
        open("/api/v1/orders".to_owned()).await;
        let by_key = app.get(&courier).await;
        assert_eq!(by_key.status, 200);

        let seen = ["couriers", "courier", "fixes", "export", "order", "courier"];
        eventually("the entries are written", async || log(app, &ada, "").await.len() >= seen.len()).await;
        let all = log(app, &ada, "").await;
        assert_eq!(kinds(&all), seen, "an answer without a position is not logged");
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
    const ENTRIES: i64 = 11_000;
    with_app(async |app| {
        let run = async |statement: &'static str| {
            sqlx::query(statement).execute(&app.db).await.expect("the table can be renamed");
        };
        run("alter table access_log rename to access_log_away").await;
        let at = chrono::Utc::now();
        let entry =
            AccessLogEntry { at, actor: None, what: AccessKind::Couriers, subject: None, address: None, lost: None };
        (0..ENTRIES).for_each(|_| app.state().access_log.note(entry.clone()));
        run("alter table access_log_away rename to access_log").await;
        let counts = async || -> (i64, i64) {
            let counted =
                "select count(*) filter (where what = 'couriers'), coalesce(sum(lost), 0)::bigint from access_log";
            sqlx::query_as(counted).fetch_one(&app.db).await.expect("entries can be counted")
        };
        eventually("every entry is written or reported lost", async || {
            let (written, lost) = counts().await;
            written + lost == ENTRIES
        })
        .await;
        let (written, lost) = counts().await;
        assert!(lost >= 500 && written >= 10_000, "{written} were written, {lost} were lost");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_kept_as_long_as_fixes() {
    with_app(async |app| {
        let old = "insert into access_log (accessed_at, actor, what) \
             values (now() - interval '31 days', 'system', 'fleet'), (now() - interval '29 days', 'system', 'courier')";
        sqlx::query(old).execute(&app.db).await.expect("an entry can be written");
        let month = chrono::Utc::now() - chrono::TimeDelta::days(30);
        app.state().store.forget_access_log(month).await.expect("the database is there");
        let kept: Vec<String> =
            sqlx::query_scalar("select what from access_log").fetch_all(&app.db).await.expect("entries can be read");
        assert_eq!(kept, ["courier"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_of_the_previous_version_still_writes_reads_and_forgets_under_the_old_names() {
    with_app(async |app| {
        let write = "insert into looks (looked_at, actor, what, subject_id, address, lost) \
             select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bigint[])";
        let now = chrono::Utc::now();
        // Not as old as what the server forgets by itself when it starts.
        let times = [now - chrono::TimeDelta::days(20), now];
        let words = |words: [&str; 2]| words.map(str::to_owned).to_vec();
        let written = sqlx::query(write)
            .bind(times.to_vec())
            .bind(words(["system", "key:1"]))
            .bind(words(["gap", "fleet"]))
            .bind(vec![None::<uuid::Uuid>; 2])
            .bind(vec![None::<String>; 2])
            .bind(vec![Some(3i64), None])
            .execute(&app.db);
        assert_eq!(written.await.expect("the view takes entries").rows_affected(), 2);
        let forget = sqlx::query("delete from looks where looked_at < $1").bind(now - chrono::TimeDelta::days(10));
        assert_eq!(forget.execute(&app.db).await.expect("the view gives entries up").rows_affected(), 1);
        let read = "select l.actor, l.what from looks l where l.looked_at >= $1 and l.id < $2 order by l.id desc";
        let old: Vec<(String, String)> = sqlx::query_as(read)
            .bind(now - chrono::TimeDelta::days(1))
            .bind(i64::MAX)
            .fetch_all(&app.db)
            .await
            .expect("rows");
        let new: Vec<(String, String)> =
            sqlx::query_as("select actor, what from access_log").fetch_all(&app.db).await.expect("rows");
        assert_eq!(old, new);
        assert_eq!(new, [("key:1".to_owned(), "fleet".to_owned())]);
    })
    .await;
}
