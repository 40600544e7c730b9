//! WebSockets, `/ws`.

use super::get;
use crate::{
    http::route::Route,
    ws::{courier, customer, fleet},
};

/// `/ws`
pub(super) fn routes() -> Vec<Route> {
    vec![
        get!("/ws/courier", courier::courier_socket),
        get!("/ws/fleet", fleet::fleet_socket),
        get!("/ws/track/{token}", customer::track_socket),
    ]
}
