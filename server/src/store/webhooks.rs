//! Webhooks' endpoints: added, changed, disabled and removed.
//!
//! What happens puts events into their lanes in [`super::outbox`], and again in [`super::resending`];
//! [`super::deliveries`] takes them out.

use chrono::{DateTime, Utc};
use doorstep_shared::WebhookId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::{
    order::Actor,
    outbox::webhook::{Disabled, Health, MAX_WEBHOOKS, ROTATION, Webhook, Wishes},
};

/// What an endpoint signs with, and where its messages go.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its id.
    pub id: WebhookId,
    /// Where messages go.
    pub url: String,
    /// What signs.
    pub secrets: Vec<Vec<u8>>,
    /// Whether customers' numbers and e-mail addresses go along.
    pub personal: bool,
}

struct WebhookRow {
    id: Uuid,
    url: String,
    description: Option<String>,
    events: Vec<String>,
    personal: bool,
    created_at: DateTime<Utc>,
    succeeded_at: Option<DateTime<Utc>>,
    failing_since: Option<DateTime<Utc>>,
    held_until: Option<DateTime<Utc>>,
    disabled_at: Option<DateTime<Utc>>,
    disabled_reason: Option<String>,
    waiting: i64,
    oldest_waiting_at: Option<DateTime<Utc>>,
}

impl From<WebhookRow> for Webhook {
    fn from(row: WebhookRow) -> Self {
        let reason = row.disabled_reason.as_deref().and_then(Disabled::from_word);
        Self {
            id: WebhookId::from_uuid(row.id),
            wishes: Wishes { url: row.url, description: row.description, events: row.events, personal: row.personal },
            health: Health {
                succeeded_at: row.succeeded_at,
                failing_since: row.failing_since,
                held_until: row.held_until,
                disabled: row.disabled_at.zip(reason),
            },
            created_at: row.created_at,
            waiting: row.waiting.cast_unsigned(),
            oldest_waiting_at: row.oldest_waiting_at,
        }
    }
}

impl Store {
    /// Adds an endpoint. `false` when there are [`MAX_WEBHOOKS`] already.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn add_webhook(&self, webhook: &Webhook, secret: &[u8], by: &Actor) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // So that two at once do not both become the last.
        sqlx::query!("lock table webhooks in share row exclusive mode").execute(&mut *transaction).await?;
        let Webhook { id, wishes, created_at, .. } = webhook;
        let added = sqlx::query!(
            "insert into webhooks (id, url, description, events, personal, secret, created_at, created_by) \
             select $1, $2, $3, $4, $5, $6, $7, $8 \
             where (select count(*) from webhooks where deleted_at is null) < $9",
            id.as_uuid(),
            wishes.url,
            wishes.description,
            &wishes.events,
            wishes.personal,
            secret,
            created_at,
            by.to_string(),
            MAX_WEBHOOKS as i64,
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(added.rows_affected() > 0)
    }

