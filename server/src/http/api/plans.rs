//! Couriers' plans over REST: dispatchers see and order every courier's stops, couriers their own.

use actix_web::{HttpResponse, http::StatusCode};
use doorstep_shared::{
    CourierId, LatLon, OrderId,
    api::{
        console::AccessKind,
        plan::{ArrivalRange, PlanView, PlannedStop, PutPlan},
    },
    problem::FieldError,
    protocol::courier::StopKind,
};

use crate::{
    auth::{
        access_recorder::AccessRecorder,
        office_or_courier::OfficeOrCourier,
        scope::{CouriersRead, OrdersWrite},
    },
    domain::{
        courier::Courier,
        order::Actor,
        plan::{Planned, Refusal},
        track::tour::Arrival,
    },
    error::ApiError,
    http::{
        body::{
            idempotency::completed,
            json::{JsonBody, json},
        },
        context::context,
        path::PathId,
    },
    platform::{clock::from_ms, config::Config, tasks::Tasks},
    service::{
        orders::plans::Plans,
        tour::{Schedule, Tours},
    },
    store::{
        Store,
        plans::{NotReordered, PlanConflict, WantedPlan},
    },
};

/// The most stops in one plan.
const MAX_STOPS: usize = 2_000;

context! {
    /// What showing plans and putting stops in order works with.
    pub struct Planning { store: Store, plans: Plans, tours: Tours, config: Config, tasks: Tasks }
}

/// Show a courier's open stops in the order of their plan, with arrival times.
///
/// A courier's own device sees its own plan and no other.
#[utoipa::path(get, path = "/api/v1/couriers/{id}/plan", operation_id = "getPlan", tag = "couriers",
    params(("id" = CourierId, Path, description = "The courier's id")),
    responses((status = 200, body = PlanView, description = "The plan")))]
pub async fn show(
    planning: Planning,
    by: OfficeOrCourier<CouriersRead>,
    recorder: AccessRecorder,
    PathId(id): PathId<CourierId>,
) -> Result<HttpResponse, ApiError> {
    by.may_see(id)?;
    let courier = planning.courier(id).await?;
    // Where a courier is going tells where they are.
    by.office().into_iter().for_each(|office| recorder.record(office, AccessKind::Courier, Some(*id.as_uuid())));
    planning.answer(&courier).await
}

/// Put a courier's open stops in another order.
///
/// The body lists every open stop once. A courier's own device may order its own stops where the operator allows that;
/// stops that dispatch fixed stay where they are then.
#[utoipa::path(put, path = "/api/v1/couriers/{id}/plan", operation_id = "putPlan", tag = "couriers",
    params(("id" = CourierId, Path, description = "The courier's id")),
    responses(
        (status = 200, body = PlanView, description = "The plan as it is now"),
        (status = 409, description = "The plan has changed since (`version_conflict`)"),
        (status = 422, description = "The stops cannot be made like that (`stop_unknown`, `stop_missing`, \
            `dropoff_before_pickup`, `over_capacity`, `stop_locked`), or some fields are not valid"),
    ))]
pub async fn put(
    planning: Planning,
    by: OfficeOrCourier<OrdersWrite>,
    recorder: AccessRecorder,
    PathId(id): PathId<CourierId>,
    body: JsonBody<PutPlan>,
) -> Result<HttpResponse, ApiError> {
    by.may_see(id)?;
    let actor = by.actor();
    if matches!(actor, Actor::Courier(_)) && !planning.config.settings.couriers_reorder {
        return Err(ApiError::reorder_not_allowed());
    }
    let courier = planning.courier(id).await?;
    let wanted = wanted(body.into_inner())?;
    by.office().into_iter().for_each(|office| recorder.record(office, AccessKind::Courier, Some(*id.as_uuid())));
    // The live view must know the courier before the answer's times are worked out.
    planning.plans.load(id).await?;
    let plans = planning.plans.clone();
    let reordering = async move { Ok(plans.reorder(id, &wanted, &actor).await?) };
    match completed(&planning.tasks, reordering).await? {
        Ok(()) => planning.answer(&courier).await,
        Err(NotReordered::Conflict(conflict)) => Err(conflict.into()),
        Err(NotReordered::Refused(refusal)) => Err(refusal.into()),
    }
}

