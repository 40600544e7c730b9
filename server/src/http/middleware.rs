//! What happens to every request, or to every page, around its handler.

use std::time::Duration;

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use crate::{
    auth::peer::PeerAddress,
    error::ApiError,
    live::readiness::Readiness,
    platform::{
        config::Config,
        security::{Kind, SecurityEvent},
    },
};

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

/// Notes what was refused: 401, 403 and 429, by route and code. Addresses of links have tokens in them, so the route is
/// logged as the table has it.
pub async fn security_events(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let response = next.call(request).await?;
    let kind = match response.status() {
        StatusCode::UNAUTHORIZED => Kind::Unauthorized,
        StatusCode::FORBIDDEN => Kind::Forbidden,
        StatusCode::TOO_MANY_REQUESTS => Kind::LimitReached,
        _ => return Ok(response),
    };
    let request = response.request();
    let config = request.app_data::<Data<Config>>();
    let peer = config.and_then(|config| PeerAddress::of(config, request).0);
    let route = format!("{} {}", request.method(), request.match_pattern().as_deref().unwrap_or("-"));
    let code = response.response().error().map(ToString::to_string).unwrap_or_default();
    let event = SecurityEvent::new(kind).from(peer).on(&route);
    if code.is_empty() {
        event.log()
    } else {
        event.because(&code).log()
    }
    Ok(response)
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
