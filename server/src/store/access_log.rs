//! Who looked at where a courier or an order is.

use chrono::{DateTime, Utc};
use doorstep_shared::api::console::{LookKind, LookView};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::access_log::AccessLogEntry;

/// Which looks are meant; the default means all.
#[derive(Clone, Debug, Default)]
pub struct AccessLogFilter {
    /// By whom: `user:…` or `key:…`.
    pub actor: Option<String>,
    /// At which courier or order.
    pub subject: Option<Uuid>,
    /// At what.
    pub what: Option<LookKind>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

impl Store {
    /// Writes looks in one statement.
    ///
    /// # Errors
    /// When the database is away; none was written then.
    pub async fn write_access_log(&self, looks: &[AccessLogEntry]) -> Result<(), StoreError> {
        let at: Vec<_> = looks.iter().map(|look| look.at).collect();
        let actors: Vec<_> = looks.iter().map(AccessLogEntry::actor_word).collect();
        let what: Vec<_> = looks.iter().map(|look| look.what.as_str().to_owned()).collect();
        let subjects: Vec<_> = looks.iter().map(|look| look.subject).collect();
        let addresses: Vec<_> = looks.iter().map(|look| look.address.map(|address| address.to_string())).collect();
        let lost: Vec<_> = looks.iter().map(|look| look.lost).collect();
        sqlx::query!(
            "insert into looks (looked_at, actor, what, subject_id, address, lost) \
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

    /// The newest looks first, from before `before` on, with names as they are now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn access_log_page(
        &self,
        filter: &AccessLogFilter,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<LookView>, StoreError> {
        let rows = sqlx::query!(
            r#"select l.id, l.looked_at, l.actor, l.what, l.subject_id, l.address, l.lost,
                   coalesce(u.email, k.name) as actor_name, coalesce(c.name, o.reference) as subject_name
               from looks l
               left join users u on l.actor = 'user:' || u.id
               left join api_keys k on l.actor = 'key:' || k.id
               left join couriers c on c.id = l.subject_id
               left join orders o on o.id = l.subject_id
               where ($1::text is null or l.actor = $1) and ($2::uuid is null or l.subject_id = $2)
                 and ($3::text is null or l.what = $3) and ($4::timestamptz is null or l.looked_at >= $4)
                 and ($5::timestamptz is null or l.looked_at < $5) and ($6::bigint is null or l.id < $6)
               order by l.id desc limit $7"#,
            filter.actor,
            filter.subject,
            filter.what.map(LookKind::as_str),
            filter.from,
            filter.until,
            before,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        let rows = rows.into_iter().map(|row| LookView {
            id: row.id,
            at: row.looked_at,
            actor: row.actor,
            actor_name: row.actor_name,
            what: LookKind::from_word(&row.what).expect("the column's check allows only kinds"),
            subject_id: row.subject_id,
            subject_name: row.subject_name,
            address: row.address,
            lost: row.lost.map(|lost| u32::try_from(lost).unwrap_or(u32::MAX)),
        });
        Ok(rows.collect())
    }

    /// Forgets looks from before `before`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_access_log(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!("delete from looks where looked_at < $1", before).execute(&self.pool).await?;
        Ok(())
    }
}
