//! A courier's browser signs in with a link and out again: once, in time, not by another site's page, and for couriers'
//! endpoints only.

use reqwest::Method;
use serde_json::json;

use crate::support::{
    Answer, Socket, TestApp, code_in, now_ms, order_body, set_cookie, step, with_app, with_manual_clock, with_settings,
};

const SESSION: &str = "/api/v1/courier/session";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

async fn home(app: &TestApp, cookie: &str) -> Answer {
    Answer::to(app.bare(Method::GET, "/api/v1/courier").header("cookie", cookie)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_its_phone_in_for_everything_a_courier_does() {
    with_app(async |app| {
        let ana = app.invite().await;
        assert!(ana.code.len() >= 22, "at least 128 bits in base64url");
        assert_ne!(ana.code, ana.device_token);
        let answer = Answer::to(app.exchange(&ana.code)).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let ours = set_cookie(&answer);
        let expected = json!({
            "id": ana.courier, "name": "Ana", "vehicle": "scooter", "device_id": ana.device, "device_label": "Ana's phone",
        });
        assert_eq!(answer.expect(200), expected);
        assert_eq!(home(app, &ours).await.expect(200), expected);
        let by_token = app.bare(Method::GET, "/api/v1/courier").bearer_auth(&ana.device_token);
        assert_eq!(Answer::to(by_token).await.expect(200), expected);
        let mut socket = app.connect_browser(&ours).await;
        let ack = socket.report(1, &[step(now_ms(), 0)]).await;
        assert_eq!(ack["stored"], 1, "{ack}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    with_app(async |app| {
        let ana = app.invite().await;
        let answer = Answer::to(app.exchange(&ana.code)).await;
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("doorstep-courier="), "{cookie}");
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=15552000"] {
            assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
        }
        assert!(!cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
    })
    .await;
    with_settings(&["--public-url=https://track.example.com"], async |app| {
        let ana = app.invite().await;
        let answer = Answer::to(app.exchange(&ana.code)).await;
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("__Host-doorstep-courier="), "{cookie}");
        for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.split("; ").any(|part| part == attribute), "{attribute}: {cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_however_many_try_it_at_the_same_time() {
    with_app(async |app| {
        let ana = app.invite().await;
        let tries = (0..12).map(|_| Answer::to(app.exchange(&ana.code)));
        let answers = futures_util::future::join_all(tries).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 11));
        home(app, &set_cookie(&won[0])).await.expect(200);
        for answer in lost {
            assert_eq!(answer.header("set-cookie"), "");
            answer.expect_problem(410, "sign_in_link_spent");
        }
        Answer::to(app.exchange(&ana.code)).await.expect_problem(410, "sign_in_link_spent");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_with_a_link_the_answer_is_the_same() {
    with_manual_clock(async |app, clock| {
        let (used, replaced, late) = (app.invite().await, app.invite().await, app.invite().await);
        app.sign_in(&used.code).await;
        app.post(&format!("{}/sign-in", replaced.device()), &json!({})).await.expect(201);
        clock.advance(10 * MINUTE_MS);
        let revoked = app.invite().await;
        let request = app.request(Method::DELETE, &revoked.device());
        assert_eq!(Answer::to(request).await.status, 204);
        let codes = [&used.code, &replaced.code, &late.code, &revoked.code, &used.device_token, "x", "", "\0"];
        let mut bodies = Vec::new();
        for code in codes {
            let answer = Answer::to(app.exchange(code)).await;
            assert_eq!(answer.header("set-cookie"), "", "{code}");
            bodies.push(answer.expect_problem(410, "sign_in_link_spent"));
        }
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_until_its_time_is_over_and_can_be_made_anew() {
    with_manual_clock(async |app, clock| {
        let ana = app.invite().await;
        clock.advance(10 * MINUTE_MS - 1);
        let early = app.sign_in(&ana.code).await;
        home(app, &early).await.expect(200);
        let again = app.post(&format!("{}/sign-in", ana.device()), &json!({})).await.expect(201);
        clock.advance(10 * MINUTE_MS);
        Answer::to(app.exchange(&code_in(&again))).await.expect_problem(410, "sign_in_link_spent");
        let again = app.post(&format!("{}/sign-in", ana.device()), &json!({})).await.expect(201);
        let later = app.sign_in(&code_in(&again)).await;
        home(app, &later).await.expect(200);
        home(app, &early).await.expect_problem(401, "unauthorized");
    })
    .await;
    with_settings(&["--sign-in-minutes=1440"], async |app| {
        let ana = app.invite().await;
        let link = app.post(&format!("{}/sign-in", ana.device()), &json!({})).await.expect(201);
        let until = link["sign_in_expires_at"].as_str().expect("a time");
        let until = chrono::DateTime::parse_from_rfc3339(until).expect("RFC 3339").timestamp_millis();
        assert!((until - now_ms() - DAY_MS).abs() < MINUTE_MS, "{until}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_phone_that_may_report_gets_a_new_link() {
    with_app(async |app| {
        let ana = app.invite().await;
        let ben = app.invite().await;
        let elsewhere = format!("{}/{}/sign-in", ben.devices(), ana.device);
        let nowhere = format!("{}/nowhere/sign-in", ben.devices());
        for path in [elsewhere, nowhere] {
            app.post(&path, &json!({})).await.expect_problem(404, "not_found");
        }
        assert_eq!(Answer::to(app.request(Method::DELETE, &ana.device())).await.status, 204);
        app.post(&format!("{}/sign-in", ana.device()), &json!({})).await.expect_problem(409, "device_revoked");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_another_party_chose_is_never_used() {
    with_app(async |app| {
        let (ana, ben) = (app.invite().await, app.invite().await);
        let planted = "doorstep-courier=planted";
        let fresh = Answer::to(app.exchange(&ana.code).header("cookie", planted)).await;
        assert_eq!(fresh.status, 200);
        assert_ne!(set_cookie(&fresh), planted);
        home(app, planted).await.expect_problem(401, "unauthorized");
        let other = Answer::to(app.exchange(&ben.code).header("cookie", set_cookie(&fresh))).await;
        assert_ne!(set_cookie(&other), set_cookie(&fresh));
        assert_eq!(home(app, &set_cookie(&other)).await.expect(200)["id"], ben.courier.as_str());
        assert_eq!(home(app, &set_cookie(&fresh)).await.expect(200)["id"], ana.courier.as_str());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_a_phone_in_again_ends_its_earlier_session() {
    with_app(async |app| {
        let ana = app.invite().await;
        let early = app.sign_in(&ana.code).await;
        let mut socket = app.connect_browser(&early).await;
        let link = app.post(&format!("{}/sign-in", ana.device()), &json!({})).await.expect(201);
        let later = app.sign_in(&code_in(&link)).await;
        assert_eq!(socket.close_code().await, 4500);
        home(app, &early).await.expect_problem(401, "unauthorized");
        home(app, &later).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_it_is_not_used_for_a_month_or_after_half_a_year() {
    with_manual_clock(async |app, clock| {
        let (idle, busy) = (app.invite().await, app.invite().await);
        let (idle, busy) = (app.sign_in(&idle.code).await, app.sign_in(&busy.code).await);
        for _ in 0..8 {
            clock.advance(20 * DAY_MS);
            home(app, &busy).await.expect(200);
        }
        home(app, &idle).await.expect_problem(401, "unauthorized");
        clock.advance(20 * DAY_MS - 1);
        home(app, &busy).await.expect(200);
        clock.advance(1);
        home(app, &busy).await.expect_problem(401, "unauthorized");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_does_not_outlive_its_session() {
    with_manual_clock(async |app, clock| {
        let ana = app.invite().await;
        let session = app.sign_in(&ana.code).await;
        let mut socket = app.connect_browser(&session).await;
        let mut native = Socket::courier(app, &app.device(&ana.courier).await).await;
        native.expect("welcome").await;
        clock.advance(29 * DAY_MS);
        app.state().devices.check_connected().await.expect("the database is there");
        clock.advance(29 * DAY_MS);
        home(app, &session).await.expect(200);
        clock.advance(122 * DAY_MS);
        app.state().devices.check_connected().await.expect("the database is there");
        assert_eq!(socket.close_code().await, 4500);
        // The phone with a token stays connected.
        native.everything_so_far().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_only_session_of_a_courier_reaches_its_end_it_is_said_why_nothing_comes() {
    with_manual_clock(async |app, clock| {
        let ana = app.invite().await;
        let mut socket = app.connect_browser(&app.sign_in(&ana.code).await).await;
        clock.advance(181 * DAY_MS);
        app.state().devices.check_connected().await.expect("the database is there");
        assert_eq!(socket.close_code().await, 4500);
        let presence = app.get(&format!("/api/v1/couriers/{}", ana.courier)).await.expect(200)["presence"].clone();
        assert_eq!((&presence["state"], &presence["reason"]), (&json!("paused"), &json!("no_permission")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session_and_closes_its_sockets_only() {
    with_app(async |app| {
        let ana = app.invite().await;
        let session = app.sign_in(&ana.code).await;
        let mut socket = app.connect_browser(&session).await;
        let mut native = Socket::courier(app, &app.device(&ana.courier).await).await;
        native.expect("welcome").await;
        let request = app.bare(Method::DELETE, SESSION).header("cookie", &session).header("origin", app.origin());
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 204);
        let removal = answer.header("set-cookie");
        assert!(removal.starts_with("doorstep-courier=;") && removal.contains("Max-Age=0"), "{removal}");
        assert_eq!(socket.close_code().await, 4500);
        native.everything_so_far().await;
        home(app, &session).await.expect_problem(401, "unauthorized");
        let again = app.bare(Method::DELETE, SESSION).header("cookie", &session);
        assert_eq!(Answer::to(again).await.status, 204);
        // The phone's token is another credential, which signing out of the browser leaves alone.
        let by_token = app.bare(Method::GET, "/api/v1/courier").bearer_auth(&ana.device_token);
        Answer::to(by_token).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_can_neither_sign_a_courier_in_nor_out_nor_open_their_socket() {
    with_app(async |app| {
        let ana = app.invite().await;
        let session = app.sign_in(&ana.code).await;
        let own = app.origin();
        let trick = format!("{own}.evil");
        for method in [Method::POST, Method::DELETE] {
            for (name, value) in [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                ("origin", "https://evil.example"),
                ("origin", "null"),
                ("origin", &trick),
            ] {
                let request = app.bare(method.clone(), SESSION).header("cookie", &session).header(name, value);
                let answer = Answer::to(request.json(&json!({ "code": "x" }))).await;
                answer.expect_problem(403, "origin_not_allowed");
            }
        }
        let form = app.bare(Method::POST, SESSION).header("content-type", "text/plain").body(r#"{"code":"x"}"#);
        Answer::to(form).await.expect_problem(415, "unsupported_media_type");
        for headers in [
            vec![("cookie", session.as_str())],
            vec![("cookie", &session), ("origin", "https://evil.example")],
            vec![("cookie", &session), ("origin", "null")],
            vec![("cookie", &session), ("origin", &trick)],
            vec![("cookie", &session), ("origin", &own), ("origin", "https://evil.example")],
        ] {
            let refused = Socket::try_connect(app, "/ws/courier", &headers).await.err().expect("refused");
            assert_eq!((refused.status, refused.code.as_str()), (403, "origin_not_allowed"), "{headers:?}");
        }
        home(app, &session).await.expect(200);
        let bearer = format!("Bearer {}", ana.device_token);
        Socket::connect(app, "/ws/courier", &[("authorization", &bearer)]).await;
        let wrong = [("cookie", "doorstep-courier=wrong"), ("origin", own.as_str())];
        assert_eq!(Socket::try_connect(app, "/ws/courier", &wrong).await.err().expect("refused").status, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_couriers_credentials_open_nothing_of_dispatch_and_the_other_way_round() {
    with_app(async |app| {
        let ana = app.invite().await;
        let session = app.sign_in(&ana.code).await;
        let calls = [
            (Method::GET, "/api/v1/couriers".to_owned()),
            (Method::POST, "/api/v1/couriers".to_owned()),
            (Method::GET, ana.devices()),
            (Method::POST, ana.devices()),
            (Method::DELETE, ana.device()),
            (Method::POST, format!("{}/sign-in", ana.device())),
            (Method::GET, format!("/api/v1/couriers/{}/fixes", ana.courier)),
            (Method::GET, "/api/v1/orders".to_owned()),
            (Method::POST, "/api/v1/orders".to_owned()),
        ];
        for (method, path) in calls {
            let (_, secret) = session.split_once('=').expect("name and value");
            let call = || app.bare(method.clone(), &path).json(&order_body("A-1"));
            for request in [
                call().header("cookie", &session),
                call().header("cookie", format!("doorstep={secret}")),
                call().bearer_auth(&ana.device_token),
                call().bearer_auth(secret),
            ] {
                let answer = Answer::to(request).await;
                assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text());
            }
        }
        let courier = || app.bare(Method::GET, "/api/v1/courier");
        let key = format!("doorstep-courier={}", app.key);
        for request in [courier(), courier().bearer_auth(&app.key), courier().header("cookie", key)] {
            Answer::to(request).await.expect_problem(401, "unauthorized");
        }
        let key = format!("Bearer {}", app.key);
        let refused = Socket::try_connect(app, "/ws/courier", &[("authorization", &key)]).await.err();
        assert_eq!(refused.expect("refused").status, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_links_is_slowed_down_and_one_that_works_is_not() {
    with_app(async |app| {
        let ana = app.invite().await;
        let mut refused = Answer::to(app.exchange("a guess")).await;
        for _ in 0..3_000 {
            if refused.status != 410 {
                break;
            }
            refused = Answer::to(app.exchange("a guess")).await;
        }
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
        refused.expect_problem(429, "too_many_attempts");
        assert_eq!(Answer::to(app.exchange(&ana.code)).await.status, 200, "the same depot's courier signs in");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_holds_no_secret_of_a_courier() {
    with_app(async |app| {
        let ana = app.invite().await;
        let again = app.post(&format!("{}/sign-in", ana.device()), &json!({})).await.expect(201);
        let code = code_in(&again);
        let session = app.sign_in(&code).await;
        let dump: Vec<String> = sqlx::query_scalar(
            "select d::text from devices d union all select c::text from courier_sign_in_codes c \
             union all select s::text from courier_sessions s",
        )
        .fetch_all(&app.db)
        .await
        .expect("the tables are there");
        let dump = dump.join("\n");
        let hex = |secret: &str| secret.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (_, session) = session.split_once('=').expect("name and value");
        for secret in [&ana.code, &code, &ana.device_token, session] {
            assert!(!dump.contains(secret) && !dump.contains(&hex(secret)), "{dump}");
        }
        assert!(dump.contains(&ana.device), "{dump}");
    })
    .await;
}
