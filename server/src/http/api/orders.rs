//! Orders over REST.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use chrono::{DateTime, Utc};
use doorstep_shared::{
    LatLon, OrderId, OrderStatus,
    api::{Assign, CreateOrder, OrderCreated, OrderView, PlaceBody, SetStatus, console::AccessKind, proof::ProofKind},
    geo::coord::CoordError,
    problem::{FieldError, Problem},
};

use crate::{
    auth::principal::{Principal, Scope},
    domain::{
        order::{Order, Waypoint},
        proof::pin,
    },
    error::ApiError,
    http::{
        access,
        body::{self, FieldErrors, RequestBody},
    },
    platform::{clock::is_usable, password, token},
    service::orders::{lifecycle::Outcome, risk::Estimates},
    state::AppState,
    store::new_orders::WantedProofs,
};

/// Creates an order and its tracking link.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", request_body = CreateOrder,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer")),
    responses((status = 201, body = OrderCreated), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create(app: Data<AppState>, request: HttpRequest, bytes: RequestBody) -> Result<HttpResponse, ApiError> {
    let principal = Principal::require(&app, &request, Scope::OrdersWrite).await?;
    let wanted: CreateOrder = body::parse(&request, &bytes)?;
    body::idempotent(&app, &request, &principal, &bytes, move |app, by, _| async move {
        let order = draft(&wanted, app.clock.now()).map_err(ApiError::invalid_fields)?;
        let tracking_token = token::new_tracking_token();
        let (at_the_door, delivery_pin) = at_the_door(&wanted, &tracking_token).await?;
        app.store.create_order(&order, &at_the_door, &token::hash(&tracking_token), &by).await?;
        app.orders.tell_dispatchers(&order);
        let created = OrderCreated {
            id: order.id,
            reference: order.reference,
            status: order.status,
            tracking_url: format!("{}/t/{tracking_token}", app.config.public_url),
            tracking_token,
            delivery_pin,
            created_at: order.created_at,
        };
        Ok((StatusCode::CREATED, created))
    })
    .await
}

/// What the order asks for at the door, and the PIN in clear when it asks for one.
pub(super) async fn at_the_door(
    wanted: &CreateOrder,
    tracking_token: &str,
) -> Result<(WantedProofs, Option<String>), ApiError> {
    let asked = wanted.proof.as_deref().unwrap_or_default();
    let kinds: Vec<_> = ProofKind::ALL.into_iter().filter(|kind| asked.contains(kind)).collect();
    if !kinds.contains(&ProofKind::Pin) {
        return Ok((WantedProofs { kinds, pin_hash: None }, None));
    }
    let pin = pin::of_token(tracking_token);
    let plain = pin.clone();
    let hash = tokio::task::spawn_blocking(move || password::hash(&plain)).await;
    let pin_hash = Some(hash.map_err(|error| ApiError::internal(&error))?);
    Ok((WantedProofs { kinds, pin_hash }, Some(pin)))
}

/// The new order that is wanted, or everything that is wrong with it.
pub(super) fn draft(wanted: &CreateOrder, now: DateTime<Utc>) -> Result<Order, Vec<FieldError>> {
    let mut errors = FieldErrors::default();
    errors.check_text(&wanted.reference, 100, "reference");
    errors.check_text(&wanted.customer.name, 100, "customer.name");
    errors.check_optional_text(wanted.customer.phone.as_deref(), 40, "customer.phone");
    errors.check_optional_text(wanted.customer.email.as_deref(), 254, "customer.email");
    let in_order = wanted.promised_from.zip(wanted.promised_until).is_none_or(|(from, until)| from <= until);
    errors.check(in_order, "promised_until", "must not be before promised_from");
    for (field, time) in [("promised_from", wanted.promised_from), ("promised_until", wanted.promised_until)] {
        errors.check(time.is_none_or(is_usable), field, "must have a year of four digits");
    }
    let pickup = check_place(&wanted.pickup, "pickup", &mut errors);
    let dropoff = check_place(&wanted.dropoff, "dropoff", &mut errors);
    let errors = errors.into_vec();
    let Some((pickup, dropoff)) = pickup.zip(dropoff).filter(|_| errors.is_empty()) else { return Err(errors) };
    Ok(Order {
        id: OrderId::new(),
        reference: wanted.reference.trim().to_owned(),
        status: OrderStatus::Created,
        status_at: now,
        pickup,
        dropoff,
        customer: wanted.customer.clone(),
        promised_from: wanted.promised_from,
        promised_until: wanted.promised_until,
        courier_id: None,
        assigned_at: None,
        feed_from: None,
        leg_from: None,
        created_at: now,
    })
}

fn check_place(place: &PlaceBody, field: &str, errors: &mut FieldErrors) -> Option<Waypoint> {
    errors.check_text(&place.address, 300, &format!("{field}.address"));
    errors.check_optional_text(place.instructions.as_deref(), 1_000, &format!("{field}.instructions"));
    let point = LatLon::try_new(place.lat, place.lon);
    let coordinate = if point == Err(CoordError::LonOutOfRange) { "lon" } else { "lat" };
    errors.check(point.is_ok(), &format!("{field}.{coordinate}"), "lat must be −90 to 90 and lon −180 to 180");
    let address = place.address.trim().to_owned();
    Some(Waypoint { point: point.ok()?, address, instructions: place.instructions.clone() })
}

/// Shows one order with its timeline.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = String, Path)),
    responses((status = 200, body = OrderView), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn show(app: Data<AppState>, request: HttpRequest, path: Path<String>) -> Result<HttpResponse, ApiError> {
    let by = Principal::require(&app, &request, Scope::OrdersRead).await?;
    let order = app.store.order(id_in(&path)?).await?.ok_or_else(ApiError::not_found)?;
    // When it arrives tells where the courier is.
    if order.courier_id.is_some() && order.status.is_active() {
        access::note(&app, &request, &by, AccessKind::Order, Some(*order.id.as_uuid()));
    }
    answer(&app, &order).await
}

/// Gives the order to a courier, or to another one.
#[utoipa::path(post, path = "/api/v1/orders/{id}/assign", tag = "orders", params(("id" = String, Path)),
    request_body = Assign,
    responses((status = 200, body = OrderView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn assign(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    bytes: RequestBody,
) -> Result<HttpResponse, ApiError> {
    let by = Principal::require(&app, &request, Scope::OrdersWrite).await?;
    let wanted: Assign = body::parse(&request, &bytes)?;
    let (id, orders, actor) = (id_in(&path)?, Arc::clone(&app.orders), by.actor());
    let assigning = async move { Ok(orders.assign(id, wanted.courier_id, &actor).await?) };
    let order = body::completed(&app, assigning).await?;
    answer(&app, &order).await
}

/// Moves the order on.
#[utoipa::path(post, path = "/api/v1/orders/{id}/status", tag = "orders", params(("id" = String, Path)),
    request_body = SetStatus,
    responses((status = 200, body = OrderView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn set_status(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    bytes: RequestBody,
) -> Result<HttpResponse, ApiError> {
    let by = Principal::require(&app, &request, Scope::OrdersWrite).await?;
    let wanted: SetStatus = body::parse(&request, &bytes)?;
    let mut errors = FieldErrors::default();
    errors.check_optional_text(wanted.note.as_deref(), 1_000, "note");
    errors.finish()?;
    let (id, orders, actor) = (id_in(&path)?, Arc::clone(&app.orders), by.actor());
    let changing = async move { Ok(orders.set_status(id, wanted.status, &actor, None, wanted.note.as_deref()).await?) };
    let outcome = body::completed(&app, changing).await?;
    let (Outcome::Changed(order) | Outcome::Unchanged(order)) = outcome;
    answer(&app, &order).await
}

async fn answer(app: &AppState, order: &Order) -> Result<HttpResponse, ApiError> {
    let timeline = app.store.order_timeline(order.id).await?;
    let expected_at = Estimates::new(&app.tracker, app.clock.now_ms()).expected_at(order);
    let proofs = super::proofs::views(app, order.id).await?;
    let wanted = app.store.proofs_wanted(&[order.id]).await?.remove(&order.id);
    let view = OrderView { expected_at, proof: wanted, proofs: Some(proofs), ..order.to_view(Some(timeline)) };
    Ok(body::json(StatusCode::OK, &view))
}

/// An id that is no id names nothing, so it is a 404 like any other unknown one.
fn id_in(path: &str) -> Result<OrderId, ApiError> {
    path.parse().map_err(|_| ApiError::not_found())
}
