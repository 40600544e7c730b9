//! Couriers and their fixes over REST.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path, Query},
};
use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, Fix,
    api::{CourierView, CreateCourier, ListPage, PresenceView, console::AccessKind},
    problem::Problem,
};
use serde::Deserialize;

use super::{ListQuery, bad_cursor, page_size};
use crate::{
    auth::principal::{Principal, Scope},
    domain::{courier::Courier, fleet::FleetChange},
    error::ApiError,
    http::{
        access,
        body::{self, FieldErrors, RequestBody},
        export::{self, Format},
    },
    platform::clock::{from_ms, is_usable},
    state::AppState,
};

/// Registers a courier.
#[utoipa::path(post, path = "/api/v1/couriers", tag = "couriers", request_body = CreateCourier,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = CourierView), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub async fn create(app: Data<AppState>, request: HttpRequest, bytes: RequestBody) -> Result<HttpResponse, ApiError> {
    let principal = Principal::require(&app, &request, Scope::CouriersWrite).await?;
    let wanted: CreateCourier = body::parse(&request, &bytes)?;
    body::idempotent(&app, &request, &principal, &bytes, move |app, _, _| async move {
        let mut errors = FieldErrors::default();
        errors.check_text(&wanted.name, 100, "name");
        errors.check_optional_text(wanted.phone.as_deref(), 40, "phone");
        errors.finish()?;
        let courier = Courier {
            id: CourierId::new(),
            name: wanted.name.trim().to_owned(),
            phone: wanted.phone.clone(),
            vehicle: wanted.vehicle,
            created_at: app.clock.now(),
            presence: None,
        };
        app.store.create_courier(&courier).await?;
        app.broker.publish_fleet(FleetChange::Courier((&courier).into()));
        Ok((StatusCode::CREATED, view(&courier, None)))
    })
    .await
}

/// Lists couriers with their newest fix and presence.
#[utoipa::path(get, path = "/api/v1/couriers", tag = "couriers",
    params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = ListPage<CourierView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn list(
    app: Data<AppState>,
    request: HttpRequest,
    query: Query<ListQuery>,
) -> Result<HttpResponse, ApiError> {
    let by = Principal::require(&app, &request, Scope::CouriersRead).await?;
    access::note(&app, &request, &by, AccessKind::Couriers, None);
    let limit = query.limit()?;
    let after = query.cursor.as_deref().map(|cursor| cursor.parse().map_err(|_| bad_cursor())).transpose()?;
    let mut couriers = app.store.couriers_page(after, limit as i64 + 1).await?;
    let more = couriers.len() > limit;
    couriers.truncate(limit);
    let next_cursor = couriers.last().filter(|_| more).map(|courier| courier.id.to_string());
    let mut newest =
        app.store.newest_fix_of_each(&couriers.iter().map(|courier| courier.id).collect::<Vec<_>>()).await?;
    let items: Vec<_> = couriers.iter().map(|courier| view(courier, newest.remove(&courier.id))).collect();
    Ok(body::json(StatusCode::OK, &ListPage { items, next_cursor }))
}

/// Shows one courier.
#[utoipa::path(get, path = "/api/v1/couriers/{id}", tag = "couriers", params(("id" = String, Path)),
    responses((status = 200, body = CourierView), (status = 404, body = Problem)))]
pub async fn show(app: Data<AppState>, request: HttpRequest, path: Path<String>) -> Result<HttpResponse, ApiError> {
    let by = Principal::require(&app, &request, Scope::CouriersRead).await?;
    let courier = app.store.courier(id_in(&path)?).await?.ok_or_else(ApiError::not_found)?;
    access::note(&app, &request, &by, AccessKind::Courier, Some(*courier.id.as_uuid()));
    let newest = app.store.newest_fix_of_each(&[courier.id]).await?.remove(&courier.id);
    Ok(body::json(StatusCode::OK, &view(&courier, newest)))
}

