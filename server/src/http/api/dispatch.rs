//! What a dispatcher does with one order or courier, beyond moving the order on.

use actix_web::{HttpResponse, http::StatusCode, web::Query};
use doorstep_shared::{
    CourierId, OrderId,
    api::{
        CourierView,
        console::{AccessKind, CourierSuggestion, EditCourier, TrackingLink},
    },
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    courier_work::{check_capacity, check_depot, check_shift, kept_skills},
    couriers,
};
use crate::{
    auth::{
        access_recorder::AccessRecorder,
        extract::Allowed,
        scope::{CouriersRead, CouriersWrite, OrdersRead, OrdersWrite},
    },
    domain::{courier::Courier, fleet::FleetChange, order::Actor},
    error::ApiError,
    http::{
        body::{
            bytes::RequestBody,
            field_errors::FieldErrors,
            idempotency::{Idempotency, completed},
            json::{JsonBody, json},
        },
        context::context,
        path::PathId,
    },
    live::broker::Broker,
    platform::{clock::Clock, config::Config, qr, tasks::Tasks, token},
    service::{devices::Devices, orders::plans::Plans, suggestions::Suggestions},
    store::{Store, couriers::CourierEdit},
};

const DEFAULT_SUGGESTIONS: usize = 5;
const MAX_SUGGESTIONS: usize = 50;

/// How suggestions are asked for.
#[derive(Debug, Deserialize, IntoParams)]
pub struct SuggestionsQuery {
    /// The most couriers to suggest; 5 otherwise.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<usize>,
}

context! {
    /// What suggesting couriers works with.
    pub struct Suggesting { store: Store, suggestions: Suggestions }
}

/// Suggest who could take the order, the best first.
///
/// It tells where couriers are, so a key needs `couriers:read`, too.
#[utoipa::path(get, path = "/api/v1/orders/{id}/suggestions", operation_id = "suggestCouriers", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id")),
    responses((status = 200, body = Vec<CourierSuggestion>, description = "Couriers, the best first")))]
pub async fn suggestions(
    suggesting: Suggesting,
    by: Allowed<(OrdersRead, CouriersRead)>,
    recorder: AccessRecorder,
    PathId(id): PathId<OrderId>,
    query: Query<SuggestionsQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_SUGGESTIONS);
    if !(1..=MAX_SUGGESTIONS).contains(&limit) {
        return Err(ApiError::bad_request(format!("limit must be 1 to {MAX_SUGGESTIONS}")));
    }
    let order = suggesting.store.order(id).await?.ok_or_else(ApiError::not_found)?;
    recorder.record(&by, AccessKind::Couriers, None);
    Ok(json(StatusCode::OK, &suggesting.suggestions.for_order(&order, limit).await?))
}

context! {
    /// What giving out tracking links works with.
    pub struct Links { store: Store, clock: Clock, config: Config }
}

/// Make one more tracking link of the order; those given out before go on working.
///
/// The page behind it shows no delivery PIN: the first link showed that to the customer.
#[utoipa::path(post, path = "/api/v1/orders/{id}/tracking-link", operation_id = "createTrackingLink", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id")),
    responses((status = 201, body = TrackingLink, description = "The link, with a QR code of it")))]
pub async fn tracking_link(
    links: Links,
    by: Allowed<OrdersWrite>,
    PathId(order): PathId<OrderId>,
    once: Idempotency,
    body: RequestBody,
) -> Result<HttpResponse, ApiError> {
    let actor = by.actor();
    once.run(&by, &body, async move { Ok((StatusCode::CREATED, links.create(order, &actor).await?)) }).await
}

impl Links {
    async fn create(&self, order: OrderId, by: &Actor) -> Result<TrackingLink, ApiError> {
        let tracking_token = token::new_tracking_token();
        let hash = token::hash(&tracking_token);
        if !self.store.add_tracking_link(order, &hash, by, self.clock.now()).await? {
            return Err(ApiError::not_found());
        }
        let tracking_url = format!("{}/t/{tracking_token}", self.config.public_url);
        let qr_svg = qr::svg(&tracking_url).ok_or_else(|| ApiError::internal(&"a link too long for a QR code"))?;
        Ok(TrackingLink { tracking_token, tracking_url, qr_svg })
    }
}

context! {
    /// What changing couriers works with.
    pub struct Editing { store: Store, devices: Devices, plans: Plans, broker: dyn Broker, tasks: Tasks }
}

/// Change what is known about a courier, archive them or restore them.
///
/// `"archived": true` asks that the courier has no open order and no goods on board (409 `has_open_orders`). Their
/// devices, sessions and sign-in links stop working for good, their sockets are closed with 4500, and they leave lists,
/// suggestions and the live fleet; what they did stays in orders' histories. `"archived": false` brings them back
/// without a device.
#[utoipa::path(patch, path = "/api/v1/couriers/{id}", operation_id = "editCourier", tag = "couriers",
    params(("id" = CourierId, Path, description = "The courier's id")),
    responses(
        (status = 200, body = CourierView, description = "The courier as they are now"),
        (status = 409, description = "The courier has open orders, or goods on board"),
        (status = 422, description = "Some fields are not valid"),
    ))]
pub async fn edit_courier(
    editing: Editing,
    _: Allowed<CouriersWrite>,
    PathId(courier): PathId<CourierId>,
    body: JsonBody<EditCourier>,
) -> Result<HttpResponse, ApiError> {
    let wanted = body.into_inner();
    check_edit(&wanted)?;
    let editor = editing.clone();
    let changed = completed(&editing.tasks, async move { editor.edit(courier, &wanted).await }).await?;
    let newest = editing.store.newest_fix_of_each(&[courier]).await?.remove(&courier);
    Ok(json(StatusCode::OK, &couriers::view(&changed, newest)))
}

fn check_edit(wanted: &EditCourier) -> Result<(), ApiError> {
    let mut errors = FieldErrors::default();
    errors.check_optional_text(wanted.name.as_deref(), 100, "name");
    errors.check_phone(wanted.phone.as_deref().filter(|phone| !phone.is_empty()), "phone");
    check_capacity(wanted.capacity.flatten(), &mut errors);
    errors.check_words(wanted.skills.as_deref().unwrap_or_default(), "skills");
    check_shift(wanted.shift.as_ref().and_then(Option::as_ref), &mut errors);
    check_depot(wanted.depot.as_ref().and_then(Option::as_ref), &mut errors);
    errors.finish()
}

impl Editing {
    async fn edit(&self, courier: CourierId, wanted: &EditCourier) -> Result<Courier, ApiError> {
        match wanted.archived {
            // First: when it is refused, nothing else has changed.
            Some(true) => self.devices.archive(courier).await?,
            Some(false) => self.store.restore_courier(courier).await?,
            None => {}
        }
        let skills = wanted.skills.as_deref().map(kept_skills);
        let edit = CourierEdit {
            name: wanted.name.as_deref().map(str::trim),
            phone: wanted.phone.as_deref().map(|phone| Some(phone).filter(|phone| !phone.is_empty())),
            vehicle: wanted.vehicle,
            capacity: wanted.capacity,
            skills: skills.as_deref(),
            shift: wanted.shift,
            depot: wanted.depot.as_ref().map(Option::as_ref),
        };
        let changed = self.store.edit_courier(courier, edit).await?.ok_or_else(ApiError::not_found)?;
        if changed.work.archived_at.is_none() {
            self.broker.publish_fleet(FleetChange::Courier((&changed).into()));
        }
        // The live view needs what they ride for arrival times.
        self.plans.refresh(courier).await;
        Ok(changed)
    }
}
