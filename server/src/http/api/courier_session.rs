//! Couriers sign in with a link and sign out, in the browser of their phone.

use std::{net::IpAddr, num::NonZeroU32};

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use doorstep_shared::{
    api::courier::{CourierHome, CourierSignIn},
    problem::Problem,
};

use super::courier;
use crate::{
    auth::{courier as credentials, origin, peer::peer_address, principal},
    error::ApiError,
    http::body::{self, RequestBody},
    platform::rate_limit::{RateLimit, network_of},
    state::AppState,
};

/// Links that one address may try at once, and how many more each minute. A whole depot signs in behind one address;
/// a code of 144 bits is not guessed at any rate, so this only keeps the database's work small.
const TRIES: NonZeroU32 = NonZeroU32::new(60).expect("not zero");

/// How often links may be tried from one address.
pub fn link_limit() -> RateLimit<IpAddr> {
    RateLimit::per_minute(TRIES, TRIES)
}

/// Signs a courier in: exchanges the code of a sign-in link for the session cookie.
///
/// A code that was used, is too old or was never given out gets one and the same answer.
#[utoipa::path(post, path = "/api/v1/courier/session", tag = "courier", request_body = CourierSignIn,
    responses((status = 200, body = CourierHome, description = "Sets the session cookie"), (status = 403, body = Problem),
        (status = 410, body = Problem), (status = 429, body = Problem)))]
pub async fn sign_in(app: Data<AppState>, request: HttpRequest, bytes: RequestBody) -> Result<HttpResponse, ApiError> {
    origin::check(&app, &request)?;
    principal::refuse_cross_site(&request)?;
    let wanted: CourierSignIn = body::parse(&request, &bytes)?;
    let address = peer_address(&app, &request);
    if let Some(address) = address {
        app.link_limit.check(&network_of(address)).map_err(ApiError::too_many_attempts)?;
    }
    let Some((exchange, session)) = app.devices.exchange_sign_in_code(&wanted.code).await? else {
        tracing::warn!(peer.address = ?address, "a sign-in link that does not work was tried");
        return Err(ApiError::sign_in_link_spent());
    };
    let signed_in = exchange.signed_in;
    tracing::info!(courier.id = %signed_in.courier.id, device.id = %signed_in.device, "a courier signed in");
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(credentials::session_cookie(&app, session))
        .json(courier::view(&signed_in)))
}

/// Signs out: ends the session, closes the sockets that it opened with 4500 and removes the cookie.
#[utoipa::path(delete, path = "/api/v1/courier/session", tag = "courier",
    responses((status = 204), (status = 403, body = Problem)))]
pub async fn sign_out(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    origin::check(&app, &request)?;
    principal::refuse_cross_site(&request)?;
    if let Some(session) = credentials::session_in(&app, &request) {
        app.devices.sign_out(&session).await?;
    }
    Ok(HttpResponse::NoContent().cookie(credentials::session_cookie(&app, String::new())).finish())
}
