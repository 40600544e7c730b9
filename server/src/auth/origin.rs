//! Cross-site requests: a browser tells which site's script opens a socket or sends a form, and only ours may.

use actix_web::{HttpRequest, http::header};

use crate::{error::ApiError, state::AppState};

/// Lets a request in whose `Origin` is ours or on the allow-list. Native clients send none and pass on their
/// token alone.
///
/// # Errors
/// 403 for every other origin, `null` included.
pub fn check(app: &AppState, request: &HttpRequest) -> Result<(), ApiError> {
    let mut origins = request.headers().get_all(header::ORIGIN);
    let Some(origin) = origins.next() else { return Ok(()) };
    let known = origin.to_str().is_ok_and(|origin| is_allowed(origin, &app.config.allowed_origins));
    if known && origins.next().is_none() { Ok(()) } else { Err(ApiError::origin_not_allowed()) }
}

/// The same for a request that a browser's cookie vouches for, where the absence of an origin proves nothing:
/// for a WebSocket, which every browser opens with one.
///
/// # Errors
/// 403 without an origin, or with a foreign one.
pub fn require(app: &AppState, request: &HttpRequest) -> Result<(), ApiError> {
    match request.headers().contains_key(header::ORIGIN) {
        true => check(app, request),
        false => Err(ApiError::origin_not_allowed()),
    }
}

/// Whole origins are compared: a suffix or prefix of a known one is somebody else.
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
