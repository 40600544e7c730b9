//! Where a request comes from: the address of its client, and the network whose share of anything is limited.

use std::{
    future::{Ready, ready},
    net::{IpAddr, Ipv4Addr},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::HeaderMap};

use super::registered::registered;
use crate::{
    error::ApiError,
    platform::{config::Config, rate_limit::network_of},
};

/// The address of a request's client, when it is known.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub Option<IpAddr>);

impl PeerAddress {
    /// The address of the TCP peer, or what a trusted proxy says. `X-Forwarded-For` counts only when the operator said
    /// that a proxy sets it; then its last entry is the one that the proxy added.
    pub fn of(config: &Config, request: &HttpRequest) -> Self {
        let forwarded = config.settings.trust_proxy.then(|| last_forwarded_for(request.headers())).flatten();
        Self(forwarded.or_else(|| request.peer_addr().map(|peer| peer.ip())))
    }

    /// The network of the client, whose share of anything is limited.
    pub fn network(self) -> IpAddr {
        self.0.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), network_of)
    }
}

impl FromRequest for PeerAddress {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(registered::<Config>(request).map(|config| Self::of(&config, request)))
    }
}

fn last_forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("X-Forwarded-For").last()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}
