//! What a dispatcher does with one order or courier, beyond moving the order on.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use doorstep_shared::{
    CourierId, OrderId,
    api::{
        CourierView,
        console::{AccessKind, CourierSuggestion, EditCourier, TrackingLink},
    },
    problem::Problem,
};
use serde::Deserialize;

use super::couriers;
use crate::{
    auth::principal::{Principal, Scope},
    domain::fleet::FleetChange,
    error::ApiError,
    http::{
        access,
        body::{self, FieldErrors, RequestBody},
    },
    platform::{qr, token},
    state::AppState,
    store::couriers::CourierEdit,
};

const DEFAULT_SUGGESTIONS: usize = 5;
const MAX_SUGGESTIONS: usize = 50;

/// How suggestions are asked for.
#[derive(Debug, Deserialize)]
pub struct SuggestionsQuery {
    limit: Option<usize>,
}

/// Who could take the order, the best first. Needs `couriers:read`, too: it tells where couriers are.
#[utoipa::path(get, path = "/api/v1/orders/{id}/suggestions", tag = "orders",
    params(("id" = String, Path), ("limit" = Option<u32>, Query, description = "1 to 50, otherwise 5")),
    responses((status = 200, body = Vec<CourierSuggestion>), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub async fn suggestions(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    query: Query<SuggestionsQuery>,
) -> Result<HttpResponse, ApiError> {
    let principal = Principal::require(&app, &request, Scope::OrdersRead).await?;
    principal.also(Scope::CouriersRead)?;
    let limit = query.limit.unwrap_or(DEFAULT_SUGGESTIONS);
    if !(1..=MAX_SUGGESTIONS).contains(&limit) {
        return Err(ApiError::bad_request(format!("limit must be 1 to {MAX_SUGGESTIONS}")));
    }
    let order = app.store.order(order_in(&path)?).await?.ok_or_else(ApiError::not_found)?;
    access::note(&app, &request, &principal, AccessKind::Couriers, None);
    Ok(body::json(StatusCode::OK, &app.suggestions.for_order(&order, limit).await?))
}

/// Makes one more tracking link of the order; those given out before go on working. The page behind it shows no
/// delivery PIN: the customer was told that with the first link.
#[utoipa::path(post, path = "/api/v1/orders/{id}/tracking-link", tag = "orders", params(("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = TrackingLink), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub async fn tracking_link(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    bytes: RequestBody,
) -> Result<HttpResponse, ApiError> {
    let principal = Principal::require(&app, &request, Scope::OrdersWrite).await?;
    let order = order_in(&path)?;
    body::idempotent(&app, &request, &principal, &bytes, move |app, by, _| async move {
        let tracking_token = token::new_tracking_token();
        let hash = token::hash(&tracking_token);
        if !app.store.add_tracking_link(order, &hash, &by, app.clock.now()).await? {
            return Err(ApiError::not_found());
        }
        let tracking_url = format!("{}/t/{tracking_token}", app.config.public_url);
        let qr_svg = qr::svg(&tracking_url).ok_or_else(|| ApiError::internal(&"a link too long for a QR code"))?;
        Ok((StatusCode::CREATED, TrackingLink { tracking_token, tracking_url, qr_svg }))
    })
    .await
}

/// Changes what is known about a courier.
#[utoipa::path(patch, path = "/api/v1/couriers/{id}", tag = "couriers", params(("id" = String, Path)),
    request_body = EditCourier,
    responses((status = 200, body = CourierView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn edit_courier(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    bytes: RequestBody,
) -> Result<HttpResponse, ApiError> {
    Principal::require(&app, &request, Scope::CouriersWrite).await?;
    let courier: CourierId = path.parse().map_err(|_| ApiError::not_found())?;
    let wanted: EditCourier = body::parse(&request, &bytes)?;
    let mut errors = FieldErrors::default();
    if let Some(name) = &wanted.name {
        errors.check_text(name, 100, "name");
    }
    errors.check_optional_text(wanted.phone.as_deref().filter(|phone| !phone.is_empty()), 40, "phone");
    errors.finish()?;
    let editor = app.clone();
    let editing = async move {
        let edit = CourierEdit {
            name: wanted.name.as_deref().map(str::trim),
            phone: wanted.phone.as_deref().map(|phone| Some(phone).filter(|phone| !phone.is_empty())),
            vehicle: wanted.vehicle,
        };
        let changed = editor.store.edit_courier(courier, edit).await?.ok_or_else(ApiError::not_found)?;
        editor.broker.publish_fleet(FleetChange::Courier((&changed).into()));
        // The live view knows what they ride, for arrival times.
        editor.plans.refresh(courier).await;
        Ok(changed)
    };
    let changed = body::completed(&app, editing).await?;
    let newest = app.store.newest_fix_of_each(&[courier]).await?.remove(&courier);
    Ok(body::json(StatusCode::OK, &couriers::view(&changed, newest)))
}

fn order_in(path: &str) -> Result<OrderId, ApiError> {
    path.parse().map_err(|_| ApiError::not_found())
}
