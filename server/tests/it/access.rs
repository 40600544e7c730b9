//! Who may do what: every route and socket, with every kind of caller, and the status of the answer.
//!
//! The table is complete or the test fails: it is compared with the server's own route table, which also says who may
//! call each route, by the types of its handler's arguments. A new route needs a line here, and a thought about all seven.

use std::collections::BTreeSet;

use doorstep_server::{
    auth::{access::Access, scope::Scope},
    http::routes,
    store::access::Role,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Answer, HERE, PASSWORD, Socket, TestApp, TestOrder, now_ms, order_body, text, with_app, with_settings,
};

/// Every kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Anonymous,
    /// A customer with a tracking link.
    Customer,
    /// A courier's phone with its device token.
    Courier,
    /// A courier's browser with its session.
    CourierInBrowser,
    Dispatcher,
    Admin,
    /// A key with every scope but the needed one.
    KeyWithout,
    /// A key with only the needed scope; with all scopes where none is needed.
    KeyWith,
}

impl Who {
    const ALL: [Self; 8] = [
        Self::Anonymous,
        Self::Customer,
        Self::Courier,
        Self::CourierInBrowser,
        Self::Dispatcher,
        Self::Admin,
        Self::KeyWithout,
        Self::KeyWith,
    ];
}

/// The status for a caller without credentials, a customer, a courier, a dispatcher, an admin, a key without and a key
/// with the scope.
type Expected = [u16; 7];

fn expected(of: &Expected, who: Who) -> u16 {
    let [anonymous, customer, courier, dispatcher, admin, key_without, key_with] = *of;
    match who {
        Who::Anonymous => anonymous,
        Who::Customer => customer,
        Who::Courier | Who::CourierInBrowser => courier,
        Who::Dispatcher => dispatcher,
        Who::Admin => admin,
        Who::KeyWithout => key_without,
        Who::KeyWith => key_with,
    }
}

const fn scoped(ok: u16) -> Expected {
    [401, 401, 401, ok, ok, 403, ok]
}

const fn people(ok: u16) -> Expected {
    [401, 401, 401, ok, ok, 403, 403]
}

const fn admins(ok: u16) -> Expected {
    [401, 401, 401, 403, ok, 403, 403]
}

/// Admins and keys, but no dispatchers.
const fn keepers(ok: u16) -> Expected {
    [401, 401, 401, 403, ok, 403, ok]
}

const fn couriers(ok: u16) -> Expected {
    [401, 401, ok, 401, 401, 401, 401]
}

/// Couriers may do it for themselves, too.
const fn scoped_or_courier(answer: u16) -> Expected {
    [401, 401, answer, answer, answer, 403, answer]
}

/// Every credential will do, but a customer's.
const fn known(ok: u16) -> Expected {
    [401, 401, ok, ok, ok, ok, ok]
}

/// The link is the credential; other credentials change nothing.
const fn customers(ok: u16) -> Expected {
    [404, ok, 404, 404, 404, 404, 404]
}

/// A tracker's secret is its device's token; other callers have none.
const fn trackers(refused: u16) -> Expected {
    [refused, refused, 200, refused, refused, refused, refused]
}

const fn every_caller(status: u16) -> Expected {
    [status; 7]
}

/// How a call is sent.
#[derive(Clone, Debug)]
enum Sent {
    Plain,
    Json(Value),
    Csv,
    /// With the secret where OsmAnd's protocol has it.
    Osmand,
    /// With the secret as the password of HTTP Basic.
    Owntracks,
    Overland,
    /// As a form of the sign-in page.
    Form,
    /// As a WebSocket's handshake.
    Socket,
}

/// One line of the table.
struct Row {
    method: Method,
    path: &'static str,
    scopes: &'static [Scope],
    sent: Sent,
    expected: Expected,
}

fn row(method: Method, path: &'static str, scopes: &'static [Scope], sent: Sent, expected: Expected) -> Row {
    Row { method, path, scopes, sent, expected }
}

