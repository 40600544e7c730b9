//! The log of security events, as an operator reads it: of a `doorstep serve` of its own, on the database of a test.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
    sync::{Arc, Mutex},
};

use doorstep_server::{auth::scope::Scope, store::access::Role};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message, client::IntoClientRequest};

use crate::{
    cli::doorstep,
    support::{Answer, PASSWORD, TestApp, eventually, text, with_app},
};

const DORA: &str = "dora@example.com";

/// A server whose lines are kept.
struct Logged {
    child: Child,
    address: String,
    metrics_address: String,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Logged {
    /// Starts a server on the test's database.
    async fn start(app: &TestApp, json: bool) -> Self {
        let data_dir = app.data_dir().display().to_string();
        let mut command = doorstep(&["serve", "--bind", "127.0.0.1:0", "--workers", "1", "--data-dir", &data_dir]);
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let metrics_address = free.expect("a free port").to_string();
        command.args(["--metrics-bind", &metrics_address]);
        command.env("DATABASE_URL", &app.database_url).env("DOORSTEP_LOG_JSON", json.to_string());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the command starts");
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (reader, kept) = (BufReader::new(child.stderr.take().expect("a pipe")), Arc::clone(&lines));
        std::thread::spawn(move || {
            reader.split(b'\n').map_while(Result::ok).for_each(|line| {
                kept.lock().expect("not poisoned").push(String::from_utf8_lossy(&line).into_owned());
            });
        });
        let mut server = Self { child, address: String::new(), metrics_address, lines };
        eventually("the server listening", async || server.lines().iter().any(|line| line.contains("listening"))).await;
        let lines = server.lines();
        let line = lines.iter().find(|line| line.contains("listening")).expect("it was there");
        let from = line.find("127.0.0.1:").expect("an address");
        server.address = line[from..].chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ':')).collect();
        server
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("not poisoned").clone()
    }

    /// The fields of every security event so far.
    fn events(&self) -> Vec<Value> {
        let lines = self.lines();
        let parsed = lines.iter().map(|line| serde_json::from_str::<Value>(line).expect("every line is JSON"));
        parsed.filter(|line| line["target"] == "security").map(|line| line["fields"].clone()).collect()
    }

    /// Waits for an event with these fields, among others.
    async fn expect(&self, expected: &Value) {
        let has =
            |event: &Value| expected.as_object().expect("fields").iter().all(|(name, value)| event[name] == *value);
        eventually(&format!("{expected}"), async || self.events().iter().any(has)).await;
    }

    fn request(&self, app: &TestApp, method: Method, path: &str) -> RequestBuilder {
        app.http.request(method, format!("http://{}{path}", self.address))
    }

    async fn sign_in(&self, app: &TestApp, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        Answer::to(self.request(app, Method::POST, "/api/v1/session").json(&body)).await
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signed_in_what_was_refused_and_what_ended_is_logged_with_where_it_came_from() {
    with_app(async |app| {
        let dora = app.register(DORA, Role::Admin).await;
        let (server, user, from) = (Logged::start(app, true).await, format!("user:{dora}"), "127.0.0.1");
        server.sign_in(app, DORA, "a wrong password").await.expect_problem(401, "unauthorized");
        server.expect(&json!({ "event": "sign_in.refused", "subject": user, "peer.address": from })).await;
        server.sign_in(app, "typed-into-the-wrong-field", PASSWORD).await.expect_problem(401, "unauthorized");
        server.expect(&json!({ "event": "sign_in.refused", "reason": "unknown_account", "peer.address": from })).await;
        let cookie = server.sign_in(app, DORA, PASSWORD).await.cookie();
        server.expect(&json!({ "event": "sign_in.accepted", "actor": user, "peer.address": from })).await;

        let as_dora = |method, path: &str| server.request(app, method, path).header("cookie", &cookie);
        let made =
            Answer::to(as_dora(Method::POST, "/api/v1/api-keys").json(&json!({ "name": "shop" }))).await.expect(201);
        let (id, secret) = (text(&made["api_key"]["id"]), text(&made["secret"]));
        let key = format!("key:{id}");
        server.expect(&json!({ "event": "api_key.made", "actor": user, "subject": key, "peer.address": from })).await;
        let rotate = as_dora(Method::POST, &format!("/api/v1/api-keys/{id}/rotate"));
        Answer::to(rotate.json(&json!({}))).await.expect(200);
        server.expect(&json!({ "event": "api_key.rotated", "actor": user, "subject": key })).await;
        Answer::to(server.request(app, Method::GET, "/api/v1/orders").bearer_auth(&secret)).await;
        let unauthorized =
            json!({ "event": "request.unauthorized", "route": "GET /api/v1/orders", "reason": "unauthorized" });
        server.expect(&unauthorized).await;
        Answer::to(as_dora(Method::DELETE, &format!("/api/v1/api-keys/{id}"))).await;
        server.expect(&json!({ "event": "api_key.revoked", "actor": user, "subject": key })).await;

        let narrow = app.key_with(&[Scope::OrdersRead]).await;
        Answer::to(server.request(app, Method::GET, "/api/v1/couriers").bearer_auth(&narrow)).await;
        let forbidden =
            json!({ "event": "request.forbidden", "route": "GET /api/v1/couriers", "reason": "missing_scope" });
        server.expect(&forbidden).await;
        let foreign = as_dora(Method::GET, "/ws/fleet").header("origin", "https://evil.example");
        assert_eq!(Answer::to(foreign).await.status, 403);
        let refused = json!({ "event": "origin.refused", "subject": "https://evil.example", "route": "/ws/fleet" });
        server.expect(&refused).await;

        Answer::to(as_dora(Method::DELETE, "/api/v1/session")).await;
        server.expect(&json!({ "event": "session.ended", "actor": user, "reason": "signed_out" })).await;
        let everything = server.lines().join("\n");
        for hidden in [PASSWORD, "a wrong password", DORA, "typed-into-the-wrong-field", &secret, &narrow, &cookie] {
            assert!(!everything.contains(hidden), "{hidden} is in the log");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_its_client_spoiled_is_logged_with_the_reason() {
    with_app(async |app| {
        let server = Logged::start(app, true).await;
        let order = app.order("A-1").await;
        let url = format!("ws://{}/ws/track/{}", server.address, order.token);
        let address = server.address.clone();
        let spoil = move || {
            let request = url.into_client_request().expect("an address");
            let stream = TcpStream::connect(address).expect("the server accepts");
            let (mut socket, _) = tungstenite::client(request, stream).expect("a socket");
            for _ in 0..10 {
                socket.send(Message::text("nonsense")).expect("it is open");
            }
            while socket.read().is_ok() {}
        };
        tokio::task::spawn_blocking(spoil).await.expect("it does not panic");
        let closed =
            json!({ "event": "socket.closed", "route": "track", "reason": "bad_message", "peer.address": "127.0.0.1" });
        server.expect(&closed).await;
        assert!(!server.lines().join("\n").contains(&order.token), "no link is in the log");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refusals_is_counted_and_fills_no_log() {
    with_app(async |app| {
        let server = Logged::start(app, true).await;
        for _ in 0..200 {
            let refused = Answer::to(server.request(app, Method::GET, "/api/v1/orders")).await;
            refused.expect_problem(401, "unauthorized");
        }
        let request = app.http.get(format!("http://{}/metrics", server.metrics_address));
        let metrics = Answer::to(request).await.text();
        let counted = metrics
            .lines()
            .find(|line| line.contains("doorstep_security_events_total{event=\"request.unauthorized\"}"));
        let counted: f64 = counted.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("it is counted");
        assert!(counted >= 200.0, "{counted}");
        let lines = server.events().iter().filter(|event| event["event"] == "request.unauthorized").count();
        assert!((20..100).contains(&lines), "{lines} lines of 200 refusals");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_sends_forges_no_line_of_the_log() {
    with_app(async |app| {
        let server = Logged::start(app, false).await;
        // Turned-around text and a terminal's sequence in one character each, which headers may hold.
        let origin = "https://evil.example/\u{9b}31m\u{202e}2026-11-29T00:00:00Z INFO security event".as_bytes();
        let mut request =
            format!("POST /api/v1/session HTTP/1.1\r\nhost: {}\r\nconnection: close\r\norigin: ", server.address)
                .into_bytes();
        request.extend_from_slice(origin);
        request.extend_from_slice(b"\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
        let address = server.address.clone();
        let asking = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).expect("the server accepts");
            stream.write_all(&request).expect("it reads");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("it answers");
            String::from_utf8_lossy(&answer).into_owned()
        });
        let answer = asking.await.expect("it does not panic");
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        let forged = "eve@example.com\n2026-11-29T00:00:00Z  INFO security event event=\"sign_in.accepted\"";
        server.sign_in(app, forged, PASSWORD).await.expect_problem(401, "unauthorized");
        eventually("both refusals are logged", async || {
            let lines = server.lines();
            ["origin.refused", "sign_in.refused"].iter().all(|event| lines.iter().any(|line| line.contains(event)))
        })
        .await;
        let lines = server.lines();
        let origin = lines.iter().find(|line| line.contains("origin.refused")).expect("it is logged");
        assert!(origin.contains("evil.example") && origin.contains("u{9b}") && origin.contains("u{202e}"), "{origin}");
        for line in &lines {
            assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
            assert!(!line.contains("sign_in.accepted"), "{line}");
        }
    })
    .await;
}
