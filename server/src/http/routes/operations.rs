//! For supervisors and load balancers, and the browser's files and maps.

use super::get;
use crate::http::{area, assets, health, route::Route};

/// The area's files, `/area`.
pub(super) fn area() -> Vec<Route> {
    vec![get!("/area/current", area::current), get!("/area/{id}/{file}", area::file)]
}

/// The routes, in no scope.
pub(super) fn routes() -> Vec<Route> {
    vec![
        get!("/health/live", health::live),
        get!("/health/ready", health::ready),
        get!("/assets/{path:.*}", assets::serve),
    ]
}
