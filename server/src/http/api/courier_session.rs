//! Couriers sign in with a link and sign out, in the browser of their phone.

use actix_web::{HttpRequest, HttpResponse, http::header};
use doorstep_shared::api::courier::{CourierHome, CourierSignIn};

use super::courier;
use crate::{
    auth::{
        authenticator::Authenticator,
        cookies,
        courier::session_in,
        origin::{AllowedOrigin, SameSite},
        peer::PeerAddress,
    },
    domain::order::Actor,
    error::ApiError,
    http::{body::json::JsonBody, context::context},
    live::accepted::Rank,
    platform::{
        config::Config,
        security::{Kind, SecurityEvent},
    },
    service::devices::Devices,
};

context! {
    /// What signing couriers in and out works with.
    pub struct SignIns { config: Config, devices: Devices, authenticator: Authenticator }
}

/// Sign a courier in: exchanges the code of a sign-in link for the session cookie.
///
/// A code that was used, is too old or was never given out gets one and the same answer.
#[utoipa::path(post, path = "/api/v1/courier/session", operation_id = "signInCourier", tag = "courier",
    responses(
        (status = 200, body = CourierHome, description = "Who signed in",
            headers(("Set-Cookie" = String, description = "The courier's session"))),
        (status = 403, description = "Another site's page sent the request"),
        (status = 410, description = "The link does not work any more"),
        (status = 429, description = "The link does not work, and too many such were tried from this network"),
    ))]
pub async fn sign_in(
    sign_ins: SignIns,
    _: AllowedOrigin,
    _: SameSite,
    request: HttpRequest,
    peer: PeerAddress,
    body: JsonBody<CourierSignIn>,
) -> Result<HttpResponse, ApiError> {
    // A whole depot signs in behind one address: only links that do not work are counted.
    let exchanging = sign_ins.devices.exchange_sign_in_code(&body.code);
    let exchanged = sign_ins.authenticator.look_up(&request, Rank::Crew, ApiError::too_many_attempts, exchanging);
    let Some((exchange, session)) = exchanged.await? else {
        SecurityEvent::new(Kind::SignInLinkRefused).from(peer.0).log();
        return Err(ApiError::sign_in_link_spent());
    };
    let signed_in = exchange.signed_in;
    let event = SecurityEvent::new(Kind::CourierSignedIn).by(Actor::Courier(signed_in.courier.id));
    event.from(peer.0).about(signed_in.device).log();
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(cookies::courier_session(&sign_ins.config, session))
        .json(courier::view(&signed_in)))
}

/// Sign out: ends the session, closes the sockets that it opened with 4500 and removes the cookie.
#[utoipa::path(delete, path = "/api/v1/courier/session", operation_id = "signOutCourier", tag = "courier",
    responses(
        (status = 204, description = "Signed out, or there was no session",
            headers(("Set-Cookie" = String, description = "Removes the session"))),
        (status = 403, description = "Another site's page sent the request"),
    ))]
pub async fn sign_out(
    sign_ins: SignIns,
    _: AllowedOrigin,
    _: SameSite,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    if let Some(session) = session_in(&sign_ins.config, &request) {
        sign_ins.devices.sign_out(&session).await?;
    }
    let removal = cookies::removed(cookies::courier_session(&sign_ins.config, String::new()));
    Ok(HttpResponse::NoContent().cookie(removal).insert_header(cookies::FORGET_PAGES).finish())
}
