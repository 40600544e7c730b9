//! The cookies that hold sessions: one for people at the console, one for couriers' browsers.

use actix_web::cookie::{Cookie, SameSite, time};

use crate::{platform::config::Config, service::devices::SESSION_LIFETIME};

/// What an answer that ends a session says besides: the browser forgets pages and answers that it kept. It keeps its
/// storage, which the apps of one origin share; a courier's app deletes its own.
pub const FORGET_PAGES: (&str, &str) = ("Clear-Site-Data", "\"cache\"");

/// The cookie that holds a person's session.
pub fn session(config: &Config, token: String) -> Cookie<'static> {
    Cookie::build(config.session_cookie(), token)
        .path("/")
        .http_only(true)
        .secure(config.is_https())
        .same_site(SameSite::Lax)
        .finish()
}

/// The cookie that holds a courier's session.
pub fn courier_session(config: &Config, token: String) -> Cookie<'static> {
    Cookie::build(config.courier_cookie(), token)
        .path("/")
        .http_only(true)
        .secure(config.is_https())
        .same_site(SameSite::Strict)
        .max_age(time::Duration::seconds(SESSION_LIFETIME.absolute.num_seconds()))
        .finish()
}

/// What removes a cookie of one of these kinds from a browser: `removed(session(config, String::new()))`.
pub fn removed(mut cookie: Cookie<'static>) -> Cookie<'static> {
    cookie.make_removal();
    cookie
}
