//! Takes what is personal out of orders, and everything out of a courier.
//!
//! Each call is one transaction over a bounded number of rows, and may be repeated: what is gone stays gone. Pictures lie
//! outside the database, so their keys are returned and deleted after the commit; one that a crash leaves behind belongs
//! to no proof any more, and housekeeping finds it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, OrderId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    super::{
        Store, StoreError,
        ended_credentials::{Ended, announce},
        plans::lock_plans,
    },
    ERASED,
    find::uuids,
};
use crate::domain::{person::Sought, proof::ProofKey};

/// The most rows of fixes that one statement deletes: some tens of milliseconds.
const FIXES_AT_ONCE: i64 = 10_000;

/// How many rows of what were erased.
pub type Counts = BTreeMap<String, u64>;

/// What became of erasing some orders.
#[derive(Clone, Debug, Default)]
pub struct ErasedOrders {
    /// How many rows of what.
    pub counts: Counts,
    /// Pictures that belong to no proof any more.
    pub pictures: Vec<ProofKey>,
}

/// Why orders are erased, and so how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Their time is over. What is kept for a shorter time ends by itself.
    Age,
    /// The person asked: nothing that leads to them stays anywhere.
    Request,
}

impl Store {
    /// Orders whose data is due to end: nothing happened to them, and nothing was promised, since `before`. The oldest
    /// first, at most `limit`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn orders_to_erase(&self, before: DateTime<Utc>, limit: i64) -> Result<Vec<OrderId>, StoreError> {
        let ids = sqlx::query_scalar!(
            "select id from orders where erased_at is null and status_at < $1 \
               and coalesce(promised_until, promised_from, status_at) < $1 \
             order by status_at limit $2",
            before,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(OrderId::from_uuid).collect())
    }

    /// Takes out of these orders, and of all that belongs to them, what is personal. Times, status and areas of about a
    /// kilometre stay.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn erase_orders(
        &self,
        orders: &[OrderId],
        reason: Reason,
        now: DateTime<Utc>,
    ) -> Result<ErasedOrders, StoreError> {
        let ids = uuids(orders);
        let mut erased = ErasedOrders::default();
        let mut transaction = self.pool.begin().await?;
        blank_orders(&mut transaction, &ids, now, &mut erased.counts).await?;
        erased.pictures = delete_proofs(&mut transaction, &ids, &mut erased.counts).await?;
        blank_history(&mut transaction, &ids, &mut erased.counts).await?;
        delete_events(&mut transaction, &ids, &mut erased.counts).await?;
        delete_arrivals(&mut transaction, &ids, &mut erased.counts).await?;
        if reason == Reason::Request {
            delete_traces(&mut transaction, &ids, &mut erased.counts).await?;
        }
        transaction.commit().await?;
        Ok(erased)
    }

    /// Takes a person's number out of the pickups of others' orders and of saved pickups, at most `limit` orders at a time.
    /// Returns how many rows were changed; none when there is nothing left.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn erase_pickup_phones(&self, digits: &str, limit: i64) -> Result<u64, StoreError> {
        let orders = sqlx::query!(
            "update orders set pickup_phone = null where id in ( \
                 select id from orders where phone_digits(pickup_phone) = $1 order by id limit $2 for update)",
            digits,
            limit
        )
        .execute(&self.pool)
        .await?;
        let saved = sqlx::query!("update saved_pickups set phone = null where phone_digits(phone) = $1", digits)
            .execute(&self.pool)
            .await?;
        Ok(orders.rows_affected() + saved.rows_affected())
    }

    /// Erases closed accounts with an address. Their ids stay in histories.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn erase_accounts(&self, sought: &Sought) -> Result<u64, StoreError> {
        let Sought::Email(email) = sought else { return Ok(0) };
        let done = sqlx::query!(
            "update users set email = 'erased-' || id || '@invalid', password_hash = '!' \
             where email = lower($1) and disabled_at is not null",
            email
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Deletes the pins of these addresses, by their keys.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn erase_pins(&self, keys: &[String]) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done =
            sqlx::query!("delete from address_pins where key = any($1)", keys).execute(&mut *transaction).await?;
        if done.rows_affected() > 0 {
            sqlx::query!("update address_pins_version set version = version + 1").execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(done.rows_affected())
    }

    /// Erases a courier who is archived and has no open orders, but for their fixes. Their row stays without anything
    /// about them, because orders refer to it. Every instance is told to close what they have open.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn erase_courier(&self, courier: CourierId, now: DateTime<Utc>) -> Result<Counts, StoreError> {
        let (id, mut counts) = (*courier.as_uuid(), Counts::default());
        let mut transaction = self.pool.begin().await?;
        lock_plans(&mut transaction, &[courier]).await?;
        let devices = devices_of(&mut transaction, id).await?;
        delete_devices(&mut transaction, &devices, &mut counts).await?;
        delete_courier_rows(&mut transaction, id, &mut counts).await?;
        delete_events(&mut transaction, &[id], &mut counts).await?;
        let subjects: Vec<_> = devices.into_iter().chain([id]).collect();
        delete_traces(&mut transaction, &subjects, &mut counts).await?;
        blank_courier(&mut transaction, id, now, &mut counts).await?;
        announce(&mut transaction, Ended::Courier(courier)).await?;
        transaction.commit().await?;
        Ok(counts)
    }

    /// Deletes some of the fixes of a courier. Returns how many; none when there is nothing left.
    ///
    /// # Errors
    /// When the database is away; nothing was deleted then.
    pub async fn erase_fixes(&self, courier: CourierId) -> Result<u64, StoreError> {
        let done = sqlx::query!(
            "delete from fixes where courier_id = $1 and fixed_at in ( \
                 select fixed_at from fixes where courier_id = $1 order by fixed_at limit $2)",
            courier.as_uuid(),
            FIXES_AT_ONCE
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Couriers who were erased since `since`: what their phones had on the way may have come after.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn couriers_erased_since(&self, since: DateTime<Utc>) -> Result<Vec<CourierId>, StoreError> {
        let ids =
            sqlx::query_scalar!("select id from couriers where erased_at >= $1", since).fetch_all(&self.pool).await?;
        Ok(ids.into_iter().map(CourierId::from_uuid).collect())
    }

    /// Deletes devices that were revoked before `before`, with the links that signed them in.
    ///
    /// # Errors
    /// When the database is away; nothing was deleted then.
    pub async fn forget_revoked_devices(&self, before: DateTime<Utc>, limit: i64) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let ids = sqlx::query_scalar!(
            "select id from devices where revoked_at < $1 order by revoked_at limit $2 for update skip locked",
            before,
            limit
        )
        .fetch_all(&mut *transaction)
        .await?;
        let mut counts = Counts::default();
        delete_devices(&mut transaction, &ids, &mut counts).await?;
        transaction.commit().await?;
        Ok(counts.get("devices").copied().unwrap_or_default())
    }
}

