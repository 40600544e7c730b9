//! How the world reaches this server: checked when it starts, because links and sign-ins lead nowhere with a wrong one.

use std::net::SocketAddr;

use super::web_url::origin_of;

/// The public URL that was `given`, or that of a server that listens on `bound`: without a slash at its end, and with its
/// origin as browsers send it.
///
/// # Errors
/// A sentence with the line to set, when nobody could open it.
pub(super) fn complete(given: Option<&str>, bound: SocketAddr) -> Result<(String, String), String> {
    let url = match given {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None if bound.ip().is_unspecified() => return Err(nowhere(bound)),
        None => format!("http://{bound}"),
    };
    let origin = origin_of(&url)
        .ok_or_else(|| format!("the public URL must begin with https:// or http:// and name a host, not {url:?}"))?;
    // Pages, sockets and cookies stand at the root of an origin, so a public URL is one and nothing more.
    if url.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#'])) {
        return Err(format!(
            "the public URL must name a server and no path below it, not {url:?}: set DOORSTEP_PUBLIC_URL={origin}"
        ));
    }
    Ok((url, origin))
}

fn nowhere(bound: SocketAddr) -> String {
    format!(
        "{bound} listens on every address of this machine, and links need one that people reach: set \
         DOORSTEP_PUBLIC_URL, for example to http://192.168.1.20:{}",
        bound.port()
    )
}

/// Whether a request's `Host` is that of an origin.
pub(super) fn is_host_of(host: &str, origin: &str) -> bool {
    let Some((scheme, known)) = origin.split_once("://") else { return false };
    let port = if scheme == "https" { ":443" } else { ":80" };
    known.eq_ignore_ascii_case(host.strip_suffix(port).unwrap_or(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_that_nobody_can_open_is_refused_with_the_line_to_set() {
        for everywhere in ["0.0.0.0:8080", "[::]:8080"].map(bound) {
            let refused = complete(None, everywhere).expect_err("links would lead nowhere");
            assert!(refused.contains("DOORSTEP_PUBLIC_URL") && refused.contains(":8080"), "{refused}");
            assert!(complete(Some("https://track.example.com/"), everywhere).is_ok());
        }
        for below in ["https://example.com/track", "https://example.com/?x", "https://example.com/#x"] {
            let refused = complete(Some(below), bound("127.0.0.1:8080")).expect_err("pages stand at the root");
            assert!(refused.contains("DOORSTEP_PUBLIC_URL=https://example.com"), "{refused}");
        }
        assert!(complete(Some("example.com"), bound("127.0.0.1:8080")).is_err());
    }

    #[test]
    fn what_is_given_and_what_is_bound_are_completed() {
        let own = complete(None, bound("127.0.0.1:8080")).expect("this machine");
        assert_eq!(own, ("http://127.0.0.1:8080".to_owned(), "http://127.0.0.1:8080".to_owned()));
        let given = complete(Some("https://Track.Example.com:443/"), bound("0.0.0.0:80")).expect("an address");
        assert_eq!(given.1, "https://track.example.com");
    }

    #[test]
    fn a_host_is_that_of_its_origin_with_and_without_the_usual_port() {
        for (host, origin, expected) in [
            ("track.example.com", "https://track.example.com", true),
            ("Track.Example.com:443", "https://track.example.com", true),
            ("intranet:8080", "http://intranet:8080", true),
            ("track.example.com:8080", "https://track.example.com", false),
            ("track.example.com:80", "https://track.example.com", false),
            ("127.0.0.1:8080", "https://track.example.com", false),
            ("x", "nonsense", false),
        ] {
            assert_eq!(is_host_of(host, origin), expected, "{host} {origin}");
        }
    }
}
