//! What happens to every request, or to every page, around its handler.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::{Bytes, Data},
};
use futures_util::FutureExt;

use super::{front::Front, in_pieces::InPieces};
use crate::{
    auth::peer::PeerAddress,
    error::ApiError,
    live::{
        accepted::{Accepted, AcceptedConnections, AnswerShare},
        readiness::Readiness,
    },
    platform::{
        config::Config,
        security::{Kind, SecurityEvent},
    },
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
    let is_head = request.method() == Method::HEAD;
    // A handler that panics leaves nothing half done behind that outlives its request: what it shares is whole again
    // when it is unlocked. The panic itself was logged where it happened.
    let answer = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let response = answer.unwrap_or_else(|_| Err(ApiError::internal(&"a handler panicked").into()))?;
    Ok(response.map_body(|head, body| {
        if head.connection_type() == ConnectionType::Close
            && let Some(answering) = &mut answering
        {
            answering.end_connection();
        }
        let body = if is_head { BoxBody::new(Unsent(body.size())) } else { body.boxed() };
        InPieces::new(body, answering, share)
    }))
}

/// The body of an answer to `HEAD`: of the same size as the one that is not sent.
struct Unsent(BodySize);

impl MessageBody for Unsent {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
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

#[cfg(test)]
mod tests {
    use actix_web::{
        App, HttpResponse,
        middleware::from_fn,
        test::{self, TestRequest},
        web,
    };

    use super::*;

    async fn panicking() -> HttpResponse {
        panic!("the text of a panic, with a secret in it")
    }

    #[actix_web::test]
    async fn a_handler_that_panics_is_a_500_that_says_nothing_and_the_next_request_is_answered() {
        let app = App::new()
            .wrap(from_fn(accounted))
            .route("/panic", web::get().to(panicking))
            .route("/", web::get().to(HttpResponse::Ok));
        let app = test::init_service(app).await;
        let get = |path: &str| TestRequest::get().uri(path).to_request();
        let Err(error) = test::try_call_service(&app, get("/panic")).await else { panic!("it was answered") };
        let answer = error.error_response();
        assert_eq!(answer.status(), 500);
        let body = actix_web::body::to_bytes(answer.into_body()).await.expect("it is whole");
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(text.contains("\"internal\"") && !text.contains("secret"), "{text}");
        assert_eq!(test::call_service(&app, get("/")).await.status(), 200);
    }
}
