//! Couriers' plans, read and written together with the orders that they are about.
//!
//! A plan's row may lag behind the orders, because older servers write only these; every read reconciles the two. Every
//! write, here and in [`super::plan_changes`], holds the courier's lock (`lock_plans`) and happens in the transaction
//! that changes the orders: the plan, its version, what the courier has not seen yet, and which customer's feed is open
//! are never out of step.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{CourierId, OrderId, Vehicle, api::plan::PlanStop};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Store, StoreError,
    feeds::write_feeds,
    outbox::{opened, write_events},
    plan_rows::open_orders_in,
};
use crate::domain::{
    order::{Actor, Order},
    plan::{Plan, Planned, Refusal},
};

/// What a plan's row says of a change that was no change of an order.
const REORDERED: &str = "reordered";

/// The order of stops that a caller wants.
#[derive(Clone, Debug)]
pub struct WantedPlan {
    /// The plan's version that they saw.
    pub version: u64,
    /// Every open stop once.
    pub stops: Vec<PlanStop>,
    /// How many stops at the start keep their places; as before when `None`.
    pub locked: Option<usize>,
}

/// Why a plan was not put in another order.
#[derive(Debug)]
pub enum NotReordered {
    /// The plan has changed since.
    Conflict(PlanConflict),
    /// The stops cannot be made like that.
    Refused(Refusal),
}

/// The last change of a plan, which a caller has not seen.
#[derive(Clone, Debug, Default)]
pub struct PlanConflict {
    /// The plan's version.
    pub current: u64,
    /// Who changed it, by name.
    pub changed_by: Option<String>,
    /// When.
    pub changed_at: Option<DateTime<Utc>>,
    /// What they did: `reordered`, or the kind of the order's event.
    pub change: Option<String>,
}

impl Store {
    /// A courier's orders with their plan.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_orders_of(&self, courier: CourierId) -> Result<Planned, StoreError> {
        Ok(self.open_orders_of_each(&[courier]).await?.remove(&courier).unwrap_or_default())
    }

    /// The orders of each of these couriers with their plans. Couriers who never had any are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_orders_of_each(&self, couriers: &[CourierId]) -> Result<HashMap<CourierId, Planned>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        open_orders_in(&mut connection, couriers).await
    }

    /// Puts a courier's stops in another order, and opens and closes feeds accordingly. A caller who wants what is so
    /// already changes nothing.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn reorder_plan(
        &self,
        courier: CourierId,
        wanted: &WantedPlan,
        by: &Actor,
        now: DateTime<Utc>,
    ) -> Result<Result<(), NotReordered>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        lock_plans(&mut transaction, &[courier]).await?;
        let before = open_orders_in(&mut transaction, &[courier]).await?.remove(&courier).unwrap_or_default();
        if before.plan.version != wanted.version {
            return Ok(Err(NotReordered::Conflict(conflict(&mut transaction, courier).await?)));
        }
        let (_, capacity) = means_of(&mut transaction, courier).await?;
        let plan = match reordered(&before, wanted, capacity, *by == Actor::Courier(courier)) {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Err(NotReordered::Refused(refusal))),
        };
        if plan == before.plan {
            return Ok(Ok(()));
        }
        let moved = moved_orders(&before.plan, &plan);
        let version = before.plan.version + 1;
        let after = before.with_plan(Plan { version, ..plan });
        let next = write_plan(&mut transaction, courier, &after, self.feed_lead, (now, by, REORDERED)).await?;
        if *by != Actor::Courier(courier) {
            note_moved(&mut transaction, &moved, version).await?;
        }
        write_events(&mut transaction, &opened(next.as_slice(), now)).await?;
        transaction.commit().await?;
        Ok(Ok(()))
    }

    /// Notes that a courier's screen shows the version `version` of their plan. Returns whether it showed any order as it
    /// is now for the first time.
    ///
    /// # Errors
    /// When the database is away; nothing was noted then.
    pub async fn note_seen(&self, courier: CourierId, version: u64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // Two statements that write several orders of one courier would otherwise lock them in any order.
        lock_plans(&mut transaction, &[courier]).await?;
        let noted = sqlx::query!(
            "update orders set seen_at = $3, unseen_changes = '{}' \
             where courier_id = $1 and status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff') \
               and coalesce(plan_version, 0) <= $2 and seen_at is null",
            courier.as_uuid(),
            i64::try_from(version).unwrap_or(i64::MAX),
            now
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(noted.rows_affected() > 0)
    }
}

