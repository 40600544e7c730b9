//! Changes an order, in a transaction that locks its row and the plans of its couriers.
//!
//! The use cases of [`crate::service::orders`] read the locked order, decide, and commit: the order's new state, one event,
//! what the couriers' plans and feeds make of it ([`super::plan_changes`]), and the exceptions that follow from it are
//! written together or not at all. What the order's history says is asked in [`super::order_history`].

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{
    CourierId, OrderId, OrderStatus, UserId,
    api::{change::OrderEventKind, exception::MAX_EXCEPTION_NOTE_CHARS, proof::ProofKind},
};
use sqlx::{PgConnection, PgTransaction};

use super::{
    Store, StoreError,
    courier_archive::is_archived,
    exceptions::{end_about_order, insert_exceptions, opened_exception},
    order_rows::OrderRow,
    outbox::{self, write_events},
    plan_changes::{NewPlaces, follow_order},
    plans::lock_plans,
    proofs::{kinds_of, missing_proofs},
};
use crate::{
    domain::{
        exception::{Finding, ended_by},
        order::{Actor, Order, editing::Changes},
        outbox::event::NewEvent,
    },
    platform::clock::from_ms,
};

impl Store {
    /// Starts a change to an order. Until the change is committed or dropped it locks the order's row and the plans of
    /// the couriers who have the order or its goods and of `for_courier`, who is to get it: a change reads and writes
    /// their other orders too, and two concurrent changes would each miss the other's, or deadlock.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn lock_order(
        &self,
        id: OrderId,
        for_courier: Option<CourierId>,
    ) -> Result<Option<OrderChange>, StoreError> {
        let mut holders = self.holders_of(id).await?;
        loop {
            let mut transaction = self.pool.begin().await?;
            let couriers: Vec<_> = holders.into_iter().chain([for_courier]).flatten().collect();
            lock_plans(&mut transaction, &couriers).await?;
            let row = sqlx::query_as!(
                OrderRow,
                "select id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, pickup_instructions, \
                     dropoff_lat, dropoff_lon, dropoff_address, dropoff_instructions, customer_name, customer_phone, \
                     customer_email, promised_from, promised_until, courier_id, assigned_at, feed_from, leg_from, created_at, \
             version, attempt, size, service_s, requires, note, pickup_phone, carried_by, plan_version, seen_at, \
             unseen_changes \
                 from orders where id = $1 for update",
                id.as_uuid()
            )
            .fetch_optional(&mut *transaction)
            .await?;
            let Some(order) = row.map(Order::from) else { return Ok(None) };
            let now_with = [order.courier_id, order.carried_by];
            if now_with == holders {
                return Ok(Some(OrderChange {
                    transaction,
                    order,
                    places: NewPlaces::default(),
                    feed_lead: self.feed_lead,
                    events: Vec::new(),
                }));
            }
            // Another courier got the order meanwhile, whose plan is not locked. Locks must be taken in one order, so
            // this begins again.
            holders = now_with;
        }
    }

    /// The courier who has the order, and the one who has its goods.
    async fn holders_of(&self, id: OrderId) -> Result<[Option<CourierId>; 2], StoreError> {
        let row = sqlx::query!("select courier_id, carried_by from orders where id = $1", id.as_uuid())
            .fetch_optional(&self.pool)
            .await?;
        let holders = row.map_or([None, None], |row| [row.courier_id, row.carried_by]);
        Ok(holders.map(|holder| holder.map(CourierId::from_uuid)))
    }
}

/// A line of an order's history, to be written.
#[derive(Clone, Copy, Debug)]
pub struct OrderEvent<'a> {
    /// What happened.
    pub kind: OrderEventKind,
    /// The status that the order has after it; of a late report the status that was reported.
    pub status: OrderStatus,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub by: &'a Actor,
    /// The courier whom it concerns: who got the order, or had it.
    pub courier: Option<CourierId>,
    /// A remark of the person who did it.
    pub note: Option<&'a str>,
    /// Which fields were changed.
    pub changes: Option<&'a Changes>,
}

impl<'a> OrderEvent<'a> {
    /// What `by` did at `at` to an order that is `after` now.
    pub const fn of(kind: OrderEventKind, after: &Order, at: DateTime<Utc>, by: &'a Actor) -> Self {
        Self { kind, status: after.status, at, by, courier: after.courier_id, note: None, changes: None }
    }
}

