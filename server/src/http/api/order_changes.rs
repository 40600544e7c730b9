//! Orders that change over REST: editing, taking back, trying again, reopening.

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};
use doorstep_shared::{
    OrderId,
    api::{
        OrderView,
        change::{EditCustomer, EditOrder, EditPlace, NextAttempt, Reopen, Unassign},
    },
};

use super::orders::Moving;
use crate::{
    auth::{
        extract::{Allowed, Person},
        scope::OrdersWrite,
    },
    domain::order::{MAX_SERVICE_S, MAX_SIZE},
    error::ApiError,
    http::{
        body::{
            field_errors::FieldErrors,
            json::{JsonBody, OptionalJson},
        },
        if_match::IfMatch,
        path::PathId,
    },
    platform::clock::is_usable,
};

/// Change an order's fields.
///
/// A field that is left out stays as it is. Which fields may change depends on the order's status: the pickup, the size and
/// the requirements until it is collected, everything else until it is over, and after a failure everything but the
/// pickup. A field that is sent with the value it has is no change.
#[utoipa::path(patch, path = "/api/v1/orders/{id}", operation_id = "editOrder", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id")),
    responses(
        (status = 200, body = OrderView, description = "The order as it is now",
            headers(("ETag" = String, description = "The order's version, for `If-Match`"))),
        (status = 409, description = "`not_editable`: the order's status does not allow some of the changes; `details` \
            say which, and what may be changed"),
        (status = 422, description = "Some fields are not valid"),
    ))]
pub async fn edit(
    moving: Moving,
    by: Allowed<OrdersWrite>,
    PathId(id): PathId<OrderId>,
    IfMatch(seen): IfMatch,
    body: JsonBody<EditOrder>,
) -> Result<HttpResponse, ApiError> {
    check_edit(&body)?;
    let (orders, actor, wanted) = (moving.orders(), by.actor(), body.into_inner());
    let editing = async move { orders.edit(id, &wanted, &actor, &seen).await.map_err(ApiError::of_precondition) };
    moving.complete(editing).await
}

fn check_edit(wanted: &EditOrder) -> Result<(), ApiError> {
    let mut errors = FieldErrors::default();
    errors.check_optional_text(wanted.reference.as_deref(), 100, "reference");
    check_place(wanted.pickup.as_ref(), "pickup", &mut errors);
    check_place(wanted.dropoff.as_ref(), "dropoff", &mut errors);
    let has_phone = wanted.dropoff.as_ref().is_some_and(|dropoff| given(&dropoff.phone).is_some());
    errors.check(!has_phone, "dropoff.phone", "the customer's number belongs in customer.phone");
    if let Some(EditCustomer { name, phone, email }) = &wanted.customer {
        errors.check_optional_text(name.as_deref(), 100, "customer.name");
        errors.check_phone(given(phone), "customer.phone");
        errors.check_email(given(email), "customer.email");
    }
    check_times([wanted.promised_from.flatten(), wanted.promised_until.flatten()], &mut errors);
    errors.check(wanted.size.is_none_or(|size| (1..=MAX_SIZE).contains(&size)), "size", "must be 1 to 100000");
    let in_range = wanted.service_s.flatten().is_none_or(|seconds| seconds <= MAX_SERVICE_S);
    errors.check(in_range, "service_s", "must be 0 to 14400");
    errors.check_words(wanted.requires.as_deref().unwrap_or_default(), "requires");
    check_removable(&wanted.note, 1_000, "note", &mut errors);
    errors.finish()
}

fn check_place(wanted: Option<&EditPlace>, field: &str, errors: &mut FieldErrors) {
    let Some(EditPlace { lat, lon, address, instructions, phone }) = wanted else { return };
    match (lat, lon) {
        (Some(lat), Some(lon)) => {
            errors.check_point(*lat, *lon, field);
        }
        (None, None) => {}
        (Some(_), None) => errors.check(false, &format!("{field}.lon"), "lat and lon change together"),
        (None, Some(_)) => errors.check(false, &format!("{field}.lat"), "lat and lon change together"),
    }
    errors.check_optional_text(address.as_deref(), 300, &format!("{field}.address"));
    check_removable(instructions, 1_000, &format!("{field}.instructions"), errors);
    errors.check_phone(given(phone), &format!("{field}.phone"));
}

