//! Cross-site requests: a browser names the site whose script opens a socket or sends a form, and only ours may.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};

use super::{peer::PeerAddress, registered::registered};
use crate::{
    error::ApiError,
    platform::{
        config::Config,
        security::{Kind, SecurityEvent},
    },
};

/// Characters of a foreign origin that are logged: names of hosts end before that.
const MAX_LOGGED_SITE: usize = 200;

/// A request whose `Origin`, if it has one, is allowed. See [`check`].
#[derive(Clone, Copy, Debug)]
pub struct AllowedOrigin(());

impl FromRequest for AllowedOrigin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(registered::<Config>(request).and_then(|config| check(&config, request)).map(|()| Self(())))
    }
}

/// A request that no other site's page sent. See [`refuse_cross_site`].
#[derive(Clone, Copy, Debug)]
pub struct SameSite(());

impl FromRequest for SameSite {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(refuse_cross_site(request).map(|()| Self(())))
    }
}

/// Lets a request pass whose `Origin` is ours or on the allow-list. Native clients send none and pass on their token
/// alone.
///
/// # Errors
/// 403 for every other origin, `null` included.
pub fn check(config: &Config, request: &HttpRequest) -> Result<(), ApiError> {
    let mut origins = request.headers().get_all(header::ORIGIN);
    let Some(origin) = origins.next() else { return Ok(()) };
    let known = origin.to_str().is_ok_and(|origin| is_allowed(origin, &config.allowed_origins));
    if known && origins.next().is_none() {
        Ok(())
    } else {
        Err(refused(request, &String::from_utf8_lossy(origin.as_bytes())))
    }
}

/// Logs the site that was refused, as far as it is one: the log escapes what it must.
fn refused(request: &HttpRequest, site: &str) -> ApiError {
    let peer = registered::<Config>(request).ok().and_then(|config| PeerAddress::of(&config, request).0);
    let site: String = site.chars().take(MAX_LOGGED_SITE).collect();
    let event = SecurityEvent::new(Kind::OriginRefused).from(peer).about(site);
    match request.match_pattern() {
        Some(route) => event.on(&route).log(),
        None => event.log(),
    }
    ApiError::origin_not_allowed()
}

/// The same for a request that a browser's cookie vouches for, where the absence of an origin proves nothing:
/// for a WebSocket, which every browser opens with one.
///
/// # Errors
/// 403 without an origin, or with a foreign one.
pub fn require(config: &Config, request: &HttpRequest) -> Result<(), ApiError> {
    match request.headers().contains_key(header::ORIGIN) {
        true => check(config, request),
        false => Err(refused(request, "none")),
    }
}

/// A browser sends cookies along with another site's form, and says so in `Sec-Fetch-Site`.
///
/// # Errors
/// 403 when the request changes something and comes from another site.
pub fn refuse_cross_site(request: &HttpRequest) -> Result<(), ApiError> {
    let site = request.headers().get("Sec-Fetch-Site").and_then(|value| value.to_str().ok());
    match site {
        Some(site @ ("cross-site" | "same-site")) if !request.method().is_safe() => Err(refused(request, site)),
        _ => Ok(()),
    }
}

/// Whole origins are compared: a suffix or prefix of a known one belongs to another site.
fn is_allowed(origin: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|known| known.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trick_origin_is_not_ours() {
        let allowed = ["https://app.example.com".to_owned()];
        assert!(is_allowed("https://app.example.com", &allowed));
        assert!(is_allowed("https://App.Example.com", &allowed));
        for foreign in
            ["https://app.example.com.evil", "https://evil-app.example.com", "http://app.example.com", "null", ""]
        {
            assert!(!is_allowed(foreign, &allowed), "{foreign}");
        }
    }
}