/// `worker` is what the service worker's address answers: 404 in a build without the browser's files.
fn table(worker: u16) -> Vec<Row> {
    use Sent::{Csv, Form, Json, Osmand, Overland, Owntracks, Plain};
    let get = |path, scopes, expected| row(Method::GET, path, scopes, Plain, expected);
    let post = |path, scopes, body: Value, expected| row(Method::POST, path, scopes, Json(body), expected);
    let socket = |path, scopes, expected| row(Method::GET, path, scopes, Sent::Socket, expected);
    let none: &[Scope] = &[];
    let (read, write): (&[Scope], &[Scope]) = (&[Scope::OrdersRead], &[Scope::OrdersWrite]);
    let (see, manage): (&[Scope], &[Scope]) = (&[Scope::CouriersRead], &[Scope::CouriersWrite]);
    // Events tell of both.
    let write_and_see: &[Scope] = &[Scope::OrdersWrite, Scope::CouriersRead];
    let hook = |path, expected| row(Method::POST, path, write_and_see, Plain, expected);
    // Suggesting a courier reveals where couriers are.
    let read_and_see: &[Scope] = &[Scope::OrdersRead, Scope::CouriersRead];
    let courier = json!({ "name": "Ben", "vehicle": "van" });
    vec![
        // People and their sessions. A key cannot be signed in.
        get("/api/v1/session", none, [401, 401, 401, 200, 200, 401, 401]),
        post("/api/v1/session", none, json!({ "email": "{email}", "password": PASSWORD }), every_caller(200)),
        row(Method::DELETE, "/api/v1/session", none, Plain, every_caller(204)),
        // Couriers, for dispatch.
        get("/api/v1/couriers", see, scoped(200)),
        post("/api/v1/couriers", manage, courier, scoped(201)),
        get("/api/v1/couriers/{id}", see, scoped(200)),
        row(Method::PATCH, "/api/v1/couriers/{id}", manage, Json(json!({ "name": "Anna" })), scoped(200)),
        get("/api/v1/couriers/{id}/devices", see, scoped(200)),
        post("/api/v1/couriers/{id}/devices", manage, json!({ "label": "tablet" }), scoped(201)),
        post("/api/v1/couriers/{id}/trackers", manage, json!({ "app": "overland" }), scoped(201)),
        row(Method::DELETE, "/api/v1/couriers/{id}/devices/{device}", manage, Plain, scoped(204)),
        post("/api/v1/couriers/{id}/devices/{device}/sign-in", manage, json!({}), scoped(201)),
        get("/api/v1/couriers/{id}/fixes", see, scoped(200)),
        get("/api/v1/couriers/{id}/plan", see, scoped_or_courier(200)),
        // No plan has such a version; a caller without the right to ask does not learn that.
        row(Method::PUT, "/api/v1/couriers/{id}/plan", write, Json(no_plan()), scoped_or_courier(409)),
        // A courier's own phone.
        get("/api/v1/courier", none, couriers(200)),
        post("/api/v1/courier/trackers", none, json!({ "app": "traccar" }), couriers(201)),
        post("/api/v1/courier/session", none, json!({ "code": "{code}" }), every_caller(200)),
        row(Method::DELETE, "/api/v1/courier/session", none, Plain, every_caller(204)),
        get("/api/v1/courier/tour", none, couriers(200)),
        get("/api/v1/courier/day", none, couriers(200)),
        row(Method::PUT, "/api/v1/courier/orders/{order_id}/proofs/{proof_id}", none, Json(signature()), couriers(201)),
        get("/api/v1/courier/orders/{order_id}/proofs/{proof_id}/image", none, couriers(200)),
        // Orders.
        get("/api/v1/orders", read, scoped(200)),
        post("/api/v1/orders", write, order_body("A-2"), scoped(201)),
        row(Method::POST, "/api/v1/orders/import", write, Csv, scoped(201)),
        get("/api/v1/orders/import/template", write, scoped(200)),
        get("/api/v1/orders/export", read, scoped(200)),
        get("/api/v1/orders/counts", read, scoped(200)),
        get("/api/v1/orders/{id}", read, scoped(200)),
        row(Method::PATCH, "/api/v1/orders/{id}", write, Json(json!({ "note": "two bags" })), scoped(428)),
        post("/api/v1/orders/{id}/unassign", write, json!({}), scoped(409)),
        post("/api/v1/orders/{id}/attempts", write, json!({}), scoped(409)),
        post("/api/v1/orders/{id}/reopen", none, json!({ "reason": "the wrong button" }), people(409)),
        post("/api/v1/orders/{id}/assign", write, json!({ "courier_id": "{id}" }), scoped(200)),
        get("/api/v1/orders/{id}/suggestions", read_and_see, scoped(200)),
        post("/api/v1/orders/{id}/tracking-link", write, json!({}), scoped(201)),
        post("/api/v1/orders/{id}/status", write, json!({ "status": "at_dropoff" }), scoped(200)),
        get("/api/v1/orders/{id}/proofs/{proof_id}/image", read, scoped(200)),
        get("/api/v1/places", read, scoped(200)),
        get("/api/v1/places/pins", read, scoped(200)),
        row(Method::PUT, "/api/v1/places/pins/{id}", write, Json(pin()), scoped(200)),
        row(Method::DELETE, "/api/v1/places/pins/{id}", write, Plain, scoped(204)),
        get("/api/v1/pickups", read, scoped(200)),
        post("/api/v1/pickups", write, pickup(), scoped(201)),
        row(Method::DELETE, "/api/v1/pickups/{id}", write, Plain, scoped(204)),
        // Where events are sent.
        get("/api/v1/webhooks", write_and_see, keepers(200)),
        post("/api/v1/webhooks", write_and_see, webhook(), keepers(201)),
        get("/api/v1/webhooks/{id}", write_and_see, keepers(200)),
        row(Method::PATCH, "/api/v1/webhooks/{id}", write_and_see, Json(json!({ "personal": true })), keepers(200)),
        row(Method::DELETE, "/api/v1/webhooks/{id}", write_and_see, Plain, keepers(204)),
        // Nothing goes to an address of this machine; the answer says so.
        hook("/api/v1/webhooks/{id}/test", keepers(200)),
        hook("/api/v1/webhooks/{id}/rotate", keepers(200)),
        hook("/api/v1/webhooks/{id}/enable", keepers(200)),
        get("/api/v1/webhooks/{id}/attempts", write_and_see, keepers(200)),
        post("/api/v1/webhooks/{id}/resend", write_and_see, json!({ "since": "2999-01-01T00:00:00Z" }), keepers(202)),
        // Routes that are called by name.
        get("/api/v1/audit", none, admins(200)),
        get("/api/v1/api-keys", none, admins(200)),
        post("/api/v1/api-keys", none, json!({ "name": "shop" }), admins(201)),
        // Nobody has this number.
        post("/api/v1/people/export", none, json!({ "phone": "+1 555 0199" }), admins(404)),
        post("/api/v1/people/erase", none, json!({ "phone": "+1 555 0199" }), admins(404)),
        get("/api/v1/people/erasures", none, admins(200)),
        // No key is called as an order is.
        post("/api/v1/api-keys/{id}/rotate", none, json!({}), admins(404)),
        row(Method::DELETE, "/api/v1/api-keys/{id}", none, Plain, admins(404)),
        get("/api/v1/arrival/scores", none, people(200)),
        get("/api/v1/arrival/waits", none, people(200)),
        get("/api/v1/exceptions", none, people(200)),
        post("/api/v1/exceptions/{id}/acknowledge", none, json!({}), people(200)),
        // It proposes no door.
        row(Method::POST, "/api/v1/exceptions/{id}/pin", none, Plain, people(404)),
        // Customers.
        get("/api/v1/track/{token}", none, customers(200)),
        // No route is planned yet.
        get("/api/v1/track/{token}/route", none, customers(204)),
        get("/api/v1/track/{token}/events", none, customers(200)),
        get("/api/v1/track/{token}/proofs/{proof_id}/image", none, customers(200)),
        get("/api/v1/openapi.json", none, every_caller(200)),
        // Where this server delivers. Whoever has a credential may know it.
        get("/api/v1/area", none, known(200)),
        get("/api/v1/areas", none, admins(200)),
        row(Method::DELETE, "/api/v1/areas/import", none, Plain, admins(404)),
        // An import of nothing is taken, and fails later.
        row(Method::POST, "/api/v1/areas", none, Plain, admins(202)),
        row(Method::POST, "/api/v1/areas/{id}/use", none, Plain, admins(404)),
        row(Method::DELETE, "/api/v1/areas/{id}", none, Plain, admins(404)),
        // Other people's apps.
        row(Method::GET, "/ingest/osmand", none, Osmand, trackers(400)),
        row(Method::POST, "/ingest/osmand", none, Osmand, trackers(400)),
        row(Method::POST, "/ingest/owntracks", none, Owntracks, trackers(401)),
        row(Method::POST, "/ingest/overland", none, Overland, trackers(401)),
        // Operations.
        get("/health/live", none, every_caller(200)),
        get("/health/ready", none, every_caller(200)),
        // Maps are public; no area is called so.
        get("/area/current", none, every_caller(200)),
        get("/area/{id}/{file}", none, every_caller(404)),
        // Pages. A caller who is not signed in gets the sign-in page.
        get("/assets/{path:.*}", none, every_caller(404)),
        get("/", none, every_caller(200)),
        get("/courier", none, every_caller(200)),
        get("/courier/sw.js", none, every_caller(worker)),
        get("/login", none, [200, 200, 200, 303, 303, 200, 200]),
        row(Method::POST, "/login", none, Form, every_caller(303)),
        get("/dispatch", none, [303, 303, 303, 200, 200, 303, 303]),
        get("/t/{token}", none, customers(200)),
        // Connections.
        socket("/ws/courier", none, [401, 401, 101, 401, 401, 401, 401]),
        socket("/ws/fleet", &[Scope::FleetRead], [401, 401, 401, 101, 101, 403, 101]),
        socket("/ws/track/{token}", none, [404, 101, 404, 404, 404, 404, 404]),
    ]
}

