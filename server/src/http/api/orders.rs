//! Orders over REST.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use chrono::{DateTime, Utc};
use doorstep_shared::{
    OrderId, OrderStatus,
    api::{Assign, CreateOrder, OrderCreated, OrderView, PlaceBody, SetStatus, console::AccessKind, proof::ProofKind},
    problem::FieldError,
};

use super::proofs;
use crate::{
    auth::{
        access_recorder::AccessRecorder,
        extract::Allowed,
        scope::{OrdersRead, OrdersWrite},
    },
    domain::{
        order::{Actor, Demands, MAX_SERVICE_S, MAX_SIZE, Order, Seen, Waypoint},
        proof::pin,
    },
    error::ApiError,
    http::{
        body::{
            field_errors::FieldErrors,
            idempotency::{Idempotency, completed},
            json::{JsonBody, json},
        },
        context::context,
        if_match::with_etag,
        path::PathId,
    },
    live::tracker::Tracker,
    platform::{
        clock::{Clock, is_usable},
        config::Config,
        password,
        tasks::Tasks,
        token,
    },
    service::{
        areas::Areas,
        orders::{
            lifecycle::{Orders, Outcome, StatusReport},
            risk::Estimates,
        },
    },
    store::{Store, new_orders::WantedProofs},
};

/// The version of an order that nobody changed yet.
const FIRST_VERSION: u64 = 1;

context! {
    /// What creating orders works with.
    pub struct Creating { store: Store, orders: Orders, clock: Clock, config: Config }
}

/// Create an order and its tracking link.
#[utoipa::path(post, path = "/api/v1/orders", operation_id = "createOrder", tag = "orders",
    responses(
        (status = 201, body = OrderCreated, description = "The order. Its tracking token is shown this once",
            headers(("ETag" = String, description = "The order's version, for `If-Match`"))),
        (status = 422, description = "Some fields are not valid"),
    ))]
pub async fn create(
    creating: Creating,
    by: Allowed<OrdersWrite>,
    once: Idempotency,
    body: JsonBody<CreateOrder>,
) -> Result<HttpResponse, ApiError> {
    let (actor, bytes) = (by.actor(), body.bytes());
    let creation = async move { Ok((StatusCode::CREATED, creating.create(&body, &actor).await?)) };
    Ok(with_etag(once.run(&by, &bytes, creation).await?, FIRST_VERSION))
}

impl Creating {
    async fn create(&self, wanted: &CreateOrder, by: &Actor) -> Result<OrderCreated, ApiError> {
        let order = draft(wanted, self.clock.now()).map_err(ApiError::invalid_fields)?;
        let tracking_token = token::new_tracking_token();
        let (at_the_door, delivery_pin) = at_the_door(wanted, &tracking_token).await?;
        self.store.create_order(&order, &at_the_door, &token::hash(&tracking_token), by).await?;
        self.orders.tell_dispatchers(&order);
        Ok(OrderCreated {
            id: order.id,
            reference: order.reference,
            status: order.status,
            tracking_url: format!("{}/t/{tracking_token}", self.config.public_url),
            tracking_token,
            delivery_pin,
            created_at: order.created_at,
        })
    }
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
    let pin_hash = Some(password::hash_pin(pin.clone()).await.map_err(|error| ApiError::internal(&error))?);
    Ok((WantedProofs { kinds, pin_hash }, Some(pin)))
}

/// The new order that is wanted, or everything that is wrong with it.
pub(super) fn draft(wanted: &CreateOrder, now: DateTime<Utc>) -> Result<Order, Vec<FieldError>> {
    let mut errors = FieldErrors::default();
    errors.check_text(&wanted.reference, 100, "reference");
    errors.check_text(&wanted.customer.name, 100, "customer.name");
    errors.check_phone(wanted.customer.phone.as_deref(), "customer.phone");
    errors.check_email(wanted.customer.email.as_deref(), "customer.email");
    let in_order = wanted.promised_from.zip(wanted.promised_until).is_none_or(|(from, until)| from <= until);
    errors.check(in_order, "promised_until", "must not be before promised_from");
    for (field, time) in [("promised_from", wanted.promised_from), ("promised_until", wanted.promised_until)] {
        errors.check(time.is_none_or(is_usable), field, "must have a year of four digits");
    }
    let demands = check_demands(wanted, &mut errors);
    errors.check(wanted.dropoff.phone.is_none(), "dropoff.phone", "the customer's number belongs in customer.phone");
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
        version: FIRST_VERSION,
        attempt: 1,
        demands,
        carried_by: None,
        seen: Seen::default(),
    })
}

fn check_demands(wanted: &CreateOrder, errors: &mut FieldErrors) -> Demands {
    let size = wanted.size.unwrap_or(1);
    errors.check((1..=MAX_SIZE).contains(&size), "size", "must be 1 to 100000");
    let in_range = wanted.service_s.is_none_or(|seconds| seconds <= MAX_SERVICE_S);
    errors.check(in_range, "service_s", "must be 0 to 14400");
    errors.check_optional_text(wanted.note.as_deref(), 1_000, "note");
    let requires = wanted.requires.clone().unwrap_or_default();
    errors.check_words(&requires, "requires");
    Demands { size, service_s: wanted.service_s, requires, note: wanted.note.clone() }
}