/// An order being changed, in a transaction that locks its row.
#[derive(Debug)]
pub struct OrderChange {
    pub(super) transaction: PgTransaction<'static>,
    /// The order as it was when locked.
    pub order: Order,
    /// Where its stops go in the plan of a courier who gets it; to the cheapest place unless set.
    pub places: NewPlaces,
    /// How long before its window the feed of an order may open.
    feed_lead: TimeDelta,
    /// What to tell others, once all else is written.
    events: Vec<NewEvent>,
}

impl OrderChange {
    /// The proofs that the order asks for and does not have yet.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn missing_proofs(&mut self) -> Result<Vec<ProofKind>, StoreError> {
        missing_proofs(&mut self.transaction, self.order.id).await
    }

    /// Whether a courier works here no longer.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn is_archived(&mut self, courier: CourierId) -> Result<bool, StoreError> {
        is_archived(&mut self.transaction, courier).await
    }

    /// The proofs that the order asks for.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn proofs_wanted(&mut self) -> Result<Vec<ProofKind>, StoreError> {
        let wanted = sqlx::query_scalar!("select proof_wanted from orders where id = $1", self.order.id.as_uuid())
            .fetch_one(&mut *self.transaction)
            .await?;
        Ok(kinds_of(&wanted))
    }

    /// Makes the order ask for these proofs, once the change is committed. Without a PIN its hash goes, too.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn want_proofs(&mut self, kinds: &[ProofKind]) -> Result<(), StoreError> {
        let words: Vec<String> = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
        sqlx::query!(
            "update orders set proof_wanted = $2, pin_hash = case when 'pin' = any($2) then pin_hash end where id = $1",
            self.order.id.as_uuid(),
            &words
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Keeps an exception that follows from the change, once it is committed. Returns it when it is new.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn raise(&mut self, found: Finding, noticed_at: DateTime<Utc>) -> Result<Option<Finding>, StoreError> {
        let (mut raised, events) = insert_exceptions(&mut self.transaction, vec![found], noticed_at).await?;
        self.events.extend(events);
        Ok(raised.pop())
    }

    /// Keeps that a courier reported too late, once the change is committed. An earlier report of theirs on the order that
    /// nobody has acknowledged gives way to it: what was pressed on one trip without a network is one matter for dispatch.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn raise_late_report(&mut self, late: Finding, noticed_at: DateTime<Utc>) -> Result<(), StoreError> {
        let replaced = sqlx::query_scalar!(
            "update exceptions set since_at = $3, ended_at = $3 \
             where code = 'late_report' and subject_id = $1 and courier_id = $2 and acknowledged_at is null \
                 and since_at <= $3 returning id",
            late.subject,
            late.courier.map(|courier| *courier.as_uuid()),
            from_ms(late.since_ms),
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        if replaced.is_empty() {
            let (_, events) = insert_exceptions(&mut self.transaction, vec![late], noticed_at).await?;
            self.events.extend(events);
        } else {
            // It is the same exception, with news.
            self.events.extend(replaced.into_iter().map(|id| opened_exception(id, &late, noticed_at)));
        }
        Ok(())
    }

    /// Takes what was said of the order's hand-over for settled by `by`, who says that there was none, once the change is
    /// committed.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn settle_handover(&mut self, by: UserId, reason: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        let note: String = reason.chars().take(MAX_EXCEPTION_NOTE_CHARS).collect();
        sqlx::query!(
            "update exceptions set acknowledged_at = $2, acknowledged_by = $3, note = $4 \
             where code = 'delivered_far' and subject_id = $1 and acknowledged_at is null",
            self.order.id.as_uuid(),
            at,
            by.as_uuid(),
            note,
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Writes the order's new state with its event, ends the exceptions that were about the former one, and brings the
    /// plans and feeds of the couriers concerned up to date.
    /// Returns the order with its new version.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn commit(mut self, changed: &Order, event: &OrderEvent<'_>) -> Result<Order, StoreError> {
        let version = update_order(&mut self.transaction, changed).await?;
        insert_event(&mut self.transaction, changed.id, event).await?;
        let over = ended_by(&self.order, changed);
        let closed = end_about_order(&mut self.transaction, changed.id, &over, event.at).await?;
        let rules = (self.places, self.feed_lead);
        let (seen, opened) = follow_order(&mut self.transaction, (&self.order, changed), rules, event).await?;
        let after = Order { version, seen, ..changed.clone() };
        let mut events: Vec<_> = outbox::told(event, Some(&self.order), &after).into_iter().collect();
        events.append(&mut self.events);
        events.extend(closed);
        events.extend(outbox::opened(&opened, event.at));
        write_events(&mut self.transaction, &events).await?;
        self.transaction.commit().await?;
        Ok(after)
    }

    /// Keeps what was raised, and changes nothing about the order.
    ///
    /// # Errors
    /// When the database is away; nothing was kept then.
    pub async fn commit_raised(mut self) -> Result<(), StoreError> {
        write_events(&mut self.transaction, &self.events).await?;
        Ok(self.transaction.commit().await?)
    }

    /// Writes an event that changes nothing about the order.
    ///
    /// # Errors
    /// When the database is away; nothing was written then.
    pub async fn commit_event(mut self, event: &OrderEvent<'_>) -> Result<(), StoreError> {
        insert_event(&mut self.transaction, self.order.id, event).await?;
        write_events(&mut self.transaction, &self.events).await?;
        self.transaction.commit().await?;
        Ok(())
    }
}

