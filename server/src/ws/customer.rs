//! A customer's live feed: `GET /ws/track/{token}`, and the same over Server-Sent Events.
//!
//! Subscribes first and takes the snapshot second, so that nothing falls between them. An order that ends
//! while somebody connects is noticed because the snapshot is read after subscribing.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path, Payload, Query},
};
use doorstep_shared::{
    OrderId,
    problem::Problem,
    protocol::{
        CloseCode, Codec, ServerTime,
        customer::{CustomerEvent, CustomerMessage, Ended},
        decode_json, decode_postcard,
    },
};
use serde::Deserialize;

use super::{CLOSE_PATIENCE, Connection, Incoming, connect_limiter, negotiate, upgrade};
use crate::{
    auth::{look_up::look_up, origin},
    error::ApiError,
    live::{
        connections::Admission,
        outbox::{Encoded, Outbox, OutboxBody, Peer, SocketHandle, Wire},
    },
    platform::token,
    service::orders::snapshot,
    state::AppState,
};

/// How the customer wants the feed.
#[derive(Debug, Deserialize)]
pub struct FeedQuery {
    since_ms: Option<i64>,
    codec: Option<String>,
}

/// Messages from a customer that cannot be read, before the connection is closed with 4501.
const MAX_BAD_MESSAGES: u32 = 10;

/// `GET /ws/track/{token}`
pub async fn track_socket(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    query: Query<FeedQuery>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    origin::check(&app, &request)?;
    let codecs = negotiate(&request)?;
    let order = live_order(&app, &request, &path).await?;
    let admission = app.connections.admit(crate::auth::peer::peer_address(&app, &request))?;
    let (response, connection) = upgrade(&request, payload, codecs, Peer::Customer)?;
    admission.open(connection.outbox());
    let tasks = app.tasks.clone();
    let session = run(app.into_inner(), connection, admission, order, query.since_ms);
    #[allow(clippy::disallowed_methods, reason = "a session lives on its connection's worker thread")]
    actix_web::rt::spawn(tasks.watched("track_socket", false, session));
    Ok(response)
}

