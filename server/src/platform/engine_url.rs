//! The address of a program that an operator runs beside this server, with what it speaks before it.
//!
//! Plain HTTP only: such a program runs on the same machine or in the same private network, as Postgres and Redis do.

use std::{fmt, str::FromStr};

use super::web_url::WebUrl;

/// The kinds of programs that may answer at one address.
pub trait Engine: Copy + Eq + fmt::Debug + 'static {
    /// What such a program is called, with its article.
    const WHAT: &'static str;
    /// Each with the word that stands before its address.
    const ALL: &'static [(&'static str, Self)];
}

/// A program that answers routes by HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Router {
    /// Valhalla's `POST /route`.
    Valhalla,
    /// OSRM's `GET /route/v1/…`.
    Osrm,
}

impl Engine for Router {
    const WHAT: &'static str = "a router";
    const ALL: &'static [(&'static str, Self)] = &[("valhalla", Self::Valhalla), ("osrm", Self::Osrm)];
}

/// A program that finds addresses by HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Geocoder {
    /// Photon's `GET /api`.
    Photon,
    /// Nominatim's `GET /search`.
    Nominatim,
}

impl Engine for Geocoder {
    const WHAT: &'static str = "a geocoder";
    const ALL: &'static [(&'static str, Self)] = &[("photon", Self::Photon), ("nominatim", Self::Nominatim)];
}

/// `valhalla+http://host:port`, `photon+http://host/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineUrl<E> {
    engine: E,
    base: WebUrl,
}

impl<E: Engine> EngineUrl<E> {
    /// Who answers there.
    pub fn engine(&self) -> E {
        self.engine
    }

    /// The address without a slash at its end.
    pub fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }
}

impl<E: Engine> FromStr for EngineUrl<E> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |name: &str| E::ALL.iter().find(|(word, _)| *word == name).map(|(_, engine)| *engine);
        let parts = text.split_once('+').and_then(|(name, base)| Some((named(name)?, base)));
        let Some((engine, base)) = parts else {
            let begins: Vec<_> = E::ALL.iter().map(|(word, _)| format!("{word}+http://")).collect();
            return Err(format!("{}'s address begins with {}, not {text:?}", E::WHAT, begins.join(" or ")));
        };
        let base: WebUrl = base.parse()?;
        if !base.origin().starts_with("http://") {
            return Err(format!("{} is asked by plain http:// within a private network, not at {base}", E::WHAT));
        }
        Ok(Self { engine, base })
    }
}

impl<E: Engine> fmt::Display for EngineUrl<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = E::ALL.iter().find(|(_, engine)| *engine == self.engine).map_or("", |(word, _)| word);
        write!(f, "{word}+{}", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_the_engine_and_the_server() {
        let url: EngineUrl<Router> = "osrm+http://routes.example/osrm/".parse().expect("an address");
        assert_eq!((url.engine(), url.base()), (Router::Osrm, "http://routes.example/osrm"));
        assert_eq!(url.to_string(), "osrm+http://routes.example/osrm/");
        for text in [
            "osrm+https://routes.example",
            "http://routes.example",
            "photon+http://routes.example",
            "valhalla+routes.example",
            "",
        ] {
            assert!(text.parse::<EngineUrl<Router>>().is_err(), "{text}");
        }
        let error = "osrm+http://a.example".parse::<EngineUrl<Geocoder>>().expect_err("a router finds no addresses");
        assert!(error.contains("photon+http:// or nominatim+http://"), "{error}");
    }
}
