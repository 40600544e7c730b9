//! Claims deliveries that are due, and gives back those that were not tried.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{EventId, WebhookId};
use uuid::Uuid;

use super::{Claimed, settle_queues};
use crate::store::{Store, StoreError, webhooks::Endpoint};

/// How long a claimed queue is left to its worker: the longest try, and time to write its end down.
const LEASE: TimeDelta = TimeDelta::seconds(45);

struct ClaimedRow {
    target_id: Uuid,
    subject_id: Uuid,
    delivery_id: i64,
    tries: i32,
    event_id: Uuid,
    kind: String,
    occurred_at: DateTime<Utc>,
    data: String,
    personal: Option<String>,
    url: String,
    wants_personal: bool,
    secret: Vec<u8>,
    former_secret: Option<Vec<u8>>,
}

impl ClaimedRow {
    fn into_claimed(self, lease: Uuid) -> Claimed {
        let read = |text: &str| serde_json::from_str(text).expect("the database keeps sound JSON");
        Claimed {
            endpoint: Endpoint {
                id: WebhookId::from_uuid(self.target_id),
                url: self.url,
                secrets: [Some(self.secret), self.former_secret].into_iter().flatten().collect(),
                personal: self.wants_personal,
            },
            event: EventId::from_uuid(self.event_id),
            kind: self.kind,
            at: self.occurred_at,
            data: read(&self.data),
            personal: self.personal.as_deref().map(read).unwrap_or_default(),
            number: self.tries.cast_unsigned() + 1,
            lease,
            subject: self.subject_id,
            delivery: self.delivery_id,
        }
    }
}

impl Store {
    /// Claims deliveries that are due at `now`: of each endpoint at most `most`, less those that the caller still works
    /// on.
    ///
    /// # Errors
    /// When the database is away. What was claimed is due again after the lease.
    pub async fn claim_deliveries(
        &self,
        most: usize,
        in_flight: &HashMap<WebhookId, usize>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Claimed>, StoreError> {
        let lease = Uuid::now_v7();
        let queues = self.claim_queues(most, in_flight, (lease, now)).await?;
        if queues.is_empty() {
            return Ok(Vec::new());
        }
        let claimed = self.first_of(&queues, (lease, now)).await?;
        if claimed.len() < queues.len() {
            // Theirs were cancelled meanwhile.
            let found: HashSet<_> = claimed.iter().map(Claimed::queue).collect();
            let empty: Vec<_> = queues.into_iter().filter(|queue| !found.contains(queue)).collect();
            self.release_queues(&empty, lease, now).await?;
        }
        Ok(claimed)
    }

    async fn claim_queues(
        &self,
        most: usize,
        in_flight: &HashMap<WebhookId, usize>,
        (lease, now): (Uuid, DateTime<Utc>),
    ) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
        let busy: Vec<_> = in_flight.keys().map(|id| *id.as_uuid()).collect();
        let counts: Vec<_> = in_flight.values().map(|count| *count as i64).collect();
        let rows = sqlx::query!(
            "with due as materialized ( \
                 select q.target_id, q.subject_id from webhooks w \
                 left join unnest($1::uuid[], $2::bigint[]) as b (id, works_on) on b.id = w.id \
                 cross join lateral ( \
                     select target_id, subject_id from outbox_queues where target_id = w.id and due_at <= $4 \
                     order by due_at limit greatest($3::bigint - coalesce(b.works_on, 0), 0) \
                     for update skip locked) q \
                 where w.disabled_at is null and w.deleted_at is null and (w.held_until is null or w.held_until <= $4)) \
             update outbox_queues q set due_at = $5, lease = $6 from due \
             where q.target_id = due.target_id and q.subject_id = due.subject_id \
             returning q.target_id, q.subject_id",
            &busy,
            &counts,
            most as i64,
            now,
            now + LEASE,
            lease,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.target_id, row.subject_id)).collect())
    }

    /// The first delivery of each of these queues.
    async fn first_of(
        &self,
        queues: &[(Uuid, Uuid)],
        (lease, now): (Uuid, DateTime<Utc>),
    ) -> Result<Vec<Claimed>, StoreError> {
        let (targets, subjects): (Vec<_>, Vec<_>) = queues.iter().copied().unzip();
        let rows = sqlx::query_as!(
            ClaimedRow,
            r#"select d.target_id as "target_id!", d.subject_id as "subject_id!", d.id as "delivery_id!",
                   d.tries as "tries!", e.id as event_id, e.type as kind, e.occurred_at, e.data::text as "data!",
                   e.personal::text as personal, w.url, w.personal as wants_personal, w.secret,
                   case when w.former_until > $3 then w.former_secret end as former_secret
               from unnest($1::uuid[], $2::uuid[]) as q (target_id, subject_id)
               cross join lateral (
                   select target_id, subject_id, id, event_id, tries from outbox_deliveries
                   where target_id = q.target_id and subject_id = q.subject_id and state = 'waiting'
                   order by seq limit 1) d
               join outbox_events e on e.id = d.event_id
               join webhooks w on w.id = d.target_id"#,
            &targets,
            &subjects,
            now,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| row.into_claimed(lease)).collect())
    }

    async fn release_queues(&self, queues: &[(Uuid, Uuid)], lease: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let released: Vec<_> = queues.iter().map(|queue| (*queue, lease, now)).collect();
        settle_queues(&mut transaction, &released).await?;
        Ok(transaction.commit().await?)
    }

    /// Gives deliveries back that were claimed and not tried. They are due at once, for any instance.
    ///
    /// # Errors
    /// When the database is away; they are due again after their lease.
    pub async fn give_back_deliveries(&self, claimed: &[Claimed], now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let released: Vec<_> = claimed.iter().map(|claimed| (claimed.queue(), claimed.lease, now)).collect();
        settle_queues(&mut transaction, &released).await?;
        Ok(transaction.commit().await?)
    }
}
