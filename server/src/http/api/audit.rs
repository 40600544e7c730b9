//! The access log, for admins.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use chrono::{DateTime, Utc};
use doorstep_shared::api::{
    ListPage,
    console::{AccessKind, AccessView},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::page;
use crate::{
    auth::extract::Admin,
    error::ApiError,
    http::body::json::json,
    platform::clock::is_usable,
    store::{Store, access_log::AccessLogFilter},
};

/// Which entries to show.
#[derive(Debug, Deserialize, IntoParams)]
pub struct AuditQuery {
    /// Entries of this person or key: `user:…` or `key:…`.
    #[param(max_length = 100, pattern = "^(user|key):[0-9a-f-]+$")]
    actor: Option<String>,
    /// Entries about this courier or order.
    subject_id: Option<Uuid>,
    /// Entries of this kind.
    #[param(inline)]
    what: Option<AccessKind>,
    /// Not before this time.
    from: Option<DateTime<Utc>>,
    /// Before this time.
    until: Option<DateTime<Utc>>,
    /// Where the page begins: the last page's `next_cursor`.
    #[param(min_length = 1, max_length = 500)]
    cursor: Option<String>,
    /// The most items on the page; 100 otherwise.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// List who saw where a courier or an order is, the newest first.
///
/// For signed-in admins; no API key opens it. Kept as long as fixes.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "listAccessLog", tag = "audit",
    responses((status = 200, body = ListPage<AccessView>, description = "A page of the access log")))]
pub async fn list(store: Data<Store>, _: Admin, query: Query<AuditQuery>) -> Result<HttpResponse, ApiError> {
    let query = query.into_inner();
    let limit = page::page_size(query.limit)?;
    if ![query.from, query.until].into_iter().flatten().all(is_usable) {
        return Err(ApiError::bad_request("from and until have a year of four digits"));
    }
    if query.actor.as_ref().is_some_and(|actor| actor.contains('\0')) {
        return Err(ApiError::bad_request("actor is user:… or key:…"));
    }
    let before = page::cursor(query.cursor.as_deref(), |cursor| cursor.parse().ok())?;
    let filter = AccessLogFilter {
        actor: query.actor,
        subject: query.subject_id,
        what: query.what,
        from: query.from,
        until: query.until,
    };
    let mut items = store.access_log_page(&filter, before, limit as i64 + 1).await?;
    let next_cursor = page::cut(&mut items, limit, |entry| entry.id.to_string());
    Ok(json(StatusCode::OK, &ListPage { items, next_cursor }))
}
