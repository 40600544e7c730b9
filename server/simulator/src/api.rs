//! The REST API, as a merchant's own program would call it.
//!
//! Calls survive a restart of the server: what may be repeated is repeated, and `POST`s carry an
//! `Idempotency-Key` so that they may be. Only the public contract is used.

mod changes;

use std::time::Duration;

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, DeviceId, OrderId, OrderStatus, RawFix,
    api::{
        Assign, CourierView, CreateCourier, CreateDevice, CreateOrder, DeviceCreated, ListPage, OrderCreated,
        OrderView, SetStatus,
    },
    problem::Problem,
    protocol::customer::Snapshot,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::server_url::ServerUrl;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// The longest page that the contract allows.
const PAGE_LIMIT: &str = "1000";

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The server refused, and will do so again.
    #[error("{call}: {status} {code}: {detail}")]
    Refused {
        /// Method and path.
        call: String,
        /// The HTTP status.
        status: StatusCode,
        /// The problem's stable code, empty when the body was not a problem.
        code: String,
        /// What was wrong.
        detail: String,
    },
    /// No usable answer before patience ran out.
    #[error("{call}: no answer for {waited_s} s: {last}")]
    Unreachable {
        /// Method and path.
        call: String,
        /// How long it was tried.
        waited_s: u64,
        /// What the last attempt ended with.
        last: String,
    },
    /// The answer does not have the shape that the contract promises.
    #[error("{call}: the answer does not follow the contract: {reason}")]
    Malformed {
        /// Method and path.
        call: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ApiError {
    /// The problem's stable code, when the server refused.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the server refused for a reason that lies in the request: somebody was quicker, or it cannot do this.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// A client of `/api/v1` with an API key. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Api {
    server: ServerUrl,
    key: String,
    http: reqwest::Client,
    patience: Duration,
}

impl Api {
    /// A client that keeps trying for a minute when the server is not there.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(server: ServerUrl, key: impl Into<String>) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT);
        #[cfg(feature = "tls")]
        let http = http.tls_backend_preconfigured((*crate::tls::config()).clone());
        let http = http.build()?;
        Ok(Self { server, key: key.into(), http, patience: Duration::from_secs(60) })
    }

    /// The same client, giving up after `patience`. Zero means one attempt.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Where the server is.
    pub fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// Registers a courier.
    ///
    /// # Errors
    /// [`ApiError`], as for every call here.
    pub async fn create_courier(&self, courier: &CreateCourier) -> Result<CourierView, ApiError> {
        self.post("/api/v1/couriers", courier).await
    }

    /// Every courier.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn couriers(&self) -> Result<Vec<CourierView>, ApiError> {
        self.list("/api/v1/couriers", &[]).await
    }

    /// One courier.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn courier(&self, id: CourierId) -> Result<CourierView, ApiError> {
        self.get(&format!("/api/v1/couriers/{id}"), &[]).await
    }

    /// Registers a device of a courier; its token opens the courier's socket.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn create_device(&self, courier: CourierId, label: &str) -> Result<DeviceCreated, ApiError> {
        self.post(&format!("/api/v1/couriers/{courier}/devices"), &CreateDevice { label: label.to_owned() }).await
    }

    /// Takes its right to report from a device; its connection is closed.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn revoke_device(&self, courier: CourierId, device: DeviceId) -> Result<(), ApiError> {
        let call = Call::new(Method::DELETE, &format!("/api/v1/couriers/{courier}/devices/{device}"));
        self.send(&call, |request| request).await.map(drop)
    }

    /// Creates an order.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn create_order(&self, order: &CreateOrder) -> Result<OrderCreated, ApiError> {
        self.post("/api/v1/orders", order).await
    }

    /// Every order.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn orders(&self) -> Result<Vec<OrderView>, ApiError> {
        self.list("/api/v1/orders", &[]).await
    }

    /// One order with its timeline.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn order(&self, id: OrderId) -> Result<OrderView, ApiError> {
        self.get(&format!("/api/v1/orders/{id}"), &[]).await
    }

    /// Gives an order to a courier.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn assign(&self, order: OrderId, courier_id: CourierId) -> Result<(), ApiError> {
        self.post_for_nothing(&format!("/api/v1/orders/{order}/assign"), &Assign { courier_id, version: None }).await
    }

    /// Moves an order on.
    ///
    /// # Errors
    /// [`ApiError`]; its code is `invalid_transition` when the order cannot become `status`.
    pub async fn set_status(&self, order: OrderId, status: OrderStatus, note: Option<&str>) -> Result<(), ApiError> {
        let body = SetStatus { status, note: note.map(str::to_owned), version: None };
        self.post_for_nothing(&format!("/api/v1/orders/{order}/status"), &body).await
    }

    /// Every stored fix of a courier within the bounds, in the server's order.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn fixes(
        &self,
        courier: CourierId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<RawFix>, ApiError> {
        let bounds = [("from", rfc3339(from)), ("until", rfc3339(until))];
        self.list(&format!("/api/v1/couriers/{courier}/fixes"), &bounds).await
    }

    /// What a customer's page starts with; needs no key.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn tracking_snapshot(&self, tracking_token: &str) -> Result<Snapshot, ApiError> {
        self.get(&format!("/api/v1/track/{tracking_token}"), &[]).await
    }

    /// Where the map of the area in use is, if it has one; needs no key.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn map_path(&self) -> Result<Option<String>, ApiError> {
        let area: AreaInUse = self.get("/area/current", &[]).await?;
        Ok(area.basemap_pmtiles)
    }

    /// Whether the server says that it is ready for traffic.
    pub async fn is_ready(&self) -> bool {
        let answer = self.http.get(self.server.http("/health/ready")).send().await;
        answer.is_ok_and(|response| response.status().is_success())
    }

    async fn list<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<Vec<T>, ApiError> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            query.push(("limit", PAGE_LIMIT.to_owned()));
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let page: ListPage<T> = self.get(path, &query).await?;
            items.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(items),
            }
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, ApiError> {
        let call = Call::new(Method::GET, path);
        let response = self.send(&call, |request| request.query(query)).await?;
        call.read(response).await
    }

    async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, ApiError> {
        let call = Call::new(Method::POST, path);
        let response = self.send(&call, |request| request.json(body)).await?;
        call.read(response).await
    }

    async fn post_for_nothing<B: Serialize>(&self, path: &str, body: &B) -> Result<(), ApiError> {
        let call = Call::new(Method::POST, path);
        self.send(&call, |request| request.json(body)).await.map(|_| ())
    }

    /// Sends until there is an answer that will not change. A refusal is an error.
    async fn send(
        &self,
        call: &Call,
        fill_in: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, ApiError> {
        let started = tokio::time::Instant::now();
        let mut pause = FIRST_RETRY;
        loop {
            let request = self.http.request(call.method.clone(), self.server.http(&call.path)).bearer_auth(&self.key);
            let request = match &call.idempotency_key {
                Some(key) => request.header("Idempotency-Key", key),
                None => request,
            };
            let (last, wait) = match fill_in(request).send().await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) if is_worth_retrying(response.status()) => {
                    (response.status().to_string(), retry_after(&response))
                }
                Ok(response) => return Err(call.refused(response).await),
                Err(error) => (in_full(error), None),
            };
            let waited = started.elapsed();
            let wait = wait.unwrap_or(pause);
            if waited + wait > self.patience {
                return Err(ApiError::Unreachable { call: call.to_string(), waited_s: waited.as_secs(), last });
            }
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }
}

