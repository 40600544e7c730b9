//! A customer's live feed: `GET /ws/track/{token}`, and the same over Server-Sent Events.
//!
//! A session subscribes first and takes the snapshot second, so that nothing falls between them. An order that ends
//! while a customer connects is noticed because the snapshot is read after subscribing.

use std::sync::Arc;

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, dev,
    http::header,
    web::{Data, Path, Query},
};
use chrono::TimeDelta;
use doorstep_shared::{
    OrderId,
    protocol::{
        CloseCode, Codec, ServerTime,
        customer::{CustomerEvent, CustomerMessage, Ended},
        decode_json, decode_postcard,
    },
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    CLOSE_PATIENCE, Connection, Handshake, Incoming, allowance::Allowance, connect_limiter, count_close, spawn,
};
use crate::{
    auth::{
        access::{Access, Credential},
        authenticator::Authenticator,
        origin::AllowedOrigin,
        peer::PeerAddress,
        registered::registered,
    },
    domain::order::{TrackedOrder, link::LinkedOrder},
    error::ApiError,
    live::{
        accepted::Rank,
        connections::{Admission, Claim, Connections},
        hub::Hub,
        outbox::{Encoded, Outbox, OutboxBody, Peer, SocketHandle, Wire},
        tracker::Tracker,
    },
    platform::{clock::Clock, tasks::Tasks, token},
    service::orders::{plans::Plans, snapshot},
    store::{batch_loader::BatchLoader, fix_writer::FixWriter, tracking_links::LinkHash},
    ws::connect_limiter::ConnectLimiter,
};

/// What customers' feeds work with.
#[derive(Debug)]
pub struct CustomerFeeds {
    /// The time.
    pub clock: Clock,
    /// Tasks of connections.
    pub tasks: Tasks,
    /// Open connections.
    pub connections: Arc<Connections>,
    /// Who watches which order.
    pub hub: Arc<Hub>,
    /// The live state of couriers.
    pub tracker: Arc<Tracker>,
    /// Couriers' plans, read into the live view.
    pub plans: Arc<Plans>,
    /// Where tracking links lead, looked up for many at once.
    pub links: BatchLoader<LinkHash, LinkedOrder>,
    /// Orders with what their customers see around them, read for many at once.
    pub tracked: BatchLoader<OrderId, Arc<TrackedOrder>>,
    /// Tells whether couriers report.
    pub fix_writer: FixWriter,
    /// Lets customers connect one after the other while couriers report.
    pub connect_limiter: ConnectLimiter,
    /// How long an order's link outlives its last change.
    pub outcome: TimeDelta,
}

/// After how many milliseconds a browser comes back to a lost event stream: not all of them at once.
const RETRY_MS: std::ops::RangeInclusive<u16> = 2_000..=4_000;

/// Which part of the trail the feed begins with, and how it is encoded.
#[derive(Debug, Deserialize, IntoParams)]
pub struct FeedQuery {
    /// Only points of the trail after this time, Unix epoch milliseconds.
    since_ms: Option<i64>,
    /// `json`, otherwise, or `postcard`, in Base64.
    #[param(max_length = 20)]
    codec: Option<String>,
}

/// Messages from a customer that cannot be read, before the connection is closed with 4501.
const MAX_BAD_MESSAGES: u32 = 10;

/// A page asks for the time now and then, and answers Pings.
const BURST_FRAMES: f64 = 60.0;
const FRAMES_PER_SECOND: f64 = 5.0;

/// The order behind the tracking link in a request's path, while its feed can be opened.
#[derive(Clone, Copy, Debug)]
pub struct OpenLink(OrderId);

impl Credential for OpenLink {
    const ACCESS: Access = Access::TrackingLink;
}

impl FromRequest for OpenLink {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let request = request.clone();
        async move { Self::of(&request).await }.boxed_local()
    }
}

impl OpenLink {
    async fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let token = Path::<String>::extract(request).await.map_err(|_| ApiError::unknown_link())?;
        let feeds = registered::<CustomerFeeds>(request)?;
        let authenticator = registered::<Authenticator>(request)?;
        // A guessing network's links are looked up first, so that junk takes no turn from customers.
        let is_guessing = authenticator.is_from_guessing_network(request);
        if !is_guessing {
            feeds.turn().await?;
        }
        let looking = feeds.links.get(token::hash(&token));
        let linked = authenticator.look_up(request, Rank::Customer, ApiError::too_many_attempts, looking).await?;
        let linked = linked.ok_or_else(ApiError::unknown_link)?;
        if linked.status.is_final() || linked.is_closed(feeds.outcome, feeds.clock.now()) {
            return Err(ApiError::tracking_ended(linked.status));
        }
        if is_guessing {
            feeds.turn().await?;
        }
        Ok(Self(linked.order))
    }
}

/// `GET /ws/track/{token}`
pub async fn track_socket(
    feeds: Data<CustomerFeeds>,
    peer: PeerAddress,
    _: AllowedOrigin,
    handshake: Handshake,
    OpenLink(order): OpenLink,
    query: Query<FeedQuery>,
) -> Result<HttpResponse, ApiError> {
    let admission = feeds.connections.admit(peer.0, Claim::Link(order))?;
    let (response, connection) = handshake.upgrade(Peer::Customer, Allowance::new(BURST_FRAMES, FRAMES_PER_SECOND))?;
    admission.open(connection.outbox());
    let tasks = feeds.tasks.clone();
    spawn(&tasks, "track_socket", run(feeds.into_inner(), connection, admission, order, query.since_ms));
    Ok(response)
}

