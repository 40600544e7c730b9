//! Signs of life for supervisors and load balancers, and numbers for Prometheus.

use std::time::Duration;

use actix_web::{HttpResponse, web::Data};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

use super::context::context;
use crate::{
    live::{
        broker::{Broker, PeerLink},
        readiness::Readiness,
    },
    platform::process_metrics,
    service::areas::Areas,
    store::fix_writer::FixWriter,
};

/// A batch that has not been committed for this long means that positions are piling up.
const MAX_WRITER_LAG: Duration = Duration::from_secs(5);

context! {
    /// What readiness depends on.
    pub struct Health { readiness: Readiness, fix_writer: FixWriter, broker: dyn Broker, areas: Areas }
}

/// `GET /health/live`: the process runs.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// `GET /health/ready`: the database answers, the writer keeps up, and we are not stopping. Without its broker an
/// instance is degraded and still serves its own.
pub async fn ready(health: Health) -> HttpResponse {
    let (database, draining) = (health.readiness.has_database(), health.readiness.is_draining());
    let lag = health.fix_writer.backlog().lag();
    let is_ready = database && !draining && lag < MAX_WRITER_LAG;
    let link = health.broker.link();
    let word = |ok: bool| if ok { "ok" } else { "unavailable" };
    let body = json!({
        "status": match (draining, is_ready, link) {
            (true, ..) => "draining",
            (_, true, PeerLink::Down) => "degraded",
            (_, is_ready, _) => word(is_ready),
        },
        "database": word(database),
        "broker": match link {
            PeerLink::Alone | PeerLink::Up => "ok",
            PeerLink::Down => "degraded",
        },
        "area": area(&health.areas),
        "writer": { "lag_ms": lag.as_millis() as u64, "waiting_rows": health.fix_writer.backlog().rows() },
    });
    let mut response = if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(body)
}

/// The area in use, with what an operator should know about it. Nothing about it makes an instance unready: couriers
/// report and customers watch without streets, too.
fn area(areas: &Areas) -> serde_json::Value {
    let notes: Vec<_> =
        areas.notes().into_iter().map(|note| json!({ "code": note.code, "note": note.message })).collect();
    json!({ "id": areas.current().id(), "notes": notes })
}

/// `GET /metrics`, on a listener of its own: whoever reaches that may read them, and nobody reaches it through the proxy
/// in front of everything else.
pub async fn metrics(metrics: Data<PrometheusHandle>) -> HttpResponse {
    let text = metrics.render() + &process_metrics::render();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text)
}
