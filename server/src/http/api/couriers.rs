//! Couriers over REST.

use actix_web::{HttpResponse, http::StatusCode, web::Query};
use doorstep_shared::{
    CourierId, Fix,
    api::{CourierView, CreateCourier, ListPage, PresenceView, console::AccessKind},
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    courier_work::{check_capacity, check_depot, check_shift, kept_skills},
    page,
};
use crate::{
    auth::{
        access_recorder::AccessRecorder,
        extract::Allowed,
        scope::{CouriersRead, CouriersWrite},
    },
    domain::{
        courier::{Courier, Work},
        fleet::FleetChange,
    },
    error::ApiError,
    http::{
        body::{
            field_errors::FieldErrors,
            idempotency::Idempotency,
            json::{JsonBody, json},
        },
        context::context,
        path::PathId,
    },
    live::broker::Broker,
    platform::clock::{Clock, from_ms},
    store::Store,
};

context! {
    /// What couriers' records work with.
    pub struct Records { store: Store, clock: Clock, broker: dyn Broker }
}

/// Register a courier.
#[utoipa::path(post, path = "/api/v1/couriers", operation_id = "createCourier", tag = "couriers",
    responses(
        (status = 201, body = CourierView, description = "The courier"),
        (status = 422, description = "Some fields are not valid"),
    ))]
pub async fn create(
    records: Records,
    by: Allowed<CouriersWrite>,
    once: Idempotency,
    body: JsonBody<CreateCourier>,
) -> Result<HttpResponse, ApiError> {
    let bytes = body.bytes();
    once.run(&by, &bytes, async move { Ok((StatusCode::CREATED, records.create(body.into_inner()).await?)) }).await
}

impl Records {
    async fn create(&self, wanted: CreateCourier) -> Result<CourierView, ApiError> {
        let mut errors = FieldErrors::default();
        errors.check_text(&wanted.name, 100, "name");
        errors.check_phone(wanted.phone.as_deref(), "phone");
        check_capacity(wanted.capacity, &mut errors);
        let skills = wanted.skills.unwrap_or_default();
        errors.check_words(&skills, "skills");
        check_shift(wanted.shift.as_ref(), &mut errors);
        check_depot(wanted.depot.as_ref(), &mut errors);
        errors.finish()?;
        let courier = Courier {
            id: CourierId::new(),
            name: wanted.name.trim().to_owned(),
            phone: wanted.phone,
            vehicle: wanted.vehicle,
            created_at: self.clock.now(),
            presence: None,
            work: Work {
                capacity: wanted.capacity,
                skills: kept_skills(&skills),
                shift: wanted.shift,
                depot: wanted.depot,
                archived_at: None,
            },
        };
        self.store.create_courier(&courier).await?;
        self.broker.publish_fleet(FleetChange::Courier((&courier).into()));
        Ok(view(&courier, None))
    }
}

/// How the list of couriers is asked for.
#[derive(Debug, Deserialize, IntoParams)]
pub struct CouriersQuery {
    /// Only couriers who are archived, instead of those who work here.
    #[param(required = false)]
    #[serde(default)]
    archived: bool,
    /// Where the page begins: the last page's `next_cursor`.
    #[param(min_length = 1, max_length = 500)]
    cursor: Option<String>,
    /// The most items on the page; 100 otherwise.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// List couriers with their newest fix and presence.
#[utoipa::path(get, path = "/api/v1/couriers", operation_id = "listCouriers", tag = "couriers",
    responses((status = 200, body = ListPage<CourierView>, description = "A page of couriers, by id")))]
pub async fn list(
    records: Records,
    by: Allowed<CouriersRead>,
    recorder: AccessRecorder,
    query: Query<CouriersQuery>,
) -> Result<HttpResponse, ApiError> {
    recorder.record(&by, AccessKind::Couriers, None);
    let limit = page::page_size(query.limit)?;
    let after = page::cursor(query.cursor.as_deref(), |cursor| cursor.parse().ok())?;
    let mut couriers = records.store.couriers_page(query.archived, after, limit as i64 + 1).await?;
    let next_cursor = page::cut(&mut couriers, limit, |courier| courier.id.to_string());
    let ids: Vec<_> = couriers.iter().map(|courier| courier.id).collect();
    let mut newest = records.store.newest_fix_of_each(&ids).await?;
    let items: Vec<_> = couriers.iter().map(|courier| view(courier, newest.remove(&courier.id))).collect();
    Ok(json(StatusCode::OK, &ListPage { items, next_cursor }))
}

/// Show one courier with their newest fix and presence.
#[utoipa::path(get, path = "/api/v1/couriers/{id}", operation_id = "getCourier", tag = "couriers",
    params(("id" = CourierId, Path, description = "The courier's id")),
    responses((status = 200, body = CourierView, description = "The courier")))]
pub async fn show(
    records: Records,
    by: Allowed<CouriersRead>,
    recorder: AccessRecorder,
    PathId(id): PathId<CourierId>,
) -> Result<HttpResponse, ApiError> {
    let courier = records.store.courier(id).await?.ok_or_else(ApiError::not_found)?;
    recorder.record(&by, AccessKind::Courier, Some(*courier.id.as_uuid()));
    let newest = records.store.newest_fix_of_each(&[courier.id]).await?.remove(&courier.id);
    Ok(json(StatusCode::OK, &view(&courier, newest)))
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
        capacity: courier.work.capacity,
        skills: Some(courier.work.skills.clone()).filter(|skills| !skills.is_empty()),
        shift: courier.work.shift,
        depot: courier.work.depot.clone(),
        archived_at: courier.work.archived_at,
    }
}