/// The live feed as Server-Sent Events, for networks that block WebSockets.
#[utoipa::path(get, path = "/api/v1/track/{token}/events", tag = "track",
    params(("token" = String, Path), ("since_ms" = Option<i64>, Query), ("codec" = Option<String>, Query),
        ("Last-Event-ID" = Option<String>, Header, description = "Works as `since_ms`")),
    responses((status = 200, description = "The feed's messages; `event` is the type", content_type = "text/event-stream"),
        (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn track_events(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    query: Query<FeedQuery>,
) -> Result<HttpResponse, ApiError> {
    let order = live_order(&app, &request, &path).await?;
    let admission = app.connections.admit(crate::auth::peer::peer_address(&app, &request))?;
    let codec = if query.codec.as_deref() == Some("postcard") { Codec::Postcard } else { Codec::Json };
    let outbox = Outbox::on(SocketHandle::of(&request), Wire::Events(codec), Peer::Customer);
    admission.open(&outbox);
    let last_seen = request.headers().get("Last-Event-ID").and_then(|id| id.to_str().ok()?.parse().ok());
    let since_ms = last_seen.or(query.since_ms);
    let tasks = app.tasks.clone();
    let session = stream_events(app.into_inner(), Arc::clone(&outbox), admission, order, since_ms);
    #[allow(clippy::disallowed_methods, reason = "a session lives on its connection's worker thread")]
    actix_web::rt::spawn(tasks.watched("track_events", false, session));
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .body(OutboxBody::event_stream(outbox)))
}

/// The order behind a token, while its feed can be opened.
async fn live_order(app: &AppState, request: &HttpRequest, token: &str) -> Result<OrderId, ApiError> {
    if app.fix_writer.backlog().quiet_for() < connect_limiter::QUIET {
        app.connect_limiter.pass().await.map_err(ApiError::too_busy)?;
    }
    let hash = token::hash(token);
    let looking = app.links.get(hash);
    let tracked = look_up(app, request, ApiError::too_many_attempts, looking).await?;
    let tracked = tracked.ok_or_else(ApiError::unknown_link)?;
    if tracked.1.is_final() {
        return Err(ApiError::tracking_ended(tracked.1));
    }
    Ok(tracked.0)
}

/// The session of one connection.
#[allow(clippy::manual_async_fn, reason = "an async fn holds its arguments twice, and there are many of these")]
fn run(
    app: Arc<AppState>,
    mut connection: Connection,
    admission: Admission,
    order: OrderId,
    since_ms: Option<i64>,
) -> impl Future<Output = ()> {
    async move {
        let _admission = &admission;
        let outbox = Arc::clone(connection.outbox());
        outbox.await_snapshot();
        let _subscription = app.hub.subscribe(order, Arc::clone(&outbox));
        greet(&app, &outbox, order, since_ms).await;
        let mut bad_messages = 0;
        loop {
            match connection.next().await {
                Incoming::Text(bytes) | Incoming::Binary(bytes) if is_ping(outbox.wire(), &bytes) => {
                    let pong = CustomerEvent::Pong(ServerTime { server_time_ms: app.clock.now_ms() });
                    outbox.push(outbox.wire().customer(&pong));
                }
                Incoming::Text(_) | Incoming::Binary(_) => {
                    bad_messages += 1;
                    if bad_messages >= MAX_BAD_MESSAGES {
                        outbox.close(CloseCode::BadMessage);
                    }
                }
                Incoming::Closed => break,
            }
        }
        let code = outbox.closed_with().unwrap_or(1006);
        metrics::counter!("doorstep_socket_closes_total", "socket" => "track", "code" => code.to_string()).increment(1);
        connection.linger().await;
    }
}

async fn stream_events(
    app: Arc<AppState>,
    outbox: Arc<Outbox>,
    _admission: Admission,
    order: OrderId,
    since_ms: Option<i64>,
) {
    outbox.await_snapshot();
    let _subscription = app.hub.subscribe(order, Arc::clone(&outbox));
    greet(&app, &outbox, order, since_ms).await;
    outbox.closed().await;
    outbox.end(CLOSE_PATIENCE).await;
}

/// The snapshot, then what the snapshot has no field for.
async fn greet(app: &AppState, outbox: &Arc<Outbox>, order: OrderId, since_ms: Option<i64>) {
    let Ok(Some(tracked)) = app.tracked.get(order).await else {
        // The database went away since the upgrade. The client's reconnect rule is what it needs now.
        outbox.close(CloseCode::ServerRestart);
        outbox.give_up_snapshot();
        return;
    };
    if let Some(courier) = &tracked.courier
        && let Err(error) = app.plans.load_to_watch(courier.id).await
    {
        tracing::warn!(error = %error, "a snapshot goes out without the courier's position");
    }
    let snapshot = snapshot::build(&tracked, &app.tracker, since_ms, app.clock.now_ms());
    outbox.push_snapshot(&Encoded::new(CustomerEvent::Snapshot(snapshot)));
    if let Some(courier) = &tracked.courier {
        app.tracker.greet(courier.id, order, outbox);
    }
    if tracked.order.status.is_final() {
        let ended = Ended { status: tracked.order.status, at_ms: tracked.order.status_at.timestamp_millis() };
        outbox.push(outbox.wire().customer(&CustomerEvent::Ended(ended)));
        outbox.close(CloseCode::TrackingEnded);
    }
}

fn is_ping(wire: Wire, bytes: &[u8]) -> bool {
    let message: Option<CustomerMessage> = match wire {
        Wire::Socket(Codec::Postcard) => decode_postcard(bytes).ok(),
        _ => std::str::from_utf8(bytes).ok().and_then(|text| decode_json(text).ok()),
    };
    matches!(message, Some(CustomerMessage::Ping(_)))
}
