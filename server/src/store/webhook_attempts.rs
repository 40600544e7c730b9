//! The log of tries to deliver webhooks: when, how they ended, and the answer's status. Nothing else of an answer is kept.

use std::time::Duration;

use chrono::{DateTime, Utc};
use doorstep_shared::{EventId, WebhookId, api::webhook::AttemptView};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::outbox::retry::Answer;

/// A try, to be kept.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    /// Of which endpoint.
    pub webhook: WebhookId,
    /// The event.
    pub event: EventId,
    /// Its type.
    pub kind: String,
    /// Which try it was, from 1.
    pub number: u32,
    /// When it began.
    pub at: DateTime<Utc>,
    /// How it ended.
    pub answer: Answer,
    /// When the next one follows.
    pub next_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Keeps a try that is in no lane.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn keep_attempt(&self, attempt: &NewAttempt) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        insert_attempts(&mut connection, std::slice::from_ref(attempt)).await
    }

    /// At most `limit` tries of an endpoint, the newest first, those with an id below `before`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn attempts_page(
        &self,
        webhook: WebhookId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AttemptView>, StoreError> {
        let rows = sqlx::query!(
            "select id, event_id, type as kind, try as number, at, duration_ms, outcome, status, next_at \
             from webhook_attempts where webhook_id = $1 and ($2::bigint is null or id < $2) order by id desc limit $3",
            webhook.as_uuid(),
            before,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        let rows = rows.into_iter().map(|row| AttemptView {
            id: row.id,
            event_id: EventId::from_uuid(row.event_id),
            r#type: row.kind,
            number: row.number.cast_unsigned(),
            at: row.at,
            duration_ms: row.duration_ms.cast_unsigned(),
            outcome: row.outcome,
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            next_at: row.next_at,
        });
        Ok(rows.collect())
    }
}

pub(super) async fn insert_attempts(connection: &mut PgConnection, attempts: &[NewAttempt]) -> Result<(), StoreError> {
    let webhooks: Vec<_> = attempts.iter().map(|attempt| *attempt.webhook.as_uuid()).collect();
    let events: Vec<Uuid> = attempts.iter().map(|attempt| *attempt.event.as_uuid()).collect();
    let kinds: Vec<_> = attempts.iter().map(|attempt| attempt.kind.clone()).collect();
    let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.number.cast_signed()).collect();
    let at: Vec<_> = attempts.iter().map(|attempt| attempt.at).collect();
    let took: Vec<_> = attempts.iter().map(|attempt| whole_ms(attempt.answer.took)).collect();
    let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt.answer.outcome.as_str().to_owned()).collect();
    let statuses: Vec<_> = attempts.iter().map(|attempt| attempt.answer.status.map(i32::from)).collect();
    let next: Vec<_> = attempts.iter().map(|attempt| attempt.next_at).collect();
    sqlx::query!(
        "insert into webhook_attempts (webhook_id, event_id, type, try, at, duration_ms, outcome, status, next_at) \
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::timestamptz[], $6::integer[], \
             $7::text[], $8::integer[], $9::timestamptz[])",
        &webhooks,
        &events,
        &kinds,
        &numbers,
        &at,
        &took,
        &outcomes,
        &statuses as &[Option<i32>],
        &next as &[Option<DateTime<Utc>>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn whole_ms(took: Duration) -> i32 {
    i32::try_from(took.as_millis()).unwrap_or(i32::MAX)
}