fn pickup() -> Value {
    json!({ "name": "Kitchen {name}", "place": { "lat": HERE.0, "lon": HERE.1, "address": "Harbour Kitchen" } })
}

fn pin() -> Value {
    json!({ "address": "12 Old Street {name}", "lat": 60.0, "lon": 5.0005 })
}

fn webhook() -> Value {
    json!({ "url": "https://93.184.216.34/hooks", "events": ["exception.closed"] })
}

fn no_plan() -> Value {
    json!({ "version": 1_000_000, "stops": [] })
}

fn signature() -> Value {
    let strokes = [[[0.1, 0.2], [0.5, 0.6], [0.9, 0.3]]];
    json!({ "kind": "signature", "name": "Eve", "strokes": strokes, "taken_ms": now_ms() })
}

/// The secrets that stay the same for the whole table.
struct Credentials {
    courier: String,
    device_token: String,
    courier_cookie: String,
    dispatcher: String,
    admin: String,
    /// The secret of the customer's link.
    token: String,
}

impl Credentials {
    async fn make(app: &TestApp) -> Self {
        let invited = app.invite().await;
        let courier_cookie = app.sign_in(&invited.code).await;
        Self {
            courier_cookie,
            courier: invited.courier,
            device_token: invited.device_token,
            dispatcher: app.person("dora@example.com", Role::Dispatcher).await.cookie,
            admin: app.person("ada@example.com", Role::Admin).await.cookie,
            token: app.order("theirs").await.token,
        }
    }

