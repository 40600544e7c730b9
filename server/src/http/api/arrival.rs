//! How good the told arrivals were, and where couriers wait, for people at the console.

use std::collections::HashSet;

use actix_web::{HttpResponse, http::StatusCode, web::Query};
use chrono::{DateTime, TimeDelta, Utc};
use doorstep_arrival::learned::PlaceKey;
use doorstep_shared::api::{
    ListPage,
    arrival::{ArrivalScore, ArrivalScoresBy, ArrivalWait, ArrivalWaitDay},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::page;
use crate::{
    auth::{extract::Person, principal::Principal},
    domain::arrival::GroupBy,
    error::ApiError,
    http::{body::json::json, context::context},
    platform::clock::{Clock, is_usable},
    service::arrival::experience::Experience,
    store::{Store, access::Role},
};

/// What is shown when the caller names no time.
const LATELY: TimeDelta = TimeDelta::days(7);

/// Which scores to show.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ScoresQuery {
    /// Arrivals not before this time; a week before `until` otherwise.
    from: Option<DateTime<Utc>>,
    /// Arrivals before this time; now otherwise.
    until: Option<DateTime<Utc>>,
    /// By what they are told apart.
    #[param(inline)]
    #[serde(default)]
    by: ArrivalScoresBy,
}

context! {
    /// What the scores are read from.
    pub struct Kept { store: Store, clock: Clock }
}

/// Show what customers were told of arrivals, against what came.
///
/// For people at the console; no API key opens it. By courier for admins only. Kept as long as fixes.
#[utoipa::path(get, path = "/api/v1/arrival/scores", operation_id = "arrivalScores", tag = "orders",
    responses((status = 200, body = ListPage<ArrivalScore>, description = "The scores, all on one page")))]
pub async fn scores(kept: Kept, by: Person, query: Query<ScoresQuery>) -> Result<HttpResponse, ApiError> {
    let query = query.into_inner();
    if ![query.from, query.until].into_iter().flatten().all(is_usable) {
        return Err(ApiError::bad_request("from and until have a year of four digits"));
    }
    let group = match query.by {
        ArrivalScoresBy::Horizon => GroupBy::Horizon,
        ArrivalScoresBy::Vehicle => GroupBy::Vehicle,
        ArrivalScoresBy::Pickup => GroupBy::Pickup,
        ArrivalScoresBy::Courier if is_admin(&by) => GroupBy::Courier,
        ArrivalScoresBy::Courier => return Err(ApiError::admins_only()),
    };
    let until = query.until.unwrap_or_else(|| kept.clock.now());
    let from = query.from.unwrap_or(until - LATELY);
    let items = kept.store.arrival_scores(group, from, until).await?;
    Ok(json(StatusCode::OK, &page::whole(items)))
}

context! {
    /// What waits are read from.
    pub struct Taught { store: Store, clock: Clock, experience: Experience }
}

/// Show how long couriers wait at pickups.
///
/// For people at the console; no API key opens it. As it was learned from deliveries, the longest wait first.
#[utoipa::path(get, path = "/api/v1/arrival/waits", operation_id = "arrivalWaits", tag = "orders",
    responses((status = 200, body = ListPage<ArrivalWait>, description = "The waits, all on one page")))]
pub async fn waits(taught: Taught, _by: Person) -> Result<HttpResponse, ApiError> {
    let pickups = taught.store.learned_pickups().await?;
    let (experience, now_ms) = (taught.experience.current(), taught.clock.now_ms());
    // Two addresses of one place share their waits; the commoner one names it.
    let mut seen = HashSet::new();
    let mut items: Vec<ArrivalWait> = Vec::new();
    for pickup in pickups {
        let place = PlaceKey::of(pickup.point);
        let habit = experience.learned.wait_habit(place, now_ms).filter(|_| seen.insert(place));
        let Some(habit) = habit else { continue };
        let day = |(day, wait_s): (doorstep_arrival::local_time::Weekday, f64)| ArrivalWaitDay {
            weekday: day.index() + 1,
            wait_s,
        };
        let days = habit.days.into_iter().map(day).collect();
        let (wait_s, usual_s) = (habit.wait_s, habit.usual_s);
        items.push(ArrivalWait { pickup: pickup.address, n: pickup.n, wait_s, usual_s, days });
    }
    items.sort_by(|a, b| b.wait_s.total_cmp(&a.wait_s));
    Ok(json(StatusCode::OK, &page::whole(items)))
}

fn is_admin(by: &Person) -> bool {
    matches!(**by, Principal::User { role: Role::Admin, .. })
}
