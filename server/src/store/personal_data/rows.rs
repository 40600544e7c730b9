//! Everything about a person as rows of JSON, as the database has them but for secrets' hashes.
//!
//! Whole rows, so that what a later migration adds is exported without another thought; the columns that no export shows
//! are the secrets of [`super::columns`].

use doorstep_shared::{CourierId, OrderId};
use serde_json::Value;
use uuid::Uuid;

use super::{
    super::{Store, StoreError},
    columns::secrets_of,
    find::uuids,
};
use crate::domain::proof::ProofKey;

/// The most rows of one part for one batch of orders, or for one courier. Histories and accesses are far fewer.
pub const MAX_ROWS: usize = 50_000;

/// A part of an export: its name, its table, and the query that gives its rows. `$1` are the ids whose rows are wanted,
/// `$2` the columns that are left out, `$3` the most rows.
type Part = (&'static str, &'static str, &'static str);

/// What there is about a customer's orders, by the orders' ids.
const OF_ORDERS: [Part; 9] = [
    (
        "orders",
        "orders",
        "select to_jsonb(t) - $2::text[] - 'search_text' from orders t where t.id = any($1) order by t.id limit $3",
    ),
    (
        "order-events",
        "order_events",
        "select to_jsonb(t) - $2::text[] from order_events t where t.order_id = any($1) order by t.id limit $3",
    ),
    (
        "proofs",
        "proofs",
        "select to_jsonb(t) - $2::text[] - 'image_key' from proofs t where t.order_id = any($1) order by t.id limit $3",
    ),
    (
        "tracking-links",
        "tracking_links",
        "select to_jsonb(t) - $2::text[] from tracking_links t where t.order_id = any($1) order by t.created_at limit $3",
    ),
    (
        "exceptions",
        "exceptions",
        "select to_jsonb(t) - $2::text[] from exceptions t where t.order_id = any($1) order by t.id limit $3",
    ),
    (
        "arrivals-told",
        "arrival_told",
        "select to_jsonb(t) - $2::text[] from arrival_told t where t.order_id = any($1) \
         order by t.order_id, t.told_at limit $3",
    ),
    (
        "arrival-scores",
        "arrival_scores",
        "select to_jsonb(t) - $2::text[] from arrival_scores t where t.order_id = any($1) \
         order by t.order_id, t.horizon_min limit $3",
    ),
    (
        "access-log",
        "access_log",
        "select to_jsonb(t) - $2::text[] from access_log t where t.subject_id = any($1) order by t.id limit $3",
    ),
    (
        "idempotency-answers",
        "idempotency_keys",
        "select to_jsonb(t) - $2::text[] from idempotency_keys t where t.about && $1 order by t.created_at limit $3",
    ),
];

/// What there is about a courier, by their id.
const OF_COURIER: [Part; 9] = [
    (
        "courier",
        "couriers",
        "select to_jsonb(t) - $2::text[] from couriers t where t.id = any($1) order by t.id limit $3",
    ),
    (
        "devices",
        "devices",
        "select to_jsonb(t) - $2::text[] from devices t where t.courier_id = any($1) order by t.created_at limit $3",
    ),
    (
        "sessions",
        "courier_sessions",
        "select to_jsonb(t) - $2::text[] from courier_sessions t \
         where t.device_id in (select id from devices where courier_id = any($1)) order by t.created_at limit $3",
    ),
    (
        "off-duty",
        "off_duty_spans",
        "select to_jsonb(t) - $2::text[] from off_duty_spans t where t.courier_id = any($1) order by t.from_at limit $3",
    ),
    (
        "plan",
        "plans",
        "select to_jsonb(t) - $2::text[] from plans t where t.courier_id = any($1) order by t.courier_id limit $3",
    ),
    (
        "exceptions",
        "exceptions",
        "select to_jsonb(t) - $2::text[] from exceptions t where t.courier_id = any($1) order by t.id limit $3",
    ),
    (
        "deliveries",
        "orders",
        "select jsonb_build_object('id', t.id, 'reference', t.reference, 'status', t.status, 'status_at', t.status_at, \
             'assigned_at', t.assigned_at) - $2::text[] \
         from orders t where t.courier_id = any($1) order by t.created_at desc, t.id desc limit $3",
    ),
    (
        "access-log",
        "access_log",
        "select to_jsonb(t) - $2::text[] from access_log t where t.subject_id = any($1) order by t.id limit $3",
    ),
    (
        "idempotency-answers",
        "idempotency_keys",
        "select to_jsonb(t) - $2::text[] from idempotency_keys t \
         where t.about && ($1 || array(select id from devices where courier_id = any($1))) order by t.created_at limit $3",
    ),
];

/// A picture of a proof.
#[derive(Clone, Debug)]
pub struct PictureOf {
    /// Its order.
    pub order: OrderId,
    /// Its proof.
    pub proof: Uuid,
    /// Where the proof store has it.
    pub key: ProofKey,
    /// What it is.
    pub media_type: String,
}

/// A part of an export: its name, and its rows.
pub type Rows = (&'static str, Vec<Value>);

impl Store {
    /// What there is about these orders.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn rows_of_orders(&self, orders: &[OrderId]) -> Result<Vec<Rows>, StoreError> {
        self.rows(&OF_ORDERS, &uuids(orders)).await
    }

    /// What there is about a courier, but for their fixes.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn rows_of_courier(&self, courier: CourierId) -> Result<Vec<Rows>, StoreError> {
        self.rows(&OF_COURIER, &[*courier.as_uuid()]).await
    }

    async fn rows(&self, parts: &[Part], ids: &[Uuid]) -> Result<Vec<Rows>, StoreError> {
        let mut found = Vec::new();
        for (name, table, query) in parts {
            let rows: Vec<Value> = sqlx::query_scalar(*query)
                .bind(ids)
                .bind(secrets_of(table))
                .bind(MAX_ROWS as i64)
                .fetch_all(&self.pool)
                .await?;
            if !rows.is_empty() {
                found.push((*name, rows));
            }
        }
        Ok(found)
    }

    /// The pins of addresses with these keys.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn pin_rows(&self, keys: &[String]) -> Result<Vec<Value>, StoreError> {
        let query = "select to_jsonb(t) from address_pins t where t.key = any($1) order by t.id";
        Ok(sqlx::query_scalar(query).bind(keys).fetch_all(&self.pool).await?)
    }

    /// The pickups with a person's number: others' orders, of which the pickup alone is theirs, and saved ones.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn pickup_rows(&self, digits: &str) -> Result<Vec<Value>, StoreError> {
        let query = "select jsonb_build_object('order_id', id, 'address', pickup_address, \
                 'instructions', pickup_instructions, 'phone', pickup_phone) \
             from orders where phone_digits(pickup_phone) = $1 \
             union all \
             select jsonb_build_object('saved_pickup', name, 'address', address, 'instructions', instructions, \
                 'phone', phone) \
             from saved_pickups where phone_digits(phone) = $1 limit $2";
        Ok(sqlx::query_scalar(query).bind(digits).bind(MAX_ROWS as i64).fetch_all(&self.pool).await?)
    }

    /// The accounts at the console with an address.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn account_rows(&self, email: &str) -> Result<Vec<Value>, StoreError> {
        let query = "select to_jsonb(t) - $2::text[] from users t where t.email = lower($1)";
        Ok(sqlx::query_scalar(query).bind(email).bind(secrets_of("users")).fetch_all(&self.pool).await?)
    }

    /// The pictures of these orders' proofs.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn pictures_of(&self, orders: &[OrderId]) -> Result<Vec<PictureOf>, StoreError> {
        let ids = uuids(orders);
        let rows = sqlx::query!(
            r#"select order_id, id, image_key as "image_key!", media_type as "media_type!" from proofs
               where order_id = any($1) and image_key is not null order by order_id, id"#,
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        let pictures = rows.into_iter().filter_map(|row| {
            let key = ProofKey::from_text(&row.image_key)?;
            Some(PictureOf { order: OrderId::from_uuid(row.order_id), proof: row.id, key, media_type: row.media_type })
        });
        Ok(pictures.collect())
    }
}
