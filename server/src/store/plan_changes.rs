//! How couriers' plans follow a change of an order, in its transaction.
//!
//! [`super::order_changes`] calls [`follow_order`] once for each change, after it wrote the order: stops that are new or
//! done, the stop that the courier makes now, what the courier has not seen, and which customer's feed is open.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, LatLon, OrderId, api::plan::PlanStop};
use sqlx::PgConnection;

use super::{
    StoreError,
    order_changes::OrderEvent,
    plans::{means_of, orders_in, stored_plans, write_plan},
};
use crate::domain::{
    order::Order,
    plan::{NewStops, News, Placing, Planned, news_for_courier, visited},
};

/// Where the stops of an order go in the plan of a courier who gets it.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewPlaces {
    /// What the operator wants.
    pub new_stops: NewStops,
    /// Where the courier who gets the order is, if that is known.
    pub here: Option<LatLon>,
}

/// Makes the plans of the couriers concerned follow a change of an order, which is written already: stops that are new or
/// done, the stop that the courier makes now, what they have not seen, and feeds. Their plans are locked.
pub(super) async fn follow_order(
    connection: &mut PgConnection,
    (before, after): (&Order, &Order),
    places: NewPlaces,
    event: &OrderEvent<'_>,
) -> Result<(), StoreError> {
    let concerned: HashSet<_> =
        [before, after].into_iter().flat_map(|order| [order.courier_id, order.carried_by]).flatten().collect();
    if before.courier_id != after.courier_id {
        note_new(connection, after.id, None).await?;
    }
    for courier in concerned {
        let planned = plan_after(connection, courier, (before, after), places, event.at).await?;
        write_plan(connection, courier, &planned, (event.at, event.by, event.kind.as_str())).await?;
        if after.courier_id == Some(courier) {
            note_news(connection, (before, after), planned.plan.version).await?;
        }
    }
    Ok(())
}

/// A courier's plan once an order became what it is now.
async fn plan_after(
    connection: &mut PgConnection,
    courier: CourierId,
    (before, after): (&Order, &Order),
    places: NewPlaces,
    at: DateTime<Utc>,
) -> Result<Planned, StoreError> {
    let (vehicle, capacity) = means_of(connection, courier).await?;
    let stored = stored_plans(connection, &[courier]).await?.remove(&courier);
    let orders = orders_in(connection, &[courier]).await?.remove(&courier).unwrap_or_default();
    // As everybody saw it until now, whichever server wrote it.
    let others = orders.iter().filter(|order| order.id != before.id).cloned();
    let mut known = Planned::new(courier, stored, others.chain([before.clone()]).collect());
    if before.status != after.status
        && let Some(kind) = visited(after.status)
    {
        let limits = known.limits(capacity);
        known.plan.move_to_front(PlanStop { order_id: after.id, kind }, &limits);
    }
    let placing =
        Placing { new_stops: places.new_stops, here: places.here, vehicle, capacity, now_ms: at.timestamp_millis() };
    let mut planned = Planned::new(courier, Some(known.plan.clone()), orders).placing(after.id, &known.plan, &placing);
    planned.plan.version += 1;
    Ok(planned)
}

async fn note_news(
    connection: &mut PgConnection,
    (before, after): (&Order, &Order),
    version: u64,
) -> Result<(), StoreError> {
    match news_for_courier(before, after) {
        None => Ok(()),
        Some(News::New) => note_new(connection, after.id, Some(version)).await,
        Some(News::Changed(parts)) => {
            let parts: Vec<_> = parts.into_iter().map(str::to_owned).collect();
            sqlx::query!(
                "update orders set plan_version = $2, seen_at = null, \
                     unseen_changes = array(select distinct unnest(unseen_changes || $3::text[])) \
                 where id = $1",
                after.id.as_uuid(),
                version.cast_signed(),
                &parts
            )
            .execute(connection)
            .await?;
            Ok(())
        }
    }
}

/// Notes that an order is new to its courier with a version of their plan, or that it has no courier.
async fn note_new(connection: &mut PgConnection, order: OrderId, version: Option<u64>) -> Result<(), StoreError> {
    sqlx::query!(
        "update orders set plan_version = $2, seen_at = null, unseen_changes = '{}' where id = $1",
        order.as_uuid(),
        version.map(u64::cast_signed)
    )
    .execute(connection)
    .await?;
    Ok(())
}