/// The text; `null` and the empty text remove the field.
fn given(text: &Option<Option<String>>) -> Option<&str> {
    text.iter().flatten().map(String::as_str).find(|text| !text.trim().is_empty())
}

fn check_removable(text: &Option<Option<String>>, max: usize, field: &str, errors: &mut FieldErrors) {
    errors.check_optional_text(given(text), max, field);
}

fn check_times(window: [Option<DateTime<Utc>>; 2], errors: &mut FieldErrors) {
    for (field, time) in ["promised_from", "promised_until"].into_iter().zip(window) {
        errors.check(time.is_none_or(is_usable), field, "must have a year of four digits");
    }
}

/// Take an order from its courier before they have collected it.
#[utoipa::path(post, path = "/api/v1/orders/{id}/unassign", operation_id = "unassignOrder", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id")),
    responses(
        (status = 200, body = OrderView, description = "The order as it is now",
            headers(("ETag" = String, description = "The order's version, for `If-Match`"))),
        (status = 409, description = "No courier has it, or they have collected it (`invalid_transition`), or it changed \
            after the caller saw it (`version_conflict`)"),
        (status = 422, description = "The reason is not valid"),
    ))]
pub async fn unassign(
    moving: Moving,
    by: Allowed<OrdersWrite>,
    PathId(id): PathId<OrderId>,
    OptionalJson(Unassign { reason, version }): OptionalJson<Unassign>,
) -> Result<HttpResponse, ApiError> {
    let mut errors = FieldErrors::default();
    errors.check_optional_text(reason.as_deref(), 1_000, "reason");
    errors.finish()?;
    let (orders, actor) = (moving.orders(), by.actor());
    let taking = async move { Ok(orders.unassign(id, &actor, reason.as_deref(), version).await?) };
    moving.complete(taking).await
}

/// Begin another attempt to deliver a failed order.
///
/// Reference, links, PIN and history stay; the old promised window ends. Goods on board come along when another courier
/// tries: the couriers meet.
#[utoipa::path(post, path = "/api/v1/orders/{id}/attempts", operation_id = "tryOrderAgain", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id")),
    responses(
        (status = 200, body = OrderView, description = "The order as it is now",
            headers(("ETag" = String, description = "The order's version, for `If-Match`"))),
        (status = 404, description = "There is no such order, or no such courier"),
        (status = 409, description = "The order has not failed (`invalid_transition`), or it changed after the caller saw \
            it (`version_conflict`)"),
        (status = 422, description = "Some fields are not valid, or the order has no courier and none is named"),
    ))]
pub async fn try_again(
    moving: Moving,
    by: Allowed<OrdersWrite>,
    PathId(id): PathId<OrderId>,
    OptionalJson(wanted): OptionalJson<NextAttempt>,
) -> Result<HttpResponse, ApiError> {
    let (orders, actor) = (moving.orders(), by.actor());
    let mut errors = FieldErrors::default();
    check_times([wanted.promised_from, wanted.promised_until], &mut errors);
    let in_order = wanted.promised_from.zip(wanted.promised_until).is_none_or(|(from, until)| from <= until);
    errors.check(in_order, "promised_until", "must not be before promised_from");
    errors.finish()?;
    let trying = async move { Ok(orders.try_again(id, &wanted, &actor).await?) };
    moving.complete(trying).await
}

/// Correct a final status that was a mistake.
///
/// The order is as it was before its end, and its links live again. Without a courier who still works here it waits for one.
#[utoipa::path(post, path = "/api/v1/orders/{id}/reopen", operation_id = "reopenOrder", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id")),
    responses(
        (status = 200, body = OrderView, description = "The order as it is now",
            headers(("ETag" = String, description = "The order's version, for `If-Match`"))),
        (status = 409, description = "The order is not over, or has been for too long (`not_reopenable`), or it changed \
            after the caller saw it (`version_conflict`)"),
        (status = 422, description = "The reason is not valid"),
    ))]
pub async fn reopen(
    moving: Moving,
    by: Person,
    PathId(id): PathId<OrderId>,
    body: JsonBody<Reopen>,
) -> Result<HttpResponse, ApiError> {
    let Reopen { reason, version } = body.into_inner();
    let mut errors = FieldErrors::default();
    errors.check_text(&reason, 1_000, "reason");
    errors.finish()?;
    let (orders, actor) = (moving.orders(), by.actor());
    let reopening = async move { Ok(orders.reopen(id, &reason, &actor, version).await?) };
    moving.complete(reopening).await
}
