//! Lists of exceptions, as the console shows them, and acknowledging one.
//!
//! The list of open exceptions is ordered by gravity, the list of all of them by when they were noticed;
//! [`ExceptionCursor`] continues either.

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{
    CourierId, ExceptionId, OrderId, UserId,
    api::exception::{ExceptionCode, ExceptionPlace, ExceptionState, ExceptionView},
    protocol::PresenceReason,
};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Store, StoreError, exceptions::code_of, order_rows::status_of};
use crate::platform::clock::from_ms;

/// Where a list of exceptions goes on: after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionCursor {
    /// Whether it is over.
    pub is_over: bool,
    /// Its code's rank.
    pub rank: u8,
    /// Since when, Unix epoch milliseconds.
    pub since_ms: i64,
    /// Its id.
    pub id: ExceptionId,
}

impl ExceptionCursor {
    /// The place of an exception in a list.
    pub fn of(view: &ExceptionView) -> Self {
        Self {
            is_over: view.ended_at.is_some(),
            rank: view.code.rank(),
            since_ms: view.since.timestamp_millis(),
            id: view.id,
        }
    }
}

impl Store {
    /// Exceptions in the order of `state`, from after `after` on, with names and amounts as they are at `now`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn exceptions_page(
        &self,
        state: ExceptionState,
        after: Option<ExceptionCursor>,
        limit: i64,
        now: DateTime<Utc>,
    ) -> Result<Vec<ExceptionView>, StoreError> {
        let mut query = QueryBuilder::new(VIEW);
        match state {
            ExceptionState::Open => push_open(&mut query, after),
            ExceptionState::All => push_all(&mut query, after),
        }
        query.push(" limit ").push_bind(limit);
        let rows: Vec<ViewRow> = query.build_query_as().fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|row| row.at(now)).collect())
    }

    /// Notes that a person took care of an exception, unless another did before, and returns it. `None` when there is
    /// no such exception.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn acknowledge_exception(
        &self,
        id: ExceptionId,
        by: UserId,
        note: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<ExceptionView>, StoreError> {
        sqlx::query!(
            "update exceptions set acknowledged_at = $2, acknowledged_by = $3, note = $4 \
             where id = $1 and acknowledged_at is null",
            id.as_uuid(),
            now,
            by.as_uuid(),
            note,
        )
        .execute(&self.pool)
        .await?;
        let mut query = QueryBuilder::new(VIEW);
        query.push(" and e.id = ").push_bind(*id.as_uuid());
        let row: Option<ViewRow> = query.build_query_as().fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.at(now)))
    }
}

/// The courier of a late order is the one who has it now. What a courier said is in the order's history, under the word of
/// the exception.
const VIEW: &str = "select e.id, e.code, e.since_at, e.ended_at, e.order_id, e.lat, e.lon, e.late_by_s, e.distance_m, \
         e.reason, e.acknowledged_at, e.note, u.email as acknowledged_by, c.id as courier_id, c.name as courier_name, \
         o.reference as order_reference, o.promised_until, said.status as reported, said.note as remark, \
         d.label as device_label, d.last_rejection as rejection \
     from exceptions e \
     left join orders o on o.id = e.order_id \
     left join couriers c on c.id = case e.code when 'late' then o.courier_id else e.courier_id end \
     left join users u on u.id = e.acknowledged_by \
     left join devices d on e.code in ('clock_wrong', 'reports_unreadable') and d.id = e.subject_id \
     left join lateral ( \
         select v.status, v.note from order_events v \
         where e.code in ('not_ready', 'given_back', 'late_report') and v.order_id = e.order_id and v.kind = e.code \
           and v.courier_id = e.courier_id and (e.code <> 'late_report' or v.happened_at >= e.since_at - interval '1 ms' \
               and v.happened_at <= e.since_at + interval '1 ms') \
         order by v.id desc limit 1 \
     ) as said on true \
     where true";

