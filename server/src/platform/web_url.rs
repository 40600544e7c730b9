//! An address that a browser is sent to, checked when the server starts.

use std::{fmt, str::FromStr};

/// An `http://` or `https://` address that names a host, without a password in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    text: String,
    origin: String,
}

impl WebUrl {
    /// The address as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port, as browsers write an origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl FromStr for WebUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // An origin becomes part of a header's list: nothing in it may end the list or begin another.
        let is_plain =
            |origin: &String| origin.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"';,<>".contains(&byte));
        match origin_of(text).filter(is_plain) {
            Some(origin) if !text.contains(char::is_whitespace) => Ok(Self { text: text.to_owned(), origin }),
            _ => Err(format!("an address begins with https:// or http:// and names a host, not {text:?}")),
        }
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Scheme, host and port of a URL, as a browser sends it in `Origin`.
pub fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty() && !host.contains('@'))?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    Some(format!("{scheme}://{}", host.to_ascii_lowercase().trim_end_matches(default_port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_an_unusual_port() {
        assert_eq!(origin_of("https://Track.Example.com/base").as_deref(), Some("https://track.example.com"));
        assert_eq!(origin_of("https://example.com:443").as_deref(), Some("https://example.com"));
        assert_eq!(origin_of("http://127.0.0.1:8080").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(origin_of("ftp://example.com"), None);
        assert_eq!(origin_of("example.com"), None);
        assert_eq!(origin_of("https://user@example.com"), None);
    }

    #[test]
    fn an_address_adds_one_origin_to_a_policy_and_nothing_else() {
        let style: WebUrl = "https://Tiles.Example.com/styles/light.json?key=1".parse().expect("an address");
        assert_eq!(style.origin(), "https://tiles.example.com");
        for wrong in [
            "style.json",
            "ftp://example.com/style.json",
            "javascript://example.com",
            "https://",
            "https://example.com; script-src *",
            "https://example.com'unsafe-inline'",
            "https://a,b/",
            "https://example.com /style.json",
        ] {
            assert!(wrong.parse::<WebUrl>().is_err(), "{wrong}");
        }
    }
}