/// Follow the live feed as Server-Sent Events, for networks that block WebSockets.
#[utoipa::path(get, path = "/api/v1/track/{token}/events", operation_id = "followFeed", tag = "track",
    params(("token" = String, Path, description = "The tracking token"),
        ("Last-Event-ID" = Option<i64>, Header, description = "Works as `since_ms`; browsers send it by themselves")),
    responses((status = 200, description = "The feed's messages; `event` is the type",
        content_type = "text/event-stream", body = String)))]
pub async fn track_events(
    feeds: Data<CustomerFeeds>,
    request: HttpRequest,
    peer: PeerAddress,
    OpenLink(order): OpenLink,
    query: Query<FeedQuery>,
) -> Result<HttpResponse, ApiError> {
    let admission = feeds.connections.admit(peer.0, Claim::Link(order))?;
    let codec = if query.codec.as_deref() == Some("postcard") { Codec::Postcard } else { Codec::Json };
    let outbox = Outbox::on(SocketHandle::of(&request), Wire::Events(codec), Peer::Customer);
    admission.open(&outbox);
    let last_seen = request.headers().get("Last-Event-ID").and_then(|id| id.to_str().ok()?.parse().ok());
    let since_ms = last_seen.or(query.since_ms);
    let tasks = feeds.tasks.clone();
    let session = stream_events(feeds.into_inner(), Arc::clone(&outbox), admission, order, since_ms);
    spawn(&tasks, "track_events", session);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/event-stream"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        // For our own compression alone; the middleware takes it off.
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .body(OutboxBody::event_stream(outbox, rand::random_range(RETRY_MS))))
}

/// The session of one connection.
#[allow(clippy::manual_async_fn, reason = "an async fn holds its arguments twice, and there are many of these")]
fn run(
    feeds: Arc<CustomerFeeds>,
    mut connection: Connection,
    admission: Admission,
    order: OrderId,
    since_ms: Option<i64>,
) -> impl Future<Output = ()> {
    async move {
        let outbox = Arc::clone(connection.outbox());
        outbox.await_snapshot();
        let _subscription = feeds.hub.subscribe(order, Arc::clone(&outbox));
        feeds.greet(&outbox, order, since_ms).await;
        let mut bad_messages = 0;
        while let Incoming::Text(bytes) | Incoming::Binary(bytes) = connection.next().await {
            feeds.receive(&outbox, &bytes, &mut bad_messages);
        }
        count_close("track", &outbox, &admission);
        connection.linger().await;
    }
}

async fn stream_events(
    feeds: Arc<CustomerFeeds>,
    outbox: Arc<Outbox>,
    _admission: Admission,
    order: OrderId,
    since_ms: Option<i64>,
) {
    outbox.await_snapshot();
    let _subscription = feeds.hub.subscribe(order, Arc::clone(&outbox));
    feeds.greet(&outbox, order, since_ms).await;
    outbox.closed().await;
    outbox.end(CLOSE_PATIENCE).await;
}

impl CustomerFeeds {
    /// Waits for a newcomer's turn, while couriers report.
    async fn turn(&self) -> Result<(), ApiError> {
        if self.fix_writer.backlog().quiet_for() < connect_limiter::QUIET {
            self.connect_limiter.pass().await.map_err(ApiError::too_busy)?;
        }
        Ok(())
    }

    /// Sends the snapshot, then what the snapshot has no field for.
    async fn greet(&self, outbox: &Arc<Outbox>, order: OrderId, since_ms: Option<i64>) {
        let Ok(Some(tracked)) = self.tracked.get(order).await else {
            // The database went away since the upgrade. The client's reconnect rule is what it needs now.
            outbox.close(CloseCode::ServerRestart);
            outbox.give_up_snapshot();
            return;
        };
        if let Some(courier) = &tracked.courier
            && let Err(error) = self.plans.load_to_watch(courier.id).await
        {
            tracing::warn!(error = %error, "a snapshot goes out without the courier's position");
        }
        let snapshot = snapshot::build(&tracked, &self.tracker, since_ms, self.clock.now_ms());
        outbox.push_snapshot(&Encoded::new(CustomerEvent::Snapshot(snapshot)));
        if outbox.take_missed_correction() {
            self.tracker.outdate([order]);
        }
        if let Some(courier) = &tracked.courier {
            self.tracker.greet(courier.id, order, outbox);
        }
        end_if_over(outbox, &tracked);
    }

    /// Answers a ping. Nothing else is expected of a customer.
    fn receive(&self, outbox: &Outbox, bytes: &[u8], bad_messages: &mut u32) {
        if is_ping(outbox.wire(), bytes) {
            let pong = CustomerEvent::Pong(ServerTime { server_time_ms: self.clock.now_ms() });
            return outbox.push(outbox.wire().customer(&pong));
        }
        *bad_messages += 1;
        if *bad_messages >= MAX_BAD_MESSAGES {
            outbox.close(CloseCode::BadMessage);
        }
    }
}

fn end_if_over(outbox: &Outbox, tracked: &TrackedOrder) {
    let order = &tracked.order;
    if order.status.is_final() {
        let ended = Ended { status: order.status, at_ms: order.status_at.timestamp_millis() };
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
