//! Where the server is.

use std::{fmt, str::FromStr};

use anyhow::{Context, bail};

/// The address of a server, `http://host:port` or, with the feature `tls`, `https://host:port`, from which its HTTP and WebSocket addresses are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    authority: String,
    is_tls: bool,
}

impl ServerUrl {
    /// The HTTP address of `path_and_query`, which begins with a slash.
    pub fn http(&self, path_and_query: &str) -> String {
        format!("{self}{path_and_query}")
    }

    /// The WebSocket address of `path_and_query`, which begins with a slash.
    pub fn ws(&self, path_and_query: &str) -> String {
        format!("{}://{}{path_and_query}", if self.is_tls { "wss" } else { "ws" }, self.authority)
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether connections are encrypted.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }
}

impl FromStr for ServerUrl {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (scheme, authority) = text.split_once("://").context("a server is given as http://host:port")?;
        let is_tls = match scheme {
            "http" => false,
            "https" if cfg!(feature = "tls") => true,
            "https" => bail!("this simulator was built without TLS: start it beside the server, behind its proxy"),
            _ => bail!("a server is given as http://host:port"),
        };
        let authority = authority.trim_end_matches('/');
        if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
            bail!("a server is given as http://host:port, without a path");
        }
        Ok(Self { authority: authority.to_owned(), is_tls })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_tls { "https" } else { "http" }, self.authority)
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
        #[cfg(feature = "tls")]
        {
            let behind_a_proxy: ServerUrl = "https://localhost:8443".parse().expect("a server");
            assert_eq!(behind_a_proxy.ws("/ws/courier"), "wss://localhost:8443/ws/courier");
        }
        for other in ["ftp://example.org", "127.0.0.1:8080", "http://", "http://host/path"] {
            assert!(other.parse::<ServerUrl>().is_err(), "{other}");
        }
    }
}