/// Makes changes to these couriers' plans wait for each other until the transaction ends.
pub(super) async fn lock_plans(connection: &mut PgConnection, couriers: &[CourierId]) -> Result<(), StoreError> {
    let ids: Vec<_> = couriers.iter().map(|courier| *courier.as_uuid()).collect();
    // Every change takes the locks in the order of their keys, so none deadlocks.
    sqlx::query!(
        r#"select pg_advisory_xact_lock(key) as "locked: ()" from
               (select distinct hashtextextended(id::text, 0) as key from unnest($1::uuid[]) as id order by key) as keys"#,
        &ids
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

fn reordered(before: &Planned, wanted: &WantedPlan, capacity: Option<u32>, is_own: bool) -> Result<Plan, Refusal> {
    // A lock is dispatch's word; the courier's own wish neither moves what it holds nor changes it.
    let locked = wanted.locked.filter(|_| !is_own);
    let plan = before.plan.reorder(&wanted.stops, locked, &before.limits(capacity))?;
    match before.plan.first_unlocked(&wanted.stops).filter(|_| is_own) {
        Some(fixed) => Err(Refusal::Locked(fixed)),
        None => Ok(plan),
    }
}

/// The orders of which a stop has another place.
fn moved_orders(before: &Plan, after: &Plan) -> Vec<Uuid> {
    let moved = before.stops.iter().zip(&after.stops).filter(|(before, after)| before != after);
    let orders: HashSet<OrderId> = moved.map(|(_, after)| after.order_id).collect();
    orders.into_iter().map(|order| *order.as_uuid()).collect()
}

/// Writes a plan, and opens and closes the feeds of its orders accordingly. Returns the order whose feed opened.
pub(super) async fn write_plan(
    connection: &mut PgConnection,
    courier: CourierId,
    planned: &Planned,
    feed_lead: TimeDelta,
    (at, by, change): (DateTime<Utc>, &Actor, &str),
) -> Result<Option<Order>, StoreError> {
    let (orders, kinds): (Vec<Uuid>, Vec<String>) =
        planned.plan.stops.iter().map(|stop| (*stop.order_id.as_uuid(), stop.kind.as_str().to_owned())).unzip();
    sqlx::query!(
        "insert into plans (courier_id, version, locked, order_ids, kinds, changed_at, changed_by, change) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) \
         on conflict (courier_id) do update set version = excluded.version, locked = excluded.locked, \
             order_ids = excluded.order_ids, kinds = excluded.kinds, changed_at = excluded.changed_at, \
             changed_by = excluded.changed_by, change = excluded.change",
        courier.as_uuid(),
        planned.plan.version.cast_signed(),
        planned.plan.locked as i32,
        &orders,
        &kinds,
        at,
        by.to_string(),
        change
    )
    .execute(&mut *connection)
    .await?;
    write_feeds(connection, courier, planned, (feed_lead, at)).await
}

async fn note_moved(connection: &mut PgConnection, orders: &[Uuid], version: u64) -> Result<(), StoreError> {
    sqlx::query!(
        "update orders set plan_version = $2, seen_at = null where id = any($1)",
        orders,
        version.cast_signed()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a courier rides, and how much they can carry.
pub(super) async fn means_of(
    connection: &mut PgConnection,
    courier: CourierId,
) -> Result<(Vehicle, Option<u32>), StoreError> {
    let row = sqlx::query!("select vehicle, capacity from couriers where id = $1", courier.as_uuid())
        .fetch_one(connection)
        .await?;
    let vehicle = row.vehicle.parse().expect("the column's check allows only vehicles");
    Ok((vehicle, row.capacity.map(i32::cast_unsigned)))
}

async fn conflict(connection: &mut PgConnection, courier: CourierId) -> Result<PlanConflict, StoreError> {
    let row = sqlx::query!(
        r#"select p.version as "version!", p.changed_at as "changed_at!", p.change as "change!",
                  coalesce(u.email, k.name, c.name) as changed_by
           from plans p
           left join users u on p.changed_by = 'user:' || u.id
           left join api_keys k on p.changed_by = 'key:' || k.id
           left join couriers c on p.changed_by = 'courier:' || c.id
           where p.courier_id = $1"#,
        courier.as_uuid()
    )
    .fetch_optional(connection)
    .await?;
    let conflict = row.map(|row| PlanConflict {
        current: row.version.cast_unsigned(),
        changed_by: row.changed_by,
        changed_at: Some(row.changed_at),
        change: Some(row.change),
    });
    Ok(conflict.unwrap_or_default())
}
