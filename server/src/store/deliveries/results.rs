//! Writes down how tries ended, and how the endpoints do by that.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::WebhookId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Tried, settle_queues};
use crate::{
    domain::outbox::{
        retry::{self, Outcome, PATIENCE},
        webhook::Disabled,
    },
    store::{Store, StoreError, webhook_attempts::insert_attempts},
};

/// How exactly it is kept when an endpoint last took something. More would be a write for each message.
const SUCCESS_NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

impl Store {
    /// Writes down how tries ended, and makes what follows in their queues due. Endpoints that want nothing more, or took
    /// nothing for too long, are disabled; returns those.
    ///
    /// # Errors
    /// When the database is away; nothing was written then, or all but that an endpoint is disabled.
    pub async fn finish_deliveries(
        &self,
        tried: &[Tried],
        now: DateTime<Utc>,
    ) -> Result<Vec<(WebhookId, Disabled)>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        write_results(&mut transaction, tried, now).await?;
        let settled = tried.iter().map(|tried| (tried.claimed.queue(), tried.claimed.lease, tried.due(now)));
        settle_queues(&mut transaction, &settled.collect::<Vec<_>>()).await?;
        let attempts: Vec<_> = tried.iter().map(Tried::attempt).collect();
        insert_attempts(&mut transaction, &attempts).await?;
        let failing = note_health(&mut transaction, tried, now).await?;
        transaction.commit().await?;
        self.disable_hopeless(tried, &failing, now).await
    }

    async fn disable_hopeless(
        &self,
        tried: &[Tried],
        failing: &[WebhookId],
        now: DateTime<Utc>,
    ) -> Result<Vec<(WebhookId, Disabled)>, StoreError> {
        let gone = tried.iter().filter(|tried| tried.answer.outcome == Outcome::Gone);
        let gone = gone.map(|tried| (tried.claimed.endpoint.id, Disabled::Gone));
        let failing = failing.iter().map(|id| (*id, Disabled::Failing));
        let mut disabled = Vec::new();
        for (id, reason) in gone.chain(failing) {
            if self.disable_webhook(id, reason, now).await? {
                disabled.push((id, reason));
            }
        }
        Ok(disabled)
    }
}

/// Writes what became of each delivery whose lease still counts, after locking the queues in the order of their keys.
async fn write_results(connection: &mut PgConnection, tried: &[Tried], now: DateTime<Utc>) -> Result<(), StoreError> {
    let (targets, subjects): (Vec<_>, Vec<_>) = tried.iter().map(|tried| tried.claimed.queue()).unzip();
    let leases: Vec<_> = tried.iter().map(|tried| tried.claimed.lease).collect();
    let held = sqlx::query!(
        r#"select q.target_id, q.subject_id, q.lease as "lease!" from outbox_queues q
         join unnest($1::uuid[], $2::uuid[], $3::uuid[]) as n (target_id, subject_id, lease)
             on q.target_id = n.target_id and q.subject_id = n.subject_id and q.lease = n.lease
         order by q.target_id, q.subject_id for update of q"#,
        &targets,
        &subjects,
        &leases,
    )
    .fetch_all(&mut *connection)
    .await?;
    let held: HashSet<_> = held.into_iter().map(|row| ((row.target_id, row.subject_id), row.lease)).collect();
    let counts = |tried: &&Tried| held.contains(&(tried.claimed.queue(), tried.claimed.lease));
    let counted: Vec<_> = tried.iter().filter(counts).collect();
    let deliveries: Vec<_> = counted.iter().map(|tried| tried.claimed.delivery).collect();
    let states: Vec<_> = counted.iter().map(|tried| tried.state().to_owned()).collect();
    let numbers: Vec<_> = counted.iter().map(|tried| tried.claimed.number.cast_signed()).collect();
    sqlx::query!(
        "update outbox_deliveries d set state = n.state, tries = n.tries, \
             finished_at = case when n.state <> 'waiting' then $4::timestamptz end \
         from unnest($1::bigint[], $2::text[], $3::integer[]) as n (id, state, tries) \
         where d.id = n.id and d.state = 'waiting'",
        &deliveries,
        &states,
        &numbers,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps how endpoints do, and returns those that have failed for too long. One that took anything in this batch does not
/// fail.
async fn note_health(
    connection: &mut PgConnection,
    tried: &[Tried],
    now: DateTime<Utc>,
) -> Result<Vec<WebhookId>, StoreError> {
    let is_delivered = |tried: &&Tried| tried.answer.outcome == Outcome::Delivered;
    let well: HashSet<Uuid> =
        tried.iter().filter(is_delivered).map(|tried| *tried.claimed.endpoint.id.as_uuid()).collect();
    let ill: Vec<_> = tried.iter().filter(|tried| !well.contains(tried.claimed.endpoint.id.as_uuid())).collect();
    let well = lock_changed(connection, well.into_iter().collect(), &ill, now).await?;
    if !well.is_empty() {
        note_success(connection, &well, now).await?;
    }
    if ill.is_empty() { Ok(Vec::new()) } else { note_failure(connection, &ill, now).await }
}

/// Locks the endpoints whose health is written, in the order of their ids, and returns those of `well` among them.
async fn lock_changed(
    connection: &mut PgConnection,
    well: Vec<Uuid>,
    ill: &[&Tried],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, StoreError> {
    let ill: Vec<_> = ill.iter().map(|tried| *tried.claimed.endpoint.id.as_uuid()).collect();
    let locked = sqlx::query_scalar!(
        "select id from webhooks where id = any($2) or (id = any($1) \
             and (failing_since is not null or succeeded_at is null or succeeded_at <= $3)) \
         order by id for update",
        &well,
        &ill,
        now - SUCCESS_NOTED_EVERY,
    )
    .fetch_all(connection)
    .await?;
    Ok(locked.into_iter().filter(|id| well.contains(id)).collect())
}

async fn note_success(connection: &mut PgConnection, well: &[Uuid], now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!("update webhooks set succeeded_at = $2, failing_since = null where id = any($1)", well, now)
        .execute(connection)
        .await?;
    Ok(())
}

async fn note_failure(
    connection: &mut PgConnection,
    ill: &[&Tried],
    now: DateTime<Utc>,
) -> Result<Vec<WebhookId>, StoreError> {
    let ids: Vec<_> = ill.iter().map(|tried| *tried.claimed.endpoint.id.as_uuid()).collect();
    let began: Vec<_> = ill.iter().map(|tried| tried.began_at).collect();
    let held: Vec<_> = ill.iter().map(|tried| retry::held_until(&tried.answer, now)).collect();
    let failing = sqlx::query!(
        r#"update webhooks w set failing_since = coalesce(w.failing_since, f.began_at),
               held_until = greatest(w.held_until, f.held_until)
           from (select n.id, min(n.began_at) as began_at, max(n.held_until) as held_until
                 from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) as n (id, began_at, held_until)
                 group by n.id) f
           where w.id = f.id
           returning w.id, w.failing_since as "failing_since!""#,
        &ids,
        &began,
        &held as &[Option<DateTime<Utc>>],
    )
    .fetch_all(connection)
    .await?;
    let hopeless = failing.into_iter().filter(|row| now - row.failing_since >= PATIENCE);
    Ok(hopeless.map(|row| WebhookId::from_uuid(row.id)).collect())
}
