//! What a courier's own phone shows of the day so far.

use actix_web::{HttpResponse, http::StatusCode, web::Query};
use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::api::plan::CourierDay;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    auth::courier::CourierDevice,
    error::ApiError,
    http::{body::json::json, context::context},
    platform::clock::Clock,
    service::courier_day::courier_day,
    store::Store,
};

/// A day anywhere on earth, and a shift through the night.
const LONGEST: TimeDelta = TimeDelta::hours(36);

/// Since when the day is counted.
#[derive(Debug, Deserialize, IntoParams)]
pub struct DayQuery {
    /// The courier's own midnight; at most 36 hours ago.
    since: DateTime<Utc>,
}

context! {
    /// What the day's summary works with.
    pub struct Summary { store: Store, clock: Clock }
}

/// Show what the courier did since their midnight, and how far they went on duty.
#[utoipa::path(get, path = "/api/v1/courier/day", operation_id = "getOwnDay", tag = "courier",
    responses((status = 200, body = CourierDay, description = "The day so far")))]
pub async fn show(summary: Summary, device: CourierDevice, query: Query<DayQuery>) -> Result<HttpResponse, ApiError> {
    let now = summary.clock.now();
    // A phone's clock may be a little behind when it asks at midnight.
    if query.since < now - LONGEST - TimeDelta::minutes(5) {
        return Err(ApiError::bad_request("since must be at most 36 hours ago"));
    }
    let day = courier_day(&summary.store, device.courier.id, query.since.min(now), now).await?;
    Ok(json(StatusCode::OK, &day))
}
