//! Where this server may connect to at the wish of a person who only typed an address.
//!
//! A URL that somebody enters must not become a way into the operator's own network: to this machine, to private and
//! link-local networks, or to the addresses at which clouds hand out credentials. So only public addresses are let
//! through, and those that the operator named. Whoever connects asks for the very address they connect to, because a name
//! may have another one a moment later.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::IpNet;

/// Addresses besides the public ones that the operator lets through. Cheap to clone for the few that there are.
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    allowed: Vec<IpNet>,
}

impl Destinations {
    /// Public addresses and `allowed`.
    pub fn new(allowed: impl IntoIterator<Item = Cidr>) -> Self {
        Self { allowed: allowed.into_iter().map(|cidr| cidr.0).collect() }
    }

    /// Whether the operator named this address.
    pub fn is_named(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|net| net.contains(&address))
    }

    /// Whether a connection over TLS may go there.
    pub fn is_allowed(&self, address: IpAddr) -> bool {
        is_public(address) || self.is_named(address)
    }
}

/// Addresses as an operator names them: `10.20.0.0/16`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr(IpNet);

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map(|net| Self(net.trunc())).map_err(|_| format!("addresses are named like 10.20.0.0/16, not {text:?}"))
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether an address is one of the public internet, by the registries of special addresses of IANA.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    /// First octets, how many bits of them count, and what they are.
    const SPECIAL: [([u8; 4], u32); 16] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        // Shared by carriers, and the metadata of one cloud.
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        // Link-local, and the metadata of most clouds.
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        // Documentation.
        ([192, 0, 2, 0], 24),
        // Relays of 6to4.
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        // Measurements.
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        // Multicast.
        ([224, 0, 0, 0], 4),
        // Reserved, and broadcast.
        ([240, 0, 0, 0], 4),
        // Azure's host, a public address that is answered inside.
        ([168, 63, 129, 16], 32),
    ];
    let bits = u32::from(address);
    !SPECIAL.iter().any(|(net, length)| (bits ^ u32::from(Ipv4Addr::from(*net))) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // 2000::/3 alone is given out. In it: protocols with Teredo (2001::/23), documentation, and 6to4, which all carry or
    // stand for other addresses.
    let is_global = first & 0xe000 == 0x2000;
    let is_protocol = first == 0x2001 && second < 0x0200;
    let is_documentation = (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000);
    is_global && !is_protocol && !is_documentation && first != 0x2002
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for public in ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(ip(public)), "{public}");
        }
        for special in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
        ] {
            assert!(!is_public(ip(special)), "{special}");
        }
    }

    #[test]
    fn an_operator_lets_named_networks_through_and_nothing_beside_them() {
        let named = ["10.20.0.0/16", "fd12::/64", "192.168.7.7"].map(|cidr| cidr.parse::<Cidr>().expect("a network"));
        let destinations = Destinations::new(named);
        for through in ["10.20.255.1", "::ffff:10.20.0.1", "fd12::5", "192.168.7.7", "1.1.1.1"] {
            assert!(destinations.is_allowed(ip(through)), "{through}");
        }
        for blocked in ["10.21.0.1", "fd12:0:0:1::5", "192.168.7.8", "127.0.0.1"] {
            assert!(!destinations.is_allowed(ip(blocked)), "{blocked}");
        }
        assert!(!destinations.is_named(ip("1.1.1.1")), "a public address is no name of the operator's");
        assert!("10.20.0.0/33".parse::<Cidr>().is_err() && "intranet".parse::<Cidr>().is_err());
    }
}
