//! API keys: made, replaced and taken back, by admins and on the command line.

use std::time::{Duration, Instant};

use doorstep_server::{auth::scope::Scope, platform::token, store::access::Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    cli::{doorstep, output, stdout},
    support::{Answer, Socket, TestApp, TestPerson, text, with_app, with_manual_clock},
};

const KEYS: &str = "/api/v1/api-keys";

async fn ask(app: &TestApp, by: &TestPerson, method: Method, path: &str, body: &Value) -> Answer {
    Answer::to(app.as_person(by, method, path).json(body)).await
}

/// The id and the secret of a new key.
async fn make(app: &TestApp, by: &TestPerson, body: &Value) -> (String, String) {
    let made = ask(app, by, Method::POST, KEYS, body).await.expect(201);
    (text(&made["api_key"]["id"]), text(&made["secret"]))
}

/// The status of a call with this secret.
async fn status(app: &TestApp, secret: &str) -> u16 {
    Answer::to(app.bare(Method::GET, "/api/v1/orders").bearer_auth(secret)).await.status.as_u16()
}

async fn board(app: &TestApp, secret: &str) -> Socket {
    let mut socket = Socket::connect(app, "/ws/fleet", &[("authorization", &format!("Bearer {secret}"))]).await;
    socket.expect("snapshot").await;
    socket
}

/// The promise is a second.
async fn closes_at_once(socket: &mut Socket, asked: Instant) {
    assert_eq!(socket.close_code().await, 4500);
    assert!(asked.elapsed() < Duration::from_secs(1), "after {:?}", asked.elapsed());
}

async fn stays(socket: &mut Socket) {
    socket.send(&json!({"type":"ping"})).await;
    socket.expect("pong").await;
}

