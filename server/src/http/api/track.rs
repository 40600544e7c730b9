//! A customer's order over plain HTTP: the snapshot, and the way that is still ahead of the courier.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path, Query},
};
use doorstep_shared::{
    LatLon,
    problem::Problem,
    protocol::{customer::CustomerEvent, encode_postcard},
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    auth::look_up::look_up,
    domain::{order::TrackedOrder, track::progress},
    error::ApiError,
    platform::token,
    service::orders::snapshot,
    state::AppState,
};

/// What our own page accepts: the WebSocket's postcard form of the same message.
const POSTCARD: &str = "application/vnd.doorstep.v1+postcard";

/// Which part of the trail to give.
#[derive(Debug, Deserialize)]
pub struct SnapshotQuery {
    since_ms: Option<i64>,
}

/// The same snapshot that opens the live feed.
#[utoipa::path(get, path = "/api/v1/track/{token}", tag = "track",
    params(("token" = String, Path), ("since_ms" = Option<i64>, Query)),
    responses((status = 200, description = "The feed's `snapshot` message"), (status = 404, body = Problem),
        (status = 410, body = Problem)))]
pub async fn show(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    query: Query<SnapshotQuery>,
) -> Result<HttpResponse, ApiError> {
    let tracked = live(&app, &request, &path).await?;
    let snapshot = snapshot::build(&tracked, &app.tracker, query.since_ms, app.clock.now_ms());
    let event = CustomerEvent::Snapshot(snapshot);
    Ok(match wants_postcard(&request) {
        true => postcard(encode_postcard(&event)),
        false => HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(event),
    })
}

/// The way from the courier to the next place along the streets, while the customer may see the courier.
#[utoipa::path(get, path = "/api/v1/track/{token}/route", tag = "track", params(("token" = String, Path)),
    responses((status = 200, description = "A GeoJSON LineString"), (status = 204, description = "Not known, or not to be shown"),
        (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn route(app: Data<AppState>, request: HttpRequest, path: Path<String>) -> Result<HttpResponse, ApiError> {
    let tracked = live(&app, &request, &path).await?;
    let Some(line) = route_ahead(&app, &tracked) else { return Ok(HttpResponse::NoContent().finish()) };
    let line: Vec<_> = line.into_iter().map(LatLon::to_lon_lat).collect();
    Ok(match wants_postcard(&request) {
        true => postcard(encode_postcard(&line)),
        false => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::CONTENT_TYPE, "application/geo+json"))
            .body(json!({ "type": "LineString", "coordinates": line }).to_string()),
    })
}

fn route_ahead(app: &AppState, tracked: &TrackedOrder) -> Option<Vec<LatLon>> {
    let heading = app.tracker.heading(tracked.courier.as_ref()?.id)?;
    let (route, here) = (heading.route?, heading.position.point()?);
    let place = heading.order.next_waypoint()?;
    let shows = heading.order.id == tracked.order.id && route.target == place.point;
    shows.then(|| progress::ahead(here, &route))
}

async fn live(app: &AppState, request: &HttpRequest, token: &str) -> Result<TrackedOrder, ApiError> {
    let hash = token::hash(token);
    let tracked = look_up(app, request, ApiError::too_many_attempts, app.store.tracked_order(&hash)).await?;
    let tracked = tracked.ok_or_else(ApiError::unknown_link)?;
    if tracked.order.status.is_final() {
        return Err(ApiError::tracking_ended(tracked.order.status));
    }
    if let Some(courier) = &tracked.courier {
        app.plans.load(courier.id).await?;
    }
    Ok(tracked)
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
