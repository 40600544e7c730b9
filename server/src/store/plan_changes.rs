//! How couriers' plans follow a change of an order, in its transaction.
//!
//! [`super::order_changes`] calls `follow_order` once for each change, after it wrote the order: stops that are new or
//! done, the stop that the courier makes now, what the courier has not seen, and which customer's feed is open.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{CourierId, LatLon, OrderId, api::plan::PlanStop};
use sqlx::PgConnection;

use super::{
    StoreError,
    order_changes::OrderEvent,
    plan_rows::{orders_in, stored_plans},
    plans::{means_of, write_plan},
};
use crate::domain::{
    order::{Order, Seen},
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
/// done, the stop that the courier makes now, what they have not seen, and feeds. Their plans are locked. Returns what the
/// order's courier has seen of it then, and the orders whose feeds opened.
pub(super) async fn follow_order(
    connection: &mut PgConnection,
    (before, after): (&Order, &Order),
    (places, feed_lead): (NewPlaces, TimeDelta),
    event: &OrderEvent<'_>,
) -> Result<(Seen, Vec<Order>), StoreError> {
    let concerned: HashSet<_> =
        [before, after].into_iter().flat_map(|order| [order.courier_id, order.carried_by]).flatten().collect();
    let (mut seen, mut opened) = (after.seen.clone(), Vec::new());
    for courier in concerned {
        let planned = plan_after(connection, courier, (before, after), places, event.at).await?;
        let change = (event.at, event.by, event.kind.as_str());
        opened.extend(write_plan(connection, courier, &planned, feed_lead, change).await?);
        if after.courier_id == Some(courier)
            && let Some(news) = news_for_courier(before, after)
        {
            seen = unseen(&after.seen, news, planned.plan.version);
            write_seen(connection, after.id, &seen).await?;
        }
    }
    Ok((seen, opened))
}

/// What a courier has seen of an order that has news for them with this version of their plan.
fn unseen(seen: &Seen, news: News, version: u64) -> Seen {
    let unseen_changes = match news {
        News::New => Vec::new(),
        News::Changed(parts) => {
            let new = parts.into_iter().filter(|part| !seen.unseen_changes.iter().any(|known| known == part));
            seen.unseen_changes.iter().cloned().chain(new.map(str::to_owned)).collect()
        }
    };
    Seen { plan_version: Some(version), at: None, unseen_changes }
}

async fn write_seen(connection: &mut PgConnection, order: OrderId, seen: &Seen) -> Result<(), StoreError> {
    sqlx::query!(
        "update orders set plan_version = $2, seen_at = $3, unseen_changes = $4 where id = $1",
        order.as_uuid(),
        seen.plan_version.map(u64::cast_signed),
        seen.at,
        &seen.unseen_changes
    )
    .execute(connection)
    .await?;
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
    // As readers saw it until now: an older server may have written orders and no plan.
    let others = orders.iter().filter(|order| order.id != before.id).cloned();
    let mut known = Planned::new(courier, stored, others.chain([before.clone()]).collect());
    if before.status != after.status
        && let Some(kind) = visited(after.status)
    {
        let limits = known.limits(capacity);
        known.turn_to(PlanStop { order_id: after.id, kind }, &limits);
    }
    let placing =
        Placing { new_stops: places.new_stops, here: places.here, vehicle, capacity, now_ms: at.timestamp_millis() };
    let mut planned = Planned::new(courier, Some(known.plan.clone()), orders).placing(after.id, &known.plan, &placing);
    planned.plan.version += 1;
    Ok(planned)
}
