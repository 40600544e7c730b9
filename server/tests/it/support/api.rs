//! The REST API from the outside.

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use super::{HERE, Socket, TestApp, within};

/// A courier with one phone.
#[derive(Clone, Debug)]
pub(crate) struct TestCourier {
    pub id: String,
    pub device_token: String,
}

/// An order with its link.
#[derive(Clone, Debug)]
pub(crate) struct TestOrder {
    pub id: String,
    pub token: String,
}

/// An HTTP answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        let answer = within("an HTTP request", request.send()).await.expect("the server answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = within("reading an HTTP answer", answer.bytes()).await.expect("the answer is complete");
        Self { status, headers, body: body.to_vec() }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the answer is text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a readable header"))
    }

    /// The status, which must be `status`; then the JSON.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self.json()
    }

    /// An error of this status and code, in the form that every error has.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(
            (problem["code"].as_str(), problem["status"].as_u64()),
            (Some(code), Some(u64::from(status))),
            "{problem}"
        );
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
        problem
    }
}

/// The body of a new order.
pub(crate) fn order_body(reference: &str) -> Value {
    json!({
        "reference": reference,
        "pickup": { "lat": HERE.0, "lon": HERE.1, "address": "Harbour Kitchen" },
        "dropoff": { "lat": 35.9012, "lon": 14.5160, "address": "12 Triq il-Merkanti", "instructions": "ring twice" },
        "customer": { "name": "Eve", "phone": "+356 2122 0000", "email": "eve@example.com" },
    })
}

impl TestApp {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request without credentials.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// A request with the key that has every scope.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.key)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn courier(&self, name: &str) -> TestCourier {
        let body = json!({ "name": name, "phone": "+356 9999 0000", "vehicle": "scooter" });
        let id = text(&self.post("/api/v1/couriers", &body).await.expect(201)["id"]);
        let device_token = self.device(&id).await;
        TestCourier { id, device_token }
    }

    /// One more phone; its token.
    pub(crate) async fn device(&self, courier: &str) -> String {
        let path = format!("/api/v1/couriers/{courier}/devices");
        text(&self.post(&path, &json!({ "label": "a phone" })).await.expect(201)["token"])
    }

    pub(crate) async fn order(&self, reference: &str) -> TestOrder {
        let created = self.post("/api/v1/orders", &order_body(reference)).await.expect(201);
        TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) }
    }

    /// An order that `courier` has.
    pub(crate) async fn assigned(&self, reference: &str, courier: &TestCourier) -> TestOrder {
        let order = self.order(reference).await;
        self.assign(&order, courier).await;
        order
    }

    pub(crate) async fn assign(&self, order: &TestOrder, courier: &TestCourier) {
        let path = format!("/api/v1/orders/{}/assign", order.id);
        self.post(&path, &json!({ "courier_id": courier.id })).await.expect(200);
    }

    pub(crate) async fn set_status(&self, order: &TestOrder, status: &str) {
        let path = format!("/api/v1/orders/{}/status", order.id);
        self.post(&path, &json!({ "status": status })).await.expect(200);
    }

    /// Connects as `courier` and reads the welcome, and the number of viewers.
    pub(crate) async fn connect(&self, courier: &TestCourier) -> Socket {
        let mut socket = Socket::courier(self, &courier.device_token).await;
        socket.expect("welcome").await;
        socket.expect("audience").await;
        socket
    }

    /// Opens an order's live feed; its first message, the snapshot, is still to be read.
    pub(crate) async fn watch(&self, order: &TestOrder) -> Socket {
        Socket::connect(self, &format!("/ws/track/{}", order.token), &[]).await
    }

    /// Fixes of a courier in the database.
    pub(crate) async fn stored(&self, courier: &TestCourier) -> i64 {
        sqlx::query_scalar("select count(*) from fixes where courier_id = $1::uuid")
            .bind(&courier.id)
            .fetch_one(&self.db)
            .await
            .expect("fixes can be counted")
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}
