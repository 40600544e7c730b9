//! What a courier's own phone asks for, `/api/v1/courier`.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use doorstep_shared::{
    api::courier::{CourierHome, CreateTracker, TrackerCreated},
    problem::Problem,
};

use crate::{
    auth::courier::identify_courier,
    error::ApiError,
    http::body::{self, RequestBody},
    state::AppState,
    store::couriers::SignedInDevice,
};

/// Says who is signed in on this phone.
#[utoipa::path(get, path = "/api/v1/courier", tag = "courier",
    responses((status = 200, body = CourierHome), (status = 401, body = Problem)))]
pub async fn home(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let signed_in = identify_courier(&app, &request).await?;
    Ok(body::json(StatusCode::OK, &view(&signed_in)))
}

/// Sets another app up as a tracker of the courier who asks. The one they had for that app stops working.
#[utoipa::path(post, path = "/api/v1/courier/trackers", tag = "courier", request_body = CreateTracker,
    responses((status = 201, body = TrackerCreated, description = "The token is shown this once"),
        (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn create_tracker(
    app: Data<AppState>,
    request: HttpRequest,
    bytes: RequestBody,
) -> Result<HttpResponse, ApiError> {
    let signed_in = identify_courier(&app, &request).await?;
    let wanted: CreateTracker = body::parse(&request, &bytes)?;
    let created = app.devices.create_tracker(&signed_in.courier, wanted.app).await?;
    Ok(body::json(StatusCode::CREATED, &created))
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
