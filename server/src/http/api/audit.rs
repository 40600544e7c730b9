//! The access log, for admins.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use chrono::{DateTime, Utc};
use doorstep_shared::{
    api::{
        ListPage,
        console::{AccessKind, AccessView},
    },
    problem::Problem,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{bad_cursor, page_size};
use crate::{
    auth::principal::Principal, error::ApiError, http::body, platform::clock::is_usable, state::AppState,
    store::access_log::AccessLogFilter,
};

/// Which entries to show.
#[derive(Debug, Deserialize)]
pub struct AuditQuery {
    actor: Option<String>,
    subject_id: Option<Uuid>,
    what: Option<AccessKind>,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Who looked at where a courier or an order is, the newest first. For signed-in admins; no API key opens it.
/// Kept as long as fixes.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(("actor" = Option<String>, Query, description = "`user:…` or `key:…`"),
        ("subject_id" = Option<String>, Query, description = "A courier or an order"),
        ("what" = Option<AccessKind>, Query),
        ("from" = Option<String>, Query, description = "RFC 3339, inclusive"),
        ("until" = Option<String>, Query, description = "RFC 3339, exclusive"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = ListPage<AccessView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn list(
    app: Data<AppState>,
    request: HttpRequest,
    query: Query<AuditQuery>,
) -> Result<HttpResponse, ApiError> {
    Principal::require_admin(&app, &request).await?;
    let query = query.into_inner();
    let limit = page_size(query.limit)?;
    if ![query.from, query.until].into_iter().flatten().all(is_usable) {
        return Err(ApiError::bad_request("from and until have a year of four digits"));
    }
    if query.actor.as_ref().is_some_and(|actor| actor.contains('\0')) {
        return Err(ApiError::bad_request("actor is user:… or key:…"));
    }
    let before = query.cursor.as_deref().map(|cursor| cursor.parse().map_err(|_| bad_cursor())).transpose()?;
    let filter = AccessLogFilter {
        actor: query.actor,
        subject: query.subject_id,
        what: query.what,
        from: query.from,
        until: query.until,
    };
    let mut items = app.store.access_log_page(&filter, before, limit as i64 + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(|look| look.id.to_string());
    Ok(body::json(StatusCode::OK, &ListPage { items, next_cursor }))
}
