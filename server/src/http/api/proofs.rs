//! Proofs of delivery over HTTP: phones send them, and those who may see the order see them.

use std::time::Duration;

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Path, Payload, Query},
};
use doorstep_shared::{
    OrderId, OrderStatus,
    api::{
        console::AccessKind,
        proof::{MAX_PHOTO_BYTES, ProofBody, ProofView},
    },
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    auth::{
        access::Access, access_recorder::AccessRecorder, authenticator::Authenticator, courier::CourierDevice,
        extract::Allowed, registered::registered, scope::OrdersRead,
    },
    domain::{order::link::LinkedOrder, proof::Proof},
    error::ApiError,
    http::{
        body::{
            bytes::{self, MAX_BODY_BYTES},
            json::{json, parse},
        },
        context::context,
        describe::{Describe, Description, describe_tracking_link},
        openapi::schemas::Binary,
        path::PathIds,
    },
    live::accepted::Rank,
    platform::{clock::Clock, config::Config, token},
    service::proofs::{Given, Proofs, Received, uploads::Uploads},
    store::Store,
};

/// A slow phone on a poor network gets this long for one photo.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(300);

/// A signature or a PIN is small, and takes no upload's place.
const WORDS_PATIENCE: Duration = Duration::from_secs(60);

/// Both may be silent for this long in between.
const SILENCE_PATIENCE: Duration = Duration::from_secs(30);

/// JSON with as many points as a signature may have.
const MAX_SIGNATURE_BYTES: usize = 96 * 1024;

/// What stands behind the `?` of a photo's address.
#[derive(Debug, Deserialize, IntoParams)]
pub struct PhotoQuery {
    /// When a photo was taken, Unix epoch milliseconds.
    taken_ms: Option<i64>,
}

context! {
    /// What taking proofs in works with.
    pub struct Receiving { proofs: Proofs, uploads: Uploads }
}

/// Keep a proof of the courier's own order.
///
/// A photo is the body as it is, `image/jpeg`, `image/png` or `image/webp`, at most 8 MiB; a signature or a PIN comes as
/// JSON. The phone chooses the proof's id, so that a repeat is harmless.
#[utoipa::path(put, path = "/api/v1/courier/orders/{order_id}/proofs/{proof_id}", operation_id = "putProof",
    tag = "courier",
    params(("order_id" = OrderId, Path, description = "The order's id"),
        ("proof_id" = Uuid, Path, description = "An id that the phone chose")),
    request_body(description = "A signature, a PIN or a photo", content(
        (ProofBody = "application/json"),
        (inline(Binary) = "image/jpeg"),
        (inline(Binary) = "image/png"),
        (inline(Binary) = "image/webp"),
    )),
    responses(
        (status = 200, body = ProofView, description = "The proof, which was there already"),
        (status = 201, body = ProofView, description = "The proof"),
        (status = 400, description = "The request could not be read"),
        (status = 408, description = "The body came too slowly; the same may be sent again"),
        (status = 409, description = "The order takes no such proof now, the id is another proof's, or the PIN is wrong"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "The body is no photo and no JSON, or is compressed"),
        (status = 422, description = "The picture is damaged or has too many pixels, or a field is not valid"),
        (status = 429, description = "Too many wrong PINs, or too many unknown secrets from this network"),
    ))]
pub async fn put(
    receiving: Receiving,
    request: HttpRequest,
    device: CourierDevice,
    PathIds(order, id): PathIds<OrderId, Uuid>,
    query: Query<PhotoQuery>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let courier = device.courier.id;
    receiving.proofs.check_courier(courier, order).await?;
    // Words are few and come at once; photos are in memory until they are kept.
    let take = || receiving.uploads.take(device.device).ok_or_else(ApiError::unavailable);
    let _place = is_photo(&request).then(take).transpose()?;
    let given = read(&request, payload, query.taken_ms).await?;
    let received = receiving.proofs.receive(courier, order, id, given).await?;
    let (status, proof) = match &received {
        Received::New(proof) => (StatusCode::CREATED, proof),
        Received::Again(proof) => (StatusCode::OK, proof),
    };
    Ok(json(status, &proof.to_view(&format!("/api/v1/courier/orders/{order}/proofs"))))
}

/// Reads what a phone sent, never more than it may send.
async fn read(request: &HttpRequest, payload: Payload, taken_ms: Option<i64>) -> Result<Given, ApiError> {
    let is_photo = is_photo(request);
    let (limit, patience) = match is_photo {
        true => (MAX_PHOTO_BYTES, UPLOAD_PATIENCE),
        false => (MAX_BODY_BYTES.max(MAX_SIGNATURE_BYTES), WORDS_PATIENCE),
    };
    let reading = bytes::read(request, payload.into_inner(), limit, Some(SILENCE_PATIENCE));
    let bytes = tokio::time::timeout(patience, reading).await.map_err(|_| ApiError::too_slow())??;
    match is_photo {
        true => Ok(Given::Photo { bytes: bytes.into(), taken_ms }),
        false => parse(request, &bytes).map(Given::Words),
    }
}

fn is_photo(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("image/"))
}

context! {
    /// What showing pictures works with.
    pub struct Pictures { store: Store, proofs: Proofs, clock: Clock, config: Config }
}

