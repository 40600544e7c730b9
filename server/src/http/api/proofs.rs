//! Proofs of delivery over HTTP: phones send them, and those who may see the order see them.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path, Payload, Query},
};
use doorstep_shared::{
    OrderId, OrderStatus,
    api::{
        console::AccessKind,
        proof::{MAX_PHOTO_BYTES, ProofBody, ProofView},
    },
    problem::Problem,
};
use futures_util::StreamExt;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    auth::{
        courier::identify_courier,
        look_up::look_up,
        principal::{Principal, Scope},
    },
    domain::proof::Proof,
    error::ApiError,
    http::{
        access,
        body::{self, MAX_BODY_BYTES},
    },
    platform::token,
    service::proofs::{Given, Received},
    state::AppState,
};

/// A slow phone on a poor network gets this long for one photo.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(300);

/// A signature is small, and takes nobody's place.
const WORDS_PATIENCE: Duration = Duration::from_secs(60);

/// Both may be silent for this long in between.
const SILENCE_PATIENCE: Duration = Duration::from_secs(30);

/// What stands behind the `?` of a photo's address.
#[derive(Debug, Deserialize)]
pub struct PhotoQuery {
    taken_ms: Option<i64>,
}

/// Keeps a proof of the courier's own order. A photo is the body as it is, `image/jpeg`, `image/png` or `image/webp`;
/// a signature or a PIN comes as JSON. The phone chooses the proof's id, a UUID, so that a repeat is harmless.
#[utoipa::path(put, path = "/api/v1/courier/orders/{order_id}/proofs/{proof_id}", tag = "courier",
    params(("order_id" = String, Path), ("proof_id" = String, Path),
        ("taken_ms" = Option<i64>, Query, description = "When a photo was taken, Unix epoch milliseconds")),
    request_body(content = ProofBody, description = "Or a photo of at most 8 MiB as the body"),
    responses((status = 201, body = ProofView), (status = 200, body = ProofView, description = "It was there already"),
        (status = 404, body = Problem), (status = 408, body = Problem), (status = 409, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub async fn put(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<(String, String)>,
    query: Query<PhotoQuery>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let signed_in = identify_courier(&app, &request).await?;
    let (order, id) = ids(&path)?;
    app.proofs.check_courier(signed_in.courier.id, order).await?;
    // Words are few and come at once; photos are in memory until they are kept.
    let place = is_photo(&request).then(|| app.uploads.take(signed_in.device).ok_or_else(ApiError::unavailable));
    let _place = place.transpose()?;
    let given = read(&request, payload, query.taken_ms).await?;
    let received = app.proofs.receive(signed_in.courier.id, order, id, given).await?;
    let (status, proof) = match &received {
        Received::New(proof) => (StatusCode::CREATED, proof),
        Received::Again(proof) => (StatusCode::OK, proof),
    };
    Ok(body::json(status, &proof.to_view(&format!("/api/v1/courier/orders/{order}/proofs"))))
}

/// Reads what a phone sent, never more than it may send.
async fn read(request: &HttpRequest, payload: Payload, taken_ms: Option<i64>) -> Result<Given, ApiError> {
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(ApiError::unsupported_media_type());
    }
    let is_photo = is_photo(request);
    let (limit, patience) = match is_photo {
        true => (MAX_PHOTO_BYTES, UPLOAD_PATIENCE),
        false => (MAX_BODY_BYTES.max(MAX_SIGNATURE_BYTES), WORDS_PATIENCE),
    };
    let reading = tokio::time::timeout(patience, read_limited(request, payload, limit));
    let bytes = reading.await.map_err(|_| ApiError::too_slow())??;
    match is_photo {
        true => Ok(Given::Photo { bytes, taken_ms }),
        false => body::parse(request, &bytes.into()).map(Given::Words),
    }
}

fn is_photo(request: &HttpRequest) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("image/"))
}

/// JSON with as many points as a signature may have.
const MAX_SIGNATURE_BYTES: usize = 96 * 1024;

