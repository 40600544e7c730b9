//! Pinned addresses: where a door is, said once.

use actix_web::{HttpResponse, http::StatusCode, web::Query};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorstep_shared::{
    ExceptionId, PinId,
    api::{
        ListPage,
        exception::ExceptionView,
        pins::{PinAddress, PinnedAddress},
    },
};

use super::page::{self, PageQuery};
use crate::{
    auth::{
        extract::{Allowed, Person},
        scope::{OrdersRead, OrdersWrite},
    },
    domain::pins::Pin,
    error::ApiError,
    http::{
        body::{
            field_errors::FieldErrors,
            json::{JsonBody, json},
        },
        context::context,
        path::PathId,
    },
    platform::clock::Clock,
    service::places::Places,
    store::Store,
};

/// The longest address, in characters, as in an order.
const MAX_ADDRESS_CHARACTERS: usize = 300;

context! {
    /// What pinning addresses works with.
    pub struct Pinning { store: Store, places: Places, clock: Clock }
}

/// List the pinned addresses, by address.
#[utoipa::path(get, path = "/api/v1/places/pins", operation_id = "listPins", tag = "orders",
    responses((status = 200, body = ListPage<PinnedAddress>, description = "A page of pinned addresses")))]
pub async fn list(pinning: Pinning, _: Allowed<OrdersRead>, query: Query<PageQuery>) -> Result<HttpResponse, ApiError> {
    let limit = page::page_size(query.limit)?;
    let after = page::cursor(query.cursor.as_deref(), read_cursor)?;
    let mut items = pinning.store.pins_page(after.as_deref(), limit as i64 + 1).await?;
    let next_cursor = page::cut(&mut items, limit, |(key, _)| URL_SAFE_NO_PAD.encode(key));
    let items = items.into_iter().map(|(_, pin)| pin).collect();
    Ok(json(StatusCode::OK, &ListPage::<PinnedAddress> { items, next_cursor }))
}

/// Pin an address to its right point.
///
/// Searches and imports take it from then on, at every server, before anything that the map knows. The id is the caller's
/// choice, so the request may be sent again; another pin for the same address makes room. Orders that exist already keep
/// their points.
#[utoipa::path(put, path = "/api/v1/places/pins/{id}", operation_id = "putPin", tag = "orders",
    params(("id" = PinId, Path, description = "The pin's id, any UUID")),
    responses(
        (status = 200, body = PinnedAddress, description = "The pinned address"),
        (status = 409, description = "There are 10 000 pins already"),
        (status = 422, description = "Some fields are not valid, or the point lies outside the area"),
    ))]
pub async fn put(
    pinning: Pinning,
    by: Allowed<OrdersWrite>,
    PathId(id): PathId<PinId>,
    body: JsonBody<PinAddress>,
) -> Result<HttpResponse, ApiError> {
    let pin = checked(id, &body)?;
    Ok(json(StatusCode::OK, &pinning.places.pin(&pin, &by.actor()).await?))
}

/// Remove a pin. Searches answer from the map again.
#[utoipa::path(delete, path = "/api/v1/places/pins/{id}", operation_id = "deletePin", tag = "orders",
    params(("id" = PinId, Path, description = "The pin's id")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    pinning: Pinning,
    _: Allowed<OrdersWrite>,
    PathId(id): PathId<PinId>,
) -> Result<HttpResponse, ApiError> {
    match pinning.store.delete_pin(id).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(ApiError::not_found()),
    }
}

/// Take the door that a courier proposed.
///
/// Pins the order's address where the courier said that the door is, and acknowledges the exception. To refuse it,
/// acknowledge it without this.
#[utoipa::path(post, path = "/api/v1/exceptions/{id}/pin", operation_id = "pinProposedDoor", tag = "exceptions",
    params(("id" = ExceptionId, Path, description = "The exception's id, of the code `door_elsewhere`")),
    responses(
        (status = 200, body = ExceptionView, description = "The exception, with who took care of it"),
        (status = 409, description = "There are 10 000 pins already"),
        (status = 422, description = "The point lies outside the area"),
    ))]
pub async fn take_proposal(
    pinning: Pinning,
    by: Person,
    PathId(id): PathId<ExceptionId>,
) -> Result<HttpResponse, ApiError> {
    pinning.places.take_proposal(id, &by.actor()).await?;
    let shown = pinning.store.acknowledge_exception(id, by.id, None, pinning.clock.now()).await?;
    Ok(json(StatusCode::OK, &shown.ok_or_else(ApiError::not_found)?))
}

fn checked(id: PinId, wanted: &PinAddress) -> Result<Pin, ApiError> {
    let mut errors = FieldErrors::default();
    errors.check_text(&wanted.address, MAX_ADDRESS_CHARACTERS, "address");
    match errors.check_point(wanted.lat, wanted.lon, "") {
        Some(point) => errors.finish().map(|()| Pin { id, address: wanted.address.trim().to_owned(), point }),
        None => Err(ApiError::invalid_fields(errors.into_vec())),
    }
}

fn read_cursor(text: &str) -> Option<String> {
    let key = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    // Postgres knows no text with that sign.
    (!key.contains('\0')).then_some(key)
}