/// Writes every column that may change, and returns the version that the database counted.
async fn update_order(connection: &mut PgConnection, changed: &Order) -> Result<u64, StoreError> {
    let version = sqlx::query_scalar!(
        "update orders set reference = $2, status = $3, status_at = $4, pickup_lat = $5, pickup_lon = $6, \
             pickup_address = $7, pickup_instructions = $8, pickup_phone = $9, dropoff_lat = $10, dropoff_lon = $11, \
             dropoff_address = $12, dropoff_instructions = $13, customer_name = $14, customer_phone = $15, \
             customer_email = $16, promised_from = $17, promised_until = $18, courier_id = $19, assigned_at = $20, \
             feed_from = $21, leg_from = $22, attempt = $23, size = $24, service_s = $25, requires = $26, note = $27, \
             carried_by = $28, plan_version = $29, seen_at = $30, unseen_changes = $31, version = version + 1 \
         where id = $1 returning version",
        changed.id.as_uuid(),
        changed.reference,
        changed.status.as_str(),
        changed.status_at,
        changed.pickup.point.lat(),
        changed.pickup.point.lon(),
        changed.pickup.address,
        changed.pickup.instructions,
        changed.pickup.phone,
        changed.dropoff.point.lat(),
        changed.dropoff.point.lon(),
        changed.dropoff.address,
        changed.dropoff.instructions,
        changed.customer.name,
        changed.customer.phone,
        changed.customer.email,
        changed.promised_from,
        changed.promised_until,
        changed.courier_id.map(|courier| *courier.as_uuid()),
        changed.assigned_at,
        changed.feed_from,
        changed.leg_from,
        changed.attempt.cast_signed(),
        changed.demands.size.cast_signed(),
        changed.demands.service_s.map(u32::cast_signed),
        &changed.demands.requires,
        changed.demands.note,
        changed.carried_by.map(|courier| *courier.as_uuid()),
        changed.seen.plan_version.map(u64::cast_signed),
        changed.seen.at,
        &changed.seen.unseen_changes,
    )
    .fetch_one(connection)
    .await?;
    Ok(version.cast_unsigned())
}

pub(super) async fn insert_event(
    connection: &mut PgConnection,
    order: OrderId,
    event: &OrderEvent<'_>,
) -> Result<(), StoreError> {
    let changes = event.changes.map(|changes| serde_json::to_string(changes).expect("changes are plain strings"));
    sqlx::query!(
        "insert into order_events (order_id, kind, status, happened_at, actor, courier_id, note, changes) \
         values ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb)",
        order.as_uuid(),
        event.kind.as_str(),
        event.status.as_str(),
        event.at,
        event.by.to_string(),
        event.courier.map(|courier| *courier.as_uuid()),
        event.note,
        changes,
    )
    .execute(connection)
    .await?;
    Ok(())
}