/// Notes how many rows of what a statement changed.
fn count(counts: &mut Counts, what: &str, rows: u64) {
    if rows > 0 {
        *counts.entry(what.to_owned()).or_default() += rows;
    }
}

async fn blank_orders(
    connection: &mut PgConnection,
    ids: &[Uuid],
    now: DateTime<Utc>,
    counts: &mut Counts,
) -> Result<(), StoreError> {
    // Locked in the order of their ids, so that two instances do not wait for each other. A hundredth of a degree is
    // about a kilometre.
    let done = sqlx::query!(
        "with locked as (select id from orders where id = any($1) order by id for update) \
         update orders o set reference = '#' || right(o.id::text, 12), \
             pickup_lat = round(pickup_lat::numeric, 2), pickup_lon = round(pickup_lon::numeric, 2), \
             dropoff_lat = round(dropoff_lat::numeric, 2), dropoff_lon = round(dropoff_lon::numeric, 2), \
             pickup_address = $3, pickup_instructions = null, pickup_phone = null, \
             dropoff_address = $3, dropoff_instructions = null, \
             customer_name = $3, customer_phone = null, customer_email = null, \
             note = null, requires = '{}', pin_hash = null, erased_at = $2 \
         from locked where o.id = locked.id",
        ids,
        now,
        ERASED,
    )
    .execute(&mut *connection)
    .await?;
    count(counts, "orders", done.rows_affected());
    let links = sqlx::query!("delete from tracking_links where order_id = any($1)", ids).execute(connection).await?;
    count(counts, "tracking_links", links.rows_affected());
    Ok(())
}

async fn delete_proofs(
    connection: &mut PgConnection,
    ids: &[Uuid],
    counts: &mut Counts,
) -> Result<Vec<ProofKey>, StoreError> {
    let keys = sqlx::query_scalar!("delete from proofs where order_id = any($1) returning image_key", ids)
        .fetch_all(connection)
        .await?;
    count(counts, "proofs", keys.len() as u64);
    Ok(keys.into_iter().flatten().filter_map(|key| ProofKey::from_text(&key)).collect())
}

async fn blank_history(connection: &mut PgConnection, ids: &[Uuid], counts: &mut Counts) -> Result<(), StoreError> {
    let events = sqlx::query!(
        "update order_events set note = null, changes = null \
         where order_id = any($1) and (note is not null or changes is not null)",
        ids
    )
    .execute(&mut *connection)
    .await?;
    count(counts, "order_events", events.rows_affected());
    // Where the courier was is where the customer lives.
    let exceptions = sqlx::query!(
        "update exceptions set note = null, lat = null, lon = null \
         where order_id = any($1) and (note is not null or lat is not null)",
        ids
    )
    .execute(connection)
    .await?;
    count(counts, "exceptions", exceptions.rows_affected());
    Ok(())
}

