//! The access log in the database: who saw where a courier or an order is, and when.

use chrono::{DateTime, Utc};
use doorstep_shared::api::console::{AccessKind, AccessView};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::access_log::AccessLogEntry;

/// Which entries are meant; the default means all.
#[derive(Clone, Debug, Default)]
pub struct AccessLogFilter {
    /// By this actor: `user:…` or `key:…`.
    pub actor: Option<String>,
    /// About this courier or order.
    pub subject: Option<Uuid>,
    /// Of this kind.
    pub what: Option<AccessKind>,
    /// Not before this time.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
}

impl Store {
    /// Writes entries in one statement.
    ///
    /// # Errors
    /// When the database is away; none was written then.
    pub async fn write_access_log(&self, entries: &[AccessLogEntry]) -> Result<(), StoreError> {
        let at: Vec<_> = entries.iter().map(|entry| entry.at).collect();
        let actors: Vec<_> = entries.iter().map(AccessLogEntry::actor_word).collect();
        let what: Vec<_> = entries.iter().map(|entry| entry.what.as_str().to_owned()).collect();
        let subjects: Vec<_> = entries.iter().map(|entry| entry.subject).collect();
        let addresses: Vec<_> = entries.iter().map(|entry| entry.address.map(|address| address.to_string())).collect();
        let lost: Vec<_> = entries.iter().map(|entry| entry.lost).collect();
        sqlx::query!(
            "insert into access_log (accessed_at, actor, what, subject_id, address, lost) \
             select * from unnest($1::timestamptz[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::bigint[])",
            &at,
            &actors,
            &what,
            &subjects as &[Option<Uuid>],
            &addresses as &[Option<String>],
            &lost as &[Option<i64>],
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// At most `limit` entries, the newest first, those with an id below `before`. Names are as they are now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn access_log_page(
        &self,
        filter: &AccessLogFilter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AccessView>, StoreError> {
        let rows = sqlx::query!(
            r#"select l.id, l.accessed_at, l.actor, l.what, l.subject_id, l.address, l.lost,
                   coalesce(u.email, k.name) as actor_name, coalesce(c.name, o.reference) as subject_name
               from access_log l
               left join users u on l.actor = 'user:' || u.id
               left join api_keys k on l.actor = 'key:' || k.id
               left join couriers c on c.id = l.subject_id
               left join orders o on o.id = l.subject_id
               where ($1::text is null or l.actor = $1) and ($2::uuid is null or l.subject_id = $2)
                 and ($3::text is null or l.what = $3) and ($4::timestamptz is null or l.accessed_at >= $4)
                 and ($5::timestamptz is null or l.accessed_at < $5) and ($6::bigint is null or l.id < $6)
               order by l.id desc limit $7"#,
            filter.actor,
            filter.subject,
            filter.what.map(AccessKind::as_str),
            filter.from,
            filter.until,
            before,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        let rows = rows.into_iter().map(|row| AccessView {
            id: row.id,
            at: row.accessed_at,
            actor: row.actor,
            actor_name: row.actor_name,
            what: AccessKind::from_word(&row.what).expect("the column's check allows only kinds"),
            subject_id: row.subject_id,
            subject_name: row.subject_name,
            address: row.address,
            lost: row.lost.map(|lost| u32::try_from(lost).unwrap_or(u32::MAX)),
        });
        Ok(rows.collect())
    }

    /// Deletes entries from before `before`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_access_log(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!("delete from access_log where accessed_at < $1", before).execute(&self.pool).await?;
        Ok(())
    }
}
