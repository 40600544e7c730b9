//! Saved pickups, which the console offers when an order is created.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use doorstep_shared::api::{
    ListPage,
    console::{SavePickup, SavedPickup},
};
use uuid::Uuid;

use super::{orders::check_place, page};
use crate::{
    auth::{
        extract::Allowed,
        scope::{OrdersRead, OrdersWrite},
    },
    error::ApiError,
    http::{
        body::{
            field_errors::FieldErrors,
            idempotency::Idempotency,
            json::{JsonBody, json},
        },
        context::context,
        path::PathId,
    },
    platform::clock::Clock,
    store::{
        Store,
        saved_pickups::{MAX_SAVED_PICKUPS, Saving},
    },
};

context! {
    /// What saving pickups works with.
    pub struct Pickups { store: Store, clock: Clock }
}

/// List the saved pickups by name.
#[utoipa::path(get, path = "/api/v1/pickups", operation_id = "listPickups", tag = "orders",
    responses((status = 200, body = ListPage<SavedPickup>, description = "All of them on one page, at most 500")))]
pub async fn list(store: Data<Store>, _: Allowed<OrdersRead>) -> Result<HttpResponse, ApiError> {
    Ok(json(StatusCode::OK, &page::whole(store.saved_pickups().await?)))
}

/// Save a pickup under a name of its own.
#[utoipa::path(post, path = "/api/v1/pickups", operation_id = "savePickup", tag = "orders",
    responses(
        (status = 201, body = SavedPickup, description = "The saved pickup"),
        (status = 409, description = "Another pickup has this name, there are 500 already, or the idempotency key was used before"),
        (status = 422, description = "Some fields are not valid"),
    ))]
pub async fn save(
    pickups: Pickups,
    by: Allowed<OrdersWrite>,
    once: Idempotency,
    body: JsonBody<SavePickup>,
) -> Result<HttpResponse, ApiError> {
    let bytes = body.bytes();
    once.run(&by, &bytes, async move { Ok((StatusCode::CREATED, pickups.save(body.into_inner()).await?)) }).await
}

impl Pickups {
    async fn save(&self, wanted: SavePickup) -> Result<SavedPickup, ApiError> {
        let mut errors = FieldErrors::default();
        errors.check_text(&wanted.name, 100, "name");
        let place = check_place(&wanted.place, "place", &mut errors);
        errors.finish()?;
        let place = place.ok_or_else(|| ApiError::internal(&"a place without errors is no place"))?.to_body();
        let pickup = SavedPickup { id: Uuid::now_v7(), name: wanted.name.trim().to_owned(), place };
        match self.store.save_pickup(&pickup, self.clock.now()).await? {
            Saving::Saved => Ok(pickup),
            Saving::NameTaken => Err(ApiError::name_taken(&pickup.name)),
            Saving::Enough => Err(ApiError::too_many_pickups(MAX_SAVED_PICKUPS)),
        }
    }
}

/// Forget a saved pickup. Orders keep their place.
#[utoipa::path(delete, path = "/api/v1/pickups/{id}", operation_id = "deletePickup", tag = "orders",
    params(("id" = Uuid, Path, description = "The pickup's id")),
    responses((status = 204, description = "It is forgotten")))]
pub async fn delete(
    store: Data<Store>,
    _: Allowed<OrdersWrite>,
    PathId(id): PathId<Uuid>,
) -> Result<HttpResponse, ApiError> {
    match store.delete_pickup(id).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(ApiError::not_found()),
    }
}
