//! Where a request comes from: the address of its client, and the network whose share of anything is limited.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::{HttpRequest, http::header::HeaderMap};

use crate::{platform::rate_limit::network_of, state::AppState};

/// Who is at the other end: the peer, or what a trusted proxy says. An address in `X-Forwarded-For` counts
/// only when the operator said that a proxy sets it; then the last entry is the one the proxy added.
pub fn peer_address(app: &AppState, request: &HttpRequest) -> Option<IpAddr> {
    if app.config.settings.trust_proxy
        && let Some(forwarded) = last_forwarded_for(request.headers())
    {
        return Some(forwarded);
    }
    request.peer_addr().map(|peer| peer.ip())
}

/// The network at the other end, whose share of anything is limited.
pub fn peer_network(app: &AppState, request: &HttpRequest) -> IpAddr {
    peer_address(app, request).map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), network_of)
}

fn last_forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("X-Forwarded-For").last()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}