/// What the outbox would tell of these orders or couriers. Whoever was told already keeps it.
async fn delete_events(connection: &mut PgConnection, ids: &[Uuid], counts: &mut Counts) -> Result<(), StoreError> {
    sqlx::query!("delete from outbox_deliveries where subject_id = any($1)", ids).execute(&mut *connection).await?;
    let done = sqlx::query!("delete from outbox_events where subject_id = any($1)", ids).execute(connection).await?;
    count(counts, "outbox_events", done.rows_affected());
    Ok(())
}

async fn delete_arrivals(connection: &mut PgConnection, ids: &[Uuid], counts: &mut Counts) -> Result<(), StoreError> {
    let told = sqlx::query!("delete from arrival_told where order_id = any($1)", ids).execute(&mut *connection).await?;
    let lessons =
        sqlx::query!("delete from arrival_lessons where order_id = any($1)", ids).execute(&mut *connection).await?;
    let scores = sqlx::query!("delete from arrival_scores where order_id = any($1)", ids).execute(connection).await?;
    count(counts, "arrivals", told.rows_affected() + lessons.rows_affected() + scores.rows_affected());
    Ok(())
}

/// What leads to these orders, couriers or devices from elsewhere.
async fn delete_traces(connection: &mut PgConnection, ids: &[Uuid], counts: &mut Counts) -> Result<(), StoreError> {
    let accesses =
        sqlx::query!("delete from access_log where subject_id = any($1)", ids).execute(&mut *connection).await?;
    count(counts, "access_log", accesses.rows_affected());
    let answers = sqlx::query!("delete from idempotency_keys where about && $1", ids).execute(connection).await?;
    count(counts, "idempotency_answers", answers.rows_affected());
    Ok(())
}

async fn devices_of(connection: &mut PgConnection, courier: Uuid) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!("select id from devices where courier_id = $1", courier).fetch_all(connection).await?)
}

async fn delete_devices(connection: &mut PgConnection, ids: &[Uuid], counts: &mut Counts) -> Result<(), StoreError> {
    sqlx::query!("delete from courier_sessions where device_id = any($1)", ids).execute(&mut *connection).await?;
    sqlx::query!("delete from courier_sign_in_codes where device_id = any($1)", ids).execute(&mut *connection).await?;
    let done = sqlx::query!("delete from devices where id = any($1)", ids).execute(connection).await?;
    count(counts, "devices", done.rows_affected());
    Ok(())
}

/// What a courier leaves in other tables. Customers' orders keep that somebody brought them.
async fn delete_courier_rows(
    connection: &mut PgConnection,
    courier: Uuid,
    counts: &mut Counts,
) -> Result<(), StoreError> {
    let off_duty =
        sqlx::query!("delete from off_duty_spans where courier_id = $1", courier).execute(&mut *connection).await?;
    count(counts, "off_duty", off_duty.rows_affected());
    sqlx::query!("delete from plans where courier_id = $1", courier).execute(&mut *connection).await?;
    sqlx::query!("delete from fix_sources where courier_id = $1", courier).execute(&mut *connection).await?;
    let own = sqlx::query!("delete from exceptions where subject_id = $1", courier).execute(&mut *connection).await?;
    let others = sqlx::query!(
        "update exceptions set note = null, lat = null, lon = null, reason = null where courier_id = $1",
        courier
    )
    .execute(&mut *connection)
    .await?;
    count(counts, "exceptions", own.rows_affected() + others.rows_affected());
    let scores =
        sqlx::query!("delete from arrival_scores where courier_id = $1", courier).execute(&mut *connection).await?;
    count(counts, "arrivals", scores.rows_affected());
    let remarks = sqlx::query!(
        "update order_events set note = null where actor = 'courier:' || $1::uuid and note is not null",
        courier
    )
    .execute(&mut *connection)
    .await?;
    count(counts, "order_events", remarks.rows_affected());
    sqlx::query!(
        "update outbox_events set data = data - 'remark' where data ->> 'actor' = 'courier:' || $1::uuid and data ? 'remark'",
        courier
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn blank_courier(
    connection: &mut PgConnection,
    courier: Uuid,
    now: DateTime<Utc>,
    counts: &mut Counts,
) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "update couriers set name = $3, phone = null, presence_state = null, presence_reason = null, \
             presence_since = null, capacity = null, skills = '{}', shift_from = null, shift_until = null, \
             break_from = null, break_until = null, depot_lat = null, depot_lon = null, depot_address = null, \
             archived_at = coalesce(archived_at, $2), erased_at = $2 \
         where id = $1",
        courier,
        now,
        ERASED,
    )
    .execute(connection)
    .await?;
    count(counts, "couriers", done.rows_affected());
    Ok(())
}
