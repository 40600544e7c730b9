//! API keys, for admins. No key manages keys: one that leaks could make itself another.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{
    ApiKeyId,
    api::{
        ListPage,
        keys::{ApiKeySecret, ApiKeyView, CreateApiKey, RotateApiKey},
    },
};

use super::page::{self, PageQuery};
use crate::{
    auth::{extract::Admin, peer::PeerAddress, scope::Scope},
    domain::order::Actor,
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
    platform::{
        clock::{Clock, is_usable},
        security::{Kind, SecurityEvent},
    },
    service::api_keys::{self, MAX_NAME_CHARACTERS, WantedApiKey},
    store::Store,
};

context! {
    /// What managing keys works with.
    pub struct Keys { store: Store, clock: Clock }
}

/// List the API keys, the newest first, with those that ended.
///
/// For signed-in admins; no API key opens it.
#[utoipa::path(get, path = "/api/v1/api-keys", operation_id = "listApiKeys", tag = "keys",
    responses((status = 200, body = ListPage<ApiKeyView>, description = "A page of keys")))]
pub async fn list(store: Data<Store>, _: Admin, query: Query<PageQuery>) -> Result<HttpResponse, ApiError> {
    let limit = page::page_size(query.limit)?;
    let before = page::cursor(query.cursor.as_deref(), |cursor| cursor.parse().ok())?;
    let mut items = store.api_keys_page(before, limit as i64 + 1).await?;
    let next_cursor = page::cut(&mut items, limit, |key| key.id.to_string());
    Ok(json(StatusCode::OK, &ListPage { items, next_cursor }))
}

/// Make an API key. The answer alone shows its secret.
#[utoipa::path(post, path = "/api/v1/api-keys", operation_id = "createApiKey", tag = "keys",
    responses(
        (status = 201, body = ApiKeySecret, description = "The key with its secret"),
        (status = 422, description = "Some fields are not valid"),
    ))]
pub async fn create(
    keys: Keys,
    by: Admin,
    peer: PeerAddress,
    once: Idempotency,
    body: JsonBody<CreateApiKey>,
) -> Result<HttpResponse, ApiError> {
    let (bytes, actor) = (body.bytes(), by.actor());
    let work = async move {
        let now = keys.clock.now();
        let wanted = checked(body.into_inner(), actor.clone(), now)?;
        let key = api_keys::create(&keys.store, wanted, now).await?;
        SecurityEvent::new(Kind::ApiKeyMade).by(actor).from(peer.0).about(Actor::ApiKey(key.api_key.id)).log();
        Ok((StatusCode::CREATED, key))
    };
    once.run(&by, &bytes, work).await
}

/// Give a key another secret. The answer alone shows it.
///
/// The secret until now ends at once, and sockets opened with it are closed with 4500; or it goes on working for
/// `overlap_s`, while programs change over. The key keeps its id, so what it does stays attributed to it.
#[utoipa::path(post, path = "/api/v1/api-keys/{id}/rotate", operation_id = "rotateApiKey", tag = "keys",
    params(("id" = ApiKeyId, Path, description = "The key's id")),
    responses(
        (status = 200, body = ApiKeySecret, description = "The key with its new secret"),
        (status = 409, description = "The key was revoked, or the idempotency key was used before"),
        (status = 422, description = "Some fields are not valid, or the key has expired"),
    ))]
pub async fn rotate(
    keys: Keys,
    by: Admin,
    peer: PeerAddress,
    PathId(id): PathId<ApiKeyId>,
    once: Idempotency,
    body: JsonBody<RotateApiKey>,
) -> Result<HttpResponse, ApiError> {
    let (bytes, wanted, actor) = (body.bytes(), *body, by.actor());
    let work = async move {
        let now = keys.clock.now();
        check_expiry(wanted.expires_at, now, FieldErrors::default())?;
        let overlap = TimeDelta::seconds(i64::from(wanted.overlap_s.unwrap_or_default()));
        let key = api_keys::rotate(&keys.store, id, overlap, wanted.expires_at, now).await?;
        SecurityEvent::new(Kind::ApiKeyRotated).by(actor).from(peer.0).about(Actor::ApiKey(id)).log();
        Ok((StatusCode::OK, key))
    };
    once.run(&by, &bytes, work).await
}

/// Take a key back, for good.
///
/// It opens nothing any more, and sockets opened with it are closed with 4500 within a second. What it did stays in
/// histories.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", operation_id = "revokeApiKey", tag = "keys",
    params(("id" = ApiKeyId, Path, description = "The key's id")),
    responses((status = 204, description = "It opens nothing")))]
pub async fn revoke(
    keys: Keys,
    by: Admin,
    peer: PeerAddress,
    PathId(id): PathId<ApiKeyId>,
) -> Result<HttpResponse, ApiError> {
    if !api_keys::revoke(&keys.store, id, keys.clock.now()).await? {
        return Err(ApiError::not_found());
    }
    SecurityEvent::new(Kind::ApiKeyRevoked).by(by.actor()).from(peer.0).about(Actor::ApiKey(id)).log();
    Ok(HttpResponse::NoContent().finish())
}

fn checked(wanted: CreateApiKey, by: Actor, now: DateTime<Utc>) -> Result<WantedApiKey, ApiError> {
    let mut errors = FieldErrors::default();
    errors.check_text(&wanted.name, MAX_NAME_CHARACTERS, "name");
    errors.check(!wanted.name.contains('\n'), "name", "must be one line");
    let has_scopes = wanted.scopes.as_ref().is_none_or(|scopes| (1..=Scope::ALL.len()).contains(&scopes.len()));
    errors.check(has_scopes, "scopes", "must be 1 to 5 scopes, or left out for all");
    let scopes = wanted.scopes.unwrap_or_default();
    check_expiry(wanted.expires_at, now, errors)?;
    Ok(WantedApiKey { name: wanted.name, scopes, expires_at: wanted.expires_at, by: Some(by) })
}

fn check_expiry(
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    mut errors: FieldErrors,
) -> Result<(), ApiError> {
    let is_ahead = expires_at.is_none_or(|expires_at| is_usable(expires_at) && expires_at > now);
    errors.check(is_ahead, "expires_at", "must lie in the future, in a year of four digits");
    errors.finish()
}