/// Show a proof's picture to the courier who brings the order.
#[utoipa::path(get, path = "/api/v1/courier/orders/{order_id}/proofs/{proof_id}/image", operation_id = "getOwnProofImage",
    tag = "courier",
    params(("order_id" = OrderId, Path, description = "The order's id"),
        ("proof_id" = Uuid, Path, description = "The proof's id")),
    responses((status = 200, description = "A photo, or a drawn signature",
        content((inline(Binary) = "image/jpeg"), (String = "image/svg+xml")))))]
pub async fn courier_image(
    pictures: Pictures,
    device: CourierDevice,
    PathIds(order, id): PathIds<OrderId, Uuid>,
) -> Result<HttpResponse, ApiError> {
    let at = pictures.store.at_the_door(order).await?.ok_or_else(ApiError::not_found)?;
    if at.courier != Some(device.courier.id) {
        return Err(ApiError::not_found());
    }
    pictures.image(order, id).await
}

/// Show a proof's picture to dispatchers and programs.
#[utoipa::path(get, path = "/api/v1/orders/{id}/proofs/{proof_id}/image", operation_id = "getProofImage", tag = "orders",
    params(("id" = OrderId, Path, description = "The order's id"),
        ("proof_id" = Uuid, Path, description = "The proof's id")),
    responses((status = 200, description = "A photo, or a drawn signature",
        content((inline(Binary) = "image/jpeg"), (String = "image/svg+xml")))))]
pub async fn order_image(
    pictures: Pictures,
    by: Allowed<OrdersRead>,
    recorder: AccessRecorder,
    PathIds(order, id): PathIds<OrderId, Uuid>,
) -> Result<HttpResponse, ApiError> {
    recorder.record(&by, AccessKind::Proof, Some(*order.as_uuid()));
    pictures.image(order, id).await
}

/// The order behind the tracking link in a path that also names a proof, whether or not it is over.
pub struct LinkedProof {
    linked: LinkedOrder,
    proof: String,
}

impl Describe for LinkedProof {
    const ACCESS: Option<Access> = Some(Access::TrackingLink);

    fn describe(description: &mut Description) {
        describe_tracking_link(description);
    }
}

impl FromRequest for LinkedProof {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let path = Path::<(String, String)>::extract(&request).await.map_err(|_| ApiError::not_found())?;
            let (token, proof) = path.into_inner();
            let (authenticator, store) = (registered::<Authenticator>(&request)?, registered::<Store>(&request)?);
            let hash = token::hash(&token);
            let looking = store.order_by_tracking_token(&hash);
            let found = authenticator.look_up(&request, Rank::Customer, ApiError::too_many_attempts, looking).await?;
            Ok(Self { linked: found.ok_or_else(ApiError::unknown_link)?, proof })
        }
        .boxed_local()
    }
}

/// Show a proof's picture to the customer: once the order was handed over or not, and while its outcome is shown.
#[utoipa::path(get, path = "/api/v1/track/{token}/proofs/{proof_id}/image", operation_id = "getTrackedProofImage",
    tag = "track",
    params(("token" = String, Path, description = "The tracking token"),
        ("proof_id" = Uuid, Path, description = "The proof's id")),
    responses(
        (status = 200, description = "A photo, or a drawn signature",
            content((inline(Binary) = "image/jpeg"), (String = "image/svg+xml"))),
        (status = 404, description = "No order has this link, or it has no such proof to show"),
        (status = 410, description = "The outcome is not shown any more"),
    ))]
pub async fn track_image(pictures: Pictures, linked: LinkedProof) -> Result<HttpResponse, ApiError> {
    let LinkedProof { linked, proof } = linked;
    if !is_shown_to_customer(linked.status) {
        return Err(ApiError::not_found());
    }
    if linked.is_closed(pictures.config.settings.outcome(), pictures.clock.now()) {
        return Err(ApiError::tracking_ended(linked.status));
    }
    pictures.image(linked.order, proof.parse().map_err(|_| ApiError::not_found())?).await
}

/// The customer sees what was brought back when the visit to their door is over.
pub fn is_shown_to_customer(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Delivered | OrderStatus::Failed | OrderStatus::Returned)
}

impl Pictures {
    async fn image(&self, order: OrderId, id: Uuid) -> Result<HttpResponse, ApiError> {
        let stored = self.store.proof(id).await?.filter(|stored| stored.order == order);
        let proof = stored.ok_or_else(ApiError::not_found)?.proof;
        let (bytes, media_type) = self.proofs.picture(&proof).await?.ok_or_else(ApiError::not_found)?;
        Ok(HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, media_type))
            .insert_header((header::CACHE_CONTROL, "private, no-store"))
            .insert_header((header::CONTENT_DISPOSITION, "inline"))
            // It is ours, but opened on its own it is still a document: nothing in it may run or load.
            .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"))
            .body(bytes))
    }
}

/// What was brought back from an order's door, with pictures for dispatchers and API keys.
pub async fn views(store: &Store, order: OrderId) -> Result<Vec<ProofView>, ApiError> {
    let base = format!("/api/v1/orders/{order}/proofs");
    Ok(store.proofs_of(order).await?.iter().map(|proof: &Proof| proof.to_view(&base)).collect())
}
