//! What a courier's own phone asks for about the stops ahead.

use actix_web::{HttpResponse, http::StatusCode};
use doorstep_shared::{api::courier::Tour, protocol::courier::StopKind};

use crate::{
    auth::courier::CourierDevice,
    error::ApiError,
    http::{body::json::json, context::context},
    service::{orders::plans::Plans, tour::Tours},
    store::Store,
};

context! {
    /// What planning a tour works with.
    pub struct Planning { store: Store, plans: Plans, tours: Tours }
}

/// Show the courier's stops with arrival ranges and distances, and the way to the next one.
#[utoipa::path(get, path = "/api/v1/courier/tour", operation_id = "getOwnTour", tag = "courier",
    responses((status = 200, body = Tour, description = "The stops in their order")))]
pub async fn show(planning: Planning, device: CourierDevice) -> Result<HttpResponse, ApiError> {
    planning.plans.load(device.courier.id).await?;
    let mut tour = planning.tours.of(device.courier.id).await;
    let orders: Vec<_> = tour.stops.iter().map(|stop| stop.order_id).collect();
    let wanted = planning.store.proofs_wanted(&orders).await?;
    for stop in tour.stops.iter_mut().filter(|stop| stop.kind == StopKind::Dropoff) {
        stop.proof = wanted.get(&stop.order_id).cloned().unwrap_or_default();
    }
    Ok(json(StatusCode::OK, &tour))
}
