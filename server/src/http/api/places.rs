//! Addresses: those that a dispatcher typed, and those under a click on the map.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use doorstep_area::places::{Found, Kind, MAX_RESULTS};
use doorstep_shared::{
    LatLon,
    api::{
        ListPage,
        console::{PlaceFound, PlaceKind},
    },
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::page;
use crate::{
    auth::{extract::Allowed, scope::OrdersRead},
    domain::pins::Place,
    error::ApiError,
    http::body::json::json,
    service::places::Places,
};

const DEFAULT_RESULTS: usize = 8;
const MAX_SEARCH_CHARACTERS: usize = 200;

/// What is asked: `q`, with `near` if that helps, or `at`.
#[derive(Debug, Deserialize, IntoParams)]
pub struct PlacesQuery {
    /// Words of a name and perhaps its town; case, accents and small slips do not matter.
    #[param(max_length = 200)]
    q: Option<String>,
    /// `lat,lon` in degrees: places near it come first.
    #[param(max_length = 100, pattern = r"^-?[0-9]{1,3}(\.[0-9]{1,15})?,-?[0-9]{1,3}(\.[0-9]{1,15})?$")]
    near: Option<String>,
    /// `lat,lon` in degrees: the house and the street there, instead of `q`.
    #[param(max_length = 100, pattern = r"^-?[0-9]{1,3}(\.[0-9]{1,15})?,-?[0-9]{1,3}(\.[0-9]{1,15})?$")]
    at: Option<String>,
    /// The most places to give; 8 otherwise.
    #[param(minimum = 1, maximum = 20)]
    limit: Option<usize>,
}

/// Find an address by what was typed, or by a point on the map.
///
/// Works offline, from OpenStreetMap's names, unless the operator has a geocoder of their own. Pinned addresses come first.
/// Ask with `q`, and perhaps `near`, or with `at`.
#[utoipa::path(get, path = "/api/v1/places", operation_id = "findPlaces", tag = "orders",
    responses((status = 200, body = ListPage<PlaceFound>, description = "The best places first, on one page")))]
pub async fn find(
    places: Data<Places>,
    _: Allowed<OrdersRead>,
    query: Query<PlacesQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_RESULTS);
    if !(1..=MAX_RESULTS).contains(&limit) {
        return Err(ApiError::bad_request(format!("limit must be 1 to {MAX_RESULTS}")));
    }
    let near = query.near.as_deref().map(point).transpose()?;
    let found = match (query.into_inner(), near) {
        (PlacesQuery { at: Some(at), q: None, .. }, None) => places.at(point(&at)?).await,
        (PlacesQuery { q: Some(q), at: None, .. }, near) if q.chars().count() <= MAX_SEARCH_CHARACTERS => {
            places.search(q, near, limit).await
        }
        _ => return Err(ApiError::bad_request("ask with q, at most 200 characters and perhaps near, or with at")),
    };
    Ok(json(StatusCode::OK, &page::whole(found.into_iter().map(view).collect::<Vec<PlaceFound>>())))
}

fn point(text: &str) -> Result<LatLon, ApiError> {
    let numbers =
        text.split_once(',').and_then(|(lat, lon)| Some((lat.trim().parse().ok()?, lon.trim().parse().ok()?)));
    let point = numbers.and_then(|(lat, lon)| LatLon::try_new(lat, lon).ok());
    point.ok_or_else(|| ApiError::bad_request("a point is lat,lon in degrees"))
}

fn view(Place { found, pin }: Place) -> PlaceFound {
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
        pin_id: pin,
    }
}

/// Name and town on one line.
fn address(found: &Found) -> String {
    match &found.town {
        Some(town) => format!("{}, {town}", found.name),
        None => found.name.clone(),
    }
}
