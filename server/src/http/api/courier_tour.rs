//! What a courier's own phone asks for about the stops ahead.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use doorstep_shared::{api::courier::Tour, problem::Problem, protocol::courier::StopKind};

use crate::{auth::courier::identify_courier, error::ApiError, state::AppState};

/// The courier's stops with arrival ranges and distances, and the way to the next one.
#[utoipa::path(get, path = "/api/v1/courier/tour", tag = "courier",
    responses((status = 200, body = Tour), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn show(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let signed_in = identify_courier(&app, &request).await?;
    app.plans.load(signed_in.courier.id).await?;
    let mut tour = app.tours.of(signed_in.courier.id).await;
    let orders: Vec<_> = tour.stops.iter().map(|stop| stop.order_id).collect();
    let wanted = app.store.proofs_wanted(&orders).await?;
    for stop in tour.stops.iter_mut().filter(|stop| stop.kind == StopKind::Dropoff) {
        stop.proof = wanted.get(&stop.order_id).cloned().unwrap_or_default();
    }
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(tour))
}
