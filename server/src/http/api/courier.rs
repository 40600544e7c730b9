//! What a courier's own phone asks for, `/api/v1/courier`.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use doorstep_shared::api::courier::{CourierHome, CreateTracker, TrackerCreated};

use crate::{
    auth::courier::CourierDevice,
    error::ApiError,
    http::body::json::{JsonBody, json},
    service::devices::Devices,
    store::couriers::SignedInDevice,
};

/// Show who is signed in on this phone.
#[utoipa::path(get, path = "/api/v1/courier", operation_id = "getOwnCourier", tag = "courier",
    responses((status = 200, body = CourierHome, description = "The courier and their device")))]
pub async fn home(device: CourierDevice) -> HttpResponse {
    json(StatusCode::OK, &view(&device))
}

/// Set another app up as a tracker of the courier who asks.
///
/// The one they had for that app stops working.
#[utoipa::path(post, path = "/api/v1/courier/trackers", operation_id = "createOwnTracker", tag = "courier",
    responses((status = 201, body = TrackerCreated, description = "The tracker. Its token is shown this once")))]
pub async fn create_tracker(
    devices: Data<Devices>,
    device: CourierDevice,
    body: JsonBody<CreateTracker>,
) -> Result<HttpResponse, ApiError> {
    let created = devices.create_tracker(&device.courier, body.into_inner().app).await?;
    Ok(json(StatusCode::CREATED, &created))
}

/// A signed-in courier as their phone shows them.
pub fn view(signed_in: &SignedInDevice) -> CourierHome {
    CourierHome {
        id: signed_in.courier.id,
        name: signed_in.courier.name.clone(),
        vehicle: signed_in.courier.vehicle,
        device_id: signed_in.device,
        device_label: signed_in.label.clone(),
    }
}