fn wanted(body: PutPlan) -> Result<WantedPlan, ApiError> {
    let refuse = |field: &str, message: String| {
        Err(ApiError::invalid_fields(vec![FieldError { field: field.to_owned(), message }]))
    };
    let PutPlan { version, stops, locked } = body;
    if stops.len() > MAX_STOPS {
        return refuse("stops", format!("must be at most {MAX_STOPS}"));
    }
    if locked.is_some_and(|locked| locked as usize > stops.len()) {
        return refuse("locked", "must be at most as many as there are stops".to_owned());
    }
    Ok(WantedPlan { version, stops, locked: locked.map(|locked| locked as usize) })
}

impl Planning {
    async fn courier(&self, id: CourierId) -> Result<Courier, ApiError> {
        self.store.courier(id).await?.ok_or_else(ApiError::not_found)
    }

    async fn answer(&self, courier: &Courier) -> Result<HttpResponse, ApiError> {
        self.plans.load(courier.id).await?;
        let schedule = self.tours.schedule(courier.id).await;
        Ok(json(StatusCode::OK, &view(courier, &schedule)))
    }
}

fn view(courier: &Courier, schedule: &Schedule) -> PlanView {
    let Schedule { planned, leg_metres, arrivals, computed_ms, way, .. } = schedule;
    let late = late_orders(planned, arrivals.as_deref().unwrap_or_default());
    let stops = (1..).zip(planned.plan.stops.iter().enumerate()).map(|(sequence, (at, stop))| PlannedStop {
        order_id: stop.order_id,
        kind: stop.kind,
        sequence,
        locked: at < planned.plan.locked,
        arrival: arrivals.as_ref().and_then(|arrivals| arrivals.get(at)).map(range),
        late: late.contains(&stop.order_id),
    });
    let ends_ms = arrivals.as_ref().and_then(|arrivals| arrivals.last()).map(|last| last.leaves_ms);
    PlanView {
        version: planned.plan.version,
        stops: stops.collect(),
        shift: courier.work.shift,
        capacity: courier.work.capacity,
        load: planned.limits(courier.work.capacity).loads(&planned.plan.stops),
        metres: (!leg_metres.is_empty()).then(|| leg_metres.iter().sum::<f64>().round() as u32),
        line: (way.len() > 1).then(|| way.iter().copied().map(LatLon::to_lon_lat).collect()),
        seconds: ends_ms.map(|ends_ms| (ends_ms.saturating_sub(*computed_ms) / 1_000).max(0) as u32),
    }
}

/// The orders that will be handed over later than promised.
fn late_orders(planned: &Planned, arrivals: &[Arrival]) -> Vec<OrderId> {
    let doors = planned.stops().zip(arrivals).filter(|((stop, _), _)| stop.kind == StopKind::Dropoff);
    let is_late = |order: &crate::domain::order::Order, arrival: &Arrival| {
        order.promised_until.is_some_and(|until| arrival.expected_ms > until.timestamp_millis())
    };
    doors.filter(|((_, order), arrival)| is_late(order, arrival)).map(|((stop, _), _)| stop.order_id).collect()
}

fn range(arrival: &Arrival) -> ArrivalRange {
    ArrivalRange {
        earliest_at: from_ms(arrival.window.earliest_ms),
        expected_at: from_ms(arrival.expected_ms),
        latest_at: from_ms(arrival.window.latest_ms),
    }
}

impl From<PlanConflict> for ApiError {
    fn from(conflict: PlanConflict) -> Self {
        let PlanConflict { current, changed_by, changed_at, change } = conflict;
        Self::plan_conflict(current, changed_by, changed_at.map(|at| at.timestamp_millis()), change)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let (code, title, order_id) = match refusal {
            Refusal::Unknown(stop) => {
                ("stop_unknown", "A stop is not an open one of this courier, or is there twice", stop.order_id)
            }
            Refusal::Missing(stop) => ("stop_missing", "An open stop of this courier is missing", stop.order_id),
            Refusal::DropoffBeforePickup(order) => {
                ("dropoff_before_pickup", "An order would be handed over before it is collected", order)
            }
            Refusal::OverCapacity(order) => ("over_capacity", "The courier cannot carry that much at once", order),
            Refusal::Locked(stop) => ("stop_locked", "Dispatch fixed the place of a stop", stop.order_id),
        };
        Self::plan_refused(code, title, order_id)
    }
}
