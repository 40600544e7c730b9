//! What is left of a person who was erased on request: that it was done, by whom, and how much.

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, api::people::ErasureView};
use uuid::Uuid;

use super::{
    super::{Store, StoreError},
    erase::Counts,
};
use crate::domain::{order::Actor, person::Sought};

impl Store {
    /// Notes that a person was erased, and gives it as it is shown.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn note_erasure(
        &self,
        sought: &Sought,
        by: Option<&Actor>,
        counts: &Counts,
        now: DateTime<Utc>,
    ) -> Result<ErasureView, StoreError> {
        let id = Uuid::now_v7();
        let courier = match sought {
            Sought::Courier(courier) => Some(*courier.as_uuid()),
            Sought::Phone(_) | Sought::Email(_) => None,
        };
        sqlx::query!(
            "insert into erasures (id, erased_at, erased_by, sought, courier_id, counts) values ($1, $2, $3, $4, $5, $6)",
            id,
            now,
            by.map(ToString::to_string),
            sought.as_str(),
            courier,
            serde_json::to_value(counts).unwrap_or_default(),
        )
        .execute(&self.pool)
        .await?;
        let noted = self.erasures(Some(id), None, 1).await?.pop();
        Ok(noted.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// At most `limit` erasures, the newest first, those before `before`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn erasures_page(&self, before: Option<Uuid>, limit: i64) -> Result<Vec<ErasureView>, StoreError> {
        self.erasures(None, before, limit).await
    }

    async fn erasures(
        &self,
        only: Option<Uuid>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<ErasureView>, StoreError> {
        let rows = sqlx::query!(
            r#"select e.id as "id!", e.erased_at as "erased_at!", u.email as "erased_by?", e.sought as "sought!",
                   e.courier_id, e.counts as "counts!"
               from erasures e left join users u on e.erased_by = 'user:' || u.id
               where ($1::uuid is null or e.id = $1) and ($2::uuid is null or e.id < $2)
               order by e.id desc limit $3"#,
            only,
            before,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let views = rows.into_iter().map(|row| ErasureView {
            id: Some(row.id),
            erased_at: Some(row.erased_at),
            erased_by: row.erased_by,
            sought: row.sought,
            courier_id: row.courier_id.map(CourierId::from_uuid),
            counts: serde_json::from_value(row.counts).unwrap_or_default(),
        });
        Ok(views.collect())
    }
}
