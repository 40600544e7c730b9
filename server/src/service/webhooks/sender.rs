//! Sends one message and judges the answer. What an endpoint answers besides its status is read past and dropped.

use std::{
    error::Error,
    io,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use bytes::Bytes;
use doorstep_shared::EventId;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, header, rt::Executor};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioTimer,
};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    guard::{Guard, GuardedResolver, NoWay, Way},
    message,
};
use crate::{
    domain::outbox::retry::{self, Answer, Outcome},
    platform::{
        clock::Clock,
        tasks::{Tasks, until_shutdown},
    },
    store::webhooks::Endpoint,
};

/// An endpoint answers within this, or the try has failed. The standard asks for 15 to 30 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The longest time for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What is read of an answer's body, and how long, so that its connection can be used again.
const MAX_ANSWER_BYTES: usize = 64 * 1_024;
const READ_PAST_TIMEOUT: Duration = Duration::from_millis(500);

/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// What an endpoint is told.
#[derive(Clone, Debug)]
pub(super) struct Telling<'a> {
    pub(super) event: EventId,
    pub(super) kind: &'a str,
    pub(super) at: chrono::DateTime<chrono::Utc>,
    pub(super) data: Value,
    pub(super) personal: Value,
}

/// Sends messages. Shared by reference.
#[derive(Debug)]
pub struct Sender {
    guard: Guard,
    clock: Clock,
    over_tls: Client<HttpsConnector<HttpConnector<GuardedResolver>>, Full<Bytes>>,
    in_the_clear: Client<HttpConnector<GuardedResolver>, Full<Bytes>>,
}

impl Sender {
    /// Sends where `guard` lets it, at most `at_once` messages to one endpoint. Its connections end with `closing`.
    pub fn new(guard: Guard, clock: Clock, tasks: Tasks, closing: CancellationToken, at_once: usize) -> Self {
        let connections = Connections { tasks, closing };
        let mut builder = Client::builder(connections);
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT).pool_max_idle_per_host(at_once);
        builder.http1_max_buf_size(MAX_ANSWER_BYTES);
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls_config()).https_only().enable_http1();
        let over_tls = builder.build(tls.wrap_connector(connector(&guard, Way::Tls)));
        let in_the_clear = builder.build(connector(&guard, Way::Plain));
        Self { guard, clock, over_tls, in_the_clear }
    }

    /// Where messages may go.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends a message to `endpoint`, once.
    ///
    /// # Cancel safety
    /// The endpoint may have the message when the future is dropped.
    pub(super) async fn send(&self, endpoint: &Endpoint, told: Telling<'_>) -> Answer {
        let began = Instant::now();
        let sent = tokio::time::timeout(ANSWER_TIMEOUT, self.answer(endpoint, told)).await;
        let (outcome, status, retry_after) = match sent {
            Ok(Ok(response)) => {
                let status = response.status();
                let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
                let asked = asked.and_then(|value| retry::retry_after(value, self.clock.now()));
                (Outcome::of_status(status.as_u16()), Some(status), asked)
            }
            Ok(Err(failure)) => (failure, None, None),
            Err(_elapsed) => (Outcome::TimedOut, None, None),
        };
        Answer { outcome, status: status.map(|status| status.as_u16()), took: began.elapsed(), retry_after }
    }

    async fn answer(&self, endpoint: &Endpoint, told: Telling<'_>) -> Result<Response<()>, Outcome> {
        let Ok(url) = Url::parse(&endpoint.url) else { return Err(Outcome::Unresolved) };
        let way = if url.scheme() == "https" { Way::Tls } else { Way::Plain };
        self.guard.check_literal(&url, way).map_err(outcome_of)?;
        let request = self.request(&url, endpoint, told).ok_or(Outcome::Unresolved)?;
        let response = match way {
            Way::Tls => self.over_tls.request(request).await,
            Way::Plain => self.in_the_clear.request(request).await,
        };
        let (head, body) = response.map_err(|error| cause(&error))?.into_parts();
        read_past(body).await;
        Ok(Response::from_parts(head, ()))
    }

    fn request(&self, url: &Url, endpoint: &Endpoint, told: Telling<'_>) -> Option<Request<Full<Bytes>>> {
        let personal = if endpoint.personal { told.personal } else { Value::Null };
        let body = message::body(told.kind, told.at, told.data, personal);
        let (id, sent_at_s) = (told.event.to_string(), self.clock.now().timestamp());
        let request = Request::post(url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("doorstep/", env!("CARGO_PKG_VERSION")))
            .header(HEADER_WEBHOOK_SIGNATURE, message::signatures(&endpoint.secrets, &id, sent_at_s, &body))
            .header(HEADER_WEBHOOK_TIMESTAMP, sent_at_s)
            .header(HEADER_WEBHOOK_ID, id);
        request.body(Full::new(Bytes::from(body))).ok()
    }
}

fn connector(guard: &Guard, way: Way) -> HttpConnector<GuardedResolver> {
    let mut connector = HttpConnector::new_with_resolver(GuardedResolver { guard: guard.clone(), way });
    connector.enforce_http(way == Way::Plain);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_nodelay(true);
    connector
}

/// The authorities that the machine trusts, and those of browsers: a small image has none of its own.
fn tls_config() -> ClientConfig {
    static CONFIG: OnceLock<ClientConfig> = OnceLock::new();
    let make = || {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        config.expect("the provider has the usual versions").with_root_certificates(roots).with_no_client_auth()
    };
    CONFIG.get_or_init(make).clone()
}

/// Reads a little of a body that nobody wants.
async fn read_past(mut body: Incoming) {
    let reading = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > MAX_ANSWER_BYTES {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(READ_PAST_TIMEOUT, reading).await;
}

const fn outcome_of(no_way: NoWay) -> Outcome {
    match no_way {
        NoWay::Blocked => Outcome::Blocked,
        NoWay::Unresolved => Outcome::Unresolved,
    }
}

/// Why there is no answer, from the depth of the client's error.
fn cause(error: &(dyn Error + 'static)) -> Outcome {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(no_way) = error.downcast_ref::<NoWay>() {
            return outcome_of(*no_way);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return Outcome::Untrusted;
        }
        next = error.source();
    }
    Outcome::Unreachable
}

/// Runs the client's connections as tasks of the server.
#[derive(Clone, Debug)]
struct Connections {
    tasks: Tasks,
    closing: CancellationToken,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Connections {
    fn execute(&self, connection: F) {
        self.tasks.spawn("webhook_connection", until_shutdown(self.closing.clone(), connection));
    }
}
