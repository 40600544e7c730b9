//! Who may do what over REST, and the headers that every answer has for browsers.

use doorstep_server::{
    auth::scope::Scope,
    platform::password,
    store::access::{Role, User},
};
use doorstep_shared::UserId;
use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, Socket, TestApp, order_body, with_app, with_settings};

/// A call with the scope it needs and the status of its answer when everything is right.
struct Call {
    method: Method,
    path: String,
    body: Option<Value>,
    scope: Scope,
    status: u16,
}

impl Call {
    fn request(&self, app: &TestApp) -> RequestBuilder {
        let request = app.bare(self.method.clone(), &self.path);
        match &self.body {
            Some(body) => request.json(body),
            None => request,
        }
    }
}

async fn calls(app: &TestApp) -> Vec<Call> {
    let ana = app.courier("Ana").await;
    let ben = app.invite().await;
    let order = app.assigned("A-1", &ana).await;
    let get = |path: String, scope| Call { method: Method::GET, path, body: None, scope, status: 200 };
    let post =
        |path: String, body: Value, scope, status| Call { method: Method::POST, path, body: Some(body), scope, status };
    let (orders, couriers) = ("/api/v1/orders", "/api/v1/couriers");
    vec![
        get(orders.to_owned(), Scope::OrdersRead),
        get(format!("{orders}/{}", order.id), Scope::OrdersRead),
        post(orders.to_owned(), order_body("A-2"), Scope::OrdersWrite, 201),
        post(format!("{orders}/{}/assign", order.id), json!({ "courier_id": ana.id }), Scope::OrdersWrite, 200),
        post(format!("{orders}/{}/status", order.id), json!({ "status": "picked_up" }), Scope::OrdersWrite, 200),
        get(format!("{orders}/counts"), Scope::OrdersRead),
        get("/api/v1/places?q=merkanti".to_owned(), Scope::OrdersRead),
        post(format!("{orders}/{}/tracking-link", order.id), json!({}), Scope::OrdersWrite, 201),
        Call {
            method: Method::PATCH,
            path: format!("{couriers}/{}", ana.id),
            body: Some(json!({ "name": "Anna" })),
            scope: Scope::CouriersWrite,
            status: 200,
        },
        get(couriers.to_owned(), Scope::CouriersRead),
        get(format!("{couriers}/{}", ana.id), Scope::CouriersRead),
        get(format!("{couriers}/{}/fixes", ana.id), Scope::CouriersRead),
        post(couriers.to_owned(), json!({ "name": "Ben", "vehicle": "van" }), Scope::CouriersWrite, 201),
        post(format!("{couriers}/{}/devices", ana.id), json!({ "label": "tablet" }), Scope::CouriersWrite, 201),
        get(ben.devices(), Scope::CouriersRead),
        post(format!("{}/sign-in", ben.device()), json!({}), Scope::CouriersWrite, 201),
        post(format!("{couriers}/{}/trackers", ben.courier), json!({ "app": "overland" }), Scope::CouriersWrite, 201),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_needs_a_key_with_its_own_scope() {
    with_app(async |app| {
        let device = app.courier("Device").await.device_token;
        for call in calls(app).await {
            let what = format!("{} {}", call.method, call.path);
            Answer::to(call.request(app)).await.expect_problem(401, "unauthorized");
            for wrong in ["ds_wrong", "wrong", "", &device] {
                Answer::to(call.request(app).bearer_auth(wrong)).await.expect_problem(401, "unauthorized");
            }
            let basic = call.request(app).basic_auth("key", Some(&app.key));
            Answer::to(basic).await.expect_problem(401, "unauthorized");
            let others: Vec<_> = Scope::ALL.into_iter().filter(|scope| *scope != call.scope).collect();
            let refused = Answer::to(call.request(app).bearer_auth(app.key_with(&others).await)).await;
            let problem = refused.expect_problem(403, "missing_scope");
            assert!(
                problem["detail"].as_str().is_some_and(|detail| detail.contains(call.scope.as_str())),
                "{what}: {problem}"
            );
            let own = app.key_with(&[call.scope]).await;
            let answer = Answer::to(call.request(app).bearer_auth(own)).await;
            assert_eq!(answer.status.as_u16(), call.status, "{what}: {}", answer.text());
            assert_eq!(answer.header("cache-control"), "no-store", "{what}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_caller_changes_nothing() {
    with_app(async |app| {
        let key = app.key_with(&[Scope::OrdersRead]).await;
        let request = app.bare(Method::POST, "/api/v1/orders").bearer_auth(key).json(&order_body("A-1"));
        Answer::to(request).await.expect_problem(403, "missing_scope");
        let orders = app.get("/api/v1/orders").await.expect(200);
        assert_eq!(orders["items"], json!([]));
    })
    .await;
}

const EMAIL: &str = "dora@example.com";
const PASSWORD: &str = "correct horse battery";

async fn register(app: &TestApp) {
    let password_hash = tokio::task::spawn_blocking(|| password::hash(PASSWORD)).await.expect("hashing does not panic");
    let user = User { id: UserId::new(), email: EMAIL.to_owned(), password_hash, role: Role::Dispatcher };
    assert!(app.state().store.create_user(&user).await.expect("the database is there"));
}

async fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    Answer::to(app.bare(Method::POST, "/api/v1/session").json(&json!({ "email": email, "password": password }))).await
}

/// `name=value` of the cookie that an answer sets.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_works_and_signs_out() {
    with_app(async |app| {
        register(app).await;
        let signed_in = sign_in(app, " Dora@Example.com ", PASSWORD).await;
        let set = signed_in.header("set-cookie").to_owned();
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
        let session = cookie(&signed_in);
        let who = signed_in.expect(200);
        assert_eq!((&who["email"], &who["role"]), (&json!(EMAIL), &json!("dispatcher")));
        assert!(who["expires_at"].is_string(), "{who}");
        let with = |method, path: &str| app.bare(method, path).header("cookie", &session);
        Answer::to(with(Method::GET, "/api/v1/orders")).await.expect(200);
        Answer::to(with(Method::POST, "/api/v1/orders").json(&order_body("A-1"))).await.expect(201);
        let signed_out = Answer::to(with(Method::DELETE, "/api/v1/session")).await;
        assert_eq!(signed_out.status, 204);
        assert!(signed_out.header("set-cookie").contains("Max-Age=0"), "{}", signed_out.header("set-cookie"));
        assert_eq!(signed_out.header("clear-site-data"), "\"cache\"");
        Answer::to(with(Method::GET, "/api/v1/orders")).await.expect_problem(401, "unauthorized");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_of_a_secure_site_is_bound_to_it() {
    with_settings(&["--public-url=https://app.example.com"], async |app| {
        register(app).await;
        let signed_in = sign_in(app, EMAIL, PASSWORD).await;
        let set = signed_in.header("set-cookie");
        assert!(set.starts_with("__Host-doorstep=") && set.contains("Secure") && !set.contains("Domain"), "{set}");
        assert_eq!(signed_in.header("strict-transport-security"), "max-age=31536000");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_cookie_is_never_taken_for_the_session() {
    with_app(async |app| {
        register(app).await;
        let body = json!({ "email": EMAIL, "password": PASSWORD });
        let request =
            app.bare(Method::POST, "/api/v1/session").header("cookie", "doorstep=chosen-by-the-attacker").json(&body);
        let session = cookie(&Answer::to(request).await);
        assert!(session.starts_with("doorstep=") && !session.contains("chosen"), "{session}");
        let request = app.bare(Method::GET, "/api/v1/orders").header("cookie", "doorstep=chosen-by-the-attacker");
        Answer::to(request).await.expect_problem(401, "unauthorized");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_account_look_the_same() {
    with_app(async |app| {
        register(app).await;
        let wrong = sign_in(app, EMAIL, "wrong horse battery").await;
        let unknown = sign_in(app, "nobody@example.com", PASSWORD).await;
        let odd = sign_in(app, "nobody\u{0}@example.com", PASSWORD).await;
        assert_eq!((wrong.status.as_u16(), &wrong.body), (401, &unknown.body));
        assert_eq!((unknown.status, odd.status, &odd.body), (wrong.status, wrong.status, &wrong.body));
        wrong.expect_problem(401, "unauthorized");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_slowed_down() {
    with_app(async |app| {
        register(app).await;
        for _ in 0..8 {
            sign_in(app, EMAIL, "a wrong guess").await.expect_problem(401, "unauthorized");
        }
        let refused = sign_in(app, EMAIL, PASSWORD).await;
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
        refused.expect_problem(429, "too_many_attempts");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_use_the_cookie_or_sign_a_person_in() {
    with_app(async |app| {
        register(app).await;
        let session = cookie(&sign_in(app, EMAIL, PASSWORD).await);
        let own_origin = format!("http://{}", app.address);
        for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 201), ("none", 201)] {
            let request =
                app.bare(Method::POST, "/api/v1/orders").header("cookie", &session).header("sec-fetch-site", site);
            let answer = Answer::to(request.json(&order_body(site))).await;
            assert_eq!(answer.status.as_u16(), status, "{site}: {}", answer.text());
        }
        for (origin, status) in [("https://evil.example", 403), ("null", 403), (own_origin.as_str(), 201)] {
            let request = app.bare(Method::POST, "/api/v1/orders").header("cookie", &session).header("origin", origin);
            let answer = Answer::to(request.json(&order_body(origin))).await;
            assert_eq!(answer.status.as_u16(), status, "{origin}: {}", answer.text());
        }
        let body = json!({ "email": EMAIL, "password": PASSWORD });
        for (origin, status) in [("https://evil.example", 403), ("null", 403), (own_origin.as_str(), 200)] {
            let request = app.bare(Method::POST, "/api/v1/session").header("origin", origin).json(&body);
            assert_eq!(Answer::to(request).await.status.as_u16(), status, "{origin}");
        }
        let form =
            app.bare(Method::POST, "/api/v1/session").header("content-type", "text/plain").body(body.to_string());
        Answer::to(form).await.expect_problem(415, "unsupported_media_type");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_tells_the_browser_to_be_careful() {
    with_app(async |app| {
        let order = app.order("A-1").await;
        let paths = [
            format!("/t/{}", order.token),
            "/t/unknown".to_owned(),
            "/nowhere".to_owned(),
            "/api/v1/orders".to_owned(),
            "/api/v1/nowhere".to_owned(),
            format!("/api/v1/track/{}", order.token),
            "/health/live".to_owned(),
            "/assets/nothing.js".to_owned(),
        ];
        for path in paths {
            let answer = app.get(&path).await;
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
            assert_eq!(answer.header("strict-transport-security"), "", "{path}: not over plain HTTP");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tracking_page_allows_only_its_own_script_and_is_not_kept() {
    with_app(async |app| {
        let order = app.order("A-1").await;
        let path = format!("/t/{}", order.token);
        let mut nonces = Vec::new();
        for _ in 0..2 {
            let page = Answer::to(app.bare(Method::GET, &path)).await;
            assert_eq!(page.status, 200);
            assert_eq!(page.header("cache-control"), "no-store");
            assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
            let policy = page.header("content-security-policy").to_owned();
            for rule in ["default-src 'none'", "base-uri 'none'", "object-src 'none'", "frame-ancestors "] {
                assert!(policy.contains(rule), "{policy}");
            }
            assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
            let (_, nonce) = policy.split_once("'nonce-").expect("a nonce");
            let (nonce, _) = nonce.split_once('\'').expect("its end");
            let html = page.text();
            let scripts = html.matches("<script").count();
            assert!(html.contains("A-1"));
            assert_eq!(html.matches(&format!("nonce=\"{nonce}\"")).count() >= scripts, scripts > 0, "{html}");
            nonces.push(nonce.to_owned());
        }
        assert_ne!(nonces[0], nonces[1]);
        assert_eq!(Answer::to(app.bare(Method::GET, "/t/unknown")).await.status, 404);
        app.set_status(&order, "cancelled").await;
        assert_eq!(Answer::to(app.bare(Method::GET, &path)).await.status, 200, "the outcome is shown for a while");
        sqlx::query("update orders set status_at = status_at - interval '10 years' where reference = 'A-1'")
            .execute(&app.db)
            .await
            .expect("the order ends long ago");
        let gone = Answer::to(app.bare(Method::GET, &path)).await;
        assert_eq!((gone.status.as_u16(), gone.text().contains("A-1")), (410, false));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_a_listener_of_their_own() {
    with_app(async |app| {
        let metrics = app.metrics().await;
        assert!(metrics.contains("doorstep_tasks_running"), "{metrics}");
        for request in [app.bare(Method::GET, "/metrics"), app.request(Method::GET, "/metrics")] {
            let answer = Answer::to(request).await;
            assert_eq!(answer.status, 404, "not where a proxy passes everything on");
            assert!(!answer.text().contains("doorstep_tasks_running"));
        }
    })
    .await;
}

/// Sends unknown secrets from all over one home network, until they are refused.
async fn guess(app: &TestApp, path: &str, secret: Option<&str>) -> Answer {
    for round in 0..100 {
        let guesses = (0..25).map(|n| {
            let request = app.bare(Method::GET, path).header("x-forwarded-for", format!("2001:db8:1:2::{round}:{n}"));
            Answer::to(match secret {
                Some(secret) => request.bearer_auth(secret),
                None => request,
            })
        });
        let refused = join_all(guesses).await.into_iter().find(|answer| !answer.header("retry-after").is_empty());
        if let Some(refused) = refused {
            return refused;
        }
    }
    panic!("every guess was looked up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_sends_too_many_unknown_secrets_must_wait() {
    with_settings(&["--trust-proxy"], async |app| {
        let order = app.order("A-1").await;
        let link = |token: &str| format!("/api/v1/track/{token}");
        guess(app, &link("nobodys"), None).await.expect_problem(429, "too_many_attempts");
        guess(app, "/ws/track/nobodys", None).await.expect_problem(429, "too_many_attempts");
        assert_eq!(guess(app, "/t/nobodys", None).await.status, 429);
        guess(app, "/api/v1/orders", Some("ds_nobodys")).await.expect_problem(429, "too_many_attempts");
        guess(app, "/api/v1/courier/tour", Some("nobodys")).await.expect_problem(429, "too_many_attempts");
        // Other people's apps delete a point that is answered with a 4xx.
        guess(app, "/ingest/osmand?id=nobodys&lat=35.9&lon=14.5", None).await.expect_problem(503, "slow_down");
        // Guesses go on, and secrets that exist open what they open from the very same network.
        let guesses = async {
            for _ in 0..10_000 {
                join_all((0..4).map(async |_| guess(app, &link("nobodys"), None).await)).await;
            }
        };
        let honest = async {
            for _ in 0..20 {
                let from = ("x-forwarded-for", "2001:db8:1:2::1");
                let customer = app.bare(Method::GET, &link(&order.token)).header(from.0, from.1);
                let program = app.request(Method::GET, "/api/v1/orders").header(from.0, from.1);
                let page = app.bare(Method::GET, &format!("/t/{}", order.token)).header(from.0, from.1);
                for request in [customer, program, page] {
                    assert_eq!(Answer::to(request).await.status, 200, "who shows a good secret is never refused");
                }
                let path = format!("/ws/track/{}", order.token);
                Socket::connect(app, &path, &[from]).await.expect("snapshot").await;
            }
        };
        tokio::select! {
            () = honest => {}
            () = guesses => panic!("the guesses end first"),
        }
        let neighbour = || app.bare(Method::GET, &link(&order.token)).header("x-forwarded-for", "2001:db8:1:3::1");
        for _ in 0..16 {
            let found = join_all((0..25).map(|_| Answer::to(neighbour()))).await;
            assert!(found.iter().all(|answer| answer.status == 200), "what is found is not counted");
        }
    })
    .await;
}
