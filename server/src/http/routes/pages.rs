//! Pages for browsers.

use actix_web::http::Method;

use super::get;
use crate::http::{home, login, pages, route::Route};

/// The courier's app, `/courier`.
pub(super) fn courier() -> Vec<Route> {
    vec![get!("/courier", pages::courier), get!("/courier/sw.js", pages::courier_worker)]
}

/// All others.
pub(super) fn routes() -> Vec<Route> {
    vec![
        get!("/", home::show),
        get!("/login", login::show),
        Route::page(Method::POST, "/login", login::submit),
        get!("/dispatch", pages::dispatch),
        get!("/t/{token}", pages::track),
    ]
}
