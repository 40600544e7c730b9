//! What happens to every request, or to every page, around its handler.

use std::time::{Duration, Instant};

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use crate::{error::ApiError, live::readiness::Readiness, platform::config::Config};

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

/// Counts every request by its route, and how long its answer took to begin.
pub async fn measured(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let (began, method) = (Instant::now(), method_label(request.method()));
    let answered = next.call(request).await;
    let (route, status) = match &answered {
        Ok(response) => (response.request().match_pattern(), response.status()),
        Err(error) => (None, error.as_response_error().status_code()),
    };
    // The route's pattern, never the address, which has ids and secrets in it.
    let route = route.unwrap_or_else(|| "none".to_owned());
    let labels = [("method", method.to_owned()), ("route", route.clone()), ("status", status.as_str().to_owned())];
    metrics::counter!("doorstep_http_requests_total", &labels).increment(1);
    metrics::histogram!("doorstep_http_request_seconds", "route" => route).record(began.elapsed().as_secs_f64());
    answered
}

/// A client may invent methods; a label may not.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
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
    // A handler says it to keep compression off; as an answer's header it is none (RFC 9110, section 8.4).
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "identity") {
        headers.remove(header::CONTENT_ENCODING);
    }
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
