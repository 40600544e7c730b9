//! A courier's stored fixes, in pages or as a file.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Query,
};
use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{
    CourierId, RawFix,
    api::{ListPage, console::AccessKind, track::TrackFile},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::page;
use crate::{
    auth::{access_recorder::AccessRecorder, extract::Allowed, scope::CouriersRead},
    domain::courier::Courier,
    error::ApiError,
    http::{
        body::json::json,
        context::context,
        export::{self, Format},
        path::PathId,
    },
    platform::clock::{Clock, from_ms, from_us, is_usable},
    service::areas::Areas,
    store::Store,
};

/// A file holds at most a day at one fix a second.
const MAX_EXPORT: i64 = 86_400;

/// A cursor from here on holds microseconds: as milliseconds it would be of the year 5138.
const FIRST_MICROSECONDS: i64 = 100_000_000_000_000;

/// Which fixes to give.
#[derive(Debug, Deserialize, IntoParams)]
pub struct FixesQuery {
    /// Not before this time; a day before `until` otherwise.
    from: Option<DateTime<Utc>>,
    /// Before this time; now otherwise.
    until: Option<DateTime<Utc>>,
    /// Where the page begins: the last page's `next_cursor`. For JSON only.
    #[param(min_length = 1, max_length = 500)]
    cursor: Option<String>,
    /// The most items on the page; 100 otherwise. For JSON only.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

context! {
    /// What stored fixes are given out with.
    pub struct Fixes { store: Store, clock: Clock, areas: Areas }
}

/// The time that is asked for.
#[derive(Clone, Copy)]
struct Window {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
}

/// List a courier's stored fixes in `[from, until)`, oldest first.
///
/// As JSON in pages; as a whole, up to a day at one fix a second, in the other formats that `Accept` can name.
#[utoipa::path(get, path = "/api/v1/couriers/{id}/fixes", operation_id = "listFixes", tag = "couriers",
    params(("id" = CourierId, Path, description = "The courier's id")),
    responses(
        (status = 200, description = "A page of fixes, or a file of all of them", content(
            (ListPage<RawFix> = "application/json"),
            (TrackFile = "application/geo+json"),
            (String = "application/gpx+xml"),
            (String = "text/csv"),
        )),
        (status = 406, description = "`Accept` names no format that this server writes"),
    ))]
pub async fn list(
    fixes: Fixes,
    request: HttpRequest,
    by: Allowed<CouriersRead>,
    recorder: AccessRecorder,
    PathId(id): PathId<CourierId>,
    query: Query<FixesQuery>,
) -> Result<HttpResponse, ApiError> {
    let courier = fixes.store.courier(id).await?.ok_or_else(ApiError::not_found)?;
    let format = Format::accepted(request.headers()).ok_or_else(ApiError::not_acceptable)?;
    let window = fixes.window(&query)?;
    let what = if format == Format::Json { AccessKind::Fixes } else { AccessKind::Export };
    recorder.record(&by, what, Some(*courier.id.as_uuid()));
    match format {
        Format::Json => fixes.page(courier.id, window, &query).await,
        file => fixes.file(&courier, window, file).await,
    }
}

impl Fixes {
    fn window(&self, query: &FixesQuery) -> Result<Window, ApiError> {
        let until = query.until.unwrap_or_else(|| self.clock.now() + TimeDelta::minutes(5));
        if ![query.from, query.until].into_iter().flatten().all(is_usable) {
            return Err(ApiError::bad_request("from and until have a year of four digits"));
        }
        Ok(Window { from: query.from.unwrap_or_else(|| until - TimeDelta::days(1)), until })
    }

    async fn page(&self, courier: CourierId, window: Window, query: &FixesQuery) -> Result<HttpResponse, ApiError> {
        let limit = page::page_size(query.limit)?;
        let after = page::cursor(query.cursor.as_deref(), after_cursor)?;
        let from = after.map_or(window.from, |after| window.from.max(after));
        let mut fixes = self.store.stored_fixes_between(courier, from, window.until, limit as i64 + 1).await?;
        let next_cursor = page::cut(&mut fixes, limit, |stored| stored.next_us().to_string());
        let items: Vec<_> = fixes.iter().map(|stored| stored.fix.to_raw()).collect();
        Ok(json(StatusCode::OK, &ListPage { items, next_cursor }))
    }

    async fn file(&self, courier: &Courier, window: Window, format: Format) -> Result<HttpResponse, ApiError> {
        let fixes = self.store.fixes_between(courier.id, window.from, window.until, MAX_EXPORT).await?;
        let mut response = HttpResponse::Ok();
        if let Some(extension) = format.extension() {
            let day = window.from.with_timezone(&self.areas.time_zone()).format("%Y-%m-%d").to_string();
            let name = export::file_name(extension, &courier.name, &day);
            response.insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
        }
        Ok(response
            .insert_header((header::CONTENT_TYPE, format.media_type()))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::VARY, "accept"))
            .body(export::write(format, &courier.name, &fixes, self.clock.now())))
    }
}

/// Where the list goes on.
fn after_cursor(cursor: &str) -> Option<DateTime<Utc>> {
    let written: i64 = cursor.parse().ok()?;
    // Servers of the previous version write the last fix's milliseconds.
    let next = if written < FIRST_MICROSECONDS { from_ms(written.saturating_add(1)) } else { from_us(written) };
    Some(next).filter(|next| is_usable(*next))
}