/// What is needed of the area in use.
#[derive(serde::Deserialize)]
struct AreaInUse {
    basemap_pmtiles: Option<String>,
}

/// RFC 3339 in UTC with milliseconds, as the contract has it.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn is_worth_retrying(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    value.parse().ok().map(Duration::from_secs)
}

/// What lies behind an error too; without the address, which may hold a secret and is said elsewhere.
fn in_full(error: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::from(error.without_url()))
}

/// One call, for its retries and for what is said about it.
struct Call {
    method: Method,
    path: String,
    idempotency_key: Option<String>,
}

impl Call {
    fn new(method: Method, path: &str) -> Self {
        let repeats = method == Method::POST;
        let idempotency_key = repeats.then(|| uuid::Uuid::now_v7().to_string());
        Self { method, path: path.to_owned(), idempotency_key }
    }

    async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, ApiError> {
        let malformed = |error: reqwest::Error| ApiError::Malformed { call: self.to_string(), reason: in_full(error) };
        let body = response.bytes().await.map_err(malformed)?;
        serde_json::from_slice(&body)
            .map_err(|error| ApiError::Malformed { call: self.to_string(), reason: error.to_string() })
    }

    async fn refused(&self, response: Response) -> ApiError {
        let status = response.status();
        let body = response.bytes().await.unwrap_or_default();
        let (code, detail) = match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => {
                let fields = problem.errors.into_iter().map(|error| format!("{}: {}", error.field, error.message));
                let detail: Vec<String> = problem.detail.into_iter().chain(fields).collect();
                (problem.code, detail.join("; "))
            }
            Err(_) => (String::new(), String::from_utf8_lossy(&body).chars().take(200).collect()),
        };
        ApiError::Refused { call: self.to_string(), status, code, detail }
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A tracking token in a path is a secret.
        let path = self.path.strip_prefix("/api/v1/track/").map_or(self.path.as_str(), |_| "/api/v1/track/…");
        write!(f, "{} {path}", self.method)
    }
}
