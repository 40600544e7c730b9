//! Addresses: what somebody typed, and what is under a click on the map.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Data, Query},
};
use doorstep_shared::{
    LatLon,
    api::{
        ListPage,
        console::{PlaceFound, PlaceKind},
    },
    places::{Found, Kind, MAX_RESULTS},
    problem::Problem,
};
use serde::Deserialize;

use crate::{
    auth::principal::{Principal, Scope},
    error::ApiError,
    http::body,
    state::AppState,
};

const DEFAULT_RESULTS: usize = 8;
const MAX_SEARCH_CHARACTERS: usize = 200;

/// What is asked: `q`, with `near` if that helps, or `at`.
#[derive(Debug, Deserialize)]
pub struct PlacesQuery {
    q: Option<String>,
    near: Option<String>,
    at: Option<String>,
    limit: Option<usize>,
}

/// Finds an address by what was typed, or by a point on the map. Works offline, from OpenStreetMap's names.
#[utoipa::path(get, path = "/api/v1/places", tag = "orders",
    params(("q" = Option<String>, Query, description = "Words of a name and perhaps its town; case, accents and small slips do not matter"),
        ("near" = Option<String>, Query, description = "`lat,lon`: what is near comes first"),
        ("at" = Option<String>, Query, description = "`lat,lon`: the house and the street there, instead of `q`"),
        ("limit" = Option<u32>, Query, description = "1 to 20, otherwise 8")),
    responses((status = 200, body = ListPage<PlaceFound>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem)))]
pub async fn find(
    app: Data<AppState>,
    request: HttpRequest,
    query: Query<PlacesQuery>,
) -> Result<HttpResponse, ApiError> {
    Principal::require(&app, &request, Scope::OrdersRead).await?;
    let limit = query.limit.unwrap_or(DEFAULT_RESULTS);
    if !(1..=MAX_RESULTS).contains(&limit) {
        return Err(ApiError::bad_request(format!("limit must be 1 to {MAX_RESULTS}")));
    }
    let near = query.near.as_deref().map(point).transpose()?;
    let gazetteer = app.gazetteer.clone();
    let found = match (query.into_inner(), near) {
        (PlacesQuery { at: Some(at), q: None, .. }, None) => {
            let at = point(&at)?;
            web::block(move || gazetteer.get().at(at)).await
        }
        (PlacesQuery { q: Some(q), at: None, .. }, near) if q.chars().count() <= MAX_SEARCH_CHARACTERS => {
            web::block(move || gazetteer.get().search(&q, near, limit)).await
        }
        _ => return Err(ApiError::bad_request("ask with q, at most 200 characters and perhaps near, or with at")),
    };
    let items = found.map_err(|error| ApiError::internal(&error))?.into_iter().map(view).collect();
    Ok(body::json(StatusCode::OK, &ListPage::<PlaceFound> { items, next_cursor: None }))
}

fn point(text: &str) -> Result<LatLon, ApiError> {
    let numbers =
        text.split_once(',').and_then(|(lat, lon)| Some((lat.trim().parse().ok()?, lon.trim().parse().ok()?)));
    let point = numbers.and_then(|(lat, lon)| LatLon::try_new(lat, lon).ok());
    point.ok_or_else(|| ApiError::bad_request("a point is lat,lon in degrees"))
}

fn view(found: Found) -> PlaceFound {
    PlaceFound {
        address: address(&found),
        kind: match found.kind {
            Kind::Street => PlaceKind::Street,
            Kind::House => PlaceKind::House,
            Kind::Town => PlaceKind::Town,
            Kind::PointOfInterest => PlaceKind::Poi,
        },
        lat: found.point.lat(),
        lon: found.point.lon(),
        distance_m: found.distance_m.map(|metres| metres.round() as u32),
        name: found.name,
        town: found.town,
    }
}

/// Name and town on one line.
pub fn address(found: &Found) -> String {
    match &found.town {
        Some(town) => format!("{}, {town}", found.name),
        None => found.name.clone(),
    }
}
