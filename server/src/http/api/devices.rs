//! Couriers' phones and trackers over REST, for callers who may change couriers.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use doorstep_shared::{
    CourierId, DeviceId,
    api::{
        CreateDevice, DeviceCreated, DeviceRejection, DeviceView, ListPage, SignInLink,
        courier::{CreateTracker, TrackerCreated},
    },
};

use super::page;
use crate::{
    auth::{
        extract::Allowed,
        scope::{CouriersRead, CouriersWrite},
    },
    error::ApiError,
    http::{
        body::{
            bytes::RequestBody,
            field_errors::FieldErrors,
            idempotency::Idempotency,
            json::{JsonBody, json},
        },
        context::context,
        path::{PathId, PathIds},
    },
    platform::token,
    service::devices::Devices,
    store::{
        Store,
        devices::{Device, NewDevice},
    },
};

context! {
    /// What registering devices works with.
    pub struct Registry { store: Store, devices: Devices }
}

/// Register a courier's phone.
///
/// Its token and its sign-in link are shown this once.
#[utoipa::path(post, path = "/api/v1/couriers/{id}/devices", operation_id = "createDevice", tag = "couriers",
    params(("id" = CourierId, Path, description = "The courier's id")),
    responses(
        (status = 201, body = DeviceCreated, description = "The device, with its secrets"),
        (status = 409, description = "The courier is archived, or the idempotency key was used before"),
        (status = 422, description = "A field is not valid"),
    ))]
pub async fn create(
    registry: Registry,
    by: Allowed<CouriersWrite>,
    PathId(courier): PathId<CourierId>,
    once: Idempotency,
    body: JsonBody<CreateDevice>,
) -> Result<HttpResponse, ApiError> {
    let bytes = body.bytes();
    once.run(&by, &bytes, async move { Ok((StatusCode::CREATED, registry.create(courier, &body.label).await?)) }).await
}

impl Registry {
    async fn create(&self, courier: CourierId, label: &str) -> Result<DeviceCreated, ApiError> {
        let mut errors = FieldErrors::default();
        errors.check_text(label, 100, "label");
        errors.finish()?;
        refuse_archived(&self.store, courier).await?;
        let (id, token) = (DeviceId::new(), token::new_device_token());
        let (link, code) = self.devices.new_sign_in_link();
        let (label, created_at) = (label.trim(), code.created_at);
        let device = NewDevice { id, courier, label, token_hash: token::hash(&token), created_at };
        if !self.store.create_device(&device, &code).await? {
            return Err(ApiError::not_found());
        }
        let SignInLink { sign_in_url, sign_in_expires_at } = link;
        Ok(DeviceCreated { id, token, sign_in_url, sign_in_expires_at })
    }

    async fn new_link(&self, courier: CourierId, device: DeviceId) -> Result<SignInLink, ApiError> {
        let device = self.store.device_of(courier, device).await?.ok_or_else(ApiError::not_found)?;
        if device.revoked_at.is_some() {
            return Err(ApiError::device_revoked());
        }
        if device.is_tracker {
            return Err(ApiError::device_is_tracker());
        }
        let (link, code) = self.devices.new_sign_in_link();
        self.store.replace_sign_in_code(device.id, &code).await?;
        Ok(link)
    }

    /// A device as it is known now: a sighting of the last minute may not be in the database yet.
    fn view(&self, device: Device) -> DeviceView {
        let latest = self.devices.sightings().last(device.id).filter(|seen| Some(seen.seen_at) >= device.last_seen_at);
        DeviceView {
            id: device.id,
            label: device.label,
            created_at: device.created_at,
            last_seen_at: latest.map(|seen| seen.seen_at).or(device.last_seen_at),
            client: latest.map(|seen| seen.client.as_str().to_owned()).or(device.client),
            clock_ahead_ms: Some(device.clock_ahead_ms).filter(|ahead_ms| *ahead_ms != 0),
            rejected_count: u64::try_from(device.rejected_count).ok().filter(|points| *points > 0),
            last_rejection: device.last_rejection.map(|(code, at)| DeviceRejection { code, at }),
            revoked_at: device.revoked_at,
        }
    }
}