/// Which fixes to give.
#[derive(Debug, Deserialize)]
pub struct FixesQuery {
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// A file holds at most a day at one fix a second.
const MAX_EXPORT: i64 = 86_400;

/// A courier's stored fixes in `[from, until)`, oldest first. As JSON in pages, as a whole in the other formats.
#[utoipa::path(get, path = "/api/v1/couriers/{id}/fixes", tag = "couriers",
    params(("id" = String, Path), ("from" = Option<String>, Query, description = "RFC 3339, inclusive"),
        ("until" = Option<String>, Query, description = "RFC 3339, exclusive"), ("cursor" = Option<String>, Query),
        ("limit" = Option<u32>, Query)),
    responses((status = 200, description = "`{items, next_cursor?}` of fixes, or a file: `application/geo+json`, \
        `application/gpx+xml`, `text/csv`"), (status = 404, body = Problem), (status = 406, body = Problem)))]
pub async fn fixes(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    query: Query<FixesQuery>,
) -> Result<HttpResponse, ApiError> {
    let by = Principal::require(&app, &request, Scope::CouriersRead).await?;
    let courier = app.store.courier(id_in(&path)?).await?.ok_or_else(ApiError::not_found)?;
    let format = Format::accepted(request.headers().get(header::ACCEPT)).ok_or_else(ApiError::not_acceptable)?;
    let until = query.until.unwrap_or_else(|| app.clock.now() + chrono::TimeDelta::minutes(5));
    if ![query.from, query.until].into_iter().flatten().all(is_usable) {
        return Err(ApiError::bad_request("from and until have a year of four digits"));
    }
    let from = query.from.unwrap_or_else(|| until - chrono::TimeDelta::days(1));
    let what = if format == Format::Json { AccessKind::Fixes } else { AccessKind::Export };
    access::note(&app, &request, &by, what, Some(*courier.id.as_uuid()));
    if format == Format::Json {
        return json_page(&app, courier.id, from, until, &query).await;
    }
    let fixes = app.store.fixes_between(courier.id, from, until, MAX_EXPORT).await?;
    let file = export::write(format, &courier.name, &fixes);
    let mut response = HttpResponse::Ok();
    if let Some(extension) = format.extension() {
        let day = from.with_timezone(&app.config.settings.time_zone).format("%Y-%m-%d").to_string();
        let name = export::file_name(extension, &courier.name, &day);
        response.insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    }
    Ok(response
        .insert_header((header::CONTENT_TYPE, format.media_type()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "accept"))
        .body(file))
}

async fn json_page(
    app: &AppState,
    courier: CourierId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    query: &FixesQuery,
) -> Result<HttpResponse, ApiError> {
    let limit = page_size(query.limit)?;
    let after_ms: Option<i64> =
        query.cursor.as_deref().map(|cursor| cursor.parse().map_err(|_| bad_cursor())).transpose()?;
    let after = after_ms.map(|after_ms| from_ms(after_ms.saturating_add(1)));
    if !after.is_none_or(is_usable) {
        return Err(bad_cursor());
    }
    let from = after.map_or(from, |after| from.max(after));
    let mut fixes = app.store.fixes_between(courier, from, until, limit as i64 + 1).await?;
    let more = fixes.len() > limit;
    fixes.truncate(limit);
    let next_cursor = fixes.last().filter(|_| more).map(|fix| fix.recorded_at_ms().to_string());
    let items: Vec<_> = fixes.iter().map(Fix::to_raw).collect();
    Ok(body::json(StatusCode::OK, &ListPage { items, next_cursor }))
}

/// A courier as the API shows them.
pub(super) fn view(courier: &Courier, newest: Option<Fix>) -> CourierView {
    CourierView {
        id: courier.id,
        name: courier.name.clone(),
        phone: courier.phone.clone(),
        vehicle: courier.vehicle,
        created_at: courier.created_at,
        position: newest.map(|fix| fix.to_raw()),
        presence: courier.presence.map(|presence| PresenceView {
            state: presence.state,
            reason: presence.reason,
            since_at: from_ms(presence.since_ms),
        }),
    }
}

/// An id that is no id names nothing, so it is a 404 like any other unknown one.
pub(super) fn id_in(path: &str) -> Result<CourierId, ApiError> {
    path.parse().map_err(|_| ApiError::not_found())
}
