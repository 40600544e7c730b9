//! People at the console: sessions that end, and the page on which they begin.

use std::{process::Command, sync::Arc};

use doorstep_server::{
    live::{
        connections::{Admission, Claim, Holder},
        outbox::{Outbox, Peer, Wire},
    },
    platform::token,
    store::access::Role,
};
use doorstep_shared::protocol::Codec;
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, PASSWORD, TestApp, TestPerson, eventually, with_app, with_settings};

const DORA: &str = "dora@example.com";

async fn session(app: &TestApp, cookie: &str) -> Answer {
    Answer::to(app.bare(Method::GET, "/api/v1/session").header("cookie", cookie)).await
}

/// A console's connection as the registry knows it.
fn open_console(app: &TestApp, holder: Holder) -> (Admission, Arc<Outbox>) {
    let outbox = Outbox::new(Wire::Socket(Codec::Json), Peer::Dispatcher);
    let admission = app.state().connections.admit(None, Claim::Console(holder)).expect("there is room");
    admission.open_console(&outbox, holder);
    (admission, outbox)
}

fn held_by(person: &TestPerson) -> Holder {
    let (_, secret) = person.cookie.split_once('=').expect("a cookie");
    Holder::Session { user: person.id, token_hash: token::hash(secret) }
}

/// `doorstep user …` on this server's database.
async fn user(app: &TestApp, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorstep"));
    command.arg("user").args(arguments).env("DATABASE_URL", &app.database_url);
    command.env("DOORSTEP_PASSWORD", "a new password entirely");
    let finished = tokio::task::spawn_blocking(move || command.output()).await.expect("waiting does not panic");
    finished.expect("the command starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_says_whose_it_is() {
    with_app(async |app| {
        let dora = app.person(DORA, Role::Admin).await;
        let who = session(app, &dora.cookie).await.expect(200);
        assert_eq!((&who["email"], &who["role"]), (&json!(DORA), &json!("admin")));
        assert!(who["expires_at"].is_string(), "{who}");
        session(app, "doorstep=made-up").await.expect_problem(401, "unauthorized");
        Answer::to(app.bare(Method::GET, "/api/v1/session")).await.expect_problem(401, "unauthorized");
        app.get("/api/v1/session").await.expect_problem(401, "unauthorized");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_ends_the_session_that_the_browser_had() {
    with_app(async |app| {
        let dora = app.person(DORA, Role::Dispatcher).await;
        let (_admission, board) = open_console(app, held_by(&dora));
        let body = json!({ "email": DORA, "password": PASSWORD });
        let again = Answer::to(app.as_person(&dora, Method::POST, "/api/v1/session").json(&body)).await;
        assert_ne!(again.cookie(), dora.cookie);
        session(app, &again.cookie()).await.expect(200);
        session(app, &dora.cookie).await.expect_problem(401, "unauthorized");
        assert_eq!(board.closed_with(), Some(4500));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sign_in_ends_nothing() {
    with_app(async |app| {
        let dora = app.person(DORA, Role::Dispatcher).await;
        let body = json!({ "email": DORA, "password": "wrong horse battery" });
        let failed = Answer::to(app.as_person(&dora, Method::POST, "/api/v1/session").json(&body)).await;
        failed.expect_problem(401, "unauthorized");
        session(app, &dora.cookie).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_closes_the_sockets_of_that_session_only() {
    with_app(async |app| {
        let dora = app.person(DORA, Role::Dispatcher).await;
        let at_home = TestPerson { cookie: app.signed_in(DORA).await, ..dora.clone() };
        let ((_one, board), (_other, phone)) =
            (open_console(app, held_by(&dora)), open_console(app, held_by(&at_home)));
        assert_eq!(Answer::to(app.as_person(&dora, Method::DELETE, "/api/v1/session")).await.status, 204);
        assert_eq!((board.closed_with(), phone.closed_with()), (Some(4500), None));
        session(app, &at_home.cookie).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_sign_a_person_out() {
    with_app(async |app| {
        let dora = app.person(DORA, Role::Dispatcher).await;
        let request = app.as_person(&dora, Method::DELETE, "/api/v1/session").header("sec-fetch-site", "cross-site");
        Answer::to(request).await.expect_problem(403, "origin_not_allowed");
        session(app, &dora.cookie).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_unused_and_however_much_it_is_used() {
    with_app(async |app| {
        let age = async |column: &str, by: &str| {
            let statement = format!("update sessions set {column} = {column} - interval '{by}'");
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&app.db).await.expect("sessions can be aged");
        };
        let dora = app.person(DORA, Role::Dispatcher).await;
        age("last_used_at", "11 hours").await;
        session(app, &dora.cookie).await.expect(200);
        age("last_used_at", "11 hours").await;
        session(app, &dora.cookie).await.expect(200);
        age("last_used_at", "12 hours 1 minute").await;
        session(app, &dora.cookie).await.expect_problem(401, "unauthorized");

        let fresh = app.signed_in(DORA).await;
        age("expires_at", "6 days 23 hours").await;
        session(app, &fresh).await.expect(200);
        age("expires_at", "1 hour").await;
        session(app, &fresh).await.expect_problem(401, "unauthorized");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_person_is_signed_out_at_once_and_comes_back_when_enabled() {
    with_app(async |app| {
        let dora = app.person(DORA, Role::Dispatcher).await;
        let eve = app.person("eve@example.com", Role::Dispatcher).await;
        let ((_one, board), (_other, hers)) = (open_console(app, held_by(&dora)), open_console(app, held_by(&eve)));
        assert!(user(app, &["disable", "--email", "Dora@example.com"]).await.status.success());
        session(app, &dora.cookie).await.expect_problem(401, "unauthorized");
        eventually("the board is closed", async || board.closed_with() == Some(4500)).await;
        let body = json!({ "email": DORA, "password": PASSWORD });
        let refused = Answer::to(app.bare(Method::POST, "/api/v1/session").json(&body)).await;
        refused.expect_problem(401, "unauthorized");
        assert_eq!(hers.closed_with(), None, "no other person's");
        assert!(user(app, &["enable", "--email", DORA]).await.status.success());
        session(app, &dora.cookie).await.expect_problem(401, "unauthorized");
        app.signed_in(DORA).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_every_session_of_the_old_one() {
    with_app(async |app| {
        let dora = app.person(DORA, Role::Admin).await;
        let (_admission, board) = open_console(app, held_by(&dora));
        assert!(user(app, &["set-password", "--email", DORA]).await.status.success());
        session(app, &dora.cookie).await.expect_problem(401, "unauthorized");
        eventually("the board is closed", async || board.closed_with() == Some(4500)).await;
        for (password, status) in [(PASSWORD, 401), ("a new password entirely", 200)] {
            let body = json!({ "email": DORA, "password": password });
            let answer = Answer::to(app.bare(Method::POST, "/api/v1/session").json(&body)).await;
            assert_eq!(answer.status.as_u16(), status, "{password}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_listed_and_strangers_are_named_as_such() {
    with_app(async |app| {
        app.register("ada@example.com", Role::Admin).await;
        app.person(DORA, Role::Dispatcher).await;
        user(app, &["disable", "--email", "ada@example.com"]).await;
        let listed = String::from_utf8(user(app, &["list"]).await.stdout).expect("text");
        let lines: Vec<Vec<_>> = listed.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(lines[0], ["email", "role", "state", "since", "last used"]);
        assert_eq!((lines[1][..3].to_vec(), lines[1][4]), (vec!["ada@example.com", "admin", "disabled"], "-"));
        assert_eq!(lines[2][..3], [DORA, "dispatcher", "active"]);
        assert!(lines[2][4].ends_with('Z') && lines.len() == 3, "{listed}");
        for command in ["disable", "enable", "set-password"] {
            let refused = user(app, &[command, "--email", "nobody@example.com"]).await;
            let reason = String::from_utf8(refused.stderr).expect("text");
            assert!(!refused.status.success() && reason.contains("nobody has the address"), "{command}: {reason}");
        }
    })
    .await;
}

/// Sends the form of the page, as a browser without scripts does.
async fn submit(app: &TestApp, fields: &[(&str, &str)]) -> Answer {
    submit_from(app, fields, &format!("http://{}", app.address)).await
}

async fn submit_from(app: &TestApp, fields: &[(&str, &str)], origin: &str) -> Answer {
    let body = reqwest::Url::parse_with_params("http://form", fields).expect("a form");
    let request = app.bare(Method::POST, "/login").header("content-type", "application/x-www-form-urlencoded");
    Answer::to(request.header("origin", origin).body(body.query().unwrap_or_default().to_owned())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_signs_a_person_in_and_leads_them_where_they_wanted_to_go() {
    with_app(async |app| {
        app.register(DORA, Role::Dispatcher).await;
        let page = Answer::to(app.bare(Method::GET, "/login?next=/dispatch?tab=active%26q=x")).await;
        assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-store"));
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
        assert!(page.text().contains("value=\"/dispatch?tab=active&amp;q=x\""), "{}", page.text());

        let fields = [("email", " Dora@example.com"), ("password", PASSWORD), ("next", "/dispatch?tab=active&q=x")];
        let signed_in = submit(app, &fields).await;
        assert_eq!((signed_in.status.as_u16(), signed_in.header("location")), (303, "/dispatch?tab=active&q=x"));
        assert!(signed_in.header("set-cookie").contains("HttpOnly"), "{}", signed_in.header("set-cookie"));
        session(app, &signed_in.cookie()).await.expect(200);
        let again = app.bare(Method::GET, "/login").header("cookie", signed_in.cookie());
        let again = Answer::to(again).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (303, "/dispatch"));

        let foreign = [("email", DORA), ("password", PASSWORD), ("next", "//evil.example/x")];
        assert_eq!(submit(app, &foreign).await.header("location"), "/dispatch");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_with_the_form_is_said_in_words() {
    with_app(async |app| {
        app.register(DORA, Role::Dispatcher).await;
        let wrong = submit(app, &[("email", DORA), ("password", "wrong horse battery"), ("next", "/dispatch?a")]).await;
        assert_eq!(wrong.status, 401);
        let html = wrong.text();
        assert!(html.contains("role=\"alert\"") && html.contains("do not match") && html.contains("Not signed in"));
        assert!(html.contains(&format!("value=\"{DORA}\"")) && html.contains("value=\"/dispatch?a\""), "{html}");
        assert!(!html.contains("wrong horse"), "the password never comes back");
        assert!(wrong.headers.get("set-cookie").is_none());

        let unknown =
            submit(app, &[("email", "eve@example.com"), ("password", PASSWORD), ("next", "/dispatch?a")]).await;
        assert_eq!(unknown.text().replace("eve@", "dora@"), html, "an unknown account looks the same");
        for empty in [&[("email", DORA)][..], &[("password", PASSWORD)], &[], &[("email", " "), ("password", "x")]] {
            let incomplete = submit(app, empty).await;
            assert!(incomplete.status == 400 && incomplete.text().contains("Enter your email"), "{empty:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_and_the_api_share_one_throttle() {
    with_app(async |app| {
        app.register(DORA, Role::Dispatcher).await;
        let body = json!({ "email": DORA, "password": "a wrong guess" });
        for _ in 0..4 {
            assert_eq!(submit(app, &[("email", DORA), ("password", "a wrong guess")]).await.status, 401);
            Answer::to(app.bare(Method::POST, "/api/v1/session").json(&body)).await.expect_problem(401, "unauthorized");
        }
        let refused = submit(app, &[("email", DORA), ("password", PASSWORD)]).await;
        let seconds: u32 = refused.header("retry-after").parse().expect("a number of seconds");
        assert_eq!((refused.status.as_u16(), (1..=15).contains(&seconds)), (429, true), "{seconds}");
        assert!(refused.text().contains(&format!("Wait {seconds} second")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_properly_is_not_counted() {
    with_app(async |app| {
        app.register(DORA, Role::Dispatcher).await;
        for _ in 0..10 {
            app.signed_in(DORA).await;
        }
        let endless = format!("{}@example.com", "d".repeat(250));
        for _ in 0..10 {
            let body = json!({ "email": endless, "password": "a wrong guess" });
            Answer::to(app.bare(Method::POST, "/api/v1/session").json(&body)).await.expect_problem(401, "unauthorized");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_with_the_old_password_does_not_survive_a_new_one() {
    with_app(async |app| {
        app.register(DORA, Role::Dispatcher).await;
        let store = &app.state().store;
        let (now, later) = (chrono::Utc::now(), chrono::Utc::now() + chrono::TimeDelta::hours(1));
        let found = async || store.user_by_email(DORA).await.expect("the database is there").expect("Dora");
        // A person's password was just found to be right.
        let proven = found().await;
        store.set_password(DORA, "$argon2id$another").await.expect("the database is there");
        assert!(!store.create_session(&[1; 32], &proven, now, later).await.expect("the database is there"));
        let proven = found().await;
        store.set_user_disabled(DORA, true).await.expect("the database is there");
        assert!(!store.create_session(&[2; 32], &proven, now, later).await.expect("the database is there"));
        store.set_user_disabled(DORA, false).await.expect("the database is there");

        // The new password is being written, and other transactions do not see it yet.
        let proven = found().await;
        let mut changing = app.db.begin().await.expect("the database is there");
        let changed = sqlx::query("update users set password_hash = '$argon2id$third' where email = $1").bind(DORA);
        changed.execute(&mut *changing).await.expect("Dora is there");
        let waiting =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let (began, ()) = tokio::join!(store.create_session(&[3; 32], &proven, now, later), async {
            eventually("the session waiting for the change", async || {
                let count: i64 = sqlx::query_scalar(waiting).fetch_one(&app.db).await.expect("the database is there");
                count > 0
            })
            .await;
            changing.commit().await.expect("the database is there");
        });
        assert!(!began.expect("the database is there"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_on_another_sites_page_signs_no_one_in() {
    with_app(async |app| {
        app.register(DORA, Role::Dispatcher).await;
        let fields = [("email", DORA), ("password", PASSWORD)];
        for origin in ["https://evil.example", "null"] {
            let refused = submit_from(app, &fields, origin).await;
            assert_eq!(refused.status, 403, "{origin}");
            assert!(
                refused.headers.get("set-cookie").is_none() && refused.text().contains("did not come from this page")
            );
        }
        let request = app.bare(Method::POST, "/login").header("sec-fetch-site", "cross-site");
        let body = format!("email={DORA}&password={PASSWORD}");
        assert_eq!(Answer::to(request.body(body)).await.status, 403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_a_secure_site_sets_a_cookie_bound_to_it() {
    with_settings(&["--public-url=https://app.example.com"], async |app| {
        app.register(DORA, Role::Dispatcher).await;
        let fields = [("email", DORA), ("password", PASSWORD)];
        let set = submit_from(app, &fields, "https://app.example.com").await;
        let set = set.header("set-cookie");
        assert!(set.starts_with("__Host-doorstep=") && set.contains("Secure") && set.contains("SameSite=Lax"), "{set}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_is_for_people_who_are_signed_in_and_all_others_get_the_form() {
    with_app(async |app| {
        let wanted = "/dispatch?tab=done&q=x%20y";
        let form = "/login?next=%2Fdispatch%3Ftab%3Ddone%26q%3Dx%2520y";
        for stranger in [
            app.bare(Method::GET, wanted),
            app.bare(Method::GET, wanted).header("cookie", "doorstep=made-up"),
            app.request(Method::GET, wanted),
        ] {
            let answer = Answer::to(stranger).await;
            assert_eq!((answer.status.as_u16(), answer.header("location")), (303, form));
        }
        for role in [Role::Dispatcher, Role::Admin] {
            let person = app.person(&format!("{}@example.com", role.as_str()), role).await;
            let page = Answer::to(app.bare(Method::GET, wanted).header("cookie", &person.cookie)).await;
            assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, "no-store"));
            let policy = page.header("content-security-policy");
            assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
            assert!(!policy.contains("unsafe-inline") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(page.text().contains(&format!("data-role=\"{}\"", role.as_str())), "{}", page.text());
        }
    })
    .await;
}