/// A courier who works here no longer gets no device.
async fn refuse_archived(store: &Store, courier: CourierId) -> Result<(), ApiError> {
    let courier = store.courier(courier).await?.ok_or_else(ApiError::not_found)?;
    if courier.work.archived_at.is_some() { Err(ApiError::courier_archived()) } else { Ok(()) }
}

/// List a courier's devices: those that may report first, then the newest first.
#[utoipa::path(get, path = "/api/v1/couriers/{id}/devices", operation_id = "listDevices", tag = "couriers",
    params(("id" = CourierId, Path, description = "The courier's id")),
    responses((status = 200, body = ListPage<DeviceView>, description = "All of them on one page")))]
pub async fn list(
    registry: Registry,
    _: Allowed<CouriersRead>,
    PathId(courier): PathId<CourierId>,
) -> Result<HttpResponse, ApiError> {
    let courier = registry.store.courier(courier).await?.ok_or_else(ApiError::not_found)?;
    let devices = registry.devices.devices_of(courier.id).await?;
    let items: Vec<_> = devices.into_iter().map(|device| registry.view(device)).collect();
    Ok(json(StatusCode::OK, &page::whole(items)))
}

/// End what a device may do, for good.
///
/// Its token, sessions and links stop working and its sockets are closed with 4500. Doing it again changes nothing.
#[utoipa::path(delete, path = "/api/v1/couriers/{id}/devices/{device}", operation_id = "revokeDevice", tag = "couriers",
    params(("id" = CourierId, Path, description = "The courier's id"),
        ("device" = DeviceId, Path, description = "The device's id")),
    responses((status = 204, description = "The device is revoked")))]
pub async fn revoke(
    devices: Data<Devices>,
    _: Allowed<CouriersWrite>,
    PathIds(courier, device): PathIds<CourierId, DeviceId>,
) -> Result<HttpResponse, ApiError> {
    match devices.revoke(courier, device).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(ApiError::not_found()),
    }
}

/// Make another sign-in link for a device.
///
/// Earlier ones that were not used stop working.
#[utoipa::path(post, path = "/api/v1/couriers/{id}/devices/{device}/sign-in", operation_id = "createSignInLink",
    tag = "couriers",
    params(("id" = CourierId, Path, description = "The courier's id"),
        ("device" = DeviceId, Path, description = "The device's id")),
    responses(
        (status = 201, body = SignInLink, description = "The link"),
        (status = 409, description = "The device was revoked, is a tracker, or the idempotency key was used before"),
    ))]
pub async fn sign_in(
    registry: Registry,
    by: Allowed<CouriersWrite>,
    PathIds(courier, device): PathIds<CourierId, DeviceId>,
    once: Idempotency,
    body: RequestBody,
) -> Result<HttpResponse, ApiError> {
    once.run(&by, &body, async move { Ok((StatusCode::CREATED, registry.new_link(courier, device).await?)) }).await
}

/// Set another app up as a tracker of a courier.
///
/// The one they had for that app stops working.
#[utoipa::path(post, path = "/api/v1/couriers/{id}/trackers", operation_id = "createTracker", tag = "couriers",
    params(("id" = CourierId, Path, description = "The courier's id")),
    responses(
        (status = 201, body = TrackerCreated, description = "The tracker. Its token is shown this once"),
        (status = 409, description = "The courier is archived, or the idempotency key was used before"),
    ))]
pub async fn create_tracker(
    registry: Registry,
    by: Allowed<CouriersWrite>,
    PathId(courier): PathId<CourierId>,
    once: Idempotency,
    body: JsonBody<CreateTracker>,
) -> Result<HttpResponse, ApiError> {
    let bytes = body.bytes();
    once.run(&by, &bytes, async move {
        let courier = registry.store.courier(courier).await?.ok_or_else(ApiError::not_found)?;
        refuse_archived(&registry.store, courier.id).await?;
        Ok((StatusCode::CREATED, registry.devices.create_tracker(&courier, body.into_inner().app).await?))
    })
    .await
}
