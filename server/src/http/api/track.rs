//! A customer's order over plain HTTP: the snapshot, and the way that is still ahead of the courier.

use std::ops::Deref;

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{StatusCode, header},
    web::{Path, Query},
};
use doorstep_shared::{
    LatLon,
    api::track::{LineString, TrackSnapshot},
    protocol::{customer::CustomerEvent, encode_postcard},
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use crate::{
    auth::{access::Access, authenticator::Authenticator, registered::registered},
    domain::{order::TrackedOrder, track::progress},
    error::ApiError,
    http::{
        body,
        context::context,
        describe::{Describe, Description, describe_tracking_link},
    },
    live::{accepted::Rank, tracker::Tracker},
    platform::{clock::Clock, config::Config, token},
    service::orders::{plans::Plans, snapshot},
    store::Store,
};

/// What our own page accepts: the WebSocket's postcard form of the same message.
const POSTCARD: &str = "application/vnd.doorstep.v1+postcard";

/// Which part of the trail to give.
#[derive(Debug, Deserialize, IntoParams)]
pub struct SnapshotQuery {
    /// Only points of the trail after this time, Unix epoch milliseconds.
    since_ms: Option<i64>,
}

context! {
    /// What a customer's view is made from.
    pub struct View { tracker: Tracker, clock: Clock }
}

/// The order behind the tracking link in the path, while it is not over. Its courier is in the live view.
pub struct LiveOrder(TrackedOrder);

impl Deref for LiveOrder {
    type Target = TrackedOrder;

    fn deref(&self) -> &TrackedOrder {
        &self.0
    }
}

impl Describe for LiveOrder {
    const ACCESS: Option<Access> = Some(Access::TrackingLink);

    fn describe(description: &mut Description) {
        describe_tracking_link(description);
    }
}

impl FromRequest for LiveOrder {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { Self::of(&request).await }.boxed_local()
    }
}

impl LiveOrder {
    async fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let token = Path::<String>::extract(request).await.map_err(|_| ApiError::unknown_link())?;
        let (authenticator, store) = (registered::<Authenticator>(request)?, registered::<Store>(request)?);
        let hash = token::hash(&token);
        let looking = store.order_by_tracking_token(&hash);
        let linked = authenticator.look_up(request, Rank::Customer, ApiError::too_many_attempts, looking).await?;
        let linked = linked.ok_or_else(ApiError::unknown_link)?;
        let (config, clock) = (registered::<Config>(request)?, registered::<Clock>(request)?);
        let tracked = store.tracked_order_by_id(linked.order).await?.ok_or_else(ApiError::unknown_link)?;
        let status = tracked.order.status;
        if status.is_final() || linked.is_closed(config.settings.outcome(), clock.now()) {
            return Err(ApiError::tracking_ended(status));
        }
        if let Some(courier) = &tracked.courier {
            registered::<Plans>(request)?.load(courier.id).await?;
        }
        Ok(Self(tracked))
    }
}

/// Show the snapshot that also opens the live feed.
#[utoipa::path(get, path = "/api/v1/track/{token}", operation_id = "getSnapshot", tag = "track",
    params(("token" = String, Path, description = "The tracking token")),
    responses((status = 200, description = "The feed's `snapshot` message", body = TrackSnapshot)))]
pub async fn show(view: View, request: HttpRequest, order: LiveOrder, query: Query<SnapshotQuery>) -> HttpResponse {
    let snapshot = snapshot::build(&order, &view.tracker, query.since_ms, view.clock.now_ms());
    let event = CustomerEvent::Snapshot(snapshot);
    match wants_postcard(&request) {
        true => postcard(encode_postcard(&event)),
        false => body::json::json(StatusCode::OK, &event),
    }
}

/// Show the way from the courier to the next place along the streets, while the customer may see the courier.
#[utoipa::path(get, path = "/api/v1/track/{token}/route", operation_id = "getRouteAhead", tag = "track",
    params(("token" = String, Path, description = "The tracking token")),
    responses(
        (status = 200, description = "A GeoJSON LineString", body = LineString, content_type = "application/geo+json"),
        (status = 204, description = "The way is not known, or not to be shown"),
    ))]
pub async fn route(view: View, request: HttpRequest, order: LiveOrder) -> HttpResponse {
    let Some(line) = route_ahead(&view.tracker, &order) else { return HttpResponse::NoContent().finish() };
    let line: Vec<_> = line.into_iter().map(LatLon::to_lon_lat).collect();
    match wants_postcard(&request) {
        true => postcard(encode_postcard(&line)),
        false => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::CONTENT_TYPE, "application/geo+json"))
            .body(json!({ "type": "LineString", "coordinates": line }).to_string()),
    }
}

fn route_ahead(tracker: &Tracker, tracked: &TrackedOrder) -> Option<Vec<LatLon>> {
    let heading = tracker.heading(tracked.courier.as_ref()?.id)?;
    let (route, here) = (heading.route?, heading.position.point()?);
    let place = heading.order.next_waypoint()?;
    let shows = heading.order.id == tracked.order.id && route.target == place.point;
    shows.then(|| progress::ahead(here, &route))
}

/// Whether a request comes from our own page's script.
pub fn wants_postcard(request: &HttpRequest) -> bool {
    request.headers().get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == POSTCARD.as_bytes())
}

/// An answer to it.
pub fn postcard(bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "accept"))
        .insert_header((header::CONTENT_TYPE, POSTCARD))
        .body(bytes)
}
