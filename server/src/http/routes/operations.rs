//! For supervisors, load balancers and scrapers, and the browser's files.

use super::get;
use crate::http::{assets, health, route::Route};

/// The routes, in no scope.
pub(super) fn routes() -> Vec<Route> {
    vec![
        get!("/health/live", health::live),
        get!("/health/ready", health::ready),
        get!("/metrics", health::metrics),
        get!("/assets/{path:.*}", assets::serve),
    ]
}
