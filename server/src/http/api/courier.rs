//! What a courier's own phone asks for, `/api/v1/courier`.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use doorstep_shared::{api::courier::CourierHome, problem::Problem};

use crate::{
    app::AppState, auth::courier::identify_courier, error::ApiError, http::body, store::couriers::SignedInDevice,
};

/// Says who is signed in on this phone.
#[utoipa::path(get, path = "/api/v1/courier", tag = "courier",
    responses((status = 200, body = CourierHome), (status = 401, body = Problem)))]
pub async fn home(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let signed_in = identify_courier(&app, &request).await?;
    Ok(body::json(StatusCode::OK, &view(&signed_in)))
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
