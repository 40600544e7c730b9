//! Which courier asks, and with which of their devices: by the device's token, or by the session cookie of a
//! browser that signed in with a link.
//!
//! Every endpoint and socket for couriers asks here. Neither credential opens anything of the dispatchers' API, nor
//! the other way round: they are kept in different tables. A device that was set up for a tracker's app is nobody
//! here; its token reports on `/ingest` and reads nothing.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
    http::header,
};
use chrono::TimeDelta;

use super::{look_up::look_up, origin, principal};
use crate::{
    error::ApiError,
    platform::token::{self, SecretHash},
    service::devices::SESSION_LIFETIME,
    state::AppState,
    store::{couriers::SignedInDevice, devices::DeviceClient},
};

/// How exactly it is known when a session was last used.
const TOUCH_EVERY: TimeDelta = TimeDelta::hours(1);

/// Finds out which courier's device sent a request: by `Authorization: Bearer` with its token, else by its cookie.
///
/// # Errors
/// 401 without or with wrong credentials; 403 when a cookie comes with another site's request; 429 after too many
/// wrong ones; 503 when the database is away.
pub async fn identify_courier(app: &AppState, request: &HttpRequest) -> Result<SignedInDevice, ApiError> {
    let signed_in = match bearer(request) {
        Some(token) => {
            let hash = token::hash(token);
            look_up(app, request, ApiError::too_many_attempts, app.store.device_by_token(&hash)).await?
        }
        None => by_cookie(app, request).await?,
    };
    let signed_in = signed_in.filter(|device| !device.is_tracker).ok_or_else(ApiError::unauthorized)?;
    let client = DeviceClient::of_courier(signed_in.session.is_some());
    app.devices.sightings().note(signed_in.courier.id, signed_in.device, client, app.clock.now());
    Ok(signed_in)
}

/// The same for a WebSocket, whose handshake any site's script can send: a cookie counts only together with an
/// `Origin` that is ours. Programs send none, and pass on their token alone.
///
/// # Errors
/// As [`identify_courier`]; 403 also for a cookie without an origin.
pub async fn identify_courier_socket(app: &AppState, request: &HttpRequest) -> Result<SignedInDevice, ApiError> {
    origin::check(app, request)?;
    if bearer(request).is_none() && session_in(app, request).is_some() {
        origin::require(app, request)?;
    }
    identify_courier(app, request).await
}

async fn by_cookie(app: &AppState, request: &HttpRequest) -> Result<Option<SignedInDevice>, ApiError> {
    let Some(session) = session_in(app, request) else { return Ok(None) };
    origin::check(app, request)?;
    principal::refuse_cross_site(request)?;
    let now = app.clock.now();
    let looking = app.store.courier_session(&session, now, SESSION_LIFETIME);
    let used = look_up(app, request, ApiError::too_many_attempts, looking).await?;
    let Some(used) = used else { return Ok(None) };
    if now - used.last_used_at > TOUCH_EVERY {
        app.store.touch_courier_sessions(&[session], now).await?;
    }
    Ok(Some(used.signed_in))
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok().and_then(token::bearer)
}

/// The session that a request's cookie names, by its hash; it may be over, or never have been.
pub fn session_in(app: &AppState, request: &HttpRequest) -> Option<SecretHash> {
    request.cookie(app.config.courier_cookie()).map(|cookie| token::hash(cookie.value()))
}

/// The cookie that holds a session, or removes it when `token` is empty.
pub fn session_cookie(app: &AppState, token: String) -> Cookie<'static> {
    let removes = token.is_empty();
    let mut cookie = Cookie::build(app.config.courier_cookie(), token)
        .path("/")
        .http_only(true)
        .secure(app.config.is_https())
        .same_site(SameSite::Strict)
        .max_age(time::Duration::seconds(SESSION_LIFETIME.absolute.num_seconds()))
        .finish();
    if removes {
        cookie.make_removal();
    }
    cookie
}
