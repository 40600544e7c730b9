//! What happens to every request, or to every page, around its handler.

use std::time::Duration;

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use super::{front::Front, in_pieces::InPieces};
use crate::{
    auth::peer::PeerAddress,
    error::ApiError,
    live::{
        accepted::{Accepted, AcceptedConnections, AnswerShare},
        readiness::Readiness,
    },
    platform::config::Config,
};

/// Counts a request's answer as its connection's work until it is written, writes it in pieces, and ends the connection
/// after an answer that says so, whether or not the client goes on sending.
pub async fn accounted(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<InPieces>, actix_web::Error> {
    notice(&request);
    let mut answering = request.request().conn_data::<Accepted>().map(Accepted::answering);
    let share = share(&request)?;
    let response = next.call(request).await?;
    Ok(response.map_body(|head, body| {
        if head.connection_type() == ConnectionType::Close
            && let Some(answering) = &mut answering
        {
            answering.end_connection();
        }
        InPieces::new(body.boxed(), answering, share)
    }))
}

/// Looks at the way by which a request came.
fn notice(request: &ServiceRequest) {
    if let (Some(config), Some(front)) = (request.app_data::<Data<Config>>(), request.app_data::<Data<Front>>()) {
        front.look_for_proxy(config, request.request());
    }
}

/// A share of the answers for the client's network, where clients come through a trusted proxy and show no credential.
/// Without a proxy their connections are counted; with a credential, a courier's requests wait for no neighbour's.
fn share(request: &ServiceRequest) -> Result<Option<AnswerShare>, ApiError> {
    let of_crew = ["/api/", "/ingest/", "/ws/courier", "/ws/fleet", "/health/"];
    let (Some(config), Some(table)) =
        (request.app_data::<Data<Config>>(), request.app_data::<Data<AcceptedConnections>>())
    else {
        return Ok(None);
    };
    if !config.settings.trust_proxy || of_crew.iter().any(|prefix| request.path().starts_with(prefix)) {
        return Ok(None);
    }
    let network = PeerAddress::of(config, request.request()).network();
    let table = std::sync::Arc::clone(table);
    table.answer_for(network).map(Some).ok_or_else(|| ApiError::too_many_attempts(5))
}

/// Longer than the wait for a connection, which gives the same answer and abandons less.
const DATABASE_PATIENCE: Duration = Duration::from_secs(3);

/// Ends a request that waits for a database that has stopped in the middle of a query: none of its own deadlines passes
/// then. What it began goes on without it. Trackers have a deadline of their own.
pub async fn in_time(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let readiness = request.app_data::<Data<Readiness>>().cloned();
    let readiness = readiness.filter(|_| !request.path().starts_with("/ingest/"));
    let Some(readiness) = readiness else { return next.call(request).await };
    tokio::select! {
        biased;
        response = next.call(request) => response,
        () = readiness.database_is_silent_for(DATABASE_PATIENCE) => Err(ApiError::unavailable().into()),
    }
}

/// What every answer says to the browser.
pub async fn security_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let is_https = request.app_data::<Data<Config>>().is_some_and(|config| config.is_https());
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    Ok(response)
}

/// What every page says besides.
pub async fn page_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    isolate(response.headers_mut(), "geolocation=(), camera=(), microphone=()");
    Ok(response)
}

/// The courier's app alone may ask for the position, and keep the screen on.
pub async fn courier_page_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    isolate(response.headers_mut(), "geolocation=(self), camera=(self), screen-wake-lock=(self), microphone=()");
    Ok(response)
}

fn isolate(headers: &mut HeaderMap, permissions: &'static str) {
    for (name, value) in [("cross-origin-opener-policy", "same-origin"), ("permissions-policy", permissions)] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}
