//! Couriers' phones and trackers over REST, for whoever may change couriers.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use doorstep_shared::{
    CourierId, DeviceId,
    api::{
        CreateDevice, DeviceCreated, DeviceView, ListPage, SignInLink,
        courier::{CreateTracker, TrackerCreated},
    },
    problem::Problem,
};

use super::couriers::id_in;
use crate::{
    auth::principal::{Principal, Scope},
    error::ApiError,
    http::body::{self, FieldErrors, RequestBody},
    platform::token,
    state::AppState,
    store::devices::{Device, NewDevice},
};

/// Registers a phone or tracker of a courier. Its token and its sign-in link are shown this once.
#[utoipa::path(post, path = "/api/v1/couriers/{id}/devices", tag = "couriers", params(("id" = String, Path)),
    request_body = CreateDevice,
    responses((status = 201, body = DeviceCreated), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn create(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    bytes: RequestBody,
) -> Result<HttpResponse, ApiError> {
    let principal = Principal::require(&app, &request, Scope::CouriersWrite).await?;
    let courier = id_in(&path)?;
    let wanted: CreateDevice = body::parse(&request, &bytes)?;
    body::idempotent(&app, &request, &principal, &bytes, move |app, _, _| async move {
        let mut errors = FieldErrors::default();
        errors.check_text(&wanted.label, 100, "label");
        errors.finish()?;
        let (id, token) = (DeviceId::new(), token::new_device_token());
        let (link, code) = app.devices.new_sign_in_link();
        let label = wanted.label.trim();
        let device = NewDevice { id, courier, label, token_hash: token::hash(&token), created_at: code.created_at };
        if !app.store.create_device(&device, &code).await? {
            return Err(ApiError::not_found());
        }
        let SignInLink { sign_in_url, sign_in_expires_at } = link;
        Ok((StatusCode::CREATED, DeviceCreated { id, token, sign_in_url, sign_in_expires_at }))
    })
    .await
}

/// Lists a courier's devices: those that may report first, then the newest first.
#[utoipa::path(get, path = "/api/v1/couriers/{id}/devices", tag = "couriers", params(("id" = String, Path)),
    responses((status = 200, body = ListPage<DeviceView>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub async fn list(app: Data<AppState>, request: HttpRequest, path: Path<String>) -> Result<HttpResponse, ApiError> {
    Principal::require(&app, &request, Scope::CouriersRead).await?;
    let courier = app.store.courier(id_in(&path)?).await?.ok_or_else(ApiError::not_found)?;
    let devices = app.store.devices_of(courier.id).await?;
    let items: Vec<_> = devices.into_iter().map(|device| view(&app, device)).collect();
    Ok(body::json(StatusCode::OK, &ListPage { items, next_cursor: None }))
}

/// A device as it is known now: what was seen in the last minute may not be written down yet.
fn view(app: &AppState, device: Device) -> DeviceView {
    let latest = app.devices.sightings().last(device.id).filter(|seen| Some(seen.seen_at) >= device.last_seen_at);
    DeviceView {
        id: device.id,
        label: device.label,
        created_at: device.created_at,
        last_seen_at: latest.map(|seen| seen.seen_at).or(device.last_seen_at),
        client: latest.map(|seen| seen.client.as_str().to_owned()).or(device.client),
        revoked_at: device.revoked_at,
    }
}

/// Ends what a device may do, for good: its token, sessions and links stop working and its sockets are closed with
/// 4500. Doing it again changes nothing.
#[utoipa::path(delete, path = "/api/v1/couriers/{id}/devices/{device}", tag = "couriers",
    params(("id" = String, Path), ("device" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub async fn revoke(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    Principal::require(&app, &request, Scope::CouriersWrite).await?;
    let (courier, device) = ids_in(&path)?;
    match app.devices.revoke(courier, device).await? {
        true => Ok(HttpResponse::NoContent().finish()),
        false => Err(ApiError::not_found()),
    }
}

/// Makes another sign-in link for a device; earlier ones that nobody used stop working.
#[utoipa::path(post, path = "/api/v1/couriers/{id}/devices/{device}/sign-in", tag = "couriers",
    params(("id" = String, Path), ("device" = String, Path)),
    responses((status = 201, body = SignInLink), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The device was revoked, or is a tracker")))]
pub async fn sign_in(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<(String, String)>,
    bytes: RequestBody,
) -> Result<HttpResponse, ApiError> {
    let principal = Principal::require(&app, &request, Scope::CouriersWrite).await?;
    let (courier, device) = ids_in(&path)?;
    body::idempotent(&app, &request, &principal, &bytes, move |app, _, _| async move {
        let device = app.store.device_of(courier, device).await?.ok_or_else(ApiError::not_found)?;
        if device.revoked_at.is_some() {
            return Err(ApiError::device_revoked());
        }
        if device.is_tracker {
            return Err(ApiError::device_is_tracker());
        }
        let (link, code) = app.devices.new_sign_in_link();
        app.store.replace_sign_in_code(device.id, &code).await?;
        Ok((StatusCode::CREATED, link))
    })
    .await
}

/// Sets another app up as a tracker of a courier. The one they had for that app stops working.
#[utoipa::path(post, path = "/api/v1/couriers/{id}/trackers", tag = "couriers", params(("id" = String, Path)),
    request_body = CreateTracker,
    responses((status = 201, body = TrackerCreated, description = "The token is shown this once"),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn create_tracker(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    bytes: RequestBody,
) -> Result<HttpResponse, ApiError> {
    let principal = Principal::require(&app, &request, Scope::CouriersWrite).await?;
    let courier = id_in(&path)?;
    let wanted: CreateTracker = body::parse(&request, &bytes)?;
    body::idempotent(&app, &request, &principal, &bytes, move |app, _, _| async move {
        let courier = app.store.courier(courier).await?.ok_or_else(ApiError::not_found)?;
        Ok((StatusCode::CREATED, app.devices.create_tracker(&courier, wanted.app).await?))
    })
    .await
}

fn ids_in(path: &(String, String)) -> Result<(CourierId, DeviceId), ApiError> {
    let device = path.1.parse().map_err(|_| ApiError::not_found())?;
    Ok((id_in(&path.0)?, device))
}
