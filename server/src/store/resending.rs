//! Puts events into a webhook's lane again, because people ask for it.
//!
//! They go under their own ids and in the order in which they happened, before what waits there and happened later.

use chrono::{DateTime, Utc};
use doorstep_shared::{EventId, WebhookId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError};

/// The most events that are put into a lane again at once.
pub const MAX_RESENT: i64 = 20_000;

/// How putting events into a lane again went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resent {
    /// So many are on their way.
    Queued(u64),
    /// The endpoint gets nothing at present.
    Disabled,
    /// There is no such event, or no such endpoint.
    Unknown,
    /// More than [`MAX_RESENT`] events are meant.
    TooMany,
}

impl Store {
    /// Puts one event into an endpoint's lane again, whether it asks for such or not, and makes it due at once.
    ///
    /// # Errors
    /// When the database is away; nothing was queued then.
    pub async fn resend_event(&self, id: WebhookId, event: EventId, now: DateTime<Utc>) -> Result<Resent, StoreError> {
        self.resend(id, Meant::Event(event), now).await
    }

    /// Puts every event since `since` that an endpoint asks for into its lane again, in the order in which they happened.
    ///
    /// # Errors
    /// When the database is away; nothing was queued then.
    pub async fn resend_since(
        &self,
        id: WebhookId,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Resent, StoreError> {
        self.resend(id, Meant::Since(since), now).await
    }

    async fn resend(&self, id: WebhookId, meant: Meant, now: DateTime<Utc>) -> Result<Resent, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let is_disabled = sqlx::query_scalar!(
            r#"select disabled_at is not null as "is_disabled!" from webhooks
               where id = $1 and deleted_at is null"#,
            id.as_uuid()
        )
        .fetch_optional(&mut *transaction)
        .await?;
        match is_disabled {
            None => return Ok(Resent::Unknown),
            Some(true) => return Ok(Resent::Disabled),
            Some(false) => {}
        }
        let events = meant.find(&mut transaction, id).await?;
        if events.is_empty() && matches!(meant, Meant::Event(_)) {
            return Ok(Resent::Unknown);
        }
        if events.len() as i64 > MAX_RESENT {
            return Ok(Resent::TooMany);
        }
        let queued = queue_again(&mut transaction, id, &events, now).await?;
        transaction.commit().await?;
        Ok(Resent::Queued(queued))
    }
}

/// Which events are sent again.
#[derive(Clone, Copy)]
enum Meant {
    /// This one.
    Event(EventId),
    /// All since then that the endpoint asks for.
    Since(DateTime<Utc>),
}

impl Meant {
    async fn find(self, connection: &mut PgConnection, id: WebhookId) -> Result<Vec<Uuid>, StoreError> {
        let found = match self {
            Self::Event(event) => {
                sqlx::query_scalar!("select id from outbox_events where id = $1", event.as_uuid())
                    .fetch_all(connection)
                    .await?
            }
            Self::Since(since) => {
                sqlx::query_scalar!(
                    "select e.id from outbox_events e join webhooks w on w.id = $1 \
                         and w.events && array['*', e.type, split_part(e.type, '.', 1) || '.*'] \
                     where e.recorded_at >= $2 order by e.seq limit $3",
                    id.as_uuid(),
                    since,
                    MAX_RESENT + 1,
                )
                .fetch_all(connection)
                .await?
            }
        };
        Ok(found)
    }
}

/// Queues events that do not wait already, behind the locks of their queues.
async fn queue_again(
    connection: &mut PgConnection,
    id: WebhookId,
    events: &[Uuid],
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    sqlx::query!(
        "insert into outbox_queues as q (target_id, subject_id, due_at) \
         select $1, subject_id, $3 from outbox_events where id = any($2) group by subject_id order by subject_id \
         on conflict (target_id, subject_id) do update \
             set due_at = case when q.lease is null then least(q.due_at, excluded.due_at) else q.due_at end",
        id.as_uuid(),
        events,
        now,
    )
    .execute(&mut *connection)
    .await?;
    let queued = sqlx::query!(
        "insert into outbox_deliveries (lane, target_id, subject_id, event_id, seq, queued_at) \
         select 'webhook', $1, subject_id, id, seq, $3 from outbox_events where id = any($2) order by seq \
         on conflict (target_id, event_id) where state = 'waiting' do nothing",
        id.as_uuid(),
        events,
        now,
    )
    .execute(connection)
    .await?;
    Ok(queued.rows_affected())
}