async fn read_limited(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > limit) {
        return Err(ApiError::too_large());
    }
    let mut bytes = Vec::with_capacity(declared.unwrap_or(0));
    while let Some(chunk) =
        tokio::time::timeout(SILENCE_PATIENCE, payload.next()).await.map_err(|_| ApiError::too_slow())?
    {
        let chunk = chunk.map_err(|error| ApiError::bad_request(error.to_string()))?;
        if bytes.len() + chunk.len() > limit {
            return Err(ApiError::too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A proof's picture, for the courier who brings the order.
#[utoipa::path(get, path = "/api/v1/courier/orders/{order_id}/proofs/{proof_id}/image", tag = "courier",
    params(("order_id" = String, Path), ("proof_id" = String, Path)),
    responses((status = 200, content_type = "image/*"), (status = 404, body = Problem)))]
pub async fn courier_image(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let signed_in = identify_courier(&app, &request).await?;
    let (order, id) = ids(&path)?;
    let at = app.store.at_the_door(order).await?.ok_or_else(ApiError::not_found)?;
    if at.courier != Some(signed_in.courier.id) {
        return Err(ApiError::not_found());
    }
    image(&app, order, id).await
}

/// A proof's picture, for dispatchers and API keys.
#[utoipa::path(get, path = "/api/v1/orders/{id}/proofs/{proof_id}/image", tag = "orders",
    params(("id" = String, Path), ("proof_id" = String, Path)),
    responses((status = 200, content_type = "image/*"), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub async fn order_image(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let by = Principal::require(&app, &request, Scope::OrdersRead).await?;
    let (order, id) = ids(&path)?;
    access::note(&app, &request, &by, AccessKind::Proof, Some(*order.as_uuid()));
    image(&app, order, id).await
}

/// A proof's picture, for the customer: once the order was handed over or not, and while its outcome is shown.
#[utoipa::path(get, path = "/api/v1/track/{token}/proofs/{proof_id}/image", tag = "track",
    params(("token" = String, Path), ("proof_id" = String, Path)),
    responses((status = 200, content_type = "image/*"), (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn track_image(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (token, id) = &*path;
    let hash = token::hash(token);
    let looking = app.store.order_by_tracking_token(&hash);
    let found = look_up(&app, &request, ApiError::too_many_attempts, looking).await?;
    let (order, status) = found.ok_or_else(ApiError::unknown_link)?;
    let at = app.store.at_the_door(order).await?.ok_or_else(ApiError::unknown_link)?;
    if !is_shown_to_customer(status) {
        return Err(ApiError::not_found());
    }
    let shown_until = at.status_at + chrono::TimeDelta::hours(i64::from(app.config.settings.outcome_hours));
    if status.is_final() && app.clock.now() >= shown_until {
        return Err(ApiError::tracking_ended(status));
    }
    image(&app, order, id.parse().map_err(|_| ApiError::not_found())?).await
}

/// The customer sees what was brought back when the visit to their door is over.
pub fn is_shown_to_customer(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Delivered | OrderStatus::Failed | OrderStatus::Returned)
}

async fn image(app: &AppState, order: OrderId, id: Uuid) -> Result<HttpResponse, ApiError> {
    let stored = app.store.proof(id).await?.filter(|stored| stored.order == order).ok_or_else(ApiError::not_found)?;
    let (bytes, media_type) = app.proofs.picture(&stored.proof).await?.ok_or_else(ApiError::not_found)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((header::CONTENT_DISPOSITION, "inline"))
        // It is ours, but opened on its own it is still a document: nothing in it may run or load.
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"))
        .body(bytes))
}

/// What was brought back from an order's door, with pictures for dispatchers and API keys.
pub async fn views(app: &AppState, order: OrderId) -> Result<Vec<ProofView>, ApiError> {
    let base = format!("/api/v1/orders/{order}/proofs");
    Ok(app.store.proofs_of(order).await?.iter().map(|proof: &Proof| proof.to_view(&base)).collect())
}

/// Ids that are none name nothing, so they are a 404 like any other unknown ones.
fn ids(path: &(String, String)) -> Result<(OrderId, Uuid), ApiError> {
    let order = path.0.parse().map_err(|_| ApiError::not_found())?;
    let proof = path.1.parse().map_err(|_| ApiError::not_found())?;
    Ok((order, proof))
}