    /// The Bearer token and the cookie that a caller sends.
    async fn of(&self, app: &TestApp, who: Who, needed: &[Scope]) -> (Option<String>, Option<String>) {
        let scopes = |with: bool| -> Vec<Scope> {
            Scope::ALL.into_iter().filter(|held| needed.is_empty() || needed.contains(held) == with).collect()
        };
        match who {
            Who::Anonymous => (None, None),
            Who::Customer => (Some(self.token.clone()), None),
            Who::Courier => (Some(self.device_token.clone()), None),
            Who::CourierInBrowser => (None, Some(self.courier_cookie.clone())),
            Who::Dispatcher => (None, Some(self.dispatcher.clone())),
            Who::Admin => (None, Some(self.admin.clone())),
            Who::KeyWithout => (Some(app.key_with(&scopes(false)).await), None),
            Who::KeyWith => (Some(app.key_with(&scopes(true)).await), None),
        }
    }
}

/// The subject of a call: an order of the courier's at its door, with a proof and an exception.
struct Subject {
    order: TestOrder,
    device: String,
    exception: Uuid,
    proof: Uuid,
    /// A saved pickup and a pinned address.
    pickup: Uuid,
    webhook: Uuid,
    code: String,
    email: String,
}

impl Subject {
    async fn make(app: &TestApp, credentials: &Credentials) -> Self {
        let order = app.order("A-1").await;
        let assign = format!("/api/v1/orders/{}/assign", order.id);
        app.post(&assign, &json!({ "courier_id": credentials.courier })).await.expect(200);
        app.set_status(&order, "picked_up").await;
        let devices = format!("/api/v1/couriers/{}/devices", credentials.courier);
        let device = app.post(&devices, &json!({ "label": "another" })).await.expect(201);
        let exception = Uuid::now_v7();
        let insert = "insert into exceptions (id, code, subject_id, order_id, since_at, noticed_at, ended_at) \
            values ($1, 'late', $1, $2::uuid, now(), now(), now())";
        let inserted = sqlx::query(insert).bind(exception).bind(&order.id).execute(&app.db).await;
        inserted.expect("an exception can be noted");
        let pickup = Uuid::now_v7();
        let insert = "insert into saved_pickups (id, name, lat, lon, address, created_at) \
            values ($1, $1::text, 35.9, 14.5, 'Kitchen', now())";
        sqlx::query(insert).bind(pickup).execute(&app.db).await.expect("a pickup can be saved");
        let insert = "insert into address_pins (id, address, key, lat, lon, pinned_at, pinned_by) \
            values ($1, $1::text, $1::text, 60, 5, now(), 'key:nobody')";
        sqlx::query(insert).bind(pickup).execute(&app.db).await.expect("an address can be pinned");
        let insert = "insert into webhooks (id, url, events, personal, secret, created_at, created_by) \
            values ($1, 'https://127.0.0.1:9/', array['exception.closed'], false, $2, now(), 'key:nobody')";
        let webhook = Uuid::now_v7();
        // A server keeps few.
        sqlx::query("delete from webhooks").execute(&app.db).await.expect("webhooks can be forgotten");
        let inserted = sqlx::query(insert).bind(webhook).bind([7_u8; 32].as_slice()).execute(&app.db).await;
        inserted.expect("a webhook can be kept");
        let email = format!("{exception}@example.com");
        app.register(&email, Role::Dispatcher).await;
        let code = crate::support::code_in(&device);
        Self { order, device: text(&device["id"]), exception, proof: Uuid::now_v7(), pickup, webhook, code, email }
    }

