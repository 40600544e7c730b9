//! Webhooks: where events are sent.

use actix_web::{HttpResponse, http::StatusCode, web::Query};
use doorstep_shared::{
    WebhookId,
    api::{
        ListPage,
        webhook::{
            AttemptView, CreateWebhook, EditWebhook, EventsQueued, ResendEvents, WebhookCreated, WebhookRotated,
            WebhookView,
        },
    },
};

use super::page::{self, PageQuery};
use crate::{
    auth::{
        extract::AdminOrKey,
        scope::{CouriersRead, OrdersWrite},
    },
    domain::outbox::webhook::Webhook,
    error::ApiError,
    http::{
        body::{
            idempotency::Idempotency,
            json::{JsonBody, json},
        },
        context::context,
        path::PathId,
    },
    platform::clock::is_usable,
    service::webhooks::{Again, Webhooks},
};

/// Events tell of orders and couriers, and an endpoint goes on telling when its maker is gone.
type Keeper = AdminOrKey<(OrdersWrite, CouriersRead)>;

context! {
    /// What endpoints are kept with.
    pub struct Endpoints { webhooks: Webhooks }
}

/// List the webhooks, the oldest first.
#[utoipa::path(get, path = "/api/v1/webhooks", operation_id = "listWebhooks", tag = "webhooks",
    responses((status = 200, body = ListPage<WebhookView>, description = "All webhooks, on one page")))]
pub async fn list(endpoints: Endpoints, _: Keeper) -> Result<HttpResponse, ApiError> {
    let webhooks = endpoints.webhooks.list().await?;
    Ok(json(StatusCode::OK, &page::whole(webhooks.into_iter().map(view).collect())))
}

/// Add a webhook.
///
/// Events that it asks for are sent to it from now on, by Standard Webhooks 1.0. The answer alone shows the secret that
/// messages are signed with.
#[utoipa::path(post, path = "/api/v1/webhooks", operation_id = "createWebhook", tag = "webhooks",
    responses(
        (status = 201, body = WebhookCreated, description = "Its id and secret"),
        (status = 409, description = "There are 32 webhooks already"),
        (status = 422, description = "Some fields are not valid, or no message goes to that address"),
    ))]
pub async fn create(
    endpoints: Endpoints,
    by: Keeper,
    once: Idempotency,
    body: JsonBody<CreateWebhook>,
) -> Result<HttpResponse, ApiError> {
    let (bytes, actor) = (body.bytes(), by.actor());
    let wanted = body.into_inner();
    once.run(&by, &bytes, async move { Ok((StatusCode::CREATED, endpoints.webhooks.add(wanted, &actor).await?)) }).await
}

/// Show a webhook, and how it does.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", operation_id = "getWebhook", tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook's id")),
    responses((status = 200, body = WebhookView, description = "The webhook")))]
pub async fn show(endpoints: Endpoints, _: Keeper, PathId(id): PathId<WebhookId>) -> Result<HttpResponse, ApiError> {
    Ok(json(StatusCode::OK, &view(endpoints.webhooks.show(id).await?)))
}

/// Change a webhook.
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", operation_id = "editWebhook", tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook's id")),
    responses(
        (status = 200, body = WebhookView, description = "The webhook as it is now"),
        (status = 422, description = "Some fields are not valid, or no message goes to that address"),
    ))]
pub async fn edit(
    endpoints: Endpoints,
    by: Keeper,
    PathId(id): PathId<WebhookId>,
    body: JsonBody<EditWebhook>,
) -> Result<HttpResponse, ApiError> {
    Ok(json(StatusCode::OK, &view(endpoints.webhooks.edit(id, body.into_inner(), &by.actor()).await?)))
}

/// Remove a webhook, with what waits for it.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", operation_id = "deleteWebhook", tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook's id")),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(endpoints: Endpoints, by: Keeper, PathId(id): PathId<WebhookId>) -> Result<HttpResponse, ApiError> {
    endpoints.webhooks.delete(id, &by.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Send a test message, and say how it ended.
///
/// The message has the type `webhook.test` and is tried once, at once, also to a webhook that is disabled. The answer comes
/// with its end, after 15 seconds at the latest.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", operation_id = "testWebhook", tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook's id")),
    responses((status = 200, body = AttemptView, description = "How it ended, well or not")))]