/// The gravest code has the lowest rank.
fn push_rank(query: &mut QueryBuilder<Postgres>) {
    query.push("(case e.code");
    for code in ExceptionCode::ALL {
        query.push(format_args!(" when '{}' then {}", code.as_str(), code.rank()));
    }
    query.push(" end)");
}

fn push_open(query: &mut QueryBuilder<Postgres>, after: Option<ExceptionCursor>) {
    query.push(" and e.acknowledged_at is null");
    if let Some(after) = after {
        query.push(" and (e.ended_at is not null, ");
        push_rank(query);
        query.push(", e.since_at, e.id) > (").push_bind(after.is_over);
        query.push(", ").push_bind(i32::from(after.rank));
        query.push(", ").push_bind(from_ms(after.since_ms));
        query.push(", ").push_bind(*after.id.as_uuid()).push(")");
    }
    query.push(" order by e.ended_at is not null, ");
    push_rank(query);
    query.push(", e.since_at, e.id");
}

/// Ids sort by the time at which they were made, and that is when the exception was noticed.
fn push_all(query: &mut QueryBuilder<Postgres>, after: Option<ExceptionCursor>) {
    if let Some(after) = after {
        query.push(" and e.id < ").push_bind(*after.id.as_uuid());
    }
    query.push(" order by e.id desc");
}

#[derive(sqlx::FromRow)]
struct ViewRow {
    id: Uuid,
    code: String,
    since_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    order_id: Option<Uuid>,
    lat: Option<f64>,
    lon: Option<f64>,
    late_by_s: Option<i32>,
    distance_m: Option<i32>,
    reason: Option<String>,
    acknowledged_at: Option<DateTime<Utc>>,
    note: Option<String>,
    acknowledged_by: Option<String>,
    courier_id: Option<Uuid>,
    courier_name: Option<String>,
    order_reference: Option<String>,
    promised_until: Option<DateTime<Utc>>,
    reported: Option<String>,
    remark: Option<String>,
    device_label: Option<String>,
    rejection: Option<String>,
}

impl ViewRow {
    fn at(self, now: DateTime<Utc>) -> ExceptionView {
        let code = code_of(&self.code);
        let until = self.ended_at.unwrap_or(now);
        let seconds = |time: TimeDelta| u32::try_from(time.num_seconds()).ok();
        let lasted_s = |wanted| (code == wanted).then(|| seconds(until - self.since_at)).flatten();
        let expected_s = self.late_by_s.and_then(|late_by_s| u32::try_from(late_by_s).ok());
        let actual_s = self.promised_until.and_then(|promised| seconds(until - promised)).filter(|late_s| *late_s > 0);
        let late_by_s = match self.ended_at {
            // Once it is over, an earlier estimate does not count.
            Some(_) => actual_s.or(expected_s),
            None => actual_s.max(expected_s),
        };
        ExceptionView {
            id: ExceptionId::from_uuid(self.id),
            code,
            since: self.since_at,
            ended_at: self.ended_at,
            courier_id: self.courier_id.map(CourierId::from_uuid),
            courier_name: self.courier_name,
            order_id: self.order_id.map(OrderId::from_uuid),
            order_reference: self.order_reference,
            at: self.lat.zip(self.lon).map(|(lat, lon)| ExceptionPlace { lat, lon }),
            late_by_s: late_by_s.filter(|_| code == ExceptionCode::Late),
            silent_s: lasted_s(ExceptionCode::Silent),
            stationary_s: lasted_s(ExceptionCode::Stationary),
            distance_m: self.distance_m.and_then(|distance_m| u32::try_from(distance_m).ok()),
            waiting_s: lasted_s(ExceptionCode::NotReady),
            reported: self.reported.as_deref().filter(|_| code == ExceptionCode::LateReport).map(status_of),
            remark: self.remark,
            device_label: self.device_label,
            rejection: self.rejection,
            reason: self.reason.as_deref().and_then(PresenceReason::from_word),
            acknowledged_at: self.acknowledged_at,
            acknowledged_by: self.acknowledged_by,
            note: self.note,
        }
    }
}
