//! Signs of life for supervisors and load balancers, and numbers for Prometheus.

use std::{
    future::pending,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::json;
use tokio::sync::watch;

use crate::{app::AppState, broker::Link, error::ApiError};

/// A batch that has not been committed for this long means that positions are piling up.
const MAX_WRITER_LAG: Duration = Duration::from_secs(5);

/// What readiness knows without asking anybody.
#[derive(Debug, Default)]
pub struct Readiness {
    database: AtomicBool,
    draining: AtomicBool,
    /// Since when the database has not answered, when it does not.
    silent_since: watch::Sender<Option<Instant>>,
}

impl Readiness {
    /// Notes whether the database answered.
    pub fn set_database(&self, answers: bool) {
        self.silent_since.send_if_modified(|since| {
            let was_silent = since.is_some();
            *since = if answers { None } else { since.or_else(|| Some(Instant::now())) };
            was_silent == answers
        });
        if self.database.swap(answers, Ordering::AcqRel) != answers {
            match answers {
                true => tracing::info!("the database answers"),
                false => tracing::warn!("the database does not answer"),
            }
        }
    }

    /// Resolves when the database has not answered for `patience`, counted from now at the earliest.
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    pub async fn database_is_silent_for(&self, patience: Duration) {
        let (began, mut silent_since) = (Instant::now(), self.silent_since.subscribe());
        loop {
            let since = match silent_since.wait_for(Option::is_some).await {
                Ok(since) => since.map_or(began, |since| since.max(began)),
                Err(_) => pending().await,
            };
            tokio::select! {
                () = tokio::time::sleep_until((since + patience).into()) => return,
                _ = silent_since.wait_for(Option::is_none) => {}
            }
        }
    }

    /// From now on this instance wants no new work.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }
}

/// `GET /health/live`: the process runs.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// `GET /health/ready`: the database answers, the writer keeps up, and we are not stopping. Without its broker an
/// instance is degraded and still serves its own.
pub async fn ready(app: Data<AppState>) -> HttpResponse {
    let database = app.readiness.database.load(Ordering::Acquire);
    let draining = app.readiness.draining.load(Ordering::Acquire);
    let lag = app.fix_writer.backlog().lag();
    let is_ready = database && !draining && lag < MAX_WRITER_LAG;
    let link = app.broker.link();
    let word = |ok: bool| if ok { "ok" } else { "unavailable" };
    let body = json!({
        "status": match (draining, is_ready, link) {
            (true, ..) => "draining",
            (_, true, Link::Down) => "degraded",
            (_, is_ready, _) => word(is_ready),
        },
        "database": word(database),
        "broker": match link {
            Link::Alone | Link::Up => "ok",
            Link::Down => "degraded",
        },
        "writer": { "lag_ms": lag.as_millis() as u64, "waiting_rows": app.fix_writer.backlog().rows() },
    });
    let mut response = if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(body)
}

/// `GET /metrics`: for a scraper on this machine or network, never through the public proxy.
pub async fn metrics(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let forwarded = ["X-Forwarded-For", "Forwarded"].iter().any(|name| request.headers().contains_key(*name));
    let is_near = request.peer_addr().is_some_and(|peer| match peer.ip() {
        std::net::IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        std::net::IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    });
    if forwarded || !is_near {
        return Err(ApiError::not_found());
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(app.metrics.render()))
}