    /// A stored signature.
    async fn prove(&self, app: &TestApp, credentials: &Credentials) {
        let path = format!("/api/v1/courier/orders/{}/proofs/{}", self.order.id, self.proof);
        let request = app.bare(Method::PUT, &path).bearer_auth(&credentials.device_token).json(&signature());
        Answer::to(request).await.expect(201);
    }

    fn fill(&self, template: &str, credentials: &Credentials, token: &str) -> String {
        let id = match template {
            it if it.starts_with("/api/v1/couriers") => credentials.courier.clone(),
            it if it.starts_with("/api/v1/exceptions") => self.exception.to_string(),
            it if it.starts_with("/api/v1/webhooks") => self.webhook.to_string(),
            it if it.starts_with("/api/v1/pickups") || it.starts_with("/api/v1/places") => self.pickup.to_string(),
            _ => self.order.id.clone(),
        };
        let path = template.replace("{path:.*}", "nothing.js").replace("{id}", &id).replace("{token}", token);
        let path = path.replace("{device}", &self.device).replace("{order_id}", &self.order.id);
        let path = path.replace("{proof_id}", &self.proof.to_string());
        match path.rsplit('/').next() {
            Some("places") => format!("{path}?q=merkanti"),
            Some("day") => {
                format!("{path}?since={}", chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
            }
            _ => path,
        }
    }

    fn fill_body(&self, body: &Value, credentials: &Credentials) -> Value {
        let text = body.to_string().replace("{id}", &credentials.courier);
        let text = text.replace("{email}", &self.email).replace("{code}", &self.code);
        let text = text.replace("{name}", &self.device);
        serde_json::from_str(&text).expect("it stays JSON")
    }
}

const CSV: &str = "reference,pickup_address,pickup_lat,pickup_lon,dropoff_address,dropoff_lat,dropoff_lon,customer_name\n\
    S-1,Kitchen,35.898,14.5125,12 Triq il-Merkanti,35.9,14.51,Eve\n";

/// A row's request as a caller sends it.
fn request(app: &TestApp, row: &Row, path: &str, body: &Value, secret: Option<&str>, email: &str) -> RequestBuilder {
    let bare = |path: &str| app.bare(row.method.clone(), path);
    let token = secret.unwrap_or_default();
    let (lat, lon) = HERE;
    match &row.sent {
        Sent::Plain | Sent::Socket => bare(path),
        Sent::Json(_) => bare(path).json(body),
        Sent::Csv => bare(path).header("content-type", "text/csv").body(CSV),
        Sent::Osmand => bare(&format!("{path}?id={token}&timestamp={}&lat={lat}&lon={lon}", now_ms() / 1_000)),
        Sent::Owntracks => {
            let fix = json!({ "_type": "location", "lat": lat, "lon": lon, "tst": now_ms() / 1_000 });
            let request = bare(path).header("content-type", "application/json").body(fix.to_string());
            if token.is_empty() { request } else { request.basic_auth("ana", Some(token)) }
        }
        Sent::Overland => bare(path).json(&json!({ "locations": [] })),
        Sent::Form => {
            let form = format!("email={}&password={}&next=%2Fdispatch", email.replace('@', "%40"), PASSWORD);
            let form = form.replace(' ', "+");
            bare(path).header("content-type", "application/x-www-form-urlencoded").body(form)
        }
    }
}

/// Sends a row's request as `who`, and returns the status of the answer. Streams are not read to their end.
async fn ask(app: &TestApp, row: &Row, who: Who, credentials: &Credentials, subject: &Subject) -> u16 {
    let (bearer, cookie) = credentials.of(app, who, row.scopes).await;
    let token = if who == Who::Customer { token_for(row, credentials, subject) } else { "unknown".to_owned() };
    let path = subject.fill(row.path, credentials, &token);
    let origin = app.origin();
    if matches!(row.sent, Sent::Socket) {
        let authorization = bearer.map(|secret| format!("Bearer {secret}"));
        let mut headers: Vec<(&str, &str)> = authorization.iter().map(|it| ("authorization", it.as_str())).collect();
        if let Some(cookie) = &cookie {
            headers.extend([("cookie", cookie.as_str()), ("origin", &origin)]);
        }
        return match Socket::try_connect(app, &path, &headers).await {
            Ok(_) => 101,
            Err(refusal) => refusal.status,
        };
    }
    // Trackers have one place for a secret; the others' are put there, too.
    let secret = match who {
        Who::CourierInBrowser => Some(credentials.device_token.clone()),
        _ => bearer.clone(),
    };
    let body = match &row.sent {
        Sent::Json(body) => subject.fill_body(body, credentials),
        _ => Value::Null,
    };
    let mut request = request(app, row, &path, &body, secret.as_deref(), &subject.email);
    let own_place = matches!(row.sent, Sent::Osmand | Sent::Owntracks);
    let bearer = if matches!(row.sent, Sent::Overland) { secret } else { bearer };
    if let Some(secret) = bearer.filter(|_| !own_place) {
        request = request.bearer_auth(secret);
    }
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie).header("origin", origin);
    }
    if signs_in(row) {
        request = request.header("x-forwarded-for", format!("192.0.2.{}", who as u8 + 1));
    }
    crate::support::within(row.path, request.send()).await.expect("the server answers").status().as_u16()
}

