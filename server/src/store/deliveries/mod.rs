//! Takes deliveries out of the outbox, and writes down what became of them.
//!
//! Workers of all instances claim queues with `SKIP LOCKED` (`claims`), so each queue has one at a time, and its
//! deliveries stay in order. A claim is a lease: it moves the time when the queue is due ahead, so a queue whose worker died
//! is claimed again. A result (`results`) counts only while its lease does; a message may therefore be sent twice, always
//! with the same id.

mod claims;
mod results;

use chrono::{DateTime, Utc};
use doorstep_shared::EventId;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError, webhook_attempts::NewAttempt, webhooks::Endpoint};
use crate::domain::outbox::retry::{Answer, Next};

/// A delivery that a worker has claimed.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Where it goes.
    pub endpoint: Endpoint,
    /// What is told.
    pub event: EventId,
    /// Its type.
    pub kind: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The subject as it was then.
    pub data: Value,
    /// What only those get who ask for it.
    pub personal: Value,
    /// Which try this is, from 1.
    pub number: u32,
    lease: Uuid,
    subject: Uuid,
    delivery: i64,
}

/// A try that is over.
#[derive(Clone, Debug)]
pub struct Tried {
    /// What was sent. Its data and its endpoint's secrets are of no more use.
    pub claimed: Claimed,
    /// When the try began.
    pub began_at: DateTime<Utc>,
    /// How it ended.
    pub answer: Answer,
    /// What follows.
    pub next: Next,
}

/// How much waits in a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneState {
    /// Its name.
    pub lane: String,
    /// Deliveries that wait.
    pub waiting: u64,
    /// Since when the oldest waits.
    pub oldest_at: Option<DateTime<Utc>>,
}

impl Store {
    /// How much waits in each lane.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn lane_states(&self) -> Result<Vec<LaneState>, StoreError> {
        let rows = sqlx::query!(
            r#"select l.lane as "lane!", d.waiting as "waiting!", d.oldest_at from unnest(array['webhook']) as l (lane)
               cross join lateral (select count(*) as waiting, min(queued_at) as oldest_at from outbox_deliveries
                   where lane = l.lane and state = 'waiting') d"#
        )
        .fetch_all(&self.pool)
        .await?;
        let states = rows.into_iter().map(|row| LaneState {
            lane: row.lane,
            waiting: row.waiting.cast_unsigned(),
            oldest_at: row.oldest_at,
        });
        Ok(states.collect())
    }

    /// Deletes events, deliveries and tries from before `before`, and what is left of endpoints that were removed.
    ///
    /// # Errors
    /// When the database is away; calling again continues.
    pub async fn forget_outbox(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        for statement in [
            "delete from webhook_attempts where id in (select id from webhook_attempts where at < $1 limit 10000)",
            "delete from outbox_deliveries where id in ( \
                 select id from outbox_deliveries where queued_at < $1 limit 10000)",
            "delete from outbox_events where id in (select e.id from outbox_events e where e.recorded_at < $1 \
                 and not exists (select from outbox_deliveries d where d.event_id = e.id and d.state = 'waiting') \
                 limit 10000)",
            "delete from webhooks where deleted_at < $1",
            "delete from outbox_queues q where due_at < $1 and not exists (select from webhooks w where w.id = q.target_id)",
        ] {
            // Some at a time, so that no statement takes long.
            while sqlx::query(statement).bind(before).execute(&self.pool).await?.rows_affected() == 10_000 {}
        }
        Ok(())
    }
}

impl Claimed {
    fn queue(&self) -> (Uuid, Uuid) {
        (*self.endpoint.id.as_uuid(), self.subject)
    }
}

impl Tried {
    /// When the queue is due again: what follows a delivery that is over is due at once.
    fn due(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self.next {
            Next::Again(at) => at,
            Next::Done | Next::GivenUp => now,
        }
    }

    fn state(&self) -> &'static str {
        match self.next {
            Next::Done => "delivered",
            Next::Again(_) => "waiting",
            Next::GivenUp => "given_up",
        }
    }

    fn attempt(&self) -> NewAttempt {
        let next_at = match self.next {
            Next::Again(at) => Some(at),
            Next::Done | Next::GivenUp => None,
        };
        NewAttempt {
            webhook: self.claimed.endpoint.id,
            event: self.claimed.event,
            kind: self.claimed.kind.clone(),
            number: self.claimed.number,
            at: self.began_at,
            answer: self.answer,
            next_at,
        }
    }
}

/// Makes queues due, each at its time, if their lease still counts, and removes those in which nothing waits. They are
/// locked first, so that whoever adds a delivery is either seen here or finds the queue gone.
async fn settle_queues(
    connection: &mut PgConnection,
    queues: &[((Uuid, Uuid), Uuid, DateTime<Utc>)],
) -> Result<(), StoreError> {
    let targets: Vec<_> = queues.iter().map(|((target, _), ..)| *target).collect();
    let subjects: Vec<_> = queues.iter().map(|((_, subject), ..)| *subject).collect();
    let leases: Vec<_> = queues.iter().map(|(_, lease, _)| *lease).collect();
    let due: Vec<_> = queues.iter().map(|(.., due)| *due).collect();
    let held = sqlx::query!(
        "update outbox_queues q set due_at = n.due_at, lease = null from ( \
             select l.target_id, l.subject_id, m.due_at from outbox_queues l \
             join unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) \
                 as m (target_id, subject_id, lease, due_at) \
                 on l.target_id = m.target_id and l.subject_id = m.subject_id and l.lease = m.lease \
             order by l.target_id, l.subject_id for update of l) n \
         where q.target_id = n.target_id and q.subject_id = n.subject_id \
         returning q.target_id, q.subject_id",
        &targets,
        &subjects,
        &leases,
        &due,
    )
    .fetch_all(&mut *connection)
    .await?;
    let (targets, subjects): (Vec<_>, Vec<_>) = held.into_iter().map(|row| (row.target_id, row.subject_id)).unzip();
    // A statement of its own: it sees what was added before the locks were taken.
    sqlx::query!(
        "delete from outbox_queues q using unnest($1::uuid[], $2::uuid[]) as n (target_id, subject_id) \
         where q.target_id = n.target_id and q.subject_id = n.subject_id and not exists ( \
             select from outbox_deliveries d where d.target_id = q.target_id and d.subject_id = q.subject_id \
                 and d.state = 'waiting')",
        &targets,
        &subjects,
    )
    .execute(connection)
    .await?;
    Ok(())
}
