//! Notices when people do not reach this server by the way that its settings say: through a proxy that is not trusted, or
//! by another address than the public URL. Each is said once in the log, with the setting that would help, and the
//! address on the sign-in page, too: that is where people with a wrong one get no further.

use std::{net::IpAddr, sync::Once};

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderMap},
};

use crate::platform::config::Config;

/// Headers that a proxy adds and a browser does not send.
const OF_PROXIES: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// What was noticed already. Shared by reference.
#[derive(Debug)]
pub struct Front {
    untrusted_proxy: Once,
    other_address: Once,
}

impl Default for Front {
    fn default() -> Self {
        Self { untrusted_proxy: Once::new(), other_address: Once::new() }
    }
}

impl Front {
    /// Looks at a request for signs of a proxy of which the settings say nothing. All clients behind it are one address
    /// then, and share its limits.
    pub fn look_for_proxy(&self, config: &Config, request: &HttpRequest) {
        if config.settings.trust_proxy || self.untrusted_proxy.is_completed() {
            return;
        }
        let Some(named) = request.peer_addr().and_then(|peer| proxy_header(peer.ip(), request.headers())) else {
            return;
        };
        self.untrusted_proxy.call_once(|| {
            tracing::warn!(
                header = named,
                "requests come through a proxy, and all its clients are one address to this server: set \
                 DOORSTEP_TRUST_PROXY=true if the proxy sets X-Forwarded-For itself"
            );
        });
    }

    /// The address by which a browser asked, when links and sign-ins work by another one.
    pub fn other_address(&self, config: &Config, request: &HttpRequest) -> Option<String> {
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        if config.is_own_host(host) {
            return None;
        }
        self.other_address.call_once(|| {
            tracing::warn!(
                host,
                url = config.public_url,
                "people ask for another address than the public URL: set DOORSTEP_PUBLIC_URL to what stands in their \
                 browsers, and let a proxy pass the header Host on"
            );
        });
        Some(host.to_owned())
    }
}

/// The header by which a proxy near this server shows itself. A stranger's would prove nothing.
fn proxy_header(peer: IpAddr, headers: &HeaderMap) -> Option<&'static str> {
    let is_near = match peer.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    };
    OF_PROXIES.into_iter().find(|name| is_near && headers.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_proxy_nearby_is_known_by_its_headers_and_a_stranger_s_prove_nothing() {
        for (peer, name, expected) in [
            ("127.0.0.1", "X-Forwarded-For", Some("x-forwarded-for")),
            ("::1", "Forwarded", Some("forwarded")),
            ("172.18.0.2", "Via", Some("via")),
            ("::ffff:10.0.0.1", "X-Real-IP", Some("x-real-ip")),
            ("203.0.113.7", "X-Forwarded-For", None),
            ("127.0.0.1", "X-Requested-With", None),
        ] {
            let request = TestRequest::default().insert_header((name, "192.0.2.1")).to_http_request();
            assert_eq!(proxy_header(peer.parse().expect("an address"), request.headers()), expected, "{peer} {name}");
        }
    }
}
