//! `GET /api/v1/openapi.json`

use actix_web::{HttpResponse, web::Data};

/// The description, as it is served.
#[derive(Debug)]
pub struct Document(pub String);

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", operation_id = "getOpenApi", tag = "description",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object)))]
pub async fn serve(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.0.clone())
}