    /// Every endpoint, the oldest first, or only the one with this id.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn webhooks(&self, only: Option<WebhookId>) -> Result<Vec<Webhook>, StoreError> {
        let rows = sqlx::query_as!(
            WebhookRow,
            r#"select w.id, w.url, w.description, w.events, w.personal, w.created_at, w.succeeded_at, w.failing_since,
                   w.held_until, w.disabled_at, w.disabled_reason, d.waiting as "waiting!", d.oldest_waiting_at
               from webhooks w
               cross join lateral (select count(*) as waiting, min(queued_at) as oldest_waiting_at from outbox_deliveries
                   where target_id = w.id and state = 'waiting') d
               where w.deleted_at is null and ($1::uuid is null or w.id = $1)
               order by w.id"#,
            only.map(|id| *id.as_uuid())
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Webhook::from).collect())
    }

    /// Changes what an endpoint asks for. What waits for it already stays. `false` when there is none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn change_webhook(&self, id: WebhookId, wishes: &Wishes) -> Result<bool, StoreError> {
        let changed = sqlx::query!(
            "update webhooks set url = $2, description = $3, events = $4, personal = $5 \
             where id = $1 and deleted_at is null",
            id.as_uuid(),
            wishes.url,
            wishes.description,
            &wishes.events,
            wishes.personal,
        )
        .execute(&self.pool)
        .await?;
        Ok(changed.rows_affected() > 0)
    }

    /// Gives an endpoint a new secret; the former one signs too for [`ROTATION`]. Returns until when; `None` when there is
    /// no such endpoint.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn rotate_webhook_secret(
        &self,
        id: WebhookId,
        secret: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let until = now + ROTATION;
        let rotated = sqlx::query!(
            "update webhooks set former_secret = secret, former_until = $3, secret = $2 \
             where id = $1 and deleted_at is null",
            id.as_uuid(),
            secret,
            until,
        )
        .execute(&self.pool)
        .await?;
        Ok((rotated.rows_affected() > 0).then_some(until))
    }

    /// What to send to an endpoint with, whether it is disabled or not.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn endpoint(&self, id: WebhookId, now: DateTime<Utc>) -> Result<Option<Endpoint>, StoreError> {
        let row = sqlx::query!(
            "select url, secret, case when former_until > $2 then former_secret end as former_secret, personal \
             from webhooks where id = $1 and deleted_at is null",
            id.as_uuid(),
            now,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| Endpoint {
            id,
            url: row.url,
            secrets: [Some(row.secret), row.former_secret].into_iter().flatten().collect(),
            personal: row.personal,
        }))
    }

    /// Lets an endpoint get events again. What happened meanwhile it gets by [`Store::resend_since`]. `false` when there
    /// is none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn enable_webhook(&self, id: WebhookId) -> Result<bool, StoreError> {
        let enabled = sqlx::query!(
            "update webhooks set disabled_at = null, disabled_reason = null, failing_since = null, held_until = null \
             where id = $1 and deleted_at is null",
            id.as_uuid()
        )
        .execute(&self.pool)
        .await?;
        Ok(enabled.rows_affected() > 0)
    }

    /// Disables an endpoint, unless it is, and cancels what waits for it.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn disable_webhook(
        &self,
        id: WebhookId,
        reason: Disabled,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        cancel_waiting(&mut transaction, id, now).await?;
        let disabled = sqlx::query!(
            "update webhooks set disabled_at = $2, disabled_reason = $3 \
             where id = $1 and disabled_at is null and deleted_at is null",
            id.as_uuid(),
            now,
            reason.as_str(),
        )
        .execute(&mut *transaction)
        .await?;
        let is_new = disabled.rows_affected() > 0;
        if is_new {
            transaction.commit().await?;
        }
        Ok(is_new)
    }

    /// Removes an endpoint, and cancels what waits for it. `false` when there is none.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn delete_webhook(&self, id: WebhookId, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        cancel_waiting(&mut transaction, id, now).await?;
        let deleted =
            sqlx::query!("update webhooks set deleted_at = $2 where id = $1 and deleted_at is null", id.as_uuid(), now)
                .execute(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }
}

/// Cancels what waits for an endpoint. Queues are locked before deliveries, and the endpoint last, as by whoever writes
/// results down, so that neither waits for the other.
async fn cancel_waiting(connection: &mut PgConnection, id: WebhookId, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!(
        "select subject_id from outbox_queues where target_id = $1 order by subject_id for update",
        id.as_uuid()
    )
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query!(
        "update outbox_deliveries set state = 'cancelled', finished_at = $2 where target_id = $1 and state = 'waiting'",
        id.as_uuid(),
        now,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "delete from outbox_queues q where target_id = $1 and not exists ( \
             select from outbox_deliveries d where d.target_id = q.target_id and d.subject_id = q.subject_id \
                 and d.state = 'waiting')",
        id.as_uuid()
    )
    .execute(connection)
    .await?;
    Ok(())
}
