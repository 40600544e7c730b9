//! Where the server is.

use std::{fmt, str::FromStr};

use anyhow::{Context, bail};

/// The address of a server, `http://host:port`, from which its HTTP and WebSocket addresses are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    authority: String,
}

impl ServerUrl {
    /// The HTTP address of `path_and_query`, which begins with a slash.
    pub fn http(&self, path_and_query: &str) -> String {
        format!("http://{}{path_and_query}", self.authority)
    }

    /// The WebSocket address of `path_and_query`, which begins with a slash.
    pub fn ws(&self, path_and_query: &str) -> String {
        format!("ws://{}{path_and_query}", self.authority)
    }
}

impl FromStr for ServerUrl {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        if text.starts_with("https://") {
            bail!("the simulator speaks plain HTTP; start it beside the server, behind its TLS proxy");
        }
        let authority = text.strip_prefix("http://").context("a server is given as http://host:port")?;
        let authority = authority.trim_end_matches('/');
        if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
            bail!("a server is given as http://host:port, without a path");
        }
        Ok(Self { authority: authority.to_owned() })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_from_the_host_and_port() {
        let server: ServerUrl = "http://127.0.0.1:8080/".parse().expect("a server");
        assert_eq!(server.http("/api/v1/orders"), "http://127.0.0.1:8080/api/v1/orders");
        assert_eq!(server.ws("/ws/courier"), "ws://127.0.0.1:8080/ws/courier");
        for other in ["https://example.org", "127.0.0.1:8080", "http://", "http://host/path"] {
            assert!(other.parse::<ServerUrl>().is_err(), "{other}");
        }
    }
}