pub async fn test(endpoints: Endpoints, _: Keeper, PathId(id): PathId<WebhookId>) -> Result<HttpResponse, ApiError> {
    Ok(json(StatusCode::OK, &endpoints.webhooks.test(id).await?))
}

/// Give a webhook a new secret.
///
/// For a day messages are signed with both, so that the receiver can change over. The answer alone shows the new one.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/rotate", operation_id = "rotateWebhookSecret", tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook's id")),
    responses((status = 200, body = WebhookRotated, description = "The new secret")))]
pub async fn rotate(endpoints: Endpoints, by: Keeper, PathId(id): PathId<WebhookId>) -> Result<HttpResponse, ApiError> {
    Ok(json(StatusCode::OK, &endpoints.webhooks.rotate(id, &by.actor()).await?))
}

/// Let a webhook get events again that was disabled.
///
/// It gets what happens from now on; to send what happened meanwhile, resend it since `disabled_at`.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/enable", operation_id = "enableWebhook", tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook's id")),
    responses((status = 200, body = WebhookView, description = "The webhook as it is now")))]
pub async fn enable(endpoints: Endpoints, _: Keeper, PathId(id): PathId<WebhookId>) -> Result<HttpResponse, ApiError> {
    Ok(json(StatusCode::OK, &view(endpoints.webhooks.enable(id).await?)))
}

/// List the tries to deliver to a webhook, the newest first.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/attempts", operation_id = "listWebhookAttempts", tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook's id")),
    responses((status = 200, body = ListPage<AttemptView>, description = "A page of tries")))]
pub async fn attempts(
    endpoints: Endpoints,
    _: Keeper,
    PathId(id): PathId<WebhookId>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = page::page_size(query.limit)?;
    let before = page::cursor(query.cursor.as_deref(), |cursor| cursor.parse().ok())?;
    let mut items = endpoints.webhooks.attempts(id, before, limit as i64 + 1).await?;
    let next_cursor = page::cut(&mut items, limit, |attempt| attempt.id.to_string());
    Ok(json(StatusCode::OK, &ListPage { items, next_cursor }))
}

/// Send events again: one, or every one since a time.
///
/// They go under their own ids, in order, and join what waits already.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/resend", operation_id = "resendEvents", tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The webhook's id")),
    responses(
        (status = 202, body = EventsQueued, description = "They are on their way"),
        (status = 404, description = "There is no such webhook or event, or no longer"),
        (status = 409, description = "The webhook is disabled"),
        (status = 422, description = "More than 20 000 events are meant"),
    ))]
pub async fn resend(
    endpoints: Endpoints,
    _: Keeper,
    PathId(id): PathId<WebhookId>,
    body: JsonBody<ResendEvents>,
) -> Result<HttpResponse, ApiError> {
    let again = match (body.event_id, body.since) {
        (Some(event), None) => Again::Event(event),
        (None, Some(since)) if is_usable(since) => Again::Since(since),
        _ => return Err(ApiError::bad_request("name either event_id or since, a time with a year of four digits")),
    };
    let queued = endpoints.webhooks.resend(id, again).await?;
    Ok(json(StatusCode::ACCEPTED, &EventsQueued { queued }))
}

fn view(webhook: Webhook) -> WebhookView {
    let Webhook { id, wishes, health, created_at, waiting, oldest_waiting_at } = webhook;
    WebhookView {
        id,
        url: wishes.url,
        events: wishes.events,
        description: wishes.description,
        personal: wishes.personal,
        created_at,
        succeeded_at: health.succeeded_at,
        failing_since: health.failing_since,
        held_until: health.held_until,
        disabled_at: health.disabled.map(|(at, _)| at),
        disabled_reason: health.disabled.map(|(_, reason)| reason.as_str().to_owned()),
        waiting,
        oldest_waiting_at,
    }
}