/// The link of a caller who has one. Proofs are shown once the order is over, and everything else before.
fn token_for(row: &Row, credentials: &Credentials, subject: &Subject) -> String {
    if row.path.contains("/proofs/") { subject.order.token.clone() } else { credentials.token.clone() }
}

fn signs_in(row: &Row) -> bool {
    row.method == Method::POST && matches!(row.path, "/api/v1/session" | "/login")
}

fn ends_a_session(row: &Row) -> bool {
    row.method == Method::DELETE && row.path.ends_with("/session")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_and_socket_answers_every_caller_as_the_table_says() {
    // Signing in is limited by address, so each caller who does it here comes from an address of its own.
    with_settings(&["--trust-proxy"], async |app| {
        let mut credentials = Credentials::make(app).await;
        let refused = Subject::make(app, &credentials).await;
        refused.prove(app, &credentials).await;
        let mut wrong = Vec::new();
        let worker = Answer::to(app.bare(Method::GET, "/courier/sw.js")).await.status.as_u16();
        assert!(matches!(worker, 200 | 404), "{worker}");
        for row in table(worker) {
            for who in Who::ALL {
                let expected = expected(&row.expected, who);
                let is_let_in = expected < 400;
                let own = if is_let_in { Some(Subject::make(app, &credentials).await) } else { None };
                let subject = own.as_ref().unwrap_or(&refused);
                if row.path.ends_with("/image") && is_let_in {
                    subject.prove(app, &credentials).await;
                    app.set_status(&subject.order, "delivered").await;
                }
                let status = ask(app, &row, who, &credentials, subject).await;
                if status != expected {
                    wrong.push(format!("{} {} by {who:?}: {status} and not {expected}", row.method, row.path));
                }
                if ends_a_session(&row) || signs_in(&row) {
                    renew(app, &mut credentials, subject, who).await;
                }
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
        let untouched = app.get(&format!("/api/v1/orders/{}", refused.order.id)).await.expect(200);
        assert_eq!(untouched["status"], "picked_up", "a refused caller has changed nothing");
        let open: bool = sqlx::query_scalar("select acknowledged_at is null from exceptions where id = $1")
            .bind(refused.exception)
            .fetch_one(&app.db)
            .await
            .expect("it is there");
        assert!(open, "a refused caller has changed nothing");
    })
    .await;
}

/// A caller whose session was ended, or replaced by another one, signs in again.
async fn renew(app: &TestApp, credentials: &mut Credentials, subject: &Subject, who: Who) {
    let sign_in = async |email: &str| {
        let body = json!({ "email": email, "password": PASSWORD });
        let request = app.bare(Method::POST, "/api/v1/session").json(&body);
        Answer::to(request.header("x-forwarded-for", format!("198.51.100.{}", who as u8 + 1))).await.cookie()
    };
    match who {
        Who::Dispatcher => credentials.dispatcher = sign_in("dora@example.com").await,
        Who::Admin => credentials.admin = sign_in("ada@example.com").await,
        // The device of the subject is one of this courier's, too.
        Who::CourierInBrowser => credentials.courier_cookie = app.sign_in(&subject.code).await,
        _ => {}
    }
}

fn listed() -> BTreeSet<(String, String)> {
    table(200).into_iter().map(|row| (row.method.to_string(), row.path.to_owned())).collect()
}

/// What the server's route table says that every kind of caller gets, where `ok` is the answer to those who may call.
fn by_types(access: Access, expected: &Expected) -> Expected {
    let [.., admin, _, key_with] = *expected;
    let nobody = expected[0];
    match access {
        Access::Anyone => *expected,
        Access::Scopes(_) => [401, 401, 401, admin, admin, 403, key_with],
        Access::SignedIn => [401, 401, 401, admin, admin, 401, 401],
        Access::Person => people(admin),
        Access::Admin => admins(admin),
        Access::AdminOrScopes(_) => keepers(admin),
        Access::Courier => couriers(expected[2]),
        Access::ScopesOrCourier([]) => known(admin),
        Access::ScopesOrCourier(_) => scoped_or_courier(admin),
        Access::TrackingLink => customers(expected[1]),
        Access::Tracker => trackers(nobody),
    }
}

#[test]
fn the_table_holds_every_route_of_the_server_and_none_that_it_lost() {
    let served: BTreeSet<_> =
        routes::table().iter().map(|route| (route.method.to_string(), route.path.clone())).collect();
    let listed = listed();
    let missing: Vec<_> = served.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&served).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not in the table: {missing:?}; not in the server: {gone:?}");
    assert_eq!(served.len(), routes::table().iter().count(), "every route is registered once");
}

#[test]
fn every_handler_asks_for_the_credential_that_the_table_expects() {
    let table = table(200);
    for route in routes::table().iter() {
        let what = format!("{} {}", route.method, route.path);
        let row = table.iter().find(|row| row.method.as_str() == route.method.as_str() && row.path == route.path);
        let row = row.unwrap_or_else(|| panic!("{what} is in the table"));
        let scopes = match route.access {
            Access::Scopes(scopes) | Access::AdminOrScopes(scopes) | Access::ScopesOrCourier(scopes) => scopes,
            _ => &[],
        };
        assert_eq!(scopes, row.scopes, "{what}");
        assert_eq!(by_types(route.access, &row.expected), row.expected, "{what}: {:?}", route.access);
        let refuses = row.expected.iter().any(|status| matches!(status, 401 | 403));
        assert_eq!(route.access == Access::Anyone, !refuses && row.expected[0] < 400 || is_open(&what), "{what}");
    }
}

/// Routes that take every caller, and answer some of them otherwise.
fn is_open(what: &str) -> bool {
    let open = ["GET /assets/{path:.*}", "GET /area/{id}/{file}", "GET /courier/sw.js", "GET /login", "GET /dispatch"];
    open.contains(&what)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_known_address_says_which_methods_it_takes() {
    with_app(async |app| {
        let unusual = Method::from_bytes(b"PURGE").expect("a method");
        for route in routes::table().iter() {
            let path = route.path.replace("{path:.*}", "x").replace(['{', '}'], "");
            let refused = Answer::to(app.bare(unusual.clone(), &path)).await;
            let allow = refused.header("allow").to_owned();
            assert!(allow.split(", ").any(|method| method == route.method.as_str()), "{path}: {allow:?}");
            refused.expect_problem(405, "method_not_allowed");
        }
    })
    .await;
}