pub(super) fn check_place(place: &PlaceBody, field: &str, errors: &mut FieldErrors) -> Option<Waypoint> {
    errors.check_text(&place.address, 300, &format!("{field}.address"));
    errors.check_optional_text(place.instructions.as_deref(), 1_000, &format!("{field}.instructions"));
    let point = errors.check_point(place.lat, place.lon, field);
    errors.check_phone(place.phone.as_deref(), &format!("{field}.phone"));
    let address = place.address.trim().to_owned();
    Some(Waypoint { point: point?, address, instructions: place.instructions.clone(), phone: place.phone.clone() })
}

context! {
    /// What showing an order and moving it on works with.
    pub struct Moving { store: Store, orders: Orders, tracker: Tracker, areas: Areas, clock: Clock, tasks: Tasks }
}

/// Show one order with its timeline and its proofs.
#[utoipa::path(get, path = "/api/v1/orders/{id}", operation_id = "getOrder", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id")),
    responses((status = 200, body = OrderView, description = "The order",
        headers(("ETag" = String, description = "The order's version, for `If-Match`")))))]
pub async fn show(
    moving: Moving,
    by: Allowed<OrdersRead>,
    recorder: AccessRecorder,
    PathId(id): PathId<OrderId>,
) -> Result<HttpResponse, ApiError> {
    let order = moving.store.order(id).await?.ok_or_else(ApiError::not_found)?;
    // When it arrives tells where the courier is.
    if order.courier_id.is_some() && order.status.is_active() {
        recorder.record(&by, AccessKind::Order, Some(*order.id.as_uuid()));
    }
    moving.answer(&order).await
}

/// Give the order to a courier, or to another one.
#[utoipa::path(post, path = "/api/v1/orders/{id}/assign", operation_id = "assignOrder", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id")),
    responses(
        (status = 200, body = OrderView, description = "The order as it is now",
            headers(("ETag" = String, description = "The order's version, for `If-Match`"))),
        (status = 404, description = "There is no such order, or no such courier"),
        (status = 409, description = "The order cannot be assigned any more (`invalid_transition`), or it changed after the \
            caller saw it (`version_conflict`)"),
    ))]
pub async fn assign(
    moving: Moving,
    by: Allowed<OrdersWrite>,
    PathId(id): PathId<OrderId>,
    body: JsonBody<Assign>,
) -> Result<HttpResponse, ApiError> {
    let (orders, actor, Assign { courier_id, version }) = (moving.orders(), by.actor(), body.into_inner());
    let assigning = async move { Ok(orders.assign(id, courier_id, &actor, version).await?) };
    moving.complete(assigning).await
}

/// Move the order on.
#[utoipa::path(post, path = "/api/v1/orders/{id}/status", operation_id = "setOrderStatus", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id")),
    responses(
        (status = 200, body = OrderView, description = "The order as it is now",
            headers(("ETag" = String, description = "The order's version, for `If-Match`"))),
        (status = 409, description = "The order cannot take that status now (`invalid_transition`), or it changed after the \
            caller saw it (`version_conflict`)"),
        (status = 422, description = "The note is not valid"),
    ))]
pub async fn set_status(
    moving: Moving,
    by: Allowed<OrdersWrite>,
    PathId(id): PathId<OrderId>,
    body: JsonBody<SetStatus>,
) -> Result<HttpResponse, ApiError> {
    let SetStatus { status: to, note, version } = body.into_inner();
    let mut errors = FieldErrors::default();
    errors.check_optional_text(note.as_deref(), 1_000, "note");
    errors.finish()?;
    let (orders, actor) = (moving.orders(), by.actor());
    let changing = async move {
        let report = StatusReport { to, by: &actor, happened_ms: None, note: note.as_deref(), version };
        let (Outcome::Changed(order) | Outcome::Unchanged(order)) = orders.set_status(id, &report).await?;
        Ok(order)
    };
    moving.complete(changing).await
}

impl Moving {
    /// The use cases.
    pub(super) fn orders(&self) -> Data<Orders> {
        self.orders.clone()
    }

    /// Sees a change through, also when the client hangs up, and shows the order as it is then.
    pub(super) async fn complete(
        &self,
        changing: impl Future<Output = Result<Order, ApiError>> + Send + 'static,
    ) -> Result<HttpResponse, ApiError> {
        self.answer(&completed(&self.tasks, changing).await?).await
    }

    /// The order with what only the live view and the other tables know.
    async fn answer(&self, order: &Order) -> Result<HttpResponse, ApiError> {
        let timeline = self.store.order_timeline(order.id).await?;
        let mut estimates = Estimates::new(&self.tracker, self.clock.now_ms());
        let (expected_at, sequence) = (estimates.expected_at(order), estimates.sequence(order));
        let proofs = proofs::views(&self.store, order.id).await?;
        let wanted = self.store.proofs_wanted(&[order.id]).await?.remove(&order.id);
        let outside = self.areas.current().is_outside([order.pickup.point, order.dropoff.point]);
        let view = OrderView {
            expected_at,
            sequence,
            proof: wanted,
            outside_area: outside.then_some(true),
            proofs: Some(proofs),
            ..order.to_view(Some(timeline))
        };
        Ok(with_etag(json(StatusCode::OK, &view), order.version))
    }
}