/// `doorstep api-key …` on this server's database.
fn api_key(app: &TestApp, arguments: &[&str]) -> std::process::Command {
    let mut command = doorstep(&["api-key"]);
    command.args(arguments).env("DATABASE_URL", &app.database_url);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_opens_nothing_and_its_sockets_close_within_a_second() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let (id, secret) = make(app, &ada, &json!({ "name": "shop" })).await;
        let (other_id, other) = make(app, &ada, &json!({ "name": "kitchen" })).await;
        let (mut shop, mut kitchen) = (board(app, &secret).await, board(app, &other).await);

        let path = format!("{KEYS}/{id}");
        assert_eq!(ask(app, &ada, Method::DELETE, &path, &Value::Null).await.status, 204);
        closes_at_once(&mut shop, Instant::now()).await;
        assert_eq!(status(app, &secret).await, 401);
        assert_eq!(ask(app, &ada, Method::DELETE, &path, &Value::Null).await.status, 204, "repeating it is harmless");
        stays(&mut kitchen).await;

        let revoked = output(api_key(app, &["revoke", &other_id])).await;
        let asked = Instant::now();
        assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
        closes_at_once(&mut kitchen, asked).await;
        assert_eq!(status(app, &other).await, 401);
        assert_eq!(status(app, &app.key).await, 200, "no other key ended");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_keeps_its_name_and_opens_with_the_new_secret_alone() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let (id, former) = make(app, &ada, &json!({ "name": "shop", "scopes": ["orders:read", "fleet:read"] })).await;
        let mut shop = board(app, &former).await;
        let path = format!("{KEYS}/{id}/rotate");
        let rotated = ask(app, &ada, Method::POST, &path, &json!({})).await.expect(200);
        closes_at_once(&mut shop, Instant::now()).await;
        let newest = text(&rotated["secret"]);
        assert_eq!((&rotated["api_key"]["id"], &rotated["api_key"]["name"]), (&json!(id), &json!("shop")));
        assert_eq!(rotated["api_key"]["scopes"], json!(["orders:read", "fleet:read"]));
        assert_eq!((status(app, &former).await, status(app, &newest).await), (401, 200));
        let mut shop = board(app, &newest).await;

        let printed = stdout(api_key(app, &["rotate", &id, "--overlap-minutes", "5"])).await;
        let after = printed.strip_suffix('\n').expect("one line");
        assert!(after.starts_with("ds_") && !after.contains(char::is_whitespace), "{printed:?}");
        assert_eq!((status(app, &newest).await, status(app, after).await), (200, 200));
        stays(&mut shop).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_secrets_work_side_by_side_for_as_long_as_was_said() {
    with_manual_clock(async |app, clock| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let (id, former) = make(app, &ada, &json!({ "name": "shop" })).await;
        let path = format!("{KEYS}/{id}/rotate");
        let rotated = ask(app, &ada, Method::POST, &path, &json!({ "overlap_s": 600 })).await.expect(200);
        let newest = text(&rotated["secret"]);
        clock.advance(599_000);
        assert_eq!((status(app, &former).await, status(app, &newest).await), (200, 200));
        clock.advance(1_000);
        assert_eq!((status(app, &former).await, status(app, &newest).await), (401, 200));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_nothing_after_its_time_and_a_new_time_is_given_with_a_new_secret() {
    with_manual_clock(async |app, clock| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let in_an_hour = || app.state().clock.now() + chrono::TimeDelta::hours(1);
        let (id, secret) = make(app, &ada, &json!({ "name": "shop", "expires_at": in_an_hour() })).await;
        clock.advance(3_599_000);
        assert_eq!(status(app, &secret).await, 200);
        clock.advance(1_000);
        assert_eq!(status(app, &secret).await, 401);
        let path = format!("{KEYS}/{id}/rotate");
        let refused = ask(app, &ada, Method::POST, &path, &json!({})).await.expect_problem(422, "invalid_fields");
        assert_eq!(refused["errors"][0]["field"], "expires_at");
        let rotated = ask(app, &ada, Method::POST, &path, &json!({ "expires_at": in_an_hour() })).await.expect(200);
        assert_eq!(status(app, &text(&rotated["secret"])).await, 200);
        assert_eq!(status(app, &secret).await, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_of_a_key_is_known_to_the_minute() {
    with_manual_clock(async |app, clock| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let (id, secret) = make(app, &ada, &json!({ "name": "shop" })).await;
        let used = async || {
            let listed = ask(app, &ada, Method::GET, KEYS, &Value::Null).await.expect(200);
            let keys = listed["items"].as_array().expect("keys").clone();
            let key = keys.into_iter().find(|key| key["id"] == json!(id)).expect("it is listed");
            key.get("last_used_at").map(|at| at.as_str().expect("a time").parse().expect("a time"))
        };
        assert_eq!(used().await, None, "making it is no use");
        let first: chrono::DateTime<chrono::Utc> = app.state().clock.now();
        status(app, &secret).await;
        assert_eq!(used().await, Some(first));
        clock.advance(59_000);
        status(app, &secret).await;
        assert_eq!(used().await, Some(first));
        clock.advance(2_000);
        status(app, &secret).await;
        assert_eq!(used().await, Some(app.state().clock.now()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_without_their_secrets() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let (id, secret) = make(app, &ada, &json!({ "name": "shop", "scopes": ["orders:read"] })).await;
        let expiring = stdout(api_key(app, &["create", "--name", "till", "--expires-days", "30"])).await;
        assert_eq!(status(app, expiring.trim_end()).await, 200);
        output(api_key(app, &["revoke", &id])).await;

        let answer = ask(app, &ada, Method::GET, &format!("{KEYS}?limit=2"), &Value::Null).await;
        for hidden in [&secret, expiring.trim_end(), &app.key] {
            assert!(!answer.text().contains(hidden), "{}", answer.text());
        }
        let listed = answer.expect(200);
        let [till, shop] = &listed["items"].as_array().expect("keys")[..] else { panic!("{listed}") };
        assert_eq!(
            (&till["name"], till["expires_at"].is_string(), till["created_by"].is_null()),
            (&json!("till"), true, true)
        );
        assert!(till["last_used_at"].is_string() && till["scopes"].as_array().is_some_and(|scopes| scopes.len() == 5));
        assert_eq!((&shop["created_by"], &shop["scopes"]), (&json!("ada@example.com"), &json!(["orders:read"])));
        assert!(shop["revoked_at"].is_string() && shop["last_used_at"].is_null(), "{shop}");
        let next = format!("{KEYS}?cursor={}", listed["next_cursor"].as_str().expect("there is one more"));
        let rest = ask(app, &ada, Method::GET, &next, &Value::Null).await.expect(200);
        assert_eq!((rest["items"].as_array().map(Vec::len), &rest["items"][0]["name"]), (Some(1), &json!("tests")));

        let printed = stdout(api_key(app, &["list"])).await;
        let lines: Vec<Vec<_>> = printed.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(lines[0], ["id", "name", "state", "created", "expires", "last used", "scopes"]);
        assert_eq!((lines.len(), lines[1][1], lines[1][2]), (4, "till", "active"));
        assert_eq!((lines[2][0], lines[2][2], lines[2][5], lines[2][6]), (&*id, "revoked", "-", "orders:read"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_key_is_said() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        for (body, field) in [
            (json!({ "name": " " }), "name"),
            (json!({ "name": "two\nlines" }), "name"),
            (json!({ "name": "shop", "scopes": [] }), "scopes"),
            (json!({ "name": "shop", "expires_at": "2020-01-01T00:00:00Z" }), "expires_at"),
            (json!({ "name": "shop", "expires_at": "+12020-01-01T00:00:00Z" }), "expires_at"),
        ] {
            let refused = ask(app, &ada, Method::POST, KEYS, &body).await.expect_problem(422, "invalid_fields");
            assert_eq!(refused["errors"][0]["field"], field, "{body}");
        }
        let unknown = json!({ "name": "shop", "scopes": ["everything"] });
        ask(app, &ada, Method::POST, KEYS, &unknown).await.expect_problem(400, "bad_request");

        let (id, _) = make(app, &ada, &json!({ "name": "shop" })).await;
        let path = format!("{KEYS}/{id}/rotate");
        let too_long = json!({ "overlap_s": 604_801 });
        ask(app, &ada, Method::POST, &path, &too_long).await.expect_problem(422, "invalid_fields");
        assert_eq!(ask(app, &ada, Method::DELETE, &format!("{KEYS}/{id}"), &Value::Null).await.status, 204);
        ask(app, &ada, Method::POST, &path, &json!({})).await.expect_problem(409, "api_key_revoked");
        for command in ["revoke", "rotate"] {
            let refused = output(api_key(app, &[command, "01981c2e-0000-7000-8000-000000000000"])).await;
            let reason = String::from_utf8(refused.stderr).expect("text");
            assert!(!refused.status.success() && reason.contains("there is no"), "{command}: {reason}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_makes_one_key_and_shows_its_secret_again() {
    with_app(async |app| {
        let ada = app.person("ada@example.com", Role::Admin).await;
        let make = async || {
            let request = app.as_person(&ada, Method::POST, KEYS).header("idempotency-key", "k-1");
            Answer::to(request.json(&json!({ "name": "shop" }))).await.expect(201)
        };
        assert_eq!(make().await, make().await);
        let keys: i64 = sqlx::query_scalar("select count(*) from api_keys where name = 'shop'")
            .fetch_one(&app.db)
            .await
            .expect("keys can be counted");
        assert_eq!(keys, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_ends_while_its_socket_opens_leaves_no_socket_behind() {
    with_app(async |app| {
        for _ in 0..20 {
            let key = app.key_with(&[Scope::FleetRead]).await;
            let id: uuid::Uuid = sqlx::query_scalar("select id from api_keys where token_hash = $1")
                .bind(&token::hash(&key)[..])
                .fetch_one(&app.db)
                .await
                .expect("it is there");
            let id = doorstep_shared::ApiKeyId::from_uuid(id);
            let authorization = format!("Bearer {key}");
            let headers = [("authorization", authorization.as_str())];
            let store = &app.state().store;
            let (opened, revoked) = tokio::join!(
                Socket::try_connect(app, "/ws/fleet", &headers),
                store.revoke_api_key(id, chrono::Utc::now())
            );
            assert_eq!(revoked.expect("the database is there"), Some(true));
            match opened {
                Ok(mut socket) => assert_eq!(socket.close_code().await, 4500),
                Err(refusal) => assert_eq!(refusal.status, 401),
            }
        }
    })
    .await;
}
