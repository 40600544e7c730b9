//! Where this server delivers.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use doorstep_shared::api::area::AreaView;

use crate::{
    auth::{office_or_courier::OfficeOrCourier, scope::AnyScope},
    http::body::json::json,
    service::areas::Areas,
};

/// Show the area that this server delivers in.
///
/// For every key, whatever its scopes, for people at the console and for couriers' own devices.
#[utoipa::path(get, path = "/api/v1/area", operation_id = "getArea", tag = "area",
    responses((status = 200, body = AreaView, description = "The area in use")))]
pub async fn show(areas: Data<Areas>, _: OfficeOrCourier<AnyScope>) -> HttpResponse {
    json(StatusCode::OK, areas.current().view())
}
